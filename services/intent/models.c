/* Which models run. The record says which, the folder holds their files, and what runs follows from both. */
#include "services/intent/intent.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/intent/train.h"
#include "services/intent/versions.h"

#define SUFFIX ".model"
#define ARENA_MAX ((size_t)4 * 1024 * 1024)
#define YOUNG_S 60

static struct key record_key(int task)
{
	struct key k = turn_key_in(0, &intent_tables[MODELS]);
	key_str(&k, classifier_tasks[task]);
	return k;
}

void models_path(const struct intent *in, int task, const char *name, char out[4096])
{
	if (str_empty(name))
		snprintf(out, 4096, "%s/%s" SUFFIX, svc_conf(in->svc)->models, classifier_tasks[task]);
	else
		snprintf(out, 4096, "%.3900s/%.100s" SUFFIX, in->folder, name);
}

static int read_record(struct txn *t, struct arena *a, int task, State__TaskModels **ret)
{
	struct key k = record_key(task);
	int r = svc_read(t, a, &intent_tables[MODELS], &k, ret);
	if (r != -ENOENT)
		return r;
	State__TaskModels *none = arena_alloc(a, sizeof(*none));
	if (!none)
		return -ENOMEM;
	*none = (State__TaskModels)STATE__TASK_MODELS__INIT;
	none->task = (char *)(uintptr_t)classifier_tasks[task];
	*ret = none;
	return 0;
}

int models_read(struct intent *in, int task, struct arena *a, State__TaskModels **ret)
{
	struct txn *t;
	int r = txn_begin_read(svc_store(in->svc), &t, NULL);
	if (r)
		return r;
	r = read_record(t, a, task, ret);
	txn_abort(&t);
	return r;
}

/* ---- files ---- */

/* Names go into paths. */
static bool is_name(const char *name, const char *task)
{
	size_t len = strlen(task);
	return strncmp(name, task, len) == 0 && name[len] == '-' &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

/* "accuracy 61.95%, macro-F1 58.63%, ...": the second line of a training report. */
static char *figures_of(const struct model *m, struct arena *a)
{
	const char *line = strchr(m->report, '\n');
	line = line ? line + 1 : "";
	return arena_strndup(a, line, strcspn(line, "\n"));
}

static int describe(const struct model *m, Ascolto__ModelVersion *ret, struct arena *a)
{
	*ret = (Ascolto__ModelVersion)ASCOLTO__MODEL_VERSION__INIT;
	ret->name = arena_strdup(a, m->head->name);
	ret->rows = m->head->rows;
	ret->trained_ms = m->head->trained_ms;
	ret->figures = figures_of(m, a);
	return ret->name && ret->figures ? 0 : -ENOMEM;
}

int models_describe(struct intent *in, int task, const char *name, Ascolto__ModelVersion *ret, struct arena *a,
	struct err *e)
{
	struct model m;
	char path[4096];
	models_path(in, task, name, path);
	int r = model_open(&m, path, e);
	if (r)
		return r;
	r = classifier_check_model(&m, classifier_tasks[task], path, e);
	if (!r && describe(&m, ret, a))
		r = err_set(e, -ENOMEM, "out of memory");
	model_close(&m);
	return r;
}

/* Another model of that name is there: the same bytes, or nothing. */
static int check_namesake(const struct model *m, const char *path, struct err *e)
{
	struct model there;
	if (model_open(&there, path, NULL))
		return 0;
	bool same = there.head->checksum == m->head->checksum;
	model_close(&there);
	return same ? 0 : err_set(e, -EEXIST, "another model with the name %s is kept", m->head->name);
}

static int check_offered(const struct model *m, int *ret_task, struct err *e)
{
	int task = classifier_task(m->head->task);
	if (task < 0)
		return err_set(e, -EBADMSG, "a model for \"%s\", and the service knows no such task", m->head->task);
	int r = classifier_check_model(m, classifier_tasks[task], "the file", e);
	if (!r && !is_name(m->head->name, classifier_tasks[task]))
		r = err_set(e, -EBADMSG, "the model's name \"%s\" is none that training gives", m->head->name);
	*ret_task = task;
	return r;
}

int models_take_file(struct intent *in, struct span bytes, int *ret_task, Ascolto__ModelVersion *ret, struct arena *a,
	struct err *e)
{
	char offered[4096], path[4096];
	struct model m;
	struct buf whole = {.data = (uint8_t *)(uintptr_t)bytes.data, .len = bytes.len};
	snprintf(offered, sizeof(offered), "%.4000s/offered", in->folder);
	int r = train_save(&whole, offered, e), task = -1;
	if (r)
		return r;
	r = model_open(&m, offered, e);
	if (r) { /* who offered it knows it by another name */
		char *why = e ? strstr(e->text, ": ") : NULL;
		if (why)
			memmove(e->text, why + 2, strlen(why + 2) + 1);
		unlink(offered);
		return r;
	}
	r = check_offered(&m, &task, e);
	if (!r && describe(&m, ret, a))
		r = err_set(e, -ENOMEM, "out of memory");
	if (!r) {
		models_path(in, task, ret->name, path);
		r = check_namesake(&m, path, e);
	}
	model_close(&m);
	if (!r && rename(offered, path) < 0)
		r = err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (r)
		unlink(offered);
	*ret_task = task;
	return r;
}

static bool is_kept(struct intent *in, const char *name, struct arena *a)
{
	for (int t = 0; t < CLASSIFIER_TASKS; t++) {
		State__TaskModels *m;
		if (!is_name(name, classifier_tasks[t]))
			continue;
		if (models_read(in, t, a, &m))
			return true;
		const Ascolto__ModelVersion *v = versions_find(m, name);
		bool kept = str_eq(m->running, name) || (v && versions_has_file(v));
		for (size_t i = 0; i < m->n_former; i++)
			kept |= str_eq(m->former[i], name);
		return kept;
	}
	return false;
}

/* Files no record speaks of any more. A young one may belong to a change that is not committed yet. */
static void remove_strays(struct intent *in)
{
	struct arena a;
	struct stat st;
	char path[4096], name[128];
	DIR *d = opendir(in->folder);
	arena_init(&a, ARENA_MAX);
	for (struct dirent *f; d && (f = readdir(d));) {
		size_t len = strlen(f->d_name);
		if (f->d_name[0] == '.' || len >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%s", f->d_name);
		snprintf(path, sizeof(path), "%.3900s/%.150s", in->folder, name);
		if (len > strlen(SUFFIX) && str_eq(name + len - strlen(SUFFIX), SUFFIX))
			name[len - strlen(SUFFIX)] = 0;
		if (stat(path, &st) == 0 && st.st_mtime + YOUNG_S < svc_now_ms(in->svc) / 1000 && !is_kept(in, name, &a))
			unlink(path);
		arena_reset(&a);
	}
	if (d)
		closedir(d);
	arena_free(&a);
}

/* ---- what runs ---- */

/* The path of the task's version, or "" when the shipped model is to run, as the record says or for want of a better. */
static void choose(struct intent *in, int task, const State__TaskModels *m, char path[4096])
{
	struct intent_task *t = &in->task[task];
	Ascolto__ModelVersion v;
	struct arena a;
	struct err e = {0};
	path[0] = t->trouble[0] = 0;
	snprintf(t->running, sizeof(t->running), "%s", m->running);
	t->tried_ms = m->tried_ms;
	if (!t->running[0])
		return;
	arena_init(&a, ARENA_MAX);
	if (models_describe(in, task, t->running, &v, &a, &e) == 0) {
		models_path(in, task, t->running, path);
	} else {
		snprintf(t->trouble, sizeof(t->trouble), "%s: the shipped model decides in its place", err_text(&e));
		t->running[0] = 0;
	}
	arena_free(&a);
}

int models_open(struct intent *in, const struct conf *c, struct err *e)
{
	static char paths[CLASSIFIER_TASKS][4096];
	const char *instead[CLASSIFIER_TASKS] = {0};
	struct classifier *fresh;
	struct arena a;
	int r = 0;
	snprintf(in->folder, sizeof(in->folder), "%.4000s/models", store_path(svc_store(in->svc)));
	if (mkdir(in->folder, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: %s", in->folder, strerror(errno));
	arena_init(&a, ARENA_MAX);
	for (int t = 0; t < CLASSIFIER_TASKS && r == 0; t++) {
		State__TaskModels *m;
		r = models_read(in, t, &a, &m);
		if (r)
			err_set(e, r, "the record of the models of %s can not be read", classifier_tasks[t]);
		else
			choose(in, t, m, paths[t]);
		instead[t] = paths[t][0] ? paths[t] : NULL;
	}
	arena_free(&a);
	r = r ? r : classifier_open_chosen(c->models, instead, &fresh, e);
	if (r)
		return r;
	classifier_close(&in->linear);
	in->linear = fresh;
	remove_strays(in);
	return 0;
}

/* ---- changing it ---- */

/* After the commit: from the next message on the models decide that the record names. */
static void changed(void *state, void *arg)
{
	struct intent *in = state;
	struct err e = {0};
	(void)arg;
	in->trouble[0] = 0;
	if (models_open(in, svc_conf(in->svc), &e) == 0) {
		malloc_trim(0); /* the former models' tables are as large as everything else the service has */
		return;
	}
	snprintf(in->trouble, sizeof(in->trouble), "the models stay as they were: %s", err_text(&e));
	log_error("%s", in->trouble);
}

static void tried(void *state, void *arg)
{
	struct intent *in = state;
	struct intent_task *t = &in->task[*(const int *)arg];
	t->tried_ms = svc_now_ms(in->svc);
	t->fresh = 0;
}

static int apply(struct turn *t, const Ascolto__ModelChange *c, State__TaskModels *m, struct err *why)
{
	if (str_eq(c->what, "promote") && c->version)
		return versions_promote(m, c->version, c->by, t->now_ms, t->arena, why);
	if (str_eq(c->what, "rollback"))
		return versions_rollback(m, c->by, t->now_ms, why);
	if (str_eq(c->what, "note") && c->version)
		return versions_note(m, c->version, t->arena);
	if (str_eq(c->what, "try")) {
		m->tried_ms = t->now_ms;
		return 0;
	}
	return err_set(why, -EBADMSG, "this change of models is not known");
}

static void recount(void *state, void *arg)
{
	(void)arg;
	if (corrections_count(state))
		log_error("the corrections can not be counted");
}

/* What is learnt from, not which model runs. */
static enum verdict forget(struct turn *t, const Ascolto__ModelChange *c, struct err *why)
{
	size_t n;
	int r = corrections_forget(t, c->whose, c->task, &n);
	if (r) {
		err_set(why, r, "the corrections can not be read: %s", strerror(-r));
		return REJECT;
	}
	turn_count(t, "corrections_forgotten", (int64_t)n);
	turn_effect(t, recount, NULL);
	return DONE;
}

enum verdict intent_model_change(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	State__TaskModels *m;
	int task = classifier_task(e->model_change->task);
	if (str_eq(e->model_change->what, "forget"))
		return forget(t, e->model_change, why);
	if (task < 0) {
		err_set(why, -EBADMSG, "there is no task \"%s\"", e->model_change->task);
		return REJECT;
	}
	if (read_record(t->txn, t->arena, task, &m) || apply(t, e->model_change, m, why))
		return REJECT;
	struct key k = record_key(task);
	turn_put(t, &k, m);
	if (str_eq(e->model_change->what, "try")) {
		int *which = arena_alloc(t->arena, sizeof(*which));
		if (!which)
			return RETRY;
		*which = task;
		turn_effect(t, tried, which);
	} else if (!str_eq(e->model_change->what, "note")) {
		turn_count(t, "model_changes", 1);
		turn_effect(t, changed, NULL);
	}
	return DONE;
}

int models_submit(struct intent *in, const Ascolto__ModelChange *change, submitted_fn *done, void *ctx)
{
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct id id = id_random(svc_now_ms(in->svc));
	e.id = e.trace_id = id_bytes(&id);
	e.occurred_ms = e.received_ms = svc_now_ms(in->svc);
	e.body_case = ASCOLTO__ENVELOPE__BODY_MODEL_CHANGE;
	e.model_change = (Ascolto__ModelChange *)(uintptr_t)change;
	return svc_submit(in->svc, &e, done, ctx);
}
