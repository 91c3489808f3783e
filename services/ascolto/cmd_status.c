/* `ascolto status`: every service on one line, what is wrong in words, and the balance of messages and ARM
 * records. */
#include "common/conf.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

struct service_status {
	const char *name, *address;
	bool up, ready;
	json_t *json; /* as the service gave it; NULL when it is down */
	struct err e; /* why it is not up */
};

enum { INGEST = 0, ESCALATION = 3 }; /* in client_services */

static void ask(struct service_status *s)
{
	const struct client_call call = {.service = s->name, .address = s->address, .path = "/-/status"};
	if (client_json(&call, &s->json, NULL, &s->e) < 0)
		return;
	s->up = str_eq(member_text(s->json, "service"), s->name);
	s->ready = s->up && json_is_true(json_object_get(s->json, "ready"));
	if (!s->up)
		err_set(&s->e, -EBADMSG,
			"at %s, where %s should answer, answers \"%.40s\"; look at the ports of the "
			"configuration",
			s->address, s->name, member_text(s->json, "service"));
}

/* Escalation is asked before ingest, so a message that passes between the two questions counts as on its way,
 * never as an ARM record too many. */
static void ask_all(const struct conf *c, struct service_status all[CLIENT_SERVICES])
{
	for (size_t i = CLIENT_SERVICES; i-- > 0;) {
		all[i] = (struct service_status){
			.name = client_services[i], .address = conf_service(c, client_services[i])->http};
		ask(&all[i]);
	}
}

static void service_row(struct table *t, const struct service_status *s)
{
	char text[SHORT_MAX];
	table_cell(t, "%s", s->name);
	if (!s->up) {
		table_cell(t, s->e.code == -EBADMSG ? "?" : "down");
		for (int i = 0; i < 6; i++)
			table_cell(t, "-");
		return;
	}
	const json_t *queue = json_object_get(s->json, "queue");
	json_t *links = json_object_get(s->json, "links"), *link;
	int64_t unacknowledged = 0;
	double oldest = 0, memory = member_number(s->json, "memory_bytes");
	size_t i;
	json_array_foreach(links, i, link)
	{
		unacknowledged += member_int(link, "unacknowledged");
		oldest = MAX(oldest, member_number(link, "oldest_seconds"));
	}
	table_cell(t, "%s", short_seconds(member_number(s->json, "up_seconds"), text));
	table_cell(t, s->ready ? "yes" : "no");
	table_cell(t, "%s", short_seconds(member_number(s->json, "lag_seconds"), text));
	table_cell(t, "%" PRId64, member_int(queue, "messages"));
	if (unacknowledged)
		table_cell(t, "%" PRId64 " (%s)", unacknowledged, short_seconds(oldest, text));
	else
		table_cell(t, "0");
	table_cell(t, "%" PRId64, member_int(s->json, "quarantine"));
	table_cell(t, "%s", memory > 0 ? short_bytes(memory, text) : "-");
}

/* What is wrong, a sentence each, into an array of strings. */
static json_t *complaints(const struct service_status all[CLIENT_SERVICES])
{
	json_t *out = json_array();
	for (size_t i = 0; i < CLIENT_SERVICES; i++) {
		const struct service_status *s = &all[i];
		if (!s->up) {
			json_array_append_new(
				out, json_sprintf("%s%s", err_text(&s->e),
					     s->e.code == -ECONNREFUSED ? "; is it running?" : ""));
			continue;
		}
		json_t *issues = json_object_get(s->json, "issues"), *item;
		size_t n;
		json_array_foreach(issues, n, item) if (json_is_string(item))
			json_array_append_new(out, json_sprintf("%s: %s", s->name, json_string_value(item)));
		if (!s->ready && !json_array_size(issues))
			json_array_append_new(
				out, json_sprintf("%s is not ready and does not say why", s->name));
	}
	return out;
}

/* accepted 415, ARM records 413: 2 on their way (1 in quarantine at intent) */
static json_t *balance(const struct service_status all[CLIENT_SERVICES])
{
	for (size_t i = INGEST; i <= ESCALATION; i += ESCALATION - INGEST)
		if (!all[i].up)
			return json_pack("{s:s+}", "words",
				"the balance is unknown while it can not be asked of ", all[i].name);
	int64_t accepted = member_int(json_object_get(all[INGEST].json, "counters"), "accepted");
	int64_t records = member_int(json_object_get(all[ESCALATION].json, "counters"), "arm_records");
	int64_t missing = accepted - records;
	json_t *kept = json_object();
	char words[512];
	size_t n = (size_t)snprintf(words, sizeof(words), "accepted %" PRId64 "%sARM records %" PRId64,
		accepted, missing ? ", " : " = ", records);
	if (missing < 0)
		n += (size_t)snprintf(
			words + n, sizeof(words) - n, ": %" PRId64 " more than were accepted", -missing);
	if (missing > 0)
		n += (size_t)snprintf(words + n, sizeof(words) - n, ": %" PRId64 " on their way", missing);
	bool open = false;
	for (size_t i = INGEST + 1; i <= ESCALATION; i++) {
		int64_t quarantine = all[i].up ? member_int(all[i].json, "quarantine") : 0;
		if (!quarantine)
			continue;
		json_object_set_new(kept, all[i].name, json_integer(quarantine));
		if (missing <= 0)
			continue;
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%" PRId64 " in quarantine at %s",
			open ? ", " : " (", quarantine, all[i].name);
		open = true;
	}
	snprintf(words + n, sizeof(words) - n, "%s", open ? ")" : "");
	return json_pack("{s:I, s:I, s:I, s:o, s:s}", "accepted", (json_int_t)accepted, "arm_records",
		(json_int_t)records, "on_their_way", (json_int_t)missing, "quarantine", kept, "words", words);
}

static json_t *as_json(const struct service_status *s)
{
	json_t *j = s->json ? json_copy(s->json) : json_object();
	json_object_set_new(j, "service", json_string(s->name));
	json_object_set_new(j, "address", json_string(s->address));
	json_object_set_new(j, "up", json_boolean(s->up));
	json_object_set_new(j, "ready", json_boolean(s->ready));
	if (!s->up)
		json_object_set_new(j, "error", json_string(err_text(&s->e)));
	return j;
}

static void print_text(
	const struct service_status all[CLIENT_SERVICES], const json_t *wrong, const json_t *sums)
{
	static const char *const head[] = {
		"service", "up", "ready", "lag", "queue", "unacknowledged", "quarantine", "memory"};
	CLEANUP(table_free) struct table t = {.align = "lrlrrrrr"};
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		table_cell(&t, "%s", head[i]);
	for (size_t i = 0; i < CLIENT_SERVICES; i++)
		service_row(&t, &all[i]);
	table_print(&t, stdout);
	putchar('\n');
	size_t i;
	json_t *sentence;
	json_array_foreach(wrong, i, sentence)
	{
		show_text(stdout, json_string_value(sentence), 0);
		putchar('\n');
	}
	printf("%s%s\n", json_array_size(wrong) ? "\n" : "", member_text(sums, "words"));
}

static int status(const struct command_options *o, int argc, char **argv)
{
	(void)argv;
	if (argc)
		return command_fail("status takes no arguments"), COMMAND_USAGE;
	CLEANUP(conf_free) struct conf *c = NULL;
	struct err e = {0};
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	struct service_status all[CLIENT_SERVICES];
	ask_all(c, all);
	bool good = true;
	for (size_t i = 0; i < CLIENT_SERVICES; i++)
		good = good && all[i].up && all[i].ready;
	json_t *wrong = complaints(all), *sums = balance(all);
	if (o->json) {
		json_t *services = json_array();
		for (size_t i = 0; i < CLIENT_SERVICES; i++)
			json_array_append_new(services, as_json(&all[i]));
		show_json(stdout, json_pack("{s:b, s:o, s:O, s:O}", "ok", good, "services", services, "wrong",
					  wrong, "balance", sums));
	} else {
		print_text(all, wrong, sums);
	}
	json_decref(wrong);
	json_decref(sums);
	for (size_t i = 0; i < CLIENT_SERVICES; i++)
		json_decref(all[i].json);
	return good ? COMMAND_OK : COMMAND_FAILED;
}

const struct command commands_status[] = {
	{"status", "", status, "", "is every service up and ready, and is every message accounted for"},
	{0},
};
