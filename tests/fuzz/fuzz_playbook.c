/* A playbook file, and the decisions of whatever it was compiled to. */
#include "tests/fuzz/fuzz.h"

#include "services/escalation/playbook.h"

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
	playbook_free(&p);
	return 0;
}
