/* ZeroMQ in the loop: everything that was sent comes, however the loop and the callbacks take turns. */
#include "common/bus.h"
#include "common/link.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 20000
#define DEALERS 8

struct peer {
	struct bus_socket *socket;
	unsigned sent, heard, out_of_order;
	struct world *world;
};

static struct world {
	uv_loop_t loop;
	uv_timer_t timer;
	bool late;
	struct bus *bus;
	struct bus_socket *router;
	char endpoint[64];
	unsigned came, refused, works, closed;
	unsigned answers; /* frames the router sends for each that came */
	size_t longest;
	bool close_on_frame, pump;
	struct peer peer[DEALERS];
	size_t n_peers;
} w;

static bool work(void *ctx)
{
	struct world *x = ctx;
	bool more = false;
	x->works++;
	for (size_t i = 0; i < x->n_peers && x->pump; i++) {
		struct peer *p = &x->peer[i];
		uint32_t window = p->heard / MAX(x->answers, 1u) +
				  2000; /* as credit does: ZeroMQ's mark is far above */
		for (int n = 0; n < 100 && p->sent < MIN(MANY / x->n_peers, window); n++) {
			uint32_t number = p->sent;
			if (!bus_send(p->socket, span_of(NULL, 0), span_of(&number, sizeof(number))))
				break;
			p->sent++;
		}
		more |= p->sent < MIN(MANY / x->n_peers, window);
	}
	return more;
}

static void on_late(uv_timer_t *t)
{
	((struct world *)t->data)->late = true;
}

/* Each frame is answered, from inside the callback: the state of ZeroMQ's descriptor is then used up. */
static void on_router(void *ctx, struct span route, struct span frame)
{
	struct world *x = ctx;
	x->came++;
	x->longest = MAX(x->longest, frame.len);
	for (unsigned i = 0; i < x->answers; i++)
		if (!bus_send(x->router, route, frame))
			x->refused++;
	if (x->close_on_frame) {
		bus_socket_close(&x->router);
		x->closed++;
	}
}

static void on_dealer(void *ctx, struct span route, struct span frame)
{
	struct peer *p = ctx;
	uint32_t number;
	assert_int_equal(route.len, 0);
	p->heard++;
	if (frame.len != sizeof(number))
		return;
	memcpy(&number, frame.data, sizeof(number));
	p->out_of_order += number != (p->heard - 1) / MAX(p->world->answers, 1u);
}

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void add_dealers(size_t n)
{
	struct err e;
	for (size_t i = 0; i < n; i++) {
		struct peer *p = &w.peer[w.n_peers++];
		p->world = &w;
		assert_int_equal(bus_connect(w.bus, w.endpoint, on_dealer, p, &p->socket, &e), 0);
	}
}

static int setup(void **state)
{
	struct err e;
	(void)state;
	w = (struct world){0};
	uv_loop_init(&w.loop);
	uv_timer_init(&w.loop, &w.timer);
	w.timer.data = &w;
	snprintf(w.endpoint, sizeof(w.endpoint), "tcp://127.0.0.1:%d", free_port());
	if (bus_open(&w.bus, &w.loop, work, &w, &e))
		return -1;
	return bus_listen(w.bus, w.endpoint, on_router, &w, &w.router, &e);
}

static int teardown(void **state)
{
	(void)state;
	bus_close(&w.bus);
	bus_close(&w.bus); /* NULL by now */
	uv_close((uv_handle_t *)&w.timer, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&w.loop);
}

static void start_clock(int64_t ms)
{
	w.late = false;
	uv_update_time(&w.loop);
	uv_timer_start(&w.timer, on_late, (uint64_t)ms, 0);
}

/* Blocking runs of the loop, until the condition holds or time is over. */
#define until(condition)                                                                                     \
	({                                                                                                   \
		bool held;                                                                                   \
		start_clock(20000);                                                                          \
		while (!(held = (condition)) && !w.late)                                                     \
			uv_run(&w.loop, UV_RUN_ONCE);                                                        \
		held;                                                                                        \
	})

static void wait_ms(int64_t ms)
{
	start_clock(ms);
	while (!w.late)
		uv_run(&w.loop, UV_RUN_ONCE);
}

/* From here on nothing but frames that come turns the loop. */
static void start_pump(void)
{
	wait_ms(200); /* connected */
	w.pump = true;
	work(&w);
}

/* ---- tests ---- */

static bool all_heard(unsigned each)
{
	for (size_t i = 0; i < w.n_peers; i++)
		if (w.peer[i].heard < each)
			return false;
	return true;
}

static void test_many(void **state)
{
	(void)state;
	w.answers = 2; /* twice in one callback is what stalls the obvious way */
	add_dealers(1);
	start_pump();
	assert_true(until(all_heard(2 * MANY)));
	assert_int_equal(w.came, MANY);
	assert_int_equal(w.refused, 0);
	assert_int_equal(w.peer[0].heard, 2 * MANY);
	assert_int_equal(w.peer[0].out_of_order, 0);
}

static void test_many_peers(void **state)
{
	(void)state;
	w.answers = 1;
	add_dealers(DEALERS);
	start_pump();
	assert_true(until(all_heard(MANY / DEALERS)));
	for (size_t i = 0; i < DEALERS; i++)
		assert_int_equal(w.peer[i].out_of_order, 0); /* and each answer went to its own */
	assert_int_equal(w.came, MANY);
}

/* One frame at a time, the loop asleep in between: each must wake it. */
static void test_single_frames_wake(void **state)
{
	(void)state;
	w.answers = 1;
	add_dealers(1);
	struct peer *p = &w.peer[0];
	assert_true(until(({
		uint32_t zero = 0;
		bus_send(p->socket, span_of(NULL, 0), span_of(&zero, sizeof(zero)));
	})));
	assert_true(until(p->heard == 1));
	for (uint32_t n = 1; n < 300; n++) {
		assert_true(bus_send(p->socket, span_of(NULL, 0), span_of(&n, sizeof(n))));
		int64_t before = (int64_t)uv_hrtime();
		assert_true(until(p->heard == n + 1));
		assert_true((int64_t)uv_hrtime() - before < (int64_t)2000000000);
	}
	assert_int_equal(p->out_of_order, 0);
	/* With nothing to do it sleeps: a second has few turns. */
	wait_ms(50);
	unsigned works = w.works;
	wait_ms(1000);
	assert_true(w.works - works < 100);
}

static void test_sizes(void **state)
{
	(void)state;
	static uint8_t big[LINK_FRAME_MAX + 1];
	struct span nobody = span_of(NULL, 0);
	add_dealers(2);
	assert_true(until(bus_send(w.peer[0].socket, nobody, nobody)));
	assert_true(until(w.came == 1)); /* an empty frame is a frame */
	assert_true(bus_send(w.peer[0].socket, nobody, span_of(big, LINK_FRAME_MAX)));
	assert_true(until(w.came == 2));
	assert_int_equal(w.longest, LINK_FRAME_MAX);
	/* One byte more is not taken, and does not hurt others. */
	assert_true(bus_send(w.peer[0].socket, nobody, span_of(big, LINK_FRAME_MAX + 1)));
	assert_true(until(bus_send(w.peer[1].socket, nobody, span_of(big, 7))));
	assert_true(until(w.came == 3));
	wait_ms(200);
	assert_int_equal(w.came, 3);
	assert_int_equal(w.longest, LINK_FRAME_MAX);
}

static void test_refusals(void **state)
{
	(void)state;
	struct err e = {0};
	struct bus_socket *s = NULL;
	assert_int_equal(bus_listen(w.bus, w.endpoint, on_router, &w, &s, &e), -EADDRINUSE);
	assert_non_null(strstr(err_text(&e), w.endpoint));
	assert_null(s);
	assert_int_equal(bus_listen(w.bus, "nonsense", on_router, &w, &s, &e), -EINVAL);
	assert_int_equal(bus_connect(w.bus, "tcp://nowhere", on_router, &w, &s, &e), -EINVAL);
	assert_null(s);
	/* To somebody who never came, to nobody, and on a socket that is closed. */
	assert_false(bus_send(w.router, span_str("stranger"), span_str("x")));
	assert_false(bus_send(NULL, span_str(""), span_str("x")));
	char endpoint[64];
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", free_port());
	struct peer lonely = {.world = &w};
	assert_int_equal(bus_connect(w.bus, endpoint, on_dealer, &lonely, &lonely.socket, &e), 0);
	assert_false(
		bus_send(lonely.socket, span_of(NULL, 0), span_str("x"))); /* IMMEDIATE: no queue to nobody */
	bus_socket_close(&lonely.socket);
	assert_null(lonely.socket);
	bus_socket_close(&lonely.socket);
}

/* A refused frame leaves no half of itself behind: what is sent next arrives whole. */
static void test_after_a_refusal(void **state)
{
	(void)state;
	w.answers = 1;
	add_dealers(1);
	for (int i = 0; i < 10; i++)
		assert_false(bus_send(w.router, span_str("stranger"), span_str("half")));
	uint32_t zero = 0;
	assert_true(until(bus_send(w.peer[0].socket, span_of(NULL, 0), span_of(&zero, sizeof(zero)))));
	assert_true(until(w.peer[0].heard == 1));
	assert_int_equal(w.peer[0].out_of_order, 0);
	assert_int_equal(w.refused, 0);
}

static void test_close_inside_a_callback(void **state)
{
	(void)state;
	w.close_on_frame = true;
	add_dealers(1);
	assert_true(until(bus_send(w.peer[0].socket, span_of(NULL, 0), span_str("x"))));
	for (int i = 0; i < 50; i++)
		bus_send(w.peer[0].socket, span_of(NULL, 0), span_str("more"));
	assert_true(until(w.came == 1));
	wait_ms(100);
	assert_int_equal(w.came, 1);
	assert_null(w.router);
}

/* What speaks another language on the port is turned away, and nobody else notices. */
static void test_garbage(void **state)
{
	(void)state;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	static const char *const words[] = {"GET / HTTP/1.1\r\n\r\n",
		"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""};
	int fds[40];
	w.answers = 1;
	a.sin_port = htons((uint16_t)strtol(strrchr(w.endpoint, ':') + 1, NULL, 10));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&a, sizeof(a)), 0);
		size_t len = i % 4 == 1 ? 10 : strlen(words[i % 4]);
		assert_int_equal(send(fds[i], words[i % 4], len, MSG_NOSIGNAL), (ssize_t)len);
	}
	add_dealers(1);
	start_pump();
	assert_true(until(all_heard(MANY)));
	assert_int_equal(w.came, MANY);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many),
		TEST(test_many_peers),
		TEST(test_single_frames_wake),
		TEST(test_sizes),
		TEST(test_refusals),
		TEST(test_after_a_refusal),
		TEST(test_close_inside_a_callback),
		TEST(test_garbage),
	};
	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
