/*
 * notification_peer.h - stands in for escalation: sends orders over a real link from a journal in memory,
 * takes the outcomes. Also a web server that answers as it is told. For test_notification.c.
 */
#ifndef ASCOLTO_TESTS_NOTIFICATION_PEER_H
#define ASCOLTO_TESTS_NOTIFICATION_PEER_H

#include "common/bus.h"
#include "common/http.h"
#include "common/link.h"

#define JOURNAL_MAX 256
#define OUTCOMES_MAX 512
#define REQUESTS_MAX 64

struct journal_row {
	uint8_t key_group;
	uint64_t seq;
	uint8_t *data;
	size_t len;
};

struct request_seen {
	char delivery[ID_TEXT + 1], signature[128], signature_256[128];
	struct buf body;
};

struct peer {
	uv_loop_t loop;
	uv_timer_t ticker;
	struct bus *bus;
	struct bus_socket *in, *out;
	char there[64];
	struct id lineage;
	struct link_sender sender;
	struct link_receiver receiver;
	struct journal_row journal[JOURNAL_MAX];
	size_t n_journal;
	uint64_t last_seq[KEY_GROUPS];
	Ascolto__Envelope *outcome[OUTCOMES_MAX];
	size_t n_outcomes;
	/* the web server */
	struct http *http;
	struct request_seen seen[REQUESTS_MAX];
	size_t n_seen;
	unsigned refuse; /* so many requests get 503 */
	bool hold;	 /* requests are kept unanswered */
	struct http_request *held[REQUESTS_MAX];
	size_t n_held, most_held;
};

static int64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------------------------------------ sending
 * orders */

static size_t peer_read(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
{
	struct peer *p = ctx;
	size_t n = 0;
	if (lane != LANE_URGENT)
		return 0;
	for (uint64_t position = MAX(from, 1u); position <= p->n_journal && n < max; position++) {
		const struct journal_row *r = &p->journal[position - 1];
		ret[n++] = (struct link_record){position, r->key_group, r->seq, span_of(r->data, r->len)};
	}
	return n;
}

static uint64_t peer_last_seq(void *ctx, enum lane lane, uint8_t key_group)
{
	return lane == LANE_URGENT ? ((struct peer *)ctx)->last_seq[key_group] : 0;
}

static bool peer_send(void *ctx, struct span frame)
{
	return bus_send(((struct peer *)ctx)->out, span_of(NULL, 0), frame);
}

static void peer_answer(void *ctx, struct span route, struct span frame)
{
	struct peer *p = ctx;
	(void)route;
	link_sender_frame(&p->sender, frame, (int64_t)uv_now(&p->loop));
}

static void peer_connect(void *ctx)
{
	struct peer *p = ctx;
	bus_socket_close(&p->out);
	if (bus_connect(p->bus, p->there, peer_answer, p, &p->out, NULL))
		abort();
}

static const struct link_sender_ops peer_sender_ops = {peer_read, peer_last_seq, peer_send, peer_connect};

static void peer_order(struct peer *p, const Ascolto__Order *o)
{
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct journal_row *r = &p->journal[p->n_journal];
	struct id id = id_random(wall_ms()), trace = id_from(1, span_str("trace"));
	e.id = (ProtobufCBinaryData){ID_BYTES, id.b};
	e.trace_id = (ProtobufCBinaryData){ID_BYTES, trace.b};
	e.brand = o->brand;
	e.received_ms = o->arrived_ms;
	e.key_group = r->key_group = key_group_of(span_str(o->destination));
	e.body_case = ASCOLTO__ENVELOPE__BODY_ORDER;
	e.order = (Ascolto__Order *)(uintptr_t)o;
	r->len = ascolto__envelope__get_packed_size(&e);
	r->data = malloc(r->len);
	ascolto__envelope__pack(&e, r->data);
	r->seq = ++p->last_seq[r->key_group];
	p->n_journal++;
}

/* ------------------------------------------------------------------------------------------------ taking
 * outcomes */

struct peer_route {
	size_t len;
	uint8_t data[BUS_ROUTE_MAX];
};

static void peer_load(void *ctx, struct link_source *source)
{
	(void)ctx;
	source->route = calloc(1, sizeof(struct peer_route));
}

static void peer_deliver(void *ctx, struct link_source *source, enum lane lane, uint8_t key_group,
	uint64_t seq, struct span envelope)
{
	struct peer *p = ctx;
	if (p->n_outcomes < OUTCOMES_MAX)
		p->outcome[p->n_outcomes++] = ascolto__envelope__unpack(NULL, envelope.len, envelope.data);
	link_receiver_committed(&p->receiver, source, lane, key_group, seq, envelope.len);
}

static void peer_send_back(void *ctx, struct link_source *source, struct span frame)
{
	struct peer_route *r = source->route;
	bus_send(((struct peer *)ctx)->in, span_of(r->data, r->len), frame);
}

static bool peer_room(void *ctx, enum lane lane)
{
	(void)ctx, (void)lane;
	return true;
}

static const struct link_receiver_ops peer_receiver_ops = {
	peer_load, peer_deliver, peer_send_back, peer_room};

static void peer_note_route(void *arg, struct link_source *source)
{
	const struct span *from = arg;
	struct peer_route *r = source->route;
	r->len = from->len;
	memcpy(r->data, from->data, from->len);
}

static void peer_frame(void *ctx, struct span route, struct span frame)
{
	struct peer *p = ctx;
	if (link_receiver_frame(&p->receiver, frame, peer_note_route, &route) == 0)
		link_receiver_flush(&p->receiver);
}

static bool peer_work(void *ctx)
{
	struct peer *p = ctx;
	link_sender_pump(&p->sender, (int64_t)uv_now(&p->loop));
	return false;
}

static void peer_tick(uv_timer_t *timer)
{
	struct peer *p = timer->data;
	link_sender_tick(&p->sender, (int64_t)uv_now(&p->loop));
}

/* ------------------------------------------------------------------------------------------------ the web
 * server */

static void peer_hook(struct http_request *r, void *ctx)
{
	struct peer *p = ctx;
	if (p->n_seen < REQUESTS_MAX) {
		struct request_seen *s = &p->seen[p->n_seen++];
		const char *delivery = http_header(r, "X-Ascolto-Delivery"),
			   *signature = http_header(r, "X-Ascolto-Signature");
		snprintf(s->delivery, sizeof(s->delivery), "%s", delivery ? delivery : "");
		snprintf(s->signature, sizeof(s->signature), "%s", signature ? signature : "");
		buf_init(&s->body, 1 << 20);
		buf_add(&s->body, http_body(r).data, http_body(r).len);
	}
	if (p->refuse) {
		p->refuse--;
		http_reply_header(r, "Retry-After", "1");
		http_reply_error(r, 503, "busy");
	} else if (p->hold) {
		p->held[p->n_held++] = r;
		p->most_held = MAX(p->most_held, p->n_held);
	} else {
		http_reply_text(r, 200, "taken");
	}
}

static void peer_let_go(struct peer *p)
{
	while (p->n_held)
		http_reply_text(p->held[--p->n_held], 200, "taken");
}

static struct http_route peer_routes[] = {{"POST", "/hook", peer_hook, NULL, ""}, {0}};

/* ------------------------------------------------------------------------------------------------ life */

static int peer_open(struct peer *p, int here_port, int there_port, int http_port)
{
	char here[64], http[64];
	const uint64_t none[LANES] = {0};
	struct err e = {0};
	snprintf(here, sizeof(here), "tcp://127.0.0.1:%d", here_port);
	snprintf(http, sizeof(http), "127.0.0.1:%d", http_port);
	snprintf(p->there, sizeof(p->there), "tcp://127.0.0.1:%d", there_port);
	uv_loop_init(&p->loop);
	uv_timer_init(&p->loop, &p->ticker);
	p->ticker.data = p;
	p->lineage = id_random(wall_ms());
	link_sender_init(&p->sender, &peer_sender_ops, p, "escalation", &p->lineage, 1, 1, none);
	link_receiver_init(&p->receiver, &peer_receiver_ops, p, &p->lineage, 1);
	peer_routes[0].ctx = p;
	const struct http_options o = {.address = http, .routes = peer_routes};
	int r = bus_open(&p->bus, &p->loop, peer_work, p, &e);
	r = r ? r : bus_listen(p->bus, here, peer_frame, p, &p->in, &e);
	r = r ? r : http_open(&p->http, &p->loop, &o, &e);
	if (r) {
		fprintf(stderr, "%s\n", err_text(&e));
		return r;
	}
	peer_connect(p);
	return uv_timer_start(&p->ticker, peer_tick, 0, 20);
}

static void peer_close(struct peer *p)
{
	peer_let_go(p);
	http_close(&p->http);
	bus_socket_close(&p->in);
	bus_socket_close(&p->out);
	bus_close(&p->bus);
	uv_close((uv_handle_t *)&p->ticker, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
	link_sender_free(&p->sender);
	for (size_t i = 0; i < p->receiver.n_sources; i++)
		free(p->receiver.source[i]->route);
	link_receiver_free(&p->receiver);
	for (size_t i = 0; i < p->n_journal; i++)
		free(p->journal[i].data);
	for (size_t i = 0; i < p->n_outcomes; i++)
		ascolto__envelope__free_unpacked(p->outcome[i], NULL);
	for (size_t i = 0; i < p->n_seen; i++)
		buf_free(&p->seen[i].body);
}

#endif
