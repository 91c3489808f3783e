/*
 * intent.h - the intent service: what is meant and what is expected.
 *
 * Key group: as the message came (the customer); models' records are in group 0. README.md has the service's page,
 * classifier.h the interface to what decides.
 *
 *	handler.c      messages and corrections         models.c       which models run: files, record, swap
 *	admin.c        HTTP for operators               retrain.c      the background job
 *	corrections.c  reading and exporting them       external.c     a model server beside the built-in models
 */
#ifndef ASCOLTO_INTENT_H
#define ASCOLTO_INTENT_H

#include "common/svc.h"
#include "proto/state.pb-c.h"
#include "services/intent/classifier.h"
#include "services/intent/model.h"

#include <jansson.h>

extern const struct svc_spec intent_spec;

enum { CORRECTIONS, MODELS };
extern const struct table intent_tables[];

enum { INTENT_TO_ESCALATION };

#define INTENT_UPLOAD_MAX ((size_t)32 * 1024 * 1024) /* of a model that comes over HTTP */

struct retraining;

/* What is known of a task outside the store. */
struct intent_task {
	char running[64];             /* the version's name; "" the shipped model */
	char trouble[ERR_TEXT_MAX];   /* why the shipped model stands in for it; "" when all is well */
	unsigned fresh;               /* corrections since a retraining last began */
	int64_t tried_ms;
};

struct intent {
	struct svc *svc;
	struct classifier *linear;     /* the models of this process */
	struct classifier *external;   /* NULL, or what asks a model server and else `linear` (borrowed) */
	char folder[4096];             /* of the models that came later than the product */
	struct intent_task task[CLASSIFIER_TASKS];
	struct retraining *retraining; /* NULL: none under way */
	char trouble[ERR_TEXT_MAX];    /* the last change that did not take effect; "" when all is well */
};

static inline struct classifier *intent_classifier(const struct intent *in)
{
	return in->external ? in->external : in->linear;
}

/* handler.c, models.c */
enum verdict intent_enriched(struct turn *t, const Ascolto__Envelope *e, struct err *why);
void intent_ahead(struct svc *s, void *state, const struct span *envelopes, size_t n);
enum verdict intent_correction(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict intent_model_change(struct turn *t, const Ascolto__Envelope *e, struct err *why);

/* ---- models.c ---- */

/* Reads the record and opens what it says. A version that cannot be opened gives way to the shipped model, with its
 * trouble told; only shipped models that cannot be opened are an error, and then what ran goes on. `c`: the settings. */
int models_open(struct intent *in, const struct conf *c, struct err *e);

/* The record of a task, all zero when there is none yet, in the arena. */
int models_read(struct intent *in, int task, struct arena *a, State__TaskModels **ret);

/* A file somebody offers: checked, named, and put among the others. *ret_task is its task. */
int models_take_file(struct intent *in, struct span bytes, int *ret_task, Ascolto__ModelVersion *ret, struct arena *a,
	struct err *e);

/* Describes a file that is among the others already. */
int models_describe(struct intent *in, int task, const char *name, Ascolto__ModelVersion *ret, struct arena *a,
	struct err *e);

/* The file of a version into `out`; the shipped model's for "". */
void models_path(const struct intent *in, int task, const char *name, char out[4096]);

/* Commits the change and then lets it take effect; `done` as svc_submit. */
int models_submit(struct intent *in, const Ascolto__ModelChange *change, submitted_fn *done, void *ctx);

/* ---- corrections.c ---- */

/* Calls fn for every correction of a task (NULL: of all), in order of key group and time; of a message that was corrected
 * more than once only the last word. fn returns false to stop. 0, -ENOMEM or the error of reading. */
int corrections_each(struct intent *in, const char *task, bool (*fn)(void *ctx, const Ascolto__Correction *c), void *ctx);

/* Two files for training, with columns id, lang, surface, channel, text, intent and the task's: those up to `since_ms` and
 * those after it. */
int corrections_write(struct intent *in, const char *task, int64_t since_ms, const char *old_path, const char *new_path,
	size_t *ret_new, struct err *e);

/* In a handler: forgets what a person corrected, of a task or ("") of all. At most CORRECTIONS_FORGET_MAX at a time;
 * *ret_n is how many. */
#define CORRECTIONS_FORGET_MAX 20000
int corrections_forget(struct turn *t, const char *whose, const char *task, size_t *ret_n);

/* Fills the tasks' `fresh`. */
int corrections_count(struct intent *in);

/* ---- retrain.c ---- */

/* Starts the job; -EBUSY when one is under way, -ENOENT without data or program. */
int retrain_start(struct intent *in, int task, struct err *e);
void retrain_tick(struct intent *in, int64_t now_ms);
void retrain_stop(struct intent *in);
int retrain_task(const struct intent *in); /* of the job under way, or -1 */

/* ---- admin.c ---- */

extern const struct http_route intent_routes[];

#endif
