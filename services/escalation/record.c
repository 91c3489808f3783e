/* The ARM record: WHAT, WHERE, INTENTION, KNOW, RULES, ACTION of one message. */
#include "common/pack.h"
#include "services/escalation/escalation.h"

#define RULES_MAX 8

static const char *initiator_of(const Ascolto__Message *m)
{
	const Ascolto__Knowledge *k = m->knowledge;
	if (m->post->author && m->post->author->is_self)
		return "brand";
	if (k->partner)
		return "partner";
	if (k->influencer)
		return "influencer";
	return m->post->author && m->post->author->n_ids && !str_eq(m->post->author->ids[0]->scope, "anonymous")
		       ? "customer"
		       : "unknown";
}

static const char *place_of(const Ascolto__Post *p)
{
	static const struct {
		const char *network, *place;
	} places[] = {
		{"email", "email"}, {"phone", "phone"}, {"reviews", "review"}, {"blog", "blog"}, {"forum", "forum"},
		{"whatsapp", "chat"}, {"telegram", "chat"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_eq(places[i].network, p->network))
			return places[i].place;
	return p->kind == ASCOLTO__KIND__KIND_REVIEW ? "review" : "social";
}

/* What the record says of the message are the very bytes that came: nothing is unpacked and packed again on the way. */
static void take_message(struct judgement *j, Ascolto__ArmRecord *a)
{
	enum { MESSAGE_OF_RECORD = 6 };
	struct span packed;
	ProtobufCMessageUnknownField *field = arena_alloc(j->t->arena, sizeof(*field));
	if (field && pack_find(j->t->packed, ASCOLTO__ENVELOPE__BODY_CLASSIFIED, &packed) == 0 &&
		pack_as_field(j->t->arena, MESSAGE_OF_RECORD, packed, field) == 0) {
		a->base.unknown_fields = field;
		a->base.n_unknown_fields = 1;
	} else {
		a->message = (Ascolto__Message *)(uintptr_t)j->m;
	}
}

void record_begin(struct judgement *j)
{
	struct turn *t = j->t;
	Ascolto__ArmRecord *a = arena_alloc(t->arena, sizeof(*a));
	j->arm = a;
	if (!a) {
		t->ws->error = -ENOMEM;
		return;
	}
	*a = (Ascolto__ArmRecord)ASCOLTO__ARM_RECORD__INIT;
	a->message_id = j->e->id;
	a->brand = j->e->brand;
	a->drill = j->e->drill;
	a->occurred_ms = j->e->occurred_ms;
	a->received_ms = j->e->received_ms;
	a->decided_ms = t->now_ms;
	take_message(j, a);
	a->initiator = (char *)(uintptr_t)initiator_of(j->m);
	a->place = (char *)(uintptr_t)place_of(j->m->post);
	a->playbook = j->brand->playbook->label;
	a->rules = arena_zalloc(t->arena, sizeof(*a->rules) * RULES_MAX);
	a->actions = arena_zalloc(t->arena, sizeof(*a->actions) * RECORD_ACTIONS_MAX);
	j->actions_max = RECORD_ACTIONS_MAX;
	a->code = (Ascolto__Code)j->decision.code;
	a->kind = j->kind ? j->kind->name : a->kind;
	record_action(j, "store", "ascolto", "done", NULL, "");
}

void record_rule(struct judgement *j, const char *rule, const char *fact, const char *value)
{
	struct arena *mem = j->t->arena;
	Ascolto__ArmRecord *a = j->arm;
	Ascolto__MatchedRule *r = arena_alloc(mem, sizeof(*r));
	Ascolto__Fact *f = arena_alloc(mem, sizeof(*f));
	Ascolto__Fact **list = arena_alloc(mem, sizeof(*list));
	if (!a || !a->rules || a->n_rules == RULES_MAX || !r || !f || !list)
		return;
	*r = (Ascolto__MatchedRule)ASCOLTO__MATCHED_RULE__INIT;
	*f = (Ascolto__Fact)ASCOLTO__FACT__INIT;
	f->name = arena_strdup(mem, fact);
	f->value = arena_strdup(mem, value);
	list[0] = f;
	r->rule = arena_strdup(mem, rule);
	r->facts = list;
	r->n_facts = 1;
	a->rules[a->n_rules++] = r;
}

void record_action(struct judgement *j, const char *name, const char *actor, const char *result,
	const ProtobufCBinaryData *subject, const char *detail)
{
	Ascolto__ArmRecord *a = j->arm;
	Ascolto__Action *x = arena_alloc(j->t->arena, sizeof(*x));
	if (!a || !a->actions || a->n_actions == j->actions_max || !x)
		return;
	*x = (Ascolto__Action)ASCOLTO__ACTION__INIT;
	x->name = arena_strdup(j->t->arena, name);
	x->actor = arena_strdup(j->t->arena, actor);
	x->result = arena_strdup(j->t->arena, result);
	x->detail = arena_strdup(j->t->arena, detail);
	x->at_ms = j->t->now_ms;
	if (subject)
		x->subject_id = *subject;
	a->actions[a->n_actions++] = x;
}

void send_view(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n, const Ascolto__View *v)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, tag, n);
	e->body_case = ASCOLTO__ENVELOPE__BODY_VIEW;
	e->view = (Ascolto__View *)(uintptr_t)v;
	turn_emit(t, TO_CONSOLE, LANE_NORMAL, e, span_str(cause->brand));
}

void put_and_show(struct turn *t, const Ascolto__Envelope *cause, const struct key *k, const void *row,
	unsigned view, const char *tag, uint64_t n)
{
	const uint32_t path[] = {ASCOLTO__ENVELOPE__BODY_VIEW, view};
	Ascolto__Envelope *e = turn_envelope(t, cause, tag, n);
	turn_put(t, k, row);
	turn_emit_row(t, TO_CONSOLE, LANE_NORMAL, e, span_str(cause->brand), k, path);
}

void record_end(struct judgement *j)
{
	turn_count(j->t, "arm_records", j->arm ? 1 : 0);
	record_put(j);
}

void record_put(struct judgement *j)
{
	if (!j->arm)
		return;
	struct key k = id_key(j->t, ARM, &j->message);
	put_and_show(j->t, j->e, &k, j->arm, ASCOLTO__VIEW__WHAT_ARM, "view-arm", 0);
}

int record_reopen(struct judgement *j, struct err *why)
{
	struct key k = id_key(j->t, ARM, &j->message);
	int r = turn_get(j->t, &escalation_tables[ARM], &k, &j->arm);
	if (r)
		return err_set(why, r, "the message is not known");
	Ascolto__Action **actions = arena_zalloc(j->t->arena, sizeof(*actions) * (j->arm->n_actions + RECORD_ACTIONS_MAX));
	if (!actions)
		return err_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < j->arm->n_actions; i++)
		actions[i] = j->arm->actions[i];
	j->arm->actions = actions;
	j->actions_max = j->arm->n_actions + RECORD_ACTIONS_MAX;
	j->m = j->arm->message;
	return id_of(j->m->knowledge->customer_id, &j->customer) ? err_set(why, -EBADMSG, "the record has no customer") : 0;
}

void record_ordered(struct turn *t, const Ascolto__Order *o, const char *action, const char *actor)
{
	State__Ordered row = STATE__ORDERED__INIT;
	struct id id;
	if (!o->message_id.len || id_of(o->id, &id))
		return;
	struct key k = id_key(t, ORDERED, &id);
	row.message_id = o->message_id;
	row.action = (char *)(uintptr_t)action;
	row.actor = (char *)(uintptr_t)actor;
	turn_put(t, &k, &row);
}

static const char *result_word(Ascolto__DeliveryResult r)
{
	switch (r) {
	case ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT:
		return "sent";
	case ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED:
		return "rejected";
	case ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN:
		return "unknown";
	case ASCOLTO__DELIVERY_RESULT__DELIVERY_EXPIRED:
		return "expired";
	default:
		return NULL; /* on its way */
	}
}

/* An actor may be told in several places: once one of them has it, it was sent. */
static void set_result(Ascolto__ArmRecord *arm, const State__Ordered *row, const Ascolto__Outcome *o, const char *result)
{
	for (size_t i = arm->n_actions; i-- > 0;) {
		Ascolto__Action *a = arm->actions[i];
		if (!str_eq(a->name, row->action) || !str_eq(a->actor, row->actor) || str_eq(a->result, "sent"))
			continue;
		a->result = (char *)(uintptr_t)result;
		a->at_ms = o->at_ms;
		break;
	}
	if (str_eq(row->action, "reply") && str_eq(result, "sent"))
		arm->answered_ms = o->at_ms;
}

int record_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const char *result = result_word(e->outcome->result);
	Ascolto__Envelope cause = *e;
	struct judgement j = {.t = t, .e = &cause};
	State__Ordered *row;
	struct id id;
	if (!result || id_of(e->outcome->order_id, &id))
		return 0;
	struct key k = id_key(t, ORDERED, &id);
	int r = turn_get(t, &escalation_tables[ORDERED], &k, &row);
	if (r || id_of(row->message_id, &j.message))
		return r == -ENOENT ? 0 : err_set(why, r ? r : -EBADMSG, "whose record waits for this can not be read");
	r = record_reopen(&j, why);
	if (r)
		return r == -ENOENT ? 0 : r; /* erased meanwhile */
	set_result(j.arm, row, e->outcome, result);
	record_put(&j);
	turn_del(t, &k);
	return 0;
}
