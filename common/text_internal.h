/*
 * text_internal.h - what text.c (bytes to code points) and text_tokens.c (code points to tokens) share.
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

#endif
