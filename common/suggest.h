/*
 * suggest.h - "did you mean": what to say when a word is none of those that are known.
 */
#ifndef ASCOLTO_SUGGEST_H
#define ASCOLTO_SUGGEST_H

#include "base.h"

/* Letters to change, add or leave out to make one word of the other (Levenshtein); 64 for words longer than that. */
unsigned word_distance(const char *a, const char *b);

/* Writes into `out` "; did you mean "brand"?" when one of the words is near, or else "; MANY name, brand" with all of
 * them, where MANY is like "the keys are". Returns `out`. */
const char *suggest(char *out, size_t size, const char *word, const char *const *words, size_t n, const char *many);

#endif
