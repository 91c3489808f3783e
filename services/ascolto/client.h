/*
 * client.h - blocking HTTP calls to the services of this installation.
 *
 * Only http to the loopback addresses of the configuration: no proxy, no redirects. An answer of more than
 * CLIENT_BODY_MAX bytes counts as a failure. Errors are sentences that name service and address:
 * "intent does not answer at 127.0.0.1:7413: Connection refused". One thread.
 */
#ifndef ASCOLTO_CLIENT_H
#define ASCOLTO_CLIENT_H

#include "common/base.h"
#include "common/buf.h"
#include "common/conf.h"
#include "common/err.h"

#include <jansson.h>

#define CLIENT_BODY_MAX ((size_t)8 * 1024 * 1024)
#define CLIENT_ASK_MS 1000 /* for questions: a service that is busy longer than this is a finding in itself  \
			    */
#define CLIENT_ACT_MS 30000

/* The six services in the order messages go through them. */
extern const char *const client_services[];
#define CLIENT_SERVICES 6

struct client_call {
	const char *service;	    /* for error sentences */
	const char *address;	    /* 127.0.0.1:7413 */
	const char *method;	    /* NULL = GET */
	const char *path;	    /* "/-/status" */
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	struct span body;
	long timeout_ms; /* 0 = CLIENT_ASK_MS */
};

struct client_reply {
	long status;
	long retry_after_s; /* -1 = the answer does not say */
	struct buf body;    /* given back with buf_free */
};

/* 0 whatever the status, -ECONNREFUSED and -ETIMEDOUT (nobody there), -EIO, -EMSGSIZE, -ENOMEM. */
int client_call(const struct client_call *c, struct client_reply *ret, struct err *e);

/* The same, with the answer read as JSON: an object, else -EBADMSG. *ret_status may be NULL: then only 200 is
 * good and another status is -ENOENT (404) or -EREMOTEIO with the sentence the service gave. */
int client_json(const struct client_call *c, json_t **ret, long *ret_status, struct err *e);

/* Members of an answer, tolerant: what is missing or of another type reads as "" or 0. */
const char *member_text(const json_t *object, const char *key);
int64_t member_int(const json_t *object, const char *key);
double member_number(const json_t *object, const char *key);

static inline void free_json(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

#endif
