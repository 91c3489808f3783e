#include "json.h"
#include "id.h"

#include <math.h>
#include <sodium.h>

/* ------------------------------------------------------------------------------------------------ UTF-8 */

/* Length of the UTF-8 sequence at p (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF); 0 =
 * invalid. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	uint8_t c = p[0];
	size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
	if (n < 2 || n > left)
		return n > left ? 0 : n;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
		(c == 0xF4 && p[1] > 0x8F))
		return 0;
	return n;
}

/* ------------------------------------------------------------------------------------------------ reading */

struct scan {
	struct span text;
	size_t at, line, line_start;
	size_t depth, members;
	bool opened; /* the last token opened a list or an object: the next one, if no closer, is its first
			member */
};

static size_t column(const struct scan *s)
{
	return s->at - s->line_start + 1;
}

static int too_much(const struct scan *s, struct err *e, const char *what, size_t max)
{
	return err_set(
		e, -EMSGSIZE, "line %zu, column %zu: %s; the limit is %zu", s->line, column(s), what, max);
}

/* Steps over a string; its contents are jansson's business except for UTF-8. */
static int scan_string(struct scan *s, struct err *e)
{
	const uint8_t *p = s->text.data;
	for (s->at++; s->at < s->text.len && p[s->at] != '"';) {
		if (p[s->at] == '\\' && s->at + 1 < s->text.len && p[s->at + 1] < 0x80) {
			s->at += 2;
			continue;
		}
		size_t n = utf8_len(p + s->at, s->text.len - s->at);
		if (!n)
			return err_set(e, -EBADMSG, "line %zu, column %zu: not UTF-8 at byte offset %zu",
				s->line, column(s), s->at);
		s->at += n;
	}
	s->at++;
	return 0;
}

static int scan_number(struct scan *s, struct err *e)
{
	size_t start = s->at;
	while (s->at < s->text.len && s->text.data[s->at] && strchr("0123456789+-.eE", s->text.data[s->at]))
		s->at++;
	if (s->at - start <= JSON_NUMBER_MAX)
		return 0;
	s->at = start;
	return too_much(s, e, "the number has too many characters", JSON_NUMBER_MAX);
}

/* One token. The grammar is left to jansson: this only counts, and is wrong at most about text that is not
 * JSON. */
static int scan_token(struct scan *s, struct err *e)
{
	uint8_t c = s->text.data[s->at];
	bool closes = c == ']' || c == '}';
	if (c < 0x20) /* jansson 2.14 passes over a NUL behind a number */
		return err_set(e, -EBADMSG, "line %zu, column %zu: a control character outside of a string",
			s->line, column(s));
	if (((s->opened && !closes) || c == ',') && ++s->members > JSON_MEMBERS_MAX)
		return too_much(s, e, "too many members and elements", JSON_MEMBERS_MAX);
	s->opened = c == '[' || c == '{';
	if (s->opened && ++s->depth > JSON_DEPTH_MAX)
		return too_much(s, e, "nested too deeply", JSON_DEPTH_MAX);
	if (closes && s->depth)
		s->depth--;
	if (c == '"')
		return scan_string(s, e);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s, e);
	size_t n = utf8_len(s->text.data + s->at, s->text.len - s->at);
	if (!n)
		return err_set(e, -EBADMSG, "line %zu, column %zu: not UTF-8 at byte offset %zu", s->line,
			column(s), s->at);
	s->at += n;
	return 0;
}

static int check_limits(struct span text, struct err *e)
{
	struct scan s = {.text = text, .line = 1};
	if (text.len > JSON_BYTES_MAX)
		return err_set(e, -EMSGSIZE, "line 1, column 1: the text has %zu bytes; the limit is %d",
			text.len, JSON_BYTES_MAX);
	while (s.at < text.len) {
		uint8_t c = text.data[s.at];
		if (c == '\n') {
			s.line++;
			s.line_start = ++s.at;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			s.at++;
		} else {
			int r = scan_token(&s, e);
			if (r)
				return r;
		}
	}
	return 0;
}

int json_parse(struct span text, json_t **ret_json, struct err *e)
{
	int r = check_limits(text, e);
	if (r)
		return r;
	json_error_t je;
	json_t *json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &je);
	if (!json) {
		/* What follows "near" is the stranger's text, which has no place in a log or a reply. */
		char *near = strstr(je.text, " near ");
		if (near)
			*near = 0;
		return err_set(e, -EBADMSG, "line %d, column %d: not JSON: %s", MAX(je.line, 1),
			MAX(je.column, 1), je.text);
	}
	*ret_json = json;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ writing */

static void add_escape(struct buf *out, uint8_t c)
{
	static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (const char *p = short_form; *p; p += 2)
		if ((uint8_t)p[0] == c) {
			char pair[2] = {'\\', p[1]};
			buf_add(out, pair, 2);
			return;
		}
	buf_addf(out, "\\u%04x", c);
}

int json_add_string(struct buf *out, struct span s)
{
	if (!s.data)
		s = span_str("");
	size_t run = 0; /* where the bytes that need no change begin */
	buf_adds(out, "\"");
	for (size_t i = 0; i < s.len;) {
		uint8_t c = s.data[i];
		size_t n = utf8_len(s.data + i, s.len - i);
		bool slash = c == '/' && i > 0 && s.data[i - 1] == '<';
		if (n && c >= 0x20 && c != '"' && c != '\\' && !slash) {
			i += n;
			continue;
		}
		buf_add(out, s.data + run, i - run);
		if (!n)
			buf_adds(out, "\xEF\xBF\xBD");
		else if (slash)
			buf_adds(out, "\\/");
		else
			add_escape(out, c);
		run = ++i;
	}
	buf_add(out, s.data + run, s.len - run);
	buf_adds(out, "\"");
	return out->broken ? -EMSGSIZE : 0;
}

/* How many characters all names of the enum share, up to and with an underscore. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *d)
{
	const char *first = d->n_values ? d->values[0].name : "";
	size_t shared = strlen(first);
	for (unsigned i = 1; i < d->n_values; i++) {
		size_t n = 0;
		while (n < shared && d->values[i].name[n] == first[n])
			n++;
		shared = n;
	}
	/* A name that is a prefix of another one keeps its own last word. */
	for (unsigned i = 0; i < d->n_values; i++)
		if (strlen(d->values[i].name) <= shared)
			shared = strlen(d->values[i].name) - 1;
	while (shared && first[shared - 1] != '_')
		shared--;
	return shared;
}

static void add_enum(struct buf *out, const ProtobufCEnumDescriptor *d, int v)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(d, v);
	if (!value) { /* from a newer version */
		buf_addf(out, "%d", v);
		return;
	}
	buf_adds(out, "\"");
	for (const char *p = value->name + enum_prefix(d); *p; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		buf_add(out, &c, 1);
	}
	buf_adds(out, "\"");
}

static void add_bytes(struct buf *out, const ProtobufCBinaryData *d)
{
	struct id id;
	char text[ID_TEXT + 1];
	if (id_from_bytes(d->data, d->len, &id) == 0) {
		buf_addf(out, "\"%s\"", id_format(&id, text));
		return;
	}
	buf_adds(out, "\"");
	size_t size = sodium_base64_ENCODED_LEN(d->len, sodium_base64_VARIANT_ORIGINAL); /* with the NUL */
	uint8_t *room = buf_room(out, size);
	if (room) {
		sodium_bin2base64((char *)room, size, d->data, d->len, sodium_base64_VARIANT_ORIGINAL);
		out->len += size - 1;
	}
	buf_adds(out, "\"");
}

/* The shortest text that reads back as the same float or double. JSON has no infinity and no NaN. */
static void add_real(struct buf *out, double v, bool is_float)
{
	char text[40];
	if (!isfinite(v)) {
		buf_adds(out, "null");
		return;
	}
	for (int digits = is_float ? 6 : 15; digits <= (is_float ? 9 : 17); digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		double back = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
		if (back == v)
			break;
	}
	buf_adds(out, text);
}

/* Beyond 2^53 a reader that keeps numbers as doubles, every browser for one, would change the value, and
 * jansson refuses what is beyond 2^63: such values, hashes mostly, go out as strings. */
static void add_integer(struct buf *out, uint64_t magnitude, bool negative)
{
	const char *quote = magnitude > (uint64_t)1 << 53 ? "\"" : "";
	buf_addf(out, "%s%s%" PRIu64 "%s", quote, negative ? "-" : "", magnitude, quote);
}

static void add_signed(struct buf *out, int64_t v)
{
	add_integer(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
}

static void add_value(struct buf *out, const ProtobufCFieldDescriptor *f, const void *v)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		buf_addf(out, "%" PRId32, *(const int32_t *)v);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		buf_addf(out, "%" PRIu32, *(const uint32_t *)v);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		add_signed(out, *(const int64_t *)v);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		add_integer(out, *(const uint64_t *)v, false);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		add_real(out, (double)*(const float *)v, true);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		add_real(out, *(const double *)v, false);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_adds(out, *(const protobuf_c_boolean *)v ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_ENUM:
		add_enum(out, f->descriptor, *(const int *)v);
		break;
	case PROTOBUF_C_TYPE_STRING:
		json_add_string(out, span_str(*(char *const *)v));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		add_bytes(out, v);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		json_add_message(out, *(ProtobufCMessage *const *)v);
		break;
	}
}

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 4;
	}
}

/* Numbers, booleans and enums of proto3 are always there; strings, bytes and messages when they hold
 * something. A oneof's member is there when it is the chosen one, whatever it holds. */
static bool is_present(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *base = (const uint8_t *)m;
	const void *v = base + f->offset, *quantifier = base + f->quantifier_offset;
	bool pointer = f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE;
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)quantifier == f->id && (!pointer || *(void *const *)v);
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)quantifier > 0;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return !str_empty(*(char *const *)v);
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(void *const *)v != NULL;
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL && !*(const protobuf_c_boolean *)quantifier)
		return false;
	return f->type != PROTOBUF_C_TYPE_BYTES || ((const ProtobufCBinaryData *)v)->len > 0;
}

static void add_list(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *base = (const uint8_t *)m, *items = *(uint8_t *const *)(base + f->offset);
	size_t n = *(const size_t *)(base + f->quantifier_offset);
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? "," : "[");
		add_value(out, f, items + i * value_size(f->type));
	}
	buf_adds(out, "]");
}

int json_add_message(struct buf *out, const ProtobufCMessage *m)
{
	const char *separator = "";
	buf_adds(out, "{");
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		if (!is_present(m, f))
			continue;
		buf_addf(out, "%s\"%s\":", separator, f->name);
		separator = ",";
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			add_list(out, m, f);
		else
			add_value(out, f, (const uint8_t *)m + f->offset);
	}
	buf_adds(out, "}");
	return out->broken ? -EMSGSIZE : 0;
}
