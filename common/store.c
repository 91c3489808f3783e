/* Opening, closing and growing. */
#include "store_internal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proto/state.pb-c.h"

#define TABLE_IDENTITY 0x01 /* this file's own: identity and the mark of a clean end */

static int check_file_system(const struct store_options *o, struct err *e)
{
	static const struct {
		unsigned magic;
		const char *name;
	} refused[] = {
		{TMPFS_MAGIC, "tmpfs"},
		{RAMFS_MAGIC, "ramfs"},
		{NFS_SUPER_MAGIC, "NFS"},
		{SMB_SUPER_MAGIC, "SMB"},
		{0xff534d42u, "CIFS"},
		{0xfe534d42u, "SMB2"},
		{0x65735546u, "FUSE"},
		{CEPH_SUPER_MAGIC, "CephFS"},
	};
	struct statfs fs;
	if (statfs(o->path, &fs) < 0)
		return err_set(e, -errno, "store %s: %s", o->path, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(refused) && !o->unsafe_fs; i++)
		if ((unsigned)fs.f_type == refused[i].magic)
			return err_set(e, -EMEDIUMTYPE,
				"store %s: is on %s, which does not keep what it was told to sync; move it "
				"to a local "
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
		return err_set(
			e, -EBUSY, "store %s: another process has it open; stop that one first", s->path);
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
	r = r ? store_code(r) : txn_get(t, &identity, &value);
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

static int open_environment(struct store *s, struct err *e)
{
	MDB_envinfo info;
	int r = mdb_env_create(&s->env);
	r = r ? r : mdb_env_set_mapsize(s->env, s->map);
	r = r ? r : mdb_env_open(s->env, s->path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
	if (r)
		return err_set(e, store_code(r), "store %s: can not be opened: %s", s->path, mdb_strerror(r));
	store_check_readers(s);
	mdb_env_info(s->env, &info);
	s->map = MAX(s->map, info.me_mapsize);
	/* Of a file larger than the first map LMDB maps just what is used, and the next write would find no
	 * room. */
	s->map_full = true;
	while (!r && s->map < 2 * (info.me_last_pgno + 1) * (size_t)sysconf(_SC_PAGESIZE) &&
		s->map < s->map_max)
		r = store_grow(s, e);
	s->map_full = false;
	return r;
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
	r = r ? r : open_environment(s, e);
	r = r ? r : identify(s, o, e);
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
	if (!s->map_full)
		return err_set(e, -ENOSPC, "store %s: the disk is full", s->path);
	if (s->map >= s->map_max)
		return err_set(
			e, -ENOSPC, "store %s: is full at its largest size, %zu MiB", s->path, s->map >> 20);
	size_t map = MIN(s->map * 2, s->map_max);
	int r = mdb_env_set_mapsize(s->env, map);
	if (r)
		return err_set(e, store_code(r), "store %s: can not grow to %zu MiB: %s", s->path, map >> 20,
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
