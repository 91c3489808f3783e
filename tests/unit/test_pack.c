/* Every message of the wire and the tables, filled by chance, becomes the same bytes as with protobuf-c's own
 * function. */
#include "tests/unit/check.h"

#include "common/pack.h"

#include <math.h>

#include "proto/ascolto.pb-c.h"
#include "proto/state.pb-c.h"

#define ROUNDS 300
#define LIST_MOST 4

static struct arena arena;
static uint64_t state = 11;

static uint64_t draw(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static uint64_t draw_number(void)
{
	static const uint64_t edges[] = {
		0, 1, 127, 128, 16383, 16384, INT32_MAX, (uint64_t)INT32_MAX + 1, INT64_MAX, UINT64_MAX};
	return draw(2) ? edges[draw(ARRAY_SIZE(edges))] : (draw(1u << 31) << 32 | draw(1u << 31)) >> draw(64);
}

static char *draw_text(void)
{
	static const char *const texts[] = {"", "a", "perché no?",
		"a longer text, of more than a hundred and twenty-seven bytes, so that its "
		"length is written in two of them and not in one: one hundred and fifty"};
	return arena_strdup(&arena, texts[draw(ARRAY_SIZE(texts))]);
}

static ProtobufCMessage *draw_message(const ProtobufCMessageDescriptor *d, unsigned depth);

static size_t fill_value(const ProtobufCFieldDescriptor *f, void *at, unsigned depth)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = draw(5) ? draw_text() : NULL;
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: {
		ProtobufCBinaryData *b = at;
		b->data = (uint8_t *)draw_text();
		b->len = strlen((char *)b->data);
		return sizeof(*b);
	}
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = draw_message(f->descriptor, depth + 1);
		return sizeof(ProtobufCMessage *);
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = (protobuf_c_boolean)draw(2);
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_FLOAT: {
		static const float values[] = {0, -0.0f, 1.5f, -3, INFINITY};
		*(float *)at = values[draw(ARRAY_SIZE(values))];
		return sizeof(float);
	}
	case PROTOBUF_C_TYPE_DOUBLE: {
		static const double values[] = {0, -0.0, 1e300, -3, NAN};
		*(double *)at = values[draw(ARRAY_SIZE(values))];
		return sizeof(double);
	}
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		*(uint64_t *)at = draw_number();
		return 8;
	default:
		*(uint32_t *)at = (uint32_t)draw_number();
		return 4;
	}
}

static void fill_list(const ProtobufCFieldDescriptor *f, void *at, size_t *n, unsigned depth)
{
	uint8_t *list = arena_zalloc(&arena, LIST_MOST * sizeof(ProtobufCBinaryData)), *p = list;
	size_t most = draw(LIST_MOST + 1);
	for (*n = 0; *n < most; ++*n) {
		p += fill_value(f, p, depth);
		if (f->type == PROTOBUF_C_TYPE_STRING && !((char **)(void *)list)[*n])
			((char **)(void *)list)[*n] = arena_strdup(&arena, ""); /* a list has no gaps */
	}
	*(void **)at = list;
}

static ProtobufCMessage *draw_message(const ProtobufCMessageDescriptor *d, unsigned depth)
{
	ProtobufCMessage *m = arena_zalloc(&arena, d->sizeof_message);
	d->message_init(m);
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		void *at = (uint8_t *)m + f->offset, *quantifier = (uint8_t *)m + f->quantifier_offset;
		bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
		/* What is empty, or in a oneof, is there more often than not: else one member of it would
		 * always be the last. */
		if (draw(depth < 2 ? 3 : 2) == 0 || (oneof && *(uint32_t *)quantifier && draw(8)))
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			fill_list(f, at, quantifier, depth);
		else
			fill_value(f, at, depth);
		if (oneof)
			*(uint32_t *)quantifier = f->id;
	}
	return m;
}

static void same(const ProtobufCMessageDescriptor *d)
{
	size_t longest = 0;
	for (int i = 0; i < ROUNDS; i++) {
		arena_reset(&arena);
		ProtobufCMessage *m = draw_message(d, 0);
		size_t len = protobuf_c_message_get_packed_size(m);
		uint8_t *wanted = arena_alloc(&arena, len + 1);
		struct span got = pack_message(&arena, m);
		assert_int_equal(protobuf_c_message_pack(m, wanted), len);
		assert_int_equal(got.len, len);
		assert_memory_equal(got.data, wanted, len);
		longest = MAX(longest, len);
	}
	assert_true(longest > 8);
}

static void the_same_bytes(void **unused)
{
	(void)unused;
	static const ProtobufCMessageDescriptor *const all[] = {&ascolto__envelope__descriptor,
		&ascolto__frame__descriptor, &ascolto__arm_record__descriptor, &ascolto__case__descriptor,
		&ascolto__incident__descriptor, &ascolto__answer__descriptor, &ascolto__signature__descriptor,
		&state__topic__descriptor, &state__rhythm__descriptor, &state__copy__descriptor,
		&state__pulse__descriptor, &state__score__descriptor, &state__audit_entry__descriptor,
		&state__outbox_record__descriptor, &state__customer__descriptor,
		&state__delivery__descriptor};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		same(all[i]);
}

static void what_this_version_does_not_know_is_kept(void **unused)
{
	(void)unused;
	static const uint8_t newer[] = {0x0a, 0x01, 'a', 0xf2, 0x3f, 0x03, 'n', 'e', 'w', 0xf8, 0x3f, 0x2a};
	Ascolto__Fact *f = ascolto__fact__unpack(NULL, sizeof(newer), newer);
	assert_non_null(f);
	assert_int_equal(f->base.n_unknown_fields, 2);
	struct span got = pack_message(&arena, &f->base);
	assert_int_equal(got.len, sizeof(newer));
	assert_memory_equal(got.data, newer, sizeof(newer));
	ascolto__fact__free_unpacked(f, NULL);
}

/* Of any size; and nothing when memory is out. */
static void large_ones_too(void **unused)
{
	(void)unused;
	for (size_t len = PACK_SCRATCH - 20; len < PACK_SCRATCH + 20; len++) {
		State__TimerRecord r = STATE__TIMER_RECORD__INIT;
		arena_reset(&arena);
		r.envelope = (ProtobufCBinaryData){len, arena_zalloc(&arena, len)};
		struct span got = pack_message(&arena, &r.base);
		State__TimerRecord *back = state__timer_record__unpack(NULL, got.len, got.data);
		assert_non_null(back);
		assert_int_equal(back->envelope.len, len);
		state__timer_record__free_unpacked(back, NULL);
	}
	struct arena small;
	arena_init(&small, 16);
	Ascolto__Fact f = ASCOLTO__FACT__INIT;
	f.name = (char *)"more than sixteen bytes of a name";
	assert_null(pack_message(&small, &f.base).data);
	arena_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_bytes),
		cmocka_unit_test(what_this_version_does_not_know_is_kept),
		cmocka_unit_test(large_ones_too),
	};
	arena_init(&arena, (size_t)64 << 20);
	int failed = cmocka_run_group_tests_name("pack", tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
