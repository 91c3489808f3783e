/* Conditions: each kind of key as rows of YAML, facts and what they come to; and the mistakes. */
#include "tests/unit/check.h"

#include "common/conf_yaml.h"
#include "services/escalation/playbook/condition.h"

static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct when, when_fields)};

static struct zone *rome;
static struct calendar *desk;

static const struct calendar *calendar_named(void *ctx, const char *name, bool *ret_known)
{
	(void)ctx;
	*ret_known = str_eq(name, "desk") || str_eq(name, "always");
	return str_eq(name, "desk") ? desk : NULL;
}

static int compile(const char *yaml, struct condition **ret, char where[200], struct err *e)
{
	void *w = NULL;
	const struct condition_world world = {.zone = rome, .calendar = calendar_named};
	int r = conf_yaml_parse("when.yaml", span_str(yaml), &schema, &w, e);
	if (r)
		return r;
	r = condition_new(ret, w, &world, where, 200, e);
	conf_yaml_free(&schema, &w);
	return r;
}

static int64_t at(int32_t year, int month, int mday, int hour, int minute)
{
	int32_t day = 0;
	assert_int_equal(day_of_date(year, month, mday, &day), 0);
	return zone_instant(rome, day, hour * 60 + minute);
}

#define VIP_FAULT {.intent = INTENT_REPORT_FAULT, .vip = true}

static const struct row {
	const char *yaml;
	struct facts facts;
	bool holds;
} rows[] = {
	/* Intents and flags. */
	{"intents: [report_fault, billing]", {.intent = INTENT_BILLING}, true},
	{"intents: [report_fault, billing]", {.intent = INTENT_CANCEL}, false},
	{"intents: [unknown]", {.intent = INTENT_UNKNOWN}, true},
	{"intents: [unknown]", {.intent = INTENT_OTHER}, false},
	{"flags: [safety, legal]", {.flags = BIT(FLAG_LEGAL)}, true},
	{"flags: [safety, legal]", {.flags = BIT(FLAG_IRONY)}, false},
	{"{intents: [attack], flags: [boycott]}", {.intent = INTENT_ATTACK, .flags = BIT(FLAG_BOYCOTT)}, true},
	{"{intents: [attack], flags: [boycott]}", {.intent = INTENT_ATTACK}, false},
	/* Yes or no. */
	{"vip: true", VIP_FAULT, true},
	{"vip: false", VIP_FAULT, false},
	{"vip: false", {.vip = false}, true},
	{"influencer: true", {.influencer = true}, true},
	{"partner: true", {.partner = true}, true},
	{"partner: true", {.influencer = true}, false},
	{"incident_open: false", {.incident_open = true}, false},
	/* Words. */
	{"channels: [desk-mail, shop]", {.words = {[FACT_CHANNEL] = "shop"}}, true},
	{"channels: [desk-mail, shop]", {.words = {[FACT_CHANNEL] = "shops"}}, false},
	{"channels: [shop]", {.intent = INTENT_OTHER}, false},
	{"networks: [x]", {.words = {[FACT_NETWORK] = "x"}}, true},
	{"languages: [de, fr]", {.words = {[FACT_LANGUAGE] = "de"}}, true},
	{"languages: [de]", {.words = {[FACT_LANGUAGE] = ""}}, false},
	{"not: {languages: [it]}", {.words = {[FACT_LANGUAGE] = ""}}, true},
	{"sentiments: [negative]", {.words = {[FACT_SENTIMENT] = "negative"}}, true},
	{"surfaces: [private]", {.words = {[FACT_SURFACE] = "public"}}, false},
	{"customer_types: [advocate, ex]", {.words = {[FACT_CUSTOMER_TYPE] = "ex"}}, true},
	{"expectations: [refund]", {.words = {[FACT_EXPECTATION] = "refund"}}, true},
	{"events: [cancellation]", {.words = {[FACT_EVENT] = "cancellation"}}, true},
	{"lanes: [service]", {.words = {[FACT_LANE] = "service"}}, true},
	/* Numbers. */
	{"reach: {at_least: 1000}", {.numbers = {[FACT_REACH] = 1000}}, true},
	{"reach: {at_least: 1000}", {.numbers = {[FACT_REACH] = 999}}, false},
	{"reach: {at_least: 1000, below: 2000}", {.numbers = {[FACT_REACH] = 2000}}, false},
	{"rating: {below: 3}", {.numbers = {[FACT_RATING] = 2}}, true},
	{"cases: {at_least: 3}", {.numbers = {[FACT_CASES] = 3}}, true},
	{"open_cases: {below: 1}", {.numbers = {[FACT_OPEN_CASES] = 0}}, true},
	{"messages: {at_least: 2}", {.numbers = {[FACT_MESSAGES] = 1}}, false},
	/* All, any, not. */
	{"any: [{vip: true}, {influencer: true}]", {.influencer = true}, true},
	{"any: [{vip: true}, {influencer: true}]", {.partner = true}, false},
	{"all: [{vip: true}, {influencer: true}]", {.influencer = true}, false},
	{"all: [{any: [{vip: true}, {partner: true}]}, {not: {intents: [joke]}}]", {.partner = true, .intent = INTENT_BUY}, true},
	{"all: [{any: [{vip: true}, {partner: true}]}, {not: {intents: [joke]}}]", {.partner = true, .intent = INTENT_JOKE},
		false},
	{"not: {vip: true, intents: [joke]}", {.vip = true, .intent = INTENT_BUY}, true},
	{"not: {not: {vip: true}}", {.vip = true}, true},
	{"{vip: true, any: [{intents: [buy]}, {intents: [cancel]}]}", {.vip = true, .intent = INTENT_CANCEL}, true},
	{"{vip: true, any: [{intents: [buy]}, {intents: [cancel]}]}", {.intent = INTENT_CANCEL}, false},
	/* Text: subject or body. */
	{"text: ['class action', '\\bcodacons\\b']", {.text = "Ho scritto al CODACONS"}, true},
	{"text: ['class action']", {.text = "nothing", .subject = "Class action"}, true},
	{"text: ['class action']", {.text = "classy action"}, false},
	{"text: ['x']", {.intent = INTENT_OTHER}, false},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct condition *c CLEANUP(condition_free) = NULL;
		char where[200] = "";
		struct err e = {0};
		if (compile(rows[i].yaml, &c, where, &e))
			fail_msg("%s: %s: %s", rows[i].yaml, where, err_text(&e));
		assert_non_null(c);
		if (condition_holds(c, &rows[i].facts) != rows[i].holds)
			fail_msg("row %zu: %s", i, rows[i].yaml);
	}
}

static void note(void *ctx, const char *fact, const char *value)
{
	char *out = ctx;
	size_t n = strlen(out);
	snprintf(out + n, 200 - n, "%s=%s;", fact, value);
}

/* The record tells on which facts a condition held. */
static void test_explain(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *says;
	} explanations[] = {
		{"any: [{vip: true}, {reach: {at_least: 10}}, {partner: true}]", "reach=50;"},
		{"{intents: [attack], not: {channels: [shop]}, closed: desk}", "intent=attack;hours=closed;channels=x;"},
		{"{flags: [legal, media], text: ['boss'], time: {to: \"06:00\"}}", "flag=legal;time=mon 04:30;text=matches;"},
		{"all: [{sentiments: [negative]}, {vip: false}]", "sentiments=negative;vip=no;"},
	};
	struct facts f = {.intent = INTENT_ATTACK, .flags = BIT(FLAG_LEGAL) | BIT(FLAG_INSULT), .partner = true,
		.numbers = {[FACT_REACH] = 50}, .words = {[FACT_CHANNEL] = "x", [FACT_SENTIMENT] = "negative"},
		.text = "your boss", .at_ms = at(2026, 11, 23, 4, 30)};
	for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
		struct condition *c CLEANUP(condition_free) = NULL;
		char where[200], said[200] = "";
		assert_int_equal(compile(explanations[i].yaml, &c, where, NULL), 0);
		assert_true(condition_holds(c, &f));
		condition_explain(c, &f, note, said);
		assert_string_equal(said, explanations[i].says);
	}
}

/* Monday to Friday 9 to 18 in Rome; 2026-11-23 is a Monday. */
static void test_times(void **state)
{
	(void)state;
	static const struct {
		const char *yaml;
		int day, hour, minute;
		bool holds;
	} times[] = {
		{"open: desk", 23, 9, 0, true}, {"open: desk", 23, 8, 59, false}, {"closed: desk", 23, 8, 59, true},
		{"closed: desk", 23, 17, 59, false}, {"closed: desk", 22, 12, 0, true}, {"open: always", 22, 3, 0, true},
		{"closed: always", 22, 3, 0, false},
		{"time: {days: [mon]}", 23, 0, 0, true}, {"time: {days: [mon]}", 24, 0, 0, false},
		{"time: {from: \"08:00\", to: \"20:00\"}", 23, 20, 0, false},
		{"time: {from: \"08:00\", to: \"20:00\"}", 23, 19, 59, true},
		{"time: {days: [sun], from: \"22:00\", to: \"06:00\"}", 23, 5, 59, true}, /* Sunday's night */
		{"time: {days: [sun], from: \"22:00\", to: \"06:00\"}", 22, 5, 59, false},
		{"time: {days: [sun], from: \"22:00\", to: \"06:00\"}", 22, 22, 0, true},
		{"time: {from: \"20:00\"}", 22, 23, 59, true}, {"time: {to: \"08:00\"}", 22, 8, 0, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct condition *c CLEANUP(condition_free) = NULL;
		char where[200] = "";
		struct err e = {0};
		struct facts f = {.at_ms = at(2026, 11, times[i].day, times[i].hour, times[i].minute)};
		if (compile(times[i].yaml, &c, where, &e))
			fail_msg("%s: %s: %s", times[i].yaml, where, err_text(&e));
		if (condition_holds(c, &f) != times[i].holds)
			fail_msg("row %zu: %s", i, times[i].yaml);
	}
}

static void test_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *where, *says;
	} mistakes[] = {
		{"intents: [report_falt]", "intents[0]", "did you mean \"report_fault\"?"},
		{"flags: [safety, danger]", "flags[1]", "there is no flag \"danger\""},
		{"any: [{vip: true}, {intents: [x]}]", "any[1].intents[0]", "there is no intent \"x\""},
		{"not: {all: [{sentiments: [angry]}]}", "not.all[0].sentiments[0]", "not one of its words"},
		{"reach: {}", "reach", "at_least, below"},
		{"reach: {at_least: 5, below: 5}", "reach", "no number"},
		{"languages: [italian]", "languages[0]", "two small letters"},
		{"customer_types: [vip]", "customer_types[0]", "they are unknown, prospect"},
		{"time: {days: [monday]}", "time.days[0]", "write mon, tue"},
		{"time: {from: \"9\"}", "time.from", "hours and minutes"},
		{"time: {to: \"25:00\"}", "time.to", "hours and minutes"},
		{"time: {from: \"08:00\", to: \"08:00\"}", "time", "same time"},
		{"open: dsk", "open", "there is no calendar \"dsk\""},
		{"any: [{vip: true}, {}]", "any[1]", "asks for nothing"},
		{"not: {}", "not", "asks for nothing"},
		{"text: ['(a+)+b']", "text[0]", "do not repeat what repeats"},
		{"any: [{text: ['ok', '(']}]", "any[0].text[1]", "the expression is wrong"},
		{"intent: [buy]", "", "did you mean \"intents\"?"},
		{"not: {not: {not: {not: {not: {not: {not: {not: {not: {vip: true}}}}}}}}}", "not.not.not.not.not.not.not.not.not",
			"more than 8 deep"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct condition *c = NULL;
		char where[200] = "";
		struct err e = {0};
		int r = compile(mistakes[i].yaml, &c, where, &e);
		if (!r || c || !str_eq(where, mistakes[i].where) || !strstr(err_text(&e), mistakes[i].says))
			fail_msg("%s\nshould say \"%s\" at %s, says \"%s\" at %s (%d)", mistakes[i].yaml, mistakes[i].says,
				mistakes[i].where, err_text(&e), where, r);
	}
}

static void test_nothing_asked(void **state)
{
	(void)state;
	struct condition *c = NULL;
	char where[200];
	assert_int_equal(compile("{}", &c, where, NULL), 0);
	assert_null(c);
}

static int setup(void **state)
{
	(void)state;
	static const struct calendar_hours hours[] = {{0x1f, 540, 1080}};
	const struct calendar_spec s = {.time_zone = "Europe/Rome", .hours = hours, .hours_count = 1};
	char where[32];
	return zone_open(&rome, "Europe/Rome", NULL) || calendar_new(&desk, &s, where, NULL);
}

static int teardown(void **state)
{
	(void)state;
	zone_close(&rome);
	calendar_free(&desk);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_nothing_asked),
	};
	return cmocka_run_group_tests_name("condition", tests, setup, teardown);
}
