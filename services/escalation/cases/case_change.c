/* What people decide about cases. */
#include "services/escalation/evidence/audit.h"
#include "services/escalation/escalation.h"

#define HANDOVERS_MAX 32
#define BRANCHES_MAX 16
#define CONVERSATIONS_MAX 64

/* A command in hand. */
struct change {
	struct turn *t;
	const Ascolto__Envelope *cause;
	struct brand *brand;
	const Ascolto__ChangeCase *what;
	const char *actor;
	Ascolto__Case *c;
	struct err *why;
};

static int refuse(const struct change *x, const char *words)
{
	return err_set(x->why, -EINVAL, "the case is %s: %s", case_state_word((enum case_state)x->c->state), words);
}

/* For the audit log: what this person did to this case. */
static void note_done(const struct change *x, const Ascolto__Case *c, const char *what, const char *detail)
{
	audit_add(x->t, x->cause, &(struct audit_note){.what = what, .who = x->actor, .by = BY_PERSON, .case_id = c->id,
		.detail = detail});
}

/* ---- whose it is ---- */

static void hand_over(const struct change *x, Ascolto__Case *c, const char *to)
{
	if (str_empty(to) || str_eq(to, c->owner))
		return;
	Ascolto__Handover *h = arena_alloc(x->t->arena, sizeof(*h));
	Ascolto__Handover **list = arena_alloc(x->t->arena, sizeof(*list) * (c->n_handovers + 1));
	if (!h || !list) {
		x->t->ws->error = -ENOMEM;
		return;
	}
	*h = (Ascolto__Handover)ASCOLTO__HANDOVER__INIT;
	h->from = c->owner;
	h->to = (char *)(uintptr_t)to;
	h->by = (char *)(uintptr_t)x->actor;
	h->at_ms = x->t->now_ms;
	size_t kept = MIN(c->n_handovers, (size_t)HANDOVERS_MAX - 1), gone = c->n_handovers - kept;
	for (size_t i = 0; i < kept; i++)
		list[i] = c->handovers[gone + i];
	list[kept] = h;
	c->handovers = list;
	c->n_handovers = kept + 1;
	note_done(x, c, "case_handed_over", arena_printf(x->t->arena, "from %s to %s", h->from, h->to));
	c->owner = h->to;
}

void case_hand_over(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, const char *to)
{
	hand_over(&(struct change){.t = t, .cause = cause, .c = c, .actor = to}, c, to);
}

/* ---- the end of it ---- */

static void solved(const struct change *x)
{
	Ascolto__Case *c = x->c;
	if (!c->solved_ms)
		c->solved_ms = x->t->now_ms;
	c->closing_note_due = c->offline_ms && c->public_trace && str_empty(c->closing_note);
}

/* What was promised in public is answered in public: until then the case is solved, and no more. */
static int close_case(const struct change *x)
{
	Ascolto__Case *c = x->c;
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return 0;
	solved(x);
	c->closed_reason = str_empty(x->what->words) ? c->closed_reason : x->what->words;
	if (!c->closing_note_due)
		case_close(x->t, x->cause, c, c->closed_reason);
	else
		c->state = ASCOLTO__CASE_STATE__CASE_STATE_SOLVED;
	return 0;
}

static int note(const struct change *x)
{
	Ascolto__Case *c = x->c;
	if (str_empty(x->what->words))
		return refuse(x, "say what was published, or why nothing is");
	c->closing_note = x->what->words;
	if (!c->closing_note_due)
		return 0;
	c->closing_note_due = false;
	if (!str_empty(c->closed_reason)) /* closing was asked for before */
		case_close(x->t, x->cause, c, c->closed_reason);
	return 0;
}

/* ---- from state to state ---- */

static int step(const struct change *x, enum case_verb v)
{
	Ascolto__Case *c = x->c;
	int state = case_step((enum case_state)c->state, v);
	if (state < 0)
		return refuse(x, v == VERB_REOPEN ? "it can not be opened again" : "open it again first (reopen)");
	if (v == VERB_CLOSE)
		return close_case(x);
	if (v == VERB_REOPEN && case_is_settled((enum case_state)c->state)) {
		bool was_closed = c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
		if (c->merged_into.len)
			return refuse(x, "it became part of another case; open that one");
		case_reopen(x->t, c);
		if (was_closed)
			case_history_of(x->t, x->cause, c, "reopened");
	}
	if (v == VERB_OFFLINE && !c->offline_ms)
		c->offline_ms = x->t->now_ms;
	if (v == VERB_SOLVE)
		solved(x);
	c->state = (Ascolto__CaseState)state;
	return 0;
}

/* Whoever does something about it has seen it. */
static void acknowledge(const struct change *x)
{
	Ascolto__Case *c = x->c;
	if (c->acknowledged_ms || sla_acknowledge_runs((enum case_state)c->state))
		return;
	c->acknowledged_ms = x->t->now_ms;
	note_done(x, c, "case_acknowledged", "");
}

/* ---- two cases of one need, one case of two ---- */

static void add_conversations(const struct change *x, Ascolto__Case *c, const Ascolto__Case *from)
{
	ProtobufCBinaryData *list = arena_alloc(x->t->arena, sizeof(*list) * (c->n_conversations + from->n_conversations + 1));
	if (!list) {
		x->t->ws->error = -ENOMEM;
		return;
	}
	memcpy(list, c->conversations, sizeof(*list) * c->n_conversations);
	for (size_t i = 0; i < from->n_conversations && c->n_conversations < CONVERSATIONS_MAX; i++)
		list[c->n_conversations++] = from->conversations[i];
	c->conversations = list;
}

/* Further messages of that customer belong to that case. */
static int point(const struct change *x, ProtobufCBinaryData customer, ProtobufCBinaryData case_id)
{
	struct id id;
	State__OpenCase *row, fresh = STATE__OPEN_CASE__INIT;
	if (id_of(customer, &id))
		return err_set(x->why, -EBADMSG, "a case without a customer");
	struct key k = id_key(x->t, OPEN_CASES, &id);
	int r = turn_get(x->t, &escalation_tables[OPEN_CASES], &k, &row);
	if (r && r != -ENOENT)
		return err_set(x->why, r, "the customer's case can not be read: %s", strerror(-r));
	if (!r)
		fresh = *row;
	fresh.case_id = case_id;
	fresh.closed_ms = 0;
	turn_put(x->t, &k, &fresh);
	return 0;
}

/* The promise that ends sooner holds for both. */
static void sooner(Ascolto__Clock **mine, int64_t *my_due, Ascolto__Clock *theirs, int64_t their_due)
{
	if (theirs && their_due && (!*my_due || their_due < *my_due)) {
		*mine = theirs;
		*my_due = their_due;
	}
}

static int merge(const struct change *x)
{
	struct id id, into;
	char text[ID_TEXT + 1];
	Ascolto__Case *c = x->c, *other;
	if (id_of(x->what->other_case_id, &id) || id_of(c->id, &into))
		return refuse(x, "which case is to become part of it?");
	if (id_eq(&id, &into))
		return refuse(x, "a case can not become part of itself");
	int r = case_load(x->t, &id, &other, x->why);
	if (r)
		return r;
	if (other->merged_into.len && span_eq(span_of(other->merged_into.data, other->merged_into.len), span_of(c->id.data, c->id.len)))
		return 0; /* said twice */
	if (!str_eq(other->brand, c->brand))
		return refuse(x, "the other case is of another brand");
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED || other->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return refuse(x, "both cases must be open; reopen what is closed");
	add_conversations(x, c, other);
	c->messages += other->messages;
	c->code = MAX(c->code, other->code);
	c->opened_ms = MIN(c->opened_ms, other->opened_ms);
	c->public_trace |= other->public_trace;
	c->offline_ms = c->offline_ms ? c->offline_ms : other->offline_ms;
	if (str_eq(c->calendar, other->calendar)) {
		sooner(&c->acknowledge_clock, &c->acknowledge_due_ms, other->acknowledge_clock, other->acknowledge_due_ms);
		sooner(&c->resolve_clock, &c->resolve_due_ms, other->resolve_clock, other->resolve_due_ms);
	}
	other->merged_into = c->id;
	other->acknowledge_clock = other->resolve_clock = NULL;
	other->acknowledge_due_ms = other->resolve_due_ms = 0;
	case_close(x->t, x->cause, other, arena_printf(x->t->arena, "part of case %s", id_format(&into, text)));
	case_put(x->t, x->cause, &id, other, 1);
	/* The clocks that came over ring for this case. */
	case_clocks_rearm(x->t, x->cause, c);
	return point(x, other->customer_id, c->id);
}

static int add_branch(const struct change *x, ProtobufCBinaryData conversation, ProtobufCBinaryData case_id)
{
	struct id customer;
	State__OpenCase *row, fresh = STATE__OPEN_CASE__INIT;
	State__Branch *b = arena_alloc(x->t->arena, sizeof(*b));
	State__Branch **list = arena_alloc(x->t->arena, sizeof(*list) * (BRANCHES_MAX + 1));
	if (!b || !list || id_of(x->c->customer_id, &customer))
		return err_set(x->why, -ENOMEM, "out of memory");
	struct key k = id_key(x->t, OPEN_CASES, &customer);
	if (turn_get(x->t, &escalation_tables[OPEN_CASES], &k, &row) == 0)
		fresh = *row;
	else
		fresh.case_id = x->c->id;
	if (fresh.n_branches >= BRANCHES_MAX)
		return refuse(x, "so much was split off this customer's talk already; close some of it");
	*b = (State__Branch)STATE__BRANCH__INIT;
	b->conversation_id = conversation;
	b->case_id = case_id;
	for (size_t i = 0; i < fresh.n_branches; i++)
		list[i] = fresh.branches[i];
	list[fresh.n_branches++] = b;
	fresh.branches = list;
	turn_put(x->t, &k, &fresh);
	return 0;
}

static int split(const struct change *x)
{
	Ascolto__Case *c = x->c, *fresh = arena_alloc(x->t->arena, sizeof(*fresh));
	struct span conversation = span_of(x->what->conversation_id.data, x->what->conversation_id.len);
	ProtobufCBinaryData *left = arena_alloc(x->t->arena, sizeof(*left) * (c->n_conversations + 1));
	struct id command, id;
	size_t n = 0;
	if (!fresh || !left)
		return err_set(x->why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < c->n_conversations; i++)
		if (!span_eq(span_of(c->conversations[i].data, c->conversations[i].len), conversation))
			left[n++] = c->conversations[i];
	if (case_is_settled((enum case_state)c->state))
		return refuse(x, "open it again first (reopen)");
	if (n == c->n_conversations)
		return refuse(x, "that conversation is not one of its own");
	if (n == 0)
		return refuse(x, "it has no other conversation; there is nothing to split");
	if (id_of(x->cause->id, &command))
		return err_set(x->why, -EBADMSG, "a command without an id");
	id = id_derive(&command, "split", 0);
	*fresh = *c;
	fresh->id = turn_id_bytes(x->t, &id);
	fresh->conversations = arena_alloc(x->t->arena, sizeof(*fresh->conversations));
	if (!fresh->conversations)
		return err_set(x->why, -ENOMEM, "out of memory");
	fresh->conversations[0] = x->what->conversation_id;
	fresh->n_conversations = 1;
	fresh->title = str_empty(x->what->words) ? c->title : x->what->words;
	fresh->messages = 0;
	fresh->n_handovers = 0;
	c->conversations = left;
	c->n_conversations = n;
	turn_count(x->t, "cases_opened", 1);
	case_history_of(x->t, x->cause, fresh, "opened");
	case_clocks_rearm(x->t, x->cause, fresh);
	case_put(x->t, x->cause, &id, fresh, 1);
	return add_branch(x, x->what->conversation_id, fresh->id);
}

/* ---- all of them ---- */

static int named_owner(const struct change *x)
{
	if (str_empty(x->what->to))
		return refuse(x, "to whom is it handed over? somebody always owns a case");
	hand_over(x, x->c, x->what->to);
	return 0;
}

static int change(const struct change *x)
{
	const char *verb = x->what->verb;
	static const struct {
		const char *verb;
		int (*fn)(const struct change *x);
	} others[] = {{"hand_over", named_owner}, {"merge", merge}, {"split", split}, {"note", note}, {"waive_note", note}};
	int v = case_verb_of(verb);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_eq(others[i].verb, verb))
			return others[i].fn(x);
	if (v < 0)
		return err_set(x->why, -EINVAL, "there is no change of a case called \"%.60s\"", verb);
	int r = step(x, (enum case_verb)v);
	/* Whoever works on it owns it; to close or wait is not yet to work. */
	if (!r && (v == VERB_ACKNOWLEDGE || v == VERB_START || v == VERB_CLOSE))
		hand_over(x, x->c, x->actor);
	return r;
}

int case_change(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__ChangeCase *what, const char *actor,
	struct err *why)
{
	struct change x = {.t = t, .cause = cause, .brand = brand_find(t->state, cause->brand), .what = what, .actor = actor,
		.why = why};
	struct id id;
	if (id_of(what->case_id, &id))
		return err_set(why, -EBADMSG, "the command names no case");
	int r = case_load(t, &id, &x.c, why);
	int v = case_verb_of(what->verb);
	if (!r && x.c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED && (v == VERB_CLOSE || v == VERB_ACKNOWLEDGE))
		return refuse(&x, "somebody was faster; open it again first (reopen)");
	bool was_closed = !r && x.c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	int64_t due = r ? 0 : x.c->acknowledge_due_ms;
	r = r ? r : change(&x);
	if (r)
		return r;
	struct damage damage = {.acknowledged = !x.c->acknowledged_ms, .acknowledge_ms = t->now_ms - x.c->decided_ms};
	acknowledge(&x);
	bool is_closed = x.c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	damage.acknowledged &= x.c->acknowledged_ms != 0;
	damage.case_closed = is_closed && !was_closed;
	damage.case_reopened = was_closed && !is_closed;
	damage.in_time = damage.acknowledged && (due ? t->now_ms <= due : !x.c->late);
	if (v != VERB_ACKNOWLEDGE && !str_eq(what->verb, "hand_over"))
		note_done(&x, x.c, arena_printf(t->arena, "case_%s", is_closed ? "closed" : what->verb),
			is_closed ? x.c->closed_reason : what->words);
	x.c->updated_ms = t->now_ms;
	r = case_save(t, cause, x.brand, x.c, 0, why);
	return r ? r : case_measure(t, x.c, &damage, why);
}
