/* GET: what the page and other clients read. Every answer is one consistent moment of the store. */
#include "services/console/console.h"
#include "services/console/rules.h"

#include "common/json.h"

#define SCAN_MAX 2000 /* records looked at for a filtered list */

/* ---- lists ---- */

struct listing {
	struct answer *a;
	size_t limit, scanned;
	enum which_messages which;
	struct list_place last; /* looked at; the next page begins after it */
	bool more;
};

/* Counts the record as looked at; false when the list is full, and then there is more. */
static bool take(struct listing *l)
{
	l->more = l->a->rows >= l->limit || l->scanned++ >= SCAN_MAX;
	return !l->more;
}

static bool add_one_message(void *ctx, const void *record)
{
	struct listing *l = ctx;
	const Ascolto__ArmRecord *arm = record;
	if (!take(l))
		return false;
	l->last.ms = arm->occurred_ms;
	id_of(arm->message_id, &l->last.id);
	if (l->which == MESSAGES_IN_INCIDENT && !arm->incident_id.len)
		return true;
	if (l->which == MESSAGES_NEED_ANSWER && !row_needs_answer(l->a, arm))
		return true;
	add_message_row(l->a, arm);
	return true;
}

static bool add_one_case(void *ctx, const void *record)
{
	struct listing *l = ctx;
	const Ascolto__Case *c = record;
	if (!take(l))
		return false;
	l->last.ms = c->updated_ms;
	id_of(c->id, &l->last.id);
	rows_add(l->a);
	json_add_message(&l->a->out, record);
	return true;
}

static bool add_one_incident(void *ctx, const void *record)
{
	struct listing *l = ctx;
	if (!take(l))
		return false;
	rows_add(l->a);
	json_add_message(&l->a->out, record);
	return true;
}

static bool limit_of(struct answer *a, size_t *ret_limit)
{
	if (read_limit(http_query(a->request, "limit"), LIST_DEFAULT, ret_limit))
		return true;
	answer_fail(a, 400, "limit is to be a whole number from 1 to %d", LIST_MAX);
	return false;
}

/* Where "before=ID" points to: the message, or the case, itself is the last of the page before. */
static bool before_of(struct answer *a, enum console_table table, struct list_place *ret, bool *ret_any)
{
	const char *text = http_query(a->request, "before");
	bool is_message = table == MESSAGES;
	void *record;
	*ret_any = text;
	if (!text)
		return true;
	if (id_parse(text, &ret->id) || answer_read(a, table, &ret->id, &record)) {
		answer_fail(a, 400, "before is to be the id of a %s", is_message ? "message" : "case");
		return false;
	}
	ret->ms = is_message ? ((const Ascolto__ArmRecord *)record)->occurred_ms
			     : ((const Ascolto__Case *)record)->updated_ms;
	return true;
}

/* The inbox, or a case's thread. */
static bool list_of(struct answer *a, struct key *ret)
{
	const char *text = http_query(a->request, "case");
	struct id id;
	if (!text) {
		*ret = inbox_key(a->group, a->brand_name);
		return true;
	}
	if (id_parse(text, &id)) {
		answer_fail(a, 400, "case is to be the id of a case");
		return false;
	}
	*ret = thread_key(a->group, &id);
	return true;
}

static void add_next(struct answer *a, const struct listing *l)
{
	char text[ID_TEXT + 1];
	buf_adds(&a->out, "]");
	if (l->more)
		buf_addf(&a->out, ",\"next\":\"%s\"", id_format(&l->last.id, text));
}

void get_messages(struct http_request *r, void *ctx)
{
	struct answer a;
	struct key list;
	bool any;
	struct list_place before;
	struct listing l = {.a = &a};
	if (!answer_begin(&a, r, ctx) || !limit_of(&a, &l.limit) || !before_of(&a, MESSAGES, &before, &any) ||
		!list_of(&a, &list))
		return;
	if (!read_which_messages(http_query(r, "filter"), &l.which)) {
		answer_fail(&a, 400, "filter is to be all, needs_answer or incident");
		return;
	}
	buf_adds(&a.out, "{\"messages\":[");
	list_walk(a.txn, &a.arena, &list, MESSAGES, any ? &before : NULL, add_one_message, &l);
	add_next(&a, &l);
	buf_adds(&a.out, "}");
	answer_end(&a);
}

/* Open ones first; `before` is a place in the one list that is asked for. */
static void add_cases(struct answer *a, size_t limit, enum which_cases which, const struct list_place *before)
{
	struct listing l = {.a = a, .limit = limit};
	buf_adds(&a->out, "{\"cases\":[");
	for (int open = 1; open >= 0 && !l.more; open--) {
		struct key list = case_list_key(a->group, a->brand_name, open);
		if ((open && which == CASES_CLOSED) || (!open && which == CASES_OPEN))
			continue;
		list_walk(a->txn, &a->arena, &list, CASES, before, add_one_case, &l);
	}
	l.more = l.more && which != CASES_ALL;
	add_next(a, &l);
	buf_adds(&a->out, "}");
}

void get_cases(struct http_request *r, void *ctx)
{
	struct answer a;
	size_t limit;
	bool any;
	struct list_place before;
	enum which_cases which;
	if (!answer_begin(&a, r, ctx) || !limit_of(&a, &limit) || !before_of(&a, CASES, &before, &any))
		return;
	if (!read_which_cases(http_query(r, "state"), &which)) {
		answer_fail(&a, 400, "state is to be open, closed or all");
		return;
	}
	if (any && which == CASES_ALL) {
		answer_fail(&a, 400, "before goes with the open or with the closed cases");
		return;
	}
	add_cases(&a, limit, which, any ? &before : NULL);
	answer_end(&a);
}

void get_incidents(struct http_request *r, void *ctx)
{
	struct answer a;
	struct listing l = {.a = &a};
	if (!answer_begin(&a, r, ctx) || !limit_of(&a, &l.limit))
		return;
	buf_adds(&a.out, "{\"incidents\":[");
	for (int open = 1; open >= 0; open--) {
		struct key list = incident_list_key(a.group, a.brand_name, open);
		list_walk(a.txn, &a.arena, &list, INCIDENTS, NULL, add_one_incident, &l);
	}
	buf_adds(&a.out, "]}");
	answer_end(&a);
}

/* ---- records ---- */

/* The record of /api/v1/<things>/ID; answers itself and returns false when there is none. */
static bool find(struct answer *a, struct http_request *r, void *ctx, const char *what,
	enum console_table table, struct id *ret_id, void *ret_record)
{
	const char *verb;
	if (!answer_begin(a, r, ctx))
		return false;
	if (path_id(http_path_rest(r), ret_id, &verb) || *verb) {
		answer_fail(a, 404, "there is no %s with the id \"%.60s\"", what, http_path_rest(r));
		return false;
	}
	return answer_find(a, what, table, ret_id, ret_record);
}

void get_message(struct http_request *r, void *ctx)
{
	struct answer a;
	struct id id;
	Ascolto__ArmRecord *arm;
	if (!find(&a, r, ctx, "message", MESSAGES, &id, &arm))
		return;
	buf_addf(&a.out, "{\"needs_answer\":%s,\"arm\":", row_needs_answer(&a, arm) ? "true" : "false");
	json_add_message(&a.out, &arm->base);
	buf_adds(&a.out, "}");
	answer_end(&a);
}

void get_case(struct http_request *r, void *ctx)
{
	struct answer a;
	struct id id;
	Ascolto__Case *c;
	struct listing l = {.a = &a, .limit = LIST_MAX};
	if (!find(&a, r, ctx, "case", CASES, &id, &c))
		return;
	struct key list = thread_key(a.group, &id);
	buf_adds(&a.out, "{\"case\":");
	json_add_message(&a.out, &c->base);
	buf_adds(&a.out, ",\"messages\":[");
	list_walk(a.txn, &a.arena, &list, MESSAGES, NULL, add_one_message, &l);
	add_next(&a, &l);
	buf_adds(&a.out, ",\"deliveries\":[");
	add_deliveries(&a, &id);
	buf_adds(&a.out, "],\"answers\":[");
	add_answers(&a, &id);
	buf_adds(&a.out, "]}");
	answer_end(&a);
}

void get_incident(struct http_request *r, void *ctx)
{
	struct answer a;
	struct id id, example;
	Ascolto__Incident *i;
	Ascolto__ArmRecord *arm;
	const char *verb;
	if (path_id(http_path_rest(r), &id, &verb) == 0 && str_eq(verb, "/report")) {
		get_report(r, ctx, &id);
		return;
	}
	if (!find(&a, r, ctx, "incident", INCIDENTS, &id, &i))
		return;
	buf_adds(&a.out, "{\"incident\":");
	json_add_message(&a.out, &i->base);
	buf_adds(&a.out, ",\"deliveries\":[");
	add_deliveries(&a, &id);
	buf_adds(&a.out, "],\"answers\":[");
	add_answers(&a, &id);
	buf_adds(&a.out, "],\"messages\":[");
	a.rows = 0;
	for (size_t n = 0; n < MIN(i->n_examples, (size_t)LIST_MAX); n++)
		if (id_of(i->examples[n], &example) == 0 && answer_read(&a, MESSAGES, &example, &arm) == 0)
			add_message_row(&a, arm);
	buf_adds(&a.out, "]}");
	answer_end(&a);
}

/* ---- the rest ---- */

void get_counts(struct http_request *r, void *ctx)
{
	struct answer a;
	if (!answer_begin(&a, r, ctx))
		return;
	add_counts(&a);
	answer_end(&a);
}

/* Every record of the table under that key. */
static void get_all(struct http_request *r, void *ctx, const char *name, enum console_table table,
	struct key (*list)(uint8_t group, const char *brand))
{
	struct answer a;
	struct cursor *c;
	struct span key, value;
	int rc;
	if (!answer_begin(&a, r, ctx))
		return;
	struct key prefix = list(a.group, a.brand_name);
	buf_addf(&a.out, "{\"%s\":[", name);
	if (cursor_open(a.txn, &prefix, NULL, &c) == 0) {
		while ((rc = cursor_next(c, &key, &value)) == 0 || rc == -EBADMSG) {
			ProtobufCMessage *m = rc ? NULL : protobuf_c_message_unpack(console_tables[table].type,
				arena_pb(&a.arena), value.len, value.data);
			if (!m)
				continue;
			rows_add(&a);
			json_add_message(&a.out, m);
		}
		cursor_close(&c);
	}
	buf_adds(&a.out, "]}");
	answer_end(&a);
}

void get_audit_heads(struct http_request *r, void *ctx)
{
	get_all(r, ctx, "heads", AUDIT_HEADS, audit_heads_key);
}

void get_refusals(struct http_request *r, void *ctx)
{
	get_all(r, ctx, "refusals", REFUSALS, refusals_key);
}

void get_advocates(struct http_request *r, void *ctx)
{
	get_all(r, ctx, "advocates", ADVOCATES, advocates_key);
}

static void add_channels(struct answer *a, const struct conf *conf, const struct conf_brand *b)
{
	const char *comma = "";
	buf_adds(&a->out, ",\"channels\":[");
	for (unsigned i = 0; i < conf->channels_count; i++) {
		if (!str_eq(conf->channels[i].brand, b->name))
			continue;
		buf_adds(&a->out, comma);
		json_add_string(&a->out, span_str(conf->channels[i].name));
		comma = ",";
	}
	buf_adds(&a->out, "]");
}

void get_brands(struct http_request *r, void *ctx)
{
	struct answer a;
	if (!answer_begin(&a, r, ctx))
		return;
	const struct conf *conf = svc_conf(a.console->svc);
	buf_adds(&a.out, "{\"brands\":[");
	for (unsigned i = 0; i < conf->brands_count; i++) {
		const struct conf_brand *b = &conf->brands[i];
		rows_add(&a);
		buf_adds(&a.out, "{\"name\":");
		json_add_string(&a.out, span_str(b->name));
		buf_adds(&a.out, ",\"title\":");
		json_add_string(&a.out, span_str(str_empty(b->title) ? b->name : b->title));
		buf_adds(&a.out, ",\"language\":");
		json_add_string(&a.out, span_str(b->language));
		add_channels(&a, conf, b);
		buf_adds(&a.out, "}");
	}
	buf_adds(&a.out, "]}");
	answer_end(&a);
}
