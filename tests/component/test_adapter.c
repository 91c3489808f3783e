/* The host's side of the adapter protocol, against adapters that misbehave: shell scripts, written here. */
#include "common/adapter_line.h"
#include "common/jsonspan.h"
#include "tests/component/adapter_host.h"

#define HELLO "read -r hello; echo '{\"hello\":1,\"name\":\"t\",\"receive\":[\"poll\"]}'\n"

static struct host *script(const char *name, const char *body)
{
	char text[4096], path[256];
	int n = snprintf(text, sizeof(text), "#!/bin/sh\n%s", body);
	snprintf(path, sizeof(path), "%s", write_file(name, text, (size_t)n, 0755));
	return host_open(path, (const char *const[]){"a=1", "b=x=\"y\"", NULL}, "hush", "hush before", "c0");
}

static void hello_tells_everything(void **state)
{
	(void)state;
	char body[512];
	snprintf(body, sizeof(body),
		"read -r hello; printf '%%s\\n' \"$hello\" >%s; echo '{\"hello\":1}'; read -r x",
		test_path("hello.json"));
	struct host *h = script("hello", body);
	assert_true(host_until(h, host_health(h).state == ADAPTER_RUNNING));
	host_close(h);
	char text[2048] = "";
	FILE *f = fopen(test_path("hello.json"), "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "{\"hello\":[1],\"role\":\"read\",\"window\":512,\"channel\":\"acme-x\","
				  "\"settings\":{\"a\":\"1\",\"b\":"
				  "\"x=\\\"y\\\"\"},\"cursor\":\"c0\",\"secret\":\"hush\",\"previous_"
				  "secret\":\"hush before\"}\n");
}

static void it_is_restarted_with_the_committed_cursor(void **state)
{
	(void)state;
	struct host *h = script("crash",
		"read -r hello; echo '{\"hello\":1}'\n"
		"c=${hello##*\\\"cursor\\\":\\\"}; c=${c%%\\\"*}\n"
		"printf '{\"n\":1,\"cursor\":\"%s+\",\"post\":{\"native_id\":\"a\"}}\\n' \"$c\"\n"
		"echo 'the network said no' >&2; exit 3\n");
	snprintf(h->restart_cursor, sizeof(h->restart_cursor), "c1");
	assert_true(host_until(h, h->downs == 1));
	struct adapter_health health = host_health(h);
	assert_int_equal(health.state, ADAPTER_WAITING);
	assert_non_null(
		strstr(health.words, "it ended with status 3: the network said no; starting again in"));
	assert_string_equal(h->said, "the network said no");
	assert_true(host_until(h, h->n == 2));
	assert_string_equal(h->heard[0].cursor, "c0+");
	assert_string_equal(h->heard[1].cursor, "c1+");
	assert_int_equal(h->heard[0].n, 1);
	assert_int_equal(h->heard[1].n, 2); /* numbered across restarts */
	assert_int_equal(adapter_ack(h->a, 1), h->downs == 2 ? -EPIPE : 0);
	assert_true(host_until(h, h->downs == 3));
	assert_true(host_health(h).restarts >= 2);
	host_close(h);
}

static void what_a_dying_adapter_wrote_is_heard(void **state)
{
	(void)state;
	struct host *h =
		script("dying", HELLO "i=1; while [ $i -le 100 ]; do echo "
				      "\"{\\\"n\\\":$i,\\\"post\\\":{}}\"; i=$((i+1)); done; kill -9 $$\n");
	h->pause_on_line = true; /* held back while it ends */
	assert_true(host_until(h, h->n == 1));
	host_wait(h, 300);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->downs, 0);
	h->pause_on_line = false;
	adapter_pause(h->a, false);
	assert_true(host_until(h, h->downs == 1));
	assert_int_equal(h->n, 100);
	assert_non_null(strstr(host_health(h).words, "signal 9"));
	host_close(h);
}

static void the_window_holds_it_back(void **state)
{
	(void)state;
	struct host *h = script(
		"window", HELLO "i=1; while [ $i -le 600 ]; do echo \"{\\\"n\\\":$i,\\\"post\\\":{}}\"; "
				"i=$((i+1)); done; read -r x; read -r y\n");
	h->ack = false;
	assert_true(host_until(h, h->n == ADAPTER_WINDOW));
	host_wait(h, 200);
	assert_int_equal(h->n, ADAPTER_WINDOW);
	assert_int_equal(adapter_ack(h->a, 10), 0);
	assert_true(host_until(h, h->n == ADAPTER_WINDOW + 10));
	host_wait(h, 100);
	assert_int_equal(h->n, ADAPTER_WINDOW + 10);
	assert_int_equal(adapter_ack(h->a, 512), 0);
	assert_true(host_until(h, h->n == 600));
	host_close(h);
}

static void pause_stops_at_the_next_line(void **state)
{
	(void)state;
	struct host *h =
		script("pause", HELLO "i=1; while [ $i -le 50 ]; do echo \"{\\\"n\\\":$i,\\\"post\\\":{}}\"; "
				      "i=$((i+1)); done; read -r x\n");
	h->pause_on_line = true;
	for (size_t n = 1; n <= 50; n++) {
		assert_true(host_until(h, h->n == n));
		if (n == 3)
			host_wait(h, 100);
		assert_int_equal(h->n, n);
		adapter_pause(h->a, false);
	}
	host_close(h);
}

static void many_lines_in_one_write(void **state)
{
	(void)state;
	char body[512], *lines = calloc(1, 100000);
	size_t len = 0;
	for (int i = 1; i <= 200; i++)
		len += (size_t)snprintf(lines + len, 100000 - len,
			"{\"n\":%d, "
			"\"cursor\":\"%d\",\"posts\":[{\"t\":\"]}\\\"[\"},{}],\"places\":[\"f:%d\",\"g\"]}\n",
			i, i, i);
	write_file("lines", lines, len, 0644);
	snprintf(body, sizeof(body), HELLO "cat %s; echo '{\"end\":true}'\n", test_path("lines"));
	struct host *h = script("many", body);
	assert_true(host_until(h, h->downs == 1));
	assert_int_equal(host_health(h).state, ADAPTER_FINISHED);
	assert_int_equal(h->n, 200);
	assert_int_equal(h->posts, 400);
	assert_string_equal(h->heard[199].json, "{\"t\":\"]}\\\"[\"}");
	assert_string_equal(h->heard[199].place, "f:200");
	assert_string_equal(h->heard[199].cursor, "200");
	host_wait(h, 400); /* not started again */
	assert_int_equal(host_health(h).restarts, 0);
	host_close(h);
	free(lines);
}

static void protocol_errors_end_the_run(void **state)
{
	(void)state;
	static const struct {
		const char *name, *body, *words;
		enum adapter_state state;
	} rows[] = {
		{"garbage", HELLO "echo oops; sleep 9", "not the protocol: not a JSON object",
			ADAPTER_WAITING},
		{"broken", HELLO "echo '{\"n\":1,'; sleep 9", "not the protocol: not JSON", ADAPTER_WAITING},
		{"long", HELLO "head -c 2500000 /dev/zero | tr '\\0' a; sleep 9", "a line of more than",
			ADAPTER_WAITING},
		{"number", HELLO "echo '{\"n\":2,\"post\":{}}'; sleep 9", "line number 2 came after 0",
			ADAPTER_WAITING},
		{"early", "read -r x; echo '{\"n\":1,\"post\":{}}'; sleep 9", "first line was not hello",
			ADAPTER_WAITING},
		{"twice", HELLO "echo '{\"hello\":1}'; sleep 9", "it said hello twice", ADAPTER_WAITING},
		{"version", "read -r x; echo '{\"hello\":2}'; sleep 9", "version 2", ADAPTER_FAILED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = script(rows[i].name, rows[i].body);
		assert_true(host_until(h, h->downs == 1));
		struct adapter_health health = host_health(h);
		if (health.state != rows[i].state || !strstr(health.words, rows[i].words))
			fail_msg("%s: %d, \"%s\"", rows[i].name, (int)health.state, health.words);
		assert_int_equal(h->n, 0);
		host_close(h);
	}
}

static void a_missing_program_is_named(void **state)
{
	(void)state;
	struct host *h = host_open("/nowhere/adapter", NULL, NULL, NULL, NULL);
	assert_int_equal(host_health(h).state, ADAPTER_WAITING);
	assert_non_null(strstr(host_health(h).words, "/nowhere/adapter cannot be started: no such file"));
	assert_true(host_until(h, host_health(h).restarts == 2)); /* tried again, later each time */
	assert_int_equal(adapter_request(h->a, 1, "POST", "/", "", NULL, 0, span_of(NULL, 0)), -EPIPE);
	host_close(h);
}

static void health_is_passed_on(void **state)
{
	(void)state;
	struct host *h =
		script("health", HELLO "echo '{\"health\":{\"error\":\"token revoked\",\"lag_ms\":4}}'; read "
				       "-r x; echo '{\"health\":{}}'; read -r x\n");
	assert_true(host_until(h, host_health(h).words[0]));
	assert_string_equal(host_health(h).words, "token revoked");
	host_close(h);
}

static void requests_go_round(void **state)
{
	(void)state;
	char body[600];
	snprintf(body, sizeof(body),
		"read -r h; echo '{\"hello\":1,\"receive\":[\"webhook\"]}'; read -r r; printf '%%s\\n' "
		"\"$r\" >%s\n"
		"echo "
		"'{\"request\":7,\"respond\":{\"status\":401,\"body\":\"{\\\"error\\\":\\\"no\\\"}\"}}'; "
		"read -r x\n",
		test_path("request.json"));
	struct host *h = script("request", body);
	static const struct adapter_header headers[] = {{"X-Sig", "a"}, {"Host", "h"}, {"x-sig", "b\""}};
	assert_true(host_until(h, host_health(h).state == ADAPTER_RUNNING));
	assert_int_equal(
		adapter_request(h->a, 7, "POST", "/hook/c", "q=1", headers, 3, span_str("\x01{}")), 0);
	assert_true(host_until(h, h->n == 1));
	assert_int_equal(h->heard[0].request, 7);
	assert_int_equal(h->heard[0].status, 401);
	assert_string_equal(h->heard[0].body, "{\"error\":\"no\"}");
	char text[512] = "";
	FILE *f = fopen(test_path("request.json"), "r");
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "{\"request\":7,\"method\":\"POST\",\"path\":\"/hook/"
				  "c\",\"query\":\"q=1\",\"headers\":{\"x-sig\":"
				  "[\"a\",\"b\\\"\"],\"host\":\"h\"},\"body_base64\":\"AXt9\"}\n");
	host_close(h);
}

static void a_stubborn_adapter_is_killed(void **state)
{
	(void)state;
	struct host *h =
		script("stubborn", HELLO "echo '{\"n\":1,\"post\":{}}'; exec 0</dev/null; sleep 60\n");
	assert_true(host_until(h, h->n == 1));
	uint64_t before = uv_hrtime();
	host_close(h);
	double seconds = (double)(uv_hrtime() - before) / 1e9;
	assert_true(seconds > 4 && seconds < 9);
}

static void lines_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		const char *error; /* NULL: good */
	} rows[] = {
		{"{\"n\":1,\"post\":{}}", NULL},
		{" { \"n\" : 1 , \"posts\" : [ ] } ", NULL},
		{"{\"n\":1,\"cursor\":\"c\"}", NULL},
		{"{\"n\":1,\"post\":{},\"news\":[{}]}", NULL},
		{"{\"n\":1,\"bad\":{\"place\":\"f:1\",\"reason\":\"r\",\"raw_base64\":\"AAE=\",\"bytes\":2}}",
			NULL},
		{"{\"request\":1,\"respond\":{\"status\":200}}", NULL},
		{"{\"end\":true}", NULL},
		{"", "not a JSON object"},
		{"[1]", "not a JSON object"},
		{"{\"n\":1,\"post\":{}", "not JSON"},
		{"{\"n\":1,\"post\":{}}}", "not JSON"},
		{"{\"n\":1 \"post\":{}}", "not JSON"},
		{"{n:1}", "not JSON"},
		{"{\"n\":-1,\"post\":{}}", "\"n\" is not a whole number"},
		{"{\"n\":1e3,\"post\":{}}", "\"n\" is not a whole number"},
		{"{\"n\":99999999999999999999,\"post\":{}}", "\"n\" is not a whole number"},
		{"{\"post\":{}}", "without a line number"},
		{"{\"what\":1}", "none of hello"},
		{"{\"n\":1,\"posts\":{}}", "\"posts\" is not a list"},
		{"{\"n\":1,\"posts\":[{}],\"places\":[\"a\",\"b\"]}", "more \"places\" than \"posts\""},
		{"{\"n\":1,\"posts\":[{}],\"places\":[1]}", "\"places\" is not a string"},
		{"{\"n\":1,\"cursor\":\"\\u0000\"}", "\"cursor\" is not a string"},
		{"{\"n\":1,\"cursor\":\"\\ud800\"}", "\"cursor\" is not a string"},
		{"{\"n\":1,\"cursor\":\"\\q\"}", "\"cursor\" is not a string"},
		{"{\"n\":1,\"bad\":{\"place\":\"f:1\"}}", "\"bad\" is not an object"},
		{"{\"n\":1,\"bad\":{\"reason\":\"r\",\"raw_base64\":\"A\"}}", "not base 64"},
		{"{\"n\":1,\"request\":1,\"posts\":[]}", "without \"respond\""},
		{"{\"request\":1,\"respond\":{\"status\":99}}", "\"status\" from 200"},
	};
	struct arena a;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct adapter_said said;
		struct err e = {0};
		int r = adapter_line_parse(span_str(rows[i].line), &a, &said, &e);
		if (!r != !rows[i].error || (r && !strstr(e.text, rows[i].error)))
			fail_msg("%s: %d, \"%s\"", rows[i].line, r, e.text);
	}
	const char *s = NULL;
	assert_int_equal(jsonspan_string(span_str("\"a\\u00e9\\ud83d\\ude00\\n\\/\""), &a, &s), 0);
	assert_string_equal(s, "a\xc3\xa9\xf0\x9f\x98\x80\n/");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(hello_tells_everything),
		cmocka_unit_test(it_is_restarted_with_the_committed_cursor),
		cmocka_unit_test(what_a_dying_adapter_wrote_is_heard),
		cmocka_unit_test(the_window_holds_it_back),
		cmocka_unit_test(pause_stops_at_the_next_line),
		cmocka_unit_test(many_lines_in_one_write),
		cmocka_unit_test(protocol_errors_end_the_run),
		cmocka_unit_test(a_missing_program_is_named),
		cmocka_unit_test(health_is_passed_on),
		cmocka_unit_test(requests_go_round),
		cmocka_unit_test(a_stubborn_adapter_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
