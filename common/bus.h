/*
 * bus.h - ZeroMQ sockets in a libuv loop.
 *
 * A bus owns one prepare, one check and one idle handle, and a poll handle per socket that only wakes the loop: ZeroMQ's
 * descriptor is edge-triggered and goes quiet after a send, so sockets are asked for their events in prepare and emptied
 * in check, every time round, and idle keeps the loop from sleeping while anything is left. After the sockets were read the
 * owner's `work` is called; it returns true to be called again at once.
 *
 * Sockets: LINGER 0, high-water mark BUS_HWM (above every credit window, so ZeroMQ never drops), MAXMSGSIZE LINK_FRAME_MAX,
 * heartbeats, ROUTER_MANDATORY, IMMEDIATE; ZMQ_DONTWAIT always.
 */
#ifndef ASCOLTO_BUS_H
#define ASCOLTO_BUS_H

#include "base.h"
#include "err.h"

#include <uv.h>

#define BUS_HWM 10000
#define BUS_FRAMES_PER_ROUND 64 /* read from one socket before the others get their turn */
#define BUS_ROUTE_MAX 32

struct bus;
struct bus_socket;

/* `route` is empty on a dealer; on a router it names the peer for bus_send. Both borrowed during the call. */
typedef void bus_frame_fn(void *ctx, struct span route, struct span frame);

int bus_open(struct bus **ret, uv_loop_t *loop, bool (*work)(void *ctx), void *ctx, struct err *e);

/* Closes every socket; handles go away with the next loop iterations, then the bus frees itself. */
void bus_close(struct bus **b);

/* Endpoint: tcp://ADDRESS:PORT. -EADDRINUSE, -EINVAL. */
int bus_listen(struct bus *b, const char *endpoint, bus_frame_fn *fn, void *ctx, struct bus_socket **ret, struct err *e);
int bus_connect(struct bus *b, const char *endpoint, bus_frame_fn *fn, void *ctx, struct bus_socket **ret,
	struct err *e);
void bus_socket_close(struct bus_socket **s);

/* False: no peer, or the queue is full. */
bool bus_send(struct bus_socket *s, struct span route, struct span frame);

#endif
