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

#include "common/drill.h"
#include "common/svc.h"
#include "proto/state.pb-c.h"
#include "services/escalation/evidence/audit.h"
#include "services/escalation/incidents/damage.h"
#include "services/escalation/playbook/playbook.h"
#include "services/escalation/cases/sla.h"
#include "services/escalation/topics/topic.h"

extern const struct svc_spec escalation_spec;

enum { ARM, CASES, OPEN_CASES, TOPICS, INCIDENTS, TOLD, COPIES, CRISES, INCIDENT_CASES, ANSWERS, LAST_TEXTS,
	AUDIT, AUDIT_OF, AUDIT_PLAYBOOK, HELD_ALARMS, PULSE, INCIDENT_PULSE, DRILLS, ORDERED, RHYTHMS, SCORES, ADVOCATES,
	MENTIONS, INCIDENT_PEOPLE };
extern const struct table escalation_tables[];

enum { TO_NOTIFICATION, TO_ENRICHMENT, TO_CONSOLE, TO_INTENT };

/* What is remembered per brand between messages. */
struct brand {
	char name[64 + 1 + DRILL_NAME_MAX]; /* a drill has one of its own */
	struct playbook *playbook;
	struct topics *topics;
	uint32_t mentions;        /* put since the start */
	int64_t crisis_ms; /* since when crisis mode is on (crisis.h); 0 = it is not */
	char playbook_digest[17]; /* of its file, hexadecimal */
	bool audit_unseen;        /* the console does not know the head of the log, or may not */
	int64_t audit_shown_ms;
};

struct escalation {
	struct brand *brands;
	size_t n_brands;
	struct drill_brand *drills; /* those that run: drill.c */
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
	size_t actions_max;               /* room in arm->actions */
	struct id message, customer;
	uint64_t who;                     /* the customer, for counting */
	bool known_text;		  /* it was seen lately, whoever wrote it */
	double nearness;                  /* to its topic; 0 when it founds one */
	struct damage damage;             /* what this message adds to the measures */
	struct id incident;               /* the one it is counted for */
};

/* handler.c: what the rules and the playbook's conditions ask for, from j->m, j->brand, j->who and the time in j->e. */
void read_facts(struct judgement *j);

/* record.c */
void record_begin(struct judgement *j);
void record_rule(struct judgement *j, const char *rule, const char *fact, const char *value);
void record_action(struct judgement *j, const char *name, const char *actor, const char *result,
	const ProtobufCBinaryData *subject, const char *detail);
void record_end(struct judgement *j);
/* Reads the record of j->message, so that it can be gone on with: actions added, then record_put. */
int record_reopen(struct judgement *j, struct err *why);
/* The record of o->message_id, when there is one, hears what becomes of the order: its action of that name and actor. */
void record_ordered(struct turn *t, const Ascolto__Order *o, const char *action, const char *actor);
int record_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why);
void record_put(struct judgement *j); /* the record and its view, as record_end; not counted: it was there before */
#define RECORD_ACTIONS_MAX 12 /* that one decision adds */

/* cases.c: the case of a message. A saved case has its clocks brought in line with its state, and is shown; `n` tells several
 * views of one cause apart. */
int case_for(struct judgement *j, struct err *why);
int case_load(struct turn *t, const struct id *id, Ascolto__Case **ret, struct err *why);
/* What happened to it, into the measures of its brand and incident (damage.h). */
int case_measure(struct turn *t, const Ascolto__Case *c, struct damage *d, struct err *why);
int case_save(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Case *c, uint64_t n,
	struct err *why);
void case_close(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, const char *reason);
void case_reopen(struct turn *t, Ascolto__Case *c);
void case_put(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const Ascolto__Case *c,
	uint64_t n); /* as it is */
/* What enrichment is to remember of the customer whose route that is. */
void send_history(struct turn *t, const Ascolto__Envelope *cause, const char *route, Ascolto__History *h);
void case_history(struct turn *t, const Ascolto__Envelope *cause, const char *route, const Ascolto__Case *c, const char *change,
	const char *outcome);
void case_history_of(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Case *c, const char *change);
/* The message has no case any more: closes it if it was of that message alone. */
int case_leave(struct judgement *j, const struct id *case_id, struct err *why);
int case_return(struct judgement *j, const struct id *case_id, struct err *why); /* it has: opens the one case_leave closed */

/* case_change.c: what people decide */
int case_change(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__ChangeCase *what, const char *actor,
	struct err *why);

/* Whoever answers it owns it from now on. */
void case_hand_over(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Case *c, const char *to);

/* case_clock.c: new clocks stand; case_clocks_follow lets them do what the state asks and sets their timers. case_clock and
 * case_call are timers: a clock that ran out, and a later call of its policy's chain. */
int case_clocks_new(struct turn *t, Ascolto__Case *c, const struct playbook_sla *sla);
void case_clocks_follow(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, Ascolto__Case *c);
void case_clocks_rearm(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Case *c); /* they came from another case */
void case_clocks_again(Ascolto__Case *c); /* it was opened again: who answers has the whole time */
int case_clock(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int case_call(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* grouping.c: the topic of the message, and the incident it makes */
int group(struct judgement *j, struct err *why);

/* incidents.c */
int incident_check(struct judgement *j, struct topic *topic, const struct surge *surge, struct err *why);
int incident_calm(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int incident_call(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int incident_change(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, const char *verb,
	const char *actor, const char *words, struct err *why);
int incident_load(struct turn *t, const struct id *id, Ascolto__Incident **ret, struct err *why);
void incident_save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Incident *i);
/* What a person did, for the audit log. */
void incident_note(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Incident *i,
	const char *what, const char *actor, const char *detail);

/* incident_steps.c: those the playbook has for the incident's code */
void incident_set_steps(struct turn *t, const Ascolto__Envelope *cause, const struct id *id,
	Ascolto__Incident *i, const struct playbook_incident *p);
int incident_step_late(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int incident_step_done(
	struct turn *t, const Ascolto__Envelope *e, const struct id *id, unsigned number, struct err *why);

/* advocates.c: a message is heard for what its writer is to the brand; a person puts them on the list or takes them off. */
int advocate_hear(struct judgement *j, struct err *why);
int advocate_keep(struct turn *t, const Ascolto__Envelope *e, const Ascolto__KeepAdvocate *what, struct err *why);
unsigned advocates_count(struct txn *t, const char *brand);
#define ADVOCATES_MAX 1000 /* per brand */

/* orders.c */
bool brand_speaks_italian(const struct turn *t, const char *brand); /* else English: what it says to people */
unsigned order_to_actor(struct turn *t, const Ascolto__Envelope *cause, const struct playbook *p, const char *actor,
	const Ascolto__Order *what, const char *tag, uint64_t n);
void order_to_destination(struct turn *t, const Ascolto__Envelope *cause, const char *destination, Ascolto__Order *o);
const char *brand_title(const struct turn *t, const char *brand);
int case_tell(struct judgement *j, const Ascolto__Case *c, struct err *why);
int told_summary(struct turn *t, const Ascolto__Envelope *e, struct err *why);
#define TOLD_TIMER "told:" /* purpose of the timer at the end of a gathering: this and the kind's name */
void incident_words(struct turn *t, const struct brand *b, const Ascolto__Incident *i, const char *template_name,
	Ascolto__Order *ret);

/* alarms.c. alarm_is_held: true when this timer of a chain is so late that it waits with others; it is then kept. */
bool alarm_is_held(struct turn *t, const Ascolto__Envelope *e);
int alarms_gathered(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int alarms_confirm(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ConfirmAlarms *what, struct err *why);
#define ALARMS_TIMER "alarms_held"
#define ALARMS_AT_ONCE 20

/* drill.c: exercises (common/drill.h). Nothing of one that does not run is done: its messages and timers end here. */
bool drill_is_over(struct turn *t, const Ascolto__Envelope *e);
struct brand *drill_brand(struct escalation *x, const char *name); /* NULL: not of a configured brand, or out of memory */
int drill_start(struct turn *t, const Ascolto__Envelope *e, struct err *why);
int drill_stop(struct turn *t, const Ascolto__Envelope *e, const char *reason, struct err *why);
void drills_free(struct escalation *x);
int drills_each_running(struct txn *t, struct escalation *x, void (*fn)(struct txn *t, struct brand *b));
#define DRILL_TIMER "drill_over"
http_handler_fn get_drills, post_drill_start, post_drill_stop;

/* handler.c */
enum verdict escalation_classified(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict escalation_outcome(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict escalation_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* A message to oneself, to be handled at due_ms. The purpose, the subject (NULL: none) and the number tell apart what one
 * cause sets; escalation_timer knows the purposes. */
void set_timer(struct turn *t, const Ascolto__Envelope *cause, const char *purpose, const struct id *subject, uint64_t number,
	int64_t due_ms);

/* command.c: what people decide. What can not be done, as things are by then, is refused: whoever carries a
 * command out says -EINVAL, -ENOENT or -ENOSPC and why in one sentence, which goes into the audit log and, as
 * a view, to who asked. Other errors put the command in quarantine. */
enum verdict escalation_command(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* What a person says a message really is, to intent. */
void send_correction(struct turn *t, const Ascolto__Envelope *command, const Ascolto__ArmRecord *arm, const char *task,
	const char *label);

/* A view of one thing to the console; tag and n tell apart the views of one cause. */
void send_view(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n, const Ascolto__View *v);

/* A row, and a view that shows it as it is when the view is sent: `view` is the ASCOLTO__VIEW__WHAT_... it is of. */
void put_and_show(struct turn *t, const Ascolto__Envelope *cause, const struct key *k, const void *row,
	unsigned view, const char *tag, uint64_t n);

/* A key of that table in the brand's key group, with one id. */
struct key id_key(const struct turn *t, int table, const struct id *id);

#endif
