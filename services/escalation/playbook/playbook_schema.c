/* The shape of a playbook's file. */
#include "services/escalation/playbook/playbook_file.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NAME(s, member) CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, struct s, member, 1, 64)
#define MAYBE_NAME(s, member) CYAML_FIELD_STRING_PTR(#member, OPTIONAL, struct s, member, 1, 64)
#define TEXT(s, member, max) CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, struct s, member, 1, max)
#define MAYBE_NUMBER(s, member) CYAML_FIELD_UINT_PTR(#member, OPTIONAL, struct s, member)
#define NUMBER(s, member) CYAML_FIELD_UINT(#member, CYAML_FLAG_DEFAULT, struct s, member)
#define MAYBE_BOOL(s, member) CYAML_FIELD_BOOL_PTR(#member, OPTIONAL, struct s, member)
#define BOOL(s, member) CYAML_FIELD_BOOL(#member, CYAML_FLAG_OPTIONAL, struct s, member)
#define LIST(s, member, entry, min, max)                                                                                       \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER, struct s, member, &entry, min, max)
#define MAYBE_LIST(s, member, entry, min, max) CYAML_FIELD_SEQUENCE(#member, OPTIONAL, struct s, member, &entry, min, max)
#define ENTRY(s, fields) {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct s, fields)}

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 200)};

/* ---- hours ---- */

static const cyaml_schema_field_t hours_fields[] = {
	LIST(file_hours, days, word, 1, 7),
	NAME(file_hours, from),
	NAME(file_hours, to),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t hours = ENTRY(file_hours, hours_fields);

static const cyaml_schema_field_t special_fields[] = {
	NAME(file_special, date),
	MAYBE_NAME(file_special, from),
	MAYBE_NAME(file_special, to),
	BOOL(file_special, closed),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t special = ENTRY(file_special, special_fields);

static const cyaml_schema_field_t calendar_fields[] = {
	NAME(file_calendar, name),
	MAYBE_NAME(file_calendar, time_zone),
	LIST(file_calendar, hours, hours, 1, CALENDAR_HOURS_MAX),
	MAYBE_LIST(file_calendar, breaks, hours, 0, CALENDAR_HOURS_MAX),
	MAYBE_LIST(file_calendar, holidays, word, 0, 366),
	MAYBE_LIST(file_calendar, holiday_files, word, 0, 8),
	MAYBE_LIST(file_calendar, special_days, special, 0, CALENDAR_HOURS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t calendar = ENTRY(file_calendar, calendar_fields);

static const cyaml_schema_field_t sla_fields[] = {
	NAME(file_sla, name),
	MAYBE_NAME(file_sla, calendar),
	MAYBE_NUMBER(file_sla, acknowledge_minutes),
	MAYBE_NUMBER(file_sla, resolve_minutes),
	MAYBE_BOOL(file_sla, pause_while_waiting),
	MAYBE_NAME(file_sla, late),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t sla = ENTRY(file_sla, sla_fields);

/* ---- people ---- */

static const cyaml_schema_field_t actor_fields[] = {
	NAME(playbook_actor, name),
	TEXT(playbook_actor, title, 200),
	MAYBE_LIST(playbook_actor, tell, word, 0, 16),
	MAYBE_NAME(playbook_actor, rotation),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t actor = ENTRY(playbook_actor, actor_fields);

static const cyaml_schema_field_t team_fields[] = {
	NAME(playbook_team, name),
	TEXT(playbook_team, title, 200),
	CYAML_FIELD_STRING_PTR("business_unit", OPTIONAL, struct playbook_team, business_unit, 1, 200),
	NAME(playbook_team, lead),
	LIST(playbook_team, members, word, 1, 64),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t team = ENTRY(playbook_team, team_fields);

static const cyaml_schema_field_t override_fields[] = {
	NAME(file_override, from),
	NAME(file_override, to),
	NAME(file_override, actor),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t override = ENTRY(file_override, override_fields);

static const cyaml_schema_field_t rotation_fields[] = {
	NAME(file_rotation, name),
	MAYBE_NAME(file_rotation, time_zone),
	NAME(file_rotation, starts),
	MAYBE_NAME(file_rotation, at),
	MAYBE_NUMBER(file_rotation, turn_days),
	LIST(file_rotation, actors, word, 1, 64),
	MAYBE_LIST(file_rotation, overrides, override, 0, 256),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t rotation = ENTRY(file_rotation, rotation_fields);

static const cyaml_schema_field_t call_fields[] = {
	NUMBER(playbook_call, after_minutes),
	NAME(playbook_call, actor),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t call = ENTRY(playbook_call, call_fields);

static const cyaml_schema_field_t repeat_fields[] = {
	NUMBER(file_repeat, times),
	NUMBER(file_repeat, every_minutes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t then_fields[] = {
	NAME(file_then, chain),
	NUMBER(file_then, after_minutes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t chain_fields[] = {
	NAME(file_chain, name),
	LIST(file_chain, calls, call, 1, PLAYBOOK_CHAIN_MAX),
	CYAML_FIELD_MAPPING_PTR("repeat", OPTIONAL, struct file_chain, repeat, repeat_fields),
	CYAML_FIELD_MAPPING_PTR("then", OPTIONAL, struct file_chain, then, then_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t chain = ENTRY(file_chain, chain_fields);

static const cyaml_schema_field_t step_fields[] = {
	TEXT(playbook_step, text, 500),
	NAME(playbook_step, actor),
	NUMBER(playbook_step, within_minutes),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t step = ENTRY(playbook_step, step_fields);

/* ---- kinds, incidents ---- */

static const cyaml_schema_field_t kind_fields[] = {
	NAME(file_kind, name),
	TEXT(file_kind, title, 200),
	CYAML_FIELD_MAPPING_PTR("when", OPTIONAL, struct file_kind, when, when_fields),
	NAME(file_kind, code),
	MAYBE_BOOL(file_kind, opens_case),
	NAME(file_kind, owner),
	MAYBE_NAME(file_kind, team),
	MAYBE_NAME(file_kind, last_word),
	MAYBE_NAME(file_kind, sla),
	MAYBE_NUMBER(file_kind, acknowledge_minutes),
	MAYBE_NUMBER(file_kind, resolve_minutes),
	MAYBE_LIST(file_kind, at_once, word, 1, 16),
	MAYBE_NUMBER(file_kind, gather_minutes),
	MAYBE_LIST(file_kind, allowed, word, 0, 16),
	MAYBE_LIST(file_kind, steps, step, 0, 32),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t kind = ENTRY(file_kind, kind_fields);

static const cyaml_schema_field_t incident_fields[] = {
	NAME(playbook_incident, code),
	CYAML_FIELD_SEQUENCE_COUNT("chain", OPTIONAL, struct playbook_incident, own_chain, own_chain_count, &call, 1,
		PLAYBOOK_CHAIN_MAX),
	MAYBE_NAME(playbook_incident, call),
	MAYBE_LIST(playbook_incident, steps, step, 0, 64),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t incident = ENTRY(playbook_incident, incident_fields);

/* ---- answering ---- */

static const cyaml_schema_field_t approval_fields[] = {
	NAME(file_approval, name),
	LIST(file_approval, actions, word, 1, 16),
	MAYBE_LIST(file_approval, kinds, word, 1, PLAYBOOK_KINDS_MAX),
	MAYBE_LIST(file_approval, codes, word, 1, 3),
	CYAML_FIELD_MAPPING_PTR("when", OPTIONAL, struct file_approval, when, when_fields),
	LIST(file_approval, approvers, word, 1, 16),
	MAYBE_NUMBER(file_approval, people),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t approval = ENTRY(file_approval, approval_fields);

static const cyaml_schema_field_t voice_fields[] = {
	NAME(playbook_voice, name),
	MAYBE_LIST(playbook_voice, channels, word, 1, 32),
	MAYBE_LIST(playbook_voice, networks, word, 1, 32),
	MAYBE_NAME(playbook_voice, language),
	BOOL(playbook_voice, formal),
	BOOL(playbook_voice, emoji),
	BOOL(playbook_voice, slang),
	BOOL(playbook_voice, loud),
	BOOL(playbook_voice, signature),
	MAYBE_LIST(playbook_voice, signatures, word, 1, 16),
	CYAML_FIELD_UINT("max_characters", CYAML_FLAG_OPTIONAL, struct playbook_voice, max_characters),
	MAYBE_NAME(playbook_voice, unit),
	MAYBE_NAME(playbook_voice, hashtag),
	MAYBE_NUMBER(playbook_voice, min_readability),
	MAYBE_LIST(playbook_voice, promises, word, 0, 100),
	MAYBE_LIST(playbook_voice, forbidden, word, 0, 100),
	MAYBE_LIST(playbook_voice, acronyms, word, 0, 100),
	MAYBE_LIST(playbook_voice, contacts, word, 0, 64),
	MAYBE_LIST(playbook_voice, blocks, word, 0, 16),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t voice = ENTRY(playbook_voice, voice_fields);

/* ---- the whole ---- */

static const cyaml_schema_field_t file_fields[] = {
	NAME(playbook_file, name),
	CYAML_FIELD_UINT_PTR("version", CYAML_FLAG_POINTER, struct playbook_file, version),
	MAYBE_LIST(playbook_file, languages, word, 1, 16),
	MAYBE_NAME(playbook_file, time_zone),
	MAYBE_NUMBER(playbook_file, window_minutes),
	MAYBE_NUMBER(playbook_file, yellow_people),
	MAYBE_NUMBER(playbook_file, red_people),
	MAYBE_NUMBER(playbook_file, grave_people),
	CYAML_FIELD_FLOAT_PTR("over_normal", OPTIONAL, struct playbook_file, over_normal),
	MAYBE_NUMBER(playbook_file, reopen_hours),
	MAYBE_LIST(playbook_file, calendars, calendar, 0, 16),
	LIST(playbook_file, actors, actor, 1, 64),
	MAYBE_LIST(playbook_file, teams, team, 0, 32),
	MAYBE_LIST(playbook_file, rotations, rotation, 0, 16),
	MAYBE_LIST(playbook_file, chains, chain, 0, 16),
	CYAML_FIELD_SEQUENCE_COUNT("sla", OPTIONAL, struct playbook_file, slas, slas_count, &sla, 0, 16),
	LIST(playbook_file, kinds, kind, 1, PLAYBOOK_KINDS_MAX),
	LIST(playbook_file, incidents, incident, 1, 8),
	MAYBE_LIST(playbook_file, approvals, approval, 0, 32),
	MAYBE_LIST(playbook_file, voices, voice, 0, 32),
	CYAML_FIELD_MAPPING_PTR("crisis", OPTIONAL, struct playbook_file, crisis, playbook_crisis_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t playbook_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct playbook_file, file_fields)};
