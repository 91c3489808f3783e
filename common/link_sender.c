/* The half of a link that sends. link.h has the protocol. */
#include "link_frame.h"

void link_sender_init(struct link_sender *s, const struct link_sender_ops *ops, void *ctx, const char *service,
	const struct id *origin, uint64_t epoch, uint64_t session, const uint64_t acknowledged[LANES])
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->ctx = ctx;
	s->service = service;
	s->origin = *origin;
	s->epoch = epoch;
	s->session = session;
	arena_init(&s->arena, LINK_ARENA_MAX);
	for (int l = 0; l < LANES; l++)
		s->lane[l].acknowledged = acknowledged[l];
}

void link_sender_free(struct link_sender *s)
{
	arena_free(&s->arena);
}

static bool send_frame(struct link_sender *s, const Ascolto__Frame *f, int64_t now_ms)
{
	struct span packed = pack_message(&s->arena, &f->base);
	if (!packed.data || !s->ops->send(s->ctx, packed))
		return false;
	s->spoke_ms = now_ms;
	return true;
}

/* A new session: whatever was on its way is forgotten, WELCOME says where to go on. */
static void say_hello(struct link_sender *s, bool from_oldest, int64_t now_ms)
{
	Ascolto__Hello hello = ASCOLTO__HELLO__INIT;
	s->session++;
	s->sessions++;
	s->from_oldest = from_oldest;
	s->ping = s->data = 0;
	Ascolto__Frame f = link_frame_of(&s->origin, s->epoch, s->session);
	hello.service = (char *)(uintptr_t)s->service;
	f.body_case = ASCOLTO__FRAME__BODY_HELLO;
	f.hello = &hello;
	arena_reset(&s->arena);
	/* One that could not be sent is as one lost: tick says it again. */
	s->state = send_frame(s, &f, now_ms) ? LINK_HELLO : LINK_DOWN;
	s->spoke_ms = now_ms;
}

static void set_credit(struct link_sender *s, size_t n, Ascolto__Credit **credit)
{
	for (size_t i = 0; i < n; i++) {
		if (credit[i]->lane >= LANES)
			continue;
		struct link_lane *l = &s->lane[credit[i]->lane];
		l->credit = MAX(l->credit, credit[i]->messages);
		l->credit_bytes = MAX(l->credit_bytes, credit[i]->bytes);
	}
}

static void stop_stream(struct link_sender *s, struct link_lane *l, unsigned key_group)
{
	if (!l->stopped[key_group])
		s->gaps++;
	l->stopped[key_group] = true;
}

static void welcome(struct link_sender *s, const Ascolto__Welcome *w)
{
	for (int n = 0; n < LANES; n++) {
		struct link_lane *l = &s->lane[n];
		l->next_position = s->from_oldest ? 1 : l->acknowledged + 1;
		l->pin = 0;
		l->sent = l->sent_bytes = l->credit = l->credit_bytes = 0;
		l->checked = false;
		l->flight_first = l->flight_count = 0;
		memset(l->done, 0, sizeof(l->done));
		memset(l->stopped, 0, sizeof(l->stopped));
	}
	s->gaps = 0;
	for (size_t i = 0; i < w->n_last; i++)
		if (link_position_ok(w->last[i]))
			s->lane[w->last[i]->lane].done[w->last[i]->key_group] = w->last[i]->seq;
	for (int n = 0; n < LANES; n++)
		for (unsigned g = 0; g < KEY_GROUPS; g++) {
			struct link_lane *l = &s->lane[n];
			l->next[g] = l->done[g] + 1;
			if (l->done[g] > s->ops->last_seq(s->ctx, n, (uint8_t)g))
				stop_stream(s, l, g); /* the receiver is ahead of us */
		}
	set_credit(s, w->n_credit, w->credit);
	s->state = LINK_UP;
}

static struct link_flight *flight_at(struct link_lane *l, size_t i)
{
	return &l->flight[(l->flight_first + i) % ARRAY_SIZE(l->flight)];
}

/* Takes from the front what is acknowledged and moves the lane's position on. */
static void settle(struct link_lane *l)
{
	while (l->flight_count) {
		struct link_flight *f = flight_at(l, 0);
		if (l->done[f->key_group] < f->seq)
			break;
		l->acknowledged = MAX(l->acknowledged, f->position);
		l->flight_first = (l->flight_first + 1) % ARRAY_SIZE(l->flight);
		l->flight_count--;
	}
	if (!l->flight_count && l->next_position)
		l->acknowledged = MAX(l->acknowledged, l->next_position - 1);
	if (l->pin && l->acknowledged >= l->pin)
		l->acknowledged = l->pin - 1;
}

static void ack(struct link_sender *s, const Ascolto__Ack *a)
{
	for (size_t i = 0; i < a->n_last; i++) {
		const Ascolto__StreamPosition *p = a->last[i];
		if (!link_position_ok(p))
			continue;
		struct link_lane *l = &s->lane[p->lane];
		/* What was not sent in this session can not be acknowledged in it. */
		if (p->seq < l->next[p->key_group])
			l->done[p->key_group] = MAX(l->done[p->key_group], p->seq);
	}
	set_credit(s, a->n_credit, a->credit);
	for (int n = 0; n < LANES; n++)
		settle(&s->lane[n]);
}

int link_sender_frame(struct link_sender *s, struct span bytes, int64_t now_ms)
{
	struct id peer;
	Ascolto__Frame *f = link_frame_parse(&s->arena, bytes, &peer);
	if (!f || f->epoch < s->peer_epoch) {
		s->refused++;
		return f ? -ESTALE : -EBADMSG;
	}
	s->peer_epoch = f->epoch;
	if (f->session != s->session)
		return 0; /* of an earlier session */
	s->heard_ms = now_ms;
	if (f->body_case == ASCOLTO__FRAME__BODY_WELCOME && s->state == LINK_HELLO)
		welcome(s, f->welcome);
	else if (f->body_case == ASCOLTO__FRAME__BODY_ACK && s->state == LINK_UP)
		ack(s, f->ack);
	else if (f->body_case == ASCOLTO__FRAME__BODY_NAK && s->state == LINK_UP)
		say_hello(s, false, now_ms);
	return 0;
}

enum fate { SENT, SKIPPED, NO_CREDIT, MISSING };

/* What becomes of the next record of the journal. */
static enum fate consider(struct link_sender *s, struct link_lane *l, const struct link_record *r)
{
	if (l->stopped[r->key_group] && r->seq >= l->next[r->key_group]) {
		l->pin = l->pin ? l->pin : r->position;
		return SKIPPED;
	}
	if (r->seq < l->next[r->key_group])
		return SKIPPED; /* done before this session */
	if (r->seq > l->next[r->key_group]) {
		if (!s->from_oldest)
			return MISSING;
		stop_stream(s, l, r->key_group);
		l->pin = l->pin ? l->pin : r->position;
		return SKIPPED;
	}
	if (l->sent >= l->credit || l->sent_bytes + r->envelope.len > l->credit_bytes ||
		l->flight_count == ARRAY_SIZE(l->flight))
		return NO_CREDIT;
	*flight_at(l, l->flight_count++) = (struct link_flight){r->position, r->seq, r->key_group};
	l->next[r->key_group]++;
	l->sent++;
	l->sent_bytes += r->envelope.len;
	return SENT;
}

/* At the journal's end every stream must have been sent up to the last number given. */
static bool complete(struct link_sender *s, enum lane lane)
{
	struct link_lane *l = &s->lane[lane];
	bool whole = true;
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		if (!l->stopped[g] && l->next[g] <= s->ops->last_seq(s->ctx, lane, (uint8_t)g)) {
			whole = false;
			if (s->from_oldest)
				stop_stream(s, l, g);
		}
	l->checked = true;
	return whole || s->from_oldest;
}

/* One DATA frame of that lane. False when there is nothing more to do now. */
static bool pump_lane(struct link_sender *s, enum lane lane, int64_t now_ms)
{
	static const Ascolto__Record record_init = ASCOLTO__RECORD__INIT;
	struct link_lane *l = &s->lane[lane];
	struct link_record read[LINK_DATA_RECORDS];
	Ascolto__Record records[LINK_DATA_RECORDS], *pointers[LINK_DATA_RECORDS];
	Ascolto__Data data = ASCOLTO__DATA__INIT;
	enum fate fate = SKIPPED;
	if (l->sent >= l->credit || l->flight_count == ARRAY_SIZE(l->flight))
		return false;
	size_t bytes = 0, n = s->ops->read(s->ctx, lane, l->next_position, read, ARRAY_SIZE(read));

	if (n == 0 && !l->checked && !complete(s, lane)) {
		say_hello(s, true, now_ms);
		return false;
	}
	for (size_t i = 0; i < n && bytes < LINK_DATA_BYTES; i++) {
		fate = consider(s, l, &read[i]);
		if (fate == MISSING) {
			say_hello(s, true, now_ms);
			return false;
		}
		if (fate == NO_CREDIT)
			break;
		l->next_position = read[i].position + 1;
		if (fate == SKIPPED)
			continue;
		Ascolto__Record *r = &records[data.n_records];
		*r = record_init;
		r->key_group = read[i].key_group;
		r->seq = read[i].seq;
		r->envelope = (ProtobufCBinaryData){read[i].envelope.len, (uint8_t *)(uintptr_t)read[i].envelope.data};
		pointers[data.n_records++] = r;
		bytes += read[i].envelope.len;
	}
	settle(l);
	if (!data.n_records)
		return n > 0 && fate != NO_CREDIT;
	data.lane = lane;
	data.number = ++s->data;
	data.records = pointers;
	Ascolto__Frame f = link_frame_of(&s->origin, s->epoch, s->session);
	f.body_case = ASCOLTO__FRAME__BODY_DATA;
	f.data = &data;
	arena_reset(&s->arena);
	if (!send_frame(s, &f, now_ms)) {
		/* The transport is full or gone: as if lost; silence or the next answer brings a new session. */
		return false;
	}
	return fate != NO_CREDIT;
}

void link_sender_pump(struct link_sender *s, int64_t now_ms)
{
	for (enum lane lane = 0; lane < LANES; lane++)
		while (s->state == LINK_UP && pump_lane(s, lane, now_ms))
			;
}

static bool waits_for_something(struct link_sender *s)
{
	struct link_record r;
	for (enum lane lane = 0; lane < LANES; lane++)
		if (s->lane[lane].flight_count || s->ops->read(s->ctx, lane, s->lane[lane].next_position, &r, 1))
			return true;
	return false;
}

static void ask(struct link_sender *s, int64_t now_ms)
{
	Ascolto__Ping ping = ASCOLTO__PING__INIT;
	Ascolto__Frame f = link_frame_of(&s->origin, s->epoch, s->session);
	ping.number = ++s->ping;
	ping.data = s->data;
	f.body_case = ASCOLTO__FRAME__BODY_PING;
	f.ping = &ping;
	arena_reset(&s->arena);
	send_frame(s, &f, now_ms);
	s->spoke_ms = now_ms;
}

void link_sender_tick(struct link_sender *s, int64_t now_ms)
{
	if (s->state == LINK_DOWN) {
		if (!s->sessions)
			s->heard_ms = now_ms;
		if (!s->sessions || now_ms - s->spoke_ms >= LINK_HELLO_MS)
			say_hello(s, s->from_oldest, now_ms);
	} else if (s->state == LINK_UP && !waits_for_something(s)) {
		s->heard_ms = now_ms; /* nothing to be heard */
		return;
	}
	if (now_ms - s->heard_ms >= LINK_SILENCE_MS) {
		s->heard_ms = now_ms;
		s->ops->reconnect(s->ctx);
		say_hello(s, s->from_oldest, now_ms);
	} else if (s->state == LINK_UP && now_ms - s->heard_ms >= LINK_PING_MS && now_ms - s->spoke_ms >= LINK_PING_MS) {
		ask(s, now_ms);
	}
}
