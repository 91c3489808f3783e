#include "writeset.h"

#include "pack.h"

void writeset_init(struct writeset *w, struct arena *a)
{
	*w = (struct writeset){.arena = a};
	w->end = &w->first;
}

static struct write *add(struct writeset *w, enum write_kind kind)
{
	struct write *x = arena_zalloc(w->arena, sizeof(*x));
	if (!x) {
		w->error = w->error ? w->error : -ENOMEM;
		return NULL;
	}
	x->kind = kind;
	*w->end = x;
	w->end = &x->next;
	w->count++;
	return x;
}

static void add_packed(struct writeset *w, struct write *x, const ProtobufCMessage *m)
{
	x->value = pack_message(w->arena, m);
	if (!x->value.data)
		w->error = w->error ? w->error : -ENOMEM;
}

static void set_key(struct writeset *w, struct write *x, const struct key *k)
{
	x->key = *k;
	if (k->broken)
		w->error = w->error ? w->error : -EINVAL;
}

void writeset_put(struct writeset *w, const struct key *k, const ProtobufCMessage *value)
{
	struct write *x = add(w, WRITE_PUT);
	if (!x)
		return;
	set_key(w, x, k);
	add_packed(w, x, value);
}

void writeset_del(struct writeset *w, const struct key *k)
{
	struct write *x = add(w, WRITE_DEL);
	if (x)
		set_key(w, x, k);
}

void writeset_emit(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e)
{
	struct write *x = add(w, WRITE_EMIT);
	if (!x)
		return;
	x->destination = destination;
	x->lane = lane;
	x->key_group = (uint8_t)e->key_group;
	add_packed(w, x, &e->base);
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
	add_packed(w, x, &e->base);
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
