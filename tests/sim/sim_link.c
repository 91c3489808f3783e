/*
 * sim_link - the link's two halves in a world where everything goes wrong, from a seed.
 *
 *     sim_link [--seeds N] [--seed FIRST] [--steps N] [--verbose] [--expect-failure]
 *
 * Three senders with journals, one receiver with a store, and a network that drops, repeats, delays and reorders. At each
 * step something happens: records are committed at a sender, frames arrive, the receiver commits a turn, a process dies
 * (what was not committed is gone), the receiver's store is put back to an older copy, a frozen former owner of a sender's
 * shard wakes and sends on, journals are pruned. What must hold: every stream is applied in order, nothing twice, nothing
 * left out; after the faults stop everything committed arrives; what can not arrive any more is counted as a gap.
 * A failing run prints its seed; the same seed gives the same run.
 */
#include "common/link.h"

#include <time.h>

#define SENDERS 3
#define GROUPS 5 /* key groups in use */
#define WIRE_MAX 20000
#define QUEUE_MAX 20000

static uint64_t rng;
static const char *failure;
static bool verbose;

static uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % below;
}

static bool chance(unsigned per_mille)
{
	return rnd(1000) < per_mille;
}

static void fail(const char *why)
{
	if (!failure)
		failure = why;
}

/* A record's bytes tell whose it is, so that the receiver's side can check what it applies. */
struct payload {
	uint32_t sender, lane, group, zombie;
	uint64_t seq;
};

struct journal {
	struct payload *records;
	size_t n, cap;
	uint64_t first; /* oldest position kept, from 1 */
};

struct sender {
	unsigned number;
	/* durable */
	struct id origin;
	uint64_t epoch;
	struct journal journal[LANES];
	uint64_t last[LANES][GROUPS];
	uint64_t acknowledged[LANES];
	/* volatile */
	struct link_sender *link;
};

struct applied {
	uint64_t epoch[SENDERS];
	uint64_t last[SENDERS][LANES][GROUPS];
};

struct queued {
	struct link_source *source;
	enum lane lane;
	uint8_t group;
	uint64_t seq;
	struct payload payload;
};

struct wire {
	int64_t at_ms;
	uint64_t order;
	bool to_receiver;
	unsigned sender;
	uint8_t *data;
	size_t len;
};

static struct world {
	int64_t now_ms;
	bool calm;
	uint64_t retain;
	struct sender sender[SENDERS], zombie;
	bool zombie_alive;
	struct link_receiver *receiver;
	struct applied durable, backup;
	bool have_backup, restored, pruned_past_backup;
	struct queued queue[QUEUE_MAX];
	size_t queue_n;
	struct wire wire[WIRE_MAX];
	size_t wire_n;
	uint64_t order, sessions, frames, applied_n;
	bool full;
} w;

/* ---- the network ---- */

static void put_on_wire(bool to_receiver, unsigned sender, struct span frame)
{
	unsigned copies = 1;
	if (!w.calm) {
		if (chance(60))
			return;
		if (chance(60))
			copies = 2;
	}
	for (unsigned i = 0; i < copies && w.wire_n < WIRE_MAX; i++) {
		int64_t delay = w.calm ? 1 : 1 + (int64_t)rnd(chance(100) ? 900 : 12);
		uint8_t *copy = malloc(frame.len + 1);
		memcpy(copy, frame.data, frame.len);
		w.wire[w.wire_n++] =
			(struct wire){w.now_ms + delay, w.order++, to_receiver, sender, copy, frame.len};
	}
	w.frames++;
}

/* ---- a sender's host ---- */

static size_t read_journal(void *ctx, enum lane lane, uint64_t from, struct link_record *ret, size_t max)
{
	struct sender *s = ctx;
	struct journal *j = &s->journal[lane];
	size_t n = 0;
	for (uint64_t p = MAX(from, j->first); p <= j->n && n < max; p++) {
		struct payload *r = &j->records[p - 1];
		ret[n++] = (struct link_record){p, (uint8_t)r->group, r->seq, span_of(r, sizeof(*r))};
	}
	return n;
}

static uint64_t last_seq(void *ctx, enum lane lane, uint8_t group)
{
	struct sender *s = ctx;
	return group < GROUPS ? s->last[lane][group] : 0;
}

static bool sender_send(void *ctx, struct span frame)
{
	struct sender *s = ctx;
	if (!w.calm && chance(10))
		return false;
	put_on_wire(true, s->number, frame);
	return true;
}

static void sender_reconnect(void *ctx)
{
	(void)ctx;
}

static const struct link_sender_ops sender_ops = {read_journal, last_seq, sender_send, sender_reconnect};

static void start_sender(struct sender *s)
{
	s->link = calloc(1, sizeof(*s->link));
	link_sender_init(s->link, &sender_ops, s, "sim", &s->origin, s->epoch, rng >> 8, s->acknowledged);
}

static void stop_sender(struct sender *s)
{
	if (!s->link)
		return;
	w.sessions += s->link->sessions;
	link_sender_free(s->link);
	free(s->link);
	s->link = NULL;
}

static void append(struct sender *s, bool zombie)
{
	enum lane lane = (enum lane)rnd(LANES);
	struct journal *j = &s->journal[lane];
	if (j->n == j->cap) {
		j->cap = j->cap ? j->cap * 2 : 256;
		j->records = realloc(j->records, j->cap * sizeof(*j->records));
	}
	uint32_t group = (uint32_t)rnd(GROUPS);
	j->records[j->n++] = (struct payload){s->number, lane, group, zombie, ++s->last[lane][group]};
}

static void prune(struct sender *s)
{
	for (int l = 0; l < LANES; l++) {
		struct journal *j = &s->journal[l];
		s->acknowledged[l] = s->link->lane[l].acknowledged;
		while (j->first + w.retain < s->acknowledged[l]) {
			struct payload *r = &j->records[j->first - 1];
			if (w.have_backup && w.backup.last[s->number][l][r->group] < r->seq)
				w.pruned_past_backup = true;
			j->first++;
		}
	}
}

/* ---- the receiver's host ---- */

static unsigned number_of(const struct id *origin)
{
	return origin->b[0];
}

static void load(void *ctx, struct link_source *source)
{
	(void)ctx;
	for (int l = 0; l < LANES; l++)
		for (unsigned g = 0; g < GROUPS; g++)
			link_receiver_loaded(source, (enum lane)l, (uint8_t)g,
				w.durable.last[number_of(&source->origin)][l][g],
				w.durable.epoch[number_of(&source->origin)]);
}

static void deliver(void *ctx, struct link_source *source, enum lane lane, uint8_t group, uint64_t seq,
	struct span envelope)
{
	(void)ctx;
	if (w.queue_n == QUEUE_MAX) {
		fail("more was sent than credit allows");
		return;
	}
	struct queued *q = &w.queue[w.queue_n++];
	*q = (struct queued){source, lane, group, seq, {0}};
	memcpy(&q->payload, envelope.data, sizeof(q->payload));
}

static void receiver_send(void *ctx, struct link_source *source, struct span frame)
{
	(void)ctx;
	put_on_wire(false, number_of(&source->origin), frame);
}

static bool room(void *ctx, enum lane lane)
{
	(void)ctx;
	(void)lane;
	return !w.full;
}

static const struct link_receiver_ops receiver_ops = {load, deliver, receiver_send, room};

static void start_receiver(void)
{
	static const struct id self = {{99}};
	w.receiver = calloc(1, sizeof(*w.receiver));
	link_receiver_init(w.receiver, &receiver_ops, NULL, &self, 1);
}

static void stop_receiver(void)
{
	link_receiver_free(w.receiver);
	free(w.receiver);
	w.receiver = NULL;
	w.queue_n = 0;
}

/* What the handler would do: check, and make durable together with the number. */
static void turn(void)
{
	size_t most = (size_t)rnd(60) + 1, n = MIN(w.queue_n, most);
	for (size_t i = 0; i < n; i++) {
		struct queued *q = &w.queue[i];
		const struct payload *p = &q->payload;
		uint64_t *last = &w.durable.last[p->sender][p->lane][p->group];
		if (p->zombie)
			fail("a record of a former owner was applied");
		else if (p->seq <= *last)
			fail("a record was applied twice");
		else if (p->seq != *last + 1)
			fail("a record was left out");
		*last = p->seq;
		w.durable.epoch[p->sender] = q->source->epoch;
		w.applied_n++;
	}
	for (size_t i = 0; i < n; i++)
		link_receiver_committed(w.receiver, w.queue[i].source, w.queue[i].lane, w.queue[i].group, w.queue[i].seq,
			sizeof(struct payload));
	memmove(w.queue, w.queue + n, (w.queue_n - n) * sizeof(w.queue[0]));
	w.queue_n -= n;
	link_receiver_flush(w.receiver);
}

/* ---- the world ---- */

static void arrive(void)
{
	for (size_t i = 0; i < w.wire_n;) {
		struct wire m = w.wire[i];
		if (m.at_ms > w.now_ms) {
			i++;
			continue;
		}
		memmove(&w.wire[i], &w.wire[i + 1], (w.wire_n - i - 1) * sizeof(m));
		w.wire_n--;
		if (m.to_receiver) {
			link_receiver_frame(w.receiver, span_of(m.data, m.len), NULL, NULL);
			link_receiver_flush(w.receiver);
		} else {
			/* Both owners may listen; the session tells them apart. */
			link_sender_frame(w.sender[m.sender].link, span_of(m.data, m.len), w.now_ms);
			if (w.zombie_alive && w.zombie.number == m.sender)
				link_sender_frame(w.zombie.link, span_of(m.data, m.len), w.now_ms);
		}
		free(m.data);
	}
}

/* The shard of a sender gets a new owner; the former one freezes with what it had and wakes later. */
static void change_owner(struct sender *s)
{
	if (w.zombie_alive || w.restored)
		return;
	w.zombie = *s;
	for (int l = 0; l < LANES; l++) {
		struct journal *j = &w.zombie.journal[l];
		j->records = malloc(j->cap * sizeof(*j->records) + 1);
		memcpy(j->records, s->journal[l].records, j->n * sizeof(*j->records));
	}
	w.zombie.link = s->link;
	w.zombie.link->ctx = &w.zombie;
	w.zombie_alive = true;
	s->epoch++;
	start_sender(s);
}

static void end_zombie(void)
{
	stop_sender(&w.zombie);
	for (int l = 0; l < LANES; l++)
		free(w.zombie.journal[l].records);
	w.zombie_alive = false;
}

static void restore_receiver(void)
{
	if (!w.have_backup || w.restored)
		return;
	if (w.zombie_alive)
		end_zombie();
	stop_receiver();
	w.durable = w.backup;
	w.restored = true;
	start_receiver();
}

static void misfortune(void)
{
	struct sender *s = &w.sender[rnd(SENDERS)];
	if (chance(6)) {
		stop_sender(s);
		start_sender(s);
	}
	if (chance(6)) {
		stop_receiver();
		start_receiver();
	}
	if (chance(4))
		w.full = !w.full;
	if (chance(1) && !w.have_backup) {
		w.backup = w.durable;
		w.have_backup = true;
	}
	if (chance(1) && chance(300))
		restore_receiver();
	if (chance(1))
		change_owner(s);
	if (w.zombie_alive) {
		/* Its own records count only once the world has heard of the new owner: before, they are no different from
		 * the former owner's last ones, which a standby would hold too. */
		for (uint64_t n = rnd(8); n > 0 && w.durable.epoch[w.zombie.number] > w.zombie.epoch; n--)
			append(&w.zombie, true);
		link_sender_tick(w.zombie.link, w.now_ms);
		link_sender_pump(w.zombie.link, w.now_ms);
		if (chance(10))
			end_zombie();
	}
}

static void step(void)
{
	w.now_ms += (int64_t)rnd(w.calm ? 60 : 30);
	arrive();
	if (!w.calm)
		misfortune();
	for (unsigned i = 0; i < SENDERS; i++) {
		struct sender *s = &w.sender[i];
		if (!w.calm)
			for (uint64_t n = rnd(6); n > 0; n--)
				append(s, false);
		if (chance(20))
			prune(s);
		link_sender_tick(s->link, w.now_ms);
		link_sender_pump(s->link, w.now_ms);
	}
	if (w.calm || chance(500))
		turn();
	if (!w.full && chance(30))
		link_receiver_grant(w.receiver);
}

static bool all_arrived(void)
{
	for (unsigned i = 0; i < SENDERS; i++)
		for (int l = 0; l < LANES; l++)
			for (unsigned g = 0; g < GROUPS; g++)
				if (w.durable.last[i][l][g] != w.sender[i].last[l][g])
					return false;
	return true;
}

static unsigned gaps(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < SENDERS; i++)
		n += w.sender[i].link->gaps;
	return n;
}

static void run(uint64_t seed, unsigned steps)
{
	memset(&w, 0, sizeof(w));
	failure = NULL;
	rng = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		rnd(2);
	w.now_ms = 1000;
	w.retain = (uint64_t[]){0, 20, 400, 4000}[rnd(4)];
	for (unsigned i = 0; i < SENDERS; i++) {
		struct sender *s = &w.sender[i];
		s->number = i;
		s->origin.b[0] = (uint8_t)i;
		s->origin.b[15] = 7;
		s->epoch = 1;
		s->journal[0].first = s->journal[1].first = 1;
		start_sender(s);
	}
	start_receiver();
	for (unsigned i = 0; i < steps && !failure; i++)
		step();
	w.calm = true;
	w.full = false;
	if (w.zombie_alive)
		end_zombie();
	unsigned quiet = 0;
	for (; quiet < 20000 && !failure && !(all_arrived() && !w.queue_n); quiet++) {
		step();
		if (gaps() && quiet > 4000)
			break;
	}
	if (!failure && !all_arrived() && !gaps())
		fail("something never arrived, and no gap was raised");
	if (!failure && gaps() && !w.pruned_past_backup)
		fail("a gap was raised although everything needed was kept");
	if (verbose || failure)
		printf("seed %" PRIu64 ": %s; applied %" PRIu64 ", frames %" PRIu64 ", gaps %u, restored %d\n", seed,
			failure ? failure : "right", w.applied_n, w.frames, gaps(), w.restored);
	for (unsigned i = 0; i < SENDERS; i++) {
		stop_sender(&w.sender[i]);
		free(w.sender[i].journal[0].records);
		free(w.sender[i].journal[1].records);
	}
	stop_receiver();
	while (w.wire_n)
		free(w.wire[--w.wire_n].data);
}

int main(int argc, char **argv)
{
	uint64_t first = 1, seeds = 10, total = 0, failures = 0;
	unsigned steps = 10000;
	bool expect_failure = false;
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--verbose"))
			verbose = true;
		else if (str_eq(argv[i], "--expect-failure"))
			expect_failure = true;
		else if (str_eq(argv[i], "--seed") && i + 1 < argc)
			first = strtoull(argv[++i], NULL, 10);
		else if (str_eq(argv[i], "--seeds") && i + 1 < argc)
			seeds = strtoull(argv[++i], NULL, 10);
		else if (str_eq(argv[i], "--steps") && i + 1 < argc)
			steps = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			return fprintf(stderr, "usage: sim_link [--seeds N] [--seed FIRST] [--steps N] [--verbose]\n"), 2;
	}
	for (uint64_t s = first; s < first + seeds && !(failures && expect_failure); s++) {
		run(s, steps);
		total += steps;
		failures += failure != NULL;
	}
	printf("%" PRIu64 " steps, %" PRIu64 " seeds, %" PRIu64 " failures\n", total, seeds, failures);
	if (expect_failure)
		return failures ? 0 : 1;
	return failures ? 1 : 0;
}
