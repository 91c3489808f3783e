/* The counters of the spec: rows of the store, which change with the turn that counts. */
#include "svc_internal.h"

static struct key counter_key(const struct counter *c)
{
	struct key k = key_make(TABLE_COUNTER, 0);
	key_str(&k, c->name);
	return k;
}

static size_t find_counter(const struct svc *s, const char *name)
{
	size_t i = 0;
	while (s->spec->counters && s->spec->counters[i].name && !str_eq(s->spec->counters[i].name, name))
		i++;
	return i;
}

int64_t svc_counter(const struct svc *s, const char *counter)
{
	size_t i = find_counter(s, counter);
	return s->spec->counters && s->spec->counters[i].name ? s->counters[i] : 0;
}

void counter_add(struct svc *s, const char *name, int64_t by)
{
	size_t i = find_counter(s, name);
	if (s->spec->counters && s->spec->counters[i].name)
		s->counter_changes[i] += by;
}

int counters_save(struct svc *s, struct txn *t)
{
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++) {
		State__Counter c = STATE__COUNTER__INIT;
		uint8_t packed[32];
		if (!s->counter_changes[i])
			continue;
		struct key k = counter_key(&s->spec->counters[i]);
		c.value = (uint64_t)(s->counters[i] + s->counter_changes[i]);
		int r = txn_put(t, &k, span_of(packed, state__counter__pack(&c, packed)));
		if (r)
			return r;
	}
	return 0;
}

void counters_committed(struct svc *s, bool committed)
{
	for (size_t i = 0; s->spec->counters && s->spec->counters[i].name; i++) {
		if (committed)
			s->counters[i] += s->counter_changes[i];
		s->counter_changes[i] = 0;
	}
}

int counters_load(struct svc *s, struct txn *t)
{
	size_t n = 0;
	while (s->spec->counters && s->spec->counters[n].name)
		n++;
	if (!s->counters) {
		s->counters = calloc(n + 1, sizeof(*s->counters));
		s->counter_changes = calloc(n + 1, sizeof(*s->counter_changes));
	}
	if (!s->counters || !s->counter_changes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct span value;
		struct key k = counter_key(&s->spec->counters[i]);
		if (txn_get(t, &k, &value))
			continue;
		State__Counter *c = state__counter__unpack(NULL, value.len, value.data);
		if (c)
			s->counters[i] = (int64_t)c->value;
		state__counter__free_unpacked(c, NULL);
	}
	return 0;
}

void counters_free(struct svc *s)
{
	free(s->counters);
	free(s->counter_changes);
}
