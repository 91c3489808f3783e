/* rows.h - TAB-separated files with a header line, and times as RFC 3339 or "YYYY-MM-DD HH:MM:SS" (UTC). */
#ifndef ASCOLTO_BENCH_ROWS_H
#define ASCOLTO_BENCH_ROWS_H

#include "common/base.h"

#define ROWS_COLUMNS_MAX 16

struct rows {
	char *buffer;
	char **cells; /* n * columns */
	size_t n, columns;
	char *names[ROWS_COLUMNS_MAX];
};

/* False when there is no such file; exits with a sentence when it is not what it should be. */
bool rows_read(struct rows *r, const char *path);
void rows_free(struct rows *r);
const char *rows_cell(const struct rows *r, size_t row, const char *column);
int64_t rows_time_ms(const char *text);

#endif
