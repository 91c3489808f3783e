/* Orders to notification: who is told, and in what words. */
#include "services/escalation/escalation.h"

bool brand_speaks_italian(const struct turn *t, const char *brand)
{
	const struct conf_brand *b = conf_brand(t->conf, brand);
	return !b || !str_eq(b->language, "en");
}

const char *brand_title(const struct turn *t, const char *brand)
{
	const struct conf_brand *b = conf_brand(t->conf, brand);
	return b && !str_empty(b->title) ? b->title : brand;
}

/* People keep their mails: what stands in one of them can not be taken back. */
static char *with_head(struct turn *t, const char *brand, const char *text)
{
	const char *head = audit_head_words(t, brand);
	bool it = brand_speaks_italian(t, brand);
	return arena_printf(t->arena, "%s\n%s %s\n", text, it ? "Registro delle decisioni, voce:" : "Audit log, entry",
		head ? head : "");
}

void order_to_destination(struct turn *t, const Ascolto__Envelope *cause, const char *destination, Ascolto__Order *o)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, "order", 0);
	o->brand = cause->brand;
	o->drill = cause->drill;
	o->destination = (char *)(uintptr_t)destination;
	o->occurred_ms = cause->occurred_ms;
	o->arrived_ms = cause->received_ms;
	o->not_after_ms = t->now_ms + (int64_t)86400000;
	e->id = o->id;
	e->body_case = ASCOLTO__ENVELOPE__BODY_ORDER;
	e->order = o;
	turn_emit(t, TO_NOTIFICATION, LANE_URGENT, e, span_str(destination));
	turn_count(t, "orders", 1);
}

unsigned order_to_actor(struct turn *t, const Ascolto__Envelope *cause, const struct playbook *p, const char *actor,
	const Ascolto__Order *what, const char *tag, uint64_t n)
{
	const struct playbook_actor *a = playbook_on_call(p, actor, t->now_ms);
	unsigned sent = 0;
	for (unsigned d = 0; a && d < a->tell_count; d++) {
		Ascolto__Order o = *what;
		char *name = arena_printf(t->arena, "%s\n%s\n%s\n%" PRIu64, tag, o.template_, a->tell[d], n);
		struct id id = id_from(cause->occurred_ms, span_str(name));
		o.id = turn_id_bytes(t, &id);
		audit_add(t, cause, &(struct audit_note){.what = "alarm_ordered", .who = actor, .case_id = o.case_id,
			.incident_id = o.incident_id, .order_id = o.id,
			.detail = arena_printf(t->arena, "%s to %s", o.template_, a->tell[d])});
		o.text = with_head(t, cause->brand, what->text);
		order_to_destination(t, cause, a->tell[d], &o);
		record_ordered(t, &o, "notify", actor);
		sent++;
	}
	return sent;
}

static void when_words(struct turn *t, int64_t ms, char **ret)
{
	struct tm tm;
	time_t s = (time_t)(ms / 1000);
	char text[64];
	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	*ret = arena_strdup(t->arena, text);
}

void incident_words(struct turn *t, const struct brand *b, const Ascolto__Incident *i, const char *template_name,
	Ascolto__Order *ret)
{
	bool it = brand_speaks_italian(t, b->name), red = i->code == ASCOLTO__CODE__CODE_RED;
	const char *title = brand_title(t, b->name);
	const char *again = !str_eq(template_name, "incident_wave") ? ""
			    : it				    ? "nuova ondata, "
								    : "a new wave, ";
	const char *code = it ? (red ? "CODICE ROSSO" : "CODICE GIALLO") : (red ? "CODE RED" : "CODE YELLOW");
	char id[ID_TEXT + 1] = "", *since, *steps = arena_strdup(t->arena, "");
	struct id raw;
	if (id_of(i->id, &raw) == 0)
		id_format(&raw, id);
	when_words(t, i->opened_ms, &since);
	for (size_t k = 0; k < i->n_steps && steps; k++)
		steps = arena_printf(t->arena, "%s\n%zu. %s (%s)", steps, k + 1, i->steps[k]->text, i->steps[k]->actor);
	ret->template_ = (char *)(uintptr_t)template_name;
	ret->subject = arena_printf(t->arena,
		it ? "[%s] %s: %s%u persone in %u minuti su: %s"
		   : "[%s] %s: %s%u people within %u minutes about: %s",
		code, title, again, i->people, b->playbook->window_minutes, i->title);
	ret->text = arena_printf(t->arena,
		it ? "%s\n\n%u persone diverse scrivono della stessa cosa (%s); in un giorno normale sono %.1f.\n"
		     "Primo messaggio del segnale: %s. Manuale: %s.\n%s%s\n\nPresa in carico: console, incidente %s\n"
		   : "%s\n\n%u different people write about one thing (%s); on an ordinary day it is %.1f.\n"
		     "The signal's message: %s. Playbook: %s.\n%s%s\n\nAcknowledge it in the console, incident %s\n",
		ret->subject, i->people, i->title, i->normal, since, i->playbook,
		i->n_steps ? (it ? "\nCosa fare:" : "\nWhat to do:") : "", steps ? steps : "", id);
}

static struct key told_key(const struct turn *t, const char *brand, const char *kind)
{
	struct key k = turn_key(t, &escalation_tables[TOLD]);
	key_name(&k, brand);
	key_name(&k, kind);
	return k;
}

/* At the end of a gathering somebody is told how many came meanwhile. */
static void set_summary(struct judgement *j)
{
	struct turn *t = j->t;
	char *purpose = arena_printf(t->arena, TOLD_TIMER "%s", j->kind->name);
	if (!purpose)
		t->ws->error = -ENOMEM;
	else
		set_timer(t, j->e, purpose, NULL, 0, t->now_ms + (int64_t)j->kind->gather_minutes * 60000);
}

/* True when somebody was told of this kind so lately that this one is gathered with it. */
static int gathered(struct judgement *j, bool *ret)
{
	State__Told *told;
	State__Told fresh = STATE__TOLD__INIT;
	struct key k = told_key(j->t, j->brand->name, j->kind->name);
	*ret = false;
	if (!j->kind->gather_minutes)
		return 0;
	int r = turn_get(j->t, &escalation_tables[TOLD], &k, &told);
	if (r && r != -ENOENT)
		return r;
	int64_t gap = (int64_t)j->kind->gather_minutes * 60000;
	*ret = !r && j->e->occurred_ms - told->at_ms < gap && told->at_ms - j->e->occurred_ms < gap;
	fresh.at_ms = *ret ? told->at_ms : j->e->occurred_ms;
	fresh.gathered = r ? 0 : told->gathered + *ret;
	fresh.last_text = *ret ? j->m->post->text : fresh.last_text;
	turn_put(j->t, &k, &fresh);
	if (!*ret)
		set_summary(j);
	return 0;
}

int told_summary(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	const struct playbook_kind *kind = b ? playbook_kind(b->playbook, e->timer->purpose + strlen(TOLD_TIMER)) : NULL;
	bool it = brand_speaks_italian(t, e->brand);
	char tag[ID_TEXT + 1];
	struct id id;
	State__Told *told;
	if (!kind)
		return 0; /* the playbook no longer has it */
	struct key k = told_key(t, b->name, kind->name);
	int r = turn_get(t, &escalation_tables[TOLD], &k, &told);
	if (r || id_of(e->id, &id))
		return r == -ENOENT ? 0 : err_set(why, r ? r : -EBADMSG, "what was gathered can not be read");
	if (!told->gathered)
		return 0;
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	o.template_ = (char *)"case_gathered";
	o.code = (Ascolto__Code)MAX(code_of(kind->code), 0);
	o.subject = arena_printf(t->arena, it ? "[CASI URGENTI] %s: altri %u, %s" : "[URGENT CASES] %s: %u more, %s",
		brand_title(t, e->brand), told->gathered, kind->title);
	o.text = arena_printf(t->arena, it ? "%s\n\nDall'ultimo avviso. Il più recente:\n\n  %s\n"
					   : "%s\n\nSince the last alert. The latest:\n\n  %s\n", o.subject, told->last_text);
	for (unsigned n = 0; n < kind->at_once_count; n++)
		order_to_actor(t, e, b->playbook, kind->at_once[n], &o, id_format(&id, tag), n);
	told->gathered = 0;
	turn_put(t, &k, told);
	return 0;
}

int case_tell(struct judgement *j, const Ascolto__Case *c, struct err *why)
{
	struct turn *t = j->t;
	bool with_another = false, it = brand_speaks_italian(t, j->e->brand);
	char case_text[ID_TEXT + 1] = "";
	struct id id;
	int r = gathered(j, &with_another);
	if (r)
		return err_set(why, r, "when somebody was last told can not be read: %s", strerror(-r));
	if (with_another) {
		record_action(j, "notify", "ascolto", "gathered", &c->id, "somebody was told of this kind a short while ago");
		return 0;
	}
	if (id_of(c->id, &id) == 0)
		id_format(&id, case_text);
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	o.template_ = (char *)"case_at_once";
	o.code = (Ascolto__Code)j->decision.code;
	o.case_id = c->id;
	o.message_id = j->e->id;
	o.subject = arena_printf(t->arena, "[%s] %s: %s", it ? "CASO URGENTE" : "URGENT CASE",
		brand_title(t, j->e->brand), j->kind->title);
	o.text = arena_printf(t->arena, it ? "%s\n\n%s su %s scrive:\n\n  %s\n\nResponsabile: %s. Caso %s nella console.\n"
					   : "%s\n\n%s writes on %s:\n\n  %s\n\nOwner: %s. Case %s in the console.\n",
		o.subject, c->customer, c->channel, j->m->post->text, c->owner, case_text);
	for (unsigned n = 0; n < j->kind->at_once_count; n++) {
		unsigned sent = order_to_actor(t, j->e, j->brand->playbook, j->kind->at_once[n], &o, case_text, n);
		record_action(j, "notify", j->kind->at_once[n], sent ? "planned" : "nobody to tell", &c->id, j->kind->title);
	}
	return 0;
}
