#include "services/escalation/cases/sla.h"

void sla_run(struct sla_clock *c, int64_t now_ms)
{
	if (!c->since_ms)
		c->since_ms = now_ms;
}

int64_t sla_spent(const struct sla_clock *c, const struct calendar *hours, int64_t now_ms)
{
	return c->spent_ms + (c->since_ms ? calendar_open_between(hours, c->since_ms, now_ms) : 0);
}

void sla_stand(struct sla_clock *c, const struct calendar *hours, int64_t now_ms)
{
	c->spent_ms = sla_spent(c, hours, now_ms);
	c->since_ms = 0;
}

int64_t sla_due(const struct sla_clock *c, const struct calendar *hours)
{
	if (!c->since_ms)
		return SLA_NEVER;
	return calendar_add(hours, c->since_ms, MAX(c->allowed_ms - c->spent_ms, 0));
}

bool sla_acknowledge_runs(enum case_state s)
{
	return s == CASE_NEW || s == CASE_REOPENED;
}

bool sla_resolve_runs(enum case_state s, bool pause_while_waiting)
{
	return !case_is_settled(s) && !(s == CASE_WAITING && pause_while_waiting);
}
