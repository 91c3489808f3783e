/*
 * texts.h - several wordings of one thing, per language and channel, checked as drafts (draft.h) for every channel on which
 * they would be said. Pure.
 *
 * A list for a channel is said there; one for every channel is said on all of the brand's channels (of the configuration)
 * that have none of their own in its language. Where a brand has no channels a list is checked once, for none. They may be
 * read by anybody: each is checked as in public. A text is compared with the one before it, for they take turns.
 */
#ifndef ASCOLTO_ESCALATION_TEXTS_H
#define ASCOLTO_ESCALATION_TEXTS_H

#include "services/escalation/answers/draft.h"

struct texts {
	const char *channel;  /* "" = every one */
	const char *language;
	char *const *list;
	size_t n;
};

/* `list` is the number of the texts, `text` of the one; `channel` the first on which it was found, "" = none. */
typedef void texts_fn(void *ctx, size_t list, size_t text, const char *channel, const struct draft_finding *f);

/* Calls fn for each thing found, once for each text and rule; twice where it blocks on some channels only. `author` may be
 * "". 0 or -ENOMEM. */
int texts_check(const struct playbook *p, const struct conf *conf, const char *brand, const struct texts *lists, size_t n,
	const char *author, texts_fn *fn, void *ctx);

/* The playbook's own, crisis.holding. */
int texts_check_playbook(const struct playbook *p, const struct conf *conf, const char *brand, texts_fn *fn, void *ctx);

#endif
