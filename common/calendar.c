#include "calendar.h"

#define DAY_MIN 1440
#define WEEK_MIN (7 * DAY_MIN)

struct minutes {
	int16_t from, to; /* since the midnight of the day it belongs to; `to` may lie on the next day */
};

struct day_hours {
	struct minutes spans[CALENDAR_DAY_SPANS];
	size_t n;
};

struct special {
	struct calendar_date date;
	struct day_hours hours;
};

struct calendar {
	struct zone *zone;
	struct day_hours week[7];
	struct calendar_date *yearly;  /* holidays of every year */
	size_t yearly_count;
	int32_t *days;                 /* other holidays, ascending */
	size_t days_count;
	struct special *specials;
	size_t specials_count;
};

const char *const calendar_weekdays[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const char *const weekday_names[7] = {
	"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/* ---- making one ---- */

static int compare_days(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static struct minutes span_of_hours(const struct calendar_hours *h)
{
	return (struct minutes){h->from, (int16_t)(h->to <= h->from ? h->to + DAY_MIN : h->to)};
}

static int check_hours(const struct calendar_hours *list, size_t n, const char *what, char where[32], struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(where, 32, "%s[%zu]", what, i);
		if (!(list[i].days & CALENDAR_ALL_WEEK))
			return err_set(e, -EINVAL, "no weekday is named; write days: [mon, tue, ...]");
		if (list[i].from == list[i].to)
			return err_set(e, -EINVAL, "it begins and ends at the same time; for the whole day write from \"00:00\" "
				"to \"24:00\"");
		if (list[i].from >= DAY_MIN)
			return err_set(e, -EINVAL, "it begins at 24:00; write 00:00 of the next day");
	}
	return 0;
}

/* The first minute two spans of minutes of a week, which goes round, have in common, or -1. */
static int meet(int a_from, int a_to, int b_from, int b_to)
{
	for (int shift = -WEEK_MIN; shift <= WEEK_MIN; shift += WEEK_MIN)
		if (a_from < b_to + shift && b_from + shift < a_to)
			return MAX(a_from, b_from + shift) % WEEK_MIN;
	return -1;
}

/* The minute of the week at which two rows overlap, or -1. A row names several days, so it may meet itself. */
static int overlap(const struct calendar_hours *a, const struct calendar_hours *b)
{
	struct minutes x = span_of_hours(a), y = span_of_hours(b);
	for (int n = 0; n < 49; n++) {
		int i = n / 7, k = n % 7;
		if (!(a->days & (1u << i)) || !(b->days & (1u << k)) || (a == b && i == k))
			continue;
		int at = meet(i * DAY_MIN + x.from, i * DAY_MIN + x.to, k * DAY_MIN + y.from, k * DAY_MIN + y.to);
		if (at >= 0)
			return at;
	}
	return -1;
}

static int check_overlaps(const struct calendar_spec *s, char where[32], struct err *e)
{
	for (size_t i = 0; i < s->hours_count; i++)
		for (size_t k = 0; k <= i; k++) {
			int at = overlap(&s->hours[i], &s->hours[k]);
			snprintf(where, 32, "hours[%zu]", i);
			if (at >= 0)
				return err_set(e, -EINVAL, "these hours overlap those of entry %zu on %s; let one end where the "
					"other begins", k + 1, weekday_names[at / DAY_MIN]);
		}
	return 0;
}

static int add_span(struct day_hours *d, int from, int to)
{
	if (from >= to)
		return 0;
	if (d->n == CALENDAR_DAY_SPANS)
		return -E2BIG;
	size_t i = d->n++;
	for (; i > 0 && d->spans[i - 1].from > from; i--)
		d->spans[i] = d->spans[i - 1];
	d->spans[i] = (struct minutes){(int16_t)from, (int16_t)to};
	return 0;
}

/* Takes the minutes [from, to) out of a day's spans. */
static int take_out(struct day_hours *d, int from, int to)
{
	struct day_hours left = {.n = 0};
	int r = 0;
	for (size_t i = 0; i < d->n && !r; i++) {
		struct minutes m = d->spans[i];
		if (to <= m.from || from >= m.to) {
			r = add_span(&left, m.from, m.to);
			continue;
		}
		r = add_span(&left, m.from, MIN(m.to, from));
		r = r ? r : add_span(&left, MAX(m.from, to), m.to);
	}
	*d = left;
	return r;
}

/* A break of the day before or after reaches into a day's spans too: they may go past midnight, and so may it. */
static int take_breaks_out(struct day_hours *d, int weekday, const struct calendar_spec *s)
{
	int r = 0;
	for (size_t i = 0; i < s->breaks_count && !r; i++) {
		struct minutes m = span_of_hours(&s->breaks[i]);
		for (int shift = -1; shift <= 1 && !r; shift++)
			if (s->breaks[i].days & (1u << ((weekday + shift + 7) % 7)))
				r = take_out(d, m.from + shift * DAY_MIN, m.to + shift * DAY_MIN);
	}
	return r;
}

static int make_week(struct calendar *c, const struct calendar_spec *s, char where[32], struct err *e)
{
	int r = 0;
	for (int day = 0; day < 7 && !r; day++) {
		for (size_t i = 0; i < s->hours_count && !r; i++) {
			struct minutes m = span_of_hours(&s->hours[i]);
			if (s->hours[i].days & (1u << day))
				r = add_span(&c->week[day], m.from, m.to);
		}
		r = r ? r : take_breaks_out(&c->week[day], day, s);
		if (r)
			err_set(e, -EINVAL, "%s has more than %d spans of hours", weekday_names[day], CALENDAR_DAY_SPANS);
	}
	snprintf(where, 32, "hours");
	return r ? -EINVAL : 0;
}

static bool date_exists(const struct calendar_date *d)
{
	int32_t day;
	return day_of_date(d->year ? d->year : 2000, d->month, d->day, &day) == 0; /* 2000 had a 29 February */
}

static int make_holidays(struct calendar *c, const struct calendar_spec *s, char where[32], struct err *e)
{
	c->yearly = calloc(s->holidays_count + 1, sizeof(*c->yearly));
	c->days = calloc(s->holidays_count + s->holiday_days_count + 1, sizeof(*c->days));
	if (!c->yearly || !c->days)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < s->holidays_count; i++) {
		const struct calendar_date *d = &s->holidays[i];
		snprintf(where, 32, "holidays[%zu]", i);
		if (!date_exists(d))
			return err_set(e, -EINVAL, "there is no such date");
		if (!d->year)
			c->yearly[c->yearly_count++] = *d;
		else
			day_of_date(d->year, d->month, d->day, &c->days[c->days_count++]);
	}
	for (size_t i = 0; i < s->holiday_days_count; i++)
		c->days[c->days_count++] = s->holiday_days[i];
	qsort(c->days, c->days_count, sizeof(*c->days), compare_days);
	return 0;
}

static bool same_date(const struct calendar_date *a, const struct calendar_date *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day;
}

static struct special *special_of(struct calendar *c, const struct calendar_date *d)
{
	for (size_t i = 0; i < c->specials_count; i++)
		if (same_date(&c->specials[i].date, d))
			return &c->specials[i];
	c->specials[c->specials_count].date = *d;
	return &c->specials[c->specials_count++];
}

static int make_specials(struct calendar *c, const struct calendar_spec *s, char where[32], struct err *e)
{
	c->specials = calloc(s->specials_count + 1, sizeof(*c->specials));
	if (!c->specials)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < s->specials_count; i++) {
		const struct calendar_special *row = &s->specials[i];
		snprintf(where, 32, "special_days[%zu]", i);
		if (!date_exists(&row->date))
			return err_set(e, -EINVAL, "there is no such date");
		struct special *x = special_of(c, &row->date);
		if (!row->open)
			continue;
		if (row->from == row->to)
			return err_set(e, -EINVAL, "it begins and ends at the same time");
		int to = row->to < row->from ? row->to + DAY_MIN : row->to;
		for (size_t k = 0; k < x->hours.n; k++)
			if (row->from < x->hours.spans[k].to && x->hours.spans[k].from < to)
				return err_set(e, -EINVAL, "these hours overlap others of the same day");
		if (add_span(&x->hours, row->from, to))
			return err_set(e, -EINVAL, "this day has more than %d spans of hours", CALENDAR_DAY_SPANS);
	}
	return 0;
}

static int too_many(const struct calendar_spec *s, char where[32], struct err *e)
{
	const struct {
		const char *what;
		size_t n, max;
	} lists[] = {{"hours", s->hours_count, CALENDAR_HOURS_MAX}, {"breaks", s->breaks_count, CALENDAR_HOURS_MAX},
		{"special_days", s->specials_count, CALENDAR_HOURS_MAX},
		{"holidays", s->holidays_count + s->holiday_days_count, CALENDAR_HOLIDAYS_MAX}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		snprintf(where, 32, "%s", lists[i].what);
		if (lists[i].n > lists[i].max)
			return err_set(e, -EINVAL, "there are %zu of them; at most %zu are taken", lists[i].n, lists[i].max);
	}
	return 0;
}

int calendar_new(struct calendar **ret, const struct calendar_spec *s, char where[32], struct err *e)
{
	struct calendar *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	int r = too_many(s, where, e);
	r = r ? r : check_hours(s->hours, s->hours_count, "hours", where, e);
	r = r ? r : check_hours(s->breaks, s->breaks_count, "breaks", where, e);
	r = r ? r : check_overlaps(s, where, e);
	r = r ? r : make_week(c, s, where, e);
	r = r ? r : make_holidays(c, s, where, e);
	r = r ? r : make_specials(c, s, where, e);
	if (!r) {
		snprintf(where, 32, "time_zone");
		r = zone_open(&c->zone, s->time_zone, e) ? -EINVAL : 0;
	}
	if (r) {
		calendar_free(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void calendar_free(struct calendar **cp)
{
	struct calendar *c = *cp;
	if (!c)
		return;
	zone_close(&c->zone);
	free(c->yearly);
	free(c->days);
	free(c->specials);
	free(c);
	*cp = NULL;
}

const struct zone *calendar_zone(const struct calendar *c)
{
	return c ? c->zone : NULL;
}

/* ---- asking ---- */

static const struct day_hours closed;

static bool is_holiday(const struct calendar *c, int32_t day, const struct calendar_date *date)
{
	if (bsearch(&day, c->days, c->days_count, sizeof(day), compare_days))
		return true;
	for (size_t i = 0; i < c->yearly_count; i++)
		if (c->yearly[i].month == date->month && c->yearly[i].day == date->day)
			return true;
	return false;
}

/* The spans that begin on that day. A date of one year goes before the same date of every year. */
static const struct day_hours *hours_of(const struct calendar *c, int32_t day)
{
	const struct day_hours *found = NULL;
	int year, month, mday;
	if (!c->specials_count && !c->yearly_count && !c->days_count)
		return &c->week[weekday_of(day)];
	date_of_day(day, &year, &month, &mday);
	struct calendar_date date = {(int16_t)year, (uint8_t)month, (uint8_t)mday}, yearly = {0, date.month, date.day};
	for (size_t i = 0; i < c->specials_count; i++) {
		if (same_date(&c->specials[i].date, &date))
			return &c->specials[i].hours;
		if (same_date(&c->specials[i].date, &yearly))
			found = &c->specials[i].hours;
	}
	if (found)
		return found;
	return is_holiday(c, day, &date) ? &closed : &c->week[weekday_of(day)];
}

/* Goes through the openings in order. They never overlap: a special day after a night shift begins where that ends. */
struct walk {
	const struct calendar *c;
	int32_t day, last_day;
	size_t i;
	const struct day_hours *hours;
	int64_t end_ms; /* of the opening before */
};

static struct walk walk_from(const struct calendar *c, int64_t at_ms)
{
	int32_t day = zone_local(c->zone, at_ms).day - 2; /* a span may last two days in all */
	return (struct walk){.c = c, .day = day, .last_day = day + CALENDAR_YEARS * 366, .hours = hours_of(c, day),
		.end_ms = INT64_MIN};
}

static bool walk_next(struct walk *w, int64_t *ret_from, int64_t *ret_to)
{
	for (;;) {
		while (w->i == w->hours->n) {
			if (w->day == w->last_day)
				return false;
			w->i = 0;
			w->hours = hours_of(w->c, ++w->day);
		}
		struct minutes m = w->hours->spans[w->i++];
		int64_t from = zone_instant(w->c->zone, w->day, m.from), to = zone_instant(w->c->zone, w->day, m.to);
		from = MAX(from, w->end_ms);
		if (from >= to)
			continue;
		w->end_ms = to;
		*ret_from = from;
		*ret_to = to;
		return true;
	}
}

bool calendar_is_open(const struct calendar *c, int64_t at_ms)
{
	return calendar_next_open(c, at_ms) == at_ms;
}

int64_t calendar_next_open(const struct calendar *c, int64_t at_ms)
{
	int64_t from, to;
	if (!c)
		return at_ms;
	struct walk w = walk_from(c, at_ms);
	while (walk_next(&w, &from, &to))
		if (to > at_ms)
			return MAX(from, at_ms);
	return CALENDAR_NEVER;
}

int64_t calendar_open_between(const struct calendar *c, int64_t from_ms, int64_t to_ms)
{
	int64_t from, to, sum = 0;
	if (from_ms >= to_ms)
		return 0;
	if (!c)
		return to_ms - from_ms;
	struct walk w = walk_from(c, from_ms);
	w.last_day = MAX(w.day, zone_local(c->zone, to_ms).day);
	while (walk_next(&w, &from, &to) && from < to_ms)
		if (to > from_ms)
			sum += MIN(to, to_ms) - MAX(from, from_ms);
	return sum;
}

int64_t calendar_add(const struct calendar *c, int64_t from_ms, int64_t open_ms)
{
	int64_t from, to;
	if (open_ms <= 0)
		return from_ms;
	if (!c)
		return from_ms + open_ms;
	struct walk w = walk_from(c, from_ms);
	while (walk_next(&w, &from, &to)) {
		if (to <= from_ms)
			continue;
		from = MAX(from, from_ms);
		if (open_ms <= to - from)
			return from + open_ms;
		open_ms -= to - from;
	}
	return CALENDAR_NEVER;
}

/* ---- words ---- */

/* Exactly `n` digits, or -1. */
static int digits(const char *s, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

int calendar_parse_time(const char *text, int16_t *ret_minute)
{
	if (!text || strlen(text) != 5 || text[2] != ':')
		return -EINVAL;
	int hour = digits(text, 2), minute = digits(text + 3, 2);
	if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > DAY_MIN)
		return -EINVAL;
	*ret_minute = (int16_t)(hour * 60 + minute);
	return 0;
}

int calendar_parse_date(const char *text, struct calendar_date *ret)
{
	size_t n = text ? strlen(text) : 0;
	const char *rest = n == 10 ? text + 5 : text;
	if ((n != 10 && n != 5) || rest[2] != '-' || (n == 10 && text[4] != '-'))
		return -EINVAL;
	int year = n == 10 ? digits(text, 4) : 0, month = digits(rest, 2), day = digits(rest + 3, 2);
	if (year < 0 || month < 0 || day < 0 || (n == 10 && year == 0))
		return -EINVAL;
	struct calendar_date d = {(int16_t)year, (uint8_t)month, (uint8_t)day};
	if (!date_exists(&d))
		return -EINVAL;
	*ret = d;
	return 0;
}

int calendar_parse_weekday(const char *text, unsigned *ret_weekday)
{
	for (unsigned i = 0; i < 7; i++) {
		if (!str_eq(text, calendar_weekdays[i]))
			continue;
		*ret_weekday = i;
		return 0;
	}
	return -EINVAL;
}
