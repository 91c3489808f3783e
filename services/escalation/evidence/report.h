/*
 * report.h - the closing report of an incident: what happened, who decided what, what it cost, what was learnt.
 *
 * report_read gathers the facts in one moment of the store; report_write turns them into a document, in Italian or English,
 * as Markdown or HTML. An incident that is still open gives a report so far, and says so. Times are local.
 *
 *     before   the 24 hours before the incident's first message, as far as the brand was heard
 *     during   from there until it was calm (damage.h), else until it was closed, else until now
 *     after    up to 24 hours after that
 *
 * All of it is what the brand heard as a whole, per hour, so that the three can be compared; what was written about the
 * problem itself stands beside it.
 */
#ifndef ASCOLTO_ESCALATION_REPORT_H
#define ASCOLTO_ESCALATION_REPORT_H

#include "common/buf.h"
#include "services/escalation/incidents/damage.h"

#define REPORT_LOG_MAX 500     /* decisions told one by one */
#define REPORT_READ_MAX 20000  /* entries of the log that are looked at */
#define REPORT_EXAMPLES 5
#define REPORT_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct report {
	const Ascolto__Incident *incident;
	const char *brand_title;
	int64_t now_ms;
	int64_t begin_ms, end_ms, calm_ms; /* 0 = not calm yet */
	struct damage_sum before, during, after, about; /* `about`: the problem itself */
	struct damage_part *parts, *brand_parts;
	size_t n_parts, n_brand_parts;
	const State__AuditEntry *log[REPORT_LOG_MAX];
	size_t n_log;
	bool log_cut;
	unsigned answers, answers_sent; /* to cases of the incident */
	const Ascolto__ArmRecord *examples[REPORT_EXAMPLES];
	size_t n_examples;
	const char *head; /* of the audit log: "12:9f86d0..." */
};

/* Everything lives in the arena. -ENOENT: there is no such incident. */
int report_read(struct txn *t, struct arena *a, const struct conf *conf, const struct id *incident, int64_t now_ms,
	struct report *ret);

void report_write(const struct report *r, bool italian, bool html, struct buf *out);

/* GET /-/report?incident=ID&format=html|markdown&lang=it|en */
void report_get(struct http_request *r, void *ctx);

/* One entry of the collection of failures. */
struct document;
void report_lesson(struct document *d, const Ascolto__Incident *i, bool italian);

/* The lessons of all closed incidents of a brand, newest first, as Markdown: the playbook's collection of failures.
 * GET /-/lessons?brand=NAME&lang=it|en */
void lessons_get(struct http_request *r, void *ctx);

#endif
