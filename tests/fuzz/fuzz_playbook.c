/* A playbook file, and the decisions of whatever it was compiled to; its voices hear their own names. */
#include "tests/fuzz/fuzz.h"

#include "services/escalation/answers/draft.h"

static void hear(const struct playbook_voice *v)
{
	static struct arena arena;
	struct draft_report r;
	const struct draft d = {.text = v->name, .language = v->language, .network = v->name, .author = v->hashtag, .in_public = true,
		.voice = v};
	if (!arena.max)
		arena_init(&arena, (size_t)16 * 1024 * 1024);
	arena_reset(&arena);
	CHECK(draft_check(&d, &arena, &r) == 0 && r.n <= DRAFT_RULES);
	for (size_t i = 0; i < r.n; i++)
		CHECK(draft_sentence(&r.findings[i], i % 2, &arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct playbook *p = NULL;
	struct err e = {0};
	int r = playbook_load(&p, fuzz_file(data, size), &e);
	CHECK(r ? !p && e.text[0] : p && p->kinds_count && p->kinds_count <= PLAYBOOK_KINDS_MAX);
	for (enum intent i = 0; p && i < INTENTS; i++) {
		struct facts f = {.content = true, .intent = i, .flags = BIT(i % FLAGS)};
		struct decision d;
		rules_decide(p->rules, p->kinds_count, &f, &d);
		CHECK(d.rule >= -1 && d.rule < (int)p->kinds_count);
		CHECK(playbook_incident(p, CODE_RED));
		if (d.rule >= 0)
			CHECK(playbook_actor(p, p->kinds[d.rule].owner));
	}
	for (unsigned i = 0; p && i < p->voices_count; i++)
		hear(&p->voices[i]);
	playbook_free(&p);
	return 0;
}
