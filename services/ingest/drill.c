/* POST /-/drill?brand=BRAND~NAME: posts of an exercise, on the operators' address. {"posts":[...]}, as adapters give them; the
 * answer comes after the commit. They are a drill's from here on (common/drill.h). */
#include "ingest.h"

#include "common/drill.h"
#include "common/id.h"
#include "common/json.h"

#define POSTS_MAX 1000

struct batch {
	struct http_request *request;
	size_t waiting, refused;
	bool sent; /* all are submitted: the last one to come back answers */
	char reason[ERR_TEXT_MAX];
};

static void answer(struct batch *b)
{
	if (b->refused)
		http_reply_error(b->request, 422, "%zu posts were refused; the first: %s", b->refused, b->reason);
	else
		http_reply(b->request, 200, "application/json", span_str("{\"accepted\":true}"));
	free(b);
}

static void done(void *ctx, enum verdict verdict, const char *why)
{
	struct batch *b = ctx;
	if (verdict != DONE && !b->refused++)
		snprintf(b->reason, sizeof(b->reason), "%s", why ? why : "");
	if (--b->waiting == 0 && b->sent)
		answer(b);
}

static int submit(struct svc *s, struct batch *b, const char *brand, const json_t *post)
{
	char *raw = json_dumps(post, JSON_COMPACT);
	struct id id = id_random(svc_now_ms(s));
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Intake intake = ASCOLTO__INTAKE__INIT;
	if (!raw)
		return -ENOMEM;
	intake.place = (char *)(uintptr_t)"drill";
	intake.raw = (ProtobufCBinaryData){strlen(raw), (uint8_t *)raw};
	intake.transport = ASCOLTO__TRANSPORT__TRANSPORT_IMPORT;
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)(uintptr_t)brand;
	e.drill = (char *)(uintptr_t)drill_of(brand);
	e.key_group = key_group_of(span_str(brand));
	e.received_ms = svc_now_ms(s);
	e.body_case = ASCOLTO__ENVELOPE__BODY_INTAKE;
	e.intake = &intake;
	int r = svc_submit(s, &e, done, b);
	free(raw);
	return r;
}

/* The list of posts; answers itself and returns NULL when it is none. */
static json_t *read_posts(struct http_request *r, struct svc *s, const char *brand, json_t **ret_body)
{
	struct err e = {0};
	if (!brand || !conf_brand(svc_conf(s), brand) || !drill_name_ok(drill_of(brand)))
		http_reply_error(r, 400, "brand is to be BRAND~NAME, of a brand that is configured");
	else if (json_parse(http_body(r), ret_body, &e))
		http_reply_error(r, 400, "the body can not be read: %s", err_text(&e));
	else if (!json_is_array(json_object_get(*ret_body, "posts")) ||
		 json_array_size(json_object_get(*ret_body, "posts")) > POSTS_MAX)
		http_reply_error(r, 400, "the body is to be {\"posts\":[...]} with at most %d posts", POSTS_MAX);
	else
		return json_object_get(*ret_body, "posts");
	return NULL;
}

void post_drill(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	const char *brand = http_query(r, "brand");
	json_t *body = NULL, *posts = read_posts(r, s, brand, &body), *post;
	size_t n = json_array_size(posts), i;
	struct batch *b = posts && n ? calloc(1, sizeof(*b)) : NULL;
	if (posts && !n)
		http_reply_error(r, 400, "there are no posts");
	else if (posts && (!b || svc_room(s) < n)) {
		http_reply_header(r, "Retry-After", "1");
		http_reply_error(r, 503, "ingest can not take more now; try again");
		free(b);
	} else if (posts) {
		b->request = r;
		json_array_foreach(posts, i, post)
		{
			if (submit(s, b, brand, post) == 0)
				b->waiting++;
			else if (!b->refused++)
				snprintf(b->reason, sizeof(b->reason), "ingest can not take more now");
		}
		b->sent = true;
		if (!b->waiting)
			answer(b);
	}
	json_decref(body);
}
