/*
 * bench.h - ours and a tuned fastText on the same rows, in one run.
 *
 * The data folder is $ASCOLTO_DATA, else ../shared/data/dev beside the repository; the bench skips (exit 77)
 * without it. Only training and validation files are read. fastText's settings are chosen on the very rows
 * that are reported, which favours it; ours are the program's defaults.
 *
 * Beside the calibration error stands what exact probabilities would have on as many rows (measure.h).
 */
#ifndef ASCOLTO_BENCH_INTENT_H
#define ASCOLTO_BENCH_INTENT_H

#include "common/buf.h"
#include "services/intent/dataset.h"
#include "services/intent/measure.h"
#include "services/intent/train.h"

extern char bench_folder[4096]; /* of the data */
extern char bench_work[64];     /* a temporary folder */

/* What one contender did on one task. Fields are negative when they do not apply. */
struct outcome {
	double accuracy, macro_f1, calibration_error, calibration_chance, top80;
	double train_seconds, per_second, megabytes;
};

/* True labels against answers, over the tests of several models. */
struct tally {
	struct measure_row *rows; /* room for all */
	size_t n;
	size_t labels;
	struct {
		char name[48];
		size_t truth, answer, both;
	} label[MODEL_LABELS_MAX];
};

/* The mean F1 of the labels that occur as truth or answer. */
double bench_macro_f1(const struct tally *t);

/* Appends the rows of `from` that `want` accepts; texts stay borrowed from `from`. */
void bench_pick(struct dataset *to, const struct dataset *from, bool (*want)(const struct dataset_row *, const void *),
	const void *ctx);

/* Exits with a sentence when the file cannot be read. */
void bench_read(struct dataset *d, const char *file, const char *column);

/* crc32(text) % 10 == 0, the split the data folder's README asks for. */
bool bench_is_validation(const char *text);

/* Trains and measures; `judged` (room for test->n) and `tally`, which the answers join, may be NULL. */
struct outcome bench_ours(const char *task, const struct dataset *train, const struct dataset *test,
	struct measure_row *judged, struct tally *tally);

/* fastText's best over the grid, or accuracy -1 when the program is not installed. */
struct outcome bench_fasttext(const struct dataset *train, const struct dataset *test);

double bench_seconds(void);

#endif
