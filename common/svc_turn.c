/* The turn: read, handle, commit, acknowledge, send. svc.h has the contract. */
#include "svc_internal.h"

#include <xxhash.h>

/* ---- items and queues ---- */

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

static struct item *queue_take(struct item_queue *q)
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

static void queue_put_back(struct item_queue *q, struct item *i)
{
	i->next = q->first;
	q->first = i;
	if (!i->next)
		q->end = &i->next;
	q->count++;
	q->bytes += i->len;
}

static struct item_queue *queue_of(struct svc *s, const struct item *i)
{
	return i->kind == ITEM_LINK ? &s->queue[i->lane] : &s->local;
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

static void tell_waiters(struct svc *s)
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

/* ---- keys of our own tables ---- */

struct key quarantine_key(const struct id *id)
{
	struct key k = key_make(TABLE_QUARANTINE, 0);
	key_id(&k, id);
	return k;
}

static struct key attempts_key(const struct item *i)
{
	struct id id = id_from(0, span_of(i->data, i->len));
	struct key k = key_make(TABLE_ATTEMPTS, 0);
	key_id(&k, &id);
	return k;
}

/* ---- timers ---- */

static void timer_due_at(struct svc *s, uint8_t key_group, int64_t due_ms)
{
	if (due_ms < s->timer_next[key_group])
		s->timer_next[key_group] = due_ms;
	s->timer_first_ms = MIN(s->timer_first_ms, due_ms);
}

static void find_next_timer(struct svc *s, struct txn *t, uint8_t key_group)
{
	struct span key, value;
	struct cursor *c;
	struct key prefix = key_make(TABLE_TIMER, key_group);
	uint64_t due = INT64_MAX;
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	int r = cursor_next(c, &key, &value);
	if (r == 0 || r == -EBADMSG) {
		key = span_of(key.data + 2, key.len - 2);
		key_take_u64(&key, &due);
	}
	cursor_close(&c);
	s->timer_next[key_group] = (int64_t)due;
}

static void find_first_timer(struct svc *s)
{
	s->timer_first_ms = INT64_MAX;
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		s->timer_first_ms = MIN(s->timer_first_ms, s->timer_next[g]);
}

static size_t take_timers_of(struct svc *s, struct txn *t, uint8_t key_group, struct item **items, size_t max)
{
	struct key prefix = key_make(TABLE_TIMER, key_group);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t, &prefix, NULL, &c))
		return 0;
	while (n < max && cursor_next(c, &key, &value) == 0) {
		uint64_t due = 0;
		struct span rest = span_of(key.data + 2, key.len - 2);
		key_take_u64(&rest, &due);
		if ((int64_t)due > s->now_ms)
			break;
		State__TimerRecord *r = state__timer_record__unpack(NULL, value.len, value.data);
		struct item *i =
			r ? item_new(ITEM_TIMER, span_of(r->envelope.data, r->envelope.len)) : NULL;
		state__timer_record__free_unpacked(r, NULL);
		if (!i)
			break;
		i->key_group = key_group;
		memcpy(i->key.data, key.data, key.len);
		i->key.len = (uint16_t)key.len;
		items[n++] = i;
	}
	cursor_close(&c);
	return n;
}

static size_t take_timers(struct svc *s, struct item **items, size_t max)
{
	struct txn *t;
	size_t n = 0;
	if (s->timer_first_ms > s->now_ms || txn_begin_read(s->store, &t, NULL))
		return 0;
	for (unsigned g = 0; g < KEY_GROUPS && n < max; g++)
		if (s->timer_next[g] <= s->now_ms)
			n += take_timers_of(s, t, (uint8_t)g, items + n, max - n);
	txn_abort(&t);
	return n;
}

static uint32_t tries_of(struct txn *t, const struct item *i);

/* ---- one item ---- */

static struct arena *arena_take(struct svc *s)
{
	if (s->n_spare_arenas)
		return s->spare_arenas[--s->n_spare_arenas];
	struct arena *a = malloc(sizeof(*a));
	if (a)
		arena_init(a, MESSAGE_ARENA_MAX);
	return a;
}

static void arena_give(struct svc *s, struct item *i)
{
	if (!i->arena)
		return;
	arena_reset(i->arena);
	if (s->n_spare_arenas < ARRAY_SIZE(s->spare_arenas)) {
		s->spare_arenas[s->n_spare_arenas++] = i->arena;
	} else {
		arena_free(i->arena);
		free(i->arena);
	}
	i->arena = NULL;
}

static const struct handler *find_handler(const struct svc *s, Ascolto__Envelope__BodyCase body)
{
	for (const struct handler *h = s->spec->handlers; h->fn; h++)
		if (h->body == body)
			return h;
	return NULL;
}

static size_t counter_index(const struct svc *s, const char *name)
{
	size_t i = 0;
	while (s->spec->counters && s->spec->counters[i].name && !str_eq(s->spec->counters[i].name, name))
		i++;
	return i;
}

static int put_timer(struct svc *s, struct txn *t, const struct write *w)
{
	State__TimerRecord r = STATE__TIMER_RECORD__INIT;
	struct key k = key_make(TABLE_TIMER, w->key_group);
	key_ms(&k, w->due_ms);
	key_id(&k, &w->id);
	r.envelope = (ProtobufCBinaryData){w->value.len, (uint8_t *)(uintptr_t)w->value.data};
	size_t len = state__timer_record__get_packed_size(&r);
	uint8_t *packed = malloc(len + 1);
	if (!packed)
		return -ENOMEM;
	int rc = txn_put(t, &k, span_of(packed, state__timer_record__pack(&r, packed)));
	free(packed);
	if (!rc)
		timer_due_at(s, w->key_group, w->due_ms);
	return rc;
}

/* Everything the handler asked for, into the transaction. */
static int apply(struct svc *s, struct txn *t, struct item *i, struct err *e)
{
	int r = writeset_apply(&i->ws, t, e);
	for (const struct write *w = i->ws.first; w && !r; w = w->next) {
		if (w->kind == WRITE_EMIT)
			r = outbox_add(s, t, w, s->now_ms);
		else if (w->kind == WRITE_TIMER)
			r = put_timer(s, t, w);
		else if (w->kind == WRITE_COUNT && s->spec->counters &&
			 s->spec->counters[counter_index(s, w->counter)].name)
			s->counter_changes[counter_index(s, w->counter)] += w->by;
	}
	return r;
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

static int put_quarantine(struct svc *s, struct txn *t, struct item *i, const struct id *id)
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
	if (!r) {
		s->quarantine_count += fresh;
		i->quarantined = true;
	}
	return r;
}

/* Calls the handler. The verdict is in the item; nothing is written yet. */
static void handle(struct svc *s, struct txn *t, struct item *i, struct id *ret_id)
{
	struct err why = {0};
	i->arena = i->arena ? i->arena : arena_take(s);
	i->verdict = REJECT;
	*ret_id = id_from(s->now_ms, span_of(i->data, i->len));
	if (!i->arena) {
		i->verdict = RETRY;
		return;
	}
	writeset_init(&i->ws, i->arena);
	Ascolto__Envelope *e = ascolto__envelope__unpack(arena_pb(i->arena), i->len, i->data);
	const struct handler *h = e ? find_handler(s, e->body_case) : NULL;
	if (!e || id_from_bytes(e->id.data, e->id.len, ret_id)) {
		snprintf(i->why, sizeof(i->why), "the message can not be read: it is damaged or of another version");
		return;
	}
	if (!h) {
		snprintf(i->why, sizeof(i->why), "%s does not take messages of this kind (%d)", s->spec->name,
			(int)e->body_case);
		return;
	}
	struct turn turn = {.svc = s, .txn = t, .arena = i->arena, .ws = &i->ws, .state = s->state, .conf = s->conf,
		.now_ms = s->now_ms, .key_group = i->key_group};
	i->verdict = h->fn(&turn, e, &why);
	if (i->verdict != DONE)
		snprintf(i->why, sizeof(i->why), "%s", err_text(&why));
	else if (i->kind == ITEM_LINK && e->received_ms)
		s->lag_seconds = (double)(s->now_ms - e->received_ms) / 1000;
}

/* Handles and writes one item. 0; 1: it said RETRY, the turn ends before it; negative: the turn is lost. */
static int one(struct svc *s, struct txn *t, struct item *i)
{
	struct id id;
	struct err e = {0};
	int r = 0;
	if (s->timers_retried && i->kind == ITEM_TIMER)
		i->tries = tries_of(t, i);
	if (i->tries >= TRIES_MAX) {
		Ascolto__Envelope *env = ascolto__envelope__unpack(NULL, i->len, i->data);
		if (!env || id_from_bytes(env->id.data, env->id.len, &id))
			id = id_from(s->now_ms, span_of(i->data, i->len));
		ascolto__envelope__free_unpacked(env, NULL);
		i->verdict = REJECT;
		if (!i->why[0])
			snprintf(i->why, sizeof(i->why), "the service ended %u times while handling it", i->tries);
	} else {
		handle(s, t, i, &id);
	}
	if (i->verdict == RETRY && ++i->tries < TRIES_MAX)
		return 1;
	if (i->verdict == DONE) {
		r = apply(s, t, i, &e);
		if (r == -ENOMEM || r == -EINVAL) { /* this message's own fault; what was written of it is not kept */
			snprintf(i->why, sizeof(i->why), "%s", err_text(&e));
			i->tries = TRIES_MAX;
			i->verdict = REJECT;
			return -EPROTO;
		}
	} else {
		i->verdict = REJECT;
		r = put_quarantine(s, t, i, &id);
		metric_add(s->m.rejects, 1);
	}
	if (!r && i->kind == ITEM_LINK)
		r = stream_in_save(s, t, i);
	if (!r && i->kind == ITEM_TIMER)
		r = txn_del(t, &i->key);
	if (!r && i->kind == ITEM_REPLAY && i->verdict == DONE && (r = txn_del(t, &i->key)) == 0)
		s->quarantine_count -= MIN(s->quarantine_count, 1u);
	return r == -ENOENT ? 0 : r;
}

/* ---- the turn ---- */

static size_t collect(struct svc *s, struct item **items, size_t max)
{
	size_t n = 0;
	struct item *i;
	while (n < max && (i = queue_take(&s->queue[LANE_URGENT])))
		items[n++] = i;
	if (n < max)
		n += take_timers(s, items + n, MIN(max - n, (size_t)TURN_MAX / 4));
	/* The normal lane and local work share what is left, so that neither starves. */
	while (n < max && (s->local.first || s->queue[LANE_NORMAL].first)) {
		if ((i = queue_take(&s->local)))
			items[n++] = i;
		if (n < max && (i = queue_take(&s->queue[LANE_NORMAL])))
			items[n++] = i;
	}
	return n;
}

static void put_back(struct svc *s, struct item **items, size_t from, size_t n)
{
	for (size_t k = n; k > from; k--) {
		struct item *i = items[k - 1];
		arena_give(s, i);
		if (i->kind == ITEM_TIMER)
			item_free(i); /* its row is still there */
		else
			queue_put_back(queue_of(s, i), i);
	}
}

/* A timer is read again from its row when it comes again, so its tries are kept in the store. */
static void remember_tries(struct svc *s, const struct item *i)
{
	struct txn *t;
	State__Attempts a = STATE__ATTEMPTS__INIT;
	uint8_t packed[32];
	struct key k = attempts_key(i);
	if (i->kind != ITEM_TIMER || txn_begin_write(s->store, &t, NULL))
		return;
	a.count = i->tries;
	if (txn_put(t, &k, span_of(packed, state__attempts__pack(&a, packed))) == 0 && txn_commit(&t, NULL) == 0)
		s->timers_retried = true;
	txn_abort(&t);
}

static uint32_t tries_of(struct txn *t, const struct item *i)
{
	struct span value;
	struct key k = attempts_key(i);
	if (txn_get(t, &k, &value))
		return 0;
	State__Attempts *a = state__attempts__unpack(NULL, value.len, value.data);
	uint32_t n = a ? a->count : 0;
	state__attempts__free_unpacked(a, NULL);
	return n;
}

/* After an unclean end: commits that these items are about to be tried. Returns how many may be handled together: one that
 * was tried before goes alone. */
static size_t commit_attempts(struct svc *s, struct item **items, size_t n)
{
	struct txn *t;
	size_t take = 0;
	if (txn_begin_write(s->store, &t, NULL))
		return n;
	for (; take < n; take++) {
		struct key k = attempts_key(items[take]);
		State__Attempts a = STATE__ATTEMPTS__INIT;
		uint8_t packed[32];
		uint32_t before = tries_of(t, items[take]);
		if (before && take)
			break;
		a.count = before + 1;
		/* The first end is not on record, so two on record make three. */
		items[take]->tries = before + 1 >= TRIES_MAX ? TRIES_MAX : before;
		txn_put(t, &k, span_of(packed, state__attempts__pack(&a, packed)));
		if (before) {
			take++;
			break;
		}
	}
	txn_commit(&t, NULL);
	return take;
}

static void forget_attempts(struct svc *s, struct txn *t, struct item **items, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct key key = attempts_key(items[k]);
		txn_del(t, &key);
	}
	s->cautious_left -= MIN(s->cautious_left, n);
}

static int save_counters(struct svc *s, struct txn *t)
{
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++) {
		State__Counter c = STATE__COUNTER__INIT;
		uint8_t packed[32];
		if (!s->counter_changes[i])
			continue;
		struct key k = key_make(TABLE_COUNTER, 0);
		key_str(&k, s->spec->counters[i].name);
		c.value = (uint64_t)(s->counters[i] + s->counter_changes[i]);
		int r = txn_put(t, &k, span_of(packed, state__counter__pack(&c, packed)));
		if (r)
			return r;
	}
	return 0;
}

static void counters_committed(struct svc *s, bool committed)
{
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++) {
		if (committed)
			s->counters[i] += s->counter_changes[i];
		s->counter_changes[i] = 0;
	}
}

/* After the commit: acknowledge, run effects, tell who waits. */
static void consequences(struct svc *s, struct item **items, size_t n)
{
	bool any = false;
	for (size_t k = 0; k < n; k++)
		if (items[k]->kind == ITEM_LINK)
			link_receiver_committed(&s->receiver, items[k]->source, items[k]->lane, items[k]->key_group,
				items[k]->seq, items[k]->len);
	link_receiver_flush(&s->receiver);
	for (size_t k = 0; k < n; k++) {
		struct item *i = items[k];
		if (i->verdict == DONE) {
			any = true;
			for (struct write *w = i->ws.first; w; w = w->next)
				if (w->kind == WRITE_EFFECT)
					w->effect(s->state, w->arg);
		}
		if (i->done)
			i->done(i->ctx, i->verdict, i->why);
		arena_give(s, i);
		item_free(i);
	}
	if (any && s->spec->committed)
		s->spec->committed(s, s->state);
}

static void turn_lost(struct svc *s, int r, const struct err *e)
{
	uint64_t was = s->quarantine_count;
	counters_committed(s, false);
	outbox_reload(s);
	turns_load(s, NULL);
	if (was != s->quarantine_count)
		log_debug("quarantine counted again: %" PRIu64, s->quarantine_count);
	if (s->spec->aborted)
		s->spec->aborted(s, s->state);
	if (r != -ENOSPC)
		return;
	struct err grow = {0};
	if (!s->full)
		log_warning("%s", err_text(e));
	if (store_grow(s->store, &grow)) {
		if (!s->full)
			log_error("%s; nothing is taken until there is room", err_text(&grow));
		s->full = true;
		s->hold_until_ms = (int64_t)uv_now(s->loop) + 1000;
	}
}

/* An item with effects keeps its memory until they have run. */
static bool has_effects(const struct item *i)
{
	for (const struct write *w = i->ws.first; w && i->verdict == DONE; w = w->next)
		if (w->kind == WRITE_EFFECT)
			return true;
	return false;
}

/* Handles items in order. Returns how many are done; *ret_r tells why it stopped before the end (see `one`). */
static size_t handle_all(struct svc *s, struct txn *t, struct item **items, size_t n, int *ret_r)
{
	size_t done = 0;
	int r = 0;
	while (done < n && (r = one(s, t, items[done])) == 0) {
		struct item *i = items[done++];
		if (i->kind == ITEM_TIMER)
			find_next_timer(s, t, i->key_group);
		if (has_effects(i))
			continue;
		i->ws = (struct writeset){0};
		arena_give(s, i);
	}
	find_first_timer(s);
	*ret_r = r;
	return done;
}

static void hold_for_retry(struct svc *s, const struct item *i)
{
	int64_t pause = RETRY_FIRST_MS;
	for (unsigned k = 1; k < i->tries; k++)
		pause *= 4;
	s->hold_until_ms = (int64_t)uv_now(s->loop) + pause;
	metric_add(s->m.retries, 1);
}

static int finish(struct svc *s, struct txn **t, struct item **items, size_t done, struct err *e)
{
	if (s->cautious_left || s->timers_retried)
		forget_attempts(s, *t, items, done);
	int r = outbox_save(s, *t);
	r = r ? r : save_counters(s, *t);
	if (r)
		return err_set(e, r, "can not write to the store: %s", strerror(-r));
	uint64_t before = uv_hrtime();
	r = txn_commit(t, e);
	metric_observe(s->m.commit_seconds, (double)(uv_hrtime() - before) / 1e9);
	metric_observe(s->m.turn_items, (double)done);
	return r;
}

static void run_items(struct svc *s, struct item **items, size_t n)
{
	struct txn *t;
	struct err e = {0};
	size_t done = 0;
	if (s->cautious_left) {
		size_t take = commit_attempts(s, items, n);
		put_back(s, items, take, n);
		n = take;
	}
	int r = txn_begin_write(s->store, &t, &e);
	if (!r)
		done = handle_all(s, t, items, n, &r);
	bool retry = r == 1;
	if (retry)
		hold_for_retry(s, items[done]);
	if ((!r || retry) && done)
		r = finish(s, &t, items, done, &e);
	txn_abort(&t);
	if (retry || r == -EPROTO)
		remember_tries(s, items[done]);
	if (r < 0) {
		put_back(s, items, 0, n);
		turn_lost(s, r, &e);
		return;
	}
	put_back(s, items, done, n);
	if (!done)
		return;
	counters_committed(s, true);
	if (s->full) {
		s->full = false;
		link_receiver_grant(&s->receiver);
	}
	consequences(s, items, done);
}

bool turn_run(struct svc *s)
{
	struct item *items[TURN_MAX];
	tell_waiters(s);
	if ((int64_t)uv_now(s->loop) < s->hold_until_ms)
		return false;
	size_t n = collect(s, items, TURN_MAX);
	if (n)
		run_items(s, items, n);
	return (int64_t)uv_now(s->loop) >= s->hold_until_ms &&
	       (s->queue[0].first || s->queue[1].first || s->local.first || s->timer_first_ms <= s->now_ms);
}

/* ---- start ---- */

static uint64_t count_rows(struct txn *t, uint8_t table)
{
	struct key prefix = key_make(table, 0);
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

int turns_load(struct svc *s, struct err *e)
{
	struct txn *t;
	size_t n = 0;
	while (s->spec->counters && s->spec->counters[n].name)
		n++;
	if (!s->counters) {
		s->counters = calloc(n + 1, sizeof(*s->counters));
		s->counter_changes = calloc(n + 1, sizeof(*s->counter_changes));
	}
	if (!s->counters || !s->counter_changes)
		return err_set(e, -ENOMEM, "out of memory");
	int r = txn_begin_read(s->store, &t, e);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct span value;
		struct key k = key_make(TABLE_COUNTER, 0);
		key_str(&k, s->spec->counters[i].name);
		if (txn_get(t, &k, &value))
			continue;
		State__Counter *c = state__counter__unpack(NULL, value.len, value.data);
		if (c)
			s->counters[i] = (int64_t)c->value;
		state__counter__free_unpacked(c, NULL);
	}
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		find_next_timer(s, t, (uint8_t)g);
	find_first_timer(s);
	s->quarantine_count = count_rows(t, TABLE_QUARANTINE);
	txn_abort(&t);
	return 0;
}

static void queue_free(struct item_queue *q)
{
	struct item *i;
	while ((i = queue_take(q)))
		item_free(i);
}

void turns_free(struct svc *s)
{
	queue_free(&s->queue[0]);
	queue_free(&s->queue[1]);
	queue_free(&s->local);
	while (s->n_spare_arenas) {
		struct arena *a = s->spare_arenas[--s->n_spare_arenas];
		arena_free(a);
		free(a);
	}
	while (s->waiters) {
		struct room_waiter *w = s->waiters;
		s->waiters = w->next;
		free(w);
	}
	free(s->counters);
	free(s->counter_changes);
}
