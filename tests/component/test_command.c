/* The operator's command against services that are played by this test: six addresses with canned answers. */
#include "common/buf.h"
#include "common/http.h"
#include "tests/unit/check.h"

#include <jansson.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	INGEST,
	ENRICHMENT,
	INTENT,
	ESCALATION,
	NOTIFICATION,
	CONSOLE,
	SERVICES,
	HOOK = SERVICES,
	PAGES,
	ADDRESSES
};

#define ID_A "01J8ZQ5T7W000000000000000A"
#define ID_B "01J8ZQ5T7W000000000000000B"

static uv_loop_t loop;
static char folder[64];

/* One address. What a test sets is what it answers. */
static struct played {
	struct http *http;
	int port;
	const char *status;  /* GET /-/status; NULL: 404 */
	const char *list;    /* GET /-/quarantine */
	const char *item;    /* GET /-/quarantine/ID and /api/v1/messages/ID; NULL: 404 */
	unsigned act_status; /* POST /-/quarantine/ID/... */
	char acted[256];
} played[ADDRESSES];

/* The deliveries that came, and the answers they get in turn. */
static struct {
	unsigned n;
	const char *answers[4]; /* "503" or a status, a blank and a body */
	char bodies[4][512];
	char ids[4][64];
	bool signed_right;
} hooks;

static void reply_text(struct http_request *r, const char *text)
{
	if (text)
		http_reply(r, 200, "application/json", span_str(text));
	else
		http_reply_error(r, 404, "not here");
}

static void get_status(struct http_request *r, void *ctx)
{
	reply_text(r, ((struct played *)ctx)->status);
}

/* Pages as the real one does: nothing comes after the last id. */
static void get_list(struct http_request *r, void *ctx)
{
	struct played *p = ctx;
	reply_text(r, http_query(r, "after") ? "{\"items\":[],\"total\":0}"
		      : p->list		     ? p->list
					     : "{\"items\":[],\"total\":0}");
}

static void get_item(struct http_request *r, void *ctx)
{
	reply_text(r, ((struct played *)ctx)->item);
}

static void post_item(struct http_request *r, void *ctx)
{
	struct played *p = ctx;
	size_t len = strlen(p->acted);
	snprintf(p->acted + len, sizeof(p->acted) - len, "%s ", http_path_rest(r));
	if (p->act_status == 200)
		http_reply_text(r, 200, "done\n");
	else
		http_reply_error(r, p->act_status, "it was refused again: no brand");
}

static bool signature_is_right(struct http_request *r)
{
	long long t;
	char hex[65] = "", expected[65], head[32];
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	const char *header = http_header(r, "X-Ascolto-Signature");
	if (!header || sscanf(header, "t=%lld,v1=%64s", &t, hex) != 2 || llabs(t - (long long)time(NULL)) > 5)
		return false;
	snprintf(head, sizeof(head), "%lld.", t);
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)"s3cret", 6);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)head, strlen(head));
	crypto_auth_hmacsha256_update(&state, http_body(r).data, http_body(r).len);
	crypto_auth_hmacsha256_final(&state, mac);
	return str_eq(sodium_bin2hex(expected, sizeof(expected), mac, sizeof(mac)), hex) &&
	       str_eq(http_header(r, "Content-Type"), "application/json");
}

static void post_hook(struct http_request *r, void *ctx)
{
	(void)ctx;
	unsigned n = hooks.n++;
	hooks.signed_right =
		(n == 0 || hooks.signed_right) && signature_is_right(r) && str_eq(http_path_rest(r), "c");
	const char *answer = n < ARRAY_SIZE(hooks.answers) && hooks.answers[n] ? hooks.answers[n] : "200 {}";
	if (n < ARRAY_SIZE(hooks.bodies)) {
		struct span body = http_body(r);
		snprintf(hooks.bodies[n], sizeof(hooks.bodies[n]), "%.*s", (int)body.len,
			(const char *)body.data);
		snprintf(hooks.ids[n], sizeof(hooks.ids[n]), "%s", http_header(r, "X-Ascolto-Delivery"));
	}
	char *body;
	unsigned status = (unsigned)strtoul(answer, &body, 10);
	if (status == 503)
		http_reply_header(r, "Retry-After", "1");
	http_reply(r, status, "application/json", span_str(body));
}

static struct http_route routes[ADDRESSES][8];

static int play(unsigned i)
{
	struct http_route *r = routes[i];
	r[0] = (struct http_route){"GET", "/-/status", get_status, &played[i], ""};
	r[1] = (struct http_route){"GET", "/-/quarantine", get_list, &played[i], ""};
	r[2] = (struct http_route){"GET", "/-/quarantine/*", get_item, &played[i], ""};
	r[3] = (struct http_route){"POST", "/-/quarantine/*", post_item, &played[i], ""};
	r[4] = (struct http_route){"POST", "/hook/*", post_hook, &played[i], ""};
	r[5] = (struct http_route){"GET", "/api/v1/messages/*", get_item, &played[i], ""};
	/* Settings take ports below 32768 only, so the system's choice will not do. */
	for (int port = 20000 + (int)(getpid() % 1000) * 10; port < 32768; port++) {
		char address[32];
		bool taken = false;
		for (unsigned j = 0; j < i; j++)
			taken |= played[j].port == port;
		snprintf(address, sizeof(address), "127.0.0.1:%d", port);
		const struct http_options o = {.address = address, .routes = routes[i]};
		if (!taken && http_open(&played[i].http, &loop, &o, NULL) == 0) {
			played[i].port = port;
			return 0;
		}
	}
	return -1;
}

/* ---- running the command ---- */

static struct {
	int64_t status;
	int open; /* handles of the run that are not closed yet */
	struct buf out, complaints;
} ran;

static void room_for(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
	static char room[65536];
	(void)h;
	(void)suggested;
	*b = uv_buf_init(room, sizeof(room));
}

static void handle_closed(uv_handle_t *h)
{
	(void)h;
	ran.open--;
}

static void have_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	if (n > 0)
		buf_add(s->data, b->base, (size_t)n);
	else if (n < 0)
		uv_close((uv_handle_t *)s, handle_closed);
}

static void has_ended(uv_process_t *p, int64_t status, int signal)
{
	ran.status = signal ? -signal : status;
	uv_close((uv_handle_t *)p, handle_closed);
}

/* "ascolto -c CONF" and the words of `line`; returns the exit status. */
static int64_t run(const char *line)
{
	static char words[512], conf[128], program[] = BINARY_DIR "/bin/ascolto", option[] = "-c";
	char *argv[16] = {program, option, conf}, *save = NULL;
	size_t argc = 3;
	snprintf(conf, sizeof(conf), "%s/conf.yaml", folder);
	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w && argc < 15; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	uv_pipe_t out, complaints;
	uv_process_t process;
	uv_pipe_init(&loop, &out, 0);
	uv_pipe_init(&loop, &complaints, 0);
	buf_reset(&ran.out);
	buf_reset(&ran.complaints);
	out.data = &ran.out;
	complaints.data = &ran.complaints;
	uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&out},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&complaints}};
	const uv_process_options_t options = {.file = program,
		.args = argv,
		.exit_cb = has_ended,
		.stdio = stdio,
		.stdio_count = 3,
		.cwd = folder};
	assert_int_equal(uv_spawn(&loop, &process, &options), 0);
	ran.open = 3;
	uv_read_start((uv_stream_t *)&out, room_for, have_read);
	uv_read_start((uv_stream_t *)&complaints, room_for, have_read);
	while (ran.open)
		uv_run(&loop, UV_RUN_ONCE);
	return ran.status;
}

static void said(const char *text)
{
	if (!strstr(buf_str(&ran.out), text))
		fail_msg("missing: %s\nin:\n%s\ncomplaints:\n%s", text, buf_str(&ran.out),
			buf_str(&ran.complaints));
}

static void complained(const char *text)
{
	if (!strstr(buf_str(&ran.complaints), text))
		fail_msg("missing: %s\nin the complaints:\n%s\noutput:\n%s", text, buf_str(&ran.complaints),
			buf_str(&ran.out));
}

static void put(const char *name, const char *text, mode_t mode)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	chmod(path, mode);
}

/* ---- the scene ---- */

static int build(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ascolto-command-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(folder) || uv_loop_init(&loop))
		return -1;
	buf_init(&ran.out, 1 << 20);
	buf_init(&ran.complaints, 1 << 20);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (play(i))
			return -1;
	put("p.yaml",
		"name: p\nversion: 1\nactors: [{name: desk, title: Desk}]\n"
		"kinds: [{name: rest, title: Rest, code: green, owner: desk}]\n"
		"incidents: [{code: red, chain: [{after_minutes: 0, actor: desk}]}]\n"
		"voices: [{name: short, networks: [x], signature: true, signatures: [Acme], max_characters: 40}]\n"
		"crisis: {holding: [{language: en, texts: [We are on it. Acme, We look at it now.]}]}\n",
		0644);
	put("key", "s3cret\n", 0600);
	char conf[2048];
	static const char *const names[] = {
		"ingest", "enrichment", "intent", "escalation", "notification", "console"};
	size_t len = (size_t)snprintf(conf, sizeof(conf),
		"brands: [{name: b, playbook: p.yaml}]\n"
		"channels:\n  - {name: c, brand: b, network: x, adapter: webhook, secret_file: "
		"key}\nservices:\n");
	for (unsigned i = 0; i < SERVICES; i++) {
		len += (size_t)snprintf(conf + len, sizeof(conf) - len, "  %s:\n    http: 127.0.0.1:%d\n",
			names[i], played[i].port);
		if (i == INGEST || i == CONSOLE)
			len += (size_t)snprintf(conf + len, sizeof(conf) - len, "    listen: 127.0.0.1:%d\n",
				played[i == INGEST ? HOOK : PAGES].port);
	}
	put("conf.yaml", conf, 0644);
	return 0;
}

static int clear_away(void **state)
{
	(void)state;
	char command[128];
	for (unsigned i = 0; i < ADDRESSES; i++)
		http_close(&played[i].http);
	uv_run(&loop, UV_RUN_DEFAULT);
	buf_free(&ran.out);
	buf_free(&ran.complaints);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return uv_loop_close(&loop) || system(command) ? -1 : 0;
}

#define STATUS(name, ready, issues, links, quarantine, counters)                                             \
	"{\"service\":\"" name "\",\"version\":\"0.1.0\",\"pid\":1,\"up_seconds\":75.4,\"ready\":" ready     \
	",\"issues\":[" issues                                                                               \
	"],\"queue\":{\"messages\":3,\"bytes\":10},\"lag_seconds\":0.25,\"links\":[" links                   \
	"],\"quarantine\":" quarantine                                                                       \
	",\"store\":{\"used_bytes\":1,\"max_bytes\":2},\"memory_bytes\":9123456,\"counters\":{" counters     \
	"}}"

/* All is well, everywhere. */
static int begin(void **state)
{
	(void)state;
	static const char *const status[] = {
		STATUS("ingest", "true", "",
			"{\"to\":\"enrichment\",\"state\":\"up\",\"unacknowledged\":7,\"oldest_seconds\":0."
			"5}",
			"0", "\"accepted\":415,\"duplicates\":2"),
		STATUS("enrichment", "true", "", "", "0", ""),
		STATUS("intent", "true", "", "", "0", ""),
		STATUS("escalation", "true", "", "", "0", "\"arm_records\":415"),
		STATUS("notification", "true", "", "", "0", ""),
		STATUS("console", "true", "", "", "0", ""),
	};
	memset(&hooks, 0, sizeof(hooks));
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct http *http = played[i].http;
		int port = played[i].port;
		played[i] = (struct played){.http = http,
			.port = port,
			.act_status = 200,
			.status = i < SERVICES ? status[i] : NULL};
	}
	return 0;
}

static void all_is_well(void **state)
{
	(void)state;
	assert_int_equal(run("status"), 0);
	assert_string_equal(buf_str(&ran.out),
		"service         up  ready    lag  queue  unacknowledged  quarantine  memory\n"
		"ingest        75 s  yes    0.2 s      3       7 (0.5 s)           0  9.1 MB\n"
		"enrichment    75 s  yes    0.2 s      3               0           0  9.1 MB\n"
		"intent        75 s  yes    0.2 s      3               0           0  9.1 MB\n"
		"escalation    75 s  yes    0.2 s      3               0           0  9.1 MB\n"
		"notification  75 s  yes    0.2 s      3               0           0  9.1 MB\n"
		"console       75 s  yes    0.2 s      3               0           0  9.1 MB\n"
		"\n"
		"accepted 415 = ARM records 415\n");
	assert_string_equal(buf_str(&ran.complaints), "");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	char expected[200];
	int down = played[NOTIFICATION].port;
	http_close(&played[NOTIFICATION].http);
	uv_run(&loop, UV_RUN_NOWAIT);
	played[ENRICHMENT].status = "{\"service\":";
	played[INTENT].status =
		STATUS("intent", "false", "\"the disk is full\", \"no model \\u001b[31m\"", "", "1", "");
	played[ESCALATION].status = STATUS("escalation", "true", "", "", "0", "\"arm_records\":413");
	played[CONSOLE].status = STATUS("intent", "true", "", "", "0", "");
	assert_int_equal(run("status"), 1);
	said("\nintent        75 s  no ");
	said("\nenrichment       ?  - ");
	said("\nnotification  down  - ");
	said("\nconsole          ?  - ");
	said("\nintent: the disk is full\nintent: no model \\x1b[31m\n");
	snprintf(expected, sizeof(expected),
		"\nnotification does not answer at 127.0.0.1:%d: Connection refused; is it running?\n", down);
	said(expected);
	snprintf(expected, sizeof(expected),
		"\nenrichment at 127.0.0.1:%d answered 200 with something that is not JSON: ",
		played[ENRICHMENT].port);
	said(expected);
	snprintf(expected, sizeof(expected),
		"\nat 127.0.0.1:%d, where console should answer, answers \"intent\"; look at the ports",
		played[CONSOLE].port);
	said(expected);
	said("\n\naccepted 415, ARM records 413: 2 on their way (1 in quarantine at intent)\n");

	assert_int_equal(run("status -o json"), 1);
	json_t *j = json_loads(buf_str(&ran.out), 0, NULL), *services = json_object_get(j, "services");
	assert_non_null(j);
	assert_true(json_is_false(json_object_get(j, "ok")));
	assert_int_equal(json_array_size(services), 6);
	assert_true(json_is_false(json_object_get(json_array_get(services, NOTIFICATION), "up")));
	assert_true(json_is_true(json_object_get(json_array_get(services, INTENT), "up")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(j, "balance"), "on_their_way")), 2);
	json_decref(j);

	played[INGEST].status = NULL;
	assert_int_equal(run("status"), 1);
	said("\nthe balance is unknown while it can not be asked of ingest\n");
}

#define ITEM(id, more)                                                                                       \
	"{\"id\":\"" id "\",\"at_ms\":1772000000000,\"from\":\"ingest: channel c\",\"reason\":\"no such "    \
			"kind\",\"attempts\":3,"                                                             \
	"\"bytes\":123" more "}"

static void quarantine_is_listed_and_shown(void **state)
{
	(void)state;
	played[INGEST].list = "{\"items\":[" ITEM(ID_A, "") "," ITEM(ID_B, "") "],\"total\":2}";
	played[INGEST].item = ITEM(
		ID_A, ",\"envelope\":{\"intake\":{\"place\":\"storm.jsonl:17\"}},\"raw\":\"{\\\"a\\\":1\"");
	assert_int_equal(run("quarantine list ingest"), 0);
	said("service  id                          when                     tries  bytes  from               "
	     "reason\n"
	     "ingest   " ID_A "  2026-02-25 06:13:20 UTC      3    123  ingest: channel c  no such kind\n");
	said("\n2 messages in quarantine; ");
	assert_int_equal(run("quarantine list intent"), 0);
	said("nothing is in quarantine\n");
	assert_int_equal(run("quarantine list inget"), 1);
	complained("ascolto: there is no service \"inget\"; the services are ingest, ");
	assert_int_equal(run("quarantine show " ID_A), 0);
	said("service   ingest\nid        " ID_A "\n");
	said("place     storm.jsonl:17\nraw       {\"a\":1\n");
	played[INGEST].item = NULL;
	assert_int_equal(run("quarantine show " ID_A), 1);
	complained("ascolto: no service has " ID_A " in quarantine\n");
	assert_int_equal(run("quarantine show ../../x"), 1);
	complained("is not an id");
	assert_int_equal(run("quarantine show"), 2);
	played[INTENT].list = "[]";
	assert_int_equal(run("quarantine list"), 1);
	complained("ascolto: intent at 127.0.0.1:");
	complained("answered 200 with something that is not a JSON object\n");
}

static void quarantine_is_replayed_and_dropped(void **state)
{
	(void)state;
	played[INGEST].list = "{\"items\":[" ITEM(ID_A, "") "," ITEM(ID_B, "") "],\"total\":2}";
	played[INTENT].list = "{\"items\":[" ITEM(ID_B, "") "],\"total\":1}";
	played[INTENT].item = ITEM(ID_B, "");
	played[INTENT].act_status = 409;
	assert_int_equal(run("quarantine replay all ingest"), 0);
	assert_string_equal(played[INGEST].acted, ID_A "/replay " ID_B "/replay ");
	said("2 messages replayed, 0 could not be\n");
	assert_int_equal(run("quarantine replay all"), 1);
	said("2 messages replayed, 1 could not be\n");
	complained("ascolto: " ID_B " at intent could not be replayed: it was refused again: no brand\n");
	assert_int_equal(run("quarantine replay " ID_B), 1);
	played[INTENT].act_status = 200;
	played[INTENT].acted[0] = 0;
	assert_int_equal(run("quarantine drop " ID_B), 0);
	assert_string_equal(played[INTENT].acted, ID_B "/drop ");
	said(ID_B " at intent was dropped\n");
}

static void an_arm_record_is_readable(void **state)
{
	(void)state;
	played[PAGES].item =
		"{\"arm\":{\"message_id\":\"" ID_A
		"\",\"brand\":\"b\",\"occurred_ms\":1772000000000,\"received_ms\":1772000001000,"
		"\"decided_ms\":1772000001000,\"initiator\":\"customer\",\"place\":\"social\",\"playbook\":"
		"\"b 3\",\"code\":\"yellow\","
		"\"message\":{\"post\":{\"channel\":\"c\",\"network\":\"x\",\"author\":{\"handle\":\"anna\","
		"\"name\":\"Anna R.\"},"
		"\"text\":\"it leaks\\nagain "
		"\\u001b[2J\"},\"knowledge\":{\"customer_type\":\"customer\",\"vip\":true,\"reach\":12,"
		"\"cases\":1},\"understanding\":{\"intent\":{\"value\":\"complaint\",\"probability\":0.934},"
		"\"expectation\":{\"probability\":0.31},\"keywords\":[\"leak\",\"tap\"]}},"
		"\"rules\":[{\"rule\":\"complaints open a "
		"case\",\"facts\":[{\"name\":\"intent\",\"value\":\"complaint\"}]}],"
		"\"actions\":[{\"name\":\"store\",\"actor\":\"ascolto\",\"at_ms\":1772000001000,\"result\":"
		"\"done\"}]}}";
	assert_int_equal(run("arm show " ID_A), 0);
	assert_string_equal(buf_str(&ran.out),
		"ARM record of message " ID_A ", brand b, decided 2026-02-25 06:13:21 UTC\n\n"
		"WHAT\n  author        anna (Anna R.)\n  initiator     customer\n"
		"  text          it leaks\n                again \\x1b[2J\n  keywords      leak, tap\n"
		"WHERE\n  channel       c\n  network       x\n  place         social\n"
		"  written       2026-02-25 06:13:20 UTC\n  received      2026-02-25 06:13:21 UTC\n"
		"INTENTION\n  intent        complaint (0.93)\n  expectation   does not know (0.31)\n"
		"KNOW\n  type          customer\n  vip           yes\n  reach         12\n  cases         1, "
		"0 open\n"
		"RULES\n  playbook      b 3\n  matched       complaints open a case, because intent = "
		"complaint\n"
		"  code          yellow\n"
		"ACTION\n  store         done by ascolto, 2026-02-25 06:13:21 UTC\n");
	assert_int_equal(run("arm show " ID_A " -o json"), 0);
	said("\"message_id\": \"" ID_A "\"");
	played[PAGES].item = NULL;
	assert_int_equal(run("arm show " ID_A), 1);
	complained("ascolto: there is no ARM record of " ID_A
		   "; if the message was accepted a moment ago it is on its way: "
		   "see ascolto status\n");
}

static void lines_are_sent_signed(void **state)
{
	(void)state;
	put("in.jsonl", "{\"a\":1}\n\n{\"a\":\n{\"a\":2}\r\n[3]\n{\"a\":4}", 0644);
	hooks.answers[0] = "503";
	hooks.answers[1] = "422 {\"error\":\"1 post "
			   "refused\",\"accepted\":1,\"refused\":[{\"index\":1,\"reason\":\"no kind\"}]}";
	hooks.answers[2] = "200 {\"accepted\":1}";
	assert_int_equal(run("send in.jsonl --batch 2"), 1);
	assert_true(hooks.signed_right);
	assert_int_equal(hooks.n, 3);
	assert_string_equal(hooks.bodies[0], "{\"posts\":[{\"a\":1},{\"a\":2}]}");
	assert_string_equal(hooks.bodies[1], hooks.bodies[0]);
	assert_string_equal(hooks.ids[1], hooks.ids[0]);
	assert_string_equal(hooks.bodies[2], "{\"posts\":[{\"a\":4}]}");
	assert_string_not_equal(hooks.ids[2], hooks.ids[1]);
	complained("in.jsonl:3: line 1, column ");
	complained("in.jsonl:5: a post is a JSON object\n");
	complained("in.jsonl:4: no kind\n");
	complained("in.jsonl:1: ingest asks to wait; trying again\n");
	said("in.jsonl: 3 posts sent to channel c: 2 accepted, 3 refused\n");
}

static void sending_says_why_it_can_not(void **state)
{
	(void)state;
	put("one.jsonl", "{\"a\":1}\n", 0644);
	hooks.answers[0] = "401 {\"error\":\"the signature does not match\"}";
	assert_int_equal(run("send one.jsonl"), 1);
	complained("ascolto: ingest refuses the signature: the signature does not match; is ");
	said("one.jsonl: 0 posts sent to channel c: 0 accepted, 0 refused; the rest was not sent\n");
	hooks.n = 0;
	hooks.answers[0] = "404 {\"error\":\"x\"}";
	assert_int_equal(run("send one.jsonl --channel c"), 1);
	complained("has no webhook for channel c; was it started with ");
	assert_int_equal(run("send none.jsonl"), 1);
	complained("ascolto: none.jsonl: No such file or directory\n");
	assert_int_equal(run("send one.jsonl --channel d"), 1);
	complained("has no channel \"d\"\n");
	assert_int_equal(run("send one.jsonl --batch 0"), 2);
	assert_int_equal(run("send"), 2);
	assert_int_equal(run("send -"), 0); /* standard input is empty here */
	said("standard input: 0 posts sent to channel c: 0 accepted, 0 refused\n");
}

static void a_configuration_is_checked(void **state)
{
	(void)state;
	assert_int_equal(run("check"), 0);
	said("/conf.yaml is right\n");
	said("brand b (b): playbook ");
	said("  hears c: network x, adapter webhook\n");
	assert_int_equal(run("check -o json"), 0);
	said("\"ok\": true");
	put("bad.yaml", "brnds: []\n", 0644);
	assert_int_equal(run("check bad.yaml"), 1);
	complained("ascolto: bad.yaml:1:1: there is no key \"brnds\" here; did you mean \"brands\"?\n");
	assert_int_equal(run("check bad.yaml -o json"), 1);
	said("\"ok\": false");
	assert_int_equal(run("check none.yaml"), 1);
	complained("ascolto: none.yaml: No such file or directory\n");
	put("bad-playbook.yaml",
		"name: p\nversion: 1\nactors: [{name: desk, title: Desk}]\n"
		"kinds: [{name: rest, title: Rest, code: green, owner: nobody}]\n"
		"incidents: [{code: red, chain: [{after_minutes: 0, actor: desk}]}]\n",
		0644);
	put("other.yaml", "brands: [{name: b, playbook: bad-playbook.yaml}]\n", 0644);
	assert_int_equal(run("check other.yaml"), 1);
	complained("rest names the actor \"nobody\", which is not among the actors");
}

/* Texts that are kept ready are looked at with the configuration, and any other when somebody asks. */
static void texts_are_looked_at(void **state)
{
	(void)state;
	assert_int_equal(run("check"), 0);
	said("p.yaml: crisis.holding[0].texts[1] on c: It is not signed by who answers\n");
	assert_int_equal(run("check -o json"), 0);
	said("\"rule\": \"signature\"");
	put("long.yaml",
		"name: p\nversion: 1\nactors: [{name: desk, title: Desk}]\n"
		"kinds: [{name: rest, title: Rest, code: green, owner: desk}]\n"
		"incidents: [{code: red, chain: [{after_minutes: 0, actor: desk}]}]\n"
		"voices: [{name: short, networks: [x], max_characters: 10}]\n"
		"crisis: {holding: [{language: en, texts: [Soon, Soon we will be back]}]}\n",
		0644);
	put("other.yaml", "brands: [{name: b, playbook: long.yaml}]\nchannels: [{name: c, brand: b, network: x, adapter: webhook, "
		"secret_file: key}]\n", 0644);
	assert_int_equal(run("check other.yaml"), 1);
	complained("long.yaml:7:49: this text could not be sent on c: It is too long for this channel (20/10)");
	assert_int_equal(run("draft check --channel c Acme"), 0);
	said("voice short, 4 of 40 weighted");
	said("nothing to say\n");
	assert_int_equal(run("draft check --channel c --by Ada +393331234567"), 1);
	said("stops  private_data: In public nobody writes a telephone number: move to private\n");
	said("look   signature: It is not signed by who answers\n");
	assert_int_equal(run("draft check --channel c --private --by Ada +393331234567 -o json"), 0);
	said("\"blocks\": false");
	assert_int_equal(run("draft check --channel d Acme"), 2);
	complained("there is no channel \"d\"");
	assert_int_equal(run("draft check"), 2);
	assert_int_equal(run("draft check --channel"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_is_well, begin),
		cmocka_unit_test_setup(quarantine_is_listed_and_shown, begin),
		cmocka_unit_test_setup(quarantine_is_replayed_and_dropped, begin),
		cmocka_unit_test_setup(an_arm_record_is_readable, begin),
		cmocka_unit_test_setup(lines_are_sent_signed, begin),
		cmocka_unit_test_setup(sending_says_why_it_can_not, begin),
		cmocka_unit_test_setup(a_configuration_is_checked, begin),
		cmocka_unit_test_setup(texts_are_looked_at, begin),
		cmocka_unit_test_setup(what_is_wrong_is_said, begin),
	};
	return cmocka_run_group_tests(tests, build, clear_away);
}
