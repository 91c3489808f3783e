#include "tests/bench/decide/people.h"

#include "common/pack.h"
#include "services/escalation/escalation.h"
#include "tests/bench/decide/load.h"

#define YEAR_MS ((int64_t)365 * 86400000)
#define PER_COMMIT 5000
#define STEP 7919 /* a prime: steps through any other number of customers meet everybody once */

struct id people_id(uint64_t n)
{
	/* In order of their numbers, as if each had first written a while after the one before. */
	return id_from(LOAD_START_MS - 10 * YEAR_MS + (int64_t)(n * 7), span_of(&n, sizeof(n)));
}

static struct id case_id(uint64_t place)
{
	return id_from(LOAD_START_MS - 2 * YEAR_MS + (int64_t)(place * 2), span_of(&place, sizeof(place)));
}

/* Where the case of customer n stands: the inverse of n = place * STEP mod customers. */
static uint64_t inverse_of_step(uint64_t customers)
{
	for (uint64_t k = 0; k < STEP; k++)
		if ((k * customers + 1) % STEP == 0)
			return (k * customers + 1) / STEP;
	return 1;
}

struct writer {
	struct store *store;
	struct txn *txn;
	struct arena arena;
	uint64_t n;
	uint8_t group;
};

static int put(struct writer *w, int table, const struct id *id, const ProtobufCMessage *m, struct err *e)
{
	struct key k = turn_key_in(w->group, &escalation_tables[table]);
	int r = w->txn ? 0 : txn_begin_write(w->store, &w->txn, e);
	key_id(&k, id);
	r = r ? r : txn_put(w->txn, &k, pack_message(&w->arena, m));
	arena_reset(&w->arena);
	if (r)
		return err_set(e, r, "can not fill the store: %s", strerror(-r));
	return ++w->n % PER_COMMIT ? 0 : txn_commit(&w->txn, e);
}

static int put_case(struct writer *w, uint64_t place, uint64_t customer, struct err *e)
{
	struct id id = case_id(place), who = people_id(customer);
	bool open = people_has_open_case(customer);
	Ascolto__Case c = ASCOLTO__CASE__INIT;
	Ascolto__Clock clocks[2] = {ASCOLTO__CLOCK__INIT, ASCOLTO__CLOCK__INIT};
	ProtobufCBinaryData talk = id_bytes(&who);
	char name[32];
	snprintf(name, sizeof(name), "Customer %" PRIu64, customer);
	clocks[0].allowed_ms = 1800000;
	clocks[1].allowed_ms = 28800000;
	clocks[0].spent_ms = 1234567;
	if (open) { /* it has been waited for too long, and that was said */
		clocks[1].since_ms = id_ms(&id);
		clocks[1].late = c.late = true;
		c.resolve_due_ms = id_ms(&id) + clocks[1].allowed_ms;
	}
	c.id = id_bytes(&id);
	c.brand = (char *)LOAD_BRAND;
	c.customer_id = c.last_message_id = talk;
	c.customer = name;
	c.title = (char *)"since the last update nothing works here any more and nobody answers the phone";
	c.kind = (char *)"fault";
	c.code = ASCOLTO__CODE__CODE_YELLOW;
	c.state = open ? ASCOLTO__CASE_STATE__CASE_STATE_IN_PROGRESS : ASCOLTO__CASE_STATE__CASE_STATE_CLOSED;
	c.owner = (char *)"desk";
	c.lane = (char *)"service";
	c.conversations = &talk;
	c.n_conversations = 1;
	c.messages = 3;
	c.opened_ms = c.updated_ms = c.acknowledged_ms = c.decided_ms = id_ms(&id);
	c.closed_ms = c.solved_ms = open ? 0 : LOAD_START_MS - YEAR_MS;
	c.closed_reason = open ? c.closed_reason : (char *)"solved";
	c.channel = (char *)"posts";
	c.language = (char *)"it";
	c.acknowledge_clock = &clocks[0];
	c.resolve_clock = &clocks[1];
	c.playbook = (char *)"bench 1";
	return put(w, CASES, &id, &c.base, e);
}

static int put_open_case(struct writer *w, uint64_t customer, struct id id, struct err *e)
{
	struct id who = people_id(customer);
	State__OpenCase row = STATE__OPEN_CASE__INIT;
	row.case_id = id_bytes(&id);
	row.closed_ms = people_has_open_case(customer) ? 0 : LOAD_START_MS - YEAR_MS;
	return put(w, OPEN_CASES, &who, &row.base, e);
}

int people_fill(const char *folder, uint64_t customers, struct err *e)
{
	struct store_options o = {.path = folder,
		.service = "escalation",
		.map_size = (size_t)48 << 30,
		.now_ms = LOAD_START_MS};
	struct writer w = {.group = key_group_of(span_str(LOAD_BRAND))};
	uint64_t back = inverse_of_step(customers);
	arena_init(&w.arena, (size_t)1 << 20);
	int r = store_open(&w.store, &o, e);
	/* Two in three in order, then those between: pages are as full as they are after random insertions,
	 * not to the brim. */
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint64_t p = 0; p < customers && !r; p++)
			r = (p % 3 == 2) == pass ? put_case(&w, p, p * STEP % customers, e) : 0;
		for (uint64_t n = 0; n < customers && !r; n++)
			r = (n % 3 == 2) == pass ? put_open_case(&w, n, case_id(n * back % customers), e) : 0;
	}
	if (!r && w.txn)
		r = txn_commit(&w.txn, e);
	txn_abort(&w.txn);
	store_close(&w.store);
	arena_free(&w.arena);
	return r;
}
