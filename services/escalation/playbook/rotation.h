/*
 * rotation.h - who is on call. Pure.
 *
 * A rotation passes from one member to the next every `turn_days` days at the same time of the wall's clock, beginning with the
 * first member at `start_day`; before that the turns are counted backwards. Overrides take precedence, the last that fits.
 */
#ifndef ASCOLTO_ESCALATION_ROTATION_H
#define ASCOLTO_ESCALATION_ROTATION_H

#include "common/zone.h"

struct rotation_override {
	int64_t from_ms, to_ms; /* [from, to) */
	unsigned member;        /* an index the caller understands; need not be one of the rotation's */
};

struct rotation {
	const struct zone *zone;
	int32_t start_day;      /* as zone.h counts days */
	int32_t at_minute;      /* of the day: when the turn passes on */
	unsigned turn_days;     /* at least 1 */
	const unsigned *members;
	unsigned members_count; /* at least 1 */
	const struct rotation_override *overrides;
	size_t overrides_count;
};

/* The member who is on call then. */
unsigned rotation_on_call(const struct rotation *r, int64_t at_ms);

#endif
