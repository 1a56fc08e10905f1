/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filesystem image in memory, and a host that reads it and can be made to fail.
 */
#ifndef TEST_UNIT_IMAGE_H
#define TEST_UNIT_IMAGE_H

#include <sendcp/engine.h>
#include <sendcp/file.h>

#define IMAGE_PAGE 4096u

/* Subvolumes of the committed images (images/make.sh). */
#define IMAGE_BASE 256ULL
#define IMAGE_OLDER 257ULL
#define IMAGE_SNAP 259ULL

/* Pages that are all zeros are NULL. */
struct image {
	u8 **pages;
	u64 count;
};

/*
 * Reads image @name ("tiny") from the folder SENDCP_TEST_IMAGES, else from test/unit/images. NULL
 * with a line on stderr if that cannot be done.
 */
struct image *image_load(const char *name);
void image_free(struct image *image);

/* Calls that are still to succeed before one fails; none ever does. */
#define NEVER (~0ULL)

struct image_host {
	struct sendcp_host host;
	const struct image *image;
	struct decompressor *decompressor;
	/* Of the volume that image_host_open() opened last. */
	struct sendcp_file_reader *reader;
	/* Read in place of the image's page @index; NULL result: the image's own. */
	const u8 *(*overlay)(void *context, u64 index);
	void *overlay_context;
	/* Device reads so far; the one that finds fail_read zero fails, once. */
	u64 reads;
	u64 fail_read;
	/* The call of interrupted() that finds this zero says yes, once. */
	u64 interrupt;
};

/* Returns 0 or -ENOMEM. */
int image_host_init(struct image_host *host, const struct image *image);
void image_host_release(struct image_host *host);
/* sendcp_volume_open() and sendcp_volume_close(), with what the host needs to read files of it. */
int image_host_open(struct image_host *host, struct sendcp_volume **volume,
		    struct sendcp_error *error);
void image_host_close(struct image_host *host, struct sendcp_volume *volume);

#endif
