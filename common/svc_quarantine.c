/* Quarantine: what could not be handled, kept for a person to look at, replay or drop. */
#include "svc_internal.h"

#include "json.h"

#define PAGE_MAX 1000

static struct key quarantine_key(const struct id *id)
{
	struct key k = key_make(TABLE_QUARANTINE, 0);
	key_id(&k, id);
	return k;
}

static const char *origin_words(const struct svc *s, const struct item *i)
{
	switch (i->kind) {
	case ITEM_LINK:
		return i->source->service;
	case ITEM_TIMER:
		return "timer";
	case ITEM_REPLAY:
		return "replay";
	default:
		return s->spec->name;
	}
}

int quarantine_put(struct svc *s, struct txn *t, struct item *i, const struct id *id)
{
	State__Quarantined q = STATE__QUARANTINED__INIT;
	struct key k = quarantine_key(id);
	struct span old;
	q.id = id_bytes(id);
	q.envelope = (ProtobufCBinaryData){MIN(i->len, QUARANTINE_BYTES_MAX), i->data};
	q.envelope_bytes = i->len;
	q.reason = i->why;
	q.from = (char *)(uintptr_t)origin_words(s, i);
	q.at_ms = s->now_ms;
	q.attempts = i->tries;
	bool fresh = txn_get(t, &k, &old) == -ENOENT;
	size_t len = state__quarantined__get_packed_size(&q);
	uint8_t *packed = malloc(len + 1);
	if (!packed)
		return -ENOMEM;
	int r = txn_put(t, &k, span_of(packed, state__quarantined__pack(&q, packed)));
	free(packed);
	s->quarantine_count += !r && fresh;
	return r;
}

uint64_t quarantine_count(struct txn *t)
{
	struct key prefix = key_make(TABLE_QUARANTINE, 0);
	struct cursor *c;
	struct span key, value;
	uint64_t n = 0;
	prefix.len = 1;
	if (cursor_open(t, &prefix, NULL, &c))
		return 0;
	int r;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG)
		n++;
	cursor_close(&c);
	return n;
}

/* ---- for operators ---- */

static json_t *quarantined_json(const State__Quarantined *q)
{
	struct id id;
	char text[ID_TEXT + 1] = "";
	if (id_of(q->id, &id) == 0)
		id_format(&id, text);
	json_t *o = json_pack("{s:s,s:I,s:i,s:I}", "id", text, "at_ms", (json_int_t)q->at_ms, "attempts",
		(int)q->attempts, "bytes", (json_int_t)q->envelope_bytes);
	/* These may hold a customer's bytes: json_add_string makes them presentable. */
	json_object_set_new(o, "from", json_string(q->from));
	json_t *reason = json_string(q->reason);
	json_object_set_new(o, "reason", reason ? reason : json_string("(not valid UTF-8)"));
	return o;
}

void quarantine_get_list(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct txn *t;
	struct cursor *c;
	struct id after;
	struct span k, value;
	const char *limit = http_query(r, "limit");
	long max = limit ? strtol(limit, NULL, 10) : 100;
	struct key prefix = key_make(TABLE_QUARANTINE, 0), from = prefix;
	if (http_query(r, "after") && id_parse(http_query(r, "after"), &after) == 0) {
		key_id(&from, &after);
		key_u8(&from, 0);
	}
	int rc = txn_begin_read(s->store, &t, NULL);
	if (!rc && (rc = cursor_open(t, &prefix, &from, &c)))
		txn_abort(&t);
	if (rc) {
		http_reply_error(r, 500, "the store can not be read");
		return;
	}
	json_t *items = json_array();
	/* A damaged row does not hide those behind it. */
	while ((long)json_array_size(items) < MIN(max, PAGE_MAX) &&
		((rc = cursor_next(c, &k, &value)) == 0 || rc == -EBADMSG)) {
		State__Quarantined *q = rc ? NULL : state__quarantined__unpack(NULL, value.len, value.data);
		if (q)
			json_array_append_new(items, quarantined_json(q));
		state__quarantined__free_unpacked(q, NULL);
	}
	cursor_close(&c);
	txn_abort(&t);
	admin_reply_json(
		r, 200, json_pack("{s:o,s:I}", "items", items, "total", (json_int_t)s->quarantine_count));
}

/* The row of /-/quarantine/ID[/verb]; answers 404 itself and returns NULL when there is none. */
static State__Quarantined *find_quarantined(
	struct http_request *r, struct svc *s, struct key *ret_key, const char **ret_verb)
{
	char text[ID_TEXT + 1] = "";
	const char *rest = http_path_rest(r);
	struct id id;
	struct txn *t;
	struct span value;
	State__Quarantined *q = NULL;
	snprintf(text, sizeof(text), "%s", rest);
	*ret_verb = strlen(rest) > ID_TEXT ? rest + ID_TEXT : "";
	if (id_parse(text, &id) == 0 && txn_begin_read(s->store, &t, NULL) == 0) {
		*ret_key = quarantine_key(&id);
		if (txn_get(t, ret_key, &value) == 0)
			q = state__quarantined__unpack(NULL, value.len, value.data);
		txn_abort(&t);
	}
	if (!q)
		http_reply_error(r, 404, "%s has nothing with that id in quarantine", s->spec->name);
	return q;
}

void quarantine_get_one(struct http_request *r, void *ctx)
{
	struct key k;
	const char *verb;
	State__Quarantined *q = find_quarantined(r, ctx, &k, &verb);
	if (!q)
		return;
	struct buf out;
	buf_init(&out, 8 << 20);
	json_t *about = quarantined_json(q);
	char *head = json_dumps(about, JSON_COMPACT);
	json_decref(about);
	Ascolto__Envelope *e = ascolto__envelope__unpack(NULL, q->envelope.len, q->envelope.data);
	if (head && e) {
		buf_add(&out, head, strlen(head) - 1); /* without the closing brace */
		buf_adds(&out, ",\"envelope\":");
		json_add_message(&out, &e->base);
		if (e->body_case == ASCOLTO__ENVELOPE__BODY_INTAKE) {
			buf_adds(&out, ",\"raw\":");
			json_add_string(&out, span_of(e->intake->raw.data, e->intake->raw.len));
		}
		buf_adds(&out, "}");
	} else {
		buf_adds(&out, head);
	}
	http_reply(r, 200, "application/json", buf_span(&out));
	free(head);
	ascolto__envelope__free_unpacked(e, NULL);
	state__quarantined__free_unpacked(q, NULL);
	buf_free(&out);
}

static void replayed(void *ctx, enum verdict verdict, const char *why)
{
	struct http_request *r = ctx;
	if (verdict == DONE)
		http_reply_text(r, 200, "replayed\n");
	else
		http_reply_error(r, 409, "%s", why);
}

static void replay(struct http_request *r, struct svc *s, const State__Quarantined *q, const struct key *k)
{
	struct item *i = q->envelope.len == q->envelope_bytes
				 ? item_new(ITEM_REPLAY, span_of(q->envelope.data, q->envelope.len))
				 : NULL;
	if (!i) {
		http_reply_error(r, 409,
			"only a part of it was kept, because it is larger than %zu bytes: send it again "
			"from its source",
			QUARANTINE_BYTES_MAX);
		return;
	}
	Ascolto__Envelope *e = ascolto__envelope__unpack(NULL, i->len, i->data);
	i->key_group = e ? (uint8_t)e->key_group : 0;
	ascolto__envelope__free_unpacked(e, NULL);
	i->key = *k;
	i->done = replayed;
	i->ctx = r;
	queue_add(&s->local, i);
}

static void drop(struct http_request *r, struct svc *s, const State__Quarantined *q, const struct key *k)
{
	struct txn *t;
	struct err e = {0};
	int rc = txn_begin_write(s->store, &t, &e);
	if (!rc) {
		rc = txn_del(t, k);
		rc = rc ? rc : txn_commit(&t, &e);
		txn_abort(&t);
	}
	if (rc) {
		http_reply_error(r, 500, "%s", err_text(&e));
		return;
	}
	s->quarantine_count -= MIN(s->quarantine_count, 1u);
	log_info("dropped from quarantine: %s", q->reason);
	http_reply_text(r, 200, "dropped\n");
}

void quarantine_post(struct http_request *r, void *ctx)
{
	struct key k;
	const char *verb;
	State__Quarantined *q = find_quarantined(r, ctx, &k, &verb);
	if (!q)
		return;
	if (str_eq(verb, "/replay"))
		replay(r, ctx, q, &k);
	else if (str_eq(verb, "/drop"))
		drop(r, ctx, q, &k);
	else
		http_reply_error(r, 404, "one can replay or drop, not \"%s\"", verb);
	state__quarantined__free_unpacked(q, NULL);
}
