#include "tests/bench/crisis/watch.h"

#include "tests/bench/crisis/ours.h"

#include <math.h>

#define CHECK_MS (HOUR_MS / 4) /* how often incidents.c looks whether it is calm */

struct watch watch_new(int64_t at_ms)
{
	struct watch w = {.life.code = CODE_NONE};
	struct id id = id_from(1, span_str("topic"));
	if (topics_new(&w.topics, HOUR_MS, "bench") || !(w.topic = topics_found(w.topics, &id, at_ms)))
		exit(1);
	return w;
}

void watch_free(struct watch *w)
{
	topics_free(&w->topics);
}

static void look(struct watch *w, int64_t now_ms)
{
	topic_pass(w->topics, w->topic, now_ms);
	struct surge s = topic_surge(w->topics, w->topic);
	surge_step_down(&w->life, surge_is_calm(&default_thresholds, &s), now_ms, HOUR_MS);
	if (w->life.was_red && w->life.code == CODE_YELLOW)
		w->life.code = CODE_NONE;
}

bool watch_people(struct watch *w, int64_t at_ms, unsigned people, uint64_t *who)
{
	for (; w->life.code && w->next_check_ms <= at_ms; w->next_check_ms += CHECK_MS)
		look(w, w->next_check_ms);
	for (unsigned i = 0; i < people; i++) {
		topics_hear(w->topics, at_ms, at_ms);
		topic_count_person(w->topics, w->topic, ++*who, at_ms);
	}
	struct surge s = topic_surge(w->topics, w->topic);
	unsigned window = 1;
	enum code code = people ? surge_code(&default_thresholds, &s, &window) : CODE_NONE;
	if (code <= w->life.code &&
		!surge_is_wave(&default_thresholds, &w->life, &s, window, code, at_ms, HOUR_MS))
		return false;
	if (!w->life.code) {
		w->next_check_ms = at_ms + CHECK_MS;
		w->life.was_red = false;
	}
	w->life.code = MAX(code, w->life.code);
	w->life.was_red |= code == CODE_RED;
	surge_tell(&w->life, &s, at_ms);
	return true;
}

static double uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

unsigned poisson_number(double mean, uint64_t *seed)
{
	double limit = exp(-mean), p = 1;
	unsigned n = 0;
	while ((p *= uniform(seed)) > limit)
		n++;
	return n;
}

double week_shape(int64_t at_ms)
{
	static const double day[7] = {1.0, 1.0, 0.7, 0.6, 1.4, 1.15, 1.05}; /* 1970 began on a Thursday */
	double hour = (double)(at_ms / MINUTE_MS % 1440) / 60;
	return day[at_ms / DAY_MS % 7] * (1 + 0.8 * sin((hour - 9) / 24 * 2 * M_PI));
}
