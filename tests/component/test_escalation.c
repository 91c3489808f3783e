/* What escalation decides about cases, and about alarms that come late. */
#include "tests/component/escalation_stage.h"

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

static void moves_last_message(const char *lane)
{
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__MoveMessage move = ASCOLTO__MOVE_MESSAGE__INIT;
	c.actor = (char *)"ada";
	c.what_case = ASCOLTO__COMMAND__WHAT_MOVE_MESSAGE;
	c.move_message = &move;
	move.message_id = id_bytes(&w.last_message);
	move.lane = (char *)(uintptr_t)lane;
	assert_int_equal(command(&c), DONE);
}

/* Whoever thought better of it finds the case as it was; one that was closed for another reason stays closed. */
static void a_message_moved_there_and_back(void **state)
{
	(void)state;
	says("anna", "thread", "report_fault");
	moves_last_message("polemic");
	assert_true(is(0, CASE_CLOSED));
	moves_last_message("polemic");
	assert_true(is(0, CASE_CLOSED));
	moves_last_message("service");
	assert_true(is(0, CASE_REOPENED));
	assert_true(the(0)->acknowledge_due_ms > w.now_ms);
	assert_string_equal(w.change, "reopened");
	assert_int_equal(w.n_cases, 1);
	assert_int_equal(change(0, "close", "ada", "done"), DONE);
	moves_last_message("service");
	assert_true(is(0, CASE_CLOSED));
	assert_int_equal(audited("case_reopened", ""), 1);
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

int main(void)
{
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
		T(a_message_moved_there_and_back),
		T(a_few_late_alarms_ring),
		T(many_late_alarms_wait_for_a_word),
		T(held_alarms_are_dropped),
	};
	return cmocka_run_group_tests_name("escalation", tests, NULL, NULL);
}
