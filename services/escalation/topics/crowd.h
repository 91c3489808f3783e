/*
 * crowd.h - distinct people in sliding windows.
 *
 * A person counts once, at the time of their latest message: when they write again they leave the step they stood in and
 * enter the new one, so the sum of a window's steps is the number of different people in it, exactly, for every window
 * that ends with the newest step. Time is in steps (a sixtieth of the playbook's window); the last CROWD_STEPS count.
 *
 * Cost of a message: one look into a hash table. Memory: 16 bytes a slot, three slots for two people or fewer, and no more
 * than CROWD_PEOPLE_MAX people: beyond, people are counted without being remembered, so who writes twice counts twice.
 */
#ifndef ASCOLTO_ESCALATION_CROWD_H
#define ASCOLTO_ESCALATION_CROWD_H

#include "common/base.h"

#define CROWD_STEPS 180
#define CROWD_BLOCK 15 /* a divisor: so many steps are summed once */
#define CROWD_PEOPLE_MAX ((size_t)1 << 20)

struct person {
	uint64_t who;  /* 0: free */
	int64_t last_ms;
};

struct crowd {
	struct person *people; /* open addressing */
	size_t cap, n;
	int64_t newest;        /* step */
	uint32_t steps[CROWD_STEPS];
	uint32_t blocks[CROWD_STEPS / CROWD_BLOCK];
};

void crowd_free(struct crowd *c);

/* The person wrote then. Whoever is older than CROWD_STEPS is not remembered. False when memory is out. */
bool crowd_add(struct crowd *c, uint64_t who, int64_t at_ms, int64_t step_ms);

/* Somebody, not asked who: everybody is somebody new. */
void crowd_add_nameless(struct crowd *c, int64_t at_ms, int64_t step_ms);

/* They wrote within the last CROWD_STEPS. */
bool crowd_has(const struct crowd *c, uint64_t who, int64_t step_ms);

/* Steps pass without anybody. */
void crowd_pass(struct crowd *c, int64_t step);

/* Different people in the last so many steps, the newest included. */
unsigned crowd_count(const struct crowd *c, unsigned steps);

/* The person wrote too long ago to count. */
static inline bool crowd_has_left(const struct crowd *c, const struct person *p, int64_t step_ms)
{
	return p->last_ms / step_ms <= c->newest - CROWD_STEPS;
}

#endif
