/* Cases: one need of one customer, with an owner and two clocks. */
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/evidence/score.h"

#define TITLE_BYTES 120

void case_put(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const Ascolto__Case *c,
	uint64_t n)
{
	struct key k = id_key(t, CASES, id);
	put_and_show(t, cause, &k, c, ASCOLTO__VIEW__WHAT_CASE, "view-case", n);
}

void send_history(struct turn *t, const Ascolto__Envelope *cause, const char *route, Ascolto__History *h)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, h->change, 0);
	e->body_case = ASCOLTO__ENVELOPE__BODY_HISTORY;
	e->history = h;
	turn_emit(t, TO_ENRICHMENT, LANE_URGENT, e, span_str(route));
}

void case_history(struct turn *t, const Ascolto__Envelope *cause, const char *route, const Ascolto__Case *c,
	const char *change, const char *outcome)
{
	Ascolto__History h = ASCOLTO__HISTORY__INIT;
	h.customer_id = c->customer_id;
	h.case_id = c->id;
	h.change = (char *)(uintptr_t)change;
	h.outcome = (char *)(uintptr_t)outcome;
	h.at_ms = t->now_ms;
	h.language = c->language;
	send_history(t, cause, route, &h);
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

/* What the playbook says of such a case. */
static void take_kind(struct turn *t, Ascolto__Case *c, const struct playbook_kind *k, const struct playbook *p)
{
	c->kind = k->name;
	c->owner = k->owner;
	c->team = k->team;
	c->business_unit = k->business_unit;
	c->last_word = k->last_word;
	c->playbook = (char *)(uintptr_t)p->label;
	c->allowed = k->allowed;
	c->n_allowed = k->allowed_count;
	c->steps = arena_alloc(t->arena, sizeof(*c->steps) * (k->steps_count + 1));
	for (unsigned i = 0; c->steps && i < k->steps_count; i++) {
		Ascolto__Step *s = arena_alloc(t->arena, sizeof(*s));
		if (!s)
			return;
		*s = (Ascolto__Step)ASCOLTO__STEP__INIT;
		s->text = k->steps[i].text;
		s->actor = k->steps[i].actor;
		s->due_ms = calendar_add(k->sla.hours, t->now_ms, (int64_t)k->steps[i].within_minutes * 60000);
		c->steps[c->n_steps++] = s;
	}
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
	c->lane = m->understanding->lane ? m->understanding->lane->value : c->lane;
	c->conversations = conversations;
	c->n_conversations = 1;
	c->opened_ms = j->e->occurred_ms;
	c->decided_ms = t->now_ms;
	c->channel = m->post->channel;
	c->language = m->understanding->language;
	take_kind(t, c, j->kind, j->brand->playbook);
	return case_clocks_new(t, c, &j->kind->sla) ? NULL : c;
}

static bool has_conversation(const Ascolto__Case *c, ProtobufCBinaryData conversation)
{
	for (size_t i = 0; i < c->n_conversations; i++)
		if (span_eq(span_of(c->conversations[i].data, c->conversations[i].len),
			    span_of(conversation.data, conversation.len)))
			return true;
	return false;
}

/* Another conversation of the same customer belongs to the same case. */
static void add_conversation(struct turn *t, Ascolto__Case *c, ProtobufCBinaryData conversation)
{
	if (has_conversation(c, conversation))
		return;
	ProtobufCBinaryData *list = arena_alloc(t->arena, sizeof(*list) * (c->n_conversations + 1));
	if (!list || c->n_conversations >= 64)
		return;
	memcpy(list, c->conversations, sizeof(*list) * c->n_conversations);
	list[c->n_conversations++] = conversation;
	c->conversations = list;
}

/* A solved case goes on for a while; a closed one only where its customer asks again in one of its conversations. */
static bool goes_on(const struct judgement *j, const Ascolto__Case *c)
{
	bool is_closed = c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	int64_t window = (int64_t)j->brand->playbook->reopen_hours * 3600000;
	if (!case_is_settled((enum case_state)c->state))
		return true;
	if (c->merged_into.len || j->t->now_ms - (is_closed ? c->closed_ms : c->solved_ms) > window)
		return false;
	return !is_closed || (j->decision.opens_case && has_conversation(c, j->m->knowledge->conversation_id));
}

static int find_one(struct judgement *j, ProtobufCBinaryData which, Ascolto__Case **ret)
{
	struct id id;
	if (id_of(which, &id))
		return -EBADMSG;
	struct key k = id_key(j->t, CASES, &id);
	int r = turn_get(j->t, &escalation_tables[CASES], &k, ret);
	if (!r && !goes_on(j, *ret))
		*ret = NULL;
	return r;
}

/* Closed so long ago that it need not be looked at. */
static bool is_long_over(const struct judgement *j, const State__OpenCase *row)
{
	int64_t window = (int64_t)j->brand->playbook->reopen_hours * 3600000;
	return row->closed_ms && j->t->now_ms - row->closed_ms > window;
}

/* The case that this message is about: its conversation's own, or the customer's. NULL when that is over, or none was. */
static int find_case(struct judgement *j, State__OpenCase **ret_row, Ascolto__Case **ret)
{
	State__OpenCase *row = NULL;
	const ProtobufCBinaryData *conversation = &j->m->knowledge->conversation_id;
	struct key k = id_key(j->t, OPEN_CASES, &j->customer);
	*ret = NULL;
	*ret_row = NULL;
	int r = turn_get(j->t, &escalation_tables[OPEN_CASES], &k, &row);
	if (r)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < row->n_branches && !r && !*ret; i++)
		if (span_eq(span_of(row->branches[i]->conversation_id.data, row->branches[i]->conversation_id.len),
			    span_of(conversation->data, conversation->len)))
			r = find_one(j, row->branches[i]->case_id, ret);
	if (!r && !*ret && !is_long_over(j, row))
		r = find_one(j, row->case_id, ret);
	*ret_row = row;
	return r;
}

static void open_case(struct judgement *j, Ascolto__Case *c, State__OpenCase *row)
{
	struct turn *t = j->t;
	State__OpenCase open = STATE__OPEN_CASE__INIT;
	struct key k = id_key(t, OPEN_CASES, &j->customer);
	if (row)
		open = *row; /* what was split off stays so */
	open.case_id = c->id;
	open.closed_ms = 0;
	turn_put(t, &k, &open);
	turn_count(t, "cases_opened", 1);
	case_history(t, j->e, j->m->knowledge->route, c, "opened", "");
	record_action(j, "open_case", "ascolto", "done", &c->id, c->owner);
	audit_add(t, j->e, &(struct audit_note){.what = "case_opened", .who = c->kind, .case_id = c->id,
		.message_id = j->e->id, .detail = arena_printf(t->arena, "code %s, owner %s",
			code_word((enum code)c->code), c->owner)});
}

/* The customer wrote again: a case that waited for them, or was over, goes on. */
static void hear(struct judgement *j, Ascolto__Case *c)
{
	bool settled = case_is_settled((enum case_state)c->state);
	int state = case_step((enum case_state)c->state, VERB_HEARD);
	record_action(j, "add_to_case", "ascolto", "done", &c->id, c->owner);
	add_conversation(j->t, c, j->m->knowledge->conversation_id);
	/* Thanks for a solution do not undo it; nor does what is not theirs. */
	if (!j->facts.content || j->facts.self || j->facts.bot || (settled && !j->decision.opens_case))
		return;
	if (settled) {
		case_reopen(j->t, c);
		case_history(j->t, j->e, j->m->knowledge->route, c, "reopened", "");
		record_action(j, "reopen_case", "ascolto", "done", &c->id, c->owner);
		j->damage.case_reopened = true;
		audit_add(j->t, j->e, &(struct audit_note){.what = "case_reopened", .who = "customer_wrote_again",
			.case_id = c->id, .message_id = j->e->id});
	}
	c->state = (Ascolto__CaseState)state;
}

int case_for(struct judgement *j, struct err *why)
{
	struct turn *t = j->t;
	State__OpenCase *row;
	Ascolto__Case *c = NULL;
	int r = find_case(j, &row, &c);
	if (r)
		return err_set(why, r, "the case of the customer can not be read: %s", strerror(-r));
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
	c->public_trace |= j->m->post->surface == ASCOLTO__SURFACE__SURFACE_PUBLIC ||
			   j->m->post->surface == ASCOLTO__SURFACE__SURFACE_SEMI;
	if (fresh)
		open_case(j, c, row);
	else
		hear(j, c);
	if (j->arm) {
		j->arm->case_id = c->id;
		j->damage.case_opened = fresh;
		j->damage.case_joined = !c->incident_id.len && j->arm->incident_id.len;
		if (!c->incident_id.len && j->arm->incident_id.len) {
			c->incident_id = j->arm->incident_id;
			incident_case(t, c);
		}
	}
	r = case_save(t, j->e, j->brand, c, 0, why);
	return !r && j->decision.at_once && (fresh || graver) ? case_tell(j, c, why) : r;
}

int case_load(struct turn *t, const struct id *id, Ascolto__Case **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, CASES, id);
	int r = turn_get(t, &escalation_tables[CASES], &k, ret);
	return r ? err_set(why, r, "case %s: %s", id_format(id, text),
			   r == -ENOENT ? "there is no such case" : strerror(-r))
		 : 0;
}

int case_save(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Case *c, uint64_t n,
	struct err *why)
{
	struct id id;
	if (id_of(c->id, &id))
		return err_set(why, -EBADMSG, "a case without an id");
	case_clocks_follow(t, cause, b, c);
	case_put(t, cause, &id, c, n);
	return 0;
}

/* Where the customer's history is kept stands in the record of their last message. */
void case_history_of(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Case *c, const char *change)
{
	struct id message;
	Ascolto__ArmRecord *arm;
	if (id_of(c->last_message_id, &message))
		return;
	struct key k = id_key(t, ARM, &message);
	if (turn_get(t, &escalation_tables[ARM], &k, &arm) == 0)
		case_history(t, cause, arm->message->knowledge->route, c, change, c->closed_reason);
}

/* The customer's row, if this is the case it names, says since when it is closed. */
static void note_closed(struct turn *t, const Ascolto__Case *c)
{
	struct id customer;
	State__OpenCase *row;
	if (id_of(c->customer_id, &customer))
		return;
	struct key k = id_key(t, OPEN_CASES, &customer);
	if (turn_get(t, &escalation_tables[OPEN_CASES], &k, &row) ||
		!span_eq(span_of(row->case_id.data, row->case_id.len), span_of(c->id.data, c->id.len)))
		return;
	row->closed_ms = c->closed_ms;
	turn_put(t, &k, row);
}

void case_reopen(struct turn *t, Ascolto__Case *c)
{
	c->reopened++;
	c->acknowledged_ms = c->closed_ms = c->solved_ms = 0;
	c->closed_reason = (char *)"";
	c->closing_note_due = false;
	case_clocks_again(c);
	note_closed(t, c);
}

void case_close(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, const char *reason)
{
	c->state = ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	c->closed_ms = t->now_ms;
	note_closed(t, c);
	c->closed_reason = (char *)(uintptr_t)reason;
	turn_count(t, "cases_closed", 1);
	case_history_of(t, cause, c, "closed");
}

int case_measure(struct turn *t, const Ascolto__Case *c, struct damage *d, struct err *why)
{
	struct id incident;
	d->at_ms = t->now_ms;
	d->incident = id_of(c->incident_id, &incident) ? NULL : &incident;
	int r = damage_add(t, c->brand, d);
	r = r ? r : score_add(t, c->brand, d, c->channel, c->owner, c->team);
	return r ? err_set(why, r, "the measures can not be read: %s", strerror(-r)) : 0;
}

#define CLOSED_AS_POLEMIC "polemic: grouped with the incident"

int case_return(struct judgement *j, const struct id *case_id, struct err *why)
{
	struct turn *t = j->t;
	Ascolto__Case *c;
	int r = case_load(t, case_id, &c, why);
	if (r || c->state != ASCOLTO__CASE_STATE__CASE_STATE_CLOSED || !str_eq(c->closed_reason, CLOSED_AS_POLEMIC))
		return r;
	case_reopen(t, c);
	c->state = ASCOLTO__CASE_STATE__CASE_STATE_REOPENED;
	c->updated_ms = t->now_ms;
	case_history(t, j->e, j->m->knowledge->route, c, "reopened", "");
	record_action(j, "reopen_case", "ascolto", "done", &c->id, c->owner);
	audit_add(t, j->e, &(struct audit_note){.what = "case_reopened", .who = "message_moved", .case_id = c->id,
		.message_id = j->e->id});
	return case_save(t, j->e, j->brand, c, 0, why);
}

int case_leave(struct judgement *j, const struct id *case_id, struct err *why)
{
	struct turn *t = j->t;
	Ascolto__Case *c;
	int r = case_load(t, case_id, &c, why);
	if (r || c->messages != 1 || c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return r;
	case_close(t, j->e, c, CLOSED_AS_POLEMIC);
	c->updated_ms = t->now_ms;
	record_action(j, "close_case", "ascolto", "done", &c->id, c->closed_reason);
	audit_add(t, j->e, &(struct audit_note){.what = "case_closed", .who = "message_moved", .case_id = c->id,
		.message_id = j->e->id, .detail = c->closed_reason});
	return case_save(t, j->e, j->brand, c, 0, why);
}
