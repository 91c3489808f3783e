/* The console's read model: what escalation shows is what the API answers, through changes, kills and
 * restarts. */
#include "tests/component/console_stage.c"

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
	expect("/api/v1/cases?limit=1", "next", view_id_text("c2", id));
	expect(path_of("/api/v1/cases?limit=1&before=%s", "c2"), "cases.0.id", view_id_text("c1", id));
	expect(path_of("/api/v1/cases?limit=1&before=%s", "c2"), "next", "");
	refused("GET", path_of("/api/v1/cases?state=all&before=%s", "c2"), "", NULL, 400,
		"the open or with the closed");
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
	view_delivery(
		escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	view_delivery(
		escalation, "o1", "fault", "mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT, "250 ok", T0 + 1);
	view_delivery(
		escalation, "o2", "fault", "hook", ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY, "503", T0 + 2);
	keep_case("c1", ASCOLTO__CASE_STATE__CASE_STATE_NEW, 1);
	view_answer_sent(escalation, "o3", "fault", "c1"); /* no alarm: it is the case's */
	sent();
	expect_count(path_of("/api/v1/cases/%s", "c1"), "deliveries", 1);
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

static void test_restart_keeps_everything(void **state)
{
	(void)state;
	char name[16];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		say(name, i, name, i % 3 ? NULL : "c1", NULL);
		if (i == 150)
			program_stop(&console,
				SIGKILL); /* in the middle; the peer sends again what was not acknowledged */
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

/* The brand's name, and another one's stream. */
static void send_astray(Ascolto__View *v)
{
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct id id = view_id("astray");
	e.id = (ProtobufCBinaryData){ID_BYTES, id.b};
	e.brand = (char *)(uintptr_t)VIEW_BRAND;
	e.body_case = ASCOLTO__ENVELOPE__BODY_VIEW;
	e.view = v;
	peer_send(escalation, LANE_NORMAL, &e, "somewhere else");
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
	send_astray(&nameless);
	say("m1", 1, "dopo", NULL, NULL);
	say("m2", 2, "ancora", NULL, NULL);
	sent();
	expect("/api/v1/messages", "messages.0.text", "ancora");
	struct reply r =
		talk(installation_port(&in, "console", ADDRESS_HTTP), "GET", "/-/quarantine", NULL, NULL);
	assert_non_null(strstr(r.body, "a case without an id"));
	assert_non_null(strstr(r.body, "a kind this version does not know"));
	assert_non_null(strstr(r.body, "not in the stream of its brand"));
	reply_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages),
		TEST(test_a_message_changes),
		TEST(test_cases),
		TEST(test_incidents),
		TEST(test_restart_keeps_everything),
		TEST(test_bad_views),
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
