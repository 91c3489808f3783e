#include "train_options.h"

#define MADE_WITH "made with"

enum type { INT, UNSIGNED, BYTE, WORD, DOUBLE, FLOAT };

#define AT(member) offsetof(struct train_options, member)
#define BLOCK_AT(list, block) (offsetof(struct train_options, list) + (block) * sizeof(((struct train_options *)0)->list[0]))

static const struct option {
	const char *name;
	size_t at;
	enum type type;
} options[] = {
	{"--solver", AT(solver), INT},
	{"--c", AT(c), DOUBLE},
	{"--eps", AT(eps), DOUBLE},
	{"--balance", AT(balance), DOUBLE},
	{"--abstain-cost", AT(abstain_cost), DOUBLE},
	{"--folds", AT(folds), UNSIGNED},
	{"--options", AT(spec.options), WORD},
	{"--words", AT(spec.words_max), BYTE},
	{"--chars-min", AT(spec.chars_min), BYTE},
	{"--chars-max", AT(spec.chars_max), BYTE},
	{"--word-buckets", BLOCK_AT(spec.buckets, BLOCK_WORD), WORD},
	{"--char-buckets", BLOCK_AT(spec.buckets, BLOCK_CHARS), WORD},
	{"--pair-buckets", BLOCK_AT(spec.buckets, BLOCK_PAIRS), WORD},
	{"--know-buckets", BLOCK_AT(spec.buckets, BLOCK_KNOW), WORD},
	{"--word-weight", BLOCK_AT(weight, BLOCK_WORD), FLOAT},
	{"--char-weight", BLOCK_AT(weight, BLOCK_CHARS), FLOAT},
	{"--pair-weight", BLOCK_AT(weight, BLOCK_PAIRS), FLOAT},
	{"--know-weight", BLOCK_AT(weight, BLOCK_KNOW), FLOAT},
};

static bool set(struct train_options *o, const struct option *option, double x)
{
	void *to = (char *)o + option->at;
	bool whole = option->type != DOUBLE && option->type != FLOAT;
	if (!(x >= 0) || x > (option->type == BYTE ? UINT8_MAX : INT32_MAX) || (whole && x != (double)(int64_t)x))
		return false;
	switch (option->type) {
	case INT:
		*(int *)to = (int)x;
		break;
	case UNSIGNED:
		*(unsigned *)to = (unsigned)x;
		break;
	case BYTE:
		*(uint8_t *)to = (uint8_t)x;
		break;
	case WORD:
		*(uint32_t *)to = (uint32_t)x;
		break;
	case DOUBLE:
		*(double *)to = x;
		break;
	case FLOAT:
		*(float *)to = (float)x;
		break;
	}
	return true;
}

static double get(const struct train_options *o, const struct option *option)
{
	const void *from = (const char *)o + option->at;
	switch (option->type) {
	case INT:
		return *(const int *)from;
	case UNSIGNED:
		return *(const unsigned *)from;
	case BYTE:
		return *(const uint8_t *)from;
	case WORD:
		return *(const uint32_t *)from;
	case DOUBLE:
		return *(const double *)from;
	default:
		return (double)*(const float *)from;
	}
}

bool train_option(struct train_options *o, const char *name, const char *value)
{
	char *end;
	double x = strtod(value, &end);
	if (*end || end == value)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (str_eq(name, options[i].name))
			return set(o, &options[i], x);
	return false;
}

void train_options_print(const struct train_options *o, struct buf *out)
{
	buf_adds(out, MADE_WITH);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		buf_addf(out, " %s %.7g", options[i].name, get(o, &options[i]));
	buf_adds(out, "\n");
}

bool train_options_read(struct train_options *o, const char *report)
{
	const char *line = report;
	while (line && strncmp(line, MADE_WITH " --", sizeof(MADE_WITH) + 2) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return false;
	struct train_options read = *o;
	char name[32], value[32];
	int used;
	for (line += sizeof(MADE_WITH); sscanf(line, "%31[^ \n] %31[^ \n]%n", name, value, &used) == 2; line += used) {
		if (!train_option(&read, name, value))
			return false;
		used += line[used] == ' ';
		if (line[used] == '\n')
			break;
	}
	*o = read;
	return true;
}
