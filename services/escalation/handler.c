/* What escalation does with each kind of message. */
#include "services/escalation/escalation.h"

#include <xxhash.h>

static bool says_something(Ascolto__Kind k)
{
	return k == ASCOLTO__KIND__KIND_MESSAGE || k == ASCOLTO__KIND__KIND_REVIEW || k == ASCOLTO__KIND__KIND_CALL ||
	       k == ASCOLTO__KIND__KIND_EDIT;
}

static const char *value_of(const Ascolto__Label *l)
{
	return l ? l->value : "";
}

static void read_facts(struct judgement *j)
{
	const Ascolto__Post *p = j->m->post;
	const Ascolto__Understanding *u = j->m->understanding;
	struct facts *f = &j->facts;
	uint64_t copy = u->signature ? u->signature->copy : 0;
	f->intent = intent_of(value_of(u->intent));
	for (size_t i = 0; i < u->n_flags; i++)
		if (flag_of(u->flags[i]) >= 0)
			f->flags |= BIT(flag_of(u->flags[i]));
	f->negative = str_eq(value_of(u->sentiment), "negative");
	f->vip = j->m->knowledge->vip;
	f->influencer = j->m->knowledge->influencer;
	f->self = (p->author && p->author->is_self) || p->kind == ASCOLTO__KIND__KIND_ECHO;
	f->bot = p->author && p->author->is_bot;
	f->content = says_something(p->kind);
	f->copy = !str_empty(p->repost_of) || topics_is_copy(j->brand->topics, copy, j->who);
	f->polemic = str_eq(value_of(u->lane), "polemic");
	f->incident_open = !id_is_zero(&j->brand->red_incident);
}

/* The conditions that decided, as facts with their values. */
static void explain(struct judgement *j)
{
	const struct rule *r = j->decision.rule < 0 ? NULL : &j->brand->playbook->rules[j->decision.rule];
	const char *name = j->kind ? j->kind->name : "";
	if (!r)
		return;
	if (r->intents)
		record_rule(j, name, "intent", j->facts.intent ? intent_word(j->facts.intent) : "unknown");
	for (int f = 0; f < FLAGS; f++)
		if (r->flags & j->facts.flags & BIT(f))
			record_rule(j, name, "flag", flag_word((enum flag)f));
	if (r->vip)
		record_rule(j, name, "vip", "yes");
	if (r->influencer)
		record_rule(j, name, "influencer", "yes");
	if (!j->arm->n_rules)
		record_rule(j, name, "otherwise", "yes");
}

static int prepare(struct judgement *j, struct err *why)
{
	const Ascolto__Message *m = j->m;
	if (!m->post || !m->knowledge || !m->understanding)
		return err_set(why, -EBADMSG, "the message lacks its post, its knowledge or its understanding");
	if (id_of(j->e->id, &j->message) || id_of(m->knowledge->customer_id, &j->customer))
		return err_set(why, -EBADMSG, "the message has no id or no customer");
	j->brand = brand_find(j->t->state, j->e->brand);
	if (!j->brand)
		return err_set(why, -ENOENT, "brand \"%s\" is not in the configuration", j->e->brand);
	j->who = XXH3_64bits(j->customer.b, ID_BYTES);
	return 0;
}

static void remember_copy(struct judgement *j)
{
	const Ascolto__Signature *s = j->m->understanding->signature;
	State__Copy c = STATE__COPY__INIT;
	struct key k = turn_key(j->t, &escalation_tables[COPIES]);
	c.number = s ? topics_remember_copy(j->brand->topics, s->copy, j->who) : 0;
	if (!c.number)
		return;
	c.hash = s->copy;
	c.who = j->who;
	c.brand = j->brand->name;
	key_name(&k, j->brand->name);
	key_u32(&k, (uint32_t)(c.number % TOPIC_COPIES));
	turn_put(j->t, &k, &c);
}

enum verdict escalation_classified(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct judgement j = {.t = t, .e = e, .m = e->classified};
	/* The id of the message itself: each service on the way derived its own envelope. */
	Ascolto__Envelope cause = *e;
	cause.id = e->trace_id.len ? e->trace_id : e->id;
	j.e = &cause;
	if (prepare(&j, why))
		return REJECT;
	read_facts(&j);
	rules_decide(j.brand->playbook->rules, j.brand->playbook->kinds_count, &j.facts, &j.decision);
	j.kind = j.decision.rule < 0 ? NULL : &j.brand->playbook->kinds[j.decision.rule];

	struct key k = id_key(t, ARM, &j.message);
	struct span had;
	if (txn_get(t->txn, &k, &had) == 0)
		return DONE; /* decided already: replayed from quarantine, or an edit of the same revision */
	record_begin(&j);
	if (!j.arm)
		return RETRY;
	explain(&j);
	if (group(&j, why) || case_for(&j, why)) {
		((struct escalation *)t->state)->stale = true;
		return REJECT;
	}
	remember_copy(&j);
	record_end(&j);
	return DONE;
}

static int correct(struct turn *t, const Ascolto__Envelope *e, const Ascolto__Correct *c, struct err *why)
{
	struct id id;
	Ascolto__ArmRecord *arm;
	if (id_of(c->message_id, &id))
		return err_set(why, -EBADMSG, "a correction without a message");
	struct key k = id_key(t, ARM, &id);
	int r = turn_get(t, &escalation_tables[ARM], &k, &arm);
	if (r)
		return err_set(why, r, "the corrected message is not known");
	Ascolto__Envelope *out = turn_envelope(t, e, "correction", 0);
	Ascolto__Correction correction = ASCOLTO__CORRECTION__INIT;
	correction.message_id = c->message_id;
	correction.task = c->task;
	correction.label = c->label;
	correction.text = arm->message->post->text;
	correction.by = e->command->actor;
	correction.at_ms = t->now_ms;
	out->body_case = ASCOLTO__ENVELOPE__BODY_CORRECTION;
	out->correction = &correction;
	turn_emit(t, TO_INTENT, LANE_URGENT, out, span_of(c->message_id.data, c->message_id.len));
	return 0;
}

enum verdict escalation_command(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Command *c = e->command;
	struct id id;
	int r = -EBADMSG;
	switch (c->what_case) {
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT:
		if (!id_of(c->acknowledge_incident->incident_id, &id))
			r = incident_change(t, e, &id, "acknowledge", c->actor, "", why);
		break;
	case ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT:
		if (!id_of(c->close_incident->incident_id, &id))
			r = incident_change(t, e, &id, "close", c->actor, c->close_incident->reason, why);
		break;
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE:
		if (!id_of(c->acknowledge_case->case_id, &id))
			r = case_change(t, e, &id, "acknowledge", c->actor, "", why);
		break;
	case ASCOLTO__COMMAND__WHAT_CLOSE_CASE:
		if (!id_of(c->close_case->case_id, &id))
			r = case_change(t, e, &id, "close", c->actor, c->close_case->outcome, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CORRECT:
		r = correct(t, e, c->correct, why);
		break;
	default:
		err_set(why, -EINVAL, "this command is not known");
	}
	if (r && why && !why->text[0])
		err_set(why, r, "the command names no case, incident or message");
	return r ? REJECT : DONE;
}

enum verdict escalation_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	(void)why;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	v.what_case = ASCOLTO__VIEW__WHAT_DELIVERY;
	v.delivery = e->outcome;
	send_view(t, e, "view-delivery", 0, &v);
	return DONE;
}

enum verdict escalation_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const char *purpose = e->timer->purpose;
	int r;
	if (str_eq(purpose, "case_acknowledge") || str_eq(purpose, "case_resolve"))
		r = case_clock(t, e, why);
	else if (str_eq(purpose, "incident_call"))
		r = incident_call(t, e, why);
	else if (str_eq(purpose, "incident_calm"))
		r = incident_calm(t, e, why);
	else if (strncmp(purpose, TOLD_TIMER, strlen(TOLD_TIMER)) == 0)
		r = told_summary(t, e, why);
	else
		r = err_set(why, -EINVAL, "there is no timer called \"%s\"", purpose);
	return r ? REJECT : DONE;
}
