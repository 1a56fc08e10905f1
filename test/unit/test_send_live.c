// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine on a mounted filesystem whose subvolumes are changed while it works: its result, and
 * how little it reads to find out. Needs root and loop devices; skipped otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/internal.h"
#include "loopfs.h"
#include "sending.h"
#include "volume/volume.h"

#define SUPER_0 65536u
#define SUPER_1 (64ULL << 20)
#define BUFFER (1u << 20)
#define DEVICES 3u
#define NODESIZE 4096u

/* Counts and changes of a host's calls by the tests. */
static struct {
	/* Calls and single reads of first copies, and reads of second ones. */
	unsigned int super_calls;
	unsigned int supers;
	unsigned int others;
	/* Of this device the first copy reads as zeros; of all devices all copies do. */
	unsigned int bad_device;
	bool wiped;
	/* Files cannot be read, for this errno. */
	int file_error;
	bool interrupt;
	/* Run before the next first copy is read, and how many extents were read since. */
	const char *before_super;
	unsigned int extents;
} world;

static struct loopfs fs;
static struct sendcp_source *source;
static struct sendcp_host_ops ops;
static struct sendcp_subvolume base, parent, snap;

static void spoil(const struct sendcp_io *io)
{
	bool super = io->offset == SUPER_0 || io->offset == SUPER_1;

	if (super && (world.wiped || (io->offset == SUPER_0 && io->device == world.bad_device)))
		memset(io->buffer, 0, io->length);
}

static int read_devices(void *host, struct sendcp_io *ios, unsigned int count)
{
	const char *script = world.before_super;
	unsigned int i, supers = 0;
	int ret;

	for (i = 0; i < count; i++) {
		supers += ios[i].offset == SUPER_0;
		world.others += ios[i].offset == SUPER_1;
		/* More than any tree block has. */
		world.extents += ios[i].length > NODESIZE;
	}
	world.supers += supers;
	world.super_calls += !!supers;
	if (supers && script) {
		world.before_super = NULL;
		world.extents = 0;
		loopfs_run(&fs, "%s", script);
	}
	ret = source->kind->host.read(host, ios, count);
	for (i = 0; i < count; i++)
		spoil(&ios[i]);
	return ret;
}

static int read_file(void *host, const struct sendcp_file_range *range, void *buffer,
		     struct sendcp_error *error)
{
	if (!world.file_error)
		return source->kind->host.read_file(host, range, buffer, error);
	sendcp_error_clear(error);
	error->reason = SENDCP_ERR_DATA_READ;
	error->err = world.file_error;
	return world.file_error;
}

static int interrupted(void *host)
{
	return world.interrupt ? -EINTR : 0;
}

static void find(const char *name, struct sendcp_subvolume *subvolume)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fs.mount, name);
	assert_int_equal(sendcp_source_find_subvolume(source, path, subvolume), 0);
}

static int open_world(void **state)
{
	loopfs_make(&fs, DEVICES, 256, "-n 4096 -m raid1 -d raid1");
	loopfs_mount(&fs, "compress-force=zstd,commit=300");
	loopfs_run(&fs, "btrfs -q subvolume create s; echo base > s/base;"
			" btrfs -q subvolume snapshot -r s base; seq 1 900000 > s/text;"
			" btrfs -q subvolume snapshot -r s parent; seq 2 900000 > s/other;"
			" echo small > s/small; btrfs -q subvolume snapshot -r s snap;"
			" btrfs filesystem sync .");
	assert_int_equal(sendcp_source_open_mounted(fs.mount, NULL, &source, NULL), 0);
	ops = source->kind->host;
	ops.read = read_devices;
	ops.read_file = read_file;
	ops.interrupted = interrupted;
	source->host.ops = &ops;
	find("base", &base);
	find("parent", &parent);
	find("snap", &snap);
	memset(&world, 0, sizeof(world));
	world.bad_device = DEVICES;
	return 0;
}

static int close_world(void **state)
{
	sendcp_subvolume_release(&base);
	sendcp_subvolume_release(&parent);
	sendcp_subvolume_release(&snap);
	sendcp_source_close(source);
	source = NULL;
	loopfs_destroy(&fs);
	return 0;
}

static struct sendcp_engine *engine_for(u32 flags, u64 parent_id, const u64 *clone)
{
	struct sendcp_request request = {
		.protocol = flags ? 2 : 1,
		.flags = flags,
		.subvolume = snap.id,
		.parent = parent_id,
		.clone_sources = clone,
		.clone_count = clone ? 1 : 0,
	};
	struct sendcp_engine *engine;
	struct sendcp_error error;

	assert_int_equal(sendcp_engine_open(sendcp_source_volume(source), &request, &engine,
					    &error), 0);
	return engine;
}

static int fill(struct sendcp_engine *engine, u32 flags, struct bytes *stream, bool *end)
{
	return fill_once(engine, BUFFER, flags, stream, end);
}

static void assert_void(struct sendcp_engine *engine, int err, enum sendcp_reason reason, u64 root)
{
	struct bytes stream = { 0 };
	u32 known, length;
	size_t size;
	void *blob;
	bool end;

	assert_int_equal(fill(engine, SENDCP_FILL_REVALIDATE, &stream, &end), err);
	assert_int_equal(sendcp_engine_error(engine)->reason, reason);
	assert_int_equal(sendcp_engine_error(engine)->root, root);
	assert_false(end);
	assert_int_equal(stream.size, 0);
	/* Nothing follows what is void. */
	assert_true(sendcp_engine_is_void(engine));
	assert_int_equal(fill(engine, 0, &stream, &end), err);
	assert_int_equal(stream.size, 0);
	assert_int_equal(sendcp_engine_checkpoint(engine, &blob, &size), err);
	assert_null(blob);
	assert_int_equal(sendcp_engine_error(engine)->reason, reason);
	/* A checkpoint that is refused changes nothing, the reason included. */
	assert_int_equal(sendcp_engine_rearm(engine, "none", 4), -EILSEQ);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_CHECKPOINT_FORMAT);
	assert_int_equal(fill(engine, 0, &stream, &end), err);
	assert_int_equal(sendcp_engine_error(engine)->reason, reason);
	assert_int_equal(sendcp_engine_error(engine)->root, root);
	assert_int_equal(sendcp_engine_skip_command(engine, NULL, 0, &known, &length, &end), err);
	bytes_free(&stream);
}

/* One look at one superblock of each device in a fill, however many extents it holds. */
static void stored_extents_cost_one_look(void **state)
{
	struct sendcp_engine *engine = engine_for(SENDCP_SEND_COMPRESSED, 0, NULL);
	struct bytes stream = { 0 };
	unsigned int fills = 0;
	bool end = false;

	world.super_calls = 0;
	world.supers = 0;
	world.others = 0;
	while (!end) {
		assert_int_equal(fill(engine, 0, &stream, &end), 0);
		fills++;
	}
	assert_in_range(fills, 2, 20);
	assert_in_range(world.super_calls, 1, fills);
	assert_int_equal(world.supers, DEVICES * world.super_calls);
	assert_int_equal(world.others, 0);
	bytes_free(&stream);
	sendcp_engine_close(engine);
}

static void other_copies_are_read_where_one_is_bad(void **state)
{
	struct sendcp_engine *engine = engine_for(0, 0, NULL);

	world.bad_device = 1;
	world.others = 0;
	assert_int_equal(sendcp_engine_revalidate(engine), 0);
	/* Looked for until one is good, of that device only. */
	assert_in_range(world.others, 1, 3);
	sendcp_engine_close(engine);
}

/* Extents move between their being read and the look: they are read again. */
static void moved_extents_are_read_again(void **state)
{
	struct sendcp_engine *engine = engine_for(SENDCP_SEND_COMPRESSED, 0, NULL);
	struct bytes whole = { 0 }, moved = { 0 };
	unsigned int again = 0;
	bool end = false;

	fill_to_end(engine, BUFFER, 0, &whole);
	sendcp_engine_close(engine);
	engine = engine_for(SENDCP_SEND_COMPRESSED, 0, NULL);
	while (!end) {
		if (moved.size)
			world.before_super = "btrfs -q balance start -d .; btrfs filesystem sync .";
		world.extents = 0;
		assert_int_equal(fill(engine, 0, &moved, &end), 0);
		again += moved.size > BUFFER && !world.before_super ? world.extents : 0;
	}
	assert_in_range(again, 10, 1000);
	assert_bytes_equal(&whole, &moved);
	bytes_free(&whole);
	bytes_free(&moved);
	sendcp_engine_close(engine);
}

static void a_change_makes_the_fill_void(void **state)
{
	struct sendcp_engine *engine = engine_for(0, 0, NULL);
	struct bytes stream = { 0 }, checkpoint = { 0 };
	bool end;

	assert_int_equal(fill(engine, 0, &stream, &end), 0);
	take_checkpoint(engine, &checkpoint);
	loopfs_run(&fs, "btrfs property set snap ro false");
	assert_void(engine, -ESTALE, SENDCP_ERR_SUBVOLUME_CHANGED, snap.id);
	/* A good checkpoint does not help, and does not hide it for a moment. */
	assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size), 0);
	assert_false(sendcp_engine_is_void(engine));
	assert_int_equal(fill(engine, 0, &stream, &end), -ESTALE);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	sendcp_engine_close(engine);
}

/* Without asking the filesystem, a change shows when there was a second, a wish, or the end. */
static void a_change_shows_on_the_devices(void **state)
{
	struct sendcp_engine *engine;

	ops.look = NULL;
	engine = engine_for(0, 0, NULL);
	loopfs_run(&fs, "btrfs property set snap ro false");
	assert_void(engine, -ESTALE, SENDCP_ERR_SUBVOLUME_CHANGED, snap.id);
	sendcp_engine_close(engine);
}

/* Nothing of it is on the devices, and nothing the filesystem says shows it. */
static void a_hidden_change_shows_before_the_end(void **state)
{
	struct sendcp_engine *engine = engine_for(0, 0, NULL);
	struct bytes stream = { 0 };
	bool end = false;
	int ret;

	assert_int_equal(fill(engine, 0, &stream, &end), 0);
	loopfs_run(&fs, "btrfs property set snap ro false; printf changed |"
			" dd of=snap/other bs=1 seek=4000000 conv=notrunc status=none;"
			" btrfs property set snap ro true");
	do
		ret = fill(engine, SENDCP_FILL_REVALIDATE, &stream, &end);
	while (!ret && !end);
	assert_int_equal(ret, -ESTALE);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_SUBVOLUME_CHANGED);
	assert_false(end);
	bytes_free(&stream);
	sendcp_engine_close(engine);
}

static void passing_over_ends_no_better(void **state)
{
	u8 *head = malloc(sendcp_buffer_min(1));
	struct sendcp_engine *engine = engine_for(0, 0, NULL);
	u32 known, length;
	bool end = false;
	int ret;

	loopfs_run(&fs, "btrfs property set snap ro false; echo changed > snap/small;"
			" btrfs property set snap ro true");
	do
		ret = sendcp_engine_skip_command(engine, head, sendcp_buffer_min(1), &known,
						 &length, &end);
	while (!ret && !end);
	assert_int_equal(ret, -ESTALE);
	assert_true(sendcp_engine_is_void(engine));
	free(head);
	sendcp_engine_close(engine);
}

static void parent_and_clone_source_count(void **state)
{
	struct sendcp_engine *engine = engine_for(0, parent.id, &base.id);

	loopfs_run(&fs, "btrfs property set base ro false; btrfs filesystem sync .");
	assert_void(engine, -ESTALE, SENDCP_ERR_SUBVOLUME_CHANGED, base.id);
	sendcp_engine_close(engine);
	loopfs_run(&fs, "btrfs property set base ro true; btrfs filesystem sync .");
	engine = engine_for(0, parent.id, &base.id);
	loopfs_run(&fs, "btrfs -q subvolume delete -c parent");
	assert_void(engine, -ESTALE, SENDCP_ERR_SUBVOLUME_GONE, parent.id);
	sendcp_engine_close(engine);
}

/* The same errno of a file, once because the subvolume was deleted, and once not. */
static void a_file_that_is_not_there_is_explained(void **state)
{
	struct sendcp_engine *engine = engine_for(0, 0, NULL);
	struct bytes stream = { 0 };
	bool end;
	int ret;

	world.file_error = -ESTALE;
	do
		ret = fill(engine, SENDCP_FILL_ONE_COMMAND, &stream, &end);
	while (!ret);
	assert_int_equal(ret, -EIO);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_INCONSISTENT);
	assert_int_equal(sendcp_engine_error(engine)->root, snap.id);
	assert_int_not_equal(sendcp_engine_error(engine)->inode, SENDCP_NOWHERE);
	assert_false(sendcp_engine_is_void(engine));
	ops.look = NULL;
	loopfs_run(&fs, "btrfs -q subvolume delete snap");
	assert_int_equal(fill(engine, 0, &stream, &end), -ESTALE);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_SUBVOLUME_GONE);
	bytes_free(&stream);
	sendcp_engine_close(engine);
}

static unsigned long long read_number(const char *name)
{
	unsigned long long number;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fs.mount, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu", &number), 1);
	fclose(file);
	return number;
}

/* The volume has seen the trees before that was made. */
static void a_new_snapshot_is_found(void **state)
{
	struct bytes stream = { 0 };
	struct sendcp_engine *engine = engine_for(0, 0, NULL);

	fill_to_end(engine, BUFFER, 0, &stream);
	sendcp_engine_close(engine);
	loopfs_run(&fs, "btrfs -q subvolume snapshot -r s new; btrfs filesystem sync .;"
			" btrfs inspect-internal rootid new > id");
	snap.id = read_number("id");
	engine = engine_for(0, 0, NULL);
	fill_to_end(engine, BUFFER, 0, &stream);
	bytes_free(&stream);
	sendcp_engine_close(engine);
}

static void devices_without_superblocks_are_a_reason(void **state)
{
	struct sendcp_engine *engine = engine_for(0, 0, NULL);
	struct bytes stream = { 0 }, checkpoint = { 0 };
	bool end;

	assert_int_equal(fill(engine, 0, &stream, &end), 0);
	take_checkpoint(engine, &checkpoint);
	world.wiped = true;
	assert_void(engine, -ENODEV, SENDCP_ERR_DEVICES_CHANGED, SENDCP_NOWHERE);
	world.wiped = false;
	assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size), 0);
	assert_int_equal(fill(engine, SENDCP_FILL_REVALIDATE, &stream, &end), 0);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	sendcp_engine_close(engine);
}

/* Commands made before the interruption are revalidated and delivered all the same. */
static void securing_is_not_interrupted(void **state)
{
	struct sendcp_engine *engine = engine_for(SENDCP_SEND_COMPRESSED, 0, NULL);
	struct bytes stream = { 0 };
	bool end;

	assert_int_equal(fill(engine, 0, &stream, &end), 0);
	world.interrupt = true;
	assert_int_equal(sendcp_engine_revalidate(engine), 0);
	assert_int_equal(fill(engine, 0, &stream, &end), -EINTR);
	assert_false(sendcp_engine_is_void(engine));
	world.interrupt = false;
	assert_int_equal(fill(engine, 0, &stream, &end), 0);
	bytes_free(&stream);
	sendcp_engine_close(engine);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(stored_extents_cost_one_look),
		LIVE_TEST(other_copies_are_read_where_one_is_bad),
		LIVE_TEST(moved_extents_are_read_again),
		LIVE_TEST(a_change_makes_the_fill_void),
		LIVE_TEST(a_change_shows_on_the_devices),
		LIVE_TEST(a_hidden_change_shows_before_the_end),
		LIVE_TEST(passing_over_ends_no_better),
		LIVE_TEST(parent_and_clone_source_count),
		LIVE_TEST(a_file_that_is_not_there_is_explained),
		LIVE_TEST(a_new_snapshot_is_found),
		LIVE_TEST(devices_without_superblocks_are_a_reason),
		LIVE_TEST(securing_is_not_interrupted),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
