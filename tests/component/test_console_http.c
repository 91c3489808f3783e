/* The console's public listener: the page, refusals, commands, events, health. */
#include "tests/component/console_stage.c"

static void test_page(void **state)
{
	(void)state;
	static const struct {
		const char *path, *type;
	} files[] = {{"/", "text/html"}, {"/index.html", "text/html"}, {"/page.js", "text/javascript"},
		{"/page.css", "text/css"}};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct reply r = talk(port, "GET", files[i].path, NULL, NULL);
		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.head, files[i].type));
		assert_non_null(strstr(r.head,
			"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
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
	const char *close_it = path_of("/api/v1/cases/%s/close", "c1"),
		   *correct = path_of("/api/v1/messages/%s/correct", "m1"),
		   *change_it = path_of("/api/v1/cases/%s/change", "c1");
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
		{"POST", acknowledge, "Content-Type: application/json\r\nOrigin: null\r\n",
			"{\"actor\":\"a\"}", 403, "another site"},
		{"POST", acknowledge, "Content-Type: text/plain\r\n", "{\"actor\":\"a\"}", 403,
			"application/json"},
		{"POST", acknowledge, NULL, "{\"actor\":\"a\"}", 403, "application/json"},
		{"POST", acknowledge, json, "{\"actor\":", 400, "can not be read"},
		{"POST", acknowledge, json, "[]", 400, "JSON object"},
		{"POST", acknowledge, json, "{}", 400, "is missing"},
		{"POST", acknowledge, json, "{\"actor\":7}", 400, "is missing"},
		{"POST", acknowledge, json, "{\"actor\":\"  \"}", 400, "is empty"},
		{"POST", acknowledge, json, "{\"actor\":\"a\\nb\"}", 400, "control character"},
		{"POST", path_of("/api/v1/incidents/%s/acknowledge", "nobody"), json, "{\"actor\":\"a\"}",
			404, "no incident"},
		{"POST", path_of("/api/v1/incidents/%s/explode", "fault"), json, "{\"actor\":\"a\"}", 404,
			"nothing to decide"},
		{"POST", "/api/v1/incidents/zzz/acknowledge", json, "{\"actor\":\"a\"}", 404,
			"nothing to decide"},
		{"POST", close_it, json, "{\"actor\":\"a\"}", 400, "how the case ended, is missing"},
		{"POST", change_it, json, "{\"actor\":\"a\",\"verb\":\"dance\"}", 400, "start wait offline"},
		{"POST", change_it, json, "{\"actor\":\"a\"}", 400, "start wait offline"},
		{"POST", change_it, json, "{\"actor\":\"a\",\"verb\":\"hand_over\"}", 400, "\\\"to\\\" is missing"},
		{"POST", change_it, json, "{\"actor\":\"a\",\"verb\":\"note\",\"words\":\" \"}", 400, "is empty"},
		{"POST", change_it, json, "{\"actor\":\"a\",\"verb\":\"merge\",\"other\":\"x\"}", 400, "is to be an id"},
		{"POST", "/api/v1/alarms", json, "{\"actor\":\"a\"}", 400, "true (everybody is called now)"},
		{"POST", correct, json, "{\"actor\":\"a\",\"task\":\"code\",\"label\":\"red\"}", 400,
			"intent expectation"},
		{"POST", correct, json, "{\"actor\":\"a\",\"task\":\"intent\",\"label\":\"angry\"}", 400,
			"ask_info"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused(rows[i].method, rows[i].path, rows[i].head, rows[i].body, rows[i].status,
			rows[i].words);
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
	Ascolto__Envelope *e =
		command(path_of("/api/v1/incidents/%s/acknowledge", "fault"), "{\"actor\":\"Anna Riva\"}", 0);
	assert_int_equal(e->command->what_case, ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT);
	assert_true(names(e->command->acknowledge_incident->incident_id, "fault"));
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/cases/%s/acknowledge", "c1"), "{\"actor\":\"Anna Riva\"}", 1);
	assert_int_equal(e->command->what_case, ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE);
	assert_true(names(e->command->acknowledge_case->case_id, "c1"));
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/cases/%s/close", "c1"),
		"{\"actor\":\"Anna Riva\",\"outcome\":\"risolto\"}", 2);
	assert_true(names(e->command->close_case->case_id, "c1"));
	assert_string_equal(e->command->close_case->outcome, "risolto");
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/messages/%s/correct", "m1"),
		"{\"actor\":\"Anna Riva\",\"task\":\"intent\",\"label\":\"complain\"}", 3);
	assert_true(names(e->command->correct->message_id, "m1"));
	assert_string_equal(e->command->correct->task, "intent");
	assert_string_equal(e->command->correct->label, "complain");
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/incidents/%s/close", "fault"),
		"{\"actor\":\"Anna Riva\",\"reason\":\"riparato\"}", 4);
	assert_true(names(e->command->close_incident->incident_id, "fault"));
	assert_string_equal(e->command->close_incident->reason, "riparato");
	ascolto__envelope__free_unpacked(e, NULL);
	e = command(path_of("/api/v1/cases/%s/change", "c1"),
		"{\"actor\":\"Anna Riva\",\"verb\":\"hand_over\",\"to\":\"Bruno\"}", 5);
	assert_true(names(e->command->change_case->case_id, "c1"));
	assert_string_equal(e->command->change_case->verb, "hand_over");
	assert_string_equal(e->command->change_case->to, "Bruno");
	ascolto__envelope__free_unpacked(e, NULL);
	view_held_alarms(escalation, 21);
	sent();
	e = command("/api/v1/alarms", "{\"actor\":\"Anna Riva\",\"call\":true}", 6);
	assert_true(e->command->confirm_alarms->call);
	ascolto__envelope__free_unpacked(e, NULL);
}

/* What is shown says that it can not be done: nothing is sent, and the answer says why. */
static void test_impossible(void **state)
{
	(void)state;
	const char *const json = "Content-Type: application/json\r\n";
	char self[160], unknown[160], split[160], text[ID_TEXT + 1];
	keep_case("old", ASCOLTO__CASE_STATE__CASE_STATE_CLOSED, 1);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	view_incident(escalation, &(struct made_incident){.name = "over",
					  .title = "rete",
					  .code = RED,
					  .opened_ms = T0,
					  .closed_ms = T0 + 60000});
	sent();
	snprintf(self, sizeof(self), "{\"actor\":\"a\",\"verb\":\"merge\",\"other\":\"%s\"}",
		view_id_text("c1", text));
	snprintf(unknown, sizeof(unknown), "{\"actor\":\"a\",\"verb\":\"merge\",\"other\":\"%s\"}",
		view_id_text("x", text));
	snprintf(split, sizeof(split), "{\"actor\":\"a\",\"verb\":\"split\",\"conversation\":\"%s\"}", text);
	const char *old = path_of("/api/v1/cases/%s/change", "old"),
		   *c1 = path_of("/api/v1/cases/%s/change", "c1");
	const struct {
		const char *path, *body, *words;
	} rows[] = {
		{path_of("/api/v1/incidents/%s/acknowledge", "over"), "{\"actor\":\"a\"}",
			"calmed down by itself"},
		{path_of("/api/v1/incidents/%s/close", "over"), "{\"actor\":\"a\",\"reason\":\"over\"}",
			"the incident is closed"},
		{path_of("/api/v1/cases/%s/acknowledge", "old"), "{\"actor\":\"a\"}", "the case is closed"},
		{path_of("/api/v1/cases/%s/close", "old"), "{\"actor\":\"a\",\"outcome\":\"done\"}",
			"the case is closed"},
		{old, "{\"actor\":\"a\",\"verb\":\"wait\"}", "the case is closed: open it again first"},
		{c1, "{\"actor\":\"a\",\"verb\":\"reopen\"}", "the case is new: it can not be opened again"},
		{c1, self, "part of itself"},
		{c1, unknown, "no such other case"},
		{c1, split, "not one of its own"},
		{"/api/v1/alarms", "{\"actor\":\"a\",\"call\":true}", "no alarms are held"},
		{"/api/v1/crisis", "{\"actor\":\"a\",\"on\":false,\"reason\":\"calm\"}",
			"crisis mode is not on"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused("POST", rows[i].path, json, rows[i].body, 409, rows[i].words);
	view_crisis(escalation, &(struct made_crisis){.since_ms = T0, .because = "rosso"});
	sent();
	refused("POST", "/api/v1/crisis", json, "{\"actor\":\"a\",\"on\":false,\"reason\":\"calm\"}", 409,
		"with its red incidents");
	assert_int_equal(peer_received(escalation), 0);
}

static void test_advocates(void **state)
{
	(void)state;
	const char *const json = "Content-Type: application/json\r\n";
	say("m1", 1, "bravi, come sempre", NULL, NULL);
	view_message(escalation, &(struct made_message){.name = "m2", .occurred_ms = T0, .channel = "brezza-x", .network = "x",
					 .who = "star", .handle = "star", .text = "uno", .influencer = true});
	view_advocate(escalation, "Ada", "m1", T0, false);
	view_advocate(escalation, "Ugo", "m1", T0, false);
	view_advocate(escalation, "Ugo", "m1", T0, true);
	sent();
	expect_count("/api/v1/advocates", "advocates", 1);
	expect("/api/v1/advocates", "advocates.0.name", "Ada");
	expect("/api/v1/advocates", "advocates.0.praise_days", "4");
	refused("POST", path_of("/api/v1/messages/%s/advocate", "m1"), json, "{\"actor\":\"a\"}", 400, "\\\"listed\\\" is to be");
	refused("POST", path_of("/api/v1/messages/%s/advocate", "m2"), json, "{\"actor\":\"a\",\"listed\":true}", 409,
		"an influencer is no advocate");
	Ascolto__Envelope *e = command(path_of("/api/v1/messages/%s/advocate", "m1"), "{\"actor\":\"Anna Riva\",\"listed\":true}", 0);
	assert_true(names(e->command->keep_advocate->message_id, "m1"));
	assert_true(e->command->keep_advocate->listed);
	ascolto__envelope__free_unpacked(e, NULL);
}

/* Nobody plays escalation's address here: what can not be looked at goes on all the same, and is looked at
 * there. */
static void test_answers(void **state)
{
	(void)state;
	const char *const json = "Content-Type: application/json\r\n";
	const char *answer = path_of("/api/v1/cases/%s/answer", "c1"),
		   *approve = path_of("/api/v1/cases/%s/approve", "c1");
	char body[300], id[ID_TEXT + 1];
	say("m1", 1, "uno", "c1", NULL);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	view_answer(escalation, &(struct made_answer){.name = "a1",
					.case_name = "c1",
					.by = "Anna Riva",
					.text = "Ci lavoriamo",
					.rule = "signature",
					.it = "Manca la firma",
					.approvals_needed = 1,
					.approver = "boss"});
	view_answer(escalation, &(struct made_answer){.name = "a2",
					.case_name = "c1",
					.by = "Anna Riva",
					.text = "333 1234567",
					.rule = "private_data",
					.it = "Un numero",
					.refused = true,
					.proposed_ms = T0});
	sent();
	expect_count(path_of("/api/v1/cases/%s", "c1"), "answers", 2);
	refused("POST", answer, json, "{\"actor\":\"a\"}", 400, "what the customer reads");
	refused("POST", answer, json, "{\"actor\":\"a\",\"text\":\"x\",\"language\":\"italian\"}", 400,
		"two letters");
	refused("POST", path_of("/api/v1/cases/%s/draft", "c1"), json, "{\"actor\":\"a\",\"text\":\"x\"}",
		503, "escalation");
	snprintf(body, sizeof(body), "{\"actor\":\"anna riva\",\"answer\":\"%s\",\"role\":\"boss\"}",
		view_id_text("a1", id));
	refused("POST", approve, json, body, 409, "somebody else approves it");
	snprintf(body, sizeof(body), "{\"actor\":\"Bruno\",\"answer\":\"%s\"}", id);
	refused("POST", approve, json, body, 409, "lets these approve it: boss");
	snprintf(body, sizeof(body), "{\"actor\":\"Bruno\",\"answer\":\"%s\"}", view_id_text("a2", id));
	refused("POST", approve, json, body, 409, "was refused");
	Ascolto__Envelope *e =
		command(answer, "{\"actor\":\"Anna Riva\",\"text\":\"Buongiorno,\\nci lavoriamo. Anna\"}", 0);
	assert_true(names(e->command->propose_answer->case_id, "c1"));
	assert_string_equal(
		e->command->propose_answer->wordings[0]->texts[0], "Buongiorno,\nci lavoriamo. Anna");
	ascolto__envelope__free_unpacked(e, NULL);
	view_answer(escalation, &(struct made_answer){.name = "a3",
					.case_name = "c1",
					.by = "Bruno",
					.text = "Uno",
					.approvals_needed = 1,
					.approver = "boss"});
	sent();
	snprintf(body, sizeof(body), "{\"actor\":\"Anna Riva\",\"answer\":\"%s\",\"role\":\"boss\"}",
		view_id_text("a3", id));
	e = command(approve, body, 1);
	assert_true(names(e->command->approve_answer->answer_id, "a3"));
	assert_string_equal(e->command->approve_answer->role, "boss");
	ascolto__envelope__free_unpacked(e, NULL);
}

/* Accepted means committed: it goes out although escalation was away and the console was killed right after.
 */
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
	view_delivery(
		escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	text = hear(fd, "\"alerts_sent\":1");
	assert_non_null(strstr(text, "event: case\n"));
	assert_non_null(strstr(text, "event: incident\n"));
	assert_non_null(strstr(text, "event: delivery\n"));
	free(text);
	close(fd);
}

/* Who comes on the list of advocates, and who goes off it. */
static void test_events_of_advocates(void **state)
{
	(void)state;
	char id[ID_TEXT + 1];
	int fd = listen_to_events();
	view_advocate(escalation, "Ada", "m1", T0, false);
	char *text = hear(fd, "event: counts");
	assert_non_null(strstr(text, "event: advocate\ndata: {\"advocates\":[{"));
	assert_non_null(strstr(text, "\"name\":\"Ada\""));
	free(text);
	view_advocate(escalation, "Ada", "m1", T0, true);
	text = hear(fd, "\"removed\":true");
	assert_non_null(strstr(text, view_id_text("Ada", id)));
	free(text);
	close(fd);
}

/* Somebody else was faster: it is told to the pages, kept in a list that does not grow for ever, and named as
 * the answer to the command named it. */
static void test_too_late(void **state)
{
	(void)state;
	int fd = listen_to_events();
	view_refusal(escalation, "one", "Anna Riva", "the case is closed: somebody was faster", T0);
	char *heard = hear(fd, "event: counts");
	assert_non_null(strstr(heard, "event: refusal\ndata: {\"refusals\":[{"));
	assert_non_null(strstr(heard, "somebody was faster"));
	assert_non_null(strstr(heard, "\"actor\":\"Anna Riva\""));
	free(heard);
	close(fd);
	for (int i = 1; i < 230; i++)
		view_refusal(escalation, "more", "Ugo", i == 229 ? "the last one" : "no", T0 + i);
	sent();
	expect_count("/api/v1/refusals", "refusals", 200);
	expect("/api/v1/refusals", "refusals.0.why", "the last one");
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	sent();
	struct reply r = talk(port, "POST", path_of("/api/v1/cases/%s/acknowledge", "c1"),
		"Content-Type: application/json\r\n", "{\"actor\":\"Anna Riva\"}");
	Ascolto__Envelope *e = peer_wait_received(escalation, 0, 5000);
	struct id id;
	char text[ID_TEXT + 1];
	assert_non_null(e);
	assert_int_equal(id_from_bytes(e->trace_id.data, e->trace_id.len, &id), 0);
	assert_non_null(strstr(r.body, id_format(&id, text)));
	ascolto__envelope__free_unpacked(e, NULL);
	reply_free(&r);
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
		const char *name = json_string_value(at(service, "name")),
			   *issue = json_string_value(at(service, "issues.0"));
		bool is_here = str_eq(name, "console");
		assert_int_equal(json_is_true(at(service, "ready")), is_here);
		if (!is_here)
			assert_non_null(strstr(issue, "does not answer at 127.0.0.1:"));
	}
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page),
		TEST(test_refusals),
		TEST(test_commands),
		TEST(test_command_survives),
		TEST(test_impossible),
		TEST(test_too_late),
		TEST(test_advocates),
		TEST(test_answers),
		TEST(test_events),
		TEST(test_events_of_advocates),
		TEST(test_events_flood),
		TEST(test_events_leave),
		TEST(test_health),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
