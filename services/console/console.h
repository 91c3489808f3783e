/*
 * console.h - what the console's files share. Not for others.
 *
 * spec.c      life: the public listener, metrics
 * handler.c   views into the tables, commands out
 * state.c     tables, keys, lists
 * rules.c     what is allowed and what is shown
 * answer.c    what every answer has in common  rows.c    JSON of lists
 * api.c       GET: lists and records
 * change.c    POST: what people decide; change_crisis.c in a crisis, change_case.c about a case
 * draft.c     escalation looks at what people write
 *                   health.c  how the six services are
 * report.c    reports, which escalation writes
 * events.c    server-sent events              pages.c   the page, embedded
 */
#ifndef ASCOLTO_CONSOLE_CONSOLE_H
#define ASCOLTO_CONSOLE_CONSOLE_H

#include "common/svc.h"
#include "services/console/state.h"

#include <jansson.h>

#define SERVICES 6
#define HEALTH_WAITING_MAX 64
#define CHANGES_MAX                                                                                          \
	48 /* of one kind that a push names; the page reads the lists again when there were more */
#define EVENT_CLIENTS_MAX 128
#define ROWS_TEXT_MAX ((size_t)2000) /* of a message in a list */

enum change_kind {
	CHANGED_MESSAGE,
	CHANGED_CASE,
	CHANGED_INCIDENT,
	CHANGED_DELIVERY,
	CHANGED_ANSWER,
	CHANGED_CRISIS,
	CHANGED_REFUSAL,
	CHANGED_ADVOCATE,
	CHANGE_KINDS
};

struct change {
	const struct conf_brand *brand; /* configurations are kept until the end */
	struct id id;			/* a delivery, an answer: the incident or case it is about ... */
	struct id order;		/* ... and its order, or the answer itself */
};

/* What changed, the newest CHANGES_MAX of each kind. */
struct changes {
	struct change change[CHANGE_KINDS][CHANGES_MAX];
	size_t count[CHANGE_KINDS]; /* all; the n-th is at n % CHANGES_MAX */
};

struct event_client {
	struct event_client *next, **at;
	struct console *console;
	struct http_stream *stream;
	const struct conf_brand *brand;
};

struct events {
	struct event_client *clients;
	size_t n_clients;
	struct changes turn; /* of this turn, not yet committed */
	struct changes due;  /* committed, not yet pushed */
	uv_timer_t timer;
	int64_t last_push_ms, last_word_ms;
	bool open;
	struct metric *gauge, *pushed;
};

struct health {
	struct http_request *waiting[HEALTH_WAITING_MAX];
	size_t n_waiting;
	size_t unanswered; /* services that have not answered this round */
	struct health_answer {
		struct console *console;
		const char *service;
		char address[64];
		json_t *issues;
		bool ready;
	} answer[SERVICES];
};

/* There is one console in a process. It is static, because handlers still run after the spec's stop. */
struct console {
	struct svc *svc;
	struct http *http;
	struct fetch *fetch; /* loopback only: asks the other services how they are */
	struct events events;
	struct health health;
};

/* handler.c */
enum verdict handle_view(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict handle_command(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* events.c */
void events_open(struct console *c);
void events_close(struct console *c);
void events_changed(
	struct console *c, enum change_kind kind, const struct change *change); /* from a handler */
void events_committed(struct console *c);
void events_aborted(struct console *c);
void events_reload(struct console *c);
void events_tick(struct console *c);
void get_events(struct http_request *r, void *ctx);

/* answer.c: one answer is a read transaction, its arena and the text that grows. */
struct answer {
	struct console *console;
	struct http_request *request;
	const struct conf_brand *brand;
	const char *brand_name; /* the brand's, or a drill's of it (common/drill.h) */
	uint8_t group;
	struct txn *txn;
	struct arena arena;
	struct buf out;
	size_t rows;
};

/* Headers every reply of the public listener carries; answers 403 and returns false for another site's page.
 */
bool request_is_ours(struct http_request *r);
bool request_is_ours_under(struct http_request *r, const char *content_security_policy);
/* The brand the request names (?brand=), else the first one; answers 404 and returns NULL when it is not
 * known. */
const struct conf_brand *request_brand(struct http_request *r, const struct console *c);
/* The first part of http_path_rest as an id, and what follows it ("/close", or ""). -EINVAL. */
int path_id(const char *rest, struct id *ret_id, const char **ret_verb);

/* False: answered already. Otherwise exactly one of the three ends follows. */
bool answer_begin(struct answer *a, struct http_request *r, struct console *c);
void answer_end(struct answer *a); /* replies with `out` */
void answer_fail(struct answer *a, unsigned status, const char *fmt, ...) PRINTF(3, 4);
void answer_leave(struct answer *a); /* somebody else replies, now or later */
/* Reads a record that must be there, of any configured brand unless the request names one; a->brand is its
 * brand then. False: answered with 404 or 500 and ended. */
bool answer_find(
	struct answer *a, const char *what, enum console_table table, const struct id *id, void *ret_record);
/* 0; -ENOENT and -EBADMSG as svc_read. */
int answer_read(struct answer *a, enum console_table table, const struct id *id, void *ret_record);

/* api.c */
void get_brands(struct http_request *r, void *ctx);
void get_messages(struct http_request *r, void *ctx);
void get_message(struct http_request *r, void *ctx);
void get_cases(struct http_request *r, void *ctx);
void get_case(struct http_request *r, void *ctx);
void get_incidents(struct http_request *r, void *ctx);
void get_incident(struct http_request *r, void *ctx);
void get_counts(struct http_request *r, void *ctx);
void get_advocates(struct http_request *r, void *ctx);
void get_audit_heads(struct http_request *r, void *ctx);
void get_refusals(struct http_request *r, void *ctx);

/* rows.c: JSON into a->out. a->rows counts the values of the list being written; set it to 0 before the
 * first. */
void rows_add(struct answer *a); /* the comma before a value, when it is not the first */
void add_message_row(struct answer *a, const Ascolto__ArmRecord *arm);
void add_deliveries(struct answer *a, const struct id *subject); /* the values of a list */
void add_answers(struct answer *a, const struct id *subject);	 /* the values of a list */
void add_counts(struct answer *a);				 /* an object */
bool row_needs_answer(struct answer *a, const Ascolto__ArmRecord *arm);

/* change.c */
void post_incident(struct http_request *r, void *ctx);
void post_case(struct http_request *r, void *ctx);
void post_message(struct http_request *r, void *ctx);
void post_crisis(struct http_request *r, void *ctx);
void post_alarms(struct http_request *r, void *ctx);

/* report.c */
void get_report(struct http_request *r, struct console *c, const struct id *incident);
void get_lessons(struct http_request *r, void *ctx);

/* health.c */
void get_health(struct http_request *r, void *ctx);

/* pages.c, and page_files.c made by embed.cmake */
struct page_file {
	const char *name; /* "index.html" */
	const char *type;
	const unsigned char *data;
	size_t len;
};
extern const struct page_file page_files[]; /* ends with a zero row */
void get_page(struct http_request *r, void *ctx);

#endif
