/* What waits to be handled: items, their queues, and how much more is taken. */
#include "svc_internal.h"

struct item *item_new(enum item_kind kind, struct span envelope)
{
	struct item *i = calloc(1, sizeof(*i));
	if (!i || !(i->data = malloc(envelope.len + 1))) {
		free(i);
		return NULL;
	}
	if (envelope.len)
		memcpy(i->data, envelope.data, envelope.len);
	i->len = envelope.len;
	i->kind = kind;
	i->lane = LANE_NORMAL;
	return i;
}

void item_free(struct item *i)
{
	if (!i)
		return;
	free(i->data);
	free(i);
}

/* ---- queues ---- */

void queue_add(struct item_queue *q, struct item *i)
{
	i->next = NULL;
	if (!q->end)
		q->end = &q->first;
	*q->end = i;
	q->end = &i->next;
	q->count++;
	q->bytes += i->len;
}

struct item *queue_take(struct item_queue *q)
{
	struct item *i = q->first;
	if (!i)
		return NULL;
	q->first = i->next;
	if (!q->first)
		q->end = &q->first;
	q->count--;
	q->bytes -= i->len;
	i->next = NULL;
	return i;
}

void queue_put_back(struct item_queue *q, struct item *i)
{
	i->next = q->first;
	q->first = i;
	if (!i->next)
		q->end = &i->next;
	q->count++;
	q->bytes += i->len;
}

struct item_queue *queue_of(struct svc *s, const struct item *i)
{
	return i->kind == ITEM_LINK ? &s->queue[i->lane] : &s->local;
}

void queue_free(struct item_queue *q)
{
	struct item *i;
	while ((i = queue_take(q)))
		item_free(i);
}

/* ---- room ---- */

bool svc_has_room(const struct svc *s, enum lane lane)
{
	if (s->full || s->stopping)
		return false;
	for (size_t i = 0; i < s->n_out; i++)
		if (outbox_backlog(s->out[i], lane) > (lane == LANE_URGENT ? BACKLOG_URGENT : BACKLOG_NORMAL))
			return false;
	return true;
}

size_t svc_room(const struct svc *s)
{
	return svc_has_room(s, LANE_NORMAL) && s->local.count < QUEUE_MAX ? QUEUE_MAX - s->local.count : 0;
}

void svc_on_room(struct svc *s, void (*fn)(void *ctx), void *ctx)
{
	for (struct room_waiter *w = s->waiters; w; w = w->next)
		if (w->ctx == ctx)
			return;
	struct room_waiter *w = malloc(sizeof(*w));
	if (!w)
		return;
	*w = (struct room_waiter){s->waiters, fn, ctx};
	s->waiters = w;
}

void room_tell(struct svc *s)
{
	struct room_waiter *list = s->waiters;
	if (!list || svc_room(s) < QUEUE_MAX / 2)
		return;
	s->waiters = NULL;
	while (list) {
		struct room_waiter *w = list;
		list = w->next;
		w->fn(w->ctx);
		free(w);
	}
}

int svc_submit(struct svc *s, const Ascolto__Envelope *e, submitted_fn *done, void *ctx)
{
	size_t len = ascolto__envelope__get_packed_size(e);
	/* While stopping only what was begun still comes in: how calls ended. */
	if (s->stopping ? s->full || s->local.count >= QUEUE_MAX : !svc_room(s))
		return -EAGAIN;
	struct item *i = item_new(ITEM_LOCAL, span_of(NULL, 0));
	uint8_t *data = i ? realloc(i->data, len + 1) : NULL;
	if (!data) {
		item_free(i);
		return -EAGAIN;
	}
	i->data = data;
	i->len = ascolto__envelope__pack(e, data);
	i->key_group = (uint8_t)e->key_group;
	i->done = done;
	i->ctx = ctx;
	queue_add(&s->local, i);
	return 0;
}
