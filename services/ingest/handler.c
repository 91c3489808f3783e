/* What becomes of a post: facts, decision (rules.c), consequences. */
#include "ingest.h"
#include "post.h"
#include "state.h"

#include "common/drill.h"

#include "proto/state.pb-c.h"

#define PRUNE_MAX 2000 /* in one turn */

static void count_refusal(struct turn *t, enum refusal r)
{
	metric_add(((struct ingest *)t->state)->refused[r], 1);
}

/* ---- refusing ---- */

static void list_channels(const struct conf *c, char *out, size_t size)
{
	size_t n = 0;
	out[0] = 0;
	for (unsigned i = 0; i < c->channels_count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", c->channels[i].name);
}

static void iso_time(int64_t ms, char out[32])
{
	struct tm tm;
	time_t s = (time_t)(ms / 1000);
	if (!gmtime_r(&s, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, 32, "a time beyond years");
}

/* The sentence for what the rules found; `place` comes before it. */
static enum verdict refuse(
	struct turn *t, const Ascolto__Intake *in, const Ascolto__Post *p, enum refusal r, struct err *why)
{
	char list[200], at[32];
	count_refusal(t, r);
	switch (r) {
	case REFUSAL_CHANNEL:
		list_channels(t->conf, list, sizeof(list));
		err_set(why, -EINVAL, "unknown channel \"%.60s\" (known: %s)", p->channel, list);
		break;
	case REFUSAL_NATIVE_ID:
		err_set(why, -EINVAL, "field \"native_id\" is missing");
		break;
	case REFUSAL_KIND:
		if (!why->code) /* otherwise it was there, and the sentence names it */
			err_set(why, -EINVAL, "field \"kind\" is missing (known: %s)", post_kinds());
		break;
	case REFUSAL_TEXT_TOO_LONG:
		err_set(why, -EMSGSIZE, "field \"text\" has %zu bytes; the limit is %zu", strlen(p->text),
			POST_TEXT_MAX);
		break;
	case REFUSAL_FUTURE:
		iso_time(p->created_at_ms, at);
		err_set(why, -EINVAL, "created_at_ms %" PRId64 " (%s) is in the future", p->created_at_ms,
			at);
		break;
	case REFUSAL_TOO_OLD:
		iso_time(p->created_at_ms, at);
		err_set(why, -EINVAL, "created_at_ms %" PRId64 " (%s) is before 2000", p->created_at_ms, at);
		break;
	default: /* `why` has its sentence */
		break;
	}
	if (!str_empty(in->place))
		err_prefix(why, "%s", in->place);
	return REJECT;
}

/* ---- facts ---- */

/* The post, with brand and network of its channel; what a channel asserts replaces what the post says. Posts of a drill come
 * without a channel, and are others than the same ones of an earlier drill. */
static enum refusal read_post(struct turn *t, const Ascolto__Intake *in, const char *brand, Ascolto__Post **ret,
	struct channel_choice *choice, struct err *why)
{
	const struct conf_channel *from = conf_channel(t->conf, in->channel);
	Ascolto__Post *p;
	enum post_error pe = post_parse(span_of(in->raw.data, in->raw.len), t->arena, &p, why);
	if (pe == POST_NOT_JSON)
		return REFUSAL_NOT_JSON;
	if (pe)
		return pe == POST_UNKNOWN_KIND ? REFUSAL_KIND : REFUSAL_FIELD;
	const struct conf_channel *said = str_empty(p->channel) ? NULL : conf_channel(t->conf, p->channel);
	*ret = p;
	if (t->drill) {
		*choice = (struct channel_choice){str_empty(p->channel) ? "drill" : p->channel, brand, said ? said->network : "drill"};
		p->native_id = arena_printf(t->arena, "%s/%s", drill_of(brand), p->native_id);
		return p->native_id ? REFUSAL_NONE : REFUSAL_FIELD;
	}
	if (!from) { /* a replay after the channel was taken out of the settings */
		if (str_empty(p->channel))
			p->channel = in->channel;
		return REFUSAL_CHANNEL;
	}
	const struct channel_facts facts = {
		.from = from->name,
		.from_brand = from->brand,
		.from_network = from->network,
		.from_catches_all = from->catch_all,
		.said = p->channel,
		.said_is_configured = said,
		.said_brand = said ? said->brand : NULL,
		.said_network = said ? said->network : NULL,
	};
	return channel_choose(&facts, choice);
}

static enum refusal check_post(const struct turn *t, const Ascolto__Post *p)
{
	const struct post_facts facts = {
		.native_id = p->native_id,
		.kind_known = p->kind != ASCOLTO__KIND__KIND_UNKNOWN,
		.text_len = strlen(p->text),
		.has_time = p->created_at_ms != 0,
		.created_at_ms = p->created_at_ms,
	};
	return post_check(&facts, t->now_ms);
}

static char *unconst(const char *s)
{
	return (char *)(uintptr_t)s; /* protobuf-c has no const; nothing writes to it */
}

/* Who wrote it has at least one id: a handle is one on its network, and somebody nameless is somebody new
 * each time, unless the network says at least in which conversation. */
static int name_author(struct turn *t, Ascolto__Post *p)
{
	if (p->author->n_ids)
		return 0;
	Ascolto__AuthorId *id = arena_alloc(t->arena, sizeof(*id));
	p->author->ids = arena_alloc(t->arena, sizeof(*p->author->ids));
	if (!id || !p->author->ids)
		return -ENOMEM;
	ascolto__author_id__init(id);
	if (!str_empty(p->author->handle)) {
		id->scope = arena_printf(t->arena, "%s-handle", p->network);
		id->value = p->author->handle;
	} else {
		id->scope = unconst("anonymous");
		id->value = arena_printf(t->arena, "%s/%s", p->channel,
			str_empty(p->conversation) ? p->native_id : p->conversation);
	}
	p->author->ids[0] = id;
	p->author->n_ids = 1;
	return id->scope && id->value ? 0 : -ENOMEM;
}

static int complete(
	struct turn *t, const Ascolto__Intake *in, const struct channel_choice *choice, Ascolto__Post *p)
{
	p->channel = arena_strdup(t->arena, choice->channel);
	p->network = arena_strdup(t->arena, choice->network);
	if (!p->created_at_ms)
		p->created_at_ms = t->now_ms;
	if (in->trust)
		p->trust = in->trust;
	if (!p->trust)
		p->trust = ASCOLTO__TRUST__TRUST_UNSIGNED;
	if (in->transport)
		p->transport = in->transport;
	if (!str_empty(in->delivery_id))
		p->delivery_id = in->delivery_id;
	return p->channel && p->network ? name_author(t, p) : -ENOMEM;
}

/* ---- keys and ids ---- */

static void add_post_parts(struct key *k, const Ascolto__Post *p)
{
	key_name(k, p->channel);
	key_name(k, p->native_id);
	key_u8(k, (uint8_t)p->kind);
	key_u32(k, p->revision);
}

/* The same post gives the same id, whoever brings it. */
static int message_id(struct turn *t, const Ascolto__Post *p, struct id *ret)
{
	size_t channel_len = strlen(p->channel) + 1, native_len = strlen(p->native_id) + 1;
	size_t len = channel_len + native_len + 32;
	char *name = arena_alloc(t->arena, len);
	if (!name)
		return -ENOMEM;
	memcpy(name, p->channel, channel_len);
	memcpy(name + channel_len, p->native_id, native_len);
	int n = snprintf(name + channel_len + native_len, 32, "%d%c%" PRIu32, (int)p->kind, 0, p->revision);
	*ret = id_from(p->created_at_ms, span_of(name, channel_len + native_len + (size_t)n));
	return 0;
}

static void put_cursor(struct turn *t, const Ascolto__Intake *in)
{
	if (str_empty(in->cursor))
		return;
	State__Cursor c = STATE__CURSOR__INIT;
	c.cursor = in->cursor;
	c.at_ms = t->now_ms;
	c.place = in->place;
	struct key k = turn_key_in(key_group_of(span_str(in->channel)), &ingest_tables[CURSORS]);
	key_name(&k, in->channel);
	turn_put(t, &k, &c);
}

/* ---- consequences ---- */

static void put_raw(struct turn *t, const Ascolto__Intake *in, const Ascolto__Post *p, const struct id *id,
	uint8_t key_group)
{
	State__RawPost raw = STATE__RAW_POST__INIT;
	raw.raw = in->raw;
	raw.received_ms = t->now_ms;
	raw.place = in->place;
	raw.delivery_id = in->delivery_id;
	raw.message_id = id_bytes(id);
	struct key k = turn_key_in(key_group, &ingest_tables[RAW]);
	key_ms(&k, t->now_ms);
	add_post_parts(&k, p);
	turn_put(t, &k, &raw);
}

static int emit(struct turn *t, const Ascolto__Envelope *cause, Ascolto__Post *p, const struct id *id,
	const char *brand)
{
	Ascolto__Envelope *e = turn_envelope(t, cause, "received", 0);
	Ascolto__Message *m = arena_alloc(t->arena, sizeof(*m));
	const Ascolto__AuthorId *who = p->author->ids[0];
	char *route = arena_printf(t->arena, "%s:%s", who->scope, who->value);
	if (!e || !m || !route)
		return -ENOMEM;
	ascolto__message__init(m);
	m->post = p;
	e->id = turn_id_bytes(t, id);
	e->trace_id = e->id;
	e->brand = arena_strdup(t->arena, brand);
	e->occurred_ms = p->created_at_ms;
	e->received_ms = t->now_ms;
	e->body_case = ASCOLTO__ENVELOPE__BODY_RECEIVED;
	e->received = m;
	turn_emit(t, 0, LANE_NORMAL, e, span_str(route));
	return 0;
}

static void tell_duplicate(void *state, void *arg)
{
	intake_duplicate(state, *(ProtobufCBinaryData *)arg);
}

static enum verdict duplicate(struct turn *t, const Ascolto__Envelope *e)
{
	ProtobufCBinaryData *tag = arena_alloc(t->arena, sizeof(*tag));
	put_cursor(t, e->intake);
	turn_count(t, "duplicates", 1);
	if (tag) {
		*tag = e->cause_id; /* its bytes are in the arena too */
		turn_effect(t, tell_duplicate, tag);
	}
	return DONE;
}

static enum verdict accept_post(
	struct turn *t, const Ascolto__Envelope *e, Ascolto__Post *p, const char *brand, struct err *why)
{
	State__Seen seen = STATE__SEEN__INIT, *before;
	uint8_t key_group = key_group_of(span_str(p->channel));
	struct key k = turn_key_in(key_group, &ingest_tables[SEEN]);
	struct id id;
	add_post_parts(&k, p);
	int r = turn_get(t, &ingest_tables[SEEN], &k, &before);
	if (r == 0)
		return duplicate(t, e);
	if (r == -ENOENT)
		r = message_id(t, p, &id);
	if (r) {
		err_set(why, r, "%s: whether the post was seen before can not be read: %s", e->intake->place,
			strerror(-r));
		return RETRY;
	}
	seen.message_id = id_bytes(&id);
	seen.at_ms = t->now_ms;
	turn_put(t, &k, &seen);
	put_raw(t, e->intake, p, &id, key_group);
	put_cursor(t, e->intake);
	turn_count(t, "accepted", 1);
	r = emit(t, e, p, &id, brand);
	if (r)
		err_set(why, r, "%s: out of memory", e->intake->place);
	return r ? RETRY : DONE;
}

enum verdict handle_intake(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Intake *in = e->intake;
	struct channel_choice choice;
	Ascolto__Post *p = NULL;
	if (!str_empty(in->refused)) {
		err_set(why, -EBADMSG, "%s", in->refused);
		return refuse(t, in, NULL, REFUSAL_ADAPTER, why);
	}
	if (!in->raw.len) { /* only a cursor */
		put_cursor(t, in);
		return DONE;
	}
	enum refusal r = read_post(t, in, e->brand, &p, &choice, why);
	if (!r)
		r = check_post(t, p);
	if (r)
		return refuse(t, in, p, r, why);
	if (complete(t, in, &choice, p)) {
		err_set(why, -ENOMEM, "%s: out of memory", in->place);
		return RETRY;
	}
	return accept_post(t, e, p, choice.brand, why);
}

/* ---- forgetting ---- */

static void prune_more(void *state, void *arg)
{
	(void)arg;
	((struct ingest *)state)->prune_at_ms = 0;
}

/* Deletes what is old in one key group, at most `max`; returns how much. */
static size_t prune_group(struct turn *t, uint8_t key_group, size_t max)
{
	struct key prefix = turn_key_in(key_group, &ingest_tables[RAW]);
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	if (cursor_open(t->txn, &prefix, NULL, &c))
		return 0;
	for (int r; n < max && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG); n++) {
		struct span rest = span_of(key.data + prefix.len, key.len - prefix.len);
		struct key raw = prefix, seen = turn_key_in(key_group, &ingest_tables[SEEN]);
		uint64_t at_ms;
		if (key_take_u64(&rest, &at_ms) || !seen_is_old((int64_t)at_ms, t->now_ms))
			break;
		memcpy(raw.data, key.data, key.len);
		raw.len = (uint16_t)key.len;
		memcpy(seen.data + seen.len, rest.data, rest.len);
		seen.len = (uint16_t)(seen.len + rest.len);
		turn_del(t, &raw);
		turn_del(t, &seen);
	}
	cursor_close(&c);
	return n;
}

enum verdict handle_timer(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	size_t n = 0;
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
