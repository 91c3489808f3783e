#include "check.h"

#include <xxhash.h>

#include "common/text.h"

#define SHINGLES_MAX 400
#define LISTED_MAX 40
#define COMMON_MAX 60 /* rows that share a shingle; one shared by more says nothing */

/* --- near-duplicates ------------------------------------------------------------------------------------------- */

struct shingles {
	uint64_t *hash; /* ascending, no doubles */
	size_t n;
};

struct posting {
	uint64_t hash;
	uint32_t row;
};

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static int by_posting(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Pairs of words; a single word stands for itself. */
static int shingles_of(const char *text, struct arena *a, struct shingles *ret)
{
	arena_reset(a);
	struct text t;
	uint64_t all[SHINGLES_MAX], before = 0;
	size_t n = 0;
	int r = text_read(span_str(text), a, &t);
	for (size_t i = 0; r == 0 && i < t.count && n < SHINGLES_MAX; i++) {
		if (t.tokens[i].kind != TOKEN_WORD && t.tokens[i].kind != TOKEN_NUMBER)
			continue;
		struct span w = text_token(&t, i);
		uint64_t h = XXH3_64bits(w.data, w.len);
		all[n++] = XXH3_64bits_withSeed(w.data, w.len, before);
		before = h;
	}
	qsort(all, n, sizeof(*all), by_hash);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!kept || all[i] != all[kept - 1])
			all[kept++] = all[i];
	ret->hash = malloc((kept + 1) * sizeof(*ret->hash));
	if (r < 0 || !ret->hash)
		return -ENOMEM;
	memcpy(ret->hash, all, kept * sizeof(*all));
	ret->n = kept;
	return 0;
}

static double overlap(const struct shingles *a, const struct shingles *b)
{
	size_t i = 0, k = 0, both = 0;
	while (i < a->n && k < b->n) {
		if (a->hash[i] == b->hash[k]) {
			both++;
			i++;
			k++;
		} else if (a->hash[i] < b->hash[k]) {
			i++;
		} else {
			k++;
		}
	}
	size_t all = a->n + b->n - both;
	return all ? (double)both / (double)all : 0;
}

struct pairs {
	const struct dataset *d;
	struct shingles *shingles;
	bool *reported;       /* has a near-duplicate */
	bool *reported_across;
	size_t within, across;
	struct buf *out;
};

static void report_pair(struct pairs *p, uint32_t x, uint32_t y)
{
	bool across = p->d->rows[x].file != p->d->rows[y].file;
	bool *seen = across ? p->reported_across : p->reported;
	if (seen[y])
		return;
	seen[y] = true;
	size_t *count = across ? &p->across : &p->within;
	if ((*count)++ >= LISTED_MAX)
		return;
	char here[300], there[300];
	buf_addf(p->out, "  %s and %s%s\n", dataset_place(p->d, &p->d->rows[x], here, sizeof(here)),
		dataset_place(p->d, &p->d->rows[y], there, sizeof(there)),
		str_eq(p->d->rows[x].label, p->d->rows[y].label) ? "" : ", labelled differently");
}

static void compare_group(struct pairs *p, const struct posting *group, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (overlap(&p->shingles[group[i].row], &p->shingles[group[k].row]) >= CHECK_NEAR)
				report_pair(p, group[i].row, group[k].row);
}

static int compare_all(struct pairs *p)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < p->d->n; i++)
		total += p->shingles[i].n;
	struct posting *all = malloc((total + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < p->d->n; i++)
		for (size_t k = 0; k < p->shingles[i].n; k++)
			all[n++] = (struct posting){p->shingles[i].hash[k], (uint32_t)i};
	qsort(all, n, sizeof(*all), by_posting);
	for (size_t i = 0; i < n;) {
		size_t k = i;
		while (k < n && all[k].hash == all[i].hash)
			k++;
		if (k - i > 1 && k - i <= COMMON_MAX)
			compare_group(p, all + i, k - i);
		i = k;
	}
	free(all);
	return 0;
}

static int check_duplicates(const struct dataset *d, struct buf *out, size_t *ret_across)
{
	struct pairs p = {.d = d, .out = out, .shingles = calloc(d->n + 1, sizeof(*p.shingles)),
		.reported = calloc(d->n + 1, 1), .reported_across = calloc(d->n + 1, 1)};
	int r = p.shingles && p.reported && p.reported_across ? 0 : -ENOMEM;
	struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	for (size_t i = 0; i < d->n && r == 0; i++)
		r = shingles_of(d->rows[i].text, &a, &p.shingles[i]);
	arena_free(&a);
	buf_adds(out, "\nnear-duplicates\n");
	if (r == 0)
		r = compare_all(&p);
	buf_addf(out, "  %zu rows repeat one of their own file, %zu rows one of another file (%.2f%%)\n", p.within, p.across,
		100.0 * (double)p.across / (double)MAX(d->n, (size_t)1));
	*ret_across = p.across;
	for (size_t i = 0; p.shingles && i < d->n; i++)
		free(p.shingles[i].hash);
	free(p.shingles);
	free(p.reported);
	free(p.reported_across);
	return r;
}

/* --- balance and labels ---------------------------------------------------------------------------------------- */

/* "safety,outage" has both. */
static bool has(const char *list, const char *label)
{
	size_t len = strlen(label);
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == len && memcmp(p, label, len) == 0)
			return true;
	return false;
}

static void check_balance(const struct dataset *d, const char *const *labels, size_t n_labels, struct buf *out)
{
	buf_addf(out, "%zu rows\n\nlabels\n", d->n);
	for (size_t i = 0; i < n_labels; i++) {
		size_t n = 0;
		for (size_t k = 0; k < d->n; k++)
			n += has(d->rows[k].label, labels[i]);
		double share = (double)n / (double)d->n;
		buf_addf(out, "  %-20s %6zu %5.1f%%%s\n", labels[i], n, 100 * share,
			n < 20 ? "  too few to learn from" : share * (double)n_labels < 0.25 ? "  rare" : "");
	}
}

static int check_labels(const struct dataset *d, const struct train_options *o, struct buf *bytes, struct buf *out,
	struct err *e)
{
	struct train_suspect *suspects = calloc(d->n + 1, sizeof(*suspects));
	if (!suspects)
		return err_set(e, -ENOMEM, "out of memory");
	struct train_options with = *o;
	with.suspects = suspects;
	with.suspect_probability = CHECK_SURE;
	int r = train_model(d, NULL, &with, bytes, e);
	struct model m;
	if (r == 0)
		r = model_from_bytes(&m, buf_span(bytes), "checking model", e);
	if (r == 0) {
		const char *labels[MODEL_LABELS_MAX];
		size_t different = 0;
		for (uint32_t i = 0; i < m.head->labels; i++)
			if (m.first[i] == i)
				labels[different++] = m.label[i];
		check_balance(d, labels, different, out);
		buf_addf(out, "\nsuspicious labels: a model that has not seen the row says otherwise\n");
	}
	size_t n = 0;
	for (size_t i = 0; r == 0 && suspects[i].row; i++, n++) {
		char place[300];
		if (n < LISTED_MAX)
			buf_addf(out, "  %s: %s, the model says %s (%.2f): %.70s\n",
				dataset_place(d, suspects[i].row, place, sizeof(place)), suspects[i].row->label,
				m.label[suspects[i].answer], (double)suspects[i].probability, suspects[i].row->text);
	}
	if (r == 0)
		buf_addf(out, "  %zu rows\n", n);
	free(suspects);
	return r;
}

int check_dataset(const struct dataset *d, const struct train_options *o, struct buf *out, size_t *ret_across,
	struct err *e)
{
	struct buf bytes CLEANUP(buf_free);
	buf_init(&bytes, MODEL_FILE_MAX);
	struct err why = {0};
	int r = 0;
	if (dataset_is_multi(o->task)) {
		const char *const *labels = dataset_labels(o->task);
		size_t n = 0;
		while (labels[n])
			n++;
		check_balance(d, labels, n, out);
	} else {
		r = check_labels(d, o, &bytes, out, &why);
	}
	if (r == -EINVAL) { /* too few labels to doubt any; copies can be looked for all the same */
		buf_addf(out, "%s\n", err_text(&why));
		r = 0;
	}
	if (r < 0)
		return err_set(e, r, "%s", err_text(&why));
	if (r == 0 && check_duplicates(d, out, ret_across) < 0)
		r = err_set(e, -ENOMEM, "out of memory");
	return r;
}
