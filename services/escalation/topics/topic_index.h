/*
 * topic_index.h - which live topics share weighty terms with this: an inverted index over the topics' centres.
 *
 * For every term of every centre one posting (topic, weight). The nearest centre by cosine is found as by comparing with
 * all, and exactly so, but cheaply: terms of the question are taken heaviest first, and once those that are left could
 * not, all together, bring a topic that has none of the earlier ones near enough (Cauchy-Schwarz: no more than the root of
 * their squares' sum), no further topic is looked at; of those met, the same bound leaves few to be compared in full.
 * That is the prefix filter of Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", WWW 2007.
 *
 * Memory: 12 bytes a posting in lists that double, 1 MiB of list heads, and 20 bytes for each place a topic may have.
 */
#ifndef ASCOLTO_ESCALATION_TOPIC_INDEX_H
#define ASCOLTO_ESCALATION_TOPIC_INDEX_H

#include "common/base.h"

struct topic;
struct topic_index;

/* What is looked for: ascending terms of a vector; its length does not matter to the order, nearness is times it. */
struct topic_query {
	const uint32_t *terms;
	const float *weights;
	size_t n;
	double least;                                                /* this near, or it is not found */
	bool (*allowed)(const struct topic *t, const void *ctx); /* NULL: all */
	const void *ctx;
};

/* A topic is known by its place in `by_slot` (topic->slot), which is borrowed and has room for topics_max. */
int topic_index_new(struct topic_index **ret, struct topic *const *by_slot, size_t topics_max);
void topic_index_free(struct topic_index **ix);

/* The topic's i-th term is new, is about to go, or has another weight. Without memory for it the topic is not found by it. */
void topic_index_add(struct topic_index *ix, struct topic *t, size_t i);
void topic_index_remove(struct topic_index *ix, struct topic *t, size_t i);
void topic_index_weigh(struct topic_index *ix, const struct topic *t, size_t i);

/* The topic's norm is another. */
void topic_index_length(struct topic_index *ix, const struct topic *t);

/* The nearest; of several as near the one with more messages, then with the smaller id. *ret_nearness is 0 without one. */
struct topic *topic_index_nearest(struct topic_index *ix, const struct topic_query *q, double *ret_nearness);

/* Of two sparse vectors with ascending terms. */
double topic_dot_product(const uint32_t *a, const float *aw, size_t na, const uint32_t *b, const float *bw, size_t nb);

#endif
