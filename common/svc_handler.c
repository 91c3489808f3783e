/* What a handler calls: reads in the turn's transaction, everything else into its write-set. */
#include "svc_internal.h"

struct key turn_key_in(uint8_t key_group, const struct table *table)
{
	return key_make(table->id, key_group);
}

struct key turn_key(const struct turn *t, const struct table *table)
{
	return turn_key_in(t->key_group, table);
}

int svc_read(struct txn *txn, struct arena *a, const struct table *table, const struct key *k, void *ret_message)
{
	struct span value;
	int r = txn_get(txn, k, &value);
	if (r)
		return r;
	ProtobufCMessage *m = protobuf_c_message_unpack(table->type, arena_pb(a), value.len, value.data);
	if (!m)
		return -EBADMSG;
	*(ProtobufCMessage **)ret_message = m;
	return 0;
}

int turn_get(struct turn *t, const struct table *table, const struct key *k, void *ret_message)
{
	return svc_read(t->txn, t->arena, table, k, ret_message);
}

void turn_put(struct turn *t, const struct key *k, const void *message)
{
	writeset_put(t->ws, k, message);
}

void turn_del(struct turn *t, const struct key *k)
{
	writeset_del(t->ws, k);
}

ProtobufCBinaryData turn_id_bytes(struct turn *t, const struct id *id)
{
	struct id *copy = arena_alloc(t->arena, sizeof(*copy));
	if (!copy) {
		t->ws->error = -ENOMEM;
		return (ProtobufCBinaryData){0};
	}
	*copy = *id;
	return id_bytes(copy);
}

static bool is_before(struct span key, const struct key *end)
{
	int order = memcmp(key.data, end->data, MIN(key.len, (size_t)end->len));
	return order < 0 || (order == 0 && key.len < end->len);
}

void turn_forget(struct turn *t, const struct key *prefix, const struct key *end, size_t max)
{
	struct cursor *c;
	struct span key, value;
	int r;
	if (cursor_open(t->txn, prefix, NULL, &c))
		return;
	while (max-- && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG)) {
		struct key old = {.len = (uint16_t)key.len};
		if (end && !is_before(key, end))
			break;
		memcpy(old.data, key.data, key.len);
		turn_del(t, &old);
	}
	cursor_close(&c);
}

Ascolto__Envelope *turn_envelope(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n)
{
	static Ascolto__Envelope none = ASCOLTO__ENVELOPE__INIT; /* out of memory: the write-set is already refused */
	struct id from, id;
	Ascolto__Envelope *e = arena_alloc(t->arena, sizeof(*e));
	if (!e || id_of(cause->id, &from)) {
		t->ws->error = e ? -EINVAL : -ENOMEM;
		return &none;
	}
	*e = (Ascolto__Envelope)ASCOLTO__ENVELOPE__INIT;
	id = id_derive(&from, tag, n);
	e->id = turn_id_bytes(t, &id);
	e->brand = cause->brand;
	e->drill = cause->drill;
	e->key_group = t->key_group;
	e->occurred_ms = cause->occurred_ms;
	e->received_ms = cause->received_ms;
	e->cause_id = cause->id;
	e->trace_id = cause->trace_id;
	return e;
}

void turn_emit(struct turn *t, unsigned destination, enum lane lane, Ascolto__Envelope *e, struct span route)
{
	e->key_group = key_group_of(route);
	writeset_emit(t->ws, destination, lane, e);
}

void turn_emit_row(struct turn *t, unsigned destination, enum lane lane, Ascolto__Envelope *e, struct span route,
	const struct key *row, const uint32_t path[2])
{
	e->key_group = key_group_of(route);
	writeset_emit_row(t->ws, destination, lane, e, row, path);
}

void turn_timer(struct turn *t, Ascolto__Envelope *e, int64_t due_ms)
{
	e->key_group = t->key_group;
	writeset_timer(t->ws, e, due_ms);
}

void turn_count(struct turn *t, const char *counter, int64_t by)
{
	if (!t->drill)
		writeset_count(t->ws, counter, by);
}

void turn_effect(struct turn *t, void (*fn)(void *state, void *arg), void *arg)
{
	writeset_effect(t->ws, fn, arg);
}
