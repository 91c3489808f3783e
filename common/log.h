/*
 * log.h - one line per event on standard error.
 *
 * Only programs and the service loop log; library code returns a `struct err`. A line is
 * "<iso time> <level> <program>: <text>"; under systemd (JOURNAL_STREAM is set) time is left out and the level is
 * given as the <N> prefix. Control characters, line breaks included, are escaped as \xNN, so one event is one line
 * whatever a customer wrote.
 */
#ifndef ASCOLTO_LOG_H
#define ASCOLTO_LOG_H

#include "base.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* `program` is borrowed for the life of the process. */
void log_open(const char *program, enum log_level max_level);

/* "error", "warning", "info" or "debug"; -EINVAL otherwise. */
int log_level_parse(const char *word, enum log_level *ret_level);

void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
