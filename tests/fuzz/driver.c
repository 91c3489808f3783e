/*
 * Runs a fuzz target without libFuzzer: every file of a corpus folder, then seeded mutations of them until
 * the time is over. An input that ends the process is left in the working folder as crash-<target>; --input
 * FILE runs just that.
 *
 * Nothing hostile may cost much: no input more than INPUT_MS of processor time (counted in optimised builds, the best of
 * three tries), and all of them together no more than MEMORY_MIB (not counted under sanitizers). More is a failure.
 *
 *     fuzz_NAME CORPUS [--seconds N] [--seed N]        fuzz_NAME --input FILE
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_MAX 256
#define INPUT_MAX ((size_t)64 * 1024)
#define INPUT_MS 10
#define TRIES 3
#define MEMORY_MIB 64

static struct {
	uint8_t *data;
	size_t size;
} files[FILES_MAX];
static size_t n_files;

static uint8_t input[INPUT_MAX];
static size_t input_size;
static char crash_name[128];

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t below(size_t n)
{
	return n ? (size_t)(next_random() % n) : 0;
}

/* ---- what is left behind of a crash ---- */

static void keep_input(void)
{
	int fd = open(crash_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t ignored = write(fd, input, input_size);
	(void)ignored;
}

static void on_crash(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_crashes(const char *target)
{
	const char *slash = strrchr(target, '/');
	snprintf(crash_name, sizeof(crash_name), "crash-%s", slash ? slash + 1 : target);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	else
		signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	signal(SIGALRM, on_crash); /* an input that takes for ever */
}

/* ---- inputs ---- */

static bool read_input(const char *path)
{
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	input_size = fread(input, 1, sizeof(input), f);
	fclose(f);
	return true;
}

static void read_corpus(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	while (d && (entry = readdir(d)) && n_files < FILES_MAX) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !read_input(path))
			continue;
		files[n_files].data = malloc(input_size + 1);
		memcpy(files[n_files].data, input, input_size);
		files[n_files++].size = input_size;
	}
	if (d)
		closedir(d);
}

static void insert(size_t at, const uint8_t *data, size_t len)
{
	len = MIN(len, INPUT_MAX - input_size);
	memmove(input + at + len, input + at, input_size - at);
	memcpy(input + at, data, len);
	input_size += len;
}

static void mutate_once(void)
{
	static const uint8_t odd[] = {0, 1, 7, 8, 0x0a, 0x20, 0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b, 0x7f, 0x80,
		0xc0, 0xe2, 0xf0, 0xff};
	uint8_t copy[256];
	size_t at = below(input_size + 1), len = 1 + below(below(8) ? 8 : sizeof(copy));
	switch (below(8)) {
	case 0: /* a bit */
		if (input_size)
			input[below(input_size)] ^= (uint8_t)(1 << below(8));
		break;
	case 1: /* a byte */
		if (input_size)
			input[below(input_size)] = odd[below(sizeof(odd))];
		break;
	case 2: /* bytes go */
		len = MIN(len, input_size - at);
		memmove(input + at, input + at + len, input_size - at - len);
		input_size -= len;
		break;
	case 3: /* bytes come */
		for (size_t i = 0; i < len; i++)
			copy[i] = below(2) ? odd[below(sizeof(odd))] : (uint8_t)next_random();
		insert(at, copy, len);
		break;
	case 4: /* a part twice */
		len = MIN(len, input_size - at);
		memcpy(copy, input + at, len);
		insert(below(input_size + 1), copy, len);
		break;
	case 5: { /* a part of another file */
		size_t n = below(n_files);
		size_t from = below(files[n].size + 1);
		insert(at, files[n].data + from, MIN(len, files[n].size - from));
		break;
	}
	case 6: /* cut */
		if (!below(4))
			input_size = at;
		break;
	default: /* one byte many times */
		memset(copy, odd[below(sizeof(odd))], sizeof(copy));
		for (size_t i = 0; i < below(16); i++)
			insert(at, copy, len);
	}
}

static void mutate(void)
{
	size_t n = below(n_files);
	memcpy(input, files[n].data, files[n].size);
	input_size = files[n].size;
	for (size_t i = 0, times = 1 + below(below(4) ? 4 : 32); i < times; i++)
		mutate_once();
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static double processor_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Returns the milliseconds it took. */
static double run(void)
{
	/* A copy of the exact size, so that reading behind it is seen. */
	uint8_t *exact = malloc(input_size + !input_size);
	memcpy(exact, input, input_size);
	alarm(20);
	double begun = processor_ms();
	LLVMFuzzerTestOneInput(exact, input_size);
	double took = processor_ms() - begun;
	alarm(0);
	free(exact);
	return took;
}

static double slowest;

static void run_timed(void)
{
	double took = run();
	for (int i = 1; i < TRIES && took > slowest && took > INPUT_MS / 2.0; i++)
		took = MIN(took, run());
	if (took > INPUT_MS && took > slowest)
		keep_input();
	slowest = MAX(slowest, took);
}

/* Whether the limits were kept. */
static bool sum_up(unsigned long mutations)
{
#ifdef NDEBUG
	bool fast = slowest <= INPUT_MS;
#else
	bool fast = true;
#endif
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	bool small = usage.ru_maxrss / 1024 <= MEMORY_MIB || __sanitizer_set_death_callback;
	printf("%zu files and %lu mutations; the slowest took %.1f ms of %d; %ld MiB of %d%s\n", n_files, mutations, slowest,
		INPUT_MS, usage.ru_maxrss / 1024, MEMORY_MIB, fast && small ? "" : ": too much");
	return fast && small;
}

int main(int argc, char **argv)
{
	int64_t seconds = 6;
	random_state = 88172645463325252ull;
	if (argc < 2)
		return 2;
	watch_crashes(argv[0]);
	for (int i = 2; i + 1 < argc; i += 2) {
		if (str_eq(argv[i], "--seconds"))
			seconds = strtoll(argv[i + 1], NULL, 10);
		else if (str_eq(argv[i], "--seed"))
			random_state ^= strtoull(argv[i + 1], NULL, 10) << 8;
	}
	if (str_eq(argv[1], "--input")) {
		if (argc != 3 || !read_input(argv[2]))
			return 2;
		run();
		return 0;
	}
	read_corpus(argv[1]);
	if (!n_files) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		return 2;
	}
	for (size_t i = 0; i < n_files; i++) {
		input_size = files[i].size;
		memcpy(input, files[i].data, input_size);
		run_timed();
	}
	int64_t end = now_ms(CLOCK_MONOTONIC) + seconds * 1000;
	unsigned long n = 0;
	for (; now_ms(CLOCK_MONOTONIC) < end; n++) {
		mutate();
		run_timed();
	}
	for (size_t i = 0; i < n_files; i++)
		free(files[i].data);
	return sum_up(n) ? 0 : 1;
}
