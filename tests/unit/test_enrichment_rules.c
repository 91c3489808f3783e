/* Enrichment's rules as tables of rows. */
#include "tests/unit/check.h"

#include "services/enrichment/rules.h"

#define DAY ((int64_t)86400000)
#define T0 ((int64_t)1763757000000)

static const struct {
	const char *what;
	struct customer_facts facts;
	enum customer_type want;
} type_rows[] = {
	{"first message", {1, 0, T0, T0, TYPE_UNKNOWN}, TYPE_NEW},
	{"first message, seen long ago", {1, 0, T0 - 90 * DAY, T0, TYPE_NEW}, TYPE_NEW},
	{"many within the month", {50, 0, T0 - 29 * DAY, T0, TYPE_NEW}, TYPE_NEW},
	{"a month is over", {2, 0, T0 - 30 * DAY, T0, TYPE_NEW}, TYPE_CUSTOMER},
	{"one millisecond less", {2, 0, T0 - 30 * DAY + 1, T0, TYPE_NEW}, TYPE_NEW},
	{"two cases", {9, 2, T0 - 90 * DAY, T0, TYPE_CUSTOMER}, TYPE_CUSTOMER},
	{"three cases", {9, 3, T0 - 90 * DAY, T0, TYPE_CUSTOMER}, TYPE_COMPLAINER},
	{"three cases in a week", {9, 3, T0 - 7 * DAY, T0, TYPE_NEW}, TYPE_COMPLAINER},
	{"a complainer stays one", {9, 8, T0 - 400 * DAY, T0, TYPE_COMPLAINER}, TYPE_COMPLAINER},
	{"praised on three days", {9, 2, T0 - 90 * DAY, T0, TYPE_CUSTOMER, .praise_days = 3}, TYPE_ADVOCATE},
	{"praised on two", {9, 0, T0 - 90 * DAY, T0, TYPE_CUSTOMER, .praise_days = 2}, TYPE_CUSTOMER},
	{"as many cases as days of praise", {9, 3, T0 - 90 * DAY, T0, TYPE_ADVOCATE, .praise_days = 3}, TYPE_COMPLAINER},
	{"reach is not praise", {9, 0, T0 - 90 * DAY, T0, TYPE_CUSTOMER, .praise_days = 9, .influencer = true}, TYPE_CUSTOMER},
	{"a person said so", {1, 0, T0, T0, TYPE_NEW, .advocate = "yes"}, TYPE_ADVOCATE},
	{"even with cases", {9, 8, T0 - 400 * DAY, T0, TYPE_COMPLAINER, .advocate = "yes"}, TYPE_ADVOCATE},
	{"a person said no", {9, 0, T0 - 90 * DAY, T0, TYPE_ADVOCATE, .praise_days = 9, .advocate = "no"}, TYPE_CUSTOMER},
	{"who left praises", {9, 0, T0 - 90 * DAY, T0, TYPE_EX, .praise_days = 9}, TYPE_EX},
	{"who left", {9, 8, T0 - 400 * DAY, T0, TYPE_EX}, TYPE_EX},
	{"a prospect who writes again", {5, 0, T0 - 40 * DAY, T0, TYPE_PROSPECT}, TYPE_CUSTOMER},
	{"the clock went back", {5, 0, T0 + DAY, T0, TYPE_NEW}, TYPE_NEW},
};

static void test_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(type_rows); i++)
		if (rules_customer_type(&type_rows[i].facts) != type_rows[i].want)
			fail_msg("%s: %d", type_rows[i].what, (int)rules_customer_type(&type_rows[i].facts));
}

static void test_influencer(void **state)
{
	(void)state;
	static const struct {
		uint64_t followers;
		bool verified, want;
	} rows[] = {
		{0, false, false},
		{0, true, false},
		{9999, true, false},
		{10000, true, true},
		{10000, false, false},
		{49999, false, false},
		{50000, false, true},
		{50000, true, true},
		{UINT64_MAX, false, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(rules_influencer(rows[i].followers, rows[i].verified), rows[i].want);
}

static void test_vip(void **state)
{
	(void)state;
	static const struct {
		const char *entry, *handle, *scope, *value;
		bool want;
	} rows[] = {
		{"sindaca", "sindaca", "", "", true},
		{"@sindaca", "sindaca", "", "", true},
		{"sindaca", "@sindaca", "", "", true},
		{"@Sindaca", "@SINDACA", "", "", true},
		{"sindaca", "sindaca2", "", "", false},
		{"sindaca2", "sindaca", "", "", false},
		{"sindaca", "", "x", "sindaca", false}, /* an id is not a handle */
		{"", "", "", "", false},
		{"@", "", "", "", false},
		{"@", "@", "", "", false},
		{"email:p@x.example", "", "email", "p@x.example", true},
		{"Email:P@X.example", "", "email", "p@x.EXAMPLE", true},
		{"email:p@x.example", "p@x.example", "phone", "p@x.example", false},
		{"email:p@x.example", "", "email", "p@x.example.org", false},
		{"mail:p", "", "email", "p", false},
		{"email:p", "", "mail", "p", false},
		{"email:p", "", "ema", "p", false},
		{"x:a:b", "", "x", "a:b", true},
		{"x:a:b", "", "x:a", "b", false},
		{"email:p", "email:p", "", "", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rules_is_vip(rows[i].entry, rows[i].handle, rows[i].scope, rows[i].value) != rows[i].want)
			fail_msg("row %zu: \"%s\" and @%s %s:%s", i, rows[i].entry, rows[i].handle,
				rows[i].scope, rows[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_influencer),
		cmocka_unit_test(test_vip),
	};
	return cmocka_run_group_tests_name("enrichment rules", tests, NULL, NULL);
}
