/*
 * views.h - for tests: made-up things to show. Each function fills a view from a few words and hands it to a
 * peer that plays escalation. Ids come from names: the same name is the same thing, so saying it again
 * changes it.
 */
#ifndef ASCOLTO_TESTS_VIEWS_H
#define ASCOLTO_TESTS_VIEWS_H

#include "common/id.h"
#include "proto/ascolto.pb-c.h"
#include "tests/component/peer.h"

#define VIEW_BRAND "brezza"

struct id view_id(const char *name);
char *view_id_text(const char *name, char text[ID_TEXT + 1]);

struct made_message { /* NULL = empty, 0 = now or none */
	const char *name, *brand;
	int64_t occurred_ms;
	const char *channel, *network, *handle, *who, *text, *subject;
	Ascolto__Surface surface;
	bool vip, influencer;
	unsigned followers, messages, cases;
	const char *last_outcome;
	const char *intent, *expectation, *event, *sentiment, *lane;
	float sure;
	Ascolto__Code code;
	const char *case_name, *incident_name, *rule, *reason;
};
void view_message(struct peer *p, const struct made_message *m);

struct made_case {
	const char *name, *customer, *title, *owner, *lane, *channel, *incident_name, *outcome;
	Ascolto__Code code;
	Ascolto__CaseState state;
	int64_t opened_ms, updated_ms, acknowledge_due_ms, resolve_due_ms, acknowledged_ms, closed_ms;
	unsigned messages;
	bool late;
};
void view_case(struct peer *p, const struct made_case *c);

struct made_incident {
	const char *name, *title, *because, *acknowledged_by;
	Ascolto__Code code;
	unsigned people, peak, messages, alerts;
	double normal;
	int64_t opened_ms, red_ms, detected_ms, closed_ms, acknowledged_ms;
	const char *steps[8]; /* "actor: text", done when it begins with '+' */
	int64_t steps_from_ms;
	const char *examples[4];
	const char *keywords[6];
};
void view_incident(struct peer *p, const struct made_incident *i);

/* Begun by a red incident; with `person` a person began it, or holds it on; ended when ended_ms is not 0. */
struct made_crisis {
	int64_t since_ms, ended_ms;
	const char *because, *person;
};
void view_crisis(struct peer *p, const struct made_crisis *m);

/* An answer to one case or to an incident, with one text; a finding when `rule` is given. */
struct made_answer {
	const char *name, *case_name, *incident_name, *by, *text, *rule, *it, *approver, *approved_by;
	bool refused, sent;
	unsigned approvals_needed;
	int64_t proposed_ms;
};
void view_answer(struct peer *p, const struct made_answer *m);

void view_advocate(struct peer *p, const char *customer, const char *message, int64_t heard_ms, bool removed);

void view_held_alarms(struct peer *p, unsigned count);

/* Somebody's command came too late. */
void view_refusal(struct peer *p, const char *command, const char *actor, const char *why, int64_t at_ms);

void view_delivery(struct peer *p, const char *order, const char *incident, const char *destination,
	Ascolto__DeliveryResult result, const char *detail, int64_t at_ms);

/* An answer to many reached one of them. */
void view_answer_sent(struct peer *p, const char *order, const char *incident, const char *case_name);

#endif
