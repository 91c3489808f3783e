/*
 * signature.h - is a delivery signed by somebody who knows the secret, and not long ago?
 *
 *     X-Ascolto-Signature: t=1763757000,v1=5257a869e7ec…
 *
 * t is the signer's time in seconds since 1970; v1 the lower-case hex of HMAC-SHA256, keyed with the secret's
 * bytes, over t as it is written, a full stop, and the raw body. Several v1 may stand there while a key is
 * being changed; other schemes (v0, v2) are passed over. The form is the one Stripe documents
 * (https://docs.stripe.com/webhooks#verify-manually).
 *
 * Everything is compared in constant time, and against every secret, so that nothing can be learnt from how
 * long a refusal takes. Pure: no clock, no allocation.
 */
#ifndef ASCOLTO_ADAPTERS_WEBHOOK_SIGNATURE_H
#define ASCOLTO_ADAPTERS_WEBHOOK_SIGNATURE_H

#include "common/base.h"
#include "common/err.h"

#define SIGNATURE_WINDOW_S 300
#define SIGNATURES_MAX 8 /* v1 in one header */
#define SIGNATURE_HEX 64

/* 0, or -EACCES with the reason. An empty secret matches nothing; NULL or empty secrets are passed over. */
int signature_check(const char *header, struct span body, const char *const *secrets, size_t n_secrets,
	int64_t now_s, struct err *why);

/* The hex, and a NUL, of what a signer with that secret writes as v1. */
void signature_make(const char *secret, const char *t, struct span body, char hex[SIGNATURE_HEX + 1]);

#endif
