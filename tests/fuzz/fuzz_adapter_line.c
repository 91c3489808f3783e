/* A line from an adapter. */
#include "tests/fuzz/fuzz.h"

#include "common/adapter_line.h"

static bool within(struct span part, struct span whole)
{
	return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct adapter_said said;
	struct err e = {0};
	struct span text = span_of(data, size);
	if (!arena.max)
		arena_init(&arena, (size_t)8 * 1024 * 1024);
	arena_reset(&arena);
	if (adapter_line_parse(text, &arena, &said, &e)) {
		CHECK(e.text[0]);
		return 0;
	}
	CHECK(said.word <= ADAPTER_END);
	if (said.word == ADAPTER_HELLO)
		CHECK(said.name);
	if (said.word == ADAPTER_HEALTH)
		CHECK(said.health);
	if (said.word != ADAPTER_POSTS)
		return 0;
	CHECK(said.line.n_posts <= ADAPTER_POSTS_MAX);
	CHECK(!said.line.cursor || strlen(said.line.cursor) < ADAPTER_CURSOR_MAX);
	for (size_t i = 0; i < said.line.n_posts; i++) {
		const struct adapter_post *p = &said.line.posts[i];
		CHECK(p->place && within(p->json, text));
		CHECK(p->refused || p->json.len);
	}
	return 0;
}
