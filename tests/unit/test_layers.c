/*
 * What CONTRIBUTING promises of the sources, read from the sources: plain modules know no loop, rules know
 * nothing, generated code is not committed, functions that have hurt people are not called.
 */
#include "tests/unit/check.h"

#include "common/base.h"
#include "common/buf.h"

#include <ftw.h>
#include <unistd.h>

#define FILES_MAX 1000

static struct file {
	char *path; /* relative to the repository */
	char *text; /* without comments, strings emptied except in #include lines */
	bool visited;
} files[FILES_MAX];
static size_t n_files;

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

/* Comments become blanks, the inside of strings and characters too; lines stay lines. */
static void blank_out(char *p)
{
	while (*p) {
		if (p[0] == '/' && p[1] == '/') {
			while (*p && *p != '\n')
				*p++ = ' ';
		} else if (p[0] == '/' && p[1] == '*') {
			for (; *p && !(p[0] == '*' && p[1] == '/'); p++)
				*p = *p == '\n' ? '\n' : ' ';
			if (*p)
				p[0] = p[1] = ' ';
		} else if (*p == '#' && strncmp(p, "#include", 8) == 0) {
			while (*p && *p != '\n')
				p++;
		} else if (*p == '"' || *p == '\'') {
			char quote = *p++;
			for (; *p && *p != quote && *p != '\n'; p++) {
				if (*p == '\\' && p[1])
					*p++ = ' ';
				*p = ' ';
			}
			p += *p == quote;
		} else {
			p++;
		}
	}
}

static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type != FTW_F || !(ends_with(path, ".c") || ends_with(path, ".h")))
		return 0;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_true(n_files < FILES_MAX);
	struct file *x = &files[n_files++];
	x->path = strdup(path + strlen(SOURCE_DIR) + 1);
	x->text = calloc(1, (size_t)st->st_size + 4096);
	assert_true(fread(x->text, 1, (size_t)st->st_size, f) <= (size_t)st->st_size);
	fclose(f);
	blank_out(x->text);
	return 0;
}

static int read_sources(void **state)
{
	static const char *const folders[] = {"common", "services", "tests"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, folders[i]);
		assert_int_equal(nftw(path, add_file, 32, FTW_PHYS), 0);
	}
	assert_true(n_files > 50);
	return 0;
}

static int free_sources(void **state)
{
	(void)state;
	while (n_files) {
		free(files[--n_files].path);
		free(files[n_files].text);
	}
	return 0;
}

static struct file *find(const char *path)
{
	for (size_t i = 0; i < n_files; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

/* ---- what includes what ---- */

/* Calls fn for each #include of the file: the name, and whether it was in quotes. */
static void each_include(const struct file *f,
	void (*fn)(void *ctx, const struct file *f, const char *name, bool quoted), void *ctx)
{
	for (const char *p = f->text; (p = strstr(p, "#include")); p++) {
		char name[256], open;
		if (sscanf(p, "#include %c%255[^\">]", &open, name) == 2)
			fn(ctx, f, name, open == '"');
	}
}

/* The file an #include means: beside the includer, or from the repository's root. */
static struct file *included(const struct file *from, const char *name)
{
	char path[512];
	const char *slash = strrchr(from->path, '/');
	snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - from->path), from->path, name);
	struct file *f = find(path);
	return f ? f : find(name);
}

/* common/CMakeLists.txt: set(LAYER a b c). */
static bool in_list(const char *list, const char *module)
{
	static char text[8192];
	char word[64];
	if (!text[0]) {
		FILE *f = fopen(SOURCE_DIR "/common/CMakeLists.txt", "r");
		assert_non_null(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
	}
	snprintf(word, sizeof(word), "set(%s", list);
	const char *p = strstr(text, word);
	assert_non_null(p);
	for (p += strlen(word), p += strspn(p, " \n"); *p && *p != ')';) {
		size_t n = strcspn(p, " \n)");
		if (n == strlen(module) && strncmp(p, module, n) == 0)
			return true;
		p += n;
		p += strspn(p, " \n");
	}
	return false;
}

static bool is_loop_module(const char *path)
{
	char module[64];
	if (sscanf(path, "common/%63[^.]", module) != 1)
		return false;
	if (ends_with(module, "_internal"))
		*strrchr(module, '_') = 0;
	return in_list("loop", module);
}

static void test_every_module_has_a_layer(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_files; i++) {
		char module[64], end;
		if (sscanf(files[i].path, "common/%63[^./].%c", module, &end) != 2 || end != 'c')
			continue;
		if (in_list("plain", module) + in_list("loop", module) != 1)
			fail_msg("%s is not in one of the two lists of common/CMakeLists.txt", files[i].path);
	}
}

static const char *const loop_headers[] = {"uv.h", "zmq.h", "microhttpd.h", "curl/curl.h"};

static struct buf complaints;

static void look_for_loop(void *ctx, const struct file *f, const char *name, bool quoted)
{
	const char *root = ctx;
	struct file *x = quoted ? included(f, name) : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(loop_headers); i++)
		if (strcmp(name, loop_headers[i]) == 0)
			buf_addf(&complaints, "%s includes <%s> (through %s)\n", root, name, f->path);
	if (x && is_loop_module(x->path))
		buf_addf(&complaints, "%s includes %s (through %s)\n", root, name, f->path);
	if (!x || x->visited)
		return;
	x->visited = true;
	each_include(x, look_for_loop, ctx);
}

static void forget_visits(void)
{
	for (size_t i = 0; i < n_files; i++)
		files[i].visited = false;
}

static void no_complaints(void)
{
	if (complaints.len)
		fail_msg("\n%s", buf_str(&complaints));
	buf_free(&complaints);
}

static void test_plain_knows_no_loop(void **state)
{
	(void)state;
	size_t n = 0;
	buf_init(&complaints, 1 << 16);
	for (size_t i = 0; i < n_files; i++) {
		char module[64], end;
		if (sscanf(files[i].path, "common/%63[^./].%c", module, &end) != 2 ||
			!in_list("plain", module))
			continue;
		forget_visits();
		each_include(&files[i], look_for_loop, files[i].path);
		n++;
	}
	assert_true(n > 20);
	no_complaints();
}

/* ---- rules ---- */

static const char *const harmless[] = {"ctype.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
	"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h",
	"time.h"};

static void look_at_rules(void *ctx, const struct file *f, const char *name, bool quoted)
{
	char own[512];
	bool right = false;
	(void)ctx;
	snprintf(own, sizeof(own), "%.*s.h", (int)(strlen(f->path) - 2), f->path);
	struct file *x = quoted ? included(f, name) : NULL;
	if (quoted)
		right = x && (strcmp(x->path, "common/base.h") == 0 || strcmp(x->path, own) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(harmless) && !quoted; i++)
		right |= strcmp(name, harmless[i]) == 0;
	if (!right)
		buf_addf(&complaints, "%s includes %s\n", f->path, name);
}

static bool has_word(const char *text, const char *word, char **ret_at)
{
	size_t n = strlen(word);
	for (const char *p = text; (p = strstr(p, word)); p += n) {
		bool begins = p == text || !(p[-1] == '_' || (p[-1] >= '0' && p[-1] <= '9') ||
						   ((p[-1] | 32) >= 'a' && (p[-1] | 32) <= 'z'));
		const char *after = p + n;
		after += strspn(after, " ");
		if (begins && *after == '(') {
			*ret_at = (char *)(uintptr_t)p;
			return true;
		}
	}
	return false;
}

static void test_rules_know_nothing(void **state)
{
	static const char *const impure[] = {"malloc", "calloc", "realloc", "free", "time", "clock_gettime",
		"rand", "random", "fopen", "printf", "getenv"};
	(void)state;
	size_t n = 0;
	buf_init(&complaints, 1 << 16);
	for (size_t i = 0; i < n_files; i++) {
		char *at;
		if (strncmp(files[i].path, "services/", 9) != 0 ||
			!(ends_with(files[i].path, "/rules.c") || ends_with(files[i].path, "/rules.h")))
			continue;
		each_include(&files[i], look_at_rules, NULL);
		for (size_t k = 0; k < ARRAY_SIZE(impure); k++)
			if (has_word(files[i].text, impure[k], &at))
				buf_addf(&complaints, "%s calls %s\n", files[i].path, impure[k]);
		n++;
	}
	assert_true(n >= 8);
	no_complaints();
}

/* ---- banned ---- */

/* The words that base.h poisons: files that do not include it are held to them too. */
static void test_banned(void **state)
{
	(void)state;
	struct file *base = find("common/base.h");
	assert_non_null(base);
	char *words = strstr(base->text, "#pragma GCC poison ");
	assert_non_null(words);
	size_t n = 0;
	words = strndup(
		words + strlen("#pragma GCC poison "), strcspn(words + strlen("#pragma GCC poison "), "\n"));
	buf_init(&complaints, 1 << 16);
	for (char *rest = words, *word; (word = strsep(&rest, " "));) {
		n += word[0] != 0;
		for (size_t i = 0; i < n_files && word[0]; i++) {
			char *at;
			if (!has_word(files[i].text, word, &at))
				continue;
			unsigned line = 1;
			for (const char *p = files[i].text; p < at; p++)
				line += *p == '\n';
			buf_addf(&complaints, "%s:%u: %s\n", files[i].path, line, word);
		}
	}
	free(words);
	assert_true(n >= 10);
	no_complaints();
}

/* ---- headers ---- */

static void test_headers_are_guarded(void **state)
{
	(void)state;
	buf_init(&complaints, 1 << 16);
	for (size_t i = 0; i < n_files; i++) {
		char name[128], define[140];
		const char *p = files[i].text;
		if (!ends_with(files[i].path, ".h"))
			continue;
		p = strstr(p, "#ifndef ASCOLTO_");
		if (!p || sscanf(p, "#ifndef %127s", name) != 1) {
			buf_addf(&complaints, "%s has no guard ASCOLTO_..._H\n", files[i].path);
			continue;
		}
		snprintf(define, sizeof(define), "#define %s\n", name);
		if (!strstr(p, define))
			buf_addf(&complaints, "%s: the guard %s is not defined\n", files[i].path, name);
		for (size_t k = 0; k < i; k++)
			if (ends_with(files[k].path, ".h") && strstr(files[k].text, define))
				buf_addf(&complaints, "%s and %s have one guard\n", files[i].path,
					files[k].path);
	}
	no_complaints();
}

/* ---- generated code ---- */

static void test_generated_code_is_not_committed(void **state)
{
	(void)state;
	FILE *p = popen("git -C '" SOURCE_DIR "' ls-files 2>/dev/null", "r");
	char line[1024];
	size_t n = 0;
	assert_non_null(p);
	buf_init(&complaints, 1 << 16);
	for (; fgets(line, sizeof(line), p); n++) {
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, ".pb-c.") || ends_with(line, ".model") || ends_with(line, ".o") ||
			ends_with(line, ".a") || ends_with(line, "page_files.c") ||
			strncmp(line, "build/", 6) == 0)
			buf_addf(&complaints, "%s is made by the build and committed\n", line);
	}
	pclose(p);
	if (!n)
		skip(); /* not a checkout */
	no_complaints();
}

/* No recursive message types: protobuf-c would parse nested bytes until the stack ends. */
static void test_headers_of_the_protocol_are_flat(void **state)
{
	static struct {
		char name[64], uses[64][64];
		size_t n;
		int depth; /* 0 = not known yet, -1 = being looked at */
	} m[200];
	static const char *const protos[] = {"ascolto.proto", "state.proto"};
	size_t n = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		char path[512], line[512];
		snprintf(path, sizeof(path), SOURCE_DIR "/proto/%s", protos[i]);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			char type[64], repeated[64];
			if (sscanf(line, "message %63s", type) == 1 && n < ARRAY_SIZE(m))
				snprintf(m[n++].name, sizeof(m[0].name), "%s", type);
			else if (n &&
				 (sscanf(line, " repeated %63s %63s =", type, repeated) == 2 ||
					 sscanf(line, " %63s %63s =", type, repeated) == 2) &&
				 m[n - 1].n < 64)
				snprintf(m[n - 1].uses[m[n - 1].n++], 64, "%s",
					strncmp(type, "ascolto.", 8) == 0 ? type + 8 : type);
		}
		fclose(f);
	}
	assert_true(n > 30);
	/* Longest path first; a message that reaches itself never gets a depth. */
	for (size_t round = 0; round < 10; round++)
		for (size_t i = 0; i < n; i++) {
			int deepest = 0;
			bool known = true;
			for (size_t k = 0; k < m[i].n; k++)
				for (size_t j = 0; j < n; j++)
					if (strcmp(m[i].uses[k], m[j].name) == 0) {
						known &= m[j].depth > 0;
						deepest = MAX(deepest, m[j].depth);
					}
			m[i].depth = known ? deepest + 1 : 0;
		}
	for (size_t i = 0; i < n; i++) {
		if (!m[i].depth)
			fail_msg("message %s contains itself", m[i].name);
		if (m[i].depth > 8)
			fail_msg("message %s nests %d deep", m[i].name, m[i].depth);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_module_has_a_layer),
		cmocka_unit_test(test_plain_knows_no_loop),
		cmocka_unit_test(test_rules_know_nothing),
		cmocka_unit_test(test_banned),
		cmocka_unit_test(test_headers_are_guarded),
		cmocka_unit_test(test_generated_code_is_not_committed),
		cmocka_unit_test(test_headers_of_the_protocol_are_flat),
	};
	return cmocka_run_group_tests_name("layers", tests, read_sources, free_sources);
}
