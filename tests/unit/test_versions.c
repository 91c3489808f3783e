/* Which model of a task runs: rules on a record; and how a model was made, in words and back. */
#include "services/intent/train_options.h"
#include "services/intent/versions.h"

#include "tests/unit/check.h"

static struct arena arena;

static Ascolto__ModelVersion *version(const char *name, const char *standing)
{
	Ascolto__ModelVersion *v = arena_alloc(&arena, sizeof(*v));
	*v = (Ascolto__ModelVersion)ASCOLTO__MODEL_VERSION__INIT;
	v->name = arena_strdup(&arena, name);
	v->standing = (char *)(uintptr_t)standing;
	return v;
}

static int promote(State__TaskModels *t, const char *name)
{
	return versions_promote(t, version(name, "kept"), "anna", 7, &arena, NULL);
}

static void promote_and_roll_back(void **state)
{
	(void)state;
	State__TaskModels t = STATE__TASK_MODELS__INIT;
	struct err e = {0};
	t.task = (char *)"intent";
	assert_int_equal(versions_rollback(&t, "anna", 1, &e), -ENOENT);
	assert_string_equal(e.text, "intent: no model ran before the shipped one");
	assert_int_equal(promote(&t, "a"), 0);
	assert_int_equal(promote(&t, "a"), -EALREADY);
	assert_int_equal(promote(&t, "b"), 0);
	assert_string_equal(t.running, "b");
	assert_string_equal(t.by, "anna");
	assert_int_equal(t.since_ms, 7);
	assert_int_equal(t.n_former, 2);
	assert_int_equal(versions_rollback(&t, "bruno", 9, &e), 0);
	assert_string_equal(t.running, "a");
	assert_string_equal(t.by, "bruno");
	assert_int_equal(versions_rollback(&t, "bruno", 9, &e), 0);
	assert_string_equal(t.running, "");
	assert_int_equal(versions_rollback(&t, "bruno", 9, &e), -ENOENT);
	assert_non_null(versions_find(&t, "b")); /* still there to be promoted again */
	assert_int_equal(promote(&t, "b"), 0);
	assert_int_equal(t.n_versions, 2);
	assert_null(versions_find(&t, "c"));
}

static void what_is_needed_stays(void **state)
{
	(void)state;
	State__TaskModels t = STATE__TASK_MODELS__INIT;
	char name[16];
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		assert_int_equal(promote(&t, name), 0);
		snprintf(name, sizeof(name), "r%d", i);
		assert_int_equal(versions_note(&t, version(name, i % 2 ? "refused" : "proposed"), &arena), 0);
		assert_true(t.n_versions <= VERSIONS_KEPT && t.n_former <= VERSIONS_FORMER);
		assert_non_null(versions_find(&t, t.running));
		for (size_t k = 0; k < t.n_former; k++)
			assert_true(!t.former[k][0] || versions_find(&t, t.former[k]));
	}
	assert_string_equal(t.running, "v29");
	assert_non_null(versions_find(&t, "r29"));

	/* A retraining that ends where it began refuses the name of what runs: that one's file is still needed. */
	assert_int_equal(versions_note(&t, version("v29", "refused"), &arena), 0);
	size_t with_file = 0;
	for (size_t i = 0; i < t.n_versions; i++)
		with_file += str_eq(t.versions[i]->name, "v29") && versions_has_file(t.versions[i]);
	assert_int_equal(with_file, 1);
}

static void a_recipe_goes_and_comes_back(void **state)
{
	(void)state;
	struct train_options a, b;
	struct buf text;
	buf_init(&text, 65536);
	train_defaults(&a, "sentiment");
	a.c = 0.30000000000000004;
	a.folds = 7;
	a.spec.buckets[BLOCK_CHARS] = 49152;
	buf_adds(&text, "sentiment: 10 rows\nmade with love\n");
	train_options_print(&a, &text);
	train_defaults(&b, "intent");
	b.task = a.task;
	assert_true(train_options_read(&b, buf_str(&text)));
	assert_true(a.c - b.c < 1e-6 && b.c - a.c < 1e-6);
	b.c = a.c;
	struct buf again;
	buf_init(&again, 65536);
	buf_adds(&again, "sentiment: 10 rows\nmade with love\n");
	train_options_print(&b, &again);
	assert_string_equal(buf_str(&text), buf_str(&again));
	static const char *const bad[] = {"", "made with", "made with --c", "made with --c x\n", "made with --tea 3\n",
		"made with --words 300\n", "made with --words -1\n", "made with --words 1.5\n", "nothing\nof it\n"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct train_options before = b;
		if (i > 2)
			assert_false(train_options_read(&b, bad[i]));
		else
			train_options_read(&b, bad[i]);
		assert_memory_equal(&before, &b, sizeof(b));
	}
	buf_free(&text);
	buf_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promote_and_roll_back),
		cmocka_unit_test(what_is_needed_stays),
		cmocka_unit_test(a_recipe_goes_and_comes_back),
	};
	arena_init(&arena, 1 << 20);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&arena);
	return r;
}
