/* Bytes as a model server's reply: what is taken over is a label the task has, whatever came. */
#include "tests/fuzz/fuzz.h"

#include "services/intent/answer.h"
#include "services/intent/dataset.h"

static bool is_label(const char *task, const char *label)
{
	for (const char *const *l = dataset_labels(task); *l; l++)
		if (str_eq(*l, label))
			return true;
	return !label[0];
}

static void check_label(const char *task, const Ascolto__Label *l)
{
	CHECK(!l || (is_label(task, l->value) && l->probability >= 0 && l->probability <= 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const bool all[CLASSIFIER_TASKS] = {true, true, true, true, true, true, true};
	static struct arena arena;
	struct fuzz_input in = {data, size};
	size_t n_texts = fuzz_u8(&in);
	const Ascolto__ClassifyReply *r;
	const char *fault;
	if (!arena.max)
		arena_init(&arena, (size_t)16 * 1024 * 1024);
	arena_reset(&arena);
	int x = answer_read(span_of(in.data, in.size), 7, n_texts, &arena, &r, &fault);
	CHECK(arena.used <= arena.max);
	CHECK(x == 0 ? r && !fault : !r && (x == -EALREADY || fault));
	for (size_t i = 0; r && i < n_texts; i++) {
		Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
		u.model = (char *)"linear/";
		if (answer_take_over(r, r->understandings[i], all, &arena, &u))
			continue;
		check_label("intent", u.intent);
		check_label("expectation", u.expectation);
		check_label("event", u.event);
		check_label("sentiment", u.sentiment);
		check_label("lane", u.lane);
		for (size_t f = 0; f < u.n_flags; f++)
			CHECK(is_label("flags", u.flags[f]));
		CHECK(strlen(u.model) < 200);
	}
	return 0;
}
