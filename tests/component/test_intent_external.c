/* A model server beside the built-in models: a process of its own that answers well, late, wrongly or not at all. */
#include "tests/component/intent_stage.h"

#include "services/intent/external.h"

#include <zmq.h>

#define LOAD 20000
#define FAULT "il modem rotto e' spento"

static char said[16384];
static char endpoint[64];
static pid_t server;

/* ---- the server: this program again, with --serve ENDPOINT MODE ---- */

static size_t answer(const char *mode, const Ascolto__ClassifyRequest *q, uint8_t *out)
{
	static Ascolto__Understanding u[EXTERNAL_TEXTS_MAX], *list[EXTERNAL_TEXTS_MAX];
	static Ascolto__Label intent_label = ASCOLTO__LABEL__INIT, lane = ASCOLTO__LABEL__INIT;
	static char *flags[] = {(char *)"outage"};
	Ascolto__ClassifyReply r = ASCOLTO__CLASSIFY_REPLY__INIT;
	intent_label.value = (char *)(uintptr_t)(str_eq(mode, "strange") ? "happiness" : "complain");
	intent_label.probability = str_eq(mode, "sure") ? 1.5f : 0.75f;
	lane.value = (char *)"polemic"; /* nobody asked */
	lane.probability = 0.5f;
	for (size_t i = 0; i < q->n_texts; i++) {
		u[i] = (Ascolto__Understanding)ASCOLTO__UNDERSTANDING__INIT;
		u[i].intent = &intent_label;
		u[i].lane = &lane;
		u[i].flags = flags;
		u[i].n_flags = 1;
		if (str_eq(mode, "unsure"))
			u[i].intent->value = (char *)"";
		list[i] = &u[i];
	}
	r.version = str_eq(mode, "future") ? 2 : 1;
	r.number = q->number;
	r.model = (char *)"tiny transformer 1";
	r.error = (char *)(uintptr_t)(str_eq(mode, "error") ? "no more memory" : "");
	r.understandings = list;
	r.n_understandings = q->n_texts - str_eq(mode, "short");
	return ascolto__classify_reply__pack(&r, out);
}

static int serve(const char *where, const char *mode)
{
	static uint8_t in_bytes[4 << 20], out[4 << 20];
	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_REP);
	int linger = 0;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (zmq_bind(socket, where))
		return 1;
	for (;;) {
		int n = zmq_recv(socket, in_bytes, sizeof(in_bytes), 0);
		Ascolto__ClassifyRequest *q = n < 0 ? NULL : ascolto__classify_request__unpack(NULL, (size_t)n, in_bytes);
		if (!q || q->version != 1 || !q->n_texts || q->n_tasks != 2)
			return 2;
		size_t len = answer(mode, q, out);
		if (str_eq(mode, "slow"))
			usleep(1200000);
		if (str_eq(mode, "silent"))
			pause();
		if (str_eq(mode, "garbage"))
			len = (size_t)snprintf((char *)out, sizeof(out), "HTTP/1.1 200 OK\r\n\r\nhello");
		if (str_eq(mode, "huge"))
			len = sizeof(out);
		if (str_eq(mode, "frames"))
			zmq_send(socket, "x", 1, ZMQ_SNDMORE);
		zmq_send(socket, out, len, 0);
		ascolto__classify_request__free_unpacked(q, NULL);
	}
}

static void start_server(const char *mode)
{
	server = fork();
	if (server == 0) {
		execl("/proc/self/exe", "/proc/self/exe", "--serve", endpoint, mode, (char *)NULL);
		_exit(127);
	}
	assert_true(server > 0);
}

static void kill_server(void)
{
	if (server > 0)
		program_stop(&server, SIGKILL);
}

static int setup_external(void **state)
{
	static char settings[256];
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", 31000 + (int)(getpid() % 800) * 2);
	snprintf(settings, sizeof(settings),
		"  retrain_after: 0\n  external:\n    endpoint: %s\n    limit_ms: 500\n    tasks: [intent, flags]\n", endpoint);
	more_settings = settings;
	return setup(state);
}

static int teardown_external(void **state)
{
	kill_server();
	return teardown(state);
}

static void restart(void)
{
	assert_int_equal(program_stop(&intent, SIGTERM), 0);
	start_intent();
}

static void get_says(const char *path, const char *words)
{
	struct reply r = talk(installation_port(&site, "intent", ADDRESS_HTTP), "GET", path, NULL, NULL);
	assert_int_equal(r.status, 200);
	says(r.body, words);
	reply_free(&r);
}

/* Until the server's answer is the one, which is when the pause is over. */
static bool asked_again(const char *label, int64_t limit_ms)
{
	for (int64_t end = now_ms() + limit_ms; now_ms() < end; usleep(50000))
		if (str_eq(ask_intent(FAULT, NULL), label))
			return true;
	return false;
}

static void test_answers(void **state)
{
	(void)state;
	char model[128];
	start_server("good");
	assert_true(asked_again("complain", 10000));
	size_t n = peer_received(escalation);
	send_text(77, FAULT);
	Ascolto__Envelope *e = classified(n);
	const Ascolto__Understanding *u = e->classified->understanding;
	assert_string_equal(u->intent->value, "complain");
	assert_true(u->intent->probability == 0.75f);
	assert_int_equal(u->n_flags, 1);
	assert_string_equal(u->lane->value, "service"); /* the built-in model's: the server was not to answer it */
	assert_true(u->signature && u->signature->n_terms > 0);
	says(u->model, "external/tiny_transformer_1(intent,flags) linear/");
	ascolto__envelope__free_unpacked(e, NULL);
	assert_string_equal(ask_intent("", model), "");
	get_says("/metrics", "ascolto_external_messages_total{result=\"answered\"}");
	EXPECT(0, said, "intent models");
	says(said, "answers intent, flags, within 500 ms");

	/* Killed, and back again. */
	kill_server();
	assert_string_equal(ask_intent(FAULT, model), "report_fault");
	assert_null(strstr(model, "external"));
	get_says("/readyz", "the built-in models decide, it is asked again after");
	start_server("good");
	assert_true(asked_again("complain", 20000));
	get_says("/readyz", "\"issues\":[]");
	kill_server();
	start_server("unsure");
	assert_true(asked_again("", 40000)); /* that it does not know is an answer */
}

static void test_bad_servers(void **state)
{
	(void)state;
	static const struct {
		const char *mode, *result, *words;
	} rows[] = {{"none", "unreachable", "nobody listens there"}, {"silent", "late", "no answer within 500 ms"},
		{"slow", "late", "no answer within 500 ms"}, {"garbage", "wrong", "is no ClassifyReply"},
		{"strange", "wrong", "a label, probability or flag that no task has"},
		{"sure", "wrong", "a label, probability or flag that no task has"},
		{"short", "wrong", "not for as many texts as were asked"}, {"error", "wrong", "says that it can not answer"},
		{"future", "wrong", "another version of the protocol"}, {"frames", "wrong", "another shape"},
		{"huge", "wrong", "is no ClassifyReply"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char model[128], metric[128];
		if (!str_eq(rows[i].mode, "none"))
			start_server(rows[i].mode);
		usleep(200000); /* it listens */
		restart();
		int64_t begun = now_ms();
		assert_string_equal(ask_intent(FAULT, model), "report_fault");
		assert_null(strstr(model, "external"));
		if (now_ms() - begun > 3000) /* the link has been made anew, too */
			fail_msg("a server that is %s took %d ms", rows[i].mode, (int)(now_ms() - begun));
		get_says("/readyz", rows[i].words);
		snprintf(metric, sizeof(metric), "ascolto_external_messages_total{result=\"%s\"} 1", rows[i].result);
		get_says("/metrics", metric);
		kill_server();
	}
	EXPECT(0, said, "quarantine list intent");
	says(said, "nothing is in quarantine");
}

/* Messages per second from the first to the last, all of them there. */
static double rate(int first)
{
	size_t before = peer_received(escalation);
	int64_t begun = now_ms();
	for (int i = 0; i < LOAD; i++)
		send_text(first + i, FAULT);
	Ascolto__Envelope *e = peer_wait_received(escalation, before + LOAD - 1, 90000);
	assert_non_null(e);
	ascolto__envelope__free_unpacked(e, NULL);
	assert_int_equal(peer_received(escalation), before + LOAD);
	return LOAD * 1000.0 / (double)MAX(1, now_ms() - begun);
}

static void test_rates(void **state)
{
	(void)state;
	double down = rate(0);
	start_server("silent");
	double silent = rate(LOAD);
	kill_server();
	start_server("good");
	assert_true(asked_again("complain", 40000));
	double up = rate(2 * LOAD);
	print_message("messages per second: nobody there %.0f, silent %.0f, answering at once %.0f\n", down, silent, up);
	assert_true(down > 1000 && silent > 1000 && up > 1000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup_external, teardown_external),
		cmocka_unit_test_setup_teardown(test_bad_servers, setup_external, teardown_external),
		cmocka_unit_test_setup_teardown(test_rates, setup_external, teardown_external),
	};
	if (argc == 4 && str_eq(argv[1], "--serve"))
		return serve(argv[2], argv[3]);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
