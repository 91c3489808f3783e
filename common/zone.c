#include "zone.h"

#include <libical/ical.h>

#define FIRST_YEAR 1990
#define LAST_YEAR 2069
#define CHANGES_MAX 512
#define PROBE_S ((int64_t)14 * 86400) /* no zone changes twice within this and comes back */

struct zone {
	char name[64];
	size_t n;
	int64_t from_s[CHANGES_MAX];   /* ascending; the first is the beginning of time */
	int32_t offset_s[CHANGES_MAX];
};

int weekday_of(int32_t day)
{
	return (int)(((int64_t)day % 7 + 10) % 7); /* 1970-01-01 was a Thursday */
}

int day_of_date(int year, int month, int day, int32_t *ret_day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return -EINVAL;
	int64_t s = timegm(&tm);
	if (tm.tm_mon != month - 1 || tm.tm_mday != day)
		return -EINVAL;
	*ret_day = (int32_t)(s / 86400 - (s % 86400 < 0));
	return 0;
}

void date_of_day(int32_t day, int *ret_year, int *ret_month, int *ret_day)
{
	struct tm tm = {0};
	time_t s = (time_t)day * 86400;
	gmtime_r(&s, &tm);
	*ret_year = tm.tm_year + 1900;
	*ret_month = tm.tm_mon + 1;
	*ret_day = tm.tm_mday;
}

static int32_t ask(icaltimezone *ical, int64_t at_s)
{
	struct icaltimetype t = icaltime_from_timet_with_zone((time_t)at_s, 0, icaltimezone_get_utc_timezone());
	return icaltimezone_get_utc_offset_of_utc_time(ical, &t, NULL);
}

/* The first second in (low, high] at which the offset is no longer what it is at `low`. */
static int64_t change_between(icaltimezone *ical, int64_t low, int64_t high)
{
	int32_t before = ask(ical, low);
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (ask(ical, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void find_changes(struct zone *z, icaltimezone *ical)
{
	int32_t day = 0, last = 0;
	day_of_date(FIRST_YEAR, 1, 1, &day);
	day_of_date(LAST_YEAR, 12, 31, &last);
	int64_t end = (int64_t)last * 86400, at = (int64_t)day * 86400;
	z->from_s[0] = INT64_MIN;
	z->offset_s[0] = ask(ical, at);
	for (z->n = 1; at < end && z->n < CHANGES_MAX; at += PROBE_S) {
		if (ask(ical, at + PROBE_S) == z->offset_s[z->n - 1])
			continue;
		z->from_s[z->n] = change_between(ical, at, at + PROBE_S);
		z->offset_s[z->n] = ask(ical, z->from_s[z->n]);
		z->n++;
	}
}

int zone_open(struct zone **ret, const char *name, struct err *e)
{
	icalerror_set_errors_are_fatal(0);
	bool utc = str_eq(name, "UTC") || str_eq(name, "Etc/UTC");
	icaltimezone *ical = NULL;
	if (utc)
		ical = icaltimezone_get_utc_timezone();
	else if (!str_empty(name) && strlen(name) < sizeof((*ret)->name))
		ical = icaltimezone_get_builtin_timezone(name);
	if (!ical)
		return err_set(e, -ENOENT, "there is no time zone \"%.60s\"; write one like Europe/Rome or UTC", name);
	struct zone *z = calloc(1, sizeof(*z));
	if (!z)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(z->name, sizeof(z->name), "%s", name);
	z->n = 1;
	if (utc)
		z->from_s[0] = INT64_MIN;
	else
		find_changes(z, ical);
	*ret = z;
	return 0;
}

void zone_close(struct zone **z)
{
	free(*z);
	*z = NULL;
}

const char *zone_name(const struct zone *z)
{
	return z->name;
}

/* The row that holds at that second. */
static size_t row_at(const struct zone *z, int64_t at_s)
{
	size_t low = 0, high = z->n;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (z->from_s[middle] <= at_s)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int64_t floor_seconds(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

int32_t zone_offset_s(const struct zone *z, int64_t at_ms)
{
	return z->offset_s[row_at(z, floor_seconds(at_ms))];
}

struct zone_time zone_local(const struct zone *z, int64_t at_ms)
{
	int64_t s = floor_seconds(at_ms) + zone_offset_s(z, at_ms);
	int32_t day = (int32_t)(s / 86400 - (s % 86400 < 0));
	return (struct zone_time){.day = day, .second = (int32_t)(s - (int64_t)day * 86400), .weekday = weekday_of(day)};
}

int64_t zone_instant(const struct zone *z, int32_t day, int32_t minute)
{
	int64_t local = (int64_t)day * 86400 + (int64_t)minute * 60;
	size_t row = row_at(z, local - 86400);
	/* The change that may lie between: local times before it are read with the old offset. */
	while (row + 1 < z->n && z->from_s[row + 1] <= local + 86400) {
		int64_t change = z->from_s[row + 1];
		if (local < change + z->offset_s[row])
			break;
		row++;
		if (local < change + z->offset_s[row])
			return change * 1000; /* skipped */
	}
	return (local - z->offset_s[row]) * 1000;
}
