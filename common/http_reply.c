/* Replies of a known length. */
#include "http_internal.h"
#include "json.h"

#include <strings.h>

static bool has_reply_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

int http_reply_header(struct http_request *r, const char *name, const char *value)
{
	if (r->n_headers == HTTP_REPLY_HEADERS_MAX)
		return -E2BIG;
	if (strpbrk(name, "\r\n\t :") || strpbrk(value, "\r\n"))
		return -EINVAL;
	struct http_pair p = {strdup(name), strdup(value)};
	if (!p.name || !p.value) {
		free(p.name);
		free(p.value);
		return -ENOMEM;
	}
	r->headers[r->n_headers++] = p;
	return 0;
}

void http_add_headers(struct http_request *r, const char *content_type)
{
	static const struct {
		const char *name, *value;
	} defaults[] = {
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cache-Control", "no-store"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!has_reply_header(r, defaults[i].name))
			MHD_add_response_header(r->response, defaults[i].name, defaults[i].value);
	if (content_type && !has_reply_header(r, "Content-Type"))
		MHD_add_response_header(r->response, "Content-Type", content_type);
	if (r->close_after)
		MHD_add_response_header(r->response, "Connection", "close");
	for (size_t i = 0; i < r->n_headers; i++)
		MHD_add_response_header(r->response, r->headers[i].name, r->headers[i].value);
}

/* The response is ready (or memory was out: then the connection is closed): MHD takes it at its next turn. */
void http_hand_over(struct http_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->mhd);
	http_kick(r->http);
}

/* The reply itself, also where no handler owes one. */
void http_set_reply(struct http_request *r, unsigned status, const char *content_type, struct span body)
{
	r->status = status;
	r->response_len = body.len;
	r->response = MHD_create_response_from_buffer(body.len, (void *)body.data, MHD_RESPMEM_MUST_COPY);
	if (r->response)
		http_add_headers(r, content_type);
	http_hand_over(r);
}

void http_reply(struct http_request *r, unsigned status, const char *content_type, struct span body)
{
	r->owed = false;
	if (!r->mhd)
		http_request_free(r);
	else if (!r->status)
		http_set_reply(r, status, content_type, body);
}

void http_reply_text(struct http_request *r, unsigned status, const char *fmt, ...)
{
	struct buf text CLEANUP(buf_free);
	char line[1024];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_init(&text, n > 0 ? (size_t)n : 0);
	uint8_t *room = n > 0 ? buf_room(&text, (size_t)n) : NULL;
	if (room) {
		vsnprintf((char *)room, (size_t)n + 1, fmt, again);
		text.len = (size_t)n;
	}
	va_end(again);
	http_reply(r, status, "text/plain; charset=utf-8", buf_span(&text));
}

static void add_error(struct buf *out, const char *sentence)
{
	buf_adds(out, "{\"error\": ");
	json_add_string(out, span_str(sentence));
	buf_adds(out, "}\n");
}

void http_reply_error(struct http_request *r, unsigned status, const char *fmt, ...)
{
	struct buf out CLEANUP(buf_free);
	char sentence[ERR_TEXT_MAX * 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	buf_init(&out, sizeof(sentence) * 8);
	add_error(&out, sentence);
	http_reply(r, status, "application/json", buf_span(&out));
}

/* A reply of the server's own: no handler has seen the request. */
void http_refuse(struct http_request *r, unsigned status, const char *sentence)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 4096);
	add_error(&out, sentence);
	http_set_reply(r, status, "application/json", buf_span(&out));
}
