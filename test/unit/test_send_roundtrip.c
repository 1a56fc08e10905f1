// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every checkpoint that the engine makes is one that it takes, and makes again: values that
 * decoding calls impossible must not happen, with the shortest and the longest of everything.
 * Before each command as well as after it, since only before it the command is part of the
 * checkpoint.
 *
 * Needs root and loop devices; skipped otherwise.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "backend/internal.h"
#include "loopfs.h"
#include "send/checkpoint.h"
#include "encode/queue.h"
#include "send/state.h"
#include "sending.h"

static struct loopfs fs;
static struct sendcp_source *source;

/* Commands that the checkpoints of all tests had in their queues. */
static u64 commands_seen;
static u32 phases_seen;
static u32 kinds_seen;
static u32 payloads_seen;
static u32 shortest_path = ~0u;
static u32 longest_path;

/* Trees of @nodesize: w, a and b, everything, and siblings l and r. */
static void make_trees(const char *nodesize)
{
	char *lib = realpath("test/lib", NULL);
	char options[40];
	const char *image;

	assert_non_null(lib);
	snprintf(options, sizeof(options), "-n %s", nodesize);
	loopfs_make(&fs, 1, 1500, options);
	loopfs_mount(&fs, "commit=300");
	loopfs_run(&fs, "export PYTHONDONTWRITEBYTECODE=1\n"
		   "python3 '%s/extremes.py' .\n"
		   "btrfs -q subvolume create e\n"
		   "python3 '%s/everything.py' e --light\n"
		   "btrfs -q subvolume create image; mkdir image/old image/other\n"
		   "python3 '%s/siblings.py' image left right pairs\n"
		   "btrfs -q subvolume snapshot -r left l\n"
		   "btrfs -q subvolume snapshot -r right r\n", lib, lib, lib);
	loopfs_unmount(&fs);
	free(lib);
	image = fs.images[0];
	assert_int_equal(sendcp_source_open_image(&image, 1, NULL, &source, NULL), 0);
}

static int setup_large_nodes(void **state)
{
	make_trees("65536");
	return 0;
}

static int setup_small_nodes(void **state)
{
	make_trees("4096");
	return 0;
}

static int teardown(void **state)
{
	sendcp_source_close(source);
	source = NULL;
	loopfs_destroy(&fs);
	return 0;
}

static u64 id_of(const char *name)
{
	struct sendcp_subvolume subvolume;
	u64 id;

	assert_int_equal(sendcp_source_find_subvolume(source, name, &subvolume), 0);
	id = subvolume.id;
	sendcp_subvolume_release(&subvolume);
	return id;
}

/* The state in the checkpoint. */
static const struct sendcp_checkpoint_state *state_of(const struct bytes *checkpoint, u32 pins)
{
	return (const void *)(checkpoint->data + sizeof(struct sendcp_checkpoint_header) +
			      pins * sizeof(struct sendcp_checkpoint_pin));
}

static void note_checkpoint(const struct bytes *checkpoint, u32 pins)
{
	const struct sendcp_checkpoint_state *state = state_of(checkpoint, pins);
	const struct sendcp_checkpoint_payload *payload =
		(const void *)(checkpoint->data + checkpoint->size - sizeof(*payload));
	u32 length = sendcp_get_le16((const u8 *)(state + 1));

	phases_seen |= 1u << state->phase;
	kinds_seen |= 1u << state->kind;
	payloads_seen |= 1u << payload->kind;
	longest_path = sendcp_max(longest_path, length);
	if (payload->kind)
		shortest_path = sendcp_min(shortest_path, length);
}

/* A fresh engine at @engine's checkpoint, which makes the same one; @engine is closed. */
static struct sendcp_engine *pass_on(const struct sending *sending,
				     const struct sendcp_request *request,
				     struct sendcp_engine *engine)
{
	u32 pins = request->clone_count + 1 + !!request->parent;
	struct bytes checkpoint = { 0 }, again = { 0 };
	u64 offset = sendcp_engine_offset(engine);

	take_checkpoint(engine, &checkpoint);
	sendcp_engine_close(engine);
	note_checkpoint(&checkpoint, pins);
	engine = open_engine(sending, request);
	if (sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size)) {
		char line[300];

		fail_msg("refused at stream byte %llu: %s", offset,
			 sendcp_error_format(sendcp_engine_error(engine), line, sizeof(line)));
	}
	take_checkpoint(engine, &again);
	assert_bytes_equal(&checkpoint, &again);
	bytes_free(&checkpoint);
	bytes_free(&again);
	return engine;
}

/* The next command, whole or in pieces of @size. */
static bool make_command(struct sendcp_engine **engine, const struct sending *sending,
			 const struct sendcp_request *request, size_t size, struct bytes *stream)
{
	size_t before = stream->size;
	size_t most = sendcp_buffer_min(request->protocol);
	u32 length;
	bool end;
	int err;

	assert_int_equal(sendcp_engine_settle_command(*engine, &length, &end), 0);
	*engine = pass_on(sending, request, *engine);
	if (end)
		return false;
	err = fill_once(*engine, size, SENDCP_FILL_ONE_COMMAND | SENDCP_FILL_SPLIT_WRITES, stream,
			&end);
	if (err == -ENOBUFS)
		err = fill_once(*engine, most, SENDCP_FILL_ONE_COMMAND, stream, &end);
	assert_int_equal(err, 0);
	if (before)
		commands_seen |= 1ULL << sendcp_get_le16(stream->data + before + 4);
	stream->size = sendcp_min(stream->size, SENDCP_STREAM_HEADER_SIZE);
	*engine = pass_on(sending, request, *engine);
	return true;
}

static void every_checkpoint(const struct sendcp_request *request, size_t size)
{
	struct sending sending = { .volume = sendcp_source_volume(source) };
	struct sendcp_engine *engine = open_engine(&sending, request);
	struct bytes stream = { 0 };

	engine = pass_on(&sending, request, engine);
	while (make_command(&engine, &sending, request, size, &stream))
		;
	sendcp_engine_close(engine);
	bytes_free(&stream);
}

static void in_both_protocols(const char *subvolume, const char *parent, size_t size)
{
	static const struct sendcp_request kinds[] = {
		{ .protocol = 1 },
		{ .protocol = 2 },
		{ .protocol = 2, .flags = SENDCP_SEND_COMPRESSED },
		{ .protocol = 1, .flags = SENDCP_SEND_NO_FILE_DATA },
	};
	u64 source_id = parent ? id_of(parent) : 0;
	struct sendcp_request request;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		request = kinds[i];
		request.subvolume = id_of(subvolume);
		request.parent = source_id;
		if (parent) {
			request.clone_sources = &source_id;
			request.clone_count = 1;
		}
		every_checkpoint(&request, size);
	}
}

static void shortest_and_longest_of_everything(void **state)
{
	in_both_protocols("a", NULL, 20000);
	in_both_protocols("b", "a", 200000);
	in_both_protocols("a", "b", 20000);
}

static void every_kind_of_item(void **state)
{
	in_both_protocols("e.ro", NULL, 200000);
}

static void numbers_used_again(void **state)
{
	in_both_protocols("l", "r", 200000);
}

/* The other tests were of all that there is to be of. */
static void nothing_was_left_out(void **state)
{
	static const u8 commands[] = {
		SENDCP_C_SUBVOL, SENDCP_C_SNAPSHOT, SENDCP_C_MKFILE, SENDCP_C_MKDIR, SENDCP_C_MKNOD,
			SENDCP_C_MKFIFO,
		SENDCP_C_MKSOCK, SENDCP_C_SYMLINK, SENDCP_C_RENAME, SENDCP_C_LINK, SENDCP_C_UNLINK,
			SENDCP_C_RMDIR,
		SENDCP_C_SET_XATTR, SENDCP_C_REMOVE_XATTR, SENDCP_C_WRITE, SENDCP_C_CLONE,
			SENDCP_C_TRUNCATE,
		SENDCP_C_CHMOD, SENDCP_C_CHOWN, SENDCP_C_UTIMES, SENDCP_C_END,
			SENDCP_C_UPDATE_EXTENT,
		SENDCP_C_FALLOCATE, SENDCP_C_ENCODED_WRITE,
	};
	/* Phases that only steps without commands lead to are in no checkpoint. */
	static const u32 passed_over = 1u << SENDCP_PHASE_FINISH |
		1u << SENDCP_PHASE_RECREATE_CREATE |
				       1u << SENDCP_PHASE_RECREATE_XATTRS | 1u << SENDCP_PHASE_END;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!(commands_seen >> commands[i] & 1))
			fail_msg("no command %u", commands[i]);
	assert_int_equal(phases_seen | passed_over, (1u << SENDCP_PHASE_COUNT) - 1);
	/* Kernels remove inodes without links from a snapshot as they make it. */
	assert_int_equal(kinds_seen | 1u << SENDCP_KIND_IGNORED, (1u << SENDCP_KIND_COUNT) - 1);
	assert_int_equal(payloads_seen, (1u << SENDCP_PAYLOAD_COUNT) - 1);
	assert_int_equal(shortest_path, 1);
	assert_int_equal(longest_path, SENDCP_PATH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shortest_and_longest_of_everything),
		cmocka_unit_test(every_kind_of_item),
		cmocka_unit_test(numbers_used_again),
	};
	const struct CMUnitTest all[] = { cmocka_unit_test(nothing_was_left_out) };
	int failed;

	if (loopfs_skip())
		return 0;
	failed = cmocka_run_group_tests_name("large nodes", tests, setup_large_nodes, teardown);
	failed += cmocka_run_group_tests_name("small nodes", tests, setup_small_nodes, teardown);
	return failed + cmocka_run_group_tests(all, NULL, NULL);
}
