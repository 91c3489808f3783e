#include "services/escalation/escalation.h"

const struct table escalation_tables[] = {
	[ARM] = {0x20, "arm", &ascolto__arm_record__descriptor, "message id: the ARM record, one per message"},
	[CASES] = {0x21, "cases", &ascolto__case__descriptor, "case id"},
	[OPEN_CASES] = {0x22, "open_cases", &state__open_case__descriptor, "customer id: the case that is open for them"},
	[TOPICS] = {0x23, "topics", &state__topic__descriptor, "topic id: what people are talking about"},
	[TOPIC_PEOPLE] = {0x24, "topic_people", &state__person_in_topic__descriptor,
		"topic id, person: when they last wrote about it"},
	[INCIDENTS] = {0x25, "incidents", &ascolto__incident__descriptor, "incident id"},
	[TOLD] = {0x26, "told", &state__told__descriptor, "brand, kind of case: when somebody was last told at once"},
	[COPIES] = {0x27, "copies", &state__copy__descriptor, "brand, place in the ring: texts seen lately"},
	[RHYTHMS] = {0x38, "rhythms", &state__rhythm__descriptor, "brand: people per hour of the week"},
	{0},
};

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_CLASSIFIED, escalation_classified, "Classified: a message that was read, from intent"},
	{ASCOLTO__ENVELOPE__BODY_COMMAND, escalation_command, "Command: what a person decided, from console"},
	{ASCOLTO__ENVELOPE__BODY_OUTCOME, escalation_outcome, "Outcome: what became of an order, from notification"},
	{ASCOLTO__ENVELOPE__BODY_TIMER, escalation_timer, "Timer: clocks of cases, calls of incidents"},
	{0},
};

static const struct counter counters[] = {
	{"arm_records", "ARM records: messages decided"},
	{"cases_opened", "Cases opened"},
	{"cases_closed", "Cases closed"},
	{"cases_late", "Clocks of cases that ran out"},
	{"topics", "Topics founded"},
	{"incidents_opened", "Incidents opened"},
	{"incidents_raised", "Incidents raised from yellow to red"},
	{"incidents_calmed", "Steps down of incidents that became calm"},
	{"incidents_red", "Incidents that became red"},
	{"orders", "Orders to tell somebody"},
	{0},
};

static const char *const emits[] = {
	[TO_NOTIFICATION] = "notification",
	[TO_ENRICHMENT] = "enrichment",
	[TO_CONSOLE] = "console",
	[TO_INTENT] = "intent",
	NULL,
};

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct escalation *x;
	int r = brands_open(s, &x, e);
	if (!r)
		*ret_state = x;
	return r;
}

static void aborted(struct svc *s, void *state)
{
	struct err e = {0};
	((struct escalation *)state)->stale = false;
	if (brands_reload_topics(s, state, &e)) {
		/* Without its topics the service would count wrongly; a restart reads them again. */
		fprintf(stderr, "escalation: %s\n", err_text(&e));
		abort();
	}
}

static void committed(struct svc *s, void *state)
{
	if (((struct escalation *)state)->stale)
		aborted(s, state);
}

static int reload(struct svc *s, void *state, const struct conf *fresh, struct err *e)
{
	(void)s;
	return brands_reload(state, fresh, e);
}

static void stop(struct svc *s, void *state)
{
	struct escalation *x = state;
	(void)s;
	brands_free(&x);
}

const struct svc_spec escalation_spec = {
	.name = "escalation",
	.summary = "decides by the brand's playbook and sees to it that somebody acts in time",
	.handlers = handlers,
	.tables = escalation_tables,
	.counters = counters,
	.emits = emits,
	.start = start,
	.committed = committed,
	.aborted = aborted,
	.reload = reload,
	.stop = stop,
};
