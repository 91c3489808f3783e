#include "services/intent/check.h"
#include "services/intent/classifier.h"
#include "services/intent/calibrate.h"
#include "services/intent/matrix.h"
#include "services/intent/measure.h"
#include "services/intent/model.h"
#include "services/intent/panel.h"
#include "services/intent/train.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "tests/unit/check.h"

static char folder[64];

static const char *path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(path_of(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

/* A small world: two subjects, a few words each. */
static void write_rows(const char *name)
{
	static const char *const words[2][6] = {{"modem", "rotto", "luce", "rossa", "guasto", "spento"},
		{"grazie", "bravi", "ottimo", "gentile", "perfetto", "veloci"}};
	char text[65536];
	size_t n = (size_t)snprintf(text, sizeof(text), "id\tlang\ttext\tintent\tflags\n");
	for (int i = 0; i < 240; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "R%d\tit\til %s %s e' %s numero%d\t%s\t%s\n", i, words[i % 2][i / 2 % 6],
			words[i % 2][i / 12 % 6], words[i % 2][i / 7 % 6], i, i % 2 ? "praise" : "report_fault",
			i % 2 ? "-" : i % 4 ? "outage" : "outage,safety");
	write_file(name, text, n);
}

static void train_task(const char *task, struct buf *out)
{
	struct dataset d = {0};
	struct err e = {0};
	assert_int_equal(dataset_read(&d, path_of("rows.tsv"), task, NULL, NULL, NULL, &e), 0);
	assert_int_equal(d.n, 240);
	struct train_options o;
	train_defaults(&o, task);
	o.spec.buckets[BLOCK_WORD] = 4096;
	o.spec.buckets[BLOCK_CHARS] = 4096;
	o.spec.buckets[BLOCK_PAIRS] = 1024;
	o.spec.buckets[BLOCK_KNOW] = 512;
	assert_int_equal(train_model(&d, NULL, &o, out, &e), 0);
	dataset_free(&d);
}

static void training_learns_and_repeats(void **state)
{
	(void)state;
	struct buf a, b;
	buf_init(&a, MODEL_FILE_MAX);
	buf_init(&b, MODEL_FILE_MAX);
	train_task("intent", &a);
	train_task("intent", &b);
	assert_true(span_eq(buf_span(&a), buf_span(&b)));
	struct model m;
	struct err e = {0};
	assert_int_equal(model_from_bytes(&m, buf_span(&a), "a", &e), 0);
	assert_int_equal(m.head->labels, 2);
	assert_true(model_label(&m, "praise") >= 0);
	assert_int_equal(model_label(&m, "spam"), -1);
	struct dataset d = {0};
	assert_int_equal(dataset_read(&d, path_of("rows.tsv"), "intent", NULL, NULL, NULL, &e), 0);
	struct measure_row *rows = calloc(d.n, sizeof(*rows));
	double seconds;
	assert_int_equal(measure_run(&m, &d, rows, &seconds), 0);
	struct measure s;
	measure_sum(&m, rows, d.n, &s);
	assert_true(s.accuracy == 1.0 && s.macro_f1 == 1.0);
	free(rows);
	dataset_free(&d);
	buf_free(&a);
	buf_free(&b);
}

/* The kinds of a label are columns of their own; what is told outside is the label, once. */
static void kinds_of_a_label_are_summed(void **state)
{
	(void)state;
	static const struct {
		const char *lane, *intent, *words[4];
	} kinds[] = {{"service", "report_fault", {"modem", "rotto", "luce", "rossa"}},
		{"service", "billing", {"fattura", "doppia", "euro", "rimborso"}},
		{"none", "praise", {"grazie", "bravi", "ottimo", "gentile"}}, {"none", "spam", {"guadagna", "clicca", "premio", "casa"}}};
	char text[16384];
	size_t n = (size_t)snprintf(text, sizeof(text), "lang\ttext\tlane\tintent\n");
	for (int i = 0; i < 96; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "it\t%s %s %d\t%s\t%s\n", kinds[i % 4].words[i / 4 % 4],
			kinds[i % 4].words[i / 16 % 4], i, kinds[i % 4].lane, kinds[i % 4].intent);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "it\tmodem nuovo\tservice\tbuy\n"); /* a kind of too few rows */
	write_file("kinds.tsv", text, n);
	struct dataset d = {0};
	struct err e = {0};
	struct buf bytes;
	struct train_options o;
	struct measure_row rows[97];
	struct measure s;
	struct model m;
	double seconds;
	buf_init(&bytes, MODEL_FILE_MAX);
	assert_int_equal(dataset_read(&d, path_of("kinds.tsv"), "lane", NULL, NULL, NULL, &e), 0);
	assert_string_equal(d.rows[1].finer, "billing");
	train_defaults(&o, "lane");
	assert_int_equal(train_model(&d, NULL, &o, &bytes, &e), 0);
	assert_int_equal(model_from_bytes(&m, buf_span(&bytes), "lane", &e), 0);
	assert_int_equal(m.head->labels, 5); /* fault, bill and the rest; praise, spam */
	assert_int_equal(m.different, 2);
	assert_int_equal(measure_run(&m, &d, rows, &seconds), 0);
	measure_sum(&m, rows, d.n, &s);
	assert_true(s.accuracy == 1.0);
	float p[MODEL_LABELS_MAX + 32] = {1, 1, 1, 1, 1};
	model_probabilities(&m, p);
	int service = model_label(&m, "service"), none = model_label(&m, "none");
	for (int i = 0; i < 5; i++)
		assert_true(i == service ? p[i] > 0.59f && p[i] < 0.61f : i == none ? p[i] > 0.39f && p[i] < 0.41f : !(p[i] > 0));
	assert_null(strstr(strstr(m.report, "service ") + 1, "\nservice "));
	dataset_free(&d);
	buf_free(&bytes);
}

/* Rows whose label is doubted are told by the caller's rows, which outlive the training. */
static void doubtful_rows_are_told(void **state)
{
	(void)state;
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "text\tintent\n");
	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %d\t%s\n", i % 2 ? "grazie bravi" : "modem rotto", i,
			(i % 2) ^ (i == 30) ? "praise" : "report_fault");
	write_file("doubt.tsv", text, n);
	struct dataset d = {0};
	struct err e = {0};
	struct buf out;
	struct train_options o;
	size_t across = 0;
	buf_init(&out, MODEL_FILE_MAX);
	assert_int_equal(dataset_read(&d, path_of("doubt.tsv"), "intent", NULL, NULL, NULL, &e), 0);
	train_defaults(&o, "intent");
	assert_int_equal(check_dataset(&d, &o, &out, &across, &e), 0);
	assert_non_null(strstr(buf_str(&out), "doubt.tsv:32: praise, the model says report_fault"));
	dataset_free(&d);
	buf_free(&out);
}

/* With few rows, the name of somebody's own label says what it means. */
static void own_labels_are_read(void **state)
{
	(void)state;
	static const char rows[] = "label\ttext\nbaggage_lost\tit never came out on the belt\n"
		"seatUpgrade\tmay i sit further in front\n";
	static const char tests[] = "label\ttext\nbaggage_lost\tyou lost all of my baggage\nseatUpgrade\tany chance of an upgrade\n";
	write_file("own.tsv", rows, sizeof(rows) - 1);
	write_file("own_test.tsv", tests, sizeof(tests) - 1);
	struct dataset d = {0}, test = {0};
	struct err e = {0};
	struct buf bytes;
	struct train_options o;
	buf_init(&bytes, MODEL_FILE_MAX);
	/* Under a name of the product's, too. */
	assert_int_equal(dataset_read(&d, path_of("own.tsv"), "intent", NULL, NULL, NULL, &e), 0);
	assert_int_equal(dataset_read(&test, path_of("own_test.tsv"), "intent", NULL, NULL, NULL, &e), 0);
	train_defaults(&o, "intent");
	assert_int_equal(train_model(&d, NULL, &o, &bytes, &e), 0);
	struct model m;
	assert_int_equal(model_from_bytes(&m, buf_span(&bytes), "own", &e), 0);
	assert_int_equal(m.head->rows, 2); /* as given */
	struct measure_row judged[2];
	double seconds;
	assert_int_equal(measure_run(&m, &test, judged, &seconds), 0);
	assert_true(judged[0].answer == judged[0].truth && judged[1].answer == judged[1].truth);
	dataset_free(&d);
	dataset_free(&test);
	buf_free(&bytes);
}

static void scores_are_what_the_formula_says(void **state)
{
	(void)state;
	struct buf bytes;
	buf_init(&bytes, MODEL_FILE_MAX);
	train_task("intent", &bytes);
	struct model m;
	struct err e = {0};
	assert_int_equal(model_from_bytes(&m, buf_span(&bytes), "m", &e), 0);
	uint32_t lists[BLOCKS][64];
	for (size_t n = 0; n < 40; n++) {
		struct features f = {0};
		for (int b = 0; b < BLOCKS; b++) {
			f.bucket[b] = lists[b];
			f.n[b] = n;
			for (size_t i = 0; i < n; i++)
				lists[b][i] = (uint32_t)((i * 7919 + n * 31 + (size_t)b) % m.head->spec.buckets[b]);
		}
		float got[MODEL_LABELS_MAX + 32];
		model_score(&m, &f, got);
		for (uint32_t c = 0; c < m.head->labels; c++) {
			double want = (double)m.bias[c];
			for (int b = 0; b < BLOCKS; b++)
				for (size_t i = 0; i < n; i++)
					want += (double)model_contribution(&m, &f, b, lists[b][i], (int)c);
			assert_true(fabs(want - (double)got[c]) < 1e-4);
		}
	}
	buf_free(&bytes);
}

/* Side by side, models say exactly what each says alone. */
static void a_panel_scores_as_its_models_do(void **state)
{
	(void)state;
	static const char *const tasks[] = {"intent", "flags"};
	struct buf bytes[2];
	struct model m[2], other;
	struct panel p = {0};
	struct err e = {0};
	for (size_t i = 0; i < 2; i++) {
		buf_init(&bytes[i], MODEL_FILE_MAX);
		train_task(tasks[i], &bytes[i]);
		assert_int_equal(model_from_bytes(&m[i], buf_span(&bytes[i]), tasks[i], &e), 0);
		assert_true(panel_takes(&p, &m[i]));
		panel_add(&p, &m[i]);
	}
	struct model_head changed = *m[0].head;
	changed.spec.chars_max--;
	other = m[0];
	other.head = &changed;
	assert_false(panel_takes(&p, &other));
	assert_int_equal(panel_make(&p), 0);
	uint32_t lists[BLOCKS][9];
	struct features f = {0};
	for (int b = 0; b < BLOCKS; b++) {
		f.bucket[b] = lists[b];
		for (f.n[b] = 0; f.n[b] < ARRAY_SIZE(lists[b]); f.n[b]++)
			lists[b][f.n[b]] = (uint32_t)(f.n[b] * 7919 + (size_t)b * 31) % m[0].head->spec.buckets[b];
	}
	float all[MODEL_LABELS_MAX + 32], alone[MODEL_LABELS_MAX + 32];
	panel_score(&p, &f, all);
	for (size_t i = 0; i < 2; i++) {
		model_score(&m[i], &f, alone);
		for (uint32_t c = 0; c < m[i].head->labels; c++)
			assert_true(all[p.from[i] + c] == alone[c]);
	}
	panel_free(&p);
	buf_free(&bytes[0]);
	buf_free(&bytes[1]);
}

static void assert_refused(const char *name, const char *because)
{
	struct model m;
	struct err e = {0};
	int r = model_open(&m, path_of(name), &e);
	assert_true(r < 0);
	if (!strstr(e.text, because))
		fail_msg("%s: refused with \"%s\", expected \"%s\"", name, e.text, because);
	assert_non_null(strstr(e.text, name));
	model_close(&m);
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	train_task("intent", &b);
	write_file("empty.model", "", 0);
	assert_refused("empty.model", "not a model");
	write_file("text.model", "hello", 5);
	assert_refused("text.model", "not a model");
	assert_refused("missing.model", "No such file");
	write_file("cut.model", b.data, b.len - 1);
	assert_refused("cut.model", "damaged");
	for (size_t i = 0; i < 64; i++) {
		size_t at = 24 + (b.len - 24) / 64 * i;
		b.data[at] ^= 0x10;
		write_file("flipped.model", b.data, b.len);
		assert_refused("flipped.model", "damaged");
		b.data[at] ^= 0x10;
	}
	struct model_head *h = (void *)b.data;
	h->version = MODEL_VERSION + 1;
	write_file("future.model", b.data, b.len);
	assert_refused("future.model", "update Ascolto");
	buf_free(&b);
}

/* A forger can compute checksums: every number of the head is still checked. */
static void forged_heads_are_refused(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	train_task("flags", &b);
	size_t refused = 0, tried = 0;
	for (size_t at = 24; at + 4 <= sizeof(struct model_head); at += 4) {
		static const uint32_t values[] = {0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 640};
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			uint32_t old;
			memcpy(&old, b.data + at, 4);
			memcpy(b.data + at, &values[v], 4);
			uint64_t sum = XXH3_64bits(b.data + 24, b.len - 24);
			memcpy(b.data + offsetof(struct model_head, checksum), &sum, sizeof(sum));
			struct model m;
			struct err e = {0};
			tried++;
			if (model_from_bytes(&m, buf_span(&b), "forged", &e) < 0) {
				refused++;
			} else { /* what is accepted can be used */
				static uint32_t list[8] = {0, 1, 2, 3, 4, 5, 6, 7};
				struct features f = {0};
				for (int k = 0; k < BLOCKS; k++) {
					f.bucket[k] = list;
					f.n[k] = m.head->spec.buckets[k] >= 8 ? 8 : 0;
				}
				float p[MODEL_LABELS_MAX + 32];
				model_score(&m, &f, p);
				model_probabilities(&m, p);
			}
			memcpy(b.data + at, &old, 4);
		}
	}
	assert_true(refused > tried / 3);
	buf_free(&b);
}

/* A model that calls itself one of the task's, and answers what the task does not know. */
static void strange_labels_are_refused(struct buf *b)
{
	struct model m;
	struct err e = {0};
	train_task("intent", b);
	assert_int_equal(model_from_bytes(&m, buf_span(b), "m", &e), 0);
	assert_int_equal(classifier_check_model(&m, "intent", "m", &e), 0);
	assert_int_equal(classifier_check_model(&m, "lane", "m", &e), -EBADMSG);
	memcpy((void *)(uintptr_t)m.label[0], "X", 1);
	assert_int_equal(classifier_check_model(&m, "intent", "m", &e), -EBADMSG);
	assert_non_null(strstr(e.text, "is none that \"intent\" has"));
}

static void classifier_answers_and_abstains(void **state)
{
	(void)state;
	struct err e = {0};
	struct classifier *c = NULL;
	struct arena a;
	arena_init(&a, 8 * 1024 * 1024);
	assert_int_equal(classifier_open_linear("/nonexistent", &c, &e), -ENOENT);
	mkdir(path_of("models"), 0755);
	assert_int_equal(classifier_open_linear(path_of("models"), &c, &e), 0);
	Ascolto__Understanding u;
	struct classifier_input in = {.text = span_str("il modem è rotto da ieri"), .lang = "it"};
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	assert_null(u.intent);
	assert_string_equal(u.language, "it");
	assert_non_null(u.signature);
	assert_int_equal(u.n_flags, 0);
	/* What has a form of its own needs no model. */
	in.text = span_str("scusate, il mio IBAN: IT60 X054 2811 1010 0000 0123 456");
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	assert_int_equal(u.n_flags, 1);
	assert_string_equal(u.flags[0], "personal_data");
	in.text = span_str("il modem è rotto da ieri");
	classifier_close(&c);
	assert_null(c);

	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	train_task("intent", &b);
	write_file("models/intent.model", b.data, b.len);
	train_task("flags", &b);
	write_file("models/flags.model", b.data, b.len);
	assert_int_equal(classifier_open_linear(path_of("models"), &c, &e), 0);
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	assert_string_equal(u.intent->value, "report_fault");
	assert_true(u.intent->probability > 0.5f);
	bool outage = false;
	for (size_t i = 0; i < u.n_flags; i++)
		outage |= strcmp(u.flags[i], "outage") == 0;
	assert_true(outage);
	size_t without = u.n_flags;
	in.text = span_str("il modem è rotto da ieri, chiamatemi al 347 1234567");
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	assert_true(u.n_flags >= without);
	assert_string_equal(u.flags[u.n_flags - 1], "personal_data");
	in.text = span_str("il modem è rotto da ieri");
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	char name[80]; /* language, intent, expectation, event, sentiment, lane, flags */
	snprintf(name, sizeof(name), "linear/.%.8s.....%.8s", classifier_linear_model(c, "intent")->head->name + 7,
		classifier_linear_model(c, "flags")->head->name + 6);
	assert_string_equal(u.model, name);
	uint8_t packed[8192];
	assert_true(ascolto__understanding__get_packed_size(&u) < sizeof(packed));
	ascolto__understanding__pack(&u, packed);

	static uint8_t big[1024 * 1024];
	memset(big, 'a', sizeof(big));
	const struct span hostile[] = {{NULL, 0}, span_str("\xff\xff"), span_str("😀"), span_of("\0\0", 2), span_of(big, sizeof(big))};
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		arena_reset(&a);
		in.text = hostile[i];
		assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	}
	in.text = span_of(NULL, 0);
	assert_int_equal(classifier_predict(c, &in, &a, &u, &e), 0);
	assert_string_equal(u.intent->value, "");
	struct arena small;
	arena_init(&small, 100);
	assert_int_equal(classifier_predict(c, &in, &small, &u, &e), -ENOMEM);
	arena_free(&small);
	classifier_close(&c);

	write_file("models/lane.model", b.data, b.len); /* another task's model */
	assert_int_equal(classifier_open_linear(path_of("models"), &c, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "a model for \"flags\""));
	unlink(path_of("models/lane.model"));
	/* A chosen model takes the folder's place; one that the task can not use is refused. */
	char other[256];
	const char *instead[CLASSIFIER_TASKS] = {0};
	snprintf(other, sizeof(other), "%s", path_of("other.model"));
	instead[classifier_task("flags")] = other;
	assert_int_equal(classifier_open_chosen(path_of("models"), instead, &c, &e), -ENOENT);
	write_file("other.model", b.data, b.len);
	assert_int_equal(classifier_open_chosen(path_of("models"), instead, &c, &e), 0);
	assert_non_null(classifier_linear_model(c, "flags"));
	classifier_close(&c);
	instead[classifier_task("lane")] = other;
	assert_int_equal(classifier_open_chosen(path_of("models"), instead, &c, &e), -EBADMSG);
	assert_int_equal(classifier_task("banking"), -1);
	unlink(other);
	strange_labels_are_refused(&b);
	buf_free(&b);
	arena_free(&a);
}

static void note(void *ctx, const char *sentence)
{
	struct buf *b = ctx;
	buf_addf(b, "%s\n", sentence);
}

static void bad_rows_are_named(void **state)
{
	(void)state;
	static const char rows[] = "id\ttext\tintent\nA\tciao\tother\nB\tciao\nC\t\tother\nD\tciao\tnonsense\n\nE\tciao\t\r\nF\tbuono\tpraise\n"
				   "G\tx\0y\tother\nH\tlast\tspam";
	write_file("bad.tsv", rows, sizeof(rows) - 1);
	struct dataset d = {0};
	struct err e = {0};
	struct buf said;
	buf_init(&said, 65536);
	assert_int_equal(dataset_read(&d, path_of("bad.tsv"), "intent", NULL, note, &said, &e), 0);
	assert_int_equal(d.n, 3);
	assert_non_null(strstr(buf_str(&said), "bad.tsv:3: 2 columns where the header line has 3"));
	assert_non_null(strstr(buf_str(&said), "bad.tsv:4: no text"));
	assert_non_null(strstr(buf_str(&said), "bad.tsv:5: intent has no label \"nonsense\""));
	assert_non_null(strstr(buf_str(&said), "bad.tsv:7: no label"));
	assert_non_null(strstr(buf_str(&said), "bad.tsv:9: a NUL character"));
	dataset_free(&d);
	write_file("bad.tsv", "a\tb\n", 4);
	assert_int_equal(dataset_read(&d, path_of("bad.tsv"), "intent", NULL, note, &said, &e), -EINVAL);
	assert_non_null(strstr(e.text, "no column \"text\""));
	dataset_free(&d);
	write_file("bad.tsv", "", 0);
	assert_int_equal(dataset_read(&d, path_of("bad.tsv"), "intent", NULL, note, &said, &e), -EINVAL);
	dataset_free(&d);
	buf_free(&said);
}

static void too_little_is_refused(void **state)
{
	(void)state;
	write_file("one.tsv", "text\tintent\nciao\tother\nsalve\tother\n", 36);
	struct dataset d = {0};
	struct err e = {0};
	assert_int_equal(dataset_read(&d, path_of("one.tsv"), "intent", NULL, NULL, NULL, &e), 0);
	struct train_options o;
	train_defaults(&o, "intent");
	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	assert_int_equal(train_model(&d, NULL, &o, &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "two labels are needed"));
	buf_free(&b);
	dataset_free(&d);
}

static void calibration_finds_what_was_put_in(void **state)
{
	(void)state;
	enum { N = 4000 };
	static float scores[N * 2];
	static int truth[N];
	uint32_t seed = 3;
	const float temperature = 0.5f;
	for (int i = 0; i < N; i++) {
		seed = seed * 1664525 + 1013904223;
		float s = (float)(seed >> 8) / (1 << 24) * 4 - 2;
		seed = seed * 1664525 + 1013904223;
		float p = 1 / (1 + expf(-s / temperature));
		truth[i] = (float)(seed >> 8) / (1 << 24) < p ? 0 : 1;
		scores[2 * i] = s;
		scores[2 * i + 1] = 0;
	}
	float found = calibrate_temperature(scores, truth, N, 2);
	assert_true(found > 0.42f && found < 0.58f);
	assert_true(calibrate_threshold(scores, truth, N, 2, found, 0.0) <= 0.51f);
	float strict = calibrate_threshold(scores, truth, N, 2, found, 9.0);
	assert_true(strict > 0.8f && strict < 0.97f);
	assert_true(calibrate_temperature(scores, truth, 0, 2) == 1.0f);
	static bool yes[N];
	static float one[N];
	for (int i = 0; i < N; i++) {
		one[i] = scores[2 * i];
		yes[i] = truth[i] == 0;
	}
	struct model_platt p = calibrate_platt(one, yes, N);
	assert_true(p.slope > 1.7f && p.slope < 2.4f && fabsf(p.offset) < 0.2f);
}

static float drawn(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (float)(*seed >> 8) / (1 << 24);
}

/* Answers that are right less often than they say, as those of a support vector machine are. */
static void sure_answers_are_brought_down(void **state)
{
	(void)state;
	enum { N = 6000 };
	static float odds[N];
	static bool right[N];
	static struct measure_row said[N], mapped[N];
	uint32_t seed = 7;
	for (int i = 0; i < N; i++) {
		float p = 0.05f + 0.94f * drawn(&seed), true_odds = 0.5f * model_log_odds(p) + 0.3f;
		odds[i] = model_log_odds(p);
		right[i] = drawn(&seed) < 1 / (1 + expf(-true_odds));
		said[i] = (struct measure_row){.answer = right[i] ? 0 : 1, .probability = p};
	}
	float slope, offset;
	calibrate_answer(odds, right, N, &slope, &offset);
	assert_true(slope > 0.45f && slope < 0.55f && offset > 0.2f && offset < 0.4f);
	for (int i = 0; i < N; i++) {
		mapped[i] = said[i];
		mapped[i].probability = 1 / (1 + expf(-(slope * odds[i] + offset)));
	}
	double chance;
	assert_true(measure_calibration(said, N, &chance) > 0.08 && chance < 0.03);
	assert_true(measure_calibration(mapped, N, &chance) < 2 * chance);
	assert_true(measure_calibration(said, 0, &chance) == 0 && chance == 0);
	calibrate_answer(odds, right, CALIBRATE_ANSWER_ROWS - 1, &slope, &offset);
	assert_true(slope == 1 && offset == 0);
}

/* However low it is brought, the answer stays the answer, and everything together stays 1. */
static void the_answer_stays_the_answer(void **state)
{
	(void)state;
	struct model_head head = {.kind = MODEL_EXCLUSIVE,
		.labels = 4,
		.columns = 16,
		.temperature = 1,
		.answer_slope = 0.4f,
		.answer_offset = -2};
	struct model m = {.head = &head, .different = 4};
	uint32_t seed = 1;
	for (int round = 0; round < 400; round++) {
		float p[MODEL_LABELS_MAX + 32], before[4], sum = 0;
		for (int i = 0; i < 4; i++)
			before[i] = p[i] = 3 * drawn(&seed);
		model_probabilities(&m, p);
		for (int i = 0; i < 4; i++) {
			sum += p[i];
			for (int k = 0; k < 4; k++)
				assert_true(!(before[i] > before[k]) || p[i] > p[k]);
		}
		assert_true(fabsf(sum - 1) < 1e-5f);
	}
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ascolto-model-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	write_rows("rows.tsv");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const files[] = {"rows.tsv", "empty.model", "text.model", "cut.model", "flipped.model", "future.model", "bad.tsv",
		"one.tsv", "own.tsv", "own_test.tsv", "kinds.tsv", "doubt.tsv", "models/intent.model", "models/flags.model"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path_of(files[i]));
	rmdir(path_of("models"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(training_learns_and_repeats),
		cmocka_unit_test(own_labels_are_read),
		cmocka_unit_test(kinds_of_a_label_are_summed),
		cmocka_unit_test(doubtful_rows_are_told),
		cmocka_unit_test(scores_are_what_the_formula_says),
		cmocka_unit_test(a_panel_scores_as_its_models_do),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(forged_heads_are_refused),
		cmocka_unit_test(classifier_answers_and_abstains),
		cmocka_unit_test(bad_rows_are_named),
		cmocka_unit_test(too_little_is_refused),
		cmocka_unit_test(calibration_finds_what_was_put_in),
		cmocka_unit_test(sure_answers_are_brought_down),
		cmocka_unit_test(the_answer_stays_the_answer),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
