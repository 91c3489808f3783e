#include "services/console/spec.h"
#include "services/console/console.h"

static const struct http_route routes[] = {
	{"GET", "/api/v1/brands", get_brands, NULL, "the brands of this installation"},
	{"GET", "/api/v1/counts", get_counts, NULL, "messages, cases, incidents by code, alerts sent"},
	{"GET", "/api/v1/messages", get_messages, NULL, "the inbox: limit, before, case, filter"},
	{"GET", "/api/v1/messages/*", get_message, NULL, "one ARM record"},
	{"GET", "/api/v1/cases", get_cases, NULL, "cases: state=open|closed|all, limit"},
	{"GET", "/api/v1/cases/*", get_case, NULL, "one case with its messages"},
	{"GET", "/api/v1/incidents", get_incidents, NULL, "incidents, open ones first: limit"},
	{"GET", "/api/v1/incidents/*", get_incident, NULL,
		"one incident with deliveries and example messages; "
		"ID/report?format=html|markdown&lang=it|en"},
	{"GET", "/api/v1/advocates", get_advocates, NULL, "who speaks well of the brand by themselves"},
	{"GET", "/api/v1/refusals", get_refusals, NULL,
		"decisions that could not be carried out any more, the latest first"},
	{"GET", "/api/v1/lessons", get_lessons, NULL, "what closed incidents taught, Markdown: lang=it|en"},
	{"GET", "/api/v1/audit/heads", get_audit_heads, NULL,
		"heads of the audit log that were seen, one an hour"},
	{"GET", "/api/v1/health", get_health, NULL, "how the six services are"},
	{"GET", "/api/v1/events", get_events, NULL, "server-sent events"},
	{"POST", "/api/v1/messages/*", post_message, NULL,
		"ID/correct {actor, task, label}, ID/move {actor, lane}, "
		"ID/advocate {actor, listed}"},
	{"POST", "/api/v1/cases/*", post_case, NULL,
		"ID/acknowledge {actor}, ID/close {actor, outcome}, "
		"ID/change {actor, verb, words, to, other, conversation}, ID/draft and ID/answer {actor, "
		"text, language}, "
		"ID/approve {actor, answer, role}"},
	{"POST", "/api/v1/incidents/*", post_incident, NULL,
		"ID/acknowledge {actor}, ID/close {actor, reason}, ID/step {actor, number}, ID/draft and "
		"ID/answer {actor, wordings}, "
		"ID/approve {actor, answer, role}"},
	{"POST", "/api/v1/crisis", post_crisis, NULL, "crisis mode: {actor, on, reason}"},
	{"POST", "/api/v1/alarms", post_alarms, NULL, "alarms that are held: {actor, call}"},
	{"GET", "/*", get_page, NULL, "the page"}, /* last: the first that fits is taken */
	{0},
};

static struct http_route listener_routes[ARRAY_SIZE(routes)];
static struct console console;

static int start(struct svc *s, void **ret_state, struct err *e)
{
	static const char *const loopback[] = {"127.0.0.0/8", "::1/128", NULL};
	const struct conf_service *here = conf_service(svc_conf(s), "console");
	console.svc = s;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		listener_routes[i] = routes[i];
		listener_routes[i].ctx = &console;
	}
	/* Behind a reverse proxy every connection comes from one address. */
	struct http_options o = {.address = here->listen,
		.routes = listener_routes,
		.body_max = (size_t)64 * 1024,
		.connections_max = 256,
		.per_address_max = 256};
	int r = fetch_open(&console.fetch, svc_loop(s), loopback, e);
	r = r ? r : http_open(&console.http, svc_loop(s), &o, e);
	if (r) {
		fetch_close(&console.fetch);
		return r;
	}
	events_open(&console);
	*ret_state = &console;
	return 0;
}

static void committed(struct svc *s, void *state)
{
	(void)s;
	events_committed(state);
}

static void aborted(struct svc *s, void *state)
{
	(void)s;
	events_aborted(state);
}

static void tick(struct svc *s, void *state, int64_t now_ms)
{
	(void)s;
	(void)now_ms;
	events_tick(state);
}

static int reload(struct svc *s, void *state, const struct conf *fresh, struct err *e)
{
	(void)s;
	(void)fresh;
	(void)e;
	events_reload(state);
	return 0;
}

static void stop(struct svc *s, void *state)
{
	struct console *c = state;
	(void)s;
	events_close(c);
	http_close(&c->http);
	fetch_close(&c->fetch);
}

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_VIEW, handle_view,
		"the new state of a message's record, a case, an incident, a delivery"},
	{ASCOLTO__ENVELOPE__BODY_COMMAND, handle_command,
		"what a person decided, from the API: goes on to escalation"},
	{0},
};

static const struct counter counters[] = {
	{"views", "Views taken into the read model"},
	{"messages_shown", "Messages that can be seen: one for each ARM record"},
	{"commands", "Decisions of people sent to escalation"},
	{0},
};

static const char *const emits[] = {"escalation", NULL};

const struct svc_spec console_spec = {
	.name = "console",
	.summary = "shows what was heard and what was done, and takes what people decide",
	.handlers = handlers,
	.tables = console_tables,
	.counters = counters,
	.emits = emits,
	.start = start,
	.committed = committed,
	.aborted = aborted,
	.tick = tick,
	.reload = reload,
	.stop = stop,
};
