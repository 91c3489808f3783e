/*
 * escalation.h - the escalation service: deciding, and seeing to it that somebody acts in time.
 *
 * Key group: the brand. For every classified message: facts -> rules (rules.h, from the playbook) -> one ARM record, perhaps
 * a case, a topic (topic.h), an incident, orders to tell somebody, history for enrichment and views for the console. README.md
 * has the service's page.
 *
 * Handlers change the topics' cache last, when nothing can fail any more; an aborted turn makes it anew from the store.
 */
#ifndef ASCOLTO_ESCALATION_H
#define ASCOLTO_ESCALATION_H

#include "common/svc.h"
#include "proto/state.pb-c.h"
#include "services/escalation/playbook.h"
#include "services/escalation/topic.h"

extern const struct svc_spec escalation_spec;

enum { ARM, CASES, OPEN_CASES, TOPICS, TOPIC_PEOPLE, INCIDENTS, TOLD, COPIES, RHYTHMS };
extern const struct table escalation_tables[];

enum { TO_NOTIFICATION, TO_ENRICHMENT, TO_CONSOLE, TO_INTENT };

/* What is remembered per brand between messages. */
struct brand {
	char name[64];
	struct playbook *playbook;
	struct topics *topics;
	struct id red_incident; /* open; zero when there is none */
};

struct escalation {
	struct brand *brands;
	size_t n_brands;
	bool stale; /* a message failed half-way: read the topics again after the commit */
};

int brands_open(struct svc *s, struct escalation **ret, struct err *e);
int brands_reload_topics(struct svc *s, struct escalation *x, struct err *e); /* from the store */
int brands_reload(struct escalation *x, const struct conf *fresh, struct err *e);
void brands_free(struct escalation **x);
int brand_new_topics(struct brand *b); /* none yet */
void rhythm_put(struct turn *t, struct brand *b);
struct brand *brand_find(struct escalation *x, const char *name);

/* One message being decided: facts, decision, and the record that grows. */
struct judgement {
	struct turn *t;
	const Ascolto__Envelope *e;
	const Ascolto__Message *m;
	struct brand *brand;
	struct facts facts;
	struct decision decision;
	const struct playbook_kind *kind; /* NULL: none matched */
	Ascolto__ArmRecord *arm;
	struct id message, customer;
	uint64_t who;                     /* the customer, for counting */
};

/* record.c */
void record_begin(struct judgement *j);
void record_rule(struct judgement *j, const char *rule, const char *fact, const char *value);
void record_action(struct judgement *j, const char *name, const char *actor, const char *result,
	const ProtobufCBinaryData *subject, const char *detail);
void record_end(struct judgement *j);

/* cases.c */
int case_for(struct judgement *j, struct err *why);
void case_view(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, uint64_t n);
int case_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb, const char *actor,
	const char *words, struct err *why);
int case_clock(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* grouping.c: the topic of the message, and the incident it makes */
int group(struct judgement *j, struct err *why);

/* incidents.c */
int incident_check(struct judgement *j, struct topic *topic, const struct surge *surge, struct err *why);
int incident_calm(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int incident_call(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int incident_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb,
	const char *actor, const char *words, struct err *why);
void incident_view(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Incident *i, uint64_t n);

/* orders.c */
unsigned order_to_actor(struct turn *t, const Ascolto__Envelope *cause, const struct playbook *p, const char *actor,
	const Ascolto__Order *what, const char *tag, uint64_t n);
int case_tell(struct judgement *j, const Ascolto__Case *c, struct err *why);
int told_summary(struct turn *t, const Ascolto__Envelope *e, struct err *why);
#define TOLD_TIMER "told:" /* purpose of the timer at the end of a gathering: this and the kind's name */
void incident_words(struct turn *t, const struct brand *b, const Ascolto__Incident *i, const char *template_name,
	Ascolto__Order *ret);

/* handler.c */
enum verdict escalation_classified(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict escalation_command(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict escalation_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict escalation_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* A view of one thing to the console. */
void send_view(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n, const Ascolto__View *v);

/* A key of that table in the brand's key group, with one id. */
struct key id_key(const struct turn *t, int table, const struct id *id);

#endif
