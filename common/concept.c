#include "concept.h"

#include <pthread.h>

#include "words.h"

#define SLOTS 16384
#define ENTRIES_MAX 8000
#define ANY_LANGUAGE 0xff

static const struct {
	const char *name;
	enum concept_group group;
	const char *entries;
} concepts[] = {
#define TOPIC(name, entries) {name, CONCEPT_TOPIC, entries},
#define GENERIC(name, entries) {name, CONCEPT_GENERIC, entries},
#define TONE(name, entries) {name, CONCEPT_TONE, entries},
#define CRISIS(name, entries) {name, CONCEPT_CRISIS, entries},
#include "concepts.def"
};

/* One entry: its first word is what the index finds; `rest` are the words after it. */
struct entry {
	const char *word, *rest;
	uint8_t len, rest_len, languages;
	bool prefix, crisis;
	int16_t concept;
	int16_t next; /* with the same first word */
};

static struct entry entries[ENTRIES_MAX];
static int entry_count;
/* Most looks into the index find nothing; the tag tells without touching the entry. */
static struct slot {
	int16_t entry; /* + 1, 0 = free */
	uint16_t tag;  /* of the hash */
} slots[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t hash_byte(uint32_t h, uint8_t c)
{
	return (h ^ c) * 0x01000193u;
}

static uint32_t slot_index(uint32_t h, bool prefix)
{
	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	return ((h >> 16) ^ (prefix ? 0x2aaa : 0)) & (SLOTS - 1);
}

static uint16_t tag_of(uint32_t h)
{
	return (uint16_t)(h * 0x9e3779b1u >> 16);
}

static bool same_first(const struct entry *e, const uint8_t *word, size_t len, bool prefix)
{
	return e->prefix == prefix && e->len == len && memcmp(e->word, word, len) == 0;
}

/* The first entry for this word or beginning, or -1. */
static int find(uint32_t h, const uint8_t *word, size_t len, bool prefix)
{
	uint16_t tag = tag_of(h);
	for (uint32_t i = slot_index(h, prefix); slots[i].entry; i = (i + 1) & (SLOTS - 1))
		if (slots[i].tag == tag && same_first(&entries[slots[i].entry - 1], word, len, prefix))
			return slots[i].entry - 1;
	return -1;
}

static void add(const char *p, size_t len, uint8_t languages, int concept)
{
	if (entry_count == ENTRIES_MAX || !len)
		return;
	const char *joint = memchr(p, '_', len);
	size_t first = joint ? (size_t)(joint - p) : len;
	struct entry *e = &entries[entry_count];
	*e = (struct entry){.word = p, .len = (uint8_t)first, .languages = languages, .concept = (int16_t)concept,
		.crisis = concepts[concept].group == CONCEPT_CRISIS, .next = -1};
	if (joint) {
		e->rest = joint + 1;
		e->rest_len = (uint8_t)(len - first - 1);
	}
	if (e->word[e->len - 1] == '*') {
		e->prefix = true;
		e->len--;
	}
	uint32_t h = 0x811c9dc5u;
	for (size_t i = 0; i < e->len; i++)
		h = hash_byte(h, (uint8_t)e->word[i]);
	int other = find(h, (const uint8_t *)e->word, e->len, e->prefix);
	if (other >= 0) {
		e->next = entries[other].next;
		entries[other].next = (int16_t)entry_count++;
		return;
	}
	uint32_t i = slot_index(h, e->prefix);
	while (slots[i].entry)
		i = (i + 1) & (SLOTS - 1);
	slots[i] = (struct slot){(int16_t)(++entry_count), tag_of(h)};
}

static void build(void)
{
	for (size_t c = 0; c < ARRAY_SIZE(concepts); c++) {
		uint8_t languages = ANY_LANGUAGE;
		for (const char *p = concepts[c].entries; *p;) {
			size_t len = strcspn(p, " ");
			if (len && p[len - 1] == ':')
				languages = len == 4 ? ANY_LANGUAGE : (uint8_t)(1u << words_language_of(p));
			else
				add(p, len, languages, (int)c);
			p += len + (p[len] == ' ');
		}
	}
}

/* How many tokens after `i` the rest of an entry takes; 0 when it does not match. */
static size_t match_rest(const struct text *t, size_t i, const struct entry *e)
{
	size_t used = 1;
	for (const char *p = e->rest, *end = e->rest + e->rest_len; p < end; used++) {
		const char *joint = memchr(p, '_', (size_t)(end - p));
		size_t len = joint ? (size_t)(joint - p) : (size_t)(end - p);
		if (i + used >= t->count)
			return 0;
		struct span word = text_token(t, i + used);
		bool prefix = p[len - 1] == '*';
		size_t n = prefix ? len - 1 : len;
		if (word.len < n || (!prefix && word.len != n) || memcmp(word.data, p, n) != 0)
			return 0;
		p += len + 1;
	}
	return used;
}

struct best {
	int concept;
	size_t tokens, bytes;
};

static void try_entries(const struct text *t, size_t i, int e, unsigned languages, bool crisis, struct best *best)
{
	for (; e >= 0; e = entries[e].next) {
		const struct entry *x = &entries[e];
		if (!(x->languages & languages) || x->crisis != crisis)
			continue;
		size_t used = x->rest ? match_rest(t, i, x) : 1;
		if (used > best->tokens || (used && used == best->tokens && x->len > best->bytes))
			*best = (struct best){x->concept, used, x->len};
	}
}

static int match(const struct text *t, size_t i, int language, bool crisis, size_t *ret_tokens)
{
	pthread_once(&once, build);
	if (t->tokens[i].kind != TOKEN_WORD && t->tokens[i].kind != TOKEN_EMOJI)
		return CONCEPT_NONE;
	struct span word = text_token(t, i);
	unsigned languages = language < 0 ? ANY_LANGUAGE : 1u << language;
	struct best best = {.concept = CONCEPT_NONE};
	uint32_t h = 0x811c9dc5u;
	for (size_t k = 0; k < word.len; k++) {
		h = hash_byte(h, word.data[k]);
		if (k >= 1)
			try_entries(t, i, find(h, word.data, k + 1, true), languages, crisis, &best);
	}
	try_entries(t, i, find(h, word.data, word.len, false), languages, crisis, &best);
	if (best.concept != CONCEPT_NONE)
		*ret_tokens = best.tokens;
	return best.concept;
}

int concept_match(const struct text *t, size_t i, int language, size_t *ret_tokens)
{
	return match(t, i, language, false, ret_tokens);
}

int concept_match_crisis(const struct text *t, size_t i, int language, size_t *ret_tokens)
{
	return match(t, i, language, true, ret_tokens);
}

const char *concept_name(int concept)
{
	return concept >= 0 && concept < (int)ARRAY_SIZE(concepts) ? concepts[concept].name : "";
}

enum concept_group concept_group_of(int concept)
{
	return concepts[concept].group;
}

int concept_count(void)
{
	return (int)ARRAY_SIZE(concepts);
}
