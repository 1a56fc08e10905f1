// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: full sends from an image with patched trees and data, checksums right.
 */
#include "fuzzer.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target_start("tiny");
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return target_mutate(data, size, max_size, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u64 subvolumes[] = { IMAGE_SNAP, IMAGE_BASE, IMAGE_OLDER, 5 };
	static const u64 sources[] = { IMAGE_OLDER, IMAGE_BASE };
	struct drive drive = { 0 };

	if (size < OPTIONS_SIZE)
		return 0;
	target_options(&drive, data);
	drive.request.subvolume = subvolumes[data[1] % ARRAY_SIZE(subvolumes)];
	if (data[1] & 0x10) {
		drive.request.clone_sources = sources;
		drive.request.clone_count = ARRAY_SIZE(sources);
	}
	target_run(&drive, data + OPTIONS_SIZE, size - OPTIONS_SIZE);
	return 0;
}
