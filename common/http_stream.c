/* Replies of unknown length. */
#include "http_internal.h"

#include <sys/socket.h>

#define STREAM_MAX ((size_t)1024 * 1024)

void http_stream_resume(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->request->mhd);
	http_kick(s->request->http);
}

static ssize_t stream_read(void *ctx, uint64_t position, char *out, size_t max)
{
	(void)position;
	struct http_stream *s = ctx;
	size_t n = MIN(max, s->queue.len);
	if (n) {
		memcpy(out, s->queue.data, n);
		buf_drop(&s->queue, n);
		return (ssize_t)n;
	}
	if (s->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	s->suspended = true;
	MHD_suspend_connection(s->request->mhd);
	return 0;
}

/* The stream lives as long as its request is with MHD. */
struct http_stream *http_reply_stream(struct http_request *r, const char *content_type,
	void (*closed)(struct http_stream *s, void *ctx), void *ctx)
{
	if (!r->mhd || r->status) {
		http_reply(r, 503, NULL, span_of(NULL, 0));
		return NULL;
	}
	struct http_stream *s = calloc(1, sizeof(*s));
	struct MHD_Response *response =
		s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, stream_read, s, NULL) : NULL;
	if (!response) {
		free(s);
		http_reply(r, 503, NULL, span_of(NULL, 0));
		return NULL;
	}
	*s = (struct http_stream){.request = r, .closed = closed, .ctx = ctx};
	buf_init(&s->queue, STREAM_MAX);
	MHD_set_connection_option(r->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	r->close_after = true;
	r->owed = false;
	r->status = 200;
	r->stream = s;
	r->response = response;
	http_add_headers(r, content_type);
	http_hand_over(r);
	return s;
}

int http_stream_send(struct http_stream *s, struct span data)
{
	if (s->closing)
		return -EPIPE;
	if (buf_add(&s->queue, data.data, data.len)) {
		/* Too slow: what is queued will never be read, so do not wait for it. */
		s->closing = true;
		buf_free(&s->queue);
		shutdown(s->request->conn->fd, SHUT_RDWR);
		http_stream_resume(s);
		return -EPIPE;
	}
	http_stream_resume(s);
	return 0;
}

void http_stream_close(struct http_stream *s)
{
	s->closing = true;
	if (s->request->mhd) /* the client gets what is queued if it reads it in time */
		MHD_set_connection_option(s->request->mhd, MHD_CONNECTION_OPTION_TIMEOUT, HTTP_IDLE_S);
	http_stream_resume(s);
}

void http_stream_ended(struct http_request *r)
{
	struct http_stream *s = r->stream;
	if (!s)
		return;
	s->closing = true;
	s->suspended = false;
	s->closed(s, s->ctx);
	buf_free(&s->queue);
	free(s);
	r->stream = NULL;
}
