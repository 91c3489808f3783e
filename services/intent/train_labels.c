#include "common/words.h"
#include "services/intent/train_internal.h"

bool training_has_label(const char *list, const char *label)
{
	size_t len = strlen(label);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, label, len) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A product task's labels that occur, in the set's order. */
static void take_known_labels(struct training *t, const char *const *known)
{
	for (; *known; known++)
		for (size_t i = 0; i < t->rows.n; i++)
			if (training_has_label(t->rows.rows[i].label, *known)) {
				t->labels[t->n_labels++] = *known;
				break;
			}
}

/* Columns for the kinds of one label's rows that have enough of them. Labels that would be too many stay whole. */
static void divide_label(struct training *t, const char *label)
{
	uint32_t from = t->n_labels;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct dataset_row *row = &t->rows.rows[i];
		if (!str_eq(row->label, label) || !row->finer[0])
			continue;
		bool had = false;
		for (uint32_t c = from; c < t->n_labels && !had; c++)
			had = str_eq(t->finer[c], row->finer);
		size_t n = 0;
		for (size_t k = i; k < t->rows.n && !had; k++)
			n += str_eq(t->rows.rows[k].label, label) && str_eq(t->rows.rows[k].finer, row->finer);
		if (had || n < TRAIN_FINER_ROWS || t->n_labels == MODEL_LABELS_MAX)
			continue;
		t->labels[t->n_labels] = label;
		t->finer[t->n_labels++] = row->finer;
	}
}

int training_column_of(const struct training *t, const struct dataset_row *row)
{
	int column = -1;
	for (uint32_t i = 0; i < t->n_labels; i++) {
		if (!str_eq(t->labels[i], row->label))
			continue;
		if (str_eq(t->finer[i], row->finer))
			return (int)i;
		if (column < 0)
			column = (int)i;
	}
	return column;
}

/* The whole labels come first, each as the column of its rows that are of no frequent kind, if there are any. */
static void divide_labels(struct training *t)
{
	uint32_t whole = t->n_labels;
	for (uint32_t c = 0; c < whole; c++)
		divide_label(t, t->labels[c]);
	if (t->n_labels == whole)
		return;
	size_t rows[MODEL_LABELS_MAX] = {0};
	for (size_t i = 0; i < t->rows.n; i++)
		rows[training_column_of(t, &t->rows.rows[i])]++;
	uint32_t kept = 0;
	for (uint32_t c = 0; c < t->n_labels; c++)
		if (rows[c]) {
			t->labels[kept] = t->labels[c];
			t->finer[kept++] = t->finer[c];
		}
	t->n_labels = kept;
}

static int take_own_labels(struct training *t, struct err *e)
{
	const char **all = malloc((t->rows.n + 1) * sizeof(*all));
	if (!all)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < t->rows.n; i++)
		all[i] = t->rows.rows[i].label;
	qsort(all, t->rows.n, sizeof(*all), by_name);
	int r = 0;
	for (size_t i = 0; i < t->rows.n && r == 0; i++) {
		if (i && str_eq(all[i], all[i - 1]))
			continue;
		if (t->n_labels == MODEL_LABELS_MAX)
			r = err_set(e, -EINVAL, "more than %d labels", MODEL_LABELS_MAX);
		else
			t->labels[t->n_labels++] = all[i];
	}
	free(all);
	return r;
}

bool training_labels_fit(const struct training *t, const char *const *set)
{
	for (size_t i = 0; set && !t->multi && i < t->rows.n; i++) {
		const char *const *l = set;
		while (*l && !str_eq(*l, t->rows.rows[i].label))
			l++;
		if (!*l)
			return false;
	}
	return set != NULL;
}

int training_take_labels(struct training *t, struct err *e)
{
	const char *const *known = dataset_labels(t->o->task);
	int r = 0;
	t->own = !training_labels_fit(t, known);
	if (t->own)
		r = take_own_labels(t, e);
	else
		take_known_labels(t, known);
	for (uint32_t c = 0; c < t->n_labels; c++)
		t->finer[c] = "";
	training_choose(t);
	if (r == 0 && !t->multi && !t->own && dataset_finer(t->o->task))
		divide_labels(t);
	if (r == 0 && t->n_labels < (t->multi ? 1 : 2))
		r = err_set(e, -EINVAL, "%zu rows with %u labels make no model of %s: two labels are needed", t->given,
			t->n_labels, t->o->task);
	return r;
}

int training_take_truth(struct training *t, struct err *e)
{
	t->truth = calloc(t->rows.n + 1, sizeof(*t->truth));
	if (!t->truth)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !t->multi && i < t->rows.n; i++)
		t->truth[i] = training_column_of(t, &t->rows.rows[i]);
	return 0;
}

/* "card_arrival", "BookRestaurant" as somebody would say it; NULL when it is not a word. */
static char *said(const char *label)
{
	size_t letters = 0, n = 0;
	char *out = malloc(2 * strlen(label) + 1);
	for (const char *p = label; out && *p; p++) {
		bool upper = *p >= 'A' && *p <= 'Z', lower = *p >= 'a' && *p <= 'z';
		if (upper && p > label && p[-1] >= 'a' && p[-1] <= 'z')
			out[n++] = ' ';
		out[n++] = strchr("_-/.+", *p) ? ' ' : *p;
		letters += upper || lower || (*p & 0x80);
	}
	if (out)
		out[n] = 0;
	if (letters > 1)
		return out;
	free(out);
	return NULL;
}

/* The language most rows are in, "" when they do not say. */
static const char *main_language(const struct dataset *d)
{
	size_t rows[WORDS_LANGUAGES + 1] = {0}, best = 0;
	for (size_t i = 0; i < d->n; i++)
		rows[words_language_of(d->rows[i].lang) + 1]++;
	for (size_t k = 1; k <= WORDS_LANGUAGES; k++)
		best = rows[k] > rows[best] ? k : best;
	return words_language_code((int)best - 1);
}

/* The names that people give to labels of their own say what they mean; with few rows per label that helps much. */
int training_add_names(struct training *t, struct err *e)
{
	const char *language = main_language(&t->rows);
	t->name = calloc(t->n_labels + 1, sizeof(*t->name));
	if (!t->name)
		return err_set(e, -ENOMEM, "out of memory");
	if (!t->own)
		return 0;
	for (uint32_t c = 0; c < t->n_labels; c++) {
		t->name[c] = said(t->labels[c]);
		for (int k = 0; t->name[c] && k < TRAINING_NAME_ROWS; k++)
			t->rows.rows[t->rows.n++] = (struct dataset_row){.text = t->name[c], .label = t->labels[c],
				.lang = language, .surface = "", .channel = "", .id = "", .finer = ""};
	}
	return 0;
}
