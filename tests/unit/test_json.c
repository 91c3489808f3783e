#include "tests/unit/check.h"

#include "common/id.h"
#include "common/json.h"
#include "proto/ascolto.pb-c.h"

static void add_times(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_adds(b, s);
}

/* head, then `middle` n times, then tail. */
static int parse_made(const char *head, const char *middle, size_t n, const char *tail, struct err *e)
{
	json_t *json = NULL;
	struct buf b CLEANUP(buf_free);
	buf_init(&b, (size_t)4 * 1024 * 1024);
	buf_adds(&b, head);
	add_times(&b, middle, n);
	buf_adds(&b, tail);
	int r = json_parse(buf_span(&b), &json, e);
	json_decref(json);
	return r;
}

static void test_limits(void **state)
{
	(void)state;
	static const struct {
		const char *head, *middle;
		size_t n;
		const char *tail;
		int code;
		const char *text; /* in the error */
	} rows[] = {
		/* bytes */
		{"[\"", "a", JSON_BYTES_MAX - 4, "\"]", 0, ""},
		{"[\"", "a", JSON_BYTES_MAX - 3, "\"]", -EMSGSIZE, "1048577 bytes"},
		/* depth */
		{"", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 0, ""},
		{"", "[", 33, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", -EMSGSIZE, "column 33: nested"},
		{"", "[", 100000, "", -EMSGSIZE, "line 1, column 33"},
		{"", "{\"a\":", 100000, "", -EMSGSIZE, "nested"},
		{"[\n", "[],\n", 100, "[]]", 0, ""},
		{"[\"", "[", 1000, "\"]", 0, ""}, /* brackets in a string are not nesting */
		/* members */
		{"[1", ",1", 9999, "]", 0, ""},
		{"[1", ",1", 10000, "]", -EMSGSIZE, "too many members"},
		{"[[]", ",[]", 9999, "]", 0, ""},
		{"[[1]", ",[1]", 4999, "]", 0, ""},
		{"[[1]", ",[1]", 5000, "]", -EMSGSIZE, "too many members"},
		{"[", "{\"a\":1},", 5000, "1]", -EMSGSIZE, "too many members"},
		/* numbers */
		{"[0.", "1", 62, "]", 0, ""},
		{"[0.", "1", 63, "]", -EMSGSIZE, "column 2: the number"},
		{"[", "9", 20, "]", -EBADMSG, "too big integer"},
		{"[1e", "9", 6, "]", -EBADMSG, "real number overflow"},
		/* strings: a megabyte of \u0000, and escapes that hide the end */
		{"[\"", "\\u0000", 174000, "\"]", -EBADMSG, "\\u0000"},
		{"[\"", "\\\"", 100, "\"]", 0, ""},
		{"[\"", "\\", 101, "", -EBADMSG, "not JSON"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = {0};
		int r = parse_made(rows[i].head, rows[i].middle, rows[i].n, rows[i].tail, &e);
		if (r != rows[i].code || !strstr(e.text, rows[i].text))
			fail_msg("row %zu: %d, %s", i, r, e.text);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{"", "line 1"},
		{"   ", "line 1"},
		{"{\"a\":1,\"a\":2}", "duplicate object key"},
		{"{\"a\":1,\"\\u0061\":2}", "duplicate object key"},
		{"[\"\\u0000\"]", "\\u0000"},
		{"[\"\\ud800\"]", "invalid Unicode"},
		{"[\"\\udc00x\"]", "invalid Unicode"},
		{"[\"a\xFF\"]", "not UTF-8 at byte offset 3"},
		{"[1,\n \"\xC0\xAF\"]", "line 2, column 3: not UTF-8 at byte offset 6"},
		{"[\"\xED\xA0\x80\"]", "byte offset 2"},
		{"[\"\xF4\x90\x80\x80\"]", "byte offset 2"},
		{"[\"\xE2\x82", "byte offset 2"},
		{"[\xE2\x82", "byte offset 1"},
		{"[1,]", "line 1, column 4"},
		{"[1]\nx", "line 2"},
		{"[01]", "not JSON"},
		{"[NaN]", "not JSON"},
		{"{a:1}", "not JSON"},
		{"[1", "not JSON"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = {0};
		json_t *json = NULL;
		int r = json_parse(span_str(rows[i].text), &json, &e);
		if (r != -EBADMSG || json || !strstr(e.text, rows[i].error) ||
			strncmp(e.text, "line ", 5) != 0)
			fail_msg("row %zu: %d, %s", i, r, e.text);
	}
	assert_int_equal(json_parse(span_of("[\"\0\"]", 5), &(json_t *){0}, NULL), -EBADMSG);
	assert_int_equal(json_parse(span_of(NULL, 0), &(json_t *){0}, NULL), -EBADMSG);

	struct err e = {0};
	json_parse(span_str("[my secret words]"), &(json_t *){0}, &e);
	assert_null(strstr(e.text, "secret"));
}

static void test_good(void **state)
{
	(void)state;
	json_t *json = NULL;
	struct err e = {0};
	const char *text = " {\"n\": -1.5e3, \"s\": \"gr\xC3\xBC\xC3\x9F \\ud83d\\ude00 <b>\", \"l\": [true, "
			   "null, {}]}\r\n";
	assert_int_equal(json_parse(span_str(text), &json, &e), 0);
	assert_true(json_real_value(json_object_get(json, "n")) == -1500);
	assert_string_equal(
		json_string_value(json_object_get(json, "s")), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 <b>");
	assert_int_equal(json_array_size(json_object_get(json, "l")), 3);
	json_decref(json);
}

static void test_string(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
		{"</script> a/b <", "\"<\\/script> a/b <\""},
		{"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80", "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\""},
		{"a\xFF"
		 "b",
			"\"a\xEF\xBF\xBD"
			"b\""},
		{"\xC3", "\"\xEF\xBF\xBD\""},
		{"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b CLEANUP(buf_free);
		buf_init(&b, 1000);
		assert_int_equal(json_add_string(&b, span_str(rows[i].in)), 0);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
	struct buf b CLEANUP(buf_free);
	buf_init(&b, 1000);
	json_add_string(&b, span_of("a\0b", 3));
	json_add_string(&b, span_of(NULL, 0));
	assert_string_equal(buf_str(&b), "\"a\\u0000b\"\"\"");
	struct buf small CLEANUP(buf_free);
	buf_init(&small, 4);
	assert_int_equal(json_add_string(&small, span_str("too long")), -EMSGSIZE);
}

/* Whatever bytes come, what we write is JSON that parses back. */
static void test_string_any_bytes(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 2000; round++) {
		uint8_t bytes[40];
		size_t len = (size_t)rand_r(&seed) % sizeof(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)((rand_r(&seed) >> 8) % 255 + 1); /* jansson takes no NUL */
		struct buf b CLEANUP(buf_free);
		json_t *json = NULL;
		struct err e = {0};
		buf_init(&b, 10000);
		buf_adds(&b, "[");
		json_add_string(&b, span_of(bytes, len));
		buf_adds(&b, "]");
		if (json_parse(buf_span(&b), &json, &e))
			fail_msg("round %d: %s in %s", round, e.text, buf_str(&b));
		json_decref(json);
	}
}

static void check_message(const void *m, const char *expect)
{
	struct buf b CLEANUP(buf_free);
	json_t *json = NULL;
	buf_init(&b, 100000);
	assert_int_equal(json_add_message(&b, m), 0);
	assert_string_equal(buf_str(&b), expect);
	assert_int_equal(json_parse(buf_span(&b), &json, NULL), 0);
	json_decref(json);
}

static void test_message(void **state)
{
	(void)state;
	uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct id id;
	char text[ID_TEXT + 1], expect[1000];
	id_from_bytes(bytes, sizeof(bytes), &id);

	Ascolto__Label label = ASCOLTO__LABEL__INIT;
	label.value = (char *)"complaint";
	label.probability = 0.9f;
	check_message(&label, "{\"value\":\"complaint\",\"probability\":0.9}");

	Ascolto__AuthorId ids[2] = {ASCOLTO__AUTHOR_ID__INIT, ASCOLTO__AUTHOR_ID__INIT};
	Ascolto__AuthorId *list[] = {&ids[0], &ids[1]};
	Ascolto__Author author = ASCOLTO__AUTHOR__INIT;
	ids[0].scope = (char *)"x";
	author.n_ids = 2;
	author.ids = list;
	author.verified = true;
	author.followers = UINT64_MAX;
	check_message(&author,
		"{\"ids\":[{\"scope\":\"x\"},{}],\"followers\":\"18446744073709551615\",\"verified\":true,"
		"\"is_self\":false,\"is_bot\":false}");

	Ascolto__Action action = ASCOLTO__ACTION__INIT;
	action.at_ms = 1700000000123;
	action.subject_id = (ProtobufCBinaryData){16, bytes};
	snprintf(expect, sizeof(expect), "{\"at_ms\":1700000000123,\"external\":false,\"subject_id\":\"%s\"}",
		id_format(&id, text));
	check_message(&action, expect);
	action.subject_id.len = 4;
	check_message(&action, "{\"at_ms\":1700000000123,\"external\":false,\"subject_id\":\"AQIDBA==\"}");
	action.subject_id.len = 0;
	check_message(&action, "{\"at_ms\":1700000000123,\"external\":false}");

	uint32_t terms[] = {1, UINT32_MAX};
	float weights[] = {0.5f, 1};
	Ascolto__Signature signature = ASCOLTO__SIGNATURE__INIT;
	signature.n_terms = signature.n_weights = 2;
	signature.terms = terms;
	signature.weights = weights;
	check_message(&signature, "{\"terms\":[1,4294967295],\"weights\":[0.5,1],\"sketch\":0,\"copy\":0,\"words\":0}");
}

static void test_enum_and_oneof(void **state)
{
	(void)state;
	static const struct {
		Ascolto__CaseState value;
		const char *name;
	} rows[] = {
		{ASCOLTO__CASE_STATE__CASE_STATE_NEW, "\"state\":\"new\""},
		{ASCOLTO__CASE_STATE__CASE_STATE_IN_PROGRESS, "\"state\":\"in_progress\""},
		{(Ascolto__CaseState)77, "\"state\":77"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b CLEANUP(buf_free);
		Ascolto__Case c = ASCOLTO__CASE__INIT;
		buf_init(&b, 100000);
		c.state = rows[i].value;
		c.code = ASCOLTO__CODE__CODE_RED;
		json_add_message(&b, &c.base);
		if (!strstr(buf_str(&b), rows[i].name) || !strstr(buf_str(&b), "\"code\":\"red\""))
			fail_msg("%s is not in %s", rows[i].name, buf_str(&b));
	}

	Ascolto__Envelope e = ASCOLTO__ENVELOPE__INIT;
	Ascolto__Message m = ASCOLTO__MESSAGE__INIT;
	e.brand = (char *)"acme";
	check_message(&e, "{\"brand\":\"acme\",\"key_group\":0,\"occurred_ms\":0,\"received_ms\":0}");
	e.body_case = ASCOLTO__ENVELOPE__BODY_ENRICHED;
	e.enriched = &m;
	check_message(&e,
		"{\"brand\":\"acme\",\"key_group\":0,\"occurred_ms\":0,\"received_ms\":0,\"enriched\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_string_any_bytes),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_enum_and_oneof),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
