#include "services/escalation/incidents/sketch.h"

#include <math.h>

#define INDEX_BITS 8

void sketch_add(uint8_t sketch[SKETCH_BYTES], uint64_t who)
{
	size_t i = (size_t)(who >> (64 - INDEX_BITS));
	uint64_t rest = who << INDEX_BITS;
	uint8_t rank = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : 64 - INDEX_BITS + 1;
	sketch[i] = MAX(sketch[i], rank);
}

void sketch_merge(uint8_t into[SKETCH_BYTES], const uint8_t from[SKETCH_BYTES])
{
	for (size_t i = 0; i < SKETCH_BYTES; i++)
		into[i] = MAX(into[i], from[i]);
}

double sketch_count(const uint8_t sketch[SKETCH_BYTES])
{
	const double m = SKETCH_BYTES, alpha = 0.7213 / (1 + 1.079 / m);
	double sum = 0;
	unsigned empty = 0;
	for (size_t i = 0; i < SKETCH_BYTES; i++) {
		sum += ldexp(1, -sketch[i]);
		empty += sketch[i] == 0;
	}
	double estimate = alpha * m * m / sum;
	return estimate <= 2.5 * m && empty ? m * log(m / empty) : estimate;
}
