#include "solver.h"

#include <linear.h>

static void say_nothing(const char *s)
{
	(void)s;
}

/* liblinear numbers classes in the order it meets them and keeps one column for two classes. */
static void copy_weights(const struct model *m, size_t dimensions, int classes, float *weights)
{
	int columns = m->nr_class == 2 && m->param.solver_type != MCSVM_CS ? 1 : m->nr_class;
	memset(weights, 0, dimensions * (size_t)classes * sizeof(*weights));
	for (size_t d = 0; d < dimensions; d++) {
		float *row = weights + d * (size_t)classes;
		const double *w = m->w + d * (size_t)columns;
		if (columns == 1) {
			row[m->label[0]] = (float)w[0];
			row[m->label[1]] = (float)-w[0];
			continue;
		}
		for (int c = 0; c < columns; c++)
			row[m->label[c]] = (float)w[c];
	}
}

int solver_fit(const struct solver_problem *p, float *weights, struct err *e)
{
	double *y = malloc((p->rows + 1) * sizeof(*y));
	int *classes = malloc((size_t)p->classes * sizeof(*classes));
	struct problem problem = {.l = (int)p->rows, .n = (int)p->dimensions, .y = y,
		.x = (struct feature_node **)(uintptr_t)p->row, .bias = 1};
	struct parameter parameter = {.solver_type = p->solver, .C = p->c, .eps = p->eps, .p = 0.1};
	if (!y || !classes) {
		free(y);
		free(classes);
		return err_set(e, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < p->rows; i++)
		y[i] = p->label[i];
	for (int c = 0; c < p->classes; c++)
		classes[c] = c;
	if (p->class_weight) {
		parameter.nr_weight = p->classes;
		parameter.weight_label = classes;
		parameter.weight = (double *)(uintptr_t)p->class_weight;
	}
	set_print_string_function(say_nothing);
	srand(1);
	const char *wrong = check_parameter(&problem, &parameter);
	int r = wrong ? err_set(e, -EINVAL, "the solver does not take this: %s", wrong) : 0;
	struct model *m = wrong ? NULL : train(&problem, &parameter);
	if (m)
		copy_weights(m, p->dimensions, p->classes, weights);
	if (m)
		free_and_destroy_model(&m);
	free(y);
	free(classes);
	return r;
}
