/* Events with time and topic. */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/rows.h"

#include <math.h>

/* When what the event is about happened, from the public record; others are dated by the perfect detector. */
static const struct onset {
	const char *event, *at;
} onsets[] = {
	{"2013_Boston_Bombings", "2013-04-15T18:49:44"},
	{"2013_West_Texas_Explosion", "2013-04-18T00:50:38"},
	{"2013_Oklahoma_Tornado", "2013-05-20T19:56:00"},
};

static int64_t first_after(const struct alarms *a, int64_t at_ms)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->at_ms[i] >= at_ms)
			return a->at_ms[i];
	return 0;
}

static unsigned in_day_before(const struct alarms *a, int64_t at_ms)
{
	unsigned n = 0;
	for (size_t i = 0; i < a->n; i++)
		n += a->at_ms[i] < at_ms && a->at_ms[i] >= at_ms - DAY_MS;
	return n;
}

static void print_detector(const char *name, const struct alarms *a, int64_t onset_ms)
{
	int64_t first = first_after(a, onset_ms);
	if (first)
		printf("  %-22s %7.1f min after the onset, %u in the day before\n", name,
			(double)(first - onset_ms) / (double)MINUTE_MS, in_day_before(a, onset_ms));
	else
		printf("  %-22s       no alarm, %u in the day before\n", name, in_day_before(a, onset_ms));
}

static bool one_event(const struct rows *rows, const size_t *order, size_t n, const char *event)
{
	struct mention *all = calloc(n, sizeof(*all)), *on = calloc(n, sizeof(*on));
	struct alarms perfect = {0}, others[3] = {{0}};
	size_t n_on = 0;
	struct replay *r = replay_by_default();
	for (size_t i = 0; i < n; i++) {
		char who[64];
		struct replay_post p = {.text = rows_cell(rows, order[i], "text"),
			.who = who,
			.at_ms = rows_time_ms(rows_cell(rows, order[i], "ts"))};
		snprintf(who, sizeof(who), "%s", rows_cell(rows, order[i], "tweet_id"));
		all[i] = (struct mention){p.at_ms, 1};
		if (str_eq(rows_cell(rows, order[i], "label"), "on-topic"))
			on[n_on++] = all[i];
		replay_say(r, &p);
	}
	poisson(on, n_on, &(struct poisson_rule){.at_once = true, .pause_ms = HOUR_MS, .least_mean = 0.1},
		&perfect);
	int64_t onset = 0;
	for (size_t i = 0; i < ARRAY_SIZE(onsets); i++)
		if (str_eq(onsets[i].event, event))
			onset = rows_time_ms(onsets[i].at);
	bool dated = onset != 0;
	if (!dated && perfect.n)
		onset = perfect.at_ms[0];
	printf("%s: %zu posts, %zu on topic; %s %s, %.0f hours after the first post\n", event, n, n_on,
		dated ? "onset" : "first alarm of perfect labels", when(onset),
		(double)(onset - all[0].at_ms) / (double)HOUR_MS);
	three_sigma(all, n, &others[0]);
	same_hour(all, n, &others[1]);
	poisson(all, n, &(struct poisson_rule){.at_once = true, .pause_ms = HOUR_MS, .least_mean = 0.1},
		&others[2]);
	struct ours o = ours_of(r, all[n - 1].at_ms);
	print_detector("perfect labels", &perfect, onset);
	print_detector("ours", &o.alarms, onset);
	print_detector("mean + 3 sd", &others[0], onset);
	print_detector("same hour, 4 weeks", &others[1], onset);
	print_detector("Poisson, all posts", &others[2], onset);
	int64_t best = first_after(&perfect, onset), mine = first_after(&o.alarms, onset);
	bool good = !dated || (mine && mine - best <= 5 * MINUTE_MS && !in_day_before(&o.alarms, onset));
	printf("  ours against perfect labels: %+.1f min (at most +5), %u false alarms in the day before "
	       "(0)%s; %zu topics live\n",
		mine ? (double)(mine - best) / (double)MINUTE_MS : NAN, in_day_before(&o.alarms, onset),
		!dated ? "; not judged: it begins before the stream does"
		: good ? ": reached"
		       : ": NOT REACHED",
		replay_topics(r));
	replay_close(&r);
	ours_free(&o);
	alarms_free(&perfect);
	for (size_t i = 0; i < 3; i++)
		alarms_free(&others[i]);
	free(all);
	free(on);
	return good;
}

static const struct rows *sorting;
static int by_event_and_time(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = strcmp(rows_cell(sorting, x, "event"), rows_cell(sorting, y, "event"));
	c = c ? c : strcmp(rows_cell(sorting, x, "ts"), rows_cell(sorting, y, "ts"));
	return c ? c : x < y ? -1 : x > y;
}

bool part_events(void)
{
	struct rows rows;
	bool good = true;
	if (!rows_read(&rows, path_of("crisis/t6.tsv")))
		return skipped("events", "crisis/t6.tsv");
	printf("== events with time and topic\n");
	size_t *order = calloc(rows.n, sizeof(*order));
	for (size_t i = 0; i < rows.n; i++)
		order[i] = i;
	sorting = &rows;
	qsort(order, rows.n, sizeof(*order), by_event_and_time);
	for (size_t from = 0, to; from < rows.n; from = to) {
		const char *event = rows_cell(&rows, order[from], "event");
		for (to = from; to < rows.n && str_eq(rows_cell(&rows, order[to], "event"), event); to++)
			;
		good = one_event(&rows, order + from, to - from, event) && good;
	}
	free(order);
	rows_free(&rows);
	return good;
}
