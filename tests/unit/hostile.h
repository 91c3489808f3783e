/*
 * hostile.h - texts nobody means well with, for every module that reads what people typed: nothing, a megabyte of one thing,
 * only emoji, bytes that are not UTF-8, NULs, right-to-left and mixed scripts, marks without letters, what is never visible.
 * hostile_each gives each of them to a check; a row's `name` is for the message when one fails.
 */
#ifndef ASCOLTO_TESTS_HOSTILE_H
#define ASCOLTO_TESTS_HOSTILE_H

#include "common/base.h"

#define HOSTILE_MEGABYTE ((size_t)1024 * 1024)

struct hostile {
	const char *name, *text;
	size_t len;    /* 0: up to the NUL */
	bool megabyte; /* repeated up to a megabyte */
};

static const struct hostile hostile[] = {
	{"nothing", "", 0, false},
	{"a blank", " ", 0, false},
	{"one NUL", "\0", 1, false},
	{"NULs between words", "mo\0dem\0\0rotto", 13, false},
	{"not UTF-8", "\xff\xfe\xfd \xc3( \xe2\x82", 0, false},
	{"surrogates and beyond", "d\xed\xa0\x80 \xf4\x90\x80\x80", 0, false},
	{"too long a form", "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", 0, false},
	{"only emoji", "😀😂🔥👩‍👩‍👧‍👦🇮🇹", 0, false},
	{"only marks", "?!?!... €€€ ::: ''' ---", 0, false},
	{"signs of nothing", "@ # @@ ## @# www. http:// https://", 0, false},
	{"marks without letters", "\u0300\u0301\u0489\u20dd", 0, false},
	{"never visible", "\u200b\u200d\ufeff\u00ad\u2060\u180e", 0, false},
	{"turned around", "\u202eodem li\u202c \u2066x\u2069 \u202a", 0, false},
	{"Arabic", "مرحبا بالعالم ١٢٣", 0, false},
	{"Hebrew and Italian", "il modem שלי non va שלום", 0, false},
	{"Chinese", "你好世界，調制解調器壞了", 0, false},
	{"Thai", "โมเด็มเสียมาสองวันแล้ว", 0, false},
	{"scripts within a word", "раура1 pаypаl ｍｏｄｅｍ", 0, false},
	{"one code point that becomes eighteen", "\ufdfa\ufdfa", 0, false},
	{"hashtags", "#a #1 #_ #__a #\u0628\u064a #ABCdef #aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, false},
	{"a megabyte of a letter", "a", 0, true},
	{"a megabyte of words", "ab ", 0, true},
	{"a megabyte of a sentence", "il modem non va più dopo l'aggiornamento! ", 0, true},
	{"a megabyte of hashtags", "#treniinritardo", 0, true},
	{"a megabyte of tags", "#A", 0, true},
	{"a megabyte of NULs", "\0", 1, true},
	{"a megabyte of bad bytes", "\xf0", 0, true},
	{"a megabyte of emoji", "😀", 0, true},
	{"a megabyte of nothing visible", "\u200b", 0, true},
	{"a megabyte of marks on marks", "\u0300", 0, true},
	{"a megabyte of marked letters", "e\u0300", 0, true},
	{"a megabyte of expansion", "\ufdfa", 0, true},
	{"a megabyte of handles", "@a ", 0, true},
	{"a megabyte of signs", "@", 0, true},
	{"a megabyte of emoticons", ":", 0, true},
	{"a megabyte of apostrophes", "'", 0, true},
	{"a megabyte of numbers", "1.", 0, true},
	{"a megabyte of Thai", "ก", 0, true},
};

/* The same word, seen or unseen things within it. */
static const char *const hostile_modem[] = {"modem", "MODEM", "mo\u200bdem", "m\u200bo\u200bd\u200be\u200bm", "mo\u00addem",
	"\ufeffmodem\u2060", "\u202emodem\u202c", "ｍｏｄｅｍ", "mode\u200d\ufe0fm"};

typedef void hostile_check(void *ctx, const char *name, struct span text);

static inline void hostile_each(hostile_check *check, void *ctx)
{
	uint8_t *megabyte = malloc(HOSTILE_MEGABYTE);
	for (size_t i = 0; megabyte && i < ARRAY_SIZE(hostile); i++) {
		const struct hostile *h = &hostile[i];
		size_t len = h->len ? h->len : strlen(h->text);
		struct span text = span_of((const uint8_t *)h->text, len);
		for (size_t at = 0; h->megabyte && at + len <= HOSTILE_MEGABYTE; at += len) {
			memcpy(megabyte + at, h->text, len);
			text = span_of(megabyte, at + len);
		}
		check(ctx, h->name, text);
	}
	free(megabyte);
}

#endif
