#include "services/escalation/topics/crowd.h"

void crowd_free(struct crowd *c)
{
	free(c->people);
	*c = (struct crowd){0};
}

static struct person *slot(struct person *people, size_t cap, uint64_t who)
{
	size_t i = (size_t)(who * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
	while (people[i].who && people[i].who != who)
		i = (i + 1) & (cap - 1);
	return &people[i];
}

static bool is_full(const struct crowd *c)
{
	return (c->n + 1) * 3 > c->cap * 2;
}

/* Another table, without those who are too old. */
static bool rebuild(struct crowd *c, int64_t step_ms)
{
	size_t live = 0, cap = 4;
	for (size_t i = 0; i < c->cap; i++)
		live += c->people[i].who && !crowd_has_left(c, &c->people[i], step_ms);
	while (cap < live * 2 + 4)
		cap *= 2;
	struct person *fresh = calloc(cap, sizeof(*fresh));
	if (!fresh)
		return false;
	for (size_t i = 0; i < c->cap; i++)
		if (c->people[i].who && !crowd_has_left(c, &c->people[i], step_ms))
			*slot(fresh, cap, c->people[i].who) = c->people[i];
	free(c->people);
	c->people = fresh;
	c->cap = cap;
	c->n = live;
	return true;
}

static void count(struct crowd *c, int64_t step, uint32_t people)
{
	c->steps[step % CROWD_STEPS] += people;
	c->blocks[step % CROWD_STEPS / CROWD_BLOCK] += people;
}

void crowd_pass(struct crowd *c, int64_t step)
{
	if (step <= c->newest)
		return;
	for (int64_t s = MAX(c->newest, step - CROWD_STEPS) + 1; s <= step; s++)
		count(c, s, -c->steps[s % CROWD_STEPS]);
	c->newest = step;
}

bool crowd_add(struct crowd *c, uint64_t who, int64_t at_ms, int64_t step_ms)
{
	int64_t step = at_ms / step_ms;
	who = who ? who : 1; /* nobody is a person too */
	crowd_pass(c, step);
	if (step <= c->newest - CROWD_STEPS)
		return true;
	if (is_full(c) && !rebuild(c, step_ms))
		return false;
	struct person *p = slot(c->people, c->cap, who);
	if (!p->who && c->n >= CROWD_PEOPLE_MAX) {
		count(c, step, 1);
		return true;
	}
	if (p->who && p->last_ms >= at_ms)
		return true;
	if (p->who && !crowd_has_left(c, p, step_ms))
		count(c, p->last_ms / step_ms, -1u);
	c->n += p->who == 0;
	p->who = who;
	p->last_ms = at_ms;
	count(c, step, 1);
	return true;
}

void crowd_add_nameless(struct crowd *c, int64_t at_ms, int64_t step_ms)
{
	int64_t step = at_ms / step_ms;
	crowd_pass(c, step);
	if (step > c->newest - CROWD_STEPS)
		count(c, step, 1);
}

static unsigned sum(const uint32_t *first, int64_t n)
{
	unsigned sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += first[i];
	return sum;
}

bool crowd_has(const struct crowd *c, uint64_t who, int64_t step_ms)
{
	const struct person *p = c->cap ? slot(c->people, c->cap, who ? who : 1) : NULL;
	return p && p->who && !crowd_has_left(c, p, step_ms);
}

unsigned crowd_count(const struct crowd *c, unsigned steps)
{
	int64_t left = MIN((int64_t)steps, MIN(c->newest + 1, (int64_t)CROWD_STEPS)),
		end = c->newest % CROWD_STEPS + 1;
	if (left <= 0)
		return 0;
	/* What stands of the newest block, whole blocks back from it, and what is missing of the one before
	 * those. */
	int64_t head = MIN(left, end % CROWD_BLOCK);
	unsigned n = sum(c->steps + end - head, head);
	for (left -= head, end -= head; left >= CROWD_BLOCK; left -= CROWD_BLOCK, end -= CROWD_BLOCK) {
		end = end ? end : CROWD_STEPS;
		n += c->blocks[end / CROWD_BLOCK - 1];
	}
	end = end ? end : CROWD_STEPS;
	return n + sum(c->steps + end - left, left);
}
