/*
 * http_internal.h - what http.c (open, close, the loop), http_request.c (what a handler asks of a request),
 * http_reply.c, http_stream.c, http_route.c and http_dispatch.c (what MHD calls, from the request line to the end)
 * share. Not for others.
 */
#ifndef ASCOLTO_HTTP_INTERNAL_H
#define ASCOLTO_HTTP_INTERNAL_H

#include "buf.h"
#include "http.h"
#include "http_uri.h"

#include <microhttpd.h>

#define HTTP_REPLY_HEADERS_MAX 32
#define HTTP_HEADER_MS 10000
#define HTTP_IDLE_S 30u

/* One TCP connection. MHD's own timeout only sees silence; the deadline sees a client that drips. */
struct http_conn {
	struct http_conn *next, **at;
	int fd;
	int64_t deadline_ms; /* 0 = none: the handler is at work, or it is a stream */
	struct http_request *request;
};

struct http {
	uv_loop_t *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer, sweep;
	unsigned handles; /* not closed yet; the last one frees */
	const struct http_route *routes;
	size_t body_max;
	int port;
	struct http_conn *conns;
	bool running;	   /* inside MHD_run */
	bool again;	   /* something was resumed during MHD_run */
	bool close_wanted; /* http_close was called during MHD_run */
	bool closing;
};

/* MHD owns it from the request line until the request is completed; the handler owns it while a reply is
 * owed. It is freed when both are through. */
struct http_request {
	struct http *http;
	struct MHD_Connection *mhd; /* NULL: MHD is through with it */
	struct http_conn *conn;
	const char *method;
	const char *rest;
	struct http_uri uri;
	bool uri_fault;
	struct buf body;
	size_t received;
	int64_t body_since_ms;
	const struct http_route *route;
	bool begun, dispatched, owed, suspended, close_after;
	struct http_pair headers[HTTP_REPLY_HEADERS_MAX];
	size_t n_headers;
	unsigned status;
	struct MHD_Response *response; /* ready, not yet given to MHD */
	size_t response_len;
	struct http_stream *stream;
	char uri_memory[];
};

struct http_stream {
	struct http_request *request;
	struct buf queue;
	bool closing, suspended;
	void (*closed)(struct http_stream *s, void *ctx);
	void *ctx;
};

/* http.c: MHD has something to do, though no socket says so. */
void http_kick(struct http *h);

/* http_request.c */
struct http_found {
	const char *name, *value; /* the last of them */
	size_t n;
};
struct http_found http_find_header(const struct http_request *r, const char *name);
bool http_peer_left(int fd);
void http_request_free(struct http_request *r);

/* http_reply.c */
void http_add_headers(struct http_request *r, const char *content_type);
void http_hand_over(struct http_request *r);
void http_set_reply(struct http_request *r, unsigned status, const char *content_type, struct span body);
void http_refuse(struct http_request *r, unsigned status, const char *sentence);

/* http_stream.c */
void http_stream_resume(struct http_stream *s);
void http_stream_ended(struct http_request *r); /* MHD is through with it */

/* http_route.c */
const struct http_route *http_route_find(const struct http *h, const char *method, const char *path);
void http_refuse_route(struct http_request *r); /* what to say when no route has this path with this method */

/* http_dispatch.c: MHD's calls. */
void *http_on_request_line(void *ctx, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *data_len, void **request);
void http_on_completed(
	void *ctx, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code);
void http_on_connection(
	void *ctx, struct MHD_Connection *mhd, void **conn, enum MHD_ConnectionNotificationCode code);

#endif
