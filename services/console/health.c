/* How the six services are: each is asked for its /readyz over loopback. One round serves everybody who asked
 * meanwhile. */
#include "services/console/console.h"

#include "common/json.h"

#define ASK_TIMEOUT_MS 1500

static const char *const services[SERVICES] = {
	"ingest", "enrichment", "intent", "escalation", "notification", "console"};

/* ---- one answer ---- */

static void add_issue(struct health_answer *a, const char *text)
{
	json_array_append_new(a->issues, json_string(text));
}

/* {"service": ..., "ready": true, "issues": ["..."]}, with status 200 or 503. */
static void read_answer(struct health_answer *a, struct span body)
{
	json_t *o = NULL, *issue;
	size_t i;
	if (json_parse(body, &o, NULL) || !json_is_object(o)) {
		add_issue(a, "its answer can not be read");
		json_decref(o);
		return;
	}
	a->ready = json_is_true(json_object_get(o, "ready"));
	json_array_foreach(json_object_get(o, "issues"), i, issue) if (json_is_string(issue))
		json_array_append(a->issues, issue);
	json_decref(o);
}

static void reply_all(struct health *h)
{
	json_t *list = json_array();
	for (size_t i = 0; i < SERVICES; i++) {
		struct health_answer *a = &h->answer[i];
		json_array_append_new(list, json_pack("{s:s,s:b,s:o}", "name", a->service, "ready", a->ready,
						    "issues", a->issues ? a->issues : json_array()));
		a->issues = NULL;
	}
	json_t *all = json_pack("{s:o}", "services", list);
	char *text = json_dumps(all, JSON_COMPACT);
	for (size_t i = 0; i < h->n_waiting; i++)
		http_reply(
			h->waiting[i], 200, "application/json", span_str(text ? text : "{\"services\":[]}"));
	h->n_waiting = 0;
	free(text);
	json_decref(all);
}

static void answered(const struct fetch_response *response, void *ctx)
{
	struct health_answer *a = ctx;
	struct health *h = &a->console->health;
	char text[200];
	if (response->result == FETCH_ANSWERED) {
		read_answer(a, response->body);
	} else {
		snprintf(text, sizeof(text), "it does not answer at %s", a->address);
		add_issue(a, text);
	}
	if (--h->unanswered == 0)
		reply_all(h);
}

/* ---- a round ---- */

static bool ask(struct console *c, struct health_answer *a)
{
	char url[128];
	struct err e = {0};
	const struct conf_service *s = conf_service(svc_conf(c->svc), a->service);
	snprintf(a->address, sizeof(a->address), "%s", s->http);
	snprintf(url, sizeof(url), "http://%s/readyz", a->address);
	struct fetch_request request = {.url = url, .timeout_ms = ASK_TIMEOUT_MS};
	if (fetch_start(c->fetch, &request, answered, a, &e) == 0)
		return true;
	add_issue(a, err_text(&e));
	return false;
}

static void ask_all(struct console *c)
{
	struct health *h = &c->health;
	h->unanswered = 0;
	for (size_t i = 0; i < SERVICES; i++) {
		h->answer[i].console = c;
		h->answer[i].service = services[i];
		h->answer[i].ready = false;
		h->answer[i].issues = json_array();
		h->unanswered += ask(c, &h->answer[i]);
	}
	if (!h->unanswered)
		reply_all(h);
}

void get_health(struct http_request *r, void *ctx)
{
	struct console *c = ctx;
	struct health *h = &c->health;
	if (!request_is_ours(r))
		return;
	if (h->n_waiting == HEALTH_WAITING_MAX) {
		http_reply_header(r, "Retry-After", "2");
		http_reply_error(r, 503, "too many ask for this at once");
		return;
	}
	h->waiting[h->n_waiting++] = r;
	if (h->n_waiting == 1)
		ask_all(c);
}
