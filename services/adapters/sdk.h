/*
 * sdk.h - writing an adapter in C: the protocol of README.md, so that a program thinks of posts and not of
 * lines.
 *
 *     struct sdk *s;
 *     if (sdk_open(&s, "mynet", SDK_POLL, &e)) return sdk_fail(&e);
 *     while (fetch(&page, sdk_cursor(s)) == 0) {
 *             for each post: sdk_post(s, json, place);
 *             sdk_send(s, &(struct sdk_line){.cursor = page.next});
 *             if (sdk_wait(s, 1000, -1, NULL) == SDK_FINISH) break;
 *     }
 *     sdk_close(&s);
 *
 * One thread, blocking writes: while the host takes nothing, sdk_send waits, and that is the back-pressure.
 * Nothing that was sent is kept here: after a crash the host starts the adapter again at the last committed
 * cursor, and posts that come twice are recognised there. Acknowledgements are therefore read and forgotten.
 *
 * Whatever is written on standard error goes to the host's log, and the last line to its health.
 */
#ifndef ASCOLTO_ADAPTERS_SDK_H
#define ASCOLTO_ADAPTERS_SDK_H

#include "common/base.h"
#include "common/err.h"

#include <jansson.h>

#define SDK_POSTS_MAX 1000
#define SDK_RAW_MAX ((size_t)64 * 1024) /* of a bad line, the rest is cut */

struct sdk;

enum sdk_receive { SDK_POLL = 1, SDK_STREAM = 2, SDK_WEBHOOK = 4 };

/* Reads the host's hello and answers it. */
int sdk_open(struct sdk **ret, const char *name, unsigned receive, struct err *e);
void sdk_close(struct sdk **s); /* wipes the secrets */

/* Prints the error as the last words; returns EXIT_FAILURE. */
int sdk_fail(const struct err *e);

const char *sdk_channel(const struct sdk *s);
const char *sdk_setting(const struct sdk *s, const char *name); /* NULL = not set */
const char *sdk_cursor(const struct sdk *s); /* as the host knew it at the start; NULL = none */
const char *sdk_secret(const struct sdk *s); /* NULL = none */
const char *sdk_previous_secret(const struct sdk *s);

/* What goes with a line of posts. All may be left out. */
struct sdk_line {
	const char *cursor;
	const char *delivery, *trust, *transport; /* hold for every post of the line */
	uint64_t request;			  /* the request these posts came with ... */
	unsigned status; /* ... and its answer; the host fills in what became of the posts */
};

/* Adds a post to the line being put together: JSON without line breaks, checked by the caller. */
int sdk_post(struct sdk *s, struct span json, const char *place);
size_t sdk_pending(const struct sdk *s);
bool sdk_full(const struct sdk *s); /* send before adding more */
void sdk_forget(struct sdk *s);	    /* what was added */

/* Sends what was added, perhaps nothing. -EPIPE: the host is gone. */
int sdk_send(struct sdk *s, const struct sdk_line *line);

/* Bytes no post could be made of. Sends what was added before it, without a cursor of its own, first. `bytes`
 * is the length before cutting. */
int sdk_bad(struct sdk *s, const char *place, const char *reason, struct span raw, uint64_t bytes,
	const struct sdk_line *line);

/* What is wrong, for the operator; "" when it is over. */
int sdk_health(struct sdk *s, const char *error);

/* There is nothing more to read; exit after it. */
int sdk_end(struct sdk *s);

/* A webhook. */
struct sdk_request {
	uint64_t number;
	const char *method, *path, *query;
	struct span body;
	json_t *headers;
};

/* A header in lower case; NULL when it is absent or came more than once. */
const char *sdk_header(const struct sdk_request *r, const char *name);

/* An answer without posts. `body` is JSON; NULL: none. */
int sdk_respond(struct sdk *s, const struct sdk_request *r, unsigned status, const char *body);

enum sdk_event { SDK_TIME, SDK_READABLE, SDK_REQUEST, SDK_FINISH };

/* Waits at most timeout_ms (-1: for ever) for the host, or for `fd` (-1: none) to be readable. *ret_request
 * (may be NULL: requests are then dropped) is valid until the next call. SDK_FINISH: the host wants the
 * adapter to exit. */
enum sdk_event sdk_wait(struct sdk *s, int timeout_ms, int fd, const struct sdk_request **ret_request);

#endif
