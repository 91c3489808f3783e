/* The language model that ships, as the classifier uses it. */
#include "services/intent/classifier.h"

#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;
static struct classifier *classifier;

static const char *language_of(struct span text, const char *expected_by_caller)
{
	Ascolto__Understanding u;
	struct classifier_input in = {.text = text, .lang = expected_by_caller};
	struct err e = {0};
	arena_reset(&arena);
	assert_int_equal(classifier_predict(classifier, &in, &arena, &u, &e), 0);
	return u.language;
}

static void languages_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *lang;
	} rows[] = {
		{"siete aperti mercoledì sera?", "it"},
		{"nn va piu internet da ieri, che faccio", "it"},
		{"is my order on its way?", "en"},
		{"the app keeps crashing since this morning", "en"},
		{"no me llega el pedido desde hace una semana", "es"},
		{"ma connexion ne marche plus depuis hier", "fr"},
		{"ich warte seit drei Wochen auf mein Paket", "de"},
		{"não consigo entrar na minha conta", "pt"},
		{"Cancella la sveglia di domani", "it"},
		{"snooze the alarm", "en"},
		{"riproduci The Wall dei Pink Floyd", "it"},
		{"waar blijft mijn pakket?", "other"},
		{"proszę o zwrot pieniędzy", "other"},
		{"ок спасибо большое", "other"},
		{"شكرا جزيلا لكم", "other"},
		{"非常感谢", "other"},
		{"m\u200bo\u200bdem rotto, \u00e8 la terza volta", "it"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *is = language_of(span_str(rows[i].text), "");
		if (!str_eq(is, rows[i].lang))
			fail_msg("\"%s\" was read as \"%s\"", rows[i].text, is);
	}
}

static void the_text_goes_before_the_caller(void **state)
{
	(void)state;
	static const char *const silent[] = {"", "😂😂😂", "123 456", "@brezza https://example.org", "\xff\xfe", "\u202e"};
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		assert_string_equal(language_of(span_str(silent[i]), "it"), "it");
		assert_string_equal(language_of(span_str(silent[i]), NULL), "");
	}
	assert_string_equal(language_of(span_str("is my order on its way?"), "it"), "en");
}

static void check_understanding(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	Ascolto__Understanding u;
	struct classifier_input in = {.text = text, .subject = text, .surface = "public", .channel = "email"};
	struct err e = {0};
	arena_reset(&arena);
	assert_int_equal(classifier_predict(classifier, &in, &arena, &u, &e), 0);
	assert_true(u.language && u.intent && u.signature);
	assert_true(u.intent->probability >= 0 && u.intent->probability <= 1.0001f);
}

/* A defined answer to anything, from all the models that ship. */
static void any_bytes_are_understood(void **state)
{
	(void)state;
	hostile_each(check_understanding, NULL);
}

static int setup(void **state)
{
	(void)state;
	struct err e = {0};
	arena_init(&arena, 32 * 1024 * 1024);
	return classifier_open_linear(BINARY_DIR "/models", &classifier, &e);
}

static int teardown(void **state)
{
	(void)state;
	classifier_close(&classifier);
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages_are_read),
		cmocka_unit_test(the_text_goes_before_the_caller),
		cmocka_unit_test(any_bytes_are_understood),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
