#include "words.h"

#include <libstemmer.h>
#include <pthread.h>
#include <xxhash.h>

#define SLOTS 4096 /* a power of two, well above the number of stop words */

static const char codes[WORDS_LANGUAGES][3] = {"it", "en", "es", "fr", "de", "pt"};

static const struct {
	int language;
	const char *words;
} lists[] = {
#define STOP(language, words) {language, words},
#include "words_stop.def"
#undef STOP
};

static struct {
	const char *word;
	uint8_t len, mask;
} slots[SLOTS];

static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t slot_of(struct span word)
{
	size_t i = XXH3_64bits(word.data, word.len) & (SLOTS - 1);
	while (slots[i].word && !span_eq(span_of(slots[i].word, slots[i].len), word))
		i = (i + 1) & (SLOTS - 1);
	return i;
}

static void build(void)
{
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (const char *p = lists[l].words; *p;) {
			size_t len = strcspn(p, " ");
			size_t i = slot_of(span_of(p, len));
			slots[i].word = p;
			slots[i].len = (uint8_t)len;
			slots[i].mask |= (uint8_t)(1u << lists[l].language);
			p += len + (p[len] == ' ');
		}
}

int words_language_of(const char *code)
{
	for (int i = 0; code && i < WORDS_LANGUAGES; i++)
		if (code[0] == codes[i][0] && code[1] == codes[i][1])
			return i;
	return WORDS_NONE;
}

const char *words_language_code(int language)
{
	return language >= 0 && language < WORDS_LANGUAGES ? codes[language] : "";
}

unsigned words_stop_mask(struct span word)
{
	if (!word.len || word.len > 14)
		return 0;
	pthread_once(&once, build);
	size_t i = slot_of(word);
	return slots[i].word ? slots[i].mask : 0;
}

/* --- stems ----------------------------------------------------------------------------------------------------- */

#define KEPT 4096 /* a power of 2 */
#define KEPT_BYTES 30

/* The stem of a word met before. Few words make most of all text, and stemming one again costs 20 times as much. */
struct kept {
	uint8_t language; /* + 1; 0 = nothing here */
	uint8_t word_len, stem_len;
	uint8_t word[KEPT_BYTES], stem[KEPT_BYTES];
};

/* A stemmer is not thread-safe: each thread has its own set, freed when it ends. */
static pthread_key_t stemmers_key;
static pthread_once_t stemmers_once = PTHREAD_ONCE_INIT;

struct stemmers {
	struct sb_stemmer *by_language[WORDS_LANGUAGES];
	struct kept kept[KEPT]; /* by hash of language and word; a newcomer takes the place */
};

static void stemmers_free(void *p)
{
	struct stemmers *s = p;
	for (int i = 0; s && i < WORDS_LANGUAGES; i++)
		if (s->by_language[i])
			sb_stemmer_delete(s->by_language[i]);
	free(s);
}

/* The main thread's set: keys run no destructor when a program returns from main. */
static void stemmers_free_main(void)
{
	stemmers_free(pthread_getspecific(stemmers_key));
	pthread_setspecific(stemmers_key, NULL);
}

static void stemmers_make_key(void)
{
	pthread_key_create(&stemmers_key, stemmers_free);
	atexit(stemmers_free_main);
}

static struct stemmers *stemmers_of_thread(void)
{
	pthread_once(&stemmers_once, stemmers_make_key);
	struct stemmers *s = pthread_getspecific(stemmers_key);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (s && pthread_setspecific(stemmers_key, s) == 0)
		return s;
	free(s);
	return NULL;
}

static struct kept *kept_for(struct stemmers *s, struct span word, int language)
{
	uint32_t h = (uint32_t)language;
	for (size_t i = 0; i < word.len; i++)
		h = (h ^ word.data[i]) * 0x01000193u;
	return &s->kept[(h ^ h >> 15) & (KEPT - 1)];
}

static bool keeps(const struct kept *k, struct span word, int language)
{
	return k->language == language + 1 && k->word_len == word.len && memcmp(k->word, word.data, word.len) == 0;
}

/* The stem of a word that is not kept; borrowed from the stemmer until its next word. */
static struct span stem_now(struct stemmers *s, struct span word, int language)
{
	if (!s->by_language[language])
		s->by_language[language] = sb_stemmer_new(codes[language], "UTF_8");
	struct sb_stemmer *stemmer = s->by_language[language];
	const sb_symbol *stem = stemmer ? sb_stemmer_stem(stemmer, word.data, (int)word.len) : NULL;
	return stem ? span_of(stem, MIN((size_t)sb_stemmer_length(stemmer), (size_t)WORDS_STEM_MAX)) : word;
}

static void keep(struct kept *k, struct span word, struct span stem, int language)
{
	k->language = (uint8_t)(language + 1);
	k->word_len = (uint8_t)word.len;
	k->stem_len = (uint8_t)stem.len;
	memcpy(k->word, word.data, word.len);
	memcpy(k->stem, stem.data, stem.len);
}

static struct span copy_to(uint8_t out[WORDS_STEM_MAX], struct span s)
{
	if (s.len)
		memcpy(out, s.data, s.len);
	return span_of(out, s.len);
}

struct span words_stem(struct span word, int language, uint8_t out[WORDS_STEM_MAX])
{
	word.len = MIN(word.len, (size_t)WORDS_STEM_MAX);
	struct stemmers *s = word.len && language >= 0 && language < WORDS_LANGUAGES ? stemmers_of_thread() : NULL;
	if (!s)
		return copy_to(out, word);
	struct kept *k = kept_for(s, word, language);
	if (word.len <= KEPT_BYTES && keeps(k, word, language))
		return copy_to(out, span_of(k->stem, k->stem_len));
	struct span stem = stem_now(s, word, language);
	if (word.len <= KEPT_BYTES && stem.len <= KEPT_BYTES)
		keep(k, word, stem, language);
	return copy_to(out, stem);
}
