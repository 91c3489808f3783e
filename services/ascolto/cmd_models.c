/* `ascolto intent models, promote, rollback, retrain, corrections`: which models the intent service runs. */
#include "services/ascolto/ascolto.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"
#include "services/intent/classifier.h"
#include "services/intent/model.h"

#define PATH "/-/models"
#define WAIT_S 1
#define FILE_MAX ((size_t)32 * 1024 * 1024)

struct words {
	const char *task, *out, *by, *rest[4];
	size_t n_rest;
	bool wait;
};

/* 0, or -1 after a complaint. */
static int take_words(struct words *w, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char **to = str_eq(argv[i], "--task")  ? &w->task
				  : str_eq(argv[i], "--out") ? &w->out
				  : str_eq(argv[i], "--by")  ? &w->by
							     : NULL;
		if (str_eq(argv[i], "--wait")) {
			w->wait = true;
		} else if (to) {
			if (i + 1 == argc)
				return command_fail("%s needs a value", argv[i]), -1;
			*to = argv[++i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return command_fail("%s: not an option of this command", argv[i]), -1;
		} else if (w->n_rest < ARRAY_SIZE(w->rest)) {
			w->rest[w->n_rest++] = argv[i];
		} else {
			return command_fail("\"%s\": more words than this command takes", argv[i]), -1;
		}
	}
	if (w->task && classifier_task(w->task) < 0)
		return command_fail("there is no task \"%s\"; the tasks are language, intent, expectation, event, sentiment, "
				    "lane and flags",
			       w->task),
		       -1;
	return 0;
}

static int open_conf(const struct command_options *o, struct conf **ret)
{
	struct err e = {0};
	return conf_load(ret, o->config, &e) < 0 ? command_fail("%s", err_text(&e)) : COMMAND_OK;
}

/* ---- asking the service ---- */

static struct client_call call_to(const struct conf *c, const char *path)
{
	return (struct client_call){.service = "intent", .address = conf_service(c, "intent")->http, .path = path};
}

/* POST; the answer's sentence is printed or complained of. */
static int act(const struct command_options *o, const struct conf *c, const char *path, const char *by, struct span body)
{
	char actor[160];
	struct passwd *me = getpwuid(getuid());
	struct err e = {0};
	long status;
	snprintf(actor, sizeof(actor), "X-Ascolto-Actor: %.120s", by ? by : me ? me->pw_name : "operator");
	const char *const headers[] = {actor, "Content-Type: application/octet-stream", NULL};
	struct client_call call = call_to(c, path);
	call.method = "POST";
	call.headers = headers;
	call.body = body;
	call.timeout_ms = CLIENT_ACT_MS;
	CLEANUP(free_json) json_t *answer = NULL;
	if (client_json(&call, &answer, &status, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (status != 200)
		return command_fail("refused: %s", member_text(answer, "error"));
	if (o->json)
		show_json(stdout, json_incref(answer));
	else
		printf("%s%s%s\n", member_text(answer, "task"), member_text(answer, "task")[0] ? ": " : "",
			member_text(answer, "done"));
	return COMMAND_OK;
}

static int ask(const struct conf *c, json_t **ret)
{
	struct err e = {0};
	struct client_call call = call_to(c, PATH);
	return client_json(&call, ret, NULL, &e) < 0 ? command_fail("%s", err_text(&e)) : COMMAND_OK;
}

static const json_t *task_of(const json_t *models, const char *task)
{
	const json_t *t;
	size_t i;
	json_array_foreach(json_object_get(models, "tasks"), i, t) if (str_eq(member_text(t, "task"), task)) return t;
	return NULL;
}

/* ---- models ---- */

static const char *since_words(int64_t ms, char out[SHORT_MAX])
{
	if (ms)
		return short_time(ms, out);
	return "the beginning";
}

static const char *trained_words(int64_t ms, char out[SHORT_MAX])
{
	if (ms)
		return short_time(ms, out);
	return "with the product";
}

static void show_running(const json_t *task, struct table *t)
{
	char when[SHORT_MAX], trained[SHORT_MAX];
	const json_t *running = json_object_get(task, "running");
	bool there = json_is_object(running);
	table_cell(t, "%s", member_text(task, "task"));
	table_cell(t, "%s", there ? member_text(running, "name") : "none");
	table_cell(t, "%s", there ? since_words(member_int(task, "since_ms"), when) : "-");
	table_cell(t, "%s", there ? trained_words(member_int(running, "trained_ms"), trained) : "-");
	table_cell(t, "%" PRId64, member_int(running, "rows"));
	table_cell(t, "%s", member_text(running, "figures"));
	table_cell(t, "%" PRId64, member_int(task, "fresh_corrections"));
}

static void show_remarks(const json_t *task)
{
	const json_t *v;
	size_t i;
	char when[SHORT_MAX];
	if (member_text(task, "trouble")[0])
		printf("%s: %s\n", member_text(task, "task"), member_text(task, "trouble"));
	if (json_is_true(json_object_get(task, "retraining")))
		printf("%s is being retrained\n", member_text(task, "task"));
	json_array_foreach(json_object_get(task, "versions"), i, v)
	{
		const char *standing = member_text(v, "standing"), *report = member_text(v, "report");
		if (str_eq(standing, "kept"))
			continue;
		printf("%s %s %s: %.*s\n", short_time(member_int(v, "at_ms"), when),
			member_text(v, "name")[0] ? member_text(v, "name") : member_text(task, "task"), standing,
			(int)strcspn(report, "\n"), report);
	}
}

static void show_all(const json_t *models)
{
	static const char *const head[] = {"task", "model", "since", "trained", "rows", "on rows held out", "new corrections"};
	struct table t = {.align = "llllrlr"};
	const json_t *task;
	size_t i;
	for (size_t k = 0; k < ARRAY_SIZE(head); k++)
		table_cell(&t, "%s", head[k]);
	json_array_foreach(json_object_get(models, "tasks"), i, task) show_running(task, &t);
	table_print(&t, stdout);
	table_free(&t);
	if (str_eq(member_text(models, "classifier"), "external"))
		printf("\n%s", member_text(models, "describe"));
	printf("\n");
	json_array_foreach(json_object_get(models, "tasks"), i, task) show_remarks(task);
}

static void show_version(const json_t *v, const char *running)
{
	char when[SHORT_MAX], trained[SHORT_MAX];
	bool runs = str_eq(member_text(v, "name"), running);
	printf("\n%s  %s\n  brought by %s at %s, trained %s on %" PRId64 " rows\n",
		member_text(v, "name")[0] ? member_text(v, "name") : "(no model)", runs ? "running" : member_text(v, "standing"),
		member_text(v, "by"), short_time(member_int(v, "at_ms"), when), trained_words(member_int(v, "trained_ms"), trained),
		member_int(v, "rows"));
	if (member_text(v, "report")[0]) {
		printf("  ");
		show_text(stdout, member_text(v, "report"), 2);
		printf("\n");
	}
}

/* One task with its history. */
static void show_one(const json_t *task)
{
	char when[SHORT_MAX];
	const json_t *running = json_object_get(task, "running"), *v;
	size_t i;
	printf("%s runs %s since %s%s%s\n", member_text(task, "task"),
		json_is_object(running) ? member_text(running, "name") : "no model", since_words(member_int(task, "since_ms"), when),
		member_text(task, "by")[0] ? ", by " : "", member_text(task, "by"));
	if (member_text(running, "figures")[0])
		printf("on rows held out while training: %s\n", member_text(running, "figures"));
	printf("new corrections since the last retraining: %" PRId64 "\n", member_int(task, "fresh_corrections"));
	const json_t *former = json_object_get(task, "former");
	if (json_array_size(former))
		printf("a rollback returns to %s\n", json_string_value(json_array_get(former, 0)));
	if (member_text(task, "trouble")[0])
		printf("%s\n", member_text(task, "trouble"));
	if (json_is_true(json_object_get(task, "retraining")))
		printf("it is being retrained\n");
	json_array_foreach(json_object_get(task, "versions"), i, v) show_version(v, member_text(running, "name"));
}

static int list_folder(const char *dir)
{
	struct classifier *c CLEANUP(classifier_close) = NULL;
	struct err e = {0};
	bool any = false;
	if (classifier_open_linear(dir, &c, &e) < 0)
		return command_fail("%s", err_text(&e));
	for (size_t i = 0; classifier_tasks[i]; i++) {
		const struct model *m = classifier_linear_model(c, classifier_tasks[i]);
		char day[SHORT_MAX];
		if (!m)
			continue;
		any = true;
		printf("%-12s %-36s trained %s on %" PRIu64 " rows, %u labels, %zu KiB\n", m->head->task, m->head->name,
			trained_words(m->head->trained_ms, day), m->head->rows, m->different, m->len / 1024);
	}
	if (!any)
		printf("%s holds no models\n", dir);
	return COMMAND_OK;
}

static int run_models(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *models = NULL;
	struct words w = {0};
	if (take_words(&w, argc, argv) || w.n_rest > 1)
		return COMMAND_USAGE;
	const char *task = w.task;
	if (w.n_rest && !task && classifier_task(w.rest[0]) >= 0)
		task = w.rest[0];
	else if (w.n_rest)
		return list_folder(w.rest[0]);
	if (open_conf(o, &c) != COMMAND_OK || ask(c, &models) != COMMAND_OK)
		return COMMAND_FAILED;
	const json_t *one = task ? task_of(models, task) : NULL;
	if (o->json)
		show_json(stdout, json_incref(one ? (json_t *)(uintptr_t)one : models));
	else if (one)
		show_one(one);
	else
		show_all(models);
	return COMMAND_OK;
}

/* ---- promote, rollback ---- */

static int read_model(const char *path, struct buf *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return command_fail("%s: %s", path, strerror(errno));
	bool fits = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= FILE_MAX;
	buf_init(out, FILE_MAX + 1);
	uint8_t *room = fits ? buf_room(out, (size_t)st.st_size) : NULL;
	ssize_t n = 0;
	while (room && (n = read(fd, room + out->len, (size_t)st.st_size - out->len)) > 0)
		out->len += (size_t)n;
	close(fd);
	if (!fits)
		return command_fail("%s: not a file of at most %zu MB", path, FILE_MAX >> 20);
	return room && n >= 0 ? COMMAND_OK : command_fail("%s can not be read", path);
}

/* "intent-3e5b1c2a-3054-rows" or "intent-3e5b1c2a": the task is what stands before the dash. */
static const char *task_in(const char *name, char out[32])
{
	snprintf(out, 32, "%.*s", (int)MIN(strcspn(name, "-"), (size_t)31), name);
	return classifier_task(out) >= 0 && strchr(name, '-') ? out : NULL;
}

static int run_promote(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct words w = {0};
	char path[256], task[32];
	struct buf file CLEANUP(buf_free) = {0};
	if (take_words(&w, argc, argv) || w.n_rest != 1)
		return command_fail("promote needs a model's file, or the name of a version that `ascolto intent models TASK` shows"),
		       COMMAND_USAGE;
	const char *name = w.rest[0];
	bool version = access(name, F_OK) < 0 && !strchr(name, '/') && task_in(name, task) && !strchr(name, '.');
	if (version) {
		const char *digits = strlen(name) < strlen(task) + 10 ? name + strlen(task) + 1 : name;
		if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
			return command_fail("\"%s\" is no version's name", name);
		snprintf(path, sizeof(path), PATH "/%s/promote?version=%.120s", task, digits);
	} else if (read_model(name, &file) != COMMAND_OK) {
		return COMMAND_FAILED;
	} else {
		snprintf(path, sizeof(path), PATH);
	}
	if (open_conf(o, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	return act(o, c, path, w.by, buf_span(&file));
}

static int on_task(const struct command_options *o, int argc, char **argv, const char *verb, struct words *w, struct conf **c)
{
	char path[128];
	if (take_words(w, argc, argv))
		return COMMAND_USAGE;
	if (!w->task && w->n_rest == 1)
		w->task = w->rest[0];
	if (!w->task || classifier_task(w->task) < 0)
		return command_fail("%s needs a task: language, intent, expectation, event, sentiment, lane or flags", verb),
		       COMMAND_USAGE;
	if (open_conf(o, c) != COMMAND_OK)
		return COMMAND_FAILED;
	snprintf(path, sizeof(path), PATH "/%s/%s", w->task, verb);
	return act(o, *c, path, w->by, span_of(NULL, 0));
}

static int run_rollback(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct words w = {0};
	return on_task(o, argc, argv, "rollback", &w, &c);
}

/* ---- retrain ---- */

/* Until the job is over; then what it found. */
static int wait_for(const struct command_options *o, const struct conf *c, const char *task)
{
	for (;;) {
		CLEANUP(free_json) json_t *models = NULL;
		sleep(WAIT_S);
		if (ask(c, &models) != COMMAND_OK)
			return COMMAND_FAILED;
		const json_t *t = task_of(models, task), *versions = json_object_get(t, "versions"),
			     *v = json_array_get(versions, 0);
		if (json_is_true(json_object_get(t, "retraining")))
			continue;
		/* Versions that came before it began are another story. */
		if (member_int(v, "at_ms") < member_int(t, "tried_ms"))
			continue;
		if (o->json)
			show_json(stdout, json_incref((json_t *)(uintptr_t)v));
		else
			show_version(v, member_text(json_object_get(t, "running"), "name"));
		return str_eq(member_text(v, "standing"), "refused") || str_eq(member_text(v, "standing"), "failed")
			       ? COMMAND_FAILED
			       : COMMAND_OK;
	}
}

static int run_retrain(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct words w = {0};
	int r = on_task(o, argc, argv, "retrain", &w, &c);
	if (r != COMMAND_OK)
		return r;
	if (w.wait)
		return wait_for(o, c, w.task);
	if (!o->json)
		printf("see how it ends with: ascolto intent models %s\n", w.task);
	return COMMAND_OK;
}

/* ---- corrections ---- */

static void put_field(FILE *f, const char *text, char end)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' ? ' ' : *text, f);
	putc(end, f);
}

/* The files training reads: one column with the task's name, or `task` and `label` when all are asked for. */
static void put_rows(FILE *f, const json_t *rows, const char *task)
{
	const json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		put_field(f, member_text(row, "id"), '\t');
		put_field(f, member_text(row, "lang"), '\t');
		put_field(f, member_text(row, "surface"), '\t');
		put_field(f, member_text(row, "channel"), '\t');
		put_field(f, member_text(row, "text"), '\t');
		if (!task)
			put_field(f, member_text(row, "task"), '\t');
		else if (!str_eq(task, "intent"))
			put_field(f, member_text(row, "intent"), '\t');
		put_field(f, member_text(row, "label"), '\t');
		put_field(f, member_text(row, "by"), '\t');
		fprintf(f, "%" PRId64 "\n", member_int(row, "at_ms"));
	}
}

static int export_to(FILE *f, const struct conf *c, const char *task, size_t *ret_n)
{
	char path[128];
	bool more = true;
	/* What the message was taken for goes along: other tasks are learnt kind by kind. */
	fprintf(f, "id\tlang\tsurface\tchannel\ttext\t%s%s\tby\tat_ms\n", !task ? "task\tlabel" : str_eq(task, "intent") ? "" : "intent\t",
		task ? task : "");
	for (*ret_n = 0; more;) {
		CLEANUP(free_json) json_t *page = NULL;
		struct err e = {0};
		snprintf(path, sizeof(path), "/-/corrections?from=%zu%s%s", *ret_n, task ? "&task=" : "", task ? task : "");
		struct client_call call = call_to(c, path);
		call.timeout_ms = CLIENT_ACT_MS;
		if (client_json(&call, &page, NULL, &e) < 0)
			return command_fail("%s", err_text(&e));
		put_rows(f, json_object_get(page, "rows"), task);
		*ret_n += json_array_size(json_object_get(page, "rows"));
		more = json_is_true(json_object_get(page, "more"));
	}
	return COMMAND_OK;
}

static int run_corrections(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct words w = {0};
	size_t n;
	char words[SHORT_MAX];
	if (take_words(&w, argc, argv))
		return COMMAND_USAGE;
	if (!w.out || w.n_rest)
		return command_fail("corrections needs --out FILE.tsv (\"-\": standard output)"), COMMAND_USAGE;
	if (open_conf(o, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	bool to_stdout = str_eq(w.out, "-");
	FILE *f = to_stdout ? stdout : fopen(w.out, "we");
	if (!f)
		return command_fail("%s: %s", w.out, strerror(errno));
	int r = export_to(f, c, w.task, &n);
	bool broken = ferror(f) || (to_stdout ? fflush(f) : fclose(f));
	if (r == COMMAND_OK && broken)
		r = command_fail("%s could not be written", w.out);
	if (r == COMMAND_OK && !to_stdout)
		printf("%s in %s\n", plural((int64_t)n, "correction", words), w.out);
	return r;
}

/* Names are people's words: as they can stand in an address. */
static void put_escaped(struct buf *out, const char *text)
{
	for (; *text; text++)
		if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9'))
			buf_addf(out, "%c", *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
}

static int run_forget(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct words w = {0};
	struct buf path CLEANUP(buf_free);
	buf_init(&path, 4096);
	if (take_words(&w, argc, argv))
		return COMMAND_USAGE;
	if (w.n_rest != 1)
		return command_fail("forget needs the name of who corrected, as the export shows it"), COMMAND_USAGE;
	if (open_conf(o, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	buf_adds(&path, "/-/corrections/forget?whose=");
	put_escaped(&path, w.rest[0]);
	buf_addf(&path, "%s%s", w.task ? "&task=" : "", w.task ? w.task : "");
	return path.broken ? command_fail("the name is too long") : act(o, c, buf_str(&path), w.by, span_of(NULL, 0));
}

const struct command commands_models[] = {
	{"intent", "models", run_models, "[TASK | FOLDER]", "which models run, since when, trained on what; or a folder's"},
	{"intent", "promote", run_promote, "FILE.model | VERSION [--by NAME]", "let a model decide from now on"},
	{"intent", "rollback", run_rollback, "TASK [--by NAME]", "let the model decide that ran before"},
	{"intent", "retrain", run_retrain, "TASK [--wait]", "learn from people's corrections, in the background"},
	{"intent", "corrections", run_corrections, "[--task T] --out FILE.tsv", "people's corrections, for training"},
	{"intent", "forget", run_forget, "NAME [--task T] [--by NAME]", "what somebody corrected: it is not learnt from again"},
	{NULL},
};
