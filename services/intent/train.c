#include "train.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/words.h"
#include "services/intent/calibrate.h"
#include "services/intent/matrix.h"
#include "services/intent/measure.h"
#include "services/intent/modelfile.h"
#include "services/intent/solver.h"
#include "services/intent/train_options.h"

#define KNOW_BUCKETS 2048
#define LANGUAGE_WORDS 16384
#define LANGUAGE_CHARS 32768
#define FLAG_BUCKETS 131072
#define CARE_COLUMNS 32
#define BLOCK_BUCKETS 49152 /* more has not helped */
#define NAME_ROWS 2         /* rows made of each label's name */

/*
 * For labels of somebody's own. Many, or with few rows each, are intents: words side by side and apart say most. Few with
 * many rows are kinds of complaint or of feeling, often one much rarer than another: concepts and feelings join, and the
 * fit is held back more.
 */
static void defaults_of_labels(struct train_options *o, uint32_t labels, size_t rows)
{
	bool few = labels < TRAIN_MANY_LABELS && rows >= TRAIN_MANY_ROWS * labels;
	o->solver = SOLVER_CRAMMER_SINGER;
	o->c = few ? 0.3 : 0.5;
	o->eps = few || rows < TRAIN_FOLDS_ROWS ? 0.1 : 0.3;
	o->balance = few ? 0.7 : 0.5;
	memcpy(o->weight, (float[BLOCKS]){[BLOCK_WORD] = 1, [BLOCK_CHARS] = 1, [BLOCK_PAIRS] = few ? 0.7f : 0.8f,
		[BLOCK_KNOW] = 0.6f}, sizeof(o->weight));
	o->spec = (struct features_spec){.options = FEATURE_PLAIN | FEATURE_STYLE | FEATURE_STEM | FEATURE_PAIR,
		.chars_min = 2, .chars_max = few ? 5 : 4, .words_max = 2};
	if (few)
		o->spec.options |= FEATURE_NEGATION | FEATURE_CONCEPT | FEATURE_META | FEATURE_FEELING;
}

void train_defaults(struct train_options *o, const char *task)
{
	*o = (struct train_options){.task = task, .abstain_cost = 0.5, .by_labels = true};
	defaults_of_labels(o, TRAIN_MANY_LABELS, 0);
	if (str_eq(task, "urgency")) { /* words tell the event, and the next event is another; what is meant comes again */
		o->spec.options = FEATURE_CRISIS;
		o->spec.buckets[BLOCK_KNOW] = KNOW_BUCKETS;
		o->solver = SOLVER_LOGISTIC;
		o->c = 0.3;
		o->eps = 0.1;
		o->balance = 1;
		return;
	}
	if (!dataset_labels(task))
		return;
	o->c = 0.5;
	o->eps = 0.1;
	o->balance = 0;
	o->spec.chars_max = 5;
	if (str_eq(task, "language")) {
		o->spec.options = 0;
		o->spec.chars_min = 1;
		o->spec.words_max = 1;
		o->spec.chars_max = 4;
		o->spec.buckets[BLOCK_WORD] = LANGUAGE_WORDS;
		o->spec.buckets[BLOCK_CHARS] = LANGUAGE_CHARS;
		o->balance = 0.7;
		o->weight[BLOCK_WORD] = 0.8f;
		return;
	}
	o->spec.options = FEATURE_PLAIN | FEATURE_STYLE | FEATURE_NEGATION | FEATURE_CONCEPT | FEATURE_META | FEATURE_STEM;
	o->weight[BLOCK_WORD] = 1.4f;
	o->weight[BLOCK_CHARS] = 1.1f;
	o->weight[BLOCK_KNOW] = 0.55f;
	if (str_eq(task, "sentiment")) { /* stems hurt it; rare classes matter */
		o->spec.options &= ~(uint32_t)FEATURE_STEM;
		o->spec.options |= FEATURE_FEELING;
		o->solver = SOLVER_LOGISTIC_DUAL;
		o->c = 2;
		o->balance = 0.7;
		o->weight[BLOCK_KNOW] = 0.7f;
	}
	if (dataset_is_multi(task)) {
		o->solver = SOLVER_LOGISTIC;
		o->c = 3;
		o->balance = 0.5;
		/* Pieces of words raise flags in texts of another kind, which whole words do not. */
		o->spec.buckets[BLOCK_WORD] = FLAG_BUCKETS;
		o->spec.buckets[BLOCK_KNOW] = KNOW_BUCKETS;
	}
}

struct training {
	struct train_options *o; /* as they turned out, by the labels */
	struct features_spec spec;
	struct dataset rows;        /* those given, then NAME_ROWS per label */
	size_t given;
	const struct dataset_row *original; /* of the rows given: they outlive the training, the copies do not */
	char **name;                /* the labels' names as texts */
	const char *labels[MODEL_LABELS_MAX]; /* per column */
	const char *finer[MODEL_LABELS_MAX];  /* what kind of the label's rows the column is for, "" = the rest */
	uint32_t n_labels;                    /* columns */
	bool multi, own;            /* own: not the labels of a task of the product */
	int *truth;                 /* exclusive: per row */
	struct matrix matrix;
	bool *held_out;             /* per row */
	float *weights;             /* of the last fit */
	struct measure_row *judged; /* held-out rows, for the report */
	float *scores;              /* held-out rows x labels */
	int *scored_truth;
	const struct dataset_row **scored_row;
	size_t n_scored;
	float temperature, threshold;
	struct model_platt platt[MODEL_LABELS_MAX];
};

static void say(struct training *t, const char *fmt, ...) PRINTF(2, 3);

static void say(struct training *t, const char *fmt, ...)
{
	if (!t->o->progress)
		return;
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->o->progress(t->o->ctx, text);
}

/* --- labels ---------------------------------------------------------------------------------------------------- */

static bool has_label(const char *list, const char *label)
{
	size_t len = strlen(label);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, label, len) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A product task's labels that occur, in the set's order. */
static void take_known_labels(struct training *t, const char *const *known)
{
	for (; *known; known++)
		for (size_t i = 0; i < t->rows.n; i++)
			if (has_label(t->rows.rows[i].label, *known)) {
				t->labels[t->n_labels++] = *known;
				break;
			}
}

/* Columns for the kinds of one label's rows that have enough of them. Labels that would be too many stay whole. */
static void divide_label(struct training *t, const char *label)
{
	uint32_t from = t->n_labels;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct dataset_row *row = &t->rows.rows[i];
		if (!str_eq(row->label, label) || !row->finer[0])
			continue;
		bool had = false;
		for (uint32_t c = from; c < t->n_labels && !had; c++)
			had = str_eq(t->finer[c], row->finer);
		size_t n = 0;
		for (size_t k = i; k < t->rows.n && !had; k++)
			n += str_eq(t->rows.rows[k].label, label) && str_eq(t->rows.rows[k].finer, row->finer);
		if (had || n < TRAIN_FINER_ROWS || t->n_labels == MODEL_LABELS_MAX)
			continue;
		t->labels[t->n_labels] = label;
		t->finer[t->n_labels++] = row->finer;
	}
}

/* The column of a row: its label's for its kind, else its label's first. -1 for a label that is not there. */
static int column_of(const struct training *t, const struct dataset_row *row)
{
	int column = -1;
	for (uint32_t i = 0; i < t->n_labels; i++) {
		if (!str_eq(t->labels[i], row->label))
			continue;
		if (str_eq(t->finer[i], row->finer))
			return (int)i;
		if (column < 0)
			column = (int)i;
	}
	return column;
}

/* The whole labels come first, each as the column of its rows that are of no frequent kind, if there are any. */
static void divide_labels(struct training *t)
{
	uint32_t whole = t->n_labels;
	for (uint32_t c = 0; c < whole; c++)
		divide_label(t, t->labels[c]);
	if (t->n_labels == whole)
		return;
	size_t rows[MODEL_LABELS_MAX] = {0};
	for (size_t i = 0; i < t->rows.n; i++)
		rows[column_of(t, &t->rows.rows[i])]++;
	uint32_t kept = 0;
	for (uint32_t c = 0; c < t->n_labels; c++)
		if (rows[c]) {
			t->labels[kept] = t->labels[c];
			t->finer[kept++] = t->finer[c];
		}
	t->n_labels = kept;
}

static int take_own_labels(struct training *t, struct err *e)
{
	const char **all = malloc((t->rows.n + 1) * sizeof(*all));
	if (!all)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < t->rows.n; i++)
		all[i] = t->rows.rows[i].label;
	qsort(all, t->rows.n, sizeof(*all), by_name);
	int r = 0;
	for (size_t i = 0; i < t->rows.n && r == 0; i++) {
		if (i && str_eq(all[i], all[i - 1]))
			continue;
		if (t->n_labels == MODEL_LABELS_MAX)
			r = err_set(e, -EINVAL, "more than %d labels", MODEL_LABELS_MAX);
		else
			t->labels[t->n_labels++] = all[i];
	}
	free(all);
	return r;
}

/* Whether every row has a label of this set, and the set is as a product's task has it. */
static bool labels_fit(const struct training *t, const char *const *set)
{
	for (size_t i = 0; set && !t->multi && i < t->rows.n; i++) {
		const char *const *l = set;
		while (*l && !str_eq(*l, t->rows.rows[i].label))
			l++;
		if (!*l)
			return false;
	}
	return set != NULL;
}

/* A task of the product that is given somebody's own labels is a task of somebody's own; and one with the labels of
 * sentiment is sentiment, however it is called. */
static void choose_by_labels(struct training *t)
{
	const char *task = t->o->task;
	if (!t->o->by_labels || !t->own || str_eq(task, "urgency"))
		return;
	if (labels_fit(t, dataset_labels("sentiment"))) {
		struct train_options as;
		train_defaults(&as, "sentiment");
		t->o->spec = as.spec;
		memcpy(t->o->weight, as.weight, sizeof(as.weight));
		t->o->solver = as.solver;
		t->o->c = as.c;
		t->o->eps = as.eps;
		t->o->balance = as.balance;
	} else {
		defaults_of_labels(t->o, t->n_labels, t->given);
	}
}

static int take_labels(struct training *t, struct err *e)
{
	const char *const *known = dataset_labels(t->o->task);
	int r = 0;
	t->own = !labels_fit(t, known);
	if (t->own)
		r = take_own_labels(t, e);
	else
		take_known_labels(t, known);
	for (uint32_t c = 0; c < t->n_labels; c++)
		t->finer[c] = "";
	choose_by_labels(t);
	if (r == 0 && !t->multi && !t->own && dataset_finer(t->o->task))
		divide_labels(t);
	if (r == 0 && t->n_labels < (t->multi ? 1 : 2))
		r = err_set(e, -EINVAL, "%zu rows with %u labels make no model of %s: two labels are needed", t->given,
			t->n_labels, t->o->task);
	return r;
}

static int take_truth(struct training *t, struct err *e)
{
	t->truth = calloc(t->rows.n + 1, sizeof(*t->truth));
	if (!t->truth)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !t->multi && i < t->rows.n; i++)
		t->truth[i] = column_of(t, &t->rows.rows[i]);
	return 0;
}

/* "card_arrival", "BookRestaurant" as somebody would say it; NULL when it is not a word. */
static char *said(const char *label)
{
	size_t letters = 0, n = 0;
	char *out = malloc(2 * strlen(label) + 1);
	for (const char *p = label; out && *p; p++) {
		bool upper = *p >= 'A' && *p <= 'Z', lower = *p >= 'a' && *p <= 'z';
		if (upper && p > label && p[-1] >= 'a' && p[-1] <= 'z')
			out[n++] = ' ';
		out[n++] = strchr("_-/.+", *p) ? ' ' : *p;
		letters += upper || lower || (*p & 0x80);
	}
	if (out)
		out[n] = 0;
	if (letters > 1)
		return out;
	free(out);
	return NULL;
}

/* The language most rows are in, "" when they do not say. */
static const char *main_language(const struct dataset *d)
{
	size_t rows[WORDS_LANGUAGES + 1] = {0}, best = 0;
	for (size_t i = 0; i < d->n; i++)
		rows[words_language_of(d->rows[i].lang) + 1]++;
	for (size_t k = 1; k <= WORDS_LANGUAGES; k++)
		best = rows[k] > rows[best] ? k : best;
	return words_language_code((int)best - 1);
}

/* The names that people give to labels of their own say what they mean; with few rows per label that helps much. */
static int add_names(struct training *t, struct err *e)
{
	const char *language = main_language(&t->rows);
	t->name = calloc(t->n_labels + 1, sizeof(*t->name));
	if (!t->name)
		return err_set(e, -ENOMEM, "out of memory");
	if (!t->own)
		return 0;
	for (uint32_t c = 0; c < t->n_labels; c++) {
		t->name[c] = said(t->labels[c]);
		for (int k = 0; t->name[c] && k < NAME_ROWS; k++)
			t->rows.rows[t->rows.n++] = (struct dataset_row){.text = t->name[c], .label = t->labels[c],
				.lang = language, .surface = "", .channel = "", .id = "", .finer = ""};
	}
	return 0;
}

/* A copy of the rows with room for the labels' names. */
static int copy_rows(struct training *t, const struct dataset *given, struct err *e)
{
	t->given = given->n;
	t->original = given->rows;
	t->rows = *given;
	t->rows.rows = malloc((given->n + NAME_ROWS * MODEL_LABELS_MAX) * sizeof(*t->rows.rows));
	if (!t->rows.rows)
		return err_set(e, -ENOMEM, "out of memory");
	if (given->n)
		memcpy(t->rows.rows, given->rows, given->n * sizeof(*given->rows));
	return 0;
}

/* --- one fit --------------------------------------------------------------------------------------------------- */

static int fit_labels(struct training *t, const int *label, int classes, float *weights, struct err *e)
{
	const struct matrix *m = &t->matrix;
	struct feature_node **row = malloc((m->rows + 1) * sizeof(struct feature_node *));
	int *y = malloc((m->rows + 1) * sizeof(*y));
	double *weight = calloc((size_t)classes, sizeof(*weight));
	int r = row && y && weight ? 0 : err_set(e, -ENOMEM, "out of memory");
	size_t n = 0;
	for (size_t i = 0; r == 0 && i < m->rows; i++)
		if (!t->held_out[i]) {
			row[n] = m->node[i];
			y[n] = label[i];
			weight[label[i]]++;
			n++;
		}
	int used = 0;
	for (int c = 0; r == 0 && c < classes; c++)
		used += weight[c] > 0;
	for (int c = 0; r == 0 && c < classes; c++)
		weight[c] = weight[c] >= TRAIN_FEW_ROWS ? __builtin_pow((double)n / used / weight[c], t->o->balance) : 1;
	struct solver_problem p = {.rows = n, .dimensions = m->dimensions + 1, .classes = classes, .row = row, .label = y,
		.solver = t->o->solver, .c = t->o->c, .eps = t->o->eps, .class_weight = t->o->balance > 0 ? weight : NULL};
	if (r == 0 && n > 0)
		r = solver_fit(&p, weights, e);
	free(row);
	free(y);
	free(weight);
	return r;
}

/* One label against the rest, for each label. */
static int fit_multi(struct training *t, struct err *e)
{
	size_t dimensions = t->matrix.dimensions + 1;
	float *two = malloc(dimensions * 2 * sizeof(*two));
	int *label = malloc((t->rows.n + 1) * sizeof(*label));
	int r = two && label ? 0 : err_set(e, -ENOMEM, "out of memory");
	for (uint32_t c = 0; c < t->n_labels && r == 0; c++) {
		for (size_t i = 0; i < t->rows.n; i++)
			label[i] = has_label(t->rows.rows[i].label, t->labels[c]);
		r = fit_labels(t, label, 2, two, e);
		for (size_t d = 0; d < dimensions && r == 0; d++)
			t->weights[d * t->n_labels + c] = two[d * 2 + 1];
	}
	free(two);
	free(label);
	return r;
}

/* Fits the rows that are not held out and writes a model file. */
static int fit(struct training *t, const char *report, struct buf *out, struct err *e)
{
	int r = t->multi ? fit_multi(t, e) : fit_labels(t, t->truth, (int)t->n_labels, t->weights, e);
	if (r < 0)
		return r;
	struct modelfile f = {.task = t->o->task, .labels = t->labels, .n_labels = t->n_labels,
		.kind = t->multi ? MODEL_MULTI : MODEL_EXCLUSIVE, .spec = t->spec,
		.idf = (const uint8_t *const *)t->matrix.idf, .weights = t->weights, .platt = t->platt,
		.temperature = t->temperature, .threshold = t->threshold, .rows = t->given,
		.trained_ms = t->o->trained_ms, .report = report};
	memcpy(f.block_weight, t->o->weight, sizeof(f.block_weight));
	return modelfile_write(&f, out) < 0 ? err_set(e, -ENOMEM, "the model needs more memory than there is") : 0;
}

/* --- held-out rows --------------------------------------------------------------------------------------------- */

static void keep_score(struct training *t, const struct model *m, const struct features *f, const struct dataset_row *row)
{
	float all[MODEL_LABELS_MAX + 32];
	model_score(m, f, all);
	memcpy(t->scores + t->n_scored * t->n_labels, all, t->n_labels * sizeof(*all));
	t->scored_truth[t->n_scored] = t->multi ? 0 : column_of(t, row);
	t->scored_row[t->n_scored++] = row;
}

static int score_held_out(struct training *t, const struct buf *bytes, struct err *e)
{
	struct model m;
	int r = model_from_bytes(&m, buf_span(bytes), "held-out model", e);
	for (size_t i = 0; i < t->given && r == 0; i++) {
		if (!t->held_out[i])
			continue;
		struct features f = matrix_row(&t->matrix, i);
		keep_score(t, &m, &f, &t->original[i]);
	}
	return r;
}

static int score_valid(struct training *t, const struct dataset *valid, const struct buf *bytes, struct err *e)
{
	struct model m;
	struct matrix x;
	int r = model_from_bytes(&m, buf_span(bytes), "validated model", e);
	if (r < 0)
		return r;
	r = matrix_build(&x, valid, &t->spec);
	for (size_t i = 0; i < valid->n && r == 0; i++) {
		struct features f = matrix_row(&x, i);
		keep_score(t, &m, &f, &valid->rows[i]);
	}
	matrix_free(&x);
	return r < 0 ? err_set(e, r, "out of memory") : 0;
}

static int score_folds(struct training *t, struct buf *bytes, struct err *e)
{
	/* Rows with the same text fall into the same fold. */
	bool folds = t->o->folds > 1 || t->given <= TRAIN_FOLDS_ROWS;
	unsigned parts = folds ? MAX(t->o->folds, 2u) : 10, rounds = folds ? parts : 1;
	if (folds && !t->o->folds)
		parts = rounds = TRAIN_FOLDS;
	int r = 0;
	for (unsigned k = 0; k < rounds && r == 0; k++) {
		say(t, "%s %u of %u", folds ? "fold" : "holding out part", k + 1, parts);
		size_t out = 0;
		for (size_t i = 0; i < t->given; i++) {
			const char *text = t->rows.rows[i].text;
			t->held_out[i] = XXH3_64bits(text, strlen(text)) % parts == k;
			out += t->held_out[i];
		}
		if (!out || out == t->given)
			continue;
		r = fit(t, "", bytes, e);
		if (r == 0)
			r = score_held_out(t, bytes, e);
	}
	memset(t->held_out, 0, t->rows.n);
	return r;
}

/* --- calibration ----------------------------------------------------------------------------------------------- */

static int calibrate_multi(struct training *t, struct err *e)
{
	size_t n = t->n_scored;
	float *score = malloc((n + 1) * sizeof(*score));
	bool *truth = malloc((n + 1) * sizeof(*truth));
	for (uint32_t c = 0; score && truth && c < t->n_labels; c++) {
		for (size_t i = 0; i < n; i++) {
			score[i] = t->scores[i * t->n_labels + c];
			truth[i] = has_label(t->scored_row[i]->label, t->labels[c]);
		}
		t->platt[c] = calibrate_platt(score, truth, n);
	}
	int r = score && truth ? 0 : err_set(e, -ENOMEM, "out of memory");
	free(score);
	free(truth);
	return r;
}

/* The temperature over the columns, the threshold over the labels they belong to. */
static int calibrate_exclusive(struct training *t, const struct buf *bytes, struct err *e)
{
	struct model m;
	t->temperature = calibrate_temperature(t->scores, t->scored_truth, t->n_scored, t->n_labels);
	int r = model_from_bytes(&m, buf_span(bytes), "model", e);
	if (r < 0)
		return r;
	struct model_head head = *m.head;
	head.temperature = t->temperature;
	m.head = &head;
	float *log_p = malloc((t->n_scored + 1) * t->n_labels * sizeof(*log_p));
	int *truth = malloc((t->n_scored + 1) * sizeof(*truth));
	for (size_t i = 0; log_p && truth && i < t->n_scored; i++) {
		float p[MODEL_LABELS_MAX];
		memcpy(p, t->scores + i * t->n_labels, t->n_labels * sizeof(*p));
		model_probabilities(&m, p);
		for (uint32_t c = 0; c < t->n_labels; c++)
			log_p[i * t->n_labels + c] = logf(MAX(p[c], 1e-20f));
		truth[i] = t->scored_truth[i] < 0 ? -1 : m.first[t->scored_truth[i]];
	}
	if (log_p && truth)
		t->threshold = calibrate_threshold(log_p, truth, t->n_scored, t->n_labels, 1, t->o->abstain_cost);
	r = log_p && truth ? 0 : err_set(e, -ENOMEM, "out of memory");
	free(log_p);
	free(truth);
	return r;
}

static int by_doubt(const void *a, const void *b)
{
	const struct train_suspect *x = a, *y = b;
	return x->probability > y->probability ? -1 : x->probability < y->probability;
}

static void list_suspects(struct training *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_scored; i++) {
		const struct measure_row *j = &t->judged[i];
		if (j->truth != j->answer && (double)j->probability >= t->o->suspect_probability)
			t->o->suspects[n++] = (struct train_suspect){t->scored_row[i], j->answer, j->probability};
	}
	t->o->suspects[n].row = NULL;
	qsort(t->o->suspects, n, sizeof(*t->o->suspects), by_doubt);
}

/* The report over the held-out rows; `m` has the labels, temperature and thresholds that were found. */
static int report(struct training *t, const struct buf *bytes, struct buf *out, struct err *e)
{
	struct model m;
	int r = model_from_bytes(&m, buf_span(bytes), "model", e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->n_scored; i++) {
		float p[MODEL_LABELS_MAX + 32];
		memcpy(p, t->scores + i * t->n_labels, t->n_labels * sizeof(*p));
		model_probabilities(&m, p);
		measure_row_set(&m, p, t->scored_row[i]->label, &t->judged[i]);
	}
	if (t->o->suspects)
		list_suspects(t);
	measure_report(&m, t->judged, t->n_scored, out);
	return out->broken ? err_set(e, -ENOMEM, "out of memory") : 0;
}

/* --- all of it ------------------------------------------------------------------------------------------------- */

/* As many buckets as TRAIN_FILE_BYTES have room for: a bucket is a byte per column and one for its idf. */
static void size_tables(struct training *t)
{
	/* Tables of one size for all tasks that look at the same things: their models are scored in one pass (panel.h). */
	uint32_t columns = (MAX(t->n_labels, dataset_labels(t->o->task) ? CARE_COLUMNS : 1u) + 15) / 16 * 16;
	uint32_t *b = t->spec.buckets, options = t->spec.options, parts = options & FEATURE_PAIR ? 3 : 2;
	for (int i = 0; i < BLOCKS; i++)
		if (b[i])
			return;
	b[BLOCK_KNOW] = options & (FEATURE_CONCEPT | FEATURE_META | FEATURE_FEELING) ? KNOW_BUCKETS : 0;
	uint32_t left = TRAIN_FILE_BYTES / (columns + 1) - b[BLOCK_KNOW];
	b[BLOCK_WORD] = b[BLOCK_CHARS] = MIN(left / parts, (uint32_t)BLOCK_BUCKETS) / 64 * 64;
	b[BLOCK_PAIRS] = parts == 3 ? b[BLOCK_WORD] : 0;
}

static int prepare(struct training *t, const struct dataset *valid, struct err *e)
{
	int r = take_labels(t, e);
	if (r == 0)
		r = add_names(t, e);
	if (r == 0)
		r = take_truth(t, e);
	if (r < 0)
		return r;
	t->spec = t->o->spec;
	size_tables(t);
	r = features_spec_check(&t->spec);
	if (r < 0)
		return err_set(e, r, "these features are outside their limits");
	say(t, "%zu rows, %u labels", t->given, t->n_labels);
	r = matrix_build(&t->matrix, &t->rows, &t->spec);
	if (r == 0)
		r = matrix_weigh(&t->matrix, t->o->weight);
	size_t scored = MAX(t->given, valid ? valid->n : 0) + 1;
	t->held_out = calloc(t->rows.n + 1, sizeof(*t->held_out));
	t->weights = calloc(((size_t)t->matrix.dimensions + 1) * t->n_labels, sizeof(*t->weights));
	t->scores = calloc(scored * t->n_labels, sizeof(*t->scores));
	t->scored_truth = calloc(scored, sizeof(*t->scored_truth));
	t->scored_row = calloc(scored, sizeof(*t->scored_row));
	t->judged = calloc(scored, sizeof(*t->judged));
	if (r < 0 || !t->held_out || !t->weights || !t->scores || !t->scored_truth || !t->scored_row || !t->judged)
		return err_set(e, -ENOMEM, "the rows need more memory than there is");
	return 0;
}

static int train_all(struct training *t, const struct dataset *valid, struct buf *out, struct err *e)
{
	struct buf words CLEANUP(buf_free);
	buf_init(&words, 4 * 1024 * 1024);
	if (t->o->no_calibration) /* one fit */
		return fit(t, "", out, e);
	int r = 0;
	if (!valid) {
		r = score_folds(t, out, e);
		if (r < 0)
			return r;
	}
	say(t, "fitting all rows");
	r = fit(t, "", out, e);
	if (r == 0 && valid)
		r = score_valid(t, valid, out, e);
	if (r == 0)
		r = t->multi ? calibrate_multi(t, e) : calibrate_exclusive(t, out, e);
	if (r < 0)
		return r;
	/* The same weights once more with what calibration found, and then with the report about that. */
	struct modelfile f = {.task = t->o->task, .labels = t->labels, .n_labels = t->n_labels,
		.kind = t->multi ? MODEL_MULTI : MODEL_EXCLUSIVE, .spec = t->spec,
		.idf = (const uint8_t *const *)t->matrix.idf, .weights = t->weights, .platt = t->platt,
		.temperature = t->temperature, .threshold = t->threshold, .rows = t->given,
		.trained_ms = t->o->trained_ms};
	memcpy(f.block_weight, t->o->weight, sizeof(f.block_weight));
	if (modelfile_write(&f, out) < 0)
		return err_set(e, -ENOMEM, "the model needs more memory than there is");
	r = report(t, out, &words, e);
	if (r < 0)
		return r;
	struct train_options made = *t->o;
	made.spec = t->spec;
	buf_adds(&words, "\n");
	train_options_print(&made, &words);
	f.report = buf_str(&words);
	return modelfile_write(&f, out) < 0 ? err_set(e, -ENOMEM, "the model needs more memory than there is") : 0;
}

int train_model(const struct dataset *rows, const struct dataset *valid, const struct train_options *o, struct buf *out,
	struct err *e)
{
	struct train_options options = *o;
	struct training t = {.o = &options, .multi = dataset_is_multi(o->task), .temperature = 1};
	int r = copy_rows(&t, rows, e);
	if (r == 0)
		r = prepare(&t, valid, e);
	if (r == 0)
		r = train_all(&t, valid, out, e);
	matrix_free(&t.matrix);
	for (uint32_t c = 0; t.name && c < t.n_labels; c++)
		free(t.name[c]);
	free(t.name);
	free(t.rows.rows);
	free(t.truth);
	free(t.held_out);
	free(t.weights);
	free(t.scores);
	free(t.scored_truth);
	free(t.scored_row);
	free(t.judged);
	return r;
}

int train_save(const struct buf *model, const char *path, struct err *e)
{
	char temporary[4096];
	int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", temporary, strerror(errno));
	size_t done = 0;
	while (done < model->len) {
		ssize_t w = write(fd, model->data + done, model->len - done);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		done += (size_t)w;
	}
	int r = done < model->len || fsync(fd) < 0 ? -errno : 0;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_set(e, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}
