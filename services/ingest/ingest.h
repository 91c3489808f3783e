/*
 * ingest.h - the parts of ingest that live on the loop, and what they tell each other.
 *
 *     intake.c   the adapters: their lines become submissions, are acknowledged when these are committed
 *     hook.c     the webhook listener: requests go to the adapters, answers come back through intake
 *     handler.c  what happens to a post, inside a turn
 *
 * A line's way: adapter -> intake (one Envelope{Intake} per post, svc_submit) -> turn (handler: accept,
 * duplicate or refuse) -> commit -> intake counts the outcomes -> the request is answered and the line
 * acknowledged.
 *
 * Back-pressure: when svc_submit takes no more, the rest of the line is held, the adapter is paused, and both
 * go on when there is room. Webhooks get 503 meanwhile.
 */
#ifndef ASCOLTO_INGEST_H
#define ASCOLTO_INGEST_H

#include "common/adapter.h"
#include "common/svc.h"
#include "rules.h"

struct channel;
struct hook;

/* The state of svc's spec. */
struct ingest {
	struct svc *svc;
	struct channel *channels;
	struct hook *hook;
	struct buf scratch;
	uint64_t lines; /* ever, to name them */
	int64_t prune_at_ms;
	struct metric *refused[REFUSALS];
};

/* ---- intake.c ---- */

int intake_open(struct ingest *in, const struct conf *conf, struct err *e);
void intake_close(struct ingest *in);

/* Starts what is new, stops what is gone, restarts what changed. On error everything stays as it was. */
int intake_reload(struct ingest *in, const struct conf *fresh, struct err *e);
void intake_tick(struct ingest *in);

/* What is wrong with adapters, in words, and the gauges: somebody is looking. */
void intake_issues(struct ingest *in);

/* After a commit: the post that this Intake's cause_id names was a duplicate. */
void intake_duplicate(struct ingest *in, ProtobufCBinaryData cause_id);

/* NULL when no configured channel has the name. */
struct adapter *intake_adapter(struct ingest *in, const char *channel);

/* ---- hook.c ---- */

/* Does nothing when the settings have no services.ingest.listen. */
int hook_open(struct ingest *in, struct err *e);
void hook_close(struct hook **h);
void hook_tick(struct hook *h, int64_t now_ms);

/* The adapter's line for the request is here; it will be answered after the commit. */
void hook_taken(struct hook *h, uint64_t request);

/* The answer. A request that is gone, or was answered, is passed over. */
void hook_answer(struct hook *h, uint64_t request, unsigned status, const char *type, struct span body);

/* The adapter ended: what it had not taken gets 503. */
void hook_down(struct hook *h, const struct adapter *a);

/* ---- handler.c ---- */

handler_fn handle_intake, handle_timer;
/* ---- drill.c ---- */

http_handler_fn post_drill;

#define PURPOSE_PRUNE "prune"

#endif
