#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define OPTIONS (PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | \
	PCRE2_NO_AUTO_CAPTURE)
#define HEAP_KIB 1024
#define PROBE_LEN 64

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
};

void pattern_free(struct pattern **pp)
{
	struct pattern *p = *pp;
	if (!p)
		return;
	pcre2_code_free(p->code);
	pcre2_match_data_free(p->match);
	pcre2_match_context_free(p->limits);
	free(p);
	*pp = NULL;
}

static int compile(struct pattern **ret, const char *expression, uint32_t options, struct err *e)
{
	int code = 0;
	size_t at = 0;
	struct pattern *p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(e, -ENOMEM, "out of memory");
	p->code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
	if (!p->code) {
		char words[200] = "";
		pcre2_get_error_message(code, (PCRE2_UCHAR *)words, sizeof(words));
		pattern_free(&p);
		return err_set(e, -EINVAL, "the expression is wrong at its character %zu: %s; put \\ before a sign that is "
			"meant as itself", at + 1, words);
	}
	p->match = pcre2_match_data_create(1, NULL);
	p->limits = pcre2_match_context_create(NULL);
	if (!p->match || !p->limits) {
		pattern_free(&p);
		return err_set(e, -ENOMEM, "out of memory");
	}
	pcre2_set_match_limit(p->limits, PATTERN_STEPS);
	pcre2_set_heap_limit(p->limits, HEAP_KIB);
	*ret = p;
	return 0;
}

bool pattern_matches(const struct pattern *p, struct span text, bool *ret_gave_up)
{
	int r = pcre2_match(p->code, text.data ? text.data : (PCRE2_SPTR)"", MIN(text.len, PATTERN_TEXT_MAX), 0, 0, p->match,
		p->limits);
	if (ret_gave_up)
		*ret_gave_up = r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_HEAPLIMIT;
	return r >= 0;
}

/* Whether the expression, given `first` and `second` in turn so often, and then what no expression wants, asks for too much. */
static bool is_expensive_on(const struct pattern *p, char first, char second)
{
	char probe[PROBE_LEN + 1];
	bool gave_up;
	for (size_t at = 0; at < PROBE_LEN; at++)
		probe[at] = at % 2 ? second : first;
	probe[PROBE_LEN] = '\x02';
	pattern_matches(p, span_of(probe, sizeof(probe)), &gave_up);
	return gave_up;
}

/* Runs of each of its characters, and of each two that follow each other in it, so that every way is tried in vain. */
static bool is_expensive(const struct pattern *p, const char *expression)
{
	bool seen[128] = {false};
	char before = 'a';
	const char *const sources[] = {"a0 .-", expression};
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		for (const char *c = sources[i]; *c; c++) {
			if ((uint8_t)*c >= 0x80)
				continue;
			if (!seen[(uint8_t)*c] && is_expensive_on(p, *c, *c))
				return true;
			seen[(uint8_t)*c] = true;
			/* Signs of the syntax stand between letters that meet in the text. */
			if (strchr("()|[]{}*+?^$\\", *c))
				continue;
			if (*c != before && is_expensive_on(p, before, *c))
				return true;
			before = *c;
		}
	return false;
}

int pattern_new(struct pattern **ret, const char *expression, struct err *e)
{
	struct pattern *probe;
	if (str_empty(expression) || strlen(expression) > PATTERN_MAX)
		return err_set(e, -EINVAL, "an expression has from 1 to %d characters", PATTERN_MAX);
	/* What PCRE2 sees at a glance (a letter that must be there is not) is no protection against who puts it there. */
	int r = compile(&probe, expression, OPTIONS | PCRE2_NO_START_OPTIMIZE, e);
	if (r)
		return r;
	bool expensive = is_expensive(probe, expression);
	pattern_free(&probe);
	if (expensive)
		return err_set(e, -EINVAL, "the expression can take for ever on a long text; do not repeat what repeats, as in "
			"(a+)+, nor put several .* into one");
	return compile(ret, expression, OPTIONS, e);
}
