/*
 * normal.h - what is ordinary for a topic at this hour, and how unlikely it is to see so many people.
 *
 * The number of different people within a window is taken as negative binomial, which is Poisson for people
 * who write independently and has a longer tail for those who do not (Johnson, Kemp, Kotz, "Univariate
 * discrete distributions", 5.1). `unlikely` is -log10 of the probability of at least so many on an ordinary
 * day, whatever their number: 4.5 is what four standard deviations are for the bell curve. A brand whose
 * people come in bursts has a long tail and needs more of them.
 *
 * The mean is an exponentially weighted one over NORMAL_MEMORY_DAYS, seasonally adjusted: what is expected is
 * the mean times the brand's rhythm over the window (Winters, "Forecasting sales by exponentially weighted
 * moving averages", Management Science 6, 1960). What is learnt is by how many people the expectation was
 * missed, so that busy hours, which tell more, weigh more. It begins as if a day had been silent: a topic
 * nobody ever spoke of has a normal of nothing.
 *
 * The variance has two estimates. `shake`: half the mean squared difference of successive windows (von
 * Neumann, "Distribution of the ratio of the mean square successive difference to the variance", 1941), which
 * a level that is still being learnt does not disturb. `error`: the mean squared error of the expectation
 * itself, which knows also of good days and bad ones, but only after some time: it starts after a day at the
 * value of the first, and replaces it as evidence comes in. Its memory grows with the topic's age: what the
 * first days missed, when neither the level nor the weekdays were known, is no measure of what is known now.
 * Surges teach both as anything else does: for a topic that surges every other day a surge is ordinary. But
 * what is going on now is not yet ordinary: samples are learnt in blocks of three windows, each when the one
 * after it is full.
 *
 * A busy hour is not a crisis: when everything else people write to the brand about is above what is usual
 * for the hour, as much more is expected of the topic (topic.c).
 *
 * A topic has one of these for each of NORMAL_WINDOWS windows: a quarter of the playbook's window finds a
 * sudden burst, the window itself what its thresholds speak of, three windows a slow one. Pure functions, no
 * clock.
 */
#ifndef ASCOLTO_ESCALATION_NORMAL_H
#define ASCOLTO_ESCALATION_NORMAL_H

#include "common/base.h"

#define NORMAL_WINDOWS 3
#define NORMAL_SAMPLES_PER_WINDOW 12 /* samples are taken so often in the playbook's window */
#define NORMAL_MEMORY_DAYS 14
#define RHYTHM_KNOWN_HOURS 6         /* before, nothing is said of the brand */
#define NORMAL_FLOOR 0.25            /* people per window: nothing is expected more rarely */

/* Of window i, in parts of the playbook's window: its length in steps of a crowd, and in samples. */
extern const unsigned normal_steps[NORMAL_WINDOWS], normal_samples[NORMAL_WINDOWS];

/* Sums over the samples of a block. */
struct normal_block {
	float off, errors, moves; /* off: by which people were more than expected */
};

struct normal {
	float mean;   /* people, at a rhythm of 1 */
	float shake, error;
	float before; /* people in the window before, for shake */
	struct normal_block filling, waiting;
};

/* What all the windows of one topic have in common. */
struct normals {
	struct normal of[NORMAL_WINDOWS];
	uint32_t seen;    /* samples, as far as they matter; begins with a day's */
	uint32_t own;     /* of these, the topic's own */
	int64_t next;     /* the sample that is taken next, in samples since 1970 */
};

void normals_begin(struct normals *n, int64_t sample, unsigned samples_per_day);

/* One sample: people in each window, and the rhythm over that window. */
void normals_learn(struct normals *n, const unsigned people[NORMAL_WINDOWS],
	const double rhythm[NORMAL_WINDOWS], unsigned samples_per_day);

/* The same so many times over with nobody, quickly. */
void normals_learn_silence(
	struct normals *n, uint64_t samples, const double rhythm[NORMAL_WINDOWS], unsigned samples_per_day);

/* Two topics have become one: what is ordinary for both together. */
void normals_join(struct normals *into, const struct normals *n);

double normal_expected(const struct normals *n, unsigned window, double rhythm);
double normal_unlikely(const struct normals *n, unsigned window, double rhythm, unsigned people);

/* -log10 P(X >= people), X negative binomial with that mean and variance, Poisson when the variance is no larger. */
double unlikely(unsigned people, double mean, double variance);

/*
 * The brand's rhythm: people per hour of the week against the mean of all hours. An hour of the week is seen
 * but once a week, so it is drawn towards what its hour of the day and its weekday say together, (hour of the
 * day) * (weekday), and these towards 1, each the more the less was seen: partial pooling, as the posterior
 * mean of a Poisson rate with a gamma prior draws (Clayton, Kaldor, "Empirical Bayes estimates of
 * age-standardized relative risks", Biometrics 43, 1987). A guess is worth base * (1 + 100 / people) hours of
 * its kind: fewer people, more chance. Nothing seen yet: 1.
 */
struct rhythm {
	float day[24], week[168], mean;
	uint16_t days[24], weeks[168];
	float at[168];	    /* what rhythm_at says, made of the above */
	uint32_t hours;     /* closed so far */
	int64_t hour;       /* the one that is open, since 1970; 0: none yet */
	uint32_t count;     /* in it */
	bool partly;        /* it was not heard from its beginning: it teaches nothing */
};

/* Somebody wrote. True when an hour was closed by that. */
bool rhythm_hear(struct rhythm *r, int64_t at_ms);

/* After the counts were changed from outside, as when they are read from the store. */
void rhythm_settle(struct rhythm *r);

double rhythm_size(const struct rhythm *r);   /* the brand's people per hour; 0: not known yet */
double rhythm_at(const struct rhythm *r, int64_t at_ms);
/* The mean of the time that ends then: people of the last three hours are not to be compared with what this
 * minute brings. */
double rhythm_over(const struct rhythm *r, int64_t end_ms, int64_t length_ms);

#endif
