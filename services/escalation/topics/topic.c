#include "services/escalation/topics/topic.h"
#include "services/escalation/topics/copies.h"
#include "services/escalation/topics/topic_index.h"

#include <math.h>
#include <xxhash.h>

#define DAY_MS 86400000
#define HOUR_MS 3600000
#define NORMAL_FLOATS (sizeof(struct normal) * NORMAL_WINDOWS / sizeof(float)) /* nothing but floats is in it */
#define BUSY_SLACK 10     /* people per hour: a brand of few is not busy because there are two more */
#define BUSY_MOST 50.0
#define INCIDENTS_MAX 32     /* open at once, as far as a crowd is looked for in them */
#define STANDING_WORDS_OF 64 /* messages after which the words of a topic that never ends are half forgotten */
#include "common/signature.h"

/* The rhythm over the windows that end at one moment. */
#define BEATS 64
struct beat {
	int64_t end_ms; /* -1: none yet */
	double rhythm[NORMAL_WINDOWS];
};

struct topics {
	struct topic *live[TOPICS_LIVE_MAX]; /* by slot; NULL where there is none */
	int64_t last_ms[TOPICS_LIVE_MAX];    /* the same as each topic's, side by side for a quick look */
	uint32_t vacant[TOPICS_LIVE_MAX], n_vacant;
	struct topic *by_id[TOPICS_LIVE_MAX]; /* the first `sorted`; 0: not up to date */
	size_t sorted;
	uint32_t slots;                      /* ever used */
	size_t count;
	struct topic_index *index;
	struct topic *standing[TOPICS_STANDING];
	uint64_t brand; /* of its name */
	int64_t step_ms, sample_ms;
	unsigned samples_per_day;
	struct rhythm rhythm;
	struct beat beats[BEATS];
	struct crowd all;            /* messages to the brand, whoever wrote them */
	int64_t newest_ms, heard_ms; /* of the newest message: its own time, and the clock when it was heard */
	struct copies copies;
};

static void forget_beats(struct topics *ts)
{
	for (unsigned i = 0; i < BEATS; i++)
		ts->beats[i].end_ms = -1;
}

int topics_new(struct topics **ret, int64_t window_ms, const char *brand)
{
	struct topics *t = calloc(1, sizeof(*t));
	if (!t || topic_index_new(&t->index, t->live, TOPICS_LIVE_MAX)) {
		free(t);
		return -ENOMEM;
	}
	t->brand = XXH3_64bits(brand, strlen(brand));
	t->step_ms = MAX(window_ms / normal_steps[1], 1000);
	t->sample_ms = t->step_ms * normal_steps[1] / NORMAL_SAMPLES_PER_WINDOW;
	t->samples_per_day = (unsigned)(DAY_MS / t->sample_ms);
	forget_beats(t);
	*ret = t;
	return 0;
}

static void free_topic(struct topic *t)
{
	crowd_free(&t->crowd);
	free(t);
}

void topics_free(struct topics **tp)
{
	struct topics *t = *tp;
	if (!t)
		return;
	for (uint32_t i = 0; i < t->slots; i++)
		if (t->live[i])
			free_topic(t->live[i]);
	topic_index_free(&t->index);
	free(t);
	*tp = NULL;
}

size_t topics_count(const struct topics *t)
{
	return t->count;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(&(*(struct topic *const *)a)->id, &(*(struct topic *const *)b)->id, sizeof(struct id));
}

struct topic *topics_find(struct topics *ts, const struct id *id)
{
	const struct topic wanted = {.id = *id}, *key = &wanted;
	if (!ts->sorted) {
		for (uint32_t i = 0; i < ts->slots; i++)
			if (ts->live[i])
				ts->by_id[ts->sorted++] = ts->live[i];
		qsort(ts->by_id, ts->sorted, sizeof(ts->by_id[0]), by_id);
	}
	struct topic **found = bsearch(&key, ts->by_id, ts->sorted, sizeof(ts->by_id[0]), by_id);
	return found ? *found : NULL;
}

struct topic *topics_of_incident(struct topics *ts, const struct id *incident)
{
	for (uint32_t i = 0; i < ts->slots; i++)
		if (ts->live[i] && id_eq(&ts->live[i]->incident, incident))
			return ts->live[i];
	return NULL;
}

/* ---- nearness ---- */

struct topic *topics_match(struct topics *ts, const Ascolto__Signature *s, double *ret_similarity)
{
	struct topic_query q = {s->terms, s->weights, MIN(s->n_terms, s->n_weights), TOPIC_JOIN, NULL, NULL};
	return topic_index_nearest(ts->index, &q, ret_similarity);
}

bool topics_knows_copy(const struct topics *t, const Ascolto__Signature *s, uint64_t *ret_who)
{
	int at = copies_find(&t->copies, s);
	*ret_who = at < 0 ? 0 : t->copies.who[at];
	return at >= 0;
}

uint64_t topics_remember_copy(struct topics *t, const Ascolto__Signature *s, uint64_t who)
{
	return s->copy ? copies_add(&t->copies, s, who) : 0;
}

void topics_restore_copy(struct topics *t, const State__Copy *row)
{
	copies_restore(&t->copies, row);
}

/* ---- members ---- */

struct topic *topics_stalest(struct topics *ts)
{
	struct topic *worst = NULL, *spared = NULL;
	if (ts->count < TOPICS_LIVE_MAX)
		return NULL;
	for (uint32_t i = 0; i < ts->slots; i++) {
		if (worst && ts->last_ms[i] >= worst->last_ms)
			continue;
		if (ts->live[i]->standing)
			continue;
		if (id_is_zero(&ts->live[i]->incident))
			worst = ts->live[i];
		else if (!spared || ts->last_ms[i] < spared->last_ms)
			spared = ts->live[i];
	}
	return worst ? worst : spared;
}

static void set_times(struct topic *t, int64_t first_ms, int64_t last_ms)
{
	t->first_ms = first_ms;
	t->last_ms = t->in->last_ms[t->slot] = last_ms;
}

void topics_drop(struct topics *ts, struct topic **tp)
{
	struct topic *t = *tp;
	for (size_t i = 0; i < t->n_terms; i++)
		topic_index_remove(ts->index, t, i);
	ts->live[t->slot] = NULL;
	ts->vacant[ts->n_vacant++] = t->slot;
	ts->count--;
	ts->sorted = 0;
	free_topic(t);
	*tp = NULL;
}

struct topic *topics_found(struct topics *ts, const struct id *id, int64_t at_ms)
{
	struct topic *t = topics_stalest(ts);
	if (t)
		topics_drop(ts, &t);
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->in = ts;
	t->id = *id;
	t->crowd.newest = at_ms / ts->step_ms;
	normals_begin(&t->normals, at_ms / ts->sample_ms, ts->samples_per_day);
	t->slot = ts->n_vacant ? ts->vacant[--ts->n_vacant] : ts->slots++;
	ts->live[t->slot] = t;
	ts->count++;
	ts->sorted = 0;
	set_times(t, at_ms, at_ms);
	return t;
}

static struct id standing_id(const struct topics *ts, unsigned number)
{
	uint64_t n = number < TOPICS_DANGERS ? number : 0xff; /* there may be more dangers one day */
	uint64_t of_brand[] = {ts->brand, n};
	return id_from(0, span_of(of_brand, sizeof(of_brand)));
}

static void set_standing(struct topics *ts, struct topic *t, unsigned number)
{
	t->standing = true;
	t->grave = number < TOPICS_DANGERS;
	ts->standing[number] = t;
}

struct topic *topics_standing(struct topics *ts, unsigned number, int64_t at_ms, bool *ret_fresh)
{
	struct id id = standing_id(ts, number);
	struct topic *t = ts->standing[number];
	*ret_fresh = !t;
	if (!t && (t = topics_found(ts, &id, at_ms)))
		set_standing(ts, t, number);
	return t;
}

static void set_norm(struct topic *t)
{
	double sum = 0;
	for (size_t i = 0; i < t->n_terms; i++)
		sum += (double)t->weights[i] * (double)t->weights[i];
	t->norm = (float)sqrt(sum);
	topic_index_length(t->in->index, t);
}

static void take_out(struct topic *t, size_t i)
{
	size_t after = t->n_terms - i - 1;
	topic_index_remove(t->in->index, t, i);
	memmove(&t->terms[i], &t->terms[i + 1], after * sizeof(t->terms[0]));
	memmove(&t->weights[i], &t->weights[i + 1], after * sizeof(t->weights[0]));
	memmove(&t->places[i], &t->places[i + 1], after * sizeof(t->places[0]));
	t->n_terms--;
}

static void put_in(struct topic *t, size_t i, uint32_t term, float weight)
{
	size_t after = t->n_terms - i;
	memmove(&t->terms[i + 1], &t->terms[i], after * sizeof(t->terms[0]));
	memmove(&t->weights[i + 1], &t->weights[i], after * sizeof(t->weights[0]));
	memmove(&t->places[i + 1], &t->places[i], after * sizeof(t->places[0]));
	t->terms[i] = term;
	t->weights[i] = weight;
	t->n_terms++;
	topic_index_add(t->in->index, t, i);
}

/* Merges the signature into the sorted terms; when there are too many the lightest goes. */
static void add_term(struct topic *t, uint32_t term, float weight)
{
	size_t at = 0;
	while (at < t->n_terms && t->terms[at] < term)
		at++;
	if (at < t->n_terms && t->terms[at] == term) {
		t->weights[at] += weight;
		topic_index_weigh(t->in->index, t, at);
		return;
	}
	if (t->n_terms == TOPIC_TERMS) {
		size_t light = 0;
		for (size_t i = 1; i < t->n_terms; i++)
			if (t->weights[i] < t->weights[light])
				light = i;
		if (t->weights[light] > weight)
			return;
		take_out(t, light);
		at -= at > light;
	}
	put_in(t, at, term, weight);
}

/* Keeps the most frequent words of the members (Misra-Gries: a full table forgets one of each before it takes a new one). */
static void add_keyword(struct topic *t, const char *word)
{
	size_t free_at = TOPIC_KEYWORDS;
	if (strlen(word) >= sizeof(t->keywords[0]))
		return;
	for (size_t i = 0; i < TOPIC_KEYWORDS; i++) {
		if (t->keyword_counts[i] && str_eq(t->keywords[i], word)) {
			t->keyword_counts[i]++;
			return;
		}
		if (!t->keyword_counts[i])
			free_at = i;
	}
	if (free_at == TOPIC_KEYWORDS) {
		for (size_t i = 0; i < TOPIC_KEYWORDS; i++)
			t->keyword_counts[i]--;
		return;
	}
	snprintf(t->keywords[free_at], sizeof(t->keywords[0]), "%s", word);
	t->keyword_counts[free_at] = 1;
}

void topic_join(struct topic *t, const Ascolto__Signature *s, char *const *keywords, size_t n_keywords,
	const struct id *message, int64_t at_ms)
{
	for (size_t i = 0; i < s->n_terms && i < s->n_weights; i++)
		add_term(t, s->terms[i], s->weights[i]);
	set_norm(t);
	for (size_t i = 0; t->standing && t->messages % STANDING_WORDS_OF == 0 && i < TOPIC_KEYWORDS; i++)
		t->keyword_counts[i] /= 2;
	for (size_t i = 0; i < n_keywords; i++)
		add_keyword(t, keywords[i]);
	if (t->n_examples < TOPIC_EXAMPLES)
		t->examples[t->n_examples++] = *message;
	t->messages++;
	set_times(t, MIN(t->first_ms, at_ms), MAX(t->last_ms, at_ms));
}

static void set_headline(struct topic *t, const char *text)
{
	size_t len = strlen(text), n = MIN(len, (size_t)TOPIC_HEADLINE);
	while (n < len && n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
		n--;
	snprintf(t->headline, sizeof(t->headline), "%.*s%s", (int)n, text, n < len ? "…" : "");
}

void topic_quote(struct topic *t, const char *text)
{
	set_headline(t, text);
}

/* How much of what the topic is about the text speaks of: the part of the centre's weight that its terms have. Nearness
 * would favour the shortest text that has but the one word everybody uses. */
static float coverage(const struct topic *t, const Ascolto__Signature *s)
{
	float all = 0, said = 0;
	for (size_t i = 0, k = 0; i < t->n_terms; i++) {
		all += t->weights[i];
		while (k < s->n_terms && s->terms[k] < t->terms[i])
			k++;
		said += k < s->n_terms && s->terms[k] == t->terms[i] ? t->weights[i] : 0;
	}
	return all > 0 ? said / all : 0;
}

void topic_offer_headline(struct topic *t, const Ascolto__Signature *s, const char *text)
{
	size_t len = strlen(text);
	float covers = coverage(t, s);
	/* The centre moves: what spoke of it a while ago may do so no longer. */
	t->headline_coverage *= 0.97f;
	/* One that fits is better than the beginning of one that does not: that may be but its greeting. */
	if (len > TOPIC_HEADLINE)
		covers /= 2;
	if (len < TOPIC_HEADLINE / 4 || len > TOPIC_HEADLINE * 2 || covers <= t->headline_coverage)
		return;
	set_headline(t, text);
	t->headline_coverage = covers;
}

static bool may_be_twin(const struct topic *x, const void *ctx)
{
	const struct topic *t = ctx;
	return x != t && x->messages >= TOPIC_MERGE_MESSAGES && (id_is_zero(&x->incident) || id_is_zero(&t->incident));
}

struct topic *topics_twin(struct topics *ts, const struct topic *t)
{
	float weights[TOPIC_TERMS];
	double nearness;
	if (t->messages < TOPIC_MERGE_MESSAGES || !(t->norm > 0))
		return NULL;
	for (size_t i = 0; i < t->n_terms; i++)
		weights[i] = t->weights[i] / t->norm;
	struct topic_query q = {t->terms, weights, t->n_terms, TOPIC_MERGE, may_be_twin, t};
	return topic_index_nearest(ts->index, &q, &nearness);
}

bool topics_merge(struct topics *ts, struct topic *into, struct topic **from)
{
	struct topic *t = *from;
	for (size_t i = 0; i < t->crowd.cap; i++)
		if (t->crowd.people[i].who &&
			!topic_count_person(ts, into, t->crowd.people[i].who, t->crowd.people[i].last_ms))
			return false;
	normals_join(&into->normals, &t->normals);
	for (size_t i = 0; i < t->n_terms; i++)
		add_term(into, t->terms[i], t->weights[i]);
	set_norm(into);
	for (size_t i = 0; i < TOPIC_KEYWORDS; i++)
		for (uint32_t n = 0; n < t->keyword_counts[i]; n++)
			add_keyword(into, t->keywords[i]);
	for (size_t i = 0; i < t->n_examples && into->n_examples < TOPIC_EXAMPLES; i++)
		into->examples[into->n_examples++] = t->examples[i];
	if (t->headline_coverage > into->headline_coverage && !into->headline[0])
		memcpy(into->headline, t->headline, sizeof(into->headline));
	into->messages += t->messages;
	set_times(into, MIN(into->first_ms, t->first_ms), MAX(into->last_ms, t->last_ms));
	if (id_is_zero(&into->incident))
		into->incident = t->incident;
	topics_drop(ts, from);
	return true;
}

/* ---- people ---- */

static double window_ms(const struct topics *ts, unsigned window)
{
	return (double)(ts->step_ms * normal_steps[window]);
}

/* Over each window that ends then. Many topics ask about the same few moments. */
static const double *rhythm_until(struct topics *ts, int64_t end_ms)
{
	struct beat *b = &ts->beats[end_ms / ts->step_ms % BEATS];
	if (b->end_ms != end_ms) {
		b->end_ms = end_ms;
		for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
			b->rhythm[i] = rhythm_over(&ts->rhythm, end_ms, ts->step_ms * normal_steps[i]);
	}
	return b->rhythm;
}

/* Samples of the time that is over, up to the one `at_ms` is in. */
static void learn(struct topics *ts, struct topic *t, int64_t at_ms)
{
	int64_t now = at_ms / ts->sample_ms, steps = ts->sample_ms / ts->step_ms;
	while (t->normals.next < now) {
		int64_t sample_end = (t->normals.next + 1) * steps - 1;
		unsigned people[NORMAL_WINDOWS];
		const double *rhythm = rhythm_until(ts, (t->normals.next + 1) * ts->sample_ms);
		crowd_pass(&t->crowd, sample_end);
		for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
			people[i] = crowd_count(&t->crowd, normal_steps[i]);
		if (people[NORMAL_WINDOWS - 1])
			normals_learn(&t->normals, people, rhythm, ts->samples_per_day);
		else
			normals_learn_silence(&t->normals, (uint64_t)(now - t->normals.next), rhythm, ts->samples_per_day);
	}
}

void topic_pass(struct topics *ts, struct topic *t, int64_t at_ms)
{
	learn(ts, t, at_ms);
	crowd_pass(&t->crowd, at_ms / ts->step_ms);
	crowd_pass(&ts->all, at_ms / ts->step_ms);
}

bool topic_count_person(struct topics *ts, struct topic *t, uint64_t who, int64_t at_ms)
{
	learn(ts, t, at_ms);
	return crowd_add(&t->crowd, who, at_ms, ts->step_ms);
}

unsigned topic_people(const struct topics *ts, const struct topic *t)
{
	(void)ts;
	return crowd_count(&t->crowd, normal_steps[1]);
}

/* The others that have an incident. */
static size_t with_incident(
	const struct topics *ts, const struct topic *but, const struct topic *ret[INCIDENTS_MAX])
{
	size_t n = 0;
	for (uint32_t i = 0; i < ts->slots && n < INCIDENTS_MAX; i++)
		if (ts->live[i] && ts->live[i] != but && !id_is_zero(&ts->live[i]->incident))
			ret[n++] = ts->live[i];
	return n;
}

double topics_known_part(const struct topics *ts, const struct topic *t, unsigned window)
{
	const struct topic *others[INCIDENTS_MAX];
	size_t n = with_incident(ts, t, others);
	unsigned people = 0, known = 0;
	int64_t from = t->crowd.newest - normal_steps[window];
	for (size_t i = 0; i < t->crowd.cap; i++) {
		const struct person *p = &t->crowd.people[i];
		if (!p->who || p->last_ms / ts->step_ms <= from)
			continue;
		people++;
		size_t k = 0;
		while (k < n && !crowd_has(&others[k]->crowd, p->who, ts->step_ms))
			k++;
		known += k < n;
	}
	return people ? (double)known / people : 0;
}

/* People per hour who write to the brand about something else, in that window. */
static double others_now(const struct topics *ts, unsigned topics_people, unsigned window)
{
	double others = (double)crowd_count(&ts->all, normal_steps[window]) - topics_people;
	return fmax(others, 0) * HOUR_MS / window_ms(ts, window);
}

/* How much busier than at this hour the brand is, all but this topic; less busy does not count. */
static double busy(const struct topics *ts, const struct topic *t, double others, double rhythm, unsigned window)
{
	double usual = (double)ts->rhythm.mean * rhythm -
		       normal_expected(&t->normals, window, rhythm) * HOUR_MS / window_ms(ts, window);
	return fmin(fmax((others + BUSY_SLACK) / (fmax(usual, 0) + BUSY_SLACK), 1), BUSY_MOST);
}

struct surge topic_surge(struct topics *ts, const struct topic *t)
{
	enum { LONGEST = NORMAL_WINDOWS - 1 };
	struct surge s = {.grave = t->grave};
	const double *rhythm = rhythm_until(ts, (t->crowd.newest + 1) * ts->step_ms);
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++)
		s.people[i] = crowd_count(&t->crowd, normal_steps[i]);
	double size = rhythm_size(&ts->rhythm), in_hour = others_now(ts, s.people[1], 1),
	       lately = others_now(ts, s.people[LONGEST], LONGEST), now = fmax(in_hour, lately);
	double unknown = now > SURGE_BRAND ? now : 0; /* a brand nobody knows yet is not small */
	s.usual = size > 0 ? size : unknown;
	s.brand = size > 0 ? fmax(size, now) : unknown;
	double hour = busy(ts, t, in_hour, rhythm[1], 1); /* the shortest window is too short to tell */
	double long_while = busy(ts, t, lately, rhythm[LONGEST], LONGEST);
	for (unsigned i = 0; i < NORMAL_WINDOWS; i++) {
		double here = rhythm[i] * (i == LONGEST ? long_while : hour);
		s.expected[i] = normal_expected(&t->normals, i, here);
		s.unlikely[i] = normal_unlikely(&t->normals, i, here, s.people[i]);
	}
	return s;
}

bool topic_is_known(const struct topics *ts, const struct topic *t)
{
	return t->normals.own >= ts->samples_per_day && rhythm_size(&ts->rhythm) > 0;
}

bool topics_rising(struct topics *ts, const struct thresholds *t)
{
	for (uint32_t i = 0; i < ts->slots; i++) {
		const struct topic *x = ts->live[i];
		if (!x || x->standing || ts->newest_ms - ts->last_ms[i] > ts->step_ms * normal_steps[1])
			continue;
		struct surge s = topic_surge(ts, x);
		if (surge_is_near(t, &s))
			return true;
	}
	return false;
}

bool topics_hear(struct topics *ts, int64_t at_ms, int64_t now_ms)
{
	if (at_ms >= ts->newest_ms) {
		ts->newest_ms = at_ms;
		ts->heard_ms = now_ms;
	}
	crowd_add_nameless(&ts->all, at_ms, ts->step_ms);
	bool hour_is_over = rhythm_hear(&ts->rhythm, at_ms);
	if (hour_is_over)
		forget_beats(ts);
	return hour_is_over;
}

int64_t topics_now(struct topics *ts, int64_t now_ms)
{
	if (!ts->heard_ms)
		ts->heard_ms = now_ms;
	return ts->newest_ms + MAX(now_ms - ts->heard_ms, 0);
}

struct rhythm *topics_rhythm(struct topics *ts)
{
	forget_beats(ts);
	return &ts->rhythm;
}

int64_t topics_step_ms(const struct topics *ts)
{
	return ts->step_ms;
}

int64_t topics_crowds_begin_ms(const struct topics *ts)
{
	return MAX(ts->newest_ms - ts->step_ms * CROWD_STEPS, 0);
}

/* ---- rows ---- */

static void pack_normals(const struct normals *n, struct arena *a, State__Topic *ret)
{
	ret->normals = arena_alloc(a, sizeof(*n->of) * NORMAL_WINDOWS);
	if (!ret->normals)
		return;
	memcpy(ret->normals, n->of, sizeof(n->of));
	ret->n_normals = NORMAL_FLOATS;
	ret->normals_seen = n->seen;
	ret->normals_own = n->own;
	ret->normals_next = n->next;
}

static void restore_normals(struct normals *n, const State__Topic *row)
{
	if (row->n_normals != NORMAL_FLOATS)
		return;
	memcpy(n->of, row->normals, sizeof(n->of));
	n->seen = row->normals_seen;
	n->own = row->normals_own;
	n->next = row->normals_next;
}

void topic_pack(const struct topic *t, struct arena *a, State__Topic *ret)
{
	*ret = (State__Topic)STATE__TOPIC__INIT;
	ret->id = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)t->id.b};
	ret->first_ms = t->first_ms;
	ret->last_ms = t->last_ms;
	ret->n_terms = ret->n_weights = t->n_terms;
	ret->terms = (uint32_t *)(uintptr_t)t->terms;
	ret->weights = (float *)(uintptr_t)t->weights;
	ret->messages = t->messages;
	if (!id_is_zero(&t->incident))
		ret->incident_id = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)t->incident.b};
	pack_normals(&t->normals, a, ret);
	ret->headline = (char *)(uintptr_t)t->headline;
	ret->headline_coverage = t->headline_coverage;
	ret->keywords = arena_zalloc(a, sizeof(char *) * TOPIC_KEYWORDS);
	ret->keyword_counts = arena_zalloc(a, sizeof(uint32_t) * TOPIC_KEYWORDS);
	for (size_t i = 0; ret->keywords && ret->keyword_counts && i < TOPIC_KEYWORDS; i++) {
		if (!t->keyword_counts[i])
			continue;
		ret->keywords[ret->n_keywords++] = (char *)(uintptr_t)t->keywords[i];
		ret->keyword_counts[ret->n_keyword_counts++] = t->keyword_counts[i];
	}
	ret->examples = arena_zalloc(a, sizeof(ProtobufCBinaryData) * TOPIC_EXAMPLES);
	for (size_t i = 0; ret->examples && i < t->n_examples; i++)
		ret->examples[ret->n_examples++] =
			(ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)t->examples[i].b};
}

struct topic *topics_restore(struct topics *ts, const State__Topic *row)
{
	struct id id;
	struct topic *t;
	if (id_from_bytes(row->id.data, row->id.len, &id) || !(t = topics_found(ts, &id, row->first_ms)))
		return NULL;
	set_times(t, row->first_ms, row->last_ms);
	ts->newest_ms = MAX(ts->newest_ms, row->last_ms);
	t->messages = row->messages;
	for (unsigned n = 0; n < TOPICS_STANDING; n++) {
		struct id standing = standing_id(ts, n);
		if (id_eq(&id, &standing))
			set_standing(ts, t, n);
	}
	restore_normals(&t->normals, row);
	crowd_pass(&t->crowd, row->last_ms / ts->step_ms);
	snprintf(t->headline, sizeof(t->headline), "%s", row->headline);
	t->headline_coverage = row->headline_coverage;
	id_from_bytes(row->incident_id.data, row->incident_id.len, &t->incident);
	for (size_t i = 0; i < row->n_terms && i < row->n_weights; i++)
		add_term(t, row->terms[i], row->weights[i]);
	set_norm(t);
	for (size_t i = 0; i < row->n_keywords && i < row->n_keyword_counts && i < TOPIC_KEYWORDS; i++) {
		snprintf(t->keywords[i], sizeof(t->keywords[0]), "%s", row->keywords[i]);
		t->keyword_counts[i] = row->keyword_counts[i];
	}
	for (size_t i = 0; i < row->n_examples && i < TOPIC_EXAMPLES; i++)
		if (id_from_bytes(row->examples[i].data, row->examples[i].len, &t->examples[i]) == 0)
			t->n_examples = i + 1;
	return t;
}

void topic_restore_person(struct topics *ts, struct topic *t, uint64_t who, int64_t last_ms)
{
	crowd_add(&t->crowd, who, last_ms, ts->step_ms);
}
