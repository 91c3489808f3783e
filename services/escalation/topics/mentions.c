#include "services/escalation/topics/mentions.h"

#include "services/escalation/escalation.h"

#define FORGET_EVERY 256 /* mentions */
#define FORGET_AT_ONCE 512
#define FORGET_PEOPLE 100000 /* of an incident, at its end */

static struct key series_of(const struct brand *b)
{
	struct key k = turn_key_in(key_group_of(span_str(b->name)), &escalation_tables[MENTIONS]);
	key_name(&k, b->name);
	return k;
}

void mention_put(struct turn *t, struct brand *b, const struct id *topic, uint64_t who, int64_t at_ms)
{
	static const State__Mention nothing = STATE__MENTION__INIT;
	struct key series = series_of(b), k = series;
	key_ms(&k, at_ms);
	key_u64(&k, who);
	key_id(&k, topic);
	turn_put(t, &k, &nothing);
	if (++b->mentions % FORGET_EVERY)
		return;
	k = series;
	key_ms(&k, topics_crowds_begin_ms(b->topics));
	turn_forget(t, &series, &k, FORGET_AT_ONCE);
}

void mentions_restore(struct txn *t, struct brand *b)
{
	struct key series = series_of(b), from = series;
	struct cursor *c;
	struct span key, value;
	int r;
	key_ms(&from, topics_crowds_begin_ms(b->topics));
	if (cursor_open(t, &series, &from, &c))
		return;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) { /* there is nothing in it to be damaged */
		struct span rest = span_of(key.data + series.len, key.len - series.len);
		uint64_t ms, who;
		struct id id;
		if (key_take_u64(&rest, &ms) || key_take_u64(&rest, &who) || key_take_id(&rest, &id))
			continue;
		struct topic *topic = topics_find(b->topics, &id);
		if (topic)
			topic_restore_person(b->topics, topic, who, (int64_t)ms);
	}
	cursor_close(&c);
}

bool incident_counts(struct turn *t, const struct id *incident, uint64_t who)
{
	static const State__Mention nothing = STATE__MENTION__INIT;
	struct key k = id_key(t, INCIDENT_PEOPLE, incident);
	struct span had;
	key_u64(&k, who);
	if (txn_get(t->txn, &k, &had) != -ENOENT)
		return false;
	turn_put(t, &k, &nothing);
	return true;
}

void incident_forget_people(struct turn *t, const struct id *incident)
{
	struct key k = id_key(t, INCIDENT_PEOPLE, incident);
	turn_forget(t, &k, NULL, FORGET_PEOPLE);
}
