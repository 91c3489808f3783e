/* The service's links: the outbox as the senders' journal, the receiver's streams in the store. */
#include "svc_internal.h"

#define READ_ARENA_MAX ((size_t)64 * 1024 * 1024)

/* Numbers are part of keys: a service keeps its own for ever. */
static const struct {
	const char *name;
	unsigned number;
} service_numbers[] = {
	{"ingest", 1}, {"enrichment", 2}, {"intent", 3}, {"escalation", 4}, {"notification", 5}, {"console", 6},
};

static unsigned service_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(service_numbers); i++)
		if (str_eq(service_numbers[i].name, name))
			return service_numbers[i].number;
	return 0;
}

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

/* ---- the journal, for the sender ---- */

static size_t read_records(struct out_link *o, struct cursor *c, struct link_record *ret, size_t max)
{
	struct span key, value;
	size_t n = 0;
	while (n < max && cursor_next(c, &key, &value) == 0) {
		State__OutboxRecord *r =
			state__outbox_record__unpack(arena_pb(&o->read_arena), value.len, value.data);
		if (!r)
			break;
		ret[n++] = (struct link_record){position_of(key), (uint8_t)r->key_group, r->seq,
			span_of(r->envelope.data, r->envelope.len)};
	}
	return n;
}

static size_t read_journal(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
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
	if (cursor_open(own ? own : s->pump_txn, &prefix, &start, &c) == 0) {
		n = read_records(o, c, ret, max);
		cursor_close(&c);
	}
	txn_abort(&own);
	return n;
}

static uint64_t last_seq(void *ctx, enum lane lane, uint8_t key_group)
{
	struct out_link *o = ctx;
	return o->lane[lane].seq[key_group];
}

static bool sender_send(void *ctx, struct span frame)
{
	struct out_link *o = ctx;
	return bus_send(o->socket, span_of(NULL, 0), frame);
}

static void on_answer(void *ctx, struct span route, struct span frame)
{
	struct out_link *o = ctx;
	(void)route;
	link_sender_frame(&o->sender, frame, (int64_t)uv_now(o->svc->loop));
}

static int connect_out(struct out_link *o, struct err *e)
{
	return bus_connect(o->svc->bus, o->endpoint, on_answer, o, &o->socket, e);
}

static void sender_reconnect(void *ctx)
{
	struct out_link *o = ctx;
	struct err e = {0};
	bus_socket_close(&o->socket);
	if (connect_out(o, &e))
		log_error("%s", err_text(&e));
}

static const struct link_sender_ops sender_ops = {read_journal, last_seq, sender_send, sender_reconnect};

/* ---- the receiving side ---- */

struct route {
	uint8_t len;
	uint8_t data[BUS_ROUTE_MAX];
};

static void load_streams(void *ctx, struct link_source *source)
{
	struct svc *s = ctx;
	struct txn *t;
	source->route = calloc(1, sizeof(struct route));
	if (txn_begin_read(s->store, &t, NULL))
		return;
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		for (unsigned l = 0; l < LANES; l++) {
			struct span value;
			struct key k = key_make(TABLE_STREAM_IN, (uint8_t)g);
			key_id(&k, &source->origin);
			key_u8(&k, (uint8_t)l);
			if (txn_get(t, &k, &value))
				continue;
			State__StreamIn *in = state__stream_in__unpack(NULL, value.len, value.data);
			if (in)
				link_receiver_loaded(source, l, (uint8_t)g, in->last, in->epoch);
			state__stream_in__free_unpacked(in, NULL);
		}
	txn_abort(&t);
}

int stream_in_save(struct svc *s, struct txn *t, const struct item *i)
{
	(void)s;
	State__StreamIn in = STATE__STREAM_IN__INIT;
	uint8_t packed[64];
	struct key k = key_make(TABLE_STREAM_IN, i->key_group);
	key_id(&k, &i->source->origin);
	key_u8(&k, (uint8_t)i->lane);
	in.last = i->seq;
	in.epoch = i->source->epoch;
	return txn_put(t, &k, span_of(packed, state__stream_in__pack(&in, packed)));
}

static void deliver(void *ctx, struct link_source *source, enum lane lane, uint8_t key_group, uint64_t seq,
	struct span envelope)
{
	struct svc *s = ctx;
	struct item *i = item_new(ITEM_LINK, envelope);
	if (!i) {
		/* It was counted as taken and would leave a hole; restarting reads it again. */
		log_error("out of memory taking a message; ending");
		_Exit(1);
	}
	i->source = source;
	i->lane = lane;
	i->key_group = key_group;
	i->seq = seq;
	queue_add(&s->queue[lane], i);
}

static void receiver_send(void *ctx, struct link_source *source, struct span frame)
{
	struct svc *s = ctx;
	struct route *r = source->route;
	if (r)
		bus_send(s->in, span_of(r->data, r->len), frame);
}

static bool receiver_room(void *ctx, enum lane lane)
{
	return svc_has_room(ctx, lane);
}

static const struct link_receiver_ops receiver_ops = {load_streams, deliver, receiver_send, receiver_room};

static void note_route(void *arg, struct link_source *source)
{
	struct span *from = arg;
	struct route *r = source->route;
	if (!r)
		return;
	r->len = (uint8_t)MIN(from->len, sizeof(r->data));
	memcpy(r->data, from->data, r->len);
}

static void on_frame(void *ctx, struct span route, struct span frame)
{
	struct svc *s = ctx;
	if (link_receiver_frame(&s->receiver, frame, note_route, &route) == 0)
		link_receiver_flush(&s->receiver); /* repeated records are acknowledged at once */
}

/* ---- the outbox ---- */

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
	if (txn_last(t, &prefix, &key, &value) == 0)
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

/* Whether the oldest record kept may go: acknowledged, and too old or too much. */
static bool may_go(const struct svc *s, const struct out_link *o, unsigned lane, uint64_t position,
	const State__OutboxRecord *r)
{
	uint64_t max = (uint64_t)s->conf->retain_mb * 1024 * 1024 / MAX(s->n_out, 1u);
	return position <= o->lane[lane].saved_acknowledged &&
	       (o->lane[lane].bytes > max || r->at_ms + (int64_t)s->conf->retain_hours * 3600000 < s->now_ms);
}

static size_t prune_lane(struct svc *s, struct out_link *o, unsigned lane, struct txn *t)
{
	struct out_lane *l = &o->lane[lane];
	struct key prefix = lane_key(TABLE_OUTBOX, o, lane), from = outbox_key(o, lane, l->first);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t, &prefix, &from, &c))
		return 0;
	while (n < PRUNE_PER_TICK && cursor_next(c, &key, &value) == 0) {
		uint64_t position = position_of(key);
		arena_reset(&o->read_arena);
		State__OutboxRecord *r =
			state__outbox_record__unpack(arena_pb(&o->read_arena), value.len, value.data);
		if (!r || !may_go(s, o, lane, position, r))
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
			n += prune_lane(s, s->out[i], lane, t);
			dirty |= s->out[i]->sender.lane[lane].acknowledged != s->out[i]->lane[lane].saved_acknowledged;
		}
	if (n || dirty) {
		if (outbox_save(s, t) == 0 && txn_commit(&t, &e) == 0)
			return;
		outbox_reload(s);
	}
	txn_abort(&t);
}

/* ---- life ---- */

int links_load(struct svc *s, struct err *e)
{
	link_receiver_init(&s->receiver, &receiver_ops, s, store_lineage(s->store), store_epoch(s->store));
	for (const char *const *name = s->spec->emits; name && *name; name++) {
		const struct conf_service *there = conf_service(s->conf, *name);
		struct out_link *o = calloc(1, sizeof(*o));
		if (!o || s->n_out == SVC_DESTINATIONS_MAX || !there || !service_number(*name)) {
			free(o);
			return err_set(e, -EINVAL, "%s can not send to \"%s\"", s->spec->name, *name);
		}
		o->svc = s;
		o->name = *name;
		o->number = service_number(*name);
		o->endpoint = there->link;
		arena_init(&o->read_arena, READ_ARENA_MAX);
		s->out[s->n_out++] = o;
	}
	outbox_reload(s);
	for (size_t i = 0; i < s->n_out; i++) {
		struct out_link *o = s->out[i];
		uint64_t done[LANES] = {o->lane[0].saved_acknowledged, o->lane[1].saved_acknowledged};
		uint64_t session = (uint64_t)s->started_ms << 20 ^ ((uint64_t)uv_hrtime() & 0xfffff);
		link_sender_init(&o->sender, &sender_ops, o, s->spec->name, store_lineage(s->store),
			store_epoch(s->store), session, done);
	}
	return 0;
}

int links_open(struct svc *s, struct err *e)
{
	const struct conf_service *here = conf_service(s->conf, s->spec->name);
	int r = here ? bus_listen(s->bus, here->link, on_frame, s, &s->in, e) : -EINVAL;
	for (size_t i = 0; i < s->n_out && !r; i++)
		r = connect_out(s->out[i], e);
	return r;
}

void links_tick(struct svc *s, int64_t mono_ms)
{
	for (size_t i = 0; i < s->n_out; i++)
		link_sender_tick(&s->out[i]->sender, mono_ms);
}

void links_pump(struct svc *s)
{
	if (txn_begin_read(s->store, &s->pump_txn, NULL))
		return;
	for (size_t i = 0; i < s->n_out; i++)
		link_sender_pump(&s->out[i]->sender, (int64_t)uv_now(s->loop));
	txn_abort(&s->pump_txn);
}

void links_close(struct svc *s)
{
	bus_socket_close(&s->in);
	for (size_t i = 0; i < s->n_out; i++) {
		bus_socket_close(&s->out[i]->socket);
		link_sender_free(&s->out[i]->sender);
		arena_free(&s->out[i]->read_arena);
		free(s->out[i]);
	}
	s->n_out = 0;
	for (size_t i = 0; i < s->receiver.n_sources; i++)
		free(s->receiver.source[i]->route);
	link_receiver_free(&s->receiver);
}
