/* Exercises: which run, and the brand each has for itself (common/drill.h). */
#include "services/escalation/escalation.h"

#include "common/json.h"

#define MINUTES_MAX (24 * 60)
#define TEXT_MAX 200
#define LIST_MAX 200

struct drill_brand {
	struct drill_brand *next;
	struct brand brand;
};

static struct key drill_key(uint8_t key_group, const char *brand)
{
	struct key k = turn_key_in(key_group, &escalation_tables[DRILLS]);
	key_name(&k, brand);
	return k;
}

static bool runs(const State__Drill *d)
{
	return !d->stopped_ms;
}

bool drill_is_over(struct turn *t, const Ascolto__Envelope *e)
{
	State__Drill *d;
	if (str_empty(e->drill) && !drill_of(e->brand)[0])
		return false;
	struct key k = drill_key(t->key_group, e->brand);
	return turn_get(t, &escalation_tables[DRILLS], &k, &d) || !runs(d);
}

/* ---- the brand of a drill: what the real one has, but topics and a crisis of its own ---- */

static struct brand *real_brand(struct escalation *x, const char *name)
{
	size_t len = drill_brand_len(name);
	for (size_t i = 0; i < x->n_brands; i++)
		if (strlen(x->brands[i].name) == len && memcmp(x->brands[i].name, name, len) == 0)
			return &x->brands[i];
	return NULL;
}

static struct drill_brand *add_brand(struct escalation *x, const struct brand *real, const char *name)
{
	struct drill_brand *d = calloc(1, sizeof(*d));
	if (!d || topics_new(&d->brand.topics, (int64_t)real->playbook->window_minutes * 60000, name)) {
		free(d);
		return NULL;
	}
	d->next = x->drills;
	x->drills = d;
	return d;
}

struct brand *drill_brand(struct escalation *x, const char *name)
{
	const struct brand *real = real_brand(x, name);
	struct drill_brand *d = x->drills;
	while (d && !str_eq(d->brand.name, name))
		d = d->next;
	if (!real || (!d && !(d = add_brand(x, real, name))))
		return NULL;
	snprintf(d->brand.name, sizeof(d->brand.name), "%s", name);
	d->brand.playbook = real->playbook; /* it may have been read again meanwhile */
	memcpy(d->brand.playbook_digest, real->playbook_digest, sizeof(d->brand.playbook_digest));
	return &d->brand;
}

static void free_brand(struct drill_brand **at)
{
	struct drill_brand *d = *at;
	*at = d->next;
	topics_free(&d->brand.topics);
	free(d);
}

void drills_free(struct escalation *x)
{
	while (x->drills)
		free_brand(&x->drills);
}

/* After the commit that stopped it. */
static void forget(void *state, void *name)
{
	struct escalation *x = state;
	for (struct drill_brand **at = &x->drills; *at; at = &(*at)->next)
		if (str_eq((*at)->brand.name, name)) {
			free_brand(at);
			return;
		}
}

/* ---- all there are ---- */

typedef bool drill_fn(void *ctx, struct txn *t, const State__Drill *d);

static void each_drill(struct txn *t, drill_fn *fn, void *ctx)
{
	bool more = true;
	for (unsigned g = 0; g < KEY_GROUPS && more; g++) {
		struct key prefix = turn_key_in((uint8_t)g, &escalation_tables[DRILLS]);
		struct cursor *c;
		struct span key, value;
		if (cursor_open(t, &prefix, NULL, &c))
			continue;
		while (more && cursor_next(c, &key, &value) == 0) {
			State__Drill *d = state__drill__unpack(NULL, value.len, value.data);
			more = !d || fn(ctx, t, d);
			state__drill__free_unpacked(d, NULL);
		}
		cursor_close(&c);
	}
}

struct restoring {
	struct escalation *x;
	void (*fn)(struct txn *t, struct brand *b);
	bool out_of_memory;
};

static bool restore_running(void *ctx, struct txn *t, const State__Drill *d)
{
	struct restoring *r = ctx;
	struct brand *b = runs(d) && real_brand(r->x, d->brand) ? drill_brand(r->x, d->brand) : NULL;
	if (b)
		r->fn(t, b);
	r->out_of_memory = !b && runs(d) && real_brand(r->x, d->brand);
	return !r->out_of_memory;
}

int drills_each_running(struct txn *t, struct escalation *x, void (*fn)(struct txn *t, struct brand *b))
{
	struct restoring r = {.x = x, .fn = fn};
	each_drill(t, restore_running, &r);
	return r.out_of_memory ? -ENOMEM : 0;
}

/* ---- beginning and ending ---- */

int drill_start(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__StartDrill *what = e->command->start_drill;
	State__Drill d = STATE__DRILL__INIT, *before;
	struct key k = drill_key(t->key_group, e->brand);
	if (!drill_name_ok(drill_of(e->brand)) || !real_brand(t->state, e->brand))
		return err_set(why, -EINVAL, "a drill is of a configured brand and has a name, \"BRAND~NAME\", not \"%s\"", e->brand);
	if (turn_get(t, &escalation_tables[DRILLS], &k, &before) == 0)
		return err_set(why, -EEXIST, "there has been a drill %s already; a drill has a name of its own", e->brand);
	d.brand = e->brand;
	d.scenario = what->scenario;
	d.by = e->command->actor;
	d.started_ms = t->now_ms;
	d.until_ms = t->now_ms + (int64_t)MIN(what->minutes ? what->minutes : MINUTES_MAX, (uint32_t)MINUTES_MAX) * 60000;
	turn_put(t, &k, &d);
	set_timer(t, e, DRILL_TIMER, NULL, 0, d.until_ms);
	return 0;
}

int drill_stop(struct turn *t, const Ascolto__Envelope *e, const char *reason, struct err *why)
{
	State__Drill *d;
	struct key k = drill_key(t->key_group, e->brand);
	int r = turn_get(t, &escalation_tables[DRILLS], &k, &d);
	if (r)
		return err_set(why, r, "there is no drill %s", e->brand);
	d->stopped_ms = t->now_ms;
	d->why = (char *)(uintptr_t)reason;
	turn_put(t, &k, d);
	turn_effect(t, forget, arena_strdup(t->arena, e->brand));
	return 0;
}

/* ---- the operators' address ---- */

static bool add_drill(void *ctx, struct txn *t, const State__Drill *d)
{
	json_t *list = ctx;
	(void)t;
	json_array_append_new(list,
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:s}", "brand", d->brand, "scenario", d->scenario, "by", d->by,
			"started_ms", (json_int_t)d->started_ms, "until_ms", (json_int_t)d->until_ms, "stopped_ms",
			(json_int_t)d->stopped_ms, "runs", runs(d), "why", d->why));
	return json_array_size(list) < LIST_MAX;
}

void get_drills(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct txn *t;
	json_t *list = json_array();
	if (!list || txn_begin_read(svc_store(s), &t, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
		json_decref(list);
		return;
	}
	each_drill(t, add_drill, list);
	txn_abort(&t);
	json_t *all = json_pack("{s:o}", "drills", list);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	http_reply(r, text ? 200 : 500, "application/json", span_str(text ? text : "{}"));
	free(text);
	json_decref(all);
}

static void submitted(void *ctx, enum verdict verdict, const char *why)
{
	if (verdict == DONE)
		http_reply(ctx, 200, "application/json", span_str("{\"accepted\":true}"));
	else
		http_reply_error(ctx, 409, "%s", why);
}

static const char *word(const json_t *body, const char *name)
{
	const char *s = json_string_value(json_object_get(body, name));
	return s && strlen(s) <= TEXT_MAX ? s : NULL;
}

static void submit(struct http_request *r, struct svc *s, Ascolto__Command *c)
{
	const char *brand = http_query(r, "brand");
	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	struct id id = id_random(svc_now_ms(s));
	if (str_empty(brand) || !drill_name_ok(drill_of(brand)) || !conf_brand(svc_conf(s), brand)) {
		http_reply_error(r, 400, "brand is to be BRAND~NAME, of a brand that is configured");
		return;
	}
	e.id = e.trace_id = id_bytes(&id);
	e.brand = (char *)(uintptr_t)brand;
	e.drill = (char *)(uintptr_t)drill_of(brand);
	e.key_group = key_group_of(span_str(brand));
	e.occurred_ms = e.received_ms = svc_now_ms(s);
	e.body_case = ASCOLTO__ENVELOPE__BODY_COMMAND;
	e.command = c;
	if (svc_submit(s, &e, submitted, r)) {
		http_reply_header(r, "Retry-After", "1");
		http_reply_error(r, 503, "escalation can not take commands now");
	}
}

static void decide(struct http_request *r, struct svc *s, bool starts)
{
	struct err e = {0};
	json_t *body = NULL;
	Ascolto__Command c = ASCOLTO__COMMAND__INIT;
	Ascolto__StartDrill start = ASCOLTO__START_DRILL__INIT;
	Ascolto__StopDrill stop = ASCOLTO__STOP_DRILL__INIT;
	const char *actor, *said;
	if (json_parse(http_body(r), &body, &e)) {
		http_reply_error(r, 400, "the body can not be read: %s", err_text(&e));
		return;
	}
	actor = word(body, "actor");
	said = word(body, starts ? "scenario" : "reason");
	if (str_empty(actor) || str_empty(said)) {
		http_reply_error(r, 400, "the body is to be {\"actor\":\"who decides\",\"%s\":\"words\"}, each of at most %d bytes",
			starts ? "scenario" : "reason", TEXT_MAX);
		json_decref(body);
		return;
	}
	c.actor = (char *)(uintptr_t)actor;
	c.what_case = starts ? ASCOLTO__COMMAND__WHAT_START_DRILL : ASCOLTO__COMMAND__WHAT_STOP_DRILL;
	start.scenario = stop.reason = (char *)(uintptr_t)said;
	start.minutes = (uint32_t)MAX(json_integer_value(json_object_get(body, "minutes")), 0);
	if (starts)
		c.start_drill = &start;
	else
		c.stop_drill = &stop;
	submit(r, s, &c);
	json_decref(body);
}

void post_drill_start(struct http_request *r, void *ctx)
{
	decide(r, ctx, true);
}

void post_drill_stop(struct http_request *r, void *ctx)
{
	decide(r, ctx, false);
}
