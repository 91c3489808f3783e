/* posts.h - posts in the adapters' form (services/adapters/README.md), one JSON object a line, as far as a
 * replay needs them. */
#ifndef ASCOLTO_BENCH_POSTS_H
#define ASCOLTO_BENCH_POSTS_H

#include "common/base.h"

struct post {
	int64_t at_ms;
	char *text, *who, *lang;
	bool self;
	char id[32], channel[32];
};

struct posts {
	struct post *all;
	size_t n, cap;
};

/* False when there is no such file. */
bool posts_read(struct posts *p, const char *path);
void posts_free(struct posts *p);

#endif
