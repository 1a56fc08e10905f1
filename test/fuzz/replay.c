// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fuzz target without libFuzzer: runs the files that are named, each once, and prints how many.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzzer.h"

#define SIZE_MAX_HERE (1u << 20)

/* Most targets need nothing before the first input. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

/* Nothing is mutated here; the targets' mutators refer to it. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	return size;
}

static int run_file(const char *path)
{
	uint8_t *data = malloc(SIZE_MAX_HERE), *exact = NULL;
	FILE *file = fopen(path, "rb");
	size_t size;

	if (data && file) {
		size = fread(data, 1, SIZE_MAX_HERE, file);
		/* As large as the input, so that reading beyond it is found by a sanitizer. */
		exact = realloc(data, size ? size : 1);
	}
	if (file)
		fclose(file);
	if (!exact) {
		free(data);
		fprintf(stderr, "cannot read %s\n", path);
		return -1;
	}
	/* The last line before a target ends the program. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize(&argc, &argv))
		return 1;
	for (int i = 1; i < argc; i++)
		if (run_file(argv[i]))
			return 1;
	printf("%d inputs\n", argc - 1);
	return 0;
}
