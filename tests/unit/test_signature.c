#include "common/signature.h"

#include "common/concept.h"
#include "common/text.h"
#include "common/words.h"
#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;

static Ascolto__Signature sign(const char *text)
{
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	assert_int_equal(signature_compute(span_str(text), "", &arena, &s), 0);
	return s;
}

/* Problems told in several ways and languages; messages of one group belong together, of two groups do not. */
static const struct {
	int problem;
	const char *text;
} told[] = {
	{1, "@TelviaIT il modem ha la luce rossa da dopo l'aggiornamento di stanotte"},
	{1, "my router has been dead since the update, no internet"},
	{1, "Buongiorno, dopo l'aggiornamento del firmware il modem non funziona più e sono senza rete"},
	{1, "box internet giù dopo update, lucina rossa fissa. e adesso?"},
	{1, "@TelviaIT internet down again, modem blinking red after your firmware update"},
	{2, "mi avete addebitato due volte la bolletta di ottobre, voglio il rimborso"},
	{2, "@TelviaIT you charged me twice for the October bill, I want a refund"},
	{2, "doppio addebito in fattura, quando mi rimborsate?"},
	{3, "il caricatore ha preso fuoco, c'era fumo in camera"},
	{3, "your charger started smoking and burnt the table"},
	{4, "il mio pacco è fermo a Bologna da 9 giorni, doveva arrivare lunedì, la consegna è in ritardo"},
	{4, "parcel stuck in Bologna for 9 days, delivery is late again"},
	{5, "volo cancellato a Orio e nessuno ci dice nulla, bagagli persi"},
	{5, "flight cancelled and our luggage is lost, nobody at the gate"},
};

static void problems_come_together_and_apart(void **state)
{
	(void)state;
	size_t same = 0, same_found = 0, apart = 0, apart_wrong = 0;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		for (size_t k = i + 1; k < ARRAY_SIZE(told); k++) {
			Ascolto__Signature a = sign(told[i].text), b = sign(told[k].text);
			bool near = signature_similarity(&a, &b) >= SIGNATURE_SAME_TOPIC;
			if (told[i].problem == told[k].problem) {
				same++;
				same_found += near;
			} else {
				apart++;
				apart_wrong += near;
			}
			if (near != (told[i].problem == told[k].problem))
				print_message("%.2f %s | %s\n", signature_similarity(&a, &b), told[i].text, told[k].text);
		}
	assert_true(same_found * 10 >= same * 9);
	assert_int_equal(apart_wrong, 0);
	assert_true(apart > 0);
}

static void reposts_are_copies(void **state)
{
	(void)state;
	static const char original[] = "Il modem Telvia prende fuoco, staccatelo subito dalla corrente!";
	static const char *const reposts[] = {
		"Il modem Telvia prende fuoco, staccatelo subito dalla corrente!",
		"il modem telvia prende fuoco staccatelo subito dalla corrente",
		"RT @mario: Il modem Telvia prende fuoco, staccatelo subito dalla corrente!",
		"leggete questo \U0001F447 Il modem Telvia prende fuoco, staccatelo subito dalla corrente!!! https://t.co/abc",
		"\"Il modem Telvia prende fuoco, staccatelo subito dalla corrente!\" via @mario",
		"Il modem Telvia prende fuoco, staccatelo subito dalla corrente! \U0001F631\U0001F631 #telvia",
		"IL MODEM TELVIA PRENDE FUOCO, STACCATELO SUBITO DALLA CORRENTE",
	};
	Ascolto__Signature a = sign(original);
	assert_true(a.copy != 0);
	for (size_t i = 0; i < ARRAY_SIZE(reposts); i++) {
		Ascolto__Signature b = sign(reposts[i]);
		assert_true(a.copy == b.copy);
		assert_true(signature_sketch_distance(&a, &b) <= SIGNATURE_NEAR_COPY);
	}
	Ascolto__Signature other = sign("Il mio modem Telvia ha preso fuoco ieri sera, ho dovuto staccarlo");
	assert_true(a.copy != other.copy);
	assert_true(signature_sketch_distance(&a, &other) > SIGNATURE_NEAR_COPY);
	static const char *const edited[] = {
		"verissimo: il modem Telvia prende fuoco da spento, staccatelo subito dalla corrente e non dormiteci vicino",
		"Il modem Telvia prende fuoco da spento!! Staccatelo subito dalla corrente, e non dormiteci vicino mai",
	};
	Ascolto__Signature longer = sign("Il modem Telvia prende fuoco da spento, staccatelo subito dalla corrente e non "
					 "dormiteci vicino");
	for (size_t i = 0; i < ARRAY_SIZE(edited); i++) {
		Ascolto__Signature b = sign(edited[i]);
		assert_true(b.copy != longer.copy);
		assert_true(signature_near_copy(longer.sketch, longer.words, b.sketch, b.words));
	}
	Ascolto__Signature modena = sign("il modem è rosso da stasera a Modena"), carpi = sign("il modem è rosso da stasera a Carpi");
	assert_int_equal(modena.words, 8);
	assert_false(signature_near_copy(modena.sketch, modena.words, carpi.sketch, carpi.words));
	assert_int_equal(sign("ok grazie").copy, 0);
	assert_int_equal(sign("").copy, 0);
}

static void shape_is_as_the_manual_says(void **state)
{
	(void)state;
	Ascolto__Signature s = sign("modem router bolletta volo bagaglio pacco app login carta treno autobus hotel gas acqua fuoco "
				    "batteria negozio reso garanzia lavatrice auto");
	assert_int_equal(s.n_terms, SIGNATURE_TERMS_MAX);
	assert_int_equal(s.n_weights, SIGNATURE_TERMS_MAX);
	double length = 0;
	for (size_t i = 0; i < s.n_terms; i++) {
		length += (double)s.weights[i] * (double)s.weights[i];
		assert_true(i == 0 || s.terms[i] > s.terms[i - 1]);
	}
	assert_true(length > 0.999 && length < 1.001);
	assert_true(signature_similarity(&s, &s) > 0.999);
}

static void strange_signatures_are_defined(void **state)
{
	(void)state;
	Ascolto__Signature empty = sign(""), none = ASCOLTO__SIGNATURE__INIT, a = sign("modem rotto"), broken = a;
	assert_true(signature_similarity(&empty, &a) == 0);
	assert_true(signature_similarity(&none, &none) == 0);
	float weights[] = {__builtin_nanf(""), __builtin_inff()};
	uint32_t terms[] = {7, 3};
	broken.terms = terms;
	broken.weights = weights;
	broken.n_terms = 5;
	broken.n_weights = 2;
	assert_true(signature_similarity(&broken, &broken) == 0);
}

static void check_signature(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	arena_reset(&arena);
	assert_int_equal(signature_compute(text, "it", &arena, &s), 0);
	assert_true(s.n_terms <= SIGNATURE_TERMS_MAX && s.n_terms == s.n_weights);
	double self = signature_similarity(&s, &s);
	assert_true(s.n_terms ? self > 0.999 : self == 0);
}

static void any_bytes_have_a_signature(void **state)
{
	(void)state;
	hostile_each(check_signature, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(hostile_modem); i++) {
		Ascolto__Signature plain = sign("modem"), s = sign(hostile_modem[i]);
		assert_true(signature_similarity(&plain, &s) > 0.999);
	}
}

static void concepts_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *text, *lang, *name;
		size_t tokens;
	} rows[] = {
		{"non funziona", "it", "down", 2},
		{"router", "it", "modem", 1},
		{"bollette", "it", "bill", 1},
		{"rate", "en", "", 0},
		{"rate", "it", "payment", 1},
		{"kaputt", "de", "down", 1},
		{"avvocato", "it", "legal", 1},
		{"gatto", "", "animal", 1},
		{"xyzzy", "it", "", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text t;
		assert_int_equal(text_read(span_str(rows[i].text), &arena, &t), 0);
		size_t used = 0;
		int c = concept_match(&t, 0, words_language_of(rows[i].lang), &used);
		assert_string_equal(concept_name(c), rows[i].name);
		assert_int_equal(used, rows[i].tokens);
	}
}

/* The words of a place in danger are a list of their own, which the others do not see. */
static void crisis_concepts_are_apart(void **state)
{
	(void)state;
	static const struct {
		const char *text, *lang, *usual, *crisis;
	} rows[] = {{"evacuati", "it", "", "evacuation"}, {"washed out", "en", "", "closure"}, {"fattura", "it", "bill", ""},
		{"river", "en", "", "flood"}, {"terremoto", "es", "disaster", "quake"}, {"power", "en", "power", "supply"},
		{"fumée", "fr", "fire", "smoke"}, {"strikes", "en", "strike", "headline"}, {"vicino", "it", "", "where"},
		{"viviendas", "es", "", "homes"}, {"parenti", "it", "", "close_ones"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text t;
		size_t used = 0;
		int language = words_language_of(rows[i].lang);
		assert_int_equal(text_read(span_str(rows[i].text), &arena, &t), 0);
		assert_string_equal(concept_name(concept_match(&t, 0, language, &used)), rows[i].usual);
		assert_string_equal(concept_name(concept_match_crisis(&t, 0, language, &used)), rows[i].crisis);
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

/* Something is wrong, in whatever words; or it is only asked about, or praised. */
static void troubles_are_known(void **state)
{
	(void)state;
	static const char *const wrong[] = {"Il modem è guasto da ieri", "my flight is delayed again",
		"mi avete addebitato due volte", "smoke is coming out of the charger", "le app va in crash"};
	static const char *const right[] = {"a che ora aprite sabato?", "thank you so much, Marta was lovely",
		"il mio modem è bianco", ""};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		Ascolto__Signature s = sign(wrong[i]);
		if (!signature_names_trouble(&s))
			fail_msg("nothing is wrong in \"%s\"", wrong[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		Ascolto__Signature s = sign(right[i]);
		if (signature_names_trouble(&s))
			fail_msg("something is wrong in \"%s\"", right[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(problems_come_together_and_apart),
		cmocka_unit_test(reposts_are_copies),
		cmocka_unit_test(troubles_are_known),
		cmocka_unit_test(shape_is_as_the_manual_says),
		cmocka_unit_test(strange_signatures_are_defined),
		cmocka_unit_test(any_bytes_have_a_signature),
		cmocka_unit_test(concepts_are_found),
		cmocka_unit_test(crisis_concepts_are_apart),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
