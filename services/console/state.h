/*
 * state.h - the console's tables: the read model, built from views alone. Nothing here is the only copy of
 * anything.
 *
 * Every key lies in the key group of the brand. `newest` is a time that sorts the newest first. Index rows
 * hold the id and the time they are sorted by (state.Seen); a row whose record says another time is a
 * leftover of a damaged record and is skipped.
 *
 *     messages       message id                                ArmRecord
 *     inbox          brand; newest occurred, message id        index
 *     thread         case id; newest occurred, message id      index
 *     cases          case id                                   Case
 *     case_list      brand; 0 open 1 done, newest updated, id  index
 *     incidents      incident id                               Incident
 *     incident_list  brand; 0 open 1 done, newest opened, id   index
 *     deliveries     incident (or case) id, order id           Outcome
 *     tallies        brand; name                               Counter
 *     crises         brand                                     Crisis
 *     answers        case (or incident) id, answer id          Answer
 *     advocates      brand; customer id                        Advocate
 *     refusals       brand; newest, command id                 Refusal: the latest REFUSALS_MAX
 *     audit_heads    brand; hour                               AuditHead: the last one of that hour
 */
#ifndef ASCOLTO_CONSOLE_STATE_H
#define ASCOLTO_CONSOLE_STATE_H

#include "common/svc.h"

#include "proto/state.pb-c.h"

enum console_table {
	MESSAGES,
	INBOX,
	THREAD,
	CASES,
	CASE_LIST,
	INCIDENTS,
	INCIDENT_LIST,
	DELIVERIES,
	TALLIES,
	CRISES,
	ANSWERS,
	AUDIT_HEADS,
	ADVOCATES,
	REFUSALS
};
#define REFUSALS_MAX 200
extern const struct table console_tables[];

/* What is counted per brand. Incidents are counted by the code they have now, open or not. */
enum tally {
	TALLY_MESSAGES,
	TALLY_CASES,
	TALLY_OPEN_CASES,
	TALLY_INCIDENTS_NONE,
	TALLY_INCIDENTS_GREEN,
	TALLY_INCIDENTS_YELLOW,
	TALLY_INCIDENTS_RED,
	TALLY_OPEN_INCIDENTS,
	TALLY_ALERTS_SENT,
	TALLY_HELD_ALARMS,
	TALLIES_ALL
};

static inline uint8_t brand_group(const char *brand)
{
	return key_group_of(span_str(brand));
}

/* A record by its id (MESSAGES, CASES, INCIDENTS). */
struct key record_key(enum console_table table, uint8_t group, const struct id *id);

/* Where a list begins: what all of its rows' keys share. */
struct key inbox_key(uint8_t group, const char *brand);
struct key thread_key(uint8_t group, const struct id *case_id);
struct key case_list_key(uint8_t group, const char *brand, bool open);
struct key incident_list_key(uint8_t group, const char *brand, bool open);

/* One row of a list. */
struct key list_row_key(const struct key *list, int64_t ms, const struct id *id);

struct key deliveries_key(uint8_t group, const struct id *subject);
struct key delivery_key(uint8_t group, const struct id *subject, const struct id *order);
struct key crisis_key(uint8_t group, const char *brand);
struct key answers_key(uint8_t group, const struct id *subject);
struct key answer_key(uint8_t group, const struct id *subject, const struct id *answer);
struct key tally_key(uint8_t group, const char *brand, enum tally n);
struct key advocates_key(uint8_t group, const char *brand);
struct key advocate_key(uint8_t group, const char *brand, const struct id *customer);
struct key refusals_key(uint8_t group, const char *brand);
struct key refusal_key(uint8_t group, const char *brand, const struct id *command);
struct key audit_heads_key(uint8_t group, const char *brand);
struct key audit_head_key(uint8_t group, const char *brand, int64_t at_ms);

/* An answer to a customer, and no alarm. */
bool delivery_is_answer(const Ascolto__Outcome *o);
/* What a delivery is about: of an alarm the incident, else the case, else the brand itself (crisis mode),
 * which is the zero id; of an answer its case. */
struct id delivery_subject(const Ascolto__Outcome *o);

/* Walks a list from its beginning, or after the row (after_ms, after): calls fn with each record, read into
 * the arena, until it returns false. Rows whose record is gone or damaged are skipped. 0 or a negative errno.
 */
struct list_place {
	int64_t ms;
	struct id id;
};
typedef bool list_fn(void *ctx, const void *record);
int list_walk(struct txn *t, struct arena *a, const struct key *list, enum console_table records,
	const struct list_place *after, list_fn *fn, void *ctx);

int64_t read_tally(struct txn *t, struct arena *a, uint8_t group, const char *brand, enum tally n);

#endif
