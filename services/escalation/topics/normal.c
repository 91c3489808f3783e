#include "services/escalation/topics/normal.h"

#include <math.h>

#define HOUR_MS 3600000
#define ERROR_FROM_DAYS 1
#define SHAKE_WORTH_DAYS 7      /* days of errors that count as much as what the shake says */
#define ERROR_OF_AGE 3		/* what was missed is forgotten within a third of the topic's age */
#define BLOCK 36                /* samples: three windows */
#define HOURS_MEMORY (24 * 14)
#define SIZE_LEAST 1.0f
#define RHYTHM_LEAST 0.2
#define RHYTHM_MOST 5.0
/* How many days (or weeks) of watching a guess is worth in a brand of many: an hour of the day is guessed to
 * be as all are, a weekday as all are, an hour of the week as those two say. */
#define GUESS_HOUR 0.1
#define GUESS_WEEKDAY 0.4
#define GUESS_CELL 2.0
#define GUESS_PEOPLE 100.0 /* with so many, chance is no more than a half of why hours differ */

const unsigned normal_steps[NORMAL_WINDOWS] = {15, 60, 180}, normal_samples[NORMAL_WINDOWS] = {3, 12, 36};

/* ---- how unlikely ---- */

/* The continued fraction of the incomplete beta function, by Lentz's method (NIST DLMF 8.17.22, 3.10). */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double h = d;
	for (int m = 1; m < 200; m++) {
		for (int odd = 0; odd < 2; odd++) {
			double k = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
				       : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
			d = 1 + k * d;
			d = 1 / (fabs(d) < tiny ? tiny : d);
			c = 1 + k / c;
			c = fabs(c) < tiny ? tiny : c;
			h *= c * d;
		}
		if (fabs(c * d - 1) < 1e-8)
			break;
	}
	return h;
}

/* log10 of the regularised incomplete beta function. */
static double log10_beta(double a, double b, double x)
{
	double front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x);
	if (x < (a + 1) / (a + b + 2))
		return (front + log(beta_fraction(a, b, x) / a)) / M_LN10;
	return log10(fmax(1 - exp(front) * beta_fraction(b, a, 1 - x) / b, 1e-300));
}

double unlikely(unsigned people, double mean, double variance)
{
	if (!people || (double)people <= mean || !(mean > 0))
		return 0;
	double more = fmax(variance - mean, mean * 1e-4), r = mean * mean / more;
	return fmax(-log10_beta(people, r, mean / (mean + r)), 0);
}

/* ---- learning ---- */

void normals_begin(struct normals *n, int64_t sample, unsigned samples_per_day)
{
	*n = (struct normals){.next = sample, .seen = samples_per_day};
}

/* What `samples` samples weigh, of which each weighs 1 / worth. */
static double weight_of(double worth, double samples)
{
	return 1 - pow(1 - 1 / fmax(worth, 1), samples);
}

static double mean_worth(const struct normals *n, unsigned samples_per_day)
{
	return MIN(n->seen + 1, samples_per_day * NORMAL_MEMORY_DAYS);
}

/* 0: too young, the shake stands for it. */
static double error_worth(const struct normals *n, unsigned samples_per_day)
{
	double evidence = (double)n->own - samples_per_day * ERROR_FROM_DAYS;
	if (evidence <= 0)
		return 0;
	return fmin(fmax(evidence / ERROR_OF_AGE, samples_per_day * SHAKE_WORTH_DAYS),
		samples_per_day * NORMAL_MEMORY_DAYS);
}

/* Variance for each of the mean, from the shortest window: a level that rises over hours hardly moves between two of those. */
static double dispersion(const struct normals *n)
{
	return n->of[0].mean > 0 ? (double)(n->of[0].shake / n->of[0].mean) : 1;
}

static void learn_block(struct normals *n, unsigned window, unsigned samples_per_day)
{
	struct normal *x = &n->of[window];
	double worth = mean_worth(n, samples_per_day), errors = error_worth(n, samples_per_day);
	double w = weight_of(worth, BLOCK), moves = BLOCK / normal_samples[window];
	x->mean = (float)fmax((double)x->mean + w * (double)x->waiting.off / BLOCK, 0);
	x->shake += (float)(w * ((double)x->waiting.moves / moves - (double)x->shake));
	if (errors > 0)
		x->error += (float)(weight_of(errors, BLOCK) * ((double)x->waiting.errors / BLOCK - (double)x->error));
	else
		x->error = (float)((double)x->mean * fmax(dispersion(n), 1));
	x->waiting = x->filling;
	x->filling = (struct normal_block){0};
}

static void sample(struct normals *n, unsigned window, unsigned people, double rhythm)
{
	struct normal *x = &n->of[window];
	double seen = people, off = seen - (double)x->mean * rhythm;
	x->filling.off += (float)off;
	x->filling.errors += (float)(off * off);
	if (n->next % (int64_t)normal_samples[window] == 0) {
		double moved = seen - (double)x->before;
		x->filling.moves += (float)(moved * moved / 2);
		x->before = (float)seen;
	}
}

static void grow_older(struct normals *n, uint64_t samples, unsigned samples_per_day)
{
	n->seen = (uint32_t)MIN(n->seen + samples, (uint64_t)samples_per_day * NORMAL_MEMORY_DAYS);
	n->own = (uint32_t)MIN(n->own + samples, (uint64_t)samples_per_day * NORMAL_MEMORY_DAYS * 2);
	n->next += (int64_t)samples;
}

void normals_learn(struct normals *n, const unsigned people[NORMAL_WINDOWS],
	const double rhythm[NORMAL_WINDOWS], unsigned samples_per_day)
{
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
		sample(n, i, people[i], rhythm[i]);
	grow_older(n, 1, samples_per_day);
	for (unsigned i = 0; i < NORMAL_WINDOWS && n->next % BLOCK == 0; i++)
		learn_block(n, i, samples_per_day);
}

void normals_learn_silence(
	struct normals *n, uint64_t samples, const double rhythm[NORMAL_WINDOWS], unsigned samples_per_day)
{
	static const unsigned nobody[NORMAL_WINDOWS];
	/* Until the blocks on their way are learnt. */
	for (; samples && (samples < (uint64_t)3 * BLOCK || n->of[0].waiting.moves > 0 || n->next % BLOCK);
		samples--)
		normals_learn(n, nobody, rhythm, samples_per_day);
	if (!samples)
		return;
	double left = 1 - weight_of(mean_worth(n, samples_per_day), (double)samples);
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
		n->of[i].mean *= (float)left;
		n->of[i].shake *= (float)left;
		n->of[i].error *= (float)left;
		n->of[i].filling = n->of[i].waiting = (struct normal_block){0};
	}
	grow_older(n, samples, samples_per_day);
}

static struct normal_block block_sum(struct normal_block a, struct normal_block b)
{
	return (struct normal_block){a.off + b.off, a.errors + b.errors, a.moves + b.moves};
}

void normals_join(struct normals *into, const struct normals *n)
{
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
		into->of[i].mean += n->of[i].mean;
		into->of[i].shake += n->of[i].shake;
		into->of[i].error += n->of[i].error;
		into->of[i].before += n->of[i].before;
		into->of[i].filling = block_sum(into->of[i].filling, n->of[i].filling);
		into->of[i].waiting = block_sum(into->of[i].waiting, n->of[i].waiting);
	}
	into->seen = MAX(into->seen, n->seen);
	into->own = MAX(into->own, n->own);
}

double normal_expected(const struct normals *n, unsigned window, double rhythm)
{
	double least = NORMAL_FLOOR * normal_samples[window] / NORMAL_SAMPLES_PER_WINDOW;
	return fmax(fmax((double)n->of[window].mean, least) * rhythm, least);
}

double normal_unlikely(const struct normals *n, unsigned window, double rhythm, unsigned people)
{
	const struct normal *x = &n->of[window];
	double mean = normal_expected(n, window, rhythm);
	double more = fmax((double)x->error - (double)x->mean, 0) * rhythm;
	return unlikely(people, mean, mean + more);
}

/* ---- the brand's rhythm ---- */

static void close_hour(struct rhythm *r)
{
	unsigned d = (unsigned)(r->hour % 24), w = (unsigned)(r->hour % 168);
	/* A storm is not a rhythm. */
	double seen = r->hours > 24 ? fmin(r->count, 4 * (double)r->mean + 5) : r->count;
	if (!r->partly) {
		r->hours++;
		r->days[d] = MIN(r->days[d] + 1, 14);
		r->weeks[w] = MIN(r->weeks[w] + 1, 4);
		r->mean += (float)((seen - (double)r->mean) / MIN(r->hours, (uint32_t)HOURS_MEMORY));
		r->day[d] += (float)((seen - (double)r->day[d]) / r->days[d]);
		r->week[w] += (float)((seen - (double)r->week[w]) / r->weeks[w]);
	}
	r->partly = false;
	r->count = 0;
	r->hour++;
}

bool rhythm_hear(struct rhythm *r, int64_t at_ms)
{
	int64_t hour = at_ms / HOUR_MS;
	bool closed = false;
	if (!r->hour) {
		r->hour = hour;
		r->partly = true;
	}
	if (hour - r->hour > HOURS_MEMORY) { /* not heard for weeks: begin again where it stopped */
		r->hour = hour;
		r->partly = true;
		r->count = 0;
	}
	for (; r->hour < hour; closed = true)
		close_hour(r);
	if (closed)
		rhythm_settle(r);
	r->count += hour == r->hour;
	return closed;
}

double rhythm_size(const struct rhythm *r)
{
	return r->hours < RHYTHM_KNOWN_HOURS || r->mean < SIZE_LEAST ? 0 : (double)r->mean;
}

static double guess_worth(double base, double people)
{
	return base * (1 + GUESS_PEOPLE / people);
}

/* Times the mean, drawn towards the guess as far as little was seen: `n` values whose mean is `seen`. */
static double drawn(double seen, double n, double guess, double worth)
{
	return (n * seen + worth * guess) / (n + worth);
}

static void settle_weekday(struct rhythm *r, int weekday, const double day[24])
{
	double mean = r->mean, worth = guess_worth(GUESS_CELL, mean);
	double all = 24 * guess_worth(GUESS_WEEKDAY, 24 * mean), seen = all, expected = all;
	for (int h = 0, w = weekday * 24; h < 24; h++, w++) {
		seen += r->weeks[w] * (double)r->week[w] / mean;
		expected += r->weeks[w] * day[h];
	}
	for (int h = 0, w = weekday * 24; h < 24; h++, w++) {
		double cell = drawn((double)r->week[w] / mean, r->weeks[w], day[h] * seen / expected, worth);
		r->at[w] = (float)fmin(fmax(cell, RHYTHM_LEAST), RHYTHM_MOST);
	}
}

void rhythm_settle(struct rhythm *r)
{
	double day[24], mean = r->mean;
	if (!(mean > 0))
		return;
	for (int h = 0; h < 24; h++)
		day[h] = drawn((double)r->day[h] / mean, r->days[h], 1, guess_worth(GUESS_HOUR, mean));
	for (int weekday = 0; weekday < 7; weekday++)
		settle_weekday(r, weekday, day);
}

double rhythm_at(const struct rhythm *r, int64_t at_ms)
{
	return r->mean > 0 ? (double)r->at[at_ms / HOUR_MS % 168] : 1;
}

double rhythm_over(const struct rhythm *r, int64_t end_ms, int64_t length_ms)
{
	double sum = 0;
	for (int64_t at = end_ms - length_ms, next; at < end_ms; at = next) {
		next = MIN((at / HOUR_MS + 1) * HOUR_MS, end_ms);
		sum += (double)(next - at) * rhythm_at(r, at);
	}
	return sum / (double)length_ms;
}
