/* The clocks of a case: they follow its state, and ring through timers. */
#include "services/escalation/evidence/audit.h"
#include "services/escalation/escalation.h"

int case_clocks_new(struct turn *t, Ascolto__Case *c, const struct playbook_sla *sla)
{
	Ascolto__Clock *clocks = arena_alloc(t->arena, sizeof(*clocks) * 2);
	if (!clocks)
		return -ENOMEM;
	clocks[0] = clocks[1] = (Ascolto__Clock)ASCOLTO__CLOCK__INIT;
	clocks[0].allowed_ms = sla->acknowledge_ms;
	clocks[1].allowed_ms = sla->resolve_ms;
	c->acknowledge_clock = &clocks[0];
	c->resolve_clock = &clocks[1];
	c->sla = (char *)(uintptr_t)sla->name;
	c->calendar = (char *)(uintptr_t)sla->calendar;
	c->pause_while_waiting = sla->pause_while_waiting;
	return 0;
}

/* Lets one clock run or stand; a timer is set when the time it runs out is another than before. */
static void follow(struct turn *t, const Ascolto__Envelope *cause, const struct calendar *hours, Ascolto__Clock *stored, bool runs,
	int64_t *due_ms, const struct id *id, const char *purpose)
{
	struct sla_clock c = {stored->allowed_ms, stored->spent_ms, stored->since_ms};
	if ((c.since_ms != 0) == runs)
		return;
	if (runs)
		sla_run(&c, t->now_ms);
	else
		sla_stand(&c, hours, t->now_ms);
	int64_t due = sla_due(&c, hours);
	stored->spent_ms = c.spent_ms;
	stored->since_ms = c.since_ms;
	*due_ms = due == SLA_NEVER ? 0 : due;
	if (*due_ms && !stored->late)
		set_timer(t, cause, purpose, id, 0, *due_ms);
}

/* A case of an older version has its due times alone: its clocks are what is left of them. */
static void adopt(struct turn *t, Ascolto__Case *c)
{
	const struct playbook_sla old = {.name = "", .calendar = "", .pause_while_waiting = true,
		.acknowledge_ms = c->acknowledge_due_ms - c->opened_ms, .resolve_ms = c->resolve_due_ms - c->opened_ms};
	if (case_clocks_new(t, c, &old))
		return;
	c->acknowledge_clock->since_ms = c->acknowledged_ms ? 0 : c->opened_ms;
	c->resolve_clock->since_ms = c->opened_ms;
	c->acknowledge_clock->late = c->resolve_clock->late = c->late;
}

void case_clocks_follow(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Case *c)
{
	enum case_state state = (enum case_state)c->state;
	struct id id;
	if (!c->acknowledge_clock || !c->resolve_clock)
		adopt(t, c);
	if (!c->acknowledge_clock || id_of(c->id, &id))
		return;
	const struct calendar *hours = b ? playbook_calendar(b->playbook, c->calendar) : NULL;
	follow(t, cause, hours, c->acknowledge_clock, sla_acknowledge_runs(state), &c->acknowledge_due_ms, &id,
		"case_acknowledge");
	follow(t, cause, hours, c->resolve_clock, sla_resolve_runs(state, c->pause_while_waiting), &c->resolve_due_ms, &id,
		"case_resolve");
}

void case_clocks_rearm(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Case *c)
{
	struct id id;
	if (id_of(c->id, &id))
		return;
	if (c->acknowledge_clock && c->acknowledge_clock->since_ms && !c->acknowledge_clock->late)
		set_timer(t, cause, "case_acknowledge", &id, 1, c->acknowledge_due_ms);
	if (c->resolve_clock && c->resolve_clock->since_ms && !c->resolve_clock->late)
		set_timer(t, cause, "case_resolve", &id, 1, c->resolve_due_ms);
}

void case_clocks_again(Ascolto__Case *c)
{
	if (!c->acknowledge_clock)
		return;
	c->acknowledge_clock->spent_ms = c->acknowledge_clock->since_ms = 0;
	c->acknowledge_clock->late = false;
}

/* ---- ringing ---- */

static unsigned tell_late(struct turn *t, const Ascolto__Envelope *e, const struct brand *b, const Ascolto__Case *c,
	const char *actor, uint64_t number)
{
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	struct id id;
	char text[ID_TEXT + 1];
	bool it = brand_speaks_italian(t, e->brand);
	if (id_of(c->id, &id))
		return 0;
	id_format(&id, text);
	o.template_ = (char *)"case_late";
	o.code = c->code;
	o.case_id = c->id;
	o.subject = arena_printf(t->arena, it ? "[CASO IN RITARDO] %s: %s" : "[CASE LATE] %s: %s", brand_title(t, e->brand), c->title);
	o.text = arena_printf(t->arena,
		it ? "%s\n\nNessuno lo ha preso in carico in tempo.\nCliente: %s. Canale: %s. Responsabile: %s.\nCaso %s nella console.\n"
		   : "%s\n\nNobody acknowledged it in time.\nCustomer: %s. Channel: %s. Owner: %s.\nCase %s in the console.\n",
		o.subject, c->customer, c->channel, c->owner, text);
	return order_to_actor(t, e, b->playbook, actor, &o, text, number);
}

/* Whom the policy calls: those at once, and timers for those who come later. */
static void begin_chain(struct turn *t, const Ascolto__Envelope *e, const struct brand *b, const Ascolto__Case *c,
	const struct id *id)
{
	const struct playbook_sla *sla = playbook_sla(b->playbook, c->sla);
	for (unsigned n = 0; sla && n < sla->late_count; n++) {
		if (sla->late[n].after_minutes)
			set_timer(t, e, "case_call", id, n, t->now_ms + (int64_t)sla->late[n].after_minutes * 60000);
		else
			tell_late(t, e, b, c, sla->late[n].actor, n);
	}
}

int case_clock(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	Ascolto__Case *c;
	struct id id;
	if (id_of(e->timer->subject_id, &id))
		return err_set(why, -EBADMSG, "a clock without a case");
	int r = case_load(t, &id, &c, why);
	if (r)
		return r;
	bool first = str_eq(e->timer->purpose, "case_acknowledge");
	if (!c->acknowledge_clock || !c->resolve_clock)
		adopt(t, c);
	Ascolto__Clock *clock = first ? c->acknowledge_clock : c->resolve_clock;
	int64_t due = first ? c->acknowledge_due_ms : c->resolve_due_ms;
	/* It stands, was moved to a later time (which has a timer of its own), or has rung. */
	if (!clock || !clock->since_ms || due > e->timer->due_ms || clock->late)
		return 0;
	clock->late = true;
	c->late = true;
	turn_count(t, "cases_late", 1);
	audit_add(t, e, &(struct audit_note){.what = "case_late", .who = c->owner, .case_id = c->id,
		.detail = first ? "not acknowledged in time" : "not resolved in time"});
	if (first && b)
		begin_chain(t, e, b, c, &id);
	case_put(t, e, &id, c, 0);
	return case_measure(t, c, &(struct damage){.case_late = true, .silent = first}, why);
}

int case_call(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	Ascolto__Case *c;
	struct id id;
	if (id_of(e->timer->subject_id, &id) || !b)
		return err_set(why, -EBADMSG, "a call without a case or a brand");
	int r = case_load(t, &id, &c, why);
	if (r)
		return r;
	const struct playbook_sla *sla = playbook_sla(b->playbook, c->sla);
	if (!sla_acknowledge_runs((enum case_state)c->state) || !sla || e->timer->number >= sla->late_count)
		return 0;
	tell_late(t, e, b, c, sla->late[e->timer->number].actor, e->timer->number);
	return 0;
}
