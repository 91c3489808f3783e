/* Incidents: a topic that has been given a code, the chain of people who are called for it, and its checklist. */
#include "services/escalation/escalation.h"

#define KEYWORDS_SHOWN 5
#define CHECKS_PER_WINDOW 4 /* how often it is looked whether an incident has become calm */

/* The number of a call: what it is for is known again when its time has come. */
#define CALLS_PER_CODE 100u
#define CODES_PER_WAVE 100u
static uint64_t call_number(const Ascolto__Incident *i, enum code code, unsigned n)
{
	return ((uint64_t)i->waves * CODES_PER_WAVE + code) * CALLS_PER_CODE + n;
}

void incident_view(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Incident *i, uint64_t n)
{
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	v.what_case = ASCOLTO__VIEW__WHAT_INCIDENT;
	v.incident = i;
	send_view(t, cause, "view-incident", n, &v);
}

/* The topic's most frequent words, at most KEYWORDS_SHOWN. */
static void set_keywords(struct turn *t, Ascolto__Incident *i, const struct topic *topic)
{
	bool taken[TOPIC_KEYWORDS] = {false};
	i->keywords = arena_alloc(t->arena, sizeof(char *) * KEYWORDS_SHOWN);
	for (i->n_keywords = 0; i->keywords && i->n_keywords < KEYWORDS_SHOWN;) {
		int best = -1;
		for (int k = 0; k < TOPIC_KEYWORDS; k++)
			if (!taken[k] && topic->keyword_counts[k] &&
				(best < 0 || topic->keyword_counts[k] > topic->keyword_counts[best]))
				best = k;
		if (best < 0)
			break;
		taken[best] = true;
		i->keywords[i->n_keywords++] = arena_strdup(t->arena, topic->keywords[best]);
	}
}

/* In their own words, if somebody has put it well; else the frequent ones. */
static char *title_of(struct turn *t, const Ascolto__Incident *i, const struct topic *topic)
{
	char *title = NULL;
	if (topic->headline[0])
		return arena_printf(t->arena, "«%s»", topic->headline);
	for (size_t k = 0; k < i->n_keywords; k++)
		title = title ? arena_printf(t->arena, "%s, %s", title, i->keywords[k])
			      : arena_strdup(t->arena, i->keywords[k]);
	return title ? title : arena_strdup(t->arena, "?");
}

static void set_examples(struct turn *t, Ascolto__Incident *i, const struct topic *topic)
{
	i->examples = arena_alloc(t->arena, sizeof(*i->examples) * TOPIC_EXAMPLES);
	for (i->n_examples = 0; i->examples && i->n_examples < topic->n_examples; i->n_examples++)
		i->examples[i->n_examples] = turn_id_bytes(t, &topic->examples[i->n_examples]);
}

static void set_steps(struct turn *t, Ascolto__Incident *i, const struct playbook_incident *p)
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
	}
	for (unsigned k = 0; i->actors && k < p->chain_count; k++)
		i->actors[i->n_actors++] = p->chain[k].actor;
}

/* The calls that come later, if nobody acknowledges before. */
static void set_calls(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Incident *i, const struct id *id,
	enum code code, const struct playbook_incident *p)
{
	for (unsigned n = 0; n < p->chain_count; n++) {
		if (!p->chain[n].after_minutes)
			continue;
		Ascolto__Envelope *e = turn_envelope(t, cause, "incident_call", call_number(i, code, n));
		Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
		timer.purpose = (char *)"incident_call";
		timer.subject_id = turn_id_bytes(t, id);
		timer.due_ms = t->now_ms + (int64_t)p->chain[n].after_minutes * 60000;
		timer.number = call_number(i, code, n);
		e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
		e->timer = &timer;
		turn_timer(t, e, timer.due_ms);
	}
}

static unsigned tell(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Incident *i,
	const char *actor, const char *template_name, uint64_t number)
{
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	struct id id;
	char tag[ID_TEXT + 32], text[ID_TEXT + 1];
	incident_words(t, b, i, template_name, &o);
	o.incident_id = i->id;
	o.incident = i;
	o.code = i->code;
	if (id_of(i->id, &id))
		return 0;
	/* Named after the incident, not the message: whichever message brings it about, the order is the same one. */
	snprintf(tag, sizeof(tag), "%s-%s", id_format(&id, text), actor);
	unsigned n = order_to_actor(t, cause, b->playbook, actor, &o, tag, number);
	i->alerts += n;
	return n;
}

/* Opens it at this code, or raises it to this code: what both have in common. */
static void reach_code(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, Ascolto__Incident *i,
	enum code code, bool fresh)
{
	const struct playbook_incident *p = playbook_incident(b->playbook, code);
	struct id id;
	i->code = (Ascolto__Code)code;
	i->calm_ms = 0;
	i->waves += !fresh;
	i->playbook = b->playbook->label;
	if (code == CODE_RED && !i->red_ms)
		i->red_ms = cause->occurred_ms;
	if (!p || id_of(i->id, &id))
		return;
	set_steps(t, i, p);
	set_calls(t, cause, i, &id, code, p);
	i->acknowledged_ms = 0; /* who knew of yellow does not know of red */
	i->acknowledged_by = (char *)"";
	for (unsigned n = 0; n < p->chain_count; n++)
		if (!p->chain[n].after_minutes)
			tell(t, cause, b, i, p->chain[n].actor, fresh ? "incident_opened" : "incident_raised",
				call_number(i, code, n));
}

static Ascolto__Incident *new_incident(struct judgement *j, struct topic *topic)
{
	struct turn *t = j->t;
	struct id id = id_derive(&j->message, "incident", 0);
	Ascolto__Incident *i = arena_alloc(t->arena, sizeof(*i));
	if (!i)
		return NULL;
	*i = (Ascolto__Incident)ASCOLTO__INCIDENT__INIT;
	i->id = turn_id_bytes(t, &id);
	i->brand = j->e->brand;
	i->topic_id = turn_id_bytes(t, &topic->id);
	i->kind = j->kind ? j->kind->name : i->kind;
	i->opened_ms = j->e->occurred_ms;
	i->detected_ms = t->now_ms;
	return i;
}

static int load(struct turn *t, const struct id *id, Ascolto__Incident **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, INCIDENTS, id);
	int r = turn_get(t, &escalation_tables[INCIDENTS], &k, ret);
	return r ? err_set(why, r, "incident %s: %s", id_format(id, text),
			   r == -ENOENT ? "there is no such incident" : strerror(-r))
		 : 0;
}

static void save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Incident *i)
{
	struct id id;
	if (id_of(i->id, &id)) {
		t->ws->error = -EINVAL;
		return;
	}
	struct key k = id_key(t, INCIDENTS, &id);
	turn_put(t, &k, i);
	incident_view(t, cause, i, 0);
}

/* Looks again in a while whether it has become calm. */
static void set_calm_check(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, const struct id *id,
	uint64_t number)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, "incident_calm", number);
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	timer.purpose = (char *)"incident_calm";
	timer.subject_id = turn_id_bytes(t, id);
	timer.due_ms = t->now_ms + (int64_t)b->playbook->window_minutes * 60000 / CHECKS_PER_WINDOW;
	timer.number = number;
	e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e->timer = &timer;
	turn_timer(t, e, timer.due_ms);
}

static char *because(struct turn *t, const struct brand *b, const struct surge *s, unsigned window)
{
	return arena_printf(t->arena, "%u different people within %u minutes, against %.1f on an ordinary day",
		s->people[window], b->playbook->window_minutes * normal_steps[window] / normal_steps[1],
		s->expected[window]);
}

/* The incident the topic has, if any, as far as it still is one: *ret is NULL for a fresh one. */
static int of_topic(struct judgement *j, struct topic *topic, const struct surge *surge, Ascolto__Incident **ret,
	struct err *why)
{
	*ret = NULL;
	if (id_is_zero(&topic->incident))
		return 0;
	int r = load(j->t, &topic->incident, ret, why);
	/* Closed by a person: the aftermath is theirs, and what comes after the topic has been calm is another matter. */
	if (!r && (*ret)->closed_ms && surge_is_calm(&j->brand->playbook->thresholds, surge)) {
		memset(&topic->incident, 0, sizeof(topic->incident));
		*ret = NULL;
	}
	return r;
}

/* Named and explained when its code changes, so that people speak of the same thing. */
static void change_code(struct judgement *j, struct topic *topic, Ascolto__Incident *i, enum code code, bool fresh)
{
	struct id id;
	i->title = title_of(j->t, i, topic);
	reach_code(j->t, j->e, j->brand, i, code, fresh);
	turn_count(j->t, fresh ? "incidents_opened" : "incidents_raised", 1);
	if (code == CODE_RED)
		turn_count(j->t, "incidents_red", 1);
	record_action(j, fresh ? "open_incident" : "raise_incident", "ascolto", "done", &i->id, i->because);
	if (fresh && id_of(i->id, &id) == 0)
		set_calm_check(j->t, j->e, j->brand, &id, 1);
}

int incident_check(struct judgement *j, struct topic *topic, const struct surge *surge, struct err *why)
{
	struct turn *t = j->t;
	struct brand *b = j->brand;
	Ascolto__Incident *i;
	unsigned window = 1;
	enum code code = surge_code(&b->playbook->thresholds, surge, &window);
	if (id_is_zero(&topic->incident) && code == CODE_NONE)
		return 0;
	int r = of_topic(j, topic, surge, &i, why);
	bool fresh = !i;
	if (r || (fresh ? code == CODE_NONE : i->closed_ms != 0))
		return r;
	if (fresh && !(i = new_incident(j, topic)))
		return err_set(why, -ENOMEM, "out of memory");
	i->people = surge->people[1];
	i->peak_people = MAX(i->peak_people, i->people);
	i->messages = topic->messages;
	i->normal = surge->expected[1];
	i->updated_ms = MAX(i->updated_ms, j->e->occurred_ms);
	set_keywords(t, i, topic);
	set_examples(t, i, topic);
	if (code > (enum code)i->code) {
		i->because = because(t, b, surge, window);
		change_code(j, topic, i, code, fresh);
	} else {
		record_action(j, "join_incident", "ascolto", "done", &i->id, "");
	}
	record_rule(j, "people_about_one_topic", "people", arena_printf(t->arena, "%u", surge->people[window]));
	j->arm->incident_id = i->id;
	save(t, j->e, i);
	if (id_of(i->id, &topic->incident) == 0 && code == CODE_RED)
		b->red_incident = topic->incident;
	return 0;
}

/* Red becomes yellow; what was never red is over, and what was is closed by a person. True when anything changed. */
static bool step_down(struct turn *t, struct brand *b, Ascolto__Incident *i, const struct id *id, const struct surge *s)
{
	if (i->code == ASCOLTO__CODE__CODE_RED) {
		i->code = ASCOLTO__CODE__CODE_YELLOW;
		if (id_eq(&b->red_incident, id))
			memset(&b->red_incident, 0, sizeof(b->red_incident));
	} else if (!i->red_ms) {
		i->closed_ms = t->now_ms;
	} else {
		return false;
	}
	i->because = arena_printf(t->arena, "calm: %s", because(t, b, s, 1));
	turn_count(t, "incidents_calmed", 1);
	return true;
}

/* Time to look whether it has become calm: a code is left after SURGE_CALM_WINDOWS calm windows. */
int incident_calm(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	Ascolto__Incident *i;
	struct id id;
	struct brand *b = brand_find(t->state, e->brand);
	if (id_of(e->timer->subject_id, &id) || !b)
		return err_set(why, -EBADMSG, "an incident's check without an incident or a brand");
	int r = load(t, &id, &i, why);
	if (r || i->closed_ms)
		return r;
	int64_t now_ms = topics_now(b->topics, t->now_ms), was_calm_ms = i->calm_ms;
	struct topic *topic = topics_of_incident(b->topics, &id);
	struct surge s = {.expected = {0}};
	if (topic) { /* else it was given up: nobody has spoken of it for long */
		topic_pass(b->topics, topic, now_ms);
		s = topic_surge(b->topics, topic);
	}
	bool calm = surge_is_calm(&b->playbook->thresholds, &s), changed = false;
	if (!calm)
		i->calm_ms = 0;
	else if (!i->calm_ms)
		i->calm_ms = now_ms;
	else if (now_ms - i->calm_ms >= (int64_t)b->playbook->window_minutes * 60000 * SURGE_CALM_WINDOWS)
		changed = step_down(t, b, i, &id, &s);
	if (changed) {
		i->people = s.people[1];
		i->calm_ms = now_ms; /* the next step takes a time of its own */
	}
	if (changed || i->calm_ms != was_calm_ms)
		save(t, e, i);
	if (i->closed_ms && topic)
		memset(&topic->incident, 0, sizeof(topic->incident));
	if (!i->closed_ms)
		set_calm_check(t, e, b, &id, e->timer->number + 1);
	return 0;
}

/* The time of a later call of the chain has come. */
int incident_call(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	Ascolto__Incident *i;
	struct id id;
	struct brand *b = brand_find(t->state, e->brand);
	unsigned n = (unsigned)(e->timer->number % CALLS_PER_CODE);
	enum code code = (enum code)(e->timer->number / CALLS_PER_CODE % CODES_PER_WAVE);
	if (id_of(e->timer->subject_id, &id) || !b)
		return err_set(why, -EBADMSG, "a call without an incident or a brand");
	int r = load(t, &id, &i, why);
	if (r)
		return r;
	const struct playbook_incident *p = playbook_incident(b->playbook, code);
	bool over = i->closed_ms || i->acknowledged_ms || e->timer->number != call_number(i, (enum code)i->code, n);
	if (over || !p || n >= p->chain_count)
		return 0;
	tell(t, e, b, i, p->chain[n].actor, "incident_unanswered", e->timer->number);
	save(t, e, i);
	return 0;
}

int incident_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb,
	const char *actor, const char *words, struct err *why)
{
	Ascolto__Incident *i;
	struct brand *b = brand_find(t->state, cause->brand);
	int r = load(t, id, &i, why);
	if (r || i->closed_ms)
		return r;
	if (!i->acknowledged_ms) {
		i->acknowledged_ms = t->now_ms;
		i->acknowledged_by = (char *)(uintptr_t)actor;
	}
	if (str_eq(verb, "close")) {
		i->closed_ms = t->now_ms;
		i->because = (char *)(uintptr_t)words;
		if (b && id_eq(&b->red_incident, id))
			memset(&b->red_incident, 0, sizeof(b->red_incident));
	}
	save(t, cause, i);
	return 0;
}
