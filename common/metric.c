#include "metric.h"

#include <math.h>

static const double METRIC_SECONDS[] = {
	0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

struct metric {
	struct metric *next;
	char *label_value; /* NULL when the metric has no label */
	double value;	   /* counter and gauge: the value; histogram: the sum of what was observed */
	uint64_t count;	   /* histogram only, like all that follows */
	const double *bounds;
	size_t n_bounds;
	uint64_t
		in_bucket[METRIC_BUCKETS]; /* not cumulative; what is above the last bound is only in count */
};

struct family {
	struct family *next;
	const struct metric_desc *desc;
	struct metric *first, **last;
	size_t n_series;
};

struct metric_set {
	struct family *first, **last;
};

int metric_set_new(struct metric_set **ret)
{
	struct metric_set *set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->last = &set->first;
	*ret = set;
	return 0;
}

void metric_set_free(struct metric_set **set)
{
	if (!*set)
		return;
	for (struct family *f = (*set)->first, *next_f; f; f = next_f) {
		next_f = f->next;
		for (struct metric *m = f->first, *next_m; m; m = next_m) {
			next_m = m->next;
			free(m->label_value);
			free(m);
		}
		free(f);
	}
	free(*set);
	*set = NULL;
}

static struct family *family_of(struct metric_set *set, const struct metric_desc *desc)
{
	struct family *f;
	for (f = set->first; f; f = f->next)
		if (f->desc == desc)
			return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->desc = desc;
	f->last = &f->first;
	*set->last = f;
	set->last = &f->next;
	return f;
}

static void use_bounds(struct metric *m, const struct metric_desc *desc)
{
	m->bounds = desc->buckets ? desc->buckets : METRIC_SECONDS;
	m->n_bounds = desc->buckets ? desc->n_buckets : ARRAY_SIZE(METRIC_SECONDS);
}

struct metric *metric_series(struct metric_set *set, const struct metric_desc *desc, const char *label_value)
{
	if (desc->type == METRIC_HISTOGRAM && desc->buckets && desc->n_buckets > METRIC_BUCKETS)
		return NULL;
	struct family *f = family_of(set, desc);
	if (!f)
		return NULL;
	if (!desc->label)
		label_value = NULL;
	for (struct metric *m = f->first; m; m = m->next)
		if (str_eq(m->label_value, label_value))
			return m;
	if (f->n_series == METRIC_SERIES_MAX)
		return NULL;

	struct metric *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	if (desc->label) {
		m->label_value = strdup(label_value ? label_value : "");
		if (!m->label_value) {
			free(m);
			return NULL;
		}
	}
	if (desc->type == METRIC_HISTOGRAM)
		use_bounds(m, desc);
	*f->last = m;
	f->last = &m->next;
	f->n_series++;
	return m;
}

void metric_add(struct metric *m, double by)
{
	if (m)
		m->value += by;
}

void metric_set_to(struct metric *m, double value)
{
	if (m)
		m->value = value;
}

void metric_observe(struct metric *m, double value)
{
	if (!m)
		return;
	m->value += value;
	m->count++;
	for (size_t i = 0; i < m->n_bounds; i++)
		if (value <= m->bounds[i]) {
			m->in_bucket[i]++;
			return;
		}
}

double metric_value(const struct metric *m)
{
	if (!m)
		return 0;
	return m->bounds ? (double)m->count : m->value;
}

/* The shortest text that reads back as the same number. */
static void add_number(struct buf *out, double v)
{
	char text[40];
	if (isnan(v))
		snprintf(text, sizeof(text), "NaN");
	else if (isinf(v))
		snprintf(text, sizeof(text), v > 0 ? "+Inf" : "-Inf");
	else if (fabs(v) < 9e15 && v == floor(v))
		snprintf(text, sizeof(text), "%.0f", v);
	else {
		snprintf(text, sizeof(text), "%.15g", v);
		if (strtod(text, NULL) != v)
			snprintf(text, sizeof(text), "%.17g", v);
	}
	buf_adds(out, text);
}

/* HELP text knows two escapes, label values also the quotation mark. */
static void add_escaped(struct buf *out, const char *s, bool quote)
{
	for (; s && *s; s++) {
		if (*s == '\n')
			buf_adds(out, "\\n");
		else if (*s == '\\')
			buf_adds(out, "\\\\");
		else if (*s == '"' && quote)
			buf_adds(out, "\\\"");
		else
			buf_add(out, s, 1);
	}
}

/* name_suffix{label="value",le="bound"} */
static void add_name(struct buf *out, const struct metric_desc *desc, const struct metric *m,
	const char *suffix, const double *le)
{
	buf_adds(out, desc->name);
	buf_adds(out, suffix);
	if (desc->label || le)
		buf_adds(out, "{");
	if (desc->label) {
		buf_adds(out, desc->label);
		buf_adds(out, "=\"");
		add_escaped(out, m->label_value, true);
		buf_adds(out, le ? "\"," : "\"");
	}
	if (le) {
		buf_adds(out, "le=\"");
		add_number(out, *le);
		buf_adds(out, "\"");
	}
	buf_adds(out, desc->label || le ? "} " : " ");
}

static void add_histogram(struct buf *out, const struct metric_desc *desc, const struct metric *m)
{
	static const double infinity = INFINITY;
	uint64_t below = 0;
	for (size_t i = 0; i < m->n_bounds; i++) {
		below += m->in_bucket[i];
		add_name(out, desc, m, "_bucket", &m->bounds[i]);
		buf_addf(out, "%" PRIu64 "\n", below);
	}
	add_name(out, desc, m, "_bucket", &infinity);
	buf_addf(out, "%" PRIu64 "\n", m->count);
	add_name(out, desc, m, "_sum", NULL);
	add_number(out, m->value);
	buf_adds(out, "\n");
	add_name(out, desc, m, "_count", NULL);
	buf_addf(out, "%" PRIu64 "\n", m->count);
}

int metric_print(const struct metric_set *set, struct buf *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	for (const struct family *f = set->first; f; f = f->next) {
		buf_addf(out, "# HELP %s ", f->desc->name);
		add_escaped(out, f->desc->help, false);
		buf_addf(out, "\n# TYPE %s %s\n", f->desc->name, types[f->desc->type]);
		for (const struct metric *m = f->first; m; m = m->next) {
			if (f->desc->type == METRIC_HISTOGRAM) {
				add_histogram(out, f->desc, m);
				continue;
			}
			add_name(out, f->desc, m, "", NULL);
			add_number(out, m->value);
			buf_adds(out, "\n");
		}
	}
	return out->broken ? -EMSGSIZE : 0;
}
