/* Write-sets: in order, all or nothing, and a refusal that is remembered. */
#include "tests/unit/check.h"

#include "common/pack.h"
#include "common/writeset.h"

#include "proto/state.pb-c.h"

#include <unistd.h>

static char folder[64];
static struct store *store;
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	struct store_options o = {.path = folder, .service = "toy", .unsafe_fs = true, .now_ms = 1};
	snprintf(folder, sizeof(folder), "/tmp/ascolto-writeset-XXXXXX");
	arena_init(&arena, 1 << 20);
	return mkdtemp(folder) ? store_open(&store, &o, NULL) : -1;
}

static int teardown(void **state)
{
	char command[128];
	(void)state;
	store_close(&store);
	arena_free(&arena);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static struct key key_of(uint8_t n)
{
	struct key k = key_make(0x20, 0);
	key_u8(&k, n);
	return k;
}

static void put(struct writeset *w, uint8_t n, uint64_t value)
{
	struct key k = key_of(n);
	State__Counter c = STATE__COUNTER__INIT;
	c.value = value;
	writeset_put(w, &k, &c.base);
}

static void del(struct writeset *w, uint8_t n)
{
	struct key k = key_of(n);
	writeset_del(w, &k);
}

/* The number stored there; -1 = none. */
static int64_t stored(struct txn *t, uint8_t n)
{
	struct key k = key_of(n);
	struct span v;
	if (txn_get(t, &k, &v))
		return -1;
	State__Counter *c = state__counter__unpack(NULL, v.len, v.data);
	assert_non_null(c);
	int64_t value = (int64_t)c->value;
	state__counter__free_unpacked(c, NULL);
	return value;
}

static struct txn *begin(void)
{
	struct txn *t = NULL;
	assert_int_equal(txn_begin_write(store, &t, NULL), 0);
	return t;
}

static void test_in_order(void **state)
{
	(void)state;
	struct writeset w;
	writeset_init(&w, &arena);
	put(&w, 1, 1);
	put(&w, 2, 2);
	del(&w, 1);
	put(&w, 1, 3);
	put(&w, 2, 4);
	del(&w, 2);
	del(&w, 9); /* what is not there is deleted already */
	assert_int_equal(w.count, 7);
	struct txn *t = begin();
	assert_int_equal(stored(t, 1), -1); /* nothing happens before it is applied */
	assert_int_equal(writeset_apply(&w, t, NULL), 0);
	assert_int_equal(stored(t, 1), 3);
	assert_int_equal(stored(t, 2), -1);
	assert_int_equal(writeset_apply(&w, t, NULL), 0); /* again: the same */
	assert_int_equal(stored(t, 1), 3);
	txn_abort(&t);
}

static void test_values_are_taken_at_once(void **state)
{
	(void)state;
	struct writeset w;
	struct key k = key_of(1);
	State__Counter c = STATE__COUNTER__INIT;
	c.value = 5;
	writeset_init(&w, &arena);
	writeset_put(&w, &k, &c.base);
	c.value = 6;
	key_u8(&k, 1);
	struct txn *t = begin();
	assert_int_equal(writeset_apply(&w, t, NULL), 0);
	assert_int_equal(stored(t, 1), 5);
	txn_abort(&t);
}

static void effect(void *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
}

/* Apply writes puts and deletes; what else was asked for stays in order for the service loop. */
static void test_other_kinds(void **state)
{
	(void)state;
	struct writeset w;
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct id id = id_from(7, span_str("x"));
	static const enum write_kind kinds[] = {
		WRITE_EMIT, WRITE_EMIT, WRITE_TIMER, WRITE_EFFECT, WRITE_COUNT, WRITE_PUT};
	e.id = (ProtobufCBinaryData){ID_BYTES, id.b};
	e.key_group = 200;
	e.brand = (char *)"brezza";
	writeset_init(&w, &arena);
	writeset_emit(&w, 3, LANE_URGENT, &e);
	struct key row = key_of(9);
	writeset_emit_row(&w, 2, LANE_NORMAL, &e, &row, (const uint32_t[]){24, 2});
	writeset_timer(&w, &e, 1234);
	writeset_effect(&w, effect, &w);
	writeset_count(&w, "messages", -2);
	put(&w, 1, 1);
	size_t n = 0;
	for (const struct write *x = w.first; x; x = x->next)
		assert_int_equal(x->kind, kinds[n++]);
	assert_int_equal(n, 6);
	const struct write *emit = w.first, *of_row = emit->next, *timer = of_row->next;
	assert_int_equal(emit->destination, 3);
	assert_int_equal(emit->lane, LANE_URGENT);
	assert_int_equal(emit->key_group, 200);
	assert_int_equal(emit->path[0], 0);
	assert_int_equal(of_row->path[0], 24);
	assert_int_equal(of_row->path[1], 2);
	assert_true(span_eq(key_span(&of_row->key), key_span(&row)));
	Ascolto__Envelope *back = ascolto__envelope__unpack(NULL, emit->value.len, emit->value.data);
	assert_string_equal(back->brand, "brezza");
	ascolto__envelope__free_unpacked(back, NULL);
	assert_int_equal(timer->due_ms, 1234);
	assert_true(id_eq(&timer->id, &id));
	struct txn *t = begin();
	assert_int_equal(writeset_apply(&w, t, NULL), 0);
	assert_int_equal(stored(t, 1), 1);
	txn_abort(&t);
}

static void expect_refused(struct writeset *w, int code, const char *words)
{
	struct err e = {0};
	struct txn *t = begin();
	assert_int_equal(w->error, code);
	assert_int_equal(writeset_apply(w, t, &e), code);
	assert_non_null(strstr(err_text(&e), words));
	assert_int_equal(stored(t, 1), -1); /* not even what came before the mistake */
	txn_abort(&t);
}

static void test_refused(void **state)
{
	(void)state;
	struct writeset w;
	struct key k = key_of(2);
	State__Counter c = STATE__COUNTER__INIT;
	Ascolto__Envelope no_id = ASCOLTO__ENVELOPE__INIT;
	for (int i = 0; i < 600; i++)
		key_u8(&k, 0);
	writeset_init(&w, &arena);
	put(&w, 1, 1);
	writeset_put(&w, &k, &c.base);
	expect_refused(&w, -EINVAL, "a key is too long");
	writeset_init(&w, &arena);
	put(&w, 1, 1);
	writeset_del(&w, &k);
	expect_refused(&w, -EINVAL, "a key is too long");
	writeset_init(&w, &arena);
	put(&w, 1, 1);
	writeset_timer(&w, &no_id, 1);
	expect_refused(&w, -EINVAL, "an id is missing");
}

static void test_memory(void **state)
{
	(void)state;
	struct writeset w;
	struct arena small CLEANUP(arena_free);
	arena_init(&small, 4000);
	writeset_init(&w, &small);
	for (int i = 0; i < 200; i++)
		put(&w, 1, 1);
	assert_true(w.count < 200);
	struct key k = key_of(2);
	for (int i = 0; i < 600; i++)
		key_u8(&k, 0);
	writeset_del(&w, &k); /* a later mistake does not hide the first */
	expect_refused(&w, -ENOMEM, "more memory than allowed");
	writeset_count(&w, "x", 1);
	writeset_effect(&w, effect, NULL);
	writeset_emit(&w, 0, LANE_NORMAL, &(Ascolto__Envelope)ASCOLTO__ENVELOPE__INIT);
	writeset_timer(&w, &(Ascolto__Envelope)ASCOLTO__ENVELOPE__INIT, 1);
	assert_int_equal(w.error, -ENOMEM);
	State__Quarantined big = STATE__QUARANTINED__INIT;
	static uint8_t bytes[5000];
	big.envelope = (ProtobufCBinaryData){sizeof(bytes), bytes};
	assert_null(pack_message(&small, &big.base).data);
	State__Counter nothing = STATE__COUNTER__INIT;
	assert_int_equal(pack_message(&arena, &nothing.base).len, 0);
	assert_non_null(pack_message(&arena, &nothing.base).data);
}

/* A value that packs into more than the store takes is the message's own fault. */
static void test_too_large_a_value(void **state)
{
	(void)state;
	struct writeset w;
	struct arena large CLEANUP(arena_free);
	struct key k = key_of(1);
	State__Quarantined q = STATE__QUARANTINED__INIT;
	arena_init(&large, 4 * STORE_VALUE_MAX);
	q.envelope = (ProtobufCBinaryData){STORE_VALUE_MAX, calloc(1, STORE_VALUE_MAX)};
	writeset_init(&w, &large);
	writeset_put(&w, &k, &q.base);
	struct txn *t = begin();
	assert_int_equal(writeset_apply(&w, t, NULL), -EINVAL);
	txn_abort(&t);
	free(q.envelope.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_are_taken_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large_a_value, setup, teardown),
	};
	return cmocka_run_group_tests_name("writeset", tests, NULL, NULL);
}
