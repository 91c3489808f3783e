#include "panel.h"

#define LINE 64 /* bytes of a cache line: a table's rows do not straddle one more than they must */

static uint32_t labels_of(const struct panel *p)
{
	return p->n ? p->from[p->n - 1] + p->model[p->n - 1]->head->labels : 0;
}

bool panel_takes(const struct panel *p, const struct model *m)
{
	if (p->n == 0)
		return true;
	const struct model *first = p->model[0];
	if (p->n == PANEL_MODELS_MAX || labels_of(p) + m->head->labels > MODEL_LABELS_MAX)
		return false;
	if (memcmp(&first->head->spec, &m->head->spec, sizeof(m->head->spec)) != 0)
		return false;
	for (int b = 0; b < BLOCKS; b++)
		if (memcmp(first->idf[b], m->idf[b], m->head->spec.buckets[b]) != 0)
			return false;
	return true;
}

void panel_add(struct panel *p, const struct model *m)
{
	p->from[p->n] = labels_of(p);
	p->model[p->n++] = m;
}

/* Where the parts of the table are in its memory. */
struct layout {
	size_t weights[BLOCKS], scale[BLOCKS], bias, len;
};

static struct layout layout_of(const struct panel *p)
{
	struct layout l = {0};
	for (int b = 0; b < BLOCKS; b++) {
		l.weights[b] = l.len;
		l.len += (size_t)p->head.spec.buckets[b] * p->head.columns;
		l.len += -l.len % LINE;
	}
	for (int b = 0; b < BLOCKS; b++, l.len += p->head.columns * sizeof(float))
		l.scale[b] = l.len;
	l.bias = l.len;
	l.len += p->head.columns * sizeof(float);
	l.len += -l.len % LINE;
	return l;
}

static void copy_model(struct panel *p, size_t i, const struct layout *l)
{
	uint8_t *memory = p->memory;
	const struct model *m = p->model[i];
	uint32_t from = p->from[i], labels = m->head->labels;
	for (int b = 0; b < BLOCKS; b++) {
		for (size_t bucket = 0; bucket < p->head.spec.buckets[b]; bucket++)
			memcpy(memory + l->weights[b] + bucket * p->head.columns + from,
				m->weights[b] + bucket * m->head->columns, labels);
		memcpy(memory + l->scale[b] + from * sizeof(float), m->scale[b], labels * sizeof(float));
	}
	memcpy(memory + l->bias + from * sizeof(float), m->bias, labels * sizeof(float));
}

int panel_make(struct panel *p)
{
	p->table = *p->model[0];
	p->table.mapped = false;
	if (p->n == 1)
		return 0;
	p->head = *p->model[0]->head;
	p->head.labels = labels_of(p);
	/* A kernel takes 32 columns at a time, at best. */
	p->head.columns = (p->head.labels + 31) / 32 * 32;
	struct layout l = layout_of(p);
	p->memory = aligned_alloc(LINE, l.len);
	if (!p->memory)
		return -ENOMEM;
	memset(p->memory, 0, l.len);
	for (size_t i = 0; i < p->n; i++)
		copy_model(p, i, &l);
	p->table.head = &p->head;
	const uint8_t *memory = p->memory;
	for (int b = 0; b < BLOCKS; b++) {
		p->table.weights[b] = (const int8_t *)memory + l.weights[b];
		p->table.scale[b] = (const float *)(const void *)(memory + l.scale[b]);
	}
	p->table.bias = (const float *)(const void *)(memory + l.bias);
	for (size_t i = 0; i < p->n; i++)
		model_rest(p->model[i]);
	return 0;
}

void panel_free(struct panel *p)
{
	free(p->memory);
	*p = (struct panel){0};
}
