// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream that is there, command by command beside those that the engine would make.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resume/append/walk.h"
#include "backend/sender.h"
#include "util/message.h"
#include "util/signals.h"

static const char *subvolume_name(const struct walk *walk)
{
	return walk->job->subvolumes[walk->index].spec;
}

static int open_engine(struct walk *walk, const struct stream_command *command)
{
	struct sendcp_error error;

	if (walk->engine)
		return 0;
	if (walk->index == walk->job->count)
		return error_line("%s has another stream after byte %llu: name its subvolume too",
				  walk->name, command->offset);
	if (send_job_engine(walk->job, walk->job->source, walk->index, NULL, 0,
			  &walk->engine, &error))
		return error_engine(subvolume_name(walk), &error);
	return 0;
}

/* Only a signal to stop ends this early. */
static int pass(struct walk *walk, bool *end)
{
	int ret;

	do
		ret = sendcp_engine_skip_command(walk->engine, walk->head, walk->capacity,
						 &walk->known, &walk->length, end);
	while (ret == -EINTR && !signals_stopped());
	walk->stopped = ret == -EINTR;
	if (walk->stopped)
		return -1;
	return ret ? error_engine(subvolume_name(walk), sendcp_engine_error(walk->engine)) : 0;
}

/* Contents and the checksum over them are not known; that it is right the reader has seen. */
static bool same(const struct walk *walk, const struct stream_command *command)
{
	const size_t crc = offsetof(struct sendcp_command_header, crc);

	if (command->size != walk->length)
		return false;
	if (walk->known == walk->length)
		return !memcmp(command->bytes, walk->head, walk->known);
	return !memcmp(command->bytes, walk->head, crc) &&
	       !memcmp(command->bytes + SENDCP_COMMAND_HEADER_SIZE,
		       walk->head + SENDCP_COMMAND_HEADER_SIZE,
		       walk->known - SENDCP_COMMAND_HEADER_SIZE);
}

/* Commands that an option adds show that it was given. */
static bool shows_option(struct walk *walk, const struct stream_command *command)
{
	u32 flag = command->type == SENDCP_C_ENCODED_WRITE ? SENDCP_SEND_COMPRESSED :
		   command->type == SENDCP_C_UPDATE_EXTENT ? SENDCP_SEND_NO_FILE_DATA : 0;

	if (!flag || walk->job->flags & flag)
		return false;
	walk->job->flags |= flag;
	return true;
}

static int take_header(struct walk *walk, const struct stream_command *header)
{
	if (header->protocol > SENDCP_PROTOCOL_MAX)
		return error_line("%s is of protocol %u, the highest supported is %d",
				  walk->name, header->protocol, SENDCP_PROTOCOL_MAX);
	if (header->offset && header->protocol != walk->job->protocol)
		return error_line("%s holds streams of several protocols", walk->name);
	walk->job->protocol = header->protocol;
	return 0;
}

static int end_subvolume(struct walk *walk)
{
	int ret = walk_batches_close(&walk->batches, walk->engine, true);

	sendcp_engine_close(walk->engine);
	walk->engine = NULL;
	walk->index++;
	return ret;
}

/*
 * The engine's command in @command's place. Without an END (-e), it is found only then that a
 * subvolume is complete, and that the command is the next one's first.
 */
static int pass_beside(struct walk *walk, const struct stream_command *command, bool *end)
{
	do {
		if (open_engine(walk, command))
			return -1;
		if (walk_batches_full(&walk->batches, command->size) &&
		    walk_batches_close(&walk->batches, walk->engine, false))
			return -1;
		if (pass(walk, end) || (!walk->length && end_subvolume(walk)))
			return -1;
	} while (!walk->length);
	return 0;
}

/* Returns 1 if there is no need to look at more. */
static int walk_command(struct walk *walk, const struct stream_command *command)
{
	bool end;

	if (!command->type && take_header(walk, command))
		return -1;
	if (pass_beside(walk, command, &end))
		return -1;
	if (!same(walk, command)) {
		walk->again = shows_option(walk, command);
		return walk->again ? 1 : walk_difference(walk, command);
	}
	walk_batches_command(&walk->batches, command->bytes, command->size);
	walk->agreed = command->offset + command->size;
	return end ? end_subvolume(walk) : 0;
}

static int walk_all(struct walk *walk)
{
	const struct stream_command *command;
	int ret = 0;

	while (!ret && (command = stream_next(walk->reader)))
		ret = walk_command(walk, command);
	if (ret)
		return ret;
	if (stream_how(walk->reader) == STREAM_FAILED)
		return error_line("%s: %s", walk->name, stream_what(walk->reader));
	if (stream_how(walk->reader) == STREAM_DAMAGED)
		warn_line("%s: %s; the stream is made again after byte %llu", walk->name,
			  stream_what(walk->reader), walk->agreed);
	if (!walk->engine)
		return 0;
	if (sendcp_engine_revalidate(walk->engine))
		return error_engine(subvolume_name(walk), sendcp_engine_error(walk->engine));
	return walk_batches_close(&walk->batches, walk->engine, false);
}

int walk_stream(struct walk *walk)
{
	int ret;

	walk->capacity = sendcp_buffer_min(SENDCP_PROTOCOL_MAX);
	walk->head = malloc(walk->capacity);
	if (!walk->head)
		return error_line("out of memory");
	ret = walk_all(walk);
	sendcp_engine_close(walk->engine);
	walk->engine = NULL;
	free(walk->head);
	walk->head = NULL;
	return ret < 0 ? -1 : 0;
}
