/* Calendars and SLA policies of a playbook. */
#include "services/escalation/playbook/playbook_file.h"

#include <xxhash.h>

#define ACKNOWLEDGE_MINUTES 60
#define RESOLVE_MINUTES (24 * 60)
#define MINUTES_MAX (366u * 24 * 60)

/* ---- calendars ---- */

static int read_time(struct reading *rd, const char *text, int16_t *ret)
{
	if (calendar_parse_time(text, ret) == 0)
		return 0;
	return reading_wrong(rd, rd->where, "\"%.60s\" is not a time; write hours and minutes as \"09:30\", up to \"24:00\"", text);
}

static int read_rows(struct reading *rd, unsigned i, const char *list, const struct file_hours *rows, unsigned n,
	struct calendar_hours *out)
{
	for (unsigned k = 0; k < n; k++) {
		for (unsigned d = 0; d < rows[k].days_count; d++) {
			unsigned day;
			if (calendar_parse_weekday(rows[k].days[d], &day))
				return reading_wrong(rd, reading_at(rd, "calendars[%u].%s[%u].days[%u]", i, list, k, d),
					"\"%.60s\" is not a day; write mon, tue, wed, thu, fri, sat or sun", rows[k].days[d]);
			out[k].days |= (uint8_t)(1u << day);
		}
		reading_at(rd, "calendars[%u].%s[%u].from", i, list, k);
		int r = read_time(rd, rows[k].from, &out[k].from);
		if (r)
			return r;
		reading_at(rd, "calendars[%u].%s[%u].to", i, list, k);
		if ((r = read_time(rd, rows[k].to, &out[k].to)))
			return r;
	}
	return 0;
}

static int read_date(struct reading *rd, const char *text, struct calendar_date *ret)
{
	if (calendar_parse_date(text, ret) == 0)
		return 0;
	return reading_wrong(rd, rd->where, "\"%.60s\" is not a date that exists; write \"2026-12-25\", or \"12-25\" for every year", text);
}

static int read_specials(struct reading *rd, unsigned i, const struct file_calendar *c, struct calendar_special *out)
{
	for (unsigned k = 0; k < c->special_days_count; k++) {
		const struct file_special *row = &c->special_days[k];
		reading_at(rd, "calendars[%u].special_days[%u].date", i, k);
		int r = read_date(rd, row->date, &out[k].date);
		if (r)
			return r;
		reading_at(rd, "calendars[%u].special_days[%u]", i, k);
		if (row->closed ? row->from || row->to : !row->from || !row->to)
			return reading_wrong(rd, rd->where, "a special day has from and to, or closed: true");
		out[k].open = !row->closed;
		if (out[k].open && ((r = read_time(rd, row->from, &out[k].from)) || (r = read_time(rd, row->to, &out[k].to))))
			return r;
	}
	return 0;
}

/* What a calendar is made of while it is read. */
struct parts {
	struct calendar_hours hours[CALENDAR_HOURS_MAX], breaks[CALENDAR_HOURS_MAX];
	struct calendar_date holidays[366];
	struct calendar_special specials[CALENDAR_HOURS_MAX];
	int32_t days[CALENDAR_HOLIDAYS_MAX];
	size_t days_count;
};

/* Relative names are beside the playbook. */
static void beside(const struct reading *rd, const char *name, char *out, size_t size)
{
	const char *slash = strrchr(rd->path, '/');
	if (name[0] == '/' || !slash)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%.*s/%s", (int)(slash - rd->path), rd->path, name);
}

static int read_holiday_files(struct reading *rd, unsigned i, const struct file_calendar *c, struct parts *parts)
{
	for (unsigned k = 0; k < c->holiday_files_count; k++) {
		char path[4096];
		int32_t *days = NULL;
		size_t n = 0;
		struct err e = {0};
		beside(rd, c->holiday_files[k], path, sizeof(path));
		reading_at(rd, "calendars[%u].holiday_files[%u]", i, k);
		if (calendar_read_ics(path, &days, &n, &e))
			return reading_wrong(rd, rd->where, "%s", err_text(&e));
		bool fits = parts->days_count + n <= CALENDAR_HOLIDAYS_MAX;
		if (fits) {
			memcpy(parts->days + parts->days_count, days, n * sizeof(*days));
			parts->days_count += n;
		}
		rd->p->hash ^= XXH3_64bits(days, n * sizeof(*days)) * (k + 1);
		free(days);
		if (!fits)
			return reading_wrong(rd, rd->where, "the files have more than %d days together", CALENDAR_HOLIDAYS_MAX);
	}
	return 0;
}

static int make_calendar(struct reading *rd, unsigned i, struct parts *parts)
{
	struct file_calendar *c = &rd->file->calendars[i];
	int r = read_rows(rd, i, "hours", c->hours, c->hours_count, parts->hours);
	r = r ? r : read_rows(rd, i, "breaks", c->breaks, c->breaks_count, parts->breaks);
	r = r ? r : read_specials(rd, i, c, parts->specials);
	for (unsigned k = 0; k < c->holidays_count && !r; k++) {
		reading_at(rd, "calendars[%u].holidays[%u]", i, k);
		r = read_date(rd, c->holidays[k], &parts->holidays[k]);
	}
	r = r ? r : read_holiday_files(rd, i, c, parts);
	if (r)
		return r;
	const struct calendar_spec spec = {.time_zone = c->time_zone ? c->time_zone : zone_name(rd->p->zone),
		.hours = parts->hours, .hours_count = c->hours_count, .breaks = parts->breaks, .breaks_count = c->breaks_count,
		.holidays = parts->holidays, .holidays_count = c->holidays_count, .holiday_days = parts->days,
		.holiday_days_count = parts->days_count, .specials = parts->specials, .specials_count = c->special_days_count};
	char where[32];
	struct err e = {0};
	r = calendar_new(&c->calendar, &spec, where, &e);
	return r ? reading_wrong(rd, reading_at(rd, "calendars[%u].%s", i, where), "calendar %s: %s", c->name, err_text(&e)) : 0;
}

static int read_calendar(struct reading *rd, unsigned i)
{
	struct parts *parts = calloc(1, sizeof(*parts));
	if (!parts)
		return err_set(rd->e, -ENOMEM, "out of memory");
	int r = make_calendar(rd, i, parts);
	free(parts);
	return r;
}

const struct file_calendar *file_calendar_named(const struct playbook_file *f, const char *name)
{
	for (unsigned i = 0; i < f->calendars_count; i++)
		if (str_eq(f->calendars[i].name, name))
			return &f->calendars[i];
	return NULL;
}

/* ---- SLA policies ---- */

const struct file_sla *reading_sla(const struct reading *rd, const char *name)
{
	for (unsigned i = 0; i < rd->file->slas_count; i++)
		if (str_eq(rd->file->slas[i].name, name))
			return &rd->file->slas[i];
	return NULL;
}

static int read_sla(struct reading *rd, unsigned i)
{
	struct file_sla *row = &rd->file->slas[i];
	const struct file_calendar *c = row->calendar ? file_calendar_named(rd->file, row->calendar) : NULL;
	const struct file_chain *late = row->late ? reading_chain(rd, row->late) : NULL;
	unsigned acknowledge = row->acknowledge_minutes ? *row->acknowledge_minutes : ACKNOWLEDGE_MINUTES;
	unsigned resolve = row->resolve_minutes ? *row->resolve_minutes : MAX(RESOLVE_MINUTES, acknowledge);
	if (row->calendar && !c)
		return reading_wrong(rd, reading_at(rd, "sla[%u].calendar", i), "there is no calendar \"%.60s\"%s", row->calendar,
			reading_suggest(row->calendar, rd->file->calendars, rd->file->calendars_count, sizeof(*rd->file->calendars)));
	if (row->late && !late)
		return reading_wrong(rd, reading_at(rd, "sla[%u].late", i), "there is no chain \"%.60s\"%s", row->late,
			reading_suggest(row->late, rd->file->chains, rd->file->chains_count, sizeof(*rd->file->chains)));
	if (!acknowledge || acknowledge > resolve || resolve > MINUTES_MAX)
		return reading_wrong(rd, reading_at(rd, "sla[%u]", i), "acknowledge_minutes (%u) is from 1 up to resolve_minutes (%u), and that at "
			"most a year", acknowledge, resolve);
	row->sla = (struct playbook_sla){.name = row->name, .calendar = c ? c->name : "", .hours = c ? c->calendar : NULL,
		.acknowledge_ms = (int64_t)acknowledge * 60000, .resolve_ms = (int64_t)resolve * 60000,
		.pause_while_waiting = row->pause_while_waiting ? *row->pause_while_waiting : true,
		.late = late ? late->all : NULL, .late_count = late ? late->all_count : 0};
	return 0;
}

int reading_hours(struct reading *rd)
{
	struct playbook_file *f = rd->file;
	int r = reading_check_names(rd, "calendars", "calendar", f->calendars, f->calendars_count, sizeof(*f->calendars));
	r = r ? r : reading_check_names(rd, "sla", "policy", f->slas, f->slas_count, sizeof(*f->slas));
	for (unsigned i = 0; i < f->calendars_count && !r; i++)
		r = read_calendar(rd, i);
	for (unsigned i = 0; i < f->slas_count && !r; i++)
		r = read_sla(rd, i);
	return r;
}
