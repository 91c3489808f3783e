/* report_words.h - every word of the report, in Italian and English; %s and %u are filled in by report.c. */
#ifndef ASCOLTO_ESCALATION_REPORT_WORDS_H
#define ASCOLTO_ESCALATION_REPORT_WORDS_H

#include "common/base.h"

/* name, Italian, English */
#define REPORT_WORDS(X)                                                                                                \
	X(W_TITLE, "Rapporto di chiusura", "Closing report")                                                           \
	X(W_TITLE_OPEN, "Rapporto provvisorio: l'incidente è ancora aperto", "Report so far: the incident is still open") \
	X(W_MESSAGES, "messaggi sul problema", "messages about the problem")                                           \
	X(W_PEOPLE, "persone diverse", "different people")                                                             \
	X(W_REACH, "seguaci di chi ha scritto", "followers of who wrote")                                              \
	X(W_CASES, "casi collegati", "cases connected")                                                                \
	X(W_TO_ACKNOWLEDGE, "alla presa in carico", "to acknowledge")                                                  \
	X(W_TO_CALM, "al ritorno alla calma", "until it was calm")                                                     \
	X(W_NOT_ACKNOWLEDGED, "mai presa in carico", "never acknowledged")                                             \
	X(W_NOT_CALM, "non ancora calmo", "not calm yet")                                                              \
	X(W_HAPPENED, "Che cosa è successo", "What happened")                                                          \
	X(W_DAMAGE, "Il danno: prima, durante, dopo", "The damage: before, during, after")                             \
	X(W_BEFORE, "prima", "before")                                                                                 \
	X(W_DURING, "durante", "during")                                                                               \
	X(W_AFTER, "dopo", "after")                                                                                    \
	X(W_FROM_TO, "da – a", "from – to")                                                                            \
	X(W_MESSAGES_HOUR, "messaggi all'ora", "messages an hour")                                                     \
	X(W_PEOPLE_ALL, "persone diverse", "different people")                                                         \
	X(W_NEGATIVE, "negativi", "negative")                                                                          \
	X(W_POSITIVE, "positivi", "positive")                                                                          \
	X(W_DEFENDED, "messaggi in difesa del marchio", "messages that defend the brand")                              \
	X(W_REACH_HOUR, "seguaci raggiunti all'ora", "followers reached an hour")                                      \
	X(W_CASES_HOUR, "casi aperti all'ora", "cases opened an hour")                                                 \
	X(W_ACKNOWLEDGE_TIME, "presa in carico di un caso, in media", "acknowledging a case, on average")              \
	X(W_CLOSED, "casi chiusi", "cases closed")                                                                     \
	X(W_LATE, "scadenze mancate", "clocks that ran out")                                                           \
	X(W_CHART_ABOUT, "Messaggi sul problema ogni %s", "Messages about the problem every %s")                       \
	X(W_CHART_ABOUT_PART, "in rosso quelli negativi, noti dal codice in poi", "the negative ones in red, known from the code on") \
	X(W_CHART_BRAND, "Tutti i messaggi al marchio ogni %s", "All messages to the brand every %s")                  \
	X(W_CHART_BRAND_PART, "in rosso quelli negativi, sfondo giallo: durante", "the negative ones in red, yellow ground: during") \
	X(W_OPENED_MARK, "codice giallo o rosso", "code given")                                                        \
	X(W_RED_MARK, "codice rosso", "code red")                                                                      \
	X(W_ACKNOWLEDGED_MARK, "presa in carico", "acknowledged")                                                      \
	X(W_CALM_MARK, "calmo", "calm")                                                                                \
	X(W_CLOSED_MARK, "chiuso", "closed")                                                                           \
	X(W_TIMELINE, "Cronologia delle decisioni", "Timeline of decisions")                                           \
	X(W_WHEN, "quando", "when")                                                                                    \
	X(W_WHAT, "che cosa", "what")                                                                                  \
	X(W_WHO, "chi", "who")                                                                                         \
	X(W_DETAIL, "dettaglio", "detail")                                                                             \
	X(W_LOG_CUT, "Sono mostrate le prime %u voci; le altre: ascolto audit show --incident %s", "The first %u entries are shown; the others: ascolto audit show --incident %s") \
	X(W_TOLD, "Chi è stato avvisato", "Who was told")                                                              \
	X(W_ACTOR, "ruolo", "role")                                                                                    \
	X(W_HOW, "avviso", "alarm")                                                                                    \
	X(W_ORDERED, "ordinato", "ordered")                                                                            \
	X(W_ENDED, "esito", "outcome")                                                                                 \
	X(W_NO_OUTCOME, "nessun esito finora", "no outcome so far")                                                    \
	X(W_NOBODY, "Nessuno è stato avvisato.", "Nobody was told.")                                                   \
	X(W_STEPS, "La lista del manuale", "The playbook's checklist")                                                 \
	X(W_STEP, "passo", "step")                                                                                     \
	X(W_DUE, "entro", "due")                                                                                       \
	X(W_DONE, "fatto", "done")                                                                                     \
	X(W_NOT_RECORDED, "non registrato", "not recorded")                                                            \
	X(W_QUOTES, "Che cosa ha scritto la gente", "What people wrote")                                               \
	X(W_IN_PRIVATE, "in privato", "in private")                                                                    \
	X(W_LINK, "dov'è stato scritto", "where it was written")                                                       \
	X(W_LESSONS, "Che cosa abbiamo imparato", "What we learnt")                                                    \
	X(W_NO_LESSONS, "Chi ha chiuso l'incidente non ha lasciato note.", "Who closed the incident left no notes.")   \
	X(W_LESSONS_LATER, "Si scrive quando l'incidente si chiude.", "To be written when the incident is closed.")    \
	X(W_MEASURED, "Come si è misurato", "How it was measured")                                                     \
	X(W_RULES, "regola", "rule")                                                                                   \
	X(W_COLLECTION, "Raccolta degli errori", "Collection of failures")                                             \
	X(W_NOTHING_YET, "Nessun incidente chiuso ha lasciato note.", "No closed incident has left notes yet.")        \
	X(W_UNTIL_NOW, "finora", "so far")

#define X(name, it, en) name,
enum report_word { REPORT_WORDS(X) W_ALL };
#undef X

const char *report_word(enum report_word w, bool italian);

/* An audit entry's `what`, an alarm's template, in words; as it is when it is not known. */
const char *report_event(const char *what, bool italian);

#endif
