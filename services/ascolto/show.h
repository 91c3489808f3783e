/*
 * show.h - what the command prints: tables, times, sizes, and strangers' text made harmless for a terminal.
 */
#ifndef ASCOLTO_SHOW_H
#define ASCOLTO_SHOW_H

#include "common/base.h"

#include <jansson.h>

#define TABLE_COLUMNS_MAX 12
#define CELL_MAX 256

/* Rows of cells, printed with columns as wide as their widest cell. The first row is the head. */
struct table {
	const char *align; /* one letter a column: l or r; at most TABLE_COLUMNS_MAX */
	char (*cells)[CELL_MAX];
	size_t count, room;
};

/* The next cell; lines wrap by themselves. Longer than CELL_MAX it is cut. */
void table_cell(struct table *t, const char *fmt, ...) PRINTF(2, 3);
void table_print(const struct table *t, FILE *out);
void table_free(struct table *t);

/* Control characters, escape sequences with them, as \xNN; line breaks as a line break followed by `indent`
 * blanks, or as one blank when indent is 0. */
void show_text(FILE *out, const char *text, unsigned indent);

#define SHORT_MAX 32
char *short_seconds(double seconds, char out[SHORT_MAX]); /* 0.3 s, 12 s, 4 min, 3 h, 9 d */
char *short_bytes(double bytes, char out[SHORT_MAX]);	  /* 512 B, 1.2 MB */
char *short_time(int64_t ms, char out[SHORT_MAX]);	  /* 2026-03-01 14:02:07 UTC; "-" for 0 */

/* "1 message", "2 messages" */
char *plural(int64_t n, const char *noun, char out[SHORT_MAX]);

/* Pretty, with a line end; takes the reference. */
void show_json(FILE *out, json_t *j);

#endif
