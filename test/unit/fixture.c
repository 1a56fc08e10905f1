/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For unit tests: a host whose devices are bytes in memory, and a tiny filesystem made by hand.
 */
#include "backend/decompress.h"
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void fixture_check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(99);
}

static int fixture_read_one(struct fixture *fixture, struct sendcp_io *io)
{
	struct fixture_device *device = &fixture->devices[io->device];

	device->reads++;
	if (io->offset % 4096 || io->length % 4096 || !io->length || (uintptr_t)io->buffer % 4096)
		return -EINVAL;
	if (device->fail)
		return device->fail;
	if (device->fd >= 0)
		return pread(device->fd, io->buffer, io->length, (off_t)io->offset) ==
		       (ssize_t)io->length ? 0 : -EIO;
	if (io->offset > device->size || io->length > device->size - io->offset)
		return -EIO;
	memcpy(io->buffer, device->bytes + io->offset, io->length);
	return 0;
}

static int fixture_read(void *private, struct sendcp_io *ios, unsigned int count)
{
	struct fixture *fixture = private;
	unsigned int i;

	if (fixture->before_read)
		fixture->before_read(fixture);
	fixture->calls++;
	fixture->reads += count;
	for (i = 0; i < count; i++)
		ios[i].result = fixture_read_one(fixture, &ios[i]);
	return 0;
}

static int fixture_interrupted(void *private)
{
	struct fixture *fixture = private;

	return fixture->interrupt ? -EINTR : 0;
}

static void fixture_warn(void *private, const struct sendcp_error *what)
{
	struct fixture *fixture = private;

	fixture->warnings++;
	fixture->warning = *what;
}

static int fixture_decompress(void *private, u8 compression, u32 sectorsize, const void *in,
			      u32 in_size, void *out, u32 out_size)
{
	struct fixture *fixture = private;

	return sendcp_decompress(fixture->decompressor, compression, sectorsize, in, in_size, out,
				 out_size);
}

static const struct sendcp_host_ops fixture_ops = {
	.read = fixture_read,
	.decompress = fixture_decompress,
	.interrupted = fixture_interrupted,
	.warn = fixture_warn,
};

void fixture_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->host.ops = &fixture_ops;
	fixture->host.private = fixture;
}

static u32 fixture_add_bytes(struct fixture *fixture, void *bytes, u64 size, int fd)
{
	u32 index = fixture->host.device_count++;

	fixture_check(index < FIXTURE_DEVICES && bytes != MAP_FAILED, "fixture device");
	fixture->devices[index] = (struct fixture_device) {
		.bytes = bytes, .size = size, .fd = fd,
	};
	return index;
}

u32 fixture_add(struct fixture *fixture, u64 size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return fixture_add_bytes(fixture, bytes, size, -1);
}

u32 fixture_add_file(struct fixture *fixture, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size;
	void *bytes;

	fixture_check(fd >= 0, path);
	size = lseek(fd, 0, SEEK_END);
	bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd,
		     0);
	close(fd);
	return fixture_add_bytes(fixture, bytes, (u64)size, -1);
}

u32 fixture_add_direct(struct fixture *fixture, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	fixture_check(fd >= 0, path);
	return fixture_add_bytes(fixture, NULL, 0, fd);
}

int fixture_open(struct fixture *fixture)
{
	return sendcp_volume_open(&fixture->host, &fixture->volume, &fixture->error);
}

void fixture_close(struct fixture *fixture)
{
	sendcp_volume_close(fixture->volume);
	fixture->volume = NULL;
}

void fixture_release(struct fixture *fixture)
{
	u32 i;

	fixture_close(fixture);
	for (i = 0; i < fixture->host.device_count; i++) {
		if (fixture->devices[i].bytes)
			munmap(fixture->devices[i].bytes, fixture->devices[i].size);
		if (fixture->devices[i].fd >= 0)
			close(fixture->devices[i].fd);
	}
	fixture->host.device_count = 0;
}

u64 fixture_random(u64 *seed)
{
	u64 z = *seed += 0x9E3779B97F4A7C15ULL;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

void tiny_uuid(u8 *uuid, u8 fill)
{
	memset(uuid, fill, SENDCP_UUID_SIZE);
}

void tiny_seal(void *block, u32 size)
{
	u8 digest[32] = { 0 };

	fixture_check(!sendcp_checksum(SENDCP_CSUM_CRC32C, (u8 *)block + 32, size - 32, digest),
		      "csum");
	memset(block, 0, 32);
	memcpy(block, digest, 4);
}

static void tiny_key(struct sendcp_disk_key *disk, const struct sendcp_key *key)
{
	disk->objectid = cpu_to_le64(key->objectid);
	disk->type = key->type;
	disk->offset = cpu_to_le64(key->offset);
}

static u8 *tiny_header(struct fixture *fixture, u64 bytenr, u64 generation, u8 level, u32 count)
{
	u8 *block = fixture->devices[0].bytes + bytenr;
	struct sendcp_disk_header *header = (void *)block;

	memset(block, 0, TINY_NODESIZE);
	tiny_uuid(header->fsid, 0xf5);
	header->bytenr = cpu_to_le64(bytenr);
	header->generation = cpu_to_le64(generation);
	header->flags = cpu_to_le64(1);
	header->owner = cpu_to_le64(1);
	header->nritems = cpu_to_le32(count);
	header->level = level;
	return block;
}

void tiny_leaf(struct fixture *fixture, u64 bytenr, u64 generation, const struct tiny_item *items,
	       u32 count)
{
	u8 *block = tiny_header(fixture, bytenr, generation, 0, count);
	u8 *base = block + sizeof(struct sendcp_disk_header);
	u32 i, end = TINY_NODESIZE - sizeof(struct sendcp_disk_header);

	for (i = 0; i < count; i++) {
		struct sendcp_disk_item *item = (struct sendcp_disk_item *)base + i;

		end -= items[i].size;
		tiny_key(&item->key, &items[i].key);
		item->offset = cpu_to_le32(end);
		item->size = cpu_to_le32(items[i].size);
		if (items[i].size)
			memcpy(base + end, items[i].data, items[i].size);
	}
	tiny_seal(block, TINY_NODESIZE);
}

void tiny_inner(struct fixture *fixture, u64 bytenr, u64 generation, u8 level,
		const struct tiny_pointer *pointers, u32 count)
{
	u8 *block = tiny_header(fixture, bytenr, generation, level, count);
	struct sendcp_disk_pointer *to = (void *)(block + sizeof(struct sendcp_disk_header));
	u32 i;

	for (i = 0; i < count; i++) {
		tiny_key(&to[i].key, &pointers[i].key);
		to[i].bytenr = cpu_to_le64(pointers[i].bytenr);
		to[i].generation = cpu_to_le64(pointers[i].generation);
	}
	tiny_seal(block, TINY_NODESIZE);
}

u32 tiny_chunk(void *buffer, u64 length, u64 type, u16 count, u64 offset)
{
	struct sendcp_disk_chunk *chunk = buffer;
	u16 i;

	memset(chunk, 0, sizeof(*chunk));
	chunk->length = cpu_to_le64(length);
	chunk->owner = cpu_to_le64(2);
	chunk->stripe_len = cpu_to_le64(SENDCP_STRIPE_LEN);
	chunk->type = cpu_to_le64(type);
	chunk->num_stripes = cpu_to_le16(count);
	chunk->sub_stripes = cpu_to_le16(type & SENDCP_CHUNK_RAID10 ? 2 : 1);
	for (i = 0; i < count; i++) {
		chunk->stripes[i].devid = cpu_to_le64(i + 1ULL);
		chunk->stripes[i].offset = cpu_to_le64(offset);
		tiny_uuid(chunk->stripes[i].dev_uuid, (u8)(i + 1));
	}
	return (u32)(sizeof(*chunk) + count * sizeof(chunk->stripes[0]));
}

static const struct sendcp_key tiny_chunk_key = {
	.objectid = SENDCP_FIRST_CHUNK_ID, .type = SENDCP_CHUNK_ITEM, .offset = TINY_START,
};

#define TINY_LENGTH (1ULL << 20)
#define TINY_TYPE (SENDCP_CHUNK_SYSTEM | SENDCP_CHUNK_METADATA)

void tiny_super(struct sendcp_disk_super *super, u64 bytenr)
{
	u8 *array = super->sys_chunk_array;

	memset(super, 0, sizeof(*super));
	tiny_uuid(super->fsid, 0xf5);
	super->bytenr = cpu_to_le64(bytenr);
	super->flags = cpu_to_le64(1);
	super->magic = cpu_to_le64(SENDCP_SUPER_MAGIC);
	super->generation = cpu_to_le64(TINY_GENERATION);
	super->root = cpu_to_le64(TINY_ROOT_ROOT);
	super->chunk_root = cpu_to_le64(TINY_CHUNK_ROOT);
	super->chunk_root_generation = cpu_to_le64(TINY_GENERATION);
	super->num_devices = cpu_to_le64(1);
	super->sectorsize = cpu_to_le32(4096);
	super->nodesize = cpu_to_le32(TINY_NODESIZE);
	super->incompat_flags = cpu_to_le64(SENDCP_INCOMPAT_MIXED_BACKREF);
	super->dev_item.devid = cpu_to_le64(1);
	tiny_uuid(super->dev_item.uuid, 1);
	tiny_uuid(super->dev_item.fsid, 0xf5);
	tiny_key((struct sendcp_disk_key *)array, &tiny_chunk_key);
	super->sys_chunk_array_size = cpu_to_le32((u32)sizeof(struct sendcp_disk_key) +
		tiny_chunk(array + sizeof(struct sendcp_disk_key), TINY_LENGTH, TINY_TYPE, 1,
			   TINY_START));
	tiny_seal(super, SENDCP_SUPER_SIZE);
}

static void tiny_dev_item(struct sendcp_disk_dev_item *item)
{
	memset(item, 0, sizeof(*item));
	item->devid = cpu_to_le64(1);
	tiny_uuid(item->uuid, 1);
	tiny_uuid(item->fsid, 0xf5);
}

void tiny_make(struct fixture *fixture, u64 size)
{
	struct sendcp_disk_dev_item device;
	u8 chunk[128];
	struct tiny_item items[] = {
		{ { SENDCP_DEV_ITEMS_ID, SENDCP_DEV_ITEM, 1 }, &device, sizeof(device) },
		{ tiny_chunk_key, chunk, 0 },
	};

	fixture_add(fixture, size);
	tiny_dev_item(&device);
	items[1].size = tiny_chunk(chunk, TINY_LENGTH, TINY_TYPE, 1, TINY_START);
	tiny_leaf(fixture, TINY_CHUNK_ROOT, TINY_GENERATION, items, ARRAY_SIZE(items));
	tiny_leaf(fixture, TINY_ROOT_ROOT, TINY_GENERATION, NULL, 0);
	tiny_super((struct sendcp_disk_super *)(fixture->devices[0].bytes + SENDCP_SUPER_OFFSET_0),
		   SENDCP_SUPER_OFFSET_0);
}
