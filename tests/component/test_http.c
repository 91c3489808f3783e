/* The HTTP server: what it makes of requests, well-formed or not, and of large ones. */
#include "tests/component/http_stage.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

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
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
