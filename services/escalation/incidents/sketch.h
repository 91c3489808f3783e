/*
 * sketch.h - about how many different people, in a fixed number of bytes, and how many in several sketches together.
 *
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, AofA 2007) with 256 registers and its linear counting for small
 * numbers: standard error 1.04 / sqrt(256) = 6.5 %. Sketches of parts of a time are merged into that of the whole time.
 * `who` must be spread evenly over 64 bits, as a hash is.
 */
#ifndef ASCOLTO_ESCALATION_SKETCH_H
#define ASCOLTO_ESCALATION_SKETCH_H

#include "common/base.h"

#define SKETCH_BYTES 256

void sketch_add(uint8_t sketch[SKETCH_BYTES], uint64_t who);
void sketch_merge(uint8_t into[SKETCH_BYTES], const uint8_t from[SKETCH_BYTES]);
double sketch_count(const uint8_t sketch[SKETCH_BYTES]);

#endif
