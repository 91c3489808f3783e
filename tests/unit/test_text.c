#include "common/text.h"

#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;

static struct text read(struct span s)
{
	struct text t;
	arena_reset(&arena);
	assert_int_equal(text_read(s, &arena, &t), 0);
	return t;
}

static void tokens_are_as_the_manual_says(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"Ciao MONDO", "ciao mondo"},
		{"l'app non va", "l app non va"},
		{"l\u2019app", "l app"},
		{"Don't know, it's I'll", "dont know its ill"},
		{"perche' perché", "perche perché"},
		{"Grazieeee!!!! nooo", "grazie !! no"},
		{"aaabbb bellissimo", "ab bellissimo"},
		{"#NonFunzionaNulla #boicotta_telvia #SOSFibra5G", "non funziona nulla boicotta telvia sos fibra 5 g"},
		{"#treniinritardo #deltaairlines #nonfunzionanulla", "treni in ritardo delta airlines non funziona nulla"},
		{"#boicottatelvia #brezzadown #vergognatevi", "boicotta telvia brezza down vergognatevi"},
		{"#TRENIINRITARDO #rimborsosubito2026", "treni in ritardo rimborso subito 2026"},
		{"#sciopero #firmware #assistenza #pagamenti", "sciopero firmware assistenza pagamenti"},
		{"#perchénonrispondete #東京駅前 #автобус", "perché non rispondete 東京駅前 автобус"},
		{"treniinritardo #\u0628\u064a\u0629", "treniinritardo \u0628\u064a\u0629"},
		{"@TelviaIT: scrivi a mario.rossi@example.com", "telviait scrivi a mario mail"},
		{"vedi https://t.co/x?y=1#z ok www.telvia.it/a ciao", "vedi url ok url ciao"},
		{"€ 12,50 il 3/12 alle 10:30.", "€ 12,50 il 3/12 alle 10:30"},
		{"errore E21, rete 5g", "errore e21 rete 5g"},
		{"ciao :-) :( ;) <3 :/ XD", "ciao :) :( :) <3 :| xd"},
		{"http:// e https://", "url e url"},
		{"che succede?? davvero?! ...", "che succede ?? davvero !? ..."},
		{"\U0001F44D\U0001F3FD ok \u2764\uFE0F", "\U0001F44D ok \u2764"},
		{"e\u0300 \u00e8 caffe\u0300", "è è caffè"},
		{"STRASSE stra\u00dfe \ufb01ne \uff21\uff22", "strasse strasse fine ab"},
		{"#", ""},
		{"@ a", "a"},
		{"....", "..."},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text t = read(span_str(rows[i].in));
		assert_string_equal((const char *)t.normal.data, rows[i].out);
	}
}

static void kinds_and_flags(void **state)
{
	(void)state;
	struct text two = read(span_str("#TRENIFERMI"));
	assert_int_equal(two.count, 2);
	assert_int_equal(two.tokens[0].flags, TOKEN_HASHTAG | TOKEN_CAPITALS | TOKEN_CAPITAL);
	assert_int_equal(two.tokens[1].flags, TOKEN_HASHTAG | TOKEN_CAPITALS | TOKEN_JOINED);
	struct text t = read(span_str("VERGOGNA @x #BastaCosi ciaoooo 12 !!"));
	assert_int_equal(t.count, 7);
	assert_int_equal(t.tokens[0].flags, TOKEN_CAPITALS | TOKEN_CAPITAL);
	assert_int_equal(t.tokens[1].kind, TOKEN_HANDLE);
	assert_int_equal(t.tokens[2].flags, TOKEN_HASHTAG | TOKEN_CAPITAL);
	assert_int_equal(t.tokens[3].flags, TOKEN_HASHTAG | TOKEN_JOINED | TOKEN_CAPITAL);
	assert_int_equal(t.tokens[4].flags, TOKEN_ELONGATED);
	assert_int_equal(t.tokens[5].kind, TOKEN_NUMBER);
	assert_int_equal(t.tokens[6].kind, TOKEN_MARK);
	assert_int_equal(t.capitals, 10);
}

/* Offsets and lengths stay inside whatever comes. */
static void check_shape(const struct text *t)
{
	size_t end = 0;
	for (size_t i = 0; i < t->count; i++) {
		assert_true(t->tokens[i].at >= end);
		assert_true(t->tokens[i].len > 0 && t->tokens[i].len <= TOKEN_BYTES_MAX);
		end = t->tokens[i].at + t->tokens[i].len;
		assert_true(end <= t->normal.len);
	}
	assert_int_equal(t->normal.data[t->normal.len], 0);
}

static void check_text(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	struct text t = read(text);
	check_shape(&t);
	assert_int_equal(t.cut, text.len > TEXT_BYTES_MAX);
}

static void any_bytes_are_defined(void **state)
{
	(void)state;
	hostile_each(check_text, NULL);
	uint8_t noise[257];
	uint32_t seed = 1;
	for (size_t round = 0; round < 300; round++) {
		size_t len = round % sizeof(noise);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			noise[i] = (uint8_t)(seed >> 24);
		}
		struct text t = read(span_of(noise, len));
		check_shape(&t);
	}
}

static void unseen_things_are_not_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile_modem); i++) {
		struct text t = read(span_str(hostile_modem[i]));
		assert_string_equal((const char *)t.normal.data, "modem");
	}
}

static void memory_is_bounded(void **state)
{
	(void)state;
	struct arena small;
	arena_init(&small, 64);
	struct text t;
	assert_int_equal(text_read(span_str("un testo"), &small, &t), -ENOMEM);
	arena_free(&small);
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
		cmocka_unit_test(tokens_are_as_the_manual_says),
		cmocka_unit_test(kinds_and_flags),
		cmocka_unit_test(any_bytes_are_defined),
		cmocka_unit_test(unseen_things_are_not_read),
		cmocka_unit_test(memory_is_bounded),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
