#include "services/adapters/jsonl/lines.h"

#include <unistd.h>

#define READ_BYTES ((size_t)64 * 1024)
#define CAP (LINES_MAX + 2 + READ_BYTES)

int lines_init(struct lines *l, int fd, uint64_t offset, uint64_t line)
{
	*l = (struct lines){.fd = fd, .offset = offset, .line = line, .data = malloc(CAP)};
	return l->data ? 0 : -ENOMEM;
}

void lines_free(struct lines *l)
{
	free(l->data);
	*l = (struct lines){.fd = -1};
}

/* Gives what lies between start and `end`, which is `ending` bytes of line end further. */
static enum lines_got give(
	struct lines *l, size_t end, size_t ending, struct span *ret_line, uint64_t *ret_bytes)
{
	size_t len = end - l->start;
	struct span line = span_of(l->data + l->start, len);
	uint64_t bytes = l->dropped + len;
	l->offset += bytes + ending;
	l->line++;
	l->start = l->scanned = end + ending;
	l->dropped = 0;
	*ret_bytes = bytes;
	if (bytes > LINES_MAX + 1 || (bytes == LINES_MAX + 1 && line.data[len - 1] != '\r')) {
		*ret_line = span_of(line.data, MIN(len, LINES_HEAD));
		return LINES_LONG;
	}
	if (len && line.data[len - 1] == '\r')
		line.len--;
	*ret_line = line;
	return LINES_LINE;
}

enum lines_got lines_next(struct lines *l, struct span *ret_line, uint64_t *ret_bytes)
{
	const uint8_t *from = l->data + l->scanned;
	const uint8_t *end = l->end > l->scanned ? memchr(from, '\n', l->end - l->scanned) : NULL;
	if (end)
		return give(l, (size_t)(end - l->data), 1, ret_line, ret_bytes);
	l->scanned = l->end;
	return LINES_NONE;
}

enum lines_got lines_rest(struct lines *l, struct span *ret_line, uint64_t *ret_bytes)
{
	if (l->end == l->start && !l->dropped)
		return LINES_NONE;
	return give(l, l->end, 0, ret_line, ret_bytes);
}

ssize_t lines_fill(struct lines *l)
{
	if (l->start) {
		memmove(l->data, l->data + l->start, l->end - l->start);
		l->end -= l->start;
		l->scanned -= l->start;
		l->start = 0;
	}
	if (l->end > LINES_MAX + 1) { /* too long already: keep its head, forget the rest */
		l->dropped += l->end - LINES_HEAD;
		l->end = l->scanned = LINES_HEAD;
	}
	ssize_t n = read(l->fd, l->data + l->end, CAP - l->end);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	l->end += (size_t)n;
	return n;
}
