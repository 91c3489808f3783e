#include "services/intent/intent.h"

#include "services/intent/external.h"

const struct table intent_tables[] = {
	[CORRECTIONS] = {0x20, "corrections", &state__stored_correction__descriptor,
		"time, message id, task: what a person said a message really meant"},
	[MODELS] = {0x21, "models", &state__task_models__descriptor,
		"group 0; task: which version runs, which ran before, what retraining found"},
	{0},
};

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_ENRICHED, intent_enriched, "Enriched: a message and its writer, from enrichment"},
	{ASCOLTO__ENVELOPE__BODY_CORRECTION, intent_correction, "Correction: a person's word, from escalation"},
	{ASCOLTO__ENVELOPE__BODY_MODEL_CHANGE, intent_model_change, "ModelChange: which model is to run, from itself"},
	{0},
};

static const struct counter counters[] = {
	{"classified", "Messages read"},
	{"unknown", "Messages whose intent is not known"},
	{"corrections", "Corrections by people"},
	{"corrections_forgotten", "Corrections an operator took back"},
	{"model_changes", "Promotions and rollbacks of models"},
	{0},
};

static const char *const emits[] = {"escalation", NULL};

static void stop(struct svc *s, void *state)
{
	struct intent *in = state;
	(void)s;
	if (!in)
		return;
	retrain_stop(in);
	classifier_close(&in->external);
	classifier_close(&in->linear);
	free(in);
}

/* The model server of the settings, or none. What was asked of a former one is forgotten. */
static int open_external(struct intent *in, const struct conf *c, struct err *e)
{
	struct classifier *fresh = NULL;
	const struct conf_external *x = &c->intent.external;
	struct external_options o = {.endpoint = x->endpoint, .limit_ms = x->limit_ms, .metrics = svc_metrics(in->svc)};
	for (unsigned i = 0; i < x->tasks_count; i++)
		if (classifier_task(x->tasks[i]) >= 0)
			o.tasks[classifier_task(x->tasks[i])] = true;
	int r = x->endpoint ? external_open(&o, &in->linear, &fresh, e) : 0;
	if (r)
		return r;
	classifier_close(&in->external);
	in->external = fresh;
	return 0;
}

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct intent *in = calloc(1, sizeof(*in));
	if (!in)
		return err_set(e, -ENOMEM, "out of memory");
	in->svc = s;
	int r = models_open(in, svc_conf(s), e);
	r = r ? r : open_external(in, svc_conf(s), e);
	if (!r && (r = corrections_count(in)))
		err_set(e, r, "the corrections can not be read: %s", strerror(-r));
	if (r)
		stop(s, in);
	else
		*ret_state = in;
	return r;
}

static int reload(struct svc *s, void *state, const struct conf *fresh, struct err *e)
{
	(void)s;
	int r = models_open(state, fresh, e);
	return r ? r : open_external(state, fresh, e);
}

static void tick(struct svc *s, void *state, int64_t now_ms)
{
	(void)s;
	retrain_tick(state, now_ms);
}

static void issues(struct svc *s, void *state)
{
	struct intent *in = state;
	if (!classifier_linear_model(in->linear, "intent"))
		svc_issue(s, "there is no model for intents in %s: every message is \"unknown\"", svc_conf(s)->models);
	for (int t = 0; t < CLASSIFIER_TASKS; t++)
		if (in->task[t].trouble[0])
			svc_issue(s, "%s", in->task[t].trouble);
	if (in->trouble[0])
		svc_issue(s, "%s", in->trouble);
	if (in->external && external_trouble(in->external))
		svc_issue(s, "%s", external_trouble(in->external));
}

const struct svc_spec intent_spec = {
	.name = "intent",
	.summary = "tells what a message means, what its writer expects, and what it is about",
	.handlers = handlers,
	.tables = intent_tables,
	.counters = counters,
	.emits = emits,
	.routes = intent_routes,
	.body_max = INTENT_UPLOAD_MAX,
	.turn_max = EXTERNAL_TEXTS_MAX,
	.ahead = intent_ahead,
	.start = start,
	.tick = tick,
	.reload = reload,
	.issues = issues,
	.stop = stop,
};
