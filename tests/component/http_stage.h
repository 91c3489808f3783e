/*
 * http_stage.h - for tests of the HTTP server. It runs in the test's own loop, clients with plain blocking
 * sockets in threads. Clients never assert: they leave what they got, and the test looks at it when they are
 * done.
 */
#ifndef ASCOLTO_TESTS_HTTP_STAGE_H
#define ASCOLTO_TESTS_HTTP_STAGE_H

#include "common/http.h"
#include "tests/unit/check.h"

#include <uv.h>

#define PARALLEL 200
#define END " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

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

int dial(int port);
void send_all(int fd, const char *data, size_t len);
void client_start(struct world *w, struct client *c);
void clients_finish(struct world *w, struct client *c, size_t n);
/* One request; the answer is the caller's to free. */
char *talk_len(struct world *w, const char *request, size_t len);
/* A request whose answer must begin with "HTTP/1.1 <status> " and hold `part`. */
void talk(struct world *w, const char *request, int status, const char *part);
void run_for(struct world *w, uint64_t ms);

int set_up(void **state);
int tear_down(void **state); /* nothing may be left in the loop */
extern struct http_route routes[];

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
