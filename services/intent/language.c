#include "language.h"

#include <unistd.h>

#include "common/words.h"
#include "services/intent/matrix.h"
#include "services/intent/model.h"

static int read_row(const struct model *m, struct features *f, struct arena *a, struct dataset_row *row)
{
	float p[MODEL_LABELS_MAX + 32];
	struct features_input in;
	int r = matrix_read_row(row, a, &in);
	if (r < 0 || !in.text.count)
		return r;
	features_extract(f, &m->head->spec, &in);
	model_score(m, f, p);
	model_probabilities(m, p);
	uint32_t best = 0;
	for (uint32_t i = 1; i < m->head->labels; i++)
		if (p[i] > p[best])
			best = i;
	if (p[best] >= m->head->threshold)
		row->lang = words_language_code(words_language_of(m->label[best]));
	return 0;
}

int language_fill(struct dataset *d, const char *dir, struct err *e)
{
	char path[4096];
	bool all = true;
	for (size_t i = 0; i < d->n; i++)
		all &= !str_empty(d->rows[i].lang);
	int n = all ? -1 : snprintf(path, sizeof(path), "%s/language.model", dir);
	if (n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK) < 0)
		return 0;
	struct model m;
	struct features f;
	struct arena a;
	int r = model_open(&m, path, e);
	if (r < 0)
		return r;
	arena_init(&a, 16 * 1024 * 1024);
	r = features_init(&f);
	for (size_t i = 0; i < d->n && r == 0; i++)
		if (str_empty(d->rows[i].lang))
			r = read_row(&m, &f, &a, &d->rows[i]);
	arena_free(&a);
	features_free(&f);
	model_close(&m);
	return r < 0 ? err_set(e, r, "out of memory") : 0;
}
