#include "services/escalation/answers/length.h"

#include <utf8proc.h>

const char *const length_units[LENGTH_UNITS + 1] = {
	"characters", "graphemes", "weighted", "utf16", "bytes", NULL};

int length_unit_of(const char *word)
{
	for (int i = 0; i < LENGTH_UNITS; i++)
		if (str_eq(length_units[i], word))
			return i;
	return -1;
}

static const struct {
	const char *network;
	struct length_limit in_public, in_private;
} limits[] = {
	{"x", {280, LENGTH_WEIGHTED, 23}, {10000, LENGTH_CHARACTERS, 0}},
	{"mastodon", {500, LENGTH_GRAPHEMES, 23}, {500, LENGTH_GRAPHEMES, 23}},
	{"bluesky", {300, LENGTH_GRAPHEMES, 0}, {1000, LENGTH_GRAPHEMES, 0}},
	{"instagram", {2200, LENGTH_CHARACTERS, 0}, {1000, LENGTH_BYTES, 0}},
	{"facebook", {8000, LENGTH_CHARACTERS, 0}, {2000, LENGTH_CHARACTERS, 0}},
	{"whatsapp", {4096, LENGTH_CHARACTERS, 0}, {4096, LENGTH_CHARACTERS, 0}},
	{"telegram", {4096, LENGTH_UTF16, 0}, {4096, LENGTH_UTF16, 0}},
	{"youtube", {10000, LENGTH_CHARACTERS, 0}, {0, LENGTH_CHARACTERS, 0}},
	{"reddit", {10000, LENGTH_CHARACTERS, 0}, {10000, LENGTH_CHARACTERS, 0}},
};

struct length_limit length_limit_of(const char *network, bool in_public)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (str_eq(limits[i].network, network))
			return in_public ? limits[i].in_public : limits[i].in_private;
	return (struct length_limit){0};
}

/* One code point; a byte that is none is itself. */
static size_t next(struct span s, size_t i, int32_t *ret)
{
	utf8proc_ssize_t n = utf8proc_iterate(s.data + i, (utf8proc_ssize_t)(s.len - i), ret);
	if (n > 0)
		return (size_t)n;
	*ret = 0xfffd;
	return 1;
}

static bool is_emoji(int32_t c)
{
	return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2600 && c <= 0x27bf) || c == 0x20e3;
}

static uint32_t weight(int32_t c)
{
	return c <= 4351 || (c >= 8192 && c <= 8205) || (c >= 8208 && c <= 8223) || (c >= 8242 && c <= 8247)
		       ? 1
		       : 2;
}

static size_t link_at(struct span s, size_t i)
{
	static const char *const begins[] = {"https://", "http://"};
	for (size_t k = 0; k < ARRAY_SIZE(begins); k++) {
		size_t n = strlen(begins[k]);
		if (s.len - i <= n || memcmp(s.data + i, begins[k], n) != 0)
			continue;
		while (i + n < s.len && s.data[i + n] > ' ')
			n++;
		return n;
	}
	return 0;
}

/* The grapheme at i: its bytes, and what it counts in each unit but bytes. */
static size_t grapheme(struct span s, size_t i, uint32_t ret[LENGTH_UNITS])
{
	int32_t c, before, state = 0;
	uint32_t sum = 0;
	bool emoji = false;
	size_t n = next(s, i, &c);
	memset(ret, 0, sizeof(*ret) * LENGTH_UNITS);
	for (;;) {
		ret[LENGTH_CHARACTERS]++;
		ret[LENGTH_UTF16] += c > 0xffff ? 2 : 1;
		sum += weight(c);
		emoji |= is_emoji(c);
		before = c;
		if (i + n >= s.len)
			break;
		size_t more = next(s, i + n, &c);
		if (utf8proc_grapheme_break_stateful(before, c, &state))
			break;
		n += more;
	}
	ret[LENGTH_GRAPHEMES] = 1;
	ret[LENGTH_WEIGHTED] = emoji ? 2 : sum;
	return n;
}

uint32_t length_of(struct span text, const struct length_limit *how)
{
	uint32_t sum = 0, of[LENGTH_UNITS];
	if (how->unit == LENGTH_BYTES)
		return (uint32_t)text.len;
	for (size_t i = 0; i < text.len;) {
		size_t link = how->link && (i == 0 || text.data[i - 1] <= ' ' || text.data[i - 1] == '(')
				      ? link_at(text, i)
				      : 0;
		if (link) {
			sum += how->link;
			i += link;
			continue;
		}
		i += grapheme(text, i, of);
		sum += of[how->unit];
	}
	return sum;
}
