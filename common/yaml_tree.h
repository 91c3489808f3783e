/*
 * yaml_tree.h - a YAML text as a tree of libyaml's nodes, which know the line and column they stand at.
 *
 * What conf_yaml.c is made of: yaml_tree.c reads the text and finds places, yaml_schema.c holds the tree against a
 * schema. Errors are "FILE:LINE:COLUMN: sentence". The limits are those of conf_yaml.h.
 */
#ifndef ASCOLTO_YAML_TREE_H
#define ASCOLTO_YAML_TREE_H

#include "base.h"
#include "err.h"

#include <cyaml/cyaml.h>
#include <yaml.h>

#define YAML_PATH_MAX 256 /* of the key paths in errors */

struct yaml {
	const char *name; /* of the file, as errors show it; borrowed */
	yaml_document_t doc;
	bool open;
};

/* -EINVAL: not YAML, or more of it than is taken; -ENOMEM. To be closed in any case. */
int yaml_open(struct yaml *y, const char *name, struct span text, struct err *e);
void yaml_close(struct yaml *y);

/* Return -EINVAL. */
int yaml_verror(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, va_list ap);
int yaml_error(const struct yaml *y, yaml_mark_t at, struct err *e, const char *fmt, ...) PRINTF(4, 5);

yaml_node_t *yaml_node(struct yaml *y, int index);
const char *yaml_scalar(const yaml_node_t *n);

/* Where the value at "channels[1].brand" stands, or what should hold it. *ret_there, if not NULL, tells which. */
yaml_mark_t yaml_place(struct yaml *y, const char *key_path, bool *ret_there);

/* Whether the tree fits the schema: -EINVAL with the place of the first thing that does not (yaml_schema.c). */
int yaml_check(struct yaml *y, const cyaml_schema_value_t *schema, struct err *e);

#endif
