/*
 * watch.h - one topic that everybody talks of, without texts: counted, judged and calmed down as the product
 * does it (topic.h, surge.h), by the default thresholds. A person closes what was red as soon as it has
 * calmed down to yellow.
 */
#ifndef ASCOLTO_BENCH_WATCH_H
#define ASCOLTO_BENCH_WATCH_H

#include "services/escalation/topics/topic.h"

struct watch {
	struct topics *topics;
	struct topic *topic;
	struct surge_life life;
	int64_t next_check_ms;
};

struct watch watch_new(int64_t at_ms);
void watch_free(struct watch *w);

/* So many people wrote then, each of them somebody new; *who numbers them. True when it is an alarm. */
bool watch_people(struct watch *w, int64_t at_ms, unsigned people, uint64_t *who);

/* Numbers for streams that are made up: the same seed gives the same. */
unsigned poisson_number(double mean, uint64_t *seed);

/* People by the hour of the week: nights are quiet, Mondays are busy, Sundays are not. The mean is about 1.
 */
double week_shape(int64_t at_ms);

#endif
