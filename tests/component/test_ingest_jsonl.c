/* The adapter jsonl as the process it is: what it makes of files, pipes and rubbish. */
#include "tests/component/adapter_host.h"

#define PROGRAM BINARY_DIR "/bin/ascolto-adapter-jsonl"

static struct host *open_file(const char *path, const char *setting, const char *cursor)
{
	static char file[300];
	snprintf(file, sizeof(file), "file=%s", path);
	return host_open(PROGRAM, (const char *const[]){file, setting, NULL}, NULL, NULL, cursor);
}

static bool finished(struct host *h)
{
	return host_until(h, h->downs == 1) && host_health(h).state == ADAPTER_FINISHED;
}

/* Every kind of bad line, each between good ones. */
static void bad_lines_are_named_and_good_ones_pass(void **state)
{
	(void)state;
	static char text[6 << 20];
	size_t n = 0;
#define ADD(...) (n += (size_t)snprintf(text + n, sizeof(text) - n, __VA_ARGS__))
	ADD("{\"native_id\":\"1\"}\n");
	ADD("{\"native_id\":\"broken\",\n");
	ADD("{\"native_id\":\"2\"}\r\n");
	ADD("{\"text\":\"");
	memset(text + n, 'a', 2 << 20);
	n += 2 << 20;
	ADD("\"}\n");
	ADD("\n  \n");
	ADD("{\"native_id\":\"\xff\xfe\"}\n");
	ADD("[1]\n");
	ADD("{\"a\":1,\"a\":2}\n");
	memset(text + n, '[', 100000);
	n += 100000;
	ADD("\n{\"native_id\":\"3\"}\n");
	n++; /* a line that is one NUL */
	ADD("\n{\"native_id\":\"4\"}");
	const char *path = write_file("storm.jsonl", text, n, 0644);
	struct host *h = open_file(path, NULL, NULL);
	assert_true(finished(h));
	static const struct {
		const char *json, *place, *why;
		size_t raw;
	} want[] = {
		{"{\"native_id\":\"1\"}", "storm.jsonl:1", NULL, 0},
		{NULL, "storm.jsonl:2", "not JSON", 22},
		{"{\"native_id\":\"2\"}", "storm.jsonl:3", NULL, 0},
		{NULL, "storm.jsonl:4", "the line has 2097163 bytes; the limit is 1048576", 65536},
		{NULL, "storm.jsonl:7", "not UTF-8", 18},
		{NULL, "storm.jsonl:8", "not a JSON object", 3},
		{NULL, "storm.jsonl:9", "duplicate", 13},
		{NULL, "storm.jsonl:10", "nested too deeply", 65536},
		{"{\"native_id\":\"3\"}", "storm.jsonl:11", NULL, 0},
		{NULL, "storm.jsonl:12", "control character", 1},
		{"{\"native_id\":\"4\"}", "storm.jsonl:13", NULL, 0},
	};
	assert_int_equal(h->n, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct heard *x = &h->heard[i];
		assert_string_equal(x->place, want[i].place);
		if (!want[i].why) {
			assert_null(x->refused);
			assert_string_equal(x->json, want[i].json);
			continue;
		}
		if (!x->refused || !strstr(x->refused, want[i].why) || x->raw_len != want[i].raw)
			fail_msg("%s: \"%s\", %zu bytes", x->place, x->refused, x->raw_len);
	}
	char end[32];
	snprintf(end, sizeof(end), "%zu:13", n);
	assert_string_equal(h->heard[h->n - 1].cursor, end);
	host_close(h);
}

static void it_goes_on_at_the_cursor(void **state)
{
	(void)state;
	char text[4000];
	size_t n = 0;
	for (int i = 1; i <= 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "{\"native_id\":\"%03d\"}\n", i);
	const char *path = write_file("hundred.jsonl", text, n, 0644);
	char cursor[32];
	snprintf(cursor, sizeof(cursor), "%d:60", 60 * 20);
	struct host *h = open_file(path, NULL, cursor);
	assert_true(finished(h));
	assert_int_equal(h->posts, 40);
	assert_string_equal(h->heard[0].json, "{\"native_id\":\"061\"}");
	assert_string_equal(h->heard[0].place, "hundred.jsonl:61");
	assert_string_equal(h->heard[h->n - 1].cursor, "2000:100");
	host_close(h);

	h = open_file(path, NULL, "2000:100"); /* nothing new */
	assert_true(finished(h));
	assert_int_equal(h->posts, 0);
	host_close(h);
	h = open_file(path, NULL, "999999:1"); /* another file by now */
	assert_true(finished(h));
	assert_int_equal(h->posts, 100);
	assert_non_null(strstr(h->said, "shorter"));
	host_close(h);

	static const char late[] = "{\"native_id\":\"1\"}\n{\"native_id\":\"2\"}";
	h = open_file(write_file("late.jsonl", late, sizeof(late) - 1, 0644), NULL, NULL);
	assert_true(finished(h));
	assert_string_equal(h->heard[0].cursor, "35:2");
	host_close(h);
	FILE *f = fopen(test_path("late.jsonl"), "a");
	fputs("\n{\"native_id\":\"3\"}\n", f);
	fclose(f);
	h = open_file(test_path("late.jsonl"), NULL, "35:2");
	assert_true(finished(h));
	assert_int_equal(h->n, 1);
	assert_string_equal(h->heard[0].place, "late.jsonl:3");
	host_close(h);
}

static void it_keeps_pace(void **state)
{
	(void)state;
	char text[2000];
	size_t n = 0;
	for (int i = 0; i < 5; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"{\"native_id\":\"%d\",\"created_at_ms\":%" PRId64 "}\n", i,
			INT64_C(1700000000000) + i * 10000);
	const char *path = write_file("pace.jsonl", text, n, 0644);
	struct host *h = open_file(path, "pace=100", NULL);
	assert_true(host_until(h, h->n == 1));
	uint64_t start = uv_hrtime();
	assert_true(finished(h));
	double seconds = (double)(uv_hrtime() - start) / 1e9;
	if (seconds < 0.35 || seconds > 1.5) /* 40 s of posts, a hundred times as fast */
		fail_msg("%f s", seconds);
	assert_int_equal(h->n, 5);
	host_close(h);
}

static void a_named_pipe_is_read_to_its_end(void **state)
{
	(void)state;
	const char *path = test_path("pipe");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	struct host *h = open_file(path, NULL, NULL);
	assert_true(host_until(h, host_health(h).state == ADAPTER_RUNNING));
	host_wait(h, 100); /* no writer yet: it waits */
	assert_int_equal(h->downs, 0);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	static const char first[] = "{\"native_id\":\"1\"}\n{\"native", second[] = "_id\":\"2\"}";
	assert_int_equal(write(fd, first, sizeof(first) - 1), sizeof(first) - 1);
	assert_true(host_until(h, h->posts == 1)); /* at once, though the pipe is still open */
	host_wait(h, 50);
	assert_int_equal(write(fd, second, sizeof(second) - 1), sizeof(second) - 1);
	close(fd);
	assert_true(finished(h));
	assert_int_equal(h->posts, 2);
	assert_string_equal(h->heard[1].json, "{\"native_id\":\"2\"}");
	assert_string_equal(h->heard[1].place, "pipe:2");
	host_close(h);
}

static void a_followed_file_is_read_as_it_grows(void **state)
{
	(void)state;
	char path[256];
	snprintf(path, sizeof(path), "%s", test_path("grows.jsonl"));
	unlink(path);
	struct host *h = open_file(path, "follow=yes", NULL); /* not there yet */
	assert_true(host_until(h, host_health(h).state == ADAPTER_RUNNING));
	FILE *f = fopen(path, "w");
	fputs("{\"native_id\":\"1\"}\n{\"nat", f);
	fflush(f);
	assert_true(host_until(h, h->posts == 1));
	host_wait(h, 300);
	assert_int_equal(h->n, 1); /* half a line is not a line */
	fputs("ive_id\":\"2\"}\n", f);
	fflush(f);
	assert_true(host_until(h, h->posts == 2));
	rewind(f);
	assert_int_equal(ftruncate(fileno(f), 0), 0);
	host_wait(h, 300);
	fputs("{\"native_id\":\"3\"}\n", f);
	fclose(f);
	assert_true(host_until(h, h->posts == 3));
	assert_string_equal(h->heard[2].place, "grows.jsonl:1");
	assert_int_equal(h->downs, 0);
	host_close(h);
}

static void wrong_settings_are_its_last_words(void **state)
{
	(void)state;
	static const struct {
		const char *file, *setting, *words;
	} rows[] = {
		{"/nowhere/x.jsonl", NULL, "cannot open /nowhere/x.jsonl: No such file"},
		{"/tmp", NULL, "/tmp is neither a file nor a named pipe"},
		{"/etc/hostname", "pace=fast", "pace=fast is not a number"},
		{"/etc/hostname", "pace=-1", "pace=-1 is not a number"},
		{"", NULL, "the setting file=PATH is missing"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host *h = open_file(rows[i].file, rows[i].setting, NULL);
		assert_true(host_until(h, h->downs == 1));
		if (!strstr(host_health(h).words, rows[i].words))
			fail_msg("\"%s\"", host_health(h).words);
		host_close(h);
	}
}

static void it_is_fast(void **state)
{
	(void)state;
	char line[600], *text = malloc(20000 * 460);
	size_t n = 0;
	assert_non_null(text);
	for (int i = 0; i < 20000; i++) {
		int len = snprintf(line, sizeof(line),
			"{\"channel\": \"x-acme\", \"native_id\": \"5675914800854%05d\", \"revision\": 0, "
			"\"kind\": \"message\", "
			"\"surface\": \"public\", \"conversation\": \"567591480085463040\", \"author\": "
			"{\"ids\": [{\"scope\": \"x\", "
			"\"value\": \"u_16c4f1d752\"}], \"handle\": \"u_16c4f1d752\"}, \"text\": \"@acme "
			"yes. We waited in line for "
			"almost an hour to do so. Some passengers just left.\", \"created_at_ms\": "
			"1424159328849}\n",
			i);
		memcpy(text + n, line, (size_t)len);
		n += (size_t)len;
	}
	const char *path = write_file("fast.jsonl", text, n, 0644);
	free(text);
	struct host *h = open_file(path, NULL, NULL);
	h->drop_posts = true;
	uint64_t start = uv_hrtime();
	assert_true(finished(h));
	assert_int_equal(h->posts, 20000);
	print_message(
		"jsonl adapter and host: %.0f posts/s\n", 20000 / ((double)(uv_hrtime() - start) / 1e9));
	host_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_are_named_and_good_ones_pass),
		cmocka_unit_test(it_goes_on_at_the_cursor),
		cmocka_unit_test(it_keeps_pace),
		cmocka_unit_test(a_named_pipe_is_read_to_its_end),
		cmocka_unit_test(a_followed_file_is_read_as_it_grows),
		cmocka_unit_test(wrong_settings_are_its_last_words),
		cmocka_unit_test(it_is_fast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
