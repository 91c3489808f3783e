#include "buf.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->broken = false;
	if (b->data)
		b->data[0] = 0;
}

uint8_t *buf_room(struct buf *b, size_t len)
{
	if (b->broken)
		return NULL;
	if (len > b->max || b->len > b->max - len) {
		b->broken = true;
		return NULL;
	}
	size_t need = b->len + len + 1;
	if (need > b->cap) {
		size_t cap = MAX(need, MIN(b->cap * 2, b->max + 1));
		cap = MAX(cap, (size_t)64);
		uint8_t *data = realloc(b->data, cap);
		if (!data) {
			b->broken = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	uint8_t *room = buf_room(b, len);
	if (!room)
		return len > b->max || b->len > b->max - len ? -EMSGSIZE : -ENOMEM;
	if (len)
		memcpy(room, data, len);
	b->len += len;
	b->data[b->len] = 0;
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, s ? strlen(s) : 0);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	int r = -EINVAL;
	if (n >= 0) {
		uint8_t *room = buf_room(b, (size_t)n);
		if (room) {
			vsnprintf((char *)room, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
			r = 0;
		} else {
			r = -EMSGSIZE;
		}
	}
	va_end(again);
	return r;
}

void buf_drop(struct buf *b, size_t len)
{
	len = MIN(len, b->len);
	if (!len)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
	b->data[b->len] = 0;
}
