#include "services/ascolto/show.h"

void table_cell(struct table *t, const char *fmt, ...)
{
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		char(*cells)[CELL_MAX] = realloc(t->cells, room * CELL_MAX);
		if (!cells)
			return; /* a cell less */
		t->cells = cells;
		t->room = room;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(t->cells[t->count++], CELL_MAX, fmt, ap);
	va_end(ap);
}

/* Characters, not bytes. */
static size_t width_of(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t, FILE *out)
{
	size_t columns = MIN(strlen(t->align), (size_t)TABLE_COLUMNS_MAX), width[TABLE_COLUMNS_MAX] = {0};
	for (size_t i = 0; i < t->count; i++)
		width[i % columns] = MAX(width[i % columns], width_of(t->cells[i]));
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % columns, blanks = width[column] - width_of(t->cells[i]);
		bool last = column + 1 == columns || i + 1 == t->count, right = t->align[column] == 'r';
		fprintf(out, "%*s", right ? (int)blanks : 0, "");
		show_text(out, t->cells[i], 0);
		fprintf(out, "%*s", right || last ? 0 : (int)blanks, "");
		fputs(last ? "\n" : "  ", out);
	}
}

void table_free(struct table *t)
{
	free(t->cells);
	t->cells = NULL;
	t->count = t->room = 0;
}

void show_text(FILE *out, const char *text, unsigned indent)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '\n' && indent)
			fprintf(out, "\n%*s", (int)indent, "");
		else if (*c == '\n' || *c == '\t')
			putc(' ', out);
		else if (*c < ' ' || *c == 0x7f)
			fprintf(out, "\\x%02x", *c);
		else if (*c == 0xc2 && c[1] >= 0x80 &&
			 c[1] < 0xa0) /* U+0080 to U+009F are control characters too */
			fprintf(out, "\\x%02x", *++c);
		else
			putc(*c, out);
	}
}

char *short_seconds(double seconds, char out[SHORT_MAX])
{
	if (seconds < 10)
		snprintf(out, SHORT_MAX, "%.1f s", seconds);
	else if (seconds < 120)
		snprintf(out, SHORT_MAX, "%.0f s", seconds);
	else if (seconds < 7200)
		snprintf(out, SHORT_MAX, "%.0f min", seconds / 60);
	else if (seconds < 172800)
		snprintf(out, SHORT_MAX, "%.0f h", seconds / 3600);
	else
		snprintf(out, SHORT_MAX, "%.0f d", seconds / 86400);
	return out;
}

char *short_bytes(double bytes, char out[SHORT_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	for (; bytes >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= 1000;
	snprintf(out, SHORT_MAX, unit && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return out;
}

char *short_time(int64_t ms, char out[SHORT_MAX])
{
	struct tm tm;
	time_t seconds = (time_t)(ms / 1000);
	if (!ms || !gmtime_r(&seconds, &tm) || !strftime(out, SHORT_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(out, SHORT_MAX, "-");
	return out;
}

char *plural(int64_t n, const char *noun, char out[SHORT_MAX])
{
	snprintf(out, SHORT_MAX, "%" PRId64 " %s%s", n, noun, n == 1 ? "" : "s");
	return out;
}

void show_json(FILE *out, json_t *j)
{
	json_dumpf(j, out, JSON_INDENT(2));
	putc('\n', out);
	json_decref(j);
}
