/* The playbook: the annotated one is right, and every mistake is said in words that name its place. */
#include "tests/unit/check.h"

#include "services/escalation/playbook/playbook.h"

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
		{{.content = true, .intent = INTENT_REPORT_DANGER}, "safety", true},
		{{.content = true, .intent = INTENT_REPORT_DANGER, .flags = BIT(FLAG_SAFETY)}, "danger", true},
		{{.content = true, .intent = INTENT_COMPLAIN, .flags = BIT(FLAG_SAFETY),
			.text = "mia madre è attaccata al respiratore"}, "danger", true},
		{{.content = true, .intent = INTENT_JOKE, .text = "che fumo"}, "chatter", false},
		{{.content = true, .intent = INTENT_PRAISE, .flags = BIT(FLAG_OUTAGE)}, "chatter", false},
		{{.content = true, .intent = INTENT_REPORT_FAULT, .flags = BIT(FLAG_OUTAGE)}, "outage", true},
		{{.content = true, .intent = INTENT_ASK_INFO, .flags = BIT(FLAG_MEDIA)}, "press", true},
		{{.content = true, .intent = INTENT_SPAM, .text = "conferma il PIN della carta"}, "scam", false},
		{{.content = true, .intent = INTENT_SPAM, .text = "tutto per il giardino"}, "chatter", false},
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

/* ---- the three that ship, in two languages ---- */

static const char *const trades[] = {"airline", "food", "energy"};

static struct playbook *shipped(const char *trade, const char *language)
{
	char file[200];
	struct playbook *p = NULL;
	struct err e = {0};
	snprintf(file, sizeof(file), "%s/deploy/playbooks/%s.%s.yaml", SOURCE_DIR, trade, language);
	if (playbook_load(&p, file, &e))
		fail_msg("%s", err_text(&e));
	return p;
}

static void same_kind(const struct playbook_kind *a, const struct playbook_kind *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->code, b->code);
	assert_string_equal(a->owner, b->owner);
	assert_string_equal(a->last_word, b->last_word);
	assert_string_equal(a->sla.name, b->sla.name);
	assert_int_equal(a->sla.acknowledge_ms, b->sla.acknowledge_ms);
	assert_int_equal(a->sla.resolve_ms, b->sla.resolve_ms);
	assert_int_equal(a->allowed_count, b->allowed_count);
	assert_int_equal(a->steps_count, b->steps_count);
	assert_int_equal(a->at_once_count, b->at_once_count);
}

/* They differ in words alone: every decision is the same. */
static void test_shipped_say_the_same(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "There is smoke in the cabin", "C'è odore di gas", "senza glutine?", "EU261",
		"non va la luce e c'è il ventilatore polmonare"};
	for (size_t i = 0; i < ARRAY_SIZE(trades); i++) {
		struct playbook *it CLEANUP(playbook_free) = shipped(trades[i], "it");
		struct playbook *en CLEANUP(playbook_free) = shipped(trades[i], "en");
		assert_int_equal(it->kinds_count, en->kinds_count);
		for (unsigned k = 0; k < it->kinds_count; k++)
			same_kind(&it->kinds[k], &en->kinds[k]);
		assert_int_equal(playbook_incident(it, CODE_RED)->chain_count, playbook_incident(en, CODE_RED)->chain_count);
		assert_int_equal(it->yellow_people, en->yellow_people);
		assert_int_equal(it->approvals_count, en->approvals_count);
		for (unsigned n = 0; n < 4000; n++) {
			struct facts f = {.content = true, .intent = (enum intent)(n % INTENTS), .flags = n % 7 ? 0 : BIT(n % FLAGS),
				.vip = n % 11 == 0, .text = texts[n % ARRAY_SIZE(texts)], .at_ms = (int64_t)n * 5000000,
				.words = {[FACT_NETWORK] = n % 2 ? "email" : "x"}, .numbers = {[FACT_CASES] = n % 5}};
			struct decision a, b;
			rules_decide(it->rules, it->kinds_count, &f, &a);
			rules_decide(en->rules, en->kinds_count, &f, &b);
			assert_int_equal(a.rule, b.rule);
			assert_true(a.rule >= 0); /* the last kind takes what is left */
		}
	}
}

static void test_shipped_decide(void **state)
{
	(void)state;
	static const struct {
		const char *trade;
		struct facts facts;
		const char *kind;
	} decided[] = {
		{"airline", {.intent = INTENT_COMPLAIN, .text = "C'è fumo in cabina, aiuto"}, "danger"},
		{"airline", {.intent = INTENT_JOKE, .text = "fumo di rabbia"}, "chatter"},
		{"airline", {.intent = INTENT_ASK_INFO, .flags = BIT(FLAG_VULNERABLE)}, "alone"},
		{"airline", {.intent = INTENT_ORDER_STATUS}, "flight"},
		{"airline", {.intent = INTENT_ORDER_STATUS, .numbers = {[FACT_REACH] = 60000}}, "widely_read"},
		{"airline", {.intent = INTENT_OTHER, .text = "I claim compensation under EU 261"}, "refund"},
		{"airline", {.intent = INTENT_PRAISE}, "chatter"},
		{"food", {.intent = INTENT_COMPLAIN, .text = "Ho trovato un pezzo di vetro nella merenda"}, "health"},
		{"food", {.intent = INTENT_ASK_INFO, .text = "I biscotti sono senza glutine?"}, "allergen_question"},
		{"food", {.intent = INTENT_ASK_INFO, .text = "Dove li trovo?"}, "question"},
		{"food", {.intent = INTENT_REPORT_FAULT, .at_ms = 1795932000000}, "product_off_hours"}, /* Sunday 2026-11-29 07:00 */
		{"food", {.intent = INTENT_REPORT_FAULT, .at_ms = 1795514400000}, "product"},           /* Tuesday 2026-11-24 11:00 */
		{"food", {.intent = INTENT_COMPLAIN, .numbers = {[FACT_RATING] = 1}}, "product"},
		{"food", {.intent = INTENT_COMPLAIN}, "complaint"},
		{"energy", {.intent = INTENT_REPORT_FAULT, .text = "sento odore di gas sulle scale"}, "emergency"},
		{"energy", {.intent = INTENT_REPORT_FAULT, .text = "siamo al buio"}, "no_power"},
		{"energy", {.intent = INTENT_REPORT_FAULT, .text = "al buio, mio padre ha il ventilatore polmonare"}, "vulnerable"},
		{"energy", {.intent = INTENT_COMPLAIN, .words = {[FACT_NETWORK] = "email"}}, "written_complaint"},
		{"energy", {.intent = INTENT_COMPLAIN, .words = {[FACT_NETWORK] = "x"}}, "complaint"},
		{"energy", {.intent = INTENT_COMPLAIN, .numbers = {[FACT_CASES] = 3}}, "again"},
		{"energy", {.intent = INTENT_COMPLAIN, .flags = BIT(FLAG_SAFETY) | BIT(FLAG_PERSONAL_DATA)}, "data_leak"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(decided); i++) {
		struct playbook *p CLEANUP(playbook_free) = shipped(decided[i].trade, "it");
		struct facts f = decided[i].facts;
		struct decision d;
		f.content = true;
		rules_decide(p->rules, p->kinds_count, &f, &d);
		if (!str_eq(p->kinds[d.rule].name, decided[i].kind))
			fail_msg("row %zu: %s decides %s instead of %s", i, decided[i].trade, p->kinds[d.rule].name, decided[i].kind);
	}
	/* Thirty days of the calendar for a written complaint; Easter Monday is nobody's working day. */
	struct playbook *p CLEANUP(playbook_free) = shipped("energy", "en");
	assert_int_equal(playbook_kind(p, "written_complaint")->sla.resolve_ms, (int64_t)30 * 86400000);
	int32_t easter_monday = 0;
	assert_int_equal(day_of_date(2026, 4, 6, &easter_monday), 0);
	assert_false(calendar_is_open(playbook_calendar(p, "contact_centre"), (int64_t)easter_monday * 86400000 + 36000000));
	assert_true(calendar_is_open(playbook_calendar(p, "contact_centre"), (int64_t)(easter_monday + 1) * 86400000 + 36000000));
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

#define CALENDAR(words) "calendars:\n  - {name: c, " words "}\n"
#define MORNING "hours: [{days: [mon], from: \"09:00\", to: \"13:00\"}]"
#define CALL "{after_minutes: 0, actor: desk}"
#define ROTATION(words) "rotations:\n  - {name: r, " words "}\n"

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
	{HEAD "yellow_people: 5\ngrave_people: 6\n" ACTORS KINDS INCIDENTS,
		"playbook.yaml:4:15: grave_people (6) is more than yellow_people (5); a danger needs fewer "
		"people"},
	{HEAD "yellow_people: 5\ngrave_people: 0\n" ACTORS KINDS INCIDENTS, ""},
	{HEAD "yellow_people: 201\n" ACTORS KINDS INCIDENTS,
		"yellow_people (201) is more than red_people (200)"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: yellow, chain: [{after_minutes: 0, actor: desk}]}\n",
		"there is no incident of code red"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: green, chain: [{after_minutes: 0, actor: desk}]}\n",
		"an incident is yellow or red, not \"green\""},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: [{after_minutes: 10, actor: desk}, "
			   "{after_minutes: 5, actor: desk}]}\n",
		"put the calls in order of after_minutes"},

	/* Each of these is said with its line and column, and with what to write instead. */
	{HEAD ACTORS KIND("code: red, owner: deks") INCIDENTS,
		"playbook.yaml:6:43: k names the actor \"deks\", which is not among "
		"the actors; there are desk"},
	{HEAD "languages: [italian]\n" ACTORS KINDS INCIDENTS,
		"playbook.yaml:3:13: \"italian\" is not a language"},
	{HEAD "time_zone: Europe/Roma\n" ACTORS KINDS INCIDENTS,
		"playbook.yaml:3:12: there is no time zone \"Europe/Roma\"; write one like Europe/Rome"},
	{HEAD "actors:\n  - {name: a, title: A}\n  - {name: a, title: B}\n" KINDS INCIDENTS,
		"playbook.yaml:5:12: there are two entries called \"a\""},
	{HEAD ACTORS "kinds:\n  - {name: all, title: All, code: green, owner: desk}\n  - {name: k, title: K, "
		     "code: red, owner: "
		     "desk}\n" INCIDENTS,
		"playbook.yaml:6:5: kind \"all\" fits every message, so those below it are never reached"},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {any: [{flags: [safty]}]}") INCIDENTS,
		"did you mean \"safety\"?"},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {text: ['(']}") INCIDENTS,
		"playbook.yaml:6:63: the expression is wrong at its character 2: "},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {text: ['(a+)+b']}") INCIDENTS,
		"playbook.yaml:6:63: the expression can take for ever on a long text; do not repeat what "
		"repeats"},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {time: {days: [lunedi]}}") INCIDENTS,
		"write mon, tue"},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {closed: desk}") INCIDENTS,
		"there is no calendar \"desk\""},
	{HEAD ACTORS KIND("code: red, owner: desk, when: {reach: {at_least: many}}") INCIDENTS,
		"should be a whole number"},
	{HEAD ACTORS KIND("code: red, owner: desk, allowed: [ban]") INCIDENTS,
		"playbook.yaml:6:59: there is no action \"ban\"; "},
	{HEAD ACTORS KIND("code: red, owner: desk, sla: fast") INCIDENTS,
		"there is no policy \"fast\" in sla"},
	{HEAD ACTORS KIND("code: red, owner: desk, team: care") INCIDENTS, "there is no team \"care\""},
	{HEAD ACTORS KIND("code: red, owner: desk, last_word: boss") INCIDENTS, "k names the actor \"boss\""},
	{HEAD ACTORS KIND("code: red, owner: desk, steps: [{text: Do, actor: boss, within_minutes: 1}]")
			INCIDENTS,
		"k names the actor \"boss\""},

	/* Hours. */
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(
		 "hours: [{days: [mon], from: \"09:00\", to: \"13:00\"}, {days: [mon], from: "
		 "\"12:00\", to: \"18:00\"}]"),
		"playbook.yaml:10:66: calendar c: these hours overlap those of entry 1 on Monday; let one "
		"end where the other begins"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR("hours: [{days: [mon], from: \"9\", to: \"13:00\"}]"),
		"playbook.yaml:10:43: \"9\" is not a time; write hours and minutes as \"09:30\""},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR("hours: [{days: [mon], from: \"09:00\", to: \"25:00\"}]"),
		"\"25:00\" is not a time"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR("hours: [{days: [lun], from: \"09:00\", to: \"13:00\"}]"),
		"playbook.yaml:10:31: \"lun\" is not a day"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR("hours: [{days: [mon], from: \"09:00\", to: \"09:00\"}]"),
		"the whole day"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", holidays: [\"2026-02-30\"]"),
		"\"2026-02-30\" is not a date that exists; write \"2026-12-25\""},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", holidays: [25/12]"), "\"25/12\" is not a date"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", special_days: [{date: \"12-24\", from: \"09:00\"}]"),
		"from and to, or closed: true"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", holiday_files: [nowhere.ics]"),
		"nowhere.ics: No such file"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", holiday_files: [playbook.yaml]"),
		"this is not a calendar"},
	{HEAD ACTORS KINDS INCIDENTS CALENDAR(MORNING ", time_zone: Rome"), "playbook.yaml:10:"},
	{HEAD ACTORS KINDS INCIDENTS "sla:\n  - {name: s, calendar: dusk}\n",
		"there is no calendar \"dusk\""},
	{HEAD ACTORS KINDS INCIDENTS "sla:\n  - {name: s, acknowledge_minutes: 90, resolve_minutes: 60}\n",
		"playbook.yaml:10:5: acknowledge_minutes (90) is from 1 up to resolve_minutes (60)"},
	{HEAD ACTORS KINDS INCIDENTS "sla:\n  - {name: s, late: nobody}\n", "there is no chain \"nobody\""},

	/* Chains. */
	{HEAD ACTORS KINDS INCIDENTS "chains:\n  - {name: a, calls: [" CALL
				     "], then: {chain: b, after_minutes: 5}}\n"
				     "  - {name: b, calls: [" CALL "], then: {chain: a, after_minutes: 5}}\n",
		"playbook.yaml:10:63: this chain comes back to itself (a, then b, then a); let the last one "
		"end, or give it a repeat"},
	{HEAD ACTORS KINDS INCIDENTS "chains:\n  - {name: a, calls: [" CALL
				     "], then: {chain: a, after_minutes: 5}}\n",
		"comes back to itself (a, then a)"},
	{HEAD ACTORS KINDS INCIDENTS "chains:\n  - {name: a, calls: [" CALL
				     "], then: {chain: c, after_minutes: 5}}\n",
		"there is no chain \"c\""},
	{HEAD ACTORS KINDS INCIDENTS "chains:\n  - {name: a, calls: [" CALL
				     "], repeat: {times: 2, every_minutes: 0}}\n",
		"it begins again after 0 minutes"},
	{HEAD ACTORS KINDS INCIDENTS "chains:\n  - {name: a, calls: [" CALL
				     "], repeat: {times: 64, every_minutes: 1}}\n",
		"more than 64 calls; repeat less often"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, call: night}\n", "there is no chain \"night\""},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red}\n", "write either chain: or call:"},
	{HEAD ACTORS KINDS "incidents:\n  - {code: red, chain: [{after_minutes: 5, actor: desk}]}\n",
		"playbook.yaml:8:41: nobody is called at once"},
	{HEAD ACTORS KINDS INCIDENTS "  - {code: red, chain: [" CALL "]}\n",
		"there are two incidents of code red"},

	/* People. */
	{HEAD "actors:\n  - {name: desk, title: D, rotation: week}\n" KINDS INCIDENTS,
		"there is no rotation \"week\""},
	{HEAD ACTORS KINDS INCIDENTS ROTATION("starts: \"2026-13-01\", actors: [desk]"),
		"is not a date that exists"},
	{HEAD ACTORS KINDS INCIDENTS ROTATION("starts: \"2026-01-05\", actors: [anna]"),
		"r names the actor \"anna\""},
	{HEAD ACTORS KINDS INCIDENTS ROTATION("starts: \"2026-01-05\", turn_days: 0, actors: [desk]"),
		"at least one day"},
	{HEAD ACTORS KINDS INCIDENTS ROTATION("starts: \"2026-01-05\", at: noon, actors: [desk]"),
		"\"noon\" is not a time"},
	{HEAD ACTORS KINDS INCIDENTS ROTATION(
		 "starts: \"2026-01-05\", actors: [desk], overrides: [{from: \"2026-12-24 08:00\", to: "
		 "\"2026-12-24 07:00\", actor: desk}]"),
		"this override ends before it begins"},
	{HEAD ACTORS KINDS INCIDENTS ROTATION(
		 "starts: \"2026-01-05\", actors: [desk], overrides: [{from: \"2026-12-24\", to: "
		 "\"2026-12-25 07:00\", actor: desk}]"),
		"write day and time as \"2026-12-24 08:00\""},
	{HEAD "actors:\n  - {name: desk, title: D, rotation: r}\n" KINDS INCIDENTS ROTATION(
		 "starts: \"2026-01-05\", actors: "
		 "[desk]"),
		"\"desk\""},
	{HEAD ACTORS KINDS INCIDENTS "teams:\n  - {name: t, title: T, lead: boss, members: [desk]}\n",
		"t names the actor \"boss\""},

	/* Answering. */
	{HEAD ACTORS KINDS INCIDENTS
		"approvals:\n  - {name: a, actions: [block], approvers: [desk], people: 2}\n",
		"2 people must consent, but 1 may"},
	{HEAD ACTORS KINDS INCIDENTS
		"approvals:\n  - {name: a, actions: [reply], kinds: [falt], approvers: [desk]}\n",
		"there is no kind \"falt\"; did you mean \"fault\"?"},
	{HEAD ACTORS KINDS INCIDENTS
		"approvals:\n  - {name: a, actions: [reply], codes: [orange], approvers: [desk]}\n",
		"there is no code \"orange\"; write green, yellow or red"},
	{HEAD ACTORS KINDS INCIDENTS "approvals:\n  - {name: a, actions: [blok], approvers: [desk]}\n",
		"did you mean \"block\"?"},
	{HEAD "languages: [it, en]\n" ACTORS KINDS INCIDENTS
	      "crisis:\n  holding:\n    - {language: it, texts: [Ci siamo, Eccoci]}\n",
		"playbook.yaml:12:5: holding is missing in en; add {language: en, texts: [...]}"},
	{HEAD "languages: [it]\n" ACTORS KINDS INCIDENTS
	      "crisis:\n  holding:\n    - {language: it, texts: [A, B]}\n    - {language: en, "
	      "texts: [C, D]}\n",
		"playbook.yaml:13:18: \"en\" is not among the playbook's languages"},
	{HEAD ACTORS KINDS INCIDENTS "crisis:\n  holding:\n    - {language: it, texts: [A]}\n",
		"has one wording; write two or more"},
	{HEAD "languages: [it]\n" ACTORS KINDS INCIDENTS "voices:\n  - {name: v, language: fr}\n",
		"\"fr\" is not among"},
	{HEAD ACTORS KINDS INCIDENTS "voices:\n  - {name: v, unit: letters}\n",
		"playbook.yaml:10:21: there is no unit \"letters\"; they are characters, graphemes"},
	{HEAD ACTORS KINDS INCIDENTS "voices:\n  - {name: v, min_readability: 101}\n",
		"readability goes from 0 to 100"},
	{HEAD ACTORS KINDS INCIDENTS "voices:\n  - {name: v, blocks: [signature, promisse]}\n",
		"playbook.yaml:10:35: there is no rule of drafts \"promisse\"; did you mean \"promise\"?"},
	{HEAD ACTORS KINDS INCIDENTS
		"voices:\n  - {name: v, signature: true, signatures: [A], unit: graphemes, max_characters: "
		"9, loud: "
		"true, promises: [a], forbidden: [b], acronyms: [c], contacts: [d], blocks: [tone]}\n",
		"there is no rule of drafts \"tone\""},
	{HEAD ACTORS KINDS INCIDENTS
		"voices:\n  - {name: v, signature: true, signatures: [A], unit: graphemes, max_characters: "
		"9, loud: "
		"true, promises: [a], forbidden: [b], acronyms: [c], contacts: [d], blocks: [emoji], "
		"min_readability: 0}\n",
		""},
};

static char path[64];

static void write_playbook(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void complain(const char *yaml, const char *should, const char *says, unsigned *count)
{
	print_message("%s\nshould say \"%s\",\n     says \"%s\"\n\n", yaml, should, says);
	++*count;
}

static void test_mistakes(void **state)
{
	(void)state;
	unsigned wrongly = 0;
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
			complain(mistakes[i].yaml, mistakes[i].says, err_text(&e), &wrongly);
		playbook_free(&p);
	}
	assert_int_equal(wrongly, 0);
	struct err e = {0};
	assert_int_equal(playbook_check("/nowhere/playbook.yaml", &e), -ENOENT);
	assert_non_null(strstr(err_text(&e), "/nowhere/playbook.yaml"));
}

static void test_grave_people(void **state)
{
	(void)state;
	static const struct {
		const char *yaml;
		unsigned want;
	} rows[] = {
		{HEAD "grave_people: 7\n" ACTORS KINDS INCIDENTS, 7},
		{HEAD "grave_people: 0\n" ACTORS KINDS INCIDENTS, 0},
		{HEAD "yellow_people: 2\n" ACTORS KINDS INCIDENTS,
			2}, /* never more than anything else needs */
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct playbook *p CLEANUP(playbook_free) = NULL;
		write_playbook(rows[i].yaml);
		assert_int_equal(playbook_load(&p, path, NULL), 0);
		assert_int_equal(p->thresholds.grave_people, rows[i].want);
	}
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
	assert_true(p->over_normal == 3.9);
	assert_int_equal(p->thresholds.grave_people, 3);
	assert_true(p->kinds[0].opens_case);
	assert_int_equal(p->kinds[0].sla.acknowledge_ms, 60 * 60000);
	assert_int_equal(p->kinds[0].sla.resolve_ms, 1440 * 60000);
	assert_null(p->kinds[0].sla.hours);
	assert_int_equal(p->reopen_hours, 72);
	assert_string_equal(p->kinds[0].last_word, "desk");
	assert_int_equal(p->kinds[0].gather_minutes, 0);
	assert_false(p->rules[0].at_once);
	assert_int_equal(p->rules[0].intents, BIT(INTENT_REPORT_FAULT));
}

/* ---- what a rich one comes to ---- */

#define RICH                                                                                                                   \
	"name: rich\nversion: 7\nlanguages: [it, en]\ntime_zone: Europe/Rome\n"                                                 \
	"calendars:\n  - {name: desk, hours: [{days: [mon, tue, wed, thu, fri], from: \"09:00\", to: \"18:00\"}]}\n"             \
	"actors:\n  - {name: anna, title: Anna, tell: [anna-mail]}\n  - {name: bruno, title: Bruno, tell: [bruno-mail]}\n"       \
	"  - {name: on_call, title: Whoever is on call, rotation: week}\n  - {name: boss, title: Boss}\n"                        \
	"rotations:\n  - {name: week, starts: \"2026-11-23\", at: \"08:00\", actors: [anna, bruno], overrides: [{from: "          \
	"\"2026-11-24 12:00\", to: \"2026-11-24 18:00\", actor: boss}]}\n"                                                       \
	"teams:\n  - {name: care, title: Care, business_unit: Retail, lead: anna, members: [anna, bruno]}\n"                      \
	"chains:\n  - {name: night, calls: [{after_minutes: 0, actor: on_call}, {after_minutes: 5, actor: anna}], repeat: "        \
	"{times: 1, every_minutes: 10}, then: {chain: top, after_minutes: 15}}\n"                                                \
	"  - {name: top, calls: [{after_minutes: 0, actor: boss}]}\n"                                                            \
	"sla:\n  - {name: standard, calendar: desk, acknowledge_minutes: 30, resolve_minutes: 480, late: night}\n"                \
	"kinds:\n"                                                                                                               \
	"  - {name: out, title: Out of hours, when: {intents: [ask_info], closed: desk}, code: green, opens_case: false, owner: "  \
	"anna}\n"                                                                                                                \
	"  - {name: fault, title: Fault, when: {intents: [report_fault]}, code: yellow, owner: on_call, team: care, sla: "        \
	"standard, allowed: [reply, hide], steps: [{text: Look, actor: anna, within_minutes: 5}]}\n"                             \
	"  - {name: rest, title: Rest, code: green, owner: bruno, last_word: boss}\n"                                             \
	"incidents:\n  - {code: red, call: night}\n"                                                                             \
	"approvals:\n  - {name: blocking, actions: [block], approvers: [anna, boss], people: 2}\n"                                \
	"  - {name: faults, actions: [reply], kinds: [fault, out], approvers: [anna]}\n"                                          \
	"  - {name: grave, actions: [reply], codes: [red], approvers: [anna]}\n"                                                  \
	"  - {name: crisis, actions: [reply, publish_post], when: {incident_open: true}, approvers: [boss]}\n"                    \
	"voices:\n  - {name: short, networks: [x], max_characters: 280, hashtag: \"#rich\"}\n  - {name: usual, formal: true, "     \
	"signature: true}\n"

static int64_t rome(int day, int hour)
{
	/* November 2026: an hour before UTC. */
	int32_t d = 0;
	assert_int_equal(day_of_date(2026, 11, day, &d), 0);
	return ((int64_t)d * 24 + hour - 1) * 3600000;
}

static void test_rich(void **state)
{
	(void)state;
	struct playbook *p CLEANUP(playbook_free) = NULL;
	struct err e = {0};
	write_playbook(RICH);
	if (playbook_load(&p, path, &e))
		fail_msg("%s", err_text(&e));
	/* Who is on call. */
	assert_string_equal(playbook_on_call(p, "on_call", rome(23, 9))->name, "anna");
	assert_string_equal(playbook_on_call(p, "on_call", rome(30, 9))->name, "bruno");
	assert_string_equal(playbook_on_call(p, "on_call", rome(24, 13))->name, "boss");
	assert_string_equal(playbook_on_call(p, "boss", 0)->name, "boss");
	assert_null(playbook_on_call(p, "nobody", 0));
	/* The chain, with what repeats and follows. */
	static const struct playbook_call calls[] = {{0, (char *)"on_call"}, {5, (char *)"anna"}, {10, (char *)"on_call"},
		{15, (char *)"anna"}, {30, (char *)"boss"}};
	const struct playbook_incident *red = playbook_incident(p, CODE_RED);
	assert_int_equal(red->chain_count, ARRAY_SIZE(calls));
	for (unsigned i = 0; i < red->chain_count; i++) {
		assert_int_equal(red->chain[i].after_minutes, calls[i].after_minutes);
		assert_string_equal(red->chain[i].actor, calls[i].actor);
	}
	/* A kind with all it has. */
	const struct playbook_kind *k = playbook_kind(p, "fault");
	assert_string_equal(k->team, "care");
	assert_string_equal(k->business_unit, "Retail");
	assert_string_equal(k->last_word, "anna");
	assert_string_equal(playbook_kind(p, "rest")->last_word, "boss");
	assert_string_equal(k->sla.name, "standard");
	assert_string_equal(k->sla.calendar, "desk");
	assert_ptr_equal(k->sla.hours, playbook_calendar(p, "desk"));
	assert_int_equal(k->sla.late_count, ARRAY_SIZE(calls));
	assert_true(k->sla.pause_while_waiting);
	assert_int_equal(k->allowed_count, 2);
	assert_int_equal(k->steps_count, 1);
	assert_null(playbook_kind(p, "nothing"));
	assert_null(playbook_calendar(p, "gone"));
	assert_null(playbook_calendar(p, ""));
	/* Its conditions are asked. */
	struct decision d;
	struct facts f = {.content = true, .intent = INTENT_ASK_INFO, .at_ms = rome(23, 20)};
	rules_decide(p->rules, p->kinds_count, &f, &d);
	assert_string_equal(p->kinds[d.rule].name, "out");
	f.at_ms = rome(23, 12);
	rules_decide(p->rules, p->kinds_count, &f, &d);
	assert_string_equal(p->kinds[d.rule].name, "rest");
	/* Approvals. */
	struct playbook_asked asked = {.action = "block", .kind = "rest", .code = "green", .facts = &f};
	assert_string_equal(playbook_approval(p, &asked)->name, "blocking");
	assert_int_equal(playbook_approval(p, &asked)->people, 2);
	asked.action = "reply";
	assert_null(playbook_approval(p, &asked));
	asked.kind = "fault";
	assert_string_equal(playbook_approval(p, &asked)->name, "faults");
	asked.kind = "";
	asked.code = "red";
	assert_string_equal(playbook_approval(p, &asked)->name, "grave");
	asked.code = "";
	assert_null(playbook_approval(p, &asked));
	f.incident_open = true;
	assert_string_equal(playbook_approval(p, &asked)->name, "crisis");
	asked.action = "hide";
	assert_null(playbook_approval(p, &asked));
	/* Voices. */
	assert_string_equal(playbook_voice(p, "any", "x", "it")->name, "short");
	assert_int_equal(playbook_voice(p, "any", "x", "it")->max_characters, 280);
	assert_true(playbook_voice(p, "any", "facebook", "en")->formal);
}

/* One version never says two things. */
static void test_versions(void **state)
{
	(void)state;
	struct playbook *a CLEANUP(playbook_free) = NULL, *same CLEANUP(playbook_free) = NULL;
	struct playbook *changed CLEANUP(playbook_free) = NULL, *next CLEANUP(playbook_free) = NULL;
	struct err e = {0};
	write_playbook(HEAD ACTORS KINDS INCIDENTS);
	assert_int_equal(playbook_load(&a, path, NULL), 0);
	assert_int_equal(playbook_load(&same, path, NULL), 0);
	assert_int_equal(playbook_may_follow(a, same, NULL), 0);
	write_playbook(HEAD "yellow_people: 7\n" ACTORS KINDS INCIDENTS);
	assert_int_equal(playbook_load(&changed, path, NULL), 0);
	assert_int_equal(playbook_may_follow(a, changed, &e), -EINVAL);
	assert_non_null(strstr(err_text(&e), "its version is still 3, and decisions name it; write version: 4"));
	write_playbook("name: b\nversion: 4\nyellow_people: 7\n" ACTORS KINDS INCIDENTS);
	assert_int_equal(playbook_load(&next, path, NULL), 0);
	assert_int_equal(playbook_may_follow(a, next, NULL), 0);
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
				"  - {name: k%d, title: K, code: green, owner: desk, when: {intents: [buy]}}\n", i);
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
		cmocka_unit_test(test_shipped_say_the_same),
		cmocka_unit_test(test_shipped_decide),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_grave_people),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_rich),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_most_kinds),
		cmocka_unit_test(test_destinations),
	};
	return cmocka_run_group_tests_name("playbook", tests, setup, teardown);
}
