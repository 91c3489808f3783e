/* People who speak well of the brand by themselves: kept as a list in quiet times, offered when a crisis begins. Who is one is
 * enrichment's rule (services/enrichment/rules.h), or a person's word. */
#include "services/escalation/escalation.h"

static struct key list_key(uint8_t group, const char *brand)
{
	struct key k = turn_key_in(group, &escalation_tables[ADVOCATES]);
	key_name(&k, brand);
	return k;
}

static struct key row_key(uint8_t group, const char *brand, const struct id *customer)
{
	struct key k = list_key(group, brand);
	key_id(&k, customer);
	return k;
}

unsigned advocates_count(struct txn *t, const char *brand)
{
	struct key list = list_key(key_group_of(span_str(brand)), brand);
	struct cursor *c;
	struct span key, value;
	unsigned n = 0;
	int r;
	if (cursor_open(t, &list, NULL, &c))
		return 0;
	while (n < ADVOCATES_MAX && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG))
		n += r == 0;
	cursor_close(&c);
	return n;
}

/* On the list, or off it; the console hears of it. */
static void keep(struct turn *t, const Ascolto__Envelope *cause, const struct key *k, Ascolto__Advocate *a, bool listed)
{
	Ascolto__View v = ASCOLTO__VIEW__INIT;
	if (listed)
		turn_put(t, k, a);
	else
		turn_del(t, k);
	a->removed = !listed;
	v.what_case = ASCOLTO__VIEW__WHAT_ADVOCATE;
	v.advocate = a;
	send_view(t, cause, "view-advocate", 0, &v);
}

/* What the message tells of who wrote it. */
static void fill(Ascolto__Advocate *a, const Ascolto__Message *m, ProtobufCBinaryData message)
{
	const Ascolto__Knowledge *k = m->knowledge;
	a->customer_id = k->customer_id;
	a->name = k->display_name;
	a->handle = m->post->author ? m->post->author->handle : a->handle;
	a->channel = m->post->channel;
	a->language = str_empty(m->understanding->language) ? k->language : m->understanding->language;
	a->message_id = message;
	a->praise_days = k->praise_days;
}

/* The row, or a new one when there is room; NULL, with *ret_error 0, when the list is full. */
static Ascolto__Advocate *load(struct turn *t, const struct key *k, const char *brand, int *ret_error)
{
	Ascolto__Advocate *a;
	*ret_error = turn_get(t, &escalation_tables[ADVOCATES], k, &a);
	if (*ret_error == 0)
		return a;
	if (*ret_error != -ENOENT && *ret_error != -EBADMSG) /* a damaged row is written anew */
		return NULL;
	*ret_error = 0;
	if (advocates_count(t->txn, brand) >= ADVOCATES_MAX)
		return NULL;
	a = arena_alloc(t->arena, sizeof(*a));
	if (!a) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	*a = (Ascolto__Advocate)ASCOLTO__ADVOCATE__INIT;
	a->brand = (char *)(uintptr_t)brand;
	a->since_ms = t->now_ms;
	return a;
}

static void tell_enrichment(struct turn *t, const Ascolto__Envelope *cause, const Ascolto__Knowledge *k, const char *change)
{
	Ascolto__History h = ASCOLTO__HISTORY__INIT;
	h.customer_id = k->customer_id;
	h.change = (char *)(uintptr_t)change;
	h.at_ms = cause->occurred_ms;
	send_history(t, cause, k->route, &h);
}

int advocate_hear(struct judgement *j, struct err *why)
{
	struct turn *t = j->t;
	const struct facts *f = &j->facts;
	const Ascolto__Knowledge *k = j->m->knowledge;
	bool is_one = k->customer_type == ASCOLTO__CUSTOMER_TYPE__CUSTOMER_ADVOCATE;
	struct key key = row_key(t->key_group, j->brand->name, &j->customer);
	Ascolto__Advocate *a;
	struct span had;
	int r;
	if (f->self || f->bot || !f->content)
		return 0;
	if (f->intent == INTENT_PRAISE && !f->copy) /* what is pasted is nobody's own word */
		tell_enrichment(t, j->e, k, "praised");
	if (!is_one && (!k->praise_days || txn_get(t->txn, &key, &had)))
		return 0;
	a = load(t, &key, j->brand->name, &r);
	if (!a)
		return r ? err_set(why, r, "the list of advocates can not be read: %s", strerror(-r)) : 0;
	fill(a, j->m, j->e->id);
	a->heard_ms = j->e->occurred_ms;
	keep(t, j->e, &key, a, is_one);
	return 0;
}

/* The record of the message, and with it who wrote it. */
static int find_writer(struct judgement *j, ProtobufCBinaryData message, struct err *why)
{
	if (id_of(message, &j->message))
		return err_set(why, -EBADMSG, "the command names no message");
	if (!j->brand)
		return err_set(why, -ENOENT, "brand \"%s\" is not in the configuration", j->e->brand);
	int r = record_reopen(j, why);
	if (!r && id_of(j->m->knowledge->customer_id, &j->customer))
		r = err_set(why, -EBADMSG, "the message has no customer");
	return r;
}

int advocate_keep(struct turn *t, const Ascolto__Envelope *e, const Ascolto__KeepAdvocate *what, struct err *why)
{
	struct judgement j = {.t = t, .e = e, .brand = brand_find(t->state, e->brand)};
	int r = find_writer(&j, what->message_id, why);
	if (r)
		return r;
	const Ascolto__Knowledge *k = j.m->knowledge;
	if (what->listed && k->influencer)
		return err_set(why, -EINVAL, "%s is an influencer, and no advocate", k->display_name);
	struct key key = row_key(t->key_group, j.brand->name, &j.customer);
	Ascolto__Advocate *a = load(t, &key, j.brand->name, &r);
	if (r)
		return err_set(why, r, "the list of advocates can not be read: %s", strerror(-r));
	if (!a && what->listed)
		return err_set(why, -ENOSPC, "the list of advocates is full: %d are on it", ADVOCATES_MAX);
	if (a) {
		fill(a, j.m, j.arm->message_id);
		a->by = e->command->actor;
		a->heard_ms = MAX(a->heard_ms, j.arm->occurred_ms);
		keep(t, e, &key, a, what->listed);
	}
	tell_enrichment(t, e, k, what->listed ? "advocate" : "no_advocate");
	audit_add(t, e, &(struct audit_note){.what = what->listed ? "advocate_listed" : "advocate_removed",
		.who = e->command->actor, .by = BY_PERSON, .message_id = j.arm->message_id});
	return 0;
}
