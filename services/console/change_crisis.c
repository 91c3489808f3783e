/* What people decide in a crisis. */
#include "services/console/change.h"
#include "services/console/rules.h"

#include <strings.h>

/* A person begins it once, and ends what a person began; red incidents hold it on by themselves. */
static bool crisis_allows(struct answer *a, bool on)
{
	struct key k = crisis_key(a->group, a->brand_name);
	Ascolto__Crisis *c;
	bool known = svc_read(a->txn, &a->arena, &console_tables[CRISES], &k, &c) == 0;
	bool is_on = known && c->since_ms && !c->ended_ms, by_person = known && c->by_person;
	if (on && by_person)
		answer_fail(a, 409, "crisis mode is on already, by a person's word");
	else if (!on && is_on && !by_person)
		answer_fail(a, 409, "crisis mode ends with its red incidents: close those");
	else if (!on && !is_on)
		answer_fail(a, 409, "crisis mode is not on");
	else
		return true;
	return false;
}

bool crisis_mode(struct answer *a, struct decided *d)
{
	const json_t *on = json_object_get(d->body, "on");
	const char *reason = member(d->body, "reason"), *fault = text_fault(reason, OUTCOME_MAX, false);
	if (!json_is_boolean(on)) {
		answer_fail(a, 400, "\"on\" is to be true (crisis mode begins) or false (it ends)");
		return false;
	}
	if (fault) {
		answer_fail(a, 400, "\"reason\", why crisis mode begins or ends, %s", fault);
		return false;
	}
	if (!crisis_allows(a, json_is_true(on)))
		return false;
	if (json_is_true(on)) {
		d->content.open_crisis = (Ascolto__OpenCrisis)ASCOLTO__OPEN_CRISIS__INIT;
		d->content.open_crisis.reason = arena_strdup(&a->arena, reason);
		d->command.what_case = ASCOLTO__COMMAND__WHAT_OPEN_CRISIS;
		d->command.open_crisis = &d->content.open_crisis;
	} else {
		d->content.close_crisis = (Ascolto__CloseCrisis)ASCOLTO__CLOSE_CRISIS__INIT;
		d->content.close_crisis.reason = arena_strdup(&a->arena, reason);
		d->command.what_case = ASCOLTO__COMMAND__WHAT_CLOSE_CRISIS;
		d->command.close_crisis = &d->content.close_crisis;
	}
	return true;
}

bool done_step(struct answer *a, struct decided *d)
{
	const json_t *number = json_object_get(d->body, "number");
	Ascolto__Incident *i;
	if (answer_read(a, INCIDENTS, &d->id, &i) || !json_is_integer(number) || json_integer_value(number) < 0 ||
		json_integer_value(number) >= (json_int_t)i->n_steps) {
		answer_fail(a, 400, "\"number\" is to be that of a step of the incident, counted from 0");
		return false;
	}
	d->content.done_step = (Ascolto__DoneStep)ASCOLTO__DONE_STEP__INIT;
	d->content.done_step.incident_id = id_bytes(&d->id);
	d->content.done_step.number = (uint32_t)json_integer_value(number);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_DONE_STEP;
	d->command.done_step = &d->content.done_step;
	return true;
}

bool move_message(struct answer *a, struct decided *d)
{
	const char *lane = member(d->body, "lane");
	if (!lane || (!str_eq(lane, "service") && !str_eq(lane, "polemic"))) {
		answer_fail(a, 400, "\"lane\" is to be service or polemic");
		return false;
	}
	d->content.move_message = (Ascolto__MoveMessage)ASCOLTO__MOVE_MESSAGE__INIT;
	d->content.move_message.message_id = id_bytes(&d->id);
	d->content.move_message.lane = arena_strdup(&a->arena, lane);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_MOVE_MESSAGE;
	d->command.move_message = &d->content.move_message;
	return true;
}

/* Who wrote it speaks well of the brand, or is not to be asked any more. */
bool keep_advocate(struct answer *a, struct decided *d)
{
	const json_t *listed = json_object_get(d->body, "listed");
	Ascolto__ArmRecord *arm;
	Ascolto__KeepAdvocate *what = &d->content.keep_advocate;
	if (!json_is_boolean(listed)) {
		answer_fail(a, 400, "\"listed\" is to be true, to put who wrote this on the list, or false");
		return false;
	}
	if (answer_read(a, MESSAGES, &d->id, &arm) || !arm->message || !arm->message->knowledge) {
		answer_fail(a, 404, "nothing is known of who wrote this");
		return false;
	}
	if (json_is_true(listed) && arm->message->knowledge->influencer) {
		answer_fail(a, 409, "an influencer is no advocate: those are asked, and paid, in other ways");
		return false;
	}
	*what = (Ascolto__KeepAdvocate)ASCOLTO__KEEP_ADVOCATE__INIT;
	what->message_id = id_bytes(&d->id);
	what->listed = json_is_true(listed);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_KEEP_ADVOCATE;
	d->command.keep_advocate = what;
	return true;
}

/* ---- answers to many ---- */

static bool text_used(char **texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(texts[i], text))
			return true;
	return false;
}

static bool read_texts(struct answer *a, const json_t *list, Ascolto__Wordings *w)
{
	size_t n = json_array_size(list);
	if (n < 2 || n > WORDING_TEXTS_MAX) {
		answer_fail(a, 400, "\"texts\" is to be 2 to %d wordings: nobody likes to read what was pasted", WORDING_TEXTS_MAX);
		return false;
	}
	w->texts = arena_alloc(&a->arena, n * sizeof(*w->texts));
	for (size_t i = 0; w->texts && i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i)),
			   *fault = words_fault(text, WORDING_MAX);
		if (fault || text_used(w->texts, i, text)) {
			answer_fail(a, 400, "wording %zu %s", i + 1, fault ? fault : "is there twice");
			return false;
		}
		w->texts[w->n_texts++] = arena_strdup(&a->arena, text);
	}
	return w->texts != NULL;
}

static bool read_wordings(struct answer *a, const json_t *o, Ascolto__Wordings *w)
{
	const char *language = member(o, "language"), *channel = member(o, "channel");
	*w = (Ascolto__Wordings)ASCOLTO__WORDINGS__INIT;
	if (!language || strlen(language) != 2 || (channel && text_fault(channel, ACTOR_MAX, false))) {
		answer_fail(a, 400, "\"language\" is to be two letters such as it or en, \"channel\" a channel's name or left out");
		return false;
	}
	w->language = arena_strdup(&a->arena, language);
	w->channel = channel ? arena_strdup(&a->arena, channel) : w->channel;
	return read_texts(a, json_object_get(o, "texts"), w);
}

bool propose_answer(struct answer *a, struct decided *d)
{
	const json_t *list = json_object_get(d->body, "wordings");
	size_t n = json_array_size(list);
	Ascolto__ProposeAnswer *p = &d->content.propose_answer;
	*p = (Ascolto__ProposeAnswer)ASCOLTO__PROPOSE_ANSWER__INIT;
	if ((list && !json_is_array(list)) || n > WORDINGS_MAX) {
		answer_fail(a, 400, "\"wordings\" is to be a list, or left out to send the playbook's holding texts");
		return false;
	}
	p->wordings = arena_alloc(&a->arena, (n + 1) * sizeof(*p->wordings));
	Ascolto__Wordings *w = arena_alloc(&a->arena, (n + 1) * sizeof(*w));
	if (!p->wordings || !w) {
		answer_fail(a, 503, "out of memory");
		return false;
	}
	for (; p->n_wordings < n; p->n_wordings++) {
		if (!read_wordings(a, json_array_get(list, p->n_wordings), &w[p->n_wordings]))
			return false;
		p->wordings[p->n_wordings] = &w[p->n_wordings];
	}
	p->incident_id = id_bytes(&d->id);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER;
	d->command.propose_answer = p;
	return true;
}

static bool may_approve(const Ascolto__Answer *x, const char *actor, const char *role)
{
	for (size_t i = 0; i < x->n_approvers; i++)
		if (str_eq(x->approvers[i], str_empty(role) ? actor : role))
			return true;
	return !x->n_approvers;
}

static const char *names(struct answer *a, char *const *list, size_t n)
{
	char *all = n ? list[0] : (char *)"";
	for (size_t i = 1; i < n && all; i++)
		all = arena_printf(&a->arena, "%s, %s", all, list[i]);
	return all ? all : "";
}

/* Of an answer to an incident, or to one case. */
bool approve_answer(struct answer *a, struct decided *d)
{
	const char *text = member(d->body, "answer"), *role = member(d->body, "role");
	struct id id;
	Ascolto__Answer *x;
	if (!text || id_parse(text, &id)) {
		answer_fail(a, 400, "\"answer\" is to be the id of an answer");
		return false;
	}
	if (role && text_fault(role, ACTOR_MAX, true)) {
		answer_fail(a, 400, "\"role\", who you approve as, %s", text_fault(role, ACTOR_MAX, true));
		return false;
	}
	struct key k = answer_key(a->group, &d->id, &id);
	if (svc_read(a->txn, &a->arena, &console_tables[ANSWERS], &k, &x)) {
		answer_fail(a, 404, "there is no answer with the id \"%.60s\"", text);
		return false;
	}
	if (strcasecmp(x->by, d->command.actor) == 0) {
		answer_fail(a, 409, "%.100s wrote this answer: somebody else approves it", x->by);
		return false;
	}
	if (x->refused_ms) {
		answer_fail(a, 409, "this answer was refused and is not sent; write another one");
		return false;
	}
	if (!may_approve(x, d->command.actor, role)) {
		answer_fail(a, 409, "the playbook lets these approve it: %.300s; say as whom (role)",
			names(a, x->approvers, x->n_approvers));
		return false;
	}
	Ascolto__ApproveAnswer *what = &d->content.approve_answer;
	*what = (Ascolto__ApproveAnswer)ASCOLTO__APPROVE_ANSWER__INIT;
	what->answer_id = x->id;
	what->role = role ? arena_strdup(&a->arena, role) : what->role;
	d->command.what_case = ASCOLTO__COMMAND__WHAT_APPROVE_ANSWER;
	d->command.approve_answer = what;
	return true;
}
