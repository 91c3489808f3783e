/* The audit log: every way of touching it is found, and the entry is named. */
#include "tests/unit/check.h"

#include <sodium.h>
#include <stdlib.h>

#include "services/escalation/evidence/audit.h"
#include "services/escalation/evidence/audit_chain.h"
#include "services/escalation/escalation.h"

#define NOW_MS 1763757000000
#define BRAND "brezza"
#define ENTRIES 40

#define STORE_NOW_MS NOW_MS
#include "tests/unit/store_here.h"

static struct playbook playbook = {.label = "prova, version 3"};
static struct brand brand = {.name = BRAND, .playbook = &playbook, .playbook_digest = "00112233aabbccdd"};
static struct escalation state = {.brands = &brand, .n_brands = 1};
static struct id case_id;

/* ---- one message that is handled ---- */

struct work {
	struct arena arena;
	struct writeset ws;
	struct turn t;
	Ascolto__Envelope cause;
	struct id id;
};

static void work_begin(struct work *w, int64_t now_ms)
{
	struct err e = {0};
	arena_init(&w->arena, 1 << 20);
	writeset_init(&w->ws, &w->arena);
	w->t = (struct turn){.arena = &w->arena, .ws = &w->ws, .state = &state, .now_ms = now_ms,
		.key_group = key_group_of(span_str(BRAND))};
	assert_int_equal(txn_begin_write(store, &w->t.txn, &e), 0);
	w->cause = (Ascolto__Envelope)ASCOLTO__ENVELOPE__INIT;
	w->cause.brand = (char *)(uintptr_t)BRAND;
	w->id = id_from(now_ms, span_str("message"));
	w->cause.id = w->cause.trace_id = id_bytes(&w->id);
}

static void work_end(struct work *w, bool keep)
{
	struct err e = {0};
	if (keep) {
		assert_int_equal(writeset_apply(&w->ws, w->t.txn, &e), 0);
		assert_int_equal(txn_commit(&w->t.txn, &e), 0);
	} else {
		txn_abort(&w->t.txn);
	}
	arena_free(&w->arena);
}

static void add(struct work *w, const char *what, const char *who, const char *detail)
{
	audit_add(&w->t, &w->cause, &(struct audit_note){.what = what, .who = who, .by = BY_PERSON,
		.case_id = id_bytes(&case_id), .detail = detail});
}

/* Two messages in three write two entries, so that both ways to the head are used. */
static void write_log(void)
{
	case_id = id_from(NOW_MS, span_str("case"));
	for (int n = 0; n < ENTRIES;) {
		struct work w;
		work_begin(&w, NOW_MS + n * 1000);
		assert_false(audit_wrote(&w.t));
		add(&w, "case_acknowledged", "anna", "");
		assert_true(audit_wrote(&w.t));
		n++;
		if (n % 3 && n < ENTRIES) {
			add(&w, "case_closed", "anna", "rimborsata");
			n++;
		}
		work_end(&w, true);
	}
}

/* ---- reading it back ---- */

static struct key row(uint64_t number)
{
	struct key k = turn_key_in(key_group_of(span_str(BRAND)), &escalation_tables[AUDIT]);
	key_name(&k, BRAND);
	key_u64(&k, number);
	return k;
}

static enum audit_fault verify(uint64_t seen, struct span seen_hash, struct audit_chain *c)
{
	struct txn *t;
	struct cursor *cursor;
	struct span key, value;
	struct key prefix = turn_key_in(key_group_of(span_str(BRAND)), &escalation_tables[AUDIT]);
	enum audit_fault f = AUDIT_WHOLE;
	key_name(&prefix, BRAND);
	audit_chain_begin(c, BRAND);
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &cursor), 0);
	for (int r; !f && ((r = cursor_next(cursor, &key, &value)) == 0 || r == -EBADMSG);) {
		uint64_t number;
		struct span rest = span_of(key.data + prefix.len, key.len - prefix.len);
		State__AuditRecord *m = r ? NULL : state__audit_record__unpack(NULL, value.len, value.data);
		assert_int_equal(key_take_u64(&rest, &number), 0);
		f = audit_chain_next(c, number, m ? span_of(m->entry.data, m->entry.len) : span_of(NULL, 0),
			m ? span_of(m->hash.data, m->hash.len) : span_of(NULL, 0));
		if (!f && seen)
			f = audit_chain_seen(c, seen, seen_hash);
		state__audit_record__free_unpacked(m, NULL);
	}
	cursor_close(&cursor);
	txn_abort(&t);
	return f ? f : audit_chain_end(c, seen);
}

/* ---- touching it, as somebody who knows the store's framing ---- */

static uint8_t kept[64][1024];
static size_t kept_len[64];

static void read_all(void)
{
	struct txn *t;
	struct span value;
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	for (uint64_t n = 1; n <= ENTRIES; n++) {
		struct key k = row(n);
		assert_int_equal(txn_get(t, &k, &value), 0);
		assert_true(value.len <= sizeof(kept[0]));
		memcpy(kept[n], value.data, value.len);
		kept_len[n] = value.len;
	}
	txn_abort(&t);
}

static void put_row(uint64_t number, const uint8_t *data, size_t len)
{
	struct txn *t;
	struct key k = row(number);
	assert_int_equal(txn_begin_write(store, &t, NULL), 0);
	if (len)
		assert_int_equal(txn_put(t, &k, span_of(data, len)), 0);
	else
		txn_del(t, &k);
	assert_int_equal(txn_commit(&t, NULL), 0);
}

static void put_all_back(void)
{
	for (uint64_t n = 1; n <= ENTRIES; n++)
		put_row(n, kept[n], kept_len[n]);
}

static void expect(enum audit_fault fault, uint64_t broken)
{
	struct audit_chain c;
	enum audit_fault f = verify(0, span_of(NULL, 0), &c);
	if (f != fault || c.broken != broken)
		fail_msg("%s at %d, not %s at %d", audit_fault_words(f), (int)c.broken, audit_fault_words(fault),
			(int)broken);
}

/* ---- tests ---- */

static void test_whole(void **unused)
{
	(void)unused;
	struct audit_chain c;
	write_log();
	assert_int_equal(verify(0, span_of(NULL, 0), &c), AUDIT_WHOLE);
	assert_int_equal(c.number, ENTRIES);
	assert_int_equal(c.first_ms, NOW_MS);
	assert_true(c.last_ms > c.first_ms);
	read_all();
}

/* Every byte of every row, one bit of it: in the entry, the hash, or the framing of the message. */
static void test_changed_byte(void **unused)
{
	(void)unused;
	for (uint64_t n = 1; n <= ENTRIES; n += 13)
		for (size_t i = 0; i < kept_len[n]; i++) {
			struct audit_chain c;
			uint8_t copy[sizeof(kept[0])];
			memcpy(copy, kept[n], kept_len[n]);
			copy[i] ^= (uint8_t)(1 << (i % 8));
			put_row(n, copy, kept_len[n]);
			enum audit_fault f = verify(0, span_of(NULL, 0), &c);
			if (!f || c.broken != n)
				fail_msg("byte %zu of entry %d: %s at %d", i, (int)n, audit_fault_words(f), (int)c.broken);
			put_row(n, kept[n], kept_len[n]);
		}
	expect(AUDIT_WHOLE, 0);
}

static void test_removed(void **unused)
{
	(void)unused;
	for (uint64_t n = 1; n < ENTRIES; n += 7) {
		put_row(n, NULL, 0);
		expect(AUDIT_MISSING, n);
		put_row(n, kept[n], kept_len[n]);
	}
	/* Taken out, and the others moved up so that no gap shows. */
	for (uint64_t n = 9; n < ENTRIES; n++)
		put_row(n, kept[n + 1], kept_len[n + 1]);
	put_row(ENTRIES, NULL, 0);
	expect(AUDIT_MOVED, 9);
	put_all_back();
	expect(AUDIT_WHOLE, 0);
}

static void test_swapped(void **unused)
{
	(void)unused;
	put_row(5, kept[6], kept_len[6]);
	put_row(6, kept[5], kept_len[5]);
	expect(AUDIT_MOVED, 5);
	put_all_back();
	/* With the numbers written anew, too: then the hashes tell. */
	State__AuditRecord *a = state__audit_record__unpack(NULL, kept_len[6], kept[6]);
	State__AuditEntry *e = state__audit_entry__unpack(NULL, a->entry.len, a->entry.data);
	uint8_t entry[1024], packed[1024];
	e->number = 5;
	free(a->entry.data);
	a->entry.len = state__audit_entry__pack(e, entry);
	a->entry.data = entry;
	put_row(5, packed, state__audit_record__pack(a, packed));
	expect(AUDIT_CHANGED, 5);
	a->entry = (ProtobufCBinaryData){0};
	state__audit_record__free_unpacked(a, NULL);
	state__audit_entry__free_unpacked(e, NULL);
	put_all_back();
}

/* From `from` on made anew, hashes and all, by somebody who can write to the store. */
static void rewrite(uint64_t from)
{
	uint8_t hash[AUDIT_HASH], entry[1024], packed[1024];
	State__AuditRecord *before = state__audit_record__unpack(NULL, kept_len[from - 1], kept[from - 1]);
	memcpy(hash, before->hash.data, AUDIT_HASH);
	state__audit_record__free_unpacked(before, NULL);
	for (uint64_t n = from; n <= ENTRIES; n++) {
		State__AuditRecord *a = state__audit_record__unpack(NULL, kept_len[n], kept[n]), fresh = STATE__AUDIT_RECORD__INIT;
		State__AuditEntry *e = state__audit_entry__unpack(NULL, a->entry.len, a->entry.data);
		e->at_ms += 1;
		fresh.entry = (ProtobufCBinaryData){state__audit_entry__pack(e, entry), entry};
		audit_hash(hash, span_of(entry, fresh.entry.len), hash);
		fresh.hash = (ProtobufCBinaryData){AUDIT_HASH, hash};
		put_row(n, packed, state__audit_record__pack(&fresh, packed));
		state__audit_entry__free_unpacked(e, NULL);
		state__audit_record__free_unpacked(a, NULL);
	}
}

static void hash_of(uint64_t n, uint8_t ret[AUDIT_HASH])
{
	State__AuditRecord *a = state__audit_record__unpack(NULL, kept_len[n], kept[n]);
	memcpy(ret, a->hash.data, AUDIT_HASH);
	state__audit_record__free_unpacked(a, NULL);
}

static void test_cut_and_rewritten(void **unused)
{
	(void)unused;
	struct audit_chain c;
	uint8_t seen[AUDIT_HASH];
	hash_of(30, seen);
	assert_int_equal(verify(30, span_of(seen, AUDIT_HASH), &c), AUDIT_WHOLE);
	assert_int_equal(verify(30, span_of(seen, 8), &c), AUDIT_WHOLE); /* as an alarm carries it */
	for (uint64_t n = 25; n <= ENTRIES; n++)
		put_row(n, NULL, 0);
	expect(AUDIT_WHOLE, 0); /* alone it can not know ... */
	assert_int_equal(verify(30, span_of(seen, AUDIT_HASH), &c), AUDIT_CUT);
	assert_int_equal(c.broken, 25);
	put_all_back();
	rewrite(20);
	expect(AUDIT_WHOLE, 0);
	assert_int_equal(verify(30, span_of(seen, AUDIT_HASH), &c), AUDIT_REWRITTEN);
	assert_int_equal(c.broken, 30);
	hash_of(19, seen);
	assert_int_equal(verify(19, span_of(seen, AUDIT_HASH), &c), AUDIT_WHOLE); /* up to there it is the old one */
	put_all_back();
}

/* Another brand's log, put in the place of this one. */
static void test_foreign(void **unused)
{
	(void)unused;
	struct audit_chain c;
	State__AuditRecord *a = state__audit_record__unpack(NULL, kept_len[1], kept[1]);
	audit_chain_begin(&c, "other");
	assert_int_equal(audit_chain_next(&c, 1, span_of(a->entry.data, a->entry.len), span_of(a->hash.data, a->hash.len)),
		AUDIT_CHANGED);
	state__audit_record__free_unpacked(a, NULL);
}

static void count_entry(void *ctx, const State__AuditEntry *e)
{
	size_t *n = ctx;
	(*n)++;
	assert_int_equal(e->number, *n);
	assert_string_equal(e->who, "anna");
	assert_string_equal(e->by, "person");
	assert_string_equal(e->playbook, "prova, version 3");
}

static void test_of_a_case(void **unused)
{
	(void)unused;
	struct txn *t;
	struct arena a;
	size_t n = 0;
	struct id other = id_from(1, span_str("x"));
	arena_init(&a, 1 << 20);
	assert_int_equal(txn_begin_read(store, &t, NULL), 0);
	assert_int_equal(audit_of(t, &a, BRAND, &case_id, 1000, count_entry, &n), 0);
	assert_int_equal(n, ENTRIES);
	n = 0;
	assert_int_equal(audit_of(t, &a, BRAND, &case_id, 5, count_entry, &n), 0);
	assert_int_equal(n, 5);
	n = 0;
	assert_int_equal(audit_of(t, &a, BRAND, &other, 5, count_entry, &n), 0);
	assert_int_equal(n, 0);
	txn_abort(&t);
	arena_free(&a);
}

/* A handler that fails leaves no entry and no hole. */
static void test_refused(void **unused)
{
	(void)unused;
	struct work w;
	char detail[2 * AUDIT_DETAIL_MAX];
	work_begin(&w, NOW_MS);
	add(&w, "case_closed", "anna", "");
	work_end(&w, false);
	expect(AUDIT_WHOLE, 0);
	memset(detail, 'x', sizeof(detail));
	detail[AUDIT_DETAIL_MAX - 1] = (char)0xc3; /* è, across the limit */
	detail[AUDIT_DETAIL_MAX] = (char)0xa8;
	detail[sizeof(detail) - 1] = 0;
	work_begin(&w, NOW_MS);
	add(&w, "case_closed", "anna", detail);
	struct span packed = w.ws.first->value;
	State__AuditRecord *r = state__audit_record__unpack(NULL, packed.len, packed.data);
	State__AuditEntry *e = state__audit_entry__unpack(NULL, r->entry.len, r->entry.data);
	assert_int_equal(e->number, ENTRIES + 1);
	assert_int_equal(strlen(e->detail), AUDIT_DETAIL_MAX - 1);
	state__audit_entry__free_unpacked(e, NULL);
	state__audit_record__free_unpacked(r, NULL);
	work_end(&w, true);
}

static void test_playbook(void **unused)
{
	(void)unused;
	struct err why = {0};
	for (int i = 0; i < 2; i++) { /* a restart with the same one says nothing */
		struct work w;
		work_begin(&w, NOW_MS);
		assert_int_equal(audit_show(&w.t, &w.cause, &why), 0);
		assert_int_equal(audit_wrote(&w.t), i == 0);
		assert_non_null(strstr(audit_head_words(&w.t, BRAND), "42:"));
		work_end(&w, true);
	}
	snprintf(brand.playbook_digest, sizeof(brand.playbook_digest), "99112233aabbccdd");
	struct work w;
	work_begin(&w, NOW_MS);
	assert_int_equal(audit_show(&w.t, &w.cause, &why), 0);
	assert_true(audit_wrote(&w.t));
	work_end(&w, true);
	expect(AUDIT_WHOLE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_changed_byte),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_cut_and_rewritten),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_of_a_case),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_playbook),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, open_store, close_store);
}
