/*
 * http.h - HTTP in: libmicrohttpd driven by the libuv loop.
 *
 * One listener, a table of routes, requests with their whole body in memory (bounded). A handler answers at once or
 * later: until http_reply is called the connection is suspended, which is how a webhook gets its 200 only after the
 * commit. If the client goes away first the request is marked gone, the reply is thrown away, and nothing else
 * changes. Everything runs on the loop's thread.
 *
 * Limits (defaults in http_options): header 16 KB (431), body `body_max` (413; without reading on when the client asked
 * first or would send more than four times that), 10 s
 * for a request's header, 30 s idle, 1 KB/s for what takes longer than 30 s, 15 s between requests, connections per
 * address (more are closed) and in all (more wait unaccepted).
 * Malformed requests get 400 and the connection ends: a path with "..", NUL or an encoded slash, Content-Length and
 * Transfer-Encoding both or twice, lines without CR; no route 404; another method on a known path 405 with Allow.
 *
 * Every response carries X-Content-Type-Options: nosniff, Referrer-Policy: no-referrer, and Cache-Control: no-store
 * unless set otherwise.
 */
#ifndef ASCOLTO_HTTP_H
#define ASCOLTO_HTTP_H

#include "base.h"
#include "err.h"

#include <uv.h>

struct http;
struct http_request;
struct http_stream;

typedef void http_handler_fn(struct http_request *r, void *ctx);

struct http_route {
	const char *method; /* "GET", "POST", ...; GET also serves HEAD */
	const char *path;   /* exact, or a prefix when it ends in an asterisk; exact wins, then the order */
	http_handler_fn *fn;
	void *ctx;
	const char *doc;    /* one line; shown by GET / when no route has it */
};

struct http_options {
	const char *address;       /* "127.0.0.1:7411"; the port may be 0 in tests */
	const struct http_route *routes; /* borrowed for the life of the server; ends with a zero row */
	size_t body_max;           /* 0 = 1 MiB */
	unsigned connections_max;  /* 0 = 256 */
	unsigned per_address_max;  /* 0 = 64 */
};

/* -EADDRINUSE and -EINVAL come with the address in the text. */
int http_open(struct http **ret, uv_loop_t *loop, const struct http_options *o, struct err *e);

/* Stops accepting, answers what is pending with 503, closes. Loop handles go away with the next loop iteration. A
 * request whose reply is owed stays valid, as one whose client is gone, until http_reply is called for it. May be
 * called from a handler: then it happens after the handler. */
void http_close(struct http **h);

int http_port(const struct http *h);

/* Borrowed until the reply is given. Missing: NULL. Header names in any case; if a header came twice, NULL and
 * http_header_count tells. */
const char *http_method(const struct http_request *r);
const char *http_path(const struct http_request *r);
const char *http_path_rest(const struct http_request *r); /* what the asterisk stood for */
const char *http_query(const struct http_request *r, const char *name);
const char *http_query_string(const struct http_request *r); /* as it came, without the question mark */
const char *http_header(const struct http_request *r, const char *name);
size_t http_header_count(const struct http_request *r, const char *name);
struct span http_body(const struct http_request *r);
/* Calls fn for each header. */
void http_headers_each(const struct http_request *r, void (*fn)(void *ctx, const char *name, const char *value),
	void *ctx);
bool http_gone(const struct http_request *r); /* the client left; a reply is still owed, and is thrown away */

/* Adds a header to the coming reply (copied). */
int http_reply_header(struct http_request *r, const char *name, const char *value);

/* Exactly once per request; body is copied; the request is gone afterwards. */
void http_reply(struct http_request *r, unsigned status, const char *content_type, struct span body);
void http_reply_text(struct http_request *r, unsigned status, const char *fmt, ...) PRINTF(3, 4);

/* {"error": "..."} with the sentence as it is. */
void http_reply_error(struct http_request *r, unsigned status, const char *fmt, ...) PRINTF(3, 4);

/* Server-sent events and the like: a reply of unknown length. Data is queued (copied) up to 1 MiB; a client too slow
 * for that is closed. `closed` is called once, on the loop, when the client left or http_stream_close was called;
 * the stream is not to be used after that. The status is 200. NULL when the client is gone for good or memory is out:
 * then `closed` is not called, and the request is answered and gone all the same. */
struct http_stream *http_reply_stream(struct http_request *r, const char *content_type,
	void (*closed)(struct http_stream *s, void *ctx), void *ctx);
int http_stream_send(struct http_stream *s, struct span data); /* -EPIPE when it is closing */
void http_stream_close(struct http_stream *s);

#endif
