#include "services/escalation/topics/surge.h"

#include <math.h>

#define SCALE_LEAST 0.2
#define SCALE_MOST 5.0
#define UNKNOWN_TIMES 1.5

/* What part of a threshold's people each window needs. */
static const double part[NORMAL_WINDOWS] = {0.75, 1, 0.75};

struct thresholds surge_scaled(const struct thresholds *t, double brand)
{
	struct thresholds s = *t;
	if (!t->scaled || !(brand > 0))
		return s;
	double by = fmin(fmax(brand / SURGE_BRAND, SCALE_LEAST), SCALE_MOST);
	s.yellow_people = MAX((unsigned)lround(t->yellow_people * by), (unsigned)SURGE_YELLOW_LEAST);
	s.red_people = MAX((unsigned)lround(t->red_people * by), s.yellow_people * 2);
	return s;
}

/* -log10 of the bell curve's upper tail. */
static double unlikely_of(double deviations)
{
	return -log10(fmax(erfc(deviations / M_SQRT2) / 2, 1e-300));
}

/* `slowly` is what the longest window must hold. */
static bool holds(const struct surge *s, unsigned i, double people, double slowly)
{
	if (i == 0 && s->people[i] < SURGE_BURST_TIMES * s->expected[i])
		return false;
	if (i < NORMAL_WINDOWS - 1)
		return s->people[i] >= people * part[i];
	/* Slow: it goes on, and it is not a sudden burst that the windows above look at. */
	bool spread = s->people[1] * 5 >= s->people[i] && s->people[1] * 5 <= s->people[i] * 3;
	return spread && s->people[i] >= slowly * part[i];
}

/* Three hours come a third as often as hours do: as many false alarms in a day allow so many powers of ten
 * more for each. */
static double fewer_looks(unsigned window)
{
	return fmax(log10((double)normal_steps[window] / normal_steps[1]), 0);
}

static bool reaches(const struct surge *s, double people, double slowly, double limit, unsigned *ret_window)
{
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
		if (holds(s, i, people, slowly) && s->unlikely[i] >= limit - fewer_looks(i)) {
			*ret_window = i;
			return true;
		}
	return false;
}

enum code surge_code(const struct thresholds *t, const struct surge *s, unsigned *ret_window)
{
	struct thresholds x = surge_scaled(t, s->brand);
	double limit = unlikely_of(x.over_normal);
	bool grave = x.grave_people && s->grave;
	unsigned window = 1;
	enum code code = CODE_NONE;
	double red = grave ? x.yellow_people : x.red_people;
	/* What is slow in a brand nobody knows yet, or on a day such as none before, may be ordinary. */
	double slowly = s->usual > 0 ? MAX(surge_scaled(t, fmax(s->usual, s->brand / 2)).yellow_people, t->yellow_people)
				     : t->yellow_people * UNKNOWN_TIMES;
	if (reaches(s, red, fmax(red, slowly * 1.5), limit, &window))
		code = CODE_RED;
	else if (reaches(s, x.yellow_people, slowly, limit, &window))
		code = CODE_YELLOW;
	else if (grave && s->people[0] >= x.grave_people && s->unlikely[0] >= SURGE_GRAVE_UNLIKELY) {
		code = CODE_YELLOW;
		window = 0;
	}
	if (ret_window)
		*ret_window = window;
	return code;
}

bool surge_is_near(const struct thresholds *t, const struct surge *s)
{
	struct thresholds half = surge_scaled(t, s->brand);
	half.scaled = false;
	half.yellow_people = MAX(half.yellow_people / 2, 1u);
	return surge_code(&half, s, NULL) != CODE_NONE;
}

bool surge_is_calm(const struct thresholds *t, const struct surge *s)
{
	struct thresholds x = surge_scaled(t, s->brand);
	return s->unlikely[1] < SURGE_CALM_UNLIKELY || s->people[1] * 4 < x.yellow_people;
}

void surge_tell(struct surge_life *l, const struct surge *s, int64_t now_ms)
{
	l->told_ms = now_ms;
	l->told_people = MAX(s->people[1], 1u);
	l->calm_ms = 0;
}

bool surge_is_wave(const struct thresholds *t, const struct surge_life *l, const struct surge *s,
	unsigned window, enum code code, int64_t now_ms, int64_t window_ms)
{
	unsigned known = MAX(l->told_people, surge_scaled(t, s->brand).yellow_people);
	if (l->code == CODE_NONE || code < l->code || window == NORMAL_WINDOWS - 1 ||
		now_ms - l->told_ms < window_ms)
		return false;
	return !l->told_people || s->people[1] >= known * SURGE_WAVE_TIMES;
}

void surge_step_down(struct surge_life *l, bool calm, int64_t now_ms, int64_t window_ms)
{
	bool due = calm && l->calm_ms && now_ms - l->calm_ms >= window_ms * SURGE_CALM_WINDOWS;
	if (!calm)
		l->calm_ms = 0;
	else if (!l->calm_ms || due)
		l->calm_ms = now_ms; /* the next step takes a time of its own */
	if (due || (calm && now_ms - l->calm_ms >= window_ms))
		l->told_people = 0;
	if (due && l->code == CODE_RED)
		l->code = CODE_YELLOW;
	else if (due && !l->was_red)
		l->code = CODE_NONE;
}
