/*
 * dataset.h - labelled messages from TAB-separated files.
 *
 * A file has a header line that names its columns, UTF-8, no quoting. `text` is needed; the label is the column asked
 * for, else the column with the task's name ("language" is also "lang"), else `label`; `lang`, `surface` and `channel`
 * are used when they are there. A language other than those of the task, by its two letters, reads as "other". Rows that cannot be used are skipped and told, each as "FILE:LINE: why": wrong number
 * of columns, no text, no label, a label the task does not have.
 */
#ifndef ASCOLTO_INTENT_DATASET_H
#define ASCOLTO_INTENT_DATASET_H

#include "common/base.h"
#include "common/err.h"

#define DATASET_FILE_MAX ((size_t)512 * 1024 * 1024)
#define DATASET_COLUMNS_MAX 32

struct dataset_row {
	const char *text, *label; /* a multi-label task's labels are separated by commas; "-" for none */
	const char *finer; /* what divides the label further (dataset_finer), "" when the file does not say */
	const char *lang, *surface, *channel, *id;
	uint32_t file, line;
};

struct dataset {
	struct dataset_row *rows;
	size_t n, cap;
	char **buffers;
	char **files;
	size_t n_files;
};

typedef void dataset_complaint(void *ctx, const char *sentence);

/* Adds a file's rows. `column` may be NULL. 0 or an error that names the file. */
int dataset_read(struct dataset *d, const char *path, const char *task, const char *column,
	dataset_complaint *complain, void *ctx, struct err *e);
void dataset_free(struct dataset *d);

/* The label set of a task of the product, NULL-terminated; NULL for a task of somebody's own. */
const char *const *dataset_labels(const char *task);

/*
 * The column whose words divide a task's labels further, NULL when there is none: "service" is a fault reported, a parcel
 * asked about, a bill disputed, which look less alike than the label says (train.h).
 */
const char *dataset_finer(const char *task);

/* "flags" has any number of labels per row, other tasks one. */
bool dataset_is_multi(const char *task);

/* "FILE:LINE" into `out`, which is returned. */
char *dataset_place(const struct dataset *d, const struct dataset_row *r, char *out, size_t len);

#endif
