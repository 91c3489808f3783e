/* Reports: what is shown, in both languages and both forms, and that nothing a stranger wrote becomes markup. */
#include "tests/unit/check.h"

#include <ctype.h>

#include "services/escalation/evidence/chart.h"
#include "services/escalation/escalation.h"
#include "services/escalation/evidence/report.h"
#include "services/escalation/evidence/report_words.h"

#define HOUR ((int64_t)3600000)
#define START (1773331200000) /* 2026-03-12 16:00 UTC */

static struct id incident_id;
static char *lines[200];
static size_t n_lines;

/* The corpus of the page's test. */
static int read_payloads(void **unused)
{
	(void)unused;
	static char buffer[64 * 1024];
	FILE *f = fopen(SOURCE_DIR "/tests/browser/payloads.txt", "re");
	assert_non_null(f);
	size_t n = fread(buffer, 1, sizeof(buffer) - 1, f);
	buffer[n] = 0;
	fclose(f);
	for (char *p = buffer; *p && n_lines < ARRAY_SIZE(lines);) {
		lines[n_lines++] = p;
		p += strcspn(p, "\n");
		if (*p)
			*p++ = 0;
	}
	assert_true(n_lines > 20);
	return 0;
}

struct made {
	struct report r;
	Ascolto__Incident incident;
	Ascolto__Step step, *steps[1];
	State__AuditEntry entries[6];
	Ascolto__ArmRecord arm;
	Ascolto__Message message;
	Ascolto__Post post;
	Ascolto__Author author;
	struct damage_part parts[40], brand_parts[300];
};

/* Everything a stranger, an operator or a configuration can fill says `text`. */
static void make(struct made *m, char *text)
{
	static const char *const what[] = {"incident_opened", "alarm_ordered", "alarm_sent", "incident_raised",
		"incident_acknowledged", "incident_closed"};
	memset(m, 0, sizeof(*m));
	incident_id = id_from(START, span_str("incident"));
	m->incident = (Ascolto__Incident)ASCOLTO__INCIDENT__INIT;
	m->incident.id = id_bytes(&incident_id);
	m->incident.brand = m->incident.title = m->incident.because = m->incident.lessons = m->incident.closed_by = text;
	m->incident.playbook = text;
	m->incident.code = ASCOLTO__CODE__CODE_RED;
	m->incident.opened_ms = START + HOUR / 4;
	m->incident.red_ms = START + HOUR / 2;
	m->incident.acknowledged_ms = START + HOUR / 2 + 240000;
	m->incident.closed_ms = START + 3 * HOUR;
	m->incident.peak_people = 1208;
	m->step = (Ascolto__Step)ASCOLTO__STEP__INIT;
	m->step.text = m->step.actor = m->step.done_by = text;
	m->step.done_ms = START + HOUR;
	m->steps[0] = &m->step;
	m->incident.steps = m->steps;
	m->incident.n_steps = 1;
	m->post = (Ascolto__Post)ASCOLTO__POST__INIT;
	m->author = (Ascolto__Author)ASCOLTO__AUTHOR__INIT;
	m->author.handle = m->post.text = m->post.permalink = m->post.channel = text;
	m->post.author = &m->author;
	m->post.surface = ASCOLTO__SURFACE__SURFACE_PUBLIC;
	m->message = (Ascolto__Message)ASCOLTO__MESSAGE__INIT;
	m->message.post = &m->post;
	m->arm = (Ascolto__ArmRecord)ASCOLTO__ARM_RECORD__INIT;
	m->arm.message = &m->message;
	m->arm.occurred_ms = START + HOUR / 4;
	struct report *r = &m->r;
	*r = (struct report){.incident = &m->incident, .brand_title = text, .now_ms = START + 4 * HOUR, .begin_ms = START,
		.end_ms = START + 2 * HOUR, .calm_ms = START + 2 * HOUR, .head = "12:0011223344556677"};
	for (size_t i = 0; i < ARRAY_SIZE(m->entries); i++) {
		m->entries[i] = (State__AuditEntry)STATE__AUDIT_ENTRY__INIT;
		m->entries[i].what = (char *)(uintptr_t)what[i];
		m->entries[i].at_ms = START + HOUR / 4 + (int64_t)i * 120000;
		m->entries[i].who = m->entries[i].detail = text;
		r->log[r->n_log++] = &m->entries[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(m->parts); i++)
		m->parts[i] = (struct damage_part){START + (int64_t)i * PULSE_MS, (uint32_t)(i % 9) * 5, (uint32_t)(i % 9), 1};
	for (size_t i = 0; i < ARRAY_SIZE(m->brand_parts); i++)
		m->brand_parts[i] = (struct damage_part){START - 20 * HOUR + (int64_t)i * PULSE_MS, (uint32_t)(i % 7), 1, 0};
	r->parts = m->parts;
	r->n_parts = ARRAY_SIZE(m->parts);
	r->brand_parts = m->brand_parts;
	r->n_brand_parts = ARRAY_SIZE(m->brand_parts);
	r->examples[0] = &m->arm;
	r->n_examples = 1;
	r->about = (struct damage_sum){.messages = 2345, .people = 1284, .reach = 619663, .cases = 145};
	r->before = (struct damage_sum){.from_ms = START - 24 * HOUR, .to_ms = START, .messages = 48, .people = 31, .negative = 12};
	r->during = (struct damage_sum){.from_ms = START, .to_ms = START + 2 * HOUR, .messages = 400, .people = 300,
		.negative = 200, .acknowledged = 2, .acknowledge_ms = 600000};
	r->after = (struct damage_sum){.from_ms = START + 2 * HOUR, .to_ms = START + 4 * HOUR};
}

static void write_report(struct made *m, bool italian, bool html, struct buf *out)
{
	buf_init(out, REPORT_BYTES_MAX);
	report_write(&m->r, italian, html, out);
	assert_false(out->broken);
}

static void expect(const struct buf *b, const char *const *words)
{
	for (; *words; words++)
		if (!strstr(buf_str(b), *words))
			fail_msg("it does not say \"%s\":\n%.3000s", *words, buf_str(b));
}

static void test_words(void **unused)
{
	(void)unused;
	struct made m;
	struct buf b;
	make(&m, (char *)"prova");
	write_report(&m, true, true, &b);
	expect(&b, (const char *const[]){"<html lang=\"it\">", "Rapporto di chiusura", "1.284", "2.345", "619.663", "codice rosso",
		"<b>1.284</b><span>persone diverse", "<b>2 min</b>", "1 h 45 min", "25 %", "50 %", "5 min", "Che cosa abbiamo imparato",
		"<svg viewBox", "12 marzo 2026", " CET. 1.284 persone", "12:0011223344556677", NULL});
	buf_free(&b);
	write_report(&m, false, false, &b);
	expect(&b, (const char *const[]){"Closing report", "# prova: prova", "**1,284** different people", "code red", "| 25 % | 50 % | – |",
		"| messages an hour | 2 | 200 | 0 |", "```text", "12 March 2026", " CET. 1,284", "> prova", NULL});
	buf_free(&b);
	m.incident.closed_ms = 0;
	m.incident.lessons = (char *)"";
	m.r.calm_ms = 0;
	m.r.n_log = 2; /* nobody acknowledged */
	write_report(&m, false, false, &b);
	expect(&b, (const char *const[]){"still open", "not calm yet", "never acknowledged", "To be written when", NULL});
	buf_free(&b);
}

/* An incident of which nothing but its name is known. */
static void test_empty(void **unused)
{
	(void)unused;
	Ascolto__Incident i = ASCOLTO__INCIDENT__INIT;
	struct report r = {.incident = &i, .brand_title = "", .head = ""};
	for (int k = 0; k < 4; k++) {
		struct buf b;
		buf_init(&b, REPORT_BYTES_MAX);
		report_write(&r, k & 1, k & 2, &b);
		assert_false(b.broken);
		assert_true(b.len > 500);
		buf_free(&b);
	}
}

/* ---- nothing becomes markup ---- */

static const char *const tags[] = {"!doctype", "html", "head", "meta", "title", "style", "body", "p", "h1", "h2", "div", "b", "span",
	"table", "tr", "th", "td", "ul", "li", "blockquote", "a", "figure", "figcaption", "svg", "line", "rect", "text", NULL};

static bool is_ours(const char *name, size_t len)
{
	for (const char *const *t = tags; *t; t++)
		if (strlen(*t) == len && strncasecmp(*t, name, len) == 0)
			return true;
	return false;
}

/* Every < begins a tag that the writer makes, and no attribute is an event, a style or a script. */
static void check_html(const char *s, const char *payload)
{
	for (const char *p = s; (p = strchr(p, '<')); p++) {
		const char *name = p + 1 + (p[1] == '/'), *end = strchr(p, '>');
		assert_non_null(end);
		if (!is_ours(name, strcspn(name, " >")))
			fail_msg("\"%s\" became \"%.60s\"", payload, p);
		bool quoted = false;
		for (const char *a = name; a < end; a++) {
			quoted ^= *a == '"';
			if (!quoted && *a == ' ' && (strncasecmp(a + 1, "on", 2) == 0 || strncasecmp(a + 1, "style", 5) == 0 ||
					   strncasecmp(a + 1, "src", 3) == 0 || strncasecmp(a + 1, "href=\"java", 10) == 0))
				fail_msg("\"%s\" became an attribute: %.80s", payload, p);
		}
		assert_false(quoted);
		if (strncmp(name, "style", 5) == 0 && p[1] != '/')
			p = strstr(p, "</style>") - 1;
	}
}

/* A character with a meaning is never bare, outside of what the writer puts there. */
static void check_markdown(const char *s, const char *payload)
{
	static const char *const bad[] = {"<script", "<img", "<svg", "<iframe", "](", "![", "\n#!", "<a ", "&lt", "&#"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *at = strstr(s, bad[i]);
		if (at && at > s && at[-1] != '\\')
			fail_msg("\"%s\" became \"%.60s\"", payload, at);
	}
}

static void check_bytes(const char *s, const char *payload)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if ((*p < 0x20 && *p != '\n') || *p == 0x7f || (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae))
			fail_msg("\"%s\" left a control character: %02x", payload, *p);
}

static void test_payloads(void **unused)
{
	(void)unused;
	static char *const more[] = {(char *)"\x1b[2J\x1b]0;x\a", (char *)"\xe2\x80\xae" "exe.gpj", (char *)"\xff\xfe\xc3", (char *)"a\nb\n# c\n- d",
		(char *)"| a | b |", (char *)"</style><script>x</script>", (char *)"https://x.example/\"onmouseover=alert(1)",
		(char *)"https://x.example/<script>", (char *)"javascript:alert(1)", (char *)"%s%n%x", (char *)"```\n<b>"};
	for (size_t i = 0; i < n_lines + ARRAY_SIZE(more); i++) {
		char *payload = i < n_lines ? lines[i] : more[i - n_lines];
		for (int k = 0; k < 4; k++) {
			struct made m;
			struct buf b;
			make(&m, payload);
			write_report(&m, k & 1, k & 2, &b);
			check_bytes(buf_str(&b), payload);
			if (k & 2)
				check_html(buf_str(&b), payload);
			else
				check_markdown(buf_str(&b), payload);
			buf_free(&b);
		}
	}
}

static void test_links(void **unused)
{
	(void)unused;
	struct made m;
	struct buf b;
	make(&m, (char *)"x");
	m.post.permalink = (char *)"https://x.example/p/1?a=1&b=2";
	write_report(&m, true, true, &b);
	expect(&b, (const char *const[]){"href=\"https://x.example/p/1?a=1&amp;b=2\"", NULL});
	buf_free(&b);
	m.post.surface = ASCOLTO__SURFACE__SURFACE_PRIVATE;
	m.author.handle = (char *)"anna@posta.example";
	write_report(&m, true, true, &b);
	assert_null(strstr(buf_str(&b), "anna@posta"));
	buf_free(&b);
}

static void test_chart(void **unused)
{
	(void)unused;
	static const struct {
		int64_t hours;
		size_t bars;
		int64_t minutes;
	} rows[] = {{0, 96, 5}, {1, 96, 5}, {7, 96, 5}, {24, 96, 30}, {24, 48, 60}, {24 * 14, 96, 360}, {24 * 60, 96, 1440}, {24 * 1000, 96, 1440}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chart c = {.title = "t"};
		chart_fit(&c, START, START + rows[i].hours * HOUR, rows[i].bars);
		assert_int_equal(c.bar_ms, rows[i].minutes * 60000);
		assert_true(c.n >= 1 && c.n <= CHART_BARS_MAX);
		chart_add(&c, START - HOUR * 48, 1, 1); /* outside */
		chart_add(&c, INT64_MAX, 1, 1);
		chart_add(&c, START, UINT32_MAX / 2, 3);
		chart_mark(&c, START - 100 * HOUR, "before", false);
		assert_int_equal(c.n_marks, 0);
		struct buf b;
		buf_init(&b, 1 << 20);
		struct document d = {.out = &b, .html = true};
		chart_draw(&c, &d);
		d.html = false;
		chart_draw(&c, &d);
		assert_false(b.broken);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_chart),
	};
	setenv("TZ", "Europe/Rome", 1);
	return cmocka_run_group_tests(tests, read_payloads, NULL);
}
