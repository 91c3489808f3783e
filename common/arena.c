#include "arena.h"

#define CHUNK_MIN ((size_t)16 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t cap, used;
	alignas(16) uint8_t data[];
};

static void *pb_alloc(void *ctx, size_t size)
{
	return arena_alloc(ctx, size);
}

static void pb_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max, .pb = {.alloc = pb_alloc, .free = pb_free, .allocator_data = a}};
}

void arena_reset(struct arena *a)
{
	while (a->chunk && (a->chunk->next || a->chunk->cap > CHUNK_MIN * 16)) {
		struct arena_chunk *c = a->chunk;
		a->chunk = c->next;
		free(c);
	}
	if (a->chunk)
		a->chunk->used = 0;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	while (a->chunk) {
		struct arena_chunk *c = a->chunk;
		a->chunk = c->next;
		free(c);
	}
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > a->max)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	if (a->used + size > a->max)
		return NULL;
	struct arena_chunk *c = a->chunk;
	if (!c || c->cap - c->used < size) {
		size_t cap = MAX(size, CHUNK_MIN);
		struct arena_chunk *fresh = malloc(sizeof(*fresh) + cap);
		if (!fresh)
			return NULL;
		*fresh = (struct arena_chunk){.next = c, .cap = cap};
		a->chunk = c = fresh;
	}
	void *p = c->data + c->used;
	c->used += size;
	a->used += size;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);
	if (p)
		memset(p, 0, size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	if (!p)
		return NULL;
	if (n)
		memcpy(p, s, n);
	p[n] = 0;
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, s ? strlen(s) : 0);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char brief[256];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(brief, sizeof(brief), fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p && (size_t)n < sizeof(brief))
		memcpy(p, brief, (size_t)n + 1);
	else if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}
