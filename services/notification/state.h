/*
 * state.h - what notification keeps. Keys begin with table and key group (common/key.h); the group is that of
 * the destination's name. An order is in ORDERS and in one of OPEN and ENDED; what ended is forgotten after
 * KEPT_MS, ORDERS with it: until then the same order again does nothing.
 */
#ifndef ASCOLTO_NOTIFICATION_STATE_H
#define ASCOLTO_NOTIFICATION_STATE_H

#include "common/svc.h"

#define KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

enum notification_table {
	ORDERS, /* order id -> Seen: when it arrived here; message_id is its trace */
	OPEN,	/* order id -> Delivery: planned, under way or to be tried again. order.not_after_ms is the
		   deadline */
	ENDED,	/* time it ended, newest first, order id -> Delivery: sent, rejected or expired */
};

/* In that order, then a zero row. */
extern const struct table notification_tables[];

struct key orders_key(uint8_t key_group, const struct id *order);
struct key open_key(uint8_t key_group, const struct id *order);
struct key ended_key(uint8_t key_group, int64_t ended_ms, const struct id *order);

#endif
