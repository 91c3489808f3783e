/*
 * load.h - the bench's messages: what intent would hand to escalation, packed, without running it.
 *
 * Subjects. Each has three terms of its own and seven out of a vocabulary whose words are not equally
 * frequent, so that some words are in hundreds of topics and most in few; a message says its own terms, half
 * of the others, and one or two more. Subjects are not equally frequent either. LOAD_SUBJECTS of them keep
 * the live topics at their maximum; one message in some hundred is about a new subject, for which the stalest
 * topic goes.
 *
 * Writers. Of every ten customers one has an open case (people.h), eight had one long ago, one says only what
 * needs no case. A message in three is of somebody with an open case and is added to it; one in twelve opens
 * a case, always of somebody else; the others need none: half of them chat, praise or joke, some are reposts,
 * the brand's own words, or deletions. The first and the last kind of writers are chosen unevenly, so that a
 * tenth of them write a third of what is written.
 *
 * The same seed gives the same messages. Time moves a second a message.
 */
#ifndef ASCOLTO_BENCH_LOAD_H
#define ASCOLTO_BENCH_LOAD_H

#include "common/arena.h"
#include "common/base.h"

#define LOAD_BRAND "bench"
#define LOAD_SUBJECTS 5000
#define LOAD_GAP_MS 1000
#define LOAD_START_MS ((int64_t)1800000000000)

struct load;

int load_new(struct load **ret, uint64_t customers);
void load_free(struct load **l);

/* From now on one message in `one_in` is about one thing, told by people who need help: a storm. 0: it is
 * over. */
void load_storm(struct load *l, unsigned one_in);

/* The next message, as a packed envelope in the arena, and when it was written. */
struct span load_next(struct load *l, struct arena *a, int64_t *ret_ms);

#endif
