/* `ascolto quarantine`: what services could not handle and keep for a person to look at. */
#include "common/conf.h"
#include "common/id.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

#define PAGE 100
#define LIST_MAX 1000 /* shown per service */

/* One service, or all six when `name` is NULL. */
struct choice {
	const char *names[CLIENT_SERVICES];
	size_t n;
};

static int choose(const char *name, struct choice *ret)
{
	struct choice c = {0};
	for (size_t i = 0; i < CLIENT_SERVICES; i++)
		if (!name || str_eq(name, client_services[i]))
			c.names[c.n++] = client_services[i];
	if (!c.n)
		return command_fail("there is no service \"%s\"; the services are ingest, enrichment, "
				    "intent, escalation, "
				    "notification and console",
			name);
	*ret = c;
	return COMMAND_OK;
}

static struct client_call call_to(const struct conf *c, const char *service, const char *path)
{
	return (struct client_call){
		.service = service, .address = conf_service(c, service)->http, .path = path};
}

/* The page of items after the id `after` ("" = from the beginning). */
static int get_page(const struct conf *c, const char *service, const char *after, json_t **ret, struct err *e)
{
	char path[128];
	snprintf(path, sizeof(path), "/-/quarantine?limit=%d%s%s", PAGE, after[0] ? "&after=" : "", after);
	struct client_call call = call_to(c, service, path);
	return client_json(&call, ret, NULL, e);
}

/* Ids come from the service and go into paths: only true ids. */
static const char *item_id(const json_t *item)
{
	struct id id;
	return id_parse(member_text(item, "id"), &id) == 0 ? member_text(item, "id") : "";
}

/* Calls fn for the items of a service, up to `max` and to the number there was at the beginning. */
static int each_item(const struct conf *c, const char *service, int64_t max, int64_t *ret_total,
	void (*fn)(void *ctx, const char *service, json_t *item), void *ctx, struct err *e)
{
	char after[ID_TEXT + 1] = "";
	int64_t left = max, total = -1;
	while (left > 0) {
		CLEANUP(free_json) json_t *page = NULL;
		int r = get_page(c, service, after, &page, e);
		if (r < 0)
			return r;
		if (total < 0) {
			total = member_int(page, "total");
			left = MIN(max, total);
		}
		json_t *items = json_object_get(page, "items"), *item;
		size_t i;
		char last[ID_TEXT + 1] = "";
		json_array_foreach(items, i, item)
		{
			if (!item_id(item)[0] || left-- <= 0)
				break;
			snprintf(last, sizeof(last), "%s", item_id(item));
			fn(ctx, service, item);
		}
		if (!last[0] || str_eq(last, after))
			break;
		memcpy(after, last, sizeof(after));
	}
	*ret_total = MAX(total, 0);
	return 0;
}

static int open_conf(const struct command_options *o, struct conf **ret)
{
	struct err e = {0};
	return conf_load(ret, o->config, &e) < 0 ? command_fail("%s", err_text(&e)) : COMMAND_OK;
}

/* ---- list ---- */

struct list {
	struct table table;
	json_t *items;
};

static void list_item(void *ctx, const char *service, json_t *item)
{
	struct list *l = ctx;
	char when[SHORT_MAX];
	json_object_set_new(item, "service", json_string(service));
	json_array_append(l->items, item);
	table_cell(&l->table, "%s", service);
	table_cell(&l->table, "%s", member_text(item, "id"));
	table_cell(&l->table, "%s", short_time(member_int(item, "at_ms"), when));
	table_cell(&l->table, "%" PRId64, member_int(item, "attempts"));
	table_cell(&l->table, "%" PRId64, member_int(item, "bytes"));
	table_cell(&l->table, "%s", member_text(item, "from"));
	table_cell(&l->table, "%s", member_text(item, "reason"));
}

static int list(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct choice choice;
	if (argc > 1)
		return command_fail("quarantine list takes one service at a time"), COMMAND_USAGE;
	if (choose(argc ? argv[0] : NULL, &choice) != COMMAND_OK || open_conf(o, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	static const char *const head[] = {"service", "id", "when", "tries", "bytes", "from", "reason"};
	struct list l = {.table = {.align = "lllrrll"}, .items = json_array()};
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&l.table, "%s", head[i]);
	int64_t total = 0;
	int status = COMMAND_OK;
	for (size_t i = 0; i < choice.n; i++) {
		struct err e = {0};
		int64_t here = 0;
		if (each_item(c, choice.names[i], LIST_MAX, &here, list_item, &l, &e) < 0)
			status = command_fail("%s", err_text(&e));
		total += here;
	}
	int64_t shown = (int64_t)json_array_size(l.items);
	char words[SHORT_MAX];
	if (o->json) {
		show_json(stdout, json_pack("{s:O, s:I}", "items", l.items, "total", (json_int_t)total));
	} else if (!shown) {
		printf(status == COMMAND_OK ? "nothing is in quarantine\n"
					    : "nothing is in quarantine at the services that answered\n");
	} else {
		table_print(&l.table, stdout);
		printf("\n%s in quarantine", plural(total, "message", words));
		if (shown < total)
			printf(", %" PRId64 " shown", shown);
		printf("; look at one with: ascolto quarantine show ID\n");
	}
	table_free(&l.table);
	json_decref(l.items);
	return status;
}

/* ---- show, replay, drop: one message, wherever it is ---- */

/* Asks one service after the other until one has it; complains when none does. */
static int find(const struct conf *c, const char *id, const char **ret_service, json_t **ret_item)
{
	char path[64];
	struct id parsed;
	struct err first = {0};
	if (id_parse(id, &parsed) < 0)
		return command_fail(
			"\"%.60s\" is not an id; ids are the 26 letters and digits that `ascolto quarantine "
			"list` shows",
			id);
	snprintf(path, sizeof(path), "/-/quarantine/%s", id);
	for (size_t i = 0; i < CLIENT_SERVICES; i++) {
		struct client_call call = call_to(c, client_services[i], path);
		struct err e = {0};
		int r = client_json(&call, ret_item, NULL, &e);
		if (r == 0) {
			*ret_service = client_services[i];
			return COMMAND_OK;
		}
		if (r != -ENOENT && !first.code)
			first = e;
	}
	if (first.code)
		return command_fail(
			"%s was not found, but not every service could be asked: %s", id, err_text(&first));
	return command_fail("no service has %s in quarantine", id);
}

static void show_field(const char *name, const char *text)
{
	if (!text[0])
		return;
	printf("%-10s", name);
	show_text(stdout, text, 10);
	putchar('\n');
}

static void show_envelope(const json_t *item)
{
	const json_t *envelope = json_object_get(item, "envelope"),
		     *intake = json_object_get(envelope, "intake");
	if (intake) {
		show_field("place", member_text(intake, "place"));
		show_field("refused", member_text(intake, "refused"));
		show_field("raw", member_text(item, "raw"));
		return;
	}
	char *text = envelope ? json_dumps(envelope, JSON_INDENT(2)) : NULL;
	show_field("envelope", text ? text : "");
	free(text);
}

static int show(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *item = NULL;
	const char *service = NULL;
	if (argc != 1)
		return command_fail("which message? usage: ascolto quarantine show ID"), COMMAND_USAGE;
	if (open_conf(o, &c) != COMMAND_OK || find(c, argv[0], &service, &item) != COMMAND_OK)
		return COMMAND_FAILED;
	json_object_set_new(item, "service", json_string(service));
	if (o->json) {
		show_json(stdout, json_incref(item));
		return COMMAND_OK;
	}
	char text[SHORT_MAX];
	show_field("service", service);
	show_field("id", member_text(item, "id"));
	show_field("when", short_time(member_int(item, "at_ms"), text));
	show_field("from", member_text(item, "from"));
	show_field("reason", member_text(item, "reason"));
	snprintf(text, sizeof(text), "%" PRId64, member_int(item, "attempts"));
	show_field("tries", text);
	show_field("size", short_bytes((double)member_int(item, "bytes"), text));
	show_envelope(item);
	return COMMAND_OK;
}

/* verb: "replay" or "drop". */
static int act(const struct conf *c, const char *service, const char *id, const char *verb, struct err *e)
{
	char path[64];
	snprintf(path, sizeof(path), "/-/quarantine/%s/%s", id, verb);
	struct client_call call = call_to(c, service, path);
	call.method = "POST";
	call.timeout_ms = CLIENT_ACT_MS;
	struct client_reply reply;
	int r = client_call(&call, &reply, e);
	if (r < 0)
		return r;
	if (reply.status != 200) {
		json_t *j = json_loadb(buf_str(&reply.body), reply.body.len, 0, NULL);
		r = err_set(e, -EREMOTEIO, "%s", member_text(j, "error"));
		if (!e->text[0])
			err_set(e, r, "%s answered %ld", service, reply.status);
		json_decref(j);
	}
	buf_free(&reply.body);
	return r;
}

static int act_on_one(const struct command_options *o, const char *id, const char *verb, const char *done)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *item = NULL;
	const char *service = NULL;
	struct err e = {0};
	if (open_conf(o, &c) != COMMAND_OK || find(c, id, &service, &item) != COMMAND_OK)
		return COMMAND_FAILED;
	if (act(c, service, id, verb, &e) < 0)
		return command_fail("%s at %s could not be %s: %s", id, service, done, err_text(&e));
	if (o->json)
		show_json(stdout, json_pack("{s:s, s:s, s:s}", "id", id, "service", service, "done", verb));
	else
		printf("%s at %s was %s\n", id, service, done);
	return COMMAND_OK;
}

struct replay {
	const struct conf *conf;
	int64_t done, failed;
};

static void replay_item(void *ctx, const char *service, json_t *item)
{
	struct replay *r = ctx;
	struct err e = {0};
	if (act(r->conf, service, item_id(item), "replay", &e) == 0) {
		r->done++;
		return;
	}
	r->failed++;
	command_fail("%s at %s could not be replayed: %s", item_id(item), service, err_text(&e));
}

static int replay_all(const struct command_options *o, const char *only)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct choice choice;
	if (choose(only, &choice) != COMMAND_OK || open_conf(o, &c) != COMMAND_OK)
		return COMMAND_FAILED;
	struct replay r = {.conf = c};
	int status = COMMAND_OK;
	for (size_t i = 0; i < choice.n; i++) {
		struct err e = {0};
		int64_t total;
		if (each_item(c, choice.names[i], INT64_MAX, &total, replay_item, &r, &e) < 0)
			status = command_fail("%s", err_text(&e));
	}
	char words[SHORT_MAX];
	if (o->json)
		show_json(stdout, json_pack("{s:I, s:I}", "replayed", (json_int_t)r.done, "failed",
					  (json_int_t)r.failed));
	else if (!r.done && !r.failed)
		printf("nothing is in quarantine%s\n",
			status == COMMAND_OK ? "" : " at the services that answered");
	else
		printf("%s replayed, %" PRId64 " could not be\n", plural(r.done, "message", words), r.failed);
	return r.failed ? COMMAND_FAILED : status;
}

static int replay(const struct command_options *o, int argc, char **argv)
{
	if (argc == 1 && !str_eq(argv[0], "all"))
		return act_on_one(o, argv[0], "replay", "replayed");
	if (argc >= 1 && argc <= 2 && str_eq(argv[0], "all"))
		return replay_all(o, argc == 2 ? argv[1] : NULL);
	return command_fail(
		       "usage: ascolto quarantine replay ID, or: ascolto quarantine replay all [SERVICE]"),
	       COMMAND_USAGE;
}

static int drop(const struct command_options *o, int argc, char **argv)
{
	if (argc != 1)
		return command_fail("which message? usage: ascolto quarantine drop ID"), COMMAND_USAGE;
	return act_on_one(o, argv[0], "drop", "dropped");
}

const struct command commands_quarantine[] = {
	{"quarantine", "list", list, "[SERVICE]", "what services could not handle, and why"},
	{"quarantine", "show", show, "ID", "one such message with all that is known of it"},
	{"quarantine", "replay", replay, "ID | all [SERVICE]", "let the service try again"},
	{"quarantine", "drop", drop, "ID", "throw it away"},
	{0},
};
