#include "tests/unit/check.h"

#include "common/http_uri.h"

static void test_paths(void **state)
{
	static const struct {
		const char *text, *path; /* NULL = refused */
		const char *query_string;
	} rows[] = {
		{"/", "/", NULL},
		{"/a%20b/c", "/a b/c", NULL},
		{"/a+b", "/a+b", NULL},
		{"/a?", "/a", ""},
		{"/a?b=%41+c&d", "/a", "b=%41+c&d"},
		{"/a?b?c", "/a", "b?c"},
		{"/a..b/..c", "/a..b/..c", NULL},
		{"/%C3%A8", "/\xc3\xa8", NULL},
		{"", NULL, NULL},
		{"a", NULL, NULL},
		{"*", NULL, NULL},
		{"http://host/", NULL, NULL},
		{"/..", NULL, NULL},
		{"/a/../b", NULL, NULL},
		{"/%2e%2E/b", NULL, NULL},
		{"/a%2fb", NULL, NULL},
		{"/a%5cb", NULL, NULL},
		{"/a%00b", NULL, NULL},
		{"/a%", NULL, NULL},
		{"/a%4", NULL, NULL},
		{"/a%4g", NULL, NULL},
		{"/a b", NULL, NULL},
		{"/\xc3\xa8", NULL, NULL},
		{"/a?b=%", NULL, NULL},
		{"/a?b=%00", NULL, NULL},
		{"/a?b=\t", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *memory = malloc(http_uri_size(rows[i].text));
		struct http_uri u;
		int r = http_uri_parse(&u, rows[i].text, memory);
		if (r != (rows[i].path ? 0 : -EINVAL))
			fail_msg("\"%s\": %d", rows[i].text, r);
		if (rows[i].path) {
			assert_string_equal(u.path, rows[i].path);
			assert_int_equal(!u.query_string, !rows[i].query_string);
			if (u.query_string)
				assert_string_equal(u.query_string, rows[i].query_string);
		}
		free(memory);
	}
}

static void test_queries(void **state)
{
	static const struct {
		const char *text, *name, *value;
	} rows[] = {
		{"/?x=1&y=2", "x", "1"},
		{"/?x=1&y=2", "y", "2"},
		{"/?x=1&y=2", "z", NULL},
		{"/?x", "x", ""},
		{"/?x=", "x", ""},
		{"/?x=a=b", "x", "a=b"},
		{"/?x=1&x=2", "x", "1"},
		{"/?&&x=1", "x", "1"},
		{"/?x=a+b%2Bc%26d", "x", "a b+c&d"},
		{"/?hub.mode=subscribe&hub.challenge=1158201444", "hub.challenge", "1158201444"},
		{"/?%78=1", "x", "1"},
		{"/", "x", NULL},
	};
	char memory[256];
	struct http_uri u;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(http_uri_parse(&u, rows[i].text, memory), 0);
		const char *value = http_uri_query(&u, rows[i].name);
		if (!value != !rows[i].value || (value && !str_eq(value, rows[i].value)))
			fail_msg("%s of %s: %s", rows[i].name, rows[i].text, value ? value : "(none)");
	}
}

static void test_too_many(void **state)
{
	char text[512] = "/?", memory[1100];
	struct http_uri u;
	(void)state;
	for (size_t i = 0; i < HTTP_QUERY_MAX; i++)
		memcpy(text + 2 + 2 * i, "a&", 3);
	assert_int_equal(http_uri_parse(&u, text, memory), 0);
	assert_int_equal(u.n_query, HTTP_QUERY_MAX);
	text[2 + 2 * HTTP_QUERY_MAX] = 'a';
	assert_int_equal(http_uri_parse(&u, text, memory), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests_name("http_uri", tests, NULL, NULL);
}
