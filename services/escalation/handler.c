/* What escalation does with each kind of message. */
#include "services/escalation/answers/answers.h"
#include "services/escalation/playbook/condition.h"
#include "services/escalation/topics/copies.h"
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/evidence/score.h"

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

static const char *surface_word(Ascolto__Surface s)
{
	static const char *const words[] = {"", "public", "semi", "private"};
	return (size_t)s < ARRAY_SIZE(words) ? words[s] : "";
}

static const char *customer_type_word(Ascolto__CustomerType t)
{
	static const char *const words[] = {"unknown", "prospect", "new", "customer", "complainer", "advocate", "ex"};
	return (size_t)t < ARRAY_SIZE(words) ? words[t] : "unknown";
}

/* What only the playbook's conditions ask for. */
static void read_further_facts(struct judgement *j)
{
	const Ascolto__Post *p = j->m->post;
	const Ascolto__Understanding *u = j->m->understanding;
	const Ascolto__Knowledge *k = j->m->knowledge;
	struct facts *f = &j->facts;
	f->words[FACT_EXPECTATION] = value_of(u->expectation);
	f->words[FACT_EVENT] = value_of(u->event);
	f->words[FACT_SENTIMENT] = value_of(u->sentiment);
	f->words[FACT_LANE] = value_of(u->lane);
	f->words[FACT_LANGUAGE] = str_empty(u->language) ? k->language : u->language;
	f->words[FACT_CHANNEL] = p->channel;
	f->words[FACT_NETWORK] = p->network;
	f->words[FACT_SURFACE] = surface_word(p->surface);
	f->words[FACT_CUSTOMER_TYPE] = customer_type_word(k->customer_type);
	f->numbers[FACT_REACH] = (int64_t)MIN(k->reach, (uint64_t)INT64_MAX);
	f->numbers[FACT_MESSAGES] = k->messages;
	f->numbers[FACT_CASES] = k->cases;
	f->numbers[FACT_OPEN_CASES] = k->open_cases;
	f->numbers[FACT_RATING] = p->rating;
	f->subject = p->subject;
	f->text = p->text;
	f->at_ms = j->e->occurred_ms;
}

/* The text of somebody else, seen lately. */
static bool repeats_another(struct judgement *j)
{
	const Ascolto__Signature *s = j->m->understanding->signature;
	uint64_t first;
	j->known_text = s && topics_knows_copy(j->brand->topics, s, &first);
	return j->known_text && first != j->who;
}

void read_facts(struct judgement *j)
{
	const Ascolto__Post *p = j->m->post;
	const Ascolto__Understanding *u = j->m->understanding;
	struct facts *f = &j->facts;
	f->intent = intent_of(value_of(u->intent));
	for (size_t i = 0; i < u->n_flags; i++)
		if (flag_of(u->flags[i]) >= 0)
			f->flags |= BIT(flag_of(u->flags[i]));
	f->negative = str_eq(value_of(u->sentiment), "negative");
	f->trouble = u->signature && signature_names_trouble(u->signature);
	f->signs = (unsigned)f->negative + str_eq(value_of(u->event), "complaint") + f->trouble;
	f->vip = j->m->knowledge->vip;
	f->influencer = j->m->knowledge->influencer;
	f->partner = j->m->knowledge->partner;
	f->self = (p->author && p->author->is_self) || p->kind == ASCOLTO__KIND__KIND_ECHO;
	f->bot = p->author && p->author->is_bot;
	f->content = says_something(p->kind);
	f->copy = repeats_another(j) || !str_empty(p->repost_of);
	f->polemic = str_eq(value_of(u->lane), "polemic");
	f->incident_open = j->brand->crisis_ms != 0;
	read_further_facts(j);
}

static void record_fact(void *ctx, const char *fact, const char *value)
{
	struct judgement *j = ctx;
	record_rule(j, j->kind ? j->kind->name : "", fact, value);
}

/* The conditions that decided, as facts with their values. */
static void explain(struct judgement *j)
{
	const struct rule *r = j->decision.rule < 0 ? NULL : &j->brand->playbook->rules[j->decision.rule];
	const char *name = j->kind ? j->kind->name : "";
	if (!r) { /* that nothing matched is a reason, too */
		record_rule(j, "none", "intent", j->facts.intent ? intent_word(j->facts.intent) : "unknown");
		return;
	}
	if (r->intents)
		record_rule(j, name, "intent", j->facts.intent ? intent_word(j->facts.intent) : "unknown");
	for (int f = 0; f < FLAGS; f++)
		if (r->flags & j->facts.flags & BIT(f))
			record_rule(j, name, "flag", flag_word((enum flag)f));
	if (r->vip)
		record_rule(j, name, "vip", "yes");
	if (r->influencer)
		record_rule(j, name, "influencer", "yes");
	if (r->also)
		condition_explain(r->also, &j->facts, record_fact, j);
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
	c.number = s && !j->known_text ? topics_remember_copy(j->brand->topics, s, j->who) : 0;
	if (!c.number)
		return;
	c.hash = s->copy;
	c.sketch = s->sketch;
	c.words = s->words;
	c.who = j->who;
	c.brand = j->brand->name;
	key_name(&k, j->brand->name);
	key_u32(&k, (uint32_t)(c.number % COPIES_KEPT));
	turn_put(j->t, &k, &c);
}

/* What this message adds to the damage. Cases and topics have said their part. */
static int measure(struct judgement *j)
{
	struct damage *d = &j->damage;
	if (j->facts.self || !j->facts.content)
		return 0;
	d->at_ms = j->e->occurred_ms;
	d->who = j->who;
	d->reach = j->m->knowledge->reach;
	d->negative = j->facts.negative;
	d->positive = str_eq(value_of(j->m->understanding->sentiment), "positive");
	d->request = j->decision.opens_case;
	d->defends = j->facts.polemic && j->facts.intent == INTENT_PRAISE && !j->facts.copy;
	int r = damage_add(j->t, j->brand->name, d);
	return r ? r : score_add(j->t, j->brand->name, d, j->m->post->channel, NULL, NULL);
}

enum verdict escalation_classified(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct judgement j = {.t = t, .e = e, .m = e->classified};
	if (drill_is_over(t, e))
		return DONE;
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
	if (group(&j, why) || case_for(&j, why) || advocate_hear(&j, why)) {
		((struct escalation *)t->state)->stale = true;
		return REJECT;
	}
	int r = measure(&j);
	if (r) {
		err_set(why, r, "the measures can not be read: %s", strerror(-r));
		((struct escalation *)t->state)->stale = true;
		return REJECT;
	}
	remember_copy(&j);
	record_end(&j);
	return DONE;
}

void set_timer(struct turn *t, const Ascolto__Envelope *cause, const char *purpose, const struct id *subject, uint64_t number,
	int64_t due_ms)
{
	char text[ID_TEXT + 1] = "";
	char *tag = arena_printf(t->arena, "%s %s", purpose, subject ? id_format(subject, text) : "");
	Ascolto__Envelope *e = turn_envelope(t, cause, tag ? tag : purpose, number);
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	timer.purpose = (char *)(uintptr_t)purpose;
	if (subject)
		timer.subject_id = turn_id_bytes(t, subject);
	timer.due_ms = due_ms;
	timer.number = number;
	e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e->timer = &timer;
	turn_timer(t, e, due_ms);
}

/* What became of an alarm, or of an answer; tries on the way are not the end of it. */
static void note_outcome(struct turn *t, const Ascolto__Envelope *e)
{
	static const char *const words[][2] = {
		[ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT] = {"alarm_sent", "answer_sent"},
		[ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED] = {"alarm_rejected", "answer_rejected"},
		[ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN] = {"alarm_unknown", "answer_unknown"},
		[ASCOLTO__DELIVERY_RESULT__DELIVERY_EXPIRED] = {"alarm_expired", "answer_expired"},
	};
	const Ascolto__Outcome *o = e->outcome;
	bool known = (unsigned)o->result < ARRAY_SIZE(words) && words[o->result][0];
	if (known)
		audit_add(t, e, &(struct audit_note){.what = words[o->result][str_eq(o->template_, "answer")], .who = o->destination, .by = BY_SERVICE,
			.case_id = o->case_id, .incident_id = o->incident_id, .order_id = o->order_id,
			.detail = o->detail});
}

enum verdict escalation_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	v.what_case = ASCOLTO__VIEW__WHAT_DELIVERY;
	v.delivery = e->outcome;
	note_outcome(t, e);
	if (record_outcome(t, e, why))
		return REJECT;
	send_view(t, e, "view-delivery", 0, &v);
	return DONE;
}

enum verdict escalation_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const char *purpose = e->timer->purpose;
	int r;
	if (drill_is_over(t, e))
		return DONE;
	if ((str_eq(purpose, "incident_call") || str_eq(purpose, "case_call")) && alarm_is_held(t, e))
		return DONE;
	if (str_eq(purpose, DRILL_TIMER))
		r = drill_stop(t, e, "its time was over", why);
	else if (str_eq(purpose, "case_acknowledge") || str_eq(purpose, "case_resolve"))
		r = case_clock(t, e, why);
	else if (str_eq(purpose, ALARMS_TIMER))
		r = alarms_gathered(t, e, why);
	else if (str_eq(purpose, "case_call"))
		r = case_call(t, e, why);
	else if (str_eq(purpose, "incident_call"))
		r = incident_call(t, e, why);
	else if (str_eq(purpose, "incident_calm"))
		r = incident_calm(t, e, why);
	else if (str_eq(purpose, "incident_step"))
		r = incident_step_late(t, e, why);
	else if (str_eq(purpose, ANSWER_TIMER))
		r = answer_send(t, e, why);
	else if (str_eq(purpose, AUDIT_TIMER))
		r = audit_show(t, e, why);
	else if (strncmp(purpose, TOLD_TIMER, strlen(TOLD_TIMER)) == 0)
		r = told_summary(t, e, why);
	else
		r = err_set(why, -EINVAL, "there is no timer called \"%s\"", purpose);
	return r ? REJECT : DONE;
}
