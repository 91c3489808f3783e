#include "services/ingest/rules.h"
#include "tests/unit/check.h"

#define NOW INT64_C(1763757000000)
#define DAY INT64_C(86400000)

static void posts_are_checked(void **state)
{
	(void)state;
	static const struct {
		struct post_facts facts;
		enum refusal want;
	} rows[] = {
		{{"1", true, 5, true, NOW}, REFUSAL_NONE},
		{{"1", true, 0, false, 0}, REFUSAL_NONE},
		{{"", true, 5, true, NOW}, REFUSAL_NATIVE_ID},
		{{NULL, true, 5, true, NOW}, REFUSAL_NATIVE_ID},
		{{"1", false, 5, true, NOW}, REFUSAL_KIND},
		{{"1", true, POST_TEXT_MAX, true, NOW}, REFUSAL_NONE},
		{{"1", true, POST_TEXT_MAX + 1, true, NOW}, REFUSAL_TEXT_TOO_LONG},
		{{"1", true, 5, true, NOW + DAY}, REFUSAL_NONE},
		{{"1", true, 5, true, NOW + DAY + 1}, REFUSAL_FUTURE},
		{{"1", true, 5, true, INT64_MAX}, REFUSAL_FUTURE},
		{{"1", true, 5, true, POST_OLDEST_MS}, REFUSAL_NONE},
		{{"1", true, 5, true, POST_OLDEST_MS - 1}, REFUSAL_TOO_OLD},
		{{"1", true, 5, true, -1}, REFUSAL_TOO_OLD},
		{{"1", true, 5, true, INT64_MIN}, REFUSAL_TOO_OLD},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(post_check(&rows[i].facts, NOW), rows[i].want);
}

static void channels_are_chosen(void **state)
{
	(void)state;
	static const struct {
		bool catches_all;
		const char *said;
		const char *said_brand; /* NULL: not configured */
		const char *channel;	/* NULL: refused */
		const char *network;
	} rows[] = {
		{false, NULL, NULL, "hook", "x"},
		{false, "", NULL, "hook", "x"},
		{false, "other", NULL, NULL, NULL},
		{false, "mail", "acme", NULL,
			NULL}, /* one channel's key does not speak for another channel */
		{true, NULL, NULL, "hook", "x"},
		{true, "anything", NULL, "anything", "x"},
		{true, "mail", "acme", "mail", "email"},
		{true, "rival", "rival", NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct channel_facts facts = {"hook", "acme", "x", rows[i].catches_all, rows[i].said,
			rows[i].said_brand, rows[i].said_brand, "email"};
		struct channel_choice choice = {0};
		enum refusal r = channel_choose(&facts, &choice);
		assert_int_equal(r, rows[i].channel ? REFUSAL_NONE : REFUSAL_CHANNEL);
		if (r)
			continue;
		assert_string_equal(choice.channel, rows[i].channel);
		assert_string_equal(choice.network, rows[i].network);
		assert_string_equal(choice.brand, "acme");
	}
	const struct channel_facts own = {"hook", "acme", "x", false, "hook", true, "acme", "x"};
	struct channel_choice choice;
	assert_int_equal(channel_choose(&own, &choice), REFUSAL_NONE);
	assert_string_equal(choice.network, "x");
}

static void seen_is_kept_seven_days(void **state)
{
	(void)state;
	assert_false(seen_is_old(NOW, NOW));
	assert_false(seen_is_old(NOW - 7 * DAY, NOW));
	assert_true(seen_is_old(NOW - 7 * DAY - 1, NOW));
	assert_false(seen_is_old(NOW + DAY, NOW));
}

static void every_refusal_has_its_word(void **state)
{
	(void)state;
	for (int a = 0; a < REFUSALS; a++) {
		assert_non_null(refusal_word((enum refusal)a));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(refusal_word((enum refusal)a), refusal_word((enum refusal)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_are_checked),
		cmocka_unit_test(channels_are_chosen),
		cmocka_unit_test(seen_is_kept_seven_days),
		cmocka_unit_test(every_refusal_has_its_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
