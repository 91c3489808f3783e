/* What must raise nothing. */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"
#include "tests/bench/crisis/watch.h"

/* Forty topics of a brand, four weeks, then a Monday with more than half as many again. */
static bool busy_monday(void)
{
	enum { TOPICS = 40 };
	struct topics *ts;
	struct topic *t[TOPICS];
	uint64_t seed = 7, who = 0;
	int64_t start = 20000 * DAY_MS, monday = start + (28 + (4 - start / DAY_MS % 7 + 7) % 7) * DAY_MS;
	unsigned alarms = 0, before = 0, open[TOPICS] = {0};
	if (topics_new(&ts, HOUR_MS, "bench"))
		exit(1);
	for (int i = 0; i < TOPICS; i++) {
		struct id id = id_from(i, span_str("monday"));
		t[i] = topics_found(ts, &id, start);
	}
	for (int64_t at = start; at < monday + DAY_MS; at += MINUTE_MS)
		for (int i = 0; i < TOPICS; i++) {
			double share = 60.0 / (i + 3); /* a few are talked of much, many little */
			double rate = share * week_shape(at) * (at >= monday ? 1.6 : 1) / 60;
			for (unsigned n = poisson_number(rate, &seed); n > 0; n--) {
				topics_hear(ts, at, at);
				topic_count_person(ts, t[i], ++who, at);
				struct surge s = topic_surge(ts, t[i]);
				bool code = surge_code(&default_thresholds, &s, NULL) != CODE_NONE &&
					    at - start > 3 * DAY_MS;
				alarms += code && !open[i] && at >= monday;
				before += code && !open[i] && at < monday;
				open[i] = code;
			}
		}
	printf("  busy Monday: %llu people in four weeks and a day about %d topics; %u alarms on the Monday "
	       "(0), %u before\n",
		(unsigned long long)who, TOPICS, alarms, before);
	topics_free(&ts);
	return alarms == 0;
}

bool part_quiet(void)
{
	struct posts posts;
	printf("== quiet\n");
	bool good = busy_monday();
	if (!posts_read(&posts, path_of("posts/care_threads.jsonl")))
		return skipped("quiet", "posts/care_threads.jsonl");
	struct ours o = ours_of_posts(&posts, NULL);
	printf("  care threads: %zu posts; %zu alarms (0), %zu topics live\n", posts.n, o.alarms.n, o.topics);
	good = good && !o.alarms.n;
	ours_free(&o);
	posts_free(&posts);
	printf("  nothing is raised: %s\n", good ? "reached" : "NOT REACHED");
	return good;
}
