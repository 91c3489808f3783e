/* What is known of each destination while the process lives. */
#include "notification.h"

#include "common/log.h"

static const struct metric_desc seconds_desc = {"ascolto_notification_seconds", METRIC_HISTOGRAM,
	"From the order's arrival here to sent", "template", NULL, 0};
static const struct metric_desc alert_desc = {"ascolto_notification_alert_seconds", METRIC_HISTOGRAM,
	"From the arrival of the message that caused the order, at ingest, to sent", "template", NULL, 0};

/* By DeliveryResult; what is not listed is not counted. */
static const struct metric_desc result_descs[] = {
	[ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT] = {"ascolto_notification_sent_total", METRIC_COUNTER,
		"Deliveries sent, since the start of the process", "destination", NULL, 0},
	[ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED] = {"ascolto_notification_rejected_total",
		METRIC_COUNTER, "Deliveries the receiver refused for good", "destination", NULL, 0},
	[ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY] = {"ascolto_notification_retries_total", METRIC_COUNTER,
		"Attempts that failed and are made again", "destination", NULL, 0},
	[ASCOLTO__DELIVERY_RESULT__DELIVERY_UNKNOWN] = {"ascolto_notification_unknown_total", METRIC_COUNTER,
		"Attempts without an answer, made again", "destination", NULL, 0},
	[ASCOLTO__DELIVERY_RESULT__DELIVERY_EXPIRED] = {"ascolto_notification_expired_total", METRIC_COUNTER,
		"Deliveries given up because their time was over", "destination", NULL, 0},
};

const struct conf_destination *destination_conf(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->destinations_count; i++)
		if (str_eq(c->destinations[i].name, name))
			return &c->destinations[i];
	return NULL;
}

static struct destination *find(struct destination *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].name, name))
			return &list[i];
	return NULL;
}

struct destination *destination_find(struct notification *n, const char *name)
{
	return find(n->destinations, n->n_destinations, name);
}

static void free_list(struct destination *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		conf_secret_free(&list[i].secret);
	free(list);
}

void destinations_free(struct notification *n)
{
	free_list(n->destinations, n->n_destinations);
	n->destinations = NULL;
	n->n_destinations = 0;
}

int destinations_load(struct notification *n, const struct conf *conf, struct err *e)
{
	size_t count = conf->destinations_count;
	struct destination *list = calloc(count + 1, sizeof(*list));
	int r = list ? 0 : err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !r; i++) {
		const struct conf_destination *c = &conf->destinations[i];
		const struct destination *old = destination_find(n, c->name);
		if (old)
			list[i] = *old;
		list[i].secret = NULL;
		snprintf(list[i].name, sizeof(list[i].name), "%s", c->name);
		if (c->secret_file && (r = conf_read_secret(c->secret_file, &list[i].secret, e)) < 0)
			err_prefix(e, "destination %s", c->name);
	}
	if (r) {
		if (list)
			free_list(list, count);
		return r;
	}
	destinations_free(n);
	n->destinations = list;
	n->n_destinations = count;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ how it
 * goes */

static void begins_to_fail(struct destination *d, int64_t since_ms, const char *detail)
{
	d->failing_since_ms = d->failing_since_ms ? MIN(d->failing_since_ms, since_ms) : since_ms;
	snprintf(d->detail, sizeof(d->detail), "%s", detail);
}

void destination_was_failing(struct notification *n, const char *name, int64_t since_ms, const char *detail)
{
	struct destination *d = destination_find(n, name);
	if (d && since_ms)
		begins_to_fail(d, since_ms, detail);
}

static void observe_sent(struct metric_set *set, const struct destination_news *news)
{
	metric_observe(metric_series(set, &seconds_desc, news->template),
		(double)MAX(news->now_ms - news->order_ms, 0) / 1000);
	if (news->message_ms)
		metric_observe(metric_series(set, &alert_desc, news->template),
			(double)MAX(news->now_ms - news->message_ms, 0) / 1000);
}

void destination_note(struct notification *n, const struct destination_news *news)
{
	struct metric_set *set = svc_metrics(n->svc);
	struct destination *d = destination_find(n, news->destination);
	if (news->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_WITHHELD)
		return;
	if (!news->drill && (size_t)news->result < ARRAY_SIZE(result_descs) && result_descs[news->result].name)
		metric_add(metric_series(set, &result_descs[news->result], news->destination), 1);
	if (news->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT) {
		if (!news->drill)
			observe_sent(set, news);
		if (d && d->failing_since_ms)
			log_info("destination %s works again", d->name);
		if (d)
			d->failing_since_ms = 0;
		return;
	}
	if (!d || !d->failing_since_ms || news->result == ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED)
		log_warning("destination %s: %s", news->destination, news->detail);
	if (d)
		begins_to_fail(d, news->now_ms, news->detail);
}

void destination_issues(struct notification *n)
{
	for (size_t i = 0; i < n->n_destinations; i++) {
		const struct destination *d = &n->destinations[i];
		char since[32] = "";
		struct tm tm = {0};
		time_t at = (time_t)(d->failing_since_ms / 1000);
		if (!d->failing_since_ms)
			continue;
		gmtime_r(&at, &tm);
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &tm);
		svc_issue(n->svc, "nothing has reached destination %s since %s; the last attempt: %s",
			d->name, since, d->detail);
	}
}
