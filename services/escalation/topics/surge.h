/*
 * surge.h - from how many people, and how unlikely that is, to a code. Pure.
 *
 * A topic has a code when enough different people talk about it *and* so many are unusual for it at this hour
 * (normal.h). Three windows are looked at, because a fault that hits everybody at once and one that spreads
 * all day look different: the playbook's window must hold the threshold's people, a quarter of it three
 * quarters of them, and so must three of it, for which the threshold does not shrink with the brand. A burst
 * is also several times what is expected. `over_normal` is how unlikely the playbook's window is; three of it
 * come a third as often and may be three times as likely (Bonferroni: as many false alarms a day from the one
 * as from the other). A quarter comes oftener, but a burst's other conditions are hardly ever met by chance.
 *
 * A cumulative sum (Lucas, "Counted data CUSUM's", Technometrics 27, 1985) in place of the windows finds no
 * more: with the true rate known to both, and as few false alarms (tests/bench/crisis, ramp).
 *
 * How many are enough depends on the brand: 200 people about one problem within an hour are a crisis for one
 * that some SURGE_BRAND people write to in an hour. A playbook that gives numbers of its own is taken at its
 * word; otherwise they grow and shrink with the people per hour the brand really has, between a fifth and
 * five times.
 *
 * A topic that stands for a danger (topic.h) needs fewer: `grave_people` are enough for yellow, and the
 * threshold of yellow for red.
 *
 * Hysteresis: a code is reached at once and left one step at a time, each after the topic has been calm for
 * some windows (surge_step_down): surge_is_calm looks at a lower limit than surge_code, so that it does not
 * flicker.
 *
 * Waves: whoever was told of 20 people does not know of 40, and whoever saw them go does not know that they
 * are back. An open incident is told again, at the code it has, when it has SURGE_WAVE_TIMES as many people
 * as it was last told with, or deserves its code anew after it has been calm for a window; but no oftener
 * than once a window, and not for three slow ones, which still hold the people of the wave before.
 */
#ifndef ASCOLTO_ESCALATION_SURGE_H
#define ASCOLTO_ESCALATION_SURGE_H

#include "services/escalation/topics/normal.h"
#include "services/escalation/rules.h"

#define SURGE_BRAND 100.0       /* people per hour of the brand that the thresholds are made for */
#define SURGE_YELLOW_LEAST 8    /* however small the brand */
#define SURGE_GRAVE_UNLIKELY 3.0
#define SURGE_BURST_TIMES 5     /* a sudden burst is so many times what is expected */
#define SURGE_CALM_WINDOWS 4    /* so long must it be calm before it is over */
#define SURGE_WAVE_TIMES 2	/* so many times the people who were told of are worth telling again */
#define SURGE_CALM_UNLIKELY 1.5 /* one window in thirty is as busy as that by itself */

struct thresholds {
	unsigned yellow_people, red_people; /* distinct, within the window */
	unsigned grave_people;              /* 0: danger counts as anything else */
	bool scaled;                        /* by the brand's size: the playbook gave no numbers of its own */
	double over_normal;                 /* as unlikely as so many standard deviations are for the bell curve */
};

/* What a topic looks like now. */
struct surge {
	unsigned people[NORMAL_WINDOWS];
	double expected[NORMAL_WINDOWS];
	double unlikely[NORMAL_WINDOWS];
	double usual;                       /* people per hour who write to the brand; 0 = not known yet */
	double brand;                       /* the same, or now if that is more */
	bool grave;                         /* it stands for a danger */
};

/* The code it deserves now, whatever it had. *ret_window, which may be NULL: the window that says so. */
enum code surge_code(const struct thresholds *t, const struct surge *s, unsigned *ret_window);

/* Half as many people would deserve a code. */
bool surge_is_near(const struct thresholds *t, const struct surge *s);

/* No more people than on an ordinary day, or too few to mind. */
bool surge_is_calm(const struct thresholds *t, const struct surge *s);

/* What an incident remembers of its code. */
struct surge_life {
	enum code code;
	bool was_red;	 /* then a person closes it: it stays yellow */
	int64_t calm_ms; /* since when it has been calm; 0: it is not */
	int64_t told_ms; /* when people were called */
	unsigned told_people; /* how many there were in the window; 0: it has subsided since */
};

/* People are called now. */
void surge_tell(struct surge_life *l, const struct surge *s, int64_t now_ms);

/* It deserves `code`, as `window` says (surge_code), and is to be told again at the code it has. */
bool surge_is_wave(const struct thresholds *t, const struct surge_life *l, const struct surge *s,
	unsigned window, enum code code, int64_t now_ms, int64_t window_ms);

/* It was looked at: after SURGE_CALM_WINDOWS calm windows red becomes yellow, and yellow, unless it is a
 * person's, is over. After one it has subsided. */
void surge_step_down(struct surge_life *l, bool calm, int64_t now_ms, int64_t window_ms);

/* The thresholds for a brand of that size. */
struct thresholds surge_scaled(const struct thresholds *t, double brand);

#endif
