/*
 * buf.h - bytes that grow up to a stated maximum.
 *
 * Once an addition fails (the maximum is passed, or memory is out) the buffer is `broken`: later additions do
 * nothing, so a long run of additions is checked once at its end. data is always followed by a NUL byte that is not
 * counted in len.
 */
#ifndef ASCOLTO_BUF_H
#define ASCOLTO_BUF_H

#include "base.h"

struct buf {
	uint8_t *data;
	size_t len, cap, max;
	bool broken;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* len 0, not broken; keeps the memory */

/* 0, -EMSGSIZE (maximum) or -ENOMEM. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Room for `len` more bytes at data + len; the caller fills them and adds to len. NULL when broken. */
uint8_t *buf_room(struct buf *b, size_t len);

/* Removes the first `len` bytes. */
void buf_drop(struct buf *b, size_t len);

/* Borrowed until the buffer changes. */
static inline struct span buf_span(const struct buf *b)
{
	return span_of(b->data, b->len);
}

static inline const char *buf_str(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}

#endif
