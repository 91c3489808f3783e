#include "adapter.h"
#include "adapter_line.h"
#include "adapter_run.h"

#include <signal.h>
#include <sodium.h>

#define HELLO_MS 10000
#define DELAY_MIN_MS 200
#define DELAY_MAX_MS 60000
#define STEADY_MS 60000 /* a run this long was a good one */
#define STOP_MS 5000
#define ARENA_MAX ((size_t)8 * 1024 * 1024)
#define HELLO_MAX ((size_t)256 * 1024)

struct adapter {
	uv_loop_t *loop;
	struct adapter_options o; /* strings are copies */
	char **settings;
	char cursor[ADAPTER_CURSOR_MAX];
	struct run *run;  /* NULL while waiting, finished or failed */
	uv_timer_t timer; /* until the hello; until the restart */
	uv_timer_t again; /* lines that were held back */
	unsigned closing;
	enum adapter_state state;
	uint64_t base, last,
		acked; /* host's numbers: of the line before this run's first, of the last line */
	uint64_t lines;
	unsigned restarts;
	int64_t delay_ms, started_ms, last_line_ms;
	bool paused, ended, webhooks;
	char said[ERR_TEXT_MAX];   /* by a health line */
	char failed[ERR_TEXT_MAX]; /* why this host ended the run */
	char over[ERR_TEXT_MAX];   /* how the run before ended */
	char words[ERR_TEXT_MAX * 2];
	struct arena arena;
};

static void start_run(struct adapter *a);

/* ---- what it says ---- */

static void fail(struct adapter *a, const char *fmt, ...) PRINTF(2, 3);
static void fail(struct adapter *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->failed, sizeof(a->failed), fmt, ap);
	va_end(ap);
	if (a->run)
		run_kill(a->run);
}

static void hear_hello(struct adapter *a, const struct adapter_said *said)
{
	if (said->version != 1) {
		a->state = ADAPTER_FAILED;
		fail(a, "it speaks version %" PRIu64 " of the protocol; this host speaks 1", said->version);
		return;
	}
	a->webhooks = said->webhooks;
	a->state = ADAPTER_RUNNING;
	uv_timer_stop(&a->timer);
}

static void hear_posts(struct adapter *a, struct adapter_line *line)
{
	if (line->n && line->n != a->last - a->base + 1) {
		fail(a, "line number %" PRIu64 " came after %" PRIu64, line->n, a->last - a->base);
		return;
	}
	if (line->cursor && strlen(line->cursor) >= ADAPTER_CURSOR_MAX) {
		fail(a, "a cursor of %zu bytes; at most %d are allowed", strlen(line->cursor),
			ADAPTER_CURSOR_MAX - 1);
		return;
	}
	if (line->n)
		a->last = line->n = a->base + line->n;
	a->lines++;
	a->last_line_ms = (int64_t)uv_now(a->loop);
	a->o.line(a, line, a->o.ctx);
}

static bool held_back(void *ctx)
{
	struct adapter *a = ctx;
	return a->paused || a->last - MAX(a->acked, a->base) >= ADAPTER_WINDOW;
}

static void hear(void *ctx, struct span text)
{
	struct adapter *a = ctx;
	struct adapter_said said;
	struct err e = {0};
	arena_reset(&a->arena);
	if (adapter_line_parse(text, &a->arena, &said, &e)) {
		fail(a, "it said something that is not the protocol: %s", err_text(&e));
		return;
	}
	bool greeted = a->state != ADAPTER_STARTING;
	if (greeted == (said.word == ADAPTER_HELLO)) {
		fail(a, greeted ? "it said hello twice" : "its first line was not hello");
		return;
	}
	switch (said.word) {
	case ADAPTER_HELLO:
		hear_hello(a, &said);
		break;
	case ADAPTER_HEALTH:
		snprintf(a->said, sizeof(a->said), "%s", said.health);
		break;
	case ADAPTER_END:
		a->ended = true;
		break;
	case ADAPTER_POSTS:
		hear_posts(a, &said.line);
		break;
	}
}

static void too_long(void *ctx)
{
	fail(ctx, "it said a line of more than %zu bytes", ADAPTER_LINE_MAX);
}

static void on_says(void *ctx, const char *text)
{
	struct adapter *a = ctx;
	if (a->o.says)
		a->o.says(a, text, a->o.ctx);
}

/* ---- runs ---- */

static void on_restart(uv_timer_t *timer)
{
	struct adapter *a = timer->data;
	a->restarts++;
	if (a->o.restart)
		a->o.restart(a, a->o.ctx, a->cursor, sizeof(a->cursor));
	start_run(a);
}

static void wait_for_restart(struct adapter *a)
{
	bool steady = (int64_t)uv_now(a->loop) - a->started_ms >= STEADY_MS;
	a->delay_ms = steady || !a->delay_ms ? DELAY_MIN_MS : MIN(a->delay_ms * 2, (int64_t)DELAY_MAX_MS);
	a->state = ADAPTER_WAITING;
	uv_timer_start(&a->timer, on_restart, (uint64_t)a->delay_ms, 0);
}

static void on_over(void *ctx, const char *how)
{
	struct adapter *a = ctx;
	a->run = NULL;
	a->base = a->last;
	snprintf(a->over, sizeof(a->over), "%s%s%s", a->failed, a->failed[0] ? "; " : "", how);
	uv_timer_stop(&a->timer);
	if (a->ended)
		a->state = ADAPTER_FINISHED;
	else if (a->state != ADAPTER_FAILED)
		wait_for_restart(a);
	if (a->o.down)
		a->o.down(a, a->o.ctx);
}

static void on_no_hello(uv_timer_t *timer)
{
	fail(timer->data, "it said no hello within %d s", HELLO_MS / 1000);
}

static void say_hello(struct adapter *a)
{
	struct buf b;
	buf_init(&b, HELLO_MAX);
	if (adapter_line_hello(&b, &a->o, a->cursor))
		fail(a, "its settings are too long");
	else
		run_write(a->run, buf_span(&b));
	if (b.data)
		sodium_memzero(b.data, b.cap);
	buf_free(&b);
}

static const struct run_owner owner = {
	.hear = hear,
	.held_back = held_back,
	.too_long = too_long,
	.says = on_says,
	.over = on_over,
};

static void start_run(struct adapter *a)
{
	struct err e = {0};
	a->state = ADAPTER_STARTING;
	a->started_ms = (int64_t)uv_now(a->loop);
	a->ended = a->webhooks = false;
	a->said[0] = a->failed[0] = 0;
	if (run_start(&a->run, a->loop, a->o.program, &owner, a, &e)) {
		snprintf(a->over, sizeof(a->over), "%s", err_text(&e));
		wait_for_restart(a);
		return;
	}
	say_hello(a);
	uv_timer_start(&a->timer, on_no_hello, HELLO_MS, 0);
}

/* ---- life ---- */

static void free_adapter(struct adapter *a)
{
	for (size_t i = 0; a->settings && i < a->o.n_settings; i++)
		free(a->settings[i]);
	free(a->settings);
	const char *secrets[] = {a->o.secret, a->o.previous_secret};
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (secrets[i])
			sodium_memzero((char *)(uintptr_t)secrets[i], strlen(secrets[i]));
	const char *const strings[] = {a->o.program, a->o.channel, a->o.secret, a->o.previous_secret};
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		free((char *)(uintptr_t)strings[i]);
	arena_free(&a->arena);
	free(a);
}

static int copy_options(struct adapter *a, const struct adapter_options *o)
{
	a->o = *o;
	a->o.program = strdup(o->program);
	a->o.channel = strdup(o->channel);
	a->o.secret = o->secret ? strdup(o->secret) : NULL;
	a->o.previous_secret = o->previous_secret ? strdup(o->previous_secret) : NULL;
	a->settings = calloc(o->n_settings + 1, sizeof(*a->settings));
	if (!a->o.program || !a->o.channel || !a->settings || (o->secret && !a->o.secret) ||
		(o->previous_secret && !a->o.previous_secret))
		return -ENOMEM;
	for (size_t i = 0; i < o->n_settings; i++)
		if (!(a->settings[i] = strdup(o->settings[i])))
			return -ENOMEM;
	snprintf(a->cursor, sizeof(a->cursor), "%s", o->cursor ? o->cursor : "");
	a->o.settings = (const char *const *)a->settings;
	return 0;
}

int adapter_start(struct adapter **ret, uv_loop_t *loop, const struct adapter_options *o, struct err *e)
{
	signal(SIGPIPE, SIG_IGN); /* an adapter that dies while it is written to must not end the host */
	struct adapter *a = calloc(1, sizeof(*a));
	if (!a)
		return err_set(e, -ENOMEM, "out of memory for an adapter");
	if (copy_options(a, o)) {
		free_adapter(a);
		return err_set(e, -ENOMEM, "out of memory for an adapter");
	}
	a->loop = loop;
	arena_init(&a->arena, ARENA_MAX);
	uv_timer_init(loop, &a->timer);
	uv_timer_init(loop, &a->again);
	a->timer.data = a->again.data = a;
	*ret = a;
	start_run(a);
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct adapter *a = h->data;
	if (--a->closing == 0)
		free_adapter(a);
}

void adapter_stop(struct adapter **adapter)
{
	struct adapter *a = *adapter;
	if (!a)
		return;
	*adapter = NULL;
	if (a->run)
		run_leave(&a->run, STOP_MS);
	a->closing = 2;
	uv_close((uv_handle_t *)&a->timer, on_closed);
	uv_close((uv_handle_t *)&a->again, on_closed);
}

void adapter_restart(struct adapter *a, const char *why)
{
	if (a->run)
		fail(a, "%s", why);
}

/* ---- what it hears ---- */

static void on_again(uv_timer_t *timer)
{
	struct adapter *a = timer->data;
	if (a->run)
		run_go_on(a->run);
}

int adapter_ack(struct adapter *a, uint64_t n)
{
	if (!a->run || n <= MAX(a->acked, a->base) || n > a->last)
		return a->run ? 0 : -EPIPE;
	bool was = held_back(a);
	a->acked = n;
	if (was && !held_back(a))
		uv_timer_start(&a->again, on_again, 0, 0);
	char text[48];
	int len = snprintf(text, sizeof(text), "{\"ack\":%" PRIu64 "}\n", n - a->base);
	return run_write(a->run, span_of(text, (size_t)len));
}

void adapter_pause(struct adapter *a, bool pause)
{
	if (a->paused && !pause)
		uv_timer_start(&a->again, on_again, 0, 0);
	a->paused = pause;
}

int adapter_request(struct adapter *a, uint64_t request, const char *method, const char *path,
	const char *query, const struct adapter_header *headers, size_t n_headers, struct span body)
{
	if (!a->run || a->state != ADAPTER_RUNNING)
		return -EPIPE;
	if (!a->webhooks)
		return -EOPNOTSUPP;
	if (run_queued(a->run) + body.len > ADAPTER_QUEUE_MAX)
		return -EAGAIN;
	struct buf b;
	buf_init(&b, ADAPTER_LINE_MAX);
	int r = adapter_line_request(&b, request, method, path, query, headers, n_headers, body);
	r = r ? r : run_write(a->run, buf_span(&b));
	buf_free(&b);
	return r;
}

void adapter_health(const struct adapter *adapter, struct adapter_health *ret)
{
	struct adapter *a = (struct adapter *)(uintptr_t)adapter; /* words are put together at the call */
	bool running = a->state == ADAPTER_RUNNING || a->state == ADAPTER_STARTING;
	bool recent = (int64_t)uv_now(a->loop) - a->started_ms < STEADY_MS;
	a->words[0] = 0;
	if (a->said[0] && running)
		snprintf(a->words, sizeof(a->words), "%s", a->said);
	else if (a->state == ADAPTER_WAITING)
		snprintf(a->words, sizeof(a->words), "%s; starting again in %" PRIu64 " ms", a->over,
			uv_timer_get_due_in(&a->timer));
	else if (a->state == ADAPTER_FAILED)
		snprintf(a->words, sizeof(a->words), "%s", a->failed);
	else if (running && a->restarts && recent)
		snprintf(a->words, sizeof(a->words), "started again after: %s", a->over);
	*ret = (struct adapter_health){.state = a->state,
		.words = a->words,
		.last_line_ms = a->last_line_ms,
		.restarts = a->restarts,
		.lines = a->lines,
		.webhooks = a->webhooks};
}
