/*
 * svc_internal.h - what the files of svc share. Not for services.
 *
 *     svc_main.c      the command line          svc_turn.c        the turn
 *     svc.c           start, loop, stop         svc_item.c        what waits to be handled
 *     svc_handler.c   what handlers call        svc_timer.c, svc_counter.c, svc_attempts.c, svc_quarantine.c
 *     svc_tally.c     rows of the whole turn                      what svc itself keeps in the store
 *     svc_links.c     the links
 *     svc_outbox.c    their journals            svc_admin.c       HTTP for operators
 *
 * Tables of every service, all in key group 0 unless said otherwise:
 *
 *     0x02 stream_in    key group; origin, lane            StreamIn: the last number taken, with the effects
 *     0x03 outbox       destination, lane, position        OutboxRecord: the journal
 *     0x04 stream_out   destination, lane, key group       StreamOut: the last number given
 *     0x05 lane_out     destination, lane                  LaneOut: what is acknowledged, what is kept
 *     0x06 attempts     hash of the envelope               Attempts: tries of what may have ended the process
 *     0x07 quarantine   id                                 Quarantined
 *     0x08 timer        key group; due time, id            TimerRecord
 *     0x09 counter      name                               Counter
 */
#ifndef ASCOLTO_SVC_INTERNAL_H
#define ASCOLTO_SVC_INTERNAL_H

#include "bus.h"
#include "link.h"
#include "log.h"
#include "pack.h"
#include "svc.h"

#include "proto/state.pb-c.h"

#include <jansson.h>

enum {
	TABLE_STREAM_IN = 0x02,
	TABLE_OUTBOX = 0x03,
	TABLE_STREAM_OUT = 0x04,
	TABLE_LANE_OUT = 0x05,
	TABLE_ATTEMPTS = 0x06,
	TABLE_QUARANTINE = 0x07,
	TABLE_TIMER = 0x08,
	TABLE_COUNTER = 0x09,
};

#define SPARE_ARENAS 256
#define TRIES_MAX 3             /* then quarantine */
#define RETRY_FIRST_MS 50       /* the pause before a RETRY comes again; times 4 each time */
#define CAUTIOUS_ITEMS 1024 /* handled with attempts committed first, after an unclean end */
#define MESSAGE_ARENA_MAX ((size_t)32 * 1024 * 1024)
#define QUEUE_MAX 8192          /* local submissions waiting */
#define BACKLOG_NORMAL 20000    /* unacknowledged outbox records per lane that stop the normal lane's intake ... */
#define BACKLOG_URGENT 200000   /* ... and the urgent lane's. The back edges of the graph are urgent, and what they bring
                                   makes nothing for the forward ones, so a full pipeline always drains */
#define PRUNE_PER_TICK 5000
#define PRUNE_PER_TURN (4 * TURN_MAX) /* more than a turn adds, so that what is kept does not grow while \
					 messages come fast */
#define QUARANTINE_BYTES_MAX ((size_t)256 * 1024) /* of an envelope that is kept */

enum item_kind { ITEM_LINK, ITEM_TIMER, ITEM_LOCAL, ITEM_REPLAY };

/* One thing to handle. */
struct item {
	struct item *next;
	enum item_kind kind;
	enum lane lane;
	uint8_t *data; /* packed envelope, owned */
	size_t len;
	unsigned tries;
	struct link_source *source; /* LINK */
	uint8_t key_group;
	uint64_t seq;
	struct key key;             /* TIMER: its row; REPLAY: its quarantine row */
	submitted_fn *done;         /* LOCAL, REPLAY */
	void *ctx;
	/* filled by the turn */
	struct arena *arena;        /* kept until after the commit when there are effects */
	struct writeset ws;
	enum verdict verdict;
	char why[ERR_TEXT_MAX];
};

struct item_queue {
	struct item *first, **end;
	size_t count, bytes;
};

struct out_lane {
	uint64_t position;      /* last one given */
	uint64_t first;         /* oldest kept; position + 1 when none */
	uint64_t bytes;         /* of what is kept */
	uint64_t saved_acknowledged;
	bool dirty;
	uint64_t seq[KEY_GROUPS];
	bool seq_dirty[KEY_GROUPS];
	bool any_seq_dirty;
};

struct out_link {
	struct svc *svc;
	unsigned number;        /* of the service there, for ever the same; part of keys */
	const char *name;
	const char *endpoint;
	struct link_sender sender;
	struct bus_socket *socket;
	struct out_lane lane[LANES];
	struct arena read_arena;
};

/* Rows that many messages of a turn add to. */
struct tallies {
	struct tallied *first;
	struct arena arena;
};

struct conf_kept {
	struct conf_kept *next;
	struct conf *conf;
};

struct svc {
	const struct svc_spec *spec;
	struct conf *conf;
	const char *conf_path;
	struct conf_kept *kept;     /* former configurations, borrowed from until the end */
	char **fetch_allow;
	struct http_route *routes;
	struct store *store;
	uv_loop_t *loop;
	struct bus *bus;
	struct bus_socket *in;
	struct http *http;
	struct fetch *fetch;
	struct metric_set *metrics;
	uv_timer_t ticker;
	uv_signal_t term, interrupt, hangup;
	void *state;
	bool started, ready;
	bool stopping, closing;     /* nothing new is taken; everything is being closed */
	int64_t stop_at_ms;
	int64_t started_ms, now_ms, last_second_ms;

	struct link_receiver receiver;
	struct out_link *out[SVC_DESTINATIONS_MAX];
	size_t n_out;
	struct txn *pump_txn;

	struct item_queue queue[LANES], local;
	int64_t hold_until_ms;      /* after a RETRY or a full disk nothing is handled before this time of the loop's
	                               clock, which never jumps */
	size_t cautious_left;
	bool attempts_known;        /* rows of attempts may exist */
	bool full;                  /* the last commit found no room */
	int64_t timer_next[KEY_GROUPS];
	bool timer_damaged[KEY_GROUPS]; /* a row before the next whole one can not be read */
	int64_t timer_first_ms;
	int64_t *counters;          /* as committed; the turn's changes are added after it */
	int64_t *counter_changes;
	uint64_t quarantine_count;
	struct tallies tallies;
	struct arena *spare_arenas[SPARE_ARENAS];
	size_t n_spare_arenas;
	double lag_seconds;

	struct room_waiter {
		struct room_waiter *next;
		void (*fn)(void *ctx);
		void *ctx;
	} *waiters;

	char issue[16][ERR_TEXT_MAX];
	size_t n_issues;
	struct {
		struct metric *commit_seconds, *turn_items, *queue_messages, *queue_bytes, *quarantine, *ready, *lag,
			*store_used, *retries, *rejects;
	} m;
};

/* svc.c */
int svc_run(struct svc *s);                      /* from start to end; an exit status */
int svc_reload(struct svc *s, struct err *e);

/* svc_turn.c */
int turns_load(struct svc *s, struct err *e);
void turns_free(struct svc *s);
bool turn_run(struct svc *s);                    /* true when there is more to do now */

/* svc_tally.c */
void tally_apply(struct tallies *all, const struct write *w);
int tallies_save(struct tallies *all, struct txn *txn);
void tallies_drop(struct tallies *all); /* written, or thrown away with the turn */

/* svc_item.c */
struct item *item_new(enum item_kind kind, struct span envelope);
void item_free(struct item *i);
void queue_add(struct item_queue *q, struct item *i);
void queue_put_back(struct item_queue *q, struct item *i);
struct item *queue_take(struct item_queue *q);   /* NULL when there is none */
void queue_free(struct item_queue *q);
struct item_queue *queue_of(struct svc *s, const struct item *i);
bool svc_has_room(const struct svc *s, enum lane lane);
void room_tell(struct svc *s);                   /* to who waits for it, when there is */

/* svc_timer.c */
int timer_put(struct svc *s, struct txn *t, const struct write *w);
void timers_find_next(struct svc *s, struct txn *t, uint8_t key_group);
void timers_find_first(struct svc *s);           /* of those */
size_t timers_take(struct svc *s, struct item **items, size_t max); /* those that are due */

/* svc_attempts.c */
int attempts_open(struct svc *s, bool unclean, struct err *e); /* reads what the last end left behind */
void attempts_in_hand(const struct item *i);     /* what a fault from now on is held against; NULL: nothing */
unsigned attempts_of(struct txn *t, const struct item *i);
void attempts_remember(struct svc *s, const struct item *i);
size_t attempts_commit(struct svc *s, struct item **items, size_t n); /* how many may be handled together */
void attempts_forget(struct svc *s, struct txn *t, struct item **items, size_t n);

/* svc_counter.c */
int counters_load(struct svc *s, struct txn *t);
void counters_free(struct svc *s);
void counter_add(struct svc *s, const char *name, int64_t by); /* in this turn */
int counters_save(struct svc *s, struct txn *t);
void counters_committed(struct svc *s, bool committed);

/* svc_quarantine.c */
int quarantine_put(struct svc *s, struct txn *t, struct item *i, const struct id *id);
uint64_t quarantine_count(struct txn *t);
void quarantine_get_list(struct http_request *r, void *ctx);
void quarantine_get_one(struct http_request *r, void *ctx);
void quarantine_post(struct http_request *r, void *ctx);

/* svc_links.c */
int links_load(struct svc *s, struct err *e);
int links_open(struct svc *s, struct err *e);
void links_close(struct svc *s);
void links_tick(struct svc *s, int64_t mono_ms);
void links_pump(struct svc *s);
int stream_in_save(struct svc *s, struct txn *t, const struct item *i);

/* svc_outbox.c */
size_t outbox_read(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max); /* ctx: out_link */
int outbox_add(struct svc *s, struct txn *t, const struct write *w, int64_t now_ms);
int outbox_save(struct svc *s, struct txn *t);   /* numbers and positions that changed */
void outbox_reload(struct svc *s);               /* after an aborted turn */
void outbox_prune(struct svc *s);
void outbox_trim(
	struct svc *s, struct txn *t); /* in a turn: of the lanes it adds to, what need not be kept */
uint64_t outbox_backlog(const struct out_link *o, enum lane lane);
int64_t outbox_oldest_ms(struct svc *s, struct out_link *o); /* 0 = nothing waits */

/* svc_admin.c */
extern const struct http_route admin_routes[];
extern const size_t n_admin_routes;
void admin_refresh(struct svc *s);               /* issues and gauges */
int admin_metrics_open(struct svc *s);
void admin_reply_json(struct http_request *r, unsigned status, json_t *body); /* takes the body */

#endif
