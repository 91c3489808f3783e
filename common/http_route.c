/* The table of routes: which one a request means. */
#include "http_internal.h"

static bool route_matches(const struct http_route *route, const char *path, bool exact)
{
	size_t len = strlen(route->path);
	bool prefix = len && route->path[len - 1] == '*';
	if (exact)
		return !prefix && str_eq(route->path, path);
	return prefix && strncmp(route->path, path, len - 1) == 0;
}

static bool method_matches(const struct http_route *route, const char *method)
{
	return str_eq(route->method, method) || (str_eq(method, "HEAD") && str_eq(route->method, "GET"));
}

/* An exact path wins over a prefix, then the order of the table decides. */
const struct http_route *http_route_find(const struct http *h, const char *method, const char *path)
{
	for (int exact = 1; exact >= 0; exact--)
		for (const struct http_route *route = h->routes; route->method; route++)
			if (route_matches(route, path, exact) && method_matches(route, method))
				return route;
	return NULL;
}

static void list_routes(struct http_request *r)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, (size_t)64 * 1024);
	for (const struct http_route *route = r->http->routes; route->method; route++)
		buf_addf(&out, "%-6s %-32s %s\n", route->method, route->path, route->doc ? route->doc : "");
	http_set_reply(r, 200, "text/plain; charset=utf-8", buf_span(&out));
}

void http_refuse_route(struct http_request *r)
{
	char allow[128] = "";
	for (const struct http_route *route = r->http->routes; route->method; route++) {
		if (!route_matches(route, r->uri.path, true) && !route_matches(route, r->uri.path, false))
			continue;
		size_t n = strlen(allow);
		if (!strstr(allow, route->method))
			snprintf(allow + n, sizeof(allow) - n, "%s%s%s", n ? ", " : "", route->method,
				str_eq(route->method, "GET") ? ", HEAD" : "");
	}
	if (allow[0]) {
		http_reply_header(r, "Allow", allow);
		http_refuse(r, 405, "this path does not know that method");
	} else if (str_eq(r->uri.path, "/") && (str_eq(r->method, "GET") || str_eq(r->method, "HEAD"))) {
		list_routes(r);
	} else {
		http_refuse(r, 404, "there is nothing at this path");
	}
}
