/*
 * bench_crisis - how soon a crisis is found, and how often one is found that is none.
 *
 *     bench_crisis [--data FOLDER] [--models FOLDER] [--verbose] [PART...]      parts: events airline volume
 * ramp quiet
 *
 * Real streams are replayed through the product's own classifier, rules, grouping and counting, with the
 * default thresholds, the same for all, and the models that ship unless --models names others; beside it
 * three detectors as people build them (others.h). The data folder is --data, else $ASCOLTO_DATA, else
 * ../shared/data/dev beside the repository; a part whose file is not there says so and is skipped.
 *
 * An alarm of ours is what people are called for: an incident that is opened, becomes graver, or surges anew.
 * An incident that is still open stands for what happens meanwhile; how many were told by an alarm of then
 * stands beside.
 */
#include "tests/bench/crisis/ours.h"
#include "tests/bench/crisis/parts.h"

#include <unistd.h>

static char folder[4096];
bool verbose;

const char *path_of(const char *name)
{
	static char path[4200];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

bool skipped(const char *part, const char *name)
{
	printf("%s: %s is not there; skipped\n", part, path_of(name));
	return true;
}

static const struct part {
	const char *name;
	bool (*run)(void);
} parts[] = {{"events", part_events}, {"airline", part_airline}, {"volume", part_volume}, {"ramp", part_ramp},
	{"quiet", part_quiet}};

int main(int argc, char **argv)
{
	const char *data = getenv("ASCOLTO_DATA");
	bool named = false, good = true;
	snprintf(folder, sizeof(folder), "%s", data ? data : SOURCE_DIR "/../shared/data/dev");
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--data") && i + 1 < argc)
			snprintf(folder, sizeof(folder), "%s", argv[++i]);
		else if (str_eq(argv[i], "--models") && i + 1 < argc)
			models_folder = argv[++i];
		else if (str_eq(argv[i], "--verbose"))
			verbose = true;
		else
			named = true;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access(folder, R_OK)) {
		printf("%s is not there; skipped\n", folder);
		return 77;
	}
	for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
		bool wanted = !named;
		for (int i = 1; i < argc; i++)
			wanted |= str_eq(argv[i], parts[p].name);
		if (wanted)
			good = parts[p].run() && good;
	}
	return good ? 0 : 1;
}
