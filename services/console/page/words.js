// words.js - every word of the page, in Italian and English. A word that holds %s gets its parameter there.
const it = {
	skip: "Vai ai messaggi", i_am: "Sono", your_name: "il tuo nome", language: "Lingua",
	open_incidents: "Incidenti aperti", views: "Viste", inbox: "Messaggi", cases: "Casi",
	open_cases: "Casi aperti", show: "Mostra", older: "Messaggi precedenti",
	keys: "Tasti: j e k per scorrere, Invio per aprire, Esc per chiudere", live: "in diretta",
	connecting: "collegamento…", lost: "riconnessione…", n_messages: "messaggi", n_cases: "casi aperti",
	n_incidents: "incidenti aperti", n_alerts: "avvisi inviati", n_messages_1: "messaggio",
	n_cases_1: "caso aperto", n_incidents_1: "incidente aperto", n_alerts_1: "avviso inviato",
	services: "Servizi %s", all_well: "Tutto in ordine", health_unknown: "Servizi ?",
	filter_all: "Tutti", filter_needs_answer: "Da rispondere", filter_incident: "Nell'incidente",
	none_messages: "Nessun messaggio.", none_cases: "Nessun caso aperto.", today: "oggi",
	days_short: "g", within: "entro %s", late_by: "in ritardo di %s", dont_know: "non so",
	public: "in pubblico", private: "in privato", semi: "in un gruppo", self: "il marchio",
	repost: "ripubblicato", vip: "VIP", influencer: "influencer", partner: "partner", case: "caso",
	in_incident: "incidente", open_message: "Apri il messaggio di %s", cut: "…",
	anonymous: "senza nome", lane: "corsia %s", code_red: "ROSSO", code_yellow: "GIALLO",
	code_green: "VERDE", code_none: "", people_per_hour: "persone all'ora", normally: "di norma %s",
	messages_in_all: "%s messaggi in tutto", peak: "massimo %s", report: "Rapporto finora", close_incident: "Chiudi l'incidente",
	close_reason: "Perché è finito", close_lessons: "Che cosa abbiamo imparato (va nel rapporto e nella raccolta degli errori)", since: "Iniziato",
	red_since: "Rosso da", detected: "Rilevato", closed: "Chiuso", because: "Perché",
	steps: "Cosa fare", done: "fatto", to_do: "da fare", alerts: "Avvisi inviati",
	no_alerts: "Nessun avviso finora.", attempts: "%s tentativi", acknowledge: "Prendi in carico",
	tick: "Segna come fatto: %s", answers: "Risposte a molti", approve: "Approva",
	wordings_title: "Risposta a molti", wordings_edit: "Scrivi o modifica i testi", wordings_all: "Tutti i testi (%s)",
	wordings_how: "Ogni persona riceve uno di questi testi nella sua lingua, a turno. Servono almeno due testi per lingua; un canale può averne di suoi.",
	wordings_few: "Servono almeno %s testi diversi, oppure nessuno.", wordings_twice: "Due testi sono uguali.",
	wordings_for: "Casi aperti: %s", wordings_stopped: "Così non parte: guarda i testi segnati in rosso.", wordings_none: "Non c'è ancora nessun testo.", wordings_propose: "Manda in approvazione", wordings_add: "Aggiungi lingua o canale",
	wording: "Testo %s", wording_more: "Aggiungi un testo", wording_drop: "Togli il testo %s", drop: "Togli", every_channel: "tutti i canali", other_language: "altra lingua",
	propose_holding: "Proponi la prima risposta del manuale", answer_sent: "inviata a %s casi",
	answer_going: "in partenza, %s casi finora", answer_waits: "mancano %s approvazioni", answer_waits_1: "manca un'approvazione",
	advocates: "Sostenitori (%s)", listed_by: "in elenco per %s", praise_days: "giorni di elogi: %s",
	advocate_add: "Metti tra i sostenitori", advocate_drop: "Togli dai sostenitori",
	answer: "Risposta", answer_ready: "Testi pronti", answer_send: "Invia la risposta", answer_propose: "Proponi la risposta",
	answer_left: "partita", answer_not_left: "non è partita", answer_refused: "fermata dal controllo", approve_as: "Approvi come",
	approved_by: "approvata da %s", answer_needs: "Approvazioni che servono: %s", answer_needs_role: "Approvazioni che servono: %s (%s)",
	finding_blocks: "Ferma la risposta:", finding_look: "Da guardare:", finding_none: "Niente da segnalare.",
	finding_unknown: "Il controllo non risponde: la risposta sarà guardata prima di partire.",
	answer_left_out: "%s casi non raggiunti", crisis_since: "MODALITÀ DI CRISI da %s",
	alarms_held: "%s allarmi scaduti insieme: nessuno è stato chiamato. ", alarms_call: "Chiama tutti",
	alarms_drop: "Lascia cadere", note_due: "da dire in pubblico",
	acknowledged_by: "In carico a %s", sending: "Inviato…",
	refused: "Non è stato più possibile: %s", refused_seen: "Ho visto", "command.acknowledge_incident": "presa in carico dell'incidente",
	"command.close_incident": "chiusura dell'incidente", "command.acknowledge_case": "presa in carico del caso",
	"command.close_case": "chiusura del caso", "command.change_case": "cambiamento del caso", "command.correct": "correzione",
	"command.open_crisis": "inizio della modalità di crisi", "command.close_crisis": "fine della modalità di crisi",
	"command.done_step": "passo fatto", "command.move_message": "cambio di corsia", "command.propose_answer": "risposta",
	"command.approve_answer": "approvazione", "command.confirm_alarms": "allarmi", "command.keep_advocate": "elenco dei sostenitori",
	more: "Altro", "case.acknowledge": "Prendi in carico", "case.start": "Ci lavoro io", "case.wait": "In attesa del cliente",
	"case.offline": "Passa in privato", "case.hand_over": "Passa a un altro", "case.close": "Chiudi il caso",
	"case.reopen": "Riapri il caso", "case.note": "Scrivi cosa è stato detto in pubblico", "case.waive_note": "Non dire nulla in pubblico",
	hand_over_to: "A chi passa il caso", note_words: "Che cosa è stato scritto in pubblico", note_why_not: "Perché in pubblico non si dice nulla",
	note_was: "In pubblico: %s",
	crisis_begin: "Inizia modalità di crisi", crisis_hold: "Tieni accesa", crisis_end: "Termina", crisis_reason: "Perché",
	crisis_begin_means: "Chi è indicato nel manuale viene avvisato subito. Le richieste di servizio restano casi, la polemica non ne apre.",
	crisis_hold_means: "Resta accesa anche quando gli incidenti rossi sono chiusi, finché una persona non la termina.",
	crisis_end_means: "Se non la tiene accesa un incidente rosso finisce adesso, e chi è indicato nel manuale viene avvisato.",
	move_service: "Sposta nel servizio", move_polemic: "Sposta nella polemica",
	move_means: "Nel servizio c'è un caso con i suoi tempi, nella polemica no. Ascolto impara da ciò che si corregge e si sposta.",
	"case.merge": "Unisci un altro caso", "case.split": "Separa una conversazione", choose: "scegli", merge_other: "Il caso che diventa parte di questo",
	merge_means: "L'altro caso si chiude; quello che il cliente scrive ancora arriva qui, e vale il termine che scade prima.",
	split_which: "La conversazione che diventa un caso a sé", split_means: "Quello che arriva ancora in quella conversazione va nel caso nuovo.",
	name_first: "Scrivi prima il tuo nome, in alto.", failed: "Non riuscito: %s",
	offline: "la console non risponde", incident_new: "Incidente %s: %s",
	incident_acknowledged: "%s preso in carico da %s", incident_closed: "Incidente chiuso: %s",
	owner: "responsabile", first_answer: "prima risposta", solution: "soluzione", answered: "data %s",
	case_messages_1: "1 messaggio", case_messages: "%s messaggi", late: "in ritardo",
	updated_only: "i %s più urgenti di %s", close: "Chiudi",
	outcome: "Com'è finito", case_closed: "chiuso %s",
	back: "Indietro", original: "Apri dov'è stato scritto", open_case: "Vai al caso", what: "Cosa",
	where: "Dove", intention: "Intenzione", know: "Cosa sappiamo", rules: "Regole", action: "Azioni",
	text: "testo", subject: "oggetto", started_by: "chi ha iniziato", event: "evento",
	keywords: "parole chiave", attachments: "allegati", channel: "canale", visible: "visibile",
	place: "luogo", written: "scritto", arrived: "arrivato", decided: "deciso", intent: "intento",
	expectation: "si aspetta", sentiment: "tono", flags: "segnali", model: "modello",
	sure: "%s % sicuro", customer: "cliente", reach: "seguaci", known_since: "conosciuto dal",
	history: "finora", history_words: "messaggi %s, casi %s", last_outcome: "ultimo caso",
	matched: "regola", playbook: "manuale", no_rules: "Nessuna regola.", code: "codice", kind: "tipo",
	correct: "Correggi", correct_label: "Intenzione giusta", corrected: "Correzione inviata",
	whole_record: "Vedi la scheda", external: "verso l'esterno", internal: "interna", thread: "Messaggi del caso",
	not_found: "Non c'è (ancora).", rating: "stelle", "intent.ask_info": "chiede",
	"intent.report_fault": "segnala un guasto", "intent.order_status": "chiede dell'ordine",
	"intent.billing": "fattura o rimborso", "intent.cancel": "disdice", "intent.buy": "vuole comprare",
	"intent.change": "vuole cambiare", "intent.complain": "si lamenta", "intent.praise": "elogia",
	"intent.suggest": "propone", "intent.report_danger": "segnala un pericolo",
	"intent.attack": "attacca", "intent.joke": "scherza", "intent.spam": "spam",
	"intent.other": "altro", "expectation.information": "un'informazione",
	"expectation.repair": "una riparazione", "expectation.refund": "un rimborso",
	"expectation.apology": "delle scuse", "expectation.attention": "ascolto",
	"expectation.nothing": "nulla", "event.renewal": "rinnovo", "event.cancellation": "disdetta",
	"event.purchase": "acquisto", "event.complaint": "reclamo", "event.praise": "elogio",
	"event.question": "domanda", "event.none": "nessuno", "sentiment.negative": "negativo",
	"sentiment.neutral": "neutro", "sentiment.positive": "positivo", "lane.service": "servizio",
	"lane.polemic": "polemica", "lane.none": "nessuna", "state.new": "nuovo",
	"state.acknowledged": "preso in carico", "state.in_progress": "in lavorazione",
	"state.waiting": "in attesa del cliente", "state.offline": "altrove", "state.solved": "risolto",
	"state.closed": "chiuso", "state.reopened": "riaperto", "type.unknown": "non so", "type.prospect": "possibile cliente",
	"type.new": "cliente nuovo", "type.customer": "cliente", "type.complainer": "cliente scontento",
	"type.advocate": "sostenitore", "type.ex": "ex cliente", "initiator.customer": "un cliente",
	"initiator.brand": "il marchio", "initiator.partner": "un partner",
	"initiator.influencer": "un influencer", "initiator.unknown": "non so",
	"place.social": "rete sociale", "place.email": "posta", "place.phone": "telefono",
	"place.review": "recensioni", "place.blog": "blog", "place.forum": "forum", "place.chat": "chat",
	"result.planned": "in partenza", "result.attempting": "in corso", "result.sent": "consegnato",
	"result.rejected": "rifiutato", "result.retry": "si riprova", "result.unknown": "esito ignoto",
	"result.expired": "scaduto", "result.withheld": "trattenuto (esercitazione)", "result.done": "fatto", "action.store": "conservato",
	"action.open_case": "aperto un caso", "action.add_to_case": "aggiunto al caso",
	"action.join_incident": "unito all'incidente", "action.no_case": "nessun caso",
	"action.open_incident": "aperto un incidente", "action.raise_incident": "incidente salito di codice", "action.new_wave": "nuova ondata",
	"result.gathered": "raccolto con altri", "result.nobody to tell": "nessuno da avvisare", "action.notify": "avvisate le persone",
	"action.escalate": "salito di livello", "network.email": "E-mail", "network.phone": "Telefono",
	"network.reviews": "Recensioni", "outcome.solved": "Risolto", "outcome.refunded": "Rimborsato",
	"outcome.explained": "Spiegato", "outcome.no_answer_needed": "Non serviva risposta",
	"flag.safety": "pericolo", "flag.outage": "tocca molti", "flag.management": "contro la direzione", "flag.legal": "vie legali",
	"flag.insult": "insulti", "flag.boycott": "boicottaggio", "flag.irony": "ironia", "flag.media": "stampa e pubblico",
	"flag.personal_data": "dati personali", "flag.vulnerable": "persona fragile", "flag.churn_risk": "vuole andarsene",
};

const en = {
	skip: "Go to the messages", i_am: "I am", your_name: "your name", language: "Language",
	open_incidents: "Open incidents", views: "Views", inbox: "Messages", cases: "Cases",
	open_cases: "Open cases", show: "Show", older: "Earlier messages",
	keys: "Keys: j and k to move, Enter to open, Esc to close", live: "live", connecting: "connecting…",
	lost: "reconnecting…", n_messages: "messages", n_cases: "open cases", n_incidents: "open incidents",
	n_alerts: "alerts sent", n_messages_1: "message", n_cases_1: "open case",
	n_incidents_1: "open incident", n_alerts_1: "alert sent", services: "Services %s",
	all_well: "All is well", health_unknown: "Services ?", filter_all: "All",
	filter_needs_answer: "Needs answer", filter_incident: "In the incident",
	none_messages: "No messages.", none_cases: "No open cases.", today: "today", days_short: "d",
	within: "within %s", late_by: "%s late", dont_know: "don't know", public: "in public",
	private: "in private", semi: "in a group", self: "the brand", repost: "repost", vip: "VIP",
	influencer: "influencer", partner: "partner", case: "case", in_incident: "incident",
	open_message: "Open the message of %s", cut: "…", anonymous: "no name", lane: "%s lane",
	code_red: "RED", code_yellow: "YELLOW", code_green: "GREEN", code_none: "",
	people_per_hour: "people per hour", normally: "normally %s", messages_in_all: "%s messages in all",
	peak: "%s at most", report: "Report so far", close_incident: "Close the incident",
	close_reason: "Why it is over", close_lessons: "What we learnt (goes into the report and the collection of failures)", since: "Began", red_since: "Red since", detected: "Detected", closed: "Closed",
	because: "Because", steps: "What to do", done: "done", to_do: "to do", alerts: "Alerts sent",
	no_alerts: "No alerts so far.", attempts: "%s attempts", acknowledge: "Acknowledge",
tick: "Tick as done: %s", answers: "Answers to many", approve: "Approve",
	wordings_title: "Answer to many", wordings_edit: "Write or edit the texts", wordings_all: "All texts (%s)",
	wordings_how: "Each person gets one of these texts in their language, in turns. At least two texts for each language; a channel may have its own.",
	wordings_few: "At least %s different texts are needed, or none.", wordings_twice: "Two texts are the same.",
	wordings_for: "Open cases: %s", wordings_stopped: "It can not leave like this: look at the texts marked in red.", wordings_none: "There is no text yet.", wordings_propose: "Send for approval", wordings_add: "Add a language or channel",
	wording: "Text %s", wording_more: "Add a text", wording_drop: "Remove text %s", drop: "Remove", every_channel: "all channels", other_language: "another language",
	propose_holding: "Propose the playbook's first answer", answer_sent: "sent to %s cases",
	answer_going: "going out, %s cases so far", answer_waits: "%s approvals missing", answer_waits_1: "one approval missing",
	advocates: "Advocates (%s)", listed_by: "listed by %s", praise_days: "days of praise: %s",
	advocate_add: "Add to the advocates", advocate_drop: "Take off the advocates",
	answer: "Answer", answer_ready: "Texts that are ready", answer_send: "Send the answer", answer_propose: "Propose the answer",
	answer_left: "sent", answer_not_left: "not sent", answer_refused: "stopped by the check", approve_as: "You approve as",
	approved_by: "approved by %s", answer_needs: "Approvals needed: %s", answer_needs_role: "Approvals needed: %s (%s)",
	finding_blocks: "Stops the answer:", finding_look: "To look at:", finding_none: "Nothing to say to it.",
	finding_unknown: "The check does not answer: the text will be looked at before it leaves.",
	answer_left_out: "%s cases not reached", crisis_since: "CRISIS MODE since %s",
	alarms_held: "%s alarms fell due together: nobody was called. ", alarms_call: "Call everybody",
	alarms_drop: "Drop them", note_due: "to be said in public",
	acknowledged_by: "Acknowledged by %s", sending: "Sent…",
	refused: "It was too late for this: %s", refused_seen: "Seen", "command.acknowledge_incident": "acknowledging the incident",
	"command.close_incident": "closing the incident", "command.acknowledge_case": "acknowledging the case",
	"command.close_case": "closing the case", "command.change_case": "changing the case", "command.correct": "the correction",
	"command.open_crisis": "beginning crisis mode", "command.close_crisis": "ending crisis mode",
	"command.done_step": "the step that was ticked", "command.move_message": "changing the lane", "command.propose_answer": "the answer",
	"command.approve_answer": "the approval", "command.confirm_alarms": "the alarms", "command.keep_advocate": "the list of advocates",
	more: "More", "case.acknowledge": "Acknowledge", "case.start": "I work on it", "case.wait": "Wait for the customer",
	"case.offline": "Move to private", "case.hand_over": "Hand over", "case.close": "Close the case",
	"case.reopen": "Open it again", "case.note": "Say what was said in public", "case.waive_note": "Say nothing in public",
	hand_over_to: "Who gets the case", note_words: "What was written in public", note_why_not: "Why nothing is said in public",
	note_was: "In public: %s",
	crisis_begin: "Begin crisis mode", crisis_hold: "Hold it on", crisis_end: "End it", crisis_reason: "Why",
	crisis_begin_means: "Those the playbook names are told at once. Service requests stay cases, polemic opens none.",
	crisis_hold_means: "It stays on when the red incidents are closed, until a person ends it.",
	crisis_end_means: "Unless a red incident holds it on it ends now, and those the playbook names are told.",
	move_service: "Move to service", move_polemic: "Move to polemic",
	move_means: "In service there is a case with its clocks, in polemic there is none. Ascolto learns from what is corrected and moved.",
	"case.merge": "Merge another case into it", "case.split": "Split off a conversation", choose: "choose", merge_other: "The case that becomes part of this one",
	merge_means: "The other case is closed; what its customer writes from now on comes here, and the term that ends sooner holds.",
	split_which: "The conversation that becomes a case of its own", split_means: "What else arrives in that conversation goes to the new case.",
	name_first: "Write your name first, at the top.", failed: "That did not work: %s",
	offline: "the console does not answer", incident_new: "%s incident: %s",
	incident_acknowledged: "%s acknowledged by %s", incident_closed: "Incident closed: %s",
	owner: "owner", first_answer: "first answer", solution: "solution", answered: "given %s",
	case_messages_1: "1 message", case_messages: "%s messages", late: "late",
	updated_only: "the %s most urgent of %s", close: "Close",
	outcome: "How it ended", case_closed: "closed %s", back: "Back",
	original: "Open where it was written", open_case: "Go to the case", what: "What", where: "Where",
	intention: "Intention", know: "What we know", rules: "Rules", action: "Actions", text: "text",
	subject: "subject", started_by: "started by", event: "event", keywords: "keywords",
	attachments: "attachments", channel: "channel", visible: "visible", place: "place",
	written: "written", arrived: "arrived", decided: "decided", intent: "intent",
	expectation: "expects", sentiment: "tone", flags: "signals", model: "model", sure: "%s % sure",
	customer: "customer", reach: "followers", known_since: "known since", history: "so far",
	history_words: "messages %s, cases %s", last_outcome: "last case", matched: "rule",
	playbook: "playbook", no_rules: "No rules.", code: "code", kind: "kind", correct: "Correct",
	correct_label: "Right intention", corrected: "Correction sent", whole_record: "See the record", external: "external",
	internal: "internal", thread: "Messages of the case", not_found: "Not there (yet).",
	rating: "stars", "intent.ask_info": "asks", "intent.report_fault": "reports a fault",
	"intent.order_status": "asks about an order", "intent.billing": "billing or refund",
	"intent.cancel": "cancels", "intent.buy": "wants to buy", "intent.change": "wants a change",
	"intent.complain": "complains", "intent.praise": "praises", "intent.suggest": "suggests",
	"intent.report_danger": "reports danger", "intent.attack": "attacks", "intent.joke": "jokes",
	"intent.spam": "spam", "intent.other": "other", "expectation.information": "information",
	"expectation.repair": "a repair", "expectation.refund": "a refund",
	"expectation.apology": "an apology", "expectation.attention": "attention",
	"expectation.nothing": "nothing", "event.renewal": "renewal", "event.cancellation": "cancellation",
	"event.purchase": "purchase", "event.complaint": "complaint", "event.praise": "praise",
	"event.question": "question", "event.none": "none", "sentiment.negative": "negative",
	"sentiment.neutral": "neutral", "sentiment.positive": "positive", "lane.service": "service",
	"lane.polemic": "polemic", "lane.none": "none", "state.new": "new",
	"state.acknowledged": "acknowledged", "state.in_progress": "in progress",
	"state.waiting": "waiting for the customer", "state.offline": "elsewhere", "state.solved": "solved",
	"state.closed": "closed", "state.reopened": "reopened", "type.unknown": "don't know", "type.prospect": "prospect",
	"type.new": "new customer", "type.customer": "customer", "type.complainer": "complainer",
	"type.advocate": "advocate", "type.ex": "ex-customer", "initiator.customer": "a customer",
	"initiator.brand": "the brand", "initiator.partner": "a partner",
	"initiator.influencer": "an influencer", "initiator.unknown": "don't know",
	"place.social": "social network", "place.email": "mail", "place.phone": "phone",
	"place.review": "reviews", "place.blog": "blog", "place.forum": "forum", "place.chat": "chat",
	"result.planned": "about to go", "result.attempting": "going", "result.sent": "delivered",
	"result.rejected": "refused", "result.retry": "trying again", "result.unknown": "result unknown",
	"result.expired": "expired", "result.withheld": "withheld (drill)", "result.done": "done", "action.store": "stored",
	"action.open_case": "case opened", "action.add_to_case": "added to the case",
	"action.join_incident": "joined the incident", "action.no_case": "no case",
	"action.open_incident": "incident opened", "action.raise_incident": "incident raised", "action.new_wave": "a new wave",
	"result.gathered": "gathered with others", "result.nobody to tell": "nobody to tell", "action.notify": "people told",
	"action.escalate": "escalated", "network.email": "E-mail", "network.phone": "Phone",
	"network.reviews": "Reviews", "outcome.solved": "Solved", "outcome.refunded": "Refunded",
	"outcome.explained": "Explained", "outcome.no_answer_needed": "No answer was needed",
	"flag.safety": "danger", "flag.outage": "hits many", "flag.management": "against those who lead", "flag.legal": "legal steps",
	"flag.insult": "insults", "flag.boycott": "boycott", "flag.irony": "irony", "flag.media": "press and public",
	"flag.personal_data": "personal data", "flag.vulnerable": "vulnerable person", "flag.churn_risk": "may leave",
};

const languages = { it, en };

function preferred() {
	const kept = localStorage.getItem("ascolto.language");
	if (kept in languages)
		return kept;
	return (navigator.language || "en").toLowerCase().startsWith("it") ? "it" : "en";
}

let current = preferred();

export const language = () => current;

export function setLanguage(name) {
	current = name in languages ? name : "en";
	localStorage.setItem("ascolto.language", current);
}

// The words for a key; parameters take the place of %s in turn.
export function t(key, ...parameters) {
	const text = languages[current][key] ?? key;
	return parameters.reduce((s, p) => s.replace("%s", () => String(p)), text);
}

// A value of a fixed set in words: label("intent", "ask_info"). Unknown values are shown as they are, without
// underscores; an empty one means that nobody knows.
export function label(set, value) {
	if (!value || value === "unknown")
		return languages[current][`${set}.unknown`] ?? t("dont_know");
	return languages[current][`${set}.${value}`] ?? value.replaceAll("_", " ");
}

// "italiano", "inglese": in the language of the page.
export function languageName(code) {
	if (code === "other")
		return t("other_language");
	try {
		return new Intl.DisplayNames([current], { type: "language" }).of(code);
	} catch {
		return code || t("dont_know");
	}
}

// An actor of the playbook, as words.
export const actorWords = (name) => (name || "").replaceAll("_", " ");

const networks = new Map(Object.entries({
	x: "X", facebook: "Facebook", instagram: "Instagram", whatsapp: "WhatsApp", telegram: "Telegram",
	youtube: "YouTube", mastodon: "Mastodon", bluesky: "Bluesky", linkedin: "LinkedIn", reddit: "Reddit",
	tiktok: "TikTok",
}));

export const network = (row) =>
	networks.get(row.network) ?? languages[current][`network.${row.network}`] ??
	(row.network || row.channel || "?");

export const surface = (word) => (["public", "semi", "private"].includes(word) ? t(word) : t("dont_know"));

// Fills the fixed words of the page.
export function translatePage() {
	document.documentElement.lang = current;
	for (const e of document.querySelectorAll("[data-t]"))
		e.textContent = t(e.dataset.t);
	for (const e of document.querySelectorAll("[data-t-label]"))
		e.setAttribute("aria-label", t(e.dataset.tLabel));
	for (const e of document.querySelectorAll("[data-t-placeholder]"))
		e.setAttribute("placeholder", t(e.dataset.tPlaceholder));
	for (const b of document.querySelectorAll("[data-language]"))
		b.setAttribute("aria-pressed", String(b.dataset.language === current));
}
