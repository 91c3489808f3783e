/* What becomes of a view: facts (what is shown now), consequences (the record, its place in the lists, the
 * tallies). A view is the whole new state of one thing, and an older one never comes after a newer one, so
 * nothing is merged. */
#include "services/console/console.h"
#include "services/console/rules.h"

#include "common/drill.h"

static struct console *console_of(const struct turn *t)
{
	return t->state;
}

/* Remembers what to tell the browsers once it is committed. Views of a brand that is no longer configured are
 * kept and not shown; those of a drill are shown to who asks for them, not pushed among what is real. */
static void changed(
	struct turn *t, enum change_kind kind, const char *brand, const struct id *id, const struct id *order)
{
	struct change change = {.brand = conf_brand(t->conf, brand), .id = *id};
	if (order)
		change.order = *order;
	if (change.brand && !drill_of(brand)[0])
		events_changed(console_of(t), kind, &change);
}

/* A handler changes each tally at most once: it does not see what it has put itself. */
static void tally(struct turn *t, const char *brand, enum tally n, int by)
{
	State__Counter c = STATE__COUNTER__INIT;
	if (!by)
		return;
	int64_t value = read_tally(t->txn, t->arena, t->key_group, brand, n) + by;
	struct key k = tally_key(t->key_group, brand, n);
	c.value = (uint64_t)MAX(value, 0);
	turn_put(t, &k, &c);
}

static void put_row(struct turn *t, const struct key *list, int64_t ms, const struct id *id)
{
	State__Seen row = STATE__SEEN__INIT;
	struct key k = list_row_key(list, ms, id);
	row.message_id = id_bytes(id);
	row.at_ms = ms;
	turn_put(t, &k, &row);
}

static void del_row(struct turn *t, const struct key *list, int64_t ms, const struct id *id)
{
	struct key k = list_row_key(list, ms, id);
	turn_del(t, &k);
}

/* What is shown now: NULL when nothing is, or when it is damaged (then the view repairs it). False: the store
 * can not say. */
static bool shown(
	struct turn *t, enum console_table table, const struct id *id, void *ret_old, struct err *why)
{
	struct key k = record_key(table, t->key_group, id);
	*(void **)ret_old = NULL;
	int r = turn_get(t, &console_tables[table], &k, ret_old);
	if (!r || r == -ENOENT || r == -EBADMSG)
		return true;
	err_set(why, r, "what is shown now can not be read: %s", strerror(-r));
	return false;
}

static void put_record(struct turn *t, enum console_table table, const struct id *id, const void *record)
{
	struct key k = record_key(table, t->key_group, id);
	turn_put(t, &k, record);
}

/* ---- ARM records ---- */

static void move_in_thread(
	struct turn *t, const Ascolto__ArmRecord *old, const Ascolto__ArmRecord *arm, const struct id *id)
{
	struct id before, after;
	bool had = old && id_of(old->case_id, &before) == 0, has = id_of(arm->case_id, &after) == 0;
	bool same = had && has && id_eq(&before, &after) && old->occurred_ms == arm->occurred_ms;
	if (had && !same) {
		struct key list = thread_key(t->key_group, &before);
		del_row(t, &list, old->occurred_ms, id);
	}
	if (has && !same) {
		struct key list = thread_key(t->key_group, &after);
		put_row(t, &list, arm->occurred_ms, id);
	}
}

static enum verdict show_arm(
	struct turn *t, const char *brand, const Ascolto__ArmRecord *arm, struct err *why)
{
	struct id id;
	Ascolto__ArmRecord *old;
	if (id_of(arm->message_id, &id)) {
		err_set(why, -EINVAL, "an ARM record without the id of its message");
		return REJECT;
	}
	if (!shown(t, MESSAGES, &id, &old, why))
		return RETRY;
	struct key inbox = inbox_key(t->key_group, brand);
	if (old && old->occurred_ms != arm->occurred_ms)
		del_row(t, &inbox, old->occurred_ms, &id);
	if (!old || old->occurred_ms != arm->occurred_ms)
		put_row(t, &inbox, arm->occurred_ms, &id);
	move_in_thread(t, old, arm, &id);
	put_record(t, MESSAGES, &id, arm);
	if (!old) {
		turn_count(t, "messages_shown", 1);
		tally(t, brand, TALLY_MESSAGES, 1);
	}
	changed(t, CHANGED_MESSAGE, brand, &id, NULL);
	return DONE;
}

/* ---- cases ---- */

/* Open, or solved in private while the public place does not know it yet. */
static bool wants_somebody(const Ascolto__Case *c)
{
	return c && (case_is_open((int)c->state) || c->closing_note_due);
}

static enum verdict show_case(struct turn *t, const char *brand, const Ascolto__Case *c, struct err *why)
{
	struct id id;
	Ascolto__Case *old;
	if (id_of(c->id, &id)) {
		err_set(why, -EINVAL, "a case without an id");
		return REJECT;
	}
	if (!shown(t, CASES, &id, &old, why))
		return RETRY;
	bool was_open = wants_somebody(old), open = wants_somebody(c);
	bool moves = !old || was_open != open || old->updated_ms != c->updated_ms;
	if (old && moves) {
		struct key list = case_list_key(t->key_group, brand, was_open);
		del_row(t, &list, old->updated_ms, &id);
	}
	if (moves) {
		struct key list = case_list_key(t->key_group, brand, open);
		put_row(t, &list, c->updated_ms, &id);
	}
	put_record(t, CASES, &id, c);
	tally(t, brand, TALLY_CASES, !old);
	tally(t, brand, TALLY_OPEN_CASES, open - was_open);
	changed(t, CHANGED_CASE, brand, &id, NULL);
	return DONE;
}

/* ---- incidents ---- */

static enum tally code_tally(int code)
{
	return code >= 0 && code <= 3 ? (enum tally)((int)TALLY_INCIDENTS_NONE + code) : TALLY_INCIDENTS_NONE;
}

static enum verdict show_incident(
	struct turn *t, const char *brand, const Ascolto__Incident *i, struct err *why)
{
	struct id id;
	Ascolto__Incident *old;
	if (id_of(i->id, &id)) {
		err_set(why, -EINVAL, "an incident without an id");
		return REJECT;
	}
	if (!shown(t, INCIDENTS, &id, &old, why))
		return RETRY;
	bool was_open = old && !old->closed_ms, open = !i->closed_ms;
	bool moves = !old || was_open != open || old->opened_ms != i->opened_ms;
	if (old && moves) {
		struct key list = incident_list_key(t->key_group, brand, was_open);
		del_row(t, &list, old->opened_ms, &id);
	}
	if (moves) {
		struct key list = incident_list_key(t->key_group, brand, open);
		put_row(t, &list, i->opened_ms, &id);
	}
	put_record(t, INCIDENTS, &id, i);
	if (!old || old->code != i->code) {
		if (old)
			tally(t, brand, code_tally((int)old->code), -1);
		tally(t, brand, code_tally((int)i->code), 1);
	}
	tally(t, brand, TALLY_OPEN_INCIDENTS, open - was_open);
	changed(t, CHANGED_INCIDENT, brand, &id, NULL);
	return DONE;
}

/* ---- deliveries ---- */

static enum verdict show_delivery(
	struct turn *t, const char *brand, const Ascolto__Outcome *o, struct err *why)
{
	struct id order, subject = delivery_subject(o);
	Ascolto__Outcome *old = NULL;
	if (id_of(o->order_id, &order)) {
		err_set(why, -EINVAL, "a delivery that names no order");
		return REJECT;
	}
	struct key k = delivery_key(t->key_group, &subject, &order);
	int r = turn_get(t, &console_tables[DELIVERIES], &k, &old);
	if (r && r != -ENOENT && r != -EBADMSG) {
		err_set(why, r, "what is shown now can not be read: %s", strerror(-r));
		return RETRY;
	}
	bool was_sent = !r && old->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT;
	bool sent = o->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT;
	turn_put(t, &k, o);
	tally(t, brand, TALLY_ALERTS_SENT, delivery_is_answer(o) ? 0 : sent - was_sent);
	changed(t, CHANGED_DELIVERY, brand, &subject, &order);
	return DONE;
}

/* ---- crisis mode, answers to many ---- */

/* The counts, which every push to the browsers ends with, say whether there is a crisis. */
static enum verdict show_crisis(struct turn *t, const char *brand, const Ascolto__Crisis *c)
{
	struct id id = {0};
	struct key k = crisis_key(t->key_group, brand);
	turn_put(t, &k, c);
	changed(t, CHANGED_CRISIS, brand, &id, NULL);
	return DONE;
}

/* How many alarms wait for a person's word. */
static enum verdict show_held_alarms(struct turn *t, const char *brand, const Ascolto__HeldAlarms *held)
{
	struct id id = {0};
	int64_t before = read_tally(t->txn, t->arena, t->key_group, brand, TALLY_HELD_ALARMS);
	tally(t, brand, TALLY_HELD_ALARMS, (int)((int64_t)held->count - before));
	changed(t, CHANGED_CRISIS, brand, &id, NULL);
	return DONE;
}

static enum verdict show_answer(struct turn *t, const char *brand, const Ascolto__Answer *a, struct err *why)
{
	struct id id, subject;
	if (id_of(a->id, &id) || id_of(a->case_id.len ? a->case_id : a->incident_id, &subject)) {
		err_set(why, -EINVAL, "an answer without an id, a case or an incident");
		return REJECT;
	}
	struct key k = answer_key(t->key_group, &subject, &id);
	turn_put(t, &k, a);
	changed(t, CHANGED_ANSWER, brand, &subject, &id);
	return DONE;
}

static enum verdict show_advocate(struct turn *t, const char *brand, const Ascolto__Advocate *a, struct err *why)
{
	struct id id;
	if (id_of(a->customer_id, &id)) {
		err_set(why, -EINVAL, "an advocate without an id");
		return REJECT;
	}
	struct key k = advocate_key(t->key_group, brand, &id);
	if (a->removed)
		turn_del(t, &k);
	else
		turn_put(t, &k, a);
	changed(t, CHANGED_ADVOCATE, brand, &id, NULL);
	return DONE;
}

/* The oldest make room. */
static void forget_refusals(struct turn *t, const char *brand)
{
	struct key list = refusals_key(t->key_group, brand);
	struct span key, value;
	struct cursor *c;
	int r;
	if (cursor_open(t->txn, &list, NULL, &c))
		return;
	for (size_t n = 1; (r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG; n++) {
		struct key old = {.len = (uint16_t)key.len};
		if (n < REFUSALS_MAX)
			continue;
		memcpy(old.data, key.data, key.len);
		turn_del(t, &old);
	}
	cursor_close(&c);
}

static enum verdict show_refusal(
	struct turn *t, const char *brand, const Ascolto__Refusal *r, struct err *why)
{
	struct id id;
	if (id_of(r->command_id, &id)) {
		err_set(why, -EINVAL, "a refusal that names no command");
		return REJECT;
	}
	struct key k = refusal_key(t->key_group, brand, &id);
	forget_refusals(t, brand);
	turn_put(t, &k, r);
	changed(t, CHANGED_REFUSAL, brand, &id, NULL);
	return DONE;
}

/* ---- heads of the audit log ---- */

/* The last one of each hour is kept for good: a log that was cut off or rewritten does not agree with them. A head that
 * goes back never takes the place of one that went further. */
static enum verdict keep_head(struct turn *t, const char *brand, const Ascolto__AuditHead *h, struct err *why)
{
	Ascolto__AuditHead *old;
	struct key k = audit_head_key(t->key_group, brand, h->at_ms);
	int r = turn_get(t, &console_tables[AUDIT_HEADS], &k, &old);
	if (r && r != -ENOENT && r != -EBADMSG) {
		err_set(why, r, "what is kept now can not be read: %s", strerror(-r));
		return RETRY;
	}
	if (r || h->number >= old->number)
		turn_put(t, &k, h);
	return DONE;
}

/* ---- what comes ---- */

enum verdict handle_view(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__View *v = e->view;
	const char *brand = e->brand;
	enum verdict verdict = REJECT;
	if (str_empty(brand) || brand_group(brand) != t->key_group) {
		err_set(why, -EINVAL, "a view that is not in the stream of its brand \"%s\"", brand);
		return REJECT;
	}
	switch (v->what_case) {
	case ASCOLTO__VIEW__WHAT_ARM:
		verdict = show_arm(t, brand, v->arm, why);
		break;
	case ASCOLTO__VIEW__WHAT_CASE:
		verdict = show_case(t, brand, v->case_, why);
		break;
	case ASCOLTO__VIEW__WHAT_INCIDENT:
		verdict = show_incident(t, brand, v->incident, why);
		break;
	case ASCOLTO__VIEW__WHAT_DELIVERY:
		verdict = show_delivery(t, brand, v->delivery, why);
		break;
	case ASCOLTO__VIEW__WHAT_CRISIS:
		verdict = show_crisis(t, brand, v->crisis);
		break;
	case ASCOLTO__VIEW__WHAT_ANSWER:
		verdict = show_answer(t, brand, v->answer, why);
		break;
	case ASCOLTO__VIEW__WHAT_HELD_ALARMS:
		verdict = show_held_alarms(t, brand, v->held_alarms);
		break;
	case ASCOLTO__VIEW__WHAT_ADVOCATE:
		verdict = show_advocate(t, brand, v->advocate, why);
		break;
	case ASCOLTO__VIEW__WHAT_REFUSAL:
		verdict = show_refusal(t, brand, v->refusal, why);
		break;
	case ASCOLTO__VIEW__WHAT_AUDIT:
		verdict = keep_head(t, brand, v->audit, why);
		break;
	default:
		err_set(why, -EINVAL, "a view of a kind this version does not know");
	}
	if (verdict == DONE)
		turn_count(t, "views", 1);
	return verdict;
}

/* What a person decided, checked by change.c and submitted locally: on its way to escalation once it is
 * committed here. */
enum verdict handle_command(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	if (str_empty(e->brand) || str_empty(e->command->actor) || !e->command->what_case) {
		err_set(why, -EINVAL, "a command without brand, actor or content");
		return REJECT;
	}
	Ascolto__Envelope *out = turn_envelope(t, e, "command", 0);
	out->body_case = ASCOLTO__ENVELOPE__BODY_COMMAND;
	out->command = e->command;
	turn_emit(t, 0, LANE_URGENT, out, span_str(e->brand));
	turn_count(t, "commands", 1);
	return DONE;
}
