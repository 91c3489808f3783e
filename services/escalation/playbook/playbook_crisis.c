#include "services/escalation/playbook/playbook_crisis.h"
#include "services/escalation/playbook/playbook.h"

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 200)};
static const cyaml_schema_value_t sentence = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 2000)};

static const cyaml_schema_field_t wordings_fields[] = {
	CYAML_FIELD_STRING_PTR("channel", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_wordings, channel, 1, 64),
	CYAML_FIELD_STRING_PTR("language", CYAML_FLAG_POINTER, struct playbook_wordings, language, 1, 8),
	CYAML_FIELD_SEQUENCE("texts", CYAML_FLAG_POINTER, struct playbook_wordings, texts, &sentence, 1, 32),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t wordings = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct playbook_wordings, wordings_fields)};

const cyaml_schema_field_t playbook_crisis_fields[] = {
	CYAML_FIELD_SEQUENCE("tell", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_crisis, tell, &word, 0, 16),
	CYAML_FIELD_UINT_PTR("remind_minutes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_crisis,
		remind_minutes),
	CYAML_FIELD_UINT_PTR("approvals", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_crisis, approvals),
	CYAML_FIELD_STRING_PTR("answers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_crisis, answers, 1, 64),
	CYAML_FIELD_SEQUENCE("holding", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct playbook_crisis, holding, &wordings,
		0, CRISIS_HOLDING_MAX),
	CYAML_FIELD_END,
};

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static int check_wordings(const char *path, const struct playbook_crisis *c, unsigned n, struct err *e)
{
	const struct playbook_wordings *w = &c->holding[n];
	if (strlen(w->language) != 2)
		return err_set(e, -EINVAL, "%s: crisis: holding %u: \"%s\" is not a language; write two letters such as it or en",
			path, n + 1, w->language);
	if (w->texts_count < 2)
		return err_set(e, -EINVAL,
			"%s: crisis: holding %u (%s) has one wording; write two or more, so that nobody reads a pasted text", path,
			n + 1, w->language);
	for (unsigned i = 0; i < w->texts_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (str_eq(w->texts[i], w->texts[k]))
				return err_set(e, -EINVAL, "%s: crisis: holding %u (%s) says \"%.40s\" twice", path, n + 1,
					w->language, w->texts[i]);
	for (unsigned i = 0; i < n; i++)
		if (str_eq(c->holding[i].language, w->language) && same(c->holding[i].channel, w->channel))
			return err_set(e, -EINVAL, "%s: crisis: holding has %s%s%s twice; put their texts together", path, w->language,
				w->channel ? " for " : "", w->channel ? w->channel : "");
	return 0;
}

int playbook_crisis_check(const char *path, const struct playbook *p, const struct playbook_crisis *c, struct err *e)
{
	int r = 0;
	if (!c)
		return 0;
	if (playbook_crisis_approvals(c) > CRISIS_APPROVALS_MAX)
		return err_set(e, -EINVAL, "%s: crisis: approvals: %u is more than %d; who would ever send anything?", path,
			*c->approvals, CRISIS_APPROVALS_MAX);
	for (unsigned i = 0; i < c->tell_count; i++)
		if (!playbook_actor(p, c->tell[i]))
			return err_set(e, -EINVAL, "%s: crisis: tell names the actor \"%s\", which is not among the actors", path,
				c->tell[i]);
	for (unsigned i = 0; i < c->holding_count && !r; i++)
		r = check_wordings(path, c, i, e);
	return r;
}

int playbook_crisis_check_destination(const struct playbook_crisis *c, const struct conf *conf, const char *brand,
	struct err *e)
{
	if (!c || str_empty(c->answers))
		return 0;
	for (unsigned i = 0; i < conf->destinations_count; i++)
		if (str_eq(conf->destinations[i].name, c->answers) && str_eq(conf->destinations[i].brand, brand))
			return 0;
	return err_set(e, -EINVAL, "crisis: answers: \"%s\" is not a destination of the brand \"%s\" in %s", c->answers, brand,
		conf->path);
}
