/*
 * external.h - a classifier that asks a model server of the operator's own, and else the models of this process.
 *
 * EXTERNAL.md is the manual of the protocol. The server answers some of the tasks; the others, keywords and signature are
 * always the built-in models'. What is asked is asked once for all messages of a turn, before they are handled
 * (external_ahead): so a turn waits for the server once, for `limit_ms` at most, however many messages it has, and
 * outside of any transaction. predict never waits: it takes the server's answer when there is one.
 *
 * When there is no answer within the limit, or it is not a right one, the turn goes on with the built-in models and the
 * server is left alone, for EXTERNAL_PAUSE_MS first and twice as long after each failure that follows, up to
 * EXTERNAL_PAUSE_MAX_MS; then it is tried again with the next turn. A connection that failed is given up, so an answer that
 * comes late meets nobody.
 *
 * Nothing in an answer is believed: its size, its number of texts, every label (one of the task's), every probability
 * (0 to 1) and flag is checked, and one that is wrong makes the whole answer a failure.
 */
#ifndef ASCOLTO_INTENT_EXTERNAL_H
#define ASCOLTO_INTENT_EXTERNAL_H

#include "common/metric.h"
#include "services/intent/classifier.h"

#define EXTERNAL_PAUSE_MS 1000
#define EXTERNAL_PAUSE_MAX_MS 30000
#define EXTERNAL_TEXTS_MAX 256
#define EXTERNAL_TEXT_MAX ((size_t)64 * 1024)      /* longer texts are the built-in models' */
#define EXTERNAL_REQUEST_MAX ((size_t)2 * 1024 * 1024) /* of texts in one request; the rest is theirs too */
#define EXTERNAL_REPLY_MAX ((int64_t)4 * 1024 * 1024)

struct external_options {
	const char *endpoint;         /* tcp://127.0.0.1:PORT; copied */
	unsigned limit_ms;
	bool tasks[CLASSIFIER_TASKS]; /* the server answers these */
	struct metric_set *metrics;   /* may be NULL */
};

/* `linear` is borrowed, and may be changed to point at another classifier between two messages. -ENOMEM. */
int external_open(const struct external_options *o, struct classifier *const *linear, struct classifier **ret,
	struct err *e);

/* Asks for these messages; what was known of others is forgotten. Waits for the limit at most. Returns at once, without
 * looking at `in`, while the server is left alone. */
void external_ahead(struct classifier *c, const struct classifier_input *in, size_t n);

/* True while the server is left alone; a turn may spare itself the work of preparing inputs. Counts `n` messages as
 * not asked, and forgets former answers. */
bool external_rests(struct classifier *c, size_t n);

/* What is wrong, in words; NULL when the last question was answered. Valid until the next question. */
const char *external_trouble(const struct classifier *c);

#endif
