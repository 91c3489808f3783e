/*
 * case_state.h - the states a case goes through, and what can be done in each. Pure.
 *
 *     new ──► acknowledged ──► in progress ◄──► waiting (for the customer)
 *                                   │   ◄──► offline (moved to private: mail, phone)
 *                                   ▼
 *                                 solved ──► closed ──► reopened ──► acknowledged ...
 *
 * Escalation keeps the state; whoever offers a change to people asks here first whether it can be done.
 */
#ifndef ASCOLTO_CASE_STATE_H
#define ASCOLTO_CASE_STATE_H

#include "base.h"

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
	VERB_START,   /* working on it; also: no longer waiting, back from private */
	VERB_WAIT,    /* for the customer */
	VERB_OFFLINE, /* goes on in private */
	VERB_SOLVE,
	VERB_CLOSE,
	VERB_REOPEN,
	VERB_HEARD, /* the customer wrote something that wants an answer */
	VERBS,
};

/* "acknowledge", ...; -1 for others. "heard" is nobody's command. */
int case_verb_of(const char *word);
const char *case_verb_word(enum case_verb v);
const char *case_state_word(enum case_state s);

/* The state after it; the same when it was said twice; -1 when it can not be done in this state. */
int case_step(enum case_state s, enum case_verb v);

bool case_is_settled(enum case_state s); /* solved or closed: nothing is to be done any more */

#endif
