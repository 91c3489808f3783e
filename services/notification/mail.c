#include "mail.h"

#include <sodium.h>

#define WORD_BYTES                                                                                           \
	39 /* of text in one encoded word: with "Subject: " before it the line has 76 characters at most */
#define QP_LINE 76

/* ------------------------------------------------------------------------------------------------ characters
 */

/* The length of the UTF-8 character at s, which ends in NUL; 0 when there is none that is valid. */
static size_t utf8_len(const uint8_t *s)
{
	size_t n = s[0] < 0x80			 ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : (s[0] & 0xf0) == 0xe0	 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool too_long = n > 2 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90));
	bool outside = n > 2 && ((s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f));
	return too_long || outside ? 0 : n;
}

/* Valid UTF-8 without control characters; with `lines`, line feeds and tabs stay. Cut at `max` bytes. */
static void add_clean(struct buf *out, const char *text, size_t max, bool lines)
{
	const uint8_t *s = (const uint8_t *)(text ? text : "");
	size_t before = out->len;
	while (*s && !out->broken) {
		size_t n = utf8_len(s);
		bool control =
			n == 1 && (s[0] < 0x20 || s[0] == 0x7f) && !(lines && (s[0] == '\n' || s[0] == '\t'));
		bool c1 = n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
		const char *instead = !n ? "\xef\xbf\xbd" : control || c1 ? " " : NULL;
		if (lines && s[0] == '\r')
			instead = s[1] == '\n' ? "" : "\n";
		size_t add = instead ? strlen(instead) : n;
		if (out->len - before + add > max)
			break;
		buf_add(out, instead ? instead : (const char *)s, add);
		s += n ? n : 1;
	}
}

/* ------------------------------------------------------------------------------------------------ header */

static bool is_plain(const char *s)
{
	for (const char *c = s; *c; c++)
		if ((uint8_t)*c >= 0x80)
			return false;
	return strlen(s) <= 66 && !strstr(s, "=?");
}

static void add_encoded_words(struct buf *out, const char *s)
{
	for (const char *fold = ""; *s; fold = "\r\n ") {
		char base64[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
		size_t n = 0, next;
		while (s[n] && (next = utf8_len((const uint8_t *)s + n)) && n + next <= WORD_BYTES)
			n += next;
		sodium_bin2base64(
			base64, sizeof(base64), (const uint8_t *)s, n, sodium_base64_VARIANT_ORIGINAL);
		buf_addf(out, "%s=?UTF-8?B?%s?=", fold, base64);
		s += n;
	}
}

static int add_subject(struct buf *out, const char *subject)
{
	struct buf clean CLEANUP(buf_free);
	buf_init(&clean, MAIL_SUBJECT_MAX + 1);
	add_clean(&clean, subject, MAIL_SUBJECT_MAX, false);
	buf_adds(out, "Subject: ");
	if (is_plain(buf_str(&clean)))
		buf_adds(out, buf_str(&clean));
	else
		add_encoded_words(out, buf_str(&clean));
	return buf_adds(out, "\r\n");
}

static bool is_address(const char *s)
{
	const char *at = s ? strchr(s, '@') : NULL;
	if (!at || at == s || !at[1])
		return false;
	for (const char *c = s; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("<>,;\"()", *c))
			return false;
	return true;
}

static int check_addresses(const struct mail *m, struct err *e)
{
	if (!is_address(m->from))
		return err_set(e, -EINVAL, "the sender's address is not one that can be written into a mail");
	if (!m->to || !m->to[0])
		return err_set(e, -EINVAL, "the mail has no recipient");
	for (const char *const *to = m->to; *to; to++)
		if (!is_address(*to))
			return err_set(e, -EINVAL,
				"recipient %zu has an address that can not be written into a mail",
				(size_t)(to - m->to) + 1);
	return 0;
}

static void add_id(
	struct buf *out, const char *name, const char *prefix, const struct id *id, const char *from)
{
	char text[ID_TEXT + 1];
	buf_addf(out, "%s: <%s%s@%s>\r\n", name, prefix, id_format(id, text), strrchr(from, '@') + 1);
}

static void add_header(struct buf *out, const struct mail *m)
{
	char date[40], order[ID_TEXT + 1];
	struct tm tm = {0};
	time_t seconds = (time_t)(m->at_ms / 1000);
	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_addf(out, "From: Ascolto <%s>\r\nTo: %s", m->from, m->to[0]);
	for (const char *const *to = m->to + 1; *to; to++)
		buf_addf(out, ",\r\n %s", *to);
	buf_adds(out, "\r\n");
	add_subject(out, m->subject);
	buf_addf(out, "Date: %s\r\n", date);
	add_id(out, "Message-ID", "", &m->order, m->from);
	if (!id_is_zero(&m->incident))
		add_id(out, "References", "incident.", &m->incident, m->from);
	buf_addf(out,
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"X-Ascolto-Delivery: %s\r\n\r\n",
		id_format(&m->order, order));
}

/* ------------------------------------------------------------------------------------------------ body */

static void add_quoted_printable(struct buf *out, const char *text)
{
	size_t column = 0;
	for (const uint8_t *s = (const uint8_t *)text; *s; s++) {
		if (*s == '\n') {
			buf_adds(out, "\r\n");
			column = 0;
			continue;
		}
		bool last = !s[1] || s[1] == '\n';
		bool plain = (*s > ' ' && *s <= '~' && *s != '=') || ((*s == ' ' || *s == '\t') && !last);
		if (column == 0 && (*s == '.' || strncmp((const char *)s, "From ", 5) == 0))
			plain = false;
		size_t width = plain ? 1 : 3;
		if (column + width > QP_LINE - 1) { /* one is kept for the soft line end */
			buf_adds(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_add(out, s, 1);
		else
			buf_addf(out, "=%02X", *s);
		column += width;
	}
	if (column)
		buf_adds(out, "\r\n");
}

int mail_compose(struct buf *out, const struct mail *m, struct err *e)
{
	char order[ID_TEXT + 1];
	int r = check_addresses(m, e);
	if (r)
		return r;
	struct buf text CLEANUP(buf_free);
	buf_init(&text, MAIL_BYTES_MAX);
	add_clean(&text, m->text, MAIL_BYTES_MAX / 4, true);
	buf_adds(&text, "\n\n-- \nAscolto");
	if (!str_empty(m->brand)) {
		buf_adds(&text, " for ");
		add_clean(&text, m->brand, 200, false);
	}
	buf_addf(&text, ", order %s\n", id_format(&m->order, order));
	add_header(out, m);
	add_quoted_printable(out, buf_str(&text));
	return text.broken || out->broken ? err_set(e, -EMSGSIZE, "the mail is longer than allowed") : 0;
}
