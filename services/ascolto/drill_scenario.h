/*
 * drill_scenario.h - a written or recorded storm, to be played as a drill.
 *
 * A scenario is a folder with two files. drill.yaml:
 *
 *     title: A firmware update kills the modems      # for the people who are told
 *     story: what happens, and what is to be learnt from it
 *
 * posts.jsonl has one post a line as adapters give them (services/adapters/README.md), in the order of created_at_ms, and in
 * each a member "drill" with what a person who knows the story says of it, all optional:
 *
 *     "drill": {"about": "modems",      the crisis it belongs to; none: everyday talk
 *               "lane": "service",      or "polemic": the lane it should get
 *               "at_once": true}        somebody should be told of this one, whatever the count
 *
 * A recorded storm without these is played too; then only what the playbook asks of people is scored.
 */
#ifndef ASCOLTO_DRILL_SCENARIO_H
#define ASCOLTO_DRILL_SCENARIO_H

#include "common/base.h"
#include "common/err.h"
#include "common/id.h"

#include <jansson.h>

#define DRILL_POSTS_MAX 20000
#define DRILL_CRISES_MAX 8

struct drill_post {
	json_t *json;             /* as it is to be sent: without "drill" */
	const char *native_id;    /* inside json */
	char about[32], lane[16];
	bool at_once;
	uint64_t who;             /* author */
	int64_t at_ms;            /* created_at_ms: first the file's, then as it was sent */
	/* what became of it; drill_score.h reads it */
	bool seen;
	char lane_got[16];
	bool has_case, told;
	char incident[ID_TEXT + 1];
};

struct drill_scenario {
	char *title, *story;
	struct drill_post *posts;
	size_t n;
	size_t sent;              /* so many were played; only these are scored */
	char crises[DRILL_CRISES_MAX][32]; /* the different "about", in the order they begin */
	size_t crises_n;
};

/* -ENOENT, -EINVAL with "FILE:LINE: sentence". */
int drill_scenario_read(struct drill_scenario **ret, const char *folder, struct err *e);
void drill_scenario_free(struct drill_scenario **s);

/* Moves all times so that the last post is at `end_ms`; distances stay. */
void drill_scenario_move(struct drill_scenario *s, int64_t end_ms);

struct drill_post *drill_scenario_find(const struct drill_scenario *s, const char *native_id);

#endif
