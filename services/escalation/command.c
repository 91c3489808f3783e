/* What people decide: each command to who carries it out, and what becomes of those that can not be. */
#include "services/escalation/answers/answers.h"
#include "services/escalation/incidents/crisis.h"

void send_correction(struct turn *t, const Ascolto__Envelope *command, const Ascolto__ArmRecord *arm,
	const char *task, const char *label)
{
	Ascolto__Envelope *out = turn_envelope(t, command, "correction", 0);
	Ascolto__Correction c = ASCOLTO__CORRECTION__INIT;
	c.message_id = arm->message_id;
	c.task = (char *)(uintptr_t)task;
	c.label = (char *)(uintptr_t)label;
	const Ascolto__Post *post = arm->message->post;
	c.text = post->text;
	c.language = arm->message->understanding ? arm->message->understanding->language : (char *)"";
	c.surface = (char *)(uintptr_t)(post->surface == ASCOLTO__SURFACE__SURFACE_PRIVATE ? "private"
											   : "public");
	c.channel = post->network;
	if (arm->message->understanding && arm->message->understanding->intent)
		c.intent = arm->message->understanding->intent->value;
	c.by = command->command->actor;
	c.at_ms = t->now_ms;
	out->body_case = ASCOLTO__ENVELOPE__BODY_CORRECTION;
	out->correction = &c;
	turn_emit(t, TO_INTENT, LANE_URGENT, out, span_of(arm->message_id.data, arm->message_id.len));
}

static int correct(struct turn *t, const Ascolto__Envelope *e, const Ascolto__Correct *c, struct err *why)
{
	struct id id;
	Ascolto__ArmRecord *arm;
	if (id_of(c->message_id, &id))
		return err_set(why, -EBADMSG, "a correction without a message");
	struct key k = id_key(t, ARM, &id);
	int r = turn_get(t, &escalation_tables[ARM], &k, &arm);
	if (r)
		return err_set(why, r, "the corrected message is not known");
	send_correction(t, e, arm, c->task, c->label);
	audit_add(t, e,
		&(struct audit_note){.what = "corrected",
			.who = e->command->actor,
			.by = BY_PERSON,
			.message_id = c->message_id,
			.case_id = arm->case_id,
			.detail = arena_printf(t->arena, "%s: %s", c->task, c->label)});
	return 0;
}

static char *name_of(const Ascolto__Command *c)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(
		&ascolto__command__descriptor, (unsigned)c->what_case);
	return (char *)(uintptr_t)(f ? f->name : "");
}

static void note_command(struct turn *t, const Ascolto__Envelope *e)
{
	audit_add(t, e,
		&(struct audit_note){.what = "command",
			.who = e->command->actor,
			.by = BY_PERSON,
			.detail = name_of(e->command)});
}

/* ---- what can not be done any more ---- */

/* Impossible as things are now, which somebody may have changed since it was asked for; other errors are of
 * the message or of the store. Whoever begins or ends a drill waits for the answer, and is told by the call
 * itself. */
static bool is_impossible(const Ascolto__Command *c, int r)
{
	bool waits = c->what_case == ASCOLTO__COMMAND__WHAT_START_DRILL ||
		     c->what_case == ASCOLTO__COMMAND__WHAT_STOP_DRILL;
	return !waits && (r == -EINVAL || r == -ENOENT || r == -ENOSPC);
}

static ProtobufCBinaryData case_of(const Ascolto__Command *c)
{
	switch (c->what_case) {
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE:
		return c->acknowledge_case->case_id;
	case ASCOLTO__COMMAND__WHAT_CLOSE_CASE:
		return c->close_case->case_id;
	case ASCOLTO__COMMAND__WHAT_CHANGE_CASE:
		return c->change_case->case_id;
	case ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER:
		return c->propose_answer->case_id;
	default:
		return (ProtobufCBinaryData){0};
	}
}

static ProtobufCBinaryData incident_of(const Ascolto__Command *c)
{
	switch (c->what_case) {
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT:
		return c->acknowledge_incident->incident_id;
	case ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT:
		return c->close_incident->incident_id;
	case ASCOLTO__COMMAND__WHAT_DONE_STEP:
		return c->done_step->incident_id;
	case ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER:
		return c->propose_answer->incident_id;
	default:
		return (ProtobufCBinaryData){0};
	}
}

/* Nothing of it is done; it is on record, and whoever asked hears why. */
static void refuse(struct turn *t, const Ascolto__Envelope *e, const struct err *why)
{
	const Ascolto__Command *c = e->command;
	Ascolto__Refusal r = ASCOLTO__REFUSAL__INIT;
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	writeset_init(t->ws, t->arena);
	audit_add(t, e,
		&(struct audit_note){.what = "command_refused",
			.who = c->actor,
			.by = BY_PERSON,
			.case_id = case_of(c),
			.incident_id = incident_of(c),
			.detail = arena_printf(t->arena, "%s: %s", name_of(c), err_text(why))});
	r.command_id = e->trace_id.len ? e->trace_id : e->id; /* as the console named it to who asked */
	r.brand = e->brand;
	r.drill = e->drill;
	r.actor = c->actor;
	r.command = name_of(c);
	r.why = (char *)(uintptr_t)err_text(why);
	r.at_ms = t->now_ms;
	v.what_case = ASCOLTO__VIEW__WHAT_REFUSAL;
	v.refusal = &r;
	send_view(t, e, "view-refusal", 0, &v);
}

/* ---- all of them ---- */

static int carry_out(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Command *c = e->command;
	Ascolto__ChangeCase change = ASCOLTO__CHANGE_CASE__INIT;
	struct id id;
	int r = -EBADMSG;
	switch (c->what_case) {
	case ASCOLTO__COMMAND__WHAT_START_DRILL:
		r = drill_start(t, e, why);
		break;
	case ASCOLTO__COMMAND__WHAT_STOP_DRILL:
		r = drill_stop(t, e, c->stop_drill->reason, why);
		break;
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_INCIDENT:
		if (!id_of(c->acknowledge_incident->incident_id, &id))
			r = incident_change(t, e, &id, "acknowledge", c->actor, "", why);
		break;
	case ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT:
		if (!id_of(c->close_incident->incident_id, &id))
			r = incident_change(t, e, &id, "close", c->actor, c->close_incident->reason, why);
		break;
	case ASCOLTO__COMMAND__WHAT_ACKNOWLEDGE_CASE:
		change.case_id = c->acknowledge_case->case_id;
		change.verb = (char *)"acknowledge";
		r = case_change(t, e, &change, c->actor, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CLOSE_CASE:
		change.case_id = c->close_case->case_id;
		change.verb = (char *)"close";
		change.words = c->close_case->outcome;
		r = case_change(t, e, &change, c->actor, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CONFIRM_ALARMS:
		r = alarms_confirm(t, e, c->confirm_alarms, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CHANGE_CASE:
		r = case_change(t, e, c->change_case, c->actor, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CORRECT:
		r = correct(t, e, c->correct, why);
		break;
	case ASCOLTO__COMMAND__WHAT_OPEN_CRISIS:
		r = crisis_command(t, e, true, c->open_crisis->reason, why);
		break;
	case ASCOLTO__COMMAND__WHAT_CLOSE_CRISIS:
		r = crisis_command(t, e, false, c->close_crisis->reason, why);
		break;
	case ASCOLTO__COMMAND__WHAT_DONE_STEP:
		if (!id_of(c->done_step->incident_id, &id))
			r = incident_step_done(t, e, &id, c->done_step->number, why);
		break;
	case ASCOLTO__COMMAND__WHAT_MOVE_MESSAGE:
		if (!id_of(c->move_message->message_id, &id))
			r = message_move(t, e, &id, c->move_message->lane, why);
		break;
	case ASCOLTO__COMMAND__WHAT_PROPOSE_ANSWER:
		r = answer_propose(t, e, c->propose_answer, why);
		break;
	case ASCOLTO__COMMAND__WHAT_APPROVE_ANSWER:
		r = answer_approve(t, e, c->approve_answer, why);
		break;
	case ASCOLTO__COMMAND__WHAT_KEEP_ADVOCATE:
		r = advocate_keep(t, e, c->keep_advocate, why);
		break;
	default:
		err_set(why, -EBADMSG, "this command is not known");
	}
	return r;
}

enum verdict escalation_command(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct err cause = {0};
	if (e->command->what_case != ASCOLTO__COMMAND__WHAT_START_DRILL && drill_is_over(t, e))
		return DONE;
	int r = carry_out(t, e, &cause);
	if (r && !cause.text[0])
		err_set(&cause, r, "the command names no case, incident or message");
	if (r && !is_impossible(e->command, r)) {
		*why = cause;
		return REJECT;
	}
	if (r)
		refuse(t, e, &cause);
	else if (!audit_wrote(t)) /* every command leaves an entry, even one that changed nothing */
		note_command(t, e);
	return DONE;
}
