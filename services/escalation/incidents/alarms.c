/*
 * Alarms of chains that fell due together while nobody was there to ring: after a jump of the clock, or a long stop. Calling
 * them all would wake everybody for what is long over, so an alarm that is late by ALARM_LATE_MS waits ALARM_GATHER_MS for
 * others; up to ALARMS_AT_ONCE of them then ring, more are held and one notice asks a person whether to call (all of them) or
 * to drop them. The notice goes through the chain of a red incident, as any alarm does, until somebody decides.
 */
#include "services/escalation/evidence/audit.h"
#include "services/escalation/escalation.h"

#define ALARM_LATE_MS 5000
#define ALARM_GATHER_MS 2000

static struct key prefix_of(const struct turn *t, const struct brand *b)
{
	struct key k = turn_key(t, &escalation_tables[HELD_ALARMS]);
	key_name(&k, b->name);
	return k;
}

/* How many are held; counting ends at `max`. */
static size_t count_held(struct turn *t, const struct brand *b, size_t max)
{
	struct key prefix = prefix_of(t, b);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t->txn, &prefix, NULL, &c))
		return 0;
	while (n < max && cursor_next(c, &key, &value) == 0)
		n++;
	cursor_close(&c);
	return n;
}

static void show(struct turn *t, const Ascolto__Envelope *cause, const struct brand *b, size_t n, const char *decided_by)
{
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	Ascolto__HeldAlarms held = ASCOLTO__HELD_ALARMS__INIT;
	held.brand = (char *)(uintptr_t)b->name;
	held.count = (uint32_t)n;
	held.since_ms = n ? t->now_ms : 0;
	held.decided_by = (char *)(uintptr_t)decided_by;
	v.what_case = ASCOLTO__VIEW__WHAT_HELD_ALARMS;
	v.held_alarms = &held;
	send_view(t, cause, "view-alarms", 0, &v);
}

bool alarm_is_held(struct turn *t, const Ascolto__Envelope *e)
{
	const struct brand *b = brand_find(t->state, e->brand);
	State__HeldAlarm row = STATE__HELD_ALARM__INIT;
	struct id id;
	if (!b || t->now_ms - e->timer->due_ms <= ALARM_LATE_MS || id_of(e->id, &id))
		return false;
	size_t size = ascolto__envelope__get_packed_size(e);
	uint8_t *packed = arena_alloc(t->arena, size + 1);
	if (!packed)
		return false; /* better to ring */
	if (!count_held(t, b, 1))
		set_timer(t, e, ALARMS_TIMER, NULL, 0, t->now_ms + ALARM_GATHER_MS);
	row.timer = (ProtobufCBinaryData){ascolto__envelope__pack(e, packed), packed};
	row.held_ms = t->now_ms;
	struct key k = prefix_of(t, b);
	key_ms(&k, e->timer->due_ms);
	key_id(&k, &id);
	turn_put(t, &k, &row);
	return true;
}

/* Every one of them is a timer again that is due now, or is gone. */
static size_t let_go(struct turn *t, const struct brand *b, bool ring)
{
	struct key prefix = prefix_of(t, b);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t->txn, &prefix, NULL, &c))
		return 0;
	for (; cursor_next(c, &key, &value) == 0; n++) {
		State__HeldAlarm *row = state__held_alarm__unpack(arena_pb(t->arena), value.len, value.data);
		Ascolto__Envelope *e =
			row ? ascolto__envelope__unpack(arena_pb(t->arena), row->timer.len, row->timer.data) : NULL;
		struct key k = {.len = (uint16_t)key.len};
		memcpy(k.data, key.data, key.len);
		turn_del(t, &k);
		if (!ring || !e || !e->timer)
			continue;
		e->timer->due_ms = t->now_ms;
		turn_timer(t, e, t->now_ms);
	}
	cursor_close(&c);
	return n;
}

/* The n-th actor of a red incident's chain is asked. */
static void ask(struct turn *t, const Ascolto__Envelope *e, const struct brand *b, size_t n, unsigned call)
{
	const struct playbook_incident *red = playbook_incident(b->playbook, CODE_RED);
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	struct id id;
	char tag[ID_TEXT + 1] = "";
	bool it = brand_speaks_italian(t, b->name);
	if (!red || call >= red->chain_count || id_of(e->id, &id))
		return;
	o.template_ = (char *)"alarms_held";
	o.code = ASCOLTO__CODE__CODE_RED;
	o.subject = arena_printf(t->arena,
		it ? "[CONFERMA] %s: %zu allarmi scaduti tutti insieme" : "[CONFIRM] %s: %zu alarms fell due together",
		brand_title(t, b->name), n);
	o.text = arena_printf(t->arena,
		it ? "%s\n\nL'orologio è saltato, o il servizio è rimasto fermo a lungo. Nessuno è stato chiamato.\n"
		     "Decidete nella console se chiamare tutti o lasciar cadere gli allarmi.\n"
		   : "%s\n\nThe clock jumped, or the service stood still for long. Nobody was called.\n"
		     "Decide in the console whether to call everybody or to drop the alarms.\n",
		o.subject);
	order_to_actor(t, e, b->playbook, red->chain[call].actor, &o, id_format(&id, tag), call);
	if (call + 1 < red->chain_count)
		set_timer(t, e, ALARMS_TIMER, NULL, call + 1,
			t->now_ms + (int64_t)(red->chain[call + 1].after_minutes - red->chain[call].after_minutes) * 60000);
}

int alarms_gathered(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	size_t n = b ? count_held(t, b, SIZE_MAX) : 0;
	if (!b)
		return err_set(why, -ENOENT, "held alarms of a brand that is not in the configuration");
	if (!n)
		return 0; /* somebody decided */
	if (n <= ALARMS_AT_ONCE && !e->timer->number) {
		let_go(t, b, true);
		return 0;
	}
	show(t, e, b, n, "");
	ask(t, e, b, n, (unsigned)e->timer->number);
	return 0;
}

int alarms_confirm(struct turn *t, const Ascolto__Envelope *e, const Ascolto__ConfirmAlarms *what, struct err *why)
{
	const struct brand *b = brand_find(t->state, e->brand);
	if (!b)
		return err_set(why, -ENOENT, "brand \"%s\" is not in the configuration", e->brand);
	size_t n = let_go(t, b, what->call);
	if (!n)
		return err_set(why, -EINVAL, "no alarms are held any more");
	audit_add(t, e, &(struct audit_note){.what = what->call ? "alarms_called" : "alarms_dropped", .who = e->command->actor,
		.by = BY_PERSON, .detail = arena_printf(t->arena, "%zu alarms", n)});
	show(t, e, b, 0, e->command->actor);
	return 0;
}
