#include "signature.h"

#include <math.h>
#include <pthread.h>
#include <xxhash.h>

#include "concept.h"
#include "text.h"
#include "words.h"

#define CANDIDATES_MAX 256
#define SKETCH_TOKENS_MAX 2000

/* What a kind of term says about the problem. Danger is rarer than a trouble and says more, things say less. */
static const float weight_danger = 2.6f, weight_trouble = 1.9f, weight_thing = 1.3f, weight_code = 1.0f,
		   weight_stem = 0.7f, weight_name = 0.35f, weight_generic = 0.15f;

/* What a message weighs at least that names things and no trouble. */
static const float weight_things_alone = 3.0f;

struct candidate {
	uint32_t term;
	float weight;
};

struct candidates {
	struct candidate all[CANDIDATES_MAX];
	size_t n;
	bool things, trouble; /* are among them */
};

/* Concepts (concepts.def); the order is for ever. */
static const struct {
	const char *name;
	bool plain;
} dangers[SIGNATURE_DANGERS] = {
	{"explosion", true}, {"disaster", true}, {"fire", false}, {"shock", false}, {"injury", false}, {"food_safety", false},
	{"illness", false}, {"data_leak", false},
};

static bool is_danger(const char *name)
{
	for (size_t i = 0; i < SIGNATURE_DANGERS; i++)
		if (str_eq(name, dangers[i].name))
			return true;
	return false;
}

/* What says much of what a message is about, and whether something is wrong with what the writer gets: being
 * kept waiting is that too, but says little. */
static const struct {
	const char *name;
	bool says_much, wrong;
} troubles[] = {
	{"down", true, true},
	{"crash", true, true},
	{"light_red", true, true},
	{"slow", true, true},
	{"declined", true, true},
	{"standstill", true, true},
	{"signalling", true, true},
	{"missing", true, true},
	{"double", true, true},
	{"charge", true, true},
	{"refund", true, true},
	{"fraud", true, true},
	{"late", true, true},
	{"cancelled", true, true},
	{"defect", true, true},
	{"wrong_item", true, true},
	{"hacked", true, true},
	{"queue", false, true},
	{"layoff", true, false},
	{"racism", true, false},
	{"recall", true, false},
	{"strike", true, false},
	{"cancel_contract", true, false},
	{"update", true, false},
};

static bool says_much(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
		if (str_eq(name, troubles[i].name))
			return troubles[i].says_much;
	return false;
}

static uint32_t concept_term(struct span name)
{
	return (uint32_t)XXH3_64bits_withSeed(name.data, name.len, 1);
}

size_t signature_dangers(const Ascolto__Signature *s, struct danger ret[SIGNATURE_DANGERS])
{
	size_t n = 0;
	for (unsigned d = 0; d < SIGNATURE_DANGERS; d++) {
		uint32_t term = concept_term(span_str(dangers[d].name));
		for (size_t i = 0; i < s->n_terms; i++)
			if (s->terms[i] == term) {
				ret[n++] = (struct danger){d, dangers[d].name, dangers[d].plain};
				break;
			}
	}
	return n;
}

/* The terms of all that is wrong or a danger. */
static uint32_t wrong[ARRAY_SIZE(troubles) + SIGNATURE_DANGERS];
static size_t n_wrong;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_wrong(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
		if (troubles[i].wrong)
			wrong[n_wrong++] = concept_term(span_str(troubles[i].name));
	for (size_t i = 0; i < SIGNATURE_DANGERS; i++)
		wrong[n_wrong++] = concept_term(span_str(dangers[i].name));
}

bool signature_names_trouble(const Ascolto__Signature *s)
{
	pthread_once(&once, make_wrong);
	for (size_t i = 0; i < s->n_terms; i++)
		for (size_t k = 0; k < n_wrong; k++)
			if (s->terms[i] == wrong[k])
				return true;
	return false;
}

static float weight_of_concept(int concept)
{
	const char *name = concept_name(concept);
	if (concept_group_of(concept) == CONCEPT_GENERIC)
		return weight_generic;
	if (is_danger(name))
		return weight_danger;
	return says_much(name) ? weight_trouble : weight_thing;
}

static void add(struct candidates *c, struct span name, uint64_t seed, float weight)
{
	uint32_t term = (uint32_t)XXH3_64bits_withSeed(name.data, name.len, seed);
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].term == term) {
			c->all[i].weight = MAX(c->all[i].weight, weight);
			return;
		}
	if (c->n < CANDIDATES_MAX)
		c->all[c->n++] = (struct candidate){term, weight};
}

static void add_concept(struct candidates *c, int concept)
{
	if (concept_group_of(concept) == CONCEPT_TONE)
		return;
	float weight = weight_of_concept(concept);
	c->things |= weight == weight_thing;
	c->trouble |= weight >= weight_trouble;
	add(c, span_str(concept_name(concept)), 1, weight);
}

/*
 * "Does the modem work abroad?" and "which modem do you sell?" are not one topic because both name a modem. What is not
 * known about such a message becomes a term of its own.
 */
static void add_rest(struct candidates *c, const struct text *t)
{
	float sum = 0;
	for (size_t i = 0; i < c->n; i++)
		sum += c->all[i].weight * c->all[i].weight;
	float rest = weight_things_alone * weight_things_alone - sum;
	if (c->things && !c->trouble && rest > 0)
		add(c, t->normal, 3, sqrtf(rest));
}

/* "Telvia" beside "@TelviaIT" is who is spoken to, not what about. */
static bool repeats_handle(const struct text *t, struct span word)
{
	if (word.len < 4)
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (t->tokens[i].kind == TOKEN_HANDLE) {
			struct span handle = text_token(t, i);
			if (memmem(handle.data, handle.len, word.data, word.len))
				return true;
		}
	return false;
}

static bool has_digit(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] >= '0' && word.data[i] <= '9')
			return true;
	return false;
}

static void add_word(struct candidates *c, const struct text *t, size_t i, int language)
{
	const struct token *k = &t->tokens[i];
	struct span word = text_token(t, i);
	if (k->kind != TOKEN_WORD || word.len < 3 || words_is_stop(word, language) || repeats_handle(t, word))
		return;
	float weight = weight_stem;
	if (has_digit(word)) /* "e21", "4g": codes are the same in every language */
		weight = weight_code;
	else if (k->flags & TOKEN_HASHTAG || (k->flags & TOKEN_CAPITAL && !(k->flags & TOKEN_CAPITALS) && i > 0))
		weight = weight_name;
	uint8_t buffer[WORDS_STEM_MAX];
	add(c, words_stem(word, language, buffer), 2, weight);
}

static void collect(struct candidates *c, const struct text *t, int language)
{
	for (size_t i = 0; i < t->count;) {
		size_t used = 1;
		int concept = concept_match(t, i, language, &used);
		if (concept != CONCEPT_NONE)
			add_concept(c, concept);
		else
			add_word(c, t, i, language);
		i += used;
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return x->term < y->term ? -1 : x->term > y->term;
}

static int by_term(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->term < y->term ? -1 : x->term > y->term;
}

static int fill_terms(struct candidates *c, struct arena *a, Ascolto__Signature *ret)
{
	qsort(c->all, c->n, sizeof(c->all[0]), by_weight);
	size_t n = MIN(c->n, (size_t)SIGNATURE_TERMS_MAX);
	qsort(c->all, n, sizeof(c->all[0]), by_term);
	uint32_t *terms = arena_alloc(a, n * sizeof(*terms) + 1);
	float *weights = arena_alloc(a, n * sizeof(*weights) + 1);
	if (!terms || !weights)
		return -ENOMEM;
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)c->all[i].weight * (double)c->all[i].weight;
	for (size_t i = 0; i < n; i++) {
		terms[i] = c->all[i].term;
		weights[i] = (float)((double)c->all[i].weight / sqrt(sum));
	}
	ret->n_terms = ret->n_weights = n;
	ret->terms = terms;
	ret->weights = weights;
	return 0;
}

/* Words people put around what they pass on. */
static bool is_framing(struct span word)
{
	static const char *const framing[] = {"rt", "via", "mt", "qt", "cit", "questo", "questa", "this", "ecco", "leggete", "leggi", "guardate",
		"guarda", "condivido", "condividete", "copio", "incollo", "e", "copia", "quoto", "idem", "repost", "reposted", "read", "look",
		"share", "shared", "from", "da", "di", "by", "same", "pls", "please", "per", "favore", "urgente", "qui", "sotto", "below", "here"};
	for (size_t i = 0; i < ARRAY_SIZE(framing); i++)
		if (span_eq(word, span_str(framing[i])))
			return true;
	return false;
}

static bool counts_for_copy(const struct text *t, size_t i)
{
	return (t->tokens[i].kind == TOKEN_WORD && !(t->tokens[i].flags & TOKEN_HASHTAG)) ||
		t->tokens[i].kind == TOKEN_NUMBER;
}

/* The words of the message itself, without what a repost puts around them. */
struct body {
	size_t first, end;
};

static struct body body_of(const struct text *t)
{
	struct body b = {0, t->count};
	while (b.first < b.end && (!counts_for_copy(t, b.first) || is_framing(text_token(t, b.first))))
		b.first++;
	while (b.end > b.first && (!counts_for_copy(t, b.end - 1) || is_framing(text_token(t, b.end - 1))))
		b.end--;
	return b;
}

static uint64_t copy_of(const struct text *t, struct body body, uint32_t *ret_words)
{
	uint64_t h = 0;
	uint32_t words = 0;
	for (size_t i = body.first; i < body.end; i++) {
		if (!counts_for_copy(t, i))
			continue;
		struct span word = text_token(t, i);
		h = XXH3_64bits_withSeed(word.data, word.len, h + 1);
		words++;
	}
	*ret_words = words;
	return words >= SIGNATURE_COPY_WORDS ? h : 0;
}

static void sketch_add(int votes[64], uint64_t h)
{
	for (int b = 0; b < 64; b++)
		votes[b] += h >> b & 1 ? 1 : -1;
}

static uint64_t sketch_of(const struct text *t, struct body body)
{
	int votes[64] = {0};
	uint64_t before = 0;
	for (size_t i = body.first; i < body.end && i < body.first + SKETCH_TOKENS_MAX; i++) {
		if (!counts_for_copy(t, i))
			continue;
		struct span word = text_token(t, i);
		uint64_t h = XXH3_64bits(word.data, word.len);
		sketch_add(votes, h);
		if (before)
			sketch_add(votes, XXH3_64bits_withSeed(word.data, word.len, before));
		before = h;
	}
	uint64_t sketch = 0;
	for (int b = 0; b < 64; b++)
		sketch |= (uint64_t)(votes[b] > 0) << b;
	return sketch;
}

int signature_of_text(const struct text *t, int language, struct arena *a, Ascolto__Signature *ret)
{
	struct candidates c = {.n = 0};
	collect(&c, t, language);
	add_rest(&c, t);
	int r = fill_terms(&c, a, ret);
	if (r < 0)
		return r;
	struct body body = body_of(t);
	ret->sketch = sketch_of(t, body);
	ret->copy = copy_of(t, body, &ret->words);
	return 0;
}

int signature_compute(struct span text, const char *lang, struct arena *a, Ascolto__Signature *ret)
{
	struct text t;
	int r = text_read(text, a, &t);
	if (r < 0)
		return r;
	return signature_of_text(&t, words_language_of(lang), a, ret);
}

double signature_similarity(const Ascolto__Signature *a, const Ascolto__Signature *b)
{
	size_t na = MIN(a->n_terms, a->n_weights), nb = MIN(b->n_terms, b->n_weights), i = 0, k = 0;
	double dot = 0, la = 0, lb = 0;
	for (size_t n = 0; n < na; n++)
		la += (double)a->weights[n] * (double)a->weights[n];
	for (size_t n = 0; n < nb; n++)
		lb += (double)b->weights[n] * (double)b->weights[n];
	while (i < na && k < nb) {
		if (a->terms[i] == b->terms[k])
			dot += (double)a->weights[i++] * (double)b->weights[k++];
		else if (a->terms[i] < b->terms[k])
			i++;
		else
			k++;
	}
	double length = sqrt(la) * sqrt(lb);
	if (!(length > 0) || !isfinite(length) || !(dot > 0))
		return 0;
	return MIN(dot / length, 1.0);
}
