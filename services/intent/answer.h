/*
 * answer.h - what a model server of somebody's own says (EXTERNAL.md): read, checked, and put over the built-in answer.
 *
 * Bytes are a stranger's. Everything that is read lives in the arena, whose maximum bounds what a reply can ask for.
 */
#ifndef ASCOLTO_INTENT_ANSWER_H
#define ASCOLTO_INTENT_ANSWER_H

#include "services/intent/classifier.h"

#define ANSWER_VERSION 1

/* The reply to question `number` about n_texts texts. 0; -EALREADY: it answers a former question; -EBADMSG: *ret_fault
 * says in words what is wrong with it. */
int answer_read(struct span bytes, uint64_t number, size_t n_texts, struct arena *a, const Ascolto__ClassifyReply **ret,
	const char **ret_fault);

/* What `u`, one understanding of a reply that was read, says about the tasks replaces what *ret says; ret->model then names
 * both. 0 or -ENOMEM. */
int answer_take_over(const Ascolto__ClassifyReply *r, const Ascolto__Understanding *u, const bool tasks[CLASSIFIER_TASKS],
	struct arena *a, Ascolto__Understanding *ret);

#endif
