// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: superblocks and the chunk map that begins in them; the input is a superblock.
 */
#include <stdlib.h>
#include <sendcp/ondisk.h>

#include "drive.h"
#include "fuzzer.h"
#include "patches.h"

#define SUPER_PAGE (SENDCP_SUPER_OFFSET_0 / IMAGE_PAGE)
#define SECOND_PAGE (SENDCP_SUPER_OFFSET_1 / IMAGE_PAGE)

static struct image *image;
/* The contents of the first two superblocks' places. */
static u8 super[IMAGE_PAGE];
static u8 second[IMAGE_PAGE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	image = image_load("tiny");
	if (!image)
		exit(1);
	return 0;
}

static void change_field(u8 *data, u32 offset, u32 length, unsigned int *random)
{
	u8 bytes[8] = { 0 };

	memcpy(bytes, data + offset, length);
	sendcp_put_le64(bytes, nasty_value(random, sendcp_get_le64(bytes), length));
	memcpy(data + offset, bytes, length);
}

/* One field, of those that are used, or in the array of chunks. */
static void change_known_field(u8 *data, unsigned int *random)
{
	static const u32 fields[] = {
		offsetof(struct sendcp_disk_super, flags),
		offsetof(struct sendcp_disk_super, generation),
		offsetof(struct sendcp_disk_super, root),
		offsetof(struct sendcp_disk_super, chunk_root),
		offsetof(struct sendcp_disk_super, total_bytes),
		offsetof(struct sendcp_disk_super, num_devices),
		offsetof(struct sendcp_disk_super, chunk_root_generation),
		offsetof(struct sendcp_disk_super, incompat_flags),
		offsetof(struct sendcp_disk_super, dev_item),
	};

	change_field(data, fields[draw(random, ARRAY_SIZE(fields))], 8, random);
}

static void change_small_field(u8 *data, unsigned int *random)
{
	static const u32 fields[] = {
		offsetof(struct sendcp_disk_super, sectorsize),
		offsetof(struct sendcp_disk_super, nodesize),
		offsetof(struct sendcp_disk_super, sys_chunk_array_size),
		offsetof(struct sendcp_disk_super, csum_type),
		offsetof(struct sendcp_disk_super, root_level),
	};

	change_field(data, fields[draw(random, ARRAY_SIZE(fields))], 4, random);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	u32 array = offsetof(struct sendcp_disk_super, sys_chunk_array);
	unsigned int random = seed;

	if (max_size < IMAGE_PAGE)
		return 0;
	if (size != IMAGE_PAGE)
		memcpy(data, image->pages[SUPER_PAGE], IMAGE_PAGE);
	switch (draw(&random, 5)) {
	case 0:
		LLVMFuzzerMutate(data, IMAGE_PAGE, IMAGE_PAGE);
		break;
	case 1:
		LLVMFuzzerMutate(data + array, 256, 256);
		break;
	case 2:
		change_field(data, array + draw(&random, 256), 1u << draw(&random, 4), &random);
		break;
	case 3:
		change_small_field(data, &random);
		break;
	default:
		change_known_field(data, &random);
	}
	return IMAGE_PAGE;
}

static const u8 *page(void *context, u64 index)
{
	if (index == SUPER_PAGE)
		return super;
	return index == SECOND_PAGE ? second : NULL;
}

/* Magic, address and checksum are right, so that the rest is looked at. */
static void seal(u8 *copy, u64 bytenr)
{
	struct sendcp_disk_super *fields = (void *)copy;
	u16 type = le16_to_cpu(fields->csum_type);

	fields->magic = cpu_to_le64(SENDCP_SUPER_MAGIC);
	fields->bytenr = cpu_to_le64(bytenr);
	sendcp_checksum(type, copy + SENDCP_CSUM_FIELD, IMAGE_PAGE - SENDCP_CSUM_FIELD, copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drive drive = {
		.request = {
			.protocol = 1,
			.flags = SENDCP_SEND_WRITABLE_OK | SENDCP_SEND_NO_FILE_DATA,
			.subvolume = IMAGE_SNAP,
		},
		.buffer_size = sendcp_buffer_min(1),
	};
	struct image_host host;
	struct sendcp_error error;

	if (size != IMAGE_PAGE || image_host_init(&host, image))
		return 0;
	memcpy(super, data, IMAGE_PAGE);
	memcpy(second, data, IMAGE_PAGE);
	seal(super, SENDCP_SUPER_OFFSET_0);
	seal(second, SENDCP_SUPER_OFFSET_1);
	host.overlay = page;
	/* The last byte is unused; more than one device of one identity cannot be. */
	host.host.device_count = data[IMAGE_PAGE - 1] % 3 + 1;
	if (!image_host_open(&host, &drive.volume, &error)) {
		drive_run(&drive);
		image_host_close(&host, drive.volume);
	}
	image_host_release(&host);
	return 0;
}
