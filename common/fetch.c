#include "fetch_internal.h"

#include <sys/socket.h>

#define CONNECTIONS_KEPT 32L

struct watch { /* a socket of curl's in the loop */
	uv_poll_t poll;
	struct fetch *fetch;
	curl_socket_t fd;
};

/* ---- the end of a call ---- */

/* Mail counts as sent only when the end of the text was sent, so before the text nothing has been done there;
 * a refusal at any point is an answer. A request counts from its first byte. */
static enum fetch_result classify(const struct fetch_call *c, CURLcode code, long status)
{
	long sent = 0;
	curl_off_t uploaded = 0;
	if (code == CURLE_OK || (c->smtp && status >= 400))
		return FETCH_ANSWERED;
	curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	if (status > 0 && !c->smtp)
		return FETCH_UNKNOWN;
	return (sent > 0 && !c->smtp) || uploaded > 0 ? FETCH_UNKNOWN : FETCH_NOT_SENT;
}

static int64_t retry_after(CURL *easy)
{
	struct curl_header *header;
	curl_off_t seconds = -1;
	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return -1;
	return curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) ? -1 : (int64_t)seconds;
}

/* An abandoned call (fetch_close) stays in memory: its thread still has it, so nothing of curl's is asked. */
static void finish(struct fetch_call *c, CURLcode code, const char *why)
{
	char text[CURL_ERROR_SIZE + 64] = "";
	struct fetch_response response = {.retry_after_s = -1, .error = text, .result = FETCH_UNKNOWN};
	if (!atomic_load(&c->abandoned)) {
		response.retry_after_s = retry_after(c->easy);
		curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &response.status);
		curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME, &response.seconds);
		response.result = classify(c, code, response.status);
		response.body = buf_span(&c->body);
	}
	if (why)
		snprintf(text, sizeof(text), "%s", why);
	else if (c->too_long)
		snprintf(text, sizeof(text), "the response's %s is longer than %zu bytes",
			c->header_bytes > FETCH_HEADERS_MAX ? "header" : "body",
			c->header_bytes > FETCH_HEADERS_MAX ? FETCH_HEADERS_MAX : c->body.max);
	else if (code != CURLE_OK && c->refused[0])
		snprintf(text, sizeof(text), "the address %s is not allowed", c->refused);
	else if (code != CURLE_OK)
		snprintf(text, sizeof(text), "%s", c->error[0] ? c->error : curl_easy_strerror(code));
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->fetch->running--;
	if (!c->smtp)
		curl_multi_remove_handle(c->fetch->multi, c->easy);
	c->done(&response, c->ctx);
	if (!atomic_load(&c->abandoned))
		fetch_call_free(c);
}

/* `done` may start calls and may close the fetch, whose memory lives until the timer's handle is closed. */
static void take_finished(struct fetch *f)
{
	CURLMsg *m;
	int left;
	while (!f->closing && (m = curl_multi_info_read(f->multi, &left))) {
		struct fetch_call *c;
		if (m->msg == CURLMSG_DONE &&
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c) == CURLE_OK)
			finish(c, m->data.result, NULL);
	}
}

/* ---- mail ---- */

/* curl waits for some of SMTP's answers without asking the loop, so each mail has a thread of libuv's pool. */
static void perform(uv_work_t *work)
{
	struct fetch_call *c = work->data;
	curl_socket_t fd = CURL_SOCKET_BAD;
	c->code = curl_easy_perform(c->easy);
	/* When curl drops the connection later it says QUIT and waits for the answer. Nothing hangs on that answer, so it
	 * finds the socket shut. */
	if (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RDWR);
}

static void leave(struct fetch *f)
{
	if (--f->users == 0)
		free(f);
}

static void on_performed(uv_work_t *work, int status)
{
	struct fetch_call *c = work->data;
	struct fetch *f = c->fetch;
	if (atomic_load(&c->abandoned))
		fetch_call_free(c);
	else
		finish(c, status ? CURLE_ABORTED_BY_CALLBACK : c->code, NULL);
	leave(f);
}

/* ---- the loop ---- */

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct fetch *f = w->fetch;
	int running, flags = 0;
	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(f->multi, w->fd, flags, &running); /* may close w */
	take_finished(f);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	(void)easy;
	struct fetch *f = ctx;
	struct watch *w = socket_ctx;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			curl_multi_assign(f->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		}
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w || uv_poll_init_socket(f->loop, &w->poll, fd)) {
			free(w);
			return -1;
		}
		w->fetch = f;
		w->fd = fd;
		w->poll.data = w;
		curl_multi_assign(f->multi, fd, w);
	}
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&w->poll, events, on_ready) ? -1 : 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx);

static void on_timeout(uv_timer_t *timer)
{
	struct fetch *f = timer->data;
	int running;
	long next_ms = -1;
	curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(f);
	/* A call without a timer would wait for ever; curl does not say again what it has said already. */
	if (!f->closing && running && !uv_is_active((uv_handle_t *)&f->timer) &&
		curl_multi_timeout(f->multi, &next_ms) == CURLM_OK)
		on_timer(f->multi, next_ms, f);
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	(void)multi;
	struct fetch *f = ctx;
	if (timeout_ms < 0) {
		uv_timer_stop(&f->timer);
		return 0;
	}
	/* curl says a time once: a timer that fires too early, by the loop's old or rounded clock, would be
	 * the last. */
	uv_update_time(f->loop);
	uv_timer_start(&f->timer, on_timeout, (uint64_t)timeout_ms + 1, 0);
	return 0;
}

/* ---- open, start, close ---- */

int fetch_open(struct fetch **ret, uv_loop_t *loop, const char *const *allow, struct err *e)
{
	struct fetch *f = calloc(1, sizeof(*f));
	if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) || !(f->multi = curl_multi_init())) {
		free(f);
		return err_set(e, -ENOMEM, "can not start libcurl");
	}
	int r = 0;
	for (; allow && *allow && !r; allow++) {
		if (f->n_allow == FETCH_CIDRS_MAX)
			r = err_set(e, -EINVAL, "more than %d address ranges", FETCH_CIDRS_MAX);
		else if (cidr_parse(*allow, &f->allow[f->n_allow++]))
			r = err_set(e, -EINVAL, "%s: not an address range of the form 10.0.0.0/8", *allow);
	}
	if (r) {
		curl_multi_cleanup(f->multi);
		free(f);
		return r;
	}
	f->loop = loop;
	f->users = 1;
	uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	*ret = f;
	return 0;
}

int fetch_start(
	struct fetch *f, const struct fetch_request *request, fetch_done_fn *done, void *ctx, struct err *e)
{
	struct fetch_call *c = NULL;
	if (f->closing)
		return err_set(e, -ECANCELED, "the program is stopping");
	int r = fetch_call_new(&c, f, request, e);
	if (r)
		return r;
	c->work.data = c;
	bool begun = c->smtp ? uv_queue_work(f->loop, &c->work, perform, on_performed) == 0
			     : curl_multi_add_handle(f->multi, c->easy) == CURLM_OK;
	if (!begun) {
		fetch_call_free(c);
		return err_set(e, -ENOMEM, "out of memory");
	}
	f->users += c->smtp;
	c->done = done;
	c->ctx = ctx;
	c->next = f->calls;
	c->at = &f->calls;
	if (c->next)
		c->next->at = &c->next;
	f->calls = c;
	f->running++;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	leave(handle->data);
}

void fetch_close(struct fetch **fetch)
{
	struct fetch *f = *fetch;
	if (!f)
		return;
	*fetch = NULL;
	f->closing = true;
	while (f->calls) {
		/* A mail not yet begun by the pool is simply not sent; one under way is left to its thread. */
		if (f->calls->smtp)
			atomic_store(&f->calls->abandoned, true);
		finish(f->calls, CURLE_ABORTED_BY_CALLBACK, "the program is stopping");
	}
	curl_multi_cleanup(f->multi);
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

size_t fetch_running(const struct fetch *f)
{
	return f->running;
}
