#include "adapter_line.h"
#include "json.h"
#include "jsonspan.h"

#include <sodium.h>

/* What a line says before it is clear what it means. */
struct words {
	struct span hello, name, receive, n, request, cursor, post, posts, place, places, bad, respond,
		delivery, trust, transport, health, end;
};

static const struct {
	const char *word;
	size_t offset;
} known[] = {
	{"hello", offsetof(struct words, hello)},
	{"name", offsetof(struct words, name)},
	{"receive", offsetof(struct words, receive)},
	{"n", offsetof(struct words, n)},
	{"request", offsetof(struct words, request)},
	{"cursor", offsetof(struct words, cursor)},
	{"post", offsetof(struct words, post)},
	{"posts", offsetof(struct words, posts)},
	{"place", offsetof(struct words, place)},
	{"places", offsetof(struct words, places)},
	{"bad", offsetof(struct words, bad)},
	{"respond", offsetof(struct words, respond)},
	{"delivery", offsetof(struct words, delivery)},
	{"trust", offsetof(struct words, trust)},
	{"transport", offsetof(struct words, transport)},
	{"health", offsetof(struct words, health)},
	{"end", offsetof(struct words, end)},
};

static int read_words(struct span text, struct words *w, struct err *e)
{
	if (jsonspan_type(text) != '{')
		return err_set(e, -EBADMSG, "not a JSON object");
	struct jsonspan s = jsonspan_open(text);
	struct span key, value;
	while (jsonspan_next(&s, &key, &value))
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (jsonspan_is(key, known[i].word))
				*(struct span *)((char *)w + known[i].offset) = value;
	return jsonspan_end(&s) ? err_set(e, -EBADMSG, "not JSON") : 0;
}

/* A string that may be absent; *ret is left as it was then. */
static int take_string(struct span value, const char *word, struct arena *a, const char **ret, struct err *e)
{
	if (!value.len)
		return 0;
	int r = jsonspan_string(value, a, ret);
	return r == -EBADMSG ? err_set(e, r, "\"%s\" is not a string", word) : r;
}

static int take_number(struct span value, const char *word, uint64_t *ret, struct err *e)
{
	if (!value.len)
		return 0;
	return jsonspan_u64(value, ret) ? err_set(e, -EBADMSG, "\"%s\" is not a whole number", word) : 0;
}

static size_t count(struct span list)
{
	size_t n = 0;
	struct span key, value;
	for (struct jsonspan s = jsonspan_open(list); jsonspan_next(&s, &key, &value);)
		n++;
	return n;
}

static int take_places(
	struct span places, struct adapter_post *posts, size_t n, struct arena *a, struct err *e)
{
	struct jsonspan s = jsonspan_open(places);
	struct span key, value;
	for (size_t i = 0; jsonspan_next(&s, &key, &value); i++) {
		if (i == n)
			return err_set(e, -EBADMSG, "more \"places\" than \"posts\"");
		int r = take_string(value, "places", a, &posts[i].place, e);
		if (r)
			return r;
	}
	return jsonspan_end(&s) ? err_set(e, -EBADMSG, "\"places\" is not a list") : 0;
}

static int take_posts(const struct words *w, struct arena *a, struct adapter_line *line, struct err *e)
{
	size_t n = w->post.len ? 1 : count(w->posts);
	if (n > ADAPTER_POSTS_MAX)
		return err_set(
			e, -EBADMSG, "%zu posts in one line; at most %d are allowed", n, ADAPTER_POSTS_MAX);
	struct adapter_post *posts = arena_zalloc(a, MAX(n, (size_t)1) * sizeof(*posts));
	if (!posts)
		return -ENOMEM;
	struct span key, value;
	if (w->post.len) {
		posts[0].json = w->post;
	} else {
		struct jsonspan s = jsonspan_open(w->posts);
		for (size_t i = 0; jsonspan_next(&s, &key, &value); i++)
			posts[i].json = value;
		if (jsonspan_type(w->posts) != '[' || jsonspan_end(&s))
			return err_set(e, -EBADMSG, "\"posts\" is not a list");
	}
	for (size_t i = 0; i < n; i++)
		posts[i].place = "";
	line->posts = posts;
	line->n_posts = n;
	return w->places.len ? take_places(w->places, posts, n, a, e)
	       : n == 1	     ? take_string(w->place, "place", a, &posts[0].place, e)
			     : 0;
}

static int take_base64(const char *text, struct arena *a, struct span *ret, struct err *e)
{
	size_t max = strlen(text) / 4 * 3 + 3, len;
	uint8_t *raw = arena_alloc(a, max);
	if (!raw)
		return -ENOMEM;
	if (sodium_base642bin(raw, max, text, strlen(text), NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL))
		return err_set(e, -EBADMSG, "\"raw_base64\" is not base 64");
	*ret = span_of(raw, len);
	return 0;
}

/* {"place":"…","reason":"…","raw_base64":"…","bytes":123} */
static int take_bad(struct span bad, struct arena *a, struct adapter_line *line, struct err *e)
{
	struct adapter_post *post = arena_zalloc(a, sizeof(*post));
	if (!post)
		return -ENOMEM;
	const char *raw = "";
	uint64_t bytes = 0;
	post->place = "";
	struct jsonspan s = jsonspan_open(bad);
	struct span key, value;
	for (int r; jsonspan_next(&s, &key, &value);) {
		r = jsonspan_is(key, "place")	     ? take_string(value, "place", a, &post->place, e)
		    : jsonspan_is(key, "reason")     ? take_string(value, "reason", a, &post->refused, e)
		    : jsonspan_is(key, "raw_base64") ? take_string(value, "raw_base64", a, &raw, e)
		    : jsonspan_is(key, "bytes")	     ? take_number(value, "bytes", &bytes, e)
						     : 0;
		if (r)
			return r;
	}
	if (jsonspan_end(&s) || !post->refused)
		return err_set(e, -EBADMSG, "\"bad\" is not an object with a \"reason\"");
	line->posts = post;
	line->n_posts = 1;
	return take_base64(raw, a, &post->raw, e);
}

/* {"status":200,"body":"…","type":"text/plain"} */
static int take_respond(struct span respond, struct arena *a, struct adapter_line *line, struct err *e)
{
	uint64_t status = 0;
	struct jsonspan s = jsonspan_open(respond);
	struct span key, value;
	for (int r; jsonspan_next(&s, &key, &value);) {
		r = jsonspan_is(key, "status") ? take_number(value, "status", &status, e)
		    : jsonspan_is(key, "body") ? take_string(value, "body", a, &line->respond_body, e)
		    : jsonspan_is(key, "type") ? take_string(value, "type", a, &line->respond_type, e)
					       : 0;
		if (r)
			return r;
	}
	if (jsonspan_end(&s) || status < 200 || status > 599)
		return err_set(e, -EBADMSG, "\"respond\" is not an object with a \"status\" from 200 to 599");
	line->respond_status = (unsigned)status;
	return 0;
}

/* What there must be beside what is there. */
static int check_line(const struct adapter_line *line, struct err *e)
{
	if (!line->n && (line->n_posts || line->cursor))
		return err_set(e, -EBADMSG, "posts or a cursor without a line number \"n\"");
	if (!line->n && !line->request)
		return err_set(e, -EBADMSG, "none of hello, n, request, health and end");
	if (line->request && !line->respond_status)
		return err_set(e, -EBADMSG, "an answer to a request without \"respond\"");
	return 0;
}

static int take_line(const struct words *w, struct arena *a, struct adapter_line *line, struct err *e)
{
	int r = take_number(w->n, "n", &line->n, e);
	r = r ? r : take_number(w->request, "request", &line->request, e);
	r = r ? r : take_string(w->cursor, "cursor", a, &line->cursor, e);
	r = r ? r : take_string(w->delivery, "delivery", a, &line->delivery_id, e);
	r = r ? r : take_string(w->trust, "trust", a, &line->trust, e);
	r = r ? r : take_string(w->transport, "transport", a, &line->transport, e);
	if (!r && w->respond.len)
		r = take_respond(w->respond, a, line, e);
	if (!r && w->bad.len)
		r = take_bad(w->bad, a, line, e);
	else if (!r && (w->post.len || w->posts.len))
		r = take_posts(w, a, line, e);
	return r ? r : check_line(line, e);
}

static int take_hello(const struct words *w, struct arena *a, struct adapter_said *said, struct err *e)
{
	int r = take_number(w->hello, "hello", &said->version, e);
	r = r ? r : take_string(w->name, "name", a, &said->name, e);
	if (r || !w->receive.len)
		return r;
	struct jsonspan s = jsonspan_open(w->receive);
	struct span key, value;
	while (jsonspan_next(&s, &key, &value))
		if (jsonspan_is(value, "\"webhook\""))
			said->webhooks = true;
	return jsonspan_end(&s) ? err_set(e, -EBADMSG, "\"receive\" is not a list") : 0;
}

static int take_health(const struct words *w, struct arena *a, struct adapter_said *said, struct err *e)
{
	struct jsonspan s = jsonspan_open(w->health);
	struct span key, value;
	while (jsonspan_next(&s, &key, &value)) {
		if (!jsonspan_is(key, "error") || jsonspan_type(value) == 'n')
			continue;
		int r = take_string(value, "error", a, &said->health, e);
		if (r)
			return r;
	}
	return jsonspan_end(&s) ? err_set(e, -EBADMSG, "\"health\" is not an object") : 0;
}

int adapter_line_parse(struct span text, struct arena *a, struct adapter_said *ret, struct err *e)
{
	struct words w = {{0}};
	struct adapter_said said = {.word = ADAPTER_POSTS, .name = "", .health = ""};
	int r = read_words(text, &w, e);
	if (r)
		return r;
	if (w.hello.len) {
		said.word = ADAPTER_HELLO;
		r = take_hello(&w, a, &said, e);
	} else if (w.health.len) {
		said.word = ADAPTER_HEALTH;
		r = take_health(&w, a, &said, e);
	} else if (w.end.len) {
		said.word = ADAPTER_END;
	} else {
		r = take_line(&w, a, &said.line, e);
	}
	if (r)
		return r == -ENOMEM ? err_set(e, r, "out of memory for the line") : r;
	*ret = said;
	return 0;
}

/* ---- writing ---- */

static void add_member(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ",\"%s\":", name);
	json_add_string(b, span_str(value));
}

int adapter_line_hello(struct buf *out, const struct adapter_options *o, const char *cursor)
{
	buf_addf(out, "{\"hello\":[1],\"role\":\"read\",\"window\":%d", ADAPTER_WINDOW);
	add_member(out, "channel", o->channel);
	buf_adds(out, ",\"settings\":{");
	for (size_t i = 0; i < o->n_settings; i++) {
		const char *s = o->settings[i], *eq = strchr(s, '=');
		buf_adds(out, i ? "," : "");
		json_add_string(out, span_of(s, eq ? (size_t)(eq - s) : strlen(s)));
		buf_adds(out, ":");
		json_add_string(out, span_str(eq ? eq + 1 : ""));
	}
	buf_adds(out, "}");
	if (!str_empty(cursor))
		add_member(out, "cursor", cursor);
	if (o->secret)
		add_member(out, "secret", o->secret);
	if (o->previous_secret)
		add_member(out, "previous_secret", o->previous_secret);
	buf_adds(out, "}\n");
	return out->broken ? -EMSGSIZE : 0;
}

static void add_name(struct buf *out, const char *name)
{
	char lower[256];
	size_t len = MIN(strlen(name), sizeof(lower));
	for (size_t k = 0; k < len; k++)
		lower[k] = name[k] >= 'A' && name[k] <= 'Z' ? (char)(name[k] - 'A' + 'a') : name[k];
	json_add_string(out, span_of(lower, len));
}

/* Names in lower case; a header that came more than once is a list of its values. */
static void add_headers(struct buf *out, const struct adapter_header *headers, size_t n)
{
	const char *separator = "";
	for (size_t i = 0; i < n; i++) {
		size_t before = 0, all = 0;
		for (size_t k = 0; k < n; k++)
			if (!strcasecmp(headers[k].name, headers[i].name)) {
				before += k < i;
				all++;
			}
		if (before)
			continue;
		buf_adds(out, separator);
		separator = ",";
		add_name(out, headers[i].name);
		buf_adds(out, all > 1 ? ":[" : ":");
		for (size_t k = i, shown = 0; k < n; k++)
			if (!strcasecmp(headers[k].name, headers[i].name)) {
				buf_adds(out, shown++ ? "," : "");
				json_add_string(out, span_str(headers[k].value));
			}
		buf_adds(out, all > 1 ? "]" : "");
	}
}

int adapter_line_request(struct buf *out, uint64_t request, const char *method, const char *path,
	const char *query, const struct adapter_header *headers, size_t n_headers, struct span body)
{
	buf_addf(out, "{\"request\":%" PRIu64, request);
	add_member(out, "method", method);
	add_member(out, "path", path);
	add_member(out, "query", query ? query : "");
	buf_adds(out, ",\"headers\":{");
	add_headers(out, headers, n_headers);
	buf_adds(out, "},\"body_base64\":\"");
	size_t size = sodium_base64_ENCODED_LEN(body.len, sodium_base64_VARIANT_ORIGINAL); /* with the NUL */
	uint8_t *room = buf_room(out, size);
	if (room) {
		sodium_bin2base64((char *)room, size, body.data, body.len, sodium_base64_VARIANT_ORIGINAL);
		out->len += size - 1;
	}
	buf_adds(out, "\"}\n");
	return out->broken ? -EMSGSIZE : 0;
}
