/*
 * chart.h - bars over time, as an inline SVG picture, or as lines of blocks in Markdown.
 *
 * Bars stand for equal parts of time; of each the darker part counts something within it (of all messages, those of the
 * incident). Moments are dashed lines with a letter that the legend explains; a span of time may be shaded. Times are
 * local. Everything is drawn with shapes and classes of document.h's style: no script, no style attribute.
 */
#ifndef ASCOLTO_ESCALATION_CHART_H
#define ASCOLTO_ESCALATION_CHART_H

#include "services/escalation/evidence/document.h"

#define CHART_BARS_MAX 96
#define CHART_MARKS_MAX 8

struct chart_mark {
	int64_t at_ms;
	const char *text;
	bool red;
};

struct chart {
	const char *title;           /* under the picture, and for who can not see it */
	int64_t from_ms, bar_ms;
	size_t n;
	uint32_t all[CHART_BARS_MAX], part[CHART_BARS_MAX];
	struct chart_mark marks[CHART_MARKS_MAX];
	size_t n_marks;
	int64_t shade_from_ms, shade_to_ms; /* equal: none */
};

/* Sets bar_ms and n so that [from_ms, to_ms) fits into at most `bars`: of 5, 10, 15, 30 minutes, 1, 2, 6, 12 hours, days. */
void chart_fit(struct chart *c, int64_t from_ms, int64_t to_ms, size_t bars);
void chart_add(struct chart *c, int64_t at_ms, uint32_t all, uint32_t part);
void chart_mark(struct chart *c, int64_t at_ms, const char *text, bool red); /* outside the picture: left out */

void chart_draw(const struct chart *c, struct document *d);

#endif
