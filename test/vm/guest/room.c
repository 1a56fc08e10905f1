// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Space for checkpoints that is too small again and again: the bytes out are reported exactly, and
 * so is the size needed, the call can be repeated with that much, and the stream stays the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

#define UNUSED 0xa5
/* Bytes after that space that are looked at. */
#define BEHIND 64

static struct job job;
static struct target target;
static int output;

struct tally {
	unsigned int calls;
	unsigned int refused;
	/* STREAMs that ended after a command that they have no checkpoint after. */
	unsigned int behind;
	/* Calls that only advanced the checkpoint to after such a command. */
	unsigned int empty;
	unsigned int wrong;
	/* The offset after the last successful call. */
	uint64_t at;
};

static void complain(struct tally *tally, const struct sending *sending, const char *what)
{
	if (tally->wrong++ < 10)
		note("call %u, at %llu + %llu: %s", tally->calls,
		     (unsigned long long)sending->args.offset,
		     (unsigned long long)sending->args.new_skip, what);
}

static off_t bytes_out(void)
{
	return lseek(output, 0, SEEK_END);
}

/* One call with @room bytes for the checkpoint. */
static int step(struct sending *sending, unsigned long command, size_t room)
{
	uint8_t *kept;
	int ret;

	sending_arguments(sending);
	if (command == SENDCP_IOC_STREAM) {
		sending->args.buffer = 0;
		sending->args.buffer_size = 0;
		sending->args.output_fd = output;
		sending->args.skip = sending->skip;
	}
	sending->args.new_checkpoint_capacity = room;
	memset(sending->next + room, UNUSED, BEHIND);
	ret = call(sending->device, command, &sending->args);
	if (ret)
		return ret;
	kept = sending->checkpoint;
	sending->checkpoint = sending->next;
	sending->next = kept;
	sending->checkpoint_size = sending->args.new_checkpoint_size;
	sending->skip = sending->args.new_skip;
	sending->end = sending->args.result & SENDCP_RESULT_END;
	return 0;
}

static bool room_kept(const uint8_t *behind)
{
	unsigned int i;

	for (i = 0; i < BEHIND; i++)
		if (behind[i] != UNUSED)
			return false;
	return true;
}

/* Is everything reported to the caller? @before: bytes that were out before the call. */
static void check_success(struct tally *tally, struct sending *sending, unsigned long command,
			  size_t room, uint64_t before)
{
	const struct sendcp_send *args = &sending->args;
	uint64_t after = bytes_out();

	if (args->new_checkpoint_size > room || !room_kept(sending->checkpoint + room))
		complain(tally, sending, "more than there was room for");
	if (after != before + args->filled)
		complain(tally, sending, "what was filled is not what is out");
	if (args->offset + args->new_skip != after)
		complain(tally, sending, "offset and skip are not what is out");
	if (command == SENDCP_IOC_SEND && args->new_skip)
		complain(tally, sending, "a skip for SEND");
	tally->behind += args->new_skip && !sending->end;
	tally->empty += !args->filled && !sending->end;
}

/* Nothing may have happened but that the size needed is reported. */
static void check_refusal(struct tally *tally, struct sending *sending, size_t room,
			  uint64_t before)
{
	const struct sendcp_send *args = &sending->args;

	if (args->filled || args->new_skip || args->offset || args->result)
		complain(tally, sending, "EMSGSIZE, but something was made");
	if ((uint64_t)bytes_out() != before)
		complain(tally, sending, "EMSGSIZE, but something came out");
	if (args->new_checkpoint_size <= room)
		complain(tally, sending, "EMSGSIZE, but there was room");
	if (sending->error.err != EMSGSIZE || sending->error.reason[0])
		complain(tally, sending, "EMSGSIZE, but the error says something else");
	tally->refused++;
}

/* A command is out already, and the space is too small even for the checkpoint before it. */
static int less_room(struct sending *sending, struct tally *tally)
{
	uint32_t flags = sending->flags;
	size_t room = sending->checkpoint_size - 1;
	uint64_t before = bytes_out();
	int ret;

	sending->flags |= SENDCP_ONE_COMMAND;
	ret = step(sending, SENDCP_IOC_STREAM, room);
	sending->flags = flags;
	if (ret == -EMSGSIZE)
		check_refusal(tally, sending, room, before);
	return ret == -EMSGSIZE ? 0 : ret ? ret : -ENODATA;
}

static void put_out(const struct sending *sending)
{
	if (write(output, sending->buffer, sending->args.filled) != (ssize_t)sending->args.filled)
		give_up("write: %m");
}

/* One call; @room is the size for the next one, @little unless more was asked for. */
static int one_call(struct sending *sending, unsigned long command, size_t little, size_t *room,
		    struct tally *tally)
{
	uint64_t at = tally->at;
	uint64_t before = bytes_out();
	size_t given = *room;
	int ret = step(sending, command, given);

	tally->calls++;
	if (ret == -EMSGSIZE) {
		check_refusal(tally, sending, given, before);
		*room = sending->args.new_checkpoint_size;
		/* The size that was asked for must be enough. */
		return given == little ? 0 : ret;
	}
	if (ret)
		return ret;
	if (command == SENDCP_IOC_SEND)
		put_out(sending);
	check_success(tally, sending, command, given, before);
	*room = little;
	if (!sending->args.filled && !sending->end && sending->args.offset == at)
		return -ELOOP;
	tally->at = sending->args.offset;
	return sending->skip ? less_room(sending, tally) : 0;
}

static void read_back(struct sink *sink)
{
	uint8_t *data = malloc(1 << 16);
	ssize_t got;

	lseek(output, 0, SEEK_SET);
	while ((got = read(output, data, 1 << 16)) > 0)
		sink_put(sink, data, got);
	free(data);
}

/*
 * A whole stream of calls that have the size @little, and the size they need only after they were
 * refused. @every_other: call has those flags.
 */
static void whole(unsigned long command, uint32_t flags, uint32_t every_other, size_t little,
		  char **expected, const char *what)
{
	struct tally tally = { 0 };
	struct sending sending;
	struct sink sink;
	size_t room = little;
	int ret = 0;

	if (ftruncate(output, 0) || lseek(output, 0, SEEK_SET))
		give_up("truncate: %m");
	sending_init(&sending, &target, &job, flags);
	sink_init(&sink, false);
	while (!ret && !sending.end) {
		ret = one_call(&sending, command, little, &room, &tally);
		sending.flags ^= every_other;
	}
	if (is_errno(ret, 0, "%s, room for %zu bytes: gets to the end", what, little)) {
		read_back(&sink);
		stream_is(&sink, expected[0], expected[1], what);
	}
	ok(!tally.wrong, "%s: what is out is told in each of %u calls", what, tally.calls);
	ok(tally.refused, "%s: EMSGSIZE, %u times", what, tally.refused);
	if (command == SENDCP_IOC_STREAM && !(flags & SENDCP_ONE_COMMAND))
		ok(tally.behind, "%s: %u calls have no checkpoint behind what is out", what,
		   tally.behind);
	if (every_other)
		ok(tally.empty, "%s: %u commands were out already", what, tally.empty);
	sink_free(&sink);
	sending_free(&sending);
}

static int by_size(const void *a, const void *b)
{
	size_t left = *(const size_t *)a, right = *(const size_t *)b;

	return left < right ? -1 : left > right;
}

/* The size that is enough for half of all checkpoints there are between two commands. */
static size_t median_size(void)
{
	static size_t sizes[100000];
	struct sending sending;
	size_t count = 0;

	sending_init(&sending, &target, &job, SENDCP_ONE_COMMAND);
	while (!sending.end && count < sizeof(sizes) / sizeof(*sizes)) {
		if (sending_step(&sending))
			give_up("the stream cannot be made at all");
		sizes[count++] = sending.checkpoint_size;
	}
	sending_free(&sending);
	qsort(sizes, count, sizeof(*sizes), by_size);
	note("%zu checkpoints of %zu to %zu bytes", count, sizes[0], sizes[count - 1]);
	if (sizes[0] == sizes[count / 2])
		give_up("all checkpoints are of one size");
	return sizes[count / 2];
}

int test_room(int argc, char **argv)
{
	size_t median;

	job_parse(&job, argc - 2, argv + 2);
	target_open(&target, &job, job.subvolumes[0]);
	output = open("/tmp/room", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output < 0)
		give_up("/tmp/room: %m");
	median = median_size();
	whole(SENDCP_IOC_SEND, 0, 0, 16, argv, "SEND");
	whole(SENDCP_IOC_SEND, SENDCP_ONE_COMMAND, 0, median, argv, "SEND of one command");
	whole(SENDCP_IOC_STREAM, 0, 0, median, argv, "STREAM");
	whole(SENDCP_IOC_STREAM, SENDCP_ONE_COMMAND, 0, median, argv, "STREAM of one command");
	whole(SENDCP_IOC_STREAM, 0, SENDCP_ONE_COMMAND, median, argv,
	      "STREAM, every other of one command");
	unlink("/tmp/room");
	target_close(&target);
	return tap_end();
}
