/* Bytes as an envelope within a message's memory, and that as JSON for a person's eyes. */
#include "tests/fuzz/fuzz.h"

#include "common/arena.h"
#include "common/json.h"
#include "proto/ascolto.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	static struct buf out;
	if (!arena.max) {
		arena_init(&arena, (size_t)32 * 1024 * 1024);
		buf_init(&out, (size_t)8 * 1024 * 1024);
	}
	arena_reset(&arena);
	buf_reset(&out);
	Ascolto__Envelope *e = ascolto__envelope__unpack(arena_pb(&arena), size, data);
	CHECK(arena.used <= arena.max);
	if (!e || json_add_message(&out, &e->base))
		return 0;
	json_error_t error;
	json_t *back = json_loadb((const char *)out.data, out.len, 0, &error);
	if (!back)
		fprintf(stderr, "%s\n%s\n", error.text, buf_str(&out));
	CHECK(back);
	json_decref(back);
	return 0;
}
