/*
 * classifier.h - from a message to what its writer means.
 *
 * An interface with more than one implementation: `linear` (models of this folder, in the same process) and, where an
 * operator plugs in a model server, `external`. The service holds one classifier and does not know which.
 *
 * predict fills every field of the Understanding it has a model for, in the message's arena; the rest stays empty. A
 * label below the model's abstention threshold has an empty value ("do not know") and the probability that was not
 * enough. The language is read here and nowhere else: one of the language model's labels ("other" too) when the text
 * says it, else the caller's, else "". It decides which words stop, stem and mean something in all that follows.
 * Keywords and signature need no model. Any bytes are a defined input; only -ENOMEM (the arena's maximum) fails.
 *
 * A classifier is used by one thread at a time. To change models, open another and close the first.
 */
#ifndef ASCOLTO_INTENT_CLASSIFIER_H
#define ASCOLTO_INTENT_CLASSIFIER_H

#include "common/arena.h"
#include "common/base.h"
#include "common/err.h"
#include "proto/ascolto.pb-c.h"

struct classifier;
struct model;

struct classifier_input {
	struct span text, subject; /* subject may be empty */
	const char *lang;          /* ISO 639-1: what the text is in if it does not say so itself; else NULL or "" */
	const char *surface;       /* "public", "private" or "" */
	const char *channel;       /* the network: "facebook", "email", ... or "" */
};

struct classifier_ops {
	const char *name;
	int (*predict)(struct classifier *c, const struct classifier_input *in, struct arena *a,
		Ascolto__Understanding *ret, struct err *e);
	/* One line of text per model that runs, into the arena. */
	int (*describe)(struct classifier *c, struct arena *a, char **ret_text);
	void (*close)(struct classifier *c);
};

/* Implementations embed this as their first member. */
struct classifier {
	const struct classifier_ops *ops;
};

/* Tasks a folder of models may hold, as <task>.model; each may be missing. NULL ends the list. */
#define CLASSIFIER_TASKS 7
extern const char *const classifier_tasks[CLASSIFIER_TASKS + 1];

/* The place of a task in that list, or -1. */
int classifier_task(const char *task);

/*
 * Opens every <task>.model in `dir`. A file that is damaged, foreign, of a newer version or for another task is an
 * error that names it, and nothing is opened. An empty folder is allowed: such a classifier knows keywords and
 * signatures. classifier_open_chosen: `instead` has a path per task (NULL: none), of a model that is taken
 * instead of the folder's.
 *
 * Understanding.model is "linear/" and, task by task in the order of classifier_tasks, the eight digits that tell one
 * training from another in the model's name, with dots between: "linear/.3e5b1c2a.0badcafe...." (no language model).
 */
int classifier_open_linear(const char *dir, struct classifier **ret, struct err *e);
int classifier_open_chosen(const char *dir, const char *const instead[CLASSIFIER_TASKS], struct classifier **ret,
	struct err *e);

/* Can this model serve that task: it was trained for it, is of its kind, and has no label that the task has not.
 * `name` is for the sentence. 0 or -EBADMSG. */
int classifier_check_model(const struct model *m, const char *task, const char *name, struct err *e);

/* The linear classifier's model for a task, or NULL; borrowed until close. For `explain` and tests. */
const struct model *classifier_linear_model(struct classifier *c, const char *task);

static inline int classifier_predict(struct classifier *c, const struct classifier_input *in, struct arena *a,
	Ascolto__Understanding *ret, struct err *e)
{
	return c->ops->predict(c, in, a, ret, e);
}

/* Takes NULL; leaves NULL. */
void classifier_close(struct classifier **c);

#endif
