/*
 * draft.h - what is to be looked at in a text before it is sent in the brand's name. Pure.
 *
 * A draft is checked against the voice of its channel (playbook.h) and against what was said there last. Each rule finds at
 * most one thing, the first there is:
 *
 *	private_data   in public: a card number, IBAN, tax code, telephone or address (private_data.h) that is none of the
 *	               brand's own contacts
 *	length         longer than the network takes, or the voice allows (length.h)
 *	forbidden      words the voice forbids
 *	promise        words that promise: those of draft.c, and the voice's
 *	signature      the voice signs, and neither who writes nor one of the voice's signatures stands at the end; initials
 *	               after ^ do
 *	hashtag        in public: the voice's is missing
 *	address        too familiar for a formal voice: tu for Lei, "hey mate"
 *	emoji, slang   unless the voice allows them
 *	acronym        an abbreviation few know: neither one everybody knows nor one of the voice's
 *	capitals, exclamations   words in capitals, runs of "!", unless the voice is loud
 *	clarity        Gulpease (it) or Flesch (en) below the voice's minimum (common/readability.h), of DRAFT_WORDS_MIN words or
 *	               more; without a minimum of its own a voice has DRAFT_CLEAR_IT or DRAFT_CLEAR_EN
 *	generic        a stock phrase of press releases
 *	copied         what was said there last, with few words changed (common/signature.h)
 *
 * private_data and length always block: such a text is not sent. Others block when the voice says so (blocks).
 */
#ifndef ASCOLTO_ESCALATION_DRAFT_H
#define ASCOLTO_ESCALATION_DRAFT_H

#include "common/readability.h"
#include "services/escalation/answers/length.h"
#include "services/escalation/playbook/playbook.h"

#define DRAFT_WORDS_MIN 8
#define DRAFT_CLEAR_IT 45
#define DRAFT_CLEAR_EN 50

enum draft_rule {
	DRAFT_PRIVATE_DATA,
	DRAFT_LENGTH,
	DRAFT_FORBIDDEN,
	DRAFT_PROMISE,
	DRAFT_SIGNATURE,
	DRAFT_HASHTAG,
	DRAFT_ADDRESS,
	DRAFT_EMOJI,
	DRAFT_SLANG,
	DRAFT_ACRONYM,
	DRAFT_CAPITALS,
	DRAFT_EXCLAMATIONS,
	DRAFT_CLARITY,
	DRAFT_GENERIC,
	DRAFT_COPIED,
	DRAFT_RULES,
};

/* Their words; ends with NULL. */
extern const char *const draft_rules[DRAFT_RULES + 1];

/* What is remembered of a text, to know it again. All zero: nothing was said. */
struct draft_said {
	uint64_t hash, copy, sketch;
	uint32_t words;
};

struct draft {                            /* all borrowed */
	const char *text;
	const char *language;             /* ISO 639-1; "" = not known */
	const char *network;
	const char *author;               /* who signs; "" = nobody yet: a text that is kept ready */
	bool in_public;
	struct draft_said last;           /* said there */
	const struct playbook_voice *voice; /* NULL: one that says nothing of its own */
};

struct draft_finding {
	enum draft_rule rule;
	bool blocks;
	char detail[64];                  /* the word, "312/280", ... */
};

struct draft_report {
	struct draft_finding findings[DRAFT_RULES];
	size_t n;
	bool blocks;                      /* one of them does */
	bool tone_right;                  /* none of address ... exclamations */
	bool clear;                       /* not below the minimum; */
	bool clear_known;                 /* false: the language has no index, or the text is too short for one */
	struct readability readability;
	uint32_t length;
	struct length_limit limit;
};

/* 0 or -ENOMEM (the arena's maximum). */
int draft_check(const struct draft *d, struct arena *a, struct draft_report *ret);

int draft_said_of(const char *text, const char *language, struct arena *a, struct draft_said *ret);

/* A plain sentence, in Italian or English, in the arena; NULL when it is full. */
char *draft_sentence(const struct draft_finding *f, bool italian, struct arena *a);

#endif
