/*
 * conf_check.h - what conf_check.c and conf_check_destination.c share: how a mistake is said, and checks of several
 * lists. All return 0 or -EINVAL with the place and the sentence in `e`.
 */
#ifndef ASCOLTO_CONF_CHECK_H
#define ASCOLTO_CONF_CHECK_H

#include "conf_internal.h"

struct conf_check {
	struct conf *conf;
	struct yaml *yaml;
	struct err *e;
};

/* "channels", 1, "brand": the mistake is at channels[1].brand. */
int conf_wrong(const struct conf_check *k, const char *list, unsigned i, const char *key, const char *fmt, ...)
	PRINTF(5, 6);

/* `what` is the entry in words, "channel". */
int conf_check_name(const struct conf_check *k, const char *list, unsigned i, const char *what, const char *name);
int conf_check_brand_name(const struct conf_check *k, const char *list, unsigned i, const char *what, const char *name,
	const char *brand);

/* A secret this process may not look at is somebody else's business; one it can see must be kept well. */
int conf_check_secret(const struct conf_check *k, const char *list, unsigned i, const char *key, const char *path);

int conf_check_destination(const struct conf_check *k, unsigned i);

#endif
