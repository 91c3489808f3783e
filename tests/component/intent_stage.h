/*
 * intent_stage.h - for tests of the intent service: it runs as a process of its own with small models the test trains,
 * and the test plays enrichment and escalation at the other ends of its links.
 *
 * The small world has two subjects: texts about a broken modem ("report_fault") and thanks ("praise"). Models come in two
 * kinds: those that say what is so, and `twisted` ones that say the contrary, so that an answer tells which one gave it.
 */
#ifndef ASCOLTO_TESTS_INTENT_STAGE_H
#define ASCOLTO_TESTS_INTENT_STAGE_H

/* A test is one file to the build. */
#include "tests/component/peer.c"
#include "tests/component/program.c"

#include "common/svc.h"
#include "services/intent/train.h"
#include "tests/unit/check.h"

#include <jansson.h>
#include <sodium.h>

static struct installation site;
static struct peer *enrichment, *escalation;
static pid_t intent;
static const char *more_settings = "  retrain_after: 0\n"; /* under intent: */

static const char *file_of(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof(path[0]), "%s/%s", site.folder, name);
	return p;
}

/* ---- models ---- */

static const char *const fault_words[] = {"modem", "rotto", "luce", "rossa", "guasto", "spento"};
static const char *const praise_words[] = {"grazie", "bravi", "ottimo", "gentile", "perfetto", "veloci"};

static void text_of(int i, bool praise, char out[200])
{
	const char *const *w = praise ? praise_words : fault_words;
	snprintf(out, 200, "il %s %s e' %s numero%d", w[i % 6], w[i / 6 % 6], w[i / 5 % 6], i);
}

/* `first` lets two files hold other texts. */
static void write_rows(const char *name, int first, int n, bool twisted)
{
	char text[200];
	FILE *f = fopen(file_of(name), "w");
	assert_non_null(f);
	fprintf(f, "id\tlang\ttext\tintent\tlane\tmood\n");
	for (int i = first; i < first + n; i++) {
		bool praise = i % 2;
		text_of(i, praise, text);
		fprintf(f, "R%d\tit\t%s\t%s\t%s\t%s\n", i, text, praise != twisted ? "praise" : "report_fault",
			praise != twisted ? "none" : "service", praise ? "good" : "bad");
	}
	fclose(f);
}

static void train_file(const char *rows, const char *task, const char *out)
{
	struct dataset d = {0};
	struct err e = {0};
	struct train_options o;
	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	if (dataset_read(&d, file_of(rows), task, NULL, NULL, NULL, &e))
		fail_msg("%s", err_text(&e));
	train_defaults(&o, task);
	o.spec.buckets[BLOCK_WORD] = 4096;
	o.spec.buckets[BLOCK_CHARS] = 4096;
	o.spec.buckets[BLOCK_KNOW] = 512;
	if (train_model(&d, NULL, &o, &b, &e) || train_save(&b, file_of(out), &e))
		fail_msg("%s", err_text(&e));
	dataset_free(&d);
	buf_free(&b);
}

/* ---- the service ---- */

UNUSED static void start_intent(void)
{
	intent = program_start(&site, "intent");
	assert_true(intent > 0);
}

UNUSED static void open_peers(void)
{
	static char to[64], listen[64];
	struct err e = {0};
	snprintf(to, sizeof(to), "tcp://127.0.0.1:%d", installation_port(&site, "intent", ADDRESS_LINK));
	snprintf(listen, sizeof(listen), "tcp://127.0.0.1:%d", installation_port(&site, "escalation", ADDRESS_LINK));
	struct peer_options a = {.name = "enrichment", .send_to = to};
	struct peer_options b = {.name = "escalation", .send_to = to, .listen = listen};
	if (peer_open(&enrichment, &a, &e) || peer_open(&escalation, &b, &e))
		fail_msg("%s", err_text(&e));
}

UNUSED static int setup(void **state)
{
	char more[1024];
	(void)state;
	snprintf(more, sizeof(more), "models: models\nintent:\n%s", more_settings);
	installation_open(&site, more);
	mkdir(file_of("models"), 0700);
	mkdir(file_of("models/data"), 0700);
	write_rows("models/data/train.tsv", 0, 240, false);
	write_rows("models/data/test.tsv", 10000, 120, false);
	write_rows("twisted.tsv", 0, 240, true);
	train_file("models/data/train.tsv", "intent", "models/intent.model");
	train_file("models/data/train.tsv", "lane", "models/lane.model");
	start_intent();
	open_peers();
	return 0;
}

UNUSED static int teardown(void **state)
{
	(void)state;
	peer_close(&enrichment);
	peer_close(&escalation);
	int status = program_stop(&intent, SIGTERM);
	installation_close(&site);
	return status;
}

UNUSED static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- messages ---- */

UNUSED static void send_text(int number, const char *text)
{
	char id[32], route[32];
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Message m = ASCOLTO__MESSAGE__INIT;
	Ascolto__Post p = ASCOLTO__POST__INIT;
	Ascolto__Knowledge k = ASCOLTO__KNOWLEDGE__INIT;
	snprintf(id, sizeof(id), "message %d", number);
	snprintf(route, sizeof(route), "customer %d", number % 50);
	struct id eid = id_from(1773330000000, span_str(id));
	p.text = (char *)(uintptr_t)text;
	p.native_id = id;
	p.surface = ASCOLTO__SURFACE__SURFACE_PUBLIC;
	m.post = &p;
	m.knowledge = &k;
	e.id = e.trace_id = id_bytes(&eid);
	e.brand = (char *)"brezza";
	e.body_case = ASCOLTO__ENVELOPE__BODY_ENRICHED;
	e.enriched = &m;
	peer_send(enrichment, LANE_NORMAL, &e, route);
}

UNUSED static void send_correction(int number, const char *text, const char *task, const char *label, int64_t at_ms)
{
	char id[32];
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Correction c = ASCOLTO__CORRECTION__INIT;
	snprintf(id, sizeof(id), "message %d", number);
	struct id mid = id_from(1773330000000, span_str(id));
	struct id eid = id_derive(&mid, task, (uint64_t)at_ms);
	c.message_id = id_bytes(&mid);
	c.task = (char *)(uintptr_t)task;
	c.label = (char *)(uintptr_t)label;
	c.text = (char *)(uintptr_t)text;
	c.by = (char *)"anna";
	c.intent = (char *)"other";
	c.language = (char *)"it";
	c.at_ms = at_ms;
	e.id = e.trace_id = id_bytes(&eid);
	e.brand = (char *)"brezza";
	e.body_case = ASCOLTO__ENVELOPE__BODY_CORRECTION;
	e.correction = &c;
	peer_send(escalation, LANE_URGENT, &e, id);
}

/* What the n-th message that came out means; given back with ascolto__envelope__free_unpacked. */
UNUSED static Ascolto__Envelope *classified(size_t n)
{
	Ascolto__Envelope *e = peer_wait_received(escalation, n, 20000);
	assert_non_null(e);
	assert_int_equal(e->body_case, ASCOLTO__ENVELOPE__BODY_CLASSIFIED);
	assert_non_null(e->classified->understanding);
	return e;
}

/* Sends one and gives the intent it is taken for, and the model that said so. */
UNUSED static const char *ask_intent(const char *text, char model[128])
{
	static int number = 1000000;
	static char label[64];
	size_t n = peer_received(escalation);
	send_text(number++, text);
	Ascolto__Envelope *e = classified(n);
	const Ascolto__Understanding *u = e->classified->understanding;
	snprintf(label, sizeof(label), "%s", u->intent ? u->intent->value : "(none)");
	if (model)
		snprintf(model, 128, "%s", u->model);
	ascolto__envelope__free_unpacked(e, NULL);
	return label;
}

/* ---- the command ---- */

/* `ascolto ARGUMENTS`; its words, both outputs, into `said`. Returns the exit status. */
UNUSED PRINTF(2, 3) static int ascolto(char said[16384], const char *fmt, ...)
{
	char arguments[2048], line[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(arguments, sizeof(arguments), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), BINARY_DIR "/bin/ascolto -c %s %s 2>&1", site.config, arguments);
	FILE *p = popen(line, "r");
	assert_non_null(p);
	size_t n = fread(said, 1, 16383, p);
	said[n] = 0;
	int status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define EXPECT(status, said, ...)                                                                                      \
	do {                                                                                                           \
		int got = ascolto(said, __VA_ARGS__);                                                                  \
		if (got != (status))                                                                                   \
			fail_msg("status %d instead of %d: %s", got, status, said);                                    \
	} while (0)

static void says(const char *said, const char *words)
{
	if (!strstr(said, words))
		fail_msg("\"%s\" is not in:\n%s", words, said);
}

#endif
