/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places of bytes on devices, and reading them: for every profile an array is written by a
 * plain-minded writer, then read by all ways with every combination of lost and of silently bad
 * devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "fixture.h"
#include "volume/internal.h"

#define START	(3ULL << 20)
#define OFFSET	(1ULL << 20)
#define PIECE	SENDCP_STRIPE_LEN

struct profile {
	const char *name;
	u64 type;
	u16 stripes;
	/* Devices that may be lost, any of them. */
	u8 spare;
	/* Ways to obtain a byte. */
	u8 ways;
};

static const struct profile profiles[] = {
	{ "single", 0, 1, 0, 1 },
	{ "dup", SENDCP_CHUNK_DUP, 2, 1, 2 },
	{ "raid0x1", SENDCP_CHUNK_RAID0, 1, 0, 1 },
	{ "raid0x3", SENDCP_CHUNK_RAID0, 3, 0, 1 },
	{ "raid1", SENDCP_CHUNK_RAID1, 2, 1, 2 },
	{ "raid1c3", SENDCP_CHUNK_RAID1C3, 3, 2, 3 },
	{ "raid1c4", SENDCP_CHUNK_RAID1C4, 4, 3, 4 },
	{ "raid10x2", SENDCP_CHUNK_RAID10, 2, 1, 2 },
	{ "raid10x6", SENDCP_CHUNK_RAID10, 6, 1, 2 },
	{ "raid5x2", SENDCP_CHUNK_RAID5, 2, 1, 2 },
	{ "raid5x3", SENDCP_CHUNK_RAID5, 3, 1, 2 },
	{ "raid5x6", SENDCP_CHUNK_RAID5, 6, 1, 2 },
	{ "raid6x3", SENDCP_CHUNK_RAID6, 3, 2, 3 },
	{ "raid6x4", SENDCP_CHUNK_RAID6, 4, 2, 4 },
	{ "raid6x5", SENDCP_CHUNK_RAID6, 5, 2, 5 },
	{ "raid6x8", SENDCP_CHUNK_RAID6, 8, 2, 8 },
};

struct array {
	struct fixture fixture;
	struct sendcp_volume volume;
	const struct profile *profile;
	u8 *contents;
	u64 length;
	u64 seed;
};

static u32 data_columns(const struct profile *profile)
{
	if (profile->type & SENDCP_CHUNK_RAID0)
		return profile->stripes;
	if (profile->type & SENDCP_CHUNK_RAID10)
		return profile->stripes / 2u;
	if (profile->type & SENDCP_CHUNK_RAID5)
		return profile->stripes - 1u;
	if (profile->type & SENDCP_CHUNK_RAID6)
		return profile->stripes - 2u;
	return 1;
}

static u8 *stripe_bytes(struct array *array, u32 stripe)
{
	return array->fixture.devices[stripe % array->profile->stripes].bytes + OFFSET;
}

static u8 times_two(u8 a)
{
	return (u8)((a << 1) ^ (a & 0x80 ? 0x11d : 0));
}

/* Q by Horner's rule, from the last column to the first: nothing like what is being tested. */
static void write_parity(struct array *array, u32 row, u32 data)
{
	u8 *p = stripe_bytes(array, row + data) + (u64)row * PIECE;
	u8 *q = stripe_bytes(array, row + data + 1) + (u64)row * PIECE;
	u32 i, column;

	for (i = 0; i < PIECE; i++) {
		u8 sum = 0, weighted = 0;

		for (column = data; column--;) {
			u8 byte = array->contents[((u64)row * data + column) * PIECE + i];

			sum ^= byte;
			weighted = times_two(weighted) ^ byte;
		}
		p[i] = sum;
		if (array->profile->type & SENDCP_CHUNK_RAID6)
			q[i] = weighted;
	}
}

static void write_row(struct array *array, u32 row)
{
	u32 column, copy, data = data_columns(array->profile);
	u64 type = array->profile->type;

	for (column = 0; column < data; column++) {
		const u8 *piece = array->contents + ((u64)row * data + column) * PIECE;

		if (type & SENDCP_CHUNK_RAID10) {
			for (copy = 0; copy < 2; copy++)
				memcpy(stripe_bytes(array, 2 * column + copy) + (u64)row * PIECE,
				       piece, PIECE);
		} else if (type & (SENDCP_CHUNK_RAID5 | SENDCP_CHUNK_RAID6)) {
			memcpy(stripe_bytes(array, row + column) + (u64)row * PIECE, piece, PIECE);
		} else if (type & SENDCP_CHUNK_RAID0) {
			memcpy(stripe_bytes(array, column) + (u64)row * PIECE, piece, PIECE);
		} else {
			for (copy = 0; copy < array->profile->stripes; copy++)
				memcpy(stripe_bytes(array, copy) + (u64)row * PIECE, piece, PIECE);
		}
	}
	if (type & (SENDCP_CHUNK_RAID5 | SENDCP_CHUNK_RAID6))
		write_parity(array, row, data);
}

static void make_chunk(struct array *array)
{
	u8 item[sizeof(struct sendcp_disk_chunk) + 8 * sizeof(struct sendcp_disk_stripe)];
	u32 size = tiny_chunk(item, array->length, array->profile->type | SENDCP_CHUNK_DATA,
			      array->profile->stripes, OFFSET);

	assert_int_equal(sendcp_chunk_map_add(&array->volume, &array->volume.chunks, START, item,
					      size), 0);
}

static void make_array(struct array *array, const struct profile *profile, u64 seed)
{
	u32 i, row, rows = 2u * profile->stripes + 1;

	memset(array, 0, sizeof(*array));
	array->profile = profile;
	array->seed = seed;
	array->length = (u64)rows * data_columns(profile) * PIECE;
	array->contents = malloc(array->length);
	for (i = 0; i < array->length / 8; i++)
		((u64 *)array->contents)[i] = fixture_random(&array->seed);
	fixture_init(&array->fixture);
	array->volume.host = &array->fixture.host;
	array->volume.sectorsize = 4096;
	array->volume.devices = calloc(profile->stripes, sizeof(*array->volume.devices));
	for (i = 0; i < profile->stripes; i++) {
		fixture_add(&array->fixture, OFFSET + (u64)rows * PIECE);
		array->volume.devices[i].present = true;
		array->volume.devices[i].devid = i + 1;
		tiny_uuid(array->volume.devices[i].uuid, (u8)(i + 1));
	}
	for (row = 0; row < rows; row++)
		write_row(array, row);
	make_chunk(array);
}

static void release_array(struct array *array)
{
	sendcp_chunk_map_release(&array->volume.chunks);
	fixture_release(&array->fixture);
	free(array->volume.devices);
	free(array->contents);
}

/* Reads a random range by all ways. Returns how many gave the right bytes. */
static int read_by_all_ways(struct array *array, u32 *length, int *failed)
{
	u64 at = fixture_random(&array->seed) % (array->length / 4096) * 4096;
	int copy, right = 0, copies = sendcp_volume_mirrors(&array->volume, START + at);
	u8 *buffer;

	*length = (u32)sendcp_min(fixture_random(&array->seed) % 44 * 4096 + 4096,
				  array->length - at);
	if (fixture_random(&array->seed) % 2)
		*length = sendcp_volume_contiguous(&array->volume, START + at, *length);
	assert_int_equal(copies, array->profile->ways);
	*failed = 0;
	buffer = sendcp_alloc_aligned(*length);
	for (copy = 0; copy < copies; copy++) {
		memset(buffer, 0xee, *length);
		if (sendcp_volume_read_mirror(&array->volume, START + at, *length, copy, buffer))
			++*failed;
		else
			right += !memcmp(buffer, array->contents + at, *length);
	}
	sendcp_free_aligned(buffer, *length);
	return right;
}

static void for_all_profiles(void (*test)(struct array *array))
{
	u64 seed = (u64)getpid() << 32 | (u64)time(NULL);
	struct array array;
	size_t i;

	if (getenv("SEED"))
		seed = strtoull(getenv("SEED"), NULL, 0);
	print_message("SEED=%#llx\n", (unsigned long long)seed);
	for (i = 0; i < ARRAY_SIZE(profiles); i++) {
		make_array(&array, &profiles[i], seed);
		test(&array);
		release_array(&array);
	}
}

static void check_whole(struct array *array)
{
	int i, failed;
	u32 length;

	for (i = 0; i < 100; i++) {
		assert_int_equal(read_by_all_ways(array, &length, &failed), array->profile->ways);
		assert_int_equal(failed, 0);
	}
}

static void every_way_gives_the_same(void **state)
{
	for_all_profiles(check_whole);
}

static void set_lost(struct array *array, u32 mask)
{
	struct sendcp_chunk *chunk = &array->volume.chunks.chunks[0];
	u32 i;

	for (i = 0; i < chunk->num_stripes; i++)
		chunk->stripes[i].device = mask >> i & 1 ? SENDCP_NO_DEVICE : i;
}

/* A read that succeeds must be right, and the first way must succeed while enough is there. */
static void check_lost(struct array *array)
{
	u32 mask, length, all = 1u << array->profile->stripes;
	int i, right, failed;

	for (mask = 1; mask < all; mask++) {
		set_lost(array, mask);
		for (i = 0; i < 20; i++) {
			right = read_by_all_ways(array, &length, &failed);
			assert_int_equal(right + failed, array->profile->ways);
			if (__builtin_popcount(mask) <= array->profile->spare)
				assert_true(right > 0);
			if (failed)
				assert_int_equal(array->volume.error.reason,
						 SENDCP_ERR_DEVICE_MISSING);
			if (mask == all - 1)
				assert_int_equal(right, 0);
		}
	}
}

static void lost_devices_are_made_up_for(void **state)
{
	for_all_profiles(check_lost);
}

static void garble(struct array *array, u32 mask)
{
	u32 i;
	u64 j;

	for (i = 0; i < array->profile->stripes; i++)
		for (j = OFFSET; mask >> i & 1 && j < array->fixture.devices[i].size; j += 64)
			array->fixture.devices[i].bytes[j] ^= (u8)(0x55 + i);
}

/*
 * One device lost and another one lying, or two lying: with RAID6 there is a way in which both are
 * left out, as long as no range needs different ways for its parts.
 */
static void check_lying(struct array *array)
{
	u32 mask, lost, length, all = 1u << array->profile->stripes;
	int i, failed;

	for (mask = 1; mask < all; mask++) {
		if (__builtin_popcount(mask) > array->profile->spare)
			continue;
		lost = mask & (mask - 1) ? mask & -mask : 0;
		garble(array, mask & ~lost);
		set_lost(array, lost);
		for (i = 0; i < 20; i++) {
			int right = read_by_all_ways(array, &length, &failed);

			if (length <= 4096)
				assert_true(right > 0);
		}
		set_lost(array, 0);
		for (i = 0; i < 20; i++) {
			garble(array, lost);
			if (!read_by_all_ways(array, &length, &failed))
				assert_true(length > 4096);
			garble(array, lost);
		}
		garble(array, mask & ~lost);
	}
	check_whole(array);
}

static void lying_devices_are_left_out(void **state)
{
	for_all_profiles(check_lying);
}

static void check_stale(struct array *array)
{
	u32 i, length;
	u8 *buffer = sendcp_alloc_aligned(4096);
	int tries, failed;

	if (!array->profile->spare)
		goto out;
	for (i = 0; i < array->profile->stripes; i++) {
		garble(array, 1u << i);
		array->volume.devices[i].stale = true;
		for (tries = 0; tries < 20; tries++) {
			u64 at = fixture_random(&array->seed) % (array->length / 4096) * 4096;

			assert_int_equal(sendcp_volume_read_mirror(&array->volume, START + at, 4096,
								   0, buffer), 0);
			assert_memory_equal(buffer, array->contents + at, 4096);
			read_by_all_ways(array, &length, &failed);
			assert_int_equal(failed, 0);
		}
		array->volume.devices[i].stale = false;
		garble(array, 1u << i);
	}
out:
	sendcp_free_aligned(buffer, 4096);
}

static void stale_devices_come_last(void **state)
{
	for_all_profiles(check_stale);
}

static void check_bounds(struct array *array)
{
	struct sendcp_volume *volume = &array->volume;
	u64 end = START + array->length;
	u8 *buffer = sendcp_alloc_aligned(8192);

	assert_int_equal(sendcp_volume_mirrors(volume, START - 1), -EUCLEAN);
	assert_int_equal(volume->error.reason, SENDCP_ERR_CHUNK_UNMAPPED);
	assert_int_equal(sendcp_volume_mirrors(volume, end), -EUCLEAN);
	assert_int_equal(sendcp_volume_mirrors(volume, ~0ULL), -EUCLEAN);
	assert_int_equal(sendcp_volume_contiguous(volume, end, 1), 0);
	assert_int_equal(sendcp_volume_contiguous(volume, end - 4096, 1 << 20), 4096);
	assert_int_equal(sendcp_volume_read_mirror(volume, end - 4096, 4096, 0, buffer), 0);
	assert_int_equal(sendcp_volume_read_mirror(volume, end - 4096, 8192, 0, buffer), -EUCLEAN);
	assert_int_equal(sendcp_volume_read_mirror(volume, START, 4096, array->profile->ways,
						   buffer), -EIO);
	assert_int_equal(sendcp_volume_read_mirror(volume, START, 4096, -1, buffer), -EIO);
	sendcp_free_aligned(buffer, 8192);
}

static void ends_are_kept(void **state)
{
	for_all_profiles(check_bounds);
}

static void check_device_errors(struct array *array)
{
	int failed;
	u32 length;

	array->fixture.devices[0].fail = -EIO;
	read_by_all_ways(array, &length, &failed);
	if (failed)
		assert_int_equal(array->volume.error.reason, SENDCP_ERR_DEVICE_READ);
	array->fixture.interrupt = true;
	assert_int_equal(read_by_all_ways(array, &length, &failed), 0);
	assert_int_equal(array->volume.error.reason, SENDCP_ERR_INTERRUPTED);
}

static void errors_of_devices_arrive(void **state)
{
	for_all_profiles(check_device_errors);
}

/* Values of a CHUNK_ITEM that must be refused. */
static const struct {
	u64 type;
	u64 start;
	u64 length;
	u16 stripes;
	u64 offset;
	int ret;
} chunks[] = {
	{ SENDCP_CHUNK_DATA, START, 1 << 20, 1, OFFSET, 0 },
	{ SENDCP_CHUNK_DATA, START, 1 << 20, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, START - 4096, 8192, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, START + (1 << 20) - 4096, 8192, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 0, START * 2, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, START + (1 << 20), 1 << 20, 1, OFFSET, 0 },
	{ SENDCP_CHUNK_DATA, START - (1 << 20), 1 << 20, 1, OFFSET, 0 },
	{ SENDCP_CHUNK_DATA, 1 << 30, 0, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 1000, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1000, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 1ULL << 63, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, ~0ULL << 12, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 4096, 1, 512, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 4096, 1, ~0ULL << 12, -EUCLEAN },
	{ 0, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_REMAPPED, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | 1ULL << 60, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1 | SENDCP_CHUNK_RAID0, 1 << 30, 4096, 2, OFFSET,
	  -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 4096, 0, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA, 1 << 30, 4096, 2, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID0, 1 << 30, 4096, 0, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1, 1 << 30, 4096, 3, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_DUP, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1C3, 1 << 30, 4096, 2, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1C4, 1 << 30, 4096, 3, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID10, 1 << 30, 4096, 0, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID10, 1 << 30, 4096, 3, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID5, 1 << 30, 4096, 1, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID6, 1 << 30, 4096, 2, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID6, 1 << 30, 4096, 258, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID0, 1 << 30, 4096, 1025, OFFSET, -EUCLEAN },
	{ SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID0, 1 << 30, 4096, 1024, OFFSET, 0 },
};

static void impossible_chunks_are_refused(void **state)
{
	static u8 item[sizeof(struct sendcp_disk_chunk) + 2048 * sizeof(struct sendcp_disk_stripe)];
	struct array array;
	size_t i;
	u32 size;

	make_array(&array, &profiles[0], 1);
	sendcp_chunk_map_release(&array.volume.chunks);
	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		size = tiny_chunk(item, chunks[i].length, chunks[i].type, chunks[i].stripes,
				  chunks[i].offset);
		if (sendcp_chunk_map_add(&array.volume, &array.volume.chunks, chunks[i].start, item,
					 size) != chunks[i].ret)
			fail_msg("chunk %zu", i);
	}
	size = tiny_chunk(item, 4096, SENDCP_CHUNK_DATA, 1, OFFSET);
	for (i = 0; i < size; i++)
		assert_int_equal(sendcp_chunk_map_add(&array.volume, &array.volume.chunks, 0, item,
						      (u32)i), -EUCLEAN);
	((struct sendcp_disk_chunk *)item)->stripe_len = cpu_to_le64(4096);
	assert_int_equal(sendcp_chunk_map_add(&array.volume, &array.volume.chunks, 0, item, size),
			 -EUCLEAN);
	tiny_chunk(item, 4096, SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID10, 4, OFFSET);
	((struct sendcp_disk_chunk *)item)->sub_stripes = cpu_to_le16(1);
	assert_int_equal(sendcp_chunk_map_add(&array.volume, &array.volume.chunks, 0, item,
					      sizeof(item)), -EUCLEAN);
	release_array(&array);
}

static void many_chunks_are_found(void **state)
{
	u8 item[sizeof(struct sendcp_disk_chunk) + sizeof(struct sendcp_disk_stripe)];
	u32 i, count = 1000, size = tiny_chunk(item, 8192, SENDCP_CHUNK_DATA, 1, OFFSET);
	struct array array;

	make_array(&array, &profiles[0], 1);
	sendcp_chunk_map_release(&array.volume.chunks);
	/* 389 is prime to 1000: all, in a wild order. There is a hole between two. */
	for (i = 0; i < count; i++)
		assert_int_equal(sendcp_chunk_map_add(&array.volume, &array.volume.chunks,
						      (i * 389ULL % count) * 12288, item, size), 0);
	for (i = 0; i < count; i++) {
		const struct sendcp_chunk *chunk = sendcp_chunk_find(&array.volume, i * 12288ULL +
								     8191);

		assert_non_null(chunk);
		assert_int_equal(chunk->start, i * 12288ULL);
		assert_null(sendcp_chunk_find(&array.volume, i * 12288ULL + 8192));
	}
	release_array(&array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_gives_the_same),
		cmocka_unit_test(lost_devices_are_made_up_for),
		cmocka_unit_test(lying_devices_are_left_out),
		cmocka_unit_test(stale_devices_come_last),
		cmocka_unit_test(ends_are_kept),
		cmocka_unit_test(errors_of_devices_arrive),
		cmocka_unit_test(impossible_chunks_are_refused),
		cmocka_unit_test(many_chunks_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
