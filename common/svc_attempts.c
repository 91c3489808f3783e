/* How often an item was tried, kept in the store for those that may have ended the process, and for timers. */
#include "svc_internal.h"

static struct key attempts_key(const struct item *i)
{
	struct id id = id_from(0, span_of(i->data, i->len));
	struct key k = key_make(TABLE_ATTEMPTS, 0);
	key_id(&k, &id);
	return k;
}

uint32_t attempts_of(struct txn *t, const struct item *i)
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

/* A timer is read again from its row when it comes again, so its tries are kept in the store. */
void attempts_remember(struct svc *s, const struct item *i)
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

/* After an unclean end: commits that these items are about to be tried. Returns how many may be handled together: one that
 * was tried before goes alone. */
size_t attempts_commit(struct svc *s, struct item **items, size_t n)
{
	struct txn *t;
	size_t take = 0;
	if (txn_begin_write(s->store, &t, NULL))
		return n;
	for (; take < n; take++) {
		struct key k = attempts_key(items[take]);
		State__Attempts a = STATE__ATTEMPTS__INIT;
		uint8_t packed[32];
		uint32_t before = attempts_of(t, items[take]);
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

void attempts_forget(struct svc *s, struct txn *t, struct item **items, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct key key = attempts_key(items[k]);
		txn_del(t, &key);
	}
	s->cautious_left -= MIN(s->cautious_left, n);
}
