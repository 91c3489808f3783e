/* Playing a drill: the calls to the services, the posts at their pace, and waiting. */
#include "services/ascolto/drill_run.h"

#include <unistd.h>

#define BATCH_MAX 100
#define BATCH_BYTES ((size_t)900 * 1000)
#define SETTLE_S 60 /* until everything sent is decided */

volatile sig_atomic_t drill_interrupted;

int64_t drill_clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(int64_t ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	if (ms > 0)
		nanosleep(&ts, NULL);
}

/* ---- calls ---- */

static int post(const char *service, const char *address, const char *path, struct span body, struct err *e)
{
	static const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct client_call call = {.service = service,
		.address = address,
		.method = "POST",
		.path = path,
		.headers = headers,
		.body = body,
		.timeout_ms = CLIENT_ACT_MS};
	json_t *answer = NULL;
	int r = client_json(&call, &answer, NULL, e);
	json_decref(answer);
	return r;
}

int drill_decide(const struct drill *d, const char *path, json_t *body, struct err *e)
{
	char target[200];
	char *text = json_dumps(body, JSON_COMPACT);
	snprintf(target, sizeof(target), "%s?brand=%s", path, d->brand);
	int r = text ? post("escalation", d->conf->services.escalation.http, target, span_str(text), e)
		     : err_set(e, -ENOMEM, "out of memory");
	free(text);
	json_decref(body);
	return r;
}

json_t *drill_ask(const struct drill *d, struct err *e, const char *fmt, ...)
{
	char path[300] = "/api/v1/";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(path + strlen(path), sizeof(path) - strlen(path), fmt, ap);
	va_end(ap);
	const struct client_call call = {.service = "console",
		.address = d->conf->services.console.listen,
		.path = path,
		.timeout_ms = CLIENT_ACT_MS};
	json_t *answer = NULL;
	return client_json(&call, &answer, NULL, e) ? NULL : answer;
}

json_t *drill_list(const struct conf *c, struct err *e)
{
	const struct client_call call = {
		.service = "escalation", .address = c->services.escalation.http, .path = "/-/drills"};
	json_t *answer = NULL;
	return client_json(&call, &answer, NULL, e) ? NULL : answer;
}

bool drill_is_over(struct drill *d)
{
	struct err e = {0};
	json_t *row;
	size_t i;
	if (d->over || drill_clock_ms() - d->looked_ms < 1000)
		return drill_interrupted || d->over;
	CLEANUP(free_json) json_t *all = drill_list(d->conf, &e);
	d->looked_ms = drill_clock_ms();
	json_array_foreach(json_object_get(all, "drills"), i, row) d->over |=
		str_eq(member_text(row, "brand"), d->brand) && !json_is_true(json_object_get(row, "runs"));
	return drill_interrupted || d->over;
}

/* ---- playing ---- */

static int send_batch(struct drill *d, size_t from, size_t to, struct err *e)
{
	char target[200];
	struct buf body CLEANUP(buf_free);
	buf_init(&body, 2 * BATCH_BYTES);
	buf_adds(&body, "{\"posts\":[");
	for (size_t i = from; i < to; i++) {
		char *text = json_dumps(d->scenario->posts[i].json, JSON_COMPACT);
		buf_addf(&body, "%s%s", i > from ? "," : "", text ? text : "null");
		free(text);
	}
	buf_adds(&body, "]}");
	snprintf(target, sizeof(target), "/-/drill?brand=%s", d->brand);
	int r = post("ingest", d->conf->services.ingest.http, target, buf_span(&body), e);
	for (int tries = 0;
		r == -EREMOTEIO && strstr(err_text(e), "try again") && tries < 60 && !drill_interrupted;
		tries++) {
		nap(1000);
		r = post("ingest", d->conf->services.ingest.http, target, buf_span(&body), e);
	}
	if (!r)
		d->scenario->sent = to;
	return r;
}

static size_t bytes_of(const struct drill_post *p)
{
	return strlen(member_text(p->json, "text")) + 2000;
}

/* When a post is due by our clock. */
static int64_t due_of(const struct drill *d, size_t i)
{
	const struct drill_post *p = d->scenario->posts;
	return d->pace > 0 ? d->began_ms + (int64_t)((double)(p[i].at_ms - p[0].at_ms) / d->pace)
			   : d->began_ms;
}

int drill_play(struct drill *d, struct err *e)
{
	const struct drill_scenario *s = d->scenario;
	int r = 0;
	while (s->sent < s->n && !drill_is_over(d) && !r) {
		size_t to = s->sent, bytes = 0;
		int64_t now = drill_clock_ms();
		while (to < s->n && to - s->sent < BATCH_MAX && bytes < BATCH_BYTES && due_of(d, to) <= now)
			bytes += bytes_of(&s->posts[to++]);
		if (to == s->sent) {
			nap(MIN(due_of(d, to) - now, (int64_t)500));
			continue;
		}
		r = send_batch(d, s->sent, to, e);
		if (!d->options->json)
			fprintf(stderr, "\r%zu of %zu posts ", d->scenario->sent, s->n);
	}
	if (!d->options->json)
		fputc('\n', stderr);
	return r;
}

/* ---- waiting ---- */

int drill_settle(struct drill *d, struct err *e)
{
	int64_t shown = 0;
	for (int64_t end = drill_clock_ms() + SETTLE_S * 1000; drill_clock_ms() < end; nap(100)) {
		CLEANUP(free_json) json_t *counts = drill_ask(d, e, "counts?brand=%s", d->brand);
		shown = member_int(counts, "messages");
		if (!counts)
			return -EIO;
		if (shown >= (int64_t)d->scenario->sent || (drill_is_over(d) && d->over))
			return 0;
	}
	return err_set(e, -ETIMEDOUT,
		"%zu posts were sent, and after %d s the console shows %" PRId64
		"; `ascolto status` says more",
		d->scenario->sent, SETTLE_S, shown);
}

static bool people_are_done(const struct drill *d)
{
	for (size_t i = 0; i < d->incidents_n; i++) {
		if (!d->incidents[i].acknowledged_ms)
			return false;
		for (size_t k = 0; k < d->incidents[i].steps_n; k++)
			if (!d->incidents[i].steps[k].done_ms)
				return false;
	}
	return true;
}

int drill_wait_for_people(struct drill *d, struct err *e)
{
	int64_t end = drill_clock_ms() + d->wait_minutes * 60000;
	int r = drill_read_incidents(d, e);
	if (!r && d->incidents_n && drill_clock_ms() < end && !d->options->json)
		fprintf(stderr,
			"waiting up to %ld minutes for people to acknowledge and take their steps; Ctrl-C "
			"ends the drill\n",
			d->wait_minutes);
	while (!r && !people_are_done(d) && drill_clock_ms() < end && !drill_is_over(d)) {
		nap(500);
		r = drill_read_incidents(d, e);
	}
	return r;
}
