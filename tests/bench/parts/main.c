/*
 * parts [PART...] -- PATH...
 *
 *	pair.c        runs two things in turn and prints their rates
 *	source.c      the bytes to work on: files below PATH
 *	part_cut.c    cutting by content, and naming what was cut
 *	part_seal.c   segments: compressing, sealing, and back
 *	part_tree.c   looking names up: of chunks in an index, of files in a tree
 *	part_state.c  what this machine remembers of the files, in SQLite
 *	part_log.c    loading a dataset's log
 */
#include "tests/bench/parts/parts.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	void (*run)(const struct source *src);
} parts[] = {
    {"cut", part_cut},
    {"name", part_name},
    {"segment", part_segment},
    {"seal", part_seal},
    {"index", part_index},
    {"tree", part_tree},
    {"state", part_state},
    {"log", part_log},
};

static bool
wanted(const char *name, char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

static void
check_names(char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(parts); k++)
			known |= strcmp(parts[k].name, names[i]) == 0;
		if (!known)
			die("no such part: '%s'", names[i]);
	}
}

int
main(int argc, char **argv)
{
	struct source src;
	size_t n; /* names given */
	int dash = 1;

	while (dash < argc && strcmp(argv[dash], "--") != 0)
		dash++;
	if (dash + 1 >= argc)
		die("usage: parts [PART...] -- PATH...");
	n = (size_t)dash - 1;
	check_names(argv + 1, n);
	source_read(argv + dash + 1, (size_t)(argc - dash - 1), &src);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (wanted(parts[i].name, argv + 1, n))
			parts[i].run(&src);
	source_clear(&src);
	return 0;
}
