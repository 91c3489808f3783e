/* The adapter webhook: its signature check as a table, and the process with requests handed to it. */
#include "services/adapters/webhook/signature.h"
#include "tests/component/adapter_host.h"

#define PROGRAM BINARY_DIR "/bin/ascolto-adapter-webhook"
#define NOW INT64_C(1763757000)
#define BODY "{\"native_id\":\"1\"}"

static const char *signed_header(const char *secret, int64_t t, const char *body)
{
	static char text[16][128];
	static int turn;
	char time_text[32], hex[SIGNATURE_HEX + 1];
	turn = (turn + 1) % 16;
	snprintf(time_text, sizeof(time_text), "%" PRId64, t);
	signature_make(secret, time_text, span_str(body), hex);
	snprintf(text[turn], sizeof(text[turn]), "t=%s,v1=%s", time_text, hex);
	return text[turn];
}

/* "t=…,v1=…" with the hex changed by `edit`. */
static const char *edited(const char *header, void (*edit)(char *hex))
{
	static char text[160];
	snprintf(text, sizeof(text), "%s", header);
	edit(strstr(text, "v1=") + 3);
	return text;
}

static void to_upper(char *hex)
{
	for (; *hex; hex++)
		*hex = *hex >= 'a' && *hex <= 'f' ? (char)(*hex - 'a' + 'A') : *hex;
}

static void cut_one(char *hex)
{
	hex[SIGNATURE_HEX - 1] = 0;
}

static void add_one(char *hex)
{
	memcpy(hex + SIGNATURE_HEX, "0", 2);
}

static void flip(char *hex)
{
	hex[63] = hex[63] == '0' ? '1' : '0';
}

static void known_vector(void **state)
{
	(void)state;
	char hex[SIGNATURE_HEX + 1];
	/* printf '1763757000.{"native_id":"1"}' | openssl dgst -sha256 -hmac s3cret */
	signature_make("s3cret", "1763757000", span_str(BODY), hex);
	assert_string_equal(hex, "2f46a4dded684e8e3c2d5ad9da04f20f4c933f574d2b4ed8d08f1b822cd839f0");
}

static void signatures_are_checked(void **state)
{
	(void)state;
	const char *const secrets[] = {"new", "old"}, *const empty[] = {"", NULL};
	const char *good = signed_header("new", NOW, BODY);
	char many[1024], both[256], unknown[160];
	snprintf(unknown, sizeof(unknown), "t=%" PRId64 ",v0=%s", NOW, strstr(good, "v1=") + 3);
	snprintf(both, sizeof(both), "%s,%s,v0=zz", signed_header("wrong", NOW, BODY), strstr(good, "v1="));
	snprintf(many, sizeof(many), "%s", good);
	for (int i = 0; i < 8; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",%s", strstr(good, "v1="));
	const struct {
		const char *what, *header, *body;
		bool good;
	} rows[] = {
		{"good", good, BODY, true},
		{"previous key", signed_header("old", NOW, BODY), BODY, true},
		{"two v1, one of them good, and an unknown scheme", both, BODY, true},
		{"300 s old", signed_header("new", NOW - 300, BODY), BODY, true},
		{"300 s ahead", signed_header("new", NOW + 300, BODY), BODY, true},
		{"301 s old", signed_header("new", NOW - 301, BODY), BODY, false},
		{"301 s ahead", signed_header("new", NOW + 301, BODY), BODY, false},
		{"another key", signed_header("wrong", NOW, BODY), BODY, false},
		{"body one bit off", good, "{\"native_id\":\"0\"}", false},
		{"body re-serialised", good, "{\"native_id\": \"1\"}", false},
		{"body cut", good, "{\"native_id\":\"1\"", false},
		{"hex one digit off", edited(good, flip), BODY, false},
		{"missing", NULL, BODY, false},
		{"empty", "", BODY, false},
		{"unknown scheme only", unknown, BODY, false},
		{"no v1", "t=1763757000", BODY, false},
		{"no t", strstr(good, "v1="), BODY, false},
		{"empty v1", "t=1763757000,v1=", BODY, false},
		{"t 1e9", "t=1e9,v1=0000000000000000000000000000000000000000000000000000000000000000", BODY,
			false},
		{"t negative", "t=-5,v1=0000000000000000000000000000000000000000000000000000000000000000",
			BODY, false},
		{"t of 20 digits", signed_header("new", INT64_MAX, BODY), BODY, false},
		{"t empty", "t=,v1=0000000000000000000000000000000000000000000000000000000000000000", BODY,
			false},
		{"t twice", "t=1763757000,t=1763757000,v1=00", BODY, false},
		{"nine v1", many, BODY, false},
		{"not a list", "nonsense", BODY, false},
		{"trailing comma", "t=1763757000,", BODY, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err why = {0};
		int r = signature_check(rows[i].header, span_str(rows[i].body), secrets, 2, NOW, &why);
		if (r != (rows[i].good ? 0 : -EACCES) || (r && !why.text[0]))
			fail_msg("%s: %d, \"%s\"", rows[i].what, r, why.text);
	}
	struct err why = {0};
	void (*const edits[])(char *) = {to_upper, cut_one, add_one};
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
		assert_int_equal(
			signature_check(edited(good, edits[i]), span_str(BODY), secrets, 2, NOW, &why),
			-EACCES);
	/* An empty secret, as from an empty file, opens nothing. */
	assert_int_equal(
		signature_check(signed_header("", NOW, BODY), span_str(BODY), empty, 2, NOW, &why), -EACCES);
}

/* ---- the process ---- */

static struct host *open_hook(const char *setting, const char *secret, const char *previous)
{
	struct host *h = host_open(PROGRAM, (const char *const[]){setting, NULL}, secret, previous, NULL);
	assert_true(host_until(h, host_health(h).state == ADAPTER_RUNNING));
	return h;
}

struct ask {
	const char *type, *delivery, *body;
	const char *sign[3]; /* headers; NULL: signed well */
	size_t n_sign;
};

static struct heard *ask(struct host *h, const struct ask *a)
{
	static uint64_t request;
	struct adapter_header headers[8];
	size_t n = 0, before = h->n;
	if (a->type)
		headers[n++] = (struct adapter_header){"Content-Type", a->type};
	if (a->delivery)
		headers[n++] = (struct adapter_header){"X-Ascolto-Delivery", a->delivery};
	for (size_t i = 0; i < a->n_sign; i++)
		headers[n++] = (struct adapter_header){"X-Ascolto-Signature", a->sign[i]};
	if (!a->n_sign)
		headers[n++] = (struct adapter_header){
			"X-Ascolto-Signature", signed_header("s", time(NULL), a->body)};
	assert_int_equal(
		adapter_request(h->a, ++request, "POST", "/hook/x", "", headers, n, span_str(a->body)), 0);
	assert_true(host_until(h, h->n == before + 1));
	assert_int_equal(h->heard[before].request, request);
	return &h->heard[before];
}

static void deliveries_become_posts(void **state)
{
	(void)state;
	struct host *h = open_hook(NULL, "s", NULL);
	static const char json[] = "application/json";
	struct heard *x = ask(h, &(struct ask){json, "d-1", BODY});
	assert_int_equal(x->status, 200);
	assert_null(x->body); /* the host says what became of them */
	assert_string_equal(x->json, BODY);
	assert_string_equal(x->place, "delivery d-1, post 0");
	assert_string_equal(x->trust, "signed");
	assert_string_equal(x->delivery, "d-1");
	x = ask(h, &(struct ask){"Application/JSON; charset=utf-8", "d", "[{\"a\":\n1},\r\n{\"b\":2}]"});
	assert_int_equal(x->posts, 2);
	assert_string_equal(x->json, "{\"a\": 1}");
	x = ask(h, &(struct ask){json, NULL, "{\"posts\":[{\"a\":1},{},{}],\"more\":1}"});
	assert_int_equal(x->posts, 3);
	assert_non_null(strstr(x->place, "delivery unnamed-"));
	x = ask(h, &(struct ask){json, "d", "{\"posts\":[]}"});
	assert_int_equal(x->status, 200);
	assert_int_equal(x->posts, 0);
	assert_true(x->n > 0);
	host_close(h);
}

static void bad_deliveries_are_refused(void **state)
{
	(void)state;
	struct host *h = open_hook(NULL, "s", "before");
	static const char json[] = "application/json";
	static char many[4000];
	snprintf(many, sizeof(many), "[0");
	for (int i = 0; i < 1000; i++)
		memcpy(many + strlen(many), ",0", 3);
	memcpy(many + strlen(many), "]", 2);
	const char *good = signed_header("s", time(NULL), BODY);
	const struct {
		struct ask ask;
		unsigned status;
		const char *words;
	} rows[] = {
		{{json, "d", BODY, {good}, 1}, 200, NULL},
		{{json, "d", BODY, {signed_header("before", time(NULL), BODY)}, 1}, 200, NULL},
		{{json, "d", BODY, {good, good}, 2}, 401, "missing, empty or there more than once"},
		{{json, "d", BODY, {""}, 1}, 401, "missing, empty"},
		{{json, "d", BODY, {"t=1,v1=0"}, 1}, 401, "64 lower-case hex"},
		{{json, "d", BODY, {signed_header("no", time(NULL), BODY)}, 1}, 401, "does not match"},
		{{json, "d", BODY, {signed_header("s", time(NULL) - 400, BODY)}, 1}, 401,
			"away from our clock"},
		{{"text/plain", "d", BODY, {good}, 1}, 415, "application/json"},
		{{"multipart/form-data; boundary=x", "d", BODY, {good}, 1}, 415, "application/json"},
		{{"application/jsonp", "d", BODY, {good}, 1}, 415, "application/json"},
		{{NULL, "d", BODY, {good}, 1}, 415, "application/json"},
		{{json, "a b", BODY, {good}, 1}, 422, "X-Ascolto-Delivery"},
		{{json, "d", many, {NULL}, 0}, 413, "more than 1000"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct heard *x = ask(h, &rows[i].ask);
		if (x->status != rows[i].status || !x->body != !rows[i].words ||
			(rows[i].words && !strstr(x->body, rows[i].words)))
			fail_msg("row %zu: %u %s", i, x->status, x->body);
		if (x->status == 401 || x->status == 415)
			assert_int_equal(x->n, 0); /* nothing to store */
	}
	static const char *const rubbish[] = {"", "nonsense", "7", "{\"a\":1,\"a\":2}", "{\"t\":\"\xff\"}",
		"[[[[[[[[[[[[[[[[[["
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
	for (size_t i = 0; i < ARRAY_SIZE(rubbish); i++) {
		struct heard *x = ask(h, &(struct ask){json, "d", rubbish[i]});
		assert_true(x->n > 0); /* signed, so it goes to quarantine with the reason */
		assert_non_null(x->refused);
		assert_string_equal(x->place, "delivery d");
		assert_int_equal(x->raw_len, strlen(rubbish[i]));
	}
	host_close(h);
}

static void without_a_secret_only_by_name(void **state)
{
	(void)state;
	struct host *h = open_hook(NULL, "", NULL);
	assert_true(host_until(h, host_health(h).words[0]));
	assert_non_null(strstr(host_health(h).words, "insecure=yes"));
	struct heard *x = ask(
		h, &(struct ask){"application/json", "d", BODY, {signed_header("", time(NULL), BODY)}, 1});
	assert_int_equal(x->status, 401);
	host_close(h);

	h = open_hook("insecure=yes", NULL, NULL);
	x = ask(h, &(struct ask){"application/json", "d", BODY, {"none"}, 1});
	assert_int_equal(x->status, 200);
	assert_string_equal(x->trust, "unsigned");
	host_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_vector),
		cmocka_unit_test(signatures_are_checked),
		cmocka_unit_test(deliveries_become_posts),
		cmocka_unit_test(bad_deliveries_are_refused),
		cmocka_unit_test(without_a_secret_only_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
