// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snapshots that come, and change, while /dev/sendcp is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

static struct job job = { .protocol = 1 };

/* Runs a command of the shell; its failure ends the test. */
static void shell(const char *format, const char *path)
{
	char command[512];

	snprintf(command, sizeof(command), format, path, path);
	if (system(command))
		give_up("%s", command);
}

static void begin(struct sending *sending, struct target *target, const char *subvolume,
		  const struct sending *before)
{
	target_open(target, &job, subvolume);
	sending_init(sending, target, &job, 0);
	sending->buffer_size = 150000;
	if (before)
		dup2(before->device, sending->device);
}

static void end(struct sending *sending, struct target *target)
{
	sending_free(sending);
	target_close(target);
}

/* The file that the device was opened as for one snapshot finds those that are made afterwards. */
static void found_afterwards(const char *snapshot)
{
	struct sending first, second;
	struct target old, new;
	struct sink sink;
	char made[256];

	snprintf(made, sizeof(made), "%s.made", snapshot);
	begin(&first, &old, snapshot, NULL);
	sink_init(&sink, false);
	is_errno(sending_all(&first, &sink), 0, "a snapshot");
	sink_free(&sink);
	shell("btrfs -q subvolume snapshot -r %s %s.made && sync", snapshot);
	begin(&second, &new, made, &first);
	sink_init(&sink, false);
	is_errno(sending_all(&second, &sink), 0, "one that was made since, by the same open file");
	sink_free(&sink);
	end(&second, &new);
	end(&first, &old);
	shell("btrfs -q subvolume delete %s.made", snapshot);
}

/* A snapshot that was opened when it was read-only must be found to be writable later. */
static void writable_afterwards(const char *snapshot)
{
	struct sending first, second;
	struct target target, again;

	begin(&first, &target, snapshot, NULL);
	is_errno(sending_step(&first), 0, "the beginning of a snapshot");
	shell("btrfs property set %s ro false && sync", snapshot);
	begin(&second, &again, snapshot, &first);
	is_errno(sending_step(&second), -EPERM, "made writable since, by the same open file");
	end(&second, &again);
	end(&first, &target);
	shell("btrfs property set %s ro true && sync", snapshot);
}

static void is_reason(const struct sending *sending, const char *reason, const char *what)
{
	ok(!strcmp(sending->error.reason, reason), "%s: %s", what, sending->error.reason);
}

/* SENDCP_REVALIDATE: the very call fails, not one a second later. */
static void told_at_once(const char *snapshot)
{
	struct sending sending;
	struct target target;

	begin(&sending, &target, snapshot, NULL);
	sending.flags |= SENDCP_REVALIDATE;
	is_errno(sending_step(&sending), 0, "revalidated");
	shell("btrfs property set %s ro false", snapshot);
	is_errno(sending_step(&sending), -ESTALE, "changed, revalidated");
	is_reason(&sending, "SUBVOLUME_CHANGED", "its reason");
	ok(sending.error.root != ~0ULL && !sending.args.filled, "its subvolume, nothing filled");
	is_errno(sending_step(&sending), -EPERM, "the same checkpoint again");
	end(&sending, &target);
	shell("btrfs property set %s ro true && sync", snapshot);
}

/* One SEND or, into a file, one command of a STREAM. */
static int go_on(struct sending *sending, int output)
{
	return output < 0 ? sending_step(sending) : stream_step(sending, output);
}

/* Written to and read-only again, with nothing of it on the disk: the end is not handed out. */
static void told_before_the_end(const char *snapshot, const char *what, int output)
{
	struct sending sending;
	struct target target;
	int ret;

	begin(&sending, &target, snapshot, NULL);
	sending.flags |= output < 0 ? 0 : SENDCP_ONE_COMMAND;
	is_errno(go_on(&sending, output), 0, "%s: the beginning", what);
	shell("btrfs property set %s ro false && printf changed |"
	      " dd of=%s/later bs=1 seek=3000000 conv=notrunc 2>/dev/null", snapshot);
	shell("btrfs property set %s ro true", snapshot);
	do
		ret = go_on(&sending, output);
	while (!ret && !sending.end);
	is_errno(ret, -ESTALE, "%s: written to and read-only again", what);
	is_reason(&sending, "SUBVOLUME_CHANGED", what);
	end(&sending, &target);
}

int test_changed(int argc, char **argv)
{
	int output = open("/tmp/changed", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	found_afterwards(argv[0]);
	writable_afterwards(argv[0]);
	told_at_once(argv[0]);
	told_before_the_end(argv[0], "SEND", -1);
	told_before_the_end(argv[0], "STREAM", output);
	close(output);
	return tap_end();
}
