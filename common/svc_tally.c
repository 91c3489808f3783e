/* Rows that many messages of a turn add to: read at the first of them, written before the commit. */
#include "svc_internal.h"

struct tallied {
	struct tallied *next;
	ProtobufCMessage *row;
	struct key key;
	bool fresh, changed; /* there was no such row; it was added to */
};

/* The row itself, or a new one when there is none or it is damaged. */
static int read_row(struct txn *txn, struct arena *a, const struct table *table, const struct key *k,
	ProtobufCMessage **ret, bool *ret_fresh)
{
	int r = svc_read(txn, a, table, k, ret);
	*ret_fresh = r == -ENOENT || r == -EBADMSG;
	if (!*ret_fresh)
		return r;
	*ret = arena_alloc(a, table->type->sizeof_message);
	if (!*ret)
		return -ENOMEM;
	table->type->message_init(*ret);
	return 0;
}

static struct tallied *find(const struct tallies *all, const struct key *k)
{
	struct tallied *x = all->first;
	while (x && !(x->key.len == k->len && memcmp(x->key.data, k->data, k->len) == 0))
		x = x->next;
	return x;
}

static int add(struct tallies *all, struct txn *txn, const struct table *table, const struct key *k,
	struct tallied **ret)
{
	struct tallied *x = arena_alloc(&all->arena, sizeof(*x));
	int r = x ? read_row(txn, &all->arena, table, k, &x->row, &x->fresh) : -ENOMEM;
	if (r)
		return r;
	x->changed = false;
	x->key = *k;
	x->next = all->first;
	all->first = *ret = x;
	return 0;
}

/* Without a service around it (a test): at once. */
static int change_alone(
	struct turn *t, const struct table *table, const struct key *k, tally_fn *fn, const void *ctx)
{
	ProtobufCMessage *row;
	bool fresh;
	int r = read_row(t->txn, t->arena, table, k, &row, &fresh);
	if (r)
		return r;
	fn(row, t->arena, (void *)(uintptr_t)ctx);
	turn_put(t, k, row);
	return fresh;
}

int turn_tally(struct turn *t, const struct table *table, const struct key *k, tally_fn *fn, const void *ctx, size_t ctx_size)
{
	if (!t->svc)
		return change_alone(t, table, k, fn, ctx);
	struct tallies *all = &t->svc->tallies;
	struct tallied *x = find(all, k);
	int r = x ? 0 : add(all, t->txn, table, k, &x);
	if (r)
		return r;
	writeset_tally(t->ws, x, fn, ctx, ctx_size);
	return x->fresh && !x->changed;
}

void tally_apply(struct tallies *all, const struct write *w)
{
	w->change(w->tally->row, &all->arena, w->arg);
	w->tally->changed = true;
}

int tallies_save(struct tallies *all, struct txn *txn)
{
	int r = 0;
	for (const struct tallied *x = all->first; x && !r; x = x->next) {
		if (!x->changed)
			continue;
		struct span packed = pack_message(&all->arena, x->row);
		r = packed.data ? txn_put(txn, &x->key, packed) : -ENOMEM;
	}
	return r;
}

void tallies_drop(struct tallies *all)
{
	all->first = NULL;
	arena_reset(&all->arena);
}
