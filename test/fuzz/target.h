/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common to the targets that send from a patched image.
 */
#ifndef TEST_FUZZ_TARGET_H
#define TEST_FUZZ_TARGET_H

#include "drive.h"
#include "patches.h"

/* Ends the program if there is no image @name. */
void target_start(const char *name);
size_t target_mutate(u8 *data, size_t size, size_t max_size, unsigned int seed);

/* Everything that the options before the patches say but what to send. */
void target_options(struct drive *drive, const u8 *options);
/* Patches the image, opens it as drive->volume, and runs @drive. */
void target_run(struct drive *drive, const u8 *patches, size_t size);

#endif
