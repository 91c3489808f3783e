/* One answer to many: written, approved, and sent to each open case of the incident in its own thread and language. */
#include "services/escalation/crisis.h"

#include <xxhash.h>

#define CASES_A_TURN 50
#define WORDINGS_MAX 32
#define TEXTS_MAX 32
#define TEXT_BYTES_MAX 4000

/* ---- the cases of an incident ---- */

static struct key case_key(const struct turn *t, ProtobufCBinaryData incident, ProtobufCBinaryData case_id)
{
	struct key k = turn_key(t, &escalation_tables[INCIDENT_CASES]);
	struct id id;
	if (id_of(incident, &id) == 0)
		key_id(&k, &id);
	if (id_of(case_id, &id) == 0)
		key_id(&k, &id);
	return k;
}

void incident_case(struct turn *t, const Ascolto__Case *c)
{
	State__CaseOfIncident row = STATE__CASE_OF_INCIDENT__INIT;
	struct key k = case_key(t, c->incident_id, c->id);
	row.since_ms = t->now_ms;
	turn_put(t, &k, &row);
}

/* ---- writing and approving ---- */

static int load(struct turn *t, const struct id *id, Ascolto__Answer **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, ANSWERS, id);
	int r = turn_get(t, &escalation_tables[ANSWERS], &k, ret);
	return r ? err_set(why, r, "answer %s: %s", id_format(id, text), r == -ENOENT ? "there is no such answer" : strerror(-r))
		 : 0;
}

static void save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Answer *a)
{
	struct id id;
	if (id_of(a->id, &id)) {
		t->ws->error = -EINVAL;
		return;
	}
	struct key k = id_key(t, ANSWERS, &id);
	put_and_show(t, cause, &k, a, ASCOLTO__VIEW__WHAT_ANSWER, "view-answer", 0);
}

static int check_wordings(const Ascolto__Wordings *w, struct err *why)
{
	if (strlen(w->language) != 2)
		return err_set(why, -EINVAL, "\"%s\" is not a language; write two letters such as it or en", w->language);
	if (w->n_texts < 2 || w->n_texts > TEXTS_MAX)
		return err_set(why, -EINVAL, "in %s there are %zu wordings; write 2 to %d, so that nobody reads a pasted text",
			w->language, w->n_texts, TEXTS_MAX);
	for (size_t i = 0; i < w->n_texts; i++) {
		if (!w->texts[i][0] || strlen(w->texts[i]) > TEXT_BYTES_MAX)
			return err_set(why, -EINVAL, "a wording in %s is empty or longer than %d bytes", w->language, TEXT_BYTES_MAX);
		for (size_t k = 0; k < i; k++)
			if (str_eq(w->texts[i], w->texts[k]))
				return err_set(why, -EINVAL, "two wordings in %s are the same", w->language);
	}
	return 0;
}

static int take_wordings(Ascolto__Answer *a, const Ascolto__ProposeAnswer *p, struct err *why)
{
	int r = p->n_wordings > WORDINGS_MAX ? err_set(why, -EINVAL, "more than %d wordings", WORDINGS_MAX) : 0;
	for (size_t i = 0; i < p->n_wordings && !r; i++)
		r = check_wordings(p->wordings[i], why);
	a->wordings = p->wordings;
	a->n_wordings = p->n_wordings;
	return r;
}

static int take_holding(struct turn *t, Ascolto__Answer *a, const struct playbook_crisis *c, struct err *why)
{
	if (!c || !c->holding_count)
		return err_set(why, -EINVAL, "the playbook has no holding texts");
	a->holding = true;
	a->wordings = arena_alloc(t->arena, sizeof(*a->wordings) * c->holding_count);
	for (unsigned i = 0; a->wordings && i < c->holding_count; i++) {
		Ascolto__Wordings *w = arena_alloc(t->arena, sizeof(*w));
		if (!w)
			return err_set(why, -ENOMEM, "out of memory");
		*w = (Ascolto__Wordings)ASCOLTO__WORDINGS__INIT;
		w->channel = c->holding[i].channel ? c->holding[i].channel : w->channel;
		w->language = c->holding[i].language;
		w->texts = c->holding[i].texts;
		w->n_texts = c->holding[i].texts_count;
		a->wordings[a->n_wordings++] = w;
	}
	return a->wordings ? 0 : err_set(why, -ENOMEM, "out of memory");
}

static void send_next(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Answer *a)
{
	struct id id;
	if (id_of(a->id, &id) == 0)
		set_timer(t, cause, ANSWER_TIMER, &id, 0, t->now_ms);
}

static void begin_if_approved(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Answer *a)
{
	if (a->n_approved_by < a->approvals_needed)
		return;
	a->begun_ms = t->now_ms;
	send_next(t, cause, a);
}

/* What a person did, for the audit log. */
static void note(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Answer *a, const char *what,
	const char *actor, const char *detail)
{
	audit_add(t, cause, &(struct audit_note){.what = what, .who = actor, .by = BY_PERSON, .incident_id = a->incident_id,
		.detail = detail});
}

int answer_propose(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ProposeAnswer *p, struct err *why)
{
	struct brand *b = brand_find(t->state, e->brand);
	Ascolto__Answer a = ASCOLTO__ANSWER__INIT;
	Ascolto__Incident *i;
	struct id incident, cause, id;
	if (!b || id_of(p->incident_id, &incident) || id_of(e->id, &cause))
		return err_set(why, -EBADMSG, "an answer without an incident or a brand");
	struct key k = id_key(t, INCIDENTS, &incident);
	int r = turn_get(t, &escalation_tables[INCIDENTS], &k, &i);
	if (r)
		return err_set(why, r, "the answer's incident is not known");
	const struct playbook_crisis *c = b->playbook->crisis;
	if (!c || str_empty(c->answers))
		return err_set(why, -EINVAL, "the playbook names no destination for answers (crisis: answers)");
	r = p->n_wordings ? take_wordings(&a, p, why) : take_holding(t, &a, c, why);
	if (r)
		return r;
	id = id_derive(&cause, "answer", 0);
	a.id = turn_id_bytes(t, &id);
	a.brand = b->name;
	a.incident_id = p->incident_id;
	a.by = e->command->actor;
	a.proposed_ms = t->now_ms;
	a.approvals_needed = playbook_crisis_approvals(c);
	note(t, e, &a, "answer_proposed", a.by, a.holding ? "the playbook's holding text" : "");
	begin_if_approved(t, e, &a);
	save(t, e, &a);
	return 0;
}

int answer_approve(struct turn *t, const Ascolto__Envelope *e, const struct id *answer, struct err *why)
{
	Ascolto__Answer *a;
	char *by = e->command->actor;
	int r = load(t, answer, &a, why);
	if (r)
		return r;
	if (str_eq(a->by, by))
		return err_set(why, -EINVAL, "%s wrote this answer: somebody else approves it", by);
	if (a->begun_ms)
		return 0;
	for (size_t i = 0; i < a->n_approved_by; i++)
		if (str_eq(a->approved_by[i], by))
			return 0;
	char **list = arena_alloc(t->arena, sizeof(*list) * (a->n_approved_by + 1));
	if (!list)
		return err_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < a->n_approved_by; i++)
		list[i] = a->approved_by[i];
	list[a->n_approved_by++] = by;
	a->approved_by = list;
	note(t, e, a, "answer_approved", by, "");
	begin_if_approved(t, e, a);
	save(t, e, a);
	return 0;
}

/* ---- sending ---- */

/* For that channel, else for every channel; NULL when nothing is written in the language. */
static const Ascolto__Wordings *wordings_for(const Ascolto__Answer *a, const char *channel, const char *language)
{
	const Ascolto__Wordings *general = NULL;
	for (size_t i = 0; i < a->n_wordings; i++) {
		const Ascolto__Wordings *w = a->wordings[i];
		if (!str_eq(w->language, language))
			continue;
		if (str_eq(w->channel, channel))
			return w;
		if (str_empty(w->channel))
			general = w;
	}
	return general;
}

/* What was said last, per channel and language, while one turn goes on. */
struct said {
	struct turn *t;
	const char *brand;
	struct last {
		const char *channel, *language;
		uint64_t hash;
	} last[16];
	size_t n;
	struct damage damage; /* the clocks that stopped */
};

static struct key last_key(const struct said *s, const char *channel, const char *language)
{
	struct key k = turn_key(s->t, &escalation_tables[LAST_TEXTS]);
	key_name(&k, s->brand);
	key_name(&k, channel);
	key_name(&k, language);
	return k;
}

static struct last *last_of(struct said *s, const char *channel, const char *language)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->last[i].channel, channel) && str_eq(s->last[i].language, language))
			return &s->last[i];
	struct last *l = &s->last[s->n < ARRAY_SIZE(s->last) ? s->n++ : 0];
	struct key k = last_key(s, channel, language);
	State__LastText *row;
	*l = (struct last){channel, language, 0};
	if (turn_get(s->t, &escalation_tables[LAST_TEXTS], &k, &row) == 0)
		l->hash = row->hash;
	return l;
}

/* The wording after the one that was said last there, from the beginning after the end. */
static const char *next_text(struct said *s, const Ascolto__Wordings *w, const char *channel)
{
	struct last *l = last_of(s, channel, w->language);
	size_t at = 0;
	for (size_t i = 0; i < w->n_texts; i++)
		if (XXH3_64bits(w->texts[i], strlen(w->texts[i])) == l->hash)
			at = (i + 1) % w->n_texts;
	State__LastText row = STATE__LAST_TEXT__INIT;
	struct key k = last_key(s, channel, w->language);
	l->hash = row.hash = XXH3_64bits(w->texts[at], strlen(w->texts[at]));
	turn_put(s->t, &k, &row);
	return w->texts[at];
}

/* A first answer stops the clock of acknowledging; the case is to be solved all the same. */
static void acknowledged(struct said *s, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Case *c, uint64_t n)
{
	struct turn *t = s->t;
	int state = case_step((enum case_state)c->state, VERB_ACKNOWLEDGE);
	if (c->acknowledged_ms || state < 0)
		return;
	c->acknowledged_ms = t->now_ms;
	s->damage.acknowledged++;
	s->damage.acknowledge_ms += t->now_ms - c->decided_ms;
	c->state = (Ascolto__CaseState)state;
	case_save(t, cause, b, c, n, NULL);
}

/* The record of the message says what it was answered. */
static void record_reply(struct judgement *j, const char *by, const Ascolto__Order *o)
{
	size_t n = j->arm->n_actions;
	record_action(j, "reply", by, "planned", &o->id, o->text);
	if (j->arm->n_actions > n)
		j->arm->actions[n]->external = true;
	j->arm->answer = o->text;
	record_put(j);
}

static void order_answer(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, const Ascolto__Answer *a,
	const Ascolto__Case *c, struct judgement *j, const char *text)
{
	const Ascolto__Post *p = j->m->post;
	Ascolto__Reply reply = ASCOLTO__REPLY__INIT;
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	struct id answer, case_id, id;
	if (id_of(a->id, &answer) || id_of(c->id, &case_id))
		return;
	char answer_text[ID_TEXT + 1], case_text[ID_TEXT + 1];
	id = id_from(a->begun_ms, span_str(arena_printf(t->arena, "answer\n%s\n%s", id_format(&answer, answer_text),
						id_format(&case_id, case_text))));
	reply.channel = p->channel;
	reply.conversation = p->conversation;
	reply.in_reply_to = p->native_id;
	reply.surface = p->surface;
	reply.language = c->language;
	reply.customer = c->customer;
	reply.by = a->by;
	o.id = turn_id_bytes(t, &id);
	o.template_ = (char *)"answer";
	o.subject = arena_printf(t->arena, "%s → %s", p->channel, c->customer);
	o.text = (char *)(uintptr_t)text;
	o.code = c->code;
	o.case_id = c->id;
	o.incident_id = a->incident_id;
	o.message_id = c->last_message_id;
	o.reply = &reply;
	audit_add(t, cause, &(struct audit_note){.what = "answer_ordered", .who = a->by, .by = BY_PERSON, .case_id = c->id,
		.incident_id = a->incident_id, .order_id = o.id, .message_id = c->last_message_id,
		.detail = b->playbook->crisis->answers});
	order_to_destination(t, cause, b->playbook->crisis->answers, &o);
	record_ordered(t, &o, "reply", a->by);
	record_reply(j, a->by, &o);
}

/* One open case: an order, or counted as left out. */
static void answer_case(struct said *s, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Answer *a,
	Ascolto__Case *c)
{
	struct turn *t = s->t;
	Ascolto__Envelope own = *cause;
	struct judgement j = {.t = t, .e = &own};
	const Ascolto__Wordings *w = wordings_for(a, c->channel, c->language);
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED || id_of(c->last_message_id, &j.message))
		return;
	own.id = c->last_message_id; /* what comes of it is named after the message that is answered */
	if (!w || record_reopen(&j, NULL)) {
		a->left_out++;
		return;
	}
	order_answer(t, cause, b, a, c, &j, next_text(s, w, c->channel));
	acknowledged(s, cause, b, c, a->answered);
	a->answered++;
}

/* The next cases after the last one; *ret_n of them. */
static int next_cases(struct turn *t, const Ascolto__Answer *a, struct id *ret, size_t *ret_n, struct err *why)
{
	struct key prefix = case_key(t, a->incident_id, (ProtobufCBinaryData){0, NULL});
	struct key from = case_key(t, a->incident_id, a->last_case_id);
	struct cursor *c;
	struct span key, value;
	int r = cursor_open(t->txn, &prefix, &from, &c);
	*ret_n = 0;
	if (r)
		return err_set(why, r, "the incident's cases can not be read: %s", strerror(-r));
	while (*ret_n < CASES_A_TURN && cursor_next(c, &key, &value) == 0) {
		struct span rest = span_of(key.data + prefix.len, key.len - prefix.len);
		if (a->last_case_id.len && span_eq(rest, span_of(a->last_case_id.data, a->last_case_id.len)))
			continue;
		*ret_n += id_from_bytes(rest.data, rest.len, &ret[*ret_n]) == 0;
	}
	cursor_close(&c);
	return 0;
}

int answer_send(struct turn *t, const Ascolto__Envelope *timer, struct err *why)
{
	struct brand *b = brand_find(t->state, timer->brand);
	struct id id, incident, cases[CASES_A_TURN];
	size_t n = 0;
	Ascolto__Answer *a;
	if (!b || id_of(timer->timer->subject_id, &id))
		return err_set(why, -EBADMSG, "sending an answer without an answer or a brand");
	int r = load(t, &id, &a, why);
	if (r || a->ended_ms)
		return r;
	if (!b->playbook->crisis || str_empty(b->playbook->crisis->answers))
		return err_set(why, -EINVAL, "the playbook no longer names a destination for answers");
	if ((r = next_cases(t, a, cases, &n, why)))
		return r;
	struct said said = {.t = t, .brand = b->name};
	for (size_t i = 0; i < n; i++) {
		Ascolto__Case *c;
		struct key k = id_key(t, CASES, &cases[i]);
		if (turn_get(t, &escalation_tables[CASES], &k, &c) == 0)
			answer_case(&said, timer, b, a, c);
		a->last_case_id = turn_id_bytes(t, &cases[i]);
	}
	if (n == CASES_A_TURN)
		send_next(t, timer, a);
	else
		a->ended_ms = t->now_ms;
	save(t, timer, a);
	said.damage.at_ms = t->now_ms;
	said.damage.incident = id_of(a->incident_id, &incident) ? NULL : &incident;
	r = damage_add(t, b->name, &said.damage);
	return r ? err_set(why, r, "the measures can not be read: %s", strerror(-r)) : 0;
}
