#include "conf.h"
#include "conf_internal.h"
#include "conf_yaml.h"
#include "drill.h"

#include <limits.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The settings' shape ---- */

#define OPTIONAL_TEXT(key, type, member, max)                                                                \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, max)
#define TEXT(key, type, member, max) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, max)
#define LIST(key, type, member, entry, max)                                                                  \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, entry, 0, max)

enum { NAME_MAX_BYTES = 64, TEXT_MAX_BYTES = 1024, PATH_MAX_BYTES = 2048 };

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX_BYTES)};

static const cyaml_schema_field_t service_fields[] = {
	OPTIONAL_TEXT("link", struct conf_service, link, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("http", struct conf_service, http, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("listen", struct conf_service, listen, TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t brand_fields[] = {
	TEXT("name", struct conf_brand, name, NAME_MAX_BYTES),
	OPTIONAL_TEXT("title", struct conf_brand, title, TEXT_MAX_BYTES),
	TEXT("playbook", struct conf_brand, playbook, PATH_MAX_BYTES),
	OPTIONAL_TEXT("language", struct conf_brand, language, TEXT_MAX_BYTES),
	LIST("vips", struct conf_brand, vips, &text_entry, 10000),
	LIST("handles", struct conf_brand, handles, &text_entry, 1000),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t brand_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_brand, brand_fields)};

static const cyaml_schema_field_t channel_fields[] = {
	TEXT("name", struct conf_channel, name, NAME_MAX_BYTES),
	TEXT("brand", struct conf_channel, brand, TEXT_MAX_BYTES),
	TEXT("network", struct conf_channel, network, TEXT_MAX_BYTES),
	TEXT("adapter", struct conf_channel, adapter, PATH_MAX_BYTES),
	LIST("settings", struct conf_channel, settings, &text_entry, 64),
	OPTIONAL_TEXT("secret_file", struct conf_channel, secret_file, PATH_MAX_BYTES),
	OPTIONAL_TEXT("previous_secret_file", struct conf_channel, previous_secret_file, PATH_MAX_BYTES),
	CYAML_FIELD_BOOL("catch_all", CYAML_FLAG_OPTIONAL, struct conf_channel, catch_all),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t channel_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_channel, channel_fields)};

static const cyaml_schema_field_t destination_fields[] = {
	TEXT("name", struct conf_destination, name, NAME_MAX_BYTES),
	TEXT("brand", struct conf_destination, brand, TEXT_MAX_BYTES),
	TEXT("kind", struct conf_destination, kind, TEXT_MAX_BYTES),
	TEXT("url", struct conf_destination, url, TEXT_MAX_BYTES),
	OPTIONAL_TEXT("from", struct conf_destination, from, TEXT_MAX_BYTES),
	LIST("to", struct conf_destination, to, &text_entry, 64),
	OPTIONAL_TEXT("secret_file", struct conf_destination, secret_file, PATH_MAX_BYTES),
	OPTIONAL_TEXT("user", struct conf_destination, user, TEXT_MAX_BYTES),
	CYAML_FIELD_BOOL_PTR("drills", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct conf_destination, drills),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t destination_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct conf_destination, destination_fields)};

const struct conf_service_row conf_services[CONF_SERVICES] = {
	{"ingest", offsetof(struct conf, services.ingest), 7401, 7411, 7421},
	{"enrichment", offsetof(struct conf, services.enrichment), 7402, 7412, 0},
	{"intent", offsetof(struct conf, services.intent), 7403, 7413, 0},
	{"escalation", offsetof(struct conf, services.escalation), 7404, 7414, 0},
	{"notification", offsetof(struct conf, services.notification), 7405, 7415, 0},
	{"console", offsetof(struct conf, services.console), 7406, 7416, 7420},
};

#define SERVICE(service)                                                                                     \
	{                                                                                                    \
		.key = #service,                                                                             \
		.data_offset = offsetof(struct conf, services.service) - offsetof(struct conf, services),    \
		.value = {                                                                                   \
			CYAML_VALUE_MAPPING(CYAML_FLAG_OPTIONAL, struct conf_service, service_fields)        \
		}                                                                                            \
	}

static const cyaml_schema_field_t services_fields[] = {
	SERVICE(ingest),
	SERVICE(enrichment),
	SERVICE(intent),
	SERVICE(escalation),
	SERVICE(notification),
	SERVICE(console),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t external_fields[] = {
	OPTIONAL_TEXT("endpoint", struct conf_external, endpoint, TEXT_MAX_BYTES),
	CYAML_FIELD_UINT("limit_ms", CYAML_FLAG_OPTIONAL, struct conf_external, limit_ms),
	LIST("tasks", struct conf_external, tasks, &text_entry, 16),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t intent_fields[] = {
	OPTIONAL_TEXT("data", struct conf_intent, data, PATH_MAX_BYTES),
	CYAML_FIELD_UINT("retrain_after", CYAML_FLAG_OPTIONAL, struct conf_intent, retrain_after),
	CYAML_FIELD_BOOL("propose_only", CYAML_FLAG_OPTIONAL, struct conf_intent, propose_only),
	CYAML_FIELD_MAPPING("external", CYAML_FLAG_OPTIONAL, struct conf_intent, external, external_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t conf_fields[] = {
	OPTIONAL_TEXT("data", struct conf, data, PATH_MAX_BYTES),
	OPTIONAL_TEXT("programs", struct conf, programs, PATH_MAX_BYTES),
	OPTIONAL_TEXT("models", struct conf, models, PATH_MAX_BYTES),
	CYAML_FIELD_MAPPING("intent", CYAML_FLAG_OPTIONAL, struct conf, intent, intent_fields),
	OPTIONAL_TEXT("log", struct conf, log, TEXT_MAX_BYTES),
	CYAML_FIELD_BOOL("unsafe_fs", CYAML_FLAG_OPTIONAL, struct conf, unsafe_fs),
	CYAML_FIELD_UINT("retain_hours", CYAML_FLAG_OPTIONAL, struct conf, retain_hours),
	CYAML_FIELD_UINT("retain_mb", CYAML_FLAG_OPTIONAL, struct conf, retain_mb),
	LIST("fetch_allow", struct conf, fetch_allow, &text_entry, 64),
	CYAML_FIELD_MAPPING("services", CYAML_FLAG_OPTIONAL, struct conf, services, services_fields),
	CYAML_FIELD_SEQUENCE("brands", CYAML_FLAG_POINTER, struct conf, brands, &brand_entry, 1, 64),
	LIST("channels", struct conf, channels, &channel_entry, 256),
	LIST("destinations", struct conf, destinations, &destination_entry, 256),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct conf, conf_fields)};

/* ---- Defaults and paths ---- */

/* Puts FOLDER/ before a relative path. NULL stays NULL. */
static bool resolve(char **path, const char *folder)
{
	if (!*path || **path == '/')
		return true;
	const char *rest = *path;
	while (strncmp(rest, "./", 2) == 0)
		rest += 2;
	char *whole = NULL;
	if (asprintf(&whole, "%s%s%s", folder, str_eq(folder, "/") ? "" : "/", rest) < 0)
		return false;
	free(*path);
	*path = whole;
	return true;
}

PRINTF(2, 3)
static bool preset(char **value, const char *fmt, ...)
{
	if (*value)
		return true;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(value, fmt, ap);
	va_end(ap);
	if (n < 0)
		*value = NULL;
	return n >= 0;
}

/* The folder of the running program, without a slash at the end. */
static void program_folder(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	out[n > 0 ? n : 0] = 0;
	char *slash = strrchr(out, '/');
	snprintf(slash ? slash : out, slash ? 1 : size, "%s", slash ? "" : "/usr/bin");
}

char *conf_shipped_models(void)
{
	char here[PATH_MAX], installed[PATH_MAX + 32], built[PATH_MAX + 32];
	program_folder(here, sizeof(here));
	const char *slash = strrchr(here, '/');
	int len = slash ? (int)(slash - here) : 0;
	snprintf(installed, sizeof(installed), "%.*s/share/ascolto/models", len, here);
	snprintf(built, sizeof(built), "%.*s/models", len, here);
	return strdup(access(installed, F_OK) < 0 && access(built, F_OK) == 0 ? built : installed);
}

/* A 0 that was written stays: it is wrong, and conf_check says so. */
static void preset_number(unsigned *value, struct yaml *y, const char *key, unsigned otherwise)
{
	bool there;
	yaml_place(y, key, &there);
	if (!there)
		*value = otherwise;
}

static bool fill_services(struct conf *c)
{
	bool ok = true;
	for (size_t i = 0; i < CONF_SERVICES; i++) {
		struct conf_service *s = conf_service_at(c, i);
		ok = ok && preset(&s->link, "tcp://127.0.0.1:%u", conf_services[i].link) &&
		     preset(&s->http, "127.0.0.1:%u", conf_services[i].http) &&
		     (!conf_services[i].listen ||
			     preset(&s->listen, "127.0.0.1:%u", conf_services[i].listen));
	}
	return ok;
}

static bool fill_lists(struct conf *c, const char *folder)
{
	bool ok = true;
	for (unsigned i = 0; ok && i < c->brands_count; i++) {
		struct conf_brand *b = &c->brands[i];
		ok = preset(&b->title, "%s", b->name) && preset(&b->language, "en") &&
		     resolve(&b->playbook, folder);
	}
	for (unsigned i = 0; ok && i < c->channels_count; i++) {
		struct conf_channel *ch = &c->channels[i];
		ok = (!strchr(ch->adapter, '/') || resolve(&ch->adapter, folder)) &&
		     resolve(&ch->secret_file, folder) && resolve(&ch->previous_secret_file, folder);
	}
	for (unsigned i = 0; ok && i < c->destinations_count; i++)
		ok = resolve(&c->destinations[i].secret_file, folder);
	return ok;
}

static bool fill(struct conf *c, struct yaml *y, const char *folder)
{
	char here[PATH_MAX];
	program_folder(here, sizeof(here));
	preset_number(&c->retain_hours, y, "retain_hours", 24);
	preset_number(&c->retain_mb, y, "retain_mb", 256);
	preset_number(&c->intent.retrain_after, y, "intent.retrain_after", 50);
	preset_number(&c->intent.external.limit_ms, y, "intent.external.limit_ms", 100);
	return preset(&c->data, "state") && preset(&c->programs, "%s", here) &&
	       (c->models || (c->models = conf_shipped_models())) && preset(&c->log, "info") && fill_services(c) &&
	       resolve(&c->data, folder) && resolve(&c->programs, folder) && resolve(&c->models, folder) &&
	       preset(&c->intent.data, "%s/data", c->models) && resolve(&c->intent.data, folder) &&
	       fill_lists(c, folder);
}

/* The folder a file is in, absolute. The file's own name is left as it is: it may be a symbolic link that is
 * moved to a newer version. Freed by the caller. */
static char *folder_of(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	char *slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy] = 0;
	return realpath(slash ? copy : ".", NULL);
}

int conf_load(struct conf **ret, const char *path, struct err *e)
{
	struct buf text;
	int r = conf_read_file(path, CONF_YAML_MAX, &text, e);
	if (r < 0)
		return r;
	struct conf *c = NULL;
	struct yaml y = {0};
	char *folder = folder_of(path);
	r = yaml_read(&y, path, buf_span(&text), &conf_schema, (void **)&c, e);
	if (r == 0) {
		const char *name = strrchr(path, '/');
		if (folder && asprintf(&c->path, "%s%s%s", folder, str_eq(folder, "/") ? "" : "/",
				      name ? name + 1 : path) < 0)
			c->path = NULL;
		if (!c->path || !fill(c, &y, folder))
			r = err_set(e, -ENOMEM, "%s: out of memory", path);
		else
			r = conf_check(c, &y, e);
	}
	if (r == 0)
		*ret = c;
	else
		conf_free(&c);
	yaml_close(&y);
	free(folder);
	buf_free(&text);
	return r;
}

void conf_free(struct conf **c)
{
	if (!*c)
		return;
	free((*c)->path);
	conf_yaml_free(&conf_schema, (void **)c);
}

/* ---- Looking things up ---- */

struct conf_service *conf_service_at(const struct conf *c, size_t i)
{
	return (struct conf_service *)((char *)(uintptr_t)c + conf_services[i].offset);
}

const struct conf_service *conf_service(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < CONF_SERVICES; i++)
		if (str_eq(conf_services[i].name, name))
			return conf_service_at(c, i);
	return NULL;
}

const struct conf_brand *conf_brand(const struct conf *c, const char *name)
{
	size_t len = name ? drill_brand_len(name) : 0;
	for (unsigned i = 0; name && i < c->brands_count; i++)
		if (strlen(c->brands[i].name) == len && memcmp(c->brands[i].name, name, len) == 0)
			return &c->brands[i];
	return NULL;
}

const struct conf_channel *conf_channel(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->channels_count; i++)
		if (str_eq(c->channels[i].name, name))
			return &c->channels[i];
	return NULL;
}

const char *conf_setting(const struct conf_channel *ch, const char *key)
{
	size_t len = strlen(key);
	for (unsigned i = 0; i < ch->settings_count; i++)
		if (strncmp(ch->settings[i], key, len) == 0 && ch->settings[i][len] == '=')
			return ch->settings[i] + len + 1;
	return NULL;
}

#define SECRET_MAX 4096

int conf_read_secret(const char *path, char **ret_secret, struct err *e)
{
	struct stat st;
	struct buf text = {0};
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 077)
		return err_set(e, -EPERM, "%s can be read by others; run: chmod 600 %s", path, path);
	int r = conf_read_file(path, SECRET_MAX, &text, e);
	if (r < 0)
		return r == -EINVAL ? err_set(e, r, "%s: a secret is one line of at most %d bytes", path,
					      SECRET_MAX)
				    : r;
	const char *line = buf_str(&text);
	size_t len = strcspn(line, "\r\n");
	if (!len || memchr(text.data, 0, text.len))
		r = err_set(e, -EINVAL, "%s: the first line should hold the secret, in plain text", path);
	else if (!(*ret_secret = strndup(line, len)))
		r = err_set(e, -ENOMEM, "%s: out of memory", path);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_free(&text);
	return r;
}

void conf_secret_free(char **secret)
{
	if (!*secret)
		return;
	sodium_memzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}
