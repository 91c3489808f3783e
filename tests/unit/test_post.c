#include "common/buf.h"
#include "services/ingest/post.h"
#include "tests/unit/check.h"

static const char whole[] =
	"{\"channel\":\"acme-fb\",\"account\":\"page\",\"native_id\":\"n1\",\"revision\":3,\"kind\":"
	"\"review\","
	"\"surface\":\"private\",\"root\":\"r\",\"parent\":\"p\",\"conversation\":\"c\",\"permalink\":"
	"\"https://x.example/1\","
	"\"author\":{\"ids\":[{\"scope\":\"psid\",\"value\":\"7\"},{\"scope\":\"email\",\"value\":\"a@b."
	"example\"}],"
	"\"handle\":\"ada\",\"name\":\"Ada\",\"followers\":12,\"verified\":true,\"is_self\":false,\"is_bot\":"
	"true,\"new\":1},"
	"\"text\":\"perch\xc3\xa9\",\"subject\":\"s\",\"language\":\"it\",\"rating\":2,"
	"\"attachments\":[{\"type\":\"image\",\"url\":\"https://x.example/i\",\"name\":\"i.png\"}],"
	"\"created_at_ms\":1763757000000,\"precision_ms\":1000,"
	"\"affordances\":{\"reply_public\":true,\"private_left\":1,\"private_until_ms\":1763757000001,\"can_"
	"hide\":true},"
	"\"transport\":\"poll\",\"trust\":\"pulled_tls\",\"delivery_id\":\"d\",\"repost_of\":\"n0\",\"raw\":{"
	"\"x\":[1]},"
	"\"something_new\":{\"deep\":[{}]},\"parse_error\":null}";

static void every_field_arrives(void **state)
{
	(void)state;
	struct arena a;
	struct err e = {0};
	Ascolto__Post *p;
	arena_init(&a, 1 << 20);
	assert_int_equal(post_parse(span_str(whole), &a, &p, &e), POST_OK);
	assert_string_equal(p->channel, "acme-fb");
	assert_string_equal(p->account, "page");
	assert_string_equal(p->native_id, "n1");
	assert_int_equal(p->revision, 3);
	assert_int_equal(p->kind, ASCOLTO__KIND__KIND_REVIEW);
	assert_int_equal(p->surface, ASCOLTO__SURFACE__SURFACE_PRIVATE);
	assert_string_equal(p->root, "r");
	assert_string_equal(p->parent, "p");
	assert_string_equal(p->conversation, "c");
	assert_int_equal(p->author->n_ids, 2);
	assert_string_equal(p->author->ids[1]->scope, "email");
	assert_string_equal(p->author->ids[1]->value, "a@b.example");
	assert_int_equal(p->author->followers, 12);
	assert_true(p->author->verified && p->author->is_bot && !p->author->is_self);
	assert_string_equal(p->text, "perch\xc3\xa9");
	assert_string_equal(p->language_hint, "it");
	assert_int_equal(p->rating, 2);
	assert_int_equal(p->n_attachments, 1);
	assert_string_equal(p->attachments[0]->name, "i.png");
	assert_int_equal(p->created_at_ms, 1763757000000);
	assert_int_equal(p->precision_ms, 1000);
	assert_true(p->affordances->reply_public && p->affordances->can_hide && !p->affordances->can_block);
	assert_int_equal(p->affordances->private_until_ms, 1763757000001);
	assert_int_equal(p->transport, ASCOLTO__TRANSPORT__TRANSPORT_POLL);
	assert_int_equal(p->trust, ASCOLTO__TRUST__TRUST_PULLED_TLS);
	assert_string_equal(p->repost_of, "n0");
	assert_string_equal(p->parse_error, "");
	arena_free(&a);
}

static void wrong_posts_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		enum post_error want;
		const char *words;
	} rows[] = {
		{"{}", POST_OK, ""},
		{"{\"text\":null,\"author\":null,\"attachments\":null}", POST_OK, ""},
		{"[]", POST_NOT_JSON, "not a JSON object"},
		{"{\"a\":1", POST_NOT_JSON, "not JSON"},
		{"{\"a\":1,\"a\":2}", POST_NOT_JSON, "duplicate"},
		{"{\"text\":\"\xff\"}", POST_NOT_JSON, "not UTF-8"},
		{"{\"text\":\"\\u0000\"}", POST_NOT_JSON, "not JSON"},
		{"{\"text\":\"\\ud800\"}", POST_NOT_JSON, "not JSON"},
		{"{\"rating\":1e999999}", POST_NOT_JSON, "not JSON"},
		{"{\"text\":5}", POST_WRONG_FIELD, "field \"text\" must be a string"},
		{"{\"text\":{\"a\":[]}}", POST_WRONG_FIELD, "field \"text\" must be a string"},
		{"{\"revision\":\"1\"}", POST_WRONG_FIELD, "field \"revision\" must be a whole number"},
		{"{\"revision\":-1}", POST_WRONG_FIELD, "field \"revision\" must be from 0 to 4294967295"},
		{"{\"revision\":4294967296}", POST_WRONG_FIELD,
			"field \"revision\" must be from 0 to 4294967295"},
		{"{\"created_at_ms\":1.5}", POST_WRONG_FIELD,
			"field \"created_at_ms\" must be a whole number"},
		{"{\"kind\":\"foo\"}", POST_UNKNOWN_KIND, "unknown kind \"foo\" (known: message, edit,"},
		{"{\"kind\":7}", POST_WRONG_FIELD, "field \"kind\" must be a string"},
		{"{\"surface\":\"open\"}", POST_WRONG_FIELD,
			"unknown surface \"open\" (known: public, semi, private)"},
		{"{\"author\":[]}", POST_WRONG_FIELD, "field \"author\" must be an object"},
		{"{\"author\":{\"ids\":{}}}", POST_WRONG_FIELD, "field \"author.ids\" must be a list"},
		{"{\"author\":{\"ids\":[1]}}", POST_WRONG_FIELD,
			"field \"author.ids\" must be a list of objects"},
		{"{\"author\":{\"ids\":[{\"value\":7}]}}", POST_WRONG_FIELD,
			"field \"author.ids[0].value\" must be"},
		{"{\"author\":{\"followers\":-1}}", POST_WRONG_FIELD,
			"field \"author.followers\" must be 0 or more"},
		{"{\"author\":{\"verified\":1}}", POST_WRONG_FIELD,
			"field \"author.verified\" must be true or false"},
		{"{\"affordances\":{\"can_hide\":\"yes\"}}", POST_WRONG_FIELD,
			"field \"affordances.can_hide\" must be"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a;
		struct err e = {0};
		Ascolto__Post *p = NULL;
		arena_init(&a, 1 << 20);
		enum post_error r = post_parse(span_str(rows[i].json), &a, &p, &e);
		if (r != rows[i].want || !strstr(e.text, rows[i].words))
			fail_msg("%s: %d, \"%s\"", rows[i].json, (int)r, e.text);
		arena_free(&a);
	}
}

static enum post_error parse_built(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b;
	struct arena a;
	struct err e = {0};
	Ascolto__Post *p;
	buf_init(&b, 4 << 20);
	buf_adds(&b, head);
	for (size_t i = 0; i < n; i++) {
		if (i && piece[1])
			buf_adds(&b, ",");
		buf_adds(&b, piece);
	}
	buf_adds(&b, tail);
	arena_init(&a, 4 << 20);
	enum post_error r = post_parse(buf_span(&b), &a, &p, &e);
	arena_free(&a);
	buf_free(&b);
	return r;
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_built("{\"handle\":", "1", 0, "\"\"}"), POST_OK);
	assert_int_equal(parse_built("{\"native_id\":\"", "a", POST_STRING_MAX, "\"}"), POST_OK);
	assert_int_equal(parse_built("{\"native_id\":\"", "a", POST_STRING_MAX + 1, "\"}"), POST_WRONG_FIELD);
	assert_int_equal(parse_built("{\"author\":{\"ids\":[", "{}", POST_AUTHOR_IDS_MAX, "]}}"), POST_OK);
	assert_int_equal(parse_built("{\"author\":{\"ids\":[", "{}", POST_AUTHOR_IDS_MAX + 1, "]}}"),
		POST_WRONG_FIELD);
	assert_int_equal(
		parse_built("{\"attachments\":[", "{}", POST_ATTACHMENTS_MAX + 1, "]}"), POST_WRONG_FIELD);
	assert_int_equal(parse_built("{\"x\":", "[", 100000, ""), POST_NOT_JSON);
	assert_int_equal(parse_built("{\"text\":\"", "a", 2 << 20, "\"}"), POST_NOT_JSON);
}

static void words_are_known(void **state)
{
	(void)state;
	assert_int_equal(post_trust("signed"), ASCOLTO__TRUST__TRUST_SIGNED);
	assert_int_equal(post_trust("SIGNED"), ASCOLTO__TRUST__TRUST_UNKNOWN);
	assert_int_equal(post_trust(NULL), ASCOLTO__TRUST__TRUST_UNKNOWN);
	assert_int_equal(post_transport("webhook"), ASCOLTO__TRANSPORT__TRANSPORT_WEBHOOK);
	assert_string_equal(post_kinds(),
		"message, edit, delete, review, reaction, call, delivery_status, echo, "
		"moderation, auth_change, gap");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_arrives),
		cmocka_unit_test(wrong_posts_are_named),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(words_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
