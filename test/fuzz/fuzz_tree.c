// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: sending from an image with patched trees and data, checksums right.
 */
#include <stdlib.h>

#include "drive.h"
#include "fuzzer.h"
#include "patches.h"

static struct image *image;
static struct catalog catalog;
static struct overlay overlay;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	image = image_load("tiny");
	if (!image)
		exit(1);
	catalog_make(&catalog, image);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return patches_mutate(&catalog, data, size, max_size, seed);
}

/* What to send and how; all that options can be asked to say. */
static void set_up(struct drive *drive, const u8 *options)
{
	static const u64 subvolumes[] = { IMAGE_SNAP, IMAGE_BASE, IMAGE_OLDER, 5 };
	static const u64 sources[] = { IMAGE_OLDER, IMAGE_BASE };

	drive->request.protocol = options[0] & 1 ? 2 : 1;
	drive->request.flags = SCP_SEND_WRITABLE_OK;
	if ((options[0] & 3) == 3)
		drive->request.flags |= SCP_SEND_COMPRESSED;
	if ((options[0] & 0x1c) == 0x1c)
		drive->request.flags |= SCP_SEND_NO_FILE_DATA;
	drive->request.subvolume = subvolumes[options[1] % ARRAY_SIZE(subvolumes)];
	if (options[1] & 0x10) {
		drive->request.clone_sources = sources;
		drive->request.clone_count = ARRAY_SIZE(sources);
	}
	if (options[0] & 0x20)
		drive->fill_flags |= SCP_FILL_ONE_COMMAND;
	if (options[0] & 0x40)
		drive->fill_flags |= SCP_FILL_SPLIT_WRITES;
	drive->measure = (options[1] & 0xe0) == 0xe0;
	drive->buffer_size = scp_buffer_min(drive->request.protocol);
	if (drive->fill_flags & SCP_FILL_SPLIT_WRITES)
		drive->buffer_size = 6000 + options[2] * 64u;
	drive->rearm_every = options[3] % 32;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drive drive = { 0 };
	struct image_host host;
	struct scp_error error;

	if (size < OPTIONS_SIZE)
		return 0;
	set_up(&drive, data);
	overlay_apply(&overlay, &catalog, data + OPTIONS_SIZE, size - OPTIONS_SIZE);
	if (image_host_init(&host, image))
		return 0;
	host.overlay = overlay_page;
	host.overlay_context = &overlay;
	if (!scp_volume_open(&host.host, &drive.volume, &error)) {
		drive_run(&drive);
		scp_volume_close(drive.volume);
	}
	image_host_release(&host);
	return 0;
}
