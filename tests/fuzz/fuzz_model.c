/*
 * A file that says it is a model: a small real one, with the input's changes. The first byte says whether its length and
 * checksum are put right afterwards (so that what is behind them is reached) and whether it is cut; then three bytes per
 * change: where (two bytes, scaled to the file), what. Whatever is opened must answer messages within its bounds.
 */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <xxhash.h>

#include "services/intent/model.h"
#include "services/intent/train.h"

enum { MADE_RIGHT = 1, CUT = 2 };

#define FILE_BYTES_MAX ((size_t)64 * 1024)

static _Alignas(64) uint8_t file[FILE_BYTES_MAX];

static void make(struct buf *out)
{
	static struct dataset_row rows[] = {
		{.text = "il modem non va", .label = "report_fault", .lang = "it"},
		{.text = "my router is dead", .label = "report_fault", .lang = "en"},
		{.text = "grazie mille", .label = "praise", .lang = "it"},
		{.text = "thanks a lot", .label = "praise", .lang = "en"},
	};
	static char name[] = "rows", *files[] = {name};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rows[i].surface = rows[i].channel = rows[i].id = "";
	struct dataset d = {.rows = rows, .n = ARRAY_SIZE(rows), .files = files, .n_files = 1};
	struct train_options o;
	struct err e = {0};
	train_defaults(&o, "intent");
	o.no_calibration = true;
	for (int b = 0; b < BLOCKS; b++)
		o.spec.buckets[b] = 64;
	CHECK(train_model(&d, NULL, &o, out, &e) == 0 && out->len <= FILE_BYTES_MAX);
}

static void make_right(size_t len)
{
	struct model_head *head = (struct model_head *)(void *)file;
	size_t behind = offsetof(struct model_head, checksum) + sizeof(head->checksum);
	if (len < sizeof(*head))
		return;
	head->file_len = len;
	head->checksum = XXH3_64bits(file + behind, len - behind);
}

static void answer(const struct model *m)
{
	static struct features f;
	static struct arena a;
	static float scores[MODEL_LABELS_MAX + 32];
	struct features_input in = {.language = 0, .surface = "public", .channel = "x"};
	if (!a.max) {
		arena_init(&a, 1024 * 1024);
		CHECK(features_init(&f) == 0);
	}
	arena_reset(&a);
	CHECK(text_read(span_str("il modem non va più, mai visto 😡 #bastaritardi!!"), &a, &in.text) == 0);
	features_extract(&f, &m->head->spec, &in);
	model_score(m, &f, scores);
	model_probabilities(m, scores);
	CHECK(m->head->labels && m->head->labels <= MODEL_LABELS_MAX && strlen(m->report) < FILE_BYTES_MAX);
	for (uint32_t i = 0; i < m->head->labels; i++)
		CHECK(m->label[i] && model_label(m, m->label[i]) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf real;
	struct fuzz_input in = {data, size};
	struct err e = {0};
	struct model m;
	if (!real.len) {
		buf_init(&real, MODEL_FILE_MAX);
		make(&real);
	}
	memcpy(file, real.data, real.len);
	size_t len = real.len;
	uint8_t how = fuzz_u8(&in);
	if (how & CUT)
		len = len * fuzz_u8(&in) / 255;
	while (in.size >= 3) {
		size_t at = (size_t)(fuzz_u8(&in) << 8);
		at |= fuzz_u8(&in);
		file[at * real.len >> 16] = fuzz_u8(&in);
	}
	if (how & MADE_RIGHT)
		make_right(len);
	if (model_from_bytes(&m, span_of(file, len), "a file", &e))
		CHECK(e.text[0]);
	else
		answer(&m);
	return 0;
}
