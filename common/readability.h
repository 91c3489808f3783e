/*
 * readability.h - how hard a text is to read, and how it sounds: for the check of drafts. Pure.
 *
 * Gulpease (Italian): 89 + (300 * sentences - 10 * letters) / words, 0 to 100; below 60 hard for people with primary
 * school, below 40 for people with high school (Lucisano, Piemontese, "GULPEASE: una formula per la predizione della
 * difficolta dei testi in lingua italiana", Scuola e Citta 39, 1988). Flesch reading ease (English): 206.835 -
 * 1.015 * words / sentences - 84.6 * syllables / words (Flesch, "A new readability yardstick", Journal of Applied
 * Psychology 32, 1948); below 60 harder than plain English. Other languages have no index here.
 */
#ifndef ASCOLTO_READABILITY_H
#define ASCOLTO_READABILITY_H

#include "common/arena.h"
#include "common/base.h"

enum formality { FORMALITY_UNKNOWN, FORMALITY_INFORMAL, FORMALITY_FORMAL }; /* tu, Lei; du, Sie; in English "hey", "Dear" */

struct readability {
	bool known;   /* the index applies: Italian or English, with at least one word */
	double index; /* Gulpease or Flesch, larger is easier */
	uint32_t words, sentences, letters, syllables; /* syllables are an estimate, English only */
};

struct tone {
	enum formality formality;
	uint32_t capital_words;    /* four letters or more, all capitals */
	uint32_t exclamation_runs; /* "!!", "?!" and longer */
	uint32_t emoji;
	uint32_t slang;            /* chat spellings and swear words: "cmq", "xké", "lol" */
	uint32_t elongated;
	double capital_share;      /* of the letters */
	struct span informal_word, slang_word; /* the first of each, folded, in the arena; empty = none */
};

/* `lang` is an ISO 639-1 code. 0 or -ENOMEM. */
int readability_of(struct span text, const char *lang, struct arena *a, struct readability *ret);
int tone_of(struct span text, const char *lang, struct arena *a, struct tone *ret);

#endif
