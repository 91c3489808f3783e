#include "fetch.h"
#include "buf.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define RESPONSE_MAX ((size_t)64 * 1024)
#define HEADERS_MAX ((size_t)64 * 1024)
#define CIDRS_MAX 64
#define CONNECTIONS_KEPT 32L

struct cidr {
	int family;
	uint8_t address[16];
	unsigned bits;
};

struct fetch {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct cidr allow[CIDRS_MAX];
	size_t n_allow;
	struct fetch_call *calls;
	size_t running;
	bool closing;
};

struct fetch_call {
	struct fetch *fetch;
	struct fetch_call *next, **at;
	CURL *easy;
	fetch_done_fn *done;
	void *ctx;
	bool smtp;
	struct curl_slist *headers, *rcpt;
	struct buf upload; /* SMTP: the mail, what curl has taken is before `taken` */
	size_t taken;
	struct buf body;
	size_t header_bytes;
	bool too_long;
	char refused[INET6_ADDRSTRLEN];
	char error[CURL_ERROR_SIZE];
};

struct watch { /* a socket of curl's in the loop */
	uv_poll_t poll;
	struct fetch *fetch;
	curl_socket_t fd;
};

/* ------------------------------------------------------------------------------------------------ addresses
 */

/* -EINVAL unless it is an address, a slash and a number of bits; an address alone means just that one. */
static int cidr_parse(const char *text, struct cidr *ret)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)len, text);
	struct cidr c = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};
	unsigned max = c.family == AF_INET6 ? 128 : 32;
	if (inet_pton(c.family, address, c.address) != 1)
		return -EINVAL;
	c.bits = max;
	if (slash) {
		char *end;
		unsigned long bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end || bits > max)
			return -EINVAL;
		c.bits = (unsigned)bits;
	}
	*ret = c;
	return 0;
}

static bool cidr_holds(const struct cidr *c, int family, const uint8_t *address)
{
	if (c->family != family || memcmp(c->address, address, c->bits / 8) != 0)
		return false;
	unsigned rest = c->bits % 8;
	return !rest || ((c->address[c->bits / 8] ^ address[c->bits / 8]) >> (8 - rest)) == 0;
}

/* What is not out in the world: IANA's special-purpose registries (RFC 6890 and later entries). */
static const char *const not_public[] = {
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.0.0/24",
	"192.0.2.0/24",
	"192.88.99.0/24",
	"192.168.0.0/16",
	"198.18.0.0/15",
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",
	"240.0.0.0/4",
	/* unspecified, loopback and IPv4-compatible; mapped; NAT64 */
	"::/96",
	"::ffff:0:0/96",
	"::ffff:0:0:0/96",
	"64:ff9b::/96",
	"64:ff9b:1::/48",
	/* discard; Teredo and other IETF use; documentation; 6to4; ULA; link-local; site-local; multicast */
	"100::/64",
	"2001::/23",
	"2001:db8::/32",
	"2002::/16",
	"fc00::/7",
	"fe80::/10",
	"fec0::/10",
	"ff00::/8",
};

static bool address_allowed(const struct fetch *f, int family, const uint8_t *address)
{
	for (size_t i = 0; i < f->n_allow; i++)
		if (cidr_holds(&f->allow[i], family, address))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(not_public); i++) {
		struct cidr c;
		if (cidr_parse(not_public[i], &c) || cidr_holds(&c, family, address))
			return false;
	}
	return true;
}

/* curl's socket opener: the one place that knows where the connection really goes. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct fetch_call *c = ctx;
	const void *address = NULL;
	if (a->family == AF_INET)
		address = &((struct sockaddr_in *)(void *)&a->addr)->sin_addr;
	else if (a->family == AF_INET6)
		address = &((struct sockaddr_in6 *)(void *)&a->addr)->sin6_addr;
	if (purpose != CURLSOCKTYPE_IPCXN || !address)
		return CURL_SOCKET_BAD;
	if (!address_allowed(c->fetch, a->family, address)) {
		inet_ntop(a->family, address, c->refused, sizeof(c->refused));
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ------------------------------------------------------------------------------------------------ data */

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch_call *c = ctx;
	if (buf_add(&c->body, data, size * n) == 0)
		return size * n;
	c->too_long = true;
	return 0;
}

/* SMTP's replies come here too: the last one is what the caller gets as the body. When curl gives up after a
 * refusal it says QUIT and blocks until that is answered, two minutes by default; two seconds are enough for
 * a peer that has just answered. */
static void on_smtp_reply(struct fetch_call *c, struct span line)
{
	bool refusal = line.len >= 3 && (line.data[0] == '4' || line.data[0] == '5');
	curl_easy_setopt(c->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, refusal ? 2L : 0L);
	if (line.len >= 3 && memcmp(line.data, "221", 3) == 0)
		return; /* the answer to that QUIT says nothing about the mail */
	while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
		line.len--;
	buf_reset(&c->body);
	buf_add(&c->body, line.data, line.len);
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch_call *c = ctx;
	c->header_bytes += size * n;
	if (c->header_bytes > HEADERS_MAX) {
		c->too_long = true;
		return 0;
	}
	if (c->smtp)
		on_smtp_reply(c, span_of(data, size * n));
	return size * n;
}

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct fetch_call *c = ctx;
	size_t len = MIN(size * n, c->upload.len - c->taken);
	if (len)
		memcpy(out, c->upload.data + c->taken, len);
	c->taken += len;
	return len;
}

/* ------------------------------------------------------------------------------------------------ the end */

static void call_free(struct fetch_call *c)
{
	if (c->easy)
		curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->rcpt);
	buf_free(&c->upload);
	buf_free(&c->body);
	free(c);
}

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

static void finish(struct fetch_call *c, CURLcode code, const char *why)
{
	char text[CURL_ERROR_SIZE + 64] = "";
	struct fetch_response response = {.retry_after_s = retry_after(c->easy), .error = text};
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &response.status);
	curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME, &response.seconds);
	response.result = classify(c, code, response.status);
	response.body = buf_span(&c->body);
	if (why)
		snprintf(text, sizeof(text), "%s", why);
	else if (c->too_long)
		snprintf(text, sizeof(text), "the response's %s is longer than %zu bytes",
			c->header_bytes > HEADERS_MAX ? "header" : "body",
			c->header_bytes > HEADERS_MAX ? HEADERS_MAX : c->body.max);
	else if (code != CURLE_OK && c->refused[0])
		snprintf(text, sizeof(text), "the address %s is not allowed", c->refused);
	else if (code != CURLE_OK)
		snprintf(text, sizeof(text), "%s", c->error[0] ? c->error : curl_easy_strerror(code));
	/* When curl drops an SMTP connection it says QUIT and waits, blocking, for the answer. Nothing hangs
	 * on that answer, so it finds the socket shut. */
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (c->smtp && curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RDWR);

	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->fetch->running--;
	curl_multi_remove_handle(c->fetch->multi, c->easy);
	c->done(&response, c->ctx);
	call_free(c);
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

/* ------------------------------------------------------------------------------------------------ the loop
 */

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

static void on_timeout(uv_timer_t *timer)
{
	struct fetch *f = timer->data;
	int running;
	curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(f);
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

/* ------------------------------------------------------------------------------------------------ open,
 * close */

int fetch_open(struct fetch **ret, uv_loop_t *loop, const char *const *allow, struct err *e)
{
	struct fetch *f = calloc(1, sizeof(*f));
	if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) || !(f->multi = curl_multi_init())) {
		free(f);
		return err_set(e, -ENOMEM, "can not start libcurl");
	}
	int r = 0;
	for (; allow && *allow && !r; allow++) {
		if (f->n_allow == CIDRS_MAX)
			r = err_set(e, -EINVAL, "more than %d address ranges", CIDRS_MAX);
		else if (cidr_parse(*allow, &f->allow[f->n_allow++]))
			r = err_set(e, -EINVAL, "%s: not an address range of the form 10.0.0.0/8", *allow);
	}
	if (r) {
		curl_multi_cleanup(f->multi);
		free(f);
		return r;
	}
	f->loop = loop;
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

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void fetch_close(struct fetch **fetch)
{
	struct fetch *f = *fetch;
	if (!f)
		return;
	*fetch = NULL;
	f->closing = true;
	while (f->calls)
		finish(f->calls, CURLE_ABORTED_BY_CALLBACK, "the program is stopping");
	curl_multi_cleanup(f->multi);
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

size_t fetch_running(const struct fetch *f)
{
	return f->running;
}

/* ------------------------------------------------------------------------------------------------ start */

/* Header names and values, methods and mail addresses end up in a line of the protocol. */
static bool fits_a_line(const char *s)
{
	return s && !strpbrk(s, "\r\n");
}

static int check_scheme(const struct fetch_request *request, const char *scheme, struct err *e)
{
	static const char *const known[] = {"http", "https", "smtp", "smtps"};
	size_t i = 0;
	while (i < ARRAY_SIZE(known) && !str_eq(known[i], scheme))
		i++;
	if (i == ARRAY_SIZE(known))
		return err_set(e, -EINVAL, "the scheme %s is not one of http, https, smtp and smtps", scheme);
	if (request->require_tls && str_eq(scheme, "http"))
		return err_set(e, -EINVAL, "the address must begin with https: TLS is required");
	return 0;
}

/* The address itself stays out of the error's text: it may hold a token. */
static int check_url(const struct fetch_request *request, bool *ret_smtp, struct err *e)
{
	int r = -ENOMEM;
	char *scheme = NULL, *user = NULL;
	CURLU *u = curl_url();
	CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, request->url, CURLU_NON_SUPPORT_SCHEME)
			   : CURLUE_OUT_OF_MEMORY;
	if (code == CURLUE_OK)
		code = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		err_set(e, r, "out of memory");
	else if (code != CURLUE_OK)
		r = err_set(e, -EINVAL, "not an address that can be called: %s", curl_url_strerror(code));
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		r = err_set(e, -EINVAL, "the address holds a user name: give it separately");
	else
		r = check_scheme(request, scheme, e);
	if (!r)
		*ret_smtp = strncmp(scheme, "smtp", 4) == 0;
	curl_free(scheme);
	curl_free(user);
	curl_url_cleanup(u);
	return r;
}

static int add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int add_headers(struct fetch_call *c, const struct fetch_request *request, struct err *e)
{
	bool typed = false;
	int r = add_line(&c->headers, "Expect:"); /* no waiting for 100 Continue */
	for (size_t i = 0; i < request->n_headers && !r; i++) {
		const struct fetch_header *h = &request->headers[i];
		if (!fits_a_line(h->name) || !fits_a_line(h->value) || strpbrk(h->name, ": \t;") ||
			!h->name[0])
			return err_set(
				e, -EINVAL, "header %zu has a line break or a name that is no name", i + 1);
		typed |= strcasecmp(h->name, "Content-Type") == 0;
		struct buf line CLEANUP(buf_free);
		buf_init(&line, HEADERS_MAX);
		/* curl's way of writing a header without value is a semicolon */
		buf_addf(&line, h->value[0] ? "%s: %s" : "%s;", h->name, h->value);
		if (line.broken)
			return err_set(e, -EINVAL, "the header %s is too long", h->name);
		r = add_line(&c->headers, buf_str(&line));
	}
	if (!typed && !r) /* or else curl claims that the body is a form */
		r = add_line(&c->headers, "Content-Type:");
	return r ? err_set(e, r, "out of memory") : 0;
}

static int set_up_http(struct fetch_call *c, const struct fetch_request *request, struct err *e)
{
	const char *method = request->method ? request->method : request->body.len ? "POST" : "GET";
	int r = add_headers(c, request, e);
	if (r)
		return r;
	if (!method[0] || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != strlen(method))
		return err_set(e, -EINVAL, "the method must be a word in capital letters");
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "Ascolto/" ASCOLTO_VERSION);
	bool safe = str_eq(method, "GET") || str_eq(method, "HEAD");
	if (str_eq(method, "HEAD")) {
		curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
	} else if (request->body.len || !safe) {
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		curl_easy_setopt(c->easy, CURLOPT_COPYPOSTFIELDS,
			request->body.len ? (const char *)request->body.data : "");
		curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
	}
	/* On a kept connection that turns out dead curl sends the request again by itself: never for what
	 * acts. */
	curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, safe ? 0L : 1L);
	return 0;
}

static int set_up_mail(struct fetch_call *c, const struct fetch_request *request, struct err *e)
{
	if (!fits_a_line(request->mail_from) || !request->mail_to || !request->mail_to[0])
		return err_set(e, -EINVAL, "a mail needs a sender and a recipient");
	if (!request->body.len)
		return err_set(e, -EINVAL, "a mail needs a text");
	for (const char *const *to = request->mail_to; *to; to++) {
		if (!fits_a_line(*to))
			return err_set(e, -EINVAL, "a recipient's address has a line break");
		if (add_line(&c->rcpt, *to))
			return err_set(e, -ENOMEM, "out of memory");
	}
	buf_init(&c->upload, request->body.len);
	if (buf_add(&c->upload, request->body.data, request->body.len))
		return err_set(e, -ENOMEM, "out of memory");
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body.len);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_FROM, request->mail_from);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, c->rcpt);
	curl_easy_setopt(
		c->easy, CURLOPT_USE_SSL, request->require_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
	curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
	if (!request->require_tls && !request->user && strncasecmp(request->url, "smtp:", 5) == 0) {
		/* Encryption here is a bonus: who can forge a certificate can as well hide that TLS is
		 * offered, and the usual mail server on the same machine has one that it signed itself. */
		curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return 0;
}

static int set_up(struct fetch_call *c, const struct fetch_request *request, struct err *e)
{
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
	buf_init(&c->body, request->response_max ? request->response_max : RESPONSE_MAX);
	c->easy = curl_easy_init();
	if (!c->easy || curl_easy_setopt(c->easy, CURLOPT_URL, request->url))
		return err_set(e, -ENOMEM, "out of memory");
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(
		c->easy, CURLOPT_PROXY, ""); /* an environment variable must not lead around the check */
	curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
		c->easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that hangs must not block the loop */
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)MIN(timeout_ms, (int64_t)INT32_MAX));
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	if (request->user) {
		curl_easy_setopt(c->easy, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(c->easy, CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	return c->smtp ? set_up_mail(c, request, e) : set_up_http(c, request, e);
}

int fetch_start(
	struct fetch *f, const struct fetch_request *request, fetch_done_fn *done, void *ctx, struct err *e)
{
	bool smtp = false;
	if (f->closing)
		return err_set(e, -ECANCELED, "the program is stopping");
	int r = check_url(request, &smtp, e);
	if (r)
		return r;
	struct fetch_call *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	*c = (struct fetch_call){.fetch = f, .smtp = smtp, .done = done, .ctx = ctx};
	r = set_up(c, request, e);
	if (!r && curl_multi_add_handle(f->multi, c->easy) != CURLM_OK)
		r = err_set(e, -ENOMEM, "out of memory");
	if (r) {
		call_free(c);
		return r;
	}
	c->next = f->calls;
	c->at = &f->calls;
	if (c->next)
		c->next->at = &c->next;
	f->calls = c;
	f->running++;
	return 0;
}
