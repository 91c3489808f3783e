#include "pack.h"

#include <math.h>

enum wire {
	VARINT = PROTOBUF_C_WIRE_TYPE_VARINT,
	WIRE_64 = PROTOBUF_C_WIRE_TYPE_64BIT,
	LENGTH = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
	WIRE_32 = PROTOBUF_C_WIRE_TYPE_32BIT
};

/* Room between start and at; what is written stands behind. */
struct out {
	uint8_t *start, *at;
	bool full;
};

static uint8_t *take(struct out *o, size_t n)
{
	if ((size_t)(o->at - o->start) < n) {
		o->full = true;
		return NULL;
	}
	return o->at -= n;
}

static void put_bytes(struct out *o, const void *data, size_t n)
{
	uint8_t *p = n ? take(o, n) : NULL;
	if (p)
		memcpy(p, data, n);
}

static void put_varint(struct out *o, uint64_t v)
{
	size_t n = 1;
	if (v < 0x80 && o->at > o->start) { /* most are */
		*--o->at = (uint8_t)v;
		return;
	}
	for (uint64_t rest = v >> 7; rest; rest >>= 7)
		n++;
	uint8_t *p = take(o, n);
	for (; p && v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	if (p)
		*p = (uint8_t)v;
}

static void put_fixed(struct out *o, uint64_t v, size_t n)
{
	uint8_t *p = take(o, n);
	for (size_t i = 0; p && i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void put_string(struct out *o, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	put_bytes(o, s, n);
	put_varint(o, n);
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static void put_fields(struct out *o, const ProtobufCMessage *m);

static void put_submessage(struct out *o, const ProtobufCMessage *m)
{
	const uint8_t *end = o->at;
	if (m)
		put_fields(o, m);
	put_varint(o, (uint64_t)(end - o->at));
}

/* The value at that place, without its tag. */
static enum wire put_value(struct out *o, ProtobufCType type, const void *at)
{
	const ProtobufCBinaryData *bytes = at;
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		put_varint(o, (uint64_t)(int64_t)(*(const int32_t *)at));
		return VARINT;
	case PROTOBUF_C_TYPE_SINT32:
		put_varint(o, zigzag(*(const int32_t *)at));
		return VARINT;
	case PROTOBUF_C_TYPE_SINT64:
		put_varint(o, zigzag(*(const int64_t *)at));
		return VARINT;
	case PROTOBUF_C_TYPE_UINT32:
		put_varint(o, *(const uint32_t *)at);
		return VARINT;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		put_varint(o, *(const uint64_t *)at);
		return VARINT;
	case PROTOBUF_C_TYPE_BOOL:
		put_varint(o, *(const protobuf_c_boolean *)at != 0);
		return VARINT;
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		put_fixed(o, *(const uint32_t *)at, 4);
		return WIRE_32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		put_fixed(o, *(const uint64_t *)at, 8);
		return WIRE_64;
	case PROTOBUF_C_TYPE_STRING:
		put_string(o, *(const char *const *)at);
		return LENGTH;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(o, bytes->data, bytes->len);
		put_varint(o, bytes->len);
		return LENGTH;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_submessage(o, *(const ProtobufCMessage *const *)at);
		return LENGTH;
	}
	return LENGTH;
}

static void put_tag(struct out *o, const ProtobufCFieldDescriptor *f, enum wire wire)
{
	put_varint(o, (uint64_t)f->id << 3 | wire);
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		return 4;
	}
}

/* Of numbers of fixed size, all at once where memory has them as the wire does. */
static bool put_fixed_list(struct out *o, const ProtobufCFieldDescriptor *f, const uint8_t *list, size_t n)
{
	bool is_fixed = f->type == PROTOBUF_C_TYPE_FLOAT || f->type == PROTOBUF_C_TYPE_DOUBLE ||
			f->type == PROTOBUF_C_TYPE_FIXED32 || f->type == PROTOBUF_C_TYPE_FIXED64;
	if (!is_fixed || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return false;
	put_bytes(o, list, n * size_of(f->type));
	return true;
}

static void put_list(struct out *o, const ProtobufCFieldDescriptor *f, const void *at, size_t n)
{
	const uint8_t *list = *(const uint8_t *const *)at, *end = o->at;
	size_t size = size_of(f->type);
	bool packed = f->flags & PROTOBUF_C_FIELD_FLAG_PACKED;
	for (size_t i = packed && put_fixed_list(o, f, list, n) ? 0 : n; i > 0; i--) {
		enum wire wire = put_value(o, f->type, list + (i - 1) * size);
		if (!packed)
			put_tag(o, f, wire);
	}
	if (packed && n) {
		put_varint(o, (uint64_t)(end - o->at));
		put_tag(o, f, LENGTH);
	}
}

/* What proto3 does not write. */
static bool is_zero(ProtobufCType type, const void *at)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		return str_empty(*(const char *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
		return !((const ProtobufCBinaryData *)at)->len;
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*(const void *const *)at;
	case PROTOBUF_C_TYPE_FLOAT:
		return fpclassify(*(const float *)at) == FP_ZERO;
	case PROTOBUF_C_TYPE_DOUBLE:
		return fpclassify(*(const double *)at) == FP_ZERO;
	default:
		return size_of(type) == 8 ? !*(const uint64_t *)at : !*(const uint32_t *)at;
	}
}

/* Of a member of a oneof, or of an optional field. */
static bool is_absent(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m, const void *at)
{
	const void *quantifier = (const uint8_t *)m + f->quantifier_offset;
	bool pointer = f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE;
	bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
	const void *value = pointer ? *(const void *const *)at : NULL;
	if (oneof && *(const uint32_t *)quantifier != f->id)
		return true;
	if (pointer)
		return !value || value == f->default_value;
	return !oneof && !*(const protobuf_c_boolean *)quantifier;
}

static void put_field(struct out *o, const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	const void *at = (const uint8_t *)m + f->offset;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n = *(const size_t *)(const void *)((const uint8_t *)m + f->quantifier_offset);
		if (n)
			put_list(o, f, at, n);
		return;
	}
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL || f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (is_absent(f, m, at))
			return;
	} else if (f->label == PROTOBUF_C_LABEL_NONE && is_zero(f->type, at)) {
		return;
	}
	put_tag(o, f, put_value(o, f->type, at));
}

/* All of them, the last first. */
static void put_fields(struct out *o, const ProtobufCMessage *m)
{
	for (unsigned i = m->n_unknown_fields; i > 0; i--) {
		const ProtobufCMessageUnknownField *u = &m->unknown_fields[i - 1];
		put_bytes(o, u->data, u->len);
		put_varint(o, (uint64_t)u->tag << 3 | u->wire_type);
	}
	for (unsigned i = m->descriptor->n_fields; i > 0; i--)
		put_field(o, &m->descriptor->fields[i - 1], m);
}

struct span pack_message(struct arena *a, const ProtobufCMessage *m)
{
	uint8_t scratch[PACK_SCRATCH];
	struct out o = {scratch, scratch + sizeof(scratch), false};
	put_fields(&o, m);
	size_t len =
		o.full ? protobuf_c_message_get_packed_size(m) : (size_t)(scratch + sizeof(scratch) - o.at);
	uint8_t *data = arena_alloc(a, len + 1);
	if (!data)
		return span_of(NULL, 0);
	if (o.full)
		protobuf_c_message_pack(m, data);
	else
		memcpy(data, o.at, len);
	return span_of(data, len);
}

int pack_as_field(struct arena *a, unsigned field, struct span packed, ProtobufCMessageUnknownField *ret)
{
	size_t max = packed.len + 10;
	uint8_t *data = arena_alloc(a, max);
	struct out o = {data, data + max, false};
	if (!data)
		return -ENOMEM;
	put_bytes(&o, packed.data, packed.len);
	put_varint(&o, packed.len);
	*ret = (ProtobufCMessageUnknownField){
		field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, (size_t)(data + max - o.at), o.at};
	return 0;
}
