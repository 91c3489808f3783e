/* What is found in a draft, and what is left alone: a row each. */
#include "services/escalation/answers/texts.h"

#include "tests/unit/check.h"
#include "tests/unit/hostile.h"

static struct arena arena;

#define W(text) ((char[]){text})
#define LIST(name, ...) static char *name[] = {__VA_ARGS__}
#define HAS(list, words) .list = words, .list##_count = ARRAY_SIZE(words)

LIST(contacts, W("@acme.example"), W("06 12345678"));
LIST(signatures, W("Acme"), W("Team Acme"));
LIST(forbidden, W("colpa vostra"), W("stupid*"));
LIST(own_promises, W("entro domani"));
LIST(acronyms, W("pod"));
LIST(stops, W("signature"), W("promise"));

static unsigned easy = 90, any = 0;

static struct playbook_voice plain = {0}, formal = {.formal = true},
			     lively = {.emoji = true, .slang = true, .loud = true},
			     signs = {.signature = true, HAS(signatures, signatures)},
			     tagged = {.hashtag = W("#AcmeHelp")}, short_one = {.max_characters = 20},
			     in_bytes = {.max_characters = 20, .unit = W("bytes")},
			     words = {HAS(forbidden, forbidden), HAS(promises, own_promises),
				     HAS(acronyms, acronyms)},
			     own = {HAS(contacts, contacts)},
			     strict = {.signature = true, HAS(blocks, stops)},
			     simple = {.min_readability = &easy}, careless = {.min_readability = &any};

static const struct {
	struct playbook_voice *voice;
	const char *network, *language, *text;
	const char *finds;  /* rules in the order of draft.c; a blocking one with "!" */
	const char *detail; /* of the first */
} rows[] = {
	{&plain, "facebook", "it", "Buongiorno, abbiamo visto il guasto e ci lavoriamo. Le scriviamo qui.",
		"", ""},
	{NULL, "", "", "", "", ""},
	/* private data, the brand's own aside */
	{&plain, "x", "it", "La richiami al 333 1234567", "private_data!", "phone"},
	{&own, "x", "it", "Scriva ad aiuto@acme.example o chiami lo 06 1234 5678", "", ""},
	{&own, "x", "it", "Scriva ad aiuto@acme.example o ad anna@posta.example", "private_data!", "mail"},
	/* length, as the network counts and as the voice does */
	{&short_one, "facebook", "it", "Venti caratteri, qui", "", ""},
	{&short_one, "facebook", "it", "Ventuno caratteri qui", "length!", "21/20"},
	{&short_one, "facebook", "it", "Perché è così, però…", "", ""},
	{&in_bytes, "facebook", "it", "Perché è così, però…", "length!", "26/20"},
	/* words */
	{&words, "x", "it", "È colpa vostra", "forbidden", "colpa vostra"},
	{&words, "x", "en", "Not a stupidity", "forbidden", "stupidity"},
	{&words, "x", "it", "Colpa non vostra", "", ""},
	{&words, "x", "en", "Stupi dity", "", ""},
	{&words, "x", "it", "Arriva entro domani", "promise", "entro domani"},
	{&plain, "x", "it", "Arriva entro domani", "", ""},
	{&plain, "x", "it", "L'importo sarà rimborsato", "promise", "sarà rimborsato"},
	{&plain, "x", "en", "We guarantee it", "promise", "we guarantee"},
	{&plain, "x", "it", "Ci scusiamo per l’inconveniente.", "generic", "ci scusiamo per l'inconveniente"},
	{&plain, "x", "en", "We apologise for any inconvenience caused", "generic",
		"we apologise for any inconvenience"},
	/* signature */
	{&signs, "x", "it", "Ci lavoriamo. Anna", "", ""},
	{&signs, "x", "it", "Ci lavoriamo. Team Acme", "", ""},
	{&signs, "x", "it", "Ci lavoriamo ^mr", "", ""},
	{&signs, "x", "it", "Ci lavoriamo", "signature", ""},
	{&signs, "x", "it", "Anna le scrive che ci lavoriamo, e che presto avrà altre notizie qui",
		"signature", ""},
	{&strict, "x", "it", "Garantiamo che ci lavoriamo", "promise! signature!", "garantiamo"},
	/* hashtag */
	{&tagged, "x", "it", "Ci lavoriamo #acmehelp.", "", ""},
	{&tagged, "x", "it", "Ci lavoriamo #AcmeHelpers", "hashtag", "#AcmeHelp"},
	/* tone */
	{&formal, "x", "it", "Buongiorno, ti scriviamo qui", "address", "ti"},
	{&formal, "x", "it", "Buongiorno, Le scriviamo qui entro sei ore", "", ""},
	{&plain, "x", "it", "Ciao, ti scriviamo qui", "", ""},
	{&formal, "x", "en", "Hey mate, we are on it", "address", "hey"},
	{&formal, "x", "en", "Dear Anna, you will hear from us here", "", ""},
	{&plain, "x", "it", "Grazie 😊", "emoji", ""},
	{&plain, "x", "it", "Cmq ci lavoriamo", "slang", "cmq"},
	{&plain, "x", "it", "Contatti il CRM", "acronym", "CRM"},
	{&plain, "x", "it", "Mandi una PEC con il suo IBAN", "", ""},
	{&words, "x", "it", "Le serve il POD", "", ""},
	{&plain, "x", "it", "Le serve il POD", "acronym", "POD"},
	{&plain, "x", "it", "STIAMO LAVORANDO per voi", "capitals", ""},
	{&plain, "x", "it", "Grazie mille!!", "exclamations", ""},
	{&plain, "x", "it", "Grazie mille!", "", ""},
	{&lively, "x", "it", "Cmq GRAZIE MILLE!!! 😊", "", ""},
	/* clarity, where there is an index and enough words */
	{&plain, "x", "it",
		"La informiamo che l'ottemperanza alle disposizioni contrattualmente convenute comporterà "
		"l'effettuazione di ulteriori approfondimenti istruttori.",
		"clarity", NULL},
	{&careless, "x", "it",
		"La informiamo che l'ottemperanza alle disposizioni contrattualmente convenute comporterà "
		"l'effettuazione di ulteriori approfondimenti istruttori.",
		"", ""},
	{&simple, "x", "it", "Stiamo controllando la linea di casa sua con i tecnici della zona.", "clarity",
		NULL},
	{&plain, "x", "en",
		"Notwithstanding preliminary considerations, organisational responsibilities necessitate "
		"supplementary "
		"investigations.",
		"clarity", NULL},
	{&plain, "x", "de",
		"Donaudampfschifffahrtsgesellschaften benachrichtigen Vertragspartner ausschließlich "
		"schriftlich zu "
		"Geschäftsbedingungsänderungen heute",
		"", ""},
	{&plain, "x", "it", "Inequivocabilmente insoddisfacente", "", ""},
};

static struct draft_report check(const struct draft *d)
{
	struct draft_report r;
	arena_reset(&arena);
	assert_int_equal(draft_check(d, &arena, &r), 0);
	return r;
}

static struct draft_report check_row(size_t i, bool in_public)
{
	return check(&(struct draft){.text = rows[i].text,
		.language = rows[i].language,
		.network = rows[i].network,
		.author = "Anna Neri",
		.in_public = in_public,
		.voice = rows[i].voice});
}

static void finds_what_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct draft_report r = check_row(i, true);
		char found[200] = "";
		bool blocks = false;
		for (size_t k = 0; k < r.n; k++) {
			size_t len = strlen(found);
			snprintf(found + len, sizeof(found) - len, "%s%s%s", k ? " " : "",
				draft_rules[r.findings[k].rule], r.findings[k].blocks ? "!" : "");
			blocks |= r.findings[k].blocks;
		}
		if (!str_eq(found, rows[i].finds) ||
			(r.n && rows[i].detail && !str_eq(r.findings[0].detail, rows[i].detail)))
			fail_msg("\"%s\": finds \"%s\" (%s) instead of \"%s\" (%s)", rows[i].text, found,
				r.n ? r.findings[0].detail : "", rows[i].finds,
				rows[i].detail ? rows[i].detail : "");
		assert_int_equal(r.blocks, blocks);
	}
}

/* Nobody else reads it. */
static void in_private_there_is_no_public(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct draft_report r = check_row(i, false);
		for (size_t k = 0; k < r.n; k++)
			assert_true(r.findings[k].rule != DRAFT_PRIVATE_DATA &&
				    r.findings[k].rule != DRAFT_HASHTAG);
	}
}

static void marks_for_the_score(void **state)
{
	(void)state;
	struct draft_report r = check(&(struct draft){.text = "Grazie mille!! 😊", .language = "it"});
	assert_true(!r.tone_right && !r.clear_known && r.clear);
	r = check(&(struct draft){.text = "Abbiamo visto il guasto e ci stiamo lavorando da questa mattina.",
		.language = "it"});
	assert_true(r.tone_right && r.clear_known && r.clear && r.readability.index > DRAFT_CLEAR_IT);
}

static void said_before(void **state)
{
	(void)state;
	static const struct {
		const char *before, *now;
		bool copied;
	} pairs[] = {
		{"Ok.", "Ok.", true},
		{"Ok.", "Ok!", false}, /* too short to know it by anything but its letters */
		{"Abbiamo visto il guasto e ci lavoriamo.", "ABBIAMO VISTO IL GUASTO E CI LAVORIAMO", true},
		{"Abbiamo visto il guasto e ci lavoriamo.", "Il tecnico arriva domani alle dieci da lei.",
			false},
		{"Gentile Anna, i tecnici sono sul posto da questa mattina e contano di finire il lavoro "
		 "sulla centralina prima di sera.",
			"Gentile Bruno, i tecnici sono sul posto da questa mattina e contano di finire il "
			"lavoro sulla centralina prima di sera.",
			true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct draft d = {.text = pairs[i].now, .language = "it", .voice = &lively};
		arena_reset(&arena);
		assert_int_equal(draft_said_of(pairs[i].before, "it", &arena, &d.last), 0);
		struct draft_report r = check(&d);
		bool copied = r.n && r.findings[r.n - 1].rule == DRAFT_COPIED;
		if (copied != pairs[i].copied)
			fail_msg("\"%s\" after \"%s\": %d", pairs[i].now, pairs[i].before, copied);
	}
}

static void networks_count_their_own_way(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t of[LENGTH_UNITS];
	} texts[] = {
		{"abc", {3, 3, 3, 3, 3}},
		{"però", {4, 4, 4, 4, 5}},
		{"日本", {2, 2, 4, 2, 6}},
		{"😀", {1, 1, 2, 2, 4}},
		{"👨‍👩‍👧", {5, 1, 2, 8, 18}},
		{"e\xcc\x80", {2, 1, 2, 2, 3}},
		{"\xff", {1, 1, 2, 1, 1}},
		{"", {0}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (int u = 0; u < LENGTH_UNITS; u++)
			if (length_of(span_str(texts[i].text),
				    &(struct length_limit){.unit = (enum length_unit)u}) != texts[i].of[u])
				fail_msg("\"%s\" in %s is %u", texts[i].text, length_units[u],
					length_of(span_str(texts[i].text),
						&(struct length_limit){.unit = (enum length_unit)u}));
	struct length_limit x = length_limit_of("x", true);
	assert_int_equal(x.max, 280);
	assert_int_equal(
		length_of(span_str("vedi https://acme.example/un/indirizzo/molto/lungo/davvero ok"), &x),
		5 + 23 + 3);
	assert_int_equal(length_limit_of("x", false).max, 10000);
	assert_int_equal(length_limit_of("nowhere", true).max, 0);
	assert_int_equal(length_unit_of("graphemes"), LENGTH_GRAPHEMES);
	assert_int_equal(length_unit_of("miles"), -1);
}

static void sentences_are_whole(void **state)
{
	(void)state;
	for (int rule = 0; rule < DRAFT_RULES; rule++)
		for (int it = 0; it < 2; it++) {
			struct draft_finding f = {.rule = (enum draft_rule)rule, .detail = "card"};
			char *s = draft_sentence(&f, it, &arena);
			assert_true(s && s[0] && !strchr(s, '%'));
		}
	struct draft_finding f = {.rule = DRAFT_PRIVATE_DATA, .detail = "iban"};
	assert_string_equal(
		draft_sentence(&f, true, &arena), "In pubblico non si scrive un IBAN: passate in privato");
	assert_string_equal(
		draft_sentence(&f, false, &arena), "In public nobody writes an IBAN: move to private");
}

/* ---- several wordings, for every channel ---- */

static char found[500];

static void keep(void *ctx, size_t list, size_t text, const char *channel, const struct draft_finding *f)
{
	size_t len = strlen(found);
	(void)ctx;
	snprintf(found + len, sizeof(found) - len, "%zu.%zu %s %s%s\n", list, text, channel,
		draft_rules[f->rule], f->blocks ? "!" : "");
}

static void wordings_are_checked_where_they_are_said(void **state)
{
	(void)state;
	char *stop[] = {W("signature")}, *x[] = {W("x")};
	struct playbook_voice voices[] = {{.name = W("short"),
						  .networks = x,
						  .networks_count = 1,
						  .signature = true,
						  .max_characters = 30,
						  HAS(blocks, stop)},
		{.name = W("usual"), .signature = true}};
	struct playbook p = {.voices = voices, .voices_count = 2};
	struct conf_brand brands[] = {{.name = W("acme")}, {.name = W("other")}};
	struct conf_channel channels[] = {{.name = W("page"), .brand = W("acme"), .network = W("facebook")},
		{.name = W("acme-x"), .brand = W("acme"), .network = W("x")},
		{.name = W("other-x"), .brand = W("other"), .network = W("x")}};
	struct conf conf = {.brands = brands, .brands_count = 2, .channels = channels, .channels_count = 3};
	char *general[] = {W("We are looking into it, for all of you."), W("Soon. Ada")},
	     *short_ones[] = {W("Soon here. Ada"), W("No name")};
	struct texts lists[] = {{"", "en", general, 2}, {"acme-x", "en", short_ones, 2}};
	/* A signature is missing everywhere, and stops the text on one channel only: both are said. */
	found[0] = 0;
	assert_int_equal(texts_check(&p, &conf, "acme", lists, 1, "Ada", keep, NULL), 0);
	assert_string_equal(found, "0.0 page signature\n0.0 acme-x length!\n0.0 acme-x signature!\n");
	/* With texts of its own that channel does not say the general ones. */
	found[0] = 0;
	assert_int_equal(texts_check(&p, &conf, "acme", lists, 2, "Ada", keep, NULL), 0);
	assert_string_equal(found, "0.0 page signature\n1.1 acme-x signature!\n");
	/* A drill speaks on the channels of the brand it is of; a brand without any is checked all the same.
	 */
	found[0] = 0;
	assert_int_equal(texts_check(&p, &conf, "other~spring", lists, 1, "Ada", keep, NULL), 0);
	assert_string_equal(found, "0.0 other-x length!\n0.0 other-x signature!\n");
	found[0] = 0;
	conf.channels_count = 0;
	assert_int_equal(texts_check(&p, &conf, "acme", lists, 1, "Ada", keep, NULL), 0);
	assert_string_equal(found, "0.0  signature\n");
}

static void check_bytes(void *ctx, const char *name, struct span text)
{
	(void)ctx;
	print_message("%s\n", name);
	char *copy = strndup((const char *)text.data, text.len);
	struct draft_report r = check(&(struct draft){.text = copy,
		.language = "it",
		.network = "x",
		.author = copy,
		.in_public = true,
		.voice = &strict});
	for (size_t i = 0; i < r.n; i++)
		assert_non_null(draft_sentence(&r.findings[i], true, &arena));
	free(copy);
}

static void any_bytes_are_a_draft(void **state)
{
	(void)state;
	hostile_each(check_bytes, NULL);
}

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)16 * 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_it_should),
		cmocka_unit_test(in_private_there_is_no_public),
		cmocka_unit_test(marks_for_the_score),
		cmocka_unit_test(said_before),
		cmocka_unit_test(networks_count_their_own_way),
		cmocka_unit_test(sentences_are_whole),
		cmocka_unit_test(wordings_are_checked_where_they_are_said),
		cmocka_unit_test(any_bytes_are_a_draft),
	};
	return cmocka_run_group_tests_name("draft", tests, setup, teardown);
}
