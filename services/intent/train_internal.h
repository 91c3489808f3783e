/*
 * train_internal.h - what the files of training share. Not for others.
 *
 *	train.c            all of it, and the file
 *	train_defaults.c   a task's recipe
 *	train_labels.c     labels, their columns, their names as rows
 *	train_fit.c        one fit
 *	train_held_out.c   scores on rows a fit has not seen: calibration and report
 *
 * All return 0, -ENOMEM or -EINVAL with a sentence.
 */
#ifndef ASCOLTO_INTENT_TRAIN_INTERNAL_H
#define ASCOLTO_INTENT_TRAIN_INTERNAL_H

#include "services/intent/matrix.h"
#include "services/intent/measure.h"
#include "services/intent/modelfile.h"
#include "services/intent/train.h"

#define TRAINING_KNOW_BUCKETS 2048
#define TRAINING_NAME_ROWS 2 /* made of each label's name */

struct training {
	struct train_options *o; /* as they turned out, by the labels */
	struct features_spec spec;
	struct dataset rows;        /* those given, then TRAINING_NAME_ROWS per label */
	size_t given;
	const struct dataset_row *original; /* of the rows given: they outlive the training, the copies do not */
	char **name;                /* the labels' names as texts */
	const char *labels[MODEL_LABELS_MAX]; /* per column */
	const char *finer[MODEL_LABELS_MAX];  /* what kind of the label's rows the column is for, "" = the rest */
	uint32_t n_labels;                    /* columns */
	bool multi, own;            /* own: not the labels of a task of the product */
	int *truth;                 /* exclusive: per row */
	struct matrix matrix;
	bool *held_out;             /* per row */
	float *weights;             /* of the last fit */
	struct measure_row *judged; /* held-out rows, for the report */
	float *scores;              /* held-out rows x labels */
	int *scored_truth;
	const struct dataset_row **scored_row;
	size_t n_scored;
	float temperature, answer_slope, answer_offset, threshold;
	struct model_platt platt[MODEL_LABELS_MAX];
};

void training_say(struct training *t, const char *fmt, ...) PRINTF(2, 3);

/* `out` becomes the model's file, with the weights and the calibration so far. */
int training_write(const struct training *t, const char *report, struct buf *out, struct err *e);

/* The recipe for labels of somebody's own, as long as none was given by hand. */
void training_choose(struct training *t);

/* Whether every row has a label of this set. */
bool training_labels_fit(const struct training *t, const char *const *set);

/* Whether a row's labels, separated by commas, have this one. */
bool training_has_label(const char *list, const char *label);

/* The column of a row: its label's for its kind, else its label's first. -1 for a label that is not there. */
int training_column_of(const struct training *t, const struct dataset_row *row);

int training_take_labels(struct training *t, struct err *e);
int training_add_names(struct training *t, struct err *e); /* the rows have room for them */
int training_take_truth(struct training *t, struct err *e);

/* Fits the rows that are not held out, and writes. */
int training_fit(struct training *t, struct buf *out, struct err *e);

/* Scores of rows a fit has not seen: in folds, each fit written to `bytes`; or of `valid`, by the model in it. */
int training_score_folds(struct training *t, struct buf *bytes, struct err *e);
int training_score_valid(struct training *t, const struct dataset *valid, const struct buf *bytes, struct err *e);

/* Temperature, thresholds and logistics from these scores; `bytes` is a model of the same labels. */
int training_calibrate(struct training *t, const struct buf *bytes, struct err *e);

/* About these rows, and what the options ask to be told; `bytes` has the calibration that was found. */
int training_report(struct training *t, const struct buf *bytes, struct buf *out, struct err *e);

#endif
