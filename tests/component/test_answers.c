/* Who speaks well of the brand, and what people answer: to one, and to many. */
#include "tests/component/escalation_stage.h"

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

static void hear_of(const Ascolto__Order *o)
{
	struct id id = id_derive(&w.last_message, "outcome", w.n_orders);
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Outcome outcome = ASCOLTO__OUTCOME__INIT;
	outcome.order_id = o->id;
	outcome.case_id = o->case_id;
	outcome.destination = o->destination;
	outcome.template_ = o->template_;
	outcome.result = ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)"acme";
	e.occurred_ms = e.received_ms = w.now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_OUTCOME;
	e.outcome = &outcome;
	assert_int_equal(turn(escalation_outcome, &e), DONE);
}

/* That an answer arrived is not that an alarm did, though both may be about the case. */
static void the_log_tells_answers_from_alarms(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	until(w.now_ms + 2 * HOUR);
	assert_int_equal(told("case_late", "desk-mail"), 1);
	hear_of(last_order());
	assert_int_equal(audited("alarm_sent", ""), 1);
	assert_int_equal(audited("answer_sent", ""), 0);
	assert_int_equal(answers_with(0, "Ada", "en", "We have seen it and are looking for the cause. Ada"), DONE);
	hear_of(last_order());
	assert_int_equal(audited("alarm_sent", ""), 1);
	assert_int_equal(audited("answer_sent", ""), 1);
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
	const struct CMUnitTest tests[] = {
		T(praise_is_remembered_and_advocates_are_listed),
		T(a_person_keeps_the_list),
		T(the_log_tells_answers_from_alarms),
		T(one_case_is_answered),
		T(what_blocks_goes_nowhere),
		T(two_people_where_the_playbook_says_so),
		T(many_need_whoever_is_stricter),
	};
	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
