/* The command line of a service. */
#include "svc_internal.h"

#include <getopt.h>
#include <sodium.h>

static int usage(const struct svc_spec *spec, FILE *out)
{
	fprintf(out, "ascolto-%s: %s\n\n"
		"  -c, --config FILE   the installation's configuration\n"
		"                      (else $ASCOLTO_CONFIG, else /etc/ascolto/ascolto.yaml)\n"
		"      --check         read and check the configuration, then end\n"
		"      --settings      print every setting, documented\n"
		"      --tables        print what is kept in the store\n"
		"      --version       print the version\n",
		spec->name, spec->summary);
	return out == stdout ? EXIT_SUCCESS : 2;
}

static int print_tables(const struct svc_spec *spec)
{
	for (const struct table *t = spec->tables; t && t->name; t++)
		printf("%-16s 0x%02x  %-28s %s\n", t->name, t->id, t->type->name, t->doc);
	for (const struct handler *h = spec->handlers; h->fn; h++)
		printf("takes   %s\n", h->doc);
	for (const struct counter *c = spec->counters; c && c->name; c++)
		printf("counts  ascolto_%s_total  %s\n", c->name, c->help);
	return EXIT_SUCCESS;
}

static int print_settings(void)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	int r = conf_print(&out);
	if (!r)
		fputs(buf_str(&out), stdout);
	buf_free(&out);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

int svc_main(const struct svc_spec *spec, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
		{"settings", no_argument, NULL, 's'}, {"tables", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {0},
	};
	static char program[64];
	const char *path = getenv("ASCOLTO_CONFIG");
	bool check = false;
	int c;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'k')
			check = true;
		else if (c == 's')
			return print_settings();
		else if (c == 't')
			return print_tables(spec);
		else if (c == 'v')
			return printf("ascolto-%s %s\n", spec->name, ASCOLTO_VERSION) < 0;
		else
			return usage(spec, c == 'h' ? stdout : stderr);
	}
	if (optind != argc)
		return usage(spec, stderr);
	snprintf(program, sizeof(program), "ascolto-%s", spec->name);
	log_open(program, LOG_LEVEL_INFO);
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);

	struct svc *s = calloc(1, sizeof(*s));
	struct err e = {0};
	s->spec = spec;
	s->conf_path = str_empty(path) ? "/etc/ascolto/ascolto.yaml" : path;
	if (conf_load(&s->conf, s->conf_path, &e)) {
		log_error("%s", err_text(&e));
		free(s);
		return EXIT_FAILURE;
	}
	enum log_level level = LOG_LEVEL_INFO;
	if (!str_empty(s->conf->log))
		log_level_parse(s->conf->log, &level);
	log_open(program, level);
	int status = EXIT_SUCCESS;
	if (check) {
		printf("%s is in order\n", s->conf_path);
		conf_free(&s->conf);
	} else {
		status = svc_run(s);
	}
	free(s);
	return status;
}
