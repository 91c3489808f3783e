/*
 * playbook_crisis.h - what the playbook says about crisis mode.
 *
 *     crisis:
 *       tell: [strategist, agency]   # actors told when it begins and when it ends. Programs that post by themselves are
 *                                    # stopped this way: their webhook is a destination of an actor
 *       remind_minutes: 10           # a step that is late is said again so often; 0: never
 *       approvals: 1                 # people besides its author who must approve an answer to many, 0 to 5; in crisis
 *                                    # mode also an answer to one case of an incident
 *       answers: answers-hook        # destination that posts answers, to one or to many, each in its thread, at all times
 *       holding:                     # the first answer, ready: two wordings or more in every language
 *         - {language: it, texts: ["…", "…"]}
 *         - {channel: brezza-x, language: it, texts: ["…", "…"]}   # for one channel
 *
 * All of it may be missing: then nobody is told, nothing reminds, one other person approves, and answers can not be sent.
 */
#ifndef ASCOLTO_ESCALATION_PLAYBOOK_CRISIS_H
#define ASCOLTO_ESCALATION_PLAYBOOK_CRISIS_H

#include "common/base.h"
#include "common/conf.h"
#include "common/err.h"

#include <cyaml/cyaml.h>

#define CRISIS_APPROVALS_MAX 5
#define CRISIS_HOLDING_MAX 64 /* lists of texts */
#define CRISIS_REMINDS_MAX 12 /* then a step is late in silence; the page still shows it */

struct playbook_wordings {
	char *channel; /* NULL: every channel */
	char *language;
	char **texts;
	unsigned texts_count;
};

struct playbook_crisis {
	char **tell;
	unsigned tell_count;
	unsigned *remind_minutes, *approvals;
	char *answers;
	struct playbook_wordings *holding;
	unsigned holding_count;
};

extern const cyaml_schema_field_t playbook_crisis_fields[];

struct playbook;

/* Actors, wordings and limits. `c` may be NULL. -EINVAL: a sentence with the entry that is wrong. */
int playbook_crisis_check(const char *path, const struct playbook *p, const struct playbook_crisis *c, struct err *e);

/* That the destination of answers is this brand's. */
int playbook_crisis_check_destination(const struct playbook_crisis *c, const struct conf *conf, const char *brand,
	struct err *e);

static inline unsigned playbook_crisis_approvals(const struct playbook_crisis *c)
{
	return c && c->approvals ? *c->approvals : 1;
}

static inline unsigned playbook_crisis_remind(const struct playbook_crisis *c)
{
	return c && c->remind_minutes ? *c->remind_minutes : 0;
}

#endif
