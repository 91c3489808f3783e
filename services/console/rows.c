/* JSON of what lists show. Records themselves are shown whole, by json_add_message. */
#include "services/console/console.h"
#include "services/console/rules.h"

#include "common/json.h"

void rows_add(struct answer *a)
{
	if (a->rows++)
		buf_adds(&a->out, ",");
}

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, span_str(text ? text : ""));
}

static void add_id(struct buf *out, const char *name, ProtobufCBinaryData bytes)
{
	struct id id;
	char text[ID_TEXT + 1];
	if (id_of(bytes, &id) == 0)
		buf_addf(out, ",\"%s\":\"%s\"", name, id_format(&id, text));
}

static void add_flag(struct buf *out, const char *name, bool value)
{
	if (value)
		buf_addf(out, ",\"%s\":true", name);
}

static const char *enum_word(const ProtobufCEnumDescriptor *d, int value, size_t prefix)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(d, value);
	return v && strlen(v->name) > prefix ? v->name + prefix : "UNKNOWN";
}

static void add_word(struct buf *out, const char *name, const char *upper)
{
	buf_addf(out, ",\"%s\":\"", name);
	for (const char *p = upper; *p; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		buf_add(out, &c, 1);
	}
	buf_adds(out, "\"");
}

static void add_post(struct buf *out, const Ascolto__Post *p)
{
	const Ascolto__Author *who = p->author;
	size_t len = strlen(p->text), cut = text_cut(p->text, len, ROWS_TEXT_MAX);
	add_text(out, "channel", p->channel);
	add_text(out, "network", p->network);
	add_word(out, "surface",
		enum_word(&ascolto__surface__descriptor, (int)p->surface, strlen("SURFACE_")));
	add_word(out, "kind", enum_word(&ascolto__kind__descriptor, (int)p->kind, strlen("KIND_")));
	if (who) {
		add_text(out, "handle", who->handle);
		add_text(out, "name", who->name);
		add_flag(out, "self", who->is_self);
	}
	if (!str_empty(p->subject))
		add_text(out, "subject", p->subject);
	add_flag(out, "repost", !str_empty(p->repost_of));
	buf_adds(out, ",\"text\":");
	json_add_string(out, span_of(p->text, cut));
	add_flag(out, "cut", cut < len);
}

static void add_knowledge(struct buf *out, const Ascolto__Knowledge *k)
{
	add_id(out, "conversation_id", k->conversation_id);
	add_text(out, "who", k->display_name);
	add_flag(out, "vip", k->vip);
	add_flag(out, "influencer", k->influencer);
	add_flag(out, "partner", k->partner);
}

static void add_understanding(struct buf *out, const Ascolto__Understanding *u)
{
	const struct {
		const char *name;
		const Ascolto__Label *label;
	} labels[] = {{"intent", u->intent}, {"expectation", u->expectation}, {"lane", u->lane},
		{"sentiment", u->sentiment}};
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		add_text(out, labels[i].name, labels[i].label ? labels[i].label->value : "");
}

bool row_needs_answer(struct answer *a, const Ascolto__ArmRecord *arm)
{
	struct id id;
	Ascolto__Case *c;
	if (id_of(arm->case_id, &id) || answer_read(a, CASES, &id, &c))
		return false;
	return needs_answer(true, (int)c->state);
}

void add_message_row(struct answer *a, const Ascolto__ArmRecord *arm)
{
	struct buf *out = &a->out;
	const Ascolto__Message *m = arm->message;
	rows_add(a);
	buf_addf(out, "{\"occurred_ms\":%" PRId64 ",\"received_ms\":%" PRId64, arm->occurred_ms,
		arm->received_ms);
	add_id(out, "id", arm->message_id);
	add_id(out, "case_id", arm->case_id);
	add_id(out, "incident_id", arm->incident_id);
	add_word(out, "code", enum_word(&ascolto__code__descriptor, (int)arm->code, strlen("CODE_")));
	add_flag(out, "needs_answer", row_needs_answer(a, arm));
	if (m && m->post)
		add_post(out, m->post);
	if (m && m->knowledge)
		add_knowledge(out, m->knowledge);
	if (m && m->understanding)
		add_understanding(out, m->understanding);
	buf_adds(out, "}");
}

void add_deliveries(struct answer *a, const struct id *subject)
{
	struct cursor *c;
	struct span key, value;
	struct key prefix = deliveries_key(a->group, subject);
	a->rows = 0;
	if (cursor_open(a->txn, &prefix, NULL, &c))
		return;
	for (int r; a->rows < LIST_MAX && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG);) {
		Ascolto__Outcome *o =
			r ? NULL : ascolto__outcome__unpack(arena_pb(&a->arena), value.len, value.data);
		if (!o)
			continue;
		rows_add(a);
		json_add_message(&a->out, &o->base);
	}
	cursor_close(&c);
}

void add_answers(struct answer *a, const struct id *subject)
{
	struct cursor *c;
	struct span key, value;
	struct key prefix = answers_key(a->group, subject);
	a->rows = 0;
	if (cursor_open(a->txn, &prefix, NULL, &c))
		return;
	for (int r; a->rows < LIST_MAX && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG);) {
		Ascolto__Answer *x = r ? NULL : ascolto__answer__unpack(arena_pb(&a->arena), value.len, value.data);
		if (!x)
			continue;
		rows_add(a);
		json_add_message(&a->out, &x->base);
	}
	cursor_close(&c);
}

/* Since when, or null; who and why. */
static void add_crisis(struct answer *a)
{
	struct key k = crisis_key(a->group, a->brand_name);
	struct span value;
	Ascolto__Crisis *c = NULL;
	if (txn_get(a->txn, &k, &value) == 0)
		c = ascolto__crisis__unpack(arena_pb(&a->arena), value.len, value.data);
	buf_adds(&a->out, ",\"crisis\":");
	if (c && c->since_ms && !c->ended_ms)
		json_add_message(&a->out, &c->base);
	else
		buf_adds(&a->out, "null");
}

static int64_t tally_of(struct answer *a, enum tally n)
{
	return read_tally(a->txn, &a->arena, a->group, a->brand_name, n);
}

void add_counts(struct answer *a)
{
	buf_adds(&a->out, "{\"brand\":");
	json_add_string(&a->out, span_str(a->brand_name));
	buf_addf(&a->out,
		",\"messages\":%" PRId64 ",\"arm_records\":%" PRId64 ",\"cases\":%" PRId64
		",\"open_cases\":%" PRId64,
		tally_of(a, TALLY_MESSAGES), tally_of(a, TALLY_MESSAGES), tally_of(a, TALLY_CASES),
		tally_of(a, TALLY_OPEN_CASES));
	buf_addf(&a->out,
		",\"incidents\":{\"green\":%" PRId64 ",\"yellow\":%" PRId64 ",\"red\":%" PRId64
		"},\"open_incidents\":%" PRId64 ",\"alerts_sent\":%" PRId64 ",\"now_ms\":%" PRId64,
		tally_of(a, TALLY_INCIDENTS_GREEN), tally_of(a, TALLY_INCIDENTS_YELLOW),
		tally_of(a, TALLY_INCIDENTS_RED), tally_of(a, TALLY_OPEN_INCIDENTS),
		tally_of(a, TALLY_ALERTS_SENT), svc_now_ms(a->console->svc));
	buf_addf(&a->out, ",\"held_alarms\":%" PRId64, tally_of(a, TALLY_HELD_ALARMS));
	add_crisis(a);
	buf_adds(&a->out, "}");
}
