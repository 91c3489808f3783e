/* The half of a link that receives. link.h has the protocol; LINK_MUTANT_... break one rule each, for tests/sim. */
#include "link_frame.h"

void link_receiver_init(struct link_receiver *r, const struct link_receiver_ops *ops, void *ctx, const struct id *self,
	uint64_t epoch)
{
	memset(r, 0, sizeof(*r));
	r->ops = ops;
	r->ctx = ctx;
	r->self = *self;
	r->epoch = epoch;
	arena_init(&r->arena, LINK_ARENA_MAX);
}

void link_receiver_free(struct link_receiver *r)
{
	for (size_t i = 0; i < r->n_sources; i++)
		free(r->source[i]);
	r->n_sources = 0;
	arena_free(&r->arena);
}

static struct link_source *find_source(struct link_receiver *r, const struct id *origin)
{
	for (size_t i = 0; i < r->n_sources; i++)
		if (id_eq(&r->source[i]->origin, origin))
			return r->source[i];
	return NULL;
}

void link_receiver_loaded(struct link_source *s, enum lane lane, uint8_t key_group, uint64_t last, uint64_t epoch)
{
	s->epoch = MAX(s->epoch, epoch);
	s->done[lane][key_group] = s->taken[lane][key_group] = last;
}

static struct link_source *new_source(struct link_receiver *r, const struct id *origin)
{
	struct link_source *s = r->n_sources < LINK_SOURCES_MAX ? calloc(1, sizeof(*s)) : NULL;
	if (!s)
		return NULL;
	s->origin = *origin;
	r->source[r->n_sources++] = s;
	r->ops->load(r->ctx, s);
	return s;
}

static void answer(struct link_receiver *r, struct link_source *s, uint64_t session, Ascolto__Frame *f)
{
	Ascolto__Frame whole = link_frame_of(&r->self, r->epoch, session);
	whole.body_case = f->body_case;
	whole.hello = f->hello; /* the members of the oneof share their place */
	struct span packed = pack_message(&r->arena, &whole.base);
	if (packed.data)
		r->ops->send(r->ctx, s, packed);
}

static size_t fill_credit(struct link_receiver *r, struct link_source *s, Ascolto__Credit credit[LANES],
	Ascolto__Credit *pointers[LANES])
{
	static const Ascolto__Credit init = ASCOLTO__CREDIT__INIT;
	for (int l = 0; l < LANES; l++) {
		uint64_t window = l == LANE_URGENT ? LINK_WINDOW_URGENT : LINK_WINDOW_NORMAL;
		bool room = r->ops->room(r->ctx, l);
		credit[l] = init;
		credit[l].lane = (uint32_t)l;
		credit[l].messages = s->received[l];
		credit[l].bytes = s->received_bytes[l];
		if (room && s->waiting[l] < window && s->waiting_bytes[l] < LINK_WINDOW_BYTES) {
			credit[l].messages += window - s->waiting[l];
			credit[l].bytes += LINK_WINDOW_BYTES - s->waiting_bytes[l];
		}
		pointers[l] = &credit[l];
	}
	return LANES;
}

/* The positions of streams that `all` or an owed acknowledgement names, in the arena. */
static size_t fill_positions(struct link_receiver *r, struct link_source *s, bool all,
	Ascolto__StreamPosition ***ret)
{
	static const Ascolto__StreamPosition init = ASCOLTO__STREAM_POSITION__INIT;
	size_t n = 0;
	Ascolto__StreamPosition **list = arena_alloc(&r->arena, sizeof(*list) * LANES * KEY_GROUPS);
	for (unsigned l = 0; list && l < LANES; l++)
		for (unsigned g = 0; g < KEY_GROUPS; g++) {
			if (all ? !s->done[l][g] : !s->owed[l][g])
				continue;
			Ascolto__StreamPosition *p = arena_alloc(&r->arena, sizeof(*p));
			if (!p)
				return n;
			*p = init;
			p->lane = l;
			p->key_group = g;
			p->seq = s->done[l][g];
			list[n++] = p;
		}
	*ret = list;
	return n;
}

static void send_welcome(struct link_receiver *r, struct link_source *s)
{
	Ascolto__Welcome w = ASCOLTO__WELCOME__INIT;
	Ascolto__Credit credit[LANES], *pointers[LANES];
	Ascolto__Frame f = ASCOLTO__FRAME__INIT;
	w.n_last = fill_positions(r, s, true, &w.last);
	w.n_credit = fill_credit(r, s, credit, pointers);
	w.credit = pointers;
	w.max_frame_bytes = LINK_FRAME_MAX;
	f.body_case = ASCOLTO__FRAME__BODY_WELCOME;
	f.welcome = &w;
	answer(r, s, s->session, &f);
}

static void send_ack(struct link_receiver *r, struct link_source *s, uint64_t ping)
{
	Ascolto__Ack a = ASCOLTO__ACK__INIT;
	Ascolto__Credit credit[LANES], *pointers[LANES];
	Ascolto__Frame f = ASCOLTO__FRAME__INIT;
	a.n_last = fill_positions(r, s, false, &a.last);
	a.n_credit = fill_credit(r, s, credit, pointers);
	a.credit = pointers;
	a.ping = ping;
	f.body_case = ASCOLTO__FRAME__BODY_ACK;
	f.ack = &a;
	answer(r, s, s->session, &f);
	memset(s->owed, 0, sizeof(s->owed));
	s->owes_ack = false;
}

static void send_nak(struct link_receiver *r, struct link_source *s, uint64_t session)
{
	Ascolto__Nak nak = ASCOLTO__NAK__INIT;
	Ascolto__Frame f = ASCOLTO__FRAME__INIT;
	f.body_case = ASCOLTO__FRAME__BODY_NAK;
	f.nak = &nak;
	answer(r, s, session, &f);
}

static void take_hello(struct link_receiver *r, struct link_source *s, const Ascolto__Frame *f)
{
	s->session = f->session;
	s->data = 0;
	s->nakked = false;
	memset(s->received, 0, sizeof(s->received));
	memset(s->received_bytes, 0, sizeof(s->received_bytes));
	snprintf(s->service, sizeof(s->service), "%s", f->hello->service);
	send_welcome(r, s);
}

static void owe(struct link_source *s, enum lane lane, uint8_t key_group)
{
	s->owed[lane][key_group] = true;
	s->owes_ack = true;
}

static void take_record(struct link_receiver *r, struct link_source *s, enum lane lane, const Ascolto__Record *record)
{
	uint8_t g = (uint8_t)record->key_group;
	s->received[lane]++;
	s->received_bytes[lane] += record->envelope.len;
	if (record->seq <= s->taken[lane][g]) {
		r->duplicates++;
#ifndef LINK_MUTANT_NO_DUPLICATE_CHECK
		owe(s, lane, g);
		return;
#endif
	}
#ifndef LINK_MUTANT_NO_SEQUENCE_CHECK
	if (record->seq > s->taken[lane][g] + 1) {
		s->nakked = true;
		return;
	}
#endif
	s->taken[lane][g] = record->seq;
	s->waiting[lane]++;
	s->waiting_bytes[lane] += record->envelope.len;
	r->ops->deliver(r->ctx, s, lane, g, record->seq, span_of(record->envelope.data, record->envelope.len));
#ifdef LINK_MUTANT_ACK_BEFORE_COMMIT
	s->done[lane][g] = record->seq;
	owe(s, lane, g);
#endif
}

static int take_data(struct link_receiver *r, struct link_source *s, const Ascolto__Data *d)
{
	if (d->lane >= LANES)
		return -EBADMSG;
	for (size_t i = 0; i < d->n_records; i++)
		if (d->records[i]->key_group >= KEY_GROUPS || d->records[i]->envelope.len > LINK_ENVELOPE_MAX ||
			!d->records[i]->seq)
			return -EBADMSG;
	if (d->number <= s->data) {
		r->duplicates++;
		return 0; /* the transport repeated it */
	}
#ifndef LINK_MUTANT_NO_SEQUENCE_CHECK
	s->nakked = d->number != s->data + 1;
#endif
	s->data = d->number;
	for (size_t i = 0; i < d->n_records && !s->nakked; i++)
		take_record(r, s, d->lane, d->records[i]);
	if (s->nakked)
		send_nak(r, s, s->session);
	return 0;
}

int link_receiver_frame(struct link_receiver *r, struct span bytes,
	void (*route_of)(void *arg, struct link_source *source), void *arg)
{
	struct id origin;
	Ascolto__Frame *f = link_frame_parse(&r->arena, bytes, &origin);
	struct link_source *s = f ? find_source(r, &origin) : NULL;
	if (f && !s)
		s = new_source(r, &origin);
	if (!s) {
		r->refused++;
		return -EBADMSG;
	}
#ifndef LINK_MUTANT_IGNORE_EPOCH
	if (f->epoch < s->epoch) {
		r->refused++;
		return -ESTALE;
	}
#endif
	s->epoch = MAX(s->epoch, f->epoch);
	if (route_of)
		route_of(arg, s);
	if (f->body_case == ASCOLTO__FRAME__BODY_HELLO) {
		take_hello(r, s, f);
	} else if (f->session != s->session || s->nakked) {
		send_nak(r, s, f->session); /* we do not know what came before */
	} else if (f->body_case == ASCOLTO__FRAME__BODY_DATA) {
		return take_data(r, s, f->data);
	} else if (f->body_case == ASCOLTO__FRAME__BODY_PING && f->ping->data > s->data) {
		s->nakked = true;
		send_nak(r, s, s->session);
	} else if (f->body_case == ASCOLTO__FRAME__BODY_PING) {
		send_ack(r, s, f->ping->number);
	}
	return 0;
}

void link_receiver_committed(struct link_receiver *r, struct link_source *s, enum lane lane, uint8_t key_group,
	uint64_t seq, size_t bytes)
{
	(void)r;
	s->done[lane][key_group] = MAX(s->done[lane][key_group], seq);
	s->waiting[lane] -= MIN(s->waiting[lane], 1);
	s->waiting_bytes[lane] -= MIN(s->waiting_bytes[lane], bytes);
	owe(s, lane, key_group);
}

void link_receiver_flush(struct link_receiver *r)
{
	for (size_t i = 0; i < r->n_sources; i++)
		if (r->source[i]->owes_ack && r->source[i]->session) {
			arena_reset(&r->arena);
			send_ack(r, r->source[i], 0);
		}
}

void link_receiver_grant(struct link_receiver *r)
{
	for (size_t i = 0; i < r->n_sources; i++)
		r->source[i]->owes_ack = true;
	link_receiver_flush(r);
}
