/*
 * playbook_file.h - a playbook as it stands in its file, and what its readers share: playbook_schema.c has the shape,
 * playbook_people.c reads actors, teams, rotations and chains, playbook_hours.c calendars and SLA policies, playbook_kinds.c
 * kinds and what hangs on them, playbook.c puts it together.
 *
 * Pointers to numbers are NULL when the key is left out.
 */
#ifndef ASCOLTO_ESCALATION_PLAYBOOK_FILE_H
#define ASCOLTO_ESCALATION_PLAYBOOK_FILE_H

#include "services/escalation/playbook/condition.h"
#include "services/escalation/playbook/playbook.h"

struct file_hours {
	char **days;
	unsigned days_count;
	char *from, *to;
};

struct file_special {
	char *date, *from, *to;
	bool closed;
};

struct file_calendar {
	char *name;
	char *time_zone;
	struct file_hours *hours, *breaks;
	unsigned hours_count, breaks_count;
	char **holidays;
	unsigned holidays_count;
	char **holiday_files;
	unsigned holiday_files_count;
	struct file_special *special_days;
	unsigned special_days_count;
	struct calendar *calendar; /* compiled */
};

struct file_override {
	char *from, *to, *actor;
};

struct file_rotation {
	char *name;
	char *time_zone;
	char *starts, *at;
	unsigned *turn_days;
	char **actors;
	unsigned actors_count;
	struct file_override *overrides;
	unsigned overrides_count;
	/* compiled */
	struct rotation rotation;
	struct zone *zone;
	unsigned *members;
	struct rotation_override *entries;
};

struct file_repeat {
	unsigned times, every_minutes;
};

struct file_then {
	char *chain;
	unsigned after_minutes;
};

struct file_chain {
	char *name;
	struct playbook_call *calls;
	unsigned calls_count;
	struct file_repeat *repeat;
	struct file_then *then;
	struct playbook_call *all; /* compiled: with what repeats and follows */
	unsigned all_count;
};

struct file_sla {
	char *name;
	char *calendar;
	unsigned *acknowledge_minutes, *resolve_minutes;
	bool *pause_while_waiting;
	char *late;
	struct playbook_sla sla; /* compiled */
};

struct file_kind {
	char *name;
	char *title;
	struct when *when;
	char *code;
	bool *opens_case;
	char *owner, *team, *last_word;
	char *sla;
	unsigned *acknowledge_minutes, *resolve_minutes, *gather_minutes;
	char **at_once;
	unsigned at_once_count;
	char **allowed;
	unsigned allowed_count;
	struct playbook_step *steps;
	unsigned steps_count;
	struct condition *also; /* compiled */
};

struct file_approval {
	char *name;
	char **actions;
	unsigned actions_count;
	char **kinds, **codes;
	unsigned kinds_count, codes_count;
	struct when *when;
	char **approvers;
	unsigned approvers_count;
	unsigned *people;
	struct condition *condition; /* compiled */
};

struct playbook_file {
	char *name;
	unsigned *version;
	char **languages;
	unsigned languages_count;
	char *time_zone;
	unsigned *window_minutes, *yellow_people, *red_people, *grave_people, *reopen_hours;
	double *over_normal;
	struct file_calendar *calendars;
	unsigned calendars_count;
	struct playbook_actor *actors;
	unsigned actors_count;
	struct playbook_team *teams;
	unsigned teams_count;
	struct file_rotation *rotations;
	unsigned rotations_count;
	struct file_chain *chains;
	unsigned chains_count;
	struct file_sla *slas;
	unsigned slas_count;
	struct file_kind *kinds;
	unsigned kinds_count;
	struct playbook_incident *incidents;
	unsigned incidents_count;
	struct file_approval *approvals;
	unsigned approvals_count;
	struct playbook_voice *voices;
	unsigned voices_count;
	struct playbook_crisis *crisis;
};

extern const cyaml_schema_value_t playbook_schema;

/* What is being read. */
struct reading {
	const char *path;
	struct playbook *p;         /* being made */
	struct playbook_file *file;
	char where[256];
	struct err *e;
};

/* "kinds[2].owner", kept in the reading until the next call. */
const char *reading_at(struct reading *rd, const char *fmt, ...) PRINTF(2, 3);

/* The mistake stands at `where`, a path as conf_yaml_error takes it. Returns -EINVAL. */
int reading_wrong(struct reading *rd, const char *where, const char *fmt, ...) PRINTF(3, 4);

/* Whether an actor of that name exists; else the mistake. `whose` is the entry that names it, "the chain of red". */
int reading_check_actor(struct reading *rd, const char *where, const char *whose, const char *name);

/* Whether each name of a list occurs once; the name is the first member of an entry. */
int reading_check_names(struct reading *rd, const char *list, const char *what, const void *rows, size_t n, size_t row_size);

/* "; did you mean ...", from the names of such a list; kept in a static buffer until the next call. */
const char *reading_suggest(const char *word, const void *rows, size_t n, size_t row_size);

int reading_people(struct reading *rd);  /* actors, teams, rotations, chains */
int reading_hours(struct reading *rd);   /* calendars, SLA policies; after people */
int reading_kinds(struct reading *rd);   /* kinds, incidents, approvals, voices; after hours */

const struct file_chain *reading_chain(const struct reading *rd, const char *name);
const struct file_sla *reading_sla(const struct reading *rd, const char *name);
const struct file_calendar *file_calendar_named(const struct playbook_file *f, const char *name);

#endif
