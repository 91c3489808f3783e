/* GET: the report of an incident and what closed ones taught. escalation writes them; this passes them on. */
#include "services/console/console.h"

#define WAITING_MAX 8
#define ASK_TIMEOUT_MS 20000
#define REPORT_MAX ((size_t)4 * 1024 * 1024)

/* The document's own style is inside it; nothing runs and nothing is loaded. */
#define REPORT_POLICY "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static struct asking {
	struct http_request *request; /* NULL: free */
	bool html;
} waiting[WAITING_MAX];

static void answered(const struct fetch_response *response, void *ctx)
{
	struct asking *a = ctx;
	struct http_request *r = a->request;
	a->request = NULL;
	if (response->result != FETCH_ANSWERED || (response->status != 200 && response->status != 404))
		http_reply_error(r, 503, "escalation does not give it: %s",
			response->result == FETCH_ANSWERED ? "it answered with an error" : response->error);
	else if (response->status == 404)
		http_reply_error(r, 404, "there is no such incident");
	else
		http_reply(r, 200, a->html ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8", response->body);
}

static void ask(struct http_request *r, struct console *c, const char *path, bool html)
{
	char url[512];
	struct err e = {0};
	struct asking *a = NULL;
	for (size_t i = 0; i < WAITING_MAX && !a; i++)
		a = waiting[i].request ? NULL : &waiting[i];
	if (!a) {
		http_reply_header(r, "Retry-After", "2");
		http_reply_error(r, 503, "too many ask for this at once");
		return;
	}
	*a = (struct asking){r, html};
	snprintf(url, sizeof(url), "http://%s%s", conf_service(svc_conf(c->svc), "escalation")->http, path);
	struct fetch_request request = {.url = url, .timeout_ms = ASK_TIMEOUT_MS, .response_max = REPORT_MAX};
	if (fetch_start(c->fetch, &request, answered, a, &e) == 0)
		return;
	a->request = NULL;
	http_reply_error(r, 500, "%s", err_text(&e));
}

/* "it" unless English is asked for; NULL: answered. */
static const char *language_of(struct http_request *r)
{
	const char *lang = http_query(r, "lang");
	if (!lang || str_eq(lang, "it"))
		return "it";
	if (str_eq(lang, "en"))
		return "en";
	http_reply_error(r, 400, "lang is to be it or en");
	return NULL;
}

void get_report(struct http_request *r, struct console *c, const struct id *incident)
{
	char path[128], text[ID_TEXT + 1];
	const char *format = http_query(r, "format"), *lang;
	bool html = !format || str_eq(format, "html");
	if (!request_is_ours_under(r, REPORT_POLICY) || !(lang = language_of(r)))
		return;
	if (!html && !str_eq(format, "markdown")) {
		http_reply_error(r, 400, "format is to be html or markdown");
		return;
	}
	snprintf(path, sizeof(path), "/-/report?incident=%s&format=%s&lang=%s", id_format(incident, text),
		html ? "html" : "markdown", lang);
	ask(r, c, path, html);
}

void get_lessons(struct http_request *r, void *ctx)
{
	const struct conf_brand *brand;
	const char *lang;
	char path[256];
	if (!request_is_ours(r) || !(brand = request_brand(r, ctx)) || !(lang = language_of(r)))
		return;
	snprintf(path, sizeof(path), "/-/lessons?brand=%s&lang=%s", brand->name, lang);
	ask(r, ctx, path, false);
}
