#include "tests/bench/crisis/rows.h"

#include <time.h>

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t cap = 1 << 20, n = 0, got;
	char *data = f ? malloc(cap + 1) : NULL;
	while (data && (got = fread(data + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap)
			data = realloc(data, (cap *= 2) + 1);
	}
	if (f)
		fclose(f);
	if (data)
		data[n] = 0;
	return data;
}

static _Noreturn void bad(const char *path, size_t line)
{
	fprintf(stderr, "bench: %s:%zu: another number of columns than the header has\n", path, line);
	exit(1);
}

bool rows_read(struct rows *r, const char *path)
{
	*r = (struct rows){0};
	char *line = r->buffer = slurp(path), *rest = NULL, *cell;
	size_t cap = 0;
	if (!line)
		return false;
	rest = strchr(line, '\n');
	if (rest)
		*rest++ = 0;
	for (char *next = line; r->columns < ROWS_COLUMNS_MAX && (cell = strsep(&next, "\t"));)
		r->names[r->columns++] = cell;
	while (rest && *rest) {
		line = rest;
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		if (r->n == cap) {
			cap = cap * 2 + 1024;
			r->cells = realloc(r->cells, cap * r->columns * sizeof(*r->cells));
		}
		for (size_t i = 0; i < r->columns; i++)
			if (!(r->cells[r->n * r->columns + i] = strsep(&line, "\t")))
				bad(path, r->n + 2);
		r->n++;
	}
	return true;
}

void rows_free(struct rows *r)
{
	free(r->buffer);
	free(r->cells);
	*r = (struct rows){0};
}

const char *rows_cell(const struct rows *r, size_t row, const char *column)
{
	for (size_t i = 0; i < r->columns; i++)
		if (str_eq(r->names[i], column))
			return r->cells[row * r->columns + i];
	fprintf(stderr, "bench: there is no column \"%s\"\n", column);
	exit(1);
}

int64_t rows_time_ms(const char *text)
{
	struct tm tm = {0};
	int ms = 0;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	rest = rest ? rest : strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (!rest) {
		fprintf(stderr, "bench: \"%s\" is not a time\n", text);
		exit(1);
	}
	if (*rest == '.')
		sscanf(rest, ".%3d", &ms);
	return (int64_t)timegm(&tm) * 1000 + ms;
}
