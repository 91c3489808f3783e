#include "services/escalation/crowd.h"

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

bool crowd_is_full(const struct crowd *c)
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

void crowd_pass(struct crowd *c, int64_t step)
{
	if (step <= c->newest)
		return;
	if (step - c->newest >= CROWD_STEPS)
		memset(c->steps, 0, sizeof(c->steps));
	else
		for (int64_t s = c->newest + 1; s <= step; s++)
			c->steps[s % CROWD_STEPS] = 0;
	c->newest = step;
}

bool crowd_add(struct crowd *c, uint64_t who, int64_t at_ms, int64_t step_ms)
{
	int64_t step = at_ms / step_ms;
	who = who ? who : 1; /* nobody is a person too */
	crowd_pass(c, step);
	if (step <= c->newest - CROWD_STEPS)
		return true;
	if (crowd_is_full(c) && !rebuild(c, step_ms))
		return false;
	struct person *p = slot(c->people, c->cap, who);
	if (!p->who && c->n >= CROWD_PEOPLE_MAX) {
		c->steps[step % CROWD_STEPS]++;
		return true;
	}
	if (p->who && p->last_ms >= at_ms)
		return true;
	if (p->who && !crowd_has_left(c, p, step_ms))
		c->steps[p->last_ms / step_ms % CROWD_STEPS]--;
	c->n += p->who == 0;
	p->who = who;
	p->last_ms = at_ms;
	c->steps[step % CROWD_STEPS]++;
	return true;
}

void crowd_add_nameless(struct crowd *c, int64_t at_ms, int64_t step_ms)
{
	int64_t step = at_ms / step_ms;
	crowd_pass(c, step);
	if (step > c->newest - CROWD_STEPS)
		c->steps[step % CROWD_STEPS]++;
}

int64_t crowd_last_ms(const struct crowd *c, uint64_t who)
{
	return c->cap ? slot(c->people, c->cap, who ? who : 1)->last_ms : 0;
}

bool crowd_has(const struct crowd *c, uint64_t who, int64_t step_ms)
{
	const struct person *p = c->cap ? slot(c->people, c->cap, who ? who : 1) : NULL;
	return p && p->who && !crowd_has_left(c, p, step_ms);
}

unsigned crowd_count(const struct crowd *c, unsigned steps)
{
	unsigned n = 0;
	for (int64_t s = c->newest; s > c->newest - (int64_t)steps && s >= 0; s--)
		n += c->steps[s % CROWD_STEPS];
	return n;
}
