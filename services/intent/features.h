/*
 * features.h - a message as numbers of buckets in hashed tables.
 *
 * There are four tables (blocks), each normalised to length 1 on its own, so that many character n-grams do not drown
 * few words:
 *	word	words, pairs of words, their Snowball stems, emoji, marks; words under a negation ("non", "not",
 *		"senza", up to three words on) once more as negated
 *	chars	character n-grams within words, with the word's boundaries
 *	pairs	stems, and every two of them within FEATURES_APART words of each other, whichever comes first
 *	know	concepts (common/concept.h), also under a negation; surface, channel, language, length, capitals, shouting
 * A feature's bucket is its 32-bit hash scaled to the block's size; a bucket counts once per message. At most
 * FEATURES_MAX buckets per block are read, the rest of a very long message is ignored.
 *
 * `struct features` is working memory: initialised once, used for one message after another by one thread, no
 * allocation in between.
 */
#ifndef ASCOLTO_INTENT_FEATURES_H
#define ASCOLTO_INTENT_FEATURES_H

#include "common/base.h"
#include "common/text.h"

#define FEATURES_MAX 16384
#define FEATURES_BUCKETS_MAX (1u << 18)
#define FEATURES_APART 16

enum { BLOCK_WORD, BLOCK_CHARS, BLOCK_PAIRS, BLOCK_KNOW, BLOCKS };

enum {
	FEATURE_STEM = 1,      /* stems beside words */
	FEATURE_NEGATION = 2,
	FEATURE_CONCEPT = 4,
	FEATURE_META = 8,      /* surface, channel, language, length, capitals */
	FEATURE_STYLE = 16,    /* marks, emoji, capitals, elongation */
	FEATURE_PLAIN = 32,    /* accents taken off, so that "perché", "perche" and "perchè" are one word */
	FEATURE_SKIP = 64,     /* pairs of words with one word between */
	FEATURE_HANDLE = 128,  /* handles by name; otherwise all are one word */
	FEATURE_PAIR = 256,    /* the block of pairs */
	FEATURE_CRISIS = 512,  /* the concepts of a place in danger instead of the others */
};

/* Stored in the model file as it is. */
struct features_spec {
	uint32_t options;
	uint32_t buckets[BLOCKS]; /* 0 = the block is not used */
	uint8_t chars_min, chars_max; /* 1 to 6 */
	uint8_t words_max;            /* 1 to 3 */
	uint8_t reserved;
};

struct features_input {
	struct text text;
	struct text subject; /* count 0 when there is none */
	int language;        /* common/words.h */
	const char *surface, *channel;
};

/* Told about every feature as it is found: `name` is for people and lives during the call. */
typedef void features_named(void *ctx, int block, uint32_t bucket, const char *name);

struct features {
	uint32_t *bucket[BLOCKS];
	size_t n[BLOCKS];
	uint64_t *seen; /* one bit per bucket, all clear between messages */
	features_named *named;
	void *named_ctx;
};

int features_init(struct features *f); /* 0 or -ENOMEM */
void features_free(struct features *f);

/* The limits above; -EINVAL for a specification no version of this program has written. */
int features_spec_check(const struct features_spec *s);

/* Fills bucket and n; what was there is forgotten. */
void features_extract(struct features *f, const struct features_spec *s, const struct features_input *in);

#endif
