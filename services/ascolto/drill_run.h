/*
 * drill_run.h - a drill on its way (`ascolto drill run`). Not for others than cmd_drill.c and drill_*.c.
 *
 * drill_play.c gives the posts to ingest at their pace and waits, drill_read.c reads from the console what
 * came of it, drill_print.c says it. Whatever asks others returns a negative errno with the reason in `e`.
 */
#ifndef ASCOLTO_DRILL_RUN_H
#define ASCOLTO_DRILL_RUN_H

#include "common/drill.h"
#include "common/json.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/drill_score.h"
#include "services/ascolto/show.h"

#include <signal.h>

struct drill {
	const struct command_options *options;
	struct conf *conf;
	struct playbook *playbook;
	struct drill_scenario *scenario;
	const char *folder, *brand_name, *actor, *name;
	double pace;
	long wait_minutes;
	char brand[100]; /* BRAND~NAME */
	struct drill_incident incidents[DRILL_INCIDENTS_MAX];
	size_t incidents_n;
	json_t *told; /* what became of the alerts */
	int64_t began_ms;
	bool over; /* somebody ended it elsewhere */
	int64_t looked_ms;
};

extern volatile sig_atomic_t drill_interrupted; /* by a signal: it ends early, with the report of what was */

int64_t drill_clock_ms(void);

/* ---- drill_play.c ---- */

/* Tells escalation; takes the body. */
int drill_decide(const struct drill *d, const char *path, json_t *body, struct err *e);
json_t *drill_list(const struct conf *c, struct err *e); /* of escalation; NULL with the reason */
json_t *drill_ask(const struct drill *d, struct err *e, const char *fmt, ...)
	PRINTF(3, 4); /* the console's API; likewise */

/* Somebody wants it to end, here or elsewhere; asked once a second. An escalation that does not answer ends
 * nothing. */
bool drill_is_over(struct drill *d);
int drill_play(struct drill *d, struct err *e);
int drill_settle(struct drill *d, struct err *e); /* until all that was sent is decided and shown */
int drill_wait_for_people(
	struct drill *d, struct err *e); /* until they did what the playbook asks, or time is over */

/* ---- drill_read.c: into the drill ---- */

int drill_read_incidents(struct drill *d, struct err *e);
int drill_read_records(struct drill *d, struct err *e);
int drill_read_told(struct drill *d, struct err *e);

/* ---- drill_print.c ---- */

void drill_print_text(const struct drill *d, const struct drill_score *score);
void drill_print_json(const struct drill *d, const struct drill_score *score);

#endif
