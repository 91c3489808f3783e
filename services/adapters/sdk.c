#include "services/adapters/sdk.h"
#include "common/buf.h"
#include "common/json.h"

#include <poll.h>
#include <sodium.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)2 * 1024 * 1024)
#define LINE_FULL_BYTES ((size_t)256 * 1024)
#define LINE_FULL_POSTS 500
#define READ_BYTES ((size_t)64 * 1024)

struct sdk {
	json_t *hello;
	struct buf input; /* from the host */
	size_t scanned;
	bool input_ended;
	struct buf posts, places, tail;
	size_t pending;
	uint64_t n;
	struct sdk_request request;
	json_t *request_json;
	struct buf body;
};

/* ---- to the host ---- */

static int write_all(struct iovec *parts, int n)
{
	while (n) {
		ssize_t written = writev(STDOUT_FILENO, parts, n);
		if (written < 0) {
			if (errno == EINTR)
				continue;
			return -EPIPE;
		}
		while (n && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			n--;
		}
		if (n) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

static int write_buf(const struct buf *b)
{
	struct iovec part = {b->data, b->len};
	return b->broken ? -EMSGSIZE : write_all(&part, 1);
}

static void add_member(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, ",\"%s\":", name);
	json_add_string(b, span_str(value));
}

static void add_line(struct buf *b, const struct sdk_line *line)
{
	add_member(b, "cursor", line->cursor);
	add_member(b, "delivery", line->delivery);
	add_member(b, "trust", line->trust);
	add_member(b, "transport", line->transport);
	if (line->request)
		buf_addf(b, ",\"request\":%" PRIu64 ",\"respond\":{\"status\":%u}", line->request,
			line->status);
	buf_adds(b, "}\n");
}

int sdk_post(struct sdk *s, struct span json, const char *place)
{
	if (s->pending)
		buf_adds(&s->posts, ",");
	buf_add(&s->posts, json.data, json.len);
	if (s->pending++)
		buf_adds(&s->places, ",");
	json_add_string(&s->places, span_str(place));
	return s->posts.broken || s->places.broken ? -EMSGSIZE : 0;
}

size_t sdk_pending(const struct sdk *s)
{
	return s->pending;
}

bool sdk_full(const struct sdk *s)
{
	return s->pending >= LINE_FULL_POSTS || s->posts.len >= LINE_FULL_BYTES;
}

void sdk_forget(struct sdk *s)
{
	buf_reset(&s->posts);
	buf_reset(&s->places);
	s->pending = 0;
}

int sdk_send(struct sdk *s, const struct sdk_line *line)
{
	char head[48];
	int head_len = snprintf(head, sizeof(head), "{\"n\":%" PRIu64 ",\"posts\":[", ++s->n);
	buf_reset(&s->tail);
	add_line(&s->tail, line);
	struct iovec parts[] = {
		{head, (size_t)head_len},
		{s->posts.data, s->posts.len},
		{(char *)(uintptr_t) "],\"places\":[", 12},
		{s->places.data, s->places.len},
		{(char *)(uintptr_t) "]", 1},
		{s->tail.data, s->tail.len},
	};
	bool broken = s->posts.broken || s->places.broken || s->tail.broken;
	int r = broken ? -EMSGSIZE : write_all(parts, ARRAY_SIZE(parts));
	sdk_forget(s);
	return r;
}

int sdk_bad(struct sdk *s, const char *place, const char *reason, struct span raw, uint64_t bytes,
	const struct sdk_line *line)
{
	int r = s->pending ? sdk_send(s, &(struct sdk_line){0}) : 0;
	if (r)
		return r;
	char base64[sodium_base64_ENCODED_LEN(SDK_RAW_MAX, sodium_base64_VARIANT_ORIGINAL)];
	sodium_bin2base64(
		base64, sizeof(base64), raw.data, MIN(raw.len, SDK_RAW_MAX), sodium_base64_VARIANT_ORIGINAL);
	buf_reset(&s->tail);
	buf_addf(&s->tail, "{\"n\":%" PRIu64 ",\"bad\":{\"bytes\":%" PRIu64, ++s->n, bytes);
	add_member(&s->tail, "place", place);
	add_member(&s->tail, "reason", reason);
	add_member(&s->tail, "raw_base64", base64);
	buf_adds(&s->tail, "}");
	add_line(&s->tail, line);
	return write_buf(&s->tail);
}

int sdk_health(struct sdk *s, const char *error)
{
	buf_reset(&s->tail);
	buf_adds(&s->tail, "{\"health\":{\"error\":");
	json_add_string(&s->tail, span_str(error));
	buf_adds(&s->tail, "}}\n");
	return write_buf(&s->tail);
}

int sdk_end(struct sdk *s)
{
	buf_reset(&s->tail);
	buf_adds(&s->tail, "{\"end\":true}\n");
	return write_buf(&s->tail);
}

int sdk_respond(struct sdk *s, const struct sdk_request *r, unsigned status, const char *body)
{
	buf_reset(&s->tail);
	buf_addf(&s->tail, "{\"request\":%" PRIu64 ",\"respond\":{\"status\":%u", r->number, status);
	add_member(&s->tail, "body", body ? body : "");
	buf_adds(&s->tail, "}}\n");
	return write_buf(&s->tail);
}

/* ---- from the host ---- */

/* A line without its end, or an empty span when there is no whole one. Valid until the next read. */
static struct span take_line(struct sdk *s)
{
	const uint8_t *from = s->input.data + s->scanned;
	const uint8_t *end = s->input.len > s->scanned ? memchr(from, '\n', s->input.len - s->scanned) : NULL;
	if (!end) {
		s->scanned = s->input.len;
		return span_of(NULL, 0);
	}
	return span_of(s->input.data, (size_t)(end - s->input.data));
}

static void drop_line(struct sdk *s, struct span line)
{
	buf_drop(&s->input, line.len + 1);
	s->scanned = 0;
}

static void read_input(struct sdk *s)
{
	uint8_t *room = buf_room(&s->input, READ_BYTES);
	ssize_t n = room ? read(STDIN_FILENO, room, READ_BYTES) : 0;
	if (n > 0)
		s->input.len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		s->input_ended = true;
}

static const char *string_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Makes the line a request. False: it is something else (an acknowledgement, or a word of a newer host). */
static bool take_request(struct sdk *s, struct span line)
{
	json_decref(s->request_json);
	s->request_json = json_loadb((const char *)line.data, line.len, 0, NULL); /* the host is trusted */
	const json_t *number = json_object_get(s->request_json, "request");
	const char *body = string_of(s->request_json, "body_base64");
	if (!json_is_integer(number) || !body)
		return false;
	size_t len = strlen(body), decoded = 0;
	buf_reset(&s->body);
	uint8_t *room = buf_room(&s->body, len);
	if (!room ||
		sodium_base642bin(room, len, body, len, NULL, &decoded, NULL, sodium_base64_VARIANT_ORIGINAL))
		return false;
	s->body.len = decoded;
	s->request = (struct sdk_request){
		.number = (uint64_t)json_integer_value(number),
		.method = string_of(s->request_json, "method"),
		.path = string_of(s->request_json, "path"),
		.query = string_of(s->request_json, "query"),
		.body = buf_span(&s->body),
		.headers = json_object_get(s->request_json, "headers"),
	};
	return s->request.method && s->request.path && s->request.query;
}

const char *sdk_header(const struct sdk_request *r, const char *name)
{
	return json_string_value(json_object_get(r->headers, name));
}

static int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum sdk_event sdk_wait(struct sdk *s, int timeout_ms, int fd, const struct sdk_request **ret_request)
{
	int64_t until = clock_ms() + timeout_ms;
	for (;;) {
		for (struct span line = take_line(s); line.data; line = take_line(s)) {
			bool is_request = ret_request && take_request(s, line);
			drop_line(s, line);
			if (is_request) {
				*ret_request = &s->request;
				return SDK_REQUEST;
			}
		}
		if (s->input_ended)
			return SDK_FINISH;
		struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
		int n = poll(fds, 2, timeout_ms < 0 ? -1 : (int)MAX(until - clock_ms(), (int64_t)0));
		if (n == 0)
			return SDK_TIME;
		if (n > 0 && fds[0].revents)
			read_input(s);
		else if (n > 0)
			return SDK_READABLE;
	}
}

/* ---- life ---- */

static int say_hello(const char *name, unsigned receive)
{
	static const char *const words[] = {"poll", "stream", "webhook"};
	struct buf b;
	buf_init(&b, LINE_MAX_BYTES);
	buf_adds(&b, "{\"hello\":1");
	add_member(&b, "name", name);
	const char *separator = ",\"receive\":[";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (receive & 1u << i) {
			buf_addf(&b, "%s\"%s\"", separator, words[i]);
			separator = ",";
		}
	buf_adds(&b, "]}\n");
	int r = write_buf(&b);
	buf_free(&b);
	return r;
}

static bool speaks_version_1(const json_t *hello)
{
	const json_t *versions = json_object_get(hello, "hello"), *version;
	size_t i;
	json_array_foreach(versions, i, version) if (json_integer_value(version) == 1) return true;
	return false;
}

int sdk_open(struct sdk **ret, const char *name, unsigned receive, struct err *e)
{
	if (sodium_init() < 0)
		return err_set(e, -EIO, "libsodium does not start");
	struct sdk *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	buf_init(&s->input, LINE_MAX_BYTES + READ_BYTES);
	buf_init(&s->posts, LINE_MAX_BYTES);
	buf_init(&s->places, LINE_MAX_BYTES);
	buf_init(&s->tail, LINE_MAX_BYTES);
	buf_init(&s->body, LINE_MAX_BYTES);
	struct span line;
	while (!(line = take_line(s)).data && !s->input_ended)
		read_input(s);
	if (line.data)
		s->hello = json_loadb((const char *)line.data, line.len, 0, NULL);
	if (line.data)
		sodium_memzero((uint8_t *)(uintptr_t)line.data, line.len);
	if (!speaks_version_1(s->hello)) {
		sdk_close(&s);
		return err_set(e, -EPROTO,
			"this program is an adapter: it is started by ascolto-ingest, which says "
			"hello in version 1 of the protocol in services/adapters/README.md");
	}
	drop_line(s, line);
	*ret = s;
	return say_hello(name, receive) ? err_set(e, -EPIPE, "the host is gone") : 0;
}

void sdk_close(struct sdk **sdk)
{
	struct sdk *s = *sdk;
	if (!s)
		return;
	*sdk = NULL;
	const char *secrets[] = {sdk_secret(s), sdk_previous_secret(s)};
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (secrets[i])
			sodium_memzero((char *)(uintptr_t)secrets[i], strlen(secrets[i]));
	json_decref(s->hello);
	json_decref(s->request_json);
	buf_free(&s->input);
	buf_free(&s->posts);
	buf_free(&s->places);
	buf_free(&s->tail);
	buf_free(&s->body);
	free(s);
}

int sdk_fail(const struct err *e)
{
	fprintf(stderr, "%s\n", err_text(e));
	return EXIT_FAILURE;
}

const char *sdk_channel(const struct sdk *s)
{
	const char *channel = string_of(s->hello, "channel");
	return channel ? channel : "";
}

const char *sdk_setting(const struct sdk *s, const char *name)
{
	return string_of(json_object_get(s->hello, "settings"), name);
}

const char *sdk_cursor(const struct sdk *s)
{
	return string_of(s->hello, "cursor");
}

const char *sdk_secret(const struct sdk *s)
{
	return string_of(s->hello, "secret");
}

const char *sdk_previous_secret(const struct sdk *s)
{
	return string_of(s->hello, "previous_secret");
}
