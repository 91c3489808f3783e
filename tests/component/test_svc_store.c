/*
 * What a service keeps: large things, timers, rows that rotted, how it starts and ends, and what it does on a
 * full disk. Shown with one that does as it is told (svc_stage.h).
 */
#include "tests/component/svc_stage.h"

#include "proto/state.pb-c.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- large things ---- */

/* More than a message may ask for is put aside; what is only large makes the map grow past its first 64 MiB.
 */
static void test_large(void **state)
{
	(void)state;
	static const uint64_t bad[] = {3};
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < 10; i++)
		tell(p, i, i == 3 ? "bulk 40000" : "bulk 14000");
	assert_true(peer_wait_sent(p, 60000));
	assert_int_equal(status_of("enrichment", "handled"), 9);
	expect_reply("GET", "/-/quarantine", 200, "more memory than allowed");
	assert_true(status_of("enrichment", "used_bytes") > 100 << 20);
	expect_reply("GET", "/readyz", 200, "\"ready\":true");
	end_in_order(&pid);
	pid = start("enrichment"); /* with the larger map */
	assert_true(pid > 0);
	tell(p, 10, "bulk 14000");
	assert_true(peer_wait_sent(p, 20000));
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), 11, bad, 1);
}

/* ---- timers ---- */

#define TIMERS 300
#define TIMER_STEP_MS 10

static void test_timers(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	int64_t first = wall_ms() + 500;
	for (uint64_t i = 0; i < TIMERS; i++) {
		uint64_t n = i * 7 % TIMERS; /* set in any order */
		char what[40];
		snprintf(what, sizeof(what), "timer %" PRId64, first + (int64_t)n * TIMER_STEP_MS);
		tell_on(p, n, "t", what);
	}
	assert_true(peer_wait_sent(p, 10000));
	while (wall_ms() < first + TIMERS / 3 * TIMER_STEP_MS)
		usleep(10000);
	int64_t before = status_of("enrichment", "fired");
	assert_true(before > 0 && before < TIMERS);
	program_stop(&pid, SIGKILL);
	while (wall_ms() < first + TIMERS * 2 / 3 * TIMER_STEP_MS)
		usleep(10000); /* these are due while it is down */
	pid = start("enrichment");
	assert_true(pid > 0);
	while (wall_ms() < first + TIMERS * 5 / 6 * TIMER_STEP_MS)
		usleep(10000);
	program_stop(&pid, SIGTERM);
	while (wall_ms() < first + (TIMERS + 20) * TIMER_STEP_MS)
		usleep(10000);
	pid = start("enrichment");
	assert_true(wait_status("enrichment", "fired", TIMERS, 10000));
	usleep(300000);
	assert_int_equal(status_of("enrichment", "fired"), TIMERS);
	assert_int_equal(status_of("enrichment", "quarantine"), 0);
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", FIRED), TIMERS, NULL, 0);
}

/* Flips a bit in a row of the stopped toy: the first behind these bytes (MDB_SET_RANGE) or the last before
 * (MDB_PREV). */
static void damage_row(uint8_t table, uint8_t below, MDB_cursor_op op)
{
	char path[128];
	MDB_env *env;
	MDB_txn *t;
	MDB_dbi dbi;
	MDB_cursor *c;
	uint8_t copy[4096];
	MDB_val key = {1, &below}, value;
	snprintf(path, sizeof(path), "%s/state/enrichment", in.folder);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
	assert_int_equal(mdb_dbi_open(t, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(t, dbi, &c), 0);
	assert_int_equal(mdb_cursor_get(c, &key, &value, MDB_SET_RANGE), 0);
	if (op == MDB_PREV)
		assert_int_equal(mdb_cursor_get(c, &key, &value, op), 0);
	assert_int_equal(((uint8_t *)key.mv_data)[0], table);
	assert_true(value.mv_size < sizeof(copy));
	memcpy(copy, value.mv_data, value.mv_size);
	copy[value.mv_size / 2] ^= 4;
	value.mv_data = copy;
	assert_int_equal(mdb_put(t, dbi, &key, &value, 0), 0);
	mdb_cursor_close(c);
	assert_int_equal(mdb_txn_commit(t), 0);
	mdb_env_close(env);
}

static double cpu_seconds_of(const char *service)
{
	struct reply r = talk(http_port_of(service), "GET", "/metrics", NULL, NULL);
	const char *at = r.body ? strstr(r.body, "\nprocess_cpu_seconds_total ") : NULL;
	double seconds = at ? strtod(at + strlen("\nprocess_cpu_seconds_total "), NULL) : 1000;
	reply_free(&r);
	return seconds;
}

/* A record that rotted is not acted on, does not stop the others, and is said. */
static void test_damaged_timer(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	int64_t now = wall_ms();
	for (uint64_t i = 0; i < 3; i++) {
		char what[40];
		snprintf(what, sizeof(what), "timer %" PRId64, now + 1000 + (int64_t)i * 300);
		tell_on(p, i, "t", what);
	}
	assert_true(peer_wait_sent(p, 5000));
	end_in_order(&pid);
	damage_row(0x08, 0x08, MDB_SET_RANGE);
	pid = start("enrichment");
	assert_true(wait_status("enrichment", "fired", 2, 5000));
	expect_reply("GET", "/readyz", 200, "can not be read and will not ring");
	double before = cpu_seconds_of("enrichment");
	usleep(1500000);
	assert_true(cpu_seconds_of("enrichment") - before < 0.5); /* it does not try for ever */
	assert_int_equal(status_of("enrichment", "fired"), 2);
	end_in_order(&pid);
	peer_close(&p);
}

/* A record of the outbox that rotted stops its stream and no other, is said, and nothing is written over. */
static void test_damaged_outbox(void **state)
{
	(void)state;
	static const char *const conversations[] = {"a", "b", "c", "d", "e"};
	enum { N = 100, OF_EACH = N / ARRAY_SIZE(conversations) };
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	for (uint64_t i = 0; i < N; i++)
		tell_on(p, i, conversations[i % ARRAY_SIZE(conversations)], "log");
	assert_true(peer_wait_sent(p, 5000));
	end_in_order(&pid);
	damage_row(0x03, 0x03, MDB_SET_RANGE); /* the first of "a" */
	damage_row(0x03, 0x04, MDB_PREV);      /* the last of "e" */
	pid = start("enrichment");
	for (uint64_t i = N; i < N + ARRAY_SIZE(conversations); i++)
		tell_on(p, i, conversations[i % ARRAY_SIZE(conversations)], "log");
	assert_true(peer_wait_sent(p, 5000));
	pid_t last = start("intent");
	/* b, c and d whole, e up to what rotted, a not at all */
	assert_true(wait_status("intent", "handled", 3 * (OF_EACH + 1) + OF_EACH - 1, 5000));
	expect_reply("GET", "/readyz", 200, "2 streams to intent are stopped");
	program_stop(&last, SIGTERM);
	end_in_order(&pid);
	peer_close(&p);
}

/* ---- what was sent and is kept for a while ---- */

static int setup_that_keeps_little(void **state)
{
	(void)state;
	installation_open(&in, "retain_mb: 1\n");
	return 0;
}

static uint64_t outbox_bytes(const char *service)
{
	char path[128];
	struct store *s;
	struct txn *t;
	struct cursor *c;
	struct span key, value;
	struct key prefix = {.data = {0x03}, .len = 1};
	uint64_t sum = 0;
	snprintf(path, sizeof(path), "%s/state/%s", in.folder, service);
	struct store_options o = {.path = path, .service = service, .unsafe_fs = true};
	assert_int_equal(store_open(&s, &o, NULL), 0);
	assert_int_equal(txn_begin_read(s, &t, NULL), 0);
	assert_int_equal(cursor_open(t, &prefix, NULL, &c), 0);
	while (cursor_next(c, &key, &value) == 0)
		sum += value.len;
	cursor_close(&c);
	txn_abort(&t);
	store_close(&s);
	return sum;
}

/* However fast they come: what was taken at the other end goes, down to what is to be retained. */
static void test_outbox_stays_small(void **state)
{
	(void)state;
	enum { LOTS = 20, LOT = MANY / LOTS, EACH = 500 };
	char thread[EACH + 1];
	memset(thread, 'x', EACH);
	thread[EACH] = 0;
	struct peer *p = sender_to("enrichment");
	pid_t first = start("enrichment"), last = start("intent");
	for (uint64_t lot = 0; lot < LOTS; lot++) {
		for (uint64_t i = 0; i < LOT; i++)
			tell_on(p, lot * LOT + i, thread, "");
		assert_true(wait_status("intent", "handled", (int64_t)(lot + 1) * LOT, 30000));
	}
	end_in_order(&first);
	program_stop(&last, SIGTERM);
	peer_close(&p);
	uint64_t kept = outbox_bytes("enrichment");
	assert_true(kept > 100 * EACH);
	if (kept >
		(1 << 20) +
			(uint64_t)2 * LOT * 2 *
				EACH) /* and the last lots, which came to be acknowledged after the turns */
		fail_msg("%" PRIu64 " bytes are kept", kept);
	assert_once_in_order(read_rows("intent", LOG), LOTS * LOT, NULL, 0);
}

/* A backlog of large messages, more than is read at once: all of them leave. */
static void test_large_backlog(void **state)
{
	(void)state;
	enum { N = 200, EACH = 400 * 1024 };
	static char thread[EACH + 1];
	memset(thread, 'x', EACH);
	struct peer *p = sender_to("enrichment");
	pid_t first = start("enrichment");
	for (uint64_t i = 0; i < N; i++) {
		tell_on(p, i, thread, "");
		assert_true(peer_wait_sent(p, 10000));
	}
	pid_t last = start("intent");
	assert_true(wait_status("intent", "handled", N, 20000));
	expect_reply("GET", "/readyz", 200, "\"ready\":true");
	end_in_order(&first);
	program_stop(&last, SIGTERM);
	peer_close(&p);
	assert_once_in_order(read_rows("intent", LOG), N, NULL, 0);
}

/* ---- start and end ---- */

static void test_second_process(void **state)
{
	(void)state;
	pid_t pid = start("enrichment");
	assert_true(pid > 0);
	pid_t second = launch("enrichment");
	int status;
	waitpid(second, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FAILURE)
		fail_msg("the second one ended with status %x", (unsigned)status);
	assert_true(log_says("enrichment", "another process has it open; stop that one first"));
	assert_true(answers("enrichment", "/readyz", 200)); /* the first does not care */
	end_in_order(&pid);
}

#define UNCLEAN "did not end in order"

static void test_ends_in_order(void **state)
{
	(void)state;
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	for (uint64_t i = 0; i < MANY / 2; i++)
		tell(p, i, "");
	usleep(100000);
	end_in_order(&pid); /* in the middle of it */
	assert_true(log_says("enrichment", "stopped"));
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	program_stop(&pid, SIGINT);
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	program_stop(&pid, SIGKILL);
	pid = start("enrichment");
	assert_true(log_says("enrichment", UNCLEAN));
	assert_true(peer_wait_sent(p, 60000));
	end_in_order(&pid);
	pid = start("enrichment");
	assert_false(log_says("enrichment", UNCLEAN));
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), MANY / 2, NULL, 0);
}

/* Killed within its first moments, again and again: the next start works. */
static void test_first_start_killed(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int i = 0; i < 25; i++) {
		char command[128];
		pid_t pid = launch("enrichment");
		usleep((useconds_t)(rand_r(&seed) % 50000));
		program_stop(&pid, SIGKILL);
		if (i % 5)
			continue;
		pid = start("enrichment");
		assert_true(pid > 0);
		program_stop(&pid, SIGKILL);
		snprintf(command, sizeof(command), "rm -rf %s/state", in.folder);
		assert_int_equal(system(command), 0);
	}
}

/* ---- full disk ---- */

#define DISK_MIB 40
#define BALLAST_MIB 24
#define FULL_MESSAGES 400 /* of 64 KiB: more than fits beside the ballast, and fits without it */

static bool run_quietly(const char *fmt, ...) PRINTF(1, 2);
static bool run_quietly(const char *fmt, ...)
{
	char command[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(command, sizeof(command) - 20, fmt, ap);
	va_end(ap);
	snprintf(command + n, 20, " >/dev/null 2>&1");
	return system(command) == 0;
}

/* A small disk of its own where the state lies. */
static bool mount_small_disk(void)
{
	return run_quietly("mkdir %s/state && truncate -s %dM %s/image && mkfs.ext4 -q -m 0 %s/image",
		       in.folder, DISK_MIB, in.folder, in.folder) &&
	       run_quietly("mount -o loop %s/image %s/state", in.folder, in.folder);
}

static int full_teardown(void **state)
{
	end_all();
	run_quietly("umount %s/state", in.folder);
	return teardown(state);
}

/* The newest number the service acknowledged knowing of; while the disk is full it stands still. */
static int64_t handled_until_full(void)
{
	int64_t n = -1;
	for (int i = 0; i < 1000; i++) {
		if (answers("enrichment", "/readyz", 503))
			return status_of("enrichment", "handled");
		usleep(20000);
	}
	return n;
}

static void test_full_disk(void **state)
{
	(void)state;
	if (getuid() != 0 || !mount_small_disk()) {
		print_message("skipped: a loop device and the right to mount are needed to fill a disk\n");
		skip();
	}
	assert_true(
		run_quietly("dd if=/dev/zero of=%s/state/ballast bs=1M count=%d", in.folder, BALLAST_MIB));
	struct peer *p = sender_to("enrichment");
	pid_t pid = start("enrichment");
	assert_true(pid > 0);
	for (uint64_t i = 0; i < FULL_MESSAGES; i++) {
		tell(p, i, "bulk 64");
		if (i == 50)
			assert_true(peer_wait_sent(p, 20000));
	}
	int64_t handled = handled_until_full();
	if (has_ended(pid)) {
		show_log("enrichment");
		fail_msg("it ended when the disk was full: %d", program_stop(&pid, SIGKILL));
	}
	if (handled < 51 || handled >= FULL_MESSAGES) {
		show_log("enrichment");
		fail_msg("handled %" PRId64, handled);
	}
	expect_reply("GET", "/readyz", 503,
		"the disk or the store is full: nothing new is taken until there is room");
	/* It takes nothing, and still answers. */
	assert_false(peer_wait_sent(p, 1500));
	assert_false(has_ended(pid));
	assert_int_equal(status_of("enrichment", "handled"), handled);
	expect_reply("GET", "/-/quarantine", 200, "\"total\":0");
	/* Ended and started in between, it is no worse. */
	program_stop(&pid, SIGKILL);
	pid = launch("enrichment");
	usleep(500000);
	assert_false(has_ended(pid));
	assert_true(run_quietly("rm %s/state/ballast", in.folder));
	assert_true(peer_wait_sent(p, 30000));
	assert_int_equal(status_of("enrichment", "handled"), FULL_MESSAGES);
	expect_reply("GET", "/readyz", 200, "\"ready\":true");
	end_in_order(&pid);
	peer_close(&p);
	assert_once_in_order(read_rows("enrichment", LOG), FULL_MESSAGES, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc == 4 && str_eq(argv[1], "toy"))
		return be_toy(argv[2], argv[3]);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		TEST(test_large),
		TEST(test_timers),
		TEST(test_damaged_timer),
		TEST(test_damaged_outbox),
		TEST(test_second_process),
		TEST(test_ends_in_order),
		TEST(test_first_start_killed),
		TEST(test_large_backlog),
		cmocka_unit_test_setup_teardown(test_outbox_stays_small, setup_that_keeps_little, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, full_teardown),
	};
	return cmocka_run_group_tests_name("svc_store", tests, NULL, NULL);
}
