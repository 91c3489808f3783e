/* Orders, timers and the ends of calls: facts, decision (rules.c), consequences. */
#include "notification.h"
#include "rules.h"
#include "state.h"

#include "common/drill.h"

#define PRUNE_MAX 2000 /* in one turn */

#define RESULT(word) ASCOLTO__DELIVERY_RESULT__DELIVERY_##word

static char *unconst(const char *s)
{
	return (char *)(uintptr_t)s; /* protobuf-c has no const; nothing writes to it */
}

/* RETRY for what the store could not give; afterwards it is in quarantine with these words. */
static enum verdict unreadable(struct err *why, int r)
{
	err_set(why, r, "the delivery can not be read: %s",
		r == -EBADMSG ? "its checksum is wrong" : strerror(-r));
	return RETRY;
}

static void put_attempt_timer(struct turn *t, const Ascolto__Envelope *cause, const char *tag, uint64_t n,
	ProtobufCBinaryData order, int64_t due_ms)
{
	Ascolto__Timer timer = ASCOLTO__TIMER__INIT;
	Ascolto__Envelope *e = turn_envelope(t, cause, tag, n);
	timer.purpose = unconst(PURPOSE_ATTEMPT);
	timer.subject_id = order;
	timer.due_ms = due_ms;
	timer.number = n;
	e->body_case = ASCOLTO__ENVELOPE__BODY_TIMER;
	e->timer = &timer;
	turn_timer(t, e, due_ms);
}

/* ------------------------------------------------------------------------------------------------ orders */

static void list_destinations(const struct conf *c, const char *brand, char *out, size_t size)
{
	size_t n = 0;
	snprintf(out, size, "none");
	for (unsigned i = 0; i < c->destinations_count && n < size; i++)
		if (str_eq(c->destinations[i].brand, brand))
			n += (size_t)snprintf(
				out + n, size - n, "%s%s", n ? ", " : "", c->destinations[i].name);
}

static enum verdict check_order(struct turn *t, const Ascolto__Order *o, struct id *ret_id, struct err *why)
{
	char list[300];
	const struct conf_destination *d = destination_conf(t->conf, o->destination);
	if (id_of(o->id, ret_id)) {
		err_set(why, -EINVAL, "the order has no id");
		return REJECT;
	}
	const struct conf_brand *brand = conf_brand(t->conf, o->brand);
	if (d && brand && str_eq(d->brand, brand->name))
		return DONE;
	list_destinations(t->conf, o->brand, list, sizeof(list));
	err_set(why, -ENOENT, "brand %.60s has no destination \"%.60s\" (it has: %s)", o->brand,
		o->destination, list);
	return REJECT;
}

static void end_delivery(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, State__Delivery *d,
	const char *counter);

/* An order of a drill says so first, in subject and text. */
static void say_drill(struct turn *t, const Ascolto__Envelope *e, Ascolto__Order *o)
{
	if (str_empty(o->drill))
		o->drill = e->drill;
	if (str_empty(o->drill))
		return;
	o->subject = arena_printf(t->arena, "[" DRILL_WORDS "] %s", o->subject);
	o->text = arena_printf(t->arena,
		DRILL_WORDS "\n\nThis is an exercise, nothing has happened. Act as if it were real; nothing you do leaves the "
		"house.\nQuesta è un'esercitazione, non è successo nulla. Agire come se fosse vero; nulla esce "
		"dall'azienda.\nConsole: ?brand=%s\n\n%s", o->brand, o->text);
}

/* Not told in a drill: what is not a person's device, and customers in any case. */
static bool is_withheld(const struct turn *t, const Ascolto__Order *o)
{
	const struct conf_destination *d = destination_conf(t->conf, o->destination);
	if (str_empty(o->drill) || !d)
		return false;
	return o->reply || (d->drills ? !*d->drills : !str_eq(d->kind, "mail"));
}

enum verdict handle_order(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct id id;
	State__Seen *before, seen = STATE__SEEN__INIT;
	State__Delivery d = STATE__DELIVERY__INIT;
	if (check_order(t, e->order, &id, why) != DONE)
		return REJECT;
	struct key orders = orders_key(t->key_group, &id), open = open_key(t->key_group, &id);
	int r = turn_get(t, &notification_tables[ORDERS], &orders, &before);
	if (r == 0)
		return DONE; /* it came again */
	if (r != -ENOENT)
		return unreadable(why, r);
	Ascolto__Order order = *e->order;
	order.not_after_ms = deadline_of(t->now_ms, order.not_after_ms);
	say_drill(t, e, &order);
	if (!order.subject || !order.text)
		return RETRY;
	seen.message_id = e->trace_id;
	seen.at_ms = t->now_ms;
	d.order = &order;
	d.result = RESULT(PLANNED);
	d.next_attempt_ms = t->now_ms;
	turn_put(t, &orders, &seen);
	if (is_withheld(t, &order)) {
		d.result = RESULT(WITHHELD);
		d.detail = unconst("a drill, and this destination takes no part in drills");
		end_delivery(t, e, &id, &d, "withheld");
		return DONE;
	}
	turn_put(t, &open, &d);
	put_attempt_timer(t, e, "attempt", 0, e->order->id, t->now_ms);
	turn_count(t, "orders", 1);
	return DONE;
}

/* ------------------------------------------------------------------------------------------------ what
 * became of it */

static void emit_outcome(struct turn *t, const Ascolto__Envelope *cause, const State__Delivery *d)
{
	Ascolto__Outcome o = ASCOLTO__OUTCOME__INIT;
	Ascolto__Envelope *e = turn_envelope(t, cause, "outcome", d->attempts);
	const Ascolto__Order *order = d->order;
	o.order_id = order->id;
	o.destination = order->destination;
	o.result = d->result;
	o.detail = d->detail;
	o.attempts = d->attempts;
	o.at_ms = t->now_ms;
	o.incident_id = order->incident_id;
	o.case_id = order->case_id;
	o.code = order->code;
	o.subject = order->subject;
	o.template_ = order->template_;
	o.drill = order->drill;
	e->brand = order->brand;
	e->drill = order->drill;
	e->body_case = ASCOLTO__ENVELOPE__BODY_OUTCOME;
	e->outcome = &o;
	turn_emit(t, NOTIFICATION_TO_ESCALATION, LANE_URGENT, e, span_str(order->brand));
}

static void note(void *state, void *arg)
{
	destination_note(state, arg);
}

/* Metrics, log and issues, after the commit. */
static void tell(struct turn *t, const State__Delivery *d)
{
	struct destination_news *news = arena_zalloc(t->arena, sizeof(*news));
	State__Seen *seen;
	struct id id = {0};
	id_of(d->order->id, &id);
	struct key k = orders_key(t->key_group, &id);
	if (!news)
		return;
	*news = (struct destination_news){d->order->destination, d->order->template_, d->result, d->detail,
		t->now_ms, d->order->arrived_ms, t->now_ms, !str_empty(d->order->drill)};
	if (turn_get(t, &notification_tables[ORDERS], &k, &seen) == 0)
		news->order_ms = seen->at_ms;
	turn_effect(t, note, news);
}

static void end_delivery(struct turn *t, const Ascolto__Envelope *cause, const struct id *id,
	State__Delivery *d, const char *counter)
{
	struct key open = open_key(t->key_group, id), done = ended_key(t->key_group, t->now_ms, id);
	d->next_attempt_ms = 0;
	turn_del(t, &open);
	turn_put(t, &done, d);
	turn_count(t, counter, 1);
	emit_outcome(t, cause, d);
	tell(t, d);
}

static uint64_t seed_of(const struct id *id)
{
	uint64_t seed;
	memcpy(&seed, id->b + ID_BYTES - sizeof(seed), sizeof(seed));
	return seed;
}

/* The first failure is reported too: somebody may want to use the telephone. */
static void try_again(struct turn *t, const Ascolto__Envelope *cause, const struct id *id, State__Delivery *d,
	int64_t retry_after_ms)
{
	struct key open = open_key(t->key_group, id);
	d->next_attempt_ms =
		retry_at(d->attempts, t->now_ms, retry_after_ms, d->order->not_after_ms, seed_of(id));
	turn_put(t, &open, d);
	put_attempt_timer(t, cause, "attempt", d->attempts, d->order->id, d->next_attempt_ms);
	turn_count(t, d->result == RESULT(UNKNOWN) ? "unknown" : "retries", 1);
	if (d->attempts == 1)
		emit_outcome(t, cause, d);
	tell(t, d);
}

enum verdict handle_attempt(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Attempt *a = e->attempt;
	struct id id;
	State__Delivery *d;
	if (id_of(a->order_id, &id)) {
		err_set(why, -EINVAL, "the attempt names no order");
		return REJECT;
	}
	struct key open = open_key(t->key_group, &id);
	int r = turn_get(t, &notification_tables[OPEN], &open, &d);
	if (r == -ENOENT)
		return DONE; /* it has ended */
	if (r || !d->order)
		return unreadable(why, r ? r : -EBADMSG);
	if (d->result != RESULT(ATTEMPTING) || a->number != d->attempts)
		return DONE; /* an earlier one */
	d->result = a->result;
	d->detail = a->detail;
	switch (a->result) {
	case RESULT(SENT):
		end_delivery(t, e, &id, d, "sent");
		return DONE;
	case RESULT(REJECTED):
		end_delivery(t, e, &id, d, "rejected");
		return DONE;
	case RESULT(RETRY):
	case RESULT(UNKNOWN):
		try_again(t, e, &id, d, a->retry_after_ms);
		return DONE;
	default:
		err_set(why, -EINVAL, "an attempt can not end with result %d", (int)a->result);
		return REJECT;
	}
}

/* ------------------------------------------------------------------------------------------------ timers */

static enum verdict attempt(
	struct turn *t, const Ascolto__Envelope *e, const struct id *id, State__Delivery *d)
{
	struct key open = open_key(t->key_group, id);
	struct call_plan *plan = arena_zalloc(t->arena, sizeof(*plan));
	struct destination *to = destination_find(t->state, d->order->destination);
	if (!plan)
		return RETRY;
	d->result = RESULT(ATTEMPTING);
	d->attempts++;
	d->last_attempt_ms = t->now_ms;
	d->next_attempt_ms = 0;
	turn_put(t, &open, d);
	*plan = (struct call_plan){d->order, *id, t->key_group, d->attempts, e->trace_id};
	turn_effect(t, call_start, plan);
	if (to)
		to->decided++;
	return DONE;
}

static enum verdict attempt_due(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct id id;
	State__Delivery *d;
	if (id_of(e->timer->subject_id, &id)) {
		err_set(why, -EINVAL, "the timer names no order");
		return REJECT;
	}
	struct key open = open_key(t->key_group, &id);
	int r = turn_get(t, &notification_tables[OPEN], &open, &d);
	if (r == -ENOENT)
		return DONE;
	if (r || !d->order)
		return unreadable(why, r ? r : -EBADMSG);
	const struct destination *to = destination_find(t->state, d->order->destination);
	const struct due_facts facts = {
		.waiting = d->result == RESULT(PLANNED) || d->result == RESULT(RETRY) ||
			   d->result == RESULT(UNKNOWN),
		.next_attempt_ms = d->next_attempt_ms,
		.deadline_ms = d->order->not_after_ms,
		.calls = to ? to->calls + to->decided : 0,
		.stopping = svc_stopping(t->svc),
	};
	switch (due_of(&facts, t->now_ms)) {
	case DUE_NOTHING:
		return DONE;
	case DUE_EXPIRE:
		d->result = RESULT(EXPIRED);
		d->detail = d->attempts
				    ? arena_printf(t->arena,
					      "its time was over after %" PRIu32 " attempts; the last: %s",
					      d->attempts, d->detail)
				    : arena_strdup(t->arena, "its time was over before it could be sent");
		if (!d->detail)
			return RETRY;
		end_delivery(t, e, &id, d, "expired");
		return DONE;
	case DUE_WAIT:
		put_attempt_timer(t, e, "wait", e->timer->number, e->timer->subject_id, t->now_ms + WAIT_MS);
		return DONE;
	default:
		return attempt(t, e, &id, d);
	}
}

/* Deletes what ended long ago in one key group, at most `max`; returns how much. */
static size_t prune_group(struct turn *t, uint8_t key_group, size_t max)
{
	const struct id none = {0};
	struct key prefix = turn_key_in(key_group, &notification_tables[ENDED]);
	struct key from = ended_key(key_group, t->now_ms - KEPT_MS, &none);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t->txn, &prefix, &from, &c))
		return 0;
	for (int r; n < max && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG); n++) {
		struct span rest = span_of(key.data + prefix.len, key.len - prefix.len);
		struct key done = prefix;
		uint64_t newest;
		struct id id;
		if (key_take_u64(&rest, &newest) || key_take_id(&rest, &id))
			break;
		key_u64(&done, newest);
		key_id(&done, &id);
		struct key orders = orders_key(key_group, &id);
		turn_del(t, &done);
		turn_del(t, &orders);
	}
	cursor_close(&c);
	return n;
}

static void prune_more(void *state, void *arg)
{
	(void)arg;
	((struct notification *)state)->prune_at_ms = 0;
}

enum verdict handle_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	size_t n = 0;
	if (str_eq(e->timer->purpose, PURPOSE_ATTEMPT))
		return attempt_due(t, e, why);
	if (!str_eq(e->timer->purpose, PURPOSE_PRUNE)) {
		err_set(why, -EINVAL, "unknown timer \"%s\"", e->timer->purpose);
		return REJECT;
	}
	for (unsigned g = 0; g < KEY_GROUPS && n < PRUNE_MAX; g++)
		n += prune_group(t, (uint8_t)g, PRUNE_MAX - n);
	if (n == PRUNE_MAX)
		turn_effect(t, prune_more, NULL);
	return DONE;
}
