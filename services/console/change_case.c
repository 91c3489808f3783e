/* What people decide about a case besides acknowledging and closing it, and about alarms that are held. */
#include "services/console/change.h"
#include "services/console/rules.h"

#include "common/case_state.h"

enum needs { NOTHING, WORDS, TO, OTHER, CONVERSATION };

static const struct {
	const char *verb;
	enum needs needs;
} verbs[] = {
	{"start", NOTHING}, {"wait", NOTHING}, {"offline", NOTHING}, {"solve", NOTHING}, {"reopen", NOTHING}, {"hand_over", TO},
	{"merge", OTHER}, {"split", CONVERSATION}, {"note", WORDS}, {"waive_note", WORDS},
};

/* Copies a text of the body when it is usable; else answers. */
static bool take_text(struct answer *a, const struct decided *d, const char *name, bool may_be_empty, char **ret)
{
	const char *text = member(d->body, name), *fault = text_fault(text, OUTCOME_MAX, may_be_empty);
	if (fault) {
		answer_fail(a, 400, "\"%s\" %s", name, fault);
		return false;
	}
	if (text)
		*ret = arena_strdup(&a->arena, text);
	return true;
}

static bool take_id(struct answer *a, const struct decided *d, const char *name, ProtobufCBinaryData *ret)
{
	const char *text = member(d->body, name);
	struct id *id = arena_alloc(&a->arena, sizeof(*id));
	if (!text || !id || id_parse(text, id)) {
		answer_fail(a, 400, "\"%s\" is to be an id", name);
		return false;
	}
	*ret = id_bytes(id);
	return true;
}

static bool refuse(struct answer *a, const Ascolto__Case *c, const char *words)
{
	answer_fail(a, 409, "the case is %s: %s", case_state_word((enum case_state)c->state), words);
	return false;
}

bool case_allows(struct answer *a, const struct decided *d, const char *verb)
{
	const Ascolto__Case *c = d->record;
	int v = case_verb_of(verb);
	bool is_closed = c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	if (is_closed && (v == VERB_CLOSE || v == VERB_ACKNOWLEDGE))
		return refuse(a, c, "open it again first (reopen)");
	if (v == VERB_REOPEN && c->merged_into.len)
		return refuse(a, c, "it became part of another one; open that one");
	if (v >= 0 && case_step((enum case_state)c->state, (enum case_verb)v) < 0)
		return refuse(a, c,
			v == VERB_REOPEN ? "it can not be opened again" : "open it again first (reopen)");
	return true;
}

/* The other case is to become part of this one. */
static bool may_merge(struct answer *a, const struct decided *d, ProtobufCBinaryData other_id)
{
	const Ascolto__Case *c = d->record;
	Ascolto__Case *other;
	struct id id;
	if (id_of(other_id, &id) || id_eq(&id, &d->id))
		return refuse(a, c, "it can not become part of itself");
	if (answer_read(a, CASES, &id, &other) || !str_eq(other->brand, c->brand))
		return refuse(a, c, "there is no such other case of this brand");
	if (c->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return refuse(a, c, "open it again first (reopen)");
	if (other->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return refuse(a, c, "the other one is closed; open it again first (reopen)");
	return true;
}

/* That conversation is to become a case of its own. */
static bool may_split(struct answer *a, const struct decided *d, ProtobufCBinaryData conversation)
{
	const Ascolto__Case *c = d->record;
	size_t i = 0;
	while (i < c->n_conversations && !span_eq(span_of(c->conversations[i].data, c->conversations[i].len),
						 span_of(conversation.data, conversation.len)))
		i++;
	if (case_is_settled((enum case_state)c->state))
		return refuse(a, c, "open it again first (reopen)");
	if (i == c->n_conversations)
		return refuse(a, c, "that conversation is not one of its own");
	return c->n_conversations > 1 ||
	       refuse(a, c, "it has no other conversation; there is nothing to split");
}

bool change_case(struct answer *a, struct decided *d)
{
	Ascolto__ChangeCase *what = &d->content.change_case;
	const char *verb = member(d->body, "verb");
	size_t i = 0;
	while (i < ARRAY_SIZE(verbs) && !str_eq(verbs[i].verb, verb))
		i++;
	if (!verb || i == ARRAY_SIZE(verbs)) {
		answer_fail(a, 400, "\"verb\" is to be one of: start wait offline solve reopen hand_over merge split note waive_note");
		return false;
	}
	enum needs needs = verbs[i].needs;
	*what = (Ascolto__ChangeCase)ASCOLTO__CHANGE_CASE__INIT;
	what->case_id = id_bytes(&d->id);
	what->verb = (char *)(uintptr_t)verbs[i].verb;
	d->command.what_case = ASCOLTO__COMMAND__WHAT_CHANGE_CASE;
	d->command.change_case = what;
	return take_text(a, d, "words", needs != WORDS, &what->words) &&
	       take_text(a, d, "to", needs != TO, &what->to) &&
	       (needs != OTHER || (take_id(a, d, "other", &what->other_case_id) &&
					  may_merge(a, d, what->other_case_id))) &&
	       (needs != CONVERSATION || (take_id(a, d, "conversation", &what->conversation_id) &&
						 may_split(a, d, what->conversation_id))) &&
	       case_allows(a, d, verb);
}

/* One text to one customer. */
bool answer_case(struct answer *a, struct decided *d)
{
	const char *text = member(d->body, "text"), *language = member(d->body, "language"),
		   *fault = words_fault(text, WORDING_MAX);
	Ascolto__ProposeAnswer *p = &d->content.propose_answer;
	Ascolto__Wordings *w = arena_alloc(&a->arena, sizeof(*w)),
			  **list = arena_alloc(&a->arena, sizeof(*list));
	char **texts = arena_alloc(&a->arena, sizeof(*texts));
	if (fault) {
		answer_fail(a, 400, "\"text\", what the customer reads, %s", fault);
		return false;
	}
	if (language && strlen(language) != 2) {
		answer_fail(a, 400,
			"\"language\" is to be two letters such as it or en, or left out for the case's");
		return false;
	}
	if (!w || !list || !texts) {
		answer_fail(a, 503, "out of memory");
		return false;
	}
	*p = (Ascolto__ProposeAnswer)ASCOLTO__PROPOSE_ANSWER__INIT;
	*w = (Ascolto__Wordings)ASCOLTO__WORDINGS__INIT;
	texts[0] = arena_strdup(&a->arena, text);
	w->language = language ? arena_strdup(&a->arena, language) : w->language;
	w->texts = texts;
	w->n_texts = 1;
	list[0] = w;
	p->wordings = list;
	p->n_wordings = 1;
	p->case_id = id_bytes(&d->id);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER;
	d->command.propose_answer = p;
	return true;
}

bool confirm_alarms(struct answer *a, struct decided *d)
{
	const json_t *call = json_object_get(d->body, "call");
	if (!json_is_boolean(call)) {
		answer_fail(a, 400, "\"call\" is to be true (everybody is called now) or false (the alarms are dropped)");
		return false;
	}
	if (!read_tally(a->txn, &a->arena, a->group, a->brand_name, TALLY_HELD_ALARMS)) {
		answer_fail(a, 409, "no alarms are held: somebody decided, or none ever were");
		return false;
	}
	d->content.confirm_alarms = (Ascolto__ConfirmAlarms)ASCOLTO__CONFIRM_ALARMS__INIT;
	d->content.confirm_alarms.call = json_is_true(call);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_CONFIRM_ALARMS;
	d->command.confirm_alarms = &d->content.confirm_alarms;
	return true;
}
