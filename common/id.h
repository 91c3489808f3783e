/*
 * id.h - 16-byte identifiers that sort by time.
 *
 * Layout: 48 bits of milliseconds since 1970, big-endian, then 80 bits that tell ids of one millisecond apart. The
 * text form is ULID's (https://github.com/ulid/spec): 26 characters of Crockford's base 32, which sort like the bytes.
 *
 * Ids are never drawn at random inside a handler: they are derived from what caused them, so that handling a message
 * again gives the same ids and the same effects.
 */
#ifndef ASCOLTO_ID_H
#define ASCOLTO_ID_H

#include "base.h"

#define ID_BYTES 16
#define ID_TEXT 26 /* without the NUL */

struct id {
	uint8_t b[ID_BYTES];
};

/* From a time and any bytes that name the thing uniquely; the same input gives the same id on every machine. */
struct id id_from(int64_t ms, struct span name);

/* The n-th thing called `tag` that `cause` brought about; shares the cause's time. */
struct id id_derive(const struct id *cause, const char *tag, uint64_t n);

/* A fresh random id, for the loop and for programs, not for handlers. */
struct id id_random(int64_t now_ms);

int64_t id_ms(const struct id *id);
bool id_is_zero(const struct id *id);
bool id_eq(const struct id *a, const struct id *b);

/* Writes ID_TEXT characters and a NUL; returns `text`. */
char *id_format(const struct id *id, char text[ID_TEXT + 1]);

/* Accepts either letter case; -EINVAL for anything that is not exactly an id. */
int id_parse(const char *text, struct id *ret_id);

/* From the bytes of a protobuf field: -EINVAL unless there are 16. */
int id_from_bytes(const uint8_t *data, size_t len, struct id *ret_id);

#endif
