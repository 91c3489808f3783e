/*
 * others.h - three detectors as people build them, to compare with. Each looks at one stream of counts or posts, in order
 * of time, and knows nothing of topics or people. An alarm is raised when the condition begins to hold and not again until it
 * has not held for an hour.
 *
 * three_sigma: posts of the hour above the mean + 3 standard deviations of the hours of two weeks (as far as they are there);
 * same_hour:   posts of the hour above the 99th percentile of the same hour of the day in the four weeks before;
 * poisson:     posts of 15 minutes so many that a Poisson distribution with the mean of the 24 hours before gives
 *              p < 1e-4.
 *
 * All begin a day after the first post; poisson, where `at_once`, at the first, with the hours before taken as silent.
 */
#ifndef ASCOLTO_BENCH_OTHERS_H
#define ASCOLTO_BENCH_OTHERS_H

#include "common/base.h"

struct alarms {
	int64_t *at_ms;
	size_t n, cap;
};

void alarms_add(struct alarms *a, int64_t at_ms);
void alarms_free(struct alarms *a);

struct mention {
	int64_t at_ms;
	unsigned n; /* so many at once */
};

void three_sigma(const struct mention *m, size_t n, struct alarms *ret);
void same_hour(const struct mention *m, size_t n, struct alarms *ret);
struct poisson_rule {
	bool at_once;
	int64_t pause_ms;  /* an alarm is a new one when the condition has not held for so long */
	double least_mean; /* of 15 minutes, where the day before was silent */
};
void poisson(const struct mention *m, size_t n, const struct poisson_rule *rule, struct alarms *ret);

/* More than z standard deviations above the mean of the 24 hours before, by 5 minutes: what the brand volumes are measured
 * against. */
void z_score(const struct mention *m, size_t n, double z, struct alarms *ret);

#endif
