/* Timers: rows of the store, and when the next of each key group is due. */
#include "svc_internal.h"

static void timer_due_at(struct svc *s, uint8_t key_group, int64_t due_ms)
{
	if (due_ms < s->timer_next[key_group])
		s->timer_next[key_group] = due_ms;
	s->timer_first_ms = MIN(s->timer_first_ms, due_ms);
}

/* A damaged row is passed over: it never rings, and those behind it do. */
static int next_whole(struct cursor *c, struct span *ret_key, struct span *ret_value, bool *ret_damaged)
{
	int r;
	while ((r = cursor_next(c, ret_key, ret_value)) == -EBADMSG)
		*ret_damaged = true;
	return r;
}

void timers_find_next(struct svc *s, struct txn *t, uint8_t key_group)
{
	struct span key, value;
	struct cursor *c;
	struct key prefix = key_make(TABLE_TIMER, key_group);
	uint64_t due = INT64_MAX;
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	s->timer_damaged[key_group] = false;
	if (next_whole(c, &key, &value, &s->timer_damaged[key_group]) == 0) {
		key = span_of(key.data + 2, key.len - 2);
		key_take_u64(&key, &due);
	}
	cursor_close(&c);
	s->timer_next[key_group] = (int64_t)due;
}

void timers_find_first(struct svc *s)
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
	while (n < max && next_whole(c, &key, &value, &s->timer_damaged[key_group]) == 0) {
		uint64_t due = 0;
		struct span rest = span_of(key.data + 2, key.len - 2);
		key_take_u64(&rest, &due);
		if ((int64_t)due > s->now_ms)
			break;
		State__TimerRecord *r = state__timer_record__unpack(NULL, value.len, value.data);
		struct item *i = r ? item_new(ITEM_TIMER, span_of(r->envelope.data, r->envelope.len)) : NULL;
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

size_t timers_take(struct svc *s, struct item **items, size_t max)
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

int timer_put(struct svc *s, struct txn *t, const struct write *w)
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
