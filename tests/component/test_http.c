#include "tests/unit/check.h"

#include "common/http.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARALLEL 200

/* The server runs in the test's own loop, clients with plain blocking sockets in threads. Clients never
 * assert: they leave what they got, and the test looks at it when they are done. */
struct world {
	uv_loop_t loop;
	struct http *http;
	uv_timer_t later;
	uv_async_t done;
	int waiting; /* clients at work */
	struct http_request *kept[PARALLEL];
	size_t n_kept;
	int handled;
	struct http_stream *stream;
	int stream_closed;
	bool flood;
	size_t flooded;
	char seen[512];
};

struct client {
	struct world *w;
	int port;
	pthread_t thread;
	const char *request;
	size_t request_len; /* 0 = strlen */
	int leave_after_ms; /* > 0: close without reading */
	int read_after_ms;
	const char *stop_at; /* stop reading when the answer holds this */
	char *answer;
	size_t len, max;
	bool closed; /* the server closed the connection */
};

/* ------------------------------------------------------------------------------------------------ clients */

static int dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval limit = {.tv_sec = 15};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) ? -1 : fd;
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void *client_main(void *arg)
{
	struct client *c = arg;
	int fd = dial(c->port);
	send_all(fd, c->request, c->request_len ? c->request_len : strlen(c->request));
	if (c->leave_after_ms) {
		usleep((useconds_t)c->leave_after_ms * 1000);
	} else {
		usleep((useconds_t)c->read_after_ms * 1000);
		while (c->len + 1 < c->max) {
			ssize_t n = recv(fd, c->answer + c->len, c->max - 1 - c->len, 0);
			c->closed = n == 0 || (n < 0 && errno == ECONNRESET);
			if (n <= 0)
				break;
			c->len += (size_t)n;
			c->answer[c->len] = 0;
			if (c->stop_at && strstr(c->answer, c->stop_at))
				break;
		}
	}
	close(fd);
	uv_async_send(&c->w->done);
	__atomic_sub_fetch(&c->w->waiting, 1, __ATOMIC_SEQ_CST);
	uv_async_send(&c->w->done);
	return NULL;
}

static void client_start(struct world *w, struct client *c)
{
	c->w = w;
	c->port = http_port(w->http);
	c->max = c->max ? c->max : (size_t)64 * 1024;
	c->answer = calloc(1, c->max);
	__atomic_add_fetch(&w->waiting, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_create(&c->thread, NULL, client_main, c), 0);
}

static void on_done(uv_async_t *async)
{
	struct world *w = async->data;
	if (__atomic_load_n(&w->waiting, __ATOMIC_SEQ_CST) == 0)
		uv_stop(&w->loop);
}

static void clients_finish(struct world *w, struct client *c, size_t n)
{
	while (__atomic_load_n(&w->waiting, __ATOMIC_SEQ_CST))
		uv_run(&w->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < n; i++)
		pthread_join(c[i].thread, NULL);
}

/* One request; the answer is the caller's to free. */
static char *talk_len(struct world *w, const char *request, size_t len)
{
	struct client c = {.request = request, .request_len = len};
	client_start(w, &c);
	clients_finish(w, &c, 1);
	return c.answer;
}

/* A request whose answer must begin with "HTTP/1.1 <status> " and hold `part`. */
static void talk(struct world *w, const char *request, int status, const char *part)
{
	char head[32];
	char *answer = talk_len(w, request, 0);
	snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
	if (strncmp(answer, head, strlen(head)) != 0 || !strstr(answer, part))
		fail_msg("%.60s\ngave\n%s\ninstead of %d and %s", request, answer, status, part);
	free(answer);
}

static void on_pause(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run_for(struct world *w, uint64_t ms)
{
	uv_timer_t timer;
	uv_timer_init(&w->loop, &timer);
	uv_timer_start(&timer, on_pause, ms, 0);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* ------------------------------------------------------------------------------------------------ handlers
 */

static void on_echo(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	const char *twice = http_header(r, "X-Twice"), *q = http_query(r, "q");
	snprintf(w->seen, sizeof(w->seen), "%s %s q=%s x=%s twice=%s/%zu", http_method(r), http_path(r),
		q ? q : "(none)", http_header(r, "x-TEST") ? http_header(r, "x-TEST") : "(none)",
		twice ? twice : "(none)", http_header_count(r, "x-twice"));
	w->handled++;
	http_reply_header(r, "X-Reply", "yes");
	if (http_reply_header(r, "X-Split", "a\r\nSet-Cookie: b") != -EINVAL)
		abort();
	http_reply(r, 200, "application/octet-stream", http_body(r));
}

static void on_prefix(struct http_request *r, void *ctx)
{
	(void)ctx;
	http_reply_header(r, "Cache-Control", "max-age=60");
	http_reply_text(r, 200, "rest=%s", http_path_rest(r));
}

static void on_error(struct http_request *r, void *ctx)
{
	(void)ctx;
	http_reply_error(r, 422, "say \"%s\" instead", "please");
}

/* Keeps the request; a timer answers all that were kept. */
static void on_later(uv_timer_t *timer)
{
	struct world *w = timer->data;
	for (size_t i = 0; i < w->n_kept; i++) {
		bool gone = http_gone(w->kept[i]);
		snprintf(w->seen, sizeof(w->seen), "%s gone=%d", http_path(w->kept[i]), gone);
		http_reply_text(w->kept[i], 202, "later");
	}
	w->n_kept = 0;
}

static void on_keep(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	w->kept[w->n_kept++] = r;
	uv_timer_start(&w->later, on_later, 300, 0);
}

static void on_never(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	w->kept[w->n_kept++] = r;
}

static void on_closed(struct http_stream *s, void *ctx)
{
	struct world *w = ctx;
	if (s == w->stream)
		w->stream = NULL;
	w->stream_closed++;
}

static void on_tick(uv_timer_t *timer)
{
	struct world *w = timer->data;
	static char chunk[8192];
	if (!w->stream)
		return;
	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 64 && w->stream && w->flood; i++) {
		if (http_stream_send(w->stream, span_of(chunk, sizeof(chunk)))) {
			w->flood = false;
			return;
		}
		w->flooded += sizeof(chunk);
	}
	if (!w->flood && http_stream_send(w->stream, span_str("data: tick\n\n")) == 0 && ++w->handled == 5) {
		http_stream_send(w->stream, span_str("data: last\n\n"));
		http_stream_close(w->stream);
		if (http_stream_send(w->stream, span_str("x")) != -EPIPE)
			abort();
	}
}

static void on_events(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	w->handled = 0;
	w->stream = http_reply_stream(r, "text/event-stream", on_closed, w);
	uv_timer_start(&w->later, on_tick, 20, 20);
}

static void on_quit(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	http_reply_text(r, 200, "bye");
	http_close(&w->http);
}

static struct http_route routes[] = {
	{"GET", "/echo", on_echo, NULL, "says what came"},
	{"POST", "/echo", on_echo, NULL, "says what came"},
	{"GET", "/files/*", on_prefix, NULL, "everything below"},
	{"GET", "/files/exact", on_error, NULL, "an error"},
	{"POST", "/keep", on_keep, NULL, "answers later"},
	{"GET", "/never", on_never, NULL, "does not answer"},
	{"GET", "/events", on_events, NULL, "a stream"},
	{"GET", "/quit", on_quit, NULL, "closes the server"},
	{0},
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};
	for (struct http_route *r = routes; r->method; r++)
		r->ctx = w;
	struct http_options o = {.address = "127.0.0.1:0",
		.routes = routes,
		.body_max = 100000,
		.connections_max = 300,
		.per_address_max = 300};
	uv_loop_init(&w->loop);
	uv_timer_init(&w->loop, &w->later);
	uv_async_init(&w->loop, &w->done, on_done);
	w->later.data = w->done.data = w;
	*state = w;
	int r = http_open(&w->http, &w->loop, &o, &e);
	if (r)
		print_message("%s\n", e.text);
	return r;
}

/* Nothing may be left in the loop. */
static int tear_down(void **state)
{
	struct world *w = *state;
	http_close(&w->http);
	http_close(&w->http);
	uv_close((uv_handle_t *)&w->later, NULL);
	uv_close((uv_handle_t *)&w->done, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int r = uv_loop_close(&w->loop);
	free(w);
	return r;
}

/* ------------------------------------------------------------------------------------------------ tests */

#define END " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static void test_routes(void **state)
{
	struct world *w = *state;
	talk(w, "GET /echo?q=a%20b%2Bc+d&z" END "X-Test: v\r\n\r\n", 200, "X-Reply: yes\r\n");
	assert_string_equal(w->seen, "GET /echo q=a b+c d x=v twice=(none)/0");
	talk(w, "GET /echo?q" END "\r\n", 200, "X-Content-Type-Options: nosniff\r\n");
	assert_string_equal(w->seen, "GET /echo q= x=(none) twice=(none)/0");
	talk(w, "GET /%65cho" END "\r\n", 200, "Referrer-Policy: no-referrer\r\n");
	talk(w, "GET /echo" END "\r\n", 200, "Cache-Control: no-store\r\n");
	talk(w, "GET /files/a/b%20c" END "\r\n", 200, "rest=a/b c");
	talk(w, "GET /files/" END "\r\n", 200, "Cache-Control: max-age=60\r\n");
	talk(w, "GET /files/exact" END "\r\n", 422, "{\"error\": \"say \\\"please\\\" instead\"}");
	talk(w, "POST /echo" END "Content-Length: 5\r\n\r\nhello", 200, "\r\n\r\nhello");
	talk(w, "POST /echo" END "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200,
		"\r\n\r\nhello");
	talk(w, "GET / HTTP/1.0\r\n\r\n", 200, "GET    /files/*                         everything below\n");
	char *answer = talk_len(w, "GET /echo" END "\r\n", 0);
	assert_null(strstr(answer, "Set-Cookie"));
	free(answer);
}

static void test_head(void **state)
{
	struct world *w = *state;
	char *answer = talk_len(w, "HEAD /files/abc" END "\r\n", 0);
	assert_non_null(strstr(answer, "Content-Length: 8\r\n"));
	assert_null(strstr(answer, "rest="));
	free(answer);
	talk(w, "HEAD /" END "\r\n", 200, "text/plain");
}

static void test_no_route(void **state)
{
	struct world *w = *state;
	talk(w, "GET /nothing" END "\r\n", 404, "{\"error\": ");
	talk(w, "POST /nothing" END "Content-Length: 5\r\n\r\nhello", 404, "nothing at this path");
	talk(w, "DELETE /echo" END "\r\n", 405, "Allow: GET, HEAD, POST\r\n");
	talk(w, "GET /keep" END "\r\n", 405, "Allow: POST\r\n");
	talk(w, "POST /" END "Content-Length: 0\r\n\r\n", 404, "");
	assert_int_equal(w->handled, 0);
}

static void test_keep_alive(void **state)
{
	struct world *w = *state;
	char *answer = talk_len(w,
		"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /no HTTP/1.1\r\nHost: a\r\n\r\n"
		"POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
		"POST /echo" END "Content-Length: 3\r\n\r\nend",
		0);
	const char *first = strstr(answer, "HTTP/1.1 200"), *second = strstr(answer, "HTTP/1.1 404"),
		   *third = strstr(answer, "HTTP/1.1 202"), *last = strstr(answer, "\r\n\r\nend");
	assert_true(first && second && third && last && first < second && second < third && third < last);
	free(answer);
}

static void test_malformed(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *request;
		int status; /* 0 = closed, with or without an answer, but no 200 */
	} rows[] = {
		{"GET /a/../echo" END "\r\n", 400},
		{"GET /.." END "\r\n", 400},
		{"GET /%2e%2e/echo" END "\r\n", 400},
		{"GET /echo%00" END "\r\n", 400},
		{"GET /a%2fb" END "\r\n", 400},
		{"GET /a%5Cb" END "\r\n", 400},
		{"GET /a%" END "\r\n", 400},
		{"GET /a%4" END "\r\n", 400},
		{"GET /a%zz" END "\r\n", 400},
		{"GET /echo?q=%00" END "\r\n", 400},
		{"GET /\x01" END "\r\n", 400},
		{"GET /\xff" END "\r\n", 400},
		{"GET echo" END "\r\n", 400},
		{"GET http://a/echo" END "\r\n", 400},
		{"GET /echo HTTP/1.1\r\n\r\n", 400}, /* no Host */
		{"GET /echo" END "Host: b\r\n\r\n", 400},
		{"POST /echo" END "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
		{"POST /echo" END "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"POST /echo" END "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
		{"POST /echo" END "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 400},
		{"POST /echo" END "Content-Length: -5\r\n\r\nhello", 400},
		{"POST /echo" END "Content-Length: 5x\r\n\r\nhello", 400},
		{"POST /echo" END "Content-Length: 99999999999999999999999\r\n\r\nhello", 0},
		{"POST /echo" END "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0},
		{"POST /echo" END "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 0},
		{"GET /echo HTTP/1.1\nHost: a\nConnection: close\n\n", 400},
		{"GET /echo HTTP/1.1\r\nHost: a\nConnection: close\r\n\r\n", 400},
		{"GET /echo HTTP/3.7\r\nHost: a\r\n\r\n", 0},
		{"GET /echo\r\n\r\n", 0},
		{"\x16\x03\x01\x02 TLS or what\r\n\r\n", 0},
		{"one two three four\r\n\r\n", 0},
		{"GET /echo HTTP/1.1\r\nno colon here\r\n\r\n", 0},
		{"\r\n\r\n\r\n :\r\n\r\n", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char head[32];
		struct client c = {.request = rows[i].request, .stop_at = "}\n"};
		client_start(w, &c);
		clients_finish(w, &c, 1);
		snprintf(head, sizeof(head), "HTTP/1.1 %d ", rows[i].status);
		bool right = rows[i].status ? strncmp(c.answer, head, strlen(head)) == 0
					    : !strstr(c.answer, "HTTP/1.1 200") && (c.closed || c.len);
		if (!right)
			fail_msg("row %zu: %s\ngave\n%s", i, rows[i].request, c.answer);
		free(c.answer);
	}
	assert_int_equal(w->handled, 0);
	talk(w, "GET /echo" END "\r\n", 200, ""); /* the server lives */
}

static void test_duplicate_header(void **state)
{
	struct world *w = *state;
	talk(w, "GET /echo" END "X-Twice: a\r\nx-twice: b\r\n\r\n", 200, "");
	assert_string_equal(w->seen, "GET /echo q=(none) x=(none) twice=(none)/2");
}

static void test_large_header(void **state)
{
	struct world *w = *state;
	static const struct {
		size_t len;
		int status;
	} rows[] = {{15000, 200}, {17000, 431}, {40000, 431}, {200000, 431}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *request = calloc(1, rows[i].len + 200), head[32];
		int n = snprintf(request, 200, "GET /echo" END "X-Long: ");
		memset(request + n, 'y', rows[i].len);
		memcpy(request + (size_t)n + rows[i].len, "\r\n\r\n", 4);
		char *answer = talk_len(w, request, 0);
		snprintf(head, sizeof(head), "HTTP/1.1 %d ", rows[i].status);
		/* What is far too long may be cut off before the answer is read. */
		if (strncmp(answer, head, strlen(head)) != 0 && !(rows[i].len > 100000 && !answer[0]))
			fail_msg("row %zu: %.200s", i, answer);
		free(answer);
		free(request);
	}
}

static void test_large_body(void **state)
{
	struct world *w = *state;
	size_t len = 100000;
	char *request = calloc(1, len + 400);
	int n = snprintf(request, 400, "POST /echo" END "Content-Length: %zu\r\n\r\n", len);
	memset(request + n, 'b', len);
	struct client c = {.request = request, .max = 200000};
	client_start(w, &c);
	clients_finish(w, &c, 1);
	assert_non_null(strstr(c.answer, "HTTP/1.1 200"));
	assert_true(c.len > len);
	free(c.answer);
	w->handled = 0;

	/* Far too large, or asked for: refused on sight of the header, nothing of the body has to come. */
	talk(w, "POST /echo" END "Content-Length: 400001\r\n\r\n", 413, "too large");
	talk(w, "POST /echo" END "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n", 413, "too large");
	/* One byte more, and it is coming already: the answer comes behind it. */
	n = snprintf(request, 400, "POST /echo" END "Content-Length: 100001\r\n\r\n");
	memset(request + n, 'b', len + 1);
	request[(size_t)n + len + 1] = 0;
	talk(w, request, 413, "too large");
	talk(w, "POST /echo" END "Expect: 100-continue\r\nContent-Length: 9000000000\r\n\r\n", 413,
		"too large");

	n = snprintf(request, 400, "POST /echo" END "Transfer-Encoding: chunked\r\n\r\n186a0\r\n");
	memset(request + n, 'b', len);
	memcpy(request + (size_t)n + len, "\r\n1\r\nx\r\n0\r\n\r\n", sizeof("\r\n1\r\nx\r\n0\r\n\r\n"));
	talk(w, request, 413, "too large");
	assert_int_equal(w->handled, 0);
	free(request);
}

static void test_endless_chunks(void **state)
{
	struct world *w = *state;
	size_t len = 1000000;
	char *request = calloc(1, len + 400);
	int n = snprintf(request, 400, "POST /echo" END "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
	memset(request + n, 'b', len);
	char *answer = talk_len(w, request, 0);
	assert_null(strstr(answer, "HTTP/1.1 200"));
	assert_int_equal(w->handled, 0);
	free(answer);
	free(request);
}

static void test_later(void **state)
{
	struct world *w = *state;
	talk(w, "POST /keep" END "Content-Length: 2\r\n\r\nab", 202, "later");
	assert_string_equal(w->seen, "/keep gone=0");
}

static void test_client_gone(void **state)
{
	struct world *w = *state;
	struct client c = {.request = "POST /keep" END "Content-Length: 2\r\n\r\nab", .leave_after_ms = 100};
	client_start(w, &c);
	clients_finish(w, &c, 1);
	free(c.answer);
	assert_int_equal(w->n_kept, 1);
	run_for(w, 500);
	assert_int_equal(w->n_kept, 0);
	assert_string_equal(w->seen, "/keep gone=1");
	talk(w, "GET /echo" END "\r\n", 200, "");
}

static void test_parallel(void **state)
{
	struct world *w = *state;
	struct client *c = calloc(PARALLEL, sizeof(*c));
	for (int i = 0; i < PARALLEL; i++) {
		c[i].request = i % 2 ? "POST /keep" END "Content-Length: 2\r\n\r\nab"
				     : "POST /echo" END "Content-Length: 5\r\n\r\nhello";
		c[i].max = 4096;
		client_start(w, &c[i]);
	}
	clients_finish(w, c, PARALLEL);
	for (int i = 0; i < PARALLEL; i++) {
		if (!strstr(c[i].answer, i % 2 ? "HTTP/1.1 202" : "HTTP/1.1 200"))
			fail_msg("client %d got %s", i, c[i].answer);
		free(c[i].answer);
	}
	free(c);
}

static void test_per_address_limit(void **state)
{
	struct world *w = *state;
	struct http_options o = {.address = "127.0.0.1:0", .routes = routes, .per_address_max = 2};
	struct http *limited;
	int fds[4], refused = 0;
	assert_int_equal(http_open(&limited, &w->loop, &o, NULL), 0);
	for (int i = 0; i < 4; i++)
		fds[i] = dial(http_port(limited));
	run_for(w, 100);
	for (int i = 0; i < 4; i++) {
		struct pollfd p = {.fd = fds[i], .events = POLLIN};
		refused += poll(&p, 1, 0) == 1;
		close(fds[i]);
	}
	assert_int_equal(refused, 2);
	http_close(&limited);
}

/* S12: who dawdles over the header is cut off after 10 s, however steadily the bytes come. */
static void test_slow_header(void **state)
{
	struct world *w = *state;
	int fd = dial(http_port(w->http));
	send_all(fd, "GET /echo HTTP/1.1\r\nX: ", 23);
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};
	int waited_ms = 0;
	for (; waited_ms < 14000 && !(poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP)));
		waited_ms += 500) {
		send_all(fd, "y", 1);
		run_for(w, 500);
	}
	close(fd);
	if (waited_ms < 9000 || waited_ms > 12500)
		fail_msg("cut off after %d ms", waited_ms);
}

static void test_stream(void **state)
{
	struct world *w = *state;
	struct client c = {.request = "GET /events" END "\r\n"};
	client_start(w, &c);
	clients_finish(w, &c, 1);
	assert_non_null(strstr(c.answer, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(c.answer, "data: tick\n\n"));
	assert_non_null(strstr(c.answer, "data: last\n\n"));
	assert_true(c.closed);
	free(c.answer);
	run_for(w, 50);
	assert_int_equal(w->stream_closed, 1);
	assert_null(w->stream);
}

static void test_stream_client_leaves(void **state)
{
	struct world *w = *state;
	struct client c = {.request = "GET /events" END "\r\n", .leave_after_ms = 30};
	client_start(w, &c);
	w->handled = -1000000; /* the stream has no end of its own */
	clients_finish(w, &c, 1);
	free(c.answer);
	uv_timer_stop(&w->later); /* nothing is sent: the server must notice by itself */
	run_for(w, 1500);
	assert_int_equal(w->stream_closed, 1);
}

static void test_stream_slow_client(void **state)
{
	struct world *w = *state;
	struct client c = {.request = "GET /events" END "\r\n", .leave_after_ms = 1500};
	w->flood = true;
	client_start(w, &c);
	run_for(w, 1000);
	assert_int_equal(w->stream_closed, 1);
	assert_false(w->flood);
	assert_true(w->flooded >= 1024 * 1024 && w->flooded < 32 * 1024 * 1024);
	clients_finish(w, &c, 1);
	free(c.answer);
}

static void test_stream_reads_all(void **state)
{
	struct world *w = *state;
	struct client c = {.request = "GET /events" END "\r\n", .max = (size_t)600000};
	client_start(w, &c);
	while (!w->stream)
		run_for(w, 10);
	uv_timer_stop(&w->later);
	char line[100];
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "data: %05d %080d\n\n", i, 0);
		assert_int_equal(http_stream_send(w->stream, span_str(line)), 0);
		if (i % 500 == 0)
			run_for(w, 5);
	}
	http_stream_close(w->stream);
	clients_finish(w, &c, 1);
	for (int i = 0; i < 5000; i += 499) {
		snprintf(line, sizeof(line), "data: %05d ", i);
		assert_non_null(strstr(c.answer, line));
	}
	free(c.answer);
}

static void test_stream_to_head(void **state)
{
	struct world *w = *state;
	char *answer = talk_len(w, "HEAD /events" END "\r\n", 0);
	assert_non_null(strstr(answer, "HTTP/1.1 200"));
	free(answer);
	run_for(w, 50);
	assert_int_equal(w->stream_closed, 1);
}

static void test_close_while_open(void **state)
{
	struct world *w = *state;
	struct client c[3] = {
		{.request = "GET /never" END "\r\n"},
		{.request = "GET /events" END "\r\n"},
		{.request = "POST /echo" END "Content-Length: 100\r\n\r\nhalf"},
	};
	w->handled = -1000000;
	for (int i = 0; i < 3; i++)
		client_start(w, &c[i]);
	while (!w->stream || !w->n_kept)
		run_for(w, 20);
	uv_timer_stop(&w->later);
	http_close(&w->http);
	assert_null(w->http);
	assert_int_equal(w->stream_closed, 1);
	assert_true(http_gone(w->kept[0]));
	assert_string_equal(http_path(w->kept[0]), "/never");
	assert_null(http_header(w->kept[0], "Host"));
	http_reply_text(w->kept[0], 200, "too late");
	clients_finish(w, c, 3);
	assert_non_null(strstr(c[0].answer, "HTTP/1.1 503"));
	assert_non_null(strstr(c[1].answer, "HTTP/1.1 200"));
	for (int i = 0; i < 3; i++) {
		assert_true(c[i].closed);
		free(c[i].answer);
	}
}

static void test_close_from_handler(void **state)
{
	struct world *w = *state;
	talk(w, "GET /quit" END "\r\n", 200, "bye");
	assert_null(w->http);
}

static void test_addresses(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {"", "7411", "127.0.0.1", "127.0.0.1:", ":7411",
		"localhost.example:1", "[::1:80", "127.0.0.1:x", "127.0.0.1:99999999"};
	struct http *h = NULL;
	struct err e = {0};
	struct http_options o = {.routes = routes};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		o.address = bad[i];
		if (http_open(&h, &w->loop, &o, &e) != -EINVAL || !strstr(e.text, bad[i]))
			fail_msg("%s: %s", bad[i], e.text);
	}
	char taken[32];
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", http_port(w->http));
	o.address = taken;
	assert_int_equal(http_open(&h, &w->loop, &o, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, taken));
	o.address = "[::1]:0";
	if (http_open(&h, &w->loop, &o, &e) == 0) { /* a machine may have no IPv6 */
		assert_true(http_port(h) > 0);
		http_close(&h);
	}
	assert_null(h);
}

/* An open stream and a waiting request must cost nothing. */
static void test_idle_is_idle(void **state)
{
	struct world *w = *state;
	struct client c[2] = {{.request = "GET /never" END "\r\n"}, {.request = "GET /events" END "\r\n"}};
	w->handled = -1000000;
	client_start(w, &c[0]);
	client_start(w, &c[1]);
	while (!w->stream || !w->n_kept)
		run_for(w, 20);
	uv_timer_stop(&w->later);
	clock_t before = clock();
	run_for(w, 1000);
	double used = (double)(clock() - before) / CLOCKS_PER_SEC;
	http_close(&w->http);
	http_reply_text(w->kept[0], 200, "too late");
	clients_finish(w, c, 2);
	free(c[0].answer);
	free(c[1].answer);
	if (used > 0.1)
		fail_msg("%g s of processor time in an idle second", used);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_routes),
		TEST(test_head),
		TEST(test_no_route),
		TEST(test_keep_alive),
		TEST(test_malformed),
		TEST(test_duplicate_header),
		TEST(test_large_header),
		TEST(test_large_body),
		TEST(test_endless_chunks),
		TEST(test_later),
		TEST(test_client_gone),
		TEST(test_parallel),
		TEST(test_per_address_limit),
		TEST(test_slow_header),
		TEST(test_stream),
		TEST(test_stream_client_leaves),
		TEST(test_stream_slow_client),
		TEST(test_stream_reads_all),
		TEST(test_stream_to_head),
		TEST(test_close_while_open),
		TEST(test_close_from_handler),
		TEST(test_addresses),
		TEST(test_idle_is_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
