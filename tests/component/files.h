/* files.h - for tests: a folder of the test's own. */
#ifndef ASCOLTO_TESTS_FILES_H
#define ASCOLTO_TESTS_FILES_H

#include "common/base.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char test_folder[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(test_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file of the test's own folder; valid until the second next call. The folder is removed at exit. */
UNUSED static const char *test_path(const char *name)
{
	static char path[2][256];
	static int turn;
	if (!test_folder[0]) {
		snprintf(test_folder, sizeof(test_folder), "/tmp/ascolto-test-XXXXXX");
		assert_non_null(mkdtemp(test_folder));
		atexit(remove_folder);
	}
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", test_folder, name);
	return path[turn];
}

UNUSED static const char *write_file(const char *name, const void *data, size_t len, mode_t mode)
{
	const char *path = test_path(name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
	return path;
}

#endif
