#include "services/escalation/answers/texts.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)

struct checking {
	const struct playbook *p;
	const struct conf *conf;
	const char *brand;
	const struct texts *lists;
	size_t n;
	const char *author;
	texts_fn *fn;
	void *ctx;
	struct arena arena;
};

static bool says_for_itself(const struct checking *x, const char *channel, const char *language)
{
	for (size_t i = 0; i < x->n; i++)
		if (str_eq(x->lists[i].channel, channel) && str_eq(x->lists[i].language, language))
			return true;
	return false;
}

static bool is_for(const struct checking *x, const struct texts *list, const struct conf_channel *c)
{
	if (!str_eq(c->brand, x->brand))
		return false;
	return str_empty(list->channel) ? !says_for_itself(x, c->name, list->language)
					: str_eq(list->channel, c->name);
}

/* What has been said of a text already: bits of rules. */
struct told {
	uint32_t found, blocks;
};

static int check_on(struct checking *x, size_t list, size_t text, const char *channel, const char *network,
	struct told *told)
{
	const struct texts *l = &x->lists[list];
	struct draft_report report;
	struct draft d = {.text = l->list[text],
		.language = l->language,
		.network = network,
		.author = x->author,
		.in_public = true,
		.voice = playbook_voice(x->p, channel, network, l->language)};
	int r = 0;
	arena_reset(&x->arena);
	if (text)
		r = draft_said_of(l->list[text - 1], l->language, &x->arena, &d.last);
	r = r ? r : draft_check(&d, &x->arena, &report);
	for (size_t i = 0; !r && i < report.n; i++) {
		const struct draft_finding *f = &report.findings[i];
		uint32_t *seen = f->blocks ? &told->blocks : &told->found, bit = BIT(f->rule);
		if (!(*seen & bit) && !(told->blocks & bit))
			x->fn(x->ctx, list, text, channel, f);
		*seen |= bit;
	}
	return r;
}

static int check_text(struct checking *x, size_t list, size_t text)
{
	const struct texts *l = &x->lists[list];
	struct told told = {0};
	bool anywhere = false;
	int r = 0;
	for (unsigned i = 0; i < x->conf->channels_count && !r; i++) {
		const struct conf_channel *c = &x->conf->channels[i];
		if (!is_for(x, l, c))
			continue;
		anywhere = true;
		r = check_on(x, list, text, c->name, c->network, &told);
	}
	return anywhere ? r : check_on(x, list, text, l->channel, "", &told);
}

int texts_check(const struct playbook *p, const struct conf *conf, const char *brand,
	const struct texts *lists, size_t n, const char *author, texts_fn *fn, void *ctx)
{
	const struct conf_brand *real = conf_brand(conf, brand); /* of a drill the brand it is of */
	struct checking x = {.p = p,
		.conf = conf,
		.brand = real ? real->name : brand,
		.lists = lists,
		.n = n,
		.author = author,
		.fn = fn,
		.ctx = ctx};
	int r = 0;
	arena_init(&x.arena, ARENA_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < lists[i].n && !r; k++)
			r = check_text(&x, i, k);
	arena_free(&x.arena);
	return r;
}

int texts_check_playbook(
	const struct playbook *p, const struct conf *conf, const char *brand, texts_fn *fn, void *ctx)
{
	struct texts lists[CRISIS_HOLDING_MAX];
	size_t n = p->crisis ? MIN(p->crisis->holding_count, (unsigned)CRISIS_HOLDING_MAX) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct playbook_wordings *w = &p->crisis->holding[i];
		lists[i] =
			(struct texts){w->channel ? w->channel : "", w->language, w->texts, w->texts_count};
	}
	return texts_check(p, conf, brand, lists, n, "", fn, ctx);
}
