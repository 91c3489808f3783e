/*
 * change.h - from the body of a POST to a command. Not for others than change.c, change_case.c,
 * change_crisis.c and draft.c.
 *
 * A decision is one function: it fills the command from the body, or answers itself and returns false: 400
 * when it makes no sense, 409 when it can not be done to what is shown. What is shown may be older than what
 * is: escalation has the last word.
 */
#ifndef ASCOLTO_CONSOLE_CHANGE_H
#define ASCOLTO_CONSOLE_CHANGE_H

#include "services/console/console.h"

union content {
	Ascolto__AcknowledgeIncident acknowledge_incident;
	Ascolto__CloseIncident close_incident;
	Ascolto__AcknowledgeCase acknowledge_case;
	Ascolto__CloseCase close_case;
	Ascolto__Correct correct;
	Ascolto__OpenCrisis open_crisis;
	Ascolto__CloseCrisis close_crisis;
	Ascolto__DoneStep done_step;
	Ascolto__MoveMessage move_message;
	Ascolto__ProposeAnswer propose_answer;
	Ascolto__ApproveAnswer approve_answer;
	Ascolto__ChangeCase change_case;
	Ascolto__ConfirmAlarms confirm_alarms;
	Ascolto__KeepAdvocate keep_advocate;
};

struct decided {
	const json_t *body;
	struct id id; /* of what it is about ... */
	void *record; /* ... and that as it is shown; NULL: the brand itself */
	Ascolto__Command command;
	union content content;
};

typedef bool decide_fn(struct answer *a, struct decided *d);

/* A string of the body, or NULL. */
const char *member(const json_t *body, const char *name);

/* change_crisis.c */
decide_fn crisis_mode, done_step, move_message, propose_answer, approve_answer, keep_advocate;

/* change_case.c. Whether that can be done to the case as it is shown: else answered with 409. */
decide_fn change_case, confirm_alarms, answer_case;
bool case_allows(struct answer *a, const struct decided *d, const char *verb);

/* Sends a decision of that brand on its way, and answers: 202 once it is committed. The command is borrowed until it returns. */
void submit_command(struct http_request *r, struct console *c, const char *brand, Ascolto__Command *command);

/* draft.c: asks escalation what there is to say to the text, or the wordings, of the body; `what` is "case" or "incident". A
 * text that may not be sent is refused with 409, the findings, and a sentence; else the command goes on its way. Without a
 * command the answer is what escalation said. Where escalation can not be asked a command goes on all the same: it is looked
 * at again there. Ends the answer. */
void ask_draft(struct answer *a, const char *what, const struct id *id, const json_t *body, Ascolto__Command *command);

#endif
