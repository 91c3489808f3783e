/* Rows that many messages of a turn add to: read at the first of them, written before the commit. */
#include "svc_internal.h"

struct tally {
	struct tally *next;
	const struct table *table;
	ProtobufCMessage *row;
	struct key key;
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

static struct tally *find(const struct tallies *all, const struct key *k)
{
	struct tally *x = all->first;
	while (x && !(x->key.len == k->len && memcmp(x->key.data, k->data, k->len) == 0))
		x = x->next;
	return x;
}

static int add(struct tallies *all, struct txn *txn, const struct table *table, const struct key *k,
	struct tally **ret, bool *ret_fresh)
{
	struct tally *x = arena_alloc(&all->arena, sizeof(*x));
	int r = x ? read_row(txn, &all->arena, table, k, &x->row, ret_fresh) : -ENOMEM;
	if (r)
		return r;
	x->table = table;
	x->key = *k;
	x->next = all->first;
	all->first = *ret = x;
	return 0;
}

/* Without a service around it (a test): at once. */
static int change_alone(
	struct turn *t, const struct table *table, const struct key *k, tally_fn *fn, void *ctx)
{
	ProtobufCMessage *row;
	bool fresh;
	int r = read_row(t->txn, t->arena, table, k, &row, &fresh);
	if (r)
		return r;
	fn(row, t->arena, ctx);
	turn_put(t, k, row);
	return fresh;
}

int turn_tally(struct turn *t, const struct table *table, const struct key *k, tally_fn *fn, void *ctx)
{
	bool fresh = false;
	int r = 0;
	if (!t->svc)
		return change_alone(t, table, k, fn, ctx);
	struct tallies *all = &t->svc->tallies;
	struct tally *x = find(all, k);
	if (!x)
		r = add(all, t->txn, table, k, &x, &fresh);
	if (r)
		return r;
	fn(x->row, &all->arena, ctx);
	return fresh;
}

int tallies_save(struct tallies *all, struct txn *txn)
{
	int r = 0;
	for (const struct tally *x = all->first; x && !r; x = x->next) {
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
