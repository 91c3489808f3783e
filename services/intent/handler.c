#include "services/intent/intent.h"

#include "proto/state.pb-c.h"
#include "services/intent/classifier.h"

static const char *surface_word(Ascolto__Surface s)
{
	return s == ASCOLTO__SURFACE__SURFACE_PRIVATE ? "private" : "public";
}

enum verdict intent_enriched(struct turn *t, const Ascolto__Envelope *e, struct err *why)
{
	const Ascolto__Message *m = e->enriched;
	if (!m->post || !m->knowledge) {
		err_set(why, -EBADMSG, "the message has no post or no knowledge");
		return REJECT;
	}
	Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
	struct classifier_input in = {.text = span_str(m->post->text), .subject = span_str(m->post->subject),
		.lang = m->knowledge->language, .surface = surface_word(m->post->surface), .channel = m->post->network};
	if (classifier_predict(t->state, &in, t->arena, &u, why))
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
	return DONE;
}
