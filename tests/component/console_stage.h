/*
 * console_stage.h - for tests of the console: it runs as a process of its own, and the test plays escalation
 * at the other end of its links, and a client of its API. A test file includes console_stage.c.
 */
#ifndef ASCOLTO_TESTS_CONSOLE_STAGE_H
#define ASCOLTO_TESTS_CONSOLE_STAGE_H

#include "tests/component/peer.h"
#include "tests/component/program.h"
#include "tests/component/views.h"
#include "tests/unit/check.h"

#include <jansson.h>
#include <signal.h>
#include <sodium.h>

#define T0 ((int64_t)1773330000000) /* 2026-03-12, a day of the past: a replay */
#define RED ASCOLTO__CODE__CODE_RED
#define YELLOW ASCOLTO__CODE__CODE_YELLOW

extern struct installation in;
extern struct peer *escalation;
extern pid_t console;
extern int port; /* of the public listener */

/* Each test has a console of its own. */
int setup(void **state);
int teardown(void **state);
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

void open_peer(void);
void sent(void); /* waits until the console has committed everything it was told */

/* The answer to GET; fails unless it is 200 and JSON. */
json_t *get(const char *path);

/* The value at "messages.0.id"; NULL when there is none. */
json_t *at(json_t *j, const char *path);

/* The value there, as text, is `want`; "" also means that it is absent. */
void expect_in(json_t *j, const char *path, const char *want, const char *where);
void expect(const char *where, const char *path, const char *want);
void expect_count(const char *where, const char *list, size_t want);

/* "/api/v1/cases/%s" with the id of what has that name. Valid for the next fifteen calls. */
const char *path_of(const char *fmt, const char *name);

/* A request that must fail with this status and a sentence that holds `words`. */
void refused(const char *method, const char *path, const char *head, const char *body, int status,
	const char *words);

/* Things to show; times are minutes after T0. */
void say(const char *name, int minute, const char *text, const char *case_name, const char *incident_name);
void keep_case(const char *name, Ascolto__CaseState state, int updated_minute);
void keep_incident(Ascolto__Code code, unsigned people);

#endif
