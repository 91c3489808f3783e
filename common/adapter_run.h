/*
 * adapter_run.h - one run of an adapter's program: the process, its three pipes, its lines. Only adapter.c
 * uses it.
 *
 * A run is over when the process has ended and every whole line it wrote has been heard; then `over` is
 * called once and the run frees itself. A run left with run_leave calls nothing any more: its input is
 * closed, its output thrown away, it is killed after a while, and frees itself.
 */
#ifndef ASCOLTO_ADAPTER_RUN_H
#define ASCOLTO_ADAPTER_RUN_H

#include "base.h"
#include "err.h"

#include <uv.h>

struct run;

struct run_owner {
	void (*hear)(void *ctx, struct span line); /* without line end; may call run_kill, not run_leave */
	bool (*held_back)(void *ctx); /* asked before each line; call run_go_on when that changes */
	void (*too_long)(void *ctx);  /* a line passed ADAPTER_LINE_MAX; kill it */
	void (*says)(void *ctx, const char *text); /* a line of standard error */
	void (*over)(void *ctx, const char *how);  /* "it ended with status 3: last words" */
};

/* `owner` is borrowed for the life of the run. */
int run_start(struct run **ret, uv_loop_t *loop, const char *program, const struct run_owner *owner,
	void *ctx, struct err *e);
void run_leave(struct run **r, int64_t kill_after_ms);

/* Kills it; nothing it wrote is heard any more. */
void run_kill(struct run *r);
void run_go_on(struct run *r);

int run_write(struct run *r, struct span text); /* copied; wiped after writing. -ENOMEM, -EPIPE */
size_t run_queued(const struct run *r);		/* bytes not yet taken by the pipe */

#endif
