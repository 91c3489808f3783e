/* The days of an iCalendar file. */
#include "calendar.h"
#include "conf_yaml.h"

#include <libical/ical.h>

#define FIRST_YEAR 1990
#define LAST_YEAR 2069
#define EXCEPTIONS_MAX 366
#define REPEATS_MAX 50000 /* of one event, however many of them fall outside those years */

#define DAYS ((LAST_YEAR - FIRST_YEAR + 3) * 366)

/* The days that were found, each counted from the first one of FIRST_YEAR. */
struct found {
	bool marked[DAYS];
	int32_t first;
	size_t n;
	bool full;
	struct icaltimetype exceptions[EXCEPTIONS_MAX]; /* of the event in hand */
	size_t n_exceptions;
};

static void add_day(struct found *f, int32_t day)
{
	int32_t at = day - f->first;
	if (at < 0 || at >= DAYS || f->marked[at])
		return;
	f->full |= f->n == CALENDAR_HOLIDAYS_MAX;
	if (f->full)
		return;
	f->marked[at] = true;
	f->n++;
}

static bool is_exception(const struct found *f, struct icaltimetype t)
{
	for (size_t i = 0; i < f->n_exceptions; i++)
		if (icaltime_compare_date_only(f->exceptions[i], t) == 0)
			return true;
	return false;
}

/* Beforehand: libical goes through the properties of a component once at a time. */
static void find_exceptions(struct found *f, icalcomponent *event)
{
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY);
	f->n_exceptions = 0;
	for (; p && f->n_exceptions < EXCEPTIONS_MAX; p = icalcomponent_get_next_property(event, ICAL_EXDATE_PROPERTY))
		f->exceptions[f->n_exceptions++] = icalproperty_get_exdate(p);
}

/* One occurrence of so many days. */
static void add_occurrence(struct found *f, struct icaltimetype t, int length)
{
	int32_t day;
	if (t.year < FIRST_YEAR || t.year > LAST_YEAR || is_exception(f, t) || day_of_date(t.year, t.month, t.day, &day))
		return;
	for (int i = 0; i < length && !f->full; i++)
		add_day(f, day + i);
}

static int days_of_event(icalcomponent *event, struct icaltimetype start)
{
	struct icaltimetype end = icalcomponent_get_dtend(event);
	int32_t a, b;
	if (icaltime_is_null_time(end) || day_of_date(start.year, start.month, start.day, &a) ||
		day_of_date(end.year, end.month, end.day, &b))
		return 1;
	return b > a ? MIN(b - a, 366) : 1;
}

static int add_repeats(struct found *f, icalproperty *rule, struct icaltimetype start, int length)
{
	struct icalrecurrencetype r = icalproperty_get_rrule(rule);
	if (r.freq == ICAL_SECONDLY_RECURRENCE || r.freq == ICAL_MINUTELY_RECURRENCE || r.freq == ICAL_HOURLY_RECURRENCE)
		return -EINVAL;
	icalrecur_iterator *it = icalrecur_iterator_new(r, start);
	if (!it)
		return -EINVAL;
	int n = 0;
	for (struct icaltimetype t = icalrecur_iterator_next(it);
		!icaltime_is_null_time(t) && t.year <= LAST_YEAR && n < REPEATS_MAX && !f->full; n++) {
		add_occurrence(f, t, length);
		t = icalrecur_iterator_next(it);
	}
	icalrecur_iterator_free(it);
	return 0;
}

static int add_event(struct found *f, icalcomponent *event, const char *path, struct err *e)
{
	const char *name = icalcomponent_get_summary(event);
	struct icaltimetype start = icalcomponent_get_dtstart(event);
	int length = days_of_event(event, start);
	name = str_empty(name) ? "without a summary" : name;
	int32_t day;
	if (icaltime_is_null_time(start))
		return err_set(e, -EINVAL, "%s: the event \"%.80s\" has no DTSTART", path, name);
	if (day_of_date(start.year, start.month, start.day, &day))
		return err_set(e, -EINVAL, "%s: the event \"%.80s\" begins on a date that does not exist", path, name);
	if (!start.is_date)
		return err_set(e, -EINVAL, "%s: the event \"%.80s\" begins at an hour; a holiday is a whole day "
			"(DTSTART;VALUE=DATE:...)", path, name);
	find_exceptions(f, event);
	icalproperty *p = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
	if (!p)
		add_occurrence(f, start, length);
	for (; p; p = icalcomponent_get_next_property(event, ICAL_RRULE_PROPERTY))
		if (add_repeats(f, p, start, length))
			return err_set(e, -EINVAL, "%s: the event \"%.80s\" repeats in a way that days can not (RRULE)", path, name);
	p = icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY);
	for (; p; p = icalcomponent_get_next_property(event, ICAL_RDATE_PROPERTY))
		add_occurrence(f, icalproperty_get_rdate(p).time, length);
	if (f->full)
		return err_set(e, -EINVAL, "%s: there are more than %d days with the event \"%.80s\"", path,
			CALENDAR_HOLIDAYS_MAX, name);
	return 0;
}

static int read_calendar(icalcomponent *root, struct found *f, const char *path, struct err *e)
{
	int r = 0;
	if (!root || icalcomponent_isa(root) != ICAL_VCALENDAR_COMPONENT)
		return err_set(e, -EINVAL, "%s: this is not a calendar; it should begin with BEGIN:VCALENDAR", path);
	if (icalcomponent_count_errors(root))
		return err_set(e, -EINVAL, "%s: there are lines no calendar has; export it again as iCalendar (.ics)", path);
	icalcomponent *event = icalcomponent_get_first_component(root, ICAL_VEVENT_COMPONENT);
	if (!event)
		return err_set(e, -EINVAL, "%s: there is no event (VEVENT) in it", path);
	for (; event && !r; event = icalcomponent_get_next_component(root, ICAL_VEVENT_COMPONENT))
		r = add_event(f, event, path, e);
	return r;
}

/* Ascending. */
static int32_t *days_found(const struct found *f)
{
	int32_t *days = calloc(f->n + 1, sizeof(*days));
	size_t n = 0;
	for (int32_t i = 0; days && i < DAYS; i++)
		if (f->marked[i])
			days[n++] = f->first + i;
	return days;
}

int calendar_read_ics(const char *path, int32_t **ret_days, size_t *ret_count, struct err *e)
{
	struct buf text;
	int r = conf_read_file(path, CONF_YAML_MAX, &text, e);
	if (r)
		return r;
	struct found *f = calloc(1, sizeof(*f));
	int32_t *days = NULL;
	if (f) {
		day_of_date(FIRST_YEAR, 1, 1, &f->first);
		icalerror_set_errors_are_fatal(0);
		bool is_text = strlen(buf_str(&text)) == text.len;
		icalcomponent *root = is_text ? icalparser_parse_string(buf_str(&text)) : NULL;
		r = read_calendar(root, f, path, e);
		if (root)
			icalcomponent_free(root);
		days = r ? NULL : days_found(f);
	}
	buf_free(&text);
	if (!r && !days)
		r = err_set(e, -ENOMEM, "out of memory");
	if (!r) {
		*ret_days = days;
		*ret_count = f->n;
	}
	free(f);
	return r;
}
