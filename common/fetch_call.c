/* One call: the request checked and made into what curl takes, and what curl brings. */
#include "fetch_internal.h"

#include <strings.h>
#include <sys/socket.h>

#define TIMEOUT_MS 10000
#define RESPONSE_MAX ((size_t)64 * 1024)

/* ---- curl's questions ---- */

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
	if (!address_allowed(c->fetch->allow, c->fetch->n_allow, a->family, address)) {
		inet_ntop(a->family, address, c->refused, sizeof(c->refused));
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch_call *c = ctx;
	if (buf_add(&c->body, data, size * n) == 0)
		return size * n;
	c->too_long = true;
	return 0;
}

/* SMTP's replies come here too: the last one is what the caller gets as the body. When curl gives up after a
 * refusal it says QUIT and waits for the answer, two minutes by default; two seconds are enough for a peer that has
 * just answered. */
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

/* Asked by curl now and then, in the mail's thread. */
static int on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total, curl_off_t ul)
{
	struct fetch_call *c = ctx;
	(void)dl_total, (void)dl, (void)ul_total, (void)ul;
	return atomic_load(&c->abandoned);
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct fetch_call *c = ctx;
	c->header_bytes += size * n;
	if (c->header_bytes > FETCH_HEADERS_MAX) {
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

/* ---- the request ---- */

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
		buf_init(&line, FETCH_HEADERS_MAX);
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
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L); /* one bad address must not silence the others */
	curl_easy_setopt(c->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c->easy, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(c->easy, CURLOPT_NOPROGRESS, 0L);
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

int fetch_call_new(struct fetch_call **ret, struct fetch *f, const struct fetch_request *request, struct err *e)
{
	bool smtp = false;
	int r = check_url(request, &smtp, e);
	if (r)
		return r;
	struct fetch_call *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	*c = (struct fetch_call){.fetch = f, .smtp = smtp};
	r = set_up(c, request, e);
	if (r)
		fetch_call_free(c);
	else
		*ret = c;
	return r;
}

void fetch_call_free(struct fetch_call *c)
{
	if (c->easy)
		curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	curl_slist_free_all(c->rcpt);
	buf_free(&c->upload);
	buf_free(&c->body);
	free(c);
}
