#include "private_data.h"

#define GROUPS_MAX 16
#define IBAN_MIN 15
#define IBAN_MAX 34
#define TAX_CODE_LEN 16
#define LOCAL_MAX 64

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Part of a word: letters of other alphabets too. */
static bool is_word(uint8_t c)
{
	return is_digit(c) || is_letter(c) || c >= 0x80 || c == '_';
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static uint8_t at(struct span s, size_t i)
{
	return i < s.len ? s.data[i] : ' ';
}

static bool begins_word(struct span s, size_t i)
{
	return i == 0 || !is_word(s.data[i - 1]);
}

/* ---- groups of digits: cards and telephones ---- */

struct groups {
	struct {
		size_t at, len;
	} group[GROUPS_MAX];
	size_t n;
	size_t before; /* where + or ( stands, else the first digit */
	bool plus;
	char separators[GROUPS_MAX]; /* before each group */
};

/* One character between groups, or ") ". */
static size_t separator(struct span s, size_t i)
{
	uint8_t c = at(s, i);
	if (c == ')' && (at(s, i + 1) == ' ' || at(s, i + 1) == '-'))
		return 2;
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

static void read_groups(struct span s, size_t i, struct groups *ret)
{
	*ret = (struct groups){.before = i, .plus = at(s, i) == '+'};
	char sep = 0;
	i += ret->plus || at(s, i) == '(';
	while (ret->n < GROUPS_MAX && is_digit(at(s, i))) {
		size_t begin = i, step;
		while (is_digit(at(s, i)))
			i++;
		ret->group[ret->n].at = begin;
		ret->separators[ret->n] = sep;
		ret->group[ret->n++].len = i - begin;
		step = separator(s, i);
		if (!step || !is_digit(at(s, i + step)))
			break;
		sep = (char)s.data[i];
		i += step;
	}
	if (ret->n && is_word(at(s, ret->group[ret->n - 1].at + ret->group[ret->n - 1].len)))
		ret->n--; /* the last one is the beginning of a word */
}

static size_t digits_of(
	struct span s, const struct groups *g, size_t first, size_t last, uint8_t *out, size_t max)
{
	size_t n = 0;
	for (size_t k = first; k <= last; k++)
		for (size_t i = 0; i < g->group[k].len; i++)
			if (n < max)
				out[n++] = (uint8_t)(s.data[g->group[k].at + i] - '0');
			else
				return max + 1;
	return n;
}

static unsigned leading(const uint8_t *d, size_t n)
{
	unsigned x = 0;
	for (size_t i = 0; i < n; i++)
		x = x * 10 + d[i];
	return x;
}

/* Ranges that are given out, with how long their numbers are. */
static bool is_card_range(const uint8_t *d, size_t n)
{
	unsigned two = leading(d, 2), four = leading(d, 4);
	if (d[0] == 4)
		return n == 13 || n == 16 || n == 19;
	if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720))
		return n == 16;
	if (two == 34 || two == 37)
		return n == 15;
	if (two == 36 || two == 38 || two == 39 || (four >= 3000 && four <= 3059))
		return n == 14 || n == 16;
	return (two == 35 || two == 50 || (two >= 56 && two <= 69) || two == 81) && n >= 13 && n <= 19;
}

static bool luhn(const uint8_t *d, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned x = d[n - 1 - i] * (i % 2 ? 2u : 1u);
		sum += x > 9 ? x - 9 : x;
	}
	return sum % 10 == 0;
}

static struct private_data found(struct span s, enum private_kind kind, size_t begin, size_t end)
{
	return (struct private_data){kind, span_of(s.data + begin, end - begin)};
}

/* A card may stand among other numbers: its date follows. */
static bool card(struct span s, const struct groups *g, struct private_data *ret)
{
	uint8_t d[20];
	for (size_t first = 0; first < g->n; first++)
		for (size_t last = first; last < g->n; last++) {
			size_t n = digits_of(s, g, first, last, d, 19);
			if (n > 19)
				break;
			if (n < 13 || !is_card_range(d, n) || !luhn(d, n))
				continue;
			*ret = found(
				s, PRIVATE_CARD, g->group[first].at, g->group[last].at + g->group[last].len);
			return true;
		}
	return false;
}

/* 29.11.2026, 29/11/26, 09-11-2026 */
static bool is_date(struct span s, const struct groups *g, size_t k)
{
	return k + 2 < g->n && g->group[k].len <= 2 && g->group[k + 1].len <= 2 &&
	       g->separators[k + 1] == g->separators[k + 2] && g->separators[k + 1] != ' ' &&
	       (g->group[k + 2].len == 2 || g->group[k + 2].len == 4) && at(s, g->group[k].at) <= '3';
}

/* Numbers that cost nothing, or something more. */
static bool is_anybodys(const uint8_t *d, size_t n)
{
	unsigned three = n >= 3 ? leading(d, 3) : 0;
	return three == 800 || three == 803 || three == 840 || three == 848 || three == 892 || three == 899 ||
	       three == 199;
}

static bool is_phone(const uint8_t *d, size_t n, size_t first_len, bool plus)
{
	size_t country = plus ? 0 : d[0] == 0 && d[1] == 0 && d[2] ? 2 : SIZE_MAX;
	if (country != SIZE_MAX)
		return n - country >= 8 && n - country <= 15 &&
		       !(leading(d + country, 2) == 39 && is_anybodys(d + country + 2, n - country - 2));
	if (is_anybodys(d, n))
		return false;
	if (d[0] == 3)
		return first_len >= 3 && (n == 9 || n == 10);
	return d[0] == 0 && d[1] && n >= 9 && n <= 11 && (first_len > 2 || d[1] == 2 || d[1] == 6);
}

/* It may stand after other numbers: "int. 4, 333 1234567". A slash follows an area code only. */
static bool phone(struct span s, const struct groups *g, struct private_data *ret)
{
	uint8_t d[20];
	for (size_t k = 0; k < g->n; k++) {
		size_t last = k;
		while (last + 1 < g->n && (g->separators[last + 1] != '/' || last == k))
			last++;
		size_t n = digits_of(s, g, k, last, d, 17);
		bool plus = g->plus && k == 0;
		if (is_date(s, g, k)) {
			k += 2;
			continue;
		}
		if (n < 8 || n > 17 || !is_phone(d, n, g->group[k].len, plus))
			continue;
		*ret = found(s, PRIVATE_PHONE, k ? g->group[k].at : g->before,
			g->group[last].at + g->group[last].len);
		return true;
	}
	return false;
}

static bool numbers(struct span s, size_t i, size_t *ret_end, struct private_data *ret)
{
	struct groups g;
	read_groups(s, i, &g);
	*ret_end = g.n ? g.group[g.n - 1].at + g.group[g.n - 1].len : i + 1;
	return card(s, &g, ret) || phone(s, &g, ret);
}

/* ---- IBAN ---- */

static unsigned modulo_97(const uint8_t *c, size_t n)
{
	unsigned x = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t v = c[(i + 4) % n]; /* the first four come last */
		x = is_digit(v) ? x * 10 + (v - '0') : x * 100 + (v - 'A' + 10);
		x %= 97;
	}
	return x;
}

static bool iban(struct span s, size_t i, struct private_data *ret)
{
	uint8_t c[IBAN_MAX];
	size_t n = 0, begin = i;
	if (!is_letter(at(s, i)) || !is_letter(at(s, i + 1)) || !is_digit(at(s, i + 2)) ||
		!is_digit(at(s, i + 3)))
		return false;
	while (n < IBAN_MAX && (is_digit(at(s, i)) || is_letter(at(s, i)))) {
		c[n++] = upper(s.data[i++]);
		if (n >= IBAN_MIN && !is_word(at(s, i)) && modulo_97(c, n) == 1) {
			*ret = found(s, PRIVATE_IBAN, begin, i);
			return true;
		}
		i += at(s, i) == ' ' || at(s, i) == '-';
	}
	return false;
}

/* ---- codice fiscale ---- */

/* What a character is worth in an odd place, counted from one; digits as the letters A to J. */
static const uint8_t odd_worth[26] = {
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};

static bool tax_code(struct span s, size_t i, struct private_data *ret)
{
	static const char shape[] = "LLLLLLDDLDDLDDDL"; /* a D may be one of LMNPQRSTUV */
	unsigned sum = 0;
	for (size_t k = 0; k < TAX_CODE_LEN; k++) {
		uint8_t c = upper(at(s, i + k));
		bool right = shape[k] == 'L' ? is_letter(c) : is_digit(c) || (c && strchr("LMNPQRSTUV", c));
		if (!right)
			return false;
		unsigned value = is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A');
		if (k + 1 < TAX_CODE_LEN)
			sum += k % 2 ? value : odd_worth[value];
	}
	if (is_word(at(s, i + TAX_CODE_LEN)) || upper(at(s, i + TAX_CODE_LEN - 1)) != 'A' + sum % 26)
		return false;
	*ret = found(s, PRIVATE_TAX_CODE, i, i + TAX_CODE_LEN);
	return true;
}

/* ---- mail ---- */

static bool is_local(uint8_t c)
{
	return is_digit(c) || is_letter(c) || (c && strchr("._%+-", c));
}

static bool mail(struct span s, size_t i, struct private_data *ret)
{
	size_t begin = i, dot = 0;
	if (at(s, i) != '@')
		return false;
	while (begin > 0 && i - begin < LOCAL_MAX && is_local(s.data[begin - 1]))
		begin--;
	if (begin == i || (begin > 0 && s.data[begin - 1] == '@')) /* @somebody@server is an account */
		return false;
	size_t end = i + 1;
	for (; is_digit(at(s, end)) || is_letter(at(s, end)) || at(s, end) == '-' || at(s, end) == '.'; end++)
		if (at(s, end) == '.' && is_letter(at(s, end + 1)) && is_letter(at(s, end + 2)))
			dot = end;
	while (end > i + 1 && (s.data[end - 1] == '.' || s.data[end - 1] == '-'))
		end--;
	if (!dot || dot == i + 1)
		return false;
	*ret = found(s, PRIVATE_MAIL, begin, end);
	return true;
}

/* ---- all of them ---- */

bool private_data_find(struct span text, size_t from, struct private_data *ret)
{
	for (size_t i = from; i < text.len;) {
		uint8_t c = text.data[i];
		size_t end = i + 1;
		if (mail(text, i, ret))
			return true;
		if (begins_word(text, i) && is_letter(c) && (iban(text, i, ret) || tax_code(text, i, ret)))
			return true;
		if (begins_word(text, i) &&
			(is_digit(c) || ((c == '+' || c == '(') && is_digit(at(text, i + 1)))) &&
			numbers(text, i, &end, ret))
			return true;
		i = end;
	}
	return false;
}

/* Letters and digits alone, small; of an address also its signs. */
static size_t bare(struct span s, char *out, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len && n + 1 < max; i++) {
		uint8_t c = s.data[i];
		if (is_digit(c) || is_letter(c) || c == '@' || c == '.')
			out[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	out[n] = 0;
	return n;
}

bool private_data_is(const struct private_data *p, const char *known)
{
	char a[128], b[128];
	size_t n = bare(p->where, a, sizeof(a)), m = bare(span_str(known), b, sizeof(b));
	if (p->kind != PRIVATE_MAIL) { /* a dot between digits says nothing */
		for (char *s = a; (s = strchr(s, '.'));)
			memmove(s, s + 1, strlen(s));
		for (char *s = b; (s = strchr(s, '.'));)
			memmove(s, s + 1, strlen(s));
		n = strlen(a);
		m = strlen(b);
	}
	return m >= 4 && n >= m && memcmp(a + n - m, b, m) == 0;
}
