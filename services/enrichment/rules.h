/*
 * rules.h - what a customer's history makes of them. Pure: no store, no clock, no allocation.
 */
#ifndef ASCOLTO_ENRICHMENT_RULES_H
#define ASCOLTO_ENRICHMENT_RULES_H

#include "common/base.h"

/* Followers that make somebody an influencer when the network verified them, and without that. */
#define INFLUENCER_VERIFIED 10000
#define INFLUENCER_ANY 50000
/* Cases within their history that make a complainer. */
#define COMPLAINER_CASES 3
/* Days on which somebody must have praised or defended the brand to be an advocate of it; more of them than cases. */
#define ADVOCATE_DAYS 3
/* Silence after which a customer counts as new again. */
#define NEW_DAYS 30

/* The six types of domain KNOW-2, numbered as CustomerType in ascolto.proto. */
enum customer_type { TYPE_UNKNOWN, TYPE_PROSPECT, TYPE_NEW, TYPE_CUSTOMER, TYPE_COMPLAINER, TYPE_ADVOCATE, TYPE_EX };

struct customer_facts {
	uint32_t messages; /* this one included */
	uint32_t cases;
	int64_t first_seen_ms, now_ms;
	enum customer_type before; /* ex comes from elsewhere and stays */
	uint32_t praise_days;
	bool influencer;           /* is no advocate, whatever they say */
	const char *advocate;      /* what a person said: "yes", "no"; NULL or "" = nothing */
};

enum customer_type rules_customer_type(const struct customer_facts *f);

bool rules_influencer(uint64_t followers, bool verified);

/* Whether a VIP entry ("@handle", "handle" or "scope:value") means this author. Letter case does not count. */
bool rules_is_vip(const char *entry, const char *handle, const char *scope, const char *value);

#endif
