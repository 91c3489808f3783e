/* GET /-/deliveries: what was ordered lately and what became of it, for operators. */
#include "notification.h"
#include "state.h"

#include "common/json.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500
#define OPEN_MAX 10000 /* looked at per key group: their keys have no order by time of arrival */
#define LIST_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct row {
	int64_t at_ms;
	enum notification_table table;
	struct key key;
};

struct rows {
	struct row *row;
	size_t n, cap;
};

static void add_row(struct rows *rows, int64_t at_ms, enum notification_table table, struct span key)
{
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 64;
		struct row *more = realloc(rows->row, cap * sizeof(*more));
		if (!more)
			return;
		rows->row = more;
		rows->cap = cap;
	}
	struct row *r = &rows->row[rows->n++];
	*r = (struct row){.at_ms = at_ms, .table = table};
	memcpy(r->key.data, key.data, key.len);
	r->key.len = (uint16_t)key.len;
}

static int64_t ended_at(struct span rest)
{
	uint64_t newest = UINT64_MAX;
	key_take_u64(&rest, &newest);
	return (int64_t)(UINT64_MAX - newest);
}

static int64_t arrived_at(struct txn *t, struct arena *a, uint8_t key_group, struct span rest)
{
	struct id id;
	State__Seen *seen;
	if (key_take_id(&rest, &id))
		return 0;
	struct key k = orders_key(key_group, &id);
	arena_reset(a);
	return svc_read(t, a, &notification_tables[ORDERS], &k, &seen) ? 0 : seen->at_ms;
}

static void collect(struct rows *rows, struct txn *t, struct arena *a, enum notification_table table,
	uint8_t key_group, size_t max)
{
	struct key prefix = turn_key_in(key_group, &notification_tables[table]);
	struct cursor *c;
	struct span key, value;
	int r;
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	for (size_t n = 0; n < max && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG); n++) {
		struct span rest = span_of(key.data + prefix.len, key.len - prefix.len);
		add_row(rows, table == OPEN ? arrived_at(t, a, key_group, rest) : ended_at(rest), table, key);
	}
	cursor_close(&c);
}

static int newest_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return x->at_ms < y->at_ms ? 1 : x->at_ms > y->at_ms ? -1 : 0;
}

/* The order without its long parts: they are in the mail, and at the console. */
static void add_delivery(struct buf *out, struct txn *t, struct arena *a, const struct row *row)
{
	State__Delivery *d;
	arena_reset(a);
	if (svc_read(t, a, &notification_tables[row->table], &row->key, &d) || !d->order)
		return;
	d->order->incident = NULL;
	d->order->text = NULL;
	buf_addf(out, "%s{\"at_ms\":%" PRId64 ",\"open\":%s,\"delivery\":",
		out->data[out->len - 1] == '[' ? "" : ",", row->at_ms, row->table == OPEN ? "true" : "false");
	json_add_message(out, &d->base);
	buf_adds(out, "}");
}

void get_deliveries(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct txn *t;
	struct arena a;
	struct rows rows = {0};
	struct buf out CLEANUP(buf_free);
	char *end = NULL;
	const char *said = http_query(r, "limit");
	unsigned long limit = said ? strtoul(said, &end, 10) : LIMIT_DEFAULT;
	buf_init(&out, LIST_BYTES_MAX);
	if (said && (*end || !limit || limit > LIMIT_MAX)) {
		http_reply_error(r, 400, "limit should be a number from 1 to %d", LIMIT_MAX);
		return;
	}
	if (txn_begin_read(svc_store(s), &t, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
		return;
	}
	arena_init(&a, (size_t)32 * 1024 * 1024);
	for (unsigned g = 0; g < KEY_GROUPS; g++) {
		collect(&rows, t, &a, OPEN, (uint8_t)g, OPEN_MAX);
		collect(&rows, t, &a, ENDED, (uint8_t)g, limit);
	}
	if (rows.n)
		qsort(rows.row, rows.n, sizeof(*rows.row), newest_first);
	buf_adds(&out, "{\"items\":[");
	for (size_t i = 0; i < rows.n && i < limit && !out.broken; i++)
		add_delivery(&out, t, &a, &rows.row[i]);
	buf_adds(&out, "]}");
	free(rows.row);
	arena_free(&a);
	txn_abort(&t);
	if (out.broken)
		http_reply_error(r, 500, "the list is too long; ask for less with limit=N");
	else
		http_reply(r, 200, "application/json", buf_span(&out));
}
