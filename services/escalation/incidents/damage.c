#include "services/escalation/incidents/damage.h"

#include "services/escalation/escalation.h"
#include "services/escalation/incidents/sketch.h"

#define DAY_MS ((int64_t)86400000)
#define HOUR_PARTS (3600000 / PULSE_MS)
_Static_assert(CROWD_PARTS == HOUR_PARTS + 1, "an hour and the part it ends in");
#define FORGET_AT_ONCE 8

/* ---- keys ---- */

static struct key series_key(uint8_t group, const char *brand, const struct id *incident)
{
	struct key k = turn_key_in(group, &escalation_tables[incident ? INCIDENT_PULSE : PULSE]);
	if (incident)
		key_id(&k, incident);
	else
		key_name(&k, brand);
	return k;
}

static int64_t part_of(int64_t ms)
{
	return ms - ms % PULSE_MS;
}

static bool time_of(struct span key, const struct key *prefix, int64_t *ret)
{
	uint64_t ms;
	struct span rest = span_of(key.data + prefix->len, key.len - prefix->len);
	if (key_take_u64(&rest, &ms))
		return false;
	*ret = (int64_t)ms;
	return true;
}

/* ---- adding ---- */

static void add_to(State__Pulse *p, const struct damage *d, bool case_counts)
{
	p->messages += d->who != 0;
	p->negative += d->negative;
	p->positive += d->positive;
	p->defended += d->defends;
	p->cases += case_counts;
	p->acknowledged += d->acknowledged;
	p->acknowledge_ms += d->acknowledged ? (uint64_t)MAX(d->acknowledge_ms, 0) : 0;
	p->closed += d->case_closed;
	p->late += d->case_late;
}

/* To the brand's part. */
static void add_to_brand(void *row, struct arena *keeps, void *ctx)
{
	State__Pulse *p = row;
	const struct damage *d = ctx;
	add_to(p, d, d->case_opened);
	if (!d->who)
		return;
	p->reach += d->reach;
	if (p->people.len != SKETCH_BYTES) {
		uint8_t *sketch = arena_zalloc(keeps, SKETCH_BYTES);
		if (!sketch)
			return;
		p->people = (ProtobufCBinaryData){SKETCH_BYTES, sketch};
	}
	sketch_add(p->people.data, d->who);
}

static void add_to_incident(void *row, struct arena *keeps, void *ctx)
{
	State__Pulse *p = row;
	const struct damage *d = ctx;
	(void)keeps;
	add_to(p, d, d->case_joined);
	p->messages += d->newcomers;
	p->fresh += d->fresh_person + d->newcomers;
	p->reach += d->fresh_person ? d->reach : 0;
}

int damage_add(struct turn *t, const char *brand, const struct damage *d)
{
	struct key series = series_key(t->key_group, brand, NULL), k = series;
	key_ms(&k, part_of(d->at_ms));
	int r = turn_tally(t, &escalation_tables[PULSE], &k, add_to_brand, d, sizeof(*d));
	if (r < 0)
		return r;
	if (r) { /* a new part begins: those of long ago go */
		struct key end = series;
		key_ms(&end, d->at_ms - PULSE_DAYS * DAY_MS);
		turn_forget(t, &series, &end, FORGET_AT_ONCE);
	}
	if (!d->incident || d->at_ms - id_ms(d->incident) > INCIDENT_DAYS * DAY_MS)
		return 0;
	k = series_key(t->key_group, brand, d->incident);
	key_ms(&k, part_of(d->at_ms));
	r = turn_tally(t, &escalation_tables[INCIDENT_PULSE], &k, add_to_incident, d, sizeof(*d));
	return MIN(r, 0);
}

bool damage_crowd_add(struct damage_crowd *c, int64_t at_ms)
{
	int64_t ago = (part_of(c->last_ms) - part_of(at_ms)) / PULSE_MS;
	if (ago < 0 || ago >= CROWD_PARTS)
		return false;
	c->people[ago]++;
	return true;
}

static void add_people(void *row, struct arena *keeps, void *ctx)
{
	State__Pulse *p = row;
	const uint32_t *people = ctx;
	(void)keeps;
	p->messages += *people;
	p->fresh += *people;
}

int damage_crowd_write(struct turn *t, const struct id *incident, const struct damage_crowd *c)
{
	int r = 0;
	for (int ago = 0; ago < CROWD_PARTS && r >= 0; ago++) {
		struct key k = series_key(t->key_group, NULL, incident);
		if (!c->people[ago])
			continue;
		key_ms(&k, part_of(c->last_ms) - ago * PULSE_MS);
		r = turn_tally(t, &escalation_tables[INCIDENT_PULSE], &k, add_people,
			&c->people[ago], sizeof(c->people[ago]));
	}
	return MIN(r, 0);
}

/* ---- reading ---- */

static void add_part(struct damage_sum *s, const State__Pulse *p)
{
	s->messages += p->messages;
	s->negative += p->negative;
	s->positive += p->positive;
	s->defended += p->defended;
	s->reach += p->reach;
	s->cases += p->cases;
	s->acknowledged += p->acknowledged;
	s->acknowledge_ms += p->acknowledge_ms;
	s->closed += p->closed;
	s->late += p->late;
	s->people += p->fresh;
}

int damage_read(struct txn *t, const char *brand, const struct id *incident, int64_t from_ms, int64_t to_ms,
	struct damage_sum *ret, struct damage_part *parts, size_t *n_parts)
{
	uint8_t all[SKETCH_BYTES] = {0};
	struct key series = series_key(key_group_of(span_str(brand)), brand, incident), from = series;
	struct cursor *c;
	struct span key, value;
	size_t n = 0;
	int64_t ms;
	*ret = (struct damage_sum){.from_ms = from_ms, .to_ms = to_ms};
	key_ms(&from, part_of(MAX(from_ms, 0)));
	int r = cursor_open(t, &series, &from, &c);
	if (r)
		return r;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) {
		if (!time_of(key, &series, &ms) || ms >= to_ms)
			break;
		State__Pulse *p = r ? NULL : state__pulse__unpack(NULL, value.len, value.data);
		if (!p)
			continue;
		add_part(ret, p);
		if (p->people.len == SKETCH_BYTES)
			sketch_merge(all, p->people.data);
		if (parts && n < *n_parts)
			parts[n++] = (struct damage_part){ms, p->messages, p->negative, p->fresh};
		state__pulse__free_unpacked(p, NULL);
	}
	cursor_close(&c);
	if (!incident)
		ret->people = sketch_count(all);
	if (parts)
		*n_parts = n;
	return 0;
}

/* The messages of the hour that ends with part i. */
static uint64_t hour_of(const struct damage_part *parts, size_t i)
{
	uint64_t sum = 0;
	for (size_t k = i + 1; k-- > 0 && parts[k].at_ms > parts[i].at_ms - HOUR_PARTS * PULSE_MS;)
		sum += parts[k].messages;
	return sum;
}

int64_t damage_calm(const struct damage_part *parts, size_t n, double normal, int64_t until_ms)
{
	uint64_t worst = 0;
	int64_t last = 0;
	for (size_t i = 0; i < n; i++)
		worst = MAX(worst, hour_of(parts, i));
	for (size_t i = 0; i < n; i++) {
		double hour = (double)hour_of(parts, i);
		if (hour > 2 * normal && hour > (double)worst / 10)
			last = parts[i].at_ms + PULSE_MS;
	}
	/* An hour of parts without any messages may follow the last one: their sums fall by themselves. */
	return last && until_ms >= last + 3600000 ? last : 0;
}
