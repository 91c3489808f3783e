/*
 * text_internal.h - what text.c (bytes to code points), text_tokens.c (code points to tokens) and text_hashtag.c share.
 */
#ifndef ASCOLTO_TEXT_INTERNAL_H
#define ASCOLTO_TEXT_INTERNAL_H

#include "text.h"

/* Code points travel as uint32_t with this bit set when the letter was typed as a capital. */
#define UPPER 0x80000000u
#define CP(x) ((x) & ~UPPER)

struct tokenizer {
	const uint32_t *cp;
	size_t n;
	uint8_t *bytes;
	size_t len, bytes_cap;
	struct token *tokens;
	size_t count, tokens_cap;
	uint32_t letters, capitals;
	bool cut;
};

/* From all of `cp` to tokens, until there is no room for more. */
void text_tokenize(struct tokenizer *t);

#define HASHTAG_SPLIT_MIN 6 /* bytes; what is shorter is left alone */

/*
 * The words of a hashtag that was typed without capitals or underscores: their lengths in bytes, in order; the number of
 * them, 1 when it is one word. `len` is HASHTAG_SPLIT_MIN to TOKEN_BYTES_MAX.
 */
size_t text_hashtag_split(const uint8_t *tag, size_t len, uint8_t ret_lens[TOKEN_BYTES_MAX]);

#endif
