/* What can be wrong with settings though their shape is right. */
#include "conf_check.h"
#include "cidr.h"
#include "suggest.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

int conf_wrong(
	const struct conf_check *k, const char *list, unsigned i, const char *key, const char *fmt, ...)
{
	char path[YAML_PATH_MAX];
	snprintf(path, sizeof(path), "%s[%u]%s%s", list, i, key[0] ? "." : "", key);
	va_list ap;
	va_start(ap, fmt);
	int r = yaml_verror(k->yaml, yaml_place(k->yaml, path, NULL), k->e, fmt, ap);
	va_end(ap);
	return r;
}

PRINTF(3, 4)
static int wrong_at(const struct conf_check *k, const char *path, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = yaml_verror(k->yaml, yaml_place(k->yaml, path, NULL), k->e, fmt, ap);
	va_end(ap);
	return r;
}

static bool is_name(const char *s)
{
	return s[0] && s[0] != '-' && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/* Where one of a service's addresses is: "services.ingest.link". */
struct address {
	char path[64];
	uint32_t ip;
	unsigned port;
};

/* 0 for anything but digits, and for more than there are ports. */
static unsigned port_of(const char *text)
{
	unsigned port = 0;
	for (const char *d = text; *d; d++) {
		if (!isdigit((unsigned char)*d) || port > 99999)
			return 0;
		port = port * 10 + (unsigned)(*d - '0');
	}
	return port > 32767 ? 0 : port;
}

static int check_loopback(const struct conf_check *k, struct address *a, const char *host, bool link)
{
	struct in_addr ip;
	if (str_eq(host, "localhost"))
		return wrong_at(k, a->path, "%s: write 127.0.0.1 instead of localhost", a->path);
	if (inet_pton(AF_INET, host, &ip) != 1 || ntohl(ip.s_addr) >> 24 != 127) {
		if (str_eq(a->path + strlen(a->path) - 6, "listen"))
			return wrong_at(k, a->path,
				"%s: \"%s\" is not a loopback address; listen on 127.0.0.1 and put "
				"a reverse proxy that speaks TLS in front of it",
				a->path, host);
		return wrong_at(k, a->path,
			"%s: \"%s\" is not a loopback address; outside one machine %s need "
			"encryption, which this version does not have; use 127.0.0.1",
			a->path, host, link ? "links" : "health and control");
	}
	a->ip = ntohl(ip.s_addr);
	return 0;
}

/* "127.0.0.1:7411", for links with tcp:// before it. */
static int check_address(const struct conf_check *k, struct address *a, const char *value, bool link)
{
	const char *p = value;
	bool formed = !link || strncmp(p, "tcp://", 6) == 0;
	p += formed && link ? 6 : 0;
	const char *colon = strrchr(p, ':');
	if (!formed || !colon || colon == p || (size_t)(colon - p) >= 80 || strstr(p, "://"))
		return wrong_at(k, a->path, "%s: \"%.80s\" should have the form %s", a->path, value,
			link ? "tcp://127.0.0.1:PORT" : "127.0.0.1:PORT");
	char host[80];
	snprintf(host, sizeof(host), "%.*s", (int)(colon - p), p);
	a->port = port_of(colon + 1);
	if (!a->port)
		return wrong_at(k, a->path, "%s: the port \"%.20s\" should be a number from 1 to 32767",
			a->path, colon + 1);
	return check_loopback(k, a, host, link);
}

/* `a`, the last of them, against those before it. */
static int check_port_taken(const struct conf_check *k, const struct address *seen, const struct address *a)
{
	for (const struct address *s = seen; s < a; s++) {
		if (s->ip != a->ip || s->port != a->port)
			continue;
		bool written = false;
		yaml_place(k->yaml, a->path, &written);
		return wrong_at(k, written ? a->path : s->path,
			"%s and %s have the same port %u; give each its own", s->path, a->path, a->port);
	}
	return 0;
}

static int check_services(const struct conf_check *k)
{
	struct address seen[3 * CONF_SERVICES];
	size_t n = 0;
	for (size_t i = 0; i < CONF_SERVICES; i++) {
		const struct conf_service *s = conf_service_at(k->conf, i);
		const char *const values[] = {s->link, s->http, s->listen};
		static const char *const keys[] = {"link", "http", "listen"};
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			if (!values[j])
				continue;
			struct address *a = &seen[n++];
			snprintf(a->path, sizeof(a->path), "services.%s.%s", conf_services[i].name, keys[j]);
			int r = check_address(k, a, values[j], j == 0);
			if (r < 0 || (r = check_port_taken(k, seen, a)) < 0)
				return r;
		}
	}
	return 0;
}

int conf_check_brand_name(const struct conf_check *k, const char *list, unsigned i, const char *what,
	const char *name, const char *brand)
{
	const char *names[64];
	unsigned n = MIN(k->conf->brands_count, (unsigned)ARRAY_SIZE(names));
	for (unsigned b = 0; b < n; b++) {
		names[b] = k->conf->brands[b].name;
		if (str_eq(names[b], brand))
			return 0;
	}
	char words[200];
	return conf_wrong(k, list, i, "brand", "%s %s: there is no brand \"%.60s\"%s", what, name, brand,
		suggest(words, sizeof(words), brand, names, n,
			n == 1 ? "the only one is" : "the brands are"));
}

int conf_check_name(
	const struct conf_check *k, const char *list, unsigned i, const char *what, const char *name)
{
	if (is_name(name))
		return 0;
	return conf_wrong(
		k, list, i, "name", "%s name \"%.64s\" should be of a-z, 0-9 and - only", what, name);
}

static int check_brands(const struct conf_check *k)
{
	for (unsigned i = 0; i < k->conf->brands_count; i++) {
		const struct conf_brand *b = &k->conf->brands[i];
		int r = conf_check_name(k, "brands", i, "brand", b->name);
		if (r < 0)
			return r;
		for (unsigned j = 0; j < i; j++)
			if (str_eq(k->conf->brands[j].name, b->name))
				return conf_wrong(k, "brands", i, "name",
					"there are two brands with the name \"%s\"", b->name);
		if (!str_eq(b->language, "it") && !str_eq(b->language, "en"))
			return conf_wrong(k, "brands", i, "language",
				"brand %s: language \"%.20s\" should be it or en", b->name, b->language);
		struct stat st;
		if (stat(b->playbook, &st) < 0)
			return conf_wrong(k, "brands", i, "playbook", "brand %s: playbook %s: %s", b->name,
				b->playbook, errno == ENOENT ? "there is no such file" : strerror(errno));
		if (!S_ISREG(st.st_mode))
			return conf_wrong(k, "brands", i, "playbook", "brand %s: playbook %s is not a file",
				b->name, b->playbook);
	}
	return 0;
}

int conf_check_secret(
	const struct conf_check *k, const char *list, unsigned i, const char *key, const char *path)
{
	struct stat st;
	if (!path)
		return 0;
	if (stat(path, &st) < 0) {
		if (errno == EACCES)
			return 0;
		return conf_wrong(k, list, i, key,
			"%s %s: %s; make one with: (umask 077; openssl rand -hex 32 > %s)", key, path,
			errno == ENOENT ? "there is no such file" : strerror(errno), path);
	}
	if (!S_ISREG(st.st_mode))
		return conf_wrong(k, list, i, key, "%s %s is not a file", key, path);
	if (st.st_mode & 077)
		return conf_wrong(
			k, list, i, key, "%s %s can be read by others; run: chmod 600 %s", key, path, path);
	return 0;
}

/* Networks the documents speak of. Others are welcome: the list only catches slips of the pen. */
static const char *const networks[] = {"facebook", "instagram", "whatsapp", "telegram", "mastodon", "bluesky",
	"youtube", "linkedin", "discourse", "wordpress", "reddit", "trustpilot", "reviews", "email", "phone"};

static int check_network(const struct conf_check *k, unsigned i, const struct conf_channel *ch)
{
	if (!is_name(ch->network))
		return conf_wrong(k, "channels", i, "network",
			"channel %s: network \"%.64s\" should be of a-z, 0-9 and - only, such as x, facebook "
			"or email",
			ch->name, ch->network);
	for (size_t n = 0; n < ARRAY_SIZE(networks); n++)
		if (strlen(ch->network) > 3 && word_distance(ch->network, networks[n]) == 1)
			return conf_wrong(k, "channels", i, "network",
				"channel %s: network \"%s\" looks like a slip; did you mean \"%s\"?",
				ch->name, ch->network, networks[n]);
	return 0;
}

static int check_channel_settings(const struct conf_check *k, unsigned i, const struct conf_channel *ch)
{
	for (unsigned s = 0; s < ch->settings_count; s++) {
		char key[32];
		snprintf(key, sizeof(key), "settings[%u]", s);
		const char *setting = ch->settings[s];
		size_t len = strspn(setting, "abcdefghijklmnopqrstuvwxyz0123456789_-");
		if (!len || setting[len] != '=')
			return conf_wrong(k, "channels", i, key,
				"channel %s: setting \"%.60s\" should have the form key=value", ch->name,
				setting);
		for (unsigned t = 0; t < s; t++)
			if (strncmp(ch->settings[t], setting, len + 1) == 0)
				return conf_wrong(k, "channels", i, key,
					"channel %s: setting \"%.*s\" is given twice", ch->name,
					(int)MIN(len, (size_t)60), setting);
	}
	return 0;
}

static int check_adapter(const struct conf_check *k, unsigned i, const struct conf_channel *ch)
{
	if (!strchr(ch->adapter, '/')) {
		if (is_name(ch->adapter))
			return 0;
		return conf_wrong(k, "channels", i, "adapter",
			"channel %s: adapter \"%.64s\" should be a name such as jsonl or webhook, or the "
			"path of a program",
			ch->name, ch->adapter);
	}
	if (access(ch->adapter, X_OK) == 0)
		return 0;
	return conf_wrong(k, "channels", i, "adapter", "channel %s: adapter %s: %s", ch->name, ch->adapter,
		errno == ENOENT ? "there is no such program" : "this user may not run it");
}

static int check_channel_secrets(const struct conf_check *k, unsigned i, const struct conf_channel *ch)
{
	if (str_eq(ch->adapter, "webhook") && !ch->secret_file &&
		!str_eq(conf_setting(ch, "insecure"), "yes"))
		return conf_wrong(k, "channels", i, "",
			"channel %s: key \"secret_file\" is missing; webhooks are signed with it", ch->name);
	if (ch->previous_secret_file && !ch->secret_file)
		return conf_wrong(k, "channels", i, "previous_secret_file",
			"channel %s: previous_secret_file stands without secret_file", ch->name);
	int r = conf_check_secret(k, "channels", i, "secret_file", ch->secret_file);
	return r < 0 ? r
		     : conf_check_secret(k, "channels", i, "previous_secret_file", ch->previous_secret_file);
}

static int check_channel(const struct conf_check *k, unsigned i)
{
	const struct conf_channel *ch = &k->conf->channels[i];
	int r = conf_check_name(k, "channels", i, "channel", ch->name);
	for (unsigned j = 0; j < i && !r; j++)
		if (str_eq(k->conf->channels[j].name, ch->name))
			return conf_wrong(k, "channels", i, "name",
				"there are two channels with the name \"%s\"", ch->name);
	if (r < 0 || (r = conf_check_brand_name(k, "channels", i, "channel", ch->name, ch->brand)) < 0 ||
		(r = check_network(k, i, ch)) < 0 || (r = check_channel_settings(k, i, ch)) < 0 ||
		(r = check_adapter(k, i, ch)) < 0)
		return r;
	return check_channel_secrets(k, i, ch);
}

static int check_cidr(const struct conf_check *k, unsigned i, const char *text)
{
	struct cidr c;
	if (strchr(text, '/') && cidr_parse(text, &c) == 0)
		return 0;
	return conf_wrong(k, "fetch_allow", i, "",
		"fetch_allow: \"%.60s\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32", text);
}

static int check_number_range(const struct conf_check *k, const char *key, unsigned value, unsigned max)
{
	if (value >= 1 && value <= max)
		return 0;
	return wrong_at(k, key, "%s: %u should be from 1 to %u", key, value, max);
}

static int check_external(const struct conf_check *k)
{
	static const char *const tasks[] = {"language", "intent", "expectation", "event", "sentiment", "lane", "flags"};
	const struct conf_intent *in = &k->conf->intent;
	struct address a = {.path = "intent.external.endpoint"};
	if (!in->external.endpoint && in->external.tasks_count)
		return wrong_at(k, "intent.external", "intent.external: key \"endpoint\" is missing: where the model server listens");
	if (!in->external.endpoint)
		return 0;
	int r = check_address(k, &a, in->external.endpoint, true);
	if (r < 0 || (r = check_number_range(k, "intent.external.limit_ms", in->external.limit_ms, 1000)) < 0)
		return r;
	if (!in->external.tasks_count)
		return wrong_at(k, "intent.external", "intent.external: key \"tasks\" is missing: what the model server answers");
	for (unsigned i = 0; i < in->external.tasks_count; i++) {
		const char *task = in->external.tasks[i];
		bool known = false;
		char path[64], words[200];
		for (size_t t = 0; t < ARRAY_SIZE(tasks); t++)
			known |= str_eq(task, tasks[t]);
		snprintf(path, sizeof(path), "intent.external.tasks[%u]", i);
		if (!known)
			return wrong_at(k, path, "there is no task \"%.60s\"%s", task,
				suggest(words, sizeof(words), task, tasks, ARRAY_SIZE(tasks), "the tasks are"));
	}
	return 0;
}

int conf_check(struct conf *c, struct yaml *y, struct err *e)
{
	const struct conf_check *k = &(struct conf_check){c, y, e};
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	bool level = false;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		level |= str_eq(levels[i], c->log);
	if (!level)
		return wrong_at(k, "log", "log: \"%.20s\" should be error, warning, info or debug", c->log);
	int r = check_number_range(k, "retain_hours", c->retain_hours, 8760);
	if (r < 0 || (r = check_number_range(k, "retain_mb", c->retain_mb, 1048576)) < 0)
		return r;
	for (unsigned i = 0; i < c->fetch_allow_count && !r; i++)
		r = check_cidr(k, i, c->fetch_allow[i]);
	if (!r && c->intent.retrain_after && c->intent.retrain_after < 10)
		return wrong_at(k, "intent.retrain_after",
			"intent.retrain_after: %u should be 0 (never) or 10 and more", c->intent.retrain_after);
	if (r < 0 || (r = check_external(k)) < 0 || (r = check_services(k)) < 0 || (r = check_brands(k)) < 0)
		return r;
	for (unsigned i = 0; i < c->channels_count && !r; i++)
		r = check_channel(k, i);
	for (unsigned i = 0; i < c->destinations_count && !r; i++)
		r = conf_check_destination(k, i);
	return r;
}
