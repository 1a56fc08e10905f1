// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream that is there, command by command beside those that the engine would make.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse/mark.h"
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

static bool replaces(const struct match *match)
{
	return match->job->flags & (SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP);
}

static bool is_zero(const struct stream_attribute *data)
{
	return data && data->length && !*data->value &&
	       !memcmp(data->value, data->value + 1, data->length - 1);
}

/*
 * Damaged contents are found only by reading them. A WRITE of all that the engine would write is of
 * contents that could be read, unless it is zeros: after those there may be a mark.
 */
static bool is_plain(const struct match *match, const struct stream_command *command, u32 length)
{
	return command->size == length &&
	       (command->type == SENDCP_C_ENCODED_WRITE ||
		(command->type == SENDCP_C_WRITE &&
		 !is_zero(stream_attribute(command, SENDCP_A_DATA))));
}

/* The engine's next command with its contents. */
static int make(struct match *match, bool *end)
{
	struct sendcp_fill fill = {
		.buffer = match->head,
		.size = match->capacity,
		.flags = SENDCP_FILL_ONE_COMMAND,
	};
	int ret = sendcp_engine_fill(match->engine, &fill);

	match->known = (u32)fill.filled;
	match->length = (u32)fill.filled;
	*end = fill.end;
	return ret;
}

static int pass_or_make(struct match *match, const struct stream_command *command, bool *end)
{
	u32 length;
	int ret = 0;

	if (replaces(match)) {
		ret = sendcp_engine_settle_command(match->engine, &length, end);
		if (!ret && !*end && !is_plain(match, command, length))
			return make(match, end);
	}
	return ret ? ret : sendcp_engine_skip_command(match->engine, match->head, match->capacity,
						      &match->known, &match->length, end);
}

/* Only a signal to stop ends this early. */
static int pass(struct match *match, const struct stream_command *command, bool *end)
{
	int ret;

	do
		ret = pass_or_make(match, command, end);
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
	static const u32 marks[] = {
		[MARK_NONE] = SENDCP_SEND_NO_FILE_DATA,
		[MARK_ZERO] = SENDCP_SEND_DATA_ZERO,
		[MARK_SKIP] = SENDCP_SEND_DATA_SKIP,
		[MARK_WRONG] = 0,
	};
	u32 flag = command->type == SENDCP_C_ENCODED_WRITE ? SENDCP_SEND_COMPRESSED :
		   command->type == SENDCP_C_UPDATE_EXTENT ? marks[stream_mark(command)] : 0;

	/* Asked for, or shown already: then this is another difference. */
	if (!flag || match->job->flags & flag ||
	    (stream_mark(command) != MARK_NONE && replaces(match)))
		return false;
	match->job->flags |= flag;
	return true;
}

/* Commands from the first that differs to the mark. */
#define BEFORE_MARK 2

/*
 * Of contents that could not be read, the mark comes last: after what could be read of what would
 * have been one WRITE, and after zeros. *@command is no more than its numbers after that.
 */
static bool mark_follows(struct match *match, struct stream_command *command)
{
	const struct stream_command *next;

	if (replaces(match) || command->type != SENDCP_C_WRITE)
		return false;
	command->attribute_count = 0;
	for (int i = 0; i < BEFORE_MARK && (next = stream_next(match->reader)); i++)
		if (stream_mark(next) != MARK_NONE)
			return shows_option(match, next);
	return false;
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
		if (pass(match, command, end) || (!match->length && end_subvolume(match)))
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
		struct stream_command copy = *command;

		match->again = shows_option(match, command) || mark_follows(match, &copy);
		return match->again ? 1 : match_difference(match, &copy);
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
