/*
 * panel.h - several models side by side, so that one pass over a message scores all of them.
 *
 * Models trained on the same rows read the same features with the same idf. Laid out in one table, a row per bucket,
 * the weights of all of them for a bucket share a cache line, where apart each would miss the cache on its own. What
 * is different (spec or idf) goes to a panel of its own; a panel of one is the model itself, nothing is copied.
 *
 * The scores are exactly those of model_score on each model. Immutable; may be used by many threads.
 */
#ifndef ASCOLTO_INTENT_PANEL_H
#define ASCOLTO_INTENT_PANEL_H

#include "services/intent/model.h"

#define PANEL_MODELS_MAX 8

struct panel {
	size_t n;
	const struct model *model[PANEL_MODELS_MAX]; /* borrowed */
	uint32_t from[PANEL_MODELS_MAX];             /* where each one's scores begin */
	struct model table;                          /* all columns; what a panel of one has is the model's */
	struct model_head head;
	void *memory;
};

/* Whether `m` may join: the same features, the same idf, and room for its labels. An empty panel takes any model. */
bool panel_takes(const struct panel *p, const struct model *m);

void panel_add(struct panel *p, const struct model *m);

/* After the last add: makes the table. 0 or -ENOMEM. */
int panel_make(struct panel *p);

/* Scores of all models; `scores` has room for MODEL_LABELS_MAX + 32. Model i's begin at from[i]. */
static inline void panel_score(const struct panel *p, const struct features *f, float *scores)
{
	model_score(&p->table, f, scores);
}

void panel_free(struct panel *p);

#endif
