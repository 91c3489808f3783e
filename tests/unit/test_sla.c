/* The two clocks, the states of a case, and who is on call, as tables of rows. */
#include "tests/unit/check.h"

#include "services/escalation/playbook/rotation.h"
#include "services/escalation/cases/sla.h"

#define MINUTE ((int64_t)60000)

static struct zone *rome;
static struct calendar *desk;

/* Minutes since Monday 2026-11-23 00:00 in Rome. */
static int64_t at(int32_t day, int hour, int minute)
{
	int32_t monday = 0;
	assert_int_equal(day_of_date(2026, 11, 23, &monday), 0);
	return zone_instant(rome, monday + day, hour * 60 + minute);
}

/* What happens to a clock of 120 minutes, and when it runs out. */
static const struct clock_row {
	const char *what; /* letters: r = run, s = stand; each at its time */
	struct {
		char what;
		int day, hour, minute;
	} events[5];
	bool never;
	int due_day, due_hour, due_minute;
} clock_rows[] = {
	{"in one morning", {{'r', 0, 9, 0}}, false, 0, 11, 0},
	{"before opening", {{'r', 0, 3, 0}}, false, 0, 11, 0},
	{"over the evening", {{'r', 0, 17, 0}}, false, 1, 10, 0},
	{"over the weekend", {{'r', 4, 17, 30}}, false, 7, 10, 30},
	{"stands", {{'r', 0, 9, 0}, {'s', 0, 10, 0}}, true, 0, 0, 0},
	{"waits an hour", {{'r', 0, 9, 0}, {'s', 0, 10, 0}, {'r', 0, 11, 0}}, false, 0, 12, 0},
	{"waits a night: the same", {{'r', 0, 17, 0}, {'s', 0, 19, 0}, {'r', 1, 8, 0}}, false, 1, 10, 0},
	{"said twice", {{'r', 0, 9, 0}, {'r', 0, 9, 30}, {'s', 0, 10, 0}, {'s', 0, 10, 30}, {'r', 0, 11, 0}}, false, 0, 12, 0},
	{"waits after it ran out", {{'r', 0, 9, 0}, {'s', 0, 15, 0}, {'r', 0, 16, 0}}, false, 0, 16, 0},
	{"the clock on the wall went back", {{'r', 0, 10, 0}, {'s', 0, 9, 0}, {'r', 0, 9, 0}}, false, 0, 11, 0},
};

static void test_clocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clock_rows); i++) {
		const struct clock_row *r = &clock_rows[i];
		struct sla_clock c = {.allowed_ms = 120 * MINUTE};
		for (size_t k = 0; k < 5 && r->events[k].what; k++) {
			int64_t now = at(r->events[k].day, r->events[k].hour, r->events[k].minute);
			if (r->events[k].what == 'r')
				sla_run(&c, now);
			else
				sla_stand(&c, desk, now);
		}
		int64_t want = r->never ? SLA_NEVER : at(r->due_day, r->due_hour, r->due_minute);
		if (sla_due(&c, desk) != want)
			fail_msg("%s: due at %" PRId64 " instead of %" PRId64, r->what, sla_due(&c, desk), want);
	}
}

/* However often a clock stands and runs, it spends what it ran. */
static void test_pauses_lose_nothing(void **state)
{
	(void)state;
	struct sla_clock whole = {.allowed_ms = 6000 * MINUTE}, parts = whole;
	int64_t from = at(0, 8, 0);
	sla_run(&whole, from);
	for (int i = 0; i < 500; i++) {
		sla_run(&parts, from + i * 7 * MINUTE);
		sla_stand(&parts, desk, from + (i + 1) * 7 * MINUTE);
	}
	assert_int_equal(parts.spent_ms, sla_spent(&whole, desk, from + 500 * 7 * MINUTE));
	assert_int_equal(sla_spent(&parts, desk, from + 9000 * MINUTE), parts.spent_ms);
	sla_run(&parts, from + 3500 * MINUTE);
	assert_int_equal(sla_due(&parts, desk), sla_due(&whole, desk));
}

static void test_states(void **state)
{
	(void)state;
	static const struct {
		enum case_state from;
		const char *verb;
		const char *to; /* NULL = refused */
	} rows[] = {
		{CASE_NEW, "acknowledge", "acknowledged"}, {CASE_NEW, "start", "in_progress"}, {CASE_NEW, "close", "closed"},
		{CASE_NEW, "reopen", NULL}, {CASE_ACKNOWLEDGED, "acknowledge", "acknowledged"},
		{CASE_ACKNOWLEDGED, "start", "in_progress"}, {CASE_IN_PROGRESS, "acknowledge", "in_progress"},
		{CASE_IN_PROGRESS, "wait", "waiting"}, {CASE_IN_PROGRESS, "offline", "offline"},
		{CASE_WAITING, "start", "in_progress"}, {CASE_WAITING, "solve", "solved"}, {CASE_OFFLINE, "solve", "solved"},
		{CASE_OFFLINE, "start", "in_progress"}, {CASE_SOLVED, "start", NULL}, {CASE_SOLVED, "wait", NULL},
		{CASE_SOLVED, "close", "closed"}, {CASE_SOLVED, "reopen", "reopened"}, {CASE_CLOSED, "close", "closed"},
		{CASE_CLOSED, "solve", NULL}, {CASE_CLOSED, "offline", NULL}, {CASE_CLOSED, "reopen", "reopened"},
		{CASE_CLOSED, "acknowledge", "closed"}, {CASE_REOPENED, "acknowledge", "acknowledged"},
		{CASE_REOPENED, "solve", "solved"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int verb = case_verb_of(rows[i].verb);
		assert_true(verb >= 0);
		assert_string_equal(case_verb_word((enum case_verb)verb), rows[i].verb);
		int to = case_step(rows[i].from, (enum case_verb)verb);
		if (to < 0 ? rows[i].to != NULL : !str_eq(case_state_word((enum case_state)to), rows[i].to))
			fail_msg("%s, %s: %d", case_state_word(rows[i].from), rows[i].verb, to);
	}
	/* What the customer writes is nobody's command. */
	assert_int_equal(case_verb_of("heard"), -1);
	assert_int_equal(case_verb_of(NULL), -1);
	assert_int_equal(case_step(CASE_WAITING, VERB_HEARD), CASE_IN_PROGRESS);
	assert_int_equal(case_step(CASE_SOLVED, VERB_HEARD), CASE_REOPENED);
	assert_int_equal(case_step(CASE_CLOSED, VERB_HEARD), CASE_REOPENED);
	assert_int_equal(case_step(CASE_OFFLINE, VERB_HEARD), CASE_OFFLINE);
	assert_int_equal(case_step(CASE_STATES, VERB_CLOSE), -1);
}

static void test_clocks_follow_states(void **state)
{
	(void)state;
	static const struct {
		enum case_state state;
		bool acknowledge, resolve, resolve_pausing;
	} rows[CASE_STATES] = {
		{CASE_NEW, true, true, true}, {CASE_ACKNOWLEDGED, false, true, true}, {CASE_IN_PROGRESS, false, true, true},
		{CASE_WAITING, false, true, false}, {CASE_OFFLINE, false, true, true}, {CASE_SOLVED, false, false, false},
		{CASE_CLOSED, false, false, false}, {CASE_REOPENED, true, true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(sla_acknowledge_runs(rows[i].state), rows[i].acknowledge);
		assert_int_equal(sla_resolve_runs(rows[i].state, false), rows[i].resolve);
		assert_int_equal(sla_resolve_runs(rows[i].state, true), rows[i].resolve_pausing);
	}
}

/* ---- who is on call ---- */

static void test_rotation(void **state)
{
	(void)state;
	static const unsigned people[] = {7, 3, 5};
	const struct rotation_override overrides[] = {
		{at(1, 12, 0), at(2, 12, 0), 9},
		{at(1, 18, 0), at(1, 20, 0), 4}, /* the later entry goes before */
	};
	struct rotation weekly = {.zone = rome, .at_minute = 480, .turn_days = 7, .members = people, .members_count = 3,
		.overrides = overrides, .overrides_count = 2};
	assert_int_equal(day_of_date(2026, 11, 23, &weekly.start_day), 0);
	static const struct {
		int day, hour, minute;
		unsigned who;
	} rows[] = {
		{0, 8, 0, 7}, {0, 7, 59, 5}, {6, 23, 0, 7}, {7, 7, 59, 7}, {7, 8, 0, 3}, {14, 8, 0, 5}, {21, 8, 0, 7},
		{-7, 8, 0, 5}, {-7, 7, 0, 3}, {-14, 9, 0, 3}, {1, 11, 59, 7}, {1, 12, 0, 9}, {1, 18, 0, 4}, {1, 20, 0, 9},
		{2, 12, 0, 7},
		{700, 8, 0, 3}, /* a hundred weeks on, two changes of the clock between */
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rotation_on_call(&weekly, at(rows[i].day, rows[i].hour, rows[i].minute)) != rows[i].who)
			fail_msg("row %zu: %u", i, rotation_on_call(&weekly, at(rows[i].day, rows[i].hour, rows[i].minute)));
	struct rotation daily = {.zone = rome, .start_day = weekly.start_day, .turn_days = 1, .members = people,
		.members_count = 3};
	for (int day = -400; day < 400; day++)
		assert_int_equal(rotation_on_call(&daily, at(day, 13, 0)), people[(day % 3 + 3) % 3]);
}

static int setup(void **state)
{
	(void)state;
	static const struct calendar_hours hours[] = {{0x1f, 540, 1080}};
	const struct calendar_spec s = {.time_zone = "Europe/Rome", .hours = hours, .hours_count = 1};
	char where[32];
	return zone_open(&rome, "Europe/Rome", NULL) || calendar_new(&desk, &s, where, NULL);
}

static int teardown(void **state)
{
	(void)state;
	zone_close(&rome);
	calendar_free(&desk);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_pauses_lose_nothing),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_clocks_follow_states),
		cmocka_unit_test(test_rotation),
	};
	return cmocka_run_group_tests_name("sla", tests, setup, teardown);
}
