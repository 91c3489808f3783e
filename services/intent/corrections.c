/* People's corrections: read back from the store, for export and for training. */
#include "services/intent/intent.h"

#include <xxhash.h>

#include "common/buf.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

/* ---- walking ---- */

/* What a correction is about, and when it was made. */
struct mark {
	uint64_t about;
	int64_t at_ms;
};

struct marks {
	struct mark *all;
	size_t n, cap;
};

static struct mark mark_of(const Ascolto__Correction *c)
{
	uint64_t seed = XXH3_64bits(c->task, strlen(c->task));
	return (struct mark){XXH3_64bits_withSeed(c->message_id.data, c->message_id.len, seed), c->at_ms};
}

static int by_mark(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	if (x->about != y->about)
		return x->about < y->about ? -1 : 1;
	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static bool note_mark(void *ctx, const Ascolto__Correction *c)
{
	struct marks *m = ctx;
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 256;
		struct mark *all = reallocarray(m->all, cap, sizeof(*all));
		if (!all)
			return false;
		m->all = all;
		m->cap = cap;
	}
	m->all[m->n++] = mark_of(c);
	return true;
}

/* Is it the last word: in sorted marks, the next one is about something else. */
static bool is_last(const struct marks *m, const Ascolto__Correction *c)
{
	struct mark mark = mark_of(c);
	const struct mark *at = bsearch(&mark, m->all, m->n, sizeof(mark), by_mark);
	while (at && at + 1 < m->all + m->n && at[1].about == mark.about) {
		if (at[1].at_ms > mark.at_ms)
			return false;
		at++;
	}
	return at != NULL;
}

/* Every one of the task, as it is stored. A damaged one does not hide those behind it. */
static int walk(struct txn *t, const char *task, const struct marks *last,
	bool (*fn)(void *ctx, const Ascolto__Correction *c), void *ctx, bool *ret_whole)
{
	struct key prefix = key_make(intent_tables[CORRECTIONS].id, 0);
	struct cursor *cursor;
	struct span key, value;
	struct arena a;
	prefix.len = 1; /* of all key groups */
	int r = cursor_open(t, &prefix, NULL, &cursor);
	if (r)
		return r;
	arena_init(&a, ARENA_MAX);
	*ret_whole = true;
	while (*ret_whole && ((r = cursor_next(cursor, &key, &value)) == 0 || r == -EBADMSG)) {
		State__StoredCorrection *s = r ? NULL : state__stored_correction__unpack(arena_pb(&a), value.len, value.data);
		const Ascolto__Correction *c = s ? s->correction : NULL;
		if (c && (!task || str_eq(c->task, task)) && (!last || is_last(last, c)))
			*ret_whole = fn(ctx, c);
		arena_reset(&a);
	}
	cursor_close(&cursor);
	arena_free(&a);
	return r == -ENOENT ? 0 : r;
}

int corrections_each(struct intent *in, const char *task, bool (*fn)(void *ctx, const Ascolto__Correction *c), void *ctx)
{
	struct txn *t;
	struct marks m = {0};
	bool whole;
	int r = txn_begin_read(svc_store(in->svc), &t, NULL);
	if (r)
		return r;
	r = walk(t, task, NULL, note_mark, &m, &whole);
	if (!r && !whole)
		r = -ENOMEM;
	if (m.n)
		qsort(m.all, m.n, sizeof(*m.all), by_mark);
	if (!r)
		r = walk(t, task, &m, fn, ctx, &whole);
	txn_abort(&t);
	free(m.all);
	return r;
}

/* ---- forgetting ---- */

int corrections_forget(struct turn *t, const char *whose, const char *task, size_t *ret_n)
{
	struct key prefix = key_make(intent_tables[CORRECTIONS].id, 0), k = {0};
	struct cursor *cursor;
	struct span key, value;
	struct arena a;
	prefix.len = 1; /* of all key groups */
	int r = cursor_open(t->txn, &prefix, NULL, &cursor);
	if (r)
		return r;
	arena_init(&a, ARENA_MAX);
	*ret_n = 0;
	while (*ret_n < CORRECTIONS_FORGET_MAX && ((r = cursor_next(cursor, &key, &value)) == 0 || r == -EBADMSG)) {
		State__StoredCorrection *s = r ? NULL : state__stored_correction__unpack(arena_pb(&a), value.len, value.data);
		const Ascolto__Correction *c = s ? s->correction : NULL;
		if (c && str_eq(c->by, whose) && (str_empty(task) || str_eq(c->task, task)) && key.len <= sizeof(k.data)) {
			memcpy(k.data, key.data, key.len);
			k.len = (uint16_t)key.len;
			turn_del(t, &k);
			++*ret_n;
		}
		arena_reset(&a);
	}
	cursor_close(&cursor);
	arena_free(&a);
	return r == -ENOENT || *ret_n == CORRECTIONS_FORGET_MAX ? 0 : r;
}

/* ---- counting ---- */

static bool count_fresh(void *ctx, const Ascolto__Correction *c)
{
	struct intent *in = ctx;
	int task = classifier_task(c->task);
	if (task >= 0 && c->at_ms > in->task[task].tried_ms)
		in->task[task].fresh++;
	return true;
}

int corrections_count(struct intent *in)
{
	for (int t = 0; t < CLASSIFIER_TASKS; t++)
		in->task[t].fresh = 0;
	return corrections_each(in, NULL, count_fresh, in);
}

/* ---- files for training ---- */

struct files {
	FILE *old, *new;
	int64_t since_ms;
	size_t n_new;
};

static void put_field(FILE *f, const char *text, char end)
{
	for (; text && *text; text++)
		putc((unsigned char)*text < ' ' ? ' ' : *text, f);
	putc(end, f);
}

static bool put_row(void *ctx, const Ascolto__Correction *c)
{
	struct files *to = ctx;
	struct id id;
	char text[ID_TEXT + 1] = "";
	FILE *f = c->at_ms > to->since_ms ? to->new : to->old;
	if (!c->text[strspn(c->text, " \t\r\n")])
		return true; /* nothing can be learnt from a picture alone */
	if (id_of(c->message_id, &id) == 0)
		id_format(&id, text);
	to->n_new += f == to->new;
	put_field(f, text, '\t');
	put_field(f, c->language, '\t');
	put_field(f, c->surface, '\t');
	put_field(f, c->channel, '\t');
	put_field(f, c->text, '\t');
	put_field(f, c->intent, '\t');
	put_field(f, c->label, '\n');
	return true;
}

static FILE *begin_file(const char *path, const char *task, struct err *e)
{
	FILE *f = fopen(path, "we");
	if (!f)
		err_set(e, -errno, "%s: %s", path, strerror(errno));
	else
		fprintf(f, "id\tlang\tsurface\tchannel\ttext\t%s\t%s\n", str_eq(task, "intent") ? "taken_for" : "intent", task);
	return f;
}

int corrections_write(struct intent *in, const char *task, int64_t since_ms, const char *old_path, const char *new_path,
	size_t *ret_new, struct err *e)
{
	struct files to = {.since_ms = since_ms};
	to.old = begin_file(old_path, task, e);
	to.new = to.old ? begin_file(new_path, task, e) : NULL;
	int r = to.new ? 0 : -EIO;
	if (!r && (r = corrections_each(in, task, put_row, &to)))
		err_set(e, r, "the corrections can not be read: %s", strerror(-r));
	bool broken = (to.old && (ferror(to.old) | fclose(to.old))) | (to.new && (ferror(to.new) | fclose(to.new)));
	if (!r && broken)
		r = err_set(e, -EIO, "%s can not be written", new_path);
	*ret_new = to.n_new;
	return r;
}
