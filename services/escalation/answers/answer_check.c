/* What is to be looked at in an answer, and whose consent it needs. */
#include "services/escalation/answers/answers.h"
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/answers/texts.h"

#include "common/json.h"

#include <xxhash.h>

#define FINDINGS_MAX 64

/* ---- where it goes ---- */

static int read_record(const struct answer_place *p, int table, const struct id *id, void *ret,
	const char *what, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = turn_key_in(p->key_group, &escalation_tables[table]);
	key_id(&k, id);
	int r = svc_read(p->txn, p->arena, &escalation_tables[table], &k, ret);
	return r ? err_set(why, r, "%s %s: %s", what, id_format(id, text),
			   r == -ENOENT ? "is not known" : strerror(-r))
		 : 0;
}

int answer_place_read(
	struct answer_place *p, const struct id *incident, const struct id *one, struct err *why)
{
	struct id message;
	p->incident = NULL;
	p->one = NULL;
	p->arm = NULL;
	if (incident)
		return read_record(p, INCIDENTS, incident, &p->incident, "incident", why);
	int r = read_record(p, CASES, one, &p->one, "case", why);
	if (!r && id_of(p->one->last_message_id, &message))
		return err_set(why, -ENOENT, "the case has no message that could be answered");
	r = r ? r : read_record(p, ARM, &message, &p->arm, "message", why);
	if (!r && (!p->arm->message || !p->arm->message->post || !p->arm->message->knowledge ||
			  !p->arm->message->understanding))
		return err_set(why, -EBADMSG, "the record of the message is not whole");
	return r;
}

struct key last_text_key(uint8_t key_group, const char *brand, const char *channel, const char *language)
{
	struct key k = turn_key_in(key_group, &escalation_tables[LAST_TEXTS]);
	key_name(&k, brand);
	key_name(&k, channel);
	key_name(&k, language);
	return k;
}

struct draft_said last_text(struct txn *t, struct arena *a, const struct key *k)
{
	State__LastText *row;
	if (svc_read(t, a, &escalation_tables[LAST_TEXTS], k, &row))
		return (struct draft_said){0};
	return (struct draft_said){row->hash, row->copy, row->sketch, row->words};
}

const struct playbook_wordings *holding_for(
	const struct playbook_crisis *c, const char *channel, const char *language)
{
	const struct playbook_wordings *general = NULL;
	for (unsigned i = 0; c && i < c->holding_count; i++) {
		const struct playbook_wordings *w = &c->holding[i];
		if (!str_eq(w->language, language))
			continue;
		if (w->channel && str_eq(w->channel, channel))
			return w;
		if (!w->channel)
			general = w;
	}
	return general;
}

/* ---- findings ---- */

struct gathering {
	struct arena *arena;
	Ascolto__Answer *a;
};

static void gather(void *ctx, size_t list, size_t text, const char *channel, const struct draft_finding *f)
{
	struct gathering *g = ctx;
	Ascolto__Answer *a = g->a;
	Ascolto__Finding *x = arena_alloc(g->arena, sizeof(*x));
	/* Of many the first are enough to work with; one that blocks is always among them. */
	if (!x || !a->findings || (a->n_findings == FINDINGS_MAX && (!f->blocks || answer_is_blocked(a))))
		return;
	*x = (Ascolto__Finding)ASCOLTO__FINDING__INIT;
	x->rule = (char *)(uintptr_t)draft_rules[f->rule];
	x->blocks = f->blocks;
	x->it = draft_sentence(f, true, g->arena);
	x->en = draft_sentence(f, false, g->arena);
	x->wordings = (uint32_t)list;
	x->text = (uint32_t)text;
	x->channel = arena_strdup(g->arena, channel);
	if (a->n_findings == FINDINGS_MAX)
		a->findings[FINDINGS_MAX - 1] = x;
	else
		a->findings[a->n_findings++] = x;
}

bool answer_is_blocked(const Ascolto__Answer *a)
{
	for (size_t i = 0; i < a->n_findings; i++)
		if (a->findings[i]->blocks)
			return true;
	return false;
}

static bool is_private(const Ascolto__Post *p)
{
	return p->surface == ASCOLTO__SURFACE__SURFACE_PRIVATE;
}

static int check_one(const struct answer_place *p, struct gathering *g)
{
	const Ascolto__Post *post = p->arm->message->post;
	const Ascolto__Wordings *w = g->a->wordings[0];
	struct key k = last_text_key(p->key_group, p->brand->name, post->channel, w->language);
	struct draft_report report;
	const struct draft d = {.text = w->texts[0],
		.language = w->language,
		.network = post->network,
		.author = g->a->by,
		.in_public = !is_private(post),
		.last = last_text(p->txn, p->arena, &k),
		.voice = playbook_voice(p->brand->playbook, post->channel, post->network, w->language)};
	int r = draft_check(&d, p->arena, &report);
	for (size_t i = 0; !r && i < report.n; i++)
		gather(g, 0, 0, post->channel, &report.findings[i]);
	return r;
}

static int check_many(const struct answer_place *p, struct gathering *g)
{
	struct texts *lists = arena_alloc(p->arena, sizeof(*lists) * (g->a->n_wordings + 1));
	for (size_t i = 0; lists && i < g->a->n_wordings; i++) {
		const Ascolto__Wordings *w = g->a->wordings[i];
		lists[i] = (struct texts){w->channel, w->language, w->texts, w->n_texts};
	}
	return lists ? texts_check(p->brand->playbook, p->conf, p->brand->name, lists, g->a->n_wordings,
			       g->a->by, gather, g)
		     : -ENOMEM;
}

/* ---- consent ---- */

static void stricter(Ascolto__Answer *a, const struct playbook_approval *rule)
{
	if (!rule || rule->people <= a->approvals_needed)
		return;
	a->approvals_needed = rule->people;
	a->approvers = rule->approvers;
	a->n_approvers = rule->approvers_count;
	a->consent = rule->name;
}

/* On every channel it may be said on; what it answers there is not known. */
static void consent_to_many(const struct answer_place *p, Ascolto__Answer *a, struct playbook_asked *asked)
{
	struct facts f = {
		.content = true, .incident_open = p->brand->crisis_ms != 0, .at_ms = a->proposed_ms};
	const struct conf_brand *real = conf_brand(p->conf, p->brand->name);
	asked->facts = &f;
	asked->kind = p->incident->kind;
	asked->code = code_word((enum code)p->incident->code);
	f.words[FACT_SURFACE] = "public";
	stricter(a, playbook_approval(p->brand->playbook, asked));
	for (unsigned i = 0; real && i < p->conf->channels_count; i++) {
		if (!str_eq(p->conf->channels[i].brand, real->name))
			continue;
		f.words[FACT_CHANNEL] = p->conf->channels[i].name;
		f.words[FACT_NETWORK] = p->conf->channels[i].network;
		stricter(a, playbook_approval(p->brand->playbook, asked));
	}
}

static void consent_to_one(const struct answer_place *p, Ascolto__Answer *a, struct playbook_asked *asked)
{
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct judgement j = {.e = &e, .m = p->arm->message, .brand = p->brand};
	struct id customer;
	e.occurred_ms = p->arm->occurred_ms;
	if (id_of(j.m->knowledge->customer_id, &customer) == 0)
		j.who = XXH3_64bits(customer.b, ID_BYTES);
	read_facts(&j);
	asked->facts = &j.facts;
	asked->kind = p->one->kind;
	asked->code = code_word((enum code)p->one->code);
	stricter(a, playbook_approval(p->brand->playbook, asked));
}

static void find_consent(const struct answer_place *p, Ascolto__Answer *a)
{
	bool crisis = p->incident || (p->brand->crisis_ms && p->one->incident_id.len);
	unsigned least = crisis ? playbook_crisis_approvals(p->brand->playbook->crisis) : 0;
	struct playbook_asked asked = {.action = a->holding ? "holding_text"
						 : p->arm && is_private(p->arm->message->post)
							 ? "direct_message"
							 : "reply"};
	if (p->incident)
		consent_to_many(p, a, &asked);
	else
		consent_to_one(p, a, &asked);
	if (least > a->approvals_needed) {
		a->approvals_needed = least;
		a->consent = str_empty(a->consent) ? (char *)"crisis" : a->consent;
	}
}

int answer_check(const struct answer_place *p, Ascolto__Answer *a)
{
	struct gathering g = {p->arena, a};
	if (p->one) {
		a->case_id = p->one->id;
		a->incident_id = p->one->incident_id;
		a->message_id = p->arm->message_id;
		if (a->n_wordings && str_empty(a->wordings[0]->language))
			a->wordings[0]->language = p->one->language;
	} else {
		a->incident_id = p->incident->id;
	}
	a->findings = arena_alloc(p->arena, sizeof(*a->findings) * FINDINGS_MAX);
	find_consent(p, a);
	if (!a->findings)
		return -ENOMEM;
	return !a->n_wordings ? 0 : p->one ? check_one(p, &g) : check_many(p, &g);
}

/* ---- asked before anybody proposes it ---- */

static char *text_of(const json_t *o, const char *name, struct arena *a)
{
	return arena_strdup(a, json_string_value(json_object_get(o, name)));
}

static Ascolto__Wordings *read_list(const json_t *o, const json_t *texts, struct arena *a)
{
	size_t n = MIN(json_array_size(texts), (size_t)ANSWER_TEXTS_MAX);
	Ascolto__Wordings *w = arena_alloc(a, sizeof(*w));
	if (!w)
		return NULL;
	*w = (Ascolto__Wordings)ASCOLTO__WORDINGS__INIT;
	w->channel = text_of(o, "channel", a);
	w->language = text_of(o, "language", a);
	w->texts = arena_alloc(a, sizeof(*w->texts) * (n + 1));
	for (size_t i = 0; w->texts && i < n; i++)
		w->texts[w->n_texts++] = arena_strdup(a, json_string_value(json_array_get(texts, i)));
	return w->channel && w->language && w->texts ? w : NULL;
}

/* The wordings of the body, or its one text. False: out of memory. */
static bool read_draft(const json_t *body, bool to_one, struct arena *mem, Ascolto__Answer *a)
{
	const json_t *lists = json_object_get(body, "wordings"), *text = json_object_get(body, "text");
	size_t n = to_one ? json_is_string(text) && json_string_length(text)
			  : MIN(json_array_size(lists), (size_t)ANSWER_WORDINGS_MAX);
	json_t *one = json_pack("[O]", text ? text : json_true());
	bool whole = one && (a->wordings = arena_alloc(mem, sizeof(*a->wordings) * (n + 1)));
	a->by = text_of(body, "actor", mem);
	for (; whole && a->n_wordings < n; a->n_wordings += whole) {
		const json_t *o = to_one ? body : json_array_get(lists, a->n_wordings);
		Ascolto__Wordings *w = read_list(o, to_one ? one : json_object_get(o, "texts"), mem);
		whole = w != NULL;
		a->wordings[a->n_wordings] = w;
	}
	json_decref(one);
	return whole && a->by;
}

/* The texts that are ready for it, beginning after the one that was said last. */
static void add_suggested(struct buf *out, const struct answer_place *p)
{
	const struct playbook_wordings *w =
		p->one ? holding_for(p->brand->playbook->crisis, p->one->channel, p->one->language) : NULL;
	struct key k = last_text_key(
		p->key_group, p->brand->name, p->one ? p->one->channel : "", p->one ? p->one->language : "");
	uint64_t last = w ? last_text(p->txn, p->arena, &k).hash : 0;
	unsigned first = 0;
	for (unsigned i = 0; w && i < w->texts_count; i++)
		if (XXH3_64bits(w->texts[i], strlen(w->texts[i])) == last)
			first = i + 1;
	for (unsigned i = 0; w && i < w->texts_count; i++) {
		buf_adds(out, i ? "," : "");
		json_add_string(out, span_str(w->texts[(first + i) % w->texts_count]));
	}
}

static void answer_draft(struct http_request *r, struct answer_place *p, const json_t *body)
{
	const char *incident_text = http_query(r, "incident"), *case_text = http_query(r, "case");
	Ascolto__Answer a = ASCOLTO__ANSWER__INIT;
	struct id incident, one;
	struct err e = {0};
	struct buf out;
	if (case_text ? id_parse(case_text, &one) : !incident_text || id_parse(incident_text, &incident)) {
		http_reply_error(r, 400, "say which case or which incident is to be answered");
		return;
	}
	if (answer_place_read(p, case_text ? NULL : &incident, case_text ? &one : NULL, &e)) {
		http_reply_error(r, 404, "%s", err_text(&e));
		return;
	}
	if (!p->brand->playbook->crisis || str_empty(p->brand->playbook->crisis->answers)) {
		http_reply_error(r, 409, "the playbook names no destination for answers (crisis: answers)");
		return;
	}
	if (p->one && p->one->state == ASCOLTO__CASE_STATE__CASE_STATE_CLOSED) {
		http_reply_error(r, 409, "the case is closed; open it again first (reopen)");
		return;
	}
	bool whole = read_draft(body, case_text != NULL, p->arena, &a);
	if (p->incident && !a.n_wordings)
		answer_take_holding(p->arena, &a, p->brand->playbook->crisis, &e); /* or there are none */
	if (!whole || answer_check(p, &a)) {
		http_reply_error(r, 500, "out of memory");
		return;
	}
	if (!a.holding)
		a.n_wordings = 0; /* who asks has them */
	buf_init(&out, (size_t)1024 * 1024);
	buf_addf(&out, "{\"blocks\":%s,\"answer\":", answer_is_blocked(&a) ? "true" : "false");
	json_add_message(&out, &a.base);
	buf_adds(&out, ",\"suggested\":[");
	add_suggested(&out, p);
	buf_adds(&out, "]}");
	http_reply(r, 200, "application/json", buf_span(&out));
	buf_free(&out);
}

void draft_post(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	const char *brand = http_query(r, "brand");
	struct arena a;
	struct err e = {0};
	json_t *body = NULL;
	struct answer_place p = {
		.arena = &a, .conf = svc_conf(s), .brand = brand ? brand_find(svc_state(s), brand) : NULL};
	if (!p.brand) {
		http_reply_error(r, 404, "there is no brand \"%.60s\"", brand ? brand : "");
		return;
	}
	p.key_group = key_group_of(span_str(p.brand->name));
	if (json_parse(http_body(r), &body, &e)) {
		http_reply_error(r, 400, "the body can not be read: %s", err_text(&e));
		return;
	}
	arena_init(&a, (size_t)64 * 1024 * 1024);
	if (txn_begin_read(svc_store(s), &p.txn, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
	} else {
		answer_draft(r, &p, body);
		txn_abort(&p.txn);
	}
	arena_free(&a);
	json_decref(body);
}
