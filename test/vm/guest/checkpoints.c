// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checkpoints that are damaged, cut, or of something else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

/* Commands before the checkpoint that all is tried on. */
#define COMMANDS 60

static struct sending sending;

static int try_checkpoint(const uint8_t *checkpoint, size_t size)
{
	memcpy(sending.checkpoint, checkpoint, size);
	sending.checkpoint_size = size;
	sending_arguments(&sending);
	return call(sending.device, SENDCP_IOC_SEND, &sending.args);
}

static void damaged(const uint8_t *good, size_t size)
{
	uint8_t *bad = malloc(size + 1);
	unsigned int wrong = 0;
	unsigned int i;

	memcpy(bad, good, size);
	for (i = 0; i < size; i++) {
		int ret;

		bad[i] ^= 1 << i % 8;
		ret = try_checkpoint(bad, size);
		bad[i] = good[i];
		if (ret != -EILSEQ && wrong++ < 5)
			note("byte %u: %s %s", i, ret ? strerrorname_np(-ret) : "taken",
			     sending.error.reason);
	}
	ok(!wrong, "each of %zu bytes flipped: EILSEQ", size);
	wrong = 0;
	for (i = 1; i < size; i++)
		wrong += try_checkpoint(good, i) != -EILSEQ;
	ok(!wrong, "cut off at every length: EILSEQ");
	bad[size] = 0;
	is_errno(try_checkpoint(bad, size + 1), -EILSEQ, "a byte longer");
	free(bad);
}

/* The same checkpoint with other arguments. */
static int with_other(const uint8_t *good, size_t size, uint32_t protocol, uint32_t flags,
		      const struct target *target)
{
	const struct target *own = sending.target;
	uint32_t own_protocol = sending.protocol;
	uint32_t own_flags = sending.flags;
	int ret;

	sending.protocol = protocol;
	sending.flags = flags;
	sending.target = target;
	ret = try_checkpoint(good, size);
	sending.protocol = own_protocol;
	sending.flags = own_flags;
	sending.target = own;
	return ret;
}

static void of_something_else(const uint8_t *good, size_t size, const struct target *target)
{
	uint32_t flags = sending.flags;
	struct target other = *target;

	is_errno(with_other(good, size, 2, flags, target), -ESTALE, "another protocol");
	is_errno(with_other(good, size, 1, flags | SENDCP_NO_FILE_DATA, target), -ESTALE,
		 "without file data");
	is_errno(with_other(good, size, 1, flags | SENDCP_OMIT_END, target), -ESTALE,
		 "without the end");
	is_errno(with_other(good, size, 1, flags & ~SENDCP_ONE_COMMAND, target), 0,
		 "cut otherwise into calls");
	other.parent = -1;
	is_errno(with_other(good, size, 1, flags, &other), -ESTALE, "without the parent");
	other = *target;
	other.clone_count = 0;
	is_errno(with_other(good, size, 1, flags, &other), -ESTALE, "without the clone sources");
	other = *target;
	other.subvolume = target->parent;
	is_errno(with_other(good, size, 1, flags, &other), -ESTALE, "of another subvolume");
}

int test_checkpoints(int argc, char **argv)
{
	char *subvolume[] = { argv[1], NULL };
	struct job job = {
		.protocol = 1, .flags = SENDCP_ONE_COMMAND, .parent = argv[0],
		.clones = { argv[0] }, .clone_count = 1, .subvolumes = subvolume,
	};
	struct target target;
	uint8_t *good;
	size_t size;
	unsigned int i;
	uint64_t next;
	uint8_t command[16];

	target_open(&target, &job, argv[1]);
	sending_init(&sending, &target, &job, 0);
	for (i = 0; i < COMMANDS; i++)
		if (sending_step(&sending) || sending.end)
			give_up("the stream is too short");
	size = sending.checkpoint_size;
	good = malloc(size);
	memcpy(good, sending.checkpoint, size);
	is_errno(try_checkpoint(good, size), 0, "the checkpoint as it is");
	next = sending.args.filled;
	memcpy(command, sending.buffer, sizeof(command));
	damaged(good, size);
	of_something_else(good, size, &target);
	is_errno(try_checkpoint(good, size), 0, "and as it is, again");
	ok(next == sending.args.filled && !memcmp(command, sending.buffer, sizeof(command)),
	   "which gives the same command");
	free(good);
	sending_free(&sending);
	target_close(&target);
	return tap_end();
}
