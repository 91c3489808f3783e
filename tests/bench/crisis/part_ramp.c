/* A slow rise above what a topic has on any day. */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/watch.h"

#include <math.h>

/* Minutes until it is found, -1: not within a day; and the alarms of the weeks before. */
static double one_ramp(double normal, double more, double rise_hours, uint64_t seed, unsigned *ret_before)
{
	uint64_t who = 0;
	int64_t start = 20000 * DAY_MS, onset = start + 28 * DAY_MS + 10 * HOUR_MS;
	struct watch w = watch_new(start);
	double found = -1;
	for (int64_t at = start; at < onset + DAY_MS && found < 0; at += MINUTE_MS) {
		double extra = at < onset ? 0
					  : more * fmin(rise_hours > 0 ? (double)(at - onset) /
										 (double)HOUR_MS / rise_hours
								       : 1,
							   1);
		unsigned n = poisson_number((normal * week_shape(at) + extra) / 60, &seed);
		/* The rest of the brand: a hundred people an hour about other things. */
		for (unsigned i = poisson_number(100 * week_shape(at) / 60, &seed); i > 0; i--)
			topics_hear(w.topics, at, at);
		bool alarm = watch_people(&w, at, n, &who);
		if (alarm && at < onset && at >= start + 7 * DAY_MS)
			(*ret_before)++;
		else if (alarm && at >= onset)
			found = (double)(at - onset) / (double)MINUTE_MS;
	}
	watch_free(&w);
	return found;
}

bool part_ramp(void)
{
	static const double normals[] = {0, 1, 2, 5};
	enum { RUNS = 20 };
	bool good = true;
	printf("== a ramp: ten people an hour above a topic's normal, in a brand of 100 people an hour\n");
	for (size_t k = 0; k < ARRAY_SIZE(normals); k++)
		for (int rise = 0; rise < 2; rise++) {
			double worst = 0, sum = 0;
			unsigned before = 0, late = 0;
			for (uint64_t run = 1; run <= RUNS; run++) {
				double t = one_ramp(normals[k], 10, rise, run, &before);
				late += t < 0 || t > 180;
				worst = t < 0 ? INFINITY : fmax(worst, t);
				sum += t < 0 ? 1440 : t;
			}
			printf("  normal %2.0f an hour, %s: found after %3.0f min on average, %3.0f at most; "
			       "later than 3 hours %u of %d; "
			       "%u alarms in the last three of %d weeks before\n",
				normals[k], rise ? "rising over an hour" : "at once             ", sum / RUNS,
				worst, late, RUNS, before, RUNS * 4);
			good = good && (rise || normals[k] > 2 || late * 20 <= RUNS) && !before;
		}
	printf("  within 3 hours, 19 times in 20, with a normal of up to 2 an hour: %s\n",
		good ? "reached" : "NOT REACHED");
	return good;
}
