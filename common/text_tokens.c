/* Code points to tokens. */
#include "text_internal.h"

#include <utf8proc.h>

enum class { OTHER, SPACE, LETTER, DIGIT, EMOJI };

static bool is_emoji(uint32_t c)
{
	return (c >= 0x1f000 && c <= 0x1faff && !(c >= 0x1f3fb && c <= 0x1f3ff)) || (c >= 0x2600 && c <= 0x27bf) ||
		(c >= 0x2b05 && c <= 0x2b55) || c == 0x203c || c == 0x2049 || (c >= 0x231a && c <= 0x23ff) ||
		c == 0x2764;
}

static const uint8_t ascii_class[128] = {
	[0 ... ' '] = SPACE,
	['a' ... 'z'] = LETTER,
	['0' ... '9'] = DIGIT,
};

static enum class class_of_other(uint32_t c)
{
	if (is_emoji(c))
		return EMOJI;
	switch (utf8proc_category((int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
		return LETTER;
	case UTF8PROC_CATEGORY_ND:
		return DIGIT;
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return SPACE;
	default:
		return OTHER;
	}
}

static inline enum class class_of(uint32_t c)
{
	return c < 0x80 ? ascii_class[c] : class_of_other(c);
}

static uint32_t at(const struct tokenizer *t, size_t i)
{
	return i < t->n ? CP(t->cp[i]) : ' ';
}

static enum class class_at(const struct tokenizer *t, size_t i)
{
	return i < t->n ? class_of(CP(t->cp[i])) : SPACE;
}

/* Begins a token; bytes are added to it with token_put and it is kept by token_end. */
static bool token_begin(struct tokenizer *t)
{
	if (t->count == t->tokens_cap || t->bytes_cap - t->len < TOKEN_BYTES_MAX + 8) {
		t->cut = true;
		return false;
	}
	t->tokens[t->count] = (struct token){.at = (uint32_t)t->len};
	return true;
}

static void token_put(struct tokenizer *t, uint32_t c)
{
	if (c < 0x80)
		t->bytes[t->len++] = (uint8_t)c;
	else
		t->len += (size_t)utf8proc_encode_char((int32_t)c, t->bytes + t->len);
}

static size_t token_len(const struct tokenizer *t)
{
	return t->len - t->tokens[t->count].at;
}

static void token_end(struct tokenizer *t, enum token_kind kind, unsigned flags)
{
	struct token *k = &t->tokens[t->count];
	k->len = (uint16_t)token_len(t);
	if (!k->len)
		return;
	k->kind = (uint8_t)kind;
	k->flags = (uint8_t)flags;
	t->bytes[t->len++] = ' ';
	t->count++;
}

static void token_fixed(struct tokenizer *t, const char *s, enum token_kind kind)
{
	if (!token_begin(t))
		return;
	while (*s)
		t->bytes[t->len++] = (uint8_t)*s++;
	token_end(t, kind, 0);
}

static bool starts_with(const struct tokenizer *t, size_t i, const char *s)
{
	for (; *s; s++, i++)
		if (at(t, i) != (uint8_t)*s)
			return false;
	return true;
}

static size_t skip_to_space(const struct tokenizer *t, size_t i)
{
	while (i < t->n && class_at(t, i) != SPACE)
		i++;
	return i;
}

/* "don't", "it's", "I'll": the apostrophe of a contraction, as against "l'app". */
static bool is_contraction(const struct tokenizer *t, size_t apostrophe)
{
	static const char *const tails[] = {"s", "t", "m", "d", "re", "ll", "ve"};
	for (size_t k = 0; k < ARRAY_SIZE(tails); k++) {
		size_t len = strlen(tails[k]);
		if (starts_with(t, apostrophe + 1, tails[k]) && class_at(t, apostrophe + 1 + len) != LETTER)
			return true;
	}
	return false;
}

struct word_state {
	uint32_t last;
	size_t repeat, letters, capitals;
	bool elongated, first_capital;
};

static void word_put(struct tokenizer *t, struct word_state *w, uint32_t raw)
{
	uint32_t c = CP(raw);
	bool letter = class_of(c) == LETTER;
	if (letter) {
		w->letters++;
		w->capitals += (raw & UPPER) != 0;
	}
	if (!token_len(t))
		w->first_capital = raw & UPPER;
	w->repeat = letter && c == w->last ? w->repeat + 1 : 1;
	w->last = c;
	if (w->repeat == 3) { /* now it is known to be a run: take the second one back */
		w->elongated = true;
		do
			t->len--;
		while ((t->bytes[t->len] & 0xc0) == 0x80);
	}
	if (w->repeat < 3)
		token_put(t, c);
}

#define TO_SPLIT 0x100u /* beside a token's flags, not kept: a hashtag typed without capitals */

/* The word of a hashtag that ended last, in as many words as it is made of. */
static void hashtag_split(struct tokenizer *t)
{
	uint8_t lens[TOKEN_BYTES_MAX], tag[TOKEN_BYTES_MAX];
	struct token whole = t->tokens[t->count - 1];
	if (whole.len < HASHTAG_SPLIT_MIN)
		return;
	size_t n = text_hashtag_split(t->bytes + whole.at, whole.len, lens);
	if (n < 2 || t->tokens_cap - t->count < n || t->bytes_cap - t->len < n + TOKEN_BYTES_MAX)
		return;
	memcpy(tag, t->bytes + whole.at, whole.len);
	t->len = whole.at;
	t->count--;
	for (size_t i = 0, from = 0; i < n; from += lens[i++]) {
		t->tokens[t->count] = (struct token){.at = (uint32_t)t->len};
		memcpy(t->bytes + t->len, tag + from, lens[i]);
		t->len += lens[i];
		token_end(t, TOKEN_WORD, i ? (whole.flags & ~(unsigned)TOKEN_CAPITAL) | TOKEN_JOINED : whole.flags);
	}
}

static void word_end(struct tokenizer *t, struct word_state *w, unsigned flags)
{
	if (w->elongated)
		flags |= TOKEN_ELONGATED;
	if (w->letters >= 2 && w->capitals == w->letters)
		flags |= TOKEN_CAPITALS;
	if (w->first_capital)
		flags |= TOKEN_CAPITAL;
	t->letters += (uint32_t)w->letters;
	t->capitals += (uint32_t)w->capitals;
	size_t before = t->count;
	token_end(t, TOKEN_WORD, flags);
	if (flags & TO_SPLIT && t->count > before)
		hashtag_split(t);
}

/* Where CamelCase and words_with_underscores come apart inside a hashtag. */
static bool hashtag_break(const struct tokenizer *t, size_t i)
{
	bool upper = t->cp[i] & UPPER, before = t->cp[i - 1] & UPPER;
	bool digit = class_at(t, i) == DIGIT, digit_before = class_at(t, i - 1) == DIGIT;
	if (digit != digit_before)
		return true;
	if (upper && !before)
		return true;
	return upper && before && i + 1 < t->n && class_at(t, i + 1) == LETTER && !(t->cp[i + 1] & UPPER);
}

/* True when the capitals of the hashtag that begins here say where its words begin. */
static bool hashtag_has_capitals(const struct tokenizer *t, size_t i)
{
	for (size_t k = i + 1; class_at(t, k) == LETTER || class_at(t, k) == DIGIT; k++)
		if (class_at(t, k) == LETTER && class_at(t, k - 1) == LETTER && hashtag_break(t, k))
			return true;
	return false;
}

/* The word ends and another one begins without a blank between. */
static bool next_word(struct tokenizer *t, struct word_state *w, unsigned flags)
{
	word_end(t, w, flags);
	*w = (struct word_state){0};
	return token_begin(t);
}

static size_t read_word(struct tokenizer *t, size_t i, bool hashtag)
{
	unsigned flags = hashtag ? TOKEN_HASHTAG | (hashtag_has_capitals(t, i) ? 0 : TO_SPLIT) : 0;
	struct word_state w = {0};
	if (!token_begin(t))
		return skip_to_space(t, i);
	for (size_t start = i; i < t->n; i++) {
		enum class c = class_at(t, i);
		if (c == LETTER || c == DIGIT) {
			bool again = hashtag && i > start && hashtag_break(t, i);
			if (again || token_len(t) > TOKEN_BYTES_MAX - 4) {
				if (!next_word(t, &w, flags))
					return skip_to_space(t, i);
				flags |= hashtag ? TOKEN_JOINED : 0;
			}
			word_put(t, &w, t->cp[i]);
			continue;
		}
		if (hashtag && at(t, i) == '_' && class_at(t, i + 1) == LETTER) {
			if (!next_word(t, &w, flags))
				return skip_to_space(t, i);
			flags |= TOKEN_JOINED;
			start = i + 1;
			continue;
		}
		if (at(t, i) == '\'' && class_at(t, i + 1) == LETTER && is_contraction(t, i))
			continue;
		if (at(t, i) == '@' && class_at(t, i + 1) == LETTER) { /* an address */
			t->len = t->tokens[t->count].at;
			token_fixed(t, "mail", TOKEN_MAIL);
			return skip_to_space(t, i);
		}
		break;
	}
	word_end(t, &w, flags);
	return i;
}

static bool number_goes_on(const struct tokenizer *t, size_t i)
{
	uint32_t c = at(t, i);
	return (c == '.' || c == ',' || c == ':' || c == '/' || c == '-') && class_at(t, i + 1) == DIGIT;
}

static size_t read_number(struct tokenizer *t, size_t i)
{
	size_t k = i;
	while (class_at(t, k) == DIGIT)
		k++;
	if (class_at(t, k) == LETTER)
		return read_word(t, i, false);
	if (!token_begin(t))
		return skip_to_space(t, i);
	while (class_at(t, i) == DIGIT || number_goes_on(t, i)) {
		if (token_len(t) < TOKEN_BYTES_MAX - 4)
			token_put(t, at(t, i));
		i++;
	}
	token_end(t, TOKEN_NUMBER, 0);
	return i;
}

static size_t read_handle(struct tokenizer *t, size_t i)
{
	if (!token_begin(t))
		return skip_to_space(t, i);
	for (i++; i < t->n; i++) {
		enum class c = class_at(t, i);
		bool inner = (at(t, i) == '.' || at(t, i) == '-') && class_at(t, i + 1) == LETTER;
		if (c != LETTER && c != DIGIT && at(t, i) != '_' && !inner)
			break;
		if (token_len(t) < TOKEN_BYTES_MAX - 4)
			token_put(t, at(t, i));
	}
	token_end(t, TOKEN_HANDLE, 0);
	return i;
}

/* ":-)" and relatives; 0 when there is none at i. */
static size_t read_emoticon(struct tokenizer *t, size_t i)
{
	uint32_t c = at(t, i);
	if (c == '<' && at(t, i + 1) == '3') {
		token_fixed(t, "<3", TOKEN_EMOJI);
		return 2;
	}
	if (c != ':' && c != ';' && c != '=')
		return 0;
	size_t k = i + 1;
	while (at(t, k) == '-' || at(t, k) == '\'')
		k++;
	uint32_t mouth = at(t, k);
	if (mouth == ')' || mouth == ']' || ((mouth == 'd' || mouth == 'p') && class_at(t, k + 1) != LETTER))
		token_fixed(t, ":)", TOKEN_EMOJI);
	else if (mouth == '(' || mouth == '[')
		token_fixed(t, ":(", TOKEN_EMOJI);
	else if ((mouth == '/' && at(t, k + 1) != '/') || mouth == '|')
		token_fixed(t, ":|", TOKEN_EMOJI);
	else
		return 0;
	while (at(t, k + 1) == mouth)
		k++;
	return k + 1 - i;
}

static size_t read_marks(struct tokenizer *t, size_t i)
{
	size_t start = i, shouts = 0, asks = 0;
	for (; at(t, i) == '!' || at(t, i) == '?'; i++) {
		shouts += at(t, i) == '!';
		asks += at(t, i) == '?';
	}
	if (shouts && asks)
		token_fixed(t, "!?", TOKEN_MARK);
	else if (i > start)
		token_fixed(t, shouts ? (shouts > 1 ? "!!" : "!") : (asks > 1 ? "??" : "?"), TOKEN_MARK);
	return i;
}

static size_t read_other(struct tokenizer *t, size_t i)
{
	uint32_t c = at(t, i);
	size_t n = read_emoticon(t, i);
	if (n)
		return i + n;
	enum class next = class_at(t, i + 1);
	if (c == '@' && (next == LETTER || next == DIGIT || at(t, i + 1) == '_'))
		return read_handle(t, i);
	if (c == '#' && (next == LETTER || next == DIGIT))
		return read_word(t, i + 1, true);
	if (c == '!' || c == '?')
		return read_marks(t, i);
	if (c == '.' && at(t, i + 1) == '.') {
		while (at(t, i) == '.')
			i++;
		token_fixed(t, "...", TOKEN_MARK);
		return i;
	}
	if (c == '$' || (c >= 0x80 && utf8proc_category((int32_t)c) == UTF8PROC_CATEGORY_SC)) {
		if (token_begin(t)) {
			token_put(t, c);
			token_end(t, TOKEN_MARK, 0);
		}
	}
	return i + 1;
}

void text_tokenize(struct tokenizer *t)
{
	for (size_t i = 0; i < t->n && !t->cut;) {
		switch (class_at(t, i)) {
		case SPACE:
			i++;
			break;
		case DIGIT:
			i = read_number(t, i);
			break;
		case LETTER:
			if (starts_with(t, i, "http://") || starts_with(t, i, "https://") || starts_with(t, i, "www.")) {
				token_fixed(t, "url", TOKEN_URL);
				i = skip_to_space(t, i);
			} else {
				i = read_word(t, i, false);
			}
			break;
		case EMOJI:
			if (token_begin(t)) {
				token_put(t, at(t, i));
				token_end(t, TOKEN_EMOJI, 0);
			}
			i++;
			break;
		default:
			i = read_other(t, i);
		}
	}
}
