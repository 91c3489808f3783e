#include "train.h"

#include <fcntl.h>
#include <unistd.h>

#include "services/intent/train_internal.h"
#include "services/intent/train_options.h"

#define CARE_COLUMNS 32
#define BLOCK_BUCKETS 49152 /* more has not helped */

void training_say(struct training *t, const char *fmt, ...)
{
	if (!t->o->progress)
		return;
	char text[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->o->progress(t->o->ctx, text);
}

/* A copy of the rows with room for the labels' names. */
static int copy_rows(struct training *t, const struct dataset *given, struct err *e)
{
	t->given = given->n;
	t->original = given->rows;
	t->rows = *given;
	t->rows.rows = malloc((given->n + TRAINING_NAME_ROWS * MODEL_LABELS_MAX) * sizeof(*t->rows.rows));
	if (!t->rows.rows)
		return err_set(e, -ENOMEM, "out of memory");
	if (given->n)
		memcpy(t->rows.rows, given->rows, given->n * sizeof(*given->rows));
	return 0;
}

/* As many buckets as TRAIN_FILE_BYTES have room for: a bucket is a byte per column and one for its idf. */
static void size_tables(struct training *t)
{
	/* Tables of one size for all tasks that look at the same things: their models are scored in one pass (panel.h). */
	uint32_t columns = (MAX(t->n_labels, dataset_labels(t->o->task) ? CARE_COLUMNS : 1u) + 15) / 16 * 16;
	uint32_t *b = t->spec.buckets, options = t->spec.options, parts = options & FEATURE_PAIR ? 3 : 2;
	for (int i = 0; i < BLOCKS; i++)
		if (b[i])
			return;
	b[BLOCK_KNOW] = options & (FEATURE_CONCEPT | FEATURE_META | FEATURE_FEELING) ? TRAINING_KNOW_BUCKETS : 0;
	uint32_t left = TRAIN_FILE_BYTES / (columns + 1) - b[BLOCK_KNOW];
	b[BLOCK_WORD] = b[BLOCK_CHARS] = MIN(left / parts, (uint32_t)BLOCK_BUCKETS) / 64 * 64;
	b[BLOCK_PAIRS] = parts == 3 ? b[BLOCK_WORD] : 0;
}

static int prepare(struct training *t, const struct dataset *valid, struct err *e)
{
	int r = training_take_labels(t, e);
	if (r == 0)
		r = training_add_names(t, e);
	if (r == 0)
		r = training_take_truth(t, e);
	if (r < 0)
		return r;
	t->spec = t->o->spec;
	size_tables(t);
	r = features_spec_check(&t->spec);
	if (r < 0)
		return err_set(e, r, "these features are outside their limits");
	training_say(t, "%zu rows, %u labels", t->given, t->n_labels);
	r = matrix_build(&t->matrix, &t->rows, &t->spec);
	if (r == 0)
		r = matrix_weigh(&t->matrix, t->o->weight);
	size_t scored = MAX(t->given, valid ? valid->n : 0) + 1;
	t->held_out = calloc(t->rows.n + 1, sizeof(*t->held_out));
	t->weights = calloc(((size_t)t->matrix.dimensions + 1) * t->n_labels, sizeof(*t->weights));
	t->scores = calloc(scored * t->n_labels, sizeof(*t->scores));
	t->scored_truth = calloc(scored, sizeof(*t->scored_truth));
	t->scored_row = calloc(scored, sizeof(*t->scored_row));
	t->judged = calloc(scored, sizeof(*t->judged));
	if (r < 0 || !t->held_out || !t->weights || !t->scores || !t->scored_truth || !t->scored_row || !t->judged)
		return err_set(e, -ENOMEM, "the rows need more memory than there is");
	return 0;
}

int training_write(const struct training *t, const char *report, struct buf *out, struct err *e)
{
	struct modelfile f = {.task = t->o->task, .labels = t->labels, .n_labels = t->n_labels,
		.kind = t->multi ? MODEL_MULTI : MODEL_EXCLUSIVE, .spec = t->spec,
		.idf = (const uint8_t *const *)t->matrix.idf, .weights = t->weights, .platt = t->platt,
		.temperature = t->temperature, .answer_slope = t->answer_slope, .answer_offset = t->answer_offset,
		.threshold = t->threshold, .rows = t->given,
		.trained_ms = t->o->trained_ms, .report = report};
	memcpy(f.block_weight, t->o->weight, sizeof(f.block_weight));
	return modelfile_write(&f, out) < 0 ? err_set(e, -ENOMEM, "the model needs more memory than there is") : 0;
}

/* The weights once more with what calibration found, and then with the report about that. */
static int write_with_report(struct training *t, struct buf *out, struct err *e)
{
	struct buf words CLEANUP(buf_free);
	buf_init(&words, 4 * 1024 * 1024);
	int r = training_write(t, "", out, e);
	if (r == 0)
		r = training_report(t, out, &words, e);
	if (r < 0)
		return r;
	struct train_options made = *t->o;
	made.spec = t->spec;
	buf_adds(&words, "\n");
	train_options_print(&made, &words);
	return training_write(t, buf_str(&words), out, e);
}

static int train_all(struct training *t, const struct dataset *valid, struct buf *out, struct err *e)
{
	if (t->o->no_calibration)
		return training_fit(t, out, e);
	int r = valid ? 0 : training_score_folds(t, out, e);
	if (r < 0)
		return r;
	training_say(t, "fitting all rows");
	r = training_fit(t, out, e);
	if (r == 0 && valid)
		r = training_score_valid(t, valid, out, e);
	if (r == 0)
		r = training_calibrate(t, out, e);
	return r < 0 ? r : write_with_report(t, out, e);
}

int train_model(const struct dataset *rows, const struct dataset *valid, const struct train_options *o, struct buf *out,
	struct err *e)
{
	struct train_options options = *o;
	struct training t = {.o = &options, .multi = dataset_is_multi(o->task), .temperature = 1, .answer_slope = 1};
	int r = copy_rows(&t, rows, e);
	if (r == 0)
		r = prepare(&t, valid, e);
	if (r == 0)
		r = train_all(&t, valid, out, e);
	matrix_free(&t.matrix);
	for (uint32_t c = 0; t.name && c < t.n_labels; c++)
		free(t.name[c]);
	free(t.name);
	free(t.rows.rows);
	free(t.truth);
	free(t.held_out);
	free(t.weights);
	free(t.scores);
	free(t.scored_truth);
	free(t.scored_row);
	free(t.judged);
	return r;
}

int train_save(const struct buf *model, const char *path, struct err *e)
{
	char temporary[4096];
	int n = snprintf(temporary, sizeof(temporary), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", temporary, strerror(errno));
	size_t done = 0;
	while (done < model->len) {
		ssize_t w = write(fd, model->data + done, model->len - done);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		done += (size_t)w;
	}
	int r = done < model->len || fsync(fd) < 0 ? -errno : 0;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_set(e, r, "%s: %s", path, strerror(-r));
	}
	return 0;
}
