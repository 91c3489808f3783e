#include "dataset.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const intents[] = {"ask_info", "report_fault", "order_status", "billing", "cancel", "buy", "change",
	"complain", "praise", "suggest", "report_danger", "attack", "joke", "spam", "other", NULL};
static const char *const expectations[] = {"information", "repair", "refund", "apology", "attention", "nothing", NULL};
static const char *const events[] = {"renewal", "cancellation", "purchase", "complaint", "praise", "question", "none", NULL};
static const char *const sentiments[] = {"negative", "neutral", "positive", NULL};
static const char *const flags[] = {"safety", "outage", "management", "legal", "insult", "boycott", "irony", "media",
	"personal_data", "vulnerable", "churn_risk", NULL};
static const char *const lanes[] = {"service", "polemic", "none", NULL};
static const char *const languages[] = {"it", "en", "es", "fr", "de", "pt", "other", NULL};

static const struct {
	const char *task;
	const char *const *labels;
	const char *finer;
} tasks[] = {{"intent", intents, NULL}, {"expectation", expectations, "intent"}, {"event", events, "intent"},
	{"sentiment", sentiments, "intent"}, {"flags", flags, NULL}, {"lane", lanes, "intent"}, {"language", languages, NULL}};

const char *const *dataset_labels(const char *task)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		if (str_eq(task, tasks[i].task))
			return tasks[i].labels;
	return NULL;
}

const char *dataset_finer(const char *task)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		if (str_eq(task, tasks[i].task))
			return tasks[i].finer;
	return NULL;
}

bool dataset_is_multi(const char *task)
{
	return str_eq(task, "flags");
}

char *dataset_place(const struct dataset *d, const struct dataset_row *r, char *out, size_t len)
{
	snprintf(out, len, "%s:%u", d->files[r->file], r->line);
	return out;
}

static int read_all(const char *path, char **ret, size_t *ret_len, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > DATASET_FILE_MAX) {
		close(fd);
		return err_set(e, -EINVAL, "%s: not a file of at most %zu MiB", path, DATASET_FILE_MAX >> 20);
	}
	size_t len = (size_t)st.st_size, got = 0;
	char *data = malloc(len + 1);
	while (data && got < len) {
		ssize_t n = read(fd, data + got, len - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	if (!data || got < len) {
		free(data);
		return err_set(e, data ? -EIO : -ENOMEM, "%s: could not be read", path);
	}
	data[len] = 0;
	*ret = data;
	*ret_len = len;
	return 0;
}

struct columns {
	int n, text, label, finer, lang, surface, channel, id;
};

struct reader {
	struct dataset *d;
	const char *path, *task;
	const char *const *labels;
	struct columns col;
	dataset_complaint *complain;
	void *ctx;
	uint32_t line;
};

static void complain(struct reader *r, const char *fmt, ...) PRINTF(2, 3);

static void complain(struct reader *r, const char *fmt, ...)
{
	if (!r->complain)
		return;
	char text[400], sentence[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(sentence, sizeof(sentence), "%s:%u: %s", r->path, r->line, text);
	r->complain(r->ctx, sentence);
}

/* Splits in place at tabs; counts all fields, keeps the first DATASET_COLUMNS_MAX. */
static int split(char *line, char *field[DATASET_COLUMNS_MAX])
{
	int n = 0;
	for (char *p = line;; p++) {
		if (n < DATASET_COLUMNS_MAX)
			field[n] = p;
		n++;
		p = strchr(p, '\t');
		if (!p)
			return n;
		*p = 0;
	}
}

static int find_columns(struct reader *r, char *header, const char *column, struct err *e)
{
	char *field[DATASET_COLUMNS_MAX];
	int n = split(header, field);
	if (n > DATASET_COLUMNS_MAX)
		return err_set(e, -EINVAL, "%s:1: more than %d columns", r->path, DATASET_COLUMNS_MAX);
	struct columns c = {n, -1, -1, -1, -1, -1, -1, -1};
	const char *finer = dataset_finer(r->task);
	int plain = -1;
	for (int i = 0; i < n; i++) {
		const char *name = field[i];
		if (str_eq(name, column ? column : r->task) || (!column && str_eq(r->task, "language") && str_eq(name, "lang")))
			c.label = i;
		if (str_eq(name, "label"))
			plain = i;
		if (str_eq(name, "text"))
			c.text = i;
		if (finer && str_eq(name, finer))
			c.finer = i;
		if (str_eq(name, "lang"))
			c.lang = i;
		if (str_eq(name, "surface"))
			c.surface = i;
		if (str_eq(name, "channel"))
			c.channel = i;
		if (str_eq(name, "id"))
			c.id = i;
	}
	if (c.label < 0 && !column)
		c.label = plain;
	if (c.text < 0)
		return err_set(e, -EINVAL, "%s:1: the header line has no column \"text\"", r->path);
	if (c.label < 0)
		return err_set(e, -EINVAL, "%s:1: the header line has no column \"%s\"", r->path, column ? column : r->task);
	r->col = c;
	return 0;
}

static bool label_known(const struct reader *r, const char *label, size_t len)
{
	if (!r->labels)
		return true;
	for (const char *const *l = r->labels; *l; l++)
		if (strlen(*l) == len && memcmp(*l, label, len) == 0)
			return true;
	return false;
}

/* The part of the label the task does not have, or NULL when all is well. */
static const char *strange_label(const struct reader *r, const char *label)
{
	if (!dataset_is_multi(r->task))
		return label_known(r, label, strlen(label)) ? NULL : label;
	if (str_eq(label, "-"))
		return NULL;
	for (const char *p = label; *p;) {
		size_t len = strcspn(p, ",");
		if (!label_known(r, p, len))
			return p;
		p += len + (p[len] == ',');
	}
	return NULL;
}

static int add_row(struct reader *r, char **field)
{
	const struct columns *c = &r->col;
	struct dataset *d = r->d;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 1024;
		struct dataset_row *rows = reallocarray(d->rows, cap, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		d->rows = rows;
		d->cap = cap;
	}
	d->rows[d->n++] = (struct dataset_row){.text = field[c->text], .label = field[c->label],
		.finer = c->finer < 0 ? "" : field[c->finer],
		.lang = c->lang < 0 ? "" : field[c->lang], .surface = c->surface < 0 ? "" : field[c->surface],
		.channel = c->channel < 0 ? "" : field[c->channel], .id = c->id < 0 ? "" : field[c->id],
		.file = (uint32_t)d->n_files - 1, .line = r->line};
	return 0;
}

/* For "language" the code of a language we do not tell apart is "other". */
static char *label_of(const struct reader *r, char *label)
{
	static char other[] = "other";
	bool code = str_eq(r->task, "language") && strlen(label) == 2 && islower((unsigned char)label[0]) &&
		    islower((unsigned char)label[1]);
	return code && !label_known(r, label, 2) ? other : label;
}

static int read_line(struct reader *r, char *line)
{
	char *field[DATASET_COLUMNS_MAX];
	int n = split(line, field);
	if (n == 1 && !line[0])
		return 0;
	if (n != r->col.n) {
		complain(r, "%d columns where the header line has %d", n, r->col.n);
		return 0;
	}
	field[r->col.label] = label_of(r, field[r->col.label]);
	const char *label = field[r->col.label];
	if (!field[r->col.text][0] || !label[0]) {
		complain(r, "no %s", label[0] ? "text" : "label");
		return 0;
	}
	const char *strange = strange_label(r, label);
	if (strange) {
		complain(r, "%s has no label \"%.60s\"", r->task, strange);
		return 0;
	}
	return add_row(r, field);
}

/* The dataset takes the buffer and remembers the file's name. */
static int take_file(struct dataset *d, char *data, const char *path)
{
	char **buffers = reallocarray(d->buffers, d->n_files + 1, sizeof(*buffers));
	if (buffers)
		d->buffers = buffers;
	char **files = reallocarray(d->files, d->n_files + 1, sizeof(*files));
	if (files)
		d->files = files;
	char *name = strdup(path);
	if (!buffers || !files || !name) {
		free(name);
		free(data);
		return -ENOMEM;
	}
	d->buffers[d->n_files] = data;
	d->files[d->n_files++] = name;
	return 0;
}

int dataset_read(struct dataset *d, const char *path, const char *task, const char *column,
	dataset_complaint *complain_to, void *ctx, struct err *e)
{
	char *data = NULL;
	size_t len = 0;
	int r = read_all(path, &data, &len, e);
	if (r < 0)
		return r;
	if (take_file(d, data, path) < 0)
		return err_set(e, -ENOMEM, "%s: out of memory", path);
	struct reader reader = {.d = d, .path = path, .task = task, .labels = column ? NULL : dataset_labels(task),
		.complain = complain_to, .ctx = ctx};
	char *p = data, *end = data + len;
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end && r == 0) {
		char *line = p, *nl = memchr(p, '\n', (size_t)(end - p));
		char *stop = nl ? nl : end;
		p = stop + 1;
		*stop = 0;
		if (stop > line && stop[-1] == '\r')
			stop[-1] = 0;
		reader.line++;
		if (strlen(line) + (stop > line && !stop[-1]) < (size_t)(stop - line))
			complain(&reader, "a NUL character");
		else if (reader.line == 1)
			r = find_columns(&reader, line, column, e);
		else if (read_line(&reader, line) < 0)
			r = err_set(e, -ENOMEM, "%s: out of memory", path);
	}
	if (r == 0 && reader.line == 0)
		r = err_set(e, -EINVAL, "%s: the file is empty", path);
	return r;
}

void dataset_free(struct dataset *d)
{
	for (size_t i = 0; i < d->n_files; i++) {
		free(d->buffers[i]);
		free(d->files[i]);
	}
	free(d->buffers);
	free(d->files);
	free(d->rows);
	*d = (struct dataset){0};
}
