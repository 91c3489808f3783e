/*
 * playbook.h - the brand's manual: YAML, checked, compiled into rules.
 *
 * deploy/playbooks/ has annotated ones. A playbook is data: kinds of case with conditions over named facts (intent, flag,
 * VIP, influencer), what code they have, who owns them, how soon; actors and where they are told; for each code of incident
 * the chain of actors who are called until one acknowledges, and the steps of the checklist. Kinds are tried from the top;
 * the first that fits decides. Errors are "FILE:LINE:COLUMN: sentence" or "FILE: sentence" naming the entry.
 */
#ifndef ASCOLTO_ESCALATION_PLAYBOOK_H
#define ASCOLTO_ESCALATION_PLAYBOOK_H

#include "common/base.h"
#include "common/conf.h"
#include "common/err.h"
#include "services/escalation/rules.h"
#include "services/escalation/surge.h"

#define PLAYBOOK_KINDS_MAX 64
#define PLAYBOOK_CHAIN_MAX 16

struct playbook_actor {
	char *name;
	char *title;
	char **tell;              /* destinations of the configuration */
	unsigned tell_count;
};

struct playbook_kind {
	char *name;
	char *title;
	char **intents;
	unsigned intents_count;
	char **flags;
	unsigned flags_count;
	bool vip;
	bool influencer;
	char *code;
	bool opens_case;
	char *owner;              /* an actor */
	unsigned acknowledge_minutes;
	unsigned resolve_minutes;
	char **at_once;           /* actors told at the first message */
	unsigned at_once_count;
	unsigned gather_minutes;  /* further ones within this time are not told again */
};

struct playbook_call {
	unsigned after_minutes;
	char *actor;
};

struct playbook_step {
	char *text;
	char *actor;
	unsigned within_minutes;
};

struct playbook_incident {
	char *code;
	struct playbook_call *chain;
	unsigned chain_count;
	struct playbook_step *steps;
	unsigned steps_count;
};

struct playbook {
	char *name;
	unsigned version;
	unsigned window_minutes;
	unsigned yellow_people;
	unsigned red_people;
	double over_normal;
	struct playbook_actor *actors;
	unsigned actors_count;
	struct playbook_kind *kinds;
	unsigned kinds_count;
	struct playbook_incident *incidents;
	unsigned incidents_count;
	/* compiled; not in the file */
	struct rule rules[PLAYBOOK_KINDS_MAX];
	struct thresholds thresholds;
	char label[96];           /* "name, version 3" */
};

int playbook_load(struct playbook **ret, const char *path, struct err *e);
void playbook_free(struct playbook **p);

/* Also that every destination it tells is this brand's in the configuration. */
int playbook_check_destinations(const struct playbook *p, const struct conf *c, const char *brand, struct err *e);

/* For `ascolto check`: every brand's playbook of that configuration is read, checked and thrown away. */
int playbook_check_all(const struct conf *c, struct err *e);

/* One file alone. */
int playbook_check(const char *path, struct err *e);

/* The playbook of a brand, checked with the configuration. */
int playbook_of_brand(const struct conf *c, const struct conf_brand *brand, struct playbook **ret, struct err *e);

const struct playbook_actor *playbook_actor(const struct playbook *p, const char *name);
const struct playbook_incident *playbook_incident(const struct playbook *p, enum code code);

#endif
