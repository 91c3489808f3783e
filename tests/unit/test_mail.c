#include "tests/unit/check.h"

/* The sources themselves: these tests need nothing else of the service. */
#include "services/notification/hook.c"
#include "services/notification/mail.c"

#define AT_MS INT64_C(1700000000123) /* Tue, 14 Nov 2023 22:13:20 UTC */

static const char *const to_one[] = {"crisi@brezza.example", NULL};
static const char *const to_three[] = {"a@b.example", "c@d.example", "e@f.example", NULL};

static struct mail mail_of(const char *subject, const char *text)
{
	struct mail m = {.from = "ascolto@brezza.example",
		.to = to_one,
		.subject = subject,
		.text = text,
		.brand = "brezza",
		.at_ms = AT_MS};
	m.order = id_from(AT_MS, span_str("order"));
	return m;
}

/* Every line, its end included, is at most 78 + 2 bytes of ASCII and ends with CRLF. */
static void check_lines(const struct buf *b)
{
	const char *s = buf_str(b), *end;
	for (; *s; s = end + 2) {
		end = strstr(s, "\r\n");
		assert_non_null(end);
		assert_in_range(end - s, 0, 78);
		for (const char *c = s; c < end; c++)
			assert_true((*c >= ' ' && *c <= '~') || *c == '\t');
	}
}

static char *compose(const struct mail *m)
{
	struct buf b;
	struct err e = {0};
	buf_init(&b, MAIL_BYTES_MAX);
	if (mail_compose(&b, m, &e))
		fail_msg("%s", e.text);
	check_lines(&b);
	char *text = strdup(buf_str(&b));
	buf_free(&b);
	return text;
}

static void test_header(void **state)
{
	struct mail m = mail_of("Blackout in Torrelaghi", "Two hundred people.\nRing the area manager.");
	char expected[1000], order[ID_TEXT + 1], incident[ID_TEXT + 1];
	(void)state;
	m.to = to_three;
	m.incident = id_from(AT_MS, span_str("incident"));
	id_format(&m.order, order);
	snprintf(expected, sizeof(expected),
		"From: Ascolto <ascolto@brezza.example>\r\n"
		"To: a@b.example,\r\n c@d.example,\r\n e@f.example\r\n"
		"Subject: Blackout in Torrelaghi\r\n"
		"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		"Message-ID: <%s@brezza.example>\r\n"
		"References: <incident.%s@brezza.example>\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"X-Ascolto-Delivery: %s\r\n\r\n"
		"Two hundred people.\r\nRing the area manager.\r\n\r\n--=20\r\nAscolto for brezza, order "
		"%s\r\n",
		order, id_format(&m.incident, incident), order, order);
	char *text = compose(&m);
	assert_string_equal(text, expected);
	free(text);
	m.at_ms += 3600000; /* an hour later it is still the same mail */
	text = compose(&m);
	assert_non_null(strstr(text, order));
	free(text);
}

static void test_subjects(void **state)
{
	static const struct {
		const char *subject, *line;
	} rows[] = {
		{"", "Subject: \r\n"},
		{NULL, "Subject: \r\n"},
		{"perch\xc3\xa9", "Subject: =?UTF-8?B?cGVyY2jDqQ==?=\r\n"},
		{"x =?UTF-8?B?eA==?=", "Subject: =?UTF-8?B?eCA9P1VURi04P0I/ZUE9PT89?=\r\n"},
		{"evil\r\nBcc: all@brezza.example\n\tX: y",
			"Subject: evil  Bcc: all@brezza.example  X: y\r\n"},
		{"a\x01\x7f\xc2\x85z", "Subject: a   z\r\n"},
		{"\xff\xe2\x82", "Subject: =?UTF-8?B?77+977+977+9?=\r\n"},
		{"\xed\xa0\x80", "Subject: =?UTF-8?B?77+977+977+9?=\r\n"}, /* half of a surrogate pair */
		{"\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5"
		 "\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5",
			"Subject: =?UTF-8?B?8J+UpfCflKXwn5Sl8J+UpfCflKXwn5Sl8J+UpfCflKXwn5Sl?=\r\n "
			"=?UTF-8?B?8J+UpQ==?=\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mail m = mail_of(rows[i].subject, "");
		char *text = compose(&m), *line = strstr(text, "Subject:");
		if (strncmp(line, rows[i].line, strlen(rows[i].line)) != 0)
			fail_msg("row %zu: %.120s", i, line);
		assert_null(strstr(text, "\nBcc"));
		free(text);
	}
}

static void test_long_subject(void **state)
{
	char subject[2001];
	(void)state;
	memset(subject, 'x', 2000);
	subject[2000] = 0;
	struct mail m = mail_of(subject, "");
	free(compose(&m));
	for (size_t i = 0; i + 1 < 2000; i += 2)
		memcpy(subject + i, "\xc3\xa8", 2);
	free(compose(&m));
}

static void test_bodies(void **state)
{
	static const struct {
		const char *text, *body;
	} rows[] = {
		{"perch\xc3\xa9 = s\xc3\xac", "perch=C3=A9 =3D s=C3=AC\r\n"},
		{"a\r\nb\rc\n", "a\r\nb\r\nc\r\n"},
		{".\n..\nFrom me\nFirst", "=2E\r\n=2E.\r\n=46rom me\r\nFirst\r\n"},
		{"end \nend\t\n", "end=20\r\nend=09\r\n"},
		{"a\x1b[31m\xfe", "a [31m=EF=BF=BD\r\n"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mail m = mail_of("s", rows[i].text);
		char *text = compose(&m), *body = strstr(text, "\r\n\r\n") + 4;
		if (strncmp(body, rows[i].body, strlen(rows[i].body)) != 0)
			fail_msg("row %zu: %s", i, body);
		free(text);
	}
}

static void test_long_bodies(void **state)
{
	char *text = malloc(300001);
	(void)state;
	for (size_t i = 0; i < 300000; i++)
		text[i] = "perch\xc3\xa9 no "[i % 11];
	text[300000] = 0;
	struct mail m = mail_of("s", text);
	char *mail = compose(&m);
	assert_in_range(strlen(mail), 250000, 600000); /* cut at a quarter of MAIL_BYTES_MAX */
	free(mail);
	free(text);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"", "x", "@x", "x@", "a@b\r\nBcc: c@d", "a b@c", "a@b,c@d", "<a@b>", "a@\xc3\xa9"};
	struct buf b;
	(void)state;
	buf_init(&b, MAIL_BYTES_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *const list[] = {"a@b.example", bad[i], NULL};
		struct mail m = mail_of("s", "t");
		m.to = list;
		assert_int_equal(mail_compose(&b, &m, NULL), -EINVAL);
		m = mail_of("s", "t");
		m.from = bad[i];
		assert_int_equal(mail_compose(&b, &m, NULL), -EINVAL);
	}
	struct mail m = mail_of("s", "t");
	m.to = to_three + 3;
	assert_int_equal(mail_compose(&b, &m, NULL), -EINVAL);
	assert_int_equal(b.len, 0);
	m = mail_of("s", "t");
	b.max = 100;
	assert_int_equal(mail_compose(&b, &m, NULL), -EMSGSIZE);
	buf_free(&b);
}

/* Expected: printf 'T.BODY' | openssl dgst -sha256 -hmac key */
static void test_hook(void **state)
{
	struct hook h;
	struct id id = id_from(AT_MS, span_str("order"));
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	Ascolto__Incident incident = ASCOLTO__INCIDENT__INIT;
	char text[ID_TEXT + 1], hex[65];
	(void)state;
	o.subject = (char *)(uintptr_t) "\xc3\xa8 \"vero\"";
	o.code = ASCOLTO__CODE__CODE_RED;
	incident.title = (char *)(uintptr_t) "Blackout";
	o.incident = &incident;
	assert_int_equal(hook_compose(&h, &o, &id, "key", AT_MS), 0);
	assert_string_equal(h.delivery, id_format(&id, text));
	assert_non_null(strstr(buf_str(&h.body), "\"code\":\"red\""));
	assert_non_null(strstr(buf_str(&h.body), "\"incident\":{"));
	assert_memory_equal(h.signature, "t=1700000000,v1=", 16);
	assert_int_equal(strlen(h.signature), 16 + 64);
	sign("key", span_str("1700000000."), buf_span(&h.body), hex);
	assert_string_equal(h.signature + 16, hex);
	hook_free(&h);
	sign("key", span_str("1700000000."), span_str("{\"a\":1}"), hex);
	assert_string_equal(hex, "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
	sign("key", span_str(""), span_str("{\"a\":1}"), hex);
	assert_string_equal(hex, "88a67f24bbcdaed0e6c997404bb79a743baf44c6bab2f4c27328e3009d22e342");
	sign("", span_str(""), span_str(""), hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_long_subject),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_long_bodies),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hook),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
