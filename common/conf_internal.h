/*
 * conf_internal.h - what conf.c (shape, defaults, look-ups), conf_check.c (what can be wrong though the shape is right)
 * and conf_yaml.c (reading) share.
 */
#ifndef ASCOLTO_CONF_INTERNAL_H
#define ASCOLTO_CONF_INTERNAL_H

#include "conf.h"
#include "yaml_tree.h"

#define CONF_SERVICES 6

/* The services: their place in struct conf and the ports they have when the file does not say. */
struct conf_service_row {
	const char *name;
	size_t offset;
	unsigned link, http, listen; /* 0 = none */
};
extern const struct conf_service_row conf_services[CONF_SERVICES];
struct conf_service *conf_service_at(const struct conf *c, size_t i);

/* Opens `y` and fills *ret by the schema; the caller closes `y`, which finds the places of mistakes noticed later. */
int yaml_read(struct yaml *y, const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret,
	struct err *e);

/* Everything that can be checked without running; the defaults are filled in. */
int conf_check(struct conf *c, struct yaml *y, struct err *e);

#endif
