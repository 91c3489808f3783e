#include "http.h"
#include "buf.h"
#include "json.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_MAX ((size_t)16 * 1024)
#define CONNECTION_MEMORY                                                                                    \
	((size_t)48 * 1024) /* MHD's pool: the header, its index, and what is being written */
#define STREAM_MAX ((size_t)1024 * 1024)
#define QUERY_MAX 64
#define REPLY_HEADERS_MAX 32
#define HEADER_MS 10000
#define KEEP_ALIVE_MS 15000
#define IDLE_S 30u
#define BYTES_PER_MS 1 /* a body or a reply may take 30 s and then must move at this rate at least */
#define SWEEP_MS 1000

/* One TCP connection. MHD's own timeout only sees silence; the deadline sees a client that drips. */
struct conn {
	struct conn *next, **at;
	int fd;
	int64_t deadline_ms; /* 0 = none: the handler is at work, or it is a stream */
	struct http_request *request;
};

struct pair {
	char *name, *value;
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
	struct conn *conns;
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
	struct conn *conn;
	const char *method;
	char *path, *rest, *query_text;
	struct pair query[QUERY_MAX];
	size_t n_query;
	struct buf body;
	size_t received;
	int64_t body_since_ms;
	const struct http_route *route;
	bool begun, dispatched, owed, suspended, close_after;
	struct pair headers[REPLY_HEADERS_MAX];
	size_t n_headers;
	unsigned status;
	struct MHD_Response *response; /* ready, not yet given to MHD */
	size_t response_len;
	struct http_stream *stream;
	char uri[];
};

struct http_stream {
	struct http_request *request;
	struct buf queue;
	bool closing, suspended;
	void (*closed)(struct http_stream *s, void *ctx);
	void *ctx;
};

static void kick(struct http *h);

/* ------------------------------------------------------------------------------------------------ request */

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

static int parse_query(struct http_request *r)
{
	char *save = NULL;
	for (char *p = strtok_r(r->query_text, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
		if (r->n_query == QUERY_MAX)
			return -EINVAL;
		char *value = strchr(p, '=');
		if (value)
			*value++ = 0;
		if (unescape(p, false) || (value && unescape(value, false)))
			return -EINVAL;
		r->query[r->n_query++] = (struct pair){p, value ? value : p + strlen(p)};
	}
	return 0;
}

/* The request line's address as the client wrote it, split and decoded in place. */
static int parse_uri(struct http_request *r)
{
	for (const char *p = r->uri; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return -EINVAL;
	r->path = r->uri;
	r->query_text = strchr(r->uri, '?');
	if (r->query_text)
		*r->query_text++ = 0;
	if (r->path[0] != '/' || unescape(r->path, true) || has_dot_dot(r->path))
		return -EINVAL;
	return r->query_text ? parse_query(r) : 0;
}

struct find {
	const char *name, *value;
	size_t n;
};

static enum MHD_Result find_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	struct find *f = ctx;
	if (strcasecmp(name, f->name) == 0) {
		f->value = value ? value : "";
		f->n++;
	}
	return MHD_YES;
}

static struct find find(const struct http_request *r, const char *name)
{
	struct find f = {.name = name};
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
	return r->path;
}

const char *http_path_rest(const struct http_request *r)
{
	return r->rest;
}

const char *http_query(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_query; i++)
		if (str_eq(r->query[i].name, name))
			return r->query[i].value;
	return NULL;
}

const char *http_header(const struct http_request *r, const char *name)
{
	struct find f = find(r, name);
	return f.n == 1 ? f.value : NULL;
}

size_t http_header_count(const struct http_request *r, const char *name)
{
	return find(r, name).n;
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
static bool peer_left(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

bool http_gone(const struct http_request *r)
{
	return !r->mhd || peer_left(r->conn->fd);
}

static void request_free(struct http_request *r)
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

/* ------------------------------------------------------------------------------------------------ reply */

static bool has_reply_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

int http_reply_header(struct http_request *r, const char *name, const char *value)
{
	if (r->n_headers == REPLY_HEADERS_MAX)
		return -E2BIG;
	if (strpbrk(name, "\r\n\t :") || strpbrk(value, "\r\n"))
		return -EINVAL;
	struct pair p = {strdup(name), strdup(value)};
	if (!p.name || !p.value) {
		free(p.name);
		free(p.value);
		return -ENOMEM;
	}
	r->headers[r->n_headers++] = p;
	return 0;
}

static void add_headers(struct http_request *r, const char *content_type)
{
	static const struct {
		const char *name, *value;
	} defaults[] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cache-Control", "no-store"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!has_reply_header(r, defaults[i].name))
			MHD_add_response_header(r->response, defaults[i].name, defaults[i].value);
	if (content_type && !has_reply_header(r, "Content-Type"))
		MHD_add_response_header(r->response, "Content-Type", content_type);
	if (r->close_after)
		MHD_add_response_header(r->response, "Connection", "close");
	for (size_t i = 0; i < r->n_headers; i++)
		MHD_add_response_header(r->response, r->headers[i].name, r->headers[i].value);
}

/* The response is ready (or memory was out: then the connection is closed): MHD takes it at its next turn. */
static void hand_over(struct http_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->mhd);
	kick(r->http);
}

/* The reply itself, also where no handler owes one. */
static void set_reply(struct http_request *r, unsigned status, const char *content_type, struct span body)
{
	r->status = status;
	r->response_len = body.len;
	r->response = MHD_create_response_from_buffer(body.len, (void *)body.data, MHD_RESPMEM_MUST_COPY);
	if (r->response)
		add_headers(r, content_type);
	hand_over(r);
}

void http_reply(struct http_request *r, unsigned status, const char *content_type, struct span body)
{
	r->owed = false;
	if (!r->mhd)
		request_free(r);
	else if (!r->status)
		set_reply(r, status, content_type, body);
}

void http_reply_text(struct http_request *r, unsigned status, const char *fmt, ...)
{
	struct buf text CLEANUP(buf_free);
	char line[1024];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_init(&text, n > 0 ? (size_t)n : 0);
	uint8_t *room = n > 0 ? buf_room(&text, (size_t)n) : NULL;
	if (room) {
		vsnprintf((char *)room, (size_t)n + 1, fmt, again);
		text.len = (size_t)n;
	}
	va_end(again);
	http_reply(r, status, "text/plain; charset=utf-8", buf_span(&text));
}

static void add_error(struct buf *out, const char *sentence)
{
	buf_adds(out, "{\"error\": ");
	json_add_string(out, span_str(sentence));
	buf_adds(out, "}\n");
}

void http_reply_error(struct http_request *r, unsigned status, const char *fmt, ...)
{
	struct buf out CLEANUP(buf_free);
	char sentence[ERR_TEXT_MAX * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	buf_init(&out, sizeof(sentence) * 8);
	add_error(&out, sentence);
	http_reply(r, status, "application/json", buf_span(&out));
}

/* A reply of the server's own: no handler has seen the request. */
static void refuse(struct http_request *r, unsigned status, const char *sentence)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 4096);
	add_error(&out, sentence);
	set_reply(r, status, "application/json", buf_span(&out));
}

/* ------------------------------------------------------------------------------------------------ streams */

static void stream_resume(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->request->mhd);
	kick(s->request->http);
}

static ssize_t stream_read(void *ctx, uint64_t position, char *out, size_t max)
{
	(void)position;
	struct http_stream *s = ctx;
	size_t n = MIN(max, s->queue.len);
	if (n) {
		memcpy(out, s->queue.data, n);
		buf_drop(&s->queue, n);
		return (ssize_t)n;
	}
	if (s->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	s->suspended = true;
	MHD_suspend_connection(s->request->mhd);
	return 0;
}

static void stream_free(struct http_stream **s)
{
	if (!*s)
		return;
	buf_free(&(*s)->queue);
	free(*s);
	*s = NULL;
}

/* The stream lives as long as its request is with MHD. */
struct http_stream *http_reply_stream(struct http_request *r, const char *content_type,
	void (*closed)(struct http_stream *s, void *ctx), void *ctx)
{
	if (!r->mhd || r->status) {
		http_reply(r, 503, NULL, span_of(NULL, 0));
		return NULL;
	}
	struct http_stream *s = calloc(1, sizeof(*s));
	struct MHD_Response *response =
		s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, stream_read, s, NULL) : NULL;
	if (!response) {
		free(s);
		http_reply(r, 503, NULL, span_of(NULL, 0));
		return NULL;
	}
	*s = (struct http_stream){.request = r, .closed = closed, .ctx = ctx};
	buf_init(&s->queue, STREAM_MAX);
	MHD_set_connection_option(r->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	r->close_after = true;
	r->owed = false;
	r->status = 200;
	r->stream = s;
	r->response = response;
	add_headers(r, content_type);
	hand_over(r);
	return s;
}

int http_stream_send(struct http_stream *s, struct span data)
{
	if (s->closing)
		return -EPIPE;
	if (buf_add(&s->queue, data.data, data.len)) {
		/* Too slow: what is queued will never be read, so do not wait for it. */
		s->closing = true;
		buf_free(&s->queue);
		shutdown(s->request->conn->fd, SHUT_RDWR);
		stream_resume(s);
		return -EPIPE;
	}
	stream_resume(s);
	return 0;
}

void http_stream_close(struct http_stream *s)
{
	s->closing = true;
	if (s->request->mhd) /* the client gets what is queued if it reads it in time */
		MHD_set_connection_option(s->request->mhd, MHD_CONNECTION_OPTION_TIMEOUT, IDLE_S);
	stream_resume(s);
}

/* ------------------------------------------------------------------------------------------------ dispatch
 */

static bool route_matches(const struct http_route *route, const char *path, bool exact)
{
	size_t len = strlen(route->path);
	bool prefix = len && route->path[len - 1] == '*';
	if (exact)
		return !prefix && str_eq(route->path, path);
	return prefix && strncmp(route->path, path, len - 1) == 0;
}

static bool method_matches(const struct http_route *route, const char *method)
{
	return str_eq(route->method, method) || (str_eq(method, "HEAD") && str_eq(route->method, "GET"));
}

/* An exact path wins over a prefix, then the order of the table decides. */
static const struct http_route *route_find(const struct http *h, const char *method, const char *path)
{
	for (int exact = 1; exact >= 0; exact--)
		for (const struct http_route *route = h->routes; route->method; route++)
			if (route_matches(route, path, exact) && method_matches(route, method))
				return route;
	return NULL;
}

static void list_routes(struct http_request *r)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, (size_t)64 * 1024);
	for (const struct http_route *route = r->http->routes; route->method; route++)
		buf_addf(&out, "%-6s %-32s %s\n", route->method, route->path, route->doc ? route->doc : "");
	set_reply(r, 200, "text/plain; charset=utf-8", buf_span(&out));
}

/* What to say when no route has this path with this method. */
static void refuse_route(struct http_request *r)
{
	char allow[128] = "";
	for (const struct http_route *route = r->http->routes; route->method; route++) {
		if (!route_matches(route, r->path, true) && !route_matches(route, r->path, false))
			continue;
		size_t n = strlen(allow);
		if (!strstr(allow, route->method))
			snprintf(allow + n, sizeof(allow) - n, "%s%s%s", n ? ", " : "", route->method,
				str_eq(route->method, "GET") ? ", HEAD" : "");
	}
	if (allow[0]) {
		http_reply_header(r, "Allow", allow);
		refuse(r, 405, "this path does not know that method");
	} else if (str_eq(r->path, "/") && (str_eq(r->method, "GET") || str_eq(r->method, "HEAD"))) {
		list_routes(r);
	} else {
		refuse(r, 404, "there is nothing at this path");
	}
}

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

/* The reasons not to read on; NULL when there are none. */
static const char *header_fault(struct http_request *r, const char *version, unsigned *ret_status)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct find length = find(r, "Content-Length"), transfer = find(r, "Transfer-Encoding");
	bool bare_lf = false;
	*ret_status = 400;
	if (!str_eq(version, "HTTP/1.1") && !str_eq(version, "HTTP/1.0"))
		return "only HTTP/1.1 and HTTP/1.0 are spoken here";
	if (ends_in_bare_lf(version + strlen(version)))
		return "a line must end in CR LF";
	MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, check_header_line, &bare_lf);
	if (bare_lf)
		return "a line must end in CR LF";
	if (length.n + transfer.n > 1 || find(r, "Host").n > 1)
		return "Content-Length, Transfer-Encoding and Host may come once, and the first two not "
		       "together";
	if (transfer.n && strcasecmp(transfer.value, "chunked") != 0)
		return "the only transfer encoding known here is chunked";
	if (parse_uri(r))
		return "the path or query is not well formed";
	if (size && size->header_size > HEADER_MAX) {
		*ret_status = 431;
		return "the request's header is larger than 16 KB";
	}
	if (length.n && strtoull(length.value, NULL, 10) > r->http->body_max) {
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
		refuse(r, status, fault);
		return;
	}
	r->route = route_find(r->http, method, r->path);
	if (r->route && r->route->path[strlen(r->route->path) - 1] == '*')
		r->rest = r->path + strlen(r->route->path) - 1;
	r->body_since_ms = (int64_t)uv_now(r->http->loop);
	r->conn->deadline_ms = r->body_since_ms + IDLE_S * 1000;
}

static enum MHD_Result take_body(struct http_request *r, const char *data, size_t *len)
{
	r->received += *len;
	r->conn->deadline_ms = r->body_since_ms + IDLE_S * 1000 + (int64_t)r->received / BYTES_PER_MS;
	if (r->received <= r->http->body_max)
		buf_add(&r->body, data, *len);
	else
		buf_free(&r->body); /* chunked: MHD lets us answer only at its end, which must come soon */
	*len = 0;
	return r->received / 4 > r->http->body_max ? MHD_NO : MHD_YES;
}

static void dispatch(struct http_request *r)
{
	r->dispatched = true;
	r->conn->deadline_ms = 0;
	if (r->received > r->http->body_max) {
		r->close_after = true;
		refuse(r, 413, "the request's body is too large");
	} else if (r->body.broken) {
		refuse(r, 503, "out of memory");
	} else if (r->http->closing || r->http->close_wanted) {
		refuse(r, 503, "shutting down");
	} else if (!r->route) {
		refuse_route(r);
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
		r->conn->deadline_ms = (int64_t)uv_now(r->http->loop) + IDLE_S * 1000 +
				       (int64_t)r->response_len / BYTES_PER_MS;
	enum MHD_Result ok = MHD_queue_response(r->mhd, r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return ok;
}

/* ------------------------------------------------------------------------------------------------ MHD's
 * calls */

static struct conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* The request line is here. */
static void *on_request_line(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
	struct http *h = ctx;
	struct conn *conn = conn_of(mhd);
	size_t size = strlen(uri) + 1;
	struct http_request *r = conn ? calloc(1, sizeof(*r) + size) : NULL;
	if (!r)
		return NULL;
	r->http = h;
	r->mhd = mhd;
	r->conn = conn;
	r->path = r->rest = (char *)"";
	r->method = "";
	memcpy(r->uri, uri, size);
	buf_init(&r->body, h->body_max);
	conn->request = r;
	conn->deadline_ms = (int64_t)uv_now(h->loop) + HEADER_MS;
	return r;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
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

static void on_completed(
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
	if (r->stream) {
		r->stream->closing = true;
		r->stream->suspended = false;
		r->stream->closed(r->stream, r->stream->ctx);
		stream_free(&r->stream);
	}
	r->mhd = NULL;
	r->conn = NULL;
	r->method = ""; /* was in MHD's memory */
	if (!r->owed)
		request_free(r);
}

static void on_connection(
	void *ctx, struct MHD_Connection *mhd, void **conn, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = ctx;
	struct conn *c = *conn;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED && c) {
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
		free(c);
		*conn = NULL;
	} else if (code == MHD_CONNECTION_NOTIFY_STARTED && (c = calloc(1, sizeof(*c)))) {
		c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->deadline_ms = (int64_t)uv_now(h->loop) + HEADER_MS;
		c->next = h->conns;
		c->at = &h->conns;
		if (c->next)
			c->next->at = &c->next;
		h->conns = c;
		*conn = c;
	}
}

static void on_log(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	(void)fmt;
	(void)ap;
}

/* ------------------------------------------------------------------------------------------------ the loop
 */

static void shut(struct http *h);
static void on_sweep(uv_timer_t *timer);
static void on_timer(uv_timer_t *timer);

static void run(struct http *h)
{
	unsigned long long wait_ms;
	h->running = true;
	h->again = false;
	MHD_run(h->daemon);
	h->running = false;
	if (h->close_wanted) {
		shut(h);
		return;
	}
	if (h->again)
		kick(h);
	else if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, wait_ms, 0);
	else
		uv_timer_stop(&h->timer);
	if (h->conns && !uv_is_active((uv_handle_t *)&h->sweep))
		uv_timer_start(&h->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	else if (!h->conns)
		uv_timer_stop(&h->sweep);
}

static void kick(struct http *h)
{
	h->again = true;
	if (!h->running && !h->closing)
		uv_timer_start(&h->timer, on_timer, 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

/* Ends connections past their deadline and streams whose client left. Shutting the socket down is enough: MHD
 * sees its end and cleans up. */
static void on_sweep(uv_timer_t *timer)
{
	struct http *h = timer->data;
	int64_t now_ms = (int64_t)uv_now(h->loop);
	for (struct conn *c = h->conns; c; c = c->next) {
		struct http_stream *s = c->request ? c->request->stream : NULL;
		if (c->deadline_ms && now_ms > c->deadline_ms) {
			shutdown(c->fd, SHUT_RDWR);
		} else if (s && s->suspended && peer_left(c->fd)) {
			s->closing = true;
			shutdown(c->fd, SHUT_RDWR);
			stream_resume(s);
		}
	}
	kick(h);
}

/* ------------------------------------------------------------------------------------------------ open,
 * close */

/* getaddrinfo takes 99999999 for a port. */
static bool is_port(const char *s)
{
	size_t len = strspn(s, "0123456789");
	return len && len <= 5 && !s[len] && strtol(s, NULL, 10) <= 65535;
}

/* "host:port" or "[v6]:port", numbers only; "*:port" is every address. */
static int parse_address(const char *text, struct addrinfo **ret, struct err *e)
{
	char host[64];
	const char *colon = text ? strrchr(text, ':') : NULL;
	size_t len = colon ? (size_t)(colon - text) : 0;
	if (!colon || !len || len >= sizeof(host) || !is_port(colon + 1))
		return err_set(
			e, -EINVAL, "%s: not an address of the form 127.0.0.1:7411", text ? text : "(none)");
	bool brackets = text[0] == '[' && text[len - 1] == ']';
	snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	if (getaddrinfo(str_eq(host, "*") ? NULL : host, colon + 1, &hints, ret))
		return err_set(
			e, -EINVAL, "%s: not an address of the form 127.0.0.1:7411 or [::1]:7411", text);
	return 0;
}

static int listen_on(const char *address, int *ret_fd, int *ret_port, struct err *e)
{
	struct addrinfo *a = NULL;
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	int on = 1, r = parse_address(address, &a, e);
	if (r)
		return r;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 512) ||
		getsockname(fd, (struct sockaddr *)&bound, &size)) {
		r = err_set(e, -errno, "%s: can not listen: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
	} else {
		*ret_fd = fd;
		*ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
							      : ((struct sockaddr_in *)&bound)->sin_port);
	}
	freeaddrinfo(a);
	return r;
}

static struct MHD_Daemon *start_daemon(struct http *h, const struct http_options *o, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, o->connections_max ? o->connections_max : 256u,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address_max ? o->per_address_max : 64u,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_END);
}

int http_open(struct http **ret, uv_loop_t *loop, const struct http_options *o, struct err *e)
{
	int fd = -1, port = 0, r = listen_on(o->address, &fd, &port, e);
	if (r)
		return r;
	struct http *h = calloc(1, sizeof(*h));
	if (h) {
		h->loop = loop;
		h->routes = o->routes;
		h->body_max = o->body_max ? o->body_max : (size_t)1024 * 1024;
		h->port = port;
		h->daemon = start_daemon(h, o, fd);
	}
	if (!h || !h->daemon) {
		free(h);
		close(fd);
		return err_set(e, -ENOMEM, "%s: can not start the HTTP server", o->address);
	}
	int epoll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	r = uv_poll_init(loop, &h->poll, epoll_fd);
	if (r) {
		MHD_stop_daemon(h->daemon);
		free(h);
		return err_set(e, r, "%s: can not watch the HTTP server: %s", o->address, uv_strerror(r));
	}
	uv_timer_init(loop, &h->timer);
	uv_timer_init(loop, &h->sweep);
	h->handles = 3;
	h->poll.data = h->timer.data = h->sweep.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_poll);
	*ret = h;
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;
	if (--h->handles == 0)
		free(h);
}

/* MHD must not stop while a connection is suspended. What is owed is answered in the handler's place; the
 * handler's own reply then only frees the request. */
static void shut(struct http *h)
{
	h->closing = true;
	for (struct conn *c = h->conns; c; c = c->next) {
		struct http_request *r = c->request;
		if (r && r->stream)
			http_stream_close(r->stream);
		else if (r && r->suspended)
			refuse(r, 503, "shutting down");
	}
	for (int i = 0; i < 4; i++)
		MHD_run(h->daemon);
	uv_close((uv_handle_t *)&h->poll, on_handle_closed);
	uv_close((uv_handle_t *)&h->timer, on_handle_closed);
	uv_close((uv_handle_t *)&h->sweep, on_handle_closed);
	MHD_stop_daemon(h->daemon);
	h->daemon = NULL;
}

void http_close(struct http **h)
{
	if (!*h)
		return;
	if ((*h)->running)
		(*h)->close_wanted = true;
	else if (!(*h)->closing)
		shut(*h);
	*h = NULL;
}

int http_port(const struct http *h)
{
	return h->port;
}
