/*
 * intent.h - the intent service: what is meant and what is expected.
 *
 * Key group: as the message came (the customer). The service keeps people's corrections; models are files. README.md has
 * the service's page, classifier.h the interface to what decides.
 */
#ifndef ASCOLTO_INTENT_H
#define ASCOLTO_INTENT_H

#include "common/svc.h"

extern const struct svc_spec intent_spec;

enum { CORRECTIONS };
extern const struct table intent_tables[];

enum { INTENT_TO_ESCALATION };

enum verdict intent_enriched(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict intent_correction(struct turn *t, const Ascolto__Envelope *e, struct err *why);

#endif
