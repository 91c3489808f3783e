#include "post.h"
#include "common/json.h"

/* ---- words ---- */

struct word {
	const char *word;
	int value;
};

static const struct word kinds[] = {
	{"message", ASCOLTO__KIND__KIND_MESSAGE},
	{"edit", ASCOLTO__KIND__KIND_EDIT},
	{"delete", ASCOLTO__KIND__KIND_DELETE},
	{"review", ASCOLTO__KIND__KIND_REVIEW},
	{"reaction", ASCOLTO__KIND__KIND_REACTION},
	{"call", ASCOLTO__KIND__KIND_CALL},
	{"delivery_status", ASCOLTO__KIND__KIND_DELIVERY_STATUS},
	{"echo", ASCOLTO__KIND__KIND_ECHO},
	{"moderation", ASCOLTO__KIND__KIND_MODERATION},
	{"auth_change", ASCOLTO__KIND__KIND_AUTH_CHANGE},
	{"gap", ASCOLTO__KIND__KIND_GAP},
	{0},
};

static const struct word surfaces[] = {
	{"public", ASCOLTO__SURFACE__SURFACE_PUBLIC},
	{"semi", ASCOLTO__SURFACE__SURFACE_SEMI},
	{"private", ASCOLTO__SURFACE__SURFACE_PRIVATE},
	{0},
};

static const struct word transports[] = {
	{"webhook", ASCOLTO__TRANSPORT__TRANSPORT_WEBHOOK},
	{"poll", ASCOLTO__TRANSPORT__TRANSPORT_POLL},
	{"stream", ASCOLTO__TRANSPORT__TRANSPORT_STREAM},
	{"backfill", ASCOLTO__TRANSPORT__TRANSPORT_BACKFILL},
	{"import", ASCOLTO__TRANSPORT__TRANSPORT_IMPORT},
	{0},
};

static const struct word trusts[] = {
	{"signed", ASCOLTO__TRUST__TRUST_SIGNED},
	{"pulled_tls", ASCOLTO__TRUST__TRUST_PULLED_TLS},
	{"unsigned", ASCOLTO__TRUST__TRUST_UNSIGNED},
	{0},
};

static int word_value(const struct word *words, const char *word)
{
	for (; words->word; words++)
		if (str_eq(words->word, word))
			return words->value;
	return 0;
}

static const char *word_list(const struct word *words, char *out, size_t size)
{
	size_t n = 0;
	out[0] = 0;
	for (; words->word && n < size; words++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", words->word);
	return out;
}

const char *post_kinds(void)
{
	static char list[160];
	return list[0] ? list : word_list(kinds, list, sizeof(list));
}

Ascolto__Trust post_trust(const char *word)
{
	return (Ascolto__Trust)word_value(trusts, word);
}

Ascolto__Transport post_transport(const char *word)
{
	return (Ascolto__Transport)word_value(transports, word);
}

/* ---- fields ---- */

enum type { STRING, U32, U64, TIME, BOOL, WORD };

struct field {
	const char *name;
	enum type type;
	size_t offset;
	size_t max;		  /* STRING: bytes; 0 = POST_STRING_MAX */
	const struct word *words; /* WORD */
};

#define POST(member) offsetof(Ascolto__Post, member)

static const struct field post_fields[] = {
	{"channel", STRING, POST(channel)},
	{"account", STRING, POST(account)},
	{"native_id", STRING, POST(native_id)},
	{"revision", U32, POST(revision)},
	{"kind", WORD, POST(kind), .words = kinds},
	{"surface", WORD, POST(surface), .words = surfaces},
	{"root", STRING, POST(root)},
	{"parent", STRING, POST(parent)},
	{"conversation", STRING, POST(conversation)},
	{"permalink", STRING, POST(permalink)},
	{"text", STRING, POST(text), .max = JSON_BYTES_MAX}, /* rules.h has its limit */
	{"subject", STRING, POST(subject)},
	{"language", STRING, POST(language_hint)},
	{"language_hint", STRING, POST(language_hint)},
	{"rating", U32, POST(rating)},
	{"created_at_ms", TIME, POST(created_at_ms)},
	{"precision_ms", U32, POST(precision_ms)},
	{"transport", WORD, POST(transport), .words = transports},
	{"trust", WORD, POST(trust), .words = trusts},
	{"delivery_id", STRING, POST(delivery_id)},
	{"repost_of", STRING, POST(repost_of)},
	{"parse_error", STRING, POST(parse_error)},
	{0},
};

static const struct field author_fields[] = {
	{"handle", STRING, offsetof(Ascolto__Author, handle)},
	{"name", STRING, offsetof(Ascolto__Author, name)},
	{"followers", U64, offsetof(Ascolto__Author, followers)},
	{"verified", BOOL, offsetof(Ascolto__Author, verified)},
	{"is_self", BOOL, offsetof(Ascolto__Author, is_self)},
	{"is_bot", BOOL, offsetof(Ascolto__Author, is_bot)},
	{0},
};

static const struct field author_id_fields[] = {
	{"scope", STRING, offsetof(Ascolto__AuthorId, scope)},
	{"value", STRING, offsetof(Ascolto__AuthorId, value)},
	{0},
};

static const struct field attachment_fields[] = {
	{"type", STRING, offsetof(Ascolto__Attachment, type)},
	{"url", STRING, offsetof(Ascolto__Attachment, url)},
	{"name", STRING, offsetof(Ascolto__Attachment, name)},
	{0},
};

static const struct field affordance_fields[] = {
	{"reply_public", BOOL, offsetof(Ascolto__Affordances, reply_public)},
	{"reply_public_reason", STRING, offsetof(Ascolto__Affordances, reply_public_reason)},
	{"private_left", U32, offsetof(Ascolto__Affordances, private_left)},
	{"private_until_ms", TIME, offsetof(Ascolto__Affordances, private_until_ms)},
	{"can_hide", BOOL, offsetof(Ascolto__Affordances, can_hide)},
	{"can_block", BOOL, offsetof(Ascolto__Affordances, can_block)},
	{0},
};

static enum post_error wrong(struct err *why, const char *where, const char *name, const char *must)
{
	err_set(why, -EBADMSG, "field \"%s%s\" must be %s", where, name, must);
	return POST_WRONG_FIELD;
}

static enum post_error take_string(const struct field *f, const json_t *v, char **at, struct arena *a,
	const char *where, struct err *why)
{
	size_t max = f->max ? f->max : POST_STRING_MAX;
	if (!json_is_string(v))
		return wrong(why, where, f->name, "a string");
	if (json_string_length(v) > max) {
		err_set(why, -EMSGSIZE, "field \"%s%s\" has %zu bytes; the limit is %zu", where, f->name,
			json_string_length(v), max);
		return POST_WRONG_FIELD;
	}
	*at = arena_strndup(a, json_string_value(v), json_string_length(v));
	return *at ? POST_OK : POST_NO_MEMORY;
}

static enum post_error take_number(
	const struct field *f, const json_t *v, void *at, const char *where, struct err *why)
{
	json_int_t n = json_integer_value(v);
	if (!json_is_integer(v))
		return wrong(why, where, f->name, "a whole number");
	if (f->type == TIME)
		*(int64_t *)at = n;
	else if (n < 0 || (f->type == U32 && n > UINT32_MAX))
		return wrong(why, where, f->name, f->type == U32 ? "from 0 to 4294967295" : "0 or more");
	else if (f->type == U32)
		*(uint32_t *)at = (uint32_t)n;
	else
		*(uint64_t *)at = (uint64_t)n;
	return POST_OK;
}

/* The stranger's word, made short and printable enough for a log line. */
static enum post_error take_word(
	const struct field *f, const json_t *v, int *at, const char *where, struct err *why)
{
	if (!json_is_string(v))
		return wrong(why, where, f->name, "a string");
	*at = word_value(f->words, json_string_value(v));
	if (*at)
		return POST_OK;
	char list[200];
	err_set(why, -EBADMSG, "unknown %s%s \"%.40s\" (known: %s)", where, f->name, json_string_value(v),
		word_list(f->words, list, sizeof(list)));
	return f->words == kinds ? POST_UNKNOWN_KIND : POST_WRONG_FIELD;
}

/* `where` is put before the field's name in errors: "author.". */
static enum post_error take_fields(const struct field *fields, const json_t *object, void *message,
	struct arena *a, const char *where, struct err *why)
{
	for (const struct field *f = fields; f->name; f++) {
		const json_t *v = json_object_get(object, f->name);
		void *at = (char *)message + f->offset;
		enum post_error r = POST_OK;
		if (!v || json_is_null(v))
			continue;
		if (f->type == STRING)
			r = take_string(f, v, at, a, where, why);
		else if (f->type == WORD)
			r = take_word(f, v, at, where, why);
		else if (f->type != BOOL)
			r = take_number(f, v, at, where, why);
		else if (json_is_boolean(v))
			*(protobuf_c_boolean *)at = json_is_true(v);
		else
			r = wrong(why, where, f->name, "true or false");
		if (r)
			return r;
	}
	return POST_OK;
}

/* A list of objects into a repeated message. */
struct list {
	const char *name;
	const struct field *fields;
	size_t size, max;
	void (*init)(void *message);
};

static void init_author_id(void *m)
{
	ascolto__author_id__init(m);
}

static void init_attachment(void *m)
{
	ascolto__attachment__init(m);
}

static const struct list author_ids = {
	"author.ids", author_id_fields, sizeof(Ascolto__AuthorId), POST_AUTHOR_IDS_MAX, init_author_id};
static const struct list attachments = {
	"attachments", attachment_fields, sizeof(Ascolto__Attachment), POST_ATTACHMENTS_MAX, init_attachment};

static enum post_error take_list(
	const struct list *l, const json_t *v, size_t *ret_n, void ***ret, struct arena *a, struct err *why)
{
	if (!v || json_is_null(v))
		return POST_OK;
	size_t n = json_array_size(v);
	if (!json_is_array(v))
		return wrong(why, "", l->name, "a list");
	if (n > l->max) {
		err_set(why, -EMSGSIZE, "field \"%s\" has %zu elements; the limit is %zu", l->name, n,
			l->max);
		return POST_WRONG_FIELD;
	}
	void **items = arena_zalloc(a, (n + 1) * sizeof(*items));
	if (!items)
		return POST_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		char where[64];
		snprintf(where, sizeof(where), "%s[%zu].", l->name, i);
		items[i] = arena_zalloc(a, l->size);
		if (!items[i])
			return POST_NO_MEMORY;
		l->init(items[i]);
		const json_t *item = json_array_get(v, i);
		if (!json_is_object(item))
			return wrong(why, "", l->name, "a list of objects");
		enum post_error r = take_fields(l->fields, item, items[i], a, where, why);
		if (r)
			return r;
	}
	*ret_n = n;
	*ret = items;
	return POST_OK;
}

static enum post_error take_author(const json_t *v, Ascolto__Post *p, struct arena *a, struct err *why)
{
	p->author = arena_alloc(a, sizeof(*p->author));
	if (!p->author)
		return POST_NO_MEMORY;
	ascolto__author__init(p->author);
	if (!v || json_is_null(v))
		return POST_OK;
	if (!json_is_object(v))
		return wrong(why, "", "author", "an object");
	enum post_error r = take_fields(author_fields, v, p->author, a, "author.", why);
	return r ? r
		 : take_list(&author_ids, json_object_get(v, "ids"), &p->author->n_ids,
			   (void ***)&p->author->ids, a, why);
}

static enum post_error take_affordances(const json_t *v, Ascolto__Post *p, struct arena *a, struct err *why)
{
	if (!v || json_is_null(v))
		return POST_OK;
	if (!json_is_object(v))
		return wrong(why, "", "affordances", "an object");
	p->affordances = arena_alloc(a, sizeof(*p->affordances));
	if (!p->affordances)
		return POST_NO_MEMORY;
	ascolto__affordances__init(p->affordances);
	return take_fields(affordance_fields, v, p->affordances, a, "affordances.", why);
}

enum post_error post_parse(struct span json, struct arena *a, Ascolto__Post **ret, struct err *why)
{
	json_t *root;
	int err = json_parse(json, &root, why);
	if (err)
		return POST_NOT_JSON;
	enum post_error r = POST_OK;
	Ascolto__Post *p = arena_alloc(a, sizeof(*p));
	if (!p) {
		r = POST_NO_MEMORY;
	} else if (!json_is_object(root)) {
		err_set(why, -EBADMSG, "not a JSON object");
		r = POST_NOT_JSON;
	} else {
		ascolto__post__init(p);
		r = take_fields(post_fields, root, p, a, "", why);
		r = r ? r : take_author(json_object_get(root, "author"), p, a, why);
		r = r ? r : take_affordances(json_object_get(root, "affordances"), p, a, why);
		r = r ? r
		      : take_list(&attachments, json_object_get(root, "attachments"), &p->n_attachments,
				(void ***)&p->attachments, a, why);
	}
	json_decref(root);
	if (r == POST_NO_MEMORY)
		err_set(why, -ENOMEM, "the post takes too much memory");
	if (r == POST_OK)
		*ret = p;
	return r;
}
