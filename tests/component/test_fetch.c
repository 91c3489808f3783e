#include "tests/unit/check.h"

#include "common/buf.h"
#include "common/fetch.h"
#include "common/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Calls go to common/http.c in the same loop, or to a raw peer in a thread that plays a script: lines it says
 * and waits for. */
struct world {
	uv_loop_t loop;
	struct http *http;
	struct fetch *fetch;
	struct http_request *kept;
	int served;
	char seen[1000];
	/* the last answer */
	int done;
	enum fetch_result result;
	long status;
	int64_t retry_after_s;
	char body[2000], error[1000];
	size_t body_len;
	double seconds;
};

/* ------------------------------------------------------------------------------------------------ server */

static void on_ok(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	const char *type = http_header(r, "Content-Type"), *auth = http_header(r, "Authorization");
	w->served++;
	snprintf(w->seen, sizeof(w->seen), "%s %s x=%s type=%s auth=%s body=%.*s", http_method(r),
		http_path(r), http_header(r, "X-Test") ? http_header(r, "X-Test") : "", type ? type : "",
		auth ? auth : "", (int)http_body(r).len, (const char *)http_body(r).data);
	http_reply_text(r, 200, "fine");
}

static void on_busy(struct http_request *r, void *ctx)
{
	(void)ctx;
	http_reply_header(r, "Retry-After", "17");
	http_reply_error(r, 503, "later");
}

static void on_redirect(struct http_request *r, void *ctx)
{
	(void)ctx;
	http_reply_header(r, "Location", "/ok");
	http_reply_text(r, 302, "elsewhere");
}

static void on_never(struct http_request *r, void *ctx)
{
	struct world *w = ctx;
	w->kept = r;
}

static void on_bomb(struct http_request *r, void *ctx)
{
	(void)ctx;
	size_t len = (size_t)4 * 1024 * 1024;
	char *data = malloc(len);
	memset(data, 'b', len);
	http_reply(r, 200, "text/plain", span_of(data, len));
	free(data);
}

static struct http_route routes[] = {
	{"GET", "/ok", on_ok, NULL, ""},
	{"POST", "/ok", on_ok, NULL, ""},
	{"PUT", "/ok", on_ok, NULL, ""},
	{"DELETE", "/ok", on_ok, NULL, ""},
	{"GET", "/busy", on_busy, NULL, ""},
	{"GET", "/redirect", on_redirect, NULL, ""},
	{"POST", "/never", on_never, NULL, ""},
	{"GET", "/bomb", on_bomb, NULL, ""},
	{0},
};

static const char *const loopback[] = {"127.0.0.0/8", "::1", NULL};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_options o = {.address = "127.0.0.1:0", .routes = routes};
	for (struct http_route *r = routes; r->method; r++)
		r->ctx = w;
	uv_loop_init(&w->loop);
	*state = w;
	return http_open(&w->http, &w->loop, &o, NULL) ? -1 : fetch_open(&w->fetch, &w->loop, loopback, NULL);
}

static int tear_down(void **state)
{
	struct world *w = *state;
	fetch_close(&w->fetch);
	fetch_close(&w->fetch);
	http_close(&w->http);
	if (w->kept)
		http_reply_text(w->kept, 200, "too late");
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int r = uv_loop_close(&w->loop);
	free(w);
	return r;
}

/* ------------------------------------------------------------------------------------------------ calls */

static void on_fetched(const struct fetch_response *response, void *ctx)
{
	struct world *w = ctx;
	w->done++;
	w->result = response->result;
	w->status = response->status;
	w->retry_after_s = response->retry_after_s;
	w->body_len = response->body.len;
	snprintf(w->body, sizeof(w->body), "%.*s", (int)MIN(response->body.len, (size_t)1000),
		(const char *)response->body.data);
	snprintf(w->error, sizeof(w->error), "%s", response->error);
	w->seconds = response->seconds;
}

static void call(struct world *w, struct fetch_request *request)
{
	struct err e = {0};
	w->done = 0;
	if (fetch_start(w->fetch, request, on_fetched, w, &e))
		fail_msg("%s: %s", request->url, e.text);
	assert_int_equal(w->done, 0);
	assert_int_equal(fetch_running(w->fetch), 1);
	while (!w->done)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(w->done, 1);
	assert_int_equal(fetch_running(w->fetch), 0);
}

static const char *url(int port, const char *rest)
{
	static char text[200];
	snprintf(text, sizeof(text), "http://127.0.0.1:%d%s", port, rest);
	return text;
}

static void test_answers(void **state)
{
	struct world *w = *state;
	const struct fetch_header headers[] = {{"X-Test", "7"}, {"Content-Type", "application/json"}};
	struct fetch_request r = {.url = url(http_port(w->http), "/ok")};
	call(w, &r);
	assert_int_equal(w->result, FETCH_ANSWERED);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "fine");
	assert_string_equal(w->error, "");
	assert_int_equal(w->retry_after_s, -1);
	assert_string_equal(w->seen, "GET /ok x= type= auth= body=");
	assert_true(w->seconds >= 0 && w->seconds < 5);

	r.body = span_str("{}");
	call(w, &r);
	assert_string_equal(w->seen, "POST /ok x= type= auth= body={}");
	r.headers = headers;
	r.n_headers = 2;
	r.method = "PUT";
	r.user = "u";
	r.password = "p";
	call(w, &r);
	assert_string_equal(w->seen, "PUT /ok x=7 type=application/json auth=Basic dTpw body={}");
	r = (struct fetch_request){.url = url(http_port(w->http), "/ok"), .method = "POST"};
	call(w, &r);
	assert_string_equal(w->seen, "POST /ok x= type= auth= body=");
	r.method = "DELETE";
	call(w, &r);
	assert_string_equal(w->seen, "DELETE /ok x= type= auth= body=");
	r.method = "HEAD";
	call(w, &r);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "");

	r = (struct fetch_request){.url = url(http_port(w->http), "/busy")};
	call(w, &r);
	assert_int_equal(w->result, FETCH_ANSWERED);
	assert_int_equal(w->status, 503);
	assert_int_equal(w->retry_after_s, 17);
	r.url = url(http_port(w->http), "/redirect");
	w->seen[0] = 0;
	call(w, &r);
	assert_int_equal(w->status, 302);
	assert_string_equal(w->seen, ""); /* not followed */
}

static void test_time_out_after_sending(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {
		.url = url(http_port(w->http), "/never"), .body = span_str("x"), .timeout_ms = 300};
	call(w, &r);
	assert_non_null(w->kept);
	assert_int_equal(w->result, FETCH_UNKNOWN);
	assert_int_equal(w->status, 0);
	assert_non_null(strstr(w->error, "timed out"));
	assert_true(w->seconds < 3);
}

/* Calls in the air when everything is closed: one that was sent and one that was not. */
static void test_close_in_flight(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {.url = url(http_port(w->http), "/never"), .body = span_str("x")};
	assert_int_equal(fetch_start(w->fetch, &r, on_fetched, w, NULL), 0);
	while (!w->kept)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(w->done, 0);
	fetch_close(&w->fetch);
	assert_null(w->fetch);
	assert_int_equal(w->done, 1);
	assert_int_equal(w->result, FETCH_UNKNOWN);

	assert_int_equal(fetch_open(&w->fetch, &w->loop, loopback, NULL), 0);
	assert_int_equal(fetch_start(w->fetch, &r, on_fetched, w, NULL), 0);
	fetch_close(&w->fetch);
	assert_int_equal(w->done, 2);
	assert_int_equal(w->result, FETCH_NOT_SENT);
}

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&a, size) || getsockname(fd, (struct sockaddr *)&a, &size))
		return -1;
	close(fd);
	return ntohs(a.sin_port);
}

static void test_nothing_listens(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {.url = url(free_port(), "/ok"), .body = span_str("x")};
	call(w, &r);
	assert_int_equal(w->result, FETCH_NOT_SENT);
	assert_int_equal(w->status, 0);
	assert_non_null(strstr(w->error, "connect"));
	r.url = "http://no-such-host.invalid/";
	call(w, &r);
	assert_int_equal(w->result, FETCH_NOT_SENT);
}

static void test_bombs(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {.url = url(http_port(w->http), "/bomb")};
	call(w, &r);
	assert_int_equal(w->result, FETCH_UNKNOWN);
	assert_int_equal(w->status, 200);
	assert_true(w->body_len <= 64 * 1024);
	assert_non_null(strstr(w->error, "longer than 65536"));
	r.response_max = (size_t)5 * 1024 * 1024;
	call(w, &r);
	assert_int_equal(w->result, FETCH_ANSWERED);
	assert_int_equal(w->body_len, 4 * 1024 * 1024);
	r.response_max = 3; /* "fine" has four */
	r.url = url(http_port(w->http), "/ok");
	call(w, &r);
	assert_int_equal(w->result, FETCH_UNKNOWN);
}

static void test_bad_requests(void **state)
{
	struct world *w = *state;
	static const char *const to[] = {"a@b.example", NULL}, *const to_split[] = {"a@b>\r\nDATA", NULL};
	static const struct fetch_header split = {"X", "a\r\nHost: b"}, name = {"X: a", "b"},
					 none = {"", "b"};
	static const struct {
		struct fetch_request request;
		const char *error;
	} rows[] = {
		{{.url = ""}, "not an address"},
		{{.url = "no-scheme.example/x"}, "not an address"},
		{{.url = "http://"}, "not an address"},
		{{.url = "http://a b/"}, "not an address"},
		{{.url = "http://a/\r\nX: y"}, "not an address"},
		{{.url = "http://a:99999/"}, "not an address"},
		{{.url = "file:///etc/passwd"}, "scheme file"},
		{{.url = "gopher://127.0.0.1/x"}, "scheme gopher"},
		{{.url = "dict://127.0.0.1/x"}, "scheme dict"},
		{{.url = "ftp://example.org/x"}, "scheme ftp"},
		{{.url = "telnet://example.org"}, "scheme telnet"},
		{{.url = "javascript:alert(1)"}, ""},
		{{.url = "http://a@127.0.0.1/"}, "user name"},
		{{.url = "http://a:secret@127.0.0.1/"}, "user name"},
		{{.url = "http://a/", .require_tls = true}, "https"},
		{{.url = "http://a/", .headers = &split, .n_headers = 1}, "header 1"},
		{{.url = "http://a/", .headers = &name, .n_headers = 1}, "header 1"},
		{{.url = "http://a/", .headers = &none, .n_headers = 1}, "header 1"},
		{{.url = "http://a/", .method = "GET /x HTTP/1.1\r\n"}, "method"},
		{{.url = "http://a/", .method = ""}, "method"},
		{{.url = "smtp://a/", .mail_to = to}, "sender"},
		{{.url = "smtp://a/", .mail_from = "a@b"}, "recipient"},
		{{.url = "smtp://a/", .mail_from = "a@b", .mail_to = to}, "text"},
		{{.url = "smtp://a/",
			 .mail_from = "a@b",
			 .mail_to = to_split,
			 .body = {(const uint8_t *)"x", 1}},
			"line break"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = {0};
		int r = fetch_start(w->fetch, &rows[i].request, on_fetched, w, &e);
		if (r != -EINVAL || !strstr(e.text, rows[i].error) || strstr(e.text, "secret"))
			fail_msg("row %zu: %d %s", i, r, e.text);
	}
	assert_int_equal(fetch_running(w->fetch), 0);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(w->done, 0);
}

/* S7: every spelling of an inner address that libcurl understands; nothing may arrive. */
static void test_inner_addresses(void **state)
{
	struct world *w = *state;
	static const char *const hosts[] = {"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0",
		"0.0.0.0", "localhost", "LOCALHOST.", "[::1]", "[::]", "[::ffff:127.0.0.1]",
		"[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
		"[fd00::1]", "[fec0::1]", "[ff02::1]", "169.254.169.254", "10.0.0.1", "172.16.0.1",
		"172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
		"240.0.0.1", "127.0.0.1%2f@example", "\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1"};
	fetch_close(&w->fetch);
	assert_int_equal(fetch_open(&w->fetch, &w->loop, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		char text[200];
		struct err e = {0};
		snprintf(text, sizeof(text), "http://%s:%d/ok", hosts[i], http_port(w->http));
		struct fetch_request r = {.url = text, .timeout_ms = 2000};
		w->done = 0;
		if (fetch_start(w->fetch, &r, on_fetched, w, &e) == 0)
			while (!w->done)
				uv_run(&w->loop, UV_RUN_ONCE);
		if (w->done && w->result != FETCH_NOT_SENT)
			fail_msg("%s: result %d, status %ld", text, (int)w->result, w->status);
		if (i < 7 && (!w->done || !strstr(w->error, "is not allowed")))
			fail_msg("%s: %s%s", text, e.text, w->error);
	}
	assert_int_equal(w->served, 0);

	/* An open range opens just that. */
	static const char *const one[] = {"127.0.0.2/32", NULL};
	fetch_close(&w->fetch);
	assert_int_equal(fetch_open(&w->fetch, &w->loop, one, NULL), 0);
	struct fetch_request r = {.url = url(http_port(w->http), "/ok")};
	call(w, &r);
	assert_string_equal(w->error, "the address 127.0.0.1 is not allowed");
	setenv("http_proxy", url(http_port(w->http), ""), 1); /* not a way around either */
	r.url = "http://10.0.0.1/ok";
	call(w, &r);
	unsetenv("http_proxy");
	assert_int_equal(w->result, FETCH_NOT_SENT);
	assert_int_equal(w->served, 0);
}

static void test_ranges(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8x",
		"::/129", "10/8", "example.org", "10.0.0.0/-1",
		"1111111111111111111111111111111111111111111111111111/8"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fetch *f = NULL;
		struct err e = {0};
		const char *const list[] = {"10.0.0.0/8", bad[i], NULL};
		if (fetch_open(&f, &w->loop, list, &e) != -EINVAL || f || !strstr(e.text, bad[i]))
			fail_msg("%s: %s", bad[i], e.text);
	}
}

static void on_again(const struct fetch_response *response, void *ctx)
{
	struct world *w = ctx;
	(void)response;
	struct fetch_request r = {.url = url(http_port(w->http), "/ok")};
	if (++w->done < 5 && fetch_start(w->fetch, &r, on_again, w, NULL))
		abort();
	else if (w->done == 5)
		fetch_close(&w->fetch);
}

static void test_start_and_close_in_done(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {.url = url(http_port(w->http), "/ok")};
	assert_int_equal(fetch_start(w->fetch, &r, on_again, w, NULL), 0);
	while (w->done < 5)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_null(w->fetch);
}

static void count(const struct fetch_response *response, void *ctx)
{
	struct world *w = ctx;
	w->done += response->result == FETCH_ANSWERED && response->status == 200;
}

static void test_many(void **state)
{
	struct world *w = *state;
	struct fetch_request r = {.url = url(http_port(w->http), "/ok")};
	for (int i = 0; i < 40; i++)
		assert_int_equal(fetch_start(w->fetch, &r, count, w, NULL), 0);
	assert_int_equal(fetch_running(w->fetch), 40);
	while (fetch_running(w->fetch))
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(w->done, 40);
}

/* ------------------------------------------------------------------------------------------------ a raw peer
 */

struct step {
	const char *wait; /* read until this has come; NULL = do not wait */
	const char *say;  /* then say this; NULL = go silent until the client leaves, "" = hang up */
};

struct peer {
	int fd, port;
	const struct step *steps;
	pthread_t thread;
	struct buf got;
};

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	char data[4096];
	int fd = accept(p->fd, NULL, NULL);
	struct timeval limit = {.tv_sec = 10};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	size_t from = 0;
	for (const struct step *s = p->steps; fd >= 0; s++) {
		while (s->wait && !strstr(buf_str(&p->got) + from, s->wait)) {
			ssize_t n = recv(fd, data, sizeof(data), 0);
			if (n <= 0)
				goto out;
			buf_add(&p->got, data, (size_t)n);
		}
		from = s->wait ? p->got.len : from;
		if (!s->say) {
			ssize_t n;
			while ((n = recv(fd, data, sizeof(data), 0)) > 0)
				buf_add(&p->got, data, (size_t)n);
			break;
		}
		if (!s->say[0])
			break;
		if (send(fd, s->say, strlen(s->say), MSG_NOSIGNAL) < 0)
			break;
	}
out:
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void peer_start(struct peer *p, const struct step *steps)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(a);
	*p = (struct peer){.fd = socket(AF_INET, SOCK_STREAM, 0), .steps = steps};
	buf_init(&p->got, (size_t)1024 * 1024);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(p->fd, 8), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &size), 0);
	p->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static void peer_finish(struct peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	close(p->fd);
	pthread_join(p->thread, NULL);
	buf_free(&p->got);
}

static const char MAIL[] = "Subject: hi\r\nFrom: a@b.example\r\n\r\nText\r\n.dot\r\n";

static const struct {
	const char *name;
	struct step steps[10];
	enum fetch_result result;
	long status;
	const char *body, *got;
} mails[] = {
	{"accepted",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250-peer\r\n250 SIZE 1000000\r\n"},
			{"MAIL FROM:<a@b.example>", "250 ok\r\n"}, {"RCPT TO:<c@d.example>", "250 ok\r\n"},
			{"RCPT TO:<e@f.example>", "250 ok\r\n"}, {"DATA", "354 go on\r\n"},
			{"\r\n.\r\n", "250 2.0.0 queued as X1\r\n"}, {NULL, NULL}},
		FETCH_ANSWERED, 250, "250 2.0.0 queued as X1", "Text\r\n..dot\r\n.\r\n"},
	{"greeted with a refusal", {{NULL, "554 go away\r\n"}, {NULL, NULL}}, FETCH_ANSWERED, 554,
		"554 go away", ""},
	{"recipient refused",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"},
			{"RCPT", "550 5.1.1 unknown\r\n"}, {"RCPT", "550 5.1.1 unknown\r\n"},
			{NULL, NULL}}, /* does not even answer QUIT */
		FETCH_ANSWERED, 550, "550 5.1.1 unknown", ""},
	{"one of two recipients refused",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"},
			{"RCPT", "550 5.1.1 unknown\r\n"}, {"RCPT", "250 ok\r\n"}, {"DATA", "354 go on\r\n"},
			{"\r\n.\r\n", "250 2.0.0 queued\r\n"}, {NULL, NULL}},
		FETCH_ANSWERED, 250, "250 2.0.0 queued", ""},
	{"try again",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "451 4.7.1 greylisted\r\n"},
			{"QUIT", "221 bye\r\n"}, {NULL, ""}},
		FETCH_ANSWERED, 451, "451 4.7.1 greylisted", ""},
	{"text refused",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"},
			{"RCPT", "250 ok\r\n"}, {"RCPT", "250 ok\r\n"}, {"DATA", "354 go on\r\n"},
			{"\r\n.\r\n", "554 5.7.1 spam\r\n"}, {NULL, NULL}},
		FETCH_ANSWERED, 554, "554 5.7.1 spam", ""},
	{"hangs up before the text",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"}, {"RCPT", ""}},
		FETCH_NOT_SENT, 250, "", ""},
	{"silent before the text", {{NULL, "220 hello\r\n"}, {"EHLO", NULL}}, FETCH_NOT_SENT, 220, "", ""},
	{"silent after the text",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"},
			{"RCPT", "250 ok\r\n"}, {"RCPT", "250 ok\r\n"}, {"DATA", "354 go on\r\n"},
			{"\r\n.\r\n", NULL}},
		FETCH_UNKNOWN, 354, "", ""},
	{"hangs up after the text",
		{{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"MAIL", "250 ok\r\n"},
			{"RCPT", "250 ok\r\n"}, {"RCPT", "250 ok\r\n"}, {"DATA", "354 go on\r\n"},
			{"\r\n.\r\n", ""}},
		FETCH_UNKNOWN, 354, "", ""},
	{"not a mail server", {{NULL, "HTTP/1.1 400 Bad\r\n\r\n"}, {NULL, ""}}, FETCH_NOT_SENT, 0, "", ""},
};

static void test_mail(void **state)
{
	struct world *w = *state;
	static const char *const to[] = {"c@d.example", "e@f.example", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(mails); i++) {
		struct peer p;
		char text[100];
		struct timespec before, after;
		peer_start(&p, mails[i].steps);
		snprintf(text, sizeof(text), "smtp://127.0.0.1:%d/client.example", p.port);
		struct fetch_request r = {.url = text,
			.body = span_str(MAIL),
			.mail_from = "a@b.example",
			.mail_to = to,
			.timeout_ms = 1500};
		clock_gettime(CLOCK_MONOTONIC, &before);
		call(w, &r);
		clock_gettime(CLOCK_MONOTONIC, &after);
		long took = after.tv_sec - before.tv_sec;
		if (w->result != mails[i].result || (mails[i].status && w->status != mails[i].status) ||
			!strstr(w->body, mails[i].body) || took > 4)
			fail_msg("%s: result %d, status %ld, body %s, error %s, %ld s", mails[i].name,
				(int)w->result, w->status, w->body, w->error, took);
		if (mails[i].got[0] && !strstr(buf_str(&p.got), mails[i].got))
			fail_msg("%s: the peer got %s", mails[i].name, buf_str(&p.got));
		peer_finish(&p);
	}
}

static void test_mail_without_tls(void **state)
{
	struct world *w = *state;
	static const char *const to[] = {"c@d.example", NULL};
	static const struct step steps[] = {
		{NULL, "220 hello\r\n"}, {"EHLO", "250 peer\r\n"}, {"QUIT", "221 bye\r\n"}, {NULL, ""}};
	struct peer p;
	char text[100];
	peer_start(&p, steps);
	snprintf(text, sizeof(text), "smtp://127.0.0.1:%d", p.port);
	struct fetch_request r = {.url = text,
		.body = span_str(MAIL),
		.mail_from = "a@b.example",
		.mail_to = to,
		.user = "u",
		.password = "geheim",
		.require_tls = true,
		.timeout_ms = 1500};
	call(w, &r);
	assert_int_equal(w->result, FETCH_NOT_SENT);
	assert_null(strstr(buf_str(&p.got), "AUTH"));
	assert_null(strstr(buf_str(&p.got), "MAIL"));
	assert_null(strstr(w->error, "geheim"));
	peer_finish(&p);
}

/* HTTP peers that do odd things. */
static void test_raw_http(void **state)
{
	struct world *w = *state;
	static char many_headers[200000];
	int n = snprintf(many_headers, 100, "HTTP/1.1 200 OK\r\n");
	while ((size_t)n + 40 < sizeof(many_headers))
		n += snprintf(many_headers + n, 40, "X-%06d: abcdefghijkl\r\n", n);
	static const struct {
		const char *name;
		struct step steps[4];
		enum fetch_result result;
		long status;
	} rows[] = {
		{"hangs up unheard", {{NULL, ""}}, FETCH_UNKNOWN, 0},
		{"hangs up after the request", {{"\r\n\r\n", ""}}, FETCH_UNKNOWN, 0},
		{"half an answer",
			{{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}, {NULL, ""}},
			FETCH_UNKNOWN, 200},
		/* curl takes the end of the connection for the end of the header; the status has come, so be
		   it */
		{"half a header", {{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-"}, {NULL, ""}}, FETCH_ANSWERED,
			200},
		{"no HTTP", {{"\r\n\r\n", "220 hello\r\n"}, {NULL, ""}}, FETCH_UNKNOWN, 0},
		{"a continue and no more", {{"\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}, {NULL, ""}},
			FETCH_UNKNOWN, 0},
		{"ten thousand headers", {{"\r\n\r\n", many_headers}, {NULL, NULL}}, FETCH_UNKNOWN, 200},
		{"no length", {{"\r\n\r\n", "HTTP/1.0 201 Made\r\n\r\nall"}, {NULL, ""}}, FETCH_ANSWERED,
			201},
		{"endless chunks, slowly",
			{{"\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
				{NULL, NULL}},
			FETCH_UNKNOWN, 200},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peer p;
		peer_start(&p, rows[i].steps);
		struct fetch_request r = {
			.url = url(p.port, "/x"), .body = span_str("{}"), .timeout_ms = 1000};
		call(w, &r);
		peer_finish(&p);
		/* Who hangs up at once may do so before or after the request has left. */
		bool right = w->result == rows[i].result || (i == 0 && w->result == FETCH_NOT_SENT);
		if (!right || (rows[i].status && w->status != rows[i].status))
			fail_msg("%s: result %d, status %ld, error %s", rows[i].name, (int)w->result,
				w->status, w->error);
		assert_true((w->error[0] != 0) == (w->result != FETCH_ANSWERED));
	}
}

/* A kept connection on which the peer hangs up when the next request comes: curl would send again by itself,
 * and the peer would act twice. */
static void test_never_sent_twice(void **state)
{
	struct world *w = *state;
	static const struct step steps[] = {
		{"one", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, {"two", ""}};
	struct peer p;
	peer_start(&p, steps);
	struct fetch_request r = {.url = url(p.port, "/x"), .body = span_str("one"), .timeout_ms = 1000};
	call(w, &r);
	assert_int_equal(w->status, 200);
	r.body = span_str("two");
	call(w, &r); /* the peer accepts one connection only, so this one is never answered */
	assert_int_equal(w->result, FETCH_UNKNOWN);
	assert_null(strstr(buf_str(&p.got), "two"));
	peer_finish(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_time_out_after_sending),
		TEST(test_close_in_flight),
		TEST(test_nothing_listens),
		TEST(test_bombs),
		TEST(test_bad_requests),
		TEST(test_inner_addresses),
		TEST(test_ranges),
		TEST(test_start_and_close_in_done),
		TEST(test_many),
		TEST(test_mail),
		TEST(test_mail_without_tls),
		TEST(test_raw_http),
		TEST(test_never_sent_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
