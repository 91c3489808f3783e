#include "jsonspan.h"

static const uint8_t *skip_space(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* From the opening quote to behind the closing one; NULL when there is none. */
static const uint8_t *skip_string(const uint8_t *p, const uint8_t *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

static const uint8_t *skip_container(const uint8_t *p, const uint8_t *end)
{
	size_t depth = 0;
	while (p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			if (!p)
				return NULL;
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p + 1;
			break;
		}
		p++;
	}
	return NULL;
}

static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end)
{
	if (p == end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_container(p, end);
	const uint8_t *start = p;
	while (p < end && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || *p == '-' || *p == '+' ||
				  *p == '.' || *p == 'E'))
		p++;
	return p == start ? NULL : p;
}

static struct span trim(struct span s)
{
	const uint8_t *p = skip_space(s.data, s.data + s.len), *end = s.data + s.len;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r'))
		end--;
	return span_of(p, (size_t)(end - p));
}

uint8_t jsonspan_type(struct span value)
{
	value = trim(value);
	return value.len ? value.data[0] : 0;
}

struct jsonspan jsonspan_open(struct span value)
{
	uint8_t opener = jsonspan_type(value);
	value = trim(value);
	struct jsonspan s = {.at = value.data, .end = value.data + value.len, .first = true};
	s.closer = opener == '{' ? '}' : ']';
	s.broken = opener != '{' && opener != '[';
	if (!s.broken)
		s.at++;
	return s;
}

static bool broken(struct jsonspan *s)
{
	s->broken = true;
	return false;
}

bool jsonspan_next(struct jsonspan *s, struct span *ret_key, struct span *ret_value)
{
	if (s->broken)
		return false;
	const uint8_t *p = skip_space(s->at, s->end);
	if (p < s->end && *p == s->closer && s->end - p >= 1) {
		s->at = p;
		return false;
	}
	if (!s->first) {
		if (p == s->end || *p != ',')
			return broken(s);
		p = skip_space(p + 1, s->end);
	}
	struct span key = {0};
	if (s->closer == '}') {
		if (p == s->end || *p != '"')
			return broken(s);
		const uint8_t *behind = skip_string(p, s->end);
		if (!behind)
			return broken(s);
		key = span_of(p + 1, (size_t)(behind - p) - 2);
		p = skip_space(behind, s->end);
		if (p == s->end || *p != ':')
			return broken(s);
		p = skip_space(p + 1, s->end);
	}
	const uint8_t *behind = skip_value(p, s->end);
	if (!behind)
		return broken(s);
	*ret_key = key;
	*ret_value = span_of(p, (size_t)(behind - p));
	s->at = behind;
	s->first = false;
	return true;
}

int jsonspan_end(const struct jsonspan *s)
{
	return s->broken || s->at + 1 != s->end ? -EBADMSG : 0;
}

static int hex4(const uint8_t *p, const uint8_t *end, uint32_t *ret)
{
	uint32_t v = 0;
	if (end - p < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i];
		uint32_t digit = c >= '0' && c <= '9'	? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;
		if (digit == 16)
			return -EBADMSG;
		v = v << 4 | digit;
	}
	*ret = v;
	return 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* \uXXXX, a pair of them for what lies beyond U+FFFF. `p` is behind the u; returns what was eaten, or 0. */
static size_t unescape_u(const uint8_t *p, const uint8_t *end, char *out, size_t *out_len)
{
	uint32_t c, low;
	if (hex4(p, end, &c) || c == 0 || (c >= 0xDC00 && c <= 0xDFFF))
		return 0;
	if (c < 0xD800 || c > 0xDBFF) {
		*out_len += put_utf8(out + *out_len, c);
		return 4;
	}
	if (end - p < 10 || p[4] != '\\' || p[5] != 'u' || hex4(p + 6, end, &low) || low < 0xDC00 ||
		low > 0xDFFF)
		return 0;
	*out_len += put_utf8(out + *out_len, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
	return 10;
}

int jsonspan_string(struct span value, struct arena *a, const char **ret_string)
{
	value = trim(value);
	if (value.len < 2 || value.data[0] != '"' || value.data[value.len - 1] != '"')
		return -EBADMSG;
	char *out = arena_alloc(a, value.len);
	if (!out)
		return -ENOMEM;
	static const char short_form[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	size_t n = 0;
	const uint8_t *end = value.data + value.len - 1;
	for (const uint8_t *p = value.data + 1; p < end; p++) {
		if (*p < 0x20)
			return -EBADMSG;
		if (*p != '\\') {
			out[n++] = (char)*p;
			continue;
		}
		if (++p == end)
			return -EBADMSG;
		if (*p == 'u') {
			size_t eaten = unescape_u(p + 1, end, out, &n);
			if (!eaten)
				return -EBADMSG;
			p += eaten;
			continue;
		}
		const char *s = short_form;
		while (*s && *s != (char)*p)
			s += 2;
		if (!*s)
			return -EBADMSG;
		out[n++] = s[1];
	}
	out[n] = 0;
	*ret_string = out;
	return 0;
}

int jsonspan_u64(struct span value, uint64_t *ret_number)
{
	value = trim(value);
	uint64_t v = 0;
	if (value.len < 1 || value.len > 19)
		return -EBADMSG;
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return -EBADMSG;
		v = v * 10 + (uint64_t)(value.data[i] - '0');
	}
	*ret_number = v;
	return 0;
}
