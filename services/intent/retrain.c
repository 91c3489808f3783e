/* The background job: a program of its own (`ascolto intent learn`) that runs when nothing else wants to, makes a model
 * and says whether it is better. The service waits for its end as for any other event. */
#include "services/intent/intent.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/intent/learn.h"

#define LIMIT_MS ((uint64_t)30 * 60 * 1000)
#define WORDS_MAX 64
#define REPORT_MAX ((size_t)64 * 1024)
#define BY "retraining"

struct retraining {
	struct intent *in; /* NULL: the service is stopping */
	int task;
	int64_t begun_ms;
	char against[64]; /* the version it is compared with */
	uv_process_t process;
	uv_timer_t limit;
	unsigned handles;
	bool late;
	char folder[4000], out[4096], report[4096], errors[4096];
	char path[2][4096]; /* running, shipped */
	char known[4096], fresh[4096], trained[24];
	glob_t data, test;
};

int retrain_task(const struct intent *in)
{
	return in->retraining ? in->retraining->task : -1;
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *h)
{
	struct retraining *r = h->data;
	if (--r->handles)
		return;
	globfree(&r->data);
	globfree(&r->test);
	free(r);
}

static void let_go(struct retraining *r)
{
	if (r->in)
		r->in->retraining = NULL;
	uv_close((uv_handle_t *)&r->process, on_closed);
	uv_close((uv_handle_t *)&r->limit, on_closed);
}

/* A text file, at most REPORT_MAX of it, in the arena; "" when there is none. */
static char *read_text(const char *path, struct arena *a)
{
	char *text = arena_alloc(a, REPORT_MAX + 1);
	FILE *f = text ? fopen(path, "re") : NULL;
	size_t n = f ? fread(text, 1, REPORT_MAX, f) : 0;
	if (f)
		fclose(f);
	if (text)
		text[n] = 0;
	return text ? text : (char *)"";
}

static void noted(void *ctx, enum verdict verdict, const char *why)
{
	(void)ctx;
	if (verdict != DONE)
		log_error("what a retraining found can not be kept: %s", why);
}

/* What came of it goes into the record; one that is better runs, or is proposed. */
static void tell(struct retraining *r, Ascolto__ModelVersion *v, const char *what)
{
	Ascolto__ModelChange c = ASCOLTO__MODEL_CHANGE__INIT;
	c.task = (char *)(uintptr_t)classifier_tasks[r->task];
	c.what = (char *)(uintptr_t)what;
	c.by = v->by = (char *)BY;
	v->at_ms = svc_now_ms(r->in->svc);
	c.version = v;
	log_info("retraining of %s, %s: %.*s", c.task, v->standing, (int)strcspn(v->report, "\n"), v->report);
	if (models_submit(r->in, &c, noted, NULL))
		log_error("what a retraining found can not be kept: the store takes nothing now");
}

static void finish(struct retraining *r, bool better, struct arena *a)
{
	Ascolto__ModelVersion v = ASCOLTO__MODEL_VERSION__INIT;
	struct err e = {0};
	struct model m;
	int task;
	char *report = read_text(r->report, a);
	if (!better || !str_eq(r->against, r->in->task[r->task].running)) {
		if (model_open(&m, r->out, &e) == 0) {
			v.name = arena_strdup(a, m.head->name);
			v.rows = m.head->rows;
			v.trained_ms = m.head->trained_ms;
			model_close(&m);
		}
		v.standing = (char *)"refused";
		v.report = better ? arena_printf(a, "another model was promoted while it was compared\n\n%s", report) : report;
		tell(r, &v, "note");
		return;
	}
	struct buf file;
	buf_init(&file, MODEL_FILE_MAX);
	FILE *f = fopen(r->out, "re");
	for (uint8_t *room; f && (room = buf_room(&file, 1 << 16));) {
		size_t n = fread(room, 1, 1 << 16, f);
		file.len += n;
		if (!n)
			break;
	}
	if (f)
		fclose(f);
	if (models_take_file(r->in, buf_span(&file), &task, &v, a, &e)) {
		v = (Ascolto__ModelVersion)ASCOLTO__MODEL_VERSION__INIT;
		v.standing = (char *)"failed";
		v.report = e.text;
		tell(r, &v, "note");
	} else {
		bool propose = svc_conf(r->in->svc)->intent.propose_only;
		v.standing = propose ? (char *)"proposed" : (char *)"kept";
		v.report = report;
		tell(r, &v, propose ? "note" : "promote");
	}
	buf_free(&file);
}

static void on_exit_of_job(uv_process_t *process, int64_t status, int signal_number)
{
	struct retraining *r = process->data;
	struct arena a;
	arena_init(&a, 4 * REPORT_MAX);
	if (!r->in) {
		log_info("the retraining of %s was given up", classifier_tasks[r->task]);
	} else if (!signal_number && (status == 0 || status == LEARN_EXIT_REFUSED)) {
		finish(r, status == 0, &a);
	} else {
		Ascolto__ModelVersion v = ASCOLTO__MODEL_VERSION__INIT;
		v.standing = (char *)"failed";
		v.report = r->late         ? (char *)"it took longer than 30 minutes"
			   : signal_number ? arena_printf(&a, "it was ended by signal %d", signal_number)
					   : read_text(r->errors, &a);
		tell(r, &v, "note");
	}
	arena_free(&a);
	let_go(r);
}

static void on_late(uv_timer_t *t)
{
	struct retraining *r = t->data;
	r->late = true;
	uv_process_kill(&r->process, SIGKILL);
}

/* ---- the beginning ---- */

static int find_files(struct retraining *r, const char *data, struct err *e)
{
	char pattern[4096];
	snprintf(pattern, sizeof(pattern), "%.4000s/train*.tsv", data);
	if (glob(pattern, 0, NULL, &r->data))
		return err_set(e, -ENOENT, "%s holds no train*.tsv to train a model with (setting intent.data)", data);
	snprintf(pattern, sizeof(pattern), "%.4000s/%s_*.tsv", data, classifier_tasks[r->task]);
	if (glob(pattern, GLOB_APPEND, NULL, &r->data) == GLOB_NOSPACE)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(pattern, sizeof(pattern), "%.4000s/test*.tsv", data);
	if (glob(pattern, 0, NULL, &r->test)) /* none: the rows held back have to do */
		r->test.gl_pathc = 0;
	if (r->data.gl_pathc + r->test.gl_pathc > WORDS_MAX / 2 - 14)
		return err_set(e, -E2BIG, "%s: more files than one training takes", data);
	return 0;
}

static int prepare(struct retraining *r, struct err *e)
{
	struct intent *in = r->in;
	const char *task = classifier_tasks[r->task];
	const struct model *running = classifier_linear_model(in->linear, task);
	size_t n_new;
	if (!running)
		return err_set(e, -ENOENT, "no model of %s runs that a new one could be compared with", task);
	snprintf(r->folder, sizeof(r->folder), "%.3900s/retraining", store_path(svc_store(in->svc)));
	if (mkdir(r->folder, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: %s", r->folder, strerror(errno));
	snprintf(r->out, sizeof(r->out), "%s/new.model", r->folder);
	snprintf(r->report, sizeof(r->report), "%s/report", r->folder);
	snprintf(r->errors, sizeof(r->errors), "%s/errors", r->folder);
	snprintf(r->known, sizeof(r->known), "%s/known.tsv", r->folder);
	snprintf(r->fresh, sizeof(r->fresh), "%s/fresh.tsv", r->folder);
	snprintf(r->trained, sizeof(r->trained), "%" PRId64, r->begun_ms);
	snprintf(r->against, sizeof(r->against), "%s", in->task[r->task].running);
	models_path(in, r->task, r->against, r->path[0]);
	models_path(in, r->task, "", r->path[1]);
	unlink(r->out);
	int x = find_files(r, svc_conf(in->svc)->intent.data, e);
	x = x ? x : corrections_write(in, task, running->head->trained_ms, r->known, r->fresh, &n_new, e);
	if (!x && n_new < LEARN_MIN)
		x = err_set(e, -EINVAL, "there are %zu corrections of %s since its model was trained; %d are needed", n_new, task,
			LEARN_MIN);
	return x;
}

static int open_output(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static int spawn(struct retraining *r, struct err *e)
{
	struct intent *in = r->in;
	char program[4096];
	const char *words[WORDS_MAX + 2] = {program, "intent", "learn", "--background", "--models", svc_conf(in->svc)->models, "--task",
		classifier_tasks[r->task], "--data", r->known, "--corrections", r->fresh, "--against", r->path[0], "--shipped",
		r->path[1], "--trained-ms", r->trained, "--out", r->out};
	size_t n = 0;
	snprintf(program, sizeof(program), "%.4000s/ascolto", svc_conf(in->svc)->programs);
	while (words[n])
		n++;
	for (size_t i = 0; i < r->data.gl_pathc; i++) {
		words[n++] = "--data";
		words[n++] = r->data.gl_pathv[i];
	}
	for (size_t i = 0; i < r->test.gl_pathc; i++) {
		words[n++] = "--test";
		words[n++] = r->test.gl_pathv[i];
	}
	int out = open_output(r->report), errors = open_output(r->errors);
	uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = out},
		{.flags = UV_INHERIT_FD, .data.fd = errors}};
	uv_process_options_t o = {.exit_cb = on_exit_of_job, .file = program, .args = (char **)(uintptr_t)words,
		.stdio_count = ARRAY_SIZE(stdio), .stdio = stdio};
	int x = out < 0 || errors < 0 ? -errno : uv_spawn(svc_loop(in->svc), &r->process, &o);
	if (out >= 0)
		close(out);
	if (errors >= 0)
		close(errors);
	return x ? err_set(e, x, "%s can not be run: %s", program, uv_strerror(x)) : 0;
}

/* When it was begun is kept, so that a retraining that never ends well is not begun for ever. */
static void tell_begun(struct retraining *r)
{
	Ascolto__ModelChange c = ASCOLTO__MODEL_CHANGE__INIT;
	c.task = (char *)(uintptr_t)classifier_tasks[r->task];
	c.what = (char *)"try";
	c.by = (char *)BY;
	models_submit(r->in, &c, noted, NULL);
	r->in->task[r->task].fresh = 0;
	log_info("retraining of %s begins", c.task);
}

int retrain_start(struct intent *in, int task, struct err *e)
{
	if (in->retraining)
		return err_set(e, -EBUSY, "%s is being retrained", classifier_tasks[in->retraining->task]);
	struct retraining *r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, -ENOMEM, "out of memory");
	r->in = in;
	r->task = task;
	r->begun_ms = svc_now_ms(in->svc);
	int x = prepare(r, e);
	if (x) {
		globfree(&r->data);
		globfree(&r->test);
		free(r);
		return x;
	}
	uv_timer_init(svc_loop(in->svc), &r->limit);
	r->process.data = r->limit.data = r;
	r->handles = 2;
	in->retraining = r;
	x = spawn(r, e);
	if (x) {
		let_go(r);
		return x;
	}
	uv_timer_start(&r->limit, on_late, LIMIT_MS, 0);
	tell_begun(r);
	return 0;
}

void retrain_tick(struct intent *in, int64_t now_ms)
{
	unsigned after = svc_conf(in->svc)->intent.retrain_after;
	(void)now_ms;
	for (int t = 0; after && !in->retraining && t < CLASSIFIER_TASKS; t++) {
		struct err e = {0};
		if (in->task[t].fresh < after || svc_stopping(in->svc))
			continue;
		if (retrain_start(in, t, &e)) {
			log_warning("%s is not retrained: %s", classifier_tasks[t], err_text(&e));
			in->task[t].fresh = 0; /* until as many have come again */
		}
	}
}

void retrain_stop(struct intent *in)
{
	struct retraining *r = in->retraining;
	if (!r)
		return;
	r->in = NULL; /* the service's state does not outlive this call */
	in->retraining = NULL;
	uv_process_kill(&r->process, SIGKILL);
}
