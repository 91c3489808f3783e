/* The HTTP server over time: late answers, many clients, slow ones, streams, closing. */
#include "tests/component/http_stage.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	return cmocka_run_group_tests_name("http_life", tests, NULL, NULL);
}
