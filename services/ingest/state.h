/*
 * state.h - what ingest keeps. Keys begin with table and key group (common/key.h); the group is that of the
 * channel's name. "post" below stands for four parts: channel name, native id, kind (u8), revision (u32).
 */
#ifndef ASCOLTO_INGEST_STATE_H
#define ASCOLTO_INGEST_STATE_H

#include "common/svc.h"

enum ingest_table {
	RAW,	 /* time received (ms), post -> RawPost: the bytes as they came, oldest first */
	SEEN,	 /* post -> Seen: a post that comes again is a duplicate */
	CURSORS, /* channel name -> Cursor: where its adapter goes on */
};

/* In that order. RAW and SEEN are kept SEEN_KEPT_MS (rules.h), then forgotten together. */
extern const struct table ingest_tables[];

#endif
