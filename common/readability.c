#include "readability.h"

#include "common/concept.h"
#include "common/text.h"
#include "common/words.h"

/* A sentence ends at . ! ? ... or a line break that follow a letter or digit and precede a space or the end. */
static uint32_t sentences_in(struct span s)
{
	uint32_t n = 0;
	bool word = false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		bool end = c == '.' || c == '!' || c == '?' || c == '\n' || (c == ';' && word);
		bool last = i + 1 == s.len || s.data[i + 1] <= ' ' || s.data[i + 1] == '"' || s.data[i + 1] == ')' ||
			s.data[i + 1] == '!' || s.data[i + 1] == '?' || s.data[i + 1] == '.';
		if (end && word && last) {
			n++;
			word = false;
		} else if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
			word = true;
		}
	}
	return n + word;
}

static bool is_vowel(uint8_t c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* Groups of vowels; a final silent e does not count, "-le" after a consonant does. */
static uint32_t english_syllables(struct span w)
{
	uint32_t n = 0;
	for (size_t i = 0; i < w.len; i++)
		n += is_vowel(w.data[i]) && (i == 0 || !is_vowel(w.data[i - 1]));
	bool final_e = w.len > 2 && w.data[w.len - 1] == 'e' && !is_vowel(w.data[w.len - 2]);
	if (final_e && n > 1 && !(w.data[w.len - 2] == 'l' && !is_vowel(w.data[w.len - 3])))
		n--;
	return MAX(n, 1u);
}

static uint32_t letters_in(struct span w)
{
	uint32_t n = 0;
	for (size_t i = 0; i < w.len; i++)
		n += (w.data[i] & 0xc0) != 0x80;
	return n;
}

int readability_of(struct span text, const char *lang, struct arena *a, struct readability *ret)
{
	struct text t;
	int r = text_read(text, a, &t);
	if (r < 0)
		return r;
	struct readability x = {.sentences = sentences_in(span_of(text.data, MIN(text.len, TEXT_BYTES_MAX)))};
	for (size_t i = 0; i < t.count; i++) {
		if (t.tokens[i].kind != TOKEN_WORD && t.tokens[i].kind != TOKEN_NUMBER)
			continue;
		struct span w = text_token(&t, i);
		x.words++;
		x.letters += letters_in(w);
		x.syllables += english_syllables(w);
	}
	int language = words_language_of(lang);
	x.sentences = MAX(x.sentences, 1u);
	x.known = x.words && (language == WORDS_IT || language == WORDS_EN);
	if (x.known && language == WORDS_IT)
		x.index = MAX(0.0, MIN(100.0, 89 + (300.0 * x.sentences - 10.0 * x.letters) / x.words));
	else if (x.known)
		x.index = 206.835 - 1.015 * x.words / x.sentences - 84.6 * x.syllables / x.words;
	*ret = x;
	return 0;
}

/* --- tone ------------------------------------------------------------------------------------------------------ */

static bool in_list(struct span w, const char *list)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, " ");
		if (len == w.len && memcmp(p, w.data, len) == 0)
			return true;
		p += len + (p[len] == ' ');
	}
	return false;
}

static const char informal[] = "tu te ti tuo tua tuoi tue hai puoi vuoi devi scrivici chiamaci ciao tuyo tú tienes puedes toi ton ta "
	"tes du dich dir dein deine você";
static const char familiar_en[] = "hey hiya mate guys dude buddy cheers gonna wanna gotta yep yeah nope";
static const char formal[] = "lei le suo sua suoi sue gentile egregio egregia distinti cordiali può voglia usted ustedes vous votre vos "
	"sie ihnen ihr ihre madame monsieur sehr_geehrte dear sincerely regards sir madam senhor senhora";
static const char slang[] = "cmq xke xké xché ke nn tt qlc qlcs dx sx grz risp raga bro lol lmao omg wtf btw idk thx ur pls plz u tvb "
	"asap fyi imho boh mdr ptdr tqm kkkk vc blz";

/* "Le" and "Sie" are a form of address with a capital only. English has one for everybody, and words among friends. */
static int address_of(struct span w, int language, unsigned flags)
{
	if (in_list(w, language == WORDS_EN ? familiar_en : informal))
		return -1;
	bool ambiguous = in_list(w, "le sie ihr ihre lei suo sua suoi sue ihnen");
	if (ambiguous)
		return flags & TOKEN_CAPITAL ? 1 : 0;
	return in_list(w, formal) ? 1 : 0;
}

int tone_of(struct span text, const char *lang, struct arena *a, struct tone *ret)
{
	struct text t;
	int r = text_read(text, a, &t);
	if (r < 0)
		return r;
	int language = words_language_of(lang), address = 0;
	struct tone x = {.capital_share = t.letters ? (double)t.capitals / t.letters : 0};
	for (size_t i = 0; i < t.count; i++) {
		const struct token *k = &t.tokens[i];
		struct span w = text_token(&t, i);
		size_t used;
		x.emoji += k->kind == TOKEN_EMOJI;
		x.elongated += (k->flags & TOKEN_ELONGATED) != 0;
		x.exclamation_runs += k->kind == TOKEN_MARK && w.len == 2 && (w.data[0] == '!' || w.data[1] == '!' || w.data[1] == '?');
		x.capital_words += k->flags & TOKEN_CAPITALS && letters_in(w) >= 4;
		if (k->kind != TOKEN_WORD)
			continue;
		bool chat = in_list(w, slang) || str_eq(concept_name(concept_match(&t, i, language, &used)), "insult");
		int address_here = address_of(w, language, k->flags);
		x.slang += chat;
		x.slang_word = chat && !x.slang_word.len ? w : x.slang_word;
		x.informal_word = address_here < 0 && !x.informal_word.len ? w : x.informal_word;
		address += address_here;
	}
	x.formality = address > 0 ? FORMALITY_FORMAL : address < 0 ? FORMALITY_INFORMAL : FORMALITY_UNKNOWN;
	*ret = x;
	return 0;
}
