/* Topics: what is one matter is one topic, people count once, and what is kept makes the same topic again. */
#include "tests/unit/check.h"

#include "services/escalation/topics/copies.h"
#include "services/escalation/topics/topic.h"
#include "services/escalation/topics/topic_index.h"

#include "common/signature.h"
#include <math.h>

#define MINUTE ((int64_t)60000)
#define WINDOW (60 * MINUTE)
#define T0 ((int64_t)1763757000000)

/* A signature of unit length with the given terms, all of one weight. */
struct sig {
	Ascolto__Signature s;
	uint32_t terms[16];
	float weights[16];
};

static const Ascolto__Signature *sig_of(struct sig *x, size_t n, const uint32_t *terms)
{
	x->s = (Ascolto__Signature)ASCOLTO__SIGNATURE__INIT;
	for (size_t i = 0; i < n; i++) {
		x->terms[i] = terms[i];
		x->weights[i] = 1.0f / __builtin_sqrtf((float)n);
	}
	x->s.terms = x->terms;
	x->s.weights = x->weights;
	x->s.n_terms = x->s.n_weights = n;
	return &x->s;
}

#define SIG(...) sig_of(&(struct sig){0}, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static struct id id_n(uint64_t n)
{
	return id_from(T0, span_of(&n, sizeof(n)));
}

/* What the service does for each message; returns the topic it ended in. */
static struct topic *say(struct topics *ts, const Ascolto__Signature *s, uint64_t who, int64_t at_ms)
{
	static uint64_t message;
	double nearness;
	struct id id = id_n(++message);
	struct topic *t = topics_match(ts, s, &nearness);
	char *words[] = {(char *)"modem", (char *)"luce"};
	if (!t)
		t = topics_found(ts, &id, at_ms);
	assert_non_null(t);
	topic_join(t, s, words, ARRAY_SIZE(words), &id, at_ms);
	assert_true(topic_count_person(ts, t, who, at_ms));
	return t;
}

static struct topics *new_topics(void)
{
	struct topics *ts = NULL;
	assert_int_equal(topics_new(&ts, WINDOW, "acme"), 0);
	return ts;
}

static void test_grouping(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	double nearness = -1;
	assert_null(topics_match(ts, SIG(1, 2, 3), &nearness));
	assert_true(nearness == 0);
	struct topic *modem = say(ts, SIG(10, 20, 30), 1, T0);
	struct topic *bill = say(ts, SIG(40, 50, 60), 2, T0);
	assert_ptr_not_equal(modem, bill);
	assert_int_equal(topics_count(ts), 2);
	assert_ptr_equal(say(ts, SIG(10, 20, 31), 3, T0), modem); /* two terms of three in common */
	assert_ptr_equal(say(ts, SIG(40, 50, 60), 4, T0), bill);
	assert_ptr_equal(topics_match(ts, SIG(20, 30), &nearness), modem);
	assert_true(nearness > TOPIC_JOIN && nearness <= 1.0001);
	/* Of two that are near enough the nearer one. */
	assert_ptr_equal(topics_match(ts, SIG(10, 20, 40), &nearness), modem);
	assert_ptr_equal(topics_match(ts, SIG(10, 40, 50), &nearness), bill);
	/* Nothing in common, and nothing to compare. */
	assert_null(topics_match(ts, SIG(70), &nearness));
	Ascolto__Signature empty = ASCOLTO__SIGNATURE__INIT;
	assert_null(topics_match(ts, &empty, &nearness));
	assert_ptr_equal(topics_find(ts, &modem->id), modem);
	struct id stranger = id_n(1000000);
	assert_null(topics_find(ts, &stranger));
}

/* The nearness that is just not enough, and the one that just is. */
static void test_join_limit(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	double nearness;
	struct topic *t = say(ts, SIG(1, 2, 3, 4), 1, T0);
	/* One of four terms in a vector of n: 1 / (2 * sqrt(n)). */
	assert_ptr_equal(topics_match(ts, SIG(1, 11, 12, 13), &nearness), t); /* 0.25 */
	assert_null(topics_match(ts, SIG(1, 11, 12, 13, 14), &nearness));	  /* 0.224 */
	assert_true(nearness == 0);
}

static void test_people_count_once(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topic *t = NULL;
	for (int i = 0; i < 50; i++)
		t = say(ts, SIG(1, 2), 77, T0 + i); /* one angry person */
	assert_int_equal(t->messages, 50);
	assert_int_equal(topic_people(ts, t), 1);
	for (uint64_t who = 1; who <= 5000; who++)
		for (int twice = 0; twice < 2; twice++)
			assert_true(topic_count_person(
				ts, t, who << 32, T0 + 50)); /* ids that differ in high bits only */
	assert_int_equal(topic_people(ts, t), 5001);
	assert_true(topic_count_person(ts, t, 0, T0 + 50)); /* nobody is a person too */
	assert_true(topic_count_person(ts, t, 0, T0 + 50));
	assert_int_equal(topic_people(ts, t), 5002);
}

static void test_window_slides(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topic *t = NULL;
	/* One new person a minute for five hours: sixty within the window, and the table does not grow with
	 * the hours. */
	for (unsigned i = 0; i < 300; i++) {
		t = say(ts, SIG(1, 2), 1000 + i, T0 + i * MINUTE);
		assert_int_equal(topic_people(ts, t), MIN(i + 1, 60u));
	}
	assert_true(t->crowd.cap <= 1024);
	/* Who speaks again stays. */
	t = say(ts, SIG(1, 2), 1000 + 299, T0 + 330 * MINUTE);
	assert_int_equal(topic_people(ts, t), 29); /* 271 to 298, and 299 */
	/* What comes late counts by when it was said, and does not turn the clock back. */
	t = say(ts, SIG(1, 2), 5, T0);
	assert_int_equal(t->last_ms, T0 + 330 * MINUTE);
	assert_int_equal(t->first_ms, T0);
	assert_int_equal(topic_people(ts, t), 29);
	t = say(ts, SIG(1, 2), 6, T0 + 300 * MINUTE);
	assert_int_equal(topic_people(ts, t), 30);
	/* An older message of somebody does not make their newest older. */
	t = say(ts, SIG(1, 2), 6, T0 + 200 * MINUTE);
	assert_int_equal(topic_people(ts, t), 30);
	/* Exactly one window ago is out. */
	struct topics *ws CLEANUP(topics_free) = new_topics();
	say(ws, SIG(1), 1, T0);
	t = say(ws, SIG(1), 2, T0 + WINDOW - 1);
	assert_int_equal(topic_people(ws, t), 2);
	t = say(ws, SIG(1), 2, T0 + WINDOW);
	assert_int_equal(topic_people(ws, t), 1);
}

/* Against the obvious way, with people coming, going and coming again in any order. */
static void test_people_against_a_list(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	int64_t last[400] = {0}, newest = 0;
	unsigned seed = 5;
	for (int i = 0; i < 20000; i++) {
		unsigned who = (unsigned)rand_r(&seed) % 400;
		int64_t at = T0 + i * (MINUTE / 10) - rand_r(&seed) % (90 * MINUTE);
		struct topic *t = say(ts, SIG(1, 2), who + 1, at);
		newest = MAX(newest, at);
		last[who] = MAX(last[who], at);
		if (i % 50)
			continue;
		unsigned want = 0;
		for (size_t k = 0; k < ARRAY_SIZE(last); k++)
			want += last[k] / MINUTE > newest / MINUTE - 60;
		assert_int_equal(topic_people(ts, t), want);
	}
}

/* The signature of a short text, by its hash. */
/* Every window is what one finds by looking at everybody, while people write again, late, or after a long
 * silence. */
static void test_windows(void **state)
{
	(void)state;
	enum { PEOPLE = 50, STEP_MS = 1000 };
	struct crowd c = {.newest = T0 / STEP_MS};
	int64_t last[PEOPLE] = {0}, now = T0;
	uint64_t rnd = 3;
	for (int i = 0; i < 3000; i++) {
		rnd = rnd * 6364136223846793005u + 1442695040888963407u;
		unsigned who = (unsigned)(rnd >> 40) % PEOPLE;
		now += i % 500 == 499 ? (int64_t)400 * STEP_MS : (int64_t)(rnd >> 33) % (4 * STEP_MS);
		int64_t at = MAX(now - (i % 7 == 0 ? 20 * STEP_MS : 0), 0);
		assert_true(crowd_add(&c, who + 1, at, STEP_MS));
		last[who] = MAX(last[who], at);
		for (unsigned steps = 1 + i % 5; steps <= CROWD_STEPS; steps += 13) {
			unsigned n = 0;
			for (size_t p = 0; p < PEOPLE; p++)
				n += last[p] / STEP_MS > c.newest - (int64_t)steps;
			assert_int_equal(crowd_count(&c, steps), n);
		}
	}
	crowd_free(&c);
}

static const Ascolto__Signature *text_of(uint64_t copy)
{
	static Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	s.copy = copy;
	return &s;
}

/* Somebody else's. */
static bool is_copy(struct topics *ts, const Ascolto__Signature *s, uint64_t who)
{
	uint64_t first;
	return topics_knows_copy(ts, s, &first) && first != who;
}

static uint64_t remember(struct topics *ts, const Ascolto__Signature *s, uint64_t who)
{
	uint64_t first;
	return topics_knows_copy(ts, s, &first) ? 0 : topics_remember_copy(ts, s, who);
}

static void test_copies(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	assert_false(is_copy(ts, text_of(42), 1));
	remember(ts, text_of(42), 1);
	assert_false(is_copy(ts, text_of(42), 1)); /* one's own words again */
	assert_true(is_copy(ts, text_of(42), 2));
	remember(ts, text_of(42), 2); /* the first writer stays the writer */
	assert_false(is_copy(ts, text_of(42), 1));
	remember(ts, text_of(0), 1); /* no hash: too short to be a copy */
	assert_false(is_copy(ts, text_of(0), 2));
	for (uint64_t i = 0; i < COPIES_KEPT - 1; i++)
		remember(ts, text_of(1000 + i), 1);
	assert_true(is_copy(ts, text_of(42), 2));
	remember(ts, text_of(5000), 1);
	assert_false(is_copy(ts, text_of(42), 2)); /* the oldest is forgotten */
	assert_true(is_copy(ts, text_of(1000), 2));
}

static void test_edited_copies(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	Ascolto__Signature original = ASCOLTO__SIGNATURE__INIT, edited = original;
	original.copy = 7;
	original.words = edited.words = SIGNATURE_NEAR_WORDS;
	original.sketch = 0xfff;
	edited.copy = 8;
	assert_int_equal(remember(ts, &original, 1), 1);
	for (unsigned differ = 0; differ < 14; differ++) {
		edited.sketch = original.sketch & ~((1ull << differ) - 1);
		bool near = MIN(differ, 12u) <= SIGNATURE_NEAR_COPY;
		assert_int_equal(is_copy(ts, &edited, 2), near);
		assert_false(is_copy(ts, &edited, 1)); /* one's own words, better */
	}
	edited.sketch = original.sketch;
	edited.words--; /* short texts of two people are alike */
	assert_false(is_copy(ts, &edited, 2));
	edited.words++;
	assert_int_equal(remember(ts, &edited, 2), 0); /* what is remembered is the original */

	struct topics *after CLEANUP(topics_free) = new_topics();
	State__Copy row = STATE__COPY__INIT;
	row.hash = original.copy;
	row.who = 1;
	row.number = 1;
	row.sketch = original.sketch;
	row.words = original.words;
	topics_restore_copy(after, &row);
	assert_true(is_copy(after, &original, 2));
	assert_true(is_copy(after, &edited, 2));
}

static void test_twins_merge(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topic *a = NULL, *b = NULL;
	for (uint64_t i = 0; i < 6; i++)
		a = say(ts, SIG(1, 2, 3), i + 1, T0 + (int64_t)i);
	for (uint64_t i = 0; i < 3; i++)
		b = say(ts, SIG(11, 12, 13), i + 5, T0 + 10 + (int64_t)i);
	assert_ptr_not_equal(a, b);
	assert_null(topics_twin(ts, a));
	/* The second one turns to the first one's words, little by little. */
	struct id id = id_n(500);
	for (int i = 0; i < 3; i++)
		topic_join(b, SIG(1, 2, 11), NULL, 0, &id, T0 + 20);
	assert_ptr_equal(topics_twin(ts, a), b);
	assert_ptr_equal(topics_twin(ts, b), a);
	struct id incident = id_n(501);
	b->incident = incident;
	assert_ptr_equal(topics_twin(ts, a), b);
	a->incident = id_n(502);
	assert_null(topics_twin(ts, a)); /* two incidents stay two */
	a->incident = (struct id){{0}};
	uint32_t messages = a->messages + b->messages;
	struct id gone = b->id;
	assert_true(topics_merge(ts, a, &b));
	assert_null(b);
	assert_null(topics_find(ts, &gone));
	assert_int_equal(topics_count(ts), 1);
	assert_int_equal(a->messages, messages);
	assert_int_equal(topic_people(ts, a), 7); /* 1 to 6 and 5 to 7 */
	assert_true(id_eq(&a->incident, &incident));
	assert_int_equal(a->last_ms, T0 + 20);
	assert_int_equal(a->n_examples, TOPIC_EXAMPLES);
	double nearness;
	assert_ptr_equal(topics_match(ts, SIG(11, 12), &nearness), a);
	for (size_t i = 1; i < a->n_terms; i++)
		assert_true(a->terms[i - 1] < a->terms[i]);
}

static void test_too_young_to_merge(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct id a_id = id_n(1), b_id = id_n(2);
	struct topic *a = topics_found(ts, &a_id, T0), *b = topics_found(ts, &b_id, T0);
	for (unsigned i = 1; i <= TOPIC_MERGE_MESSAGES; i++) {
		assert_null(topics_twin(ts, a));
		assert_null(topics_twin(ts, b));
		topic_join(a, SIG(1, 2), NULL, 0, &a_id, T0);
		assert_null(topics_twin(ts, a));
		topic_join(b, SIG(1, 2), NULL, 0, &b_id, T0);
	}
	assert_ptr_equal(topics_twin(ts, a), b);
}

/* More terms than a centre holds: the light ones go, the order stays, the matter is still known. */
static void test_centre_is_bounded(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct id id = id_n(1);
	struct topic *t = topics_found(ts, &id, T0);
	double nearness;
	for (uint32_t i = 0; i < 500; i++)
		topic_join(t, SIG(7, 9, 100 + i * 2, 101 + i * 2), NULL, 0, &id, T0);
	assert_true(t->n_terms <= TOPIC_TERMS);
	for (size_t i = 1; i < t->n_terms; i++)
		assert_true(t->terms[i - 1] < t->terms[i]);
	assert_ptr_equal(topics_match(ts, SIG(7, 9), &nearness), t);
	assert_true(nearness > 0.9);
}

static void test_keywords(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct id id = id_n(1);
	struct topic *t = topics_found(ts, &id, T0);
	char words[200][32], *often[] = {(char *)"modem"},
			     *too_long[] = {(char *)"precipitevolissimevolmente"};
	topic_join(t, SIG(1), too_long, 1, &id, T0);
	assert_int_equal(t->keyword_counts[0], 0);
	for (int i = 0; i < 200; i++) {
		char *rare[] = {words[i]};
		snprintf(words[i], sizeof(words[i]), "rare%d", i);
		topic_join(t, SIG(1), rare, 1, &id, T0);
		topic_join(t, SIG(1), often, 1, &id, T0);
	}
	size_t at = 0;
	while (at < TOPIC_KEYWORDS && !(t->keyword_counts[at] && str_eq(t->keywords[at], "modem")))
		at++;
	assert_true(at < TOPIC_KEYWORDS);
	for (size_t i = 0; i < TOPIC_KEYWORDS; i++)
		assert_true(t->keyword_counts[i] <= t->keyword_counts[at]);
}

/* ---- rows ---- */

/* The headline says what most say, and is not the shortest text with the word that all have. */
static void test_headline(void **state)
{
	(void)state;
	static const char *const whole = "the update stopped every router in town";
	struct topics *ts = new_topics();
	struct sig x;
	struct topic *t = NULL;
	for (uint64_t i = 0; i < 6; i++)
		t = say(ts, sig_of(&x, 4, (const uint32_t[]){10, 20, 30, 40}), i, T0 + (int64_t)i);
	topic_offer_headline(t, sig_of(&x, 3, (const uint32_t[]){10, 20, 30}), whole);
	topic_offer_headline(t, sig_of(&x, 1, (const uint32_t[]){10}), "router: no. router: no. router? no, none.");
	assert_string_equal(t->headline, whole);
	topic_offer_headline(t, sig_of(&x, 4, (const uint32_t[]){10, 20, 30, 40}), "the update stopped every router in town, red light");
	assert_string_equal(t->headline, "the update stopped every router in town, red light");
	topic_offer_headline(t, sig_of(&x, 4, (const uint32_t[]){10, 20, 30, 40}), "too short to tell");
	assert_string_equal(t->headline, "the update stopped every router in town, red light");
	topics_free(&ts);
}

static struct topic *round_trip(struct topics *to, const struct topics *from, const struct topic *t)
{
	struct arena a CLEANUP(arena_free);
	State__Topic row;
	arena_init(&a, 1 << 20);
	topic_pack(t, &a, &row);
	size_t len = state__topic__get_packed_size(&row);
	uint8_t *packed = malloc(len + 1);
	assert_int_equal(state__topic__pack(&row, packed), len);
	State__Topic *back = state__topic__unpack(NULL, len, packed);
	assert_non_null(back);
	struct topic *copy = topics_restore(to, back);
	assert_non_null(copy);
	state__topic__free_unpacked(back, NULL);
	free(packed);
	for (size_t i = 0; i < t->crowd.cap; i++) /* their rows */
		if (t->crowd.people[i].who)
			topic_restore_person(to, copy, t->crowd.people[i].who, t->crowd.people[i].last_ms);
	assert_int_equal(topic_people(to, copy), topic_people(from, t));
	return copy;
}

static void assert_same(const struct topic *a, const struct topic *b)
{
	assert_true(id_eq(&a->id, &b->id));
	assert_true(id_eq(&a->incident, &b->incident));
	assert_int_equal(a->first_ms, b->first_ms);
	assert_int_equal(a->last_ms, b->last_ms);
	assert_int_equal(a->messages, b->messages);
	assert_int_equal(a->n_terms, b->n_terms);
	assert_memory_equal(a->terms, b->terms, a->n_terms * sizeof(a->terms[0]));
	assert_memory_equal(a->weights, b->weights, a->n_terms * sizeof(a->weights[0]));
	assert_true(a->norm == b->norm);
	assert_int_equal(a->n_examples, b->n_examples);
	assert_memory_equal(a->examples, b->examples, a->n_examples * sizeof(a->examples[0]));
	assert_memory_equal(&a->normals, &b->normals, sizeof(a->normals));
	for (size_t i = 0, k = 0; i < TOPIC_KEYWORDS; i++)
		if (a->keyword_counts[i]) {
			assert_string_equal(a->keywords[i], b->keywords[k]);
			assert_int_equal(a->keyword_counts[i], b->keyword_counts[k]);
			k++;
		}
}

static void test_restored_equals_original(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topics *again CLEANUP(topics_free) = new_topics();
	struct topic *t = NULL;
	for (unsigned i = 0; i < 400; i++) {
		t = say(ts, SIG(1, 2, 100 + i % 50), i % 120, T0 + i * MINUTE);
	}
	t->incident = id_n(8);
	struct topic *copy = round_trip(again, ts, t);
	assert_same(t, copy);
	/* And goes on as the original does. */
	for (unsigned i = 400; i < 600; i++) {
		assert_ptr_equal(say(ts, SIG(1, 2, 100 + i % 50), i % 120, T0 + i * MINUTE), t);
		assert_ptr_equal(say(again, SIG(1, 2, 100 + i % 50), i % 120, T0 + i * MINUTE), copy);
		copy->examples[0] = t->examples[0];
		assert_int_equal(topic_people(again, copy), topic_people(ts, t));
	}
	assert_true(t->norm == copy->norm);
}

/* A restart in the middle must not make the topic forget what it was about to learn. */
static void test_restored_learns_as_original(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topics *again CLEANUP(topics_free) = new_topics();
	struct topic *t = NULL;
	for (unsigned i = 0; i < 700; i++)
		t = say(ts, SIG(1, 2), i, T0 + i * MINUTE);
	struct topic *copy = round_trip(again, ts, t);
	t = say(ts, SIG(1, 2), 7, T0 + 30 * WINDOW);
	copy = say(again, SIG(1, 2), 7, T0 + 30 * WINDOW);
	assert_true(normal_expected(&t->normals, 1, 1) > 1);
	assert_memory_equal(&t->normals, &copy->normals, sizeof(t->normals));
}

/* Rows that nobody should have written: taken as far as they make sense. */
static void test_restore_of_strange_rows(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	State__Topic row = STATE__TOPIC__INIT;
	uint8_t id[ID_BYTES] = {1};
	uint32_t terms[100];
	float weights[100];
	char *words[40];
	uint32_t counts[40];
	ProtobufCBinaryData examples[20];
	assert_null(topics_restore(ts, &row));
	for (uint32_t i = 0; i < 100; i++) {
		terms[i] = 1000 - i % 90; /* neither ascending nor once each */
		weights[i] = 0.1f;
	}
	for (size_t i = 0; i < 40; i++) {
		words[i] = (char *)"a word that is longer than any keyword is allowed to be";
		counts[i] = 1;
	}
	for (size_t i = 0; i < 20; i++)
		examples[i] = (ProtobufCBinaryData){i % 2 ? ID_BYTES : 3, id};
	row.id = (ProtobufCBinaryData){ID_BYTES, id};
	row.terms = terms, row.n_terms = 100;
	row.weights = weights, row.n_weights = 90;
	row.keywords = words, row.n_keywords = 40;
	row.keyword_counts = counts, row.n_keyword_counts = 33;
	row.examples = examples, row.n_examples = 20;
	struct topic *t = topics_restore(ts, &row);
	assert_non_null(t);
	assert_true(t->n_terms <= TOPIC_TERMS && t->n_examples <= TOPIC_EXAMPLES);
	for (size_t i = 1; i < t->n_terms; i++)
		assert_true(t->terms[i - 1] < t->terms[i]);
}

/* ---- how many ---- */

/* The index against comparing with all: thousands of topics that grow, merge and are dropped. */
static struct topic *nearest_of_all(struct topics *ts, const struct id *ids, size_t n, const Ascolto__Signature *s,
	double *ret)
{
	struct topic *best = NULL;
	*ret = 0;
	for (size_t i = 0; i < n; i++) {
		struct topic *t = topics_find(ts, &ids[i]);
		if (!t)
			continue;
		double near = topic_dot_product(t->terms, t->weights, t->n_terms, s->terms, s->weights, s->n_terms) /
			(double)t->norm;
		if (near >= TOPIC_JOIN && near > *ret) {
			*ret = near;
			best = t;
		}
	}
	return best;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Few terms are in many messages, many in few; weights differ. */
/* ---- topics without words ---- */

static void test_standing(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topics *again CLEANUP(topics_free) = new_topics();
	bool fresh;
	for (unsigned n = 0; n < TOPICS_STANDING; n++) {
		struct topic *t = topics_standing(ts, n, T0, &fresh);
		assert_true(fresh && t->standing && t->grave == (n != TOPICS_TROUBLE));
		assert_ptr_equal(topics_standing(ts, n, T0 + 1, &fresh), t);
		assert_false(fresh);
		assert_true(topic_surge(ts, t).grave == t->grave);
		struct topic *copy = round_trip(again, ts, t);
		assert_true(copy->standing && copy->grave == t->grave);
		assert_ptr_equal(topics_standing(again, n, T0, &fresh), copy);
		assert_false(fresh);
	}
	assert_int_equal(topics_count(ts), TOPICS_STANDING);
	/* Two brands may have their rows in one key group. */
	struct topics *other CLEANUP(topics_free) = NULL;
	assert_int_equal(topics_new(&other, WINDOW, "bigco"), 0);
	for (unsigned n = 0; n < TOPICS_STANDING; n++)
		assert_false(id_eq(&topics_standing(ts, n, T0, &fresh)->id, &topics_standing(other, n, T0, &fresh)->id));
}

/* What was in everybody's mouth last month is not what today's crowd is about. */
static void test_words_of_a_standing_topic_age(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	bool fresh;
	struct topic *t = topics_standing(ts, TOPICS_TROUBLE, T0, &fresh);
	char *before[] = {(char *)"neve"}, *now[] = {(char *)"bolletta"};
	struct id id = id_n(1);
	uint32_t of_before = 0, of_now = 0;
	for (int i = 0; i < 2000; i++)
		topic_join(t, SIG(1), before, 1, &id, T0);
	for (int i = 0; i < 400; i++)
		topic_join(t, SIG(1), now, 1, &id, T0 + i);
	for (size_t i = 0; i < TOPIC_KEYWORDS; i++) {
		of_before += str_eq(t->keywords[i], "neve") ? t->keyword_counts[i] : 0;
		of_now += str_eq(t->keywords[i], "bolletta") ? t->keyword_counts[i] : 0;
	}
	assert_true(of_now > of_before);
}

/* Of ten people six write about something that has an incident already. */
static void test_known_part(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct topic *first = NULL, *second = NULL;
	for (uint64_t who = 1; who <= 6; who++)
		first = say(ts, SIG(1, 2), who, T0 + 10 * MINUTE);
	for (uint64_t who = 1; who <= 10; who++)
		second = say(ts, SIG(11, 12), who, T0 + 20 * MINUTE);
	assert_true(topics_known_part(ts, second, 1) == 0);
	first->incident = id_n(5);
	assert_true(fabs(topics_known_part(ts, second, 1) - 0.6) < 1e-9);
	assert_true(topics_known_part(ts, first, 1) == 0); /* not by itself */
	/* Only who wrote within the window is asked for: by then the ten are out, and four are in. */
	for (uint64_t who = 21; who <= 24; who++)
		say(ts, SIG(11, 12), who, T0 + 60 * MINUTE);
	assert_true(topics_known_part(ts, second, 0) == 0);
}

/* A topic is about to be an incident when it has half the people, and only while they speak of it. */
static void test_rising(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	const struct thresholds t = {.yellow_people = 20, .red_people = 200, .over_normal = 4};
	bool fresh;
	for (uint64_t who = 1; who <= 7; who++)
		say(ts, SIG(1, 2), who, T0);
	topics_hear(ts, T0, T0);
	assert_false(topics_rising(ts, &t));
	say(ts, SIG(1, 2), 8, T0 + MINUTE); /* three quarters of the half at once */
	assert_true(topics_rising(ts, &t));
	topics_hear(ts, T0 + 62 * MINUTE, T0);
	assert_false(topics_rising(ts, &t));
	struct topic *standing = topics_standing(ts, TOPICS_TROUBLE, T0 + 62 * MINUTE, &fresh);
	for (uint64_t who = 1; who <= 19; who++)
		assert_true(topic_count_person(ts, standing, who, T0 + 62 * MINUTE));
	assert_false(topics_rising(ts, &t)); /* no words lead to it */
}

/* A normal of nothing says nothing before there was a day of it, nor in a brand nobody knows. */
static void test_known_after_a_day(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	bool fresh;
	struct topic *t = topics_standing(ts, TOPICS_TROUBLE, T0, &fresh);
	for (int hour = 0; hour < 26; hour++)
		for (int i = 0; i < 20; i++)
			topics_hear(ts, T0 + hour * WINDOW, T0);
	topic_pass(ts, t, T0 + 23 * WINDOW);
	assert_false(topic_is_known(ts, t));
	topic_pass(ts, t, T0 + 25 * WINDOW);
	assert_true(topic_is_known(ts, t));
	struct topics *silent CLEANUP(topics_free) = new_topics();
	t = topics_standing(silent, TOPICS_TROUBLE, T0, &fresh);
	topic_pass(silent, t, T0 + 25 * WINDOW);
	assert_false(topic_is_known(silent, t));
}

static void random_signature(struct sig *x, unsigned *seed)
{
	size_t n = 2 + (size_t)rand_r(seed) % 15, k = 0;
	double sum = 0;
	uint32_t terms[16];
	for (size_t i = 0; i < n; i++)
		terms[i] = (uint32_t)(1 + rand_r(seed) % (1 + rand_r(seed) % 600));
	qsort(terms, n, sizeof(terms[0]), by_value);
	x->s = (Ascolto__Signature)ASCOLTO__SIGNATURE__INIT;
	for (size_t i = 0; i < n; i++) {
		if (k && x->terms[k - 1] == terms[i])
			continue;
		x->terms[k] = terms[i];
		x->weights[k] = 0.15f + (float)(rand_r(seed) % 100) / 40;
		sum += (double)x->weights[k] * (double)x->weights[k];
		k++;
	}
	for (size_t i = 0; i < k; i++)
		x->weights[i] /= __builtin_sqrtf((float)sum);
	x->s.terms = x->terms;
	x->s.weights = x->weights;
	x->s.n_terms = x->s.n_weights = k;
}

static void test_index_finds_the_nearest(void **state)
{
	(void)state;
	enum { ROUNDS = 4000 };
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct id *ids = calloc(ROUNDS, sizeof(*ids));
	size_t n = 0, found = 0;
	unsigned seed = 11;
	for (int i = 0; i < ROUNDS; i++) {
		struct sig x;
		double near, want_near;
		random_signature(&x, &seed);
		struct topic *t = topics_match(ts, &x.s, &near), *gone;
		if (i % 5 == 0) {
			struct topic *want = nearest_of_all(ts, ids, n, &x.s, &want_near);
			assert_true((t != NULL) == (want != NULL));
			assert_true(near == want_near); /* of two as near either will do */
			found += want != NULL;
		}
		if (!t) {
			ids[n] = id_n((uint64_t)i);
			t = topics_found(ts, &ids[n++], T0 + i);
		}
		topic_join(t, &x.s, NULL, 0, &t->id, T0 + i);
		if (i % 7 == 0 && (gone = topics_twin(ts, t)))
			assert_true(topics_merge(ts, t, &gone));
		if (i % 11 == 0 && (gone = topics_find(ts, &ids[(size_t)rand_r(&seed) % n])))
			topics_drop(ts, &gone);
	}
	assert_true(n > 300 && found > 300 && topics_count(ts) > 100);
	free(ids);
}

static void test_cap(void **state)
{
	(void)state;
	struct topics *ts CLEANUP(topics_free) = new_topics();
	struct id first = id_n(0), second = id_n(1);
	for (uint64_t i = 0; i < TOPICS_LIVE_MAX; i++) {
		struct id id = id_n(i);
		struct topic *t = topics_found(ts, &id, T0 + (int64_t)i);
		assert_non_null(t);
		if (i == 0)
			t->incident = id_n(99);
	}
	assert_int_equal(topics_count(ts), TOPICS_LIVE_MAX);
	struct id id = id_n(TOPICS_LIVE_MAX);
	assert_non_null(topics_found(ts, &id, T0 + TOPICS_LIVE_MAX));
	assert_int_equal(topics_count(ts), TOPICS_LIVE_MAX);
	assert_non_null(topics_find(ts, &first)); /* the oldest has an incident */
	assert_null(topics_find(ts, &second));
	assert_non_null(topics_find(ts, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grouping),
		cmocka_unit_test(test_join_limit),
		cmocka_unit_test(test_people_count_once),
		cmocka_unit_test(test_window_slides),
		cmocka_unit_test(test_people_against_a_list),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_edited_copies),
		cmocka_unit_test(test_twins_merge),
		cmocka_unit_test(test_too_young_to_merge),
		cmocka_unit_test(test_centre_is_bounded),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_headline),
		cmocka_unit_test(test_restored_equals_original),
		cmocka_unit_test(test_restored_learns_as_original),
		cmocka_unit_test(test_restore_of_strange_rows),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_words_of_a_standing_topic_age),
		cmocka_unit_test(test_known_part),
		cmocka_unit_test(test_rising),
		cmocka_unit_test(test_known_after_a_day),
		cmocka_unit_test(test_index_finds_the_nearest),
		cmocka_unit_test(test_cap),
	};
	return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
