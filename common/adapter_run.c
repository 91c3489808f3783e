#include "adapter_run.h"
#include "adapter.h"
#include "buf.h"

#include <signal.h>
#include <sodium.h>

#define READ_BYTES ((size_t)64 * 1024)
#define WORDS_MAX 400
#define LAST_MS 2000 /* between the end of the process and the end of its output, and the other way round */

struct run {
	uv_process_t process;
	uv_pipe_t in, out, err;
	uv_timer_t timer;
	unsigned handles;	       /* not yet closed */
	const struct run_owner *owner; /* NULL: left */
	void *ctx;
	struct buf input;
	size_t scanned;	    /* no line end before it */
	bool hearing, deaf; /* inside owner->hear; nothing is heard any more */
	bool exited, out_ended, err_ended, in_closed;
	int64_t status;
	int signal;
	char line[WORDS_MAX]; /* of standard error, so far */
	size_t line_len;
	char last_words[WORDS_MAX];
};

struct write {
	uv_write_t req;
	size_t len;
	char data[];
};

static void on_closed(uv_handle_t *h)
{
	struct run *r = h->data;
	if (--r->handles)
		return;
	buf_free(&r->input);
	free(r);
}

static void close_handle(void *handle)
{
	uv_handle_t *h = handle;
	if (!uv_is_closing(h))
		uv_close(h, on_closed);
}

static void close_all(struct run *r)
{
	close_handle(&r->process);
	close_handle(&r->in);
	close_handle(&r->out);
	close_handle(&r->err);
	close_handle(&r->timer);
}

/* ---- the end ---- */

static bool all_heard(const struct run *r)
{
	return r->deaf || !memchr(r->input.data ? r->input.data : (const uint8_t *)"", '\n', r->input.len);
}

static void check_over(struct run *r)
{
	if (r->hearing || !r->exited || !r->out_ended || !r->err_ended ||
		uv_is_closing((uv_handle_t *)&r->process))
		return;
	if (r->owner && !all_heard(r))
		return;
	close_all(r);
	if (!r->owner)
		return;
	char how[WORDS_MAX + 64];
	int n = r->signal ? snprintf(how, sizeof(how), "it was ended by signal %d", r->signal)
			  : snprintf(how, sizeof(how), "it ended with status %" PRId64, r->status);
	if (r->last_words[0])
		snprintf(how + n, sizeof(how) - (size_t)n, ": %s", r->last_words);
	r->owner->over(r->ctx, how);
}

/* The process is gone but somebody holds its output, or it closed its output and lives on. */
static void on_last(uv_timer_t *timer)
{
	struct run *r = timer->data;
	bool held = r->owner && !r->deaf && r->owner->held_back(r->ctx);
	if (held) {
		uv_timer_start(&r->timer, on_last, LAST_MS, 0);
		return;
	}
	if (!r->exited)
		uv_process_kill(&r->process, SIGKILL);
	else
		r->out_ended = r->err_ended = true;
	check_over(r);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
	struct run *r = process->data;
	r->exited = true;
	r->status = status;
	r->signal = signal;
	if (!r->owner)
		r->out_ended = r->err_ended = true;
	uv_timer_start(&r->timer, on_last, LAST_MS, 0);
	check_over(r);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct run *r = h->data;
	uint8_t *room = buf_room(&r->input, READ_BYTES);
	*buf = uv_buf_init((char *)room, room ? READ_BYTES : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	(void)buf;
	struct run *r = stream->data;
	if (n < 0) {
		uv_read_stop(stream);
		r->out_ended = true;
		if (!r->exited)
			uv_timer_start(&r->timer, on_last, LAST_MS, 0);
		check_over(r);
		return;
	}
	if (r->deaf || !r->owner) {
		buf_reset(&r->input);
		r->scanned = 0;
		return;
	}
	r->input.len += (size_t)n;
	run_go_on(r);
}

/* Hears the whole lines that are there, as far as the owner wants them. */
static void hear_lines(struct run *r)
{
	size_t at = 0;
	r->hearing = true;
	while (!r->deaf && !r->owner->held_back(r->ctx)) {
		size_t from = MAX(at, r->scanned);
		const uint8_t *start = r->input.data + from;
		const uint8_t *end = r->input.len > from ? memchr(start, '\n', r->input.len - from) : NULL;
		if (!end)
			r->scanned = r->input.len;
		size_t len = (end ? (size_t)(end - r->input.data) : r->input.len) - at;
		if (len > ADAPTER_LINE_MAX)
			r->owner->too_long(r->ctx);
		if (!end || r->deaf)
			break;
		r->owner->hear(r->ctx, span_of(r->input.data + at, len));
		at += len + 1;
		r->scanned = at;
	}
	r->hearing = false;
	buf_drop(&r->input, r->deaf ? r->input.len : at);
	r->scanned = r->deaf ? 0 : r->scanned - at;
}

void run_go_on(struct run *r)
{
	if (r->hearing || !r->owner)
		return;
	if (r->input.len)
		hear_lines(r);
	if (!r->out_ended) {
		bool room = r->deaf || (!r->owner->held_back(r->ctx));
		if (room)
			uv_read_start((uv_stream_t *)&r->out, on_alloc, on_read);
		else
			uv_read_stop((uv_stream_t *)&r->out);
	}
	check_over(r);
}

/* ---- last words ---- */

static void end_words(struct run *r)
{
	r->line[r->line_len] = 0;
	if (r->line_len) {
		snprintf(r->last_words, sizeof(r->last_words), "%s", r->line);
		if (r->owner)
			r->owner->says(r->ctx, r->line);
	}
	r->line_len = 0;
}

static void on_words_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	static char scratch[4096]; /* the loop's thread only, and used up before the next read */
	(void)h;
	(void)suggested;
	*buf = uv_buf_init(scratch, sizeof(scratch));
}

static void on_words(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct run *r = stream->data;
	for (ssize_t i = 0; i < n; i++) {
		if (buf->base[i] == '\n' || buf->base[i] == '\r' || !buf->base[i])
			end_words(r);
		else if (r->line_len + 1 < sizeof(r->line))
			r->line[r->line_len++] = buf->base[i];
	}
	if (n < 0) {
		end_words(r);
		uv_read_stop(stream);
		r->err_ended = true;
		check_over(r);
	}
}

/* ---- writing ---- */

static void on_written(uv_write_t *req, int status)
{
	(void)status; /* a broken pipe shows as the end of the process */
	struct write *w = req->data;
	sodium_memzero(w->data, w->len);
	free(w);
}

int run_write(struct run *r, struct span text)
{
	if (r->exited || r->in_closed)
		return -EPIPE;
	struct write *w = malloc(sizeof(*w) + text.len);
	if (!w)
		return -ENOMEM;
	w->len = text.len;
	w->req.data = w;
	memcpy(w->data, text.data, text.len);
	uv_buf_t buf = uv_buf_init(w->data, (unsigned)text.len);
	int err = uv_write(&w->req, (uv_stream_t *)&r->in, &buf, 1, on_written);
	if (err) {
		sodium_memzero(w->data, w->len);
		free(w);
	}
	return err ? -EPIPE : 0;
}

size_t run_queued(const struct run *r)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&r->in);
}

/* ---- life ---- */

int run_start(struct run **ret, uv_loop_t *loop, const char *program, const struct run_owner *owner,
	void *ctx, struct err *e)
{
	struct run *r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, -ENOMEM, "out of memory for a run of %s", program);
	r->owner = owner;
	r->ctx = ctx;
	buf_init(&r->input, ADAPTER_LINE_MAX + READ_BYTES * 2);
	uv_pipe_init(loop, &r->in, 0);
	uv_pipe_init(loop, &r->out, 0);
	uv_pipe_init(loop, &r->err, 0);
	uv_timer_init(loop, &r->timer);
	r->handles = 5;
	char *argv[] = {(char *)(uintptr_t)program, NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&r->in},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&r->out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&r->err},
	};
	uv_process_options_t options = {
		.exit_cb = on_process_exit, .file = program, .args = argv, .stdio_count = 3, .stdio = stdio};
	int err = uv_spawn(loop, &r->process, &options);
	r->process.data = r->in.data = r->out.data = r->err.data = r->timer.data = r;
	if (err) {
		r->owner = NULL;
		close_all(r);
		return err_set(e, err, "%s cannot be started: %s", program, uv_strerror(err));
	}
	uv_read_start((uv_stream_t *)&r->out, on_alloc, on_read);
	uv_read_start((uv_stream_t *)&r->err, on_words_alloc, on_words);
	*ret = r;
	return 0;
}

void run_kill(struct run *r)
{
	r->deaf = true;
	if (!r->exited)
		uv_process_kill(&r->process, SIGKILL);
	if (!r->out_ended)
		uv_read_start((uv_stream_t *)&r->out, on_alloc, on_read);
}

static void on_kill(uv_timer_t *timer)
{
	struct run *r = timer->data;
	if (!r->exited)
		uv_process_kill(&r->process, SIGKILL);
}

void run_leave(struct run **run, int64_t kill_after_ms)
{
	struct run *r = *run;
	*run = NULL;
	r->owner = NULL;
	r->in_closed = true;
	buf_reset(&r->input);
	close_handle(&r->in);
	if (r->exited) {
		close_all(r);
		return;
	}
	uv_timer_start(&r->timer, on_kill, (uint64_t)kill_after_ms, 0);
	uv_read_stop((uv_stream_t *)&r->out);
	if (!r->out_ended)
		uv_read_start((uv_stream_t *)&r->out, on_alloc, on_read);
}
