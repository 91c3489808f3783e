/*
 * change.h - from the body of a POST to a command. Not for others than change.c, change_case.c and change_crisis.c.
 *
 * A decision is one function: it fills the command from the body, or answers itself and returns false: 400 when it makes no
 * sense, 409 when it can not be done to what is shown. What is shown may be older than what is: escalation has the last word.
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
decide_fn change_case, confirm_alarms;
bool case_allows(struct answer *a, const struct decided *d, const char *verb);

#endif
