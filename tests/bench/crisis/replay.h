/*
 * replay.h - a stream of posts through the product's own deciding, as fast as it goes: intent's classifier, then
 * escalation's handlers (rules, grouping, counting, incidents, timers) over a store in a temporary folder.
 *
 * The clock is the posts' own; timers fall due by it. A person closes every incident that was red once it has calmed down. What becomes of incidents is kept as a list of events.
 */
#ifndef ASCOLTO_BENCH_REPLAY_H
#define ASCOLTO_BENCH_REPLAY_H

#include "common/base.h"
#include "common/id.h"

struct replay;

struct replay_event {
	int64_t at_ms;
	struct id incident;
	int code;              /* enum code; 0: it is over */
	bool was_red;
	unsigned waves; /* how often people were called again */
	unsigned people;
	double normal;
	char title[160], because[200];
};

struct replay_post {
	const char *text, *who, *lang;
	int64_t at_ms;
	bool self;
};

/* `playbook` is a file. Exits with a sentence when something can not be opened. */
struct replay *replay_open(const char *playbook, const char *models);
void replay_close(struct replay **r);

/* Posts in order of time. */
void replay_say(struct replay *r, const struct replay_post *p);

/* Lets time pass without posts. */
void replay_wait(struct replay *r, int64_t until_ms);

const struct replay_event *replay_events(const struct replay *r, size_t *ret_n);
size_t replay_topics(const struct replay *r);

#endif
