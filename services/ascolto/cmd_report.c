/* `ascolto report` and `ascolto lessons`: what an incident was, and what those before it taught. */
#include "common/conf.h"
#include "common/id.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

struct asked {
	const char *format, *lang, *out, *brand, *incident;
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && str_eq(s + n - m, end);
}

/* The value of an option that has one; NULL: not that option. */
static const char *value(const char *name, int argc, char **argv, int *i)
{
	if (!str_eq(argv[*i], name) || *i + 1 == argc)
		return NULL;
	return argv[++*i];
}

static int read_arguments(int argc, char **argv, struct asked *a)
{
	for (int i = 0; i < argc; i++) {
		const char *v;
		if (str_eq(argv[i], "--html"))
			a->format = "html";
		else if (str_eq(argv[i], "--markdown"))
			a->format = "markdown";
		else if ((v = value("--lang", argc, argv, &i)))
			a->lang = v;
		else if ((v = value("--out", argc, argv, &i)))
			a->out = v;
		else if ((v = value("--brand", argc, argv, &i)))
			a->brand = v;
		else if (argv[i][0] != '-' && !a->incident)
			a->incident = argv[i];
		else
			return command_fail("\"%.60s\" is not understood here; see ascolto help report", argv[i]), COMMAND_USAGE;
	}
	if (a->lang && !str_eq(a->lang, "it") && !str_eq(a->lang, "en"))
		return command_fail("--lang is to be it or en"), COMMAND_USAGE;
	if (!a->format)
		a->format = a->out && (ends_with(a->out, ".html") || ends_with(a->out, ".htm")) ? "html" : "markdown";
	return COMMAND_OK;
}

static int write_out(const struct command_options *o, const struct asked *a, const struct buf *text)
{
	if (o->json && !a->out) {
		show_json(stdout, json_pack("{s:s, s:s%}", "format", a->format, "document", (const char *)text->data, text->len));
		return COMMAND_OK;
	}
	FILE *f = a->out ? fopen(a->out, "we") : stdout;
	if (!f)
		return command_fail("%s can not be written: %s", a->out, strerror(errno));
	bool failed = fwrite(text->data, 1, text->len, f) != text->len || fflush(f);
	if (a->out && (fclose(f) || failed))
		return command_fail("%s can not be written whole: %s", a->out, strerror(errno));
	return failed ? COMMAND_FAILED : COMMAND_OK;
}

static int get(const struct command_options *o, const struct conf *c, const char *path, const struct asked *a)
{
	const struct client_call call = {.service = "escalation", .address = c->services.escalation.http, .path = path,
		.timeout_ms = CLIENT_ACT_MS};
	struct client_reply reply;
	struct err e = {0};
	if (client_call(&call, &reply, &e) < 0)
		return command_fail("%s", err_text(&e));
	int status;
	if (reply.status == 200) {
		status = write_out(o, a, &reply.body);
	} else {
		json_t *answer = json_loadb(buf_str(&reply.body), reply.body.len, 0, NULL);
		status = command_fail("escalation at %s answered %ld: %s", call.address, reply.status, member_text(answer, "error"));
		json_decref(answer);
	}
	buf_free(&reply.body);
	return status;
}

/* The language asked for, else that of the brand the configuration names first. */
static const char *language(const struct conf *c, const struct asked *a)
{
	const struct conf_brand *b = a->brand ? conf_brand(c, a->brand) : c->brands_count ? &c->brands[0] : NULL;
	return a->lang ? a->lang : b && str_eq(b->language, "en") ? "en" : "it";
}

static int report(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct asked a = {0};
	struct err e = {0};
	struct id id;
	char path[160];
	int status = read_arguments(argc, argv, &a);
	if (status)
		return status;
	if (!a.incident || a.brand)
		return command_fail("which incident? usage: ascolto report INCIDENT [--html|--markdown] [--lang it|en] [--out FILE]"),
		       COMMAND_USAGE;
	if (id_parse(a.incident, &id) < 0)
		return command_fail("\"%.60s\" is not an id; ids have 26 letters and digits", a.incident);
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	snprintf(path, sizeof(path), "/-/report?incident=%s&format=%s&lang=%s", a.incident, a.format, language(c, &a));
	return get(o, c, path, &a);
}

static int lessons(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct asked a = {0};
	struct err e = {0};
	char path[256];
	int status = read_arguments(argc, argv, &a);
	if (status)
		return status;
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	const char *brand = a.brand ? a.brand : c->brands_count == 1 ? c->brands[0].name : NULL;
	if (!brand)
		return command_fail("which brand? there are %u: say --brand NAME", c->brands_count), COMMAND_USAGE;
	if (!conf_brand(c, brand))
		return command_fail("there is no brand \"%.60s\" in %s", brand, c->path);
	snprintf(path, sizeof(path), "/-/lessons?brand=%s&lang=%s", brand, language(c, &a));
	return get(o, c, path, &a);
}

const struct command commands_report[] = {
	{"report", "", report, "INCIDENT [--html|--markdown] [--lang it|en] [--out FILE]", "an incident from beginning to end"},
	{"lessons", "", lessons, "[--brand B] [--lang it|en] [--out FILE]", "what closed incidents taught, to be kept beside the playbook"},
	{0},
};
