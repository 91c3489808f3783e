/*
 * peer.h - for tests: plays a service at the other end of a link, in a thread of its own.
 *
 * A peer sends envelopes to one service, exactly once and in order, from a journal in memory (common/link.h
 * over common/bus.h), and keeps what other services send to it. It stands in for a neighbour of the service
 * under test: the console's test plays escalation with it. Its functions may be called from one other thread.
 *
 * A peer that is opened again has a new origin and an empty journal, like a service whose store was replaced.
 */
#ifndef ASCOLTO_TESTS_PEER_H
#define ASCOLTO_TESTS_PEER_H

#include "common/base.h"
#include "common/err.h"
#include "common/writeset.h"

struct peer;

struct peer_options {
	const char *name; /* the service it plays: "escalation" */
	const char
		*send_to; /* tcp://127.0.0.1:PORT, the link of the service under test; NULL: sends nothing */
	const char *listen; /* tcp://127.0.0.1:PORT, its own link; NULL: takes nothing */
};

int peer_open(struct peer **ret, const struct peer_options *o, struct err *e);
void peer_close(struct peer **p);

/* `route` gives the key group (brand, customer, destination), as turn_emit. Copied. */
void peer_send(struct peer *p, enum lane lane, Ascolto__Envelope *e, const char *route);

/* True when everything sent is acknowledged, which means committed there. */
bool peer_wait_sent(struct peer *p, int64_t timeout_ms);

/* How many envelopes came, and the n-th of them, waited for; NULL when it did not come in time. The caller
 * gives it back with ascolto__envelope__free_unpacked(e, NULL). */
size_t peer_received(struct peer *p);
Ascolto__Envelope *peer_wait_received(struct peer *p, size_t n, int64_t timeout_ms);

#endif
