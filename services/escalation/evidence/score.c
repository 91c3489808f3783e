#include "services/escalation/evidence/score.h"

#include "common/json.h"
#include "services/escalation/escalation.h"

#define DAY_MS ((int64_t)86400000)
#define FORGET_AT_ONCE 16

enum of { OF_ALL, OF_CHANNEL, OF_OWNER, OF_TEAM, OFS };
static const char *const of_words[OFS] = {"all", "channel", "owner", "team"};

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

static void sum(State__Score *s, const struct damage *d)
{
	s->messages += d->who != 0;
	s->requests += d->request;
	s->cases += d->case_opened;
	s->acknowledged += d->acknowledged;
	s->in_time += d->in_time;
	s->acknowledge_ms += d->acknowledged ? (uint64_t)MAX(d->acknowledge_ms, 0) : 0;
	s->silent += d->silent;
	s->closed += d->case_closed;
	s->reopened += d->case_reopened;
	s->answers += d->answer;
	s->tone_right += d->answer && d->tone_right;
	s->measured += d->answer && d->clear_known;
	s->clear += d->answer && d->clear;
}

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
	into->answers += s->answers;
	into->tone_right += s->tone_right;
	into->measured += s->measured;
	into->clear += s->clear;
}

/* The row of that name, new perhaps; NULL when the sheet is full. */
static State__Score *row_of(struct score_sheet *sheet, enum of of, const char *name)
{
	for (size_t i = 0; i < sheet->n; i++)
		if (sheet->rows[i].of == (uint8_t)of && str_eq(sheet->rows[i].sum.name, name))
			return &sheet->rows[i].sum;
	if (sheet->n == sheet->max)
		return NULL;
	struct score_row *row = &sheet->rows[sheet->n++];
	*row = (struct score_row){.of = (uint8_t)of, .sum = STATE__SCORE__INIT};
	row->sum.name = (char *)(uintptr_t)name;
	return &row->sum;
}

void score_note(struct score_sheet *sheet, const struct damage *d, const char *channel, const char *owner,
	const char *team)
{
	const char *const names[OFS] = {
		[OF_ALL] = "", [OF_CHANNEL] = channel, [OF_OWNER] = owner, [OF_TEAM] = team};
	for (int of = 0; of < OFS; of++) {
		State__Score *row =
			of == OF_ALL || !str_empty(names[of]) ? row_of(sheet, (enum of)of, names[of]) : NULL;
		if (row)
			sum(row, d);
	}
}

static void add_row(void *row, struct arena *keeps, void *ctx)
{
	State__Score *into = row;
	const State__Score *s = ctx;
	if (str_empty(into->name) && !str_empty(s->name))
		into->name = arena_strdup(keeps, s->name);
	add_up(into, s);
}

static int write_row(struct turn *t, const char *brand, int64_t at_ms, const struct score_row *row)
{
	struct key k = row_key(t->key_group, brand, at_ms, (enum of)row->of, row->sum.name);
	int r = turn_tally(t, &escalation_tables[SCORES], &k, add_row, &row->sum, sizeof(row->sum));
	if (r > 0 && row->of == OF_ALL) {
		struct key series = series_key(t->key_group, brand);
		struct key end = series;
		key_ms(&end, at_ms - SCORE_DAYS * DAY_MS);
		turn_forget(t, &series, &end, FORGET_AT_ONCE);
	}
	return MIN(r, 0);
}

int score_write(struct turn *t, const char *brand, const struct score_sheet *sheet)
{
	int r = 0;
	for (size_t i = 0; i < sheet->n && !r; i++)
		r = write_row(t, brand, sheet->at_ms, &sheet->rows[i]);
	return r;
}

int score_add(struct turn *t, const char *brand, const struct damage *d, const char *channel,
	const char *owner, const char *team)
{
	struct score_row rows[OFS];
	struct score_sheet sheet = {.at_ms = d->at_ms, .rows = rows, .max = OFS};
	score_note(&sheet, d, channel, owner, team);
	return score_write(t, brand, &sheet);
}

const char *score_verdict(uint64_t requests, uint64_t messages)
{
	double share = messages ? (double)requests / (double)messages : 0;
	if (messages < REQUESTS_KNOWN)
		return "";
	return share < REQUESTS_FEW ? "few" : share > REQUESTS_MANY ? "too many" : "right";
}

/* ---- reading ---- */

static void read_days(
	struct txn *t, struct arena *a, const char *brand, int64_t from_ms, struct score_sheet *sheet)
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
		State__Score *total = row_of(sheet, (enum of)of, s->name);
		if (total)
			add_up(total, s);
	}
	cursor_close(&c);
}

static void write_rows(struct buf *out, const struct score_sheet *sheet)
{
	for (size_t i = 0; i < sheet->n; i++) {
		const State__Score *s = &sheet->rows[i].sum;
		buf_addf(out, "%s{\"of\":\"%s\",\"name\":", i ? "," : "", of_words[sheet->rows[i].of]);
		json_add_string(out, span_str(s->name));
		buf_addf(out,
			",\"messages\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"cases\":%" PRIu64
			",\"acknowledged\":%" PRIu64 ",\"in_time\":%" PRIu64 ",\"acknowledge_ms\":%" PRIu64
			",\"silent\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"reopened\":%" PRIu64,
			s->messages, s->requests, s->cases, s->acknowledged, s->in_time,
			s->acknowledged ? s->acknowledge_ms / s->acknowledged : 0, s->silent, s->closed,
			s->reopened);
		buf_addf(out,
			",\"answers\":%" PRIu64 ",\"tone_right\":%" PRIu64 ",\"measured\":%" PRIu64
			",\"clear\":%" PRIu64 ",\"verdict\":\"%s\"}",
			s->answers, s->tone_right, s->measured, s->clear,
			score_verdict(s->requests, s->messages));
	}
}

void score_get(struct http_request *r, void *ctx)
{
	struct svc *s = ctx;
	struct score_sheet sheet = {
		.rows = calloc(SCORE_NAMES_MAX, sizeof(*sheet.rows)), .max = SCORE_NAMES_MAX};
	const char *brand = http_query(r, "brand"), *text = http_query(r, "days");
	char *end = NULL;
	long days = text ? strtol(text, &end, 10) : 7;
	struct txn *t = NULL;
	if (!brand || !brand_find(svc_state(s), brand))
		http_reply_error(r, 404, "there is no brand \"%.60s\"", brand ? brand : "");
	else if ((text && (!*text || *end)) || days < 1 || days > SCORE_DAYS)
		http_reply_error(r, 400, "days is to be a whole number from 1 to %d", SCORE_DAYS);
	else if (!sheet.rows || txn_begin_read(svc_store(s), &t, NULL))
		http_reply_error(r, 500, "the store can not be read");
	if (!t) {
		free(sheet.rows);
		return;
	}
	struct arena a;
	struct buf out;
	int64_t now = svc_now_ms(s), from = now - now % DAY_MS - (days - 1) * DAY_MS;
	arena_init(&a, (size_t)64 * 1024 * 1024);
	buf_init(&out, (size_t)1024 * 1024);
	read_days(t, &a, brand, from, &sheet);
	buf_addf(&out, "{\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 ",\"rows\":[", from, now);
	write_rows(&out, &sheet);
	buf_adds(&out, "]}");
	http_reply(r, 200, "application/json", buf_span(&out));
	txn_abort(&t);
	arena_free(&a);
	buf_free(&out);
	free(sheet.rows);
}
