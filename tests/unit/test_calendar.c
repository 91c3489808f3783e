/* Time zones against the C library's own; business hours as tables of rows; holidays from iCalendar files. */
#include "tests/unit/check.h"

#include "common/calendar.h"

#include <unistd.h>

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)

/* ---- zones ---- */

static const char *const zones[] = {"Europe/Rome", "Europe/London", "America/New_York", "America/Sao_Paulo",
	"Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Tokyo", "UTC"};

/* The C library reads the same tzdata by another way. */
static void test_zones_agree_with_libc(void **state)
{
	(void)state;
	const char *had = getenv("TZ");
	char *kept = had ? strdup(had) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct zone *z CLEANUP(zone_close) = NULL;
		struct err e = {0};
		if (zone_open(&z, zones[i], &e))
			fail_msg("%s", err_text(&e));
		assert_string_equal(zone_name(z), zones[i]);
		setenv("TZ", zones[i], 1);
		tzset();
		for (time_t s = 1577836800; s < 2082758400; s += 3607) { /* 2020 to 2036 */
			struct tm tm;
			localtime_r(&s, &tm);
			if (zone_offset_s(z, (int64_t)s * 1000) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d instead of %ld", zones[i], (long long)s,
					zone_offset_s(z, (int64_t)s * 1000), tm.tm_gmtoff);
			struct zone_time t = zone_local(z, (int64_t)s * 1000);
			assert_int_equal(t.second, tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
			assert_int_equal(t.weekday, (tm.tm_wday + 6) % 7);
		}
	}
	if (kept)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
}

static void test_no_such_zone(void **state)
{
	(void)state;
	static const char *const names[] = {"", "Europe/Roma", "rome", "../../etc/passwd", "Europe/Rome ",
		"a name that is far too long to be that of any time zone on this or any other planet"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct zone *z = NULL;
		struct err e = {0};
		assert_int_equal(zone_open(&z, names[i], &e), -ENOENT);
		assert_null(z);
		assert_non_null(strstr(err_text(&e), "Europe/Rome or UTC"));
	}
}

/* Instants of ascending local times never descend, and come back to their local time unless the clock skipped it. */
static void test_zone_instants(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct zone *z CLEANUP(zone_close) = NULL;
		assert_int_equal(zone_open(&z, zones[i], NULL), 0);
		int32_t first, last;
		assert_int_equal(day_of_date(2024, 1, 1, &first), 0);
		assert_int_equal(day_of_date(2026, 12, 31, &last), 0);
		int64_t before = INT64_MIN;
		unsigned skipped = 0;
		for (int32_t day = first; day <= last; day++)
			for (int32_t minute = 0; minute < 1440; minute += 30) {
				int64_t at = zone_instant(z, day, minute);
				struct zone_time t = zone_local(z, at);
				assert_true(at >= before);
				before = at;
				skipped += t.day != day || t.second != minute * 60;
			}
		assert_true(skipped <= 12); /* at most two half hours per spring, Morocco's autumn included */
	}
}

static void test_dates(void **state)
{
	(void)state;
	static const struct {
		int year, month, day;
		bool exists;
	} rows[] = {{1970, 1, 1, true}, {2024, 2, 29, true}, {2023, 2, 29, false}, {2100, 2, 29, false},
		{2000, 2, 29, true}, {2026, 4, 31, false}, {2026, 13, 1, false}, {2026, 0, 1, false}, {2026, 1, 0, false},
		{0, 1, 1, false}, {1969, 12, 31, true}, {2069, 12, 31, true}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int32_t day;
		int y, m, d;
		int r = day_of_date(rows[i].year, rows[i].month, rows[i].day, &day);
		assert_int_equal(r == 0, rows[i].exists);
		if (r)
			continue;
		date_of_day(day, &y, &m, &d);
		assert_true(y == rows[i].year && m == rows[i].month && d == rows[i].day);
	}
	int32_t thursday, monday;
	assert_int_equal(day_of_date(1970, 1, 1, &thursday), 0);
	assert_int_equal(thursday, 0);
	assert_int_equal(weekday_of(thursday), 3);
	assert_int_equal(weekday_of(-4), 6);
	assert_int_equal(day_of_date(2026, 11, 23, &monday), 0);
	assert_int_equal(weekday_of(monday), 0);
}

/* ---- calendars ---- */

#define MON 1
#define TUE 2
#define WED 4
#define THU 8
#define FRI 16
#define SAT 32
#define SUN 64
#define WORKDAYS (MON | TUE | WED | THU | FRI)
#define AT(h, m) ((h) * 60 + (m))

/* Mornings and afternoons, a shift over Saturday's night, Saturday's tea, Christmas closed, Christmas Eve short. */
static const struct calendar_hours desk_hours[] = {{WORKDAYS, AT(9, 0), AT(18, 0)}, {SAT, AT(22, 0), AT(6, 0)}};
static const struct calendar_hours desk_breaks[] = {{WORKDAYS, AT(13, 0), AT(14, 0)}, {SUN, AT(2, 0), AT(2, 30)}};
static const struct calendar_date desk_holidays[] = {{0, 12, 25}, {2026, 12, 7}};
static const struct calendar_special desk_special[] = {
	{{0, 12, 24}, true, AT(9, 0), AT(12, 0)}, {{2026, 12, 26}, false, 0, 0}, {{2027, 1, 3}, true, AT(10, 0), AT(11, 0)}};
static const struct calendar_hours always_hours[] = {{CALENDAR_ALL_WEEK, 0, AT(24, 0)}};

enum { DESK, NIGHT, ALWAYS, CALENDARS };
static const struct calendar_hours night_hours[] = {{CALENDAR_ALL_WEEK, AT(22, 0), AT(6, 0)}};
static const struct calendar_spec specs[CALENDARS] = {
	[DESK] = {.time_zone = "Europe/Rome", .hours = desk_hours, .hours_count = 2, .breaks = desk_breaks, .breaks_count = 2,
		.holidays = desk_holidays, .holidays_count = 2, .specials = desk_special, .specials_count = 3},
	[NIGHT] = {.time_zone = "Europe/Rome", .hours = night_hours, .hours_count = 1},
	[ALWAYS] = {.time_zone = "America/New_York", .hours = always_hours, .hours_count = 1},
};
static struct calendar *calendars[CALENDARS];

static int64_t utc(const char *text)
{
	struct tm tm = {0};
	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min), 5);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000;
}

static const char *words(int64_t ms)
{
	static char text[4][32];
	static unsigned n;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	if (ms == CALENDAR_NEVER)
		return "never";
	gmtime_r(&s, &tm);
	strftime(text[++n % 4], 32, "%Y-%m-%d %H:%M", &tm);
	return text[n % 4];
}

/* Rome is UTC+1 in winter, UTC+2 in summer. 2026-11-23 is a Monday. */
static const struct open_row {
	int calendar;
	const char *at, *next; /* UTC; NULL = open then */
} open_rows[] = {
	{DESK, "2026-11-23 07:59", "2026-11-23 08:00"},
	{DESK, "2026-11-23 08:00", NULL},
	{DESK, "2026-11-23 11:59", NULL},
	{DESK, "2026-11-23 12:00", "2026-11-23 13:00"},   /* the break */
	{DESK, "2026-11-23 13:00", NULL},
	{DESK, "2026-11-23 17:00", "2026-11-24 08:00"},
	{DESK, "2026-11-27 17:00", "2026-11-28 21:00"},   /* Friday evening: Saturday's night shift */
	{DESK, "2026-11-29 00:30", NULL},                  /* Sunday 01:30, that shift */
	{DESK, "2026-11-29 01:00", "2026-11-29 01:30"},   /* its break, on Sunday */
	{DESK, "2026-11-29 05:00", "2026-11-30 08:00"},
	{DESK, "2026-12-07 09:00", "2026-12-08 08:00"},   /* a holiday of one year */
	{DESK, "2027-12-07 09:00", NULL},
	{DESK, "2026-12-24 11:00", "2026-12-28 08:00"},   /* short, Christmas, closed Saturday: no night shift */
	{DESK, "2026-12-24 08:00", NULL},
	{DESK, "2027-01-03 09:30", NULL},                  /* a Sunday on which somebody works */
	{DESK, "2026-07-20 06:59", "2026-07-20 07:00"},   /* summer time */
	{NIGHT, "2026-11-23 20:59", "2026-11-23 21:00"},
	{NIGHT, "2026-11-24 04:59", NULL},
	{NIGHT, "2026-11-24 05:00", "2026-11-24 21:00"},
	{ALWAYS, "2026-11-24 05:00", NULL},
};

static void test_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(open_rows); i++) {
		const struct open_row *r = &open_rows[i];
		int64_t at = utc(r->at), want = r->next ? utc(r->next) : at;
		int64_t got = calendar_next_open(calendars[r->calendar], at);
		if (got != want || calendar_is_open(calendars[r->calendar], at) != !r->next)
			fail_msg("row %zu: at %s the next opening is %s, should be %s", i, r->at, words(got), words(want));
	}
}

static const struct add_row {
	int calendar;
	const char *from;
	int minutes;
	const char *due;
} add_rows[] = {
	{DESK, "2026-11-23 08:00", 0, "2026-11-23 08:00"},
	{DESK, "2026-11-23 06:00", 0, "2026-11-23 06:00"},
	{DESK, "2026-11-23 08:00", 60, "2026-11-23 09:00"},
	{DESK, "2026-11-23 03:00", 60, "2026-11-23 09:00"},    /* before opening: from opening on */
	{DESK, "2026-11-23 11:30", 60, "2026-11-23 13:30"},    /* over the break */
	{DESK, "2026-11-23 08:00", 480, "2026-11-23 17:00"},   /* exactly the day's end, not tomorrow's beginning */
	{DESK, "2026-11-23 08:00", 481, "2026-11-24 08:01"},
	{DESK, "2026-11-27 16:30", 60, "2026-11-28 21:30"},    /* Friday 17:30, goes on Saturday night */
	{DESK, "2026-11-28 22:00", 180, "2026-11-29 01:00"},   /* over when the break begins */
	{DESK, "2026-11-28 22:00", 181, "2026-11-29 01:31"},
	{DESK, "2026-12-23 16:30", 60, "2026-12-24 08:30"},
	{DESK, "2026-12-24 10:30", 60, "2026-12-28 08:30"},    /* over Christmas */
	/* Saturday's shift in the night clocks go forward (2026-03-29): 22:00 to 06:00 lasts seven hours, less the break. The
	 * break 02:00-02:30 does not exist on that day. */
	{DESK, "2026-03-28 21:00", 420, "2026-03-29 04:00"},
	{NIGHT, "2026-03-28 21:00", 420, "2026-03-29 04:00"},
	{NIGHT, "2026-03-28 21:00", 421, "2026-03-29 20:01"},
	/* ... and back (2026-10-25): nine hours. */
	{NIGHT, "2026-10-24 20:00", 540, "2026-10-25 05:00"},
	{NIGHT, "2026-10-24 20:00", 541, "2026-10-25 21:01"},
	{ALWAYS, "2026-03-07 12:00", 60 * 48, "2026-03-09 12:00"}, /* the change adds nothing where it is always open */
	{ALWAYS, "2026-11-01 00:00", 60 * 24 * 30, "2026-12-01 00:00"},
};

static void test_add(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(add_rows); i++) {
		const struct add_row *r = &add_rows[i];
		int64_t got = calendar_add(calendars[r->calendar], utc(r->from), r->minutes * MINUTE);
		int64_t want = utc(r->due);
		if (got != want)
			fail_msg("row %zu: %s and %d minutes is %s, should be %s", i, r->from, r->minutes, words(got), words(want));
	}
}

/* What is added is what lies between; parts sum up to the whole; more is never sooner. */
static void test_add_and_between_agree(void **state)
{
	(void)state;
	for (int k = 0; k < CALENDARS; k++) {
		int64_t from = utc("2026-03-20 00:00");
		for (int step = 0; step < 400; step++, from += 53 * MINUTE) {
			int64_t before = from;
			for (int64_t open = 0; open < 30 * HOUR; open += 97 * MINUTE) {
				int64_t due = calendar_add(calendars[k], from, open);
				int64_t middle = from + (due - from) / 3;
				assert_true(due >= before);
				before = due;
				assert_int_equal(calendar_open_between(calendars[k], from, due), open);
				assert_int_equal(calendar_open_between(calendars[k], from, middle) +
							 calendar_open_between(calendars[k], middle, due),
					open);
			}
		}
	}
}

static void test_between(void **state)
{
	(void)state;
	const struct calendar *c = calendars[DESK];
	assert_int_equal(calendar_open_between(c, utc("2026-11-23 00:00"), utc("2026-11-24 00:00")), 8 * HOUR);
	assert_int_equal(calendar_open_between(c, utc("2026-11-23 00:00"), utc("2026-11-30 00:00")), 47 * HOUR + 30 * MINUTE);
	assert_int_equal(calendar_open_between(c, utc("2026-12-25 00:00"), utc("2026-12-27 00:00")), 0);
	assert_int_equal(calendar_open_between(c, utc("2026-11-24 00:00"), utc("2026-11-23 00:00")), 0);
	assert_int_equal(calendar_open_between(c, 5, 5), 0);
	/* Two years of hours, and one that lasts longer than the walk. */
	assert_int_equal(calendar_open_between(calendars[ALWAYS], utc("2025-01-01 00:00"), utc("2027-01-01 00:00")),
		730 * 24 * HOUR);
	assert_int_equal(calendar_open_between(calendars[ALWAYS], utc("1995-01-01 00:00"), utc("2045-01-01 00:00")),
		(int64_t)18263 * 24 * HOUR);
}

static void test_no_calendar_is_always_open(void **state)
{
	(void)state;
	assert_true(calendar_is_open(NULL, 17));
	assert_int_equal(calendar_add(NULL, 17, 1000), 1017);
	assert_int_equal(calendar_next_open(NULL, 17), 17);
	assert_int_equal(calendar_open_between(NULL, 17, 1017), 1000);
	assert_null(calendar_zone(NULL));
}

static void test_never_open(void **state)
{
	(void)state;
	struct calendar *c CLEANUP(calendar_free) = NULL;
	struct calendar_spec s = {.time_zone = "UTC"};
	char where[32];
	assert_int_equal(calendar_new(&c, &s, where, NULL), 0);
	assert_false(calendar_is_open(c, 0));
	assert_true(calendar_next_open(c, 0) == CALENDAR_NEVER);
	assert_true(calendar_add(c, 0, 1) == CALENDAR_NEVER);
	assert_int_equal(calendar_add(c, 5, 0), 5);
	assert_int_equal(calendar_open_between(c, 0, utc("2026-01-01 00:00")), 0);
}

/* A special day that begins while the night shift before it still runs counts nothing twice. */
static void test_special_after_a_night(void **state)
{
	(void)state;
	struct calendar *c CLEANUP(calendar_free) = NULL;
	const struct calendar_special early[] = {{{2026, 11, 24}, true, AT(4, 0), AT(8, 0)}};
	struct calendar_spec s = {.time_zone = "UTC", .hours = night_hours, .hours_count = 1, .specials = early,
		.specials_count = 1};
	char where[32];
	assert_int_equal(calendar_new(&c, &s, where, NULL), 0);
	assert_int_equal(calendar_open_between(c, utc("2026-11-23 22:00"), utc("2026-11-24 12:00")), 10 * HOUR);
	assert_int_equal(calendar_add(c, utc("2026-11-23 22:00"), 10 * HOUR), utc("2026-11-24 08:00"));
}

/* ---- mistakes ---- */

static const struct mistake {
	const char *time_zone;
	struct calendar_hours hours[3], breaks[1];
	struct calendar_date holidays[1];
	struct calendar_special specials[2];
	const char *where, *says;
} mistakes[] = {
	{"Europe/Roma", {{MON, 0, 60}}, .where = "time_zone", .says = "no time zone \"Europe/Roma\""},
	{"UTC", {{0, 0, 60}}, .where = "hours[0]", .says = "no weekday"},
	{"UTC", {{MON, 60, 60}}, .where = "hours[0]", .says = "begins and ends at the same time"},
	{"UTC", {{MON, 1440, 60}}, .where = "hours[0]", .says = "00:00 of the next day"},
	{"UTC", {{MON, AT(9, 0), AT(13, 0)}, {MON | TUE, AT(12, 59), AT(18, 0)}}, .where = "hours[1]",
		.says = "overlap those of entry 1 on Monday"},
	{"UTC", {{FRI, AT(22, 0), AT(6, 0)}, {SAT, AT(5, 0), AT(9, 0)}}, .where = "hours[1]",
		.says = "overlap those of entry 1 on Saturday"},
	{"UTC", {{MON, AT(5, 0), AT(9, 0)}, {SUN, AT(22, 0), AT(6, 0)}}, .where = "hours[1]", .says = "on Monday"},
	{"UTC", {{MON | TUE, AT(9, 0), AT(8, 59)}}, .where = "", .says = ""},
	{"UTC", {{MON | TUE, AT(9, 0), AT(9, 0)}}, .where = "hours[0]", .says = "the whole day"},
	{"UTC", {{MON, AT(9, 0), AT(13, 0)}, {MON, AT(13, 0), AT(18, 0)}}, .where = "", .says = ""},
	{"UTC", {{MON, 0, 60}}, {{MON, 30, 30}}, .where = "breaks[0]", .says = "same time"},
	{"UTC", {{MON, 0, 60}}, .holidays = {{2026, 2, 30}}, .where = "holidays[0]", .says = "no such date"},
	{"UTC", {{MON, 0, 60}}, .holidays = {{0, 2, 29}}, .where = "", .says = ""},
	{"UTC", {{MON, 0, 60}}, .specials = {{{2025, 2, 29}, true, 0, 60}}, .where = "special_days[0]", .says = "no such date"},
	{"UTC", {{MON, 0, 60}}, .specials = {{{2026, 2, 1}, true, 0, 60}, {{2026, 2, 1}, true, 59, 90}},
		.where = "special_days[1]", .says = "overlap"},
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		struct calendar_spec s = {.time_zone = m->time_zone, .hours = m->hours, .breaks = m->breaks,
			.holidays = m->holidays, .specials = m->specials};
		struct calendar *c = NULL;
		struct err e = {0};
		char where[32] = "";
		while (s.hours_count < 3 && (m->hours[s.hours_count].days || m->hours[s.hours_count].to))
			s.hours_count++;
		s.breaks_count = m->breaks[0].days != 0;
		s.holidays_count = m->holidays[0].day != 0;
		s.specials_count = (m->specials[0].date.day != 0) + (m->specials[1].date.day != 0);
		int r = calendar_new(&c, &s, where, &e);
		if (!m->where[0] ? r : (r != -EINVAL || c || !str_eq(where, m->where) || !strstr(err_text(&e), m->says)))
			fail_msg("row %zu: %s: %s (%d)", i, where, err_text(&e), r);
		calendar_free(&c);
	}
}

static void test_words(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int minute;
	} times[] = {{"00:00", 0}, {"09:30", 570}, {"23:59", 1439}, {"24:00", 1440}, {"24:01", -1}, {"9:30", -1},
		{"09:60", -1}, {"0930", -1}, {"-1:00", -1}, {"09:3x", -1}, {"", -1}, {"09:300", -1}};
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int16_t minute = -1;
		int r = calendar_parse_time(times[i].text, &minute);
		assert_int_equal(r ? -1 : minute, times[i].minute);
	}
	static const struct {
		const char *text;
		int year, month, day;
	} dates[] = {{"2026-12-25", 2026, 12, 25}, {"12-25", 0, 12, 25}, {"02-29", 0, 2, 29}, {"2026-02-29", 0, 0, 0},
		{"2024-02-29", 2024, 2, 29}, {"13-01", 0, 0, 0}, {"00-01", 0, 0, 0}, {"0000-01-01", 0, 0, 0},
		{"25/12/2026", 0, 0, 0}, {"2026-1-01", 0, 0, 0}, {"", 0, 0, 0}, {"12-2", 0, 0, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		struct calendar_date d = {0};
		int r = calendar_parse_date(dates[i].text, &d);
		assert_int_equal(r == 0, dates[i].month != 0);
		assert_true(d.year == dates[i].year && d.month == dates[i].month && d.day == dates[i].day);
	}
	unsigned day;
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(calendar_parse_weekday(calendar_weekdays[i], &day), 0);
		assert_int_equal(day, i);
	}
	assert_int_equal(calendar_parse_weekday("Mon", &day), -EINVAL);
	assert_int_equal(calendar_parse_weekday(NULL, &day), -EINVAL);
}

/* ---- iCalendar ---- */

static char path[64];

static int read_ics(const char *text, int32_t **ret_days, size_t *ret_n, struct err *e)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return calendar_read_ics(path, ret_days, ret_n, e);
}

#define ICS(events) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n" events "END:VCALENDAR\r\n"
#define EVENT(name, rest) "BEGIN:VEVENT\r\nUID:" name "\r\nSUMMARY:" name "\r\n" rest "END:VEVENT\r\n"

static bool has_day(const int32_t *days, size_t n, int year, int month, int day)
{
	int32_t d;
	assert_int_equal(day_of_date(year, month, day, &d), 0);
	for (size_t i = 0; i < n; i++)
		if (days[i] == d)
			return true;
	return false;
}

static void test_ics(void **state)
{
	(void)state;
	int32_t *days = NULL;
	size_t n = 0;
	struct err e = {0};
	int r = read_ics(ICS(EVENT("Ferragosto", "DTSTART;VALUE=DATE:20200815\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20270815\r\n")
			EVENT("Easter Monday", "DTSTART;VALUE=DATE:20260406\r\nRDATE;VALUE=DATE:20270329,20280417\r\n")
			EVENT("Works closed", "DTSTART;VALUE=DATE:20261228\r\nDTEND;VALUE=DATE:20270102\r\n")
			EVENT("Thanksgiving", "DTSTART;VALUE=DATE:20241128\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3\r\n")),
		&days, &n, &e);
	if (r)
		fail_msg("%s", err_text(&e));
	assert_false(has_day(days, n, 2019, 8, 15));
	assert_true(has_day(days, n, 2020, 8, 15));
	assert_true(has_day(days, n, 2026, 8, 15));
	assert_false(has_day(days, n, 2027, 8, 15));
	assert_true(has_day(days, n, 2069, 8, 15));
	assert_true(has_day(days, n, 2026, 4, 6));
	assert_true(has_day(days, n, 2027, 3, 29));
	assert_true(has_day(days, n, 2028, 4, 17));
	assert_true(has_day(days, n, 2026, 12, 28));
	assert_true(has_day(days, n, 2027, 1, 1));
	assert_false(has_day(days, n, 2027, 1, 2)); /* DTEND is the day after */
	assert_true(has_day(days, n, 2026, 11, 26));
	assert_false(has_day(days, n, 2027, 11, 25)); /* three of them */
	for (size_t i = 1; i < n; i++)
		assert_true(days[i - 1] < days[i]);
	assert_int_equal(n, 49 + 3 + 5 + 3);
	struct calendar *c CLEANUP(calendar_free) = NULL;
	struct calendar_spec s = {.time_zone = "Europe/Rome", .hours = always_hours, .hours_count = 1, .holiday_days = days,
		.holiday_days_count = n};
	char where[32];
	assert_int_equal(calendar_new(&c, &s, where, NULL), 0);
	assert_false(calendar_is_open(c, utc("2026-08-15 10:00")));
	assert_true(calendar_is_open(c, utc("2026-08-16 10:00")));
	free(days);
}

static void test_ics_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "not a calendar"},
		{"hello\n", "not a calendar"},
		{"BEGIN:VCARD\r\nEND:VCARD\r\n", "not a calendar"},
		{ICS(""), "no event"},
		{ICS(EVENT("Lunch", "DTSTART:20260406T120000Z\r\n")), "\"Lunch\" begins at an hour"},
		{ICS(EVENT("Nothing", "")), "\"Nothing\" has no DTSTART"},
		{ICS(EVENT("Often", "DTSTART;VALUE=DATE:20260406\r\nRRULE:FREQ=SECONDLY\r\n")), "\"Often\" repeats"},
		{ICS(EVENT("Daily", "DTSTART;VALUE=DATE:20260406\r\nRRULE:FREQ=DAILY\r\n")), "more than 4096 days"},
		{ICS(EVENT("Bad", "DTSTART;VALUE=DATE:20261399\r\n")), "\"Bad\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int32_t *days = NULL;
		size_t n;
		struct err e = {0};
		int r = read_ics(rows[i].text, &days, &n, &e);
		if (r != -EINVAL || days || !strstr(err_text(&e), rows[i].says) || !strstr(err_text(&e), path))
			fail_msg("row %zu should say \"%s\", says \"%s\" (%d)", i, rows[i].says, err_text(&e), r);
	}
	/* A rule that never comes true ends. */
	int32_t *days = NULL;
	size_t n = 1;
	read_ics(ICS(EVENT("Never", "DTSTART;VALUE=DATE:20260201\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n")), &days, &n,
		NULL);
	free(days);
	assert_int_equal(calendar_read_ics("/nowhere/x.ics", &days, &n, NULL), -ENOENT);
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/ascolto-calendar-XXXXXX");
	int fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	for (int i = 0; i < CALENDARS; i++) {
		char where[32];
		struct err e = {0};
		if (calendar_new(&calendars[i], &specs[i], where, &e)) {
			fprintf(stderr, "%s: %s\n", where, err_text(&e));
			return -1;
		}
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < CALENDARS; i++)
		calendar_free(&calendars[i]);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones_agree_with_libc),
		cmocka_unit_test(test_no_such_zone),
		cmocka_unit_test(test_zone_instants),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_and_between_agree),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_no_calendar_is_always_open),
		cmocka_unit_test(test_never_open),
		cmocka_unit_test(test_special_after_a_night),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_ics),
		cmocka_unit_test(test_ics_mistakes),
	};
	return cmocka_run_group_tests_name("calendar", tests, setup, teardown);
}
