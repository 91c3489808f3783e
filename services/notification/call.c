/* Calls out: started after the commit that says so; their ends come back as Attempts. */
#include "notification.h"
#include "hook.h"
#include "mail.h"
#include "rules.h"
#include "state.h"

#include "common/drill.h"
#include "common/log.h"

#define CALL_TIMEOUT_MS 10000
#define ANSWER_MAX ((size_t)16 * 1024)

struct call {
	struct call *next;
	struct notification *n;
	struct id order;
	uint8_t key_group;
	uint32_t number;
	bool mail;
	char destination[DESTINATION_NAME_MAX], brand[DESTINATION_NAME_MAX + DRILL_NAME_MAX + 1];
	uint8_t trace[ID_BYTES];
	size_t trace_len;
	int64_t occurred_ms, received_ms;
	/* how it ended */
	Ascolto__DeliveryResult result;
	int64_t retry_after_ms;
	char detail[DETAIL_MAX];
};

static struct call *call_new(struct notification *n, const struct call_plan *p)
{
	struct call *c = calloc(1, sizeof(*c));
	if (!c) {
		/* The delivery would stay ATTEMPTING; the next start takes it up. */
		log_error("out of memory starting a call; ending");
		_Exit(1);
	}
	c->n = n;
	c->order = p->id;
	c->key_group = p->key_group;
	c->number = p->number;
	c->trace_len = MIN(p->trace.len, sizeof(c->trace));
	if (c->trace_len)
		memcpy(c->trace, p->trace.data, c->trace_len);
	c->occurred_ms = p->order->occurred_ms;
	c->received_ms = p->order->arrived_ms;
	snprintf(c->destination, sizeof(c->destination), "%s", p->order->destination);
	snprintf(c->brand, sizeof(c->brand), "%s", p->order->brand);
	return c;
}

/* ------------------------------------------------------------------------------------------------ the end of
 * a call */

static void submitted(void *ctx, enum verdict verdict, const char *why)
{
	struct call *c = ctx;
	if (verdict != DONE)
		log_error("what became of an order for destination %s can not be written down: %s",
			c->destination, why);
	free(c);
}

static int submit(struct call *c)
{
	struct id id = id_derive(&c->order, "attempted", c->number);
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Attempt a = ASCOLTO__ATTEMPT__INIT;
	e.id = id_bytes(&id);
	e.brand = c->brand;
	e.drill = (char *)(uintptr_t)drill_of(c->brand);
	e.key_group = c->key_group;
	e.occurred_ms = c->occurred_ms;
	e.received_ms = c->received_ms;
	e.cause_id = id_bytes(&c->order);
	e.trace_id = (ProtobufCBinaryData){c->trace_len, c->trace};
	e.body_case = ASCOLTO__ENVELOPE__BODY_ATTEMPT;
	e.attempt = &a;
	a.order_id = id_bytes(&c->order);
	a.number = c->number;
	a.result = c->result;
	a.detail = c->detail;
	a.retry_after_ms = c->retry_after_ms;
	return svc_submit(c->n->svc, &e, submitted, c);
}

/* A result is only lost with the process; then the next start says UNKNOWN instead. */
static void ended(struct call *c)
{
	struct notification *n = c->n;
	if (svc_stopping(n->svc)) {
		free(c);
		return;
	}
	c->next = NULL;
	if (!n->waiting_end)
		n->waiting_end = &n->waiting;
	*n->waiting_end = c;
	n->waiting_end = &c->next;
	calls_flush(n);
}

void calls_flush(void *notification)
{
	struct notification *n = notification;
	while (n->waiting && submit(n->waiting) == 0) {
		/* submitted() may free it from the next turn on, not yet */
		n->waiting = n->waiting->next;
		if (!n->waiting)
			n->waiting_end = NULL;
	}
	if (n->waiting)
		svc_on_room(n->svc, calls_flush, n);
}

void calls_free(struct notification *n)
{
	while (n->waiting) {
		struct call *c = n->waiting;
		n->waiting = c->next;
		free(c);
	}
	n->waiting_end = NULL;
}

/* What a stranger answered, fit for a line of text. */
static void add_words(char *out, size_t size, const char *before, struct span words)
{
	size_t n = strlen(out);
	if (!words.len || n + strlen(before) + 2 > size)
		return;
	n += (size_t)snprintf(out + n, size - n, "%s", before);
	for (size_t i = 0; i < words.len && n + 1 < size; i++)
		out[n++] = words.data[i] >= ' ' && words.data[i] <= '~' ? (char)words.data[i] : ' ';
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

/* The reply line without its number, which is said already; otherwise libcurl's words. */
static struct span reply_words(const struct fetch_response *r)
{
	char number[16];
	size_t n = (size_t)snprintf(number, sizeof(number), "%ld", r->status);
	bool numbered = r->body.len > n && memcmp(r->body.data, number, n) == 0;
	return numbered ? span_of(r->body.data + n + 1, r->body.len - n - 1) : span_str(r->error);
}

static void describe(struct call *c, const struct fetch_response *r)
{
	if (c->mail && r->result == FETCH_ANSWERED) {
		snprintf(c->detail, sizeof(c->detail), "the mail server answered %ld", r->status);
		add_words(c->detail, sizeof(c->detail), ": ", reply_words(r));
		return;
	}
	if (c->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN)
		snprintf(c->detail, sizeof(c->detail), "sent, and no answer came");
	else if (r->result == FETCH_NOT_SENT)
		snprintf(c->detail, sizeof(c->detail), "not sent");
	else
		snprintf(c->detail, sizeof(c->detail), "HTTP %ld", r->status);
	add_words(c->detail, sizeof(c->detail), ": ", span_str(r->error));
	if (c->result != ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT)
		add_words(c->detail, sizeof(c->detail), ": ", span_of(r->body.data, MIN(r->body.len, 120u)));
}

static Ascolto__DeliveryResult delivery_result(enum attempt_result r)
{
	switch (r) {
	case ATTEMPT_SENT:
		return ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT;
	case ATTEMPT_REJECTED:
		return ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED;
	case ATTEMPT_RETRY:
		return ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY;
	default:
		return ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN;
	}
}

static void on_fetched(const struct fetch_response *r, void *ctx)
{
	static const enum call_end ends[] = {[FETCH_ANSWERED] = CALL_ANSWERED,
		[FETCH_NOT_SENT] = CALL_NOT_SENT,
		[FETCH_UNKNOWN] = CALL_UNKNOWN};
	struct call *c = ctx;
	struct destination *d = destination_find(c->n, c->destination);
	if (d && d->calls)
		d->calls--;
	const struct call_facts facts = {c->mail, ends[r->result], r->status};
	c->result = delivery_result(attempt_result_of(&facts));
	c->retry_after_ms = r->retry_after_s > 0 ? MIN(r->retry_after_s, 86400) * 1000 : 0;
	describe(c, r);
	ended(c);
}

/* ------------------------------------------------------------------------------------------------ the start
 * of a call */

static bool on_this_machine(const char *url)
{
	return strstr(url, "://127.") || strstr(url, "://[::1]") || strstr(url, "://localhost");
}

static int start_mail(struct call *c, const struct conf_destination *to, const char *password,
	const Ascolto__Order *o, struct err *e)
{
	const char *list[64 + 1] = {NULL};
	struct buf text CLEANUP(buf_free);
	struct mail m = {.from = to->from,
		.to = list,
		.subject = o->subject,
		.text = o->text,
		.brand = o->brand,
		.order = c->order,
		.at_ms = svc_now_ms(c->n->svc)};
	id_of(o->incident_id, &m.incident);
	for (unsigned i = 0; i < to->to_count && i < ARRAY_SIZE(list) - 1; i++)
		list[i] = to->to[i];
	buf_init(&text, MAIL_BYTES_MAX);
	int r = mail_compose(&text, &m, e);
	const struct fetch_request request = {.url = to->url,
		.body = buf_span(&text),
		.mail_from = to->from,
		.mail_to = list,
		.user = to->user,
		.password = to->user ? password : NULL,
		/* a password leaves this machine only encrypted */
		.require_tls = to->user && !on_this_machine(to->url),
		.timeout_ms = CALL_TIMEOUT_MS,
		.response_max = ANSWER_MAX};
	return r ? r : fetch_start(svc_fetch(c->n->svc), &request, on_fetched, c, e);
}

static int start_hook(struct call *c, const struct conf_destination *to, const char *secret,
	const Ascolto__Order *o, struct err *e)
{
	struct hook h CLEANUP(hook_free);
	if (hook_compose(&h, o, &c->order, secret ? secret : "", svc_now_ms(c->n->svc)))
		return err_set(e, -EMSGSIZE, "the order is too long to be written as JSON");
	const struct fetch_header headers[] = {
		{"Content-Type", "application/json"},
		{"X-Ascolto-Delivery", h.delivery},
		{"X-Ascolto-Signature", h.signature},
		{"X-Ascolto-Signature-256", h.signature_256},
	};
	const struct fetch_request request = {.url = to->url,
		.method = "POST",
		.headers = headers,
		.n_headers = ARRAY_SIZE(headers),
		.body = buf_span(&h.body),
		.timeout_ms = CALL_TIMEOUT_MS,
		.response_max = ANSWER_MAX};
	return fetch_start(svc_fetch(c->n->svc), &request, on_fetched, c, e);
}

void call_start(void *state, void *arg)
{
	struct notification *n = state;
	const struct call_plan *p = arg;
	struct err e = {0};
	struct destination *d = destination_find(n, p->order->destination);
	const struct conf_destination *to = destination_conf(svc_conf(n->svc), p->order->destination);
	if (d && d->decided)
		d->decided--;
	if (svc_stopping(n->svc))
		return; /* as if the process had died: the next start takes it up */
	struct call *c = call_new(n, p);
	int r;
	if (!d || !to) {
		r = err_set(&e, -ENOENT, "it is not among the destinations of the settings any more");
	} else {
		c->mail = str_eq(to->kind, "mail");
		r = (c->mail ? start_mail : start_hook)(c, to, d->secret, p->order, &e);
	}
	if (!r) {
		d->calls++;
		return;
	}
	c->result = ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY; /* the settings may be put right in time */
	add_words(c->detail, sizeof(c->detail), "not sent: ", span_str(err_text(&e)));
	ended(c);
}

/* ------------------------------------------------------------------------------------------------ after a
 * start */

static void recover_one(
	struct notification *n, struct txn *t, struct arena *a, uint8_t key_group, const State__Delivery *d)
{
	State__Seen *seen;
	struct call_plan p = {.order = d->order, .key_group = key_group, .number = d->attempts};
	if (!d->order || id_of(d->order->id, &p.id))
		return;
	struct key k = orders_key(key_group, &p.id);
	if (d->result != ASCOLTO__DELIVERY_RESULT__DELIVERY_ATTEMPTING) {
		if (d->result != ASCOLTO__DELIVERY_RESULT__DELIVERY_PLANNED)
			destination_was_failing(n, d->order->destination, d->last_attempt_ms, d->detail);
		return;
	}
	if (svc_read(t, a, &notification_tables[ORDERS], &k, &seen) == 0)
		p.trace = seen->message_id;
	struct call *c = call_new(n, &p);
	c->result = ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN;
	snprintf(c->detail, sizeof(c->detail), "the service ended during the attempt");
	ended(c);
}

static void recover_group(struct notification *n, struct txn *t, struct arena *a, uint8_t key_group)
{
	struct key prefix = turn_key_in(key_group, &notification_tables[OPEN]);
	struct cursor *c;
	struct span key, value;
	int r;
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) {
		arena_reset(a);
		State__Delivery *d = r ? NULL : state__delivery__unpack(arena_pb(a), value.len, value.data);
		if (d)
			recover_one(n, t, a, key_group, d);
	}
	cursor_close(&c);
}

int calls_recover(struct notification *n, struct err *e)
{
	struct txn *t;
	struct arena a;
	int r = txn_begin_read(svc_store(n->svc), &t, e);
	if (r)
		return r;
	arena_init(&a, (size_t)32 * 1024 * 1024);
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		recover_group(n, t, &a, (uint8_t)g);
	arena_free(&a);
	txn_abort(&t);
	return 0;
}
