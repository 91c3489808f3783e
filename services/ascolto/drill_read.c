/* What came of a drill, as the console shows it. */
#include "services/ascolto/drill_run.h"

static void take_steps(struct drill_incident *i, const json_t *steps)
{
	const json_t *step;
	size_t k;
	i->steps_n = 0;
	json_array_foreach((json_t *)(uintptr_t)steps, k, step)
	{
		if (k == DRILL_STEPS_MAX)
			break;
		snprintf(i->steps[k].text, sizeof(i->steps[k].text), "%s", member_text(step, "text"));
		snprintf(i->steps[k].actor, sizeof(i->steps[k].actor), "%s", member_text(step, "actor"));
		i->steps[k].due_ms = member_int(step, "due_ms");
		i->steps[k].done_ms = member_int(step, "done_ms");
		i->steps_n = k + 1;
	}
}

int drill_read_incidents(struct drill *d, struct err *e)
{
	CLEANUP(free_json) json_t *answer = drill_ask(d, e, "incidents?limit=200&brand=%s", d->brand);
	json_t *list = json_object_get(answer, "incidents"), *row;
	size_t k;
	d->incidents_n = 0;
	json_array_foreach(list, k, row)
	{
		if (d->incidents_n == DRILL_INCIDENTS_MAX)
			break;
		struct drill_incident *i = &d->incidents[d->incidents_n++];
		*i = (struct drill_incident){.code = (enum code)MAX(code_of(member_text(row, "code")), 0)};
		snprintf(i->id, sizeof(i->id), "%s", member_text(row, "id"));
		snprintf(i->title, sizeof(i->title), "%s", member_text(row, "title"));
		snprintf(i->acknowledged_by, sizeof(i->acknowledged_by), "%s",
			member_text(row, "acknowledged_by"));
		i->opened_ms = member_int(row, "opened_ms");
		i->red_ms = member_int(row, "red_ms");
		i->called_ms = member_int(row, "detected_ms");
		i->acknowledged_ms = member_int(row, "acknowledged_ms");
		take_steps(i, json_object_get(row, "steps"));
	}
	return answer ? 0 : -EIO;
}

static struct drill_incident *incident(struct drill *d, const char *id)
{
	for (size_t i = 0; i < d->incidents_n; i++)
		if (str_eq(d->incidents[i].id, id))
			return &d->incidents[i];
	return NULL;
}

/* One ARM record: what the services made of a post. */
static void take_record(struct drill *d, const json_t *arm)
{
	const json_t *message = json_object_get(arm, "message"), *action;
	const char *native = member_text(json_object_get(message, "post"), "native_id");
	size_t own = strlen(d->name) + 1, k;
	struct drill_post *p = strlen(native) > own ? drill_scenario_find(d->scenario, native + own) : NULL;
	if (!p)
		return;
	p->seen = true;
	p->has_case = member_text(arm, "case_id")[0];
	snprintf(p->incident, sizeof(p->incident), "%s", member_text(arm, "incident_id"));
	snprintf(p->lane_got, sizeof(p->lane_got), "%s",
		member_text(json_object_get(json_object_get(message, "understanding"), "lane"), "value"));
	json_array_foreach(json_object_get(arm, "actions"), k, action)
	{
		const char *name = member_text(action, "name");
		struct drill_incident *i = incident(d, member_text(action, "subject_id"));
		p->told |= str_eq(name, "notify") && !str_eq(member_text(action, "result"), "nobody to tell");
		if (i && (str_eq(name, "open_incident") || str_eq(name, "raise_incident") ||
				 str_eq(name, "new_wave")))
			i->called_ms = MAX(i->called_ms, member_int(action, "at_ms"));
	}
}

int drill_read_records(struct drill *d, struct err *e)
{
	char before[64] = "";
	for (bool more = true; more;) {
		CLEANUP(free_json)
		json_t *page = drill_ask(d, e, "messages?limit=200&brand=%s%s", d->brand, before);
		json_t *row;
		size_t k;
		if (!page)
			return -EIO;
		json_array_foreach(json_object_get(page, "messages"), k, row)
		{
			CLEANUP(free_json)
			json_t *record =
				drill_ask(d, e, "messages/%s?brand=%s", member_text(row, "id"), d->brand);
			if (!record)
				return -EIO;
			take_record(d, json_object_get(record, "arm"));
		}
		more = member_text(page, "next")[0];
		snprintf(before, sizeof(before), "&before=%.40s", member_text(page, "next"));
	}
	return 0;
}

int drill_read_told(struct drill *d, struct err *e)
{
	d->told = json_array();
	for (size_t i = 0; i < d->incidents_n; i++) {
		CLEANUP(free_json)
		json_t *one = drill_ask(d, e, "incidents/%s?brand=%s", d->incidents[i].id, d->brand);
		if (!one)
			return -EIO;
		json_array_extend(d->told, json_object_get(one, "deliveries"));
	}
	return 0;
}
