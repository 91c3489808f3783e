#include "notification.h"
#include "state.h"

#define PRUNE_EVERY_MS ((int64_t)60 * 60 * 1000)

static const struct metric_desc open_desc = {
	.name = "ascolto_notification_open_deliveries",
	.type = METRIC_GAUGE,
	.help = "Orders that are neither sent nor rejected nor expired",
};

/* Static, because svc finishes its last turn after `stop`, and its handlers still look here. */
static struct notification notification;

static void set_open(struct svc *s, void *state)
{
	struct notification *n = state;
	metric_set_to(n->open, (double)(svc_counter(s, "orders") - svc_counter(s, "sent") -
					svc_counter(s, "rejected") - svc_counter(s, "expired")));
}

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct notification *n = &notification;
	n->svc = s;
	n->open = metric_series(svc_metrics(s), &open_desc, NULL);
	int r = destinations_load(n, svc_conf(s), e);
	if (r)
		return r;
	*ret_state = n;
	set_open(s, n);
	return calls_recover(n, e);
}

/* What the thrown away turn wanted to start will be decided again. */
static void aborted(struct svc *s, void *state)
{
	struct notification *n = state;
	(void)s;
	for (size_t i = 0; i < n->n_destinations; i++)
		n->destinations[i].decided = 0;
}

static void prune(struct notification *n, int64_t now_ms)
{
	struct id id = id_random(now_ms);
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	if (now_ms < n->prune_at_ms)
		return;
	timer.purpose = (char *)(uintptr_t)PURPOSE_PRUNE;
	timer.due_ms = now_ms;
	e.id = id_bytes(&id);
	e.received_ms = now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e.timer = &timer;
	if (svc_submit(n->svc, &e, NULL, NULL) == 0)
		n->prune_at_ms = now_ms + PRUNE_EVERY_MS;
}

static void tick(struct svc *s, void *state, int64_t now_ms)
{
	(void)s;
	calls_flush(state);
	prune(state, now_ms);
}

static int reload(struct svc *s, void *state, const struct conf *fresh, struct err *e)
{
	(void)s;
	return destinations_load(state, fresh, e);
}

static void issues(struct svc *s, void *state)
{
	(void)s;
	destination_issues(state);
}

static void stop(struct svc *s, void *state)
{
	(void)s;
	calls_free(state);
	destinations_free(state);
}

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_ORDER, handle_order, "Order: what to tell whom, from escalation"},
	{ASCOLTO__ENVELOPE__BODY_TIMER, handle_timer,
		"Timer: an attempt is due; what ended long ago is forgotten"},
	{ASCOLTO__ENVELOPE__BODY_ATTEMPT, handle_attempt, "Attempt: how a call of our own ended"},
	{0},
};

static const struct counter counters[] = {
	{"orders", "Orders taken, each one delivery"},
	{"sent", "Deliveries sent"},
	{"rejected", "Deliveries the receiver refused for good"},
	{"retries", "Attempts that failed and are made again"},
	{"unknown", "Attempts without an answer, made again"},
	{"expired", "Deliveries given up because their time was over"},
	{0},
};

static const char *const emits[] = {[NOTIFICATION_TO_ESCALATION] = "escalation", NULL};

static const struct http_route routes[] = {
	{"GET", "/-/deliveries", get_deliveries, NULL,
		"what was ordered lately and what became of it: ?limit=N"},
	{0},
};

const struct svc_spec notification_spec = {
	.name = "notification",
	.summary = "sends alerts by mail and signed webhook, again until they arrive, and reports what "
		   "became of them",
	.handlers = handlers,
	.tables = notification_tables,
	.counters = counters,
	.emits = emits,
	.routes = routes,
	.start = start,
	.committed = set_open,
	.aborted = aborted,
	.tick = tick,
	.reload = reload,
	.issues = issues,
	.stop = stop,
};
