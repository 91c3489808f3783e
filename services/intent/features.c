#include "features.h"

#include "common/concept.h"
#include "common/words.h"

#define NEGATION_SCOPE 3
#define NAME_MAX_BYTES 160

enum kind { KIND_WORD = 1, KIND_PAIR, KIND_TRIPLE, KIND_STEM, KIND_NEGATED, KIND_SKIP, KIND_CONCEPT,
	KIND_NOT_CONCEPT, KIND_META, KIND_APART };

int features_init(struct features *f)
{
	*f = (struct features){0};
	f->seen = calloc(FEATURES_BUCKETS_MAX / 64, sizeof(*f->seen));
	for (int b = 0; b < BLOCKS; b++)
		f->bucket[b] = malloc(FEATURES_MAX * sizeof(*f->bucket[b]));
	for (int b = 0; b < BLOCKS; b++)
		if (!f->seen || !f->bucket[b]) {
			features_free(f);
			return -ENOMEM;
		}
	return 0;
}

void features_free(struct features *f)
{
	free(f->seen);
	for (int b = 0; b < BLOCKS; b++)
		free(f->bucket[b]);
	*f = (struct features){0};
}

int features_spec_check(const struct features_spec *s)
{
	for (int b = 0; b < BLOCKS; b++)
		if (s->buckets[b] > FEATURES_BUCKETS_MAX)
			return -EINVAL;
	if (s->chars_min < 1 || s->chars_max > 6 || s->chars_min > s->chars_max || s->words_max < 1 || s->words_max > 3)
		return -EINVAL;
	return s->options >= 2 * FEATURE_CRISIS ? -EINVAL : 0;
}

static inline uint32_t mix(uint32_t h)
{
	h ^= h >> 16;
	h *= 0x7feb352du;
	h ^= h >> 15;
	return h * 0x846ca68bu;
}

static inline uint32_t step(uint32_t h, uint32_t c)
{
	return (h ^ c) * 0x01000193u + 0x9e3779b1u;
}

static uint32_t hash_span(struct span s)
{
	uint32_t h = 0x811c9dc5u;
	for (size_t i = 0; i < s.len; i++)
		h = step(h, s.data[i]);
	return h;
}

static inline uint32_t hash_pair(uint32_t a, uint32_t b)
{
	return mix(a) * 31 + b;
}

/* --- one block being filled ------------------------------------------------------------------------------------ */

struct block {
	struct features *f;
	int number;
	uint32_t size;
	uint32_t *out;
	size_t n;
};

static inline uint32_t add(struct block *b, uint32_t h)
{
	uint32_t bucket = (uint32_t)(((uint64_t)mix(h) * b->size) >> 32);
	uint64_t bit = 1ull << (bucket & 63), *word = &b->f->seen[bucket >> 6];
	if (!(*word & bit) && b->n < FEATURES_MAX) {
		*word |= bit;
		b->out[b->n++] = bucket;
	}
	return bucket;
}

static void add_named(struct block *b, uint32_t kind, uint32_t h, const char *fmt, struct span x, struct span y)
{
	uint32_t bucket = add(b, h * 16 + kind);
	if (!b->f->named)
		return;
	char name[NAME_MAX_BYTES];
	snprintf(name, sizeof(name), fmt, (int)x.len, (const char *)x.data, (int)y.len, (const char *)y.data);
	b->f->named(b->f->named_ctx, b->number, bucket, name);
}

static struct block block_begin(struct features *f, const struct features_spec *s, int number)
{
	f->n[number] = 0;
	return (struct block){.f = f, .number = number, .size = s->buckets[number], .out = f->bucket[number]};
}

static void block_end(struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		b->f->seen[b->out[i] >> 6] = 0;
	b->f->n[b->number] = b->n;
}

/* --- words ----------------------------------------------------------------------------------------------------- */

/* Latin letters without their accents; 0 for what is not such a letter. */
static uint8_t plain_letter(uint8_t lead, uint8_t next)
{
	static const char table[] = "aaaaaaaceeeeiiiidnooooo\0ouuuuyts" "aaaaaaaceeeeiiiidnooooo\0ouuuuyty";
	if (lead != 0xc3 || next < 0x80)
		return 0;
	return (uint8_t)table[next - 0x80];
}

/* Writes at most `max` bytes; words are at most TOKEN_BYTES_MAX long. */
static struct span plain_word(struct span w, uint8_t out[TOKEN_BYTES_MAX])
{
	size_t i = 0;
	while (i < w.len && w.data[i] < 0x80)
		i++;
	if (i == w.len)
		return w;
	size_t n = 0;
	for (i = 0; i < w.len && n < TOKEN_BYTES_MAX; i++) {
		uint8_t letter = i + 1 < w.len ? plain_letter(w.data[i], w.data[i + 1]) : 0;
		out[n++] = letter ? letter : w.data[i];
		i += letter != 0;
	}
	return span_of(out, n);
}

static bool is_negation(struct span w)
{
	static const char words[][8] = {"non", "nn", "not", "no", "never", "mai", "senza", "without", "dont", "doesnt",
		"didnt", "cant", "wont", "isnt", "wasnt", "nessun", "nessuno", "nessuna", "nulla", "niente", "nothing", "nunca", "sin",
		"pas", "jamais", "sans", "nicht", "kein", "keine", "nie", "não", "sem", "nem", "neanche", "nemmeno", "né"};
	char padded[8] = "";
	if (w.len < 2 || w.len > 7)
		return false;
	memcpy(padded, w.data, w.len);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memcmp(words[i], padded, sizeof(padded)) == 0)
			return true;
	return false;
}

/* What stands for a token in the word block; empty when it stands for nothing. */
static struct span word_of(const struct features_spec *s, const struct text *t, size_t i, uint8_t buffer[TOKEN_BYTES_MAX])
{
	static const char *const shapes[] = {"", "0", "00", "000", "0000", "00000"};
	struct span w = text_token(t, i);
	switch (t->tokens[i].kind) {
	case TOKEN_WORD:
		return s->options & FEATURE_PLAIN ? plain_word(w, buffer) : w;
	case TOKEN_NUMBER:
		return w.len <= 2 ? w : span_str(shapes[MIN(w.len, (size_t)5)]);
	case TOKEN_HANDLE:
		return s->options & FEATURE_HANDLE ? w : span_str("@");
	case TOKEN_EMOJI:
	case TOKEN_MARK:
		return s->options & FEATURE_STYLE ? w : span_of(NULL, 0);
	default:
		return w;
	}
}

static void words_of_text(struct block *b, const struct features_spec *s, const struct text *t, int language)
{
	uint32_t h1 = 0, h2 = 0; /* the token before, and the one before that */
	struct span before = {NULL, 0};
	int negated = 0;
	for (size_t i = 0; i < t->count && b->n < FEATURES_MAX - 8; i++) {
		uint8_t buffer[TOKEN_BYTES_MAX], stem_buffer[WORDS_STEM_MAX];
		struct span w = word_of(s, t, i, buffer);
		if (!w.len)
			continue;
		uint32_t h = hash_span(w);
		add_named(b, KIND_WORD, h, "%.*s", w, span_str(""));
		if (s->words_max >= 2 && h1)
			add_named(b, KIND_PAIR, hash_pair(h1, h), "%.*s %.*s", before, w);
		if (s->words_max >= 3 && h2)
			add_named(b, KIND_TRIPLE, hash_pair(hash_pair(h2, h1), h), "... %.*s %.*s", before, w);
		if (s->options & FEATURE_SKIP && h2)
			add_named(b, KIND_SKIP, hash_pair(h2, h), "(skip) %.*s%.*s", w, span_str(""));
		bool word = t->tokens[i].kind == TOKEN_WORD;
		if (word && s->options & FEATURE_STEM && w.len > 3) {
			struct span stem = words_stem(text_token(t, i), language, stem_buffer);
			add_named(b, KIND_STEM, hash_span(stem), "%.*s-%.*s", stem, span_str(""));
		}
		if (s->options & FEATURE_NEGATION) {
			if (t->tokens[i].kind == TOKEN_MARK)
				negated = 0;
			else if (negated > 0 && word)
				add_named(b, KIND_NEGATED, h, "not+%.*s%.*s", w, span_str(""));
			negated = word && is_negation(w) ? NEGATION_SCOPE : negated - 1;
		}
		h2 = h1;
		h1 = h;
		before = t->tokens[i].kind == TOKEN_WORD ? text_token(t, i) : w;
	}
}

/* --- pairs ----------------------------------------------------------------------------------------------------- */

static void pairs_of_text(struct block *b, const struct features_spec *s, const struct text *t, int language)
{
	struct past {
		uint32_t hash;
		struct span word;
	} past[FEATURES_APART]; /* a ring of the words before */
	size_t n = 0;
	for (size_t i = 0; i < t->count && b->n < FEATURES_MAX - FEATURES_APART - 1; i++) {
		uint8_t buffer[TOKEN_BYTES_MAX], stem_buffer[WORDS_STEM_MAX];
		struct span w = word_of(s, t, i, buffer);
		if (!w.len)
			continue;
		bool word = t->tokens[i].kind == TOKEN_WORD;
		struct span stem = word ? words_stem(text_token(t, i), language, stem_buffer) : w;
		uint32_t h = hash_span(stem);
		add_named(b, KIND_STEM, h, "%.*s-%.*s", stem, span_str(""));
		for (size_t k = 0; k < MIN(n, (size_t)FEATURES_APART); k++)
			add_named(b, KIND_APART, hash_pair(MIN(h, past[k].hash), MAX(h, past[k].hash)), "%.*s & %.*s", past[k].word, w);
		past[n++ % FEATURES_APART] = (struct past){h, word || t->tokens[i].kind == TOKEN_HANDLE ? text_token(t, i) : w};
	}
}

/* --- characters ------------------------------------------------------------------------------------------------ */

static size_t code_points(struct span w, uint32_t out[TOKEN_BYTES_MAX + 2])
{
	size_t n = 0;
	out[n++] = '<';
	for (size_t i = 0; i < w.len; n++) {
		uint32_t c = w.data[i++];
		while (i < w.len && (w.data[i] & 0xc0) == 0x80)
			c = c << 8 | w.data[i++];
		out[n] = c;
	}
	out[n++] = '>';
	return n;
}

static void name_chars(struct block *b, uint32_t bucket, const uint32_t *cp, size_t n)
{
	char name[8 * 4 + 1];
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			if (cp[i] >> shift & 0xff && len < sizeof(name) - 1)
				name[len++] = (char)(cp[i] >> shift);
	name[len] = 0;
	b->f->named(b->f->named_ctx, b->number, bucket, name);
}

static void chars_of_text(struct block *b, const struct features_spec *s, const struct text *t)
{
	uint32_t cp[TOKEN_BYTES_MAX + 2];
	for (size_t i = 0; i < t->count && b->n < FEATURES_MAX - 512; i++) {
		if (t->tokens[i].kind != TOKEN_WORD && t->tokens[i].kind != TOKEN_NUMBER)
			continue;
		uint8_t buffer[TOKEN_BYTES_MAX];
		size_t n = code_points(word_of(s, t, i, buffer), cp);
		for (size_t from = 0; from + s->chars_min <= n; from++) {
			size_t to = MIN(n, from + s->chars_max);
			uint32_t h = 0x5bd1e995u;
			for (size_t k = from; k < to; k++) {
				h = step(h, cp[k]);
				if (k + 1 - from < s->chars_min)
					continue;
				uint32_t bucket = add(b, h);
				if (b->f->named)
					name_chars(b, bucket, cp + from, k + 1 - from);
			}
		}
	}
}

/* --- what we know ---------------------------------------------------------------------------------------------- */

static void concepts_of_text(struct block *b, const struct text *t, int language, bool crisis)
{
	int negated = 0;
	for (size_t i = 0; i < t->count;) {
		size_t used = 1;
		int c = crisis ? concept_match_crisis(t, i, language, &used) : concept_match(t, i, language, &used);
		if (c != CONCEPT_NONE) {
			struct span name = span_str(concept_name(c));
			add_named(b, KIND_CONCEPT, (uint32_t)hash_span(name), "=%.*s%.*s", name, span_str(""));
			if (negated > 0)
				add_named(b, KIND_NOT_CONCEPT, hash_span(name), "not =%.*s%.*s", name, span_str(""));
		}
		struct span w = text_token(t, i);
		negated = is_negation(w) ? NEGATION_SCOPE : negated - 1;
		i += used;
	}
}

static void add_meta(struct block *b, const char *what, const char *value)
{
	struct span x = span_str(what), y = span_str(value);
	add_named(b, KIND_META, hash_pair(hash_span(x), hash_span(y)), "[%.*s %.*s]", x, y);
}

static const char *length_of(const struct text *t)
{
	static const struct {
		size_t max;
		const char *name;
	} lengths[] = {{3, "3"}, {7, "7"}, {14, "14"}, {25, "25"}, {45, "45"}, {80, "80"}};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		if (t->count <= lengths[i].max)
			return lengths[i].name;
	return "long";
}

static void meta_of_input(struct block *b, const struct features_input *in)
{
	add_meta(b, "surface", in->surface ? in->surface : "");
	add_meta(b, "channel", in->channel ? in->channel : "");
	add_meta(b, "words", length_of(&in->text));
	add_meta(b, "language", words_language_code(in->language));
}

static void style_of_text(struct block *b, const struct text *t)
{
	size_t counts[7] = {0}, capitals = 0, elongated = 0, asks = 0, shouts = 0;
	for (size_t i = 0; i < t->count; i++) {
		counts[t->tokens[i].kind]++;
		capitals += (t->tokens[i].flags & TOKEN_CAPITALS) != 0 && t->tokens[i].len > 3;
		elongated += (t->tokens[i].flags & TOKEN_ELONGATED) != 0;
		if (t->tokens[i].kind == TOKEN_MARK) {
			asks += text_token(t, i).data[0] == '?';
			shouts += text_token(t, i).data[0] == '!';
		}
	}
	if (t->letters > 12 && t->capitals * 10 > t->letters * 6)
		add_meta(b, "style", "shouting");
	if (capitals)
		add_meta(b, "style", "capitals");
	if (elongated)
		add_meta(b, "style", "elongated");
	if (asks)
		add_meta(b, "style", "asks");
	if (shouts)
		add_meta(b, "style", shouts > 2 ? "exclaims a lot" : "exclaims");
	if (counts[TOKEN_EMOJI])
		add_meta(b, "style", counts[TOKEN_EMOJI] > 2 ? "many emoji" : "emoji");
	if (counts[TOKEN_NUMBER])
		add_meta(b, "style", counts[TOKEN_NUMBER] > 2 ? "many numbers" : "number");
	if (counts[TOKEN_URL])
		add_meta(b, "style", "link");
	if (counts[TOKEN_HANDLE])
		add_meta(b, "style", "handle");
	if (t->count && t->tokens[t->count - 1].kind == TOKEN_MARK && text_token(t, t->count - 1).data[0] == '?')
		add_meta(b, "style", "ends asking");
}

void features_extract(struct features *f, const struct features_spec *s, const struct features_input *in)
{
	const struct text *texts[] = {&in->subject, &in->text};
	struct block b = block_begin(f, s, BLOCK_WORD);
	for (size_t i = 0; b.size && i < ARRAY_SIZE(texts); i++)
		words_of_text(&b, s, texts[i], in->language);
	block_end(&b);
	b = block_begin(f, s, BLOCK_CHARS);
	for (size_t i = 0; b.size && i < ARRAY_SIZE(texts); i++)
		chars_of_text(&b, s, texts[i]);
	block_end(&b);
	b = block_begin(f, s, BLOCK_PAIRS);
	for (size_t i = 0; b.size && i < ARRAY_SIZE(texts); i++)
		pairs_of_text(&b, s, texts[i], in->language);
	block_end(&b);
	b = block_begin(f, s, BLOCK_KNOW);
	for (size_t i = 0; b.size && s->options & (FEATURE_CONCEPT | FEATURE_CRISIS) && i < ARRAY_SIZE(texts); i++)
		concepts_of_text(&b, texts[i], in->language, s->options & FEATURE_CRISIS);
	if (b.size && s->options & FEATURE_META)
		meta_of_input(&b, in);
	if (b.size && s->options & FEATURE_STYLE)
		style_of_text(&b, &in->text);
	block_end(&b);
}
