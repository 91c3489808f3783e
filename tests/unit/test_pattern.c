/* Expressions: what matches, what is refused, and that nothing takes long. */
#include "tests/unit/check.h"

#include "common/pattern.h"

static void test_matches(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *text;
		bool matches;
	} rows[] = {
		{"class action", "We will start a CLASS ACTION!", true},
		{"\\bcodacons\\b", "ho scritto al Codacons.", true},
		{"\\bcodacons\\b", "codaconsiglio", false},
		{"perch\xc3\xa9", "PERCH\xc3\x89 non rispondete", true},
		{"^\\s*(stop|fermatevi)", "  Fermatevi subito", true},
		{"brucia(to|ndo)?", "sta bruciando", true},
		{"[0-9]{5,}", "ordine 12345", true},
		{"a.*b", "a \n b", false},
		{"(?s)a.*b", "a \n b", true},
		{"x", "", false},
		{"ab", "\xff\xfe" "ab", true}, /* bytes that are no text are passed over */
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pattern *p CLEANUP(pattern_free) = NULL;
		struct err e = {0};
		bool gave_up = true;
		if (pattern_new(&p, rows[i].expression, &e))
			fail_msg("%s: %s", rows[i].expression, err_text(&e));
		if (pattern_matches(p, span_str(rows[i].text), &gave_up) != rows[i].matches || gave_up)
			fail_msg("%s on %s", rows[i].expression, rows[i].text);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *says;
	} rows[] = {
		{"", "from 1 to 500"},
		{"(", "character 2"},
		{"a)", "character 2"},
		{"[a-", "character"},
		{"*a", "character 1"},
		{"a{3,1}", "character"},
		{"\\C", "character"},
		{"\\p{Nonsense}", "character"},
		/* Exponential. */
		{"(a+)+b", "do not repeat what repeats"},
		{"(a|aa)+$", "do not repeat what repeats"},
		{"(a|a)*b", "do not repeat what repeats"},
		{"^(([a-z])+.)+[A-Z]([a-z])+$", "do not repeat what repeats"},
		{"(\\w+\\s?)*$", "do not repeat what repeats"},
		{"([a-zA-Z0-9]+)*@", "do not repeat what repeats"},
		{"(x+x+)+y", "do not repeat what repeats"},
		{"(.*a){20}", "do not repeat what repeats"},
		{"(ab|a|b)*c", "do not repeat what repeats"},
		/* Of a high power. */
		{".*.*.*.*x", "do not repeat what repeats"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pattern *p = NULL;
		struct err e = {0};
		int r = pattern_new(&p, rows[i].expression, &e);
		if (r != -EINVAL || p || !strstr(err_text(&e), rows[i].says))
			fail_msg("%s should say \"%s\", says \"%s\" (%d)", rows[i].expression, rows[i].says, err_text(&e), r);
	}
	char long_one[PATTERN_MAX + 2];
	struct pattern *p = NULL;
	memset(long_one, 'a', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = 0;
	assert_int_equal(pattern_new(&p, long_one, NULL), -EINVAL);
	assert_null(p);
}

/* What is let through ends soon on the worst it can be given, and says when it gave up. */
static void test_bounded(void **state)
{
	(void)state;
	static const char *const expressions[] = {"a.*b", "a[^b\\n]*b", "\\w+ \\w+x", ".*a.*b", "a(a|b)*c"};
	char text[100000];
	memset(text, 'a', sizeof(text));
	/* What must be there is, but out of reach: else PCRE2 does not even begin. */
	memcpy(text + PATTERN_TEXT_MAX - 4, "\nb-c", 4);
	for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
		struct pattern *p CLEANUP(pattern_free) = NULL;
		struct err e = {0};
		if (pattern_new(&p, expressions[i], &e))
			fail_msg("%s: %s", expressions[i], err_text(&e));
		struct timespec a, b;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		assert_false(pattern_matches(p, span_of(text, sizeof(text)), NULL));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		print_message("%s on the worst text: %.1f ms\n", expressions[i], ms);
		assert_true(ms < 3000);
	}
	struct pattern *p CLEANUP(pattern_free) = NULL;
	assert_int_equal(pattern_new(&p, ".*a.*b", NULL), 0);
	bool gave_up = false;
	pattern_matches(p, span_of(text, sizeof(text)), &gave_up);
	assert_true(gave_up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
	};
	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
