#include "tests/bench/crisis/posts.h"

#include "common/json.h"

static const char *string_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "";
}

bool posts_read(struct posts *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	*p = (struct posts){0};
	while (f && getline(&line, &cap, f) > 0) {
		json_t *o = json_loads(line, 0, NULL), *author = json_object_get(o, "author");
		if (!o)
			continue;
		if (p->n == p->cap) {
			p->cap = p->cap * 2 + 1024;
			p->all = realloc(p->all, p->cap * sizeof(*p->all));
		}
		struct post *x = &p->all[p->n++];
		*x = (struct post){.at_ms = (int64_t)json_integer_value(json_object_get(o, "created_at_ms")),
			.text = strdup(string_of(o, "text")),
			.who = strdup(string_of(author, "handle")),
			.lang = strdup(string_of(o, "language")),
			.self = json_is_true(json_object_get(author, "is_self"))};
		snprintf(x->id, sizeof(x->id), "%s", string_of(o, "native_id"));
		snprintf(x->channel, sizeof(x->channel), "%s", string_of(o, "channel"));
		json_decref(o);
	}
	free(line);
	if (f)
		fclose(f);
	return f != NULL;
}

void posts_free(struct posts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->all[i].text);
		free(p->all[i].who);
		free(p->all[i].lang);
	}
	free(p->all);
}
