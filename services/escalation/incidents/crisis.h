/*
 * crisis.h - crisis mode: what changes for a brand while a red incident is open, or since a person said so.
 *
 *   - service requests keep their cases, their queue and their clocks; polemic opens no case and is grouped under the
 *     incident (rules.c). A person can move a message to the other lane, and intent learns from it
 *   - whoever the playbook names is told when it begins and when it ends: programs that answer or post by themselves hear
 *     it by their webhook and stop
 *   - the checklist runs: a step that is late is said to its actor again and again, until it is done
 *   - one answer goes to everybody with an open case in the incident, and answers to one case are approved too (answers.h)
 *
 * There is one row per brand. An incident that became red holds crisis mode open until it is closed, and so does a person
 * until a person ends it; when nothing holds it any more it ends.
 */
#ifndef ASCOLTO_ESCALATION_CRISIS_H
#define ASCOLTO_ESCALATION_CRISIS_H

#include "services/escalation/escalation.h"

/* That incident became red, or was closed. Last in a turn: changes what is remembered of the brand. */
int crisis_hold(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, const struct id *incident, struct err *why);
int crisis_release(struct turn *t, const Ascolto__Envelope *cause, struct brand *b, const struct id *incident,
	struct err *why);

/* A person opens or ends it. Saying it twice changes nothing. Ending it does not end what incidents hold open. */
int crisis_command(struct turn *t, const Ascolto__Envelope *e, bool open, const char *reason, struct err *why);

/* Since when it is on, from the store; 0 = it is not. */
int64_t crisis_since(struct txn *t, const char *brand);

/* A person moves a message: to service, it gets a case; to polemic, its case is closed if it was of that message alone. */
int message_move(struct turn *t, const Ascolto__Envelope *e, const struct id *message, const char *lane, struct err *why);

/* The case is one of the incident's, from now on. */
void incident_case(struct turn *t, const Ascolto__Case *c);

#endif
