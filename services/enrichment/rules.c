#include "services/enrichment/rules.h"

#include <strings.h>

static bool is_advocate(const struct customer_facts *f)
{
	if (f->influencer || (f->advocate && str_eq(f->advocate, "no")))
		return false;
	return (f->advocate && str_eq(f->advocate, "yes")) ||
	       (f->praise_days >= ADVOCATE_DAYS && f->praise_days > f->cases);
}

enum customer_type rules_customer_type(const struct customer_facts *f)
{
	if (f->before == TYPE_EX)
		return f->before;
	if (is_advocate(f))
		return TYPE_ADVOCATE;
	if (f->cases >= COMPLAINER_CASES)
		return TYPE_COMPLAINER;
	if (f->messages <= 1 || f->now_ms - f->first_seen_ms < (int64_t)NEW_DAYS * 86400000)
		return TYPE_NEW;
	return TYPE_CUSTOMER;
}

bool rules_influencer(uint64_t followers, bool verified)
{
	return followers >= INFLUENCER_ANY || (verified && followers >= INFLUENCER_VERIFIED);
}

bool rules_is_vip(const char *entry, const char *handle, const char *scope, const char *value)
{
	const char *colon = strchr(entry, ':');
	if (colon)
		return strlen(scope) == (size_t)(colon - entry) && strncasecmp(entry, scope, strlen(scope)) == 0 &&
		       strcasecmp(colon + 1, value) == 0;
	if (entry[0] == '@')
		entry++;
	return entry[0] && strcasecmp(entry, handle[0] == '@' ? handle + 1 : handle) == 0;
}
