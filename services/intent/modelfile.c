#include "modelfile.h"

#include <math.h>
#include <xxhash.h>

#define CHECKSUM_FROM (offsetof(struct model_head, checksum) + sizeof(uint64_t))

/* The share of a column's largest weight that int8 reaches; what is beyond is clipped. */
static const float clip = 1.0f;

static struct model_section section(struct buf *out, uint64_t len)
{
	static const uint8_t zero[64];
	buf_add(out, zero, (64 - out->len % 64) % 64);
	struct model_section s = {out->len, len};
	uint8_t *room = buf_room(out, len);
	if (room) {
		memset(room, 0, len);
		out->len += len;
	}
	return s;
}

/* Where a section is now; the buffer moves while it grows. NULL when it is broken. */
static void *section_data(struct buf *out, const struct model_section *s)
{
	return out->broken ? NULL : out->data + s->at;
}

static uint32_t columns_for(uint32_t labels)
{
	return (labels + 15) / 16 * 16;
}

static size_t block_offset(const struct modelfile *f, int block)
{
	size_t at = 0;
	for (int b = 0; b < block; b++)
		at += f->spec.buckets[b];
	return at;
}

static void quantise(const struct modelfile *f, int block, uint32_t columns, float *scale, int8_t *out)
{
	const float *w = f->weights + block_offset(f, block) * f->n_labels;
	for (uint32_t c = 0; c < f->n_labels; c++) {
		float top = 0;
		for (uint32_t i = 0; i < f->spec.buckets[block]; i++)
			top = MAX(top, fabsf(w[(size_t)i * f->n_labels + c]));
		top *= clip;
		if (!(top > 0))
			continue;
		for (uint32_t i = 0; i < f->spec.buckets[block]; i++) {
			float q = roundf(w[(size_t)i * f->n_labels + c] / top * 127);
			out[(size_t)i * columns + c] = (int8_t)MAX(-127.0f, MIN(127.0f, q));
		}
		scale[c] = top / 127 * f->block_weight[block];
	}
}

static int add_tables(const struct modelfile *f, struct model_head *h, struct buf *out)
{
	for (int b = 0; b < BLOCKS; b++) {
		uint32_t size = f->spec.buckets[b];
		h->idf[b] = section(out, size);
		h->scale[b] = section(out, h->columns * sizeof(float));
		h->weights[b] = section(out, (uint64_t)size * h->columns);
		if (out->broken)
			return -ENOMEM;
		if (!size)
			continue;
		memcpy(section_data(out, &h->idf[b]), f->idf[b], size);
		quantise(f, b, h->columns, section_data(out, &h->scale[b]), section_data(out, &h->weights[b]));
	}
	h->bias = section(out, h->columns * sizeof(float));
	h->platt = section(out, f->kind == MODEL_MULTI ? h->columns * sizeof(struct model_platt) : 0);
	if (out->broken)
		return -ENOMEM;
	memcpy(section_data(out, &h->bias), f->weights + block_offset(f, BLOCKS) * f->n_labels,
		f->n_labels * sizeof(float));
	if (f->kind == MODEL_MULTI && f->platt)
		memcpy(section_data(out, &h->platt), f->platt, f->n_labels * sizeof(*f->platt));
	return 0;
}

static int add_texts(const struct modelfile *f, struct model_head *h, struct buf *out)
{
	size_t names = 0, report = strlen(f->report ? f->report : "") + 1;
	for (uint32_t i = 0; i < f->n_labels; i++)
		names += strlen(f->labels[i]) + 1;
	h->names = section(out, names);
	h->report = section(out, report);
	if (out->broken)
		return -ENOMEM;
	char *p = section_data(out, &h->names);
	for (uint32_t i = 0; i < f->n_labels; i++) {
		size_t len = strlen(f->labels[i]) + 1;
		memcpy(p, f->labels[i], len);
		p += len;
	}
	memcpy(section_data(out, &h->report), f->report ? f->report : "", report);
	return 0;
}

int modelfile_write(const struct modelfile *f, struct buf *out)
{
	struct model_head h = {.magic = MODEL_MAGIC, .version = MODEL_VERSION, .head_len = sizeof(h), .kind = f->kind,
		.labels = f->n_labels, .columns = columns_for(f->n_labels), .temperature = f->temperature,
		.answer_slope = f->answer_slope, .answer_offset = f->answer_offset,
		.threshold = f->threshold, .rows = f->rows, .trained_ms = f->trained_ms, .spec = f->spec};
	memcpy(h.magic, MODEL_MAGIC, sizeof(h.magic));
	snprintf(h.task, sizeof(h.task), "%s", f->task);
	buf_reset(out);
	section(out, sizeof(h));
	if (add_texts(f, &h, out) < 0 || add_tables(f, &h, out) < 0)
		return -ENOMEM;
	h.file_len = out->len;
	/* The name says which training this was: the tables' own hash. */
	uint64_t content = XXH3_64bits(out->data + sizeof(h), out->len - sizeof(h));
	snprintf(h.name, sizeof(h.name), "%.24s-%08x-%" PRIu64 "-rows", f->task, (unsigned)(content >> 32), f->rows);
	memcpy(out->data, &h, sizeof(h));
	uint64_t sum = XXH3_64bits(out->data + CHECKSUM_FROM, out->len - CHECKSUM_FROM);
	memcpy(out->data + offsetof(struct model_head, checksum), &sum, sizeof(sum));
	return 0;
}
