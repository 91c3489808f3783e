#include "services/escalation/evidence/chart.h"

#define MINUTE ((int64_t)60000)
#define WIDTH 760
#define HEIGHT 250
#define LEFT 44
#define TOP 26
#define BOTTOM 30
#define INNER_W (WIDTH - LEFT - 8)
#define INNER_H (HEIGHT - TOP - BOTTOM)
#define TEXT_BLOCKS 40
#define LABEL_MS_MIN 52 /* points between labels of the time axis */

void chart_fit(struct chart *c, int64_t from_ms, int64_t to_ms, size_t bars)
{
	static const int64_t widths[] = {5, 10, 15, 30, 60, 120, 360, 720, 1440};
	size_t w = 0, most = MIN(bars, (size_t)CHART_BARS_MAX);
	while (w + 1 < ARRAY_SIZE(widths) && (to_ms - from_ms) / (widths[w] * MINUTE) + 2 > (int64_t)most)
		w++;
	c->bar_ms = widths[w] * MINUTE;
	c->from_ms = from_ms - from_ms % c->bar_ms;
	c->n = (size_t)MIN(MAX((to_ms - c->from_ms + c->bar_ms - 1) / c->bar_ms, (int64_t)1), (int64_t)CHART_BARS_MAX);
}

void chart_add(struct chart *c, int64_t at_ms, uint32_t all, uint32_t part)
{
	int64_t i = at_ms < c->from_ms ? -1 : (at_ms - c->from_ms) / c->bar_ms;
	if (i < 0 || i >= (int64_t)c->n)
		return;
	c->all[i] += all;
	c->part[i] += part;
}

void chart_mark(struct chart *c, int64_t at_ms, const char *text, bool red)
{
	if (c->n_marks == CHART_MARKS_MAX || at_ms < c->from_ms || at_ms > c->from_ms + (int64_t)c->n * c->bar_ms)
		return;
	c->marks[c->n_marks++] = (struct chart_mark){at_ms, text, red};
}

static uint32_t highest(const struct chart *c)
{
	uint32_t max = 1;
	for (size_t i = 0; i < c->n; i++)
		max = MAX(max, MAX(c->all[i], c->part[i]));
	return max;
}

/* 1, 2 or 5 times a power of ten, so that at most four lines are needed. */
static uint32_t nice_step(uint32_t max)
{
	static const uint32_t steps[] = {1, 2, 5};
	for (uint32_t power = 1; power < 1000000000; power *= 10)
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
			if (steps[i] * power * 4 >= max)
				return steps[i] * power;
	return max;
}

static void time_words(int64_t ms, bool day, char out[16])
{
	struct tm tm;
	time_t s = (time_t)(ms / 1000);
	localtime_r(&s, &tm);
	strftime(out, 16, day ? "%d/%m" : "%H:%M", &tm);
}

static int64_t minutes_of_day(int64_t ms)
{
	struct tm tm;
	time_t s = (time_t)(ms / 1000);
	localtime_r(&s, &tm);
	return tm.tm_hour * 60 + tm.tm_min;
}

/* ---- SVG ---- */

struct axes {
	double x_scale; /* points per millisecond */
	double y_scale; /* points per message */
	uint32_t step, top;
};

static double x_of(const struct chart *c, const struct axes *a, int64_t ms)
{
	return LEFT + (double)(ms - c->from_ms) * a->x_scale;
}

static double y_of(const struct axes *a, uint32_t v)
{
	return TOP + INNER_H - v * a->y_scale;
}

static void draw_axes(const struct chart *c, const struct axes *a, struct buf *out)
{
	char words[16];
	bool days = (int64_t)c->n * c->bar_ms > (int64_t)3 * 1440 * MINUTE;
	for (uint32_t v = 0; v <= a->top; v += a->step)
		buf_addf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%" PRIu32 "</text>\n",
			LEFT, WIDTH - 8, y_of(a, v), y_of(a, v), LEFT - 6, y_of(a, v) + 4, v);
	int64_t every = c->bar_ms;
	static const int64_t steps[] = {5, 10, 15, 30, 60, 120, 180, 360, 720, 1440};
	for (size_t i = 0; i < ARRAY_SIZE(steps) && (double)every * a->x_scale < LABEL_MS_MIN; i++)
		every = MAX(steps[i] * MINUTE, c->bar_ms);
	for (size_t i = 0; i < c->n; i++) {
		int64_t at = c->from_ms + (int64_t)i * c->bar_ms;
		double x = x_of(c, a, at);
		if (minutes_of_day(at) * MINUTE % every >= c->bar_ms || x > WIDTH - 24)
			continue;
		time_words(at, days, words);
		buf_addf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, HEIGHT - 10, words);
	}
}

static void draw_bars(const struct chart *c, const struct axes *a, struct buf *out)
{
	double width = MAX((double)c->bar_ms * a->x_scale - 1.5, 1.0);
	for (size_t i = 0; i < c->n; i++) {
		double x = x_of(c, a, c->from_ms + (int64_t)i * c->bar_ms);
		const struct {
			const char *class;
			uint32_t v;
		} bars[] = {{"bar", c->all[i]}, {"part", c->part[i]}};
		for (size_t b = 0; b < ARRAY_SIZE(bars); b++)
			if (bars[b].v)
				buf_addf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
					bars[b].class, x, y_of(a, bars[b].v), width, bars[b].v * a->y_scale);
	}
}

/* Each with a letter above; what they mean stands below the picture, where there is room for words. */
static void draw_marks(const struct chart *c, const struct axes *a, struct buf *out)
{
	double last = -100;
	for (size_t i = 0; i < c->n_marks; i++) {
		double x = x_of(c, a, c->marks[i].at_ms), label = MAX(x, last + 14);
		last = label;
		buf_addf(out, "<line class=\"mark%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
			"<text class=\"label\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%c</text>\n",
			c->marks[i].red ? " red" : "", x, x, TOP - 4, TOP + INNER_H, label, TOP - 9, (char)('A' + i));
	}
}

static void draw_legend(const struct chart *c, struct buf *out)
{
	char words[16];
	buf_adds(out, "<figcaption>");
	document_escape_html(out, c->title);
	for (size_t i = 0; i < c->n_marks; i++) {
		time_words(c->marks[i].at_ms, false, words);
		buf_addf(out, "%s <b>%c</b> ", i ? ";" : ".", (char)('A' + i));
		document_escape_html(out, c->marks[i].text);
		buf_addf(out, " %s", words);
	}
	buf_adds(out, ".</figcaption>");
}

static void draw_svg(const struct chart *c, struct buf *out)
{
	struct axes a = {.step = nice_step(highest(c))};
	a.top = (highest(c) + a.step - 1) / a.step * a.step;
	a.x_scale = (double)INNER_W / ((double)c->n * (double)c->bar_ms);
	a.y_scale = (double)INNER_H / a.top;
	buf_addf(out, "<figure>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
	document_escape_html(out, c->title);
	buf_adds(out, "\">\n");
	if (c->shade_to_ms > c->shade_from_ms) {
		double from = MAX(x_of(c, &a, c->shade_from_ms), (double)LEFT);
		double to = MIN(x_of(c, &a, c->shade_to_ms), (double)(WIDTH - 8));
		if (to > from)
			buf_addf(out, "<rect class=\"phase\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", from, TOP,
				to - from, INNER_H);
	}
	draw_axes(c, &a, out);
	draw_bars(c, &a, out);
	draw_marks(c, &a, out);
	buf_adds(out, "</svg>\n");
	draw_legend(c, out);
	buf_adds(out, "\n</figure>\n");
}

/* ---- Markdown ---- */

static void draw_text(const struct chart *c, struct document *d)
{
	char words[16], day[16];
	uint32_t max = highest(c);
	document_text(d, "%s:", c->title);
	buf_adds(d->out, "```text\n");
	for (size_t i = 0; i < c->n; i++) {
		int64_t at = c->from_ms + (int64_t)i * c->bar_ms;
		size_t blocks = (size_t)((uint64_t)c->all[i] * TEXT_BLOCKS / max), dark = (size_t)((uint64_t)c->part[i] * TEXT_BLOCKS / max);
		time_words(at, false, words);
		time_words(at, true, day);
		buf_addf(d->out, "%s %s ", day, words);
		for (size_t b = 0; b < MAX(blocks, dark); b++)
			buf_adds(d->out, b < dark ? "█" : "░");
		buf_addf(d->out, " %" PRIu32, c->all[i]);
		for (size_t m = 0; m < c->n_marks; m++)
			if (c->marks[m].at_ms >= at && c->marks[m].at_ms < at + c->bar_ms)
				buf_addf(d->out, " ← %s", c->marks[m].text);
		buf_adds(d->out, "\n");
	}
	buf_adds(d->out, "```\n\n");
}

void chart_draw(const struct chart *c, struct document *d)
{
	if (d->html)
		draw_svg(c, d->out);
	else
		draw_text(c, d);
}
