#include "services/intent/solver.h"
#include "services/intent/train_internal.h"

static int fit_labels(struct training *t, const int *label, int classes, float *weights, struct err *e)
{
	const struct matrix *m = &t->matrix;
	struct feature_node **row = malloc((m->rows + 1) * sizeof(struct feature_node *));
	int *y = malloc((m->rows + 1) * sizeof(*y));
	double *weight = calloc((size_t)classes, sizeof(*weight));
	int r = row && y && weight ? 0 : err_set(e, -ENOMEM, "out of memory");
	size_t n = 0;
	for (size_t i = 0; r == 0 && i < m->rows; i++)
		if (!t->held_out[i]) {
			row[n] = m->node[i];
			y[n] = label[i];
			weight[label[i]]++;
			n++;
		}
	int used = 0;
	for (int c = 0; r == 0 && c < classes; c++)
		used += weight[c] > 0;
	for (int c = 0; r == 0 && c < classes; c++)
		weight[c] = weight[c] >= TRAIN_FEW_ROWS ? __builtin_pow((double)n / used / weight[c], t->o->balance) : 1;
	struct solver_problem p = {.rows = n, .dimensions = m->dimensions + 1, .classes = classes, .row = row, .label = y,
		.solver = t->o->solver, .c = t->o->c, .eps = t->o->eps, .class_weight = t->o->balance > 0 ? weight : NULL};
	if (r == 0 && n > 0)
		r = solver_fit(&p, weights, e);
	free(row);
	free(y);
	free(weight);
	return r;
}

/* One label against the rest, for each label. */
static int fit_multi(struct training *t, struct err *e)
{
	size_t dimensions = t->matrix.dimensions + 1;
	float *two = malloc(dimensions * 2 * sizeof(*two));
	int *label = malloc((t->rows.n + 1) * sizeof(*label));
	int r = two && label ? 0 : err_set(e, -ENOMEM, "out of memory");
	for (uint32_t c = 0; c < t->n_labels && r == 0; c++) {
		for (size_t i = 0; i < t->rows.n; i++)
			label[i] = training_has_label(t->rows.rows[i].label, t->labels[c]);
		r = fit_labels(t, label, 2, two, e);
		for (size_t d = 0; d < dimensions && r == 0; d++)
			t->weights[d * t->n_labels + c] = two[d * 2 + 1];
	}
	free(two);
	free(label);
	return r;
}

int training_fit(struct training *t, struct buf *out, struct err *e)
{
	int r = t->multi ? fit_multi(t, e) : fit_labels(t, t->truth, (int)t->n_labels, t->weights, e);
	return r < 0 ? r : training_write(t, "", out, e);
}
