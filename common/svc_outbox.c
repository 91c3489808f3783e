/* The outbox: rows of the store, the journals of the links' senders. */
#include "svc_internal.h"

static struct key lane_key(uint8_t table, const struct out_link *o, unsigned lane)
{
	struct key k = key_make(table, 0);
	key_u8(&k, (uint8_t)o->number);
	key_u8(&k, (uint8_t)lane);
	return k;
}

static struct key outbox_key(const struct out_link *o, unsigned lane, uint64_t position)
{
	struct key k = lane_key(TABLE_OUTBOX, o, lane);
	key_u64(&k, position);
	return k;
}

static uint64_t position_of(struct span key)
{
	uint64_t p = 0;
	key = span_of(key.data + 4, key.len - 4);
	key_take_u64(&key, &p);
	return p;
}

/* ---- reading ---- */

/* The envelope, with the row that goes into it as it is now; data NULL: the row is damaged. */
static struct span whole_envelope(struct out_link *o, struct txn *t, const State__OutboxRecord *r)
{
	struct span envelope = span_of(r->envelope.data, r->envelope.len), row = {0};
	struct key k = {.len = (uint16_t)r->row.len};
	if (!r->row.len)
		return envelope;
	if (r->row.len > sizeof(k.data) || r->n_path != 2)
		return span_of(NULL, 0);
	memcpy(k.data, r->row.data, r->row.len);
	int rc = txn_get(t, &k, &row);
	return rc && rc != -ENOENT ? span_of(NULL, 0) : pack_inside(&o->read_arena, envelope, r->path, row);
}

/* No more than goes into a frame. What is damaged is left out: the sender finds its number missing, stops that stream and says
 * so. */
static size_t read_records(
	struct out_link *o, struct txn *t, struct cursor *c, struct link_record *ret, size_t max)
{
	struct span key, value;
	size_t n = 0, bytes = 0;
	int rc;
	while (n < max && bytes < LINK_DATA_BYTES &&
		((rc = cursor_next(c, &key, &value)) == 0 || rc == -EBADMSG)) {
		State__OutboxRecord *r =
			rc ? NULL : state__outbox_record__unpack(arena_pb(&o->read_arena), value.len, value.data);
		struct span envelope = r ? whole_envelope(o, t, r) : (struct span){0};
		bytes += envelope.len;
		if (envelope.data)
			ret[n++] = (struct link_record){position_of(key), (uint8_t)r->key_group, r->seq, envelope};
	}
	return n;
}

size_t outbox_read(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
{
	struct out_link *o = ctx;
	struct svc *s = o->svc;
	if (from > o->lane[lane].position)
		return 0;
	struct txn *own = NULL;
	if (!s->pump_txn && txn_begin_read(s->store, &own, NULL))
		return 0;
	struct cursor *c;
	struct key prefix = lane_key(TABLE_OUTBOX, o, lane), start = outbox_key(o, lane, from);
	size_t n = 0;
	arena_reset(&o->read_arena);
	struct txn *t = own ? own : s->pump_txn;
	if (cursor_open(t, &prefix, &start, &c) == 0) {
		n = read_records(o, t, c, ret, max);
		cursor_close(&c);
	}
	txn_abort(&own);
	return n;
}

uint64_t outbox_backlog(const struct out_link *o, enum lane lane)
{
	uint64_t done = MAX(o->sender.lane[lane].acknowledged, o->lane[lane].saved_acknowledged);
	return o->lane[lane].position > done ? o->lane[lane].position - done : 0;
}

int64_t outbox_oldest_ms(struct svc *s, struct out_link *o)
{
	int64_t oldest = 0;
	for (enum lane lane = 0; lane < LANES; lane++) {
		struct span value;
		struct key k = outbox_key(o, lane, o->sender.lane[lane].acknowledged + 1);
		struct txn *t;
		if (!outbox_backlog(o, lane) || txn_begin_read(s->store, &t, NULL))
			continue;
		if (txn_get(t, &k, &value) == 0) {
			State__OutboxRecord *r = state__outbox_record__unpack(NULL, value.len, value.data);
			if (r && (!oldest || r->at_ms < oldest))
				oldest = r->at_ms;
			state__outbox_record__free_unpacked(r, NULL);
		}
		txn_abort(&t);
	}
	return oldest;
}

/* ---- writing ---- */

static struct out_link *out_of(struct svc *s, unsigned destination)
{
	return destination < s->n_out ? s->out[destination] : NULL;
}

int outbox_add(struct svc *s, struct txn *t, const struct write *w, int64_t now_ms)
{
	struct out_link *o = out_of(s, w->destination);
	if (!o)
		return -EINVAL;
	struct out_lane *l = &o->lane[w->lane];
	State__OutboxRecord r = STATE__OUTBOX_RECORD__INIT;
	r.key_group = w->key_group;
	r.seq = l->seq[w->key_group] + 1;
	r.at_ms = now_ms;
	r.envelope = (ProtobufCBinaryData){w->value.len, (uint8_t *)(uintptr_t)w->value.data};
	if (w->path[0]) {
		r.row = (ProtobufCBinaryData){w->key.len, (uint8_t *)(uintptr_t)w->key.data};
		r.path = (uint32_t *)(uintptr_t)w->path;
		r.n_path = ARRAY_SIZE(w->path);
	}
	struct span packed = pack_message(&o->read_arena, &r.base);
	if (!packed.data)
		return -ENOMEM;
	struct key k = outbox_key(o, w->lane, l->position + 1);
	int rc = txn_put(t, &k, packed);
	arena_reset(&o->read_arena);
	if (rc)
		return rc;
	l->position++;
	l->seq[w->key_group]++;
	l->seq_dirty[w->key_group] = l->any_seq_dirty = l->dirty = true;
	l->bytes += packed.len;
	return 0;
}

static int save_lane(struct out_link *o, unsigned lane, struct txn *t)
{
	struct out_lane *l = &o->lane[lane];
	uint64_t done = o->sender.lane[lane].acknowledged;
	uint8_t packed[64];
	int r = 0;
	for (unsigned g = 0; l->any_seq_dirty && g < KEY_GROUPS && !r; g++) {
		if (!l->seq_dirty[g])
			continue;
		State__StreamOut out = STATE__STREAM_OUT__INIT;
		struct key k = lane_key(TABLE_STREAM_OUT, o, lane);
		key_u8(&k, (uint8_t)g);
		out.seq = l->seq[g];
		r = txn_put(t, &k, span_of(packed, state__stream_out__pack(&out, packed)));
		l->seq_dirty[g] = false;
	}
	l->any_seq_dirty = false;
	if (r || (!l->dirty && done == l->saved_acknowledged))
		return r;
	State__LaneOut out = STATE__LANE_OUT__INIT;
	struct key k = lane_key(TABLE_LANE_OUT, o, lane);
	out.acknowledged = done;
	out.first = l->first;
	out.bytes = l->bytes;
	l->saved_acknowledged = done;
	l->dirty = false;
	return txn_put(t, &k, span_of(packed, state__lane_out__pack(&out, packed)));
}

int outbox_save(struct svc *s, struct txn *t)
{
	for (size_t i = 0; i < s->n_out; i++)
		for (unsigned lane = 0; lane < LANES; lane++) {
			int r = save_lane(s->out[i], lane, t);
			if (r)
				return r;
		}
	return 0;
}

static void load_lane(struct out_link *o, unsigned lane, struct txn *t)
{
	struct out_lane *l = &o->lane[lane];
	struct key prefix = lane_key(TABLE_OUTBOX, o, lane), k = lane_key(TABLE_LANE_OUT, o, lane);
	struct span key, value;
	*l = (struct out_lane){.first = 1};
	if (txn_get(t, &k, &value) == 0) {
		State__LaneOut *out = state__lane_out__unpack(NULL, value.len, value.data);
		if (out) {
			l->saved_acknowledged = out->acknowledged;
			l->first = out->first;
			l->bytes = out->bytes;
		}
		state__lane_out__free_unpacked(out, NULL);
	}
	l->position = MAX(l->first, 1u) - 1;
	int rc = txn_last(t, &prefix, &key, &value);
	if (rc == 0 || rc == -EBADMSG)
		l->position = position_of(key);
	for (unsigned g = 0; g < KEY_GROUPS; g++) {
		k = lane_key(TABLE_STREAM_OUT, o, lane);
		key_u8(&k, (uint8_t)g);
		if (txn_get(t, &k, &value))
			continue;
		State__StreamOut *out = state__stream_out__unpack(NULL, value.len, value.data);
		if (out)
			l->seq[g] = out->seq;
		state__stream_out__free_unpacked(out, NULL);
	}
}

void outbox_reload(struct svc *s)
{
	struct txn *t;
	if (txn_begin_read(s->store, &t, NULL))
		return;
	for (size_t i = 0; i < s->n_out; i++)
		for (unsigned lane = 0; lane < LANES; lane++)
			load_lane(s->out[i], lane, t);
	txn_abort(&t);
}

/* ---- what need not be kept ---- */

static bool is_old(const struct svc *s, struct out_link *o, struct span record)
{
	arena_reset(&o->read_arena);
	State__OutboxRecord *r = state__outbox_record__unpack(arena_pb(&o->read_arena), record.len, record.data);
	return !r || r->at_ms + (int64_t)s->conf->retain_hours * 3600000 < s->now_ms;
}

/* Whether the oldest record kept may go: acknowledged, and damaged, too much, or too old. */
static bool may_go(const struct svc *s, struct out_link *o, unsigned lane, uint64_t position, bool damaged,
	struct span record)
{
	uint64_t max = (uint64_t)s->conf->retain_mb * 1024 * 1024 / MAX(s->n_out, 1u);
	return position <= o->lane[lane].saved_acknowledged &&
	       (damaged || o->lane[lane].bytes > max || is_old(s, o, record));
}

static size_t prune_lane(struct svc *s, struct out_link *o, unsigned lane, struct txn *t, size_t max)
{
	struct out_lane *l = &o->lane[lane];
	struct key prefix = lane_key(TABLE_OUTBOX, o, lane), from = outbox_key(o, lane, l->first);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	int rc;
	if (cursor_open(t, &prefix, &from, &c))
		return 0;
	while (n < max && ((rc = cursor_next(c, &key, &value)) == 0 || rc == -EBADMSG)) {
		uint64_t position = position_of(key);
		if (!may_go(s, o, lane, position, rc != 0, value))
			break;
		l->bytes -= MIN(l->bytes, (uint64_t)value.len);
		if (cursor_del(c))
			break;
		l->first = position + 1;
		l->dirty = true;
		n++;
	}
	cursor_close(&c);
	return n;
}

void outbox_trim(struct svc *s, struct txn *t)
{
	for (size_t i = 0; i < s->n_out; i++)
		for (unsigned lane = 0; lane < LANES; lane++)
			if (s->out[i]->lane[lane].dirty)
				prune_lane(s, s->out[i], lane, t, PRUNE_PER_TURN);
}

void outbox_prune(struct svc *s)
{
	struct txn *t;
	struct err e = {0};
	size_t n = 0;
	bool dirty = false;
	if (txn_begin_write(s->store, &t, &e))
		return;
	for (size_t i = 0; i < s->n_out; i++)
		for (unsigned lane = 0; lane < LANES; lane++) {
			n += prune_lane(s, s->out[i], lane, t, PRUNE_PER_TICK);
			dirty |= s->out[i]->sender.lane[lane].acknowledged != s->out[i]->lane[lane].saved_acknowledged;
		}
	if (n || dirty) {
		if (outbox_save(s, t) == 0 && txn_commit(&t, &e) == 0)
			return;
		outbox_reload(s);
	}
	txn_abort(&t);
}
