#include "services/intent/intent.h"

#include "proto/state.pb-c.h"
#include "services/intent/classifier.h"

const struct table intent_tables[] = {
	[CORRECTIONS] = {0x20, "corrections", &state__stored_correction__descriptor,
		"time, message id, task: what a person said a message really meant"},
	{0},
};

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_ENRICHED, intent_enriched, "Enriched: a message and its writer, from enrichment"},
	{ASCOLTO__ENVELOPE__BODY_CORRECTION, intent_correction, "Correction: a person's word, from escalation"},
	{0},
};

static const struct counter counters[] = {
	{"classified", "Messages read"},
	{"unknown", "Messages whose intent is not known"},
	{"corrections", "Corrections by people"},
	{0},
};

static const char *const emits[] = {"escalation", NULL};

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct classifier *c;
	int r = classifier_open_linear(svc_conf(s)->models, &c, e);
	if (!r)
		*ret_state = c;
	return r;
}

static void issues(struct svc *s, void *state)
{
	if (!classifier_linear_model(state, "intent"))
		svc_issue(s, "there is no model for intents in %s: every message is \"unknown\"", svc_conf(s)->models);
}


static void stop(struct svc *s, void *state)
{
	struct classifier *c = state;
	(void)s;
	classifier_close(&c);
}

const struct svc_spec intent_spec = {
	.name = "intent",
	.summary = "tells what a message means, what its writer expects, and what it is about",
	.handlers = handlers,
	.tables = intent_tables,
	.counters = counters,
	.emits = emits,
	.start = start,
	.issues = issues,
	.stop = stop,
};
