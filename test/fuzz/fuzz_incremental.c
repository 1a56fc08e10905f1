// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: incremental sends between subvolumes of an image with patched trees, checksums
 * right.
 */
#include "fuzzer.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target_start("changes");
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return target_mutate(data, size, max_size, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u64 pairs[][2] = {
		{ IMAGE_SNAP, IMAGE_OLDER }, { IMAGE_SNAP, IMAGE_OLDER },
		{ IMAGE_OLDER, IMAGE_SNAP }, { IMAGE_BASE, IMAGE_SNAP },
	};
	const u64 *pair;
	struct drive drive = { 0 };

	if (size < OPTIONS_SIZE)
		return 0;
	target_options(&drive, data);
	pair = pairs[data[1] % ARRAY_SIZE(pairs)];
	drive.request.subvolume = pair[0];
	drive.request.parent = pair[1];
	if (!(data[1] & 0x10)) {
		drive.request.clone_sources = &pair[1];
		drive.request.clone_count = 1;
	}
	target_run(&drive, data + OPTIONS_SIZE, size - OPTIONS_SIZE);
	return 0;
}
