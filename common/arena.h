/*
 * arena.h - memory that is given back all at once; one message, one arena.
 *
 * Allocations are aligned to 16 bytes and live until arena_reset or arena_free. The sum is bounded by `max`: beyond
 * it allocation fails (NULL), which is how a hostile message is kept from taking the machine. arena_pb() gives the
 * arena as protobuf-c's allocator; freeing through it does nothing. Not thread-safe.
 */
#ifndef ASCOLTO_ARENA_H
#define ASCOLTO_ARENA_H

#include "base.h"

#include <protobuf-c/protobuf-c.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest first */
	size_t used;               /* bytes handed out since the last reset */
	size_t max;
	ProtobufCAllocator pb;
};

void arena_init(struct arena *a, size_t max);
void arena_reset(struct arena *a); /* keeps one chunk for reuse */
void arena_free(struct arena *a);

/* Not cleared. NULL when `max` would be passed or memory is out. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s); /* NULL gives an empty string */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

static inline ProtobufCAllocator *arena_pb(struct arena *a)
{
	return &a->pb;
}

#endif
