#include "tests/unit/check.h"

/* The sources themselves: these tests need nothing else of the service. */
#include "services/notification/rules.c"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define NOW INT64_C(1700000000000)

static void test_results(void **state)
{
	static const struct {
		struct call_facts facts;
		enum attempt_result expected;
	} rows[] = {
		{{false, CALL_ANSWERED, 200}, ATTEMPT_SENT}, {{false, CALL_ANSWERED, 204}, ATTEMPT_SENT},
		{{false, CALL_UNKNOWN, 200}, ATTEMPT_SENT}, /* its body was too long */
		{{false, CALL_ANSWERED, 301}, ATTEMPT_REJECTED},
		{{false, CALL_ANSWERED, 400}, ATTEMPT_REJECTED},
		{{false, CALL_ANSWERED, 401}, ATTEMPT_REJECTED},
		{{false, CALL_ANSWERED, 404}, ATTEMPT_REJECTED},
		{{false, CALL_ANSWERED, 410}, ATTEMPT_REJECTED}, {{false, CALL_ANSWERED, 408}, ATTEMPT_RETRY},
		{{false, CALL_ANSWERED, 425}, ATTEMPT_RETRY}, {{false, CALL_ANSWERED, 429}, ATTEMPT_RETRY},
		{{false, CALL_ANSWERED, 500}, ATTEMPT_RETRY}, {{false, CALL_ANSWERED, 503}, ATTEMPT_RETRY},
		{{false, CALL_UNKNOWN, 503}, ATTEMPT_RETRY}, {{false, CALL_UNKNOWN, 0}, ATTEMPT_UNKNOWN},
		{{false, CALL_UNKNOWN, 100}, ATTEMPT_UNKNOWN}, {{false, CALL_NOT_SENT, 0}, ATTEMPT_RETRY},
		{{true, CALL_ANSWERED, 250}, ATTEMPT_SENT}, {{true, CALL_ANSWERED, 421}, ATTEMPT_RETRY},
		{{true, CALL_ANSWERED, 451}, ATTEMPT_RETRY}, {{true, CALL_ANSWERED, 535}, ATTEMPT_REJECTED},
		{{true, CALL_ANSWERED, 550}, ATTEMPT_REJECTED}, {{true, CALL_UNKNOWN, 0}, ATTEMPT_UNKNOWN},
		{{true, CALL_UNKNOWN, 354},
			ATTEMPT_UNKNOWN}, /* the text went out, the last reply is that to DATA */
		{{true, CALL_NOT_SENT, 0}, ATTEMPT_RETRY},
		{{true, CALL_NOT_SENT, 250}, ATTEMPT_RETRY}, /* a greeting is not an answer */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (attempt_result_of(&rows[i].facts) != rows[i].expected)
			fail_msg("row %zu: %d", i, attempt_result_of(&rows[i].facts));
}

static void test_deadline(void **state)
{
	(void)state;
	assert_int_equal(deadline_of(NOW, 0), NOW + 24 * HOUR);
	assert_int_equal(deadline_of(NOW, NOW + HOUR), NOW + HOUR);
	assert_int_equal(deadline_of(NOW, NOW + 48 * HOUR), NOW + 24 * HOUR);
	assert_int_equal(deadline_of(NOW, NOW - HOUR), NOW - HOUR);
}

static void test_pauses(void **state)
{
	static const struct {
		uint32_t attempts;
		int64_t at_most_s;
	} rows[] = {{1, 1}, {2, 2}, {3, 4}, {4, 8}, {5, 16}, {8, 128}, {9, 256}, {10, 300}, {11, 300},
		{4000000000u, 300}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool differ = false;
		int64_t first = 0;
		for (uint64_t seed = 0; seed < 200; seed++) {
			int64_t pause = retry_at(rows[i].attempts, NOW, 0, NOW + 24 * HOUR, seed) - NOW;
			assert_in_range(
				pause, rows[i].at_most_s * SECOND * 3 / 4, rows[i].at_most_s * SECOND);
			assert_int_equal(
				pause, retry_at(rows[i].attempts, NOW, 0, NOW + 24 * HOUR, seed) - NOW);
			differ |= seed && pause != first;
			first = pause;
		}
		assert_true(differ);
	}
}

static void test_retry_after(void **state)
{
	int64_t far = NOW + 24 * HOUR;
	(void)state;
	assert_int_equal(retry_at(1, NOW, 17 * SECOND, far, 7), NOW + 17 * SECOND);
	assert_in_range(
		retry_at(6, NOW, SECOND, far, 7), NOW + 24 * SECOND, NOW + 32 * SECOND); /* ours is longer */
	assert_int_equal(retry_at(1, NOW, 10 * HOUR, far, 7), NOW + RETRY_AFTER_MAX_MS);
	assert_int_equal(
		retry_at(9, NOW, 0, NOW + 3 * SECOND, 7), NOW + 3 * SECOND); /* to be found expired then */
	assert_int_equal(retry_at(1, NOW, 0, NOW - 3 * SECOND, 7), NOW);
}

static void test_due(void **state)
{
	static const struct {
		struct due_facts facts;
		enum due expected;
	} rows[] = {
		{{true, NOW, NOW + HOUR, 0, false}, DUE_CALL},
		{{true, NOW - HOUR, NOW + HOUR, CALLS_MAX - 1, false}, DUE_CALL},
		{{true, NOW, NOW + HOUR, CALLS_MAX, false}, DUE_WAIT},
		{{true, NOW, NOW + HOUR, 0, true}, DUE_WAIT},
		{{true, NOW, NOW, CALLS_MAX, false}, DUE_EXPIRE},
		{{true, NOW - HOUR, NOW - HOUR, 0, false}, DUE_EXPIRE},
		{{true, NOW + 1, NOW + HOUR, 0, false}, DUE_NOTHING},
		{{false, NOW, NOW - HOUR, 0, false}, DUE_NOTHING}, /* a call is under way: it ends first */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (due_of(&rows[i].facts, NOW) != rows[i].expected)
			fail_msg("row %zu: %d", i, due_of(&rows[i].facts, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
