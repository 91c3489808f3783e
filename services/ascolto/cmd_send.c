/*
 * `ascolto send`: the posts of a JSON lines file as signed webhook deliveries.
 *
 * A line is one post, as an adapter would give it. Lines go in batches to POST /hook/CHANNEL of ingest's
 * `listen` address; a delivery that gets no answer, or is asked to wait, is made again with the same delivery
 * id, so nothing is taken twice. Lines that are not JSON are named and left out; lines ingest refuses are
 * named with its reason.
 */
#include "common/conf.h"
#include "common/id.h"
#include "common/json.h"
#include "services/ascolto/ascolto.h"
#include "services/ascolto/client.h"
#include "services/ascolto/show.h"

#include <sodium.h>
#include <unistd.h>

#define BATCH_DEFAULT 100
#define BATCH_MAX 1000
#define BODY_MAX ((size_t)1000 * 1000)		   /* ingest takes 1 MiB ... */
#define MEMBERS_MAX (JSON_MEMBERS_MAX - BATCH_MAX) /* ... and this many members in one body */
#define SILENCE_MAX_S 30			   /* nobody answers */
#define WAIT_MAX_S 600				   /* "ask again later" */

struct send {
	const struct command_options *options;
	const struct conf *conf;
	const struct conf_channel *channel;
	char *secret;
	const char *name; /* of the file */
	size_t batch;
	struct buf body; /* of the batch being filled */
	size_t members;
	size_t n;		   /* posts in it */
	uint64_t lines[BATCH_MAX]; /* where each came from */
	uint64_t line, sent, accepted, duplicates, refused;
	json_t *refusals;
};

static void refuse(struct send *s, uint64_t at, const char *reason)
{
	s->refused++;
	if (json_array_size(s->refusals) < 1000)
		json_array_append_new(
			s->refusals, json_pack("{s:I, s:s}", "line", (json_int_t)at, "reason", reason));
	fflush(stdout);
	fprintf(stderr, "%s:%" PRIu64 ": ", s->name, at);
	show_text(stderr, reason, 0);
	putc('\n', stderr);
}

/* t=<unix seconds>,v1=<hex HMAC-SHA256 over "<t>.<body>"> */
static void sign(const struct send *s, char *out, size_t size)
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	char hex[2 * sizeof(mac) + 1], head[32];
	int n = snprintf(head, sizeof(head), "%lld.", (long long)time(NULL));
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)s->secret, strlen(s->secret));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)head, (size_t)n);
	crypto_auth_hmacsha256_update(&state, s->body.data, s->body.len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	snprintf(out, size, "X-Ascolto-Signature: t=%.*s,v1=%s", n - 1, head, hex);
	sodium_memzero(&state, sizeof(state));
}

/* What ingest says of a batch it looked at: 200 or 422. */
static void take_answer(struct send *s, const json_t *answer, long status)
{
	json_t *refused = json_object_get(answer, "refused"), *item;
	size_t i, named = 0;
	json_array_foreach(refused, i, item)
	{
		int64_t index = member_int(item, "index");
		if (index < 0 || (size_t)index >= s->n)
			continue;
		refuse(s, s->lines[index], member_text(item, "reason"));
		named++;
	}
	if (status == 422 && !named) {
		const char *reason = member_text(answer, "error");
		for (i = 0; i < s->n; i++)
			refuse(s, s->lines[i], reason[0] ? reason : "refused without a reason");
		return;
	}
	json_t *accepted = json_object_get(answer, "accepted");
	s->accepted += json_is_integer(accepted) ? (uint64_t)json_integer_value(accepted) : s->n - named;
	s->duplicates += (uint64_t)member_int(answer, "duplicates");
}

/* Says why the batch can not be delivered, and what to do. */
static int give_up(const struct send *s, const struct client_reply *reply)
{
	json_t *answer = json_loadb(buf_str(&reply->body), reply->body.len, 0, NULL);
	const char *said = member_text(answer, "error");
	const char *address = s->conf->services.ingest.listen, *channel = s->channel->name;
	int r;
	if (reply->status == 401)
		r = command_fail("ingest refuses the signature: %s; is %s the secret it was started with, "
				 "and is the clock "
				 "of this machine right?",
			said, s->channel->secret_file);
	else if (reply->status == 404)
		r = command_fail("ingest at %s has no webhook for channel %s; was it started with %s?",
			address, channel, s->conf->path);
	else if (reply->status == 413 && s->n > 1)
		r = command_fail("%s: the lines %" PRIu64 " to %" PRIu64
				 " are too much at once; try --batch %zu",
			s->name, s->lines[0], s->lines[s->n - 1], s->n / 2);
	else
		r = command_fail("%s: line %" PRIu64
				 " and after were not sent: ingest at %s answered %ld%s%s",
			s->name, s->lines[0], address, reply->status, said[0] ? ": " : "", said);
	json_decref(answer);
	return r;
}

/* How long to wait before the next try; -1 = no more tries. */
static int64_t pause_before_next(
	const struct send *s, int r, const struct client_reply *reply, int64_t waited_s, const struct err *e)
{
	bool silent = r < 0;
	if (!silent && reply->status != 503 && reply->status != 429)
		return -1;
	if (waited_s >= (silent ? SILENCE_MAX_S : WAIT_MAX_S)) {
		command_fail("%s: line %" PRIu64
			     " and after were not sent: %s; send the file again later: what was taken is "
			     "not taken twice",
			s->name, s->lines[0], silent ? err_text(e) : "ingest asked to wait for ten minutes");
		return -2;
	}
	if (waited_s == 0)
		fprintf(stderr, "%s:%" PRIu64 ": %s; trying again\n", s->name, s->lines[0],
			silent ? err_text(e) : "ingest asks to wait");
	return silent ? 1 : MAX(1, MIN(reply->retry_after_s, 60));
}

static int deliver(struct send *s)
{
	char signature[160], delivery[64], id_text[ID_TEXT + 1], path[128];
	struct id id = id_random((int64_t)time(NULL) * 1000);
	snprintf(delivery, sizeof(delivery), "X-Ascolto-Delivery: %s", id_format(&id, id_text));
	snprintf(path, sizeof(path), "/hook/%s", s->channel->name);
	const char *const headers[] = {"Content-Type: application/json", signature, delivery, NULL};
	for (int64_t waited_s = 0;;) {
		sign(s, signature, sizeof(signature));
		const struct client_call call = {.service = "ingest",
			.address = s->conf->services.ingest.listen,
			.method = "POST",
			.path = path,
			.headers = headers,
			.body = buf_span(&s->body),
			.timeout_ms = CLIENT_ACT_MS};
		struct client_reply reply = {0};
		struct err e = {0};
		int r = client_call(&call, &reply, &e);
		if (r == 0 && (reply.status == 200 || reply.status == 202 || reply.status == 422)) {
			json_t *answer = json_loadb(buf_str(&reply.body), reply.body.len, 0, NULL);
			take_answer(s, answer, reply.status);
			json_decref(answer);
			buf_free(&reply.body);
			s->sent += s->n;
			return COMMAND_OK;
		}
		int64_t pause_s = pause_before_next(s, r, &reply, waited_s, &e);
		if (pause_s == -1)
			give_up(s, &reply);
		buf_free(&reply.body);
		if (pause_s < 0)
			return COMMAND_FAILED;
		sleep((unsigned)pause_s);
		waited_s += pause_s;
	}
}

/* Sends what is gathered and begins a new batch. */
static int flush(struct send *s)
{
	int r = COMMAND_OK;
	if (s->n) {
		buf_adds(&s->body, "]}");
		r = deliver(s);
	}
	buf_reset(&s->body);
	s->n = s->members = 0;
	return r;
}

/* More than or as many as the members and elements of a JSON text, counted without parsing it. */
static size_t count_members(struct span text)
{
	size_t n = 1;
	for (size_t i = 0; i < text.len; i++)
		n += text.data[i] == ',' || text.data[i] == '{' || text.data[i] == '[';
	return n;
}

static int add_line(struct send *s, struct span text)
{
	while (text.len && strchr(" \t\r", text.data[text.len - 1]))
		text.len--;
	if (!text.len)
		return COMMAND_OK;
	json_t *j = NULL;
	struct err e = {0};
	int r = json_parse(text, &j, &e);
	bool object = r == 0 && json_is_object(j);
	json_decref(j);
	if (!object) {
		refuse(s, s->line, r < 0 ? err_text(&e) : "a post is a JSON object");
		return COMMAND_OK;
	}
	size_t members = count_members(text);
	if (s->n == s->batch ||
		(s->n && (s->body.len + text.len > BODY_MAX || s->members + members > MEMBERS_MAX))) {
		r = flush(s);
		if (r != COMMAND_OK)
			return r;
	}
	buf_adds(&s->body, s->n ? "," : "{\"posts\":[");
	buf_add(&s->body, text.data, text.len);
	s->members += members;
	s->lines[s->n++] = s->line;
	return COMMAND_OK;
}

/* One line without its end, at most `max` bytes of it; the rest is skipped and *ret_cut set. False at the
 * end. */
static bool read_line(FILE *in, struct buf *out, bool *ret_cut)
{
	int c;
	bool any = false;
	buf_reset(out);
	*ret_cut = false;
	while ((c = getc_unlocked(in)) != EOF) {
		any = true;
		if (c == '\n')
			break;
		if (out->len < BODY_MAX)
			buf_add(out, &(uint8_t){(uint8_t)c}, 1);
		else
			*ret_cut = true;
	}
	return any;
}

static int send_lines(struct send *s, FILE *in)
{
	struct buf text;
	bool cut;
	int r = COMMAND_OK;
	buf_init(&text, BODY_MAX + 1);
	buf_init(&s->body, 2 * BODY_MAX);
	while (r == COMMAND_OK && read_line(in, &text, &cut)) {
		s->line++;
		if (cut)
			refuse(s, s->line, "the line is longer than 1 MB");
		else
			r = add_line(s, buf_span(&text));
	}
	if (r == COMMAND_OK && ferror(in))
		r = command_fail("%s: can not be read after line %" PRIu64, s->name, s->line);
	if (r == COMMAND_OK)
		r = flush(s);
	buf_free(&text);
	buf_free(&s->body);
	return r;
}

static void report(const struct send *s, bool complete)
{
	char lines[SHORT_MAX];
	if (s->options->json) {
		show_json(stdout, json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:O}", "ok",
					  complete && !s->refused, "channel", s->channel->name, "lines",
					  (json_int_t)s->line, "sent", (json_int_t)s->sent, "accepted",
					  (json_int_t)s->accepted, "duplicates", (json_int_t)s->duplicates,
					  "refused", (json_int_t)s->refused, "refusals", s->refusals));
		return;
	}
	printf("%s: %s sent to channel %s: %" PRIu64 " accepted", s->name,
		plural((int64_t)s->sent, "post", lines), s->channel->name, s->accepted);
	if (s->duplicates)
		printf(", %" PRIu64 " known already", s->duplicates);
	printf(", %" PRIu64 " refused%s\n", s->refused, complete ? "" : "; the rest was not sent");
}

/* The channel called `name`, or the only one that takes webhooks. */
static int choose_channel(struct send *s, const char *name)
{
	const struct conf *c = s->conf;
	size_t webhooks = 0;
	for (unsigned i = 0; i < c->channels_count; i++)
		if (name ? str_eq(c->channels[i].name, name) : str_eq(c->channels[i].adapter, "webhook")) {
			s->channel = &c->channels[i];
			webhooks++;
		}
	if (!s->channel && name)
		return command_fail("%s has no channel \"%s\"", c->path, name);
	if (!s->channel)
		return command_fail("%s has no channel whose adapter is webhook", c->path);
	if (!name && webhooks > 1)
		return command_fail(
			"%s has %zu webhook channels; choose one with --channel NAME", c->path, webhooks);
	if (!s->channel->secret_file)
		return command_fail(
			"channel %s of %s has no secret_file to sign with", s->channel->name, c->path);
	struct err e = {0};
	return conf_read_secret(s->channel->secret_file, &s->secret, &e) < 0
		       ? command_fail("%s", err_text(&e))
		       : COMMAND_OK;
}

static int usage_error(const char *words)
{
	command_fail("%s; usage: ascolto send FILE.jsonl [--channel NAME] [--batch N]", words);
	return COMMAND_USAGE;
}

/* The file's name, the channel's or NULL, and s->batch. */
static int take_arguments(struct send *s, int argc, char **argv, const char **ret_channel)
{
	for (int i = 0; i < argc; i++) {
		bool channel = str_eq(argv[i], "--channel"), batch = str_eq(argv[i], "--batch");
		if ((channel || batch) && i + 1 == argc)
			return usage_error(channel ? "--channel needs a name" : "--batch needs a number");
		if (channel) {
			*ret_channel = argv[++i];
		} else if (batch) {
			char *end;
			s->batch = strtoul(argv[++i], &end, 10);
			if (*end || s->batch < 1 || s->batch > BATCH_MAX)
				return usage_error("--batch should be from 1 to 1000");
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return usage_error("there is no such option");
		} else if (s->name) {
			return usage_error("one file at a time");
		} else {
			s->name = argv[i];
		}
	}
	return s->name ? COMMAND_OK : usage_error("which file?");
}

static int send_command(const struct command_options *o, int argc, char **argv)
{
	CLEANUP(conf_free) struct conf *c = NULL;
	struct err e = {0};
	struct send s = {.options = o, .batch = BATCH_DEFAULT};
	const char *channel = NULL;
	int r = take_arguments(&s, argc, argv, &channel);
	if (r != COMMAND_OK)
		return r;
	if (sodium_init() < 0)
		return command_fail("libsodium does not start");
	if (conf_load(&c, o->config, &e) < 0)
		return command_fail("%s", err_text(&e));
	s.conf = c;
	r = choose_channel(&s, channel);
	if (r != COMMAND_OK)
		return r;
	bool standard = str_eq(s.name, "-");
	FILE *in = standard ? stdin : fopen(s.name, "re");
	if (!in) {
		r = command_fail("%s: %s", s.name, strerror(errno));
	} else {
		s.name = standard ? "standard input" : s.name;
		s.refusals = json_array();
		r = send_lines(&s, in);
		report(&s, r == COMMAND_OK);
		json_decref(s.refusals);
		if (!standard)
			fclose(in);
	}
	conf_secret_free(&s.secret);
	return r == COMMAND_OK && s.refused ? COMMAND_FAILED : r;
}

const struct command commands_send[] = {
	{"send", "", send_command, "FILE.jsonl [--channel NAME] [--batch N]",
		"posts, one JSON object a line, as signed webhooks"},
	{0},
};
