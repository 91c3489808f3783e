/* Which channels there are: from the settings to running adapters, and back. */
#include "channel.h"
#include "ingest.h"

#include <xxhash.h>

/* What is needed to start a channel, its secrets read. */
struct plan {
	struct channel_start start;
	char *secret, *previous_secret;
};

static void plans_free(struct plan **plans, size_t n)
{
	for (size_t i = 0; *plans && i < n; i++) {
		conf_secret_free(&(*plans)[i].secret);
		conf_secret_free(&(*plans)[i].previous_secret);
	}
	free(*plans);
	*plans = NULL;
}

static void add_hash(XXH3_state_t *h, const char *s)
{
	s = s ? s : "\xff"; /* nothing is not the same as empty */
	XXH3_64bits_update(h, s, strlen(s) + 1);
}

static uint64_t fingerprint(const struct conf *conf, const struct plan *p)
{
	const struct conf_channel *c = p->start.channel;
	XXH3_state_t *h = XXH3_createState();
	if (!h)
		return 0;
	XXH3_64bits_reset(h);
	add_hash(h, conf->programs);
	add_hash(h, c->brand);
	add_hash(h, c->adapter);
	add_hash(h, p->secret);
	add_hash(h, p->previous_secret);
	for (unsigned i = 0; i < c->settings_count; i++)
		add_hash(h, c->settings[i]);
	uint64_t sum = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	return sum;
}

static int plan_one(struct plan *p, const struct conf *conf, const struct conf_channel *c, struct err *e)
{
	p->start.conf = conf;
	p->start.channel = c;
	int r = 0;
	if (!str_empty(c->secret_file))
		r = conf_read_secret(c->secret_file, &p->secret, e);
	if (!r && !str_empty(c->previous_secret_file))
		r = conf_read_secret(c->previous_secret_file, &p->previous_secret, e);
	if (r) {
		err_prefix(e, "channel %s", c->name);
		return r;
	}
	p->start.secret = p->secret;
	p->start.previous_secret = p->previous_secret;
	p->start.fingerprint = fingerprint(conf, p);
	return 0;
}

static int plans_make(struct plan **ret, const struct conf *conf, struct err *e)
{
	struct plan *plans = calloc(conf->channels_count + 1, sizeof(*plans));
	if (!plans)
		return err_set(e, -ENOMEM, "out of memory for the channels");
	for (unsigned i = 0; i < conf->channels_count; i++) {
		int r = plan_one(&plans[i], conf, &conf->channels[i], e);
		if (r) {
			plans_free(&plans, conf->channels_count);
			return r;
		}
	}
	*ret = plans;
	return 0;
}

static struct channel *find(struct ingest *in, const char *name)
{
	for (struct channel *c = in->channels; c; c = c->next)
		if (c->adapter && str_eq(c->name, name))
			return c;
	return NULL;
}

static int open_one(struct ingest *in, const struct plan *p, struct err *e)
{
	struct channel *c;
	int r = channel_open(&c, in, &p->start, e);
	if (r)
		return r;
	c->next = in->channels;
	in->channels = c;
	return 0;
}

/* Frees what was stopped and has nothing on its way any more. */
static void sweep(struct ingest *in)
{
	for (struct channel **at = &in->channels, *c; (c = *at);) {
		if (!channel_idle(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		channel_free(&c);
	}
}

int intake_reload(struct ingest *in, const struct conf *fresh, struct err *e)
{
	struct plan *plans = NULL;
	int r = plans_make(&plans, fresh, e);
	if (r)
		return r;
	for (struct channel *c = in->channels; c; c = c->next) {
		bool same = false;
		for (unsigned i = 0; i < fresh->channels_count; i++)
			same |= str_eq(c->name, fresh->channels[i].name) &&
				c->fingerprint == plans[i].start.fingerprint;
		if (!same)
			channel_stop(c);
	}
	for (unsigned i = 0; i < fresh->channels_count && !r; i++)
		if (!find(in, fresh->channels[i].name))
			r = open_one(in, &plans[i], e);
	plans_free(&plans, fresh->channels_count);
	sweep(in);
	return r;
}

int intake_open(struct ingest *in, const struct conf *conf, struct err *e)
{
	return intake_reload(in, conf, e);
}

void intake_close(struct ingest *in)
{
	for (struct channel *c = in->channels; c; c = c->next)
		channel_stop(c);
	sweep(in);
}

void intake_tick(struct ingest *in)
{
	sweep(in);
}

static const char *const state_words[] = {
	[ADAPTER_STARTING] = "is starting",
	[ADAPTER_RUNNING] = "has trouble",
	[ADAPTER_WAITING] = "does not stay up",
	[ADAPTER_FINISHED] = "has read everything there is",
	[ADAPTER_FAILED] = "can not be used",
};

void intake_issues(struct ingest *in)
{
	for (struct channel *c = in->channels; c; c = c->next) {
		struct adapter_health health;
		if (!c->adapter)
			continue;
		channel_gauges(c, svc_now_ms(in->svc));
		adapter_health(c->adapter, &health);
		if (health.words[0] && health.state != ADAPTER_FINISHED)
			svc_issue(in->svc, "channel %s: its adapter (%s) %s: %s", c->name, c->adapter_name,
				state_words[health.state], health.words);
	}
}

static uint64_t get_be64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void intake_duplicate(struct ingest *in, ProtobufCBinaryData tag)
{
	if (tag.len != ID_BYTES)
		return;
	for (struct channel *c = in->channels; c; c = c->next)
		if (channel_duplicate(c, get_be64(tag.data), get_be64(tag.data + 8)))
			return;
}

struct adapter *intake_adapter(struct ingest *in, const char *channel)
{
	struct channel *c = find(in, channel);
	return c ? c->adapter : NULL;
}
