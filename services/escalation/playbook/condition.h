/*
 * condition.h - when a rule of the playbook applies: data, no language.
 *
 * A condition is a set of keys, each of which must hold; `all`, `any` and `not` hold further ones:
 *
 *     when:
 *       intents: [report_fault, complain]        # one of these
 *       not: {channels: [reviews]}
 *       any:
 *         - {vip: true}
 *         - {reach: {at_least: 50000}}
 *         - {text: ['\bclass action\b']}         # expressions (common/pattern.h); one of them matches subject or text
 *         - {closed: desk}                       # while that calendar is closed; `open` likewise
 *         - {time: {days: [sat, sun], from: "08:00", to: "20:00"}}
 *
 * Sets ask whether the fact is one of the words (flags: whether one of them is set), numbers `at_least` and `below`, yes-or-no
 * facts what they are. A word that is not known is in no set, a number that is not known is 0. Times are those of the writing, in the
 * playbook's time zone.
 *
 * condition_new reads the words, checks them, and makes a tree; condition_holds is pure, allocates nothing, and asks for what
 * is cheap first and for text last.
 */
#ifndef ASCOLTO_ESCALATION_CONDITION_H
#define ASCOLTO_ESCALATION_CONDITION_H

#include "common/calendar.h"
#include "common/err.h"
#include "services/escalation/rules.h"

#include <cyaml/cyaml.h>

#define CONDITION_DEPTH_MAX 8
#define CONDITION_PARTS_MAX 32 /* of one all or any; words of one set */

/* As it stands in the file; NULL and 0: the key is not there. */
struct when_number {
	int64_t *at_least, *below;
};

struct when_time {
	char **days;
	unsigned days_count;
	char *from, *to;
};

struct when_words {
	char **list;
	unsigned count;
};

struct when {
	struct when *all, *any, *not_;
	unsigned all_count, any_count;
	char **intents, **flags, **text;
	unsigned intents_count, flags_count, text_count;
	struct when_words words[FACT_WORDS];
	struct when_number *numbers[FACT_NUMBERS];
	bool *vip, *influencer, *partner, *incident_open;
	struct when_time *time;
	char *open, *closed;
};

extern const cyaml_schema_field_t when_fields[];

/* What a condition refers to outside itself. */
struct condition_world {
	const struct zone *zone;   /* of `time`; borrowed for as long as the condition lives */
	const struct calendar *(*calendar)(void *ctx, const char *name, bool *ret_known); /* borrowed likewise */
	void *ctx;
};

/* *ret is NULL when nothing is asked. -EINVAL: `where` is the key that is wrong, "any[1].text[0]", at most `size` bytes. */
int condition_new(struct condition **ret, const struct when *w, const struct condition_world *world, char *where, size_t size,
	struct err *e);
void condition_free(struct condition **c);

/* The intents and flags alone, as bits; errors likewise. */
int when_masks(const struct when *w, uint32_t *ret_intents, uint32_t *ret_flags, char *where, size_t size, struct err *e);

/* condition_holds is in rules.h. Of a condition that holds: the facts it held on, each with its value, for the record. Of an
 * `any` the first that held; what a `not` asked is shown as it is. */
typedef void condition_fact_fn(void *ctx, const char *fact, const char *value);
void condition_explain(const struct condition *c, const struct facts *f, condition_fact_fn *fn, void *ctx);

#endif
