/* ours.h - what the product made of a stream: its alarms, and while which incidents were open. */
#ifndef ASCOLTO_BENCH_OURS_H
#define ASCOLTO_BENCH_OURS_H

#include "services/escalation/topics/surge.h"
#include "tests/bench/crisis/others.h"
#include "tests/bench/crisis/posts.h"
#include "tests/bench/crisis/replay.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

extern bool verbose;
extern const char *models_folder;
extern const struct thresholds default_thresholds; /* those of playbook.yaml */

/* A replay by the playbook of the bench and the models of that folder. */
struct replay *replay_by_default(void);

struct span_of_time {
	int64_t from_ms, to_ms;
};

struct ours {
	struct alarms alarms;	   /* people were called: openings, risings and new waves */
	struct span_of_time *open; /* of the incidents */
	size_t n_open;
	size_t topics; /* live at the end */
};

struct ours ours_of(const struct replay *r, int64_t end_ms);
void ours_free(struct ours *o);

/* The posts of that channel, NULL: of all, as those of one brand. */
struct ours ours_of_posts(const struct posts *p, const char *channel);

const char *when(int64_t ms); /* the last four answers stay */

#endif
