/*
 * fuzz.h - what the fuzz targets share. A target is one function that takes any bytes and must neither crash,
 * leak, nor break what it CHECKs.
 *
 * Two ways to run the same target: with clang's libFuzzer (preset fuzz: build/fuzz/tests/fuzz_NAME
 * corpus/NAME), which looks for new paths as long as it is left alone; and with driver.c in every other
 * preset, where ctest gives the corpus and seeded mutations of it to the target for some seconds.
 */
#ifndef ASCOLTO_TESTS_FUZZ_H
#define ASCOLTO_TESTS_FUZZ_H

#include "common/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process like a crash when the condition does not hold. */
#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);        \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

/* The bytes as a file that can be opened by name; valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Takes bytes from the front of the input; what is not there is 0 or shorter. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static inline struct span fuzz_bytes(struct fuzz_input *in, size_t len)
{
	struct span s = span_of(in->data, MIN(len, in->size));
	in->data += s.len;
	in->size -= s.len;
	return s;
}

/* A string without NUL inside, at most `size` bytes with its NUL. */
static inline const char *fuzz_str(struct fuzz_input *in, size_t len, char *out, size_t size)
{
	struct span s = fuzz_bytes(in, MIN(len, size - 1));
	memcpy(out, s.len ? s.data : (const uint8_t *)"", s.len);
	out[s.len] = 0;
	return out;
}

#endif
