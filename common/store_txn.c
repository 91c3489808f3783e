/* Transactions and what is in them. */
#include "store_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define FRAME_BYTES 9
#define EXIT_IO_ERROR 74 /* EX_IOERR of sysexits.h */

struct cursor {
	MDB_cursor *mdb;
	struct key prefix, from;
	bool started;
};

int store_code(int mdb)
{
	switch (mdb) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case MDB_BAD_VALSIZE:
		return -EINVAL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return -EBADMSG;
	default:
		return mdb > 0 ? -mdb : -EIO;
	}
}

/* ---- values ---- */

static uint64_t checksum(const MDB_val *key, const void *payload, size_t len)
{
	return XXH3_64bits_withSeed(payload, len, XXH3_64bits(key->mv_data, key->mv_size));
}

static int unframe(const MDB_val *key, const MDB_val *value, struct span *ret)
{
	const uint8_t *p = value->mv_data;
	uint64_t sum;
	if (value->mv_size < FRAME_BYTES || p[0] != STORE_SCHEMA_VERSION)
		return -EBADMSG;
	memcpy(&sum, p + 1, sizeof(sum));
	if (sum != checksum(key, p + FRAME_BYTES, value->mv_size - FRAME_BYTES))
		return -EBADMSG;
	*ret = span_of(p + FRAME_BYTES, value->mv_size - FRAME_BYTES);
	return 0;
}

/* ---- transactions ---- */

static void die_of_io(const struct store *s, int mdb)
{
	char line[512];
	int n = snprintf(line, sizeof(line),
		"store %s: %s while committing; what the disk holds is unknown, so this process ends now\n",
		s->path, mdb_strerror(mdb));
	ssize_t ignored = write(STDERR_FILENO, line, n > 0 ? (size_t)n : 0);
	(void)ignored;
	_exit(EXIT_IO_ERROR);
}

/* LMDB says EIO of a write that was cut short, which is how a disk fills up: nothing refers to those pages
 * yet. An error of the device itself is not that. */
static bool disk_is_full(const struct store *s)
{
	mdb_filehandle_t fd;
	struct stat st;
	if (mdb_env_get_fd(s->env, &fd) || fstat(fd, &st) < 0)
		return false;
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, 1 << 20) < 0 &&
	       (errno == ENOSPC || errno == EDQUOT);
}

/* The code for a write that failed; remembers where room was missing. */
static int write_code(struct store *s, int mdb)
{
	int r = store_code(mdb);
	if (r == -ENOSPC)
		s->map_full = mdb == MDB_MAP_FULL;
	return r;
}

static int begin(struct store *s, bool write, struct txn **ret, struct err *e)
{
	struct txn *t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, -ENOMEM, "out of memory");
	int r = mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &t->mdb);
	if (r) {
		free(t);
		if (r == MDB_PANIC)
			die_of_io(s, r); /* the commit before left the file's head in doubt */
		return err_set(e, store_code(r), "store %s: can not begin a transaction: %s", s->path,
			mdb_strerror(r));
	}
	t->store = s;
	t->write = write;
	*ret = t;
	return 0;
}

int txn_begin_write(struct store *s, struct txn **ret, struct err *e)
{
	return begin(s, true, ret, e);
}

int txn_begin_read(struct store *s, struct txn **ret, struct err *e)
{
	return begin(s, false, ret, e);
}

int txn_commit(struct txn **t, struct err *e)
{
	struct store *s = (*t)->store;
	int r = mdb_txn_commit((*t)->mdb);
	free(*t);
	*t = NULL;
	if (r == EIO && disk_is_full(s))
		r = ENOSPC;
	if (r == EIO)
		die_of_io(s, r);
	if (r)
		return err_set(e, write_code(s, r), "store %s: can not commit: %s", s->path, mdb_strerror(r));
	return 0;
}

void txn_abort(struct txn **t)
{
	if (!*t)
		return;
	mdb_txn_abort((*t)->mdb);
	free(*t);
	*t = NULL;
}

static MDB_val key_val(const struct key *k)
{
	return (MDB_val){k->len, (void *)(uintptr_t)k->data};
}

int txn_get(struct txn *t, const struct key *k, struct span *ret_value)
{
	if (k->broken)
		return -EINVAL;
	MDB_val key = key_val(k), value;
	int r = mdb_get(t->mdb, t->store->dbi, &key, &value);
	return r ? store_code(r) : unframe(&key, &value, ret_value);
}

int txn_put(struct txn *t, const struct key *k, struct span payload)
{
	if (k->broken || payload.len > STORE_VALUE_MAX)
		return -EINVAL;
	MDB_val key = key_val(k), value = {payload.len + FRAME_BYTES, NULL};
	int r = mdb_put(t->mdb, t->store->dbi, &key, &value, MDB_RESERVE);
	if (r)
		return write_code(t->store, r);
	uint8_t *p = value.mv_data;
	uint64_t sum = checksum(&key, payload.data, payload.len);
	p[0] = STORE_SCHEMA_VERSION;
	memcpy(p + 1, &sum, sizeof(sum));
	if (payload.len)
		memcpy(p + FRAME_BYTES, payload.data, payload.len);
	return 0;
}

int txn_del(struct txn *t, const struct key *k)
{
	if (k->broken)
		return -EINVAL;
	MDB_val key = key_val(k);
	return write_code(t->store, mdb_del(t->mdb, t->store->dbi, &key, NULL));
}

/* ---- walking ---- */

int cursor_open(struct txn *t, const struct key *prefix, const struct key *from, struct cursor **ret)
{
	struct cursor *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	int r = mdb_cursor_open(t->mdb, t->store->dbi, &c->mdb);
	if (r) {
		free(c);
		return store_code(r);
	}
	c->prefix = *prefix;
	c->from = from ? *from : *prefix;
	*ret = c;
	return 0;
}

static bool has_prefix(const MDB_val *key, const struct key *prefix)
{
	return key->mv_size >= prefix->len && memcmp(key->mv_data, prefix->data, prefix->len) == 0;
}

int cursor_next(struct cursor *c, struct span *ret_key, struct span *ret_value)
{
	MDB_val key = key_val(&c->from), value;
	int r = mdb_cursor_get(c->mdb, &key, &value, c->started ? MDB_NEXT : MDB_SET_RANGE);
	c->started = true;
	if (r)
		return store_code(r);
	if (!has_prefix(&key, &c->prefix))
		return -ENOENT;
	*ret_key = span_of(key.mv_data, key.mv_size);
	return unframe(&key, &value, ret_value);
}

int cursor_del(struct cursor *c)
{
	return store_code(mdb_cursor_del(c->mdb, 0));
}

void cursor_close(struct cursor **c)
{
	if (!*c)
		return;
	mdb_cursor_close((*c)->mdb);
	free(*c);
	*c = NULL;
}

/* The first key behind everything that begins with the prefix; false when there can be none. */
static bool key_after(struct key *k)
{
	while (k->len) {
		if (k->data[k->len - 1] != 0xff) {
			k->data[k->len - 1]++;
			return true;
		}
		k->len--;
	}
	return false;
}

int txn_last(struct txn *t, const struct key *prefix, struct span *ret_key, struct span *ret_value)
{
	MDB_cursor *c;
	struct key after = *prefix;
	MDB_val key, value;
	int r = mdb_cursor_open(t->mdb, t->store->dbi, &c);
	if (r)
		return store_code(r);
	r = MDB_NOTFOUND;
	if (key_after(&after)) {
		key = key_val(&after);
		r = mdb_cursor_get(c, &key, &value, MDB_SET_RANGE);
	}
	r = mdb_cursor_get(c, &key, &value, r == 0 ? MDB_PREV : MDB_LAST);
	if (r == 0 && !has_prefix(&key, prefix))
		r = MDB_NOTFOUND;
	int out = store_code(r);
	if (!out) {
		*ret_key = span_of(key.mv_data, key.mv_size);
		out = unframe(&key, &value, ret_value);
	}
	mdb_cursor_close(c);
	return out;
}

int store_scrub(struct store *s, uint64_t *ret_values, uint64_t *ret_bad,
	void (*bad)(void *ctx, struct span key), void *ctx, struct err *e)
{
	struct txn *t;
	MDB_cursor *c;
	MDB_val key, value;
	uint64_t values = 0, broken = 0;
	int r = txn_begin_read(s, &t, e);
	if (r)
		return r;
	r = mdb_cursor_open(t->mdb, s->dbi, &c);
	if (!r) {
		while ((r = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0) {
			struct span payload;
			values++;
			if (unframe(&key, &value, &payload) == 0)
				continue;
			broken++;
			if (bad)
				bad(ctx, span_of(key.mv_data, key.mv_size));
		}
		mdb_cursor_close(c);
	}
	txn_abort(&t);
	if (r != MDB_NOTFOUND)
		return err_set(
			e, store_code(r), "store %s: can not be read through: %s", s->path, mdb_strerror(r));
	*ret_values = values;
	*ret_bad = broken;
	return 0;
}
