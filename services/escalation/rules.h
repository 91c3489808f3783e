/*
 * rules.h - from facts to a decision. Pure: no store, no clock, no allocation, no text beyond label words.
 *
 * The playbook is compiled into `struct rule` rows; they are tried in order and the first that matches decides. What no row
 * matches is CODE_GREEN without a case.
 */
#ifndef ASCOLTO_ESCALATION_RULES_H
#define ASCOLTO_ESCALATION_RULES_H

#include "common/base.h"

/* The intents, in the order of their words in rules.c; INTENT_UNKNOWN is "do not know". */
enum intent {
	INTENT_UNKNOWN,
	INTENT_ASK_INFO,
	INTENT_REPORT_FAULT,
	INTENT_ORDER_STATUS,
	INTENT_BILLING,
	INTENT_CANCEL,
	INTENT_BUY,
	INTENT_CHANGE,
	INTENT_COMPLAIN,
	INTENT_PRAISE,
	INTENT_SUGGEST,
	INTENT_REPORT_DANGER,
	INTENT_ATTACK,
	INTENT_JOKE,
	INTENT_SPAM,
	INTENT_OTHER,
	INTENTS,
};

enum flag {
	FLAG_SAFETY,
	FLAG_OUTAGE,
	FLAG_MANAGEMENT,
	FLAG_LEGAL,
	FLAG_INSULT,
	FLAG_BOYCOTT,
	FLAG_IRONY,
	FLAG_MEDIA,
	FLAG_PERSONAL_DATA,
	FLAG_VULNERABLE,
	FLAG_CHURN_RISK,
	FLAGS,
};

/* Numbered as Code in ascolto.proto. */
enum code { CODE_NONE, CODE_GREEN, CODE_YELLOW, CODE_RED };

/* By their words ("ask_info", "safety", "red"); INTENT_UNKNOWN, -1, -1 for others. */
enum intent intent_of(const char *word);
const char *intent_word(enum intent i);
int flag_of(const char *word);
const char *flag_word(enum flag f);
int code_of(const char *word);
const char *code_word(enum code c);

#define BIT(n) (1u << (n))

/* What is known about one message. */
struct facts {
	enum intent intent;
	uint32_t flags;        /* BIT(FLAG_...) */
	bool negative;         /* sentiment */
	bool vip, influencer;
	bool self;             /* the brand's own words, or an echo of them */
	bool bot;
	bool copy;             /* a repost, or the pasted text of somebody else */
	bool content;          /* says something new: a message, review or call; not a delete, reaction, status, ... */
	bool polemic;          /* the lane intent gave it */
	bool incident_open;    /* the brand has a red incident */
};

struct rule {
	uint32_t intents;      /* BIT(INTENT_...), 0 = any */
	uint32_t flags;        /* any of these, 0 = no matter */
	bool vip, influencer;  /* only these writers */
	enum code code;
	bool opens_case;
	bool at_once;          /* somebody is told at the first message, whatever the count */
};

struct decision {
	int rule;              /* index, -1 = none matched */
	enum code code;
	bool opens_case;
	bool at_once;
	bool counts;           /* this person counts for the topic */
	const char *because;   /* why there is no case, in words; "" when there is one */
};

void rules_decide(const struct rule *rules, size_t n, const struct facts *f, struct decision *ret);

#endif
