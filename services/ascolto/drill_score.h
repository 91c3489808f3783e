/*
 * drill_score.h - how well a drill went, held against the playbook. Pure: no clock, no calls.
 *
 * Detection is compared with a detector that knows what each post is about: the moment at which so many different people
 * have written of one crisis within the playbook's window as the playbook asks for. Being at most DRILL_LATE_MS behind it
 * is right. People are compared with the playbook: acknowledged before the chain calls its next actor, each step done
 * within its minutes. A point for each of these things; what the scenario does not tell, or nobody was asked, is not counted.
 */
#ifndef ASCOLTO_DRILL_SCORE_H
#define ASCOLTO_DRILL_SCORE_H

#include "services/ascolto/drill_scenario.h"
#include "services/escalation/playbook/playbook.h"

#define DRILL_LATE_MS ((int64_t)5 * 60000)
#define DRILL_LANES_RIGHT 0.8 /* of the posts with a lane, for the point */
#define DRILL_STEPS_MAX 64
#define DRILL_INCIDENTS_MAX 32

/* An incident as the console shows it. */
struct drill_incident {
	char id[ID_TEXT + 1], title[200], acknowledged_by[84];
	enum code code;
	int64_t opened_ms, red_ms;     /* times of the messages */
	int64_t called_ms;             /* our clock: when its present code was reached; 0 = not known */
	int64_t acknowledged_ms;       /* our clock; 0 = not */
	struct {
		char text[200], actor[64];
		int64_t due_ms, done_ms;
	} steps[DRILL_STEPS_MAX];
	size_t steps_n;
};

/* One point that was to be had. */
struct drill_point {
	char about[40];                /* a crisis, or "" */
	const char *what;              /* yellow, red, acknowledged, step, at_once, lanes, false_incident */
	bool right;
	char words[400];               /* for people */
};

struct drill_score {
	struct drill_point *points;
	size_t n, right;
};

/* When a detector that knows everything has `people` different authors of this crisis within `window_ms`; 0 = never. */
int64_t drill_perfect_ms(const struct drill_scenario *s, const char *about, int64_t window_ms, unsigned people);

/* The incident most of the crisis's posts belong to; NULL: none. */
const struct drill_incident *drill_incident_of(const struct drill_scenario *s, const char *about,
	const struct drill_incident *list, size_t n);

/* -ENOMEM. ret->points is freed by the caller. */
int drill_score(const struct drill_scenario *s, const struct playbook *p, const struct drill_incident *list, size_t n,
	struct drill_score *ret);

#endif
