#include "key.h"

#include <xxhash.h>

uint8_t key_group_of(struct span name)
{
	return (uint8_t)(XXH3_64bits(name.data, name.len) >> 32);
}

static void add(struct key *k, const void *data, size_t len)
{
	if (k->broken || len > (size_t)KEY_MAX - k->len) {
		k->broken = true;
		return;
	}
	memcpy(k->data + k->len, data, len);
	k->len = (uint16_t)(k->len + len);
}

struct key key_make(uint8_t table, uint8_t key_group)
{
	struct key k;
	k.data[0] = table;
	k.data[1] = key_group;
	k.len = 2;
	k.broken = false;
	return k;
}

void key_u8(struct key *k, uint8_t v)
{
	add(k, &v, 1);
}

static void add_be(struct key *k, uint64_t v, int bytes)
{
	uint8_t be[8];
	for (int i = 0; i < bytes; i++)
		be[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
	add(k, be, (size_t)bytes);
}

void key_u32(struct key *k, uint32_t v)
{
	add_be(k, v, 4);
}

void key_u64(struct key *k, uint64_t v)
{
	add_be(k, v, 8);
}

void key_ms(struct key *k, int64_t ms)
{
	key_u64(k, ms < 0 ? 0 : (uint64_t)ms);
}

void key_ms_newest(struct key *k, int64_t ms)
{
	key_u64(k, UINT64_MAX - (ms < 0 ? 0 : (uint64_t)ms));
}

void key_id(struct key *k, const struct id *id)
{
	add(k, id->b, ID_BYTES);
}

void key_str(struct key *k, const char *s)
{
	for (s = s ? s : ""; *s; s++)
		add(k, s, 1);
	add(k, "\0\1", 2);
}

void key_name(struct key *k, const char *s)
{
	size_t len = s ? strlen(s) : 0;
	if (len <= KEY_NAME_MAX) {
		key_str(k, s);
		return;
	}
	/* The first bytes keep the order nearly right, the hash keeps names apart. */
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, XXH3_128bits(s, len));
	add(k, s, KEY_NAME_MAX - sizeof(c.digest));
	add(k, "\0\2", 2);
	add(k, c.digest, sizeof(c.digest));
}

static int take(struct span *s, size_t len, uint64_t *ret_v)
{
	if (s->len < len)
		return -EBADMSG;
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | s->data[i];
	s->data += len;
	s->len -= len;
	*ret_v = v;
	return 0;
}

int key_take_u8(struct span *s, uint8_t *ret_v)
{
	uint64_t v;
	int r = take(s, 1, &v);
	if (!r)
		*ret_v = (uint8_t)v;
	return r;
}

int key_take_u32(struct span *s, uint32_t *ret_v)
{
	uint64_t v;
	int r = take(s, 4, &v);
	if (!r)
		*ret_v = (uint32_t)v;
	return r;
}

int key_take_u64(struct span *s, uint64_t *ret_v)
{
	return take(s, 8, ret_v);
}

int key_take_id(struct span *s, struct id *ret_id)
{
	if (s->len < ID_BYTES)
		return -EBADMSG;
	memcpy(ret_id->b, s->data, ID_BYTES);
	s->data += ID_BYTES;
	s->len -= ID_BYTES;
	return 0;
}
