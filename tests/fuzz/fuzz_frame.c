/*
 * Frames from a stranger: both halves of a link. The first byte says which half, and how eagerly the host
 * commits; then come frames, each after two bytes with its length.
 */
#include "tests/fuzz/fuzz.h"

#include "common/link.h"

#define RECORDS 40

/* ---- the receiving half ---- */

static struct {
	struct link_receiver r;
	uint64_t last[LINK_SOURCES_MAX][LANES][KEY_GROUPS];
	bool eager, room;
	size_t sent;
} rx;

static size_t index_of(const struct link_source *s)
{
	size_t i = 0;
	while (i < rx.r.n_sources && rx.r.source[i] != s)
		i++;
	CHECK(i < rx.r.n_sources);
	return i;
}

static void load(void *ctx, struct link_source *s)
{
	(void)ctx;
	size_t i = index_of(s);
	memset(rx.last[i], 0, sizeof(rx.last[i]));
	rx.last[i][LANE_NORMAL][7] = 3;
	link_receiver_loaded(s, LANE_NORMAL, 7, 3, 2);
}

/* Whatever comes: no number twice, none left out. */
static void deliver(void *ctx, struct link_source *s, enum lane lane, uint8_t key_group, uint64_t seq,
	struct span envelope)
{
	(void)ctx;
	CHECK(lane < LANES && envelope.len <= LINK_ENVELOPE_MAX);
	uint64_t *last = &rx.last[index_of(s)][lane][key_group];
	CHECK(seq == *last + 1);
	*last = seq;
	if (rx.eager)
		link_receiver_committed(&rx.r, s, lane, key_group, seq, envelope.len);
}

static void answer(void *ctx, struct link_source *s, struct span frame)
{
	(void)ctx;
	index_of(s);
	CHECK(frame.len && frame.len <= LINK_FRAME_MAX);
	rx.sent++;
}

static bool room(void *ctx, enum lane lane)
{
	(void)ctx;
	(void)lane;
	return rx.room;
}

static void receive(struct fuzz_input *in)
{
	static const struct link_receiver_ops ops = {load, deliver, answer, room};
	const struct id self = {{9}};
	link_receiver_init(&rx.r, &ops, NULL, &self, 1);
	while (in->size) {
		size_t len = (size_t)fuzz_u8(in) << 8;
		len |= fuzz_u8(in);
		struct span frame = fuzz_bytes(in, len);
		link_receiver_frame(&rx.r, frame, NULL, NULL);
		if (rx.eager)
			link_receiver_flush(&rx.r);
	}
	link_receiver_grant(&rx.r);
	link_receiver_free(&rx.r);
}

/* ---- the sending half ---- */

static struct {
	struct link_sender s;
	uint64_t first; /* oldest record kept */
} tx;

static size_t read_journal(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
{
	size_t n = 0;
	(void)ctx;
	for (uint64_t at = MAX(from, tx.first); lane == LANE_NORMAL && n < max && at <= RECORDS; at++, n++)
		ret[n] = (struct link_record){at, (uint8_t)(at % 2), (at + 1) / 2, span_str("an envelope")};
	return n;
}

static uint64_t last_seq(void *ctx, enum lane lane, uint8_t key_group)
{
	(void)ctx;
	return lane == LANE_NORMAL && key_group < 2 ? RECORDS / 2 : 0;
}

static bool send_frame(void *ctx, struct span frame)
{
	(void)ctx;
	CHECK(frame.len && frame.len <= LINK_FRAME_MAX);
	return true;
}

static void reconnect(void *ctx)
{
	(void)ctx;
}

static void send(struct fuzz_input *in, bool pruned)
{
	static const struct link_sender_ops ops = {read_journal, last_seq, send_frame, reconnect};
	static const uint64_t done[LANES] = {0, 4};
	const struct id self = {{9}};
	int64_t now = 1000;
	uint64_t acknowledged = done[LANE_NORMAL];
	tx.first = pruned ? 11 : 1;
	link_sender_init(&tx.s, &ops, NULL, "fuzz", &self, 1, 0, done);
	link_sender_tick(&tx.s, now); /* session 1 */
	while (in->size) {
		size_t len = (size_t)fuzz_u8(in) << 8;
		len |= fuzz_u8(in);
		link_sender_frame(&tx.s, fuzz_bytes(in, len), now);
		link_sender_pump(&tx.s, now);
		now += 200;
		link_sender_tick(&tx.s, now);
		struct link_lane *l = &tx.s.lane[LANE_NORMAL];
		CHECK(l->flight_count <= ARRAY_SIZE(l->flight));
		CHECK(l->acknowledged >= acknowledged || l->pin);
		CHECK(l->acknowledged <= RECORDS);
		acknowledged = l->acknowledged;
	}
	link_sender_free(&tx.s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t how = fuzz_u8(&in);
	rx.eager = how & 2;
	rx.room = how & 4;
	if (how & 1)
		send(&in, how & 8);
	else
		receive(&in);
	return 0;
}
