#include "services/console/state.h"

const struct table console_tables[] = {
	[MESSAGES] = {0x20, "messages", &ascolto__arm_record__descriptor, "message id: its ARM record"},
	[INBOX] = {0x21, "inbox", &state__seen__descriptor, "brand; newest occurred first, message id"},
	[THREAD] = {0x22, "thread", &state__seen__descriptor, "case id; newest occurred first, message id"},
	[CASES] = {0x23, "cases", &ascolto__case__descriptor, "case id"},
	[CASE_LIST] = {0x24, "case_list", &state__seen__descriptor,
		"brand; 0 open 1 done, newest updated first, case id"},
	[INCIDENTS] = {0x25, "incidents", &ascolto__incident__descriptor, "incident id"},
	[INCIDENT_LIST] = {0x26, "incident_list", &state__seen__descriptor,
		"brand; 0 open 1 done, newest opened first, incident id"},
	[DELIVERIES] = {0x27, "deliveries", &ascolto__outcome__descriptor, "incident or case id, order id"},
	[TALLIES] = {0x28, "tallies", &state__counter__descriptor, "brand; name: how many there are"},
	[CRISES] = {0x29, "crises", &ascolto__crisis__descriptor, "brand: whether it is in crisis mode"},
	[ANSWERS] = {0x2a, "answers", &ascolto__answer__descriptor,
		"case or incident id, answer id: an answer to one or to many"},
	[AUDIT_HEADS] = {0x2b, "audit_heads", &ascolto__audit_head__descriptor,
		"brand; hour: the last head of escalation's audit log seen in it"},
	[ADVOCATES] = {0x2c, "advocates", &ascolto__advocate__descriptor,
		"brand; customer id: who speaks well of it"},
	[REFUSALS] = {0x2d, "refusals", &ascolto__refusal__descriptor,
		"brand; newest first, command id: what could not be done"},
	{0},
};

static const char *const tally_names[TALLIES_ALL] = {
	[TALLY_MESSAGES] = "messages",
	[TALLY_CASES] = "cases",
	[TALLY_OPEN_CASES] = "open_cases",
	[TALLY_INCIDENTS_NONE] = "incidents_none",
	[TALLY_INCIDENTS_GREEN] = "incidents_green",
	[TALLY_INCIDENTS_YELLOW] = "incidents_yellow",
	[TALLY_INCIDENTS_RED] = "incidents_red",
	[TALLY_OPEN_INCIDENTS] = "open_incidents",
	[TALLY_ALERTS_SENT] = "alerts_sent",
	[TALLY_HELD_ALARMS] = "held_alarms",
};

/* ---- keys ---- */

struct key record_key(enum console_table table, uint8_t group, const struct id *id)
{
	struct key k = turn_key_in(group, &console_tables[table]);
	key_id(&k, id);
	return k;
}

static struct key brand_key(enum console_table table, uint8_t group, const char *brand)
{
	struct key k = turn_key_in(group, &console_tables[table]);
	key_name(&k, brand);
	return k;
}

struct key inbox_key(uint8_t group, const char *brand)
{
	return brand_key(INBOX, group, brand);
}

struct key thread_key(uint8_t group, const struct id *case_id)
{
	return record_key(THREAD, group, case_id);
}

struct key case_list_key(uint8_t group, const char *brand, bool open)
{
	struct key k = brand_key(CASE_LIST, group, brand);
	key_u8(&k, !open);
	return k;
}

struct key incident_list_key(uint8_t group, const char *brand, bool open)
{
	struct key k = brand_key(INCIDENT_LIST, group, brand);
	key_u8(&k, !open);
	return k;
}

struct key list_row_key(const struct key *list, int64_t ms, const struct id *id)
{
	struct key k = *list;
	key_ms_newest(&k, ms);
	key_id(&k, id);
	return k;
}

struct key deliveries_key(uint8_t group, const struct id *subject)
{
	return record_key(DELIVERIES, group, subject);
}

struct key delivery_key(uint8_t group, const struct id *subject, const struct id *order)
{
	struct key k = deliveries_key(group, subject);
	key_id(&k, order);
	return k;
}

struct key crisis_key(uint8_t group, const char *brand)
{
	return brand_key(CRISES, group, brand);
}

struct key answers_key(uint8_t group, const struct id *subject)
{
	return record_key(ANSWERS, group, subject);
}

struct key answer_key(uint8_t group, const struct id *subject, const struct id *answer)
{
	struct key k = answers_key(group, subject);
	key_id(&k, answer);
	return k;
}

struct key tally_key(uint8_t group, const char *brand, enum tally n)
{
	struct key k = brand_key(TALLIES, group, brand);
	key_str(&k, tally_names[n]);
	return k;
}

struct key advocates_key(uint8_t group, const char *brand)
{
	return brand_key(ADVOCATES, group, brand);
}

struct key advocate_key(uint8_t group, const char *brand, const struct id *customer)
{
	struct key k = advocates_key(group, brand);
	key_id(&k, customer);
	return k;
}

struct key refusals_key(uint8_t group, const char *brand)
{
	return brand_key(REFUSALS, group, brand);
}

struct key refusal_key(uint8_t group, const char *brand, const struct id *command)
{
	struct key list = refusals_key(group, brand);
	return list_row_key(&list, id_ms(command), command);
}

struct key audit_heads_key(uint8_t group, const char *brand)
{
	return brand_key(AUDIT_HEADS, group, brand);
}

struct key audit_head_key(uint8_t group, const char *brand, int64_t at_ms)
{
	struct key k = audit_heads_key(group, brand);
	key_ms(&k, at_ms - at_ms % 3600000);
	return k;
}

bool delivery_is_answer(const Ascolto__Outcome *o)
{
	return str_eq(o->template_, "answer");
}

struct id delivery_subject(const Ascolto__Outcome *o)
{
	struct id id = {0};
	bool to_incident = !delivery_is_answer(o) && id_of(o->incident_id, &id) == 0;
	if (!to_incident && id_of(o->case_id, &id))
		memset(&id, 0, sizeof(id));
	return id;
}

/* ---- reading ---- */

/* The time a record is listed under: what its index row must say, too. */
static int64_t listed_ms(enum console_table records, const void *record)
{
	switch (records) {
	case MESSAGES:
		return ((const Ascolto__ArmRecord *)record)->occurred_ms;
	case CASES:
		return ((const Ascolto__Case *)record)->updated_ms;
	default:
		return ((const Ascolto__Incident *)record)->opened_ms;
	}
}

static const void *row_record(
	struct txn *t, struct arena *a, enum console_table records, uint8_t group, struct span value)
{
	struct id id;
	void *record;
	State__Seen *row = state__seen__unpack(arena_pb(a), value.len, value.data);
	if (!row || id_of(row->message_id, &id))
		return NULL;
	struct key k = record_key(records, group, &id);
	if (svc_read(t, a, &console_tables[records], &k, &record))
		return NULL;
	return listed_ms(records, record) == row->at_ms ? record : NULL;
}

int list_walk(struct txn *t, struct arena *a, const struct key *list, enum console_table records,
	const struct list_place *after, list_fn *fn, void *ctx)
{
	struct cursor *c;
	struct span key, value;
	struct key from = *list;
	if (after) {
		from = list_row_key(list, after->ms, &after->id);
		key_u8(&from, 0); /* the next one after it */
	}
	int r = cursor_open(t, list, &from, &c);
	if (r)
		return r;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) {
		const void *record = r ? NULL : row_record(t, a, records, list->data[1], value);
		if (record && !fn(ctx, record))
			break;
	}
	cursor_close(&c);
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

int64_t read_tally(struct txn *t, struct arena *a, uint8_t group, const char *brand, enum tally n)
{
	State__Counter *c;
	struct key k = tally_key(group, brand, n);
	return svc_read(t, a, &console_tables[TALLIES], &k, &c) == 0 ? (int64_t)c->value : 0;
}
