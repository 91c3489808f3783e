/*
 * signature.h - what a message is about, small enough to compare with thousands.
 *
 * terms, weights: the up to SIGNATURE_TERMS_MAX weightiest key terms as 32-bit hashes, ascending, with a weight each;
 *	the vector has length 1. A key term is a topic of the concept table (common/concept.h), so that "modem luce rossa
 *	da dopo l'aggiornamento" and "router dead since the update" share terms, or the stem of a word that is neither a
 *	stop word, nor a word of every complaint, nor a tone of voice. Handles, links, numbers and words that repeat a handle (the
 *	brand's name) are left out; names and hashtag words weigh little. Similarity is the cosine of two such
 *	vectors: Salton, Wong, Yang, "A vector space model for automatic indexing", CACM 18(11), 1975. In place of
 *	an inverse document frequency, which a single message cannot know, weights come from the kind of term: what is
 *	wrong (down, declined, late) counts more than the thing (modem, card), and a message that names things only,
 *	such as a question, is filled up by a term of its own, so that it is not near to all that name the thing.
 * sketch: SimHash of the words and their pairs (Charikar, "Similarity estimation techniques from rounding algorithms",
 *	STOC 2002). An edited copy differs in few of the 64 bits, up to SIGNATURE_NEAR_COPY; but so do short texts of two
 *	people ("il modem è rosso da stasera a Modena", "... a Carpi"): both must have SIGNATURE_NEAR_WORDS.
 * copy: equal for a text and its reposts: letter case, punctuation, emoji, links, handles, "RT @x:", "via @x" and
 *	framing words at either end ("leggete questo 👇", "this") do not count. 0 when fewer than SIGNATURE_COPY_WORDS
 *	words remain: people write "ok grazie" on their own.
 *
 * Similarity of two messages about one problem is typically above SIGNATURE_SAME_TOPIC, of different problems below.
 */
#ifndef ASCOLTO_SIGNATURE_H
#define ASCOLTO_SIGNATURE_H

#include "common/arena.h"
#include "common/base.h"
#include "proto/ascolto.pb-c.h"

#define SIGNATURE_TERMS_MAX 16
#define SIGNATURE_COPY_WORDS 5
#define SIGNATURE_NEAR_COPY 10
#define SIGNATURE_NEAR_WORDS 12
#define SIGNATURE_SAME_TOPIC 0.40

struct text;

/* `lang` may be NULL or "": then a word counts as one of any language. `ret` must be initialised; its lists live in the arena. 0 or -ENOMEM. */
int signature_compute(struct span text, const char *lang, struct arena *a, Ascolto__Signature *ret);

/* The same for a text that has been read already. */
int signature_of_text(const struct text *t, int language, struct arena *a, Ascolto__Signature *ret);

/* A danger the text speaks of. */
struct danger {
	unsigned number;  /* below SIGNATURE_DANGERS, of this danger always the same */
	const char *name; /* "fire" */
	bool plain;       /* its words hardly mean anything else; "fire" and "sick" do */
};
#define SIGNATURE_DANGERS 8
size_t signature_dangers(const Ascolto__Signature *s, struct danger ret[SIGNATURE_DANGERS]);

/* The text names something that is wrong: a danger, or what is down, late, declined, defective, charged
 * twice, ... */
bool signature_names_trouble(const Ascolto__Signature *s);

/* 0 to 1; 0 when either has no terms. Takes any signature, sorted or not as a stranger may send it. */
double signature_similarity(const Ascolto__Signature *a, const Ascolto__Signature *b);

/* Bits that are set. In parts that double: a message is compared with hundreds, and not every processor has
 * an instruction. */
static inline unsigned signature_ones(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555u;
	x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)(x * 0x0101010101010101u >> 56);
}

/* One text is an edited copy of the other. */
static inline bool signature_near_copy(
	uint64_t sketch, uint32_t words, uint64_t other_sketch, uint32_t other_words)
{
	return MIN(words, other_words) >= SIGNATURE_NEAR_WORDS &&
	       signature_ones(sketch ^ other_sketch) <= SIGNATURE_NEAR_COPY;
}

/* Bits that differ, 0 to 64. */
static inline int signature_sketch_distance(const Ascolto__Signature *a, const Ascolto__Signature *b)
{
	return (int)signature_ones(a->sketch ^ b->sketch);
}

#endif
