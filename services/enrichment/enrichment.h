/*
 * enrichment.h - the enrichment service: who wrote, and what the brand knows about them.
 *
 * Key group: the customer. An author is its own customer until a person or the CRM links identities; the customer's id is
 * made from brand and the author's first scoped id, so it is the same on every machine and after every replay. README.md
 * has the service's page.
 */
#ifndef ASCOLTO_ENRICHMENT_H
#define ASCOLTO_ENRICHMENT_H

#include "common/svc.h"

extern const struct svc_spec enrichment_spec;

enum { CUSTOMERS, CONVERSATIONS };
extern const struct table enrichment_tables[];

enum { ENRICHMENT_TO_INTENT };

enum verdict enrichment_received(struct turn *t, const Ascolto__Envelope *e, struct err *why);
enum verdict enrichment_history(struct turn *t, const Ascolto__Envelope *e, struct err *why);

#endif
