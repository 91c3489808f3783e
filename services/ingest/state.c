#include "state.h"

#include "proto/state.pb-c.h"

const struct table ingest_tables[] = {
	[RAW] = {0x20, "raw", &state__raw_post__descriptor,
		"key group of the channel; time received, channel, native id, kind, revision: the bytes as "
		"they came, 7 days"},
	[SEEN] = {0x21, "seen", &state__seen__descriptor,
		"key group of the channel; channel, native id, kind, revision: posts accepted in the last 7 "
		"days"},
	[CURSORS] = {0x22, "cursors", &state__cursor__descriptor,
		"key group of the channel; channel: where its adapter goes on after a restart"},
	{0},
};
