/* What people typed: tokens, signature, and the classifier when the models have been made. */
#include "tests/fuzz/fuzz.h"

#include "common/signature.h"
#include "common/text.h"
#include "services/intent/classifier.h"

#include <math.h>
#include <unistd.h>

static const char *const languages[] = {NULL, "", "it", "en", "es", "fr", "de", "pt", "xx"};

static void check_tokens(const struct text *t)
{
	size_t end = 0;
	CHECK(t->count <= TEXT_TOKENS_MAX && t->normal.data[t->normal.len] == 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct token *k = &t->tokens[i];
		CHECK(k->len && k->at >= end && k->at + k->len <= t->normal.len);
		CHECK(k->kind != TOKEN_WORD || k->len <= TOKEN_BYTES_MAX);
		end = k->at + k->len;
	}
}

static void check_signature(struct span raw, const char *lang, struct arena *a)
{
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	CHECK(signature_compute(raw, lang, a, &s) == 0);
	CHECK(s.n_terms <= SIGNATURE_TERMS_MAX && s.n_terms == s.n_weights);
	for (size_t i = 1; i < s.n_terms; i++)
		CHECK(s.terms[i - 1] < s.terms[i]);
	double self = signature_similarity(&s, &s);
	CHECK(s.n_terms ? fabs(self - 1) < 0.001 : self == 0);
	CHECK(signature_sketch_distance(&s, &s) == 0);
}

static struct classifier *classifier(void)
{
	static struct classifier *c;
	static bool tried;
	const char *dir = getenv("ASCOLTO_FUZZ_MODELS");
	struct err e = {0};
	if (!tried) {
		tried = true;
		dir = dir ? dir : BINARY_DIR "/models";
		if (access(dir, R_OK) == 0 && classifier_open_linear(dir, &c, &e))
			fprintf(stderr, "without models: %s\n", err_text(&e));
	}
	return c;
}

static void classify(struct span raw, const char *lang, struct arena *a)
{
	Ascolto__Understanding u = ASCOLTO__UNDERSTANDING__INIT;
	struct classifier_input in = {.text = raw,
		.subject = span_of(raw.data, raw.len / 4),
		.lang = lang,
		.surface = "public",
		.channel = "x"};
	if (!classifier())
		return;
	CHECK(classifier_predict(classifier(), &in, a, &u, NULL) == 0);
	if (u.intent)
		CHECK(u.intent->probability >= 0 && u.intent->probability <= 1.0001);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	struct fuzz_input in = {data, size};
	struct text t;
	if (!arena.max)
		arena_init(&arena, (size_t)32 * 1024 * 1024);
	arena_reset(&arena);
	const char *given = languages[fuzz_u8(&in) % ARRAY_SIZE(languages)];
	struct span raw = span_of(in.data, in.size);
	CHECK(text_read(raw, &arena, &t) == 0);
	check_tokens(&t);
	check_signature(raw, given, &arena);
	classify(raw, given, &arena);
	return 0;
}
