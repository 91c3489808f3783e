/*
 * rules.h - what the console decides: pure functions on plain values, tested as tables of rows.
 *
 * Who may change something (the checks that keep another web site's page from doing it in a visitor's name),
 * what the words of a request must look like, and when a message still needs an answer.
 */
#ifndef ASCOLTO_CONSOLE_RULES_H
#define ASCOLTO_CONSOLE_RULES_H

#include "common/base.h"

#define LIST_DEFAULT 50
#define LIST_MAX 200
#define ACTOR_MAX 80 /* bytes */
#define OUTCOME_MAX 400
#define LESSONS_MAX 4000
#define WORDING_MAX 4000       /* of one wording of an answer to many */
#define WORDING_TEXTS_MAX 32   /* wordings in one language */
#define WORDINGS_MAX 32        /* languages and channels */
#define PUSH_EVERY_MS 500

/* ---- may this request be answered ---- */

/* A browser names the page that asks in Origin, for every request across sites and for every POST. NULL (no
 * browser, or a page's own GET) and the origin whose host is ours are fine; "null" and others are not. `host`
 * is the Host header. */
bool origin_is_ours(const char *origin, const char *host);

/* "application/json", with or without parameters. A form of another site can not send that without being
 * asked first. */
bool is_json_type(const char *content_type);

/* ---- words of a request ---- */

/* NULL: `fallback`. False unless it is a whole number from 1 to LIST_MAX. */
bool read_limit(const char *text, size_t fallback, size_t *ret_limit);

enum which_cases { CASES_OPEN, CASES_CLOSED, CASES_ALL };
bool read_which_cases(const char *word, enum which_cases *ret); /* NULL: open */

enum which_messages { MESSAGES_ALL, MESSAGES_NEED_ANSWER, MESSAGES_IN_INCIDENT };
bool read_which_messages(const char *word, enum which_messages *ret); /* NULL: all */

/* What is wrong with it, as the end of a sentence that begins with its name ("is missing"); NULL: nothing. */
const char *text_fault(const char *text, size_t max_bytes, bool may_be_empty);
const char *notes_fault(const char *text, size_t max_bytes); /* may be empty, and have lines */
const char *words_fault(const char *text, size_t max_bytes); /* may have lines: what customers read */

/* A correction: the task is one of those the intent service learns, the label one of the task's. Both faults
 * come with the list of what is known, as words for people; NULL: known. */
const char *correction_tasks(void);
const char *correction_labels(const char *task); /* NULL: no such task */
bool correction_is_known(const char *task, const char *label);

/* ---- what is shown ---- */

/* The longest beginning of at most `max` bytes that does not end inside a character. */
size_t text_cut(const char *text, size_t len, size_t max);

/* States as in ascolto.proto: solved and closed are done. */
bool case_is_open(int state);

/* A message needs an answer while the case it belongs to is open. One without a case needs none: that is what
 * the rules decided when they opened none. */
bool needs_answer(bool has_case, int case_state);

/* When the next push to the browsers is due: at once after a quiet time, else PUSH_EVERY_MS after the last
 * one. */
int64_t push_due_ms(int64_t last_push_ms, int64_t now_ms);

#endif
