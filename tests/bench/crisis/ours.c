#include "tests/bench/crisis/ours.h"

#include <time.h>

#define PLAYBOOK SOURCE_DIR "/tests/bench/crisis/playbook.yaml"

const char *models_folder = BINARY_DIR "/models";

const struct thresholds default_thresholds = {
	.yellow_people = 20, .red_people = 200, .grave_people = 3, .scaled = true, .over_normal = 3.9};

struct replay *replay_by_default(void)
{
	return replay_open(PLAYBOOK, models_folder);
}

const char *when(int64_t ms)
{
	static char text[4][32];
	static int turn;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	turn = (turn + 1) % 4;
	strftime(text[turn], sizeof(text[turn]), "%Y-%m-%d %H:%M:%S", &tm);
	return text[turn];
}

void ours_free(struct ours *o)
{
	alarms_free(&o->alarms);
	free(o->open);
}

struct ours ours_of(const struct replay *r, int64_t end_ms)
{
	size_t n;
	const struct replay_event *e = replay_events(r, &n);
	struct ours o = {.open = calloc(n + 1, sizeof(*o.open)), .topics = replay_topics(r)};
	for (size_t i = 0; i < n; i++) {
		int before = 0;
		unsigned waves = 0;
		for (size_t k = 0; k < i; k++)
			if (id_eq(&e[k].incident, &e[i].incident)) {
				before = e[k].code;
				waves = e[k].waves;
			}
		if (e[i].code > before || e[i].waves > waves)
			alarms_add(&o.alarms, e[i].at_ms);
		if (!before && e[i].code) {
			int64_t to = end_ms;
			for (size_t k = n; k > i + 1; k--)
				if (id_eq(&e[k - 1].incident, &e[i].incident) && !e[k - 1].code)
					to = e[k - 1].at_ms;
			o.open[o.n_open++] = (struct span_of_time){e[i].at_ms, to};
		}
		if (verbose)
			printf("    %s  %d -> %d  %u people  %s  %s\n", when(e[i].at_ms), before, e[i].code,
				e[i].people, e[i].because, e[i].title);
	}
	return o;
}

struct ours ours_of_posts(const struct posts *p, const char *channel)
{
	struct replay *r = replay_by_default();
	int64_t end_ms = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct post *x = &p->all[i];
		struct replay_post say = {
			.text = x->text, .who = x->who, .lang = x->lang, .at_ms = x->at_ms, .self = x->self};
		if (channel && !str_eq(channel, x->channel))
			continue;
		replay_say(r, &say);
		end_ms = x->at_ms;
	}
	struct ours o = ours_of(r, end_ms);
	replay_close(&r);
	return o;
}
