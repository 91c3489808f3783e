/*
 * `ascolto drill`: plays a storm to the services and people there are, as an exercise (common/drill.h), and scores it.
 *
 * run: begins a drill with escalation, gives the posts to ingest at their pace, waits for people, reads what came of it from
 * the console, ends the drill and prints the report. Ctrl-C ends it early, with the report of what was.
 */
#include "services/ascolto/drill_run.h"

#include <sys/stat.h>

#define WAIT_DEFAULT 15	 /* minutes for people, after the last post */
#define SPARE_MINUTES 60 /* a drill that nobody ends is over so long after its plan */

static void on_signal(int n)
{
	(void)n;
	drill_interrupted = 1;
}

/* ---- run ---- */

static int usage_error(const char *words)
{
	command_fail("%s; usage: ascolto drill run SCENARIO [--brand B] [--name N] [--as PERSON] [--pace N] [--wait MINUTES]", words);
	return COMMAND_USAGE;
}

static bool take_number(const char *text, double max, double *ret)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || *end || !(n >= 0) || n > max)
		return false;
	*ret = n;
	return true;
}

static int take_arguments(struct drill *d, int argc, char **argv)
{
	double wait = WAIT_DEFAULT;
	for (int i = 0; i < argc; i++) {
		const char **text = str_eq(argv[i], "--brand") ? &d->brand_name
				    : str_eq(argv[i], "--name") ? &d->name
				    : str_eq(argv[i], "--as")	? &d->actor
								: NULL;
		bool pace = str_eq(argv[i], "--pace"), minutes = str_eq(argv[i], "--wait");
		if ((text || pace || minutes) && i + 1 == argc)
			return usage_error("the last option needs a value");
		if (text)
			*text = argv[++i];
		else if (pace && !take_number(argv[++i], 1e6, &d->pace))
			return usage_error("--pace is to be a number from 0 (as fast as it goes) to 1000000");
		else if (minutes && !take_number(argv[++i], 24 * 60, &wait))
			return usage_error("--wait is to be minutes, from 0 to 1440");
		else if (!pace && !minutes && argv[i][0] == '-')
			return usage_error("there is no such option");
		else if (!pace && !minutes && d->folder)
			return usage_error("one scenario at a time");
		else if (!pace && !minutes)
			d->folder = argv[i];
	}
	d->wait_minutes = (long)wait;
	return d->folder ? COMMAND_OK : usage_error("which scenario?");
}

/* A folder, or the name of one in `drills` beside the configuration or one above it. */
static const char *find_folder(const struct drill *d, char path[PATH_MAX])
{
	static const char *const places[] = {"drills", "../drills"};
	const char *slash = strrchr(d->conf->path, '/');
	struct stat st;
	snprintf(path, PATH_MAX, "%s", d->folder);
	for (size_t i = 0; i < ARRAY_SIZE(places) && (stat(path, &st) || !S_ISDIR(st.st_mode)); i++)
		snprintf(path, PATH_MAX, "%.*s%s/%s", slash ? (int)(slash - d->conf->path) + 1 : 0, d->conf->path, places[i], d->folder);
	return stat(path, &st) ? d->folder : path;
}

static int prepare(struct drill *d, char made_up[DRILL_NAME_MAX + 1])
{
	struct err e = {0};
	char path[PATH_MAX];
	struct tm tm;
	time_t now = time(NULL);
	if (conf_load(&d->conf, d->options->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	const struct conf_brand *b = d->brand_name	     ? conf_brand(d->conf, d->brand_name)
				     : d->conf->brands_count ? &d->conf->brands[0]
							     : NULL;
	if (!b || (d->brand_name && strchr(d->brand_name, DRILL_SIGN)))
		return command_fail("%s has no brand \"%s\"", d->conf->path, d->brand_name ? d->brand_name : "");
	if (!d->name) {
		gmtime_r(&now, &tm);
		strftime(made_up, DRILL_NAME_MAX + 1, "%Y%m%d-%H%M%S", &tm);
		d->name = made_up;
	}
	if (!drill_name_ok(d->name))
		return command_fail("--name \"%.60s\" is to be 1 to %d of a-z, 0-9 and -", d->name, DRILL_NAME_MAX);
	snprintf(d->brand, sizeof(d->brand), "%s%c%s", b->name, DRILL_SIGN, d->name);
	if (drill_scenario_read(&d->scenario, find_folder(d, path), &e) || playbook_of_brand(d->conf, b, &d->playbook, &e))
		return command_fail("%s", err_text(&e));
	return COMMAND_OK;
}

static int report(struct drill *d, struct err *e)
{
	struct drill_score score;
	int r = drill_read_incidents(d, e);
	r = r ? r : drill_read_records(d, e);
	r = r ? r : drill_read_told(d, e);
	if (r)
		return r;
	r = drill_score(d->scenario, d->playbook, d->incidents, d->incidents_n, &score);
	if (r)
		return err_set(e, r, "out of memory");
	if (d->options->json)
		drill_print_json(d, &score);
	else
		drill_print_text(d, &score);
	free(score.points);
	return 0;
}

static int begin(struct drill *d, struct err *e)
{
	const struct drill_scenario *s = d->scenario;
	double story = (double)(s->posts[s->n - 1].at_ms - s->posts[0].at_ms), takes = d->pace > 0 ? story / d->pace : 0;
	d->began_ms = drill_clock_ms();
	drill_scenario_move(d->scenario, d->began_ms + (int64_t)takes);
	return drill_decide(d, "/-/drills",
		json_pack("{s:s, s:s, s:I}", "actor", d->actor, "scenario", s->title, "minutes",
			(json_int_t)(takes / 60000) + d->wait_minutes + SPARE_MINUTES),
		e);
}

static int run_drill(struct drill *d)
{
	struct err e = {0}, end = {0};
	char made_up[DRILL_NAME_MAX + 1];
	if (prepare(d, made_up) != COMMAND_OK)
		return COMMAND_FAILED;
	if (begin(d, &e))
		return command_fail("%s", err_text(&e));
	if (!d->options->json)
		fprintf(stderr, "drill %s has begun; `ascolto drill stop %s` ends it\n", d->brand, d->brand);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	int r = drill_play(d, &e);
	r = r ? r : drill_settle(d, &e);
	r = r ? r : drill_wait_for_people(d, &e);
	r = r ? r : report(d, &e);
	/* A drill always ends, whatever went wrong. */
	if (!d->over && drill_decide(d, "/-/drills/stop",
				json_pack("{s:s, s:s}", "actor", d->actor, "reason",
					drill_interrupted ? "interrupted" : "played"),
				&end))
		r = command_fail("the drill could not be ended: %s; it is over by itself later", err_text(&end));
	return r < 0 ? command_fail("%s", err_text(&e)) : r ? COMMAND_FAILED : COMMAND_OK;
}

static int run(const struct command_options *o, int argc, char **argv)
{
	struct drill *d = calloc(1, sizeof(*d));
	const char *user = getenv("USER");
	if (!d)
		return command_fail("out of memory");
	*d = (struct drill){.options = o, .pace = 1, .actor = str_empty(user) ? "operator" : user};
	int r = take_arguments(d, argc, argv);
	r = r ? r : run_drill(d);
	drill_scenario_free(&d->scenario);
	playbook_free(&d->playbook);
	conf_free(&d->conf);
	json_decref(d->told);
	free(d);
	return r;
}

/* ---- list and stop ---- */

static int list(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *all = NULL;
	struct err e = {0};
	json_t *row;
	size_t i;
	(void)argv;
	if (argc)
		return command_fail("drill list takes no arguments"), COMMAND_USAGE;
	if (conf_load(&c, o->config, &e) < 0 || !(all = drill_list(c, &e)))
		return command_fail("%s", err_text(&e));
	if (o->json) {
		show_json(stdout, json_incref(all));
		return COMMAND_OK;
	}
	struct table table = {.align = "lllll"};
	static const char *const head[] = {"drill", "begun", "by", "state", "scenario"};
	for (i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&table, "%s", head[i]);
	json_array_foreach(json_object_get(all, "drills"), i, row)
	{
		char at[SHORT_MAX];
		bool runs = json_is_true(json_object_get(row, "runs"));
		table_cell(&table, "%s", member_text(row, "brand"));
		table_cell(&table, "%s", short_time(member_int(row, "started_ms"), at));
		table_cell(&table, "%s", member_text(row, "by"));
		table_cell(&table, "%s%s", runs ? "runs" : "over: ", runs ? "" : member_text(row, "why"));
		table_cell(&table, "%s", member_text(row, "scenario"));
	}
	table_print(&table, stdout);
	table_free(&table);
	return COMMAND_OK;
}

static int stop_one(struct conf *c, const char *brand)
{
	const char *user = getenv("USER");
	struct err e = {0};
	struct drill d = {.conf = c};
	snprintf(d.brand, sizeof(d.brand), "%s", brand);
	json_t *body = json_pack("{s:s, s:s}", "actor", str_empty(user) ? "operator" : user, "reason", "stopped by an operator");
	if (drill_decide(&d, "/-/drills/stop", body, &e))
		return command_fail("%s", err_text(&e));
	printf("drill %s is over\n", brand);
	return COMMAND_OK;
}

/* One by its name, or all that run. */
static int stop(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *all = NULL;
	struct err e = {0};
	int status = COMMAND_OK, stopped = 0;
	json_t *row;
	size_t i;
	if (argc > 1)
		return command_fail("usage: ascolto drill stop [BRAND~NAME]"), COMMAND_USAGE;
	if (conf_load(&c, o->config, &e) < 0 || !(all = drill_list(c, &e)))
		return command_fail("%s", err_text(&e));
	json_array_foreach(json_object_get(all, "drills"), i, row)
	{
		const char *brand = member_text(row, "brand");
		if (!json_is_true(json_object_get(row, "runs")) || (argc && !str_eq(argv[0], brand)))
			continue;
		stopped++;
		status = stop_one(c, brand) == COMMAND_OK ? status : COMMAND_FAILED;
	}
	if (!stopped)
		return argc ? command_fail("no drill \"%.80s\" runs", argv[0]) : command_fail("no drill runs");
	return status;
}

const struct command commands_drill[] = {
	{"drill", "run", run, "SCENARIO [--brand B] [--pace N] [--wait MIN]", "plays a storm as an exercise, and scores it"},
	{"drill", "list", list, "", "exercises, those that run and those that are over"},
	{"drill", "stop", stop, "[BRAND~NAME]", "ends an exercise, or all that run"},
	{0},
};
