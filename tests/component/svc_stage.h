/*
 * svc_stage.h - for tests of a service's life: one that misbehaves on command, and what is around it.
 *
 * A test program is its own service under test: started with "toy NAME CONFIG" it is that service, and does
 * what its messages' text says (do_as_told in svc_stage.c). Its main begins with be_toy. There are two toys:
 * the first takes what the test sends and passes it on to the second.
 */
#ifndef ASCOLTO_TESTS_SVC_STAGE_H
#define ASCOLTO_TESTS_SVC_STAGE_H

#include "common/svc.h"
#include "tests/component/peer.h"
#include "tests/component/program.h"
#include "tests/unit/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 4000
#else
#define MANY 20000
#endif
#define ROUTES 16

enum { LOG, BULK, FIRED, TALLY, POSTS };
extern const struct table toy_tables[];
extern struct installation in;

/* "toy NAME CONFIG": the exit status of that service. */
int be_toy(const char *name, const char *config);

/* Each test has an installation of its own. */
int setup(void **state);
int teardown(void **state);
void end_all(void);
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- processes ---- */

/* launch does not wait, and what it logs is kept, of the last start only; start waits until it is ready, 0
 * when it ends. */
pid_t launch(const char *service);
pid_t start(const char *service);
bool has_ended(pid_t pid);
void end_in_order(pid_t *pid);
void show_log(const char *service);
bool log_says(const char *service, const char *words);

/* ---- asking them ---- */

int http_port_of(const char *service);
bool answers(const char *service, const char *path, int status);
void expect_reply(const char *method, const char *path, int status, const char *words); /* of the first toy */
/* A number from the status: the word as it stands in the JSON, for example "handled". */
int64_t status_of(const char *service, const char *word);
bool wait_status(const char *service, const char *word, int64_t want, int64_t timeout_ms);

/* ---- telling them ---- */

int64_t wall_ms(void);
struct peer *sender_to(const char *service);
struct peer *receiver_as(const char *service); /* plays the service the first toy sends to */
void tell_on(struct peer *p, uint64_t number, const char *route, const char *what);
void tell(struct peer *p, uint64_t number, const char *what);

/* ---- what they keep ---- */

/* What a table of a stopped toy holds. */
struct rows {
	uint64_t number[2 * MANY];
	uint8_t key_group[2 * MANY];
	size_t n;
};
const struct rows *read_rows(const char *service, int table);
/* Each of 0..n-1 once, in order within its key group, but for those left out. */
void assert_once_in_order(const struct rows *rows, uint64_t n, const uint64_t *but, size_t n_but);

#endif
