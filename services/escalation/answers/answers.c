/* Answers to one case or to many: proposed and approved. */
#include "services/escalation/answers/answers.h"

#include <strings.h>

#define ROLE_MAX 80

int answer_load(struct turn *t, const struct id *id, Ascolto__Answer **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, ANSWERS, id);
	int r = turn_get(t, &escalation_tables[ANSWERS], &k, ret);
	return r ? err_set(why, r, "answer %s: %s", id_format(id, text),
			   r == -ENOENT ? "there is no such answer" : strerror(-r))
		 : 0;
}

static int check_wordings(const Ascolto__Wordings *w, bool to_one, struct err *why)
{
	size_t least = to_one ? 1 : 2, most = to_one ? 1 : ANSWER_TEXTS_MAX;
	if (!to_one && strlen(w->language) != 2)
		return err_set(why, -EINVAL, "\"%s\" is not a language; write two letters such as it or en",
			w->language);
	if (w->n_texts < least || w->n_texts > most)
		return err_set(why, -EINVAL, "in %s there are %zu wordings; write %s", w->language,
			w->n_texts,
			to_one ? "one, for one customer" : "2 to 32, so that nobody reads a pasted text");
	for (size_t i = 0; i < w->n_texts; i++) {
		if (!w->texts[i][0] || strlen(w->texts[i]) > ANSWER_BYTES_MAX)
			return err_set(why, -EINVAL, "a wording in %s is empty or longer than %d bytes",
				w->language, ANSWER_BYTES_MAX);
		for (size_t k = 0; k < i; k++)
			if (str_eq(w->texts[i], w->texts[k]))
				return err_set(why, -EINVAL, "two wordings in %s are the same", w->language);
	}
	return 0;
}

static int take_wordings(Ascolto__Answer *a, const Ascolto__ProposeAnswer *p, struct err *why)
{
	bool to_one = p->case_id.len != 0;
	size_t most = to_one ? 1 : ANSWER_WORDINGS_MAX;
	int r = p->n_wordings > most ? err_set(why, -EINVAL, "more than %zu lists of wordings", most) : 0;
	for (size_t i = 0; i < p->n_wordings && !r; i++)
		r = check_wordings(p->wordings[i], to_one, why);
	a->wordings = p->wordings;
	a->n_wordings = p->n_wordings;
	return r;
}

int answer_take_holding(
	struct arena *mem, Ascolto__Answer *a, const struct playbook_crisis *c, struct err *why)
{
	if (!c || !c->holding_count)
		return err_set(why, -EINVAL, "the playbook has no holding texts");
	a->holding = true;
	a->wordings = arena_alloc(mem, sizeof(*a->wordings) * c->holding_count);
	for (unsigned i = 0; a->wordings && i < c->holding_count; i++) {
		Ascolto__Wordings *w = arena_alloc(mem, sizeof(*w));
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

static void begin_if_approved(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Answer *a)
{
	if (a->n_approved_by < a->approvals_needed)
		return;
	a->begun_ms = t->now_ms;
	answer_send_next(t, cause, a);
}

/* What a person did, for the audit log. */
static void note(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Answer *a, const char *what,
	const char *actor, const char *detail)
{
	audit_add(t, cause,
		&(struct audit_note){.what = what,
			.who = actor,
			.by = BY_PERSON,
			.incident_id = a->incident_id,
			.case_id = a->case_id,
			.message_id = a->message_id,
			.detail = detail});
}

/* The rules that a refused answer was stopped by, without its words. */
static const char *stopped_by(struct turn *t, const Ascolto__Answer *a)
{
	const char *list = "";
	for (size_t i = 0; i < a->n_findings && list; i++)
		if (a->findings[i]->blocks && !strstr(list, a->findings[i]->rule))
			list = arena_printf(
				t->arena, "%s%s%s", list, list[0] ? " " : "", a->findings[i]->rule);
	return list ? list : "";
}

static int place_of(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ProposeAnswer *p,
	struct answer_place *ret, struct err *why)
{
	struct id incident, one;
	bool to_one = id_of(p->case_id, &one) == 0;
	*ret = (struct answer_place){.txn = t->txn,
		.arena = t->arena,
		.key_group = t->key_group,
		.brand = brand_find(t->state, e->brand),
		.conf = t->conf};
	if (!ret->brand || (!to_one && id_of(p->incident_id, &incident)))
		return err_set(why, -EBADMSG, "an answer without a case, an incident or a brand");
	int r = answer_place_read(ret, to_one ? NULL : &incident, to_one ? &one : NULL, why);
	if (!r && to_one && ret->one->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED)
		return err_set(why, -EINVAL, "the case is closed; open it again first (reopen)");
	return r;
}

int answer_propose(
	struct turn *t, const Ascolto__Envelope *e, const Ascolto__ProposeAnswer *p, struct err *why)
{
	Ascolto__Answer a = ASCOLTO__ANSWER__INIT;
	struct answer_place place;
	struct id cause, id;
	int r = id_of(e->id, &cause) ? err_set(why, -EBADMSG, "a command without an id")
				     : place_of(t, e, p, &place, why);
	if (r)
		return r;
	const struct playbook_crisis *c = place.brand->playbook->crisis;
	if (!c || str_empty(c->answers))
		return err_set(
			why, -EINVAL, "the playbook names no destination for answers (crisis: answers)");
	r = p->n_wordings ? take_wordings(&a, p, why)
	    : place.one	  ? err_set(why, -EINVAL, "an answer without words")
			  : answer_take_holding(t->arena, &a, c, why);
	if (r)
		return r;
	id = id_derive(&cause, "answer", 0);
	a.id = turn_id_bytes(t, &id);
	a.brand = place.brand->name;
	a.by = e->command->actor;
	a.proposed_ms = t->now_ms;
	if ((r = answer_check(&place, &a)))
		return err_set(why, r, "out of memory");
	note(t, e, &a, "answer_proposed", a.by, a.holding ? "the playbook's holding text" : a.consent);
	if (answer_is_blocked(&a)) {
		a.refused_ms = t->now_ms;
		audit_add(t, e,
			&(struct audit_note){.what = "answer_refused",
				.who = "draft_check",
				.by = BY_RULE,
				.incident_id = a.incident_id,
				.case_id = a.case_id,
				.message_id = a.message_id,
				.detail = stopped_by(t, &a)});
	} else {
		begin_if_approved(t, e, &a);
	}
	answer_save(t, e, &a);
	return 0;
}

/* Why that person's consent does not count; NULL: it does. */
static const char *no_consent(const Ascolto__Answer *a, const char *by, const char *role)
{
	if (strcasecmp(a->by, by) == 0)
		return "nobody approves their own words";
	for (size_t i = 0; i < a->n_approved_by; i++)
		if (strcasecmp(a->approved_by[i], by) == 0)
			return "approved already";
	for (size_t i = 0; i < a->n_approvers; i++)
		if (str_eq(a->approvers[i], role) || (str_empty(role) && str_eq(a->approvers[i], by)))
			return NULL;
	return a->n_approvers ? "is none of those who may approve it" : NULL;
}

static char **longer(struct arena *mem, char **list, size_t n, char *last)
{
	char **ret = arena_alloc(mem, sizeof(*ret) * (n + 1));
	for (size_t i = 0; ret && i < n; i++)
		ret[i] = list[i];
	if (ret)
		ret[n] = last;
	return ret;
}

int answer_approve(
	struct turn *t, const Ascolto__Envelope *e, const Ascolto__ApproveAnswer *what, struct err *why)
{
	Ascolto__Answer *a;
	struct id id;
	char *by = e->command->actor;
	if (id_of(what->answer_id, &id) || strlen(what->role) > ROLE_MAX)
		return err_set(why, -EBADMSG, "the command names no answer");
	int r = answer_load(t, &id, &a, why);
	if (r || a->begun_ms)
		return r; /* said twice, or too late */
	if (a->refused_ms)
		return err_set(why, -EINVAL, "this answer was refused and is not sent; write another one");
	const char *fault = no_consent(a, by, what->role);
	if (fault)
		return err_set(why, -EINVAL, "the approval of %s does not count: %s", by, fault);
	a->approved_by = longer(t->arena, a->approved_by, a->n_approved_by, by);
	a->approved_as = longer(t->arena, a->approved_as, a->n_approved_as, what->role);
	if (!a->approved_by || !a->approved_as)
		return err_set(why, -ENOMEM, "out of memory");
	a->n_approved_by++;
	a->n_approved_as++;
	note(t, e, a, "answer_approved", by, what->role);
	begin_if_approved(t, e, a);
	answer_save(t, e, a);
	return 0;
}
