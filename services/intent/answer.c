#include "answer.h"

#include <math.h>

#include "services/intent/dataset.h"

#define NAME_MAX_BYTES 48

/* ---- checking ---- */

static bool is_label(const char *task, const char *label)
{
	for (const char *const *l = dataset_labels(task); *l; l++)
		if (str_eq(*l, label))
			return true;
	return false;
}

static bool label_is_right(const char *task, const Ascolto__Label *l)
{
	return !l || ((str_empty(l->value) || is_label(task, l->value)) && isfinite(l->probability) && l->probability >= 0 &&
			     l->probability <= 1);
}

static bool flags_are_right(const Ascolto__Understanding *u)
{
	for (size_t i = 0; i < u->n_flags; i++) {
		if (!is_label("flags", u->flags[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (str_eq(u->flags[i], u->flags[j]))
				return false;
	}
	return true;
}

static bool language_is_right(const char *l)
{
	return str_empty(l) || str_eq(l, "other") || (strlen(l) == 2 && l[0] >= 'a' && l[0] <= 'z' && l[1] >= 'a' && l[1] <= 'z');
}

static bool understanding_is_right(const Ascolto__Understanding *u)
{
	return label_is_right("intent", u->intent) && label_is_right("expectation", u->expectation) &&
	       label_is_right("event", u->event) && label_is_right("sentiment", u->sentiment) && label_is_right("lane", u->lane) &&
	       flags_are_right(u) && language_is_right(u->language);
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const Ascolto__ClassifyReply *r, size_t n_texts)
{
	if (!r)
		return "its answer is no ClassifyReply";
	if (r->version != ANSWER_VERSION)
		return "it speaks another version of the protocol";
	if (!str_empty(r->error))
		return "it says that it can not answer";
	if (r->n_understandings != n_texts)
		return "its answer is not for as many texts as were asked";
	for (size_t i = 0; i < r->n_understandings; i++)
		if (!understanding_is_right(r->understandings[i]))
			return "its answer has a label, probability or flag that no task has";
	return NULL;
}

int answer_read(struct span bytes, uint64_t number, size_t n_texts, struct arena *a, const Ascolto__ClassifyReply **ret,
	const char **ret_fault)
{
	Ascolto__ClassifyReply *r = ascolto__classify_reply__unpack(arena_pb(a), bytes.len, bytes.data);
	*ret = NULL;
	*ret_fault = NULL;
	if (r && r->version == ANSWER_VERSION && r->number < number)
		return -EALREADY;
	*ret_fault = r && r->number > number ? "its answer is to a question nobody has asked" : fault_of(r, n_texts);
	if (*ret_fault)
		return -EBADMSG;
	*ret = r;
	return 0;
}

/* ---- taking over ---- */

static int copy_label(const Ascolto__Label *from, struct arena *a, Ascolto__Label **to)
{
	Ascolto__Label *l = arena_alloc(a, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = *from;
	l->value = arena_strdup(a, from->value);
	*to = l;
	return l->value ? 0 : -ENOMEM;
}

static int copy_flags(const Ascolto__Understanding *from, struct arena *a, Ascolto__Understanding *to)
{
	char **flags = arena_alloc(a, (from->n_flags + 1) * sizeof(*flags));
	if (!flags)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_flags; i++)
		if (!(flags[i] = arena_strdup(a, from->flags[i])))
			return -ENOMEM;
	to->flags = flags;
	to->n_flags = from->n_flags;
	return 0;
}

/* One task's answer over the built-in one. 1: it has one, 0: it has none. */
static int take_over(const char *task, const Ascolto__Understanding *from, struct arena *a, Ascolto__Understanding *to)
{
	const struct {
		const char *task;
		const Ascolto__Label *from;
		Ascolto__Label **to;
	} labels[] = {{"intent", from->intent, &to->intent}, {"expectation", from->expectation, &to->expectation},
		{"event", from->event, &to->event}, {"sentiment", from->sentiment, &to->sentiment}, {"lane", from->lane, &to->lane}};
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (str_eq(task, labels[i].task))
			return !labels[i].from ? 0 : copy_label(labels[i].from, a, labels[i].to) ? -ENOMEM : 1;
	if (str_eq(task, "flags"))
		return copy_flags(from, a, to) ? -ENOMEM : 1;
	if (str_empty(from->language))
		return 0;
	to->language = arena_strdup(a, from->language);
	return to->language ? 1 : -ENOMEM;
}

/* The server's name for its model, as far as it can stand in a record. */
static const char *model_name(const Ascolto__ClassifyReply *r, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "%s", str_empty(r->model) ? "unnamed" : r->model);
	for (char *p = out; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
	return out;
}

int answer_take_over(const Ascolto__ClassifyReply *r, const Ascolto__Understanding *u, const bool tasks[CLASSIFIER_TASKS],
	struct arena *a, Ascolto__Understanding *ret)
{
	char taken[128] = "", name[NAME_MAX_BYTES];
	size_t n = 0;
	for (int t = 0; t < CLASSIFIER_TASKS; t++) {
		int x = tasks[t] ? take_over(classifier_tasks[t], u, a, ret) : 0;
		if (x < 0)
			return x;
		if (x > 0)
			n += (size_t)snprintf(taken + n, sizeof(taken) - n, "%s%s", n ? "," : "", classifier_tasks[t]);
	}
	if (n)
		ret->model = arena_printf(a, "external/%s(%s) %s", model_name(r, name), taken, ret->model);
	return ret->model ? 0 : -ENOMEM;
}
