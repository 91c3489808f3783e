/*
 * conf.h - settings: YAML into structs by schema (conf_yaml.h), with errors that name file, line and column.
 *
 * One file describes an installation; every service reads the same file and uses its part. Unknown keys are errors.
 * `conf_print` writes a complete, documented example with the defaults, and is what --settings prints; a test checks
 * that every key of the schema is documented there.
 *
 * Secrets are never in the file: *_file keys name files of mode 0600 or 0400 owned by the reader.
 */
#ifndef ASCOLTO_CONF_H
#define ASCOLTO_CONF_H

#include "base.h"
#include "buf.h"
#include "err.h"

/* A service's addresses. link: tcp://ADDRESS:PORT others connect to; http: health, metrics and control, loopback;
 * listen: what strangers may reach (ingest: webhooks; console: pages and API), optional elsewhere. */
struct conf_service {
	char *link;
	char *http;
	char *listen;
};

struct conf_brand {
	char *name;           /* [a-z0-9-]+ */
	char *title;
	char *playbook;       /* a file, relative to the configuration's folder */
	char *language;       /* of the pages and alerts: it or en */
	char **vips;          /* handles or "scope:value" ids that are VIP */
	unsigned vips_count;
	char **handles;       /* the brand's own accounts and hashtags */
	unsigned handles_count;
};

struct conf_channel {
	char *name;
	char *brand;
	char *network;        /* x, facebook, instagram, whatsapp, email, reviews, ... */
	char *adapter;        /* jsonl, webhook, or a program's path */
	char **settings;      /* KEY=VALUE, handed to the adapter */
	unsigned settings_count;
	char *secret_file;    /* handed to the adapter's host, not to argv or environment */
	char *previous_secret_file; /* still accepted while a key is being changed */
	bool catch_all;       /* posts of any channel name are accepted and take this channel's brand */
};

struct conf_destination {
	char *name;
	char *brand;
	char *kind;           /* mail or webhook */
	char *url;            /* smtp://HOST:PORT or http(s)://... */
	char *from;           /* mail */
	char **to;            /* mail */
	unsigned to_count;
	char *secret_file;    /* webhook: signing key; mail: password */
	char *user;           /* mail */
	bool *drills;         /* alerts of a drill go there too; NULL: to a mail, not to a webhook */
};

/* A model server of the operator's own (services/intent/EXTERNAL.md). */
struct conf_external {
	char *endpoint;       /* tcp://127.0.0.1:PORT; NULL: none */
	unsigned limit_ms;    /* for an answer; 100 */
	char **tasks;         /* it answers */
	unsigned tasks_count;
};

/* What intent learns from, and who else may decide. */
struct conf_intent {
	char *data;             /* folder of train*.tsv, TASK_*.tsv, test*.tsv; default: data in the models' folder */
	unsigned retrain_after; /* corrections of a task that start a retraining; 0: never by itself; 50 */
	bool propose_only;      /* a better model waits for a person */
	struct conf_external external;
};

struct conf {
	char *path;           /* of this file */
	char *data;           /* folder; each service keeps its state in data/<service> */
	char *programs;       /* folder of the adapters; default: beside the running program */
	char *models;         /* folder of intent's models */
	struct conf_intent intent;
	char *log;            /* error, warning, info, debug */
	bool unsafe_fs;
	unsigned retain_hours;    /* how long acknowledged outbox records are kept; 24 */
	unsigned retain_mb;       /* and how much of them at most, per service; 256 */
	char **fetch_allow;       /* CIDRs outgoing calls may reach although private */
	unsigned fetch_allow_count;
	struct {
		struct conf_service ingest, enrichment, intent, escalation, notification, console;
	} services;
	struct conf_brand *brands;
	unsigned brands_count;
	struct conf_channel *channels;
	unsigned channels_count;
	struct conf_destination *destinations;
	unsigned destinations_count;
};

/* Reads, fills in defaults, resolves relative paths against the file's folder, checks everything that can be checked
 * without running: names that refer to others, addresses (loopback unless link encryption exists), duplicate names,
 * ports (1-32767), files. -ENOENT, -EINVAL. */
int conf_load(struct conf **ret, const char *path, struct err *e);
void conf_free(struct conf **c);

/* The folder of the models that came with the running program: share/ascolto/models beside its folder where it is
 * installed, models where it was built. NULL when memory is out; freed by the caller. */
char *conf_shipped_models(void);

/* By service name; NULL when there is none. For a drill's brand (drill.h): those of the real one. */
const struct conf_service *conf_service(const struct conf *c, const char *name);
const struct conf_brand *conf_brand(const struct conf *c, const char *name);
const struct conf_channel *conf_channel(const struct conf *c, const char *name);

/* The value of a channel's setting, or NULL. */
const char *conf_setting(const struct conf_channel *ch, const char *key);

/* The first line of a secret's file, without the line end; freed by the caller (conf_secret_free wipes it). -EPERM when
 * the file can be read by others. */
int conf_read_secret(const char *path, char **ret_secret, struct err *e);
void conf_secret_free(char **secret);

/* The documented example. */
int conf_print(struct buf *out);

#endif
