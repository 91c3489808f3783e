/*
 * pack.h - a protobuf-c message to bytes, in one pass.
 *
 * protobuf_c_message_pack needs the size of every nested message before it, and asks for it anew at every
 * depth. Here the bytes are written from their end to their beginning, so that a length is known when its
 * turn comes. The bytes are the same (tests/unit/test_pack.c compares); messages of more than PACK_SCRATCH
 * bytes are left to protobuf-c.
 */
#ifndef ASCOLTO_PACK_H
#define ASCOLTO_PACK_H

#include "arena.h"
#include "base.h"

#define PACK_SCRATCH ((size_t)16 * 1024)

/* Packs into the arena; an empty span with data NULL when memory is out. */
struct span pack_message(struct arena *a, const ProtobufCMessage *m);

/* A message that is packed already, as a field of another that is about to be: goes into its unknown_fields.
 * -ENOMEM. */
int pack_as_field(struct arena *a, unsigned field, struct span packed, ProtobufCMessageUnknownField *ret);

#endif
