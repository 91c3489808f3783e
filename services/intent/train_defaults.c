#include "services/intent/solver.h"
#include "services/intent/train_internal.h"

#define LANGUAGE_WORDS 16384
#define LANGUAGE_CHARS 32768
#define FLAG_BUCKETS 131072

/*
 * For labels of somebody's own. Many, or with few rows each, are intents: words side by side and apart say most. Few with
 * many rows are kinds of complaint or of feeling, often one much rarer than another: concepts and feelings join, and the
 * fit is held back more.
 */
static void defaults_of_labels(struct train_options *o, uint32_t labels, size_t rows)
{
	bool few = labels < TRAIN_MANY_LABELS && rows >= TRAIN_MANY_ROWS * labels;
	o->solver = SOLVER_CRAMMER_SINGER;
	o->c = few ? 0.3 : 0.5;
	o->eps = few || rows < TRAIN_FOLDS_ROWS ? 0.1 : 0.3;
	o->balance = few ? 0.7 : 0.5;
	memcpy(o->weight, (float[BLOCKS]){[BLOCK_WORD] = 1, [BLOCK_CHARS] = 1, [BLOCK_PAIRS] = few ? 0.7f : 0.8f,
		[BLOCK_KNOW] = 0.6f}, sizeof(o->weight));
	o->spec = (struct features_spec){.options = FEATURE_PLAIN | FEATURE_STYLE | FEATURE_STEM | FEATURE_PAIR,
		.chars_min = 2, .chars_max = few ? 5 : 4, .words_max = 2};
	if (few)
		o->spec.options |= FEATURE_NEGATION | FEATURE_CONCEPT | FEATURE_META | FEATURE_FEELING;
}

void train_defaults(struct train_options *o, const char *task)
{
	*o = (struct train_options){.task = task, .abstain_cost = 0.5, .by_labels = true};
	defaults_of_labels(o, TRAIN_MANY_LABELS, 0);
	if (str_eq(task, "urgency")) { /* words tell the event, and the next event is another; what is meant comes again */
		o->spec.options = FEATURE_CRISIS;
		o->spec.buckets[BLOCK_KNOW] = TRAINING_KNOW_BUCKETS;
		o->solver = SOLVER_LOGISTIC;
		o->c = 1;
		o->eps = 0.1;
		o->balance = 0.9;
		return;
	}
	if (!dataset_labels(task))
		return;
	o->c = 0.5;
	o->eps = 0.1;
	o->balance = 0;
	o->spec.chars_max = 5;
	if (str_eq(task, "language")) {
		o->spec.options = 0;
		o->spec.chars_min = 1;
		o->spec.words_max = 1;
		o->spec.chars_max = 4;
		o->spec.buckets[BLOCK_WORD] = LANGUAGE_WORDS;
		o->spec.buckets[BLOCK_CHARS] = LANGUAGE_CHARS;
		o->balance = 0.7;
		o->weight[BLOCK_WORD] = 0.8f;
		return;
	}
	o->spec.options = FEATURE_PLAIN | FEATURE_STYLE | FEATURE_NEGATION | FEATURE_CONCEPT | FEATURE_META | FEATURE_STEM;
	o->weight[BLOCK_WORD] = 1.4f;
	o->weight[BLOCK_CHARS] = 1.1f;
	o->weight[BLOCK_KNOW] = 0.55f;
	if (str_eq(task, "sentiment")) { /* stems hurt it; rare classes matter */
		o->spec.options &= ~(uint32_t)FEATURE_STEM;
		o->spec.options |= FEATURE_FEELING;
		o->solver = SOLVER_LOGISTIC_DUAL;
		o->c = 2;
		o->balance = 0.7;
		o->weight[BLOCK_KNOW] = 0.7f;
	}
	if (dataset_is_multi(task)) {
		o->solver = SOLVER_LOGISTIC;
		o->c = 3;
		o->balance = 0.5;
		/* Pieces of words raise flags in texts of another kind, which whole words do not. */
		o->spec.buckets[BLOCK_WORD] = FLAG_BUCKETS;
		o->spec.buckets[BLOCK_KNOW] = TRAINING_KNOW_BUCKETS;
	}
}

/* A task of the product that is given somebody's own labels is a task of somebody's own; and one with the labels of
 * sentiment is sentiment, however it is called. */
void training_choose(struct training *t)
{
	const char *task = t->o->task;
	if (!t->o->by_labels || !t->own || str_eq(task, "urgency"))
		return;
	if (training_labels_fit(t, dataset_labels("sentiment"))) {
		struct train_options as;
		train_defaults(&as, "sentiment");
		t->o->spec = as.spec;
		memcpy(t->o->weight, as.weight, sizeof(as.weight));
		t->o->solver = as.solver;
		t->o->c = as.c;
		t->o->eps = as.eps;
		t->o->balance = as.balance;
	} else {
		defaults_of_labels(t->o, t->n_labels, t->given);
	}
}
