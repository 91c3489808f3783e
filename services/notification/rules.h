/*
 * rules.h - what becomes of a delivery: pure decisions.
 *
 * A mail's reply codes are those of RFC 5321 (4xx passes, 5xx stays), a webhook's those of RFC 9110. What may
 * pass is tried again after 1 s, 2 s, 4 s, ... up to RETRY_MAX_MS, each less up to a quarter that depends on
 * the order, so that a hundred orders for one destination do not knock at the same moment. A server that says
 * Retry-After is given that time, up to RETRY_AFTER_MAX_MS: an alarm is worth asking early. Nothing is tried
 * beyond the deadline.
 */
#ifndef ASCOLTO_NOTIFICATION_RULES_H
#define ASCOLTO_NOTIFICATION_RULES_H

#include "common/base.h"

#define RETRY_FIRST_MS INT64_C(1000)
#define RETRY_MAX_MS (INT64_C(5) * 60 * 1000)
#define RETRY_AFTER_MAX_MS (INT64_C(15) * 60 * 1000)
#define KEEP_TRYING_MS (INT64_C(24) * 3600 * 1000)
#define CALLS_MAX 4 /* at once, per destination */
#define WAIT_MS 250 /* before a delivery that found its destination busy looks again */

enum attempt_result { ATTEMPT_SENT, ATTEMPT_REJECTED, ATTEMPT_RETRY, ATTEMPT_UNKNOWN };

/* How a call ended, in fetch.h's words. */
enum call_end { CALL_ANSWERED, CALL_NOT_SENT, CALL_UNKNOWN };

struct call_facts {
	bool mail; /* else a webhook */
	enum call_end end;
	long status; /* HTTP status or SMTP reply code; 0 = none */
};

enum attempt_result attempt_result_of(const struct call_facts *f);

/* Until when an order that arrived here at `arrived_ms` is tried; not_after_ms 0 = the order does not say. */
int64_t deadline_of(int64_t arrived_ms, int64_t not_after_ms);

/* When to try again after `attempts` (from 1); retry_after_ms 0 = the server did not say. At the deadline at
 * the latest: then it is found to have expired. `seed`: any number that differs from order to order. */
int64_t retry_at(
	uint32_t attempts, int64_t now_ms, int64_t retry_after_ms, int64_t deadline_ms, uint64_t seed);

/* What to do with a delivery whose timer came. */
enum due { DUE_NOTHING, DUE_EXPIRE, DUE_WAIT, DUE_CALL };

struct due_facts {
	bool waiting; /* planned or to be tried again; no call is under way */
	int64_t next_attempt_ms, deadline_ms;
	unsigned calls; /* of the destination, under way */
	bool stopping;
};

enum due due_of(const struct due_facts *f, int64_t now_ms);

#endif
