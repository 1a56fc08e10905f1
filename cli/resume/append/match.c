// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream that is there, command by command beside those that the engine would make.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resume/append/match.h"
#include "backend/sender.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

static const char *subvolume_name(const struct match *match)
{
	return match->job->subvolumes[match->index].spec;
}

static int open_engine(struct match *match, const struct stream_command *command)
{
	struct sendcp_error error;

	if (match->engine)
		return 0;
	if (match->index == match->job->count)
		return error_line("%s has another stream after byte %llu: name its subvolume too",
				  match->name, command->offset);
	if (send_job_engine(match->job, match->job->source, match->index, NULL, 0,
			  &match->engine, &error))
		return error_engine(subvolume_name(match), &error);
	return 0;
}

/* Only a signal to stop ends this early. */
static int pass(struct match *match, bool *end)
{
	int ret;

	do
		ret = sendcp_engine_skip_command(match->engine, match->head, match->capacity,
						 &match->known, &match->length, end);
	while (ret == -EINTR && !signals_stopped());
	match->stopped = ret == -EINTR;
	if (match->stopped)
		return -1;
	return ret ? error_engine(subvolume_name(match), sendcp_engine_error(match->engine)) : 0;
}

/* Contents and the checksum over them are not known; that it is right the reader has seen. */
static bool same(const struct match *match, const struct stream_command *command)
{
	const size_t crc = offsetof(struct sendcp_command_header, crc);

	if (command->size != match->length)
		return false;
	if (match->known == match->length)
		return !memcmp(command->bytes, match->head, match->known);
	return !memcmp(command->bytes, match->head, crc) &&
	       !memcmp(command->bytes + SENDCP_COMMAND_HEADER_SIZE,
		       match->head + SENDCP_COMMAND_HEADER_SIZE,
		       match->known - SENDCP_COMMAND_HEADER_SIZE);
}

/* Commands that an option adds show that it was given. */
static bool shows_option(struct match *match, const struct stream_command *command)
{
	u32 flag = command->type == SENDCP_C_ENCODED_WRITE ? SENDCP_SEND_COMPRESSED :
		   command->type == SENDCP_C_UPDATE_EXTENT ? SENDCP_SEND_NO_FILE_DATA : 0;

	if (!flag || match->job->flags & flag)
		return false;
	match->job->flags |= flag;
	return true;
}

static int check_header(struct match *match, const struct stream_command *header)
{
	if (header->protocol > SENDCP_PROTOCOL_MAX)
		return error_line("%s is of protocol %u, the highest supported is %d",
				  match->name, header->protocol, SENDCP_PROTOCOL_MAX);
	if (header->offset && header->protocol != match->job->protocol)
		return error_line("%s holds streams of several protocols", match->name);
	match->job->protocol = header->protocol;
	return 0;
}

static int end_subvolume(struct match *match)
{
	int ret = match_batches_close(&match->batches, match->engine, true);

	sendcp_engine_close(match->engine);
	match->engine = NULL;
	match->index++;
	return ret;
}

/*
 * The engine's command in @command's place. Without an END (-e), it is found only then that a
 * subvolume is complete, and that the command is the next one's first.
 */
static int pass_beside(struct match *match, const struct stream_command *command, bool *end)
{
	do {
		if (open_engine(match, command))
			return -1;
		if (match_batches_full(&match->batches, command->size) &&
		    match_batches_close(&match->batches, match->engine, false))
			return -1;
		if (pass(match, end) || (!match->length && end_subvolume(match)))
			return -1;
	} while (!match->length);
	return 0;
}

/* Returns 1 if there is no need to look at more. */
static int match_command(struct match *match, const struct stream_command *command)
{
	bool end;

	if (!command->type && check_header(match, command))
		return -1;
	if (pass_beside(match, command, &end))
		return -1;
	if (!same(match, command)) {
		match->again = shows_option(match, command);
		return match->again ? 1 : match_difference(match, command);
	}
	match_batches_command(&match->batches, command->bytes, command->size);
	match->agreed = command->offset + command->size;
	return end ? end_subvolume(match) : 0;
}

static int match_all(struct match *match)
{
	const struct stream_command *command;
	int ret = 0;

	while (!ret && (command = stream_next(match->reader)))
		ret = match_command(match, command);
	if (ret)
		return ret;
	if (stream_how(match->reader) == STREAM_FAILED)
		return error_line("%s: %s", match->name, stream_what(match->reader));
	if (stream_how(match->reader) == STREAM_DAMAGED)
		warn_line("%s: %s; the stream is regenerated after byte %llu", match->name,
			  stream_what(match->reader), match->agreed);
	if (!match->engine)
		return 0;
	if (sendcp_engine_revalidate(match->engine))
		return error_engine(subvolume_name(match), sendcp_engine_error(match->engine));
	return match_batches_close(&match->batches, match->engine, false);
}

int match_stream(struct match *match)
{
	int ret;

	match->capacity = sendcp_buffer_min(SENDCP_PROTOCOL_MAX);
	match->head = xmalloc(match->capacity);
	ret = match_all(match);
	sendcp_engine_close(match->engine);
	match->engine = NULL;
	free(match->head);
	match->head = NULL;
	return ret < 0 ? -1 : 0;
}
