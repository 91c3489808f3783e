/*
 * concept.h - words of several languages that mean the same thing to customer care.
 *
 * concepts.def is a table written by hand: "modem", "router" and "apparato" are the concept `modem`; "non funziona",
 * "giù", "dead" and "caído" are `down`. Signatures (common/signature.h) use the topic concepts to group messages about
 * one problem across wording and language; the intent models use all of them as features, so that a word the training
 * rows never showed still means something.
 *
 * An entry is a word, a beginning of a word (ending in '*'), or several words joined by '_' that follow each other.
 * Entries belong to languages because words mislead across them ("male", "rate", "fine"). When the language is unknown
 * an entry of any language counts. The longest entry wins. Thread-safe; built at the first use.
 */
#ifndef ASCOLTO_CONCEPT_H
#define ASCOLTO_CONCEPT_H

#include "common/base.h"
#include "common/text.h"

enum concept_group {
	CONCEPT_TOPIC,   /* what a problem is about; part of the signature */
	CONCEPT_GENERIC, /* words of every complaint: customer, service, problem; nearly nothing in a signature */
	CONCEPT_TONE,    /* how it is said: not in a signature */
	CONCEPT_CRISIS,  /* what is written when a place is in danger; found by concept_match_crisis alone */
};

#define CONCEPT_NONE (-1)

/* The concept that begins at token `i`, and how many tokens it takes. CONCEPT_NONE when there is none. */
int concept_match(const struct text *t, size_t i, int language, size_t *ret_tokens);

/* The same among the words of CONCEPT_CRISIS, of which a few dozen say how urgent a message is wherever it comes from. */
int concept_match_crisis(const struct text *t, size_t i, int language, size_t *ret_tokens);

const char *concept_name(int concept);
enum concept_group concept_group_of(int concept);
int concept_count(void);

#endif
