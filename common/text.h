/*
 * text.h - what people typed, made comparable: normalised text and tokens.
 *
 * text_read is defined for any bytes. Invalid UTF-8 and NUL read as a space; the rest is normalised to NFKC with full
 * case folding (Unicode 15, by utf8proc), and every default-ignorable code point - zero-width spaces and joiners,
 * BiDi controls, variation selectors, soft hyphens - is removed, so a word broken up by them is still that word.
 * Only the first TEXT_BYTES_MAX bytes and TEXT_TOKENS_MAX tokens are read; `cut` says that there was more.
 *
 * Tokens, in order of the text:
 *	word	letters and digits; a letter repeated three times or more counts once ("grazieeee" -> "grazie");
 *		elisions are split ("l'app" -> "l", "app"), contractions joined ("don't" -> "dont"), a final apostrophe
 *		is dropped ("perche'" -> "perche"). Hashtags give their words ("#NonFunzionaNulla" and
 *		"#nonfunzionanulla" -> three words)
 *	number	digits with . , : / - between them
 *	handle	@name, without the @;  mail  an address, always "mail";  url  a link, always "url"
 *	emoji	one emoji without skin tone, or an emoticon brought to ":)", ":(", ":|" or "<3"
 *	mark	runs of ! and ? as "!", "?", "!!", "??" or "!?"; "..." ; a currency sign
 * Words longer than TOKEN_BYTES_MAX bytes are cut into pieces.
 *
 * Everything lives in the caller's arena. Pure; thread-safe.
 */
#ifndef ASCOLTO_TEXT_H
#define ASCOLTO_TEXT_H

#include "common/arena.h"
#include "common/base.h"

#define TEXT_BYTES_MAX ((size_t)64 * 1024)
#define TEXT_TOKENS_MAX 8192
#define TOKEN_BYTES_MAX 64

enum token_kind {
	TOKEN_WORD,
	TOKEN_NUMBER,
	TOKEN_HANDLE,
	TOKEN_MAIL,
	TOKEN_URL,
	TOKEN_EMOJI,
	TOKEN_MARK,
};

enum {
	TOKEN_HASHTAG = 1,   /* came from a #hashtag */
	TOKEN_CAPITALS = 2,  /* two letters or more, all of them capitals */
	TOKEN_ELONGATED = 4, /* a letter was repeated */
	TOKEN_CAPITAL = 8,   /* begins with a capital */
	TOKEN_JOINED = 16,   /* belongs to the same hashtag as the token before it */
};

struct token {
	uint32_t at; /* byte offset in text.normal */
	uint16_t len;
	uint8_t kind;
	uint8_t flags;
};

struct text {
	struct span normal; /* the tokens' bytes, separated by one space; ends in a NUL that is not counted */
	const struct token *tokens;
	size_t count;
	uint32_t letters, capitals; /* as typed */
	bool cut;
};

/* 0 or -ENOMEM (the arena's maximum). */
int text_read(struct span raw, struct arena *a, struct text *ret);

/* Borrowed from the text. */
static inline struct span text_token(const struct text *t, size_t i)
{
	return span_of(t->normal.data + t->tokens[i].at, t->tokens[i].len);
}

#endif
