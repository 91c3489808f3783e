/* Bytes to code points: normalised and case-folded. */
#include "text_internal.h"

#include <utf8proc.h>

#define RUN_MAX 256 /* code points normalised at once; longer runs of non-ASCII are normalised in pieces */

struct reader {
	const uint8_t *data;
	size_t len;
	uint32_t *out;
	size_t n, cap;
};

/* One code point, or ' ' for a byte that is not UTF-8. Returns the bytes consumed. */
static size_t decode(const uint8_t *p, size_t len, int32_t *ret)
{
	utf8proc_ssize_t n = utf8proc_iterate(p, (utf8proc_ssize_t)len, ret);
	if (n > 0)
		return (size_t)n;
	*ret = ' ';
	return 1;
}

static void put(struct reader *r, uint32_t cp)
{
	if (r->n < r->cap)
		r->out[r->n++] = cp;
}

static void put_ascii(struct reader *r, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		put(r, (uint32_t)(c + 32) | UPPER);
	else
		put(r, c < ' ' || c == 0x7f ? ' ' : c);
}

/* Composed code points in: case-folded ones out, quotation marks that people use as apostrophes made ASCII. */
static void put_folded(struct reader *r, int32_t cp)
{
	if (cp < 0x80) {
		put_ascii(r, (uint8_t)cp);
		return;
	}
	if (cp == 0x2019 || cp == 0x2018 || cp == 0xb4 || cp == 0x2bc || cp == 0x2032) {
		put(r, '\'');
		return;
	}
	uint32_t upper = utf8proc_category(cp) == UTF8PROC_CATEGORY_LU ? UPPER : 0;
	int32_t folded[8];
	int boundary = 0;
	utf8proc_ssize_t n = utf8proc_decompose_char(cp, folded, ARRAY_SIZE(folded), UTF8PROC_CASEFOLD, &boundary);
	if (n < 0 || n > (utf8proc_ssize_t)ARRAY_SIZE(folded)) {
		put(r, (uint32_t)cp);
		return;
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		put(r, (uint32_t)folded[i] | upper);
}

static void sort_marks(int32_t *cp, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int class = utf8proc_get_property(cp[i])->combining_class;
		for (size_t k = i; class && k && utf8proc_get_property(cp[k - 1])->combining_class > class; k--) {
			int32_t swap = cp[k];
			cp[k] = cp[k - 1];
			cp[k - 1] = swap;
		}
	}
}

static void put_run(struct reader *r, int32_t *run, size_t n)
{
	sort_marks(run, n);
	utf8proc_ssize_t m = utf8proc_normalize_utf32(run, (utf8proc_ssize_t)n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	for (utf8proc_ssize_t i = 0; i < m; i++)
		put_folded(r, run[i]);
}

/*
 * A run is the character before (it may take a combining mark) and the non-ASCII that follows: an ASCII character never
 * composes with what stands before it, so runs can be normalised one by one. Returns the bytes consumed.
 */
static size_t read_run(struct reader *r, const uint8_t *p, size_t len)
{
	int32_t run[RUN_MAX + 32];
	size_t n = 0, i = 0;
	if (r->n && CP(r->out[r->n - 1]) < 0x80) {
		uint32_t before = r->out[--r->n];
		run[n++] = (int32_t)(before & UPPER ? CP(before) - 32 : before);
	}
	while (i < len && p[i] >= 0x80 && n < RUN_MAX) {
		int32_t cp;
		i += decode(p + i, len - i, &cp);
		if (cp == 0x2019 || cp == 0x2018 || cp == 0xb4) /* NFKC would make a space and a mark of it */
			cp = '\'';
		if (utf8proc_get_property(cp)->ignorable)
			continue;
		int boundary = 0;
		utf8proc_ssize_t m = utf8proc_decompose_char(cp, run + n, (utf8proc_ssize_t)(ARRAY_SIZE(run) - n),
			UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
		if (m > 0 && (size_t)m <= ARRAY_SIZE(run) - n)
			n += (size_t)m;
	}
	put_run(r, run, n);
	return i;
}

static void read_code_points(struct reader *r)
{
	size_t i = 0;
	while (i < r->len && r->n < r->cap) {
		if (r->data[i] < 0x80)
			put_ascii(r, r->data[i++]);
		else
			i += read_run(r, r->data + i, r->len - i);
	}
}

int text_read(struct span raw, struct arena *a, struct text *ret)
{
	bool cut = raw.len > TEXT_BYTES_MAX;
	size_t len = cut ? TEXT_BYTES_MAX : raw.len;
	/* NFKC can make one code point many (U+FDFA makes 18): what does not fit in twice the bytes is cut. */
	struct reader r = {.data = raw.data, .len = len, .cap = len * 2 + 32};
	r.out = arena_alloc(a, r.cap * sizeof(*r.out));
	if (!r.out)
		return -ENOMEM;
	read_code_points(&r);
	struct tokenizer t = {.cp = r.out, .n = r.n, .tokens_cap = MIN(r.n + 1, (size_t)TEXT_TOKENS_MAX)};
	t.bytes_cap = r.n * 5 + TOKEN_BYTES_MAX + 16;
	t.bytes = arena_alloc(a, t.bytes_cap + 1);
	t.tokens = arena_alloc(a, t.tokens_cap * sizeof(*t.tokens));
	if (!t.bytes || !t.tokens)
		return -ENOMEM;
	text_tokenize(&t);
	size_t used = t.len ? t.len - 1 : 0;
	t.bytes[used] = 0;
	*ret = (struct text){.normal = span_of(t.bytes, used), .tokens = t.tokens, .count = t.count,
		.letters = t.letters, .capitals = t.capitals, .cut = cut || t.cut || r.n == r.cap};
	return 0;
}
