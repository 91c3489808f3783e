/*
 * post.h - a post's JSON into an Ascolto__Post (the fields are documented in services/adapters/README.md).
 *
 * Fields this version does not know are passed over, null counts as absent. A known field of the wrong type,
 * an unknown word where a list of words is given, or a value beyond its limit is an error that names the
 * field. Pure, but for the arena everything is allocated in.
 */
#ifndef ASCOLTO_INGEST_POST_H
#define ASCOLTO_INGEST_POST_H

#include "common/arena.h"
#include "common/err.h"

#include "proto/ascolto.pb-c.h"

#define POST_STRING_MAX 4096 /* bytes of every string but text */
#define POST_AUTHOR_IDS_MAX 16
#define POST_ATTACHMENTS_MAX 64

enum post_error { POST_OK, POST_NOT_JSON, POST_WRONG_FIELD, POST_UNKNOWN_KIND, POST_NO_MEMORY };

/* POST_OK, or what is wrong with the words in `why`. Strings that are absent are "". created_at_ms is 0 when
 * absent. */
enum post_error post_parse(struct span json, struct arena *a, Ascolto__Post **ret, struct err *why);

/* The words for `kind`, as a list: "message, edit, delete, ...". */
const char *post_kinds(void);

/* From a word: unknown words and NULL give TRUST_UNKNOWN, TRANSPORT_UNKNOWN. */
Ascolto__Trust post_trust(const char *word);
Ascolto__Transport post_transport(const char *word);

#endif
