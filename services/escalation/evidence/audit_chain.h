/*
 * audit_chain.h - whether an audit log is as it was written. Plain: no store, no clock.
 *
 * Entries are numbered from 1 without gaps, per brand. The hash of an entry is BLAKE2b-256 (RFC 7693, libsodium's
 * generichash) over the hash of the entry before it and the entry's packed bytes; before the first one stands the hash of
 * the brand's name. So a change, a removal or an exchange anywhere is found by reading from the beginning. Who can write
 * to the store could make the whole chain anew from some entry on, or cut its end off: that is found by comparing with
 * heads (number and hash) that were seen elsewhere, in the console's own store or in the alarms people received.
 *
 *     audit_chain_begin(&c, brand);
 *     for each row: fault = audit_chain_next(&c, ...); then audit_chain_seen(&c, ...) for heads with this number
 *     at the end:   fault = audit_chain_end(&c, highest head seen elsewhere)
 */
#ifndef ASCOLTO_ESCALATION_AUDIT_CHAIN_H
#define ASCOLTO_ESCALATION_AUDIT_CHAIN_H

#include "common/base.h"

#define AUDIT_HASH 32 /* bytes */

enum audit_fault {
	AUDIT_WHOLE,
	AUDIT_DAMAGED,   /* the row can not be read */
	AUDIT_CHANGED,   /* it, or the hash of the one before, is not what was hashed */
	AUDIT_MISSING,   /* there is no such row */
	AUDIT_MOVED,     /* the row holds the entry of another number */
	AUDIT_CUT,       /* the log ends before what was seen elsewhere */
	AUDIT_REWRITTEN, /* whole in itself, but not what was seen elsewhere */
};

struct audit_chain {
	uint64_t number;          /* of the last good entry; 0 = none yet */
	uint64_t broken;          /* of the first that is not good; 0 = none */
	int64_t first_ms, last_ms;
	uint8_t hash[AUDIT_HASH]; /* of the last good entry */
};

/* The hash before the first entry. */
void audit_genesis(const char *brand, uint8_t ret[AUDIT_HASH]);
void audit_hash(const uint8_t before[AUDIT_HASH], struct span entry, uint8_t ret[AUDIT_HASH]);

void audit_chain_begin(struct audit_chain *c, const char *brand);

/* The next row, by its number in the key. An empty `entry` stands for a row that can not be read. After a fault the
 * chain stays where it is: what comes behind proves nothing. */
enum audit_fault audit_chain_next(struct audit_chain *c, uint64_t number, struct span entry, struct span hash);

/* A head seen elsewhere, of the entry the chain is at. `hash` may be the beginning of it, at least 4 bytes. */
enum audit_fault audit_chain_seen(struct audit_chain *c, uint64_t number, struct span hash);

/* No more rows. `seen` is the highest number seen elsewhere; 0 = none. */
enum audit_fault audit_chain_end(struct audit_chain *c, uint64_t seen);

/* "entry 12 was changed" and so on, for people. */
const char *audit_fault_words(enum audit_fault f);

#endif
