/*
 * line.h - a line of an adapter on its way: what it waits for, what became of its posts.
 */
#ifndef ASCOLTO_INGEST_LINE_H
#define ASCOLTO_INGEST_LINE_H

#include "channel.h"

/* One submission: a post, or (the one behind the last post) the line's cursor alone. */
struct line_item {
	struct line *line;
	char *reason; /* refused, and somebody waits for the answer */
	bool refused, duplicate;
};

struct line {
	struct line *next;
	struct channel *channel;
	uint64_t number;			    /* unique in this process */
	struct adapter_line said;		    /* borrowed: valid while it is being submitted */
	char *cursor, *respond_body, *respond_type; /* copies */
	size_t submitted, outstanding;
	size_t accepted, duplicates, refused;
	bool cut; /* not all of it was submitted, and never will be: it comes again */
	size_t n_items;
	struct line_item items[];
};

struct line *line_new(struct channel *c, const struct adapter_line *said);
void line_free(struct line **l);

/* Submits what is not submitted yet. 0; -EAGAIN: no room for all of it. */
int line_submit(struct line *l);

/* Makes `said` the channel's own copy. -ENOMEM. */
int line_hold(struct line *l, struct arena *a);

/* What is not submitted is given up. */
void line_cut(struct line *l);

static inline bool line_done(const struct line *l)
{
	return l->submitted == l->n_items && l->outstanding == 0;
}

/* The answer to its request: the adapter's own, or what became of the posts. */
void line_answer(const struct line *l, struct hook *h);

/* channel.c: an item is committed or in quarantine. */
submitted_fn channel_item_done;

#endif
