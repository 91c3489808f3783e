#include "services/console/rules.h"

#include <strings.h>

/* ---- may this request be answered ---- */

bool origin_is_ours(const char *origin, const char *host)
{
	if (!origin)
		return true;
	if (str_empty(host))
		return false;
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0)
			return strcasecmp(origin + strlen(schemes[i]), host) == 0;
	return false;
}

bool is_json_type(const char *content_type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;
	if (!content_type || strncasecmp(content_type, json, len) != 0)
		return false;
	return !content_type[len] || content_type[len] == ';' || content_type[len] == ' ';
}

/* ---- words of a request ---- */

bool read_limit(const char *text, size_t fallback, size_t *ret_limit)
{
	size_t n = 0;
	if (!text) {
		*ret_limit = fallback;
		return true;
	}
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (size_t)(*p - '0');
		if (n > LIST_MAX)
			return false;
	}
	if (!n)
		return false;
	*ret_limit = n;
	return true;
}

static bool read_word(const char *word, const char *const *words, size_t n, int *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!word || str_eq(word, words[i])) {
			*ret = (int)i;
			return true;
		}
	return false;
}

bool read_which_cases(const char *word, enum which_cases *ret)
{
	static const char *const words[] = {
		[CASES_OPEN] = "open", [CASES_CLOSED] = "closed", [CASES_ALL] = "all"};
	int i;
	if (!read_word(word, words, ARRAY_SIZE(words), &i))
		return false;
	*ret = (enum which_cases)i;
	return true;
}

bool read_which_messages(const char *word, enum which_messages *ret)
{
	static const char *const words[] = {[MESSAGES_ALL] = "all",
		[MESSAGES_NEED_ANSWER] = "needs_answer",
		[MESSAGES_IN_INCIDENT] = "incident"};
	int i;
	if (!read_word(word, words, ARRAY_SIZE(words), &i))
		return false;
	*ret = (enum which_messages)i;
	return true;
}

static bool is_control(unsigned char c, bool lines)
{
	return (c < 0x20 && !(lines && c == '\n')) || c == 0x7f;
}

const char *notes_fault(const char *text, size_t max_bytes)
{
	if (text && strlen(text) > max_bytes)
		return "is too long";
	for (const unsigned char *p = (const unsigned char *)text; p && *p; p++)
		if (is_control(*p, true))
			return "holds a control character";
	return NULL;
}

const char *words_fault(const char *text, size_t max_bytes)
{
	if (!text)
		return "is missing";
	return text[strspn(text, " \n")] ? notes_fault(text, max_bytes) : "is empty";
}

const char *text_fault(const char *text, size_t max_bytes, bool may_be_empty)
{
	bool blank = true;
	if (!text)
		return may_be_empty ? NULL : "is missing";
	if (strlen(text) > max_bytes)
		return "is too long";
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (is_control(*p, false))
			return "holds a control character";
		blank = blank && *p == ' ';
	}
	return blank && !may_be_empty ? "is empty" : NULL;
}

/* Tasks and labels as the intent service has them: services/intent/README.md says what each means. */
static const struct {
	const char *task, *labels;
} tasks[] = {
	{"intent", "ask_info report_fault order_status billing cancel buy change complain praise suggest "
		   "report_danger "
		   "attack joke spam other"},
	{"expectation", "information repair refund apology attention nothing"},
	{"event", "renewal cancellation purchase complaint praise question none"},
	{"sentiment", "negative neutral positive"},
	{"lane", "service polemic none"},
};

const char *correction_tasks(void)
{
	return "intent expectation event sentiment lane";
}

const char *correction_labels(const char *task)
{
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		if (str_eq(task, tasks[i].task))
			return tasks[i].labels;
	return NULL;
}

bool correction_is_known(const char *task, const char *label)
{
	const char *labels = correction_labels(task);
	size_t len = label && !strchr(label, ' ') ? strlen(label) : 0;
	for (const char *p = labels; p && len && (p = strstr(p, label)); p += len)
		if ((p == labels || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

/* ---- what is shown ---- */

size_t text_cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	size_t n = max;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

bool case_is_open(int state)
{
	return (state >= 0 && state < 5) || state == 7; /* solved and closed are between */
}

bool needs_answer(bool has_case, int case_state)
{
	return has_case && case_is_open(case_state);
}

int64_t push_due_ms(int64_t last_push_ms, int64_t now_ms)
{
	if (now_ms < last_push_ms) /* the clock was set back */
		return now_ms;
	return MAX(now_ms, last_push_ms + PUSH_EVERY_MS);
}
