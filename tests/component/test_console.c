/* The console as a process of its own; this test plays escalation at the other end of its links, and a browser. */
#include "tests/unit/check.h"

/* Helpers of this folder; a test is one file to the build. */
#include "tests/component/peer.c"
#include "tests/component/program.c"
#include "tests/component/views.c"

#include <jansson.h>
#include <signal.h>
#include <sodium.h>

#define T0 ((int64_t)1773330000000) /* 2026-03-12, a day of the past: a replay */
#define RED ASCOLTO__CODE__CODE_RED
#define YELLOW ASCOLTO__CODE__CODE_YELLOW

static struct installation in;
static struct peer *escalation;
static pid_t console;
static int port;

static void open_peer(void)
{
	static char send_to[64], listen[64];
	struct err e = {0};
	snprintf(send_to, sizeof(send_to), "tcp://127.0.0.1:%d", installation_port(&in, "console", ADDRESS_LINK));
	snprintf(listen, sizeof(listen), "tcp://127.0.0.1:%d", installation_port(&in, "escalation", ADDRESS_LINK));
	struct peer_options o = {.name = "escalation", .send_to = send_to, .listen = listen};
	if (peer_open(&escalation, &o, &e))
		fail_msg("%s", err_text(&e));
}

static int setup(void **state)
{
	(void)state;
	installation_open(&in, NULL);
	port = installation_port(&in, "console", ADDRESS_LISTEN);
	console = program_start(&in, "console");
	assert_true(console > 0);
	open_peer();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_close(&escalation);
	int status = program_stop(&console, SIGTERM);
	installation_close(&in);
	return status;
}

static void sent(void)
{
	assert_true(peer_wait_sent(escalation, 15000));
}

/* ---- asking ---- */

static json_t *get(const char *path)
{
	struct reply r = talk(port, "GET", path, NULL, NULL);
	json_t *j = r.body ? json_loads(r.body, 0, NULL) : NULL;
	if (r.status != 200 || !j)
		fail_msg("%s gave %d %s", path, r.status, r.body ? r.body : "");
	reply_free(&r);
	return j;
}

/* The value at "messages.0.id"; NULL when there is none. */
static json_t *at(json_t *j, const char *path)
{
	while (j && *path) {
		char part[64];
		size_t len = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		j = json_is_array(j) ? json_array_get(j, (size_t)strtoul(part, NULL, 10)) : json_object_get(j, part);
		path += len + (path[len] == '.');
	}
	return j;
}

/* The value there, as text, is `want`; "" also means that it is absent. */
static void expect_in(json_t *j, const char *path, const char *want, const char *where)
{
	json_t *v = at(j, path);
	char *text = json_is_string(v) ? strdup(json_string_value(v)) : v ? json_dumps(v, JSON_ENCODE_ANY) : strdup("");
	if (!str_eq(text, want)) {
		char *all = json_dumps(j, JSON_INDENT(1));
		fail_msg("%s: %s is \"%s\", not \"%s\", in\n%s", where, path, text, want, all);
	}
	free(text);
}

static void expect(const char *where, const char *path, const char *want)
{
	json_t *j = get(where);
	expect_in(j, path, want, where);
	json_decref(j);
}

static void expect_count(const char *where, const char *list, size_t want)
{
	json_t *j = get(where);
	if (json_array_size(at(j, list)) != want)
		fail_msg("%s: %s has %zu entries, not %zu", where, list, json_array_size(at(j, list)), want);
	json_decref(j);
}

static const char *path_of(const char *fmt, const char *name)
{
	static char path[16][200];
	static int n;
	char id[ID_TEXT + 1];
	n = (n + 1) % 16;
	const char *mark = strstr(fmt, "%s");
	snprintf(path[n], sizeof(path[n]), "%.*s%s%s", (int)(mark - fmt), fmt, view_id_text(name, id), mark + 2);
	return path[n];
}

/* A request that must fail with this status and a sentence that holds `words`. */
static void refused(const char *method, const char *path, const char *head, const char *body, int status, const char *words)
{
	struct reply r = talk(port, method, path, head, body);
	if (r.status != status || !strstr(r.body, "{\"error\": \"") || !strstr(r.body, words))
		fail_msg("%s %s gave %d %s instead of %d %s", method, path, r.status, r.body, status, words);
	reply_free(&r);
}

/* ---- things to show ---- */

static void say(const char *name, int minute, const char *text, const char *case_name, const char *incident_name)
{
	view_message(escalation, &(struct made_message){.name = name, .occurred_ms = T0 + minute * 60000,
		.channel = "brezza-x", .network = "x", .handle = name, .who = name, .text = text, .intent = "report_fault",
		.expectation = "repair", .event = "complaint", .sentiment = "negative", .lane = "service",
		.code = YELLOW, .case_name = case_name, .incident_name = incident_name});
}

static void keep_case(const char *name, Ascolto__CaseState state, int updated_minute)
{
	view_case(escalation, &(struct made_case){.name = name, .customer = "Anna", .title = "modem", .code = YELLOW,
		.state = state, .opened_ms = T0, .updated_ms = T0 + updated_minute * 60000, .channel = "brezza-x"});
}

static void keep_incident(Ascolto__Code code, unsigned people)
{
	view_incident(escalation, &(struct made_incident){.name = "fault", .title = "Modem fermi", .code = code,
		.people = people, .opened_ms = T0, .detected_ms = T0 + 500, .examples = {"m2", "m1"},
		.steps = {"community manager: rispondere"}, .steps_from_ms = T0});
}

/* ---- tests ---- */

static void test_messages(void **state)
{
	(void)state;
	say("m1", 1, "uno", "c1", NULL);
	say("m3", 3, "tre", NULL, "fault");
	say("m2", 2, "due", "c1", "fault");
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 2);
	sent();
	char id[ID_TEXT + 1];
	json_t *j = get("/api/v1/messages?limit=2");
	expect_in(j, "messages.0.text", "tre", "newest first, whatever the order of arrival");
	expect_in(j, "messages.1.text", "due", "then the older");
	expect_in(j, "messages.1.case_id", view_id_text("c1", id), "its case");
	expect_in(j, "messages.1.needs_answer", "true", "its case is open");
	expect_in(j, "messages.0.needs_answer", "", "no case");
	expect_in(j, "messages.0.intent", "report_fault", "row");
	expect_in(j, "messages.0.code", "yellow", "row");
	expect_in(j, "messages.0.lane", "service", "row");
	expect_in(j, "messages.0.occurred_ms", "1773330180000", "row");
	expect_in(j, "next", view_id_text("m2", id), "there is more");
	json_decref(j);
	j = get(path_of("/api/v1/messages?limit=2&before=%s", "m2"));
	expect_in(j, "messages.0.text", "uno", "the next page");
	assert_int_equal(json_array_size(at(j, "messages")), 1);
	expect_in(j, "next", "", "the end");
	json_decref(j);
	expect_count(path_of("/api/v1/messages?case=%s", "c1"), "messages", 2);
	expect_count("/api/v1/messages?filter=incident", "messages", 2);
	expect_count("/api/v1/messages?filter=needs_answer", "messages", 2);
	expect(path_of("/api/v1/messages/%s", "m2"), "arm.message.post.text", "due");
	expect(path_of("/api/v1/messages/%s", "m2"), "arm.rules.0.rule", "question_or_complaint_opens_case");
}

static void test_a_message_changes(void **state)
{
	(void)state;
	say("m1", 1, "uno", "c1", NULL);
	say("m1", 4, "uno, di nuovo", "c2", NULL); /* another time, another case */
	sent();
	expect_count("/api/v1/messages", "messages", 1);
	expect("/api/v1/messages", "messages.0.text", "uno, di nuovo");
	expect_count(path_of("/api/v1/messages?case=%s", "c1"), "messages", 0);
	expect_count(path_of("/api/v1/messages?case=%s", "c2"), "messages", 1);
	expect("/api/v1/counts", "messages", "1");
	expect("/api/v1/counts", "arm_records", "1");
}

static void test_cases(void **state)
{
	(void)state;
	say("m1", 1, "uno", "c1", NULL);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	keep_case("c2", ASCOLTO__CASE_STATE__CASE_STATE_WAITING, 5);
	keep_case("c3", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 3);
	keep_case("c3", ASCOLTO__CASE_STATE__CASE_STATE_CLOSED, 9);
	sent();
	char id[ID_TEXT + 1];
	expect("/api/v1/counts", "open_cases", "2");
	expect("/api/v1/counts", "cases", "3");
	expect_count("/api/v1/cases", "cases", 2);
	expect("/api/v1/cases", "cases.0.id", view_id_text("c2", id));
	expect("/api/v1/cases?state=closed", "cases.0.id", view_id_text("c3", id));
	expect_count("/api/v1/cases?state=closed", "cases", 1);
	expect("/api/v1/cases?state=all", "cases.2.id", view_id_text("c3", id));
	expect_count("/api/v1/cases?state=all&limit=1", "cases", 1);
	expect(path_of("/api/v1/cases/%s", "c1"), "case.state", "new");
	expect(path_of("/api/v1/cases/%s", "c1"), "messages.0.text", "uno");
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_SOLVED, 6);
	sent();
	expect("/api/v1/counts", "open_cases", "1");
	expect("/api/v1/messages", "messages.0.needs_answer", "");
}

static void test_incidents(void **state)
{
	(void)state;
	say("m1", 1, "uno", NULL, "fault");
	keep_incident(YELLOW, 20);
	keep_incident(RED, 210);
	view_delivery(escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_PLANNED, "", T0);
	view_delivery(escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	view_delivery(escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	view_delivery(escalation, "o2", "fault", "hook", ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY, "503", T0 + 2);
	sent();
	expect("/api/v1/counts", "incidents.yellow", "0");
	expect("/api/v1/counts", "incidents.red", "1");
	expect("/api/v1/counts", "open_incidents", "1");
	expect("/api/v1/counts", "alerts_sent", "1");
	expect_count("/api/v1/incidents", "incidents", 1);
	expect("/api/v1/incidents", "incidents.0.people", "210");
	const char *path = path_of("/api/v1/incidents/%s", "fault");
	expect(path, "incident.code", "red");
	expect_count(path, "deliveries", 2);
	expect_count(path, "messages", 1); /* of the two examples one is not here yet */
	expect(path, "incident.steps.0.actor", "community manager");
}

static void test_page(void **state)
{
	(void)state;
	static const struct {
		const char *path, *type;
	} files[] = {{"/", "text/html"}, {"/index.html", "text/html"}, {"/page.js", "text/javascript"}, {"/page.css", "text/css"}};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct reply r = talk(port, "GET", files[i].path, NULL, NULL);
		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.head, files[i].type));
		assert_non_null(strstr(r.head, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
					       "img-src 'self' data:"));
		assert_non_null(strstr(r.head, "X-Content-Type-Options: nosniff"));
		assert_null(strstr(r.body, "innerHTML"));
		assert_null(strstr(r.body, "style=\""));
		assert_null(strstr(r.body, " onclick="));
		assert_null(strstr(r.body, "<script>"));
		reply_free(&r);
	}
	refused("GET", "/secret.js", NULL, NULL, 404, "nothing");
	refused("GET", "/../page.js", NULL, NULL, 400, "");
}

static void test_refusals(void **state)
{
	(void)state;
	say("m1", 1, "uno", "c1", NULL);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	keep_incident(RED, 210);
	sent();
	const char *const json = "Content-Type: application/json\r\n";
	char foreign[200], ours[200];
	snprintf(foreign, sizeof(foreign), "%sOrigin: http://evil.example\r\n", json);
	snprintf(ours, sizeof(ours), "%sOrigin: http://127.0.0.1:%d\r\n", json, port);
	const char *acknowledge = path_of("/api/v1/incidents/%s/acknowledge", "fault");
	const char *close_it = path_of("/api/v1/cases/%s/close", "c1"), *correct = path_of("/api/v1/messages/%s/correct", "m1");
	const struct {
		const char *method, *path, *head, *body;
		int status;
		const char *words;
	} rows[] = {
		{"GET", "/api/v1/messages?limit=0", NULL, NULL, 400, "1 to 200"},
		{"GET", "/api/v1/messages?limit=x", NULL, NULL, 400, "1 to 200"},
		{"GET", "/api/v1/messages?before=zzz", NULL, NULL, 400, "id of a message"},
		{"GET", "/api/v1/messages?case=zzz", NULL, NULL, 400, "id of a case"},
		{"GET", "/api/v1/messages?filter=mine", NULL, NULL, 400, "needs_answer"},
		{"GET", "/api/v1/messages?brand=other", NULL, NULL, 404, "no brand \\\"other\\\""},
		{"GET", "/api/v1/cases?state=new", NULL, NULL, 400, "open, closed or all"},
		{"GET", "/api/v1/messages/zzz", NULL, NULL, 404, "no message"},
		{"GET", path_of("/api/v1/cases/%s", "nobody"), NULL, NULL, 404, "no case"},
		{"GET", "/api/v1/nothing", NULL, NULL, 404, "nothing"},
		{"POST", "/api/v1/counts", json, "{}", 405, "method"},
		{"GET", "/api/v1/counts", "Origin: null\r\n", NULL, 403, "another site"},
		{"GET", "/api/v1/events", "Origin: http://evil.example\r\n", NULL, 403, "another site"},
		{"POST", acknowledge, foreign, "{\"actor\":\"a\"}", 403, "another site"},
		{"POST", acknowledge, "Content-Type: application/json\r\nOrigin: null\r\n", "{\"actor\":\"a\"}", 403, "another site"},
		{"POST", acknowledge, "Content-Type: text/plain\r\n", "{\"actor\":\"a\"}", 403, "application/json"},
		{"POST", acknowledge, NULL, "{\"actor\":\"a\"}", 403, "application/json"},
		{"POST", acknowledge, json, "{\"actor\":", 400, "can not be read"},
		{"POST", acknowledge, json, "[]", 400, "JSON object"},
		{"POST", acknowledge, json, "{}", 400, "is missing"},
		{"POST", acknowledge, json, "{\"actor\":7}", 400, "is missing"},
		{"POST", acknowledge, json, "{\"actor\":\"  \"}", 400, "is empty"},
		{"POST", acknowledge, json, "{\"actor\":\"a\\nb\"}", 400, "control character"},
		{"POST", path_of("/api/v1/incidents/%s/acknowledge", "nobody"), json, "{\"actor\":\"a\"}", 404, "no incident"},
		{"POST", path_of("/api/v1/incidents/%s/explode", "fault"), json, "{\"actor\":\"a\"}", 404, "nothing to decide"},
		{"POST", "/api/v1/incidents/zzz/acknowledge", json, "{\"actor\":\"a\"}", 404, "nothing to decide"},
		{"POST", close_it, json, "{\"actor\":\"a\"}", 400, "how the case ended, is missing"},
		{"POST", correct, json, "{\"actor\":\"a\",\"task\":\"code\",\"label\":\"red\"}", 400, "intent expectation"},
		{"POST", correct, json, "{\"actor\":\"a\",\"task\":\"intent\",\"label\":\"angry\"}", 400, "ask_info"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused(rows[i].method, rows[i].path, rows[i].head, rows[i].body, rows[i].status, rows[i].words);
	assert_int_equal(peer_received(escalation), 0);
	struct reply r = talk(port, "POST", acknowledge, ours, "{\"actor\":\"a\"}");
	assert_int_equal(r.status, 202);
	reply_free(&r);
}

static Ascolto__Envelope *command(const char *path, const char *body, size_t n)
{
	struct reply r = talk(port, "POST", path, "Content-Type: application/json\r\n", body);
	if (r.status != 202)
		fail_msg("%s gave %d %s", path, r.status, r.body);
	reply_free(&r);
	Ascolto__Envelope *e = peer_wait_received(escalation, n, 5000);
	assert_non_null(e);
	assert_int_equal(e->body_case, ASCOLTO__ENVELOPE__BODY_COMMAND);
	assert_string_equal(e->brand, VIEW_BRAND);
	assert_string_equal(e->command->actor, "Anna Riva");
	return e;
}

static bool names(ProtobufCBinaryData bytes, const char *name)
{
	struct id id, want = view_id(name);
	return id_from_bytes(bytes.data, bytes.len, &id) == 0 && id_eq(&id, &want);
}

static void test_commands(void **state)
{
	(void)state;
	say("m1", 1, "uno", "c1", NULL);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	keep_incident(RED, 210);
	sent();
	Ascolto__Envelope *e = command(path_of("/api/v1/incidents/%s/acknowledge", "fault"), "{\"actor\":\"Anna Riva\"}", 0);
	assert_int_equal(e->command->what_case, ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT);
	assert_true(names(e->command->acknowledge_incident->incident_id, "fault"));
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/cases/%s/acknowledge", "c1"), "{\"actor\":\"Anna Riva\"}", 1);
	assert_int_equal(e->command->what_case, ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE);
	assert_true(names(e->command->acknowledge_case->case_id, "c1"));
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/cases/%s/close", "c1"), "{\"actor\":\"Anna Riva\",\"outcome\":\"risolto\"}", 2);
	assert_true(names(e->command->close_case->case_id, "c1"));
	assert_string_equal(e->command->close_case->outcome, "risolto");
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/messages/%s/correct", "m1"),
		"{\"actor\":\"Anna Riva\",\"task\":\"intent\",\"label\":\"complain\"}", 3);
	assert_true(names(e->command->correct->message_id, "m1"));
	assert_string_equal(e->command->correct->task, "intent");
	assert_string_equal(e->command->correct->label, "complain");
	ascolto__envelope__free_unpacked(e, NULL);
}

/* Accepted means committed: it goes out although escalation was away and the console was killed right after. */
static void test_command_survives(void **state)
{
	(void)state;
	keep_incident(RED, 210);
	sent();
	peer_close(&escalation);
	struct reply r = talk(port, "POST", path_of("/api/v1/incidents/%s/acknowledge", "fault"),
		"Content-Type: application/json\r\n", "{\"actor\":\"Anna Riva\"}");
	assert_int_equal(r.status, 202);
	reply_free(&r);
	program_stop(&console, SIGKILL);
	console = program_start(&in, "console");
	assert_true(console > 0);
	open_peer();
	Ascolto__Envelope *e = peer_wait_received(escalation, 0, 15000);
	assert_non_null(e);
	assert_string_equal(e->command->actor, "Anna Riva");
	ascolto__envelope__free_unpacked(e, NULL);
}

static void test_restart_keeps_everything(void **state)
{
	(void)state;
	char name[16];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		say(name, i, name, i % 3 ? NULL : "c1", NULL);
		if (i == 150)
			program_stop(&console, SIGKILL); /* in the middle; the peer sends again what was not acknowledged */
		if (i == 160)
			console = program_start(&in, "console");
	}
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	keep_incident(RED, 210);
	sent();
	for (int round = 0; round < 2; round++) {
		expect("/api/v1/counts", "messages", "300");
		expect_count("/api/v1/messages?limit=200", "messages", 200);
		expect(path_of("/api/v1/cases/%s", "c1"), "case.state", "new");
		expect_count(path_of("/api/v1/messages?limit=200&case=%s", "c1"), "messages", 100);
		expect("/api/v1/counts", "incidents.red", "1");
		assert_int_equal(program_stop(&console, round ? SIGTERM : SIGKILL), round ? 0 : -1);
		console = program_start(&in, "console");
		assert_true(console > 0);
	}
}

/* ---- events ---- */

static int listen_to_events(void)
{
	int fd = dial(port);
	char text[512];
	dprintf(fd, "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", port);
	size_t len = 0;
	while (len + 1 < sizeof(text)) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n <= 0)
			break;
		text[len += (size_t)n] = 0;
		if (strstr(text, "retry: "))
			break;
	}
	assert_non_null(strstr(text, "text/event-stream"));
	return fd;
}

/* Reads events until `word` was seen; what was read is the caller's to free. */
static char *hear(int fd, const char *word)
{
	size_t room = (size_t)4 << 20, len = 0;
	char *text = calloc(1, room);
	while (!strstr(text, word)) {
		ssize_t n = recv(fd, text + len, room - 1 - len, 0);
		if (n <= 0)
			fail_msg("the stream ended without \"%s\" after\n%s", word, text);
		len += (size_t)n;
	}
	return text;
}

static size_t times(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void test_events(void **state)
{
	(void)state;
	int fd = listen_to_events();
	say("m1", 1, "ciao a tutti", NULL, NULL);
	char *text = hear(fd, "event: counts");
	assert_non_null(strstr(text, "event: inbox\ndata: {\"messages\":[{"));
	assert_non_null(strstr(text, "ciao a tutti"));
	free(text);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	keep_incident(RED, 210);
	view_delivery(escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	text = hear(fd, "\"alerts_sent\":1");
	assert_non_null(strstr(text, "event: case\n"));
	assert_non_null(strstr(text, "event: incident\n"));
	assert_non_null(strstr(text, "event: delivery\n"));
	free(text);
	close(fd);
}

/* A flood reaches the browser as a few pushes that name the newest and say how many more there were. */
static void test_events_flood(void **state)
{
	(void)state;
	char name[16];
	int fd = listen_to_events();
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		say(name, i, name, NULL, NULL);
	}
	sent();
	char *text = hear(fd, "\"messages\":2000");
	assert_in_range(times(text, "event: inbox"), 1, 20);
	assert_in_range(times(text, "\"intent\""), 1, 48 * 20);
	assert_non_null(strstr(text, "\"f1999\""));
	free(text);
	close(fd);
}

/* A client that leaves is forgotten, and one that never reads does not stop the others. */
static void test_events_leave(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		close(listen_to_events());
	int deaf = listen_to_events(), fd = listen_to_events();
	say("m1", 1, "uno", NULL, NULL);
	free(hear(fd, "event: counts"));
	close(deaf);
	close(fd);
}

/* ---- the rest ---- */

static void test_health(void **state)
{
	(void)state;
	json_t *j = get("/api/v1/health"), *service;
	size_t i;
	assert_int_equal(json_array_size(at(j, "services")), 6);
	json_array_foreach(at(j, "services"), i, service)
	{
		const char *name = json_string_value(at(service, "name")), *issue = json_string_value(at(service, "issues.0"));
		bool is_here = str_eq(name, "console");
		assert_int_equal(json_is_true(at(service, "ready")), is_here);
		if (!is_here)
			assert_non_null(strstr(issue, "does not answer at 127.0.0.1:"));
	}
	json_decref(j);
}

static void test_bad_views(void **state)
{
	(void)state;
	Ascolto__View empty = ASCOLTO__VIEW__INIT, nameless = ASCOLTO__VIEW__INIT;
	Ascolto__Case c = ASCOLTO__CASE__INIT;
	nameless.what_case = ASCOLTO__VIEW__WHAT_CASE;
	nameless.case_ = &c;
	say("m0", 0, "prima", NULL, NULL);
	send_view(escalation, NULL, &empty);
	send_view(escalation, NULL, &nameless);
	say("m1", 1, "dopo", NULL, NULL);
	say("m2", 2, "ancora", NULL, NULL);
	sent();
	expect("/api/v1/messages", "messages.0.text", "ancora");
	struct reply r = talk(installation_port(&in, "console", ADDRESS_HTTP), "GET", "/-/quarantine", NULL, NULL);
	assert_non_null(strstr(r.body, "a case without an id"));
	assert_non_null(strstr(r.body, "a kind this version does not know"));
	reply_free(&r);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages),
		TEST(test_a_message_changes),
		TEST(test_cases),
		TEST(test_incidents),
		TEST(test_page),
		TEST(test_refusals),
		TEST(test_commands),
		TEST(test_command_survives),
		TEST(test_restart_keeps_everything),
		TEST(test_events),
		TEST(test_events_flood),
		TEST(test_events_leave),
		TEST(test_health),
		TEST(test_bad_views),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
