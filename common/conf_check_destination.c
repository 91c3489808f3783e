/* What can be wrong with a destination. */
#include "conf_check.h"

/* HOST[:PORT] or [ADDRESS]..., of `len` bytes. */
static bool is_authority(const char *s, size_t len)
{
	const char *port = s[0] == '[' ? NULL : memchr(s, ':', len);
	size_t host = port ? (size_t)(port - s) : len;
	if (!host)
		return false;
	return !port ||
	       (strtoul(port + 1, NULL, 10) - 1 <= 65534 && strspn(port + 1, "0123456789") == len - host - 1);
}

static bool has_blank(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s == 0x7f)
			return true;
	return false;
}

/* SCHEME://HOST[:PORT][/...] with one of two schemes. */
static int check_url(const struct conf_check *k, unsigned i, const struct conf_destination *d,
	const char *scheme, const char *secure)
{
	const char *rest = strstr(d->url, "://");
	size_t len = rest ? (size_t)(rest - d->url) : 0;
	if (!rest || !((len == strlen(scheme) && strncmp(d->url, scheme, len) == 0) ||
			     (len == strlen(secure) && strncmp(d->url, secure, len) == 0)))
		return conf_wrong(k, "destinations", i, "url",
			"destination %s: the url of a %s begins with %s:// or %s://", d->name, d->kind,
			scheme, secure);
	rest += 3;
	size_t authority = strcspn(rest, "/?#");
	if (memchr(rest, '@', authority))
		return conf_wrong(k, "destinations", i, "url",
			"destination %s: the url holds a user or password; secrets belong in secret_file",
			d->name);
	if (!is_authority(rest, authority) || has_blank(d->url))
		return conf_wrong(k, "destinations", i, "url",
			"destination %s: \"%.100s\" should have the form %s://HOST:PORT%s", d->name, d->url,
			scheme, str_eq(d->kind, "mail") ? "" : "/PATH");
	return 0;
}

static bool is_mail_address(const char *s)
{
	const char *at = strchr(s, '@');
	if (!at || at == s || !at[1] || strchr(at + 1, '@'))
		return false;
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("<>,;\"()", *c))
			return false;
	return true;
}

static int check_mail(const struct conf_check *k, unsigned i, const struct conf_destination *d)
{
	int r = check_url(k, i, d, "smtp", "smtps");
	if (r < 0)
		return r;
	if (!d->from || !d->to_count)
		return conf_wrong(k, "destinations", i, d->from ? "to" : "",
			"destination %s: key \"%s\" is missing; a mail "
			"needs from and to",
			d->name, d->from ? "to" : "from");
	if (!is_mail_address(d->from))
		return conf_wrong(k, "destinations", i, "from",
			"destination %s: \"%.100s\" is not a mail address", d->name, d->from);
	for (unsigned t = 0; t < d->to_count; t++) {
		char key[32];
		snprintf(key, sizeof(key), "to[%u]", t);
		if (!is_mail_address(d->to[t]))
			return conf_wrong(k, "destinations", i, key,
				"destination %s: \"%.100s\" is not a mail address", d->name, d->to[t]);
	}
	if (!d->user != !d->secret_file)
		return conf_wrong(k, "destinations", i, d->user ? "user" : "secret_file",
			"destination %s: user and secret_file (the password) go together; give both or none",
			d->name);
	return 0;
}

static int check_webhook(const struct conf_check *k, unsigned i, const struct conf_destination *d)
{
	int r = check_url(k, i, d, "http", "https");
	if (r < 0)
		return r;
	if (!d->secret_file)
		return conf_wrong(k, "destinations", i, "",
			"destination %s: key \"secret_file\" is missing; a webhook is signed with it",
			d->name);
	const char *odd = d->from ? "from" : d->to_count ? "to" : d->user ? "user" : NULL;
	if (odd)
		return conf_wrong(k, "destinations", i, odd,
			"destination %s: \"%s\" is for mails, not for webhooks", d->name, odd);
	return 0;
}

int conf_check_destination(const struct conf_check *k, unsigned i)
{
	const struct conf_destination *d = &k->conf->destinations[i];
	int r = conf_check_name(k, "destinations", i, "destination", d->name);
	for (unsigned j = 0; j < i && !r; j++)
		if (str_eq(k->conf->destinations[j].name, d->name))
			return conf_wrong(k, "destinations", i, "name",
				"there are two destinations with the name \"%s\"", d->name);
	if (r < 0 || (r = conf_check_brand_name(k, "destinations", i, "destination", d->name, d->brand)) < 0)
		return r;
	if (str_eq(d->kind, "mail"))
		r = check_mail(k, i, d);
	else if (str_eq(d->kind, "webhook"))
		r = check_webhook(k, i, d);
	else
		r = conf_wrong(k, "destinations", i, "kind",
			"destination %s: kind \"%.60s\" should be mail or webhook", d->name, d->kind);
	return r < 0 ? r : conf_check_secret(k, "destinations", i, "secret_file", d->secret_file);
}
