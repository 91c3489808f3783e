#include "versions.h"

Ascolto__ModelVersion *versions_find(const State__TaskModels *t, const char *name)
{
	for (size_t i = t->n_versions; i-- > 0;)
		if (str_eq(t->versions[i]->name, name))
			return t->versions[i];
	return NULL;
}

bool versions_has_file(const Ascolto__ModelVersion *v)
{
	return !str_eq(v->standing, "refused") && !str_eq(v->standing, "failed");
}

static bool is_needed(const State__TaskModels *t, const char *name)
{
	bool needed = str_eq(t->running, name);
	for (size_t i = 0; i < t->n_former; i++)
		needed |= str_eq(t->former[i], name);
	return needed;
}

static void remove_version(State__TaskModels *t, size_t at)
{
	t->n_versions--;
	memmove(&t->versions[at], &t->versions[at + 1], (t->n_versions - at) * sizeof(*t->versions));
}

/* Refusals are not named apart: each is a line of the story, the newest ones are kept. */
static void drop_surplus(State__TaskModels *t)
{
	for (size_t i = 0; t->n_versions > VERSIONS_KEPT && i < t->n_versions;) {
		if (is_needed(t, t->versions[i]->name) && versions_has_file(t->versions[i]))
			i++;
		else
			remove_version(t, i);
	}
}

int versions_note(State__TaskModels *t, Ascolto__ModelVersion *v, struct arena *a)
{
	Ascolto__ModelVersion **list = arena_alloc(a, (t->n_versions + 1) * sizeof(Ascolto__ModelVersion *));
	if (!list)
		return -ENOMEM;
	if (t->n_versions)
		memcpy(list, t->versions, t->n_versions * sizeof(Ascolto__ModelVersion *));
	t->versions = list;
	for (size_t i = t->n_versions; i-- > 0;)
		if (str_eq(list[i]->name, v->name) && (versions_has_file(v) || !is_needed(t, v->name)))
			remove_version(t, i);
	list[t->n_versions++] = v;
	drop_surplus(t);
	return 0;
}

int versions_promote(State__TaskModels *t, Ascolto__ModelVersion *v, const char *by, int64_t at_ms, struct arena *a,
	struct err *e)
{
	if (str_eq(t->running, v->name))
		return err_set(e, -EALREADY, "%s runs already", v->name);
	char **former = arena_alloc(a, (t->n_former + 1) * sizeof(*former));
	if (!former)
		return err_set(e, -ENOMEM, "out of memory");
	size_t skip = t->n_former >= VERSIONS_FORMER;
	for (size_t i = skip; i < t->n_former; i++)
		former[i - skip] = t->former[i];
	t->n_former -= skip;
	former[t->n_former++] = t->running;
	t->former = former;
	t->running = v->name;
	t->since_ms = at_ms;
	t->by = (char *)(uintptr_t)by;
	v->standing = (char *)"kept";
	return versions_note(t, v, a) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

int versions_rollback(State__TaskModels *t, const char *by, int64_t at_ms, struct err *e)
{
	if (!t->n_former)
		return err_set(e, -ENOENT, "%s: no model ran before %s", t->task,
			str_empty(t->running) ? "the shipped one" : t->running);
	t->running = t->former[--t->n_former];
	t->since_ms = at_ms;
	t->by = (char *)(uintptr_t)by;
	return 0;
}
