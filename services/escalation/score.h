/*
 * score.h - how customers are cared for: counted per day as things happen, in all, per channel, and per owner of cases.
 *
 * Of the customer's five criteria three come from what is counted here: silence (cases whose acknowledge clock ran out),
 * timeliness (acknowledged in time, and how long it took), quality (closed cases that did not have to be opened again).
 * Clarity and tone are properties of answers' texts and are not counted here.
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
#include "services/escalation/damage.h"

#define SCORE_DAYS 400
#define SCORE_NAMES_MAX 500    /* channels and owners in one answer */
#define REQUESTS_FEW 0.10
#define REQUESTS_MANY 0.50
#define REQUESTS_KNOWN 20

/* What a message or a decision adds, to the brand's row of that day, its channel's and its owner's (either may be NULL).
 * Once per handled message at most, as damage_add. 0 or a negative errno. */
int score_add(struct turn *t, const char *brand, const struct damage *d, const char *channel, const char *owner);

/* "few", "right", "too many", or "" when too little is known. */
const char *score_verdict(uint64_t requests, uint64_t messages);

/* GET /-/score?brand=NAME&days=N -> {"from_ms","to_ms","rows":[{"of":"all"|"channel"|"owner","name",counts…,"verdict"}]} */
void score_get(struct http_request *r, void *ctx);

#endif
