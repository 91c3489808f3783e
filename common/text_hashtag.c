/*
 * A hashtag without capitals inside, taken apart into words: "treniinritardo" -> "treni in ritardo".
 *
 * Of all ways to cut it the cheapest counts, by dynamic programming over the places to cut: a known word costs what
 * words_frequent.def says, any other piece of UNKNOWN_LETTERS or more costs by its length, so that names ("telviadown") and
 * words we do not know stay whole. A short last piece costs more: it is more often an ending than a word.
 */
#include <pthread.h>

#include "text_internal.h"

#define SLOTS 16384 /* a power of two, well above the number of words */
#define WORD_MAX 14
#define UNKNOWN_LETTERS 4
#define UNKNOWN_COST 8
#define UNKNOWN_COST_LETTER 2
#define ENDING_LETTERS 3
#define ENDING_COST 3

static const struct {
	int cost;
	const char *words;
} lists[] = {
#define FREQUENT(cost, words) {cost, words},
#include "words_frequent.def"
#undef FREQUENT
};

static struct {
	const char *word;
	uint8_t len, cost;
} slots[SLOTS];

static pthread_once_t once = PTHREAD_ONCE_INIT;

static inline uint32_t hash_byte(uint32_t h, uint8_t c)
{
	return (h ^ c) * 0x01000193u;
}

#define HASH_BEGIN 0x811c9dc5u

static size_t slot_of(uint32_t h, const uint8_t *word, size_t len)
{
	size_t i = (h ^ h >> 15) & (SLOTS - 1);
	while (slots[i].word && (slots[i].len != len || memcmp(slots[i].word, word, len) != 0))
		i = (i + 1) & (SLOTS - 1);
	return i;
}

static void build(void)
{
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (const char *p = lists[l].words; *p;) {
			size_t len = strcspn(p, " ");
			uint32_t h = HASH_BEGIN;
			for (size_t i = 0; i < len; i++)
				h = hash_byte(h, (uint8_t)p[i]);
			size_t slot = slot_of(h, (const uint8_t *)p, len);
			slots[slot].word = p;
			slots[slot].len = (uint8_t)len;
			slots[slot].cost = (uint8_t)lists[l].cost;
			p += len + (p[len] == ' ');
		}
}

struct cut {
	uint16_t cost; /* of all that is before this place */
	uint8_t from;  /* where the last piece begins */
};

static void offer(struct cut *at, size_t from, unsigned cost)
{
	if (cost < at->cost)
		*at = (struct cut){(uint16_t)cost, (uint8_t)from};
}

/* Every piece that begins at `from`. */
static void try_pieces(struct cut *cuts, const uint8_t *tag, size_t len, size_t from)
{
	uint32_t h = HASH_BEGIN;
	size_t letters = 0;
	for (size_t end = from + 1; end <= len; end++) {
		uint8_t c = tag[end - 1];
		unsigned cost = cuts[from].cost;
		h = hash_byte(h, c);
		letters += (c & 0xc0) != 0x80;
		if (end < len && (tag[end] & 0xc0) == 0x80) /* inside a letter */
			continue;
		size_t slot = end - from <= WORD_MAX ? slot_of(h, tag + from, end - from) : 0;
		if (end - from <= WORD_MAX && slots[slot].word)
			offer(&cuts[end], from,
				cost + slots[slot].cost + (end == len && letters <= ENDING_LETTERS ? ENDING_COST : 0));
		if (letters >= UNKNOWN_LETTERS || (from == 0 && end == len))
			offer(&cuts[end], from, cost + UNKNOWN_COST + UNKNOWN_COST_LETTER * (unsigned)letters);
	}
}

size_t text_hashtag_split(const uint8_t *tag, size_t len, uint8_t ret_lens[TOKEN_BYTES_MAX])
{
	struct cut cuts[TOKEN_BYTES_MAX + 1];
	pthread_once(&once, build);
	memset(cuts, 0xff, sizeof(cuts));
	cuts[0].cost = 0;
	for (size_t from = 0; from < len; from++)
		if (cuts[from].cost != UINT16_MAX)
			try_pieces(cuts, tag, len, from);
	size_t n = 0;
	for (size_t end = len; end; end = cuts[end].from)
		n++;
	size_t i = n;
	for (size_t end = len; end; end = cuts[end].from)
		ret_lens[--i] = (uint8_t)(end - cuts[end].from);
	return n;
}
