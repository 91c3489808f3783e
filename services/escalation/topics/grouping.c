/* The topic of a message: find or found it, count the person, let it make an incident. */
#include "services/escalation/escalation.h"
#include "services/escalation/topics/mentions.h"

#define TWINS_OFTEN 16 /* members up to which every one makes it look for a twin ... */
#define TWINS_EVERY 8  /* ... and after that every so many */

static void put_topic(struct judgement *j, const struct topic *topic)
{
	State__Topic *row = arena_alloc(j->t->arena, sizeof(*row));
	struct key k = id_key(j->t, TOPICS, &topic->id);
	if (!row) {
		j->t->ws->error = -ENOMEM;
		return;
	}
	topic_pack(topic, j->t->arena, row);
	row->brand = j->brand->name;
	turn_put(j->t, &k, row);
}

static void measure_for(struct judgement *j, const struct topic *topic, bool counts)
{
	if (id_is_zero(&topic->incident))
		return;
	j->incident = topic->incident;
	j->damage.incident = &j->incident;
	j->damage.fresh_person = counts && incident_counts(j->t, &topic->incident, j->who);
}

/* The smaller of two topics that turned out to be one goes into the larger; returns the one that stays. */
static struct topic *merge_twin(struct judgement *j, struct topic *topic)
{
	struct topics *ts = j->brand->topics;
	/* A centre that has many members moves slowly. */
	bool due = topic->messages <= TWINS_OFTEN || topic->messages % TWINS_EVERY == 0;
	struct topic *twin = due ? topics_twin(ts, topic) : NULL;
	if (!twin)
		return topic;
	struct topic *into = twin->messages > topic->messages ? twin : topic, *from = into == twin ? topic : twin;
	struct id gone = from->id;
	struct damage_crowd crowd = {.last_ms = j->e->occurred_ms};
	for (size_t i = 0; i < from->crowd.cap; i++) {
		const struct person *p = &from->crowd.people[i];
		if (!p->who)
			continue;
		if (!id_is_zero(&into->incident) && incident_counts(j->t, &into->incident, p->who))
			damage_crowd_add(&crowd, p->last_ms);
		mention_put(j->t, j->brand, &into->id, p->who, p->last_ms);
	}
	struct key k = id_key(j->t, TOPICS, &gone);
	turn_del(j->t, &k);
	j->damage.newcomers = crowd.people[0];
	crowd.people[0] = 0;
	if (!id_is_zero(&into->incident) && damage_crowd_write(j->t, &into->incident, &crowd))
		j->t->ws->error = -EINVAL;
	if (!topics_merge(ts, into, &from))
		j->t->ws->error = -ENOMEM;
	return into;
}

/* There are too many topics: the stalest makes room, with its rows. */
static void forget_stalest(struct judgement *j)
{
	struct topic *topic = topics_stalest(j->brand->topics);
	if (!topic)
		return;
	struct key k = id_key(j->t, TOPICS, &topic->id);
	turn_del(j->t, &k);
	if (!id_is_zero(&topic->incident))
		incident_forget_people(j->t, &topic->incident);
	topics_drop(j->brand->topics, &topic);
}

static struct topic *found(struct judgement *j)
{
	struct id id = id_derive(&j->message, "topic", 0);
	forget_stalest(j);
	turn_count(j->t, "topics", 1);
	return topics_found(j->brand->topics, &id, j->e->occurred_ms);
}

/* The brand's rhythm, with every hour that is over. */
static void hear(struct judgement *j)
{
	struct topics *ts = j->brand->topics;
	if (topics_hear(ts, j->e->occurred_ms, j->t->now_ms))
		rhythm_put(j->t, j->brand);
}

static int count_person(struct judgement *j, struct topic *topic, struct err *why)
{
	if (!topic_count_person(j->brand->topics, topic, j->who, j->e->occurred_ms))
		return err_set(why, -ENOMEM, "out of memory");
	mention_put(j->t, j->brand, &topic->id, j->who, j->e->occurred_ms);
	return 0;
}

/* The message counts in a topic to which no words lead. */
static int join_standing(struct judgement *j, unsigned number, struct topic **ret, struct err *why)
{
	static const Ascolto__Signature no_terms = ASCOLTO__SIGNATURE__INIT;
	const Ascolto__Understanding *u = j->m->understanding;
	bool fresh;
	*ret = topics_standing(j->brand->topics, number, j->e->occurred_ms, &fresh);
	if (!*ret)
		return err_set(why, -ENOMEM, "out of memory");
	turn_count(j->t, "topics", fresh);
	topic_join(*ret, &no_terms, u->keywords, u->n_keywords, &j->message, j->e->occurred_ms);
	return count_person(j, *ret, why);
}

/*
 * Signals come before the avalanche: whoever tells of a danger counts for that danger too, whatever else they say, and three
 * people are enough (surge.h). Words that may mean something else count when the message was judged dangerous.
 */
static int watch_danger(struct judgement *j, const struct danger *d, struct err *why)
{
	struct topic *topic;
	if (join_standing(j, d->number, &topic, why))
		return -ENOMEM;
	if (id_is_zero(&topic->incident))
		topic_quote(topic, j->m->post->text);
	measure_for(j, topic, true);
	struct surge surge = topic_surge(j->brand->topics, topic);
	int r = incident_check(j, topic, &surge, why);
	put_topic(j, topic);
	return r;
}

static int watch_dangers(struct judgement *j, struct err *why)
{
	const struct facts *f = &j->facts;
	struct danger all[SIGNATURE_DANGERS];
	size_t n = signature_dangers(j->m->understanding->signature, all);
	int r = 0;
	if (f->self || f->bot || f->copy || !f->content || f->intent == INTENT_SPAM || f->intent == INTENT_JOKE)
		return 0;
	for (size_t i = 0; i < n && !r; i++)
		if (all[i].plain || j->decision.code == CODE_RED)
			r = watch_danger(j, &all[i], why);
	return r;
}

/* Half of its people are known from incidents: one crowd, put in other words. */
static bool is_known(struct judgement *j, const struct topic *topic, unsigned window)
{
	return topics_known_part(j->brand->topics, topic, window) >= 0.5;
}

/* It may become an incident, but it is left for a quarter of a window to a topic that is about to become one.
 */
static bool is_left_to_words(struct judgement *j, struct topic *trouble)
{
	struct topics *ts = j->brand->topics;
	int64_t now_ms = j->e->occurred_ms, patience_ms = topics_step_ms(ts) * normal_steps[0];
	if (!trouble->holds_ms)
		trouble->holds_ms = now_ms;
	return now_ms - trouble->holds_ms < patience_ms && topics_rising(ts, &j->brand->playbook->thresholds);
}

/*
 * A crowd may have few words in common: one is stuck at a gate, another was charged for a flight that never
 * left, a third can not log in to change it. Whoever names a trouble, whatever it is, counts for that, too.
 */
static int watch_trouble(struct judgement *j, struct err *why)
{
	struct topics *ts = j->brand->topics;
	struct topic *topic;
	unsigned window = 1;
	if (!j->facts.trouble)
		return 0;
	if (join_standing(j, TOPICS_TROUBLE, &topic, why))
		return -ENOMEM;
	struct surge surge = topic_surge(ts, topic);
	bool fresh = id_is_zero(&topic->incident);
	bool holds = topic_is_known(ts, topic) &&
		     surge_code(&j->brand->playbook->thresholds, &surge, &window) != CODE_NONE;
	if (!holds)
		topic->holds_ms = 0;
	int r = 0;
	if (!j->arm->incident_id.len &&
		(!fresh || (holds && !is_left_to_words(j, topic) && !is_known(j, topic, window)))) {
		measure_for(j, topic, true);
		r = incident_check(j, topic, &surge, why);
	}
	put_topic(j, topic);
	return r;
}

/* The topic of a message of somebody who counts. */
static int join(struct judgement *j, struct topic *topic, struct err *why)
{
	struct topics *ts = j->brand->topics;
	const Ascolto__Understanding *u = j->m->understanding;
	if (!topic && !(topic = found(j)))
		return err_set(why, -ENOMEM, "out of memory");
	topic_join(topic, u->signature, u->keywords, u->n_keywords, &j->message, j->e->occurred_ms);
	if (count_person(j, topic, why))
		return -ENOMEM;
	topic_offer_headline(topic, u->signature, j->m->post->text);
	topic = merge_twin(j, topic);
	if (!j->arm->incident_id.len)
		measure_for(j, topic, true);
	j->arm->topic_id = turn_id_bytes(j->t, &topic->id);
	struct surge surge = topic_surge(ts, topic);
	unsigned window = 1;
	bool fresh = id_is_zero(&topic->incident) &&
		     surge_code(&j->brand->playbook->thresholds, &surge, &window) != CODE_NONE;
	/* What belongs to an incident does not become another one. */
	bool known = fresh && (j->arm->incident_id.len || is_known(j, topic, window));
	int r = known ? 0 : incident_check(j, topic, &surge, why);
	put_topic(j, topic);
	return r;
}

/*
 * Only people who say something of their own count (decision.counts), but what jokers and reposters talk about is noted
 * in their record too.
 */
static int group_by_words(struct judgement *j, struct err *why)
{
	const Ascolto__Understanding *u = j->m->understanding;
	double nearness;
	int r = watch_dangers(j, why);
	struct topic *topic = topics_match(j->brand->topics, u->signature, &nearness);
	j->nearness = nearness;
	if (r || j->decision.counts)
		return r ? r : join(j, topic, why);
	if (topic)
		j->arm->topic_id = turn_id_bytes(j->t, &topic->id);
	if (topic && !id_is_zero(&topic->incident) && !j->arm->incident_id.len) {
		j->arm->incident_id = turn_id_bytes(j->t, &topic->incident);
		measure_for(j, topic, false);
	}
	return 0;
}

int group(struct judgement *j, struct err *why)
{
	const Ascolto__Signature *s = j->m->understanding->signature;
	if (j->decision.heard)
		hear(j);
	int r = s && s->n_terms ? group_by_words(j, why) : 0;
	return r || !j->decision.counts ? r : watch_trouble(j, why);
}
