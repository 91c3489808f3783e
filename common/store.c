#include "store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "proto/state.pb-c.h"

#define TABLE_IDENTITY 0x01 /* this file's own: identity and the mark of a clean end */
#define FRAME_BYTES 9
#define EXIT_IO_ERROR 74 /* EX_IOERR of sysexits.h */

struct store {
	MDB_env *env;
	MDB_dbi dbi;
	int lock;
	char *path;
	size_t map, map_max;
	struct id lineage;
	uint64_t epoch;
	bool was_clean;
};

struct txn {
	MDB_txn *mdb;
	struct store *store;
	bool write;
};

struct cursor {
	MDB_cursor *mdb;
	struct key prefix, from;
	bool started;
};

static int code_of(int mdb)
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

static void die_of_io(const struct store *s, int mdb)
{
	char line[512];
	int n = snprintf(line, sizeof(line),
		"store %s: %s while committing; what the disk holds is unknown, so this process ends now\n", s->path,
		mdb_strerror(mdb));
	ssize_t ignored = write(STDERR_FILENO, line, n > 0 ? (size_t)n : 0);
	(void)ignored;
	_exit(EXIT_IO_ERROR);
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

static int begin(struct store *s, bool write, struct txn **ret, struct err *e)
{
	struct txn *t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, -ENOMEM, "out of memory");
	int r = mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &t->mdb);
	if (r) {
		free(t);
		return err_set(e, code_of(r), "store %s: can not begin a transaction: %s", s->path, mdb_strerror(r));
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
	if (r == EIO)
		die_of_io(s, r);
	if (r)
		return err_set(e, code_of(r), "store %s: can not commit: %s", s->path, mdb_strerror(r));
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
	return r ? code_of(r) : unframe(&key, &value, ret_value);
}

int txn_put(struct txn *t, const struct key *k, struct span payload)
{
	if (k->broken || payload.len > STORE_VALUE_MAX)
		return -EINVAL;
	MDB_val key = key_val(k), value = {payload.len + FRAME_BYTES, NULL};
	int r = mdb_put(t->mdb, t->store->dbi, &key, &value, MDB_RESERVE);
	if (r)
		return code_of(r);
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
	return code_of(mdb_del(t->mdb, t->store->dbi, &key, NULL));
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
		return code_of(r);
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
		return code_of(r);
	if (!has_prefix(&key, &c->prefix))
		return -ENOENT;
	*ret_key = span_of(key.mv_data, key.mv_size);
	return unframe(&key, &value, ret_value);
}

int cursor_del(struct cursor *c)
{
	return code_of(mdb_cursor_del(c->mdb, 0));
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
		return code_of(r);
	r = MDB_NOTFOUND;
	if (key_after(&after)) {
		key = key_val(&after);
		r = mdb_cursor_get(c, &key, &value, MDB_SET_RANGE);
	}
	r = mdb_cursor_get(c, &key, &value, r == 0 ? MDB_PREV : MDB_LAST);
	if (r == 0 && !has_prefix(&key, prefix))
		r = MDB_NOTFOUND;
	int out = code_of(r);
	if (!out) {
		*ret_key = span_of(key.mv_data, key.mv_size);
		out = unframe(&key, &value, ret_value);
	}
	mdb_cursor_close(c);
	return out;
}

int store_scrub(struct store *s, uint64_t *ret_values, uint64_t *ret_bad, void (*bad)(void *ctx, struct span key),
	void *ctx, struct err *e)
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
		return err_set(e, code_of(r), "store %s: can not be read through: %s", s->path, mdb_strerror(r));
	*ret_values = values;
	*ret_bad = broken;
	return 0;
}

/* ---- opening and closing ---- */

static int check_file_system(const struct store_options *o, struct err *e)
{
	static const struct {
		unsigned magic;
		const char *name;
	} refused[] = {
		{TMPFS_MAGIC, "tmpfs"}, {RAMFS_MAGIC, "ramfs"}, {NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"},
		{0xff534d42u, "CIFS"}, {0xfe534d42u, "SMB2"}, {0x65735546u, "FUSE"}, {CEPH_SUPER_MAGIC, "CephFS"},
	};
	struct statfs fs;
	if (statfs(o->path, &fs) < 0)
		return err_set(e, -errno, "store %s: %s", o->path, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(refused) && !o->unsafe_fs; i++)
		if ((unsigned)fs.f_type == refused[i].magic)
			return err_set(e, -EMEDIUMTYPE,
				"store %s: is on %s, which does not keep what it was told to sync; move it to a local "
				"disk, or set unsafe_fs if losing it is acceptable",
				o->path, refused[i].name);
	return 0;
}

static int take_lock(struct store *s, struct err *e)
{
	char name[4096];
	snprintf(name, sizeof(name), "%s/owner.lock", s->path);
	s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return err_set(e, -errno, "store %s: can not make owner.lock: %s", s->path, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, -EBUSY, "store %s: another process has it open; stop that one first", s->path);
	return 0;
}

static struct key identity_key(void)
{
	struct key k = key_make(TABLE_IDENTITY, 0);
	key_u8(&k, 0);
	return k;
}

static struct key clean_key(void)
{
	struct key k = key_make(TABLE_IDENTITY, 0);
	key_u8(&k, 1);
	return k;
}

static int check_identity(struct store *s, const struct store_options *o, struct span value, struct err *e)
{
	State__Identity *was = state__identity__unpack(NULL, value.len, value.data);
	struct id lineage;
	int r = -EBADMSG;
	if (!was || id_from_bytes(was->lineage.data, was->lineage.len, &lineage))
		err_set(e, r, "store %s: its identity can not be read", s->path);
	else if (!str_eq(was->service, o->service))
		err_set(e, r, "store %s: belongs to %s, not to %s", s->path, was->service, o->service);
	else
		r = 0;
	if (!r) {
		s->lineage = lineage; /* ours: from now on closing may mark it clean */
		s->epoch = was->epoch;
	}
	state__identity__free_unpacked(was, NULL);
	return r;
}

static int write_identity(struct store *s, struct txn *t, const struct store_options *o)
{
	State__Identity fresh = STATE__IDENTITY__INIT;
	uint8_t packed[256];
	struct key k = identity_key();
	if (strlen(o->service) > 64)
		return -EINVAL;
	s->lineage = id_random(o->now_ms);
	s->epoch = 1;
	fresh.lineage = (ProtobufCBinaryData){ID_BYTES, s->lineage.b};
	fresh.service = (char *)(uintptr_t)o->service;
	fresh.created_ms = o->now_ms;
	fresh.epoch = s->epoch;
	size_t n = state__identity__pack(&fresh, packed);
	return txn_put(t, &k, span_of(packed, n));
}

/* Reads or writes who this store is, and takes away the mark of the last clean end. */
static int identify(struct store *s, const struct store_options *o, struct err *e)
{
	struct txn *t;
	struct span value;
	struct key identity = identity_key(), clean = clean_key();
	int r = txn_begin_write(s, &t, e);
	if (r)
		return r;
	r = mdb_dbi_open(t->mdb, NULL, 0, &s->dbi);
	r = r ? code_of(r) : txn_get(t, &identity, &value);
	if (r == 0)
		r = check_identity(s, o, value, e);
	else if (r == -ENOENT)
		r = write_identity(s, t, o);
	else
		err_set(e, r, "store %s: its identity is damaged", s->path);
	if (r == 0) {
		s->was_clean = txn_get(t, &clean, &value) == 0;
		if (s->was_clean)
			r = txn_del(t, &clean);
	}
	if (r) {
		txn_abort(&t);
		return e && e->text[0] ? r : err_set(e, r, "store %s: %s", s->path, strerror(-r));
	}
	return txn_commit(&t, e);
}

int store_open(struct store **ret, const struct store_options *o, struct err *e)
{
	if (e)
		*e = (struct err){0};
	if (mkdir(o->path, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "store %s: can not make the folder: %s", o->path, strerror(errno));
	int r = check_file_system(o, e);
	if (r)
		return r;
	struct store *s = calloc(1, sizeof(*s));
	if (!s || !(s->path = strdup(o->path))) {
		free(s);
		return err_set(e, -ENOMEM, "out of memory");
	}
	s->lock = -1;
	s->map = o->map_size ? o->map_size : (size_t)64 << 20;
	s->map_max = o->map_max ? o->map_max : (size_t)64 << 30;
	r = take_lock(s, e);
	if (!r) {
		int m = mdb_env_create(&s->env);
		m = m ? m : mdb_env_set_mapsize(s->env, s->map);
		m = m ? m : mdb_env_open(s->env, s->path, MDB_NOTLS, 0600);
		if (m)
			r = err_set(e, code_of(m), "store %s: can not be opened: %s", s->path, mdb_strerror(m));
	}
	if (!r) {
		MDB_envinfo info;
		store_check_readers(s);
		mdb_env_info(s->env, &info);
		s->map = MAX(s->map, info.me_mapsize);
		r = identify(s, o, e);
	}
	if (r) {
		s->was_clean = false;
		store_close(&s);
		return r;
	}
	*ret = s;
	return 0;
}

static void mark_clean(struct store *s)
{
	struct txn *t;
	struct key clean = clean_key();
	if (txn_begin_write(s, &t, NULL))
		return;
	if (txn_put(t, &clean, span_str("clean")))
		txn_abort(&t);
	else
		txn_commit(&t, NULL);
}

void store_close(struct store **sp)
{
	struct store *s = *sp;
	if (!s)
		return;
	if (s->env) {
		if (s->dbi && !id_is_zero(&s->lineage))
			mark_clean(s);
		mdb_env_close(s->env);
	}
	if (s->lock >= 0)
		close(s->lock);
	free(s->path);
	free(s);
	*sp = NULL;
}

const struct id *store_lineage(const struct store *s)
{
	return &s->lineage;
}

uint64_t store_epoch(const struct store *s)
{
	return s->epoch;
}

const char *store_path(const struct store *s)
{
	return s->path;
}

bool store_was_clean(const struct store *s)
{
	return s->was_clean;
}

int store_grow(struct store *s, struct err *e)
{
	if (s->map >= s->map_max)
		return err_set(e, -ENOSPC, "store %s: is full at its largest size, %zu MiB", s->path, s->map >> 20);
	size_t map = MIN(s->map * 2, s->map_max);
	int r = mdb_env_set_mapsize(s->env, map);
	if (r)
		return err_set(e, code_of(r), "store %s: can not grow to %zu MiB: %s", s->path, map >> 20,
			mdb_strerror(r));
	s->map = map;
	return 0;
}

void store_check_readers(struct store *s)
{
	int dead;
	mdb_reader_check(s->env, &dead);
}

void store_room(const struct store *s, uint64_t *ret_used, uint64_t *ret_max)
{
	MDB_envinfo info;
	MDB_stat stat;
	mdb_env_info(s->env, &info);
	mdb_env_stat(s->env, &stat);
	*ret_used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*ret_max = s->map_max;
}
