#include "tests/component/peer.h"

#include "common/bus.h"
#include "common/link.h"

#include <pthread.h>

#define RECORDS_MAX 100000
#define TICK_MS 20

struct record {
	uint8_t *data;
	size_t len;
	uint8_t key_group;
	uint64_t seq;
	enum lane lane; /* of what came */
	struct link_source *source;
};

struct journal {
	struct record *record; /* the one at position n is record[n - 1] */
	size_t count;
	uint64_t seq[KEY_GROUPS];
};

struct peer {
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t tick;
	pthread_t thread;
	pthread_mutex_t lock; /* held by the loop whenever it works */
	pthread_cond_t changed;
	struct bus *bus;
	struct bus_socket *out, *in;
	const char *endpoint;
	struct link_sender sender;
	struct link_receiver receiver;
	struct journal journal[LANES];
	struct record *received;
	size_t n_received, n_acknowledged;
	bool stop;
};

/* ---- sending ---- */

static size_t peer_read(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
{
	struct journal *j = &((struct peer *)ctx)->journal[lane];
	size_t n = 0;
	for (uint64_t at = MAX(from, 1u); n < max && at <= j->count; at++, n++) {
		const struct record *r = &j->record[at - 1];
		ret[n] = (struct link_record){at, r->key_group, r->seq, span_of(r->data, r->len)};
	}
	return n;
}

static uint64_t peer_last_seq(void *ctx, enum lane lane, uint8_t key_group)
{
	return ((struct peer *)ctx)->journal[lane].seq[key_group];
}

static bool peer_send_frame(void *ctx, struct span frame)
{
	struct peer *p = ctx;
	return p->out && bus_send(p->out, span_of(NULL, 0), frame);
}

static void on_answer(void *ctx, struct span route, struct span frame)
{
	(void)route;
	link_sender_frame(&((struct peer *)ctx)->sender, frame, (int64_t)uv_now(&((struct peer *)ctx)->loop));
}

static void peer_reconnect(void *ctx)
{
	struct peer *p = ctx;
	bus_socket_close(&p->out);
	bus_connect(p->bus, p->endpoint, on_answer, p, &p->out, NULL);
}

static const struct link_sender_ops sender_ops = {peer_read, peer_last_seq, peer_send_frame, peer_reconnect};

/* ---- receiving ---- */

struct route {
	uint8_t len, data[BUS_ROUTE_MAX];
};

static void peer_load(void *ctx, struct link_source *source)
{
	(void)ctx;
	source->route = calloc(1, sizeof(struct route));
}

static void peer_deliver(void *ctx, struct link_source *source, enum lane lane, uint8_t key_group,
	uint64_t seq, struct span envelope)
{
	struct peer *p = ctx;
	if (p->n_received < RECORDS_MAX) {
		struct record *r = &p->received[p->n_received++];
		r->data = malloc(envelope.len + 1);
		memcpy(r->data, envelope.data, envelope.len);
		r->len = envelope.len;
		r->key_group = key_group;
		r->seq = seq;
		r->lane = lane;
		r->source = source;
	}
}

static void peer_answer(void *ctx, struct link_source *source, struct span frame)
{
	struct route *r = source->route;
	bus_send(((struct peer *)ctx)->in, span_of(r->data, r->len), frame);
}

static bool peer_room(void *ctx, enum lane lane)
{
	(void)ctx;
	(void)lane;
	return true;
}

static const struct link_receiver_ops receiver_ops = {peer_load, peer_deliver, peer_answer, peer_room};

static void note_route(void *arg, struct link_source *source)
{
	struct span *from = arg;
	struct route *r = source->route;
	r->len = (uint8_t)MIN(from->len, sizeof(r->data));
	memcpy(r->data, from->data, r->len);
}

static void on_frame(void *ctx, struct span route, struct span frame)
{
	struct peer *p = ctx;
	if (link_receiver_frame(&p->receiver, frame, note_route, &route))
		return;
	for (; p->n_acknowledged < p->n_received; p->n_acknowledged++) {
		const struct record *r = &p->received[p->n_acknowledged];
		link_receiver_committed(&p->receiver, r->source, r->lane, r->key_group, r->seq, r->len);
	}
	link_receiver_flush(&p->receiver);
}

/* ---- the loop ---- */

static bool work(void *ctx)
{
	struct peer *p = ctx;
	if (p->endpoint)
		link_sender_pump(&p->sender, (int64_t)uv_now(&p->loop));
	pthread_cond_broadcast(&p->changed);
	return false;
}

static void on_wake(uv_async_t *async)
{
	struct peer *p = async->data;
	if (!p->stop)
		return;
	bus_close(&p->bus);
	uv_close((uv_handle_t *)&p->wake, NULL);
	uv_close((uv_handle_t *)&p->tick, NULL);
}

static void on_tick(uv_timer_t *timer)
{
	struct peer *p = timer->data;
	if (p->endpoint)
		link_sender_tick(&p->sender, (int64_t)uv_now(&p->loop));
}

/* The other thread gets its turn between two iterations. */
static void *peer_main(void *arg)
{
	struct peer *p = arg;
	bool more = true;
	while (more) {
		pthread_mutex_lock(&p->lock);
		more = uv_run(&p->loop, UV_RUN_NOWAIT);
		pthread_mutex_unlock(&p->lock);
		uv_sleep(1);
	}
	return NULL;
}

static int open_links(struct peer *p, const struct peer_options *o, struct err *e)
{
	static const uint64_t nothing[LANES];
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	struct id origin = id_random((int64_t)ts.tv_sec * 1000);
	link_sender_init(&p->sender, &sender_ops, p, o->name, &origin, 1, (uint64_t)ts.tv_nsec + 1, nothing);
	link_receiver_init(&p->receiver, &receiver_ops, p, &origin, 1);
	p->endpoint = o->send_to;
	int r = bus_open(&p->bus, &p->loop, work, p, e);
	if (!r && o->send_to)
		r = bus_connect(p->bus, o->send_to, on_answer, p, &p->out, e);
	if (!r && o->listen)
		r = bus_listen(p->bus, o->listen, on_frame, p, &p->in, e);
	return r;
}

int peer_open(struct peer **ret, const struct peer_options *o, struct err *e)
{
	struct peer *p = calloc(1, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->received = calloc(RECORDS_MAX, sizeof(*p->received));
	for (int l = 0; l < LANES; l++)
		p->journal[l].record = calloc(RECORDS_MAX, sizeof(struct record));
	uv_loop_init(&p->loop);
	uv_async_init(&p->loop, &p->wake, on_wake);
	uv_timer_init(&p->loop, &p->tick);
	p->wake.data = p->tick.data = p;
	uv_timer_start(&p->tick, on_tick, 0, TICK_MS);
	int r = open_links(p, o, e);
	pthread_create(&p->thread, NULL, peer_main, p);
	*ret = p;
	if (r)
		peer_close(ret);
	return r;
}

void peer_close(struct peer **peer)
{
	struct peer *p = *peer;
	if (!p)
		return;
	*peer = NULL;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_mutex_unlock(&p->lock);
	uv_async_send(&p->wake);
	pthread_join(p->thread, NULL);
	uv_loop_close(&p->loop);
	link_sender_free(&p->sender);
	for (size_t i = 0; i < p->receiver.n_sources; i++)
		free(p->receiver.source[i]->route);
	link_receiver_free(&p->receiver);
	for (int l = 0; l < LANES; l++) {
		for (size_t i = 0; i < p->journal[l].count; i++)
			free(p->journal[l].record[i].data);
		free(p->journal[l].record);
	}
	for (size_t i = 0; i < p->n_received; i++)
		free(p->received[i].data);
	free(p->received);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- from the test's thread ---- */

void peer_send(struct peer *p, enum lane lane, Ascolto__Envelope *e, const char *route)
{
	struct journal *j = &p->journal[lane];
	pthread_mutex_lock(&p->lock);
	if (j->count < RECORDS_MAX) {
		struct record *r = &j->record[j->count];
		e->key_group = r->key_group = key_group_of(span_str(route));
		r->data = malloc(ascolto__envelope__get_packed_size(e) + 1);
		r->len = ascolto__envelope__pack(e, r->data);
		r->seq = ++j->seq[r->key_group];
		j->count++;
	}
	pthread_mutex_unlock(&p->lock);
	uv_async_send(&p->wake);
}

/* Waits for the next change, with the lock held; false when the time is over. */
static bool wait_change(struct peer *p, const struct timespec *until)
{
	return pthread_cond_timedwait(&p->changed, &p->lock, until) == 0;
}

static struct timespec after_ms(int64_t ms)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static bool all_sent(const struct peer *p)
{
	for (int l = 0; l < LANES; l++)
		if (p->sender.lane[l].acknowledged < p->journal[l].count)
			return false;
	return true;
}

bool peer_wait_sent(struct peer *p, int64_t timeout_ms)
{
	struct timespec until = after_ms(timeout_ms);
	pthread_mutex_lock(&p->lock);
	bool sent;
	while (!(sent = all_sent(p)) && wait_change(p, &until))
		;
	pthread_mutex_unlock(&p->lock);
	return sent;
}

size_t peer_received(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->n_received;
	pthread_mutex_unlock(&p->lock);
	return n;
}

Ascolto__Envelope *peer_wait_received(struct peer *p, size_t n, int64_t timeout_ms)
{
	struct timespec until = after_ms(timeout_ms);
	Ascolto__Envelope *e = NULL;
	pthread_mutex_lock(&p->lock);
	while (p->n_received <= n && wait_change(p, &until))
		;
	if (p->n_received > n)
		e = ascolto__envelope__unpack(NULL, p->received[n].len, p->received[n].data);
	pthread_mutex_unlock(&p->lock);
	return e;
}
