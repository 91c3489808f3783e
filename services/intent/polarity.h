/*
 * polarity.h - words that say by themselves how somebody feels.
 *
 * polarity.def is a table written by hand, from very good (2) to very bad (-2), with words that strengthen what follows
 * ("molto", "so") and words after which the other side is told ("ma", "but"). An entry is a word, an emoji, or a
 * beginning of a word (ending in '*'); it belongs to languages because words mislead across them ("male", "brave"). When
 * the language is unknown an entry of any language counts. A whole word wins over a beginning, a long beginning over a
 * short one. Thread-safe; built at the first use.
 */
#ifndef ASCOLTO_INTENT_POLARITY_H
#define ASCOLTO_INTENT_POLARITY_H

#include "common/base.h"

enum { POLARITY_NONE = 0, POLARITY_MORE = 8, POLARITY_BUT = 9 };

/* -2 to 2, 0 for a word that is not in the table, or one of the above. `language` as in common/words.h. */
int polarity_of(struct span word, int language);

#endif
