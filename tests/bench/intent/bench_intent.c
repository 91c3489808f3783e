#include "bench.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/intent/classifier.h"
#include "services/intent/language.h"

#define SKIPPED 77

char bench_folder[4096], bench_work[64];

static bool with_peer = true;

/* --- helpers --------------------------------------------------------------------------------------------------- */

double bench_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool bench_is_validation(const char *text)
{
	uint32_t crc = 0xffffffff;
	for (; *text; text++) {
		crc ^= (uint8_t)*text;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc % 10 == 0;
}

void bench_read(struct dataset *d, const char *file, const char *column)
{
	char path[8192];
	struct err e = {0};
	snprintf(path, sizeof(path), "%s/%s", bench_folder, file);
	if (dataset_read(d, path, "bench", column, NULL, NULL, &e) < 0) {
		fprintf(stderr, "bench_intent: %s\n", err_text(&e));
		exit(1);
	}
	if (language_fill(d, BINARY_DIR "/models", &e) < 0)
		fprintf(stderr, "bench_intent: languages are not read: %s\n", err_text(&e));
}

void bench_pick(struct dataset *to, const struct dataset *from, bool (*want)(const struct dataset_row *, const void *),
	const void *ctx)
{
	for (size_t i = 0; i < from->n; i++) {
		if (want && !want(&from->rows[i], ctx))
			continue;
		if (to->n == to->cap) {
			to->cap = to->cap ? 2 * to->cap : 1024;
			to->rows = reallocarray(to->rows, to->cap, sizeof(*to->rows));
			if (!to->rows)
				exit(1);
		}
		to->rows[to->n++] = from->rows[i];
	}
}

static bool is_train(const struct dataset_row *r, const void *ctx)
{
	(void)ctx;
	return !bench_is_validation(r->text);
}

static bool is_valid(const struct dataset_row *r, const void *ctx)
{
	(void)ctx;
	return bench_is_validation(r->text);
}

static size_t tally_of(struct tally *t, const char *name)
{
	size_t i = 0;
	while (i < t->labels && strncmp(t->label[i].name, name, sizeof(t->label[i].name) - 1) != 0)
		i++;
	if (i == ARRAY_SIZE(t->label))
		exit(1);
	if (i == t->labels) {
		snprintf(t->label[i].name, sizeof(t->label[i].name), "%s", name);
		t->labels++;
	}
	return i;
}

static void tally_add(struct tally *t, const char *truth, const char *answer)
{
	size_t a = tally_of(t, truth), b = tally_of(t, answer);
	t->label[a].truth++;
	t->label[b].answer++;
	t->label[a].both += a == b;
}

double bench_macro_f1(const struct tally *t)
{
	double sum = 0;
	for (size_t i = 0; i < t->labels; i++)
		sum += 2 * (double)t->label[i].both / (double)(t->label[i].truth + t->label[i].answer);
	return t->labels ? sum / (double)t->labels : 0;
}

/* --- contenders ------------------------------------------------------------------------------------------------ */

struct outcome bench_ours(const char *task, const struct dataset *train, const struct dataset *test,
	struct measure_row *judged, struct tally *tally)
{
	struct train_options o;
	struct err e = {0};
	struct buf bytes CLEANUP(buf_free);
	buf_init(&bytes, MODEL_FILE_MAX);
	train_defaults(&o, task);
	double begun = bench_seconds();
	if (train_model(train, NULL, &o, &bytes, &e) < 0) {
		fprintf(stderr, "bench_intent: %s: %s\n", task, err_text(&e));
		exit(1);
	}
	struct outcome r = {.train_seconds = bench_seconds() - begun, .megabytes = (double)bytes.len / 1e6};
	struct model m;
	model_from_bytes(&m, buf_span(&bytes), task, &e);
	struct measure_row *rows = calloc(test->n + 1, sizeof(*rows));
	double seconds = 0, fastest = 1e9;
	size_t rounds = 20000 / MAX(test->n, (size_t)1) + 1;
	for (size_t i = 0; rows && i < rounds; i++) {
		measure_run(&m, test, rows, &seconds);
		fastest = MIN(fastest, seconds);
	}
	struct measure s;
	measure_sum(&m, rows, test->n, &s);
	if (judged)
		memcpy(judged, rows, test->n * sizeof(*rows));
	for (size_t i = 0; tally && i < test->n; i++) {
		tally_add(tally, test->rows[i].label, m.label[rows[i].answer]);
		tally->rows[tally->n++] = rows[i];
	}
	free(rows);
	r.accuracy = s.accuracy;
	r.macro_f1 = s.macro_f1;
	r.calibration_error = s.calibration_error;
	r.calibration_chance = s.calibration_chance;
	r.top80 = s.accuracy_top80;
	r.per_second = (double)test->n / fastest;
	return r;
}

static void print_head(void)
{
	static const char *const line = "%-30s %6s %6s %5s %5s %6s %7s %9s %6s | %6s %6s %7s %9s %6s | %5s\n";
	printf(line, "", "ours", "", "", "", "", "", "", "", "fastText", "", "", "", "", "");
	printf(line, "task (train/validation rows)", "acc", "mF1", "ECE", "exact", "top80", "train s",
		"per s", "MB", "acc", "mF1", "train s", "per s", "MB", "speed");
}

static void print_row(const char *name, const struct outcome *a, const struct outcome *b)
{
	printf("%-30s %6.2f %6.2f %5.3f %5.3f %6.2f %7.2f %9.0f %6.2f |", name, 100 * a->accuracy,
		100 * a->macro_f1, a->calibration_error, a->calibration_chance, 100 * a->top80,
		a->train_seconds, a->per_second, a->megabytes);
	if (b->accuracy >= 0)
		printf(" %6.2f %6.2f %7.2f %9.0f %6.2f | %4.1fx\n", 100 * b->accuracy, 100 * b->macro_f1, b->train_seconds,
			b->per_second, b->megabytes, a->per_second / b->per_second);
	else
		printf(" not run\n");
	fflush(stdout);
}

static void compare(const char *name, const char *task, const struct dataset *train, const struct dataset *test)
{
	char title[128];
	snprintf(title, sizeof(title), "%s (%zu/%zu)", name, train->n, test->n);
	struct outcome a = bench_ours(task, train, test, NULL, NULL), b = {.accuracy = -1};
	if (with_peer)
		b = bench_fasttext(train, test);
	print_row(title, &a, &b);
}

/* --- tasks ----------------------------------------------------------------------------------------------------- */

static void split_file(const char *name, const char *task, const char *file, const char *column)
{
	struct dataset all = {0}, train = {0}, test = {0};
	bench_read(&all, file, column);
	bench_pick(&train, &all, is_train, NULL);
	bench_pick(&test, &all, is_valid, NULL);
	compare(name, task, &train, &test);
	free(train.rows);
	free(test.rows);
	dataset_free(&all);
}

static void two_files(const char *name, const char *task, const char *train_file, const char *test_file)
{
	struct dataset train = {0}, test = {0};
	bench_read(&train, train_file, NULL);
	bench_read(&test, test_file, NULL);
	compare(name, task, &train, &test);
	dataset_free(&train);
	dataset_free(&test);
}

static int by_probability(const void *a, const void *b)
{
	const struct measure_row *x = a, *y = b;
	return x->probability < y->probability ? -1 : x->probability > y->probability;
}

/* How well the probability of the answer tells in-scope rows from the others: AUROC, and recall at in-scope .905. */
static void out_of_scope(void)
{
	struct dataset train = {0}, test = {0};
	bench_read(&train, "intent/clinc150_train.tsv", NULL);
	bench_read(&test, "intent/clinc150_val.tsv", NULL);
	size_t in = test.n;
	bench_read(&test, "intent/clinc150_oos_val.tsv", NULL);
	struct measure_row *rows = calloc(test.n, sizeof(*rows));
	if (!rows)
		exit(1);
	bench_ours("clinc", &train, &test, rows, NULL);
	size_t out = test.n - in, pairs = 0, right = 0;
	for (size_t i = 0; i < in; i++)
		for (size_t k = in; k < test.n; k++) {
			pairs += 2;
			right += rows[i].probability > rows[k].probability ? 2 : rows[i].probability >= rows[k].probability;
		}
	/* The threshold that leaves accuracy .905 on in-scope rows (a refused row counts as wrong). */
	struct measure_row *sorted = calloc(in, sizeof(*sorted));
	if (!sorted)
		exit(1);
	memcpy(sorted, rows, in * sizeof(*sorted));
	qsort(sorted, in, sizeof(*sorted), by_probability);
	size_t correct = 0, refused = 0;
	for (size_t i = 0; i < in; i++)
		correct += sorted[i].truth == sorted[i].answer;
	float threshold = 0;
	for (size_t i = 0; i < in; i++) {
		correct -= sorted[i].truth == sorted[i].answer;
		if ((double)correct / (double)in < 0.905)
			break;
		threshold = sorted[i].probability;
	}
	for (size_t k = in; k < test.n; k++)
		refused += rows[k].probability <= threshold;
	printf("%-30s AUROC %.3f, recall %.2f at in-scope accuracy .905\n", "CLINC150 out of scope", (double)right / (double)pairs,
		(double)refused / (double)out);
	free(rows);
	free(sorted);
	dataset_free(&train);
	dataset_free(&test);
}

/*
 * One group of rows at a time is the test, the others train. Printed: the mean over the groups; and macro-F1
 * over the answers of all groups together, where a label of three rows in a small group weighs what it is.
 */
struct group {
	const char *name;
	bool inside;
};

static bool in_group(const struct dataset_row *r, const void *ctx)
{
	const struct group *g = ctx;
	return str_eq(r->id, g->name) == g->inside;
}

static void leave_one_out(const char *name, const char *task, const struct dataset *all)
{
	struct outcome a = {0}, b = {0};
	struct tally tally = {.rows = calloc(all->n + 1, sizeof(*tally.rows))};
	if (!tally.rows)
		exit(1);
	size_t groups = 0;
	for (size_t i = 0; i < all->n; i++) {
		bool seen = false;
		for (size_t k = 0; k < i && !seen; k++)
			seen = str_eq(all->rows[k].id, all->rows[i].id);
		if (seen)
			continue;
		struct dataset train = {0}, test = {0};
		bench_pick(&train, all, in_group, &(struct group){all->rows[i].id, false});
		bench_pick(&test, all, in_group, &(struct group){all->rows[i].id, true});
		if (test.n >= 30) {
			struct outcome x = bench_ours(task, &train, &test, NULL, &tally),
				       y = {.accuracy = -1};
			if (with_peer && !getenv("ASCOLTO_BENCH_QUICK"))
				y = bench_fasttext(&train, &test);
			double *p = &a.accuracy, *q = &b.accuracy;
			for (size_t k = 0; k < sizeof(a) / sizeof(double); k++) {
				p[k] += (&x.accuracy)[k];
				q[k] += (&y.accuracy)[k];
			}
			groups++;
		}
		free(train.rows);
		free(test.rows);
	}
	double *p = &a.accuracy, *q = &b.accuracy;
	for (size_t k = 0; k < sizeof(a) / sizeof(double); k++) {
		p[k] /= (double)groups;
		q[k] /= (double)groups;
	}
	char title[128];
	snprintf(title, sizeof(title), "%s (%zu groups)", name, groups);
	print_row(title, &a, &b);
	double chance, error = measure_calibration(tally.rows, tally.n, &chance);
	printf("%-30s %6s %6.2f %5.3f %5.3f\n", "  all groups' answers", "", 100 * bench_macro_f1(&tally),
		error, chance);
	free(tally.rows);
}

/* The rows' id becomes the group: a column of the file. */
static void read_grouped(struct dataset *d, const char *file, const char *label, const char *group)
{
	struct dataset groups = {0};
	bench_read(d, file, label);
	bench_read(&groups, file, group);
	size_t kept = 0, g = 0;
	for (size_t i = 0; i < d->n; i++) {
		while (g < groups.n && groups.rows[g].line < d->rows[i].line)
			g++;
		d->rows[kept] = d->rows[i];
		d->rows[kept++].id = g < groups.n ? strdup(groups.rows[g].label) : ""; /* kept to the end of the program */
	}
	dataset_free(&groups);
}

static void airlines(void)
{
	struct dataset d = {0}, reasons = {0}, told = {0};
	read_grouped(&d, "sentiment/airline.tsv", "sentiment", "airline");
	leave_one_out("airline sentiment", "sentiment", &d);
	dataset_free(&d);
	read_grouped(&reasons, "sentiment/airline.tsv", "negativereason", "airline");
	bench_pick(&told, &reasons, NULL, NULL);
	leave_one_out("airline reason", "reason", &told);
	free(told.rows);
	dataset_free(&reasons);
}

/* As the file has it (four of the rows are critical), with these counted as high, and whether somebody must act or not. */
static void urgency(void)
{
	struct dataset d = {0};
	read_grouped(&d, "urgency/trecis.tsv", "priority", "event");
	leave_one_out("urgency, new events", "urgency", &d);
	for (size_t i = 0; i < d.n; i++)
		if (str_eq(d.rows[i].label, "Critical"))
			d.rows[i].label = "High";
	leave_one_out("urgency, three levels", "urgency", &d);
	for (size_t i = 0; i < d.n; i++)
		if (!str_eq(d.rows[i].label, "High"))
			d.rows[i].label = "Low";
	leave_one_out("urgency, high or not", "urgency", &d);
	dataset_free(&d);
}

static bool fold_is(const struct dataset_row *r, const void *ctx)
{
	uint32_t h = 2166136261u;
	for (const char *p = r->text; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	int fold = *(const int *)ctx;
	return fold < 5 ? h % 5 == (uint32_t)fold : h % 5 != (uint32_t)(fold - 5);
}

/* xSID has no training file in Italian: five folds of its validation file. */
static void xsid_italian(void)
{
	struct dataset all = {0};
	bench_read(&all, "intent/xsid_it_valid.tsv", NULL);
	double accuracy = 0, peer = 0;
	for (int fold = 0; fold < 5; fold++) {
		struct dataset train = {0}, test = {0};
		int rest = fold + 5;
		bench_pick(&train, &all, fold_is, &rest);
		bench_pick(&test, &all, fold_is, &fold);
		accuracy += bench_ours("xsid", &train, &test, NULL, NULL).accuracy * (double)test.n /
			    (double)all.n;
		if (with_peer)
			peer += bench_fasttext(&train, &test).accuracy * (double)test.n / (double)all.n;
		free(train.rows);
		free(test.rows);
	}
	printf("%-30s %6.2f %65s %6.2f\n", "xSID Italian, five folds", 100 * accuracy, "|", 100 * peer);
	dataset_free(&all);
}

static const char *const six[] = {"it", "en", "es", "fr", "de", "pt"};

static void umsab(void)
{
	struct dataset train = {0}, test = {0};
	for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
		char file[64];
		snprintf(file, sizeof(file), "sentiment/umsab_%s_train.tsv", six[i]);
		bench_read(&train, file, NULL);
	}
	bench_read(&test, "sentiment/umsab_it_val.tsv", NULL);
	compare("UMSAB Italian, six pooled", "sentiment", &train, &test);
	dataset_free(&train);
	dataset_free(&test);
}

/* The official measure: mean over positive and negative of the mean F1 of yes and no. */
static void sentipolc(void)
{
	double f = 0, peer = 0;
	static const char *const columns[] = {"opos", "oneg"};
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		struct dataset all = {0}, train = {0}, test = {0};
		bench_read(&all, "sentiment/sentipolc16_train.tsv", columns[i]);
		bench_pick(&train, &all, is_train, NULL);
		bench_pick(&test, &all, is_valid, NULL);
		f += bench_ours("sentipolc", &train, &test, NULL, NULL).macro_f1 / 2;
		if (with_peer)
			peer += bench_fasttext(&train, &test).macro_f1 / 2;
		free(train.rows);
		free(test.rows);
		dataset_free(&all);
	}
	printf("%-30s %6s %6.2f %58s %6s %6.2f\n", "SENTIPOLC official F", "", 100 * f, "|", "", 100 * peer);
}

static bool is_short(const struct dataset_row *r, const void *ctx)
{
	(void)ctx;
	return strlen(r->text) < 30;
}

static void relabel(struct dataset *d, const char *label, size_t from)
{
	for (size_t i = from; i < d->n; i++)
		d->rows[i].label = label;
}

/* The language model that ships: it was trained on sentences of the project's, none of which come from these files. */
static void language_as_shipped(const char *name, const struct dataset *test)
{
	struct err e = {0};
	struct model m;
	struct measure s;
	double seconds;
	if (model_open(&m, BINARY_DIR "/models/language.model", &e) < 0)
		return;
	struct measure_row *rows = calloc(test->n + 1, sizeof(*rows));
	if (rows && measure_run(&m, test, rows, &seconds) == 0) {
		measure_sum(&m, rows, test->n, &s);
		printf("%-30s %6.2f %6s %5.3f %5.3f %6.2f %7s %9.0f %6.2f | as it ships, %zu rows\n", name,
			100 * s.accuracy, "", s.calibration_error, s.calibration_chance,
			100 * s.accuracy_top80, "", (double)test->n / seconds, (double)m.len / 1e6, test->n);
	}
	free(rows);
	model_close(&m);
}

static void read_language(struct dataset *d, const char *file, const char *code, const char *label)
{
	char path[64];
	size_t from = d->n;
	snprintf(path, sizeof(path), file, code);
	bench_read(d, path, NULL);
	relabel(d, label, from);
}

static void language(void)
{
	struct dataset train = {0}, both = {0}, tweets = {0}, utterances = {0}, shorts = {0};
	for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
		read_language(&train, "sentiment/umsab_%s_train.tsv", six[i], six[i]);
		read_language(&tweets, "sentiment/umsab_%s_val.tsv", six[i], six[i]);
	}
	static const char *const xsid[][2] = {{"it", "it"}, {"en", "en"}, {"de", "de"}, {"nl", "other"}};
	for (size_t i = 0; i < ARRAY_SIZE(xsid); i++)
		read_language(&utterances, "intent/xsid_%s_valid.tsv", xsid[i][0], xsid[i][1]);
	bench_pick(&shorts, &tweets, is_short, NULL);
	language_as_shipped("language, tweets", &tweets);
	language_as_shipped("language, under 30 bytes", &shorts);
	language_as_shipped("language, xSID it en de nl", &utterances);

	/* As a brand would train its own: what we ship and its own messages. */
	struct err e = {0};
	bench_pick(&both, &train, NULL, NULL);
	struct dataset ours = {0};
	for (size_t i = 0; i <= ARRAY_SIZE(six); i++) {
		char path[4096];
		snprintf(path, sizeof(path), SOURCE_DIR "/services/intent/data/language_%s.tsv",
			i < ARRAY_SIZE(six) ? six[i] : "other");
		if (dataset_read(&ours, path, "language", NULL, NULL, NULL, &e) < 0)
			fprintf(stderr, "bench_intent: %s\n", err_text(&e));
	}
	bench_pick(&both, &ours, NULL, NULL);
	compare("language, tweets", "language", &both, &tweets);
	compare("language, under 30 bytes", "language", &both, &shorts);
	compare("language, xSID it en de nl", "language", &both, &utterances);
	free(shorts.rows);
	free(both.rows);
	dataset_free(&ours);
	dataset_free(&train);
	dataset_free(&tweets);
	dataset_free(&utterances);
}

/* The models the build made, on messages their writers have not seen. */
static void care(void)
{
	for (size_t i = 0; classifier_tasks[i]; i++) {
		char path[8192];
		struct err e = {0};
		struct model m;
		snprintf(path, sizeof(path), "%s/models/%s.model", BINARY_DIR, classifier_tasks[i]);
		if (model_open(&m, path, &e) < 0)
			continue;
		struct dataset d = {0};
		snprintf(path, sizeof(path), "%s/care/care_labels_dev.tsv", bench_folder);
		if (dataset_read(&d, path, classifier_tasks[i], NULL, NULL, NULL, &e) == 0) {
			struct measure_row *rows = calloc(d.n + 1, sizeof(*rows));
			double seconds;
			struct measure s;
			if (rows && measure_run(&m, &d, rows, &seconds) == 0) {
				measure_sum(&m, rows, d.n, &s);
				printf("care, %-24s %6.2f %6.2f %5.3f %5.3f %6.2f   micro-F1 %.2f\n",
					classifier_tasks[i], 100 * s.accuracy, 100 * s.macro_f1,
					s.calibration_error, s.calibration_chance, 100 * s.accuracy_top80,
					100 * s.micro_f1);
			}
			free(rows);
		}
		dataset_free(&d);
		model_close(&m);
	}
}

static void banking(void)
{
	split_file("BANKING77", "banking", "intent/banking77_train.tsv", NULL);
}

static void clinc(void)
{
	two_files("CLINC150", "clinc", "intent/clinc150_train.tsv", "intent/clinc150_val.tsv");
	out_of_scope();
}

static void hwu(void)
{
	two_files("HWU64", "hwu", "intent/hwu64_train.tsv", "intent/hwu64_valid.tsv");
	two_files("HWU64, 10 per label", "hwu", "intent/hwu64_train_10.tsv", "intent/hwu64_valid.tsv");
}

static const struct {
	const char *name;
	void (*run)(void);
} tasks[] = {{"banking", banking}, {"clinc", clinc}, {"hwu", hwu}, {"xsid", xsid_italian}, {"airline", airlines},
	{"umsab", umsab}, {"sentipolc", sentipolc}, {"language", language}, {"urgency", urgency}, {"care", care}};

int main(int argc, char **argv)
{
	const char *from = getenv("ASCOLTO_DATA");
	snprintf(bench_folder, sizeof(bench_folder), "%s", from && from[0] ? from : SOURCE_DIR "/../shared/data/dev");
	struct stat st;
	if (stat(bench_folder, &st) < 0) {
		printf("skipped: no data in %s; set ASCOLTO_DATA to the folder\n", bench_folder);
		return SKIPPED;
	}
	snprintf(bench_work, sizeof(bench_work), "/tmp/ascolto-bench-XXXXXX");
	if (!mkdtemp(bench_work))
		return 1;
	with_peer = !getenv("ASCOLTO_BENCH_ALONE");
	print_head();
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		bool wanted = argc < 2;
		for (int k = 1; k < argc; k++)
			wanted |= str_eq(argv[k], tasks[i].name);
		if (wanted)
			tasks[i].run();
	}
	static const char *const files[] = {"train", "few", "many", "peer.bin", "peer.vec", "answers"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", bench_work, files[i]);
		unlink(path);
	}
	rmdir(bench_work);
	return 0;
}
