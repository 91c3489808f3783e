/*
 * channel.h - one configured channel at work: its adapter, and the lines that are on their way to a commit.
 *
 * A channel that was stopped lives on until its last line is committed, so that outcomes have somewhere to
 * go.
 */
#ifndef ASCOLTO_INGEST_CHANNEL_H
#define ASCOLTO_INGEST_CHANNEL_H

#include "ingest.h"

struct line;

struct channel {
	struct channel *next;
	struct ingest *in;
	char *name, *brand, *adapter_name; /* copies: settings may be read again at any time */
	uint8_t key_group;
	uint64_t fingerprint;	   /* of everything the adapter was started with */
	struct adapter *adapter;   /* NULL: stopped */
	struct line *first, **end; /* in the order they came */
	struct line *held;	   /* the last one, not wholly submitted for lack of room */
	bool waiting;		   /* for svc_on_room, which can not be taken back */
	struct arena arena;	   /* what is held of that line */
	unsigned logged;	   /* refusals, in this minute */
	int64_t logged_minute;
	int64_t last_ms; /* of the last committed post; 0 = not known */
	struct {
		struct metric *posts, *duplicates, *refused, *age, *up, *restarts;
	} m;
};

/* `secret` and `previous_secret` may be NULL. The cursor is read from the store. */
struct channel_start {
	const struct conf *conf;
	const struct conf_channel *channel;
	const char *secret, *previous_secret;
	uint64_t fingerprint;
};
int channel_open(struct channel **ret, struct ingest *in, const struct channel_start *start, struct err *e);

/* Stops the adapter. Requests it has not answered get 503. */
void channel_stop(struct channel *c);
bool channel_idle(const struct channel *c); /* stopped, and nothing on its way: may be freed */
void channel_free(struct channel **c);

/* Brings its gauges up to date. */
void channel_gauges(struct channel *c, int64_t now_ms);

/* The post of that line and index was a duplicate. False when the line is not this channel's. */
bool channel_duplicate(struct channel *c, uint64_t line, uint64_t index);

#endif
