/*
 * calibrate.h - from scores on rows a model has not seen to honest probabilities and thresholds. Pure.
 */
#ifndef ASCOLTO_INTENT_CALIBRATE_H
#define ASCOLTO_INTENT_CALIBRATE_H

#include "services/intent/model.h"

/* The temperature with the smallest log loss; `scores` are rows x labels, truths outside 0..labels-1 are skipped. */
float calibrate_temperature(const float *scores, const int *truth, size_t rows, uint32_t labels);

/*
 * The logistic from the log-odds of an answer's probability (model_log_odds) to how often answers are right
 * (Platt 1999, of the answer alone). Fewer than CALIBRATE_ANSWER_ROWS rows say nothing: slope 1, offset 0.
 */
#define CALIBRATE_ANSWER_ROWS 100

void calibrate_answer(
	const float *log_odds, const bool *right, size_t rows, float *ret_slope, float *ret_offset);

/* The threshold on the answer's probability that maximises right - cost * wrong; 0 when answering always is best. */
float calibrate_threshold(const float *scores, const int *truth, size_t rows, uint32_t labels, float temperature,
	double cost);

/*
 * Slope and offset by logistic regression (Platt 1999, with Lin, Lin and Weng's targets, 2007) and the threshold with the
 * best F-beta (van Rijsbergen, "Information Retrieval", 1979): flags call people, so a wrong one weighs more than a missed one.
 */
#define CALIBRATE_BETA2 0.2 /* beta squared; 1 would be F1 */

struct model_platt calibrate_platt(const float *score, const bool *truth, size_t rows);

#endif
