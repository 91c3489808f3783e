#include "conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

/* ---- YAML with places
 * ------------------------------------------------------------------------------------------ libcyaml fills
 * the structs, but it says where a mistake is only roughly and takes "5x" for a number. So the text is first
 * read as a tree of libyaml nodes, which know line and column; the tree is held against the same schema, and
 * it stays at hand to find the place of mistakes noticed later. */

struct yaml {
	const char *name; /* of the file, as errors show it */
	yaml_document_t doc;
	bool open;
};

static void yaml_close(struct yaml *y)
{
	if (y->open)
		yaml_document_delete(&y->doc);
	*y = (struct yaml){.name = y->name};
}

static int yaml_verror(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX];
	vsnprintf(text, sizeof(text), fmt, ap);
	return err_set(e, -EINVAL, "%s:%zu:%zu: %s", y->name, at.line + 1, at.column + 1, text);
}

PRINTF(4, 5)
static int yaml_error(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = yaml_verror(y, at, e, fmt, ap);
	va_end(ap);
	return r;
}

/* libyaml's words for its parser's troubles, in words for the person at the keyboard. */
static const struct {
	const char *problem, *context; /* how libyaml's texts begin; NULL = any */
	const char *words;
} yaml_problems[] = {
	{"found a tab", NULL, "a tab stands where the indentation is; use spaces"},
	{"found character that cannot start", NULL,
		"a value begins with a tab or a sign YAML reserves; use spaces, or "
		"put the value in quotes"},
	{"did not find expected ',' or ']'", NULL, "a list that begins with [ has no ] at its end"},
	{"did not find expected ',' or '}'", NULL, "a set of keys that begins with { has no } at its end"},
	{"found unexpected end of stream", "while scanning a quoted",
		"a text that begins with a quote has no quote at "
		"its end"},
	{"mapping values are not allowed", NULL,
		"a colon stands where no key can be; mind the indentation, or put the "
		"value in quotes"},
	{"did not find expected", "while parsing a block",
		"the line does not fit the ones above; mind the "
		"indentation"},
	{"could not find expected ':'", NULL, "a colon is missing after the key"},
	{"control characters", NULL, "there is a control character; only plain text is taken"},
};

static int yaml_parser_error(struct yaml *y, const yaml_parser_t *p, struct span text, struct err *e)
{
	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, -ENOMEM, "%s: out of memory", y->name);
	yaml_mark_t at = p->problem_mark;
	if (p->error == YAML_READER_ERROR) {
		at = (yaml_mark_t){0};
		for (size_t i = 0; i < p->problem_offset && i < text.len; i++) {
			at.column++;
			if (text.data[i] == '\n') {
				at.line++;
				at.column = 0;
			}
		}
		if (!strstr(p->problem, "control characters"))
			return yaml_error(y, at, e, "the text is not UTF-8; save the file as UTF-8");
	}
	for (size_t i = 0; i < ARRAY_SIZE(yaml_problems); i++) {
		const char *problem = yaml_problems[i].problem, *context = yaml_problems[i].context;
		if (strncmp(p->problem, problem, strlen(problem)) == 0 &&
			(!context || (p->context && strncmp(p->context, context, strlen(context)) == 0)))
			return yaml_error(y, at, e, "%s", yaml_problems[i].words);
	}
	return yaml_error(y, at, e, "this is not YAML: %s", p->problem);
}

#define YAML_DEPTH_MAX 32

static int yaml_event(
	struct yaml *y, const yaml_event_t *event, unsigned *depth, unsigned *documents, struct err *e)
{
	bool anchor = false;
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return yaml_error(y, event->start_mark, e,
				"a second document begins (after ---); one file holds one document");
		return 0;
	case YAML_ALIAS_EVENT:
		anchor = true;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		++*depth;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		++*depth;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return 0;
	default:
		return 0;
	}
	if (anchor)
		return yaml_error(y, event->start_mark, e,
			"anchors and aliases (&name, *name) are not taken; write the value out");
	if (*depth > YAML_DEPTH_MAX)
		return yaml_error(y, event->start_mark, e, "lists and keys are nested more than %d deep",
			YAML_DEPTH_MAX);
	return 0;
}

/* The pieces one by one, before a tree is made of them: deep nesting and many anchors cost libyaml quadratic
 * time. */
static int yaml_scan(struct yaml *y, yaml_parser_t *p, struct span text, struct err *e)
{
	unsigned depth = 0, documents = 0;
	for (bool end = false; !end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(p, &event))
			return yaml_parser_error(y, p, text, e);
		int r = yaml_event(y, &event, &depth, &documents, e);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	return documents ? 0 : yaml_error(y, (yaml_mark_t){0}, e, "the file is empty");
}

static int yaml_build(struct yaml *y, yaml_parser_t *p, struct span text, struct err *e)
{
	if (!yaml_parser_load(p, &y->doc))
		return yaml_parser_error(y, p, text, e);
	y->open = true;
	return 0;
}

static int yaml_open(struct yaml *y, const char *name, struct span text, struct err *e)
{
	*y = (struct yaml){.name = name};
	if (text.len > CONF_YAML_MAX)
		return err_set(e, -EINVAL, "%s: the file is larger than %zu bytes", name, CONF_YAML_MAX);
	static int (*const steps[])(struct yaml *, yaml_parser_t *, struct span, struct err *) = {
		yaml_scan, yaml_build};
	int r = 0;
	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++) {
		yaml_parser_t p;
		if (!yaml_parser_initialize(&p))
			return err_set(e, -ENOMEM, "%s: out of memory", name);
		yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&p, text.data ? text.data : (const uint8_t *)"", text.len);
		r = steps[i](y, &p, text, e);
		yaml_parser_delete(&p);
	}
	return r;
}

static yaml_node_t *yaml_node(struct yaml *y, int index)
{
	return yaml_document_get_node(&y->doc, index);
}

static const char *yaml_scalar(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

/* Changes needed to make one word of the other, for "did you mean". */
static unsigned word_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[65];
	if (la > 64 || lb > 64)
		return 64;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned up = row[j];
			row[j] = MIN(MIN(row[j], row[j - 1]) + 1, corner + (a[i - 1] != b[j - 1]));
			corner = up;
		}
	}
	return row[lb];
}

/* "; did you mean "brand"?" or "; <many> are name, brand" for a word that is none of `words`. */
static const char *suggest(
	char *out, size_t size, const char *word, const char *const *words, size_t n, const char *many)
{
	size_t best = n;
	unsigned distance = MIN(strlen(word) > 4 ? 3 : 2, (unsigned)strlen(word));
	for (size_t i = 0; i < n; i++)
		if (word_distance(word, words[i]) < distance) {
			best = i;
			distance = word_distance(word, words[i]);
		}
	if (best < n) {
		snprintf(out, size, "; did you mean \"%s\"?", words[best]);
		return out;
	}
	size_t len = (size_t)snprintf(out, size, "; %s ", many);
	for (size_t i = 0; i < n && len + 4 < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "", words[i]);
	return out;
}

#define PATH_MAX_SHOWN 256

static int check_value(
	struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e);

static int check_key(struct yaml *y, const cyaml_schema_field_t *fields, const yaml_node_t *key,
	const char *path, const cyaml_schema_field_t **ret_field, struct err *e)
{
	const char *names[64], *dot = path[0] ? ": " : "";
	size_t n = 0;
	if (key->type != YAML_SCALAR_NODE)
		return yaml_error(y, key->start_mark, e, "%s%sa key must be one word", path, dot);
	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		if (str_eq(f->key, yaml_scalar(key))) {
			*ret_field = f;
			return 0;
		}
		if (n < ARRAY_SIZE(names))
			names[n++] = f->key;
	}
	char words[300];
	return yaml_error(y, key->start_mark, e, "%s%sthere is no key \"%.60s\" here%s", path, dot,
		yaml_scalar(key), suggest(words, sizeof(words), yaml_scalar(key), names, n, "the keys are"));
}

/* Nothing was written where something may be left out. */
static bool may_go(const cyaml_schema_value_t *s, const yaml_node_t *n)
{
	return s->flags & CYAML_FLAG_OPTIONAL && n->type == YAML_SCALAR_NODE && !n->data.scalar.length;
}

static int check_mapping(
	struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_MAPPING_NODE)
		return yaml_error(y, n->start_mark, e,
			"%s should be a set of keys (indented lines \"key: value\")%s",
			path[0] ? path : "the file", may_go(s, n) ? ", or left out" : "");
	yaml_node_pair_t *first = n->data.mapping.pairs.start;
	for (yaml_node_pair_t *p = first; p < n->data.mapping.pairs.top; p++) {
		const cyaml_schema_field_t *field = NULL;
		yaml_node_t *key = yaml_node(y, p->key);
		int r = check_key(y, s->mapping.fields, key, path, &field, e);
		if (r < 0)
			return r;
		for (yaml_node_pair_t *before = first; before < p; before++)
			if (str_eq(yaml_scalar(yaml_node(y, before->key)), field->key))
				return yaml_error(y, key->start_mark, e,
					"%s%skey \"%s\" is given twice; the first is in line %zu", path,
					path[0] ? ": " : "", field->key,
					yaml_node(y, before->key)->start_mark.line + 1);
		char below[PATH_MAX_SHOWN];
		snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", field->key);
		r = check_value(y, &field->value, yaml_node(y, p->value), below, e);
		if (r < 0)
			return r;
	}
	for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++) {
		bool there = f->value.flags & CYAML_FLAG_OPTIONAL;
		for (yaml_node_pair_t *p = first; p < n->data.mapping.pairs.top && !there; p++)
			there = str_eq(yaml_scalar(yaml_node(y, p->key)), f->key);
		if (!there)
			return yaml_error(y, n->start_mark, e, "%s%skey \"%s\" is missing", path,
				path[0] ? ": " : "", f->key);
	}
	return 0;
}

static int check_sequence(
	struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return yaml_error(y, n->start_mark, e,
			"%s should be a list; write each entry on a line of its own that begins with \"- "
			"\"%s",
			path, may_go(s, n) ? ", or leave the key out" : "");
	size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	if (count > s->sequence.max)
		return yaml_error(y, n->start_mark, e, "%s has %zu entries; at most %u are taken", path,
			count, s->sequence.max);
	if (count < s->sequence.min)
		return yaml_error(y, n->start_mark, e, "%s has %zu entries; at least %u must be there", path,
			count, s->sequence.min);
	for (size_t i = 0; i < count; i++) {
		char below[PATH_MAX_SHOWN];
		snprintf(below, sizeof(below), "%s[%zu]", path, i);
		yaml_node_t *entry = yaml_node(y, n->data.sequence.items.start[i]);
		int r = check_value(y, s->sequence.entry, entry, below, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_enum(
	struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path, struct err *e)
{
	const char *names[64];
	size_t count = MIN(s->enumeration.count, ARRAY_SIZE(names));
	for (size_t i = 0; i < count; i++) {
		names[i] = s->enumeration.strings[i].str;
		if (str_eq(names[i], yaml_scalar(n)))
			return 0;
	}
	char words[300];
	return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" is not one of its words%s", path,
		yaml_scalar(n), suggest(words, sizeof(words), yaml_scalar(n), names, count, "they are"));
}

static int check_number(
	struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path, struct err *e)
{
	const char *text = yaml_scalar(n);
	char *end = NULL;
	if (s->type == CYAML_FLOAT) {
		strtod(text, &end);
		if (text[0] && !*end && !isspace((unsigned char)text[0]))
			return 0;
		return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" should be a number", path, text);
	}
	bool is_signed = s->type == CYAML_INT;
	unsigned bits = MIN(s->data_size, 8u) * 8;
	uint64_t max = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
	if (is_signed)
		max /= 2;
	bool minus = is_signed && text[0] == '-';
	const char *digits = text + minus;
	errno = 0;
	uint64_t value = isdigit((unsigned char)digits[0]) ? strtoull(digits, &end, 10) : 0;
	/* A leading zero would make libcyaml read the rest as octal. */
	if (!end || *end || errno || value > max + minus || (digits[0] == '0' && digits[1]))
		return yaml_error(y, n->start_mark, e,
			"%s: \"%.60s\" should be a whole number%s up to %" PRIu64, path, text,
			is_signed ? "" : " from 0", max);
	return 0;
}

static int check_scalar(
	struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_SCALAR_NODE)
		return yaml_error(y, n->start_mark, e, "%s should be one value, not %s", path,
			n->type == YAML_SEQUENCE_NODE ? "a list" : "a set of keys");
	size_t len = n->data.scalar.length;
	if (memchr(yaml_scalar(n), 0, len))
		return yaml_error(y, n->start_mark, e, "%s holds a NUL byte", path);
	if (!len && (s->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL)
		return 0;
	switch (s->type) {
	case CYAML_STRING:
		if (len > s->string.max)
			return yaml_error(y, n->start_mark, e, "%s is %zu bytes long; at most %u are taken",
				path, len, s->string.max);
		if (len < s->string.min)
			return yaml_error(y, n->start_mark, e, "%s is %s", path,
				len ? "too short" : "empty; give it a value (in quotes if it begins with #)");
		return 0;
	case CYAML_BOOL:
		if (str_eq(yaml_scalar(n), "true") || str_eq(yaml_scalar(n), "false"))
			return 0;
		return yaml_error(
			y, n->start_mark, e, "%s: \"%.60s\" should be true or false", path, yaml_scalar(n));
	case CYAML_ENUM:
		return check_enum(y, s, n, path, e);
	case CYAML_INT:
	case CYAML_UINT:
	case CYAML_FLOAT:
		return check_number(y, s, n, path, e);
	default:
		return 0;
	}
}

static int check_value(
	struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	bool null_allowed = (s->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;
	if (null_allowed && n->type == YAML_SCALAR_NODE && !n->data.scalar.length)
		return 0;
	switch (s->type) {
	case CYAML_MAPPING:
		return check_mapping(y, s, n, path, e);
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return check_sequence(y, s, n, path, e);
	case CYAML_FLAGS:
	case CYAML_BITFIELD:
	case CYAML_IGNORE:
		return 0; /* libcyaml looks at these */
	default:
		return check_scalar(y, s, n, path, e);
	}
}

/* Keeps libcyaml's first complaint. It has none left after check_value, or nearly none. */
static void keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
{
	char *words = ctx;
	if (level < CYAML_LOG_WARNING || words[0])
		return;
	vsnprintf(words, ERR_TEXT_MAX, fmt, ap);
	words[strcspn(words, "\n")] = 0;
}

static cyaml_config_t yaml_config(char *words)
{
	return (cyaml_config_t){.log_fn = words ? keep_complaint : NULL,
		.log_ctx = words,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_NO_ALIAS};
}

/* Opens `y` and fills *ret; the caller closes `y`. */
static int yaml_read(struct yaml *y, const char *name, struct span text, const cyaml_schema_value_t *schema,
	void **ret, struct err *e)
{
	int r = yaml_open(y, name, text, e);
	if (r < 0)
		return r;
	yaml_node_t *root = yaml_document_get_root_node(&y->doc);
	r = check_value(y, schema, root, "", e);
	if (r < 0)
		return r;
	char words[ERR_TEXT_MAX] = "";
	cyaml_config_t config = yaml_config(words);
	void *data = NULL;
	cyaml_err_t failed = cyaml_load_data(text.data, text.len, &config, schema, &data, NULL);
	if (failed == CYAML_ERR_OOM)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	if (failed || !data) {
		const char *said = strncmp(words, "Load: ", 6) == 0 ? words + 6 : words;
		return yaml_error(y, root->start_mark, e, "%s", said[0] ? said : cyaml_strerror(failed));
	}
	*ret = data;
	return 0;
}

int conf_yaml_parse(
	const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret, struct err *e)
{
	struct yaml y = {0};
	int r = yaml_read(&y, name, text, schema, ret, e);
	yaml_close(&y);
	return r;
}

static int read_file(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	int r = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		r = err_set(e, -EINVAL, "%s: this is not a file", path);
	} else {
		buf_init(out, max);
		uint8_t part[16384];
		ssize_t n;
		while (!r && (n = read(fd, part, sizeof(part))) != 0) {
			if (n < 0)
				r = err_set(e, -errno, "%s: %s", path, strerror(errno));
			else if ((r = buf_add(out, part, (size_t)n)) < 0)
				r = err_set(e, r == -EMSGSIZE ? -EINVAL : r, "%s: %s", path,
					r == -EMSGSIZE ? "the file is larger than 1 MiB" : "out of memory");
		}
		explicit_bzero(part, sizeof(part));
		if (r < 0)
			buf_free(out);
	}
	close(fd);
	return r;
}

int conf_yaml_load(const char *path, const cyaml_schema_value_t *schema, void **ret, struct err *e)
{
	struct buf text;
	int r = read_file(path, CONF_YAML_MAX, &text, e);
	if (r < 0)
		return r;
	r = conf_yaml_parse(path, buf_span(&text), schema, ret, e);
	buf_free(&text);
	return r;
}

void conf_yaml_free(const cyaml_schema_value_t *schema, void **data)
{
	cyaml_config_t config = yaml_config(NULL);
	cyaml_free(&config, schema, *data, 0);
	*data = NULL;
}

/* The value of a key, or NULL. */
static yaml_node_t *yaml_member(struct yaml *y, yaml_node_t *n, const char *key, size_t key_len)
{
	if (n->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_node(y, p->key);
		if (k->type == YAML_SCALAR_NODE && k->data.scalar.length == key_len &&
			memcmp(k->data.scalar.value, key, key_len) == 0)
			return yaml_node(y, p->value);
	}
	return NULL;
}

/* Where the value at "channels[1].brand" stands, or what should hold it. *ret_there tells which. */
static yaml_mark_t yaml_place(struct yaml *y, const char *key_path, bool *ret_there)
{
	yaml_node_t *n = yaml_document_get_root_node(&y->doc), *next = n;
	for (const char *p = key_path; *p && next;) {
		char *end;
		if (*p == '[') {
			size_t i = strtoul(p + 1, &end, 10);
			next = NULL;
			if (n->type == YAML_SEQUENCE_NODE &&
				i < (size_t)(n->data.sequence.items.top - n->data.sequence.items.start))
				next = yaml_node(y, n->data.sequence.items.start[i]);
			p = *end == ']' ? end + 1 : end;
		} else {
			size_t len = strcspn(p, ".[");
			next = yaml_member(y, n, p, len);
			p += len;
		}
		p += *p == '.';
		if (next)
			n = next;
	}
	if (ret_there)
		*ret_there = next != NULL;
	return n->start_mark;
}

int conf_yaml_error(const char *path, const char *key_path, struct err *e, const char *fmt, ...)
{
	struct yaml y = {.name = path};
	struct buf text = {0};
	yaml_mark_t at = {0};
	if (read_file(path, CONF_YAML_MAX, &text, NULL) == 0 &&
		yaml_open(&y, path, buf_span(&text), NULL) == 0)
		at = yaml_place(&y, key_path, NULL);
	va_list ap;
	va_start(ap, fmt);
	yaml_verror(&y, at, e, fmt, ap);
	va_end(ap);
	yaml_close(&y);
	buf_free(&text);
	return -EINVAL;
}

/* ---- The settings' shape
 * --------------------------------------------------------------------------------------- */

#define OPTIONAL_TEXT(key, type, member, max)                                                                \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, max)
#define TEXT(key, type, member, max) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, max)
#define LIST(key, type, member, entry, max)                                                                  \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 0, max)

enum { NAME_MAX_BYTES = 64, TEXT_MAX_BYTES = 1024, PATH_MAX_BYTES = 2048 };

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX_BYTES)};

static const cyaml_schema_field_t service_fields[] = {
	OPTIONAL_TEXT("link", struct conf_service, link, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("http", struct conf_service, http, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("listen", struct conf_service, listen, TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t brand_fields[] = {
	TEXT("name", struct conf_brand, name, NAME_MAX_BYTES),
	OPTIONAL_TEXT("title", struct conf_brand, title, TEXT_MAX_BYTES),
	TEXT("playbook", struct conf_brand, playbook, PATH_MAX_BYTES),
	OPTIONAL_TEXT("language", struct conf_brand, language, TEXT_MAX_BYTES),
	LIST("vips", struct conf_brand, vips, &text_entry, 10000),
	LIST("handles", struct conf_brand, handles, &text_entry, 1000),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t brand_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_brand, brand_fields)};

static const cyaml_schema_field_t channel_fields[] = {
	TEXT("name", struct conf_channel, name, NAME_MAX_BYTES),
	TEXT("brand", struct conf_channel, brand, TEXT_MAX_BYTES),
	TEXT("network", struct conf_channel, network, TEXT_MAX_BYTES),
	TEXT("adapter", struct conf_channel, adapter, PATH_MAX_BYTES),
	LIST("settings", struct conf_channel, settings, &text_entry, 64),
	OPTIONAL_TEXT("secret_file", struct conf_channel, secret_file, PATH_MAX_BYTES),
	OPTIONAL_TEXT("previous_secret_file", struct conf_channel, previous_secret_file, PATH_MAX_BYTES),
	CYAML_FIELD_BOOL("catch_all", CYAML_FLAG_OPTIONAL, struct conf_channel, catch_all),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t channel_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_channel, channel_fields)};

static const cyaml_schema_field_t destination_fields[] = {
	TEXT("name", struct conf_destination, name, NAME_MAX_BYTES),
	TEXT("brand", struct conf_destination, brand, TEXT_MAX_BYTES),
	TEXT("kind", struct conf_destination, kind, TEXT_MAX_BYTES),
	TEXT("url", struct conf_destination, url, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("from", struct conf_destination, from, TEXT_MAX_BYTES),
	LIST("to", struct conf_destination, to, &text_entry, 64),
	OPTIONAL_TEXT("secret_file", struct conf_destination, secret_file, PATH_MAX_BYTES),
	OPTIONAL_TEXT("user", struct conf_destination, user, TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t destination_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_destination, destination_fields)};

/* The services: their place in struct conf and the ports they have when the file does not say. */
static const struct {
	const char *name;
	size_t offset;
	unsigned link, http, listen; /* 0 = none */
} services[] = {
	{"ingest", offsetof(struct conf, services.ingest), 7401, 7411, 7421},
	{"enrichment", offsetof(struct conf, services.enrichment), 7402, 7412, 0},
	{"intent", offsetof(struct conf, services.intent), 7403, 7413, 0},
	{"escalation", offsetof(struct conf, services.escalation), 7404, 7414, 0},
	{"notification", offsetof(struct conf, services.notification), 7405, 7415, 0},
	{"console", offsetof(struct conf, services.console), 7406, 7416, 7420},
};

#define SERVICE(service)                                                                                     \
	{                                                                                                    \
		.key = #service,                                                                             \
		.data_offset = offsetof(struct conf, services.service) - offsetof(struct conf, services),    \
		.value = {                                                                                   \
			CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct conf_service, service_fields)        \
		}                                                                                            \
	}

static const cyaml_schema_field_t services_fields[] = {
	SERVICE(ingest),
	SERVICE(enrichment),
	SERVICE(intent),
	SERVICE(escalation),
	SERVICE(notification),
	SERVICE(console),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t conf_fields[] = {
	OPTIONAL_TEXT("data", struct conf, data, PATH_MAX_BYTES),
	OPTIONAL_TEXT("programs", struct conf, programs, PATH_MAX_BYTES),
	OPTIONAL_TEXT("models", struct conf, models, PATH_MAX_BYTES),
	OPTIONAL_TEXT("log", struct conf, log, TEXT_MAX_BYTES),
	CYAML_FIELD_BOOL("unsafe_fs", CYAML_FLAG_OPTIONAL, struct conf, unsafe_fs),
	CYAML_FIELD_UINT("retain_hours", CYAML_FLAG_OPTIONAL, struct conf, retain_hours),
	CYAML_FIELD_UINT("retain_mb", CYAML_FLAG_OPTIONAL, struct conf, retain_mb),
	LIST("fetch_allow", struct conf, fetch_allow, &text_entry, 64),
	CYAML_FIELD_MAPPING("services", CYAML_FLAG_OPTIONAL, struct conf, services, services_fields),
	CYAML_FIELD_SEQUENCE("brands", CYAML_FLAG_POINTER, struct conf, brands, &brand_entry, 1, 64),
	LIST("channels", struct conf, channels, &channel_entry, 256),
	LIST("destinations", struct conf, destinations, &destination_entry, 256),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf, conf_fields)};

/* ---- What can be wrong though the shape is right
 * --------------------------------------------------------------- */

struct check {
	struct conf *conf;
	struct yaml *yaml;
	struct err *e;
};

/* "channels", 1, "brand": the mistake is at channels[1].brand. Returns -EINVAL. */
PRINTF(5, 6)
static int wrong(const struct check *k, const char *list, unsigned i, const char *key, const char *fmt, ...)
{
	char path[PATH_MAX_SHOWN];
	snprintf(path, sizeof(path), "%s[%u]%s%s", list, i, key[0] ? "." : "", key);
	va_list ap;
	va_start(ap, fmt);
	int r = yaml_verror(k->yaml, yaml_place(k->yaml, path, NULL), k->e, fmt, ap);
	va_end(ap);
	return r;
}

PRINTF(3, 4)
static int wrong_at(const struct check *k, const char *path, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = yaml_verror(k->yaml, yaml_place(k->yaml, path, NULL), k->e, fmt, ap);
	va_end(ap);
	return r;
}

static bool is_name(const char *s)
{
	return s[0] && s[0] != '-' && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

static struct conf_service *service_at(const struct conf *c, size_t i)
{
	return (struct conf_service *)((char *)(uintptr_t)c + services[i].offset);
}

/* Where one of a service's addresses is: "services.ingest.link". */
struct address {
	char path[64];
	uint32_t ip;
	unsigned port;
};

/* "127.0.0.1:7411", for links with tcp:// before it. */
static int check_address(const struct check *k, struct address *a, const char *value, bool link)
{
	const char *form = link ? "tcp://127.0.0.1:PORT" : "127.0.0.1:PORT";
	const char *p = value;
	if (link && strncmp(p, "tcp://", 6) != 0)
		return wrong_at(k, a->path, "%s: \"%.80s\" should have the form %s", a->path, value, form);
	p += link ? 6 : 0;
	const char *colon = strrchr(p, ':');
	if (!colon || colon == p || (size_t)(colon - p) >= 80 || strstr(p, "://"))
		return wrong_at(k, a->path, "%s: \"%.80s\" should have the form %s", a->path, value, form);
	char host[80];
	snprintf(host, sizeof(host), "%.*s", (int)(colon - p), p);
	unsigned port = 0;
	for (const char *d = colon + 1; *d && port <= 99999; d++)
		port = isdigit((unsigned char)*d) ? port * 10 + (unsigned)(*d - '0') : 100000;
	if (port < 1 || port > 32767)
		return wrong_at(k, a->path, "%s: the port \"%.20s\" should be a number from 1 to 32767",
			a->path, colon + 1);
	struct in_addr ip;
	if (str_eq(host, "localhost"))
		return wrong_at(k, a->path, "%s: write 127.0.0.1 instead of localhost", a->path);
	if (inet_pton(AF_INET, host, &ip) != 1 || ntohl(ip.s_addr) >> 24 != 127) {
		if (str_eq(a->path + strlen(a->path) - 6, "listen"))
			return wrong_at(k, a->path,
				"%s: \"%s\" is not a loopback address; listen on 127.0.0.1 and put "
				"a reverse proxy that speaks TLS in front of it",
				a->path, host);
		return wrong_at(k, a->path,
			"%s: \"%s\" is not a loopback address; outside one machine %s need "
			"encryption, which this version does not have; use 127.0.0.1",
			a->path, host, link ? "links" : "health and control");
	}
	a->ip = ntohl(ip.s_addr);
	a->port = port;
	return 0;
}

static int check_services(const struct check *k)
{
	struct address seen[3 * ARRAY_SIZE(services)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		const struct conf_service *s = service_at(k->conf, i);
		const char *const values[] = {s->link, s->http, s->listen};
		static const char *const keys[] = {"link", "http", "listen"};
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			if (!values[j])
				continue;
			struct address *a = &seen[n];
			snprintf(a->path, sizeof(a->path), "services.%s.%s", services[i].name, keys[j]);
			int r = check_address(k, a, values[j], j == 0);
			if (r < 0)
				return r;
			for (size_t m = 0; m < n; m++) {
				if (seen[m].ip != a->ip || seen[m].port != a->port)
					continue;
				bool written = false;
				yaml_place(k->yaml, a->path, &written);
				return wrong_at(k, written ? a->path : seen[m].path,
					"%s and %s have the same port %u; give each its own", seen[m].path,
					a->path, a->port);
			}
			n++;
		}
	}
	return 0;
}

static int check_brand_name(const struct check *k, const char *list, unsigned i, const char *what,
	const char *name, const char *brand)
{
	const char *names[64];
	unsigned n = MIN(k->conf->brands_count, (unsigned)ARRAY_SIZE(names));
	for (unsigned b = 0; b < n; b++) {
		names[b] = k->conf->brands[b].name;
		if (str_eq(names[b], brand))
			return 0;
	}
	char words[200];
	return wrong(k, list, i, "brand", "%s %s: there is no brand \"%.60s\"%s", what, name, brand,
		suggest(words, sizeof(words), brand, names, n,
			n == 1 ? "the only one is" : "the brands are"));
}

static int check_name(const struct check *k, const char *list, unsigned i, const char *what, const char *name)
{
	if (is_name(name))
		return 0;
	return wrong(k, list, i, "name", "%s name \"%.64s\" should be of a-z, 0-9 and - only", what, name);
}

static int check_brands(const struct check *k)
{
	for (unsigned i = 0; i < k->conf->brands_count; i++) {
		const struct conf_brand *b = &k->conf->brands[i];
		int r = check_name(k, "brands", i, "brand", b->name);
		if (r < 0)
			return r;
		for (unsigned j = 0; j < i; j++)
			if (str_eq(k->conf->brands[j].name, b->name))
				return wrong(k, "brands", i, "name",
					"there are two brands with the name \"%s\"", b->name);
		if (!str_eq(b->language, "it") && !str_eq(b->language, "en"))
			return wrong(k, "brands", i, "language",
				"brand %s: language \"%.20s\" should be it or en", b->name, b->language);
		struct stat st;
		if (stat(b->playbook, &st) < 0)
			return wrong(k, "brands", i, "playbook", "brand %s: playbook %s: %s", b->name,
				b->playbook, errno == ENOENT ? "there is no such file" : strerror(errno));
		if (!S_ISREG(st.st_mode))
			return wrong(k, "brands", i, "playbook", "brand %s: playbook %s is not a file",
				b->name, b->playbook);
	}
	return 0;
}

/* A secret this process may not look at is somebody else's business; one it can see must be kept well. */
static int check_secret(
	const struct check *k, const char *list, unsigned i, const char *key, const char *path)
{
	struct stat st;
	if (!path)
		return 0;
	if (stat(path, &st) < 0) {
		if (errno == EACCES)
			return 0;
		return wrong(k, list, i, key,
			"%s %s: %s; make one with: (umask 077; openssl rand -hex 32 > %s)", key, path,
			errno == ENOENT ? "there is no such file" : strerror(errno), path);
	}
	if (!S_ISREG(st.st_mode))
		return wrong(k, list, i, key, "%s %s is not a file", key, path);
	if (st.st_mode & 077)
		return wrong(
			k, list, i, key, "%s %s can be read by others; run: chmod 600 %s", key, path, path);
	return 0;
}

/* Networks the documents speak of. Others are welcome: the list only catches slips of the pen. */
static const char *const networks[] = {"facebook", "instagram", "whatsapp", "telegram", "mastodon", "bluesky",
	"youtube", "linkedin", "discourse", "wordpress", "reddit", "trustpilot", "reviews", "email", "phone"};

static int check_network(const struct check *k, unsigned i, const struct conf_channel *ch)
{
	if (!is_name(ch->network))
		return wrong(k, "channels", i, "network",
			"channel %s: network \"%.64s\" should be of a-z, 0-9 and - only, such as x, facebook "
			"or email",
			ch->name, ch->network);
	for (size_t n = 0; n < ARRAY_SIZE(networks); n++)
		if (strlen(ch->network) > 3 && word_distance(ch->network, networks[n]) == 1)
			return wrong(k, "channels", i, "network",
				"channel %s: network \"%s\" looks like a slip; did you mean \"%s\"?",
				ch->name, ch->network, networks[n]);
	return 0;
}

static int check_channel_settings(const struct check *k, unsigned i, const struct conf_channel *ch)
{
	for (unsigned s = 0; s < ch->settings_count; s++) {
		char key[32];
		snprintf(key, sizeof(key), "settings[%u]", s);
		const char *setting = ch->settings[s];
		size_t len = strspn(setting, "abcdefghijklmnopqrstuvwxyz0123456789_-");
		if (!len || setting[len] != '=')
			return wrong(k, "channels", i, key,
				"channel %s: setting \"%.60s\" should have the form key=value", ch->name,
				setting);
		for (unsigned t = 0; t < s; t++)
			if (strncmp(ch->settings[t], setting, len + 1) == 0)
				return wrong(k, "channels", i, key,
					"channel %s: setting \"%.*s\" is given twice", ch->name,
					(int)MIN(len, (size_t)60), setting);
	}
	return 0;
}

static int check_channel(const struct check *k, unsigned i)
{
	const struct conf_channel *ch = &k->conf->channels[i];
	int r = check_name(k, "channels", i, "channel", ch->name);
	for (unsigned j = 0; j < i && !r; j++)
		if (str_eq(k->conf->channels[j].name, ch->name))
			return wrong(k, "channels", i, "name", "there are two channels with the name \"%s\"",
				ch->name);
	if (r < 0 || (r = check_brand_name(k, "channels", i, "channel", ch->name, ch->brand)) < 0 ||
		(r = check_network(k, i, ch)) < 0 || (r = check_channel_settings(k, i, ch)) < 0)
		return r;
	if (strchr(ch->adapter, '/')) {
		if (access(ch->adapter, X_OK) < 0)
			return wrong(k, "channels", i, "adapter", "channel %s: adapter %s: %s", ch->name,
				ch->adapter,
				errno == ENOENT ? "there is no such program" : "this user may not run it");
	} else if (!is_name(ch->adapter)) {
		return wrong(k, "channels", i, "adapter",
			"channel %s: adapter \"%.64s\" should be a name such as jsonl or webhook, or the "
			"path of a program",
			ch->name, ch->adapter);
	}
	if (str_eq(ch->adapter, "webhook") && !ch->secret_file &&
		!str_eq(conf_setting(ch, "insecure"), "yes"))
		return wrong(k, "channels", i, "",
			"channel %s: key \"secret_file\" is missing; webhooks are signed with it", ch->name);
	if (ch->previous_secret_file && !ch->secret_file)
		return wrong(k, "channels", i, "previous_secret_file",
			"channel %s: previous_secret_file stands without secret_file", ch->name);
	r = check_secret(k, "channels", i, "secret_file", ch->secret_file);
	return r < 0 ? r : check_secret(k, "channels", i, "previous_secret_file", ch->previous_secret_file);
}

/* SCHEME://HOST[:PORT][/...] with one of two schemes. */
static int check_url(const struct check *k, unsigned i, const struct conf_destination *d, const char *scheme,
	const char *secure)
{
	const char *rest = strstr(d->url, "://");
	size_t len = rest ? (size_t)(rest - d->url) : 0;
	if (!rest || !((len == strlen(scheme) && strncmp(d->url, scheme, len) == 0) ||
			     (len == strlen(secure) && strncmp(d->url, secure, len) == 0)))
		return wrong(k, "destinations", i, "url",
			"destination %s: the url of a %s begins with %s:// or %s://", d->name, d->kind,
			scheme, secure);
	rest += 3;
	size_t authority = strcspn(rest, "/?#");
	if (memchr(rest, '@', authority))
		return wrong(k, "destinations", i, "url",
			"destination %s: the url holds a user or password; secrets belong in secret_file",
			d->name);
	const char *port = memchr(rest, ':', authority);
	size_t host = port && rest[0] != '[' ? (size_t)(port - rest) : authority;
	for (const char *c = d->url; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			host = 0;
	bool bad_port = port && rest[0] != '[' &&
			(strtoul(port + 1, NULL, 10) - 1 > 65534 ||
				strspn(port + 1, "0123456789") != authority - host - 1);
	if (!host || bad_port)
		return wrong(k, "destinations", i, "url",
			"destination %s: \"%.100s\" should have the form %s://HOST:PORT%s", d->name, d->url,
			scheme, str_eq(d->kind, "mail") ? "" : "/PATH");
	return 0;
}

static bool is_mail_address(const char *s)
{
	const char *at = strchr(s, '@');
	if (!at || at == s || !at[1] || strchr(at + 1, '@'))
		return false;
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("<>,;\"()", *c))
			return false;
	return true;
}

static int check_mail(const struct check *k, unsigned i, const struct conf_destination *d)
{
	int r = check_url(k, i, d, "smtp", "smtps");
	if (r < 0)
		return r;
	if (!d->from || !d->to_count)
		return wrong(k, "destinations", i, d->from ? "to" : "",
			"destination %s: key \"%s\" is missing; a mail "
			"needs from and to",
			d->name, d->from ? "to" : "from");
	if (!is_mail_address(d->from))
		return wrong(k, "destinations", i, "from", "destination %s: \"%.100s\" is not a mail address",
			d->name, d->from);
	for (unsigned t = 0; t < d->to_count; t++) {
		char key[32];
		snprintf(key, sizeof(key), "to[%u]", t);
		if (!is_mail_address(d->to[t]))
			return wrong(k, "destinations", i, key,
				"destination %s: \"%.100s\" is not a mail address", d->name, d->to[t]);
	}
	if (!d->user != !d->secret_file)
		return wrong(k, "destinations", i, d->user ? "user" : "secret_file",
			"destination %s: user and secret_file (the password) go together; give both or none",
			d->name);
	return 0;
}

static int check_webhook(const struct check *k, unsigned i, const struct conf_destination *d)
{
	int r = check_url(k, i, d, "http", "https");
	if (r < 0)
		return r;
	if (!d->secret_file)
		return wrong(k, "destinations", i, "",
			"destination %s: key \"secret_file\" is missing; a webhook is signed with it",
			d->name);
	const char *odd = d->from ? "from" : d->to_count ? "to" : d->user ? "user" : NULL;
	if (odd)
		return wrong(k, "destinations", i, odd,
			"destination %s: \"%s\" is for mails, not for webhooks", d->name, odd);
	return 0;
}

static int check_destination(const struct check *k, unsigned i)
{
	const struct conf_destination *d = &k->conf->destinations[i];
	int r = check_name(k, "destinations", i, "destination", d->name);
	for (unsigned j = 0; j < i && !r; j++)
		if (str_eq(k->conf->destinations[j].name, d->name))
			return wrong(k, "destinations", i, "name",
				"there are two destinations with the name \"%s\"", d->name);
	if (r < 0 || (r = check_brand_name(k, "destinations", i, "destination", d->name, d->brand)) < 0)
		return r;
	if (str_eq(d->kind, "mail"))
		r = check_mail(k, i, d);
	else if (str_eq(d->kind, "webhook"))
		r = check_webhook(k, i, d);
	else
		r = wrong(k, "destinations", i, "kind",
			"destination %s: kind \"%.60s\" should be mail or webhook", d->name, d->kind);
	return r < 0 ? r : check_secret(k, "destinations", i, "secret_file", d->secret_file);
}

static int check_cidr(const struct check *k, unsigned i, const char *cidr)
{
	uint8_t address[16];
	char host[64];
	size_t len = strcspn(cidr, "/");
	snprintf(host, sizeof(host), "%.*s", (int)MIN(len, sizeof(host)), cidr);
	bool v6 = strchr(host, ':') != NULL;
	const char *digits = cidr[len] ? cidr + len + 1 : "";
	size_t n = strspn(digits, "0123456789");
	bool good = len < sizeof(host) && n > 0 && n < 4 && !digits[n] &&
		    strtoul(digits, NULL, 10) <= (v6 ? 128 : 32) &&
		    inet_pton(v6 ? AF_INET6 : AF_INET, host, address) == 1;
	if (good)
		return 0;
	return wrong(k, "fetch_allow", i, "",
		"fetch_allow: \"%.60s\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32", cidr);
}

static int check_number_range(const struct check *k, const char *key, unsigned value, unsigned max)
{
	if (value >= 1 && value <= max)
		return 0;
	return wrong_at(k, key, "%s: %u should be from 1 to %u", key, value, max);
}

static int check_conf(const struct check *k)
{
	const struct conf *c = k->conf;
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	bool level = false;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		level |= str_eq(levels[i], c->log);
	if (!level)
		return wrong_at(k, "log", "log: \"%.20s\" should be error, warning, info or debug", c->log);
	int r = check_number_range(k, "retain_hours", c->retain_hours, 8760);
	if (r < 0 || (r = check_number_range(k, "retain_mb", c->retain_mb, 1048576)) < 0)
		return r;
	for (unsigned i = 0; i < c->fetch_allow_count && !r; i++)
		r = check_cidr(k, i, c->fetch_allow[i]);
	if (r < 0 || (r = check_services(k)) < 0 || (r = check_brands(k)) < 0)
		return r;
	for (unsigned i = 0; i < c->channels_count && !r; i++)
		r = check_channel(k, i);
	for (unsigned i = 0; i < c->destinations_count && !r; i++)
		r = check_destination(k, i);
	return r;
}

/* ---- Defaults and paths
 * ---------------------------------------------------------------------------------------- */

/* Puts FOLDER/ before a relative path. NULL stays NULL. */
static bool resolve(char **path, const char *folder)
{
	if (!*path || **path == '/')
		return true;
	const char *rest = *path;
	while (strncmp(rest, "./", 2) == 0)
		rest += 2;
	char *whole = NULL;
	if (asprintf(&whole, "%s%s%s", folder, str_eq(folder, "/") ? "" : "/", rest) < 0)
		return false;
	free(*path);
	*path = whole;
	return true;
}

PRINTF(2, 3)
static bool preset(char **value, const char *fmt, ...)
{
	if (*value)
		return true;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(value, fmt, ap);
	va_end(ap);
	if (n < 0)
		*value = NULL;
	return n >= 0;
}

/* The folder of the running program, without a slash at the end. */
static void program_folder(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	out[n > 0 ? n : 0] = 0;
	char *slash = strrchr(out, '/');
	snprintf(slash ? slash : out, slash ? 1 : size, "%s", slash ? "" : "/usr/bin");
}

/* Beside the folder of the running program: share/ascolto/models where it is installed, models where it was
 * built. */
static bool preset_models(char **models, const char *here)
{
	const char *slash = strrchr(here, '/');
	int len = slash ? (int)(slash - here) : 0;
	char installed[PATH_MAX + 32], built[PATH_MAX + 32];
	snprintf(installed, sizeof(installed), "%.*s/share/ascolto/models", len, here);
	snprintf(built, sizeof(built), "%.*s/models", len, here);
	return preset(
		models, "%s", access(installed, F_OK) < 0 && access(built, F_OK) == 0 ? built : installed);
}

static bool fill(struct conf *c, struct yaml *y, const char *folder)
{
	char here[PATH_MAX];
	program_folder(here, sizeof(here));
	bool ok = preset(&c->data, "state") && preset(&c->programs, "%s", here) &&
		  preset_models(&c->models, here) && preset(&c->log, "info");
	bool there;
	if (!c->retain_hours && (yaml_place(y, "retain_hours", &there), !there))
		c->retain_hours = 24;
	if (!c->retain_mb && (yaml_place(y, "retain_mb", &there), !there))
		c->retain_mb = 256;
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		struct conf_service *s = service_at(c, i);
		ok = ok && preset(&s->link, "tcp://127.0.0.1:%u", services[i].link) &&
		     preset(&s->http, "127.0.0.1:%u", services[i].http) &&
		     (!services[i].listen || preset(&s->listen, "127.0.0.1:%u", services[i].listen));
	}
	ok = ok && resolve(&c->data, folder) && resolve(&c->programs, folder) && resolve(&c->models, folder);
	for (unsigned i = 0; ok && i < c->brands_count; i++) {
		struct conf_brand *b = &c->brands[i];
		ok = preset(&b->title, "%s", b->name) && preset(&b->language, "en") &&
		     resolve(&b->playbook, folder);
	}
	for (unsigned i = 0; ok && i < c->channels_count; i++) {
		struct conf_channel *ch = &c->channels[i];
		ok = (!strchr(ch->adapter, '/') || resolve(&ch->adapter, folder)) &&
		     resolve(&ch->secret_file, folder) && resolve(&ch->previous_secret_file, folder);
	}
	for (unsigned i = 0; ok && i < c->destinations_count; i++)
		ok = resolve(&c->destinations[i].secret_file, folder);
	return ok;
}

/* The folder a file is in, absolute. The file's own name is left as it is: it may be a symbolic link that is
 * moved to a newer version. Freed by the caller. */
static char *folder_of(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	char *slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy] = 0;
	return realpath(slash ? copy : ".", NULL);
}

int conf_load(struct conf **ret, const char *path, struct err *e)
{
	struct buf text;
	int r = read_file(path, CONF_YAML_MAX, &text, e);
	if (r < 0)
		return r;
	struct conf *c = NULL;
	struct yaml y = {0};
	char *folder = folder_of(path);
	r = yaml_read(&y, path, buf_span(&text), &conf_schema, (void **)&c, e);
	if (r == 0) {
		const char *name = strrchr(path, '/');
		if (folder && asprintf(&c->path, "%s%s%s", folder, str_eq(folder, "/") ? "" : "/",
				      name ? name + 1 : path) < 0)
			c->path = NULL;
		if (!c->path || !fill(c, &y, folder))
			r = err_set(e, -ENOMEM, "%s: out of memory", path);
		else
			r = check_conf(&(struct check){c, &y, e});
	}
	if (r == 0)
		*ret = c;
	else
		conf_free(&c);
	yaml_close(&y);
	free(folder);
	buf_free(&text);
	return r;
}

void conf_free(struct conf **c)
{
	if (!*c)
		return;
	free((*c)->path);
	conf_yaml_free(&conf_schema, (void **)c);
}

/* ---- Looking things up
 * ------------------------------------------------------------------------------------------ */

const struct conf_service *conf_service(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (str_eq(services[i].name, name))
			return service_at(c, i);
	return NULL;
}

const struct conf_brand *conf_brand(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->brands_count; i++)
		if (str_eq(c->brands[i].name, name))
			return &c->brands[i];
	return NULL;
}

const struct conf_channel *conf_channel(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->channels_count; i++)
		if (str_eq(c->channels[i].name, name))
			return &c->channels[i];
	return NULL;
}

const char *conf_setting(const struct conf_channel *ch, const char *key)
{
	size_t len = strlen(key);
	for (unsigned i = 0; i < ch->settings_count; i++)
		if (strncmp(ch->settings[i], key, len) == 0 && ch->settings[i][len] == '=')
			return ch->settings[i] + len + 1;
	return NULL;
}

#define SECRET_MAX 4096

int conf_read_secret(const char *path, char **ret_secret, struct err *e)
{
	struct stat st;
	struct buf text = {0};
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 077)
		return err_set(e, -EPERM, "%s can be read by others; run: chmod 600 %s", path, path);
	int r = read_file(path, SECRET_MAX, &text, e);
	if (r < 0)
		return r == -EINVAL ? err_set(e, r, "%s: a secret is one line of at most %d bytes", path,
					      SECRET_MAX)
				    : r;
	const char *line = buf_str(&text);
	size_t len = strcspn(line, "\r\n");
	if (!len || memchr(text.data, 0, text.len))
		r = err_set(e, -EINVAL, "%s: the first line should hold the secret, in plain text", path);
	else if (!(*ret_secret = strndup(line, len)))
		r = err_set(e, -ENOMEM, "%s: out of memory", path);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return r;
}

void conf_secret_free(char **secret)
{
	if (!*secret)
		return;
	sodium_memzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* ---- The documented example: the same text as deploy/conf/ascolto.yaml, line by line ---- */

/* clang-format off */
static const char example[] =
	"# ascolto.yaml - one installation of Ascolto.\n"
	"#\n"
	"# All six services and the command `ascolto` read this one file; `ascolto check FILE` says what is wrong with it. Every\n"
	"# key is shown; a key that is commented out is optional and shows its default or an example. Relative paths begin at\n"
	"# this file's folder. Secrets are never in this file: a key that ends in _file names a file of mode 0600 or 0400 whose\n"
	"# first line is the secret, made for example with  (umask 077; openssl rand -hex 32 > FILE).\n"
	"\n"
	"# Where each service keeps its state, in a folder of its own. Default: state\n"
	"data: /var/lib/ascolto\n"
	"\n"
	"# The folder of the adapters ascolto-adapter-NAME. Default: beside the running program.\n"
	"# programs: /usr/bin\n"
	"\n"
	"# The folder of the models that say what a message means. Default: share/ascolto/models beside the program's\n"
	"# folder, which is /usr/share/ascolto/models when the programs are in /usr/bin.\n"
	"# models: /usr/share/ascolto/models\n"
	"\n"
	"# How much the services log: error, warning, info or debug.\n"
	"# log: info\n"
	"\n"
	"# true: accept a file system that does not keep its promises (network, memory). For trials only.\n"
	"# unsafe_fs: false\n"
	"\n"
	"# How long, and how much of, what other services have acknowledged is kept, so that one restored from a backup can\n"
	"# have it again: hours, and megabytes per service.\n"
	"# retain_hours: 24\n"
	"# retain_mb: 256\n"
	"\n"
	"# Networks that mails and webhooks may be sent to although they are private or this machine itself.\n"
	"fetch_allow:\n"
	"  - 127.0.0.0/8\n"
	"\n"
	"# The services' addresses. Ports are from 1 to 32767 and on loopback: what strangers may reach goes through a reverse\n"
	"# proxy that speaks TLS.\n"
	"#   link    other services connect here\n"
	"#   http    health, metrics and control\n"
	"#   listen  ingest: webhooks come in here; console: pages and API\n"
	"# services:\n"
	"#   ingest:\n"
	"#     link: tcp://127.0.0.1:7401\n"
	"#     http: 127.0.0.1:7411\n"
	"#     listen: 127.0.0.1:7421\n"
	"#   enrichment:\n"
	"#     link: tcp://127.0.0.1:7402\n"
	"#     http: 127.0.0.1:7412\n"
	"#   intent:\n"
	"#     link: tcp://127.0.0.1:7403\n"
	"#     http: 127.0.0.1:7413\n"
	"#   escalation:\n"
	"#     link: tcp://127.0.0.1:7404\n"
	"#     http: 127.0.0.1:7414\n"
	"#   notification:\n"
	"#     link: tcp://127.0.0.1:7405\n"
	"#     http: 127.0.0.1:7415\n"
	"#   console:\n"
	"#     link: tcp://127.0.0.1:7406\n"
	"#     http: 127.0.0.1:7416\n"
	"#     listen: 127.0.0.1:7420\n"
	"\n"
	"brands:\n"
	"  - name: brezza                    # a-z, 0-9 and -\n"
	"    title: Brezza                   # as people read it; default: the name\n"
	"    playbook: playbooks/brezza.yaml # what the brand decided beforehand\n"
	"    language: it                    # of pages and alerts: it or en; default: en\n"
	"    vips:                           # handles, or SCOPE:VALUE ids, that are VIP\n"
	"      - sindaca_torrelaghi\n"
	"      - email:presidenza@consumatori.example\n"
	"    handles:                        # the brand's own accounts and hashtags (# needs quotes)\n"
	"      - brezza_it\n"
	"      - \"#brezza\"\n"
	"\n"
	"# Where messages come from: one account on one network, read by one adapter.\n"
	"channels:\n"
	"  - name: brezza-x                  # a-z, 0-9 and -\n"
	"    brand: brezza\n"
	"    network: x                      # x, facebook, instagram, email, reviews, phone, ...\n"
	"    adapter: webhook                # jsonl, webhook, or the path of a program\n"
	"    secret_file: secrets/brezza-x   # handed to the adapter; a webhook is signed with it\n"
	"    # previous_secret_file: secrets/brezza-x.old   # still taken while the key is being changed\n"
	"    # catch_all: false              # true: posts that name another channel are taken too, as this brand's\n"
	"    # settings:                     # the adapter's own, as key=value; its README lists them\n"
	"    #   - key=value\n"
	"\n"
	"# Where alerts go: a mailbox or a signed webhook.\n"
	"destinations:\n"
	"  - name: crisis-mail\n"
	"    brand: brezza\n"
	"    kind: mail\n"
	"    url: smtp://127.0.0.1:25        # smtp or smtps\n"
	"    from: ascolto@brezza.example\n"
	"    to:\n"
	"      - crisi@brezza.example\n"
	"    # user: ascolto                 # when the server wants a name and a password\n"
	"    # secret_file: secrets/mail     # the password\n"
	"  - name: crisis-hook\n"
	"    brand: brezza\n"
	"    kind: webhook\n"
	"    url: https://chat.brezza.example/hooks/ascolto\n"
	"    secret_file: secrets/crisis-hook # signs each call\n";
/* clang-format on */

int conf_print(struct buf *out)
{
	return buf_adds(out, example);
}
