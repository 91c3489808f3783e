/*
 * score.h - how customers are cared for: counted per day as things happen, in all, per channel, per owner of cases (the person
 * who answers), and per team.
 *
 * The customer's five criteria come from what is counted here:
 *
 *	silence      cases whose acknowledge clock ran out, of all cases
 *	timeliness   cases acknowledged in time, and how long it took
 *	quality      closed cases that did not have to be opened again
 *	clarity      answers not below the minimum of readability, of those that could be measured (draft.h)
 *	tone         answers to whose tone the draft check had nothing to say
 *
 * An answer counts when it is ordered, for who wrote it; one to many counts once for each case.
 *
 * Requests are messages that ask for something to be done: those that a rule gives a case. Their share of all that
 * customers write says whether a channel is used for care: below REQUESTS_FEW people do not ask there, above REQUESTS_MANY
 * it has become a complaints desk; with fewer than REQUESTS_KNOWN messages nothing is said. Days are UTC, by our clock for
 * what people do and by the time of writing for messages. Rows are kept SCORE_DAYS.
 */
#ifndef ASCOLTO_ESCALATION_SCORE_H
#define ASCOLTO_ESCALATION_SCORE_H

#include "common/svc.h"
#include "proto/state.pb-c.h"
#include "services/escalation/incidents/damage.h"

#define SCORE_DAYS 400
#define SCORE_NAMES_MAX 500    /* channels, owners and teams in one answer */
#define REQUESTS_FEW 0.10
#define REQUESTS_MANY 0.50
#define REQUESTS_KNOWN 20

/* What a message or a decision adds, to the brand's row of that day, its channel's, its owner's and its team's (each may be
 * NULL or ""). Once per handled message at most, as damage_add. 0 or a negative errno. */
int score_add(struct turn *t, const char *brand, const struct damage *d, const char *channel, const char *owner, const char *team);

/* The same for several decisions of one handled message: noted on a sheet, then written once. The names are borrowed until
 * then; what finds no row any more is not counted. */
struct score_row {
	uint8_t of;
	State__Score sum;
};
struct score_sheet {
	int64_t at_ms;
	struct score_row *rows;
	size_t n, max;
};
void score_note(struct score_sheet *s, const struct damage *d, const char *channel, const char *owner, const char *team);
int score_write(struct turn *t, const char *brand, const struct score_sheet *s);

/* "few", "right", "too many", or "" when too little is known. */
const char *score_verdict(uint64_t requests, uint64_t messages);

/* GET /-/score?brand=NAME&days=N -> {"from_ms","to_ms","rows":[{"of":"all"|"channel"|"owner"|"team","name",counts…,
 * "verdict"}]} */
void score_get(struct http_request *r, void *ctx);

#endif
