#include "services/enrichment/enrichment.h"

#include "proto/state.pb-c.h"
#include "services/enrichment/rules.h"

#define DAY_MS ((int64_t)86400000)

static const Ascolto__AuthorId *first_id(const Ascolto__Author *a)
{
	return a && a->n_ids ? a->ids[0] : NULL;
}

/* What names a customer to this service: the route of everything about them. */
static char *route_of(struct turn *t, const Ascolto__Post *p)
{
	const Ascolto__AuthorId *id = first_id(p->author);
	if (id)
		return arena_printf(t->arena, "%s:%s", id->scope, id->value);
	return arena_printf(t->arena, "anonymous:%s", p->author ? p->author->handle : "");
}

static struct id customer_id(struct turn *t, const char *brand, const char *route)
{
	const char *name = arena_printf(t->arena, "%s\n%s", brand, route ? route : "");
	return id_from(0, span_str(name));
}

static bool is_vip(const struct turn *t, const char *brand, const Ascolto__Author *a)
{
	const struct conf_brand *b = conf_brand(t->conf, brand);
	for (unsigned i = 0; a && b && i < b->vips_count; i++)
		for (size_t k = 0; k < MAX(a->n_ids, (size_t)1); k++)
			if (rules_is_vip(b->vips[i], a->handle, a->n_ids ? a->ids[k]->scope : "",
				    a->n_ids ? a->ids[k]->value : ""))
				return true;
	return false;
}

/* The customer as stored, or a new one. */
static int load_customer(struct turn *t, const struct key *k, const struct id *id, const Ascolto__Envelope *e,
	State__Customer **ret)
{
	int r = turn_get(t, &enrichment_tables[CUSTOMERS], k, ret);
	if (r != -ENOENT)
		return r;
	State__Customer *c = arena_alloc(t->arena, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (State__Customer)STATE__CUSTOMER__INIT;
	c->id = turn_id_bytes(t, id);
	c->brand = e->brand;
	c->first_seen_ms = e->occurred_ms;
	*ret = c;
	turn_count(t, "customers", 1);
	return 0;
}

static void update_customer(struct turn *t, State__Customer *c, const Ascolto__Envelope *e, const Ascolto__Post *p)
{
	const Ascolto__Author *a = p->author;
	c->messages++;
	c->public_messages += p->surface != ASCOLTO__SURFACE__SURFACE_PRIVATE;
	c->private_messages += p->surface == ASCOLTO__SURFACE__SURFACE_PRIVATE;
	c->first_seen_ms = MIN(c->first_seen_ms, e->occurred_ms);
	c->last_seen_ms = MAX(c->last_seen_ms, e->occurred_ms);
	c->vip = is_vip(t, e->brand, a);
	if (a) {
		c->reach = a->followers ? a->followers : c->reach;
		c->influencer = rules_influencer(c->reach, a->verified);
		c->handle = str_empty(a->handle) ? c->handle : a->handle;
		c->display_name = !str_empty(a->name) ? a->name : !str_empty(a->handle) ? a->handle : c->display_name;
		c->n_ids = a->n_ids;
		c->ids = a->ids;
	}
	struct customer_facts f = {.messages = c->messages, .cases = c->cases, .first_seen_ms = c->first_seen_ms,
		.now_ms = e->occurred_ms, .before = (enum customer_type)c->type, .praise_days = c->praise_days,
		.influencer = c->influencer, .advocate = c->advocate};
	c->type = (Ascolto__CustomerType)rules_customer_type(&f);
}

/* Counts the message in its conversation; *ret_id names it, *ret_messages is its count. */
static int update_conversation(struct turn *t, const struct id *customer, const Ascolto__Envelope *e,
	const Ascolto__Post *p, struct id *ret_id, uint32_t *ret_messages)
{
	const char *thread = !str_empty(p->conversation) ? p->conversation : !str_empty(p->root) ? p->root : p->native_id;
	struct key k = turn_key(t, &enrichment_tables[CONVERSATIONS]);
	State__Conversation *c;
	key_id(&k, customer);
	key_name(&k, p->channel);
	key_name(&k, thread);
	int r = turn_get(t, &enrichment_tables[CONVERSATIONS], &k, &c);
	if (r == -ENOENT) {
		const char *name = arena_printf(t->arena, "%s\n%s", p->channel, thread);
		c = arena_alloc(t->arena, sizeof(*c));
		if (!c || !name)
			return -ENOMEM;
		*c = (State__Conversation)STATE__CONVERSATION__INIT;
		*ret_id = id_from(0, span_str(name));
		for (int i = 0; i < ID_BYTES; i++)
			ret_id->b[i] ^= customer->b[i]; /* a thread is many customers' */
		c->id = turn_id_bytes(t, ret_id);
		c->customer_id = turn_id_bytes(t, customer);
		c->channel = p->channel;
		c->thread = (char *)(uintptr_t)thread;
		c->first_ms = e->occurred_ms;
		turn_count(t, "conversations", 1);
	} else if (r) {
		return r;
	} else if (id_of(c->id, ret_id)) {
		return -EBADMSG;
	}
	c->messages++;
	c->first_ms = MIN(c->first_ms, e->occurred_ms);
	c->last_ms = MAX(c->last_ms, e->occurred_ms);
	turn_put(t, &k, c);
	*ret_messages = c->messages;
	return 0;
}

/* What the network says of the text, else the language of the customer's last case; intent reads the text itself. */
static char *likely_language(const Ascolto__Post *p, const State__Customer *c)
{
	return strlen(p->language_hint) == 2 ? p->language_hint : c->language;
}

static void fill_knowledge(Ascolto__Knowledge *k, const State__Customer *c, const Ascolto__Post *p)
{
	k->customer_id = c->id;
	k->customer_type = c->type;
	k->vip = c->vip;
	k->influencer = c->influencer;
	k->partner = c->partner;
	k->reach = c->reach;
	k->first_seen_ms = c->first_seen_ms;
	k->messages = c->messages;
	k->cases = c->cases;
	k->open_cases = c->open_cases;
	k->last_case_outcome = c->last_case_outcome;
	k->display_name = c->display_name;
	k->language = likely_language(p, c);
	k->praise_days = c->praise_days;
}

/* Damage in one customer's record must not stop the others: quarantine, with the place. */
static enum verdict unreadable(struct err *why, int r, const char *what)
{
	err_set(why, r, "the record of its %s can not be read: %s", what, strerror(-r));
	return REJECT;
}

enum verdict enrichment_received(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Post *p = e->received->post;
	if (!p) {
		err_set(why, -EBADMSG, "the message has no post");
		return REJECT;
	}
	char *route = route_of(t, p);
	struct id id = customer_id(t, e->brand, route), conversation = {{0}};
	struct key k = turn_key(t, &enrichment_tables[CUSTOMERS]);
	State__Customer *c;
	uint32_t in_conversation = 0;
	key_id(&k, &id);
	int r = load_customer(t, &k, &id, e, &c);
	if (r)
		return unreadable(why, r, "customer");
	update_customer(t, c, e, p);
	r = update_conversation(t, &id, e, p, &conversation, &in_conversation);
	if (r)
		return unreadable(why, r, "conversation");
	turn_put(t, &k, c);
	turn_count(t, "messages", 1);

	Ascolto__Envelope *out = turn_envelope(t, e, "enriched", 0);
	Ascolto__Message m = *e->received;
	Ascolto__Knowledge known = ASCOLTO__KNOWLEDGE__INIT;
	fill_knowledge(&known, c, p);
	known.conversation_id = id_bytes(&conversation);
	known.conversation_messages = in_conversation;
	known.route = route;
	m.knowledge = &known;
	out->body_case = ASCOLTO__ENVELOPE__BODY_ENRICHED;
	out->enriched = &m;
	turn_emit(t, ENRICHMENT_TO_INTENT, LANE_NORMAL, out, span_str(route));
	return DONE;
}

enum verdict enrichment_history(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__History *h = e->history;
	struct id id;
	State__Customer *c;
	struct key k = turn_key(t, &enrichment_tables[CUSTOMERS]);
	if (id_of(h->customer_id, &id)) {
		err_set(why, -EBADMSG, "history without a customer");
		return REJECT;
	}
	key_id(&k, &id);
	int r = turn_get(t, &enrichment_tables[CUSTOMERS], &k, &c);
	if (r)
		return unreadable(why, r, "customer");
	if (str_eq(h->change, "opened")) {
		c->cases++;
		c->open_cases++;
		c->language = str_empty(h->language) ? c->language : h->language;
	} else if (str_eq(h->change, "reopened")) {
		c->open_cases++;
	} else if (str_eq(h->change, "closed")) {
		c->open_cases -= MIN(c->open_cases, 1u);
		c->last_case_outcome = h->outcome;
	} else if (str_eq(h->change, "praised")) {
		c->praise_days += h->at_ms / DAY_MS > c->praised_ms / DAY_MS;
		c->praised_ms = MAX(c->praised_ms, h->at_ms);
	} else if (str_eq(h->change, "advocate") || str_eq(h->change, "no_advocate")) {
		c->advocate = (char *)(str_eq(h->change, "advocate") ? "yes" : "no");
	}
	turn_put(t, &k, c);
	return DONE;
}
