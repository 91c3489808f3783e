/*
 * base.h - the words every other file uses: integers, borrowed bytes, attributes, limits.
 *
 * A `struct span` is always borrowed: it points at bytes somebody else owns, and the function that returns one says
 * until when they live. It need not end in NUL. Functions return 0 or a negative errno; results leave through
 * parameters named ret_... that are written only on success. Time is a parameter: int64_t milliseconds since 1970
 * (..._ms); only the loop reads clocks.
 *
 * Functions that have hurt people before are poisoned at the end of this file, so include system headers first.
 */
#ifndef ASCOLTO_BASE_H
#define ASCOLTO_BASE_H

#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Runs a destructor of the form void f(T **) or void f(T *) when the variable leaves its scope. */
#define CLEANUP(f) __attribute__((cleanup(f)))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

/* Borrowed bytes. */
struct span {
	const uint8_t *data;
	size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){data, len};
}

static inline struct span span_str(const char *s)
{
	return (struct span){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* A NULL string reads as an empty one. */
static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static inline bool str_empty(const char *s)
{
	return !s || !s[0];
}

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gmtime localtime ctime asctime strncpy gets

#endif
