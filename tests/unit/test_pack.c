/* Messages to bytes, and bytes that are packed already as a field of another message. */
#include "tests/unit/check.h"

#include "common/pack.h"

#include "proto/ascolto.pb-c.h"
#include "proto/state.pb-c.h"

static struct arena arena;

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

/* Whatever the length of the inner one, the outer one has it as if it had been packed together. */
static void packed_ones_become_fields(void **unused)
{
	(void)unused;
	static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384, 70000};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		Ascolto__View v = ASCOLTO__VIEW__INIT;
		Ascolto__Case c = ASCOLTO__CASE__INIT, *got;
		ProtobufCMessageUnknownField field;
		arena_reset(&arena);
		c.title = arena_zalloc(&arena, lengths[i] + 1);
		memset(c.title, 'x', lengths[i]);
		assert_int_equal(pack_as_field(&arena, 2, pack_message(&arena, &c.base), &field), 0);
		v.base.unknown_fields = &field;
		v.base.n_unknown_fields = 1;
		struct span whole = pack_message(&arena, &v.base);
		Ascolto__View *back = ascolto__view__unpack(NULL, whole.len, whole.data);
		assert_non_null(back);
		assert_int_equal(back->what_case, ASCOLTO__VIEW__WHAT_CASE);
		got = back->case_;
		assert_string_equal(got->title, c.title);
		ascolto__view__free_unpacked(back, NULL);
	}
}

/* The same as if it had been packed in one piece. */
static void one_goes_inside_another(void **unused)
{
	(void)unused;
	static const size_t lengths[] = {0, 1, 118, 119, 125, 126, 127, 128, 16370, 16383, 16384, 70000};
	static const uint32_t path[] = {ASCOLTO__ENVELOPE__BODY_VIEW, ASCOLTO__VIEW__WHAT_CASE};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
		Ascolto__View v = ASCOLTO__VIEW__INIT;
		Ascolto__Case c = ASCOLTO__CASE__INIT;
		arena_reset(&arena);
		c.title = arena_zalloc(&arena, lengths[i] + 1);
		memset(c.title, 'x', lengths[i]);
		e.brand = (char *)"brezza";
		struct span got = pack_inside(&arena, pack_message(&arena, &e.base), path, pack_message(&arena, &c.base));
		e.body_case = ASCOLTO__ENVELOPE__BODY_VIEW;
		e.view = &v;
		v.what_case = ASCOLTO__VIEW__WHAT_CASE;
		v.case_ = &c;
		assert_true(span_eq(got, pack_message(&arena, &e.base)));
	}
}

static void without_an_inner_one_the_body_is_empty(void **unused)
{
	(void)unused;
	static const uint32_t path[] = {ASCOLTO__ENVELOPE__BODY_VIEW, ASCOLTO__VIEW__WHAT_CASE};
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct span got = pack_inside(&arena, pack_message(&arena, &e.base), path, (struct span){0});
	Ascolto__Envelope *back = ascolto__envelope__unpack(NULL, got.len, got.data);
	assert_int_equal(back->body_case, ASCOLTO__ENVELOPE__BODY_VIEW);
	assert_int_equal(back->view->what_case, ASCOLTO__VIEW__WHAT__NOT_SET);
	ascolto__envelope__free_unpacked(back, NULL);
}

static int find_in(const char *bytes, size_t len, unsigned field, const char *wanted)
{
	struct span got = {0};
	int r = pack_find(span_of(bytes, len), field, &got);
	if (!r)
		assert_true(span_eq(got, span_str(wanted)));
	return r;
}

static void fields_are_found_in_what_is_packed(void **unused)
{
	(void)unused;
	/* 1: text, 2: a number, 3: 8 bytes, 4: 4 bytes, 1000: text */
	static const char all[] = "\x0a\x02" "ab" "\x10\x96\x01" "\x19" "12345678" "\x25" "1234" "\xc2\x3e\x03" "xyz";
	size_t len = sizeof(all) - 1;
	assert_int_equal(find_in(all, len, 1, "ab"), 0);
	assert_int_equal(find_in(all, len, 1000, "xyz"), 0);
	assert_int_equal(find_in(all, len, 2, ""), -ENOENT); /* not bytes */
	assert_int_equal(find_in(all, len, 3, ""), -ENOENT);
	assert_int_equal(find_in(all, len, 5, ""), -ENOENT);
	assert_int_equal(find_in("", 0, 1, ""), -ENOENT);
	assert_int_equal(find_in("\x0a\x00", 2, 1, ""), 0);
	assert_int_equal(find_in("\x0a\x01" "a\x0a\x01" "b", 6, 1, ""), -ENOENT); /* twice: which of them? */
	for (size_t cut = len - 1; cut > len - 6; cut--)
		assert_int_equal(find_in(all, cut, 1, "ab"), -EBADMSG);
	assert_int_equal(find_in("\x0b", 1, 1, ""), -EBADMSG); /* a group */
	assert_int_equal(find_in("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 1, ""), -EBADMSG);
	assert_int_equal(find_in("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, 1, ""), -EBADMSG);
}

static void nothing_when_memory_is_out(void **unused)
{
	(void)unused;
	struct arena small;
	ProtobufCMessageUnknownField field;
	arena_init(&small, 16);
	Ascolto__Fact f = ASCOLTO__FACT__INIT;
	f.name = (char *)"more than sixteen bytes of a name";
	assert_null(pack_message(&small, &f.base).data);
	assert_int_equal(pack_as_field(&small, 2, span_str(f.name), &field), -ENOMEM);
	assert_null(pack_inside(&small, span_str(f.name), (const uint32_t[]){1, 2}, span_str(f.name)).data);
	arena_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_this_version_does_not_know_is_kept),
		cmocka_unit_test(packed_ones_become_fields),
		cmocka_unit_test(one_goes_inside_another),
		cmocka_unit_test(without_an_inner_one_the_body_is_empty),
		cmocka_unit_test(fields_are_found_in_what_is_packed),
		cmocka_unit_test(nothing_when_memory_is_out),
	};
	arena_init(&arena, (size_t)64 << 20);
	int failed = cmocka_run_group_tests_name("pack", tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
