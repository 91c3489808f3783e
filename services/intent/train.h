/*
 * train.h - from labelled messages to a model file.
 *
 * liblinear solves (Fan, Chang, Hsieh, Wang, Lin, "LIBLINEAR: a library for large linear classification", JMLR
 * 9, 2008; solver 4 is Crammer and Singer's multi-class SVM); features, weights' quantisation, calibration and
 * the file are ours. One training is deterministic: the same rows, options and program give the same bytes.
 *
 * Labels of somebody's own carry names that say what they mean ("card_arrival"): each name joins the rows as a
 * text of its label, never held out, not counted.
 *
 * Calibration and the abstention threshold come from rows the fitted model has not seen: the `valid` rows when
 * given, else out-of-fold predictions (TRAIN_FOLDS folds up to TRAIN_FOLDS_ROWS rows, above that one tenth held
 * out, chosen by the text's hash); then the final model is fitted on all rows. The temperature minimises the log
 * loss (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017). What it leaves, and
 * of a support vector machine that is much, a logistic of the answer's log-odds takes (calibrate_answer). The
 * threshold maximises right answers minus `abstain_cost` times wrong ones.
 *
 * A label that covers messages of many kinds is learnt kind by kind: where the rows name what divides it
 * (dataset_finer, the intent for most tasks), each pair of label and kind that has TRAIN_FINER_ROWS rows gets a
 * column of its own, and the model sums the columns of a label (model.h). Multi-label tasks get a logistic (Platt)
 * and the threshold per label that calibrate.h explains.
 */
#ifndef ASCOLTO_INTENT_TRAIN_H
#define ASCOLTO_INTENT_TRAIN_H

#include "common/buf.h"
#include "common/err.h"
#include "services/intent/dataset.h"
#include "services/intent/model.h"

#define TRAIN_FOLDS 5
#define TRAIN_FOLDS_ROWS 6000
#define TRAIN_FINER_ROWS 10
#define TRAIN_FEW_ROWS 10
#define TRAIN_MANY_LABELS 24 /* of somebody's own: with so many, or fewer than TRAIN_MANY_ROWS rows each, intents */
#define TRAIN_MANY_ROWS 50
#define TRAIN_FILE_BYTES (2900u * 1000) /* what the tables are sized for when no size is asked for */

/* A row whose label a model that has not seen it doubts. */
struct train_suspect {
	const struct dataset_row *row; /* NULL ends the list */
	int answer;                    /* the model's label */
	float probability;
};

struct train_options {
	const char *task;
	struct features_spec spec; /* buckets 0 everywhere: sized by the number of labels */
	float weight[BLOCKS];      /* how much each block counts */
	int solver;                /* liblinear's -s */
	double c, eps;
	double balance;            /* 0: rows count alike; 1: labels count alike, but for those of few rows */
	double abstain_cost;
	struct train_suspect *suspects; /* room for all rows and the end, surest first; NULL = not wanted */
	double suspect_probability;
	unsigned folds;            /* 0: TRAIN_FOLDS, or one tenth held out when there are many rows */
	bool by_labels;            /* features, solver, C, eps, balance: by how many labels of somebody's own there are */
	bool no_calibration;       /* one fit, temperature 1: for trying things out */
	int64_t trained_ms;
	void (*progress)(void *ctx, const char *sentence);
	void *ctx;
};

/*
 * Defaults for a task of the product, or for any single-label task. Labels of somebody's own - no set of the product's
 * has them all - get what is best for their number, or for sentiment when they are its labels, as long as `by_labels`
 * stands; an option given by hand (train_options.h) takes it away.
 */
void train_defaults(struct train_options *o, const char *task);

/*
 * The model file goes to `out` (its max must allow MODEL_FILE_MAX at most). `valid` may be NULL. -EINVAL when
 * the rows cannot make a model (fewer than two labels, too many); -ENOMEM.
 */
int train_model(const struct dataset *rows, const struct dataset *valid, const struct train_options *o, struct buf *out,
	struct err *e);

/* Writes through a temporary file beside `path` and a rename, so that a reader sees the old or the new model. */
int train_save(const struct buf *model, const char *path, struct err *e);

#endif
