/*
 * adapter.h - the host's side of the adapter protocol (services/adapters/README.md is the protocol's
 * document).
 *
 * An adapter is a child process that speaks JSON lines on standard input and output and logs on standard
 * error. The host starts it, hands it its settings and cursor, takes its lines one by one, acknowledges each
 * after the caller says it is committed, restarts it with growing delay when it ends, and keeps its last
 * words for health. The host parses only the protocol's own words (adapter_line.h); a post's JSON is handed
 * on as the bytes that came.
 *
 * Lines are numbered across restarts: `n` here goes on where the run before ended, so an acknowledgement for
 * a run that is gone can not be mistaken for one of the present run, and is ignored.
 *
 * Limits: a line of at most ADAPTER_LINE_MAX bytes (a longer one is a protocol error: the adapter is
 * restarted and the issue says so), ADAPTER_WINDOW unacknowledged lines (more are not read),
 * ADAPTER_QUEUE_MAX bytes waiting to be read by the adapter (more webhooks are refused), a hello within 10 s,
 * restarts after 0.2 s doubling to 60 s; a run of a minute resets the delay. EOF on its standard input tells
 * an adapter to finish; it is killed 5 s later.
 *
 * All calls and callbacks are on the loop's thread. SIGPIPE is ignored from the first adapter_start on.
 */
#ifndef ASCOLTO_ADAPTER_H
#define ASCOLTO_ADAPTER_H

#include "base.h"
#include "err.h"

#include <uv.h>

#define ADAPTER_LINE_MAX ((size_t)2 * 1024 * 1024)
#define ADAPTER_WINDOW 512
#define ADAPTER_POSTS_MAX 1000	/* in one line */
#define ADAPTER_CURSOR_MAX 4096 /* with the NUL */
#define ADAPTER_QUEUE_MAX ((size_t)8 * 1024 * 1024)

struct adapter;

/* One post of a line, or bytes that could not be made one. Borrowed during the call. */
struct adapter_post {
	struct span json;    /* the post as it came; empty when refused */
	const char *refused; /* NULL, or why there is no post */
	struct span raw;     /* refused: the bytes (perhaps cut) */
	const char *place;   /* "storm.jsonl:17"; never NULL */
};

/* Everything in it is borrowed during the call. */
struct adapter_line {
	uint64_t n;	  /* 0: nothing to commit and nothing to acknowledge, only an answer to a request */
	uint64_t request; /* 0, or the webhook request it answers */
	unsigned respond_status;
	const char *respond_body; /* NULL: the host says in JSON what became of the posts */
	const char *respond_type; /* NULL = application/json */
	const char *cursor;	  /* to be committed with the posts; NULL = unchanged */
	size_t n_posts;
	const struct adapter_post *posts;
	/* What holds for all posts of the line, whatever they say of themselves; NULL = they speak for
	 * themselves. */
	const char *delivery_id, *trust, *transport;
};

struct adapter_options {
	const char *program;
	const char *channel;
	const char *const *settings; /* KEY=VALUE, n_settings of them */
	size_t n_settings;
	const char *secret, *previous_secret; /* NULL = none; go to the adapter in its hello line only */
	const char *cursor;		      /* NULL = none */
	/* A line came. The caller answers with adapter_ack(line.n) later, in order, unless n is 0. The
	 * adapter may be paused from inside, and not stopped. */
	void (*line)(struct adapter *a, const struct adapter_line *line, void *ctx);
	/* Before a restart: the cursor as committed now, copied into `cursor`. Optional. */
	void (*restart)(struct adapter *a, void *ctx, char *cursor, size_t cursor_size);
	/* A run ended; requests it had not answered will not be. Optional. */
	void (*down)(struct adapter *a, void *ctx);
	/* A line it wrote on standard error, without line end. Optional. */
	void (*says)(struct adapter *a, const char *text, void *ctx);
	void *ctx;
};

/* Copies what it needs of `o`. A program that can not be started is tried again like one that ends: the
 * health says so. -ENOMEM. */
int adapter_start(struct adapter **ret, uv_loop_t *loop, const struct adapter_options *o, struct err *e);

/* Closes its input, waits up to 5 s on the loop, kills; `a` is freed when its handles are closed. */
void adapter_stop(struct adapter **a);

/* Ends the run, for a reason of the host's own, and starts another at the committed cursor. May be called
 * from `line`. */
void adapter_restart(struct adapter *a, const char *why);

/* Lines up to and including n are committed. 0; -EPIPE when the adapter does not run: nothing is lost by
 * that. */
int adapter_ack(struct adapter *a, uint64_t n);

/* Stops and resumes reading its output: back-pressure. */
void adapter_pause(struct adapter *a, bool pause);

/* A webhook came in: the adapter answers with a line whose `request` is this number (from 1). -EPIPE when it
 * is not running, -EAGAIN when too much waits for it already, -EOPNOTSUPP when it takes no webhooks. */
struct adapter_header {
	const char *name, *value;
};
int adapter_request(struct adapter *a, uint64_t request, const char *method, const char *path,
	const char *query, const struct adapter_header *headers, size_t n_headers, struct span body);

enum adapter_state {
	ADAPTER_STARTING, /* no hello yet */
	ADAPTER_RUNNING,
	ADAPTER_WAITING,  /* it ended and will be started again */
	ADAPTER_FINISHED, /* it has read everything there is */
	ADAPTER_FAILED,	  /* it speaks no version of the protocol that this host speaks; not started again */
};

struct adapter_health {
	enum adapter_state state;
	const char *words; /* what is wrong, or ""; the adapter's last words included. Until the next call */
	int64_t last_line_ms; /* uv_now of the last line; 0 = never */
	unsigned restarts;
	uint64_t lines;
	bool webhooks; /* it says it takes webhooks */
};
void adapter_health(const struct adapter *a, struct adapter_health *ret);

#endif
