#include "learn.h"

#include <math.h>
#include <xxhash.h>

#include "services/intent/measure.h"
#include "services/intent/train_options.h"

#define CHANCE_DEVIATIONS 1.645 /* one-sided 5 % */

struct learning {
	const struct learn_options *o;
	struct train_options train;
	struct buf model; /* of a fold */
};

static void say(const struct learning *l, const char *fmt, ...) PRINTF(2, 3);

static void say(const struct learning *l, const char *fmt, ...)
{
	if (!l->o->progress)
		return;
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->o->progress(l->o->ctx, text);
}

static bool is_right(const struct model *m, const struct measure_row *r)
{
	if (m->head->kind == MODEL_EXCLUSIVE)
		return r->truth == r->answer;
	return memcmp(r->truth_set, r->answer_set, sizeof(r->truth_set)) == 0;
}

/* Whether the model is right, row by row; also the sums. */
static int judge(const struct model *m, const struct dataset *d, bool *ret_right, struct measure *ret_sum, struct err *e)
{
	struct measure_row *rows = calloc(d->n + 1, sizeof(*rows));
	double seconds;
	int r = rows ? measure_run(m, d, rows, &seconds) : -ENOMEM;
	for (size_t i = 0; i < d->n && r == 0; i++)
		ret_right[i] = is_right(m, &rows[i]);
	if (r == 0 && ret_sum)
		measure_sum(m, rows, d->n, ret_sum);
	free(rows);
	return r < 0 ? err_set(e, r, "out of memory") : 0;
}

static size_t count_right(const bool *right, size_t n)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += right[i];
	return sum;
}

static unsigned part_of(const struct dataset_row *r)
{
	return (unsigned)(XXH3_64bits(r->text, strlen(r->text)) % LEARN_FOLDS);
}

/* ---- held-back corrections ---- */

/* One part is held back: trained on everything else, judged on it. Returns how many it gets right, or an error. */
static int judge_part(struct learning *l, unsigned part, struct err *e)
{
	const struct dataset *rows = l->o->rows, *corrections = l->o->corrections;
	struct dataset with = {.rows = calloc(rows->n + corrections->n + 1, sizeof(struct dataset_row))};
	struct dataset held = {.rows = calloc(corrections->n + 1, sizeof(struct dataset_row))};
	bool *right = calloc(corrections->n + 1, sizeof(*right));
	struct model m;
	int r = with.rows && held.rows && right ? 0 : err_set(e, -ENOMEM, "out of memory");
	if (r == 0) {
		memcpy(with.rows, rows->rows, rows->n * sizeof(*rows->rows));
		with.n = rows->n;
		for (size_t i = 0; i < corrections->n; i++) {
			struct dataset *to = part_of(&corrections->rows[i]) == part ? &held : &with;
			to->rows[to->n++] = corrections->rows[i];
		}
	}
	if (r == 0 && held.n)
		r = train_model(&with, NULL, &l->train, &l->model, e);
	if (r == 0 && held.n)
		r = model_from_bytes(&m, buf_span(&l->model), "held-back model", e);
	if (r == 0 && held.n)
		r = judge(&m, &held, right, NULL, e);
	if (r == 0)
		r = (int)count_right(right, held.n);
	free(with.rows);
	free(held.rows);
	free(right);
	return r;
}

static int judge_corrections(struct learning *l, struct learn_verdict *v, struct err *e)
{
	const struct dataset *corrections = l->o->corrections;
	bool *right = calloc(corrections->n + 1, sizeof(*right));
	int r = right ? judge(l->o->running, corrections, right, NULL, e) : err_set(e, -ENOMEM, "out of memory");
	v->corrections = corrections->n;
	v->running_right = r == 0 ? count_right(right, corrections->n) : 0;
	free(right);
	/* One fit is enough where calibration does not decide the answer. */
	l->train.no_calibration = !dataset_is_multi(l->o->task);
	l->train.folds = 2;
	for (unsigned part = 0; part < LEARN_FOLDS && r >= 0; part++) {
		say(l, "holding back part %u of %d of the corrections", part + 1, LEARN_FOLDS);
		r = judge_part(l, part, e);
		v->new_right += r > 0 ? (size_t)r : 0;
	}
	return MIN(r, 0);
}

/* ---- the new model, and test data ---- */

static int train_new(struct learning *l, struct buf *model, struct err *e)
{
	const struct dataset *rows = l->o->rows, *corrections = l->o->corrections;
	struct train_options o = l->train;
	struct dataset all = {.rows = calloc(rows->n + corrections->n + 1, sizeof(struct dataset_row)),
		.n = rows->n + corrections->n};
	if (!all.rows)
		return err_set(e, -ENOMEM, "out of memory");
	memcpy(all.rows, rows->rows, rows->n * sizeof(*rows->rows));
	memcpy(all.rows + rows->n, corrections->rows, corrections->n * sizeof(*rows->rows));
	o.no_calibration = false;
	o.folds = 0;
	o.progress = l->o->progress;
	o.ctx = l->o->ctx;
	int r = train_model(&all, NULL, &o, model, e);
	free(all.rows);
	return r;
}

static int judge_test(struct learning *l, const struct buf *model, struct learn_verdict *v, struct err *e)
{
	const struct dataset *test = l->o->test;
	bool *old = calloc(test->n + 1, sizeof(*old)), *new = calloc(test->n + 1, sizeof(*new)),
	     *base = calloc(test->n + 1, sizeof(*base));
	struct measure of_old, of_new, of_base;
	struct model m;
	const struct model *shipped = l->o->shipped ? l->o->shipped : l->o->running;
	int r = old && new && base ? 0 : err_set(e, -ENOMEM, "out of memory");
	r = r ? r : model_from_bytes(&m, buf_span(model), "new model", e);
	r = r ? r : judge(l->o->running, test, old, &of_old, e);
	r = r ? r : judge(&m, test, new, &of_new, e);
	r = r ? r : judge(shipped, test, base, &of_base, e);
	v->tested = test->n;
	for (size_t i = 0; i < test->n && r == 0; i++) {
		v->wins += new[i] && !old[i];
		v->losses += old[i] && !new[i];
	}
	if (r == 0) {
		v->running_accuracy = of_old.accuracy;
		v->new_accuracy = of_new.accuracy;
		v->running_f1 = of_old.macro_f1;
		v->new_f1 = of_new.macro_f1;
		v->shipped_f1 = of_base.macro_f1;
	}
	free(old);
	free(new);
	free(base);
	return r;
}

/* ---- the verdict ---- */

static void decide(struct learn_verdict *v)
{
	double needed = MAX(2.0, ceil(LEARN_GAIN * (double)v->corrections));
	double gain = (double)v->new_right - (double)v->running_right;
	double lost = (double)v->losses - (double)v->wins;
	if (lost > CHANCE_DEVIATIONS * sqrt((double)(v->losses + v->wins)) && lost > 0)
		snprintf(v->because, sizeof(v->because),
			"worse: on %zu test rows %zu answers became wrong and %zu right", v->tested, v->losses, v->wins);
	else if (v->new_f1 < v->running_f1 - LEARN_FALL)
		snprintf(v->because, sizeof(v->because), "worse: macro-F1 on %zu test rows falls from %.3f to %.3f", v->tested,
			v->running_f1, v->new_f1);
	else if (v->new_f1 < v->shipped_f1 - LEARN_FALL)
		snprintf(v->because, sizeof(v->because),
			"worse: macro-F1 on %zu test rows falls to %.3f, and the shipped model's is %.3f", v->tested, v->new_f1,
			v->shipped_f1);
	else if (gain < needed)
		snprintf(v->because, sizeof(v->because),
			"not better: right on %zu of %zu corrections held back, the running model on %zu; %.0f more are wanted",
			v->new_right, v->corrections, v->running_right, needed);
	else
		v->better = true;
	if (v->better)
		snprintf(v->because, sizeof(v->because),
			"better: right on %zu of %zu corrections held back, the running model on %zu", v->new_right,
			v->corrections, v->running_right);
}

static void write_report(const struct learning *l, const struct learn_verdict *v, struct buf *out)
{
	buf_addf(out, "%s\n\n%s: %zu rows and %zu new corrections; compared with %s\n", v->because, l->o->task, l->o->rows->n,
		v->corrections, l->o->running->head->name);
	buf_addf(out, "%-34s %9s %9s\n", "", "running", "new");
	buf_addf(out, "%-34s %9zu %9zu\n", "right, of the corrections held back", v->running_right, v->new_right);
	buf_addf(out, "accuracy on %-22zu %8.2f%% %8.2f%%\n", v->tested, 100 * v->running_accuracy, 100 * v->new_accuracy);
	buf_addf(out, "%-34s %8.2f%% %8.2f%%\n", "macro-F1 on the same rows", 100 * v->running_f1, 100 * v->new_f1);
	buf_addf(out, "test rows only one of them has right  %6zu %9zu\n", v->losses, v->wins);
}

int learn(const struct learn_options *o, struct learn_verdict *ret, struct buf *model, struct buf *report, struct err *e)
{
	struct learning l = {.o = o};
	struct learn_verdict v = {0};
	if (o->corrections->n < LEARN_MIN)
		return err_set(e, -EINVAL, "there are %zu new corrections of %s; %d are needed", o->corrections->n, o->task, LEARN_MIN);
	if (!o->test->n)
		return err_set(e, -EINVAL, "without test rows a new model can not be compared with the running one");
	train_defaults(&l.train, o->task);
	train_options_read(&l.train, o->running->report);
	l.train.trained_ms = o->trained_ms;
	buf_init(&l.model, MODEL_FILE_MAX);
	int r = judge_corrections(&l, &v, e);
	if (r == 0)
		r = train_new(&l, model, e);
	if (r == 0)
		r = judge_test(&l, model, &v, e);
	if (r == 0) {
		decide(&v);
		write_report(&l, &v, report);
		*ret = v;
	}
	buf_free(&l.model);
	return r;
}
