#include "line.h"
#include "common/json.h"
#include "post.h"

#define ANSWER_MAX ((size_t)256 * 1024)
#define ROOM_FOR_WEBHOOKS 1024 /* submissions that lines read from files and networks leave free */
#define SAID_MAX ((size_t)4 * 1024 * 1024)

struct line *line_new(struct channel *c, const struct adapter_line *said)
{
	/* A cursor goes with the line's last post, in its transaction; a line that ends in bytes no post
	 * could be made of, or has no post, sends it alone. */
	bool refused_end = said->n_posts && said->posts[said->n_posts - 1].refused;
	bool alone = said->cursor && (!said->n_posts || refused_end);
	size_t n = said->n_posts + alone;
	struct line *l = calloc(1, sizeof(*l) + n * sizeof(l->items[0]));
	if (!l)
		return NULL;
	l->channel = c;
	l->number = ++c->in->lines;
	l->said = *said;
	l->cursor = said->cursor ? strdup(said->cursor) : NULL;
	l->n_items = n;
	for (size_t i = 0; i < n; i++)
		l->items[i].line = l;
	l->respond_body = said->respond_body ? strdup(said->respond_body) : NULL;
	l->respond_type = said->respond_type ? strdup(said->respond_type) : NULL;
	return l;
}

void line_free(struct line **line)
{
	struct line *l = *line;
	if (!l)
		return;
	*line = NULL;
	for (size_t i = 0; i < l->n_items; i++)
		free(l->items[i].reason);
	free(l->cursor);
	free(l->respond_body);
	free(l->respond_type);
	free(l);
}

void line_cut(struct line *l)
{
	l->n_items = l->submitted;
	l->cut = true;
}

/* ---- submitting ---- */

/* The same bytes from the same place give the same id, so what is sent again replaces what is in quarantine.
 */
static struct id intake_id(struct line *l, const Ascolto__Intake *in)
{
	struct buf *b = &l->channel->in->scratch;
	buf_reset(b);
	buf_add(b, in->channel, strlen(in->channel) + 1);
	buf_add(b, in->place, strlen(in->place) + 1);
	buf_add(b, in->raw.data, in->raw.len);
	buf_adds(b, in->cursor);
	return id_from(0, buf_span(b));
}

static void put_be64(uint8_t out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * (7 - i)));
}

static char *unconst(const char *s)
{
	return (char *)(uintptr_t)(s ? s : ""); /* protobuf-c has no const; packing reads only */
}

static int submit_item(struct line *l, size_t i)
{
	static const struct adapter_post none = {.place = ""};
	const struct adapter_line *said = &l->said;
	const struct adapter_post *post = i < said->n_posts ? &said->posts[i] : &none;
	bool with_cursor = said->cursor && i + 1 == l->n_items;
	struct span raw = post->refused ? post->raw : post->json;
	struct ingest *in = l->channel->in;
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Intake intake = ASCOLTO__INTAKE__INIT;
	uint8_t tag[ID_BYTES];
	put_be64(tag, l->number);
	put_be64(tag + 8, i);

	intake.channel = l->channel->name;
	intake.place = unconst(post->place);
	intake.cursor = with_cursor ? unconst(said->cursor) : intake.cursor;
	intake.raw = (ProtobufCBinaryData){raw.len, (uint8_t *)(uintptr_t)raw.data};
	intake.refused = unconst(post->refused);
	intake.trust = post_trust(said->trust);
	intake.transport = post_transport(said->transport);
	intake.delivery_id = unconst(said->delivery_id);
	struct id id = intake_id(l, &intake);
	e.id = id_bytes(&id);
	e.brand = l->channel->brand;
	e.key_group = l->channel->key_group;
	e.received_ms = svc_now_ms(in->svc);
	e.cause_id = (ProtobufCBinaryData){sizeof(tag), tag};
	e.trace_id = e.id;
	e.body_case = ASCOLTO__ENVELOPE__BODY_INTAKE;
	e.intake = &intake;
	return svc_submit(in->svc, &e, channel_item_done, &l->items[i]);
}

int line_submit(struct line *l)
{
	size_t reserve = l->said.request ? 0 : ROOM_FOR_WEBHOOKS;
	for (; l->submitted < l->n_items; l->submitted++, l->outstanding++)
		if (svc_room(l->channel->in->svc) <= reserve || submit_item(l, l->submitted))
			return -EAGAIN;
	return 0;
}

static int hold_string(struct arena *a, const char **s)
{
	if (*s)
		*s = arena_strdup(a, *s);
	return 0;
}

static int hold_span(struct arena *a, struct span *s)
{
	void *copy = s->len ? arena_alloc(a, s->len) : NULL;
	if (s->len && !copy)
		return -ENOMEM;
	if (s->len)
		memcpy(copy, s->data, s->len);
	s->data = copy;
	return 0;
}

int line_hold(struct line *l, struct arena *a)
{
	struct adapter_line *said = &l->said;
	struct adapter_post *posts = arena_zalloc(a, (said->n_posts + 1) * sizeof(*posts));
	if (!posts)
		return -ENOMEM;
	for (size_t i = l->submitted; i < said->n_posts; i++) {
		posts[i] = said->posts[i];
		hold_string(a, &posts[i].refused);
		hold_string(a, &posts[i].place);
		if (hold_span(a, &posts[i].json) || hold_span(a, &posts[i].raw) || !posts[i].place)
			return -ENOMEM;
	}
	said->posts = posts;
	hold_string(a, &said->cursor);
	hold_string(a, &said->delivery_id);
	hold_string(a, &said->trust);
	hold_string(a, &said->transport);
	return 0;
}

/* ---- answering ---- */

static void add_error(struct buf *b, const struct line *l)
{
	const char *first = "";
	for (size_t i = l->said.n_posts; i > 0; i--)
		if (l->items[i - 1].reason)
			first = l->items[i - 1].reason;
	buf_adds(b, "\"error\":");
	if (l->said.n_posts == 1) {
		json_add_string(b, span_str(first));
	} else {
		char text[ERR_TEXT_MAX + 80];
		snprintf(text, sizeof(text), "%zu of %zu posts were refused; the first: %s", l->refused,
			l->said.n_posts, first);
		json_add_string(b, span_str(text));
	}
	buf_adds(b, ",");
}

void line_answer(const struct line *l, struct hook *h)
{
	if (!l->said.request)
		return;
	if (l->cut) {
		hook_answer(h, l->said.request, 503, NULL,
			span_str("{\"error\":\"not all of it could be taken; send it again\"}"));
		return;
	}
	if (l->respond_body || l->said.respond_status >= 300) {
		hook_answer(h, l->said.request, l->said.respond_status, l->respond_type,
			span_str(l->respond_body ? l->respond_body : ""));
		return;
	}
	struct buf b;
	buf_init(&b, ANSWER_MAX);
	buf_adds(&b, "{");
	if (l->refused)
		add_error(&b, l);
	buf_addf(&b, "\"accepted\":%zu,\"duplicates\":%zu", l->accepted, l->duplicates);
	const char *separator = ",\"refused\":[";
	for (size_t i = 0; i < l->said.n_posts; i++)
		if (l->items[i].refused && b.len < ANSWER_MAX - 2 * ERR_TEXT_MAX * 6) {
			buf_addf(&b, "%s{\"index\":%zu,\"reason\":", separator, i);
			json_add_string(&b, span_str(l->items[i].reason));
			buf_adds(&b, "}");
			separator = ",";
		}
	buf_adds(&b, l->refused ? "]}" : "}");
	hook_answer(h, l->said.request, l->refused ? 422 : l->said.respond_status, NULL, buf_span(&b));
	buf_free(&b);
}
