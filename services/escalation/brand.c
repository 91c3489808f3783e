/* The brands of the configuration: their playbooks, and their topics read back from the store. */
#include "services/escalation/incidents/crisis.h"
#include "services/escalation/topics/mentions.h"

#include <sodium.h>

#define TOPIC_KEEP_MS ((int64_t)14 * 86400000) /* silent for longer: not worth remembering at start */

struct key id_key(const struct turn *t, int table, const struct id *id)
{
	struct key k = turn_key(t, &escalation_tables[table]);
	key_id(&k, id);
	return k;
}

struct brand *brand_find(struct escalation *x, const char *name)
{
	for (size_t i = 0; i < x->n_brands; i++)
		if (str_eq(x->brands[i].name, name))
			return &x->brands[i];
	return drill_of(name)[0] ? drill_brand(x, name) : NULL;
}

int brand_new_topics(struct brand *b)
{
	topics_free(&b->topics);
	return topics_new(&b->topics, (int64_t)b->playbook->window_minutes * 60000, b->name);
}

void rhythm_put(struct turn *t, struct brand *b)
{
	struct rhythm *r = topics_rhythm(b->topics);
	State__Rhythm *row = arena_alloc(t->arena, sizeof(*row));
	uint32_t *n = arena_alloc(t->arena, sizeof(*n) * (ARRAY_SIZE(r->days) + ARRAY_SIZE(r->weeks)));
	struct key k = turn_key(t, &escalation_tables[RHYTHMS]);
	if (!row || !n) {
		t->ws->error = -ENOMEM;
		return;
	}
	*row = (State__Rhythm)STATE__RHYTHM__INIT;
	for (size_t i = 0; i < ARRAY_SIZE(r->days); i++)
		n[i] = r->days[i];
	for (size_t i = 0; i < ARRAY_SIZE(r->weeks); i++)
		n[ARRAY_SIZE(r->days) + i] = r->weeks[i];
	row->brand = b->name;
	row->day = r->day;
	row->week = r->week;
	row->days = n;
	row->weeks = n + ARRAY_SIZE(r->days);
	row->n_day = row->n_days = ARRAY_SIZE(r->days);
	row->n_week = row->n_weeks = ARRAY_SIZE(r->weeks);
	row->mean = r->mean;
	row->hours = r->hours;
	row->hour = r->hour;
	key_name(&k, b->name);
	turn_put(t, &k, row);
}

static void restore_rhythm(struct txn *t, struct brand *b)
{
	struct key k = turn_key_in(key_group_of(span_str(b->name)), &escalation_tables[RHYTHMS]);
	struct rhythm *r = topics_rhythm(b->topics);
	struct span value;
	key_name(&k, b->name);
	State__Rhythm *row =
		txn_get(t, &k, &value) == 0 ? state__rhythm__unpack(NULL, value.len, value.data) : NULL;
	if (row && row->n_day == ARRAY_SIZE(r->day) && row->n_days == row->n_day && row->n_week == ARRAY_SIZE(r->week) &&
		row->n_weeks == row->n_week) {
		memcpy(r->day, row->day, sizeof(r->day));
		memcpy(r->week, row->week, sizeof(r->week));
		for (size_t i = 0; i < ARRAY_SIZE(r->days); i++)
			r->days[i] = (uint16_t)MIN(row->days[i], 1000u);
		for (size_t i = 0; i < ARRAY_SIZE(r->weeks); i++)
			r->weeks[i] = (uint16_t)MIN(row->weeks[i], 1000u);
		r->mean = row->mean;
		r->hours = row->hours;
		r->hour = row->hour;
		rhythm_settle(r);
		r->partly = true; /* how many had written in the open hour is not known any more */
	}
	state__rhythm__free_unpacked(row, NULL);
}

static void restore_topics(struct txn *t, struct brand *b)
{
	struct key prefix = turn_key_in(key_group_of(span_str(b->name)), &escalation_tables[TOPICS]);
	struct cursor *c;
	struct span key, value;
	int64_t newest = 0;
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	while (cursor_next(c, &key, &value) == 0) {
		State__Topic *row = state__topic__unpack(NULL, value.len, value.data);
		if (row && str_eq(row->brand, b->name) && row->last_ms > newest - TOPIC_KEEP_MS) {
			topics_restore(b->topics, row);
			newest = MAX(newest, row->last_ms);
		}
		state__topic__free_unpacked(row, NULL);
	}
	cursor_close(&c);
}

static void restore_copies(struct txn *t, struct brand *b)
{
	struct key prefix = turn_key_in(key_group_of(span_str(b->name)), &escalation_tables[COPIES]);
	struct cursor *c;
	struct span key, value;
	key_name(&prefix, b->name);
	if (cursor_open(t, &prefix, NULL, &c))
		return;
	while (cursor_next(c, &key, &value) == 0) {
		State__Copy *row = state__copy__unpack(NULL, value.len, value.data);
		if (row)
			topics_restore_copy(b->topics, row);
		state__copy__free_unpacked(row, NULL);
	}
	cursor_close(&c);
}

static void restore(struct txn *t, struct brand *b)
{
	restore_rhythm(t, b);
	restore_topics(t, b);
	mentions_restore(t, b);
	restore_copies(t, b);
	b->crisis_ms = crisis_since(t, b->name);
}

int brands_reload_topics(struct svc *s, struct escalation *x, struct err *e)
{
	struct txn *t;
	int r = txn_begin_read(svc_store(s), &t, e);
	for (size_t i = 0; i < x->n_brands && !r; i++) {
		struct brand *b = &x->brands[i];
		r = brand_new_topics(b);
		if (r)
			break;
		restore(t, b);
	}
	drills_free(x);
	r = r ? r : drills_each_running(t, x, restore);
	if (r)
		err_set(e, r, "the topics can not be read: %s", strerror(-r));
	else
		txn_abort(&t);
	return r;
}

/* Which playbook it was, whatever its name and version say; "unknown" when the file has gone meanwhile. */
static void set_digest(struct brand *b, const char *path)
{
	uint8_t data[4096], hash[crypto_generichash_BYTES];
	crypto_generichash_state s;
	size_t n;
	FILE *f = fopen(path, "rbe");
	b->audit_unseen = true;
	b->audit_shown_ms = 0;
	snprintf(b->playbook_digest, sizeof(b->playbook_digest), "unknown");
	if (!f)
		return;
	crypto_generichash_init(&s, NULL, 0, sizeof(hash));
	while ((n = fread(data, 1, sizeof(data), f)) > 0)
		crypto_generichash_update(&s, data, n);
	crypto_generichash_final(&s, hash, sizeof(hash));
	if (!ferror(f))
		sodium_bin2hex(b->playbook_digest, sizeof(b->playbook_digest), hash, 8);
	fclose(f);
}

int brands_open(struct svc *s, struct escalation **ret, struct err *e)
{
	const struct conf *c = svc_conf(s);
	struct escalation *x = calloc(1, sizeof(*x));
	if (!x || !(x->brands = calloc(c->brands_count + 1, sizeof(*x->brands)))) {
		free(x);
		return err_set(e, -ENOMEM, "out of memory");
	}
	int r = 0;
	for (unsigned i = 0; i < c->brands_count && !r; i++) {
		struct brand *b = &x->brands[x->n_brands];
		snprintf(b->name, sizeof(b->name), "%s", c->brands[i].name);
		r = playbook_of_brand(c, &c->brands[i], &b->playbook, e);
		set_digest(b, c->brands[i].playbook);
		x->n_brands += !r;
	}
	r = r ? r : brands_reload_topics(s, x, e);
	if (r)
		brands_free(&x);
	else
		*ret = x;
	return r;
}

int brands_reload(struct escalation *x, const struct conf *fresh, struct err *e)
{
	struct playbook **loaded = calloc(x->n_brands + 1, sizeof(*loaded));
	int r = loaded ? 0 : -ENOMEM;
	for (size_t i = 0; i < x->n_brands && !r; i++) {
		const struct conf_brand *b = conf_brand(fresh, x->brands[i].name);
		r = b ? playbook_of_brand(fresh, b, &loaded[i], e)
		      : err_set(e, -EINVAL, "brand \"%s\" is gone; a brand is added or removed by a restart",
				x->brands[i].name);
		r = r ? r : playbook_may_follow(x->brands[i].playbook, loaded[i], e);
	}
	for (size_t i = 0; loaded && i < x->n_brands; i++) {
		if (!r) {
			struct playbook *old = x->brands[i].playbook;
			x->brands[i].playbook = loaded[i];
			loaded[i] = old;
			set_digest(&x->brands[i], conf_brand(fresh, x->brands[i].name)->playbook);
		}
		playbook_free(&loaded[i]);
	}
	free(loaded);
	return r;
}

void brands_free(struct escalation **xp)
{
	struct escalation *x = *xp;
	if (!x)
		return;
	for (size_t i = 0; i < x->n_brands; i++) {
		topics_free(&x->brands[i].topics);
		playbook_free(&x->brands[i].playbook);
	}
	drills_free(x);
	free(x->brands);
	free(x);
	*xp = NULL;
}
