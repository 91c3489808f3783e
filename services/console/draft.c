/* What people write to customers: escalation, which has the playbook, looks at it first. */
#include "services/console/change.h"

#include "common/json.h"

#define WAITING_MAX 16
#define ASK_TIMEOUT_MS 5000
#define ANSWER_MAX ((size_t)1024 * 1024)
#define BRAND_MAX 160

static struct asking {
	struct http_request *request; /* NULL: free */
	struct console *console;
	char brand[BRAND_MAX];
	uint8_t *command; /* packed; NULL: only asked */
	size_t len;
} waiting[WAITING_MAX];

static void go_on(struct http_request *r, const struct asking *a)
{
	Ascolto__Command *c = ascolto__command__unpack(NULL, a->len, a->command);
	if (c)
		submit_command(r, a->console, a->brand, c);
	else
		http_reply_error(r, 503, "out of memory");
	ascolto__command__free_unpacked(c, NULL);
}

/* What there is to say, with the sentence that an error has. */
static void refuse(struct http_request *r, const json_t *said)
{
	json_t *findings = json_object_get(json_object_get(said, "answer"), "findings"), *f;
	const char *sentence = "";
	struct buf text;
	size_t i;
	json_array_foreach(findings, i, f) if (json_is_true(json_object_get(f, "blocks")) && !sentence[0])
		sentence = json_string_value(json_object_get(f, "en"));
	buf_init(&text, 1024);
	buf_addf(&text, "this text is not sent: %s", sentence ? sentence : "");
	json_t *body = json_pack("{s:s, s:O}", "error", buf_str(&text), "findings", findings);
	char *words = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (words)
		http_reply(r, 409, "application/json", span_str(words));
	else
		http_reply_error(r, 409, "%s", buf_str(&text));
	free(words);
	json_decref(body);
	buf_free(&text);
}

static void answered(const struct fetch_response *response, void *ctx)
{
	struct asking a = *(struct asking *)ctx;
	struct http_request *r = a.request;
	json_t *said = NULL;
	bool whole = response->result == FETCH_ANSWERED && json_parse(response->body, &said, NULL) == 0;
	const char *error = json_string_value(json_object_get(said, "error"));
	*(struct asking *)ctx = (struct asking){0};
	if (whole && response->status >= 400 && response->status < 500)
		http_reply_error(
			r, (unsigned)response->status, "%s", error ? error : "escalation refuses it");
	else if (whole && response->status == 200 && !a.command)
		http_reply(r, 200, "application/json", response->body);
	else if (whole && response->status == 200 && json_is_true(json_object_get(said, "blocks")))
		refuse(r, said);
	else if (a.command)
		go_on(r, &a);
	else
		http_reply_error(r, 503, "escalation does not say anything to it now");
	json_decref(said);
	free(a.command);
}

static struct asking *free_place(void)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (!waiting[i].request)
			return &waiting[i];
	return NULL;
}

static int ask(struct asking *a, const char *what, const struct id *id, const json_t *body)
{
	char url[512], text[ID_TEXT + 1];
	struct err e = {0};
	char *words = json_dumps(body, JSON_COMPACT);
	const struct conf *conf = svc_conf(a->console->svc);
	snprintf(url, sizeof(url), "http://%s/-/draft?brand=%s&%s=%s", conf_service(conf, "escalation")->http,
		a->brand, what, id_format(id, text));
	struct fetch_request request = {.url = url,
		.method = "POST",
		.body = span_str(words),
		.timeout_ms = ASK_TIMEOUT_MS,
		.response_max = ANSWER_MAX};
	int r = words ? fetch_start(a->console->fetch, &request, answered, a, &e) : -ENOMEM;
	free(words);
	return r;
}

void ask_draft(struct answer *a, const char *what, const struct id *id, const json_t *body,
	Ascolto__Command *command)
{
	struct asking *place = free_place();
	if (!place || strlen(a->brand_name) >= BRAND_MAX) {
		http_reply_header(a->request, "Retry-After", "2");
		answer_fail(a, 503, "too many ask for this at once");
		return;
	}
	*place = (struct asking){.request = a->request, .console = a->console};
	snprintf(place->brand, sizeof(place->brand), "%s", a->brand_name);
	if (command) {
		place->len = ascolto__command__get_packed_size(command);
		place->command = malloc(place->len + 1);
	}
	if ((command && !place->command) || ask(place, what, id, body)) {
		free(place->command);
		*place = (struct asking){0};
		answer_fail(a, 503, "out of memory");
		return;
	}
	if (command)
		ascolto__command__pack(command, place->command);
	answer_leave(a);
}
