/*
 * words.h - what the product knows about words of six languages: stop words and stems.
 *
 * Languages are numbers here, -1 meaning "do not know". Words are tokens of common/text.h: normalised and folded.
 * The stop words (words_stop.def) are written by hand: articles, prepositions, pronouns, auxiliaries, greetings. A
 * word of any language counts when the language is -1. Stems are Snowball's (libstemmer). Thread-safe; the tables are
 * built at the first use and never change.
 */
#ifndef ASCOLTO_WORDS_H
#define ASCOLTO_WORDS_H

#include "common/base.h"

enum words_language { WORDS_NONE = -1, WORDS_IT, WORDS_EN, WORDS_ES, WORDS_FR, WORDS_DE, WORDS_PT, WORDS_LANGUAGES };

#define WORDS_STEM_MAX 64

/* WORDS_NONE for NULL, "" and languages we do not know. Only the first two letters count ("it-IT"). */
int words_language_of(const char *code);

/* "it", ..., or "" for WORDS_NONE. */
const char *words_language_code(int language);

/* Bit 1 << language for each language whose stop word this is; 0 for none. */
unsigned words_stop_mask(struct span word);

static inline bool words_is_stop(struct span word, int language)
{
	unsigned mask = words_stop_mask(word);
	return language < 0 ? mask != 0 : (mask >> language) & 1;
}

/* Writes the stem and returns it (borrowed from `out`); the word itself when the language is unknown. */
struct span words_stem(struct span word, int language, uint8_t out[WORDS_STEM_MAX]);

#endif
