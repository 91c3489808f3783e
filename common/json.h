/*
 * json.h - jansson with the limits a stranger's JSON needs, and protobuf messages shown as JSON.
 *
 * json_parse refuses before parsing: more than JSON_BYTES_MAX bytes, nesting beyond JSON_DEPTH_MAX, more than
 * JSON_MEMBERS_MAX members and elements, a number longer than JSON_NUMBER_MAX characters, invalid UTF-8 (named with
 * its byte offset); then, in parsing: duplicate keys, NUL in strings, integers beyond 64 bits. Errors are sentences
 * with line and column that quote nothing of the text.
 */
#ifndef ASCOLTO_JSON_H
#define ASCOLTO_JSON_H

#include "base.h"
#include "buf.h"
#include "err.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#define JSON_BYTES_MAX (1024 * 1024)
#define JSON_DEPTH_MAX 32
#define JSON_MEMBERS_MAX 10000
#define JSON_NUMBER_MAX 64

/* 0, -EMSGSIZE (a limit), -EBADMSG (not JSON). The caller gives *ret_json back with json_decref. */
int json_parse(struct span text, json_t **ret_json, struct err *e);

/* A string as a JSON string, quotes included. Invalid UTF-8 becomes U+FFFD; "</" is written "<\/". */
int json_add_string(struct buf *out, struct span s);

/* A protobuf message as one JSON object: field names as in the .proto, enums as their names in lower case without
 * their common prefix (CODE_RED -> "red"), bytes of 16 as ids (common/id.h), other bytes as base64, numbers
 * as numbers (beyond 2^53, hashes mostly, as strings, because a browser would round them); absent sub-messages,
 * empty strings and empty lists left out, oneof members under their names. -EMSGSIZE when `out` is full. */
int json_add_message(struct buf *out, const ProtobufCMessage *m);

#endif
