#include "http_uri.h"

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* In place. -EINVAL: a broken escape, NUL, or in a path a slash that was hidden. */
static int unescape(char *s, bool is_path)
{
	char *out = s;
	for (; *s; s++) {
		if (*s == '+' && !is_path) {
			*out++ = ' ';
		} else if (*s != '%') {
			*out++ = *s;
		} else {
			int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]), c = high * 16 + low;
			if (low < 0 || c == 0 || (is_path && (c == '/' || c == '\\')))
				return -EINVAL;
			*out++ = (char)c;
			s += 2;
		}
	}
	*out = 0;
	return 0;
}

static bool has_dot_dot(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || !p[3])
			return true;
	return false;
}

/* `text` is taken apart. */
static int parse_query(struct http_uri *u, char *text)
{
	char *save = NULL;
	for (char *p = strtok_r(text, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
		if (u->n_query == HTTP_QUERY_MAX)
			return -EINVAL;
		char *value = strchr(p, '=');
		if (value)
			*value++ = 0;
		if (unescape(p, false) || (value && unescape(value, false)))
			return -EINVAL;
		u->query[u->n_query++] = (struct http_pair){p, value ? value : p + strlen(p)};
	}
	return 0;
}

size_t http_uri_size(const char *text)
{
	return 2 * (strlen(text) + 1);
}

int http_uri_parse(struct http_uri *ret, const char *text, char *memory)
{
	size_t size = strlen(text) + 1;
	char *raw = memory + size, *query;
	memcpy(memory, text, size);
	memcpy(raw, text, size);
	*ret = (struct http_uri){.path = memory};
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return -EINVAL;
	query = strchr(memory, '?');
	if (query) {
		*query++ = 0;
		ret->query_string = raw + (query - memory);
	}
	if (ret->path[0] != '/' || unescape(ret->path, true) || has_dot_dot(ret->path))
		return -EINVAL;
	return query ? parse_query(ret, query) : 0;
}

const char *http_uri_query(const struct http_uri *u, const char *name)
{
	for (size_t i = 0; i < u->n_query; i++)
		if (str_eq(u->query[i].name, name))
			return u->query[i].value;
	return NULL;
}
