#include "tests/component/views.h"

#include "common/buf.h"

static char *word(const char *s)
{
	return (char *)(uintptr_t)(s ? s : "");
}

struct id view_id(const char *name)
{
	return id_from(1773270000000, span_str(name));
}

char *view_id_text(const char *name, char text[ID_TEXT + 1])
{
	struct id id = view_id(name);
	return id_format(&id, text);
}

/* Ids live until the view is packed. */
struct ids {
	struct id id[16];
	size_t n;
};

static ProtobufCBinaryData bytes_of(struct ids *ids, const char *name)
{
	ProtobufCBinaryData none = {0, NULL};
	if (str_empty(name))
		return none;
	struct id *id = &ids->id[ids->n++ % ARRAY_SIZE(ids->id)];
	*id = view_id(name);
	return (ProtobufCBinaryData){ID_BYTES, id->b};
}

static void send_view(struct peer *p, const char *brand, Ascolto__View *v)
{
	static uint64_t number;
	uint8_t name[8];
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	memcpy(name, &number, sizeof(name));
	number++;
	struct id id = id_from(1773270000000, span_of(name, sizeof(name)));
	e.id = e.trace_id = e.cause_id = (ProtobufCBinaryData){ID_BYTES, id.b};
	e.brand = word(brand ? brand : VIEW_BRAND);
	e.received_ms = 1773270000000;
	e.body_case = ASCOLTO__ENVELOPE__BODY_VIEW;
	e.view = v;
	peer_send(p, LANE_NORMAL, &e, e.brand);
}

/* ---- messages ---- */

struct made_parts {
	Ascolto__Post post;
	Ascolto__Author author;
	Ascolto__AuthorId author_id, *author_ids[1];
	Ascolto__Knowledge knowledge;
	Ascolto__Understanding understanding;
	Ascolto__Label label[5];
	Ascolto__Message message;
};

static void fill_post(struct made_parts *x, const struct made_message *m)
{
	ascolto__post__init(&x->post);
	ascolto__author__init(&x->author);
	ascolto__author_id__init(&x->author_id);
	x->author_id.scope = word(m->network);
	x->author_id.value = word(m->handle);
	x->author_ids[0] = &x->author_id;
	x->author.ids = x->author_ids;
	x->author.n_ids = 1;
	x->author.handle = word(m->handle);
	x->author.name = word(m->who);
	x->author.followers = m->followers;
	x->post.channel = word(m->channel);
	x->post.network = word(m->network);
	x->post.native_id = word(m->name);
	x->post.kind = ASCOLTO__KIND__KIND_MESSAGE;
	x->post.surface = m->surface ? m->surface : ASCOLTO__SURFACE__SURFACE_PUBLIC;
	x->post.author = &x->author;
	x->post.text = word(m->text);
	x->post.subject = word(m->subject);
	x->post.created_at_ms = m->occurred_ms;
}

static void fill_knowledge(struct made_parts *x, const struct made_message *m)
{
	ascolto__knowledge__init(&x->knowledge);
	x->knowledge.customer_type = m->cases ? ASCOLTO__CUSTOMER_TYPE__CUSTOMER_COMPLAINER
					      : ASCOLTO__CUSTOMER_TYPE__CUSTOMER_CUSTOMER;
	x->knowledge.vip = m->vip;
	x->knowledge.influencer = m->influencer;
	x->knowledge.reach = m->followers;
	x->knowledge.messages = m->messages ? m->messages : 1;
	x->knowledge.conversation_messages = 1;
	x->knowledge.first_seen_ms = m->occurred_ms - (int64_t)86400000 * 40;
	x->knowledge.cases = m->cases;
	x->knowledge.open_cases = m->case_name ? 1 : 0;
	x->knowledge.last_case_outcome = word(m->last_outcome);
	x->knowledge.display_name = word(m->who);
	x->knowledge.language = word("it");
}

static void fill_understanding(struct made_parts *x, const struct made_message *m)
{
	const char *values[] = {m->intent, m->expectation, m->event, m->sentiment, m->lane};
	ascolto__understanding__init(&x->understanding);
	for (int i = 0; i < 5; i++) {
		ascolto__label__init(&x->label[i]);
		x->label[i].value = word(values[i]);
		x->label[i].probability = m->sure > 0 ? m->sure : 0.83f;
	}
	x->understanding.intent = &x->label[0];
	x->understanding.expectation = &x->label[1];
	x->understanding.event = &x->label[2];
	x->understanding.sentiment = &x->label[3];
	x->understanding.lane = &x->label[4];
	x->understanding.language = word("it");
	x->understanding.model = word("linear 2026-03-01");
}

void view_message(struct peer *p, const struct made_message *m)
{
	struct made_parts x;
	struct ids ids = {.n = 0};
	Ascolto__ArmRecord arm = ASCOLTO__ARM_RECORD__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	Ascolto__MatchedRule rule = ASCOLTO__MATCHED_RULE__INIT, *rules[] = {&rule};
	Ascolto__Fact fact = ASCOLTO__FACT__INIT, *facts[] = {&fact};
	Ascolto__Action store = ASCOLTO__ACTION__INIT, open = ASCOLTO__ACTION__INIT,
			*actions[] = {&store, &open};
	fill_post(&x, m);
	fill_knowledge(&x, m);
	fill_understanding(&x, m);
	ascolto__message__init(&x.message);
	x.message.post = &x.post;
	x.message.knowledge = &x.knowledge;
	x.message.understanding = &x.understanding;
	arm.message_id = bytes_of(&ids, m->name);
	arm.case_id = bytes_of(&ids, m->case_name);
	arm.incident_id = bytes_of(&ids, m->incident_name);
	arm.brand = word(m->brand ? m->brand : VIEW_BRAND);
	arm.occurred_ms = m->occurred_ms;
	arm.received_ms = arm.decided_ms = m->occurred_ms + 900;
	arm.message = &x.message;
	arm.initiator = word("customer");
	arm.place = word(str_eq(m->network, "email")   ? "email"
			 : str_eq(m->network, "phone") ? "phone"
						       : "social");
	arm.playbook = word("brezza 7");
	arm.code = m->code;
	fact.name = word("intent");
	fact.value = word(m->intent);
	rule.rule = word(m->rule ? m->rule : "question_or_complaint_opens_case");
	rule.facts = facts;
	rule.n_facts = 1;
	arm.rules = rules;
	arm.n_rules = 1;
	store.name = word("store");
	store.actor = open.actor = word("ascolto");
	store.at_ms = open.at_ms = arm.decided_ms;
	store.result = open.result = word("done");
	open.name = word(m->incident_name ? "join_incident" : "open_case");
	open.subject_id = m->incident_name ? arm.incident_id : arm.case_id;
	arm.actions = actions;
	arm.n_actions = m->case_name || m->incident_name ? 2 : 1;
	v.what_case = ASCOLTO__VIEW__WHAT_ARM;
	v.arm = &arm;
	send_view(p, m->brand, &v);
}

/* ---- cases ---- */

void view_case(struct peer *p, const struct made_case *m)
{
	struct ids ids = {.n = 0};
	Ascolto__Case c = ASCOLTO__CASE__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	c.id = bytes_of(&ids, m->name);
	c.incident_id = bytes_of(&ids, m->incident_name);
	c.customer_id = bytes_of(&ids, m->customer);
	c.brand = word(VIEW_BRAND);
	c.customer = word(m->customer);
	c.title = word(m->title);
	c.code = m->code;
	c.state = m->state;
	c.owner = word(m->owner ? m->owner : "community manager");
	c.lane = word(m->lane ? m->lane : "service");
	c.channel = word(m->channel);
	c.messages = m->messages ? m->messages : 1;
	c.opened_ms = m->opened_ms;
	c.updated_ms = m->updated_ms ? m->updated_ms : m->opened_ms;
	c.acknowledge_due_ms = m->acknowledge_due_ms;
	c.resolve_due_ms = m->resolve_due_ms;
	c.acknowledged_ms = m->acknowledged_ms;
	c.closed_ms = m->closed_ms;
	c.closed_reason = word(m->outcome);
	c.late = m->late;
	v.what_case = ASCOLTO__VIEW__WHAT_CASE;
	v.case_ = &c;
	send_view(p, NULL, &v);
}

/* ---- incidents ---- */

static size_t fill_steps(
	const struct made_incident *m, Ascolto__Step steps[8], Ascolto__Step *list[8], char text[8][160])
{
	size_t n = 0;
	for (; n < 8 && m->steps[n]; n++) {
		const char *s = m->steps[n], *colon = strstr(s, ": ");
		bool done = s[0] == '+';
		ascolto__step__init(&steps[n]);
		snprintf(text[n], sizeof(text[n]), "%.*s", (int)(colon - s - done), s + done);
		steps[n].actor = text[n];
		steps[n].text = word(colon + 2);
		steps[n].due_ms = m->steps_from_ms + (int64_t)(n + 1) * 15 * 60000;
		steps[n].done_ms = done ? m->steps_from_ms + (int64_t)n * 240000 : 0;
		list[n] = &steps[n];
	}
	return n;
}

void view_incident(struct peer *p, const struct made_incident *m)
{
	struct ids ids = {.n = 0};
	Ascolto__Incident i = ASCOLTO__INCIDENT__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	Ascolto__Step steps[8], *list[8];
	ProtobufCBinaryData examples[4];
	char *keywords[6], text[8][160];
	i.id = bytes_of(&ids, m->name);
	i.brand = word(VIEW_BRAND);
	i.title = word(m->title);
	i.because = word(m->because);
	i.code = m->code;
	i.people = m->people;
	i.peak_people = m->peak;
	i.messages = m->messages;
	i.normal = m->normal;
	i.opened_ms = m->opened_ms;
	i.red_ms = m->red_ms;
	i.detected_ms = m->detected_ms;
	i.closed_ms = m->closed_ms;
	i.acknowledged_by = word(m->acknowledged_by);
	i.acknowledged_ms = m->acknowledged_ms;
	i.playbook = word("brezza 7");
	i.alerts = m->alerts;
	i.n_steps = fill_steps(m, steps, list, text);
	i.steps = list;
	for (; i.n_examples < 4 && m->examples[i.n_examples]; i.n_examples++)
		examples[i.n_examples] = bytes_of(&ids, m->examples[i.n_examples]);
	i.examples = examples;
	for (; i.n_keywords < 6 && m->keywords[i.n_keywords]; i.n_keywords++)
		keywords[i.n_keywords] = word(m->keywords[i.n_keywords]);
	i.keywords = keywords;
	v.what_case = ASCOLTO__VIEW__WHAT_INCIDENT;
	v.incident = &i;
	send_view(p, NULL, &v);
}

/* ---- deliveries ---- */

void view_delivery(struct peer *p, const char *order, const char *incident, const char *destination,
	Ascolto__DeliveryResult result, const char *detail, int64_t at_ms)
{
	struct ids ids = {.n = 0};
	Ascolto__Outcome o = ASCOLTO__OUTCOME__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	o.order_id = bytes_of(&ids, order);
	o.incident_id = bytes_of(&ids, incident);
	o.destination = word(destination);
	o.result = result;
	o.detail = word(detail);
	o.attempts = 1;
	o.at_ms = at_ms;
	o.code = ASCOLTO__CODE__CODE_RED;
	o.subject = word("incident");
	v.what_case = ASCOLTO__VIEW__WHAT_DELIVERY;
	v.delivery = &o;
	send_view(p, NULL, &v);
}

void view_answer_sent(struct peer *p, const char *order, const char *incident, const char *case_name)
{
	struct ids ids = {.n = 0};
	Ascolto__Outcome o = ASCOLTO__OUTCOME__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	o.order_id = bytes_of(&ids, order);
	o.incident_id = bytes_of(&ids, incident);
	o.case_id = bytes_of(&ids, case_name);
	o.destination = word("hook");
	o.result = ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT;
	o.template_ = word("answer");
	v.what_case = ASCOLTO__VIEW__WHAT_DELIVERY;
	v.delivery = &o;
	send_view(p, NULL, &v);
}

/* ---- crisis mode, advocates ---- */

void view_crisis(struct peer *p, const struct made_crisis *m)
{
	Ascolto__Crisis c = ASCOLTO__CRISIS__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	c.brand = word(VIEW_BRAND);
	c.since_ms = m->since_ms;
	c.ended_ms = m->ended_ms;
	c.by = word(m->person ? m->person : "ascolto");
	c.by_person = m->person && !m->ended_ms;
	c.because = word(m->because);
	v.what_case = ASCOLTO__VIEW__WHAT_CRISIS;
	v.crisis = &c;
	send_view(p, NULL, &v);
}

void view_held_alarms(struct peer *p, unsigned count)
{
	Ascolto__HeldAlarms h = ASCOLTO__HELD_ALARMS__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	h.brand = word(VIEW_BRAND);
	h.count = count;
	v.what_case = ASCOLTO__VIEW__WHAT_HELD_ALARMS;
	v.held_alarms = &h;
	send_view(p, NULL, &v);
}

void view_refusal(struct peer *p, const char *command, const char *actor, const char *why, int64_t at_ms)
{
	struct id id = id_from(at_ms, span_str(command));
	Ascolto__Refusal r = ASCOLTO__REFUSAL__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	r.command_id = (ProtobufCBinaryData){ID_BYTES, id.b};
	r.brand = word(VIEW_BRAND);
	r.actor = word(actor);
	r.command = word("change_case");
	r.why = word(why);
	r.at_ms = at_ms;
	v.what_case = ASCOLTO__VIEW__WHAT_REFUSAL;
	v.refusal = &r;
	send_view(p, NULL, &v);
}

void view_answer(struct peer *p, const struct made_answer *m)
{
	struct ids ids = {.n = 0};
	Ascolto__Answer a = ASCOLTO__ANSWER__INIT;
	Ascolto__Wordings w = ASCOLTO__WORDINGS__INIT, *wordings = &w;
	Ascolto__Finding f = ASCOLTO__FINDING__INIT, *findings = &f;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	char *texts[] = {word(m->text)}, *approvers[] = {word(m->approver)},
	     *approved_by[] = {word(m->approved_by)};
	w.texts = texts;
	w.n_texts = 1;
	f.rule = word(m->rule);
	f.it = f.en = word(m->it);
	f.blocks = m->refused;
	a.id = bytes_of(&ids, m->name);
	a.case_id = bytes_of(&ids, m->case_name);
	a.incident_id = bytes_of(&ids, m->incident_name);
	a.brand = word(VIEW_BRAND);
	a.by = word(m->by);
	a.wordings = &wordings;
	a.n_wordings = 1;
	a.findings = &findings;
	a.n_findings = m->rule != NULL;
	a.approvals_needed = m->approvals_needed;
	a.approvers = approvers;
	a.n_approvers = m->approver != NULL;
	a.approved_by = approved_by;
	a.n_approved_by = m->approved_by != NULL;
	a.proposed_ms = m->proposed_ms;
	a.refused_ms = m->refused ? m->proposed_ms : 0;
	a.begun_ms = a.ended_ms = m->sent ? m->proposed_ms : 0;
	a.answered = m->sent;
	v.what_case = ASCOLTO__VIEW__WHAT_ANSWER;
	v.answer = &a;
	send_view(p, NULL, &v);
}

void view_advocate(struct peer *p, const char *customer, const char *message, int64_t heard_ms, bool removed)
{
	struct ids ids = {.n = 0};
	Ascolto__Advocate a = ASCOLTO__ADVOCATE__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	a.customer_id = bytes_of(&ids, customer);
	a.message_id = bytes_of(&ids, message);
	a.brand = word(VIEW_BRAND);
	a.name = word(customer);
	a.channel = word("brezza-x");
	a.praise_days = 4;
	a.heard_ms = heard_ms;
	a.removed = removed;
	v.what_case = ASCOLTO__VIEW__WHAT_ADVOCATE;
	v.advocate = &a;
	send_view(p, NULL, &v);
}
