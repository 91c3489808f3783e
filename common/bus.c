#include "bus.h"

#include <zmq.h>

#include "link.h"

struct bus_socket {
	struct bus_socket *next;
	struct bus *bus;
	void *zmq;
	uv_poll_t poll;
	bus_frame_fn *fn;
	void *ctx;
	bool router, closing;
};

struct bus {
	void *context;
	uv_loop_t *loop;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	bool (*work)(void *ctx);
	void *ctx;
	struct bus_socket *sockets;
	bool more, closing;
	unsigned handles; /* that libuv has not given back */
};

static void on_idle(uv_idle_t *h)
{
	(void)h; /* its being active keeps the poll from blocking */
}

static void on_wake(uv_poll_t *h, int status, int events)
{
	(void)h, (void)status, (void)events; /* the work is done in check */
}

static bool readable(struct bus_socket *s)
{
	int events = 0;
	size_t len = sizeof(events);
	return !s->closing && zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &len) == 0 && (events & ZMQ_POLLIN);
}

static void on_prepare(uv_prepare_t *h)
{
	struct bus *b = h->data;
	bool more = b->more;
	for (struct bus_socket *s = b->sockets; s && !more; s = s->next)
		more = readable(s);
	if (more)
		uv_idle_start(&b->idle, on_idle);
	else
		uv_idle_stop(&b->idle);
}

/* Reads one message: [route] frame. Anything else in shape is thrown away. False when there is none. */
static bool take(struct bus_socket *s)
{
	uint8_t route[BUS_ROUTE_MAX];
	size_t route_len = 0;
	zmq_msg_t part;
	zmq_msg_init(&part);
	if (zmq_msg_recv(&part, s->zmq, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(&part);
		return false;
	}
	bool whole = true;
	if (s->router) {
		route_len = MIN(zmq_msg_size(&part), sizeof(route));
		memcpy(route, zmq_msg_data(&part), route_len);
		whole = zmq_msg_more(&part) && zmq_msg_recv(&part, s->zmq, ZMQ_DONTWAIT) >= 0;
	}
	if (whole && !zmq_msg_more(&part))
		s->fn(s->ctx, span_of(route, route_len), span_of(zmq_msg_data(&part), zmq_msg_size(&part)));
	while (zmq_msg_more(&part) && zmq_msg_recv(&part, s->zmq, ZMQ_DONTWAIT) >= 0)
		;
	zmq_msg_close(&part);
	return true;
}

static void on_check(uv_check_t *h)
{
	struct bus *b = h->data;
	for (struct bus_socket *s = b->sockets, *next; s; s = next) {
		next = s->next;
		for (int i = 0; i < BUS_FRAMES_PER_ROUND && !s->closing && take(s); i++)
			;
	}
	b->more = !b->closing && b->work(b->ctx);
}

int bus_open(struct bus **ret, uv_loop_t *loop, bool (*work)(void *ctx), void *ctx, struct err *e)
{
	struct bus *b = calloc(1, sizeof(*b));
	if (!b || !(b->context = zmq_ctx_new())) {
		free(b);
		return err_set(e, -ENOMEM, "out of memory");
	}
	b->loop = loop;
	b->work = work;
	b->ctx = ctx;
	b->handles = 3;
	uv_prepare_init(loop, &b->prepare);
	uv_check_init(loop, &b->check);
	uv_idle_init(loop, &b->idle);
	b->prepare.data = b->check.data = b->idle.data = b;
	uv_prepare_start(&b->prepare, on_prepare);
	uv_check_start(&b->check, on_check);
	*ret = b;
	return 0;
}

static void given_back(struct bus *b)
{
	if (--b->handles)
		return;
	zmq_ctx_term(b->context);
	free(b);
}

static void on_handle_closed(uv_handle_t *h)
{
	given_back(h->data);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct bus_socket *s = h->data;
	struct bus *b = s->bus;
	for (struct bus_socket **p = &b->sockets; *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			break;
		}
	zmq_close(s->zmq);
	free(s);
	given_back(b);
}

void bus_socket_close(struct bus_socket **sp)
{
	struct bus_socket *s = *sp;
	*sp = NULL;
	if (!s || s->closing)
		return;
	s->closing = true;
	uv_close((uv_handle_t *)&s->poll, on_poll_closed); /* before zmq_close: the descriptor is ZeroMQ's */
}

void bus_close(struct bus **bp)
{
	struct bus *b = *bp;
	*bp = NULL;
	if (!b)
		return;
	b->closing = true;
	for (struct bus_socket *s = b->sockets, *next; s; s = next) {
		struct bus_socket *one = s;
		next = s->next;
		bus_socket_close(&one);
	}
	uv_close((uv_handle_t *)&b->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&b->check, on_handle_closed);
	uv_close((uv_handle_t *)&b->idle, on_handle_closed);
}

static void set(void *socket, int option, int value)
{
	zmq_setsockopt(socket, option, &value, sizeof(value));
}

static int new_socket(struct bus *b, int type, bus_frame_fn *fn, void *ctx, struct bus_socket **ret, struct err *e)
{
	struct bus_socket *s = calloc(1, sizeof(*s));
	if (!s || !(s->zmq = zmq_socket(b->context, type))) {
		free(s);
		return err_set(e, -ENOMEM, "can not make a ZeroMQ socket: %s", zmq_strerror(zmq_errno()));
	}
	int64_t max = (int64_t)LINK_FRAME_MAX;
	s->bus = b;
	s->fn = fn;
	s->ctx = ctx;
	s->router = type == ZMQ_ROUTER;
	set(s->zmq, ZMQ_LINGER, 0);
	set(s->zmq, ZMQ_SNDHWM, BUS_HWM);
	set(s->zmq, ZMQ_RCVHWM, BUS_HWM);
	zmq_setsockopt(s->zmq, ZMQ_MAXMSGSIZE, &max, sizeof(max));
	set(s->zmq, ZMQ_HEARTBEAT_IVL, 1000);
	set(s->zmq, ZMQ_HEARTBEAT_TIMEOUT, 5000);
	set(s->zmq, ZMQ_IPV6, 1);
	if (s->router) {
		set(s->zmq, ZMQ_ROUTER_MANDATORY, 1);
	} else {
		set(s->zmq, ZMQ_IMMEDIATE, 1);
		set(s->zmq, ZMQ_RECONNECT_IVL, 50);
		set(s->zmq, ZMQ_RECONNECT_IVL_MAX, 1000);
	}
	*ret = s;
	return 0;
}

/* Puts the socket into the loop, or throws it away when `r` is an error. */
static int enter_loop(struct bus *b, struct bus_socket *s, int r, const char *verb, const char *endpoint,
	struct bus_socket **ret, struct err *e)
{
	int fd = -1;
	size_t len = sizeof(fd);
	if (r) {
		int code = zmq_errno();
		zmq_close(s->zmq);
		free(s);
		return err_set(e, code == EADDRINUSE ? -EADDRINUSE : -EINVAL, "can not %s %s: %s", verb, endpoint,
			zmq_strerror(code));
	}
	zmq_getsockopt(s->zmq, ZMQ_FD, &fd, &len);
	uv_poll_init(b->loop, &s->poll, fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_wake);
	b->handles++;
	s->next = b->sockets;
	b->sockets = s;
	*ret = s;
	return 0;
}

int bus_listen(struct bus *b, const char *endpoint, bus_frame_fn *fn, void *ctx, struct bus_socket **ret, struct err *e)
{
	struct bus_socket *s;
	int r = new_socket(b, ZMQ_ROUTER, fn, ctx, &s, e);
	return r ? r : enter_loop(b, s, zmq_bind(s->zmq, endpoint), "listen on", endpoint, ret, e);
}

int bus_connect(struct bus *b, const char *endpoint, bus_frame_fn *fn, void *ctx, struct bus_socket **ret, struct err *e)
{
	struct bus_socket *s;
	int r = new_socket(b, ZMQ_DEALER, fn, ctx, &s, e);
	return r ? r : enter_loop(b, s, zmq_connect(s->zmq, endpoint), "connect to", endpoint, ret, e);
}

bool bus_send(struct bus_socket *s, struct span route, struct span frame)
{
	if (!s || s->closing)
		return false;
	if (s->router && zmq_send(s->zmq, route.data, route.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return false;
	return zmq_send(s->zmq, frame.data, frame.len, ZMQ_DONTWAIT) >= 0;
}
