/* The checklist of an incident: what is to be done at its code, by whom and until when. */
#include "services/escalation/incidents/crisis.h"

/* Which step of which code is late, and how often that was said. */
struct step_number {
	enum code code;
	unsigned step, times;
};

static struct step_number step_number_of(uint64_t n)
{
	return (struct step_number){(enum code)(n / 10000), (unsigned)(n / 100 % 100), (unsigned)(n % 100)};
}

static void set_step_timer(struct turn *t, const Ascolto__Envelope *cause, const struct id *id,
	struct step_number n, int64_t due_ms)
{
	set_timer(t, cause, "incident_step", id, (uint64_t)n.code * 10000 + n.step * 100 + n.times, due_ms);
}

void incident_set_steps(struct turn *t, const Ascolto__Envelope *cause, const struct id *id,
	Ascolto__Incident *i, const struct playbook_incident *p)
{
	i->steps = arena_alloc(t->arena, sizeof(*i->steps) * (p->steps_count + 1));
	i->actors = arena_alloc(t->arena, sizeof(*i->actors) * (p->chain_count + 1));
	i->n_steps = i->n_actors = 0;
	for (unsigned k = 0; i->steps && k < p->steps_count; k++) {
		Ascolto__Step *s = arena_alloc(t->arena, sizeof(*s));
		if (!s)
			return;
		*s = (Ascolto__Step)ASCOLTO__STEP__INIT;
		s->text = p->steps[k].text;
		s->actor = p->steps[k].actor;
		s->due_ms = t->now_ms + (int64_t)p->steps[k].within_minutes * 60000;
		i->steps[i->n_steps++] = s;
		if (s->due_ms > t->now_ms)
			set_step_timer(
				t, cause, id, (struct step_number){(enum code)i->code, k, 0}, s->due_ms);
	}
	for (unsigned k = 0; i->actors && k < p->chain_count; k++)
		i->actors[i->n_actors++] = p->chain[k].actor;
}

int incident_step_done(
	struct turn *t, const Ascolto__Envelope *e, const struct id *id, unsigned number, struct err *why)
{
	Ascolto__Incident *i;
	int r = incident_load(t, id, &i, why);
	if (r)
		return r;
	if (number >= i->n_steps)
		return err_set(why, -EINVAL,
			"the incident has %zu steps, counted from 0; there is no step %u", i->n_steps,
			number);
	if (i->steps[number]->done_ms)
		return 0;
	i->steps[number]->done_ms = t->now_ms;
	i->steps[number]->done_by = e->command->actor;
	incident_note(t, e, i, "step_done", e->command->actor, i->steps[number]->text);
	incident_save(t, e, i);
	return 0;
}

/* A step's time is over: its actor is told, and again after a while. */
int incident_step_late(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct brand *b = brand_find(t->state, e->brand);
	struct step_number n = step_number_of(e->timer->number);
	Ascolto__Incident *i;
	struct id id;
	if (id_of(e->timer->subject_id, &id) || !b)
		return err_set(why, -EBADMSG, "a step without an incident or a brand");
	int r = incident_load(t, &id, &i, why);
	if (r)
		return r;
	if (i->closed_ms || (enum code)i->code != n.code || n.step >= i->n_steps || i->steps[n.step]->done_ms)
		return 0;
	const Ascolto__Step *s = i->steps[n.step];
	if (e->timer->due_ms < s->due_ms)
		return 0; /* it was set when the incident had this code before, and the step another time */
	bool it = brand_speaks_italian(t, b->name);
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	char tag[ID_TEXT + 1];
	unsigned late = (unsigned)((t->now_ms - s->due_ms) / 60000);
	audit_add(t, e,
		&(struct audit_note){
			.what = "step_late", .who = s->actor, .incident_id = i->id, .detail = s->text});
	o.template_ = (char *)"step_late";
	o.incident_id = i->id;
	o.code = i->code;
	o.subject = arena_printf(
		t->arena, it ? "[IN RITARDO] %s: %s" : "[LATE] %s: %s", brand_title(t, b->name), s->text);
	o.text = arena_printf(t->arena,
		it ? "%s\n\nDa %u minuti. Incidente: %s. Quando è fatto, segnarlo nella console.\n"
		   : "%s\n\nFor %u minutes. Incident: %s. When it is done, tick it in the console.\n",
		o.subject, late, i->title);
	i->alerts += order_to_actor(t, e, b->playbook, s->actor, &o, id_format(&id, tag), e->timer->number);
	n.times++;
	unsigned again = playbook_crisis_remind(b->playbook->crisis);
	if (again && n.times < CRISIS_REMINDS_MAX)
		set_step_timer(t, e, &id, n, t->now_ms + (int64_t)again * 60000);
	incident_save(t, e, i);
	return 0;
}
