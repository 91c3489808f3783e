/*
 * matrix.h - all rows of a dataset as feature buckets, and as the solver's sparse rows.
 *
 * Buckets are found once; any number of fits read them. The idf of a bucket is 1 + ln((1 + rows) / (1 + rows that have
 * it)), as a share of the largest possible, to the power of 0.7 (cross-validated: 0.5 to 0.7 is best), scaled to 1..127:
 * what the model file stores and inference uses, so that training sees the same numbers.
 */
#ifndef ASCOLTO_INTENT_MATRIX_H
#define ASCOLTO_INTENT_MATRIX_H

#include "services/intent/dataset.h"
#include "services/intent/features.h"

struct feature_node; /* liblinear's */

struct matrix {
	struct features_spec spec;
	size_t rows;
	uint32_t *bucket;
	size_t *start; /* of block b of row i: start[i * BLOCKS + b]; one more at the end */
	size_t n, cap;
	uint8_t *idf[BLOCKS];
	struct feature_node **node; /* per row, ends with index -1 */
	struct feature_node *nodes;
	uint32_t dimensions; /* without the bias */
};

/* 0 or -ENOMEM. */
int matrix_build(struct matrix *m, const struct dataset *d, const struct features_spec *s);

/* Computes idf and the solver's rows; the blocks' values are scaled by `weight`. */
int matrix_weigh(struct matrix *m, const float weight[BLOCKS]);

void matrix_free(struct matrix *m);

/* Row `i` as inference sees it; borrowed. */
struct features matrix_row(const struct matrix *m, size_t i);

/* One dataset row as features see it. The arena is reset first. 0 or -ENOMEM. */
int matrix_read_row(const struct dataset_row *row, struct arena *a, struct features_input *ret);

#endif
