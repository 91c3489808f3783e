#include "case_state.h"

static const char *const state_words[CASE_STATES] = {
	"new", "acknowledged", "in_progress", "waiting", "offline", "solved", "closed", "reopened"};

static const char *const verb_words[VERBS] = {
	"acknowledge", "start", "wait", "offline", "solve", "close", "reopen", "heard"};

int case_verb_of(const char *word)
{
	for (int i = 0; i < VERB_HEARD; i++)
		if (str_eq(verb_words[i], word))
			return i;
	return -1;
}

const char *case_verb_word(enum case_verb v)
{
	return v < VERBS ? verb_words[v] : "";
}

const char *case_state_word(enum case_state s)
{
	return s < CASE_STATES ? state_words[s] : "";
}

#define NO -1
#define NEW CASE_NEW
#define ACK CASE_ACKNOWLEDGED
#define PROG CASE_IN_PROGRESS
#define WAIT CASE_WAITING
#define OFF CASE_OFFLINE
#define SOLV CASE_SOLVED
#define CLOS CASE_CLOSED
#define REOP CASE_REOPENED

/* What a verb makes of each state. */
static const int8_t steps[VERBS][CASE_STATES] = {
	/*                   new   ack   prog  wait  off   solv  clos  reop */
	[VERB_ACKNOWLEDGE] = {ACK, ACK, PROG, WAIT, OFF, SOLV, CLOS, ACK},
	[VERB_START] = {PROG, PROG, PROG, PROG, PROG, NO, NO, PROG},
	[VERB_WAIT] = {WAIT, WAIT, WAIT, WAIT, WAIT, NO, NO, WAIT},
	[VERB_OFFLINE] = {OFF, OFF, OFF, OFF, OFF, NO, NO, OFF},
	[VERB_SOLVE] = {SOLV, SOLV, SOLV, SOLV, SOLV, SOLV, NO, SOLV},
	[VERB_CLOSE] = {CLOS, CLOS, CLOS, CLOS, CLOS, CLOS, CLOS, CLOS},
	[VERB_REOPEN] = {NO, NO, NO, NO, NO, REOP, REOP, REOP},
	[VERB_HEARD] = {NEW, ACK, PROG, PROG, OFF, REOP, REOP, REOP},
};

int case_step(enum case_state s, enum case_verb v)
{
	return s < CASE_STATES && v < VERBS ? steps[v][s] : NO;
}

bool case_is_settled(enum case_state s)
{
	return s == CASE_SOLVED || s == CASE_CLOSED;
}
