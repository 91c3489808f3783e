/* What operators see of a service: liveness, readiness, metrics, status. Loopback only. */
#include "svc_internal.h"

#include <sys/resource.h>
#include <unistd.h>

#include "json.h"

static const double item_buckets[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

static const struct metric_desc descs[] = {
	{"ascolto_build_info", METRIC_GAUGE, "1, with the version", "version", NULL, 0},
	{"ascolto_ready", METRIC_GAUGE, "1 when the service takes work and nothing is wrong", NULL, NULL, 0},
	{"ascolto_commit_seconds", METRIC_HISTOGRAM, "Time of one commit to disk", NULL, NULL, 0},
	{"ascolto_turn_messages", METRIC_HISTOGRAM, "Messages handled per turn (one commit)", NULL, item_buckets,
		ARRAY_SIZE(item_buckets)},
	{"ascolto_queue_messages", METRIC_GAUGE, "Messages received and not yet handled", NULL, NULL, 0},
	{"ascolto_queue_bytes", METRIC_GAUGE, "Bytes received and not yet handled", NULL, NULL, 0},
	{"ascolto_quarantine_messages", METRIC_GAUGE, "Messages put aside for a person", NULL, NULL, 0},
	{"ascolto_lag_seconds", METRIC_GAUGE, "Age of the last message when it was handled", NULL, NULL, 0},
	{"ascolto_store_used_bytes", METRIC_GAUGE, "Used part of the store", NULL, NULL, 0},
	{"ascolto_retries_total", METRIC_COUNTER, "Messages that were to come again", NULL, NULL, 0},
	{"ascolto_rejects_total", METRIC_COUNTER, "Messages put into quarantine", NULL, NULL, 0},
};

static const struct metric_desc out_descs[] = {
	{"ascolto_outbox_unacknowledged_messages", METRIC_GAUGE, "Committed and not yet acknowledged", "to", NULL, 0},
	{"ascolto_outbox_oldest_unacknowledged_seconds", METRIC_GAUGE, "Age of the oldest of them", "to", NULL, 0},
	{"ascolto_link_up", METRIC_GAUGE, "1 when the link is welcomed", "to", NULL, 0},
	{"ascolto_link_gaps", METRIC_GAUGE, "Streams stopped because records are missing", "to", NULL, 0},
	{"ascolto_link_sessions_total", METRIC_COUNTER, "HELLOs said", "to", NULL, 0},
};

static const struct metric_desc process_descs[] = {
	{"process_resident_memory_bytes", METRIC_GAUGE, "Resident memory", NULL, NULL, 0},
	{"process_cpu_seconds_total", METRIC_COUNTER, "CPU time, user and system", NULL, NULL, 0},
	{"process_start_time_seconds", METRIC_GAUGE, "When the process started", NULL, NULL, 0},
};

int admin_metrics_open(struct svc *s)
{
	metric_set_to(metric_series(s->metrics, &descs[0], ASCOLTO_VERSION), 1);
	s->m.ready = metric_series(s->metrics, &descs[1], NULL);
	s->m.commit_seconds = metric_series(s->metrics, &descs[2], NULL);
	s->m.turn_items = metric_series(s->metrics, &descs[3], NULL);
	s->m.queue_messages = metric_series(s->metrics, &descs[4], NULL);
	s->m.queue_bytes = metric_series(s->metrics, &descs[5], NULL);
	s->m.quarantine = metric_series(s->metrics, &descs[6], NULL);
	s->m.lag = metric_series(s->metrics, &descs[7], NULL);
	s->m.store_used = metric_series(s->metrics, &descs[8], NULL);
	s->m.retries = metric_series(s->metrics, &descs[9], NULL);
	s->m.rejects = metric_series(s->metrics, &descs[10], NULL);
	return s->m.rejects ? 0 : -ENOMEM;
}

static void set_process_metrics(struct svc *s)
{
	size_t rss = 0;
	struct rusage ru;
	uv_resident_set_memory(&rss);
	getrusage(RUSAGE_SELF, &ru);
	metric_set_to(metric_series(s->metrics, &process_descs[0], NULL), (double)rss);
	metric_set_to(metric_series(s->metrics, &process_descs[1], NULL),
		(double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
			(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
	metric_set_to(metric_series(s->metrics, &process_descs[2], NULL), (double)s->started_ms / 1000);
}

static double oldest_seconds(struct svc *s, struct out_link *o)
{
	int64_t oldest = outbox_oldest_ms(s, o);
	return oldest ? (double)MAX(s->now_ms - oldest, 0) / 1000 : 0;
}

static size_t unacknowledged(const struct out_link *o)
{
	return (size_t)(outbox_backlog(o, LANE_URGENT) + outbox_backlog(o, LANE_NORMAL));
}

static void set_link_metrics(struct svc *s)
{
	for (size_t i = 0; i < s->n_out; i++) {
		struct out_link *o = s->out[i];
		const double values[] = {(double)unacknowledged(o), oldest_seconds(s, o),
			o->sender.state == LINK_UP ? 1 : 0, o->sender.gaps, (double)o->sender.sessions};
		for (size_t k = 0; k < ARRAY_SIZE(out_descs); k++)
			metric_set_to(metric_series(s->metrics, &out_descs[k], o->name), values[k]);
	}
}

static void collect_issues(struct svc *s)
{
	s->n_issues = 0;
	if (!s->ready)
		svc_issue(s, "still starting");
	if (s->full)
		svc_issue(s, "the disk or the store is full: nothing new is taken until there is room");
	for (unsigned g = 0; g < KEY_GROUPS; g++)
		if (s->timer_damaged[g])
			svc_issue(s, "a timer in key group %u can not be read and will not ring: its record is damaged", g);
	for (size_t i = 0; i < s->n_out; i++) {
		struct out_link *o = s->out[i];
		double age = oldest_seconds(s, o);
		if (o->sender.gaps)
			svc_issue(s,
				"%u streams to %s are stopped: records it needs are damaged or no longer kept, or it holds more "
				"than was sent because one of the two stores was replaced",
				o->sender.gaps, o->name);
		if (o->sender.state != LINK_UP && (unacknowledged(o) || s->now_ms - s->started_ms > 5000))
			svc_issue(s, "%s does not answer at %s: %zu messages wait for it", o->name, o->endpoint,
				unacknowledged(o));
		else if (age > 30)
			svc_issue(s, "%s is slow: the oldest of %zu messages has waited for %.0f s", o->name,
				unacknowledged(o), age);
	}
	if (s->quarantine_count)
		svc_issue(s, "%" PRIu64 " messages are in quarantine: see `ascolto quarantine list %s`",
			s->quarantine_count, s->spec->name);
	if (s->spec->issues)
		s->spec->issues(s, s->state);
}

/* Quarantine and the like are to be looked at, but do not make a service unready. */
static bool is_ready(const struct svc *s)
{
	return s->ready && !s->full && !s->stopping;
}

void admin_refresh(struct svc *s)
{
	uint64_t used, max;
	collect_issues(s);
	store_room(s->store, &used, &max);
	metric_set_to(s->m.ready, is_ready(s));
	metric_set_to(s->m.queue_messages, (double)(s->queue[0].count + s->queue[1].count + s->local.count));
	metric_set_to(s->m.queue_bytes, (double)(s->queue[0].bytes + s->queue[1].bytes + s->local.bytes));
	metric_set_to(s->m.quarantine, (double)s->quarantine_count);
	metric_set_to(s->m.lag, s->lag_seconds);
	metric_set_to(s->m.store_used, (double)used);
	set_link_metrics(s);
	set_process_metrics(s);
}

/* ---- answers ---- */

void admin_reply_json(struct http_request *r, unsigned status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	http_reply(r, status, "application/json", span_str(text ? text : "{}"));
	free(text);
	json_decref(body);
}

static json_t *issues_json(const struct svc *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->n_issues; i++)
		json_array_append_new(list, json_string(s->issue[i]));
	return list;
}

static void get_healthz(struct http_request *r, void *ctx)
{
	(void)ctx;
	http_reply_text(r, 200, "ok\n");
}

static void get_readyz(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	admin_refresh(s);
	bool ready = is_ready(s);
	admin_reply_json(r, ready ? 200 : 503,
		json_pack("{s:s,s:b,s:o}", "service", s->spec->name, "ready", ready, "issues", issues_json(s)));
}

static void print_counters(const struct svc *s, struct buf *out)
{
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++) {
		const struct counter *c = &s->spec->counters[i];
		buf_addf(out, "# HELP ascolto_%s_total %s\n# TYPE ascolto_%s_total counter\nascolto_%s_total %" PRId64 "\n",
			c->name, c->help, c->name, c->name, s->counters[i]);
	}
}

static void get_metrics(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct buf out;
	buf_init(&out, 4 << 20);
	admin_refresh(s);
	metric_print(s->metrics, &out);
	print_counters(s, &out);
	http_reply(r, out.broken ? 500 : 200, "text/plain; version=0.0.4; charset=utf-8", buf_span(&out));
	buf_free(&out);
}

static json_t *links_json(struct svc *s)
{
	static const char *const states[] = {"down", "greeting", "up"};
	json_t *list = json_array();
	for (size_t i = 0; i < s->n_out; i++) {
		struct out_link *o = s->out[i];
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:I,s:f,s:i}", "to", o->name, "state", states[o->sender.state],
				"unacknowledged", (json_int_t)unacknowledged(o), "oldest_seconds", oldest_seconds(s, o),
				"gaps", (int)o->sender.gaps));
	}
	return list;
}

static void get_status(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	uint64_t used, max;
	size_t rss = 0;
	json_t *counters = json_object();
	admin_refresh(s);
	store_room(s->store, &used, &max);
	uv_resident_set_memory(&rss);
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++)
		json_object_set_new(counters, s->spec->counters[i].name, json_integer(s->counters[i]));
	size_t waiting = s->queue[0].count + s->queue[1].count + s->local.count;
	size_t bytes = s->queue[0].bytes + s->queue[1].bytes + s->local.bytes;
	admin_reply_json(r, 200,
		json_pack("{s:s,s:s,s:i,s:f,s:b,s:o,s:{s:I,s:I},s:f,s:o,s:I,s:{s:I,s:I},s:I,s:o}", "service",
			s->spec->name, "version", ASCOLTO_VERSION, "pid", (int)getpid(), "up_seconds",
			(double)(s->now_ms - s->started_ms) / 1000, "ready", is_ready(s), "issues", issues_json(s), "queue",
			"messages", (json_int_t)waiting, "bytes", (json_int_t)bytes, "lag_seconds", s->lag_seconds, "links",
			links_json(s), "quarantine", (json_int_t)s->quarantine_count, "store", "used_bytes",
			(json_int_t)used, "max_bytes", (json_int_t)max, "memory_bytes", (json_int_t)rss, "counters",
			counters));
}

static void post_reload(struct http_request *r, void *ctx)
{
	struct err e = {0};
	if (svc_reload(ctx, &e))
		http_reply_error(r, 422, "%s", err_text(&e));
	else
		http_reply_text(r, 200, "reloaded\n");
}

const struct http_route admin_routes[] = {
	{"GET", "/healthz", get_healthz, NULL, "alive"},
	{"GET", "/readyz", get_readyz, NULL, "ready to work, and what is wrong in words"},
	{"GET", "/metrics", get_metrics, NULL, "for Prometheus"},
	{"GET", "/-/status", get_status, NULL, "everything `ascolto status` shows"},
	{"POST", "/-/reload", post_reload, NULL, "read the configuration again"},
	{"GET", "/-/quarantine", quarantine_get_list, NULL, "messages put aside: ?after=ID&limit=N"},
	{"GET", "/-/quarantine/*", quarantine_get_one, NULL, "one of them, whole"},
	{"POST", "/-/quarantine/*", quarantine_post, NULL, "ID/replay or ID/drop"},
};
const size_t n_admin_routes = ARRAY_SIZE(admin_routes);
