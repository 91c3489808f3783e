#include <math.h>

#include "model.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define PART 512 /* rows summed at once, so that they stay in the cache between the passes */

/* Sums of value * row over the rows, per column. */
struct sum {
	const int8_t *weights;
	size_t columns; /* a multiple of 16 */
	const uint32_t *row;
	const uint8_t *value;
	size_t n;     /* a multiple of 4: filled up with values of 0 */
	int32_t *out; /* columns, cleared */
};

static void sum_plain(const struct sum *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const int8_t *row = s->weights + (size_t)s->row[i] * s->columns;
		int32_t v = s->value[i];
		for (size_t c = 0; c < s->columns; c += 16)
			for (size_t k = 0; k < 16; k++)
				s->out[c + k] += v * row[c + k];
	}
}

#if defined(__x86_64__)

/*
 * Four rows at a time: their bytes interleaved so that maddubs (u8 x s8, pairs) and madd (pairs of those) sum per
 * column. Values and weights are at most 127, so 127 * 127 * 2 fits the 16 bits in between.
 */
__attribute__((target("avx2"))) static void sum_32_columns(const struct sum *s, size_t column)
{
	const __m256i one = _mm256_set1_epi16(1);
	__m256i acc[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
	const int8_t *base = s->weights + column;
	for (size_t i = 0; i < s->n; i += 4) {
		const uint8_t *v = s->value + i;
		__m256i ab = _mm256_set1_epi16((short)(v[0] | v[1] << 8)), cd = _mm256_set1_epi16((short)(v[2] | v[3] << 8));
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(base + s->row[i] * s->columns));
		__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(base + s->row[i + 1] * s->columns));
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(base + s->row[i + 2] * s->columns));
		__m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(base + s->row[i + 3] * s->columns));
		__m256i ab_low = _mm256_maddubs_epi16(ab, _mm256_unpacklo_epi8(a, b));
		__m256i ab_high = _mm256_maddubs_epi16(ab, _mm256_unpackhi_epi8(a, b));
		__m256i cd_low = _mm256_maddubs_epi16(cd, _mm256_unpacklo_epi8(c, d));
		__m256i cd_high = _mm256_maddubs_epi16(cd, _mm256_unpackhi_epi8(c, d));
		acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(ab_low, cd_low), one));
		acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(ab_low, cd_low), one));
		acc[2] = _mm256_add_epi32(acc[2], _mm256_madd_epi16(_mm256_unpacklo_epi16(ab_high, cd_high), one));
		acc[3] = _mm256_add_epi32(acc[3], _mm256_madd_epi16(_mm256_unpackhi_epi16(ab_high, cd_high), one));
	}
	/* The unpacks work within 128-bit halves: acc[q] holds columns 4q..4q+3 and 16+4q..16+4q+3. */
	int32_t *out = s->out + column;
	for (int q = 0; q < 4; q++) {
		_mm_storeu_si128((__m128i *)(void *)(out + 4 * q), _mm256_castsi256_si128(acc[q]));
		_mm_storeu_si128((__m128i *)(void *)(out + 16 + 4 * q), _mm256_extracti128_si256(acc[q], 1));
	}
}

/* The same for the last 16 columns of an odd number of sixteens. */
__attribute__((target("avx2"))) static void sum_16_columns(const struct sum *s, size_t column)
{
	const __m128i one = _mm_set1_epi16(1);
	__m128i acc[4] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
	const int8_t *base = s->weights + column;
	for (size_t i = 0; i < s->n; i += 4) {
		const uint8_t *v = s->value + i;
		__m128i ab = _mm_set1_epi16((short)(v[0] | v[1] << 8)), cd = _mm_set1_epi16((short)(v[2] | v[3] << 8));
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(base + s->row[i] * s->columns));
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(base + s->row[i + 1] * s->columns));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(base + s->row[i + 2] * s->columns));
		__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(base + s->row[i + 3] * s->columns));
		__m128i ab_low = _mm_maddubs_epi16(ab, _mm_unpacklo_epi8(a, b));
		__m128i ab_high = _mm_maddubs_epi16(ab, _mm_unpackhi_epi8(a, b));
		__m128i cd_low = _mm_maddubs_epi16(cd, _mm_unpacklo_epi8(c, d));
		__m128i cd_high = _mm_maddubs_epi16(cd, _mm_unpackhi_epi8(c, d));
		acc[0] = _mm_add_epi32(acc[0], _mm_madd_epi16(_mm_unpacklo_epi16(ab_low, cd_low), one));
		acc[1] = _mm_add_epi32(acc[1], _mm_madd_epi16(_mm_unpackhi_epi16(ab_low, cd_low), one));
		acc[2] = _mm_add_epi32(acc[2], _mm_madd_epi16(_mm_unpacklo_epi16(ab_high, cd_high), one));
		acc[3] = _mm_add_epi32(acc[3], _mm_madd_epi16(_mm_unpackhi_epi16(ab_high, cd_high), one));
	}
	for (int q = 0; q < 4; q++)
		_mm_storeu_si128((__m128i *)(void *)(s->out + column + 4 * q), acc[q]);
}

#endif

static void sum_rows(const struct sum *s)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		size_t c = 0;
		for (; c + 32 <= s->columns; c += 32)
			sum_32_columns(s, c);
		if (c < s->columns)
			sum_16_columns(s, c);
		return;
	}
#endif
	sum_plain(s);
}

/* Adds one block's part to the scores. */
static void score_block(const struct model *m, const struct features *f, int block, float *scores)
{
	uint32_t rows[PART + 3];
	uint8_t values[PART + 3];
	int32_t part[MODEL_LABELS_MAX + 32], sums[MODEL_LABELS_MAX + 32];
	size_t columns = m->head->columns;
	uint64_t square = 0;
	memset(sums, 0, columns * sizeof(*sums));
	for (size_t from = 0; from < f->n[block]; from += PART) {
		const uint32_t *bucket = f->bucket[block] + from;
		size_t n = MIN(f->n[block] - from, (size_t)PART);
		for (size_t i = 0; i < n; i++) {
			uint32_t v = m->idf[block][bucket[i]];
			const int8_t *row = m->weights[block] + (size_t)bucket[i] * columns;
			for (size_t line = 0; line < columns; line += 64)
				__builtin_prefetch(row + line);
			rows[i] = bucket[i];
			values[i] = (uint8_t)v;
			square += v * v;
		}
		for (; n % 4; n++) {
			rows[n] = bucket[0];
			values[n] = 0;
		}
		memset(part, 0, columns * sizeof(*part));
		sum_rows(&(struct sum){.weights = m->weights[block], .columns = columns, .row = rows, .value = values, .n = n,
			.out = part});
		for (size_t c = 0; c < columns; c++)
			sums[c] += part[c];
	}
	float inverse = square ? 1 / sqrtf((float)square) : 0;
	for (size_t c = 0; c < columns; c++)
		scores[c] += m->scale[block][c] * inverse * (float)sums[c];
}

void model_score(const struct model *m, const struct features *f, float *scores)
{
	memcpy(scores, m->bias, m->head->columns * sizeof(*scores));
	for (int b = 0; b < BLOCKS; b++)
		if (f->n[b] && m->head->spec.buckets[b])
			score_block(m, f, b, scores);
}

static float length_of(const struct model *m, const struct features *f, int block)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < f->n[block]; i++) {
		uint32_t v = m->idf[block][f->bucket[block][i]];
		sum += v * v;
	}
	return sqrtf((float)sum);
}

float model_contribution(const struct model *m, const struct features *f, int block, uint32_t bucket, int column)
{
	float length = length_of(m, f, block);
	if (!(length > 0))
		return 0;
	int32_t w = m->weights[block][(size_t)bucket * m->head->columns + (size_t)column];
	return m->scale[block][column] * (float)(w * m->idf[block][bucket]) / length;
}
