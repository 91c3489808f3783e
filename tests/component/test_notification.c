/*
 * ascolto-notification as a process, with peers that are not ours: Debian's python3-aiosmtpd takes the mails,
 * Debian's webhook checks a signature. Where one is not installed its cases are skipped, saying so.
 */
#include "tests/component/notification_world.h"

#include <sodium.h>

/* ------------------------------------------------------------------------------------------------ set up */

static void write_conf(void)
{
	static char text[4000];
	snprintf(text, sizeof(text),
		"data: state\nunsafe_fs: true\nlog: debug\nfetch_allow:\n  - 127.0.0.0/8\n"
		"services:\n  escalation:\n    link: tcp://127.0.0.1:%d\n"
		"  notification:\n    link: tcp://127.0.0.1:%d\n    http: 127.0.0.1:%d\n"
		"brands:\n  - name: brezza\n    playbook: playbook.yaml\n"
		"destinations:\n"
		"  - {name: mail, brand: brezza, kind: mail, url: \"smtp://127.0.0.1:%d\", from: "
		"ascolto@brezza.example,"
		" to: [crisi@brezza.example, capo@brezza.example]}\n"
		"  - {name: late, brand: brezza, kind: mail, url: \"smtp://127.0.0.1:%d\", from: "
		"ascolto@brezza.example,"
		" to: [crisi@brezza.example]}\n"
		"  - {name: dead, brand: brezza, kind: mail, url: \"smtp://127.0.0.1:%d\", from: "
		"ascolto@brezza.example,"
		" to: [crisi@brezza.example]}\n"
		"  - {name: hook, brand: brezza, kind: webhook, url: \"http://127.0.0.1:%d/hook\", "
		"secret_file: secret}\n"
		"  - {name: gone, brand: brezza, kind: webhook, url: \"http://127.0.0.1:%d/gone\", "
		"secret_file: secret}\n"
		"  - {name: alert, brand: brezza, kind: webhook, url: \"http://127.0.0.1:%d/hooks/alert\","
		" secret_file: secret}\n"
		"  - {name: wrong, brand: brezza, kind: webhook, url: \"http://127.0.0.1:%d/hooks/wrong\","
		" secret_file: secret}\n",
		w.port[LINK_HERE], w.port[LINK_THERE], w.port[HTTP_THERE], w.port[MAIL], w.port[MAIL_LATE],
		w.port[DEAD], w.port[HOOK], w.port[HOOK], w.port[DEBIAN_WEBHOOK], w.port[DEBIAN_WEBHOOK]);
	write_file(path("conf.yaml"), text, 0600);
	write_file(path("playbook.yaml"), "", 0600);
	write_file(path("secret"), SECRET "\n", 0600);
}

/* Two hooks of Debian's webhook that put what they take into the file "taken"; only one has our secret. */
static void write_hooks(void)
{
	static char text[4000];
	size_t n = 0;
	for (int i = 0; i < 2; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%s{\"id\":\"%s\",\"execute-command\":\"%s\",\"http-methods\":[\"POST\"],"
			"\"pass-arguments-to-command\":[{\"source\":\"header\",\"name\":\"X-Ascolto-"
			"Delivery\"},"
			"{\"source\":\"payload\",\"name\":\"subject\"},{\"source\":\"payload\",\"name\":"
			"\"incident.people\"}],"
			"\"trigger-rule\":{\"match\":{\"type\":\"payload-hmac-sha256\",\"secret\":\"%s\","
			"\"parameter\":{\"source\":\"header\",\"name\":\"X-Ascolto-Signature-256\"}}}}%s",
			i ? "," : "[", i ? "wrong" : "alert", path("take"), i ? "another secret" : SECRET,
			i ? "]" : "");
	write_file(path("hooks.json"), text, 0600);
	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$1 $2 $3\" >> %s\n", path("taken"));
	write_file(path("take"), text, 0700);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	snprintf(w.folder, sizeof(w.folder), "/tmp/ascolto-notification-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(w.folder))
		return -1;
	for (size_t i = 0; i < PORTS; i++)
		w.port[i] = free_port();
	if (peer_open(&w.peer, w.port[LINK_HERE], w.port[LINK_THERE], w.port[HOOK]))
		return -1;
	write_conf();
	write_hooks();
	mkdir(path("box"), 0700);
	mkdir(path("late"), 0700);
	w.have_mailbox = have_aiosmtpd();
	w.have_webhook = access(WEBHOOK, X_OK) == 0;
	if (w.have_mailbox)
		w.mailbox = start_mailbox(w.port[MAIL], path("box"), &w.mailbox_in);
	if (w.have_webhook)
		start_webhook();
	start_program();
	WAIT_FOR(answers(w.port[HTTP_THERE]), 20);
	WAIT_FOR(!w.have_mailbox || answers(w.port[MAIL]), 20);
	WAIT_FOR(!w.have_webhook || answers(w.port[DEBIAN_WEBHOOK]), 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	int status = end(&w.program, SIGTERM);
	end(&w.mailbox, SIGKILL);
	end(&w.late, SIGKILL);
	end(&w.webhook, SIGKILL);
	peer_close(&w.peer);
	if (status) {
		print_error("the program ended with status %d\n%s", status, log_end());
		return -1;
	}
	char *const argv[] = {(char *)(uintptr_t) "/bin/rm", (char *)(uintptr_t) "-r", w.folder, NULL};
	pid_t pid = spawn(argv, NULL);
	waitpid(pid, &status, 0);
	read_file("");
	return 0;
}

static void need_mailbox(void)
{
	if (!w.have_mailbox) {
		print_message("skipped: the package python3-aiosmtpd is not installed\n");
		skip();
	}
	unlink(path("box/mode"));
}

/* ------------------------------------------------------------------------------------------------ mail */

static void test_mail(void **state)
{
	(void)state;
	need_mailbox();
	struct id id = order("mail", "twice"); /* the same order comes two times */
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(SENT), 20);
	assert_int_equal(o->attempts, 1);
	assert_string_equal(o->destination, "mail");
	assert_int_equal(o->code, ASCOLTO__CODE__CODE_RED);
	assert_int_equal(o->incident_id.len, ID_BYTES);
	run_ms(500);
	assert_null(outcome(&id, 1));
	assert_int_equal(mails_of(path("box/index"), &id), 1);
	const char *index = read_file(path("box/index"));
	assert_non_null(strstr(index, "\"subject\": \"Perch\xc3\xa9 \xf0\x9f\x94\xa5 twice\""));
	assert_non_null(strstr(index,
		"\"body\": \"214 persone, un solo guasto: \xc3\xa8 un incidente.\\n.\\nFine\\n\\n-- \\n"));
	assert_non_null(strstr(index, "\"to\": [\"crisi@brezza.example\", \"capo@brezza.example\"]"));
	assert_non_null(strstr(index, "\"defects\": []"));
}

static void test_mail_refused(void **state)
{
	(void)state;
	need_mailbox();
	write_file(path("box/mode"), "550 no such mailbox", 0600);
	struct id id = order("mail", "refused");
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(REJECTED), 20);
	assert_string_equal(o->detail, "the mail server answered 550: no such mailbox");
	assert_non_null(strstr(get("/readyz"), "nothing has reached destination mail since 2"));
	write_file(path("box/mode"), "451 try later", 0600);
	id = order("mail", "later");
	o = wait_outcome(&id, 0, RESULT(RETRY), 20);
	assert_int_equal(o->attempts, 1);
	run_ms(1200); /* the second attempt fails too, and is not reported */
	unlink(path("box/mode"));
	o = wait_outcome(&id, 1, RESULT(SENT), 20);
	assert_in_range(o->attempts, 2, 5);
	assert_int_equal(mails_of(path("box/index"), &id), 1);
	assert_null(strstr(get("/readyz"), "destination mail"));
}

static void test_mail_server_comes_late(void **state)
{
	(void)state;
	need_mailbox();
	struct id id = order("late", "late");
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(RETRY), 20);
	assert_non_null(strstr(o->detail, "not sent"));
	w.late = start_mailbox(w.port[MAIL_LATE], path("late"), &w.late_in);
	wait_outcome(&id, 1, RESULT(SENT), 30);
	assert_int_equal(mails_of(path("late/index"), &id), 1);
}

static void test_expired(void **state)
{
	(void)state;
	struct id id = order_in_time("dead", "expires", wall_ms() + 1800),
		  late = order_in_time("dead", "too late", 1);
	wait_outcome(&id, 0, RESULT(RETRY), 20);
	const Ascolto__Outcome *o = wait_outcome(&id, 1, RESULT(EXPIRED), 20);
	assert_in_range(o->attempts, 2, 3);
	assert_non_null(strstr(o->detail, "its time was over"));
	o = wait_outcome(&late, 0, RESULT(EXPIRED), 20);
	assert_int_equal(o->attempts, 0);
}

/* The mail is taken, and before the answer comes the process ends. Nobody knows, so it is sent again: as the
 * same mail. */
static void end_during_an_attempt(const char *name, int signal)
{
	need_mailbox();
	write_file(path("box/mode"), "hang", 0600);
	struct id id = order("mail", name);
	WAIT_FOR(mails_of(path("box/index"), &id) == 1, 20);
	int status = end(&w.program, signal);
	assert_int_equal(signal == SIGKILL ? WTERMSIG(status) : status, signal == SIGKILL ? SIGKILL : 0);
	unlink(path("box/mode"));
	start_program();
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(UNKNOWN), 30);
	if (signal == SIGKILL) /* one that is told to stop may still see the call end */
		assert_string_equal(o->detail, "the service ended during the attempt");
	o = wait_outcome(&id, 1, RESULT(SENT), 20);
	assert_int_equal(o->attempts, 2);
	assert_int_equal(mails_of(path("box/index"), &id), 2); /* both with the one Message-ID */
	run_ms(500);
	assert_null(outcome(&id, 2));
	struct id trace = id_from(1, span_str("trace")); /* kept all the way */
	for (size_t i = 0; i < w.peer.n_outcomes; i++)
		assert_memory_equal(w.peer.outcome[i]->trace_id.data, trace.b, ID_BYTES);
}

static void test_killed_during_an_attempt(void **state)
{
	(void)state;
	end_during_an_attempt("killed", SIGKILL);
}

static void test_stopped_during_an_attempt(void **state)
{
	(void)state;
	end_during_an_attempt("stopped", SIGTERM);
}

/* ------------------------------------------------------------------------------------------------ webhooks
 */

static void test_debian_webhook(void **state)
{
	char text[ID_TEXT + 1];
	(void)state;
	if (!w.have_webhook) {
		print_message("skipped: the package webhook is not installed\n");
		skip();
	}
	struct id id = order("alert", "signed");
	struct id wrong = order_in_time("wrong", "signed with another secret", wall_ms() + 1500);
	wait_outcome(&id, 0, RESULT(SENT), 20);
	const Ascolto__Outcome *o = wait_outcome(&wrong, 0, RESULT(RETRY), 20);
	assert_non_null(strstr(o->detail, "HTTP 500")); /* how it says that a signature is wrong */
	wait_outcome(&wrong, 1, RESULT(EXPIRED), 20);
	const char *taken = read_file(path("taken"));
	char expected[200];
	snprintf(expected, sizeof(expected), "%s Perch\xc3\xa9 \xf0\x9f\x94\xa5 signed 214\n",
		id_format(&id, text));
	assert_string_equal(taken, expected);
}

/* "t=SECONDS,v1=HEX" over "SECONDS.BODY". */
static void check_signature(const struct request_seen *s, const char *secret)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char hex[65], t[32];
	struct buf text CLEANUP(buf_free);
	crypto_auth_hmacsha256_state h;
	assert_memory_equal(s->signature, "t=", 2);
	snprintf(t, sizeof(t), "%.*s", (int)strcspn(s->signature + 2, ","), s->signature + 2);
	assert_in_range(strtoll(t, NULL, 10), wall_ms() / 1000 - 60, wall_ms() / 1000 + 1);
	buf_init(&text, 1 << 20);
	buf_addf(&text, "%s.%s", t, buf_str(&s->body));
	crypto_auth_hmacsha256_init(&h, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&h, text.data, text.len);
	crypto_auth_hmacsha256_final(&h, mac);
	sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	assert_string_equal(strstr(s->signature, ",v1=") + 4, hex);
}

static void test_busy_web_server(void **state)
{
	char text[ID_TEXT + 1];
	(void)state;
	w.peer.refuse = 1;
	size_t first = w.peer.n_seen;
	struct id id = order("hook", "busy");
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(RETRY), 20);
	assert_non_null(strstr(o->detail, "HTTP 503"));
	int64_t at_ms = o->at_ms;
	o = wait_outcome(&id, 1, RESULT(SENT), 20);
	assert_int_equal(o->attempts, 2);
	assert_in_range(o->at_ms - at_ms, 1000, 5000); /* what Retry-After said */
	assert_int_equal(w.peer.n_seen, first + 2);
	for (size_t i = first; i < first + 2; i++) {
		assert_string_equal(w.peer.seen[i].delivery, id_format(&id, text));
		check_signature(&w.peer.seen[i], SECRET);
		assert_non_null(strstr(buf_str(&w.peer.seen[i].body), "\"people\":214"));
	}
	assert_string_equal(buf_str(&w.peer.seen[first].body), buf_str(&w.peer.seen[first + 1].body));
}

static void test_webhook_is_gone(void **state)
{
	(void)state;
	struct id id = order("gone", "gone");
	const Ascolto__Outcome *o = wait_outcome(&id, 0, RESULT(REJECTED), 20);
	assert_non_null(strstr(o->detail, "HTTP 404"));
	assert_int_equal(o->attempts, 1);
}

static void test_four_calls_at_once(void **state)
{
	struct id id[12];
	char name[16];
	(void)state;
	w.peer.hold = true;
	for (size_t i = 0; i < ARRAY_SIZE(id); i++) {
		snprintf(name, sizeof(name), "crowd %zu", i);
		id[i] = order("hook", name);
	}
	WAIT_FOR(w.peer.n_held == 4, 20);
	run_ms(700);
	assert_int_equal(w.peer.most_held, 4);
	w.peer.hold = false;
	peer_let_go(&w.peer);
	for (size_t i = 0; i < ARRAY_SIZE(id); i++)
		assert_int_equal(wait_outcome(&id[i], 0, RESULT(SENT), 20)->attempts, 1);
}

/* ------------------------------------------------------------------------------------------------ operators
 */

static void test_secret_is_changed(void **state)
{
	(void)state;
	WAIT_FOR(answers(w.port[HTTP_THERE]), 20);
	write_file(path("secret"), "a new secret\n", 0600);
	kill(w.program, SIGHUP);
	WAIT_FOR(strstr(read_file(path("log")), "configuration read again"), 20);
	size_t first = w.peer.n_seen;
	struct id id = order("hook", "new secret");
	wait_outcome(&id, 0, RESULT(SENT), 20);
	check_signature(&w.peer.seen[first], "a new secret");
}

static void test_unknown_destination(void **state)
{
	(void)state;
	struct id id = order("nowhere", "lost");
	WAIT_FOR(strstr(get("/-/quarantine"),
			 "brand brezza has no destination \\\"nowhere\\\" (it has: mail, late, dead,"),
		20);
	assert_null(outcome(&id, 0));
}

static void test_what_operators_see(void **state)
{
	(void)state;
	struct id id = order("hook", "seen");
	wait_outcome(&id, 0, RESULT(SENT), 20);
	char text[ID_TEXT + 1];
	const char *list = get("/-/deliveries?limit=1"), *items = strstr(list, "{\"items\":[");
	assert_non_null(items);
	assert_non_null(strstr(items, id_format(&id, text)));
	assert_non_null(strstr(items, "\"result\":\"sent\""));
	assert_null(strstr(items, "\"result\":\"expired\""));
	assert_non_null(strstr(get("/-/deliveries"), "\"result\":\"expired\""));
	assert_non_null(strstr(get("/-/deliveries?limit=x"), "HTTP/1.1 400"));
	const char *metrics = get("/metrics");
	assert_non_null(strstr(metrics, "ascolto_notification_seconds_count{template=\"incident_opened\"}"));
	assert_non_null(strstr(metrics, "ascolto_notification_sent_total{destination=\"hook\"}"));
	assert_non_null(strstr(metrics, "\nascolto_notification_open_deliveries 0\n"));
	assert_non_null(strstr(
		metrics, w.have_webhook ? "\nascolto_expired_total 3\n" : "\nascolto_expired_total 2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mail_refused),
		cmocka_unit_test(test_mail_server_comes_late),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_debian_webhook),
		cmocka_unit_test(test_busy_web_server),
		cmocka_unit_test(test_webhook_is_gone),
		cmocka_unit_test(test_four_calls_at_once),
		cmocka_unit_test(test_unknown_destination),
		cmocka_unit_test(test_killed_during_an_attempt),
		cmocka_unit_test(test_stopped_during_an_attempt),
		cmocka_unit_test(test_secret_is_changed),
		cmocka_unit_test(test_what_operators_see),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
