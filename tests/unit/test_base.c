#include "tests/unit/check.h"

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/key.h"
#include "common/log.h"

#include <fcntl.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ arena */

static void test_arena_bound(void **state)
{
	(void)state;
	struct arena a CLEANUP(arena_free);
	arena_init(&a, 100000);
	assert_null(arena_alloc(&a, 100001));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 7));
	size_t sum = 0;
	for (size_t size = 1; size < 2000; size += 37) {
		uint8_t *p = arena_alloc(&a, size);
		if (!p)
			break;
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, 0xA5, size);
		sum += size;
	}
	assert_true(sum <= 100000 && a.used <= a.max);
	while (arena_alloc(&a, 16))
		sum += 16;
	assert_true(a.used > a.max - 16);
	assert_null(arena_strdup(&a, "no room left here"));
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 50000));
}

static void test_arena_strings(void **state)
{
	(void)state;
	struct arena a CLEANUP(arena_free);
	arena_init(&a, 1000);
	assert_string_equal(arena_strdup(&a, NULL), "");
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	const uint8_t *zero = arena_zalloc(&a, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zero[i], 0);
	ProtobufCAllocator *pb = arena_pb(&a);
	void *p = pb->alloc(pb->allocator_data, 10);
	assert_non_null(p);
	pb->free(pb->allocator_data, p);
	assert_null(pb->alloc(pb->allocator_data, 1000));
}

/* ------------------------------------------------------------------------------------------------ buf */

static void test_buf_bound(void **state)
{
	(void)state;
	struct buf b CLEANUP(buf_free);
	buf_init(&b, 10);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_adds(&b, "12345"), 0);
	assert_int_equal(buf_addf(&b, "%d", 67890), 0);
	assert_string_equal(buf_str(&b), "1234567890");
	assert_int_equal(buf_adds(&b, ""), 0);
	assert_int_equal(buf_adds(&b, "x"), -EMSGSIZE);
	assert_true(b.broken);
	assert_int_equal(b.len, 10);
	buf_drop(&b, 4);
	assert_string_equal(buf_str(&b), "567890");
	assert_int_not_equal(buf_adds(&b, "x"), 0); /* broken stays broken though there is room */
	assert_null(buf_room(&b, 1));
	assert_int_not_equal(buf_addf(&b, "x"), 0);
	assert_string_equal(buf_str(&b), "567890");
	buf_reset(&b);
	assert_false(b.broken);
	assert_int_equal(buf_adds(&b, "again"), 0);
	assert_string_equal(buf_str(&b), "again");
	buf_drop(&b, 100);
	assert_int_equal(b.len, 0);
}

static void test_buf_grows(void **state)
{
	(void)state;
	struct buf b CLEANUP(buf_free);
	buf_init(&b, 100000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_addf(&b, "%04d,", i), 0);
	assert_int_equal(b.len, 50000);
	assert_int_equal(b.data[b.len], 0);
	assert_memory_equal(b.data + 49995, "9999,", 5);
	assert_int_equal(buf_add(&b, b.data, SIZE_MAX), -EMSGSIZE);
}

/* ------------------------------------------------------------------------------------------------ err */

static void test_err(void **state)
{
	(void)state;
	struct err e = {0};
	assert_string_equal(err_text(&e), "no error");
	assert_string_equal(err_text(NULL), "unknown error");
	assert_int_equal(err_set(NULL, -EIO, "unheard"), -EIO);
	assert_int_equal(err_prefix(NULL, "unheard"), 0);
	assert_int_equal(err_set(&e, -EBADMSG, "not JSON: %s", "unexpected end"), -EBADMSG);
	assert_int_equal(err_prefix(&e, "storm.jsonl:%d", 17), -EBADMSG);
	assert_string_equal(err_text(&e), "storm.jsonl:17: not JSON: unexpected end");
	for (int i = 0; i < 100; i++)
		err_prefix(&e, "a long prefix");
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	e = (struct err){.code = -ENOENT};
	assert_string_equal(err_text(&e), "No such file or directory");
}

/* ------------------------------------------------------------------------------------------------ key */

static unsigned seed = 42;

static uint32_t any(uint32_t below)
{
	return (uint32_t)rand_r(&seed) % below;
}

struct parts {
	uint8_t u8;
	uint32_t u32;
	char text[8];
	int64_t ms, newest;
	struct id id;
};

/* Few different values, so that parts are often equal and the later ones decide; some at the ends of their
 * range. */
static struct parts any_parts(void)
{
	static const uint32_t numbers[] = {0, 1, 0xff, 0x100, 0x7fffffff, 0x80000000, 0xffffffff};
	static const int64_t times[] = {0, 1, 255, 256, 1700000000000, 1700000000001, INT64_MAX};
	struct parts p = {.u8 = (uint8_t)any(2), .u32 = numbers[any(ARRAY_SIZE(numbers))]};
	size_t len = any(4);
	for (size_t i = 0; i < len; i++)
		p.text[i] = (char)("\x01\x02"
				   "ab\x7f\xff"[any(6)]);
	p.ms = times[any(ARRAY_SIZE(times))];
	p.newest = times[any(ARRAY_SIZE(times))];
	p.id.b[any(ID_BYTES)] = (uint8_t)any(3);
	return p;
}

static struct key key_of(const struct parts *p)
{
	struct key k = key_make(3, 200);
	key_u8(&k, p->u8);
	key_str(&k, p->text);
	key_u32(&k, p->u32);
	key_ms(&k, p->ms);
	key_ms_newest(&k, p->newest);
	key_id(&k, &p->id);
	return k;
}

static int sign(int64_t v)
{
	return v < 0 ? -1 : v > 0;
}

static int compare_parts(const struct parts *a, const struct parts *b)
{
	if (a->u8 != b->u8)
		return a->u8 < b->u8 ? -1 : 1;
	int c = strcmp(a->text, b->text);
	if (c)
		return sign(c);
	if (a->u32 != b->u32)
		return a->u32 < b->u32 ? -1 : 1;
	if (a->ms != b->ms)
		return a->ms < b->ms ? -1 : 1;
	if (a->newest != b->newest)
		return a->newest > b->newest ? -1 : 1;
	return sign(memcmp(a->id.b, b->id.b, ID_BYTES));
}

static int compare_keys(const struct key *a, const struct key *b)
{
	int c = memcmp(a->data, b->data, MIN(a->len, b->len));
	return c ? sign(c) : sign((int64_t)a->len - b->len);
}

static void test_key_order(void **state)
{
	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct parts a = any_parts(), b = any_parts();
		if (any(2)) { /* mostly equal, so that late parts are compared too */
			b.u8 = a.u8;
			memcpy(b.text, a.text, sizeof(a.text));
			b.u32 = a.u32;
		}
		struct key ka = key_of(&a), kb = key_of(&b);
		if (compare_keys(&ka, &kb) != compare_parts(&a, &b))
			fail_msg("round %d: keys compare otherwise than their parts", round);
	}
}

static void test_key_take(void **state)
{
	(void)state;
	struct id id = id_random(1700000000000), id_back;
	uint8_t table, group, u8;
	uint32_t u32;
	uint64_t u64;
	struct key k = key_make(9, 255);
	key_u8(&k, 7);
	key_u32(&k, 0xdeadbeef);
	key_u64(&k, UINT64_MAX - 1);
	key_id(&k, &id);
	struct span s = key_span(&k);
	assert_int_equal(key_take_u8(&s, &table), 0);
	assert_int_equal(key_take_u8(&s, &group), 0);
	assert_int_equal(key_take_u8(&s, &u8), 0);
	assert_int_equal(key_take_u32(&s, &u32), 0);
	assert_int_equal(key_take_u64(&s, &u64), 0);
	assert_int_equal(key_take_u8(&(struct span){s.data, 0}, &u8), -EBADMSG);
	assert_int_equal(key_take_id(&(struct span){s.data, 15}, &id_back), -EBADMSG);
	assert_int_equal(key_take_id(&s, &id_back), 0);
	assert_true(table == 9 && group == 255 && u8 == 7 && u32 == 0xdeadbeef && u64 == UINT64_MAX - 1);
	assert_true(id_eq(&id, &id_back) && s.len == 0);
}

static void test_key_long_names(void **state)
{
	(void)state;
	char name[3000], other[3000];
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	memcpy(other, name, sizeof(name));
	other[sizeof(other) - 2] = 'm';
	struct key a = key_make(1, 1), b = key_make(1, 1), c = key_make(1, 1);
	key_name(&a, name);
	key_name(&b, other);
	key_name(&c, name);
	assert_false(a.broken);
	assert_true(a.len <= 2 + KEY_NAME_MAX + 2);
	assert_int_not_equal(compare_keys(&a, &b), 0);
	assert_int_equal(compare_keys(&a, &c), 0);
	name[KEY_NAME_MAX] = 0; /* the longest that is kept as it is, and one more */
	struct key fits = key_make(1, 1), folded = key_make(1, 1);
	key_name(&fits, name);
	assert_int_equal(fits.len, 2 + KEY_NAME_MAX + 2);
	name[KEY_NAME_MAX] = 'n';
	name[KEY_NAME_MAX + 1] = 0;
	key_name(&folded, name);
	assert_false(folded.broken);
	assert_int_not_equal(compare_keys(&fits, &folded), 0);

	struct key k = key_make(1, 1);
	key_str(&k, other);
	assert_true(k.broken);
	uint16_t len = k.len;
	key_u8(&k, 1);
	assert_true(k.broken && k.len == len && k.len <= KEY_MAX);
	struct key negative = key_make(1, 1), zero = key_make(1, 1);
	key_ms(&negative, -5);
	key_ms(&zero, 0);
	assert_int_equal(compare_keys(&negative, &zero), 0);
}

/* ------------------------------------------------------------------------------------------------ log */

static void test_log(void **state)
{
	(void)state;
	char path[] = "/tmp/ascolto-test-log-XXXXXX", got[20000] = "";
	int file = mkstemp(path), saved = dup(STDERR_FILENO);
	assert_true(file >= 0 && saved >= 0);
	unlink(path);
	char flood[10000];
	memset(flood, '\n', sizeof(flood));
	flood[sizeof(flood) - 1] = 0;
	setenv("JOURNAL_STREAM", "1:2", 1);
	dup2(file, STDERR_FILENO);
	log_open("test", LOG_LEVEL_INFO);
	log_error("a\nb\r\x1b[31mred\x7f gr\xC3\xBC\xC3\x9F \\ %d", 7);
	log_debug("unseen");
	unsetenv("JOURNAL_STREAM");
	log_warning("plain");
	log_info("%s", flood);
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = pread(file, got, sizeof(got) - 1, 0);
	close(file);
	assert_true(n > 0);

	const char *first = "<3>a\\x0ab\\x0d\\x1b[31mred\\x7f gr\xC3\xBC\xC3\x9F \\ 7\n";
	assert_memory_equal(got, first, strlen(first));
	const char *second = got + strlen(first);
	assert_true(second[4] == '-' && second[10] == 'T');
	assert_non_null(strstr(second, "Z warning test: plain\n"));
	size_t lines = 0;
	for (const char *p = got; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 3);

	enum log_level level;
	assert_int_equal(log_level_parse("warning", &level), 0);
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_level_parse(NULL, &level), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_bound),
		cmocka_unit_test(test_arena_strings),
		cmocka_unit_test(test_buf_bound),
		cmocka_unit_test(test_buf_grows),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_key_order),
		cmocka_unit_test(test_key_take),
		cmocka_unit_test(test_key_long_names),
		cmocka_unit_test(test_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
