/*
 * pack.h - a protobuf-c message to bytes in an arena, and bytes that are packed already into another message.
 */
#ifndef ASCOLTO_PACK_H
#define ASCOLTO_PACK_H

#include "arena.h"
#include "base.h"

/* An empty span with data NULL when memory is out. */
struct span pack_message(struct arena *a, const ProtobufCMessage *m);

/* A message that is packed already, as a field of another that is about to be: goes into its unknown_fields.
 * -ENOMEM. */
int pack_as_field(struct arena *a, unsigned field, struct span packed, ProtobufCMessageUnknownField *ret);

/* The packed message with another inside: field path[1] of its field path[0], which is a message too and not there yet.
 * Without an inner one (data NULL) path[0] is an empty message. An empty span with data NULL when memory is out. */
struct span pack_inside(struct arena *a, struct span packed, const uint32_t path[2], struct span inner);

/* The other way round: a message's field of bytes, text or a message, as it stands in the packed message. -ENOENT:
 * it is not there, or more than once; -EBADMSG: damaged. */
int pack_find(struct span packed, unsigned field, struct span *ret);

#endif
