/* The turn: read, handle, commit, acknowledge, send. svc.h has the contract. */
#include "svc_internal.h"

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
		snprintf(i->why, sizeof(i->why),
			"the message can not be read: it is damaged or of another version");
		return;
	}
	if (!h) {
		snprintf(i->why, sizeof(i->why), "%s does not take messages of this kind (%d)", s->spec->name,
			(int)e->body_case);
		return;
	}
	struct turn turn = {.svc = s,
		.txn = t,
		.arena = i->arena,
		.ws = &i->ws,
		.state = s->state,
		.conf = s->conf,
		.now_ms = s->now_ms,
		.packed = span_of(i->data, i->len),
		.key_group = i->key_group,
		.drill = !str_empty(e->drill)};
	attempts_in_hand(i);
	i->verdict = h->fn(&turn, e, &why);
	attempts_in_hand(NULL);
	if (i->verdict != DONE)
		snprintf(i->why, sizeof(i->why), "%s", err_text(&why));
	else if (i->kind == ITEM_LINK && e->received_ms)
		s->lag_seconds = (double)(s->now_ms - e->received_ms) / 1000;
}

/* Everything the handler asked for, into the transaction. */
static int apply(struct svc *s, struct txn *t, struct item *i, struct err *e)
{
	int r = writeset_apply(&i->ws, t, e);
	for (const struct write *w = i->ws.first; w && !r; w = w->next) {
		if (w->kind == WRITE_EMIT)
			r = outbox_add(s, t, w, s->now_ms);
		else if (w->kind == WRITE_TIMER)
			r = timer_put(s, t, w);
		else if (w->kind == WRITE_COUNT)
			counter_add(s, w->counter, w->by);
		else if (w->kind == WRITE_TALLY)
			tally_apply(&s->tallies, w);
	}
	return r;
}

/* It was tried often enough: a verdict without its handler. */
static void give_up(struct svc *s, struct item *i, struct id *ret_id)
{
	Ascolto__Envelope *env = ascolto__envelope__unpack(NULL, i->len, i->data);
	if (!env || id_from_bytes(env->id.data, env->id.len, ret_id))
		*ret_id = id_from(s->now_ms, span_of(i->data, i->len));
	ascolto__envelope__free_unpacked(env, NULL);
	i->verdict = REJECT;
	if (!i->why[0])
		snprintf(i->why, sizeof(i->why), "the service ended %u times while handling it", i->tries);
}

/* Its effects are written: so is now that it was taken, in the same transaction; of links when the turn is
 * over. */
static int settle(struct svc *s, struct txn *t, struct item *i)
{
	int r = 0;
	if (i->kind == ITEM_TIMER) {
		r = txn_del(t, &i->key);
	} else if (i->kind == ITEM_REPLAY && i->verdict == DONE) {
		r = txn_del(t, &i->key);
		s->quarantine_count -= r ? 0 : MIN(s->quarantine_count, 1u);
	}
	return r == -ENOENT ? 0 : r;
}

/* To be replayed, and meanwhile somebody else has replayed or dropped it. */
static bool is_gone(struct txn *t, const struct item *i)
{
	struct span value;
	return i->kind == ITEM_REPLAY && txn_get(t, &i->key, &value) == -ENOENT;
}

/* Handles and writes one item. 0; 1: it said RETRY, the turn ends before it; negative: the turn is lost. */
static int one(struct svc *s, struct txn *t, struct item *i)
{
	struct id id;
	struct err e = {0};
	int r = 0;
	if (is_gone(t, i)) {
		i->verdict = REJECT;
		snprintf(i->why, sizeof(i->why), "it is no longer in quarantine");
		return 0;
	}
	if (s->attempts_known && !s->cautious_left)
		i->tries = MAX(i->tries, attempts_of(t, i));
	if (i->tries >= TRIES_MAX)
		give_up(s, i, &id);
	else
		handle(s, t, i, &id);
	if (i->verdict == RETRY && ++i->tries < TRIES_MAX)
		return 1;
	if (i->verdict == DONE) {
		r = apply(s, t, i, &e);
		if (r == -ENOMEM ||
			r == -EINVAL) { /* this message's own fault; what was written of it is not kept */
			snprintf(i->why, sizeof(i->why), "%s", err_text(&e));
			i->tries = TRIES_MAX;
			i->verdict = REJECT;
			return -EPROTO;
		}
	} else {
		i->verdict = REJECT;
		r = quarantine_put(s, t, i, &id);
		metric_add(s->m.rejects, 1);
	}
	if (r)
		return r == -ENOENT ? 0 : r;
	return settle(s, t, i);
}

/* ---- the turn ---- */

static size_t collect(struct svc *s, struct item **items, size_t max)
{
	size_t n = 0;
	struct item *i;
	while (n < max && (i = queue_take(&s->queue[LANE_URGENT])))
		items[n++] = i;
	if (n < max)
		n += timers_take(s, items + n, MIN(max - n, (size_t)TURN_MAX / 4));
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

/* After the commit: acknowledge, run effects, tell who waits. */
static void consequences(struct svc *s, struct item **items, size_t n)
{
	bool any = false;
	for (size_t k = 0; k < n; k++)
		if (items[k]->kind == ITEM_LINK)
			link_receiver_committed(&s->receiver, items[k]->source, items[k]->lane,
				items[k]->key_group, items[k]->seq, items[k]->len);
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

static void turn_lost(struct svc *s, int r)
{
	counters_committed(s, false);
	outbox_reload(s);
	turns_load(s, NULL);
	if (s->spec->aborted)
		s->spec->aborted(s, s->state);
	if (r != -ENOSPC)
		return;
	struct err grow = {0};
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

/* Handles items in order. Returns how many are done; *ret_r tells why it stopped before the end (see `one`).
 */
static size_t handle_all(struct svc *s, struct txn *t, struct item **items, size_t n, int *ret_r)
{
	size_t done = 0;
	int r = 0;
	while (done < n && (r = one(s, t, items[done])) == 0) {
		struct item *i = items[done++];
		if (i->kind == ITEM_TIMER)
			timers_find_next(s, t, i->key_group);
		if (has_effects(i))
			continue;
		i->ws = (struct writeset){0};
		arena_give(s, i);
	}
	timers_find_first(s);
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

/* How far each stream was taken: of items in a row that are of one stream the last says it. */
static int save_streams(struct svc *s, struct txn *t, struct item **items, size_t n)
{
	int r = 0;
	for (size_t k = 0; k < n && !r; k++) {
		const struct item *i = items[k], *next = k + 1 < n ? items[k + 1] : NULL;
		bool goes_on = next && next->source == i->source && next->lane == i->lane &&
			       next->key_group == i->key_group;
		if (i->kind == ITEM_LINK && !goes_on)
			r = stream_in_save(s, t, i);
	}
	return r;
}

static int finish(struct svc *s, struct txn **t, struct item **items, size_t done, struct err *e)
{
	if (s->cautious_left || s->attempts_known)
		attempts_forget(s, *t, items, done);
	int r = save_streams(s, *t, items, done);
	r = r ? r : tallies_save(&s->tallies, *t);
	outbox_trim(s, *t);
	r = r ? r : outbox_save(s, *t);
	r = r ? r : counters_save(s, *t);
	if (r)
		return err_set(e, r, "can not write to the store: %s", strerror(-r));
	uint64_t before = uv_hrtime();
	r = txn_commit(t, e);
	metric_observe(s->m.commit_seconds, (double)(uv_hrtime() - before) / 1e9);
	metric_observe(s->m.turn_items, (double)done);
	return r;
}

static void look_ahead(struct svc *s, struct item **items, size_t n)
{
	struct span envelopes[TURN_MAX];
	if (!s->spec->ahead || !n)
		return;
	for (size_t k = 0; k < n; k++)
		envelopes[k] = span_of(items[k]->data, items[k]->len);
	s->spec->ahead(s, s->state, envelopes, n);
}

static void run_items(struct svc *s, struct item **items, size_t n)
{
	struct txn *t;
	struct err e = {0};
	size_t done = 0;
	if (s->cautious_left) {
		size_t take = attempts_commit(s, items, n);
		put_back(s, items, take, n);
		n = take;
	}
	look_ahead(s, items, n);
	int r = txn_begin_write(s->store, &t, &e);
	if (!r)
		done = handle_all(s, t, items, n, &r);
	bool retry = r == 1;
	if (retry)
		hold_for_retry(s, items[done]);
	if ((!r || retry) && done)
		r = finish(s, &t, items, done, &e);
	txn_abort(&t);
	tallies_drop(&s->tallies);
	if (retry || r == -EPROTO)
		attempts_remember(s, items[done]);
	if (r < 0) {
		put_back(s, items, 0, n);
		turn_lost(s, r);
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
	room_tell(s);
	if ((int64_t)uv_now(s->loop) < s->hold_until_ms)
		return false;
	size_t n = collect(s, items, s->spec->turn_max ? MIN(s->spec->turn_max, (size_t)TURN_MAX) : TURN_MAX);
	if (n)
		run_items(s, items, n);
	return (int64_t)uv_now(s->loop) >= s->hold_until_ms &&
	       (s->queue[0].first || s->queue[1].first || s->local.first || s->timer_first_ms <= s->now_ms);
}

int turns_load(struct svc *s, struct err *e)
{
	struct txn *t;
	int r = txn_begin_read(s->store, &t, e);
	if (r)
		return r;
	if (!s->tallies.arena.max)
		arena_init(&s->tallies.arena, MESSAGE_ARENA_MAX);
	if (counters_load(s, t))
		r = err_set(e, -ENOMEM, "out of memory");
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		timers_find_next(s, t, (uint8_t)g);
	timers_find_first(s);
	s->quarantine_count = quarantine_count(t);
	txn_abort(&t);
	return r;
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
	counters_free(s);
	arena_free(&s->tallies.arena);
}
