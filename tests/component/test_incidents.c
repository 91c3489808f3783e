/* What escalation makes of crowds: incidents, their waves and their checklist. */
#include "tests/component/escalation_stage.h"

#include "common/signature.h"

/* ---- crowds ---- */

/* Something is wrong, differently each time; the terms of real messages. */
static uint32_t a_trouble(unsigned n)
{
	static const char *const words[] = {"delayed", "crashes", "defective", "refund", "hacked", "slow"};
	struct arena arena;
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	arena_init(&arena, 1 << 20);
	assert_int_equal(signature_compute(span_str(words[n % ARRAY_SIZE(words)]), "en", &arena, &s), 0);
	assert_true(s.n_terms == 1 && signature_names_trouble(&s));
	uint32_t term = s.terms[0];
	arena_free(&arena);
	return term;
}

/* `n` new people within so many minutes, about one thing, or (term 0) each about another; with trouble or
 * without. */
static void crowd(unsigned n, unsigned minutes, uint32_t term, bool trouble)
{
	static uint32_t another = 1000;
	char who[32], talk[32];
	int64_t from_ms = w.now_ms;
	for (unsigned i = 0; i < n; i++) {
		until(from_ms + (int64_t)i * minutes * MINUTE / n);
		snprintf(who, sizeof(who), "crowd-%u", ++another);
		snprintf(talk, sizeof(talk), "talk-%u", another);
		w.term = term ? term : another * 2;
		w.trouble = trouble ? a_trouble(i) : another * 2 + 1;
		says(who, talk, trouble ? "complain" : "ask_info");
	}
	w.term = 0;
	until(from_ms + (int64_t)minutes * MINUTE);
}

/* Somewhat more than a day of a brand of twenty people an hour, of whom one has trouble. */
static void ordinary_day(void)
{
	for (int hour = 0; hour < 28; hour++) {
		crowd(1, 10, 0, true);
		crowd(19, 50, 0, false);
	}
	assert_int_equal(w.n_incidents, 0);
}

/* A crowd without words in common is one incident, and calms down as any other. */
static void many_have_trouble(void **state)
{
	(void)state;
	ordinary_day();
	crowd(30, 20, 0, true);
	assert_int_equal(w.n_incidents, 1);
	assert_string_equal(w.incidents[0].title, "Many have trouble, of different kinds");
	assert_int_equal(w.incidents[0].code, CODE_YELLOW);
	for (int hour = 0; hour < 8; hour++)
		crowd(19, 60, 0, false);
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(w.incidents[0].code, 0);
}

/* As many who have none are none. */
static void many_have_none(void **state)
{
	(void)state;
	ordinary_day();
	crowd(70, 50, 0, false);
	assert_int_equal(w.n_incidents, 0);
}

/* Words in common come first, and then the crowd that has trouble with it is known. */
static void one_crowd_one_incident(void **state)
{
	(void)state;
	ordinary_day();
	for (int i = 0; i < 8; i++) {
		crowd(6, 5, 77, true);
		crowd(2, 5, 0, true);
	}
	assert_int_equal(w.n_incidents, 1);
	assert_string_not_equal(w.incidents[0].title, "Many have trouble, of different kinds");
}

/* The other way round: what the crowd comes to speak of is no second incident. */
static void words_of_a_known_crowd(void **state)
{
	(void)state;
	ordinary_day();
	crowd(30, 20, 0, true);
	assert_int_equal(w.n_incidents, 1);
	crowd(40, 20, 77, true);
	assert_int_equal(w.n_incidents, 1);
	/* Others, who say it calmly, about another matter: that is one. */
	crowd(40, 20, 78, false);
	assert_int_equal(w.n_incidents, 2);
}

/* ---- waves ---- */

static void somebody_acknowledges(void)
{
	struct id id;
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(id_from_bytes(w.incidents[0].id, ID_BYTES, &id), 0);
	assert_int_equal(about_incident(&id, false, "desk"), DONE);
}

/* Others, about other things. */
static void speaks_of_something_else(unsigned minutes)
{
	crowd(minutes / 3, minutes, 0, false);
}

static unsigned waves(void)
{
	unsigned n = told("incident_wave", "desk-mail");
	assert_int_equal(audited("incident_wave", "a new wave: "), n);
	assert_int_equal(w.n_incidents, 1);
	assert_int_equal(w.incidents[0].waves, n);
	return n;
}

/* Whoever acknowledged nine people hears of twice as many, once an hour at most. */
static void more_people_are_a_wave(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	assert_int_equal(told("incident_opened", "desk-mail"), 1);
	somebody_acknowledges();
	crowd(8, 10, 77, true);
	assert_int_equal(waves(), 0); /* within the hour */
	speaks_of_something_else(35);
	crowd(8, 10, 77, true);
	assert_int_equal(waves(), 1);
	assert_false(w.incidents[0].acknowledged);
	crowd(3, 5, 77, true);
	assert_int_equal(waves(), 1);
}

/* Nobody has acknowledged yet, and somebody is still to be called: that call tells it. */
static void a_wave_waits_for_the_chain(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	speaks_of_something_else(60);
	crowd(16, 10, 77, true);
	assert_int_equal(told("incident_unanswered", "boss-mail"), 0);
	assert_int_equal(waves(), 0);
	speaks_of_something_else(21);
	assert_int_equal(told("incident_unanswered", "boss-mail"), 1);
	crowd(2, 5, 77, true);
	assert_int_equal(waves(), 1);
}

/* Calm for an hour and then there again, with as many as the first time. */
static void a_second_wave(void **state)
{
	(void)state;
	ordinary_day();
	crowd(9, 20, 77, true);
	somebody_acknowledges();
	speaks_of_something_else(180);
	assert_int_equal(w.incidents[0].code, CODE_YELLOW);
	crowd(9, 20, 77, true);
	assert_int_equal(waves(), 1);
	assert_false(w.incidents[0].acknowledged);
	speaks_of_something_else(360);
	assert_int_equal(w.incidents[0].code, 0);
	assert_int_equal(waves(), 1);
}

/* The service starts again: what it remembers of topics comes from the store. */
static void restart(void)
{
	struct err e = {0};
	struct svc svc = {.store = w.store};
	if (brands_reload_topics(&svc, &w.escalation, &e))
		fail_msg("%s", err_text(&e));
}

static double people_of_the_incident(void)
{
	struct damage_sum sum;
	struct txn *t;
	struct id id;
	assert_int_equal(w.n_incidents, 1);
	memcpy(id.b, w.incidents[0].id, ID_BYTES);
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	assert_int_equal(damage_read(t, "acme", &id, 0, INT64_MAX, &sum, NULL, NULL), 0);
	txn_abort(&t);
	return sum.people;
}

static size_t rows_of(int table)
{
	struct key prefix = turn_key_in(GROUP, &escalation_tables[table]);
	struct span key, value;
	struct cursor *c;
	struct txn *t;
	size_t n = 0;
	assert_int_equal(txn_begin_read(w.store, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0)
		n++;
	cursor_close(&c);
	txn_abort(&t);
	return n;
}

/* Who spoke before a restart counts after it, once; and who counts for an incident is known as long as it is one. */
static void a_crowd_outlives_a_restart(void **state)
{
	(void)state;
	ordinary_day();
	crowd(5, 5, 77, false);
	assert_int_equal(w.n_incidents, 0);
	restart();
	crowd(20, 5, 77, false);
	assert_true(people_of_the_incident() == 25);
	for (int i = 0; i < 3; i++) {
		w.term = 77;
		w.trouble = 78;
		until(w.now_ms + MINUTE);
		says("somebody", "talk", "ask_info");
		restart();
	}
	assert_true(people_of_the_incident() == 26);
	assert_int_equal(rows_of(INCIDENT_PEOPLE), 26);
	for (int hour = 0; hour < 8; hour++)
		crowd(19, 60, 0, false);
	assert_int_equal(w.incidents[0].code, 0);
	assert_int_equal(rows_of(INCIDENT_PEOPLE), 0);
}

/* Who spoke too long ago to count anywhere is forgotten. */
static void mentions_do_not_pile_up(void **state)
{
	(void)state;
	crowd(700, 10, 0, false);
	assert_int_equal(rows_of(MENTIONS), 700);
	until(w.now_ms + 12 * HOUR);
	crowd(260, 30, 0, false);
	assert_in_range(rows_of(MENTIONS), 260, 700);
	crowd(260, 30, 0, false);
	assert_int_equal(rows_of(MENTIONS), 520);
}

/* ---- the checklist of an incident ---- */

static void step_timer_rings(const struct id *incident, int64_t due_ms)
{
	struct id id = id_from(due_ms, span_str("timer"));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)"acme";
	e.occurred_ms = e.received_ms = w.now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e.timer = &timer;
	timer.purpose = (char *)"incident_step";
	timer.subject_id = id_bytes(incident);
	timer.number = (uint64_t)CODE_RED * 10000;
	timer.due_ms = w.now_ms = due_ms;
	assert_int_equal(turn(escalation_timer, &e), DONE);
}

/* What reminded of the step when it was red the first time says nothing of it now. */
static void reminders_of_the_first_time_are_over(void **state)
{
	(void)state;
	Ascolto__Step step;
	struct id incident = red_again(&step);
	step_timer_rings(&incident, w.now_ms + 5 * MINUTE);
	assert_int_equal(told("step_late", "desk-mail"), 0);
	step_timer_rings(&incident, step.due_ms);
	assert_int_equal(told("step_late", "desk-mail"), 1);
}

/* Two people close one incident: the second hears that it is closed. */
static void closed_by_somebody_else(void **state)
{
	(void)state;
	Ascolto__Step step;
	struct id incident = red_again(&step);
	assert_int_equal(about_incident(&incident, true, "ada"), DONE);
	assert_string_equal(w.refused, "");
	assert_refused(about_incident(&incident, true, "bob"), "bob",
		"the incident is closed: there is nothing to close");
	assert_refused(about_incident(&incident, false, "bob"), "bob", "there is nothing to acknowledge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(closed_by_somebody_else),
		T(many_have_trouble),
		T(many_have_none),
		T(one_crowd_one_incident),
		T(words_of_a_known_crowd),
		T(more_people_are_a_wave),
		T(a_wave_waits_for_the_chain),
		T(a_second_wave),
		T(a_crowd_outlives_a_restart),
		T(mentions_do_not_pile_up),
		T(reminders_of_the_first_time_are_over),
	};
	return cmocka_run_group_tests_name("incidents", tests, NULL, NULL);
}
