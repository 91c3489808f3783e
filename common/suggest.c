#include "suggest.h"

unsigned word_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[65];
	if (la > 64 || lb > 64)
		return 64;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned up = row[j];
			row[j] = MIN(MIN(row[j], row[j - 1]) + 1, corner + (a[i - 1] != b[j - 1]));
			corner = up;
		}
	}
	return row[lb];
}

const char *suggest(
	char *out, size_t size, const char *word, const char *const *words, size_t n, const char *many)
{
	size_t best = n;
	unsigned distance = MIN(strlen(word) > 4 ? 3 : 2, (unsigned)strlen(word));
	for (size_t i = 0; i < n; i++)
		if (word_distance(word, words[i]) < distance) {
			best = i;
			distance = word_distance(word, words[i]);
		}
	if (best < n) {
		snprintf(out, size, "; did you mean \"%s\"?", words[best]);
		return out;
	}
	size_t len = (size_t)snprintf(out, size, "; %s ", many);
	for (size_t i = 0; i < n && len + 4 < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "", words[i]);
	return out;
}
