/* The service's links: a sender for each destination, and the receiver with its streams in the store. */
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

/* ---- the sending side ---- */

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

static const struct link_sender_ops sender_ops = {outbox_read, last_seq, sender_send, sender_reconnect};

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
