/*
 * playbook.h - the brand's manual: YAML, checked, compiled into rules.
 *
 * deploy/playbooks/ has annotated ones. A playbook is data:
 *
 *   - kinds of case, tried from the top; the first whose condition (condition.h) holds decides what code a message has, who
 *     owns it, which clocks run, whom it calls at once, what may be done and in which steps;
 *   - calendars (common/calendar.h) and SLA policies: how soon, in whose working hours;
 *   - actors, the teams they belong to, and rotations: an actor is told through destinations of the configuration, or stands
 *     for whoever is on call;
 *   - chains: whom to call when nobody answers. Written as calls after so many minutes, a repetition, and a further chain;
 *     compiled into one list of calls in ascending order;
 *   - for each code of incident a chain and the steps of its checklist;
 *   - approvals, voices of channels (what a draft is checked by: draft.h), and crisis mode (playbook_crisis.h) with its texts in every language of the playbook.
 *
 * Errors are "FILE:LINE:COLUMN: sentence" with what to write instead, or "FILE: sentence" for what is nowhere. A version once
 * used is not used again for other words: reloading refuses that (playbook_may_follow), so that the label in a decision tells
 * what it was made by.
 */
#ifndef ASCOLTO_ESCALATION_PLAYBOOK_H
#define ASCOLTO_ESCALATION_PLAYBOOK_H

#include "common/base.h"
#include "common/calendar.h"
#include "common/conf.h"
#include "common/err.h"
#include "services/escalation/playbook/playbook_crisis.h"
#include "services/escalation/playbook/rotation.h"
#include "services/escalation/rules.h"
#include "services/escalation/topics/surge.h"

#define PLAYBOOK_KINDS_MAX 64
#define PLAYBOOK_CHAIN_MAX 64 /* calls of a chain, repetitions and further chains included */

struct playbook_actor {
	char *name;
	char *title;
	char **tell;              /* destinations of the configuration */
	unsigned tell_count;
	char *rotation;           /* NULL, or: this actor is whoever is on call there */
	const struct rotation *on_call; /* the same, compiled; its members are indices of actors */
};

struct playbook_team {
	char *name;
	char *title;
	char *business_unit;
	char *lead;               /* an actor */
	char **members;
	unsigned members_count;
};

struct playbook_call {
	unsigned after_minutes;   /* since the chain began */
	char *actor;
};

struct playbook_step {
	char *text;
	char *actor;
	unsigned within_minutes;
};

/* How soon. In the calendar's hours, if there is one. */
struct playbook_sla {
	const char *name;              /* "" = the kind's own minutes */
	const char *calendar;          /* its name, "" = always */
	const struct calendar *hours;
	int64_t acknowledge_ms, resolve_ms;
	bool pause_while_waiting;      /* for the customer */
	const struct playbook_call *late; /* called when nobody acknowledges in time */
	unsigned late_count;
};

struct playbook_kind {
	char *name;
	char *title;
	char *code;
	bool opens_case;
	char *owner;              /* an actor */
	char *team;               /* "" = none */
	char *business_unit;      /* of the team */
	char *last_word;          /* an actor: the kind's, else the team's lead, else the owner */
	struct playbook_sla sla;
	char **at_once;           /* actors told at the first message */
	unsigned at_once_count;
	unsigned gather_minutes;  /* further ones within this time are not told again */
	char **allowed;           /* actions, of playbook_actions */
	unsigned allowed_count;
	const struct playbook_step *steps;
	unsigned steps_count;
};

struct playbook_incident {
	char *code;
	struct playbook_call *own_chain; /* as written; */
	unsigned own_chain_count;
	char *call;                      /* or the name of a chain */
	struct playbook_step *steps;
	unsigned steps_count;
	const struct playbook_call *chain; /* whichever of the two */
	unsigned chain_count;
};

/* An external action that needs somebody's consent when it is about one of these kinds and codes of case (0: any), and the
 * condition holds. */
struct playbook_approval {
	char *name;
	char **actions;
	unsigned actions_count;
	char **kinds, **codes;
	unsigned kinds_count, codes_count;
	char **approvers;         /* actors; any of them */
	unsigned approvers_count;
	unsigned people;          /* how many of them, 1 or 2 */
	const struct condition *when; /* NULL = always */
};

/* How the brand speaks on a channel. */
struct playbook_voice {
	char *name;
	char **channels, **networks; /* none of either: everywhere */
	unsigned channels_count, networks_count;
	char *language;           /* NULL = all */
	bool formal;              /* Lei, not tu */
	bool emoji, slang;        /* are allowed, */
	bool loud;                /* and so are runs of "!" and words in capitals */
	bool signature;           /* agents sign */
	char **signatures;        /* what may stand there instead of their name */
	unsigned signatures_count;
	unsigned max_characters;  /* 0 = the network's (length.h) */
	char *unit;               /* that it counts in; NULL = the network's */
	char *hashtag;            /* NULL, or what every post carries */
	unsigned *min_readability; /* NULL = that of draft.h */
	char **promises;          /* words that promise, besides those of draft.c */
	unsigned promises_count;
	char **forbidden;         /* words that are not said here */
	unsigned forbidden_count;
	char **acronyms;          /* that its readers know */
	unsigned acronyms_count;
	char **contacts;          /* the brand's own telephones and addresses, which may be said */
	unsigned contacts_count;
	char **blocks;            /* rules of draft.h that stop a text instead of warning */
	unsigned blocks_count;
};

struct playbook {
	char *name;
	unsigned version;
	char **languages;
	unsigned languages_count;
	unsigned window_minutes;
	unsigned yellow_people;
	unsigned red_people;
	double over_normal;
	unsigned reopen_hours;    /* a closed case whose customer writes on in the same conversation within this is opened again */
	struct playbook_actor *actors;
	unsigned actors_count;
	struct playbook_team *teams;
	unsigned teams_count;
	struct playbook_kind *kinds;
	unsigned kinds_count;
	struct playbook_incident *incidents;
	unsigned incidents_count;
	struct playbook_approval *approvals;
	unsigned approvals_count;
	struct playbook_voice *voices;
	unsigned voices_count;
	struct playbook_crisis *crisis; /* NULL: the playbook says nothing of it */
	/* compiled; not in the file */
	const struct zone *zone;
	struct rule rules[PLAYBOOK_KINDS_MAX];
	struct thresholds thresholds;
	char label[96];           /* "name, version 3" */
	uint64_t hash;            /* of the file and its holidays */
};

int playbook_load(struct playbook **ret, const char *path, struct err *e);
void playbook_free(struct playbook **p);

/* Also that every destination it tells is this brand's in the configuration. */
int playbook_check_destinations(const struct playbook *p, const struct conf *c, const char *brand, struct err *e);

/* For `ascolto check`: every brand's playbook of that configuration is read, checked and thrown away. */
int playbook_check_all(const struct conf *c, struct err *e);

/* One file alone. */
int playbook_check(const char *path, struct err *e);

/* The playbook of a brand, checked with the configuration: also that every text it keeps ready may be sent where it is for. */
int playbook_of_brand(const struct conf *c, const struct conf_brand *brand, struct playbook **ret, struct err *e);

/* -EINVAL: `fresh` says something else than `old` under the same name and version. */
int playbook_may_follow(const struct playbook *old, const struct playbook *fresh, struct err *e);

const struct playbook_actor *playbook_actor(const struct playbook *p, const char *name);
const struct playbook_incident *playbook_incident(const struct playbook *p, enum code code);
const struct playbook_kind *playbook_kind(const struct playbook *p, const char *name);

/* The actor who is there for that one: itself, or who is on call then; NULL when there is none of that name. */
const struct playbook_actor *playbook_on_call(const struct playbook *p, const char *name, int64_t at_ms);

const struct playbook_sla *playbook_sla(const struct playbook *p, const char *name); /* NULL for "" and those that are gone */

/* The calendar of that name; NULL also for "" and for one the playbook no longer has: always open, so that a clock which was
 * promised in hours nobody knows any more runs out early rather than never. */
const struct calendar *playbook_calendar(const struct playbook *p, const char *name);

/* What an approval is asked for. */
struct playbook_asked {
	const char *action;       /* of playbook_actions */
	const char *kind, *code;  /* of the case; "" = of none */
	const struct facts *facts; /* of the message that is answered */
};

/* The first that fits; NULL: no consent is needed. */
const struct playbook_approval *playbook_approval(const struct playbook *p, const struct playbook_asked *what);

/* The first that fits; NULL. */
const struct playbook_voice *playbook_voice(const struct playbook *p, const char *channel, const char *network,
	const char *language);

/* What `allowed` and `actions` may name, ends with NULL. */
extern const char *const playbook_actions[];

#endif
