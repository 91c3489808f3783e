#include "tests/unit/check.h"

#include "common/cidr.h"

#include <arpa/inet.h>

static int address_of(const char *text, uint8_t ret[16])
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(family, text, ret), 1);
	return family;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int family; /* 0 = refused */
		unsigned bits;
	} rows[] = {
		{"10.0.0.0/8", AF_INET, 8},
		{"10.1.2.3", AF_INET, 32},
		{"0.0.0.0/0", AF_INET, 0},
		{"1.2.3.4/32", AF_INET, 32},
		{"1.2.3.4/08", AF_INET, 8},
		{"fc00::/7", AF_INET6, 7},
		{"::1", AF_INET6, 128},
		{"::/0", AF_INET6, 0},
		{"::ffff:10.0.0.0/104", AF_INET6, 104},
		{"", 0, 0},
		{"/8", 0, 0},
		{"10.0.0.0/", 0, 0},
		{"10.0.0.0/33", 0, 0},
		{"10.0.0.0/-1", 0, 0},
		{"10.0.0.0/+8", 0, 0},
		{"10.0.0.0/ 8", 0, 0},
		{"10.0.0.0/8x", 0, 0},
		{"10.0.0.0/0008", 0, 0},
		{"10.0.0.0/8/8", 0, 0},
		{"10.0.0.0/4294967304", 0, 0},
		{"10.0.0/8", 0, 0},
		{"10.0.0.256/8", 0, 0},
		{"::1/129", 0, 0},
		{"::g/8", 0, 0},
		{"localhost/8", 0, 0},
		{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c = {.bits = 999};
		int r = cidr_parse(rows[i].text, &c);
		if (r != (rows[i].family ? 0 : -EINVAL))
			fail_msg("\"%s\": %d", rows[i].text, r);
		if (rows[i].family && (c.family != rows[i].family || c.bits != rows[i].bits))
			fail_msg("\"%s\": family %d, %u bits", rows[i].text, c.family, c.bits);
		if (!rows[i].family && c.bits != 999)
			fail_msg("\"%s\": written though refused", rows[i].text);
	}
}

static void test_holds(void **state)
{
	static const struct {
		const char *cidr, *address;
		bool holds;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"172.16.0.0/12", "172.31.255.255", true},
		{"172.16.0.0/12", "172.32.0.0", false},
		{"192.0.2.7/32", "192.0.2.7", true},
		{"192.0.2.7/32", "192.0.2.6", false},
		{"192.0.2.0/31", "192.0.2.1", true},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "::1", false},
		{"10.0.0.0/8", "::ffff:10.0.0.1", false},
		{"::ffff:0:0/96", "::ffff:10.0.0.1", true},
		{"fc00::/7", "fdff::1", true},
		{"fc00::/7", "fe00::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"::1/128", "::1", true},
		{"::1/128", "::2", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cidr c;
		uint8_t address[16];
		int family = address_of(rows[i].address, address);
		assert_int_equal(cidr_parse(rows[i].cidr, &c), 0);
		if (cidr_holds(&c, family, address) != rows[i].holds)
			fail_msg("%s in %s", rows[i].address, rows[i].cidr);
	}
}

static void test_public(void **state)
{
	static const struct {
		const char *address;
		bool is_public;
	} rows[] = {
		{"8.8.8.8", true},
		{"1.1.1.1", true},
		{"9.255.255.255", true},
		{"11.0.0.0", true},
		{"172.15.255.255", true},
		{"172.32.0.0", true},
		{"192.167.255.255", true},
		{"223.255.255.255", true},
		{"2606:4700::1111", true},
		{"2a00:1450:4002::1", true},
		{"0.0.0.0", false},
		{"10.0.0.1", false},
		{"100.64.0.1", false},
		{"127.0.0.1", false},
		{"127.255.255.255", false},
		{"169.254.169.254", false},
		{"172.16.0.1", false},
		{"192.0.2.1", false},
		{"192.88.99.1", false},
		{"192.168.1.1", false},
		{"198.19.255.255", false},
		{"198.51.100.1", false},
		{"203.0.113.1", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"::", false},
		{"::1", false},
		{"::127.0.0.1", false},
		{"::ffff:8.8.8.8", false},
		{"::ffff:127.0.0.1", false},
		{"64:ff9b::7f00:1", false},
		{"2001::1", false},
		{"2001:db8::1", false},
		{"2002:7f00:1::", false},
		{"fd00::1", false},
		{"fe80::1", false},
		{"fec0::1", false},
		{"ff02::1", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t address[16];
		int family = address_of(rows[i].address, address);
		if (address_is_public(family, address) != rows[i].is_public)
			fail_msg("%s", rows[i].address);
	}
}

static void test_allowed(void **state)
{
	static const struct {
		const char *address;
		bool allowed;
	} rows[] = {
		{"127.0.0.1", true},
		{"10.1.2.3", true},
		{"10.1.2.4", false},
		{"8.8.8.8", true},
		{"::1", false},
		{"::ffff:127.0.0.1", false},
		{"fd00::1", true},
	};
	struct cidr allow[3];
	uint8_t address[16];
	(void)state;
	assert_int_equal(cidr_parse("127.0.0.0/8", &allow[0]), 0);
	assert_int_equal(cidr_parse("10.1.2.3/32", &allow[1]), 0);
	assert_int_equal(cidr_parse("fd00::/8", &allow[2]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int family = address_of(rows[i].address, address);
		if (address_allowed(allow, ARRAY_SIZE(allow), family, address) != rows[i].allowed)
			fail_msg("%s", rows[i].address);
	}
	assert_false(address_allowed(NULL, 0, address_of("127.0.0.1", address), address));
	assert_true(address_allowed(NULL, 0, address_of("8.8.8.8", address), address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_allowed),
	};
	return cmocka_run_group_tests_name("cidr", tests, NULL, NULL);
}
