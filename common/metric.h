/*
 * metric.h - counters, gauges and histograms in the Prometheus text format (version 0.0.4).
 *
 * A metric is declared once, as a designated initialiser in a table, and the table is also the documentation that
 * `--metrics` prints. Names follow Prometheus' rules: ascolto_..., _total for counters, base units (_seconds, _bytes).
 * A set belongs to one thread. Label values are fixed at registration or at most METRIC_SERIES_MAX per metric, so a
 * customer can not make the table grow.
 */
#ifndef ASCOLTO_METRIC_H
#define ASCOLTO_METRIC_H

#include "base.h"
#include "buf.h"
#include "err.h"

#define METRIC_SERIES_MAX 256
#define METRIC_BUCKETS 16

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_desc {
	const char *name;
	enum metric_type type;
	const char *help;
	const char *label;                    /* label name, or NULL; its values come with metric_series */
	const double *buckets;                /* histogram: ascending upper bounds; NULL = METRIC_SECONDS */
	size_t n_buckets;
};

struct metric_set;
struct metric; /* one series */

int metric_set_new(struct metric_set **ret);
void metric_set_free(struct metric_set **set);

/* The series of `desc` (borrowed for the life of the set) with that label value (copied; NULL when it has no label);
 * made at the first call, the same pointer afterwards. NULL when METRIC_SERIES_MAX is passed or memory is out; every
 * function below accepts NULL. */
struct metric *metric_series(struct metric_set *set, const struct metric_desc *desc, const char *label_value);

void metric_add(struct metric *m, double by);
void metric_set_to(struct metric *m, double value);
void metric_observe(struct metric *m, double value);
double metric_value(const struct metric *m); /* histogram: the count */

/* The whole set, HELP and TYPE lines included, metrics in order of first registration. */
int metric_print(const struct metric_set *set, struct buf *out);

#endif
