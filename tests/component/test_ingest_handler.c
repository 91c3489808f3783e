/* What the handler writes and emits: a turn put together by hand over a real store. */
#include "services/ingest/ingest.h"
#include "services/ingest/state.h"
#include "tests/component/files.h"

#include "proto/state.pb-c.h"

#define NOW INT64_C(1763757000000)
#define DAY INT64_C(86400000)
#define POST "{\"native_id\":\"1\",\"kind\":\"message\",\"created_at_ms\":1763756000000,\"text\":\"ciao\","

static struct conf_channel channels[] = {
	{.name = (char[]){"web"}, .brand = (char[]){"acme"}, .network = (char[]){"x"}},
	{.name = (char[]){"all"}, .brand = (char[]){"acme"}, .network = (char[]){"x"}, .catch_all = true},
	{.name = (char[]){"mail"}, .brand = (char[]){"acme"}, .network = (char[]){"email"}},
	{.name = (char[]){"rival"}, .brand = (char[]){"rival"}, .network = (char[]){"x"}},
};
static struct conf conf = {.channels = channels, .channels_count = ARRAY_SIZE(channels)};
static struct ingest ingest;
static struct store *store;

/* One turn: handles `in`, applies it when it says DONE, commits. */
struct outcome {
	struct arena arena;
	struct writeset ws;
	struct err why;
	enum verdict verdict;
	Ascolto__Envelope *emitted; /* NULL: nothing */
};

static struct outcome *handle(Ascolto__Envelope *e, int64_t now_ms)
{
	struct outcome *o = calloc(1, sizeof(*o));
	struct id id = id_from(0, span_str("intake"));
	arena_init(&o->arena, 8 << 20);
	writeset_init(&o->ws, &o->arena);
	e->id = id_bytes(&id);
	struct turn t = {.arena = &o->arena,
		.ws = &o->ws,
		.state = &ingest,
		.conf = &conf,
		.now_ms = now_ms,
		.key_group = 7};
	assert_int_equal(txn_begin_write(store, &t.txn, NULL), 0);
	bool is_timer = e->body_case == ASCOLTO__ENVELOPE__BODY_TIMER;
	o->verdict = (is_timer ? handle_timer : handle_intake)(&t, e, &o->why);
	if (o->verdict == DONE)
		assert_int_equal(writeset_apply(&o->ws, t.txn, &o->why), 0);
	for (const struct write *w = o->ws.first; w; w = w->next)
		if (w->kind == WRITE_EMIT)
			o->emitted =
				ascolto__envelope__unpack(arena_pb(&o->arena), w->value.len, w->value.data);
	assert_int_equal(txn_commit(&t.txn, NULL), 0);
	return o;
}

static struct outcome *take(const char *channel, const char *json, int64_t now_ms)
{
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Intake in = ASCOLTO__INTAKE__INIT;
	in.channel = (char *)(uintptr_t)channel;
	in.place = (char *)(uintptr_t) "f:1";
	in.cursor = (char *)(uintptr_t) "c9";
	in.raw = (ProtobufCBinaryData){strlen(json), (uint8_t *)(uintptr_t)json};
	e.body_case = ASCOLTO__ENVELOPE__BODY_INTAKE;
	e.intake = &in;
	return handle(&e, now_ms);
}

static void drop(struct outcome *o)
{
	arena_free(&o->arena);
	free(o);
}

static size_t rows(enum ingest_table table)
{
	struct txn *t;
	struct cursor *c;
	struct span k, v;
	size_t n = 0;
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	for (unsigned g = 0; g < KEY_GROUPS; g++) {
		struct key prefix = turn_key_in((uint8_t)g, &ingest_tables[table]);
		assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
		while (cursor_next(c, &k, &v) == 0)
			n++;
		cursor_close(&c);
	}
	txn_abort(&t);
	return n;
}

static int open_store(void **state)
{
	(void)state;
	static int n;
	char name[32];
	snprintf(name, sizeof(name), "store%d", n++);
	const struct store_options o = {
		.path = test_path(name), .service = "ingest", .unsafe_fs = true, .now_ms = NOW};
	return store_open(&store, &o, NULL);
}

static int close_store(void **state)
{
	(void)state;
	store_close(&store);
	return 0;
}

static void a_post_becomes_a_message(void **state)
{
	(void)state;
	struct outcome *o =
		take("web", POST "\"author\":{\"ids\":[{\"scope\":\"x\",\"value\":\"7\"}]}}", NOW);
	assert_int_equal(o->verdict, DONE);
	const Ascolto__Envelope *e = o->emitted;
	const Ascolto__Post *p = e->received->post;
	assert_string_equal(e->brand, "acme");
	assert_int_equal(e->occurred_ms, 1763756000000);
	assert_int_equal(e->received_ms, NOW);
	assert_int_equal(e->key_group, key_group_of(span_str("x:7")));
	assert_string_equal(p->channel, "web");
	assert_string_equal(p->network, "x");
	assert_int_equal(p->trust, ASCOLTO__TRUST__TRUST_UNSIGNED);
	struct id id, want = id_from(1763756000000, span_of("web\0001\0001\0000", 9));
	assert_int_equal(id_of(e->id, &id), 0);
	assert_true(id_eq(&id, &want));
	assert_int_equal(e->trace_id.len, ID_BYTES);
	assert_memory_equal(e->trace_id.data, e->id.data, ID_BYTES);
	assert_int_equal(rows(RAW), 1);
	assert_int_equal(rows(SEEN), 1);
	assert_int_equal(rows(CURSORS), 1);
	drop(o);

	/* Again, by another way: a duplicate. Edited, or of another kind: not. */
	o = take("all", POST "\"channel\":\"web\"}", NOW + 1);
	assert_int_equal(o->verdict, DONE);
	assert_null(o->emitted);
	assert_int_equal(rows(RAW), 1);
	drop(o);
	o = take("web", POST "\"revision\":1}", NOW + 1);
	assert_non_null(o->emitted);
	drop(o);
	o = take("web", "{\"native_id\":\"1\",\"kind\":\"delete\"}", NOW + 1);
	assert_int_equal(o->emitted->occurred_ms, NOW + 1); /* no time of its own */
	drop(o);
	assert_int_equal(rows(SEEN), 3);
}

static void authors_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *native_id, *rest, *route;
	} cases[] = {
		{"a", "\"author\":{\"handle\":\"ada\"}", "x-handle:ada"},
		{"b", "\"author\":null", "anonymous:web/b"},
		{"c", "\"conversation\":\"t9\"", "anonymous:web/t9"},
		{"d", "\"author\":{\"handle\":\"ada\",\"ids\":[{\"scope\":\"email\",\"value\":\"a@b\"},{}]}",
			"email:a@b"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char json[256];
		snprintf(json, sizeof(json), "{\"native_id\":\"%s\",\"kind\":\"message\",%s}",
			cases[i].native_id, cases[i].rest);
		struct outcome *o = take("web", json, NOW);
		const Ascolto__AuthorId *id = o->emitted->received->post->author->ids[0];
		char route[64];
		snprintf(route, sizeof(route), "%s:%s", id->scope, id->value);
		assert_string_equal(route, cases[i].route);
		assert_int_equal(o->emitted->key_group, key_group_of(span_str(route)));
		drop(o);
	}
}

static void channels_keep_to_themselves(void **state)
{
	(void)state;
	static const struct {
		const char *channel, *said;
		const char *network; /* NULL: refused */
	} cases[] = {
		{"web", "mail", NULL},
		{"all", "mail", "email"},
		{"all", "anything", "x"},
		{"all", "rival", NULL},
		{"gone", "", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char json[128];
		snprintf(json, sizeof(json), "{\"native_id\":\"1\",\"kind\":\"message\",\"channel\":\"%s\"}",
			cases[i].said);
		struct outcome *o = take(cases[i].channel, json, NOW);
		assert_int_equal(o->verdict, cases[i].network ? DONE : REJECT);
		if (cases[i].network)
			assert_string_equal(o->emitted->received->post->network, cases[i].network);
		else
			assert_non_null(strstr(o->why.text, "f:1: unknown channel \""));
		drop(o);
	}
}

static void what_is_old_is_forgotten(void **state)
{
	(void)state;
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	timer.purpose = (char *)(uintptr_t)PURPOSE_PRUNE;
	e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e.timer = &timer;
	for (int i = 0; i < 20; i++) {
		char json[128];
		snprintf(json, sizeof(json),
			"{\"native_id\":\"%d\",\"kind\":\"message\",\"channel\":\"ch%d\"}", i, i % 4);
		drop(take("all", json, NOW + i * DAY / 2));
	}
	drop(handle(&e, NOW + 7 * DAY));
	assert_int_equal(rows(RAW), 20);
	drop(handle(&e, NOW + 12 * DAY)); /* what came before day 5 */
	assert_int_equal(rows(RAW), 10);
	assert_int_equal(rows(SEEN), 10);
	assert_int_equal(rows(CURSORS), 1);
	struct outcome *o =
		take("all", "{\"native_id\":\"0\",\"kind\":\"message\",\"channel\":\"ch0\"}", NOW + 12 * DAY);
	assert_non_null(o->emitted);
	drop(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_post_becomes_a_message, open_store, close_store),
		cmocka_unit_test_setup_teardown(authors_are_named, open_store, close_store),
		cmocka_unit_test_setup_teardown(channels_keep_to_themselves, open_store, close_store),
		cmocka_unit_test_setup_teardown(what_is_old_is_forgotten, open_store, close_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
