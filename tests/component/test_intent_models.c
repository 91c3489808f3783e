/* Models are swapped while the service works: nothing is lost, nothing is mixed, what is refused changes nothing. */
#include "tests/component/intent_stage.h"

#include <xxhash.h>

#define LOAD 6000
#define FAULT "il modem rotto e' spento"
#define THANKS "grazie bravi e' perfetto"

static char said[16384];

/* Answers tell which model gave them: the shipped one knows faults, the twisted one calls them praise. */
static void check_one(const Ascolto__Envelope *e, const char *twisted_digits, size_t *twisted, size_t *plain)
{
	const Ascolto__Understanding *u = e->classified->understanding;
	bool fault = strstr(e->classified->post->text, "modem") != NULL;
	bool by_twisted = strstr(u->model, twisted_digits) != NULL;
	assert_string_equal(u->intent->value, fault != by_twisted ? "report_fault" : "praise");
	++*(by_twisted ? twisted : plain);
}

static void test_swap_under_load(void **state)
{
	(void)state;
	char digits[16] = "";
	train_file("twisted.tsv", "intent", "twisted.model");
	EXPECT(0, said, "intent models %s", file_of("models"));
	says(said, "intent-");
	EXPECT(0, said, "intent promote %s --by anna", file_of("twisted.model"));
	says(said, " runs instead of shipped");
	sscanf(strstr(said, "intent-"), "intent-%8[0-9a-f]", digits);
	assert_int_equal(strlen(digits), 8);
	EXPECT(0, said, "intent rollback intent");
	says(said, "shipped runs instead of intent-");

	for (int i = 0; i < LOAD; i++)
		send_text(i, i % 2 ? THANKS : FAULT);
	for (int swap = 0; peer_received(escalation) < LOAD; swap++) {
		int r = swap % 2 ? ascolto(said, "intent rollback intent")
				 : ascolto(said, "intent promote intent-%s", digits);
		if (r)
			fail_msg("%s", said);
	}
	assert_true(peer_wait_sent(enrichment, 20000));
	bool *came = calloc(LOAD, sizeof(*came));
	size_t twisted = 0, plain = 0;
	for (size_t i = 0; i < LOAD; i++) {
		Ascolto__Envelope *e = classified(i);
		int number = -1;
		sscanf(e->classified->post->native_id, "message %d", &number);
		assert_true(number >= 0 && number < LOAD && !came[number]);
		came[number] = true;
		check_one(e, digits, &twisted, &plain);
		ascolto__envelope__free_unpacked(e, NULL);
	}
	print_message("%zu messages by the shipped model, %zu by the other\n", plain, twisted);
	assert_true(twisted > 0 && plain > 0);
	assert_int_equal(peer_received(escalation), LOAD);
	free(came);
}

static void write_bytes(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(file_of(name), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static struct buf read_bytes(const char *name)
{
	struct buf b;
	buf_init(&b, MODEL_FILE_MAX);
	FILE *f = fopen(file_of(name), "r");
	assert_non_null(f);
	b.len = fread(buf_room(&b, 8 << 20), 1, 8 << 20, f);
	fclose(f);
	return b;
}

/* A whole and well-made model of somebody's own task that says it is one for intents. */
static void forge_task(void)
{
	struct buf b = read_bytes("own.model");
	struct model_head *h = (struct model_head *)(void *)b.data;
	size_t from = offsetof(struct model_head, checksum) + sizeof(h->checksum);
	snprintf(h->task, sizeof(h->task), "intent");
	h->checksum = XXH3_64bits(b.data + from, b.len - from);
	write_bytes("labels.model", b.data, b.len);
	buf_free(&b);
}

static void test_refused_files(void **state)
{
	(void)state;
	char before[128], after[128];
	train_file("twisted.tsv", "intent", "good.model");
	assert_string_equal(ask_intent(FAULT, before), "report_fault");
	struct buf b = read_bytes("good.model");
	size_t n = b.len;
	write_bytes("cut.model", b.data, n / 2);
	b.data[n / 2] ^= 1;
	write_bytes("flipped.model", b.data, n);
	b.data[n / 2] ^= 1;
	b.data[8] = MODEL_VERSION + 1;
	write_bytes("future.model", b.data, n);
	write_bytes("foreign.model", "#!/bin/sh\necho hello\n", 21);
	write_bytes("empty.model", "", 0);
	train_file("models/data/train.tsv", "mood", "own.model");
	forge_task();
	static const struct {
		const char *file, *words;
	} rows[] = {{"cut.model", "damaged"}, {"flipped.model", "damaged: its checksum does not match"},
		{"future.model", "this program reads format"}, {"foreign.model", "not a model of Ascolto"},
		{"empty.model", "not a model of Ascolto"}, {"own.model", "the service knows no such task"},
		{"labels.model", "is none that \"intent\" has"}, {"nothing.model", "No such file"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(1, said, "intent promote %s", file_of(rows[i].file));
		says(said, rows[i].words);
	}
	EXPECT(1, said, "intent promote intent-00000000");
	says(said, "no version");
	EXPECT(1, said, "intent rollback intent");
	says(said, "no model ran before the shipped one");
	EXPECT(2, said, "intent rollback moods");
	EXPECT(2, said, "intent promote");

	/* Pages of other sites can send no such header, and one who changes something has a name. */
	struct reply r = talk(installation_port(&site, "intent", ADDRESS_HTTP), "POST", "/-/models/intent/rollback", NULL, "");
	assert_int_equal(r.status, 403);
	reply_free(&r);
	assert_string_equal(ask_intent(FAULT, after), "report_fault");
	assert_string_equal(before, after);
	EXPECT(0, said, "quarantine list intent");
	says(said, "nothing is in quarantine");
	buf_free(&b);
}

static void restart(void)
{
	assert_int_equal(program_stop(&intent, SIGTERM), 0);
	start_intent();
}

static void test_restart_and_rollback(void **state)
{
	(void)state;
	char shipped[128], now[128], name[80] = "", path[512];
	train_file("twisted.tsv", "intent", "twisted.model");
	ask_intent(FAULT, shipped);
	EXPECT(0, said, "intent promote %s", file_of("twisted.model"));
	sscanf(strstr(said, "intent-"), "%79[a-z0-9-]", name);
	EXPECT(1, said, "intent promote %s", file_of("twisted.model"));
	says(said, "runs already");
	assert_string_equal(ask_intent(FAULT, now), "praise");
	assert_string_not_equal(shipped, now);
	restart();
	assert_string_equal(ask_intent(FAULT, NULL), "praise");
	EXPECT(0, said, "intent models intent");
	says(said, "a rollback returns to shipped");
	says(said, name);
	EXPECT(0, said, "intent models");
	says(said, name);
	says(said, "lane-");
	EXPECT(0, said, "intent rollback intent --by bruno");
	assert_string_equal(ask_intent(FAULT, now), "report_fault");
	assert_string_equal(shipped, now);
	restart();
	assert_string_equal(ask_intent(FAULT, now), "report_fault");

	/* What was rolled back is kept, and a file that breaks on the disk gives way to the shipped model. */
	EXPECT(0, said, "intent promote %s", name);
	assert_string_equal(ask_intent(FAULT, NULL), "praise");
	snprintf(path, sizeof(path), "%s/state/intent/models/%s.model", site.folder, name);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 5000, SEEK_SET);
	fputs("damage", f);
	fclose(f);
	restart();
	assert_string_equal(ask_intent(FAULT, now), "report_fault");
	assert_string_equal(shipped, now);
	struct reply r = talk(installation_port(&site, "intent", ADDRESS_HTTP), "GET", "/readyz", NULL, NULL);
	assert_int_equal(r.status, 200);
	says(r.body, "its checksum does not match: the shipped model decides in its place");
	reply_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_swap_under_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_and_rollback, setup, teardown),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
