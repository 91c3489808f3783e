/* What every answer of the public listener has in common: the headers, the checks, one read transaction. */
#include "services/console/console.h"
#include "services/console/rules.h"

#include "common/drill.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define OUT_MAX ((size_t)8 * 1024 * 1024)

#define POLICY                                                                                               \
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "       \
	"data:; "                                                                                            \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

bool request_is_ours(struct http_request *r)
{
	return request_is_ours_under(r, POLICY);
}

bool request_is_ours_under(struct http_request *r, const char *content_security_policy)
{
	http_reply_header(r, "Content-Security-Policy", content_security_policy);
	http_reply_header(r, "X-Frame-Options", "DENY");
	http_reply_header(r, "Cross-Origin-Resource-Policy", "same-origin");
	if (http_header_count(r, "Origin") <= 1 &&
		origin_is_ours(http_header(r, "Origin"), http_header(r, "Host")))
		return true;
	http_reply_error(r, 403, "requests from another site's pages are not answered");
	return false;
}

const struct conf_brand *request_brand(struct http_request *r, const struct console *c)
{
	const char *name = http_query(r, "brand");
	const struct conf *conf = svc_conf(c->svc);
	const struct conf_brand *brand = name		      ? conf_brand(conf, name)
					 : conf->brands_count ? &conf->brands[0]
							      : NULL;
	if (brand && name && strchr(name, DRILL_SIGN) && !drill_name_ok(drill_of(name)))
		brand = NULL;
	if (!brand && name)
		http_reply_error(r, 404, "there is no brand \"%.60s\"", name);
	else if (!brand)
		http_reply_error(r, 404, "no brand is configured");
	return brand;
}

int path_id(const char *rest, struct id *ret_id, const char **ret_verb)
{
	size_t len = strcspn(rest, "/");
	char text[ID_TEXT + 1];
	snprintf(text, sizeof(text), "%.*s", (int)MIN(len, (size_t)ID_TEXT), rest);
	*ret_verb = rest + len;
	return len == ID_TEXT ? id_parse(text, ret_id) : -EINVAL;
}

bool answer_begin(struct answer *a, struct http_request *r, struct console *c)
{
	*a = (struct answer){.console = c, .request = r};
	if (!request_is_ours(r))
		return false;
	a->brand = request_brand(r, c);
	if (!a->brand)
		return false;
	const char *said = http_query(r, "brand");
	a->brand_name = said ? said : a->brand->name;
	a->group = brand_group(a->brand_name);
	if (txn_begin_read(svc_store(c->svc), &a->txn, NULL)) {
		http_reply_error(r, 500, "the store can not be read");
		return false;
	}
	arena_init(&a->arena, ARENA_MAX);
	buf_init(&a->out, OUT_MAX);
	return true;
}

void answer_leave(struct answer *a)
{
	txn_abort(&a->txn);
	arena_free(&a->arena);
	buf_free(&a->out);
}

void answer_end(struct answer *a)
{
	if (a->out.broken)
		http_reply_error(a->request, 500, "the answer is too large: ask for less with limit=");
	else
		http_reply(a->request, 200, "application/json", buf_span(&a->out));
	answer_leave(a);
}

void answer_fail(struct answer *a, unsigned status, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	http_reply_error(a->request, status, "%s", text);
	answer_leave(a);
}

int answer_read(struct answer *a, enum console_table table, const struct id *id, void *ret_record)
{
	struct key k = record_key(table, a->group, id);
	return svc_read(a->txn, &a->arena, &console_tables[table], &k, ret_record);
}

bool answer_find(
	struct answer *a, const char *what, enum console_table table, const struct id *id, void *ret_record)
{
	const struct conf *conf = svc_conf(a->console->svc);
	char text[ID_TEXT + 1];
	int rc = answer_read(a, table, id, ret_record);
	for (unsigned i = 0; rc == -ENOENT && !http_query(a->request, "brand") && i < conf->brands_count;
		i++) {
		a->brand = &conf->brands[i];
		a->brand_name = a->brand->name;
		a->group = brand_group(a->brand_name);
		rc = answer_read(a, table, id, ret_record);
	}
	if (rc == -ENOENT)
		answer_fail(a, 404, "there is no %s with the id %s", what, id_format(id, text));
	else if (rc)
		answer_fail(a, 500, "the %s can not be read: its record is damaged", what);
	return rc == 0;
}
