// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A filesystem image in memory, and a host that reads it and can be made to fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "backend/decompress.h"
#include "image.h"

#define FOLDER "test/unit/images"
/* Of any image here; keeps a wrong file from eating the memory. */
#define PAGES_MAX ((1u << 30) / IMAGE_PAGE)

static const u8 zeros[IMAGE_PAGE];

/* Appends one page to @image, whose arrays have space for all there can be. */
static int add_page(struct image *image, const u8 *bytes)
{
	u8 *page;

	if (image->count == PAGES_MAX)
		return -1;
	image->count++;
	if (!memcmp(bytes, zeros, IMAGE_PAGE))
		return 0;
	page = malloc(IMAGE_PAGE);
	if (!page)
		return -1;
	memcpy(page, bytes, IMAGE_PAGE);
	image->pages[image->count - 1] = page;
	return 0;
}

/* Expands @in page by page, since most of an image is zeros that need no memory. */
static int expand(ZSTD_DStream *stream, ZSTD_inBuffer *in, struct image *image)
{
	u8 page[IMAGE_PAGE];
	ZSTD_outBuffer out = { .dst = page, .size = sizeof(page) };
	size_t left = 1;

	while (left) {
		left = ZSTD_decompressStream(stream, &out, in);
		if (ZSTD_isError(left) || (left && in->pos == in->size && out.pos < out.size))
			return -1;
		if (out.pos < out.size)
			continue;
		if (add_page(image, page))
			return -1;
		out.pos = 0;
	}
	return out.pos ? -1 : 0;
}

static void *read_whole(FILE *file, size_t *size)
{
	u8 *bytes = NULL;
	long length;

	if (fseek(file, 0, SEEK_END) || (length = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
		return NULL;
	bytes = malloc((size_t)length + 1);
	if (!bytes)
		return NULL;
	*size = fread(bytes, 1, (size_t)length, file);
	return bytes;
}

static struct image *load(FILE *file)
{
	struct image *image = calloc(1, sizeof(*image));
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = { 0 };
	void *bytes = read_whole(file, &in.size);
	int ret = -1;

	in.src = bytes;
	if (image)
		image->pages = calloc(PAGES_MAX, sizeof(*image->pages));
	if (image && image->pages && stream && bytes)
		ret = expand(stream, &in, image);
	ZSTD_freeDStream(stream);
	free(bytes);
	if (!ret)
		return image;
	image_free(image);
	return NULL;
}

struct image *image_load(const char *name)
{
	const char *folder = getenv("SENDCP_TEST_IMAGES");
	struct image *image = NULL;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.img.zst", folder ? folder : FOLDER, name);
	file = fopen(path, "rb");
	if (file) {
		image = load(file);
		fclose(file);
	}
	if (!image)
		fprintf(stderr, "cannot load %s\n", path);
	return image;
}

void image_free(struct image *image)
{
	u64 i;

	if (!image)
		return;
	for (i = 0; i < image->count; i++)
		free(image->pages[i]);
	free(image->pages);
	free(image);
}

static const u8 *find_page(const struct image_host *host, u64 index)
{
	const u8 *page = NULL;

	if (host->overlay)
		page = host->overlay(host->overlay_context, index);
	if (!page)
		page = host->image->pages[index];
	return page ? page : zeros;
}

static int read_one(struct image_host *host, const struct sendcp_io *io)
{
	u64 first = io->offset / IMAGE_PAGE;
	u32 pages = io->length / IMAGE_PAGE;
	u32 i;

	host->reads++;
	if (host->fail_read != NEVER && !host->fail_read--)
		return -EIO;
	if (first > host->image->count || pages > host->image->count - first)
		return -EIO;
	for (i = 0; i < pages; i++)
		memcpy((u8 *)io->buffer + i * IMAGE_PAGE, find_page(host, first + i), IMAGE_PAGE);
	return 0;
}

static int host_read(void *private, struct sendcp_io *ios, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ios[i].result = read_one(private, &ios[i]);
	return 0;
}

static int host_read_file(void *private, const struct sendcp_file_range *range, void *buffer,
			  struct sendcp_error *error)
{
	struct image_host *host = private;

	return sendcp_file_read(host->reader, range, buffer, error);
}

static int host_decompress(void *private, u8 compression, u32 sectorsize, const void *in,
			   u32 in_size, void *out, u32 out_size)
{
	struct image_host *host = private;

	return sendcp_decompress(host->decompressor, compression, sectorsize, in, in_size, out,
				 out_size);
}

static int host_interrupted(void *private)
{
	struct image_host *host = private;

	return host->interrupt != NEVER && !host->interrupt-- ? -EINTR : 0;
}

static const struct sendcp_host_ops ops = {
	.read = host_read,
	.read_file = host_read_file,
	.decompress = host_decompress,
	.interrupted = host_interrupted,
};

int image_host_init(struct image_host *host, const struct image *image)
{
	memset(host, 0, sizeof(*host));
	host->host.ops = &ops;
	host->host.private = host;
	host->host.device_count = 1;
	host->image = image;
	host->fail_read = NEVER;
	host->interrupt = NEVER;
	host->decompressor = sendcp_decompressor_new();
	return host->decompressor ? 0 : -ENOMEM;
}

int image_host_open(struct image_host *host, struct sendcp_volume **volume,
		    struct sendcp_error *error)
{
	int ret = sendcp_volume_open(&host->host, volume, error);

	if (ret)
		return ret;
	host->reader = sendcp_file_reader_open(*volume);
	if (host->reader)
		return 0;
	sendcp_volume_close(*volume);
	*volume = NULL;
	return -ENOMEM;
}

void image_host_close(struct image_host *host, struct sendcp_volume *volume)
{
	sendcp_file_reader_close(host->reader);
	host->reader = NULL;
	sendcp_volume_close(volume);
}

void image_host_release(struct image_host *host)
{
	sendcp_decompressor_free(host->decompressor);
}
