#include "pack.h"

#define VARINT_MAX 10

struct span pack_message(struct arena *a, const ProtobufCMessage *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *data = arena_alloc(a, len + 1);
	if (!data)
		return span_of(NULL, 0);
	return span_of(data, protobuf_c_message_pack(m, data));
}

static bool take_varint(struct span *s, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; s->len && shift < 64; shift += 7) {
		uint8_t b = *s->data;
		*s = span_of(s->data + 1, s->len - 1);
		*ret |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

/* The value of a field whose tag was just taken. */
static bool take_value(struct span *s, unsigned wire_type, struct span *ret)
{
	uint64_t len;
	const uint8_t *from = s->data;
	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		if (!take_varint(s, &len))
			return false;
		*ret = span_of(from, (size_t)(s->data - from));
		return true;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		len = 8;
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		len = 4;
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (!take_varint(s, &len))
			return false;
		break;
	default:
		return false;
	}
	if (len > s->len)
		return false;
	*ret = span_of(s->data, (size_t)len);
	*s = span_of(s->data + len, s->len - (size_t)len);
	return true;
}

int pack_find(struct span packed, unsigned field, struct span *ret)
{
	bool found = false;
	while (packed.len) {
		uint64_t tag;
		struct span value;
		if (!take_varint(&packed, &tag) || !take_value(&packed, tag & 7, &value))
			return -EBADMSG;
		if (tag >> 3 != field)
			continue;
		if (found || (tag & 7) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			return -ENOENT;
		found = true;
		*ret = value;
	}
	return found ? 0 : -ENOENT;
}

static size_t put_varint(uint8_t *at, uint64_t v)
{
	size_t n = 0;
	for (; v > 0x7f; v >>= 7)
		at[n++] = (uint8_t)(v & 0x7f) | 0x80;
	at[n++] = (uint8_t)v;
	return n;
}

/* The tag and the length of a field that is bytes. */
static size_t put_head(uint8_t *at, uint32_t field, size_t len)
{
	size_t n = put_varint(at, (uint64_t)field << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
	return n + put_varint(at + n, len);
}

struct span pack_inside(struct arena *a, struct span packed, const uint32_t path[2], struct span inner)
{
	uint8_t head[2 * VARINT_MAX], *data = arena_alloc(a, packed.len + sizeof(head) * 2 + inner.len);
	if (!data)
		return span_of(NULL, 0);
	size_t n = inner.data ? put_head(head, path[1], inner.len) : 0, at = packed.len;
	memcpy(data, packed.data, packed.len);
	at += put_head(data + at, path[0], n + inner.len);
	memcpy(data + at, head, n);
	at += n;
	if (inner.len)
		memcpy(data + at, inner.data, inner.len);
	return span_of(data, at + inner.len);
}

int pack_as_field(struct arena *a, unsigned field, struct span packed, ProtobufCMessageUnknownField *ret)
{
	uint8_t *data = arena_alloc(a, packed.len + VARINT_MAX);
	if (!data)
		return -ENOMEM;
	size_t n = put_varint(data, packed.len);
	if (packed.len)
		memcpy(data + n, packed.data, packed.len);
	*ret = (ProtobufCMessageUnknownField){field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, n + packed.len, data};
	return 0;
}
