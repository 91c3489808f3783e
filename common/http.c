#include "http_internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MEMORY                                                                                    \
	((size_t)48 * 1024) /* MHD's pool: the header, its index, and what is being written */
#define SWEEP_MS 1000

/* ---- the loop ---- */

static void shut(struct http *h);
static void on_sweep(uv_timer_t *timer);
static void on_timer(uv_timer_t *timer);

static void run(struct http *h)
{
	unsigned long long wait_ms;
	h->running = true;
	h->again = false;
	MHD_run(h->daemon);
	h->running = false;
	if (h->close_wanted) {
		shut(h);
		return;
	}
	if (h->again)
		http_kick(h);
	else if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, wait_ms, 0);
	else
		uv_timer_stop(&h->timer);
	if (h->conns && !uv_is_active((uv_handle_t *)&h->sweep))
		uv_timer_start(&h->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	else if (!h->conns)
		uv_timer_stop(&h->sweep);
}

void http_kick(struct http *h)
{
	h->again = true;
	if (!h->running && !h->closing)
		uv_timer_start(&h->timer, on_timer, 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

/* Ends connections past their deadline and streams whose client left. Shutting the socket down is enough: MHD
 * sees its end and cleans up. */
static void on_sweep(uv_timer_t *timer)
{
	struct http *h = timer->data;
	int64_t now_ms = (int64_t)uv_now(h->loop);
	for (struct http_conn *c = h->conns; c; c = c->next) {
		struct http_stream *s = c->request ? c->request->stream : NULL;
		if (c->deadline_ms && now_ms > c->deadline_ms) {
			shutdown(c->fd, SHUT_RDWR);
		} else if (s && s->suspended && http_peer_left(c->fd)) {
			s->closing = true;
			shutdown(c->fd, SHUT_RDWR);
			http_stream_resume(s);
		}
	}
	http_kick(h);
}

/* ---- open, close ---- */

static void on_log(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	(void)fmt;
	(void)ap;
}

/* getaddrinfo takes 99999999 for a port. */
static bool is_port(const char *s)
{
	size_t len = strspn(s, "0123456789");
	return len && len <= 5 && !s[len] && strtol(s, NULL, 10) <= 65535;
}

/* "host:port" or "[v6]:port", numbers only; "*:port" is every address. */
static int parse_address(const char *text, struct addrinfo **ret, struct err *e)
{
	char host[64];
	const char *colon = text ? strrchr(text, ':') : NULL;
	size_t len = colon ? (size_t)(colon - text) : 0;
	if (!colon || !len || len >= sizeof(host) || !is_port(colon + 1))
		return err_set(
			e, -EINVAL, "%s: not an address of the form 127.0.0.1:7411", text ? text : "(none)");
	bool brackets = text[0] == '[' && text[len - 1] == ']';
	snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	if (getaddrinfo(str_eq(host, "*") ? NULL : host, colon + 1, &hints, ret))
		return err_set(
			e, -EINVAL, "%s: not an address of the form 127.0.0.1:7411 or [::1]:7411", text);
	return 0;
}

static int listen_on(const char *address, int *ret_fd, int *ret_port, struct err *e)
{
	struct addrinfo *a = NULL;
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	int on = 1, r = parse_address(address, &a, e);
	if (r)
		return r;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 512) ||
		getsockname(fd, (struct sockaddr *)&bound, &size)) {
		r = err_set(e, -errno, "%s: can not listen: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
	} else {
		*ret_fd = fd;
		*ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
							      : ((struct sockaddr_in *)&bound)->sin_port);
	}
	freeaddrinfo(a);
	return r;
}

static struct MHD_Daemon *start_daemon(struct http *h, const struct http_options *o, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		http_on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, o->connections_max ? o->connections_max : 256u,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address_max ? o->per_address_max : 64u,
		MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
		http_on_request_line, h, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, h,
		MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, h, MHD_OPTION_END);
}

int http_open(struct http **ret, uv_loop_t *loop, const struct http_options *o, struct err *e)
{
	int fd = -1, port = 0, r = listen_on(o->address, &fd, &port, e);
	if (r)
		return r;
	struct http *h = calloc(1, sizeof(*h));
	if (h) {
		h->loop = loop;
		h->routes = o->routes;
		h->body_max = o->body_max ? o->body_max : (size_t)1024 * 1024;
		h->port = port;
		h->daemon = start_daemon(h, o, fd);
	}
	if (!h || !h->daemon) {
		free(h);
		close(fd);
		return err_set(e, -ENOMEM, "%s: can not start the HTTP server", o->address);
	}
	int epoll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	r = uv_poll_init(loop, &h->poll, epoll_fd);
	if (r) {
		MHD_stop_daemon(h->daemon);
		free(h);
		return err_set(e, r, "%s: can not watch the HTTP server: %s", o->address, uv_strerror(r));
	}
	uv_timer_init(loop, &h->timer);
	uv_timer_init(loop, &h->sweep);
	h->handles = 3;
	h->poll.data = h->timer.data = h->sweep.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_poll);
	*ret = h;
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;
	if (--h->handles == 0)
		free(h);
}

/* MHD must not stop while a connection is suspended. What is owed is answered in the handler's place; the
 * handler's own reply then only frees the request. */
static void shut(struct http *h)
{
	h->closing = true;
	for (struct http_conn *c = h->conns; c; c = c->next) {
		struct http_request *r = c->request;
		if (r && r->stream)
			http_stream_close(r->stream);
		else if (r && r->suspended)
			http_refuse(r, 503, "shutting down");
	}
	for (int i = 0; i < 4; i++)
		MHD_run(h->daemon);
	uv_close((uv_handle_t *)&h->poll, on_handle_closed);
	uv_close((uv_handle_t *)&h->timer, on_handle_closed);
	uv_close((uv_handle_t *)&h->sweep, on_handle_closed);
	MHD_stop_daemon(h->daemon);
	h->daemon = NULL;
}

void http_close(struct http **h)
{
	if (!*h)
		return;
	if ((*h)->running)
		(*h)->close_wanted = true;
	else if (!(*h)->closing)
		shut(*h);
	*h = NULL;
}

int http_port(const struct http *h)
{
	return h->port;
}
