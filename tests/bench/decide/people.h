/*
 * people.h - the bench's customers, and a store of escalation that has known them for long.
 *
 * Every customer has had a case: one in ten has it still open, of the others it was closed a year ago. Rows
 * are packed by the same messages and written through the same store as the service's own. Cases are in the
 * order in which they were opened, which has nothing to do with the order of customers.
 */
#ifndef ASCOLTO_BENCH_PEOPLE_H
#define ASCOLTO_BENCH_PEOPLE_H

#include "common/err.h"
#include "common/id.h"

/* Customer number n, from 0. */
struct id people_id(uint64_t n);

static inline bool people_has_open_case(uint64_t n)
{
	return n % 10 == 0;
}

/* Fills a new store in that folder. 0 or a negative errno. */
int people_fill(const char *folder, uint64_t customers, struct err *e);

#endif
