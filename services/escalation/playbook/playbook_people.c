/* Actors, teams, rotations and chains of a playbook. */
#include "services/escalation/playbook/playbook_file.h"

static int actor_index(const struct reading *rd, const char *name)
{
	for (unsigned i = 0; i < rd->p->actors_count; i++)
		if (str_eq(rd->p->actors[i].name, name))
			return (int)i;
	return -1;
}

int reading_check_actor(struct reading *rd, const char *where, const char *whose, const char *name)
{
	if (actor_index(rd, name) >= 0)
		return 0;
	return reading_wrong(rd, where, "%s names the actor \"%.60s\", which is not among the actors%s", whose, name,
		reading_suggest(name, rd->p->actors, rd->p->actors_count, sizeof(*rd->p->actors)));
}

/* ---- rotations ---- */

/* "2026-12-24 08:00" on the wall's clock. */
static int read_moment(struct reading *rd, const struct zone *zone, const char *text, int64_t *ret_ms)
{
	struct calendar_date d;
	char date[11];
	int16_t minute;
	int32_t day = 0;
	snprintf(date, sizeof(date), "%s", text);
	if (strlen(text) != 16 || text[10] != ' ' || calendar_parse_date(date, &d) || calendar_parse_time(text + 11, &minute))
		return reading_wrong(rd, rd->where, "\"%.60s\" is not a moment that exists; write day and time as \"2026-12-24 08:00\"",
			text);
	day_of_date(d.year, d.month, d.day, &day);
	*ret_ms = zone_instant(zone, day, minute);
	return 0;
}

static int read_override(struct reading *rd, const struct file_rotation *row, unsigned i, unsigned k)
{
	const struct file_override *o = &row->overrides[k];
	struct rotation_override *out = &row->entries[k];
	reading_at(rd, "rotations[%u].overrides[%u].from", i, k);
	int r = read_moment(rd, row->rotation.zone, o->from, &out->from_ms);
	if (r)
		return r;
	reading_at(rd, "rotations[%u].overrides[%u].to", i, k);
	r = read_moment(rd, row->rotation.zone, o->to, &out->to_ms);
	if (r)
		return r;
	if (out->to_ms <= out->from_ms)
		return reading_wrong(rd, rd->where, "this override ends before it begins");
	r = reading_check_actor(rd, reading_at(rd, "rotations[%u].overrides[%u].actor", i, k), row->name, o->actor);
	if (!r)
		out->member = (unsigned)actor_index(rd, o->actor);
	return r;
}

static int read_members(struct reading *rd, struct file_rotation *row, unsigned i)
{
	for (unsigned k = 0; k < row->actors_count; k++) {
		const char *where = reading_at(rd, "rotations[%u].actors[%u]", i, k);
		int r = reading_check_actor(rd, where, row->name, row->actors[k]);
		if (r)
			return r;
		row->members[k] = (unsigned)actor_index(rd, row->actors[k]);
		if (rd->p->actors[row->members[k]].rotation)
			return reading_wrong(rd, where, "\"%s\" is itself whoever is on call; a rotation goes through people",
				row->actors[k]);
	}
	return 0;
}

static int read_rotation(struct reading *rd, unsigned i)
{
	struct file_rotation *row = &rd->file->rotations[i];
	struct calendar_date starts;
	int16_t minute = 0;
	row->members = calloc(row->actors_count, sizeof(*row->members));
	row->entries = calloc(row->overrides_count + 1, sizeof(*row->entries));
	if (!row->members || !row->entries)
		return err_set(rd->e, -ENOMEM, "out of memory");
	if (row->time_zone && zone_open(&row->zone, row->time_zone, rd->e))
		return reading_wrong(rd, reading_at(rd, "rotations[%u].time_zone", i), "%s", rd->e ? rd->e->text : "no such time zone");
	if (calendar_parse_date(row->starts, &starts) || !starts.year)
		return reading_wrong(rd, reading_at(rd, "rotations[%u].starts", i), "\"%.60s\" is not a date that exists; write \"2026-01-05\"",
			row->starts);
	if (row->at && calendar_parse_time(row->at, &minute))
		return reading_wrong(rd, reading_at(rd, "rotations[%u].at", i), "\"%.60s\" is not a time; write hours and minutes as \"08:00\"",
			row->at);
	if (row->turn_days && !*row->turn_days)
		return reading_wrong(rd, reading_at(rd, "rotations[%u].turn_days", i), "a turn lasts at least one day");
	row->rotation = (struct rotation){.zone = row->zone ? row->zone : rd->p->zone, .at_minute = minute,
		.turn_days = row->turn_days ? *row->turn_days : 7, .members = row->members, .members_count = row->actors_count,
		.overrides = row->entries, .overrides_count = row->overrides_count};
	day_of_date(starts.year, starts.month, starts.day, &row->rotation.start_day);
	int r = read_members(rd, row, i);
	for (unsigned k = 0; k < row->overrides_count && !r; k++)
		r = read_override(rd, row, i, k);
	return r;
}

static int bind_rotations(struct reading *rd)
{
	struct playbook_file *f = rd->file;
	for (unsigned i = 0; i < f->actors_count; i++) {
		struct playbook_actor *a = &f->actors[i];
		if (!a->rotation)
			continue;
		for (unsigned k = 0; k < f->rotations_count; k++)
			if (str_eq(f->rotations[k].name, a->rotation))
				a->on_call = &f->rotations[k].rotation;
		const char *where = reading_at(rd, "actors[%u].rotation", i);
		if (!a->on_call)
			return reading_wrong(rd, where, "there is no rotation \"%.60s\"%s", a->rotation,
				reading_suggest(a->rotation, f->rotations, f->rotations_count, sizeof(*f->rotations)));
		if (a->tell_count)
			return reading_wrong(rd, where, "\"%s\" is told through whoever is on call; leave out its tell", a->name);
	}
	return 0;
}

/* ---- chains ---- */

const struct file_chain *reading_chain(const struct reading *rd, const char *name)
{
	for (unsigned i = 0; i < rd->file->chains_count; i++)
		if (str_eq(rd->file->chains[i].name, name))
			return &rd->file->chains[i];
	return NULL;
}

static int check_calls(struct reading *rd, const char *list, const char *whose, const struct playbook_call *calls, unsigned n)
{
	char key[128];
	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s[%u].actor", list, i);
		int r = reading_check_actor(rd, key, whose, calls[i].actor);
		if (r)
			return r;
		snprintf(key, sizeof(key), "%s[%u].after_minutes", list, i);
		if (i && calls[i].after_minutes < calls[i - 1].after_minutes)
			return reading_wrong(rd, key, "the chain of %s calls \"%s\" before the one above it; put the calls in order of "
				"after_minutes", whose, calls[i].actor);
	}
	return 0;
}

/* The names from a chain to itself again: "night, then leaders, then night". */
static int check_circle(struct reading *rd, unsigned i)
{
	const struct file_chain *first = &rd->file->chains[i], *c = first;
	char words[200];
	size_t n = (size_t)snprintf(words, sizeof(words), "%s", first->name);
	for (unsigned steps = 0; c && c->then && steps < rd->file->chains_count; steps++) {
		c = reading_chain(rd, c->then->chain);
		if (c && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n, ", then %s", c->name);
		if (c == first)
			return reading_wrong(rd, reading_at(rd, "chains[%u].then", i), "this chain comes back to itself (%s); let the last one end, "
				"or give it a repeat", words);
	}
	return 0;
}

/* Appends calls, each so many minutes later. */
static int append(struct file_chain *to, const struct playbook_call *calls, unsigned n, unsigned later)
{
	if (to->all_count + n > PLAYBOOK_CHAIN_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < n; i++)
		to->all[to->all_count++] = (struct playbook_call){calls[i].after_minutes + later, calls[i].actor};
	return 0;
}

/* Its own calls, again and again, and what follows; `then` counts from the last call. */
static int expand(struct reading *rd, unsigned i)
{
	struct file_chain *c = &rd->file->chains[i];
	const struct file_chain *part = c;
	unsigned later = 0;
	int r = 0;
	c->all = calloc(PLAYBOOK_CHAIN_MAX, sizeof(*c->all));
	if (!c->all)
		return err_set(rd->e, -ENOMEM, "out of memory");
	while (part && !r) {
		unsigned times = part->repeat ? part->repeat->times : 0, every = part->repeat ? part->repeat->every_minutes : 0;
		for (unsigned k = 0; k <= times && !r; k++)
			r = append(c, part->calls, part->calls_count, later + k * every);
		if (r || !part->then)
			break;
		later = c->all[c->all_count - 1].after_minutes + part->then->after_minutes;
		part = reading_chain(rd, part->then->chain);
	}
	return r ? reading_wrong(rd, reading_at(rd, "chains[%u]", i), "with what repeats and follows it has more than %d calls; repeat less often",
			   PLAYBOOK_CHAIN_MAX)
		 : 0;
}

#define MINUTES_MAX (7 * 24 * 60)

static int check_chain(struct reading *rd, unsigned i)
{
	const struct file_chain *c = &rd->file->chains[i];
	char list[64];
	snprintf(list, sizeof(list), "chains[%u].calls", i);
	int r = check_calls(rd, list, c->name, c->calls, c->calls_count);
	if (r)
		return r;
	unsigned last = c->calls[c->calls_count - 1].after_minutes;
	if (last > MINUTES_MAX)
		return reading_wrong(rd, reading_at(rd, "chains[%u].calls[%u].after_minutes", i, c->calls_count - 1), "a call more than a week later "
			"helps nobody; write minutes");
	if (c->repeat && c->repeat->times && (c->repeat->every_minutes <= last || c->repeat->every_minutes > MINUTES_MAX))
		return reading_wrong(rd, reading_at(rd, "chains[%u].repeat.every_minutes", i), "it begins again after %u minutes, before its last "
			"call after %u; let every_minutes be more than that, and at most a week", c->repeat->every_minutes, last);
	if (c->then && !reading_chain(rd, c->then->chain))
		return reading_wrong(rd, reading_at(rd, "chains[%u].then.chain", i), "there is no chain \"%.60s\"%s", c->then->chain,
			reading_suggest(c->then->chain, rd->file->chains, rd->file->chains_count, sizeof(*rd->file->chains)));
	if (c->then && c->then->after_minutes > MINUTES_MAX)
		return reading_wrong(rd, reading_at(rd, "chains[%u].then.after_minutes", i), "more than a week later helps nobody; write minutes");
	return 0;
}

static int read_chains(struct reading *rd)
{
	int r = 0;
	for (unsigned i = 0; i < rd->file->chains_count && !r; i++)
		r = check_chain(rd, i);
	for (unsigned i = 0; i < rd->file->chains_count && !r; i++)
		r = check_circle(rd, i);
	for (unsigned i = 0; i < rd->file->chains_count && !r; i++)
		r = expand(rd, i);
	return r;
}

/* ---- teams ---- */

static int read_teams(struct reading *rd)
{
	for (unsigned i = 0; i < rd->p->teams_count; i++) {
		const struct playbook_team *t = &rd->p->teams[i];
		int r = reading_check_actor(rd, reading_at(rd, "teams[%u].lead", i), t->name, t->lead);
		for (unsigned k = 0; k < t->members_count && !r; k++)
			r = reading_check_actor(rd, reading_at(rd, "teams[%u].members[%u]", i, k), t->name, t->members[k]);
		if (r)
			return r;
	}
	return 0;
}

int reading_people(struct reading *rd)
{
	struct playbook_file *f = rd->file;
	int r = reading_check_names(rd, "actors", "actor", f->actors, f->actors_count, sizeof(*f->actors));
	r = r ? r : reading_check_names(rd, "teams", "team", f->teams, f->teams_count, sizeof(*f->teams));
	r = r ? r : reading_check_names(rd, "rotations", "rotation", f->rotations, f->rotations_count, sizeof(*f->rotations));
	r = r ? r : reading_check_names(rd, "chains", "chain", f->chains, f->chains_count, sizeof(*f->chains));
	for (unsigned i = 0; i < f->rotations_count && !r; i++)
		r = read_rotation(rd, i);
	r = r ? r : bind_rotations(rd);
	r = r ? r : read_teams(rd);
	r = r ? r : read_chains(rd);
	/* The chains that incidents write down themselves. */
	for (unsigned i = 0; i < f->incidents_count && !r; i++) {
		char list[64];
		snprintf(list, sizeof(list), "incidents[%u].chain", i);
		r = check_calls(rd, list, f->incidents[i].code, f->incidents[i].own_chain, f->incidents[i].own_chain_count);
	}
	return r;
}
