#include "services/ascolto/ascolto.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/json.h"
#include "common/suggest.h"
#include "common/words.h"
#include "services/intent/check.h"
#include "services/intent/classifier.h"
#include "services/intent/explain.h"
#include "services/intent/language.h"
#include "services/intent/learn.h"
#include "services/intent/measure.h"
#include "services/intent/train_options.h"

#define FILES_MAX 32
#define COMPLAINTS_MAX 20

struct arguments {
	struct train_options train;
	const char *task, *column, *model, *out, *test[FILES_MAX], *valid[FILES_MAX], *data[FILES_MAX], *rest[FILES_MAX];
	size_t n_test, n_valid, n_data, n_rest;
	const char *models, *surface, *channel, *lang;
	const char *against, *shipped, *trained_ms, *corrections[FILES_MAX]; /* learn */
	size_t n_corrections;
	bool quiet, background;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- arguments ------------------------------------------------------------------------------------------------- */

static bool take_word(const char *name, const char *value, struct arguments *a)
{
	const struct {
		const char *name;
		const char **to;
	} words[] = {{"--task", &a->task}, {"--column", &a->column}, {"--model", &a->model}, {"--out", &a->out},
		{"--models", &a->models}, {"--surface", &a->surface}, {"--channel", &a->channel}, {"--lang", &a->lang},
		{"--against", &a->against}, {"--shipped", &a->shipped}, {"--trained-ms", &a->trained_ms}};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(name, words[i].name)) {
			*words[i].to = value;
			return true;
		}
	const struct {
		const char *name;
		const char **to;
		size_t *n;
	} lists[] = {{"--data", a->data, &a->n_data}, {"--test", a->test, &a->n_test}, {"--valid", a->valid, &a->n_valid},
		{"--corrections", a->corrections, &a->n_corrections}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (str_eq(name, lists[i].name) && *lists[i].n < FILES_MAX) {
			lists[i].to[(*lists[i].n)++] = value;
			return true;
		}
	return false;
}

/* The task first, since it sets the defaults that other options change. 0 or a finished exit status. */
static int take_arguments(struct arguments *a, int argc, char **argv)
{
	*a = (struct arguments){0};
	for (int i = 0; i + 1 < argc; i++)
		if (str_eq(argv[i], "--task"))
			a->task = argv[i + 1];
	train_defaults(&a->train, a->task ? a->task : "intent");
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] != '-') {
			if (a->n_rest < FILES_MAX)
				a->rest[a->n_rest++] = argv[i];
			continue;
		}
		if (str_eq(argv[i], "--quiet") || str_eq(argv[i], "--background")) {
			*(argv[i][2] == 'q' ? &a->quiet : &a->background) = true;
			continue;
		}
		if (i + 1 == argc) {
			command_fail("%s needs a value", argv[i]);
			return COMMAND_USAGE;
		}
		if (!take_word(argv[i], argv[i + 1], a) && !train_option(&a->train, argv[i], argv[i + 1])) {
			if (train_option(&(struct train_options){0}, argv[i], "1"))
				command_fail("%s %s: not a number this option can have", argv[i], argv[i + 1]);
			else
				command_fail("%s: not an option of this command", argv[i]);
			return COMMAND_USAGE;
		}
		i++;
	}
	return COMMAND_OK;
}

/* Words that belong to no option are mostly files whose option was forgotten. */
static int take_options(struct arguments *a, int argc, char **argv)
{
	int r = take_arguments(a, argc, argv);
	if (r == COMMAND_OK && a->n_rest) {
		command_fail("\"%s\": which option does this belong to?", a->rest[0]);
		return COMMAND_USAGE;
	}
	return r;
}

/* Before the work, not after it. */
static int check_out(const char *path)
{
	char folder[4096];
	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = 0;
	if (access(slash ? folder : ".", W_OK) == 0)
		return COMMAND_OK;
	return command_fail("%s can not be written: %s", path, strerror(errno));
}

/* --- reading --------------------------------------------------------------------------------------------------- */

struct complaints {
	size_t n;
};

static void complain(void *ctx, const char *sentence)
{
	struct complaints *c = ctx;
	if (c->n++ < COMPLAINTS_MAX)
		fprintf(stderr, "ascolto: %s\n", sentence);
}

static const char *models_folder(const struct arguments *a)
{
	static char *shipped;
	if (a->models)
		return a->models;
	const char *from = getenv("ASCOLTO_MODELS");
	if (!str_empty(from))
		return from;
	shipped = shipped ? shipped : conf_shipped_models();
	return shipped ? shipped : "";
}

/* A task the product does not have is somebody's own, or a slip of the pen. */
static int read_failed(const char *task, const struct err *e)
{
	char words[200] = "";
	if (!dataset_labels(task) && strstr(e->text, "no column"))
		suggest(words, sizeof(words), task, classifier_tasks, CLASSIFIER_TASKS, "the product's tasks are");
	return command_fail("%s%s", e->text, words);
}

/* Rows that do not say their language are read for it: stems and concepts depend on it. */
static int read_files(const struct arguments *a, struct dataset *d, const char *const *files, size_t n, const char *task)
{
	struct complaints c = {0};
	struct err e = {0};
	for (size_t i = 0; i < n; i++)
		if (dataset_read(d, files[i], task, a->column, complain, &c, &e) < 0)
			return read_failed(task, &e);
	if (c.n > COMPLAINTS_MAX)
		fprintf(stderr, "ascolto: and %zu more rows that cannot be used\n", c.n - COMPLAINTS_MAX);
	if (!d->n)
		return command_fail("no row of these files can be used");
	if (!str_eq(task, "language") && language_fill(d, models_folder(a), &e) < 0)
		return command_fail("%s", err_text(&e));
	return COMMAND_OK;
}

/* --- train ----------------------------------------------------------------------------------------------------- */

static void progress(void *ctx, const char *sentence)
{
	fprintf(stderr, "%s: %s\n", (const char *)ctx, sentence);
}

static int print_eval(const struct command_options *o, const struct model *m, const struct dataset *d)
{
	struct measure_row *rows = calloc(d->n, sizeof(*rows));
	double seconds = 0;
	if (!rows || measure_run(m, d, rows, &seconds) < 0) {
		free(rows);
		return command_fail("out of memory");
	}
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 16 * 1024 * 1024);
	struct measure s;
	measure_sum(m, rows, d->n, &s);
	if (o->json)
		buf_addf(&out,
			"{\"task\":\"%s\",\"model\":\"%s\",\"rows\":%zu,\"accuracy\":%.5f,\"macro_f1\":%.5f,\"micro_f1\":%.5f,"
			"\"calibration_error\":%.5f,\"answered\":%.5f,\"accuracy_answered\":%.5f,\"accuracy_top80\":%.5f,"
			"\"per_second\":%.0f,\"bytes\":%zu}\n",
			m->head->task, m->head->name, s.rows, s.accuracy, s.macro_f1, s.micro_f1, s.calibration_error,
			s.answered, s.accuracy_answered, s.accuracy_top80, (double)d->n / seconds, m->len);
	else
		measure_report(m, rows, d->n, &out);
	free(rows);
	fputs(buf_str(&out), stdout);
	if (!o->json)
		printf("\n%.0f predictions per second\n", (double)d->n / seconds);
	return COMMAND_OK;
}

static int train_and_save(const struct command_options *o, const struct arguments *a, const struct dataset *rows, const struct dataset *valid)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, MODEL_FILE_MAX);
	struct err e = {0};
	if (train_model(rows, valid, &a->train, &out, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (train_save(&out, a->out, &e) < 0)
		return command_fail("%s", err_text(&e));
	struct model m;
	if (!a->quiet && !o->json && model_from_bytes(&m, buf_span(&out), a->out, &e) == 0)
		printf("%s: %s, %zu KiB\non rows held out while training: %s", a->out, m.head->name, out.len / 1024, m.report);
	return COMMAND_OK;
}

static int run_train(const struct command_options *o, int argc, char **argv)
{
	struct arguments a;
	int r = take_options(&a, argc, argv);
	if (r != COMMAND_OK)
		return r;
	if (!a.task || !a.n_data || !a.out) {
		command_fail("train needs --task TASK, --data FILE.tsv and --out MODEL");
		return COMMAND_USAGE;
	}
	if (check_out(a.out) != COMMAND_OK)
		return COMMAND_FAILED;
	a.train.trained_ms = getenv("SOURCE_DATE_EPOCH") ? 0 : now_ms();
	if (!a.quiet) {
		a.train.progress = progress;
		a.train.ctx = (void *)(uintptr_t)a.task;
	}
	struct dataset rows CLEANUP(dataset_free) = {0}, valid CLEANUP(dataset_free) = {0}, test CLEANUP(dataset_free) = {0};
	r = read_files(&a, &rows, a.data, a.n_data, a.task);
	if (r == COMMAND_OK && a.n_valid)
		r = read_files(&a, &valid, a.valid, a.n_valid, a.task);
	if (r == COMMAND_OK && a.n_test)
		r = read_files(&a, &test, a.test, a.n_test, a.task);
	if (r == COMMAND_OK)
		r = train_and_save(o, &a, &rows, a.n_valid ? &valid : NULL);
	if (r != COMMAND_OK || !a.n_test)
		return r;
	struct model m;
	struct err e = {0};
	if (model_open(&m, a.out, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (!o->json)
		printf("\non the test rows: ");
	r = print_eval(o, &m, &test);
	model_close(&m);
	return r;
}

static int run_eval(const struct command_options *o, int argc, char **argv)
{
	struct arguments a;
	int r = take_options(&a, argc, argv);
	if (r != COMMAND_OK)
		return r;
	if (!a.model || !a.n_test) {
		command_fail("eval needs --model MODEL and --test FILE.tsv");
		return COMMAND_USAGE;
	}
	struct model m;
	struct err e = {0};
	if (model_open(&m, a.model, &e) < 0)
		return command_fail("%s", err_text(&e));
	struct dataset test CLEANUP(dataset_free) = {0};
	r = read_files(&a, &test, a.test, a.n_test, m.head->task);
	if (r == COMMAND_OK)
		r = print_eval(o, &m, &test);
	model_close(&m);
	return r;
}

/* --- explain, data-check ------------------------------------------------------------------------------- */

/* The shipped models, with one of somebody's own in its task's place. */
static int open_models(const struct arguments *a, struct classifier **ret)
{
	const char *instead[CLASSIFIER_TASKS] = {0};
	struct model m;
	struct err e = {0};
	if (a->model) {
		if (model_open(&m, a->model, &e) < 0)
			return command_fail("%s", err_text(&e));
		int task = classifier_task(m.head->task);
		if (task < 0)
			command_fail("%s: a model for \"%s\", which is no task of the product", a->model, m.head->task);
		else
			instead[task] = a->model;
		model_close(&m);
		if (task < 0)
			return COMMAND_FAILED;
	}
	return classifier_open_chosen(models_folder(a), instead, ret, &e) < 0 ? command_fail("%s", err_text(&e)) : COMMAND_OK;
}

static int print_explanation(const struct command_options *o, const char *text)
{
	if (!o->json) {
		fputs(text, stdout);
		return COMMAND_OK;
	}
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 4 * 1024 * 1024);
	buf_adds(&out, "{\"explanation\":");
	json_add_string(&out, span_str(text));
	buf_adds(&out, "}\n");
	fputs(buf_str(&out), stdout);
	return COMMAND_OK;
}

static int run_explain(const struct command_options *o, int argc, char **argv)
{
	struct arguments a;
	int r = take_arguments(&a, argc, argv);
	if (r != COMMAND_OK)
		return r;
	if (a.n_rest != 1) {
		command_fail("explain needs the text, in quotation marks");
		return COMMAND_USAGE;
	}
	if (a.surface && !str_eq(a.surface, "public") && !str_eq(a.surface, "private")) {
		command_fail("--surface %s: it is public or private", a.surface);
		return COMMAND_USAGE;
	}
	if (!a.surface) /* every message was written somewhere; models look at it */
		a.surface = "public";
	struct classifier *c CLEANUP(classifier_close) = NULL;
	struct err e = {0};
	if (open_models(&a, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 1024 * 1024);
	buf_addf(&out, "models of %s%s%s; as a %s message\n\n", models_folder(&a), a.model ? ", and " : "", a.model ? a.model : "", a.surface);
	struct classifier_input in = {.text = span_str(a.rest[0]), .lang = a.lang, .surface = a.surface, .channel = a.channel};
	if (explain(c, &in, a.task, &out, &e) < 0)
		return command_fail("%s", err_text(&e));
	return print_explanation(o, buf_str(&out));
}

/* --- learn ----------------------------------------------------------------------------------------------------- */

/* Everything that is there for others to use goes first: this runs beside a service that must not wait. */
static void step_back(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 19);
	sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
}

struct learning {
	struct arguments a;
	struct dataset rows, corrections, test;
	struct model running, shipped;
	struct buf model, report;
};

static void learning_free(struct learning *l)
{
	dataset_free(&l->rows);
	dataset_free(&l->corrections);
	dataset_free(&l->test);
	model_close(&l->running);
	model_close(&l->shipped);
	buf_free(&l->model);
	buf_free(&l->report);
}

static int learn_read(struct learning *l)
{
	const struct arguments *a = &l->a;
	struct err e = {0};
	int r = read_files(a, &l->rows, a->data, a->n_data, a->task);
	if (r == COMMAND_OK)
		r = read_files(a, &l->corrections, a->corrections, a->n_corrections, a->task);
	if (r == COMMAND_OK && a->n_test)
		r = read_files(a, &l->test, a->test, a->n_test, a->task);
	if (r == COMMAND_OK && (model_open(&l->running, a->against, &e) || classifier_check_model(&l->running, a->task, a->against, &e)))
		r = command_fail("%s", err_text(&e));
	if (r == COMMAND_OK && a->shipped && model_open(&l->shipped, a->shipped, &e))
		r = command_fail("%s", err_text(&e));
	return r;
}

static int run_learn(const struct command_options *o, int argc, char **argv)
{
	struct learning l CLEANUP(learning_free) = {0};
	struct learn_verdict v;
	struct err e = {0};
	(void)o;
	int r = take_options(&l.a, argc, argv);
	if (r != COMMAND_OK)
		return r;
	const struct arguments *a = &l.a;
	if (!dataset_labels(a->task) || !a->n_data || !a->n_corrections || !a->against || !a->out) {
		command_fail("learn needs --task TASK (one of the product's), --data FILE.tsv, --corrections FILE.tsv, "
			     "--against MODEL and --out MODEL; --test FILE.tsv may be added");
		return COMMAND_USAGE;
	}
	if (check_out(a->out) != COMMAND_OK)
		return COMMAND_FAILED;
	if (a->background)
		step_back();
	r = learn_read(&l);
	if (r != COMMAND_OK)
		return r;
	buf_init(&l.model, MODEL_FILE_MAX);
	buf_init(&l.report, 1024 * 1024);
	struct learn_options how = {.task = a->task, .rows = &l.rows, .corrections = &l.corrections, .test = &l.test,
		.running = &l.running, .shipped = a->shipped ? &l.shipped : NULL,
		.trained_ms = a->trained_ms ? strtoll(a->trained_ms, NULL, 10) : now_ms(),
		.progress = a->background || a->quiet ? NULL : progress, .ctx = (void *)(uintptr_t)a->task};
	if (learn(&how, &v, &l.model, &l.report, &e) || train_save(&l.model, a->out, &e))
		return command_fail("%s", err_text(&e));
	fputs(buf_str(&l.report), stdout);
	return v.better ? COMMAND_OK : LEARN_EXIT_REFUSED;
}

static int run_data_check(const struct command_options *o, int argc, char **argv)
{
	struct arguments a;
	int r = take_arguments(&a, argc, argv);
	if (r != COMMAND_OK)
		return r;
	if (!a.n_rest) {
		command_fail("data-check needs one FILE.tsv or more");
		return COMMAND_USAGE;
	}
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 16 * 1024 * 1024);
	const char *task = a.task ? a.task : "intent";
	struct dataset rows CLEANUP(dataset_free) = {0};
	r = read_files(&a, &rows, a.rest, a.n_rest, task);
	if (r != COMMAND_OK)
		return r;
	struct err e = {0};
	size_t across = 0;
	if (check_dataset(&rows, &a.train, &out, &across, &e) < 0)
		return command_fail("%s", err_text(&e));
	print_explanation(o, buf_str(&out));
	return across * 100 > rows.n ? COMMAND_FAILED : COMMAND_OK;
}

const struct command commands_intent[] = {
	{"intent", "train", run_train, "--task T --data FILE.tsv [--valid F] [--test F] --out MODEL",
		"train a model from labelled messages"},
	{"intent", "eval", run_eval, "--model MODEL --test FILE.tsv", "measure a model on labelled messages"},
	{"intent", "explain", run_explain, "[--task T] [--models DIR] [--model FILE] [--surface private] [--channel x] \"TEXT\"", "what a text means, and the features that decided"},
	{"intent", "learn", run_learn, "--task T --data F --corrections F [--test F] --against MODEL --out MODEL",
		"train with corrections too; status 0: better, 3: not"},
	{"intent", "data-check", run_data_check, "[--task T] FILE.tsv...",
		"near-duplicates, balance and suspicious labels of training files"},
	{NULL},
};
