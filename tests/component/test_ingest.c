/* The service as the process it is: files and webhooks in, counters, quarantine and answers out. */
#include "common/buf.h"
#include "services/adapters/webhook/signature.h"
#include "tests/component/files.h"

#include <curl/curl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define HTTP 21411
#define LISTEN 21421
#define POST_JSON(id)                                                                                        \
	"{\"native_id\":\"" id "\",\"kind\":\"message\",\"text\":\"ciao\",\"author\":{\"handle\":\"ada\"}}"

static pid_t service;

/* ---- calls ---- */

static size_t take(char *data, size_t size, size_t n, void *out)
{
	buf_add(out, data, size * n);
	return size * n;
}

/* The status; 0 when nobody answers. `headers` may be NULL. */
static long call(const char *method, unsigned port, const char *path, struct curl_slist *headers,
	struct span body, struct buf *out)
{
	char url[256];
	long status = 0;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
	CURL *c = curl_easy_init();
	buf_reset(out);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	if (str_eq(method, "POST")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data ? (const char *)body.data : "");
	}
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	return status;
}

static struct curl_slist *add(struct curl_slist *l, const char *fmt, const char *value)
{
	char text[512];
	snprintf(text, sizeof(text), fmt, value);
	return curl_slist_append(l, text);
}

/* A delivery to /hook/CHANNEL, signed with `secret`. */
static long deliver(
	const char *channel, const char *secret, const char *type, const char *body, struct buf *out)
{
	char t[32], hex[SIGNATURE_HEX + 1], value[160], path[64];
	snprintf(t, sizeof(t), "%" PRId64, (int64_t)time(NULL));
	signature_make(secret, t, span_str(body), hex);
	snprintf(value, sizeof(value), "t=%s,v1=%s", t, hex);
	snprintf(path, sizeof(path), "/hook/%s", channel);
	struct curl_slist *headers = add(NULL, "Content-Type: %s", type);
	headers = add(headers, "X-Ascolto-Signature: %s", value);
	headers = add(headers, "X-Ascolto-Delivery: %s", "d7");
	headers = add(headers, "Expect:%s", "");
	long status = call("POST", LISTEN, path, headers, span_str(body), out);
	curl_slist_free_all(headers);
	return status;
}

static double metric(const char *name)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	double value = -1;
	if (call("GET", HTTP, "/metrics", NULL, span_of(NULL, 0), &out) == 200) {
		char line[160];
		snprintf(line, sizeof(line), "\n%s ", name);
		const char *at = strstr(buf_str(&out), line);
		value = at ? strtod(at + strlen(line), NULL) : -1;
	}
	buf_free(&out);
	return value;
}

static bool becomes(const char *name, double want)
{
	for (int i = 0; i < 200; i++, usleep(50000))
		if (metric(name) == want)
			return true;
	print_message("%s is %f, not %f\n", name, metric(name), want);
	return false;
}

/* True when some message in quarantine has these words for its reason. */
static bool quarantined(const char *words)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	bool found = false;
	call("GET", HTTP, "/-/quarantine", NULL, span_of(NULL, 0), &out);
	json_t *all = json_loadb(buf_str(&out), out.len, 0, NULL), *item;
	size_t i;
	json_array_foreach(json_object_get(all, "items"), i, item)
	{
		const char *reason = json_string_value(json_object_get(item, "reason"));
		found |= reason && strstr(reason, words);
	}
	json_decref(all);
	buf_free(&out);
	return found;
}

/* ---- the service ---- */

static const char settings[] =
	"data: %s/state\nunsafe_fs: true\n"
	"services:\n"
	"  ingest: {link: \"tcp://127.0.0.1:21401\", http: \"127.0.0.1:21411\", listen: "
	"\"127.0.0.1:21421\"}\n"
	"  enrichment: {link: \"tcp://127.0.0.1:21402\", http: \"127.0.0.1:21412\"}\n"
	"  intent: {link: \"tcp://127.0.0.1:21403\", http: \"127.0.0.1:21413\"}\n"
	"  escalation: {link: \"tcp://127.0.0.1:21404\", http: \"127.0.0.1:21414\"}\n"
	"  notification: {link: \"tcp://127.0.0.1:21405\", http: \"127.0.0.1:21415\"}\n"
	"  console: {link: \"tcp://127.0.0.1:21406\", http: \"127.0.0.1:21416\", listen: "
	"\"127.0.0.1:21420\"}\n"
	"brands:\n"
	"  - {name: acme, title: Acme, playbook: playbook.yaml, language: en}\n"
	"channels:\n"
	"  - {name: web, brand: acme, network: web, adapter: webhook, secret_file: secret}\n"
	"  - {name: all, brand: acme, network: x, adapter: webhook, secret_file: secret, catch_all: true}\n"
	"  - {name: storm, brand: acme, network: x, adapter: jsonl, settings: [\"file=%s/storm.jsonl\"]}\n"
	"  - {name: broken, brand: acme, network: x, adapter: \"%s/broken\"}\n";

static void start(void)
{
	char config[256];
	snprintf(config, sizeof(config), "%s", test_path("ascolto.yaml"));
	service = fork();
	if (service == 0) {
		int log = open(test_path("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(log, STDERR_FILENO);
		execl(BINARY_DIR "/bin/ascolto-ingest", "ascolto-ingest", "-c", config, (char *)NULL);
		_exit(127);
	}
	assert_true(becomes("ascolto_ready", 1));
}

static int end(int signal)
{
	int status = 0;
	kill(service, signal);
	waitpid(service, &status, 0);
	service = 0;
	return status;
}

static int write_settings(void **state)
{
	(void)state;
	char text[4096], folder[256];
	snprintf(folder, sizeof(folder), "%s", test_path("."));
	int n = snprintf(text, sizeof(text), settings, folder, folder, folder);
	write_file("ascolto.yaml", text, (size_t)n, 0600);
	write_file("secret", "s3cret\n", 7, 0600);
	write_file("playbook.yaml", "", 0, 0600);
	static const char broken[] = "#!/bin/sh\necho 'the token was revoked' >&2; exit 1\n";
	write_file("broken", broken, sizeof(broken) - 1, 0700);
	static const char storm[] = POST_JSON(
		"f1") "\n"
		      "{\"native_id\":\"broken\n"
		      "{\"native_id\":\"f2\",\"kind\":\"foo\"}\n"
		      "{\"native_id\":\"f3\",\"kind\":\"message\",\"created_at_ms\":99999999999999}\n"
		      "{\"native_id\":\"f4\",\"kind\":\"message\",\"created_at_ms\":5}\n"
		      "{\"native_id\":\"f5\",\"kind\":\"message\",\"channel\":\"elsewhere\"}\n"
		      "{\"native_id\":\"f6\",\"kind\":\"message\",\"text\":[]}\n"
		      "{\"kind\":\"message\"}\n"
		      "{\"native_id\":\"\xff\"}\n" POST_JSON("f7") "\n" POST_JSON(
			      "f1") "\n"
				    "{\"native_id\":\"f8\",\"kind\":\"message\",\"author\":{},\"x\":7,"
				    "\"channel\":\"storm\"}";
	write_file("storm.jsonl", storm, sizeof(storm) - 1, 0600);
	start();
	return 0;
}

static int stop_service(void **state)
{
	(void)state;
	if (service)
		end(SIGKILL);
	return 0;
}

/* ---- what must hold ---- */

static void bad_lines_go_to_quarantine_and_good_ones_pass(void **state)
{
	(void)state;
	assert_true(becomes("ascolto_accepted_total", 3)); /* f1, f7, f8 */
	assert_true(becomes("ascolto_duplicates_total", 1));
	assert_true(becomes("ascolto_quarantine_messages", 8));
	static const char *const reasons[] = {
		"storm.jsonl:2: line 1, column ",
		"storm.jsonl:3: unknown kind \"foo\" (known: message, ",
		"storm.jsonl:4: created_at_ms 99999999999999 (5138-11-16T09:46:39Z) is in the future",
		"storm.jsonl:5: created_at_ms 5 (1970-01-01T00:00:00Z) is before 2000",
		"storm.jsonl:6: unknown channel \"elsewhere\" (known: web, all, storm, broken)",
		"storm.jsonl:7: field \"text\" must be a string",
		"storm.jsonl:8: field \"native_id\" is missing",
		"storm.jsonl:9: line 1, column 15: not UTF-8 at byte offset 14",
	};
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!quarantined(reasons[i]))
			fail_msg("nothing in quarantine because of: %s", reasons[i]);
	assert_true(metric("ascolto_ingest_refused_total{reason=\"far_future\"}") == 1);
	assert_true(metric("ascolto_ingest_channel_refused_total{channel=\"storm\"}") == 8);
	assert_true(metric("ascolto_ingest_channel_duplicates_total{channel=\"storm\"}") == 1);
}

static void webhooks_are_answered_after_the_commit(void **state)
{
	(void)state;
	static const char json[] = "application/json";
	static char large[(1 << 20) + 100], text_too_long[70000];
	memset(large, ' ', sizeof(large) - 1);
	snprintf(text_too_long, sizeof(text_too_long),
		"{\"native_id\":\"l\",\"kind\":\"message\",\"text\":\"%065537d\"}", 7);
	static const struct {
		const char *channel, *secret, *type, *body;
		long status;
		const char *words;
	} rows[] = {
		{"web", "s3cret", json, POST_JSON("1"), 200, "{\"accepted\":1,\"duplicates\":0}"},
		{"web", "s3cret", json, POST_JSON("1"), 200, "{\"accepted\":0,\"duplicates\":1}"},
		{"web", "s3cret", json, "[" POST_JSON("1") "," POST_JSON("2") "]", 200,
			"{\"accepted\":1,\"duplicates\":1}"},
		{"web", "s3cret", json, "{\"posts\":[]}", 200, "{\"accepted\":0,\"duplicates\":0}"},
		{"web", "s3cret", json,
			"{\"posts\":[" POST_JSON("3") ",{\"kind\":\"message\"}," POST_JSON("4") "]}", 422,
			"{\"error\":\"1 of 3 posts were refused; the first: delivery d7, post 1: field "
			"\\\"native_id\\\" is "
			"missing\",\"accepted\":2,\"duplicates\":0,\"refused\":[{\"index\":1,\"reason\":"
			"\"delivery d7, post 1: "
			"field"},
		{"web", "s3cret", json, "not json", 422, "{\"error\":\"delivery d7: line 1"},
		{"web", "s3cret", json, text_too_long, 422,
			"field \\\"text\\\" has 65537 bytes; the limit is 65536"},
		{"web", "s3cret", json, "{\"native_id\":\"9\",\"kind\":\"message\",\"channel\":\"all\"}", 422,
			"unknown channel \\\"all\\\" (known: web, "},
		{"all", "s3cret", json, "{\"native_id\":\"9\",\"kind\":\"message\",\"channel\":\"x-acme\"}",
			200, "\"accepted\":1"},
		{"all", "s3cret", json, "{\"native_id\":\"1\",\"kind\":\"message\",\"channel\":\"web\"}", 200,
			"\"duplicates\":1"},
		{"web", "wrong", json, POST_JSON("5"), 401, "does not match"},
		{"web", "s3cret", "text/plain", POST_JSON("5"), 415, "application/json"},
		{"web", "s3cret", json, large, 413, NULL},
		{"nowhere", "s3cret", json, POST_JSON("5"), 404, "no such channel"},
		{"storm", "s3cret", json, POST_JSON("5"), 503, NULL}, /* it has finished */
		{"broken", "s3cret", json, POST_JSON("5"), 503, "adapter does not run"},
		{"web", "s3cret", json, POST_JSON("5"), 200,
			"\"accepted\":1"}, /* nothing of the above stored it */
	};
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long status = deliver(rows[i].channel, rows[i].secret, rows[i].type, rows[i].body, &out);
		if (status != rows[i].status || (rows[i].words && !strstr(buf_str(&out), rows[i].words)))
			fail_msg("row %zu: %ld %s", i, status, buf_str(&out));
	}
	assert_int_equal(call("GET", LISTEN, "/hook/web", NULL, span_of(NULL, 0), &out), 405);
	buf_free(&out);
}

static void issues_name_the_channel(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 1 << 20);
	call("GET", HTTP, "/readyz", NULL, span_of(NULL, 0), &out);
	assert_non_null(strstr(buf_str(&out), "channel broken: its adapter ("));
	assert_non_null(strstr(buf_str(&out), "it ended with status 1: the token was revoked"));
	assert_true(metric("ascolto_ingest_channel_up{channel=\"broken\"}") == 0);
	assert_true(metric("ascolto_ingest_channel_up{channel=\"web\"}") == 1);
	buf_free(&out);
}

/* kill -9 and an ordinary stop: nothing is lost, nothing is accepted twice, the file is not read again. */
static void it_goes_on_after_a_crash(void **state)
{
	(void)state;
	double accepted = metric("ascolto_accepted_total"),
	       quarantine = metric("ascolto_quarantine_messages");
	double duplicates = metric("ascolto_duplicates_total");
	struct buf out;
	buf_init(&out, 1 << 20);
	end(SIGKILL);
	start();
	assert_true(metric("ascolto_accepted_total") == accepted);
	assert_true(becomes("ascolto_ingest_channel_up{channel=\"storm\"}", 1));
	FILE *f = fopen(test_path("storm.jsonl"), "a");
	fputs("\n" POST_JSON("f9") "\n{\"native_id\":\"f10\",\"kind\":\"bar\"}\n", f);
	fclose(f);
	int status = end(SIGTERM);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	start();
	assert_true(becomes("ascolto_accepted_total", accepted + 1));
	assert_true(becomes("ascolto_quarantine_messages", quarantine + 1));
	assert_true(metric("ascolto_duplicates_total") == duplicates);
	/* The last line was refused by the service: its cursor is committed all the same. */
	end(SIGTERM);
	start();
	assert_true(becomes("ascolto_ingest_channel_up{channel=\"storm\"}", 1));
	usleep(300000);
	assert_true(metric("ascolto_ingest_channel_refused_total{channel=\"storm\"}") == 0);
	assert_int_equal(deliver("web", "s3cret", "application/json", POST_JSON("1"), &out), 200);
	assert_string_equal(buf_str(&out), "{\"accepted\":0,\"duplicates\":1}");
	buf_free(&out);
}

static void a_reload_changes_the_key(void **state)
{
	(void)state;
	struct buf out;
	buf_init(&out, 1 << 20);
	write_file("secret", "fresh\n", 6, 0600);
	assert_int_equal(call("POST", HTTP, "/-/reload", NULL, span_of(NULL, 0), &out), 200);
	long status = 503;
	for (int i = 0; i < 100 && status == 503; i++, usleep(50000)) /* while its adapter starts again */
		status = deliver("web", "fresh", "application/json", POST_JSON("r1"), &out);
	assert_int_equal(status, 200);
	assert_int_equal(deliver("web", "s3cret", "application/json", POST_JSON("r2"), &out), 401);
	int end_status = end(SIGTERM);
	assert_true(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_go_to_quarantine_and_good_ones_pass),
		cmocka_unit_test(webhooks_are_answered_after_the_commit),
		cmocka_unit_test(issues_name_the_channel),
		cmocka_unit_test(it_goes_on_after_a_crash),
		cmocka_unit_test(a_reload_changes_the_key),
	};
	curl_global_init(CURL_GLOBAL_ALL);
	return cmocka_run_group_tests(tests, write_settings, stop_service);
}
