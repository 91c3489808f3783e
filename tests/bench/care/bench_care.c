/*
 * bench_care - what the product says of customers' messages as it ships: the default models and the default playbook.
 *
 *	bench_care [--models DIR] [--playbook FILE] [--wrong] [FILE.tsv...]
 *	bench_care --posts FILE.jsonl [--red]
 *
 * Files are rows with the columns of services/intent/LABELS.md; without one, the repository's own test rows (written apart
 * from the training rows) and, where $ASCOLTO_DATA or ../shared/data/dev has them, the labelled care messages there. Printed:
 * accuracy and macro-F1 of intent and lane, precision and recall of flags, and the code the playbook's rules give, with the
 * confusion. A model that says "do not know" counts as wrong. --wrong lists every row whose intent, lane or code is wrong.
 *
 * --posts reads posts in the adapters' form (unlabelled): how many get which code and from which rule, and with --red the
 * texts of those that are red, for reading.
 */
#include <getopt.h>
#include <sys/stat.h>

#include "common/json.h"
#include "services/escalation/playbook/playbook.h"
#include "services/intent/classifier.h"
#include "services/intent/dataset.h"

#define LABELS_MAX 32
#define LINE_BYTES (1024 * 1024)

enum column { INTENT, LANE, FLAG_SET, CODE, COLUMNS };

static const char *const column_names[COLUMNS] = {"intent", "lane", "flags", "code"};

struct bench {
	struct classifier *classifier;
	struct playbook *playbook;
	struct arena arena;
	bool wrong, red;
};

/* What was said of one message; borrowed from the arena, the playbook and the label tables. */
struct answer {
	const char *intent, *lane, *code, *kind;
	uint32_t flags;
};

static void fail(const struct err *e)
{
	fprintf(stderr, "bench_care: %s\n", err_text(e));
	exit(1);
}

static const char *value_of(const Ascolto__Label *l)
{
	return l && l->value ? l->value : "";
}

static struct answer ask(struct bench *b, const struct classifier_input *in)
{
	Ascolto__Understanding u;
	struct err e = {0};
	arena_reset(&b->arena);
	if (classifier_predict(b->classifier, in, &b->arena, &u, &e) < 0)
		fail(&e);
	struct answer a = {.intent = value_of(u.intent), .lane = value_of(u.lane)};
	struct facts f = {.intent = intent_of(a.intent), .content = true, .polemic = str_eq(a.lane, "polemic"),
		.negative = str_eq(value_of(u.sentiment), "negative"),
		.words = {[FACT_EXPECTATION] = value_of(u.expectation), [FACT_EVENT] = value_of(u.event),
			[FACT_SENTIMENT] = value_of(u.sentiment), [FACT_LANE] = a.lane, [FACT_LANGUAGE] = u.language,
			[FACT_SURFACE] = in->surface, [FACT_CHANNEL] = in->channel, [FACT_NETWORK] = in->channel},
		.text = (const char *)in->text.data};
	for (size_t i = 0; i < u.n_flags; i++)
		f.flags |= BIT(flag_of(u.flags[i]));
	struct decision d;
	rules_decide(b->playbook->rules, b->playbook->kinds_count, &f, &d);
	a.flags = f.flags;
	a.code = code_word(d.code);
	a.kind = d.rule < 0 ? "otherwise" : b->playbook->kinds[d.rule].name;
	return a;
}

/* --- labelled rows --------------------------------------------------------------------------------------------- */

struct table {
	const char *label[LABELS_MAX];
	size_t count[LABELS_MAX][LABELS_MAX]; /* truth, answer */
	size_t n, rows;
};

static size_t label_index(struct table *t, const char *label)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->label[i], label))
			return i;
	if (t->n == LABELS_MAX)
		exit(1);
	t->label[t->n] = label;
	return t->n++;
}

static void count(struct table *t, const char *truth, const char *answer)
{
	size_t a = label_index(t, truth), b = label_index(t, *answer ? answer : "(unknown)");
	t->count[a][b]++;
	t->rows++;
}

/* Macro-F1 is the mean over the labels that occur among the truths. */
static void print_table(const struct table *t, const char *name)
{
	double right = 0, f1 = 0;
	size_t labels = 0;
	char lines[LABELS_MAX * 80] = "";
	for (size_t i = 0; i < t->n; i++) {
		size_t truth = 0, answer = 0, both = t->count[i][i];
		for (size_t k = 0; k < t->n; k++) {
			truth += t->count[i][k];
			answer += t->count[k][i];
		}
		if (!truth)
			continue;
		double f = 200.0 * (double)both / (double)(truth + answer);
		snprintf(lines + strlen(lines), 80, "  %-14s %5zu rows  precision %5.1f  recall %5.1f  F1 %5.1f\n", t->label[i], truth,
			answer ? 100.0 * (double)both / (double)answer : 0, 100.0 * (double)both / (double)truth, f);
		right += (double)both;
		f1 += f;
		labels++;
	}
	printf("%s: accuracy %.1f %%, macro-F1 %.1f %%\n%s", name, 100 * right / (double)t->rows, f1 / (double)labels, lines);
}

static void print_confusion(const struct table *t)
{
	printf("  %-18s", "is \\ said");
	for (size_t k = 0; k < t->n; k++)
		printf("%10s", t->label[k]);
	printf("\n");
	for (size_t i = 0; i < t->n; i++) {
		printf("  %-18s", t->label[i]);
		for (size_t k = 0; k < t->n; k++)
			printf("%10zu", t->count[i][k]);
		printf("\n");
	}
}

struct flag_counts {
	size_t truth, said, both;
};

static void count_flags(struct flag_counts c[FLAGS], const char *truth, uint32_t said)
{
	uint32_t set = 0;
	for (const char *p = truth; *p;) {
		char word[40];
		size_t len = strcspn(p, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, p);
		if (flag_of(word) >= 0)
			set |= BIT(flag_of(word));
		p += len + (p[len] == ',');
	}
	for (int f = 0; f < FLAGS; f++) {
		c[f].truth += (set & BIT(f)) != 0;
		c[f].said += (said & BIT(f)) != 0;
		c[f].both += (set & said & BIT(f)) != 0;
	}
}

static void print_flags(const struct flag_counts c[FLAGS])
{
	printf("flags:\n");
	for (int f = 0; f < FLAGS; f++)
		if (c[f].truth)
			printf("  %-14s %5zu rows  precision %5.1f  recall %5.1f\n", flag_word((enum flag)f), c[f].truth,
				c[f].said ? 100.0 * (double)c[f].both / (double)c[f].said : 0, 100.0 * (double)c[f].both / (double)c[f].truth);
}

/* Rows of the columns are the same lines: a row that one column lacks is refused. */
static void read_columns(const char *path, struct dataset d[COLUMNS])
{
	struct err e = {0};
	for (int c = 0; c < COLUMNS; c++)
		if (dataset_read(&d[c], path, column_names[c], NULL, NULL, NULL, &e) < 0)
			fail(&e);
	for (int c = 1; c < COLUMNS; c++)
		if (d[c].n != d[0].n) {
			err_set(&e, -EINVAL, "%s: some rows have no usable %s", path, column_names[c]);
			fail(&e);
		}
}

static void run_file(struct bench *b, const char *path)
{
	struct dataset d[COLUMNS] = {0};
	struct table tables[COLUMNS] = {0};
	struct flag_counts flags[FLAGS] = {0};
	read_columns(path, d);
	static const char *const codes[] = {"green", "yellow", "red"};
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		label_index(&tables[CODE], codes[i]);
	for (size_t i = 0; i < d[0].n; i++) {
		const struct dataset_row *r = &d[0].rows[i];
		struct classifier_input in = {.text = span_str(r->text), .lang = r->lang, .surface = r->surface,
			.channel = r->channel};
		struct answer a = ask(b, &in);
		const char *truth[COLUMNS], *said[COLUMNS] = {[INTENT] = a.intent, [LANE] = a.lane, [CODE] = a.code};
		for (int c = 0; c < COLUMNS; c++)
			truth[c] = d[c].rows[i].label;
		bool right = true;
		for (int c = 0; c < COLUMNS; c++)
			if (c != FLAG_SET) {
				/* answers live until the next message: count under the truths' and the program's own words */
				const char *word = said[c];
				for (size_t k = 0; dataset_labels(column_names[c]) && dataset_labels(column_names[c])[k]; k++)
					if (str_eq(dataset_labels(column_names[c])[k], said[c]))
						word = dataset_labels(column_names[c])[k];
				count(&tables[c], truth[c], word);
				right = right && str_eq(truth[c], said[c]);
			}
		count_flags(flags, truth[FLAG_SET], a.flags);
		if (b->wrong && !right) {
			printf("%s  %s/%s  %s/%s  %s/%s (%s) [%s |", r->id ? r->id : "", truth[INTENT], a.intent, truth[LANE], a.lane,
				truth[CODE], a.code, a.kind, truth[FLAG_SET]);
			for (int f = 0; f < FLAGS; f++)
				if (a.flags & BIT(f))
					printf(" %s", flag_word((enum flag)f));
			printf("]  %s\n", r->text);
		}
	}
	printf("\n%s, %zu rows\n", path, d[0].n);
	print_table(&tables[INTENT], "intent");
	print_table(&tables[LANE], "lane");
	print_table(&tables[CODE], "code");
	print_confusion(&tables[CODE]);
	print_flags(flags);
	for (int c = 0; c < COLUMNS; c++)
		dataset_free(&d[c]);
}

/* --- unlabelled posts ------------------------------------------------------------------------------------------ */

static void run_post(struct bench *b, const char *line, struct table *kinds)
{
	json_t *post;
	struct err e = {0};
	if (json_parse(span_str(line), &post, &e) < 0)
		fail(&e);
	const char *text = json_string_value(json_object_get(post, "text"));
	const char *language = json_string_value(json_object_get(post, "language"));
	struct classifier_input in = {.text = span_str(text ? text : ""), .lang = language, .channel = "x",
		.surface = json_string_value(json_object_get(post, "surface"))};
	struct answer a = ask(b, &in);
	count(kinds, a.code, a.kind);
	if (b->red && str_eq(a.code, "red"))
		printf("%s\t%s\t%s\t%s\n", json_string_value(json_object_get(post, "native_id")), a.kind,
			a.flags & BIT(FLAG_SAFETY) ? "safety" : "-", text);
	json_decref(post);
}

static void run_posts(struct bench *b, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = malloc(LINE_BYTES);
	struct table kinds = {0};
	if (!f || !line) {
		fprintf(stderr, "bench_care: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	while (fgets(line, LINE_BYTES, f))
		run_post(b, line, &kinds);
	fclose(f);
	free(line);
	printf("\n%s: %zu posts\n", path, kinds.rows);
	print_confusion(&kinds);
}

/* --- all of it ------------------------------------------------------------------------------------------------- */

static void run_default(struct bench *b)
{
	const char *from = getenv("ASCOLTO_DATA");
	char path[4096];
	struct stat st;
	static const char *const own[] = {"test_it", "test_en", "plain_it", "plain_en"}; /* plain: everyday messages, short */
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		snprintf(path, sizeof(path), SOURCE_DIR "/tests/bench/care/%s.tsv", own[i]);
		run_file(b, path);
	}
	snprintf(path, sizeof(path), "%s/care/care_labels_dev.tsv", from && from[0] ? from : SOURCE_DIR "/../shared/data/dev");
	if (stat(path, &st) == 0)
		run_file(b, path);
	else
		printf("\n%s: not there, skipped\n", path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"models", 1, NULL, 'm'}, {"playbook", 1, NULL, 'p'}, {"posts", 1, NULL, 'j'},
		{"wrong", 0, NULL, 'w'}, {"red", 0, NULL, 'r'}, {0}};
	const char *models = BINARY_DIR "/models", *playbook = SOURCE_DIR "/deploy/playbooks/brezza.yaml", *posts = NULL;
	struct bench b = {0};
	struct err e = {0};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;)
		switch (c) {
		case 'm':
			models = optarg;
			break;
		case 'p':
			playbook = optarg;
			break;
		case 'j':
			posts = optarg;
			break;
		case 'w':
			b.wrong = true;
			break;
		case 'r':
			b.red = true;
			break;
		default:
			return 2;
		}
	if (classifier_open_linear(models, &b.classifier, &e) < 0 || playbook_load(&b.playbook, playbook, &e) < 0)
		fail(&e);
	arena_init(&b.arena, 16 * 1024 * 1024);
	if (posts)
		run_posts(&b, posts);
	else if (optind == argc)
		run_default(&b);
	for (int i = optind; i < argc && !posts; i++)
		run_file(&b, argv[i]);
	arena_free(&b.arena);
	classifier_close(&b.classifier);
	playbook_free(&b.playbook);
	return 0;
}
