/*
 * What escalation decides about cases and alarms: its handlers over a real store, with a clock that the test turns. Timers it
 * sets ring when the clock gets there; orders and the latest view of every case are kept.
 */
#include "common/pack.h"
#include "common/signature.h"
#include "common/svc_internal.h"
#include "services/escalation/escalation.h"
#include "tests/component/files.h"

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)
#define GROUP key_group_of(span_str("acme"))
#define KEEP_MAX 600

/* Monday to Friday 9 to 18 in Rome; whoever does not acknowledge in time has the desk called, then the boss. */
#define PLAYBOOK                                                                                             \
	"name: test\nversion: 1\ntime_zone: Europe/Rome\nreopen_hours: 48\n"                                 \
	"calendars:\n  - {name: desk, hours: [{days: [mon, tue, wed, thu, fri], from: \"09:00\", to: "       \
	"\"18:00\"}]}\n"                                                                                     \
	"actors:\n  - {name: desk, title: Desk, tell: [desk-mail]}\n  - {name: boss, title: Boss, tell: "    \
	"[boss-mail]}\n"                                                                                     \
	"teams:\n  - {name: care, title: Care, business_unit: Retail, lead: boss, members: [desk]}\n"        \
	"chains:\n  - {name: unanswered, calls: [{after_minutes: 0, actor: desk}, {after_minutes: 30, "      \
	"actor: boss}]}\n"                                                                                   \
	"sla:\n  - {name: hours, calendar: desk, acknowledge_minutes: 60, resolve_minutes: 480, late: "      \
	"unanswered}\n"                                                                                      \
	"  - {name: always, acknowledge_minutes: 60, resolve_minutes: 480, pause_while_waiting: false, "     \
	"late: unanswered}\n"                                                                                \
	"kinds:\n"                                                                                           \
	"  - {name: danger, title: Danger, when: {intents: [report_danger]}, code: red, owner: desk, sla: "  \
	"always}\n"                                                                                          \
	"  - {name: fault, title: Fault, when: {intents: [report_fault, billing]}, code: yellow, owner: "    \
	"desk, team: care, sla: "                                                                            \
	"hours, allowed: [reply, hide], steps: [{text: Look, actor: desk, within_minutes: 30}]}\n"           \
	"  - {name: rest, title: Rest, code: green, opens_case: false, owner: desk}\n"                       \
	"incidents:\n  - {code: yellow, chain: [{after_minutes: 0, actor: desk}, {after_minutes: 90, "       \
	"actor: "                                                                                            \
	"boss}]}\n"                                                                                          \
	"  - {code: red, chain: [{after_minutes: 0, actor: boss}, {after_minutes: 10, actor: "               \
	"desk}]}\n"                                                                                          \
	"approvals:\n  - {name: grave, actions: [reply, direct_message], codes: [red], approvers: [boss]}\n" \
	"voices:\n  - {name: usual, signature: true, signatures: [Acme], forbidden: [your fault], blocks: "  \
	"[forbidden]}\n"                                                                                     \
	"crisis: {approvals: 2, answers: answers-hook, holding: [{language: en, texts: [We are on it. "      \
	"Acme, \"Our engineers "                                                                             \
	"look at it now. Acme\"]}]}\n"

static struct conf_brand brand_rows[] = {{.name = (char[]){"acme"}, .title = (char[]){"Acme"}, .language = (char[]){"en"}}};
static struct conf conf = {.brands = brand_rows, .brands_count = 1};

static struct world {
	struct store *store;
	struct brand brand;
	struct escalation escalation;
	int64_t now_ms;
	unsigned n_messages, n_commands;
	struct {
		uint8_t *data;
		size_t len;
		int64_t due_ms;
		struct id id;
	} timers[KEEP_MAX];
	size_t n_timers;
	Ascolto__Envelope *orders[KEEP_MAX];
	size_t n_orders;
	Ascolto__Envelope *cases[KEEP_MAX]; /* the latest view of each */
	size_t n_cases;
	Ascolto__HeldAlarms held;
	char refused[512], asker[64]; /* the latest refusal: why, and of whose command */
	struct {
		uint8_t id[ID_BYTES];
		char title[160];
		int code; /* 0: closed */
		unsigned waves;
		bool acknowledged;
	} incidents[8];
	size_t n_incidents;
	uint32_t term, trouble; /* what the next message is about, 0: nothing that is known; and what is wrong
				   with it */
	unsigned histories;
	Ascolto__Envelope *advocate;       /* the latest view of one */
	Ascolto__Envelope *answer;	   /* likewise */
	char change[32];                   /* of the latest history */
	Ascolto__Knowledge known;          /* what enrichment knows of who writes next */
	struct id last_message;
	char why[ERR_TEXT_MAX];
} w;

static int64_t at(int day, int hour, int minute)
{
	int32_t d = 0; /* November 2026: Rome is an hour before UTC; the 23rd is a Monday */
	assert_int_equal(day_of_date(2026, 11, 1, &d), 0);
	return ((int64_t)(d + day - 1) * 24 + hour - 1) * HOUR + minute * MINUTE;
}

static void keep_case(Ascolto__Envelope *e)
{
	ProtobufCBinaryData id = e->view->case_->id;
	for (size_t i = 0; i < w.n_cases; i++) {
		if (memcmp(w.cases[i]->view->case_->id.data, id.data, ID_BYTES) != 0)
			continue;
		ascolto__envelope__free_unpacked(w.cases[i], NULL);
		w.cases[i] = e;
		return;
	}
	assert_true(w.n_cases < KEEP_MAX);
	w.cases[w.n_cases++] = e;
}

static void keep_incident(const Ascolto__Incident *i)
{
	size_t n = 0;
	while (n < w.n_incidents && memcmp(w.incidents[n].id, i->id.data, ID_BYTES) != 0)
		n++;
	assert_true(n < ARRAY_SIZE(w.incidents));
	w.n_incidents = MAX(w.n_incidents, n + 1);
	memcpy(w.incidents[n].id, i->id.data, ID_BYTES);
	snprintf(w.incidents[n].title, sizeof(w.incidents[n].title), "%s", i->title);
	w.incidents[n].code = i->closed_ms ? 0 : (int)i->code;
	w.incidents[n].waves = i->waves;
	w.incidents[n].acknowledged = i->acknowledged_ms != 0;
}

/* As it leaves: with its row. */
static Ascolto__Envelope *sent(const struct write *x)
{
	struct arena a;
	struct span whole = x->value, row;
	struct txn *t;
	arena_init(&a, (size_t)1 << 20);
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	if (x->path[0]) {
		assert_int_equal(txn_get(t, &x->key, &row), 0);
		whole = pack_inside(&a, x->value, x->path, row);
	}
	Ascolto__Envelope *e = ascolto__envelope__unpack(NULL, whole.len, whole.data);
	assert_non_null(e);
	txn_abort(&t);
	arena_free(&a);
	return e;
}

static void keep_emitted(const struct write *x)
{
	Ascolto__Envelope *e = sent(x);
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_ORDER) {
		assert_true(w.n_orders < KEEP_MAX);
		w.orders[w.n_orders++] = e;
		return;
	}
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW && e->view->what_case == ASCOLTO__VIEW__WHAT_CASE) {
		keep_case(e);
		return;
	}
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW &&
		e->view->what_case == ASCOLTO__VIEW__WHAT_INCIDENT)
		keep_incident(e->view->incident);
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW && e->view->what_case == ASCOLTO__VIEW__WHAT_HELD_ALARMS)
		w.held.count = e->view->held_alarms->count;
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW &&
		e->view->what_case == ASCOLTO__VIEW__WHAT_REFUSAL) {
		snprintf(w.refused, sizeof(w.refused), "%s", e->view->refusal->why);
		snprintf(w.asker, sizeof(w.asker), "%s", e->view->refusal->actor);
	}
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW && e->view->what_case == ASCOLTO__VIEW__WHAT_ADVOCATE) {
		ascolto__envelope__free_unpacked(w.advocate, NULL);
		w.advocate = e;
		return;
	}
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_VIEW &&
		e->view->what_case == ASCOLTO__VIEW__WHAT_ANSWER) {
		ascolto__envelope__free_unpacked(w.answer, NULL);
		w.answer = e;
		return;
	}
	if (e->body_case == ASCOLTO__ENVELOPE__BODY_HISTORY)
		snprintf(w.change, sizeof(w.change), "%s", e->history->change);
	w.histories += e->body_case == ASCOLTO__ENVELOPE__BODY_HISTORY;
	ascolto__envelope__free_unpacked(e, NULL);
}

/* The store's row of a timer has its time and its id. */
static bool has_timer(const struct write *x)
{
	for (size_t i = 0; i < w.n_timers; i++)
		if (w.timers[i].due_ms == x->due_ms && id_eq(&w.timers[i].id, &x->id))
			return true;
	return false;
}

static void keep(const struct writeset *ws)
{
	for (const struct write *x = ws->first; x; x = x->next) {
		if (x->kind == WRITE_EMIT)
			keep_emitted(x);
		if (x->kind != WRITE_TIMER || has_timer(x))
			continue;
		assert_true(w.n_timers < KEEP_MAX);
		uint8_t *copy = malloc(x->value.len);
		memcpy(copy, x->value.data, x->value.len);
		w.timers[w.n_timers].data = copy;
		w.timers[w.n_timers].len = x->value.len;
		w.timers[w.n_timers].id = x->id;
		w.timers[w.n_timers++].due_ms = x->due_ms;
	}
}

static enum verdict turn(handler_fn *fn, Ascolto__Envelope *e)
{
	struct arena arena;
	struct writeset ws;
	struct err why = {0};
	arena_init(&arena, (size_t)32 << 20);
	writeset_init(&ws, &arena);
	struct turn t = {.arena = &arena, .ws = &ws, .state = &w.escalation, .conf = &conf, .now_ms = w.now_ms, .key_group = GROUP};
	assert_int_equal(txn_begin_write(w.store, &t.txn, NULL), 0);
	enum verdict v = fn(&t, e, &why);
	if (v == DONE)
		assert_int_equal(writeset_apply(&ws, t.txn, NULL), 0);
	assert_int_equal(txn_commit(&t.txn, NULL), 0);
	if (v == DONE)
		keep(&ws);
	snprintf(w.why, sizeof(w.why), "%s", err_text(&why));
	arena_free(&arena);
	return v;
}

/* Turns the clock, ringing what is due on the way, each at its time. */
static void until(int64_t to_ms)
{
	for (;;) {
		size_t next = w.n_timers;
		for (size_t i = 0; i < w.n_timers; i++)
			if (w.timers[i].due_ms <= to_ms && (next == w.n_timers || w.timers[i].due_ms < w.timers[next].due_ms))
				next = i;
		if (next == w.n_timers)
			break;
		Ascolto__Envelope *e = ascolto__envelope__unpack(NULL, w.timers[next].len, w.timers[next].data);
		w.now_ms = MAX(w.now_ms, w.timers[next].due_ms);
		free(w.timers[next].data);
		w.timers[next] = w.timers[--w.n_timers];
		assert_int_equal(turn(escalation_timer, e), DONE);
		ascolto__envelope__free_unpacked(e, NULL);
	}
	w.now_ms = to_ms;
}

/* The same with the service stopped meanwhile: everything rings at the end. */
static void sleep_until(int64_t to_ms)
{
	w.now_ms = to_ms;
	until(to_ms);
}

/* Somebody writes. The same `n` is the same message. */
static void says_as(unsigned n, const char *who, const char *conversation, const char *intent)
{
	struct id id = id_from(w.now_ms, span_of(&n, sizeof(n))), customer = id_from(0, span_str(who)),
		  talk = id_from(0, span_str(conversation));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Message m = ASCOLTO__MESSAGE__INIT;
	Ascolto__Post p = ASCOLTO__POST__INIT;
	Ascolto__Knowledge k = w.known;
	Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
	Ascolto__Label label = ASCOLTO__LABEL__INIT;
	Ascolto__Signature signature = ASCOLTO__SIGNATURE__INIT;
	bool first = w.term < w.trouble;
	label.value = (char *)(uintptr_t)intent;
	u.intent = &label;
	signature.terms = (uint32_t[]){first ? w.term : w.trouble, first ? w.trouble : w.term};
	signature.weights = (float[]){first ? 0.98f : 0.2f, first ? 0.2f : 0.98f};
	signature.n_terms = signature.n_weights = 2;
	u.signature = w.term ? &signature : NULL;
	p.kind = ASCOLTO__KIND__KIND_MESSAGE;
	p.surface = strncmp(conversation, "dm", 2) ? ASCOLTO__SURFACE__SURFACE_PUBLIC : ASCOLTO__SURFACE__SURFACE_PRIVATE;
	p.text = (char *)(uintptr_t)conversation;
	p.channel = (char *)"web";
	p.conversation = (char *)(uintptr_t)conversation;
	p.native_id = (char *)"native";
	k.customer_id = id_bytes(&customer);
	k.conversation_id = id_bytes(&talk);
	k.display_name = (char *)(uintptr_t)who;
	k.route = (char *)(uintptr_t)who;
	m.post = &p;
	m.knowledge = &k;
	m.understanding = &u;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)"acme";
	e.occurred_ms = e.received_ms = w.now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_CLASSIFIED;
	e.classified = &m;
	w.last_message = id;
	if (turn(escalation_classified, &e) != DONE)
		fail_msg("%s", w.why);
}

static void says(const char *who, const char *conversation, const char *intent)
{
	says_as(++w.n_messages, who, conversation, intent);
}

static Ascolto__Case *the(size_t i)
{
	assert_true(i < w.n_cases);
	return w.cases[i]->view->case_;
}

static enum verdict command(Ascolto__Command *c)
{
	struct id id = id_from(w.now_ms, span_of(&w.n_commands, sizeof(w.n_commands)));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	w.n_commands++;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)"acme";
	e.occurred_ms = e.received_ms = w.now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_COMMAND;
	e.command = c;
	return turn(escalation_command, &e);
}

static enum verdict change(size_t i, const char *verb, const char *actor, const char *words)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ChangeCase what = ASCOLTO__CHANGE_CASE__INIT;
	struct id id;
	assert_int_equal(id_of(the(i)->id, &id), 0);
	what.case_id = id_bytes(&id);
	what.verb = (char *)(uintptr_t)verb;
	what.words = what.to = (char *)(uintptr_t)words;
	c.actor = (char *)(uintptr_t)actor;
	c.what_case = ASCOLTO__COMMAND__WHAT_CHANGE_CASE;
	c.change_case = &what;
	return command(&c);
}

static enum verdict change_with(size_t i, const char *verb, const struct id *other, const char *conversation)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ChangeCase what = ASCOLTO__CHANGE_CASE__INIT;
	struct id id, talk = id_from(0, span_str(conversation));
	assert_int_equal(id_of(the(i)->id, &id), 0);
	what.case_id = id_bytes(&id);
	what.verb = (char *)(uintptr_t)verb;
	if (other)
		what.other_case_id = id_bytes(other);
	what.conversation_id = id_bytes(&talk);
	c.actor = (char *)"ada";
	c.what_case = ASCOLTO__COMMAND__WHAT_CHANGE_CASE;
	c.change_case = &what;
	return command(&c);
}

static bool is(size_t i, enum case_state s)
{
	return (enum case_state)the(i)->state == s;
}

static unsigned told(const char *template_name, const char *destination)
{
	unsigned n = 0;
	for (size_t i = 0; i < w.n_orders; i++)
		n += str_eq(w.orders[i]->order->template_, template_name) &&
		     str_eq(w.orders[i]->order->destination, destination);
	return n;
}

/* Entries of the audit log of that kind whose detail has these words. */
static unsigned audited(const char *what, const char *words)
{
	struct key prefix = turn_key_in(GROUP, &escalation_tables[AUDIT]);
	struct span key, value;
	struct cursor *c;
	struct txn *t;
	unsigned n = 0;
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0) {
		State__AuditRecord *row = state__audit_record__unpack(NULL, value.len, value.data);
		State__AuditEntry *e = state__audit_entry__unpack(NULL, row->entry.len, row->entry.data);
		n += str_eq(e->what, what) && strstr(e->detail, words);
		state__audit_entry__free_unpacked(e, NULL);
		state__audit_record__free_unpacked(row, NULL);
	}
	cursor_close(&c);
	txn_abort(&t);
	return n;
}

/* The last command was refused, its author hears why, and the log knows; nothing else came of it. */
static void assert_refused(enum verdict v, const char *asker, const char *words)
{
	assert_int_equal(v, DONE);
	if (!strstr(w.refused, words))
		fail_msg("refused: \"%s\", and not \"%s\"", w.refused, words);
	assert_string_equal(w.asker, asker);
	assert_int_equal(audited("command_refused", words), 1);
	w.refused[0] = w.asker[0] = 0;
}

/* ---- the world ---- */

static int begin(void **state)
{
	(void)state;
	static int n;
	char name[32], path[512];
	struct err e = {0};
	memset(&w, 0, sizeof(w));
	snprintf(name, sizeof(name), "store%d", n++);
	const struct store_options o = {
		.path = test_path(name), .service = "escalation", .unsafe_fs = true, .now_ms = at(23, 8, 0)};
	if (store_open(&w.store, &o, NULL))
		return -1;
	snprintf(path, sizeof(path), "%s", test_path("playbook.yaml"));
	FILE *f = fopen(path, "w");
	fputs(PLAYBOOK, f);
	fclose(f);
	snprintf(w.brand.name, sizeof(w.brand.name), "acme");
	if (playbook_load(&w.brand.playbook, path, &e)) {
		fprintf(stderr, "%s\n", err_text(&e));
		return -1;
	}
	w.known = (Ascolto__Knowledge)ASCOLTO__KNOWLEDGE__INIT;
	w.escalation.brands = &w.brand;
	w.escalation.n_brands = 1;
	w.now_ms = at(23, 10, 0);
	return topics_new(&w.brand.topics, HOUR, w.brand.name);
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < w.n_timers; i++)
		free(w.timers[i].data);
	for (size_t i = 0; i < w.n_orders; i++)
		ascolto__envelope__free_unpacked(w.orders[i], NULL);
	for (size_t i = 0; i < w.n_cases; i++)
		ascolto__envelope__free_unpacked(w.cases[i], NULL);
	ascolto__envelope__free_unpacked(w.answer, NULL);
	ascolto__envelope__free_unpacked(w.advocate, NULL);
	topics_free(&w.brand.topics);
	playbook_free(&w.brand.playbook);
	store_close(&w.store);
	return 0;
}

/* ---- cases ---- */

static void one_need_one_case(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	says("anna", "dm", "billing");
	says("anna", "thread", "praise");
	says_as(1, "anna", "thread", "report_fault"); /* delivered twice */
	assert_int_equal(w.n_cases, 1);
	assert_int_equal(the(0)->messages, 3);
	assert_int_equal(the(0)->n_conversations, 2);
	assert_string_equal(the(0)->owner, "desk");
	assert_string_equal(the(0)->team, "care");
	assert_string_equal(the(0)->business_unit, "Retail");
	assert_string_equal(the(0)->last_word, "boss");
	assert_string_equal(the(0)->playbook, "test, version 1");
	assert_int_equal(the(0)->n_allowed, 2);
	assert_int_equal(the(0)->n_steps, 1);
	says("bruno", "thread", "praise"); /* wants no answer: no case */
	assert_int_equal(w.n_cases, 1);
}

static void clocks_run_in_hours(void **state)
{
	(void)state;
	w.now_ms = at(27, 17, 30); /* Friday */
	says("anna", "thread", "report_fault");
	assert_int_equal(the(0)->acknowledge_due_ms, at(30, 9, 30));
	assert_int_equal(the(0)->resolve_due_ms, at(30, 16, 30));
	assert_int_equal(the(0)->steps[0]->due_ms, at(27, 18, 0));
	until(at(29, 12, 0));
	assert_false(the(0)->late);
	until(at(30, 9, 29));
	assert_int_equal(told("case_late", "desk-mail"), 0);
	until(at(30, 9, 31));
	assert_true(the(0)->late);
	assert_int_equal(told("case_late", "desk-mail"), 1);
	assert_int_equal(told("case_late", "boss-mail"), 0);
	until(at(30, 10, 1)); /* the chain goes on until somebody acknowledges */
	assert_int_equal(told("case_late", "boss-mail"), 1);
	until(at(30, 20, 0));
	assert_int_equal(told("case_late", "desk-mail") + told("case_late", "boss-mail"), 2);
}

static void acknowledging_ends_the_chain(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	until(at(23, 11, 10));
	assert_int_equal(told("case_late", "desk-mail"), 1);
	assert_int_equal(change(0, "acknowledge", "ada", ""), DONE);
	assert_true(is(0, CASE_ACKNOWLEDGED));
	assert_string_equal(the(0)->owner, "ada");
	assert_int_equal(the(0)->acknowledge_due_ms, 0);
	assert_int_equal(the(0)->acknowledged_ms, w.now_ms);
	until(at(23, 12, 0));
	assert_int_equal(told("case_late", "boss-mail"), 0);
	assert_int_equal(the(0)->resolve_due_ms, at(23, 18, 0)); /* goes on */
}

static void waiting_stops_the_second_clock(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	until(at(23, 12, 0));
	assert_int_equal(change(0, "wait", "ada", ""), DONE);
	assert_int_equal(the(0)->resolve_due_ms, 0);
	until(at(25, 14, 0));
	says("anna", "thread", "praise"); /* the answer, whatever it says */
	assert_true(is(0, CASE_IN_PROGRESS));
	assert_int_equal(the(0)->resolve_due_ms, at(26, 11, 0)); /* two hours were gone of eight */
	/* A policy that does not pause. */
	w.now_ms = at(25, 15, 0);
	says("bruno", "other", "report_danger");
	assert_int_equal(change(1, "wait", "ada", ""), DONE);
	assert_int_equal(the(1)->resolve_due_ms, at(25, 23, 0));
}

static void never_after_solving(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	until(at(23, 11, 0) - 1);
	assert_int_equal(change(0, "start", "ada", ""), DONE);
	assert_int_equal(change(0, "solve", "ada", ""), DONE);
	assert_int_equal(the(0)->resolve_due_ms, 0);
	until(at(27, 18, 0));
	assert_false(the(0)->late);
	assert_int_equal(w.n_orders, 0);
}

static void reopened(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	assert_int_equal(change(0, "solve", "ada", ""), DONE);
	says("anna", "thread", "praise"); /* thanks do not undo it */
	assert_true(is(0, CASE_SOLVED));
	until(at(23, 12, 0));
	says("anna", "dm", "report_fault");
	assert_true(is(0, CASE_REOPENED));
	assert_int_equal(the(0)->reopened, 1);
	assert_int_equal(the(0)->acknowledge_due_ms, at(23, 13, 0)); /* from the beginning */
	assert_int_equal(change(0, "close", "ada", "replaced"), DONE);
	assert_true(is(0, CASE_CLOSED));
	until(at(24, 12, 0));
	says("anna", "thread", "report_fault"); /* the same talk, the next day */
	assert_int_equal(w.n_cases, 1);
	assert_true(is(0, CASE_REOPENED));
	assert_int_equal(change(0, "close", "ada", "replaced again"), DONE);
	says("anna", "thread", "praise");
	assert_true(is(0, CASE_CLOSED));
	says("anna", "elsewhere", "report_fault"); /* another talk: another need */
	assert_int_equal(w.n_cases, 2);
	assert_int_equal(change(1, "close", "ada", "done"), DONE);
	until(at(27, 12, 0));
	says("anna", "elsewhere", "report_fault"); /* too long ago */
	assert_int_equal(w.n_cases, 3);
}

static void handed_over(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	assert_int_equal(change(0, "hand_over", "desk", "carla"), DONE);
	assert_true(is(0, CASE_NEW)); /* Carla has not seen it yet */
	assert_string_equal(the(0)->owner, "carla");
	assert_refused(change(0, "hand_over", "desk", ""), "desk", "somebody always owns a case");
	assert_int_equal(change(0, "start", "dario", ""), DONE);
	assert_int_equal(the(0)->n_handovers, 2);
	assert_string_equal(the(0)->handovers[0]->from, "desk");
	assert_string_equal(the(0)->handovers[1]->from, "carla");
	assert_string_equal(the(0)->handovers[1]->to, "dario");
	for (int i = 0; i < 40; i++)
		assert_int_equal(change(0, "hand_over", "desk", i % 2 ? "carla" : "dino"), DONE);
	assert_int_equal(the(0)->n_handovers, 32); /* the latest */
}

static void moved_to_private(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	assert_int_equal(change(0, "offline", "ada", ""), DONE);
	assert_true(is(0, CASE_OFFLINE));
	says("anna", "dm", "report_fault");
	assert_true(is(0, CASE_OFFLINE));
	assert_int_equal(change(0, "close", "ada", "credited"), DONE);
	assert_true(is(0, CASE_SOLVED)); /* the public place does not know yet */
	assert_true(the(0)->closing_note_due);
	assert_refused(change(0, "note", "ada", ""), "ada", "say what was published");
	assert_int_equal(change(0, "note", "ada", "Solved with Anna in private, thank you for your patience"), DONE);
	assert_true(is(0, CASE_CLOSED));
	assert_false(the(0)->closing_note_due);
	assert_string_equal(the(0)->closed_reason, "credited");
	/* What began in private owes nobody a note. */
	says("bruno", "dm-bruno", "report_fault");
	assert_int_equal(change(1, "offline", "ada", ""), DONE);
	assert_int_equal(change(1, "close", "ada", "called"), DONE);
	assert_true(is(1, CASE_CLOSED));
	/* Nor does one whose public trace was closed. */
	says("carla", "thread-carla", "report_fault");
	assert_int_equal(change(2, "offline", "ada", ""), DONE);
	assert_int_equal(change(2, "waive_note", "ada", "she deleted her post"), DONE);
	assert_int_equal(change(2, "close", "ada", "called"), DONE);
	assert_true(is(2, CASE_CLOSED));
}

static void merged(void **state)
{
	(void)state;
	struct id other, self;
	says("anna", "thread", "report_fault");
	until(at(23, 10, 30));
	says("anna@mail", "dm-mail", "report_danger"); /* herself, from another account */
	assert_int_equal(w.n_cases, 2);
	assert_int_equal(id_of(the(1)->id, &other), 0);
	assert_int_equal(id_of(the(0)->id, &self), 0);
	assert_refused(change_with(0, "merge", &self, ""), "ada", "part of itself");
	assert_int_equal(change_with(0, "merge", &other, ""), DONE);
	assert_int_equal(the(0)->messages, 2);
	assert_int_equal(the(0)->n_conversations, 2);
	assert_int_equal(the(0)->code, ASCOLTO__CODE__CODE_RED);
	assert_true(is(1, CASE_CLOSED));
	assert_memory_equal(the(1)->merged_into.data, self.b, ID_BYTES);
	assert_int_equal(change_with(0, "merge", &other, ""), DONE); /* said twice */
	assert_int_equal(the(0)->messages, 2);
	says("anna@mail", "dm-mail", "report_danger");
	assert_int_equal(w.n_cases, 2);
	assert_int_equal(the(0)->messages, 3);
	assert_refused(change(1, "reopen", "ada", ""), "ada", "part of another case");
	until(at(24, 20, 0)); /* only one of the two rings */
	assert_int_equal(told("case_late", "desk-mail"), 1);
}

static void split_off(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	assert_refused(change_with(0, "split", NULL, "thread"), "ada",
		"nothing to split"); /* nothing would be left */
	says("anna", "dm", "billing");
	assert_refused(change_with(0, "split", NULL, "nowhere"), "ada", "not one of its own");
	assert_int_equal(change_with(0, "split", NULL, "dm"), DONE);
	assert_int_equal(w.n_cases, 2);
	assert_int_equal(the(0)->n_conversations, 1);
	assert_int_equal(the(1)->n_conversations, 1);
	says("anna", "dm", "billing");
	says("anna", "thread", "report_fault");
	assert_int_equal(w.n_cases, 2);
	assert_int_equal(the(1)->messages, 1);
	assert_int_equal(the(0)->messages, 3);
	assert_int_equal(change(1, "close", "ada", "paid"), DONE);
	says("anna", "new talk", "report_fault"); /* the other one is still hers */
	assert_int_equal(w.n_cases, 2);
	until(at(24, 20, 0));
	assert_true(the(0)->late);
	assert_false(the(1)->late);
}

static enum verdict about_incident(const struct id *incident, bool close, const char *actor)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__AcknowledgeIncident acknowledge = ASCOLTO__ACKNOWLEDGE_INCIDENT__INIT;
	Ascolto__CloseIncident closing = ASCOLTO__CLOSE_INCIDENT__INIT;
	c.actor = (char *)(uintptr_t)actor;
	acknowledge.incident_id = closing.incident_id = id_bytes(incident);
	closing.reason = (char *)"over";
	c.what_case =
		close ? ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT : ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT;
	if (close)
		c.close_incident = &closing;
	else
		c.acknowledge_incident = &acknowledge;
	return command(&c);
}

static void what_can_not_be_done_says_why(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	assert_refused(change(0, "dance", "ada", ""), "ada", "no change of a case called \"dance\"");
	assert_refused(change(0, "reopen", "ada", ""), "ada", "the case is new: it can not be opened again");
	assert_int_equal(change(0, "close", "ada", "done"), DONE);
	assert_refused(
		change(0, "close", "bob", "done twice"), "bob", "the case is closed: somebody was faster");
	assert_string_equal(the(0)->owner, "ada");
	assert_string_equal(the(0)->closed_reason, "done");
	assert_refused(change(0, "wait", "ada", ""), "ada", "the case is closed: open it again first");
	assert_int_equal(is(0, CASE_CLOSED), true);
}

/* Half of it was possible: that half is not done either. */
static void refused_as_a_whole(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	struct id nobody = id_from(0, span_str("nobody's"));
	assert_refused(change_with(0, "merge", &nobody, ""), "ada", "there is no such case");
	assert_int_equal(the(0)->messages, 1);
	assert_int_equal(the(0)->acknowledged_ms, 0);
}

static void refused_about_what_is_not_there(void **state)
{
	(void)state;
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	struct id unknown = id_from(0, span_str("unknown"));
	Ascolto__MoveMessage move = ASCOLTO__MOVE_MESSAGE__INIT;
	Ascolto__Correct correct = ASCOLTO__CORRECT__INIT;
	Ascolto__ConfirmAlarms confirm = ASCOLTO__CONFIRM_ALARMS__INIT;
	Ascolto__CloseCrisis calm = ASCOLTO__CLOSE_CRISIS__INIT;
	assert_refused(about_incident(&unknown, false, "eva"), "eva", "there is no such incident");
	c.actor = (char *)"ada";
	move.message_id = correct.message_id = id_bytes(&unknown);
	move.lane = (char *)"service";
	c.what_case = ASCOLTO__COMMAND__WHAT_MOVE_MESSAGE;
	c.move_message = &move;
	assert_refused(command(&c), "ada", "the message is not known");
	c.what_case = ASCOLTO__COMMAND__WHAT_CORRECT;
	c.correct = &correct;
	assert_refused(command(&c), "ada", "the corrected message is not known");
	c.what_case = ASCOLTO__COMMAND__WHAT_CONFIRM_ALARMS;
	c.confirm_alarms = &confirm;
	assert_refused(command(&c), "ada", "no alarms are held any more");
	c.what_case = ASCOLTO__COMMAND__WHAT_CLOSE_CRISIS;
	c.close_crisis = &calm;
	calm.reason = (char *)"calm";
	assert_refused(command(&c), "ada", "crisis mode is not on");
	/* What no console says is nobody's mistake: it is put aside. */
	move.message_id = (ProtobufCBinaryData){0};
	c.what_case = ASCOLTO__COMMAND__WHAT_MOVE_MESSAGE;
	c.move_message = &move;
	assert_int_equal(command(&c), REJECT);
	c.what_case = ASCOLTO__COMMAND__WHAT__NOT_SET;
	assert_int_equal(command(&c), REJECT);
}

/* ---- alarms ---- */

static void people_have_faults(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char who[32];
		snprintf(who, sizeof(who), "customer %u", i);
		says(who, who, "report_fault");
	}
}

static unsigned late_alarms(void)
{
	return told("case_late", "desk-mail") + told("case_late", "boss-mail");
}

static void a_few_late_alarms_ring(void **state)
{
	(void)state;
	people_have_faults(20);
	until(at(23, 11, 5));
	assert_int_equal(told("case_late", "desk-mail"), 20);
	sleep_until(at(23, 15, 0));
	until(at(23, 15, 1));
	assert_int_equal(told("case_late", "boss-mail"), 20);
	assert_int_equal(told("alarms_held", "boss-mail"), 0);
}

static void a_person_confirms(bool call)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ConfirmAlarms what = ASCOLTO__CONFIRM_ALARMS__INIT;
	what.call = call;
	c.actor = (char *)"ada";
	c.what_case = ASCOLTO__COMMAND__WHAT_CONFIRM_ALARMS;
	c.confirm_alarms = &what;
	assert_int_equal(command(&c), DONE);
}

static void many_late_alarms_wait_for_a_word(void **state)
{
	(void)state;
	people_have_faults(21);
	until(at(23, 11, 5));
	unsigned before = late_alarms();
	sleep_until(at(23, 15, 0));
	until(at(23, 15, 1));
	assert_int_equal(late_alarms(), before); /* nobody was called */
	assert_int_equal(told("alarms_held", "boss-mail"), 1);
	assert_int_equal(w.held.count, 21);
	assert_non_null(strstr(w.orders[w.n_orders - 1]->order->subject, "21 alarms fell due together"));
	until(at(23, 15, 11)); /* nobody decided: the next in the chain is asked */
	assert_int_equal(told("alarms_held", "desk-mail"), 1);
	a_person_confirms(true);
	assert_int_equal(w.held.count, 0);
	until(at(23, 15, 12));
	assert_int_equal(late_alarms(), before + 21);
	a_person_confirms(true); /* said twice */
	until(at(23, 16, 0));
	assert_int_equal(late_alarms(), before + 21);
	assert_int_equal(told("alarms_held", "boss-mail") + told("alarms_held", "desk-mail"), 2);
}

static void held_alarms_are_dropped(void **state)
{
	(void)state;
	people_have_faults(50);
	until(at(23, 11, 5));
	unsigned before = late_alarms();
	sleep_until(at(24, 15, 0));
	until(at(24, 15, 1));
	assert_int_equal(w.held.count, 50);
	a_person_confirms(false);
	until(at(25, 18, 0));
	assert_int_equal(late_alarms(), before);
}

/* ---- crowds ---- */

/* Something is wrong, differently each time; the terms of real messages. */
static uint32_t a_trouble(unsigned n)
{
	static const char *const words[] = {"delayed", "crashes", "defective", "refund", "hacked", "slow"};
	struct arena arena;
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	arena_init(&arena, 1 << 20);
	assert_int_equal(signature_compute(span_str(words[n % ARRAY_SIZE(words)]), "en", &arena, &s), 0);
	assert_true(s.n_terms == 1 && signature_names_trouble(&s));
	uint32_t term = s.terms[0];
	arena_free(&arena);
	return term;
}

/* `n` new people within so many minutes, about one thing, or (term 0) each about another; with trouble or
 * without. */
static void crowd(unsigned n, unsigned minutes, uint32_t term, bool trouble)
{
	static uint32_t another = 1000;
	char who[32], talk[32];
	int64_t from_ms = w.now_ms;
	for (unsigned i = 0; i < n; i++) {
		until(from_ms + (int64_t)i * minutes * MINUTE / n);
		snprintf(who, sizeof(who), "crowd-%u", ++another);
		snprintf(talk, sizeof(talk), "talk-%u", another);
		w.term = term ? term : another * 2;
		w.trouble = trouble ? a_trouble(i) : another * 2 + 1;
		says(who, talk, trouble ? "complain" : "ask_info");
	}
	w.term = 0;
	until(from_ms + (int64_t)minutes * MINUTE);
}

/* Somewhat more than a day of a brand of twenty people an hour, of whom one has trouble. */
static void ordinary_day(void)
{
	for (int hour = 0; hour < 28; hour++) {
		crowd(1, 10, 0, true);
		crowd(19, 50, 0, false);
	}
	assert_int_equal(w.n_incidents, 0);
}

/* A crowd without words in common is one incident, and calms down as any other. */
static void many_have_trouble(void **state)
{
	(void)state;
	ordinary_day();
	crowd(30, 20, 0, true);
	assert_int_equal(w.n_incidents, 1);
	assert_string_equal(w.incidents[0].title, "Many have trouble, of different kinds");
	assert_int_equal(w.incidents[0].code, CODE_YELLOW);
	for (int hour = 0; hour < 8; hour++)
		crowd(19, 60, 0, false);
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(w.incidents[0].code, 0);
}

/* As many who have none are none. */
static void many_have_none(void **state)
{
	(void)state;
	ordinary_day();
	crowd(70, 50, 0, false);
	assert_int_equal(w.n_incidents, 0);
}

/* Words in common come first, and then the crowd that has trouble with it is known. */
static void one_crowd_one_incident(void **state)
{
	(void)state;
	ordinary_day();
	for (int i = 0; i < 8; i++) {
		crowd(6, 5, 77, true);
		crowd(2, 5, 0, true);
	}
	assert_int_equal(w.n_incidents, 1);
	assert_string_not_equal(w.incidents[0].title, "Many have trouble, of different kinds");
}

/* The other way round: what the crowd comes to speak of is no second incident. */
static void words_of_a_known_crowd(void **state)
{
	(void)state;
	ordinary_day();
	crowd(30, 20, 0, true);
	assert_int_equal(w.n_incidents, 1);
	crowd(40, 20, 77, true);
	assert_int_equal(w.n_incidents, 1);
	/* Others, who say it calmly, about another matter: that is one. */
	crowd(40, 20, 78, false);
	assert_int_equal(w.n_incidents, 2);
}

/* ---- waves ---- */

static void somebody_acknowledges(void)
{
	struct id id;
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(id_from_bytes(w.incidents[0].id, ID_BYTES, &id), 0);
	assert_int_equal(about_incident(&id, false, "desk"), DONE);
}

/* Others, about other things. */
static void speaks_of_something_else(unsigned minutes)
{
	crowd(minutes / 3, minutes, 0, false);
}

static unsigned waves(void)
{
	unsigned n = told("incident_wave", "desk-mail");
	assert_int_equal(audited("incident_wave", "a new wave: "), n);
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(w.incidents[0].waves, n);
	return n;
}

/* Whoever acknowledged nine people hears of twice as many, once an hour at most. */
static void more_people_are_a_wave(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	assert_int_equal(told("incident_opened", "desk-mail"), 1);
	somebody_acknowledges();
	crowd(8, 10, 77, true);
	assert_int_equal(waves(), 0); /* within the hour */
	speaks_of_something_else(35);
	crowd(8, 10, 77, true);
	assert_int_equal(waves(), 1);
	assert_false(w.incidents[0].acknowledged);
	crowd(3, 5, 77, true);
	assert_int_equal(waves(), 1);
}

/* Nobody has acknowledged yet, and somebody is still to be called: that call tells it. */
static void a_wave_waits_for_the_chain(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	speaks_of_something_else(60);
	crowd(16, 10, 77, true);
	assert_int_equal(told("incident_unanswered", "boss-mail"), 0);
	assert_int_equal(waves(), 0);
	speaks_of_something_else(21);
	assert_int_equal(told("incident_unanswered", "boss-mail"), 1);
	crowd(2, 5, 77, true);
	assert_int_equal(waves(), 1);
}

/* Calm for an hour and then there again, with as many as the first time. */
static void a_second_wave(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	somebody_acknowledges();
	speaks_of_something_else(180);
	assert_int_equal(w.incidents[0].code, CODE_YELLOW);
	crowd(9, 20, 77, true);
	assert_int_equal(waves(), 1);
	assert_false(w.incidents[0].acknowledged);
	speaks_of_something_else(360);
	assert_int_equal(w.incidents[0].code, 0);
	assert_int_equal(waves(), 1);
}

/* The service starts again: what it remembers of topics comes from the store. */
static void restart(void)
{
	struct err e = {0};
	struct svc svc = {.store = w.store};
	if (brands_reload_topics(&svc, &w.escalation, &e))
		fail_msg("%s", err_text(&e));
}

static double people_of_the_incident(void)
{
	struct damage_sum sum;
	struct txn *t;
	struct id id;
	assert_int_equal(w.n_incidents, 1);
	memcpy(id.b, w.incidents[0].id, ID_BYTES);
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	assert_int_equal(damage_read(t, "acme", &id, 0, INT64_MAX, &sum, NULL, NULL), 0);
	txn_abort(&t);
	return sum.people;
}

static size_t rows_of(int table)
{
	struct key prefix = turn_key_in(GROUP, &escalation_tables[table]);
	struct span key, value;
	struct cursor *c;
	struct txn *t;
	size_t n = 0;
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0)
		n++;
	cursor_close(&c);
	txn_abort(&t);
	return n;
}

/* Who spoke before a restart counts after it, once; and who counts for an incident is known as long as it is one. */
static void a_crowd_outlives_a_restart(void **state)
{
	(void)state;
	ordinary_day();
	crowd(5, 5, 77, false);
	assert_int_equal(w.n_incidents, 0);
	restart();
	crowd(20, 5, 77, false);
	assert_true(people_of_the_incident() == 25);
	for (int i = 0; i < 3; i++) {
		w.term = 77;
		w.trouble = 78;
		until(w.now_ms + MINUTE);
		says("somebody", "talk", "ask_info");
		restart();
	}
	assert_true(people_of_the_incident() == 26);
	assert_int_equal(rows_of(INCIDENT_PEOPLE), 26);
	for (int hour = 0; hour < 8; hour++)
		crowd(19, 60, 0, false);
	assert_int_equal(w.incidents[0].code, 0);
	assert_int_equal(rows_of(INCIDENT_PEOPLE), 0);
}

/* Who spoke too long ago to count anywhere is forgotten. */
static void mentions_do_not_pile_up(void **state)
{
	(void)state;
	crowd(700, 10, 0, false);
	assert_int_equal(rows_of(MENTIONS), 700);
	until(w.now_ms + 12 * HOUR);
	crowd(260, 30, 0, false);
	assert_in_range(rows_of(MENTIONS), 260, 700);
	crowd(260, 30, 0, false);
	assert_int_equal(rows_of(MENTIONS), 520);
}

/* ---- who speaks well of the brand ---- */

static unsigned advocates(void)
{
	struct txn *t;
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	struct key list = turn_key_in(GROUP, &escalation_tables[ADVOCATES]);
	struct cursor *c;
	struct span key, value;
	unsigned n = 0;
	assert_int_equal(cursor_open(t, &list, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0)
		n++;
	cursor_close(&c);
	txn_abort(&t);
	return n;
}

static enum verdict lists(bool listed)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__KeepAdvocate what = ASCOLTO__KEEP_ADVOCATE__INIT;
	what.message_id = id_bytes(&w.last_message);
	what.listed = listed;
	c.actor = (char *)"ada";
	c.what_case = ASCOLTO__COMMAND__WHAT_KEEP_ADVOCATE;
	c.keep_advocate = &what;
	return command(&c);
}

static void praise_is_remembered_and_advocates_are_listed(void **state)
{
	(void)state;
	says("anna", "thread", "praise");
	assert_string_equal(w.change, "praised"); /* enrichment counts the days, and says when she is one */
	assert_int_equal(advocates(), 0);
	w.known.customer_type = ASCOLTO__CUSTOMER_TYPE__CUSTOMER_ADVOCATE;
	w.known.praise_days = 3;
	says("anna", "thread", "ask_info");
	assert_int_equal(advocates(), 1);
	assert_string_equal(w.advocate->view->advocate->name, "anna");
	assert_string_equal(w.advocate->view->advocate->channel, "web");
	w.known.customer_type = ASCOLTO__CUSTOMER_TYPE__CUSTOMER_COMPLAINER;
	says("anna", "thread", "billing");
	assert_int_equal(advocates(), 0);
	assert_true(w.advocate->view->advocate->removed);
}

static void a_person_keeps_the_list(void **state)
{
	(void)state;
	says("bruno", "thread", "ask_info");
	assert_int_equal(lists(true), DONE);
	assert_int_equal(advocates(), 1);
	assert_string_equal(w.change, "advocate");
	assert_string_equal(w.advocate->view->advocate->by, "ada");
	assert_int_equal(lists(false), DONE);
	assert_int_equal(advocates(), 0);
	assert_string_equal(w.change, "no_advocate");
	w.known.influencer = true;
	w.known.reach = 900000;
	says("star", "thread2", "praise");
	assert_refused(lists(true), "ada", "influencer");
	assert_int_equal(advocates(), 0);
}

/* ---- what people answer ---- */

static enum verdict answers_with(size_t i, const char *actor, const char *language, const char *text)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ProposeAnswer p = ASCOLTO__PROPOSE_ANSWER__INIT;
	Ascolto__Wordings words = ASCOLTO__WORDINGS__INIT, *list = &words;
	char *texts[] = {(char *)(uintptr_t)text};
	struct id id;
	assert_int_equal(id_of(the(i)->id, &id), 0);
	words.language = (char *)(uintptr_t)language;
	words.texts = texts;
	words.n_texts = 1;
	p.case_id = id_bytes(&id);
	p.wordings = &list;
	p.n_wordings = text ? 1 : 0;
	c.actor = (char *)(uintptr_t)actor;
	c.what_case = ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER;
	c.propose_answer = &p;
	enum verdict v = command(&c);
	until(w.now_ms);
	return v;
}

static void approves(const char *actor, const char *role)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ApproveAnswer what = ASCOLTO__APPROVE_ANSWER__INIT;
	struct id id;
	assert_int_equal(id_of(w.answer->view->answer->id, &id), 0);
	what.answer_id = id_bytes(&id);
	what.role = (char *)(uintptr_t)role;
	c.actor = (char *)(uintptr_t)actor;
	c.what_case = ASCOLTO__COMMAND__WHAT_APPROVE_ANSWER;
	c.approve_answer = &what;
	assert_int_equal(command(&c), DONE);
	until(w.now_ms);
}

static const Ascolto__Answer *answer(void)
{
	assert_non_null(w.answer);
	return w.answer->view->answer;
}

static const Ascolto__Order *last_order(void)
{
	assert_true(w.n_orders > 0);
	return w.orders[w.n_orders - 1]->order;
}

static void one_case_is_answered(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	w.now_ms += 10 * MINUTE;
	assert_int_equal(
		answers_with(0, "Ada", "en", "We have seen it and are looking for the cause. Ada"), DONE);
	assert_int_equal(told("answer", "answers-hook"), 1);
	const Ascolto__Order *o = last_order();
	assert_string_equal(o->text, "We have seen it and are looking for the cause. Ada");
	assert_string_equal(o->reply->conversation, "thread");
	assert_string_equal(o->reply->in_reply_to, "native");
	assert_string_equal(o->reply->by, "Ada");
	assert_string_equal(o->reply->language, "en");
	/* One clock stops, the other goes on; who answers owns it. */
	assert_true(is(0, CASE_ACKNOWLEDGED));
	assert_int_equal(the(0)->acknowledged_ms, w.now_ms);
	assert_int_equal(the(0)->acknowledge_due_ms, 0);
	assert_true(the(0)->resolve_due_ms > w.now_ms);
	assert_string_equal(the(0)->owner, "Ada");
	assert_true(answer()->ended_ms && answer()->answered == 1 && !answer()->n_findings);
	/* The same words again reach the customer, but not before somebody was told. */
	assert_int_equal(
		answers_with(0, "Ada", "en", "We have seen it and are looking for the cause. Ada"), DONE);
	assert_int_equal(told("answer", "answers-hook"), 2);
	assert_int_equal(answer()->n_findings, 1);
	assert_string_equal(answer()->findings[0]->rule, "copied");
	until(w.now_ms + 48 * HOUR);
	assert_true(the(0)->late); /* solving went on */
	change(0, "close", "Ada", "done");
	assert_refused(answers_with(0, "Ada", "en", "One more thing. Ada"), "Ada", "open it again");
}

static void what_blocks_goes_nowhere(void **state)
{
	(void)state;
	static const char call[] = "Please call me at 333 1234567 today. Ada";
	says("anna", "thread", "report_fault");
	assert_int_equal(answers_with(0, "Ada", "en", call), DONE);
	assert_int_equal(told("answer", "answers-hook"), 0);
	assert_true(answer()->refused_ms && !answer()->begun_ms);
	assert_string_equal(answer()->findings[0]->rule, "private_data");
	assert_true(answer()->findings[0]->blocks);
	assert_string_equal(
		answer()->findings[0]->en, "In public nobody writes a telephone number: move to private");
	assert_true(is(0, CASE_NEW));
	approves("Bruno", ""); /* nothing to approve */
	assert_int_equal(told("answer", "answers-hook"), 0);
	assert_int_equal(answers_with(0, "Ada", "en", "That is your fault. Ada"), DONE);
	assert_true(answer()->refused_ms != 0);
	/* In private a telephone may be said; a missing signature is said, and does not stop it. */
	says("anna", "dm", "billing");
	assert_int_equal(answers_with(0, "Ada", "en", "Please call me at 333 1234567 today."), DONE);
	assert_int_equal(told("answer", "answers-hook"), 1);
	assert_string_equal(last_order()->reply->conversation, "dm");
	assert_int_equal(answer()->n_findings, 1);
	assert_string_equal(answer()->findings[0]->rule, "signature");
	assert_refused(answers_with(0, "Ada", "en", NULL), "Ada", "an answer without words");
}

static void two_people_where_the_playbook_says_so(void **state)
{
	(void)state;
	says("anna", "thread", "report_danger");
	assert_int_equal(answers_with(0, "Ada", "en", "Please leave the house. We are coming. Ada"), DONE);
	assert_int_equal(answer()->approvals_needed, 1);
	assert_string_equal(answer()->consent, "grave");
	assert_int_equal(answer()->n_approvers, 1);
	approves("ada", "boss"); /* nobody approves their own words, in whatever letters */
	approves("Bruno", "");	 /* boss may */
	approves("Bruno", "desk");
	assert_int_equal(told("answer", "answers-hook"), 0);
	assert_int_equal(answer()->n_approved_by, 0);
	approves("Bruno", "boss");
	assert_int_equal(told("answer", "answers-hook"), 1);
	assert_string_equal(answer()->approved_by[0], "Bruno");
	assert_string_equal(answer()->approved_as[0], "boss");
	approves("Carla", "boss"); /* it has left */
	assert_int_equal(told("answer", "answers-hook"), 1);
	assert_true(is(0, CASE_ACKNOWLEDGED));
}

/* ---- the checklist of an incident ---- */

/* An incident that is red for the second time, with one step, due in half an hour. */
static struct id red_again(Ascolto__Step *step)
{
	struct id id = id_from(w.now_ms, span_str("incident"));
	Ascolto__Incident i = ASCOLTO__INCIDENT__INIT;
	struct key k = turn_key_in(GROUP, &escalation_tables[INCIDENTS]);
	struct txn *t;
	uint8_t packed[512];
	*step = (Ascolto__Step)ASCOLTO__STEP__INIT;
	step->text = (char *)"Look";
	step->actor = (char *)"desk";
	step->due_ms = w.now_ms + 30 * MINUTE;
	i.id = id_bytes(&id);
	i.brand = (char *)"acme";
	i.code = ASCOLTO__CODE__CODE_RED;
	i.waves = 1;
	i.steps = &step;
	i.n_steps = 1;
	key_id(&k, &id);
	assert_true(ascolto__incident__get_packed_size(&i) <= sizeof(packed));
	assert_int_equal(txn_begin_write(w.store, &t, NULL), 0);
	assert_int_equal(txn_put(t, &k, span_of(packed, ascolto__incident__pack(&i, packed))), 0);
	assert_int_equal(txn_commit(&t, NULL), 0);
	return id;
}

static void step_timer_rings(const struct id *incident, int64_t due_ms)
{
	struct id id = id_from(due_ms, span_str("timer"));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)"acme";
	e.occurred_ms = e.received_ms = w.now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e.timer = &timer;
	timer.purpose = (char *)"incident_step";
	timer.subject_id = id_bytes(incident);
	timer.number = (uint64_t)CODE_RED * 10000;
	timer.due_ms = w.now_ms = due_ms;
	assert_int_equal(turn(escalation_timer, &e), DONE);
}

/* What reminded of the step when it was red the first time says nothing of it now. */
static void reminders_of_the_first_time_are_over(void **state)
{
	(void)state;
	Ascolto__Step step;
	struct id incident = red_again(&step);
	step_timer_rings(&incident, w.now_ms + 5 * MINUTE);
	assert_int_equal(told("step_late", "desk-mail"), 0);
	step_timer_rings(&incident, step.due_ms);
	assert_int_equal(told("step_late", "desk-mail"), 1);
}

/* Two people close one incident: the second hears that it is closed. */
static void closed_by_somebody_else(void **state)
{
	(void)state;
	Ascolto__Step step;
	struct id incident = red_again(&step);
	assert_int_equal(about_incident(&incident, true, "ada"), DONE);
	assert_string_equal(w.refused, "");
	assert_refused(about_incident(&incident, true, "bob"), "bob",
		"the incident is closed: there is nothing to close");
	assert_refused(about_incident(&incident, false, "bob"), "bob", "there is nothing to acknowledge");
}

/* ---- answers to many ---- */

static enum verdict answers_many(const struct id *incident, const char *actor, char *one, char *other)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__ProposeAnswer p = ASCOLTO__PROPOSE_ANSWER__INIT;
	Ascolto__Wordings words = ASCOLTO__WORDINGS__INIT, *list = &words;
	char *texts[] = {one, other};
	words.language = (char *)"en";
	words.texts = texts;
	words.n_texts = 2;
	p.incident_id = id_bytes(incident);
	p.wordings = &list;
	p.n_wordings = one ? 1 : 0; /* none: the playbook's */
	c.actor = (char *)(uintptr_t)actor;
	c.what_case = ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER;
	c.propose_answer = &p;
	enum verdict v = command(&c);
	until(w.now_ms);
	return v;
}

/* The playbook asks boss for what concerns red, and two people for every answer to many: both hold. Its own
 * texts were decided beforehand, and anybody may let them go. */
static void many_need_whoever_is_stricter(void **state)
{
	(void)state;
	Ascolto__Step step;
	struct id incident = red_again(&step);
	assert_int_equal(answers_many(&incident, "Ada", (char *)"We are looking into it. Ada",
				 (char *)"More news soon, here. Ada"),
		DONE);
	assert_int_equal(answer()->approvals_needed, 2);
	assert_string_equal(answer()->consent, "grave");
	assert_string_equal(answer()->approvers[0], "boss");
	approves("Bruno", "");
	assert_int_equal(answer()->n_approved_by, 0);
	approves("Bruno", "boss");
	assert_false(answer()->begun_ms);
	approves("bruno", "boss"); /* nobody twice */
	assert_false(answer()->begun_ms);
	approves("Carla", "boss");
	assert_true(answer()->begun_ms && answer()->ended_ms);
	assert_int_equal(answers_many(&incident, "Ada", NULL, NULL), DONE);
	assert_true(answer()->holding && !answer()->n_findings);
	assert_int_equal(answer()->approvals_needed, 2);
	assert_string_equal(answer()->consent, "crisis");
	assert_int_equal(answer()->n_approvers, 0);
	/* One wording that may not be said stops all of it; the finding tells which. */
	assert_int_equal(answers_many(&incident, "Ada", (char *)"We are looking into it. Ada",
				 (char *)"It was your fault. Ada"),
		DONE);
	assert_true(answer()->refused_ms != 0);
	assert_int_equal(answer()->n_findings, 1);
	assert_string_equal(answer()->findings[0]->rule, "forbidden");
	assert_int_equal(answer()->findings[0]->text, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(one_need_one_case),
		T(clocks_run_in_hours),
		T(acknowledging_ends_the_chain),
		T(waiting_stops_the_second_clock),
		T(never_after_solving),
		T(reopened),
		T(handed_over),
		T(moved_to_private),
		T(merged),
		T(split_off),
		T(what_can_not_be_done_says_why),
		T(refused_as_a_whole),
		T(refused_about_what_is_not_there),
		T(closed_by_somebody_else),
		T(a_few_late_alarms_ring),
		T(many_late_alarms_wait_for_a_word),
		T(held_alarms_are_dropped),
		T(many_have_trouble),
		T(many_have_none),
		T(one_crowd_one_incident),
		T(words_of_a_known_crowd),
		T(more_people_are_a_wave),
		T(a_wave_waits_for_the_chain),
		T(a_second_wave),
		T(a_crowd_outlives_a_restart),
		T(mentions_do_not_pile_up),
		T(reminders_of_the_first_time_are_over),
		T(praise_is_remembered_and_advocates_are_listed),
		T(a_person_keeps_the_list),
		T(one_case_is_answered),
		T(what_blocks_goes_nowhere),
		T(two_people_where_the_playbook_says_so),
		T(many_need_whoever_is_stricter),
	};
	return cmocka_run_group_tests_name("escalation", tests, NULL, NULL);
}
