/* Sending an answer that has its consent: to one case, or to each open case of the incident in its own thread
 * and language. */
#include "services/escalation/answers/answers.h"
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/evidence/score.h"

#include <xxhash.h>

#define CASES_A_TURN 50
#define SCORE_ROWS_MAX (3 * CASES_A_TURN + 1)

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

/* ---- sending ---- */

void answer_save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Answer *a)
{
	struct id id;
	if (id_of(a->id, &id)) {
		t->ws->error = -EINVAL;
		return;
	}
	struct key k = id_key(t, ANSWERS, &id);
	put_and_show(t, cause, &k, a, ASCOLTO__VIEW__WHAT_ANSWER, "view-answer", 0);
}

void answer_send_next(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Answer *a)
{
	struct id id;
	if (id_of(a->id, &id) == 0)
		set_timer(t, cause, ANSWER_TIMER, &id, 0, t->now_ms);
}

/* For that channel, else for every channel; NULL when nothing is written in the language. What was written
 * for one case was written for it. */
static const Ascolto__Wordings *wordings_for(
	const Ascolto__Answer *a, const char *channel, const char *language)
{
	const Ascolto__Wordings *general = NULL;
	if (a->case_id.len)
		return a->n_wordings ? a->wordings[0] : NULL;
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

/* What one turn has said and done: a handler does not see what it has put itself. */
struct said {
	struct turn *t;
	const struct brand *b;
	struct last {
		const char *channel, *language;
		struct draft_said said;
	} last[16]; /* the last thing said there */
	size_t n;
	struct damage damage; /* the clocks that stopped */
	struct score_sheet score;
	struct score_row rows[SCORE_ROWS_MAX];
};

static struct last *last_of(struct said *s, const char *channel, const char *language)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->last[i].channel, channel) && str_eq(s->last[i].language, language))
			return &s->last[i];
	struct last *l = &s->last[s->n < ARRAY_SIZE(s->last) ? s->n++ : 0];
	struct key k = last_text_key(s->t->key_group, s->b->name, channel, language);
	*l = (struct last){channel, language, last_text(s->t->txn, s->t->arena, &k)};
	return l;
}

/* The wording after the one that was said last there, from the beginning after the end. */
static const char *next_text(struct said *s, const Ascolto__Wordings *w, const char *channel)
{
	const struct last *l = last_of(s, channel, w->language);
	size_t at = 0;
	for (size_t i = 0; i < w->n_texts; i++)
		if (XXH3_64bits(w->texts[i], strlen(w->texts[i])) == l->said.hash)
			at = (i + 1) % w->n_texts;
	return w->texts[at];
}

static void remember_text(struct said *s, const char *text, const char *channel, const char *language)
{
	struct last *l = last_of(s, channel, language);
	State__LastText row = STATE__LAST_TEXT__INIT;
	struct key k = last_text_key(s->t->key_group, s->b->name, channel, language);
	if (draft_said_of(text, language, s->t->arena, &l->said)) {
		s->t->ws->error = -ENOMEM;
		return;
	}
	row.hash = l->said.hash;
	row.copy = l->said.copy;
	row.sketch = l->said.sketch;
	row.words = l->said.words;
	turn_put(s->t, &k, &row);
}

/* A first answer stops the clock of acknowledging; the case is to be solved all the same. */
static void acknowledged(struct said *s, Ascolto__Case *c, struct damage *d)
{
	struct turn *t = s->t;
	int state = case_step((enum case_state)c->state, VERB_ACKNOWLEDGE);
	if (c->acknowledged_ms || state < 0)
		return;
	d->acknowledged = 1;
	d->acknowledge_ms = t->now_ms - c->decided_ms;
	d->in_time = c->acknowledge_due_ms ? t->now_ms <= c->acknowledge_due_ms : !c->late;
	c->acknowledged_ms = t->now_ms;
	c->state = (Ascolto__CaseState)state;
	s->damage.acknowledged++;
	s->damage.acknowledge_ms += d->acknowledge_ms;
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

static void order_answer(struct said *s, const Ascolto__Envelope *cause, const Ascolto__Answer *a,
	const Ascolto__Case *c, struct judgement *j, const char *text)
{
	struct turn *t = s->t;
	const Ascolto__Post *p = j->m->post;
	const char *destination = s->b->playbook->crisis->answers;
	Ascolto__Reply reply = ASCOLTO__REPLY__INIT;
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	struct id answer, case_id, id;
	if (id_of(a->id, &answer) || id_of(c->id, &case_id))
		return;
	char answer_text[ID_TEXT + 1], case_text[ID_TEXT + 1];
	id = id_from(a->begun_ms, span_str(arena_printf(t->arena, "answer\n%s\n%s",
					  id_format(&answer, answer_text), id_format(&case_id, case_text))));
	reply.channel = p->channel;
	reply.conversation = p->conversation;
	reply.in_reply_to = p->native_id;
	reply.surface = p->surface;
	reply.language = a->case_id.len ? a->wordings[0]->language : c->language;
	reply.customer = c->customer;
	reply.by = a->by;
	o.id = turn_id_bytes(t, &id);
	o.template_ = (char *)"answer";
	o.subject = arena_printf(t->arena, "%s → %s", p->channel, c->customer);
	o.text = (char *)(uintptr_t)text;
	o.code = c->code;
	o.case_id = c->id;
	o.incident_id = a->incident_id;
	o.message_id = j->arm->message_id;
	o.reply = &reply;
	audit_add(t, cause,
		&(struct audit_note){.what = "answer_ordered",
			.who = a->by,
			.by = BY_PERSON,
			.case_id = c->id,
			.incident_id = a->incident_id,
			.order_id = o.id,
			.message_id = o.message_id,
			.detail = destination});
	order_to_destination(t, cause, destination, &o);
	record_ordered(t, &o, "reply", a->by);
	record_reply(j, a->by, &o);
}

/* Looked at once more where it goes, for the score; -EPERM: there it may not be said. */
static int look_again(struct said *s, const Ascolto__Post *p, const Ascolto__Wordings *w, const char *text,
	const char *by, struct damage *d)
{
	struct draft_report report;
	const struct draft draft = {.text = text,
		.language = w->language,
		.network = p->network,
		.author = by,
		.in_public = p->surface != ASCOLTO__SURFACE__SURFACE_PRIVATE,
		.voice = playbook_voice(s->b->playbook, p->channel, p->network, w->language)};
	int r = draft_check(&draft, s->t->arena, &report);
	d->answer = true;
	d->tone_right = report.tone_right;
	d->clear_known = report.clear_known;
	d->clear = report.clear_known && report.clear;
	return r ? r : report.blocks ? -EPERM : 0;
}

/* One open case: an order, or counted as left out. */
static void answer_case(struct said *s, const Ascolto__Envelope *cause, Ascolto__Answer *a, Ascolto__Case *c)
{
	struct turn *t = s->t;
	Ascolto__Envelope own = *cause;
	struct judgement j = {.t = t, .e = &own};
	struct damage d = {.at_ms = t->now_ms};
	const Ascolto__Wordings *w = wordings_for(a, c->channel, c->language);
	ProtobufCBinaryData message = a->message_id.len ? a->message_id : c->last_message_id;
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED || id_of(message, &j.message))
		return;
	own.id = message; /* what comes of it is named after the message that is answered */
	const char *text = w ? next_text(s, w, c->channel) : NULL;
	if (!w || record_reopen(&j, NULL) || look_again(s, j.m->post, w, text, a->by, &d)) {
		a->left_out++;
		return;
	}
	remember_text(s, text, c->channel, w->language);
	order_answer(s, cause, a, c, &j, text);
	acknowledged(s, c, &d);
	if (a->case_id.len)
		case_hand_over(t, cause, c, a->by);
	c->updated_ms = t->now_ms;
	case_save(t, cause, s->b, c, a->answered, NULL);
	score_note(&s->score, &d, c->channel, a->by, c->team);
	a->answered++;
}

/* The next cases after the last one; *ret_n of them. */
static int next_cases(
	struct turn *t, const Ascolto__Answer *a, struct id *ret, size_t *ret_n, struct err *why)
{
	struct key prefix = case_key(t, a->incident_id, (ProtobufCBinaryData){0, NULL});
	struct key from = case_key(t, a->incident_id, a->last_case_id);
	struct cursor *c;
	struct span key, value;
	*ret_n = 0;
	if (a->case_id.len) {
		*ret_n = id_of(a->case_id, &ret[0]) == 0;
		return 0;
	}
	int r = cursor_open(t->txn, &prefix, &from, &c);
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

static int measure(struct said *s, const Ascolto__Answer *a, struct err *why)
{
	struct id incident;
	s->damage.at_ms = s->t->now_ms;
	s->damage.incident = id_of(a->incident_id, &incident) ? NULL : &incident;
	int r = damage_add(s->t, s->b->name, &s->damage);
	r = r ? r : score_write(s->t, s->b->name, &s->score);
	return r ? err_set(why, r, "the measures can not be read: %s", strerror(-r)) : 0;
}

int answer_send(struct turn *t, const Ascolto__Envelope *timer, struct err *why)
{
	struct brand *b = brand_find(t->state, timer->brand);
	struct said *said = arena_zalloc(t->arena, sizeof(*said));
	struct id id, cases[CASES_A_TURN];
	size_t n = 0;
	Ascolto__Answer *a;
	if (!b || !said || id_of(timer->timer->subject_id, &id))
		return err_set(why, -EBADMSG, "sending an answer without an answer or a brand");
	int r = answer_load(t, &id, &a, why);
	if (r || a->ended_ms)
		return r;
	if (!b->playbook->crisis || str_empty(b->playbook->crisis->answers))
		return err_set(why, -EINVAL, "the playbook no longer names a destination for answers");
	if ((r = next_cases(t, a, cases, &n, why)))
		return r;
	said->t = t;
	said->b = b;
	said->score = (struct score_sheet){.at_ms = t->now_ms, .rows = said->rows, .max = SCORE_ROWS_MAX};
	for (size_t i = 0; i < n; i++) {
		Ascolto__Case *c;
		struct key k = id_key(t, CASES, &cases[i]);
		if (turn_get(t, &escalation_tables[CASES], &k, &c) == 0)
			answer_case(said, timer, a, c);
		a->last_case_id = turn_id_bytes(t, &cases[i]);
	}
	if (n == CASES_A_TURN)
		answer_send_next(t, timer, a);
	else
		a->ended_ms = t->now_ms;
	answer_save(t, timer, a);
	return measure(said, a, why);
}
