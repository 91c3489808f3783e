/*
 * store_internal.h - what store.c (opening, closing, growing) and store_txn.c (transactions, values, walking) share.
 */
#ifndef ASCOLTO_STORE_INTERNAL_H
#define ASCOLTO_STORE_INTERNAL_H

#include "store.h"

#include <lmdb.h>

struct store {
	MDB_env *env;
	MDB_dbi dbi;
	int lock;
	char *path;
	size_t map, map_max;
	bool map_full; /* the last thing that found no room missed it in the map, not on the disk */
	struct id lineage;
	uint64_t epoch;
	bool was_clean;
};

struct txn {
	MDB_txn *mdb;
	struct store *store;
	bool write;
};

int store_code(int mdb); /* a negative errno for what LMDB returned */

#endif
