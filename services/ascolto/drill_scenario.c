#include "services/ascolto/drill_scenario.h"

#include "common/conf_yaml.h"
#include "common/json.h"
#include "services/ascolto/client.h"

#include <xxhash.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

struct file {
	char *title, *story;
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct file, title, 1, 200),
	CYAML_FIELD_STRING_PTR("story", CYAML_FLAG_POINTER, struct file, story, 1, 4000),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, fields)};

static int read_head(struct drill_scenario *s, const char *folder, struct err *e)
{
	char path[PATH_MAX];
	void *data = NULL;
	snprintf(path, sizeof(path), "%s/drill.yaml", folder);
	int r = conf_yaml_load(path, &schema, &data, e);
	if (r)
		return r;
	s->title = strdup(((struct file *)data)->title);
	s->story = strdup(((struct file *)data)->story);
	conf_yaml_free(&schema, &data);
	return s->title && s->story ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int add_crisis(struct drill_scenario *s, const char *about)
{
	for (size_t i = 0; i < s->crises_n; i++)
		if (str_eq(s->crises[i], about))
			return 0;
	if (s->crises_n == DRILL_CRISES_MAX)
		return -ENOSPC;
	snprintf(s->crises[s->crises_n++], sizeof(s->crises[0]), "%s", about);
	return 0;
}

/* Who wrote it: the first id, else the handle. */
static uint64_t author_of(const json_t *post)
{
	const json_t *author = json_object_get(post, "author");
	const json_t *id = json_array_get(json_object_get(author, "ids"), 0);
	const char *parts[] = {member_text(id, "scope"), member_text(id, "value"), id ? "" : member_text(author, "handle")};
	uint64_t h = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		h = XXH3_64bits_withSeed(parts[i], strlen(parts[i]), h + i);
	return h;
}

static int take_gold(struct drill_scenario *s, struct drill_post *p, struct err *e)
{
	const json_t *gold = json_object_get(p->json, "drill");
	const char *about = member_text(gold, "about"), *lane = member_text(gold, "lane");
	if (strlen(about) >= sizeof(p->about))
		return err_set(e, -EINVAL, "drill.about has more than %zu bytes", sizeof(p->about) - 1);
	if (lane[0] && !str_eq(lane, "service") && !str_eq(lane, "polemic"))
		return err_set(e, -EINVAL, "drill.lane should be service or polemic, not \"%.40s\"", lane);
	snprintf(p->about, sizeof(p->about), "%s", about);
	snprintf(p->lane, sizeof(p->lane), "%s", lane);
	p->at_once = json_is_true(json_object_get(gold, "at_once"));
	json_object_del(p->json, "drill");
	if (p->about[0] && add_crisis(s, p->about)) /* the gold is gone, and its words with it */
		return err_set(e, -EINVAL, "more than %d crises in one drill", DRILL_CRISES_MAX);
	return 0;
}

static int take_line(struct drill_scenario *s, struct span line, struct err *e)
{
	struct drill_post *p = &s->posts[s->n];
	int r = json_parse(line, &p->json, e);
	if (r)
		return r;
	p->native_id = member_text(p->json, "native_id");
	p->at_ms = member_int(p->json, "created_at_ms");
	if (!p->native_id[0] || !p->at_ms)
		r = err_set(e, -EINVAL, "a post needs native_id and created_at_ms");
	else if (s->n && p->at_ms < s->posts[s->n - 1].at_ms)
		r = err_set(e, -EINVAL, "it is earlier than the post before it; put the posts in the order of created_at_ms");
	p->who = author_of(p->json);
	r = r ? r : take_gold(s, p, e);
	if (r)
		json_decref(p->json);
	else
		s->n++;
	return r;
}

static int read_posts(struct drill_scenario *s, const char *folder, struct err *e)
{
	char path[PATH_MAX];
	struct buf text CLEANUP(buf_free);
	size_t number = 0;
	snprintf(path, sizeof(path), "%s/posts.jsonl", folder);
	int r = conf_read_file(path, FILE_MAX, &text, e);
	s->posts = r ? NULL : calloc(DRILL_POSTS_MAX, sizeof(*s->posts));
	if (!r && !s->posts)
		r = err_set(e, -ENOMEM, "out of memory");
	const uint8_t *at = text.data, *end = text.data + text.len;
	while (!r && at < end) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		struct span line = span_of(at, (size_t)((stop ? stop : end) - at));
		at += line.len + 1;
		number++;
		if (!line.len)
			continue;
		r = s->n == DRILL_POSTS_MAX ? err_set(e, -E2BIG, "more than %d posts", DRILL_POSTS_MAX) : take_line(s, line, e);
		if (r)
			err_prefix(e, "%s:%zu", path, number);
	}
	if (!r && !s->n)
		r = err_set(e, -EINVAL, "%s: there are no posts", path);
	return r;
}

int drill_scenario_read(struct drill_scenario **ret, const char *folder, struct err *e)
{
	struct drill_scenario *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	int r = read_head(s, folder, e);
	r = r ? r : read_posts(s, folder, e);
	if (r)
		drill_scenario_free(&s);
	else
		*ret = s;
	return r;
}

void drill_scenario_free(struct drill_scenario **sp)
{
	struct drill_scenario *s = *sp;
	*sp = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		json_decref(s->posts[i].json);
	free(s->posts);
	free(s->title);
	free(s->story);
	free(s);
}

void drill_scenario_move(struct drill_scenario *s, int64_t end_ms)
{
	int64_t by = end_ms - s->posts[s->n - 1].at_ms;
	for (size_t i = 0; i < s->n; i++) {
		s->posts[i].at_ms += by;
		json_object_set_new(s->posts[i].json, "created_at_ms", json_integer(s->posts[i].at_ms));
	}
}

struct drill_post *drill_scenario_find(const struct drill_scenario *s, const char *native_id)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->posts[i].native_id, native_id))
			return &s->posts[i];
	return NULL;
}
