/* Escalation's rules as tables of rows. */
#include "tests/unit/check.h"

#include "services/escalation/rules.h"

/* ---- words ---- */

static void test_words(void **state)
{
	(void)state;
	for (enum intent i = INTENT_ASK_INFO; i < INTENTS; i++)
		assert_int_equal(intent_of(intent_word(i)), i);
	for (enum flag f = 0; f < FLAGS; f++)
		assert_int_equal(flag_of(flag_word(f)), f);
	for (enum code c = CODE_NONE; c <= CODE_RED; c++)
		assert_int_equal(code_of(code_word(c)), c);
	static const char *const strangers[] = {
		"Report_fault", "report fault", "report_faul", "report_faults", "red ", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		assert_int_equal(intent_of(strangers[i]), INTENT_UNKNOWN);
		assert_int_equal(flag_of(strangers[i]), -1);
		assert_int_equal(code_of(strangers[i]), -1);
	}
	assert_int_equal(intent_of(""), INTENT_UNKNOWN);
	assert_string_equal(intent_word(INTENTS), "");
	assert_string_equal(flag_word(FLAGS), "");
	assert_string_equal(code_word((enum code)7), "none");
	assert_string_equal(code_word((enum code) - 1), "none");
}

/* ---- decisions ---- */

/* A small playbook: as the annotated one, shorter. */
enum { SAFETY, MANAGEMENT, VIP, FAULT, BIG_VOICE, ATTACK, UNCLEAR, RULES };

static const struct rule rules[RULES] = {
	[SAFETY] = {.flags = BIT(FLAG_SAFETY), .code = CODE_RED, .opens_case = true, .at_once = true},
	[MANAGEMENT] = {.intents = BIT(INTENT_ATTACK),
		.flags = BIT(FLAG_MANAGEMENT) | BIT(FLAG_BOYCOTT),
		.code = CODE_RED,
		.opens_case = true,
		.at_once = true},
	[VIP] = {.intents = BIT(INTENT_REPORT_FAULT) | BIT(INTENT_COMPLAIN),
		.vip = true,
		.code = CODE_YELLOW,
		.opens_case = true},
	[FAULT] = {.intents = BIT(INTENT_REPORT_FAULT) | BIT(INTENT_BILLING),
		.code = CODE_YELLOW,
		.opens_case = true},
	[BIG_VOICE] = {.influencer = true, .code = CODE_YELLOW, .opens_case = false},
	[ATTACK] = {.intents = BIT(INTENT_ATTACK), .code = CODE_YELLOW, .opens_case = false},
	[UNCLEAR] = {.intents = BIT(INTENT_UNKNOWN), .code = CODE_GREEN, .opens_case = true},
};

#define SAID(...)                                                                                            \
	{                                                                                                    \
		.content = true, __VA_ARGS__                                                                 \
	}
#define CASE ""
#define NO_ANSWER "no answer is needed"
#define IN_INCIDENT "about the open incident"

static const struct row {
	const char *what;
	struct facts facts;
	int rule;
	enum code code;
	bool opens_case, at_once, counts;
	const char *because; /* how it begins */
} rows[] = {
	/* The first row that fits decides, and only it. */
	{"fault", SAID(.intent = INTENT_REPORT_FAULT), FAULT, CODE_YELLOW, true, false, true, CASE},
	{"fault of a VIP", SAID(.intent = INTENT_REPORT_FAULT, .vip = true), VIP, CODE_YELLOW, true, false,
		true, CASE},
	{"VIP about the bill: only faults and complaints go before",
		SAID(.intent = INTENT_BILLING, .vip = true), FAULT, CODE_YELLOW, true, false, true, CASE},
	{"VIP who praises", SAID(.intent = INTENT_PRAISE, .vip = true), -1, CODE_GREEN, false, false, false,
		NO_ANSWER},
	{"fault with danger", SAID(.intent = INTENT_REPORT_FAULT, .flags = BIT(FLAG_SAFETY)), SAFETY,
		CODE_RED, true, true, true, CASE},
	{"danger beside other flags",
		SAID(.intent = INTENT_ASK_INFO, .flags = BIT(FLAG_SAFETY) | BIT(FLAG_INSULT)), SAFETY,
		CODE_RED, true, true, true, CASE},
	{"attack", SAID(.intent = INTENT_ATTACK), ATTACK, CODE_YELLOW, false, false, true, NO_ANSWER},
	{"attack on the managers", SAID(.intent = INTENT_ATTACK, .flags = BIT(FLAG_MANAGEMENT)), MANAGEMENT,
		CODE_RED, true, true, true, CASE},
	{"attack that calls for a boycott", SAID(.intent = INTENT_ATTACK, .flags = BIT(FLAG_BOYCOTT)),
		MANAGEMENT, CODE_RED, true, true, true, CASE},
	{"managers named without an attack", SAID(.intent = INTENT_ASK_INFO, .flags = BIT(FLAG_MANAGEMENT)),
		-1, CODE_GREEN, false, false, true, NO_ANSWER},
	{"attack with another flag", SAID(.intent = INTENT_ATTACK, .flags = BIT(FLAG_IRONY)), ATTACK,
		CODE_YELLOW, false, false, true, NO_ANSWER},
	{"not understood", SAID(.intent = INTENT_UNKNOWN), UNCLEAR, CODE_GREEN, true, false, false, CASE},
	{"not understood, but a trouble is named", SAID(.intent = INTENT_UNKNOWN, .signs = 1), UNCLEAR,
		CODE_GREEN, true, false, true, CASE},
	{"no row fits", SAID(.intent = INTENT_ASK_INFO), -1, CODE_GREEN, false, false, true, NO_ANSWER},
	{"chatter", SAID(.intent = INTENT_OTHER), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"chatter, but angry", SAID(.intent = INTENT_OTHER, .negative = true, .signs = 1), -1, CODE_GREEN,
		false, false, true, NO_ANSWER},
	{"influencer whom no other row fits", SAID(.intent = INTENT_JOKE, .influencer = true), BIG_VOICE,
		CODE_YELLOW, false, false, false, NO_ANSWER},

	/* Jokes, spam, praise, ideas and buyers do not make a crisis, even where a row fits them. */
	{"joke", SAID(.intent = INTENT_JOKE), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"spam", SAID(.intent = INTENT_SPAM), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"praise", SAID(.intent = INTENT_PRAISE), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"idea", SAID(.intent = INTENT_SUGGEST), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"buyer", SAID(.intent = INTENT_BUY), -1, CODE_GREEN, false, false, false, NO_ANSWER},
	{"praise with one sign only", SAID(.intent = INTENT_PRAISE, .signs = 1), -1, CODE_GREEN, false, false,
		false, NO_ANSWER},
	{"praise that tells of a trouble, or thanks for nothing", SAID(.intent = INTENT_PRAISE, .signs = 2),
		-1, CODE_GREEN, false, false, true, NO_ANSWER},
	{"unhappy joke", SAID(.intent = INTENT_JOKE, .signs = 2), -1, CODE_GREEN, false, false, false,
		NO_ANSWER},
	{"joke with danger in it", SAID(.intent = INTENT_JOKE, .flags = BIT(FLAG_SAFETY)), SAFETY, CODE_RED,
		true, true, false, CASE},
	{"cancelling counts", SAID(.intent = INTENT_CANCEL), -1, CODE_GREEN, false, false, true, NO_ANSWER},

	/* What is not a customer's word goes past every row, danger or not. */
	{"own words", SAID(.intent = INTENT_REPORT_FAULT, .self = true), -1, CODE_GREEN, false, false, false,
		"the brand's own words"},
	{"own words about danger", SAID(.flags = BIT(FLAG_SAFETY), .self = true), -1, CODE_GREEN, false,
		false, false, "the brand's own words"},
	{"a reaction", {.intent = INTENT_REPORT_FAULT}, -1, CODE_GREEN, false, false, false,
		"nothing new was said"},
	{"repost", SAID(.intent = INTENT_REPORT_FAULT, .copy = true), -1, CODE_GREEN, false, false, false,
		"a repost or copy"},
	{"repost about danger", SAID(.flags = BIT(FLAG_SAFETY), .copy = true), -1, CODE_GREEN, false, false,
		false, "a repost or copy"},
	{"bot", SAID(.intent = INTENT_COMPLAIN, .bot = true), -1, CODE_GREEN, false, false, false,
		"written by a program"},
	{"the brand's bot is the brand", SAID(.self = true, .bot = true, .copy = true), -1, CODE_GREEN, false,
		false, false, "the brand's own words"},

	/* While an incident is open its argument is not a queue of cases. */
	{"polemic in an incident",
		SAID(.intent = INTENT_REPORT_FAULT, .polemic = true, .incident_open = true), FAULT,
		CODE_YELLOW, false, false, true, IN_INCIDENT},
	{"need in an incident", SAID(.intent = INTENT_REPORT_FAULT, .incident_open = true), FAULT,
		CODE_YELLOW, true, false, true, CASE},
	{"polemic without an incident", SAID(.intent = INTENT_REPORT_FAULT, .polemic = true), FAULT,
		CODE_YELLOW, true, false, true, CASE},
	{"danger in an incident, however it is said",
		SAID(.flags = BIT(FLAG_SAFETY), .polemic = true, .incident_open = true), SAFETY, CODE_RED,
		true, true, true, CASE},
	{"an attack in an incident has no case anyway",
		SAID(.intent = INTENT_ATTACK, .polemic = true, .incident_open = true), ATTACK, CODE_YELLOW,
		false, false, true, NO_ANSWER},
};

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct decision d;
		memset(&d, 0xff, sizeof(d));
		rules_decide(rules, RULES, &r->facts, &d);
		if (d.rule != r->rule || d.code != r->code || d.opens_case != r->opens_case ||
			d.at_once != r->at_once || d.counts != r->counts ||
			strncmp(d.because, r->because, MAX(strlen(r->because), 1u)) != 0)
			fail_msg("%s: rule %d, %s, case %d, at once %d, counts %d, \"%s\"", r->what, d.rule,
				code_word(d.code), d.opens_case, d.at_once, d.counts, d.because);
	}
}

static void test_decide_without_rules(void **state)
{
	(void)state;
	struct facts f = SAID(.intent = INTENT_REPORT_DANGER, .flags = BIT(FLAG_SAFETY), .vip = true);
	struct decision d;
	rules_decide(NULL, 0, &f, &d);
	assert_int_equal(d.rule, -1);
	assert_int_equal(d.code, CODE_GREEN);
	assert_false(d.opens_case);
	assert_true(d.counts);
}

/* Whoever writes to the brand is heard, whether or not they count for a topic. */
static void test_heard(void **state)
{
	(void)state;
	static const struct {
		struct facts facts;
		bool heard;
	} all[] = {
		{SAID(.intent = INTENT_PRAISE), true},
		{SAID(.intent = INTENT_JOKE), true},
		{SAID(.intent = INTENT_COMPLAIN), true},
		{SAID(.intent = INTENT_SPAM), false},
		{SAID(.intent = INTENT_COMPLAIN, .self = true), false},
		{SAID(.intent = INTENT_COMPLAIN, .copy = true), false},
		{SAID(.bot = true), false},
		{{.content = false}, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct decision d;
		rules_decide(NULL, 0, &all[i].facts, &d);
		if (d.heard != all[i].heard)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_decide_without_rules),
		cmocka_unit_test(test_heard),
	};
	return cmocka_run_group_tests_name("escalation rules", tests, NULL, NULL);
}
