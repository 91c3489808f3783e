#include "tests/component/http_stage.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- clients ---- */

int dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval limit = {.tv_sec = 15};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) ? -1 : fd;
}

void send_all(int fd, const char *data, size_t len)
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

void client_start(struct world *w, struct client *c)
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

void clients_finish(struct world *w, struct client *c, size_t n)
{
	while (__atomic_load_n(&w->waiting, __ATOMIC_SEQ_CST))
		uv_run(&w->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < n; i++)
		pthread_join(c[i].thread, NULL);
}

/* One request; the answer is the caller's to free. */
char *talk_len(struct world *w, const char *request, size_t len)
{
	struct client c = {.request = request, .request_len = len};
	client_start(w, &c);
	clients_finish(w, &c, 1);
	return c.answer;
}

/* A request whose answer must begin with "HTTP/1.1 <status> " and hold `part`. */
void talk(struct world *w, const char *request, int status, const char *part)
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

void run_for(struct world *w, uint64_t ms)
{
	uv_timer_t timer;
	uv_timer_init(&w->loop, &timer);
	uv_timer_start(&timer, on_pause, ms, 0);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

/* ---- handlers ---- */

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

struct http_route routes[] = {
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

int set_up(void **state)
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
int tear_down(void **state)
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
