/* The console under test, and this process as its neighbours. */
/* A test is one file to the build. */
#include "tests/component/peer.c"
#include "tests/component/program.c"
#include "tests/component/views.c"

#include "tests/component/console_stage.h"

#include <signal.h>

struct installation in;
struct peer *escalation;
pid_t console;
int port;

void open_peer(void)
{
	static char send_to[64], listen[64];
	struct err e = {0};
	snprintf(send_to, sizeof(send_to), "tcp://127.0.0.1:%d",
		installation_port(&in, "console", ADDRESS_LINK));
	snprintf(listen, sizeof(listen), "tcp://127.0.0.1:%d",
		installation_port(&in, "escalation", ADDRESS_LINK));
	struct peer_options o = {.name = "escalation", .send_to = send_to, .listen = listen};
	if (peer_open(&escalation, &o, &e))
		fail_msg("%s", err_text(&e));
}

int setup(void **state)
{
	(void)state;
	installation_open(&in, NULL);
	port = installation_port(&in, "console", ADDRESS_LISTEN);
	console = program_start(&in, "console");
	assert_true(console > 0);
	open_peer();
	return 0;
}

int teardown(void **state)
{
	(void)state;
	peer_close(&escalation);
	int status = program_stop(&console, SIGTERM);
	installation_close(&in);
	return status;
}

void sent(void)
{
	assert_true(peer_wait_sent(escalation, 15000));
}

/* ---- asking ---- */

json_t *get(const char *path)
{
	struct reply r = talk(port, "GET", path, NULL, NULL);
	json_t *j = r.body ? json_loads(r.body, 0, NULL) : NULL;
	if (r.status != 200 || !j)
		fail_msg("%s gave %d %s", path, r.status, r.body ? r.body : "");
	reply_free(&r);
	return j;
}

json_t *at(json_t *j, const char *path)
{
	while (j && *path) {
		char part[64];
		size_t len = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		j = json_is_array(j) ? json_array_get(j, (size_t)strtoul(part, NULL, 10))
				     : json_object_get(j, part);
		path += len + (path[len] == '.');
	}
	return j;
}

void expect_in(json_t *j, const char *path, const char *want, const char *where)
{
	json_t *v = at(j, path);
	char *text = json_is_string(v) ? strdup(json_string_value(v))
		     : v	       ? json_dumps(v, JSON_ENCODE_ANY)
				       : strdup("");
	if (!str_eq(text, want)) {
		char *all = json_dumps(j, JSON_INDENT(1));
		fail_msg("%s: %s is \"%s\", not \"%s\", in\n%s", where, path, text, want, all);
	}
	free(text);
}

void expect(const char *where, const char *path, const char *want)
{
	json_t *j = get(where);
	expect_in(j, path, want, where);
	json_decref(j);
}

void expect_count(const char *where, const char *list, size_t want)
{
	json_t *j = get(where);
	if (json_array_size(at(j, list)) != want)
		fail_msg("%s: %s has %zu entries, not %zu", where, list, json_array_size(at(j, list)), want);
	json_decref(j);
}

const char *path_of(const char *fmt, const char *name)
{
	static char path[16][200];
	static int n;
	char id[ID_TEXT + 1];
	n = (n + 1) % 16;
	const char *mark = strstr(fmt, "%s");
	snprintf(path[n], sizeof(path[n]), "%.*s%s%s", (int)(mark - fmt), fmt, view_id_text(name, id),
		mark + 2);
	return path[n];
}

void refused(const char *method, const char *path, const char *head, const char *body, int status,
	const char *words)
{
	struct reply r = talk(port, method, path, head, body);
	if (r.status != status || !strstr(r.body, "{\"error\": \"") || !strstr(r.body, words))
		fail_msg("%s %s gave %d %s instead of %d %s", method, path, r.status, r.body, status, words);
	reply_free(&r);
}

/* ---- things to show ---- */

void say(const char *name, int minute, const char *text, const char *case_name, const char *incident_name)
{
	view_message(escalation, &(struct made_message){.name = name,
					 .occurred_ms = T0 + minute * 60000,
					 .channel = "brezza-x",
					 .network = "x",
					 .handle = name,
					 .who = name,
					 .text = text,
					 .intent = "report_fault",
					 .expectation = "repair",
					 .event = "complaint",
					 .sentiment = "negative",
					 .lane = "service",
					 .code = YELLOW,
					 .case_name = case_name,
					 .incident_name = incident_name});
}

void keep_case(const char *name, Ascolto__CaseState state, int updated_minute)
{
	view_case(escalation, &(struct made_case){.name = name,
				      .customer = "Anna",
				      .title = "modem",
				      .code = YELLOW,
				      .state = state,
				      .opened_ms = T0,
				      .updated_ms = T0 + updated_minute * 60000,
				      .channel = "brezza-x"});
}

void keep_incident(Ascolto__Code code, unsigned people)
{
	view_incident(escalation, &(struct made_incident){.name = "fault",
					  .title = "Modem fermi",
					  .code = code,
					  .people = people,
					  .opened_ms = T0,
					  .detected_ms = T0 + 500,
					  .examples = {"m2", "m1"},
					  .steps = {"community manager: rispondere"},
					  .steps_from_ms = T0});
}
