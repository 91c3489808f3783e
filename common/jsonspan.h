/*
 * jsonspan.h - where the parts of a JSON text lie, without building anything.
 *
 * For protocol lines and deliveries that carry posts: the envelope around the posts is read here, and each
 * post is handed on as the very bytes that came. Values are spans of the text, white space around them left
 * out.
 *
 * This is not a judge of JSON: it follows strings and counts brackets, and believes the rest. Whoever uses a
 * value's inside parses it with json.h, whose limits hold there. It never reads beyond the span and never
 * recurses.
 */
#ifndef ASCOLTO_JSONSPAN_H
#define ASCOLTO_JSONSPAN_H

#include "arena.h"
#include "base.h"

struct jsonspan {
	const uint8_t *at, *end;
	uint8_t closer; /* '}' or ']' */
	bool first;
	bool broken; /* what came is not the inside of a list or an object */
};

/* The first character of a value says what it is: '{', '[', '"', a digit or '-', 't', 'f', 'n'. 0 = empty. */
uint8_t jsonspan_type(struct span value);

/* Walks an object's members or a list's elements. False at the end and when it is broken. For a list *ret_key
 * is empty; a key is given as it stands between its quotes, escapes and all. */
struct jsonspan jsonspan_open(struct span value);
bool jsonspan_next(struct jsonspan *s, struct span *ret_key, struct span *ret_value);

/* After the walk: -EBADMSG when it was broken or something but white space follows the value. */
int jsonspan_end(const struct jsonspan *s);

/* A string without quotes and escapes, in the arena, ended by NUL. -EBADMSG: not a string, a bad escape, a
 * control character or U+0000 in it; -ENOMEM. */
int jsonspan_string(struct span value, struct arena *a, const char **ret_string);

/* A whole number from 0. -EBADMSG. */
int jsonspan_u64(struct span value, uint64_t *ret_number);

static inline bool jsonspan_is(struct span s, const char *word)
{
	return span_eq(s, span_str(word));
}

#endif
