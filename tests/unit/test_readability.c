#include "common/readability.h"

#include <math.h>

#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;

static struct readability read(const char *text, const char *lang)
{
	struct readability r;
	arena_reset(&arena);
	assert_int_equal(readability_of(span_str(text), lang, &arena, &r), 0);
	return r;
}

static struct tone tone(const char *text, const char *lang)
{
	struct tone t;
	arena_reset(&arena);
	assert_int_equal(tone_of(span_str(text), lang, &arena, &t), 0);
	return t;
}

static void indices_follow_their_formulas(void **state)
{
	(void)state;
	struct readability r = read("Il gatto dorme. Il cane abbaia.", "it");
	assert_int_equal(r.words, 6);
	assert_int_equal(r.sentences, 2);
	assert_int_equal(r.letters, 24);
	assert_true(r.known && r.index == 100); /* 89 + (600 - 240) / 6 = 149, at most 100 */
	r = read("Il contribuente interessato presenterà tempestivamente opportuna documentazione", "it");
	assert_int_equal(r.words, 7);
	assert_true(fabs(r.index - (89 + (300.0 - 10.0 * r.letters) / 7)) < 1e-9 && r.index < 40);
	r = read("The cat sat on the mat.", "en");
	assert_int_equal(r.syllables, 6);
	assert_true(fabs(r.index - (206.835 - 1.015 * 6 - 84.6)) < 1e-9);
	assert_true(read("Please table the little apple.", "en").syllables == 8);
	assert_false(read("Guten Tag", "de").known);
	assert_int_equal(read("Costa 12.50 euro? Si.", "it").sentences, 2);
}

static void tone_is_heard(void **state)
{
	(void)state;
	assert_int_equal(tone("Gentile signora, Le scriviamo per il Suo ordine", "it").formality, FORMALITY_FORMAL);
	assert_int_equal(tone("Ciao, hai ricevuto il tuo pacco?", "it").formality, FORMALITY_INFORMAL);
	assert_int_equal(tone("le scarpe sono arrivate", "it").formality, FORMALITY_UNKNOWN);
	assert_int_equal(tone("Ci vogliono sei giorni, dai nostri tecnici", "it").formality, FORMALITY_UNKNOWN);
	assert_true(span_eq(tone("Buongiorno, ti scriviamo noi cmq", "it").informal_word, span_str("ti")));
	assert_true(span_eq(tone("Buongiorno, ti scriviamo noi cmq", "it").slang_word, span_str("cmq")));
	struct tone t = tone("VERGOGNA!!! cmq siete buffoni 😡😡 bastaaaa", "it");
	assert_int_equal(t.capital_words, 1);
	assert_int_equal(t.exclamation_runs, 1);
	assert_int_equal(t.emoji, 2);
	assert_int_equal(t.slang, 2);
	assert_int_equal(t.elongated, 1);
	assert_true(t.capital_share > 0.2);
}

static void check_readability(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	struct readability r;
	struct tone t;
	arena_reset(&arena);
	assert_int_equal(readability_of(text, "it", &arena, &r), 0);
	assert_int_equal(r.known, r.words > 0);
	assert_true(!r.known || (isfinite(r.index) && r.index >= 0 && r.index <= 100));
	arena_reset(&arena);
	assert_int_equal(tone_of(text, "it", &arena, &t), 0);
	assert_true(t.capital_share >= 0 && t.capital_share <= 1);
}

static void any_bytes_have_a_tone(void **state)
{
	(void)state;
	hostile_each(check_readability, NULL);
	struct tone t = tone("", "");
	assert_int_equal(t.slang + t.emoji + t.exclamation_runs, 0);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 8 * 1024 * 1024);
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
		cmocka_unit_test(indices_follow_their_formulas),
		cmocka_unit_test(tone_is_heard),
		cmocka_unit_test(any_bytes_have_a_tone),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
