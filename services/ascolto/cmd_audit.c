/* `ascolto audit`: is the log of decisions as it was written, and what does it say of a case or an incident. */
#include <sodium.h>

#include "common/conf.h"
#include "common/id.h"
#include "common/json.h"
#include "proto/state.pb-c.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"
#include "services/escalation/evidence/audit_chain.h"

/* ---- what the command line says ---- */

struct asked {
	const char *brand;    /* NULL = all */
	const char *case_id, *incident_id;
	const char *head;     /* NUMBER:HASH, from an alarm or a note */
};

static int read_arguments(int argc, char **argv, bool verify, struct asked *a)
{
	for (int i = 0; i < argc; i += 2) {
		const char **to = str_eq(argv[i], "--brand")                  ? &a->brand
				  : verify && str_eq(argv[i], "--head")       ? &a->head
				  : !verify && str_eq(argv[i], "--case")      ? &a->case_id
				  : !verify && str_eq(argv[i], "--incident") ? &a->incident_id
									      : NULL;
		if (!to || i + 1 == argc)
			return command_fail("\"%.60s\" is not understood here; see ascolto help audit", argv[i]), COMMAND_USAGE;
		*to = argv[i + 1];
	}
	return COMMAND_OK;
}

static int open_conf(const struct command_options *o, const struct asked *a, struct conf **ret)
{
	struct err e = {0};
	if (conf_load(ret, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	if (a->brand && !conf_brand(*ret, a->brand))
		return command_fail("there is no brand \"%.60s\" in %s", a->brand, (*ret)->path);
	return COMMAND_OK;
}

/* ---- rows ---- */

struct row {
	uint64_t number;
	uint8_t *entry; /* owned; NULL: it could not be read */
	size_t entry_len;
	uint8_t hash[AUDIT_HASH];
	size_t hash_len;
};

static uint8_t *bytes_of(const json_t *object, const char *key, size_t *ret_len)
{
	const char *text = member_text(object, key);
	size_t max = strlen(text) / 4 * 3 + 3;
	uint8_t *data = malloc(max);
	*ret_len = 0;
	if (data && sodium_base642bin(data, max, text, strlen(text), NULL, ret_len, NULL, sodium_base64_VARIANT_ORIGINAL))
		*ret_len = 0;
	return data;
}

static void row_read(const json_t *o, struct row *ret)
{
	size_t len;
	uint8_t *hash = bytes_of(o, "hash", &len);
	*ret = (struct row){.number = (uint64_t)member_int(o, "number")};
	ret->entry = bytes_of(o, "entry", &ret->entry_len);
	if (hash && len <= AUDIT_HASH) {
		memcpy(ret->hash, hash, len);
		ret->hash_len = len;
	}
	free(hash);
}

typedef bool row_fn(void *ctx, const struct row *r); /* false: enough */

/* Every row of a brand's log, or those of a subject, in order. */
static int each_row(const struct conf *c, const char *brand, const char *subject, row_fn *fn, void *ctx, struct err *e)
{
	uint64_t after = 0;
	for (bool more = true; more;) {
		CLEANUP(free_json) json_t *page = NULL;
		char path[256];
		snprintf(path, sizeof(path), "/-/audit?brand=%s&after=%" PRIu64 "%s%s", brand, after,
			subject ? "&subject=" : "", subject ? subject : "");
		const struct client_call call = {.service = "escalation", .address = c->services.escalation.http,
			.path = path, .timeout_ms = CLIENT_ACT_MS};
		int r = client_json(&call, &page, NULL, e);
		if (r < 0)
			return r;
		json_t *o;
		size_t i;
		bool go_on = true;
		json_array_foreach(json_object_get(page, "entries"), i, o)
		{
			struct row row;
			row_read(o, &row);
			after = row.number;
			go_on = fn(ctx, &row);
			free(row.entry);
			if (!go_on)
				return 0;
		}
		more = json_is_true(json_object_get(page, "more"));
	}
	return 0;
}

/* ---- verify ---- */

#define HEADS_MAX 100000

struct heads {
	struct head {
		uint64_t number;
		uint8_t hash[AUDIT_HASH];
		size_t hash_len;
		int64_t at_ms;
	} *list;
	size_t n, next;
	uint64_t highest;
};

static void add_head(struct heads *h, const struct head *head)
{
	struct head *list = h->n < HEADS_MAX ? realloc(h->list, (h->n + 1) * sizeof(*list)) : NULL;
	if (!list)
		return;
	h->list = list;
	list[h->n++] = *head;
	h->highest = MAX(h->highest, head->number);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct head *)a)->number, y = ((const struct head *)b)->number;
	return (x > y) - (x < y);
}

/* "12:9f86d081884c7d65", as alarms carry it. */
static bool read_head(const char *text, struct head *ret)
{
	char *colon = NULL;
	*ret = (struct head){.number = strtoull(text, &colon, 10)};
	return ret->number && colon && *colon == ':' &&
	       !sodium_hex2bin(ret->hash, sizeof(ret->hash), colon + 1, strlen(colon + 1), NULL, &ret->hash_len, NULL) &&
	       ret->hash_len >= 4 && 2 * ret->hash_len == strlen(colon + 1);
}

/* What the console has seen of this brand's log. */
static int ask_heads(const struct conf *c, const char *brand, struct heads *h, struct err *e)
{
	CLEANUP(free_json) json_t *answer = NULL;
	char path[256];
	snprintf(path, sizeof(path), "/api/v1/audit/heads?brand=%s", brand);
	const struct client_call call = {.service = "console", .address = c->services.console.listen, .path = path,
		.timeout_ms = CLIENT_ACT_MS};
	int r = client_json(&call, &answer, NULL, e);
	json_t *o;
	size_t i, len;
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(answer, "heads"), i, o)
	{
		struct head head = {.number = (uint64_t)member_int(o, "number"), .at_ms = member_int(o, "at_ms")};
		uint8_t *hash = bytes_of(o, "hash", &len);
		head.hash_len = MIN(len, (size_t)AUDIT_HASH);
		if (hash)
			memcpy(head.hash, hash, head.hash_len);
		free(hash);
		add_head(h, &head);
	}
	return 0;
}

struct verifying {
	struct audit_chain chain;
	struct heads heads;
	enum audit_fault fault;
};

/* Heads are sorted; those of entries before this one have been passed. */
static bool verify_row(void *ctx, const struct row *r)
{
	struct verifying *v = ctx;
	v->fault = audit_chain_next(&v->chain, r->number, span_of(r->entry, r->entry_len), span_of(r->hash, r->hash_len));
	for (; !v->fault && v->heads.next < v->heads.n; v->heads.next++) {
		const struct head *h = &v->heads.list[v->heads.next];
		if (h->number > v->chain.number)
			break;
		v->fault = audit_chain_seen(&v->chain, h->number, span_of(h->hash, h->hash_len));
	}
	return !v->fault;
}

static void print_verdict(const char *brand, const struct verifying *v)
{
	char first[SHORT_MAX], last[SHORT_MAX], n[SHORT_MAX];
	const struct head *h = v->heads.next ? &v->heads.list[v->heads.next - 1] : NULL;
	if (v->fault) {
		printf("%s: entry %" PRIu64 " %s", brand, v->chain.broken, audit_fault_words(v->fault));
		printf("; %s before it %s whole\n", plural((int64_t)v->chain.number - (v->fault == AUDIT_REWRITTEN), "entry", n),
			v->chain.number == 1 ? "is" : "are");
		return;
	}
	if (!v->chain.number) {
		printf("%s: there are no entries yet\n", brand);
		return;
	}
	printf("%s: whole, %" PRIu64 " %s from %s to %s", brand, v->chain.number, v->chain.number == 1 ? "entry" : "entries",
		short_time(v->chain.first_ms, first), short_time(v->chain.last_ms, last));
	if (h)
		printf("; as seen elsewhere up to entry %" PRIu64 "\n", h->number);
	else
		printf("; nothing of it was seen elsewhere yet\n");
}

static json_t *json_verdict(const char *brand, const struct verifying *v, const struct err *alone)
{
	char hex[2 * AUDIT_HASH + 1];
	json_t *o = json_pack("{s:s, s:b, s:I, s:I, s:I, s:s, s:I}", "brand", brand, "whole", !v->fault, "entries",
		(json_int_t)v->chain.number, "first_ms", (json_int_t)v->chain.first_ms, "last_ms",
		(json_int_t)v->chain.last_ms, "hash", sodium_bin2hex(hex, sizeof(hex), v->chain.hash, AUDIT_HASH),
		"seen_elsewhere_up_to", (json_int_t)(v->heads.next ? v->heads.list[v->heads.next - 1].number : 0));
	if (v->fault) {
		json_object_set_new(o, "broken", json_integer((json_int_t)v->chain.broken));
		json_object_set_new(o, "fault", json_string(audit_fault_words(v->fault)));
	}
	if (alone->code)
		json_object_set_new(o, "not_compared", json_string(err_text(alone)));
	return o;
}

static int verify_brand(const struct command_options *o, const struct conf *c, const char *brand, const struct head *given,
	json_t *results)
{
	struct verifying v = {0};
	struct err e = {0}, alone = {0};
	if (given)
		add_head(&v.heads, given);
	ask_heads(c, brand, &v.heads, &alone);
	if (v.heads.n)
		qsort(v.heads.list, v.heads.n, sizeof(*v.heads.list), by_number);
	audit_chain_begin(&v.chain, brand);
	int r = each_row(c, brand, NULL, verify_row, &v, &e);
	if (!r && !v.fault)
		v.fault = audit_chain_end(&v.chain, v.heads.highest);
	if (!r && o->json)
		json_array_append_new(results, json_verdict(brand, &v, &alone));
	else if (!r)
		print_verdict(brand, &v);
	free(v.heads.list);
	if (r)
		return command_fail("%s", err_text(&e));
	if (alone.code) /* a log that was cut off looks whole to itself */
		return command_fail("%s could not be compared with what was seen elsewhere: %s", brand, err_text(&alone));
	return v.fault ? COMMAND_FAILED : COMMAND_OK;
}

static int verify(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct asked a = {0};
	struct head head;
	int status = read_arguments(argc, argv, true, &a);
	if (status)
		return status;
	if (a.head && !read_head(a.head, &head))
		return command_fail("\"%.80s\" is not a head; alarms carry it as NUMBER:HASH", a.head), COMMAND_USAGE;
	if (a.head && !a.brand)
		return command_fail("--head needs --brand: each brand has a log of its own"), COMMAND_USAGE;
	if (open_conf(o, &a, &c))
		return COMMAND_FAILED;
	json_t *results = json_array();
	for (unsigned i = 0; i < c->brands_count; i++)
		if (!a.brand || str_eq(a.brand, c->brands[i].name))
			status = MAX(status, verify_brand(o, c, c->brands[i].name, a.head ? &head : NULL, results));
	if (o->json)
		show_json(stdout, json_pack("{s:o}", "brands", results));
	else
		json_decref(results);
	return status;
}

/* ---- show ---- */

struct showing {
	struct table table;
	json_t *entries;
};

static json_t *decoded(const State__AuditEntry *e)
{
	struct buf text;
	buf_init(&text, (size_t)64 * 1024);
	json_add_message(&text, &e->base);
	json_t *j = text.broken ? NULL : json_loadb((const char *)text.data, text.len, 0, NULL);
	buf_free(&text);
	return j ? j : json_object();
}

static void id_cell(struct table *t, const State__AuditEntry *e)
{
	static const char *const names[] = {"case", "incident", "message"};
	const ProtobufCBinaryData ids[] = {e->case_id, e->incident_id, e->message_id};
	char text[ID_TEXT + 1];
	struct id id;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (id_from_bytes(ids[i].data, ids[i].len, &id) == 0) {
			table_cell(t, "%s %s", names[i], id_format(&id, text));
			return;
		}
	table_cell(t, "%s", e->playbook);
}

static bool show_row(void *ctx, const struct row *r)
{
	struct showing *s = ctx;
	char when[SHORT_MAX];
	State__AuditEntry *e = r->entry_len ? state__audit_entry__unpack(NULL, r->entry_len, r->entry) : NULL;
	table_cell(&s->table, "%" PRIu64, r->number);
	table_cell(&s->table, "%s", e ? short_time(e->at_ms, when) : "-");
	table_cell(&s->table, "%s", e ? e->what : "damaged");
	table_cell(&s->table, "%s", e ? e->who : "");
	table_cell(&s->table, "%s", e ? e->by : "");
	table_cell(&s->table, "%s", e ? e->detail : "");
	if (e)
		id_cell(&s->table, e);
	else
		table_cell(&s->table, "%s", "");
	json_array_append_new(s->entries, e ? decoded(e) : json_pack("{s:I, s:b}", "number", (json_int_t)r->number, "damaged", 1));
	state__audit_entry__free_unpacked(e, NULL);
	return true;
}

static int show(const struct command_options *o, int argc, char **argv)
{
	static const char *const head[] = {"entry", "when", "what", "who", "by", "detail", "about"};
	CLEANUP(conf_free) struct conf *c = NULL;
	struct asked a = {0};
	struct id id;
	int status = read_arguments(argc, argv, false, &a);
	if (status)
		return status;
	const char *subject = a.case_id ? a.case_id : a.incident_id;
	if (a.case_id && a.incident_id)
		return command_fail("a case or an incident, not both"), COMMAND_USAGE;
	if (subject && id_parse(subject, &id))
		return command_fail("\"%.60s\" is not an id; ids have 26 letters and digits", subject);
	if (open_conf(o, &a, &c))
		return COMMAND_FAILED;
	struct showing s = {.table = {.align = "rllllll"}, .entries = json_array()};
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&s.table, "%s", head[i]);
	for (unsigned i = 0; i < c->brands_count; i++) {
		struct err e = {0};
		if (a.brand && !str_eq(a.brand, c->brands[i].name))
			continue;
		if (each_row(c, c->brands[i].name, subject, show_row, &s, &e) < 0)
			status = command_fail("%s", err_text(&e));
	}
	if (!status && subject && !json_array_size(s.entries))
		status = command_fail("nothing is recorded of %s", subject);
	if (o->json)
		show_json(stdout, json_pack("{s:O}", "entries", s.entries));
	else if (json_array_size(s.entries))
		table_print(&s.table, stdout);
	table_free(&s.table);
	json_decref(s.entries);
	return status;
}

const struct command commands_audit[] = {
	{"audit", "verify", verify, "[--brand B] [--head N:HASH]", "is the log of decisions as it was written"},
	{"audit", "show", show, "[--brand B] [--case|--incident ID]", "what was decided, by whom, when"},
	{0},
};
