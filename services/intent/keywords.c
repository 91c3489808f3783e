#include "keywords.h"

#include "common/concept.h"
#include "common/words.h"

#define CANDIDATES_MAX 400

struct candidate {
	size_t token;
	int score;
};

static int score_of(const struct text *t, size_t i, int language, size_t *ret_used)
{
	const struct token *k = &t->tokens[i];
	int concept = concept_match(t, i, language, ret_used);
	struct span word = text_token(t, i);
	if (k->kind != TOKEN_WORD || word.len < 3)
		return 0;
	if (concept != CONCEPT_NONE && *ret_used == 1)
		switch (concept_group_of(concept)) {
		case CONCEPT_TOPIC:
			return 20 + (int)MIN(word.len, (size_t)10);
		case CONCEPT_GENERIC:
			return 1;
		case CONCEPT_CRISIS: /* concept_match does not find them */
		case CONCEPT_TONE:
			if (words_is_stop(word, language))
				return 0;
			return 4 + (int)MIN(word.len, (size_t)8) / 2;
		}
	if (words_is_stop(word, language) || (word.len == 3 && !(k->flags & TOKEN_CAPITALS)))
		return 0;
	int score = 5 + (int)MIN(word.len, (size_t)12);
	return k->flags & (TOKEN_HASHTAG | TOKEN_CAPITALS) ? score + 3 : score;
}

static bool same_stem(struct span a, struct span b, int language)
{
	uint8_t x[WORDS_STEM_MAX], y[WORDS_STEM_MAX];
	struct span sa = words_stem(a, language, x);
	return span_eq(sa, words_stem(b, language, y));
}

static bool known(const struct text *t, const struct candidate *c, size_t n, size_t token, int language)
{
	for (size_t i = 0; i < n; i++)
		if (same_stem(text_token(t, c[i].token), text_token(t, token), language))
			return true;
	return false;
}

static int by_token(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->token < y->token ? -1 : x->token > y->token;
}

/* Keeps the best KEYWORDS_MAX, the earlier one among equals. */
static void keep(struct candidate best[KEYWORDS_MAX], size_t *n, struct candidate c)
{
	size_t i = MIN(*n, (size_t)KEYWORDS_MAX - 1);
	if (*n == KEYWORDS_MAX && best[i].score >= c.score)
		return;
	if (*n < KEYWORDS_MAX)
		(*n)++;
	for (; i > 0 && best[i - 1].score < c.score; i--)
		best[i] = best[i - 1];
	best[i] = c;
}

int keywords_of(const struct text *t, int language, struct arena *a, char ***ret_words, size_t *ret_n)
{
	struct candidate best[KEYWORDS_MAX];
	size_t n = 0, used = 1;
	for (size_t i = 0; i < t->count && i < CANDIDATES_MAX; i += used) {
		used = 1;
		struct candidate c = {i, score_of(t, i, language, &used)};
		if (c.score > 1 && !known(t, best, n, i, language))
			keep(best, &n, c);
	}
	qsort(best, n, sizeof(best[0]), by_token);
	char **words = arena_alloc(a, (n + 1) * sizeof(*words));
	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct span w = text_token(t, best[i].token);
		words[i] = arena_strndup(a, (const char *)w.data, w.len);
		if (!words[i])
			return -ENOMEM;
	}
	*ret_words = words;
	*ret_n = n;
	return 0;
}
