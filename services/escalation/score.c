#include "services/escalation/score.h"

#include "common/json.h"
#include "services/escalation/escalation.h"

#define DAY_MS ((int64_t)86400000)
#define FORGET_AT_ONCE 16

enum of { OF_ALL, OF_CHANNEL, OF_OWNER, OFS };
static const char *const of_words[OFS] = {"all", "channel", "owner"};

static struct key series_key(uint8_t group, const char *brand)
{
	struct key k = turn_key_in(group, &escalation_tables[SCORES]);
	key_name(&k, brand);
	return k;
}

static struct key row_key(uint8_t group, const char *brand, int64_t at_ms, enum of of, const char *name)
{
	struct key k = series_key(group, brand);
	key_ms(&k, at_ms - at_ms % DAY_MS);
	key_u8(&k, (uint8_t)of);
	key_name(&k, name);
	return k;
}

static bool day_of(struct span key, const struct key *series, uint64_t *ret_ms, uint8_t *ret_of)
{
	struct span rest = span_of(key.data + series->len, key.len - series->len);
	return key_take_u64(&rest, ret_ms) == 0 && key_take_u8(&rest, ret_of) == 0;
}

static void forget_old(struct turn *t, const struct key *series, int64_t before_ms)
{
	struct cursor *c;
	struct span key, value;
	uint64_t ms;
	uint8_t of;
	int r;
	if (cursor_open(t->txn, series, NULL, &c))
		return;
	for (int n = 0; n < FORGET_AT_ONCE && ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG); n++) {
		struct key old = {.len = (uint16_t)key.len};
		if (!day_of(key, series, &ms, &of) || (int64_t)ms >= before_ms)
			break;
		memcpy(old.data, key.data, key.len);
		turn_del(t, &old);
	}
	cursor_close(&c);
}

/* What is added, and to whom. */
struct addition {
	const struct damage *d;
	const char *name;
};

static void sum(void *row, struct arena *keeps, void *ctx)
{
	State__Score *s = row;
	const struct addition *a = ctx;
	const struct damage *d = a->d;
	if (str_empty(s->name) && !str_empty(a->name))
		s->name = arena_strdup(keeps, a->name);
	s->messages += d->who != 0;
	s->requests += d->request;
	s->cases += d->case_opened;
	s->acknowledged += d->acknowledged;
	s->in_time += d->in_time;
	s->acknowledge_ms += d->acknowledged ? (uint64_t)MAX(d->acknowledge_ms, 0) : 0;
	s->silent += d->silent;
	s->closed += d->case_closed;
	s->reopened += d->case_reopened;
}

static int add_row(struct turn *t, const char *brand, const struct damage *d, enum of of, const char *name)
{
	struct addition a = {d, name};
	struct key k = row_key(t->key_group, brand, d->at_ms, of, name);
	int r = turn_tally(t, &escalation_tables[SCORES], &k, sum, &a);
	if (r > 0 && of == OF_ALL) {
		struct key series = series_key(t->key_group, brand);
		forget_old(t, &series, d->at_ms - SCORE_DAYS * DAY_MS);
	}
	return MIN(r, 0);
}

int score_add(struct turn *t, const char *brand, const struct damage *d, const char *channel, const char *owner)
{
	int r = add_row(t, brand, d, OF_ALL, "");
	if (!r && !str_empty(channel))
		r = add_row(t, brand, d, OF_CHANNEL, channel);
	if (!r && !str_empty(owner))
		r = add_row(t, brand, d, OF_OWNER, owner);
	return r;
}

const char *score_verdict(uint64_t requests, uint64_t messages)
{
	double share = messages ? (double)requests / (double)messages : 0;
	if (messages < REQUESTS_KNOWN)
		return "";
	return share < REQUESTS_FEW ? "few" : share > REQUESTS_MANY ? "too many" : "right";
}

/* ---- reading ---- */

struct total {
	enum of of;
	State__Score s;
};

static void add_up(State__Score *into, const State__Score *s)
{
	into->messages += s->messages;
	into->requests += s->requests;
	into->cases += s->cases;
	into->acknowledged += s->acknowledged;
	into->in_time += s->in_time;
	into->acknowledge_ms += s->acknowledge_ms;
	into->silent += s->silent;
	into->closed += s->closed;
	into->reopened += s->reopened;
}

static struct total *total_of(struct total *list, size_t *n, enum of of, char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i].of == of && str_eq(list[i].s.name, name))
			return &list[i];
	if (*n == SCORE_NAMES_MAX)
		return NULL;
	list[*n] = (struct total){.of = of, .s = STATE__SCORE__INIT};
	list[*n].s.name = name;
	return &list[(*n)++];
}

static void read_days(struct txn *t, struct arena *a, const char *brand, int64_t from_ms, struct total *list, size_t *n)
{
	struct key series = series_key(key_group_of(span_str(brand)), brand), from = series;
	struct cursor *c;
	struct span key, value;
	uint64_t ms;
	uint8_t of;
	int r;
	key_ms(&from, from_ms);
	if (cursor_open(t, &series, &from, &c))
		return;
	while ((r = cursor_next(c, &key, &value)) == 0 || r == -EBADMSG) {
		State__Score *s = r ? NULL : state__score__unpack(arena_pb(a), value.len, value.data);
		if (!s || !day_of(key, &series, &ms, &of) || of >= OFS)
			continue;
		struct total *total = total_of(list, n, (enum of)of, s->name);
		if (total)
			add_up(&total->s, s);
	}
	cursor_close(&c);
}

static void write_rows(struct buf *out, const struct total *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const State__Score *s = &list[i].s;
		buf_addf(out, "%s{\"of\":\"%s\",\"name\":", i ? "," : "", of_words[list[i].of]);
		json_add_string(out, span_str(s->name));
		buf_addf(out, ",\"messages\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"cases\":%" PRIu64 ",\"acknowledged\":%" PRIu64
			",\"in_time\":%" PRIu64 ",\"acknowledge_ms\":%" PRIu64 ",\"silent\":%" PRIu64 ",\"closed\":%" PRIu64
			",\"reopened\":%" PRIu64 ",\"verdict\":\"%s\"}", s->messages, s->requests, s->cases, s->acknowledged, s->in_time,
			s->acknowledged ? s->acknowledge_ms / s->acknowledged : 0, s->silent, s->closed, s->reopened,
			score_verdict(s->requests, s->messages));
	}
}

void score_get(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct total *list = calloc(SCORE_NAMES_MAX, sizeof(*list));
	const char *brand = http_query(r, "brand"), *text = http_query(r, "days");
	char *end = NULL;
	long days = text ? strtol(text, &end, 10) : 7;
	struct txn *t = NULL;
	size_t n = 0;
	if (!brand || !brand_find(svc_state(s), brand))
		http_reply_error(r, 404, "there is no brand \"%.60s\"", brand ? brand : "");
	else if ((text && (!*text || *end)) || days < 1 || days > SCORE_DAYS)
		http_reply_error(r, 400, "days is to be a whole number from 1 to %d", SCORE_DAYS);
	else if (!list || txn_begin_read(svc_store(s), &t, NULL))
		http_reply_error(r, 500, "the store can not be read");
	if (!t) {
		free(list);
		return;
	}
	struct arena a;
	struct buf out;
	int64_t now = svc_now_ms(s), from = now - now % DAY_MS - (days - 1) * DAY_MS;
	arena_init(&a, (size_t)64 * 1024 * 1024);
	buf_init(&out, (size_t)1024 * 1024);
	read_days(t, &a, brand, from, list, &n);
	buf_addf(&out, "{\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 ",\"rows\":[", from, now);
	write_rows(&out, list, n);
	buf_adds(&out, "]}");
	http_reply(r, 200, "application/json", buf_span(&out));
	txn_abort(&t);
	arena_free(&a);
	buf_free(&out);
	free(list);
}
