#include "services/escalation/evidence/audit.h"

#include <sodium.h>

#include "common/pack.h"
#include "services/escalation/evidence/audit_chain.h"
#include "services/escalation/escalation.h"

#define SHOW_EVERY_MS 10000

/* ---- keys ---- */

static struct key log_key(uint8_t group, const char *brand)
{
	struct key k = turn_key_in(group, &escalation_tables[AUDIT]);
	key_name(&k, brand);
	return k;
}

static struct key row_key(uint8_t group, const char *brand, uint64_t number)
{
	struct key k = log_key(group, brand);
	key_u64(&k, number);
	return k;
}

static struct key place_key(uint8_t group, const struct id *subject)
{
	struct key k = turn_key_in(group, &escalation_tables[AUDIT_OF]);
	key_id(&k, subject);
	return k;
}

static bool number_of(struct span key, const struct key *prefix, uint64_t *ret)
{
	struct span rest = span_of(key.data + prefix->len, key.len - prefix->len);
	return key_take_u64(&rest, ret) == 0;
}

/* ---- the head ---- */

struct head {
	uint64_t number;
	uint8_t hash[AUDIT_HASH];
};

static void read_row(struct head *h, struct arena *a, const struct key *prefix, struct span key, struct span value)
{
	State__AuditRecord *row = state__audit_record__unpack(arena_pb(a), value.len, value.data);
	number_of(key, prefix, &h->number);
	memset(h->hash, 0, AUDIT_HASH); /* of a damaged one: verifying names it, and work goes on */
	if (row && row->hash.len == AUDIT_HASH)
		memcpy(h->hash, row->hash.data, AUDIT_HASH);
}

static bool begins_with(const struct key *k, const struct key *prefix)
{
	return k->len > prefix->len && memcmp(k->data, prefix->data, prefix->len) == 0;
}

/* The last entry: of this write-set, which reads do not see, else of the store. */
static const struct write *last_written(const struct turn *t, const struct key *prefix)
{
	const struct write *last = NULL;
	for (const struct write *w = t->ws->first; w; w = w->next)
		if (w->kind == WRITE_PUT && begins_with(&w->key, prefix))
			last = w;
	return last;
}

static void find_head(struct turn *t, const char *brand, struct head *ret)
{
	struct key prefix = log_key(t->key_group, brand);
	const struct write *w = last_written(t, &prefix);
	struct span key, value = {0};
	*ret = (struct head){0};
	if (w) {
		read_row(ret, t->arena, &prefix, key_span(&w->key), w->value);
		return;
	}
	int r = txn_last(t->txn, &prefix, &key, &value);
	if (r == 0 || r == -EBADMSG)
		read_row(ret, t->arena, &prefix, key, r ? span_of(NULL, 0) : value);
	else if (r == -ENOENT)
		audit_genesis(brand, ret->hash);
	else
		t->ws->error = r;
}

bool audit_wrote(const struct turn *t)
{
	struct key prefix = turn_key(t, &escalation_tables[AUDIT]);
	return last_written(t, &prefix) != NULL;
}

const char *audit_head_words(struct turn *t, const char *brand)
{
	struct head h;
	char hex[2 * 8 + 1];
	find_head(t, brand, &h);
	if (!h.number)
		return "";
	return arena_printf(t->arena, "%" PRIu64 ":%s", h.number, sodium_bin2hex(hex, sizeof(hex), h.hash, 8));
}

/* ---- writing ---- */

static char *cut(struct arena *a, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	if (n > AUDIT_DETAIL_MAX)
		for (n = AUDIT_DETAIL_MAX; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
			;
	return arena_strndup(a, s ? s : "", n);
}

static void put_place(struct turn *t, ProtobufCBinaryData subject, uint64_t number)
{
	State__AuditPlace place = STATE__AUDIT_PLACE__INIT;
	struct id id;
	if (id_of(subject, &id))
		return;
	struct key k = place_key(t->key_group, &id);
	key_u64(&k, number);
	place.number = number;
	turn_put(t, &k, &place);
}

static const char *by_word(enum audit_by by)
{
	return by == BY_PERSON ? "person" : by == BY_SERVICE ? "service" : "rule";
}

void audit_add(struct turn *t, const Ascolto__Envelope *cause, const struct audit_note *n)
{
	struct brand *b = brand_find(t->state, cause->brand);
	State__AuditEntry e = STATE__AUDIT_ENTRY__INIT;
	State__AuditRecord row = STATE__AUDIT_RECORD__INIT;
	struct head head;
	uint8_t hash[AUDIT_HASH];
	find_head(t, cause->brand, &head);
	e.number = head.number + 1;
	e.at_ms = t->now_ms;
	e.who = cut(t->arena, n->who);
	e.by = (char *)(uintptr_t)by_word(n->by);
	e.what = (char *)(uintptr_t)n->what;
	e.case_id = n->case_id;
	e.incident_id = n->incident_id;
	e.message_id = n->message_id;
	e.order_id = n->order_id;
	e.playbook = b ? b->playbook->label : e.playbook;
	e.detail = cut(t->arena, n->detail);
	struct span packed = e.who && e.detail ? pack_message(t->arena, &e.base) : span_of(NULL, 0);
	if (!packed.data) {
		t->ws->error = -ENOMEM;
		return;
	}
	audit_hash(head.hash, packed, hash);
	row.entry = (ProtobufCBinaryData){packed.len, (uint8_t *)(uintptr_t)packed.data};
	row.hash = (ProtobufCBinaryData){AUDIT_HASH, hash};
	struct key k = row_key(t->key_group, cause->brand, e.number);
	turn_put(t, &k, &row);
	put_place(t, n->case_id, e.number);
	put_place(t, n->incident_id, e.number);
	turn_count(t, "audit_entries", 1);
	if (b)
		b->audit_unseen = true;
}

/* ---- showing the head ---- */

static struct key noted_key(const struct turn *t, const char *brand)
{
	struct key k = turn_key(t, &escalation_tables[AUDIT_PLAYBOOK]);
	key_name(&k, brand);
	return k;
}

/* Decisions from here on use another playbook than those before. */
static int note_playbook(struct turn *t, const Ascolto__Envelope *e, const struct brand *b)
{
	State__PlaybookNoted *was, now = STATE__PLAYBOOK_NOTED__INIT;
	struct key k = noted_key(t, b->name);
	int r = turn_get(t, &escalation_tables[AUDIT_PLAYBOOK], &k, &was);
	if (r && r != -ENOENT && r != -EBADMSG)
		return r;
	if (!r && str_eq(was->label, b->playbook->label) && str_eq(was->digest, b->playbook_digest))
		return 0;
	now.label = (char *)(uintptr_t)b->playbook->label;
	now.digest = (char *)(uintptr_t)b->playbook_digest;
	turn_put(t, &k, &now);
	audit_add(t, e, &(struct audit_note){.what = "playbook_loaded", .who = "escalation", .by = BY_SERVICE,
		.detail = arena_printf(t->arena, "%s, file %s%s%s", b->playbook->label, b->playbook_digest,
			r ? "" : ", before it ", r ? "" : was->label)});
	return 0;
}

int audit_show(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	Ascolto__AuditHead head = ASCOLTO__AUDIT_HEAD__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	struct head h;
	int r = b ? note_playbook(t, e, b) : 0;
	if (r)
		return err_set(why, r, "which playbook was in force can not be read: %s", strerror(-r));
	find_head(t, e->brand, &h);
	if (!h.number)
		return 0;
	head.number = h.number;
	head.hash = (ProtobufCBinaryData){AUDIT_HASH, h.hash};
	head.at_ms = t->now_ms;
	v.what_case = ASCOLTO__VIEW__WHAT_AUDIT;
	v.audit = &head;
	send_view(t, e, "view-audit", 0, &v);
	return 0;
}

void audit_tick(struct svc *s, void *state, int64_t now_ms)
{
	struct escalation *x = state;
	for (size_t i = 0; i < x->n_brands; i++) {
		struct brand *b = &x->brands[i];
		int64_t since = now_ms - b->audit_shown_ms;
		if (!b->audit_unseen || (since >= 0 && since < SHOW_EVERY_MS && b->audit_shown_ms))
			continue;
		Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
		Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
		struct id id = id_random(now_ms);
		timer.purpose = (char *)AUDIT_TIMER;
		e.id = e.trace_id = id_bytes(&id);
		e.brand = b->name;
		e.key_group = key_group_of(span_str(b->name));
		e.occurred_ms = e.received_ms = now_ms;
		e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
		e.timer = &timer;
		if (svc_submit(s, &e, NULL, NULL))
			continue; /* no room now: in a second */
		b->audit_unseen = false;
		b->audit_shown_ms = now_ms;
	}
}

/* ---- reading ---- */

int audit_of(struct txn *t, struct arena *a, const char *brand, const struct id *subject, size_t max,
	void (*fn)(void *ctx, const State__AuditEntry *e), void *ctx)
{
	uint8_t group = key_group_of(span_str(brand));
	struct key prefix = place_key(group, subject);
	struct cursor *c;
	struct span key, value;
	uint64_t number;
	int r = cursor_open(t, &prefix, NULL, &c);
	while (!r && max-- && (cursor_next(c, &key, &value) == 0)) {
		State__AuditRecord *row;
		if (!number_of(key, &prefix, &number))
			continue;
		struct key k = row_key(group, brand, number);
		if (svc_read(t, a, &escalation_tables[AUDIT], &k, &row))
			continue;
		State__AuditEntry *e = state__audit_entry__unpack(arena_pb(a), row->entry.len, row->entry.data);
		if (e)
			fn(ctx, e);
	}
	if (!r)
		cursor_close(&c);
	return r;
}

static void add_base64(struct buf *out, const char *name, ProtobufCBinaryData b)
{
	size_t size = sodium_base64_ENCODED_LEN(b.len, sodium_base64_VARIANT_ORIGINAL);
	buf_addf(out, ",\"%s\":\"", name);
	uint8_t *room = buf_room(out, size);
	if (!room)
		return;
	sodium_bin2base64((char *)room, size, b.data, b.len, sodium_base64_VARIANT_ORIGINAL);
	out->len += size - 1;
	buf_adds(out, "\"");
}

static void add_row(struct buf *out, struct arena *a, uint64_t number, struct span value, bool first)
{
	State__AuditRecord *row = value.data ? state__audit_record__unpack(arena_pb(a), value.len, value.data) : NULL;
	buf_addf(out, "%s{\"number\":%" PRIu64, first ? "" : ",", number);
	if (row) {
		add_base64(out, "entry", row->entry);
		add_base64(out, "hash", row->hash);
	}
	buf_adds(out, "}");
}

struct page {
	struct txn *txn;
	struct arena arena;
	struct buf out;
	const char *brand;
	uint8_t group;
	uint64_t after, limit;
};

/* The log itself, or the entries of one subject. `more`: the page is full. */
static bool fill_page(struct page *p, const struct id *subject)
{
	struct key prefix = subject ? place_key(p->group, subject) : log_key(p->group, p->brand), from = prefix;
	struct cursor *c;
	struct span key, value;
	uint64_t n = 0, number;
	int r;
	key_u64(&from, p->after + 1);
	if (cursor_open(p->txn, &prefix, &from, &c))
		return false;
	for (; n < p->limit && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG);) {
		if (!number_of(key, &prefix, &number))
			continue;
		value = r ? span_of(NULL, 0) : value;
		struct key k = row_key(p->group, p->brand, number);
		if (subject && txn_get(p->txn, &k, &value))
			value = span_of(NULL, 0);
		add_row(&p->out, &p->arena, number, value, n++ == 0);
	}
	cursor_close(&c);
	return n == p->limit;
}

static bool read_number(struct http_request *r, const char *name, uint64_t otherwise, uint64_t *ret)
{
	const char *text = http_query(r, name);
	char *end = NULL;
	errno = 0;
	*ret = text ? strtoull(text, &end, 10) : otherwise;
	return !text || (text[0] >= '0' && text[0] <= '9' && !*end && !errno);
}

void audit_get(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct page p = {.brand = http_query(r, "brand")};
	struct id subject;
	const char *about = http_query(r, "subject");
	if (str_empty(p.brand) || !brand_find(svc_state(s), p.brand)) {
		http_reply_error(r, 404, "there is no brand \"%.60s\"", p.brand ? p.brand : "");
		return;
	}
	if (!read_number(r, "after", 0, &p.after) || !read_number(r, "limit", AUDIT_PAGE_MAX, &p.limit) || !p.limit ||
		p.after == UINT64_MAX || (about && id_parse(about, &subject))) {
		http_reply_error(r, 400, "after and limit are to be whole numbers, limit at least 1, subject an id");
		return;
	}
	if (txn_begin_read(svc_store(s), &p.txn, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
		return;
	}
	p.limit = MIN(p.limit, (uint64_t)AUDIT_PAGE_MAX);
	p.group = key_group_of(span_str(p.brand));
	arena_init(&p.arena, (size_t)8 * 1024 * 1024);
	buf_init(&p.out, (size_t)4 * 1024 * 1024);
	buf_adds(&p.out, "{\"entries\":[");
	bool more = fill_page(&p, about ? &subject : NULL);
	buf_addf(&p.out, "],\"more\":%s}", more ? "true" : "false");
	txn_abort(&p.txn);
	if (p.out.broken)
		http_reply_error(r, 500, "the answer is too large: ask for less with limit=");
	else
		http_reply(r, 200, "application/json", buf_span(&p.out));
	arena_free(&p.arena);
	buf_free(&p.out);
}
