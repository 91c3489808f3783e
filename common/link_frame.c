#include "link_frame.h"

Ascolto__Frame link_frame_of(const struct id *origin, uint64_t epoch, uint64_t session)
{
	Ascolto__Frame f = ASCOLTO__FRAME__INIT;
	f.version = LINK_VERSION;
	f.origin = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)origin->b};
	f.epoch = epoch;
	f.session = session;
	return f;
}

Ascolto__Frame *link_frame_parse(struct arena *a, struct span bytes, struct id *ret_origin)
{
	arena_reset(a);
	if (bytes.len > LINK_FRAME_MAX)
		return NULL;
	Ascolto__Frame *f = ascolto__frame__unpack(arena_pb(a), bytes.len, bytes.data);
	if (!f || f->version != LINK_VERSION || id_from_bytes(f->origin.data, f->origin.len, ret_origin))
		return NULL;
	return f;
}

bool link_position_ok(const Ascolto__StreamPosition *p)
{
	return p->lane < LANES && p->key_group < KEY_GROUPS;
}
