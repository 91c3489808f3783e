#include "tests/bench/crisis/replay.h"

#include "services/escalation/escalation.h"
#include "services/intent/classifier.h"

#include <ftw.h>

#define BRAND "replay"
#define COMMIT_EVERY 256
#define TURN_ARENA ((size_t)32 << 20)

struct pending {
	int64_t due_ms;
	uint8_t *data;
	size_t len;
};

struct replay {
	char folder[64];
	struct store *store;
	struct txn *txn;
	unsigned in_txn;
	struct arena arena, read_arena;
	struct classifier *classifier;
	struct brand brand;
	struct escalation escalation;
	uint8_t key_group;
	uint64_t number;
	struct pending *timers;
	size_t n_timers, cap_timers;
	struct replay_event *events;
	size_t n_events, cap_events;
};

static const struct conf no_conf;

static _Noreturn void give_up(const char *what, const struct err *e)
{
	fprintf(stderr, "bench: %s: %s\n", what, err_text(e));
	exit(1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

struct replay *replay_open(const char *playbook, const char *models)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct err e = {0};
	if (!r)
		exit(1);
	snprintf(r->folder, sizeof(r->folder), "/tmp/ascolto-replay-XXXXXX");
	if (!mkdtemp(r->folder))
		exit(1);
	struct store_options o = {.path = r->folder, .service = "escalation", .unsafe_fs = true};
	if (store_open(&r->store, &o, &e))
		give_up(r->folder, &e);
	if (classifier_open_linear(models, &r->classifier, &e))
		give_up(models, &e);
	if (playbook_load(&r->brand.playbook, playbook, &e))
		give_up(playbook, &e);
	snprintf(r->brand.name, sizeof(r->brand.name), BRAND);
	if (brand_new_topics(&r->brand))
		exit(1);
	r->escalation = (struct escalation){.brands = &r->brand, .n_brands = 1};
	r->key_group = key_group_of(span_str(BRAND));
	arena_init(&r->arena, TURN_ARENA);
	arena_init(&r->read_arena, TURN_ARENA);
	return r;
}

static void commit(struct replay *r)
{
	struct err e = {0};
	int full = r->txn ? txn_commit(&r->txn, &e) : 0;
	if (full)
		give_up("commit", &e);
	r->in_txn = 0;
}

void replay_close(struct replay **rp)
{
	struct replay *r = *rp;
	commit(r);
	for (size_t i = 0; i < r->n_timers; i++)
		free(r->timers[i].data);
	free(r->timers);
	free(r->events);
	topics_free(&r->brand.topics);
	playbook_free(&r->brand.playbook);
	classifier_close(&r->classifier);
	arena_free(&r->arena);
	arena_free(&r->read_arena);
	store_close(&r->store);
	nftw(r->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(r);
	*rp = NULL;
}

/* ---- what became of it ---- */

static struct replay_event last_event(const struct replay *r, const struct id *incident)
{
	for (size_t i = r->n_events; i > 0; i--)
		if (id_eq(&r->events[i - 1].incident, incident))
			return r->events[i - 1];
	return (struct replay_event){.code = 0};
}

static bool says_more(const struct replay *r, const struct id *incident, int code, unsigned waves)
{
	struct replay_event last = last_event(r, incident);
	return code != last.code || waves != last.waves;
}

static void note_incident(struct replay *r, const struct write *w, int64_t now_ms)
{
	Ascolto__Incident *i = ascolto__incident__unpack(NULL, w->value.len, w->value.data);
	struct id id;
	int code = i && !i->closed_ms ? (int)i->code : 0;
	if (i && id_from_bytes(i->id.data, i->id.len, &id) == 0 && says_more(r, &id, code, i->waves)) {
		if (r->n_events == r->cap_events) {
			r->cap_events = r->cap_events * 2 + 64;
			r->events = realloc(r->events, r->cap_events * sizeof(*r->events));
		}
		struct replay_event *x = &r->events[r->n_events++];
		*x = (struct replay_event){.at_ms = now_ms,
			.incident = id,
			.code = code,
			.was_red = i->red_ms != 0,
			.waves = i->waves,
			.people = i->people,
			.normal = i->normal};
		snprintf(x->title, sizeof(x->title), "%s", i->title);
		snprintf(x->because, sizeof(x->because), "%s", i->because);
	}
	ascolto__incident__free_unpacked(i, NULL);
}

static void keep_timer(struct replay *r, const struct write *w)
{
	if (r->n_timers == r->cap_timers) {
		r->cap_timers = r->cap_timers * 2 + 64;
		r->timers = realloc(r->timers, r->cap_timers * sizeof(*r->timers));
	}
	struct pending p = {w->due_ms, malloc(w->value.len), w->value.len};
	memcpy(p.data, w->value.data, w->value.len);
	size_t at = r->n_timers++;
	for (; at > 0 && r->timers[at - 1].due_ms < p.due_ms; at--) /* the next due one is last */
		r->timers[at] = r->timers[at - 1];
	r->timers[at] = p;
}

/* ---- one turn ---- */

static void handle(struct replay *r, Ascolto__Envelope *e, int64_t now_ms)
{
	struct writeset ws;
	struct err why = {0};
	writeset_init(&ws, &r->arena);
	if (!r->txn && txn_begin_write(r->store, &r->txn, &why))
		give_up("store", &why);
	struct turn t = {.txn = r->txn, .arena = &r->arena, .ws = &ws, .state = &r->escalation, .conf = &no_conf, .now_ms = now_ms,
		.key_group = r->key_group};
	handler_fn *fn = e->body_case == ASCOLTO__ENVELOPE__BODY_TIMER     ? escalation_timer
			 : e->body_case == ASCOLTO__ENVELOPE__BODY_COMMAND ? escalation_command
									   : escalation_classified;
	if (fn(&t, e, &why) != DONE)
		give_up("the handler", &why);
	if (writeset_apply(&ws, r->txn, &why))
		give_up("store", &why);
	for (const struct write *w = ws.first; w; w = w->next) {
		if (w->kind == WRITE_PUT && w->key.data[0] == escalation_tables[INCIDENTS].id)
			note_incident(r, w, now_ms);
		else if (w->kind == WRITE_TIMER)
			keep_timer(r, w);
	}
	if (++r->in_txn == COMMIT_EVERY)
		commit(r);
	arena_reset(&r->arena);
}

/* What was red is closed by a person. This one does it as soon as it has calmed down to yellow. */
static void close_calm(struct replay *r, size_t from_event, int64_t now_ms)
{
	for (size_t i = from_event; i < r->n_events; i++) {
		const struct replay_event *x = &r->events[i];
		if (x->code != CODE_YELLOW || !x->was_red)
			continue;
		uint64_t n = ++r->number;
		struct id id = id_from(now_ms, span_of(&n, sizeof(n))), incident = x->incident;
		Ascolto__CloseIncident close = ASCOLTO__CLOSE_INCIDENT__INIT;
		Ascolto__Command command = ASCOLTO__COMMAND__INIT;
		Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
		close.incident_id = id_bytes(&incident);
		close.reason = (char *)"calm";
		command.actor = (char *)"desk";
		command.what_case = ASCOLTO__COMMAND__WHAT_CLOSE_INCIDENT;
		command.close_incident = &close;
		e.id = e.trace_id = id_bytes(&id);
		e.brand = (char *)BRAND;
		e.key_group = r->key_group;
		e.occurred_ms = e.received_ms = now_ms;
		e.body_case = ASCOLTO__ENVELOPE__BODY_COMMAND;
		e.command = &command;
		handle(r, &e, now_ms);
	}
}

void replay_wait(struct replay *r, int64_t until_ms)
{
	while (r->n_timers && r->timers[r->n_timers - 1].due_ms <= until_ms) {
		struct pending p = r->timers[--r->n_timers];
		Ascolto__Envelope *e = ascolto__envelope__unpack(NULL, p.len, p.data);
		size_t events = r->n_events;
		if (e)
			handle(r, e, p.due_ms);
		close_calm(r, events, p.due_ms);
		ascolto__envelope__free_unpacked(e, NULL);
		free(p.data);
	}
}

void replay_say(struct replay *r, const struct replay_post *p)
{
	struct err e = {0};
	replay_wait(r, p->at_ms);
	arena_reset(&r->read_arena);
	Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
	struct classifier_input in = {.text = span_str(p->text), .lang = p->lang, .surface = "public", .channel = "x"};
	if (classifier_predict(r->classifier, &in, &r->read_arena, &u, &e))
		give_up("classifier", &e);
	uint64_t n = ++r->number;
	struct id id = id_from(p->at_ms, span_of(&n, sizeof(n))), who = id_from(0, span_str(p->who));
	Ascolto__AuthorId author_id = ASCOLTO__AUTHOR_ID__INIT, *ids[] = {&author_id};
	Ascolto__Author author = ASCOLTO__AUTHOR__INIT;
	Ascolto__Post post = ASCOLTO__POST__INIT;
	Ascolto__Knowledge known = ASCOLTO__KNOWLEDGE__INIT;
	Ascolto__Message m = ASCOLTO__MESSAGE__INIT;
	Ascolto__Envelope env = ASCOLTO__ENVELOPE__INIT;
	author_id.scope = (char *)"x";
	author_id.value = (char *)(uintptr_t)p->who;
	author.ids = ids;
	author.n_ids = 1;
	author.is_self = p->self;
	post.author = &author;
	post.channel = post.network = (char *)"x";
	post.kind = ASCOLTO__KIND__KIND_MESSAGE;
	post.surface = ASCOLTO__SURFACE__SURFACE_PUBLIC;
	post.text = (char *)(uintptr_t)p->text;
	post.created_at_ms = p->at_ms;
	known.customer_id = known.conversation_id = id_bytes(&who);
	known.language = u.language;
	known.route = (char *)(uintptr_t)p->who;
	m.post = &post;
	m.knowledge = &known;
	m.understanding = &u;
	env.id = env.trace_id = id_bytes(&id);
	env.brand = (char *)BRAND;
	env.key_group = r->key_group;
	env.occurred_ms = env.received_ms = p->at_ms;
	env.body_case = ASCOLTO__ENVELOPE__BODY_CLASSIFIED;
	env.classified = &m;
	handle(r, &env, p->at_ms);
}

const struct replay_event *replay_events(const struct replay *r, size_t *ret_n)
{
	*ret_n = r->n_events;
	return r->events;
}

size_t replay_topics(const struct replay *r)
{
	return topics_count(r->brand.topics);
}
