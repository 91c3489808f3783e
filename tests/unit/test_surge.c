/* What is normal, how unlikely is what is seen, and which code that deserves. */
#include "tests/unit/check.h"

#include "services/escalation/topics/crowd.h"
#include "services/escalation/topics/surge.h"

#include <math.h>

#define DAY 288 /* samples of five minutes */

static const double steady[NORMAL_WINDOWS] = {1, 1, 1};

/* ---- probability ---- */

/* Summed term by term. */
static double poisson_tail(unsigned people, double mean)
{
	double term = exp(-mean), below = 0;
	for (unsigned i = 0; i < people; i++, term *= mean / i)
		below += term;
	return -log10(1 - below);
}

static double negative_binomial_tail(unsigned people, double mean, double variance)
{
	double r = mean * mean / (variance - mean), p = mean / (mean + r), below = 0, term = pow(1 - p, r);
	for (unsigned i = 0; i < people; i++) {
		below += term;
		term *= (i + r) / (i + 1) * p;
	}
	return -log10(1 - below);
}

static void test_unlikely(void **state)
{
	(void)state;
	static const double means[] = {0.1, 0.5, 1, 4, 20, 100};
	for (size_t m = 0; m < ARRAY_SIZE(means); m++)
		for (unsigned people = (unsigned)means[m] + 1; people < means[m] + 6 * sqrt(means[m]); people++) {
			double want = poisson_tail(people, means[m]);
			double got = unlikely(people, means[m], means[m]);
			if (want < 9)
				assert_true(fabs(got - want) < 0.02);
			want = negative_binomial_tail(people, means[m], means[m] * 3);
			got = unlikely(people, means[m], means[m] * 3);
			assert_true(fabs(got - want) < 0.001);
			assert_true(unlikely(people + 1, means[m], means[m] * 3) > got);
		}
	assert_true(unlikely(0, 5, 5) == 0);
	assert_true(unlikely(5, 5, 5) == 0);
	assert_true(unlikely(100000, 3, 3) > 100); /* and is still a number */
	assert_true(isfinite(unlikely(1000000, 0.02, 5000)));
}

/* ---- learning ---- */

static void live(struct normals *n, unsigned samples, unsigned people)
{
	const unsigned each[NORMAL_WINDOWS] = {people / 4, people, people * 3};
	for (unsigned i = 0; i < samples; i++)
		normals_learn(n, each, steady, DAY);
}

static void test_learns_the_mean(void **state)
{
	(void)state;
	struct normals n;
	normals_begin(&n, 36 * 1000, DAY);
	assert_true(normal_expected(&n, 1, 1) == NORMAL_FLOOR);
	live(&n, 20 * DAY, 40);
	assert_true(fabs(normal_expected(&n, 1, 1) - 40) < 5);
	assert_true(fabs(normal_expected(&n, 2, 1) - 120) < 15);
	assert_true(fabs(normal_expected(&n, 1, 2) - 2 * normal_expected(&n, 1, 1)) < 0.01); /* a busy hour */
	assert_true(normal_unlikely(&n, 1, 1, 40) < 1);
	assert_true(normal_unlikely(&n, 1, 1, 400) > 6);
	/* What is going on teaches nothing yet. */
	double before = normal_expected(&n, 1, 1);
	live(&n, 30, 1000);
	assert_true(normal_expected(&n, 1, 1) == before);
	live(&n, 72, 1000);
	assert_true(normal_expected(&n, 1, 1) > before);
}

/* Long silence at once is as silence one by one. */
static void test_silence(void **state)
{
	(void)state;
	struct normals a, b;
	static const unsigned nobody[NORMAL_WINDOWS];
	normals_begin(&a, 36 * 1000 + 7, DAY);
	live(&a, 16 * DAY, 25);
	b = a;
	for (unsigned i = 0; i < 5000; i++)
		normals_learn(&a, nobody, steady, DAY);
	normals_learn_silence(&b, 5000, steady, DAY);
	assert_int_equal(a.next, b.next);
	assert_int_equal(a.seen, b.seen);
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
		assert_true(fabs((double)(a.of[i].mean - b.of[i].mean)) < 0.02 * (1 + (double)a.of[i].mean));
}

static void test_rhythm(void **state)
{
	(void)state;
	struct rhythm r = {.hour = 0};
	int64_t hour = INT64_C(3600000), start = INT64_C(20000) * 24 * hour;
	for (int64_t h = 0; h < 24 * 28; h++)
		for (int i = 0; i < (h % 24 < 12 ? 10 : 30); i++)
			rhythm_hear(&r, start + h * hour + i);
	assert_true(fabs(rhythm_size(&r) - 20) < 2);
	assert_true(rhythm_at(&r, start + 3 * hour) < 0.65 && rhythm_at(&r, start + 15 * hour) > 1.35);
	double quiet = rhythm_at(&r, start + 11 * hour), busy = rhythm_at(&r, start + 12 * hour);
	assert_true(fabs(rhythm_over(&r, start + 13 * hour, 2 * hour) - (quiet + busy) / 2) < 1e-9);
	assert_true(
		fabs(rhythm_over(&r, start + 12 * hour + hour / 4, hour) - (quiet * 3 + busy) / 4) < 1e-9);
	assert_true(fabs(rhythm_over(&r, start + 12 * hour - 1, hour / 4) - quiet) < 1e-9);
}

/* `weeks` weeks of a brand whose weekdays differ as well as its hours: the largest relative error of what is
 * expected of the next. */
static double rhythm_error(int weeks, double people)
{
	static const double day[7] = {1.0, 1.0, 0.7, 0.6, 1.4, 1.2, 1.1};
	struct rhythm r = {.hour = 0};
	int64_t hour = INT64_C(3600000),
		start = INT64_C(20006) * 24 * hour; /* a Thursday, as 1970 began with */
	double worst = 0;
	for (int64_t h = 0; h <= 168 * weeks; h++)
		for (int i = 0;
			i < (int)lround(people * day[h / 24 % 7] * (1 + 0.5 * sin((double)h * M_PI / 12)));
			i++)
			rhythm_hear(&r, start + h * hour + i);
	for (int h = 0; h < 168; h++) {
		double want = day[h / 24] * (1 + 0.5 * sin(h * M_PI / 12));
		worst = fmax(worst, fabs(rhythm_at(&r, start + h * hour) / want - 1));
	}
	return worst;
}

/* A weekday is known after one week, and its hours by those of other days. */
static void test_rhythm_of_weekdays(void **state)
{
	(void)state;
	assert_true(rhythm_error(1, 1000) < 0.25);
	assert_true(rhythm_error(2, 1000) < 0.10);
	assert_true(rhythm_error(4, 1000) < 0.05);
	assert_true(rhythm_error(4, 50) < 0.10);
}

/* One busy hour of a brand of few people is chance; of many it is an hour that is busy. */
static void test_rhythm_of_few(void **state)
{
	(void)state;
	double busy[2];
	for (int many = 0; many < 2; many++) {
		struct rhythm r = {.hour = 0};
		int64_t hour = INT64_C(3600000), start = INT64_C(20000) * 24 * hour;
		for (int64_t h = 0; h < 30; h++)
			for (int i = 0; i < (h == 5 ? 4 : 1) * (many ? 100 : 1); i++)
				rhythm_hear(&r, start + h * hour + i);
		busy[many] = rhythm_at(&r, start + (5 + 24) * hour);
	}
	assert_true(busy[0] > 1 && busy[0] < 1.5);
	assert_true(busy[1] > 2.5);
}

/*
 * A topic that follows the brand's rhythm is no more spread than people who write independently, though its
 * three hours are never those of the minute they end with, and the quiet hours do not pull its mean down.
 */
static void test_rhythm_is_not_spread(void **state)
{
	(void)state;
	struct normals n;
	struct rhythm r = {.hour = 0};
	int64_t hour = INT64_C(3600000), start = INT64_C(20000) * 24 * hour;
	double shape[24];
	for (int h = 0; h < 24; h++)
		shape[h] = 1 + 0.8 * sin(h * M_PI / 12);
	for (int64_t h = 0; h < 24 * 28; h++)
		for (int i = 0; i < (int)lround(1000 * shape[h % 24]); i++)
			rhythm_hear(&r, start + h * hour + i);
	normals_begin(&n, 0, DAY);
	for (int s = 0; s < 28 * DAY; s++) {
		unsigned people[NORMAL_WINDOWS];
		double rhythm[NORMAL_WINDOWS];
		for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
			int64_t end = start + (int64_t)(s + 1) * hour / 12,
				length = hour * normal_steps[i] / 60;
			double expected = 0;
			for (int64_t at = end - length; at < end; at += hour / 12)
				expected += 20 * shape[at / hour % 24] / 12;
			people[i] = (unsigned)lround(expected);
			rhythm[i] = rhythm_over(&r, end, length);
		}
		normals_learn(&n, people, rhythm, DAY);
	}
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
		double mean = 20.0 * normal_steps[i] / 60;
		assert_true(fabs((double)n.of[i].mean - mean) < mean * 0.05);
		assert_true((double)n.of[i].error < mean);
	}
}

/* ---- codes ---- */

static const struct row {
	unsigned people[NORMAL_WINDOWS];
	double unlikely[NORMAL_WINDOWS], brand;
	bool grave, scaled;
	enum code want;
} rows[] = {
	{{0, 0, 0}, {0, 0, 0}, 0, false, false, CODE_NONE},
	{{0, 19, 19}, {0, 9, 9}, 0, false, false, CODE_NONE},
	{{0, 20, 20}, {0, 9, 9}, 0, false, false, CODE_YELLOW},
	{{0, 200, 200}, {0, 9, 9}, 0, false, false, CODE_RED},
	{{0, 200, 200}, {0, 2, 2}, 0, false, false, CODE_NONE},	 /* as on any day */
	{{15, 15, 15}, {9, 9, 9}, 0, false, false, CODE_YELLOW}, /* a burst */
	{{5, 12, 32}, {1, 1, 9}, 0, false, false, CODE_YELLOW},	 /* slowly */
	{{3, 9, 23}, {1, 1, 9}, 0, false, false, CODE_YELLOW},
	{{3, 9, 22}, {1, 1, 9}, 0, false, false, CODE_NONE}, /* in a brand whose size is not known */
	{{3, 6, 15}, {1, 1, 9}, 100, false, true, CODE_YELLOW},
	{{3, 6, 14}, {1, 1, 9}, 100, false, true, CODE_NONE},
	{{3, 6, 15}, {1, 1, 4.1}, 100, false, true,
		CODE_YELLOW}, /* three windows may be three times as likely */
	{{3, 6, 15}, {1, 1, 3.9}, 100, false, true, CODE_NONE},
	{{0, 20, 20}, {0, 4.1, 9}, 100, false, true, CODE_NONE},
	{{3, 6, 14}, {1, 1, 9}, 20, false, true,
		CODE_NONE}, /* a small one: as many as for that of a hundred an hour */
	{{0, 2, 32}, {0, 1, 9}, 0, false, false, CODE_NONE},   /* it is over */
	{{0, 8, 8}, {0, 9, 9}, 20, false, true, CODE_YELLOW},  /* a small brand */
	{{0, 40, 40}, {0, 9, 9}, 300, false, true, CODE_NONE}, /* a large one */
	{{0, 8, 8}, {0, 9, 9}, 20, false, false, CODE_NONE},   /* whose playbook has its own numbers */
	{{3, 3, 3}, {4, 4, 4}, 0, true, false, CODE_YELLOW},   /* danger */
	{{2, 2, 2}, {4, 4, 4}, 0, true, false, CODE_NONE},
	{{0, 20, 20}, {0, 9, 9}, 0, true, false, CODE_RED},
};

static void test_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct thresholds t = {.yellow_people = 20, .red_people = 200, .grave_people = 3, .over_normal = 4,
			.scaled = rows[i].scaled};
		struct surge s = {.usual = rows[i].brand, .brand = rows[i].brand, .grave = rows[i].grave};
		memcpy(s.people, rows[i].people, sizeof(s.people));
		memcpy(s.unlikely, rows[i].unlikely, sizeof(s.unlikely));
		enum code got = surge_code(&t, &s, NULL);
		if (got != rows[i].want)
			fail_msg("row %zu: %s", i, code_word(got));
	}
}

/* Four windows of calm for each step; what was red stays yellow until a person closes it. */
static void test_calms_down(void **state)
{
	(void)state;
	const int64_t window = 3600000, quarter = window / 4;
	for (int was_red = 0; was_red < 2; was_red++) {
		struct surge_life l = {
			.code = was_red ? CODE_RED : CODE_YELLOW, .was_red = was_red, .told_people = 30};
		int64_t now = 1000000;
		for (int i = 0; i < SURGE_CALM_WINDOWS * 4; i++, now += quarter)
			surge_step_down(&l, true, now, window);
		assert_int_equal(l.code, was_red ? CODE_RED : CODE_YELLOW);
		surge_step_down(&l, false, now, window); /* not so calm after all: the time begins anew */
		assert_int_equal(l.calm_ms, 0);
		for (int i = 0; i <= SURGE_CALM_WINDOWS * 4; i++, now += quarter)
			surge_step_down(&l, true, now, window);
		assert_int_equal(l.code, was_red ? CODE_YELLOW : CODE_NONE);
		assert_int_equal(l.told_people, 0);
		for (int i = 0; i < 100; i++, now += quarter)
			surge_step_down(&l, true, now, window);
		assert_int_equal(l.code, was_red ? CODE_YELLOW : CODE_NONE);
	}
}

/* Told again: twice the people, or anew after a calm window; once a window, and not for a slow one. */
static void test_waves(void **state)
{
	(void)state;
	const struct thresholds t = {.yellow_people = 20, .red_people = 200, .over_normal = 4};
	const int64_t window = 3600000, told = 1000000;
	struct surge s = {.people = {0, 25, 30}};
	struct surge_life l = {.code = CODE_YELLOW, .calm_ms = 1};
	surge_tell(&l, &s, told);
	assert_int_equal(l.told_people, 25);
	assert_int_equal(l.calm_ms, 0);
	s.people[1] = 50;
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window - 1, window));
	assert_true(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window, window));
	assert_true(surge_is_wave(&t, &l, &s, 0, CODE_YELLOW, told + window, window));
	assert_false(surge_is_wave(&t, &l, &s, 2, CODE_YELLOW, told + window, window));
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_NONE, told + window, window));
	s.people[1] = 49;
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window, window));
	l.told_people = 8; /* it was a burst, or slow: the next is one of twice the threshold */
	s.people[1] = 39;
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window, window));
	s.people[1] = 40;
	assert_true(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window, window));
	l.code = CODE_RED; /* who was told of red is not told of yellow */
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + window, window));
	assert_true(surge_is_wave(&t, &l, &s, 1, CODE_RED, told + window, window));

	l.code = CODE_YELLOW;
	s.people[1] = 20;
	surge_step_down(&l, true, told + window, window);
	surge_step_down(&l, true, told + 2 * window - 1, window);
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + 2 * window, window));
	surge_step_down(&l, true, told + 2 * window, window);
	assert_true(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + 2 * window, window));
	assert_false(surge_is_wave(&t, &l, &s, 2, CODE_YELLOW, told + 2 * window, window));
	surge_tell(&l, &s, told + 2 * window);
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + 3 * window, window));
	l.code = CODE_NONE; /* nothing is open: that is no wave but an opening */
	assert_false(surge_is_wave(&t, &l, &s, 1, CODE_YELLOW, told + 9 * window, window));
}

static void test_near(void **state)
{
	(void)state;
	struct thresholds t = {
		.yellow_people = 20, .red_people = 200, .grave_people = 3, .over_normal = 4, .scaled = true};
	struct surge s = {.people = {0, 10, 10}, .unlikely = {0, 9, 9}, .usual = 100, .brand = 100};
	assert_true(surge_is_near(&t, &s) && surge_code(&t, &s, NULL) == CODE_NONE);
	s.people[1] = s.people[2] = 9;
	assert_false(surge_is_near(&t, &s));
	s.people[1] = s.people[2] = 4; /* half of what the smallest brand needs */
	s.usual = s.brand = 5;
	assert_true(surge_is_near(&t, &s));
	s.unlikely[1] = s.unlikely[2] = 2; /* as on any day */
	assert_false(surge_is_near(&t, &s));
}

/* ---- people ---- */

static void test_crowd_forgets(void **state)
{
	(void)state;
	struct crowd c = {.people = NULL};
	for (uint64_t i = 1; i <= 20000; i++)
		assert_true(crowd_add(&c, i, (int64_t)i * 60000, 60000));
	assert_int_equal(crowd_count(&c, 60), 60);
	assert_int_equal(crowd_count(&c, CROWD_STEPS), CROWD_STEPS);
	assert_true(c.cap <= 1024);
	assert_true(crowd_add(&c, 19999, INT64_C(20000) * 60000, 60000));
	assert_int_equal(crowd_count(&c, 60), 60); /* moved, not counted again */
	assert_true(crowd_has(&c, 19999, 60000) && crowd_has(&c, 20000 - CROWD_STEPS + 1, 60000));
	assert_false(crowd_has(&c, 5, 60000));
	assert_true(crowd_add(&c, 5, 60000, 60000)); /* three hundred hours late */
	assert_int_equal(crowd_count(&c, CROWD_STEPS), CROWD_STEPS);
	crowd_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlikely),
		cmocka_unit_test(test_learns_the_mean),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_rhythm),
		cmocka_unit_test(test_rhythm_of_weekdays),
		cmocka_unit_test(test_rhythm_of_few),
		cmocka_unit_test(test_rhythm_is_not_spread),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_calms_down),
		cmocka_unit_test(test_waves),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_crowd_forgets),
	};
	return cmocka_run_group_tests_name("surge", tests, NULL, NULL);
}
