#include "measure.h"

#include <math.h>

#include "services/intent/matrix.h"

#define BINS 15
#define CONFUSIONS 12

struct counts {
	size_t truth, answer, both;
};

static bool in_set(const uint64_t *set, uint32_t i)
{
	return set[i / 64] >> (i % 64) & 1;
}

void measure_row_set(const struct model *m, const float *p, const char *label, struct measure_row *ret)
{
	*ret = (struct measure_row){.truth = -1};
	if (m->head->kind == MODEL_EXCLUSIVE) {
		for (uint32_t i = 1; i < m->head->labels; i++)
			if (p[i] > p[ret->answer])
				ret->answer = (int)i;
		ret->probability = p[ret->answer];
		ret->truth = model_label(m, label);
		return;
	}
	for (uint32_t i = 0; i < m->head->labels; i++)
		if (p[i] >= m->platt[i].threshold)
			ret->answer_set[i / 64] |= 1ull << (i % 64);
	for (const char *s = label; *s;) {
		size_t len = strcspn(s, ",");
		for (uint32_t i = 0; i < m->head->labels; i++)
			if (strlen(m->label[i]) == len && memcmp(m->label[i], s, len) == 0)
				ret->truth_set[i / 64] |= 1ull << (i % 64);
		s += len + (s[len] == ',');
	}
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int measure_run(const struct model *m, const struct dataset *d, struct measure_row *ret, double *ret_seconds)
{
	struct features f;
	int r = features_init(&f);
	if (r < 0)
		return r;
	struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	double seconds = 0;
	for (size_t i = 0; i < d->n && r == 0; i++) {
		struct features_input in;
		float p[MODEL_LABELS_MAX + 32];
		double begun = seconds_now();
		r = matrix_read_row(&d->rows[i], &a, &in);
		if (r < 0)
			break;
		features_extract(&f, &m->head->spec, &in);
		model_score(m, &f, p);
		model_probabilities(m, p);
		seconds += seconds_now() - begun;
		measure_row_set(m, p, d->rows[i].label, &ret[i]);
	}
	*ret_seconds = seconds;
	arena_free(&a);
	features_free(&f);
	return r;
}

/* --- sums ------------------------------------------------------------------------------------------------------ */

static void count(const struct model *m, const struct measure_row *rows, size_t n, struct counts c[MODEL_LABELS_MAX])
{
	memset(c, 0, MODEL_LABELS_MAX * sizeof(*c));
	for (size_t i = 0; i < n; i++) {
		if (m->head->kind == MODEL_EXCLUSIVE) {
			c[rows[i].answer].answer++;
			if (rows[i].truth >= 0)
				c[rows[i].truth].truth++;
			if (rows[i].truth == rows[i].answer)
				c[rows[i].truth].both++;
			continue;
		}
		for (uint32_t k = 0; k < m->head->labels; k++) {
			bool t = in_set(rows[i].truth_set, k), a = in_set(rows[i].answer_set, k);
			c[k].truth += t;
			c[k].answer += a;
			c[k].both += t && a;
		}
	}
}

static double f1_of(const struct counts *c)
{
	return c->truth + c->answer ? 2.0 * (double)c->both / (double)(c->truth + c->answer) : 0;
}

static bool is_right(const struct model *m, const struct measure_row *r)
{
	if (m->head->kind == MODEL_EXCLUSIVE)
		return r->truth == r->answer;
	return memcmp(r->truth_set, r->answer_set, sizeof(r->truth_set)) == 0;
}

double measure_calibration(const struct measure_row *rows, size_t n, double *ret_chance)
{
	double right[BINS] = {0}, sure[BINS] = {0}, variance[BINS] = {0}, error = 0, chance = 0;
	for (size_t i = 0; i < n; i++) {
		double p = (double)rows[i].probability;
		int b = MIN((int)(p * BINS), BINS - 1);
		right[b] += rows[i].truth == rows[i].answer;
		sure[b] += p;
		variance[b] += p * (1 - p);
	}
	for (int b = 0; b < BINS; b++) {
		error += fabs(right[b] - sure[b]);
		chance += sqrt(variance[b] * M_2_PI);
	}
	*ret_chance = n ? chance / (double)n : 0;
	return n ? error / (double)n : 0;
}

static int by_probability(const void *a, const void *b)
{
	const struct measure_row *const *x = a, *const *y = b;
	return (*x)->probability > (*y)->probability ? -1 : (*x)->probability < (*y)->probability;
}

/* Accuracy on the surest `share` of the rows; also the probability at the border. */
static double accuracy_of_surest(const struct model *m, const struct measure_row *rows, size_t n, double share,
	double *ret_border)
{
	const struct measure_row **sorted = malloc((n + 1) * sizeof(*sorted));
	size_t take = (size_t)((double)n * share), right = 0;
	if (!sorted || !take) {
		free(sorted);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = &rows[i];
	qsort(sorted, n, sizeof(*sorted), by_probability);
	for (size_t i = 0; i < take; i++)
		right += is_right(m, sorted[i]);
	*ret_border = (double)sorted[take - 1]->probability;
	free(sorted);
	return (double)right / (double)take;
}

void measure_sum(const struct model *m, const struct measure_row *rows, size_t n, struct measure *ret)
{
	struct counts c[MODEL_LABELS_MAX], all = {0};
	count(m, rows, n, c);
	*ret = (struct measure){.rows = n};
	size_t labels = 0, right = 0, answered = 0, right_answered = 0;
	for (uint32_t i = 0; i < m->head->labels; i++) {
		all.truth += c[i].truth;
		all.answer += c[i].answer;
		all.both += c[i].both;
		if (c[i].truth + c[i].answer) {
			labels++;
			ret->macro_f1 += f1_of(&c[i]);
		}
	}
	for (size_t i = 0; i < n; i++) {
		bool ok = is_right(m, &rows[i]), sure = rows[i].probability >= m->head->threshold;
		right += ok;
		answered += sure;
		right_answered += ok && sure;
	}
	double border;
	ret->micro_f1 = f1_of(&all);
	ret->macro_f1 = labels ? ret->macro_f1 / (double)labels : 0;
	ret->accuracy = n ? (double)right / (double)n : 0;
	ret->answered = n ? (double)answered / (double)n : 0;
	ret->accuracy_answered = answered ? (double)right_answered / (double)answered : 0;
	if (m->head->kind == MODEL_EXCLUSIVE)
		ret->calibration_error = measure_calibration(rows, n, &ret->calibration_chance);
	ret->accuracy_top80 = accuracy_of_surest(m, rows, n, 0.8, &border);
}

/* --- report ---------------------------------------------------------------------------------------------------- */

struct confusion {
	int truth, answer;
	size_t n;
};

static int by_count(const void *a, const void *b)
{
	const struct confusion *x = a, *y = b;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->truth != y->truth ? x->truth - y->truth : x->answer - y->answer;
}

static void report_confusions(const struct model *m, const struct measure_row *rows, size_t n, struct buf *out)
{
	size_t labels = m->head->labels, used = 0;
	struct confusion *all = calloc(labels * labels, sizeof(*all));
	if (!all)
		return;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].truth < 0 || rows[i].truth == rows[i].answer)
			continue;
		struct confusion *c = &all[(size_t)rows[i].truth * labels + (size_t)rows[i].answer];
		*c = (struct confusion){rows[i].truth, rows[i].answer, c->n + 1};
	}
	qsort(all, labels * labels, sizeof(*all), by_count);
	buf_adds(out, "\nmost often taken for something else\n");
	for (; used < CONFUSIONS && used < labels * labels && all[used].n; used++)
		buf_addf(out, "  %5zu  %s taken for %s\n", all[used].n, m->label[all[used].truth], m->label[all[used].answer]);
	if (!used)
		buf_adds(out, "  nothing\n");
	free(all);
}

static void report_abstention(const struct model *m, const struct measure_row *rows, size_t n, struct buf *out)
{
	static const double shares[] = {0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0};
	buf_adds(out, "\nanswering only the surest\n  share  accuracy  from probability\n");
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		double border = 0, accuracy = accuracy_of_surest(m, rows, n, shares[i], &border);
		buf_addf(out, "  %4.0f%%    %6.2f%%  %.3f\n", 100 * shares[i], 100 * accuracy, border);
	}
}

void measure_report(const struct model *m, const struct measure_row *rows, size_t n, struct buf *out)
{
	struct measure s;
	struct counts c[MODEL_LABELS_MAX];
	measure_sum(m, rows, n, &s);
	count(m, rows, n, c);
	bool exclusive = m->head->kind == MODEL_EXCLUSIVE;
	buf_addf(out, "%s: %zu rows\naccuracy %.2f%%, macro-F1 %.2f%%, micro-F1 %.2f%%\n", m->head->task, n, 100 * s.accuracy,
		100 * s.macro_f1, 100 * s.micro_f1);
	if (exclusive)
		buf_addf(out,
			"calibration error %.3f (by chance alone %.3f); answers %.1f%% of the rows "
			"(probability %.3f and more), of these right %.2f%%\n",
			s.calibration_error, s.calibration_chance, 100 * s.answered,
			(double)m->head->threshold, 100 * s.accuracy_answered);
	buf_addf(out, "\n%-24s %9s %9s %9s %7s%s\n", "label", "precision", "recall", "F1", "rows",
		exclusive ? "" : "  threshold");
	for (uint32_t i = 0; i < m->head->labels; i++) {
		if (m->first[i] != i)
			continue;
		buf_addf(out, "%-24s %8.1f%% %8.1f%% %8.1f%% %7zu", m->label[i],
			c[i].answer ? 100.0 * (double)c[i].both / (double)c[i].answer : 0,
			c[i].truth ? 100.0 * (double)c[i].both / (double)c[i].truth : 0, 100 * f1_of(&c[i]), c[i].truth);
		if (!exclusive)
			buf_addf(out, "  %.3f", (double)m->platt[i].threshold);
		buf_adds(out, "\n");
	}
	if (!exclusive)
		return;
	report_confusions(m, rows, n, out);
	report_abstention(m, rows, n, out);
}
