/*
 * The life of a service, shown with one that misbehaves on command: whatever happens to the process, every
 * message has its effect once and in order, and what can not be handled is put aside for a person.
 *
 * The program is its own service under test: started with "toy NAME CONFIG" it is that service, and does what
 * its messages' text says (see do_as_told).
 */
#include "common/svc.h"
#include "proto/state.pb-c.h"
#include "tests/component/peer.h"
#include "tests/component/program.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 4000
#else
#define MANY 20000
#endif
#define ROUTES 16

/* ------------------------------------------------------------------------------------------------ the toy */

enum { LOG, BULK, FIRED };

static const struct table toy_tables[] = {
	[LOG] = {0x20, "log", &state__counter__descriptor,
		"position: the number of the message that came there"},
	[BULK] = {0x21, "bulk", &state__raw_post__descriptor, "number, part: bytes"},
	[FIRED] = {0x22, "fired", &state__counter__descriptor,
		"position: the number of the timer that came there"},
	{0},
};

/* Behind what earlier messages of the turn wrote. */
static void note(struct turn *t, int table, uint64_t number)
{
	struct key k = turn_key(t, &toy_tables[table]);
	struct span last, value;
	uint64_t position = 0;
	State__Counter c = STATE__COUNTER__INIT;
	if (txn_last(t->txn, &k, &last, &value) == 0) {
		struct span rest = span_of(last.data + 2, last.len - 2);
		key_take_u64(&rest, &position);
		position++;
	}
	key_u64(&k, position);
	c.value = number;
	turn_put(t, &k, &c);
}

static void put_bulk(struct turn *t, uint64_t number, size_t kib)
{
	static uint8_t bytes[7000 * 1024];
	for (uint64_t part = 0; kib; part++) {
		size_t now = MIN(kib, sizeof(bytes) / 1024);
		State__RawPost p = STATE__RAW_POST__INIT;
		struct key k = turn_key(t, &toy_tables[BULK]);
		memset(bytes, (int)(number + part), now * 1024);
		p.raw = (ProtobufCBinaryData){now * 1024, bytes};
		key_u64(&k, number);
		key_u64(&k, part);
		turn_put(t, &k, &p);
		kib -= now;
	}
}

static void set_timer(struct turn *t, const Ascolto__Envelope *cause, uint64_t number, int64_t due_ms)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, "toy", 0);
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	timer.number = number;
	timer.due_ms = due_ms;
	e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e->timer = &timer;
	turn_timer(t, e, due_ms);
}

static bool accepts(const struct turn *t)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/../accept", t->conf->data);
	return access(path, F_OK) == 0;
}

static enum verdict do_as_told(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	static unsigned tries[1000];
	const char *what = e->received->post->text;
	uint64_t number = strtoull(e->received->post->native_id, NULL, 10);
	if (str_eq(what, "abort"))
		abort();
	if (str_eq(what, "kill"))
		raise(SIGKILL);
	if (str_eq(what, "reject") && !accepts(t)) {
		err_set(why, -EINVAL, "number %" PRIu64 " is not to my taste", number);
		return REJECT;
	}
	if (str_eq(what, "never") || (str_eq(what, "retry") && ++tries[number % ARRAY_SIZE(tries)] < 3)) {
		err_set(why, -EAGAIN, "not today");
		note(t, LOG, 1000000); /* is to leave no trace */
		turn_count(t, "handled", 1000);
		return RETRY;
	}
	if (strncmp(what, "bulk ", 5) == 0)
		put_bulk(t, number, strtoul(what + 5, NULL, 10));
	if (strncmp(what, "timer ", 6) == 0)
		set_timer(t, e, number, strtoll(what + 6, NULL, 10));
	note(t, LOG, number);
	turn_count(t, "handled", 1);
	return DONE;
}

static enum verdict take_last(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	return do_as_told(t, e, why);
}

static enum verdict take_and_pass_on(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	enum verdict v = do_as_told(t, e, why);
	if (v != DONE)
		return v;
	Ascolto__Envelope *out = turn_envelope(t, e, "toy", 1);
	Ascolto__Message m = *e->received;
	Ascolto__Post p = *m.post;
	p.text = (char *)"";
	m.post = &p;
	out->body_case = ASCOLTO__ENVELOPE__BODY_RECEIVED;
	out->received = &m;
	turn_emit(t, 0, LANE_NORMAL, out, span_str(p.conversation));
	return DONE;
}

static enum verdict timer_fired(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	if (t->now_ms < e->timer->due_ms) {
		err_set(why, -EINVAL, "too early");
		return REJECT;
	}
	note(t, FIRED, e->timer->number);
	turn_count(t, "fired", 1);
	return DONE;
}

static const struct handler first_handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_RECEIVED, take_and_pass_on, "what the test sends"},
	{ASCOLTO__ENVELOPE__BODY_TIMER, timer_fired, "timers"},
	{0},
};

static const struct handler last_handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_RECEIVED, take_last, "what the first toy passes on"},
	{0},
};

static const struct counter toy_counters[] = {
	{"handled", "Messages handled"},
	{"fired", "Timers that fired"},
	{0},
};

static const char *const first_emits[] = {"intent", NULL};

static const struct svc_spec toys[] = {
	{.name = "enrichment",
		.summary = "a toy that passes on",
		.handlers = first_handlers,
		.tables = toy_tables,
		.counters = toy_counters,
		.emits = first_emits},
	{.name = "intent",
		.summary = "a toy that keeps",
		.handlers = last_handlers,
		.tables = toy_tables,
		.counters = toy_counters},
};

static int be_toy(const char *name, const char *config)
{
	char *argv[] = {(char *)"toy", (char *)"-c", (char *)(uintptr_t)config, NULL};
	struct rlimit none = {0};
	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < ARRAY_SIZE(toys); i++)
		if (str_eq(toys[i].name, name))
			return svc_main(&toys[i], 3, argv);
	return 2;
}

/* ------------------------------------------------------------------------------------------ around the toy
 */

static struct installation in;

static char *log_path(const char *service)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/log-%s", in.folder, service);
	return path;
}

static pid_t launched[64]; /* the newest of this test, so that one that fails leaves nobody behind */
static unsigned n_launched;

/* Does not wait. What it logs is kept, of the last start only. */
static pid_t launch(const char *service)
{
	pid_t pid = fork();
	launched[n_launched++ % ARRAY_SIZE(launched)] = pid;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = open(log_path(service), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		dup2(fd, STDERR_FILENO);
		execl("/proc/self/exe", "component_svc", "toy", service, in.config, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static int http_port_of(const char *service)
{
	return installation_port(&in, service, ADDRESS_HTTP);
}

static bool answers(const char *service, const char *path, int status)
{
	struct reply r = talk(http_port_of(service), "GET", path, NULL, NULL);
	bool so = r.status == status;
	reply_free(&r);
	return so;
}

/* For who reads of a failure. */
static void show_log(const char *service)
{
	char line[1024];
	FILE *f = fopen(log_path(service), "r");
	while (f && fgets(line, sizeof(line), f))
		print_message("	%s", line);
	if (f)
		fclose(f);
}

static void end_in_order(pid_t *pid)
{
	if (program_stop(pid, SIGTERM) == 0)
		return;
	show_log("enrichment");
	fail_msg("it did not end in order");
}

/* Waits until it is ready; 0 when it ends instead. */
static pid_t start(const char *service)
{
	pid_t pid = launch(service);
	for (int i = 0; i < 2000 && !has_ended(pid); i++) {
		if (answers(service, "/readyz", 200))
			return pid;
		usleep(5000);
	}
	show_log(service);
	program_stop(&pid, SIGKILL);
	return 0;
}

static bool log_says(const char *service, const char *words)
{
	char text[16384] = "";
	FILE *f = fopen(log_path(service), "r");
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
	}
	return strstr(text, words) != NULL;
}

/* A number from the status: the word as it stands in the JSON, for example "handled". */
static int64_t status_of(const char *service, const char *word)
{
	char quoted[64];
	struct reply r = talk(http_port_of(service), "GET", "/-/status", NULL, NULL);
	snprintf(quoted, sizeof(quoted), "\"%s\":", word);
	const char *at = r.body ? strstr(r.body, quoted) : NULL;
	int64_t n = at ? strtoll(at + strlen(quoted), NULL, 10) : -1;
	reply_free(&r);
	return n;
}

static bool wait_status(const char *service, const char *word, int64_t want, int64_t timeout_ms)
{
	for (int64_t waited = 0; waited <= timeout_ms; waited += 20) {
		if (status_of(service, word) == want)
			return true;
		usleep(20000);
	}
	return false;
}

static int64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct peer *sender_to(const char *service)
{
	static char link[64]; /* borrowed by the peer; there is one at a time */
	struct peer *p = NULL;
	struct err e = {0};
	snprintf(link, sizeof(link), "tcp://127.0.0.1:%d", installation_port(&in, service, ADDRESS_LINK));
	struct peer_options o = {.name = "ingest", .send_to = link};
	if (peer_open(&p, &o, &e))
		fail_msg("%s", err_text(&e));
	return p;
}

/* Plays the service the first toy sends to. */
static struct peer *receiver_as(const char *service)
{
	char link[64];
	struct peer *p = NULL;
	struct err e = {0};
	snprintf(link, sizeof(link), "tcp://127.0.0.1:%d", installation_port(&in, service, ADDRESS_LINK));
	struct peer_options o = {.name = service, .listen = link};
	if (peer_open(&p, &o, &e))
		fail_msg("%s", err_text(&e));
	return p;
}

static const char *route_of(uint64_t number)
{
	static char route[16];
	snprintf(route, sizeof(route), "c%u", (unsigned)(number % ROUTES));
	return route;
}

static void tell_on(struct peer *p, uint64_t number, const char *route, const char *what)
{
	char text[32];
	struct id id = id_from(1763757000000, span_of(&number, sizeof(number)));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Message m = ASCOLTO__MESSAGE__INIT;
	Ascolto__Post post = ASCOLTO__POST__INIT;
	snprintf(text, sizeof(text), "%" PRIu64, number);
	e.id = id_bytes(&id);
	e.brand = (char *)"brezza";
	e.received_ms = wall_ms();
	e.body_case = ASCOLTO__ENVELOPE__BODY_RECEIVED;
	e.received = &m;
	m.post = &post;
	post.native_id = text;
	post.text = (char *)(uintptr_t)what;
	post.conversation = (char *)(uintptr_t)route;
	peer_send(p, LANE_NORMAL, &e, route);
}

static void tell(struct peer *p, uint64_t number, const char *what)
{
	tell_on(p, number, route_of(number), what);
}

/* What a table of a stopped toy holds. */
struct rows {
	uint64_t number[2 * MANY];
	uint8_t key_group[2 * MANY];
	size_t n;
};

static const struct rows *read_rows(const char *service, int table)
{
	static struct rows rows;
	char path[128];
	struct store *s;
	struct txn *t;
	struct cursor *c;
	struct err e = {0};
	struct span key, value;
	struct key prefix = key_make(toy_tables[table].id, 0);
	snprintf(path, sizeof(path), "%s/state/%s", in.folder, service);
	struct store_options o = {.path = path, .service = service, .unsafe_fs = true};
	rows.n = 0;
	prefix.len = 1;
	if (store_open(&s, &o, &e))
		fail_msg("%s", err_text(&e));
	assert_int_equal(txn_begin_read(s, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0) {
		State__Counter *x = state__counter__unpack(NULL, value.len, value.data);
		assert_non_null(x);
		assert_true(rows.n < ARRAY_SIZE(rows.number));
		rows.key_group[rows.n] = key.data[1];
		rows.number[rows.n++] = x->value;
		state__counter__free_unpacked(x, NULL);
	}
	cursor_close(&c);
	txn_abort(&t);
	store_close(&s);
	return &rows;
}

/* Each of 0..n-1 once, in order within its key group, but for those left out. */
static void assert_once_in_order(const struct rows *rows, uint64_t n, const uint64_t *but, size_t n_but)
{
	uint8_t *seen = calloc(n, 1);
	size_t missing = 0;
	for (size_t i = 0; i < rows->n; i++) {
		assert_true(rows->number[i] < n);
		if (seen[rows->number[i]]++)
			fail_msg("%" PRIu64 " came twice", rows->number[i]);
		if (i && rows->key_group[i] == rows->key_group[i - 1] &&
			rows->number[i] <= rows->number[i - 1])
			fail_msg("%" PRIu64 " came after %" PRIu64, rows->number[i], rows->number[i - 1]);
	}
	for (size_t i = 0; i < n_but; i++) {
		assert_int_equal(seen[but[i]], 0);
		seen[but[i]] = 1;
	}
	for (uint64_t i = 0; i < n; i++)
		missing += !seen[i];
	free(seen);
	if (missing)
		fail_msg("%zu of %" PRIu64 " are missing", missing, n);
}

static int setup(void **state)
{
	(void)state;
	installation_open(&in, NULL);
	return 0;
}

static void end_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(launched); i++) {
		if (launched[i] > 0 && waitpid(launched[i], NULL, WNOHANG) == 0)
			program_stop(&launched[i], SIGKILL);
		launched[i] = 0;
	}
}

static int teardown(void **state)
{
	(void)state;
	end_all();
	installation_close(&in);
	return 0;
}

/* ---------------------------------------------------------------------------------------- kill -9 at any
 * moment */

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
}

/* ------------------------------------------------------------------------------------------- what ends the
 * process */

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

/* --------------------------------------------------------------------------------------------- RETRY and
 * REJECT */

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

static void expect_reply(const char *method, const char *path, int status, const char *words)
{
	struct reply r =
		talk(http_port_of("enrichment"), method, path, NULL, str_eq(method, "POST") ? "" : NULL);
	if (r.status != status || !strstr(r.body, words))
		fail_msg("%s %s: %d %s", method, path, r.status, r.body ? r.body : "");
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

/* ------------------------------------------------------------------------------------------------- large
 * things */

/* More than a message may ask for is put aside; what is only large makes the map grow past its first 64 MiB.
 */
static void test_large(void **state)
{
	(void)state;
	static const uint64_t bad[] = {3};
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < 10; i++)
		tell(p, i, i == 3 ? "bulk 40000" : "bulk 14000");
	assert_true(peer_wait_sent(p, 60000));
	assert_int_equal(status_of("enrichment", "handled"), 9);
	expect_reply("GET", "/-/quarantine", 200, "more memory than allowed");
	assert_true(status_of("enrichment", "used_bytes") > 100 << 20);
	expect_reply("GET", "/readyz", 200, "\"ready\":true");
	end_in_order(&pid);
	pid = start("enrichment"); /* with the larger map */
	assert_true(pid > 0);
	tell(p, 10, "bulk 14000");
	assert_true(peer_wait_sent(p, 20000));
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), 11, bad, 1);
}

/* -------------------------------------------------------------------------------------------------------
 * timers */

#define TIMERS 300
#define TIMER_STEP_MS 10

static void test_timers(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	int64_t first = wall_ms() + 500;
	for (uint64_t i = 0; i < TIMERS; i++) {
		uint64_t n = i * 7 % TIMERS; /* set in any order */
		char what[40];
		snprintf(what, sizeof(what), "timer %" PRId64, first + (int64_t)n * TIMER_STEP_MS);
		tell_on(p, n, "t", what);
	}
	assert_true(peer_wait_sent(p, 10000));
	while (wall_ms() < first + TIMERS / 3 * TIMER_STEP_MS)
		usleep(10000);
	int64_t before = status_of("enrichment", "fired");
	assert_true(before > 0 && before < TIMERS);
	program_stop(&pid, SIGKILL);
	while (wall_ms() < first + TIMERS * 2 / 3 * TIMER_STEP_MS)
		usleep(10000); /* these are due while it is down */
	pid = start("enrichment");
	assert_true(pid > 0);
	while (wall_ms() < first + TIMERS * 5 / 6 * TIMER_STEP_MS)
		usleep(10000);
	program_stop(&pid, SIGTERM);
	while (wall_ms() < first + (TIMERS + 20) * TIMER_STEP_MS)
		usleep(10000);
	pid = start("enrichment");
	assert_true(wait_status("enrichment", "fired", TIMERS, 10000));
	usleep(300000);
	assert_int_equal(status_of("enrichment", "fired"), TIMERS);
	assert_int_equal(status_of("enrichment", "quarantine"), 0);
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", FIRED), TIMERS, NULL, 0);
}

/* Flips a bit in a row of the stopped toy: the first behind these bytes (MDB_SET_RANGE) or the last before (MDB_PREV). */
static void damage_row(uint8_t table, uint8_t below, MDB_cursor_op op)
{
	char path[128];
	MDB_env *env;
	MDB_txn *t;
	MDB_dbi dbi;
	MDB_cursor *c;
	uint8_t copy[4096];
	MDB_val key = {1, &below}, value;
	snprintf(path, sizeof(path), "%s/state/enrichment", in.folder);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
	assert_int_equal(mdb_dbi_open(t, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(t, dbi, &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &value, MDB_SET_RANGE), 0);
	if (op == MDB_PREV)
		assert_int_equal(mdb_cursor_get(c, &key, &value, op), 0);
	assert_int_equal(((uint8_t *)key.mv_data)[0], table);
	assert_true(value.mv_size < sizeof(copy));
	memcpy(copy, value.mv_data, value.mv_size);
	copy[value.mv_size / 2] ^= 4;
	value.mv_data = copy;
	assert_int_equal(mdb_put(t, dbi, &key, &value, 0), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(t), 0);
	mdb_env_close(env);
}

static double cpu_seconds_of(const char *service)
{
	struct reply r = talk(http_port_of(service), "GET", "/metrics", NULL, NULL);
	const char *at = r.body ? strstr(r.body, "\nprocess_cpu_seconds_total ") : NULL;
	double seconds = at ? strtod(at + strlen("\nprocess_cpu_seconds_total "), NULL) : 1000;
	reply_free(&r);
	return seconds;
}

/* A record that rotted is not acted on, does not stop the others, and is said. */
static void test_damaged_timer(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	int64_t now = wall_ms();
	for (uint64_t i = 0; i < 3; i++) {
		char what[40];
		snprintf(what, sizeof(what), "timer %" PRId64, now + 1000 + (int64_t)i * 300);
		tell_on(p, i, "t", what);
	}
	assert_true(peer_wait_sent(p, 5000));
	end_in_order(&pid);
	damage_row(0x08, 0x08, MDB_SET_RANGE);
	pid = start("enrichment");
	assert_true(wait_status("enrichment", "fired", 2, 5000));
	expect_reply("GET", "/readyz", 200, "can not be read and will not ring");
	double before = cpu_seconds_of("enrichment");
	usleep(1500000);
	assert_true(cpu_seconds_of("enrichment") - before < 0.5); /* it does not try for ever */
	assert_int_equal(status_of("enrichment", "fired"), 2);
	end_in_order(&pid);
	peer_close(&p);
}

/* A record of the outbox that rotted stops its stream and no other, is said, and nothing is written over. */
static void test_damaged_outbox(void **state)
{
	(void)state;
	static const char *const conversations[] = {"a", "b", "c", "d", "e"};
	enum { N = 100, OF_EACH = N / ARRAY_SIZE(conversations) };
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < N; i++)
		tell_on(p, i, conversations[i % ARRAY_SIZE(conversations)], "log");
	assert_true(peer_wait_sent(p, 5000));
	end_in_order(&pid);
	damage_row(0x03, 0x03, MDB_SET_RANGE); /* the first of "a" */
	damage_row(0x03, 0x04, MDB_PREV);      /* the last of "e" */
	pid = start("enrichment");
	for (uint64_t i = N; i < N + ARRAY_SIZE(conversations); i++)
		tell_on(p, i, conversations[i % ARRAY_SIZE(conversations)], "log");
	assert_true(peer_wait_sent(p, 5000));
	pid_t last = start("intent");
	/* b, c and d whole, e up to what rotted, a not at all */
	assert_true(wait_status("intent", "handled", 3 * (OF_EACH + 1) + OF_EACH - 1, 5000));
	expect_reply("GET", "/readyz", 200, "2 streams to intent are stopped");
	program_stop(&last, SIGTERM);
	end_in_order(&pid);
	peer_close(&p);
}

/* ------------------------------------------------------------------------------------------------ start and
 * end */

static void test_second_process(void **state)
{
	(void)state;
	pid_t pid = start("enrichment");
	assert_true(pid > 0);
	pid_t second = launch("enrichment");
	int status;
	waitpid(second, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FAILURE)
		fail_msg("the second one ended with status %x", (unsigned)status);
	assert_true(log_says("enrichment", "another process has it open; stop that one first"));
	assert_true(answers("enrichment", "/readyz", 200)); /* the first does not care */
	end_in_order(&pid);
}

#define UNCLEAN "did not end in order"

static void test_ends_in_order(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	for (uint64_t i = 0; i < MANY / 2; i++)
		tell(p, i, "");
	usleep(100000);
	end_in_order(&pid); /* in the middle of it */
	assert_true(log_says("enrichment", "stopped"));
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	program_stop(&pid, SIGINT);
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	program_stop(&pid, SIGKILL);
	pid = start("enrichment");
	assert_true(log_says("enrichment", UNCLEAN));
	assert_true(peer_wait_sent(p, 60000));
	end_in_order(&pid);
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), MANY / 2, NULL, 0);
}

/* Killed within its first moments, again and again: the next start works. */
static void test_first_start_killed(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int i = 0; i < 25; i++) {
		char command[128];
		pid_t pid = launch("enrichment");
		usleep((useconds_t)(rand_r(&seed) % 50000));
		program_stop(&pid, SIGKILL);
		if (i % 5)
			continue;
		pid = start("enrichment");
		assert_true(pid > 0);
		program_stop(&pid, SIGKILL);
		snprintf(command, sizeof(command), "rm -rf %s/state", in.folder);
		assert_int_equal(system(command), 0);
	}
}

/* ----------------------------------------------------------------------------------------------------- full
 * disk */

#define DISK_MIB 40
#define BALLAST_MIB 24
#define FULL_MESSAGES 400 /* of 64 KiB: more than fits beside the ballast, and fits without it */

static bool run_quietly(const char *fmt, ...) PRINTF(1, 2);
static bool run_quietly(const char *fmt, ...)
{
	char command[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(command, sizeof(command) - 20, fmt, ap);
	va_end(ap);
	snprintf(command + n, 20, " >/dev/null 2>&1");
	return system(command) == 0;
}

/* A small disk of its own where the state lies. */
static bool mount_small_disk(void)
{
	return run_quietly("mkdir %s/state && truncate -s %dM %s/image && mkfs.ext4 -q -m 0 %s/image",
		       in.folder, DISK_MIB, in.folder, in.folder) &&
	       run_quietly("mount -o loop %s/image %s/state", in.folder, in.folder);
}

static int full_teardown(void **state)
{
	end_all();
	run_quietly("umount %s/state", in.folder);
	return teardown(state);
}

/* The newest number the service acknowledged knowing of; while the disk is full it stands still. */
static int64_t handled_until_full(void)
{
	int64_t n = -1;
	for (int i = 0; i < 1000; i++) {
		if (answers("enrichment", "/readyz", 503))
			return status_of("enrichment", "handled");
		usleep(20000);
	}
	return n;
}

static void test_full_disk(void **state)
{
	(void)state;
	if (getuid() != 0 || !mount_small_disk()) {
		print_message("skipped: a loop device and the right to mount are needed to fill a disk\n");
		skip();
	}
	assert_true(
		run_quietly("dd if=/dev/zero of=%s/state/ballast bs=1M count=%d", in.folder, BALLAST_MIB));
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	assert_true(pid > 0);
	for (uint64_t i = 0; i < FULL_MESSAGES; i++) {
		tell(p, i, "bulk 64");
		if (i == 50)
			assert_true(peer_wait_sent(p, 20000));
	}
	int64_t handled = handled_until_full();
	if (has_ended(pid)) {
		show_log("enrichment");
		fail_msg("it ended when the disk was full: %d", program_stop(&pid, SIGKILL));
	}
	if (handled < 51 || handled >= FULL_MESSAGES) {
		show_log("enrichment");
		fail_msg("handled %" PRId64, handled);
	}
	expect_reply("GET", "/readyz", 503,
		"the disk or the store is full: nothing new is taken until there is room");
	/* It takes nothing, and still answers. */
	assert_false(peer_wait_sent(p, 1500));
	assert_false(has_ended(pid));
	assert_int_equal(status_of("enrichment", "handled"), handled);
	expect_reply("GET", "/-/quarantine", 200, "\"total\":0");
	/* Ended and started in between, it is no worse. */
	program_stop(&pid, SIGKILL);
	pid = launch("enrichment");
	usleep(500000);
	assert_false(has_ended(pid));
	assert_true(run_quietly("rm %s/state/ballast", in.folder));
	assert_true(peer_wait_sent(p, 30000));
	assert_int_equal(status_of("enrichment", "handled"), FULL_MESSAGES);
	expect_reply("GET", "/readyz", 200, "\"ready\":true");
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), FULL_MESSAGES, NULL, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		TEST(test_large),
		TEST(test_timers),
		TEST(test_damaged_timer),
		TEST(test_damaged_outbox),
		TEST(test_second_process),
		TEST(test_ends_in_order),
		TEST(test_first_start_killed),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, full_teardown),
	};
	return cmocka_run_group_tests_name("svc", tests, NULL, NULL);
}
