#include "polarity.h"

#include <pthread.h>
#include <xxhash.h>

#include "common/words.h"

#define SLOTS 8192 /* a power of 2, more than twice the entries */
#define SHORTEST 2
#define ANY_LANGUAGE 0x3f

static const struct {
	int value;
	const char *entries;
} groups[] = {
#define WORDS(value, entries) {value, entries},
#define MORE(entries) {POLARITY_MORE, entries},
#define BUT(entries) {POLARITY_BUT, entries},
#include "polarity.def"
};

/* A word stands once per language it has a feeling in; the same word may differ between languages. */
static struct slot {
	const char *word; /* NULL = free */
	uint8_t len, languages;
	bool beginning;
	int8_t value;
} slots[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t place_of(const void *word, size_t len)
{
	return XXH3_64bits(word, len) & (SLOTS - 1);
}

static void add(const char *p, size_t len, uint8_t languages, int value)
{
	bool beginning = p[len - 1] == '*';
	len -= beginning;
	size_t i = place_of(p, len);
	while (slots[i].word)
		i = (i + 1) & (SLOTS - 1);
	slots[i] = (struct slot){p, (uint8_t)len, languages, beginning, (int8_t)value};
}

static void build(void)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		uint8_t languages = ANY_LANGUAGE;
		for (const char *p = groups[g].entries; *p;) {
			size_t len = strcspn(p, " ");
			if (len > 1 && p[len - 1] == ':' && p[0] != ':')
				languages = len == 4 ? ANY_LANGUAGE : (uint8_t)(1u << words_language_of(p));
			else if (len > 1 || (len && p[0] != '*'))
				add(p, len, languages, groups[g].value);
			p += len + (p[len] == ' ');
		}
	}
}

static int find(const uint8_t *word, size_t len, unsigned languages, bool whole)
{
	for (size_t i = place_of(word, len); slots[i].word; i = (i + 1) & (SLOTS - 1)) {
		const struct slot *s = &slots[i];
		if (s->len == len && s->languages & languages && (whole || s->beginning) && memcmp(s->word, word, len) == 0)
			return s->value;
	}
	return POLARITY_NONE;
}

int polarity_of(struct span word, int language)
{
	pthread_once(&once, build);
	unsigned languages = language < 0 ? ANY_LANGUAGE : 1u << language;
	int value = find(word.data, word.len, languages, true);
	for (size_t len = word.len - 1; !value && word.len && len >= SHORTEST; len--)
		value = find(word.data, len, languages, false);
	return value;
}
