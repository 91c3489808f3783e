#include "tests/unit/check.h"

/* A program of tests links common/ only; what is tested here is one pure file. */
#include "services/console/rules.c"

static void test_origin(void **state)
{
	(void)state;
	static const struct {
		const char *origin, *host;
		bool ours;
	} rows[] = {
		{NULL, "127.0.0.1:7420", true},
		{"http://127.0.0.1:7420", "127.0.0.1:7420", true},
		{"https://console.brezza.example", "console.brezza.example", true},
		{"HTTPS://Console.Brezza.Example", "console.brezza.example", true},
		{"http://127.0.0.1:7421", "127.0.0.1:7420", false},
		{"http://localhost:7420", "127.0.0.1:7420", false},
		{"http://evil.example", "127.0.0.1:7420", false},
		{"http://127.0.0.1:7420.evil.example", "127.0.0.1:7420", false},
		{"null", "127.0.0.1:7420", false},
		{"", "127.0.0.1:7420", false},
		{"http://", "", false},
		{"http://127.0.0.1:7420", NULL, false},
		{"file://127.0.0.1:7420", "127.0.0.1:7420", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (origin_is_ours(rows[i].origin, rows[i].host) != rows[i].ours)
			fail_msg("row %zu: %s", i, rows[i].origin);
}

static void test_json_type(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		bool json;
	} rows[] = {
		{"application/json", true},
		{"Application/JSON; charset=utf-8", true},
		{"application/json ;x=y", true},
		{NULL, false},
		{"", false},
		{"text/plain", false},
		{"application/jsonp", false},
		{"application/x-www-form-urlencoded", false},
		{"text/plain; application/json", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is_json_type(rows[i].type) != rows[i].json)
			fail_msg("row %zu: %s", i, rows[i].type);
}

static void test_limit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t limit; /* 0: refused */
	} rows[] = {
		{NULL, 50},
		{"1", 1},
		{"200", 200},
		{"201", 0},
		{"0", 0},
		{"", 0},
		{"-1", 0},
		{"ten", 0},
		{"1e2", 0},
		{" 5", 0},
		{"99999999999999999999999", 0},
		{"007", 7},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t limit = 0;
		bool ok = read_limit(rows[i].text, LIST_DEFAULT, &limit);
		if (ok != (rows[i].limit != 0) || limit != rows[i].limit)
			fail_msg("row %zu: %s gave %zu", i, rows[i].text, limit);
	}
}

static void test_words(void **state)
{
	(void)state;
	enum which_cases cases = CASES_ALL;
	enum which_messages messages = MESSAGES_IN_INCIDENT;
	assert_true(read_which_cases(NULL, &cases));
	assert_int_equal(cases, CASES_OPEN);
	assert_true(read_which_cases("closed", &cases));
	assert_int_equal(cases, CASES_CLOSED);
	assert_false(read_which_cases("Open", &cases));
	assert_false(read_which_cases("", &cases));
	assert_true(read_which_messages(NULL, &messages));
	assert_int_equal(messages, MESSAGES_ALL);
	assert_true(read_which_messages("needs_answer", &messages));
	assert_int_equal(messages, MESSAGES_NEED_ANSWER);
	assert_false(read_which_messages("x", &messages));
}

static void test_text(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t max;
		bool may_be_empty;
		const char *fault;
	} rows[] = {
		{"Anna Riva", 80, false, NULL},
		{"Søren 社", 80, false, NULL},
		{NULL, 80, false, "is missing"},
		{NULL, 80, true, NULL},
		{"", 80, false, "is empty"},
		{"   ", 80, false, "is empty"},
		{"", 80, true, NULL},
		{"Anna\nRiva", 80, false, "holds a control character"},
		{"Anna\x1b[2J", 80, false, "holds a control character"},
		{"12345", 4, false, "is too long"},
		{"1234", 4, false, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *fault = text_fault(rows[i].text, rows[i].max, rows[i].may_be_empty);
		if (!str_eq(fault, rows[i].fault) || !fault != !rows[i].fault)
			fail_msg("row %zu: %s", i, fault);
	}
}

/* What customers read may have lines, and must have words. */
static void test_what_customers_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"Buongiorno,\nci lavoriamo. Anna", NULL},
		{NULL, "is missing"},
		{"", "is empty"},
		{" \n ", "is empty"},
		{"uno\tdue", "holds a control character"},
		{"Anna\x1b[2J", "holds a control character"},
		{"0123456789012345678901234567890123456789", "is too long"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *fault = words_fault(rows[i].text, 39);
		if (!str_eq(fault, rows[i].fault) || !fault != !rows[i].fault)
			fail_msg("row %zu: %s", i, fault);
	}
}

static void test_corrections(void **state)
{
	(void)state;
	static const struct {
		const char *task, *label;
		bool known;
	} rows[] = {
		{"intent", "complain", true},
		{"intent", "ask_info", true},
		{"intent", "other", true},
		{"intent", "ask", false},
		{"intent", "info", false},
		{"intent", "complain praise", false},
		{"intent", "", false},
		{"intent", NULL, false},
		{"expectation", "refund", true},
		{"expectation", "complain", false},
		{"event", "none", true},
		{"sentiment", "negative", true},
		{"lane", "polemic", true},
		{"code", "red", false},
		{"", "red", false},
		{NULL, "red", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (correction_is_known(rows[i].task, rows[i].label) != rows[i].known)
			fail_msg("row %zu: %s %s", i, rows[i].task, rows[i].label);
}

static void test_cut(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t max, len;
	} rows[] = {
		{"abc", 3, 3},
		{"abc", 2, 2},
		{"", 0, 0},
		{"perché", 6, 5},
		{"perché", 7, 7},
		{"😀", 3, 0},
		{"a😀", 4, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (text_cut(rows[i].text, strlen(rows[i].text), rows[i].max) != rows[i].len)
			fail_msg("row %zu", i);
}

static void test_needs_answer(void **state)
{
	(void)state;
	for (int s = 0; s < 8; s++) {
		assert_int_equal(case_is_open(s), s < 5 || s == 7);
		assert_int_equal(needs_answer(true, s), s < 5 || s == 7);
		assert_false(needs_answer(false, s));
	}
	assert_false(case_is_open(-1));
}

static void test_push_due(void **state)
{
	(void)state;
	assert_int_equal(push_due_ms(-PUSH_EVERY_MS, 0), 0);
	assert_int_equal(push_due_ms(1000, 1001), 1000 + PUSH_EVERY_MS);
	assert_int_equal(push_due_ms(1000, 1000 + PUSH_EVERY_MS), 1000 + PUSH_EVERY_MS);
	assert_int_equal(push_due_ms(1000, 90000), 90000);
	assert_int_equal(push_due_ms(1000, 10), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_json_type),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_what_customers_read),
		cmocka_unit_test(test_corrections),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_needs_answer),
		cmocka_unit_test(test_push_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
