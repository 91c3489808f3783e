#include "services/escalation/surge.h"

#include <math.h>

#define SCALE_LEAST 0.2
#define SCALE_MOST 5.0
#define MOSTLY 0.5

/* What part of a threshold's people each window needs. */
static const double part[NORMAL_WINDOWS] = {0.5, 1, 1.25};

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

static bool reaches(const struct surge *s, double people, double limit, unsigned *ret_window)
{
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
		if (s->people[i] >= people * part[i] && s->unlikely[i] >= limit) {
			*ret_window = i;
			return true;
		}
	return false;
}

enum code surge_code(const struct thresholds *t, const struct surge *s, unsigned *ret_window)
{
	struct thresholds x = surge_scaled(t, s->brand);
	double limit = unlikely_of(x.over_normal);
	bool grave = x.grave_people && s->grave >= MOSTLY;
	unsigned window = 1;
	enum code code = CODE_NONE;
	if (reaches(s, grave ? x.yellow_people : x.red_people, limit, &window))
		code = CODE_RED;
	else if (reaches(s, x.yellow_people, limit, &window))
		code = CODE_YELLOW;
	else if (grave && s->people[0] >= x.grave_people && s->unlikely[0] >= SURGE_GRAVE_UNLIKELY) {
		code = CODE_YELLOW;
		window = 0;
	}
	if (ret_window)
		*ret_window = window;
	return code;
}

bool surge_is_calm(const struct thresholds *t, const struct surge *s)
{
	struct thresholds x = surge_scaled(t, s->brand);
	return s->unlikely[1] < SURGE_CALM_UNLIKELY || s->people[1] * 4 < x.yellow_people;
}
