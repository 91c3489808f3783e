/*
 * program.h - for tests: one of our programs as a process of its own, with a configuration in a temporary
 * folder, and blocking HTTP calls to it. One thread.
 */
#ifndef ASCOLTO_TESTS_PROGRAM_H
#define ASCOLTO_TESTS_PROGRAM_H

#include "common/base.h"

#include <sys/types.h>

struct installation {
	char folder[64];  /* made by installation_open, removed by installation_close */
	char config[128]; /* the file in it */
	int port;	  /* of the first address; see installation_port */
};

/* Makes the folder and ascolto.yaml in it: brand "brezza" and every service's addresses on free ports. `more`
 * is YAML added at the end, or NULL. */
void installation_open(struct installation *in, const char *more);
void installation_close(struct installation *in);

enum installation_address { ADDRESS_LINK, ADDRESS_HTTP, ADDRESS_LISTEN };
int installation_port(const struct installation *in, const char *service, enum installation_address which);

/* Starts BINARY_DIR/bin/<program> and waits until its service is ready; 0 when it is not within ten seconds.
 */
pid_t program_start(const struct installation *in, const char *service);

/* SIGTERM (or another signal), then its exit status; -1 when a signal ended it. */
int program_stop(pid_t *pid, int signal_number);

struct reply {
	int status; /* 0: no answer */
	char *head, *body;
};

/* `head` are further header lines, each ended with "\r\n"; NULL: none. `body` NULL: none. Given back with
 * reply_free. */
struct reply talk(int port, const char *method, const char *path, const char *head, const char *body);
void reply_free(struct reply *r);

/* A connected socket, for what talk can not do; -1. */
int dial(int port);

#endif
