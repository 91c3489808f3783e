/*
 * check.h - what is wrong with training files, before a model learns it.
 *
 * Near-duplicates are rows whose sets of word pairs overlap by CHECK_NEAR or more (Jaccard; Broder, "On the
 * resemblance and containment of documents", 1997), found by comparing rows that share a rare word; within and across
 * files. Suspicious labels are rows where a model trained on the other folds answers something else with a
 * probability of CHECK_SURE or more.
 */
#ifndef ASCOLTO_INTENT_CHECK_H
#define ASCOLTO_INTENT_CHECK_H

#include "common/buf.h"
#include "services/intent/train.h"

#define CHECK_NEAR 0.6
#define CHECK_SURE 0.6

/* A report for people; *ret_across is the number of rows with a near-duplicate in another file. */
int check_dataset(const struct dataset *d, const struct train_options *o, struct buf *out, size_t *ret_across,
	struct err *e);

#endif
