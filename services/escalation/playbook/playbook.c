#include "services/escalation/playbook/playbook_file.h"
#include "services/escalation/answers/texts.h"
#include "common/conf_yaml.h"
#include "common/suggest.h"

#include <xxhash.h>

#define WINDOW_MINUTES 60
#define YELLOW_PEOPLE 20
#define RED_PEOPLE 200
#define OVER_NORMAL 3.9
#define GRAVE_PEOPLE 3u
#define REOPEN_HOURS 72

/* The playbook as the service sees it, over the file it borrows from. */
struct loaded {
	struct playbook playbook; /* first: playbook_free gets back to the whole */
	struct playbook_file *file;
	struct zone *zone;
};

/* ---- what its readers share ---- */

const char *reading_at(struct reading *rd, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(rd->where, sizeof(rd->where), fmt, ap);
	va_end(ap);
	return rd->where;
}

int reading_wrong(struct reading *rd, const char *where, const char *fmt, ...)
{
	char words[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return conf_yaml_error(rd->path, where, rd->e, "%s", words);
}

static const char *name_at(const void *rows, size_t i, size_t row_size)
{
	char *name;
	memcpy(&name, (const uint8_t *)rows + i * row_size, sizeof(name));
	return name;
}

const char *reading_suggest(const char *word, const void *rows, size_t n, size_t row_size)
{
	static char words[200];
	const char *names[64];
	n = MIN(n, ARRAY_SIZE(names));
	for (size_t i = 0; i < n; i++)
		names[i] = name_at(rows, i, row_size);
	return n ? suggest(words, sizeof(words), word, names, n, "there are") : "";
}

int reading_check_names(struct reading *rd, const char *list, const char *what, const void *rows, size_t n, size_t row_size)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(name_at(rows, i, row_size), name_at(rows, k, row_size)))
				return reading_wrong(rd, reading_at(rd, "%s[%zu].name", list, i), "there are two entries called \"%s\"; give the %s a "
					"name of its own", name_at(rows, i, row_size), what);
	return 0;
}

/* ---- reading ---- */

static int take_head(struct reading *rd, struct loaded *l)
{
	static char *no_languages[1];
	struct playbook_file *f = rd->file;
	struct playbook *p = rd->p;
	const char *zone = f->time_zone ? f->time_zone : "UTC";
	struct err e = {0};
	p->name = f->name;
	p->version = *f->version;
	p->languages = f->languages ? f->languages : no_languages;
	p->languages_count = f->languages_count;
	p->window_minutes = f->window_minutes && *f->window_minutes ? *f->window_minutes : WINDOW_MINUTES;
	p->yellow_people = f->yellow_people ? *f->yellow_people : YELLOW_PEOPLE;
	p->red_people = f->red_people ? *f->red_people : RED_PEOPLE;
	p->over_normal = f->over_normal ? *f->over_normal : OVER_NORMAL;
	p->reopen_hours = f->reopen_hours ? *f->reopen_hours : REOPEN_HOURS;
	p->actors = f->actors;
	p->actors_count = f->actors_count;
	p->teams = f->teams;
	p->teams_count = f->teams_count;
	p->incidents = f->incidents;
	p->incidents_count = f->incidents_count;
	p->crisis = f->crisis;
	p->voices = f->voices;
	p->voices_count = f->voices_count;
	p->thresholds = (struct thresholds){.yellow_people = p->yellow_people,
		.red_people = p->red_people,
		.over_normal = p->over_normal,
		.grave_people = f->grave_people ? *f->grave_people : MIN(GRAVE_PEOPLE, p->yellow_people),
		.scaled = !f->yellow_people && !f->red_people};
	snprintf(p->label, sizeof(p->label), "%s, version %u", p->name, p->version);
	if (zone_open(&l->zone, zone, &e))
		return reading_wrong(rd, "time_zone", "%s", err_text(&e));
	p->zone = l->zone;
	if (p->yellow_people > p->red_people)
		return reading_wrong(rd, f->red_people ? "red_people" : "yellow_people", "yellow_people (%u) is more than red_people (%u)",
			p->yellow_people, p->red_people);
	if (p->thresholds.grave_people > p->yellow_people)
		return reading_wrong(rd, f->grave_people ? "grave_people" : "yellow_people",
			"grave_people (%u) is more than yellow_people (%u); a danger needs "
			"fewer people than anything else, or 0 to be counted as anything else",
			p->thresholds.grave_people, p->yellow_people);
	for (unsigned i = 0; i < p->languages_count; i++)
		if (strlen(p->languages[i]) != 2)
			return reading_wrong(rd, reading_at(rd, "languages[%u]", i), "\"%.60s\" is not a language; write two small letters, as it or en",
				p->languages[i]);
	p->kinds = calloc(f->kinds_count, sizeof(*p->kinds));
	p->approvals = calloc(f->approvals_count + 1, sizeof(*p->approvals));
	return p->kinds && p->approvals ? 0 : err_set(rd->e, -ENOMEM, "out of memory");
}

int playbook_load(struct playbook **ret, const char *path, struct err *e)
{
	struct loaded *l = calloc(1, sizeof(*l));
	struct buf text;
	if (!l)
		return err_set(e, -ENOMEM, "out of memory");
	struct playbook *p = &l->playbook;
	int r = conf_read_file(path, CONF_YAML_MAX, &text, e);
	if (!r) {
		void *file = NULL;
		r = conf_yaml_parse(path, buf_span(&text), &playbook_schema, &file, e);
		l->file = file;
		p->hash = XXH3_64bits(buf_str(&text), text.len);
		buf_free(&text);
	}
	struct reading rd = {.path = path, .p = p, .file = l->file, .e = e};
	r = r ? r : take_head(&rd, l);
	r = r ? r : reading_people(&rd);
	r = r ? r : reading_hours(&rd);
	r = r ? r : reading_kinds(&rd);
	r = r ? r : playbook_crisis_check(path, p, p->crisis, e);
	if (r) {
		playbook_free(&p);
		return r;
	}
	*ret = p;
	return 0;
}

/* What was made beside the file's own values. */
static void free_compiled(struct playbook_file *f)
{
	for (unsigned i = 0; i < f->calendars_count; i++)
		calendar_free(&f->calendars[i].calendar);
	for (unsigned i = 0; i < f->rotations_count; i++) {
		zone_close(&f->rotations[i].zone);
		free(f->rotations[i].members);
		free(f->rotations[i].entries);
	}
	for (unsigned i = 0; i < f->chains_count; i++)
		free(f->chains[i].all);
	for (unsigned i = 0; i < f->kinds_count; i++)
		condition_free(&f->kinds[i].also);
	for (unsigned i = 0; i < f->approvals_count; i++)
		condition_free(&f->approvals[i].condition);
}

void playbook_free(struct playbook **p)
{
	struct loaded *l = (struct loaded *)*p; /* the playbook is its first member */
	if (!l)
		return;
	void *file = l->file;
	if (file) {
		free_compiled(l->file);
		conf_yaml_free(&playbook_schema, &file);
	}
	zone_close(&l->zone);
	free(l->playbook.kinds);
	free(l->playbook.approvals);
	free(l);
	*p = NULL;
}

/* ---- with the configuration ---- */

static int check_destination(const struct playbook_actor *a, const char *name, const struct conf *c, const char *brand,
	struct err *e)
{
	for (unsigned d = 0; d < c->destinations_count; d++) {
		if (!str_eq(c->destinations[d].name, name))
			continue;
		if (str_eq(c->destinations[d].brand, brand))
			return 0;
		return err_set(e, -EINVAL, "actor \"%s\" is told through \"%s\", which %s has for the brand \"%s\", not for "
			"\"%s\"", a->name, name, c->path, c->destinations[d].brand, brand);
	}
	return err_set(e, -EINVAL, "actor \"%s\" is told through \"%s\", which is not among the destinations of %s",
		a->name, name, c->path);
}

int playbook_check_destinations(const struct playbook *p, const struct conf *c, const char *brand, struct err *e)
{
	for (unsigned i = 0; i < p->actors_count; i++)
		for (unsigned n = 0; n < p->actors[i].tell_count; n++)
			if (check_destination(&p->actors[i], p->actors[i].tell[n], c, brand, e))
				return err_prefix(e, "playbook %s", p->name);
	if (playbook_crisis_check_destination(p->crisis, c, brand, e))
		return err_prefix(e, "playbook %s", p->name);
	return 0;
}

struct ready_texts {
	const char *path;
	struct err *e;
	int result;
};

static void stop_at_text(
	void *ctx, size_t list, size_t text, const char *channel, const struct draft_finding *f)
{
	struct ready_texts *r = ctx;
	struct arena a;
	char where[64];
	if (!f->blocks || r->result)
		return;
	snprintf(where, sizeof(where), "crisis.holding[%zu].texts[%zu]", list, text);
	arena_init(&a, 4096);
	const char *words = draft_sentence(f, false, &a);
	r->result = conf_yaml_error(r->path, where, r->e, "this text could not be sent%s%s: %s",
		channel[0] ? " on " : "", channel, words ? words : "");
	arena_free(&a);
}

/* A text that is kept ready for a crisis can be sent on every channel it is for. */
static int check_texts(
	const struct conf *c, const struct conf_brand *brand, const struct playbook *p, struct err *e)
{
	struct ready_texts ready = {.path = brand->playbook, .e = e};
	int r = texts_check_playbook(p, c, brand->name, stop_at_text, &ready);
	return r ? err_set(e, r, "out of memory") : ready.result;
}

int playbook_of_brand(const struct conf *c, const struct conf_brand *brand, struct playbook **ret, struct err *e)
{
	if (str_empty(brand->playbook))
		return err_set(e, -EINVAL, "%s: brand \"%s\" has no playbook", c->path, brand->name);
	int r = playbook_load(ret, brand->playbook, e);
	if (!r && ((r = playbook_check_destinations(*ret, c, brand->name, e)) ||
			  (r = check_texts(c, brand, *ret, e))))
		playbook_free(ret);
	return r;
}

int playbook_check_all(const struct conf *c, struct err *e)
{
	for (unsigned i = 0; i < c->brands_count; i++) {
		struct playbook *p = NULL;
		int r = playbook_of_brand(c, &c->brands[i], &p, e);
		playbook_free(&p);
		if (r)
			return r;
	}
	return 0;
}

int playbook_check(const char *path, struct err *e)
{
	struct playbook *p = NULL;
	int r = playbook_load(&p, path, e);
	playbook_free(&p);
	return r;
}

int playbook_may_follow(const struct playbook *old, const struct playbook *fresh, struct err *e)
{
	if (fresh->hash == old->hash || fresh->version != old->version || !str_eq(fresh->name, old->name))
		return 0;
	return err_set(e, -EINVAL, "the playbook %s was changed, but its version is still %u, and decisions name it; write version: "
		"%u", fresh->name, old->version, old->version + 1);
}

/* ---- looking up ---- */

const struct playbook_actor *playbook_actor(const struct playbook *p, const char *name)
{
	for (unsigned i = 0; i < p->actors_count; i++)
		if (str_eq(p->actors[i].name, name))
			return &p->actors[i];
	return NULL;
}

const struct playbook_actor *playbook_on_call(const struct playbook *p, const char *name, int64_t at_ms)
{
	const struct playbook_actor *a = playbook_actor(p, name);
	return a && a->on_call ? &p->actors[rotation_on_call(a->on_call, at_ms)] : a;
}

const struct playbook_incident *playbook_incident(const struct playbook *p, enum code code)
{
	for (unsigned i = 0; i < p->incidents_count; i++)
		if (code_of(p->incidents[i].code) == (int)code)
			return &p->incidents[i];
	return NULL;
}

const struct playbook_kind *playbook_kind(const struct playbook *p, const char *name)
{
	for (unsigned i = 0; i < p->kinds_count; i++)
		if (str_eq(p->kinds[i].name, name))
			return &p->kinds[i];
	return NULL;
}

const struct calendar *playbook_calendar(const struct playbook *p, const char *name)
{
	const struct loaded *l = (const struct loaded *)p; /* the playbook is its first member */
	const struct file_calendar *c = str_empty(name) ? NULL : file_calendar_named(l->file, name);
	return c ? c->calendar : NULL;
}

const struct playbook_sla *playbook_sla(const struct playbook *p, const char *name)
{
	const struct playbook_file *f = ((const struct loaded *)p)->file;
	for (unsigned i = 0; i < f->slas_count; i++)
		if (str_eq(f->slas[i].name, name))
			return &f->slas[i].sla;
	return NULL;
}

static bool is_among(char *const *list, unsigned n, const char *word)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq(list[i], word))
			return true;
	return false;
}

const struct playbook_approval *playbook_approval(const struct playbook *p, const struct playbook_asked *what)
{
	for (unsigned i = 0; i < p->approvals_count; i++) {
		const struct playbook_approval *a = &p->approvals[i];
		if (is_among(a->actions, a->actions_count, what->action) &&
			(!a->kinds_count || is_among(a->kinds, a->kinds_count, what->kind)) &&
			(!a->codes_count || is_among(a->codes, a->codes_count, what->code)) &&
			(!a->when || condition_holds(a->when, what->facts)))
			return a;
	}
	return NULL;
}

const struct playbook_voice *playbook_voice(const struct playbook *p, const char *channel, const char *network,
	const char *language)
{
	for (unsigned i = 0; i < p->voices_count; i++) {
		const struct playbook_voice *v = &p->voices[i];
		bool here = (!v->channels_count && !v->networks_count) || is_among(v->channels, v->channels_count, channel) ||
			    is_among(v->networks, v->networks_count, network);
		if (here && (!v->language || str_eq(v->language, language)))
			return v;
	}
	return NULL;
}
