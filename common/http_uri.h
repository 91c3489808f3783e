/*
 * http_uri.h - the address of a request line, split and decoded.
 *
 * "/a%20b/c?x=1&y" has the path "/a b/c" and the query x = "1", y = "". In a query a plus is a blank. Not taken: bytes
 * outside of printable ASCII, broken escapes, NUL, in paths ".." and a slash or backslash that was escaped, more than
 * HTTP_QUERY_MAX names.
 */
#ifndef ASCOLTO_HTTP_URI_H
#define ASCOLTO_HTTP_URI_H

#include "base.h"

#define HTTP_QUERY_MAX 64

struct http_pair {
	char *name, *value;
};

struct http_uri { /* all of it points into the text that was parsed */
	char *path;
	const char *query_string; /* as it came; NULL = there was no question mark */
	struct http_pair query[HTTP_QUERY_MAX];
	size_t n_query;
};

/* The bytes of memory http_uri_parse works in, for such an address. */
size_t http_uri_size(const char *text);

/* `memory` is the caller's and lives as long as *ret. -EINVAL: *ret holds what was understood, and a path. */
int http_uri_parse(struct http_uri *ret, const char *text, char *memory);

/* NULL when there is none of that name; the first when there are more. */
const char *http_uri_query(const struct http_uri *u, const char *name);

#endif
