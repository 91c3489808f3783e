/* `ascolto draft check`: what the playbook's voice has to say to a text, before anybody sends it. */
#include "common/conf.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"
#include "services/escalation/answers/draft.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)

struct asked {
	const char *brand, *channel, *language, *by, *text;
	bool in_private;
};

static int usage(void)
{
	command_fail("usage: ascolto draft check [--brand B] [--channel C] [--language L] [--by NAME] "
		     "[--private] TEXT");
	return COMMAND_USAGE;
}

static int read_words(int argc, char **argv, struct asked *ret)
{
	*ret = (struct asked){.channel = "", .by = ""};
	for (int i = 0; i < argc; i++) {
		const char **value = str_eq(argv[i], "--brand")	     ? &ret->brand
				     : str_eq(argv[i], "--channel")  ? &ret->channel
				     : str_eq(argv[i], "--language") ? &ret->language
				     : str_eq(argv[i], "--by")	     ? &ret->by
								     : NULL;
		if (value && i + 1 < argc)
			*value = argv[++i];
		else if (str_eq(argv[i], "--private"))
			ret->in_private = true;
		else if (value || ret->text || strncmp(argv[i], "--", 2) == 0)
			return -EINVAL;
		else
			ret->text = argv[i];
	}
	return ret->text ? 0 : -EINVAL;
}

static void show_lines(const struct draft_report *r, const struct draft *d, bool italian, struct arena *a)
{
	printf("voice %s, %u of %u %s", d->voice ? d->voice->name : "-", r->length, r->limit.max,
		length_units[r->limit.unit]);
	if (r->readability.known)
		printf(", readability %.0f", r->readability.index);
	putchar('\n');
	for (size_t i = 0; i < r->n; i++)
		printf("%-7s%s: %s\n", r->findings[i].blocks ? "stops" : "look",
			draft_rules[r->findings[i].rule], draft_sentence(&r->findings[i], italian, a));
	if (!r->n)
		printf("nothing to say\n");
}

static void show(const struct draft_report *r, const struct draft *d, struct arena *a)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:s, s:s}", "rule", draft_rules[r->findings[i].rule], "blocks",
				r->findings[i].blocks, "it", draft_sentence(&r->findings[i], true, a), "en",
				draft_sentence(&r->findings[i], false, a)));
	json_t *all = json_pack("{s:s, s:b, s:I, s:I, s:s, s:o}", "voice", d->voice ? d->voice->name : "",
		"blocks", r->blocks, "length", (json_int_t)r->length, "max", (json_int_t)r->limit.max, "unit",
		length_units[r->limit.unit], "findings", list);
	if (r->readability.known)
		json_object_set_new(all, "readability", json_real(r->readability.index));
	show_json(stdout, all);
}

static int check(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(playbook_free) struct playbook *p = NULL;
	struct asked asked;
	struct err e = {0};
	struct arena a;
	struct draft_report report;
	if (read_words(argc, argv, &asked))
		return usage();
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	const struct conf_channel *channel = asked.channel[0] ? conf_channel(c, asked.channel) : NULL;
	if (asked.channel[0] && !channel)
		return command_fail("there is no channel \"%.60s\" in %s", asked.channel, c->path),
		       COMMAND_USAGE;
	const char *name = asked.brand		  ? asked.brand
			   : channel		  ? channel->brand
			   : c->brands_count == 1 ? c->brands[0].name
						  : "";
	const struct conf_brand *brand = conf_brand(c, name);
	if (!brand)
		return command_fail("which brand? there are %u: say --brand NAME", c->brands_count),
		       COMMAND_USAGE;
	if (playbook_of_brand(c, brand, &p, &e) < 0)
		return command_fail("%s", err_text(&e));
	struct draft d = {.text = asked.text,
		.language = asked.language ? asked.language : brand->language,
		.network = channel ? channel->network : "",
		.author = asked.by,
		.in_public = !asked.in_private};
	d.voice = playbook_voice(p, asked.channel, d.network, d.language);
	arena_init(&a, ARENA_MAX);
	int r = draft_check(&d, &a, &report);
	if (!r && o->json)
		show(&report, &d, &a);
	else if (!r)
		show_lines(&report, &d, str_eq(brand->language, "it"), &a);
	arena_free(&a);
	return r	       ? command_fail("the text can not be read: %s", strerror(-r))
	       : report.blocks ? COMMAND_FAILED
			       : COMMAND_OK;
}

const struct command commands_draft[] = {
	{"draft", "check", check, "[--channel C] [--by NAME] [--private] TEXT",
		"what the voice of the channel says to a text; exit status 1: it would be stopped"},
	{0},
};
