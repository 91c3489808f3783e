/* The topic of a message: find or found it, count the person, let it make an incident. */
#include "services/escalation/escalation.h"

static struct key person_key(const struct turn *t, const struct id *topic, uint64_t who)
{
	struct key k = id_key(t, TOPIC_PEOPLE, topic);
	key_u64(&k, who);
	return k;
}

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

static void put_person(struct judgement *j, const struct id *topic, uint64_t who, int64_t last_ms)
{
	State__PersonInTopic p = STATE__PERSON_IN_TOPIC__INIT;
	struct key k = person_key(j->t, topic, who);
	p.last_ms = last_ms;
	turn_put(j->t, &k, &p);
}

/* The smaller of two topics that turned out to be one goes into the larger; returns the one that stays. */
static struct topic *merge_twin(struct judgement *j, struct topic *topic)
{
	struct topics *ts = j->brand->topics;
	struct topic *twin = topics_twin(ts, topic);
	if (!twin)
		return topic;
	struct topic *into = twin->messages > topic->messages ? twin : topic, *from = into == twin ? topic : twin;
	struct id gone = from->id;
	for (size_t i = 0; i < from->people_cap; i++) {
		if (!from->people[i].who)
			continue;
		struct key k = person_key(j->t, &gone, from->people[i].who);
		turn_del(j->t, &k);
		put_person(j, &into->id, from->people[i].who, from->people[i].last_ms);
	}
	struct key k = id_key(j->t, TOPICS, &gone);
	turn_del(j->t, &k);
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
	for (size_t i = 0; i < topic->people_cap; i++) {
		struct key k = person_key(j->t, &topic->id, topic->people[i].who);
		if (topic->people[i].who)
			turn_del(j->t, &k);
	}
	struct key k = id_key(j->t, TOPICS, &topic->id);
	turn_del(j->t, &k);
	topics_drop(j->brand->topics, &topic);
}

static struct topic *found(struct judgement *j)
{
	struct id id = id_derive(&j->message, "topic", 0);
	forget_stalest(j);
	turn_count(j->t, "topics", 1);
	return topics_found(j->brand->topics, &id, j->e->occurred_ms);
}

/*
 * Only people who say something of their own count (decision.counts), but what jokers and reposters talk about is noted
 * in their record too.
 */
int group(struct judgement *j, struct err *why)
{
	struct topics *ts = j->brand->topics;
	const Ascolto__Understanding *u = j->m->understanding;
	double nearness;
	if (!u->signature || !u->signature->n_terms)
		return 0;
	struct topic *topic = topics_match(ts, u->signature, &nearness);
	if (!j->decision.counts) {
		if (topic)
			j->arm->topic_id = turn_id_bytes(j->t, &topic->id);
		if (topic && !id_is_zero(&topic->incident))
			j->arm->incident_id = turn_id_bytes(j->t, &topic->incident);
		return 0;
	}
	if (!topic && !(topic = found(j)))
		return err_set(why, -ENOMEM, "out of memory");
	topic_join(topic, u->signature, u->keywords, u->n_keywords, &j->message, j->e->occurred_ms);
	if (!topic_count_person(ts, topic, j->who, j->e->occurred_ms))
		return err_set(why, -ENOMEM, "out of memory");
	topic_offer_headline(topic, u->signature, j->m->post->text);
	topic = merge_twin(j, topic);
	put_person(j, &topic->id, j->who, j->e->occurred_ms);
	topic_learn_normal(ts, topic);
	j->arm->topic_id = turn_id_bytes(j->t, &topic->id);
	int r = incident_check(j, topic, topic_people(ts, topic), why);
	put_topic(j, topic);
	return r;
}
