/*
 * The life of a service, shown with one that misbehaves on command (svc_stage.h): whatever happens to the
 * process, every message has its effect once and in order, and what can not be handled is put aside for a
 * person.
 */
#include "tests/component/svc_stage.h"

#include "proto/state.pb-c.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- kill -9 at any moment ---- */

#define KILLS 24

/* The messages come in lots; after each one of the two is killed at some moment and started again. */
static void send_and_kill(pid_t pids[2], struct peer *p)
{
	static const char *const names[] = {"enrichment", "intent"};
	unsigned seed = (unsigned)wall_ms();
	print_message("seed %u\n", seed);
	for (uint64_t i = 0, lot = 1; i < MANY; i++) {
		tell(p, i, "");
		if (i < lot * MANY / (KILLS + 1))
			continue;
		lot++;
		usleep((useconds_t)(rand_r(&seed) % 300000));
		int which = rand_r(&seed) % 2;
		program_stop(&pids[which], SIGKILL);
		pids[which] = launch(names[which]);
	}
}

static uint64_t sum_of(const struct rows *rows)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < rows->n; i++)
		sum += rows->number[i];
	return sum;
}

static void test_exactly_once(void **state)
{
	(void)state;
	pid_t pids[] = {launch("enrichment"), launch("intent")};
	struct peer *p = sender_to("enrichment");
	send_and_kill(pids, p);
	assert_true(peer_wait_sent(p, 60000));
	for (int i = 0; i < 3000 && status_of("intent", "handled") + status_of("intent", "quarantine") < MANY;
		i++)
		usleep(20000);
	int64_t aside = status_of("enrichment", "quarantine") + status_of("intent", "quarantine");
	program_stop(&pids[0], SIGTERM);
	program_stop(&pids[1], SIGTERM);
	peer_close(&p);
	/* A kill from outside is nobody's fault: nothing is put aside. */
	assert_int_equal(aside, 0);
	assert_once_in_order(read_rows("enrichment", LOG), MANY, NULL, 0);
	assert_once_in_order(read_rows("intent", LOG), MANY, NULL, 0);
	/* What every message adds to is written once a turn, and no turn was lost or written twice. */
	assert_int_equal(sum_of(read_rows("enrichment", TALLY)), MANY);
	assert_int_equal(sum_of(read_rows("intent", TALLY)), MANY);
}

/* ---- what ends the process ---- */

/* Starts it again whenever it ends, until everything is acknowledged; returns how often it ended. */
static unsigned keep_alive(const char *service, pid_t *pid, struct peer *p)
{
	unsigned ends = 0;
	for (int i = 0; i < 600 && !peer_wait_sent(p, 100); i++)
		if (has_ended(*pid)) {
			program_stop(pid, SIGKILL);
			*pid = launch(service);
			ends++;
		}
	assert_true(peer_wait_sent(p, 100));
	return ends;
}

static void poison_with(const char *how, unsigned ends_max)
{
	static const uint64_t bad[] = {50, 53, 120};
	struct peer *q = receiver_as("intent"), *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	assert_true(pid > 0);
	for (uint64_t i = 0; i < 300; i++)
		tell(p, i, i == bad[0] || i == bad[1] || i == bad[2] ? how : "");
	unsigned ends = keep_alive("enrichment", &pid, p);
	print_message("%s: ended %u times\n", how, ends);
	assert_true(ends >= 3 && ends <= ends_max);
	assert_true(wait_status("enrichment", "quarantine", 3, 5000));
	struct reply r = talk(http_port_of("enrichment"), "GET", "/-/quarantine", NULL, NULL);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "the service ended 3 times while handling it"));
	assert_non_null(strstr(r.body, "\"from\":\"ingest\""));
	reply_free(&r);
	Ascolto__Envelope *e = peer_wait_received(q, 296, 5000); /* the others flow */
	assert_non_null(e);
	ascolto__envelope__free_unpacked(e, NULL);
	end_in_order(&pid);
	peer_close(&p);
	peer_close(&q);
	assert_once_in_order(read_rows("enrichment", LOG), 300, bad, ARRAY_SIZE(bad));
}

static void test_abort(void **state)
{
	(void)state;
	poison_with("abort", 9); /* three tries each */
}

/* An end without a chance to write anything down: three tries alone each, after one among others that is not
 * on record and one that is. */
static void test_kill(void **state)
{
	(void)state;
	poison_with("kill", 15);
}

/* ---- RETRY and REJECT ---- */

/* The n-th id in the list of what was put aside. */
static void quarantined_id(const char *service, size_t n, char id[ID_TEXT + 1])
{
	struct reply r = talk(http_port_of(service), "GET", "/-/quarantine", NULL, NULL);
	const char *at = r.body;
	for (size_t i = 0; i <= n; i++) {
		at = strstr(at + 1, "\"id\":\"");
		assert_non_null(at);
	}
	snprintf(id, ID_TEXT + 1, "%s", at + 6);
	reply_free(&r);
}

static void test_retry(void **state)
{
	(void)state;
	static const uint64_t bad[] = {48};
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < 200; i++)
		tell(p, i, i == 16 || i == 17 ? "retry" : i == 48 ? "never" : "");
	assert_true(peer_wait_sent(p, 20000));
	assert_int_equal(status_of("enrichment", "handled"), 199);
	expect_reply("GET", "/-/quarantine", 200, "\"attempts\":3");
	expect_reply("GET", "/-/quarantine", 200, "not today");
	assert_int_equal(status_of("enrichment", "quarantine"), 1);
	end_in_order(&pid);
	peer_close(&p);
	/* Those behind it in the stream waited for it. */
	assert_once_in_order(read_rows("enrichment", LOG), 200, bad, 1);
	assert_int_equal(sum_of(read_rows("enrichment", TALLY)), 199);
}

/* What RETRY says after a crash, when everything is handled with care, is no crash. */
static void test_retry_after_a_crash(void **state)
{
	(void)state;
	static const uint64_t bad[] = {48};
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	tell(p, 0, "");
	assert_true(peer_wait_sent(p, 5000));
	program_stop(&pid, SIGKILL);
	pid = start("enrichment");
	for (uint64_t i = 1; i < 200; i++)
		tell(p, i, i == 16 || i == 17 ? "retry" : i == 48 ? "never" : "");
	assert_true(peer_wait_sent(p, 20000));
	assert_int_equal(status_of("enrichment", "quarantine"), 1);
	expect_reply("GET", "/-/quarantine", 200, "not today");
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), 200, bad, 1);
}

static void accept_from_now_on(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/accept", in.folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void test_reject_replay_drop(void **state)
{
	(void)state;
	static const uint64_t dropped[] = {18};
	char id[ID_TEXT + 1], path[128], drop[ID_TEXT + 1];
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < 20; i++)
		tell(p, i, i >= 18 ? "reject" : "");
	assert_true(peer_wait_sent(p, 10000));
	assert_int_equal(status_of("enrichment", "handled"), 18);
	expect_reply("GET", "/-/quarantine", 200, "\"total\":2");
	expect_reply("GET", "/-/quarantine", 200, "number 18 is not to my taste");
	expect_reply("GET", "/-/quarantine", 200, "number 19 is not to my taste");
	expect_reply("GET", "/readyz", 200, "2 messages are in quarantine");
	quarantined_id("enrichment", 0, id);
	quarantined_id("enrichment", 1, drop);
	snprintf(path, sizeof(path), "/-/quarantine/%s", id);
	expect_reply("GET", path, 200, "\"native_id\":\"1");
	bool first_is_18 = false;
	struct reply r = talk(http_port_of("enrichment"), "GET", path, NULL, NULL);
	first_is_18 = strstr(r.body, "number 18") != NULL;
	reply_free(&r);
	if (first_is_18) {
		char swap[ID_TEXT + 1];
		memcpy(swap, id, sizeof(swap));
		memcpy(id, drop, sizeof(swap));
		memcpy(drop, swap, sizeof(swap));
	}
	/* Replayed before anything has changed: it says why not, and stays. */
	snprintf(path, sizeof(path), "/-/quarantine/%s/replay", id);
	expect_reply("POST", path, 409, "number 19 is not to my taste");
	expect_reply("GET", "/-/quarantine", 200, "\"total\":2");
	accept_from_now_on();
	expect_reply("POST", path, 200, "replayed");
	expect_reply("POST", path, 404, "nothing with that id");
	assert_int_equal(status_of("enrichment", "handled"), 19);
	snprintf(path, sizeof(path), "/-/quarantine/%s/drop", drop);
	expect_reply("POST", path, 200, "dropped");
	expect_reply("POST", path, 404, "nothing with that id");
	expect_reply("GET", "/-/quarantine", 200, "\"total\":0");
	snprintf(path, sizeof(path), "/-/quarantine/%s/explode", drop);
	expect_reply("POST", path, 404, "");
	expect_reply("GET", "/-/quarantine/nonsense", 404, "");
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), 20, dropped, 1);
}

/* Two people press the button at once, or one presses twice. */
static void test_replayed_at_once(void **state)
{
	(void)state;
	char id[ID_TEXT + 1], text[256], answer[2][512] = {"", ""};
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	tell(p, 0, "reject");
	assert_true(peer_wait_sent(p, 10000));
	quarantined_id("enrichment", 0, id);
	accept_from_now_on();
	int n = snprintf(text, sizeof(text),
		"POST /-/quarantine/%s/replay HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Connection: close\r\nContent-Length: 0\r\n\r\n",
		id);
	int fds[2] = {dial(http_port_of("enrichment")), dial(http_port_of("enrichment"))};
	usleep(100000);
	kill(pid, SIGSTOP);
	for (int i = 0; i < 2; i++)
		assert_int_equal(write(fds[i], text, (size_t)n), n);
	usleep(50000);
	kill(pid, SIGCONT);
	for (int i = 0; i < 2; i++) {
		size_t len = 0;
		ssize_t got;
		while ((got = read(fds[i], answer[i] + len, sizeof(answer[i]) - 1 - len)) > 0)
			len += (size_t)got;
		close(fds[i]);
	}
	assert_true(strstr(answer[0], " 200 ") || strstr(answer[1], " 200 "));
	assert_int_equal(status_of("enrichment", "handled"), 1);
	assert_int_equal(status_of("enrichment", "quarantine"), 0);
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), 1, NULL, 0);
}

/* A message nobody here takes, and bytes that are no message. */
static void test_not_for_us(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	uint64_t number = 1;
	struct id id = id_from(1, span_of(&number, sizeof(number)));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__History h = ASCOLTO__HISTORY__INIT;
	e.id = id_bytes(&id);
	e.body_case = ASCOLTO__ENVELOPE__BODY_HISTORY;
	e.history = &h;
	peer_send(p, LANE_NORMAL, &e, "c1");
	e.id = (ProtobufCBinaryData){0}; /* without an id */
	peer_send(p, LANE_URGENT, &e, "c1");
	tell(p, 0, "");
	assert_true(peer_wait_sent(p, 10000));
	expect_reply("GET", "/-/quarantine", 200, "does not take messages of this kind");
	expect_reply("GET", "/-/quarantine", 200, "can not be read");
	assert_int_equal(status_of("enrichment", "handled"), 1);
	end_in_order(&pid);
	peer_close(&p);
}

int main(int argc, char **argv)
{
	if (argc == 4 && str_eq(argv[1], "toy"))
		return be_toy(argv[2], argv[3]);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		TEST(test_exactly_once),
		TEST(test_abort),
		TEST(test_kill),
		TEST(test_retry),
		TEST(test_retry_after_a_crash),
		TEST(test_reject_replay_drop),
		TEST(test_replayed_at_once),
		TEST(test_not_for_us),
	};
	return cmocka_run_group_tests_name("svc", tests, NULL, NULL);
}
