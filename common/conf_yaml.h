/*
 * conf_yaml.h - any YAML file into a struct by a libcyaml schema: the settings, and the playbooks.
 *
 * libcyaml fills the structs, but it says where a mistake is only roughly and takes "5x" for a number. So the text is
 * first read as a tree of libyaml's nodes, which know line and column, and the tree is held against the same schema.
 * Stricter than libcyaml alone: at most CONF_YAML_MAX bytes and one document, UTF-8, no aliases, no key twice, whole
 * numbers in decimal digits only, booleans true or false, no NUL in strings.
 *
 * The error is "FILE:LINE:COLUMN: sentence". What was read is given back with conf_yaml_free.
 */
#ifndef ASCOLTO_CONF_YAML_H
#define ASCOLTO_CONF_YAML_H

#include "base.h"
#include "buf.h"
#include "err.h"

#include <cyaml/cyaml.h>

#define CONF_YAML_MAX ((size_t)1024 * 1024)
int conf_yaml_load(const char *path, const cyaml_schema_value_t *schema, void **ret, struct err *e);
int conf_yaml_parse(const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret, struct err *e);
void conf_yaml_free(const cyaml_schema_value_t *schema, void **data);

/* A mistake found after reading, said like those found while reading: "FILE:LINE:COLUMN: sentence" with the place of the
 * value at `key_path`, for example "kinds[2].code" (entries count from 0). A part of the path that is not in the file
 * gives the place of what should hold it. Reads the file again. Returns -EINVAL. */
int conf_yaml_error(const char *path, const char *key_path, struct err *e, const char *fmt, ...) PRINTF(4, 5);

/* A whole file, at most `max` bytes; freed by the caller, unless it fails. */
int conf_read_file(const char *path, size_t max, struct buf *ret_text, struct err *e);

#endif
