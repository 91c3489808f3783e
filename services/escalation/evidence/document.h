/*
 * document.h - one text, written as Markdown or as self-contained HTML.
 *
 * Whoever writes says headings, paragraphs, tables, lists and quotations; nothing else is possible, so nothing else can be
 * smuggled in. Every text that is given is a stranger's: in HTML & < > " ' are escaped; in Markdown (CommonMark, with
 * tables) every character that could mean something is; line breaks become blanks; control characters, characters that
 * change the direction of writing and bytes that are not UTF-8 become U+FFFD. Only http and https links are made.
 * HTML holds its style and pictures in itself, loads nothing and runs nothing, and says so in a policy of its own.
 */
#ifndef ASCOLTO_ESCALATION_DOCUMENT_H
#define ASCOLTO_ESCALATION_DOCUMENT_H

#include "common/base.h"
#include "common/buf.h"

struct document {
	struct buf *out;
	bool html;
	unsigned column, columns; /* of the table being written */
	unsigned row;
	const char *align;
};

void document_begin(struct document *d, const char *language, const char *title);
void document_end(struct document *d);

void document_heading(struct document *d, unsigned level, const char *text);
void document_text(struct document *d, const char *fmt, ...) PRINTF(2, 3);
void document_note(struct document *d, const char *fmt, ...) PRINTF(2, 3); /* in small letters */

/* A few figures that are to be seen first: pairs of number and what it counts. */
void document_figures_begin(struct document *d);
void document_figure(struct document *d, const char *number, const char *what);
void document_figures_end(struct document *d);

/* One letter a column: l or r. The first row is the head. Rows begin and end by themselves. */
void document_table_begin(struct document *d, const char *align);
void document_cell(struct document *d, const char *fmt, ...) PRINTF(2, 3);
void document_table_end(struct document *d);

void document_list_begin(struct document *d);
void document_item(struct document *d, const char *fmt, ...) PRINTF(2, 3);
void document_list_end(struct document *d);

/* What somebody wrote, who and when, and where it can be read ("" or not http: no link). */
void document_quote(struct document *d, const char *text, const char *source, const char *link, const char *link_text);

/* For writers of pictures: the text as HTML, escaped. */
void document_escape_html(struct buf *out, const char *text);

#endif
