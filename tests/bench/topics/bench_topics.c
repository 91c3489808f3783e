/*
 * bench_topics - how well messages about one problem come together, and copies are known as copies.
 *
 * Reads written storms in order of time: the TSV files beside this program (README.md) and those of tests/system/storm.
 * Each message is read by the models the build made and grouped as escalation does it: a copy of somebody's text is left
 * out, the rest joins the nearest topic or founds one, twins become one (services/escalation/topics/topic.h, grouping.c).
 *
 * Grouping is judged pair by pair: of the pairs of messages put into one topic, how many are of one problem (precision); of
 * the pairs of one problem, how many are in one topic (recall). A message of no problem makes pairs with those of
 * problems, and with the others of its kind only where the file says that they differ. Copies are judged one by one.
 *
 *     bench_topics [-v]        -v prints every message with its topic
 */
#include <jansson.h>
#include <xxhash.h>

#include "common/signature.h"
#include "services/escalation/topics/topic.h"
#include "services/intent/classifier.h"

#define MESSAGES_MAX 1000
#define WINDOW_MS 3600000
#define LINE_MAX_BYTES 16384

struct message {
	char *text, *who, *problem; /* problem "-": of none; "?": not judged */
	bool is_copy, taken_as_copy, apart; /* apart: differs from the other messages of no problem */
	const struct topic *topic;
};

struct storm {
	struct message all[MESSAGES_MAX];
	size_t n;
};

static struct classifier *classifier;
static struct storm storm;
static bool verbose;

static void fail(const char *what)
{
	fprintf(stderr, "bench_topics: %s\n", what);
	exit(1);
}

static char *copy_of(const char *s)
{
	char *copy = strdup(s ? s : "");
	if (!copy)
		fail("out of memory");
	return copy;
}

static struct message *next_message(void)
{
	if (storm.n == MESSAGES_MAX)
		fail("more messages than there is room for");
	storm.all[storm.n] = (struct message){0};
	return &storm.all[storm.n++];
}

static void forget_storm(void)
{
	for (size_t i = 0; i < storm.n; i++) {
		free(storm.all[i].text);
		free(storm.all[i].who);
		free(storm.all[i].problem);
	}
	storm.n = 0;
}

/* --- reading --------------------------------------------------------------------------------------------------- */

static FILE *open_file(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), SOURCE_DIR "/%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	if (!f)
		fail(path);
	return f;
}

/* topic, copy, who, text */
static void read_tsv(const char *name)
{
	char line[LINE_MAX_BYTES];
	char originals[10] = {0};
	FILE *f = open_file("tests/bench/topics", name);
	for (bool head = true; fgets(line, sizeof(line), f); head = false) {
		char *field[4] = {line};
		line[strcspn(line, "\n")] = 0;
		for (int i = 1; i < 4; i++) {
			field[i] = strchr(field[i - 1], '\t');
			if (!field[i])
				fail(name);
			*field[i]++ = 0;
		}
		if (head)
			continue;
		struct message *m = next_message();
		m->problem = copy_of(field[0]);
		m->who = copy_of(field[2]);
		m->text = copy_of(field[3]);
		m->apart = true;
		unsigned number = (unsigned)(field[1][0] - '0');
		if (number < sizeof(originals)) {
			m->is_copy = originals[number];
			originals[number] = 1;
		}
	}
	fclose(f);
}

/* What the groups of tests/system/storm/README.md are here. */
static const char *problem_of(const char *group)
{
	static const char *const same[] = {"fault", "angry"};
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (str_eq(group, same[i]))
			return same[i];
	return str_eq(group, "service") || str_eq(group, "spam") ? "-" : "?";
}

static void read_gold(const char *file, const char *id, char group[64])
{
	char line[LINE_MAX_BYTES], wanted[256];
	FILE *f = open_file("tests/system/storm", "gold.tsv");
	int n = snprintf(wanted, sizeof(wanted), "%s\t%s\t", file, id);
	group[0] = 0;
	while (!group[0] && fgets(line, sizeof(line), f))
		if (strncmp(line, wanted, (size_t)n) == 0)
			snprintf(group, 64, "%.*s", (int)strcspn(line + n, "\n"), line + n);
	fclose(f);
}

static void read_jsonl(const char *name)
{
	static char line[4 * LINE_MAX_BYTES];
	FILE *f = open_file("tests/system/storm", name);
	while (fgets(line, sizeof(line), f)) {
		char group[64];
		json_t *post = json_loads(line, 0, NULL);
		if (!post)
			fail(name);
		struct message *m = next_message();
		read_gold(name, json_string_value(json_object_get(post, "native_id")), group);
		m->problem = copy_of(problem_of(group));
		m->is_copy = str_eq(group, "repost");
		m->text = copy_of(json_string_value(json_object_get(post, "text")));
		m->who = copy_of(json_string_value(json_object_get(json_object_get(post, "author"), "handle")));
		json_decref(post);
	}
	fclose(f);
}

/* --- grouping -------------------------------------------------------------------------------------------------- */

static void moved(const struct topic *from, const struct topic *into)
{
	for (size_t i = 0; i < storm.n; i++)
		if (storm.all[i].topic == from)
			storm.all[i].topic = into;
}

static void group(struct topics *ts, struct message *m, size_t number, struct arena *a)
{
	Ascolto__Understanding u;
	struct classifier_input in = {.text = span_str(m->text), .surface = "public", .channel = "x"};
	struct err e = {0};
	struct id id = id_from(0, span_of(&number, sizeof(number)));
	uint64_t who = XXH3_64bits(m->who, strlen(m->who)), first;
	int64_t at_ms = (int64_t)number * 1000 + 1;
	double nearness;
	if (classifier_predict(classifier, &in, a, &u, &e))
		fail(err_text(&e));
	bool known = topics_knows_copy(ts, u.signature, &first);
	m->taken_as_copy = known && first != who;
	if (!known)
		topics_remember_copy(ts, u.signature, who);
	if (m->taken_as_copy || !u.signature->n_terms)
		return;
	struct topic *t = topics_match(ts, u.signature, &nearness);
	if (!t && !(t = topics_found(ts, &id, at_ms)))
		fail("out of memory");
	m->topic = t;
	topic_join(t, u.signature, u.keywords, u.n_keywords, &id, at_ms);
	if (!topic_count_person(ts, t, who, at_ms))
		fail("out of memory");
	struct topic *twin = topics_twin(ts, t);
	if (!twin)
		return;
	struct topic *into = twin->messages > t->messages ? twin : t, *from = into == twin ? t : twin;
	moved(from, into);
	if (!topics_merge(ts, into, &from))
		fail("out of memory");
}

/* --- judging --------------------------------------------------------------------------------------------------- */

struct counts {
	size_t both, found, real;
};

static void print_counts(const struct counts *c)
{
	if (!c->real) {
		printf("  %6s %6s %6s", "-", "-", "-");
		return;
	}
	double p = c->found ? (double)c->both / (double)c->found : 0, r = (double)c->both / (double)c->real;
	printf("  %6.3f %6.3f %6.3f", p, r, p + r > 0 ? 2 * p * r / (p + r) : 0);
}

static void judge_pair(const struct message *a, const struct message *b, struct counts *c)
{
	bool none = str_eq(a->problem, "-") && str_eq(b->problem, "-");
	if (str_eq(a->problem, "?") || str_eq(b->problem, "?") || (none && !(a->apart && b->apart)))
		return;
	bool same = !none && str_eq(a->problem, b->problem), together = a->topic && a->topic == b->topic;
	c->both += same && together;
	c->found += together;
	c->real += same;
}

static void judge(const char *name)
{
	struct counts pairs = {0}, copies = {0};
	size_t largest = 0;
	for (size_t i = 0; i < storm.n; i++) {
		const struct message *m = &storm.all[i];
		size_t with = 0;
		copies.both += m->is_copy && m->taken_as_copy;
		copies.found += m->taken_as_copy;
		copies.real += m->is_copy;
		for (size_t k = 0; k < storm.n; k++) {
			with += m->topic && storm.all[k].topic == m->topic;
			if (k < i && !m->is_copy && !storm.all[k].is_copy)
				judge_pair(&storm.all[k], m, &pairs);
		}
		largest = MAX(largest, with);
		if (verbose)
			printf("    %p %s %-6s %s\n", (const void *)m->topic, m->taken_as_copy ? "copy" : "    ", m->problem, m->text);
	}
	printf("%-18s %5zu", name, storm.n);
	print_counts(&pairs);
	print_counts(&copies);
	printf("  %7zu\n", largest);
}

static void run(const char *name)
{
	static struct arena a;
	struct topics *ts;
	if (!a.max)
		arena_init(&a, 32 * 1024 * 1024);
	if (strstr(name, ".tsv"))
		read_tsv(name);
	else
		read_jsonl(name);
	if (topics_new(&ts, WINDOW_MS, "bench"))
		fail("out of memory");
	for (size_t i = 0; i < storm.n; i++) {
		arena_reset(&a);
		group(ts, &storm.all[i], i, &a);
	}
	judge(name);
	topics_free(&ts);
	forget_storm();
}

int main(int argc, char **argv)
{
	static const char *const files[] = {"bank.tsv", "rail.tsv", "storm.jsonl", "reposts.jsonl", "busy_hour.jsonl", "angry.jsonl"};
	struct err e = {0};
	verbose = argc > 1 && str_eq(argv[1], "-v");
	if (classifier_open_linear(BINARY_DIR "/models", &classifier, &e))
		fail(err_text(&e));
	printf("%-18s %5s  %20s  %20s  %7s\n", "", "", "pairs of one problem", "copies", "largest");
	printf("%-18s %5s  %6s %6s %6s  %6s %6s %6s  %7s\n", "storm", "posts", "prec", "recall", "F1", "prec", "recall", "F1", "topic");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (argc < 3 || str_eq(argv[2], files[i]))
			run(files[i]);
	classifier_close(&classifier);
	return 0;
}
