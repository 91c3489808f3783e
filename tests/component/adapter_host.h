/*
 * adapter_host.h - for tests: a loop with one adapter, and everything it said, kept.
 */
#ifndef ASCOLTO_TESTS_ADAPTER_HOST_H
#define ASCOLTO_TESTS_ADAPTER_HOST_H

#include "common/adapter.h"
#include "tests/component/files.h"

#define HEARD_MAX 4096

struct heard {
	uint64_t n, request;
	unsigned status;
	size_t posts;
	char *cursor, *json, *place, *refused, *body, *trust, *delivery; /* of the line's first post */
	size_t raw_len;
};

struct host {
	uv_loop_t loop;
	uv_timer_t timer;
	bool late;
	int64_t until_ms;
	struct adapter *a;
	struct heard heard[HEARD_MAX];
	size_t n, posts, downs, says;
	bool ack; /* acknowledge at once */
	bool pause_on_line;
	bool drop_posts; /* count only */
	char restart_cursor[64], said[512];
};

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static void host_line(struct adapter *a, const struct adapter_line *l, void *ctx)
{
	struct host *h = ctx;
	h->posts += l->n_posts;
	if (h->n < HEARD_MAX && !h->drop_posts) {
		struct heard *x = &h->heard[h->n];
		*x = (struct heard){.n = l->n,
			.request = l->request,
			.status = l->respond_status,
			.posts = l->n_posts,
			.cursor = copy(l->cursor),
			.body = copy(l->respond_body),
			.trust = copy(l->trust),
			.delivery = copy(l->delivery_id)};
		if (l->n_posts) {
			x->json = l->posts[0].json.len
					  ? strndup((const char *)l->posts[0].json.data, l->posts[0].json.len)
					  : NULL;
			x->place = copy(l->posts[0].place);
			x->refused = copy(l->posts[0].refused);
			x->raw_len = l->posts[0].raw.len;
		}
	}
	h->n++;
	if (h->pause_on_line)
		adapter_pause(a, true);
	if (h->ack && l->n)
		adapter_ack(a, l->n);
}

static void host_restart(struct adapter *a, void *ctx, char *cursor, size_t size)
{
	(void)a;
	snprintf(cursor, size, "%s", ((struct host *)ctx)->restart_cursor);
}

static void host_down(struct adapter *a, void *ctx)
{
	(void)a;
	((struct host *)ctx)->downs++;
}

static void host_says(struct adapter *a, const char *text, void *ctx)
{
	struct host *h = ctx;
	(void)a;
	h->says++;
	snprintf(h->said, sizeof(h->said), "%s", text);
}

static void host_late(uv_timer_t *t)
{
	struct host *h = t->data;
	h->late = (int64_t)uv_now(&h->loop) >= h->until_ms;
}

/* Wakes the loop often, so that conditions are looked at. */
static void host_timer(struct host *h, int64_t ms)
{
	uv_update_time(&h->loop);
	h->late = false;
	h->until_ms = (int64_t)uv_now(&h->loop) + ms;
	uv_timer_start(&h->timer, host_late, 2, 2);
}

/* `settings` ends with NULL, may be NULL. */
static struct host *host_open(const char *program, const char *const *settings, const char *secret,
	const char *previous, const char *cursor)
{
	struct host *h = calloc(1, sizeof(*h));
	struct err e = {0};
	size_t n = 0;
	while (settings && settings[n])
		n++;
	uv_loop_init(&h->loop);
	uv_timer_init(&h->loop, &h->timer);
	h->timer.data = h;
	h->ack = true;
	const struct adapter_options o = {.program = program,
		.channel = "acme-x",
		.settings = settings,
		.n_settings = n,
		.secret = secret,
		.previous_secret = previous,
		.cursor = cursor,
		.line = host_line,
		.restart = host_restart,
		.down = host_down,
		.says = host_says,
		.ctx = h};
	assert_int_equal(adapter_start(&h->a, &h->loop, &o, &e), 0);
	return h;
}

/* Runs the loop until the condition holds; gives up after some seconds and says false. */
#define host_until(h, condition)                                                                             \
	({                                                                                                   \
		host_timer(h, 20000);                                                                        \
		while (!(condition) && !(h)->late)                                                           \
			uv_run(&(h)->loop, UV_RUN_ONCE);                                                     \
		(condition);                                                                                 \
	})

UNUSED static void host_wait(struct host *h, int64_t ms)
{
	host_timer(h, ms);
	while (!h->late)
		uv_run(&h->loop, UV_RUN_ONCE);
}

static struct adapter_health host_health(struct host *h)
{
	struct adapter_health health;
	adapter_health(h->a, &health);
	return health;
}

static void host_close(struct host *h)
{
	adapter_stop(&h->a);
	uv_close((uv_handle_t *)&h->timer, NULL);
	uv_run(&h->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&h->loop), 0);
	for (size_t i = 0; i < MIN(h->n, (size_t)HEARD_MAX); i++) {
		struct heard *x = &h->heard[i];
		char *const all[] = {
			x->cursor, x->json, x->place, x->refused, x->body, x->trust, x->delivery};
		for (size_t k = 0; k < ARRAY_SIZE(all); k++)
			free(all[k]);
	}
	free(h);
}

#endif
