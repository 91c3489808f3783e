/*
 * calendar.h - business hours: when somebody is there, and how much of that time lies between two instants.
 *
 * A calendar is weekly hours in a time zone, less breaks, holidays and special days. Hours are on the wall's clock, so a
 * shift over the night in which the clock changes is an hour longer or shorter (zone.h has the two peculiar cases):
 *
 *   - a span of hours begins on the weekdays it names and ends on the same day, or, when `to` is not after `from`, on the
 *     next one: 22:00 to 06:00 is a night shift. 24:00 is the end of the day;
 *   - spans of a week may touch but not overlap;
 *   - a break takes its part out of every span it falls into, on the weekdays of the break;
 *   - on a holiday no span begins; a shift that began the evening before goes on to its end;
 *   - a special day has hours of its own, or none, instead of the week's; it may also be a holiday on which somebody works.
 *
 * Everything after calendar_new is pure and allocates nothing. A NULL calendar is always open. Times are milliseconds since
 * 1970. Reading starts with a `struct calendar_spec`, which is borrowed only during the call.
 */
#ifndef ASCOLTO_CALENDAR_H
#define ASCOLTO_CALENDAR_H

#include "base.h"
#include "err.h"
#include "zone.h"

#define CALENDAR_HOURS_MAX 64        /* rows of hours, of breaks, and of special days each */
#define CALENDAR_HOLIDAYS_MAX 4096
#define CALENDAR_DAY_SPANS 16        /* spans that begin on one day, breaks taken out */
#define CALENDAR_ALL_WEEK 0x7f
#define CALENDAR_NEVER INT64_MAX
#define CALENDAR_YEARS 10            /* what does not open within so many is never open */

struct calendar;

struct calendar_hours {
	uint8_t days;                /* bit 0 = Monday */
	int16_t from, to;            /* minutes since midnight, 0..1440 */
};

struct calendar_date {
	int16_t year;                /* 0 = every year */
	uint8_t month, day;
};

struct calendar_special {
	struct calendar_date date;
	bool open;                   /* false: closed, from and to do not matter */
	int16_t from, to;            /* several rows with one date are several spans */
};

struct calendar_spec {
	const char *time_zone;
	const struct calendar_hours *hours, *breaks;
	size_t hours_count, breaks_count;
	const struct calendar_date *holidays;
	size_t holidays_count;
	const int32_t *holiday_days; /* as zone.h counts days: what calendar_read_ics gave */
	size_t holiday_days_count;
	const struct calendar_special *specials;
	size_t specials_count;
};

/* -EINVAL: `where` is the part that is wrong, "hours[1]", "time_zone"; the sentence does not name it. */
int calendar_new(struct calendar **ret, const struct calendar_spec *spec, char where[32], struct err *e);
void calendar_free(struct calendar **c);

bool calendar_is_open(const struct calendar *c, int64_t at_ms);

/* Milliseconds of opening in [from, to); 0 when from >= to. */
int64_t calendar_open_between(const struct calendar *c, int64_t from_ms, int64_t to_ms);

/* The first instant by which `open_ms` of opening have passed since `from_ms`; CALENDAR_NEVER. With 0 it is `from_ms`. */
int64_t calendar_add(const struct calendar *c, int64_t from_ms, int64_t open_ms);

/* `at_ms` when it is open then, else the next opening; CALENDAR_NEVER. */
int64_t calendar_next_open(const struct calendar *c, int64_t at_ms);

/* NULL for a NULL calendar. */
const struct zone *calendar_zone(const struct calendar *c);

/* ---- words ---- */

int calendar_parse_time(const char *text, int16_t *ret_minute);             /* "09:30", up to "24:00"; -EINVAL */
int calendar_parse_date(const char *text, struct calendar_date *ret);       /* "2026-12-25", every year "12-25"; -EINVAL */
int calendar_parse_weekday(const char *text, unsigned *ret_weekday);        /* "mon" ... "sun"; -EINVAL */
extern const char *const calendar_weekdays[7];

/*
 * The days of an iCalendar file (RFC 5545): whole-day events, those that repeat from 1990 to 2069. *ret_days is ascending,
 * without doubles, freed by the caller. -EINVAL names the event; -ENOENT and the like the file. At most
 * CALENDAR_HOLIDAYS_MAX days and 1 MiB.
 */
int calendar_read_ics(const char *path, int32_t **ret_days, size_t *ret_count, struct err *e);

#endif
