/* What operators see and change: which models run, and what people corrected. Loopback only, as all of svc's admin;
 * what changes something wants the header X-Ascolto-Actor, which also keeps other sites' pages out of it. */
#include "services/intent/intent.h"

#include "common/json.h"
#include "services/intent/versions.h"

#define ARENA_MAX ((size_t)16 * 1024 * 1024)
#define ACTOR_MAX 120
#define CORRECTIONS_PAGE 2000

static void reply_json(struct http_request *r, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	http_reply(r, text ? 200 : 500, "application/json", span_str(text ? text : "{}"));
	free(text);
	json_decref(body);
}

static struct intent *state_of(void *ctx)
{
	return svc_state(ctx);
}

/* ---- GET /-/models ---- */

static json_t *version_json(const Ascolto__ModelVersion *v)
{
	return json_pack("{s:s,s:s,s:I,s:s,s:s,s:I,s:I,s:s}", "name", v->name, "by", v->by, "at_ms", (json_int_t)v->at_ms,
		"standing", v->standing, "report", v->report, "rows", (json_int_t)v->rows, "trained_ms",
		(json_int_t)v->trained_ms, "figures", v->figures);
}

static json_t *running_json(struct intent *in, int task, struct arena *a)
{
	const struct model *m = classifier_linear_model(in->linear, classifier_tasks[task]);
	Ascolto__ModelVersion v;
	if (!m || models_describe(in, task, in->task[task].running, &v, a, NULL))
		return json_null();
	return json_pack("{s:s,s:b,s:I,s:I,s:s,s:i,s:I,s:f}", "name", m->head->name, "shipped", !in->task[task].running[0],
		"rows", (json_int_t)v.rows, "trained_ms", (json_int_t)v.trained_ms, "figures", v.figures, "labels",
		(int)m->different, "bytes", (json_int_t)m->len, "threshold", (double)m->head->threshold);
}

static json_t *task_json(struct intent *in, int task, struct arena *a)
{
	State__TaskModels *m;
	if (models_read(in, task, a, &m))
		return NULL;
	json_t *versions = json_array(), *former = json_array();
	for (size_t i = m->n_versions; i-- > 0;)
		json_array_append_new(versions, version_json(m->versions[i]));
	for (size_t i = m->n_former; i-- > 0;)
		json_array_append_new(former, json_string(m->former[i][0] ? m->former[i] : VERSIONS_SHIPPED));
	return json_pack("{s:s,s:o,s:I,s:s,s:o,s:o,s:s,s:i,s:I,s:b}", "task", classifier_tasks[task], "running",
		running_json(in, task, a), "since_ms", (json_int_t)m->since_ms, "by", m->by, "former", former, "versions",
		versions, "trouble", in->task[task].trouble, "fresh_corrections", (int)in->task[task].fresh, "tried_ms",
		(json_int_t)m->tried_ms, "retraining", retrain_task(in) == task);
}

static void get_models(struct http_request *r, void *ctx)
{
	struct intent *in = state_of(ctx);
	struct arena a;
	char *words = NULL;
	arena_init(&a, ARENA_MAX);
	json_t *tasks = json_array();
	for (int t = 0; t < CLASSIFIER_TASKS; t++)
		json_array_append_new(tasks, task_json(in, t, &a));
	struct classifier *c = intent_classifier(in);
	if (c->ops->describe(c, &a, &words))
		words = (char *)"";
	reply_json(r, json_pack("{s:s,s:s,s:o}", "classifier", c->ops->name, "describe", words, "tasks", tasks));
	arena_free(&a);
}

/* ---- POST /-/models ---- */

/* Who decides; answers itself and gives NULL when nobody says. */
static const char *actor_of(struct http_request *r)
{
	const char *actor = http_header(r, "X-Ascolto-Actor");
	size_t len = actor ? strlen(actor) : 0;
	bool good = len && len <= ACTOR_MAX;
	for (size_t i = 0; i < len; i++)
		good = good && (unsigned char)actor[i] >= ' ' && (unsigned char)actor[i] < 0x7f;
	if (!good)
		http_reply_error(r, 403, "the header X-Ascolto-Actor is to name who decides, in plain letters");
	return good ? actor : NULL;
}

struct change {
	struct arena arena;
	Ascolto__ModelChange change;
	Ascolto__ModelVersion version;
	struct http_request *request;
	struct intent *in;
	char words[300];
};

static void change_free(struct change *c)
{
	arena_free(&c->arena);
	free(c);
}

static struct change *change_new(struct http_request *r, struct intent *in, const char *what, const char *actor)
{
	struct change *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	arena_init(&c->arena, ARENA_MAX);
	c->request = r;
	c->in = in;
	c->change = (Ascolto__ModelChange)ASCOLTO__MODEL_CHANGE__INIT;
	c->version = (Ascolto__ModelVersion)ASCOLTO__MODEL_VERSION__INIT;
	c->change.what = (char *)(uintptr_t)what;
	c->change.by = arena_strdup(&c->arena, actor);
	return c;
}

static void committed(void *ctx, enum verdict verdict, const char *why)
{
	struct change *c = ctx;
	if (verdict == DONE && !c->in->trouble[0])
		reply_json(c->request, json_pack("{s:s,s:s}", "task", c->change.task, "done", c->words));
	else
		http_reply_error(c->request, 500, "%s", verdict == DONE ? c->in->trouble : why);
	change_free(c);
}

/* Refused before it is submitted, with the same rules on a copy: what people ask in vain is no case for quarantine. */
static int try_change(struct change *c, int task, struct err *e)
{
	State__TaskModels *m;
	int r = models_read(c->in, task, &c->arena, &m);
	if (r)
		return err_set(e, r, "the record of the models of %s can not be read", classifier_tasks[task]);
	const char *before = c->in->task[task].running[0] ? c->in->task[task].running : VERSIONS_SHIPPED;
	c->change.task = (char *)(uintptr_t)classifier_tasks[task];
	if (str_eq(c->change.what, "promote")) {
		Ascolto__ModelVersion copy = c->version;
		r = versions_promote(m, &copy, c->change.by, 0, &c->arena, e);
	} else {
		r = versions_rollback(m, c->change.by, 0, e);
		Ascolto__ModelVersion unused;
		if (!r && m->running[0])
			r = models_describe(c->in, task, m->running, &unused, &c->arena, e);
	}
	snprintf(c->words, sizeof(c->words), "%s runs instead of %s", m->running[0] ? m->running : VERSIONS_SHIPPED, before);
	return r;
}

static void submit(struct change *c, int task)
{
	struct err e = {0};
	if (try_change(c, task, &e)) {
		http_reply_error(c->request, 409, "%s", err_text(&e));
		change_free(c);
	} else if (models_submit(c->in, &c->change, committed, c)) {
		http_reply_error(c->request, 503, "the service can not take changes now: its disk is full");
		change_free(c);
	}
}

/* A model's bytes. */
static void post_file(struct http_request *r, void *ctx)
{
	struct intent *in = state_of(ctx);
	const char *actor = actor_of(r);
	struct err e = {0};
	int task;
	if (!actor)
		return;
	struct change *c = change_new(r, in, "promote", actor);
	if (!c) {
		http_reply_error(r, 500, "out of memory");
		return;
	}
	if (models_take_file(in, http_body(r), &task, &c->version, &c->arena, &e)) {
		http_reply_error(r, 422, "%s", err_text(&e));
		change_free(c);
		return;
	}
	c->version.by = c->change.by;
	c->version.at_ms = svc_now_ms(in->svc);
	c->change.version = &c->version;
	submit(c, task);
}

/* A version that is kept, by its name or by the digits in it. */
static bool is_meant(const Ascolto__ModelVersion *v, const char *task, const char *word)
{
	size_t len = strlen(task) + 1;
	return str_eq(v->name, word) ||
	       (strlen(word) >= 4 && strlen(v->name) > len && strncmp(v->name + len, word, strlen(word)) == 0);
}

static int find_version(struct change *c, int task, const char *word, struct err *e)
{
	State__TaskModels *m;
	if (models_read(c->in, task, &c->arena, &m))
		return err_set(e, -EIO, "the record of the models of %s can not be read", classifier_tasks[task]);
	for (size_t i = m->n_versions; word && i-- > 0;) {
		if (!is_meant(m->versions[i], classifier_tasks[task], word))
			continue;
		if (!versions_has_file(m->versions[i]))
			return err_set(e, -ENOENT, "%s was %s, its file is not kept", m->versions[i]->name, m->versions[i]->standing);
		int r = models_describe(c->in, task, m->versions[i]->name, &c->version, &c->arena, e);
		c->version.by = m->versions[i]->by;
		c->version.at_ms = m->versions[i]->at_ms;
		c->version.report = m->versions[i]->report;
		c->change.version = &c->version;
		return r;
	}
	return err_set(e, -ENOENT, "%s has no version \"%.100s\"", classifier_tasks[task], word ? word : "");
}

static void post_change(struct http_request *r, struct intent *in, int task, const char *what, const char *actor)
{
	struct err e = {0};
	struct change *c = change_new(r, in, what, actor);
	if (!c) {
		http_reply_error(r, 500, "out of memory");
	} else if (str_eq(what, "promote") && find_version(c, task, http_query(r, "version"), &e)) {
		http_reply_error(r, 404, "%s", err_text(&e));
		change_free(c);
	} else {
		submit(c, task);
	}
}

static void post_retrain(struct http_request *r, struct intent *in, int task)
{
	struct err e = {0};
	if (retrain_start(in, task, &e))
		http_reply_error(r, 409, "%s", err_text(&e));
	else
		reply_json(r, json_pack("{s:s,s:s}", "task", classifier_tasks[task], "done", "the retraining has begun"));
}

/* TASK/promote?version=NAME, TASK/rollback, TASK/retrain. */
static void post_task(struct http_request *r, void *ctx)
{
	struct intent *in = state_of(ctx);
	char task[32];
	const char *rest = http_path_rest(r), *verb = strchr(rest, '/');
	const char *actor = actor_of(r);
	if (!actor)
		return;
	snprintf(task, sizeof(task), "%.*s", (int)strcspn(rest, "/"), rest);
	int t = classifier_task(task);
	if (t < 0)
		http_reply_error(r, 404, "there is no task \"%s\"", task);
	else if (str_eq(verb, "/promote"))
		post_change(r, in, t, "promote", actor);
	else if (str_eq(verb, "/rollback"))
		post_change(r, in, t, "rollback", actor);
	else if (str_eq(verb, "/retrain"))
		post_retrain(r, in, t);
	else
		http_reply_error(r, 404, "one can promote, rollback or retrain a task");
}

/* ---- GET /-/corrections ---- */

struct page {
	json_t *rows;
	size_t from, seen;
	bool more;
};

/* Texts may be anybody's bytes. */
static json_t *text_json(const char *text)
{
	json_t *j = json_string(text);
	return j ? j : json_string("(not valid UTF-8)");
}

static bool add_row(void *ctx, const Ascolto__Correction *c)
{
	struct page *p = ctx;
	struct id id;
	char text[ID_TEXT + 1] = "";
	if (p->seen++ < p->from)
		return true;
	if (json_array_size(p->rows) == CORRECTIONS_PAGE) {
		p->more = true;
		return false;
	}
	if (id_of(c->message_id, &id) == 0)
		id_format(&id, text);
	json_array_append_new(p->rows,
		json_pack("{s:s,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:o}", "id", text, "task", text_json(c->task), "label",
			text_json(c->label), "text", text_json(c->text), "by", text_json(c->by), "at_ms",
			(json_int_t)c->at_ms, "lang", text_json(c->language), "surface", text_json(c->surface), "channel",
			text_json(c->channel), "intent", text_json(c->intent)));
	return true;
}

static void get_corrections(struct http_request *r, void *ctx)
{
	const char *task = http_query(r, "task"), *from = http_query(r, "from");
	struct page p = {.rows = json_array(), .from = from ? strtoul(from, NULL, 10) : 0};
	if (task && classifier_task(task) < 0) {
		http_reply_error(r, 404, "there is no task \"%.60s\"", task);
		json_decref(p.rows);
		return;
	}
	int x = corrections_each(state_of(ctx), task, add_row, &p);
	if (x) {
		http_reply_error(r, 500, "the corrections can not be read: %s", strerror(-x));
		json_decref(p.rows);
		return;
	}
	reply_json(r, json_pack("{s:o,s:b}", "rows", p.rows, "more", p.more));
}

/* ---- POST /-/corrections/forget ---- */

static bool count_theirs(void *ctx, const Ascolto__Correction *c)
{
	struct change *change = ctx;
	change->version.rows += str_eq(c->by, change->change.whose);
	return true;
}

static void post_forget(struct http_request *r, void *ctx)
{
	struct intent *in = state_of(ctx);
	const char *actor = actor_of(r), *whose = http_query(r, "whose"), *task = http_query(r, "task");
	if (!actor)
		return;
	if (str_empty(whose) || (task && classifier_task(task) < 0)) {
		http_reply_error(r, 400, str_empty(whose) ? "\"whose\" is to name a person" : "there is no such task");
		return;
	}
	struct change *c = change_new(r, in, "forget", actor);
	if (c) {
		c->change.whose = arena_strdup(&c->arena, whose);
		c->change.task = arena_strdup(&c->arena, task);
	}
	if (!c || corrections_each(in, task, count_theirs, c)) {
		http_reply_error(r, 500, "the corrections can not be read");
	} else if (!c->version.rows) {
		http_reply_error(r, 409, "nothing was corrected by \"%s\"", whose);
	} else {
		snprintf(c->words, sizeof(c->words), "what %.100s corrected is forgotten: %" PRIu64 " messages", whose, c->version.rows);
		if (models_submit(in, &c->change, committed, c) == 0)
			return;
		http_reply_error(r, 503, "the service can not take changes now: its disk is full");
	}
	if (c)
		change_free(c);
}

const struct http_route intent_routes[] = {
	{"GET", "/-/models", get_models, NULL, "which models run, since when, trained on what"},
	{"POST", "/-/models", post_file, NULL, "a model's bytes: checked, kept, and run from now on"},
	{"POST", "/-/models/*", post_task, NULL, "TASK/promote?version=NAME, TASK/rollback or TASK/retrain"},
	{"GET", "/-/corrections", get_corrections, NULL, "what people corrected: ?task=T&from=N"},
	{"POST", "/-/corrections/forget", post_forget, NULL, "what one of them corrected: ?whose=NAME&task=T"},
	{0},
};
