#include "learn.h"

#include <math.h>
#include <xxhash.h>

#include "common/signature.h"
#include "services/intent/measure.h"
#include "services/intent/train_options.h"

#define CHANCE_DEVIATIONS 1.645 /* one-sided 5 % */

struct learning {
	const struct learn_options *o;
	struct train_options train;
	struct dataset corrections; /* without copies: a view, the texts belong to the caller */
	uint8_t *rows_part, *corrections_part; /* which part each belongs to */
	struct buf model;                      /* of a part */
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

/* ---- copies ---- */

/* Equal for a text and what was pasted from it. */
static uint64_t copy_of(const struct dataset_row *r, struct arena *a)
{
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	arena_reset(a);
	if (signature_compute(span_str(r->text), r->lang, a, &s) || !s.copy)
		return XXH3_64bits(r->text, strlen(r->text));
	return s.copy;
}

struct copy {
	uint64_t hash;
	size_t row;
};

static int by_hash(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Copies are no evidence of their own: the last word stands for all. They fall into one part with what they copy, so that
 * nothing is judged by a model that has seen it in other clothes. */
static int take_once(struct learning *l, struct err *e)
{
	const struct dataset *rows = l->o->rows, *all = l->o->corrections;
	struct copy *copies = calloc(all->n + 1, sizeof(*copies));
	struct arena a;
	l->corrections.rows = calloc(all->n + 1, sizeof(struct dataset_row));
	l->rows_part = calloc(rows->n + 1, 1);
	l->corrections_part = calloc(all->n + 1, 1);
	bool ok = copies && l->corrections.rows && l->rows_part && l->corrections_part;
	arena_init(&a, (size_t)64 * 1024 * 1024);
	for (size_t i = 0; ok && i < rows->n; i++)
		l->rows_part[i] = copy_of(&rows->rows[i], &a) % LEARN_FOLDS;
	for (size_t i = 0; ok && i < all->n; i++)
		copies[i] = (struct copy){copy_of(&all->rows[i], &a), i};
	if (ok)
		qsort(copies, all->n, sizeof(*copies), by_hash);
	for (size_t i = 0; ok && i < all->n; i++) {
		if (i + 1 < all->n && copies[i + 1].hash == copies[i].hash)
			continue;
		l->corrections_part[l->corrections.n] = copies[i].hash % LEARN_FOLDS;
		l->corrections.rows[l->corrections.n++] = all->rows[copies[i].row];
	}
	arena_free(&a);
	free(copies);
	return ok ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* ---- what is held back ---- */

/* One part of everything, and the rest of it; the texts belong to others. */
struct part {
	struct dataset rows, corrections; /* held back */
	struct dataset rest;              /* all other rows, then all other corrections */
	size_t rest_rows;                 /* of these, rows */
	bool *with, *without;             /* is the model right that was trained with corrections, without them */
};

static void part_free(struct part *p)
{
	free(p->rows.rows);
	free(p->corrections.rows);
	free(p->rest.rows);
	free(p->with);
	free(p->without);
}

static void deal(const struct dataset *from, const uint8_t *part, unsigned number, struct dataset *held, struct dataset *rest)
{
	for (size_t i = 0; i < from->n; i++) {
		struct dataset *to = part[i] == number ? held : rest;
		to->rows[to->n++] = from->rows[i];
	}
}

static int part_make(const struct learning *l, unsigned number, struct part *p, struct err *e)
{
	size_t rows = l->o->rows->n, corrections = l->corrections.n, most = MAX(rows, corrections) + 1;
	*p = (struct part){.rows.rows = calloc(rows + 1, sizeof(struct dataset_row)),
		.corrections.rows = calloc(corrections + 1, sizeof(struct dataset_row)),
		.rest.rows = calloc(rows + corrections + 1, sizeof(struct dataset_row)), .with = calloc(most, sizeof(bool)),
		.without = calloc(most, sizeof(bool))};
	if (!p->rows.rows || !p->corrections.rows || !p->rest.rows || !p->with || !p->without)
		return err_set(e, -ENOMEM, "out of memory");
	deal(l->o->rows, l->rows_part, number, &p->rows, &p->rest);
	p->rest_rows = p->rest.n;
	deal(&l->corrections, l->corrections_part, number, &p->corrections, &p->rest);
	return 0;
}

/* Trained on the first `n` of the rest. */
static int train_part(struct learning *l, const struct part *p, size_t n, struct model *ret, struct err *e)
{
	struct dataset some = {.rows = p->rest.rows, .n = n};
	int r = train_model(&some, NULL, &l->train, &l->model, e);
	return r ? r : model_from_bytes(ret, buf_span(&l->model), "held-back model", e);
}

static int judge_part(struct learning *l, struct part *p, struct learn_verdict *v, struct err *e)
{
	struct model m;
	int r = train_part(l, p, p->rest_rows, &m, e);
	r = r ? r : judge(&m, &p->rows, p->without, NULL, e);
	r = r ? r : train_part(l, p, p->rest.n, &m, e);
	r = r ? r : judge(&m, &p->rows, p->with, NULL, e);
	if (r)
		return r;
	v->rows += p->rows.n;
	for (size_t i = 0; i < p->rows.n; i++) {
		v->rows_wins += p->with[i] && !p->without[i];
		v->rows_losses += p->without[i] && !p->with[i];
	}
	r = judge(&m, &p->corrections, p->with, NULL, e);
	v->new_right += r ? 0 : count_right(p->with, p->corrections.n);
	return r;
}

static int judge_held_back(struct learning *l, struct learn_verdict *v, struct err *e)
{
	const struct dataset *corrections = &l->corrections;
	bool *right = calloc(corrections->n + 1, sizeof(*right));
	int r = right ? judge(l->o->running, corrections, right, NULL, e) : err_set(e, -ENOMEM, "out of memory");
	v->corrections = corrections->n;
	v->running_right = r == 0 ? count_right(right, corrections->n) : 0;
	free(right);
	/* One fit is enough where calibration does not decide the answer. */
	l->train.no_calibration = !dataset_is_multi(l->o->task);
	l->train.folds = 2;
	for (unsigned n = 0; n < LEARN_FOLDS && r == 0; n++) {
		struct part p CLEANUP(part_free) = {0};
		say(l, "holding back part %u of %d", n + 1, LEARN_FOLDS);
		r = part_make(l, n, &p, e);
		r = r ? r : judge_part(l, &p, v, e);
	}
	return r;
}

/* ---- the new model, and test data ---- */

static int train_new(struct learning *l, struct buf *model, struct err *e)
{
	const struct dataset *rows = l->o->rows, *corrections = &l->corrections;
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

/* More than chance takes. */
static bool spoils(size_t wins, size_t losses)
{
	return losses > wins && (double)(losses - wins) > CHANCE_DEVIATIONS * sqrt((double)(losses + wins));
}

static void decide(struct learn_verdict *v)
{
	double needed = MAX(2.0, ceil(LEARN_GAIN * (double)v->corrections));
	double gain = (double)v->new_right - (double)v->running_right;
	char *to = v->because;
	size_t room = sizeof(v->because);
	if (spoils(v->rows_wins, v->rows_losses))
		snprintf(to, room, "worse: with the corrections %zu of %zu training rows held back become wrong and %zu right",
			v->rows_losses, v->rows, v->rows_wins);
	else if (spoils(v->wins, v->losses))
		snprintf(to, room, "worse: %zu of %zu test rows become wrong and %zu right", v->losses, v->tested, v->wins);
	else if (v->new_f1 < v->running_f1 - LEARN_FALL)
		snprintf(to, room, "worse: macro-F1 on %zu test rows falls from %.3f to %.3f", v->tested, v->running_f1, v->new_f1);
	else if (v->new_f1 < v->shipped_f1 - LEARN_FALL)
		snprintf(to, room, "worse: macro-F1 on %zu test rows falls to %.3f, and the shipped model's is %.3f", v->tested,
			v->new_f1, v->shipped_f1);
	else if (gain < needed)
		snprintf(to, room, "not better: right on %zu of %zu corrections held back, the running model on %zu; %.0f more are "
				   "wanted",
			v->new_right, v->corrections, v->running_right, needed);
	else
		v->better = true;
	if (v->better)
		snprintf(to, room, "better: right on %zu of %zu corrections held back, the running model on %zu", v->new_right,
			v->corrections, v->running_right);
}

static void write_report(const struct learning *l, const struct learn_verdict *v, struct buf *out)
{
	buf_addf(out, "%s\n\n%s: %zu rows and %zu new corrections (%zu copies left out); compared with %s\n", v->because,
		l->o->task, l->o->rows->n, v->corrections, l->o->corrections->n - v->corrections, l->o->running->head->name);
	buf_addf(out, "%-34s %9s %9s\n", "", "running", "new");
	buf_addf(out, "%-34s %9zu %9zu\n", "right, of the corrections held back", v->running_right, v->new_right);
	buf_addf(out, "right on only one side, of %-7zu %9zu %9zu  (training rows held back)\n", v->rows, v->rows_losses, v->rows_wins);
	if (!v->tested) {
		buf_adds(out, "there are no test rows\n");
		return;
	}
	buf_addf(out, "right on only one side, of %-7zu %9zu %9zu  (test rows)\n", v->tested, v->losses, v->wins);
	buf_addf(out, "accuracy on these                  %8.2f%% %8.2f%%\n", 100 * v->running_accuracy, 100 * v->new_accuracy);
	buf_addf(out, "macro-F1 on these                  %8.2f%% %8.2f%%\n", 100 * v->running_f1, 100 * v->new_f1);
}

int learn(const struct learn_options *o, struct learn_verdict *ret, struct buf *model, struct buf *report, struct err *e)
{
	struct learning l = {.o = o};
	struct learn_verdict v = {0};
	int r = take_once(&l, e);
	if (r == 0 && l.corrections.n < LEARN_MIN)
		r = err_set(e, -EINVAL, "there are %zu new corrections of %s, %zu without copies; %d are needed", o->corrections->n,
			o->task, l.corrections.n, LEARN_MIN);
	train_defaults(&l.train, o->task);
	train_options_read(&l.train, o->running->report);
	l.train.trained_ms = o->trained_ms;
	buf_init(&l.model, MODEL_FILE_MAX);
	if (r == 0)
		r = judge_held_back(&l, &v, e);
	if (r == 0)
		r = train_new(&l, model, e);
	if (r == 0 && o->test->n)
		r = judge_test(&l, model, &v, e);
	if (r == 0) {
		decide(&v);
		write_report(&l, &v, report);
		*ret = v;
	}
	free(l.corrections.rows);
	free(l.rows_part);
	free(l.corrections_part);
	buf_free(&l.model);
	return r;
}
