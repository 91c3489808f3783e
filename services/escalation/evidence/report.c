/* The report as a document: one function a section. */
#include "services/escalation/evidence/report.h"

#include "services/escalation/evidence/chart.h"
#include "services/escalation/escalation.h"
#include "services/escalation/evidence/report_words.h"

#define SHORT 64

struct writer {
	const struct report *r;
	struct document d;
	bool italian;
};

static const char *word(const struct writer *w, enum report_word n)
{
	return report_word(n, w->italian);
}

/* ---- numbers and times ---- */

/* 1284 -> "1.284" or "1,284"; one decimal below ten. */
static char *number(const struct writer *w, double v, char out[SHORT])
{
	char digits[SHORT];
	size_t n = 0;
	if (v > 0 && v < 10 && v - (double)(int64_t)v > 0.05) {
		snprintf(out, SHORT, "%.1f", v);
		if (w->italian)
			out[strcspn(out, ".")] = out[strcspn(out, ".")] ? ',' : 0;
		return out;
	}
	int len = snprintf(digits, sizeof(digits), "%.0f", v);
	for (int i = 0; i < len && n + 2 < SHORT; i++) {
		if (i && (len - i) % 3 == 0)
			out[n++] = w->italian ? '.' : ',';
		out[n++] = digits[i];
	}
	out[n] = 0;
	return out;
}

static char *when(const struct writer *w, int64_t ms, bool day, char out[SHORT])
{
	static const char *const it[] = {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto",
		"settembre", "ottobre", "novembre", "dicembre"};
	static const char *const en[] = {"January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December"};
	struct tm tm;
	time_t s = (time_t)(ms / 1000);
	localtime_r(&s, &tm);
	if (day)
		snprintf(out, SHORT, "%d %s %d, %02d:%02d", tm.tm_mday, (w->italian ? it : en)[tm.tm_mon], tm.tm_year + 1900,
			tm.tm_hour, tm.tm_min);
	else
		snprintf(out, SHORT, "%02d:%02d", tm.tm_hour, tm.tm_min);
	return out;
}

/* With the day only where it is another one, and the time zone. */
static char *span_words(const struct writer *w, int64_t from_ms, int64_t to_ms, char out[3 * SHORT])
{
	char a[SHORT], b[SHORT];
	struct tm x, y;
	time_t s = (time_t)(from_ms / 1000), e = (time_t)(to_ms / 1000);
	localtime_r(&s, &x);
	localtime_r(&e, &y);
	bool same = x.tm_yday == y.tm_yday && x.tm_year == y.tm_year;
	snprintf(out, 3 * SHORT, "%s – %s %s", when(w, from_ms, true, a), when(w, to_ms, !same, b), y.tm_zone);
	return out;
}

static char *duration(int64_t ms, char out[SHORT])
{
	int64_t s = MAX(ms, 0) / 1000;
	if (s < 60)
		snprintf(out, SHORT, "%" PRId64 " s", s);
	else if (s < 3600)
		snprintf(out, SHORT, "%" PRId64 " min", s / 60);
	else if (s < (int64_t)2 * 86400)
		snprintf(out, SHORT, s % 3600 < 60 ? "%" PRId64 " h" : "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else
		snprintf(out, SHORT, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	return out;
}

static char *share(uint64_t part, uint64_t all, char out[SHORT])
{
	if (all)
		snprintf(out, SHORT, "%.0f %%", 100.0 * (double)part / (double)all);
	else
		snprintf(out, SHORT, "–");
	return out;
}

/* "community_manager" -> "community manager" */
static char *role(const char *name, char out[SHORT])
{
	snprintf(out, SHORT, "%s", name);
	for (char *p = out; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	return out;
}

/* ---- what the log says ---- */

static bool is(const State__AuditEntry *e, const char *what)
{
	return str_eq(e->what, what);
}

static bool is_alarm(const State__AuditEntry *e)
{
	return strncmp(e->what, "alarm_", 6) == 0;
}

/* How long somebody was waited for after the last code that was given; -1 = nobody came. */
static int64_t waited_ms(const struct report *r, const char **ret_who)
{
	int64_t given = 0, waited = -1;
	*ret_who = "";
	for (size_t i = 0; i < r->n_log; i++) {
		const State__AuditEntry *e = r->log[i];
		if (is(e, "incident_opened") || is(e, "incident_raised") || is(e, "incident_wave")) {
			given = e->at_ms;
			waited = -1;
		} else if (is(e, "incident_acknowledged") && given && waited < 0) {
			waited = e->at_ms - given;
			*ret_who = e->who;
		}
	}
	return waited;
}

/* ---- sections ---- */

static const char *code_name(const struct writer *w, Ascolto__Code code)
{
	bool red = code == ASCOLTO__CODE__CODE_RED;
	return w->italian ? red ? "rosso" : "giallo" : red ? "red" : "yellow";
}

static void lead(struct writer *w)
{
	const struct report *r = w->r;
	const Ascolto__Incident *i = r->incident;
	char span[3 * SHORT], people[SHORT], messages[SHORT], normal[SHORT], peak[SHORT];
	number(w, r->about.people, people);
	number(w, (double)r->about.messages, messages);
	number(w, i->normal, normal);
	number(w, i->peak_people, peak);
	span_words(w, r->begin_ms, r->end_ms, span);
	document_text(&w->d, w->italian ? "%s. %s persone diverse hanno scritto %s messaggi su questo solo problema. Nell'ora peggiore "
					  "erano %s, contro %s in un'ora normale di questo tema. Codice raggiunto: %s."
					: "%s. %s different people wrote %s messages about this one problem. In the worst hour they were %s, "
					  "against %s in this topic's normal hour. Code reached: %s.",
		span, people, messages, peak, normal, code_name(w, i->code));
	if (i->closed_ms) {
		char at[SHORT];
		document_text(&w->d, w->italian ? "Chiuso il %s da %s: %s" : "Closed on %s by %s: %s",
			when(w, i->closed_ms, true, at), str_empty(i->closed_by) ? i->acknowledged_by : i->closed_by, i->because);
	}
}

static void figures(struct writer *w)
{
	const struct report *r = w->r;
	char text[SHORT];
	const char *who;
	int64_t waited = waited_ms(r, &who);
	document_figures_begin(&w->d);
	document_figure(&w->d, number(w, r->about.people, text), word(w, W_PEOPLE));
	document_figure(&w->d, number(w, (double)r->about.messages, text), word(w, W_MESSAGES));
	document_figure(&w->d, number(w, (double)r->about.reach, text), word(w, W_REACH));
	document_figure(&w->d, number(w, (double)r->about.cases, text), word(w, W_CASES));
	document_figure(&w->d, waited < 0 ? "–" : duration(waited, text), word(w, waited < 0 ? W_NOT_ACKNOWLEDGED : W_TO_ACKNOWLEDGE));
	document_figure(&w->d, r->calm_ms ? duration(r->calm_ms - r->incident->opened_ms, text) : "–",
		word(w, r->calm_ms ? W_TO_CALM : W_NOT_CALM));
	document_figures_end(&w->d);
}

static void marks(const struct writer *w, struct chart *c)
{
	const struct report *r = w->r;
	const Ascolto__Incident *i = r->incident;
	if (i->opened_ms != i->red_ms)
		chart_mark(c, i->opened_ms, w->italian ? "codice giallo" : "code yellow", false);
	if (i->red_ms)
		chart_mark(c, i->red_ms, word(w, W_RED_MARK), true);
	if (i->acknowledged_ms)
		chart_mark(c, i->acknowledged_ms, word(w, W_ACKNOWLEDGED_MARK), false);
	if (r->calm_ms)
		chart_mark(c, r->calm_ms, word(w, W_CALM_MARK), false);
	if (i->closed_ms)
		chart_mark(c, i->closed_ms, word(w, W_CLOSED_MARK), false);
}

static void draw(struct writer *w, struct chart *c, const struct damage_part *parts, size_t n, enum report_word title,
	enum report_word part)
{
	char every[SHORT], head[2 * SHORT], text[4 * SHORT];
	for (size_t i = 0; i < n; i++)
		chart_add(c, parts[i].at_ms, parts[i].messages, parts[i].negative);
	marks(w, c);
	snprintf(head, sizeof(head), word(w, title), duration(c->bar_ms, every));
	snprintf(text, sizeof(text), "%s; %s", head, word(w, part));
	c->title = text;
	chart_draw(c, &w->d);
}

static size_t bars(const struct writer *w)
{
	return w->d.html ? CHART_BARS_MAX : CHART_BARS_MAX / 2;
}

static void happened(struct writer *w)
{
	const struct report *r = w->r;
	struct chart c = {0};
	if (!r->n_parts)
		return;
	int64_t quiet = MAX(r->end_ms - r->begin_ms, (int64_t)3600000); /* as long again after its end, no more */
	document_heading(&w->d, 2, word(w, W_HAPPENED));
	chart_fit(&c, r->parts[0].at_ms, MIN(r->parts[r->n_parts - 1].at_ms + PULSE_MS, r->end_ms + quiet), bars(w));
	draw(w, &c, r->parts, r->n_parts, W_CHART_ABOUT, W_CHART_ABOUT_PART);
}

static double per_hour(const struct damage_sum *s, uint64_t n)
{
	double hours = (double)(s->to_ms - s->from_ms) / 3600000;
	return hours > 0 ? (double)n / hours : 0;
}

static void damage_row(struct writer *w, enum report_word name, const struct damage_sum *const s[3],
	void (*cell)(const struct writer *w, const struct damage_sum *s, char out[SHORT]))
{
	char text[SHORT];
	document_cell(&w->d, "%s", word(w, name));
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "–");
		if (s[i]->to_ms > s[i]->from_ms)
			cell(w, s[i], text);
		document_cell(&w->d, "%s", text);
	}
}

static void cell_messages(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, per_hour(s, s->messages), out);
}

static void cell_people(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, (double)(int64_t)(s->people + 0.5), out);
}

static void cell_negative(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	(void)w;
	share(s->negative, s->messages, out);
}

static void cell_positive(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	(void)w;
	share(s->positive, s->messages, out);
}

static void cell_defended(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, (double)s->defended, out);
}

static void cell_reach(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, per_hour(s, s->reach), out);
}

static void cell_cases(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, per_hour(s, s->cases), out);
}

static void cell_acknowledge(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	(void)w;
	if (s->acknowledged)
		duration((int64_t)(s->acknowledge_ms / s->acknowledged), out);
}

static void cell_closed(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, (double)s->closed, out);
}

static void cell_late(const struct writer *w, const struct damage_sum *s, char out[SHORT])
{
	number(w, (double)s->late, out);
}

static void damage_section(struct writer *w)
{
	const struct report *r = w->r;
	const struct damage_sum *const s[3] = {&r->before, &r->during, &r->after};
	static const enum report_word heads[] = {W_BEFORE, W_DURING, W_AFTER};
	char span[3 * SHORT];
	struct chart c = {.shade_from_ms = r->begin_ms, .shade_to_ms = r->end_ms};
	document_heading(&w->d, 2, word(w, W_DAMAGE));
	document_table_begin(&w->d, "lrrr");
	document_cell(&w->d, "%s", "");
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		document_cell(&w->d, "%s", word(w, heads[i]));
	damage_row(w, W_MESSAGES_HOUR, s, cell_messages);
	damage_row(w, W_PEOPLE_ALL, s, cell_people);
	damage_row(w, W_NEGATIVE, s, cell_negative);
	damage_row(w, W_POSITIVE, s, cell_positive);
	damage_row(w, W_DEFENDED, s, cell_defended);
	damage_row(w, W_REACH_HOUR, s, cell_reach);
	damage_row(w, W_CASES_HOUR, s, cell_cases);
	damage_row(w, W_ACKNOWLEDGE_TIME, s, cell_acknowledge);
	damage_row(w, W_CLOSED, s, cell_closed);
	damage_row(w, W_LATE, s, cell_late);
	document_table_end(&w->d);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (s[i]->to_ms > s[i]->from_ms)
			document_note(&w->d, "%s: %s", word(w, heads[i]), span_words(w, s[i]->from_ms, s[i]->to_ms, span));
	if (!r->n_brand_parts)
		return;
	chart_fit(&c, r->brand_parts[0].at_ms, r->brand_parts[r->n_brand_parts - 1].at_ms + PULSE_MS, bars(w));
	draw(w, &c, r->brand_parts, r->n_brand_parts, W_CHART_BRAND, W_CHART_BRAND_PART);
}

/* The log says "code red: why" and "what to where", for machines too. */
static char *detail_words(const struct writer *w, const State__AuditEntry *e, char out[512])
{
	const char *colon = strstr(e->detail, ": "), *to = strstr(e->detail, " to ");
	char what[SHORT];
	if (strncmp(e->detail, "code ", 5) == 0 && colon)
		snprintf(out, 512, "%s %s: %s", w->italian ? "codice" : "code",
			code_name(w, strncmp(e->detail + 5, "red", 3) == 0 ? ASCOLTO__CODE__CODE_RED : ASCOLTO__CODE__CODE_YELLOW),
			colon + 2);
	else if (is(e, "alarm_ordered") && to && (size_t)(to - e->detail) < sizeof(what)) {
		snprintf(what, sizeof(what), "%.*s", (int)(to - e->detail), e->detail);
		snprintf(out, 512, "%s, %s", to + 4, report_event(what, w->italian));
	} else {
		snprintf(out, 512, "%s", e->detail);
	}
	return out;
}

/* The day only where it is another one than above. */
static char *moment(const struct writer *w, int64_t ms, int64_t above_ms, char out[SHORT])
{
	struct tm a, b;
	time_t s = (time_t)(ms / 1000), above = (time_t)(above_ms / 1000);
	char day[SHORT];
	localtime_r(&s, &a);
	localtime_r(&above, &b);
	when(w, ms, !above_ms || a.tm_yday != b.tm_yday || a.tm_year != b.tm_year, day);
	snprintf(out, SHORT, "%s:%02d", day, a.tm_sec);
	return out;
}

static void timeline(struct writer *w)
{
	const struct report *r = w->r;
	char at[SHORT], who[SHORT], detail[512], id[ID_TEXT + 1] = "";
	int64_t above = 0;
	struct id raw;
	document_heading(&w->d, 2, word(w, W_TIMELINE));
	document_table_begin(&w->d, "tlll");
	document_cell(&w->d, "%s", word(w, W_WHEN));
	document_cell(&w->d, "%s", word(w, W_WHAT));
	document_cell(&w->d, "%s", word(w, W_WHO));
	document_cell(&w->d, "%s", word(w, W_DETAIL));
	for (size_t i = 0; i < r->n_log; i++) {
		const State__AuditEntry *e = r->log[i];
		if (is_alarm(e))
			continue;
		document_cell(&w->d, "%s", moment(w, e->at_ms, above, at));
		document_cell(&w->d, "%s", report_event(e->what, w->italian));
		document_cell(&w->d, "%s", role(report_event(e->who, w->italian), who));
		document_cell(&w->d, "%s", detail_words(w, e, detail));
		above = e->at_ms;
	}
	document_table_end(&w->d);
	if (r->answers)
		document_text(&w->d, w->italian ? "Risposte ai casi: %u, consegnate %u."
						: "Answers to cases: %u, delivered %u.", r->answers, r->answers_sent);
	if (r->log_cut && id_of(r->incident->id, &raw) == 0)
		document_note(&w->d, word(w, W_LOG_CUT), (unsigned)REPORT_LOG_MAX, id_format(&raw, id));
}

static const State__AuditEntry *outcome_of(const struct report *r, const State__AuditEntry *ordered)
{
	for (size_t i = 0; i < r->n_log; i++)
		if (is_alarm(r->log[i]) && r->log[i] != ordered && !is(r->log[i], "alarm_ordered") &&
			span_eq(span_of(r->log[i]->order_id.data, r->log[i]->order_id.len),
				span_of(ordered->order_id.data, ordered->order_id.len)))
			return r->log[i];
	return NULL;
}

static void told_row(struct writer *w, const State__AuditEntry *e, int64_t above_ms)
{
	const State__AuditEntry *end = outcome_of(w->r, e);
	char at[SHORT], took[SHORT], who[SHORT], detail[512];
	document_cell(&w->d, "%s", moment(w, e->at_ms, above_ms, at));
	document_cell(&w->d, "%s", role(e->who, who));
	document_cell(&w->d, "%s", detail_words(w, e, detail));
	if (!end)
		document_cell(&w->d, "%s", word(w, W_NO_OUTCOME));
	else if (is(end, "alarm_sent"))
		document_cell(&w->d, "%s %s", report_event(end->what, w->italian), duration(end->at_ms - e->at_ms, took));
	else
		document_cell(&w->d, "%s: %s", report_event(end->what, w->italian), end->detail);
}

static void told(struct writer *w)
{
	const struct report *r = w->r;
	size_t n = 0;
	int64_t above = 0;
	document_heading(&w->d, 2, word(w, W_TOLD));
	for (size_t i = 0; i < r->n_log; i++)
		n += is(r->log[i], "alarm_ordered");
	if (!n) {
		document_text(&w->d, "%s", word(w, W_NOBODY));
		return;
	}
	document_table_begin(&w->d, "tlll");
	document_cell(&w->d, "%s", word(w, W_ORDERED));
	document_cell(&w->d, "%s", word(w, W_ACTOR));
	document_cell(&w->d, "%s", word(w, W_HOW));
	document_cell(&w->d, "%s", word(w, W_ENDED));
	for (size_t i = 0; i < r->n_log; i++)
		if (is(r->log[i], "alarm_ordered")) {
			told_row(w, r->log[i], above);
			above = r->log[i]->at_ms;
		}
	document_table_end(&w->d);
}

static void steps(struct writer *w)
{
	const Ascolto__Incident *i = w->r->incident;
	char at[SHORT], who[SHORT];
	if (!i->n_steps)
		return;
	document_heading(&w->d, 2, word(w, W_STEPS));
	document_table_begin(&w->d, "lltl");
	document_cell(&w->d, "%s", word(w, W_STEP));
	document_cell(&w->d, "%s", word(w, W_ACTOR));
	document_cell(&w->d, "%s", word(w, W_DUE));
	document_cell(&w->d, "%s", word(w, W_DONE));
	for (size_t k = 0; k < i->n_steps; k++) {
		const Ascolto__Step *s = i->steps[k];
		document_cell(&w->d, "%s", s->text);
		document_cell(&w->d, "%s", role(s->actor, who));
		document_cell(&w->d, "%s", s->due_ms ? when(w, s->due_ms, false, at) : "–");
		if (s->done_ms)
			document_cell(&w->d, "%s%s%s", when(w, s->done_ms, false, at), str_empty(s->done_by) ? "" : ", ", s->done_by);
		else
			document_cell(&w->d, "%s", word(w, W_NOT_RECORDED));
	}
	document_table_end(&w->d);
}

/* A report goes from hand to hand: who wrote in private, from an address or a number, is not named. */
static const char *author_of(const struct writer *w, const Ascolto__Post *p)
{
	if (p->surface != ASCOLTO__SURFACE__SURFACE_PUBLIC || !p->author)
		return word(w, W_IN_PRIVATE);
	return str_empty(p->author->handle) ? p->author->name : p->author->handle;
}

static void quotes(struct writer *w)
{
	const struct report *r = w->r;
	char at[SHORT], source[4 * SHORT];
	if (!r->n_examples)
		return;
	document_heading(&w->d, 2, word(w, W_QUOTES));
	for (size_t i = 0; i < r->n_examples; i++) {
		const Ascolto__Post *p = r->examples[i]->message->post;
		const char *who = author_of(w, p);
		snprintf(source, sizeof(source), "%.80s, %.40s, %s", who, p->channel, when(w, r->examples[i]->occurred_ms, true, at));
		document_quote(&w->d, p->text, source, p->permalink, word(w, W_LINK));
	}
}

/* A person's notes: lines that begin with a dash are a list, others are paragraphs. */
static void notes(struct document *d, const char *text)
{
	bool list = false;
	for (const char *s = text; *s;) {
		size_t n = strcspn(s, "\n"), skip = strspn(s, " -*\t");
		bool item = n && skip && (strchr("-*", s[skip - 1]) || (skip > 1 && strchr("-*", s[skip - 2])));
		skip = MIN(skip, n);
		if (list && !item)
			document_list_end(d);
		if (item && !list)
			document_list_begin(d);
		list = item;
		if (item)
			document_item(d, "%.*s", (int)(n - skip), s + skip);
		else if (n > skip)
			document_text(d, "%.*s", (int)(n - skip), s + skip);
		s += n + (s[n] == '\n');
	}
	if (list)
		document_list_end(d);
}

static void lessons(struct writer *w)
{
	const Ascolto__Incident *i = w->r->incident;
	document_heading(&w->d, 2, word(w, W_LESSONS));
	if (str_empty(i->lessons))
		document_text(&w->d, "%s", word(w, i->closed_ms ? W_NO_LESSONS : W_LESSONS_LATER));
	else
		notes(&w->d, i->lessons);
}

static void measured(struct writer *w)
{
	const struct report *r = w->r;
	char at[SHORT], id[ID_TEXT + 1] = "";
	struct id raw;
	if (id_of(r->incident->id, &raw) == 0)
		id_format(&raw, id);
	document_heading(&w->d, 2, word(w, W_MEASURED));
	document_note(&w->d, "%s", w->italian
		? "Prima: le 24 ore che precedono il primo segnale. Durante: fino alla calma, cioè fino all'ultima volta in cui "
		  "l'ora appena passata superava il doppio del normale e un decimo dell'ora peggiore. Dopo: le 24 ore seguenti. "
		  "Ciascuno per quanto il marchio è stato ascoltato. Le persone che scrivono del problema sono contate una per una; "
		  "quelle di tutto il marchio sono stimate, entro il 6,5 %. I seguaci sono contati una volta per persona nelle cifre "
		  "in alto, a ogni messaggio nella tabella."
		: "Before: the 24 hours before the first signal. During: until it was calm, that is until the last time when the hour "
		  "just past was above twice the normal and a tenth of the worst hour. After: the 24 hours that follow. Each as far "
		  "as the brand was heard. People who wrote about the problem are counted one by one; those of the whole brand are "
		  "estimated, within 6.5 %. Followers are counted once a person in the figures at the top, at each message in the "
		  "table.");
	document_note(&w->d, w->italian ? "Incidente %s, manuale %s, scritto il %s. Registro delle decisioni alla voce %s."
					: "Incident %s, playbook %s, written on %s. Audit log at entry %s.",
		id, r->incident->playbook, when(w, r->now_ms, true, at), r->head);
}

void report_write(const struct report *r, bool italian, bool html, struct buf *out)
{
	struct writer w = {.r = r, .italian = italian, .d = {.out = out, .html = html}};
	char title[512];
	snprintf(title, sizeof(title), "%s: %s", r->brand_title, r->incident->title);
	document_begin(&w.d, italian ? "it" : "en", title);
	document_note(&w.d, "%s", word(&w, r->incident->closed_ms ? W_TITLE : W_TITLE_OPEN));
	document_heading(&w.d, 1, title);
	lead(&w);
	figures(&w);
	happened(&w);
	damage_section(&w);
	timeline(&w);
	told(&w);
	steps(&w);
	quotes(&w);
	lessons(&w);
	measured(&w);
	document_end(&w.d);
}

void report_lesson(struct document *d, const Ascolto__Incident *i, bool italian)
{
	const struct writer w = {.italian = italian};
	char at[SHORT], id[ID_TEXT + 1] = "", title[512];
	struct id raw;
	if (id_of(i->id, &raw) == 0)
		id_format(&raw, id);
	snprintf(title, sizeof(title), "%s: %s", when(&w, i->opened_ms, true, at), i->title);
	document_heading(d, 2, title);
	notes(d, i->lessons);
	document_note(d, italian ? "Codice %s, fino a %u persone in un'ora. Incidente %s." : "Code %s, up to %u people in an hour. Incident %s.",
		code_name(&w, i->code), i->peak_people, id);
}
