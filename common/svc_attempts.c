/*
 * How often an item was tried, kept in the store for those that may have ended the process, and for timers.
 *
 * A process that fails by itself (a signal like SIGSEGV or SIGABRT) writes into the file `fault` beside the store which
 * item it had in hand, and the next start counts that against the item. A process that was ended from outside (SIGKILL, lack
 * of memory, power) can not say, so after such an end items are marked before they are handled, and those that were marked
 * already go alone; only when it ends three times with the same item alone in hand is that held against the item. Innocent
 * items that were in hand by chance get through in between.
 */
#include "svc_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static struct id in_hand; /* read by the signal handler */
static int fault_file = -1;

static const int faults[] = {
	SIGABRT,
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they have handlers of their own */
	SIGSEGV, SIGBUS, SIGILL, SIGFPE,
#endif
};

static struct key row_key(const struct id *id)
{
	struct key k = key_make(TABLE_ATTEMPTS, 0);
	key_id(&k, id);
	return k;
}

static struct id item_id(const struct item *i)
{
	return id_from(0, span_of(i->data, i->len));
}

/* -ENOENT: no row. */
static int get(struct txn *t, const struct id *id, State__Attempts *ret)
{
	struct span value;
	struct key k = row_key(id);
	int r = txn_get(t, &k, &value);
	*ret = (State__Attempts)STATE__ATTEMPTS__INIT;
	State__Attempts *a = r ? NULL : state__attempts__unpack(NULL, value.len, value.data);
	if (a) {
		ret->faults = a->faults;
		ret->alone = a->alone;
		ret->retries = a->retries;
	}
	state__attempts__free_unpacked(a, NULL);
	return r;
}

static int put(struct txn *t, const struct id *id, const State__Attempts *a)
{
	uint8_t packed[64];
	struct key k = row_key(id);
	return txn_put(t, &k, span_of(packed, state__attempts__pack(a, packed)));
}

/* ---- faults ---- */

/* Only what a signal handler may do: write, and end as the signal wants. */
static void on_fault(int number)
{
	ssize_t ignored = write(fault_file, in_hand.b, ID_BYTES);
	(void)ignored;
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_faults(void)
{
	static char stack[64 * 1024]; /* an overflown stack has no room for the handler */
	stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
	sigaltstack(&alternative, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}

int attempts_open(struct svc *s, bool unclean, struct err *e)
{
	char path[4096];
	struct id id;
	struct txn *t;
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/fault", store_path(s->store));
	fault_file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fault_file < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	int r = txn_begin_write(s->store, &t, e);
	while (!r && read(fault_file, id.b, ID_BYTES) == ID_BYTES) {
		State__Attempts a;
		get(t, &id, &a);
		a.faults++;
		n++;
		r = id_is_zero(&id) ? 0 : put(t, &id, &a);
	}
	if (!r && n)
		r = txn_commit(&t, e);
	txn_abort(&t);
	if (r || ftruncate(fault_file, 0) < 0)
		return err_set(e, r ? r : -errno, "%s: can not be taken into account", path);
	s->attempts_known = unclean;
	s->cautious_left = unclean && !n ? CAUTIOUS_ITEMS : 0;
	watch_faults();
	return 0;
}

void attempts_in_hand(const struct item *i)
{
	in_hand = i ? item_id(i) : (struct id){{0}};
}

/* ---- rows ---- */

unsigned attempts_of(struct txn *t, const struct item *i)
{
	struct id id = item_id(i);
	State__Attempts a;
	get(t, &id, &a);
	return MAX(MAX(a.faults, a.alone), a.retries);
}

/* It will come again, and this process lives: no end is held against it. A timer is read again from its row when it comes
 * again, so how often it said RETRY is kept. */
void attempts_remember(struct svc *s, const struct item *i)
{
	struct txn *t;
	State__Attempts a;
	struct id id = item_id(i);
	if ((i->kind != ITEM_TIMER && !s->cautious_left) || txn_begin_write(s->store, &t, NULL))
		return;
	get(t, &id, &a);
	a.retries = i->kind == ITEM_TIMER ? i->tries : 0;
	a.alone -= MIN(a.alone, 1u);
	if (put(t, &id, &a) == 0 && txn_commit(&t, NULL) == 0)
		s->attempts_known = true;
	txn_abort(&t);
}

size_t attempts_commit(struct svc *s, struct item **items, size_t n)
{
	struct txn *t;
	size_t take = 0;
	if (txn_begin_write(s->store, &t, NULL))
		return n;
	for (; take < n; take++) {
		struct id id = item_id(items[take]);
		State__Attempts a;
		bool marked = get(t, &id, &a) == 0;
		if (marked && take)
			break;
		a.alone += marked;
		/* The one that is about to be made is no try yet. */
		items[take]->tries = MAX(items[take]->tries, MAX(a.faults, marked ? a.alone - 1 : 0));
		put(t, &id, &a);
		if (marked) {
			take++;
			break;
		}
	}
	txn_commit(&t, NULL);
	return take;
}

void attempts_forget(struct svc *s, struct txn *t, struct item **items, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct id id = item_id(items[k]);
		struct key key = row_key(&id);
		txn_del(t, &key);
	}
	s->cautious_left -= MIN(s->cautious_left, n);
}
