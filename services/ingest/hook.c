/* The webhook listener: /hook/CHANNEL goes to the channel's adapter as a line; the answer comes after the
 * commit. */
#include "ingest.h"

#define PENDING_MAX 256
#define ADAPTER_ANSWERS_MS 10000
#define HEADERS_MAX 100

struct pending {
	struct http_request *request;
	uint64_t number; /* 0 = free */
	const struct adapter *adapter;
	bool taken; /* its line is here, and waits for the commit */
	int64_t since_ms;
};

struct hook {
	struct ingest *in;
	struct http *http;
	uint64_t last;
	struct pending pending[PENDING_MAX]; /* the slot is number % PENDING_MAX */
};

static const struct metric_desc responses_desc = {
	.name = "ascolto_ingest_webhook_responses_total",
	.type = METRIC_COUNTER,
	.help = "Answers to webhooks, by status",
	.label = "status",
};

static void count(struct hook *h, unsigned status)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", status);
	metric_add(metric_series(svc_metrics(h->in->svc), &responses_desc, text), 1);
}

static void come_again(struct hook *h, struct http_request *r, const char *why)
{
	count(h, 503);
	http_reply_header(r, "Retry-After", "1");
	http_reply_error(r, 503, "%s", why);
}

static void refuse(struct hook *h, struct http_request *r, unsigned status, const char *why)
{
	count(h, status);
	http_reply_error(r, status, "%s", why);
}

/* ---- in ---- */

struct headers {
	struct adapter_header list[HEADERS_MAX];
	size_t n;
};

static void add_header(void *ctx, const char *name, const char *value)
{
	struct headers *all = ctx;
	if (all->n < HEADERS_MAX)
		all->list[all->n++] = (struct adapter_header){name, value ? value : ""};
}

static struct pending *free_slot(struct hook *h)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &h->pending[++h->last % PENDING_MAX];
		if (!p->number && h->last)
			return p;
	}
	return NULL;
}

static void on_request(struct http_request *r, void *ctx)
{
	struct hook *h = ctx;
	struct svc *s = h->in->svc;
	const char *channel = http_path_rest(r);
	struct adapter *a = intake_adapter(h->in, channel);
	if (!a) {
		refuse(h, r, 404, "there is no such channel");
		return;
	}
	struct pending *p = svc_room(s) ? free_slot(h) : NULL;
	if (!p) {
		come_again(h, r, "too much is waiting already; try again");
		return;
	}
	struct headers headers = {.n = 0};
	http_headers_each(r, add_header, &headers);
	uint64_t number = h->last;
	int err = headers.n == HEADERS_MAX ? -EMSGSIZE
					   : adapter_request(a, number, http_method(r), http_path(r), "",
						     headers.list, headers.n, http_body(r));
	if (err == -EOPNOTSUPP)
		refuse(h, r, 404, "this channel takes no webhooks");
	else if (err == -EMSGSIZE)
		refuse(h, r, 413, "the request is too large");
	else if (err)
		come_again(h, r, "the channel's adapter does not run at the moment; try again");
	else
		*p = (struct pending){r, number, a, false, svc_now_ms(s)};
}

/* ---- out ---- */

static struct pending *find(struct hook *h, uint64_t request)
{
	struct pending *p = h && request ? &h->pending[request % PENDING_MAX] : NULL;
	return p && p->number == request ? p : NULL;
}

void hook_taken(struct hook *h, uint64_t request)
{
	struct pending *p = find(h, request);
	if (p)
		p->taken = true;
}

void hook_answer(struct hook *h, uint64_t request, unsigned status, const char *type, struct span body)
{
	struct pending *p = find(h, request);
	if (!p)
		return;
	struct http_request *r = p->request;
	*p = (struct pending){0};
	count(h, status);
	http_reply(r, status, type ? type : "application/json", body);
}

static void give_up(struct hook *h, struct pending *p, const char *why)
{
	struct http_request *r = p->request;
	*p = (struct pending){0};
	come_again(h, r, why);
}

void hook_down(struct hook *h, const struct adapter *a)
{
	for (size_t i = 0; h && i < PENDING_MAX; i++)
		if (h->pending[i].number && h->pending[i].adapter == a && !h->pending[i].taken)
			give_up(h, &h->pending[i], "the channel's adapter ended; try again");
}

void hook_tick(struct hook *h, int64_t now_ms)
{
	for (size_t i = 0; h && i < PENDING_MAX; i++) {
		struct pending *p = &h->pending[i];
		if (p->number && !p->taken && now_ms - p->since_ms > ADAPTER_ANSWERS_MS)
			give_up(h, p, "the channel's adapter does not answer; try again");
	}
}

/* ---- life ---- */

int hook_open(struct ingest *in, struct err *e)
{
	const struct conf_service *here = conf_service(svc_conf(in->svc), "ingest");
	if (!here || str_empty(here->listen))
		return 0;
	static struct http_route routes[] = {
		{.method = "POST",
			.path = "/hook/*",
			.fn = on_request,
			.doc = "a delivery for the channel of that name"},
		{.method = "GET",
			.path = "/hook/*",
			.fn = on_request,
			.doc = "a network's question whether we are there"},
		{0},
	};
	struct hook *h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(e, -ENOMEM, "out of memory for the webhook listener");
	h->in = in;
	for (size_t i = 0; routes[i].path; i++)
		routes[i].ctx = h;
	const struct http_options o = {.address = here->listen, .routes = routes};
	int r = http_open(&h->http, svc_loop(in->svc), &o, e);
	if (r) {
		free(h);
		return r;
	}
	in->hook = h;
	return 0;
}

void hook_close(struct hook **hook)
{
	struct hook *h = *hook;
	if (!h)
		return;
	*hook = NULL;
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (h->pending[i].number)
			give_up(h, &h->pending[i], "the service is stopping; try again");
	http_close(&h->http);
	free(h);
}
