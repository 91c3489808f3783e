/*
 * versions.h - which model of a task runs, and which ran before: rules on one record, no store, no files.
 *
 * A record begins all zero: the shipped model runs and nothing else is known. Versions go by the name that is in the
 * model file. At most VERSIONS_KEPT of them are kept, and the last VERSIONS_FORMER that ran can be returned to; what
 * is dropped, oldest first, is never the running one nor one of those.
 *
 * What is put into the record comes from the arena; texts of `v` are borrowed.
 */
#ifndef ASCOLTO_INTENT_VERSIONS_H
#define ASCOLTO_INTENT_VERSIONS_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/state.pb-c.h"

#define VERSIONS_KEPT 8
#define VERSIONS_FORMER 4
#define VERSIONS_SHIPPED "shipped" /* how people call the model the record calls "" */

/* The version of that name, or NULL. */
Ascolto__ModelVersion *versions_find(const State__TaskModels *t, const char *name);

/* True for versions whose file is kept: those that run, ran or may run. */
bool versions_has_file(const Ascolto__ModelVersion *v);

/* The version runs from now on. -EALREADY when it does; -ENOMEM. */
int versions_promote(State__TaskModels *t, Ascolto__ModelVersion *v, const char *by, int64_t at_ms, struct arena *a,
	struct err *e);

/* What ran before runs again. -ENOENT when nothing did. */
int versions_rollback(State__TaskModels *t, const char *by, int64_t at_ms, struct err *e);

/* Keeps a version that does not run: proposed, refused, failed. One of the same name is replaced. */
int versions_note(State__TaskModels *t, Ascolto__ModelVersion *v, struct arena *a);

#endif
