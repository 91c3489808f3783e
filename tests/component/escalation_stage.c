#include "tests/component/escalation_stage.h"

#include "common/pack.h"
#include "tests/component/files.h"


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

struct world w;

int64_t at(int day, int hour, int minute)
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

enum verdict turn(handler_fn *fn, Ascolto__Envelope *e)
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
void until(int64_t to_ms)
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
void sleep_until(int64_t to_ms)
{
	w.now_ms = to_ms;
	until(to_ms);
}

/* Somebody writes. The same `n` is the same message. */
void says_as(unsigned n, const char *who, const char *conversation, const char *intent)
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

void says(const char *who, const char *conversation, const char *intent)
{
	says_as(++w.n_messages, who, conversation, intent);
}

Ascolto__Case *the(size_t i)
{
	assert_true(i < w.n_cases);
	return w.cases[i]->view->case_;
}

enum verdict command(Ascolto__Command *c)
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

enum verdict change(size_t i, const char *verb, const char *actor, const char *words)
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

enum verdict change_with(size_t i, const char *verb, const struct id *other, const char *conversation)
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

enum verdict about_incident(const struct id *incident, bool close, const char *actor)
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

bool is(size_t i, enum case_state s)
{
	return (enum case_state)the(i)->state == s;
}

unsigned told(const char *template_name, const char *destination)
{
	unsigned n = 0;
	for (size_t i = 0; i < w.n_orders; i++)
		n += str_eq(w.orders[i]->order->template_, template_name) &&
		     str_eq(w.orders[i]->order->destination, destination);
	return n;
}

/* Entries of the audit log of that kind whose detail has these words. */
unsigned audited(const char *what, const char *words)
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
void assert_refused(enum verdict v, const char *asker, const char *words)
{
	assert_int_equal(v, DONE);
	if (!strstr(w.refused, words))
		fail_msg("refused: \"%s\", and not \"%s\"", w.refused, words);
	assert_string_equal(w.asker, asker);
	assert_int_equal(audited("command_refused", words), 1);
	w.refused[0] = w.asker[0] = 0;
}

/* ---- the world ---- */

int begin(void **state)
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

int end(void **state)
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

/* An incident that is red for the second time, with one step, due in half an hour. */
struct id red_again(Ascolto__Step *step)
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
