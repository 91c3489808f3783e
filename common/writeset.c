#include "writeset.h"

#include "pack.h"

void writeset_init(struct writeset *w, struct arena *a)
{
	*w = (struct writeset){.arena = a};
	w->end = &w->first;
}

static struct write *add(struct writeset *w, enum write_kind kind)
{
	struct write *x = arena_alloc(w->arena, sizeof(*x));
	if (!x) {
		w->error = w->error ? w->error : -ENOMEM;
		return NULL;
	}
	memset(x, 0, offsetof(struct write, key)); /* keys are long, and most of one is not used */
	x->key.len = 0;
	x->key.broken = false;
	x->kind = kind;
	*w->end = x;
	w->end = &x->next;
	w->count++;
	return x;
}

static void set_value(struct writeset *w, struct write *x, struct span packed)
{
	x->value = packed;
	if (!packed.data)
		w->error = w->error ? w->error : -ENOMEM;
}

static void set_key(struct writeset *w, struct write *x, const struct key *k)
{
	memcpy(x->key.data, k->data, k->len);
	x->key.len = k->len;
	x->key.broken = k->broken;
	if (k->broken)
		w->error = w->error ? w->error : -EINVAL;
}

void writeset_put(struct writeset *w, const struct key *k, const ProtobufCMessage *value)
{
	struct write *x = add(w, WRITE_PUT);
	if (!x)
		return;
	set_key(w, x, k);
	set_value(w, x, pack_message(w->arena, value));
}

void writeset_del(struct writeset *w, const struct key *k)
{
	struct write *x = add(w, WRITE_DEL);
	if (x)
		set_key(w, x, k);
}

static struct write *emit(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e)
{
	struct write *x = add(w, WRITE_EMIT);
	if (!x)
		return NULL;
	x->destination = destination;
	x->lane = lane;
	x->key_group = (uint8_t)e->key_group;
	set_value(w, x, pack_message(w->arena, &e->base));
	return x;
}

void writeset_emit(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e)
{
	emit(w, destination, lane, e);
}

void writeset_emit_row(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e,
	const struct key *row, const uint32_t path[2])
{
	struct write *x = emit(w, destination, lane, e);
	if (!x)
		return;
	set_key(w, x, row);
	memcpy(x->path, path, sizeof(x->path));
}

void writeset_timer(struct writeset *w, const Ascolto__Envelope *e, int64_t due_ms)
{
	struct write *x = add(w, WRITE_TIMER);
	if (!x)
		return;
	x->due_ms = due_ms;
	x->key_group = (uint8_t)e->key_group;
	if (id_from_bytes(e->id.data, e->id.len, &x->id))
		w->error = w->error ? w->error : -EINVAL;
	set_value(w, x, pack_message(w->arena, &e->base));
}

void writeset_effect(struct writeset *w, void (*effect)(void *ctx, void *arg), void *arg)
{
	struct write *x = add(w, WRITE_EFFECT);
	if (!x)
		return;
	x->effect = effect;
	x->arg = arg;
}

void writeset_count(struct writeset *w, const char *counter, int64_t by)
{
	struct write *x = add(w, WRITE_COUNT);
	if (!x)
		return;
	x->counter = counter;
	x->by = by;
}

void writeset_tally(struct writeset *w, struct tallied *tally, tally_fn *fn, const void *ctx, size_t ctx_size)
{
	struct write *x = add(w, WRITE_TALLY);
	void *copy = arena_alloc(w->arena, ctx_size);
	if (!x || !copy) {
		w->error = w->error ? w->error : -ENOMEM;
		return;
	}
	memcpy(copy, ctx, ctx_size);
	x->tally = tally;
	x->change = fn;
	x->arg = copy;
}

int writeset_apply(const struct writeset *w, struct txn *t, struct err *e)
{
	if (w->error)
		return err_set(e, w->error, "%s", w->error == -ENOMEM ? "the message needs more memory than allowed"
									: "a key is too long or an id is missing");
	for (const struct write *x = w->first; x; x = x->next) {
		int r = 0;
		if (x->kind == WRITE_PUT)
			r = txn_put(t, &x->key, x->value);
		else if (x->kind == WRITE_DEL)
			r = txn_del(t, &x->key);
		if (r == -ENOENT)
			r = 0; /* deleting what is not there is done already */
		if (r)
			return err_set(e, r, "can not write to the store: %s", strerror(-r));
	}
	return 0;
}
