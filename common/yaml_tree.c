#include "yaml_tree.h"
#include "conf_yaml.h"

void yaml_close(struct yaml *y)
{
	if (y->open)
		yaml_document_delete(&y->doc);
	*y = (struct yaml){.name = y->name};
}

int yaml_verror(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_MAX];
	vsnprintf(text, sizeof(text), fmt, ap);
	return err_set(e, -EINVAL, "%s:%zu:%zu: %s", y->name, at.line + 1, at.column + 1, text);
}

int yaml_error(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, ...)
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

int yaml_open(struct yaml *y, const char *name, struct span text, struct err *e)
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

yaml_node_t *yaml_node(struct yaml *y, int index)
{
	return yaml_document_get_node(&y->doc, index);
}

const char *yaml_scalar(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
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

yaml_mark_t yaml_place(struct yaml *y, const char *key_path, bool *ret_there)
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
