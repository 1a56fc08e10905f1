/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Superblocks of zoned devices: the newest is found wherever the log has got to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fixture.h"
#include "volume/internal.h"

#define ZONE	(8ULL << 20)
#define SLOTS	(ZONE / SENDCP_SUPER_SIZE)
#define PAIR_2	(512ULL << 30)

static struct fixture fixture;
static struct sendcp_volume volume;
static struct sendcp_disk_super *page;

static int setup(void **state)
{
	fixture_init(&fixture);
	fixture_add(&fixture, PAIR_2 + 4 * ZONE);
	memset(&volume, 0, sizeof(volume));
	volume.host = &fixture.host;
	page = sendcp_alloc_aligned(SENDCP_SUPER_SIZE);
	return !page;
}

static int teardown(void **state)
{
	sendcp_free_aligned(page, SENDCP_SUPER_SIZE);
	fixture_release(&fixture);
	return 0;
}

static struct sendcp_disk_super zoned_super(u64 bytenr)
{
	struct sendcp_disk_super super;

	tiny_super(&super, bytenr);
	super.incompat_flags = cpu_to_le64(1 | SENDCP_INCOMPAT_ZONED);
	sendcp_put_le64(super.sys_chunk_array + sizeof(struct sendcp_disk_key), ZONE);
	return super;
}

/* Appends @count superblocks to the zone at @start; the first has generation @first. */
static void write_log(u64 start, u32 count, u64 first, u64 bytenr)
{
	struct sendcp_disk_super super = zoned_super(bytenr);
	u32 i;

	for (i = 0; i < count; i++) {
		super.generation = cpu_to_le64(first + i);
		tiny_seal(&super, SENDCP_SUPER_SIZE);
		memcpy(fixture.devices[0].bytes + start + i * SENDCP_SUPER_SIZE, &super,
		       SENDCP_SUPER_SIZE);
	}
}

static void clear_zone(u64 start)
{
	memset(fixture.devices[0].bytes + start, 0, ZONE);
}

static void expect_generation(u64 generation)
{
	unsigned int reads = fixture.reads;

	assert_int_equal(sendcp_super_read(&volume, 0, page), 0);
	assert_int_equal(le64_to_cpu(page->generation), generation);
	/* Not a scan. */
	assert_true(fixture.reads - reads < 100);
}

static void first_zone_at_every_length(void **state)
{
	static const u32 lengths[] = { 1, 2, 3, 16, 17, 18, 100, 1000, SLOTS - 1, SLOTS };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		write_log(0, lengths[i], 50, SENDCP_SUPER_OFFSET_0);
		expect_generation(50 + lengths[i] - 1);
	}
}

static void log_goes_on_in_the_second_zone(void **state)
{
	static const u32 lengths[] = { 1, 2, 500, SLOTS };
	size_t i;

	write_log(0, SLOTS, 50, SENDCP_SUPER_OFFSET_0);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		write_log(ZONE, lengths[i], 50 + SLOTS, SENDCP_SUPER_OFFSET_0);
		expect_generation(50 + SLOTS + lengths[i] - 1);
	}
	/* And back in the first one, after a reset. */
	clear_zone(0);
	expect_generation(50 + 2 * SLOTS - 1);
	write_log(0, 20, 50 + 2 * SLOTS, SENDCP_SUPER_OFFSET_0);
	expect_generation(50 + 2 * SLOTS + 19);
	clear_zone(ZONE);
	expect_generation(50 + 2 * SLOTS + 19);
}

static void other_pairs_serve_when_the_first_is_gone(void **state)
{
	write_log(0, 10, 50, SENDCP_SUPER_OFFSET_0);
	write_log(PAIR_2, 30, 50, SENDCP_SUPER_OFFSET_1);
	expect_generation(59);
	clear_zone(0);
	expect_generation(79);
	clear_zone(PAIR_2);
	assert_int_equal(sendcp_super_read(&volume, 0, page), -EINVAL);
	assert_int_equal(volume.error.reason, SENDCP_ERR_NOT_BTRFS);
}

static void conventional_zones_have_the_usual_places(void **state)
{
	struct sendcp_disk_super super = zoned_super(SENDCP_SUPER_OFFSET_0);

	tiny_seal(&super, SENDCP_SUPER_SIZE);
	memcpy(fixture.devices[0].bytes + SENDCP_SUPER_OFFSET_0, &super, SENDCP_SUPER_SIZE);
	expect_generation(TINY_GENERATION);
}

static void interruption_ends_the_search(void **state)
{
	write_log(0, 10, 50, SENDCP_SUPER_OFFSET_0);
	fixture.interrupt = true;
	assert_int_equal(sendcp_super_read(&volume, 0, page), -EINTR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(first_zone_at_every_length),
		TEST(log_goes_on_in_the_second_zone),
		TEST(other_pairs_serve_when_the_first_is_gone),
		TEST(conventional_zones_have_the_usual_places),
		TEST(interruption_ends_the_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
