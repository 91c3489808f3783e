/* `ascolto score`: how customers are cared for, per channel, per owner and per team: the five criteria, and
 * requests. */
#include "common/conf.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

static void share_cell(struct table *t, int64_t part, int64_t all)
{
	if (all)
		table_cell(t, "%.0f %%", 100.0 * (double)part / (double)all);
	else
		table_cell(t, "%s", "-");
}

static void add_row(struct table *t, const json_t *row)
{
	char took[SHORT_MAX];
	int64_t messages = member_int(row, "messages"), acknowledged = member_int(row, "acknowledged"),
		closed = member_int(row, "closed");
	const char *of = member_text(row, "of");
	bool all = str_eq(of, "all"),
	     owner = str_eq(of, "owner") || str_eq(of, "team"); /* messages have neither */
	const char *verdict = member_text(row, "verdict");
	table_cell(t, "%s%s%s", of, all ? "" : " ", member_text(row, "name"));
	table_cell(t, owner ? "-" : "%" PRId64, messages);
	table_cell(t, owner ? "-" : "%" PRId64, member_int(row, "requests"));
	table_cell(t, "%s", owner || !verdict[0] ? "-" : verdict);
	table_cell(t, "%" PRId64, member_int(row, "cases"));
	share_cell(t, member_int(row, "silent"), member_int(row, "cases"));
	share_cell(t, member_int(row, "in_time"), acknowledged);
	table_cell(t, "%s", acknowledged ? short_seconds((double)member_int(row, "acknowledge_ms") / 1000, took) : "-");
	share_cell(t, MAX(closed - member_int(row, "reopened"), 0), closed);
	table_cell(t, "%" PRId64, member_int(row, "answers"));
	share_cell(t, member_int(row, "clear"), member_int(row, "measured"));
	share_cell(t, member_int(row, "tone_right"), member_int(row, "answers"));
}

static int score(const struct command_options *o, int argc, char **argv)
{
	static const char *const head[] = {"of", "messages", "requests", "verdict", "cases", "silence",
		"in time", "took", "stays solved", "answers", "clarity", "tone"};
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *answer = NULL;
	struct err e = {0};
	const char *brand = NULL, *days = "7";
	for (int i = 0; i + 1 < argc; i += 2)
		if (str_eq(argv[i], "--brand"))
			brand = argv[i + 1];
		else if (str_eq(argv[i], "--days"))
			days = argv[i + 1];
		else
			argc = 1; /* not understood */
	if (argc % 2 || strspn(days, "0123456789") != strlen(days) || strlen(days) > 3)
		return command_fail("usage: ascolto score [--brand B] [--days N]"), COMMAND_USAGE;
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (!brand && c->brands_count == 1)
		brand = c->brands[0].name;
	if (!brand || !conf_brand(c, brand))
		return command_fail("which brand? there are %u: say --brand NAME", c->brands_count), COMMAND_USAGE;
	char path[256];
	snprintf(path, sizeof(path), "/-/score?brand=%s&days=%s", brand, days);
	const struct client_call call = {.service = "escalation", .address = c->services.escalation.http, .path = path};
	if (client_json(&call, &answer, NULL, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (o->json) {
		show_json(stdout, json_incref(answer));
		return COMMAND_OK;
	}
	if (!json_array_size(json_object_get(answer, "rows"))) {
		printf("Nobody wrote to %s in the last %s days: ask for more with --days N.\n", brand, days);
		return COMMAND_OK;
	}
	struct table t = {.align = "lrrlrrrrrrrr"};
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&t, "%s", head[i]);
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(answer, "rows"), i, row)
		add_row(&t, row);
	table_print(&t, stdout);
	table_free(&t);
	return COMMAND_OK;
}

const struct command commands_score[] = {
	{"score", "", score, "[--brand B] [--days N]",
		"how customers are cared for: silence, timeliness, quality, clarity, tone"},
	{0},
};
