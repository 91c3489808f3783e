/* The life of a service: start, loop, reload, stop. */
#include "svc_internal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TICK_MS 50
#define STOP_GRACE_MS 1500

/* ---- outside a handler ---- */

uv_loop_t *svc_loop(struct svc *s)
{
	return s->loop;
}

const struct conf *svc_conf(const struct svc *s)
{
	return s->conf;
}

void *svc_state(const struct svc *s)
{
	return s->state;
}

struct store *svc_store(struct svc *s)
{
	return s->store;
}

struct fetch *svc_fetch(struct svc *s)
{
	return s->fetch;
}

struct metric_set *svc_metrics(struct svc *s)
{
	return s->metrics;
}

int64_t svc_now_ms(const struct svc *s)
{
	return s->now_ms;
}

bool svc_stopping(const struct svc *s)
{
	return s->stopping;
}

void svc_issue(struct svc *s, const char *fmt, ...)
{
	va_list ap;
	if (s->n_issues == ARRAY_SIZE(s->issue))
		return;
	va_start(ap, fmt);
	vsnprintf(s->issue[s->n_issues++], ERR_TEXT_MAX, fmt, ap);
	va_end(ap);
}

/* ---- the loop ---- */

static int64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Tells systemd, when it started us, without its library: one datagram (sd_notify(3)). */
static void notify_supervisor(const char *words)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (str_empty(path) || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (sendto(fd, words, strlen(words), 0, (struct sockaddr *)&to, len) < 0)
		log_debug("can not notify the supervisor: %s", strerror(errno));
	close(fd);
}

/* Once per loop iteration, after the sockets were read. */
static bool work(void *ctx)
{
	struct svc *s = ctx;
	s->now_ms = wall_ms();
	bool more = turn_run(s);
	links_pump(s);
	return more;
}

static void once_a_second(struct svc *s)
{
	s->last_second_ms = s->now_ms;
	outbox_prune(s);
	if (s->now_ms / 1000 % 10 == 0)
		store_check_readers(s->store);
	if (svc_has_room(s, LANE_NORMAL))
		link_receiver_grant(&s->receiver);
	if (s->spec->tick)
		s->spec->tick(s, s->state, s->now_ms);
}

static void stop_now(struct svc *s);

static void on_tick(uv_timer_t *h)
{
	struct svc *s = h->data;
	s->now_ms = wall_ms();
	if (s->stopping && !s->closing && (!fetch_running(s->fetch) || (int64_t)uv_now(s->loop) >= s->stop_at_ms)) {
		stop_now(s);
		return;
	}
	links_tick(s, (int64_t)uv_now(s->loop));
	if (s->now_ms - s->last_second_ms >= 1000 || s->now_ms < s->last_second_ms)
		once_a_second(s);
}

static void on_close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void run_out(struct svc *s)
{
	s->now_ms = wall_ms();
	s->hold_until_ms = 0;
	while (s->started && turn_run(s) && !s->full)
		;
}

/* What was begun is finished and committed, then everything is closed. */
static void stop_now(struct svc *s)
{
	s->closing = true;
	run_out(s);
	fetch_close(&s->fetch); /* its calls end now, and say so */
	run_out(s);
	if (s->started)
		links_pump(s);
	if (s->started && s->spec->stop)
		s->spec->stop(s, s->state);
	http_close(&s->http);
	links_close(s);
	bus_close(&s->bus);
	uv_close((uv_handle_t *)&s->ticker, NULL);
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	uv_close((uv_handle_t *)&s->hangup, NULL);
}

/* Nothing new is taken; calls that are under way get a moment to tell how they ended. */
static void stop(struct svc *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_at_ms = (int64_t)uv_now(s->loop) + STOP_GRACE_MS;
	notify_supervisor("STOPPING=1");
	log_info("stopping");
	if (!s->fetch || !fetch_running(s->fetch))
		stop_now(s);
}

static void on_stop_signal(uv_signal_t *h, int signum)
{
	(void)signum;
	stop(h->data);
}

int svc_reload(struct svc *s, struct err *e)
{
	struct conf *fresh = NULL;
	int r = conf_load(&fresh, s->conf_path, e);
	if (!r && s->spec->reload)
		r = s->spec->reload(s, s->state, fresh, e);
	if (r) {
		conf_free(&fresh);
		log_error("the configuration stays as it was: %s", err_text(e));
		return r;
	}
	/* What was borrowed from the old one (addresses, names) may still be in use: it is kept until the end. */
	struct conf_kept *kept = malloc(sizeof(*kept));
	if (kept) {
		kept->next = s->kept;
		kept->conf = s->conf;
		s->kept = kept;
	}
	s->conf = fresh;
	log_info("configuration read again");
	return 0;
}

static void on_hangup(uv_signal_t *h, int signum)
{
	struct err e = {0};
	(void)signum;
	svc_reload(h->data, &e);
}

/* ---- start ---- */

static int make_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: can not make the folder: %s", path, strerror(errno));
	return 0;
}

static int open_store(struct svc *s, struct err *e)
{
	char path[4096];
	int r = make_folder(s->conf->data, e);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/%s", s->conf->data, s->spec->name);
	struct store_options o = {.path = path, .service = s->spec->name, .unsafe_fs = s->conf->unsafe_fs,
		.now_ms = s->now_ms};
	struct stat st;
	bool old = stat(path, &st) == 0;
	r = store_open(&s->store, &o, e);
	bool unclean = !r && old && !store_was_clean(s->store);
	if (unclean)
		log_warning("the last run did not end in order; the first messages are handled with care");
	return r ? r : attempts_open(s, unclean, e);
}

static int open_http(struct svc *s, struct err *e)
{
	const struct conf_service *here = conf_service(s->conf, s->spec->name);
	size_t n = 0;
	while (s->spec->routes && s->spec->routes[n].path)
		n++;
	s->routes = calloc(n + n_admin_routes + 1, sizeof(*s->routes));
	if (!s->routes)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n_admin_routes; i++)
		s->routes[i] = admin_routes[i];
	for (size_t i = 0; i < n; i++)
		s->routes[n_admin_routes + i] = s->spec->routes[i];
	for (size_t i = 0; i < n + n_admin_routes; i++)
		s->routes[i].ctx = s;
	struct http_options o = {.address = here->http, .routes = s->routes, .body_max = s->spec->body_max};
	return http_open(&s->http, s->loop, &o, e);
}

static void start_handles(struct svc *s)
{
	uv_timer_init(s->loop, &s->ticker);
	uv_signal_init(s->loop, &s->term);
	uv_signal_init(s->loop, &s->interrupt);
	uv_signal_init(s->loop, &s->hangup);
	s->ticker.data = s->term.data = s->interrupt.data = s->hangup.data = s;
	uv_timer_start(&s->ticker, on_tick, 0, TICK_MS);
	uv_signal_start(&s->term, on_stop_signal, SIGTERM);
	uv_signal_start(&s->interrupt, on_stop_signal, SIGINT);
	uv_signal_start(&s->hangup, on_hangup, SIGHUP);
}

static int start(struct svc *s, struct err *e)
{
	int r = open_store(s, e);
	r = r ? r : metric_set_new(&s->metrics);
	r = r ? r : admin_metrics_open(s);
	r = r ? r : turns_load(s, e);
	r = r ? r : links_load(s, e);
	r = r ? r : bus_open(&s->bus, s->loop, work, s, e);
	r = r ? r : fetch_open(&s->fetch, s->loop, (const char *const *)s->fetch_allow, e);
	start_handles(s);
	r = r ? r : open_http(s, e);
	if (!r && s->spec->start) {
		r = s->spec->start(s, &s->state, e);
		s->started = !r;
	}
	s->started = !r;
	r = r ? r : links_open(s, e);
	return r;
}

static void end(struct svc *s)
{
	uv_run(s->loop, UV_RUN_DEFAULT);
	uv_walk(s->loop, on_close_walk, NULL);
	uv_run(s->loop, UV_RUN_DEFAULT);
	uv_loop_close(s->loop);
	turns_free(s);
	store_close(&s->store);
	metric_set_free(&s->metrics);
	free(s->routes);
	free(s->fetch_allow);
	while (s->kept) {
		struct conf_kept *k = s->kept;
		s->kept = k->next;
		conf_free(&k->conf);
		free(k);
	}
	conf_free(&s->conf);
}

int svc_run(struct svc *s)
{
	uv_loop_t loop;
	struct err e = {0};
	uv_loop_init(&loop);
	s->loop = &loop;
	s->now_ms = s->started_ms = s->last_second_ms = wall_ms();
	s->fetch_allow = calloc(s->conf->fetch_allow_count + 1, sizeof(char *));
	for (unsigned i = 0; s->fetch_allow && i < s->conf->fetch_allow_count; i++)
		s->fetch_allow[i] = s->conf->fetch_allow[i];
	int r = start(s, &e);
	if (r) {
		log_error("%s", err_text(&e));
		stop(s);
		end(s);
		return EXIT_FAILURE;
	}
	const struct conf_service *here = conf_service(s->conf, s->spec->name);
	log_info("ready: link %s, http %s, state %s", here->link, here->http, store_path(s->store));
	s->ready = true;
	notify_supervisor("READY=1");
	uv_run(&loop, UV_RUN_DEFAULT);
	end(s);
	log_info("stopped");
	return EXIT_SUCCESS;
}
