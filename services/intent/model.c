#include "model.h"

#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define CHECKSUM_FROM (offsetof(struct model_head, checksum) + sizeof(uint64_t))

static bool section_ok(const struct model *m, const struct model_section *s, uint64_t len)
{
	return s->len == len && s->at % 64 == 0 && s->at <= m->len && s->len <= m->len - s->at;
}

/* Everything the head claims, checked against the file's size. Returns what is wrong, or NULL. */
static const char *check_layout(const struct model *m)
{
	const struct model_head *h = m->head;
	if (h->kind > MODEL_MULTI || h->labels < 1 || h->labels > MODEL_LABELS_MAX || h->columns < h->labels ||
		h->columns % 16 || h->columns > MODEL_LABELS_MAX + 32)
		return "its labels make no sense";
	if (features_spec_check(&h->spec) < 0)
		return "its features make no sense";
	if (!memchr(h->task, 0, sizeof(h->task)) || !memchr(h->name, 0, sizeof(h->name)))
		return "its name has no end";
	if (!(h->temperature > 0) || !isfinite(h->temperature) || !(h->answer_slope > 0) ||
		!isfinite(h->answer_slope) || !isfinite(h->answer_offset) || !isfinite(h->threshold))
		return "its calibration makes no sense";
	for (int b = 0; b < BLOCKS; b++) {
		uint64_t buckets = h->spec.buckets[b];
		if (!section_ok(m, &h->idf[b], buckets) || !section_ok(m, &h->scale[b], h->columns * sizeof(float)) ||
			!section_ok(m, &h->weights[b], buckets * h->columns))
			return "its tables do not fit the file";
	}
	if (!section_ok(m, &h->bias, h->columns * sizeof(float)))
		return "its tables do not fit the file";
	if (!section_ok(m, &h->platt, h->kind == MODEL_MULTI ? h->columns * sizeof(struct model_platt) : 0))
		return "its tables do not fit the file";
	if (!section_ok(m, &h->names, h->names.len) || !section_ok(m, &h->report, h->report.len) || !h->report.len ||
		m->base[h->report.at + h->report.len - 1] != 0)
		return "its texts do not fit the file";
	return NULL;
}

static const char *read_names(struct model *m)
{
	const char *p = (const char *)m->base + m->head->names.at, *end = p + m->head->names.len;
	for (uint32_t i = 0; i < m->head->labels; i++) {
		const char *nul = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
		if (!nul)
			return "a label has no end";
		m->label[i] = p;
		m->first[i] = (uint16_t)i;
		for (uint32_t k = 0; k < i && m->first[i] == i; k++)
			if (str_eq(m->label[k], p))
				m->first[i] = (uint16_t)k;
		m->different += m->first[i] == i;
		p = nul + 1;
	}
	return NULL;
}

int model_from_bytes(struct model *m, struct span bytes, const char *name, struct err *e)
{
	*m = (struct model){.base = bytes.data, .len = bytes.len};
	const struct model_head *h = (const void *)bytes.data;
	if (bytes.len < sizeof(*h) || memcmp(h->magic, MODEL_MAGIC, sizeof(h->magic)) != 0)
		return err_set(e, -EBADMSG, "%s: not a model of Ascolto", name);
	if (h->version != MODEL_VERSION || h->head_len != sizeof(*h))
		return err_set(e, -EPROTO, "%s: model format %u, this program reads format %u: train it again or update Ascolto",
			name, h->version, MODEL_VERSION);
	if (h->file_len != bytes.len)
		return err_set(e, -EBADMSG, "%s: damaged: %zu bytes where %" PRIu64 " were written", name, bytes.len,
			h->file_len);
	if (h->checksum != XXH3_64bits(bytes.data + CHECKSUM_FROM, bytes.len - CHECKSUM_FROM))
		return err_set(e, -EBADMSG, "%s: damaged: its checksum does not match", name);
	m->head = h;
	const char *wrong = check_layout(m);
	if (!wrong)
		wrong = read_names(m);
	if (wrong)
		return err_set(e, -EBADMSG, "%s: damaged: %s", name, wrong);
	for (int b = 0; b < BLOCKS; b++) {
		m->idf[b] = bytes.data + h->idf[b].at;
		m->weights[b] = (const int8_t *)bytes.data + h->weights[b].at;
		m->scale[b] = (const float *)(const void *)(bytes.data + h->scale[b].at);
	}
	m->bias = (const float *)(const void *)(bytes.data + h->bias.at);
	m->platt = (const struct model_platt *)(const void *)(bytes.data + h->platt.at);
	m->report = (const char *)bytes.data + h->report.at;
	return 0;
}

int model_open(struct model *m, const char *path, struct err *e)
{
	*m = (struct model){0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	if (r < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 || (uint64_t)st.st_size > MODEL_FILE_MAX) {
		close(fd);
		return err_set(e, r < 0 ? r : -EBADMSG, "%s: not a model of Ascolto", path);
	}
	size_t len = (size_t)st.st_size;
	void *base = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	r = base == MAP_FAILED ? -errno : 0;
	close(fd);
	if (r < 0)
		return err_set(e, r, "%s: %s", path, strerror(-r));
	r = model_from_bytes(m, span_of(base, len), path, e);
	if (r < 0) {
		munmap(base, len);
		*m = (struct model){0};
		return r;
	}
	m->mapped = true;
	return 0;
}

void model_close(struct model *m)
{
	if (m->mapped)
		munmap((void *)(uintptr_t)m->base, m->len);
	*m = (struct model){0};
}

void model_rest(const struct model *m)
{
	if (m->mapped)
		madvise((void *)(uintptr_t)m->base, m->len, MADV_DONTNEED);
}

int model_label(const struct model *m, const char *label)
{
	for (uint32_t i = 0; i < m->head->labels; i++)
		if (str_eq(m->label[i], label))
			return (int)i;
	return -1;
}

static void softmax(const struct model *m, float *s)
{
	uint32_t n = m->head->labels;
	float top = s[0], sum = 0;
	for (uint32_t i = 1; i < n; i++)
		top = MAX(top, s[i]);
	for (uint32_t i = 0; i < n; i++) {
		float x = (s[i] - top) / m->head->temperature;
		s[i] = x < -20 ? 0 : expf(x); /* most of many labels are far below */
		sum += s[i];
	}
	for (uint32_t i = 0; i < n; i++)
		s[i] /= sum;
	for (uint32_t i = 0; i < n && m->different < n; i++)
		if (m->first[i] != i) {
			s[m->first[i]] += s[i];
			s[i] = 0;
		}
}

float model_log_odds(float p)
{
	return logf(MAX(p, 1e-6f) / MAX(1 - p, 1e-6f));
}

/* The answer's probability through its logistic, and the others by what is left. */
static void map_answer(const struct model *m, float *p)
{
	uint32_t answer = 0, n = m->head->labels;
	for (uint32_t i = 1; i < n; i++)
		answer = p[i] > p[answer] ? i : answer;
	float rest = 0, second = 0;
	for (uint32_t i = 0; i < n; i++)
		if (i != answer) {
			rest += p[i];
			second = MAX(second, p[i]);
		}
	float odds = model_log_odds(p[answer]);
	float to = 1 / (1 + expf(-(m->head->answer_slope * odds + m->head->answer_offset)));
	if (!(rest > 0))
		return;
	to = MAX(to, 1.001f * second / (rest + second)); /* just above where it meets the second */
	float scale = (1 - to) / rest;
	for (uint32_t i = 0; i < n; i++)
		p[i] = i == answer ? to : p[i] * scale;
}

void model_probabilities(const struct model *m, float *s)
{
	if (m->head->kind == MODEL_EXCLUSIVE) {
		softmax(m, s);
		map_answer(m, s);
		return;
	}
	for (uint32_t i = 0; i < m->head->labels; i++)
		s[i] = 1.0f / (1.0f + expf(-(m->platt[i].slope * s[i] + m->platt[i].offset)));
}
