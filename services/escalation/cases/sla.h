/*
 * sla.h - the two clocks of a case. Pure.
 *
 * A clock counts opening time of a calendar (common/calendar.h): it is allowed so much, has spent so much up
 * to an instant, and runs since then or stands still. Whatever happens to it, spent time is never lost nor
 * counted twice, and it does not know which hour it is: that is a parameter.
 *
 * The clocks follow the state (common/case_state.h): `acknowledge` runs while a case is new or reopened,
 * `resolve` until it is solved or closed, standing still while the customer is waited for if the policy says
 * so. Being acknowledged stops the first, never the second; a case that is opened again has its first clock
 * from the beginning, and goes on with the second where it stood.
 */
#ifndef ASCOLTO_ESCALATION_SLA_H
#define ASCOLTO_ESCALATION_SLA_H

#include "common/calendar.h"
#include "common/case_state.h"

struct sla_clock {
	int64_t allowed_ms;
	int64_t spent_ms;
	int64_t since_ms; /* 0 = stands still */
};

#define SLA_NEVER INT64_MAX

/* Both do nothing to a clock that runs, or stands, already. */
void sla_run(struct sla_clock *c, int64_t now_ms);
void sla_stand(struct sla_clock *c, const struct calendar *hours, int64_t now_ms);

int64_t sla_spent(const struct sla_clock *c, const struct calendar *hours, int64_t now_ms);
/* When it runs out, in the past perhaps; SLA_NEVER while it stands. */
int64_t sla_due(const struct sla_clock *c, const struct calendar *hours);

/* What the clocks do in a state. */
bool sla_acknowledge_runs(enum case_state s);
bool sla_resolve_runs(enum case_state s, bool pause_while_waiting);

#endif
