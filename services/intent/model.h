/*
 * model.h - a trained linear model in one file, mapped read-only.
 *
 * The file is little-endian: struct model_head, then sections that the head points at, each aligned to 64 bytes:
 *	names	the columns' labels, NUL after each (columns may share one);  report  the training report, text
 *	idf	per block, one byte per bucket: how much a feature counts, 1 to 127
 *	scale	per block, one float per column;  bias  one float per column
 *	platt	multi-label only: slope, offset and threshold per column
 *	weights	per block, buckets x columns int8
 * A score is bias + sum over blocks of scale * (sum of idf * weight) / |idf|. Columns are the labels, padded to a
 * multiple of 16. The checksum is XXH3 of everything behind it. A file that is damaged, foreign or
 * from a newer version is refused with a sentence, before anything of it is used.
 *
 * Exclusive models: probabilities are the softmax of scores / temperature; those of columns that share a label
 * are summed at the first of them, the others become 0. The answer's, the largest, then goes through a logistic of
 * its log-odds, and the others share what is left, as they did; the answer stays the answer. Below `threshold` the
 * honest answer is "do not know". Multi-label models: each label has its own logistic and threshold.
 *
 * A model is immutable and may be used by many threads.
 */
#ifndef ASCOLTO_INTENT_MODEL_H
#define ASCOLTO_INTENT_MODEL_H

#include "common/base.h"
#include "common/err.h"
#include "services/intent/features.h"

#define MODEL_MAGIC "ASCOMODL"
#define MODEL_VERSION 3
#define MODEL_LABELS_MAX 512
#define MODEL_FILE_MAX ((size_t)256 * 1024 * 1024)

enum model_kind { MODEL_EXCLUSIVE, MODEL_MULTI };

struct model_section {
	uint64_t at, len;
};

struct model_head {
	char magic[8];
	uint32_t version;
	uint32_t head_len;
	uint64_t checksum; /* of the bytes behind this field */
	uint64_t file_len;
	char task[32];
	char name[64];     /* "intent 2026-11-21 3212 rows" */
	int64_t trained_ms;
	uint64_t rows;
	uint32_t kind;
	uint32_t labels;
	uint32_t columns;
	float temperature;
	float answer_slope, answer_offset; /* 1 and 0 leave the answer's probability as it is */
	float threshold;
	uint32_t reserved;
	struct features_spec spec;
	struct model_section names, report, idf[BLOCKS], scale[BLOCKS], bias, platt, weights[BLOCKS];
};

struct model_platt {
	float slope, offset, threshold;
};

struct model {
	const struct model_head *head;
	const uint8_t *base;
	size_t len;
	const uint8_t *idf[BLOCKS];
	const int8_t *weights[BLOCKS];
	const float *scale[BLOCKS], *bias;
	const struct model_platt *platt;
	const char *label[MODEL_LABELS_MAX];
	uint16_t first[MODEL_LABELS_MAX]; /* per column: the first with the same label */
	uint32_t different;               /* labels that are not the same */
	const char *report;
	bool mapped;
};

/* 0; -EBADMSG damaged or foreign, -EPROTO a newer version, or the errno of reading. */
int model_open(struct model *m, const char *path, struct err *e);

/* The same for bytes in memory, which must stay and be aligned to 64 bytes. */
int model_from_bytes(struct model *m, struct span bytes, const char *name, struct err *e);

void model_close(struct model *m);

/* Gives back the memory that a mapped file's pages took; they are read again when somebody asks. */
void model_rest(const struct model *m);

/* Writes head->labels scores; `scores` has room for head->columns. */
void model_score(const struct model *m, const struct features *f, float *scores);

/* Scores to probabilities in place, by the model's kind. */
void model_probabilities(const struct model *m, float *scores);

/* What the logistic of an answer takes: ln(p / (1 - p)), of 1e-6 at the least. */
float model_log_odds(float p);

/* The first column of a label, or -1. */
int model_label(const struct model *m, const char *label);

/* What one feature adds to one column's score in this message. */
float model_contribution(const struct model *m, const struct features *f, int block, uint32_t bucket, int column);

#endif
