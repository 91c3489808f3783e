/* spec.h - ingest as svc.h sees it. README.md says what it does. */
#ifndef ASCOLTO_INGEST_SPEC_H
#define ASCOLTO_INGEST_SPEC_H

#include "common/svc.h"

extern const struct svc_spec ingest_spec;

#endif
