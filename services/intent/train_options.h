/*
 * train_options.h - how a model is made, by names: for the command line, and for making a model once more.
 *
 * A training report ends with a line "made with --solver 4 --c 0.5 ..." that holds every option; a retraining reads it
 * from the model that runs, so that a task keeps the recipe its shipped model was made with.
 */
#ifndef ASCOLTO_INTENT_TRAIN_OPTIONS_H
#define ASCOLTO_INTENT_TRAIN_OPTIONS_H

#include "common/buf.h"
#include "services/intent/train.h"

/* Sets the option of that name ("--c"). False: there is none, or the value is not a number it can have. */
bool train_option(struct train_options *o, const char *name, const char *value);

/* "made with --solver 4 ..." and a line end. */
void train_options_print(const struct train_options *o, struct buf *out);

/* Takes over what that line of a report says. False when the report has none, or one of another version: then *o is
 * as it was. */
bool train_options_read(struct train_options *o, const char *report);

#endif
