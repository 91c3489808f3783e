/* Incidents: a topic that has been given a code, and the chain of people who are called for it. */
#include "common/signature.h"
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/topics/mentions.h"

#define KEYWORDS_SHOWN 5
#define CHECKS_PER_WINDOW 4 /* how often it is looked whether an incident has become calm */

/* The number of a call: what it is for is known again when its time has come. */
#define CALLS_PER_CODE 100u
#define CODES_PER_WAVE 100u
static uint64_t call_number(const Ascolto__Incident *i, enum code code, unsigned n)
{
	return ((uint64_t)i->waves * CODES_PER_WAVE + code) * CALLS_PER_CODE + n;
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
	if (topic->standing && !topic->grave)
		return arena_strdup(t->arena, brand_speaks_italian(t, i->brand)
						      ? "Molti hanno problemi, di tipo diverso"
						      : "Many have trouble, of different kinds");
	if (topic->headline[0])
		return arena_printf(t->arena, "«%s»", topic->headline);
	for (size_t k = 0; k < i->n_keywords; k++)
		title = title ? arena_printf(t->arena, "%s, %s", title, i->keywords[k])
			      : arena_strdup(t->arena, i->keywords[k]);
	return title ? title : arena_strdup(t->arena, "?");
}

/* What people are shown of it: the first ones that are surely about it, the one that opened it if there are none. */
static void add_example(struct judgement *j, Ascolto__Incident *i)
{
	if (i->n_examples == TOPIC_EXAMPLES || (i->n_examples && j->nearness < SIGNATURE_SAME_TOPIC))
		return;
	ProtobufCBinaryData *list = arena_alloc(j->t->arena, sizeof(*list) * TOPIC_EXAMPLES);
	if (!list)
		return;
	for (size_t k = 0; k < i->n_examples; k++)
		list[k] = i->examples[k];
	list[i->n_examples++] = j->e->id;
	i->examples = list;
}

/* The calls that come later, if nobody acknowledges before. */
static void set_calls(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Incident *i, const struct id *id,
	enum code code, const struct playbook_incident *p)
{
	for (unsigned n = 0; n < p->chain_count; n++)
		if (p->chain[n].after_minutes)
			set_timer(t, cause, "incident_call", id, call_number(i, code, n),
				t->now_ms + (int64_t)p->chain[n].after_minutes * 60000);
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

static struct surge_life life_of(const Ascolto__Incident *i)
{
	return (struct surge_life){.code = (enum code)i->code,
		.was_red = i->red_ms != 0,
		.calm_ms = i->calm_ms,
		.told_ms = i->told_ms,
		.told_people = i->told_people};
}

static void keep_life(Ascolto__Incident *i, const struct surge_life *l)
{
	i->calm_ms = l->calm_ms;
	i->told_ms = l->told_ms;
	i->told_people = l->told_people;
}

/* It is opened, becomes graver, or surges anew. */
enum call { CALL_OPENED, CALL_RAISED, CALL_WAVE };

static const struct {
	const char *template_name, *counter, *action;
} calls[] = {
	[CALL_OPENED] = {"incident_opened", "incidents_opened", "open_incident"},
	[CALL_RAISED] = {"incident_raised", "incidents_raised", "raise_incident"},
	[CALL_WAVE] = {"incident_wave", "incidents_waves", "new_wave"},
};

/* The chain begins anew: who knew of yellow does not know of red, nor who knew of some of many more. */
static void call_people(
	struct turn *t, const Ascolto__Envelope *cause, struct brand *b, Ascolto__Incident *i, enum call call)
{
	enum code code = (enum code)i->code;
	const struct playbook_incident *p = playbook_incident(b->playbook, code);
	struct id id;
	if (!p || id_of(i->id, &id))
		return;
	if (call != CALL_WAVE) /* its steps stay as they are */
		incident_set_steps(t, cause, &id, i, p);
	set_calls(t, cause, i, &id, code, p);
	i->acknowledged_ms = 0;
	i->acknowledged_by = (char *)"";
	for (unsigned n = 0; n < p->chain_count; n++)
		if (!p->chain[n].after_minutes)
			tell(t, cause, b, i, p->chain[n].actor, calls[call].template_name,
				call_number(i, code, n));
}

/* Nobody is waited for any more: somebody acknowledged, or everybody has been called. Until then a new wave
 * is told by the calls to come. */
static bool chain_is_over(const struct playbook *p, const Ascolto__Incident *i, int64_t now_ms)
{
	const struct playbook_incident *x = playbook_incident(p, (enum code)i->code);
	unsigned last = 0;
	for (unsigned n = 0; x && n < x->chain_count; n++)
		last = MAX(last, x->chain[n].after_minutes);
	return i->acknowledged_ms || now_ms - i->told_ms > (int64_t)last * 60000;
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
	i->drill = j->e->drill;
	i->topic_id = turn_id_bytes(t, &topic->id);
	i->kind = j->kind ? j->kind->name : i->kind;
	i->opened_ms = j->e->occurred_ms;
	i->detected_ms = t->now_ms;
	return i;
}

int incident_load(struct turn *t, const struct id *id, Ascolto__Incident **ret, struct err *why)
{
	char text[ID_TEXT + 1];
	struct key k = id_key(t, INCIDENTS, id);
	int r = turn_get(t, &escalation_tables[INCIDENTS], &k, ret);
	return r ? err_set(why, r, "incident %s: %s", id_format(id, text),
			   r == -ENOENT ? "there is no such incident" : strerror(-r))
		 : 0;
}

void incident_save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Incident *i)
{
	struct id id;
	if (id_of(i->id, &id)) {
		t->ws->error = -EINVAL;
		return;
	}
	struct key k = id_key(t, INCIDENTS, &id);
	put_and_show(t, cause, &k, i, ASCOLTO__VIEW__WHAT_INCIDENT, "view-incident", 0);
}

/* Looks again in a while whether it has become calm. */
static void set_calm_check(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, const struct id *id,
	uint64_t number)
{
	set_timer(t, cause, "incident_calm", id, number,
		t->now_ms + (int64_t)b->playbook->window_minutes * 60000 / CHECKS_PER_WINDOW);
}

static char *because(
	struct turn *t, const struct brand *b, const struct surge *s, unsigned window, enum call call)
{
	bool it = brand_speaks_italian(t, b->name);
	return arena_printf(t->arena,
		it ? "%s%u persone diverse in %u minuti, contro %.1f in un giorno normale"
		   : "%s%u different people within %u minutes, against %.1f on an ordinary day",
		call != CALL_WAVE ? ""
		: it		  ? "nuova ondata: "
				  : "a new wave: ",
		s->people[window], b->playbook->window_minutes * normal_steps[window] / normal_steps[1],
		s->expected[window]);
}

/* What is said of the topic from now on is another matter. */
static void leave_incident(struct turn *t, struct topic *topic)
{
	incident_forget_people(t, &topic->incident);
	memset(&topic->incident, 0, sizeof(topic->incident));
}

/* The incident the topic has, if any, as far as it still is one: *ret is NULL for a fresh one. */
static int of_topic(struct judgement *j, struct topic *topic, const struct surge *surge, Ascolto__Incident **ret,
	struct err *why)
{
	*ret = NULL;
	if (id_is_zero(&topic->incident))
		return 0;
	int r = incident_load(j->t, &topic->incident, ret, why);
	/* Closed by a person: the aftermath is theirs, and what comes after the topic has been calm is another matter. */
	if (!r && (*ret)->closed_ms && surge_is_calm(&j->brand->playbook->thresholds, surge)) {
		leave_incident(j->t, topic);
		*ret = NULL;
	}
	return r;
}

/* Named when its code changes, so that people speak of the same thing. */
static void change_code(struct judgement *j, struct topic *topic, Ascolto__Incident *i, enum code code)
{
	i->title = title_of(j->t, i, topic);
	i->code = (Ascolto__Code)code;
	i->playbook = j->brand->playbook->label;
	if (code == CODE_RED && !i->red_ms)
		i->red_ms = j->e->occurred_ms;
	if (code == CODE_RED)
		turn_count(j->t, "incidents_red", 1);
}

static void announce(struct judgement *j, Ascolto__Incident *i, const struct surge *s, enum call call)
{
	struct surge_life life = life_of(i);
	struct id id;
	surge_tell(&life, s, j->t->now_ms);
	keep_life(i, &life);
	i->waves += call != CALL_OPENED;
	call_people(j->t, j->e, j->brand, i, call);
	turn_count(j->t, calls[call].counter, 1);
	record_action(j, calls[call].action, "ascolto", "done", &i->id, i->because);
	audit_add(j->t, j->e,
		&(struct audit_note){.what = calls[call].template_name,
			.who = "people_about_one_topic",
			.incident_id = i->id,
			.message_id = j->e->id,
			.detail = arena_printf(
				j->t->arena, "code %s: %s", code_word((enum code)i->code), i->because)});
	if (call == CALL_OPENED && id_of(i->id, &id) == 0)
		set_calm_check(j->t, j->e, j->brand, &id, 1);
}

/* By the clock on the wall: what comes late, all at once, calls nobody twice. */
static bool is_wave(struct judgement *j, const Ascolto__Incident *i, const struct surge *s, unsigned window,
	enum code code)
{
	const struct playbook *p = j->brand->playbook;
	struct surge_life life = life_of(i);
	return surge_is_wave(&p->thresholds, &life, s, window, code, j->t->now_ms,
		       (int64_t)p->window_minutes * 60000) &&
	       chain_is_over(p, i, j->t->now_ms);
}

/* The people who brought it about. */
static int begin_measures(struct turn *t, const struct topic *topic)
{
	struct damage_crowd crowd = {.last_ms = topic->last_ms};
	for (size_t i = 0; i < topic->crowd.cap; i++) {
		const struct person *p = &topic->crowd.people[i];
		if (p->who && damage_crowd_add(&crowd, p->last_ms))
			incident_counts(t, &topic->incident, p->who);
	}
	return damage_crowd_write(t, &topic->incident, &crowd);
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
	add_example(j, i);
	enum code was = (enum code)i->code;
	if (code > was || is_wave(j, i, surge, window, code)) {
		enum call call = fresh ? CALL_OPENED : code > was ? CALL_RAISED : CALL_WAVE;
		i->because = because(t, b, surge, window, call);
		if (code > was)
			change_code(j, topic, i, code);
		announce(j, i, surge, call);
	} else {
		record_action(j, "join_incident", "ascolto", "done", &i->id, "");
	}
	if (fresh && id_of(i->id, &topic->incident) == 0 && (r = begin_measures(t, topic)))
		return err_set(why, r, "the measures can not be read: %s", strerror(-r));
	record_rule(j, "people_about_one_topic", "people", arena_printf(t->arena, "%u", surge->people[window]));
	j->arm->incident_id = i->id;
	incident_save(t, j->e, i);
	r = id_of(i->id, &topic->incident);
	return !r && code == CODE_RED && code != was ? crisis_hold(t, j->e, b, &topic->incident, why) : r;
}

/* Red became yellow, or it is over. */
static int step_down(struct turn *t, const Ascolto__Envelope *e, struct brand *b, Ascolto__Incident *i, const struct surge *s,
	struct err *why)
{
	struct id id;
	bool was_red = i->code == ASCOLTO__CODE__CODE_RED;
	i->people = s->people[1];
	i->because = arena_printf(t->arena, brand_speaks_italian(t, b->name) ? "calma: %s" : "calm: %s",
		because(t, b, s, 1, CALL_OPENED));
	if (was_red)
		i->code = ASCOLTO__CODE__CODE_YELLOW;
	else
		i->closed_ms = t->now_ms;
	turn_count(t, "incidents_calmed", 1);
	audit_add(t, e, &(struct audit_note){.what = was_red ? "incident_calmed" : "incident_closed", .who = "ascolto",
		.incident_id = i->id, .detail = i->because});
	return was_red && id_of(i->id, &id) == 0 ? crisis_release(t, e, b, &id, why) : 0;
}

/* Time to look whether it has become calm: a code is left after SURGE_CALM_WINDOWS calm windows. */
int incident_calm(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	Ascolto__Incident *i;
	struct id id;
	struct brand *b = brand_find(t->state, e->brand);
	if (id_of(e->timer->subject_id, &id) || !b)
		return err_set(why, -EBADMSG, "an incident's check without an incident or a brand");
	int r = incident_load(t, &id, &i, why);
	if (r || i->closed_ms)
		return r;
	int64_t now_ms = topics_now(b->topics, t->now_ms);
	struct topic *topic = topics_of_incident(b->topics, &id);
	struct surge s = {.expected = {0}};
	if (topic) { /* else it was given up: nobody has spoken of it for long */
		topic_pass(b->topics, topic, now_ms);
		s = topic_surge(b->topics, topic);
	}
	struct surge_life life = life_of(i), was = life;
	surge_step_down(&life, surge_is_calm(&b->playbook->thresholds, &s), now_ms,
		(int64_t)b->playbook->window_minutes * 60000);
	keep_life(i, &life);
	if (life.code != (enum code)i->code && (r = step_down(t, e, b, i, &s, why)))
		return r;
	if (life.calm_ms != was.calm_ms || life.told_people != was.told_people)
		incident_save(t, e, i);
	if (i->closed_ms && topic)
		leave_incident(t, topic);
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
	int r = incident_load(t, &id, &i, why);
	if (r)
		return r;
	const struct playbook_incident *p = playbook_incident(b->playbook, code);
	bool over = i->closed_ms || i->acknowledged_ms || e->timer->number != call_number(i, (enum code)i->code, n);
	if (over || !p || n >= p->chain_count)
		return 0;
	tell(t, e, b, i, p->chain[n].actor, "incident_unanswered", e->timer->number);
	incident_save(t, e, i);
	return 0;
}

void incident_note(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Incident *i,
	const char *what, const char *actor, const char *detail)
{
	audit_add(t, cause, &(struct audit_note){.what = what, .who = actor, .by = BY_PERSON, .incident_id = i->id,
		.detail = detail});
}

int incident_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb,
	const char *actor, const char *words, struct err *why)
{
	Ascolto__Incident *i;
	struct brand *b = brand_find(t->state, cause->brand);
	int r = incident_load(t, id, &i, why);
	if (r)
		return r;
	if (i->closed_ms)
		return err_set(why, -EINVAL, "the incident is closed: there is nothing to %s any more", verb);
	if (!i->acknowledged_ms) {
		i->acknowledged_ms = t->now_ms;
		i->acknowledged_by = (char *)(uintptr_t)actor;
		incident_note(t, cause, i, "incident_acknowledged", actor, "");
	}
	if (str_eq(verb, "close")) {
		i->closed_ms = t->now_ms;
		i->because = (char *)(uintptr_t)words;
		i->closed_by = (char *)(uintptr_t)actor;
		i->lessons = cause->command->close_incident->lessons;
		incident_note(t, cause, i, "incident_closed", actor, words);
	}
	incident_save(t, cause, i);
	return b && i->closed_ms ? crisis_release(t, cause, b, id, why) : 0;
}
