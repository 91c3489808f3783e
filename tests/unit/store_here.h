/*
 * store_here.h - a store of escalation in a folder of its own, for unit tests that need one: cmocka's setup and teardown.
 * Define STORE_NOW_MS, the time it is made, before including.
 */
#ifndef ASCOLTO_STORE_HERE_H
#define ASCOLTO_STORE_HERE_H

#include "common/store.h"
#include "tests/unit/check.h"

static char folder[64];
static struct store *store;

static int open_store(void **unused)
{
	(void)unused;
	char path[96];
	struct err e = {0};
	snprintf(folder, sizeof(folder), "/tmp/ascolto-unit-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	struct store_options o = {.path = path, .service = "escalation", .unsafe_fs = true, .now_ms = STORE_NOW_MS};
	return store_open(&store, &o, &e);
}

static int close_store(void **unused)
{
	char command[128];
	(void)unused;
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

#endif
