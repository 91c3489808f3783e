/*
 * bench_decide - what a decision of escalation costs: its own handlers in its own turn, over its own store on
 * disk.
 *
 *     bench_decide [--quick] [--messages N] [--dir FOLDER] [CUSTOMERS...]
 *
 * For each number of customers (10,000, a million and ten million; --quick leaves the last out), in a process
 * of its own: a store that has known them for long (people.h), an opened service without sockets, and
 * messages (load.h) put into its queue as the link from intent does, TURN_MAX to a turn. What a turn does is
 * what it does in the service: unpack, decide, ARM record, case, topic, incident, audit log, orders, views,
 * timers that fell due, outbox, counters, commit. Destinations take what is sent to them at once, and the
 * outbox is pruned as once a second. The processes take turns, a block of messages each, so that whatever
 * else the machine does meets all sizes alike; those that wait do nothing.
 *
 * The store is in the kernel's cache and mapped, as that of a service that has run for long on a machine with
 * memory for it; from a cold disk each customer's first message waits for it. It gets there as it does in the
 * service, page by page (store.h): what the bulk writing of the bench leaves there, in large pieces, is dropped.
 *
 * Printed: decisions a second of processor time and of the clock (which waits for the disk), in ordinary
 * times (the median of BLOCKS parts) and in a storm; the mix; memory of its own, and pages of the store it
 * shares with the kernel's cache; what a decision costs against the first size. Processor time is the
 * thread's, of the turns alone. The stores together need 6.5 GB for some minutes (11 GB are asked for).
 * Without --dir they are beside the build, for /tmp may be in memory.
 */
#include "common/svc_internal.h"
#include "services/escalation/escalation.h"
#include "tests/bench/decide/load.h"
#include "tests/bench/decide/people.h"

#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGES 54000
#define WARM_MESSAGES 20000
#define BLOCKS 9
#define STORM_MESSAGES 10000
#define STORM_ONE_IN 3
#define BYTES_PER_CUSTOMER 1000
#define SIZES_MAX 8

/* Beside the figures wanted: on one core, with a million customers and 5,000 topics. */
#define WANTED_RATE 30000.0
#define WANTED_RATIO 1.2

struct spent {
	double cpu, kernel, wall; /* seconds; kernel is a part of cpu, but measured less exactly */
};

struct result {
	uint64_t customers;
	size_t messages, topics;
	struct spent block[BLOCKS], storm;
	uint64_t counters[16];
	int64_t red; /* incidents, by the end of the storm */
	double fill_seconds, written_kb, own_mb, pages_mb, store_mb, outbox_mb;
};

struct bench {
	char folder[400];
	struct svc svc;
	uv_loop_t loop;
	struct link_source source;
	struct load *load;
	struct arena arena;
	uint8_t group;
	int64_t pruned_ms;
};

static _Noreturn void give_up(const char *what, const struct err *e)
{
	fprintf(stderr, "bench_decide: %s: %s\n", what, err_text(e));
	exit(1);
}

/* ---- the service, without its sockets ---- */

static void write_config(const struct bench *b, const char *path)
{
	FILE *f = fopen(path, "we");
	if (!f)
		give_up(path, &(struct err){.text = "can not be written"});
	fprintf(f, "data: %s\nservices:\n", b->folder);
	static const char *const names[] = {
		"ingest", "enrichment", "intent", "escalation", "notification", "console"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(f, "  %s: {link: \"tcp://127.0.0.1:%zu\", http: \"127.0.0.1:%zu\"}\n", names[i],
			7001 + i, 7101 + i);
	fprintf(f, "brands:\n  - {name: %s, title: Bench, language: en, playbook: \"%s\"}\n", LOAD_BRAND,
		SOURCE_DIR "/tests/bench/decide/playbook.yaml");
	fprintf(f,
		"destinations:\n  - {name: desk, brand: %s, kind: mail, url: \"smtp://127.0.0.1:7025\", "
		"from: a@example.org, "
		"to: [b@example.org]}\n",
		LOAD_BRAND);
	fclose(f);
}

static void open_service(struct bench *b)
{
	struct err e = {0};
	char path[512];
	struct svc *s = &b->svc;
	snprintf(path, sizeof(path), "%s/ascolto.yaml", b->folder);
	write_config(b, path);
	uv_loop_init(&b->loop);
	s->spec = &escalation_spec;
	s->loop = &b->loop;
	s->now_ms = s->started_ms = LOAD_START_MS;
	int r = conf_load(&s->conf, path, &e);
	snprintf(path, sizeof(path), "%s/escalation", b->folder);
	struct store_options o = {.path = path, .service = "escalation", .now_ms = LOAD_START_MS};
	r = r ? r : store_open(&s->store, &o, &e);
	r = r ? r : metric_set_new(&s->metrics);
	r = r ? r : admin_metrics_open(s);
	r = r ? r : turns_load(s, &e);
	r = r ? r : links_load(s, &e);
	r = r ? r : s->spec->start(s, &s->state, &e);
	if (r)
		give_up("the service does not start", &e);
	b->source.origin = id_from(0, span_str("intent"));
	b->source.epoch = 1;
}

static void close_service(struct bench *b)
{
	struct svc *s = &b->svc;
	s->spec->stop(s, s->state);
	links_close(s);
	turns_free(s);
	store_close(&s->store);
	metric_set_free(&s->metrics);
	conf_free(&s->conf);
	uv_loop_close(&b->loop);
}

/* As the link from intent delivers. */
static void deliver(struct bench *b)
{
	struct item *i = item_new(ITEM_LINK, load_next(b->load, &b->arena, &b->svc.now_ms));
	if (!i)
		give_up("items", &(struct err){.text = "out of memory"});
	i->source = &b->source;
	i->key_group = b->group;
	i->seq = ++b->source.taken[LANE_NORMAL][b->group];
	queue_add(&b->svc.queue[LANE_NORMAL], i);
	arena_reset(&b->arena);
}

/* Whoever is sent something takes it. */
static void take_all(struct svc *s)
{
	for (size_t i = 0; i < s->n_out; i++)
		for (unsigned lane = 0; lane < LANES; lane++)
			s->out[i]->sender.lane[lane].acknowledged = s->out[i]->lane[lane].position;
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double kernel_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_THREAD, &u);
	return (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static struct spent run(struct bench *b, size_t messages)
{
	struct spent sum = {0};
	struct svc *s = &b->svc;
	for (size_t left = messages; left;) {
		size_t n = MIN(left, (size_t)TURN_MAX);
		for (size_t i = 0; i < n; i++)
			deliver(b);
		left -= n;
		double cpu = seconds(CLOCK_THREAD_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC),
		       kernel = kernel_seconds();
		while (turn_run(s))
			;
		take_all(s);
		if (wall * 1000 - (double)b->pruned_ms >= 1000) {
			outbox_prune(s);
			b->pruned_ms = (int64_t)(wall * 1000);
		}
		sum.cpu += seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
		sum.kernel += kernel_seconds() - kernel;
		sum.wall += seconds(CLOCK_MONOTONIC) - wall;
	}
	return sum;
}

/* ---- one size ---- */

static double of_status(const char *name)
{
	char line[256];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtod(line + strlen(name) + 1, NULL);
	if (f)
		fclose(f);
	return kb / 1024;
}

/* By this process, in KB: what it gave to write(2) and its kin. */
static double written_kb(void)
{
	char line[128];
	double bytes = 0;
	FILE *f = fopen("/proc/self/io", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "wchar:", 6) == 0)
			bytes = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return bytes / 1024;
}

static uint64_t outbox_bytes(const struct svc *s)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s->n_out; i++)
		n += s->out[i]->lane[0].bytes + s->out[i]->lane[1].bytes;
	return n;
}

static void keep_counters(const struct svc *s, struct result *r, int sign)
{
	for (size_t i = 0; s->spec->counters[i].name && i < ARRAY_SIZE(r->counters); i++)
		r->counters[i] += (uint64_t)(sign * s->counters[i]);
}

/* The store into the kernel's cache, in single pages. */
static void read_anew(const char *folder)
{
	static char piece[1 << 20];
	char path[600];
	snprintf(path, sizeof(path), "%s/data.mdb", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fdatasync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM))
		give_up(path, &(struct err){.text = "can not be read"});
	while (read(fd, piece, sizeof(piece)) > 0)
		;
	close(fd);
}

static void wait_for_turn(int go)
{
	char c;
	if (read(go, &c, 1) != 1)
		exit(1);
}

/* The next waits until this one is over. */
static void turn_over(int over)
{
	if (write(over, "", 1) != 1)
		exit(1);
}

static void measure(struct bench *b, struct result *r, int go, int over)
{
	struct svc *s = &b->svc;
	uint64_t used, most, rows, damaged;
	struct err e = {0};
	char path[512];
	snprintf(path, sizeof(path), "%s/escalation", b->folder);
	double began = seconds(CLOCK_MONOTONIC);
	wait_for_turn(go);
	if (people_fill(path, r->customers, &e))
		give_up(path, &e);
	r->fill_seconds = seconds(CLOCK_MONOTONIC) - began;
	read_anew(path);
	open_service(b);
	/* A service that has run for long has seen each page of its store. */
	if (store_scrub(s->store, &rows, &damaged, NULL, NULL, &e) || damaged)
		give_up(path, &e);
	if (load_new(&b->load, r->customers))
		give_up("messages", &(struct err){.text = "out of memory"});
	run(b, WARM_MESSAGES);
	keep_counters(s, r, -1);
	r->written_kb = -written_kb();
	for (unsigned i = 0; i < BLOCKS; i++) {
		turn_over(over);
		wait_for_turn(go);
		r->block[i] = run(b, r->messages / BLOCKS);
	}
	keep_counters(s, r, 1);
	r->written_kb += written_kb();
	load_storm(b->load, STORM_ONE_IN);
	r->storm = run(b, STORM_MESSAGES);
	r->red = svc_counter(s, "incidents_red");
	r->topics = topics_count(((struct escalation *)s->state)->brands[0].topics);
	r->own_mb = of_status("RssAnon");
	r->pages_mb = of_status("RssFile");
	store_room(s->store, &used, &most);
	r->store_mb = (double)used / 1048576;
	r->outbox_mb = (double)outbox_bytes(s) / 1048576;
	if (s->quarantine_count)
		give_up("messages", &(struct err){.text = "some were put in quarantine"});
	close_service(b);
	load_free(&b->load);
	arena_free(&b->arena);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A size and the process that measures it. */
struct sized {
	struct result r;
	char folder[400];
	int go, over;
	pid_t pid;
};

static void start_size(struct sized *x, const char *dir)
{
	static struct bench b;
	int go[2], over[2];
	snprintf(x->folder, sizeof(x->folder), "%s/decide-XXXXXX", dir);
	if (pipe2(go, O_CLOEXEC) || pipe2(over, O_CLOEXEC) || !mkdtemp(x->folder))
		give_up(dir, &(struct err){.text = "can not be written"});
	x->pid = fork();
	if (x->pid == 0) {
		close(go[1]);
		close(over[0]);
		snprintf(b.folder, sizeof(b.folder), "%s", x->folder);
		arena_init(&b.arena, (size_t)1 << 20);
		b.group = key_group_of(span_str(LOAD_BRAND));
		measure(&b, &x->r, go[0], over[1]);
		_exit(write(over[1], &x->r, sizeof(x->r)) == (ssize_t)sizeof(x->r) ? 0 : 1);
	}
	close(go[0]);
	close(over[1]);
	x->go = go[1];
	x->over = over[0];
}

/* Lets it do one part: filling its store and warming up, a block, or, with the last block, the storm. */
static bool let(struct sized *x, bool last)
{
	char c;
	if (write(x->go, "", 1) != 1)
		return false;
	return last ? read(x->over, &x->r, sizeof(x->r)) == (ssize_t)sizeof(x->r) : read(x->over, &c, 1) == 1;
}

static void end_size(struct sized *x)
{
	close(x->go);
	close(x->over);
	waitpid(x->pid, NULL, 0);
	nftw(x->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- printing ---- */

static int ascending(const void *a, const void *b)
{
	double x = ((const struct spent *)a)->cpu, y = ((const struct spent *)b)->cpu;
	return (x > y) - (x < y);
}

static double cost_us(const struct result *r)
{
	return r->block[BLOCKS / 2].cpu / ((double)r->messages / BLOCKS) * 1e6;
}

static void print(struct result *r, const struct result *first)
{
	double n = (double)r->messages, per_block = n / BLOCKS, wall = 0, cpu = 0, kernel = 0;
	for (unsigned i = 0; i < BLOCKS; i++) {
		wall += r->block[i].wall;
		cpu += r->block[i].cpu;
		kernel += r->block[i].kernel;
	}
	qsort(r->block, BLOCKS, sizeof(r->block[0]), ascending);
	printf("%" PRIu64 " customers, %zu topics, %zu messages\n", r->customers, r->topics, r->messages);
	printf("  decisions/s          %8.0f of processor time (blocks: %.0f to %.0f), %.0f by the clock\n",
		1e6 / cost_us(r), per_block / r->block[BLOCKS - 1].cpu, per_block / r->block[0].cpu,
		n / wall);
	printf("  in a storm           %8.0f of processor time (red incidents: %" PRId64 ")\n",
		STORM_MESSAGES / r->storm.cpu, r->red);
	printf("  cost of a decision   %8.2f us, %.2f times that of %" PRIu64
	       " customers; about %.0f %% of it in the kernel, for %.1f KB "
	       "written\n",
		cost_us(r), cost_us(r) / cost_us(first), first->customers, 100 * kernel / cpu,
		r->written_kb / n);
	printf("  memory               %8.0f MB of its own, %.0f MB of the store's pages; store %.0f MB, of "
	       "it outbox %.0f MB\n",
		r->own_mb, r->pages_mb, r->store_mb, r->outbox_mb);
	printf("  per 100 messages    ");
	for (size_t i = 0; escalation_spec.counters[i].name && i < ARRAY_SIZE(r->counters); i++)
		if (r->counters[i])
			printf(" %s %.1f", escalation_spec.counters[i].name,
				100 * (double)r->counters[i] / n);
	printf("\n  (store filled in %.0f s)\n", r->fill_seconds);
	fflush(stdout);
}

static bool has_room(const char *dir, uint64_t customers)
{
	struct statvfs fs;
	return statvfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize > customers * BYTES_PER_CUSTOMER;
}

static bool all_sizes(struct sized *sizes, size_t n)
{
	bool ok = true;
	for (unsigned part = 0; part <= BLOCKS; part++)
		for (size_t i = 0; i < n; i++)
			ok = ok && let(&sizes[i], part == BLOCKS);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
		{"messages", required_argument, NULL, 'm'}, {"dir", required_argument, NULL, 'd'}, {0}};
	static struct sized sizes[SIZES_MAX] = {
		{.r.customers = 10000}, {.r.customers = 1000000}, {.r.customers = 10000000}};
	size_t n = 3, messages = MESSAGES;
	uint64_t customers = 0;
	const char *dir = BINARY_DIR;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'q')
			n = 2;
		else if (c == 'm')
			messages = MAX(strtoul(optarg, NULL, 10) / BLOCKS, 1) * BLOCKS;
		else if (c == 'd')
			dir = optarg;
		else
			return fprintf(stderr, "usage: bench_decide [--quick] [--messages N] [--dir FOLDER] "
					       "[CUSTOMERS...]\n"),
			       2;
	}
	for (int i = optind; i < argc && i - optind < SIZES_MAX; i++) {
		n = (size_t)(i - optind) + 1;
		sizes[n - 1].r.customers = MAX(strtoull(argv[i], NULL, 10) / 10, 1) * 10;
	}
	for (size_t i = 0; i < n; i++)
		customers += sizes[i].r.customers;
	if (sodium_init() < 0 || !has_room(dir, customers))
		return fprintf(stderr, "bench_decide: %s has no room for %" PRIu64 " customers\n", dir,
			       customers),
		       1;
	for (size_t i = 0; i < n; i++) {
		sizes[i].r.messages = messages;
		start_size(&sizes[i], dir);
	}
	bool ok = all_sizes(sizes, n);
	for (size_t i = 0; i < n; i++)
		end_size(&sizes[i]);
	for (size_t i = 0; i < n && ok; i++)
		print(&sizes[i].r, &sizes[0].r);
	printf("wanted: %.0f decisions/s with a million customers; ten million at most %.1f times ten "
	       "thousand\n",
		WANTED_RATE, WANTED_RATIO);
	return ok ? 0 : 1;
}
