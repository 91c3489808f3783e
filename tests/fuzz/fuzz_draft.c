/* Bytes as a draft: what is found lies within the text, is said in words, and blocks whatever the network. */
#include "tests/fuzz/fuzz.h"

#include "services/escalation/answers/draft.h"
#include "common/private_data.h"

static const struct playbook_voice voice = {
	.formal = true, .signature = true, .hashtag = (char[]){"#x"}, .max_characters = 50};

/* Everything that belongs to one person, one after the other. */
static bool walk(struct span text)
{
	struct private_data p;
	size_t from = 0, n = 0;
	for (; private_data_find(text, from, &p); n++) {
		CHECK(p.kind < PRIVATE_KINDS && p.where.len);
		CHECK(p.where.data >= text.data && p.where.data + p.where.len <= text.data + text.len);
		CHECK(p.where.data + p.where.len > text.data + from);
		from = (size_t)(p.where.data - text.data) + p.where.len;
	}
	return n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const networks[] = {"x", "mastodon", "email", ""}, *const languages[] = {
										      "it", "en", "de", ""};
	static struct arena arena;
	struct fuzz_input in = {data, size};
	unsigned which = fuzz_u8(&in);
	if (!arena.max)
		arena_init(&arena, (size_t)32 * 1024 * 1024);
	arena_reset(&arena);
	char *text = arena_strndup(&arena, (const char *)in.data, in.size);
	CHECK(text);
	struct draft d = {.text = text,
		.language = languages[which % 4],
		.network = networks[which / 4 % 4],
		.author = "Ada",
		.in_public = which & 16,
		.voice = which & 32 ? &voice : NULL};
	struct draft_report r;
	CHECK(draft_said_of(text, d.language, &arena, &d.last) == 0);
	CHECK(draft_check(&d, &arena, &r) == 0 && r.n <= DRAFT_RULES);
	bool blocks = false, has_private = walk(span_str(text)), copied = false;
	for (size_t i = 0; i < r.n; i++) {
		CHECK(draft_sentence(&r.findings[i], which & 64, &arena));
		blocks |= r.findings[i].blocks;
		copied |= r.findings[i].rule == DRAFT_COPIED;
		CHECK(i == 0 || r.findings[i].rule != r.findings[i - 1].rule);
	}
	CHECK(blocks == r.blocks && copied);
	CHECK(!has_private || !d.in_public || blocks);
	return 0;
}
