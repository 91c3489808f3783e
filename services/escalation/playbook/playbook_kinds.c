/* Kinds of case, incidents, approvals, voices, and the languages of a playbook. */
#include "services/escalation/playbook/playbook_file.h"
#include "common/suggest.h"
#include "services/escalation/answers/draft.h"

#define ACKNOWLEDGE_MINUTES 60
#define RESOLVE_MINUTES (24 * 60)

const char *const playbook_actions[] = {"reply", "direct_message", "move_to_private", "call", "mail", "hide", "delete", "block",
	"refund", "apology", "holding_text", "publish_post", "forward", NULL};

static int check_word(
	struct reading *rd, const char *where, const char *what, const char *word, const char *const *list)
{
	size_t n = 0;
	char words[400];
	while (list[n])
		if (str_eq(list[n++], word))
			return 0;
	return reading_wrong(rd, where, "there is no %s \"%.60s\"%s", what, word,
		suggest(words, sizeof(words), word, list, n, "they are"));
}

static int check_action(struct reading *rd, const char *where, const char *name)
{
	return check_word(rd, where, "action", name, playbook_actions);
}

static int check_steps(struct reading *rd, const char *list, const char *whose, const struct playbook_step *steps, unsigned n)
{
	char key[128];
	for (unsigned i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%s[%u].actor", list, i);
		int r = reading_check_actor(rd, key, whose, steps[i].actor);
		if (r)
			return r;
	}
	return 0;
}

/* ---- conditions ---- */

static const struct calendar *calendar_named(void *ctx, const char *name, bool *ret_known)
{
	const struct file_calendar *c = file_calendar_named(ctx, name);
	*ret_known = c != NULL;
	return c ? c->calendar : NULL;
}

static int make_condition(struct reading *rd, const char *entry, const struct when *w, struct condition **ret)
{
	const struct condition_world world = {.zone = rd->p->zone, .calendar = calendar_named, .ctx = rd->file};
	char below[160];
	struct err e = {0};
	int r = condition_new(ret, w, &world, below, sizeof(below), &e);
	if (!r)
		return 0;
	char where[256];
	snprintf(where, sizeof(where), "%s.when.%s", entry, below);
	return reading_wrong(rd, where, "%s", err_text(&e));
}

/* What masks can say is said by masks, for it is asked of every message. */
static int make_when(struct reading *rd, const char *entry, struct file_kind *row, struct rule *rule)
{
	char key[64];
	struct err e = {0};
	struct when rest;
	if (!row->when)
		return 0;
	rest = *row->when;
	int r = when_masks(&rest, &rule->intents, &rule->flags, key, sizeof(key), &e);
	if (r) {
		char where[256];
		snprintf(where, sizeof(where), "%s.when.%s", entry, key);
		return reading_wrong(rd, where, "kind \"%s\": %s", row->name, err_text(&e));
	}
	rule->vip = rest.vip && *rest.vip;
	rule->influencer = rest.influencer && *rest.influencer;
	rest.intents_count = rest.flags_count = 0;
	rest.vip = rule->vip ? NULL : rest.vip;
	rest.influencer = rule->influencer ? NULL : rest.influencer;
	r = make_condition(rd, entry, &rest, &row->also);
	rule->also = row->also;
	return r;
}

/* ---- kinds ---- */

static int kind_sla(struct reading *rd, unsigned i, struct playbook_kind *k)
{
	const struct file_kind *row = &rd->file->kinds[i];
	unsigned acknowledge = row->acknowledge_minutes ? *row->acknowledge_minutes : ACKNOWLEDGE_MINUTES;
	unsigned resolve = row->resolve_minutes ? *row->resolve_minutes : RESOLVE_MINUTES;
	if (row->sla) {
		const struct file_sla *policy = reading_sla(rd, row->sla);
		if (!policy)
			return reading_wrong(rd, reading_at(rd, "kinds[%u].sla", i), "there is no policy \"%.60s\" in sla%s", row->sla,
				reading_suggest(row->sla, rd->file->slas, rd->file->slas_count, sizeof(*rd->file->slas)));
		if (row->acknowledge_minutes || row->resolve_minutes)
			return reading_wrong(rd, reading_at(rd, "kinds[%u].sla", i), "kind \"%s\" has a policy and minutes of its own; keep one of "
				"them", row->name);
		k->sla = policy->sla;
		return 0;
	}
	k->sla = (struct playbook_sla){.name = "", .calendar = "", .acknowledge_ms = (int64_t)acknowledge * 60000,
		.resolve_ms = (int64_t)resolve * 60000, .pause_while_waiting = true};
	return 0;
}

static int kind_people(struct reading *rd, unsigned i, struct playbook_kind *k)
{
	const struct file_kind *row = &rd->file->kinds[i];
	const struct playbook_team *team = NULL;
	int r = reading_check_actor(rd, reading_at(rd, "kinds[%u].owner", i), row->name, row->owner);
	for (unsigned n = 0; n < row->at_once_count && !r; n++)
		r = reading_check_actor(rd, reading_at(rd, "kinds[%u].at_once[%u]", i, n), row->name, row->at_once[n]);
	if (!r && row->last_word)
		r = reading_check_actor(rd, reading_at(rd, "kinds[%u].last_word", i), row->name, row->last_word);
	if (r)
		return r;
	for (unsigned n = 0; n < rd->p->teams_count && row->team; n++)
		if (str_eq(rd->p->teams[n].name, row->team))
			team = &rd->p->teams[n];
	if (row->team && !team)
		return reading_wrong(rd, reading_at(rd, "kinds[%u].team", i), "there is no team \"%.60s\"%s", row->team,
			reading_suggest(row->team, rd->p->teams, rd->p->teams_count, sizeof(*rd->p->teams)));
	k->owner = row->owner;
	k->team = team ? team->name : (char *)"";
	k->business_unit = team && team->business_unit ? team->business_unit : (char *)"";
	k->last_word = row->last_word ? row->last_word : team ? team->lead : row->owner;
	return 0;
}

static int read_kind(struct reading *rd, unsigned i)
{
	struct file_kind *row = &rd->file->kinds[i];
	struct playbook_kind *k = &rd->p->kinds[i];
	struct rule *rule = &rd->p->rules[i];
	char entry[32], list[64];
	snprintf(entry, sizeof(entry), "kinds[%u]", i);
	snprintf(list, sizeof(list), "kinds[%u].steps", i);
	*k = (struct playbook_kind){.name = row->name, .title = row->title, .code = row->code,
		.opens_case = row->opens_case ? *row->opens_case : true, .at_once = row->at_once,
		.at_once_count = row->at_once_count, .gather_minutes = row->gather_minutes ? *row->gather_minutes : 0,
		.allowed = row->allowed, .allowed_count = row->allowed_count, .steps = row->steps,
		.steps_count = row->steps_count};
	if (code_of(row->code) < CODE_GREEN)
		return reading_wrong(rd, reading_at(rd, "kinds[%u].code", i), "kind \"%s\": there is no code \"%.60s\"; write green, yellow or red",
			row->name, row->code);
	*rule = (struct rule){.code = (enum code)code_of(row->code), .opens_case = k->opens_case,
		.at_once = row->at_once_count > 0};
	int r = make_when(rd, entry, row, rule);
	r = r ? r : kind_people(rd, i, k);
	r = r ? r : kind_sla(rd, i, k);
	for (unsigned n = 0; n < row->allowed_count && !r; n++)
		r = check_action(rd, reading_at(rd, "kinds[%u].allowed[%u]", i, n), row->allowed[n]);
	return r ? r : check_steps(rd, list, row->name, row->steps, row->steps_count);
}

/* Below a kind that fits everything nothing is ever reached. */
static int check_reach(struct reading *rd)
{
	for (unsigned i = 0; i + 1 < rd->p->kinds_count; i++) {
		const struct rule *r = &rd->p->rules[i];
		if (!r->intents && !r->flags && !r->vip && !r->influencer && !r->also)
			return reading_wrong(rd, reading_at(rd, "kinds[%u]", i), "kind \"%s\" fits every message, so those below it are never reached; "
				"give it a when, or put it last", rd->p->kinds[i].name);
	}
	return 0;
}

/* ---- incidents ---- */

static int read_incident(struct reading *rd, unsigned i)
{
	struct playbook_incident *x = &rd->p->incidents[i];
	const struct file_chain *c = x->call ? reading_chain(rd, x->call) : NULL;
	char list[64];
	if (code_of(x->code) < CODE_YELLOW)
		return reading_wrong(rd, reading_at(rd, "incidents[%u].code", i), "an incident is yellow or red, not \"%.60s\"", x->code);
	for (unsigned k = 0; k < i; k++)
		if (str_eq(rd->p->incidents[k].code, x->code))
			return reading_wrong(rd, reading_at(rd, "incidents[%u].code", i), "there are two incidents of code %s; put them together",
				x->code);
	if (x->call && !c)
		return reading_wrong(rd, reading_at(rd, "incidents[%u].call", i), "there is no chain \"%.60s\"%s", x->call,
			reading_suggest(x->call, rd->file->chains, rd->file->chains_count, sizeof(*rd->file->chains)));
	if (!c == !x->own_chain_count)
		return reading_wrong(rd, reading_at(rd, "incidents[%u]", i), "an incident has a chain of its own, or calls one of chains; write "
			"either chain: or call:");
	x->chain = c ? c->all : x->own_chain;
	x->chain_count = c ? c->all_count : x->own_chain_count;
	if (x->chain[0].after_minutes)
		return reading_wrong(rd, reading_at(rd, c ? "incidents[%u].call" : "incidents[%u].chain[0].after_minutes", i), "nobody is called at "
			"once; let the first call have after_minutes: 0");
	snprintf(list, sizeof(list), "incidents[%u].steps", i);
	return check_steps(rd, list, x->code, x->steps, x->steps_count);
}

/* ---- answering ---- */

static int read_approval(struct reading *rd, unsigned i)
{
	struct file_approval *row = &rd->file->approvals[i];
	char entry[32];
	int r = 0;
	snprintf(entry, sizeof(entry), "approvals[%u]", i);
	for (unsigned n = 0; n < row->actions_count && !r; n++)
		r = check_action(rd, reading_at(rd, "approvals[%u].actions[%u]", i, n), row->actions[n]);
	for (unsigned n = 0; n < row->kinds_count && !r; n++)
		if (!playbook_kind(rd->p, row->kinds[n]))
			r = reading_wrong(rd, reading_at(rd, "approvals[%u].kinds[%u]", i, n),
				"there is no kind \"%.60s\"%s", row->kinds[n],
				reading_suggest(row->kinds[n], rd->file->kinds, rd->file->kinds_count,
					sizeof(*rd->file->kinds)));
	for (unsigned n = 0; n < row->codes_count && !r; n++)
		if (code_of(row->codes[n]) < CODE_GREEN)
			r = reading_wrong(rd, reading_at(rd, "approvals[%u].codes[%u]", i, n),
				"there is no code \"%.60s\"; write green, yellow or red", row->codes[n]);
	for (unsigned n = 0; n < row->approvers_count && !r; n++)
		r = reading_check_actor(rd, reading_at(rd, "approvals[%u].approvers[%u]", i, n), row->name, row->approvers[n]);
	if (!r && row->people && (!*row->people || *row->people > row->approvers_count))
		r = reading_wrong(rd, reading_at(rd, "approvals[%u].people", i), "%u people must consent, but %u may; name more approvers or ask fewer",
			*row->people, row->approvers_count);
	if (!r && row->when)
		r = make_condition(rd, entry, row->when, &row->condition);
	if (r)
		return r;
	rd->p->approvals[i] = (struct playbook_approval){.name = row->name,
		.actions = row->actions,
		.actions_count = row->actions_count,
		.kinds = row->kinds,
		.kinds_count = row->kinds_count,
		.codes = row->codes,
		.codes_count = row->codes_count,
		.approvers = row->approvers,
		.approvers_count = row->approvers_count,
		.people = row->people ? *row->people : 1,
		.when = row->condition};
	return 0;
}

static int check_language(struct reading *rd, const char *where, const char *language)
{
	for (unsigned i = 0; i < rd->p->languages_count; i++)
		if (str_eq(rd->p->languages[i], language))
			return 0;
	char words[300];
	return reading_wrong(rd, where, "\"%.60s\" is not among the playbook's languages%s", language,
		suggest(words, sizeof(words), language, (const char *const *)(uintptr_t)rd->p->languages, rd->p->languages_count,
			"they are"));
}

static int check_voice(struct reading *rd, unsigned i)
{
	const struct playbook_voice *v = &rd->p->voices[i];
	int r = v->language ? check_language(rd, reading_at(rd, "voices[%u].language", i), v->language) : 0;
	if (!r && v->unit)
		r = check_word(rd, reading_at(rd, "voices[%u].unit", i), "unit", v->unit, length_units);
	if (!r && v->min_readability && *v->min_readability > 100)
		r = reading_wrong(rd, reading_at(rd, "voices[%u].min_readability", i),
			"readability goes from 0 to 100, easier upwards");
	for (unsigned k = 0; k < v->blocks_count && !r; k++)
		r = check_word(rd, reading_at(rd, "voices[%u].blocks[%u]", i, k), "rule of drafts",
			v->blocks[k], draft_rules);
	return r;
}

/* The first answer of a crisis is there in every language. */
static int check_holding(struct reading *rd)
{
	const struct playbook_crisis *c = rd->p->crisis;
	for (unsigned i = 0; c && i < c->holding_count; i++) {
		int r = rd->p->languages_count ? check_language(rd, reading_at(rd, "crisis.holding[%u].language", i),
							 c->holding[i].language)
					       : 0;
		if (r)
			return r;
	}
	for (unsigned k = 0; c && c->holding_count && k < rd->p->languages_count; k++) {
		bool there = false;
		for (unsigned i = 0; i < c->holding_count; i++)
			there |= !c->holding[i].channel && str_eq(c->holding[i].language, rd->p->languages[k]);
		if (!there)
			return reading_wrong(rd, "crisis.holding", "holding is missing in %s; add {language: %s, texts: [...]}, or take %s "
				"out of languages", rd->p->languages[k], rd->p->languages[k], rd->p->languages[k]);
	}
	return 0;
}

int reading_kinds(struct reading *rd)
{
	struct playbook *p = rd->p;
	const struct playbook_file *f = rd->file;
	int r = reading_check_names(rd, "kinds", "kind", f->kinds, f->kinds_count, sizeof(*f->kinds));
	r = r ? r : reading_check_names(rd, "approvals", "approval", f->approvals, f->approvals_count, sizeof(*f->approvals));
	r = r ? r : reading_check_names(rd, "voices", "voice", f->voices, f->voices_count, sizeof(*f->voices));
	for (; p->kinds_count < f->kinds_count && !r; p->kinds_count++)
		r = read_kind(rd, p->kinds_count);
	r = r ? r : check_reach(rd);
	for (unsigned i = 0; i < p->incidents_count && !r; i++)
		r = read_incident(rd, i);
	for (; p->approvals_count < f->approvals_count && !r; p->approvals_count++)
		r = read_approval(rd, p->approvals_count);
	for (unsigned i = 0; i < p->voices_count && !r; i++)
		r = check_voice(rd, i);
	r = r ? r : check_holding(rd);
	if (!r && !playbook_incident(p, CODE_RED))
		r = reading_wrong(rd, "incidents", "there is no incident of code red; add one, for danger does not ask first");
	return r;
}
