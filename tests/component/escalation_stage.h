/*
 * escalation_stage.h - escalation's handlers over a real store, with a clock that the test turns. Timers they set ring when
 * the clock gets there; orders, and the latest view of everything that is shown, are kept.
 */
#ifndef ASCOLTO_TESTS_ESCALATION_STAGE_H
#define ASCOLTO_TESTS_ESCALATION_STAGE_H

#include "common/svc_internal.h"
#include "services/escalation/escalation.h"
#include "tests/unit/check.h"

#define MINUTE ((int64_t)60000)
#define HOUR (60 * MINUTE)
#define GROUP key_group_of(span_str("acme"))
#define KEEP_MAX 600

extern struct world {
	struct store *store;
	struct brand brand;
	struct escalation escalation;
	int64_t now_ms;
	unsigned n_messages, n_commands;
	struct {
		uint8_t *data;
		size_t len;
		int64_t due_ms;
		struct id id;
	} timers[KEEP_MAX];
	size_t n_timers;
	Ascolto__Envelope *orders[KEEP_MAX];
	size_t n_orders;
	Ascolto__Envelope *cases[KEEP_MAX]; /* the latest view of each */
	size_t n_cases;
	Ascolto__HeldAlarms held;
	char refused[512], asker[64]; /* the latest refusal: why, and of whose command */
	struct {
		uint8_t id[ID_BYTES];
		char title[160];
		int code; /* 0: closed */
		unsigned waves;
		bool acknowledged;
	} incidents[8];
	size_t n_incidents;
	uint32_t term, trouble; /* what the next message is about, 0: nothing that is known; and what is wrong
				   with it */
	unsigned histories;
	Ascolto__Envelope *advocate;       /* the latest view of one */
	Ascolto__Envelope *answer;	   /* likewise */
	char change[32];                   /* of the latest history */
	Ascolto__Knowledge known;          /* what enrichment knows of who writes next */
	struct id last_message;
	char why[ERR_TEXT_MAX];
} w;


/* Around each test. */
int begin(void **state);
int end(void **state);
int64_t at(int day, int hour, int minute);

/* Turns the clock, ringing what is due on the way, each at its time; or with the service stopped meanwhile, everything at
 * the end. */
void until(int64_t to_ms);
void sleep_until(int64_t to_ms);

/* One message, by that handler. */
enum verdict turn(handler_fn *fn, Ascolto__Envelope *e);

/* Somebody writes. The same `n` is the same message. */
void says(const char *who, const char *conversation, const char *intent);
void says_as(unsigned n, const char *who, const char *conversation, const char *intent);

/* The latest view of a case, in the order in which they were opened; its state. */
Ascolto__Case *the(size_t i);
bool is(size_t i, enum case_state s);

/* A person decides: anything; something about a case; about a case and another one, or a conversation of it. */
enum verdict command(Ascolto__Command *c);
enum verdict change(size_t i, const char *verb, const char *actor, const char *words);
enum verdict change_with(size_t i, const char *verb, const struct id *other, const char *conversation);

enum verdict about_incident(const struct id *incident, bool close, const char *actor);

/* Orders of that template to that destination so far. */
unsigned told(const char *template_name, const char *destination);

/* Entries of the audit log of that kind whose detail has these words. */
unsigned audited(const char *what, const char *words);

/* The last command was refused, its author hears why, and the log knows; nothing else came of it. */
void assert_refused(enum verdict v, const char *asker, const char *words);

/* An incident that is red for the second time, with one step, due in half an hour. */
struct id red_again(Ascolto__Step *step);

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
