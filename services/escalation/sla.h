/*
 * sla.h - the two clocks of a case, and the states it goes through. Pure.
 *
 * A clock counts opening time of a calendar (common/calendar.h): it is allowed so much, has spent so much up to an instant,
 * and runs since then or stands still. Whatever happens to it, spent time is never lost nor counted twice, and it does not
 * know which hour it is: that is a parameter.
 *
 *     new ──► acknowledged ──► in progress ◄──► waiting (for the customer)
 *                                   │   ◄──► offline (moved to private: mail, phone)
 *                                   ▼
 *                                 solved ──► closed ──► reopened ──► acknowledged ...
 *
 * The clocks follow the state: `acknowledge` runs while a case is new or reopened, `resolve` until it is solved or closed,
 * standing still while the customer is waited for if the policy says so. Being acknowledged stops the first, never the second;
 * a case that is opened again has its first clock from the beginning, and goes on with the second where it stood.
 */
#ifndef ASCOLTO_ESCALATION_SLA_H
#define ASCOLTO_ESCALATION_SLA_H

#include "common/calendar.h"

struct sla_clock {
	int64_t allowed_ms;
	int64_t spent_ms;
	int64_t since_ms; /* 0 = stands still */
};

#define SLA_NEVER INT64_MAX

/* Both do nothing to a clock that runs, or stands, already. */
void sla_run(struct sla_clock *c, int64_t now_ms);
void sla_stand(struct sla_clock *c, const struct calendar *hours, int64_t now_ms);

int64_t sla_spent(const struct sla_clock *c, const struct calendar *hours, int64_t now_ms);
/* When it runs out, in the past perhaps; SLA_NEVER while it stands. */
int64_t sla_due(const struct sla_clock *c, const struct calendar *hours);

/* Numbered as CaseState in ascolto.proto. */
enum case_state {
	CASE_NEW,
	CASE_ACKNOWLEDGED,
	CASE_IN_PROGRESS,
	CASE_WAITING,
	CASE_OFFLINE,
	CASE_SOLVED,
	CASE_CLOSED,
	CASE_REOPENED,
	CASE_STATES,
};

enum case_verb {
	VERB_ACKNOWLEDGE,
	VERB_START,        /* working on it; also: no longer waiting, back from private */
	VERB_WAIT,         /* for the customer */
	VERB_OFFLINE,      /* goes on in private */
	VERB_SOLVE,
	VERB_CLOSE,
	VERB_REOPEN,
	VERB_HEARD,        /* the customer wrote something that wants an answer */
	VERBS,
};

/* "acknowledge", ...; -1 for others. "heard" is nobody's command. */
int case_verb_of(const char *word);
const char *case_verb_word(enum case_verb v);
const char *case_state_word(enum case_state s);

/* The state after it; the same when it was said twice; -1 when it can not be done in this state. */
int case_step(enum case_state s, enum case_verb v);

bool case_is_settled(enum case_state s); /* solved or closed: nothing is to be done any more */

/* What the clocks do in a state. */
bool sla_acknowledge_runs(enum case_state s);
bool sla_resolve_runs(enum case_state s, bool pause_while_waiting);

#endif
