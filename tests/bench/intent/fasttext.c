#include "bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"

extern char **environ;

static char *file_of(char out[128], const char *name)
{
	snprintf(out, 128, "%s/%s", bench_work, name);
	return out;
}

/* Runs a program with its output in a file or nowhere. Returns whether it ended well. */
static bool run(const char *const *argv, const char *output)
{
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	pid_t pid;
	int status = 1;
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The text as our own tokenizer normalises it, so that both read the same words. */
static void write_rows(const char *path, const struct dataset *d, int times, bool labels)
{
	FILE *f = fopen(path, "w");
	struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	for (int k = 0; k < times; k++)
		for (size_t i = 0; i < d->n; i++) {
			struct text t;
			arena_reset(&a);
			if (text_read(span_str(d->rows[i].text), &a, &t) < 0)
				continue;
			if (labels) {
				fputs("__label__", f);
				for (const char *p = d->rows[i].label; *p; p++)
					fputc(*p == ' ' ? '_' : *p, f);
				fputc(' ', f);
			}
			fprintf(f, "%.*s\n", (int)t.normal.len, (const char *)t.normal.data);
		}
	arena_free(&a);
	fclose(f);
}

struct counts {
	char label[80];
	size_t truth, answer, both;
};

static struct counts *counts_for(struct counts *all, size_t *n, const char *label)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(all[i].label, label))
			return &all[i];
	struct counts *c = &all[(*n)++];
	*c = (struct counts){.label = ""};
	snprintf(c->label, sizeof(c->label), "%s", label);
	return c;
}

/* Reads fastText's answers beside the truth. */
static void judge(const char *answers, const struct dataset *test, double *accuracy, double *macro_f1)
{
	static struct counts all[2 * MODEL_LABELS_MAX];
	size_t n = 0, right = 0;
	char line[256] = "";
	FILE *f = fopen(answers, "r");
	for (size_t i = 0; i < test->n; i++) {
		if (!f || !fgets(line, sizeof(line), f))
			line[0] = 0;
		line[strcspn(line, " \n")] = 0;
		char truth[80];
		snprintf(truth, sizeof(truth), "%s", test->rows[i].label);
		for (char *p = truth; *p; p++)
			*p = *p == ' ' ? '_' : *p;
		const char *answer = strlen(line) > 9 ? line + 9 : "";
		counts_for(all, &n, truth)->truth++;
		counts_for(all, &n, answer)->answer++;
		if (str_eq(answer, truth)) {
			counts_for(all, &n, truth)->both++;
			right++;
		}
	}
	if (f)
		fclose(f);
	*accuracy = (double)right / (double)test->n;
	*macro_f1 = 0;
	for (size_t i = 0; i < n; i++)
		*macro_f1 += 2.0 * (double)all[i].both / (double)(all[i].truth + all[i].answer) / (double)n;
}

static double children_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_CHILDREN, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

/* Seconds of work beyond loading: many rows against few. */
static double rows_per_second(const char *model, const struct dataset *test, double *ret_loading)
{
	char few[128], many[128];
	int times = (int)(40000 / MAX(test->n, (size_t)1)) + 2;
	write_rows(file_of(few, "few"), test, 1, false);
	write_rows(file_of(many, "many"), test, times, false);
	double t0 = children_seconds();
	run((const char *[]){"fasttext", "predict", model, few, NULL}, NULL);
	double t1 = children_seconds();
	run((const char *[]){"fasttext", "predict", model, many, NULL}, NULL);
	double t2 = children_seconds();
	*ret_loading = t1 - t0;
	return (double)test->n * (times - 1) / MAX((t2 - t1) - (t1 - t0), 1e-6);
}

struct outcome bench_fasttext(const struct dataset *train, const struct dataset *test)
{
	static const char *const rates[] = {"0.5", "1.0"}, *const epochs[] = {"25", "50"}, *const ngrams[] = {"1", "2"};
	static const char *const subwords[][2] = {{"0", "0"}, {"3", "6"}};
	bool quick = getenv("ASCOLTO_BENCH_QUICK");
	struct outcome best = {.accuracy = -1};
	char in[128], out[128], bin[140], few[128], answers[128];
	write_rows(file_of(in, "train"), train, 1, true);
	write_rows(file_of(few, "few"), test, 1, false);
	file_of(out, "peer");
	file_of(answers, "answers");
	snprintf(bin, sizeof(bin), "%s.bin", out);
	for (int g = 0; g < 16; g += quick ? 5 : 1) {
		const char *const argv[] = {"fasttext", "supervised", "-input", in, "-output", out, "-lr",
			rates[g & 1], "-epoch", epochs[g >> 1 & 1], "-wordNgrams",
			ngrams[g >> 2 & 1], "-minn", subwords[g >> 3][0], "-maxn",
			subwords[g >> 3][1], "-dim", "100", "-bucket", "200000", "-thread", "1", "-verbose", "0", NULL};
		double begun = children_seconds();
		if (!run(argv, NULL))
			return best;
		double seconds = children_seconds() - begun, accuracy, macro_f1, loading;
		if (!run((const char *[]){"fasttext", "predict", bin, few, NULL}, answers))
			return best;
		judge(answers, test, &accuracy, &macro_f1);
		if (accuracy <= best.accuracy)
			continue;
		struct stat st;
		best = (struct outcome){.accuracy = accuracy, .macro_f1 = macro_f1, .calibration_error = -1, .top80 = -1,
			.train_seconds = seconds, .per_second = rows_per_second(bin, test, &loading),
			.megabytes = stat(bin, &st) == 0 ? (double)st.st_size / 1e6 : -1};
	}
	return best;
}
