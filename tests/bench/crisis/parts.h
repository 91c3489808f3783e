/* parts.h - the parts of the bench. Each prints what it finds and says whether what is wanted was reached;
 * one whose file is not there says that it is skipped. */
#ifndef ASCOLTO_BENCH_PARTS_H
#define ASCOLTO_BENCH_PARTS_H

#include "common/base.h"

bool part_events(void);
bool part_airline(void);
bool part_volume(void);
bool part_ramp(void);
bool part_quiet(void);

/* A file of the data folder; the last answer is valid. */
const char *path_of(const char *name);
bool skipped(const char *part, const char *name);

#endif
