#include "services/escalation/playbook.h"
#include "common/conf_yaml.h"

#define WINDOW_MINUTES 60
#define YELLOW_PEOPLE 20
#define RED_PEOPLE 200
#define OVER_NORMAL 3.7
#define GRAVE_PEOPLE 3
#define ACKNOWLEDGE_MINUTES 60
#define RESOLVE_MINUTES (24 * 60)

/* What the file holds: struct playbook without what is compiled. */
struct file {
	char *name;
	unsigned *version;
	unsigned *window_minutes, *yellow_people, *red_people;
	double *over_normal;
	struct playbook_actor *actors;
	unsigned actors_count;
	struct kind_row *kinds;
	unsigned kinds_count;
	struct playbook_incident *incidents;
	unsigned incidents_count;
};

struct when {
	char **intents;
	unsigned intents_count;
	char **flags;
	unsigned flags_count;
	bool vip;
	bool influencer;
};

struct kind_row {
	char *name;
	char *title;
	struct when *when;
	char *code;
	bool *opens_case;
	char *owner;
	unsigned *acknowledge_minutes, *resolve_minutes, *gather_minutes;
	char **at_once;
	unsigned at_once_count;
};

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 200)};

static const cyaml_schema_field_t when_fields[] = {
	CYAML_FIELD_SEQUENCE("intents", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct when, intents, &word, 1, 32),
	CYAML_FIELD_SEQUENCE("flags", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct when, flags, &word, 1, 32),
	CYAML_FIELD_BOOL("vip", CYAML_FLAG_OPTIONAL, struct when, vip),
	CYAML_FIELD_BOOL("influencer", CYAML_FLAG_OPTIONAL, struct when, influencer),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kind_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct kind_row, name, 1, 64),
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct kind_row, title, 1, 200),
	CYAML_FIELD_MAPPING_PTR("when", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row, when, when_fields),
	CYAML_FIELD_STRING_PTR("code", CYAML_FLAG_POINTER, struct kind_row, code, 1, 16),
	CYAML_FIELD_BOOL_PTR("opens_case", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row, opens_case),
	CYAML_FIELD_STRING_PTR("owner", CYAML_FLAG_POINTER, struct kind_row, owner, 1, 64),
	CYAML_FIELD_UINT_PTR("acknowledge_minutes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row,
		acknowledge_minutes),
	CYAML_FIELD_UINT_PTR("resolve_minutes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row,
		resolve_minutes),
	CYAML_FIELD_SEQUENCE("at_once", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row, at_once, &word, 1, 16),
	CYAML_FIELD_UINT_PTR("gather_minutes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct kind_row, gather_minutes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t actor_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct playbook_actor, name, 1, 64),
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct playbook_actor, title, 1, 200),
	CYAML_FIELD_SEQUENCE("tell", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_actor, tell, &word, 0, 16),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t call_fields[] = {
	CYAML_FIELD_UINT("after_minutes", CYAML_FLAG_DEFAULT, struct playbook_call, after_minutes),
	CYAML_FIELD_STRING_PTR("actor", CYAML_FLAG_POINTER, struct playbook_call, actor, 1, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t step_fields[] = {
	CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_POINTER, struct playbook_step, text, 1, 500),
	CYAML_FIELD_STRING_PTR("actor", CYAML_FLAG_POINTER, struct playbook_step, actor, 1, 64),
	CYAML_FIELD_UINT("within_minutes", CYAML_FLAG_DEFAULT, struct playbook_step, within_minutes),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t call = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct playbook_call, call_fields)};
static const cyaml_schema_value_t step = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct playbook_step, step_fields)};

static const cyaml_schema_field_t incident_fields[] = {
	CYAML_FIELD_STRING_PTR("code", CYAML_FLAG_POINTER, struct playbook_incident, code, 1, 16),
	CYAML_FIELD_SEQUENCE("chain", CYAML_FLAG_POINTER, struct playbook_incident, chain, &call, 1, PLAYBOOK_CHAIN_MAX),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_incident, steps, &step, 0,
		64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t actor = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct playbook_actor, actor_fields)};
static const cyaml_schema_value_t kind = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kind_row, kind_fields)};
static const cyaml_schema_value_t incident = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct playbook_incident, incident_fields)};

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct file, name, 1, 64),
	CYAML_FIELD_UINT_PTR("version", CYAML_FLAG_POINTER, struct file, version),
	CYAML_FIELD_UINT_PTR("window_minutes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, window_minutes),
	CYAML_FIELD_UINT_PTR("yellow_people", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, yellow_people),
	CYAML_FIELD_UINT_PTR("red_people", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, red_people),
	CYAML_FIELD_FLOAT_PTR("over_normal", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, over_normal),
	CYAML_FIELD_SEQUENCE("actors", CYAML_FLAG_POINTER, struct file, actors, &actor, 1, 64),
	CYAML_FIELD_SEQUENCE("kinds", CYAML_FLAG_POINTER, struct file, kinds, &kind, 1, PLAYBOOK_KINDS_MAX),
	CYAML_FIELD_SEQUENCE("incidents", CYAML_FLAG_POINTER, struct file, incidents, &incident, 1, 8),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)};

/* The playbook as the service sees it, over the file it borrows from. */
struct loaded {
	struct playbook playbook;
	struct file *file;
};

static int compile_kind(const char *path, const struct kind_row *row, struct playbook_kind *k, struct rule *r,
	struct err *e)
{
	const struct when *w = row->when;
	*k = (struct playbook_kind){.name = row->name, .title = row->title, .code = row->code, .owner = row->owner,
		.at_once = row->at_once, .at_once_count = row->at_once_count,
		.opens_case = row->opens_case ? *row->opens_case : true,
		.acknowledge_minutes = row->acknowledge_minutes ? *row->acknowledge_minutes : ACKNOWLEDGE_MINUTES,
		.resolve_minutes = row->resolve_minutes ? *row->resolve_minutes : RESOLVE_MINUTES,
		.gather_minutes = row->gather_minutes ? *row->gather_minutes : 0};
	*r = (struct rule){.code = (enum code)MAX(code_of(row->code), 0), .opens_case = k->opens_case,
		.at_once = row->at_once_count > 0, .vip = w && w->vip, .influencer = w && w->influencer};
	if (code_of(row->code) < CODE_GREEN)
		return err_set(e, -EINVAL, "%s: kind \"%s\": there is no code \"%s\"; write green, yellow or red", path,
			row->name, row->code);
	for (unsigned i = 0; w && i < w->intents_count; i++) {
		enum intent in = intent_of(w->intents[i]);
		bool unknown = str_eq(w->intents[i], "unknown");
		if (in == INTENT_UNKNOWN && !unknown)
			return err_set(e, -EINVAL, "%s: kind \"%s\": there is no intent \"%s\"", path, row->name,
				w->intents[i]);
		r->intents |= BIT(in);
	}
	for (unsigned i = 0; w && i < w->flags_count; i++) {
		int f = flag_of(w->flags[i]);
		if (f < 0)
			return err_set(e, -EINVAL, "%s: kind \"%s\": there is no flag \"%s\"", path, row->name,
				w->flags[i]);
		r->flags |= BIT(f);
	}
	return 0;
}

static int unknown_actor(const char *path, const char *where, const char *name, struct err *e)
{
	return err_set(e, -EINVAL, "%s: %s names the actor \"%s\", which is not among the actors", path, where, name);
}

static int check_actors(const char *path, const struct playbook *p, struct err *e)
{
	for (unsigned i = 0; i < p->kinds_count; i++) {
		const struct playbook_kind *k = &p->kinds[i];
		if (!playbook_actor(p, k->owner))
			return unknown_actor(path, k->name, k->owner, e);
		for (unsigned n = 0; n < k->at_once_count; n++)
			if (!playbook_actor(p, k->at_once[n]))
				return unknown_actor(path, k->name, k->at_once[n], e);
	}
	for (unsigned i = 0; i < p->incidents_count; i++) {
		const struct playbook_incident *x = &p->incidents[i];
		if (code_of(x->code) < CODE_YELLOW)
			return err_set(e, -EINVAL, "%s: an incident is yellow or red, not \"%s\"", path, x->code);
		for (unsigned n = 0; n < x->chain_count; n++) {
			if (!playbook_actor(p, x->chain[n].actor))
				return unknown_actor(path, x->code, x->chain[n].actor, e);
			if (n && x->chain[n].after_minutes < x->chain[n - 1].after_minutes)
				return err_set(e, -EINVAL,
					"%s: the chain of %s calls \"%s\" before the one above it; put the calls in order "
					"of after_minutes",
					path, x->code, x->chain[n].actor);
		}
		for (unsigned n = 0; n < x->steps_count; n++)
			if (!playbook_actor(p, x->steps[n].actor))
				return unknown_actor(path, x->code, x->steps[n].actor, e);
	}
	if (!playbook_incident(p, CODE_RED))
		return err_set(e, -EINVAL, "%s: there is no incident of code red", path);
	return 0;
}

static void take(struct playbook *p, const struct file *f)
{
	p->name = f->name;
	p->version = *f->version;
	p->window_minutes = f->window_minutes && *f->window_minutes ? *f->window_minutes : WINDOW_MINUTES;
	p->yellow_people = f->yellow_people ? *f->yellow_people : YELLOW_PEOPLE;
	p->red_people = f->red_people ? *f->red_people : RED_PEOPLE;
	p->over_normal = f->over_normal ? *f->over_normal : OVER_NORMAL;
	p->actors = f->actors;
	p->actors_count = f->actors_count;
	p->incidents = f->incidents;
	p->incidents_count = f->incidents_count;
	p->thresholds = (struct thresholds){.yellow_people = p->yellow_people, .red_people = p->red_people,
		.over_normal = p->over_normal, .grave_people = GRAVE_PEOPLE,
		.scaled = !f->yellow_people && !f->red_people};
	snprintf(p->label, sizeof(p->label), "%s, version %u", p->name, p->version);
}

int playbook_load(struct playbook **ret, const char *path, struct err *e)
{
	struct loaded *l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(e, -ENOMEM, "out of memory");
	struct playbook *p = &l->playbook;
	void *file = NULL;
	int r = conf_yaml_load(path, &schema, &file, e);
	l->file = file;
	if (!r) {
		take(p, l->file);
		p->kinds = calloc(l->file->kinds_count, sizeof(*p->kinds));
		r = p->kinds ? 0 : -ENOMEM;
	}
	for (unsigned i = 0; !r && i < l->file->kinds_count; i++, p->kinds_count++)
		r = compile_kind(path, &l->file->kinds[i], &p->kinds[i], &p->rules[i], e);
	if (!r && p->yellow_people > p->red_people)
		r = err_set(e, -EINVAL, "%s: yellow_people (%u) is more than red_people (%u)", path, p->yellow_people,
			p->red_people);
	r = r ? r : check_actors(path, p, e);
	if (r) {
		playbook_free(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void playbook_free(struct playbook **p)
{
	struct loaded *l = (struct loaded *)*p; /* the playbook is its first member */
	if (!l)
		return;
	void *file = l->file;
	if (file)
		conf_yaml_free(&schema, &file);
	free(l->playbook.kinds);
	free(l);
	*p = NULL;
}

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
	return 0;
}

int playbook_of_brand(const struct conf *c, const struct conf_brand *brand, struct playbook **ret, struct err *e)
{
	if (str_empty(brand->playbook))
		return err_set(e, -EINVAL, "%s: brand \"%s\" has no playbook", c->path, brand->name);
	int r = playbook_load(ret, brand->playbook, e);
	if (!r && (r = playbook_check_destinations(*ret, c, brand->name, e)))
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

const struct playbook_actor *playbook_actor(const struct playbook *p, const char *name)
{
	for (unsigned i = 0; i < p->actors_count; i++)
		if (str_eq(p->actors[i].name, name))
			return &p->actors[i];
	return NULL;
}

const struct playbook_incident *playbook_incident(const struct playbook *p, enum code code)
{
	for (unsigned i = 0; i < p->incidents_count; i++)
		if (code_of(p->incidents[i].code) == (int)code)
			return &p->incidents[i];
	return NULL;
}
