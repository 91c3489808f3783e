/*
 * topic.h - what several people are talking about at once: online grouping of messages by their signatures.
 *
 * Single-pass clustering (Allan, Papka, Lavrenko, "On-line new event detection and tracking", SIGIR 1998): a
 * message joins the live topic whose centre is nearest by cosine, if it is near enough, else it founds a
 * topic. The centre is the mean of the members' unit vectors, cut to its TOPIC_TERMS weightiest terms.
 *
 * Some topics no words lead to: they stand for a danger each, and one for trouble of any kind, since a crowd
 * may word what is wrong in so many ways that no group of words holds it. Whoever names a danger or a trouble
 * counts there too.
 *
 * People are counted, not messages (crowd.h), against what is ordinary for the topic at that hour (normal.h);
 * surge.h makes a code of it. Time is the messages' own (occurred_ms), so a replay counts as the day did.
 *
 * Everything here is a cache: the durable form is rows of the escalation store (topics, mentions), from
 * which topics_restore builds it again. Not thread-safe.
 */
#ifndef ASCOLTO_ESCALATION_TOPIC_H
#define ASCOLTO_ESCALATION_TOPIC_H

#include "common/arena.h"
#include "common/base.h"
#include "common/id.h"
#include "common/signature.h"

#include "proto/state.pb-c.h"
#include "services/escalation/topics/crowd.h"
#include "services/escalation/topics/normal.h"
#include "services/escalation/topics/surge.h"

#define TOPIC_TERMS 32
#define TOPIC_KEYWORDS 16
#define TOPIC_EXAMPLES 5
#define TOPIC_HEADLINE 120  /* bytes; and a text shorter than a quarter of it says too little */
#define TOPICS_LIVE_MAX 5000 /* per brand; the longest silent goes first */
#define TOPIC_JOIN 0.23      /* cosine with the centre that makes a member */
#define TOPIC_MERGE 0.28     /* cosine of two centres that makes one topic of two ... */
#define TOPIC_MERGE_MESSAGES 4 /* ... once both have so many members that the centres mean something */

struct topics;

/* The topics to which no words lead, and which are never dropped nor merged: a danger each (by its number),
 * and trouble of any kind. */
enum { TOPICS_DANGERS = SIGNATURE_DANGERS, TOPICS_TROUBLE = TOPICS_DANGERS, TOPICS_STANDING };

struct topic {
	struct topics *in;
	uint32_t slot;               /* its place among the live ones */
	bool standing, grave;	     /* it stands for a danger */
	int64_t holds_ms; /* since when it has had the code it deserves, for those that wait; 0: it has none
			   */
	struct id id;
	int64_t first_ms, last_ms;
	uint32_t messages;
	uint32_t n_terms;
	uint32_t terms[TOPIC_TERMS]; /* ascending */
	float weights[TOPIC_TERMS];  /* sums of the members' weights */
	uint32_t places[TOPIC_TERMS]; /* of the terms in the index */
	float norm;
	char keywords[TOPIC_KEYWORDS][24];
	uint32_t keyword_counts[TOPIC_KEYWORDS];
	char headline[TOPIC_HEADLINE + 4]; /* the words of the member that says most of what it is about */
	float headline_coverage;
	struct id incident;
	struct id examples[TOPIC_EXAMPLES];
	size_t n_examples;
	struct crowd crowd;
	struct normals normals;
};

/* `brand` sets its topics without words apart from those of others in the same store. */
int topics_new(struct topics **ret, int64_t window_ms, const char *brand);
void topics_free(struct topics **t);
size_t topics_count(const struct topics *t);
struct topic *topics_find(struct topics *t, const struct id *id); /* quick only while topics neither come nor go */
struct topic *topics_of_incident(struct topics *t, const struct id *incident);

/* The topic this signature belongs to, or NULL; *ret_similarity is how near it is, 0 without one. */
struct topic *topics_match(struct topics *t, const Ascolto__Signature *s, double *ret_similarity);

/* True when a text that is remembered is repeated, edits and all (common/signature.h), and who wrote it
 * first. */
bool topics_knows_copy(const struct topics *t, const Ascolto__Signature *s, uint64_t *ret_who);
/* Remembers a text that is not known yet: returns its number, which counts up, or 0 when it is too short to
 * be a copy. */
uint64_t topics_remember_copy(struct topics *t, const Ascolto__Signature *s, uint64_t who);
void topics_restore_copy(struct topics *t, const State__Copy *row);

/* NULL when memory is out. */
struct topic *topics_standing(struct topics *ts, unsigned number, int64_t at_ms, bool *ret_fresh);

/* A new topic; NULL when memory is out. When there are TOPICS_LIVE_MAX already the stalest is dropped. */
struct topic *topics_found(struct topics *t, const struct id *id, int64_t at_ms);

/* The one to be given up for another: NULL while there is room, else the longest silent, those with an incident last. */
struct topic *topics_stalest(struct topics *t);
void topics_drop(struct topics *ts, struct topic **t);

/* The message becomes a member: centre, keywords, times, examples. */
void topic_join(struct topic *t, const Ascolto__Signature *s, char *const *keywords, size_t n_keywords,
	const struct id *message, int64_t at_ms);

/* The topic has no centre: these words stand for it. */
void topic_quote(struct topic *t, const char *text);

/* Takes the member's words as the topic's headline when they speak of more of what it is about than those before. After
 * topic_join. */
void topic_offer_headline(struct topic *t, const Ascolto__Signature *s, const char *text);

/* Another topic that has turned out to be about the same, or NULL. Two topics with an incident each stay two. */
struct topic *topics_twin(struct topics *ts, const struct topic *t);

/* Everything of `from` goes to `into`, and `from` is gone (the pointer is NULL afterwards). False when memory is out. */
bool topics_merge(struct topics *ts, struct topic *into, struct topic **from);

/* The person counts from now on; what was before is learnt as the topic's normal. False when memory is out. */
bool topic_count_person(struct topics *ts, struct topic *t, uint64_t who, int64_t at_ms);

/* Time passes in which nobody counts. */
void topic_pass(struct topics *ts, struct topic *t, int64_t at_ms);

/* Distinct people within the window that ends with the latest of them. */
unsigned topic_people(const struct topics *ts, const struct topic *t);

/* What part of its people of that window also count in a topic that has an incident: their crowd is known
 * already. */
double topics_known_part(const struct topics *ts, const struct topic *t, unsigned window);

/* It has been watched for a day, in a brand whose size is known. */
bool topic_is_known(const struct topics *ts, const struct topic *t);

/* One to which words lead has half the people that would give it a code, and they are as unusual as that. */
bool topics_rising(struct topics *ts, const struct thresholds *t);

/* What it looks like at that time. */
struct surge topic_surge(struct topics *ts, const struct topic *t);

/* Somebody wrote to the brand, about anything: its rhythm and size. True when an hour was closed by that. */
bool topics_hear(struct topics *ts, int64_t at_ms, int64_t now_ms);

/* What time it is in the messages' own time: that of the newest and what has passed since it was heard. */
int64_t topics_now(struct topics *ts, int64_t now_ms);
struct rhythm *topics_rhythm(struct topics *ts); /* to be read or changed at once */
int64_t topics_step_ms(const struct topics *ts);
int64_t topics_crowds_begin_ms(const struct topics *ts); /* who wrote before counts in no crowd any more */

/* To and from the rows of the store. */
void topic_pack(const struct topic *t, struct arena *a, State__Topic *ret);
struct topic *topics_restore(struct topics *ts, const State__Topic *row);
void topic_restore_person(struct topics *ts, struct topic *t, uint64_t who, int64_t last_ms);

#endif
