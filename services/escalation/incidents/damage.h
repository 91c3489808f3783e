/*
 * damage.h - what an incident did to the brand: counts in parts of five minutes, kept as things happen.
 *
 * Two series of the same rows (state.Pulse): one per brand, everything customers write, kept PULSE_DAYS; one per incident,
 * what is written about its topic, from an hour before it opened until INCIDENT_DAYS after, kept with it. A
 * message costs a read and a write of the brand's row, and of the incident's when it belongs to one. Messages are counted
 * by the time they were written; what people do (acknowledging, closing) by our clock.
 *
 * People: the brand's rows hold a sketch (sketch.h, within 6.5 %), because any times can then be put together; those of an
 * incident are exact, each counted in the part in which they first wrote about it, with their followers once (reach). The
 * brand's own words and what says nothing new (deletes, reactions, deliveries) are not counted; reposts are, as volume.
 *
 * Calm: the end of the last five minutes at which the messages of the hour up to them were above twice the topic's normal
 * and above a tenth of the worst such hour; known an hour later.
 */
#ifndef ASCOLTO_ESCALATION_DAMAGE_H
#define ASCOLTO_ESCALATION_DAMAGE_H

#include "common/svc.h"
#include "proto/state.pb-c.h"

#define PULSE_MS ((int64_t)5 * 60000)
#define PULSE_DAYS 35
#define INCIDENT_DAYS 60
#define INCIDENT_PARTS_MAX (INCIDENT_DAYS * 288 + 300)

/* What one message or one decision adds. */
struct damage {
	int64_t at_ms;
	const struct id *incident;     /* NULL: only the brand's */
	uint64_t who;                  /* 0: nobody wrote anything */
	uint64_t reach;                /* followers of who wrote */
	bool fresh_person;             /* wrote about the incident for the first time */
	unsigned newcomers;            /* people of another topic, which turned out to be the incident's: those of this part */
	bool negative, positive;
	bool defends;                  /* takes the brand's side in the debate */
	bool case_opened, case_joined; /* of the brand; of the incident */
	bool case_closed, case_late;
	bool request, case_reopened;   /* for score.h, as the next two */
	bool in_time;                  /* it was acknowledged before its clock ran out */
	bool silent;                   /* the acknowledge clock ran out */
	bool answer;                   /* a person's words leave, for score.h too; */
	bool tone_right, clear_known, clear; /* as draft.h found them */
	unsigned acknowledged;         /* cases ... */
	int64_t acknowledge_ms;        /* ... and how long that took, in all */
};

/* Once per handled message at most: a handler does not see what it has put itself. 0 or a negative errno. */
int damage_add(struct turn *t, const char *brand, const struct damage *d);

/* People who are known to have written once, each, within an hour before some moment: how an incident begins, and what
 * another topic brings that turns out to be the incident's. Their tone is not known any more. */
#define CROWD_PARTS 13
struct damage_crowd {
	int64_t last_ms;               /* that moment */
	uint32_t people[CROWD_PARTS];  /* by how many parts ago */
};
bool damage_crowd_add(struct damage_crowd *c, int64_t at_ms); /* false: too long ago, not counted */

/* Adds them to the incident's rows. A part that damage_add writes for the same message must not be among them: take
 * people[0] out and give it to damage_add as newcomers. 0 or a negative errno. */
int damage_crowd_write(struct turn *t, const struct id *incident, const struct damage_crowd *c);

/* The sum of a time. */
struct damage_sum {
	int64_t from_ms, to_ms;
	uint64_t messages, negative, positive, defended, reach;
	uint64_t cases, acknowledged, closed, late, acknowledge_ms;
	double people;                 /* incident: exact */
};

/* One part of a series, for charts. */
struct damage_part {
	int64_t at_ms;
	uint32_t messages, negative, people;
};

/* Sums [from_ms, to_ms) of the brand (incident NULL) or of the incident. `parts` may be NULL; else at most *n_parts, and
 * *n_parts becomes how many there are. 0 or a negative errno. */
int damage_read(struct txn *t, const char *brand, const struct id *incident, int64_t from_ms, int64_t to_ms,
	struct damage_sum *ret, struct damage_part *parts, size_t *n_parts);

/* When it was calm again; 0 = not yet. `until_ms` is how far is known. */
int64_t damage_calm(const struct damage_part *parts, size_t n, double normal, int64_t until_ms);

#endif
