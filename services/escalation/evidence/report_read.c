/* The facts of a report, gathered in one moment of the store, and the addresses that give it. */
#include "services/escalation/evidence/document.h"
#include "services/escalation/escalation.h"
#include "services/escalation/evidence/report.h"
#include "services/escalation/evidence/report_words.h"

#include <sodium.h>

#define DAY_MS ((int64_t)86400000)
#define HOUR_MS ((int64_t)3600000)
#define BRAND_PARTS_MAX (PULSE_DAYS * 288)
#define LESSONS_MAX 500

static struct key table_key(uint8_t group, int table, const struct id *id)
{
	struct key k = turn_key_in(group, &escalation_tables[table]);
	key_id(&k, id);
	return k;
}

/* Of any brand, a drill's included. */
static const Ascolto__Incident *find_incident(struct txn *t, struct arena *a, const struct id *id)
{
	Ascolto__Incident *i;
	for (unsigned group = 0; group < KEY_GROUPS; group++) {
		struct key k = table_key((uint8_t)group, INCIDENTS, id);
		if (svc_read(t, a, &escalation_tables[INCIDENTS], &k, &i) == 0)
			return i;
	}
	return NULL;
}

/* What concerns a case of the incident, an answer mostly, is counted; the others are told one by one. */
static void add_entry(void *ctx, const State__AuditEntry *e)
{
	struct report *r = ctx;
	r->answers += str_eq(e->what, "answer_ordered");
	r->answers_sent += str_eq(e->what, "answer_sent");
	if (e->case_id.len)
		return;
	if (r->n_log < REPORT_LOG_MAX)
		r->log[r->n_log++] = e;
	else
		r->log_cut = true;
}

static void read_examples(struct txn *t, struct arena *a, uint8_t group, struct report *r)
{
	for (size_t i = 0; i < r->incident->n_examples && r->n_examples < REPORT_EXAMPLES; i++) {
		struct id id;
		Ascolto__ArmRecord *arm;
		if (id_of(r->incident->examples[i], &id))
			continue;
		struct key k = table_key(group, ARM, &id);
		if (svc_read(t, a, &escalation_tables[ARM], &k, &arm) == 0 && arm->message && arm->message->post)
			r->examples[r->n_examples++] = arm;
	}
}

static void read_head(struct txn *t, struct arena *a, uint8_t group, struct report *r)
{
	struct key prefix = turn_key_in(group, &escalation_tables[AUDIT]);
	struct span key, value, rest;
	uint64_t number;
	char hex[2 * 8 + 1];
	key_name(&prefix, r->incident->brand);
	r->head = "";
	if (txn_last(t, &prefix, &key, &value))
		return;
	rest = span_of(key.data + prefix.len, key.len - prefix.len);
	State__AuditRecord *row = state__audit_record__unpack(arena_pb(a), value.len, value.data);
	if (row && row->hash.len >= 8 && !key_take_u64(&rest, &number))
		r->head = arena_printf(a, "%" PRIu64 ":%s", number, sodium_bin2hex(hex, sizeof(hex), row->hash.data, 8));
}

/* The three times; `last` is the end of what was heard of the brand. */
static int read_phases(struct txn *t, struct report *r)
{
	const char *brand = r->incident->brand;
	int64_t first = r->n_brand_parts ? r->brand_parts[0].at_ms : r->begin_ms;
	int64_t last = r->n_brand_parts ? r->brand_parts[r->n_brand_parts - 1].at_ms + PULSE_MS : r->now_ms;
	int64_t from = MAX(r->begin_ms - DAY_MS, MIN(first, r->begin_ms)), to = MIN(r->end_ms + DAY_MS, MAX(last, r->end_ms));
	int rc = damage_read(t, brand, NULL, from, r->begin_ms, &r->before, NULL, NULL);
	rc = rc ? rc : damage_read(t, brand, NULL, r->begin_ms, r->end_ms, &r->during, NULL, NULL);
	return rc ? rc : damage_read(t, brand, NULL, r->end_ms, to, &r->after, NULL, NULL);
}

static int64_t end_of(const struct report *r)
{
	int64_t last = r->n_parts ? r->parts[r->n_parts - 1].at_ms + PULSE_MS : r->begin_ms + PULSE_MS;
	int64_t end = r->calm_ms ? r->calm_ms : r->incident->closed_ms ? MIN(r->incident->closed_ms, last) : last;
	end += PULSE_MS - 1;
	return MAX(end - end % PULSE_MS, r->begin_ms + PULSE_MS);
}

int report_read(struct txn *t, struct arena *a, const struct conf *conf, const struct id *incident, int64_t now_ms,
	struct report *ret)
{
	struct report *r = ret;
	*r = (struct report){.now_ms = now_ms, .incident = find_incident(t, a, incident)};
	const Ascolto__Incident *i = r->incident;
	if (!i)
		return -ENOENT;
	const struct conf_brand *brand = conf_brand(conf, i->brand);
	uint8_t group = key_group_of(span_str(i->brand));
	r->brand_title = brand && !str_empty(brand->title) ? brand->title : i->brand;
	if (!str_empty(i->drill))
		r->brand_title = arena_printf(a, DRILL_WORDS ", %s", r->brand_title);
	r->begin_ms = i->opened_ms - i->opened_ms % PULSE_MS;
	r->parts = arena_alloc(a, sizeof(*r->parts) * INCIDENT_PARTS_MAX);
	r->brand_parts = arena_alloc(a, sizeof(*r->brand_parts) * BRAND_PARTS_MAX);
	if (!r->parts || !r->brand_parts)
		return -ENOMEM;
	r->n_parts = INCIDENT_PARTS_MAX;
	int rc = damage_read(t, i->brand, incident, 0, INT64_MAX, &r->about, r->parts, &r->n_parts);
	if (rc)
		return rc;
	r->calm_ms = damage_calm(r->parts, r->n_parts, i->normal, now_ms);
	r->end_ms = end_of(r);
	struct damage_sum all;
	r->n_brand_parts = BRAND_PARTS_MAX;
	rc = damage_read(t, i->brand, NULL, r->begin_ms - DAY_MS, r->end_ms + DAY_MS, &all, r->brand_parts, &r->n_brand_parts);
	rc = rc ? rc : read_phases(t, r);
	rc = rc ? rc : audit_of(t, a, i->brand, incident, REPORT_READ_MAX, add_entry, r);
	if (rc)
		return rc;
	read_examples(t, a, group, r);
	read_head(t, a, group, r);
	return 0;
}

/* ---- addresses ---- */

static bool choice(struct http_request *r, const char *name, const char *first, const char *second, bool *ret_first)
{
	const char *v = http_query(r, name);
	*ret_first = !v || str_eq(v, first);
	if (*ret_first || str_eq(v, second))
		return true;
	http_reply_error(r, 400, "%s is to be %s or %s", name, first, second);
	return false;
}

struct reading {
	struct txn *txn;
	struct arena arena;
	struct buf out;
};

static bool reading_begin(struct reading *x, struct http_request *r, struct svc *s)
{
	if (txn_begin_read(svc_store(s), &x->txn, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
		return false;
	}
	arena_init(&x->arena, (size_t)64 * 1024 * 1024);
	buf_init(&x->out, REPORT_BYTES_MAX);
	return true;
}

static void reading_end(struct reading *x)
{
	txn_abort(&x->txn);
	arena_free(&x->arena);
	buf_free(&x->out);
}

void report_get(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct reading x;
	struct report report;
	struct id id;
	bool html, italian;
	const char *text = http_query(r, "incident");
	if (!text || id_parse(text, &id)) {
		http_reply_error(r, 400, "incident is to be the id of an incident");
		return;
	}
	if (!choice(r, "format", "html", "markdown", &html) || !choice(r, "lang", "it", "en", &italian) ||
		!reading_begin(&x, r, s))
		return;
	int rc = report_read(x.txn, &x.arena, svc_conf(s), &id, svc_now_ms(s), &report);
	if (rc == -ENOENT) {
		http_reply_error(r, 404, "there is no incident %s", text);
	} else if (rc) {
		http_reply_error(r, 500, "the incident can not be read: %s", strerror(-rc));
	} else {
		report_write(&report, italian, html, &x.out);
		if (x.out.broken)
			http_reply_error(r, 500, "the report is too large");
		else
			http_reply(r, 200, html ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8", buf_span(&x.out));
	}
	reading_end(&x);
}

static void add_lessons(struct reading *x, const char *brand, bool italian, struct document *d)
{
	struct key prefix = turn_key_in(key_group_of(span_str(brand)), &escalation_tables[INCIDENTS]);
	const Ascolto__Incident *found[LESSONS_MAX];
	struct cursor *c;
	struct span key, value;
	size_t n = 0, seen = 0;
	int r;
	if (cursor_open(x->txn, &prefix, NULL, &c))
		return;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) {
		Ascolto__Incident *i = r ? NULL : ascolto__incident__unpack(arena_pb(&x->arena), value.len, value.data);
		if (i && str_eq(i->brand, brand) && i->closed_ms && !str_empty(i->lessons))
			found[n++ % LESSONS_MAX] = i;
	}
	cursor_close(&c);
	for (seen = MIN(n, (size_t)LESSONS_MAX); seen-- > 0;) {
		const Ascolto__Incident *i = found[(n - MIN(n, (size_t)LESSONS_MAX) + seen) % LESSONS_MAX];
		report_lesson(d, i, italian);
	}
	if (!n)
		document_text(d, "%s", report_word(W_NOTHING_YET, italian));
}

void lessons_get(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct reading x;
	bool italian;
	const char *brand = http_query(r, "brand");
	const struct conf_brand *b = brand ? conf_brand(svc_conf(s), brand) : NULL;
	if (!b) {
		http_reply_error(r, 404, "there is no brand \"%.60s\"", brand ? brand : "");
		return;
	}
	if (!choice(r, "lang", "it", "en", &italian) || !reading_begin(&x, r, s))
		return;
	struct document d = {.out = &x.out};
	document_heading(&d, 1, arena_printf(&x.arena, "%s: %s", report_word(W_COLLECTION, italian),
		str_empty(b->title) ? b->name : b->title));
	add_lessons(&x, b->name, italian, &d);
	http_reply(r, 200, "text/markdown; charset=utf-8", buf_span(&x.out));
	reading_end(&x);
}
