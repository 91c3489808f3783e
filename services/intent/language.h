/*
 * language.h - the languages of labelled rows that do not say theirs.
 *
 * Stems and concepts depend on the language, in training as in the service; files of a brand's own often have no column
 * for it. Then the language model of a folder of models reads it, as the classifier does with messages.
 */
#ifndef ASCOLTO_INTENT_LANGUAGE_H
#define ASCOLTO_INTENT_LANGUAGE_H

#include "common/err.h"
#include "services/intent/dataset.h"

/*
 * Fills `lang` of the rows that have none by `dir`/language.model; "" stays where the text does not say or is in a
 * language we do not tell apart, and everywhere when there is no such file. A damaged file is an error that names it.
 */
int language_fill(struct dataset *d, const char *dir, struct err *e);

#endif
