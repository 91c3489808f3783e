#include "rules.h"

static const char *const words[REFUSALS] = {
	[REFUSAL_NONE] = "none",
	[REFUSAL_ADAPTER] = "adapter",
	[REFUSAL_NOT_JSON] = "not_json",
	[REFUSAL_FIELD] = "wrong_field",
	[REFUSAL_CHANNEL] = "unknown_channel",
	[REFUSAL_NATIVE_ID] = "no_native_id",
	[REFUSAL_KIND] = "unknown_kind",
	[REFUSAL_TEXT_TOO_LONG] = "text_too_long",
	[REFUSAL_FUTURE] = "far_future",
	[REFUSAL_TOO_OLD] = "too_old",
};

const char *refusal_word(enum refusal r)
{
	return words[r];
}

enum refusal post_check(const struct post_facts *f, int64_t now_ms)
{
	if (str_empty(f->native_id))
		return REFUSAL_NATIVE_ID;
	if (!f->kind_known)
		return REFUSAL_KIND;
	if (f->text_len > POST_TEXT_MAX)
		return REFUSAL_TEXT_TOO_LONG;
	if (f->has_time && f->created_at_ms < POST_OLDEST_MS)
		return REFUSAL_TOO_OLD;
	if (f->has_time && f->created_at_ms > now_ms + POST_FUTURE_MS)
		return REFUSAL_FUTURE;
	return REFUSAL_NONE;
}

enum refusal channel_choose(const struct channel_facts *f, struct channel_choice *ret)
{
	struct channel_choice choice = {f->from, f->from_brand, f->from_network};
	if (!str_empty(f->said) && !str_eq(f->said, f->from)) {
		if (!f->from_catches_all || (f->said_is_configured && !str_eq(f->said_brand, f->from_brand)))
			return REFUSAL_CHANNEL;
		choice.channel = f->said;
		if (f->said_is_configured)
			choice.network = f->said_network;
	}
	*ret = choice;
	return REFUSAL_NONE;
}

bool seen_is_old(int64_t at_ms, int64_t now_ms)
{
	return at_ms < now_ms - SEEN_KEPT_MS;
}
