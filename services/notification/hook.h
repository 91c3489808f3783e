/*
 * hook.h - a notification as a signed webhook.
 *
 * The body is the order as JSON (common/json.h), the incident's state at that time in its member "incident".
 * Headers:
 *
 *     Content-Type: application/json
 *     X-Ascolto-Delivery: ID                    the order's id: a receiver drops what it has had
 *     X-Ascolto-Signature: t=SECONDS,v1=HEX     HMAC-SHA256 with the shared secret over "SECONDS.BODY"; a
 * receiver checks that t is near its own clock, so that a copy can not be played again (the scheme
 * services/adapters/webhook takes, too) X-Ascolto-Signature-256: sha256=HEX       the same over the body
 * alone, for receivers that know only this, such as Debian's webhook; without protection against a copy
 * played again
 */
#ifndef ASCOLTO_NOTIFICATION_HOOK_H
#define ASCOLTO_NOTIFICATION_HOOK_H

#include "common/base.h"
#include "common/buf.h"
#include "common/id.h"

#include "proto/ascolto.pb-c.h"

#define HOOK_BODY_MAX ((size_t)1024 * 1024)

struct hook {
	char delivery[ID_TEXT + 1];
	char signature[32 + 64];
	char signature_256[8 + 64];
	struct buf body;
};

/* -EMSGSIZE: the body. hook_free is due in any case. */
int hook_compose(
	struct hook *h, const Ascolto__Order *o, const struct id *id, const char *secret, int64_t now_ms);
void hook_free(struct hook *h);

#endif
