/*
 * mentions.h - who spoke of what: the durable form of the topics' crowds, and of who counts in an incident.
 *
 * Mentions lie in the order of time, not of topics: what a busy hour adds is in one place of the store, and what is
 * too old to count (CROWD_STEPS) is taken away from the beginning, a piece at a time. A start reads them into the
 * crowds again.
 *
 * People of an incident are kept one by one as long as a topic has it, so that each counts once in its measures
 * (damage.h) however long it goes on.
 */
#ifndef ASCOLTO_ESCALATION_MENTIONS_H
#define ASCOLTO_ESCALATION_MENTIONS_H

#include "common/svc.h"
#include "services/escalation/topics/topic.h"

struct brand;

/* They spoke of that topic then. */
void mention_put(struct turn *t, struct brand *b, const struct id *topic, uint64_t who, int64_t at_ms);

/* Into the crowds of the brand's topics, which are there already. */
void mentions_restore(struct txn *t, struct brand *b);

/* The person counts for the incident from now on. True when they did not before; a handler that asks twice for the
 * same one is told so twice. */
bool incident_counts(struct turn *t, const struct id *incident, uint64_t who);

/* Nobody is counted for it any more. */
void incident_forget_people(struct turn *t, const struct id *incident);

#endif
