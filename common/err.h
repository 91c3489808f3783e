/*
 * err.h - an error code with a sentence for the person who reads it.
 *
 * Every function that can fail in a way somebody must understand takes a `struct err *` last; NULL is allowed and
 * means "the code is enough". The text is one plain sentence without a full stop that names the place and, where
 * there is one, the remedy: "storm.jsonl:17: not JSON: unexpected end of line". It never holds a secret.
 */
#ifndef ASCOLTO_ERR_H
#define ASCOLTO_ERR_H

#include "base.h"

#define ERR_TEXT_MAX 512

struct err {
	int code; /* 0 or a negative errno */
	char text[ERR_TEXT_MAX];
};

/* Sets code and text (cut at ERR_TEXT_MAX) and returns `code`, so that it can be returned in one line. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* Puts "prefix: " before the text that is there and returns the code that is there. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* The text, or the system's words for the code when there is none. Valid until `e` changes. */
const char *err_text(const struct err *e);

#endif
