/*
 * lines.h - a file, or a pipe, line by line, whatever is in it.
 *
 * A line longer than LINES_MAX is not kept: its beginning and its length are given, and reading goes on
 * behind it. `offset` and `line` say where the line after the one last given begins.
 */
#ifndef ASCOLTO_ADAPTERS_JSONL_LINES_H
#define ASCOLTO_ADAPTERS_JSONL_LINES_H

#include "common/base.h"

#define LINES_MAX ((size_t)1024 * 1024) /* without line end */
#define LINES_HEAD ((size_t)64 * 1024)	/* kept of a longer one */

struct lines {
	int fd; /* owned by the caller */
	uint8_t *data;
	size_t start, end; /* of what was read and not given yet */
	size_t scanned;	   /* no line end between start and here */
	uint64_t dropped;  /* bytes of a too long line that are gone already */
	uint64_t offset;
	uint64_t line; /* lines given so far */
};

enum lines_got { LINES_LINE, LINES_LONG, LINES_NONE };

int lines_init(struct lines *l, int fd, uint64_t offset, uint64_t line); /* -ENOMEM */
void lines_free(struct lines *l);

/* LINE: *ret_line is the line without its end (\n or \r\n). LONG: its first LINES_HEAD bytes; *ret_bytes is
 * its length. NONE: lines_fill first. The span is valid until lines_fill. */
enum lines_got lines_next(struct lines *l, struct span *ret_line, uint64_t *ret_bytes);

/* What is left at the end of the file: a last line without line end, or NONE. */
enum lines_got lines_rest(struct lines *l, struct span *ret_line, uint64_t *ret_bytes);

/* Reads more. The number of bytes, 0 at the end of the file, or a negative errno (-EAGAIN: nothing there
 * yet). */
ssize_t lines_fill(struct lines *l);

#endif
