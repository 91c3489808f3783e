#include "services/escalation/topics/topic_index.h"

#include "services/escalation/topics/topic.h"

#include <math.h>

#define LISTS 65536       /* a power of two; several terms share a list */
#define NOWHERE UINT32_MAX
#define ROUNDING 1e-5    /* sums of floats in another order differ by less */

struct posting {
	uint32_t term, slot;
	float weight;
};

struct list {
	struct posting *all;
	uint32_t n, cap;
};

struct topic_index {
	struct list lists[LISTS];
	struct topic *const *topics; /* by slot; borrowed */
	float *norms;          /* by slot: the centres' lengths */
	float *dots;           /* of the search under way, valid where seen == search */
	uint32_t *seen, search;
	uint32_t *met, n_met;  /* slots met by the search under way */
	size_t max;
};

int topic_index_new(struct topic_index **ret, struct topic *const *by_slot, size_t topics_max)
{
	struct topic_index *ix = calloc(1, sizeof(*ix));
	if (!ix)
		return -ENOMEM;
	ix->max = topics_max;
	ix->topics = by_slot;
	ix->norms = calloc(topics_max, sizeof(*ix->norms));
	ix->dots = calloc(topics_max, sizeof(*ix->dots));
	ix->seen = calloc(topics_max, sizeof(*ix->seen));
	ix->met = calloc(topics_max, sizeof(*ix->met));
	if (!ix->norms || !ix->dots || !ix->seen || !ix->met)
		topic_index_free(&ix);
	*ret = ix;
	return ix ? 0 : -ENOMEM;
}

void topic_index_free(struct topic_index **ixp)
{
	struct topic_index *ix = *ixp;
	if (!ix)
		return;
	for (size_t i = 0; i < LISTS; i++)
		free(ix->lists[i].all);
	free(ix->norms);
	free(ix->dots);
	free(ix->seen);
	free(ix->met);
	free(ix);
	*ixp = NULL;
}

static struct list *list_of(struct topic_index *ix, uint32_t term)
{
	return &ix->lists[term * 0x9e3779b1u >> 16];
}

void topic_index_add(struct topic_index *ix, struct topic *t, size_t i)
{
	struct list *l = list_of(ix, t->terms[i]);
	t->places[i] = NOWHERE;
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? l->cap * 2 : 4;
		struct posting *more = realloc(l->all, cap * sizeof(*more));
		if (!more)
			return;
		l->all = more;
		l->cap = cap;
	}
	t->places[i] = l->n;
	l->all[l->n++] = (struct posting){t->terms[i], t->slot, t->weights[i]};
}

/* Where the topic's term stands among its terms. */
static size_t position(const struct topic *t, uint32_t term)
{
	size_t low = 0, high = t->n_terms;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (t->terms[middle] < term)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void topic_index_remove(struct topic_index *ix, struct topic *t, size_t i)
{
	struct list *l = list_of(ix, t->terms[i]);
	uint32_t at = t->places[i];
	if (at == NOWHERE)
		return;
	t->places[i] = NOWHERE;
	l->n--;
	if (at == l->n)
		return;
	/* The last one takes its place. */
	l->all[at] = l->all[l->n];
	struct topic *moved = ix->topics[l->all[at].slot];
	moved->places[position(moved, l->all[at].term)] = at;
}

void topic_index_weigh(struct topic_index *ix, const struct topic *t, size_t i)
{
	if (t->places[i] != NOWHERE)
		list_of(ix, t->terms[i])->all[t->places[i]].weight = t->weights[i];
}

void topic_index_length(struct topic_index *ix, const struct topic *t)
{
	ix->norms[t->slot] = t->norm;
}

double topic_dot_product(const uint32_t *a, const float *aw, size_t na, const uint32_t *b, const float *bw, size_t nb)
{
	double dot = 0;
	size_t i = 0, k = 0;
	while (i < na && k < nb) {
		if (a[i] < b[k])
			i++;
		else if (a[i] > b[k])
			k++;
		else
			dot += (double)aw[i++] * (double)bw[k++];
	}
	return dot;
}

/* ---- searching ---- */

static void begin(struct topic_index *ix)
{
	ix->n_met = 0;
	if (++ix->search == 0) { /* four thousand million searches later */
		memset(ix->seen, 0, ix->max * sizeof(*ix->seen));
		ix->search = 1;
	}
}

static void meet(struct topic_index *ix, uint32_t term, float weight)
{
	const struct list *l = list_of(ix, term);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct posting *p = &l->all[i];
		if (p->term != term)
			continue;
		if (ix->seen[p->slot] != ix->search) {
			ix->seen[p->slot] = ix->search;
			ix->dots[p->slot] = 0;
			ix->met[ix->n_met++] = p->slot;
		}
		ix->dots[p->slot] += weight * p->weight;
	}
}

/* Meets the topics that may be near enough; returns what the terms not looked at can add to a nearness at most. */
static double meet_heaviest(struct topic_index *ix, const struct topic_query *q)
{
	uint16_t order[TOPIC_TERMS];
	size_t n = MIN(q->n, (size_t)TOPIC_TERMS);
	double rest = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = i;
		for (; k > 0 && q->weights[order[k - 1]] < q->weights[i]; k--)
			order[k] = order[k - 1];
		order[k] = (uint16_t)i;
		rest += (double)q->weights[i] * (double)q->weights[i];
	}
	for (size_t i = 0; i < n && sqrt(rest) + ROUNDING >= q->least; i++) {
		float w = q->weights[order[i]];
		meet(ix, q->terms[order[i]], w);
		rest = MAX(rest - (double)w * (double)w, 0);
	}
	return sqrt(rest);
}

static double nearness(const struct topic_query *q, const struct topic *t)
{
	double dot = topic_dot_product(t->terms, t->weights, t->n_terms, q->terms, q->weights, q->n);
	return t->norm > 0 ? dot / (double)t->norm : 0;
}

static bool is_better(const struct topic *t, double near, const struct topic *best, double best_near)
{
	if (!best || near != best_near)
		return !best || near > best_near;
	return t->messages != best->messages ? t->messages > best->messages : memcmp(t->id.b, best->id.b, ID_BYTES) < 0;
}

struct topic *topic_index_nearest(struct topic_index *ix, const struct topic_query *q, double *ret_nearness)
{
	struct topic *best = NULL;
	double most = 0;
	begin(ix);
	double rest = meet_heaviest(ix, q);
	for (uint32_t i = 0; i < ix->n_met; i++) {
		uint32_t slot = ix->met[i];
		double can = (double)ix->dots[slot] / (double)MAX(ix->norms[slot], 1e-9f) + rest + ROUNDING;
		const struct topic *t = ix->topics[slot];
		if (can < MAX(q->least, most) || (q->allowed && !q->allowed(t, q->ctx)))
			continue;
		double near = nearness(q, t);
		if (near >= q->least && is_better(t, near, best, most)) {
			best = ix->topics[slot];
			most = near;
		}
	}
	*ret_nearness = most;
	return best;
}
