/* What a handler may ask of a request. */
#include "http_internal.h"

#include <poll.h>
#include <strings.h>

static enum MHD_Result find_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct http_found *f = ctx;
	if (strcasecmp(name, f->name) == 0) {
		f->value = value ? value : "";
		f->n++;
	}
	return MHD_YES;
}

struct http_found http_find_header(const struct http_request *r, const char *name)
{
	struct http_found f = {.name = name};
	if (r->mhd)
		MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, find_header, &f);
	return f;
}

const char *http_method(const struct http_request *r)
{
	return r->method;
}

const char *http_path(const struct http_request *r)
{
	return r->uri.path;
}

const char *http_path_rest(const struct http_request *r)
{
	return r->rest;
}

const char *http_query(const struct http_request *r, const char *name)
{
	return http_uri_query(&r->uri, name);
}

const char *http_query_string(const struct http_request *r)
{
	return r->uri.query_string;
}

const char *http_header(const struct http_request *r, const char *name)
{
	struct http_found f = http_find_header(r, name);
	return f.n == 1 ? f.value : NULL;
}

size_t http_header_count(const struct http_request *r, const char *name)
{
	return http_find_header(r, name).n;
}

struct span http_body(const struct http_request *r)
{
	return buf_span(&r->body);
}

struct each {
	void (*fn)(void *ctx, const char *name, const char *value);
	void *ctx;
};

static enum MHD_Result each_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	const struct each *each = ctx;
	each->fn(each->ctx, name, value ? value : "");
	return MHD_YES;
}

void http_headers_each(
	const struct http_request *r, void (*fn)(void *ctx, const char *name, const char *value), void *ctx)
{
	struct each each = {fn, ctx};
	if (r->mhd)
		MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, each_header, &each);
}

/* MHD does not watch the socket of a suspended connection, so we look ourselves. */
bool http_peer_left(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

bool http_gone(const struct http_request *r)
{
	return !r->mhd || http_peer_left(r->conn->fd);
}

void http_request_free(struct http_request *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		free(r->headers[i].name);
		free(r->headers[i].value);
	}
	if (r->response)
		MHD_destroy_response(r->response);
	buf_free(&r->body);
	free(r);
}
