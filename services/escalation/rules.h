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

/* Further facts that the playbook's conditions (condition.h) may ask for, by their names in the playbook. */
enum fact_word {
	FACT_EXPECTATION,
	FACT_EVENT,
	FACT_SENTIMENT,
	FACT_LANE,
	FACT_LANGUAGE,
	FACT_CHANNEL,
	FACT_NETWORK,
	FACT_SURFACE,
	FACT_CUSTOMER_TYPE,
	FACT_WORDS,
};

enum fact_number {
	FACT_REACH,
	FACT_MESSAGES,
	FACT_CASES,
	FACT_OPEN_CASES,
	FACT_RATING,
	FACT_NUMBERS,
};

#define SIGNS_UNHAPPY 2 /* so many signs, and the writer is taken to be */

/* What is known about one message. */
struct facts {
	enum intent intent;
	uint32_t flags;        /* BIT(FLAG_...) */
	bool negative;         /* sentiment */
	bool trouble;	       /* it names something that is wrong */
	unsigned signs;	       /* of being unhappy, of three: its sentiment, its event, and trouble */
	bool vip, influencer, partner;
	bool self;             /* the brand's own words, or an echo of them */
	bool bot;
	bool copy;             /* a repost, or the pasted text of somebody else */
	bool content;          /* says something new: a message, review or call; not a delete, reaction, status, ... */
	bool polemic;          /* the lane intent gave it */
	bool incident_open;    /* the brand has a red incident */
	const char *words[FACT_WORDS];  /* borrowed; NULL or "" = do not know */
	int64_t numbers[FACT_NUMBERS];
	const char *subject, *text;     /* borrowed; may be NULL */
	int64_t at_ms;                  /* when it was written */
};

struct condition;

struct rule {
	uint32_t intents;      /* BIT(INTENT_...), 0 = any */
	uint32_t flags;        /* any of these, 0 = no matter */
	bool vip, influencer;  /* only these writers */
	const struct condition *also; /* and this, which the masks can not say; NULL = nothing more */
	enum code code;
	bool opens_case;
	bool at_once;          /* somebody is told at the first message, whatever the count */
};

struct decision {
	int rule;              /* index, -1 = none matched */
	enum code code;
	bool opens_case;
	bool at_once;
	bool heard;	       /* somebody wrote to the brand, about anything: its rhythm and size */
	bool counts;           /* this person counts for the topic */
	const char *because;   /* why there is no case, in words; "" when there is one */
};

/* In condition.c; as pure as this. */
bool condition_holds(const struct condition *c, const struct facts *f);

void rules_decide(const struct rule *rules, size_t n, const struct facts *f, struct decision *ret);

#endif
