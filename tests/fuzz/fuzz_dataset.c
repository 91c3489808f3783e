/* A file of labelled messages. */
#include "tests/fuzz/fuzz.h"

#include "services/intent/dataset.h"

static void complain(void *ctx, const char *sentence)
{
	(*(size_t *)ctx)++;
	CHECK(sentence[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tasks[] = {"intent", "flags", "language", "somebodys_own"};
	struct fuzz_input in = {data, size};
	struct dataset d = {0};
	struct err e = {0};
	size_t complaints = 0;
	const char *task = tasks[fuzz_u8(&in) % ARRAY_SIZE(tasks)];
	const char *path = fuzz_file(in.data, in.size);
	if (dataset_read(&d, path, task, NULL, complain, &complaints, &e))
		CHECK(e.text[0]);
	for (size_t i = 0; i < d.n; i++) {
		const struct dataset_row *r = &d.rows[i];
		char place[300];
		CHECK(r->text && r->text[0] && r->label);
		CHECK(!strpbrk(r->text, "\t\n") && dataset_place(&d, r, place, sizeof(place)) == place);
	}
	dataset_free(&d);
	return 0;
}
