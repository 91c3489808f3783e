#include "services/escalation/playbook/condition.h"
#include "common/pattern.h"
#include "common/suggest.h"

/* From the cheapest to the dearest: the order in which parts are tried. */
enum test { TEST_MASKS, TEST_BOOL, TEST_NUMBER, TEST_WORD, TEST_TIME, TEST_OPEN, TEST_ALL, TEST_ANY, TEST_NOT, TEST_TEXT };

enum { BOOL_VIP, BOOL_INFLUENCER, BOOL_PARTNER, BOOL_INCIDENT_OPEN };

struct condition {
	enum test test;
	struct condition *parts;   /* ALL, ANY, NOT (one) */
	size_t n;                  /* of parts, words or patterns */
	union {
		struct {
			uint32_t intents, flags; /* 0 = no matter */
		} masks;
		struct {
			int fact;
			bool want;
		} yes;
		struct {
			enum fact_number fact;
			int64_t at_least, below;
		} number;
		struct {
			enum fact_word fact;
			char **list;
		} word;
		struct {
			const struct zone *zone;
			uint8_t days;
			int32_t from_s, to_s;
		} time;
		struct {
			const struct calendar *calendar;
			bool want;
		} open;
		struct pattern **patterns;
	};
};

/* ---- the words ---- */

#define SET_MAX 8

/* What a fact may be, where that is known; else any word. */
static const struct {
	const char *key;
	const char *words[SET_MAX];
} word_sets[FACT_WORDS] = {
	[FACT_EXPECTATION] = {"expectations", {"information", "repair", "refund", "apology", "attention", "nothing"}},
	[FACT_EVENT] = {"events", {"renewal", "cancellation", "purchase", "complaint", "praise", "question", "none"}},
	[FACT_SENTIMENT] = {"sentiments", {"negative", "neutral", "positive"}},
	[FACT_LANE] = {"lanes", {"service", "polemic", "none"}},
	[FACT_LANGUAGE] = {"languages", {NULL}},
	[FACT_CHANNEL] = {"channels", {NULL}},
	[FACT_NETWORK] = {"networks", {NULL}},
	[FACT_SURFACE] = {"surfaces", {"public", "semi", "private"}},
	[FACT_CUSTOMER_TYPE] = {"customer_types",
		{"unknown", "prospect", "new", "customer", "complainer", "advocate", "ex"}},
};

static const char *const number_keys[FACT_NUMBERS] = {"reach", "messages", "cases", "open_cases", "rating"};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, PATTERN_MAX)};
static const cyaml_schema_value_t when_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct when, when_fields)};

static const cyaml_schema_field_t number_fields[] = {
	CYAML_FIELD_INT_PTR("at_least", OPTIONAL, struct when_number, at_least),
	CYAML_FIELD_INT_PTR("below", OPTIONAL, struct when_number, below),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t time_fields[] = {
	CYAML_FIELD_SEQUENCE("days", OPTIONAL, struct when_time, days, &word, 1, 7),
	CYAML_FIELD_STRING_PTR("from", OPTIONAL, struct when_time, from, 1, 8),
	CYAML_FIELD_STRING_PTR("to", OPTIONAL, struct when_time, to, 1, 8),
	CYAML_FIELD_END,
};

#define WORDS(key, fact)                                                                                         \
	CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL, struct when, words[fact].list, words[fact].count, &word, 1,    \
		CONDITION_PARTS_MAX)
#define NUMBER(key, fact) CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, struct when, numbers[fact], number_fields)

const cyaml_schema_field_t when_fields[] = {
	CYAML_FIELD_SEQUENCE("all", OPTIONAL, struct when, all, &when_value, 1, CONDITION_PARTS_MAX),
	CYAML_FIELD_SEQUENCE("any", OPTIONAL, struct when, any, &when_value, 1, CONDITION_PARTS_MAX),
	CYAML_FIELD_MAPPING_PTR("not", OPTIONAL, struct when, not_, when_fields),
	CYAML_FIELD_SEQUENCE("intents", OPTIONAL, struct when, intents, &word, 1, CONDITION_PARTS_MAX),
	CYAML_FIELD_SEQUENCE("flags", OPTIONAL, struct when, flags, &word, 1, CONDITION_PARTS_MAX),
	CYAML_FIELD_BOOL_PTR("vip", OPTIONAL, struct when, vip),
	CYAML_FIELD_BOOL_PTR("influencer", OPTIONAL, struct when, influencer),
	CYAML_FIELD_BOOL_PTR("partner", OPTIONAL, struct when, partner),
	CYAML_FIELD_BOOL_PTR("incident_open", OPTIONAL, struct when, incident_open),
	WORDS("expectations", FACT_EXPECTATION),
	WORDS("events", FACT_EVENT),
	WORDS("sentiments", FACT_SENTIMENT),
	WORDS("lanes", FACT_LANE),
	WORDS("languages", FACT_LANGUAGE),
	WORDS("channels", FACT_CHANNEL),
	WORDS("networks", FACT_NETWORK),
	WORDS("surfaces", FACT_SURFACE),
	WORDS("customer_types", FACT_CUSTOMER_TYPE),
	NUMBER("reach", FACT_REACH),
	NUMBER("messages", FACT_MESSAGES),
	NUMBER("cases", FACT_CASES),
	NUMBER("open_cases", FACT_OPEN_CASES),
	NUMBER("rating", FACT_RATING),
	CYAML_FIELD_MAPPING_PTR("time", OPTIONAL, struct when, time, time_fields),
	CYAML_FIELD_STRING_PTR("open", OPTIONAL, struct when, open, 1, 64),
	CYAML_FIELD_STRING_PTR("closed", OPTIONAL, struct when, closed, 1, 64),
	CYAML_FIELD_SEQUENCE("text", OPTIONAL, struct when, text, &word, 1, CONDITION_PARTS_MAX),
	CYAML_FIELD_END,
};

/* ---- making ---- */

/* What is being made, and where in the file it stands. */
struct making {
	const struct condition_world *world;
	char *where;
	size_t size;
	unsigned depth;
	struct err *e;
};

static int wrong(const struct making *m, const char *prefix, const char *key, int entry, int r)
{
	if (entry >= 0)
		snprintf(m->where, m->size, "%s%s[%d]", prefix, key, entry);
	else
		snprintf(m->where, m->size, "%s%s", prefix, key);
	return r;
}

static void clear(struct condition *c)
{
	for (size_t i = 0; c->parts && i < c->n; i++)
		clear(&c->parts[i]);
	for (size_t i = 0; c->test == TEST_TEXT && c->patterns && i < c->n; i++)
		pattern_free(&c->patterns[i]);
	if (c->test == TEST_TEXT)
		free(c->patterns);
	for (size_t i = 0; c->test == TEST_WORD && c->word.list && i < c->n; i++)
		free(c->word.list[i]);
	if (c->test == TEST_WORD)
		free(c->word.list);
	free(c->parts);
}

void condition_free(struct condition **c)
{
	if (!*c)
		return;
	clear(*c);
	free(*c);
	*c = NULL;
}

/* A part more of an ALL. */
static struct condition *add(struct condition *all, enum test test)
{
	struct condition *parts = realloc(all->parts, sizeof(*parts) * (all->n + 1));
	if (!parts)
		return NULL;
	all->parts = parts;
	struct condition *c = &parts[all->n++];
	*c = (struct condition){.test = test};
	return c;
}

static int no_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "out of memory");
}

int when_masks(const struct when *w, uint32_t *ret_intents, uint32_t *ret_flags, char *where, size_t size, struct err *e)
{
	const char *names[INTENTS] = {"unknown"};
	uint32_t intents = 0, flags = 0;
	char words[300];
	for (unsigned i = 1; i < INTENTS; i++)
		names[i] = intent_word((enum intent)i);
	for (unsigned i = 0; i < w->intents_count; i++) {
		enum intent in = intent_of(w->intents[i]);
		snprintf(where, size, "intents[%u]", i);
		if (in == INTENT_UNKNOWN && !str_eq(w->intents[i], "unknown"))
			return err_set(e, -EINVAL, "there is no intent \"%.60s\"%s", w->intents[i],
				suggest(words, sizeof(words), w->intents[i], names, INTENTS, "they are"));
		intents |= BIT(in);
	}
	for (unsigned i = 0; i < FLAGS; i++)
		names[i] = flag_word((enum flag)i);
	for (unsigned i = 0; i < w->flags_count; i++) {
		int f = flag_of(w->flags[i]);
		snprintf(where, size, "flags[%u]", i);
		if (f < 0)
			return err_set(e, -EINVAL, "there is no flag \"%.60s\"%s", w->flags[i],
				suggest(words, sizeof(words), w->flags[i], names, FLAGS, "they are"));
		flags |= BIT(f);
	}
	*ret_intents = intents;
	*ret_flags = flags;
	return 0;
}

static int make_masks(const struct making *m, struct condition *all, const struct when *w, const char *prefix)
{
	char key[32];
	uint32_t intents, flags;
	int r = when_masks(w, &intents, &flags, key, sizeof(key), m->e);
	if (r)
		return wrong(m, prefix, key, -1, r);
	if (!intents && !flags)
		return 0;
	struct condition *c = add(all, TEST_MASKS);
	if (!c)
		return no_memory(m->e);
	c->masks.intents = intents;
	c->masks.flags = flags;
	return 0;
}

static int make_bools(const struct making *m, struct condition *all, const struct when *w)
{
	const bool *values[] = {
		[BOOL_VIP] = w->vip, [BOOL_INFLUENCER] = w->influencer, [BOOL_PARTNER] = w->partner,
		[BOOL_INCIDENT_OPEN] = w->incident_open};
	for (int i = 0; i < (int)ARRAY_SIZE(values); i++) {
		if (!values[i])
			continue;
		struct condition *c = add(all, TEST_BOOL);
		if (!c)
			return no_memory(m->e);
		c->yes.fact = i;
		c->yes.want = *values[i];
	}
	return 0;
}

static int make_numbers(const struct making *m, struct condition *all, const struct when *w, const char *prefix)
{
	for (int i = 0; i < FACT_NUMBERS; i++) {
		const struct when_number *n = w->numbers[i];
		if (!n)
			continue;
		if (!n->at_least && !n->below)
			return wrong(m, prefix, number_keys[i], -1,
				err_set(m->e, -EINVAL, "nothing is asked of it; write at_least, below, or both"));
		if (n->at_least && n->below && *n->at_least >= *n->below)
			return wrong(m, prefix, number_keys[i], -1,
				err_set(m->e, -EINVAL, "no number is at least %" PRId64 " and below %" PRId64, *n->at_least,
					*n->below));
		struct condition *c = add(all, TEST_NUMBER);
		if (!c)
			return no_memory(m->e);
		c->number.fact = (enum fact_number)i;
		c->number.at_least = n->at_least ? *n->at_least : INT64_MIN;
		c->number.below = n->below ? *n->below : INT64_MAX;
	}
	return 0;
}

static int check_word(const struct making *m, int fact, const char *text)
{
	const char *const *known = word_sets[fact].words;
	size_t n = 0;
	char words[300];
	while (n < SET_MAX && known[n])
		if (str_eq(known[n++], text))
			return 0;
	if (n)
		return err_set(m->e, -EINVAL, "\"%.60s\" is not one of its words%s", text,
			suggest(words, sizeof(words), text, (const char **)(uintptr_t)known, n, "they are"));
	if (fact == FACT_LANGUAGE && (strlen(text) != 2 || text[0] < 'a' || text[0] > 'z' || text[1] < 'a' || text[1] > 'z'))
		return err_set(m->e, -EINVAL, "\"%.60s\" is not a language; write two small letters, as it or en", text);
	return 0;
}

static int make_words(const struct making *m, struct condition *all, const struct when *w, const char *prefix)
{
	for (int i = 0; i < FACT_WORDS; i++) {
		const struct when_words *set = &w->words[i];
		struct condition *c = set->count ? add(all, TEST_WORD) : NULL;
		if (!set->count)
			continue;
		if (!c || !(c->word.list = calloc(set->count, sizeof(char *))))
			return no_memory(m->e);
		c->word.fact = (enum fact_word)i;
		for (unsigned k = 0; k < set->count; k++) {
			int r = check_word(m, i, set->list[k]);
			if (r)
				return wrong(m, prefix, word_sets[i].key, (int)k, r);
			if (!(c->word.list[c->n++] = strdup(set->list[k])))
				return no_memory(m->e);
		}
	}
	return 0;
}

static int make_time(const struct making *m, struct condition *all, const struct when *w, const char *prefix)
{
	const struct when_time *t = w->time;
	int16_t from = 0, to = 1440;
	uint8_t days = 0;
	unsigned day;
	if (!t)
		return 0;
	for (unsigned i = 0; i < t->days_count; i++) {
		if (calendar_parse_weekday(t->days[i], &day))
			return wrong(m, prefix, "time.days", (int)i, err_set(m->e, -EINVAL,
				"\"%.60s\" is not a day; write mon, tue, wed, thu, fri, sat or sun", t->days[i]));
		days |= (uint8_t)(1u << day);
	}
	if (t->from && calendar_parse_time(t->from, &from))
		return wrong(m, prefix, "time.from", -1,
			err_set(m->e, -EINVAL, "\"%.60s\" is not a time; write hours and minutes as \"09:30\"", t->from));
	if (t->to && calendar_parse_time(t->to, &to))
		return wrong(m, prefix, "time.to", -1,
			err_set(m->e, -EINVAL, "\"%.60s\" is not a time; write hours and minutes as \"18:00\"", t->to));
	if (from == to)
		return wrong(m, prefix, "time", -1, err_set(m->e, -EINVAL, "it begins and ends at the same time"));
	struct condition *c = add(all, TEST_TIME);
	if (!c)
		return no_memory(m->e);
	c->time.zone = m->world->zone;
	c->time.days = days ? days : CALENDAR_ALL_WEEK;
	c->time.from_s = from * 60;
	c->time.to_s = to * 60;
	return 0;
}

static int make_open(const struct making *m, struct condition *all, const char *name, bool want, const char *prefix)
{
	bool known = false;
	if (!name)
		return 0;
	const struct calendar *calendar = m->world->calendar ? m->world->calendar(m->world->ctx, name, &known) : NULL;
	if (!known)
		return wrong(m, prefix, want ? "open" : "closed", -1,
			err_set(m->e, -EINVAL, "there is no calendar \"%.60s\"; name one of calendars", name));
	struct condition *c = add(all, TEST_OPEN);
	if (!c)
		return no_memory(m->e);
	c->open.calendar = calendar;
	c->open.want = want;
	return 0;
}

static int make_text(const struct making *m, struct condition *all, const struct when *w, const char *prefix)
{
	struct condition *c = w->text_count ? add(all, TEST_TEXT) : all;
	if (c == all)
		return 0;
	if (!c || !(c->patterns = calloc(w->text_count, sizeof(*c->patterns))))
		return no_memory(m->e);
	for (unsigned i = 0; i < w->text_count; i++, c->n++) {
		int r = pattern_new(&c->patterns[i], w->text[i], m->e);
		if (r)
			return wrong(m, prefix, "text", (int)i, r);
	}
	return 0;
}

static int make(const struct making *m, struct condition *ret, const struct when *w, const char *prefix);

/* `all`, `any` and `not`: each row is a condition of its own. */
static int make_group(const struct making *m, struct condition *all, enum test test, const struct when *rows, unsigned n,
	const char *prefix, const char *key)
{
	char below[200];
	int r = 0;
	if (!n)
		return 0;
	if (m->depth >= CONDITION_DEPTH_MAX)
		return wrong(m, prefix, key, -1, err_set(m->e, -EINVAL, "conditions are nested more than %d deep",
			CONDITION_DEPTH_MAX));
	struct condition *group = add(all, test);
	if (!group || !(group->parts = calloc(n, sizeof(*group->parts))))
		return no_memory(m->e);
	struct making deeper = *m;
	deeper.depth++;
	for (unsigned i = 0; i < n && !r; i++) {
		if (test == TEST_NOT)
			snprintf(below, sizeof(below), "%s%s.", prefix, key);
		else
			snprintf(below, sizeof(below), "%s%s[%u].", prefix, key, i);
		r = make(&deeper, &group->parts[group->n++], &rows[i], below);
	}
	return r;
}

static int by_cost(const void *a, const void *b)
{
	return (int)((const struct condition *)a)->test - (int)((const struct condition *)b)->test;
}

static int make(const struct making *m, struct condition *ret, const struct when *w, const char *prefix)
{
	*ret = (struct condition){.test = TEST_ALL};
	int r = make_masks(m, ret, w, prefix);
	r = r ? r : make_bools(m, ret, w);
	r = r ? r : make_numbers(m, ret, w, prefix);
	r = r ? r : make_words(m, ret, w, prefix);
	r = r ? r : make_time(m, ret, w, prefix);
	r = r ? r : make_open(m, ret, w->open, true, prefix);
	r = r ? r : make_open(m, ret, w->closed, false, prefix);
	r = r ? r : make_text(m, ret, w, prefix);
	r = r ? r : make_group(m, ret, TEST_ALL, w->all, w->all_count, prefix, "all");
	r = r ? r : make_group(m, ret, TEST_ANY, w->any, w->any_count, prefix, "any");
	r = r ? r : make_group(m, ret, TEST_NOT, w->not_, w->not_ != NULL, prefix, "not");
	if (!r && m->depth && !ret->n) {
		size_t n = strlen(prefix);
		wrong(m, "", prefix, -1, 0);
		if (n && n < m->size)
			m->where[n - 1] = 0; /* the dot */
		return err_set(m->e, -EINVAL, "this condition asks for nothing; give it a key, or leave it out");
	}
	if (!r && ret->n)
		qsort(ret->parts, ret->n, sizeof(*ret->parts), by_cost);
	return r;
}

int condition_new(struct condition **ret, const struct when *w, const struct condition_world *world, char *where, size_t size,
	struct err *e)
{
	const struct making m = {.world = world, .where = where, .size = size, .e = e};
	struct condition *c = calloc(1, sizeof(*c));
	where[0] = 0;
	if (!c)
		return no_memory(e);
	int r = make(&m, c, w, "");
	if (r || !c->n)
		condition_free(&c);
	if (!r)
		*ret = c;
	return r;
}

/* ---- asking ---- */

static bool is_yes(const struct facts *f, int fact)
{
	switch (fact) {
	case BOOL_VIP:
		return f->vip;
	case BOOL_INFLUENCER:
		return f->influencer;
	case BOOL_PARTNER:
		return f->partner;
	default:
		return f->incident_open;
	}
}

/* A window past midnight belongs to the day it begins. */
static bool in_window(const struct condition *c, int64_t at_ms)
{
	struct zone_time t = zone_local(c->time.zone, at_ms);
	unsigned today = 1u << t.weekday, yesterday = 1u << ((t.weekday + 6) % 7);
	if (c->time.from_s < c->time.to_s)
		return c->time.days & today && t.second >= c->time.from_s && t.second < c->time.to_s;
	return (c->time.days & today && t.second >= c->time.from_s) || (c->time.days & yesterday && t.second < c->time.to_s);
}

static bool has_word(const struct condition *c, const char *value)
{
	for (size_t i = 0; i < c->n && !str_empty(value); i++)
		if (strcmp(c->word.list[i], value) == 0)
			return true;
	return false;
}

static bool text_matches(const struct condition *c, const struct facts *f)
{
	for (size_t i = 0; i < c->n; i++)
		if (pattern_matches(c->patterns[i], span_str(f->text), NULL) ||
			(!str_empty(f->subject) && pattern_matches(c->patterns[i], span_str(f->subject), NULL)))
			return true;
	return false;
}

/* As deep as CONDITION_DEPTH_MAX. */
bool condition_holds(const struct condition *c, const struct facts *f)
{
	switch (c->test) {
	case TEST_MASKS:
		return (!c->masks.intents || c->masks.intents & BIT(f->intent)) &&
		       (!c->masks.flags || c->masks.flags & f->flags);
	case TEST_BOOL:
		return is_yes(f, c->yes.fact) == c->yes.want;
	case TEST_NUMBER:
		return f->numbers[c->number.fact] >= c->number.at_least && f->numbers[c->number.fact] < c->number.below;
	case TEST_WORD:
		return has_word(c, f->words[c->word.fact]);
	case TEST_TIME:
		return in_window(c, f->at_ms);
	case TEST_OPEN:
		return calendar_is_open(c->open.calendar, f->at_ms) == c->open.want;
	case TEST_TEXT:
		return text_matches(c, f);
	case TEST_NOT:
		return !condition_holds(&c->parts[0], f);
	case TEST_ANY:
		for (size_t i = 0; i < c->n; i++)
			if (condition_holds(&c->parts[i], f))
				return true;
		return false;
	default:
		for (size_t i = 0; i < c->n; i++)
			if (!condition_holds(&c->parts[i], f))
				return false;
		return true;
	}
}

/* ---- explaining ---- */

static const char *const bool_keys[] = {"vip", "influencer", "partner", "incident_open"};

static void explain_masks(const struct condition *c, const struct facts *f, condition_fact_fn *fn, void *ctx)
{
	if (c->masks.intents)
		fn(ctx, "intent", f->intent ? intent_word(f->intent) : "unknown");
	for (int i = 0; i < FLAGS; i++)
		if (c->masks.flags & f->flags & BIT(i))
			fn(ctx, "flag", flag_word((enum flag)i));
}

static void explain_leaf(const struct condition *c, const struct facts *f, condition_fact_fn *fn, void *ctx)
{
	char text[64];
	struct zone_time t;
	switch (c->test) {
	case TEST_MASKS:
		explain_masks(c, f, fn, ctx);
		break;
	case TEST_BOOL:
		fn(ctx, bool_keys[c->yes.fact], is_yes(f, c->yes.fact) ? "yes" : "no");
		break;
	case TEST_NUMBER:
		snprintf(text, sizeof(text), "%" PRId64, f->numbers[c->number.fact]);
		fn(ctx, number_keys[c->number.fact], text);
		break;
	case TEST_WORD:
		fn(ctx, word_sets[c->word.fact].key, f->words[c->word.fact] ? f->words[c->word.fact] : "");
		break;
	case TEST_TIME:
		t = zone_local(c->time.zone, f->at_ms);
		snprintf(text, sizeof(text), "%s %02d:%02d", calendar_weekdays[t.weekday], t.second / 3600, t.second / 60 % 60);
		fn(ctx, "time", text);
		break;
	case TEST_OPEN:
		fn(ctx, "hours", calendar_is_open(c->open.calendar, f->at_ms) ? "open" : "closed");
		break;
	default:
		fn(ctx, "text", text_matches(c, f) ? "matches" : "does not match");
	}
}

void condition_explain(const struct condition *c, const struct facts *f, condition_fact_fn *fn, void *ctx)
{
	bool group = c->test == TEST_ALL || c->test == TEST_ANY || c->test == TEST_NOT;
	if (!group)
		explain_leaf(c, f, fn, ctx);
	for (size_t i = 0; group && i < c->n; i++) {
		if (c->test == TEST_ANY && !condition_holds(&c->parts[i], f))
			continue;
		condition_explain(&c->parts[i], f, fn, ctx);
		if (c->test == TEST_ANY)
			return;
	}
}
