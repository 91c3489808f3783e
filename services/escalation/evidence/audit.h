/*
 * audit.h - who decided what, when, on which facts: an append-only log per brand that shows when it was touched.
 *
 * An entry is written in the transaction of the effect it records, through the same write-set: there is never one without
 * the other. audit_chain.h has how entries are chained and what can be proved by it. Every 10 s in which something was
 * written, and at start, the head (number and hash) is shown to the console, which keeps it in its own store; alarms that
 * leave carry it too. An entry names cases, incidents, messages and orders by their ids and holds no words of customers.
 *
 * Recorded are decisions that matter: cases opened, acknowledged, handed over, late, closed; incidents opened, raised,
 * acknowledged, closed; alarms ordered and what became of them; every command of a person, corrections among them; the
 * playbook, with a digest of its file, when another one is in force. What happened to each message stands in its ARM record.
 *
 * audit_of (below) finds the entries of one case or incident without reading the log.
 */
#ifndef ASCOLTO_ESCALATION_AUDIT_H
#define ASCOLTO_ESCALATION_AUDIT_H

#include "common/svc.h"
#include "proto/state.pb-c.h"

#define AUDIT_DETAIL_MAX 240   /* bytes; longer ones are cut at a character */
#define AUDIT_PAGE_MAX 1000    /* entries in one answer */
#define AUDIT_TIMER "audit"    /* purpose of the message to oneself that shows the head */

enum audit_by { BY_RULE, BY_PERSON, BY_SERVICE };

/* What is left out stays empty. */
struct audit_note {
	const char *what;
	const char *who;
	enum audit_by by;
	ProtobufCBinaryData case_id, incident_id, message_id, order_id;
	const char *detail;
};

void audit_add(struct turn *t, const Ascolto__Envelope *cause, const struct audit_note *n);

/* True when this message's write-set holds an entry already. */
bool audit_wrote(const struct turn *t);

/* The message to oneself (AUDIT_TIMER): notes the playbook in force when it is another one, and shows the head. */
int audit_show(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* "12:9f86d081884c7d65": the head as this write-set leaves it, for alarms. In the arena; "" when there is no entry. */
const char *audit_head_words(struct turn *t, const char *brand);

/* Once a second: sends AUDIT_TIMER to oneself for brands whose head is to be shown. */
void audit_tick(struct svc *s, void *state, int64_t now_ms);

/* Calls fn with each entry of a case or an incident, oldest first, at most `max`; the entry lives in the arena. 0 or a
 * negative errno. */
int audit_of(struct txn *t, struct arena *a, const char *brand, const struct id *subject, size_t max,
	void (*fn)(void *ctx, const State__AuditEntry *e), void *ctx);

/* GET /-/audit?brand=NAME&after=NUMBER&limit=N&subject=ID -> {"entries":[{"number","entry","hash"}],"more":bool}: the rows
 * as they are, entry and hash in base64, so that whoever asks can verify them; a damaged one has only its number. */
void audit_get(struct http_request *r, void *ctx);

#endif
