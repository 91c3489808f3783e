#include "services/intent/features.h"

#include "common/words.h"
#include "services/intent/keywords.h"
#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;

static const struct features_spec everything = {
	.options = FEATURE_STEM | FEATURE_NEGATION | FEATURE_CONCEPT | FEATURE_META | FEATURE_STYLE | FEATURE_PLAIN | FEATURE_SKIP |
		FEATURE_PAIR,
	.buckets = {1 << 16, 1 << 16, 1 << 16, 1 << 12}, .chars_min = 2, .chars_max = 5, .words_max = 3};

static struct features_input read(struct span text, int language)
{
	struct features_input in = {.language = language, .surface = "public", .channel = "x"};
	arena_reset(&arena);
	assert_int_equal(text_read(text, &arena, &in.text), 0);
	return in;
}

struct names {
	const char *wanted;
	bool found;
};

static void look(void *ctx, int block, uint32_t bucket, const char *name)
{
	(void)block;
	(void)bucket;
	struct names *n = ctx;
	n->found |= strcmp(name, n->wanted) == 0;
}

static bool has_feature(const char *text, int language, const char *name)
{
	struct features f;
	assert_int_equal(features_init(&f), 0);
	struct names n = {.wanted = name};
	f.named = look;
	f.named_ctx = &n;
	struct features_input in = read(span_str(text), language);
	features_extract(&f, &everything, &in);
	features_free(&f);
	return n.found;
}

static void features_are_as_the_manual_says(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int language;
		const char *name;
		bool there;
	} rows[] = {
		{"Il modem è rotto", WORDS_IT, "modem", true},
		{"Il modem è rotto", WORDS_IT, "modem e", true},
		{"perché perche", WORDS_IT, "perché", false},
		{"non sono contento", WORDS_IT, "not+contento", true},
		{"sono contento, non triste", WORDS_IT, "not+contento", false},
		{"bollette pagate", WORDS_IT, "bollett-", true},
		{"bollette pagate", WORDS_NONE, "bollett-", false},
		{"router dead", WORDS_EN, "=modem", true},
		{"no refund", WORDS_EN, "not =refund", true},
		{"ciao", WORDS_IT, "<ci", true},
		{"ciao", WORDS_IT, "ao>", true},
		{"ciao a tutti", WORDS_IT, "[surface public]", true},
		{"NON FUNZIONA NIENTE", WORDS_IT, "[style shouting]", true},
		{"siete aperti?", WORDS_IT, "[style ends asking]", true},
		{"12345678", WORDS_IT, "00000", true},
		{"la bolletta non torna", WORDS_IT, "bolletta & torna", true},
		{"la bolletta a b c d e f g h i l m n o p q torna", WORDS_IT, "bolletta & torna", true},
		{"la bolletta a b c d e f g h i l m n o p q r torna", WORDS_IT, "bolletta & torna", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (has_feature(rows[i].text, rows[i].language, rows[i].name) != rows[i].there)
			fail_msg("\"%s\": feature \"%s\" expected %d", rows[i].text, rows[i].name, rows[i].there);
}

static void buckets_are_unique_and_in_range(void **state)
{
	(void)state;
	struct features f;
	assert_int_equal(features_init(&f), 0);
	static uint8_t big[200 * 1024], seen[1 << 16];
	uint32_t seed = 7;
	for (size_t i = 0; i < sizeof(big); i++) {
		seed = seed * 1664525 + 1013904223;
		big[i] = (uint8_t)(seed >> 28 ? 'a' + (seed >> 24) % 26 : ' ');
	}
	for (int round = 0; round < 3; round++) {
		struct features_input in = read(span_of(big, round == 1 ? 40 : sizeof(big)), WORDS_IT);
		features_extract(&f, &everything, &in);
		for (int b = 0; b < BLOCKS; b++) {
			memset(seen, 0, sizeof(seen));
			assert_true(f.n[b] <= FEATURES_MAX);
			for (size_t i = 0; i < f.n[b]; i++) {
				assert_true(f.bucket[b][i] < everything.buckets[b]);
				assert_int_equal(seen[f.bucket[b][i]]++, 0);
			}
		}
	}
	features_free(&f);
}

static void check_features(void *ctx, const char *name, struct span text)
{
	struct features *f = ctx;
	print_message("%s\n", name);
	for (int language = WORDS_NONE; language < (text.len > 1000 ? WORDS_EN : WORDS_LANGUAGES); language++) {
		struct features_input in = read(text, language);
		features_extract(f, &everything, &in);
		for (int b = 0; b < BLOCKS; b++)
			assert_true(f->n[b] <= FEATURES_MAX);
	}
}

static void hostile_text_is_defined(void **state)
{
	(void)state;
	struct features f;
	assert_int_equal(features_init(&f), 0);
	hostile_each(check_features, &f);
	features_free(&f);
	for (size_t i = 0; i < ARRAY_SIZE(hostile_modem); i++)
		assert_true(has_feature(hostile_modem[i], WORDS_IT, "modem"));
}

static void specifications_are_checked(void **state)
{
	(void)state;
	struct features_spec s = everything;
	assert_int_equal(features_spec_check(&s), 0);
	s.buckets[1] = FEATURES_BUCKETS_MAX + 1;
	assert_int_equal(features_spec_check(&s), -EINVAL);
	s = everything;
	s.chars_max = 7;
	assert_int_equal(features_spec_check(&s), -EINVAL);
	s = everything;
	s.chars_min = 6;
	assert_int_equal(features_spec_check(&s), -EINVAL);
	s = everything;
	s.options = 1u << 20;
	assert_int_equal(features_spec_check(&s), -EINVAL);
}

static void keywords_name_the_matter(void **state)
{
	(void)state;
	struct features_input in = read(span_str("@TelviaIT Buongiorno, il modem non funziona più dopo l'aggiornamento e ho pagato la bolletta, "
						 "i modem vostri https://t.co/x"), WORDS_IT);
	char **words;
	size_t n;
	assert_int_equal(keywords_of(&in.text, WORDS_IT, &arena, &words, &n), 0);
	assert_true(n >= 3 && n <= KEYWORDS_MAX);
	bool modem = false, bill = false;
	for (size_t i = 0; i < n; i++) {
		modem |= strcmp(words[i], "modem") == 0;
		bill |= strcmp(words[i], "bolletta") == 0;
		assert_true(strcmp(words[i], "non") != 0 && strcmp(words[i], "telviait") != 0);
	}
	assert_true(modem && bill);
	in = read(span_str("ok grazie 😀"), WORDS_IT);
	assert_int_equal(keywords_of(&in.text, WORDS_IT, &arena, &words, &n), 0);
	assert_int_equal(n, 0);
}

/* Stems are kept: a word's second time says what its first said, in every language, also when others took its place. */
static void stems_repeat(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		int language;
		const char *stem;
	} rows[] = {
		{"bollette", WORDS_IT, "bollett"}, {"bollette", WORDS_EN, "bollett"}, {"flies", WORDS_EN, "fli"},
		{"flies", WORDS_NONE, "flies"}, {"", WORDS_IT, ""},
		{"precipitevolissimevolmentissimamente", WORDS_IT, "precipitevolissimevolmentissim"},
	};
	uint8_t out[WORDS_STEM_MAX];
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct span stem = words_stem(span_str(rows[i].word), rows[i].language, out);
			if (!span_eq(stem, span_str(rows[i].stem)))
				fail_msg("%s: %.*s", rows[i].word, (int)stem.len, (const char *)stem.data);
		}
		for (int i = 0; i < 20000; i++) {
			char word[16];
			int n = snprintf(word, sizeof(word), "x%dq", i);
			struct span stem = words_stem(span_of(word, (size_t)n), i % WORDS_LANGUAGES, out);
			assert_true(stem.len == (size_t)n && memcmp(stem.data, word, stem.len) == 0);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 32 * 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_are_as_the_manual_says),
		cmocka_unit_test(buckets_are_unique_and_in_range),
		cmocka_unit_test(hostile_text_is_defined),
		cmocka_unit_test(specifications_are_checked),
		cmocka_unit_test(stems_repeat),
		cmocka_unit_test(keywords_name_the_matter),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
