#include "tests/component/svc_stage.h"

#include "proto/state.pb-c.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the toy ---- */

#define POST_OF_MESSAGE 1 /* the number of the field */

const struct table toy_tables[] = {
	[LOG] = {0x20, "log", &state__counter__descriptor,
		"position: the number of the message that came there"},
	[BULK] = {0x21, "bulk", &state__raw_post__descriptor, "number, part: bytes"},
	[FIRED] = {0x22, "fired", &state__counter__descriptor,
		"position: the number of the timer that came there"},
	[TALLY] = {0x23, "tally", &state__counter__descriptor,
		"how many messages were handled, RETRY and REJECT left out"},
	[POSTS] = {0x24, "posts", &ascolto__post__descriptor, "message id: what the other stage is shown, of every other message"},
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

static void one_more(void *row, struct arena *keeps, void *ctx)
{
	State__Counter *c = row;
	(void)keeps;
	(void)ctx;
	c->value++;
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
	struct key k = turn_key(t, &toy_tables[TALLY]);
	if (turn_tally(t, &toy_tables[TALLY], &k, one_more, &number, sizeof(number)) < 0)
		return RETRY;
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
	if (strtoull(p.native_id, NULL, 10) % 2) {
		static const uint32_t path[] = {ASCOLTO__ENVELOPE__BODY_RECEIVED, POST_OF_MESSAGE};
		struct key k = turn_key(t, &toy_tables[POSTS]);
		struct id id;
		id_of(e->id, &id);
		key_id(&k, &id);
		turn_put(t, &k, &p);
		turn_emit_row(t, 0, LANE_NORMAL, out, span_str(p.conversation), &k, path);
		return DONE;
	}
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

int be_toy(const char *name, const char *config)
{
	char *argv[] = {(char *)"toy", (char *)"-c", (char *)(uintptr_t)config, NULL};
	struct rlimit none = {0};
	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < ARRAY_SIZE(toys); i++)
		if (str_eq(toys[i].name, name))
			return svc_main(&toys[i], 3, argv);
	return 2;
}

/* ---- around the toy ---- */

struct installation in;

static char *log_path(const char *service)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/log-%s", in.folder, service);
	return path;
}

static pid_t launched[64]; /* the newest of this test, so that one that fails leaves nobody behind */
static unsigned n_launched;

/* Does not wait. What it logs is kept, of the last start only. */
pid_t launch(const char *service)
{
	pid_t pid = fork();
	launched[n_launched++ % ARRAY_SIZE(launched)] = pid;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = open(log_path(service), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		dup2(fd, STDERR_FILENO);
		execl("/proc/self/exe", "toy", "toy", service, in.config, (char *)NULL);
		_exit(127);
	}
	return pid;
}

bool has_ended(pid_t pid)
{
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

int http_port_of(const char *service)
{
	return installation_port(&in, service, ADDRESS_HTTP);
}

bool answers(const char *service, const char *path, int status)
{
	struct reply r = talk(http_port_of(service), "GET", path, NULL, NULL);
	bool so = r.status == status;
	reply_free(&r);
	return so;
}

/* For who reads of a failure. */
void show_log(const char *service)
{
	char line[1024];
	FILE *f = fopen(log_path(service), "r");
	while (f && fgets(line, sizeof(line), f))
		print_message("	%s", line);
	if (f)
		fclose(f);
}

void end_in_order(pid_t *pid)
{
	if (program_stop(pid, SIGTERM) == 0)
		return;
	show_log("enrichment");
	fail_msg("it did not end in order");
}

/* Waits until it is ready; 0 when it ends instead. */
pid_t start(const char *service)
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

bool log_says(const char *service, const char *words)
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
int64_t status_of(const char *service, const char *word)
{
	char quoted[64];
	struct reply r = talk(http_port_of(service), "GET", "/-/status", NULL, NULL);
	snprintf(quoted, sizeof(quoted), "\"%s\":", word);
	const char *at = r.body ? strstr(r.body, quoted) : NULL;
	int64_t n = at ? strtoll(at + strlen(quoted), NULL, 10) : -1;
	reply_free(&r);
	return n;
}

bool wait_status(const char *service, const char *word, int64_t want, int64_t timeout_ms)
{
	for (int64_t waited = 0; waited <= timeout_ms; waited += 20) {
		if (status_of(service, word) == want)
			return true;
		usleep(20000);
	}
	return false;
}

int64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct peer *sender_to(const char *service)
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
struct peer *receiver_as(const char *service)
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

void tell_on(struct peer *p, uint64_t number, const char *route, const char *what)
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

void tell(struct peer *p, uint64_t number, const char *what)
{
	tell_on(p, number, route_of(number), what);
}

const struct rows *read_rows(const char *service, int table)
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
void assert_once_in_order(const struct rows *rows, uint64_t n, const uint64_t *but, size_t n_but)
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

int setup(void **state)
{
	(void)state;
	installation_open(&in, NULL);
	return 0;
}

void end_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(launched); i++) {
		if (launched[i] > 0 && waitpid(launched[i], NULL, WNOHANG) == 0)
			program_stop(&launched[i], SIGKILL);
		launched[i] = 0;
	}
}

int teardown(void **state)
{
	(void)state;
	end_all();
	installation_close(&in);
	return 0;
}

void expect_reply(const char *method, const char *path, int status, const char *words)
{
	struct reply r =
		talk(http_port_of("enrichment"), method, path, NULL, str_eq(method, "POST") ? "" : NULL);
	if (r.status != status || !strstr(r.body, words))
		fail_msg("%s %s: %d %s", method, path, r.status, r.body ? r.body : "");
	reply_free(&r);
}
