// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mutations that know where the fields of a tree block are.
 */
#include <sendcp/ondisk.h>

#include "fuzzer.h"
#include "patches.h"

u32 draw(unsigned int *random, u32 limit)
{
	*random = *random * 1103515245u + 12345u;
	return (*random >> 8) % limit;
}

u64 nasty_value(unsigned int *random, u64 original, u32 length)
{
	static const u64 favourites[] = { 0, 1, 2, 255, 4095, 4096, 4097, 65535, 131072, 131073,
					  0x7fffffff, 0x80000000, 0xffffffff, 256, 257, 258,
					  (u64)-1, (u64)-5, (u64)-256, 1ULL << 63 };

	switch (draw(random, 6)) {
	case 0:
		return favourites[draw(random, ARRAY_SIZE(favourites))];
	case 1:
		return original + 1;
	case 2:
		return original - 1;
	case 3:
		return original ^ (1ULL << draw(random, length * 8));
	case 4:
		return original + draw(random, 64) - 32;
	default:
		return (original << 1) + draw(random, 2);
	}
}

struct field {
	u32 offset;
	u32 length;
};

static struct field pick(unsigned int *random, const struct field *fields, u32 count)
{
	return fields[draw(random, count)];
}

static struct field header_field(unsigned int *random)
{
	static const struct field fields[] = {
		{ offsetof(struct sendcp_disk_header, bytenr), 8 },
		{ offsetof(struct sendcp_disk_header, flags), 8 },
		{ offsetof(struct sendcp_disk_header, generation), 8 },
		{ offsetof(struct sendcp_disk_header, owner), 8 },
		{ offsetof(struct sendcp_disk_header, nritems), 4 },
		{ offsetof(struct sendcp_disk_header, nritems), 4 },
		{ offsetof(struct sendcp_disk_header, level), 1 },
	};

	return pick(random, fields, ARRAY_SIZE(fields));
}

static struct field pointer_field(unsigned int *random, u32 slot)
{
	static const struct field fields[] = {
		{ offsetof(struct sendcp_disk_pointer, key.objectid), 8 },
		{ offsetof(struct sendcp_disk_pointer, key.type), 1 },
		{ offsetof(struct sendcp_disk_pointer, key.offset), 8 },
		{ offsetof(struct sendcp_disk_pointer, bytenr), 8 },
		{ offsetof(struct sendcp_disk_pointer, generation), 8 },
	};
	struct field field = pick(random, fields, ARRAY_SIZE(fields));

	field.offset += sizeof(struct sendcp_disk_header) + slot *
		sizeof(struct sendcp_disk_pointer);
	return field;
}

static struct field item_header_field(unsigned int *random, u32 slot)
{
	static const struct field fields[] = {
		{ offsetof(struct sendcp_disk_item, key.objectid), 8 },
		{ offsetof(struct sendcp_disk_item, key.type), 1 },
		{ offsetof(struct sendcp_disk_item, key.offset), 8 },
		{ offsetof(struct sendcp_disk_item, offset), 4 },
		{ offsetof(struct sendcp_disk_item, size), 4 },
	};
	struct field field = pick(random, fields, ARRAY_SIZE(fields));

	field.offset += sizeof(struct sendcp_disk_header) + slot * sizeof(struct sendcp_disk_item);
	return field;
}

static struct field inode_field(unsigned int *random)
{
	static const struct field fields[] = {
		{ offsetof(struct sendcp_disk_inode, generation), 8 },
		{ offsetof(struct sendcp_disk_inode, size), 8 },
		{ offsetof(struct sendcp_disk_inode, nlink), 4 },
		{ offsetof(struct sendcp_disk_inode, mode), 4 },
		{ offsetof(struct sendcp_disk_inode, rdev), 8 },
		{ offsetof(struct sendcp_disk_inode, flags), 8 },
		{ offsetof(struct sendcp_disk_inode, mtime.nsec), 4 },
	};

	return pick(random, fields, ARRAY_SIZE(fields));
}

static struct field extent_field(unsigned int *random)
{
	static const struct field fields[] = {
		{ offsetof(struct sendcp_disk_extent_data, ram_bytes), 8 },
		{ offsetof(struct sendcp_disk_extent_data, compression), 1 },
		{ offsetof(struct sendcp_disk_extent_data, type), 1 },
		{ offsetof(struct sendcp_disk_extent_data, disk_bytenr), 8 },
		{ offsetof(struct sendcp_disk_extent_data, disk_num_bytes), 8 },
		{ offsetof(struct sendcp_disk_extent_data, offset), 8 },
		{ offsetof(struct sendcp_disk_extent_data, num_bytes), 8 },
	};

	return pick(random, fields, ARRAY_SIZE(fields));
}

/* Names, lengths and such fields are near the front of most items. */
static struct field any_field(unsigned int *random, u32 size)
{
	static const u32 lengths[] = { 1, 2, 4, 8 };
	struct field field = { .length = lengths[draw(random, ARRAY_SIZE(lengths))] };
	u32 range = draw(random, 2) && size > 40 ? 40 : size;

	field.offset = range ? draw(random, range) : 0;
	return field;
}

static struct field item_field(unsigned int *random, const struct sendcp_disk_item *item)
{
	struct field field;

	if (item->key.type == SENDCP_INODE_ITEM)
		field = inode_field(random);
	else if (item->key.type == SENDCP_EXTENT_DATA)
		field = extent_field(random);
	else
		field = any_field(random, le32_to_cpu(item->size));
	field.offset += sizeof(struct sendcp_disk_header) + le32_to_cpu(item->offset);
	return field;
}

static struct field tree_field(unsigned int *random, const u8 *page)
{
	const struct sendcp_disk_header *header = (const void *)page;
	const struct sendcp_disk_item *items = (const void *)(header + 1);
	u32 count = le32_to_cpu(header->nritems);
	u32 slot = count ? draw(random, count) : 0;

	if (!count || !draw(random, 12))
		return header_field(random);
	if (header->level)
		return pointer_field(random, slot);
	if (!draw(random, 4))
		return item_header_field(random, slot);
	return item_field(random, &items[slot]);
}

/* Mostly tree blocks: most of what can go wrong is there. */
static u32 pick_page(unsigned int *random, const struct catalog *catalog)
{
	u32 dice = draw(random, 16);
	enum page_kind kind = dice ? dice < 4 ? PAGE_DATA : PAGE_TREE : PAGE_SUPER;
	u32 count = catalog->first[kind + 1] - catalog->first[kind];

	return catalog->first[kind] + (count ? draw(random, count) : 0);
}

static void make_patch(unsigned int *random, const struct catalog *catalog, struct patch *patch)
{
	u32 number = pick_page(random, catalog);
	const u8 *page = catalog->image->pages[catalog->pages[number].index];
	struct field field = any_field(random, IMAGE_PAGE);
	u64 value = 0;

	if (catalog->pages[number].kind == PAGE_TREE)
		field = tree_field(random, page);
	if (catalog->pages[number].kind == PAGE_SUPER && draw(random, 2))
		field.offset = offsetof(struct sendcp_disk_super, sys_chunk_array) +
			       draw(random, 256);
	field.offset %= IMAGE_PAGE;
	memcpy(&value, page + field.offset, sendcp_min(field.length, IMAGE_PAGE - field.offset));
	patch->page = cpu_to_le16(number);
	patch->offset = cpu_to_le16(field.offset);
	patch->length = (u8)(field.length - 1);
	sendcp_put_le64(patch->bytes, nasty_value(random, value, field.length));
}

static size_t add_patch(const struct catalog *catalog, u8 *data, size_t size, size_t max_size,
			unsigned int *random)
{
	struct patch patch;

	if (size + sizeof(patch) > max_size ||
	    size >= OPTIONS_SIZE + PATCHES_MAX * sizeof(patch))
		return size;
	make_patch(random, catalog, &patch);
	memcpy(data + size, &patch, sizeof(patch));
	return size + sizeof(patch);
}

static size_t replace_patch(const struct catalog *catalog, u8 *data, size_t size,
			    unsigned int *random)
{
	u32 count = (u32)((size - OPTIONS_SIZE) / sizeof(struct patch));
	struct patch patch;

	if (!count)
		return size;
	make_patch(random, catalog, &patch);
	memcpy(data + OPTIONS_SIZE + draw(random, count) * sizeof(patch), &patch, sizeof(patch));
	return size;
}

static size_t drop_patch(u8 *data, size_t size, unsigned int *random)
{
	u32 count = (u32)((size - OPTIONS_SIZE) / sizeof(struct patch));
	u8 *gone;

	if (!count)
		return size;
	gone = data + OPTIONS_SIZE + draw(random, count) * sizeof(struct patch);
	memmove(gone, gone + sizeof(struct patch),
		size - sizeof(struct patch) - (size_t)(gone - data));
	return size - sizeof(struct patch);
}

size_t patches_mutate(const struct catalog *catalog, u8 *data, size_t size, size_t max_size,
		      unsigned int seed)
{
	unsigned int random = seed;

	if (max_size < OPTIONS_SIZE)
		return 0;
	if (size < OPTIONS_SIZE)
		memset(data + size, 0, OPTIONS_SIZE - size);
	size = sendcp_max(size, OPTIONS_SIZE);
	switch (draw(&random, 8)) {
	case 0:
		return LLVMFuzzerMutate(data, size, max_size);
	case 1:
		LLVMFuzzerMutate(data, OPTIONS_SIZE, OPTIONS_SIZE);
		return size;
	case 2:
		return drop_patch(data, size, &random);
	case 3:
	case 4:
		return replace_patch(catalog, data, size, &random);
	default:
		return add_patch(catalog, data, size, max_size, &random);
	}
}
