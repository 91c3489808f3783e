/*
 * writeset.h - what a handler wants to happen, collected before anything happens.
 *
 * A write-set holds puts, deletes, emitted messages, timers, effects and counter changes, in order. It is applied to the
 * turn's transaction only if the handler says DONE, all of it or nothing; a handler that fails half-way leaves no trace.
 * Everything in it lives in the message's arena. The write-sets of a turn, one after another, are the turn's record for
 * replication.
 */
#ifndef ASCOLTO_WRITESET_H
#define ASCOLTO_WRITESET_H

#include "arena.h"
#include "base.h"
#include "key.h"
#include "store.h"

#include "proto/ascolto.pb-c.h"

enum lane { LANE_URGENT = 0, LANE_NORMAL = 1, LANES = 2 };

enum write_kind { WRITE_PUT, WRITE_DEL, WRITE_EMIT, WRITE_TIMER, WRITE_EFFECT, WRITE_COUNT, WRITE_TALLY };

/* Changes a row in memory. What it hangs into the row must be static or in `keeps`. */
typedef void tally_fn(void *row, struct arena *keeps, void *ctx);
struct tallied;

struct write {
	struct write *next;
	enum write_kind kind;
	struct span value;          /* PUT: payload. EMIT, TIMER: packed envelope */
	uint32_t path[2];           /* EMIT of a row: where it goes in the envelope; else 0 */
	unsigned destination;       /* EMIT: index into the service's emits */
	enum lane lane;             /* EMIT */
	uint8_t key_group;          /* EMIT, TIMER */
	int64_t due_ms;             /* TIMER */
	struct id id;               /* TIMER */
	void (*effect)(void *ctx, void *arg); /* EFFECT: run after the commit; arg lives until it returns */
	void *arg;                  /* EFFECT, TALLY */
	tally_fn *change;           /* TALLY */
	struct tallied *tally;
	const char *counter;        /* COUNT: one of the service's counters */
	int64_t by;
	struct key key; /* PUT, DEL, EMIT of a row: only so much of it is written */
};

struct writeset {
	struct arena *arena;
	struct write *first, **end;
	size_t count;
	int error; /* first failure, -ENOMEM or -EINVAL; applying then refuses */
};

void writeset_init(struct writeset *w, struct arena *a);

void writeset_put(struct writeset *w, const struct key *k, const ProtobufCMessage *value);
void writeset_del(struct writeset *w, const struct key *k);
void writeset_emit(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e);

/* The same with a row in it, which is read when the envelope is sent: whoever gets it sees the row as it is then, and it is
 * kept once. `path`: the number of the envelope's body, which must be left out of it, and of the body's field. Of a row
 * that is gone by then the body stays empty, which who gets it will refuse: rows that are emitted are to stay. */
void writeset_emit_row(struct writeset *w, unsigned destination, enum lane lane, const Ascolto__Envelope *e,
	const struct key *row, const uint32_t path[2]);
void writeset_timer(struct writeset *w, const Ascolto__Envelope *e, int64_t due_ms);
void writeset_effect(struct writeset *w, void (*effect)(void *ctx, void *arg), void *arg);
void writeset_count(struct writeset *w, const char *counter, int64_t by);

/* The service's business (turn_tally in svc.h): `tally` stands for the row, `ctx` is copied. */
void writeset_tally(struct writeset *w, struct tallied *tally, tally_fn *fn, const void *ctx, size_t ctx_size);

/* Puts and deletes only; the other kinds are the service loop's business. */
int writeset_apply(const struct writeset *w, struct txn *t, struct err *e);

#endif
