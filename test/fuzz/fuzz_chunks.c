// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: chunk items of all profiles, devices that are missing or stale, and reads of the
 * addresses that the chunks map.
 *
 * A device's bytes are a function of their place, so that each read shows where it came from. What
 * must hold of every chunk that is taken: no two overlap; all mirrors of an address are different;
 * two addresses have two places; a read stays inside its buffer and below 2^63.
 */
#include <stdlib.h>

#include "fuzzer.h"
#include "patches.h"
#include "volume/internal.h"

#define DEVICES_MAX 8u
#define QUERIES 8u
#define LENGTH_MAX (192u << 10)
#define CHUNKS_MAX 40u

struct chunks_head {
	u8 devices;
	/* Bits of devices. */
	u8 missing;
	u8 stale;
	/* Reads from it fail; a number above the devices': none do. */
	u8 failing;
	__le32 seed;
} __packed;

struct record {
	__le64 start;
	__le16 size;
} __packed;

static struct sendcp_device devices[DEVICES_MAX];
static struct sendcp_volume volume;
static struct chunks_head head;
/* The buffer of the read that is done. */
static u8 *target;
static u32 target_size;

static u8 byte_at(u32 device, u64 offset)
{
	/* A product's upper bits: of neighbours, of pieces and of devices they differ. */
	return (u8)((u32)(offset + (offset >> 16) * 77 + device * 1000003u) * 2654435761u >> 23);
}

static int read_devices(void *host, struct sendcp_io *ios, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct sendcp_io *io = &ios[i];

		if (io->device >= volume.host->device_count || !devices[io->device].present ||
		    !io->length || io->offset > (u64)INT64_MAX - io->length)
			abort();
		io->result = io->device == head.failing ? -EIO : 0;
		for (u32 at = 0; !io->result && at < io->length; at++)
			((u8 *)io->buffer)[at] = byte_at(io->device, io->offset + at);
	}
	return 0;
}

static const struct sendcp_host_ops ops = { .read = read_devices };
static struct sendcp_host host = { .ops = &ops };

static void make_volume(void)
{
	memset(&volume, 0, sizeof(volume));
	host.device_count = head.devices % DEVICES_MAX + 1;
	volume.host = &host;
	volume.sectorsize = 4096;
	volume.nodesize = 16384;
	volume.devices = devices;
	for (u32 i = 0; i < host.device_count; i++) {
		devices[i] = (struct sendcp_device){
			.devid = i + 1,
			.present = !(head.missing >> i & 1),
			.stale = head.stale >> i & 1,
		};
		memset(devices[i].uuid, (int)i + 1, SENDCP_UUID_SIZE);
	}
}

static void check_map(void)
{
	const struct sendcp_chunk_map *map = &volume.chunks;

	for (u32 i = 0; i < map->count; i++) {
		const struct sendcp_chunk *chunk = &map->chunks[i];

		if (!chunk->length || chunk->num_stripes > SENDCP_MAX_STRIPES ||
		    (i && chunk[-1].start + chunk[-1].length > chunk->start))
			abort();
		for (u32 s = 0; s < chunk->num_stripes; s++)
			if (chunk->stripes[s].device != SENDCP_NO_DEVICE &&
			    chunk->stripes[s].device >= host.device_count)
				abort();
	}
}

static bool same_mirror(const struct sendcp_mirror *a, const struct sendcp_mirror *b)
{
	return a->kind == b->kind && a->stripe == b->stripe && a->omitted == b->omitted;
}

static void check_columns(const struct sendcp_chunk *chunk, const struct sendcp_location *where)
{
	u8 seen[SENDCP_MAX_STRIPES] = { 0 };

	if (!sendcp_chunk_is_raid56(chunk))
		return;
	for (u32 column = 0; column < chunk->num_stripes; column++) {
		u32 stripe = sendcp_chunk_column_stripe(chunk, where, column);

		if (stripe >= chunk->num_stripes || seen[stripe]++)
			abort();
	}
}

/* All ways to the bytes at @where are different ones, and each is possible. */
static void check_mirrors(const struct sendcp_chunk *chunk, const struct sendcp_location *where)
{
	static struct sendcp_mirror mirrors[SENDCP_MAX_STRIPES];
	u32 count = sendcp_chunk_mirrors(chunk);

	if (!count || count > chunk->num_stripes)
		abort();
	/* The rest of a very wide RAID6 is as its beginning, and costs the square of it. */
	count = (u32)sendcp_min(count, 40);
	for (u32 i = 0; i < count; i++) {
		sendcp_chunk_choose(&volume, chunk, where, i, &mirrors[i]);
		if (mirrors[i].kind == SENDCP_MIRROR_PLAIN &&
		    mirrors[i].stripe >= chunk->num_stripes)
			abort();
		if (mirrors[i].kind == SENDCP_MIRROR_PQ &&
		    (mirrors[i].omitted >= where->data_stripes ||
		     mirrors[i].omitted == where->data_index))
			abort();
		for (u32 j = 0; j < i; j++)
			if (same_mirror(&mirrors[i], &mirrors[j]))
				abort();
	}
}

/* The bytes that a plain mirror, or one made from the other columns and P, has at @logical. */
static u8 expected(const struct sendcp_chunk *chunk, u64 logical, u32 number)
{
	struct sendcp_location where;
	struct sendcp_mirror mirror;
	u8 sum = 0;

	sendcp_chunk_locate(chunk, logical, &where);
	sendcp_chunk_choose(&volume, chunk, &where, number, &mirror);
	if (mirror.kind == SENDCP_MIRROR_PLAIN)
		return byte_at(chunk->stripes[mirror.stripe].device,
			       chunk->stripes[mirror.stripe].offset + where.stripe_offset);
	for (u32 column = 0; column < chunk->num_stripes; column++) {
		u32 stripe = sendcp_chunk_column_stripe(chunk, &where, column);

		if (column != where.data_index && column != where.data_stripes + 1)
			sum ^= byte_at(chunk->stripes[stripe].device,
				       chunk->stripes[stripe].offset + where.stripe_offset);
	}
	return sum;
}

/* Of an address: is it known what mirror @number has there? */
static bool predictable(const struct sendcp_chunk *chunk, u64 logical, u32 number)
{
	struct sendcp_location where;
	struct sendcp_mirror mirror;

	sendcp_chunk_locate(chunk, logical, &where);
	sendcp_chunk_choose(&volume, chunk, &where, number, &mirror);
	return mirror.kind == SENDCP_MIRROR_PLAIN || mirror.kind == SENDCP_MIRROR_P;
}

static void read_at_address(const struct sendcp_chunk *chunk, u64 logical, u32 length, u32 number)
{
	int ret;

	target_size = length;
	target = sendcp_alloc_aligned(length);
	if (!target)
		abort();
	ret = sendcp_volume_read_mirror(&volume, logical, length, (int)number, target);
	if (!ret && length > chunk->start + chunk->length - logical)
		abort();
	for (u32 at = 0; !ret && at < length; at += 4095)
		if (predictable(chunk, logical + at, number) &&
		    target[at] != expected(chunk, logical + at, number))
			abort();
	sendcp_free_aligned(target, length);
}

static void check_place(const struct sendcp_chunk *chunk, u64 logical,
			struct sendcp_location *where)
{
	struct sendcp_location last;
	u32 contiguous = sendcp_chunk_contiguous(chunk, logical, LENGTH_MAX);

	sendcp_chunk_locate(chunk, logical, where);
	if (!contiguous || contiguous > LENGTH_MAX ||
	    contiguous > chunk->start + chunk->length - logical)
		abort();
	sendcp_chunk_locate(chunk, logical + contiguous - 1, &last);
	if (last.stripe_index != where->stripe_index ||
	    last.stripe_offset != where->stripe_offset + contiguous - 1)
		abort();
	check_columns(chunk, where);
	check_mirrors(chunk, where);
}

static void query(const struct sendcp_chunk *chunk, unsigned int *random)
{
	struct sendcp_location where[QUERIES];
	u64 logical[QUERIES];

	for (u32 i = 0; i < QUERIES; i++) {
		u64 sector = ((u64)draw(random, 1u << 31) << 20 ^ draw(random, 1u << 31));
		u32 most = draw(random, 16) ? 16384 : LENGTH_MAX;
		u32 length = 4096 * (1 + draw(random, most / 4096));

		/* Near each other, and anywhere. */
		sector = i & 1 ? draw(random, 200) : sector;
		logical[i] = chunk->start + sector % (chunk->length / 4096) * 4096;
		check_place(chunk, logical[i], &where[i]);
		for (u32 j = 0; j < i; j++)
			if (logical[i] != logical[j] &&
			    where[i].stripe_index == where[j].stripe_index &&
			    where[i].stripe_offset == where[j].stripe_offset)
				abort();
		read_at_address(chunk, logical[i], length,
				draw(random, sendcp_chunk_mirrors(chunk)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int random;
	struct record record;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	random = le32_to_cpu(head.seed);
	make_volume();
	for (u32 i = 0; i < CHUNKS_MAX && size >= sizeof(record); i++) {
		size_t length;
		u8 *item;

		memcpy(&record, data, sizeof(record));
		data += sizeof(record);
		size -= sizeof(record);
		length = sendcp_min(size, le16_to_cpu(record.size));
		/* Of its own size, so that reading beyond it is found. */
		item = malloc(length ? length : 1);
		if (!item)
			abort();
		memcpy(item, data, length);
		sendcp_chunk_map_add(&volume, &volume.chunks, le64_to_cpu(record.start), item,
				     (u32)length);
		free(item);
		data += length;
		size -= length;
	}
	check_map();
	for (u32 i = 0; i < sendcp_min(volume.chunks.count, 4); i++)
		query(&volume.chunks.chunks[i], &random);
	sendcp_chunk_map_release(&volume.chunks);
	return 0;
}

/* A chunk that is right. */
static size_t put_chunk(u8 *to, u64 start, unsigned int *random)
{
	static const struct {
		u64 type;
		u32 least, most;
	} profiles[] = {
		{ 0, 1, 1 }, { SENDCP_CHUNK_DUP, 2, 2 }, { SENDCP_CHUNK_RAID0, 1, 8 },
		{ SENDCP_CHUNK_RAID1, 2, 2 }, { SENDCP_CHUNK_RAID1C3, 3, 3 },
		{ SENDCP_CHUNK_RAID1C4, 4, 4 }, { SENDCP_CHUNK_RAID10, 1, 4 },
		{ SENDCP_CHUNK_RAID5, 2, 8 }, { SENDCP_CHUNK_RAID6, 3, 8 },
	};
	u32 profile = draw(random, ARRAY_SIZE(profiles));
	u32 stripes = profiles[profile].least +
		      draw(random, profiles[profile].most - profiles[profile].least + 1);
	struct sendcp_disk_chunk *chunk = (void *)(to + sizeof(struct record));
	struct record record = { .start = cpu_to_le64(start) };

	if (profiles[profile].type == SENDCP_CHUNK_RAID10)
		stripes *= 2;
	*chunk = (struct sendcp_disk_chunk){
		.length = cpu_to_le64((u64)(1 + draw(random, 64)) << 16),
		.stripe_len = cpu_to_le64(SENDCP_STRIPE_LEN),
		.type = cpu_to_le64(profiles[profile].type | SENDCP_CHUNK_DATA),
		.num_stripes = cpu_to_le16((u16)stripes),
		.sub_stripes = cpu_to_le16(profiles[profile].type == SENDCP_CHUNK_RAID10 ? 2 : 1),
	};
	for (u32 i = 0; i < stripes; i++) {
		u32 device = draw(random, 2) ? i : draw(random, DEVICES_MAX);

		chunk->stripes[i].devid = cpu_to_le64(device + 1);
		chunk->stripes[i].offset = cpu_to_le64((u64)draw(random, 1000) << 20);
		memset(chunk->stripes[i].dev_uuid, (int)device + 1, SENDCP_UUID_SIZE);
	}
	record.size = cpu_to_le16((u16)(sizeof(*chunk) + stripes * sizeof(chunk->stripes[0])));
	memcpy(to, &record, sizeof(record));
	return sizeof(record) + le16_to_cpu(record.size);
}

static size_t example(u8 *data, unsigned int *random)
{
	struct chunks_head fresh = {
		.devices = (u8)(DEVICES_MAX - 1 - draw(random, 2)),
		.missing = (u8)(draw(random, 2) ? 0 : 1u << draw(random, 8)),
		.stale = (u8)(draw(random, 2) ? 0 : 1u << draw(random, 8)),
		.failing = (u8)draw(random, 32),
		.seed = cpu_to_le32(draw(random, 1u << 30)),
	};
	size_t size = sizeof(fresh);
	u32 count = 1 + draw(random, 4);

	memcpy(data, &fresh, sizeof(fresh));
	for (u32 i = 0; i < count; i++)
		size += put_chunk(data + size, (u64)(1 + i) << 26, random);
	return size;
}

static void change_field(u8 *data, size_t size, unsigned int *random)
{
	size_t at = draw(random, (u32)size);
	u32 length = (u32)sendcp_min(1u << draw(random, 4), size - at);
	u8 bytes[8] = { 0 };

	memcpy(bytes, data + at, length);
	sendcp_put_le64(bytes, nasty_value(random, sendcp_get_le64(bytes), length));
	memcpy(data + at, bytes, length);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if ((size < sizeof(head) || !draw(&random, 8)) && max_size >= 2048)
		size = example(data, &random);
	if (draw(&random, 3) && size)
		change_field(data, size, &random);
	else
		size = LLVMFuzzerMutate(data, size, max_size);
	return size;
}
