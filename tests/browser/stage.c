/*
 * stage - the console with made-up data, for the browser's test and for looking at the page by hand.
 *
 * Starts ascolto-console in a temporary folder, plays escalation, prints the page's address and the port on
 * which the console asks escalation, and then does what the lines on its standard input say, answering each
 * with "ok" when it is committed:
 *
 *     storm              the day of a fault: messages, cases, an incident that becomes red, alerts
 *     payloads           the corpus of payloads.txt in every field a stranger can write
 *     message TEXT       one new message
 *     people N           so many wrote about the incident
 *     acknowledged WHO   the incident is taken care of
 *     advocate WHO       comes on the list of advocates
 *     no_advocate WHO    goes off it
 *     held N             so many alarms are held
 *     crisis WHO         holds crisis mode on
 *     no_crisis          it is over
 *     stop, start        the console alone
 *
 * It ends with its standard input.
 */
#include "tests/component/peer.c"
#include "tests/component/program.c"
#include "tests/component/views.c"

#include <signal.h>
#include <sodium.h>

#include "tests/browser/storm.h"

#define PAYLOADS_MAX 64

static struct installation in;
static struct peer *escalation;
static pid_t console;
static int64_t now_ms;

static void keep_case(size_t n)
{
	view_case(escalation,
		&(struct made_case){.name = cases[n].name,
			.customer = cases[n].customer,
			.title = cases[n].title,
			.channel = cases[n].channel,
			.owner = cases[n].code == RED ? "strategist" : "community_manager",
			.code = cases[n].code,
			.state = cases[n].state,
			.opened_ms = now_ms - 1800000,
			.updated_ms = now_ms - (int64_t)n * 1000,
			.acknowledge_due_ms = now_ms + cases[n].first * 60000,
			.resolve_due_ms = now_ms + cases[n].solve * 60000,
			.acknowledged_ms = cases[n].answered ? now_ms - cases[n].answered * 60000 : 0,
			.late = cases[n].first < 0});
}

static void keep_incident(Ascolto__Code code, unsigned people, const char *who)
{
	view_incident(escalation,
		&(struct made_incident){.name = "fault",
			.title = "Modem fermi dopo l'aggiornamento",
			.because = "208 persone diverse in 60 minuti, 2,1 di norma: oltre la soglia di 120 e "
				   "di quattro deviazioni",
			.code = code,
			.people = people,
			.peak = people,
			.messages = people + 33,
			.normal = 2.1,
			.alerts = 3,
			.opened_ms = AT(18, 31),
			.red_ms = code == RED ? AT(19, 4) : 0,
			.detected_ms = now_ms - 340000,
			.acknowledged_by = who,
			.acknowledged_ms = who ? now_ms : 0,
			.steps = {"+community_manager: Fermare post programmati e risposte automatiche",
				"strategist: Verificare i fatti con l'assistenza tecnica",
				"community_manager: Pubblicare una prima risposta: abbiamo visto, stiamo "
				"lavorando, prossimo "
				"aggiornamento alle ore …",
				"strategist: Scusarsi dove il guasto è stato segnalato, con lo stesso "
				"hashtag",
				"area_manager: Decidere rimborsi e messaggio della direzione"},
			.steps_from_ms = now_ms - 1920000,
			.examples = {"m05", "m06", "m09"},
			.keywords = {"modem", "luce rossa", "aggiornamento"}});
}

static void crisis(const char *person, bool ended)
{
	view_crisis(escalation, &(struct made_crisis){.since_ms = now_ms - 340000,
					.ended_ms = ended ? now_ms : 0,
					.person = person,
					.because = person ? "Modem fermi in tutta la regione"
							  : "Un incidente è diventato rosso"});
}

static void storm(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		keep_case(i);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		view_message(escalation, &messages[i]);
	keep_incident(YELLOW, 41, NULL);
	keep_incident(RED, 208, NULL);
	view_delivery(escalation, "o1", "fault", "crisis-mail", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT,
		"250 2.0.0 ok", now_ms - 339000);
	view_delivery(escalation, "o2", "fault", "crisis-hook", ASCOLTO__DELIVERY_RESULT__DELIVERY_SENT,
		"200", now_ms - 338000);
	view_delivery(escalation, "o3", "fault", "agency-hook", ASCOLTO__DELIVERY_RESULT__DELIVERY_RETRY,
		"503 Service Unavailable", now_ms - 20000);
	crisis(NULL, false);
	view_answer(escalation, &(struct made_answer){.name = "a1", .incident_name = "fault", .by = "Ugo Valli", .approvals_needed = 1,
		.text = "Abbiamo visto il guasto e i tecnici ci lavorano. Le scriviamo qui appena c'è una novità. Brezza",
		.rule = "promise", .it = "«garantiamo» è una promessa: si può mantenere?", .approver = "area_manager",
		.proposed_ms = now_ms - 60000});
	view_answer(escalation, &(struct made_answer){.name = "a2", .case_name = "c3", .by = "Ugo Valli", .refused = true,
		.text = "La chiamiamo al 333 1234567", .rule = "private_data",
		.it = "In pubblico non si scrive un numero di telefono: passate in privato", .proposed_ms = now_ms - 50000});
	view_advocate(escalation, "Rita Amadori", messages[0].name, now_ms - (int64_t)6 * 86400000, false);
	view_advocate(escalation, "Oscar B.", messages[1].name, now_ms - 7200000, false);
}

/* One payload in every field that comes from outside or from settings. */
static void show_payload(size_t n, const char *text)
{
	char name[3][24];
	snprintf(name[0], sizeof(name[0]), "p-m%zu", n);
	snprintf(name[1], sizeof(name[1]), "p-c%zu", n);
	snprintf(name[2], sizeof(name[2]), "p-i%zu", n);
	view_message(escalation, &(struct made_message){.name = name[0],
					 .occurred_ms = AT(20, 0) + (int64_t)n * 1000,
					 .channel = text,
					 .network = text,
					 .handle = text,
					 .who = text,
					 .text = text,
					 .subject = text,
					 .intent = text,
					 .expectation = text,
					 .event = text,
					 .sentiment = text,
					 .lane = text,
					 .code = YELLOW,
					 .case_name = name[1],
					 .rule = text,
					 .last_outcome = text});
	view_case(escalation, &(struct made_case){.name = name[1],
				      .customer = text,
				      .title = text,
				      .owner = text,
				      .channel = text,
				      .lane = text,
				      .code = YELLOW,
				      .opened_ms = now_ms,
				      .updated_ms = now_ms,
				      .acknowledge_due_ms = now_ms + 60000,
				      .resolve_due_ms = now_ms + 120000});
	view_answer(escalation, &(struct made_answer){.name = name[2], .case_name = name[1], .by = text, .text = text, .rule = text,
		.it = text, .approver = text, .approved_by = text, .approvals_needed = 2});
	if (n >= 3)
		return;
	view_incident(escalation, &(struct made_incident){.name = name[2],
					  .title = text,
					  .because = text,
					  .code = YELLOW,
					  .people = 3,
					  .opened_ms = now_ms,
					  .detected_ms = now_ms,
					  .keywords = {text}});
	view_delivery(escalation, name[1], name[2], text, ASCOLTO__DELIVERY_RESULT__DELIVERY_REJECTED, text,
		now_ms);
}

static void payloads(void)
{
	static char line[4096];
	FILE *f = fopen(PAYLOADS, "r");
	for (size_t n = 0; f && n < PAYLOADS_MAX && fgets(line, sizeof(line), f); n++) {
		line[strcspn(line, "\n")] = 0;
		show_payload(n, line);
	}
	if (f)
		fclose(f);
}

static void one_message(const char *text)
{
	static unsigned n;
	char name[24];
	snprintf(name, sizeof(name), "new%u", n);
	view_message(escalation, &(struct made_message){.name = name,
					 .occurred_ms = AT(19, 30) + (int64_t)n++ * 1000,
					 .channel = "brezza-x",
					 .network = "x",
					 .handle = "nuova_voce",
					 .who = "Nuova Voce",
					 .text = text,
					 .intent = "complain",
					 .expectation = "attention",
					 .event = "complaint",
					 .sentiment = "negative",
					 .lane = "service",
					 .code = YELLOW});
}

static const char *obey(const char *line)
{
	if (str_eq(line, "storm"))
		storm();
	else if (str_eq(line, "payloads"))
		payloads();
	else if (strncmp(line, "message ", 8) == 0)
		one_message(line + 8);
	else if (strncmp(line, "acknowledged ", 13) == 0)
		keep_incident(RED, 208, line + 13);
	else if (strncmp(line, "people ", 7) == 0)
		keep_incident(RED, (unsigned)strtoul(line + 7, NULL, 10), NULL);
	else if (strncmp(line, "advocate ", 9) == 0)
		view_advocate(escalation, line + 9, messages[10].name, now_ms, false);
	else if (strncmp(line, "no_advocate ", 12) == 0)
		view_advocate(escalation, line + 12, messages[10].name, now_ms, true);
	else if (strncmp(line, "held ", 5) == 0)
		view_held_alarms(escalation, (unsigned)strtoul(line + 5, NULL, 10));
	else if (strncmp(line, "crisis ", 7) == 0)
		crisis(line + 7, false);
	else if (str_eq(line, "no_crisis"))
		crisis(NULL, true);
	else if (str_eq(line, "stop"))
		program_stop(&console, SIGTERM);
	else if (str_eq(line, "start"))
		console = program_start(&in, "console");
	else
		return "what?";
	return console <= 0 || peer_wait_sent(escalation, 20000) ? "ok" : "not committed";
}

int main(void)
{
	static char line[8192], send_to[64], listen_at[64];
	struct err e = {0};
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	now_ms = (int64_t)ts.tv_sec * 1000;
	if (sodium_init() < 0)
		return 1;
	installation_open(&in, "channels:\n  - {name: brezza-x, brand: brezza, network: x, adapter: webhook, "
			       "settings: [insecure=yes]}\n");
	console = program_start(&in, "console");
	snprintf(send_to, sizeof(send_to), "tcp://127.0.0.1:%d",
		installation_port(&in, "console", ADDRESS_LINK));
	snprintf(listen_at, sizeof(listen_at), "tcp://127.0.0.1:%d",
		installation_port(&in, "escalation", ADDRESS_LINK));
	struct peer_options o = {.name = "escalation", .send_to = send_to, .listen = listen_at};
	if (console <= 0 || peer_open(&escalation, &o, &e)) {
		fprintf(stderr, "the console does not start: %s\n", err_text(&e));
		return 1;
	}
	printf("http://127.0.0.1:%d %d\n", installation_port(&in, "console", ADDRESS_LISTEN),
		installation_port(&in, "escalation", ADDRESS_HTTP));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		printf("%s\n", obey(line));
		fflush(stdout);
	}
	peer_close(&escalation);
	program_stop(&console, SIGTERM);
	installation_close(&in);
	return 0;
}
