/*
 * ascolto.h - the operator's command: `ascolto NOUN VERB ...`.
 *
 * A command is a function and a row in the table of main.c; the table is also the help. Every command returns a
 * process exit status: 0 done, 1 it did not work, 2 wrong usage (`intent learn`: 3 the new model is not better). Results
 * go to standard output, complaints to standard error as one plain sentence. With -o json (taken from anywhere in argv before the command runs) results are JSON.
 */
#ifndef ASCOLTO_COMMAND_H
#define ASCOLTO_COMMAND_H

#include "common/base.h"

enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

struct command_options {
	bool json;          /* -o json */
	const char *config; /* -c FILE, or $ASCOLTO_CONFIG, or /etc/ascolto/ascolto.yaml */
};

struct command {
	const char *noun, *verb; /* verb "" when the noun alone is the command */
	int (*run)(const struct command_options *o, int argc, char **argv); /* argv[0] is the first word after the verb */
	const char *arguments;   /* for the help: "FILE.jsonl" */
	const char *doc;         /* one line */
};

/* Prints "ascolto: <sentence>" and returns COMMAND_FAILED. */
int command_fail(const char *fmt, ...) PRINTF(1, 2);

/* Each file cmd_<noun>.c brings its rows. A list ends with a row whose noun is NULL. */
extern const struct command commands_intent[]; /* what needs no service */
extern const struct command commands_models[]; /* what asks the intent service */
extern const struct command commands_status[];
extern const struct command commands_quarantine[];
extern const struct command commands_arm[];
extern const struct command commands_audit[];
extern const struct command commands_report[];
extern const struct command commands_score[];
extern const struct command commands_send[];
extern const struct command commands_check[];
extern const struct command commands_draft[];
extern const struct command commands_drill[];

#endif
