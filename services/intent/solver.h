/*
 * solver.h - liblinear behind one function.
 *
 * Apart from the rest because linear.h, too, has a `struct model`.
 */
#ifndef ASCOLTO_INTENT_SOLVER_H
#define ASCOLTO_INTENT_SOLVER_H

#include "common/base.h"
#include "common/err.h"

struct feature_node;

enum { SOLVER_LOGISTIC = 0, SOLVER_SVM = 1, SOLVER_CRAMMER_SINGER = 4, SOLVER_LOGISTIC_DUAL = 7 };

struct solver_problem {
	size_t rows, dimensions; /* the last dimension is the bias */
	int classes;             /* labels are 0 .. classes - 1; 2 or more */
	struct feature_node *const *row;
	const int *label;
	int solver;
	double c, eps;
	const double *class_weight; /* NULL = all 1 */
};

/* Fills weights[dimension * classes + class]. The same problem gives the same weights. */
int solver_fit(const struct solver_problem *p, float *weights, struct err *e);

#endif
