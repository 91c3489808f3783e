#include "services/escalation/evidence/document.h"

#include <utf8proc.h>

#define TEXT_MAX 8192

static const char style[] =
	":root{color-scheme:light}"
	"body{font:16px/1.5 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;color:#1c2430;background:#fff;"
	"max-width:58rem;margin:2rem auto;padding:0 1.25rem}"
	"h1{font-size:1.7rem;line-height:1.2;margin:0 0 .75rem}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;"
	"padding-bottom:.25rem;border-bottom:2px solid #d5dbe3}h3{font-size:1rem;margin:1.4rem 0 .4rem}.wide,figure{overflow-x:auto}"
	"p{margin:.5rem 0;overflow-wrap:anywhere}.note{font-size:.85rem;color:#515c6b}"
	"table{border-collapse:collapse;width:100%;font-size:.93rem;margin:.6rem 0}"
	"th{text-align:left;color:#515c6b;font-weight:600;font-size:.85rem}"
	"th,td{padding:.35rem .6rem .35rem 0;border-bottom:1px solid #e4e8ee;vertical-align:top;overflow-wrap:break-word}"
	".r{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.t{white-space:nowrap}"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;margin:1.2rem 0}"
	".figures div{background:#f3f5f8;border-radius:.5rem;padding:.7rem .85rem}"
	".figures b{display:block;font-size:1.45rem;line-height:1.2;font-variant-numeric:tabular-nums}"
	".figures span{font-size:.85rem;color:#454f5d}"
	"blockquote{margin:.7rem 0;padding:.1rem 0 .1rem .9rem;border-left:3px solid #b9c2ce}"
	"blockquote p{margin:.25rem 0}figure{margin:1rem 0}figcaption{font-size:.85rem;color:#515c6b}"
	"svg{width:100%;min-width:34rem;height:auto;display:block}svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#454f5d}"
	".bar{fill:#8fa8c8}.part{fill:#b3372f}.axis{stroke:#c9d0d9;stroke-width:1}.phase{fill:#fdf1d6}"
	".mark{stroke:#1c2430;stroke-width:1.5;stroke-dasharray:4 3}.mark.red{stroke:#b3261e}"
	"svg .label{fill:#1c2430;font-weight:600}"
	"@media(max-width:36rem){.t{white-space:normal}table{font-size:.85rem}h1{font-size:1.35rem}}"
	"@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}tr,figure,blockquote{break-inside:avoid}}";

/* ---- escaping ---- */

/* Not to be seen, or changes how its neighbours are seen. */
static bool is_harmful(utf8proc_int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void add_html(struct buf *out, const char *c, size_t len)
{
	switch (*c) {
	case '&':
		buf_adds(out, "&amp;");
		break;
	case '<':
		buf_adds(out, "&lt;");
		break;
	case '>':
		buf_adds(out, "&gt;");
		break;
	case '"':
		buf_adds(out, "&quot;");
		break;
	case '\'':
		buf_adds(out, "&#39;");
		break;
	default:
		buf_add(out, c, len);
	}
}

static void add_markdown(struct buf *out, const char *c, size_t len)
{
	if (len == 1 && strchr("\\`*_{}[]<>()#|~&!$^", *c))
		buf_adds(out, "\\");
	buf_add(out, c, len);
}

static void add_text(struct buf *out, const char *text, bool html)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text);
	while (left) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(p, (utf8proc_ssize_t)left, &c);
		if (n > 0 && (c == '\n' || c == '\t' || c == '\r'))
			buf_adds(out, " ");
		else if (n <= 0 || is_harmful(c))
			buf_adds(out, "\xef\xbf\xbd");
		else if (html)
			add_html(out, (const char *)p, (size_t)n);
		else
			add_markdown(out, (const char *)p, (size_t)n);
		n = MAX(n, (utf8proc_ssize_t)1);
		p += n;
		left -= (size_t)n;
	}
}

void document_escape_html(struct buf *out, const char *text)
{
	add_text(out, text, true);
}

static void put(struct document *d, const char *text)
{
	add_text(d->out, text, d->html);
}

static void put_va(struct document *d, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	vsnprintf(text, sizeof(text), fmt, ap);
	put(d, text);
}

/* `html` or `markdown`, whichever it is. */
static void say(struct document *d, const char *html, const char *markdown)
{
	buf_adds(d->out, d->html ? html : markdown);
}

/* ---- the whole ---- */

void document_begin(struct document *d, const char *language, const char *title)
{
	if (!d->html)
		return;
	buf_addf(d->out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>", language);
	put(d, title);
	buf_addf(d->out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

void document_end(struct document *d)
{
	say(d, "</body>\n</html>\n", "");
}

void document_heading(struct document *d, unsigned level, const char *text)
{
	if (d->html)
		buf_addf(d->out, "<h%u>", level);
	else
		buf_addf(d->out, "\n%.*s ", (int)level, "######");
	put(d, text);
	if (d->html)
		buf_addf(d->out, "</h%u>\n", level);
	else
		buf_adds(d->out, "\n\n");
}

void document_text(struct document *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(d, "<p>", "");
	put_va(d, fmt, ap);
	say(d, "</p>\n", "\n\n");
	va_end(ap);
}

void document_note(struct document *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(d, "<p class=\"note\">", "");
	put_va(d, fmt, ap);
	say(d, "</p>\n", "\n\n");
	va_end(ap);
}

/* ---- figures ---- */

void document_figures_begin(struct document *d)
{
	say(d, "<div class=\"figures\">\n", "");
}

void document_figure(struct document *d, const char *number, const char *what)
{
	say(d, "<div><b>", "- **");
	put(d, number);
	say(d, "</b><span>", "** ");
	put(d, what);
	say(d, "</span></div>\n", "\n");
}

void document_figures_end(struct document *d)
{
	say(d, "</div>\n", "\n");
}

/* ---- tables ---- */

void document_table_begin(struct document *d, const char *align)
{
	d->align = align;
	d->columns = (unsigned)strlen(align);
	d->column = d->row = 0;
	say(d, "<div class=\"wide\"><table>\n", "");
}

/* Markdown's line under the head. */
static void rule(struct document *d)
{
	for (unsigned i = 0; i < d->columns; i++)
		buf_adds(d->out, d->align[i] == 'r' ? "| ---: " : "| --- ");
	buf_adds(d->out, "|\n");
}

void document_cell(struct document *d, const char *fmt, ...)
{
	static const char *const classes[] = {"", " class=\"r\"", " class=\"t\""};
	char a = d->align[d->column];
	va_list ap;
	va_start(ap, fmt);
	if (!d->column)
		say(d, "<tr>", "");
	if (d->html)
		buf_addf(d->out, "<%s%s>", d->row ? "td" : "th", classes[a == 'r' ? 1 : a == 't' ? 2 : 0]);
	else
		buf_adds(d->out, "| ");
	put_va(d, fmt, ap);
	if (d->html)
		buf_adds(d->out, d->row ? "</td>" : "</th>");
	else
		buf_adds(d->out, " ");
	if (++d->column == d->columns) {
		say(d, "</tr>\n", "|\n");
		if (!d->html && !d->row)
			rule(d);
		d->column = 0;
		d->row++;
	}
	va_end(ap);
}

void document_table_end(struct document *d)
{
	say(d, "</table></div>\n", "\n");
}

/* ---- lists and quotations ---- */

void document_list_begin(struct document *d)
{
	say(d, "<ul>\n", "");
}

void document_item(struct document *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say(d, "<li>", "- ");
	put_va(d, fmt, ap);
	say(d, "</li>\n", "\n");
	va_end(ap);
}

void document_list_end(struct document *d)
{
	say(d, "</ul>\n", "\n");
}

/* A link whose every character is harmless in an attribute and between < and >. */
static bool is_link(const char *s)
{
	if (strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("<>\"'\\`", *s))
			return false;
	return true;
}

void document_quote(struct document *d, const char *text, const char *source, const char *link, const char *link_text)
{
	say(d, "<blockquote><p>", "> ");
	put(d, text);
	say(d, "</p><p class=\"note\">", "\n>\n> ");
	put(d, source);
	if (is_link(link) && d->html) {
		buf_adds(d->out, " · <a rel=\"noopener noreferrer nofollow\" href=\"");
		put(d, link);
		buf_adds(d->out, "\">");
		put(d, link_text);
		buf_adds(d->out, "</a>");
	} else if (is_link(link)) {
		buf_addf(d->out, " · <%s>", link);
	}
	say(d, "</p></blockquote>\n", "\n\n");
}
