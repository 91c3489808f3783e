/*
 * link.h - an ordered, exactly-once stream of messages between two services, over a transport that may lose them.
 *
 * The protocol, without sockets and without clocks: the service loop (or the simulator in tests/sim) brings frames,
 * times and a journal, and carries away the frames it makes. Two halves: a `link_sender` for each destination, one
 * `link_receiver` for all sources.
 *
 * A stream is (origin, lane, key group): origin is the lineage of the sending store, key group that of the message at
 * its destination. In a stream records are numbered from 1 without gaps; the number is given in the transaction that
 * caused the record, and the sender sends only committed records, from its journal (the outbox), in journal order.
 *
 *     sender                                receiver
 *     HELLO(session)               ->
 *                                  <-       WELCOME(last of each stream, credit)
 *     DATA(number, records)        ->       takes only last + 1; what is <= last is acknowledged again;
 *                                  <-       NAK when something is missing, or the session is not known
 *                                  <-       ACK(last of each stream, credit), after the commit
 *     PING(number)                 ->       when nothing was heard for LINK_PING_MS
 *                                  <-       ACK(ping = number)
 *
 * DATA frames are numbered since HELLO; a number left out, a PING that names one that never came, and a receiver that does
 * not know the session all bring a NAK, and there is one remedy: HELLO again and go on from what WELCOME says. Silence for LINK_SILENCE_MS asks the host for a new connection first. Credit is absolute since
 * HELLO, in messages and bytes per lane, so a flood in one lane never starves the other, and zero stops the sender.
 *
 * If the receiver is behind what was acknowledged (it was restored from a backup), the sender goes back to the oldest
 * record it retains. If even that is too young, or the receiver is ahead of the sender, the stream is stopped and counted
 * in `gaps`: that is an alarm for a person, never a silent skip. Frames of an older epoch than seen are refused.
 */
#ifndef ASCOLTO_LINK_H
#define ASCOLTO_LINK_H

#include "arena.h"
#include "base.h"
#include "err.h"
#include "id.h"
#include "key.h"
#include "writeset.h" /* enum lane */

#define LINK_VERSION 1
#define LINK_FRAME_MAX ((size_t)4 * 1024 * 1024)
#define LINK_DATA_BYTES ((size_t)512 * 1024) /* a DATA frame is closed when it has so much */
#define LINK_DATA_RECORDS 256
#define LINK_ENVELOPE_MAX ((size_t)1024 * 1024)
#define LINK_SOURCES_MAX 64
#define LINK_PING_MS 500
#define LINK_SILENCE_MS 1500
#define LINK_HELLO_MS 100 /* again when the transport would not take it */

/* How much may be on its way and waiting at the receiver, per source. */
#define LINK_WINDOW_NORMAL 2048
#define LINK_WINDOW_URGENT 512
#define LINK_WINDOW_BYTES ((uint64_t)8 * 1024 * 1024)

/* ---- sending ---- */

struct link_record {
	uint64_t position; /* in the lane's journal, ascending, from 1, gaps allowed */
	uint8_t key_group;
	uint64_t seq;
	struct span envelope;
};

struct link_sender_ops {
	/* Records of the lane's journal from that position on, at most `max`; borrowed until the next call. */
	size_t (*read)(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max);
	/* The last number given in a stream; 0 = none. */
	uint64_t (*last_seq)(void *ctx, enum lane lane, uint8_t key_group);
	/* False when the transport can not take it now. */
	bool (*send)(void *ctx, struct span frame);
	/* Throw the connection away and make a new one. */
	void (*reconnect)(void *ctx);
};

enum link_state { LINK_DOWN, LINK_HELLO, LINK_UP };

struct link_flight {
	uint64_t position, seq;
	uint8_t key_group;
};

struct link_lane {
	uint64_t next_position;             /* to read next */
	uint64_t acknowledged;              /* every record up to this position is done */
	uint64_t pin;                       /* first position of a stopped stream; 0 = none */
	uint64_t sent, sent_bytes;          /* since HELLO */
	uint64_t credit, credit_bytes;      /* since HELLO */
	bool checked;                       /* at the journal's end once in this session */
	uint64_t next[KEY_GROUPS];          /* number to send next, per stream */
	uint64_t done[KEY_GROUPS];          /* acknowledged number, per stream */
	bool stopped[KEY_GROUPS];
	struct link_flight flight[LINK_WINDOW_NORMAL];
	size_t flight_first, flight_count;
};

struct link_sender {
	const struct link_sender_ops *ops;
	void *ctx;
	struct arena arena;
	const char *service;                /* who speaks; for logs at the other end */
	struct id origin;
	uint64_t epoch, peer_epoch;
	uint64_t session, ping, data;       /* data: number of the last DATA frame */
	enum link_state state;
	int64_t heard_ms, spoke_ms;
	bool from_oldest;                   /* this session began at the oldest record kept */
	unsigned gaps;                      /* streams that are stopped */
	uint64_t sessions, refused;         /* HELLOs said; frames refused */
	struct link_lane lane[LANES];
};

/* `session` is any number this sender has not used lately; `acknowledged` the positions known to be done (0 = none). */
void link_sender_init(struct link_sender *s, const struct link_sender_ops *ops, void *ctx, const char *service,
	const struct id *origin, uint64_t epoch, uint64_t session, const uint64_t acknowledged[LANES]);
void link_sender_free(struct link_sender *s);

/* A frame came from the receiver. -EBADMSG: not a frame, ignored. */
int link_sender_frame(struct link_sender *s, struct span frame, int64_t now_ms);

/* Sends what the journal holds and credit allows. Call after commits and after frames. */
void link_sender_pump(struct link_sender *s, int64_t now_ms);

/* Says HELLO, asks after silence. Call at least every LINK_HELLO_MS with a monotonic time. */
void link_sender_tick(struct link_sender *s, int64_t now_ms);

/* ---- receiving ---- */

struct link_source {
	struct id origin;
	char service[32];
	uint64_t epoch, session;
	uint64_t data;                      /* number of the last DATA frame taken in this session */
	bool nakked;                        /* something is missing: waits for HELLO */
	bool owes_ack;
	uint64_t taken[LANES][KEY_GROUPS];  /* handed to deliver; volatile */
	uint64_t done[LANES][KEY_GROUPS];   /* committed */
	bool owed[LANES][KEY_GROUPS];       /* to be named in the next ACK */
	uint64_t received[LANES], received_bytes[LANES]; /* since HELLO */
	uint64_t waiting[LANES], waiting_bytes[LANES];   /* delivered and not yet committed */
	void *route;                        /* the host's: how to answer */
};

struct link_receiver_ops {
	/* Calls back link_receiver_loaded for each stream of that origin with its committed number. */
	void (*load)(void *ctx, struct link_source *source);
	/* The next record of a stream: keep a copy until it is committed, then call link_receiver_committed. */
	void (*deliver)(void *ctx, struct link_source *source, enum lane lane, uint8_t key_group, uint64_t seq,
		struct span envelope);
	/* To whoever speaks for that source. */
	void (*send)(void *ctx, struct link_source *source, struct span frame);
	/* False while no more can be taken (full disk, own outbox too long): credit becomes zero. */
	bool (*room)(void *ctx, enum lane lane);
};

struct link_receiver {
	const struct link_receiver_ops *ops;
	void *ctx;
	struct arena arena;
	struct id self;
	uint64_t epoch;
	uint64_t refused, duplicates;
	struct link_source *source[LINK_SOURCES_MAX];
	size_t n_sources;
};

void link_receiver_init(struct link_receiver *r, const struct link_receiver_ops *ops, void *ctx, const struct id *self,
	uint64_t epoch);
void link_receiver_free(struct link_receiver *r);

/* A frame came. *ret_source is set when the frame names a known source (the host notes its route before the answer is
 * sent through `route_of`, which is called with it first; may be NULL). -EBADMSG: not a frame; -ESTALE: old epoch. */
int link_receiver_frame(struct link_receiver *r, struct span frame,
	void (*route_of)(void *arg, struct link_source *source), void *arg);

/* From `load`: what is committed. `epoch` is the highest the source had when that was committed; the host keeps it beside
 * the number, so that a former owner stays refused after a restart. */
void link_receiver_loaded(struct link_source *s, enum lane lane, uint8_t key_group, uint64_t last, uint64_t epoch);

/* That record and its effects are durable. Acknowledge with link_receiver_flush once the turn is done. */
void link_receiver_committed(struct link_receiver *r, struct link_source *s, enum lane lane, uint8_t key_group,
	uint64_t seq, size_t bytes);
void link_receiver_flush(struct link_receiver *r);

/* Tells every source its credit: room is back. */
void link_receiver_grant(struct link_receiver *r);

#endif
