/* A request from its first line to its end: what MHD calls. */
#include "http_internal.h"

#include <strings.h>

#define HEADER_MAX ((size_t)16 * 1024)
#define KEEP_ALIVE_MS 15000
#define BYTES_PER_MS 1 /* a body or a reply may take 30 s and then must move at this rate at least */

/* MHD 0.9.75 takes a line that ends in LF alone and has no setting against it. It writes NUL over the line
 * end in its read buffer, over both bytes when there are two, which is how the difference is seen. Later
 * versions refuse such lines themselves and may keep lines elsewhere, so only this version is looked at. */
static bool ends_in_bare_lf(const char *end_of_line)
{
	static int known = -1;
	if (known < 0)
		known = str_eq(MHD_get_version(), "0.9.75");
	return known && end_of_line[1];
}

static enum MHD_Result check_header_line(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	(void)name;
	if (!value || !ends_in_bare_lf(value + strlen(value)))
		return MHD_YES;
	*(bool *)ctx = true;
	return MHD_NO;
}

#define OVERSIZE_READ                                                                                        \
	4 /* so many times the largest body is read of one that is too large, before the line is cut */

/* The reasons not to read on; NULL when there are none. */
static const char *header_fault(struct http_request *r, const char *version, unsigned *ret_status)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct http_found length = http_find_header(r, "Content-Length"),
			  transfer = http_find_header(r, "Transfer-Encoding");
	bool bare_lf = false;
	*ret_status = 400;
	if (!str_eq(version, "HTTP/1.1") && !str_eq(version, "HTTP/1.0"))
		return "only HTTP/1.1 and HTTP/1.0 are spoken here";
	if (ends_in_bare_lf(version + strlen(version)))
		return "a line must end in CR LF";
	MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, check_header_line, &bare_lf);
	if (bare_lf)
		return "a line must end in CR LF";
	if (length.n + transfer.n > 1 || http_find_header(r, "Host").n > 1)
		return "Content-Length, Transfer-Encoding and Host may come once, and the first two not "
		       "together";
	if (transfer.n && strcasecmp(transfer.value, "chunked") != 0)
		return "the only transfer encoding known here is chunked";
	if (r->uri_fault)
		return "the path or query is not well formed";
	if (size && size->header_size > HEADER_MAX) {
		*ret_status = 431;
		return "the request's header is larger than 16 KB";
	}
	/* Who asks first, or would send very much, is told at once. Others are sending already and would see
	 * their connection reset instead of an answer: their body is read and thrown away, and the answer
	 * comes at its end. */
	uint64_t announced = length.n ? strtoull(length.value, NULL, 10) : 0;
	bool asks = http_find_header(r, "Expect").n > 0;
	if (announced > r->http->body_max * (asks ? 1 : OVERSIZE_READ)) {
		*ret_status = 413;
		return "the request's body is too large";
	}
	return NULL;
}

/* The header is complete. A fault is answered at once and ends the connection, so that nothing after it can
 * be taken for another request. */
static void begin(struct http_request *r, const char *method, const char *version)
{
	unsigned status;
	r->begun = true;
	r->method = method;
	const char *fault = header_fault(r, version, &status);
	if (fault) {
		r->close_after = true;
		http_refuse(r, status, fault);
		return;
	}
	r->route = http_route_find(r->http, method, r->uri.path);
	if (r->route && r->route->path[strlen(r->route->path) - 1] == '*')
		r->rest = r->uri.path + strlen(r->route->path) - 1;
	r->body_since_ms = (int64_t)uv_now(r->http->loop);
	r->conn->deadline_ms = r->body_since_ms + HTTP_IDLE_S * 1000;
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t *len)
{
	r->received += *len;
	r->conn->deadline_ms = r->body_since_ms + HTTP_IDLE_S * 1000 + (int64_t)r->received / BYTES_PER_MS;
	if (r->received <= r->http->body_max)
		buf_add(&r->body, data, *len);
	else
		buf_free(&r->body); /* MHD lets us answer only at its end, which must come soon */
	*len = 0;
	return r->received / OVERSIZE_READ > r->http->body_max ? MHD_NO : MHD_YES;
}

static void dispatch(struct http_request *r)
{
	r->dispatched = true;
	r->conn->deadline_ms = 0;
	if (r->received > r->http->body_max) {
		r->close_after = true;
		http_refuse(r, 413, "the request's body is too large");
	} else if (r->body.broken) {
		http_refuse(r, 503, "out of memory");
	} else if (r->http->closing || r->http->close_wanted) {
		http_refuse(r, 503, "shutting down");
	} else if (!r->route) {
		http_refuse_route(r);
	} else {
		r->owed = true;
		r->route->fn(r, r->route->ctx);
	}
}

static enum MHD_Result queue(struct http_request *r)
{
	if (!r->response)
		return MHD_NO;
	if (!r->stream)
		r->conn->deadline_ms = (int64_t)uv_now(r->http->loop) + HTTP_IDLE_S * 1000 +
				       (int64_t)r->response_len / BYTES_PER_MS;
	enum MHD_Result ok = MHD_queue_response(r->mhd, r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return ok;
}

/* ---- MHD's calls ---- */

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* The request line is here. */
void *http_on_request_line(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
	struct http *h = ctx;
	struct http_conn *conn = conn_of(mhd);
	struct http_request *r = conn ? calloc(1, sizeof(*r) + http_uri_size(uri)) : NULL;
	if (!r)
		return NULL;
	r->http = h;
	r->mhd = mhd;
	r->conn = conn;
	r->uri.path = (char *)"";
	r->rest = r->method = "";
	r->uri_fault = http_uri_parse(&r->uri, uri, r->uri_memory) < 0;
	buf_init(&r->body, h->body_max);
	conn->request = r;
	conn->deadline_ms = (int64_t)uv_now(h->loop) + HTTP_HEADER_MS;
	return r;
}

enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *data_len, void **request)
{
	(void)ctx;
	(void)url;
	struct http_request *r = *request;
	if (!r)
		return MHD_NO;
	if (!r->begun) {
		begin(r, method, version);
		return r->status ? queue(r) : MHD_YES;
	}
	if (*data_len)
		return take_body(r, data, data_len);
	if (!r->dispatched)
		dispatch(r);
	if (r->status)
		return queue(r);
	r->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

void http_on_completed(
	void *ctx, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code)
{
	(void)ctx;
	(void)mhd;
	(void)code;
	struct http_request *r = *request;
	*request = NULL;
	if (!r)
		return;
	r->conn->request = NULL;
	r->conn->deadline_ms = (int64_t)uv_now(r->http->loop) + KEEP_ALIVE_MS;
	http_stream_ended(r);
	r->mhd = NULL;
	r->conn = NULL;
	r->method = ""; /* was in MHD's memory */
	if (!r->owed)
		http_request_free(r);
}

void http_on_connection(
	void *ctx, struct MHD_Connection *mhd, void **conn, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = ctx;
	struct http_conn *c = *conn;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED && c) {
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
		free(c);
		*conn = NULL;
	} else if (code == MHD_CONNECTION_NOTIFY_STARTED && (c = calloc(1, sizeof(*c)))) {
		c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->deadline_ms = (int64_t)uv_now(h->loop) + HTTP_HEADER_MS;
		c->next = h->conns;
		c->at = &h->conns;
		if (c->next)
			c->next->at = &c->next;
		h->conns = c;
		*conn = c;
	}
}
