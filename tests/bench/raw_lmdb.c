/*
 * raw_lmdb - the yardstick: how many 400-byte records a second this disk takes in LMDB, 256 to a commit, default flags.
 *
 *     raw_lmdb FOLDER SECONDS      prints "<records/s> <median commit ms>"
 *
 * Everything durable that Ascolto does is measured as a part of this rate, because it is the most a single appending
 * writer could do here.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BATCH 256
#define RECORD 400
#define COMMITS_MAX 100000

static double commits[COMMITS_MAX];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int fill(MDB_env *env, double seconds)
{
	char record[RECORD];
	unsigned long n = 0;
	size_t batches = 0;
	double start = now();
	memset(record, 7, sizeof(record));
	while (now() - start < seconds && batches < COMMITS_MAX) {
		MDB_txn *t;
		MDB_dbi dbi;
		if (mdb_txn_begin(env, NULL, 0, &t) || mdb_dbi_open(t, NULL, 0, &dbi))
			return 1;
		for (int i = 0; i < BATCH; i++) {
			unsigned long be = __builtin_bswap64(n++);
			MDB_val k = {sizeof(be), &be}, v = {sizeof(record), record};
			if (mdb_put(t, dbi, &k, &v, MDB_APPEND))
				return 1;
		}
		double before = now();
		if (mdb_txn_commit(t))
			return 1;
		commits[batches++] = now() - before;
	}
	double took = now() - start;
	qsort(commits, batches, sizeof(commits[0]), ascending);
	printf("%.0f %.3f\n", (double)n / took, commits[batches / 2] * 1000);
	return 0;
}

int main(int argc, char **argv)
{
	MDB_env *env;
	if (argc != 3)
		return fprintf(stderr, "usage: raw_lmdb FOLDER SECONDS\n"), 2;
	mkdir(argv[1], 0700);
	if (mdb_env_create(&env) || mdb_env_set_mapsize(env, (size_t)16 << 30) || mdb_env_open(env, argv[1], 0, 0600))
		return fprintf(stderr, "raw_lmdb: can not open %s\n", argv[1]), 1;
	int r = fill(env, strtod(argv[2], NULL));
	mdb_env_close(env);
	return r;
}
