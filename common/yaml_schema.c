/* A tree of YAML held against a libcyaml schema, stricter than libcyaml, and with the place of what is wrong.
 */
#include "suggest.h"
#include "yaml_tree.h"

#include <ctype.h>

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

/* -EINVAL when a key before `pair` is the same. */
static int check_twice(
	struct yaml *y, const yaml_node_t *n, const yaml_node_pair_t *pair, const char *path, struct err *e)
{
	const yaml_node_t *key = yaml_node(y, pair->key);
	for (yaml_node_pair_t *before = n->data.mapping.pairs.start; before < pair; before++)
		if (str_eq(yaml_scalar(yaml_node(y, before->key)), yaml_scalar(key)))
			return yaml_error(y, key->start_mark, e,
				"%s%skey \"%s\" is given twice; the first is in line %zu", path,
				path[0] ? ": " : "", yaml_scalar(key),
				yaml_node(y, before->key)->start_mark.line + 1);
	return 0;
}

static int check_missing(
	struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path, struct err *e)
{
	for (const cyaml_schema_field_t *f = s->mapping.fields; f->key; f++) {
		bool there = f->value.flags & CYAML_FLAG_OPTIONAL;
		for (yaml_node_pair_t *p = n->data.mapping.pairs.start;
			p < n->data.mapping.pairs.top && !there; p++)
			there = str_eq(yaml_scalar(yaml_node(y, p->key)), f->key);
		if (!there)
			return yaml_error(y, n->start_mark, e, "%s%skey \"%s\" is missing", path,
				path[0] ? ": " : "", f->key);
	}
	return 0;
}

static int check_mapping(
	struct yaml *y, const cyaml_schema_value_t *s, yaml_node_t *n, const char *path, struct err *e)
{
	if (n->type != YAML_MAPPING_NODE)
		return yaml_error(y, n->start_mark, e,
			"%s should be a set of keys (indented lines \"key: value\")%s",
			path[0] ? path : "the file", may_go(s, n) ? ", or left out" : "");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
		const cyaml_schema_field_t *field = NULL;
		int r = check_key(y, s->mapping.fields, yaml_node(y, p->key), path, &field, e);
		if (r < 0 || (r = check_twice(y, n, p, path, e)) < 0)
			return r;
		char below[YAML_PATH_MAX];
		snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", field->key);
		r = check_value(y, &field->value, yaml_node(y, p->value), below, e);
		if (r < 0)
			return r;
	}
	return check_missing(y, s, n, path, e);
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
		char below[YAML_PATH_MAX];
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

static int check_float(struct yaml *y, const yaml_node_t *n, const char *path, struct err *e)
{
	const char *text = yaml_scalar(n);
	char *end = NULL;
	strtod(text, &end);
	if (text[0] && !*end && !isspace((unsigned char)text[0]))
		return 0;
	return yaml_error(y, n->start_mark, e, "%s: \"%.60s\" should be a number", path, text);
}

static int check_integer(
	struct yaml *y, const cyaml_schema_value_t *s, const yaml_node_t *n, const char *path, struct err *e)
{
	const char *text = yaml_scalar(n);
	char *end = NULL;
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
		return check_integer(y, s, n, path, e);
	case CYAML_FLOAT:
		return check_float(y, n, path, e);
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

int yaml_check(struct yaml *y, const cyaml_schema_value_t *schema, struct err *e)
{
	return check_value(y, schema, yaml_document_get_root_node(&y->doc), "", e);
}
