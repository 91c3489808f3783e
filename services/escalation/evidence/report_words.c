#include "services/escalation/evidence/report_words.h"

#define X(name, it, en) [name] = {it, en},
static const struct {
	const char *it, *en;
} words[W_ALL] = {REPORT_WORDS(X)};
#undef X

const char *report_word(enum report_word w, bool italian)
{
	return italian ? words[w].it : words[w].en;
}

static const struct {
	const char *what, *it, *en;
} events[] = {
	{"incident_opened", "Incidente aperto", "Incident opened"},
	{"incident_raised", "Codice alzato", "Code raised"},
	{"incident_wave", "Nuova ondata", "A new wave"},
	{"incident_calmed", "Codice abbassato", "Code lowered"},
	{"incident_acknowledged", "Preso in carico", "Acknowledged"},
	{"incident_closed", "Chiuso", "Closed"},
	{"playbook_loaded", "Manuale caricato", "Playbook loaded"},
	{"command", "Decisione", "Decision"},
	{"step_done", "Passo compiuto", "Step done"},
	{"step_late", "Passo in ritardo", "Step late"},
	{"crisis_began", "Inizia la modalità di crisi", "Crisis mode begins"},
	{"crisis_ended", "Fine della modalità di crisi", "Crisis mode is over"},
	{"answer_proposed", "Risposta a molti proposta", "Answer to many proposed"},
	{"answer_approved", "Risposta a molti approvata", "Answer to many approved"},
	{"answer_refused", "Risposta a molti fermata dal controllo", "Answer to many stopped by the check"},
	{"command_refused", "Decisione che non si poteva eseguire", "Decision that could not be carried out"},
	{"message_moved", "Messaggio spostato di corsia", "Message moved to the other lane"},
	{"alarm_sent", "consegnato in", "delivered within"},
	{"alarm_rejected", "rifiutato", "refused"},
	{"alarm_unknown", "esito ignoto", "result unknown"},
	{"alarm_expired", "scaduto", "expired"},
	{"incident_unanswered", "perché nessuno rispondeva", "because nobody answered"},
	{"ascolto", "regola", "rule"},
	{"people_about_one_topic", "regola: persone su un solo tema", "rule: people about one topic"},
};

const char *report_event(const char *what, bool italian)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (str_eq(events[i].what, what))
			return italian ? events[i].it : events[i].en;
	return what;
}
