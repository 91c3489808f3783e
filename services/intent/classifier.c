#include "classifier.h"

#include <sys/stat.h>

#include "common/private_data.h"
#include "common/signature.h"
#include "common/text.h"
#include "common/words.h"
#include "services/intent/dataset.h"
#include "services/intent/features.h"
#include "services/intent/keywords.h"
#include "services/intent/model.h"
#include "services/intent/panel.h"

const char *const classifier_tasks[CLASSIFIER_TASKS + 1] = {
	"language", "intent", "expectation", "event", "sentiment", "lane", "flags", NULL};

enum task { TASK_LANGUAGE, TASK_INTENT, TASK_EXPECTATION, TASK_EVENT, TASK_SENTIMENT, TASK_LANE, TASK_FLAGS, TASKS };
_Static_assert((int)TASKS == CLASSIFIER_TASKS, "every task has its name");

struct linear {
	struct classifier base;
	struct model model[TASKS];
	struct panel panel[TASKS]; /* n_panels of them hold the models */
	size_t n_panels;
	struct place {
		size_t panel, index;
	} place[TASKS];
	struct features features;
	char *name; /* for Understanding.model */
};

/* One message on its way through the models; features are extracted again only when the next panel wants others. */
struct reading {
	struct linear *l;
	struct features_input in;
	const struct features_spec *extracted;
	size_t scored; /* the panel whose scores these are, + 1; 0 = none */
	float scores[MODEL_LABELS_MAX + 32];
	struct arena *arena;
};

/* The probabilities of a task's labels, as many as it has. */
static void predict(struct reading *r, enum task task, float p[MODEL_LABELS_MAX])
{
	struct linear *l = r->l;
	const struct place *place = &l->place[task];
	const struct panel *panel = &l->panel[place->panel];
	const struct features_spec *spec = &panel->table.head->spec;
	if (r->scored != place->panel + 1) {
		if (!r->extracted || memcmp(r->extracted, spec, sizeof(*spec)) != 0)
			features_extract(&l->features, spec, &r->in);
		r->extracted = spec;
		panel_score(panel, &l->features, r->scores);
		r->scored = place->panel + 1;
	}
	const struct model *m = &l->model[task];
	memcpy(p, r->scores + panel->from[place->index], m->head->labels * sizeof(*p));
	model_probabilities(m, p);
}

static int best_of(const struct model *m, const float *p)
{
	int best = 0;
	for (uint32_t i = 1; i < m->head->labels; i++)
		if (p[i] > p[best])
			best = (int)i;
	return best;
}

static int predict_label(struct reading *r, enum task task, Ascolto__Label **ret)
{
	const struct model *m = &r->l->model[task];
	if (!m->head)
		return 0;
	Ascolto__Label *label = arena_alloc(r->arena, sizeof(*label));
	if (!label)
		return -ENOMEM;
	ascolto__label__init(label);
	*ret = label;
	if (!r->in.text.count && !r->in.subject.count)
		return 0;
	float p[MODEL_LABELS_MAX];
	predict(r, task, p);
	int best = best_of(m, p);
	label->probability = p[best];
	if (p[best] < m->head->threshold)
		return 0;
	label->value = arena_strdup(r->arena, m->label[best]);
	return label->value ? 0 : -ENOMEM;
}

static int predict_flags(struct reading *r, Ascolto__Understanding *ret)
{
	const struct model *m = &r->l->model[TASK_FLAGS];
	if (!m->head || !r->in.text.count)
		return 0;
	float p[MODEL_LABELS_MAX];
	predict(r, TASK_FLAGS, p);
	ret->flags = arena_alloc(r->arena, m->head->labels * sizeof(*ret->flags));
	if (!ret->flags)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->head->labels; i++) {
		if (p[i] < m->platt[i].threshold)
			continue;
		ret->flags[ret->n_flags] = arena_strdup(r->arena, m->label[i]);
		if (!ret->flags[ret->n_flags])
			return -ENOMEM;
		ret->n_flags++;
	}
	return 0;
}

/* What has a check digit or a form of its own needs no model: cards, IBANs, tax codes, telephones, addresses. */
static int flag_private_data(struct reading *r, const struct classifier_input *in, Ascolto__Understanding *ret)
{
	static const char flag[] = "personal_data";
	struct private_data found;
	for (size_t i = 0; i < ret->n_flags; i++)
		if (str_eq(ret->flags[i], flag))
			return 0;
	if (!private_data_find(in->text, 0, &found) && !private_data_find(in->subject, 0, &found))
		return 0;
	char **flags = arena_alloc(r->arena, (ret->n_flags + 1) * sizeof(*flags));
	if (!flags || !(flags[ret->n_flags] = arena_strdup(r->arena, flag)))
		return -ENOMEM;
	if (ret->n_flags)
		memcpy(flags, ret->flags, ret->n_flags * sizeof(*flags));
	ret->flags = flags;
	ret->n_flags++;
	return 0;
}

static bool has_word(const struct text *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->tokens[i].kind == TOKEN_WORD)
			return true;
	return false;
}

/* What the text says, else what the caller takes it to be. */
static int predict_language(struct reading *r, const char *given, char **ret)
{
	const struct model *m = &r->l->model[TASK_LANGUAGE];
	const char *language = given ? given : "";
	if (m->head && has_word(&r->in.text)) {
		float p[MODEL_LABELS_MAX];
		predict(r, TASK_LANGUAGE, p);
		int best = best_of(m, p);
		if (p[best] >= m->head->threshold)
			language = m->label[best];
	}
	r->in.language = words_language_of(language);
	r->extracted = NULL; /* stems and concepts depend on the language */
	r->scored = 0;
	*ret = arena_strdup(r->arena, language);
	return *ret ? 0 : -ENOMEM;
}

static int predict_words(struct reading *r, Ascolto__Understanding *ret)
{
	int e = keywords_of(&r->in.text, r->in.language, r->arena, &ret->keywords, &ret->n_keywords);
	if (e < 0)
		return e;
	ret->signature = arena_alloc(r->arena, sizeof(*ret->signature));
	if (!ret->signature)
		return -ENOMEM;
	ascolto__signature__init(ret->signature);
	return signature_of_text(&r->in.text, r->in.language, r->arena, ret->signature);
}

static int linear_predict(struct classifier *c, const struct classifier_input *in, struct arena *a,
	Ascolto__Understanding *ret, struct err *e)
{
	struct linear *l = (struct linear *)c;
	struct reading r = {.l = l, .arena = a,
		.in = {.language = WORDS_NONE, .surface = in->surface, .channel = in->channel}};
	ascolto__understanding__init(ret);
	int x = text_read(in->text, a, &r.in.text);
	if (x == 0 && in->subject.len)
		x = text_read(in->subject, a, &r.in.subject);
	if (x == 0)
		x = predict_language(&r, in->lang, &ret->language);
	if (x == 0)
		x = predict_label(&r, TASK_INTENT, &ret->intent);
	if (x == 0)
		x = predict_label(&r, TASK_EXPECTATION, &ret->expectation);
	if (x == 0)
		x = predict_label(&r, TASK_EVENT, &ret->event);
	if (x == 0)
		x = predict_label(&r, TASK_LANE, &ret->lane);
	if (x == 0)
		x = predict_flags(&r, ret);
	if (x == 0)
		x = flag_private_data(&r, in, ret);
	if (x == 0)
		x = predict_label(&r, TASK_SENTIMENT, &ret->sentiment);
	if (x == 0)
		x = predict_words(&r, ret);
	if (x == 0 && !(ret->model = arena_strdup(a, l->name)))
		x = -ENOMEM;
	return x < 0 ? err_set(e, x, "the message needs more memory than one message may have") : 0;
}

static int linear_describe(struct classifier *c, struct arena *a, char **ret_text)
{
	struct linear *l = (struct linear *)c;
	char *text = arena_strdup(a, "");
	for (int t = 0; t < TASKS && text; t++)
		if (l->model[t].head)
			text = arena_printf(a, "%s%-12s %s, %u labels, threshold %.2f, %zu KiB\n", text, classifier_tasks[t],
				l->model[t].head->name, l->model[t].different, (double)l->model[t].head->threshold,
				l->model[t].len / 1024);
	*ret_text = text;
	return text ? 0 : -ENOMEM;
}

static void linear_close(struct classifier *c)
{
	struct linear *l = (struct linear *)c;
	for (size_t i = 0; i < l->n_panels; i++)
		panel_free(&l->panel[i]);
	for (int t = 0; t < TASKS; t++)
		model_close(&l->model[t]);
	features_free(&l->features);
	free(l->name);
	free(l);
}

static const struct classifier_ops linear_ops = {
	.name = "linear",
	.predict = linear_predict,
	.describe = linear_describe,
	.close = linear_close,
};

int classifier_check_model(const struct model *m, const char *task, const char *name, struct err *e)
{
	const struct model_head *h = m->head;
	if (!str_eq(h->task, task))
		return err_set(e, -EBADMSG, "%s: a model for \"%s\", not for \"%s\"", name, h->task, task);
	if ((h->kind == MODEL_MULTI) != dataset_is_multi(task))
		return err_set(e, -EBADMSG, "%s: a model of the wrong kind for \"%s\"", name, task);
	const char *const *known = dataset_labels(task);
	for (uint32_t i = 0; i < h->labels; i++) {
		const char *const *k = known;
		while (*k && !str_eq(*k, m->label[i]))
			k++;
		if (!*k)
			return err_set(e, -EBADMSG, "%s: its label \"%.60s\" is none that \"%s\" has", name, m->label[i], task);
	}
	return 0;
}

static int open_task(struct linear *l, const char *dir, const char *instead, int task, struct err *e)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s.model", dir, classifier_tasks[task]);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, -ENAMETOOLONG, "%s: the name of the models' folder is too long", dir);
	struct stat st;
	if (!instead && stat(path, &st) < 0 && errno == ENOENT)
		return 0;
	int r = model_open(&l->model[task], instead ? instead : path, e);
	if (r < 0)
		return r;
	return classifier_check_model(&l->model[task], classifier_tasks[task], instead ? instead : path, e);
}

static int make_panels(struct linear *l)
{
	for (size_t t = 0; t < TASKS; t++) {
		size_t i = 0;
		if (!l->model[t].head)
			continue;
		while (i < l->n_panels && !panel_takes(&l->panel[i], &l->model[t]))
			i++;
		l->place[t] = (struct place){i, l->panel[i].n};
		panel_add(&l->panel[i], &l->model[t]);
		l->n_panels = MAX(l->n_panels, i + 1);
	}
	int r = 0;
	for (size_t i = 0; i < l->n_panels && r == 0; i++)
		r = panel_make(&l->panel[i]);
	return r;
}

/* What tells one training from another in a model's name: "intent-3e5b1c2a-3004-rows". */
static struct span digits_of(const struct model *m)
{
	const char *p = m->head ? strchr(m->head->name, '-') : NULL;
	return p ? span_of(p + 1, strcspn(p + 1, "-")) : span_of("", 0);
}

static char *name_all(const struct linear *l)
{
	char name[sizeof(((struct model_head *)0)->name) * TASKS + 16];
	size_t n = (size_t)snprintf(name, sizeof(name), "linear/");
	for (int t = 0; t < TASKS; t++) {
		struct span digits = digits_of(&l->model[t]);
		n += (size_t)snprintf(name + n, sizeof(name) - n, "%s%.*s", t ? "." : "", (int)digits.len, digits.data);
	}
	return strdup(name);
}

int classifier_open_chosen(const char *dir, const char *const instead[CLASSIFIER_TASKS], struct classifier **ret,
	struct err *e)
{
	struct stat st;
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, -ENOENT, "%s: no such folder of models", dir);
	struct linear *l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(e, -ENOMEM, "out of memory");
	l->base.ops = &linear_ops;
	int r = features_init(&l->features);
	for (int t = 0; t < TASKS && r == 0; t++)
		r = open_task(l, dir, instead[t], t, e);
	if (r == 0 && make_panels(l) < 0)
		r = err_set(e, -ENOMEM, "out of memory");
	if (r == 0 && !(l->name = name_all(l)))
		r = err_set(e, -ENOMEM, "out of memory");
	if (r < 0) {
		linear_close(&l->base);
		return r;
	}
	*ret = &l->base;
	return 0;
}

int classifier_open_linear(const char *dir, struct classifier **ret, struct err *e)
{
	static const char *const none[CLASSIFIER_TASKS];
	return classifier_open_chosen(dir, none, ret, e);
}

int classifier_task(const char *task)
{
	for (int t = 0; t < TASKS; t++)
		if (str_eq(classifier_tasks[t], task))
			return t;
	return -1;
}

const struct model *classifier_linear_model(struct classifier *c, const char *task)
{
	if (c->ops != &linear_ops)
		return NULL;
	struct linear *l = (struct linear *)c;
	for (int t = 0; t < TASKS; t++)
		if (str_eq(classifier_tasks[t], task) && l->model[t].head)
			return &l->model[t];
	return NULL;
}

void classifier_close(struct classifier **c)
{
	if (*c)
		(*c)->ops->close(*c);
	*c = NULL;
}
