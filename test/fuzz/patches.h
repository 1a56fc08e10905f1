/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutations of an image as a fuzzer's input: a few bytes here and there, and all checksums right
 * again afterwards, so that the code after the checksums is reached.
 */
#ifndef TEST_FUZZ_PATCHES_H
#define TEST_FUZZ_PATCHES_H

#include "image.h"

/* Input: options, then patches. */
#define OPTIONS_SIZE 4u
#define PATCHES_MAX 64u

struct patch {
	/* Number of the page in the catalog, modulo its length. */
	__le16 page;
	__le16 offset;
	u8 length;
	u8 bytes[8];
} __packed;

enum page_kind {
	PAGE_SUPER,
	PAGE_TREE,
	PAGE_DATA,
	PAGE_KINDS
};

struct catalog_page {
	u64 index;
	enum page_kind kind;
	/* Of a data page: page and offset of its checksum; page 0: it has none. */
	u64 sum_page;
	u32 sum_offset;
};

/* The pages of an image that are worth mutating. */
struct catalog {
	const struct image *image;
	struct catalog_page *pages;
	u32 count;
	/* The first page of each kind, in their order. */
	u32 first[PAGE_KINDS + 1];
};

/* Never fails: any error ends the program. */
void catalog_make(struct catalog *catalog, const struct image *image);

/* Mutated pages of one execution. */
struct overlay {
	const struct catalog *catalog;
	u32 count;
	struct {
		u64 index;
		const struct catalog_page *page;
		u8 bytes[IMAGE_PAGE];
	} pages[2 * PATCHES_MAX];
};

/* Applies the patches in @data and puts the checksums right. */
void overlay_apply(struct overlay *overlay, const struct catalog *catalog, const u8 *data,
		   size_t size);
/* For image_host.overlay; @context is the overlay. */
const u8 *overlay_page(void *context, u64 index);
/* Writes the checksum of the tree block or superblock @page into it. */
void seal_block(u8 *page);

/* mutate.c: one more, one less or another patch. For LLVMFuzzerCustomMutator. */
size_t patches_mutate(const struct catalog *catalog, u8 *data, size_t size, size_t max_size,
		      unsigned int seed);
/* A value that likes to break things, made from @original, which has @length bytes. */
u64 nasty_value(unsigned int *random, u64 original, u32 length);
/* The next of a sequence of numbers below @limit. */
u32 draw(unsigned int *random, u32 limit);

#endif
