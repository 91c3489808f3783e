/*
 * modelfile.h - writes the file that model.h reads.
 */
#ifndef ASCOLTO_INTENT_MODELFILE_H
#define ASCOLTO_INTENT_MODELFILE_H

#include "common/buf.h"
#include "services/intent/model.h"

struct modelfile {
	const char *task;
	const char *const *labels;
	uint32_t n_labels;
	enum model_kind kind;
	struct features_spec spec;
	const uint8_t *const *idf;       /* per block */
	const float *weights;            /* [(all buckets + 1) * n_labels], the bias last */
	float block_weight[BLOCKS];      /* as the rows were scaled in training */
	const struct model_platt *platt; /* n_labels, multi-label only */
	float temperature, answer_slope, answer_offset, threshold;
	uint64_t rows;
	int64_t trained_ms;
	const char *report;
};

/* 0 or -ENOMEM/-EMSGSIZE. The bytes are aligned for model_from_bytes when `out` was empty. */
int modelfile_write(const struct modelfile *f, struct buf *out);

#endif
