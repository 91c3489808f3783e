#include <math.h>
#include <xxhash.h>

#include "services/intent/calibrate.h"
#include "services/intent/train_internal.h"

static void keep_score(struct training *t, const struct model *m, const struct features *f, const struct dataset_row *row)
{
	float all[MODEL_LABELS_MAX + 32];
	model_score(m, f, all);
	memcpy(t->scores + t->n_scored * t->n_labels, all, t->n_labels * sizeof(*all));
	t->scored_truth[t->n_scored] = t->multi ? 0 : training_column_of(t, row);
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

int training_score_valid(struct training *t, const struct dataset *valid, const struct buf *bytes, struct err *e)
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

int training_score_folds(struct training *t, struct buf *bytes, struct err *e)
{
	/* Rows with the same text fall into the same fold. */
	bool folds = t->o->folds > 1 || t->given <= TRAIN_FOLDS_ROWS;
	unsigned parts = folds ? MAX(t->o->folds, 2u) : 10, rounds = folds ? parts : 1;
	if (folds && !t->o->folds)
		parts = rounds = TRAIN_FOLDS;
	int r = 0;
	for (unsigned k = 0; k < rounds && r == 0; k++) {
		training_say(t, "%s %u of %u", folds ? "fold" : "holding out part", k + 1, parts);
		size_t out = 0;
		for (size_t i = 0; i < t->given; i++) {
			const char *text = t->rows.rows[i].text;
			t->held_out[i] = XXH3_64bits(text, strlen(text)) % parts == k;
			out += t->held_out[i];
		}
		if (!out || out == t->given)
			continue;
		r = training_fit(t, bytes, e);
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
			truth[i] = training_has_label(t->scored_row[i]->label, t->labels[c]);
		}
		t->platt[c] = calibrate_platt(score, truth, n);
	}
	int r = score && truth ? 0 : err_set(e, -ENOMEM, "out of memory");
	free(score);
	free(truth);
	return r;
}

/* The logistic of the answers, with the model as it is so far. */
static int calibrate_answers(struct training *t, const struct model *m, struct err *e)
{
	float *odds = malloc((t->n_scored + 1) * sizeof(*odds));
	bool *right = malloc((t->n_scored + 1) * sizeof(*right));
	for (size_t i = 0; odds && right && i < t->n_scored; i++) {
		float p[MODEL_LABELS_MAX];
		memcpy(p, t->scores + i * t->n_labels, t->n_labels * sizeof(*p));
		model_probabilities(m, p);
		uint32_t answer = 0;
		for (uint32_t c = 1; c < t->n_labels; c++)
			answer = p[c] > p[answer] ? c : answer;
		odds[i] = model_log_odds(p[answer]);
		right[i] = t->scored_truth[i] >= 0 && m->first[t->scored_truth[i]] == answer;
	}
	if (odds && right)
		calibrate_answer(odds, right, t->n_scored, &t->answer_slope, &t->answer_offset);
	int r = odds && right ? 0 : err_set(e, -ENOMEM, "out of memory");
	free(odds);
	free(right);
	return r;
}

static int calibrate_abstention(struct training *t, const struct model *m, struct err *e)
{
	float *log_p = malloc((t->n_scored + 1) * t->n_labels * sizeof(*log_p));
	int *truth = malloc((t->n_scored + 1) * sizeof(*truth));
	for (size_t i = 0; log_p && truth && i < t->n_scored; i++) {
		float p[MODEL_LABELS_MAX];
		memcpy(p, t->scores + i * t->n_labels, t->n_labels * sizeof(*p));
		model_probabilities(m, p);
		for (uint32_t c = 0; c < t->n_labels; c++)
			log_p[i * t->n_labels + c] = logf(MAX(p[c], 1e-20f));
		truth[i] = t->scored_truth[i] < 0 ? -1 : m->first[t->scored_truth[i]];
	}
	if (log_p && truth)
		t->threshold = calibrate_threshold(log_p, truth, t->n_scored, t->n_labels, 1, t->o->abstain_cost);
	int r = log_p && truth ? 0 : err_set(e, -ENOMEM, "out of memory");
	free(log_p);
	free(truth);
	return r;
}

/* The temperature over the columns, the rest over the labels they belong to. */
static int calibrate_exclusive(struct training *t, const struct buf *bytes, struct err *e)
{
	struct model m;
	int r = model_from_bytes(&m, buf_span(bytes), "model", e);
	if (r < 0)
		return r;
	struct model_head head = *m.head;
	m.head = &head;
	head.temperature = t->temperature = calibrate_temperature(t->scores, t->scored_truth, t->n_scored, t->n_labels);
	r = calibrate_answers(t, &m, e);
	head.answer_slope = t->answer_slope;
	head.answer_offset = t->answer_offset;
	return r < 0 ? r : calibrate_abstention(t, &m, e);
}

int training_calibrate(struct training *t, const struct buf *bytes, struct err *e)
{
	return t->multi ? calibrate_multi(t, e) : calibrate_exclusive(t, bytes, e);
}

/* --- report ---------------------------------------------------------------------------------------------------- */

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

int training_report(struct training *t, const struct buf *bytes, struct buf *out, struct err *e)
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
