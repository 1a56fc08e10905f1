// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Common to the targets that send from a patched image.
 */
#include <stdlib.h>

#include "target.h"

static struct image *image;
static struct catalog catalog;
static struct overlay overlay;

void target_start(const char *name)
{
	image = image_load(name);
	if (!image)
		exit(1);
	catalog_make(&catalog, image);
}

size_t target_mutate(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	return patches_mutate(&catalog, data, size, max_size, seed);
}

void target_options(struct drive *drive, const u8 *options)
{
	drive->request.protocol = options[0] & 1 ? 2 : 1;
	drive->request.flags = SENDCP_SEND_WRITABLE_OK;
	if ((options[0] & 3) == 3)
		drive->request.flags |= SENDCP_SEND_COMPRESSED;
	if ((options[0] & 0x1c) == 0x1c)
		drive->request.flags |= SENDCP_SEND_NO_FILE_DATA;
	if (options[0] & 0x20)
		drive->fill_flags |= SENDCP_FILL_ONE_COMMAND;
	if (options[0] & 0x40)
		drive->fill_flags |= SENDCP_FILL_SPLIT_WRITES;
	drive->measure = (options[1] & 0xe0) == 0xe0;
	drive->buffer_size = sendcp_buffer_min(drive->request.protocol);
	if (drive->fill_flags & SENDCP_FILL_SPLIT_WRITES)
		drive->buffer_size = 6000 + options[2] * 64u;
	drive->rearm_every = options[3] % 32;
}

void target_run(struct drive *drive, const u8 *patches, size_t size)
{
	struct image_host host;
	struct sendcp_error error;

	overlay_apply(&overlay, &catalog, patches, size);
	if (image_host_init(&host, image))
		return;
	host.overlay = overlay_page;
	host.overlay_context = &overlay;
	if (!image_host_open(&host, &drive->volume, &error)) {
		drive_run(drive);
		image_host_close(&host, drive->volume);
	}
	image_host_release(&host);
}
