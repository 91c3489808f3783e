/*
 * copies.h - the texts a brand got lately, to know by them what is repeated: the same text, or an edited one
 * (common/signature.h). A ring of COPIES_KEPT; a text is remembered once, with who wrote it first.
 *
 * Every message is compared with all of them, which costs about a microsecond.
 */
#ifndef ASCOLTO_ESCALATION_COPIES_H
#define ASCOLTO_ESCALATION_COPIES_H

#include "common/base.h"
#include "common/signature.h"

#include "proto/state.pb-c.h"

#define COPIES_KEPT 512

/* Side by side by kind, for a quick look through. A place without a text has no hash and no words. */
struct copies {
	uint64_t hash[COPIES_KEPT], sketch[COPIES_KEPT], who[COPIES_KEPT];
	uint32_t words[COPIES_KEPT];
	uint64_t last; /* number of the latest; it stands at the number modulo COPIES_KEPT */
};

/* Where the text that this one repeats stands: the same, else an edited one. -1: none. */
int copies_find(const struct copies *c, const Ascolto__Signature *s);

/* Remembers a text that is not found; its number. Texts without a copy hash are too short to be one. */
uint64_t copies_add(struct copies *c, const Ascolto__Signature *s, uint64_t who);
void copies_restore(struct copies *c, const State__Copy *row);

#endif
