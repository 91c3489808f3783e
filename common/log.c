#include "log.h"

#include <unistd.h>

#define LINE_MAX_BYTES 4096

static const char *log_program = "ascolto";
static enum log_level log_max = LOG_LEVEL_INFO;

void log_open(const char *program, enum log_level max_level)
{
	log_program = program;
	log_max = max_level;
}

static const struct {
	enum log_level level;
	const char *word;
} levels[] = {
	{LOG_LEVEL_ERROR, "error"},
	{LOG_LEVEL_WARNING, "warning"},
	{LOG_LEVEL_INFO, "info"},
	{LOG_LEVEL_DEBUG, "debug"},
};

int log_level_parse(const char *word, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (str_eq(levels[i].word, word)) {
			*ret_level = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

static const char *level_word(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			return levels[i].word;
	return "?";
}

/* Escapes control characters; UTF-8 passes. Always ends in NUL. */
static void escape(char *out, size_t size, const char *in)
{
	size_t n = 0;
	for (; *in && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;
		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n] = 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	if (level > log_max)
		return;
	char text[LINE_MAX_BYTES], safe[LINE_MAX_BYTES + 64], line[LINE_MAX_BYTES + 256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape(safe, sizeof(safe), text);

	int n;
	if (getenv("JOURNAL_STREAM")) {
		n = snprintf(line, sizeof(line), "<%d>%s\n", (int)level, safe);
	} else {
		struct timespec ts;
		struct tm tm;
		char when[40];
		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(line, sizeof(line), "%s.%03ldZ %s %s: %s\n", when, ts.tv_nsec / 1000000,
			level_word(level), log_program, safe);
	}
	if (n > 0) {
		ssize_t ignored = write(STDERR_FILENO, line, MIN((size_t)n, sizeof(line) - 1));
		(void)ignored;
	}
}
