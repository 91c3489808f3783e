/* The playbook: the annotated one is right, and every mistake is said in words that name its place. */
#include "tests/unit/check.h"

#include "services/escalation/playbook.h"

#include <unistd.h>

static void test_brezza(void **state)
{
	(void)state;
	struct playbook *p CLEANUP(playbook_free) = NULL;
	struct err e = {0};
	if (playbook_load(&p, SOURCE_DIR "/deploy/playbooks/brezza.yaml", &e))
		fail_msg("%s", err_text(&e));
	assert_int_equal(playbook_check(SOURCE_DIR "/deploy/playbooks/brezza.yaml", &e), 0);
	assert_string_equal(p->name, "brezza");
	assert_int_equal(strncmp(p->label, "brezza, version ", 16), 0);
	assert_int_equal(p->thresholds.yellow_people, p->yellow_people);
	assert_int_equal(p->thresholds.red_people, p->red_people);
	assert_true(p->thresholds.over_normal == p->over_normal && p->over_normal > 0);
	assert_true(p->yellow_people < p->red_people);
	bool found = false;
	for (unsigned i = 0; i < p->kinds_count; i++) {
		if (!str_eq(p->kinds[i].name, "danger"))
			continue;
		found = true;
		assert_int_equal(p->rules[i].intents, BIT(INTENT_REPORT_DANGER));
		assert_true(p->rules[i].at_once && p->rules[i].opens_case);
		assert_int_equal(p->rules[i].code, CODE_RED);
	}
	assert_true(found);
	const struct playbook_incident *red = playbook_incident(p, CODE_RED);
	assert_non_null(red);
	assert_non_null(playbook_actor(p, red->chain[0].actor));
	assert_int_equal(red->chain[0].after_minutes, 0);
	assert_non_null(playbook_actor(p, "strategist"));
	assert_null(playbook_actor(p, "nobody"));
	assert_null(playbook_incident(p, CODE_GREEN));
}

/* What the brand's first decisions come to, through file and rules together. */
static void test_brezza_decides(void **state)
{
	(void)state;
	static const struct {
		struct facts facts;
		const char *kind;
		bool opens_case;
	} rows[] = {
		{{.content = true, .intent = INTENT_REPORT_FAULT}, "fault", true},
		{{.content = true, .intent = INTENT_REPORT_FAULT, .vip = true}, "vip", true},
		{{.content = true, .intent = INTENT_JOKE, .vip = true}, "chatter", false},
		{{.content = true, .intent = INTENT_REPORT_FAULT, .flags = BIT(FLAG_SAFETY)}, "safety", true},
		{{.content = true, .intent = INTENT_REPORT_DANGER}, "danger", true},
		{{.content = true, .intent = INTENT_BILLING, .flags = BIT(FLAG_LEGAL)}, "legal", true},
		{{.content = true, .intent = INTENT_ATTACK, .flags = BIT(FLAG_BOYCOTT)}, "management", true},
		{{.content = true, .intent = INTENT_ATTACK}, "attack", false},
		{{.content = true, .intent = INTENT_BUY}, "question", true},
		{{.content = true, .intent = INTENT_UNKNOWN}, "unclear", true},
		{{.content = true, .intent = INTENT_PRAISE}, "chatter", false},
		{{.content = true, .intent = INTENT_OTHER}, "chatter", false},
	};
	struct playbook *p CLEANUP(playbook_free) = NULL;
	assert_int_equal(playbook_load(&p, SOURCE_DIR "/deploy/playbooks/brezza.yaml", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decision d;
		rules_decide(p->rules, p->kinds_count, &rows[i].facts, &d);
		assert_true(d.rule >= 0);
		assert_string_equal(p->kinds[d.rule].name, rows[i].kind);
		assert_int_equal(d.opens_case, rows[i].opens_case);
	}
}

/* ---- mistakes ---- */

/* The smallest playbook, in parts that a row may replace. */
#define HEAD "name: b\nversion: 3\n"
#define ACTORS "actors:\n  - {name: desk, title: Desk, tell: [desk-mail]}\n"
#define KINDS                                                                                                \
	"kinds:\n  - {name: fault, title: Fault, when: {intents: [report_fault]}, code: yellow, owner: "     \
	"desk}\n"
#define INCIDENTS "incidents:\n  - {code: red, chain: [{after_minutes: 0, actor: desk}]}\n"
#define KIND(words) "kinds:\n  - {name: k, title: K, " words "}\n"

static const struct {
	const char *yaml;
	const char *says; /* "" = right */
} mistakes[] = {
	{HEAD ACTORS KINDS INCIDENTS, ""},
	{HEAD "yellow_people: 5\nred_people: 5\nover_normal: 2.5\n" ACTORS KINDS INCIDENTS, ""},
	{HEAD ACTORS KIND("code: green, owner: desk, opens_case: false") INCIDENTS, ""},
	{HEAD ACTORS KIND("code: green, owner: desk, when: {intents: [unknown]}") INCIDENTS, ""},

	/* Parts that are missing, twice, or not known. */
	{"", "playbook.yaml"},
	{"version: 3\n" ACTORS KINDS INCIDENTS, "name"},
	{"name: b\n" ACTORS KINDS INCIDENTS, "version"},
	{HEAD KINDS INCIDENTS, "actors"},
	{HEAD ACTORS INCIDENTS, "kinds"},
	{HEAD ACTORS KINDS, "incidents"},
	{HEAD "name: c\n" ACTORS KINDS INCIDENTS, "name"},
	{HEAD "colour: blue\n" ACTORS KINDS INCIDENTS, "playbook.yaml:3:1: "},
	{HEAD "colour: blue\n" ACTORS KINDS INCIDENTS, "colour"},
	{HEAD "actors: []\n" KINDS INCIDENTS, "actors"},
	{HEAD ACTORS "kinds: []\n" INCIDENTS, "kinds"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: []}\n", "chain"},

	/* Values of the wrong kind. */
	{"name: b\nversion: three\n" ACTORS KINDS INCIDENTS, "playbook.yaml:2:10: "},
	{"name: b\nversion: -3\n" ACTORS KINDS INCIDENTS, "playbook.yaml:2:10: "},
	{HEAD "over_normal: much\n" ACTORS KINDS INCIDENTS, "playbook.yaml:3:14: "},
	{HEAD ACTORS KIND("code: green, owner: desk, opens_case: perhaps") INCIDENTS, "playbook.yaml:6:"},
	{"name: [b]\nversion: 3\n" ACTORS KINDS INCIDENTS, "playbook.yaml:1:7: "},
	{"name: b\nversion: 3\n\tactors: x\n", "playbook.yaml:3:"},

	/* Words that mean nothing. */
	{HEAD ACTORS KIND("code: orange, owner: desk") INCIDENTS,
		"there is no code \"orange\"; write green, yellow or red"},
	{HEAD ACTORS KIND("code: none, owner: desk") INCIDENTS, "there is no code \"none\""},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {intents: [fault]}") INCIDENTS,
		"there is no intent \"fault\""},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {intents: [report_fault, x]}") INCIDENTS,
		"there is no intent \"x\""},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {flags: [danger]}") INCIDENTS,
		"there is no flag \"danger\""},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {flag: [safety]}") INCIDENTS, "flag"},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {flags: []}") INCIDENTS, "flags"},

	/* Names that are nobody's. */
	{HEAD ACTORS KIND("code: red, owner: deks") INCIDENTS,
		"k names the actor \"deks\", which is not among the actors"},
	{HEAD ACTORS KIND("code: red, owner: desk, at_once: [desk, boss]") INCIDENTS,
		"k names the actor \"boss\""},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: [{after_minutes: 0, actor: boss}]}\n",
		"red names the actor \"boss\""},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: [{after_minutes: 0, actor: desk}], "
			   "steps: [{text: Do, actor: boss, within_minutes: 1}]}\n",
		"red names the actor \"boss\""},

	/* Numbers and orders that can not be meant. */
	{HEAD "yellow_people: 21\nred_people: 20\n" ACTORS KINDS INCIDENTS,
		"yellow_people (21) is more than red_people (20)"},
	{HEAD "yellow_people: 201\n" ACTORS KINDS INCIDENTS,
		"yellow_people (201) is more than red_people (200)"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: yellow, chain: [{after_minutes: 0, actor: desk}]}\n",
		"there is no incident of code red"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: green, chain: [{after_minutes: 0, actor: desk}]}\n",
		"an incident is yellow or red, not \"green\""},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: [{after_minutes: 10, actor: desk}, "
			   "{after_minutes: 5, actor: desk}]}\n",
		"put the calls in order of after_minutes"},
};

static char path[64];

static void write_playbook(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct playbook *p = NULL;
		struct err e = {0};
		write_playbook(mistakes[i].yaml);
		int r = playbook_load(&p, path, &e);
		bool right = !mistakes[i].says[0];
		if (right && r)
			fail_msg("%s\n%s", mistakes[i].yaml, err_text(&e));
		if (!right &&
			(!r || p || !strstr(err_text(&e), mistakes[i].says) || !strstr(err_text(&e), path)))
			fail_msg("%s\nshould say \"%s\", says \"%s\" (%d)", mistakes[i].yaml,
				mistakes[i].says, err_text(&e), r);
		playbook_free(&p);
	}
	struct err e = {0};
	assert_int_equal(playbook_check("/nowhere/playbook.yaml", &e), -ENOENT);
	assert_non_null(strstr(err_text(&e), "/nowhere/playbook.yaml"));
}

static void test_defaults(void **state)
{
	(void)state;
	struct playbook *p CLEANUP(playbook_free) = NULL;
	write_playbook(HEAD ACTORS KINDS INCIDENTS);
	assert_int_equal(playbook_load(&p, path, NULL), 0);
	assert_string_equal(p->label, "b, version 3");
	assert_int_equal(p->window_minutes, 60);
	assert_int_equal(p->yellow_people, 20);
	assert_int_equal(p->red_people, 200);
	assert_true(p->over_normal == 3.7);
	assert_true(p->kinds[0].opens_case);
	assert_int_equal(p->kinds[0].acknowledge_minutes, 60);
	assert_int_equal(p->kinds[0].resolve_minutes, 1440);
	assert_int_equal(p->kinds[0].gather_minutes, 0);
	assert_false(p->rules[0].at_once);
	assert_int_equal(p->rules[0].intents, BIT(INTENT_REPORT_FAULT));
}

static void test_most_kinds(void **state)
{
	(void)state;
	struct playbook *p = NULL;
	for (int n = PLAYBOOK_KINDS_MAX; n <= PLAYBOOK_KINDS_MAX + 1; n++) {
		char text[16384];
		struct err e = {0};
		size_t len = (size_t)snprintf(text, sizeof(text), HEAD ACTORS INCIDENTS "kinds:\n");
		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"  - {name: k%d, title: K, code: green, owner: desk}\n", i);
		write_playbook(text);
		int r = playbook_load(&p, path, &e);
		assert_int_equal(r == 0, n <= PLAYBOOK_KINDS_MAX);
		if (r)
			assert_non_null(strstr(err_text(&e), "kinds"));
		playbook_free(&p);
	}
}

static void test_destinations(void **state)
{
	(void)state;
	struct playbook *p CLEANUP(playbook_free) = NULL;
	struct conf_destination known[] = {{.name = (char *)"crisis", .brand = (char *)"brezza"},
		{.name = (char *)"desk-mail", .brand = (char *)"brezza"}};
	struct conf c = {.path = (char *)"ascolto.yaml", .destinations = known, .destinations_count = 2};
	struct err e = {0};
	write_playbook(HEAD ACTORS KINDS INCIDENTS);
	assert_int_equal(playbook_load(&p, path, NULL), 0);
	assert_int_equal(playbook_check_destinations(p, &c, "brezza", &e), 0);
	assert_int_equal(playbook_check_destinations(p, &c, "other", &e), -EINVAL);
	assert_non_null(strstr(err_text(&e), "for the brand \"brezza\", not for \"other\""));
	c.destinations_count = 1;
	assert_int_equal(playbook_check_destinations(p, &c, "brezza", &e), -EINVAL);
	assert_non_null(strstr(err_text(&e), "actor \"desk\" is told through \"desk-mail\""));
	assert_non_null(strstr(err_text(&e), "ascolto.yaml"));
}

static int setup(void **state)
{
	char folder[48] = "/tmp/ascolto-playbook-XXXXXX";
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/playbook.yaml", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	*strrchr(path, '/') = 0;
	return rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brezza),
		cmocka_unit_test(test_brezza_decides),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_most_kinds),
		cmocka_unit_test(test_destinations),
	};
	return cmocka_run_group_tests_name("playbook", tests, setup, teardown);
}
