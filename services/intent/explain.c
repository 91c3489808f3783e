#include "explain.h"

#include <math.h>

#include "common/text.h"
#include "common/words.h"
#include "services/intent/model.h"

#define REASONS_MAX 2048
#define REASONS_SHOWN 10

struct reason {
	int block;
	uint32_t bucket;
	float weight;
	char name[48];
};

struct reasons {
	struct reason *all;
	size_t n;
};

static void note(void *ctx, int block, uint32_t bucket, const char *name)
{
	struct reasons *r = ctx;
	for (size_t i = 0; i < r->n; i++)
		if (r->all[i].block == block && r->all[i].bucket == bucket)
			return;
	if (r->n == REASONS_MAX)
		return;
	struct reason *x = &r->all[r->n++];
	*x = (struct reason){.block = block, .bucket = bucket};
	snprintf(x->name, sizeof(x->name), "%s", name);
}

static int by_weight(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;
	return fabsf(x->weight) > fabsf(y->weight) ? -1 : fabsf(x->weight) < fabsf(y->weight);
}

static void add_reasons(struct reasons *r, const struct model *m, const struct features *f, int label, int against,
	struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		struct reason *x = &r->all[i];
		x->weight = model_contribution(m, f, x->block, x->bucket, label);
		if (against >= 0)
			x->weight -= model_contribution(m, f, x->block, x->bucket, against);
	}
	qsort(r->all, r->n, sizeof(*r->all), by_weight);
	for (size_t i = 0; i < r->n && i < REASONS_SHOWN; i++)
		buf_addf(out, "    %+.3f  %s%s\n", (double)r->all[i].weight, r->all[i].name,
			r->all[i].block == BLOCK_CHARS ? "  (characters)" : "");
}

/* The column that speaks loudest for a label. */
static int column_for(const struct model *m, const float *scores, uint32_t label)
{
	uint32_t best = label;
	for (uint32_t i = label + 1; i < m->head->labels; i++)
		if (m->first[i] == label && scores[i] > scores[best])
			best = i;
	return (int)best;
}

static void explain_exclusive(const struct model *m, const struct features *f, struct reasons *r, struct buf *out)
{
	float p[MODEL_LABELS_MAX + 32], scores[MODEL_LABELS_MAX + 32] = {0};
	model_score(m, f, scores);
	memcpy(p, scores, sizeof(p));
	model_probabilities(m, p);
	uint32_t best = 0, second = m->head->labels > 1;
	for (uint32_t i = 1; i < m->head->labels; i++)
		if (p[i] > p[best])
			best = i;
	second = best == 0 && m->head->labels > 1 ? 1 : 0;
	for (uint32_t i = 0; i < m->head->labels; i++)
		if (i != best && p[i] > p[second])
			second = i;
	buf_addf(out, "%s: %s, probability %.2f%s; next %s, %.2f\n", m->head->task, m->label[best], (double)p[best],
		p[best] < m->head->threshold ? " (not enough: the answer is \"do not know\")" : "", m->label[second],
		(double)p[second]);
	buf_addf(out, "  for %s and against %s:\n", m->label[best], m->label[second]);
	add_reasons(r, m, f, column_for(m, scores, best), column_for(m, scores, second), out);
}

static void explain_multi(const struct model *m, const struct features *f, struct reasons *r, struct buf *out)
{
	float p[MODEL_LABELS_MAX + 32];
	model_score(m, f, p);
	model_probabilities(m, p);
	buf_addf(out, "%s:\n", m->head->task);
	for (uint32_t i = 0; i < m->head->labels; i++) {
		bool yes = p[i] >= m->platt[i].threshold;
		buf_addf(out, "  %-16s %.2f of %.2f%s\n", m->label[i], (double)p[i], (double)m->platt[i].threshold,
			yes ? "  yes" : "");
		if (yes)
			add_reasons(r, m, f, (int)i, -1, out);
	}
}

static int explain_task(const struct model *m, struct features *f, const struct features_input *in, struct buf *out)
{
	struct reasons r = {.all = calloc(REASONS_MAX, sizeof(*r.all))};
	if (!r.all)
		return -ENOMEM;
	f->named = note;
	f->named_ctx = &r;
	features_extract(f, &m->head->spec, in);
	if (m->head->kind == MODEL_EXCLUSIVE)
		explain_exclusive(m, f, &r, out);
	else
		explain_multi(m, f, &r, out);
	free(r.all);
	return 0;
}

/* What the service would say of it, in short. */
static void add_overview(const Ascolto__Understanding *u, struct buf *out)
{
	const struct {
		const char *name;
		const Ascolto__Label *label;
	} all[] = {{"intent", u->intent}, {"expectation", u->expectation}, {"event", u->event}, {"sentiment", u->sentiment},
		{"lane", u->lane}};
	buf_addf(out, "language     %s\n", str_empty(u->language) ? "do not know" : u->language);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].label)
			buf_addf(out, "%-12s %s, %.2f\n", all[i].name,
				str_empty(all[i].label->value) ? "do not know" : all[i].label->value,
				(double)all[i].label->probability);
	buf_adds(out, "flags       ");
	for (size_t i = 0; i < u->n_flags; i++)
		buf_addf(out, " %s", u->flags[i]);
	buf_adds(out, u->n_flags ? "\nkeywords    " : " none\nkeywords    ");
	for (size_t i = 0; i < u->n_keywords; i++)
		buf_addf(out, " %s", u->keywords[i]);
	buf_adds(out, "\n\n");
}

static int explain_all(struct classifier *c, const struct classifier_input *in, const char *task, struct arena *a,
	struct features *f, struct buf *out, struct err *e)
{
	Ascolto__Understanding u;
	int r = classifier_predict(c, in, a, &u, e);
	if (r < 0)
		return r;
	struct features_input fi = {.language = words_language_of(u.language), .surface = in->surface, .channel = in->channel};
	if (text_read(in->text, a, &fi.text) < 0 || text_read(in->subject, a, &fi.subject) < 0)
		return err_set(e, -ENOMEM, "the text needs too much memory");
	add_overview(&u, out);
	if (!fi.text.count && !fi.subject.count) {
		buf_adds(out, "there is nothing to read in it: every answer is \"do not know\"\n");
		return 0;
	}
	bool any = false;
	for (size_t i = 0; classifier_tasks[i] && r == 0; i++) {
		const struct model *m = classifier_linear_model(c, classifier_tasks[i]);
		if (!m || (task && !str_eq(task, classifier_tasks[i])))
			continue;
		any = true;
		r = explain_task(m, f, &fi, out);
	}
	if (task && !any)
		return err_set(e, -ENOENT, "there is no model for \"%s\"", task);
	return r < 0 ? err_set(e, r, "out of memory") : 0;
}

int explain(struct classifier *c, const struct classifier_input *in, const char *task, struct buf *out, struct err *e)
{
	struct features f;
	if (features_init(&f) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	int r = explain_all(c, in, task, &a, &f, out, e);
	arena_free(&a);
	features_free(&f);
	return r;
}
