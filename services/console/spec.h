/* spec.h - the console as svc.h sees it. README.md says what it does. */
#ifndef ASCOLTO_CONSOLE_SPEC_H
#define ASCOLTO_CONSOLE_SPEC_H

#include "common/svc.h"

extern const struct svc_spec console_spec;

#endif
