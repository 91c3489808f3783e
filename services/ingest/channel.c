#include "channel.h"
#include "common/log.h"
#include "line.h"
#include "state.h"

#include "proto/state.pb-c.h"

#define LOGGED_PER_MINUTE 20
#define HELD_MAX ((size_t)8 * 1024 * 1024)

static const struct metric_desc descs[] = {
	{"ascolto_ingest_channel_posts_total", METRIC_COUNTER,
		"Posts accepted, since the start of the process", "channel"},
	{"ascolto_ingest_channel_duplicates_total", METRIC_COUNTER, "Posts that had come before", "channel"},
	{"ascolto_ingest_channel_refused_total", METRIC_COUNTER, "Posts put in quarantine", "channel"},
	{"ascolto_ingest_channel_last_post_age_seconds", METRIC_GAUGE,
		"Time since the last accepted post; absent while none is known", "channel"},
	{"ascolto_ingest_channel_up", METRIC_GAUGE,
		"1 when the adapter runs, or has read everything there is", "channel"},
	{"ascolto_ingest_channel_restarts", METRIC_GAUGE, "How often the adapter was started again",
		"channel"},
};

/* ---- outcomes ---- */

static void unlink_done(struct channel *c)
{
	uint64_t last = 0;
	struct line *l;
	while ((l = c->first) && line_done(l)) {
		last = l->said.n;
		c->first = l->next;
		if (!c->first)
			c->end = &c->first;
		line_free(&l);
	}
	if (last && c->adapter)
		adapter_ack(c->adapter, last);
}

static void line_finished(struct line *l)
{
	line_answer(l, l->channel->in->hook);
	unlink_done(l->channel);
}

/* The last post of the newest line was refused, and its cursor with it. A newer line will bring a newer
 * cursor; without one, what was refused would only be read and refused again after a restart. */
static void try_cursor(struct line *l, const struct line_item *i)
{
	struct channel *c = l->channel;
	if (!l->cursor || i != &l->items[l->n_items - 1] || l->next || c->held)
		return;
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Intake intake = ASCOLTO__INTAKE__INIT;
	struct id id = id_random(svc_now_ms(c->in->svc));
	intake.channel = c->name;
	intake.cursor = l->cursor;
	e.id = e.trace_id = id_bytes(&id);
	e.key_group = c->key_group;
	e.received_ms = svc_now_ms(c->in->svc);
	e.body_case = ASCOLTO__ENVELOPE__BODY_INTAKE;
	e.intake = &intake;
	svc_submit(c->in->svc, &e, NULL, NULL);
}

/* One line each, but a file full of rubbish does not fill the log: quarantine has them all. */
static void log_refusal(struct channel *c, const char *why)
{
	int64_t minute = svc_now_ms(c->in->svc) / 60000;
	if (minute != c->logged_minute)
		c->logged = 0;
	c->logged_minute = minute;
	if (++c->logged <= LOGGED_PER_MINUTE)
		log_warning("channel %s: put in quarantine: %s", c->name, why);
	else if (c->logged == LOGGED_PER_MINUTE + 1)
		log_warning("channel %s: more of this minute's refusals are only in quarantine", c->name);
}

void channel_item_done(void *ctx, enum verdict verdict, const char *why)
{
	struct line_item *i = ctx;
	struct line *l = i->line;
	struct channel *c = l->channel;
	bool is_post = (size_t)(i - l->items) < l->said.n_posts;
	l->outstanding--;
	if (is_post && verdict != DONE) {
		l->refused++;
		i->refused = true;
		i->reason = l->said.request ? strdup(why) : NULL;
		metric_add(c->m.refused, 1);
		log_refusal(c, why);
		try_cursor(l, i);
	} else if (is_post && i->duplicate) {
		l->duplicates++;
		metric_add(c->m.duplicates, 1);
	} else if (is_post) {
		l->accepted++;
		metric_add(c->m.posts, 1);
		c->last_ms = svc_now_ms(c->in->svc);
	}
	if (line_done(l))
		line_finished(l);
}

bool channel_duplicate(struct channel *c, uint64_t line, uint64_t index)
{
	if (!c->first || line < c->first->number)
		return false;
	struct line *l = c->first;
	while (l && l->number != line)
		l = l->next;
	if (l && index < l->n_items)
		l->items[index].duplicate = true;
	return l;
}

/* ---- lines ---- */

static void on_room(void *ctx)
{
	struct channel *c = ctx;
	struct line *l = c->held;
	c->waiting = false;
	if (!l)
		return;
	if (line_submit(l)) {
		c->waiting = true;
		svc_on_room(c->in->svc, on_room, c);
		return;
	}
	c->held = NULL;
	arena_reset(&c->arena);
	if (c->adapter)
		adapter_pause(c->adapter, false);
	if (line_done(l))
		line_finished(l);
}

static void hold(struct channel *c, struct line *l)
{
	if (line_hold(l, &c->arena)) {
		arena_reset(&c->arena);
		line_cut(l);
		adapter_restart(c->adapter, "the host has no memory for its line");
		if (line_done(l))
			line_finished(l);
		return;
	}
	c->held = l;
	adapter_pause(c->adapter, true);
	if (!c->waiting)
		svc_on_room(c->in->svc, on_room, c);
	c->waiting = true;
}

static void on_line(struct adapter *a, const struct adapter_line *said, void *ctx)
{
	struct channel *c = ctx;
	if (!said->n) { /* only an answer */
		const char *body = said->respond_body ? said->respond_body : "";
		hook_answer(
			c->in->hook, said->request, said->respond_status, said->respond_type, span_str(body));
		return;
	}
	struct line *l = line_new(c, said);
	if (!l) {
		adapter_restart(a, "the host has no memory for its line");
		return;
	}
	*c->end = l;
	c->end = &l->next;
	if (said->request)
		hook_taken(c->in->hook, said->request);
	if (line_submit(l))
		hold(c, l);
	else if (line_done(l))
		line_finished(l);
}

/* ---- the adapter ---- */

/* The committed cursor, "" when there is none. */
static void read_cursor(struct channel *c, char *text, size_t size)
{
	struct txn *t;
	struct arena a;
	State__Cursor *row;
	struct key k = turn_key_in(c->key_group, &ingest_tables[CURSORS]);
	key_name(&k, c->name);
	text[0] = 0;
	if (txn_begin_read(svc_store(c->in->svc), &t, NULL))
		return;
	arena_init(&a, (size_t)64 * 1024);
	if (svc_read(t, &a, &ingest_tables[CURSORS], &k, &row) == 0) {
		snprintf(text, size, "%s", row->cursor);
		c->last_ms = MAX(c->last_ms, row->at_ms);
	}
	arena_free(&a);
	txn_abort(&t);
}

static void on_restart(struct adapter *a, void *ctx, char *cursor, size_t size)
{
	(void)a;
	read_cursor(ctx, cursor, size);
}

static void on_down(struct adapter *a, void *ctx)
{
	struct channel *c = ctx;
	struct adapter_health health;
	adapter_health(a, &health);
	hook_down(c->in->hook, a);
	if (health.state == ADAPTER_FINISHED)
		log_info("channel %s: its adapter has read everything there is", c->name);
	else
		log_warning("channel %s: adapter %s: %s", c->name, c->adapter_name, health.words);
}

static void on_says(struct adapter *a, const char *text, void *ctx)
{
	struct channel *c = ctx;
	(void)a;
	log_info("channel %s: adapter %s says: %s", c->name, c->adapter_name, text);
}

static int start_adapter(struct channel *c, const struct channel_start *start, struct err *e)
{
	char program[4096], cursor[ADAPTER_CURSOR_MAX];
	const struct conf_channel *conf = start->channel;
	if (strchr(conf->adapter, '/'))
		snprintf(program, sizeof(program), "%s", conf->adapter);
	else
		snprintf(program, sizeof(program), "%s/ascolto-adapter-%s", start->conf->programs,
			conf->adapter);
	read_cursor(c, cursor, sizeof(cursor));
	const struct adapter_options o = {
		.program = program,
		.channel = c->name,
		.settings = (const char *const *)conf->settings,
		.n_settings = conf->settings_count,
		.secret = start->secret,
		.previous_secret = start->previous_secret,
		.cursor = cursor,
		.line = on_line,
		.restart = on_restart,
		.down = on_down,
		.says = on_says,
		.ctx = c,
	};
	return adapter_start(&c->adapter, svc_loop(c->in->svc), &o, e);
}

int channel_open(struct channel **ret, struct ingest *in, const struct channel_start *start, struct err *e)
{
	struct channel *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, -ENOMEM, "out of memory for a channel");
	c->in = in;
	c->end = &c->first;
	c->fingerprint = start->fingerprint;
	c->name = strdup(start->channel->name);
	c->brand = strdup(start->channel->brand);
	c->adapter_name = strdup(start->channel->adapter);
	arena_init(&c->arena, HELD_MAX);
	int r = -ENOMEM;
	if (c->name && c->brand && c->adapter_name) {
		struct metric **series[] = {
			&c->m.posts, &c->m.duplicates, &c->m.refused, NULL, &c->m.up, &c->m.restarts};
		for (size_t i = 0; i < ARRAY_SIZE(series); i++)
			if (series[i])
				*series[i] = metric_series(svc_metrics(in->svc), &descs[i], c->name);
		c->key_group = key_group_of(span_str(c->name));
		r = start_adapter(c, start, e);
	}
	if (r) {
		channel_free(&c);
		return err_set(e, r, "out of memory for a channel");
	}
	*ret = c;
	return 0;
}

void channel_stop(struct channel *c)
{
	if (!c->adapter)
		return;
	hook_down(c->in->hook, c->adapter);
	adapter_stop(&c->adapter);
	metric_set_to(c->m.up, 0);
	struct line *l = c->held;
	c->held = NULL;
	if (l) { /* the rest was never acknowledged and is read again when the channel comes back */
		line_cut(l);
		if (line_done(l))
			line_finished(l);
	}
}

bool channel_idle(const struct channel *c)
{
	return !c->adapter && !c->first && !c->waiting;
}

void channel_free(struct channel **channel)
{
	struct channel *c = *channel;
	if (!c)
		return;
	*channel = NULL;
	for (struct line *l = c->first, *next; l; l = next) {
		next = l->next;
		line_free(&l);
	}
	arena_free(&c->arena);
	free(c->name);
	free(c->brand);
	free(c->adapter_name);
	free(c);
}

void channel_gauges(struct channel *c, int64_t now_ms)
{
	struct adapter_health health;
	if (!c->adapter)
		return;
	adapter_health(c->adapter, &health);
	metric_set_to(c->m.up, health.state == ADAPTER_RUNNING || health.state == ADAPTER_FINISHED);
	metric_set_to(c->m.restarts, health.restarts);
	if (c->last_ms && !c->m.age)
		c->m.age = metric_series(svc_metrics(c->in->svc), &descs[3], c->name);
	metric_set_to(c->m.age, (double)MAX(now_ms - c->last_ms, (int64_t)0) / 1000);
}
