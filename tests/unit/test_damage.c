/* Measures of damage: sums of any time, people once, calm when it is calm. */
#include "tests/unit/check.h"

#include <math.h>
#include <xxhash.h>

#include "services/escalation/escalation.h"
#include "services/escalation/incidents/sketch.h"

#define HOUR ((int64_t)3600000)
#define START (1763757000000 - 1763757000000 % HOUR)
#define BRAND "brezza"

#define STORE_NOW_MS START
#include "tests/unit/store_here.h"


struct work {
	struct arena arena;
	struct writeset ws;
	struct turn t;
};

static void work_begin(struct work *w)
{
	struct err e = {0};
	arena_init(&w->arena, 1 << 20);
	writeset_init(&w->ws, &w->arena);
	w->t = (struct turn){.arena = &w->arena, .ws = &w->ws, .now_ms = START, .key_group = key_group_of(span_str(BRAND))};
	assert_int_equal(txn_begin_write(store, &w->t.txn, &e), 0);
}

static void work_end(struct work *w)
{
	struct err e = {0};
	assert_int_equal(writeset_apply(&w->ws, w->t.txn, &e), 0);
	assert_int_equal(txn_commit(&w->t.txn, &e), 0);
	arena_free(&w->arena);
}

static void add(struct damage d)
{
	struct work w;
	work_begin(&w);
	assert_int_equal(damage_add(&w.t, BRAND, &d), 0);
	work_end(&w);
}

static struct damage_sum sum(const struct id *incident, int64_t from, int64_t to)
{
	struct txn *t;
	struct damage_sum s;
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	assert_int_equal(damage_read(t, BRAND, incident, from, to, &s, NULL, NULL), 0);
	txn_abort(&t);
	return s;
}

static uint64_t person(uint64_t n)
{
	return XXH3_64bits(&n, sizeof(n));
}

static void test_sketch(void **unused)
{
	(void)unused;
	static const unsigned sizes[] = {0, 1, 2, 10, 50, 200, 1000, 20000, 1000000};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		double error = 0;
		for (uint64_t run = 0; run < 20; run++) {
			uint8_t a[SKETCH_BYTES] = {0}, b[SKETCH_BYTES] = {0};
			for (uint64_t n = 0; n < sizes[i]; n++) /* most of them twice, in two halves that overlap */
				sketch_add(n % 3 ? a : b, person(run << 32 | n)), sketch_add(b, person(run << 32 | n));
			sketch_merge(a, b);
			double e = sizes[i] ? sketch_count(a) / sizes[i] - 1 : sketch_count(a);
			error += e * e / 20;
		}
		if (sqrt(error) > 0.09)
			fail_msg("%u people: error %.3f", sizes[i], sqrt(error));
	}
}

static void test_sums(void **unused)
{
	(void)unused;
	struct id incident = id_from(START, span_str("incident"));
	for (uint64_t n = 0; n < 120; n++) /* a message a minute, of 60 people */
		add((struct damage){.at_ms = START + (int64_t)n * 60000, .incident = n >= 60 ? &incident : NULL,
			.who = person(n % 60), .reach = 10, .fresh_person = n >= 60 && n < 90, .negative = n % 2,
			.case_opened = n % 10 == 0, .case_joined = n == 70});
	add((struct damage){.at_ms = START + 2 * HOUR - 1, .incident = &incident, .acknowledged = 1,
		.acknowledge_ms = 5000, .case_closed = true, .case_late = true});
	struct damage_sum all = sum(NULL, START, START + 3 * HOUR), first = sum(NULL, START, START + HOUR),
			  in = sum(&incident, START, START + 3 * HOUR);
	assert_int_equal(all.messages, 120);
	assert_int_equal(all.negative, 60);
	assert_int_equal(all.reach, 1200);
	assert_int_equal(all.cases, 12);
	assert_true(fabs(all.people - 60) < 6);
	assert_int_equal(first.messages, 60);
	assert_true(fabs(first.people - 60) < 6);
	assert_int_equal(first.closed, 0);
	assert_int_equal(in.messages, 60);
	assert_int_equal((int)in.people, 30);
	assert_int_equal(in.reach, 300);
	assert_int_equal(in.cases, 1);
	assert_int_equal(in.acknowledged, 1);
	assert_int_equal(in.acknowledge_ms, 5000);
	assert_int_equal(in.closed, 1);
	assert_int_equal(in.late, 1);
}

/* A year of one message a day: rows of long ago are gone, those of an incident end after their time. */
static void test_bounded(void **unused)
{
	(void)unused;
	const int64_t from = START + 10 * HOUR, day = 24 * HOUR;
	struct id incident = id_from(from, span_str("long"));
	for (int64_t n = 0; n < 365; n++)
		add((struct damage){.at_ms = from + n * day, .incident = &incident, .who = person((uint64_t)n)});
	assert_int_equal(sum(NULL, 0, from + 400 * day).messages, PULSE_DAYS + 1);
	assert_int_equal(sum(&incident, 0, from + 400 * day).messages, INCIDENT_DAYS + 1);
}

static void test_crowd(void **unused)
{
	(void)unused;
	struct id incident = id_from(START, span_str("begun"));
	struct work w;
	for (int round = 1; round <= 2; round++) { /* another topic joins it: added, not replaced */
		struct damage_crowd crowd = {.last_ms = START + HOUR / 2 - 1};
		for (int n = 0; n < 30; n++)
			damage_crowd_add(&crowd, START + n * 60000);
		damage_crowd_add(&crowd, START - 2 * HOUR); /* too long ago */
		damage_crowd_add(&crowd, START + HOUR);     /* not yet */
		work_begin(&w);
		assert_int_equal(damage_crowd_write(&w.t, &incident, &crowd), 0);
		work_end(&w);
		struct damage_sum s = sum(&incident, START - 3 * HOUR, START + 3 * HOUR);
		assert_int_equal((int)s.people, 30 * round);
		assert_int_equal(s.messages, 30 * round);
		assert_int_equal((int)sum(&incident, START, START + 5 * 60000).people, 5 * round);
	}
	add((struct damage){.at_ms = START, .incident = &incident, .who = 7, .fresh_person = true, .newcomers = 3});
	assert_int_equal((int)sum(&incident, START, START + 5 * 60000).people, 14);
	assert_int_equal(sum(&incident, START, START + 5 * 60000).messages, 14);
}

static void test_calm(void **unused)
{
	(void)unused;
	struct damage_part parts[100];
	size_t n = 0;
	for (int i = 0; i < 36; i++) /* three hours: up, and down, and a word now and then */
		parts[n++] = (struct damage_part){.at_ms = START + i * PULSE_MS,
			.messages = i < 12 ? 10u : i < 18 ? 30u : i < 20 ? 5u : i % 6 == 0};
	/* The last loud five minutes are 17; the hour up to 29 still holds some of them. */
	int64_t calm = damage_calm(parts, n, 2, START + 100 * HOUR);
	assert_true(calm > START + 18 * PULSE_MS && calm <= START + 32 * PULSE_MS);
	assert_int_equal(damage_calm(parts, n, 2, calm + HOUR - 1), 0); /* not known yet */
	assert_int_equal(damage_calm(parts, n, 1000, START + 100 * HOUR), 0); /* never above its normal */
	assert_int_equal(damage_calm(parts, 0, 2, START), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sketch),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_calm),
	};
	return cmocka_run_group_tests(tests, open_store, close_store);
}
