/* `ascolto arm show`: the ARM record of one message, in the order of its parts. */
#include "common/conf.h"
#include "common/id.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

#define NAME_WIDTH 16

static void line(const char *name, const char *text)
{
	if (str_empty(text))
		return;
	printf("  %-*s", NAME_WIDTH - 2, name);
	show_text(stdout, text, NAME_WIDTH);
	putchar('\n');
}

PRINTF(2, 3)
static void linef(const char *name, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line(name, text);
}

static void member_line(const char *name, const json_t *object, const char *key)
{
	line(name, member_text(object, key));
}

static void time_line(const char *name, const json_t *object, const char *key)
{
	char text[SHORT_MAX];
	if (member_int(object, key))
		line(name, short_time(member_int(object, key), text));
}

static void count_line(const char *name, const json_t *object, const char *key)
{
	if (member_int(object, key))
		linef(name, "%" PRId64, member_int(object, key));
}

static void list_line(const char *name, const json_t *object, const char *key)
{
	char text[1024] = "";
	size_t len = 0, i;
	json_t *word;
	json_array_foreach(json_object_get(object, key), i,
		word) if (json_is_string(word) && len < sizeof(text)) len += (size_t)snprintf(text + len,
		sizeof(text) - len, "%s%s", len ? ", " : "", json_string_value(word));
	line(name, text);
}

/* "repair (0.87)"; a label without a value is an honest "does not know". */
static void label_line(const char *name, const json_t *understanding, const char *key)
{
	const json_t *label = json_object_get(understanding, key);
	if (!label)
		return;
	const char *value = member_text(label, "value");
	linef(name, "%s (%.2f)", value[0] ? value : "does not know", member_number(label, "probability"));
}

static void what(const json_t *arm, const json_t *post, const json_t *understanding)
{
	const json_t *author = json_object_get(post, "author");
	const char *handle = member_text(author, "handle"), *name = member_text(author, "name");
	puts("WHAT");
	linef("author", "%s%s%s%s", handle, handle[0] && name[0] ? " (" : "", name,
		handle[0] && name[0] ? ")" : "");
	member_line("initiator", arm, "initiator");
	member_line("kind", post, "kind");
	member_line("subject", post, "subject");
	member_line("text", post, "text");
	count_line("rating", post, "rating");
	member_line("repeats", post, "repost_of");
	label_line("event", understanding, "event");
	label_line("sentiment", understanding, "sentiment");
	list_line("keywords", understanding, "keywords");
	member_line("not readable", post, "parse_error");
	member_line("answer", arm, "answer");
	time_line("answered", arm, "answered_ms");
}

static void where(const json_t *arm, const json_t *post)
{
	puts("WHERE");
	member_line("channel", post, "channel");
	member_line("network", post, "network");
	member_line("place", arm, "place");
	member_line("surface", post, "surface");
	member_line("conversation", post, "conversation");
	member_line("answers", post, "parent");
	member_line("link", post, "permalink");
	time_line("written", arm, "occurred_ms");
	time_line("received", arm, "received_ms");
}

static void intention(const json_t *understanding)
{
	puts("INTENTION");
	label_line("intent", understanding, "intent");
	label_line("expectation", understanding, "expectation");
	label_line("lane", understanding, "lane");
	list_line("flags", understanding, "flags");
	member_line("language", understanding, "language");
	member_line("model", understanding, "model");
}

static void know(const json_t *knowledge)
{
	static const char *const flags[] = {"vip", "influencer", "partner"};
	puts("KNOW");
	member_line("customer", knowledge, "display_name");
	member_line("customer id", knowledge, "customer_id");
	member_line("type", knowledge, "customer_type");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (json_is_true(json_object_get(knowledge, flags[i])))
			line(flags[i], "yes");
	count_line("reach", knowledge, "reach");
	time_line("first seen", knowledge, "first_seen_ms");
	count_line("messages", knowledge, "messages");
	linef("cases", "%" PRId64 ", %" PRId64 " open", member_int(knowledge, "cases"),
		member_int(knowledge, "open_cases"));
	member_line("last case", knowledge, "last_case_outcome");
	member_line("CRM record", knowledge, "crm_record");
}

static void rules(const json_t *arm)
{
	puts("RULES");
	member_line("playbook", arm, "playbook");
	json_t *rule, *fact;
	size_t i, j;
	json_array_foreach(json_object_get(arm, "rules"), i, rule)
	{
		char text[1024];
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", member_text(rule, "rule"));
		json_array_foreach(json_object_get(rule, "facts"), j, fact) if (len < sizeof(text)) len +=
			(size_t)snprintf(text + len, sizeof(text) - len, "%s%s = %s", j ? ", " : ", because ",
				member_text(fact, "name"), member_text(fact, "value"));
		line("matched", text);
	}
	member_line("code", arm, "code");
	member_line("kind of case", arm, "kind");
}

static void actions(const json_t *arm)
{
	puts("ACTION");
	json_t *action;
	size_t i;
	char when[SHORT_MAX];
	json_array_foreach(json_object_get(arm, "actions"), i, action)
	{
		const char *detail = member_text(action, "detail"),
			   *subject = member_text(action, "subject_id");
		linef(member_text(action, "name"), "%s by %s, %s%s%s%s%s%s", member_text(action, "result"),
			member_text(action, "actor"), short_time(member_int(action, "at_ms"), when),
			detail[0] ? ": " : "", detail, subject[0] ? " [" : "", subject,
			subject[0] ? "]" : "");
	}
	member_line("case", arm, "case_id");
	member_line("topic", arm, "topic_id");
	member_line("incident", arm, "incident_id");
}

static void print_record(const json_t *arm)
{
	const json_t *message = json_object_get(arm, "message");
	const json_t *post = json_object_get(message, "post");
	const json_t *understanding = json_object_get(message, "understanding");
	char when[SHORT_MAX];
	printf("ARM record of message %s, brand ", member_text(arm, "message_id"));
	show_text(stdout, member_text(arm, "brand"), 0);
	printf(", decided %s\n\n", short_time(member_int(arm, "decided_ms"), when));
	what(arm, post, understanding);
	where(arm, post);
	intention(understanding);
	know(json_object_get(message, "knowledge"));
	rules(arm);
	actions(arm);
}

static int show(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	CLEANUP(free_json) json_t *answer = NULL;
	struct err e = {0};
	struct id id;
	if (argc != 1)
		return command_fail("which message? usage: ascolto arm show ID"), COMMAND_USAGE;
	if (id_parse(argv[0], &id) < 0)
		return command_fail("\"%.60s\" is not an id; ids have 26 letters and digits", argv[0]);
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	char path[64];
	snprintf(path, sizeof(path), "/api/v1/messages/%s", argv[0]);
	const struct client_call call = {
		.service = "console", .address = c->services.console.listen, .path = path};
	int r = client_json(&call, &answer, NULL, &e);
	if (r == -ENOENT)
		return command_fail(
			"there is no ARM record of %s; if the message was accepted a moment ago it is on its "
			"way: see ascolto status",
			argv[0]);
	if (r < 0)
		return command_fail("%s", err_text(&e));
	const json_t *arm = json_object_get(answer, "arm");
	if (!json_is_object(arm))
		return command_fail("console at %s answered without an ARM record", call.address);
	if (o->json)
		show_json(stdout, json_deep_copy(arm));
	else
		print_record(arm);
	return COMMAND_OK;
}

const struct command commands_arm[] = {
	{"arm", "show", show, "ID",
		"the ARM record of a message: what, where, intention, know, rules, action"},
	{0},
};
