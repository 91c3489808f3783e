/*
 * bench_crisis - how soon a crisis is found, and how often one is found that is none.
 *
 *     bench_crisis [--data FOLDER] [--verbose] [PART...]      parts: events airline volume ramp quiet
 *
 * Real streams are replayed through the product's own classifier, rules, grouping and counting, with the default thresholds,
 * the same for all; beside it three detectors as people build them (others.h). The data folder is --data, else $ASCOLTO_DATA, else
 * ../shared/data/dev beside the repository; a part whose file is not there says so and is skipped.
 *
 * An alarm of ours is an incident that is opened or becomes graver. An incident that is still open stands for what happens
 * meanwhile: the people who must know have been called.
 */
#include "common/json.h"
#include "services/escalation/topic.h"
#include "tests/bench/crisis/others.h"
#include "tests/bench/crisis/replay.h"
#include "tests/bench/crisis/rows.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define PLAYBOOK SOURCE_DIR "/tests/bench/crisis/playbook.yaml"
#define MODELS BINARY_DIR "/models"

static char folder[4096];
static bool verbose;

static const char *path_of(const char *name)
{
	static char path[4200];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool skipped(const char *part, const char *name)
{
	printf("%s: %s is not there; skipped\n", part, path_of(name));
	return false;
}

static const char *when(int64_t ms)
{
	static char text[4][32];
	static int turn;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	turn = (turn + 1) % 4;
	strftime(text[turn], sizeof(text[turn]), "%Y-%m-%d %H:%M:%S", &tm);
	return text[turn];
}

/* ---- our alarms of a replay ---- */

struct span_of_time {
	int64_t from_ms, to_ms;
};

struct ours {
	struct alarms alarms;       /* openings and risings */
	struct span_of_time *open;  /* of the incidents */
	size_t n_open;
};

static void ours_free(struct ours *o)
{
	alarms_free(&o->alarms);
	free(o->open);
}

static struct ours ours_of(const struct replay *r, int64_t end_ms)
{
	size_t n;
	const struct replay_event *e = replay_events(r, &n);
	struct ours o = {.open = calloc(n + 1, sizeof(*o.open))};
	for (size_t i = 0; i < n; i++) {
		int before = 0;
		for (size_t k = 0; k < i; k++)
			if (id_eq(&e[k].incident, &e[i].incident))
				before = e[k].code;
		if (e[i].code > before)
			alarms_add(&o.alarms, e[i].at_ms);
		if (!before && e[i].code) {
			int64_t to = end_ms;
			for (size_t k = n; k > i + 1; k--)
				if (id_eq(&e[k - 1].incident, &e[i].incident) && !e[k - 1].code)
					to = e[k - 1].at_ms;
			o.open[o.n_open++] = (struct span_of_time){e[i].at_ms, to};
		}
		if (verbose)
			printf("    %s  %d -> %d  %u people  %s  %s\n", when(e[i].at_ms), before, e[i].code, e[i].people,
				e[i].because, e[i].title);
	}
	return o;
}

/* ---- events with time and topic ---- */

/* When what the event is about happened, from the public record; others are dated by the perfect detector. */
static const struct onset {
	const char *event, *at;
} onsets[] = {
	{"2013_Boston_Bombings", "2013-04-15T18:49:44"},
	{"2013_West_Texas_Explosion", "2013-04-18T00:50:38"},
	{"2013_Oklahoma_Tornado", "2013-05-20T19:56:00"},
};

static int64_t first_after(const struct alarms *a, int64_t at_ms)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->at_ms[i] >= at_ms)
			return a->at_ms[i];
	return 0;
}

static unsigned in_day_before(const struct alarms *a, int64_t at_ms)
{
	unsigned n = 0;
	for (size_t i = 0; i < a->n; i++)
		n += a->at_ms[i] < at_ms && a->at_ms[i] >= at_ms - DAY_MS;
	return n;
}

static void print_detector(const char *name, const struct alarms *a, int64_t onset_ms)
{
	int64_t first = first_after(a, onset_ms);
	if (first)
		printf("  %-22s %7.1f min after the onset, %u in the day before\n", name,
			(double)(first - onset_ms) / (double)MINUTE_MS, in_day_before(a, onset_ms));
	else
		printf("  %-22s       no alarm, %u in the day before\n", name, in_day_before(a, onset_ms));
}

static bool one_event(const struct rows *rows, const size_t *order, size_t n, const char *event)
{
	struct mention *all = calloc(n, sizeof(*all)), *on = calloc(n, sizeof(*on));
	struct alarms perfect = {0}, others[3] = {{0}};
	size_t n_on = 0;
	struct replay *r = replay_open(PLAYBOOK, MODELS);
	for (size_t i = 0; i < n; i++) {
		char who[64];
		struct replay_post p = {.text = rows_cell(rows, order[i], "text"), .who = who,
			.at_ms = rows_time_ms(rows_cell(rows, order[i], "ts"))};
		snprintf(who, sizeof(who), "%s", rows_cell(rows, order[i], "tweet_id"));
		all[i] = (struct mention){p.at_ms, 1};
		if (str_eq(rows_cell(rows, order[i], "label"), "on-topic"))
			on[n_on++] = all[i];
		replay_say(r, &p);
	}
	poisson(on, n_on, &(struct poisson_rule){.at_once = true, .pause_ms = HOUR_MS, .least_mean = 0.1}, &perfect);
	int64_t onset = 0;
	for (size_t i = 0; i < ARRAY_SIZE(onsets); i++)
		if (str_eq(onsets[i].event, event))
			onset = rows_time_ms(onsets[i].at);
	bool dated = onset != 0;
	if (!dated && perfect.n)
		onset = perfect.at_ms[0];
	printf("%s: %zu posts, %zu on topic; %s %s, %.0f hours after the first post\n", event, n, n_on,
		dated ? "onset" : "first alarm of perfect labels", when(onset), (double)(onset - all[0].at_ms) / (double)HOUR_MS);
	three_sigma(all, n, &others[0]);
	same_hour(all, n, &others[1]);
	poisson(all, n, &(struct poisson_rule){.at_once = true, .pause_ms = HOUR_MS, .least_mean = 0.1}, &others[2]);
	struct ours o = ours_of(r, all[n - 1].at_ms);
	print_detector("perfect labels", &perfect, onset);
	print_detector("ours", &o.alarms, onset);
	print_detector("mean + 3 sd", &others[0], onset);
	print_detector("same hour, 4 weeks", &others[1], onset);
	print_detector("Poisson, all posts", &others[2], onset);
	int64_t best = first_after(&perfect, onset), mine = first_after(&o.alarms, onset);
	bool good = !dated || (mine && mine - best <= 5 * MINUTE_MS && !in_day_before(&o.alarms, onset));
	printf("  ours against perfect labels: %+.1f min (at most +5), %u false alarms in the day before (0)%s; %zu topics live\n",
		mine ? (double)(mine - best) / (double)MINUTE_MS : NAN, in_day_before(&o.alarms, onset),
		!dated ? "; not judged: it begins before the stream does" : good ? ": reached" : ": NOT REACHED", replay_topics(r));
	replay_close(&r);
	ours_free(&o);
	alarms_free(&perfect);
	for (size_t i = 0; i < 3; i++)
		alarms_free(&others[i]);
	free(all);
	free(on);
	return good;
}

static const struct rows *sorting;
static int by_event_and_time(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int c = strcmp(rows_cell(sorting, x, "event"), rows_cell(sorting, y, "event"));
	c = c ? c : strcmp(rows_cell(sorting, x, "ts"), rows_cell(sorting, y, "ts"));
	return c ? c : x < y ? -1 : x > y;
}

static bool events(void)
{
	struct rows rows;
	bool good = true;
	if (!rows_read(&rows, path_of("crisis/t6.tsv")))
		return skipped("events", "crisis/t6.tsv");
	printf("== events with time and topic\n");
	size_t *order = calloc(rows.n, sizeof(*order));
	for (size_t i = 0; i < rows.n; i++)
		order[i] = i;
	sorting = &rows;
	qsort(order, rows.n, sizeof(*order), by_event_and_time);
	for (size_t from = 0, to; from < rows.n; from = to) {
		const char *event = rows_cell(&rows, order[from], "event");
		for (to = from; to < rows.n && str_eq(rows_cell(&rows, order[to], "event"), event); to++)
			;
		good = one_event(&rows, order + from, to - from, event) && good;
	}
	free(order);
	rows_free(&rows);
	return good;
}

/* ---- airlines, with the reasons people wrote for ---- */

struct post {
	int64_t at_ms;
	char *text, *who, *lang;
	bool self;
	char id[32];
};

struct posts {
	struct post *all;
	size_t n, cap;
};

static const char *string_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "";
}

static bool posts_read(struct posts *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	*p = (struct posts){0};
	while (f && getline(&line, &cap, f) > 0) {
		json_t *o = json_loads(line, 0, NULL), *author = json_object_get(o, "author");
		if (!o)
			continue;
		if (p->n == p->cap) {
			p->cap = p->cap * 2 + 1024;
			p->all = realloc(p->all, p->cap * sizeof(*p->all));
		}
		struct post *x = &p->all[p->n++];
		*x = (struct post){.at_ms = (int64_t)json_integer_value(json_object_get(o, "created_at_ms")),
			.text = strdup(string_of(o, "text")), .who = strdup(string_of(author, "handle")),
			.lang = strdup(string_of(o, "language")), .self = json_is_true(json_object_get(author, "is_self"))};
		snprintf(x->id, sizeof(x->id), "%s", string_of(o, "native_id"));
		json_decref(o);
	}
	free(line);
	if (f)
		fclose(f);
	return f != NULL;
}

static void posts_free(struct posts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->all[i].text);
		free(p->all[i].who);
		free(p->all[i].lang);
	}
	free(p->all);
}

static struct replay *replay_posts(const struct posts *p)
{
	struct replay *r = replay_open(PLAYBOOK, MODELS);
	for (size_t i = 0; i < p->n; i++) {
		const struct post *x = &p->all[i];
		struct replay_post say = {.text = x->text, .who = x->who, .lang = x->lang, .at_ms = x->at_ms, .self = x->self};
		replay_say(r, &say);
	}
	return r;
}

/* How many of the true alarms `a` (or an incident that is open) tells within the hour, and how many of it tell nothing. */
static void against(const char *name, const struct alarms *gold, const struct alarms *a, const struct span_of_time *open,
	size_t n_open, unsigned *ret_found, unsigned *ret_extra)
{
	unsigned found = 0, fresh = 0, extra = 0;
	for (size_t g = 0; g < gold->n; g++) {
		bool alarm = false, standing = false;
		for (size_t i = 0; i < a->n; i++)
			alarm |= llabs(a->at_ms[i] - gold->at_ms[g]) <= HOUR_MS;
		for (size_t i = 0; i < n_open; i++)
			standing |= open[i].from_ms <= gold->at_ms[g] + HOUR_MS && open[i].to_ms >= gold->at_ms[g];
		found += alarm || standing;
		fresh += alarm;
	}
	for (size_t i = 0; i < a->n; i++) {
		bool told = false;
		for (size_t g = 0; g < gold->n; g++)
			told |= llabs(a->at_ms[i] - gold->at_ms[g]) <= HOUR_MS;
		extra += !told;
	}
	printf("  %-22s %2u of %zu within the hour", name, n_open ? found : fresh, gold->n);
	if (n_open)
		printf(" (%u by a new alarm, the rest by an incident that was open)", fresh);
	printf(", %u extra of %zu alarms\n", extra, a->n);
	*ret_found = n_open ? found : fresh;
	*ret_extra = extra;
}

static const char *reason_of(const struct rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->n; i++)
		if (str_eq(rows_cell(rows, i, "id"), id))
			return rows_cell(rows, i, "negativereason");
	return "";
}

static bool airline(void)
{
	struct posts posts;
	struct rows reasons;
	struct alarms gold = {0}, others[3] = {{0}};
	unsigned found, extra, ignore[2];
	if (!posts_read(&posts, path_of("posts/airline.jsonl")))
		return skipped("airline", "posts/airline.jsonl");
	if (!rows_read(&reasons, path_of("sentiment/airline.tsv")))
		return skipped("airline", "sentiment/airline.tsv");
	struct mention *all = calloc(posts.n, sizeof(*all)), *late = calloc(posts.n, sizeof(*late));
	size_t n_late = 0;
	for (size_t i = 0; i < posts.n; i++) {
		const char *reason = reason_of(&reasons, posts.all[i].id);
		all[i] = (struct mention){posts.all[i].at_ms, 1};
		if (str_eq(reason, "Late Flight") || str_eq(reason, "Cancelled Flight"))
			late[n_late++] = all[i];
	}
	poisson(late, n_late, &(struct poisson_rule){.at_once = true, .pause_ms = 15 * MINUTE_MS, .least_mean = 0.1}, &gold);
	three_sigma(all, posts.n, &others[0]);
	same_hour(all, posts.n, &others[1]);
	poisson(all, posts.n, &(struct poisson_rule){.at_once = true, .pause_ms = 15 * MINUTE_MS, .least_mean = 0.1}, &others[2]);
	printf("== airlines: %zu posts, %zu of them about late or cancelled flights; true alarms: Poisson over those\n", posts.n, n_late);
	struct replay *r = replay_posts(&posts);
	struct ours o = ours_of(r, posts.all[posts.n - 1].at_ms);
	if (verbose)
		for (size_t i = 0; i < gold.n; i++)
			printf("    true %s\n", when(gold.at_ms[i]));
	against("ours", &gold, &o.alarms, o.open, o.n_open, &found, &extra);
	against("mean + 3 sd", &gold, &others[0], NULL, 0, &ignore[0], &ignore[1]);
	against("same hour, 4 weeks", &gold, &others[1], NULL, 0, &ignore[0], &ignore[1]);
	against("Poisson, all posts", &gold, &others[2], NULL, 0, &ignore[0], &ignore[1]);
	bool good = found * 15 >= gold.n * 12 && extra <= 2;
	printf("  %u of %zu (at least 12 of 15), %u extra (at most 2): %s; %zu topics live\n", found, gold.n, extra,
		good ? "reached" : "NOT REACHED", replay_topics(r));
	replay_close(&r);
	ours_free(&o);
	alarms_free(&gold);
	for (size_t i = 0; i < 3; i++)
		alarms_free(&others[i]);
	posts_free(&posts);
	rows_free(&reasons);
	free(all);
	free(late);
	return good;
}

/* ---- brand volumes without text: one topic that everybody talks of ---- */

static const struct thresholds defaults = {.yellow_people = 20, .red_people = 200, .grave_people = 3, .scaled = true,
	.over_normal = 3.7};

/* The life of the incident of one topic, as incidents.c has it, without its chain of people. */
struct watch {
	struct topics *topics;
	struct topic *topic;
	enum code code;
	bool was_red;
	int64_t calm_ms, next_check_ms;
};

static struct watch watch_new(int64_t at_ms)
{
	struct watch w = {.code = CODE_NONE};
	struct id id = id_from(1, span_str("topic"));
	if (topics_new(&w.topics, HOUR_MS) || !(w.topic = topics_found(w.topics, &id, at_ms)))
		exit(1);
	return w;
}

static void step_down(struct watch *w, int64_t now_ms)
{
	struct surge s;
	topic_pass(w->topics, w->topic, now_ms);
	s = topic_surge(w->topics, w->topic);
	if (!surge_is_calm(&defaults, &s)) {
		w->calm_ms = 0;
	} else if (!w->calm_ms) {
		w->calm_ms = now_ms;
	} else if (now_ms - w->calm_ms >= SURGE_CALM_WINDOWS * HOUR_MS) {
		w->code = w->code == CODE_RED ? CODE_YELLOW : CODE_NONE;
		w->calm_ms = now_ms;
	}
}

/* Everybody of this moment is another person. True when it is an alarm. */
static bool watch_people(struct watch *w, int64_t at_ms, unsigned people, uint64_t *who)
{
	for (; w->code && w->next_check_ms <= at_ms; w->next_check_ms += HOUR_MS / 4)
		step_down(w, w->next_check_ms);
	for (unsigned i = 0; i < people; i++) {
		topics_hear(w->topics, at_ms, at_ms);
		topic_count_person(w->topics, w->topic, ++*who, at_ms);
	}
	struct surge s = topic_surge(w->topics, w->topic);
	enum code code = people ? surge_code(&defaults, &s, NULL) : CODE_NONE;
	if (code <= w->code)
		return false;
	if (!w->code)
		w->next_check_ms = at_ms + HOUR_MS / 4;
	w->code = code;
	w->calm_ms = 0;
	return true;
}

struct tally {
	unsigned windows, found, false_alarms;
};

/* Alarms inside a window find it; the others are false. The first three days teach and count for nobody. */
static struct tally tally_of(const struct alarms *a, const struct mention *m, const bool *inside, size_t n)
{
	struct tally t = {0};
	for (size_t i = 0; i < n; i++) {
		if (!inside[i] || (i && inside[i - 1]))
			continue;
		size_t end = i;
		while (end + 1 < n && inside[end + 1])
			end++;
		t.windows++;
		for (size_t k = 0; k < a->n; k++)
			if (a->at_ms[k] >= m[i].at_ms && a->at_ms[k] <= m[end].at_ms + 5 * MINUTE_MS) {
				t.found++;
				break;
			}
	}
	for (size_t k = 0; k < a->n; k++) {
		bool in = false;
		for (size_t i = 0; i < n && m[i].at_ms <= a->at_ms[k]; i++)
			in = inside[i];
		t.false_alarms += !in && a->at_ms[k] >= m[0].at_ms + 3 * DAY_MS;
	}
	return t;
}

static void add_tally(struct tally *to, struct tally t)
{
	to->windows += t.windows;
	to->found += t.found;
	to->false_alarms += t.false_alarms;
}

enum { OURS, Z8, Z12, SIGMA, SAME_HOUR, POISSON, DETECTORS };
static const char *const detector_names[DETECTORS] = {"ours", "z > 8", "z > 12", "mean + 3 sd", "same hour, 4 weeks",
	"Poisson"};

static void one_brand(const struct mention *m, const bool *inside, size_t n, struct tally total[DETECTORS], const char *brand)
{
	struct alarms a[DETECTORS] = {{0}};
	struct watch w = watch_new(m[0].at_ms);
	uint64_t who = 0;
	for (size_t i = 0; i < n; i++)
		if (watch_people(&w, m[i].at_ms, m[i].n, &who))
			alarms_add(&a[OURS], m[i].at_ms);
	z_score(m, n, 8, &a[Z8]);
	z_score(m, n, 12, &a[Z12]);
	three_sigma(m, n, &a[SIGMA]);
	same_hour(m, n, &a[SAME_HOUR]);
	poisson(m, n, &(struct poisson_rule){.pause_ms = HOUR_MS, .least_mean = 0.1}, &a[POISSON]);
	for (int d = 0; d < DETECTORS; d++) {
		struct tally t = tally_of(&a[d], m, inside, n);
		add_tally(&total[d], t);
		if (d == OURS)
			printf("  %-6s ours: %u of %u windows, %u false alarms\n", brand, t.found, t.windows, t.false_alarms);
		for (size_t k = 0; verbose && d == OURS && k < a[d].n; k++)
			printf("    %s\n", when(a[d].at_ms[k]));
		alarms_free(&a[d]);
	}
	topics_free(&w.topics);
}

static bool volume(void)
{
	struct rows rows;
	struct tally total[DETECTORS] = {{0}};
	double weeks = 0;
	if (!rows_read(&rows, path_of("crisis/nab_volume.tsv")))
		return skipped("volume", "crisis/nab_volume.tsv");
	printf("== brand volumes\n");
	struct mention *m = calloc(rows.n, sizeof(*m));
	bool *inside = calloc(rows.n, sizeof(*inside));
	for (size_t from = 0, to; from < rows.n; from = to) {
		const char *brand = rows_cell(&rows, from, "brand");
		for (to = from; to < rows.n && str_eq(rows_cell(&rows, to, "brand"), brand); to++) {
			m[to - from] = (struct mention){rows_time_ms(rows_cell(&rows, to, "ts")),
				(unsigned)strtoul(rows_cell(&rows, to, "mentions_5min"), NULL, 10)};
			inside[to - from] = str_eq(rows_cell(&rows, to, "in_anomaly_window"), "1");
		}
		one_brand(m, inside, to - from, total, brand);
		weeks += (double)(m[to - from - 1].at_ms - m[0].at_ms - 3 * DAY_MS) / (double)(7 * DAY_MS);
	}
	for (int d = 0; d < DETECTORS; d++)
		printf("  %-22s %2u of %u windows, %.2f false alarms a brand-week\n", detector_names[d], total[d].found, total[d].windows,
			total[d].false_alarms / weeks);
	bool good = total[OURS].found >= total[Z8].found && total[OURS].false_alarms / weeks <= 0.7;
	printf("  at least z > 8's windows and at most 0.7 false alarms a brand-week: %s\n", good ? "reached" : "NOT REACHED");
	free(m);
	free(inside);
	rows_free(&rows);
	return good;
}

/* ---- a ramp, and a busy Monday ---- */

static double uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

static unsigned poisson_number(double mean, uint64_t *seed)
{
	double limit = exp(-mean), p = 1;
	unsigned n = 0;
	while ((p *= uniform(seed)) > limit)
		n++;
	return n;
}

/* People by the hour of the week: nights are quiet, Mondays are busy, Sundays are not. The mean is about 1. */
static double week_shape(int64_t at_ms)
{
	static const double day[7] = {1.0, 1.0, 0.7, 0.6, 1.4, 1.15, 1.05}; /* 1970 began on a Thursday */
	double hour = (double)(at_ms / MINUTE_MS % 1440) / 60;
	return day[at_ms / DAY_MS % 7] * (1 + 0.8 * sin((hour - 9) / 24 * 2 * M_PI));
}

/* Minutes until it is found, -1: not within a day; and the alarms of the weeks before. */
static double one_ramp(double normal, double more, double rise_hours, uint64_t seed, unsigned *ret_before)
{
	uint64_t who = 0;
	int64_t start = 20000 * DAY_MS, onset = start + 28 * DAY_MS + 10 * HOUR_MS;
	struct watch w = watch_new(start);
	double found = -1;
	for (int64_t at = start; at < onset + DAY_MS && found < 0; at += MINUTE_MS) {
		double extra = at < onset ? 0 : more * fmin(rise_hours > 0 ? (double)(at - onset) / (double)HOUR_MS / rise_hours : 1, 1);
		unsigned n = poisson_number((normal * week_shape(at) + extra) / 60, &seed);
		/* The rest of the brand: a hundred people an hour about other things. */
		for (unsigned i = poisson_number(100 * week_shape(at) / 60, &seed); i > 0; i--)
			topics_hear(w.topics, at, at);
		bool alarm = watch_people(&w, at, n, &who);
		if (alarm && at < onset && at >= start + 7 * DAY_MS)
			(*ret_before)++;
		else if (alarm && at >= onset)
			found = (double)(at - onset) / (double)MINUTE_MS;
	}
	topics_free(&w.topics);
	return found;
}

static bool ramp(void)
{
	static const double normals[] = {0, 1, 2, 5};
	enum { RUNS = 20 };
	bool good = true;
	printf("== a ramp: ten people an hour above a topic's normal, in a brand of 100 people an hour\n");
	for (size_t k = 0; k < ARRAY_SIZE(normals); k++)
		for (int rise = 0; rise < 2; rise++) {
			double worst = 0, sum = 0;
			unsigned before = 0, late = 0;
			for (uint64_t run = 1; run <= RUNS; run++) {
				double t = one_ramp(normals[k], 10, rise, run, &before);
				late += t < 0 || t > 180;
				worst = t < 0 ? INFINITY : fmax(worst, t);
				sum += t < 0 ? 1440 : t;
			}
			printf("  normal %2.0f an hour, %s: found after %3.0f min on average, %3.0f at most; later than 3 hours %u of %d; "
				"%u alarms in the last three of %d weeks before\n", normals[k], rise ? "rising over an hour" : "at once             ", sum / RUNS, worst,
				late, RUNS, before, RUNS * 4);
			good = good && (rise || normals[k] > 2 || late * 20 <= RUNS) && !before;
		}
	printf("  within 3 hours, 19 times in 20, with a normal of up to 2 an hour: %s\n", good ? "reached" : "NOT REACHED");
	return good;
}

/* Forty topics of a brand, four weeks, then a Monday with more than half as many again. */
static bool busy_monday(void)
{
	enum { TOPICS = 40 };
	struct topics *ts;
	struct topic *t[TOPICS];
	uint64_t seed = 7, who = 0;
	int64_t start = 20000 * DAY_MS, monday = start + (28 + (4 - start / DAY_MS % 7 + 7) % 7) * DAY_MS;
	unsigned alarms = 0, before = 0, open[TOPICS] = {0};
	if (topics_new(&ts, HOUR_MS))
		exit(1);
	for (int i = 0; i < TOPICS; i++) {
		struct id id = id_from(i, span_str("monday"));
		t[i] = topics_found(ts, &id, start);
	}
	for (int64_t at = start; at < monday + DAY_MS; at += MINUTE_MS)
		for (int i = 0; i < TOPICS; i++) {
			double share = 60.0 / (i + 3); /* a few are talked of much, many little */
			double rate = share * week_shape(at) * (at >= monday ? 1.6 : 1) / 60;
			for (unsigned n = poisson_number(rate, &seed); n > 0; n--) {
				topics_hear(ts, at, at);
				topic_count_person(ts, t[i], ++who, at);
				struct surge s = topic_surge(ts, t[i]);
				bool code = surge_code(&defaults, &s, NULL) != CODE_NONE && at - start > 3 * DAY_MS;
				alarms += code && !open[i] && at >= monday;
				before += code && !open[i] && at < monday;
				open[i] = code;
			}
		}
	printf("  busy Monday: %llu people in four weeks and a day about %d topics; %u alarms on the Monday (0), %u before\n",
		(unsigned long long)who, TOPICS, alarms, before);
	topics_free(&ts);
	return alarms == 0;
}

static bool quiet(void)
{
	struct posts posts;
	printf("== quiet\n");
	bool good = busy_monday();
	if (!posts_read(&posts, path_of("posts/care_threads.jsonl")))
		return skipped("quiet", "posts/care_threads.jsonl");
	struct replay *r = replay_posts(&posts);
	struct ours o = ours_of(r, posts.all[posts.n - 1].at_ms);
	printf("  care threads: %zu posts; %zu alarms (0), %zu topics live\n", posts.n, o.alarms.n, replay_topics(r));
	good = good && !o.alarms.n;
	replay_close(&r);
	ours_free(&o);
	posts_free(&posts);
	printf("  nothing is raised: %s\n", good ? "reached" : "NOT REACHED");
	return good;
}

/* ---- the command line ---- */

static const struct part {
	const char *name;
	bool (*run)(void);
} parts[] = {{"events", events}, {"airline", airline}, {"volume", volume}, {"ramp", ramp}, {"quiet", quiet}};

int main(int argc, char **argv)
{
	const char *data = getenv("ASCOLTO_DATA");
	bool named = false, good = true;
	snprintf(folder, sizeof(folder), "%s", data ? data : SOURCE_DIR "/../shared/data/dev");
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--data") && i + 1 < argc)
			snprintf(folder, sizeof(folder), "%s", argv[++i]);
		else if (str_eq(argv[i], "--verbose"))
			verbose = true;
		else
			named = true;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access(folder, R_OK)) {
		printf("%s is not there; skipped\n", folder);
		return 77;
	}
	for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
		bool wanted = !named;
		for (int i = 1; i < argc; i++)
			wanted |= str_eq(argv[i], parts[p].name);
		if (wanted)
			good = parts[p].run() && good;
	}
	return good ? 0 : 1;
}
