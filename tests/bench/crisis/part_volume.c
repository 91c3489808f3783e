/* Brand volumes without text: one topic that everybody talks of. */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/rows.h"
#include "tests/bench/crisis/watch.h"

struct tally {
	unsigned windows, found, false_alarms;
};

/* Alarms inside a window find it; the others are false. The first three days teach and count for nobody. */
static struct tally tally_of(const struct alarms *a, const struct mention *m, const bool *inside, size_t n)
{
	struct tally t = {0};
	for (size_t i = 0; i < n; i++) {
		if (!inside[i] || (i && inside[i - 1]))
			continue;
		size_t end = i;
		while (end + 1 < n && inside[end + 1])
			end++;
		t.windows++;
		for (size_t k = 0; k < a->n; k++)
			if (a->at_ms[k] >= m[i].at_ms && a->at_ms[k] <= m[end].at_ms + 5 * MINUTE_MS) {
				t.found++;
				break;
			}
	}
	for (size_t k = 0; k < a->n; k++) {
		bool in = false;
		for (size_t i = 0; i < n && m[i].at_ms <= a->at_ms[k]; i++)
			in = inside[i];
		t.false_alarms += !in && a->at_ms[k] >= m[0].at_ms + 3 * DAY_MS;
	}
	return t;
}

static void add_tally(struct tally *to, struct tally t)
{
	to->windows += t.windows;
	to->found += t.found;
	to->false_alarms += t.false_alarms;
}

enum { OURS, Z8, Z12, SIGMA, SAME_HOUR, POISSON, DETECTORS };
static const char *const detector_names[DETECTORS] = {
	"ours", "z > 8", "z > 12", "mean + 3 sd", "same hour, 4 weeks", "Poisson"};

static void one_brand(const struct mention *m, const bool *inside, size_t n, struct tally total[DETECTORS],
	const char *brand)
{
	struct alarms a[DETECTORS] = {{0}};
	struct watch w = watch_new(m[0].at_ms);
	uint64_t who = 0;
	for (size_t i = 0; i < n; i++)
		if (watch_people(&w, m[i].at_ms, m[i].n, &who))
			alarms_add(&a[OURS], m[i].at_ms);
	z_score(m, n, 8, &a[Z8]);
	z_score(m, n, 12, &a[Z12]);
	three_sigma(m, n, &a[SIGMA]);
	same_hour(m, n, &a[SAME_HOUR]);
	poisson(m, n, &(struct poisson_rule){.pause_ms = HOUR_MS, .least_mean = 0.1}, &a[POISSON]);
	for (int d = 0; d < DETECTORS; d++) {
		struct tally t = tally_of(&a[d], m, inside, n);
		add_tally(&total[d], t);
		if (d == OURS)
			printf("  %-6s ours: %u of %u windows, %u false alarms\n", brand, t.found, t.windows,
				t.false_alarms);
		for (size_t k = 0; verbose && d == OURS && k < a[d].n; k++)
			printf("    %s\n", when(a[d].at_ms[k]));
		alarms_free(&a[d]);
	}
	watch_free(&w);
}

bool part_volume(void)
{
	struct rows rows;
	struct tally total[DETECTORS] = {{0}};
	double weeks = 0;
	if (!rows_read(&rows, path_of("crisis/nab_volume.tsv")))
		return skipped("volume", "crisis/nab_volume.tsv");
	printf("== brand volumes\n");
	struct mention *m = calloc(rows.n, sizeof(*m));
	bool *inside = calloc(rows.n, sizeof(*inside));
	for (size_t from = 0, to; from < rows.n; from = to) {
		const char *brand = rows_cell(&rows, from, "brand");
		for (to = from; to < rows.n && str_eq(rows_cell(&rows, to, "brand"), brand); to++) {
			m[to - from] = (struct mention){rows_time_ms(rows_cell(&rows, to, "ts")),
				(unsigned)strtoul(rows_cell(&rows, to, "mentions_5min"), NULL, 10)};
			inside[to - from] = str_eq(rows_cell(&rows, to, "in_anomaly_window"), "1");
		}
		one_brand(m, inside, to - from, total, brand);
		weeks += (double)(m[to - from - 1].at_ms - m[0].at_ms - 3 * DAY_MS) / (double)(7 * DAY_MS);
	}
	for (int d = 0; d < DETECTORS; d++)
		printf("  %-22s %2u of %u windows, %.2f false alarms a brand-week\n", detector_names[d],
			total[d].found, total[d].windows, total[d].false_alarms / weeks);
	bool good = total[OURS].found >= total[Z8].found && total[OURS].false_alarms / weeks <= 0.7;
	printf("  at least z > 8's windows and at most 0.7 false alarms a brand-week: %s\n",
		good ? "reached" : "NOT REACHED");
	free(m);
	free(inside);
	rows_free(&rows);
	return good;
}
