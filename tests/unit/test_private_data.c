/* What belongs to one person is found however it is written, and what only looks like it is left alone. */
#include "common/private_data.h"

#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

#define NOTHING PRIVATE_KINDS

static const struct {
	const char *text;
	enum private_kind kind; /* NOTHING */
	const char *where;
} rows[] = {
	/* cards: Luhn, groups, what follows */
	{"la carta 4111 1111 1111 1111 scade 12/27", PRIVATE_CARD, "4111 1111 1111 1111"},
	{"4111-1111-1111-1111", PRIVATE_CARD, "4111-1111-1111-1111"},
	{"n.378282246310005.", PRIVATE_CARD, "378282246310005"},
	{"12 4111111111111111", PRIVATE_CARD, "4111111111111111"},
	{"4111 1111 1111 1112", NOTHING, ""},
	{"ordine 1234567890123452", NOTHING, ""}, /* right check digit, nobody's range */
	{"A4111111111111111", NOTHING, ""},
	/* IBAN: country lengths differ, the remainder decides */
	{"IBAN: IT60X0542811101000000123456, grazie", PRIVATE_IBAN, "IT60X0542811101000000123456"},
	{"it60 x054 2811 1010 0000 0123 456 intestato a me", PRIVATE_IBAN,
		"it60 x054 2811 1010 0000 0123 456"},
	{"DE89 3704 0044 0532 0130 00", PRIVATE_IBAN, "DE89 3704 0044 0532 0130 00"},
	{"GB82WEST12345698765432", PRIVATE_IBAN, "GB82WEST12345698765432"},
	{"IT61X0542811101000000123456", NOTHING, ""},
	{"volo AZ1234 delle 10", NOTHING, ""},
	/* codice fiscale, with its check letter; V stands for 9, T for 6, ... */
	{"cf rssmra85t10a562s", PRIVATE_TAX_CODE, "rssmra85t10a562s"},
	{"RSSMRA85T10A562S!", PRIVATE_TAX_CODE, "RSSMRA85T10A562S"},
	{"RSSMRA85T10A562T", NOTHING, ""},
	{"XRSSMRA85T10A562S", NOTHING, ""},
	/* telephones */
	{"mi chiami al 333 1234567", PRIVATE_PHONE, "333 1234567"},
	{"tel. +39 333.123.4567", PRIVATE_PHONE, "+39 333.123.4567"},
	{"(06) 1234-5678", PRIVATE_PHONE, "(06) 1234-5678"},
	{"051/1234567", PRIVATE_PHONE, "051/1234567"},
	{"call 0044 20 7946 0958", PRIVATE_PHONE, "0044 20 7946 0958"},
	{"interno 12 333 1234567", PRIVATE_PHONE, "333 1234567"},
	{"numero verde 800 123 456", NOTHING, ""},
	{"+39 800 123456", NOTHING, ""},
	{"il 02/06/2026 10:30", NOTHING, ""},
	{"il 03.06.2026 alle 10", NOTHING, ""},
	{"dalle 09.30-18.00", NOTHING, ""},
	{"1.250.000,00 euro", NOTHING, ""},
	{"3.000.000.000 di euro", NOTHING, ""},
	{"pratica 20261129", NOTHING, ""},
	/* mail */
	{"scriva a anna.rossi+x@posta.example.", PRIVATE_MAIL, "anna.rossi+x@posta.example"},
	{"@anna@mastodon.example", NOTHING, ""},
	{"@anna_rossi", NOTHING, ""},
	{"5@6", NOTHING, ""},
	{"", NOTHING, ""},
};

static void found_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct private_data p = {0};
		bool is = private_data_find(span_str(rows[i].text), 0, &p);
		if (is != (rows[i].kind != NOTHING) ||
			(is && (p.kind != rows[i].kind || !span_eq(p.where, span_str(rows[i].where)))))
			fail_msg("\"%s\": found %d, kind %d, \"%.*s\"", rows[i].text, is, p.kind,
				(int)p.where.len, is ? (const char *)p.where.data : "");
	}
}

static void one_after_the_other(void **state)
{
	(void)state;
	static const char text[] = "333 1234567, anna@posta.example, IT60X0542811101000000123456";
	static const enum private_kind kinds[] = {PRIVATE_PHONE, PRIVATE_MAIL, PRIVATE_IBAN};
	size_t from = 0;
	struct private_data p;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(private_data_find(span_str(text), from, &p));
		assert_int_equal(p.kind, kinds[i]);
		from = (size_t)(p.where.data - (const uint8_t *)text) + p.where.len;
	}
	assert_false(private_data_find(span_str(text), from, &p));
}

static void known_however_written(void **state)
{
	(void)state;
	struct private_data p = {PRIVATE_PHONE, span_str("+39 06.1234-5678")};
	assert_true(private_data_is(&p, "06 12345678"));
	assert_false(private_data_is(&p, "06 12345679"));
	assert_false(private_data_is(&p, "678"));
	p = (struct private_data){PRIVATE_MAIL, span_str("Aiuto@Acme.example")};
	assert_true(private_data_is(&p, "@acme.example"));
	assert_true(private_data_is(&p, "aiuto@acme.example"));
	assert_false(private_data_is(&p, "@other.example"));
}

static void walk(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	struct private_data p;
	for (size_t from = 0, n = 0; private_data_find(text, from, &p); n++) {
		assert_true(p.where.data >= text.data && p.where.data + p.where.len <= text.data + text.len &&
			    p.where.len);
		assert_true(p.where.data + p.where.len > text.data + from);
		from = (size_t)(p.where.data - text.data) + p.where.len;
	}
}

static void any_bytes_come_to_an_end(void **state)
{
	(void)state;
	static uint8_t digits[200000];
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] = "4111 1111-1111/@1"[i % 17];
	hostile_each(walk, NULL);
	walk(NULL, "many digits", span_of(digits, sizeof(digits)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_or_not),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(known_however_written),
		cmocka_unit_test(any_bytes_come_to_an_end),
	};
	return cmocka_run_group_tests_name("private_data", tests, NULL, NULL);
}
