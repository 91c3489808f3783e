/*
 * answers.h - what people answer customers: written, checked, approved by others, sent.
 *
 * An answer goes to one case, as one text, or to every open case of an incident, each in its own thread and language, in
 * wordings that take turns. It is the same thing in both forms:
 *
 *   - its texts are checked as drafts (draft.h) when it is proposed; what was found stays with it, for who approves. One that
 *     blocks is kept with the reason and goes nowhere
 *   - the playbook's approvals say who must consent: the first that fits the action (reply in public, direct_message in
 *     private, holding_text for the playbook's own texts) and the case's kind, code and message; to many, the strictest on any
 *     channel. An answer to many, and in crisis mode every answer about an incident, has at least those of crisis.approvals.
 *     Nobody consents to their own words, and nobody twice. There are no users: a name, and the role it is said in, are
 *     declarations, which the audit log keeps
 *   - once it has the consent it needs it leaves as an order to the destination crisis.answers, whose `reply` says in which
 *     thread to post it. The record of the message it answers says so, and what became of it
 *   - the clock of acknowledging stops; that of solving goes on. Who answers one case owns it
 */
#ifndef ASCOLTO_ESCALATION_ANSWERS_H
#define ASCOLTO_ESCALATION_ANSWERS_H

#include "services/escalation/answers/draft.h"
#include "services/escalation/escalation.h"

#define ANSWER_WORDINGS_MAX 32
#define ANSWER_TEXTS_MAX 32
#define ANSWER_BYTES_MAX 4000
#define ANSWER_TIMER "answer" /* purpose of the timer that sends the next ones */

/* answers.c: commands. Wordings as Wordings in ascolto.proto says; to many, none at all: the playbook's holding texts. */
int answer_propose(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ProposeAnswer *p, struct err *why);
int answer_approve(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ApproveAnswer *what, struct err *why);

/* answer_send.c: the timer. */
int answer_send(struct turn *t, const Ascolto__Envelope *timer, struct err *why);

/* What the files share: the row and its view; the timer. */
int answer_load(struct turn *t, const struct id *id, Ascolto__Answer **ret, struct err *why);
void answer_save(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Answer *a);
void answer_send_next(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Answer *a);

/* answer_check.c: where an answer is to go, read from the store; all of it lives in the arena. */
struct answer_place {
	struct txn *txn;
	struct arena *arena;
	uint8_t key_group;           /* of the brand */
	struct brand *brand;
	const struct conf *conf;
	Ascolto__Incident *incident; /* of an answer to many; else NULL, and these are there: */
	Ascolto__Case *one;
	Ascolto__ArmRecord *arm;     /* of the message that is answered, the case's last */
};

/* One of the ids is given. 0; -ENOENT: there is no such case or incident. */
int answer_place_read(struct answer_place *p, const struct id *incident, const struct id *one, struct err *why);

/* Fills the answer's findings, and whose consent it needs. 0 or -ENOMEM. */
int answer_check(const struct answer_place *p, Ascolto__Answer *a);
bool answer_is_blocked(const Ascolto__Answer *a);

/* What was said last on a channel in a language; all zero: nothing. */
struct key last_text_key(uint8_t key_group, const char *brand, const char *channel, const char *language);
struct draft_said last_text(struct txn *t, struct arena *a, const struct key *k);

/* The playbook's own texts as the answer's wordings. -EINVAL: it has none. */
int answer_take_holding(
	struct arena *mem, Ascolto__Answer *a, const struct playbook_crisis *c, struct err *why);

/* The playbook's texts for a channel and language, else for every channel; NULL. */
const struct playbook_wordings *holding_for(const struct playbook_crisis *c, const char *channel, const char *language);

/* POST /-/draft?brand=B&case=ID or &incident=ID with {"actor", "text", "language"} or {"actor", "wordings"},
 * as the console takes an answer: {"blocks", "answer": what would be proposed, "suggested": ["…"]}. Nothing
 * changes. To many, without wordings, the playbook's holding texts are looked at, and are in the answer. */
void draft_post(struct http_request *r, void *ctx);

#endif
