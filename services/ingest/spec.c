#include "services/ingest/spec.h"
#include "services/ingest/ingest.h"
#include "services/ingest/state.h"

#define PRUNE_EVERY_MS ((int64_t)10 * 60 * 1000)
#define SCRATCH_MAX ((size_t)4 * 1024 * 1024)

static const struct metric_desc refused_desc = {
	.name = "ascolto_ingest_refused_total",
	.type = METRIC_COUNTER,
	.help = "Posts put in quarantine, by reason, since the start of the process",
	.label = "reason",
};

/* Now and then, and again at once while there is more to forget (handler.c sets prune_at_ms to 0). */
static void prune(struct ingest *in, int64_t now_ms)
{
	struct id id = id_random(now_ms);
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	if (now_ms < in->prune_at_ms)
		return;
	timer.purpose = (char *)(uintptr_t)PURPOSE_PRUNE;
	timer.due_ms = now_ms;
	e.id = id_bytes(&id);
	e.received_ms = now_ms;
	e.body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e.timer = &timer;
	if (svc_submit(in->svc, &e, NULL, NULL) == 0)
		in->prune_at_ms = now_ms + PRUNE_EVERY_MS;
}

/* One per process, and never freed: when the service stops, what was submitted may still be committed and
 * tells its line so. */
static struct ingest the_ingest;

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct ingest *in = &the_ingest;
	in->svc = s;
	buf_init(&in->scratch, SCRATCH_MAX);
	for (int r = REFUSAL_NONE + 1; r < REFUSALS; r++)
		in->refused[r] = metric_series(svc_metrics(s), &refused_desc, refusal_word((enum refusal)r));
	*ret_state = in;
	int r = intake_open(in, svc_conf(s), e);
	r = r ? r : hook_open(in, e);
	if (r)
		intake_close(in);
	return r;
}

static void tick(struct svc *s, void *state, int64_t now_ms)
{
	struct ingest *in = state;
	(void)s;
	intake_tick(in);
	hook_tick(in->hook, now_ms);
	prune(in, now_ms);
}

static int reload(struct svc *s, void *state, const struct conf *fresh, struct err *e)
{
	(void)s;
	return intake_reload(state, fresh, e);
}

static void issues(struct svc *s, void *state)
{
	(void)s;
	intake_issues(state);
}

static void stop(struct svc *s, void *state)
{
	struct ingest *in = state;
	(void)s;
	hook_close(&in->hook);
	intake_close(in);
}

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_INTAKE, handle_intake,
		"a post from an adapter: accepted, a duplicate, or quarantined"},
	{ASCOLTO__ENVELOPE__BODY_TIMER, handle_timer, "forgets what is older than 7 days"},
	{0},
};

static const struct counter counters[] = {
	{"accepted", "Posts accepted: each becomes one message"},
	{"duplicates", "Posts that had been accepted before"},
	{0},
};

static const struct http_route routes[] = {
	{"POST", "/-/drill", post_drill, NULL, "posts of an exercise: ?brand=BRAND~NAME, {\"posts\":[...]}"},
	{0},
};

static const char *const emits[] = {"enrichment", NULL};

const struct svc_spec ingest_spec = {
	.name = "ingest",
	.summary = "runs the adapters, takes webhooks, keeps every post once and sends it on",
	.handlers = handlers,
	.tables = ingest_tables,
	.counters = counters,
	.emits = emits,
	.routes = routes,
	.start = start,
	.tick = tick,
	.reload = reload,
	.issues = issues,
	.stop = stop,
};
