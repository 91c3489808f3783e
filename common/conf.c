#include "conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

/* ---- YAML with places ------------------------------------------------------------------------------------------
 * libcyaml fills the structs, but it says where a mistake is only roughly and takes "5x" for a number. So the text is
 * first read as a tree of libyaml nodes, which know line and column; the tree is held against the same schema, and it
 * stays at hand to find the place of mistakes noticed later. */

struct yaml {
	const char *name;      /* of the file, as errors show it */
	yaml_document_t doc;
	bool open;
	bool *seen;            /* per node, while checking: met already, so this is an alias */
};

static void yaml_close(struct yaml *y)
{
	if (y->open)
		yaml_document_delete(&y->doc);
	free(y->seen);
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
	{"found character that cannot start", NULL, "a value begins with a tab or a sign YAML reserves; use spaces, or "
						    "put the value in quotes"},
	{"did not find expected ',' or ']'", NULL, "a list that begins with [ has no ] at its end"},
	{"did not find expected ',' or '}'", NULL, "a set of keys that begins with { has no } at its end"},
	{"found unexpected end of stream", "while scanning a quoted", "a text that begins with a quote has no quote at "
								      "its end"},
	{"mapping values are not allowed", NULL, "a colon stands where no key can be; mind the indentation, or put the "
						 "value in quotes"},
	{"did not find expected", "while parsing a block", "the line does not fit the ones above; mind the "
							   "indentation"},
	{"could not find expected ':'", NULL, "a colon is missing after the key"},
	{"found undefined alias", NULL, "aliases (*name) are not taken; write the value out"},
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

/* `text` must stay until yaml_close. */
static int yaml_open(struct yaml *y, const char *name, struct span text, struct err *e)
{
	*y = (struct yaml){.name = name};
	if (text.len > CONF_YAML_MAX)
		return err_set(e, -EINVAL, "%s: the file is larger than %zu bytes", name, CONF_YAML_MAX);
	yaml_parser_t p;
	if (!yaml_parser_initialize(&p))
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, text.data ? text.data : (const uint8_t *)"", text.len);
	yaml_document_t second;
	int r = 0;
	if (!yaml_parser_load(&p, &y->doc)) {
		r = yaml_parser_error(y, &p, text, e);
	} else {
		y->open = true;
		if (!yaml_document_get_root_node(&y->doc)) {
			r = yaml_error(y, (yaml_mark_t){0}, e, "the file is empty");
		} else if (!yaml_parser_load(&p, &second)) {
			r = yaml_parser_error(y, &p, text, e);
		} else {
			yaml_node_t *root = yaml_document_get_root_node(&second);
			if (root)
				r = yaml_error(y, root->start_mark, e,
					"a second document begins (after ---); one file holds one document");
			yaml_document_delete(&second);
		}
	}
	yaml_parser_delete(&p);
	if (r < 0)
		yaml_close(y);
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
static const char *suggest(char *out, size_t size, const char *word, const char *const *words, size_t n,
	const char *many)
{
	size_t best = n;
	unsigned distance = strlen(word) > 4 ? 3 : 2;
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

static int check_value(struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, yaml_mark_t at,
	struct err *e);

static int check_key(struct yaml *y, const cyaml_schema_field_t *fields, const yaml_node_t *key, const char *path,
	const cyaml_schema_field_t **ret_field, struct err *e)
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
	return yaml_error(y, key->start_mark, e, "%s%sthere is no key \"%.60s\" here%s", path, dot, yaml_scalar(key),
		suggest(words, sizeof(words), yaml_scalar(key), names, n, "the keys are"));
}

static int check_mapping(struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_MAPPING_NODE)
		return yaml_error(y, n->start_mark, e, "%s should be a set of keys (indented lines \"key: value\")%s",
			path[0] ? path : "the file",
			n->type == YAML_SCALAR_NODE && !n->data.scalar.length ? "; leave it out if it has none" : "");
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
		r = check_value(y, &field->value, yaml_node(y, p->value), below, key->start_mark, e);
		if (r < 0)
			return r;
	}
	for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++) {
		bool there = f->value.flags & CYAML_FLAG_OPTIONAL;
		for (yaml_node_pair_t *p = first; p < n->data.mapping.pairs.top && !there; p++)
			there = str_eq(yaml_scalar(yaml_node(y, p->key)), f->key);
		if (!there)
			return yaml_error(y, n->start_mark, e, "%s%skey \"%s\" is missing", path, path[0] ? ": " : "",
				f->key);
	}
	return 0;
}

static int check_sequence(struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return yaml_error(y, n->start_mark, e,
			"%s should be a list; write each entry on a line of its own that begins with \"- \"%s", path,
			n->type == YAML_SCALAR_NODE && !n->data.scalar.length ? ", or leave the key out" : "");
	size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	if (count > s->sequence.max)
		return yaml_error(y, n->start_mark, e, "%s has %zu entries; at most %u are taken", path, count,
			s->sequence.max);
	if (count < s->sequence.min)
		return yaml_error(y, n->start_mark, e, "%s has %zu entries; at least %u must be there", path, count,
			s->sequence.min);
	for (size_t i = 0; i < count; i++) {
		char below[PATH_MAX_SHOWN];
		snprintf(below, sizeof(below), "%s[%zu]", path, i);
		yaml_node_t *entry = yaml_node(y, n->data.sequence.items.start[i]);
		int r = check_value(y, s->sequence.entry, entry, below, n->start_mark, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_enum(struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path,
	struct err *e)
{
	const char *names[64];
	size_t count = MIN(s->enumeration.count, ARRAY_SIZE(names));
	for (size_t i = 0; i < count; i++) {
		names[i] = s->enumeration.strings[i].str;
		if (str_eq(names[i], yaml_scalar(n)))
			return 0;
	}
	char words[300];
	return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" is not one of its words%s", path, yaml_scalar(n),
		suggest(words, sizeof(words), yaml_scalar(n), names, count, "they are"));
}

static int check_number(struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path,
	struct err *e)
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
		return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" should be a whole number%s up to %" PRIu64, path,
			text, is_signed ? "" : " from 0", max);
	return 0;
}

static int check_scalar(struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path,
	struct err *e)
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
			return yaml_error(y, n->start_mark, e, "%s is %zu bytes long; at most %u are taken", path, len,
				s->string.max);
		if (len < s->string.min)
			return yaml_error(y, n->start_mark, e, "%s is %s", path,
				len ? "too short" : "empty; give it a value (in quotes if it begins with #)");
		return 0;
	case CYAML_BOOL:
		if (str_eq(yaml_scalar(n), "true") || str_eq(yaml_scalar(n), "false"))
			return 0;
		return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" should be true or false", path, yaml_scalar(n));
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

static int check_value(struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, yaml_mark_t at,
	struct err *e)
{
	bool *seen = &y->seen[n - y->doc.nodes.start];
	if (*seen)
		return yaml_error(y, at, e, "%s%saliases (*name) are not taken; write the value out", path,
			path[0] ? ": " : "");
	*seen = true;
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
	return (cyaml_config_t){.log_fn = words ? keep_complaint : NULL, .log_ctx = words, .mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING, .flags = CYAML_CFG_NO_ALIAS};
}

/* Opens `y` and fills *ret; the caller closes `y`. */
static int yaml_read(struct yaml *y, const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret,
	struct err *e)
{
	int r = yaml_open(y, name, text, e);
	if (r < 0)
		return r;
	y->seen = calloc((size_t)(y->doc.nodes.top - y->doc.nodes.start), sizeof(bool));
	if (!y->seen)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	yaml_node_t *root = yaml_document_get_root_node(&y->doc);
	r = check_value(y, schema, root, "", root->start_mark, e);
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

int conf_yaml_parse(const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret, struct err *e)
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
	if (read_file(path, CONF_YAML_MAX, &text, NULL) == 0 && yaml_open(&y, path, buf_span(&text), NULL) == 0)
		at = yaml_place(&y, key_path, NULL);
	va_list ap;
	va_start(ap, fmt);
	yaml_verror(&y, at, e, fmt, ap);
	va_end(ap);
	yaml_close(&y);
	buf_free(&text);
	return -EINVAL;
}
