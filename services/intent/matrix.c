#include "matrix.h"

#include <linear.h>
#include <math.h>

#include "common/words.h"

#define IDF_POWER 0.7

int matrix_read_row(const struct dataset_row *row, struct arena *a, struct features_input *ret)
{
	arena_reset(a);
	*ret = (struct features_input){.surface = row->surface, .channel = row->channel};
	int r = text_read(span_str(row->text), a, &ret->text);
	if (r < 0)
		return r;
	ret->language = words_language_of(row->lang);
	return 0;
}

static int append(struct matrix *m, const struct features *f, size_t row)
{
	for (int b = 0; b < BLOCKS; b++) {
		m->start[row * BLOCKS + (size_t)b] = m->n;
		if (m->cap - m->n < f->n[b]) {
			size_t cap = MAX(m->cap * 2, m->n + f->n[b] + 65536);
			uint32_t *p = reallocarray(m->bucket, cap, sizeof(*p));
			if (!p)
				return -ENOMEM;
			m->bucket = p;
			m->cap = cap;
		}
		if (f->n[b])
			memcpy(m->bucket + m->n, f->bucket[b], f->n[b] * sizeof(*m->bucket));
		m->n += f->n[b];
	}
	m->start[(row + 1) * BLOCKS] = m->n;
	return 0;
}

int matrix_build(struct matrix *m, const struct dataset *d, const struct features_spec *s)
{
	*m = (struct matrix){.spec = *s, .rows = d->n};
	m->start = calloc(d->n * BLOCKS + 1, sizeof(*m->start));
	struct features f;
	int r = m->start ? features_init(&f) : -ENOMEM;
	if (r < 0)
		return r;
	struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	for (size_t i = 0; i < d->n && r == 0; i++) {
		struct features_input in;
		r = matrix_read_row(&d->rows[i], &a, &in);
		if (r < 0)
			break;
		features_extract(&f, s, &in);
		r = append(m, &f, i);
	}
	arena_free(&a);
	features_free(&f);
	return r;
}

static int weigh_buckets(struct matrix *m, int b)
{
	uint32_t size = m->spec.buckets[b];
	uint32_t *count = calloc(size + 1, sizeof(*count));
	m->idf[b] = malloc(size + 1);
	if (!count || !m->idf[b]) {
		free(count);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->rows; i++)
		for (size_t k = m->start[i * BLOCKS + (size_t)b]; k < m->start[i * BLOCKS + (size_t)b + 1]; k++)
			count[m->bucket[k]]++;
	double top = 1 + log(1.0 + (double)m->rows);
	for (uint32_t i = 0; i < size; i++) {
		double idf = 1 + log((1.0 + (double)m->rows) / (1.0 + count[i]));
		m->idf[b][i] = (uint8_t)MAX(1.0, round(127 * pow(idf / top, IDF_POWER)));
	}
	free(count);
	return 0;
}

static void fill_row(struct matrix *m, size_t row, const float weight[BLOCKS], struct feature_node *out)
{
	uint32_t offset = 1; /* liblinear counts from 1 */
	for (int b = 0; b < BLOCKS; b++) {
		size_t from = m->start[row * BLOCKS + (size_t)b], to = m->start[row * BLOCKS + (size_t)b + 1];
		double sum = 0;
		for (size_t k = from; k < to; k++)
			sum += (double)m->idf[b][m->bucket[k]] * m->idf[b][m->bucket[k]];
		for (size_t k = from; k < to; k++)
			*out++ = (struct feature_node){(int)(m->bucket[k] + offset),
				(double)weight[b] * m->idf[b][m->bucket[k]] / sqrt(sum)};
		offset += m->spec.buckets[b];
	}
	*out++ = (struct feature_node){(int)offset, 1}; /* the bias */
	*out = (struct feature_node){-1, 0};
}

int matrix_weigh(struct matrix *m, const float weight[BLOCKS])
{
	for (int b = 0; b < BLOCKS; b++) {
		m->dimensions += m->spec.buckets[b];
		if (weigh_buckets(m, b) < 0)
			return -ENOMEM;
	}
	m->nodes = malloc((m->n + 2 * m->rows + 1) * sizeof(*m->nodes));
	m->node = calloc(m->rows + 1, sizeof(struct feature_node *));
	if (!m->nodes || !m->node)
		return -ENOMEM;
	struct feature_node *p = m->nodes;
	for (size_t i = 0; i < m->rows; i++) {
		m->node[i] = p;
		fill_row(m, i, weight, p);
		p += m->start[(i + 1) * BLOCKS] - m->start[i * BLOCKS] + 2;
	}
	return 0;
}

void matrix_free(struct matrix *m)
{
	free(m->bucket);
	free(m->start);
	for (int b = 0; b < BLOCKS; b++)
		free(m->idf[b]);
	free(m->node);
	free(m->nodes);
	*m = (struct matrix){0};
}

struct features matrix_row(const struct matrix *m, size_t i)
{
	struct features f = {0};
	for (int b = 0; b < BLOCKS; b++) {
		size_t from = m->start[i * BLOCKS + (size_t)b];
		f.bucket[b] = m->bucket + from;
		f.n[b] = m->start[i * BLOCKS + (size_t)b + 1] - from;
	}
	return f;
}
