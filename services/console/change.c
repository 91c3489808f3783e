/* POST: what people decide. Checked here against what is shown, committed as a command to escalation, and
 * only then answered with 202: from there on it can not be lost. What it changes comes back as a view. */
#include "services/console/console.h"
#include "services/console/change.h"
#include "services/console/rules.h"

#include "common/drill.h"
#include "common/json.h"

/* ---- checks ---- */

const char *member(const json_t *body, const char *name)
{
	return json_string_value(json_object_get(body, name));
}

/* The body as an object with a usable actor; answers itself and returns NULL otherwise. */
static json_t *read_body(struct http_request *r)
{
	struct err e = {0};
	json_t *body = NULL;
	if (!request_is_ours(r))
		return NULL;
	if (http_header_count(r, "Content-Type") != 1 || !is_json_type(http_header(r, "Content-Type"))) {
		http_reply_error(r, 403, "a change is to be sent with Content-Type: application/json");
		return NULL;
	}
	if (json_parse(http_body(r), &body, &e)) {
		http_reply_error(r, 400, "the body can not be read: %s", err_text(&e));
		return NULL;
	}
	const char *fault = text_fault(member(body, "actor"), ACTOR_MAX, false);
	if (json_is_object(body) && !fault)
		return body;
	if (json_is_object(body))
		http_reply_error(r, 400, "\"actor\", the name of who decides, %s", fault);
	else
		http_reply_error(r, 400, "the body is to be a JSON object");
	json_decref(body);
	return NULL;
}

/* ---- sending ---- */

static char *unconst(const char *s)
{
	return (char *)(uintptr_t)s; /* protobuf-c has no const; packing reads only */
}

/* A command on its way into the store, and who waits for that. */
struct waiting {
	struct http_request *request;
	struct id command;
};

static void submitted(void *ctx, enum verdict verdict, const char *why)
{
	struct waiting *w = ctx;
	char id[ID_TEXT + 1], text[64];
	snprintf(text, sizeof(text), "{\"accepted\":true,\"command\":\"%s\"}", id_format(&w->command, id));
	if (verdict == DONE)
		http_reply(w->request, 202, "application/json", span_str(text));
	else
		http_reply_error(w->request, 500, "the command was put in quarantine: %s", why);
	free(w);
}

void submit_command(struct http_request *r, struct console *c, const char *brand, Ascolto__Command *command)
{
	struct svc *s = c->svc;
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct id id = id_random(svc_now_ms(s));
	struct waiting *w = malloc(sizeof(*w));
	e.id = e.trace_id = id_bytes(&id);
	e.brand = unconst(brand);
	e.drill = unconst(drill_of(brand));
	e.key_group = brand_group(brand);
	e.occurred_ms = e.received_ms = svc_now_ms(s);
	e.body_case = ASCOLTO__ENVELOPE__BODY_COMMAND;
	e.command = command;
	if (w)
		*w = (struct waiting){r, id};
	if (w && svc_submit(s, &e, submitted, w) == 0)
		return;
	free(w);
	http_reply_header(r, "Retry-After", "2");
	http_reply_error(r, 503,
		"the console can not take commands now: its disk is full or escalation does not answer");
}

static void submit(struct answer *a, Ascolto__Command *command)
{
	submit_command(a->request, a->console, a->brand_name, command);
	answer_leave(a);
}

/* ---- one function per decision: fills the command, or answers and returns false ---- */

/* What is closed is closed: 409, by whom. */
static bool incident_is_open(struct answer *a, const struct decided *d)
{
	const Ascolto__Incident *i = d->record;
	if (!i->closed_ms)
		return true;
	if (str_empty(i->closed_by))
		answer_fail(a, 409, "the incident is closed: it calmed down by itself");
	else
		answer_fail(a, 409, "the incident is closed: %.100s closed it", i->closed_by);
	return false;
}

static bool acknowledge_incident(struct answer *a, struct decided *d)
{
	Ascolto__AcknowledgeIncident *what = &d->content.acknowledge_incident;
	if (!incident_is_open(a, d))
		return false;
	*what = (Ascolto__AcknowledgeIncident)ASCOLTO__ACKNOWLEDGE_INCIDENT__INIT;
	what->incident_id = id_bytes(&d->id);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT;
	d->command.acknowledge_incident = what;
	return true;
}

static bool close_incident(struct answer *a, struct decided *d)
{
	Ascolto__CloseIncident *what = &d->content.close_incident;
	const char *fault = text_fault(member(d->body, "reason"), OUTCOME_MAX, false);
	const char *lessons = member(d->body, "lessons");
	if (fault) {
		answer_fail(a, 400, "\"reason\", why it is over, %s", fault);
		return false;
	}
	fault = notes_fault(lessons, LESSONS_MAX);
	if (fault) {
		answer_fail(a, 400, "\"lessons\", what is to be remembered, %s", fault);
		return false;
	}
	if (!incident_is_open(a, d))
		return false;
	*what = (Ascolto__CloseIncident)ASCOLTO__CLOSE_INCIDENT__INIT;
	what->incident_id = id_bytes(&d->id);
	what->reason = arena_strdup(&a->arena, member(d->body, "reason"));
	what->lessons = arena_strdup(&a->arena, lessons);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT;
	d->command.close_incident = what;
	return true;
}

static bool acknowledge_case(struct answer *a, struct decided *d)
{
	Ascolto__AcknowledgeCase *what = &d->content.acknowledge_case;
	if (!case_allows(a, d, "acknowledge"))
		return false;
	*what = (Ascolto__AcknowledgeCase)ASCOLTO__ACKNOWLEDGE_CASE__INIT;
	what->case_id = id_bytes(&d->id);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE;
	d->command.acknowledge_case = what;
	return true;
}

static bool close_case(struct answer *a, struct decided *d)
{
	Ascolto__CloseCase *what = &d->content.close_case;
	const char *fault = text_fault(member(d->body, "outcome"), OUTCOME_MAX, false);
	if (fault) {
		answer_fail(a, 400, "\"outcome\", how the case ended, %s", fault);
		return false;
	}
	if (!case_allows(a, d, "close"))
		return false;
	*what = (Ascolto__CloseCase)ASCOLTO__CLOSE_CASE__INIT;
	what->case_id = id_bytes(&d->id);
	what->outcome = arena_strdup(&a->arena, member(d->body, "outcome"));
	d->command.what_case = ASCOLTO__COMMAND__WHAT_CLOSE_CASE;
	d->command.close_case = what;
	return true;
}

static bool correct_message(struct answer *a, struct decided *d)
{
	Ascolto__Correct *what = &d->content.correct;
	const char *task = member(d->body, "task"), *label = member(d->body, "label");
	if (!correction_labels(task)) {
		answer_fail(a, 400, "\"task\" is to be one of: %s", correction_tasks());
		return false;
	}
	if (!correction_is_known(task, label)) {
		answer_fail(a, 400, "\"label\" is to be one of: %s", correction_labels(task));
		return false;
	}
	*what = (Ascolto__Correct)ASCOLTO__CORRECT__INIT;
	what->message_id = id_bytes(&d->id);
	what->task = arena_strdup(&a->arena, task);
	what->label = arena_strdup(&a->arena, label);
	d->command.what_case = ASCOLTO__COMMAND__WHAT_CORRECT;
	d->command.correct = what;
	return true;
}

/* ---- what can be decided about what ---- */

static const struct decision {
	enum console_table table;
	const char *what, *verb;
	decide_fn *fn;
	bool drafts; /* escalation looks at the words first (draft.c) */
} decisions[] = {
	{INCIDENTS, "incident", "/acknowledge", acknowledge_incident},
	{INCIDENTS, "incident", "/close", close_incident},
	{CASES, "case", "/acknowledge", acknowledge_case},
	{CASES, "case", "/close", close_case},
	{CASES, "case", "/change", change_case},
	{CASES, "case", "/answer", answer_case, .drafts = true},
	{CASES, "case", "/draft", NULL, .drafts = true},
	{CASES, "case", "/approve", approve_answer},
	{MESSAGES, "message", "/correct", correct_message},
	{INCIDENTS, "incident", "/step", done_step},
	{INCIDENTS, "incident", "/answer", propose_answer, .drafts = true},
	{INCIDENTS, "incident", "/draft", NULL, .drafts = true},
	{INCIDENTS, "incident", "/approve", approve_answer},
	{MESSAGES, "message", "/move", move_message},
	{MESSAGES, "message", "/advocate", keep_advocate},
};

static const struct decision *find_decision(enum console_table table, const char *verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(decisions); i++)
		if (decisions[i].table == table && str_eq(decisions[i].verb, verb))
			return &decisions[i];
	return NULL;
}

static void decide(struct http_request *r, struct console *c, enum console_table table, const json_t *body)
{
	struct answer a;
	const char *verb;
	struct decided decided = {.body = body, .command = ASCOLTO__COMMAND__INIT};
	if (!answer_begin(&a, r, c))
		return;
	int no_id = path_id(http_path_rest(r), &decided.id, &verb);
	const struct decision *d = find_decision(table, verb);
	if (no_id || !d) {
		answer_fail(&a, 404, "there is nothing to decide at this path");
		return;
	}
	if (!answer_find(&a, d->what, table, &decided.id, &decided.record))
		return;
	decided.command.actor = arena_strdup(&a.arena, member(body, "actor"));
	if (d->fn && !d->fn(&a, &decided))
		return;
	if (d->drafts)
		ask_draft(&a, d->what, &decided.id, body, d->fn ? &decided.command : NULL);
	else
		submit(&a, &decided.command);
}

static void post(struct http_request *r, struct console *c, enum console_table table)
{
	json_t *body = read_body(r);
	if (!body)
		return;
	decide(r, c, table, body);
	json_decref(body);
}

void post_incident(struct http_request *r, void *ctx)
{
	post(r, ctx, INCIDENTS);
}

void post_case(struct http_request *r, void *ctx)
{
	post(r, ctx, CASES);
}

void post_message(struct http_request *r, void *ctx)
{
	post(r, ctx, MESSAGES);
}

/* About the brand itself. */
static void post_brand(struct http_request *r, struct console *c, decide_fn *fn)
{
	struct answer a;
	struct decided d = {.command = ASCOLTO__COMMAND__INIT};
	json_t *body = read_body(r);
	d.body = body;
	if (!body || !answer_begin(&a, r, c)) {
		json_decref(body);
		return;
	}
	d.command.actor = arena_strdup(&a.arena, member(body, "actor"));
	if (fn(&a, &d))
		submit(&a, &d.command);
	json_decref(body);
}

void post_crisis(struct http_request *r, void *ctx)
{
	post_brand(r, ctx, crisis_mode);
}

void post_alarms(struct http_request *r, void *ctx)
{
	post_brand(r, ctx, confirm_alarms);
}
