/*
 * length.h - how long a text is as its network counts, and how long it may be there. Pure.
 *
 *	characters  code points
 *	graphemes   what a reader takes for one (Unicode Standard Annex 29)
 *	weighted    X: a code point of most alphabets is 1; others, and an emoji however many code points it is made of, are 2
 *	utf16       units of UTF-16
 *	bytes       of UTF-8
 *
 * A link counts as `link` on networks that shorten links, else by its characters. Limits are those the networks document
 * for replies and private messages; networks change them, and a voice of the playbook (max_characters) can only tighten them.
 */
#ifndef ASCOLTO_ESCALATION_LENGTH_H
#define ASCOLTO_ESCALATION_LENGTH_H

#include "common/base.h"

enum length_unit { LENGTH_CHARACTERS, LENGTH_GRAPHEMES, LENGTH_WEIGHTED, LENGTH_UTF16, LENGTH_BYTES, LENGTH_UNITS };

struct length_limit {
	uint32_t max;  /* 0 = none is known */
	enum length_unit unit;
	uint32_t link; /* 0 = by its characters */
};

extern const char *const length_units[LENGTH_UNITS + 1]; /* their words; ends with NULL */
int length_unit_of(const char *word); /* -1 for others */

struct length_limit length_limit_of(const char *network, bool in_public);

/* Bytes that are not UTF-8 count as one each. */
uint32_t length_of(struct span text, const struct length_limit *how);

#endif
