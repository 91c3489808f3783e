/*
 * svc.h - the life of a service: everything main() needs.
 *
 *     int main(int argc, char **argv) { return svc_main(&enrichment_spec, argc, argv); }
 *
 * svc_main reads and checks the configuration, opens the store, connects the links, loops, and on SIGTERM or SIGINT
 * stops taking, finishes the turn, acknowledges and closes. --check validates, --settings and --metrics print
 * themselves documented; SIGHUP and POST /-/reload call the spec's reload.
 *
 * A service describes itself with a `struct svc_spec`: its tables, handlers, destinations, counters and metrics are
 * tables of designated initialisers, which are also the documentation.
 *
 * The turn. Up to TURN_MAX items (messages from links, timers due, local submissions) are handled in one write
 * transaction: handle each -> commit -> acknowledge -> send the outbox and run the effects. An item's handler sees what
 * earlier items of the turn wrote, and not what it has itself put in its write-set.
 *
 * Verdicts. DONE: the write-set is applied. RETRY: nothing is applied, the item comes again after a pause, three
 * times in all, then it is put in quarantine; use it for what may pass by itself. REJECT: nothing is applied, the item
 * goes to quarantine with the reason and is acknowledged. A message that makes the process fail (SIGSEGV, SIGABRT, ...)
 * three times is quarantined at the next start; the file `fault` in the store's folder says which it was. After an end from
 * outside (SIGKILL, power), which may be the message's fault or not, items are marked before they are handled, and one that
 * was alone in hand at three such ends is quarantined too.
 */
#ifndef ASCOLTO_SVC_H
#define ASCOLTO_SVC_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "err.h"
#include "fetch.h"
#include "http.h"
#include "metric.h"
#include "store.h"
#include "writeset.h"

#include <uv.h>

#define TURN_MAX 1024
#define TABLE_FIRST 0x20 /* tables below belong to svc */
#define SVC_DESTINATIONS_MAX 8

struct svc;

/* What a handler works with; valid during the call. */
struct turn {
	struct svc *svc; /* NULL: a test calls the handler by itself */
	struct txn *txn;
	struct arena *arena;
	struct writeset *ws;
	void *state;               /* what the spec's start returned */
	const struct conf *conf;
	int64_t now_ms;
	struct span packed;        /* the message as it came; empty: a test calls the handler by itself */
	uint8_t key_group;         /* of the message; turn_key uses it */
	bool drill;                /* the message is of a drill (drill.h): turn_count does nothing */
};

enum verdict { DONE, RETRY, REJECT };

typedef enum verdict handler_fn(struct turn *t, const Ascolto__Envelope *e, struct err *why);

struct handler {
	Ascolto__Envelope__BodyCase body;
	handler_fn *fn;
	const char *doc;
};

struct table {
	uint8_t id;                /* TABLE_FIRST or above, never reused */
	const char *name;
	const ProtobufCMessageDescriptor *type;
	const char *doc;           /* the key's parts and what it holds */
};

struct counter {
	const char *name;          /* durable; shown as ascolto_<name>_total and in the status */
	const char *help;
};

struct svc_spec {
	const char *name;          /* "enrichment" */
	const char *summary;       /* one line */
	const struct handler *handlers;   /* ends with a zero row */
	const struct table *tables;       /* ends with a zero row */
	const struct counter *counters;   /* ends with a zero row */
	const char *const *emits;         /* names of services, ends with NULL: a destination is an index into it */
	const struct http_route *routes;  /* on the service's http address, besides svc's own; ctx is the svc */
	size_t body_max;                  /* of a request there; 0 = 1 MiB */
	size_t turn_max;                  /* items in a turn; 0 = TURN_MAX: fewer where each takes long */

	/* The messages of the coming turn, packed, before its transaction begins and any handler runs: for who can ask
	 * something about all of them at once. May wait, for less than a second. Some of them may come again in a later
	 * turn. Optional. */
	void (*ahead)(struct svc *s, void *state, const struct span *envelopes, size_t n);
	/* Before the first turn. Returns the state handlers get. May register metrics, open further listeners. */
	int (*start)(struct svc *s, void **ret_state, struct err *e);
	/* A commit that held at least one DONE is durable. `ctx` is the state. Optional. */
	void (*committed)(struct svc *s, void *state);
	/* A turn was thrown away (no room, or a message asked for too much) and its messages will come again: whatever
	 * handlers remembered outside the store must be forgotten. Optional. */
	void (*aborted)(struct svc *s, void *state);
	/* About once a second. Optional. */
	void (*tick)(struct svc *s, void *state, int64_t now_ms);
	/* Configuration was read again and is valid; old stays when it returns an error. Optional. */
	int (*reload)(struct svc *s, void *state, const struct conf *fresh, struct err *e);
	/* Adds what is wrong, in words, with svc_issue. Optional. */
	void (*issues)(struct svc *s, void *state);
	/* The last turn is over: close and free. Optional. */
	void (*stop)(struct svc *s, void *state);
};

int svc_main(const struct svc_spec *spec, int argc, char **argv);

/* ---- inside a handler ---- */

/* A key of that table in the message's key group (or another). */
struct key turn_key(const struct turn *t, const struct table *table);
struct key turn_key_in(uint8_t key_group, const struct table *table);

/* Reads and unpacks into the arena. -ENOENT; -EBADMSG (checksum or shape). *ret_message is the protobuf-c struct. */
int turn_get(struct turn *t, const struct table *table, const struct key *k, void *ret_message);

void turn_put(struct turn *t, const struct key *k, const void *message);
void turn_del(struct turn *t, const struct key *k);

/* Deletes rows whose keys begin with `prefix`, the first ones, as long as they are before `end` (NULL: all), and at most
 * `max`: what is too old to keep goes a few rows at a time. */
void turn_forget(struct turn *t, const struct key *prefix, const struct key *end, size_t max);

/* A row that nearly every message adds to: it is read once in a turn, changed in memory by fn, and written
 * once, before the commit. fn gets a fresh row when there is none, or it is damaged; what it hangs into the
 * row is to be static or in `keeps`. Such a row is not to be read or put by other ways in handlers. The
 * change is one of the write-set: it is made if the handler says DONE. `ctx` is copied. 0; 1: the row is new; a
 * negative errno. */
int turn_tally(struct turn *t, const struct table *table, const struct key *k, tally_fn *fn, const void *ctx, size_t ctx_size);

/* A new envelope caused by `cause`: brand, times, trace and cause filled; id derived from cause, `tag` and n. The
 * caller sets body_case and body. In the arena. */
Ascolto__Envelope *turn_envelope(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n);

/* `route` names what the message concerns at its destination (customer, brand, destination name): it gives the key
 * group there, so messages with the same route stay in order. */
void turn_emit(struct turn *t, unsigned destination, enum lane lane, Ascolto__Envelope *e, struct span route);

/* The same with a row of this store in it (writeset.h). */
void turn_emit_row(struct turn *t, unsigned destination, enum lane lane, Ascolto__Envelope *e, struct span route,
	const struct key *row, const uint32_t path[2]);

/* The envelope comes to this service's own handler at due_ms or soon after, once, whatever happens in between. */
void turn_timer(struct turn *t, Ascolto__Envelope *e, int64_t due_ms);

void turn_count(struct turn *t, const char *counter, int64_t by);

/* After the commit fn(state, arg) runs on the loop; arg must be in the arena or static. Effects are lost if the process
 * dies in between: whoever needs them looks for unfinished work at start. */
void turn_effect(struct turn *t, void (*fn)(void *state, void *arg), void *arg);

/* Protobuf bytes fields. */
static inline ProtobufCBinaryData id_bytes(const struct id *id)
{
	return (ProtobufCBinaryData){.len = ID_BYTES, .data = (uint8_t *)(uintptr_t)id->b};
}
ProtobufCBinaryData turn_id_bytes(struct turn *t, const struct id *id); /* a copy in the arena */
static inline int id_of(ProtobufCBinaryData b, struct id *ret_id)
{
	return id_from_bytes(b.data, b.len, ret_id);
}

/* ---- outside a handler, on the loop ---- */

typedef void submitted_fn(void *ctx, enum verdict verdict, const char *why);

/* A local message for this service's own handlers. `done` runs after the commit that holds it (DONE, or REJECT with
 * the reason it is in quarantine for); never from inside this call. 0, or -EAGAIN when the service can not take more
 * now: the outbox, the queue or the disk is full (svc_room tells beforehand). Not durable before `done`. */
int svc_submit(struct svc *s, const Ascolto__Envelope *e, submitted_fn *done, void *ctx);

/* How many more submissions are welcome now; 0 under back-pressure. */
size_t svc_room(const struct svc *s);

/* Calls fn(ctx) on the loop when there is room again; one registration per ctx, forgotten after the call. */
void svc_on_room(struct svc *s, void (*fn)(void *ctx), void *ctx);

uv_loop_t *svc_loop(struct svc *s);
const struct conf *svc_conf(const struct svc *s);
void *svc_state(const struct svc *s);
struct store *svc_store(struct svc *s);  /* for read transactions on the loop, ended before returning to it */
struct fetch *svc_fetch(struct svc *s);
struct metric_set *svc_metrics(struct svc *s);
int64_t svc_now_ms(const struct svc *s); /* wall clock, read once per loop iteration */
int64_t svc_counter(const struct svc *s, const char *counter); /* the durable value */
bool svc_stopping(const struct svc *s);
void svc_issue(struct svc *s, const char *fmt, ...) PRINTF(2, 3);

/* Reads and unpacks with a read transaction's arena; for HTTP handlers. As turn_get. */
int svc_read(struct txn *txn, struct arena *a, const struct table *table, const struct key *k, void *ret_message);

#endif
