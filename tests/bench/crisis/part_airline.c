/*
 * Airlines, with the reasons people wrote for: a true alarm is 15 minutes of posts whose reason is a late or
 * a cancelled flight that are too many for a Poisson distribution with the mean of the 24 hours before. All
 * airlines together as one brand, which is what is judged; then each alone, where a true alarm may be of four
 * posts. Some of them are one angry person who writes seven times in a quarter of an hour, which the product
 * leaves out on purpose: beside it stands what is true when a person counts once an hour.
 */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/rows.h"
#include "tests/bench/crisis/watch.h"

#include <xxhash.h>

#define AIRLINES_MAX 16

/* What alarms (and incidents that are open) tell of the true ones. */
struct score {
	unsigned gold, found, fresh, extra,
		alarms; /* found: within the hour; fresh: by an alarm of then; extra: they tell nothing */
};

static bool near(const struct alarms *a, int64_t at_ms)
{
	for (size_t i = 0; i < a->n; i++)
		if (llabs(a->at_ms[i] - at_ms) <= HOUR_MS)
			return true;
	return false;
}

static struct score score_of(const struct alarms *gold, const struct ours *o)
{
	struct score s = {.gold = (unsigned)gold->n, .alarms = (unsigned)o->alarms.n};
	for (size_t g = 0; g < gold->n; g++) {
		bool alarm = near(&o->alarms, gold->at_ms[g]), standing = false;
		for (size_t i = 0; i < o->n_open; i++)
			standing |= o->open[i].from_ms <= gold->at_ms[g] + HOUR_MS &&
				    o->open[i].to_ms >= gold->at_ms[g];
		s.found += alarm || standing;
		s.fresh += alarm;
		if (verbose)
			printf("    true %s%s\n", when(gold->at_ms[g]),
				alarm	   ? ""
				: standing ? ", open"
					   : ", missed");
	}
	for (size_t i = 0; i < o->alarms.n; i++)
		s.extra += !near(gold, o->alarms.at_ms[i]);
	return s;
}

static void add(struct score *to, struct score s)
{
	to->gold += s.gold;
	to->found += s.found;
	to->fresh += s.fresh;
	to->extra += s.extra;
	to->alarms += s.alarms;
}

static void print(const char *name, struct score s)
{
	printf("  %-24s %2u of %u within the hour (%u by an alarm of then), %u extra of %u alarms\n", name,
		s.found, s.gold, s.fresh, s.extra, s.alarms);
}

/* The posts of that airline, NULL: of all; those about late and cancelled flights among them, and of these
 * those whose writer has not written one in the hour before. */
struct mentions {
	struct mention *all, *late, *people;
	size_t n, n_late, n_people;
};

static bool is_late(const char *reason)
{
	return str_eq(reason, "Late Flight") || str_eq(reason, "Cancelled Flight");
}

static bool wrote_lately(const struct posts *p, const bool *late, size_t i)
{
	for (size_t k = i; k > 0 && p->all[k - 1].at_ms > p->all[i].at_ms - HOUR_MS; k--)
		if (late[k - 1] && str_eq(p->all[k - 1].who, p->all[i].who))
			return true;
	return false;
}

static const char *reason_of(const struct rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->n; i++)
		if (str_eq(rows_cell(rows, i, "id"), id))
			return rows_cell(rows, i, "negativereason");
	return "";
}

static struct mentions mentions_of(const struct posts *p, const struct rows *reasons, const char *channel)
{
	struct mentions m = {.all = calloc(p->n, sizeof(*m.all)),
		.late = calloc(p->n, sizeof(*m.late)),
		.people = calloc(p->n, sizeof(*m.people))};
	bool *late = calloc(p->n, sizeof(*late));
	for (size_t i = 0; i < p->n; i++) {
		if (channel && !str_eq(channel, p->all[i].channel))
			continue;
		const char *reason = reason_of(reasons, p->all[i].id);
		m.all[m.n] = (struct mention){p->all[i].at_ms, 1};
		late[i] = is_late(reason);
		if (late[i])
			m.late[m.n_late++] = m.all[m.n];
		if (late[i] && !wrote_lately(p, late, i))
			m.people[m.n_people++] = m.all[m.n];
		m.n++;
	}
	free(late);
	return m;
}

/* The product's own counting, thresholds and waves of who wrote about late and cancelled flights, as if it
 * had understood and grouped all of them rightly. */
static struct ours perfect_labels(const struct posts *p, const struct rows *reasons, const char *channel)
{
	struct watch w = watch_new(p->all[0].at_ms);
	struct ours o = {.open = NULL};
	for (size_t i = 0; i < p->n; i++) {
		const struct post *x = &p->all[i];
		uint64_t who = XXH3_64bits(x->who, strlen(x->who));
		if (channel && !str_eq(channel, x->channel))
			continue;
		bool late = is_late(reason_of(reasons, x->id));
		if (!late)
			topics_hear(w.topics, x->at_ms, x->at_ms);
		if (watch_people(&w, x->at_ms, late, &who))
			alarms_add(&o.alarms, x->at_ms);
	}
	watch_free(&w);
	return o;
}

/* By posts, and by people. */
struct scores {
	struct score posts, people;
};

/* What the product makes of it; beside it the other detectors. */
static struct scores one_stream(
	const struct posts *posts, const struct rows *reasons, const char *channel, bool others)
{
	static const struct poisson_rule rule = {
		.at_once = true, .pause_ms = 15 * MINUTE_MS, .least_mean = 0.1};
	struct mentions m = mentions_of(posts, reasons, channel);
	struct alarms gold = {0}, gold_people = {0};
	struct ours theirs[3] = {{.open = NULL}}, o = ours_of_posts(posts, channel);
	if (m.n_late)
		poisson(m.late, m.n_late, &rule, &gold);
	if (m.n_people)
		poisson(m.people, m.n_people, &rule, &gold_people);
	struct scores s = {.posts = score_of(&gold, &o)};
	print(channel ? channel : "ours", s.posts);
	s.people = score_of(&gold_people, &o);
	print("  a person once an hour", s.people);
	struct ours best = perfect_labels(posts, reasons, channel);
	bool was = verbose;
	verbose = false;
	print("  perfect labels, people", score_of(&gold_people, &best));
	verbose = was;
	for (size_t i = 0; verbose && i < best.alarms.n; i++)
		printf("      %s\n", when(best.alarms.at_ms[i]));
	ours_free(&best);
	if (others) {
		three_sigma(m.all, m.n, &theirs[0].alarms);
		same_hour(m.all, m.n, &theirs[1].alarms);
		poisson(m.all, m.n, &rule, &theirs[2].alarms);
		verbose = false;
		print("mean + 3 sd", score_of(&gold, &theirs[0]));
		print("same hour, 4 weeks", score_of(&gold, &theirs[1]));
		print("Poisson, all posts", score_of(&gold, &theirs[2]));
		verbose = was;
	}
	for (size_t i = 0; i < 3; i++)
		ours_free(&theirs[i]);
	ours_free(&o);
	alarms_free(&gold);
	alarms_free(&gold_people);
	free(m.people);
	free(m.all);
	free(m.late);
	return s;
}

static size_t channels_of(const struct posts *p, const char *ret[AIRLINES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		size_t k = 0;
		while (k < n && !str_eq(ret[k], p->all[i].channel))
			k++;
		if (k == n && n < AIRLINES_MAX)
			ret[n++] = p->all[i].channel;
	}
	return n;
}

bool part_airline(void)
{
	struct posts posts;
	struct rows reasons;
	const char *channels[AIRLINES_MAX];
	struct scores alone = {{0}, {0}};
	if (!posts_read(&posts, path_of("posts/airline.jsonl")))
		return skipped("airline", "posts/airline.jsonl");
	if (!rows_read(&reasons, path_of("sentiment/airline.tsv")))
		return skipped("airline", "sentiment/airline.tsv");
	printf("== airlines: %zu posts; true alarms are those of posts about late and cancelled flights\n",
		posts.n);
	struct score s = one_stream(&posts, &reasons, NULL, true).posts;
	bool good = s.found * 15 >= s.gold * 12 && s.extra <= 2;
	printf("  together: %u of %u (at least 12 of 15), %u extra (at most 2): %s\n", s.found, s.gold,
		s.extra, good ? "reached" : "NOT REACHED");
	size_t n = channels_of(&posts, channels);
	for (size_t i = 0; i < n; i++) {
		struct scores one = one_stream(&posts, &reasons, channels[i], false);
		add(&alone.posts, one.posts);
		add(&alone.people, one.people);
	}
	print("each alone, in all", alone.posts);
	print("  a person once an hour", alone.people);
	posts_free(&posts);
	rows_free(&reasons);
	return good;
}
