/* Cases: one need of one customer, with an owner and two clocks. */
#include "services/escalation/crisis.h"

#define TITLE_BYTES 120

static void set_clock(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *purpose,
	int64_t due_ms)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, purpose, 0);
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	timer.purpose = (char *)(uintptr_t)purpose;
	timer.subject_id = turn_id_bytes(t, id);
	timer.due_ms = due_ms;
	e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e->timer = &timer;
	turn_timer(t, e, due_ms);
}

void case_view(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, uint64_t n)
{
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	v.what_case = ASCOLTO__VIEW__WHAT_CASE;
	v.case_ = c;
	send_view(t, cause, "view-case", n, &v);
}

static void tell_history(struct turn *t, const Ascolto__Envelope *cause, const char *route, const Ascolto__Case *c,
	const char *change, const char *outcome)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, change, 0);
	Ascolto__History h = ASCOLTO__HISTORY__INIT;
	h.customer_id = c->customer_id;
	h.case_id = c->id;
	h.change = (char *)(uintptr_t)change;
	h.outcome = (char *)(uintptr_t)outcome;
	h.at_ms = t->now_ms;
	h.language = c->language;
	e->body_case = ASCOLTO__ENVELOPE__BODY_HISTORY;
	e->history = &h;
	turn_emit(t, TO_ENRICHMENT, LANE_URGENT, e, span_str(route));
}

/* The beginning of what was written, cut at a character. */
static char *title_of(struct arena *a, const Ascolto__Post *p)
{
	const char *s = str_empty(p->subject) ? p->text : p->subject;
	size_t n = strlen(s);
	if (n <= TITLE_BYTES)
		return arena_strdup(a, s);
	for (n = TITLE_BYTES; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
		;
	return arena_printf(a, "%.*s…", (int)n, s);
}

static Ascolto__Case *new_case(struct judgement *j)
{
	struct turn *t = j->t;
	const Ascolto__Message *m = j->m;
	struct id id = id_derive(&j->message, "case", 0);
	Ascolto__Case *c = arena_alloc(t->arena, sizeof(*c));
	ProtobufCBinaryData *conversations = arena_alloc(t->arena, sizeof(*conversations));
	if (!c || !conversations)
		return NULL;
	*c = (Ascolto__Case)ASCOLTO__CASE__INIT;
	conversations[0] = m->knowledge->conversation_id;
	c->id = turn_id_bytes(t, &id);
	c->brand = j->e->brand;
	c->drill = j->e->drill;
	c->customer_id = m->knowledge->customer_id;
	c->customer = m->knowledge->display_name;
	c->title = title_of(t->arena, m->post);
	c->kind = j->kind->name;
	c->owner = j->kind->owner;
	c->lane = m->understanding->lane ? m->understanding->lane->value : c->lane;
	c->conversations = conversations;
	c->n_conversations = 1;
	c->opened_ms = j->e->occurred_ms;
	c->acknowledge_due_ms = t->now_ms + j->kind->sla.acknowledge_ms;
	c->resolve_due_ms = t->now_ms + j->kind->sla.resolve_ms;
	c->channel = m->post->channel;
	c->language = m->understanding->language;
	return c;
}

/* Another conversation of the same customer belongs to the same case. */
static void add_conversation(struct turn *t, Ascolto__Case *c, ProtobufCBinaryData conversation)
{
	for (size_t i = 0; i < c->n_conversations; i++)
		if (span_eq(span_of(c->conversations[i].data, c->conversations[i].len),
			    span_of(conversation.data, conversation.len)))
			return;
	ProtobufCBinaryData *list = arena_alloc(t->arena, sizeof(*list) * (c->n_conversations + 1));
	if (!list || c->n_conversations >= 64)
		return;
	memcpy(list, c->conversations, sizeof(*list) * c->n_conversations);
	list[c->n_conversations++] = conversation;
	c->conversations = list;
}

/* The open case of this customer, or NULL. */
static int find_open(struct judgement *j, Ascolto__Case **ret)
{
	State__OpenCase *open;
	struct id id;
	struct key k = id_key(j->t, OPEN_CASES, &j->customer);
	*ret = NULL;
	int r = turn_get(j->t, &escalation_tables[OPEN_CASES], &k, &open);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (id_of(open->case_id, &id))
		return -EBADMSG;
	k = id_key(j->t, CASES, &id);
	return turn_get(j->t, &escalation_tables[CASES], &k, ret);
}

static void open_case(struct judgement *j, Ascolto__Case *c)
{
	struct turn *t = j->t;
	struct id id;
	State__OpenCase open = STATE__OPEN_CASE__INIT;
	struct key k = id_key(t, OPEN_CASES, &j->customer);
	open.case_id = c->id;
	turn_put(t, &k, &open);
	turn_count(t, "cases_opened", 1);
	if (id_of(c->id, &id) == 0) {
		set_clock(t, j->e, &id, "case_acknowledge", c->acknowledge_due_ms);
		set_clock(t, j->e, &id, "case_resolve", c->resolve_due_ms);
	}
	tell_history(t, j->e, j->m->knowledge->route, c, "opened", "");
	record_action(j, "open_case", "ascolto", "done", &c->id, c->owner);
	audit_add(t, j->e, &(struct audit_note){.what = "case_opened", .who = c->kind, .case_id = c->id,
		.message_id = j->e->id, .detail = arena_printf(t->arena, "code %s, owner %s",
			code_word((enum code)c->code), c->owner)});
}

int case_for(struct judgement *j, struct err *why)
{
	struct turn *t = j->t;
	struct id id;
	Ascolto__Case *c = NULL;
	int r = find_open(j, &c);
	if (r)
		return err_set(why, r, "the open case of the customer can not be read: %s", strerror(-r));
	bool fresh = !c;
	if (!c && !j->decision.opens_case) {
		record_action(j, "no_case", "ascolto", "done", NULL, j->decision.because);
		return 0;
	}
	/* Praise or a joke from somebody with an open case is still part of the talk with them. */
	if (fresh && !(c = new_case(j)))
		return err_set(why, -ENOMEM, "out of memory");
	/* Somebody is told when the case opens or becomes graver, not at each further message of it. */
	bool graver = (Ascolto__Code)j->decision.code > c->code;
	c->code = MAX(c->code, (Ascolto__Code)j->decision.code);
	c->messages++;
	c->last_message_id = j->e->id;
	c->updated_ms = MAX(c->updated_ms, j->e->occurred_ms);
	if (fresh)
		open_case(j, c);
	else
		add_conversation(t, c, j->m->knowledge->conversation_id);
	if (!fresh)
		record_action(j, "add_to_case", "ascolto", "done", &c->id, c->owner);
	if (j->arm) {
		j->arm->case_id = c->id;
		if (!c->incident_id.len && j->arm->incident_id.len) {
			c->incident_id = j->arm->incident_id;
			incident_case(t, c);
		}
	}
	if (id_of(c->id, &id))
		return err_set(why, -EBADMSG, "a case without an id");
	struct key k = id_key(t, CASES, &id);
	turn_put(t, &k, c);
	case_view(t, j->e, c, 0);
	return j->decision.at_once && (fresh || graver) ? case_tell(j, c, why) : 0;
}

static int load(struct turn *t, const struct id *id, Ascolto__Case **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, CASES, id);
	int r = turn_get(t, &escalation_tables[CASES], &k, ret);
	return r ? err_set(why, r, "case %s: %s", id_format(id, text),
			   r == -ENOENT ? "there is no such case" : strerror(-r))
		 : 0;
}

static void close_case(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, const char *outcome)
{
	struct id customer, message;
	Ascolto__ArmRecord *arm;
	c->state = ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	c->closed_ms = t->now_ms;
	c->closed_reason = (char *)(uintptr_t)outcome;
	turn_count(t, "cases_closed", 1);
	if (id_of(c->customer_id, &customer) || id_of(c->last_message_id, &message))
		return;
	struct key open = id_key(t, OPEN_CASES, &customer), k = id_key(t, ARM, &message);
	turn_del(t, &open);
	/* Where the customer's history is kept stands in the record of their last message. */
	if (turn_get(t, &escalation_tables[ARM], &k, &arm) == 0)
		tell_history(t, cause, arm->message->knowledge->route, c, "closed", outcome);
}

/* What a person did, for the audit log. */
static void note(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Case *c, const char *what,
	const char *actor, const char *detail)
{
	audit_add(t, cause, &(struct audit_note){.what = what, .who = actor, .by = BY_PERSON, .case_id = c->id,
		.detail = detail});
}

int case_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb, const char *actor,
	const char *words, struct err *why)
{
	Ascolto__Case *c;
	int r = load(t, id, &c, why);
	if (r)
		return r;
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return 0; /* said twice */
	if (!c->acknowledged_ms) {
		c->acknowledged_ms = t->now_ms;
		c->state = ASCOLTO__CASE_STATE__CASE_STATE_ACKNOWLEDGED;
		note(t, cause, c, "case_acknowledged", actor, "");
	}
	if (!str_empty(actor) && !str_eq(actor, c->owner))
		note(t, cause, c, "case_handed_over", actor, arena_printf(t->arena, "from %s to %s", c->owner, actor));
	c->owner = str_empty(actor) ? c->owner : (char *)(uintptr_t)actor;
	c->updated_ms = t->now_ms;
	if (str_eq(verb, "close")) {
		close_case(t, cause, c, words);
		note(t, cause, c, "case_closed", actor, words);
	}
	struct key k = id_key(t, CASES, id);
	turn_put(t, &k, c);
	case_view(t, cause, c, 0);
	return 0;
}

int case_leave(struct judgement *j, const struct id *case_id, struct err *why)
{
	struct turn *t = j->t;
	Ascolto__Case *c;
	int r = load(t, case_id, &c, why);
	if (r || c->messages != 1 || c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return r;
	close_case(t, j->e, c, "polemic: grouped with the incident");
	c->updated_ms = t->now_ms;
	struct key k = id_key(t, CASES, case_id);
	turn_put(t, &k, c);
	case_view(t, j->e, c, 0);
	record_action(j, "close_case", "ascolto", "done", &c->id, c->closed_reason);
	return 0;
}

/* A clock ran out. Acknowledging stops the first, closing both; a clock that was stopped rings for nobody. */
int case_clock(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	Ascolto__Case *c;
	struct id id;
	if (id_of(e->timer->subject_id, &id))
		return err_set(why, -EBADMSG, "a clock without a case");
	int r = load(t, &id, &c, why);
	if (r)
		return r;
	bool first = str_eq(e->timer->purpose, "case_acknowledge");
	if (c->closed_ms || (first && c->acknowledged_ms))
		return 0;
	c->late = true;
	turn_count(t, "cases_late", 1);
	audit_add(t, e, &(struct audit_note){.what = "case_late", .who = c->owner, .case_id = c->id,
		.detail = first ? "not acknowledged in time" : "not resolved in time"});
	struct key k = id_key(t, CASES, &id);
	turn_put(t, &k, c);
	case_view(t, e, c, 0);
	return 0;
}
