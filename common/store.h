/*
 * store.h - one LMDB environment: a service's durable state.
 *
 * Rules, each learnt from a failure: default synchronisation only; one open per process and per folder (our own lock,
 * so a second start refuses at once); no file systems that lie about syncing (network, tmpfs) unless `unsafe_fs`;
 * an I/O error on commit ends the process at once, because what the disk holds is then unknown; a full disk or map
 * aborts the transaction, and the map grows by doubling up to `map_max` between transactions; no transaction lives
 * across the loop's poll.
 *
 * Nothing is read ahead of what is asked for. A turn's reads are scattered, and what the kernel reads ahead it keeps in
 * large pieces, in which a page that is written costs several times as much (measured: Linux 6.18, ext4, a store of 700 MB
 * after a restart: a decision of escalation took twice as long). Walks through a cold store are slower for it.
 *
 * Values are framed: 1 byte schema version, 8 bytes XXH3-64 of key and payload, payload. A value whose checksum is
 * wrong is never handed out: -EBADMSG, with the key in words. Keys come from key.h and begin with table and key group.
 *
 * The lineage is a random id committed with the first transaction; streams that leave this store carry it, so that a
 * store which was wiped or restored is never taken for its former self.
 */
#ifndef ASCOLTO_STORE_H
#define ASCOLTO_STORE_H

#include "base.h"
#include "err.h"
#include "id.h"
#include "key.h"

#define STORE_SCHEMA_VERSION 1
#define STORE_VALUE_MAX ((size_t)8 * 1024 * 1024)

struct store;
struct txn;

struct store_options {
	const char *path;      /* a folder; made with mode 0700 when absent */
	const char *service;   /* whose it is; another service's store is refused */
	size_t map_size;       /* first map; 0 = 64 MiB; grows by doubling */
	size_t map_max;        /* 0 = 64 GiB */
	bool unsafe_fs;
	int64_t now_ms;
};

/* -EBUSY: another process has it; -EMEDIUMTYPE: file system refused; -EBADMSG: not a store of this service. */
int store_open(struct store **ret, const struct store_options *o, struct err *e);
void store_close(struct store **s);

const struct id *store_lineage(const struct store *s);
uint64_t store_epoch(const struct store *s);
const char *store_path(const struct store *s);

/* True when the last process ended with store_close; false after a crash, and for a new store. */
bool store_was_clean(const struct store *s);

/* Doubles the map if the last commit failed for lack of room; -ENOSPC when map_max is reached. No transaction may be
 * open. */
int store_grow(struct store *s, struct err *e);

/* Forgets readers whose process died. */
void store_check_readers(struct store *s);

/* Used and allowed bytes of the map. */
void store_room(const struct store *s, uint64_t *ret_used, uint64_t *ret_max);

int txn_begin_write(struct store *s, struct txn **ret, struct err *e);
int txn_begin_read(struct store *s, struct txn **ret, struct err *e);

/* 0; -ENOSPC (map or disk full; nothing was written, call store_grow and do it again). -EIO does not return: the
 * process writes one line and ends with status 74. */
int txn_commit(struct txn **t, struct err *e);
void txn_abort(struct txn **t); /* also ends a read transaction */

/* The payload, borrowed until the transaction ends or the next write in it. -ENOENT; -EBADMSG: checksum. */
int txn_get(struct txn *t, const struct key *k, struct span *ret_value);
int txn_put(struct txn *t, const struct key *k, struct span value);
int txn_del(struct txn *t, const struct key *k); /* -ENOENT when it was not there */

/* Keys in order, those that begin with `prefix`, starting at `from` (a full key; NULL: at the prefix). Key and value
 * are borrowed until the next call. -ENOENT at the end. A value with a wrong checksum gives -EBADMSG and the walk can
 * go on. The transaction must not write while the cursor is open, except through cursor_del. */
struct cursor;
int cursor_open(struct txn *t, const struct key *prefix, const struct key *from, struct cursor **ret);
int cursor_next(struct cursor *c, struct span *ret_key, struct span *ret_value);
int cursor_del(struct cursor *c); /* the one cursor_next gave */
void cursor_close(struct cursor **c);

/* The last key that begins with `prefix`. -ENOENT: none; -EBADMSG: its value is damaged, the key is given. */
int txn_last(struct txn *t, const struct key *prefix, struct span *ret_key, struct span *ret_value);

/* Reads every value and checks it. Counts; `bad` is called with each broken key. */
int store_scrub(struct store *s, uint64_t *ret_values, uint64_t *ret_bad, void (*bad)(void *ctx, struct span key),
	void *ctx, struct err *e);

#endif
