/*
 * pattern.h - a regular expression somebody wrote into a file, safe to run on what strangers write.
 *
 * PCRE2's syntax, Unicode, upper and lower case alike. Backtracking is bounded: at most PATTERN_STEPS from each place of the
 * text, of which the first PATTERN_TEXT_MAX bytes are looked at. A match that asks for more ends without one; pattern_new
 * keeps such expressions out where it can, by trying them on long runs of their own characters, on which nested repeats
 * ("(a+)+b") and long chains of ".*" ask for more with every character. Nothing is captured.
 *
 * Not thread-safe: a pattern has room for one match at a time. No code is generated at run time, so memory that may be
 * written is never executed.
 */
#ifndef ASCOLTO_PATTERN_H
#define ASCOLTO_PATTERN_H

#include "base.h"
#include "err.h"

#define PATTERN_MAX 500
#define PATTERN_TEXT_MAX 2000
#define PATTERN_STEPS 5000

struct pattern;

/* -EINVAL, with the place within the expression and a remedy. */
int pattern_new(struct pattern **ret, const char *expression, struct err *e);
void pattern_free(struct pattern **p);

/* *ret_gave_up, if not NULL, tells that it asked for more than its steps. */
bool pattern_matches(const struct pattern *p, struct span text, bool *ret_gave_up);

#endif
