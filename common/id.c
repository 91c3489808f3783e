#include "id.h"

#include <sodium.h>
#include <xxhash.h>

static void put_ms(struct id *id, int64_t ms)
{
	uint64_t v = ms < 0 ? 0 : (uint64_t)ms;
	for (int i = 0; i < 6; i++)
		id->b[i] = (uint8_t)(v >> (8 * (5 - i)));
}

struct id id_from(int64_t ms, struct span name)
{
	struct id id;
	XXH128_hash_t h = XXH3_128bits(name.data, name.len);
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, h);
	put_ms(&id, ms);
	memcpy(id.b + 6, c.digest, 10);
	return id;
}

struct id id_derive(const struct id *cause, const char *tag, uint64_t n)
{
	uint8_t name[ID_BYTES + 8 + 48];
	size_t tag_len = MIN(strlen(tag), (size_t)48);
	memcpy(name, cause->b, ID_BYTES);
	for (int i = 0; i < 8; i++)
		name[ID_BYTES + i] = (uint8_t)(n >> (8 * i));
	memcpy(name + ID_BYTES + 8, tag, tag_len);
	return id_from(id_ms(cause), span_of(name, ID_BYTES + 8 + tag_len));
}

struct id id_random(int64_t now_ms)
{
	struct id id;
	put_ms(&id, now_ms);
	randombytes_buf(id.b + 6, 10);
	return id;
}

int64_t id_ms(const struct id *id)
{
	uint64_t v = 0;
	for (int i = 0; i < 6; i++)
		v = v << 8 | id->b[i];
	return (int64_t)v;
}

bool id_is_zero(const struct id *id)
{
	static const struct id zero;
	return id_eq(id, &zero);
}

bool id_eq(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_BYTES) == 0;
}

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 128 bits are written as 26 digits of 5 bits; the first digit holds the top 3 bits. */
char *id_format(const struct id *id, char text[ID_TEXT + 1])
{
	for (int i = 0; i < ID_TEXT; i++) {
		unsigned v = 0;
		for (int bit = i * 5 - 2; bit < i * 5 + 3; bit++)
			v = v << 1 | (bit < 0 ? 0u : (id->b[bit / 8] >> (7 - bit % 8) & 1u));
		text[i] = alphabet[v];
	}
	text[ID_TEXT] = 0;
	return text;
}

int id_parse(const char *text, struct id *ret_id)
{
	struct id id = {{0}};
	if (!text || strlen(text) != ID_TEXT || text[0] > '7')
		return -EINVAL;
	for (int i = 0; i < ID_TEXT; i++) {
		char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
		const char *at = strchr(alphabet, c);
		if (!at)
			return -EINVAL;
		unsigned v = (unsigned)(at - alphabet);
		for (int k = 0; k < 5; k++) {
			int bit = i * 5 - 2 + k;
			if (bit >= 0 && (v >> (4 - k) & 1))
				id.b[bit / 8] |= (uint8_t)(1u << (7 - bit % 8));
		}
	}
	*ret_id = id;
	return 0;
}

int id_from_bytes(const uint8_t *data, size_t len, struct id *ret_id)
{
	if (len != ID_BYTES)
		return -EINVAL;
	memcpy(ret_id->b, data, ID_BYTES);
	return 0;
}
