#include "err.h"

int err_set(struct err *e, int code, const char *fmt, ...)
{
	if (!e)
		return code;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->code = code;
	return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	if (!e)
		return 0;
	char head[ERR_TEXT_MAX], tail[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(head, sizeof(head), fmt, ap);
	va_end(ap);
	snprintf(tail, sizeof(tail), "%s", err_text(e));
	int n = snprintf(e->text, sizeof(e->text), "%s: ", head);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, "%s", tail);
	return e->code;
}

const char *err_text(const struct err *e)
{
	if (!e)
		return "unknown error";
	if (e->text[0])
		return e->text;
	return e->code ? strerror(-e->code) : "no error";
}
