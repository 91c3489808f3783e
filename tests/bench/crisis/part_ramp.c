/* A slow rise above what a topic has on any day. */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/watch.h"

#include <math.h>

enum { LONGEST = 180 }; /* minutes of the longest window */

/* The last minutes, with what was expected of each: for a detector that need not learn. */
struct minutes {
	unsigned people[LONGEST];
	double expected[LONGEST];
};

/* The product's windows and limits, but with the true rate for what is expected, and people known to write
 * independently: no detector that looks at these windows can find more without more false alarms. */
static bool known_rate_finds(const struct minutes *m, int64_t minute)
{
	struct surge s = {.usual = 100, .brand = 100};
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
		for (int64_t k = minute - normal_steps[i] + 1; k <= minute; k++) {
			s.people[i] += m->people[k % LONGEST];
			s.expected[i] += m->expected[k % LONGEST];
		}
		s.expected[i] = fmax(s.expected[i], NORMAL_FLOOR * normal_steps[i] / normal_steps[1]);
		s.unlikely[i] = unlikely(s.people[i], s.expected[i], s.expected[i]);
	}
	return surge_code(&default_thresholds, &s, NULL) != CODE_NONE;
}

/* A Poisson cumulative sum that knows the true rate and by how much it will rise (Lucas, 1985): the logarithm
 * of how much likelier the minutes are with the rise than without, from wherever that is best. At this limit
 * it has as few false alarms as the windows with the true rate known, one in some twenty weeks of a topic of
 * 5 people an hour. */
#define CUSUM_LIMIT 8.4
static bool cusum_finds(double *sum, unsigned people, double expected, double more)
{
	expected = fmax(expected, NORMAL_FLOOR / 60);
	*sum = fmax(*sum + people * log((expected + more) / expected) - more, 0);
	return *sum >= CUSUM_LIMIT;
}

/* Minutes until it was found: by the product, and with the true rate known; -1: not within a day, these not
 * within three hours. */
struct found {
	double ours, known_rate, cusum;
};

static double more_now(double minutes, double more, double rise_hours)
{
	if (minutes < 0)
		return 0;
	return rise_hours > 0 ? more * fmin(minutes / 60 / rise_hours, 1) : more;
}

/* *ret_before: alarms of the weeks before are added. */
static struct found one_ramp(
	double normal, double more, double rise_hours, uint64_t seed, unsigned *ret_before)
{
	uint64_t who = 0;
	int64_t start = 20000 * DAY_MS, onset = start + 28 * DAY_MS + 10 * HOUR_MS;
	struct watch w = watch_new(start);
	struct found found = {-1, -1, -1};
	double sum = 0;
	struct minutes last = {{0}, {0}};
	for (int64_t at = start; at < onset + DAY_MS && (found.ours < 0 || at <= onset + LONGEST * MINUTE_MS);
		at += MINUTE_MS) {
		double minutes = (double)(at - onset) / (double)MINUTE_MS, usual = normal * week_shape(at);
		unsigned n = poisson_number((usual + more_now(minutes, more, rise_hours)) / 60, &seed);
		last.people[at / MINUTE_MS % LONGEST] = n;
		last.expected[at / MINUTE_MS % LONGEST] = usual / 60;
		bool soon = at >= onset && minutes <= LONGEST;
		if (soon && found.known_rate < 0 && known_rate_finds(&last, at / MINUTE_MS))
			found.known_rate = minutes;
		if (cusum_finds(&sum, n, usual / 60, more / 60) && soon && found.cusum < 0)
			found.cusum = minutes;
		/* The rest of the brand: a hundred people an hour about other things. */
		for (unsigned i = poisson_number(100 * week_shape(at) / 60, &seed); i > 0; i--)
			topics_hear(w.topics, at, at);
		bool alarm = watch_people(&w, at, n, &who);
		if (alarm && at < onset && at >= start + 7 * DAY_MS)
			(*ret_before)++;
		else if (alarm && at >= onset && found.ours < 0)
			found.ours = minutes;
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
			unsigned before = 0, late = 0, late_known = 0, late_cusum = 0;
			for (uint64_t run = 1; run <= RUNS; run++) {
				struct found f = one_ramp(normals[k], 10, rise, run, &before);
				late += f.ours < 0 || f.ours > 180;
				late_known += f.known_rate < 0;
				late_cusum += f.cusum < 0;
				worst = f.ours < 0 ? INFINITY : fmax(worst, f.ours);
				sum += f.ours < 0 ? 1440 : f.ours;
			}
			printf("  normal %2.0f an hour, %s: found after %3.0f min on average, %3.0f at most; "
			       "later than 3 hours %u of %d (with the true rate known %u, by a "
			       "cumulative sum %u); "
			       "%u alarms in the last three of %d weeks before\n",
				normals[k], rise ? "rising over an hour" : "at once             ", sum / RUNS,
				worst, late, RUNS, late_known, late_cusum, before, RUNS * 4);
			good = good && (rise || normals[k] > 2 || late * 20 <= RUNS) && !before;
		}
	printf("  within 3 hours, 19 times in 20, at once, with a normal of up to 2 an hour: %s\n",
		good ? "reached" : "NOT REACHED");
	return good;
}
