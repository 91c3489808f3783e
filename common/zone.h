/*
 * zone.h - a time zone: what the clock on the wall shows at an instant, and when it showed that.
 *
 * Zones have their names of the IANA database ("Europe/Rome"), read through libical from the system's tzdata. Opening one
 * writes its changes of offset from 1990 to 2069 into a table; everything after that is two binary searches, pure, without
 * allocation. Before and after those years the first and last offset hold. libical's reading of rules before 2020 is an hour
 * off here and there (São Paulo in 2014); from 2020 on it was held against the C library's for all 418 zones of zone.tab, and
 * agreed but for Easter Island.
 *
 * Local time is counted as a day (days since 1970-01-01, whatever the zone) and minutes since that day's midnight, which may
 * be negative or above 1440: 1500 is one in the morning of the next day. Two local times are peculiar: one that the clock
 * skips in spring is taken as the instant of the change, one that it shows twice in autumn as the first of the two. So the
 * instants of ascending local times never descend.
 */
#ifndef ASCOLTO_ZONE_H
#define ASCOLTO_ZONE_H

#include "base.h"
#include "err.h"

struct zone;

struct zone_time {
	int32_t day;     /* since 1970-01-01 */
	int32_t second;  /* since midnight */
	int weekday;     /* 0 = Monday */
};

/* -ENOENT: no such zone. The same name may be opened many times. */
int zone_open(struct zone **ret, const char *name, struct err *e);
void zone_close(struct zone **z);
const char *zone_name(const struct zone *z);

int32_t zone_offset_s(const struct zone *z, int64_t at_ms); /* east of Greenwich is positive */
struct zone_time zone_local(const struct zone *z, int64_t at_ms);
int64_t zone_instant(const struct zone *z, int32_t day, int32_t minute);

/* Days and their dates in the Gregorian calendar. day_of_date: -EINVAL for a date that does not exist. */
int day_of_date(int year, int month, int day, int32_t *ret_day);
void date_of_day(int32_t day, int *ret_year, int *ret_month, int *ret_day);
int weekday_of(int32_t day); /* 0 = Monday */

#endif
