/*
 * keywords.h - the few words by which people recognise a message in a list.
 *
 * Up to KEYWORDS_MAX words as typed (folded), in the order of the text: words that name a topic first, then longer and
 * rarer-looking ones; no stop words of the language, no handles, links or numbers, one per stem.
 */
#ifndef ASCOLTO_INTENT_KEYWORDS_H
#define ASCOLTO_INTENT_KEYWORDS_H

#include "common/arena.h"
#include "common/text.h"

#define KEYWORDS_MAX 6

/* 0 or -ENOMEM. */
int keywords_of(const struct text *t, int language, struct arena *a, char ***ret_words, size_t *ret_n);

#endif
