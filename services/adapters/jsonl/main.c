/*
 * ascolto-adapter-jsonl - posts from a file or a named pipe, one JSON object per line.
 *
 * Settings: file=PATH; pace=N replays with the original spacing divided by N; follow=yes waits for more at
 * the end. The cursor is "OFFSET:LINE". Line endings \n and \r\n; a last line without one is a line; empty
 * lines are passed over.
 */
#include "common/json.h"
#include "services/adapters/jsonl/lines.h"
#include "services/adapters/sdk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLLOW_MS 200

struct reader {
	struct sdk *sdk;
	const char *file, *name; /* path, and its last part for places */
	bool follow, pipe;
	double pace;	    /* 0 = as fast as possible */
	int64_t first_ms;   /* created_at_ms of the first post; 0 = none yet */
	int64_t started_ms; /* our clock then */
	struct lines lines;
	bool finish; /* the host wants the adapter to exit */
};

static int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const char *cursor(const struct reader *r, char text[48])
{
	snprintf(text, 48, "%" PRIu64 ":%" PRIu64, r->lines.offset, r->lines.line);
	return text;
}

static const char *place(const struct reader *r, char text[512])
{
	snprintf(text, 512, "%s:%" PRIu64, r->name, r->lines.line);
	return text;
}

/* Up to `ms` of nothing but listening to the host. */
static void idle(struct reader *r, int64_t ms, int fd)
{
	if (sdk_wait(r->sdk, (int)MIN(ms, (int64_t)INT32_MAX), fd, NULL) == SDK_FINISH)
		r->finish = true;
}

/* Sends what was put together; `text` is the cursor behind it. */
static int send_posts(struct reader *r, const char *text)
{
	if (!sdk_pending(r->sdk))
		return 0;
	int err = sdk_send(r->sdk, &(struct sdk_line){.cursor = text});
	idle(r, 0, -1);
	return err;
}

/* Waits until the post is due. */
static int keep_pace(struct reader *r, const json_t *post, const char *before)
{
	const json_t *created = json_object_get(post, "created_at_ms");
	if (!(r->pace > 0) || !json_is_integer(created))
		return 0;
	int64_t at = json_integer_value(created);
	if (!r->first_ms) {
		r->first_ms = at;
		r->started_ms = clock_ms();
	}
	double gap = (double)(at - r->first_ms) / r->pace;
	int64_t due = r->started_ms + (int64_t)MIN(gap, 1e15);
	if (due <= clock_ms())
		return 0;
	int err = send_posts(r, before);
	while (!err && !r->finish && due > clock_ms())
		idle(r, due - clock_ms(), -1);
	return err;
}

/* One line: a post, or bytes and a reason. `before` is the cursor before it. */
static int take_line(
	struct reader *r, enum lines_got got, struct span line, uint64_t bytes, const char *before)
{
	char at[48], where[512];
	struct err why = {0};
	json_t *post = NULL;
	size_t blank = 0;
	while (blank < line.len && strchr(" \t\r", line.data[blank]) && line.data[blank])
		blank++;
	if (got == LINES_LINE && blank == line.len)
		return 0;
	if (got == LINES_LONG)
		err_set(&why, -EMSGSIZE, "the line has %" PRIu64 " bytes; the limit is %zu", bytes,
			LINES_MAX);
	else if (json_parse(line, &post, &why) == 0 && !json_is_object(post))
		err_set(&why, -EBADMSG, "not a JSON object");
	int err = 0;
	if (why.code) {
		err = sdk_pending(r->sdk) ? send_posts(r, before) : 0;
		if (!err)
			err = sdk_bad(r->sdk, place(r, where), err_text(&why), line, bytes,
				&(struct sdk_line){.cursor = cursor(r, at)});
		idle(r, 0, -1);
	} else {
		err = keep_pace(r, post, before);
		if (!err && !r->finish)
			err = sdk_post(r->sdk, line, place(r, where));
		if (!err && sdk_full(r->sdk))
			err = send_posts(r, cursor(r, at));
	}
	json_decref(post);
	return err;
}

/* All whole lines that were read; `rest`: also the one without an end. */
static int take_lines(struct reader *r, bool rest)
{
	struct span line;
	uint64_t bytes;
	int err = 0;
	while (!err && !r->finish) {
		char before[48];
		cursor(r, before);
		enum lines_got got = lines_next(&r->lines, &line, &bytes);
		if (got == LINES_NONE && rest)
			got = lines_rest(&r->lines, &line, &bytes);
		if (got == LINES_NONE)
			break;
		err = take_line(r, got, line, bytes, before);
	}
	return err;
}

/* A followed file that became shorter was begun anew. */
static void check_begun_anew(struct reader *r)
{
	struct stat st;
	uint64_t at = r->lines.offset + (r->lines.end - r->lines.start) + r->lines.dropped;
	if (r->pipe || fstat(r->lines.fd, &st) || (uint64_t)st.st_size >= at)
		return;
	fprintf(stderr, "%s became shorter: reading it from its beginning\n", r->file);
	int fd = r->lines.fd;
	uint8_t *data = r->lines.data;
	lseek(fd, 0, SEEK_SET);
	r->lines = (struct lines){.fd = fd, .data = data};
}

static int run(struct reader *r)
{
	int err = 0;
	char at[48];
	while (!err && !r->finish) {
		ssize_t n = lines_fill(&r->lines);
		if (n < 0 && n != -EAGAIN) {
			fprintf(stderr, "cannot read %s: %s\n", r->file, strerror((int)-n));
			return (int)n;
		}
		bool over = n == 0 && !r->follow;
		err = take_lines(r, over);
		if (n > 0 || err || r->finish)
			continue;
		err = send_posts(r, cursor(r, at));
		if (over)
			return err ? err : sdk_end(r->sdk);
		check_begun_anew(r);
		/* A pipe without a writer is "readable" all the time, so it is looked at now and then like a
		 * file. */
		idle(r, n == -EAGAIN ? 60000 : FOLLOW_MS, n == -EAGAIN ? r->lines.fd : -1);
	}
	return err;
}

/* Waits for a named pipe's first writer: until then reading it would look like its end. */
static void wait_for_writer(struct reader *r, int fd)
{
	enum sdk_event event = SDK_TIME;
	while (r->pipe && event == SDK_TIME)
		event = sdk_wait(r->sdk, -1, fd, NULL);
	r->finish = event == SDK_FINISH;
}

/* A last line that had no line end when it was read may have one now: it is not an empty line of its own. */
static uint64_t pass_late_line_end(int fd, uint64_t offset)
{
	char two[2];
	bool late = offset && pread(fd, two, 2, (off_t)offset - 1) == 2 && two[0] != '\n' && two[1] == '\n';
	return offset + late;
}

static int open_file(struct reader *r, struct err *e)
{
	uint64_t offset = 0, line = 0;
	const char *saved = sdk_cursor(r->sdk);
	if (saved && sscanf(saved, "%" SCNu64 ":%" SCNu64, &offset, &line) != 2)
		return err_set(e, -EINVAL, "the cursor \"%s\" is not OFFSET:LINE", saved);
	struct stat st;
	int fd;
	while ((fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0 && errno == ENOENT && r->follow) {
		idle(r, FOLLOW_MS, -1);
		if (r->finish)
			return 0;
	}
	if (fd < 0 || fstat(fd, &st))
		return err_set(e, -errno, "cannot open %s: %s", r->file, strerror(errno));
	r->pipe = S_ISFIFO(st.st_mode);
	if (r->pipe) {
		offset = 0;
	} else if (!S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, -EINVAL, "%s is neither a file nor a named pipe", r->file);
	} else if ((uint64_t)st.st_size < offset) {
		fprintf(stderr, "%s is shorter than where reading stopped: reading it from its beginning\n",
			r->file);
		offset = line = 0;
	}
	if (!r->pipe)
		lseek(fd, (off_t)(offset = pass_late_line_end(fd, offset)), SEEK_SET);
	if (lines_init(&r->lines, fd, offset, line))
		return err_set(e, -ENOMEM, "out of memory");
	wait_for_writer(r, fd);
	return 0;
}

static int read_settings(struct reader *r, struct err *e)
{
	r->file = sdk_setting(r->sdk, "file");
	const char *slash = r->file ? strrchr(r->file, '/') : NULL;
	r->name = slash ? slash + 1 : r->file;
	r->follow = str_eq(sdk_setting(r->sdk, "follow"), "yes");
	const char *pace = sdk_setting(r->sdk, "pace");
	char *end = NULL;
	r->pace = pace ? strtod(pace, &end) : 0;
	if (str_empty(r->file))
		return err_set(e, -EINVAL, "the setting file=PATH is missing");
	if (pace && (end == pace || *end || !(r->pace >= 0) || r->pace > 1e9))
		return err_set(e, -EINVAL, "pace=%s is not a number from 0 to 1e9", pace);
	return 0;
}

int main(void)
{
	struct reader r = {0};
	struct err e = {0};
	if (sdk_open(&r.sdk, "jsonl", SDK_POLL | SDK_STREAM, &e))
		return sdk_fail(&e);
	int err = read_settings(&r, &e);
	if (!err)
		err = open_file(&r, &e);
	if (err)
		sdk_fail(&e);
	else
		err = run(&r);
	lines_free(&r.lines);
	sdk_close(&r.sdk);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
