/* `ascolto check`: is the configuration right, and what does it say. */
#include "common/conf.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"
#include "services/escalation/answers/texts.h"

static void text_summary(const struct conf *c)
{
	printf("%s is right\n\n", c->path);
	printf("data      %s\nprograms  %s\nmodels    %s\nlog       %s\n", c->data, c->programs, c->models,
		c->log);
	printf("retain    %u h, at most %u MB per service\n", c->retain_hours, c->retain_mb);
	if (c->unsafe_fs)
		printf("unsafe_fs is on: what was accepted may be lost with the file system\n");
	putchar('\n');
	CLEANUP(table_free) struct table t = {.align = "llll"};
	table_cell(&t, "service");
	table_cell(&t, "link");
	table_cell(&t, "http");
	table_cell(&t, "listen");
	for (size_t i = 0; i < CLIENT_SERVICES; i++) {
		const struct conf_service *s = conf_service(c, client_services[i]);
		table_cell(&t, "%s", client_services[i]);
		table_cell(&t, "%s", s->link);
		table_cell(&t, "%s", s->http);
		table_cell(&t, "%s", s->listen ? s->listen : "-");
	}
	table_print(&t, stdout);
	for (unsigned i = 0; i < c->brands_count; i++) {
		const struct conf_brand *b = &c->brands[i];
		printf("\nbrand %s (%s): playbook %s, language %s, %u VIP, %u own handles\n", b->name,
			b->title, b->playbook, b->language, b->vips_count, b->handles_count);
		for (unsigned j = 0; j < c->channels_count; j++)
			if (str_eq(c->channels[j].brand, b->name))
				printf("  hears %s: network %s, adapter %s%s\n", c->channels[j].name,
					c->channels[j].network, c->channels[j].adapter,
					c->channels[j].catch_all ? ", also what names other channels" : "");
		for (unsigned j = 0; j < c->destinations_count; j++)
			if (str_eq(c->destinations[j].brand, b->name))
				printf("  alerts %s: %s to %s\n", c->destinations[j].name,
					c->destinations[j].kind, c->destinations[j].url);
	}
}

/* ---- texts that are kept ready: nothing that stops them, but something to look at ---- */

struct looking {
	const struct conf_brand *brand;
	json_t *list; /* NULL: printed */
};

static void look_at(void *ctx, size_t list, size_t text, const char *channel, const struct draft_finding *f)
{
	const struct looking *l = ctx;
	char where[64];
	struct arena a;
	snprintf(where, sizeof(where), "crisis.holding[%zu].texts[%zu]", list, text);
	arena_init(&a, 4096);
	const char *words = draft_sentence(f, str_eq(l->brand->language, "it"), &a);
	if (l->list)
		json_array_append_new(l->list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "brand", l->brand->name,
						       "text", where, "channel", channel, "rule",
						       draft_rules[f->rule], "says", words ? words : ""));
	else
		printf("\n%s: %s%s%s: %s\n", l->brand->playbook, where, channel[0] ? " on " : "", channel,
			words ? words : "");
	arena_free(&a);
}

static void texts_to_look_at(const struct conf *c, json_t *list)
{
	for (unsigned i = 0; i < c->brands_count; i++) {
		CLEANUP(playbook_free) struct playbook *p = NULL;
		struct looking l = {&c->brands[i], list};
		if (playbook_of_brand(c, &c->brands[i], &p, NULL) == 0)
			texts_check_playbook(p, c, c->brands[i].name, look_at, &l);
	}
}

static json_t *json_summary(const struct conf *c)
{
	json_t *texts = json_array();
	texts_to_look_at(c, texts);
	json_t *services = json_object(), *brands = json_array(), *channels = json_array(),
	       *destinations = json_array();
	for (size_t i = 0; i < CLIENT_SERVICES; i++) {
		const struct conf_service *s = conf_service(c, client_services[i]);
		json_object_set_new(services, client_services[i],
			json_pack("{s:s, s:s, s:s*}", "link", s->link, "http", s->http, "listen", s->listen));
	}
	for (unsigned i = 0; i < c->brands_count; i++)
		json_array_append_new(
			brands, json_pack("{s:s, s:s, s:s, s:s}", "name", c->brands[i].name, "title",
					c->brands[i].title, "playbook", c->brands[i].playbook, "language",
					c->brands[i].language));
	for (unsigned i = 0; i < c->channels_count; i++)
		json_array_append_new(
			channels, json_pack("{s:s, s:s, s:s, s:s}", "name", c->channels[i].name, "brand",
					  c->channels[i].brand, "network", c->channels[i].network, "adapter",
					  c->channels[i].adapter));
	for (unsigned i = 0; i < c->destinations_count; i++)
		json_array_append_new(
			destinations, json_pack("{s:s, s:s, s:s, s:s}", "name", c->destinations[i].name,
					      "brand", c->destinations[i].brand, "kind",
					      c->destinations[i].kind, "url", c->destinations[i].url));
	return json_pack("{s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "ok", 1, "path", c->path, "data",
		c->data, "services", services, "brands", brands, "channels", channels, "destinations",
		destinations, "texts", texts);
}

static int check(const struct command_options *o, int argc, char **argv)
{
	if (argc > 1)
		return command_fail("check takes one configuration at a time"), COMMAND_USAGE;
	CLEANUP(conf_free) struct conf *c = NULL;
	struct err e = {0};
	if (conf_load(&c, argc ? argv[0] : o->config, &e) < 0 || playbook_check_all(c, &e) < 0) {
		if (o->json)
			show_json(stdout, json_pack("{s:b, s:s}", "ok", 0, "error", err_text(&e)));
		return command_fail("%s", err_text(&e));
	}
	if (o->json)
		show_json(stdout, json_summary(c));
	else {
		text_summary(c);
		texts_to_look_at(c, NULL);
	}
	return COMMAND_OK;
}

const struct command commands_check[] = {
	{"check", "", check, "[CONFIG]", "is the configuration right, and what does it say"},
	{0},
};
