#include "services/escalation/answers/draft.h"

#include "common/signature.h"
#include "common/text.h"
#include "common/words.h"
#include "common/private_data.h"

#include <strings.h>
#include <xxhash.h>

#define SIGNATURE_TOKENS 8 /* at the end, where a signature stands */

const char *const draft_rules[DRAFT_RULES + 1] = {
	[DRAFT_PRIVATE_DATA] = "private_data",
	[DRAFT_LENGTH] = "length",
	[DRAFT_FORBIDDEN] = "forbidden",
	[DRAFT_PROMISE] = "promise",
	[DRAFT_SIGNATURE] = "signature",
	[DRAFT_HASHTAG] = "hashtag",
	[DRAFT_ADDRESS] = "address",
	[DRAFT_EMOJI] = "emoji",
	[DRAFT_SLANG] = "slang",
	[DRAFT_ACRONYM] = "acronym",
	[DRAFT_CAPITALS] = "capitals",
	[DRAFT_EXCLAMATIONS] = "exclamations",
	[DRAFT_CLARITY] = "clarity",
	[DRAFT_GENERIC] = "generic",
	[DRAFT_COPIED] = "copied",
};

/* What follows are our own lists. A final asterisk stands for any ending. */
static const char *const promises[] = {"garantiamo", "garantisco", "garantito", "promettiamo", "prometto",
	"le assicuro", "assicuriamo", "rimborseremo", "rimborserò", "sarà rimborsat*", "risarciremo",
	"sarà risarcit*", "indennizzeremo", "sicuramente", "al cento per cento", "mai più", "we guarantee",
	"i guarantee", "guaranteed", "we promise", "i promise", "we assure you", "we will refund",
	"you will be refunded", "we will compensate", "you will be compensated", "definitely",
	"one hundred percent", "never again"};

static const char *const stock[] = {"ci scusiamo per il disagio", "ci scusiamo per gli eventuali disagi",
	"ci scusiamo per l'inconveniente", "la sua soddisfazione è la nostra priorità",
	"il cliente è al centro", "teniamo a precisare", "come da prassi", "leader di mercato",
	"da sempre attenti", "la ringraziamo per la sua pazienza", "in riferimento alla sua",
	"restando a disposizione", "cogliamo l'occasione per", "we apologise for any inconvenience",
	"we apologize for any inconvenience", "sorry for any inconvenience",
	"your satisfaction is our priority", "your call is important to us", "we value your feedback",
	"we take this matter very seriously", "thank you for your patience and understanding",
	"as per our policy", "market leader", "customer is at the heart"};

static const char known_acronyms[] =
	" ok sms pin puk sim iban pec tv ue eu uk usa gps pdf qr wifi adsl cap spid faq id iva pos usb "
	"cd dvd 4g 5g app pc am pm otp url pdv cv ";

/* ---- words ---- */

/* The words as they stand in what was read, whole words only; empty: nowhere. */
static struct span words_at(const struct text *t, const char *words, struct arena *a)
{
	size_t len = strlen(words);
	bool any_end = len && words[len - 1] == '*';
	struct text p;
	if (text_read(span_of(words, len - any_end), a, &p) || !p.count)
		return span_of("", 0);
	struct span w = p.normal, all = t->normal;
	while (w.len && w.data[w.len - 1] == ' ')
		w.len--;
	const uint8_t *last = all.data + all.len;
	for (const uint8_t *at = all.data; w.len && (at = memmem(at, (size_t)(last - at), w.data, w.len));
		at++) {
		const uint8_t *end = at + w.len;
		while (any_end && end < last && *end != ' ')
			end++;
		if ((at == all.data || at[-1] == ' ') && (end == last || *end == ' '))
			return span_of(at, (size_t)(end - at));
	}
	return span_of("", 0);
}

/* The first of the list that is there; *ret_said, if not NULL, is how: with its ending where any would do. */
static bool says_one_of(
	const struct text *t, const char *const *list, size_t n, struct arena *a, struct span *ret_said)
{
	for (size_t i = 0; i < n; i++) {
		struct span said = words_at(t, list[i], a);
		if (said.len && ret_said)
			*ret_said = list[i][strlen(list[i]) - 1] == '*' ? said : span_str(list[i]);
		if (said.len)
			return true;
	}
	return false;
}

static const char *const *constant(char *const *list)
{
	return (const char *const *)(uintptr_t)list;
}

/* ---- findings ---- */

struct checking {
	const struct draft *d;
	const struct playbook_voice *v;
	struct arena *a;
	struct text text;
	struct tone tone;
	struct draft_report *r;
};

static bool among(char *const *list, unsigned n, const char *word)
{
	for (unsigned i = 0; i < n; i++)
		if (strcasecmp(list[i], word) == 0)
			return true;
	return false;
}

static void find(struct checking *c, enum draft_rule rule, struct span detail)
{
	size_t len = MIN(detail.len, sizeof(c->r->findings[0].detail) - 1);
	struct draft_finding *f = &c->r->findings[c->r->n++];
	*f = (struct draft_finding){.rule = rule};
	f->blocks = rule == DRAFT_PRIVATE_DATA || rule == DRAFT_LENGTH ||
		    among(c->v->blocks, c->v->blocks_count, draft_rules[rule]);
	while (len && len < detail.len && (detail.data[len] & 0xc0) == 0x80)
		len--;
	memcpy(f->detail, detail.data, len);
	c->r->blocks |= f->blocks;
}

static void find_text(struct checking *c, enum draft_rule rule, const char *detail)
{
	find(c, rule, span_str(detail));
}

/* ---- what must not leave ---- */

static void check_private_data(struct checking *c)
{
	static const char *const words[PRIVATE_KINDS] = {"card", "iban", "tax_code", "phone", "mail"};
	struct span text = span_str(c->d->text);
	struct private_data p;
	for (size_t from = 0; c->d->in_public && private_data_find(text, from, &p);) {
		bool own = false;
		for (unsigned i = 0; i < c->v->contacts_count && !own; i++)
			own = private_data_is(&p, c->v->contacts[i]);
		if (!own) {
			find_text(c, DRAFT_PRIVATE_DATA, words[p.kind]);
			return;
		}
		from = (size_t)(p.where.data - text.data) + p.where.len;
	}
}

/* The network's limit, and the voice's own, which may count otherwise. What is shown is the one that is
 * passed or nearer. */
static void check_length(struct checking *c)
{
	struct length_limit net = length_limit_of(c->d->network, c->d->in_public), own = net;
	struct span text = span_str(c->d->text);
	char detail[64];
	own.max = c->v->max_characters;
	own.unit = c->v->unit ? (enum length_unit)length_unit_of(c->v->unit) : net.unit;
	bool net_passed = net.max && length_of(text, &net) > net.max;
	bool nearer = own.max && (own.unit != net.unit || !net.max || own.max < net.max);
	c->r->limit = nearer && !net_passed ? own : net;
	c->r->length = length_of(text, &c->r->limit);
	snprintf(detail, sizeof(detail), "%u/%u", c->r->length, c->r->limit.max);
	if (c->r->limit.max && c->r->length > c->r->limit.max)
		find_text(c, DRAFT_LENGTH, detail);
}

static void check_words(struct checking *c)
{
	const struct playbook_voice *v = c->v;
	struct span said;
	if (says_one_of(&c->text, constant(v->forbidden), v->forbidden_count, c->a, &said))
		find(c, DRAFT_FORBIDDEN, said);
	if (says_one_of(&c->text, promises, ARRAY_SIZE(promises), c->a, &said) ||
		says_one_of(&c->text, constant(v->promises), v->promises_count, c->a, &said))
		find(c, DRAFT_PROMISE, said);
	if (says_one_of(&c->text, stock, ARRAY_SIZE(stock), c->a, &said))
		find(c, DRAFT_GENERIC, said);
}

/* ---- what must be there ---- */

/* ^mr, ^MR */
static bool has_initials(const char *text)
{
	size_t len = strlen(text), n = 0;
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\n' || text[len - 1] == '.'))
		len--;
	while (n < len && ((text[len - 1 - n] | 32) >= 'a' && (text[len - 1 - n] | 32) <= 'z'))
		n++;
	return n >= 1 && n <= 3 && n < len && text[len - 1 - n] == '^';
}

static bool is_signed(struct checking *c)
{
	const struct playbook_voice *v = c->v;
	struct text end = c->text, name;
	size_t first = end.count > SIGNATURE_TOKENS ? end.count - SIGNATURE_TOKENS : 0;
	if (!end.count)
		return false;
	size_t skip = end.tokens[first].at;
	end.normal = span_of(end.normal.data + skip, end.normal.len - skip);
	if (says_one_of(&end, constant(v->signatures), v->signatures_count, c->a, NULL) ||
		has_initials(c->d->text))
		return true;
	if (str_empty(c->d->author) || text_read(span_str(c->d->author), c->a, &name))
		return false;
	for (size_t i = 0; i < name.count; i++)
		for (size_t k = first; k < end.count; k++)
			if (name.tokens[i].len > 2 && span_eq(text_token(&name, i), text_token(&c->text, k)))
				return true;
	return false;
}

static void check_presence(struct checking *c)
{
	const char *tag = c->v->hashtag, *at = c->d->text;
	if (c->v->signature && !is_signed(c))
		find_text(c, DRAFT_SIGNATURE, "");
	if (str_empty(tag) || !c->d->in_public)
		return;
	for (size_t len = strlen(tag); (at = strcasestr(at, tag)); at++) {
		uint8_t after = (uint8_t)at[len];
		if (!((after | 32) >= 'a' && (after | 32) <= 'z') && !(after >= '0' && after <= '9') &&
			after < 0x80 && after != '_')
			return;
	}
	find_text(c, DRAFT_HASHTAG, tag);
}

/* ---- how it sounds ---- */

static bool is_known_acronym(const struct checking *c, struct span w, const char *word)
{
	char spaced[16];
	snprintf(spaced, sizeof(spaced), " %s ", word);
	return strstr(known_acronyms, spaced) || words_is_stop(w, words_language_of(c->d->language)) ||
	       among(c->v->acronyms, c->v->acronyms_count, word);
}

static void check_acronyms(struct checking *c)
{
	for (size_t i = 0; i < c->text.count; i++) {
		const struct token *k = &c->text.tokens[i];
		struct span w = text_token(&c->text, i);
		char word[8];
		if (k->kind != TOKEN_WORD || !(k->flags & TOKEN_CAPITALS) || k->flags & TOKEN_HASHTAG ||
			k->len > 6)
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)w.len, (const char *)w.data);
		if (is_known_acronym(c, w, word))
			continue;
		for (char *s = word; *s; s++)
			*s = *s >= 'a' && *s <= 'z' ? (char)(*s - 32) : *s;
		find_text(c, DRAFT_ACRONYM, word);
		return;
	}
}

static void check_tone(struct checking *c)
{
	const struct tone *t = &c->tone;
	size_t before = c->r->n;
	bool shouted = t->capital_words > 1 || (t->capital_share > 0.5 && c->text.letters >= 12);
	if (c->v->formal && t->formality == FORMALITY_INFORMAL)
		find(c, DRAFT_ADDRESS, t->informal_word);
	if (t->emoji && !c->v->emoji)
		find_text(c, DRAFT_EMOJI, "");
	if (t->slang && !c->v->slang)
		find(c, DRAFT_SLANG, t->slang_word);
	if (shouted && !c->v->loud)
		find_text(c, DRAFT_CAPITALS, "");
	if (!shouted)
		check_acronyms(c);
	if (t->exclamation_runs && !c->v->loud)
		find_text(c, DRAFT_EXCLAMATIONS, "");
	c->r->tone_right = c->r->n == before;
}

static void check_clarity(struct checking *c)
{
	const struct readability *r = &c->r->readability;
	bool italian = words_language_of(c->d->language) == WORDS_IT;
	double least = c->v->min_readability ? *c->v->min_readability
		       : italian	     ? DRAFT_CLEAR_IT
					     : DRAFT_CLEAR_EN;
	char detail[32];
	c->r->clear_known = r->known && r->words >= DRAFT_WORDS_MIN;
	c->r->clear = !c->r->clear_known || r->index >= least;
	snprintf(detail, sizeof(detail), "%.0f/%.0f", r->index, least);
	if (!c->r->clear)
		find_text(c, DRAFT_CLARITY, detail);
}

int draft_said_of(const char *text, const char *language, struct arena *a, struct draft_said *ret)
{
	Ascolto__Signature s = ASCOLTO__SIGNATURE__INIT;
	int r = signature_compute(span_str(text), language, a, &s);
	if (r)
		return r;
	*ret = (struct draft_said){XXH3_64bits(text, strlen(text)), s.copy, s.sketch, s.words};
	return 0;
}

static int check_copied(struct checking *c)
{
	struct draft_said now, last = c->d->last;
	int r = last.hash ? draft_said_of(c->d->text, c->d->language, c->a, &now) : 0;
	if (!r && last.hash &&
		(now.hash == last.hash || (now.copy && now.copy == last.copy) ||
			signature_near_copy(now.sketch, now.words, last.sketch, last.words)))
		find_text(c, DRAFT_COPIED, "");
	return r;
}

int draft_check(const struct draft *d, struct arena *a, struct draft_report *ret)
{
	static const struct playbook_voice plain = {0};
	struct checking c = {.d = d, .v = d->voice ? d->voice : &plain, .a = a, .r = ret};
	*ret = (struct draft_report){0};
	int r = text_read(span_str(d->text), a, &c.text);
	r = r ? r : tone_of(span_str(d->text), d->language, a, &c.tone);
	r = r ? r : readability_of(span_str(d->text), d->language, a, &ret->readability);
	if (r)
		return r;
	check_private_data(&c);
	check_length(&c);
	check_words(&c);
	check_presence(&c);
	check_tone(&c);
	check_clarity(&c);
	return check_copied(&c);
}

/* ---- in words ---- */

static const struct {
	const char *it, *en; /* %s: the detail */
} sentences[DRAFT_RULES] = {
	[DRAFT_PRIVATE_DATA] = {"In pubblico non si scrive %s: passate in privato",
		"In public nobody writes %s: move to private"},
	[DRAFT_LENGTH] = {"È troppo lungo per questo canale (%s)", "It is too long for this channel (%s)"},
	[DRAFT_FORBIDDEN] = {"«%s» qui non si dice", "\"%s\" is not said here"},
	[DRAFT_PROMISE] = {"«%s» è una promessa: si può mantenere?", "\"%s\" is a promise: can it be kept?"},
	[DRAFT_SIGNATURE] = {"Manca la firma di chi risponde", "It is not signed by who answers"},
	[DRAFT_HASHTAG] = {"Manca %s", "%s is missing"},
	[DRAFT_ADDRESS] = {"«%s» è troppo confidenziale per questo canale",
		"\"%s\" is too familiar for this channel"},
	[DRAFT_EMOJI] = {"Su questo canale niente emoji", "No emoji on this channel"},
	[DRAFT_SLANG] = {"«%s» è gergo", "\"%s\" is slang"},
	[DRAFT_ACRONYM] = {"«%s» è una sigla che pochi conoscono",
		"\"%s\" is an abbreviation few people know"},
	[DRAFT_CAPITALS] = {"Le parole tutte maiuscole sembrano gridate",
		"Words in capitals read as shouted"},
	[DRAFT_EXCLAMATIONS] = {"Un punto esclamativo basta", "One exclamation mark is enough"},
	[DRAFT_CLARITY] = {"È difficile da leggere (%s): frasi più brevi, parole più semplici",
		"It is hard to read (%s): shorter sentences, simpler words"},
	[DRAFT_GENERIC] = {"«%s» è una formula: dite che cosa è successo a questa persona",
		"\"%s\" is a stock phrase: say what happened to this person"},
	[DRAFT_COPIED] = {"È quasi lo stesso testo dell'ultima risposta su questo canale",
		"It is nearly the text that was last answered on this channel"},
};

static const char *detail_words(const struct draft_finding *f, bool italian)
{
	static const struct {
		const char *word, *it, *en;
	} kinds[] = {
		{"card", "un numero di carta", "a card number"},
		{"iban", "un IBAN", "an IBAN"},
		{"tax_code", "un codice fiscale", "a tax code"},
		{"phone", "un numero di telefono", "a telephone number"},
		{"mail", "un indirizzo e-mail", "an e-mail address"},
	};
	for (size_t i = 0; f->rule == DRAFT_PRIVATE_DATA && i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i].word, f->detail))
			return italian ? kinds[i].it : kinds[i].en;
	return f->detail;
}

char *draft_sentence(const struct draft_finding *f, bool italian, struct arena *a)
{
	const char *words = italian ? sentences[f->rule].it : sentences[f->rule].en,
		   *hole = strstr(words, "%s");
	if (!hole)
		return arena_strdup(a, words);
	return arena_printf(a, "%.*s%s%s", (int)(hole - words), words, detail_words(f, italian), hole + 2);
}
