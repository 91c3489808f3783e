/*
 * measure.h - how good a model is, in numbers and as a report for people.
 *
 * Expected calibration error: 15 bins of equal width over the probability of the given answer (Naeini,
 * Cooper, Hauskrecht, AAAI 2015). Exact probabilities do not reach 0 either, the less so the fewer rows there
 * are; what they would have on average stands beside it: the sum of the bins' mean absolute deviations,
 * sqrt(2 / pi * sum of p (1 - p)), by rows.
 *
 * Macro-F1 is the mean of F1 over the labels that occur in truth or prediction. For multi-label tasks
 * accuracy is the share of rows with exactly the right set, and macro-F1 the mean over labels that occur.
 */
#ifndef ASCOLTO_INTENT_MEASURE_H
#define ASCOLTO_INTENT_MEASURE_H

#include "common/buf.h"
#include "services/intent/dataset.h"
#include "services/intent/model.h"

/* What a model said about one row. Labels a model has never seen are -1. */
struct measure_row {
	int truth, answer; /* exclusive: columns */
	float probability; /* of the answer */
	uint64_t truth_set[MODEL_LABELS_MAX / 64], answer_set[MODEL_LABELS_MAX / 64]; /* multi-label */
};

struct measure {
	size_t rows;
	double accuracy, macro_f1, micro_f1, calibration_error, calibration_chance, log_loss;
	double answered, accuracy_answered; /* at the model's threshold */
	double accuracy_top80;              /* on the 80 % of rows the model is surest of */
};

/* One row from the model's probabilities and the true label(s). */
void measure_row_set(const struct model *m, const float *p, const char *label, struct measure_row *ret);

/* The model's answers to the rows; `ret` has room for d->n. Also the seconds it took. 0 or -ENOMEM. */
int measure_run(const struct model *m, const struct dataset *d, struct measure_row *ret, double *ret_seconds);

void measure_sum(const struct model *m, const struct measure_row *rows, size_t n, struct measure *ret);

/* The calibration error of an exclusive model's answers, and what exact probabilities would have. */
double measure_calibration(const struct measure_row *rows, size_t n, double *ret_chance);

/* Totals, per-label table, most frequent confusions, abstention curve. */
void measure_report(const struct model *m, const struct measure_row *rows, size_t n, struct buf *out);

#endif
