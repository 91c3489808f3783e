/* Server-sent events: what changed, pushed to every browser after the commit. Pushes are coalesced; a browser
 * that was away reads the lists again, so nothing is kept for it. */
#include "services/console/console.h"
#include "services/console/rules.h"

#include "common/drill.h"
#include "common/json.h"

#define KEEP_ALIVE_MS 15000 /* a word through proxies that close what is silent */
#define PUSH_BYTES_MAX ((size_t)512 * 1024)

static const struct metric_desc gauge_desc = {
	.name = "ascolto_console_event_clients",
	.type = METRIC_GAUGE,
	.help = "Browsers that listen to events now",
};

static const struct metric_desc pushed_desc = {
	.name = "ascolto_console_pushes_total",
	.type = METRIC_COUNTER,
	.help = "Pushes of events, each to every browser, since the start of the process",
};

/* ---- what changed ---- */

static bool is_noted(const struct changes *all, enum change_kind kind, const struct change *change)
{
	size_t n = MIN(all->count[kind], (size_t)CHANGES_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct change *c = &all->change[kind][i];
		if (id_eq(&c->id, &change->id) && id_eq(&c->order, &change->order))
			return true;
	}
	return false;
}

static void note(struct changes *all, enum change_kind kind, const struct change *change)
{
	if (!is_noted(all, kind, change))
		all->change[kind][all->count[kind]++ % CHANGES_MAX] = *change;
}

void events_changed(struct console *c, enum change_kind kind, const struct change *change)
{
	if (c->events.clients)
		note(&c->events.turn, kind, change);
}

static void forget(struct changes *all)
{
	memset(all->count, 0, sizeof(all->count));
}

static bool any_change(const struct changes *all)
{
	for (int k = 0; k < CHANGE_KINDS; k++)
		if (all->count[k])
			return true;
	return false;
}

void events_aborted(struct console *c)
{
	forget(&c->events.turn);
}

/* ---- a push ---- */

static const char *const names[CHANGE_KINDS] = {
	[CHANGED_MESSAGE] = "inbox",
	[CHANGED_CASE] = "case",
	[CHANGED_INCIDENT] = "incident",
	[CHANGED_DELIVERY] = "delivery",
	[CHANGED_ANSWER] = "answer",
	[CHANGED_CRISIS] = "crisis",
	[CHANGED_REFUSAL] = "refusal",
	[CHANGED_ADVOCATE] = "advocate",
};

static const char *const members[CHANGE_KINDS] = {
	[CHANGED_MESSAGE] = "messages",
	[CHANGED_CASE] = "cases",
	[CHANGED_INCIDENT] = "incidents",
	[CHANGED_DELIVERY] = "deliveries",
	[CHANGED_ANSWER] = "answers",
	[CHANGED_CRISIS] = "crises",
	[CHANGED_REFUSAL] = "refusals",
	[CHANGED_ADVOCATE] = "advocates",
};

static void add_record(struct answer *a, const void *record)
{
	rows_add(a);
	json_add_message(&a->out, record);
}

/* Who is off the list has no record any more. */
static void add_removed_advocate(struct answer *a, const struct id *customer)
{
	Ascolto__Advocate removed = ASCOLTO__ADVOCATE__INIT;
	removed.customer_id = id_bytes(customer);
	removed.removed = true;
	add_record(a, &removed);
}

static void add_changed(struct answer *a, enum change_kind kind, const struct change *change)
{
	void *record;
	if (kind == CHANGED_MESSAGE && answer_read(a, MESSAGES, &change->id, &record) == 0)
		add_message_row(a, record);
	if (kind == CHANGED_CASE && answer_read(a, CASES, &change->id, &record) == 0)
		add_record(a, record);
	if (kind == CHANGED_INCIDENT && answer_read(a, INCIDENTS, &change->id, &record) == 0)
		add_record(a, record);
	static const enum console_table tables[CHANGE_KINDS] = {[CHANGED_DELIVERY] = DELIVERIES,
		[CHANGED_ANSWER] = ANSWERS,
		[CHANGED_CRISIS] = CRISES,
		[CHANGED_REFUSAL] = REFUSALS,
		[CHANGED_ADVOCATE] = ADVOCATES};
	if (!tables[kind])
		return;
	struct key k = kind == CHANGED_DELIVERY	  ? delivery_key(a->group, &change->id, &change->order)
		       : kind == CHANGED_ANSWER	  ? answer_key(a->group, &change->id, &change->order)
		       : kind == CHANGED_REFUSAL  ? refusal_key(a->group, a->brand_name, &change->id)
		       : kind == CHANGED_ADVOCATE ? advocate_key(a->group, a->brand_name, &change->id)
						  : crisis_key(a->group, a->brand_name);
	int r = svc_read(a->txn, &a->arena, &console_tables[tables[kind]], &k, &record);
	if (!r)
		add_record(a, record);
	else if (r == -ENOENT && kind == CHANGED_ADVOCATE)
		add_removed_advocate(a, &change->id);
}

/* One event with the newest changes of a kind, oldest first; "more" tells how many it leaves out. */
static void add_event(struct answer *a, const struct changes *due, enum change_kind kind)
{
	size_t all = due->count[kind], n = MIN(all, (size_t)CHANGES_MAX), mine = 0;
	for (size_t i = all - n; i < all; i++)
		mine += due->change[kind][i % CHANGES_MAX].brand == a->brand;
	if (!mine)
		return;
	a->rows = 0;
	buf_addf(&a->out, "event: %s\ndata: {\"%s\":[", names[kind], members[kind]);
	for (size_t i = all - n; i < all; i++)
		if (due->change[kind][i % CHANGES_MAX].brand == a->brand)
			add_changed(a, kind, &due->change[kind][i % CHANGES_MAX]);
	buf_addf(&a->out, "],\"more\":%zu}\n\n", all - n);
}

static void push_to_brand(struct console *c, const struct conf_brand *brand)
{
	struct answer a = {.console = c, .brand = brand, .brand_name = brand->name, .group = brand_group(brand->name)};
	if (txn_begin_read(svc_store(c->svc), &a.txn, NULL))
		return;
	arena_init(&a.arena, (size_t)64 * 1024 * 1024);
	buf_init(&a.out, PUSH_BYTES_MAX);
	for (int k = 0; k < CHANGE_KINDS; k++)
		add_event(&a, &c->events.due, k);
	if (a.out.len) {
		buf_adds(&a.out, "event: counts\ndata: ");
		add_counts(&a);
		buf_adds(&a.out, "\n\n");
	}
	if (a.out.broken) { /* too much to say: the pages read the lists again */
		buf_reset(&a.out);
		buf_adds(&a.out, "event: reload\ndata: {}\n\n");
	}
	txn_abort(&a.txn);
	for (struct event_client *e = c->events.clients; e && a.out.len; e = e->next)
		if (e->brand == brand)
			http_stream_send(e->stream, buf_span(&a.out));
	buf_free(&a.out);
	arena_free(&a.arena);
}

static bool first_of_brand(const struct events *ev, const struct event_client *client)
{
	for (const struct event_client *e = ev->clients; e != client; e = e->next)
		if (e->brand == client->brand)
			return false;
	return true;
}

static void push(uv_timer_t *timer)
{
	struct console *c = timer->data;
	struct events *ev = &c->events;
	const struct conf_brand *brands[EVENT_CLIENTS_MAX];
	size_t n = 0;
	for (struct event_client *e = ev->clients; e; e = e->next)
		if (first_of_brand(ev, e))
			brands[n++] = e->brand;
	for (size_t i = 0; i < n; i++)
		push_to_brand(c, brands[i]);
	forget(&ev->due);
	ev->last_push_ms = ev->last_word_ms = (int64_t)uv_now(timer->loop);
	metric_add(ev->pushed, 1);
}

void events_committed(struct console *c)
{
	struct events *ev = &c->events;
	for (int k = 0; k < CHANGE_KINDS; k++) {
		size_t all = ev->turn.count[k], n = MIN(all, (size_t)CHANGES_MAX);
		ev->due.count[k] += all - n; /* left out already; the ring's order is kept by what follows */
		for (size_t i = all - n; i < all; i++)
			note(&ev->due, k, &ev->turn.change[k][i % CHANGES_MAX]);
	}
	forget(&ev->turn);
	if (!ev->open || !any_change(&ev->due) || uv_is_active((uv_handle_t *)&ev->timer))
		return;
	int64_t now_ms = (int64_t)uv_now(svc_loop(c->svc));
	uv_timer_start(&ev->timer, push, (uint64_t)(push_due_ms(ev->last_push_ms, now_ms) - now_ms), 0);
}

/* ---- browsers ---- */

static void client_gone(struct http_stream *s, void *ctx)
{
	struct event_client *e = ctx;
	struct events *ev = &e->console->events;
	(void)s;
	*e->at = e->next;
	if (e->next)
		e->next->at = e->at;
	free(e);
	metric_set_to(ev->gauge, (double)--ev->n_clients);
	if (!ev->clients) {
		forget(&ev->turn);
		forget(&ev->due);
	}
}

void get_events(struct http_request *r, void *ctx)
{
	struct console *c = ctx;
	struct events *ev = &c->events;
	if (!request_is_ours(r))
		return;
	const struct conf_brand *brand = request_brand(r, c);
	if (!brand)
		return;
	if (drill_of(http_query(r, "brand"))[0]) {
		http_reply_error(r, 404, "what a drill changes is not pushed; read the lists again now and then");
		return;
	}
	struct event_client *e = ev->n_clients < EVENT_CLIENTS_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		http_reply_header(r, "Retry-After", "10");
		http_reply_error(r, 503, "too many browsers listen to events now");
		return;
	}
	http_reply_header(r, "X-Accel-Buffering", "no"); /* nginx would hold events back */
	e->console = c;
	e->brand = brand;
	e->stream = http_reply_stream(r, "text/event-stream", client_gone, e);
	if (!e->stream) {
		free(e);
		return;
	}
	e->next = ev->clients;
	e->at = &ev->clients;
	if (e->next)
		e->next->at = &e->next;
	ev->clients = e;
	metric_set_to(ev->gauge, (double)++ev->n_clients);
	http_stream_send(e->stream, span_str("retry: 2000\n\n"));
}

/* ---- life ---- */

void events_open(struct console *c)
{
	struct events *ev = &c->events;
	ev->gauge = metric_series(svc_metrics(c->svc), &gauge_desc, NULL);
	ev->pushed = metric_series(svc_metrics(c->svc), &pushed_desc, NULL);
	uv_timer_init(svc_loop(c->svc), &ev->timer);
	ev->timer.data = c;
	ev->last_push_ms = -PUSH_EVERY_MS;
	ev->open = true;
}

void events_close(struct console *c)
{
	if (!c->events.open)
		return;
	c->events.open = false;
	uv_close((uv_handle_t *)&c->events.timer, NULL);
}

/* The brands may be others now: the browsers come back by themselves and say again which they want. */
void events_reload(struct console *c)
{
	forget(&c->events.turn);
	forget(&c->events.due);
	for (struct event_client *e = c->events.clients; e; e = e->next)
		http_stream_close(e->stream);
}

void events_tick(struct console *c)
{
	struct events *ev = &c->events;
	int64_t loop_ms = (int64_t)uv_now(svc_loop(c->svc));
	if (!ev->clients || loop_ms - ev->last_word_ms < KEEP_ALIVE_MS)
		return;
	for (struct event_client *e = ev->clients; e; e = e->next)
		http_stream_send(e->stream, span_str(": still here\n\n"));
	ev->last_word_ms = loop_ms;
}
