/*
 * explain.h - why a text got its labels: what the service says of it, then for each task the answer, the runner-up and the
 * features that decided.
 */
#ifndef ASCOLTO_INTENT_EXPLAIN_H
#define ASCOLTO_INTENT_EXPLAIN_H

#include "common/buf.h"
#include "services/intent/classifier.h"

/* Text for people. `task` NULL means all. -ENOENT when there is no such model. */
int explain(struct classifier *c, const struct classifier_input *in, const char *task, struct buf *out, struct err *e);

#endif
