#include "calibrate.h"

#include <math.h>

static double log_loss(const float *scores, const int *truth, size_t rows, uint32_t labels, double temperature)
{
	double loss = 0;
	for (size_t i = 0; i < rows; i++) {
		const float *s = scores + i * labels;
		if (truth[i] < 0 || (uint32_t)truth[i] >= labels)
			continue;
		double top = (double)s[0], sum = 0;
		for (uint32_t c = 1; c < labels; c++)
			top = MAX(top, (double)s[c]);
		for (uint32_t c = 0; c < labels; c++)
			sum += exp(((double)s[c] - top) / temperature);
		loss += log(sum) - ((double)s[truth[i]] - top) / temperature;
	}
	return loss;
}

/* The loss is convex in 1/T: golden section over ln T. */
float calibrate_temperature(const float *scores, const int *truth, size_t rows, uint32_t labels)
{
	const double golden = 0.6180339887498949;
	double a = log(0.005), b = log(20.0);
	double x = b - golden * (b - a), y = a + golden * (b - a);
	double fx = log_loss(scores, truth, rows, labels, exp(x)), fy = log_loss(scores, truth, rows, labels, exp(y));
	for (int i = 0; i < 40 && rows; i++) {
		if (fx < fy) {
			b = y;
			y = x;
			fy = fx;
			x = b - golden * (b - a);
			fx = log_loss(scores, truth, rows, labels, exp(x));
		} else {
			a = x;
			x = y;
			fx = fy;
			y = a + golden * (b - a);
			fy = log_loss(scores, truth, rows, labels, exp(y));
		}
	}
	return rows ? (float)exp((a + b) / 2) : 1.0f;
}

struct answer {
	float probability;
	bool right;
};

static int by_probability(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	return x->probability > y->probability ? -1 : x->probability < y->probability;
}

static struct answer answer_of(const float *s, int truth, uint32_t labels, float temperature)
{
	uint32_t best = 0;
	for (uint32_t c = 1; c < labels; c++)
		if (s[c] > s[best])
			best = c;
	float sum = 0;
	for (uint32_t c = 0; c < labels; c++)
		sum += expf((s[c] - s[best]) / temperature);
	return (struct answer){1 / sum, truth == (int)best};
}

float calibrate_threshold(const float *scores, const int *truth, size_t rows, uint32_t labels, float temperature,
	double cost)
{
	struct answer *answers = malloc((rows + 1) * sizeof(*answers));
	if (!answers)
		return 0;
	for (size_t i = 0; i < rows; i++)
		answers[i] = answer_of(scores + i * labels, truth[i], labels, temperature);
	qsort(answers, rows, sizeof(*answers), by_probability);
	double gain = 0, best = 0;
	float threshold = 0;
	for (size_t i = 0; i < rows; i++) {
		gain += answers[i].right ? 1 : -cost;
		if (gain > best) {
			best = gain;
			threshold = i + 1 < rows ? (answers[i].probability + answers[i + 1].probability) / 2 : 0;
		}
	}
	free(answers);
	return threshold;
}

/* Newton's method for p = 1 / (1 + exp(-(a s + b))). */
static void fit_logistic(const float *score, const bool *truth, size_t rows, double *ret_a, double *ret_b)
{
	double yes = 0;
	for (size_t i = 0; i < rows; i++)
		yes += truth[i];
	double high = (yes + 1) / (yes + 2), low = 1 / ((double)rows - yes + 2);
	double a = 1, b = log((yes + 1) / ((double)rows - yes + 1));
	for (int step = 0; step < 60; step++) {
		double ga = 0, gb = 0, haa = 1e-6, hab = 0, hbb = 1e-6;
		for (size_t i = 0; i < rows; i++) {
			double s = (double)score[i], p = 1 / (1 + exp(-(a * s + b)));
			double d = p - (truth[i] ? high : low), w = MAX(p * (1 - p), 1e-9);
			ga += d * s;
			gb += d;
			haa += w * s * s;
			hab += w * s;
			hbb += w;
		}
		double det = haa * hbb - hab * hab;
		if (!(det > 1e-12))
			break;
		double da = (hbb * ga - hab * gb) / det, db = (haa * gb - hab * ga) / det;
		double size = MAX(fabs(da), fabs(db)), damp = size > 2 ? 2 / size : 1;
		a -= damp * da;
		b -= damp * db;
		if (size < 1e-6)
			break;
	}
	*ret_a = isfinite(a) && a > 0 ? a : 1;
	*ret_b = isfinite(b) ? b : 0;
}

void calibrate_answer(
	const float *log_odds, const bool *right, size_t rows, float *ret_slope, float *ret_offset)
{
	double slope = 1, offset = 0;
	if (rows >= CALIBRATE_ANSWER_ROWS)
		fit_logistic(log_odds, right, rows, &slope, &offset);
	*ret_slope = (float)slope;
	*ret_offset = (float)offset;
}

struct model_platt calibrate_platt(const float *score, const bool *truth, size_t rows)
{
	double a, b;
	fit_logistic(score, truth, rows, &a, &b);
	struct answer *answers = malloc((rows + 1) * sizeof(*answers));
	struct model_platt p = {(float)a, (float)b, 0.5f};
	if (!answers)
		return p;
	size_t yes = 0;
	for (size_t i = 0; i < rows; i++) {
		answers[i] = (struct answer){1 / (1 + expf(-(p.slope * score[i] + p.offset))), truth[i]};
		yes += truth[i];
	}
	qsort(answers, rows, sizeof(*answers), by_probability);
	double best = 0;
	size_t hits = 0;
	for (size_t i = 0; i < rows; i++) {
		hits += answers[i].right;
		double f = (1 + CALIBRATE_BETA2) * (double)hits / ((double)(i + 1) + CALIBRATE_BETA2 * (double)yes);
		if (f > best) {
			best = f;
			p.threshold = i + 1 < rows ? (answers[i].probability + answers[i + 1].probability) / 2 : 0.5f;
		}
	}
	free(answers);
	return p;
}
