/*
 * notification.h - the notification service: carries out orders, one delivery each, and reports what became
 * of them. README.md is the service's page.
 *
 * The way of an order: handler.c writes it down (PLANNED) with a timer due now -> the timer's turn commits
 * ATTEMPTING and starts the call as its effect (call.c) -> the call's end comes back as an Attempt, a message
 * to oneself -> its turn writes what that means (rules.c): ended, or a timer for the next attempt. What the
 * process was doing when it died is found at the next start, ATTEMPTING without a call, and gets an Attempt
 * that says UNKNOWN.
 *
 * In memory are only the destinations: their secrets, their calls under way, and since when one fails.
 */
#ifndef ASCOLTO_NOTIFICATION_H
#define ASCOLTO_NOTIFICATION_H

#include "common/svc.h"

#include "proto/state.pb-c.h"

extern const struct svc_spec notification_spec;

#define NOTIFICATION_TO_ESCALATION 0 /* index into emits */
#define PURPOSE_ATTEMPT "attempt"
#define PURPOSE_PRUNE "prune"
#define DETAIL_MAX 240
#define DESTINATION_NAME_MAX 80

struct call;

struct destination {
	char name[DESTINATION_NAME_MAX];
	char *secret;		  /* NULL = none */
	unsigned calls;		  /* under way */
	unsigned decided;	  /* in this turn, started after its commit */
	int64_t failing_since_ms; /* 0: the last attempt went well, or there was none */
	char detail[DETAIL_MAX];  /* of the last failure */
};

/* The state of svc's spec. */
struct notification {
	struct svc *svc;
	struct destination *destinations;
	size_t n_destinations;
	struct call *waiting, **waiting_end; /* ended calls that svc had no room for */
	int64_t prune_at_ms;
	struct metric *open;
};

/* ---- destination.c ---- */

/* Reads every destination's secret and takes over what is known of those there were. On error all stays as it
 * was. */
int destinations_load(struct notification *n, const struct conf *conf, struct err *e);
void destinations_free(struct notification *n);

/* NULL: not in the settings. */
struct destination *destination_find(struct notification *n, const char *name);
const struct conf_destination *destination_conf(const struct conf *c, const char *name);

/* What became of an attempt or of the order; logs when a destination begins to fail and when it works again.
 */
struct destination_news {
	const char *destination, *template;
	Ascolto__DeliveryResult result;
	const char *detail;
	int64_t order_ms;   /* when the order arrived here */
	int64_t message_ms; /* when the message that caused it arrived; 0 = not known */
	int64_t now_ms;
	bool drill;	    /* not counted */
};
void destination_note(struct notification *n, const struct destination_news *news);

/* At the start: a delivery that waits because of a failure before. */
void destination_was_failing(struct notification *n, const char *name, int64_t since_ms, const char *detail);
void destination_issues(struct notification *n);

/* ---- call.c ---- */

/* A turn decided on an attempt: the effect's argument, in the turn's arena. */
struct call_plan {
	const Ascolto__Order *order;
	struct id id;
	uint8_t key_group;
	uint32_t number;
	ProtobufCBinaryData trace;
};
void call_start(void *state, void *plan);

/* Gives every delivery that is ATTEMPTING its Attempt UNKNOWN. Before the first turn. */
int calls_recover(struct notification *n, struct err *e);

/* Hands over the results svc had no room for. */
void calls_flush(void *notification);
void calls_free(struct notification *n);

/* ---- handler.c, list.c ---- */

handler_fn handle_order, handle_timer, handle_attempt;
http_handler_fn get_deliveries;

#endif
