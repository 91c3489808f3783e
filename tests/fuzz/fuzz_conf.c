/* A configuration file. */
#include "tests/fuzz/fuzz.h"

#include "common/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = NULL;
	struct err e = {0};
	int r = conf_load(&c, fuzz_file(data, size), &e);
	CHECK(r ? !c && e.text[0] : c && c->data && c->services.ingest.link);
	conf_free(&c);
	return 0;
}
