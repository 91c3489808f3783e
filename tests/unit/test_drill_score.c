/* How a drill is scored: the detector that knows everything, and a point for each thing that was to be had. */
#include "tests/unit/check.h"

#include "services/ascolto/drill_score.h"

#include <unistd.h>

#define MINUTE ((int64_t)60000)
#define BEGIN INT64_C(1773300000000)

/* A post a minute of one crisis: authors 1, 2, 2, 3, 4, ... */
static struct drill_post posts[] = {
	{.about = "oil", .who = 1, .at_ms = BEGIN}, {.about = "oil", .who = 2, .at_ms = BEGIN + 1 * MINUTE},
	{.about = "oil", .who = 2, .at_ms = BEGIN + 2 * MINUTE}, {.about = "", .who = 9, .at_ms = BEGIN + 3 * MINUTE, .lane = "service"},
	{.about = "oil", .who = 3, .at_ms = BEGIN + 4 * MINUTE}, {.about = "oil", .who = 4, .at_ms = BEGIN + 5 * MINUTE},
	{.about = "oil", .who = 5, .at_ms = BEGIN + 200 * MINUTE, .at_once = true},
};

static struct drill_scenario scenario_of(size_t sent)
{
	struct drill_scenario s = {.posts = posts, .n = ARRAY_SIZE(posts), .sent = sent, .crises = {"oil"}, .crises_n = 1};
	return s;
}

static void perfect(void **state)
{
	static const struct {
		unsigned people;
		int64_t window_minutes, expect_minute; /* -1: never */
	} rows[] = {{1, 60, 0}, {2, 60, 1}, {3, 60, 4}, {4, 60, 5}, {5, 60, -1}, {5, 300, 200}, {3, 2, -1}, {6, 300, -1}};
	struct drill_scenario s = scenario_of(ARRAY_SIZE(posts));
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t at = drill_perfect_ms(&s, "oil", rows[i].window_minutes * MINUTE, rows[i].people);
		assert_int_equal(at ? (at - BEGIN) / MINUTE : -1, rows[i].expect_minute);
	}
	assert_int_equal(drill_perfect_ms(&s, "water", 60 * MINUTE, 1), 0);
}

static struct playbook_call chain[] = {{0, (char *)"first"}, {10, (char *)"second"}};
static struct playbook_incident incidents[] = {{.code = (char *)"yellow", .chain = chain, .chain_count = 2},
	{.code = (char *)"red", .chain = chain, .chain_count = 2}};

static struct playbook playbook_of(unsigned yellow, unsigned red)
{
	struct playbook p = {.window_minutes = 60, .yellow_people = yellow, .red_people = red, .incidents = incidents, .incidents_count = 2};
	return p;
}

static bool right(const struct drill_score *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->points[i].what, what))
			return s->points[i].right;
	fail_msg("no point for %s", what);
	return false;
}

static bool asked(const struct drill_score *s, const char *what)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->points[i].what, what))
			return true;
	return false;
}

/* Everything in time: yellow with its third person, acknowledged after 9 of 10 minutes, one step done and one late. */
static void all_points(void **state)
{
	struct drill_scenario s = scenario_of(6);
	struct playbook p = playbook_of(3, 100);
	struct drill_incident i = {.id = "A", .title = "oil", .acknowledged_by = "Ada", .code = CODE_YELLOW, .opened_ms = BEGIN + 5 * MINUTE,
		.called_ms = BEGIN, .acknowledged_ms = BEGIN + 9 * MINUTE,
		.steps = {{"see", "first", BEGIN + 5 * MINUTE, BEGIN + 4 * MINUTE}, {"say", "first", BEGIN + 5 * MINUTE, BEGIN + 6 * MINUTE}},
		.steps_n = 2};
	struct drill_score sc;
	(void)state;
	for (size_t k = 0; k < 6; k++) {
		posts[k].seen = true;
		snprintf(posts[k].incident, sizeof(posts[k].incident), "%s", posts[k].about[0] ? "A" : "");
	}
	posts[3].has_case = true;
	assert_int_equal(drill_score(&s, &p, &i, 1, &sc), 0);
	assert_true(right(&sc, "yellow") && right(&sc, "acknowledged") && right(&sc, "read") && right(&sc, "lanes"));
	assert_true(right(&sc, "false_incident") && right(&sc, "step"));
	assert_false(asked(&sc, "red"));     /* 100 people never wrote */
	assert_false(asked(&sc, "at_once")); /* that post was not played */
	assert_int_equal(sc.n, 7);
	assert_int_equal(sc.right, 6); /* the second step was late */
	free(sc.points);
}

static void wrong_points(void **state)
{
	struct drill_scenario s = scenario_of(ARRAY_SIZE(posts));
	struct playbook p = playbook_of(3, 4);
	struct drill_incident list[] = {
		{.id = "A", .title = "oil", .code = CODE_YELLOW, .opened_ms = BEGIN + 10 * MINUTE, .called_ms = BEGIN},
		{.id = "B", .title = "rain", .code = CODE_YELLOW, .opened_ms = BEGIN}};
	struct drill_score sc;
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(posts); k++) {
		posts[k].seen = k != 1;
		posts[k].has_case = false;
		snprintf(posts[k].incident, sizeof(posts[k].incident), "%s", posts[k].about[0] ? "A" : "");
	}
	assert_int_equal(drill_score(&s, &p, list, 2, &sc), 0);
	assert_false(right(&sc, "yellow") || right(&sc, "red") || right(&sc, "acknowledged") || right(&sc, "read"));
	assert_false(right(&sc, "lanes") || right(&sc, "at_once") || right(&sc, "false_incident"));
	assert_int_equal(sc.right, 0);
	free(sc.points);
}

/* The scenarios that ship can be read, and tell what they are about. */
static void shipped(void **state)
{
	static const char *const names[] = {"modems", "oil", "bills"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct drill_scenario *s = NULL;
		struct err e = {0};
		char path[300];
		snprintf(path, sizeof(path), SOURCE_DIR "/deploy/drills/%s", names[i]);
		if (drill_scenario_read(&s, path, &e))
			fail_msg("%s", err_text(&e));
		assert_true(s->crises_n > 0 && s->n > 50);
		drill_scenario_move(s, BEGIN);
		assert_int_equal(s->posts[s->n - 1].at_ms, BEGIN);
		drill_scenario_free(&s);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *lines, *words;
	} rows[] = {
		{"", "no posts"},
		{"{\"native_id\":\"a\",\"created_at_ms\":1}\n{\"native_id\":\"b\"}\n", "posts.jsonl:2: a post needs"},
		{"{\"native_id\":\"a\",\"created_at_ms\":2}\n\n{\"native_id\":\"b\",\"created_at_ms\":1}\n", "posts.jsonl:3: it is earlier"},
		{"{\"native_id\":\"a\",\"created_at_ms\":2,\"drill\":{\"lane\":\"fast\"}}\n", "should be service or polemic"},
		{"{\"native_id\"\n", "posts.jsonl:1: "},
	};
	char folder[] = "/tmp/drill-XXXXXX", path[100];
	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct drill_scenario *s = NULL;
		struct err e = {0};
		snprintf(path, sizeof(path), "%s/drill.yaml", folder);
		FILE *f = fopen(path, "w");
		fputs("title: t\nstory: s\n", f);
		fclose(f);
		snprintf(path, sizeof(path), "%s/posts.jsonl", folder);
		f = fopen(path, "w");
		fputs(rows[i].lines, f);
		fclose(f);
		assert_true(drill_scenario_read(&s, folder, &e) < 0);
		if (!strstr(err_text(&e), rows[i].words))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].words, err_text(&e));
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/drill.yaml", folder);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perfect), cmocka_unit_test(all_points), cmocka_unit_test(wrong_points), cmocka_unit_test(shipped),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
