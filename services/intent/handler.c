#include "services/intent/intent.h"

#include "services/intent/external.h"

#define AHEAD_MAX ((size_t)64 * 1024 * 1024)

static const char *surface_word(Ascolto__Surface s)
{
	return s == ASCOLTO__SURFACE__SURFACE_PRIVATE ? "private" : "public";
}

static struct classifier_input input_of(const Ascolto__Message *m)
{
	return (struct classifier_input){.text = span_str(m->post->text), .subject = span_str(m->post->subject),
		.lang = m->knowledge->language, .surface = surface_word(m->post->surface), .channel = m->post->network};
}

/* A model server is asked about all messages of a turn at once. */
void intent_ahead(struct svc *s, void *state, const struct span *envelopes, size_t n)
{
	struct intent *in = state;
	struct classifier_input inputs[TURN_MAX];
	struct arena a;
	size_t used = 0;
	(void)s;
	if (!in->external || external_rests(in->external, n))
		return;
	arena_init(&a, AHEAD_MAX);
	for (size_t i = 0; i < n; i++) {
		Ascolto__Envelope *e = ascolto__envelope__unpack(arena_pb(&a), envelopes[i].len, envelopes[i].data);
		if (e && e->body_case == ASCOLTO__ENVELOPE__BODY_ENRICHED && e->enriched->post && e->enriched->knowledge)
			inputs[used++] = input_of(e->enriched);
	}
	if (used)
		external_ahead(in->external, inputs, used);
	arena_free(&a);
}

enum verdict intent_enriched(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Message *m = e->enriched;
	if (!m->post || !m->knowledge) {
		err_set(why, -EBADMSG, "the message has no post or no knowledge");
		return REJECT;
	}
	Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
	struct classifier_input in = input_of(m);
	if (classifier_predict(intent_classifier(t->state), &in, t->arena, &u, why))
		return REJECT;

	Ascolto__Envelope *out = turn_envelope(t, e, "classified", 0);
	Ascolto__Message read = *m;
	read.understanding = &u;
	out->body_case = ASCOLTO__ENVELOPE__BODY_CLASSIFIED;
	out->classified = &read;
	turn_emit(t, INTENT_TO_ESCALATION, LANE_NORMAL, out, span_str(e->brand));
	turn_count(t, "classified", 1);
	if (!u.intent || str_empty(u.intent->value))
		turn_count(t, "unknown", 1);
	return DONE;
}

static void one_more(void *state, void *arg)
{
	((struct intent *)state)->task[*(const int *)arg].fresh++;
}

enum verdict intent_correction(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	struct id id;
	State__StoredCorrection c = STATE__STORED_CORRECTION__INIT;
	struct key k = turn_key(t, &intent_tables[CORRECTIONS]);
	if (t->drill)
		return DONE; /* nothing is learnt from an exercise */
	if (id_of(e->correction->message_id, &id)) {
		err_set(why, -EBADMSG, "a correction without a message");
		return REJECT;
	}
	key_ms(&k, e->correction->at_ms);
	key_id(&k, &id);
	key_name(&k, e->correction->task);
	c.correction = e->correction;
	turn_put(t, &k, &c);
	turn_count(t, "corrections", 1);
	if (classifier_task(c.correction->task) >= 0) {
		int *task = arena_alloc(t->arena, sizeof(*task));
		if (!task)
			return RETRY;
		*task = classifier_task(c.correction->task);
		turn_effect(t, one_more, task);
	}
	return DONE;
}
