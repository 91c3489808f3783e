#include "services/ascolto/ascolto.h"

#include <signal.h>

static const struct command *const lists[] = {
#ifdef ASCOLTO_BOOTSTRAP /* the build trains the default models with a program that knows only this */
	commands_intent,
#else
	commands_status, commands_check, commands_send, commands_arm, commands_audit, commands_report, commands_score,
	commands_draft, commands_quarantine, commands_models, commands_intent, commands_drill,
#endif
};

int command_fail(const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "ascolto: %s\n", text);
	return COMMAND_FAILED;
}

#define HELP_COLUMN 52

static int usage(FILE *out, const char *noun)
{
	fprintf(out, "usage: ascolto [-c CONFIG] [-o json] NOUN [VERB] [ARGUMENTS]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct command *c = lists[i]; c->noun; c++)
			if (!noun || str_eq(noun, c->noun)) {
				char words[160];
				snprintf(words, sizeof(words), "%s%s%s %s", c->noun, c->verb[0] ? " " : "", c->verb,
					c->arguments);
				if (strlen(words) <= HELP_COLUMN)
					fprintf(out, "  %-*s %s\n", HELP_COLUMN, words, c->doc);
				else
					fprintf(out, "  %s\n  %*s %s\n", words, HELP_COLUMN, "", c->doc);
			}
	fprintf(out, "\nThe configuration is CONFIG, else $ASCOLTO_CONFIG, else /etc/ascolto/ascolto.yaml.\n");
	return out == stdout ? COMMAND_OK : COMMAND_USAGE;
}

/* Takes -c FILE and -o json out of argv, wherever they stand; returns the new argc or -1. */
static int take_options(int argc, char **argv, struct command_options *o)
{
	int n = 0;
	for (int i = 0; i < argc; i++) {
		bool c = str_eq(argv[i], "-c"), out = str_eq(argv[i], "-o");
		if (!c && !out) {
			argv[n++] = argv[i];
			continue;
		}
		if (i + 1 == argc)
			return -1;
		if (c)
			o->config = argv[++i];
		else if (str_eq(argv[++i], "json"))
			o->json = true;
		else if (!str_eq(argv[i], "text"))
			return -1;
	}
	return n;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	struct command_options o = {.config = getenv("ASCOLTO_CONFIG")};
	if (str_empty(o.config))
		o.config = "/etc/ascolto/ascolto.yaml";
	argc = take_options(argc - 1, ++argv, &o);
	if (argc < 1)
		return usage(stderr, NULL);
	if (str_eq(argv[0], "help") || str_eq(argv[0], "--help") || str_eq(argv[0], "-h"))
		return usage(stdout, argc > 1 ? argv[1] : NULL);
	if (str_eq(argv[0], "--version")) {
		printf("ascolto %s\n", ASCOLTO_VERSION);
		return COMMAND_OK;
	}
	bool known = false;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct command *c = lists[i]; c->noun; c++) {
			if (!str_eq(argv[0], c->noun))
				continue;
			known = true;
			if (!c->verb[0])
				return c->run(&o, argc - 1, argv + 1);
			if (argc > 1 && str_eq(argv[1], c->verb))
				return c->run(&o, argc - 2, argv + 2);
		}
	if (!known)
		fprintf(stderr, "ascolto: there is no command \"%s\"\n\n", argv[0]);
	else if (argc > 1)
		fprintf(stderr, "ascolto: there is no command \"%s %s\"\n\n", argv[0], argv[1]);
	return usage(stderr, known ? argv[0] : NULL);
}
