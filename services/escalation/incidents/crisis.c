/* Crisis mode: begins, ends, and what people do in it. */
#include "services/escalation/incidents/crisis.h"

#define HOLDERS_MAX 32

static struct key crisis_key(uint8_t key_group, const char *brand)
{
	struct key k = turn_key_in(key_group, &escalation_tables[CRISES]);
	key_name(&k, brand);
	return k;
}

static int load(struct turn *t, const char *brand, Ascolto__Crisis **ret, struct err *why)
{
	struct key k = crisis_key(t->key_group, brand);
	int r = turn_get(t, &escalation_tables[CRISES], &k, ret);
	if (r != -ENOENT)
		return r ? err_set(why, r, "whether %s is in crisis can not be read: %s", brand, strerror(-r)) : 0;
	*ret = arena_alloc(t->arena, sizeof(**ret));
	if (!*ret)
		return err_set(why, -ENOMEM, "out of memory");
	**ret = (Ascolto__Crisis)ASCOLTO__CRISIS__INIT;
	(*ret)->brand = arena_strdup(t->arena, brand);
	return 0;
}

static bool is_on(const Ascolto__Crisis *c)
{
	return c->since_ms && !c->ended_ms;
}

int64_t crisis_since(struct txn *t, const char *brand)
{
	struct key k = crisis_key(key_group_of(span_str(brand)), brand);
	struct span value;
	if (txn_get(t, &k, &value))
		return 0;
	Ascolto__Crisis *c = ascolto__crisis__unpack(NULL, value.len, value.data);
	int64_t since = c && is_on(c) ? c->since_ms : 0;
	ascolto__crisis__free_unpacked(c, NULL);
	return since;
}

/* ---- beginning and ending ---- */

static void tell(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, const Ascolto__Crisis *c)
{
	const struct playbook_crisis *p = b->playbook->crisis;
	bool it = brand_speaks_italian(t, b->name), on = is_on(c);
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	o.template_ = (char *)(on ? "crisis_began" : "crisis_ended");
	o.incident_id = c->n_incidents ? c->incidents[0] : o.incident_id;
	o.code = on ? ASCOLTO__CODE__CODE_RED : ASCOLTO__CODE__CODE_GREEN;
	o.subject = arena_printf(t->arena,
		on ? (it ? "[CRISI] %s: inizia la modalità di crisi" : "[CRISIS] %s: crisis mode begins")
		   : (it ? "[CRISI] %s: la modalità di crisi è finita" : "[CRISIS] %s: crisis mode is over"),
		brand_title(t, b->name));
	o.text = arena_printf(t->arena,
		on ? (it ? "%s\n\n%s.\nDeciso da: %s.\n\nFermare i post programmati e le risposte automatiche. Le richieste di assistenza "
			   "mantengono la loro coda; nessuna risposta a molti senza approvazione.\n"
			 : "%s\n\n%s.\nDecided by: %s.\n\nStop scheduled posts and automatic answers. Requests for service keep their "
			   "queue; no answer to many without approval.\n")
		   : (it ? "%s\n\n%s.\nDeciso da: %s.\n\nPost programmati e risposte automatiche possono riprendere.\n"
			 : "%s\n\n%s.\nDecided by: %s.\n\nScheduled posts and automatic answers may go on.\n"),
		o.subject, c->because, c->by);
	unsigned advocates = on ? advocates_count(t->txn, b->name) : 0;
	if (advocates)
		o.text = arena_printf(t->arena, it ? "%s\nSostenitori da coinvolgere, se serve: %u. L'elenco è nella console.\n"
						   : "%s\nAdvocates to be asked for a word, if it helps: %u. The console has the list.\n",
			o.text, advocates);
	audit_add(t, cause, &(struct audit_note){.what = o.template_, .who = c->by, .incident_id = o.incident_id,
		.by = str_eq(c->by, "ascolto") ? BY_RULE : BY_PERSON, .detail = c->because});
	for (unsigned i = 0; p && i < p->tell_count; i++)
		order_to_actor(t, cause, b->playbook, p->tell[i], &o, b->name, (uint64_t)(on ? c->since_ms : c->ended_ms));
}

static void save(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, Ascolto__Crisis *c)
{
	struct key k = crisis_key(t->key_group, b->name);
	put_and_show(t, cause, &k, c, ASCOLTO__VIEW__WHAT_CRISIS, "view-crisis", 0);
	b->crisis_ms = is_on(c) ? c->since_ms : 0;
}

static void begin(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, Ascolto__Crisis *c, const char *by,
	const char *because)
{
	c->since_ms = t->now_ms;
	c->ended_ms = 0;
	c->by = (char *)(uintptr_t)by;
	c->because = (char *)(uintptr_t)because;
	turn_count(t, "crises", 1);
	tell(t, cause, b, c);
}

/* When nothing holds it open. */
static void end_if_free(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, Ascolto__Crisis *c, const char *by,
	const char *because)
{
	if (!is_on(c) || c->n_incidents || c->by_person)
		return;
	c->ended_ms = t->now_ms;
	c->by = (char *)(uintptr_t)by;
	c->because = (char *)(uintptr_t)because;
	tell(t, cause, b, c);
}

static size_t holder(const Ascolto__Crisis *c, const struct id *incident)
{
	size_t i = 0;
	while (i < c->n_incidents && !span_eq(span_of(c->incidents[i].data, c->incidents[i].len),
						span_of(incident->b, ID_BYTES)))
		i++;
	return i;
}

int crisis_hold(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, const struct id *incident, struct err *why)
{
	Ascolto__Crisis *c;
	int r = load(t, b->name, &c, why);
	if (r || holder(c, incident) < c->n_incidents || c->n_incidents >= HOLDERS_MAX)
		return r;
	ProtobufCBinaryData *list = arena_alloc(t->arena, sizeof(*list) * (c->n_incidents + 1));
	if (!list)
		return err_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < c->n_incidents; i++)
		list[i] = c->incidents[i];
	list[c->n_incidents++] = turn_id_bytes(t, incident);
	c->incidents = list;
	if (!is_on(c))
		begin(t, cause, b, c, "ascolto", brand_speaks_italian(t, b->name) ? "Un incidente è diventato rosso"
										 : "An incident became red");
	save(t, cause, b, c);
	return 0;
}

int crisis_release(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, const struct id *incident,
	struct err *why)
{
	Ascolto__Crisis *c;
	int r = load(t, b->name, &c, why);
	size_t at = r ? 0 : holder(c, incident);
	if (r || at == c->n_incidents)
		return r;
	c->incidents[at] = c->incidents[--c->n_incidents];
	end_if_free(t, cause, b, c, "ascolto", brand_speaks_italian(t, b->name) ? "L'ultimo incidente rosso è chiuso"
										: "The last red incident is closed");
	save(t, cause, b, c);
	return 0;
}

int crisis_command(struct turn *t, const Ascolto__Envelope *e, bool open, const char *reason, struct err *why)
{
	struct brand *b = brand_find(t->state, e->brand);
	Ascolto__Crisis *c;
	if (!b)
		return err_set(why, -ENOENT, "brand \"%s\" is not in the configuration", e->brand);
	int r = load(t, b->name, &c, why);
	if (r)
		return r;
	if (open && c->by_person)
		return err_set(why, -EINVAL, "crisis mode is on already by a person's word");
	if (!open && !c->by_person)
		return err_set(why, -EINVAL,
			is_on(c) ? "crisis mode ends with its red incidents: close those"
				 : "crisis mode is not on");
	c->by_person = open;
	if (open && !is_on(c))
		begin(t, e, b, c, e->command->actor, reason);
	if (!open)
		end_if_free(t, e, b, c, e->command->actor, reason);
	save(t, e, b, c);
	return 0;
}

/* ---- a message to the other lane ---- */

static const struct playbook_kind *kind_of(const struct playbook *p, const char *name)
{
	for (unsigned i = 0; i < p->kinds_count; i++)
		if (str_eq(p->kinds[i].name, name))
			return &p->kinds[i];
	return p->kinds_count ? &p->kinds[p->kinds_count - 1] : NULL;
}

int message_move(struct turn *t, const Ascolto__Envelope *e, const struct id *message, const char *lane, struct err *why)
{
	bool service = str_eq(lane, "service");
	Ascolto__Envelope cause = *e;
	struct judgement j = {.t = t, .e = &cause, .message = *message, .brand = brand_find(t->state, e->brand)};
	struct id case_id;
	if (!service && !str_eq(lane, "polemic"))
		return err_set(why, -EINVAL, "there is no lane \"%s\"; there are service and polemic", lane);
	if (!j.brand)
		return err_set(why, -ENOENT, "brand \"%s\" is not in the configuration", e->brand);
	int r = record_reopen(&j, why);
	if (r)
		return r;
	cause.id = j.arm->message_id;
	cause.occurred_ms = j.arm->occurred_ms;
	cause.received_ms = j.arm->received_ms;
	j.kind = kind_of(j.brand->playbook, j.arm->kind);
	j.decision.code = (enum code)j.arm->code;
	j.decision.opens_case = true;
	if (j.m->understanding->lane)
		j.m->understanding->lane->value = (char *)(uintptr_t)lane;
	record_action(&j, "move_to_lane", e->command->actor, "done", NULL, lane);
	bool has_case = id_of(j.arm->case_id, &case_id) == 0;
	if (has_case)
		r = service ? case_return(&j, &case_id, why) : case_leave(&j, &case_id, why);
	else if (service)
		r = case_for(&j, why);
	if (r)
		return r;
	send_correction(t, e, j.arm, "lane", lane);
	record_put(&j);
	audit_add(t, e, &(struct audit_note){.what = "message_moved", .who = e->command->actor, .by = BY_PERSON,
		.message_id = j.arm->message_id, .case_id = j.arm->case_id, .incident_id = j.arm->incident_id,
		.detail = arena_printf(t->arena, "to %s", lane)});
	return 0;
}
