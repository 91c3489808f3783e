/*
 * ascolto-adapter-webhook - posts that come as a signed HTTP POST (signature.h says how it is signed).
 *
 * The body is a post, a list of posts, or {"posts": […]}. X-Ascolto-Delivery names the delivery in
 * complaints. Settings: insecure=yes takes unsigned deliveries, and then the channel's posts are marked
 * unsigned.
 */
#include "common/buf.h"
#include "common/json.h"
#include "common/jsonspan.h"
#include "services/adapters/sdk.h"
#include "services/adapters/webhook/signature.h"

#define DELIVERY_MAX 128

struct hook {
	struct sdk *sdk;
	bool insecure;
	char *body; /* of the delivery at hand, line breaks made spaces */
	char delivery[DELIVERY_MAX + 1];
};

static int refuse(struct hook *h, const struct sdk_request *r, unsigned status, const char *why)
{
	struct buf b;
	buf_init(&b, (size_t)64 * 1024);
	buf_adds(&b, "{\"error\":");
	json_add_string(&b, span_str(why));
	buf_adds(&b, "}");
	int err = sdk_respond(h->sdk, r, status, buf_str(&b));
	buf_free(&b);
	return err;
}

/* "application/json", perhaps with parameters. */
static bool is_json(const char *type)
{
	static const char want[] = "application/json";
	size_t len = sizeof(want) - 1;
	return type && !strncasecmp(type, want, len) && (!type[len] || type[len] == ';' || type[len] == ' ');
}

/* The sender's name for the delivery, or one made of its body. */
static bool name_delivery(struct hook *h, const struct sdk_request *r)
{
	const char *name = sdk_header(r, "x-ascolto-delivery");
	if (!name) {
		uint64_t hash = 14695981039346656037u; /* FNV-1a: a name, no security hangs on it */
		for (size_t i = 0; i < r->body.len; i++)
			hash = (hash ^ r->body.data[i]) * 1099511628211u;
		snprintf(h->delivery, sizeof(h->delivery), "unnamed-%016" PRIx64, hash);
		return true;
	}
	size_t len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x21 || name[i] > 0x7e)
			return false;
	if (!len || len > DELIVERY_MAX)
		return false;
	memcpy(h->delivery, name, len + 1);
	return true;
}

static int add_post(struct hook *h, struct span post, size_t n)
{
	char place[DELIVERY_MAX + 64];
	snprintf(place, sizeof(place), "delivery %s, post %zu", h->delivery, n);
	return sdk_post(h->sdk, post, place);
}

/* The list the posts are in: the body itself, its "posts", or nothing when the body is one post. */
static struct span find_list(struct span body)
{
	if (jsonspan_type(body) == '[')
		return body;
	struct jsonspan s = jsonspan_open(body);
	struct span key, value;
	while (jsonspan_next(&s, &key, &value))
		if (jsonspan_is(key, "posts") && jsonspan_type(value) == '[')
			return value;
	return span_of(NULL, 0);
}

static int deliver(struct hook *h, const struct sdk_request *r)
{
	const struct sdk_line line = {.delivery = h->delivery,
		.trust = h->insecure ? "unsigned" : "signed",
		.transport = "webhook",
		.request = r->number,
		.status = 200};
	char place[DELIVERY_MAX + 16];
	snprintf(place, sizeof(place), "delivery %s", h->delivery);
	struct err why = {0};
	json_t *json = NULL;
	if (json_parse(r->body, &json, &why))
		return sdk_bad(h->sdk, place, err_text(&why), r->body, r->body.len, &line);
	bool fits = json_is_object(json) || json_is_array(json);
	json_decref(json);
	if (!fits)
		return sdk_bad(h->sdk, place, "not an object or a list", r->body, r->body.len, &line);

	/* It is JSON, so a line break can only stand between values. */
	char *text = realloc(h->body, r->body.len + 1);
	if (!text)
		return refuse(h, r, 503, "out of memory");
	h->body = text;
	for (size_t i = 0; i < r->body.len; i++)
		text[i] = r->body.data[i] == '\n' || r->body.data[i] == '\r' ? ' ' : (char)r->body.data[i];
	struct span body = span_of(text, r->body.len), list = find_list(body), key, value;
	size_t n = 0;
	int err = 0;
	if (!list.len)
		err = add_post(h, body, n++);
	for (struct jsonspan s = jsonspan_open(list); list.len && !err && jsonspan_next(&s, &key, &value);
		n++)
		err = n < SDK_POSTS_MAX ? add_post(h, value, n) : 0;
	if (n > SDK_POSTS_MAX) {
		sdk_forget(h->sdk);
		return refuse(h, r, 413, "more than 1000 posts in one delivery");
	}
	return err ? err : sdk_send(h->sdk, &line);
}

static int answer(struct hook *h, const struct sdk_request *r)
{
	struct err why = {0};
	const char *const secrets[] = {sdk_secret(h->sdk), sdk_previous_secret(h->sdk)};
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (!str_eq(r->method, "POST"))
		return refuse(h, r, 405, "a delivery is a POST");
	if (!h->insecure && signature_check(sdk_header(r, "x-ascolto-signature"), r->body, secrets,
				    ARRAY_SIZE(secrets), now.tv_sec, &why))
		return refuse(h, r, 401, err_text(&why));
	if (!is_json(sdk_header(r, "content-type")))
		return refuse(h, r, 415, "the content type must be application/json");
	if (!name_delivery(h, r))
		return refuse(h, r, 422, "X-Ascolto-Delivery must be 1 to 128 visible ASCII characters");
	return deliver(h, r);
}

int main(void)
{
	struct hook h = {0};
	struct err e = {0};
	if (sdk_open(&h.sdk, "webhook", SDK_WEBHOOK, &e))
		return sdk_fail(&e);
	h.insecure = str_eq(sdk_setting(h.sdk, "insecure"), "yes");
	int err = 0;
	if (!h.insecure && str_empty(sdk_secret(h.sdk)) && str_empty(sdk_previous_secret(h.sdk)))
		err = sdk_health(h.sdk,
			"it has no secret and refuses everything: set secret_file, or the setting "
			"insecure=yes");
	const struct sdk_request *r;
	while (!err && sdk_wait(h.sdk, -1, -1, &r) == SDK_REQUEST)
		err = answer(&h, r);
	free(h.body);
	sdk_close(&h.sdk);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
