/*
 * fetch.h - calls out: libcurl's multi interface driven by the libuv loop. HTTP(S) requests and SMTP mails.
 *
 * Only http, https, smtp and smtps, redirects off. The address a connection really goes to is checked when the
 * socket is opened (so names, odd spellings and rebinding do not help): loopback, link-local, private, multicast,
 * ULA and mapped addresses are refused unless a CIDR of `allow` holds them. A response beyond `response_max` is cut
 * off and counts as a failure: FETCH_UNKNOWN with the status that came. Requests other than GET and HEAD, and mails,
 * always take a new connection, because curl by itself sends again on a kept one that turns out dead. Proxies named
 * in the environment are ignored. A URL with a user name in it is refused: give it separately. All calls run on the
 * loop's thread; `done` is called once per started call, never from inside fetch_start; it may start
 * further calls and close the fetch.
 */
#ifndef ASCOLTO_FETCH_H
#define ASCOLTO_FETCH_H

#include "base.h"
#include "err.h"

#include <uv.h>

struct fetch;
struct fetch_call;

enum fetch_result {
	FETCH_ANSWERED,   /* the peer answered: see status */
	FETCH_NOT_SENT,   /* surely nothing was done there: no connection, refused address, bad name */
	FETCH_UNKNOWN,    /* sent, at least in part, and no answer: it may have been done */
};

struct fetch_response {
	enum fetch_result result;
	long status;          /* HTTP status or SMTP reply code; 0 = none */
	struct span body;     /* borrowed until `done` returns; SMTP: the last reply line if known */
	int64_t retry_after_s; /* from Retry-After in seconds; -1 = none */
	const char *error;    /* in words; "" when none. Never holds credentials */
	double seconds;
};

typedef void fetch_done_fn(const struct fetch_response *response, void *ctx);

struct fetch_header {
	const char *name, *value;
};

struct fetch_request { /* all borrowed until fetch_start returns */
	const char *url;
	const char *method;                  /* HTTP: NULL = GET, or POST when there is a body */
	const struct fetch_header *headers;
	size_t n_headers;
	struct span body;                    /* SMTP: the whole mail, header and CRLF line ends included */
	const char *mail_from;               /* SMTP */
	const char *const *mail_to;          /* SMTP, ends with NULL */
	const char *user, *password;         /* NULL = none */
	bool require_tls;                    /* without it, and without a user, STARTTLS is used unverified */
	int64_t timeout_ms;                  /* 0 = 10 s */
	size_t response_max;                 /* 0 = 64 KiB */
};

/* `allow` lists CIDRs ("127.0.0.0/8"), ends with NULL, may be NULL; copied. -EINVAL names the bad one. */
int fetch_open(struct fetch **ret, uv_loop_t *loop, const char *const *allow, struct err *e);

/* Calls in flight end with FETCH_UNKNOWN or FETCH_NOT_SENT before this returns; the thread of a mail may go on for a
 * moment, and the loop waits for it. */
void fetch_close(struct fetch **f);

/* -EINVAL: bad URL or scheme (the text says which); -ENOMEM. */
int fetch_start(struct fetch *f, const struct fetch_request *request, fetch_done_fn *done, void *ctx,
	struct err *e);

size_t fetch_running(const struct fetch *f);

#endif
