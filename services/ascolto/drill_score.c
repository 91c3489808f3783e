#include "services/ascolto/drill_score.h"

#define MINUTE_MS 60000.0

static bool is_about(const struct drill_post *p, const char *about)
{
	return str_eq(p->about, about);
}

/* Different authors of the crisis in (at - window, at], looking back from post `last`. */
static unsigned people_at(const struct drill_scenario *s, const char *about, int64_t window_ms, size_t last)
{
	unsigned n = 0;
	for (size_t i = last + 1; i-- > 0 && s->posts[i].at_ms > s->posts[last].at_ms - window_ms;) {
		bool again = !is_about(&s->posts[i], about);
		for (size_t k = i + 1; k <= last && !again; k++)
			again = is_about(&s->posts[k], about) && s->posts[k].who == s->posts[i].who;
		n += !again;
	}
	return n;
}

int64_t drill_perfect_ms(const struct drill_scenario *s, const char *about, int64_t window_ms, unsigned people)
{
	unsigned so_far = 0; /* posts about it: no need to count people before there are so many */
	for (size_t i = 0; i < s->sent; i++) {
		if (!is_about(&s->posts[i], about))
			continue;
		if (++so_far >= people && people_at(s, about, window_ms, i) >= people)
			return s->posts[i].at_ms;
	}
	return 0;
}

const struct drill_incident *drill_incident_of(const struct drill_scenario *s, const char *about,
	const struct drill_incident *list, size_t n)
{
	const struct drill_incident *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < n; i++) {
		size_t here = 0;
		for (size_t k = 0; k < s->sent; k++)
			here += is_about(&s->posts[k], about) && str_eq(s->posts[k].incident, list[i].id);
		if (here > most) {
			most = here;
			best = &list[i];
		}
	}
	return best;
}

struct scoring {
	const struct drill_scenario *s;
	const struct playbook *p;
	const struct drill_incident *list;
	size_t n;
	struct drill_score *score;
	size_t room;
	bool no_memory;
};

PRINTF(5, 6)
static void point(struct scoring *x, const char *about, const char *what, bool right, const char *fmt, ...)
{
	struct drill_score *sc = x->score;
	if (sc->n == x->room) {
		size_t room = x->room ? 2 * x->room : 32;
		struct drill_point *more = realloc(sc->points, room * sizeof(*more));
		if (!more) {
			x->no_memory = true;
			return;
		}
		sc->points = more;
		x->room = room;
	}
	struct drill_point *p = &sc->points[sc->n++];
	*p = (struct drill_point){.what = what, .right = right};
	snprintf(p->about, sizeof(p->about), "%s", about);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(p->words, sizeof(p->words), fmt, ap);
	va_end(ap);
	sc->right += right;
}

/* Was this code reached in time? */
static void score_code(struct scoring *x, const char *about, enum code code, const struct drill_incident *i)
{
	unsigned people = code == CODE_RED ? x->p->red_people : x->p->yellow_people;
	int64_t perfect = drill_perfect_ms(x->s, about, (int64_t)x->p->window_minutes * 60000, people);
	int64_t found = !i || i->code < code ? 0 : code == CODE_RED ? i->red_ms : i->opened_ms;
	double behind = (double)(found - perfect) / MINUTE_MS;
	const char *word = code_word(code);
	if (!perfect && !found)
		return;
	if (!perfect)
		point(x, about, word, false, "%s, though fewer than %u people wrote of it within %u minutes", word, people,
			x->p->window_minutes);
	else if (!found)
		point(x, about, word, false, "never %s, though %u people wrote of it within %u minutes", word, people,
			x->p->window_minutes);
	else
		point(x, about, word, found - perfect <= DRILL_LATE_MS, "%s %.1f minutes %s the %uth person wrote of it (limit %d)", word,
			behind < 0 ? -behind : behind, behind < 0 ? "before" : "after", people, (int)(DRILL_LATE_MS / 60000));
}

/* The minutes after which the chain of this code calls somebody else; 0 = nobody. */
static unsigned next_call(const struct playbook *p, enum code code)
{
	const struct playbook_incident *x = playbook_incident(p, code);
	for (unsigned i = 0; x && i < x->chain_count; i++)
		if (x->chain[i].after_minutes)
			return x->chain[i].after_minutes;
	return 0;
}

static void score_people(struct scoring *x, const char *about, const struct drill_incident *i)
{
	unsigned limit = next_call(x->p, i->code);
	double after = i->called_ms ? (double)(i->acknowledged_ms - i->called_ms) / MINUTE_MS : 0;
	if (!i->acknowledged_ms)
		point(x, about, "acknowledged", false, "nobody acknowledged it");
	else
		point(x, about, "acknowledged", !limit || after <= limit, "acknowledged by %s after %.1f minutes (limit %u)",
			i->acknowledged_by, after, limit);
	for (size_t k = 0; k < i->steps_n; k++) {
		int64_t due = i->steps[k].due_ms, done = i->steps[k].done_ms;
		point(x, about, "step", done && done <= due, "step %zu (%s) %s: %s", k + 1, i->steps[k].actor,
			!done ? "not done" : done <= due ? "done in time" : "done late", i->steps[k].text);
	}
}

static void score_crisis(struct scoring *x, const char *about)
{
	const struct drill_incident *i = drill_incident_of(x->s, about, x->list, x->n);
	score_code(x, about, CODE_YELLOW, i);
	score_code(x, about, CODE_RED, i);
	if (i)
		score_people(x, about, i);
}

/* Incidents that are none of the story's crises. */
static void score_false(struct scoring *x)
{
	size_t extra = 0;
	if (!x->s->crises_n)
		return; /* a recording: nobody says what is true */
	for (size_t k = 0; k < x->n; k++) {
		bool known = false;
		for (size_t c = 0; c < x->s->crises_n; c++)
			known |= drill_incident_of(x->s, x->s->crises[c], x->list, x->n) == &x->list[k];
		if (known)
			continue;
		extra++;
		point(x, "", "false_incident", false, "an incident that is none: %s, %s", code_word(x->list[k].code), x->list[k].title);
	}
	if (!extra)
		point(x, "", "false_incident", true, "no incident beside the story's");
}

static void score_posts(struct scoring *x)
{
	size_t lanes = 0, right = 0, at_once = 0, told = 0, lost = 0;
	for (size_t i = 0; i < x->s->sent; i++) {
		const struct drill_post *p = &x->s->posts[i];
		lost += !p->seen;
		at_once += p->at_once;
		told += p->at_once && p->told;
		if (!p->lane[0] || !p->seen)
			continue;
		lanes++;
		/* Whoever needs something done keeps a case, whatever the word on the message. */
		right += str_eq(p->lane, "service") ? p->has_case : !p->has_case || str_eq(p->lane_got, "polemic");
	}
	point(x, "", "read", !lost, "%zu of %zu posts were read and decided", x->s->sent - lost, x->s->sent);
	if (at_once)
		point(x, "", "at_once", told == at_once, "%zu of %zu posts somebody must hear of at once were told", told, at_once);
	if (lanes)
		point(x, "", "lanes", (double)right >= DRILL_LANES_RIGHT * (double)lanes,
			"%zu of %zu posts in the right lane: who needs help has a case, polemic has none", right, lanes);
}

int drill_score(const struct drill_scenario *s, const struct playbook *p, const struct drill_incident *list, size_t n,
	struct drill_score *ret)
{
	struct drill_score score = {0};
	struct scoring x = {.s = s, .p = p, .list = list, .n = n, .score = &score};
	for (size_t c = 0; c < s->crises_n; c++)
		score_crisis(&x, s->crises[c]);
	for (size_t k = 0; k < n && !s->crises_n; k++)
		score_people(&x, list[k].title, &list[k]);
	score_false(&x);
	score_posts(&x);
	if (x.no_memory) {
		free(score.points);
		return -ENOMEM;
	}
	*ret = score;
	return 0;
}
