#include "services/escalation/answers/answers.h"
#include "services/escalation/evidence/report.h"
#include "services/escalation/evidence/score.h"

const struct table escalation_tables[] = {
	[ARM] = {0x20, "arm", &ascolto__arm_record__descriptor, "message id: the ARM record, one per message"},
	[CASES] = {0x21, "cases", &ascolto__case__descriptor, "case id"},
	[OPEN_CASES] = {0x22, "open_cases", &state__open_case__descriptor, "customer id: their case, open or lately closed"},
	[TOPICS] = {0x23, "topics", &state__topic__descriptor, "topic id: what people are talking about"},
	[INCIDENTS] = {0x25, "incidents", &ascolto__incident__descriptor, "incident id"},
	[TOLD] = {0x26, "told", &state__told__descriptor, "brand, kind of case: when somebody was last told at once"},
	[COPIES] = {0x27, "copies", &state__copy__descriptor, "brand, place in the ring: texts seen lately"},
	[CRISES] = {0x28, "crises", &ascolto__crisis__descriptor, "brand: whether it is in crisis mode, and what holds it there"},
	[INCIDENT_CASES] = {0x29, "incident_cases", &state__case_of_incident__descriptor, "incident id, case id: its cases"},
	[ANSWERS] = {0x2a, "answers", &ascolto__answer__descriptor, "answer id: one answer, to one case or to many"},
	[LAST_TEXTS] = {0x2b, "last_texts", &state__last_text__descriptor,
		"brand, channel, language: what an answer said there last"},
	[AUDIT] = {0x30, "audit", &state__audit_record__descriptor, "brand, number: an entry of the audit log and its hash"},
	[AUDIT_OF] = {0x31, "audit_of", &state__audit_place__descriptor,
		"case or incident id, number: an entry that concerns it"},
	[AUDIT_PLAYBOOK] = {0x32, "audit_playbook", &state__playbook_noted__descriptor,
		"brand: the playbook the log knows to be in force"},
	[HELD_ALARMS] = {0x33, "held_alarms", &state__held_alarm__descriptor,
		"brand, due time, id: alarms of chains that wait for a person's word"},
	[PULSE] = {0x34, "pulse", &state__pulse__descriptor, "brand, five minutes: what happened in them"},
	[INCIDENT_PULSE] = {0x35, "incident_pulse", &state__pulse__descriptor,
		"incident id, five minutes: what happened in them about it"},
	[DRILLS] = {0x38, "drills", &state__drill__descriptor, "brand: an exercise that was begun"},
	[ORDERED] = {0x36, "ordered", &state__ordered__descriptor, "order id: the message whose record waits for its outcome"},
	[RHYTHMS] = {0x39, "rhythms", &state__rhythm__descriptor, "brand: people per hour of the week"},
	[SCORES] = {0x37, "scores", &state__score__descriptor, "brand, day, channel, owner or team: how customers were cared for"},
	[ADVOCATES] = {0x3a, "advocates", &ascolto__advocate__descriptor, "brand, customer id: who speaks well of it"},
	[MENTIONS] = {0x3b, "mentions", &state__mention__descriptor, "brand, time, person, topic id: who spoke of what lately"},
	[INCIDENT_PEOPLE] = {0x3c, "incident_people", &state__mention__descriptor,
		"incident id, person: who counts in its measures"},
	{0},
};

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_CLASSIFIED, escalation_classified, "Classified: a message that was read, from intent"},
	{ASCOLTO__ENVELOPE__BODY_COMMAND, escalation_command, "Command: what a person decided, from console"},
	{ASCOLTO__ENVELOPE__BODY_OUTCOME, escalation_outcome, "Outcome: what became of an order, from notification"},
	{ASCOLTO__ENVELOPE__BODY_TIMER, escalation_timer, "Timer: clocks of cases, calls and steps of incidents, answers"},
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
	{"incidents_waves", "Times an open incident surged anew"},
	{"incidents_calmed", "Steps down of incidents that became calm"},
	{"incidents_red", "Incidents that became red"},
	{"crises", "Times crisis mode began"},
	{"orders", "Orders to tell somebody"},
	{"audit_entries", "Entries of the audit log"},
	{0},
};

static const char *const emits[] = {
	[TO_NOTIFICATION] = "notification",
	[TO_ENRICHMENT] = "enrichment",
	[TO_CONSOLE] = "console",
	[TO_INTENT] = "intent",
	NULL,
};

static const struct http_route routes[] = {
	{"GET", "/-/audit", audit_get, NULL, "the audit log: brand, after, limit, subject"},
	{"GET", "/-/report", report_get, NULL, "the report of an incident: incident, format=html|markdown, lang=it|en"},
	{"GET", "/-/score", score_get, NULL, "how customers are cared for: brand, days"},
	{"POST", "/-/draft", draft_post, NULL, "what there is to say to an answer: brand, case or incident"},
	{"GET", "/-/lessons", lessons_get, NULL, "what closed incidents taught: brand, lang=it|en"},
	{"GET", "/-/drills", get_drills, NULL, "exercises, those that run and those that are over"},
	{"POST", "/-/drills", post_drill_start, NULL, "begins one: ?brand=BRAND~NAME, {\"actor\",\"scenario\",\"minutes\"}"},
	{"POST", "/-/drills/stop", post_drill_stop, NULL, "ends one: ?brand=BRAND~NAME, {\"actor\",\"reason\"}"},
	{0},
};

static int start(struct svc *s, void **ret_state, struct err *e)
{
	struct escalation *x;
	int r = brands_open(s, &x, e);
	if (r)
		return r;
	*ret_state = x;
	audit_tick(s, x, svc_now_ms(s));
	return 0;
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
	.routes = routes,
	.start = start,
	.committed = committed,
	.aborted = aborted,
	.tick = audit_tick,
	.reload = reload,
	.stop = stop,
};
