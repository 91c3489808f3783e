/*
 * rules.h - what ingest accepts: pure decisions on plain facts, no store, no clock, no allocation.
 *
 * Ingest judges a post only as far as the rest needs it to: whose channel it is, a native id to recognise it
 * by, a kind it knows, a time that can be true, a text that can be handled. Whatever else is odd about a post
 * is somebody else's business: a message is shown, not dropped.
 */
#ifndef ASCOLTO_INGEST_RULES_H
#define ASCOLTO_INGEST_RULES_H

#include "common/base.h"

#define POST_TEXT_MAX ((size_t)64 * 1024)
#define POST_FUTURE_MS ((int64_t)24 * 60 * 60 * 1000) /* clocks may be wrong by as much */
#define POST_OLDEST_MS INT64_C(946684800000)	      /* 2000-01-01T00:00:00Z */
#define SEEN_KEPT_MS ((int64_t)7 * 24 * 60 * 60 * 1000)

/* Why a post is refused; the words are a metric's label. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_ADAPTER, /* the adapter could make no post of it */
	REFUSAL_NOT_JSON,
	REFUSAL_FIELD, /* a field of the wrong type or beyond a limit */
	REFUSAL_CHANNEL,
	REFUSAL_NATIVE_ID,
	REFUSAL_KIND,
	REFUSAL_TEXT_TOO_LONG,
	REFUSAL_FUTURE,
	REFUSAL_TOO_OLD,
	REFUSALS
};

const char *refusal_word(enum refusal r); /* "far_future" */

struct post_facts {
	const char *native_id; /* NULL or "" = missing */
	bool kind_known;
	size_t text_len;
	bool has_time;
	int64_t created_at_ms;
};

enum refusal post_check(const struct post_facts *f, int64_t now_ms);

/* Where a post belongs that came through the channel `from`. */
struct channel_facts {
	const char *from, *from_brand, *from_network;
	bool from_catches_all;
	const char *said;		       /* the post's own "channel"; NULL or "" = not said */
	bool said_is_configured;	       /* a channel of the settings has that name ... */
	const char *said_brand, *said_network; /* ... and this brand */
};

struct channel_choice {
	const char *channel, *brand, *network;
};

/* Not said, or its own name: `from`. Otherwise only a channel that catches all takes it: a name of the
 * settings keeps its network and must be of the same brand, any other gets brand and network of `from`. */
enum refusal channel_choose(const struct channel_facts *f, struct channel_choice *ret);

/* May what was committed at `at_ms` be forgotten? */
bool seen_is_old(int64_t at_ms, int64_t now_ms);

#endif
