/*
 * `ascolto drill`: plays a storm to the services and people there are, as an exercise (common/drill.h), and scores it.
 *
 * run: begins a drill with escalation, gives the posts to ingest at their pace, waits for people, reads what came of it from
 * the console, ends the drill and prints the report. Ctrl-C ends it early, with the report of what was.
 */
#include "common/drill.h"
#include "common/json.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/drill_score.h"
#include "services/ascolto/show.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_MAX 100
#define BATCH_BYTES ((size_t)900 * 1000)
#define WAIT_DEFAULT 15  /* minutes for people, after the last post */
#define SETTLE_S 60      /* until everything sent is decided */
#define SPARE_MINUTES 60 /* a drill that nobody ends is over so long after its plan */

struct drill {
	const struct command_options *options;
	struct conf *conf;
	struct playbook *playbook;
	struct drill_scenario *scenario;
	const char *folder, *brand_name, *actor, *name;
	double pace;
	long wait_minutes;
	char brand[100]; /* BRAND~NAME */
	struct drill_incident incidents[DRILL_INCIDENTS_MAX];
	size_t incidents_n;
	json_t *told;    /* what became of the alerts */
	int64_t began_ms;
	bool over;       /* somebody ended it elsewhere */
	int64_t looked_ms;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int n)
{
	(void)n;
	interrupted = 1;
}

static int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(int64_t ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	if (ms > 0)
		nanosleep(&ts, NULL);
}

/* ---- calls ---- */

static int post(const struct drill *d, const char *service, const char *address, const char *path, struct span body, struct err *e)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct client_call call = {.service = service, .address = address, .method = "POST", .path = path, .headers = headers,
		.body = body, .timeout_ms = CLIENT_ACT_MS};
	json_t *answer = NULL;
	(void)d;
	int r = client_json(&call, &answer, NULL, e);
	json_decref(answer);
	return r;
}

static int decide(const struct drill *d, const char *path, json_t *body, struct err *e)
{
	char target[200];
	char *text = json_dumps(body, JSON_COMPACT);
	snprintf(target, sizeof(target), "%s?brand=%s", path, d->brand);
	int r = text ? post(d, "escalation", d->conf->services.escalation.http, target, span_str(text), e)
		     : err_set(e, -ENOMEM, "out of memory");
	free(text);
	json_decref(body);
	return r;
}

PRINTF(3, 4)
static json_t *ask(const struct drill *d, struct err *e, const char *fmt, ...)
{
	char path[300] = "/api/v1/";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(path + strlen(path), sizeof(path) - strlen(path), fmt, ap);
	va_end(ap);
	const struct client_call call = {.service = "console", .address = d->conf->services.console.listen, .path = path,
		.timeout_ms = CLIENT_ACT_MS};
	json_t *answer = NULL;
	return client_json(&call, &answer, NULL, e) ? NULL : answer;
}

static json_t *get_list(const struct conf *c, struct err *e)
{
	const struct client_call call = {.service = "escalation", .address = c->services.escalation.http, .path = "/-/drills"};
	json_t *answer = NULL;
	return client_json(&call, &answer, NULL, e) ? NULL : answer;
}

/* Somebody wants it to end, here or elsewhere; asked once a second. An escalation that does not answer ends nothing. */
static bool is_over(struct drill *d)
{
	struct err e = {0};
	json_t *row;
	size_t i;
	if (d->over || clock_ms() - d->looked_ms < 1000)
		return interrupted || d->over;
	CLEANUP(free_json) json_t *all = get_list(d->conf, &e);
	d->looked_ms = clock_ms();
	json_array_foreach(json_object_get(all, "drills"), i, row)
		d->over |= str_eq(member_text(row, "brand"), d->brand) && !json_is_true(json_object_get(row, "runs"));
	return interrupted || d->over;
}

/* ---- playing ---- */

static int send_batch(struct drill *d, size_t from, size_t to, struct err *e)
{
	char target[200];
	struct buf body CLEANUP(buf_free);
	buf_init(&body, 2 * BATCH_BYTES);
	buf_adds(&body, "{\"posts\":[");
	for (size_t i = from; i < to; i++) {
		char *text = json_dumps(d->scenario->posts[i].json, JSON_COMPACT);
		buf_addf(&body, "%s%s", i > from ? "," : "", text ? text : "null");
		free(text);
	}
	buf_adds(&body, "]}");
	snprintf(target, sizeof(target), "/-/drill?brand=%s", d->brand);
	int r = post(d, "ingest", d->conf->services.ingest.http, target, buf_span(&body), e);
	for (int tries = 0; r == -EREMOTEIO && strstr(err_text(e), "try again") && tries < 60 && !interrupted; tries++) {
		nap(1000);
		r = post(d, "ingest", d->conf->services.ingest.http, target, buf_span(&body), e);
	}
	if (!r)
		d->scenario->sent = to;
	return r;
}

static size_t bytes_of(const struct drill_post *p)
{
	return strlen(member_text(p->json, "text")) + 2000;
}

/* When a post is due by our clock. */
static int64_t due_of(const struct drill *d, size_t i)
{
	const struct drill_post *p = d->scenario->posts;
	return d->pace > 0 ? d->began_ms + (int64_t)((double)(p[i].at_ms - p[0].at_ms) / d->pace) : d->began_ms;
}

static int play(struct drill *d, struct err *e)
{
	const struct drill_scenario *s = d->scenario;
	int r = 0;
	while (s->sent < s->n && !is_over(d) && !r) {
		size_t to = s->sent, bytes = 0;
		int64_t now = clock_ms();
		while (to < s->n && to - s->sent < BATCH_MAX && bytes < BATCH_BYTES && due_of(d, to) <= now)
			bytes += bytes_of(&s->posts[to++]);
		if (to == s->sent) {
			nap(MIN(due_of(d, to) - now, (int64_t)500));
			continue;
		}
		r = send_batch(d, s->sent, to, e);
		if (!d->options->json)
			fprintf(stderr, "\r%zu of %zu posts ", d->scenario->sent, s->n);
	}
	if (!d->options->json)
		fputc('\n', stderr);
	return r;
}

/* ---- what came of it ---- */

static void take_steps(struct drill_incident *i, const json_t *steps)
{
	const json_t *step;
	size_t k;
	i->steps_n = 0;
	json_array_foreach((json_t *)(uintptr_t)steps, k, step)
	{
		if (k == DRILL_STEPS_MAX)
			break;
		snprintf(i->steps[k].text, sizeof(i->steps[k].text), "%s", member_text(step, "text"));
		snprintf(i->steps[k].actor, sizeof(i->steps[k].actor), "%s", member_text(step, "actor"));
		i->steps[k].due_ms = member_int(step, "due_ms");
		i->steps[k].done_ms = member_int(step, "done_ms");
		i->steps_n = k + 1;
	}
}

static int read_incidents(struct drill *d, struct err *e)
{
	CLEANUP(free_json) json_t *answer = ask(d, e, "incidents?limit=200&brand=%s", d->brand);
	json_t *list = json_object_get(answer, "incidents"), *row;
	size_t k;
	d->incidents_n = 0;
	json_array_foreach(list, k, row)
	{
		if (d->incidents_n == DRILL_INCIDENTS_MAX)
			break;
		struct drill_incident *i = &d->incidents[d->incidents_n++];
		*i = (struct drill_incident){.code = (enum code)MAX(code_of(member_text(row, "code")), 0)};
		snprintf(i->id, sizeof(i->id), "%s", member_text(row, "id"));
		snprintf(i->title, sizeof(i->title), "%s", member_text(row, "title"));
		snprintf(i->acknowledged_by, sizeof(i->acknowledged_by), "%s", member_text(row, "acknowledged_by"));
		i->opened_ms = member_int(row, "opened_ms");
		i->red_ms = member_int(row, "red_ms");
		i->called_ms = member_int(row, "detected_ms");
		i->acknowledged_ms = member_int(row, "acknowledged_ms");
		take_steps(i, json_object_get(row, "steps"));
	}
	return answer ? 0 : -EIO;
}

static struct drill_incident *incident(struct drill *d, const char *id)
{
	for (size_t i = 0; i < d->incidents_n; i++)
		if (str_eq(d->incidents[i].id, id))
			return &d->incidents[i];
	return NULL;
}

/* One ARM record: what the services made of a post. */
static void take_record(struct drill *d, const json_t *arm)
{
	const json_t *message = json_object_get(arm, "message"), *action;
	const char *native = member_text(json_object_get(message, "post"), "native_id");
	size_t own = strlen(d->name) + 1, k;
	struct drill_post *p = strlen(native) > own ? drill_scenario_find(d->scenario, native + own) : NULL;
	if (!p)
		return;
	p->seen = true;
	p->has_case = member_text(arm, "case_id")[0];
	snprintf(p->incident, sizeof(p->incident), "%s", member_text(arm, "incident_id"));
	snprintf(p->lane_got, sizeof(p->lane_got), "%s",
		member_text(json_object_get(json_object_get(message, "understanding"), "lane"), "value"));
	json_array_foreach(json_object_get(arm, "actions"), k, action)
	{
		const char *name = member_text(action, "name");
		struct drill_incident *i = incident(d, member_text(action, "subject_id"));
		p->told |= str_eq(name, "notify") && !str_eq(member_text(action, "result"), "nobody to tell");
		if (i && (str_eq(name, "open_incident") || str_eq(name, "raise_incident")))
			i->called_ms = MAX(i->called_ms, member_int(action, "at_ms"));
	}
}

static int read_records(struct drill *d, struct err *e)
{
	char before[64] = "";
	for (bool more = true; more;) {
		CLEANUP(free_json) json_t *page = ask(d, e, "messages?limit=200&brand=%s%s", d->brand, before);
		json_t *row;
		size_t k;
		if (!page)
			return -EIO;
		json_array_foreach(json_object_get(page, "messages"), k, row)
		{
			CLEANUP(free_json) json_t *record = ask(d, e, "messages/%s?brand=%s", member_text(row, "id"), d->brand);
			if (!record)
				return -EIO;
			take_record(d, json_object_get(record, "arm"));
		}
		more = member_text(page, "next")[0];
		snprintf(before, sizeof(before), "&before=%.40s", member_text(page, "next"));
	}
	return 0;
}

static int read_told(struct drill *d, struct err *e)
{
	d->told = json_array();
	for (size_t i = 0; i < d->incidents_n; i++) {
		CLEANUP(free_json) json_t *one = ask(d, e, "incidents/%s?brand=%s", d->incidents[i].id, d->brand);
		if (!one)
			return -EIO;
		json_array_extend(d->told, json_object_get(one, "deliveries"));
	}
	return 0;
}

/* Until all that was sent is decided and shown. */
static int settle(struct drill *d, struct err *e)
{
	int64_t shown = 0;
	for (int64_t end = clock_ms() + SETTLE_S * 1000; clock_ms() < end; nap(100)) {
		CLEANUP(free_json) json_t *counts = ask(d, e, "counts?brand=%s", d->brand);
		shown = member_int(counts, "messages");
		if (!counts)
			return -EIO;
		if (shown >= (int64_t)d->scenario->sent || (is_over(d) && d->over))
			return 0;
	}
	return err_set(e, -ETIMEDOUT, "%zu posts were sent, and after %d s the console shows %" PRId64 "; `ascolto status` says more",
		d->scenario->sent, SETTLE_S, shown);
}

static bool people_are_done(const struct drill *d)
{
	for (size_t i = 0; i < d->incidents_n; i++) {
		if (!d->incidents[i].acknowledged_ms)
			return false;
		for (size_t k = 0; k < d->incidents[i].steps_n; k++)
			if (!d->incidents[i].steps[k].done_ms)
				return false;
	}
	return true;
}

static int wait_for_people(struct drill *d, struct err *e)
{
	int64_t end = clock_ms() + d->wait_minutes * 60000;
	int r = read_incidents(d, e);
	if (!r && d->incidents_n && clock_ms() < end && !d->options->json)
		fprintf(stderr, "waiting up to %ld minutes for people to acknowledge and take their steps; Ctrl-C ends the drill\n",
			d->wait_minutes);
	while (!r && !people_are_done(d) && clock_ms() < end && !is_over(d)) {
		nap(500);
		r = read_incidents(d, e);
	}
	return r;
}

/* ---- the report ---- */

static const char *verdict_word(bool right)
{
	return right ? "right" : "WRONG";
}

static void print_text(const struct drill *d, const struct drill_score *score)
{
	char at[SHORT_MAX];
	const char *about = NULL;
	json_t *told;
	size_t k;
	printf("%s: %s\n", DRILL_WORDS, d->scenario->title);
	printf("drill %s, by %s, begun %s; %zu of %zu posts played; playbook %s\n", d->brand, d->actor,
		short_time(d->began_ms, at), d->scenario->sent, d->scenario->n, d->playbook->label);
	for (size_t i = 0; i < score->n; i++) {
		const struct drill_point *p = &score->points[i];
		if (!about || !str_eq(about, p->about))
			printf("\n%s\n", p->about[0] ? p->about : "the whole");
		about = p->about;
		printf("  %s  ", verdict_word(p->right));
		show_text(stdout, p->words, 9);
		putchar('\n');
	}
	printf("\ntold\n");
	json_array_foreach(d->told, k, told)
	{
		printf("  %-9s %s: ", member_text(told, "result"), member_text(told, "destination"));
		show_text(stdout, member_text(told, "subject"), 12);
		putchar('\n');
	}
	if (!json_array_size(d->told))
		printf("  nobody was told of an incident\n");
	printf("\nscore: %zu of %zu\n", score->right, score->n);
}

static void print_json(const struct drill *d, const struct drill_score *score)
{
	json_t *points = json_array();
	for (size_t i = 0; i < score->n; i++)
		json_array_append_new(points, json_pack("{s:s, s:s, s:b, s:s}", "about", score->points[i].about, "what",
						      score->points[i].what, "right", score->points[i].right, "words",
						      score->points[i].words));
	show_json(stdout, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:I, s:o, s:O}", "drill", d->brand, "scenario",
				  d->scenario->title, "by", d->actor, "began_ms", (json_int_t)d->began_ms, "posts",
				  (json_int_t)d->scenario->n, "sent", (json_int_t)d->scenario->sent, "playbook", d->playbook->label, "right",
				  (json_int_t)score->right, "of", (json_int_t)score->n, "points", points, "told", d->told));
}

static int report(struct drill *d, struct err *e)
{
	struct drill_score score;
	int r = read_incidents(d, e);
	r = r ? r : read_records(d, e);
	r = r ? r : read_told(d, e);
	if (r)
		return r;
	r = drill_score(d->scenario, d->playbook, d->incidents, d->incidents_n, &score);
	if (r)
		return err_set(e, r, "out of memory");
	if (d->options->json)
		print_json(d, &score);
	else
		print_text(d, &score);
	free(score.points);
	return 0;
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

static int begin(struct drill *d, struct err *e)
{
	const struct drill_scenario *s = d->scenario;
	double story = (double)(s->posts[s->n - 1].at_ms - s->posts[0].at_ms), takes = d->pace > 0 ? story / d->pace : 0;
	d->began_ms = clock_ms();
	drill_scenario_move(d->scenario, d->began_ms + (int64_t)takes);
	return decide(d, "/-/drills",
		json_pack("{s:s, s:s, s:I}", "actor", d->actor, "scenario", s->title, "minutes",
			(json_int_t)(takes / 60000) + d->wait_minutes + SPARE_MINUTES), e);
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
	int r = play(d, &e);
	r = r ? r : settle(d, &e);
	r = r ? r : wait_for_people(d, &e);
	r = r ? r : report(d, &e);
	/* A drill always ends, whatever went wrong. */
	if (!d->over && decide(d, "/-/drills/stop", json_pack("{s:s, s:s}", "actor", d->actor, "reason", interrupted ? "interrupted" : "played"), &end))
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
	if (conf_load(&c, o->config, &e) < 0 || !(all = get_list(c, &e)))
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
	if (decide(&d, "/-/drills/stop", body, &e))
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
	if (conf_load(&c, o->config, &e) < 0 || !(all = get_list(c, &e)))
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
