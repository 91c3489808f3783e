#include "services/escalation/topics/copies.h"

static int find_near(const struct copies *c, const Ascolto__Signature *s)
{
	for (int i = 0; i < COPIES_KEPT; i++)
		if (signature_near_copy(c->sketch[i], c->words[i], s->sketch, s->words))
			return i;
	return -1;
}

#if defined(__x86_64__)
/* The same with the processor's own way to count bits. */
__attribute__((target("popcnt"))) static int find_near_popcnt(
	const struct copies *c, const Ascolto__Signature *s)
{
	for (int i = 0; i < COPIES_KEPT; i++)
		if (__builtin_popcountll(c->sketch[i] ^ s->sketch) <= SIGNATURE_NEAR_COPY &&
			signature_near_copy(c->sketch[i], c->words[i], s->sketch, s->words))
			return i;
	return -1;
}
#endif

int copies_find(const struct copies *c, const Ascolto__Signature *s)
{
	if (!s->copy)
		return -1;
	for (int i = 0; i < COPIES_KEPT; i++)
		if (c->hash[i] == s->copy)
			return i;
	if (s->words < SIGNATURE_NEAR_WORDS)
		return -1;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("popcnt"))
		return find_near_popcnt(c, s);
#endif
	return find_near(c, s);
}

static void put(struct copies *c, uint64_t number, const State__Copy *row)
{
	size_t at = number % COPIES_KEPT;
	c->hash[at] = row->hash;
	c->who[at] = row->who;
	c->sketch[at] = row->sketch;
	c->words[at] = row->words;
	c->last = MAX(c->last, number);
}

uint64_t copies_add(struct copies *c, const Ascolto__Signature *s, uint64_t who)
{
	State__Copy row = STATE__COPY__INIT;
	row.hash = s->copy;
	row.who = who;
	row.sketch = s->sketch;
	row.words = s->words;
	put(c, c->last + 1, &row);
	return c->last;
}

void copies_restore(struct copies *c, const State__Copy *row)
{
	put(c, row->number, row);
}
