/*
 * key.h - ordered composite keys.
 *
 * Parts are written so that comparing the bytes compares the parts in turn: integers big-endian, strings with 0x00
 * escaped as 0x00 0xFF and ended by 0x00 0x01 (so "a" sorts before "a\0" and before "ab"), ids as they are. Every
 * key in a store begins with the table (1 byte) and the key group (1 byte); business code gets a key that has both
 * and adds its own parts. A key holds at most KEY_MAX bytes, LMDB's limit; a longer one is `broken` and refused by
 * the store. To keep that from happening long names (native ids, handles) are put in with key_name, which folds what
 * is longer than KEY_NAME_MAX into a hash.
 */
#ifndef ASCOLTO_KEY_H
#define ASCOLTO_KEY_H

#include "base.h"
#include "id.h"

#define KEY_MAX 511
#define KEY_NAME_MAX 96
#define KEY_GROUPS 256 /* fixed for ever: they are in every key */

struct key {
	uint8_t data[KEY_MAX];
	uint16_t len;
	bool broken;
};

/* Which key group a name belongs to. */
uint8_t key_group_of(struct span name);

struct key key_make(uint8_t table, uint8_t key_group);
void key_u8(struct key *k, uint8_t v);
void key_u32(struct key *k, uint32_t v);
void key_u64(struct key *k, uint64_t v);
void key_ms(struct key *k, int64_t ms);        /* ascending; negative times count as 0 */
void key_ms_newest(struct key *k, int64_t ms); /* descending: the newest comes first */
void key_id(struct key *k, const struct id *id);
void key_str(struct key *k, const char *s);
void key_name(struct key *k, const char *s);

static inline struct span key_span(const struct key *k)
{
	return span_of(k->data, k->len);
}

/* Reading a key back: each call takes its part from the front of `s`; -EBADMSG when it is not there. */
int key_take_u8(struct span *s, uint8_t *ret_v);
int key_take_u32(struct span *s, uint32_t *ret_v);
int key_take_u64(struct span *s, uint64_t *ret_v);
int key_take_id(struct span *s, struct id *ret_id);

#endif
