/* A stranger's JSON: parsed within its limits, and as a post. */
#include "tests/fuzz/fuzz.h"

#include "common/json.h"
#include "common/jsonspan.h"
#include "services/ingest/post.h"

/* The finder of spans agrees with the parser about every member of what is JSON. */
static void compare_spans(struct span text, const json_t *parsed)
{
	struct jsonspan s = jsonspan_open(text);
	struct span key, value;
	size_t n = 0;
	while (jsonspan_next(&s, &key, &value)) {
		CHECK(value.data >= text.data && value.data + value.len <= text.data + text.len);
		n++;
	}
	CHECK(jsonspan_end(&s) == 0);
	CHECK(n == (json_is_object(parsed) ? json_object_size(parsed) : json_array_size(parsed)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct err e = {0};
	json_t *parsed = NULL;
	if (!arena.max)
		arena_init(&arena, (size_t)8 * 1024 * 1024);
	arena_reset(&arena);
	int r = json_parse(span_of(data, size), &parsed, &e);
	CHECK((r == 0) == (parsed != NULL));
	CHECK(r == 0 || e.text[0]);
	if (json_is_object(parsed) || json_is_array(parsed))
		compare_spans(span_of(data, size), parsed);
	json_decref(parsed);

	Ascolto__Post *post = NULL;
	e = (struct err){0};
	enum post_error what = post_parse(span_of(data, size), &arena, &post, &e);
	CHECK(what == POST_OK || e.text[0]);
	if (what != POST_OK)
		return 0;
	CHECK(r == 0 && post && post->text && post->native_id);
	struct buf out;
	buf_init(&out, (size_t)8 * 1024 * 1024);
	CHECK(json_add_message(&out, &post->base) == 0);
	buf_free(&out);
	return 0;
}
