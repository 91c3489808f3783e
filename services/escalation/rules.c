#include "services/escalation/rules.h"

static const char *const intent_words[INTENTS] = {
	"", "ask_info", "report_fault", "order_status", "billing", "cancel", "buy", "change", "complain", "praise", "suggest",
	"report_danger", "attack", "joke", "spam", "other",
};

static const char *const flag_words[FLAGS] = {
	"safety", "outage", "management", "legal", "insult", "boycott", "irony", "media", "personal_data", "vulnerable",
	"churn_risk",
};

static const char *const code_words[] = {"none", "green", "yellow", "red"};

static int index_of(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

enum intent intent_of(const char *word)
{
	int i = index_of(intent_words, INTENTS, word);
	return i < 0 ? INTENT_UNKNOWN : (enum intent)i;
}

const char *intent_word(enum intent i)
{
	return i < INTENTS ? intent_words[i] : "";
}

int flag_of(const char *word)
{
	return index_of(flag_words, FLAGS, word);
}

const char *flag_word(enum flag f)
{
	return f < FLAGS ? flag_words[f] : "";
}

int code_of(const char *word)
{
	return index_of(code_words, ARRAY_SIZE(code_words), word);
}

const char *code_word(enum code c)
{
	return (size_t)c < ARRAY_SIZE(code_words) ? code_words[c] : "none";
}

static bool matches(const struct rule *r, const struct facts *f)
{
	if (r->intents && !(r->intents & BIT(f->intent)))
		return false;
	if (r->flags && !(r->flags & f->flags))
		return false;
	if ((r->vip && !f->vip) || (r->influencer && !f->influencer))
		return false;
	return !r->also || condition_holds(r->also, f);
}

/* Why a message is kept out of the rules altogether; NULL when it is not. */
static const char *not_a_customers_word(const struct facts *f)
{
	if (f->self)
		return "the brand's own words";
	if (!f->content)
		return "nothing new was said";
	if (f->copy)
		return "a repost or copy of what is known";
	if (f->bot)
		return "written by a program";
	return NULL;
}

/*
 * People who joke, sell or praise do not make a crisis, nor does chatter; who asks may well speak of it. But thanks
 * for nothing is misread as praise, and a complaint in unusual words is not understood: the signs tell.
 */
static bool counts_for_topic(const struct facts *f)
{
	switch (f->intent) {
	case INTENT_JOKE:
	case INTENT_SPAM:
		return false;
	case INTENT_PRAISE:
	case INTENT_SUGGEST:
	case INTENT_BUY:
		return f->signs >= SIGNS_UNHAPPY;
	case INTENT_OTHER:
	case INTENT_UNKNOWN:
		return f->signs || f->flags;
	default:
		return true;
	}
}

void rules_decide(const struct rule *rules, size_t n, const struct facts *f, struct decision *ret)
{
	*ret = (struct decision){.rule = -1, .code = CODE_GREEN, .because = ""};
	ret->because = not_a_customers_word(f);
	if (ret->because)
		return;
	ret->because = "no answer is needed";
	ret->heard = f->intent != INTENT_SPAM;
	ret->counts = counts_for_topic(f);
	for (size_t i = 0; i < n; i++) {
		if (!matches(&rules[i], f))
			continue;
		ret->rule = (int)i;
		ret->code = rules[i].code;
		ret->opens_case = rules[i].opens_case;
		ret->at_once = rules[i].at_once;
		break;
	}
	/* In a crisis the argument about it belongs to the incident; whoever needs something done keeps a case. */
	if (ret->opens_case && f->incident_open && f->polemic && !ret->at_once) {
		ret->opens_case = false;
		ret->because = "about the open incident, and nothing to be done for the writer";
	}
	if (ret->opens_case)
		ret->because = "";
}
