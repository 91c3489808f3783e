#include "state.h"

#include "proto/state.pb-c.h"

const struct table notification_tables[] = {
	[ORDERS] = {0x20, "orders", &state__seen__descriptor,
		"key group of the destination; order id: when it arrived, so that it is carried out once; 30 "
		"days"},
	[OPEN] = {0x21, "open", &state__delivery__descriptor,
		"key group of the destination; order id: planned, under way or to be tried again"},
	[ENDED] = {0x22, "ended", &state__delivery__descriptor,
		"key group of the destination; time, newest first, order id: sent, rejected or expired; 30 "
		"days"},
	{0},
};

static struct key key_in(enum notification_table table, uint8_t key_group)
{
	return turn_key_in(key_group, &notification_tables[table]);
}

struct key orders_key(uint8_t key_group, const struct id *order)
{
	struct key k = key_in(ORDERS, key_group);
	key_id(&k, order);
	return k;
}

struct key open_key(uint8_t key_group, const struct id *order)
{
	struct key k = key_in(OPEN, key_group);
	key_id(&k, order);
	return k;
}

struct key ended_key(uint8_t key_group, int64_t ended_ms, const struct id *order)
{
	struct key k = key_in(ENDED, key_group);
	key_ms_newest(&k, ended_ms);
	key_id(&k, order);
	return k;
}
