/* How customers are cared for: what is counted, for whom, and what the verdict is. */
#include "tests/unit/check.h"

#include "services/escalation/escalation.h"
#include "services/escalation/evidence/score.h"

#define DAY ((int64_t)86400000)
#define NOW ((int64_t)1763757000000)
#define BRAND "brezza"

#define STORE_NOW_MS NOW
#include "tests/unit/store_here.h"

static void add_of(struct damage d, const char *channel, const char *owner, const char *team)
{
	struct arena a;
	struct writeset ws;
	struct err e = {0};
	arena_init(&a, 1 << 20);
	writeset_init(&ws, &a);
	struct turn t = {.arena = &a, .ws = &ws, .now_ms = NOW, .key_group = key_group_of(span_str(BRAND))};
	assert_int_equal(txn_begin_write(store, &t.txn, &e), 0);
	assert_int_equal(score_add(&t, BRAND, &d, channel, owner, team), 0);
	assert_int_equal(writeset_apply(&ws, t.txn, &e), 0);
	assert_int_equal(txn_commit(&t.txn, &e), 0);
	arena_free(&a);
}

static void add(struct damage d, const char *channel, const char *owner)
{
	add_of(d, channel, owner, NULL);
}

/* The rows of a name, added up; and how many there are of all names. */
static State__Score sum_of(const char *name, int *ret_rows)
{
	State__Score all = STATE__SCORE__INIT;
	struct key k = turn_key_in(key_group_of(span_str(BRAND)), &escalation_tables[SCORES]);
	struct txn *t;
	struct cursor *c;
	struct span key, value;
	*ret_rows = 0;
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &k, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0) {
		State__Score *s = state__score__unpack(NULL, value.len, value.data);
		(*ret_rows)++;
		if (str_eq(s->name, name)) {
			all.messages += s->messages;
			all.requests += s->requests;
			all.acknowledged += s->acknowledged;
			all.in_time += s->in_time;
			all.acknowledge_ms += s->acknowledge_ms;
			all.silent += s->silent;
			all.closed += s->closed;
			all.reopened += s->reopened;
			all.answers += s->answers;
			all.tone_right += s->tone_right;
			all.measured += s->measured;
			all.clear += s->clear;
		}
		state__score__free_unpacked(s, NULL);
	}
	cursor_close(&c);
	txn_abort(&t);
	return all;
}

static void test_counts(void **unused)
{
	(void)unused;
	int rows;
	for (int n = 0; n < 10; n++)
		add((struct damage){.at_ms = NOW, .who = 1, .request = n < 3, .case_opened = n < 2}, n % 2 ? "x" : "mail", NULL);
	add((struct damage){.at_ms = NOW, .acknowledged = 1, .acknowledge_ms = 5000, .in_time = true}, "x", "anna");
	add((struct damage){.at_ms = NOW, .silent = true}, "x", "bruno");
	add((struct damage){.at_ms = NOW, .case_closed = true}, "x", "anna");
	add((struct damage){.at_ms = NOW, .case_reopened = true}, "mail", "anna");
	State__Score all = sum_of("", &rows), x = sum_of("x", &rows), anna = sum_of("anna", &rows), bruno = sum_of("bruno", &rows);
	assert_int_equal(rows, 5); /* the brand, two channels, two people */
	assert_int_equal(all.messages, 10);
	assert_int_equal(all.requests, 3);
	assert_int_equal(all.in_time, 1);
	assert_int_equal(x.messages, 5);
	assert_int_equal(x.closed, 1);
	assert_int_equal(anna.acknowledge_ms, 5000);
	assert_int_equal(anna.closed, 1);
	assert_int_equal(anna.reopened, 1);
	assert_int_equal(anna.silent, 0);
	assert_int_equal(bruno.silent, 1);
}

/* Answers to many in one turn: each row is written once. */
static void test_answers(void **unused)
{
	(void)unused;
	struct score_row rows[8];
	struct score_sheet sheet = {.at_ms = NOW, .rows = rows, .max = ARRAY_SIZE(rows)};
	struct arena a;
	struct writeset ws;
	int n;
	arena_init(&a, 1 << 20);
	writeset_init(&ws, &a);
	struct turn t = {.arena = &a, .ws = &ws, .now_ms = NOW, .key_group = key_group_of(span_str(BRAND))};
	for (int i = 0; i < 10; i++)
		score_note(&sheet,
			&(struct damage){.answer = true,
				.tone_right = i < 7,
				.clear_known = i < 6,
				.clear = i < 4,
				.acknowledged = i < 3,
				.in_time = i < 2},
			i % 2 ? "web" : "post", "carla", i < 5 ? "care" : "");
	assert_int_equal(sheet.n, 5); /* the brand, two channels, who wrote, the team */
	assert_int_equal(txn_begin_write(store, &t.txn, NULL), 0);
	assert_int_equal(score_write(&t, BRAND, &sheet), 0);
	assert_int_equal(writeset_apply(&ws, t.txn, NULL), 0);
	assert_int_equal(txn_commit(&t.txn, NULL), 0);
	arena_free(&a);
	add_of((struct damage){.at_ms = NOW, .silent = true}, "web", "desk", "care");
	State__Score carla = sum_of("carla", &n), care = sum_of("care", &n), web = sum_of("web", &n);
	assert_int_equal(carla.answers, 10);
	assert_int_equal(carla.tone_right, 7);
	assert_int_equal(carla.measured, 6);
	assert_int_equal(carla.clear, 4);
	assert_int_equal(carla.acknowledged, 3);
	assert_int_equal(carla.in_time, 2);
	assert_int_equal(care.answers, 5);
	assert_int_equal(care.silent, 1);
	assert_int_equal(web.answers, 5);
	sheet.n = 0;
	sheet.max = 2; /* what finds no row is left out; nothing is overwritten */
	score_note(&sheet, &(struct damage){.answer = true}, "a", "b", "c");
	score_note(&sheet, &(struct damage){.answer = true}, "d", "e", "f");
	assert_int_equal(sheet.n, 2);
	assert_int_equal(rows[0].sum.answers, 2);
	assert_int_equal(rows[1].sum.answers, 1);
}

static void test_bounded(void **unused)
{
	(void)unused;
	int rows;
	for (int n = 1; n <= SCORE_DAYS + 100; n++)
		add((struct damage){.at_ms = NOW + n * DAY, .who = 1}, "x", NULL);
	sum_of("", &rows);
	assert_int_equal(rows, 2 * SCORE_DAYS);
}

static void test_verdict(void **unused)
{
	(void)unused;
	static const struct {
		uint64_t requests, messages;
		const char *verdict;
	} rows[] = {{0, 0, ""}, {19, 19, ""}, {0, 20, "few"}, {9, 100, "few"}, {10, 100, "right"}, {50, 100, "right"},
		{51, 100, "too many"}, {100, 100, "too many"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(score_verdict(rows[i].requests, rows[i].messages), rows[i].verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_verdict),
	};
	return cmocka_run_group_tests(tests, open_store, close_store);
}
