#include "external.h"

#include <utf8proc.h>
#include <xxhash.h>
#include <zmq.h>

#include "services/intent/answer.h"

#define ARENA_MAX ((size_t)32 * 1024 * 1024)

enum result { ANSWERED, LATE, WRONG, UNREACHABLE, NOT_TRIED, RESULTS };
static const char *const result_words[RESULTS] = {"answered", "late", "wrong", "unreachable", "not_tried"};

static const struct metric_desc messages_desc = {"ascolto_external_messages_total", METRIC_COUNTER,
	"Messages for the model server, and what became of the question", "result", NULL, 0};
static const double seconds_buckets[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
static const struct metric_desc seconds_desc = {"ascolto_external_seconds", METRIC_HISTOGRAM,
	"Time of one question to the model server, answered or not", NULL, seconds_buckets, ARRAY_SIZE(seconds_buckets)};

struct external {
	struct classifier base;
	struct classifier *const *linear;
	struct external_options o;
	char *endpoint;
	void *context, *socket;
	uint64_t number;
	/* failures */
	int64_t rests_until_ms, pause_ms;
	unsigned failures;
	char why[200], trouble[400];
	/* the last answer */
	struct arena arena;
	const Ascolto__ClassifyReply *reply;
	uint64_t asked[EXTERNAL_TEXTS_MAX]; /* hashes; the n-th understanding is the answer to the n-th */
	size_t n_asked;
	struct metric *result[RESULTS], *seconds;
};

static int64_t clock_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t hash_of(const struct classifier_input *in)
{
	const struct span parts[] = {in->text, in->subject, span_str(in->lang), span_str(in->surface), span_str(in->channel)};
	uint64_t h = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		h = XXH3_64bits_withSeed(parts[i].len ? (const void *)parts[i].data : "", parts[i].len, h + i);
	return h;
}

static void forget(struct external *x)
{
	x->reply = NULL;
	x->n_asked = 0;
	arena_reset(&x->arena);
}

/* ---- the socket ---- */

static void hang_up(struct external *x)
{
	if (x->socket)
		zmq_close(x->socket);
	x->socket = NULL;
}

static void set(void *socket, int option, int value)
{
	zmq_setsockopt(socket, option, &value, sizeof(value));
}

static bool dial_server(struct external *x)
{
	int64_t max = EXTERNAL_REPLY_MAX;
	if (x->socket)
		return true;
	x->socket = zmq_socket(x->context, ZMQ_DEALER);
	if (!x->socket)
		return false;
	set(x->socket, ZMQ_LINGER, 0);
	set(x->socket, ZMQ_IMMEDIATE, 1);
	set(x->socket, ZMQ_SNDHWM, 4);
	set(x->socket, ZMQ_RCVHWM, 4);
	zmq_setsockopt(x->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max));
	if (zmq_connect(x->socket, x->endpoint) == 0)
		return true;
	hang_up(x);
	return false;
}

/* Until the socket can do it, or the time is over. */
static bool wait_until(struct external *x, short events, int64_t end_ms)
{
	for (;;) {
		zmq_pollitem_t item = {.socket = x->socket, .events = events};
		int n = zmq_poll(&item, 1, MAX(0, end_ms - clock_ms()));
		if (n > 0)
			return true;
		if (n == 0 || zmq_errno() != EINTR)
			return false;
	}
}

/* A request socket's message: an empty frame and the bytes. 1: there; 0: another shape. */
static int take_message(struct external *x, zmq_msg_t *body)
{
	int frames = 0, shape = 1;
	do {
		if (zmq_msg_recv(body, x->socket, ZMQ_DONTWAIT) < 0)
			return 0;
		shape &= frames > 0 || zmq_msg_size(body) == 0;
		frames++;
	} while (zmq_msg_more(body));
	return shape && frames == 2;
}

/* ---- asking ---- */

static bool is_text(struct span s)
{
	utf8proc_int32_t c;
	for (size_t at = 0; at < s.len;) {
		utf8proc_ssize_t n = utf8proc_iterate(s.data + at, (utf8proc_ssize_t)(s.len - at), &c);
		if (n <= 0 || c == 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static char *words(struct external *x, const char *s)
{
	return str_empty(s) || !is_text(span_str(s)) ? (char *)"" : arena_strdup(&x->arena, s);
}

/* The request, packed in the arena; an empty span when there is nothing to ask or no memory. */
static struct span make_request(struct external *x, const struct classifier_input *in, size_t n)
{
	Ascolto__ClassifyRequest q = ASCOLTO__CLASSIFY_REQUEST__INIT;
	char *tasks[CLASSIFIER_TASKS];
	Ascolto__ClassifyText *texts = arena_alloc(&x->arena, MIN(n, (size_t)EXTERNAL_TEXTS_MAX) * sizeof(*texts)),
			      *list[EXTERNAL_TEXTS_MAX];
	size_t bytes = 0;
	for (size_t i = 0; texts && i < n && x->n_asked < EXTERNAL_TEXTS_MAX; i++) {
		size_t len = in[i].text.len + in[i].subject.len;
		if (!in[i].text.len || len > EXTERNAL_TEXT_MAX || bytes + len > EXTERNAL_REQUEST_MAX || !is_text(in[i].text) ||
			!is_text(in[i].subject))
			continue;
		Ascolto__ClassifyText *t = list[x->n_asked] = &texts[x->n_asked];
		*t = (Ascolto__ClassifyText)ASCOLTO__CLASSIFY_TEXT__INIT;
		t->text = arena_strndup(&x->arena, (const char *)in[i].text.data, in[i].text.len);
		t->subject = arena_strndup(&x->arena, (const char *)in[i].subject.data, in[i].subject.len);
		t->language = words(x, in[i].lang);
		t->surface = words(x, in[i].surface);
		t->channel = words(x, in[i].channel);
		if (!t->text || !t->subject || !t->language || !t->surface || !t->channel)
			break;
		bytes += len;
		x->asked[x->n_asked++] = hash_of(&in[i]);
	}
	for (int t = 0; t < CLASSIFIER_TASKS; t++)
		if (x->o.tasks[t])
			tasks[q.n_tasks++] = (char *)(uintptr_t)classifier_tasks[t];
	q.version = ANSWER_VERSION;
	q.number = ++x->number;
	q.tasks = tasks;
	q.texts = list;
	q.n_texts = x->n_asked;
	size_t len = ascolto__classify_request__get_packed_size(&q);
	uint8_t *packed = x->n_asked ? arena_alloc(&x->arena, len) : NULL;
	return packed ? span_of(packed, ascolto__classify_request__pack(&q, packed)) : span_of(NULL, 0);
}

/* ---- one question ---- */

static enum result receive(struct external *x, int64_t end_ms)
{
	enum result result = LATE;
	zmq_msg_t body;
	zmq_msg_init(&body);
	while (result == LATE && wait_until(x, ZMQ_POLLIN, end_ms)) {
		const char *fault = "its answer has another shape than a reply socket's";
		if (take_message(x, &body)) {
			struct span bytes = span_of(zmq_msg_data(&body), zmq_msg_size(&body));
			if (answer_read(bytes, x->number, x->n_asked, &x->arena, &x->reply, &fault) == -EALREADY)
				continue; /* to a former question */
		}
		if (fault)
			snprintf(x->why, sizeof(x->why), "%s", fault);
		result = fault ? WRONG : ANSWERED;
	}
	if (result == LATE)
		snprintf(x->why, sizeof(x->why), "it gave no answer within %u ms", x->o.limit_ms);
	zmq_msg_close(&body);
	return result;
}

static enum result ask(struct external *x, struct span request)
{
	int64_t end_ms = clock_ms() + x->o.limit_ms;
	if (!dial_server(x) || !wait_until(x, ZMQ_POLLOUT, end_ms) ||
		zmq_send(x->socket, "", 0, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 ||
		zmq_send(x->socket, request.data, request.len, ZMQ_DONTWAIT) < 0) {
		snprintf(x->why, sizeof(x->why), "nobody listens there");
		return UNREACHABLE;
	}
	return receive(x, end_ms);
}

static void settle(struct external *x, enum result result)
{
	if (result == ANSWERED) {
		x->pause_ms = 0;
		x->failures = 0;
		x->trouble[0] = 0;
		return;
	}
	hang_up(x);
	forget(x);
	x->failures++;
	x->pause_ms = x->pause_ms ? MIN(2 * x->pause_ms, (int64_t)EXTERNAL_PAUSE_MAX_MS) : EXTERNAL_PAUSE_MS;
	x->rests_until_ms = clock_ms() + x->pause_ms;
	snprintf(x->trouble, sizeof(x->trouble),
		"the model server at %s: %s (%u times in a row); the built-in models decide, it is asked again after %g s",
		x->endpoint, x->why, x->failures, (double)x->pause_ms / 1000);
}

bool external_rests(struct classifier *c, size_t n)
{
	struct external *x = (struct external *)c;
	if (clock_ms() >= x->rests_until_ms)
		return false;
	forget(x);
	metric_add(x->result[NOT_TRIED], (double)n);
	return true;
}

void external_ahead(struct classifier *c, const struct classifier_input *in, size_t n)
{
	struct external *x = (struct external *)c;
	if (external_rests(c, n))
		return;
	forget(x);
	struct span request = make_request(x, in, n);
	size_t asked = x->n_asked;
	metric_add(x->result[NOT_TRIED], (double)(n - asked));
	if (!request.len)
		return;
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	enum result result = ask(x, request);
	clock_gettime(CLOCK_MONOTONIC, &b);
	metric_observe(x->seconds, (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	metric_add(x->result[result], (double)asked);
	settle(x, result);
}

const char *external_trouble(const struct classifier *c)
{
	const struct external *x = (const struct external *)c;
	return x->trouble[0] ? x->trouble : NULL;
}

/* ---- the classifier ---- */

static const Ascolto__Understanding *answer_for(const struct external *x, const struct classifier_input *in)
{
	uint64_t hash = x->reply ? hash_of(in) : 0;
	for (size_t i = 0; x->reply && i < x->n_asked; i++)
		if (x->asked[i] == hash)
			return x->reply->understandings[i];
	return NULL;
}

static int external_predict(struct classifier *c, const struct classifier_input *in, struct arena *a,
	Ascolto__Understanding *ret, struct err *e)
{
	struct external *x = (struct external *)c;
	int r = classifier_predict(*x->linear, in, a, ret, e);
	const Ascolto__Understanding *u = r ? NULL : answer_for(x, in);
	if (!u)
		return r;
	if (answer_take_over(x->reply, u, x->o.tasks, a, ret))
		return err_set(e, -ENOMEM, "the message needs more memory than one message may have");
	return 0;
}

static int external_describe(struct classifier *c, struct arena *a, char **ret_text)
{
	struct external *x = (struct external *)c;
	char *below;
	int r = (*x->linear)->ops->describe(*x->linear, a, &below);
	if (r)
		return r;
	char *tasks = arena_strdup(a, "");
	for (int t = 0; t < CLASSIFIER_TASKS && tasks; t++)
		if (x->o.tasks[t])
			tasks = arena_printf(a, "%s%s%s", tasks, tasks[0] ? ", " : "", classifier_tasks[t]);
	*ret_text = tasks ? arena_printf(a, "the model server at %s answers %s, within %u ms\n%s", x->endpoint, tasks,
				    x->o.limit_ms, below)
			  : NULL;
	return *ret_text ? 0 : -ENOMEM;
}

static void external_close(struct classifier *c)
{
	struct external *x = (struct external *)c;
	hang_up(x);
	if (x->context)
		zmq_ctx_term(x->context);
	arena_free(&x->arena);
	free(x->endpoint);
	free(x);
}

static const struct classifier_ops external_ops = {
	.name = "external",
	.predict = external_predict,
	.describe = external_describe,
	.close = external_close,
};

int external_open(const struct external_options *o, struct classifier *const *linear, struct classifier **ret, struct err *e)
{
	struct external *x = calloc(1, sizeof(*x));
	if (!x)
		return err_set(e, -ENOMEM, "out of memory");
	x->base.ops = &external_ops;
	x->linear = linear;
	x->o = *o;
	x->endpoint = strdup(o->endpoint);
	x->context = zmq_ctx_new();
	arena_init(&x->arena, ARENA_MAX);
	if (!x->endpoint || !x->context) {
		external_close(&x->base);
		return err_set(e, -ENOMEM, "out of memory");
	}
	for (int i = 0; i < RESULTS && o->metrics; i++)
		x->result[i] = metric_series(o->metrics, &messages_desc, result_words[i]);
	x->seconds = o->metrics ? metric_series(o->metrics, &seconds_desc, NULL) : NULL;
	*ret = &x->base;
	return 0;
}
