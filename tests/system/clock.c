/*
 * clock.c - a wall clock that a test moves: preloaded into the services (LD_PRELOAD) by the scenarios.
 *
 * $ASCOLTO_TEST_CLOCK is a file of 8 bytes: how many nanoseconds the wall clock is ahead of the true one, in the machine's
 * byte order. It is mapped once, so a change holds at once in every process. Only wall clocks move; CLOCK_MONOTONIC, by
 * which loops and time-outs run, stays true, as when an administrator sets a machine's clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

static volatile const int64_t *ahead;

__attribute__((constructor)) static void open_file(void)
{
	const char *path = getenv("ASCOLTO_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd, 0);
	ahead = map == MAP_FAILED ? NULL : map;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);
	if (r || !ahead || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
		return (int)r;
	int64_t ns = (int64_t)ts->tv_sec * NS + ts->tv_nsec + *ahead;
	ts->tv_sec = (time_t)(ns / NS);
	ts->tv_nsec = (long)(ns % NS);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec ts = {0};
	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
