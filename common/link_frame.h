/*
 * link_frame.h - what link_sender.c and link_receiver.c share: frames made and read. Not for others.
 */
#ifndef ASCOLTO_LINK_FRAME_H
#define ASCOLTO_LINK_FRAME_H

#include "link.h"
#include "pack.h"

#define LINK_ARENA_MAX ((size_t)16 * 1024 * 1024)

/* A frame without a body; `origin` is borrowed by it. */
Ascolto__Frame link_frame_of(const struct id *origin, uint64_t epoch, uint64_t session);

/* Resets the arena and parses with its budget; NULL for anything that is not a frame of this version. */
Ascolto__Frame *link_frame_parse(struct arena *a, struct span bytes, struct id *ret_origin);

bool link_position_ok(const Ascolto__StreamPosition *p);

#endif
