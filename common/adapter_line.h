/*
 * adapter_line.h - the lines of the adapter protocol, read and written: the words of
 * services/adapters/README.md, no more. Only adapter.c uses it.
 *
 * A post's JSON is found, not parsed: it is handed on as the bytes that came. Words this version does not
 * know are passed over, so that a newer adapter can say more.
 */
#ifndef ASCOLTO_ADAPTER_LINE_H
#define ASCOLTO_ADAPTER_LINE_H

#include "adapter.h"
#include "arena.h"
#include "base.h"
#include "buf.h"
#include "err.h"

enum adapter_word {
	ADAPTER_HELLO,	/* name, webhooks */
	ADAPTER_POSTS,	/* line: posts, a bad, or nothing but an answer to a request */
	ADAPTER_HEALTH, /* health */
	ADAPTER_END,
};

struct adapter_said {
	enum adapter_word word;
	uint64_t version;	  /* HELLO */
	const char *name;	  /* HELLO; "" when not said */
	bool webhooks;		  /* HELLO: "receive" has "webhook" */
	const char *health;	  /* HEALTH: what is wrong; "" = nothing */
	struct adapter_line line; /* POSTS; n is 0 when it carries nothing to commit */
};

/* -EBADMSG: not a line of the protocol, with what is wrong in words; -ENOMEM. What `ret` points at lives in
 * the arena and in `text`. */
int adapter_line_parse(struct span text, struct arena *a, struct adapter_said *ret, struct err *e);

/* The host's lines, line end included. -EMSGSIZE: more than the buffer's maximum. */
int adapter_line_hello(struct buf *out, const struct adapter_options *o, const char *cursor);
int adapter_line_request(struct buf *out, uint64_t request, const char *method, const char *path,
	const char *query, const struct adapter_header *headers, size_t n_headers, struct span body);

#endif
