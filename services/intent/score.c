#include <math.h>

#include "model.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Sums of value * row over the buckets, per column; `values` are the buckets' idf. */
struct sum {
	const int8_t *weights;
	size_t columns;
	const uint32_t *bucket;
	const uint8_t *idf;
	size_t n;
	int32_t *out; /* columns, cleared */
};

static void sum_plain(const struct sum *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const int8_t *row = s->weights + (size_t)s->bucket[i] * s->columns;
		int32_t v = s->idf[s->bucket[i]];
		for (size_t c = 0; c < s->columns; c += 16)
			for (size_t k = 0; k < 16; k++)
				s->out[c + k] += v * row[c + k];
	}
}

#if defined(__x86_64__)

/* Four rows, 32 columns: bytes interleaved so that maddubs (u8 x s8, pairs) and madd (pairs of those) sum per column.
 * Values and weights are at most 127, so 127 * 127 * 2 fits the 16 bits in between. */
__attribute__((target("avx2"))) static inline void add_rows(__m256i acc[4], const int8_t *const row[4], size_t c,
	__m256i ab, __m256i cd)
{
	const __m256i one = _mm256_set1_epi16(1);
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(row[0] + c));
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(row[1] + c));
	__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(row[2] + c));
	__m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(row[3] + c));
	__m256i ab_low = _mm256_maddubs_epi16(ab, _mm256_unpacklo_epi8(a, b));
	__m256i ab_high = _mm256_maddubs_epi16(ab, _mm256_unpackhi_epi8(a, b));
	__m256i cd_low = _mm256_maddubs_epi16(cd, _mm256_unpacklo_epi8(x, y));
	__m256i cd_high = _mm256_maddubs_epi16(cd, _mm256_unpackhi_epi8(x, y));
	acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(ab_low, cd_low), one));
	acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(ab_low, cd_low), one));
	acc[2] = _mm256_add_epi32(acc[2], _mm256_madd_epi16(_mm256_unpacklo_epi16(ab_high, cd_high), one));
	acc[3] = _mm256_add_epi32(acc[3], _mm256_madd_epi16(_mm256_unpackhi_epi16(ab_high, cd_high), one));
}

/* The unpacks work within 128-bit halves: acc[q] holds columns 4q..4q+3 and 16+4q..16+4q+3. */
__attribute__((target("avx2"))) static inline void store(int32_t *out, const __m256i acc[4])
{
	for (int q = 0; q < 4; q++) {
		_mm_storeu_si128((__m128i *)(void *)(out + 4 * q), _mm256_castsi256_si128(acc[q]));
		_mm_storeu_si128((__m128i *)(void *)(out + 16 + 4 * q), _mm256_extracti128_si256(acc[q], 1));
	}
}

__attribute__((target("avx2"))) static void sum_avx2(const struct sum *s)
{
	static const int8_t nothing[MODEL_LABELS_MAX + 32];
	for (size_t c = 0; c < s->columns; c += 32) {
		__m256i acc[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
			_mm256_setzero_si256()};
		for (size_t i = 0; i < s->n; i += 4) {
			const int8_t *row[4];
			uint16_t v[4];
			for (size_t k = 0; k < 4; k++) {
				bool there = i + k < s->n;
				row[k] = there ? s->weights + (size_t)s->bucket[i + k] * s->columns : nothing;
				v[k] = there ? s->idf[s->bucket[i + k]] : 0;
			}
			if (c == 0 && i + 16 < s->n)
				for (size_t k = 12; k < 16; k++) {
					const int8_t *ahead = s->weights + (size_t)s->bucket[i + k] * s->columns;
					_mm_prefetch((const char *)ahead, _MM_HINT_T0);
					_mm_prefetch((const char *)ahead + 64, _MM_HINT_T0);
				}
			add_rows(acc, row, c, _mm256_set1_epi16((short)(v[0] | v[1] << 8)),
				_mm256_set1_epi16((short)(v[2] | v[3] << 8)));
		}
		store(s->out + c, acc);
	}
}

#endif

static void sum_rows(const struct sum *s)
{
#if defined(__x86_64__)
	if (s->columns % 32 == 0 && __builtin_cpu_supports("avx2")) {
		sum_avx2(s);
		return;
	}
#endif
	sum_plain(s);
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

void model_score(const struct model *m, const struct features *f, float *scores)
{
	size_t columns = m->head->columns;
	int32_t sums[MODEL_LABELS_MAX + 32];
	memcpy(scores, m->bias, columns * sizeof(*scores));
	for (int b = 0; b < BLOCKS; b++) {
		if (!f->n[b] || !m->head->spec.buckets[b])
			continue;
		float length = length_of(m, f, b);
		if (!(length > 0))
			continue;
		memset(sums, 0, columns * sizeof(*sums));
		sum_rows(&(struct sum){.weights = m->weights[b], .columns = columns, .bucket = f->bucket[b],
			.idf = m->idf[b], .n = f->n[b], .out = sums});
		for (size_t c = 0; c < columns; c++)
			scores[c] += m->scale[b][c] * (float)sums[c] / length;
	}
}

float model_contribution(const struct model *m, const struct features *f, int block, uint32_t bucket, int column)
{
	float length = length_of(m, f, block);
	if (!(length > 0))
		return 0;
	int32_t w = m->weights[block][(size_t)bucket * m->head->columns + (size_t)column];
	return m->scale[block][column] * (float)(w * m->idf[block][bucket]) / length;
}
