/*
 * learn.h - a new model from people's corrections, and whether it is better than the one that runs.
 *
 * Corrections are mostly messages the running model got wrong, so a model that merely changes looks good on them, and
 * wrong corrections in bulk agree with each other. A new model is therefore judged three times:
 *
 *	corrections	those the running model has not been trained with, held back in LEARN_FOLDS parts: each part is judged
 *			by a model trained on the other parts of everything. The new one must be right on more of them than
 *			the running one, by LEARN_GAIN of all of them and by two at least: what was learnt from some holds
 *			for others.
 *	training rows	held back in the same parts, once with the new corrections among what is trained on and once without:
 *			they must not spoil what was known.
 *	test rows	that nobody trained with, if there are any: the new model itself against the running one. Nor may its
 *			macro-F1 fall by more than LEARN_FALL below the running model's or the shipped one's, so that many
 *			small steps do not lead down.
 *
 * Corrections with the same words (common/signature.h: copies) count once, the last word holds.
 *
 * Not to spoil, not to be worse: where two models differ in being right, the losses do not outnumber the wins by more than
 * chance allows (McNemar, "Note on the sampling error of the difference between correlated proportions", 1947; one-sided,
 * 5 %).
 *
 * The model that is written was trained on everything, corrections included, with the options in the running model's
 * report (train_options.h).
 */
#ifndef ASCOLTO_INTENT_LEARN_H
#define ASCOLTO_INTENT_LEARN_H

#include "common/buf.h"
#include "common/err.h"
#include "services/intent/dataset.h"
#include "services/intent/model.h"

#define LEARN_FOLDS 5
#define LEARN_MIN 10   /* corrections, below which nothing can be said */
#define LEARN_GAIN 0.10
#define LEARN_FALL 0.02
#define LEARN_EXIT_REFUSED 3 /* of `ascolto intent learn`, when the new model is not better */

struct learn_options {
	const char *task;
	const struct dataset *rows;        /* training data, and corrections the running model knows already */
	const struct dataset *corrections; /* since then */
	const struct dataset *test;        /* may be empty */
	const struct model *running;
	const struct model *shipped;       /* NULL: the running one is the shipped one */
	int64_t trained_ms;
	void (*progress)(void *ctx, const char *sentence);
	void *ctx;
};

/* Figures of the comparison, and what came of it. */
struct learn_verdict {
	bool better;
	size_t corrections, running_right, new_right;     /* held-back corrections */
	size_t rows, rows_wins, rows_losses;              /* held-back training rows; wins: right only with corrections */
	size_t tested, wins, losses;                      /* test rows; wins: only the new one is right */
	double running_accuracy, new_accuracy, running_f1, new_f1, shipped_f1; /* on the test rows */
	char because[240];                                /* one sentence */
};

/*
 * The new model's file goes to `model`, the report for people to `report`; its first line is the verdict's sentence.
 * 0 whatever the verdict; -EINVAL when there are too few corrections; -ENOMEM.
 */
int learn(const struct learn_options *o, struct learn_verdict *ret, struct buf *model, struct buf *report, struct err *e);

#endif
