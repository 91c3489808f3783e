#include "services/ascolto/client.h"

#include <curl/curl.h>

const char *const client_services[] = {
	"ingest", "enrichment", "intent", "escalation", "notification", "console"};

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct client_reply *reply = ctx;
	return buf_add(&reply->body, data, size * n) < 0 ? 0 : size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *ctx)
{
	struct client_reply *reply = ctx;
	static const char name[] = "retry-after:";
	size_t len = size * n;
	char line[64];
	if (len < sizeof(line) && len > sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0) {
		snprintf(line, sizeof(line), "%.*s", (int)len, data);
		char *end;
		long seconds = strtol(line + sizeof(name) - 1, &end, 10);
		if (end != line + sizeof(name) - 1 && seconds >= 0)
			reply->retry_after_s = seconds;
	}
	return len;
}

static void set_options(CURL *curl, const struct client_call *c, const char *url, struct curl_slist *headers,
	char *words, struct client_reply *reply)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, c->timeout_ms ? c->timeout_ms : CLIENT_ASK_MS);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_ASK_MS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "ascolto/" ASCOLTO_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (str_eq(c->method, "POST")) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body.data ? (const char *)c->body.data : "");
	}
}

static int call_failed(
	const struct client_call *c, CURL *curl, CURLcode code, const char *words, struct err *e)
{
	long system_error = 0;
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
	if (code == CURLE_COULDNT_CONNECT)
		return err_set(e, -ECONNREFUSED, "%s does not answer at %s: %s", c->service, c->address,
			system_error ? strerror((int)system_error) : curl_easy_strerror(code));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, -ETIMEDOUT, "%s does not answer at %s within %ld s", c->service, c->address,
			(c->timeout_ms ? c->timeout_ms : CLIENT_ASK_MS) / 1000);
	if (code == CURLE_WRITE_ERROR)
		return err_set(e, -EMSGSIZE, "%s at %s gave an answer of more than %zu bytes", c->service,
			c->address, CLIENT_BODY_MAX);
	return err_set(
		e, -EIO, "%s at %s: %s", c->service, c->address, words[0] ? words : curl_easy_strerror(code));
}

int client_call(const struct client_call *c, struct client_reply *ret, struct err *e)
{
	static CURL *curl; /* kept between calls so that connections are */
	if (!curl && !(curl = curl_easy_init()))
		return err_set(e, -ENOMEM, "out of memory");
	curl_easy_reset(curl);
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	for (const char *const *h = c->headers; headers && h && *h; h++)
		headers = curl_slist_append(headers, *h);
	char url[512], words[CURL_ERROR_SIZE] = "";
	snprintf(url, sizeof(url), "http://%s%s", c->address, c->path);
	struct client_reply reply = {.retry_after_s = -1};
	buf_init(&reply.body, CLIENT_BODY_MAX);
	set_options(curl, c, url, headers, words, &reply);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
	int r = code ? call_failed(c, curl, code, words, e) : 0;
	curl_slist_free_all(headers);
	if (r < 0)
		buf_free(&reply.body);
	else
		*ret = reply;
	return r;
}

int client_json(const struct client_call *c, json_t **ret, long *ret_status, struct err *e)
{
	struct client_reply reply;
	int r = client_call(c, &reply, e);
	if (r < 0)
		return r;
	json_error_t where;
	json_t *j = json_loadb(buf_str(&reply.body), reply.body.len, JSON_REJECT_DUPLICATES, &where);
	if (!j || !json_is_object(j))
		r = err_set(e, -EBADMSG, "%s at %s answered %ld with something that is not %s%s%s",
			c->service, c->address, reply.status, j ? "a JSON object" : "JSON", j ? "" : ": ",
			j ? "" : where.text);
	else if (!ret_status && reply.status != 200)
		r = err_set(e, reply.status == 404 ? -ENOENT : -EREMOTEIO, "%s at %s answered %ld%s%s",
			c->service, c->address, reply.status, member_text(j, "error")[0] ? ": " : "",
			member_text(j, "error"));
	if (r == 0) {
		*ret = json_incref(j);
		if (ret_status)
			*ret_status = reply.status;
	}
	json_decref(j);
	buf_free(&reply.body);
	return r;
}

const char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

int64_t member_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

double member_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}
