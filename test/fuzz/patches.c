// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mutated images: listing the pages, patching them, and putting the checksums right.
 */
#include <stdio.h>
#include <stdlib.h>

#include "patches.h"
#include "volume/volume.h"

#define SUPER_PAGE(offset) ((offset) / IMAGE_PAGE)
#define CSUM_SIZE 4u

void seal_block(u8 *page)
{
	sendcp_checksum(SENDCP_CSUM_CRC32C, page + SENDCP_CSUM_FIELD,
			IMAGE_PAGE - SENDCP_CSUM_FIELD, page);
}

static bool is_sealed(const u8 *page)
{
	u8 sum[SENDCP_CSUM_FIELD] = { 0 };

	sendcp_checksum(SENDCP_CSUM_CRC32C, page + SENDCP_CSUM_FIELD,
			IMAGE_PAGE - SENDCP_CSUM_FIELD, sum);
	return !memcmp(page, sum, CSUM_SIZE);
}

static enum page_kind classify(const struct image *image, u64 index)
{
	if (index == SUPER_PAGE(SENDCP_SUPER_OFFSET_0) ||
	    index == SUPER_PAGE(SENDCP_SUPER_OFFSET_1))
		return PAGE_SUPER;
	return is_sealed(image->pages[index]) ? PAGE_TREE : PAGE_DATA;
}

static void add_kind(struct catalog *catalog, enum page_kind kind)
{
	u64 i;

	catalog->first[kind] = catalog->count;
	for (i = 0; i < catalog->image->count; i++) {
		if (!catalog->image->pages[i] || classify(catalog->image, i) != kind)
			continue;
		catalog->pages[catalog->count].index = i;
		catalog->pages[catalog->count++].kind = kind;
	}
	catalog->first[kind + 1] = catalog->count;
}

/*
 * The page that @logical is on, as the pristine image's chunk map says; all chunks have one stripe.
 */
static u64 page_at(const struct sendcp_volume *volume, u64 logical)
{
	const struct sendcp_chunk *chunk = volume->chunks.chunks;
	u32 i;

	for (i = 0; i < volume->chunks.count; i++, chunk++)
		if (logical - chunk->start < chunk->length)
			return (chunk->stripes[0].offset + (logical - chunk->start)) / IMAGE_PAGE;
	return 0;
}

static void set_sum(struct catalog *catalog, u64 index, u64 sum_page, u32 sum_offset)
{
	u32 i;

	for (i = catalog->first[PAGE_DATA]; i < catalog->count; i++) {
		if (catalog->pages[i].index != index)
			continue;
		catalog->pages[i].sum_page = sum_page;
		catalog->pages[i].sum_offset = sum_offset;
	}
}

/* Finds the sums in one leaf of the checksum tree. */
static void map_leaf(struct catalog *catalog, const struct sendcp_volume *volume, u64 sum_page)
{
	const u8 *leaf = catalog->image->pages[sum_page];
	const struct sendcp_disk_header *header = (const void *)leaf;
	const struct sendcp_disk_item *items = (const void *)(header + 1);
	u32 i, at, sum;

	for (i = 0; i < le32_to_cpu(header->nritems); i++) {
		at = sizeof(*header) + le32_to_cpu(items[i].offset);
		if (items[i].key.type != SENDCP_EXTENT_CSUM)
			continue;
		for (sum = 0; sum < le32_to_cpu(items[i].size) / CSUM_SIZE; sum++)
			set_sum(catalog,
				page_at(volume,
					le64_to_cpu(items[i].key.offset) + (u64)sum * IMAGE_PAGE),
				sum_page, at + sum * CSUM_SIZE);
	}
}

static void map_sums(struct catalog *catalog)
{
	struct sendcp_volume *volume;
	struct image_host host;
	struct sendcp_error error;
	u32 i;

	if (image_host_init(&host, catalog->image) ||
	    image_host_open(&host, &volume, &error))
		abort();
	for (i = catalog->first[PAGE_TREE]; i < catalog->first[PAGE_TREE + 1]; i++) {
		const struct sendcp_disk_header *header =
			(const void *)catalog->image->pages[catalog->pages[i].index];

		if (le64_to_cpu(header->owner) == SENDCP_CSUM_TREE_ID && !header->level)
			map_leaf(catalog, volume, catalog->pages[i].index);
	}
	image_host_close(&host, volume);
	image_host_release(&host);
}

void catalog_make(struct catalog *catalog, const struct image *image)
{
	int kind;

	memset(catalog, 0, sizeof(*catalog));
	catalog->image = image;
	catalog->pages = calloc(image->count, sizeof(*catalog->pages));
	if (!catalog->pages)
		abort();
	for (kind = 0; kind < PAGE_KINDS; kind++)
		add_kind(catalog, (enum page_kind)kind);
	map_sums(catalog);
}

const u8 *overlay_page(void *context, u64 index)
{
	struct overlay *overlay = context;
	u32 i;

	for (i = 0; i < overlay->count; i++)
		if (overlay->pages[i].index == index)
			return overlay->pages[i].bytes;
	return NULL;
}

/* The mutable copy of a page; NULL: enough are mutated. */
static u8 *touch(struct overlay *overlay, u64 index, const struct catalog_page *page)
{
	const u8 *there = overlay_page(overlay, index);

	if (there)
		return (u8 *)(uintptr_t)there;
	if (overlay->count == ARRAY_SIZE(overlay->pages))
		return NULL;
	overlay->pages[overlay->count].index = index;
	overlay->pages[overlay->count].page = page;
	memcpy(overlay->pages[overlay->count].bytes, overlay->catalog->image->pages[index],
	       IMAGE_PAGE);
	return overlay->pages[overlay->count++].bytes;
}

static void apply_patch(struct overlay *overlay, const struct patch *patch)
{
	const struct catalog *catalog = overlay->catalog;
	const struct catalog_page *page = &catalog->pages[le16_to_cpu(patch->page) %
							  catalog->count];
	u32 offset = le16_to_cpu(patch->offset) % IMAGE_PAGE;
	u32 length = patch->length % sizeof(patch->bytes) + 1;
	u8 *bytes = touch(overlay, page->index, page);

	if (bytes)
		memcpy(bytes + offset, patch->bytes, sendcp_min(length, IMAGE_PAGE - offset));
}

/* Data first, since their sums are in tree blocks, which are sealed afterwards. */
static void seal_data(struct overlay *overlay)
{
	u32 count = overlay->count;
	u32 i;

	for (i = 0; i < count; i++) {
		const struct catalog_page *page = overlay->pages[i].page;
		u8 *sums;

		if (!page || page->kind != PAGE_DATA || !page->sum_page)
			continue;
		sums = touch(overlay, page->sum_page, NULL);
		if (sums)
			sendcp_checksum(SENDCP_CSUM_CRC32C, overlay->pages[i].bytes, IMAGE_PAGE,
					sums + page->sum_offset);
	}
}

static void seal_blocks(struct overlay *overlay)
{
	u32 i;

	for (i = 0; i < overlay->count; i++)
		if (!overlay->pages[i].page || overlay->pages[i].page->kind != PAGE_DATA)
			seal_block(overlay->pages[i].bytes);
}

void overlay_apply(struct overlay *overlay, const struct catalog *catalog, const u8 *data,
		   size_t size)
{
	u32 count = (u32)sendcp_min(size / sizeof(struct patch), PATCHES_MAX);
	struct patch patch;
	u32 i;

	overlay->catalog = catalog;
	overlay->count = 0;
	for (i = 0; i < count; i++) {
		memcpy(&patch, data + i * sizeof(patch), sizeof(patch));
		apply_patch(overlay, &patch);
	}
	seal_data(overlay);
	seal_blocks(overlay);
}
