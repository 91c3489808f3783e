#include "common/id.h"
#include "tests/unit/check.h"

static void text_goes_round(void **state)
{
	(void)state;
	static const uint8_t samples[][ID_BYTES] = {
		{0},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	};
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct id id, back;
		char text[ID_TEXT + 1];
		memcpy(id.b, samples[i], ID_BYTES);
		assert_int_equal(strlen(id_format(&id, text)), ID_TEXT);
		assert_int_equal(id_parse(text, &back), 0);
		assert_true(id_eq(&id, &back));
	}
	/* A published ULID example: its time part is 1469918176385 ms. */
	struct id id;
	assert_int_equal(id_parse("01ARYZ6S41TSV4RRFFQ69G5FAV", &id), 0);
	assert_int_equal(id_ms(&id), 1469918176385);
}

static void wrong_text_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "0", "81ARYZ6S41TSV4RRFFQ69G5FAV", "01ARYZ6S41TSV4RRFFQ69G5FA",
		"01ARYZ6S41TSV4RRFFQ69G5FAVX", "01ARYZ6S41TSV4RRFFQ69G5FAU", "01ARYZ6S41TSV4RRFFQ69G5F V"};
	struct id id;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(id_parse(wrong[i], &id), -EINVAL);
	assert_int_equal(id_parse(NULL, &id), -EINVAL);
}

static void derived_ids_repeat_and_differ(void **state)
{
	(void)state;
	struct id cause = id_from(1700000000000, span_str("post 1"));
	struct id a = id_derive(&cause, "case", 0), b = id_derive(&cause, "case", 1), c = id_derive(&cause, "order", 0);
	struct id again = id_derive(&cause, "case", 0);
	assert_true(id_eq(&a, &again));
	assert_false(id_eq(&a, &b));
	assert_false(id_eq(&a, &c));
	assert_int_equal(id_ms(&a), 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_goes_round),
		cmocka_unit_test(wrong_text_is_refused),
		cmocka_unit_test(derived_ids_repeat_and_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
