#include "tests/bench/decide/load.h"

#include "common/pack.h"
#include "common/svc.h"
#include "tests/bench/decide/people.h"

#include <math.h>

#define WORDS 12000 /* of the vocabulary */
#define OWN_TERMS 3 /* of a subject alone: names, places, products */
#define SUBJECT_TERMS 10
#define SAID_MOST 9
#define NEW_SUBJECT 300 /* one message in so many is about something new */
#define SPREAD 7919	/* neighbours by rank are no neighbours by number */

struct load {
	uint64_t customers, rnd, number, opened;
	uint32_t fresh; /* subjects that came up on the way */
	unsigned storm; /* one message in so many; 0: none */
	int64_t now_ms;
};

/* What the message is, as far as deciding goes. */
struct said {
	uint64_t who;
	uint32_t subject;
	const char *intent, *sentiment, *lane, *flag;
	Ascolto__Kind kind;
	bool repost, self;
};

/* ---- chance ---- */

/* SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint64_t draw(struct load *l)
{
	return mix(l->rnd += 0x9e3779b97f4a7c15ull);
}

static double unit(uint64_t x)
{
	return (double)(x >> 11) / (double)(1ull << 53);
}

/* ---- who ---- */

/* The decade of a customer: a tenth of them is drawn a third of the time. */
static uint64_t draw_decade(struct load *l)
{
	uint64_t tenth = l->customers / 10;
	double u = unit(draw(l));
	return (uint64_t)((double)tenth * u * u) * SPREAD % tenth;
}

static uint64_t next_without_case(struct load *l)
{
	uint64_t k = l->opened++;
	return k / 8 * SPREAD % (l->customers / 10) * 10 + 1 + k % 8;
}

/* ---- what ---- */

static uint32_t draw_subject(struct load *l)
{
	double u = unit(draw(l));
	if (l->number <= LOAD_SUBJECTS) /* first each of them once */
		return (uint32_t)l->number;
	if (draw(l) % NEW_SUBJECT == 0)
		return LOAD_SUBJECTS + ++l->fresh;
	return (uint32_t)(u * u * u * LOAD_SUBJECTS);
}

static void need_help(struct load *l, struct said *s)
{
	static const char *const intents[] = {"report_fault", "report_fault", "complain", "complain",
		"billing", "order_status", "ask_info", "cancel"};
	uint64_t r = draw(l);
	s->intent = intents[r % ARRAY_SIZE(intents)];
	s->sentiment = r >> 8 & 3 ? "negative" : "neutral";
	s->lane = r >> 10 & 7 ? "service" : "polemic";
	s->flag = (r >> 16) % 1000 == 0 ? "legal" : (r >> 16) % 1000 == 1 ? "safety" : NULL;
	if (s->flag && str_eq(s->flag, "safety"))
		s->intent = "report_danger";
}

static void need_nothing(struct load *l, struct said *s)
{
	static const char *const intents[] = {"praise", "joke", "suggest", "other", "attack", "other"};
	uint64_t r = draw(l);
	s->intent = intents[r % ARRAY_SIZE(intents)];
	s->sentiment = str_eq(s->intent, "attack") ? "negative" : "positive";
	s->lane = str_eq(s->intent, "attack") ? "polemic" : "none";
}

static struct said draw_said(struct load *l)
{
	struct said s = {.kind = ASCOLTO__KIND__KIND_MESSAGE, .subject = draw_subject(l)};
	unsigned what = (unsigned)(draw(l) % (l->number <= LOAD_SUBJECTS ? 41 : 100));
	need_help(l, &s);
	if (l->storm && draw(l) % l->storm == 0) {
		s.who = next_without_case(l);
		s.subject = LOAD_SUBJECTS / 2;
		s.sentiment = "negative";
		return s;
	}
	if (what < 33) {
		s.who = draw_decade(l) * 10;
		return s;
	}
	if (what < 41) {
		s.who = next_without_case(l);
		return s;
	}
	need_nothing(l, &s);
	s.who = draw_decade(l) * 10 + 9;
	s.repost = what >= 71 && what < 83;
	s.self = what >= 83 && what < 91;
	if (what >= 91)
		s.kind = ASCOLTO__KIND__KIND_DELETE;
	return s;
}

/* ---- its words ---- */

struct words {
	uint32_t terms[SAID_MOST + 1];
	float weights[SAID_MOST + 1];
	size_t n;
	char texts[SAID_MOST][16];
	char text[256];
};

/* Words are not equally frequent: the first few are in hundreds of subjects. */
static uint32_t word_number(uint64_t x)
{
	double u = unit(mix(x));
	return (uint32_t)(u * u * WORDS);
}

static uint32_t term_of(uint32_t word)
{
	return (uint32_t)mix(word + 1);
}

static void add_word(struct words *w, uint32_t word)
{
	uint32_t term = term_of(word);
	size_t at = 0;
	while (at < w->n && w->terms[at] < term)
		at++;
	if (w->n == SAID_MOST || (at < w->n && w->terms[at] == term))
		return;
	for (size_t i = w->n++; i > at; i--) {
		w->terms[i] = w->terms[i - 1];
		w->weights[i] = w->weights[i - 1];
	}
	w->terms[at] = term;
	w->weights[at] = word < WORDS ? 0.6f + (float)(word % 64) / 128 : 1.5f;
	snprintf(w->texts[w->n - 1], sizeof(w->texts[0]), "word%06" PRIx32, term & 0xffffff);
}

static void set_length(struct words *w)
{
	float sum = 0;
	for (size_t i = 0; i < w->n; i++)
		sum += w->weights[i] * w->weights[i];
	for (size_t i = 0; i < w->n; i++)
		w->weights[i] /= sqrtf(sum);
}

static void say(struct load *l, uint32_t subject, struct words *w)
{
	uint64_t r = draw(l);
	size_t len = 0;
	*w = (struct words){.n = 0};
	for (unsigned i = 0; i < SUBJECT_TERMS; i++)
		if (i < OWN_TERMS)
			add_word(w, WORDS + subject * OWN_TERMS + i);
		else if (r >> i & 1)
			add_word(w, word_number((uint64_t)subject * 64 + i));
	for (unsigned i = 0; i < 1 + (r >> 32) % 2; i++)
		add_word(w, word_number(draw(l)));
	set_length(w);
	for (size_t i = 0; i < w->n; i++)
		len += (size_t)snprintf(w->text + len, sizeof(w->text) - len, "the %s ", w->texts[i]);
}

/* ---- the envelope ---- */

static char *word(const char *s)
{
	return (char *)(uintptr_t)s;
}

struct envelope {
	Ascolto__Envelope e;
	Ascolto__Message m;
	Ascolto__Post post;
	Ascolto__Author author;
	Ascolto__AuthorId author_id, *ids[1];
	Ascolto__Affordances affordances;
	Ascolto__Knowledge known;
	Ascolto__Understanding read;
	Ascolto__Label labels[5];
	Ascolto__Signature signature;
	struct id id, customer;
	char *flags[1], *keywords[SAID_MOST];
	char name[32], native[32];
};

static void fill_post(struct envelope *x, const struct said *s, const struct load *l, char *text)
{
	x->author_id = (Ascolto__AuthorId)ASCOLTO__AUTHOR_ID__INIT;
	x->author_id.scope = word("x");
	x->author_id.value = x->native;
	x->ids[0] = &x->author_id;
	x->author = (Ascolto__Author)ASCOLTO__AUTHOR__INIT;
	x->author.ids = x->ids;
	x->author.n_ids = 1;
	x->author.handle = x->author.name = x->name;
	x->author.followers = 100 + s->who % 900;
	x->author.is_self = s->self;
	x->affordances = (Ascolto__Affordances)ASCOLTO__AFFORDANCES__INIT;
	x->affordances.reply_public = true;
	x->post = (Ascolto__Post)ASCOLTO__POST__INIT;
	x->post.channel = word(s->who % 3 ? "posts" : "pages");
	x->post.account = word("brand");
	x->post.native_id = x->post.root = x->post.conversation = x->native;
	x->post.permalink = word("https://social.example/posts/1234567890");
	x->post.kind = s->kind;
	x->post.surface = ASCOLTO__SURFACE__SURFACE_PUBLIC;
	x->post.author = &x->author;
	x->post.affordances = &x->affordances;
	x->post.text = text;
	x->post.created_at_ms = l->now_ms;
	x->post.transport = ASCOLTO__TRANSPORT__TRANSPORT_POLL;
	x->post.trust = ASCOLTO__TRUST__TRUST_PULLED_TLS;
	x->post.network = word("x");
	x->post.repost_of = s->repost ? word("1234567890") : x->post.repost_of;
}

static void fill_known(struct envelope *x, const struct said *s)
{
	x->known = (Ascolto__Knowledge)ASCOLTO__KNOWLEDGE__INIT;
	x->known.customer_id = x->known.conversation_id = id_bytes(&x->customer);
	x->known.customer_type = ASCOLTO__CUSTOMER_TYPE__CUSTOMER_CUSTOMER;
	x->known.reach = x->author.followers;
	x->known.first_seen_ms = id_ms(&x->customer);
	x->known.messages = 4 + (uint32_t)(s->who % 20);
	x->known.conversation_messages = 2;
	x->known.cases = 1;
	x->known.display_name = x->name;
	x->known.language = word("it");
	x->known.route = x->native;
}

static void fill_read(struct envelope *x, const struct said *s, struct words *w, uint64_t chance)
{
	const char *values[ARRAY_SIZE(x->labels)] = {s->intent, "repair", "none", s->sentiment, s->lane};
	Ascolto__Label **at[] = {
		&x->read.intent, &x->read.expectation, &x->read.event, &x->read.sentiment, &x->read.lane};
	x->read = (Ascolto__Understanding)ASCOLTO__UNDERSTANDING__INIT;
	for (size_t i = 0; i < ARRAY_SIZE(x->labels); i++) {
		x->labels[i] = (Ascolto__Label)ASCOLTO__LABEL__INIT;
		x->labels[i].value = word(values[i]);
		x->labels[i].probability = 0.8f;
		*at[i] = &x->labels[i];
	}
	x->flags[0] = word(s->flag);
	x->read.flags = x->flags;
	x->read.n_flags = s->flag != NULL;
	x->read.language = word("it");
	for (size_t i = 0; i < w->n && i < 5; i++)
		x->keywords[x->read.n_keywords++] = w->texts[i];
	x->read.keywords = x->keywords;
	x->read.model = word("shipped 1");
	x->signature = (Ascolto__Signature)ASCOLTO__SIGNATURE__INIT;
	x->signature.terms = w->terms;
	x->signature.weights = w->weights;
	x->signature.n_terms = x->signature.n_weights = w->n;
	x->signature.sketch = mix(chance);
	x->signature.copy = mix(chance + 1);
	x->signature.words = 14;
	x->read.signature = &x->signature;
}

struct span load_next(struct load *l, struct arena *a, int64_t *ret_ms)
{
	struct envelope x = {.e = ASCOLTO__ENVELOPE__INIT, .m = ASCOLTO__MESSAGE__INIT};
	struct words w;
	l->number++;
	l->now_ms += LOAD_GAP_MS;
	struct said s = draw_said(l);
	say(l, s.subject, &w);
	x.id = id_from(l->now_ms, span_of(&l->number, sizeof(l->number)));
	x.customer = people_id(s.who);
	snprintf(x.name, sizeof(x.name), "customer %" PRIu64, s.who);
	snprintf(x.native, sizeof(x.native), "%" PRIu64, 5000000000 + s.who);
	fill_post(&x, &s, l, w.text);
	fill_known(&x, &s);
	fill_read(&x, &s, &w, draw(l));
	x.m.post = &x.post;
	x.m.knowledge = &x.known;
	x.m.understanding = &x.read;
	x.e.id = x.e.trace_id = id_bytes(&x.id);
	x.e.brand = word(LOAD_BRAND);
	x.e.key_group = key_group_of(span_str(LOAD_BRAND));
	x.e.occurred_ms = x.e.received_ms = l->now_ms;
	x.e.body_case = ASCOLTO__ENVELOPE__BODY_CLASSIFIED;
	x.e.classified = &x.m;
	*ret_ms = l->now_ms;
	return pack_message(a, &x.e.base);
}

/* ---- */

int load_new(struct load **ret, uint64_t customers)
{
	struct load *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct load){.customers = customers, .rnd = 7, .now_ms = LOAD_START_MS};
	*ret = l;
	return 0;
}

void load_free(struct load **l)
{
	free(*l);
	*l = NULL;
}

void load_storm(struct load *l, unsigned one_in)
{
	l->storm = one_in;
}
