/*
 * drill.h - exercises: a storm that is played to the real services and people, and that nothing real may mix with.
 *
 * A drill has a brand of its own, "BRAND~NAME": everything that is kept by brand (customers, cases, topics, incidents, what
 * is shown) keeps a drill apart from what is real without knowing of drills. It ends where it began: each envelope a drill
 * brings about says so (Envelope.drill is NAME), as do the records of it. What an envelope of a drill does not do:
 *
 *   - count: turn_count passes over it, in every service;
 *   - leave the house: notification withholds orders whose destination takes no part in drills, and puts DRILL_WORDS
 *     before the subject and the text of the others;
 *   - teach: intent stores no correction of it.
 *
 * `~` can not be part of the name of a configured brand. conf_brand() gives the real brand's settings for a drill's.
 */
#ifndef ASCOLTO_DRILL_H
#define ASCOLTO_DRILL_H

#include "base.h"

#define DRILL_SIGN '~'
#define DRILL_NAME_MAX 24
#define DRILL_WORDS "DRILL – ESERCITAZIONE"

/* The drill's name in a brand's: "spring" of "brezza~spring", "" of "brezza". */
static inline const char *drill_of(const char *brand)
{
	const char *sign = brand ? strchr(brand, DRILL_SIGN) : NULL;
	return sign ? sign + 1 : "";
}

/* How much of the name is the real brand's. */
static inline size_t drill_brand_len(const char *brand)
{
	return strcspn(brand, "~");
}

/* 1 to DRILL_NAME_MAX of a-z, 0-9 and -. */
static inline bool drill_name_ok(const char *name)
{
	size_t n = name ? strlen(name) : 0;
	return n && n <= DRILL_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

#endif
