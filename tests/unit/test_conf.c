#include "common/conf.h"
#include "common/conf_yaml.h"
#include "tests/unit/check.h"

#include <sys/stat.h>
#include <unistd.h>

/* Every test works in one folder: the configuration as conf.yaml, a playbook, two secrets, a program. */
static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const void *text, size_t len, mode_t mode)
{
	FILE *f = fopen(in_folder(name), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_folder(name), mode), 0);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ascolto-conf-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	put("p.yaml", "x\n", 2, 0644);
	put("key", "  s3cret \nnot this\n", 19, 0600);
	put("open-key", "s3cret\n", 7, 0644);
	put("program", "#!/bin/sh\n", 10, 0755);
	return mkdir(in_folder("playbooks"), 0755) + mkdir(in_folder("secrets"), 0755);
}

static int remove_folder(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* Puts the folder's name for each ~ of a sentence. */
static void expand(const char *sentence, char *out, size_t size)
{
	size_t len = 0;
	for (const char *p = sentence; *p && len + sizeof(folder) < size; p++)
		if (*p == '~')
			len += (size_t)snprintf(out + len, size - len, "%s", folder);
		else
			out[len++] = *p;
	out[len] = 0;
}

static int load(struct span text, struct conf **ret, struct err *e)
{
	put("conf.yaml", text.data, text.len, 0644);
	return conf_load(ret, in_folder("conf.yaml"), e);
}

#define BRAND "brands: [{name: b, playbook: p.yaml}]\n"
#define CHANNEL BRAND "channels:\n  - name: c\n    brand: b\n    network: x\n"
#define MAIL BRAND "destinations:\n  - name: d\n    brand: b\n    kind: mail\n"
#define HOOK BRAND "destinations:\n  - name: d\n    brand: b\n    kind: webhook\n"

/* What is written, and what is said about it: "conf.yaml:" comes before each, ~ is the folder. */
static const struct {
	const char *text, *sentence;
} mistakes[] = {
	{"", "1:1: the file is empty"},
	{"# nothing\n", "1:1: the file is empty"},
	{"- a\n", "1:1: the file should be a set of keys (indented lines \"key: value\")"},
	{"data: [a\n", "2:1: a list that begins with [ has no ] at its end"},
	{"data: a\n\tb: c\n", "2:1: a tab stands where the indentation is; use spaces"},
	{"data: a: b\n",
		"1:8: a colon stands where no key can be; mind the indentation, or put the value in quotes"},
	{"data: 'a\n", "2:1: a text that begins with a quote has no quote at its end"},
	{"data: a\n  log: b\n c: d\n",
		"2:6: a colon stands where no key can be; mind the indentation, or put the value in quotes"},
	{"data: *x\n", "1:7: anchors and aliases (&name, *name) are not taken; write the value out"},
	{"data: &x a\nmodels: *x\n" BRAND,
		"1:7: anchors and aliases (&name, *name) are not taken; write the value out"},
	{BRAND "---\na: b\n", "2:1: a second document begins (after ---); one file holds one document"},
	{"? [a]\n: b\n", "1:3: a key must be one word"},
	{"data: a\n", "1:1: key \"brands\" is missing"},
	{"dta: a\n" BRAND, "1:1: there is no key \"dta\" here; did you mean \"data\"?"},
	{"data: a\ndata: b\n" BRAND, "2:1: key \"data\" is given twice; the first is in line 1"},
	{"data:\n" BRAND, "1:6: data is empty; give it a value (in quotes if it begins with #)"},
	{"data: [a]\n" BRAND, "1:7: data should be one value, not a list"},
	{"data: {a: b}\n" BRAND, "1:7: data should be one value, not a set of keys"},
	{"data: \"a\\0\"\n" BRAND, "1:7: data holds a NUL byte"},
	{"unsafe_fs: maybe\n" BRAND, "1:12: unsafe_fs: \"maybe\" should be true or false"},
	{"retain_hours: -1\n" BRAND,
		"1:15: retain_hours: \"-1\" should be a whole number from 0 up to 4294967295"},
	{"retain_hours: 5x\n" BRAND,
		"1:15: retain_hours: \"5x\" should be a whole number from 0 up to 4294967295"},
	{"retain_hours: 99999999999\n" BRAND,
		"1:15: retain_hours: \"99999999999\" should be a whole number from 0 up to 4294967295"},
	{"retain_hours: 0\n" BRAND, "1:15: retain_hours: 0 should be from 1 to 8760"},
	{"retain_mb: 2000000\n" BRAND, "1:12: retain_mb: 2000000 should be from 1 to 1048576"},
	{"intent:\n  retrain_after: 3\n" BRAND,
		"2:18: intent.retrain_after: 3 should be 0 (never) or 10 and more"},
	{"intent:\n  external:\n    tasks: [intent]\n" BRAND, "3:5: intent.external: key \"endpoint\" is missing: where the "
								  "model server listens"},
	{"intent:\n  external:\n    endpoint: tcp://127.0.0.1:7431\n" BRAND,
		"3:5: intent.external: key \"tasks\" is missing: what the model server answers"},
	{"intent:\n  external:\n    endpoint: tcp://10.0.0.1:7431\n    tasks: [intent]\n" BRAND,
		"3:15: intent.external.endpoint: \"10.0.0.1\" is not a loopback address; outside one machine links need "
		"encryption, which this version does not have; use 127.0.0.1"},
	{"intent:\n  external:\n    endpoint: tcp://127.0.0.1:7431\n    limit_ms: 5000\n    tasks: [intent]\n" BRAND,
		"4:15: intent.external.limit_ms: 5000 should be from 1 to 1000"},
	{"intent:\n  external:\n    endpoint: tcp://127.0.0.1:7431\n    tasks: [intents]\n" BRAND,
		"4:13: there is no task \"intents\"; did you mean \"intent\"?"},
	{"log: loud\n" BRAND, "1:6: log: \"loud\" should be error, warning, info or debug"},
	{"fetch_allow: 10.0.0.0/8\n" BRAND, "1:14: fetch_allow should be a list; write each entry on a line "
					    "of its own that begins with \"- \""},
	{"fetch_allow: [127.0.0.1]\n" BRAND,
		"1:15: fetch_allow: \"127.0.0.1\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32"},
	{"fetch_allow: [127.0.0.0/8, 10.0.0.0/33]\n" BRAND,
		"1:28: fetch_allow: \"10.0.0.0/33\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32"},
	{"fetch_allow: [\"::1/129\"]\n" BRAND,
		"1:15: fetch_allow: \"::1/129\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32"},
	{"fetch_allow: [here/8]\n" BRAND,
		"1:15: fetch_allow: \"here/8\" should be a network such as 127.0.0.0/8 or 10.1.2.3/32"},
	{"services:\n" BRAND,
		"1:10: services should be a set of keys (indented lines \"key: value\"), or left out"},
	{"services:\n  inges:\n    link: a\n" BRAND,
		"2:3: services: there is no key \"inges\" here; did you mean \"ingest\"?"},
	{"services:\n  ingest:\n    lnk: a\n" BRAND,
		"3:5: services.ingest: there is no key \"lnk\" here; did you mean \"link\"?"},
	{"services:\n  ingest:\n    link: 127.0.0.1:7401\n" BRAND,
		"3:11: services.ingest.link: \"127.0.0.1:7401\" should have the form tcp://127.0.0.1:PORT"},
	{"services:\n  ingest:\n    http: tcp://127.0.0.1:7401\n" BRAND,
		"3:11: services.ingest.http: \"tcp://127.0.0.1:7401\" should have the form 127.0.0.1:PORT"},
	{"services:\n  ingest:\n    http: 7401\n" BRAND,
		"3:11: services.ingest.http: \"7401\" should have the form 127.0.0.1:PORT"},
	{"services:\n  ingest:\n    http: 127.0.0.1:\n" BRAND,
		"3:20: a colon stands where no key can be; mind the indentation, or put the value in quotes"},
	{"services:\n  ingest:\n    http: 127.0.0.1:0\n" BRAND,
		"3:11: services.ingest.http: the port \"0\" should be a number from 1 to 32767"},
	{"services:\n  ingest:\n    http: 127.0.0.1:32768\n" BRAND,
		"3:11: services.ingest.http: the port \"32768\" should be a number from 1 to 32767"},
	{"services:\n  ingest:\n    http: 127.0.0.1:99999999999999999\n" BRAND,
		"3:11: services.ingest.http: the port \"99999999999999999\" should be a number from 1 to "
		"32767"},
	{"services:\n  ingest:\n    http: 127.0.0.1:74x\n" BRAND,
		"3:11: services.ingest.http: the port \"74x\" should be a number from 1 to 32767"},
	{"services:\n  ingest:\n    http: localhost:7401\n" BRAND,
		"3:11: services.ingest.http: write 127.0.0.1 instead of localhost"},
	{"services:\n  intent:\n    link: tcp://10.0.0.7:7403\n" BRAND,
		"3:11: services.intent.link: \"10.0.0.7\" is not a loopback address; outside one machine "
		"links need encryption, which this version does not have; use 127.0.0.1"},
	{"services:\n  intent:\n    link: tcp://*:7403\n" BRAND,
		"3:11: services.intent.link: \"*\" is not a loopback address; outside one machine links need "
		"encryption, which this version does not have; use 127.0.0.1"},
	{"services:\n  intent:\n    http: 0.0.0.0:7413\n" BRAND,
		"3:11: services.intent.http: \"0.0.0.0\" is not a loopback address; outside one machine "
		"health and control need encryption, which this version does not have; use 127.0.0.1"},
	{"services:\n  console:\n    listen: 0.0.0.0:7420\n" BRAND,
		"3:13: services.console.listen: \"0.0.0.0\" is not a loopback address; listen on 127.0.0.1 "
		"and put a reverse proxy that speaks TLS in front of it"},
	{"services:\n  console:\n    listen: \"[::1]:7420\"\n" BRAND,
		"3:13: services.console.listen: \"[::1]\" is not a loopback address; listen on 127.0.0.1 and "
		"put a reverse proxy that speaks TLS in front of it"},
	{"services:\n  intent:\n    http: 127.0.0.1:7000\n    link: tcp://127.0.0.1:7000\n" BRAND,
		"3:11: services.intent.link and services.intent.http have the same port 7000; give each its "
		"own"},
	{"services:\n  intent:\n    http: 127.0.0.1:7420\n" BRAND,
		"3:11: services.intent.http and services.console.listen have the same port 7420; give each "
		"its own"},
	{"services:\n  console:\n    http: 127.0.0.1:7401\n" BRAND,
		"3:11: services.ingest.link and services.console.http have the same port 7401; give each its "
		"own"},
	{"brands: []\n", "1:9: brands has 0 entries; at least 1 must be there"},
	{"brands:\n", "1:8: brands should be a list; write each entry on a line of its own that begins with "
		      "\"- \""},
	{"brands:\n  - b\n", "2:5: brands[0] should be a set of keys (indented lines \"key: value\")"},
	{"brands: [{name: b}]\n", "1:10: brands[0]: key \"playbook\" is missing"},
	{"brands: [{playbook: p.yaml}]\n", "1:10: brands[0]: key \"name\" is missing"},
	{"brands: [{name: B b, playbook: p.yaml}]\n",
		"1:17: brand name \"B b\" should be of a-z, 0-9 and - only"},
	{"brands:\n  - {name: b, playbook: p.yaml}\n  - {name: b, playbook: p.yaml}\n",
		"3:12: there are two brands with the name \"b\""},
	{"brands: [{name: b, playbook: none.yaml}]\n",
		"1:30: brand b: playbook ~/none.yaml: there is no such file"},
	{"brands: [{name: b, playbook: playbooks}]\n", "1:30: brand b: playbook ~/playbooks is not a file"},
	{"brands: [{name: b, playbook: p.yaml, language: de}]\n",
		"1:48: brand b: language \"de\" should be it or en"},
	{"brands:\n  - name: b\n    playbook: p.yaml\n    handles:\n      - #b\n",
		"5:8: brands[0].handles[0] is empty; give it a value (in quotes if it begins with #)"},
	{CHANNEL, "3:5: channels[0]: key \"adapter\" is missing"},
	{CHANNEL "    adapter: jsonl\n    brnd: b\n",
		"7:5: channels[0]: there is no key \"brnd\" here; did you mean \"brand\"?"},
	{CHANNEL "    adapter: jsonl\n  - {name: c, brand: b, network: x, adapter: jsonl}\n",
		"7:12: there are two channels with the name \"c\""},
	{BRAND "channels:\n  - {name: c, brand: breza, network: x, adapter: jsonl}\n",
		"3:22: channel c: there is no brand \"breza\"; the only one is b"},
	{"brands:\n  - {name: brezza, playbook: p.yaml}\n  - {name: other, playbook: p.yaml}\nchannels:\n  - "
	 "{name: c, brand: breza, network: x, adapter: jsonl}\n",
		"5:22: channel c: there is no brand \"breza\"; did you mean \"brezza\"?"},
	{"brands:\n  - {name: brezza, playbook: p.yaml}\n  - {name: other, playbook: p.yaml}\nchannels:\n  - "
	 "{name: c, brand: b, network: x, adapter: jsonl}\n",
		"5:22: channel c: there is no brand \"b\"; the brands are brezza, other"},
	{BRAND "channels:\n  - {name: C, brand: b, network: x, adapter: jsonl}\n",
		"3:12: channel name \"C\" should be of a-z, 0-9 and - only"},
	{BRAND "channels:\n  - {name: c, brand: b, network: X / Twitter, adapter: jsonl}\n",
		"3:34: channel c: network \"X / Twitter\" should be of a-z, 0-9 and - only, such as x, "
		"facebook or email"},
	{BRAND "channels:\n  - {name: c, brand: b, network: facebok, adapter: jsonl}\n",
		"3:34: channel c: network \"facebok\" looks like a slip; did you mean \"facebook\"?"},
	{CHANNEL "    adapter: Json L\n", "6:14: channel c: adapter \"Json L\" should be a name such as "
					  "jsonl or webhook, or the path of a program"},
	{CHANNEL "    adapter: ./none\n", "6:14: channel c: adapter ~/none: there is no such program"},
	{CHANNEL "    adapter: ./p.yaml\n", "6:14: channel c: adapter ~/p.yaml: this user may not run it"},
	{CHANNEL "    adapter: webhook\n",
		"3:5: channel c: key \"secret_file\" is missing; webhooks are signed with it"},
	{CHANNEL "    adapter: jsonl\n    previous_secret_file: key\n",
		"7:27: channel c: previous_secret_file stands without secret_file"},
	{CHANNEL "    adapter: webhook\n    secret_file: none\n",
		"7:18: secret_file ~/none: there is no such file; make one with: (umask 077; openssl rand "
		"-hex 32 > ~/none)"},
	{CHANNEL "    adapter: webhook\n    secret_file: open-key\n",
		"7:18: secret_file ~/open-key can be read by others; run: chmod 600 ~/open-key"},
	{CHANNEL "    adapter: webhook\n    secret_file: key\n    previous_secret_file: playbooks\n",
		"8:27: previous_secret_file ~/playbooks is not a file"},
	{CHANNEL "    adapter: jsonl\n    settings: [file]\n",
		"7:16: channel c: setting \"file\" should have the form key=value"},
	{CHANNEL "    adapter: jsonl\n    settings:\n      - file=a\n      - file=b\n",
		"9:9: channel c: setting \"file\" is given twice"},
	{CHANNEL "    adapter: jsonl\n    catch_all: on\n",
		"7:16: channels[0].catch_all: \"on\" should be true or false"},
	{BRAND "destinations:\n  - {name: d, brand: x, kind: mail, url: smtp://h}\n",
		"3:22: destination d: there is no brand \"x\"; the only one is b"},
	{BRAND "destinations:\n  - {name: d, brand: b, kind: sms, url: smtp://h}\n",
		"3:31: destination d: kind \"sms\" should be mail or webhook"},
	{BRAND "destinations:\n  - {name: d d, brand: b, kind: sms, url: smtp://h}\n",
		"3:12: destination name \"d d\" should be of a-z, 0-9 and - only"},
	{MAIL "    url: http://h\n",
		"6:10: destination d: the url of a mail begins with smtp:// or smtps://"},
	{MAIL "    url: h:25\n", "6:10: destination d: the url of a mail begins with smtp:// or smtps://"},
	{MAIL "    url: smtp://u:p@h:25\n",
		"6:10: destination d: the url holds a user or password; secrets belong in secret_file"},
	{MAIL "    url: smtp://:25\n",
		"6:10: destination d: \"smtp://:25\" should have the form smtp://HOST:PORT"},
	{MAIL "    url: smtp://h:port\n",
		"6:10: destination d: \"smtp://h:port\" should have the form smtp://HOST:PORT"},
	{MAIL "    url: smtp://h:65536\n",
		"6:10: destination d: \"smtp://h:65536\" should have the form smtp://HOST:PORT"},
	{MAIL "    url: smtp://h\n", "3:5: destination d: key \"from\" is missing; a mail needs from and to"},
	{MAIL "    url: smtp://h\n    from: a@b\n",
		"3:5: destination d: key \"to\" is missing; a mail needs from and to"},
	{MAIL "    url: smtp://h\n    from: a\n    to: [c@d]\n",
		"7:11: destination d: \"a\" is not a mail address"},
	{MAIL "    url: smtp://h\n    from: a@b\n    to: [c@d, \"e <e@f>\"]\n",
		"8:15: destination d: \"e <e@f>\" is not a mail address"},
	{MAIL "    url: smtp://h\n    from: a@b\n    to: [c@d]\n    user: u\n",
		"9:11: destination d: user and secret_file (the password) go together; give both or none"},
	{MAIL "    url: smtp://h\n    from: a@b\n    to: [c@d]\n    secret_file: key\n",
		"9:18: destination d: user and secret_file (the password) go together; give both or none"},
	{HOOK "    url: ftp://h/\n    secret_file: key\n",
		"6:10: destination d: the url of a webhook begins with http:// or https://"},
	{HOOK "    url: \"http://h/a b\"\n    secret_file: key\n",
		"6:10: destination d: \"http://h/a b\" should have the form http://HOST:PORT/PATH"},
	{HOOK "    url: http://h/\n",
		"3:5: destination d: key \"secret_file\" is missing; a webhook is signed with it"},
	{HOOK "    url: http://h/\n    secret_file: key\n    to: [a@b]\n",
		"8:9: destination d: \"to\" is for mails, not for webhooks"},
	{HOOK "    url: http://h/\n    secret_file: none\n",
		"7:18: secret_file ~/none: there is no such file; make one with: (umask 077; openssl rand "
		"-hex 32 > ~/none)"},
	{HOOK "    url: http://h/\n    secret_file: key\n  - {name: d, brand: b, kind: webhook, url: "
	      "http://h, secret_file: key}\n",
		"8:12: there are two destinations with the name \"d\""},
};

static void every_mistake_has_its_sentence(void **state)
{
	(void)state;
	unsigned differ = 0;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct conf *c = NULL;
		struct err e = {0};
		char expected[ERR_TEXT_MAX + 128], sentence[ERR_TEXT_MAX];
		expand(mistakes[i].sentence, sentence, sizeof(sentence));
		snprintf(expected, sizeof(expected), "%s/conf.yaml:%s", folder, sentence);
		int r = load(span_str(mistakes[i].text), &c, &e);
		if (r != -EINVAL || c || !str_eq(e.text, expected)) {
			print_error(
				"%s---\ngave:     %s\nexpected: %s\n\n", mistakes[i].text, e.text, expected);
			differ++;
		}
		conf_free(&c);
	}
	assert_int_equal(differ, 0);
}

static void the_least_file_gets_all_defaults(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = {0};
	char expected[128];
	assert_int_equal(load(span_str(BRAND), &c, &e), 0);
	assert_string_equal(c->path, in_folder("conf.yaml"));
	assert_string_equal(c->data, in_folder("state"));
	assert_string_equal(c->log, "info");
	assert_int_equal(c->retain_hours, 24);
	assert_int_equal(c->retain_mb, 256);
	assert_int_equal(c->intent.retrain_after, 50);
	assert_int_equal(c->intent.external.limit_ms, 100);
	assert_null(c->intent.external.endpoint);
	snprintf(expected, sizeof(expected), "%s/data", c->models);
	assert_string_equal(c->intent.data, expected);
	assert_false(c->unsafe_fs);
	assert_string_equal(c->programs, BINARY_DIR "/tests");
	bool built = access(BINARY_DIR "/models", F_OK) == 0;
	assert_string_equal(c->models, built ? BINARY_DIR "/models" : BINARY_DIR "/share/ascolto/models");
	static const char *const names[] = {
		"ingest", "enrichment", "intent", "escalation", "notification", "console"};
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		const struct conf_service *s = conf_service(c, names[i]);
		snprintf(expected, sizeof(expected), "tcp://127.0.0.1:%u", 7401 + i);
		assert_string_equal(s->link, expected);
		snprintf(expected, sizeof(expected), "127.0.0.1:%u", 7411 + i);
		assert_string_equal(s->http, expected);
	}
	assert_ptr_equal(conf_service(c, "ingest"), &c->services.ingest);
	assert_string_equal(c->services.ingest.listen, "127.0.0.1:7421");
	assert_string_equal(c->services.console.listen, "127.0.0.1:7420");
	assert_null(c->services.intent.listen);
	assert_null(conf_service(c, "nobody"));
	assert_string_equal(c->brands[0].title, "b");
	assert_string_equal(c->brands[0].language, "en");
	assert_string_equal(c->brands[0].playbook, in_folder("p.yaml"));
	conf_free(&c);
	assert_null(c);
}

static void what_is_written_is_what_is_read(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = {0};
	static const char text[] =
		"data: /var/lib/a\nprograms: ./bin\nmodels: m\nlog: debug\nunsafe_fs: true\nretain_hours: "
		"1\nretain_mb: 2\n"
		"fetch_allow: [127.0.0.0/8, \"::1/128\"]\n"
		"services:\n  intent:\n    http: 127.0.0.2:7411\n  console:\n    listen: 127.0.0.1:1\n"
		"brands:\n  - {name: b-1, title: B, playbook: ./p.yaml, language: it, vips: [anna, "
		"email:a@b], handles: [\"#b\"]}\n"
		"  - {name: b2, playbook: p.yaml}\n"
		"channels:\n"
		"  - {name: c1, brand: b2, network: vk, adapter: webhook, secret_file: key, "
		"previous_secret_file: key}\n"
		"  - {name: c0, brand: b2, network: web, adapter: webhook, settings: [insecure=yes]}\n"
		"  - {name: c2, brand: b-1, network: email, adapter: ./program, settings: [file=a=b, k=], "
		"catch_all: true}\n"
		"destinations:\n"
		"  - {name: d1, brand: b2, kind: mail, url: \"smtp://[::1]:2525\", from: a@b, to: [c@d, "
		"e@f], user: u, secret_file: key}\n"
		"  - {name: d2, brand: b2, kind: webhook, url: https://h/p?q=1:2@3, secret_file: key}\n";
	assert_int_equal(load(span_str(text), &c, &e), 0);
	assert_string_equal(c->data, "/var/lib/a");
	assert_string_equal(c->programs, in_folder("bin"));
	assert_string_equal(c->models, in_folder("m"));
	assert_true(c->unsafe_fs);
	assert_int_equal(c->retain_hours + c->retain_mb, 3);
	assert_int_equal(c->fetch_allow_count, 2);
	assert_string_equal(c->services.intent.http, "127.0.0.2:7411");
	assert_string_equal(c->services.intent.link, "tcp://127.0.0.1:7403");
	const struct conf_brand *b = conf_brand(c, "b-1");
	assert_string_equal(b->vips[1], "email:a@b");
	assert_string_equal(b->handles[0], "#b");
	const struct conf_channel *ch = conf_channel(c, "c2");
	assert_true(ch->catch_all);
	assert_string_equal(ch->adapter, in_folder("program"));
	assert_string_equal(conf_setting(ch, "file"), "a=b");
	assert_string_equal(conf_setting(ch, "k"), "");
	assert_null(conf_setting(ch, "fil"));
	assert_string_equal(conf_channel(c, "c1")->secret_file, in_folder("key"));
	assert_null(conf_channel(c, "c3"));
	assert_null(conf_brand(c, "b"));
	assert_string_equal(c->destinations[0].to[1], "e@f");
	assert_string_equal(c->destinations[1].secret_file, in_folder("key"));
	conf_free(&c);
}

/* Limits that need more text than a table row holds. */
static void large_and_odd_files_are_refused(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = {0};
	char expected[256];
	size_t len = 1024 * 1024 + 1;
	char *big = malloc(len);
	memset(big, '#', len);
	assert_int_equal(load(span_of(big, len), &c, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: the file is larger than 1 MiB", in_folder("conf.yaml"));
	assert_string_equal(e.text, expected);
	memset(big, '[', len);
	assert_int_equal(load(span_of(big, len - 1), &c, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1:33: lists and keys are nested more than 32 deep",
		in_folder("conf.yaml"));
	assert_string_equal(e.text, expected);
	memset(big, 'a', len);
	memcpy(big, "data: ", 6);
	assert_int_equal(load(span_of(big, 5000), &c, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1:7: data is 4994 bytes long; at most 2048 are taken",
		in_folder("conf.yaml"));
	assert_string_equal(e.text, expected);
	free(big);
	assert_int_equal(load(span_of("data: \"a\xff\"\n", 11), &c, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1:9: the text is not UTF-8; save the file as UTF-8",
		in_folder("conf.yaml"));
	assert_string_equal(e.text, expected);
	assert_int_equal(conf_load(&c, in_folder("nowhere.yaml"), &e), -ENOENT);
	snprintf(expected, sizeof(expected), "%s: No such file or directory", in_folder("nowhere.yaml"));
	assert_string_equal(e.text, expected);
	assert_int_equal(conf_load(&c, folder, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: this is not a file", folder);
	assert_string_equal(e.text, expected);
	assert_null(c);
}

static void secrets_are_read_only_from_closed_files(void **state)
{
	(void)state;
	char *secret = NULL, expected[256];
	struct err e = {0};
	assert_int_equal(conf_read_secret(in_folder("key"), &secret, &e), 0);
	assert_string_equal(secret, "  s3cret ");
	conf_secret_free(&secret);
	assert_null(secret);
	conf_secret_free(&secret);
	assert_int_equal(conf_read_secret(in_folder("open-key"), &secret, &e), -EPERM);
	snprintf(expected, sizeof(expected), "%s can be read by others; run: chmod 600 %s/open-key",
		in_folder("open-key"), folder);
	assert_string_equal(e.text, expected);
	put("empty-key", "\nx", 2, 0400);
	assert_int_equal(conf_read_secret(in_folder("empty-key"), &secret, &e), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: the first line should hold the secret, in plain text",
		in_folder("empty-key"));
	assert_string_equal(e.text, expected);
	assert_int_equal(conf_read_secret(in_folder("no-key"), &secret, &e), -ENOENT);
	assert_null(secret);
}

/* Any schema: what playbooks rely on. */
struct thing {
	int count;
	double weight;
	int code;
	char *note;
	char **words;
	unsigned words_count;
};
static const cyaml_strval_t codes[] = {{"green", 1}, {"yellow", 2}, {"red", 3}};
static const cyaml_schema_value_t word = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 2, 8)};
static const cyaml_schema_field_t thing_fields[] = {
	CYAML_FIELD_INT("count", CYAML_FLAG_OPTIONAL, struct thing, count),
	CYAML_FIELD_FLOAT("weight", CYAML_FLAG_OPTIONAL, struct thing, weight),
	CYAML_FIELD_ENUM("code", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct thing, code, codes, 3),
	CYAML_FIELD_STRING_PTR(
		"note", CYAML_FLAG_POINTER_NULL | CYAML_FLAG_OPTIONAL, struct thing, note, 1, 100),
	CYAML_FIELD_SEQUENCE(
		"words", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct thing, words, &word, 1, 3),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t thing_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct thing, thing_fields)};

static void any_schema_gets_sentences(void **state)
{
	(void)state;
	static const struct {
		const char *text, *sentence; /* NULL: it is right */
	} rows[] = {
		{"count: -5\nweight: 1e-3\ncode: red\nnote:\nwords: [ab]\n", NULL},
		{"count: 2147483648\n",
			"t:1:8: count: \"2147483648\" should be a whole number up to 2147483647"},
		{"count: -2147483648\n", NULL},
		{"count: 0x10\n", "t:1:8: count: \"0x10\" should be a whole number up to 2147483647"},
		{"count: 010\n", "t:1:8: count: \"010\" should be a whole number up to 2147483647"},
		{"weight: 1.5kg\n", "t:1:9: weight: \"1.5kg\" should be a number"},
		{"code: rde\n", "t:1:7: code: \"rde\" is not one of its words; they are green, yellow, red"},
		{"code: yelow\n", "t:1:7: code: \"yelow\" is not one of its words; did you mean \"yellow\"?"},
		{"words: [ab, cd, ef, gh]\n", "t:1:8: words has 4 entries; at most 3 are taken"},
		{"words: []\n", "t:1:8: words has 0 entries; at least 1 must be there"},
		{"words: [ab, c]\n", "t:1:13: words[1] is too short"},
		{"note: \"a\\0b\"\n", "t:1:7: note holds a NUL byte"},
		{"words: &w [ab]\nnote: *w\n",
			"t:1:8: anchors and aliases (&name, *name) are not taken; write the value out"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		void *thing = NULL;
		struct err e = {0};
		int r = conf_yaml_parse("t", span_str(rows[i].text), &thing_schema, &thing, &e);
		if (rows[i].sentence)
			assert_string_equal(e.text, rows[i].sentence);
		else
			assert_string_equal(e.text, "");
		assert_int_equal(r, rows[i].sentence ? -EINVAL : 0);
		conf_yaml_free(&thing_schema, &thing);
	}
}

static void late_mistakes_name_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *key_path;
		int line, column;
	} rows[] = {
		{"words[1]", 4, 5}, {"words[2]", 3, 3}, {"count", 1, 8}, {"nothing.there", 1, 1}, {"", 1, 1}};
	static const char text[] = "count: 1\nwords:\n  - ab\n  - cd\n";
	put("t.yaml", text, sizeof(text) - 1, 0644);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = {0};
		char expected[256];
		assert_int_equal(
			conf_yaml_error(in_folder("t.yaml"), rows[i].key_path, &e, "no %s", "good"), -EINVAL);
		snprintf(expected, sizeof(expected), "%s:%d:%d: no good", in_folder("t.yaml"), rows[i].line,
			rows[i].column);
		assert_string_equal(e.text, expected);
	}
}

static void the_example_is_right_and_complete(void **state)
{
	(void)state;
	struct buf example, shipped;
	buf_init(&example, 1 << 20);
	buf_init(&shipped, 1 << 20);
	assert_int_equal(conf_print(&example), 0);
	FILE *f = fopen(SOURCE_DIR "/deploy/conf/ascolto.yaml", "r");
	assert_non_null(f);
	int ch;
	while ((ch = getc(f)) != EOF)
		buf_add(&shipped, &(uint8_t){(uint8_t)ch}, 1);
	fclose(f);
	assert_string_equal(buf_str(&example), buf_str(&shipped));

	static const char *const secrets[] = {"secrets/brezza-x", "secrets/crisis-hook"};
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		put(secrets[i], "s\n", 2, 0600);
	put("playbooks/brezza.yaml", "x\n", 2, 0644);
	struct conf *c = NULL;
	struct err e = {0};
	load(buf_span(&example), &c, &e);
	assert_string_equal(e.text, "");
	conf_free(&c);

	/* The complaint about an unknown key lists the keys of its place: each must be explained. */
	static const char *const wrong[] = {"zzzzzzzz: 1\n", "services: {zzzzzzzz: 1}\n",
		"services: {intent: {zzzzzzzz: 1}}\n", "brands: [{zzzzzzzz: 1}]\n",
		"channels: [{zzzzzzzz: 1}]\n", "destinations: [{zzzzzzzz: 1}]\n", "intent: {zzzzzzzz: 1}\n",
		"intent: {external: {zzzzzzzz: 1}}\n"};
	unsigned keys = 0;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(load(span_str(wrong[i]), &c, &e), -EINVAL);
		char *list = strstr(e.text, "the keys are ");
		assert_non_null(list);
		char *save = NULL;
		for (char *key = strtok_r(list + 13, ", ", &save); key; key = strtok_r(NULL, ", ", &save)) {
			char line[80];
			snprintf(line, sizeof(line), "%s:", key);
			if (!strstr(buf_str(&example), line))
				fail_msg("the example does not show the key %s", key);
			keys++;
		}
	}
	assert_int_equal(keys, 13 + 6 + 3 + 6 + 8 + 9 + 4 + 3);
	buf_free(&example);
	buf_free(&shipped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_has_its_sentence),
		cmocka_unit_test(the_least_file_gets_all_defaults),
		cmocka_unit_test(what_is_written_is_what_is_read),
		cmocka_unit_test(large_and_odd_files_are_refused),
		cmocka_unit_test(secrets_are_read_only_from_closed_files),
		cmocka_unit_test(any_schema_gets_sentences),
		cmocka_unit_test(late_mistakes_name_their_place),
		cmocka_unit_test(the_example_is_right_and_complete),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
