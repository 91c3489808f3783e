#include "tests/bench/crisis/others.h"

#include "services/escalation/topics/normal.h"

#include <math.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

void alarms_add(struct alarms *a, int64_t at_ms)
{
	if (a->n == a->cap) {
		a->cap = a->cap * 2 + 64;
		a->at_ms = realloc(a->at_ms, a->cap * sizeof(*a->at_ms));
	}
	a->at_ms[a->n++] = at_ms;
}

void alarms_free(struct alarms *a)
{
	free(a->at_ms);
	*a = (struct alarms){0};
}

struct gate {
	struct alarms *to;
	int64_t last_ms, pause_ms;
};

static void let(struct gate *g, bool holds, int64_t at_ms)
{
	if (!holds)
		return;
	if (!g->last_ms || at_ms - g->last_ms > g->pause_ms)
		alarms_add(g->to, at_ms);
	g->last_ms = at_ms;
}

/* Counts by so many milliseconds from the first post on. */
static unsigned *by(const struct mention *m, size_t n, int64_t ms, size_t *ret_n)
{
	int64_t first = m[0].at_ms / ms;
	*ret_n = (size_t)(m[n - 1].at_ms / ms - first + 1);
	unsigned *counts = calloc(*ret_n, sizeof(*counts));
	for (size_t i = 0; i < n; i++)
		counts[m[i].at_ms / ms - first] += m[i].n;
	return counts;
}

static bool above_deviations(const unsigned *counts, size_t from, size_t to, unsigned now, double deviations)
{
	double sum = 0, squares = 0, n = (double)(to - from);
	for (size_t i = from; i < to; i++) {
		sum += counts[i];
		squares += (double)counts[i] * counts[i];
	}
	double sd = sqrt(fmax(squares / n - sum / n * sum / n, 0));
	return now > sum / n + deviations * fmax(sd, 1);
}

void three_sigma(const struct mention *m, size_t n, struct alarms *ret)
{
	size_t hours;
	unsigned *counts = by(m, n, HOUR_MS, &hours);
	struct gate g = {ret, 0, HOUR_MS};
	for (size_t h = 24; h < hours; h++) {
		size_t from = h > 24 * 14 ? h - 24 * 14 : 0;
		let(&g, above_deviations(counts, from, h, counts[h], 3), (m[0].at_ms / HOUR_MS + (int64_t)h + 1) * HOUR_MS);
	}
	free(counts);
}

void same_hour(const struct mention *m, size_t n, struct alarms *ret)
{
	size_t hours;
	unsigned *counts = by(m, n, HOUR_MS, &hours);
	struct gate g = {ret, 0, HOUR_MS};
	for (size_t h = 24; h < hours; h++) {
		unsigned most = 0; /* of at most 28 values the 99th percentile is the largest */
		for (size_t d = 1; d <= 28 && d * 24 <= h; d++)
			most = MAX(most, counts[h - d * 24]);
		let(&g, counts[h] > most, (m[0].at_ms / HOUR_MS + (int64_t)h + 1) * HOUR_MS);
	}
	free(counts);
}

void poisson(const struct mention *m, size_t n, const struct poisson_rule *rule, struct alarms *ret)
{
	struct gate g = {ret, 0, rule->pause_ms};
	size_t recent = 0, old = 0;
	unsigned in_recent = 0, in_old = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t now = m[i].at_ms;
		in_recent += m[i].n;
		for (; m[recent].at_ms <= now - 15 * MINUTE_MS; recent++) {
			in_recent -= m[recent].n;
			in_old += m[recent].n;
		}
		for (; old < recent && m[old].at_ms <= now - 15 * MINUTE_MS - DAY_MS; old++)
			in_old -= m[old].n;
		if (!rule->at_once && now - m[0].at_ms < DAY_MS)
			continue;
		double mean = fmax(in_old / 96.0, rule->least_mean);
		let(&g, unlikely(in_recent, mean, mean) > 4, now);
	}
}

void z_score(const struct mention *m, size_t n, double z, struct alarms *ret)
{
	size_t steps;
	unsigned *counts = by(m, n, 5 * MINUTE_MS, &steps);
	struct gate g = {ret, 0, HOUR_MS};
	for (size_t s = 288; s < steps; s++)
		let(&g, above_deviations(counts, s - 288, s, counts[s], z),
			(m[0].at_ms / (5 * MINUTE_MS) + (int64_t)s + 1) * 5 * MINUTE_MS);
	free(counts);
}
