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

int pack_as_field(struct arena *a, unsigned field, struct span packed, ProtobufCMessageUnknownField *ret)
{
	uint8_t *data = arena_alloc(a, packed.len + VARINT_MAX);
	size_t n = 0;
	if (!data)
		return -ENOMEM;
	for (size_t rest = packed.len; n == 0 || rest; rest >>= 7)
		data[n++] = (uint8_t)(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0);
	if (packed.len)
		memcpy(data + n, packed.data, packed.len);
	*ret = (ProtobufCMessageUnknownField){field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, n + packed.len, data};
	return 0;
}
